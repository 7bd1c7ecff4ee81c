//! The simulator.

pub mod setup;

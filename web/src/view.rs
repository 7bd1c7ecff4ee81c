//! Components.

pub mod stage;

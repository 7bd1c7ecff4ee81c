//! The server of zabscope as a library.

pub mod cli;
pub mod client;
pub mod config;

//! The server of zabscope as a library.

pub mod config;

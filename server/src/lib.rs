//! A ZooKeeper server around zabscope's core: sockets, files and clocks, and nothing of the protocol.

pub mod admin;
pub mod audit;
pub mod cli;
pub mod client;
pub mod clock;
pub mod config;
pub mod disk;
pub mod embedded;
pub mod http;
pub mod inspect;
pub mod layout;
pub mod members;
pub mod metrics;
pub mod net;
pub mod node;
mod quota;
pub mod sasl;
pub mod server;
pub mod stats;
pub mod storage;
#[cfg(test)]
mod testing;

pub use server::{Server, StartError};

/// What servers call themselves.
pub const VERSION: &str = concat!("3.9.5-zabscope-", env!("CARGO_PKG_VERSION"));

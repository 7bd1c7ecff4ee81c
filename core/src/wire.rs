//! Pure codecs: typed messages, transactions and files to ZooKeeper's own bytes and back.
//!
//! A decoder never panics, never allocates more than what is left of its input allows, and says at
//! which byte it stopped and why. What it accepts it gives back byte for byte when encoded again,
//! but for the spellings that ZooKeeper itself reads and never writes.

pub mod client;
pub mod election;
pub mod frame;
pub mod jute;
pub mod opcode;
pub mod quorum;
pub mod record;
pub mod txn;

#[cfg(test)]
mod testing;

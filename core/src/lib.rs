//! ZooKeeper's whole protocol as a state machine without I/O.

pub mod bus;
pub mod config;
pub mod election;
pub mod id;
pub mod leader;
pub mod learner;
pub mod log;
pub mod members;
pub mod message;
pub mod peer;
pub mod pipeline;
pub mod quorum;
pub mod replica;
pub mod request;
pub mod rules;
pub mod session;
#[cfg(feature = "sim")]
pub mod sim;
pub mod sync;
pub mod time;
pub mod tree;
pub mod txn;
pub mod wire;

//! Sockets. Each speaks one of ZooKeeper's protocols and hands typed inputs to the node.

pub mod client;
pub mod election;
pub mod quorum;
pub mod socket;
pub mod throttle;
pub mod tls;
pub mod words;

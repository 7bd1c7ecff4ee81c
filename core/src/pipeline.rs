//! From a request to a transaction, from a state to an answer.

pub mod clients;
pub mod prepare;
pub mod read;
pub mod reconfig;

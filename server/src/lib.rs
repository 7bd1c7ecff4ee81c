//! The server around the core: files, and what else a machine has.

pub mod storage;

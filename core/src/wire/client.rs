//! The client protocol (ZooKeeper.md 1.1 to 1.4, 1.8 to 1.12), both directions: what a server reads
//! and answers, and what a client of ours asks and is told.
//!
//! Everything here is a frame's body; [`super::frame`] knows the lengths around it. The first frame of
//! a connection is a [`Connect`], all after it are requests.

mod connect;
mod request;
mod response;

pub use connect::{Connect, Connected, NOBODYS_PASSWORD};
pub use request::{decode_request, encode_request, opcode_of};
pub(crate) use request::{read_write, write_body, write_opcode};
pub use response::{
    EventZxid, FromServer, decode_from_server, decode_reply, encode_event, encode_reply,
};

/// The xids that mean something (1.3).
pub mod xid {
    /// A watch event.
    pub const EVENT: i32 = -1;
    /// A ping and its reply.
    pub const PING: i32 = -2;
    /// What clients send auth with.
    pub const AUTH: i32 = -4;
    /// What clients send setWatches and setWatches2 with.
    pub const SET_WATCHES: i32 = -8;
}

#[cfg(test)]
pub(super) mod tests;

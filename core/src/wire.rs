//! Pure codecs: typed messages, transactions and files to ZooKeeper's own bytes and back.
//!
//! A decoder never panics, never allocates more than a small multiple of its input, and says at which
//! byte it stopped and why. What it accepts it gives back byte for byte when encoded again, but for
//! the spellings that ZooKeeper itself reads and never writes.
//!
//! | Module | What | Around it |
//! |---|---|---|
//! | [`client`] | connect, requests, replies, watch events | [`frame`], up to `jute.maxbuffer` |
//! | [`quorum`] | packets between learners and leader | nothing: back to back |
//! | [`election`] | greetings, notifications | nothing; [`frame`] |
//! | [`txn`] | transactions, alike in PROPOSAL and in the log | a packet's buffer, a log's record |
//! | [`snapshot`], [`txnlog`] | the files, and a snapshot on the stream | their own headers and sums |
//! | [`jute`], [`record`], [`opcode`] | what all of them are made of | |
//!
//! Where bytes come from a stream, a decoder is given what has arrived: `Ok(None)` asks for more, and
//! an error ends the connection. What a *client* says and nobody can read is no error of the stream:
//! it becomes a request that is refused in its turn (see [`client`]).

pub mod client;
pub mod election;
pub mod frame;
pub mod jute;
pub mod opcode;
pub mod quorum;
pub mod record;
pub mod snapshot;
pub mod txn;
pub mod txnlog;

#[cfg(test)]
mod testing;

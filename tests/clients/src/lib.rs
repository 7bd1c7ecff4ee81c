//! What real clients see of real servers. Everything here takes the server as a process with an
//! address; that it is ours or Apache's is a word in a variable (see [`server::Kind`]), so that each
//! test can first be shown to be right with Apache's own.
//!
//! | Module | What it knows |
//! |---|---|
//! | [`port`] | ports of 127.0.0.1 that nobody has |
//! | [`server`] | server processes, one or an ensemble, that end with their handle |
//! | [`apache`] | where Apache's classes are |
//! | [`word`] | four-letter words |
//! | [`jute`] | the encoding, written again from the specification: what is tested can't test itself |
//! | [`connection`] | one raw connection: the handshake, frames, nothing clever |
//! | [`differential`] | the same random operations to two servers, and what they answer differently |
//! | [`load`] | writers that remember what was acknowledged, and the audit afterwards |
//! | [`program`] | a client in another language that says when it wants the leader killed |

pub mod apache;
pub mod connection;
pub mod differential;
pub mod jute;
pub mod load;
pub mod port;
pub mod program;
pub mod server;
pub mod word;

use anyhow::{Context, Result};

/// The number in an environment variable, or another one if it is not set.
///
/// # Errors
/// What stands there is no number.
pub fn number(variable: &str, otherwise: u64) -> Result<u64> {
    match std::env::var(variable) {
        Ok(text) => text
            .parse()
            .with_context(|| format!("{variable} is `{text}`, no number")),
        Err(_) => Ok(otherwise),
    }
}

//! Four-letter words (ZooKeeper's administration over the client port).

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result};

/// No answer is longer.
const LIMIT: u64 = 16 << 20;

/// Sends a word and reads the answer to its end.
pub fn ask(address: SocketAddr, word: &str, limit: Duration) -> Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, limit)
        .with_context(|| format!("connecting to {address} to ask {word}"))?;
    stream.set_read_timeout(Some(limit))?;
    stream.set_write_timeout(Some(limit))?;
    stream.write_all(word.as_bytes())?;
    let mut text = Vec::new();
    stream
        .take(LIMIT)
        .read_to_end(&mut text)
        .with_context(|| format!("the answer of {address} to {word}"))?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// What `srvr` says that a server does, as `standalone`, `leader`, `follower` or `observer`; an error
/// if it does not serve (yet).
pub fn mode(address: SocketAddr) -> Result<String> {
    let text = ask(address, "srvr", Duration::from_secs(2))?;
    let mode = text.lines().find_map(|line| line.strip_prefix("Mode: "));
    Ok(mode
        .with_context(|| format!("{address} does not serve: {}", text.trim()))?
        .trim()
        .to_owned())
}

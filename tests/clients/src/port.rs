//! Ports of 127.0.0.1 that nobody has.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU16, Ordering};

use anyhow::{Result, bail};

/// Below the range from which operating systems take ports for outgoing connections: one of those
/// could take a port between our look and the server's bind.
const FIRST: u16 = 12_000;
const COUNT: u16 = 18_000;

/// How far this process has come; it starts at a place of its own, so that two processes that run
/// at the same time rarely try the same ports.
static NEXT: AtomicU16 = AtomicU16::new(0);
static GIVEN: Mutex<()> = Mutex::new(());

/// A port that was free a moment ago and that this process gives out only once.
pub fn free() -> Result<u16> {
    free_row(1)
}

/// The first of `length` ports in a row.
pub fn free_row(length: u16) -> Result<u16> {
    let _one_at_a_time = GIVEN
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner());
    let own = u16::try_from(std::process::id() % 180).unwrap_or(0) * 100;
    for _ in 0..COUNT {
        let offset = NEXT.fetch_add(length, Ordering::Relaxed);
        let first = FIRST + own.wrapping_add(offset) % COUNT;
        if (first..first + length).all(is_free) {
            return Ok(first);
        }
    }
    bail!("no {length} free ports in a row on 127.0.0.1 from {FIRST} on")
}

fn is_free(port: u16) -> bool {
    // Apache binds peer ports to all addresses unless told otherwise: look at those as well.
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
        && TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_given_once_and_can_be_bound() {
        let first = free().expect("a port");
        let row = free_row(3).expect("three ports");
        assert!(!(row..row + 3).contains(&first));
        let _listener = TcpListener::bind((Ipv4Addr::LOCALHOST, row + 2)).expect("it is free");
        assert!(!is_free(row + 2));
    }
}

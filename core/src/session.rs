//! Sessions' ids and passwords (ZooKeeper.md 1.4). Any member must accept what another issued, so
//! both are functions of what all of them know.

use crate::id::{ServerId, SessionId};

pub mod tracker;

/// java.util.Random's multiplier, also its scrambler.
const MULTIPLIER: u64 = 0x5_DEEC_E66D;
const MASK: u64 = (1 << 48) - 1;
/// The same in every ZooKeeper, so no secret.
const SALT: u64 = 0xB341_5C00;

/// The password of a session: sixteen bytes of java.util.Random. It can be guessed, by design.
#[must_use]
pub fn password(session: SessionId) -> [u8; 16] {
    let mut state = (session.0 as u64 ^ SALT ^ MULTIPLIER) & MASK;
    let mut out = [0; 16];
    for word in out.chunks_exact_mut(4) {
        state = state.wrapping_mul(MULTIPLIER).wrapping_add(0xB) & MASK;
        word.copy_from_slice(&((state >> 16) as u32).to_le_bytes());
    }
    out
}

/// The id after this one; 0 is nobody's.
#[must_use]
pub fn next_id(id: SessionId) -> SessionId {
    match id.0.wrapping_add(1) {
        0 => SessionId(1),
        next => SessionId(next),
    }
}

/// The server that gave a session its id, of the ids that [`first_id`] makes.
#[must_use]
pub fn server_of(id: SessionId) -> ServerId {
    ServerId((id.0 as u64 >> 56) as i64)
}

/// Where a server starts to count its sessions: its id in the top byte, below it the wall clock.
/// Never 0 for a server that exists, and never the number that marks containers.
#[must_use]
pub fn first_id(wall_ms: i64, server: ServerId) -> SessionId {
    let clock = ((wall_ms << 24) as u64 >> 8) as i64;
    match clock | server.0 << 56 {
        i64::MIN => SessionId(i64::MIN + 1),
        id => SessionId(id),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|b| format!("{b:02x}")).collect()
    }

    #[test]
    fn passwords_are_java_utils_random() {
        for (session, expected) in [
            (0x1_0000_0000_0000, "f22acd4a97e69d6d20a49bb638eadb38"),
            (0, "f22acd4a97e69d6d20a49bb638eadb38"),
            (1, "054cc74a37327db215e702e20c73f005"),
            (0x100_0123_4567_8901, "da1700ba9f6dfabfdbb8dae9d73cb0b6"),
        ] {
            assert_eq!(hex(&password(SessionId(session))), expected);
        }
    }

    #[test]
    fn the_password_of_nobody_is_no_sessions() {
        // All ones would need two states in a row whose upper 32 bits are ones. Only the 65,536
        // states with such bits can be the first, and none of them leads to another.
        assert_eq!(crate::wire::client::NOBODYS_PASSWORD, [0xff; 16]);
        for low in 0..=0xffff_u64 {
            let state = 0xffff_ffff_0000 | low;
            let next = state.wrapping_mul(MULTIPLIER).wrapping_add(0xB) & MASK;
            assert_ne!(next >> 16, 0xffff_ffff, "{low:#x}");
        }
    }

    #[test]
    fn session_ids_begin_with_server_and_clock() {
        assert_eq!(
            first_id(1_721_000_000_000, ServerId(3)),
            SessionId(0x0390_b397_fa00_0000)
        );
    }

    #[test]
    fn the_mark_of_containers_is_no_session() {
        assert_eq!(first_id(0, ServerId(128)), SessionId(i64::MIN + 1));
    }
}

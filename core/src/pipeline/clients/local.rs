//! Sessions that only this server knows, a server that only reads, and what is answered without the
//! leader (ZooKeeper.md 1.4, 1.13).

use super::Clients;
use crate::{
    config::Config,
    id::SessionId,
    peer::{
        event::{EventKind, RefuseReason},
        output::Output,
    },
    request::{ErrorCode, Request},
    time::Moment,
};

impl Clients {
    /// How many sessions only this server knows.
    #[must_use]
    pub fn local_sessions(&self) -> usize {
        self.local.len()
    }

    /// Whether only this server knows this session.
    #[must_use]
    pub fn is_local(&self, session: SessionId) -> bool {
        self.local.contains(session)
    }

    /// When the next of them expires if nothing is heard.
    #[must_use]
    pub fn local_deadline(&self) -> Option<Moment> {
        self.local.deadline()
    }

    /// Ends the local sessions whose time has come. Nobody else has to be asked.
    pub fn expire_local(&mut self, now: Moment, out: &mut Output) {
        while let Some((session, _)) = self.local.expire(now) {
            self.local.remove(session);
            out.emit(EventKind::LocalSessionEnded {
                session,
                expired: true,
            });
            if let Some(client) = self.of_session(session) {
                self.end(client, RefuseReason::SessionClosed, out);
            }
        }
    }

    /// Whether the server has no quorum and only reads (1.13).
    #[must_use]
    pub fn only_reads(&self) -> bool {
        self.only_reads
    }

    /// From now on until [`Clients::end_all`] it only reads, and all sessions are local.
    pub fn only_read(&mut self) {
        self.only_reads = true;
    }
}

/// Whether a request that usually goes to the leader is answered here: what a server that only reads
/// refuses, what a local session may not, and the end of a session that nobody else knows.
pub(super) fn answered_in_turn(
    only_reads: bool,
    is_local: bool,
    cfg: &Config,
    request: &Request,
) -> bool {
    refused_in_turn(only_reads, is_local, cfg, request).is_some()
        || (is_local && *request == Request::CloseSession)
}

/// What a server that only reads answers to a write (1.13), and any other to an ephemeral of a session
/// that must stay local (1.4).
pub(super) fn refused_in_turn(
    only_reads: bool,
    is_local: bool,
    cfg: &Config,
    request: &Request,
) -> Option<ErrorCode> {
    match request {
        Request::Write(_) | Request::Sync { .. } if only_reads => Some(ErrorCode::NotReadOnly),
        Request::Write(write)
            if is_local && !cfg.local_sessions_upgrading && write.makes_ephemeral() =>
        {
            Some(ErrorCode::EphemeralOnLocalSession)
        }
        Request::Write(_)
        | Request::Sync { .. }
        | Request::Refused { .. }
        | Request::Ping
        | Request::Exists { .. }
        | Request::GetData { .. }
        | Request::GetAcl { .. }
        | Request::GetChildren { .. }
        | Request::GetAllChildrenNumber { .. }
        | Request::GetEphemerals { .. }
        | Request::MultiRead(_)
        | Request::AddWatch { .. }
        | Request::CheckWatches { .. }
        | Request::RemoveWatches { .. }
        | Request::SetWatches(_)
        | Request::WhoAmI
        | Request::Auth { .. }
        | Request::Sasl { .. }
        | Request::CloseSession => None,
    }
}

/// Why a connection ends as soon as this is answered (trap 9).
pub(super) fn ends_connection(request: &Request) -> Option<ErrorCode> {
    match request {
        Request::Refused {
            code, close: true, ..
        } => Some(*code),
        Request::Write(_) => Some(ErrorCode::Unimplemented),
        Request::Refused { close: false, .. }
        | Request::Ping
        | Request::Exists { .. }
        | Request::GetData { .. }
        | Request::GetAcl { .. }
        | Request::GetChildren { .. }
        | Request::GetAllChildrenNumber { .. }
        | Request::GetEphemerals { .. }
        | Request::MultiRead(_)
        | Request::Sync { .. }
        | Request::AddWatch { .. }
        | Request::CheckWatches { .. }
        | Request::RemoveWatches { .. }
        | Request::SetWatches(_)
        | Request::WhoAmI
        | Request::Auth { .. }
        | Request::Sasl { .. }
        | Request::CloseSession => None,
    }
}

#[cfg(test)]
mod tests;

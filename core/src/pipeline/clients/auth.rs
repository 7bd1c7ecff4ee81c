//! Clients that say who they are: auth packets and SASL (ZooKeeper.md 1.15). Both are answered at once,
//! whatever was asked before.

use super::Clients;
use crate::{
    config::Config,
    id::{ClientId, Zxid},
    peer::{
        event::{EventKind, RefuseReason},
        output::{Effect, Output},
    },
    request::{AuthId, ErrorCode, Reply, Response, SaslOutcome},
    tree::acl,
};
use std::{collections::BTreeSet, sync::Arc};

impl Clients {
    /// An auth packet.
    pub(super) fn authenticate(
        &mut self,
        cfg: &Config,
        client: ClientId,
        xid: i32,
        scheme: Arc<str>,
        auth: &[u8],
        out: &mut Output,
    ) {
        if &*scheme == acl::ENSEMBLE
            && let Some(names) = &cfg.rights.ensemble
        {
            return self.name_ensemble(client, xid, names, auth, out);
        }
        let held = self.connections.get(&client).map_or(&[][..], |c| &*c.auth);
        let proved = acl::authenticate(&cfg.rights, &scheme, auth, held);
        let reply = Reply {
            xid,
            zxid: Zxid::ZERO,
            result: proved.as_ref().map(|_| Response::Empty).map_err(|e| *e),
        };
        out.effect(|cause| Effect::ClientReply {
            client,
            reply,
            cause,
        });
        match proved {
            Ok(proved) => self.admit(client, scheme, proved, out),
            Err(code) => self.end(client, RefuseReason::Protocol(code), out),
        }
    }

    /// A client says which ensemble it means. That proves nothing about the client; who means another is
    /// disconnected without a word, for an error would end its session instead of making it try its next
    /// server.
    fn name_ensemble(
        &mut self,
        client: ClientId,
        xid: i32,
        names: &BTreeSet<String>,
        name: &[u8],
        out: &mut Output,
    ) {
        let meant = std::str::from_utf8(name).is_ok_and(|name| names.contains(name));
        if !(name.is_empty() || names.is_empty() || meant) {
            return self.end(client, RefuseReason::Protocol(ErrorCode::BadArguments), out);
        }
        let reply = Reply {
            xid,
            zxid: Zxid::ZERO,
            result: Ok(Response::Empty),
        };
        out.effect(|cause| Effect::ClientReply {
            client,
            reply,
            cause,
        });
    }

    /// Adds what a connection has proved to what it had.
    fn admit(&mut self, client: ClientId, scheme: Arc<str>, proved: Vec<AuthId>, out: &mut Output) {
        out.emit(EventKind::Authenticated { client, scheme });
        if let Some(c) = self.connections.get_mut(&client) {
            let new = proved.into_iter().filter(|id| !c.auth.contains(id));
            c.auth = c.auth.iter().cloned().chain(new).collect();
        }
    }

    /// One step of a SASL exchange; like an auth packet it does not wait for what was asked before.
    pub(super) fn authenticate_by_sasl(
        &mut self,
        cfg: &Config,
        client: ClientId,
        xid: i32,
        outcome: SaslOutcome,
        out: &mut Output,
    ) {
        let (result, proved) = match outcome {
            SaslOutcome::NotConfigured => (Ok(None), None),
            SaslOutcome::Challenge(token) => (Ok(Some(token)), None),
            SaslOutcome::Proved { token, id } => (Ok(Some(token)), Some(id)),
            SaslOutcome::Failed => (acl::sasl_failed(&cfg.rights).map(|()| None), None),
        };
        let failed = result.as_ref().err().copied();
        let reply = Reply {
            xid,
            zxid: Zxid::ZERO,
            result: result.map(Response::Sasl),
        };
        out.effect(|cause| Effect::ClientReply {
            client,
            reply,
            cause,
        });
        if let Some(id) = proved {
            let ids = acl::of_sasl(&cfg.rights, id);
            self.admit(client, "sasl".into(), ids, out);
        }
        if let Some(code) = failed {
            self.end(client, RefuseReason::Protocol(code), out);
        }
    }
}

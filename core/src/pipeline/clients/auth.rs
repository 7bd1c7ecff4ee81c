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
    request::{AuthId, Reply, Response, SaslOutcome},
    tree::acl,
};
use std::sync::Arc;

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

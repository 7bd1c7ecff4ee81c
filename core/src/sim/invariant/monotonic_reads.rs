//! A client never travels back in time.

use super::{Invariant, Step, Violation};
use crate::{
    id::{ServerId, Zxid},
    peer::event::OpKind,
    sim::{ClientNo, WorldEventKind},
};
use std::collections::BTreeMap;

/// The newest state that each client has seen, and where.
#[derive(Debug, Default)]
pub struct MonotonicReads {
    seen: BTreeMap<ClientNo, (Zxid, ServerId)>,
}

impl MonotonicReads {
    fn sees(
        &mut self,
        step: &Step<'_>,
        client: ClientNo,
        server: ServerId,
        what: &str,
        zxid: Zxid,
    ) -> Result<(), Violation> {
        let before = self.seen.insert(client, (zxid, server));
        match before {
            Some((seen, there)) if seen > zxid => Err(Violation::new(self, step)
                .with("client", client.0)
                .with("had seen", seen)
                .with("at server", there)
                .with("and now sees", zxid)
                .with("at server", server)
                .with("in", what)),
            Some(_) | None => Ok(()),
        }
    }
}

impl Invariant for MonotonicReads {
    fn name(&self) -> &'static str {
        "monotonic-reads"
    }

    fn sentence(&self) -> &'static str {
        "A client never sees an older state than it has seen before, whichever server it asks."
    }

    fn source(&self) -> &'static str {
        "ZooKeeper.md 1.3, 1.4; ZooKeeper's guarantee \"single system image\""
    }

    fn check(&mut self, step: &Step<'_>) -> Result<(), Violation> {
        for event in step.world() {
            match event {
                // The reply to an authentication carries 0, whatever was applied.
                WorldEventKind::ReplyReceived {
                    op: OpKind::Auth, ..
                } => {}
                WorldEventKind::ReplyReceived {
                    client,
                    server,
                    zxid,
                    ..
                } => self.sees(step, *client, *server, "a reply", *zxid)?,
                WorldEventKind::WatchReceived {
                    client,
                    server,
                    zxid,
                    ..
                } if *zxid > Zxid::ZERO => {
                    self.sees(step, *client, *server, "a watch event", *zxid)?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn reset(&mut self) {
        *self = MonotonicReads::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::invariant::testing::{caught, clean, lie};

    #[test]
    fn a_healthy_run_is_clean() {
        clean(MonotonicReads::default());
    }

    #[test]
    fn a_reply_from_the_past_is_found() {
        caught(
            MonotonicReads::default(),
            lie(|log, _| {
                log.change_world(|e| match e {
                    WorldEventKind::ReplyReceived { zxid, xid, .. } if *xid > 3 => {
                        zxid.0 -= 3;
                        true
                    }
                    _ => false,
                })
            }),
        );
    }
}

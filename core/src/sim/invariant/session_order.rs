//! A session's writes take effect in the order in which its client asked for them.

use super::{Invariant, Step, Violation, delivery::Delivered};
use crate::{
    id::{ClientId, ServerId, SessionId, Zxid},
    peer::event::EventKind,
    request::ErrorCode,
    txn::{Txn, TxnKind},
};
use std::collections::BTreeMap;

/// Each session's newest write in the one order, and each connection's newest answer.
#[derive(Debug, Default)]
pub struct SessionOrder {
    /// Everything up to here was looked at, by whichever server delivered it first.
    newest: Zxid,
    written: BTreeMap<SessionId, (i32, Zxid)>,
    answered: BTreeMap<(ServerId, ClientId), (i32, Zxid)>,
}

impl SessionOrder {
    fn deliver(&mut self, step: &Step<'_>, server: ServerId, txn: &Txn) -> Result<(), Violation> {
        let (zxid, header) = (txn.zxid(), txn.header);
        if zxid <= self.newest {
            return Ok(());
        }
        self.newest = zxid;
        // The server's own transactions have xid 0. Of what came through a server that the session
        // had left, only the refusal is in the order.
        let refused = matches!(
            txn.body.error(),
            Some(ErrorCode::SessionMoved | ErrorCode::SessionExpired)
        );
        if header.cxid <= 0 || refused || txn.body.kind() == TxnKind::CloseSession {
            return Ok(());
        }
        let before = self.written.insert(header.session, (header.cxid, zxid));
        if let Some((xid, at)) = before.filter(|(xid, _)| *xid >= header.cxid) {
            return Err(Violation::new(self, step)
                .with("of session", header.session)
                .with("the write with xid", header.cxid)
                .with("has zxid", zxid)
                .with("after xid", xid)
                .with("at zxid", at)
                .with("as server delivers it", server));
        }
        Ok(())
    }
}

impl Invariant for SessionOrder {
    fn name(&self) -> &'static str {
        "session-order"
    }

    fn sentence(&self) -> &'static str {
        "The writes of one session take effect in the order in which its client asked for them, \
         even when it moves between servers."
    }

    fn source(&self) -> &'static str {
        "ZooKeeper.md 1.5, trap 8 (SessionMoved); ZooKeeper's guarantee \"sequential consistency\""
    }

    fn check(&mut self, step: &Step<'_>) -> Result<(), Violation> {
        for delivery in step.deliveries {
            match &delivery.what {
                Delivered::History(history) => {
                    let new = history.log.partition_point(|t| t.zxid() <= self.newest);
                    for txn in &history.log[new..] {
                        self.deliver(step, delivery.server, txn)?;
                    }
                }
                Delivered::One { txn, .. } => {
                    if let Some(txn) = txn {
                        self.deliver(step, delivery.server, txn)?;
                    }
                }
            }
        }
        for (server, event) in step.events() {
            let EventKind::WriteAnswered {
                client,
                session,
                xid,
                zxid,
                ..
            } = event
            else {
                continue;
            };
            // A leader that was paused may answer on a connection that its client has given up.
            let before = self.answered.insert((server, *client), (*xid, *zxid));
            if let Some((last, at)) = before.filter(|(last, at)| last >= xid || at >= zxid) {
                return Err(Violation::new(self, step)
                    .with("of session", session)
                    .with("server", server)
                    .with("answers the write with xid", xid)
                    .with("at zxid", zxid)
                    .with("after xid", last)
                    .with("at zxid", at));
            }
        }
        Ok(())
    }

    fn reset(&mut self) {
        *self = SessionOrder::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::invariant::Look as _;
    use crate::sim::invariant::testing::{Falsehood, caught, clean, event, lie};
    use std::sync::Arc;

    #[test]
    fn a_healthy_run_is_clean() {
        clean(SessionOrder::default());
    }

    #[test]
    fn two_writes_in_the_wrong_order_are_found() {
        caught(
            SessionOrder::default(),
            lie(|log, look| {
                let applied = event(log, |server, e| match e {
                    EventKind::Applied { zxid, .. } => Some((server, *zxid)),
                    _ => None,
                });
                let txn = applied
                    .and_then(|(server, zxid)| look.world.txn(server, zxid))
                    .filter(|t| t.header.cxid > 3 && t.zxid() > Zxid(1 << 32 | 8));
                let Some((server, txn)) = applied.map(|(s, _)| s).zip(txn) else {
                    return false;
                };
                let mut early = (*txn).clone();
                early.header.cxid = 1;
                look.falsehood = Some(Falsehood::Txn(server, Arc::new(early)));
                true
            }),
        );
    }

    #[test]
    fn answers_in_the_wrong_order_are_found() {
        caught(
            SessionOrder::default(),
            lie(|log, _| {
                log.change(|_, e| match e {
                    EventKind::WriteAnswered { zxid, xid, .. } if *xid > 3 => {
                        zxid.0 = 1 << 32;
                        true
                    }
                    _ => false,
                })
            }),
        );
    }
}

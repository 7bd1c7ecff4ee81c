//! A follower that has synchronised has its leader's history, and goes on as its leader does.

use super::{
    Invariant, Step, Violation,
    delivery::{same, told},
};
use crate::{
    id::{Epoch, ServerId, Zxid},
    message::MessageKind,
    peer::event::EventKind,
    sim::WorldEventKind,
    txn::Txn,
};
use std::{collections::BTreeMap, sync::Arc};

/// What a leader leads with, and what it has proposed since.
#[derive(Debug)]
struct Reign {
    leader: ServerId,
    history: Vec<Arc<Txn>>,
    /// How much of it the leader had when it took the epoch.
    base: usize,
    /// Where that ends, in the log or in a snapshot; 0 if it is only the beginning of an epoch.
    base_last: Zxid,
}

impl Reign {
    /// Where a transaction is, or would be.
    fn place(&self, zxid: Zxid) -> Result<usize, usize> {
        self.history.binary_search_by(|t| t.zxid().cmp(&zxid))
    }
}

/// The history of each epoch, and how far each follower has followed it.
#[derive(Debug, Default)]
pub struct SyncedPrefix {
    offered: BTreeMap<Epoch, ServerId>,
    reigns: BTreeMap<Epoch, Reign>,
    /// The epoch, and the zxid that must be logged next, for those that have synchronised.
    following: BTreeMap<ServerId, (Epoch, Zxid)>,
}

impl SyncedPrefix {
    fn synchronised(
        &mut self,
        step: &Step<'_>,
        server: ServerId,
        epoch: Epoch,
    ) -> Result<(), Violation> {
        let Some(reign) = self.reigns.get(&epoch) else {
            return Ok(());
        };
        if self
            .following
            .get(&server)
            .is_some_and(|(e, _)| *e == epoch)
        {
            // The second ACK, after UPTODATE, says nothing new (trap 16).
            return Ok(());
        }
        let log = step.look.log(server);
        let wrong = |what: &str, theirs: String, ours: String| {
            Err(Violation::new(self, step)
                .with("server", server)
                .with("acknowledges the history of epoch", epoch)
                .with("whose leader is server", reign.leader)
                .with(what, theirs)
                .with("where its own log has", ours))
        };
        let nothing = || "nothing".to_owned();
        let Some((first, last)) = log.first().zip(log.last()) else {
            // The leader's tree replaced its log.
            let last = step.look.last_logged(server);
            if last < reign.base_last {
                return wrong(
                    "the leader's history ends with",
                    reign.base_last.to_string(),
                    last.to_string(),
                );
            }
            self.following.insert(server, (epoch, last));
            return Ok(());
        };
        if last.zxid() < reign.base_last {
            return wrong(
                "the leader's history ends with",
                reign.base_last.to_string(),
                told(last),
            );
        }
        // What is older than the leader's log can't be compared with it.
        let (mut theirs, ours) = match reign.history.first() {
            None => (0, log.len()),
            Some(oldest) => {
                let from = oldest.zxid().max(first.zxid());
                let (Ok(at) | Err(at)) = reign.place(from);
                (at, log.partition_point(|t| t.zxid() < from))
            }
        };
        for txn in &log[ours..] {
            match reign.history.get(theirs) {
                Some(expected) if same(expected, txn) => theirs += 1,
                Some(expected) => {
                    return wrong("its leader's history has", told(expected), told(txn));
                }
                None => return wrong("its leader's history has", nothing(), told(txn)),
            }
        }
        if theirs < reign.base {
            return wrong(
                "its leader's history has",
                told(&reign.history[theirs]),
                nothing(),
            );
        }
        self.following.insert(server, (epoch, last.zxid()));
        Ok(())
    }

    fn logged(&mut self, step: &Step<'_>, server: ServerId, zxid: Zxid) -> Result<(), Violation> {
        let Some((epoch, last)) = self.following.get_mut(&server) else {
            return Ok(());
        };
        let Some(reign) = self.reigns.get(epoch) else {
            return Ok(());
        };
        let next = match reign.place(*last) {
            Ok(at) => reign.history.get(at + 1),
            Err(at) => reign.history.get(at),
        };
        let (epoch, last) = (*epoch, core::mem::replace(last, zxid));
        match next {
            Some(next) if next.zxid() == zxid => Ok(()),
            other => Err(Violation::new(self, step)
                .with("server", server)
                .with("logs", zxid)
                .with("after", last)
                .with("as follower of epoch", epoch)
                .with(
                    "where its leader has",
                    other.map_or_else(|| "nothing".to_owned(), |t| told(t)),
                )),
        }
    }
}

impl Invariant for SyncedPrefix {
    fn name(&self) -> &'static str {
        "synced-prefix"
    }

    fn sentence(&self) -> &'static str {
        "A follower that has synchronised has the history of its leader, and its log goes on as the \
         leader's does."
    }

    fn source(&self) -> &'static str {
        "ZkV3_7_0.tla: PrefixConsistency; ZooKeeper.md 3.4, 3.12"
    }

    fn check(&mut self, step: &Step<'_>) -> Result<(), Violation> {
        for sent in &step.log.sent {
            if let (MessageKind::Ack, Some(zxid), Some(_)) = (sent.kind, sent.zxid, sent.arrives_at)
                && zxid.is_new_epoch()
            {
                self.synchronised(step, sent.from, zxid.epoch())?;
            }
        }
        for (server, event) in step.events() {
            match event {
                EventKind::NewEpoch { epoch, .. } => {
                    self.offered.insert(*epoch, server);
                }
                EventKind::CurrentEpochSet { new, .. }
                    if self.offered.get(new) == Some(&server) =>
                {
                    let history = step.look.log(server);
                    let last = step.look.last_logged(server);
                    self.reigns.insert(
                        *new,
                        Reign {
                            leader: server,
                            base: history.len(),
                            base_last: if last.is_new_epoch() {
                                Zxid::ZERO
                            } else {
                                last
                            },
                            history,
                        },
                    );
                }
                EventKind::Proposed { zxid, .. } => {
                    if let Some(reign) = self.reigns.get_mut(&zxid.epoch())
                        && let Some(txn) = step.look.txn(server, *zxid)
                    {
                        reign.history.push(txn);
                    }
                }
                EventKind::Logged { zxid } => self.logged(step, server, *zxid)?,
                EventKind::SteppedDown { .. } | EventKind::Started { .. } => {
                    self.following.remove(&server);
                }
                _ => {}
            }
        }
        for event in step.world() {
            if let WorldEventKind::Crashed { server, .. } = event {
                self.following.remove(server);
            }
        }
        Ok(())
    }

    fn reset(&mut self) {
        *self = SyncedPrefix::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::invariant::Look as _;
    use crate::sim::invariant::testing::{Falsehood, altered, caught, clean, lie};

    #[test]
    fn a_healthy_run_is_clean() {
        clean(SyncedPrefix::default());
    }

    fn newleader_acked(log: &crate::sim::invariant::testing::Lies<'_>) -> Option<ServerId> {
        log.sent().find_map(|s| match (s.kind, s.zxid) {
            (MessageKind::Ack, Some(z)) if z.is_new_epoch() && z.epoch().0 > 1 => Some(s.from),
            _ => None,
        })
    }

    #[test]
    fn a_follower_that_keeps_another_transaction_than_its_leader_is_found() {
        caught(
            SyncedPrefix::default(),
            lie(|log, look| {
                let Some(server) = newleader_acked(log) else {
                    return false;
                };
                let mut log = look.world.log(server);
                let Some(last) = log.pop() else { return false };
                log.push(altered(&last));
                look.falsehood = Some(Falsehood::Log(server, log));
                true
            }),
        );
    }

    #[test]
    fn a_follower_that_misses_the_end_of_the_history_is_found() {
        caught(
            SyncedPrefix::default(),
            lie(|log, look| {
                let Some(server) = newleader_acked(log) else {
                    return false;
                };
                let mut log = look.world.log(server);
                if log.pop().is_none() {
                    return false;
                }
                look.falsehood = Some(Falsehood::Log(server, log));
                true
            }),
        );
    }

    #[test]
    fn a_follower_that_logs_what_its_leader_did_not_propose_is_found() {
        caught(
            SyncedPrefix::default(),
            lie(|log, _| {
                log.change(|server, e| match e {
                    EventKind::Logged { zxid } if server == ServerId(1) && zxid.counter() > 5 => {
                        zxid.0 += 1;
                        true
                    }
                    _ => false,
                })
            }),
        );
    }
}

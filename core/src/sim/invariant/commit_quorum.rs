//! What is committed is on the disks of a quorum, and stays there.

use super::{Invariant, Step, Violation, delivery::Delivered};
use crate::{
    id::{ServerId, Zxid},
    peer::event::EventKind,
    sim::WorldEventKind,
};
use std::collections::BTreeSet;

/// The newest committed transaction, and the disks that may have lost it.
#[derive(Debug, Default)]
pub struct CommitQuorum {
    newest: Zxid,
    /// Servers whose logs were cut or replaced; they are looked at when that is on disk.
    suspects: BTreeSet<ServerId>,
}

impl CommitQuorum {
    fn held(&self, step: &Step<'_>, zxid: Zxid) -> Result<(), Violation> {
        let look = step.look;
        // One that has lost its disk has no say until it has got a history again (4.8).
        let holds = |s: ServerId| look.is_durable(s, zxid) || !look.initialised(s);
        if look.is_quorum(&holds) {
            return Ok(());
        }
        let mut holders = String::new();
        for id in (1..=16)
            .map(ServerId)
            .filter(|id| holds(*id) && look.initialised(*id))
        {
            holders.push_str(&format!(" {id}"));
        }
        Err(Violation::new(self, step)
            .with("committed", zxid)
            .with("is on the disks of servers", holders.trim())
            .with("which is a quorum", "no"))
    }
}

impl Invariant for CommitQuorum {
    fn name(&self) -> &'static str {
        "commit-quorum"
    }

    fn sentence(&self) -> &'static str {
        "What is committed is on the disks of a quorum, from the moment of the commit on and for \
         ever."
    }

    fn source(&self) -> &'static str {
        "ZooKeeper.md 3.6: a commit needs the ACKs of a quorum, and an ACK means disk"
    }

    fn check(&mut self, step: &Step<'_>) -> Result<(), Violation> {
        let mut look_again = false;
        for (server, event) in step.events() {
            match event {
                EventKind::Committed { zxid, .. } => {
                    self.held(step, *zxid)?;
                    self.newest = self.newest.max(*zxid);
                }
                EventKind::LogTruncated { .. } | EventKind::SnapshotInstalled { .. } => {
                    self.suspects.insert(server);
                    look_again = true;
                }
                EventKind::DiskSynced { .. } => look_again |= self.suspects.remove(&server),
                EventKind::Started { .. } => look_again = true,
                _ => {}
            }
        }
        for delivery in step.deliveries {
            // Whoever delivers it holds it for committed, even if no leader has said so.
            if let Delivered::One { zxid, .. } = delivery.what
                && zxid > self.newest
            {
                self.held(step, zxid)?;
            }
            if let Delivered::History(history) = &delivery.what
                && history.leads
            {
                // A quorum has acknowledged all of it. The beginning of an epoch is on no disk.
                if !history.last.is_new_epoch() {
                    self.newest = self.newest.max(history.last);
                }
                look_again = true;
            }
        }
        for event in step.world() {
            look_again |= matches!(
                event,
                WorldEventKind::Crashed { .. } | WorldEventKind::DiskLost { .. }
            );
        }
        if look_again && self.newest > Zxid::ZERO {
            self.held(step, self.newest)?;
        }
        Ok(())
    }

    fn reset(&mut self) {
        *self = CommitQuorum::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::invariant::testing::{Falsehood, caught, clean, event, lie};

    #[test]
    fn a_healthy_run_is_clean() {
        clean(CommitQuorum::default());
    }

    #[test]
    fn a_commit_that_a_quorum_does_not_have_on_disk_is_found() {
        caught(
            CommitQuorum::default(),
            lie(|log, look| {
                let committed = event(log, |_, e| match e {
                    EventKind::Committed { zxid, .. } => Some(*zxid),
                    _ => None,
                });
                look.falsehood = committed.map(|zxid| Falsehood::NotDurableAt(2, zxid));
                committed.is_some()
            }),
        );
    }

    #[test]
    fn a_committed_transaction_that_a_crash_takes_from_the_quorum_is_found() {
        caught(
            CommitQuorum::default(),
            lie(|log, look| {
                let crashed = log.crashed().is_some();
                look.falsehood = crashed
                    .then(|| look.world.newest_committed())
                    .map(|zxid| Falsehood::NotDurableAt(2, zxid));
                crashed
            }),
        );
    }
}

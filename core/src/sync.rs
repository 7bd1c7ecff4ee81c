//! How a leader brings a learner up to date: DIFF, TRUNC or SNAP. The pure choice (ZooKeeper.md 3.4).
//!
//! Nothing is sent and nothing is read here. [`choose`] looks at what the leader has in memory; when
//! that is not enough it says so, the caller reads the log on disk and asks again with what it found.

use crate::{
    id::Zxid,
    log::LogRead,
    peer::event::{SyncMode, SyncRule},
    txn::Txn,
};
use std::sync::Arc;

/// What the choice depends on, all of one moment.
///
/// `L` is whatever keeps the committedLog: anything whose reference iterates over `&Arc<Txn>`, like
/// `VecDeque` and `imbl::Vector`.
#[derive(Debug)]
pub struct SyncInput<'a, L: ?Sized> {
    /// The learner's last zxid, from ACKEPOCH.
    pub peer: Zxid,
    /// The last committed transactions, in order, without a gap.
    pub committed: &'a L,
    /// The leader's last processed zxid; the beginning of its epoch if there was none since.
    pub last_processed: Zxid,
    /// [`Config::snapshot_size_percent`](crate::config::Config::snapshot_size_percent); `None`: the
    /// log on disk is not used.
    pub snapshot_size_percent: Option<u32>,
    /// What the log on disk has from `peer` on; `None` when it was not read yet.
    pub disk: Option<&'a LogRead>,
    /// A snapshot is sent whatever the learner has
    /// ([`Joining::force_snapshot`](crate::config::Joining::force_snapshot)).
    pub force_snapshot: bool,
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SyncChoice {
    /// Do this.
    Plan(SyncPlan),
    /// The learner is older than the committedLog: read the log on disk from its zxid on
    /// ([`StorageOp::ReadLog`](crate::peer::output::StorageOp)) and ask again.
    NeedsDiskLog {
        /// The learner's last zxid.
        from: Zxid,
        /// Where the committedLog begins.
        min: Zxid,
    },
}

/// What is sent to a learner before NEWLEADER.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncPlan {
    /// The first packet.
    pub mode: SyncMode,
    /// The zxid in it. DIFF: where the leader's committed history ends; TRUNC: the last transaction
    /// to keep; SNAP: the last one in the snapshot.
    pub zxid: Zxid,
    /// By which rule.
    pub rule: SyncRule,
    /// What follows it, each as PROPOSAL and COMMIT, in this order.
    pub txns: Vec<Arc<Txn>>,
    /// Whatever is committed or proposed above this is still to be forwarded.
    pub last_queued: Zxid,
    /// Where the committedLog began; last processed if it was empty.
    pub min: Zxid,
    /// Where it ended; last processed if it was empty.
    pub max: Zxid,
}

/// Chooses by the first rule of 3.4 that fits.
#[must_use]
pub fn choose<'a, L: ?Sized>(input: &SyncInput<'a, L>) -> SyncChoice
where
    &'a L: IntoIterator<Item = &'a Arc<Txn>>,
{
    let committed = || input.committed.into_iter();
    let bounds = committed().fold(None, |bounds: Option<(Zxid, Zxid)>, t| {
        Some((bounds.map_or(t.zxid(), |(min, _)| min), t.zxid()))
    });
    let (min, max) = bounds.unwrap_or((input.last_processed, input.last_processed));
    let peer = input.peer;
    let leader = Leader {
        min,
        max,
        last_processed: input.last_processed,
    };

    if input.force_snapshot {
        return leader.snap(SyncRule::Forced);
    }
    // 2
    if peer == input.last_processed {
        return leader.plan(SyncMode::Diff, peer, SyncRule::Equal, Vec::new(), peer);
    }
    // 3. A learner whose last "transaction" is only the beginning of an epoch has nothing to cut.
    if peer > max && !peer.is_new_epoch() {
        return leader.plan(
            SyncMode::Trunc,
            max,
            SyncRule::AheadOfLeader,
            Vec::new(),
            max,
        );
    }
    // 4
    if min <= peer && peer <= max {
        let mut walk = Walk::new(peer);
        return match walk.over(committed(), None) {
            Ok(()) => leader.after(walk, SyncRule::InCommittedLog),
            Err(rule) => leader.snap(rule),
        };
    }
    // 6. Only the beginning of an epoch is above max here.
    if peer > max {
        return leader.snap(SyncRule::NothingFits);
    }
    // 5
    let Some(percent) = input.snapshot_size_percent else {
        return leader.snap(SyncRule::DiskLogOff);
    };
    let Some(disk) = input.disk else {
        return SyncChoice::NeedsDiskLog { from: peer, min };
    };
    if disk.entries.first().is_none_or(|t| t.zxid() > peer) {
        return leader.snap(SyncRule::DiskLogPurged);
    }
    if too_large(disk, peer, percent) {
        return leader.snap(SyncRule::DiskLogTooLarge);
    }
    let mut walk = Walk::new(peer);
    if let Err(rule) = walk.over(&disk.entries, Some(min)) {
        return leader.snap(rule);
    }
    if walk.last_queued < min {
        // What was found so far is not sent.
        return leader.snap(SyncRule::DiskLogGap);
    }
    match walk.over(committed(), None) {
        Ok(()) => leader.after(walk, SyncRule::FromDiskLog),
        Err(rule) => leader.snap(rule),
    }
}

/// Whether what the log would send is more than its part of the snapshot. A part of nothing is no
/// limit, as in Apache: without a snapshot there is nothing smaller to send.
fn too_large(disk: &LogRead, peer: Zxid, percent: u32) -> bool {
    let limit = u128::from(disk.snapshot_bytes) * u128::from(percent) / 100;
    let size: u128 = disk
        .entries
        .iter()
        .filter(|t| t.zxid() > peer)
        .map(|t| t.approximate_bytes() as u128)
        .sum();
    limit > 0 && size > limit
}

/// The leader's side of the comparison.
struct Leader {
    min: Zxid,
    max: Zxid,
    last_processed: Zxid,
}

impl Leader {
    fn plan(
        &self,
        mode: SyncMode,
        zxid: Zxid,
        rule: SyncRule,
        txns: Vec<Arc<Txn>>,
        last_queued: Zxid,
    ) -> SyncChoice {
        SyncChoice::Plan(SyncPlan {
            mode,
            zxid,
            rule,
            txns,
            last_queued,
            min: self.min,
            max: self.max,
        })
    }

    fn snap(&self, rule: SyncRule) -> SyncChoice {
        let zxid = self.last_processed;
        self.plan(SyncMode::Snap, zxid, rule, Vec::new(), zxid)
    }

    /// `found`: the rule when the learner's last zxid was met.
    fn after(&self, walk: Walk, found: SyncRule) -> SyncChoice {
        let (mode, zxid, rule) = match walk.first {
            Some(First::Found) => (SyncMode::Diff, self.max, found),
            Some(First::NewEpoch) => (SyncMode::Diff, self.max, SyncRule::NewEpochOnly),
            Some(First::CutAfter(zxid)) => (SyncMode::Trunc, zxid, SyncRule::WrongTail),
            // The list ended below the learner; with bounds that are right only an epoch's
            // beginning can be there, and that needs no transaction to start from.
            None if walk.peer.is_new_epoch() => (SyncMode::Diff, self.max, SyncRule::NewEpochOnly),
            None => return self.snap(SyncRule::NothingFits),
        };
        self.plan(mode, zxid, rule, walk.txns, walk.last_queued)
    }
}

/// What the first packet will be.
#[derive(Clone, Copy)]
enum First {
    /// The learner's last transaction is ours too: DIFF.
    Found,
    /// The learner's last "transaction" is the beginning of an epoch: DIFF.
    NewEpoch,
    /// The learner's last transaction is not ours: TRUNC to the last one before it.
    CutAfter(Zxid),
}

/// walk(list, peer, limit) of 3.4, over one list or over two that join.
struct Walk {
    peer: Zxid,
    first: Option<First>,
    previous: Option<Zxid>,
    txns: Vec<Arc<Txn>>,
    last_queued: Zxid,
}

impl Walk {
    fn new(peer: Zxid) -> Walk {
        Walk {
            peer,
            first: None,
            previous: None,
            txns: Vec::new(),
            last_queued: peer,
        }
    }

    /// Goes over a list to its end, or to `limit` inclusive; or says by which rule only SNAP is left.
    fn over<'t>(
        &mut self,
        list: impl IntoIterator<Item = &'t Arc<Txn>>,
        limit: Option<Zxid>,
    ) -> Result<(), SyncRule> {
        for txn in list {
            let zxid = txn.zxid();
            if limit.is_some_and(|limit| zxid > limit) {
                break;
            }
            if zxid < self.peer {
                self.previous = Some(zxid);
                continue;
            }
            if self.first.is_none() {
                self.first = Some(self.decide(zxid)?);
            }
            // A log may hold two records of one zxid (1.8), and two lists that join overlap.
            if zxid > self.last_queued {
                self.txns.push(Arc::clone(txn));
                self.last_queued = zxid;
            }
        }
        Ok(())
    }

    /// The first entry that is not below the learner decides.
    fn decide(&self, zxid: Zxid) -> Result<First, SyncRule> {
        if zxid == self.peer {
            Ok(First::Found)
        } else if self.peer.is_new_epoch() {
            Ok(First::NewEpoch)
        } else if zxid.epoch() != self.peer.epoch() {
            // Cutting must not cross the border of an epoch.
            Err(SyncRule::WrongTailOtherEpoch)
        } else {
            // Nothing below the learner: there is no transaction to cut back to.
            self.previous
                .map(First::CutAfter)
                .ok_or(SyncRule::NothingFits)
        }
    }
}

#[cfg(test)]
mod tests;

//! What must be so: logs, trees, roles, and the order of what happened.

use crate::{
    pattern::{Moment, Pattern},
    scenario::Scenario,
};
use std::sync::Arc;
use zabscope_core::{
    id::{ServerId, Zxid},
    message::MessageKind,
    sim::{Disk, Fact, Removed, RemovedBecause, Sent},
    tree::Tree,
    txn::Txn,
};
use zabscope_core::{
    peer::{
        Peer,
        event::EventKind,
        input::{Input, InputKind},
        output::Output,
    },
    time::Now,
};

impl Scenario {
    // ---- one server ----------------------------------------------------------------------------

    /// A running server's protocol.
    #[must_use]
    #[track_caller]
    pub fn server(&self, id: i64) -> &Peer {
        self.sure(self.peer(id), &format!("server {id} runs"))
    }

    /// A server's disk.
    #[must_use]
    #[track_caller]
    pub fn disk(&self, id: i64) -> &Disk {
        self.sure(
            self.world.disk(ServerId(id)),
            &format!("there is a server {id}"),
        )
    }

    /// The transactions of a server's log, unsynced tail included, oldest first.
    #[must_use]
    #[track_caller]
    pub fn log(&self, id: i64) -> Vec<Zxid> {
        self.disk(id).entries().map(|e| e.txn.zxid()).collect()
    }

    /// The transactions themselves.
    #[must_use]
    #[track_caller]
    pub fn txns(&self, id: i64) -> Vec<Arc<Txn>> {
        self.disk(id).entries().map(|e| Arc::clone(e.txn)).collect()
    }

    /// What left a server's log, and why.
    #[must_use]
    #[track_caller]
    pub fn removed(&self, id: i64, because: RemovedBecause) -> Vec<Zxid> {
        self.disk(id)
            .removed()
            .filter(|r: &&Removed| r.because == because)
            .map(|r| r.zxid)
            .collect()
    }

    /// A running server's tree.
    #[must_use]
    #[track_caller]
    pub fn tree(&self, id: i64) -> &Tree {
        &self.server(id).database().tree
    }

    /// A znode's data at a server; `None` when it is not there.
    #[must_use]
    #[track_caller]
    pub fn data(&self, id: i64, path: &str) -> Option<String> {
        self.tree(id).node(path).map(|n| {
            let bytes = n.data().clone().unwrap_or_default();
            String::from_utf8_lossy(&bytes).into_owned()
        })
    }

    /// Whether a server has a znode.
    #[must_use]
    #[track_caller]
    pub fn has(&self, id: i64, path: &str) -> bool {
        self.tree(id).contains(path)
    }

    /// The running servers that have a znode.
    #[must_use]
    pub fn who_has(&self, path: &str) -> Vec<i64> {
        self.running().filter(|id| self.has(*id, path)).collect()
    }

    /// Lets a copy of a server handle an input, and tells what it would do. The world stays as it is.
    #[must_use]
    #[track_caller]
    pub fn what_if(&self, id: i64, kind: InputKind) -> (Peer, Output) {
        let mut copy = self.server(id).clone();
        let mut out = Output::default();
        let now = Now {
            at: self.world.now(),
            wall_ms: 0,
        };
        copy.handle(now, Input { kind, cause: None }, &mut out);
        (copy, out)
    }

    // ---- all servers ---------------------------------------------------------------------------

    /// All running servers have the same tree, the same sessions, and logs that end alike and hold
    /// the same wherever both have something.
    #[track_caller]
    pub fn agree(&self) -> &Scenario {
        let running: Vec<i64> = self.running().collect();
        let Some((first, others)) = running.split_first() else {
            return self;
        };
        let mine = self.server(*first).database();
        let log = self.txns(*first);
        for id in others {
            let theirs = self.server(*id).database();
            if mine.tree.digest() != theirs.tree.digest() || mine.sessions != theirs.sessions {
                self.fail(&format!("servers {first} and {id} have the same state"));
            }
            for txn in self.txns(*id) {
                let same = log.binary_search_by_key(&txn.zxid(), |t| t.zxid());
                if same.is_ok_and(|at| log[at] != txn) {
                    self.fail(&format!(
                        "servers {first} and {id} have the same transaction {:?}",
                        txn.zxid()
                    ));
                }
            }
            if self.disk(*first).last_zxid().max(mine.last_processed) < self.disk(*id).last_zxid()
                && !self.disk(*id).last_zxid().is_new_epoch()
            {
                self.fail(&format!("the logs of {first} and {id} end alike"));
            }
        }
        self
    }

    // ---- history -------------------------------------------------------------------------------

    /// From now on, checks of the history look only at what comes.
    pub fn from_here(&mut self) -> &mut Scenario {
        self.from = self.history.len();
        self
    }

    /// What happened, in order, since the beginning or [`Scenario::from_here`].
    #[must_use]
    pub fn history(&self) -> &[Moment] {
        &self.history[self.from..]
    }

    /// How often this happened.
    #[must_use]
    pub fn count(&self, pattern: &Pattern) -> usize {
        self.history().iter().filter(|m| pattern.is(m)).count()
    }

    /// All of these happened, in this order; other things may stand between them.
    #[track_caller]
    pub fn in_order(&self, patterns: &[Pattern]) -> &Scenario {
        let mut rest = self.history().iter();
        for (n, pattern) in patterns.iter().enumerate() {
            if !rest.any(|m| pattern.is(m)) {
                self.fail(&format!(
                    "in this order, of which number {} is missing: {}",
                    n + 1,
                    patterns
                        .iter()
                        .map(|p| format!("\n    {p}"))
                        .collect::<String>()
                ));
            }
        }
        self
    }

    /// This happened.
    #[track_caller]
    pub fn happened(&self, pattern: Pattern) -> &Scenario {
        self.in_order(&[pattern])
    }

    /// This never happened.
    #[track_caller]
    pub fn never(&self, pattern: Pattern) -> &Scenario {
        if let Some(found) = self.history().iter().find(|m| pattern.is(m)) {
            self.fail(&format!(
                "never {pattern}, but in step {}: {found:?}",
                found.step()
            ));
        }
        self
    }

    /// The events of one server.
    pub fn events_of(&self, id: i64) -> impl Iterator<Item = &EventKind> + '_ {
        self.history().iter().filter_map(move |m| match m {
            Moment::Said(r) => match &r.source {
                Fact::Peer(e) if e.id.server == ServerId(id) => Some(&e.kind),
                Fact::Peer(_) | Fact::World(_) => None,
            },
            Moment::Left(..) => None,
        })
    }

    /// The messages that left one server for another, in order.
    pub fn sent(&self, from: i64, to: i64) -> impl Iterator<Item = &Sent> + '_ {
        self.history().iter().filter_map(move |m| match m {
            Moment::Left(_, s) if s.from == ServerId(from) && s.to == ServerId(to) => Some(s),
            Moment::Left(..) | Moment::Said(_) => None,
        })
    }

    /// The packets with which a leader brought a learner up to date, in the words of
    /// ZooKeeper.md 6.7: `DIFF 5:9, PROPOSAL 5:8, COMMIT 5:8`. The last time, up to NEWLEADER.
    #[must_use]
    pub fn sync_packets(&self, leader: i64, learner: i64) -> String {
        let mut packets = Vec::new();
        let mut open = false;
        for sent in self.sent(leader, learner) {
            match sent.kind {
                MessageKind::Diff | MessageKind::Trunc | MessageKind::Snap => {
                    packets.clear();
                    open = true;
                }
                MessageKind::NewLeader => open = false,
                _ => {}
            }
            if open && !sent.kind.is_heartbeat() {
                packets.push(match sent.zxid {
                    Some(z) => format!("{} {}:{}", sent.kind.name(), z.epoch().0, z.counter()),
                    None => sent.kind.name().to_owned(),
                });
            }
        }
        packets.join(", ")
    }
}

//! What a server is whatever its role: its configuration, log, tree and clients; and the one place
//! where transactions are applied.
//!
//! A transaction is applied when it is known to be committed *and* is in this server's own log on
//! disk, in the order of zxids. So memory never shows what a power failure could take back here.

use crate::{
    config::{Config, Next},
    id::{ConnId, Epoch, ServerId, Zxid},
    log::{Log, Stored, Written},
    message::{Notification, ServerState, Vote},
    peer::{
        Wait, WaitReason,
        event::EventKind,
        output::{Effect, Output, StorageSeq},
    },
    pipeline::clients::{Clients, Here},
    pipeline::reconfig,
    rules::Rule,
    time::{Moment, Now},
    tree::{Database, path},
    txn::{Txn, TxnBody},
};
use std::{collections::VecDeque, sync::Arc};

/// The part of a server that outlives its roles.
#[derive(Clone, Debug)]
pub struct Replica {
    /// The configuration.
    pub cfg: Arc<Config>,
    /// The logical clock of elections; not persisted.
    pub logical_clock: u64,
    /// The vote it stands by when it is not looking, and the round it was given in.
    pub vote: Vote,
    /// The round of that vote.
    pub vote_round: u64,
    /// The log and the epochs.
    pub log: Log,
    /// What was applied.
    pub db: Database,
    /// Clients, sessions and watches at this server.
    pub clients: Clients,
    /// Whether it answers clients.
    pub serving: bool,
    /// When it begins to serve reads, if no leader is found before (1.13).
    read_only_at: Option<Moment>,
    /// Logged and not yet applied, oldest first.
    waiting: VecDeque<Arc<Txn>>,
    /// About how many bytes these have.
    waiting_bytes: usize,
    /// Everything up to here is committed.
    committed: Zxid,
    /// The line to the last leader that it has left: only without [`Rule::CommitEpoch`].
    left: Option<(ConnId, ServerId)>,
    initialised: bool,
    /// When it started, wall clock: the time of `/zookeeper/config`.
    started_ms: i64,
}

impl Replica {
    /// Loads what was on disk: the snapshot, then every later transaction of the log.
    #[must_use]
    pub fn load(cfg: Arc<Config>, stored: &Stored, now: Now, storage: StorageSeq) -> Replica {
        let cfg = with_stored_members(cfg, stored);
        let clients = Clients::new(&cfg, now.wall_ms);
        let nobody = Vote {
            epoch: Epoch(0),
            zxid: Zxid::ZERO,
            leader: cfg.my_id,
        };
        let mut replica = Replica {
            logical_clock: 0,
            vote: nobody,
            vote_round: 0,
            log: Log::open(stored, Zxid::ZERO, cfg.commit_log_count, storage),
            db: Database::new(),
            clients,
            serving: false,
            read_only_at: None,
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            committed: Zxid::ZERO,
            left: None,
            initialised: stored.initialised,
            started_ms: now.wall_ms,
            cfg,
        };
        let last = replica.replay(stored);
        replica.log = Log::open(stored, last, replica.cfg.commit_log_count, storage);
        replica.refill(stored);
        replica
    }

    /// The tree of a snapshot with the log after it; where that ends.
    fn replay(&mut self, stored: &Stored) -> Zxid {
        self.db = (*stored.snapshot).clone();
        let start = self.db.last_processed;
        for txn in stored.log.iter().filter(|t| t.zxid() > start) {
            if matches!(txn.body, TxnBody::Reconfig { .. }) {
                // One at a time: the one before it was committed.
                self.hold_members_in_tree();
            }
            self.db.apply(txn);
        }
        self.find_members();
        self.waiting.clear();
        self.waiting_bytes = 0;
        stored.log.last().map_or(start, |t| t.zxid().max(start))
    }

    /// `/zookeeper/config` is written by each server for itself, not by a transaction (1.17), and
    /// again after another server's tree has replaced it.
    pub fn write_members(&mut self) {
        write_members_into(&mut self.db, &self.cfg, self.started_ms);
    }

    /// A tree was loaded. What a reconfiguration in it has written is newer than what is known to hold: it
    /// may have been committed or not, so it is the members to come (3.9).
    fn find_members(&mut self) {
        let found = self.members_in_tree();
        let known = self.cfg.next.as_ref().map(|n| n.membership.version);
        if known != found.as_ref().map(|n| n.membership.version) {
            self.cfg = Arc::new(Config {
                next: found.map(Arc::new),
                ..(*self.cfg).clone()
            });
        }
        if self.cfg.next.is_none() {
            self.write_members();
        }
    }

    fn hold_members_in_tree(&mut self) {
        if let Some(Next { membership, text }) = self.members_in_tree() {
            self.cfg = Arc::new(Config {
                membership,
                members_text: Some(text),
                next: None,
                ..(*self.cfg).clone()
            });
        }
    }

    fn members_in_tree(&self) -> Option<Next> {
        let node = self.db.tree.node(path::CONFIG)?;
        let next = reconfig::read(node.data().as_ref()?)?;
        let version = next.membership.version;
        // Only a reconfiguration names its own zxid, not whoever has written there.
        (self.cfg.reconfigures()
            && version > self.cfg.membership.version
            && version == node.stat().mzxid)
            .then_some(next)
    }

    /// Members are proposed: until they hold, or are cut away, a quorum of them is needed too.
    pub fn see_members(&mut self, next: Next, out: &mut Output) {
        let version = next.membership.version;
        if version <= self.cfg.membership.version {
            return;
        }
        if let Some(known) = self.cfg.next.clone() {
            if known.membership.version >= version {
                return;
            }
            // One at a time: that there is another means that the one before it was committed. What was
            // not is cut away before anything follows.
            self.activate_members(&known, out);
        }
        let (voters, observers) = sizes(&next);
        self.cfg = Arc::new(Config {
            next: Some(Arc::new(next)),
            ..(*self.cfg).clone()
        });
        out.emit(EventKind::MembersSeen {
            version,
            voters,
            observers,
        });
        self.tell_members(out);
    }

    /// Members hold from now on: a quorum of the old ones and one of these agreed to it, or somebody who
    /// knows that has told.
    pub fn activate_members(&mut self, next: &Next, out: &mut Output) {
        let version = next.membership.version;
        if version <= self.cfg.membership.version {
            return;
        }
        let later = self.cfg.next.clone();
        self.cfg = Arc::new(Config {
            membership: next.membership.clone(),
            members_text: Some(Arc::clone(&next.text)),
            next: later.filter(|n| n.membership.version > version),
            ..(*self.cfg).clone()
        });
        let (voters, observers) = sizes(next);
        out.emit(EventKind::MembersActivated {
            version,
            voters,
            observers,
        });
        self.log.store_members(Arc::clone(&next.text), out);
        self.tell_members(out);
    }

    /// Tells the driver where servers are.
    pub fn tell_members(&self, out: &mut Output) {
        let Some(current) = self.cfg.members_text.clone() else {
            return;
        };
        let next = self.cfg.next.as_ref().map(|n| Arc::clone(&n.text));
        out.effect(|cause| Effect::Members {
            current,
            next,
            cause,
        });
    }

    /// What was replayed is what DIFF can send (3.4).
    fn refill(&mut self, stored: &Stored) {
        let start = stored.snapshot.last_processed;
        let replayed: Vec<_> = stored.log.iter().filter(|t| t.zxid() > start).collect();
        for txn in replayed
            .iter()
            .skip(replayed.len().saturating_sub(self.cfg.commit_log_count))
        {
            self.log.note_committed(Arc::clone(txn));
        }
    }

    /// The disk was cut and read again. If the log does not reach back far enough for a cut there is
    /// nothing left, and the server has no say until it was given a history (4.8).
    pub fn reload(&mut self, stored: &Stored) {
        let last = self.replay(stored);
        self.committed = self.committed.min(last);
        self.initialised = stored.initialised;
        self.log.reopened(last);
        self.refill(stored);
    }

    /// The leader's tree replaces ours.
    pub fn install(&mut self, database: &Arc<Database>, zxid: Zxid, out: &mut Output) {
        self.db = (**database).clone();
        self.db.last_processed = zxid;
        self.find_members();
        self.committed = self.committed.min(zxid);
        self.waiting.clear();
        self.waiting_bytes = 0;
        self.initialised = true;
        let znodes = u32::try_from(self.db.tree.node_count()).unwrap_or(u32::MAX);
        out.emit(EventKind::SnapshotInstalled { zxid, znodes });
        self.log.install(Arc::clone(database), zxid, out);
    }

    /// An operator's tree replaces ours, as what was true after `zxid`. Which members there are it does not
    /// say: that is this ensemble's own.
    pub fn restore(&mut self, database: &Database, zxid: Zxid, out: &mut Output) {
        let mut database = database.clone();
        database.last_processed = zxid;
        write_members_into(&mut database, &self.cfg, self.started_ms);
        self.install(&Arc::new(database), zxid, out);
    }

    /// Who this server is.
    #[must_use]
    pub fn id(&self) -> ServerId {
        self.cfg.my_id
    }

    /// The zxid that it stands for in elections and tells a leader: the last of its log, or the
    /// beginning of an epoch it has led; -1 without a say.
    #[must_use]
    pub fn last_zxid(&self) -> Zxid {
        if self.initialised {
            self.db.last_processed.max(self.log.last_logged())
        } else {
            Zxid::UNINITIALISED
        }
    }

    /// The epoch below which it follows nobody: the last that it has accepted (3.3). Without
    /// [`Rule::AcceptedEpoch`] that promise is forgotten, and only the epoch whose history it has counts.
    #[must_use]
    pub fn promised_epoch(&self) -> Epoch {
        match self.cfg.rules.has(Rule::AcceptedEpoch) {
            true => self.log.accepted_epoch(),
            false => self.log.current_epoch(),
        }
    }

    /// Whether its history is worth something, or (again) not.
    pub fn set_initialised(&mut self, initialised: bool) {
        self.initialised = initialised;
    }

    /// The vote it begins an election with.
    #[must_use]
    pub fn own_vote(&self) -> Vote {
        if self.cfg.is_voter() {
            Vote {
                epoch: self.log.current_epoch(),
                zxid: self.last_zxid(),
                leader: self.cfg.my_id,
            }
        } else {
            Vote {
                epoch: Epoch(i64::MIN),
                zxid: Zxid(i64::MIN),
                leader: ServerId::NOBODY,
            }
        }
    }

    /// What it says about itself when it is not looking.
    #[must_use]
    pub fn notification(&self, state: ServerState) -> Notification {
        Notification {
            state,
            vote: self.vote,
            round: self.vote_round,
            config_version: self.cfg.membership.version,
            members: crate::election::told_members(&self.cfg),
        }
    }

    /// Everything up to here is known to be committed.
    #[must_use]
    pub fn committed(&self) -> Zxid {
        self.committed
    }

    /// Logged and not yet applied, oldest first.
    pub fn waiting(&self) -> impl DoubleEndedIterator<Item = &Arc<Txn>> + ExactSizeIterator {
        self.waiting.iter()
    }

    /// Committed and not yet applied, because our own disk is behind; oldest first.
    pub fn committed_waiting(&self) -> impl Iterator<Item = &Arc<Txn>> {
        self.waiting
            .iter()
            .take_while(|t| t.zxid() <= self.committed)
    }

    /// About how many bytes are logged and not yet applied.
    #[must_use]
    pub fn waiting_bytes(&self) -> usize {
        self.waiting_bytes
    }

    fn pop_waiting(&mut self) -> Option<Arc<Txn>> {
        let txn = self.waiting.pop_front()?;
        self.waiting_bytes -= txn.approximate_bytes();
        Some(txn)
    }

    /// Logs a transaction whose fate is open.
    pub fn append(&mut self, txn: Arc<Txn>, out: &mut Output) -> Written {
        let written = self.log.append(&txn, out);
        self.take_in(txn, out);
        written
    }

    /// Takes a committed transaction in without logging it (`syncEnabled=false`).
    pub fn pass(&mut self, txn: Arc<Txn>, out: &mut Output) {
        self.log.pass(txn.zxid(), out);
        self.take_in(txn, out);
    }

    fn take_in(&mut self, txn: Arc<Txn>, out: &mut Output) {
        self.waiting_bytes += txn.approximate_bytes();
        if let TxnBody::Reconfig { data, .. } = &txn.body
            && self.cfg.reconfigures()
            && let Some(next) = data.as_deref().and_then(reconfig::read)
            && next.membership.version == txn.zxid()
        {
            self.see_members(next, out);
        }
        self.waiting.push_back(txn);
    }

    /// A server that kept no log as an observer, and is none any more, puts its tree on disk: from now on
    /// its word counts, and it must not lose what it speaks for.
    pub fn keep_tree(&mut self, out: &mut Output) {
        let counts = self.cfg.counts(self.id()) || !self.cfg.is_observer();
        if self.log.has_skipped() && counts {
            let zxid = self.log.last_logged();
            let mut database = self.db.clone();
            database.last_processed = zxid;
            self.log.install(Arc::new(database), zxid, out);
        }
    }

    /// The oldest logged transaction whose commitment is not known, which is the only one that a
    /// COMMIT may name (3.6).
    #[must_use]
    pub fn oldest_uncommitted(&self) -> Option<Zxid> {
        self.waiting
            .iter()
            .map(|t| t.zxid())
            .find(|z| *z > self.committed)
    }

    /// It leaves a leader without hanging up; an older line that it left open is given up.
    pub fn leave_open(&mut self, conn: ConnId, leader: ServerId, out: &mut Output) {
        if let Some((conn, _)) = self.left.replace((conn, leader)) {
            out.effect(|cause| Effect::Close { conn, cause });
        }
    }

    /// The leader that it has left, if that is what is at the other end of this line, and still may be
    /// heard: without [`Rule::CommitEpoch`].
    #[must_use]
    pub fn left_at(&self, conn: ConnId) -> Option<ServerId> {
        self.left
            .filter(|(left, _)| *left == conn && !self.cfg.rules.has(Rule::CommitEpoch))
            .map(|(_, leader)| leader)
    }

    /// What a COMMIT commits: the transaction that it names, which must be the oldest that waits (3.6).
    /// Without [`Rule::CommitEpoch`] the oldest, whatever it names; what has nothing to commit is let be.
    #[must_use]
    pub fn named_by_commit(&self, zxid: Zxid) -> Option<Zxid> {
        let oldest = self.oldest_uncommitted();
        match self.cfg.rules.has(Rule::CommitEpoch) {
            true => oldest.filter(|z| *z == zxid),
            false => Some(oldest.unwrap_or(self.committed)),
        }
    }

    /// Everything up to `zxid` is committed.
    pub fn commit_up_to(&mut self, zxid: Zxid) {
        self.committed = self.committed.max(zxid);
    }

    /// Applies what is committed and on disk, in order; watches ring and clients are answered.
    /// `each` sees every transaction after it was applied.
    pub fn apply_ready(&mut self, out: &mut Output, mut each: impl FnMut(&Txn)) {
        let limit = self.committed.min(self.log.durable());
        self.release_syncs(out);
        while self.waiting.front().is_some_and(|t| t.zxid() <= limit) {
            let Some(txn) = self.pop_waiting() else {
                break;
            };
            out.scoped(|out| self.apply(&txn, out));
            each(&txn);
            // Before the next one: what waits behind a sync must not see later writes (1.5).
            self.release_syncs(out);
        }
        self.maybe_snapshot(out);
    }

    fn release_syncs(&mut self, out: &mut Output) {
        let here = Here {
            cfg: &self.cfg,
            db: &self.db,
        };
        self.clients.release_syncs(here, out);
    }

    fn apply(&mut self, txn: &Arc<Txn>, out: &mut Output) {
        let applied = self.db.apply(txn);
        self.tell_applied(txn, out);
        self.log.note_committed(Arc::clone(txn));
        self.clients.applied(
            Here {
                cfg: &self.cfg,
                db: &self.db,
            },
            txn,
            applied,
            out,
        );
    }

    fn tell_applied(&self, txn: &Txn, out: &mut Output) {
        let digest = self.db.tree.digest();
        out.because(EventKind::Applied {
            zxid: txn.zxid(),
            txn: txn.body.kind(),
            path: match &txn.body {
                TxnBody::Reconfig { .. } => Some(Arc::from(path::CONFIG)),
                body => body.path().cloned(),
            },
            error: txn.body.error(),
            digest,
        });
        if let Some(expected) = txn.digest.filter(|d| self.cfg.digest && *d != digest) {
            out.emit(EventKind::DigestMismatch {
                zxid: txn.zxid(),
                expected,
                found: digest,
            });
        }
        if let TxnBody::CloseSession { paths } = &txn.body {
            let ephemerals = u32::try_from(paths.len()).unwrap_or(u32::MAX);
            out.emit(EventKind::SessionEnded {
                session: txn.header.session,
                ephemerals,
            });
        }
    }

    /// It begins to look for a leader: when that takes long it will serve reads.
    pub fn await_read_only(&mut self, now: Moment) {
        let enabled = self.cfg.read_only_mode && !self.cfg.standalone;
        self.read_only_at = enabled.then(|| now + self.cfg.read_only_wait());
    }

    /// Whether it is time to serve reads; only once.
    pub fn read_only_due(&mut self, now: Moment) -> bool {
        self.read_only_at.take_if(|at| *at <= now).is_some()
    }

    /// The search is over. Who was served meanwhile comes back to a server with a quorum.
    pub fn end_read_only(&mut self, out: &mut Output) {
        self.read_only_at = None;
        if self.clients.only_reads() {
            self.clients.end_all(out);
        }
    }

    /// What it waits for whatever its role.
    #[must_use]
    pub fn waits(&self) -> [Option<Wait>; 2] {
        let wait = |at: Option<Moment>, reason| at.map(|at| Wait { at, reason });
        [
            wait(self.read_only_at, WaitReason::ReadOnlyService),
            wait(self.clients.local_deadline(), WaitReason::SessionExpiry),
        ]
    }

    /// The role ends: what is in the log counts as history from now on, whatever its fate was; the
    /// next leader decides (ZOOKEEPER-2845). Clients are sent away.
    pub fn stop_serving(&mut self, out: &mut Output) {
        self.serving = false;
        self.clients.end_all(out);
        while let Some(txn) = self.pop_waiting() {
            self.db.apply(&txn);
            out.scoped(|out| self.tell_applied(&txn, out));
            self.log.note_committed(txn);
        }
    }

    /// A snapshot now and then, so that a start need not replay everything. Servers of one ensemble
    /// do not all do it at once (4.5).
    ///
    /// Only while it serves: then all that was applied is committed, and a snapshot holds nothing that
    /// a leader could want cut (4.9). The beginning of an epoch is no transaction and names none.
    fn maybe_snapshot(&mut self, out: &mut Output) {
        if !self.serving || self.db.last_processed.is_new_epoch() {
            return;
        }
        // Between half of the limit and all of it, elsewhere at each server.
        let due = |limit: u64| {
            let half = (limit / 2).max(1);
            half + self.cfg.my_id.0.unsigned_abs().wrapping_mul(0x9e37_79b9) % half
        };
        let large = self.cfg.snap_size_limit.map(due);
        if self.log.since_snapshot() > due(self.cfg.snap_count)
            || large.is_some_and(|due| self.log.bytes_since_snapshot() > due)
        {
            self.log.snapshot(&self.db, out);
        }
    }

    /// A snapshot of a history that has just become an epoch's. It is named after the last
    /// transaction in it, not after the beginning of an epoch that this server once led.
    pub fn snapshot_history(&mut self, out: &mut Output) {
        let mut database = self.db.clone();
        database.last_processed = self.log.last_logged();
        self.log.snapshot(&database, out);
    }
}

fn write_members_into(db: &mut Database, cfg: &Config, wall_ms: i64) {
    if let Some(text) = &cfg.members_text {
        let version = cfg.membership.version;
        let text = Arc::from(text.as_bytes());
        db.tree.set_config(Some(text), version, wall_ms);
    }
}

/// The configuration with the members that held when the server stopped.
fn with_stored_members(cfg: Arc<Config>, stored: &Stored) -> Arc<Config> {
    let text = stored.members.as_ref().filter(|_| cfg.reconfigures());
    let stored = text.and_then(|text| reconfig::read(text.as_bytes()));
    match stored.filter(|s| s.membership.version > cfg.membership.version) {
        Some(Next { membership, text }) => Arc::new(Config {
            membership,
            members_text: Some(text),
            ..(*cfg).clone()
        }),
        None => cfg,
    }
}

/// How many vote, and how many observe.
fn sizes(next: &Next) -> (u32, u32) {
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let members = &next.membership;
    (
        count(members.quorum.voters().len()),
        count(members.observers.len()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        config::Membership, peer::output::StorageOp, request::Stat, time::Moment, tree::path,
        txn::Data,
    };

    fn config(text: Option<&str>) -> Arc<Config> {
        let mut membership = Membership::simple(3, 0);
        membership.version = Zxid(7);
        Arc::new(Config {
            members_text: text.map(Arc::from),
            ..Config::new(ServerId(1), membership, crate::time::Span::millis(2000))
        })
    }

    fn seen(replica: &Replica) -> (Data, Stat) {
        let node = replica.db.tree.node(path::CONFIG).expect("always there");
        (node.data().clone(), node.stat())
    }

    #[test]
    fn a_member_writes_its_configuration_for_clients_at_the_start_and_after_a_snapshot() {
        let now = Now {
            at: Moment(0),
            wall_ms: 5_000,
        };
        let cfg = config(Some("server.1=a:1:2\nversion=7"));
        let stored = Stored::fresh();
        let mut replica = Replica::load(cfg, &stored, now, StorageSeq(0));
        let expect = |replica: &Replica| {
            let (data, stat) = seen(replica);
            assert_eq!(data.as_deref(), Some(&b"server.1=a:1:2\nversion=7"[..]));
            assert_eq!((stat.mzxid, stat.mtime, stat.version), (Zxid(7), 5_000, -1));
        };
        expect(&replica);
        assert_eq!(replica.db.digest(), Database::new().digest());
        let mut others = Database::new();
        others
            .tree
            .set_config(Some(Arc::from(*b"of another")), Zxid(1), 1);
        let mut out = Output::default();
        replica.install(&Arc::new(others), Zxid::new(Epoch(1), 1), &mut out);
        expect(&replica);
    }

    #[test]
    fn a_server_of_its_own_leaves_the_configuration_empty() {
        let now = Now {
            at: Moment(0),
            wall_ms: 5_000,
        };
        let replica = Replica::load(config(None), &Stored::fresh(), now, StorageSeq(0));
        let (data, stat) = seen(&replica);
        assert_eq!((data.as_deref(), stat.mzxid), (Some(&[][..]), Zxid::ZERO));
    }

    #[test]
    fn an_observer_without_a_log_that_is_to_vote_puts_its_tree_on_disk_first() {
        let now = Now {
            at: Moment(0),
            wall_ms: 5_000,
        };
        let installed = |votes: bool, passes: bool| {
            let (me, membership) = match votes {
                true => (ServerId(1), Membership::simple(3, 1)),
                false => (ServerId(4), Membership::simple(3, 1)),
            };
            let cfg = Config::new(me, membership, crate::time::Span::millis(2000));
            let mut replica = Replica::load(Arc::new(cfg), &Stored::fresh(), now, StorageSeq(0));
            let mut out = Output::default();
            if passes {
                let txn = Txn {
                    header: crate::txn::TxnHeader {
                        session: crate::id::SessionId(1),
                        cxid: 1,
                        zxid: Zxid::new(Epoch(1), 1),
                        time_ms: 1,
                    },
                    body: TxnBody::CreateSession { timeout_ms: 1 },
                    digest: None,
                };
                replica.pass(Arc::new(txn), &mut out);
                assert!(out.effects.is_empty(), "nothing is written");
            }
            replica.stop_serving(&mut out);
            replica.keep_tree(&mut out);
            let zxid = out.effects.iter().find_map(|e| match e {
                Effect::Store {
                    op: StorageOp::Install(database),
                    ..
                } => Some(database.last_processed),
                _ => None,
            });
            replica.keep_tree(&mut out);
            let stored = out.effects.len();
            assert_eq!(stored, usize::from(zxid.is_some()), "once");
            zxid
        };
        assert_eq!(installed(true, true), Some(Zxid::new(Epoch(1), 1)));
        assert_eq!(installed(false, true), None, "nobody counts on it");
        assert_eq!(installed(true, false), None, "its disk has everything");
    }
}

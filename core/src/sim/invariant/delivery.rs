//! What *delivered* means: the one place where facts become deliveries.
//!
//! A server delivers a transaction to its clients when it applies it while it serves. When it
//! begins to serve (a leader: Established; a learner: UPTODATE) it delivers its whole history at
//! once. Before that nothing it has is shown to anybody, and TRUNC or SNAP may take it away.

use super::Look;
use crate::{
    id::{Epoch, ServerId, Zxid},
    peer::event::EventKind,
    sim::{Fact, StepLog, WorldEventKind},
    txn::Txn,
};
use std::{collections::BTreeMap, sync::Arc};

/// One delivery.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// The index of the record that says so in [`StepLog::records`].
    pub record: usize,
    /// Who delivers.
    pub server: ServerId,
    /// What.
    pub what: Delivered,
}

/// What is delivered.
#[derive(Clone, Debug)]
pub enum Delivered {
    /// It begins to serve, with this history.
    History(History),
    /// One transaction more.
    One {
        /// Its zxid.
        zxid: Zxid,
        /// It; `None` if it is neither in the server's memory nor in its log.
        txn: Option<Arc<Txn>>,
        /// The tree's digest after it.
        digest: u64,
    },
}

/// All that a server has when it begins to serve.
#[derive(Clone, Debug)]
pub struct History {
    /// The epoch in which it serves.
    pub epoch: Epoch,
    /// As its leader.
    pub leads: bool,
    /// Its log, oldest first; what a snapshot covers may be missing at the beginning.
    pub log: Arc<[Arc<Txn>]>,
    /// The last transaction in it, in the log or covered by a snapshot.
    pub last: Zxid,
    /// The log begins with the very first transaction.
    pub whole: bool,
    /// The tree's digest, if nothing was applied after it in the same step.
    pub digest: Option<u64>,
}

/// What a history says about a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Has {
    /// It is there.
    It,
    /// It is older than the log: a snapshot covers its place.
    Covered,
    /// Another transaction has its place.
    Other(Arc<Txn>),
    /// It is missing.
    Missing,
}

impl History {
    /// Whether a transaction is in it.
    #[must_use]
    pub fn has(&self, txn: &Arc<Txn>) -> Has {
        let zxid = txn.zxid();
        match self.log.binary_search_by(|t| t.zxid().cmp(&zxid)) {
            Ok(at) if same(&self.log[at], txn) => Has::It,
            Ok(at) => Has::Other(Arc::clone(&self.log[at])),
            Err(0) if !self.whole && zxid <= self.last => Has::Covered,
            Err(_) => Has::Missing,
        }
    }
}

/// Whether two transactions are the same; almost always they are one object.
#[must_use]
pub fn same(a: &Arc<Txn>, b: &Arc<Txn>) -> bool {
    Arc::ptr_eq(a, b) || a == b
}

/// Says of a transaction what tells it apart: `0x200000003 (session 0x1…, xid 7, SetData /a)`.
#[must_use]
pub fn told(txn: &Txn) -> String {
    let path = txn.body.path().map_or("", |p| p);
    format!(
        "{} ({:?}, xid {}, {:?} {path})",
        txn.zxid(),
        txn.header.session,
        txn.header.cxid,
        txn.body.kind()
    )
}

/// Turns facts into deliveries.
#[derive(Debug, Default)]
pub struct Deliveries {
    serving: BTreeMap<ServerId, Epoch>,
    found: Vec<Delivery>,
}

impl Deliveries {
    /// What was delivered in a step, in order.
    pub fn of(&mut self, look: &dyn Look, log: &StepLog) -> &[Delivery] {
        self.found.clear();
        for (record, fact) in log.records.iter().enumerate() {
            match &fact.source {
                Fact::Peer(event) => self.hear(look, record, event.id.server, &event.kind),
                Fact::World(event) => {
                    if let WorldEventKind::Crashed { server, .. } = &event.kind {
                        self.serving.remove(server);
                    }
                }
            }
        }
        &self.found
    }

    fn hear(&mut self, look: &dyn Look, record: usize, server: ServerId, event: &EventKind) {
        let what = match event {
            EventKind::Applied { zxid, digest, .. } => {
                // A history that was noted before this is not the tree of now.
                for earlier in &mut self.found {
                    if let Delivered::History(h) = &mut earlier.what {
                        h.digest = None;
                    }
                }
                if !self.serving.contains_key(&server) {
                    return;
                }
                Delivered::One {
                    zxid: *zxid,
                    txn: look.txn(server, *zxid),
                    digest: *digest,
                }
            }
            EventKind::Established { epoch, .. } => {
                self.serving.insert(server, *epoch);
                // What it proposes in this very step comes later.
                let before = |t: &Txn| t.zxid() < epoch.start();
                Delivered::History(history(look, server, *epoch, true, before))
            }
            EventKind::Serving {
                epoch, last_zxid, ..
            } => {
                self.serving.insert(server, *epoch);
                let before = |t: &Txn| t.zxid() <= *last_zxid;
                Delivered::History(history(look, server, *epoch, false, before))
            }
            EventKind::ServingAlone { last_zxid } => {
                let epoch = last_zxid.epoch();
                self.serving.insert(server, epoch);
                let before = |t: &Txn| t.zxid() <= *last_zxid;
                Delivered::History(history(look, server, epoch, true, before))
            }
            EventKind::SteppedDown { .. } | EventKind::Started { .. } => {
                self.serving.remove(&server);
                return;
            }
            _ => return,
        };
        self.found.push(Delivery {
            record,
            server,
            what,
        });
    }
}

fn history(
    look: &dyn Look,
    server: ServerId,
    epoch: Epoch,
    leads: bool,
    before: impl Fn(&Txn) -> bool,
) -> History {
    let mut log = look.log(server);
    log.retain(|t| before(t));
    let last = match log.last() {
        Some(txn) => txn.zxid(),
        None => look.newest_snapshot(server).unwrap_or(Zxid::ZERO),
    };
    History {
        epoch,
        leads,
        log: Arc::from(log),
        last,
        whole: look.reaches_back(server),
        digest: look.tree(server).map(|t| t.digest),
    }
}

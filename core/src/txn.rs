//! Transactions: what the leader decides, every log keeps and every server applies
//! (ZooKeeper.md 4.2). A transaction holds outcomes, never conditions.

use crate::{
    id::{SessionId, Zxid},
    request::{Acl, ErrorCode},
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

pub use crate::request::Data;

/// What a transaction does, without its contents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[allow(missing_docs)] // ZooKeeper's own names
pub enum TxnKind {
    CreateSession,
    CloseSession,
    Create,
    Delete,
    SetData,
    Reconfig,
    SetAcl,
    Check,
    Multi,
    Error,
}

/// The header of every transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TxnHeader {
    /// The session that asked, [`SessionId::NONE`] for the server itself.
    pub session: SessionId,
    /// The client's xid of the request; 0 for createSession and for the server itself.
    pub cxid: i32,
    /// Its place in the one order.
    pub zxid: Zxid,
    /// The leader's wall clock in ms when it was prepared.
    pub time_ms: i64,
}

/// One transaction.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Txn {
    /// Who, when, where in the order.
    pub header: TxnHeader,
    /// What.
    pub body: TxnBody,
    /// The tree's digest after it, as the leader predicted (4.7); absent from older leaders.
    pub digest: Option<u64>,
}

/// What a transaction does.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum TxnBody {
    /// -10: a session begins (or its time-out is set again).
    CreateSession {
        /// Granted time-out in ms.
        timeout_ms: i32,
    },
    /// -11: a session ends and with it the listed ephemerals.
    CloseSession {
        /// The ephemerals to delete; may name paths that are gone already (trap 28).
        paths: Vec<Arc<str>>,
    },
    /// 1, 15, 19, 21: a znode is made.
    Create(CreateTxn),
    /// 2, 20: a znode goes.
    Delete {
        /// Its path.
        path: Arc<str>,
        /// Whether the server itself deletes it as an empty container or an outdated TTL node.
        container: bool,
    },
    /// 5: data is replaced.
    SetData {
        /// Its path.
        path: Arc<str>,
        /// The new data.
        data: Data,
        /// The new version, absolute.
        version: i32,
    },
    /// 16: the ensemble's configuration is replaced; writes `/zookeeper/config` (3.9).
    Reconfig {
        /// The new configuration's text.
        data: Data,
        /// The new version, absolute; -1 from Apache's leaders.
        version: i32,
    },
    /// 7: the ACL is replaced.
    SetAcl {
        /// Its path.
        path: Arc<str>,
        /// The new list.
        acl: Arc<[Acl]>,
        /// The new aversion, absolute.
        version: i32,
    },
    /// 13, only in a multi: a version was checked.
    Check {
        /// Its path.
        path: Arc<str>,
        /// The version that was asked for.
        version: i32,
    },
    /// 14: several at once, or none of them when one is an error.
    Multi(Vec<TxnBody>),
    /// -1: a write that failed; it has a zxid all the same (1.8).
    Error(ErrorCode),
}

/// The four kinds of create transaction.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct CreateTxn {
    /// The final path, sequence suffix included.
    pub path: Arc<str>,
    /// Its data.
    pub data: Data,
    /// Its ACL.
    pub acl: Arc<[Acl]>,
    /// The parent's stored cversion after this create; -1 in old logs: parent's + 1.
    pub parent_cversion: i32,
    /// What kind of znode, and for the wire which of the transaction types.
    pub kind: CreateKind,
}

/// What a create transaction makes. `Persistent` and `Ephemeral` travel as type 1 or 15.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum CreateKind {
    /// Stays until deleted. `create2`: the client asked for the Stat as well (type 15, not 1).
    Persistent {
        /// Type 15 instead of 1.
        create2: bool,
    },
    /// Goes with the session in the header.
    Ephemeral {
        /// Type 15 instead of 1.
        create2: bool,
    },
    /// Goes when its last child has gone (type 19).
    Container,
    /// Goes when it has no children and was not changed for `ttl_ms` (type 21).
    Ttl {
        /// Milliseconds, 1 to 2^40 - 1.
        ttl_ms: i64,
    },
}

impl Txn {
    /// What header and digest take on the wire, in bytes.
    pub const OVERHEAD: usize = 44;

    /// This transaction's zxid.
    #[must_use]
    pub fn zxid(&self) -> Zxid {
        self.header.zxid
    }

    /// About how many bytes it takes on the wire; for the choice between log and snapshot (3.4).
    #[must_use]
    pub fn approximate_bytes(&self) -> usize {
        Txn::OVERHEAD + self.body.approximate_bytes()
    }
}

impl TxnBody {
    /// About how many bytes it takes on the wire, rather too many than too few.
    #[must_use]
    pub fn approximate_bytes(&self) -> usize {
        let data = |d: &Data| 4 + d.as_ref().map_or(0, |d| d.len());
        let acl = |list: &Arc<[Acl]>| {
            4 + list
                .iter()
                .map(|a| 12 + a.scheme.len() + a.id.len())
                .sum::<usize>()
        };
        match self {
            TxnBody::CreateSession { .. } | TxnBody::Error(_) => 4,
            TxnBody::CloseSession { paths } => 4 + paths.iter().map(|p| 4 + p.len()).sum::<usize>(),
            TxnBody::Create(c) => 13 + c.path.len() + data(&c.data) + acl(&c.acl),
            TxnBody::Delete { path, .. } => 4 + path.len(),
            TxnBody::SetData { path, data: d, .. } => 8 + path.len() + data(d),
            TxnBody::Reconfig { data: d, .. } => 24 + data(d),
            TxnBody::SetAcl {
                path, acl: list, ..
            } => 8 + path.len() + acl(list),
            TxnBody::Check { path, .. } => 8 + path.len(),
            TxnBody::Multi(all) => 4 + all.iter().map(|t| 8 + t.approximate_bytes()).sum::<usize>(),
        }
    }

    /// The error this transaction records, if it failed; of a multi the entry that decided.
    #[must_use]
    pub fn error(&self) -> Option<ErrorCode> {
        match self {
            TxnBody::Error(code) => Some(*code),
            TxnBody::Multi(all) => all
                .iter()
                .filter_map(TxnBody::error)
                .find(|code| *code != ErrorCode::RuntimeInconsistency)
                .or_else(|| all.iter().find_map(TxnBody::error)),
            TxnBody::CreateSession { .. }
            | TxnBody::CloseSession { .. }
            | TxnBody::Create(_)
            | TxnBody::Delete { .. }
            | TxnBody::SetData { .. }
            | TxnBody::Reconfig { .. }
            | TxnBody::SetAcl { .. }
            | TxnBody::Check { .. } => None,
        }
    }
}

impl TxnBody {
    /// What it does, without its contents.
    #[must_use]
    pub fn kind(&self) -> TxnKind {
        match self {
            TxnBody::CreateSession { .. } => TxnKind::CreateSession,
            TxnBody::CloseSession { .. } => TxnKind::CloseSession,
            TxnBody::Create(_) => TxnKind::Create,
            TxnBody::Delete { .. } => TxnKind::Delete,
            TxnBody::SetData { .. } => TxnKind::SetData,
            TxnBody::Reconfig { .. } => TxnKind::Reconfig,
            TxnBody::SetAcl { .. } => TxnKind::SetAcl,
            TxnBody::Check { .. } => TxnKind::Check,
            TxnBody::Multi(_) => TxnKind::Multi,
            TxnBody::Error(_) => TxnKind::Error,
        }
    }

    /// Whether it makes, changes or deletes the znode at this path.
    #[must_use]
    pub fn changes(&self, at: &str) -> bool {
        match self {
            TxnBody::CloseSession { paths } => paths.iter().any(|path| **path == *at),
            TxnBody::Multi(all) => all.iter().any(|body| body.changes(at)),
            TxnBody::Check { .. } => false,
            other => other.path().is_some_and(|path| **path == *at),
        }
    }

    /// The one place that it is about, if there is one.
    #[must_use]
    pub fn path(&self) -> Option<&Arc<str>> {
        match self {
            TxnBody::Create(create) => Some(&create.path),
            TxnBody::Delete { path, .. }
            | TxnBody::SetData { path, .. }
            | TxnBody::SetAcl { path, .. }
            | TxnBody::Check { path, .. } => Some(path),
            TxnBody::CreateSession { .. }
            | TxnBody::CloseSession { .. }
            | TxnBody::Reconfig { .. }
            | TxnBody::Multi(_)
            | TxnBody::Error(_) => None,
        }
    }
}

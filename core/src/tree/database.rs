//! The tree and the sessions, and how a transaction changes them (ZooKeeper.md 4.2, 4.6).

use super::{NewNode, Owner, Tree, path};
use crate::{
    id::{SessionId, Zxid},
    request::{Acl, ErrorCode, OpResult, Response},
    txn::{CreateKind, CreateTxn, Txn, TxnBody, TxnHeader},
};
use core::fmt;
use imbl::OrdMap;
use std::sync::Arc;

/// All that an ensemble agrees on.
///
/// [`Database::apply`] serves the living and the replay alike: a transaction holds outcomes, and
/// applying it to a state that is ahead of it does no harm.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Database {
    /// The znodes.
    pub tree: Tree,
    /// Global sessions with their time-outs in ms.
    pub sessions: OrdMap<SessionId, i32>,
    /// The last transaction whose effects are in memory.
    pub last_processed: Zxid,
}

/// What a transaction did.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Applied {
    /// The changes to znodes, in order: for the watches.
    pub changes: Vec<Change>,
    /// The body of the reply to whoever asked, or the error.
    pub result: Result<Response, ErrorCode>,
}

/// One znode came, went, or got other data.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Change {
    /// Where.
    pub path: Arc<str>,
    /// What.
    pub kind: ChangeKind,
    /// The znode's ACL: who may hear of it.
    pub acl: Arc<[Acl]>,
    /// By which transaction.
    pub zxid: Zxid,
}

/// The kinds of change.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ChangeKind {
    /// It came.
    Created {
        /// The parent's ACL: who may hear that the children changed.
        parent_acl: Arc<[Acl]>,
    },
    /// It went.
    Deleted {
        /// The parent's ACL.
        parent_acl: Arc<[Acl]>,
    },
    /// Its data was set, perhaps to what it was.
    DataChanged,
}

impl Default for Database {
    fn default() -> Self {
        Database::new()
    }
}

impl Database {
    /// A fresh one.
    #[must_use]
    pub fn new() -> Database {
        Database {
            tree: Tree::new(),
            sessions: OrdMap::new(),
            last_processed: Zxid::ZERO,
        }
    }

    /// The tree's digest (4.7).
    #[must_use]
    pub fn digest(&self) -> u64 {
        self.tree.digest()
    }

    /// About how many bytes a snapshot takes.
    #[must_use]
    pub fn approximate_bytes(&self) -> u64 {
        const FRAME: u64 = 120;
        const PER_NODE: u64 = 4 + 4 + 8 + 60;
        const PER_SESSION: u64 = 12;
        FRAME
            + self.tree.data_bytes()
            + PER_NODE * self.tree.node_count() as u64
            + PER_SESSION * self.sessions.len() as u64
    }

    /// Owners of ephemerals that have no session, in order: what a server removes after loading.
    pub fn owners_without_session(&self) -> impl Iterator<Item = SessionId> + '_ {
        self.tree
            .owners()
            .filter(|owner| !self.sessions.contains_key(owner))
    }

    /// Removes the ephemerals of all owners that have no session, as Apache does after loading and
    /// before serving. Not a transaction: it carries the last zxid.
    pub fn kill_owners_without_session(&mut self) -> Vec<Change> {
        let dead: Vec<SessionId> = self.owners_without_session().collect();
        let mut changes = Vec::new();
        for session in dead {
            self.kill_ephemerals(session, self.last_processed, &mut changes);
        }
        changes
    }

    /// Applies a transaction, whatever it holds: what makes no sense becomes an error result.
    pub fn apply(&mut self, txn: &Txn) -> Applied {
        let header = &txn.header;
        let mut changes = Vec::new();
        let result = match &txn.body {
            TxnBody::CreateSession { timeout_ms } => {
                self.sessions.insert(header.session, *timeout_ms);
                Ok(Response::Empty)
            }
            TxnBody::CloseSession { paths } => {
                for path in paths {
                    // Some may be gone already (trap 28).
                    let _ = self.delete(path, header.zxid, &mut changes);
                }
                self.kill_ephemerals(header.session, header.zxid, &mut changes);
                self.sessions.remove(&header.session);
                Ok(Response::Empty)
            }
            TxnBody::Multi(all) => Ok(Response::Multi(self.multi(header, all, &mut changes))),
            single => match self.single(header, single, &mut changes) {
                OpResult::Create { path } => Ok(Response::Path(path)),
                OpResult::Create2 { path, stat } => Ok(Response::PathStat(path, stat)),
                OpResult::SetData(stat) | OpResult::SetAcl(stat) => Ok(Response::Stat(stat)),
                OpResult::Delete | OpResult::Check => Ok(Response::Empty),
                OpResult::Data(data, stat) => Ok(Response::Data(data, stat)),
                OpResult::Children(names) => Ok(Response::Children(names)),
                OpResult::Error(code) => Err(code),
            },
        };
        self.last_processed = self.last_processed.max(header.zxid);
        Applied { changes, result }
    }

    /// In order, or nothing at all when one of them is an error (1.12).
    fn multi(
        &mut self,
        header: &TxnHeader,
        all: &[TxnBody],
        changes: &mut Vec<Change>,
    ) -> Vec<OpResult> {
        let failed = all.iter().position(|op| matches!(op, TxnBody::Error(_)));
        let Some(failed) = failed else {
            return all
                .iter()
                .map(|op| self.single(header, op, changes))
                .collect();
        };
        all.iter()
            .enumerate()
            .map(|(n, op)| match op {
                TxnBody::Error(code) => OpResult::Error(*code),
                _ if n < failed => OpResult::Error(ErrorCode::Ok),
                _ => OpResult::Error(ErrorCode::RuntimeInconsistency),
            })
            .collect()
    }

    /// What may stand alone and in a multi.
    fn single(
        &mut self,
        header: &TxnHeader,
        body: &TxnBody,
        changes: &mut Vec<Change>,
    ) -> OpResult {
        let result = match body {
            TxnBody::Create(create) => self.create(header, create, changes),
            TxnBody::Delete { path, container: _ } => self
                .delete(path, header.zxid, changes)
                .map(|()| OpResult::Delete),
            TxnBody::SetData {
                path,
                data,
                version,
            } => self
                .tree
                .set_data(path, data, *version, header.zxid, header.time_ms)
                .map(|stat| {
                    changes.push(Change {
                        path: path.clone(),
                        kind: ChangeKind::DataChanged,
                        acl: self.acl_of(path),
                        zxid: header.zxid,
                    });
                    OpResult::SetData(stat)
                }),
            TxnBody::SetAcl { path, acl, version } => {
                self.tree.set_acl(path, acl, *version).map(OpResult::SetAcl)
            }
            TxnBody::Check { .. } => Ok(OpResult::Check),
            TxnBody::Error(code) => Err(*code),
            // Not inside a multi; wire refuses them there.
            TxnBody::Multi(_) | TxnBody::CreateSession { .. } | TxnBody::CloseSession { .. } => {
                Err(ErrorCode::MarshallingError)
            }
        };
        result.unwrap_or_else(OpResult::Error)
    }

    fn create(
        &mut self,
        header: &TxnHeader,
        create: &CreateTxn,
        changes: &mut Vec<Change>,
    ) -> Result<OpResult, ErrorCode> {
        let path = &create.path;
        let made = self.tree.create(
            path,
            NewNode {
                data: &create.data,
                acl: &create.acl,
                owner: Owner::of(create.kind, header.session),
                parent_cversion: create.parent_cversion,
                zxid: header.zxid,
                time_ms: header.time_ms,
            },
        );
        // Which of the types it travels as: only type 1 repairs its parent in a replay [Q].
        let plain = matches!(
            create.kind,
            CreateKind::Persistent { create2: false } | CreateKind::Ephemeral { create2: false }
        );
        let stat = match made {
            Ok(stat) => stat,
            Err(code) => {
                if code == ErrorCode::NodeExists
                    && plain
                    && let Some(parent) = path::parent(path)
                {
                    self.tree
                        .raise_cversion(parent, create.parent_cversion, header.zxid);
                }
                return Err(code);
            }
        };
        changes.push(Change {
            path: path.clone(),
            kind: ChangeKind::Created {
                parent_acl: self.acl_of(path::parent(path).unwrap_or(path::ROOT)),
            },
            acl: create.acl.clone(),
            zxid: header.zxid,
        });
        let path = path.clone();
        Ok(if plain {
            OpResult::Create { path }
        } else {
            OpResult::Create2 { path, stat }
        })
    }

    fn delete(
        &mut self,
        path: &Arc<str>,
        zxid: Zxid,
        changes: &mut Vec<Change>,
    ) -> Result<(), ErrorCode> {
        let node = self.tree.delete(path, zxid)?;
        changes.push(Change {
            path: path.clone(),
            kind: ChangeKind::Deleted {
                parent_acl: self.acl_of(path::parent(path).unwrap_or(path::ROOT)),
            },
            acl: node.acl().clone(),
            zxid,
        });
        Ok(())
    }

    fn kill_ephemerals(&mut self, session: SessionId, zxid: Zxid, changes: &mut Vec<Change>) {
        let rest: Vec<Arc<str>> = self.tree.ephemerals(session).cloned().collect();
        for path in rest {
            // One may have stood below another in a state that is ahead; then it is gone.
            let _ = self.delete(&path, zxid, changes);
        }
    }

    fn acl_of(&self, path: &str) -> Arc<[Acl]> {
        self.tree
            .node(path)
            .map_or_else(|| Arc::from([]), |node| node.acl().clone())
    }
}

/// Short: a database has millions of lines.
impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Database at {:?}: {:?}, {} sessions",
            self.last_processed,
            self.tree,
            self.sessions.len()
        )
    }
}

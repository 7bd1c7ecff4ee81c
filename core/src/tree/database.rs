//! The tree and the sessions, and how a transaction changes them (ZooKeeper.md 4.2, 4.6).

use super::{NewNode, Owner, Tree, path};
use crate::{
    id::{SessionId, Zxid},
    request::{Acl, ErrorCode, OpResult, Response, Stat},
    txn::{CreateKind, CreateTxn, Data, Txn, TxnBody, TxnHeader},
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
                .write(header, path, data, *version, changes)
                .map(OpResult::SetData),
            TxnBody::Reconfig { data, version } => self
                .write(header, &Arc::from(path::CONFIG), data, *version, changes)
                .map(|stat| OpResult::Data(data.clone(), stat)),
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

    fn write(
        &mut self,
        header: &TxnHeader,
        path: &Arc<str>,
        data: &Data,
        version: i32,
        changes: &mut Vec<Change>,
    ) -> Result<Stat, ErrorCode> {
        let (stat, acl) = self
            .tree
            .set_data(path, data, version, header.zxid, header.time_ms)?;
        changes.push(Change {
            path: path.clone(),
            kind: ChangeKind::DataChanged,
            acl,
            zxid: header.zxid,
        });
        Ok(stat)
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
        let made = match made {
            Ok(made) => made,
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
                parent_acl: made.parent_acl,
            },
            acl: made.acl,
            zxid: header.zxid,
        });
        let path = path.clone();
        Ok(if plain {
            OpResult::Create { path }
        } else {
            OpResult::Create2 {
                path,
                stat: made.stat,
            }
        })
    }

    fn delete(
        &mut self,
        path: &Arc<str>,
        zxid: Zxid,
        changes: &mut Vec<Change>,
    ) -> Result<(), ErrorCode> {
        let (node, parent_acl) = self.tree.delete(path, zxid)?;
        changes.push(Change {
            path: path.clone(),
            kind: ChangeKind::Deleted { parent_acl },
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        request::{CreateMode, CreateOp, Write, perms},
        tree::{
            acl,
            testing::{ME, OTHER, World, check, create, data, delete, entry, path_of, set},
        },
    };
    use proptest::prelude::*;

    fn stat(db: &Database, path: &str) -> Stat {
        db.tree.stat(path).expect("the znode is there")
    }

    fn made(path: &str, parent_cversion: i32, kind: CreateKind) -> TxnBody {
        TxnBody::Create(CreateTxn {
            path: path.into(),
            data: data("x"),
            acl: acl::open(),
            parent_cversion,
            kind,
        })
    }

    const PLAIN: CreateKind = CreateKind::Persistent { create2: false };
    const PLAIN2: CreateKind = CreateKind::Persistent { create2: true };

    #[test]
    fn a_new_node_has_the_header_in_its_stat() {
        let mut world = World::new();
        world.make("/e", CreateMode::Ephemeral, CreateOp::Create);
        let s = stat(&world.db, "/e");
        assert_eq!((s.czxid, s.mzxid, s.pzxid), (Zxid(3), Zxid(3), Zxid(3)));
        assert_eq!((s.ctime, s.mtime), (3000, 3000));
        assert_eq!((s.version, s.cversion, s.aversion), (0, 0, 0));
        assert_eq!(s.ephemeral_owner, ME.0);
    }

    #[test]
    fn children_move_the_parents_cversion_and_pzxid_only() {
        let mut world = World::new();
        world.create("/a"); // 3
        world.create("/a/x"); // 4
        world.create("/a/y"); // 5
        assert_eq!(stat(&world.db, "/a").cversion, 2);
        world.delete("/a/x"); // 6
        let s = stat(&world.db, "/a");
        assert_eq!((s.cversion, s.num_children, s.pzxid), (3, 1, Zxid(6)));
        assert_eq!((s.mzxid, s.version), (Zxid(3), 0));
    }

    #[test]
    fn set_data_moves_mzxid_mtime_version() {
        let mut world = World::new();
        world.create("/a");
        world.ask(&set("/a", "four", -1)); // 4
        let s = stat(&world.db, "/a");
        assert_eq!(
            (s.mzxid, s.mtime, s.version, s.data_length),
            (Zxid(4), 4000, 1, 4)
        );
        assert_eq!((s.czxid, s.ctime, s.pzxid), (Zxid(3), 3000, Zxid(3)));
    }

    #[test]
    fn set_acl_moves_aversion_only() {
        let mut world = World::new();
        world.create("/a");
        let before = stat(&world.db, "/a");
        let acl = acl::open();
        world.ask(&Write::SetAcl {
            path: "/a".into(),
            acl,
            version: 0,
        });
        assert_eq!(
            stat(&world.db, "/a"),
            Stat {
                aversion: 1,
                ..before
            }
        );
    }

    #[test]
    fn absent_data_stays_absent() {
        let mut world = World::new();
        world.create("/a");
        world.apply(TxnBody::SetData {
            path: "/a".into(),
            data: None,
            version: 1,
        });
        let node = world.db.tree.node("/a").expect("there");
        assert_eq!((node.data(), node.stat().data_length), (&None, 0));
        world.assert_consistent();
    }

    #[test]
    fn a_reconfig_writes_the_config_node_and_answers_with_its_text() {
        let mut world = World::new();
        let text = data("server.1=…");
        let applied = world.apply(TxnBody::Reconfig {
            data: text.clone(),
            version: 4,
        });
        let s = stat(&world.db, path::CONFIG);
        assert_eq!((s.version, s.mzxid), (4, world.db.last_processed));
        assert_eq!(applied.result, Ok(Response::Data(text.clone(), s)));
        assert_eq!(&*applied.changes[0].path, path::CONFIG);
        assert_eq!(applied.changes[0].kind, ChangeKind::DataChanged);
        assert_eq!(
            world.db.tree.node(path::CONFIG).map(|node| node.data()),
            Some(&text)
        );
        world.assert_consistent();
    }

    #[test]
    fn replies_differ_by_type() {
        let mut world = World::new();
        assert_eq!(
            world.apply(made("/a", 1, PLAIN)).result,
            Ok(Response::Path("/a".into()))
        );
        for (path, kind) in [
            ("/b", PLAIN2),
            ("/c", CreateKind::Container),
            ("/d", CreateKind::Ttl { ttl_ms: 5 }),
        ] {
            let applied = world.apply(made(path, -1, kind));
            assert_eq!(path_of(&applied.result), path);
            assert_eq!(
                applied.result,
                Ok(Response::PathStat(path.into(), stat(&world.db, path)))
            );
        }
        let deleted = TxnBody::Delete {
            path: "/a".into(),
            container: false,
        };
        assert_eq!(world.apply(deleted).result, Ok(Response::Empty));
        let error = TxnBody::Error(ErrorCode::NotEmpty);
        assert_eq!(world.apply(error).result, Err(ErrorCode::NotEmpty));
    }

    #[test]
    fn a_multi_with_an_error_applies_nothing_and_says_so() {
        let mut world = World::new();
        let before = world.db.tree.clone();
        let applied = world.apply(TxnBody::Multi(vec![
            made("/a", 1, PLAIN),
            TxnBody::Error(ErrorCode::NoNode),
            TxnBody::Error(ErrorCode::RuntimeInconsistency),
        ]));
        let codes = [
            ErrorCode::Ok,
            ErrorCode::NoNode,
            ErrorCode::RuntimeInconsistency,
        ];
        let results = codes.map(OpResult::Error).to_vec();
        assert_eq!(applied.result, Ok(Response::Multi(results)));
        assert!(applied.changes.is_empty());
        assert_eq!(world.db.tree, before);
        assert_eq!(world.db.last_processed, Zxid(3), "its zxid is used up");
    }

    #[test]
    fn a_multi_is_one_zxid_and_one_change_after_the_other() {
        let mut world = World::new();
        world.ask(&Write::Multi(vec![
            Write::Create(create("/a")),
            set("/a", "x", 0),
            check("/a", 1),
            delete("/a", 1),
        ]));
        let txn = world.log.last().expect("just asked").clone();
        let applied = World::new().db.apply(&txn);
        let kinds: Vec<&ChangeKind> = applied.changes.iter().map(|change| &change.kind).collect();
        assert!(matches!(
            kinds[..],
            [
                ChangeKind::Created { .. },
                ChangeKind::DataChanged,
                ChangeKind::Deleted { .. }
            ]
        ));
        assert!(
            applied
                .changes
                .iter()
                .all(|change| change.zxid == txn.zxid())
        );
        let Ok(Response::Multi(results)) = applied.result else {
            panic!("a multi")
        };
        assert_eq!(results[2..], [OpResult::Check, OpResult::Delete]);
    }

    #[test]
    fn changes_carry_the_acl_of_node_and_parent() {
        let mut world = World::new();
        world.create("/p");
        let node: Arc<[Acl]> = Arc::from([entry(perms::READ, "digest", "joe:h")]);
        let applied = world.apply(TxnBody::Create(CreateTxn {
            path: "/p/a".into(),
            data: None,
            acl: node.clone(),
            parent_cversion: 1,
            kind: PLAIN,
        }));
        let parent_acl = acl::open();
        let change = &applied.changes[0];
        assert_eq!(change.acl, node);
        assert_eq!(
            change.kind,
            ChangeKind::Created {
                parent_acl: parent_acl.clone()
            }
        );
        let deleted = TxnBody::Delete {
            path: "/p/a".into(),
            container: false,
        };
        let change = &world.apply(deleted).changes[0];
        assert_eq!(
            (&change.acl, &change.kind),
            (&node, &ChangeKind::Deleted { parent_acl })
        );
    }

    #[test]
    fn closing_a_session_takes_listed_and_remaining_ephemerals() {
        let mut world = World::new();
        for path in ["/a", "/b", "/c"] {
            world.make(path, CreateMode::Ephemeral, CreateOp::Create);
        }
        let paths = vec!["/gone".into(), "/b".into()];
        let closed = world.apply(TxnBody::CloseSession { paths });
        let order: Vec<&str> = closed.changes.iter().map(|change| &*change.path).collect();
        assert_eq!(order, ["/b", "/a", "/c"]);
        assert!(!world.db.sessions.contains_key(&ME) && world.db.sessions.contains_key(&OTHER));
        world.assert_consistent();
    }

    #[test]
    fn creating_a_session_again_sets_its_time_out() {
        let mut world = World::new();
        world.apply(TxnBody::CreateSession { timeout_ms: 9 });
        assert_eq!(world.db.sessions.get(&ME), Some(&9));
    }

    #[test]
    fn last_processed_never_goes_back() {
        let mut world = World::new();
        let old = world.txn(Zxid(1), TxnBody::Error(ErrorCode::NoNode));
        world.db.apply(&old);
        assert_eq!(world.db.last_processed, Zxid(2));
    }

    #[test]
    fn replayed_create_of_what_exists_takes_the_acl_and_nothing_else() {
        let mut world = World::new();
        world.create("/a");
        let before = stat(&world.db, "/a");
        let list: Arc<[Acl]> = Arc::from([entry(1, "digest", "joe:h")]);
        let txn = TxnBody::Create(CreateTxn {
            path: "/a".into(),
            data: data("other"),
            acl: list.clone(),
            parent_cversion: 1,
            kind: PLAIN,
        });
        let applied = world.apply(txn);
        assert_eq!(applied.result, Err(ErrorCode::NodeExists));
        assert!(applied.changes.is_empty());
        assert_eq!(stat(&world.db, "/a"), before);
        assert_eq!(
            world.db.tree.node("/a").map(|node| node.acl().clone()),
            Some(list)
        );
        world.assert_consistent();
    }

    #[test]
    fn only_type_1_raises_the_parent_of_what_exists() {
        for (kind, expected) in [
            (PLAIN, 9),
            (CreateKind::Ephemeral { create2: false }, 9),
            (PLAIN2, 1),
            (CreateKind::Container, 1),
            (CreateKind::Ttl { ttl_ms: 1 }, 1),
        ] {
            let mut world = World::new();
            world.create("/a");
            world.create("/a/x");
            world.apply(made("/a/x", 9, kind));
            let node = world.db.tree.node("/a").expect("there");
            assert_eq!(node.persisted().cversion, expected, "{kind:?}");
            world.assert_consistent();
        }
    }

    #[test]
    fn a_parent_that_is_ahead_keeps_its_counters() {
        let mut world = World::new();
        world.create("/a");
        for path in ["/a/x", "/a/y", "/a/z"] {
            world.create(path);
        }
        let (before, zxid) = (stat(&world.db, "/a"), world.db.last_processed);
        world.apply(made("/a/w", 2, PLAIN));
        let after = stat(&world.db, "/a");
        assert_eq!(after.pzxid, zxid);
        assert_eq!(
            after.cversion,
            before.cversion - 1,
            "one more child, no more creations"
        );
    }

    #[test]
    fn parent_cversion_minus_one_is_one_more() {
        let mut world = World::new();
        world.apply(made("/a", -1, PLAIN));
        world.apply(made("/b", -1, PLAIN));
        assert_eq!(
            world.db.tree.node("/").map(|n| n.persisted().cversion),
            Some(2)
        );
    }

    #[test]
    fn deleting_what_is_gone_still_counts_for_the_parent() {
        let mut world = World::new();
        world.create("/a");
        let applied = world.apply(TxnBody::Delete {
            path: "/a/x".into(),
            container: false,
        });
        assert_eq!(applied.result, Err(ErrorCode::NoNode));
        assert_eq!(stat(&world.db, "/a").pzxid, world.db.last_processed);
        let old = world.txn(
            Zxid(1),
            TxnBody::Delete {
                path: "/a/x".into(),
                container: false,
            },
        );
        let before = stat(&world.db, "/a");
        world.db.apply(&old);
        assert_eq!(stat(&world.db, "/a"), before, "pzxid only grows");
        world.assert_consistent();
    }

    #[test]
    fn writes_to_what_is_gone_are_ignored() {
        let mut world = World::new();
        let before = world.db.tree.clone();
        for body in [
            TxnBody::SetData {
                path: "/no".into(),
                data: None,
                version: 1,
            },
            TxnBody::SetAcl {
                path: "/no".into(),
                acl: acl::open(),
                version: 1,
            },
            made("/no/a", 1, PLAIN),
        ] {
            assert_eq!(world.apply(body).result, Err(ErrorCode::NoNode));
        }
        assert_eq!(world.db.tree, before);
        world.assert_consistent();
    }

    #[test]
    fn only_reads_know_the_root_by_the_empty_path() {
        let mut world = World::new();
        for body in [
            TxnBody::SetData {
                path: "".into(),
                data: None,
                version: 1,
            },
            TxnBody::SetAcl {
                path: "".into(),
                acl: acl::open(),
                version: 1,
            },
            TxnBody::Delete {
                path: "".into(),
                container: false,
            },
            made("", 1, PLAIN),
        ] {
            assert_eq!(world.apply(body).result, Err(ErrorCode::NoNode));
        }
        world.assert_consistent();
    }

    #[test]
    fn a_delete_in_a_replay_leaves_no_orphans() {
        let mut world = World::new();
        world.create("/a");
        world.create("/a/b");
        world.make("/a/b/e", CreateMode::Ephemeral, CreateOp::Create);
        world.apply(TxnBody::Delete {
            path: "/a".into(),
            container: false,
        });
        assert_eq!(world.db.tree.node_count(), 4);
        assert_eq!(world.db.tree.owners().count(), 0);
        world.assert_consistent();
    }

    #[test]
    fn owners_without_session_are_found_and_their_ephemerals_killed() {
        let mut world = World::new();
        world.make("/e", CreateMode::Ephemeral, CreateOp::Create);
        assert_eq!(world.db.owners_without_session().count(), 0);
        world.db.sessions.remove(&ME);
        assert_eq!(world.db.owners_without_session().collect::<Vec<_>>(), [ME]);
        let changes = world.db.kill_owners_without_session();
        assert_eq!(changes.len(), 1);
        assert!(!world.db.tree.contains("/e"));
    }

    #[test]
    fn equality_is_of_contents_not_of_history() {
        let mut one = World::new();
        let mut two = World::new();
        for path in ["/a", "/b"] {
            one.create(path);
        }
        two.db = Database::new();
        for txn in &one.log {
            two.db.apply(txn);
        }
        assert_eq!(one.db, two.db);
        assert!(format!("{:?}", one.db).len() < 100);
        two.db.sessions.remove(&OTHER);
        assert_ne!(one.db, two.db);
    }

    #[test]
    fn the_size_grows_with_nodes_and_data() {
        let mut world = World::new();
        let before = world.db.approximate_bytes();
        world.create("/a");
        world.ask(&set("/a", "1234", -1));
        assert_eq!(world.db.approximate_bytes(), before + 76 + 2 + 4);
    }

    const NAMES: [&str; 6] = ["/a", "/b", "/a/x", "/a/y", "/a/x/z", "/b/x"];

    fn name() -> impl Strategy<Value = Arc<str>> {
        prop::sample::select(&NAMES[..]).prop_map(Arc::from)
    }

    fn write() -> impl Strategy<Value = Write> {
        let mode = prop::sample::select(
            &[
                (CreateMode::Persistent, CreateOp::Create),
                (CreateMode::Persistent, CreateOp::Create2),
                (CreateMode::PersistentSequential, CreateOp::Create),
                (CreateMode::Ephemeral, CreateOp::Create),
                (CreateMode::Ephemeral, CreateOp::Create2),
                (CreateMode::Container, CreateOp::Container),
                (CreateMode::PersistentWithTtl, CreateOp::Ttl(7)),
            ][..],
        );
        let acls = prop::sample::select(&[31, 1, 5][..]);
        let single = prop_oneof![
            4 => (name(), mode, acls.clone()).prop_map(|(path, (mode, op), perms)| {
                let acl: Arc<[Acl]> = Arc::from([
                    entry(perms, "digest", "joe:h"),
                    entry(31, "world", "anyone"),
                ]);
                Write::Create(crate::request::Create { path, mode, op, acl, data: data("d") })
            }),
            3 => name().prop_map(|path| Write::Delete { path, version: -1 }),
            2 => (name(), "[a-c]{0,3}").prop_map(|(path, text)| set(&path, &text, -1)),
        ];
        prop_oneof![
            8 => single.clone(),
            1 => (name(), acls).prop_map(|(path, perms)| Write::SetAcl {
                path,
                acl: Arc::from([entry(perms | 16, "digest", "eve:h"), entry(31, "world", "anyone")]),
                version: -1,
            }),
            2 => prop::collection::vec(single, 0..4).prop_map(Write::Multi),
            1 => Just(Write::CloseSession),
            1 => Just(Write::CreateSession { timeout_ms: 5 }),
        ]
    }

    fn history(writes: &[(bool, Write)]) -> World {
        let mut world = World::new();
        for (mine, write) in writes {
            world.session = if *mine { ME } else { OTHER };
            world.ask(write);
        }
        world
    }

    fn anything() -> impl Strategy<Value = TxnBody> {
        let odd = prop::sample::select(
            &[
                "",
                "/",
                "//",
                "//x",
                "/a",
                "/a/",
                "/a/b",
                "/a/b/c",
                "x",
                "/zookeeper",
                "/\0",
            ][..],
        )
        .prop_map(Arc::<str>::from);
        let int = prop::sample::select(&[0, 1, -1, 5, i32::MAX, i32::MIN][..]);
        let kind = prop::sample::select(
            &[
                PLAIN,
                PLAIN2,
                CreateKind::Ephemeral { create2: false },
                CreateKind::Container,
                CreateKind::Ttl { ttl_ms: i64::MIN },
                CreateKind::Ttl { ttl_ms: 3 },
            ][..],
        );
        let list = prop::sample::select(&[0usize, 1, 2][..]).prop_map(|n| -> Arc<[Acl]> {
            [entry(1, "odd", ""), entry(-1, "world", "anyone")][..n].into()
        });
        let bytes = prop::option::of(Just(Arc::<[u8]>::from(*b"xy")));
        let leaf = prop_oneof![
            (odd.clone(), int.clone(), kind, list.clone(), bytes.clone()).prop_map(
                |(path, parent_cversion, kind, acl, data): (_, _, _, _, Data)| {
                    TxnBody::Create(CreateTxn {
                        path,
                        data,
                        acl,
                        parent_cversion,
                        kind,
                    })
                }
            ),
            odd.clone().prop_map(|path| TxnBody::Delete {
                path,
                container: true
            }),
            (odd.clone(), bytes, int.clone()).prop_map(|(path, data, version)| TxnBody::SetData {
                path,
                data,
                version
            }),
            (odd.clone(), list, int.clone()).prop_map(|(path, acl, version)| TxnBody::SetAcl {
                path,
                acl,
                version
            }),
            (odd.clone(), int.clone()).prop_map(|(path, version)| TxnBody::Check { path, version }),
            int.prop_map(|timeout_ms| TxnBody::CreateSession { timeout_ms }),
            prop::collection::vec(odd, 0..3).prop_map(|paths| TxnBody::CloseSession { paths }),
            Just(TxnBody::Error(ErrorCode::NoNode)),
        ];
        leaf.prop_recursive(2, 8, 3, |inner| {
            prop::collection::vec(inner, 0..4).prop_map(TxnBody::Multi)
        })
    }

    proptest! {
        #[test]
        fn all_that_is_kept_beside_the_nodes_stays_true(
            writes in prop::collection::vec((any::<bool>(), write()), 0..60),
        ) {
            history(&writes).assert_consistent();
        }

        #[test]
        fn members_arrive_at_the_leaders_digest(
            writes in prop::collection::vec((any::<bool>(), write()), 0..60),
        ) {
            let world = history(&writes);
            let mut member = Database::new();
            for txn in &world.log {
                member.apply(txn);
                prop_assert!(txn.digest.is_none_or(|digest| digest == member.digest()));
            }
            prop_assert_eq!(member, world.db);
        }

        #[test]
        fn applying_a_prefix_twice_changes_nothing_in_the_end(
            writes in prop::collection::vec((any::<bool>(), write()), 1..60),
            from in 0.0..1.0f64,
            to in 0.0..1.0f64,
        ) {
            let world = history(&writes);
            let n = world.log.len();
            let to = (to * n as f64) as usize;
            let from = (from * to as f64) as usize;
            let mut ahead = Database::new();
            for txn in &world.log[..to] {
                ahead.apply(txn);
            }
            for txn in &world.log[from..] {
                ahead.apply(txn);
            }
            prop_assert_eq!(ahead.digest(), world.db.digest());
            prop_assert_eq!(&ahead, &world.db);
            prop_assert_eq!(ahead.digest(), ahead.tree.recomputed_digest());
        }

        #[test]
        fn no_transaction_can_break_the_tree(
            bodies in prop::collection::vec((any::<i8>(), -2i64..3, anything()), 0..40),
        ) {
            let mut world = World::new();
            for (zxid, session, body) in bodies {
                world.session = SessionId(if session == -2 { i64::MIN } else { session });
                let txn = world.txn(Zxid(i64::from(zxid)), body);
                world.db.apply(&txn);
            }
            world.assert_consistent();
        }
    }
}

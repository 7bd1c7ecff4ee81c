//! What becomes of a write: the leader's checks, in ZooKeeper's order (ZooKeeper.md 1.8, 1.12).

use crate::{
    config::Config,
    request::{Acl, AuthId, Create, CreateOp, ErrorCode, Write, perms},
    tree::{Database, Node, Owner, acl, node::MAX_TTL_MS, path},
    txn::{CreateKind, CreateTxn, Txn, TxnBody, TxnHeader},
};
use std::sync::Arc;

/// Who asks, when, and what is allowed here. Whether the session exists and is asking through
/// its owner (-112, -118) the caller has checked already; so it has the size of the request.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The header that the transaction will have.
    pub header: TxnHeader,
    /// What the session's connection has proved.
    pub auth: &'a [AuthId],
    /// The configuration: which rights there are, whether TTL nodes may be made …
    pub cfg: &'a Config,
}

/// Decides what a write becomes, on a database to which every outstanding proposal was applied.
/// A failure is a transaction too.
#[must_use]
pub fn prepare(predicted: &Database, write: &Write, ctx: &Context<'_>) -> TxnBody {
    match write {
        Write::Multi(all) => multi(predicted, all, ctx),
        Write::CreateSession { timeout_ms } => TxnBody::CreateSession {
            timeout_ms: *timeout_ms,
        },
        // Every server then removes those that it knows to be the session's.
        Write::CloseSession if !ctx.cfg.close_session_txn => {
            TxnBody::CloseSession { paths: Vec::new() }
        }
        Write::CloseSession => TxnBody::CloseSession {
            paths: predicted
                .tree
                .ephemerals(ctx.header.session)
                .cloned()
                .collect(),
        },
        // Refused before it comes here; it has a meaning only inside a multi.
        Write::Check { .. } => TxnBody::Error(ErrorCode::Unimplemented),
        // reconfigEnabled is false, as it is by default (1.13).
        Write::Reconfig { .. } => TxnBody::Error(ErrorCode::ReconfigDisabled),
        // It fails, but in its place and with a zxid of its own. [X] Apache takes the zxid of the
        // transaction before it (1.8).
        Write::Unreadable { code, .. } => TxnBody::Error(*code),
        Write::Create(_)
        | Write::Delete { .. }
        | Write::SetData { .. }
        | Write::SetAcl { .. }
        | Write::DeleteContainer { .. } => {
            single(predicted, write, ctx).unwrap_or_else(TxnBody::Error)
        }
    }
}

/// Makes the transaction of a decision: applies it to the prediction, and attaches the digest that
/// every server must arrive at. Failures carry none, as in Apache, and nothing does where `digest` is
/// false (`digest.enabled`).
pub fn predict(predicted: &mut Database, header: TxnHeader, body: TxnBody, digest: bool) -> Txn {
    let mut txn = Txn {
        header,
        body,
        digest: None,
    };
    predicted.apply(&txn);
    if digest && !matches!(txn.body, TxnBody::Error(_)) {
        txn.digest = Some(predicted.digest());
    }
    txn
}

/// Makes a decision small enough to be read back by everybody (ZOOKEEPER-4306); `limit` in bytes of the
/// whole transaction.
///
/// What a client asked for fails as a whole. The end of a session must not fail, however many
/// ephemerals it has: it names none of them then, and every server removes those that it knows to be the
/// session's, which are the same at this place in the order.
pub fn fit(body: &mut TxnBody, limit: usize) {
    if body.approximate_bytes().saturating_add(Txn::OVERHEAD) <= limit {
        return;
    }
    *body = match body {
        TxnBody::CloseSession { .. } => TxnBody::CloseSession { paths: Vec::new() },
        TxnBody::Create(_)
        | TxnBody::Delete { .. }
        | TxnBody::SetData { .. }
        | TxnBody::SetAcl { .. }
        | TxnBody::Check { .. }
        | TxnBody::Multi(_)
        | TxnBody::Reconfig { .. }
        | TxnBody::CreateSession { .. }
        | TxnBody::Error(_) => TxnBody::Error(ErrorCode::MarshallingError),
    };
}

/// Each operation sees those before it; the first failure makes errors of all after it, and
/// whoever applies the transaction then applies nothing.
fn multi(predicted: &Database, all: &[Write], ctx: &Context<'_>) -> TxnBody {
    let mut scratch = predicted.clone();
    let mut failed = false;
    let mut bodies = Vec::with_capacity(all.len());
    for write in all {
        let body = match write {
            // Malformed as a whole (1.12).
            Write::SetAcl { .. }
            | Write::Multi(_)
            | Write::DeleteContainer { .. }
            | Write::Reconfig { .. }
            | Write::CreateSession { .. }
            | Write::CloseSession
            | Write::Unreadable { .. } => return TxnBody::Error(ErrorCode::MarshallingError),
            Write::Create(_)
            | Write::Delete { .. }
            | Write::SetData { .. }
            | Write::Check { .. } => {
                if failed {
                    TxnBody::Error(ErrorCode::RuntimeInconsistency)
                } else {
                    single(&scratch, write, ctx).unwrap_or_else(TxnBody::Error)
                }
            }
        };
        failed |= matches!(body, TxnBody::Error(_));
        if !failed {
            let txn = Txn {
                header: ctx.header,
                body,
                digest: None,
            };
            scratch.apply(&txn);
            bodies.push(txn.body);
        } else {
            bodies.push(body);
        }
    }
    TxnBody::Multi(bodies)
}

fn single(db: &Database, write: &Write, ctx: &Context<'_>) -> Result<TxnBody, ErrorCode> {
    match write {
        Write::Create(create) => prepare_create(db, create, ctx),
        Write::Delete { path, version } => delete(db, path, *version, ctx),
        Write::SetData {
            path,
            data,
            version,
        } => {
            path::validate(path)?;
            let node = node(db, path)?;
            acl::check(&ctx.cfg.rights, node.acl(), perms::WRITE, ctx.auth)?;
            if ctx.cfg.enforce_quota {
                let more = db.tree.bytes_more(path, data);
                db.tree.check_quota(path, more, 0)?;
            }
            Ok(TxnBody::SetData {
                path: path.clone(),
                data: data.clone(),
                version: next_version(node.persisted().version, *version)?,
            })
        }
        Write::SetAcl { path, acl, version } => {
            path::validate(path)?;
            let stored = acl::normalise(&ctx.cfg.rights, acl, ctx.auth)?;
            let node = node(db, path)?;
            acl::check(&ctx.cfg.rights, node.acl(), perms::ADMIN, ctx.auth)?;
            Ok(TxnBody::SetAcl {
                path: path.clone(),
                acl: stored,
                version: next_version(node.persisted().aversion, *version)?,
            })
        }
        Write::Check { path, version } => {
            path::validate(path)?;
            let node = node(db, path)?;
            acl::check(&ctx.cfg.rights, node.acl(), perms::READ, ctx.auth)?;
            Ok(TxnBody::Check {
                path: path.clone(),
                version: next_version(node.persisted().version, *version)?,
            })
        }
        Write::DeleteContainer { path } => delete_container(db, path),
        Write::Multi(_)
        | Write::Reconfig { .. }
        | Write::CreateSession { .. }
        | Write::CloseSession
        | Write::Unreadable { .. } => Err(ErrorCode::MarshallingError),
    }
}

fn node<'a>(db: &'a Database, path: &str) -> Result<&'a Node, ErrorCode> {
    db.tree.node(path).ok_or(ErrorCode::NoNode)
}

/// -1 fits every version. Beyond 2^31 - 1 versions go on with negative ones (1.7).
fn next_version(current: i32, expected: i32) -> Result<i32, ErrorCode> {
    if expected == -1 || expected == current {
        Ok(current.wrapping_add(1))
    } else {
        Err(ErrorCode::BadVersion)
    }
}

fn prepare_create(db: &Database, create: &Create, ctx: &Context<'_>) -> Result<TxnBody, ErrorCode> {
    let kind = create_kind(create, ctx)?;
    if create.mode.is_ephemeral() && !db.sessions.contains_key(&ctx.header.session) {
        return Err(ErrorCode::SessionExpired);
    }
    let parent_path = parent_without_nul(&create.path)?;
    let acl: Arc<[Acl]> = acl::normalise(&ctx.cfg.rights, &create.acl, ctx.auth)?;
    let parent = node(db, parent_path)?;
    acl::check(&ctx.cfg.rights, parent.acl(), perms::CREATE, ctx.auth)?;
    let parent_cversion = parent.persisted().cversion;
    let path: Arc<str> = if create.mode.is_sequential() {
        path::with_sequence(&create.path, parent_cversion).into()
    } else {
        create.path.clone()
    };
    path::validate(&path)?;
    if db.tree.contains(&path) {
        return Err(ErrorCode::NodeExists);
    }
    if matches!(parent.owner(), Owner::Ephemeral(_)) {
        return Err(ErrorCode::NoChildrenForEphemerals);
    }
    if ctx.cfg.enforce_quota {
        let bytes = db.tree.bytes_more(&path, &create.data);
        db.tree.check_quota(&path, bytes, 1)?;
    }
    Ok(TxnBody::Create(CreateTxn {
        path,
        data: create.data.clone(),
        acl,
        parent_cversion: parent_cversion.wrapping_add(1),
        kind,
    }))
}

/// What is made, from operation and mode: the first of the checks.
fn create_kind(create: &Create, ctx: &Context<'_>) -> Result<CreateKind, ErrorCode> {
    if create.mode.is_ttl() && !ctx.cfg.extended_types {
        return Err(ErrorCode::Unimplemented);
    }
    let ttl_ms = match create.op {
        CreateOp::Ttl(ttl_ms) => Some(ttl_ms),
        CreateOp::Create | CreateOp::Create2 | CreateOp::Container => None,
    };
    match (create.mode.is_ttl(), ttl_ms) {
        (true, Some(1..=MAX_TTL_MS)) | (false, None) => {}
        // Also createTTL with another mode and TTL -1, which Apache lets pass: it would log a TTL
        // node without a TTL, which no server can apply.
        (true, _) | (false, Some(_)) => return Err(ErrorCode::BadArguments),
    }
    // What decides is the operation: mode 4 makes a container only with createContainer [Q].
    Ok(match create.op {
        CreateOp::Container => CreateKind::Container,
        CreateOp::Ttl(ttl_ms) => CreateKind::Ttl { ttl_ms },
        CreateOp::Create | CreateOp::Create2 => {
            let create2 = create.op == CreateOp::Create2;
            if create.mode.is_ephemeral() {
                CreateKind::Ephemeral { create2 }
            } else {
                CreateKind::Persistent { create2 }
            }
        }
    })
}

/// The first look at a path, before it is validated: it has a slash and no NUL.
fn parent_without_nul(at: &str) -> Result<&str, ErrorCode> {
    if at.contains('\0') {
        return Err(ErrorCode::BadArguments);
    }
    path::parent(at).ok_or(ErrorCode::BadArguments)
}

fn deletable_parent(at: &str) -> Result<&str, ErrorCode> {
    let parent = parent_without_nul(at)?;
    if path::is_special(at) {
        return Err(ErrorCode::BadArguments);
    }
    Ok(parent)
}

fn delete(
    db: &Database,
    at: &Arc<str>,
    version: i32,
    ctx: &Context<'_>,
) -> Result<TxnBody, ErrorCode> {
    let parent = node(db, deletable_parent(at)?)?;
    acl::check(&ctx.cfg.rights, parent.acl(), perms::DELETE, ctx.auth)?;
    let node = node(db, at)?;
    next_version(node.persisted().version, version)?;
    if !node.children().is_empty() {
        return Err(ErrorCode::NotEmpty);
    }
    Ok(TxnBody::Delete {
        path: at.clone(),
        container: false,
    })
}

/// The server's own: the znode may have been used again since it was found.
fn delete_container(db: &Database, at: &Arc<str>) -> Result<TxnBody, ErrorCode> {
    deletable_parent(at)?;
    let node = node(db, at)?;
    if !node.children().is_empty() {
        return Err(ErrorCode::NotEmpty);
    }
    if matches!(node.owner(), Owner::Ephemeral(_)) {
        return Err(ErrorCode::BadVersion);
    }
    Ok(TxnBody::Delete {
        path: at.clone(),
        container: true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        id::{SessionId, Zxid},
        request::CreateMode,
        tree::testing::{ME, OTHER, World, check, create, data, delete, entry, id, set},
    };

    fn closed(perms: i32) -> Arc<[Acl]> {
        Arc::from([entry(perms, "world", "anyone")])
    }

    /// Makes `/locked`, which grants `perms`, with the child `/locked/a`.
    fn locked(perms: i32) -> World {
        let mut world = World::new();
        world.create("/locked");
        world.create("/locked/a");
        let acl = closed(perms);
        let path: Arc<str> = "/locked".into();
        assert_eq!(
            world.error(&Write::SetAcl {
                path,
                acl,
                version: -1
            }),
            None
        );
        world
    }

    #[test]
    fn a_create_names_the_parents_next_cversion() {
        let mut world = World::new();
        world.create("/a");
        world.create("/a/x");
        world.delete("/a/x");
        let TxnBody::Create(made) = world.ask(&Write::Create(create("/a/y"))) else {
            panic!("expected a create");
        };
        assert_eq!(made.parent_cversion, 2, "creations count, deletions do not");
        assert_eq!(made.kind, CreateKind::Persistent { create2: false });
    }

    #[test]
    fn each_operation_and_mode_makes_its_kind() {
        let session_owned = CreateMode::EphemeralSequential;
        for (mode, op, kind) in [
            (
                CreateMode::Persistent,
                CreateOp::Create2,
                CreateKind::Persistent { create2: true },
            ),
            (
                CreateMode::Ephemeral,
                CreateOp::Create,
                CreateKind::Ephemeral { create2: false },
            ),
            (
                session_owned,
                CreateOp::Create2,
                CreateKind::Ephemeral { create2: true },
            ),
            (
                CreateMode::Container,
                CreateOp::Container,
                CreateKind::Container,
            ),
            (
                CreateMode::PersistentWithTtl,
                CreateOp::Ttl(5),
                CreateKind::Ttl { ttl_ms: 5 },
            ),
        ] {
            let mut world = World::new();
            let made = world.ask(&Write::Create(Create {
                mode,
                op,
                ..create("/n")
            }));
            let TxnBody::Create(made) = made else {
                panic!("{mode:?}: {made:?}")
            };
            assert_eq!(made.kind, kind);
        }
    }

    #[test]
    fn create_with_flag_4_makes_a_plain_node() {
        let mut world = World::new();
        assert_eq!(
            world.make("/n", CreateMode::Container, CreateOp::Create),
            None
        );
        let node = world.db.tree.node("/n").expect("made");
        assert_eq!(node.owner(), Owner::Persistent);
    }

    #[test]
    fn create_container_makes_one_whatever_the_flag() {
        let mut world = World::new();
        assert_eq!(
            world.make("/n", CreateMode::Persistent, CreateOp::Container),
            None
        );
        assert_eq!(
            world.db.tree.node("/n").map(Node::owner),
            Some(Owner::Container)
        );
    }

    #[test]
    fn create_with_flags_5_and_6_lacks_a_ttl() {
        let mut world = World::new();
        for mode in [
            CreateMode::PersistentWithTtl,
            CreateMode::PersistentSequentialWithTtl,
        ] {
            for op in [CreateOp::Create, CreateOp::Create2, CreateOp::Container] {
                assert_eq!(world.make("/n", mode, op), Some(ErrorCode::BadArguments));
            }
        }
    }

    #[test]
    fn ttl_needs_extended_types_before_all_else() {
        let mut world = World::new();
        world.cfg.extended_types = false;
        assert_eq!(
            world.make("", CreateMode::PersistentWithTtl, CreateOp::Ttl(0)),
            Some(ErrorCode::Unimplemented)
        );
    }

    #[test]
    fn ttl_is_1_to_40_bits_and_only_for_ttl_modes() {
        let mut world = World::new();
        let ttl = CreateMode::PersistentWithTtl;
        for (mode, ms, error) in [
            (ttl, 0, Some(ErrorCode::BadArguments)),
            (ttl, -1, Some(ErrorCode::BadArguments)),
            (ttl, MAX_TTL_MS + 1, Some(ErrorCode::BadArguments)),
            (CreateMode::Persistent, 5, Some(ErrorCode::BadArguments)),
            (CreateMode::Persistent, -1, Some(ErrorCode::BadArguments)),
            (ttl, MAX_TTL_MS, None),
        ] {
            assert_eq!(
                world.make("/n", mode, CreateOp::Ttl(ms)),
                error,
                "{mode:?} {ms}"
            );
        }
    }

    #[test]
    fn an_ephemeral_needs_a_session_before_its_path_is_looked_at() {
        let mut world = World::new();
        world.session = SessionId(77);
        let error = world.make("bad", CreateMode::Ephemeral, CreateOp::Create);
        assert_eq!(error, Some(ErrorCode::SessionExpired));
    }

    #[test]
    fn a_path_without_slash_or_with_nul_is_bad_before_the_acl() {
        let mut world = World::new();
        for path in ["a", "", "/a\0"] {
            let write = Write::Create(Create {
                acl: Arc::from([]),
                ..create(path)
            });
            assert_eq!(
                world.error(&write),
                Some(ErrorCode::BadArguments),
                "{path:?}"
            );
        }
    }

    #[test]
    fn the_acl_is_checked_before_the_parent() {
        let mut world = World::new();
        let write = Write::Create(Create {
            acl: Arc::from([]),
            ..create("/no/a")
        });
        assert_eq!(world.error(&write), Some(ErrorCode::InvalidAcl));
    }

    #[test]
    fn the_parent_is_looked_for_before_the_whole_path_is_validated() {
        let mut world = World::new();
        assert_eq!(
            world.error(&Write::Create(create("/no//a"))),
            Some(ErrorCode::NoNode)
        );
        assert_eq!(
            world.error(&Write::Create(create("no/a"))),
            Some(ErrorCode::NoNode)
        );
        assert_eq!(
            world.error(&Write::Create(create("//a"))),
            Some(ErrorCode::BadArguments)
        );
    }

    #[test]
    fn create_permission_comes_before_validation_and_existence() {
        let mut world = locked(perms::ALL & !perms::CREATE);
        for path in ["/locked/a", "/locked/."] {
            assert_eq!(
                world.error(&Write::Create(create(path))),
                Some(ErrorCode::NoAuth)
            );
        }
    }

    #[test]
    fn existence_comes_before_the_ephemeral_parent() {
        let mut world = World::new();
        assert_eq!(
            world.make("/e", CreateMode::Ephemeral, CreateOp::Create),
            None
        );
        assert_eq!(
            world.error(&Write::Create(create("/e"))),
            Some(ErrorCode::NodeExists)
        );
        assert_eq!(
            world.error(&Write::Create(create("/e/a"))),
            Some(ErrorCode::NoChildrenForEphemerals)
        );
        assert_eq!(
            world.error(&Write::Create(create("/"))),
            Some(ErrorCode::NodeExists)
        );
    }

    #[test]
    fn containers_and_ttl_nodes_may_have_children() {
        let mut world = World::new();
        world.make("/c", CreateMode::Container, CreateOp::Container);
        world.make("/t", CreateMode::PersistentWithTtl, CreateOp::Ttl(9));
        world.create("/c/a");
        world.create("/t/a");
    }

    #[test]
    fn sequence_numbers_count_all_creations() {
        let mut world = World::new();
        world.create("/q");
        world.create("/q/x");
        world.delete("/q/x");
        for expected in ["/q/n-0000000001", "/q/n-0000000002"] {
            let write = Write::Create(Create {
                mode: CreateMode::PersistentSequential,
                ..create("/q/n-")
            });
            let TxnBody::Create(made) = world.ask(&write) else {
                panic!("made")
            };
            assert_eq!(&*made.path, expected);
        }
    }

    #[test]
    fn a_sequential_create_may_end_in_a_slash() {
        let mut world = World::new();
        world.create("/q");
        assert_eq!(
            world.make("/q/", CreateMode::PersistentSequential, CreateOp::Create),
            None
        );
        assert!(world.db.tree.contains("/q/0000000000"));
    }

    #[test]
    fn after_the_largest_sequence_number_comes_the_smallest() {
        let mut world = World::new();
        world.create("/q");
        world.db.tree.raise_cversion("/q", i32::MAX, Zxid(3));
        let write = Write::Create(Create {
            mode: CreateMode::PersistentSequential,
            ..create("/q/n")
        });
        let TxnBody::Create(made) = world.ask(&write) else {
            panic!("made")
        };
        assert_eq!(
            (&*made.path, made.parent_cversion),
            ("/q/n2147483647", i32::MIN)
        );
        // 4.6 takes only what is greater, so the stored number stays where it is.
        assert_eq!(
            world.db.tree.node("/q").map(|n| n.persisted().cversion),
            Some(i32::MAX)
        );
        assert_eq!(world.error(&write), Some(ErrorCode::NodeExists));
    }

    #[test]
    fn special_nodes_are_not_deletable() {
        let mut world = World::new();
        for path in [
            "/",
            "/zookeeper",
            "/zookeeper/quota",
            "/zookeeper/config",
            "",
            "a",
            "/\0",
        ] {
            assert_eq!(
                world.error(&delete(path, -1)),
                Some(ErrorCode::BadArguments),
                "{path}"
            );
        }
    }

    #[test]
    fn delete_asks_the_parents_permission_before_it_looks_for_the_node() {
        let mut world = locked(perms::ALL & !perms::DELETE);
        assert_eq!(
            world.error(&delete("/locked/no", 5)),
            Some(ErrorCode::NoAuth)
        );
        assert_eq!(world.error(&delete("/no/a", 5)), Some(ErrorCode::NoNode));
        assert_eq!(world.error(&delete("/no", 5)), Some(ErrorCode::NoNode));
    }

    #[test]
    fn delete_checks_the_version_before_the_children() {
        let mut world = World::new();
        world.create("/a");
        world.create("/a/b");
        assert_eq!(world.error(&delete("/a", 5)), Some(ErrorCode::BadVersion));
        assert_eq!(world.error(&delete("/a", 0)), Some(ErrorCode::NotEmpty));
        assert_eq!(world.error(&delete("/a/b", 0)), None);
    }

    #[test]
    fn set_data_checks_path_node_permission_version_in_this_order() {
        let mut world = locked(perms::ALL & !perms::WRITE);
        assert_eq!(
            world.error(&set("/a/", "", 5)),
            Some(ErrorCode::BadArguments)
        );
        assert_eq!(world.error(&set("/no", "", 5)), Some(ErrorCode::NoNode));
        assert_eq!(world.error(&set("/locked", "", 5)), Some(ErrorCode::NoAuth));
        assert_eq!(
            world.error(&set("/locked/a", "", 5)),
            Some(ErrorCode::BadVersion)
        );
        assert_eq!(world.error(&set("/locked/a", "", 0)), None);
        assert_eq!(
            world.error(&set("/locked/a", "", 0)),
            Some(ErrorCode::BadVersion)
        );
        assert_eq!(world.error(&set("/locked/a", "", -1)), None);
    }

    #[test]
    fn set_acl_checks_path_list_node_permission_version_in_this_order() {
        let mut world = locked(perms::ALL & !perms::ADMIN);
        let mut ask = |path: &str, acl: Arc<[Acl]>, version| {
            world.error(&Write::SetAcl {
                path: path.into(),
                acl,
                version,
            })
        };
        let none: Arc<[Acl]> = Arc::from([]);
        assert_eq!(ask("x", none.clone(), 5), Some(ErrorCode::BadArguments));
        assert_eq!(ask("/no", none, 5), Some(ErrorCode::InvalidAcl));
        assert_eq!(ask("/no", closed(1), 5), Some(ErrorCode::NoNode));
        assert_eq!(ask("/locked", closed(1), 5), Some(ErrorCode::NoAuth));
        assert_eq!(ask("/locked/a", closed(1), 5), Some(ErrorCode::BadVersion));
        assert_eq!(ask("/locked/a", closed(1), 0), None);
    }

    #[test]
    fn versions_go_on_negative_after_the_largest() {
        let mut world = World::new();
        world.create("/a");
        let (path, data) = (Arc::from("/a"), data("x"));
        world.apply(TxnBody::SetData {
            path,
            data,
            version: i32::MAX,
        });
        let next = world.ask(&set("/a", "y", i32::MAX));
        assert!(
            matches!(
                next,
                TxnBody::SetData {
                    version: i32::MIN,
                    ..
                }
            ),
            "{next:?}"
        );
    }

    #[test]
    fn delete_container_looks_again_whether_it_is_empty() {
        let mut world = World::new();
        world.make("/c", CreateMode::Container, CreateOp::Container);
        world.create("/c/a");
        let ask = |world: &mut World, path: &str| {
            world.ask(&Write::DeleteContainer { path: path.into() })
        };
        assert_eq!(ask(&mut world, "/c").error(), Some(ErrorCode::NotEmpty));
        world.delete("/c/a");
        let body = ask(&mut world, "/c");
        assert!(
            matches!(
                body,
                TxnBody::Delete {
                    container: true,
                    ..
                }
            ),
            "{body:?}"
        );
        assert_eq!(ask(&mut world, "/c").error(), Some(ErrorCode::NoNode));
        assert_eq!(
            ask(&mut world, "/zookeeper").error(),
            Some(ErrorCode::BadArguments)
        );
        world.make("/e", CreateMode::Ephemeral, CreateOp::Create);
        assert_eq!(ask(&mut world, "/e").error(), Some(ErrorCode::BadVersion));
    }

    #[test]
    fn close_session_names_its_ephemerals_in_order() {
        let mut world = World::new();
        world.make("/b", CreateMode::Ephemeral, CreateOp::Create);
        world.make("/a", CreateMode::Ephemeral, CreateOp::Create);
        world.session = OTHER;
        world.make("/o", CreateMode::Ephemeral, CreateOp::Create);
        world.session = ME;
        let body = world.ask(&Write::CloseSession);
        assert_eq!(
            body,
            TxnBody::CloseSession {
                paths: vec!["/a".into(), "/b".into()]
            }
        );
        assert!(world.db.tree.contains("/o"));
    }

    #[test]
    fn without_close_session_txn_the_end_of_a_session_names_nothing_and_removes_the_same() {
        let mut world = World::new();
        world.cfg.close_session_txn = false;
        world.make("/a", CreateMode::Ephemeral, CreateOp::Create);
        let body = world.ask(&Write::CloseSession);
        assert_eq!(body, TxnBody::CloseSession { paths: Vec::new() });
        assert!(!world.db.tree.contains("/a"));
    }

    #[test]
    fn with_skip_acl_everybody_writes() {
        let mut world = locked(0);
        assert_eq!(
            world.error(&set("/locked", "", -1)),
            Some(ErrorCode::NoAuth)
        );
        world.cfg.rights.skip_acl = true;
        assert_eq!(world.error(&set("/locked", "", -1)), None);
        assert_eq!(world.error(&delete("/locked/a", -1)), None);
    }

    #[test]
    fn a_check_outside_a_multi_is_not_implemented() {
        assert_eq!(
            World::new().error(&check("/", -1)),
            Some(ErrorCode::Unimplemented)
        );
    }

    #[test]
    fn each_operation_of_a_multi_sees_those_before_it() {
        let mut world = World::new();
        let body = world.ask(&Write::Multi(vec![
            Write::Create(create("/m")),
            set("/m", "x", 0),
            check("/m", 1),
            Write::Create(create("/m/a")),
            delete("/m/a", -1),
            delete("/m", 1),
        ]));
        assert_eq!(body.error(), None);
        let TxnBody::Multi(all) = body else {
            panic!("a multi")
        };
        assert_eq!(
            all[2],
            TxnBody::Check {
                path: "/m".into(),
                version: 2
            }
        );
        assert!(!world.db.tree.contains("/m"));
        world.assert_consistent();
    }

    #[test]
    fn a_failed_multi_keeps_those_before_and_marks_those_after() {
        let mut world = World::new();
        let before = world.db.digest();
        let body = world.ask(&Write::Multi(vec![
            Write::Create(create("/m")),
            delete("/no", -1),
            Write::Create(create("bad")),
        ]));
        let TxnBody::Multi(all) = &body else {
            panic!("a multi")
        };
        assert!(matches!(all[0], TxnBody::Create(_)));
        assert_eq!(all[1], TxnBody::Error(ErrorCode::NoNode));
        assert_eq!(all[2], TxnBody::Error(ErrorCode::RuntimeInconsistency));
        assert_eq!(body.error(), Some(ErrorCode::NoNode));
        assert_eq!(world.db.digest(), before);
    }

    #[test]
    fn an_empty_multi_is_legal() {
        assert_eq!(
            World::new().ask(&Write::Multi(vec![])),
            TxnBody::Multi(vec![])
        );
    }

    #[test]
    fn a_multi_may_hold_only_its_seven_operations() {
        let acl = closed(1);
        for op in [
            Write::Multi(vec![]),
            Write::SetAcl {
                path: "/".into(),
                acl,
                version: -1,
            },
            Write::DeleteContainer { path: "/a".into() },
            Write::CloseSession,
            Write::CreateSession { timeout_ms: 1 },
        ] {
            let all = vec![Write::Create(create("/a")), op];
            let error = World::new().ask(&Write::Multi(all));
            assert_eq!(error, TxnBody::Error(ErrorCode::MarshallingError));
        }
    }

    #[test]
    fn check_needs_read_and_the_version() {
        let mut world = locked(perms::ALL & !perms::READ);
        for (op, code) in [
            (check("x", -1), ErrorCode::BadArguments),
            (check("/no", 5), ErrorCode::NoNode),
            (check("/locked", 5), ErrorCode::NoAuth),
            (check("/locked/a", 5), ErrorCode::BadVersion),
        ] {
            assert_eq!(world.error(&Write::Multi(vec![op])), Some(code));
        }
        assert_eq!(
            world.error(&Write::Multi(vec![check("/locked/a", -1)])),
            None
        );
    }

    #[test]
    fn stored_lists_are_normalised() {
        let mut world = World::new();
        world.auth = vec![id("digest", "bob:h")];
        let acl: Arc<[Acl]> = Arc::from([entry(31, "auth", "")]);
        let body = world.ask(&Write::Create(Create {
            acl,
            ..create("/a")
        }));
        let TxnBody::Create(made) = body else {
            panic!("made")
        };
        assert_eq!(*made.acl, [entry(31, "digest", "bob:h")]);
    }

    #[test]
    fn a_proposal_carries_the_digest_that_members_will_find() {
        let mut world = World::new();
        world.create("/a");
        assert_eq!(
            world.log.last().and_then(|txn| txn.digest),
            Some(world.db.digest())
        );
        world.error(&delete("/no", -1));
        assert_eq!(world.log.last().and_then(|txn| txn.digest), None);
        world.cfg.digest = false;
        world.create("/b");
        assert_eq!(world.log.last().and_then(|txn| txn.digest), None);
    }
}

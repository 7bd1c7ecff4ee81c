//! What the local state answers (ZooKeeper.md 1.9).

use crate::{
    config::{Config, Release},
    id::SessionId,
    request::{AddWatchMode, AuthId, ErrorCode, OpResult, Request, Response, WatchKind, perms},
    tree::{Database, Node, acl, path},
};
use std::sync::Arc;

/// Answers what the database alone can answer. Everything else (writes, watches' removal,
/// authentication, the end of a session) is refused with [`ErrorCode::Unimplemented`]: the
/// pipeline does not ask that here.
///
/// # Errors
/// The code for the reply's header.
pub fn read(
    cfg: &Config,
    db: &Database,
    request: &Request,
    session: SessionId,
    auth: &[AuthId],
) -> Result<Response, ErrorCode> {
    match request {
        Request::Ping => Ok(Response::Empty),
        Request::Sync { path } => Ok(Response::Sync(path.clone())),
        Request::AddWatch { .. } => Ok(Response::WatchAdded),
        Request::Exists { path, watch: _ } => {
            // The only read that looks at its path at all.
            if path.contains('\0') {
                return Err(ErrorCode::BadArguments);
            }
            let node = match cfg.release {
                Release::V38 => db.tree.node(path).ok_or(ErrorCode::NoNode)?,
                Release::V39 => readable(cfg, db, path, auth)?,
            };
            Ok(Response::Stat(node.stat()))
        }
        Request::GetData { path, watch: _ } => {
            let node = readable(cfg, db, path, auth)?;
            Ok(Response::Data(node.data().clone(), node.stat()))
        }
        Request::GetAcl { path } => get_acl(cfg, db, path, auth),
        Request::GetChildren {
            path,
            watch: _,
            stat,
        } => {
            let node = readable(cfg, db, path, auth)?;
            let names = node.children().iter().cloned().collect();
            Ok(if *stat {
                Response::ChildrenStat(names, node.stat())
            } else {
                Response::Children(names)
            })
        }
        Request::GetAllChildrenNumber { path } => {
            readable(cfg, db, path, auth)?;
            // Apache's "all nodes - 2" for the root comes to the same: it counts the root twice.
            // The empty path is found as the root there, but counted as a prefix of everything
            // but the empty key.
            let aliases = usize::from(path.is_empty());
            let below = if matches!(&**path, "" | path::ROOT) {
                db.tree.node_count() - 1 + aliases
            } else {
                db.tree.below(path).count()
            };
            Ok(Response::Count(i32::try_from(below).unwrap_or(i32::MAX)))
        }
        Request::GetEphemerals { prefix } => {
            let prefix = prefix.as_deref().unwrap_or_default();
            let all = matches!(prefix.trim(), "" | path::ROOT);
            Ok(Response::Ephemerals(
                db.tree
                    .ephemerals(session)
                    .filter(|path| all || path.starts_with(prefix))
                    .cloned()
                    .collect(),
            ))
        }
        Request::MultiRead(all) => multi_read(cfg, db, all, session, auth),
        Request::WhoAmI => Ok(Response::WhoAmI(auth.iter().map(acl::shown).collect())),
        Request::CheckWatches { .. }
        | Request::RemoveWatches { .. }
        | Request::SetWatches(_)
        | Request::Auth { .. }
        | Request::Sasl { .. }
        | Request::CloseSession
        | Request::Write(_) => Err(ErrorCode::Unimplemented),
        Request::Refused { code, .. } => Err(*code),
    }
}

/// The watch that a request sets, given how it was answered: exists also on a znode that is not
/// there, the others only when they succeeded.
#[must_use]
pub fn watch_of(
    request: &Request,
    result: &Result<Response, ErrorCode>,
) -> Option<(Arc<str>, WatchKind)> {
    match request {
        Request::Exists { path, watch: true }
            if matches!(result, Ok(_) | Err(ErrorCode::NoNode)) =>
        {
            Some((path.clone(), WatchKind::Data))
        }
        Request::GetData { path, watch: true } if result.is_ok() => {
            Some((path.clone(), WatchKind::Data))
        }
        Request::GetChildren {
            path, watch: true, ..
        } if result.is_ok() => Some((path.clone(), WatchKind::Child)),
        Request::AddWatch { path, mode } if result.is_ok() => {
            let kind = match mode {
                AddWatchMode::Persistent => WatchKind::Persistent,
                AddWatchMode::PersistentRecursive => WatchKind::Recursive,
            };
            Some((path.clone(), kind))
        }
        Request::Exists { .. }
        | Request::GetData { .. }
        | Request::GetChildren { .. }
        | Request::AddWatch { .. }
        | Request::Ping
        | Request::GetAcl { .. }
        | Request::GetAllChildrenNumber { .. }
        | Request::GetEphemerals { .. }
        | Request::MultiRead(_)
        | Request::Sync { .. }
        | Request::CheckWatches { .. }
        | Request::RemoveWatches { .. }
        | Request::SetWatches(_)
        | Request::WhoAmI
        | Request::Auth { .. }
        | Request::Sasl { .. }
        | Request::CloseSession
        | Request::Write(_)
        | Request::Refused { .. } => None,
    }
}

fn readable<'a>(
    cfg: &Config,
    db: &'a Database,
    path: &str,
    auth: &[AuthId],
) -> Result<&'a Node, ErrorCode> {
    let node = db.tree.node(path).ok_or(ErrorCode::NoNode)?;
    acl::check(&cfg.rights, node.acl(), perms::READ, auth)?;
    Ok(node)
}

/// READ or ADMIN; without ADMIN the hashes of digests are hidden.
fn get_acl(
    cfg: &Config,
    db: &Database,
    path: &str,
    auth: &[AuthId],
) -> Result<Response, ErrorCode> {
    let node = db.tree.node(path).ok_or(ErrorCode::NoNode)?;
    acl::check(&cfg.rights, node.acl(), perms::READ | perms::ADMIN, auth)?;
    let list = node.shown_acl();
    let list = if acl::allows(&cfg.rights, node.acl(), perms::ADMIN, auth) {
        list
    } else {
        acl::hide_digests(&list)
    };
    Ok(Response::Acl(list, node.stat()))
}

/// The most bytes of data and names in one answer to a multiRead. A request of a mebibyte can ask for a
/// large znode tens of thousands of times; no client reads an answer anywhere near this.
const MULTI_READ_LIMIT: usize = 64 << 20;

/// Each for itself: a failure is an entry. Only getData and getChildren are allowed. What would be
/// larger than [`MULTI_READ_LIMIT`] is refused as a whole.
fn multi_read(
    cfg: &Config,
    db: &Database,
    all: &[Request],
    session: SessionId,
    auth: &[AuthId],
) -> Result<Response, ErrorCode> {
    let mut left = MULTI_READ_LIMIT;
    all.iter()
        .map(|request| {
            match request {
                Request::GetData { .. } | Request::GetChildren { stat: false, .. } => {}
                _ => return Err(ErrorCode::MarshallingError),
            }
            let (result, bytes) = match read(cfg, db, request, session, auth) {
                Ok(Response::Data(data, stat)) => {
                    let bytes = data.as_ref().map_or(0, |data| data.len());
                    (OpResult::Data(data, stat), bytes)
                }
                Ok(Response::Children(names)) => {
                    let bytes = names.iter().map(|name| 4 + name.len()).sum();
                    (OpResult::Children(names), bytes)
                }
                Ok(_) => (OpResult::Error(ErrorCode::RuntimeInconsistency), 0),
                Err(code) => (OpResult::Error(code), 0),
            };
            left = left.checked_sub(bytes).ok_or(ErrorCode::MarshallingError)?;
            Ok(result)
        })
        .collect::<Result<Vec<OpResult>, ErrorCode>>()
        .map(Response::Multi)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        request::{Acl, CreateMode, CreateOp, Write},
        tree::testing::{ME, OTHER, World, create, entry, id},
    };

    fn ask(world: &World, request: &Request) -> Result<Response, ErrorCode> {
        read(&world.cfg, &world.db, request, world.session, &world.auth)
    }

    fn exists(path: &str) -> Request {
        Request::Exists {
            path: path.into(),
            watch: true,
        }
    }

    fn get(path: &str) -> Request {
        Request::GetData {
            path: path.into(),
            watch: true,
        }
    }

    fn list(path: &str, stat: bool) -> Request {
        Request::GetChildren {
            path: path.into(),
            watch: true,
            stat,
        }
    }

    fn count(path: &str) -> Request {
        Request::GetAllChildrenNumber { path: path.into() }
    }

    fn get_acl(path: &str) -> Request {
        Request::GetAcl { path: path.into() }
    }

    /// `/p` grants `perms` to the world and everything to joe.
    fn private(perms: i32) -> World {
        let mut world = World::new();
        let acl: Arc<[Acl]> = Arc::from([
            entry(31, "digest", "joe:h"),
            entry(perms, "world", "anyone"),
        ]);
        let write = Write::Create(crate::request::Create {
            acl,
            ..create("/p")
        });
        assert_eq!(world.error(&write), None);
        world
    }

    #[test]
    fn a_missing_node_is_no_node_however_odd_its_path() {
        let world = World::new();
        for path in ["/no", "odd", "/a//b", "/a/"] {
            for request in [
                exists(path),
                get(path),
                list(path, false),
                count(path),
                get_acl(path),
            ] {
                assert_eq!(ask(&world, &request), Err(ErrorCode::NoNode), "{path}");
            }
        }
    }

    #[test]
    fn the_empty_path_is_the_root() {
        let world = World::new();
        assert_eq!(ask(&world, &exists("")), ask(&world, &exists("/")));
    }

    #[test]
    fn exists_refuses_nul() {
        assert_eq!(
            ask(&World::new(), &exists("/\0")),
            Err(ErrorCode::BadArguments)
        );
    }

    #[test]
    fn every_read_of_a_node_needs_read() {
        let mut world = private(perms::ALL & !perms::READ & !perms::ADMIN);
        for request in [
            exists("/p"),
            get("/p"),
            list("/p", true),
            count("/p"),
            get_acl("/p"),
        ] {
            assert_eq!(ask(&world, &request), Err(ErrorCode::NoAuth), "{request:?}");
        }
        world.auth = vec![id("digest", "joe:h")];
        assert!(ask(&world, &get("/p")).is_ok());
    }

    #[test]
    fn in_3_8_exists_needs_no_permission() {
        let mut world = private(0);
        world.cfg.release = Release::V38;
        assert!(ask(&world, &exists("/p")).is_ok());
        assert_eq!(ask(&world, &get("/p")), Err(ErrorCode::NoAuth));
        assert_eq!(ask(&world, &exists("/no")), Err(ErrorCode::NoNode));
    }

    #[test]
    fn with_skip_acl_everybody_reads_and_sees_hashes() {
        let mut world = private(0);
        world.cfg.rights.skip_acl = true;
        assert!(ask(&world, &get("/p")).is_ok());
        let Ok(Response::Acl(list, _)) = ask(&world, &get_acl("/p")) else {
            panic!("acl")
        };
        assert_eq!(&*list[0].id, "joe:h");
    }

    #[test]
    fn get_acl_needs_read_or_admin_and_hides_hashes_without_admin() {
        let shown = |world: &World| match ask(world, &get_acl("/p")) {
            Ok(Response::Acl(list, _)) => list[0].id.to_string(),
            other => panic!("{other:?}"),
        };
        assert_eq!(shown(&private(perms::READ)), "joe:x");
        assert_eq!(shown(&private(perms::ADMIN)), "joe:h");
    }

    #[test]
    fn a_node_without_list_shows_the_open_one() {
        let Ok(Response::Acl(list, stat)) = ask(&World::new(), &get_acl("/")) else {
            panic!("acl")
        };
        assert_eq!(list, acl::open());
        assert_eq!(stat.num_children, 1);
    }

    #[test]
    fn children_are_sorted_names() {
        let mut world = World::new();
        for path in ["/a", "/a/c", "/a/b", "/a/b/x"] {
            world.create(path);
        }
        let names = vec![Arc::from("b"), Arc::from("c")];
        assert_eq!(
            ask(&world, &list("/a", false)),
            Ok(Response::Children(names.clone()))
        );
        let stat = world.db.tree.stat("/a").expect("made");
        assert_eq!(
            ask(&world, &list("/a", true)),
            Ok(Response::ChildrenStat(names, stat))
        );
    }

    #[test]
    fn all_children_number_counts_descendants_only() {
        let mut world = World::new();
        assert_eq!(
            ask(&world, &count("/")),
            Ok(Response::Count(3)),
            "Apache: 5 keys - 2"
        );
        for path in ["/a", "/a/b", "/a/b/c", "/a-b", "/ab"] {
            world.create(path);
        }
        assert_eq!(ask(&world, &count("/a")), Ok(Response::Count(2)));
        assert_eq!(ask(&world, &count("/a/b/c")), Ok(Response::Count(0)));
        assert_eq!(ask(&world, &count("/")), Ok(Response::Count(8)));
    }

    #[test]
    fn ephemerals_are_this_sessions_by_prefix_of_strings() {
        let mut world = World::new();
        for (session, path) in [(ME, "/ab"), (ME, "/b"), (OTHER, "/ac")] {
            world.session = session;
            world.make(path, CreateMode::Ephemeral, CreateOp::Create);
        }
        world.session = ME;
        let of = |prefix: Option<&str>| {
            ask(
                &world,
                &Request::GetEphemerals {
                    prefix: prefix.map(Arc::from),
                },
            )
        };
        let all = Ok(Response::Ephemerals(vec!["/ab".into(), "/b".into()]));
        for everything in [None, Some(""), Some("  "), Some("/"), Some(" / ")] {
            assert_eq!(of(everything), all);
        }
        assert_eq!(of(Some("/a")), Ok(Response::Ephemerals(vec!["/ab".into()])));
    }

    #[test]
    fn who_am_i_shows_users_not_hashes() {
        let mut world = World::new();
        world.auth = vec![id("ip", "::1"), id("digest", "joe:h"), id("super", "")];
        let shown = vec![id("ip", "::1"), id("digest", "joe"), id("super", "")];
        assert_eq!(ask(&world, &Request::WhoAmI), Ok(Response::WhoAmI(shown)));
    }

    #[test]
    fn reads_of_a_multi_read_are_independent() {
        let world = World::new();
        let all = vec![get("/no"), list("/zookeeper", false)];
        let Ok(Response::Multi(results)) = ask(&world, &Request::MultiRead(all)) else {
            panic!("a multi");
        };
        assert_eq!(results[0], OpResult::Error(ErrorCode::NoNode));
        assert!(matches!(&results[1], OpResult::Children(names) if names.len() == 2));
    }

    #[test]
    fn a_multi_read_holds_only_get_data_and_get_children() {
        let world = World::new();
        for odd in [
            exists("/"),
            list("/", true),
            Request::Ping,
            Request::MultiRead(vec![]),
        ] {
            let error = ask(&world, &Request::MultiRead(vec![get("/"), odd]));
            assert_eq!(error, Err(ErrorCode::MarshallingError));
        }
    }

    #[test]
    fn a_multi_read_never_answers_with_more_than_its_limit() {
        let mut world = World::new();
        world.create("/large");
        world.ask(&Write::SetData {
            path: "/large".into(),
            data: Some(vec![b'x'; 1 << 20].into()),
            version: -1,
        });
        let asked = |times| ask(&world, &Request::MultiRead(vec![get("/large"); times]));
        assert!(matches!(asked(64), Ok(Response::Multi(all)) if all.len() == 64));
        assert_eq!(asked(65), Err(ErrorCode::MarshallingError));
    }

    #[test]
    fn exists_watches_what_is_not_there_and_others_do_not() {
        let world = private(0);
        let watch = |request: &Request| watch_of(request, &ask(&world, request));
        let data = |path: &str| Some((Arc::from(path), WatchKind::Data));
        assert_eq!(watch(&exists("/no")), data("/no"));
        assert_eq!(watch(&exists("/")), data("/"));
        assert_eq!(watch(&exists("/p")), None, "no permission, no watch");
        assert_eq!(watch(&get("/no")), None);
        assert_eq!(watch(&get("/")), data("/"));
        assert_eq!(watch(&list("/no", true)), None);
        assert_eq!(
            watch(&list("/", true)),
            Some((Arc::from("/"), WatchKind::Child))
        );
        assert_eq!(
            watch(&Request::Exists {
                path: "/".into(),
                watch: false
            }),
            None
        );
    }

    #[test]
    fn add_watch_needs_no_node() {
        let world = World::new();
        let request = Request::AddWatch {
            path: "/no".into(),
            mode: AddWatchMode::PersistentRecursive,
        };
        let result = ask(&world, &request);
        assert_eq!(result, Ok(Response::WatchAdded));
        assert_eq!(
            watch_of(&request, &result),
            Some(("/no".into(), WatchKind::Recursive))
        );
    }

    #[test]
    fn a_multi_read_sets_no_watch() {
        let request = Request::MultiRead(vec![get("/")]);
        assert_eq!(watch_of(&request, &ask(&World::new(), &request)), None);
    }

    #[test]
    fn what_changes_something_is_not_a_read() {
        let world = World::new();
        assert_eq!(
            ask(&world, &Request::CloseSession),
            Err(ErrorCode::Unimplemented)
        );
    }
}

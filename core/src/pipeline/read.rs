//! What the local state answers (ZooKeeper.md 1.9).

use crate::{
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
            Ok(Response::Stat(readable(db, path, auth)?.stat()))
        }
        Request::GetData { path, watch: _ } => {
            let node = readable(db, path, auth)?;
            Ok(Response::Data(node.data().clone(), node.stat()))
        }
        Request::GetAcl { path } => get_acl(db, path, auth),
        Request::GetChildren {
            path,
            watch: _,
            stat,
        } => {
            let node = readable(db, path, auth)?;
            let names = node.children().iter().cloned().collect();
            Ok(if *stat {
                Response::ChildrenStat(names, node.stat())
            } else {
                Response::Children(names)
            })
        }
        Request::GetAllChildrenNumber { path } => {
            readable(db, path, auth)?;
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
        Request::MultiRead(all) => multi_read(db, all, session, auth),
        Request::WhoAmI => Ok(Response::WhoAmI(auth.iter().map(acl::shown).collect())),
        Request::CheckWatches { .. }
        | Request::RemoveWatches { .. }
        | Request::SetWatches(_)
        | Request::Auth { .. }
        | Request::CloseSession
        | Request::Write(_) => Err(ErrorCode::Unimplemented),
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
        | Request::CloseSession
        | Request::Write(_) => None,
    }
}

fn readable<'a>(db: &'a Database, path: &str, auth: &[AuthId]) -> Result<&'a Node, ErrorCode> {
    let node = db.tree.node(path).ok_or(ErrorCode::NoNode)?;
    acl::check(node.acl(), perms::READ, auth)?;
    Ok(node)
}

/// READ or ADMIN; without ADMIN the hashes of digests are hidden.
fn get_acl(db: &Database, path: &str, auth: &[AuthId]) -> Result<Response, ErrorCode> {
    let node = db.tree.node(path).ok_or(ErrorCode::NoNode)?;
    acl::check(node.acl(), perms::READ | perms::ADMIN, auth)?;
    let list = node.shown_acl();
    let list = if acl::allows(node.acl(), perms::ADMIN, auth) {
        list
    } else {
        acl::hide_digests(&list)
    };
    Ok(Response::Acl(list, node.stat()))
}

/// Each for itself: a failure is an entry. Only getData and getChildren are allowed.
fn multi_read(
    db: &Database,
    all: &[Request],
    session: SessionId,
    auth: &[AuthId],
) -> Result<Response, ErrorCode> {
    all.iter()
        .map(|request| {
            match request {
                Request::GetData { .. } | Request::GetChildren { stat: false, .. } => {}
                _ => return Err(ErrorCode::MarshallingError),
            }
            Ok(match read(db, request, session, auth) {
                Ok(Response::Data(data, stat)) => OpResult::Data(data, stat),
                Ok(Response::Children(names)) => OpResult::Children(names),
                Ok(_) => OpResult::Error(ErrorCode::RuntimeInconsistency),
                Err(code) => OpResult::Error(code),
            })
        })
        .collect::<Result<Vec<OpResult>, ErrorCode>>()
        .map(Response::Multi)
}

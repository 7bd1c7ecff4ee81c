//! What becomes of a write: the leader's checks, in ZooKeeper's order (ZooKeeper.md 1.8, 1.12).

use crate::{
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
    /// `extendedTypesEnabled`: whether TTL nodes may be made.
    pub extended_types: bool,
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
        Write::CloseSession => TxnBody::CloseSession {
            paths: predicted
                .tree
                .ephemerals(ctx.header.session)
                .cloned()
                .collect(),
        },
        // Refused before it comes here; it has a meaning only inside a multi.
        Write::Check { .. } => TxnBody::Error(ErrorCode::Unimplemented),
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
/// every server must arrive at. Failures carry none, as in Apache.
pub fn predict(predicted: &mut Database, header: TxnHeader, body: TxnBody) -> Txn {
    let mut txn = Txn {
        header,
        body,
        digest: None,
    };
    predicted.apply(&txn);
    if !matches!(txn.body, TxnBody::Error(_)) {
        txn.digest = Some(predicted.digest());
    }
    txn
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
            | Write::CreateSession { .. }
            | Write::CloseSession => return TxnBody::Error(ErrorCode::MarshallingError),
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
            acl::check(node.acl(), perms::WRITE, ctx.auth)?;
            Ok(TxnBody::SetData {
                path: path.clone(),
                data: data.clone(),
                version: next_version(node.persisted().version, *version)?,
            })
        }
        Write::SetAcl { path, acl, version } => {
            path::validate(path)?;
            let stored = acl::normalise(acl, ctx.auth)?;
            let node = node(db, path)?;
            acl::check(node.acl(), perms::ADMIN, ctx.auth)?;
            Ok(TxnBody::SetAcl {
                path: path.clone(),
                acl: stored,
                version: next_version(node.persisted().aversion, *version)?,
            })
        }
        Write::Check { path, version } => {
            path::validate(path)?;
            let node = node(db, path)?;
            acl::check(node.acl(), perms::READ, ctx.auth)?;
            Ok(TxnBody::Check {
                path: path.clone(),
                version: next_version(node.persisted().version, *version)?,
            })
        }
        Write::DeleteContainer { path } => delete_container(db, path),
        Write::Multi(_) | Write::CreateSession { .. } | Write::CloseSession => {
            Err(ErrorCode::MarshallingError)
        }
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
    let acl: Arc<[Acl]> = acl::normalise(&create.acl, ctx.auth)?;
    let parent = node(db, parent_path)?;
    acl::check(parent.acl(), perms::CREATE, ctx.auth)?;
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
    if create.mode.is_ttl() && !ctx.extended_types {
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
    acl::check(parent.acl(), perms::DELETE, ctx.auth)?;
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

//! A leader in miniature for the tests: it prepares each write on its database and applies it.

use super::{Applied, Database, acl};
use crate::{
    config::{Config, Membership},
    id::{ServerId, SessionId, Zxid},
    pipeline::prepare::{Context, predict, prepare},
    request::{Acl, AuthId, Create, CreateMode, CreateOp, ErrorCode, Response, Write},
    time::Span,
    txn::{Data, Txn, TxnBody, TxnHeader},
};
use std::sync::Arc;

pub(crate) const ME: SessionId = SessionId(0x100_0000_0000_0001);
pub(crate) const OTHER: SessionId = SessionId(0x100_0000_0000_0002);

pub(crate) struct World {
    pub db: Database,
    pub log: Vec<Txn>,
    pub session: SessionId,
    pub auth: Vec<AuthId>,
    pub cfg: Config,
}

pub(crate) fn data(text: &str) -> Data {
    Some(Arc::from(text.as_bytes()))
}

pub(crate) fn id(scheme: &str, id: &str) -> AuthId {
    AuthId {
        scheme: scheme.into(),
        id: id.into(),
    }
}

pub(crate) fn entry(perms: i32, scheme: &str, id: &str) -> Acl {
    Acl {
        perms,
        scheme: scheme.into(),
        id: id.into(),
    }
}

pub(crate) fn create(path: &str) -> Create {
    Create {
        path: path.into(),
        data: data(""),
        acl: acl::open(),
        mode: CreateMode::Persistent,
        op: CreateOp::Create,
    }
}

pub(crate) fn set(path: &str, text: &str, version: i32) -> Write {
    Write::SetData {
        path: path.into(),
        data: data(text),
        version,
    }
}

pub(crate) fn delete(path: &str, version: i32) -> Write {
    Write::Delete {
        path: path.into(),
        version,
    }
}

pub(crate) fn check(path: &str, version: i32) -> Write {
    Write::Check {
        path: path.into(),
        version,
    }
}

impl World {
    /// Sessions [`ME`] and [`OTHER`] are open; `ME` asks.
    pub fn new() -> World {
        let mut world = World {
            db: Database::new(),
            log: Vec::new(),
            session: ME,
            auth: Vec::new(),
            cfg: Config {
                extended_types: true,
                ..Config::new(ServerId(1), Membership::simple(1, 0), Span::millis(2000))
            },
        };
        for session in [OTHER, ME] {
            world.session = session;
            world.ask(&Write::CreateSession { timeout_ms: 4000 });
        }
        world
    }

    pub fn ask(&mut self, write: &Write) -> TxnBody {
        let zxid = Zxid(self.db.last_processed.0 + 1);
        let ctx = Context {
            header: TxnHeader {
                session: self.session,
                cxid: 1,
                zxid,
                time_ms: 1000 * zxid.0,
            },
            auth: &self.auth,
            cfg: &self.cfg,
        };
        let body = prepare(&self.db, write, &ctx);
        let txn = predict(&mut self.db, ctx.header, body, self.cfg.digest);
        self.log.push(txn.clone());
        txn.body
    }

    /// The error that a write meets.
    pub fn error(&mut self, write: &Write) -> Option<ErrorCode> {
        self.ask(write).error()
    }

    pub fn create(&mut self, path: &str) {
        assert_eq!(self.error(&Write::Create(create(path))), None, "{path}");
    }

    pub fn make(&mut self, path: &str, mode: CreateMode, op: CreateOp) -> Option<ErrorCode> {
        self.error(&Write::Create(Create {
            mode,
            op,
            ..create(path)
        }))
    }

    pub fn delete(&mut self, path: &str) {
        assert_eq!(self.error(&delete(path, -1)), None, "{path}");
    }

    /// Applies a body as it is, as a member does.
    pub fn apply(&mut self, body: TxnBody) -> Applied {
        let zxid = Zxid(self.db.last_processed.0 + 1);
        self.db.apply(&self.txn(zxid, body))
    }

    pub fn txn(&self, zxid: Zxid, body: TxnBody) -> Txn {
        Txn {
            header: TxnHeader {
                session: self.session,
                cxid: 1,
                zxid,
                time_ms: 1000 * zxid.0,
            },
            body,
            digest: None,
        }
    }

    /// Everything that is kept beside the nodes is what the nodes say.
    pub fn assert_consistent(&self) {
        let tree = &self.db.tree;
        assert_eq!(tree.digest(), tree.recomputed_digest());
        assert_eq!(tree.nodes().count(), tree.node_count());
        assert_eq!(
            tree.data_bytes(),
            tree.nodes().map(|(at, node)| node.bytes(at)).sum::<u64>()
        );
        let lists = tree.nodes().filter(|(_, node)| !node.acl().is_empty());
        assert_eq!(
            tree.acls().map(|(_, nodes)| nodes).sum::<usize>(),
            lists.count()
        );
        let owned = tree
            .nodes()
            .filter(|(_, node)| node.owner().session().is_some());
        assert_eq!(tree.ephemeral_count(), owned.count());
    }
}

pub(crate) fn path_of(result: &Result<Response, ErrorCode>) -> &str {
    match result {
        Ok(Response::Path(path) | Response::PathStat(path, _)) => path,
        other => panic!("expected a path, found {other:?}"),
    }
}

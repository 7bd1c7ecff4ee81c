//! Logs that Apache ZooKeeper 3.8.0 wrote, replayed: every digest must be the one it recorded.

use serde_json::Value;
use std::sync::Arc;
use zabscope_core::{
    id::{SessionId, Zxid},
    request::{Acl, ErrorCode},
    tree::{Database, Owner},
    txn::{CreateKind, CreateTxn, Data, Txn, TxnBody, TxnHeader},
};

const FIRST: &str = include_str!("fixtures/files-log.1.jsonl");
const SECOND: &str = include_str!("fixtures/files-log.1e.jsonl");

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().expect("the fixture has this text")
}

fn number(value: &Value, key: &str) -> i64 {
    match &value[key] {
        Value::String(hex) => i64::from_str_radix(hex.trim_start_matches("0x"), 16)
            .expect("the fixture has hex numbers"),
        other => other.as_i64().expect("the fixture has this number"),
    }
}

fn int(value: &Value, key: &str) -> i32 {
    i32::try_from(number(value, key)).expect("an i32")
}

fn path(value: &Value) -> Arc<str> {
    text(value, "path").into()
}

fn data(value: &Value) -> Data {
    value["data"].as_str().map(|d| Arc::from(d.as_bytes()))
}

fn acl(value: &Value) -> Arc<[Acl]> {
    let list = value["acl"].as_array().expect("the fixture has an ACL");
    list.iter()
        .map(|entry| Acl {
            perms: int(entry, "perms"),
            scheme: text(entry, "scheme").into(),
            id: text(entry, "id").into(),
        })
        .collect()
}

fn error(code: i64) -> ErrorCode {
    [
        ErrorCode::RuntimeInconsistency,
        ErrorCode::NoNode,
        ErrorCode::BadVersion,
        ErrorCode::NoChildrenForEphemerals,
        ErrorCode::NodeExists,
        ErrorCode::NotEmpty,
        ErrorCode::InvalidAcl,
        ErrorCode::ReconfigDisabled,
    ]
    .into_iter()
    .find(|known| i64::from(known.code()) == code)
    .expect("a known error code")
}

fn body(kind: &str, r: &Value) -> TxnBody {
    let create = |kind| {
        TxnBody::Create(CreateTxn {
            path: path(r),
            data: data(r),
            acl: acl(r),
            parent_cversion: int(r, "parentCVersion"),
            kind,
        })
    };
    let plain = |create2| match r["ephemeral"].as_bool() {
        Some(true) => CreateKind::Ephemeral { create2 },
        _ => CreateKind::Persistent { create2 },
    };
    match kind {
        "createSession" => TxnBody::CreateSession {
            timeout_ms: int(r, "timeOut"),
        },
        "closeSession" => TxnBody::CloseSession {
            paths: r["paths2Delete"]
                .as_array()
                .expect("paths")
                .iter()
                .map(|path| path.as_str().expect("a path").into())
                .collect(),
        },
        "create" => create(plain(false)),
        "create2" => create(plain(true)),
        "createContainer" => create(CreateKind::Container),
        "createTTL" => create(CreateKind::Ttl {
            ttl_ms: number(r, "ttl"),
        }),
        "delete" => TxnBody::Delete {
            path: path(r),
            container: false,
        },
        "setData" => TxnBody::SetData {
            path: path(r),
            data: data(r),
            version: int(r, "version"),
        },
        "setACL" => TxnBody::SetAcl {
            path: path(r),
            acl: acl(r),
            version: int(r, "version"),
        },
        "check" => TxnBody::Check {
            path: path(r),
            version: int(r, "version"),
        },
        "multi" => TxnBody::Multi(
            r["txns"]
                .as_array()
                .expect("transactions")
                .iter()
                .map(|txn| body(text(txn, "type"), txn))
                .collect(),
        ),
        "error" => TxnBody::Error(error(number(r, "err"))),
        other => panic!("unknown transaction type {other}"),
    }
}

fn records(log: &str) -> Vec<Txn> {
    log.lines()
        .map(|line| {
            let record: Value = serde_json::from_str(line).expect("a line of JSON");
            let header = &record["header"];
            Txn {
                header: TxnHeader {
                    session: SessionId(number(header, "clientId")),
                    cxid: int(header, "cxid"),
                    zxid: Zxid(number(header, "zxid")),
                    time_ms: number(header, "time"),
                },
                body: body(text(&record, "type"), &record["record"]),
                digest: record["digest"]
                    .is_object()
                    .then(|| number(&record["digest"], "treeDigest") as u64),
            }
        })
        .collect()
}

fn replay(db: &mut Database, log: &[Txn]) {
    for txn in log {
        db.apply(txn);
        if let Some(digest) = txn.digest {
            assert_eq!(db.digest(), digest, "after {:?}", txn.zxid());
        }
        assert_eq!(db.last_processed, txn.zxid());
    }
}

#[test]
fn every_digest_of_a_real_log_is_ours() {
    let mut db = Database::new();
    let (first, second) = (records(FIRST), records(SECOND));
    assert_eq!((first.len(), second.len()), (29, 2));
    replay(&mut db, &first);
    assert_eq!(db.digest(), 0x6_8b85_3d00);
    replay(&mut db, &second);
    assert_eq!(db.digest(), 0x7_c2ab_08ab);
    assert_eq!(db.digest(), db.tree.recomputed_digest());
}

#[test]
fn the_tree_of_a_real_log_is_that_of_the_snapshot_after_it() {
    let mut db = Database::new();
    replay(&mut db, &records(FIRST));
    let sessions: Vec<i64> = db.sessions.keys().map(|session| session.0).collect();
    assert_eq!(sessions, [0x100_003c_074a_0000, 0x100_003c_074a_0002]);
    let t = db.tree.node("/t").expect("in the snapshot");
    assert_eq!(t.persisted().cversion, 11);
    assert_eq!(t.persisted().pzxid, Zxid(0x17));
    assert_eq!(t.persisted().version, 1);
    let owner = |path| db.tree.node(path).expect("in the snapshot").owner();
    assert_eq!(owner("/t/cont"), Owner::Container);
    assert_eq!(owner("/t/ttl"), Owner::Ttl(3_600_000));
    assert_eq!(
        owner("/t/e"),
        Owner::Ephemeral(SessionId(0x100_003c_074a_0000))
    );
    assert_eq!(
        db.tree.node("/t/null").map(|node| node.data().clone()),
        Some(None)
    );
    assert!(!db.tree.contains("/t/f"), "of the failed multi");
}

#[test]
fn a_real_log_replayed_on_its_own_end_changes_nothing() {
    let mut db = Database::new();
    let log = records(FIRST);
    replay(&mut db, &log);
    let end = db.clone();
    for txn in &log {
        db.apply(txn);
    }
    assert_eq!(db, end);
}

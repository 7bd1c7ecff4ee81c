//! Transaction logs.

use super::{Files, Verdict, complain, text};
use serde_json::{Map, Value, json};
use std::{
    fs::File,
    io::{self, Write},
    path::Path,
};
use zabscope_core::{
    txn::{CreateKind, Txn, TxnBody},
    wire::txnlog::{LogEnd, LogError, LogReader, Record},
};

pub fn dump(files: &Files, file: &Path, out: &mut dyn Write) -> io::Result<Verdict> {
    let input = match File::open(file) {
        Ok(input) => input,
        Err(error) => return complain(files, file, out, &error, Verdict::Unreadable),
    };
    let mut reader = match LogReader::open(input, files.limit(), None) {
        Ok(reader) => reader,
        Err(error @ (LogError::Magic { .. } | LogError::Io { .. })) => {
            return complain(files, file, out, &error, Verdict::Unreadable);
        }
        Err(error) => return complain(files, file, out, &error, Verdict::Damaged),
    };
    if !files.json {
        writeln!(out, "{}: transaction log", file.display())?;
    }
    let mut count = 0u64;
    for record in reader.by_ref() {
        match record {
            Ok(record) => {
                count += 1;
                match files.json {
                    true => writeln!(out, "{}", as_json(&record))?,
                    false => writeln!(out, "{}", line(&record.txn))?,
                }
            }
            Err(error) => {
                let verdict = match error {
                    LogError::Io { .. } => Verdict::Unreadable,
                    _ => Verdict::Damaged,
                };
                let why = format!("{error}; {count} transactions before it are whole");
                return complain(files, file, out, &why, verdict);
            }
        }
    }
    match reader.end() {
        Some(LogEnd::Torn { at, why }) => {
            let why = format!(
                "torn at byte {at}: {why}. After a crash the newest log may end so, and the server cuts it \
                 there; {count} transactions before it are whole"
            );
            complain(files, file, out, &why, Verdict::Damaged)
        }
        Some(LogEnd::Clean { at }) if files.json => {
            let name = file.display().to_string();
            let line = json!({ "file": name, "end": "clean", "at": at, "transactions": count });
            writeln!(out, "{line}")?;
            Ok(Verdict::Whole)
        }
        _ => {
            writeln!(out, "EOF reached after {count} txns.")?;
            Ok(Verdict::Whole)
        }
    }
}

/// As Apache's TxnLogToolkit: when, who, which, what.
pub fn line(txn: &Txn) -> String {
    let header = &txn.header;
    let digest = txn
        .digest
        .map_or(String::new(), |digest| format!(" digest {digest:#x}"));
    format!(
        "{} session {:#x} cxid {:#x} zxid {} {}{digest}",
        text::time(header.time_ms),
        header.session.0,
        header.cxid,
        header.zxid,
        body(&txn.body)
    )
}

fn name(body: &TxnBody) -> &'static str {
    match body {
        TxnBody::CreateSession { .. } => "createSession",
        TxnBody::CloseSession { .. } => "closeSession",
        TxnBody::Create(create) => match create.kind {
            CreateKind::Persistent { create2: true } | CreateKind::Ephemeral { create2: true } => {
                "create2"
            }
            CreateKind::Persistent { .. } | CreateKind::Ephemeral { .. } => "create",
            CreateKind::Container => "createContainer",
            CreateKind::Ttl { .. } => "createTTL",
        },
        TxnBody::Delete {
            container: true, ..
        } => "deleteContainer",
        TxnBody::Delete { .. } => "delete",
        TxnBody::SetData { .. } => "setData",
        TxnBody::Reconfig { .. } => "reconfig",
        TxnBody::SetAcl { .. } => "setACL",
        TxnBody::Check { .. } => "check",
        TxnBody::Multi(_) => "multi",
        TxnBody::Error(_) => "error",
    }
}

fn body(of: &TxnBody) -> String {
    let rest = match of {
        TxnBody::CreateSession { timeout_ms } => timeout_ms.to_string(),
        TxnBody::CloseSession { paths } => {
            let all: Vec<String> = paths.iter().map(|path| text::plain(path)).collect();
            format!("[{}]", all.join(" "))
        }
        TxnBody::Create(create) => {
            let kind = match create.kind {
                CreateKind::Ephemeral { .. } => " ephemeral".into(),
                CreateKind::Ttl { ttl_ms } => format!(" ttl {ttl_ms}"),
                CreateKind::Persistent { .. } | CreateKind::Container => String::new(),
            };
            format!(
                "{} {} [{}]{kind} parentCVersion {}",
                text::plain(&create.path),
                text::short_data(&create.data),
                text::acls(&create.acl),
                create.parent_cversion
            )
        }
        TxnBody::Delete { path, .. } => text::plain(path),
        TxnBody::SetData {
            path,
            data,
            version,
        } => {
            format!(
                "{} {} version {version}",
                text::plain(path),
                text::short_data(data)
            )
        }
        TxnBody::Reconfig { data, version } => {
            format!("{} version {version}", text::short_data(data))
        }
        TxnBody::SetAcl { path, acl, version } => {
            format!(
                "{} [{}] version {version}",
                text::plain(path),
                text::acls(acl)
            )
        }
        TxnBody::Check { path, version } => format!("{} version {version}", text::plain(path)),
        TxnBody::Multi(all) => {
            let all: Vec<String> = all.iter().map(body).collect();
            format!("[{}]", all.join("; "))
        }
        TxnBody::Error(code) => format!("{} {code:?}", code.code()),
    };
    format!("{} {rest}", name(of))
}

fn as_json(record: &Record) -> Value {
    let header = &record.txn.header;
    let mut line = json!({
        "at": record.at,
        "bytes": record.end - record.at,
        "time_ms": header.time_ms,
        "time": text::time(header.time_ms),
        "session": format!("{:#x}", header.session.0),
        "cxid": header.cxid,
        "zxid": header.zxid.to_string(),
        "digest": record.txn.digest.map(|digest| format!("{digest:#x}")),
    });
    if let Some(line) = line.as_object_mut() {
        line.extend(body_json(&record.txn.body));
    }
    line
}

fn body_json(of: &TxnBody) -> Map<String, Value> {
    let acls = |list: &[_]| -> Vec<String> { list.iter().map(text::acl).collect() };
    let rest = match of {
        TxnBody::CreateSession { timeout_ms } => json!({ "timeout_ms": timeout_ms }),
        TxnBody::CloseSession { paths } => json!({ "paths": paths }),
        TxnBody::Create(create) => json!({
            "path": create.path,
            "data": text::base64(&create.data),
            "acl": acls(&create.acl),
            "ephemeral": matches!(create.kind, CreateKind::Ephemeral { .. }),
            "ttl_ms": match create.kind {
                CreateKind::Ttl { ttl_ms } => Some(ttl_ms),
                CreateKind::Persistent { .. } | CreateKind::Ephemeral { .. } | CreateKind::Container => None,
            },
            "parent_cversion": create.parent_cversion,
        }),
        TxnBody::Delete { path, .. } => json!({ "path": path }),
        TxnBody::SetData {
            path,
            data,
            version,
        } => {
            json!({ "path": path, "data": text::base64(data), "version": version })
        }
        TxnBody::Reconfig { data, version } => {
            json!({ "data": text::base64(data), "version": version })
        }
        TxnBody::SetAcl { path, acl, version } => {
            json!({ "path": path, "acl": acls(acl), "version": version })
        }
        TxnBody::Check { path, version } => json!({ "path": path, "version": version }),
        TxnBody::Multi(all) => {
            let all: Vec<Value> = all.iter().map(|one| body_json(one).into()).collect();
            json!({ "operations": all })
        }
        TxnBody::Error(code) => json!({ "code": code.code(), "name": format!("{code:?}") }),
    };
    let mut line = Map::new();
    line.insert("type".into(), name(of).into());
    if let Value::Object(rest) = rest {
        line.extend(rest);
    }
    line
}

//! Requests and answers as one types and reads them. The words are those of ZooKeeper's command line,
//! the same in both languages.

use std::sync::Arc;
use zabscope_core::request::{Request, Response, Write};

/// A request as one types it.
#[must_use]
pub fn request_text(request: &Request) -> String {
    let text = |data: &Option<Arc<[u8]>>| {
        data.as_ref()
            .map(|d| String::from_utf8_lossy(&d[..d.len().min(40)]).into_owned())
            .unwrap_or_default()
    };
    match request {
        Request::Ping => "ping".to_owned(),
        Request::Exists { path, .. } => format!("exists {path}"),
        Request::GetData { path, watch: false } => format!("get {path}"),
        Request::GetData { path, watch: true } => format!("get -w {path}"),
        Request::GetAcl { path } => format!("getAcl {path}"),
        Request::GetChildren { path, .. } => format!("ls {path}"),
        Request::GetAllChildrenNumber { path } => format!("getAllChildrenNumber {path}"),
        Request::GetEphemerals { .. } => "getEphemerals".to_owned(),
        Request::MultiRead(_) => "multiRead".to_owned(),
        Request::Sync { path } => format!("sync {path}"),
        Request::AddWatch { path, .. } => format!("addWatch {path}"),
        Request::CheckWatches { path, .. } => format!("checkWatches {path}"),
        Request::RemoveWatches { path, .. } => format!("removeWatches {path}"),
        Request::SetWatches(_) => "setWatches".to_owned(),
        Request::WhoAmI => "whoAmI".to_owned(),
        Request::Auth { scheme, .. } => format!("addauth {scheme}"),
        Request::Sasl { .. } => "sasl".to_owned(),
        Request::CloseSession => "close".to_owned(),
        Request::Refused { opcode, .. } => format!("opcode {opcode}"),
        Request::Write(write) => match write {
            Write::Create(c) => {
                let flags = match (c.mode.is_ephemeral(), c.mode.is_sequential()) {
                    (false, false) => "",
                    (true, false) => "-e ",
                    (false, true) => "-s ",
                    (true, true) => "-s -e ",
                };
                format!("create {flags}{} {}", c.path, text(&c.data))
            }
            Write::Delete { path, .. } => format!("delete {path}"),
            Write::SetData { path, data, .. } => format!("set {path} {}", text(data)),
            Write::SetAcl { path, .. } => format!("setAcl {path}"),
            Write::Check { path, .. } => format!("check {path}"),
            Write::Multi(all) => format!("multi of {}", all.len()),
            Write::DeleteContainer { path } => format!("deleteContainer {path}"),
            Write::Reconfig { .. } => "reconfig".to_owned(),
            Write::Unreadable { opcode, .. } => format!("unreadable opcode {opcode}"),
            Write::CreateSession { .. } => "createSession".to_owned(),
            Write::CloseSession => "closeSession".to_owned(),
        },
    }
}

/// What a server answered, as one reads it.
#[must_use]
pub fn response_text(response: &Response) -> String {
    match response {
        Response::Empty => "ok".to_owned(),
        Response::Stat(stat) => format!("version {}", stat.version),
        Response::Path(path) | Response::PathStat(path, _) | Response::Sync(path) => {
            path.to_string()
        }
        Response::Data(data, _) => match data {
            Some(data) => String::from_utf8_lossy(&data[..data.len().min(80)]).into_owned(),
            None => "null".to_owned(),
        },
        Response::Acl(list, _) => format!("{} entries", list.len()),
        Response::Children(names)
        | Response::ChildrenStat(names, _)
        | Response::Ephemerals(names) => format!("[{}]", names.join(", ")),
        Response::Count(n) => n.to_string(),
        Response::WatchAdded => "ok".to_owned(),
        Response::WhoAmI(ids) => format!("{} identities", ids.len()),
        Response::Multi(all) => format!("{} results", all.len()),
        Response::Sasl(_) => "token".to_owned(),
    }
}

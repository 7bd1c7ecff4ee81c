//! What a simulated client can ask for.

use crate::{
    request::{Request, Write},
    sim::world::ActError,
};

/// Whether a client library can send this at all.
pub(crate) fn askable(request: &Request) -> Result<(), ActError> {
    let no = |why| Err(ActError::NotAskable(why));
    match request {
        Request::Ping => no("it pings by itself"),
        Request::SetWatches(_) => no("it sets its watches again by itself"),
        Request::MultiRead(all) => match all
            .iter()
            .all(|r| matches!(r, Request::GetData { .. } | Request::GetChildren { .. }))
        {
            true => Ok(()),
            false => no("a multiRead holds getData and getChildren only"),
        },
        Request::Write(write) => match write {
            Write::Multi(all) => match all.iter().all(|w| {
                matches!(
                    w,
                    Write::Create(_)
                        | Write::Delete { .. }
                        | Write::SetData { .. }
                        | Write::Check { .. }
                )
            }) {
                true => Ok(()),
                false => no("a multi holds create, delete, setData and check only"),
            },
            Write::Check { .. } => no("check stands in a multi only"),
            Write::DeleteContainer { .. } | Write::CreateSession { .. } | Write::CloseSession => {
                no("only the server itself does that")
            }
            Write::Unreadable { .. } => no("it writes what can be read"),
            Write::Create(_)
            | Write::Delete { .. }
            | Write::SetData { .. }
            | Write::SetAcl { .. }
            | Write::Reconfig { .. } => Ok(()),
        },
        Request::Refused { .. } => no("it writes what can be read"),
        Request::Exists { .. }
        | Request::GetData { .. }
        | Request::GetAcl { .. }
        | Request::GetChildren { .. }
        | Request::GetAllChildrenNumber { .. }
        | Request::GetEphemerals { .. }
        | Request::Sync { .. }
        | Request::AddWatch { .. }
        | Request::CheckWatches { .. }
        | Request::RemoveWatches { .. }
        | Request::WhoAmI
        | Request::Auth { .. }
        | Request::Sasl { .. }
        | Request::CloseSession => Ok(()),
    }
}

/// About how many bytes a request has on the wire.
pub(crate) fn request_bytes(request: &Request) -> u64 {
    let data = |d: &crate::txn::Data| d.as_ref().map_or(0, |d| d.len());
    let acl = |list: &[crate::request::Acl]| -> usize {
        list.iter().map(|a| 12 + a.scheme.len() + a.id.len()).sum()
    };
    fn write_bytes(
        write: &Write,
        data: &impl Fn(&crate::txn::Data) -> usize,
        acl: &impl Fn(&[crate::request::Acl]) -> usize,
    ) -> usize {
        16 + match write {
            Write::Create(c) => c.path.len() + data(&c.data) + acl(&c.acl),
            Write::SetData { path, data: d, .. } => path.len() + data(d),
            Write::SetAcl {
                path, acl: list, ..
            } => path.len() + acl(list),
            Write::Delete { path, .. }
            | Write::Check { path, .. }
            | Write::DeleteContainer { path } => path.len(),
            Write::Multi(all) => all.iter().map(|w| write_bytes(w, data, acl)).sum(),
            Write::Reconfig {
                joining,
                leaving,
                new_members,
                ..
            } => [joining, leaving, new_members]
                .into_iter()
                .map(|t| t.as_ref().map_or(0, |t| t.len()))
                .sum(),
            Write::Unreadable { body, .. } => body.len(),
            Write::CreateSession { .. } | Write::CloseSession => 0,
        }
    }
    let bytes = match request {
        Request::GetEphemerals { prefix } => prefix.as_ref().map_or(0, |p| p.len()),
        Request::MultiRead(all) => all.iter().map(|r| request_bytes(r) as usize).sum(),
        Request::Auth { scheme, auth } => scheme.len() + auth.len(),
        Request::Sasl { token, .. } => data(token),
        Request::Refused { body, .. } => body.len(),
        Request::Write(write) => write_bytes(write, &data, &acl),
        other => other.path().map_or(0, |path| path.len()),
    };
    bytes as u64 + 16
}

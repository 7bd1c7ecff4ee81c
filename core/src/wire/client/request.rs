//! Requests: RequestHeader and record (ZooKeeper.md 1.2, 1.8, 1.12).
//!
//! What can't be read is still a request: clients expect answers in the order of what they asked. A
//! write becomes [`Write::Unreadable`], all else [`Request::Refused`]. Bytes after a record are
//! ignored and strings are read as Java does, with U+FFFD for what is no UTF-8: a path of that kind
//! is then refused where all odd paths are (1.6).

use super::super::{
    jute::{DecodeError, Reader, Writer},
    opcode,
    record::write_acls,
};
use super::xid;
use crate::{
    id::Zxid,
    request::{
        Acl, AddWatchMode, Create, CreateMode, CreateOp, ErrorCode, Request, SaslOutcome,
        SetWatches, WatcherType, Write,
    },
};
use std::sync::Arc;

/// The least that an ACL entry takes: permissions and two empty strings.
const SMALLEST_ACL: usize = 12;

/// Reads a frame: its xid and what is asked for. No string or buffer may be longer than `limit`.
///
/// An error means that there is nothing to answer to (not even a header, or an auth or sasl packet
/// that can't be read): the connection ends without a word.
pub fn decode_request(frame: &[u8], limit: usize) -> Result<(i32, Request), DecodeError> {
    let mut r = Reader::new(frame, limit);
    let xid = r.i32("xid")?;
    let opcode = r.i32("opcode")?;
    let body = r.clone();
    let refused = |code, close| Request::Refused {
        opcode,
        body: body.clone().rest().into(),
        code,
        close,
    };
    let request = match opcode {
        // Its reply carries this xid whatever the client chose.
        opcode::PING => return Ok((xid::PING, Request::Ping)),
        opcode::CLOSE_SESSION => Request::CloseSession,
        opcode::WHO_AM_I => Request::WhoAmI,
        opcode::AUTH => {
            r.i32("type of an auth packet")?;
            Request::Auth {
                scheme: r.lossy("scheme")?.unwrap_or_default(),
                auth: r.buffer("auth")?.unwrap_or_default().into(),
            }
        }
        opcode::SASL => Request::Sasl {
            token: r.data("token")?,
            outcome: SaslOutcome::NotConfigured,
        },
        opcode::CREATE
        | opcode::CREATE2
        | opcode::CREATE_CONTAINER
        | opcode::CREATE_TTL
        | opcode::DELETE
        | opcode::SET_DATA
        | opcode::SET_ACL
        | opcode::RECONFIG
        | opcode::MULTI => Request::Write(read_write(opcode, &mut r)),
        opcode::EXISTS
        | opcode::GET_DATA
        | opcode::GET_ACL
        | opcode::GET_CHILDREN
        | opcode::GET_CHILDREN2
        | opcode::GET_ALL_CHILDREN_NUMBER
        | opcode::GET_EPHEMERALS
        | opcode::MULTI_READ
        | opcode::SYNC
        | opcode::ADD_WATCH
        | opcode::CHECK_WATCHES
        | opcode::REMOVE_WATCHES
        | opcode::SET_WATCHES
        | opcode::SET_WATCHES2 => match read(opcode, &mut r) {
            Ok(request) => request,
            Err(_) => refused(ErrorCode::MarshallingError, false),
        },
        // Also what only servers may ask for, and check outside of a multi.
        _ => refused(ErrorCode::Unimplemented, true),
    };
    Ok((xid, request))
}

/// Reads the record of a read, a sync, or a request about watches.
fn read(opcode: i32, r: &mut Reader<'_>) -> Result<Request, DecodeError> {
    Ok(match opcode {
        opcode::EXISTS => Request::Exists {
            path: path(r)?,
            watch: r.bool("watch")?,
        },
        opcode::GET_DATA => Request::GetData {
            path: path(r)?,
            watch: r.bool("watch")?,
        },
        opcode::GET_CHILDREN | opcode::GET_CHILDREN2 => Request::GetChildren {
            path: path(r)?,
            watch: r.bool("watch")?,
            stat: opcode == opcode::GET_CHILDREN2,
        },
        opcode::GET_ACL => Request::GetAcl { path: path(r)? },
        opcode::GET_ALL_CHILDREN_NUMBER => Request::GetAllChildrenNumber { path: path(r)? },
        opcode::GET_EPHEMERALS => Request::GetEphemerals {
            prefix: r.lossy("prefixPath")?,
        },
        opcode::SYNC => Request::Sync { path: path(r)? },
        opcode::ADD_WATCH => Request::AddWatch {
            path: path(r)?,
            mode: numbered(
                r,
                "mode of addWatch",
                [AddWatchMode::Persistent, AddWatchMode::PersistentRecursive],
                |mode| mode as i32,
            )?,
        },
        opcode::CHECK_WATCHES => Request::CheckWatches {
            path: path(r)?,
            kind: watcher_type(r)?,
        },
        opcode::REMOVE_WATCHES => Request::RemoveWatches {
            path: path(r)?,
            kind: watcher_type(r)?,
        },
        opcode::SET_WATCHES | opcode::SET_WATCHES2 => {
            let mut lists = SetWatches {
                relative_zxid: Zxid(r.i64("relativeZxid")?),
                data: paths(r)?,
                exist: paths(r)?,
                child: paths(r)?,
                persistent: Vec::new(),
                recursive: Vec::new(),
            };
            if opcode == opcode::SET_WATCHES2 {
                lists.persistent = paths(r)?;
                lists.recursive = paths(r)?;
            }
            Request::SetWatches(Box::new(lists))
        }
        opcode::MULTI_READ => {
            let mut all = Vec::new();
            while let Some(opcode) = next_of_multi(r)? {
                match opcode {
                    opcode::GET_DATA | opcode::GET_CHILDREN => all.push(read(opcode, r)?),
                    _ => return Err(not_allowed(r, opcode)),
                }
            }
            Request::MultiRead(all)
        }
        _ => return Err(not_allowed(r, opcode)),
    })
}

/// Why a write can't be read.
enum Unreadable {
    /// Its bytes are no record of its kind.
    Bytes,
    /// The flags of a create name no mode.
    Flags,
}

impl From<DecodeError> for Unreadable {
    fn from(_: DecodeError) -> Unreadable {
        Unreadable::Bytes
    }
}

/// Reads the record of a write, to the end of the input if it can't be read.
pub(crate) fn read_write(opcode: i32, r: &mut Reader<'_>) -> Write {
    let mut whole = r.clone();
    let code = match opcode {
        opcode::MULTI => match multi(r) {
            Ok(all) => return Write::Multi(all),
            // Malformed as a whole, wrong flags included.
            Err(Unreadable::Bytes | Unreadable::Flags) => ErrorCode::MarshallingError,
        },
        _ => match single(opcode, r) {
            Ok(write) => return write,
            Err(Unreadable::Flags) => ErrorCode::BadArguments,
            Err(Unreadable::Bytes) => ErrorCode::MarshallingError,
        },
    };
    Write::Unreadable {
        opcode,
        body: whole.rest().into(),
        code,
    }
}

fn single(opcode: i32, r: &mut Reader<'_>) -> Result<Write, Unreadable> {
    Ok(match opcode {
        opcode::CREATE | opcode::CREATE2 | opcode::CREATE_CONTAINER | opcode::CREATE_TTL => {
            Write::Create(create(opcode, r)?)
        }
        opcode::DELETE => Write::Delete {
            path: path(r)?,
            version: r.i32("version")?,
        },
        opcode::SET_DATA => Write::SetData {
            path: path(r)?,
            data: r.data("data")?,
            version: r.i32("version")?,
        },
        opcode::SET_ACL => Write::SetAcl {
            path: path(r)?,
            acl: acls(r)?,
            version: r.i32("version")?,
        },
        opcode::CHECK => Write::Check {
            path: path(r)?,
            version: r.i32("version")?,
        },
        opcode::RECONFIG => Write::Reconfig {
            joining: r.lossy("joiningServers")?,
            leaving: r.lossy("leavingServers")?,
            new_members: r.lossy("newMembers")?,
            cur_config_id: r.i64("curConfigId")?,
        },
        opcode::DELETE_CONTAINER => Write::DeleteContainer { path: path(r)? },
        opcode::CREATE_SESSION => Write::CreateSession {
            timeout_ms: r.i32("timeOut")?,
        },
        opcode::CLOSE_SESSION => Write::CloseSession,
        _ => return Err(not_allowed(r, opcode).into()),
    })
}

fn create(opcode: i32, r: &mut Reader<'_>) -> Result<Create, Unreadable> {
    let at = r.at();
    let path = r.lossy("path")?;
    let data = r.data("data")?;
    let acl = acls(r)?;
    // Apache looks at the flags before it looks at the path, so they are the reason that it gives.
    let flags = r.i32("flags")?;
    let op = match opcode {
        opcode::CREATE2 => CreateOp::Create2,
        opcode::CREATE_CONTAINER => CreateOp::Container,
        opcode::CREATE_TTL => CreateOp::Ttl(r.i64("ttl")?),
        _ => CreateOp::Create,
    };
    let mode = create_mode(flags).ok_or(Unreadable::Flags)?;
    Ok(Create {
        path: path.ok_or(DecodeError::Null { what: "path", at })?,
        data,
        acl,
        mode,
        op,
    })
}

fn create_mode(flags: i32) -> Option<CreateMode> {
    [
        CreateMode::Persistent,
        CreateMode::Ephemeral,
        CreateMode::PersistentSequential,
        CreateMode::EphemeralSequential,
        CreateMode::Container,
        CreateMode::PersistentWithTtl,
        CreateMode::PersistentSequentialWithTtl,
    ]
    .into_iter()
    .find(|mode| *mode as i32 == flags)
}

fn multi(r: &mut Reader<'_>) -> Result<Vec<Write>, Unreadable> {
    let mut all = Vec::new();
    while let Some(opcode) = next_of_multi(r)? {
        match opcode {
            opcode::CREATE
            | opcode::CREATE2
            | opcode::CREATE_CONTAINER
            | opcode::CREATE_TTL
            | opcode::DELETE
            | opcode::SET_DATA
            | opcode::CHECK => all.push(in_multi(single(opcode, r)?)),
            _ => return Err(not_allowed(r, opcode).into()),
        }
    }
    Ok(all)
}

/// `[Q]` In a multi the flags say what is created, not the opcode (`getOpcode` in Apache's
/// Op.Create): with those of a container it is one, unlike outside of a multi (1.8).
fn in_multi(write: Write) -> Write {
    match write {
        Write::Create(Create {
            path,
            data,
            acl,
            mode: mode @ CreateMode::Container,
            op: CreateOp::Create | CreateOp::Create2,
        }) => Write::Create(Create {
            path,
            data,
            acl,
            mode,
            op: CreateOp::Container,
        }),
        other => other,
    }
}

/// The opcode of a MultiHeader; `None` at the end. Its `err` means nothing in a request.
fn next_of_multi(r: &mut Reader<'_>) -> Result<Option<i32>, DecodeError> {
    let opcode = r.i32("type of a multi's operation")?;
    let done = r.bool("end of a multi")?;
    r.i32("err of a multi's operation")?;
    Ok((!done).then_some(opcode))
}

fn not_allowed(r: &Reader<'_>, opcode: i32) -> DecodeError {
    DecodeError::Unknown {
        what: "operation that may stand here",
        at: r.at(),
        value: opcode.into(),
    }
}

fn path(r: &mut Reader<'_>) -> Result<Arc<str>, DecodeError> {
    let at = r.at();
    r.lossy("path")?
        .ok_or(DecodeError::Null { what: "path", at })
}

fn paths(r: &mut Reader<'_>) -> Result<Vec<Arc<str>>, DecodeError> {
    let at = r.at();
    let what = "list of watched paths";
    let count = r.count(what, 4)?.ok_or(DecodeError::Null { what, at })?;
    (0..count).map(|_| path(r)).collect()
}

/// A list that is null counts as empty, and so does a text in it: neither is a valid ACL (1.15).
fn acls(r: &mut Reader<'_>) -> Result<Arc<[Acl]>, DecodeError> {
    let count = r.count("ACL", SMALLEST_ACL)?.unwrap_or(0);
    (0..count)
        .map(|_| {
            Ok(Acl {
                perms: r.i32("permissions of an ACL entry")?,
                scheme: r.lossy("scheme of an ACL entry")?.unwrap_or_default(),
                id: r.lossy("id of an ACL entry")?.unwrap_or_default(),
            })
        })
        .collect()
}

fn watcher_type(r: &mut Reader<'_>) -> Result<WatcherType, DecodeError> {
    let all = [
        WatcherType::Children,
        WatcherType::Data,
        WatcherType::Any,
        WatcherType::Persistent,
        WatcherType::PersistentRecursive,
    ];
    numbered(r, "type of watch", all, |kind| kind as i32)
}

/// The one of `all` whose number comes next.
fn numbered<T: Copy, const N: usize>(
    r: &mut Reader<'_>,
    what: &'static str,
    all: [T; N],
    number: impl Fn(T) -> i32,
) -> Result<T, DecodeError> {
    let at = r.at();
    let value = r.i32(what)?;
    all.into_iter()
        .find(|one| number(*one) == value)
        .ok_or(DecodeError::Unknown {
            what,
            at,
            value: value.into(),
        })
}

/// The number that a request goes by.
#[must_use]
pub fn opcode_of(request: &Request) -> i32 {
    match request {
        Request::Ping => opcode::PING,
        Request::Exists { .. } => opcode::EXISTS,
        Request::GetData { .. } => opcode::GET_DATA,
        Request::GetAcl { .. } => opcode::GET_ACL,
        Request::GetChildren { stat: false, .. } => opcode::GET_CHILDREN,
        Request::GetChildren { stat: true, .. } => opcode::GET_CHILDREN2,
        Request::GetAllChildrenNumber { .. } => opcode::GET_ALL_CHILDREN_NUMBER,
        Request::GetEphemerals { .. } => opcode::GET_EPHEMERALS,
        Request::MultiRead(_) => opcode::MULTI_READ,
        Request::Sync { .. } => opcode::SYNC,
        Request::AddWatch { .. } => opcode::ADD_WATCH,
        Request::CheckWatches { .. } => opcode::CHECK_WATCHES,
        Request::RemoveWatches { .. } => opcode::REMOVE_WATCHES,
        // Like Java's client: the newer one only for what the older one can't say.
        Request::SetWatches(lists) if lists.persistent.is_empty() && lists.recursive.is_empty() => {
            opcode::SET_WATCHES
        }
        Request::SetWatches(_) => opcode::SET_WATCHES2,
        Request::WhoAmI => opcode::WHO_AM_I,
        Request::Auth { .. } => opcode::AUTH,
        Request::Sasl { .. } => opcode::SASL,
        Request::CloseSession => opcode::CLOSE_SESSION,
        Request::Write(write) => write_opcode(write),
        Request::Refused { opcode, .. } => *opcode,
    }
}

pub(crate) fn write_opcode(write: &Write) -> i32 {
    match write {
        Write::Create(create) => match create.op {
            CreateOp::Create => opcode::CREATE,
            CreateOp::Create2 => opcode::CREATE2,
            CreateOp::Container => opcode::CREATE_CONTAINER,
            CreateOp::Ttl(_) => opcode::CREATE_TTL,
        },
        Write::Delete { .. } => opcode::DELETE,
        Write::SetData { .. } => opcode::SET_DATA,
        Write::SetAcl { .. } => opcode::SET_ACL,
        Write::Check { .. } => opcode::CHECK,
        Write::Multi(_) => opcode::MULTI,
        Write::Reconfig { .. } => opcode::RECONFIG,
        Write::DeleteContainer { .. } => opcode::DELETE_CONTAINER,
        Write::CreateSession { .. } => opcode::CREATE_SESSION,
        Write::CloseSession => opcode::CLOSE_SESSION,
        Write::Unreadable { opcode, .. } => *opcode,
    }
}

/// Writes a frame's body: header and record.
pub fn encode_request(xid: i32, request: &Request, out: &mut Vec<u8>) {
    out.put_i32(xid);
    out.put_i32(opcode_of(request));
    record(request, out);
}

fn record(request: &Request, out: &mut Vec<u8>) {
    match request {
        Request::Ping | Request::CloseSession | Request::WhoAmI => {}
        Request::Exists { path, watch }
        | Request::GetData { path, watch }
        | Request::GetChildren { path, watch, .. } => {
            out.put_str(path);
            out.put_bool(*watch);
        }
        Request::GetAcl { path }
        | Request::GetAllChildrenNumber { path }
        | Request::Sync { path } => out.put_str(path),
        Request::GetEphemerals { prefix } => {
            out.put_buffer(prefix.as_ref().map(|prefix| prefix.as_bytes()));
        }
        Request::MultiRead(all) => {
            for read in all {
                put_multi_header(opcode_of(read), out);
                record(read, out);
            }
            end_multi(out);
        }
        Request::AddWatch { path, mode } => {
            out.put_str(path);
            out.put_i32(*mode as i32);
        }
        Request::CheckWatches { path, kind } | Request::RemoveWatches { path, kind } => {
            out.put_str(path);
            out.put_i32(*kind as i32);
        }
        Request::SetWatches(lists) => {
            out.put_i64(lists.relative_zxid.0);
            out.put_strs(&lists.data);
            out.put_strs(&lists.exist);
            out.put_strs(&lists.child);
            if opcode_of(request) == opcode::SET_WATCHES2 {
                out.put_strs(&lists.persistent);
                out.put_strs(&lists.recursive);
            }
        }
        Request::Auth { scheme, auth } => {
            out.put_i32(0);
            out.put_str(scheme);
            out.put_buffer(Some(auth));
        }
        Request::Sasl { token, .. } => out.put_buffer(token.as_deref()),
        Request::Write(write) => write_body(write, out),
        Request::Refused { body, .. } => out.extend_from_slice(body),
    }
}

/// Writes the record of a write.
pub(crate) fn write_body(write: &Write, out: &mut Vec<u8>) {
    match write {
        Write::Create(create) => {
            out.put_str(&create.path);
            out.put_buffer(create.data.as_deref());
            write_acls(&create.acl, out);
            out.put_i32(create.mode as i32);
            if let CreateOp::Ttl(ttl) = create.op {
                out.put_i64(ttl);
            }
        }
        Write::Delete { path, version } | Write::Check { path, version } => {
            out.put_str(path);
            out.put_i32(*version);
        }
        Write::SetData {
            path,
            data,
            version,
        } => {
            out.put_str(path);
            out.put_buffer(data.as_deref());
            out.put_i32(*version);
        }
        Write::SetAcl { path, acl, version } => {
            out.put_str(path);
            write_acls(acl, out);
            out.put_i32(*version);
        }
        Write::Multi(all) => {
            for write in all {
                put_multi_header(write_opcode(write), out);
                write_body(write, out);
            }
            end_multi(out);
        }
        Write::Reconfig {
            joining,
            leaving,
            new_members,
            cur_config_id,
        } => {
            for text in [joining, leaving, new_members] {
                out.put_buffer(text.as_ref().map(|text| text.as_bytes()));
            }
            out.put_i64(*cur_config_id);
        }
        Write::DeleteContainer { path } => out.put_str(path),
        Write::CreateSession { timeout_ms } => out.put_i32(*timeout_ms),
        Write::CloseSession => {}
        Write::Unreadable { body, .. } => out.extend_from_slice(body),
    }
}

fn put_multi_header(opcode: i32, out: &mut Vec<u8>) {
    out.put_i32(opcode);
    out.put_bool(false);
    out.put_i32(-1);
}

/// The header that ends a multi, in requests and in replies.
pub(super) fn end_multi(out: &mut Vec<u8>) {
    out.put_i32(opcode::ERROR);
    out.put_bool(true);
    out.put_i32(-1);
}

//! Replies and watch events: ReplyHeader and record (ZooKeeper.md 1.2, 1.3, 1.11, 1.12).

use super::super::{
    jute::{DecodeError, Reader, Writer},
    opcode,
    record::{read_acls, read_error, read_id, write_acls, write_id},
};
use super::{request::end_multi, xid};
use crate::{
    id::Zxid,
    request::{
        ErrorCode, OpResult, Reply, Response, Stat, WatchEvent, WatchEventKind as EventKind,
    },
};
use std::sync::Arc;

/// The state that a server's events carry: SyncConnected.
const CONNECTED: i32 = 3;

/// The least that an identity takes: two empty strings.
const SMALLEST_ID: usize = 8;

/// What the header of a watch event says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventZxid {
    /// The zxid of the transaction that it tells of (3.9).
    OfTransaction,
    /// -1 (3.8).
    None,
}

/// What a server says to a client after the session began.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FromServer {
    /// A watch rings.
    Event(WatchEvent),
    /// An answer.
    Reply(Reply),
}

/// Writes the body of a reply's frame. A failure is a header only.
pub fn encode_reply(reply: &Reply, out: &mut Vec<u8>) {
    let err = reply.result.as_ref().err().map_or(0, |code| code.code());
    header(reply.xid, reply.zxid, err, out);
    if let Ok(response) = &reply.result {
        record(response, out);
    }
}

/// Writes the body of a watch event's frame.
pub fn encode_event(event: &WatchEvent, zxid: EventZxid, out: &mut Vec<u8>) {
    let zxid = match zxid {
        EventZxid::OfTransaction => event.zxid,
        EventZxid::None => Zxid::UNINITIALISED,
    };
    header(xid::EVENT, zxid, 0, out);
    out.put_i32(event.kind as i32);
    out.put_i32(CONNECTED);
    out.put_str(&event.path);
}

fn header(xid: i32, zxid: Zxid, err: i32, out: &mut Vec<u8>) {
    out.put_i32(xid);
    out.put_i64(zxid.0);
    out.put_i32(err);
}

fn record(response: &Response, out: &mut Vec<u8>) {
    match response {
        Response::Empty => {}
        Response::Stat(stat) => write_stat(stat, out),
        Response::Path(path) | Response::Sync(path) => out.put_str(path),
        Response::PathStat(path, stat) => {
            out.put_str(path);
            write_stat(stat, out);
        }
        Response::Data(data, stat) => {
            out.put_buffer(data.as_deref());
            write_stat(stat, out);
        }
        Response::Acl(acls, stat) => {
            write_acls(acls, out);
            write_stat(stat, out);
        }
        Response::Children(names) | Response::Ephemerals(names) => out.put_strs(names),
        Response::ChildrenStat(names, stat) => {
            out.put_strs(names);
            write_stat(stat, out);
        }
        Response::Count(count) => out.put_i32(*count),
        // An ErrorResponse that says that there is none.
        Response::WatchAdded => out.put_i32(0),
        Response::WhoAmI(ids) => {
            out.put_len(ids.len());
            for id in ids {
                write_id(id, out);
            }
        }
        Response::Sasl(token) => out.put_buffer(token.as_deref()),
        Response::Multi(all) => {
            for result in all {
                write_result(result, out);
            }
            end_multi(out);
        }
    }
}

fn write_result(result: &OpResult, out: &mut Vec<u8>) {
    let mut multi_header = |opcode: i32, err: i32| {
        out.put_i32(opcode);
        out.put_bool(false);
        out.put_i32(err);
    };
    match result {
        OpResult::Create { path } => {
            multi_header(opcode::CREATE, 0);
            out.put_str(path);
        }
        OpResult::Create2 { path, stat } => {
            multi_header(opcode::CREATE2, 0);
            out.put_str(path);
            write_stat(stat, out);
        }
        OpResult::SetData(stat) => {
            multi_header(opcode::SET_DATA, 0);
            write_stat(stat, out);
        }
        OpResult::SetAcl(stat) => {
            multi_header(opcode::SET_ACL, 0);
            write_stat(stat, out);
        }
        OpResult::Delete => multi_header(opcode::DELETE, 0),
        OpResult::Check => multi_header(opcode::CHECK, 0),
        OpResult::Data(data, stat) => {
            multi_header(opcode::GET_DATA, 0);
            out.put_buffer(data.as_deref());
            write_stat(stat, out);
        }
        OpResult::Children(names) => {
            multi_header(opcode::GET_CHILDREN, 0);
            out.put_strs(names);
        }
        OpResult::Error(code) => {
            multi_header(opcode::ERROR, code.code());
            out.put_i32(code.code());
        }
    }
}

/// Reads what a server sent. `opcode_of` says what was asked with an xid: a reply does not. Bytes
/// after the record are ignored, as by other clients.
pub fn decode_from_server(
    frame: &[u8],
    limit: usize,
    opcode_of: impl FnOnce(i32) -> Option<i32>,
) -> Result<FromServer, DecodeError> {
    let mut r = Reader::new(frame, limit);
    match r.i32("xid")? {
        xid::EVENT => event(&mut r).map(FromServer::Event),
        xid => match opcode_of(xid) {
            Some(opcode) => decode_reply(frame, limit, opcode).map(FromServer::Reply),
            None => Err(DecodeError::Unknown {
                what: "xid of a request that is open",
                at: 0,
                value: xid.into(),
            }),
        },
    }
}

fn event(r: &mut Reader<'_>) -> Result<WatchEvent, DecodeError> {
    let zxid = Zxid(r.i64("zxid")?);
    r.i32("err")?;
    let at = r.at();
    let number = r.i32("type of event")?;
    let kind = [
        EventKind::NodeCreated,
        EventKind::NodeDeleted,
        EventKind::NodeDataChanged,
        EventKind::NodeChildrenChanged,
    ]
    .into_iter()
    .find(|kind| *kind as i32 == number)
    .ok_or(DecodeError::Unknown {
        what: "type of event",
        at,
        value: number.into(),
    })?;
    let at = r.at();
    match r.i32("state of an event")? {
        CONNECTED => Ok(WatchEvent {
            kind,
            path: r.text("path")?,
            zxid,
        }),
        state => Err(DecodeError::Unknown {
            what: "state that a server's event has",
            at,
            value: state.into(),
        }),
    }
}

/// Reads a reply to a request of this opcode.
pub fn decode_reply(frame: &[u8], limit: usize, opcode: i32) -> Result<Reply, DecodeError> {
    let mut r = Reader::new(frame, limit);
    let xid = r.i32("xid")?;
    let zxid = Zxid(r.i64("zxid")?);
    let result = match read_error(&mut r)? {
        ErrorCode::Ok => Ok(response(opcode, &mut r)?),
        code => Err(code),
    };
    Ok(Reply { xid, zxid, result })
}

fn response(opcode: i32, r: &mut Reader<'_>) -> Result<Response, DecodeError> {
    Ok(match opcode {
        opcode::PING
        | opcode::DELETE
        | opcode::DELETE_CONTAINER
        | opcode::AUTH
        | opcode::CLOSE_SESSION
        | opcode::SET_WATCHES
        | opcode::SET_WATCHES2
        | opcode::CHECK_WATCHES
        | opcode::REMOVE_WATCHES => Response::Empty,
        // check, alone: only up to 3.9.2.
        opcode::EXISTS | opcode::SET_DATA | opcode::SET_ACL | opcode::CHECK => {
            Response::Stat(read_stat(r)?)
        }
        opcode::CREATE => Response::Path(r.text("path")?),
        opcode::CREATE2 | opcode::CREATE_CONTAINER | opcode::CREATE_TTL => {
            Response::PathStat(r.text("path")?, read_stat(r)?)
        }
        opcode::GET_DATA | opcode::RECONFIG => Response::Data(r.data("data")?, read_stat(r)?),
        opcode::GET_ACL => Response::Acl(read_acls(r)?, read_stat(r)?),
        opcode::GET_CHILDREN => Response::Children(names(r)?),
        opcode::GET_CHILDREN2 => Response::ChildrenStat(names(r)?, read_stat(r)?),
        opcode::GET_EPHEMERALS => Response::Ephemerals(names(r)?),
        opcode::GET_ALL_CHILDREN_NUMBER => Response::Count(r.i32("number of descendants")?),
        opcode::SYNC => Response::Sync(r.text("path")?),
        opcode::ADD_WATCH => {
            r.i32("err of addWatch")?;
            Response::WatchAdded
        }
        opcode::WHO_AM_I => {
            let count = r.count("identities", SMALLEST_ID)?.unwrap_or(0);
            Response::WhoAmI((0..count).map(|_| read_id(r)).collect::<Result<_, _>>()?)
        }
        opcode::SASL => Response::Sasl(r.data("token")?),
        opcode::MULTI | opcode::MULTI_READ => {
            let mut all = Vec::new();
            while let Some(result) = read_result(r)? {
                all.push(result);
            }
            Response::Multi(all)
        }
        _ => {
            return Err(DecodeError::Unknown {
                what: "opcode that has replies",
                at: 0,
                value: opcode.into(),
            });
        }
    })
}

/// One entry of a multi's reply; `None` at its end.
fn read_result(r: &mut Reader<'_>) -> Result<Option<OpResult>, DecodeError> {
    let at = r.at();
    let opcode = r.i32("type of a multi's result")?;
    let done = r.bool("end of a multi")?;
    r.i32("err of a multi's result")?;
    if done {
        return Ok(None);
    }
    Ok(Some(match opcode {
        opcode::CREATE => OpResult::Create {
            path: r.text("path")?,
        },
        opcode::CREATE2 => OpResult::Create2 {
            path: r.text("path")?,
            stat: read_stat(r)?,
        },
        opcode::SET_DATA => OpResult::SetData(read_stat(r)?),
        opcode::SET_ACL => OpResult::SetAcl(read_stat(r)?),
        opcode::DELETE => OpResult::Delete,
        opcode::CHECK => OpResult::Check,
        opcode::GET_DATA => OpResult::Data(r.data("data")?, read_stat(r)?),
        opcode::GET_CHILDREN => OpResult::Children(names(r)?),
        // The header says the same.
        opcode::ERROR => OpResult::Error(read_error(r)?),
        _ => {
            return Err(DecodeError::Unknown {
                what: "result of a multi",
                at,
                value: opcode.into(),
            });
        }
    }))
}

fn names(r: &mut Reader<'_>) -> Result<Vec<Arc<str>>, DecodeError> {
    let count = r.count("names", 4)?.unwrap_or(0);
    (0..count).map(|_| r.text("name")).collect()
}

/// Stat, 68 bytes.
fn read_stat(r: &mut Reader<'_>) -> Result<Stat, DecodeError> {
    Ok(Stat {
        czxid: Zxid(r.i64("czxid")?),
        mzxid: Zxid(r.i64("mzxid")?),
        ctime: r.i64("ctime")?,
        mtime: r.i64("mtime")?,
        version: r.i32("version")?,
        cversion: r.i32("cversion")?,
        aversion: r.i32("aversion")?,
        ephemeral_owner: r.i64("ephemeralOwner")?,
        data_length: r.i32("dataLength")?,
        num_children: r.i32("numChildren")?,
        pzxid: Zxid(r.i64("pzxid")?),
    })
}

/// Stat, 68 bytes.
fn write_stat(stat: &Stat, out: &mut Vec<u8>) {
    out.put_i64(stat.czxid.0);
    out.put_i64(stat.mzxid.0);
    out.put_i64(stat.ctime);
    out.put_i64(stat.mtime);
    out.put_i32(stat.version);
    out.put_i32(stat.cversion);
    out.put_i32(stat.aversion);
    out.put_i64(stat.ephemeral_owner);
    out.put_i32(stat.data_length);
    out.put_i32(stat.num_children);
    out.put_i64(stat.pzxid.0);
}

//! Transactions as the log, PROPOSAL and INFORM carry them: header, record, digest
//! (ZooKeeper.md 4.2).

use super::{
    jute::{DecodeError, Reader, Writer},
    record::{read_acls, read_error, write_acls},
};
use crate::{
    id::{SessionId, Zxid},
    tree::path,
    txn::{CreateKind, CreateTxn, Txn, TxnBody, TxnHeader},
};
use std::sync::Arc;

/// The bytes of a header.
pub const HEADER_BYTES: usize = 32;
/// The version of our digest (4.7); others are read over.
const DIGEST_VERSION: i32 = 2;
const DIGEST_BYTES: usize = 12;
/// The least that a transaction inside a multi takes: its type and an empty record's length.
const SMALLEST_IN_MULTI: usize = 8;

/// The numbers of the types, in headers and in multis.
mod kind {
    pub const CREATE_SESSION: i32 = -10;
    pub const CLOSE_SESSION: i32 = -11;
    pub const ERROR: i32 = -1;
    pub const CREATE: i32 = 1;
    pub const DELETE: i32 = 2;
    pub const SET_DATA: i32 = 5;
    pub const SET_ACL: i32 = 7;
    pub const CHECK: i32 = 13;
    pub const MULTI: i32 = 14;
    pub const CREATE2: i32 = 15;
    pub const RECONFIG: i32 = 16;
    pub const CREATE_CONTAINER: i32 = 19;
    pub const DELETE_CONTAINER: i32 = 20;
    pub const CREATE_TTL: i32 = 21;
}

/// Writes a transaction: 32 bytes of header, the record, 12 bytes of digest if it has one.
pub fn encode(txn: &Txn, out: &mut Vec<u8>) {
    let header = &txn.header;
    out.put_i64(header.session.0);
    out.put_i32(header.cxid);
    out.put_i64(header.zxid.0);
    out.put_i64(header.time_ms);
    out.put_i32(number(&txn.body));
    encode_body(&txn.body, out);
    if let Some(digest) = txn.digest {
        out.put_i32(DIGEST_VERSION);
        // The 64 bits of the sum; Java has no unsigned longs.
        out.put_i64(digest as i64);
    }
}

fn number(body: &TxnBody) -> i32 {
    match body {
        TxnBody::CreateSession { .. } => kind::CREATE_SESSION,
        TxnBody::CloseSession { .. } => kind::CLOSE_SESSION,
        TxnBody::Create(create) => {
            match create.kind {
                CreateKind::Persistent { create2 } | CreateKind::Ephemeral { create2 } => {
                    if create2 { kind::CREATE2 } else { kind::CREATE }
                }
                CreateKind::Container => kind::CREATE_CONTAINER,
                CreateKind::Ttl { .. } => kind::CREATE_TTL,
            }
        }
        TxnBody::Delete { container, .. } => {
            if *container {
                kind::DELETE_CONTAINER
            } else {
                kind::DELETE
            }
        }
        TxnBody::SetData { .. } => kind::SET_DATA,
        TxnBody::Reconfig { .. } => kind::RECONFIG,
        TxnBody::SetAcl { .. } => kind::SET_ACL,
        TxnBody::Check { .. } => kind::CHECK,
        TxnBody::Multi(_) => kind::MULTI,
        TxnBody::Error(_) => kind::ERROR,
    }
}

fn encode_body(body: &TxnBody, out: &mut Vec<u8>) {
    match body {
        TxnBody::CreateSession { timeout_ms } => out.put_i32(*timeout_ms),
        TxnBody::CloseSession { paths } => out.put_strs(paths),
        TxnBody::Create(create) => {
            out.put_str(&create.path);
            out.put_buffer(create.data.as_deref());
            write_acls(&create.acl, out);
            match create.kind {
                CreateKind::Persistent { .. } => out.put_bool(false),
                CreateKind::Ephemeral { .. } => out.put_bool(true),
                CreateKind::Container | CreateKind::Ttl { .. } => {}
            }
            out.put_i32(create.parent_cversion);
            if let CreateKind::Ttl { ttl_ms } = create.kind {
                out.put_i64(ttl_ms);
            }
        }
        TxnBody::Delete { path, .. } => out.put_str(path),
        TxnBody::SetData {
            path,
            data,
            version,
        } => {
            out.put_str(path);
            out.put_buffer(data.as_deref());
            out.put_i32(*version);
        }
        TxnBody::Reconfig { data, version } => {
            out.put_str(path::CONFIG);
            out.put_buffer(data.as_deref());
            out.put_i32(*version);
        }
        TxnBody::SetAcl { path, acl, version } => {
            out.put_str(path);
            write_acls(acl, out);
            out.put_i32(*version);
        }
        TxnBody::Check { path, version } => {
            out.put_str(path);
            out.put_i32(*version);
        }
        TxnBody::Multi(all) => {
            out.put_len(all.len());
            for txn in all {
                out.put_i32(number(txn));
                let length_at = out.len();
                out.put_len(0);
                let from = out.len();
                encode_body(txn, out);
                let mut length = Vec::with_capacity(4);
                length.put_len(out.len() - from);
                out[length_at..from].copy_from_slice(&length);
            }
        }
        TxnBody::Error(code) => out.put_i32(code.code()),
    }
}

/// Reads a transaction that fills `bytes`; no string or buffer may be longer than `limit`
/// ([`record_limit`](super::jute::record_limit)).
///
/// Read and never written are: a create without parentCVersion (before 3.4), a closeSession without
/// paths (before 3.6, or switched off), a digest of another version, a null ACL.
///
/// # Errors
/// [`DecodeError`] when the bytes are no transaction, or more than one.
pub fn decode(bytes: &[u8], limit: usize) -> Result<Txn, DecodeError> {
    let mut r = Reader::new(bytes, limit);
    let (header, kind) = read_header(&mut r)?;
    let body = read_body(&mut r, kind)?;
    let digest = if r.left() == 0 {
        None
    } else {
        let version = r.i32("version of the digest")?;
        let digest = r.i64("digest")?;
        (version == DIGEST_VERSION).then_some(digest as u64)
    };
    r.finish("transaction")?;
    Ok(Txn {
        header,
        body,
        digest,
    })
}

/// Reads only the header: for those who look for a zxid.
///
/// # Errors
/// [`DecodeError::End`] when the bytes are fewer than [`HEADER_BYTES`].
pub fn decode_header(bytes: &[u8]) -> Result<TxnHeader, DecodeError> {
    read_header(&mut Reader::new(bytes, 0)).map(|(header, _)| header)
}

/// What the header says, and the type with its offset.
fn read_header(r: &mut Reader<'_>) -> Result<(TxnHeader, (i32, usize)), DecodeError> {
    let header = TxnHeader {
        session: SessionId(r.i64("session of the transaction")?),
        cxid: r.i32("cxid")?,
        zxid: Zxid(r.i64("zxid")?),
        time_ms: r.i64("time")?,
    };
    let at = r.at();
    Ok((header, (r.i32("type of the transaction")?, at)))
}

fn read_body(r: &mut Reader<'_>, (kind, at): (i32, usize)) -> Result<TxnBody, DecodeError> {
    match kind {
        kind::CREATE_SESSION => Ok(TxnBody::CreateSession {
            timeout_ms: r.i32("timeOut")?,
        }),
        kind::CLOSE_SESSION => Ok(TxnBody::CloseSession {
            paths: read_closed_paths(r)?,
        }),
        kind::SET_ACL => Ok(TxnBody::SetAcl {
            path: r.text("path")?,
            acl: read_acls(r)?,
            version: r.i32("version")?,
        }),
        kind::RECONFIG => {
            let at = r.at();
            if r.string("path")? != Some(path::CONFIG) {
                return Err(DecodeError::Malformed {
                    what: "path of a reconfig",
                    at,
                    why: "a reconfig writes /zookeeper/config and nothing else",
                });
            }
            Ok(TxnBody::Reconfig {
                data: r.data("data")?,
                version: r.i32("version")?,
            })
        }
        kind::MULTI => read_multi(r),
        kind => read_single(r, (kind, at)),
    }
}

/// The paths of a closeSession. With closeSessionTxn.enabled=false a leader writes none, and then
/// either nothing follows or the digest. Twelve bytes that begin with a 2 are a digest: as two paths
/// they would both be empty.
fn read_closed_paths(r: &mut Reader<'_>) -> Result<Vec<Arc<str>>, DecodeError> {
    if r.left() == 0 {
        return Ok(Vec::new());
    }
    if r.left() == DIGEST_BYTES && r.clone().i32("paths2Delete")? == DIGEST_VERSION {
        return Ok(Vec::new());
    }
    let count = r.count("paths2Delete", 4)?.unwrap_or(0);
    (0..count).map(|_| r.text("path to delete")).collect()
}

fn read_multi(r: &mut Reader<'_>) -> Result<TxnBody, DecodeError> {
    let count = r.count("multi", SMALLEST_IN_MULTI)?.unwrap_or(0);
    let all: Result<Vec<TxnBody>, DecodeError> = (0..count)
        .map(|_| {
            let at = r.at();
            let kind = r.i32("type of a transaction in a multi")?;
            let length_at = r.at();
            let Some(record) = r.buffer("transaction in a multi")? else {
                return Err(DecodeError::Null {
                    what: "transaction in a multi",
                    at: length_at,
                });
            };
            let from = r.at() - record.len();
            let mut inner = r.part(from, record.len());
            let body = read_single(&mut inner, (kind, at))?;
            inner.finish("transaction in a multi")?;
            Ok(body)
        })
        .collect();
    Ok(TxnBody::Multi(all?))
}

/// What may stand alone and in a multi.
fn read_single(r: &mut Reader<'_>, (kind, at): (i32, usize)) -> Result<TxnBody, DecodeError> {
    match kind {
        kind::CREATE | kind::CREATE2 => {
            let create2 = kind == kind::CREATE2;
            read_create(r, |r| {
                let kind = if r.bool("ephemeral")? {
                    CreateKind::Ephemeral { create2 }
                } else {
                    CreateKind::Persistent { create2 }
                };
                // CreateTxnV0 ends here: one more than the parent has.
                let cversion = if r.left() == 0 {
                    -1
                } else {
                    r.i32("parentCVersion")?
                };
                Ok((kind, cversion))
            })
        }
        kind::CREATE_CONTAINER => {
            read_create(r, |r| Ok((CreateKind::Container, r.i32("parentCVersion")?)))
        }
        kind::CREATE_TTL => read_create(r, |r| {
            let cversion = r.i32("parentCVersion")?;
            let ttl_ms = r.i64("ttl")?;
            Ok((CreateKind::Ttl { ttl_ms }, cversion))
        }),
        kind::DELETE | kind::DELETE_CONTAINER => Ok(TxnBody::Delete {
            path: r.text("path")?,
            container: kind == kind::DELETE_CONTAINER,
        }),
        kind::SET_DATA => Ok(TxnBody::SetData {
            path: r.text("path")?,
            data: r.data("data")?,
            version: r.i32("version")?,
        }),
        kind::CHECK => Ok(TxnBody::Check {
            path: r.text("path")?,
            version: r.i32("version")?,
        }),
        kind::ERROR => read_error(r).map(TxnBody::Error),
        _ => Err(DecodeError::Unknown {
            what: "type of transaction",
            at,
            value: kind.into(),
        }),
    }
}

fn read_create<'a>(
    r: &mut Reader<'a>,
    rest: impl FnOnce(&mut Reader<'a>) -> Result<(CreateKind, i32), DecodeError>,
) -> Result<TxnBody, DecodeError> {
    let path = r.text("path")?;
    let data = r.data("data")?;
    let acl = read_acls(r)?;
    let (kind, parent_cversion) = rest(r)?;
    Ok(TxnBody::Create(CreateTxn {
        path,
        data,
        acl,
        parent_cversion,
        kind,
    }))
}

#[cfg(test)]
mod tests;

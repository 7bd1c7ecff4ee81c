//! One packet: i32 type, i64 zxid, a buffer, and who asks (ZooKeeper.md 3.1).

use super::{
    super::{
        client::{read_write, write_body, write_opcode},
        jute::{DecodeError, Reader, Writer},
        opcode,
        record::write_id,
        txn,
    },
    About, LearnerInfo, PROTOCOL_VERSION, Packet, Sender, epoch_number,
};
use crate::{
    id::{Epoch, ServerId, SessionId, Zxid},
    message::{Ack, ForwardedOp, ForwardedRequest, QuorumMessage},
    request::{AuthId, Write},
    txn::Txn,
};
use std::sync::Arc;

/// The numbers of the types.
mod kind {
    pub const REQUEST: i32 = 1;
    pub const PROPOSAL: i32 = 2;
    pub const ACK: i32 = 3;
    pub const COMMIT: i32 = 4;
    pub const PING: i32 = 5;
    pub const REVALIDATE: i32 = 6;
    pub const SYNC: i32 = 7;
    pub const INFORM: i32 = 8;
    pub const COMMIT_AND_ACTIVATE: i32 = 9;
    pub const NEW_LEADER: i32 = 10;
    pub const FOLLOWER_INFO: i32 = 11;
    pub const UP_TO_DATE: i32 = 12;
    pub const DIFF: i32 = 13;
    pub const TRUNC: i32 = 14;
    pub const SNAP: i32 = 15;
    pub const OBSERVER_INFO: i32 = 16;
    pub const LEADER_INFO: i32 = 17;
    pub const ACK_EPOCH: i32 = 18;
    pub const INFORM_AND_ACTIVATE: i32 = 19;
}

/// What stands where a packet has no zxid.
const NO_ZXID: Zxid = Zxid(-1);

/// The least that an identity takes: two empty strings.
const SMALLEST_ID: usize = 8;
/// The bytes of a session in the answer to a ping: id and time-out.
const SESSION_BYTES: usize = 12;

/// A packet whose contents were not looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawPacket {
    /// Its type.
    pub kind: i32,
    /// Its zxid.
    pub zxid: Zxid,
    /// Its buffer.
    pub data: Option<Arc<[u8]>>,
    /// Who asks, in REQUEST.
    pub auth: Option<Arc<[AuthId]>>,
}

/// The first packet of `bytes`, and how many bytes it takes; `None` when it is not there in full. The
/// buffer of a packet, and all its identities together, may each be `limit` bytes long (see
/// [`super::super::jute::record_limit`]), so no more than a few times that is ever waited for.
///
/// An error ends the connection: where the next packet begins is not known any more, or a peer says
/// what makes no sense.
pub fn decode(
    bytes: &[u8],
    sender: Sender,
    limit: usize,
) -> Result<Option<(Packet, usize)>, DecodeError> {
    let mut r = Reader::new(bytes, limit);
    match raw(&mut r) {
        Ok(raw) => Ok(Some((packet(raw, sender, limit)?, r.at()))),
        // The input ends, and what is missing was found to be allowed.
        Err(DecodeError::End { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

struct Raw<'a> {
    kind: i32,
    zxid: Zxid,
    data: Option<&'a [u8]>,
    auth: Option<Vec<AuthId>>,
}

fn raw<'a>(r: &mut Reader<'a>) -> Result<Raw<'a>, DecodeError> {
    Ok(Raw {
        kind: r.i32("type of a packet")?,
        zxid: Zxid(r.i64("zxid of a packet")?),
        data: r.buffer("data of a packet")?,
        auth: auth_info(r)?,
    })
}

/// Identities, of which not all may have arrived: unlike with a whole record, their count can't be
/// held against what is left, but against what they may take together.
fn auth_info(r: &mut Reader<'_>) -> Result<Option<Vec<AuthId>>, DecodeError> {
    let what = "identities of a packet";
    let at = r.at();
    let count = r.i32(what)?;
    if count == -1 {
        return Ok(None);
    }
    let too_many = |limit| DecodeError::Length {
        what,
        at,
        length: count,
        limit,
    };
    let most = r.limit() / SMALLEST_ID;
    let count = usize::try_from(count)
        .ok()
        .filter(|count| *count <= most)
        .ok_or_else(|| too_many(most))?;
    let mut ids = Vec::new();
    for _ in 0..count {
        ids.push(AuthId {
            scheme: r.lossy("scheme of an identity")?.unwrap_or_default(),
            id: r.lossy("id of an identity")?.unwrap_or_default(),
        });
        if r.at() - at > r.limit() {
            return Err(too_many(r.limit()));
        }
    }
    Ok(Some(ids))
}

fn packet(raw: Raw<'_>, sender: Sender, limit: usize) -> Result<Packet, DecodeError> {
    use Sender::{Leader, Learner};
    let zxid = raw.zxid;
    let mut data = Reader::new(raw.data.unwrap_or_default(), limit);
    let r = &mut data;
    let message = match (sender, raw.kind) {
        (Learner, kind::FOLLOWER_INFO | kind::OBSERVER_INFO) => {
            return Ok(Packet::LearnerInfo(LearnerInfo {
                observer: raw.kind == kind::OBSERVER_INFO,
                accepted: zxid,
                about: about(raw.data.is_some(), r)?,
            }));
        }
        (Leader, kind::LEADER_INFO) => {
            let at = r.at();
            let protocol = r.i32("protocol version")?;
            if protocol < PROTOCOL_VERSION {
                return Err(DecodeError::Unknown {
                    what: "protocol version that has epochs",
                    at,
                    value: protocol.into(),
                });
            }
            QuorumMessage::LeaderInfo {
                epoch: zxid.epoch(),
            }
        }
        (Learner, kind::ACK_EPOCH) => QuorumMessage::AckEpoch {
            last_zxid: zxid,
            current_epoch: match r.i32("currentEpoch")? {
                -1 => None,
                epoch => Some(Epoch(epoch.into())),
            },
        },
        (Leader, kind::DIFF) => QuorumMessage::Diff { zxid },
        (Leader, kind::TRUNC) => QuorumMessage::Trunc { zxid },
        (Leader, kind::SNAP) => return Ok(Packet::Snap { zxid }),
        (Leader, kind::NEW_LEADER) => {
            return Ok(Packet::NewLeader {
                zxid,
                config: raw.data.map(Arc::from),
            });
        }
        (Leader, kind::UP_TO_DATE) => QuorumMessage::UpToDate,
        (Learner, kind::REQUEST) => return request(r, raw.auth.unwrap_or_default()),
        (Leader, kind::PROPOSAL) => QuorumMessage::Proposal(transaction(r, zxid)?),
        (Learner, kind::ACK) => QuorumMessage::Ack(Ack::received(zxid)),
        (Leader, kind::COMMIT) => QuorumMessage::Commit { zxid },
        (Leader, kind::COMMIT_AND_ACTIVATE) => {
            return Ok(Packet::CommitAndActivate {
                zxid,
                designated_leader: ServerId(r.i64("designated leader")?),
            });
        }
        (Leader, kind::INFORM) => QuorumMessage::Inform(transaction(r, zxid)?),
        (Leader, kind::INFORM_AND_ACTIVATE) => {
            let designated_leader = ServerId(r.i64("designated leader")?);
            return Ok(Packet::InformAndActivate {
                txn: transaction(r, zxid)?,
                designated_leader,
            });
        }
        (Leader, kind::PING) => QuorumMessage::Ping { zxid },
        (Learner, kind::PING) => QuorumMessage::Pong {
            zxid,
            touched: touched(r)?,
        },
        (Learner, kind::REVALIDATE) => QuorumMessage::Revalidate {
            session: SessionId(r.i64("session")?),
            timeout_ms: r.i32("time-out of a session")?,
        },
        (Leader, kind::REVALIDATE) => QuorumMessage::Revalidated {
            session: SessionId(r.i64("session")?),
            valid: r.bool("whether a session is valid")?,
        },
        (Leader, kind::SYNC) => QuorumMessage::Sync,
        (Learner | Leader, _) => {
            return Ok(Packet::Unexpected(RawPacket {
                kind: raw.kind,
                zxid,
                data: raw.data.map(Arc::from),
                auth: raw.auth.map(Arc::from),
            }));
        }
    };
    Ok(Packet::Message(message))
}

fn about(there: bool, r: &mut Reader<'_>) -> Result<About, DecodeError> {
    if !there {
        return Ok(About::Anonymous);
    }
    let id = ServerId(r.i64("id of a learner")?);
    Ok(match r.left() {
        0..4 => About::Id(id),
        4..12 => About::Versioned {
            id,
            protocol: r.i32("protocol version")?,
        },
        _ => About::Configured {
            id,
            protocol: r.i32("protocol version")?,
            config: Zxid(r.i64("version of a configuration")?),
        },
    })
}

fn request(r: &mut Reader<'_>, auth: Vec<AuthId>) -> Result<Packet, DecodeError> {
    let session = SessionId(r.i64("session")?);
    let cxid = r.i32("cxid")?;
    let opcode = r.i32("opcode")?;
    let request = |op| ForwardedRequest {
        session,
        cxid,
        op,
        auth: auth.into(),
    };
    Ok(match opcode {
        opcode::SYNC => Packet::Sync {
            request: request(ForwardedOp::Sync),
            record: r.rest().into(),
        },
        _ => Packet::Message(QuorumMessage::Request(request(ForwardedOp::Write(
            read_write(opcode, r),
        )))),
    })
}

fn transaction(r: &mut Reader<'_>, zxid: Zxid) -> Result<Arc<Txn>, DecodeError> {
    let at = r.at();
    let txn = txn::decode(r.rest(), r.limit())?;
    if txn.zxid() == zxid {
        Ok(Arc::new(txn))
    } else {
        Err(DecodeError::Malformed {
            what: "transaction of a packet",
            at,
            why: "it has another zxid than the packet",
        })
    }
}

/// As many sessions as there are bytes for; Apache reads on while there are any.
fn touched(r: &mut Reader<'_>) -> Result<Vec<(SessionId, i32)>, DecodeError> {
    let mut sessions = Vec::with_capacity(r.left() / SESSION_BYTES);
    while r.left() > 0 {
        sessions.push((
            SessionId(r.i64("session")?),
            r.i32("time-out of a session")?,
        ));
    }
    Ok(sessions)
}

/// Writes a packet.
pub fn encode(packet: &Packet, out: &mut Vec<u8>) {
    match packet {
        Packet::Message(message) => encode_message(message, out),
        Packet::LearnerInfo(info) => {
            let kind = match info.observer {
                true => kind::OBSERVER_INFO,
                false => kind::FOLLOWER_INFO,
            };
            let mut data = Vec::new();
            if let Some(id) = info.id() {
                data.put_i64(id.0);
            }
            match info.about {
                About::Anonymous => return put(kind, info.accepted, None, out),
                About::Id(_) => {}
                About::Versioned { protocol, .. } => data.put_i32(protocol),
                About::Configured {
                    protocol, config, ..
                } => {
                    data.put_i32(protocol);
                    data.put_i64(config.0);
                }
            }
            put(kind, info.accepted, Some(&data), out);
        }
        Packet::NewLeader { zxid, config } => {
            put(kind::NEW_LEADER, *zxid, config.as_deref(), out);
        }
        Packet::Sync { request, record } => {
            encode_request(
                request,
                opcode::SYNC,
                |out| out.extend_from_slice(record),
                out,
            );
        }
        Packet::CommitAndActivate {
            zxid,
            designated_leader,
        } => put_activation(*zxid, *designated_leader, None, out),
        Packet::InformAndActivate {
            txn,
            designated_leader,
        } => put_activation(txn.zxid(), *designated_leader, Some(txn), out),
        Packet::Snap { zxid } => put(kind::SNAP, *zxid, None, out),
        Packet::Unexpected(raw) => {
            put_head(raw.kind, raw.zxid, raw.data.as_deref(), out);
            put_auth(raw.auth.as_deref(), out);
        }
    }
}

fn encode_message(message: &QuorumMessage, out: &mut Vec<u8>) {
    match message {
        QuorumMessage::LeaderInfo { epoch } => put(
            kind::LEADER_INFO,
            epoch.start(),
            Some(&PROTOCOL_VERSION.to_be_bytes()),
            out,
        ),
        QuorumMessage::AckEpoch {
            last_zxid,
            current_epoch,
        } => put(
            kind::ACK_EPOCH,
            *last_zxid,
            Some(&current_epoch.map_or(-1, epoch_number).to_be_bytes()),
            out,
        ),
        QuorumMessage::Diff { zxid } => put(kind::DIFF, *zxid, None, out),
        QuorumMessage::Trunc { zxid } => put(kind::TRUNC, *zxid, None, out),
        QuorumMessage::UpToDate => put(kind::UP_TO_DATE, NO_ZXID, None, out),
        QuorumMessage::Request(request) => match &request.op {
            ForwardedOp::Write(write) => {
                let number = write_opcode(write);
                encode_request(request, number, |out| write_body(write, out), out);
            }
            ForwardedOp::Sync => encode_request(request, opcode::SYNC, |_| {}, out),
        },
        QuorumMessage::Proposal(txn) => put_txn(kind::PROPOSAL, txn, out),
        QuorumMessage::Ack(ack) => put(kind::ACK, ack.zxid(), None, out),
        QuorumMessage::Commit { zxid } => put(kind::COMMIT, *zxid, None, out),
        QuorumMessage::Inform(txn) => put_txn(kind::INFORM, txn, out),
        QuorumMessage::Ping { zxid } => put(kind::PING, *zxid, None, out),
        QuorumMessage::Pong { zxid, touched } => {
            let mut data = Vec::with_capacity(touched.len() * SESSION_BYTES);
            for (session, timeout_ms) in touched {
                data.put_i64(session.0);
                data.put_i32(*timeout_ms);
            }
            put(kind::PING, *zxid, Some(&data), out);
        }
        QuorumMessage::Revalidate {
            session,
            timeout_ms,
        } => {
            let mut data = Vec::new();
            data.put_i64(session.0);
            data.put_i32(*timeout_ms);
            put(kind::REVALIDATE, NO_ZXID, Some(&data), out);
        }
        QuorumMessage::Revalidated { session, valid } => {
            let mut data = Vec::new();
            data.put_i64(session.0);
            data.put_bool(*valid);
            put(kind::REVALIDATE, NO_ZXID, Some(&data), out);
        }
        QuorumMessage::Sync => put(kind::SYNC, Zxid::ZERO, None, out),
        QuorumMessage::Snap { zxid, snapshot: _ } => put(kind::SNAP, *zxid, None, out),
        // Without what only their own packets know, these are as an old server sends them.
        QuorumMessage::NewLeader { zxid, members: _ } => put(kind::NEW_LEADER, *zxid, None, out),
        QuorumMessage::CommitAndActivate { zxid, designated } => {
            put_activation(*zxid, *designated, None, out);
        }
        QuorumMessage::InformAndActivate { txn, designated } => {
            put_activation(txn.zxid(), *designated, Some(txn), out);
        }
        QuorumMessage::LearnerInfo {
            accepted_epoch,
            observer,
            config_version: _,
        } => {
            let kind = match observer {
                true => kind::OBSERVER_INFO,
                false => kind::FOLLOWER_INFO,
            };
            put(kind, accepted_epoch.start(), None, out);
        }
    }
}

fn put_head(kind: i32, zxid: Zxid, data: Option<&[u8]>, out: &mut Vec<u8>) {
    out.put_i32(kind);
    out.put_i64(zxid.0);
    out.put_buffer(data);
}

fn put_auth(auth: Option<&[AuthId]>, out: &mut Vec<u8>) {
    match auth {
        None => out.put_i32(-1),
        Some(ids) => {
            out.put_len(ids.len());
            for id in ids {
                write_id(id, out);
            }
        }
    }
}

fn put(kind: i32, zxid: Zxid, data: Option<&[u8]>, out: &mut Vec<u8>) {
    put_head(kind, zxid, data, out);
    put_auth(None, out);
}

/// The commit of a reconfiguration, to an observer with the transaction.
fn put_activation(zxid: Zxid, designated: ServerId, inform: Option<&Txn>, out: &mut Vec<u8>) {
    let mut data = Vec::new();
    data.put_i64(designated.0);
    let kind = match inform {
        None => kind::COMMIT_AND_ACTIVATE,
        Some(txn) => {
            txn::encode(txn, &mut data);
            kind::INFORM_AND_ACTIVATE
        }
    };
    put(kind, zxid, Some(&data), out);
}

fn put_txn(kind: i32, txn: &Txn, out: &mut Vec<u8>) {
    let mut data = Vec::new();
    txn::encode(txn, &mut data);
    put(kind, txn.zxid(), Some(&data), out);
}

fn encode_request(
    request: &ForwardedRequest,
    opcode: i32,
    record: impl FnOnce(&mut Vec<u8>),
    out: &mut Vec<u8>,
) {
    let mut data = Vec::new();
    data.put_i64(request.session.0);
    data.put_i32(request.cxid);
    data.put_i32(opcode);
    record(&mut data);
    put_head(kind::REQUEST, NO_ZXID, Some(&data), out);
    // Nobody asks for a new session but the server, and that has no identities at all.
    let creates = matches!(request.op, ForwardedOp::Write(Write::CreateSession { .. }));
    let nobody = creates && request.auth.is_empty();
    put_auth((!nobody).then_some(&*request.auth), out);
}

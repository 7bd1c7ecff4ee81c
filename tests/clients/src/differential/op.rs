//! What a step of a differential test can be, and its bytes.

use crate::jute::Writer;

/// A path; `$` at its start stands for the round's own directory. `None` is null.
pub type Path = Option<String>;

/// An entry of an ACL: permissions, scheme, id.
pub type Acl = (i32, String, String);

/// Which of the four requests that create.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Creation {
    Create,
    Create2,
    Container,
    Ttl(i64),
}

/// A request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op {
    Create {
        how: Creation,
        path: Path,
        data: Option<Vec<u8>>,
        acl: Option<Vec<Acl>>,
        flags: i32,
    },
    Delete {
        path: Path,
        version: i32,
    },
    Exists {
        path: Path,
        watch: bool,
    },
    GetData {
        path: Path,
        watch: bool,
    },
    SetData {
        path: Path,
        data: Option<Vec<u8>>,
        version: i32,
    },
    GetAcl {
        path: Path,
    },
    SetAcl {
        path: Path,
        acl: Option<Vec<Acl>>,
        version: i32,
    },
    GetChildren {
        path: Path,
        watch: bool,
    },
    GetChildren2 {
        path: Path,
        watch: bool,
    },
    Sync {
        path: Path,
    },
    Ping,
    Check {
        path: Path,
        version: i32,
    },
    Multi(Vec<Op>),
    MultiRead(Vec<Op>),
    Reconfig {
        joining: Path,
        leaving: Path,
        members: Path,
        version: i64,
    },
    CheckWatches {
        path: Path,
        kind: i32,
    },
    RemoveWatches {
        path: Path,
        kind: i32,
    },
    Auth {
        scheme: Path,
        auth: Option<Vec<u8>>,
    },
    /// `behind` is subtracted from the largest zxid that the session has seen. Five lists: data,
    /// exist, child, persistent, recursive; the last two only in `setWatches2`.
    SetWatches {
        behind: i64,
        lists: Vec<Vec<String>>,
        two: bool,
    },
    GetEphemerals {
        path: Path,
    },
    GetAllChildrenNumber {
        path: Path,
    },
    AddWatch {
        path: Path,
        mode: i32,
    },
    WhoAmI,
    CloseSession,
    /// An opcode with a body as it is.
    Unknown {
        code: i32,
        body: Vec<u8>,
    },
}

/// What is done to a request's body before it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Damage {
    /// Only so many of its bytes, in thousandths.
    Cut(usize),
    /// One bit turned, at a place in thousandths.
    Turn(usize, u8),
    /// Bytes appended.
    Longer(Vec<u8>),
}

/// How a dropped session comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Return {
    /// As it should.
    Right,
    /// Without the byte that older clients do not send.
    Old,
    /// With another password.
    WrongPassword,
    /// Having seen more than the server.
    FromTheFuture,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Requests of one session, sent at once; then all replies are awaited.
    Requests { slot: usize, ops: Vec<Op> },
    /// A damaged request.
    Damaged { slot: usize, op: Op, damage: Damage },
    /// Bytes instead of a frame.
    Bytes { slot: usize, bytes: Vec<u8> },
    /// The connection is cut; the session stays.
    Drop { slot: usize },
    /// The session comes back on a new connection.
    Return { slot: usize, how: Return },
    /// A session with another time-out, or from an older client.
    New {
        slot: usize,
        timeout: i32,
        read_only: Option<bool>,
    },
}

impl Step {
    /// Whose step it is.
    pub fn slot(&self) -> usize {
        match self {
            Self::Requests { slot, .. }
            | Self::Damaged { slot, .. }
            | Self::Bytes { slot, .. }
            | Self::Drop { slot }
            | Self::Return { slot, .. }
            | Self::New { slot, .. } => *slot,
        }
    }

    /// How many requests it has.
    pub fn size(&self) -> usize {
        match self {
            Self::Requests { ops, .. } => ops.len(),
            Self::Damaged { .. }
            | Self::Bytes { .. }
            | Self::Drop { .. }
            | Self::Return { .. }
            | Self::New { .. } => 1,
        }
    }

    /// Simpler steps that might show the same: without one of several requests, without one entry of a
    /// multi.
    pub fn simpler(&self) -> Vec<Self> {
        let Self::Requests { slot, ops } = self else {
            return Vec::new();
        };
        let without = |list: &[Op], index: usize| {
            let mut list = list.to_vec();
            list.remove(index);
            list
        };
        let mut found = Vec::new();
        if ops.len() > 1 {
            let fewer = (0..ops.len()).map(|index| without(ops, index));
            found.extend(fewer.map(|ops| Self::Requests { slot: *slot, ops }));
        }
        for (at, op) in ops.iter().enumerate() {
            let (entries, multi): (_, fn(Vec<Op>) -> Op) = match op {
                Op::Multi(entries) => (entries, Op::Multi),
                Op::MultiRead(entries) => (entries, Op::MultiRead),
                _ => continue,
            };
            for index in 0..entries.len() {
                let mut ops = ops.clone();
                ops[at] = multi(without(entries, index));
                found.push(Self::Requests { slot: *slot, ops });
            }
        }
        found
    }
}

impl Op {
    /// The request's number.
    pub fn code(&self) -> i32 {
        match self {
            Self::Create { how, .. } => match how {
                Creation::Create => 1,
                Creation::Create2 => 15,
                Creation::Container => 19,
                Creation::Ttl(_) => 21,
            },
            Self::Delete { .. } => 2,
            Self::Exists { .. } => 3,
            Self::GetData { .. } => 4,
            Self::SetData { .. } => 5,
            Self::GetAcl { .. } => 6,
            Self::SetAcl { .. } => 7,
            Self::GetChildren { .. } => 8,
            Self::Sync { .. } => 9,
            Self::Ping => 11,
            Self::GetChildren2 { .. } => 12,
            Self::Check { .. } => 13,
            Self::Multi(_) => 14,
            Self::Reconfig { .. } => 16,
            Self::CheckWatches { .. } => 17,
            Self::RemoveWatches { .. } => 18,
            Self::MultiRead(_) => 22,
            Self::Auth { .. } => 100,
            Self::SetWatches { two: false, .. } => 101,
            Self::GetEphemerals { .. } => 103,
            Self::GetAllChildrenNumber { .. } => 104,
            Self::SetWatches { two: true, .. } => 105,
            Self::AddWatch { .. } => 106,
            Self::WhoAmI => 107,
            Self::CloseSession => -11,
            Self::Unknown { code, .. } => *code,
        }
    }

    /// What it is called.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Create { how, .. } => match how {
                Creation::Create => "create",
                Creation::Create2 => "create2",
                Creation::Container => "createContainer",
                Creation::Ttl(_) => "createTTL",
            },
            Self::Delete { .. } => "delete",
            Self::Exists { .. } => "exists",
            Self::GetData { .. } => "getData",
            Self::SetData { .. } => "setData",
            Self::GetAcl { .. } => "getACL",
            Self::SetAcl { .. } => "setACL",
            Self::GetChildren { .. } => "getChildren",
            Self::Sync { .. } => "sync",
            Self::Ping => "ping",
            Self::GetChildren2 { .. } => "getChildren2",
            Self::Check { .. } => "check",
            Self::Multi(_) => "multi",
            Self::Reconfig { .. } => "reconfig",
            Self::CheckWatches { .. } => "checkWatches",
            Self::RemoveWatches { .. } => "removeWatches",
            Self::MultiRead(_) => "multiRead",
            Self::Auth { .. } => "auth",
            Self::SetWatches { two: false, .. } => "setWatches",
            Self::GetEphemerals { .. } => "getEphemerals",
            Self::GetAllChildrenNumber { .. } => "getAllChildrenNumber",
            Self::SetWatches { two: true, .. } => "setWatches2",
            Self::AddWatch { .. } => "addWatch",
            Self::WhoAmI => "whoAmI",
            Self::CloseSession => "closeSession",
            Self::Unknown { .. } => "unknown",
        }
    }

    /// The xid that it must have, if it is not the client's to choose.
    pub fn fixed_xid(&self) -> Option<i32> {
        match self {
            Self::Ping => Some(-2),
            Self::Auth { .. } => Some(-4),
            Self::SetWatches { .. } => Some(-8),
            _ => None,
        }
    }

    /// The record after the header. `root` is the round's directory, `seen` the largest zxid that
    /// the session has seen.
    pub fn body(&self, root: &str, seen: i64) -> Vec<u8> {
        let mut out = Writer::new();
        self.write(&mut out, root, seen);
        out.finish()
    }

    fn write(&self, out: &mut Writer, root: &str, seen: i64) {
        let full = |path: &Path| path.as_deref().map(|path| expand(path, root));
        match self {
            Self::Create {
                how,
                path,
                data,
                acl,
                flags,
            } => {
                out.string(full(path).as_deref()).buffer(data.as_deref());
                write_acl(out, acl);
                out.int(*flags);
                if let Creation::Ttl(ttl) = how {
                    out.long(*ttl);
                }
            }
            Self::Delete { path, version } | Self::Check { path, version } => {
                out.string(full(path).as_deref()).int(*version);
            }
            Self::Exists { path, watch }
            | Self::GetData { path, watch }
            | Self::GetChildren { path, watch }
            | Self::GetChildren2 { path, watch } => {
                out.string(full(path).as_deref()).bool(*watch);
            }
            Self::SetData {
                path,
                data,
                version,
            } => {
                out.string(full(path).as_deref())
                    .buffer(data.as_deref())
                    .int(*version);
            }
            Self::SetAcl { path, acl, version } => {
                out.string(full(path).as_deref());
                write_acl(out, acl);
                out.int(*version);
            }
            Self::GetAcl { path }
            | Self::Sync { path }
            | Self::GetEphemerals { path }
            | Self::GetAllChildrenNumber { path } => {
                out.string(full(path).as_deref());
            }
            Self::Multi(ops) | Self::MultiRead(ops) => {
                for op in ops {
                    out.int(op.code()).bool(false).int(-1);
                    op.write(out, root, seen);
                }
                out.int(-1).bool(true).int(-1);
            }
            Self::Reconfig {
                joining,
                leaving,
                members,
                version,
            } => {
                out.string(joining.as_deref())
                    .string(leaving.as_deref())
                    .string(members.as_deref())
                    .long(*version);
            }
            Self::CheckWatches { path, kind } | Self::RemoveWatches { path, kind } => {
                out.string(full(path).as_deref()).int(*kind);
            }
            Self::AddWatch { path, mode } => {
                out.string(full(path).as_deref()).int(*mode);
            }
            Self::Auth { scheme, auth } => {
                out.int(0).string(scheme.as_deref()).buffer(auth.as_deref());
            }
            Self::SetWatches { behind, lists, .. } => {
                out.long(seen - behind);
                for list in lists {
                    let list: Vec<String> = list.iter().map(|path| expand(path, root)).collect();
                    out.strings(&list);
                }
            }
            Self::Ping | Self::WhoAmI | Self::CloseSession => {}
            Self::Unknown { body, .. } => {
                out.raw(body);
            }
        }
    }
}

fn write_acl(out: &mut Writer, acl: &Option<Vec<Acl>>) {
    match acl {
        None => {
            out.int(-1);
        }
        Some(entries) => {
            out.count(entries.len());
            for (permissions, scheme, id) in entries {
                out.int(*permissions).string(Some(scheme)).string(Some(id));
            }
        }
    }
}

/// A path with the round's directory in place of `$`; in quota paths it stands in the middle.
fn expand(path: &str, root: &str) -> String {
    path.replacen('$', root, 1)
}

impl Damage {
    /// The damaged body.
    pub fn apply(&self, mut body: Vec<u8>) -> Vec<u8> {
        match self {
            Self::Cut(place) => body.truncate(body.len() * place / 1000),
            Self::Turn(place, bit) => {
                let at = body.len() * place / 1000;
                if let Some(byte) = body.get_mut(at) {
                    *byte ^= 1 << (bit % 8);
                }
            }
            Self::Longer(bytes) => body.extend(bytes),
        }
        body
    }
}

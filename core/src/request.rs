//! What clients ask and what they are told, in ZooKeeper's terms (ZooKeeper.md 1.2, 1.9, 1.10).
//! The bytes are `wire`'s.

use crate::id::{SessionId, Zxid};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A znode's data: absent is not the same as empty (trap 24).
pub type Data = Option<Arc<[u8]>>;

/// One entry of an access control list.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Acl {
    /// Permission bits, see [`perms`].
    pub perms: i32,
    /// `world`, `auth`, `digest`, `ip`, …
    pub scheme: Arc<str>,
    /// What the scheme makes of it.
    pub id: Arc<str>,
}

/// Permission bits.
pub mod perms {
    /// getData, getChildren, exists.
    pub const READ: i32 = 1;
    /// setData.
    pub const WRITE: i32 = 2;
    /// Create a child.
    pub const CREATE: i32 = 4;
    /// Delete a child.
    pub const DELETE: i32 = 8;
    /// setACL, and getACL in full.
    pub const ADMIN: i32 = 16;
    /// All five.
    pub const ALL: i32 = 31;
}

/// An identity that a connection has proved; travels with forwarded writes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AuthId {
    /// `ip`, `digest`, `super`, …
    pub scheme: Arc<str>,
    /// The identity within the scheme.
    pub id: Arc<str>,
}

/// A znode's metadata as a client sees it (68 bytes on the wire, 1.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Stat {
    /// Created by.
    pub czxid: Zxid,
    /// Data last changed by.
    pub mzxid: Zxid,
    /// Created at, leader's wall clock, ms.
    pub ctime: i64,
    /// Data last changed at.
    pub mtime: i64,
    /// Number of setData.
    pub version: i32,
    /// Children made and deleted.
    pub cversion: i32,
    /// Number of setACL.
    pub aversion: i32,
    /// The owning session, 0 for every other kind.
    pub ephemeral_owner: i64,
    /// Bytes of data.
    pub data_length: i32,
    /// Direct children.
    pub num_children: i32,
    /// Children last changed by.
    pub pzxid: Zxid,
}

/// The server's error codes (1.10).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[repr(i32)]
pub enum ErrorCode {
    /// 0, only as the result of a multi's entry before the one that failed.
    Ok = 0,
    /// -1
    SystemError = -1,
    /// -2
    RuntimeInconsistency = -2,
    /// -3
    DataInconsistency = -3,
    /// -4
    ConnectionLoss = -4,
    /// -5
    MarshallingError = -5,
    /// -6
    Unimplemented = -6,
    /// -7
    OperationTimeout = -7,
    /// -8
    BadArguments = -8,
    /// -12
    UnknownSession = -12,
    /// -13
    NewConfigNoQuorum = -13,
    /// -14
    ReconfigInProgress = -14,
    /// -100
    ApiError = -100,
    /// -101
    NoNode = -101,
    /// -102
    NoAuth = -102,
    /// -103
    BadVersion = -103,
    /// -108
    NoChildrenForEphemerals = -108,
    /// -110
    NodeExists = -110,
    /// -111
    NotEmpty = -111,
    /// -112
    SessionExpired = -112,
    /// -113
    InvalidCallback = -113,
    /// -114
    InvalidAcl = -114,
    /// -115
    AuthFailed = -115,
    /// -118
    SessionMoved = -118,
    /// -119
    NotReadOnly = -119,
    /// -120
    EphemeralOnLocalSession = -120,
    /// -121
    NoWatcher = -121,
    /// -122
    RequestTimeout = -122,
    /// -123
    ReconfigDisabled = -123,
    /// -124
    SessionClosedRequireSaslAuth = -124,
    /// -125
    QuotaExceeded = -125,
    /// -127
    ThrottledOp = -127,
}

impl ErrorCode {
    /// The number on the wire.
    #[must_use]
    pub const fn code(self) -> i32 {
        self as i32
    }

    /// The error of this number, if ZooKeeper has one.
    #[must_use]
    pub const fn from_code(code: i32) -> Option<ErrorCode> {
        match code {
            0 => Some(ErrorCode::Ok),
            -1 => Some(ErrorCode::SystemError),
            -2 => Some(ErrorCode::RuntimeInconsistency),
            -3 => Some(ErrorCode::DataInconsistency),
            -4 => Some(ErrorCode::ConnectionLoss),
            -5 => Some(ErrorCode::MarshallingError),
            -6 => Some(ErrorCode::Unimplemented),
            -7 => Some(ErrorCode::OperationTimeout),
            -8 => Some(ErrorCode::BadArguments),
            -12 => Some(ErrorCode::UnknownSession),
            -13 => Some(ErrorCode::NewConfigNoQuorum),
            -14 => Some(ErrorCode::ReconfigInProgress),
            -100 => Some(ErrorCode::ApiError),
            -101 => Some(ErrorCode::NoNode),
            -102 => Some(ErrorCode::NoAuth),
            -103 => Some(ErrorCode::BadVersion),
            -108 => Some(ErrorCode::NoChildrenForEphemerals),
            -110 => Some(ErrorCode::NodeExists),
            -111 => Some(ErrorCode::NotEmpty),
            -112 => Some(ErrorCode::SessionExpired),
            -113 => Some(ErrorCode::InvalidCallback),
            -114 => Some(ErrorCode::InvalidAcl),
            -115 => Some(ErrorCode::AuthFailed),
            -118 => Some(ErrorCode::SessionMoved),
            -119 => Some(ErrorCode::NotReadOnly),
            -120 => Some(ErrorCode::EphemeralOnLocalSession),
            -121 => Some(ErrorCode::NoWatcher),
            -122 => Some(ErrorCode::RequestTimeout),
            -123 => Some(ErrorCode::ReconfigDisabled),
            -124 => Some(ErrorCode::SessionClosedRequireSaslAuth),
            -125 => Some(ErrorCode::QuotaExceeded),
            -127 => Some(ErrorCode::ThrottledOp),
            _ => None,
        }
    }

    /// ZooKeeper's name for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            ErrorCode::Ok => "Ok",
            ErrorCode::SystemError => "SystemError",
            ErrorCode::RuntimeInconsistency => "RuntimeInconsistency",
            ErrorCode::DataInconsistency => "DataInconsistency",
            ErrorCode::ConnectionLoss => "ConnectionLoss",
            ErrorCode::MarshallingError => "MarshallingError",
            ErrorCode::Unimplemented => "Unimplemented",
            ErrorCode::OperationTimeout => "OperationTimeout",
            ErrorCode::BadArguments => "BadArguments",
            ErrorCode::UnknownSession => "UnknownSession",
            ErrorCode::NewConfigNoQuorum => "NewConfigNoQuorum",
            ErrorCode::ReconfigInProgress => "ReconfigInProgress",
            ErrorCode::ApiError => "APIError",
            ErrorCode::NoNode => "NoNode",
            ErrorCode::NoAuth => "NoAuth",
            ErrorCode::BadVersion => "BadVersion",
            ErrorCode::NoChildrenForEphemerals => "NoChildrenForEphemerals",
            ErrorCode::NodeExists => "NodeExists",
            ErrorCode::NotEmpty => "NotEmpty",
            ErrorCode::SessionExpired => "SessionExpired",
            ErrorCode::InvalidCallback => "InvalidCallback",
            ErrorCode::InvalidAcl => "InvalidACL",
            ErrorCode::AuthFailed => "AuthFailed",
            ErrorCode::SessionMoved => "SessionMoved",
            ErrorCode::NotReadOnly => "NotReadOnly",
            ErrorCode::EphemeralOnLocalSession => "EphemeralOnLocalSession",
            ErrorCode::NoWatcher => "NoWatcher",
            ErrorCode::RequestTimeout => "RequestTimeout",
            ErrorCode::ReconfigDisabled => "ReconfigDisabled",
            ErrorCode::SessionClosedRequireSaslAuth => "SessionClosedRequireSaslAuth",
            ErrorCode::QuotaExceeded => "QuotaExceeded",
            ErrorCode::ThrottledOp => "ThrottledOp",
        }
    }
}

/// How a znode is created (`CreateMode`; the numbers are the wire's flags).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[repr(i32)]
pub enum CreateMode {
    /// Stays.
    Persistent = 0,
    /// Goes with its session.
    Ephemeral = 1,
    /// Stays, numbered.
    PersistentSequential = 2,
    /// Goes with its session, numbered.
    EphemeralSequential = 3,
    /// Goes with its last child. `[Q]` Only [`CreateOp::Container`] really makes one (1.8).
    Container = 4,
    /// Goes some time after its last change.
    PersistentWithTtl = 5,
    /// The same, numbered.
    PersistentSequentialWithTtl = 6,
}

impl CreateMode {
    /// Whether a sequence suffix is appended.
    #[must_use]
    pub const fn is_sequential(self) -> bool {
        matches!(
            self,
            CreateMode::PersistentSequential
                | CreateMode::EphemeralSequential
                | CreateMode::PersistentSequentialWithTtl
        )
    }

    /// Whether the znode belongs to the session.
    #[must_use]
    pub const fn is_ephemeral(self) -> bool {
        matches!(
            self,
            CreateMode::Ephemeral | CreateMode::EphemeralSequential
        )
    }

    /// Whether a TTL is needed.
    #[must_use]
    pub const fn is_ttl(self) -> bool {
        matches!(
            self,
            CreateMode::PersistentWithTtl | CreateMode::PersistentSequentialWithTtl
        )
    }
}

/// Which of the four create operations was called: they differ in reply and transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum CreateOp {
    /// 1: the reply is the path.
    Create,
    /// 15: path and Stat.
    Create2,
    /// 19: always a container.
    Container,
    /// 21: with a TTL in ms.
    Ttl(i64),
}

/// A create request of any of the four operations.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Create {
    /// The path asked for; a sequential one may end in `/`.
    pub path: Arc<str>,
    /// Its data.
    pub data: Data,
    /// Its ACL as given by the client.
    pub acl: Arc<[Acl]>,
    /// The kind.
    pub mode: CreateMode,
    /// Which operation.
    pub op: CreateOp,
}

/// Types of watch for removal and checking (1.11).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[repr(i32)]
pub enum WatcherType {
    /// Standard, child table.
    Children = 1,
    /// Standard, data table.
    Data = 2,
    /// All.
    Any = 3,
    /// Persistent, both tables.
    Persistent = 4,
    /// Recursive.
    PersistentRecursive = 5,
}

/// Modes of addWatch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[repr(i32)]
pub enum AddWatchMode {
    /// On this path, again and again.
    Persistent = 0,
    /// On this path and all below it.
    PersistentRecursive = 1,
}

/// The lists of setWatches(2): what a client had registered when it lost its server.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct SetWatches {
    /// The client's last seen zxid.
    pub relative_zxid: Zxid,
    /// Set by getData or exists on a znode that was there.
    pub data: Vec<Arc<str>>,
    /// Set by exists on a znode that was not there.
    pub exist: Vec<Arc<str>>,
    /// Set by getChildren.
    pub child: Vec<Arc<str>>,
    /// addWatch mode 0.
    pub persistent: Vec<Arc<str>>,
    /// addWatch mode 1.
    pub recursive: Vec<Arc<str>>,
}

/// What came of a token of a SASL exchange (ZooKeeper.md 1.15).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum SaslOutcome {
    /// The server knows no users: it has no token and no objection.
    #[default]
    NotConfigured,
    /// The exchange goes on with this token.
    Challenge(Arc<[u8]>),
    /// It is complete: with a last token, and who the client is.
    Proved {
        /// By which the server proves that it knows the password as well.
        token: Arc<[u8]>,
        /// The identity, as ACLs name it.
        id: Arc<str>,
    },
    /// It has failed.
    Failed,
}

/// A client's request, decoded. Reads are answered locally, [`Write`]s and sync go to the leader.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Request {
    /// 11: keeps the session alive.
    Ping,
    /// 3
    Exists {
        /// Where.
        path: Arc<str>,
        /// Set a watch.
        watch: bool,
    },
    /// 4
    GetData {
        /// Where.
        path: Arc<str>,
        /// Set a watch.
        watch: bool,
    },
    /// 6
    GetAcl {
        /// Where.
        path: Arc<str>,
    },
    /// 8 and 12: with or without the Stat.
    GetChildren {
        /// Where.
        path: Arc<str>,
        /// Set a watch.
        watch: bool,
        /// getChildren2: the reply has the Stat as well.
        stat: bool,
    },
    /// 104: the number of all descendants.
    GetAllChildrenNumber {
        /// Where.
        path: Arc<str>,
    },
    /// 103: this session's ephemerals that begin with `prefix`.
    GetEphemerals {
        /// A prefix of strings, not of paths.
        prefix: Option<Arc<str>>,
    },
    /// 22: independent reads; watch flags are ignored.
    MultiRead(Vec<Request>),
    /// 9: this server catches up with what the leader had committed.
    Sync {
        /// Returned as it is.
        path: Arc<str>,
    },
    /// 106
    AddWatch {
        /// Where.
        path: Arc<str>,
        /// Persistent or recursive.
        mode: AddWatchMode,
    },
    /// 17
    CheckWatches {
        /// Where.
        path: Arc<str>,
        /// Which.
        kind: WatcherType,
    },
    /// 18
    RemoveWatches {
        /// Where.
        path: Arc<str>,
        /// Which.
        kind: WatcherType,
    },
    /// 101, 105
    SetWatches(Box<SetWatches>),
    /// 107
    WhoAmI,
    /// 100: handled at once, before queued requests.
    Auth {
        /// The scheme.
        scheme: Arc<str>,
        /// What it wants, `user:password` for digest.
        auth: Arc<[u8]>,
    },
    /// 102: a token of a SASL exchange; handled at once, before queued requests.
    Sasl {
        /// What the mechanism wants.
        token: Data,
        /// What came of it. Passwords and randomness are not the protocol's: whoever reads the request
        /// evaluates the token.
        #[serde(default)]
        outcome: SaslOutcome,
    },
    /// -11: the client says good-bye.
    CloseSession,
    /// All that changes the tree.
    Write(Write),
    /// What can't be carried out because it can't be read, or because nobody knows its opcode. It
    /// is answered when its turn comes, like all others.
    Refused {
        /// The number that stands where an opcode should.
        opcode: i32,
        /// The rest of the frame as it came.
        body: Arc<[u8]>,
        /// The answer: -5 for a read that can't be read, -6 for an unknown opcode.
        code: ErrorCode,
        /// Whether the connection ends after the answer (trap 9).
        close: bool,
    },
}

/// A change that is asked for; the leader decides what becomes of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Write {
    /// 1, 15, 19, 21
    Create(Create),
    /// 2
    Delete {
        /// Where.
        path: Arc<str>,
        /// -1: any.
        version: i32,
    },
    /// 5
    SetData {
        /// Where.
        path: Arc<str>,
        /// What.
        data: Data,
        /// -1: any.
        version: i32,
    },
    /// 7
    SetAcl {
        /// Where.
        path: Arc<str>,
        /// What, before normalisation (1.15).
        acl: Arc<[Acl]>,
        /// The aversion; -1: any.
        version: i32,
    },
    /// 13; only inside a multi.
    Check {
        /// Where.
        path: Arc<str>,
        /// -1: any.
        version: i32,
    },
    /// 14: all or nothing.
    Multi(Vec<Write>),
    /// 16: another set of servers (1.13).
    Reconfig {
        /// `server.N=…` of those that join, separated by commas.
        joining: Option<Arc<str>>,
        /// The ids of those that leave, separated by commas.
        leaving: Option<Arc<str>>,
        /// The whole new list; if it is there, the other two do not count.
        new_members: Option<Arc<str>>,
        /// The version of the configuration that is to be replaced; -1: any.
        cur_config_id: i64,
    },
    /// 20: the server itself deletes an empty container or an outdated TTL node.
    DeleteContainer {
        /// Where.
        path: Arc<str>,
    },
    /// -10: a session begins.
    CreateSession {
        /// Granted time-out in ms.
        timeout_ms: i32,
    },
    /// -11: a session ends.
    CloseSession,
    /// A write that can't be read. It takes its place in the order and fails there, as an error
    /// transaction with its own zxid (1.8).
    Unreadable {
        /// Which write it should be.
        opcode: i32,
        /// The record as it came.
        body: Arc<[u8]>,
        /// -5 when the bytes are no record of this kind, -8 when a create's flags name no mode.
        code: ErrorCode,
    },
}

/// What a client's request is, without its contents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[allow(missing_docs)] // ZooKeeper's own names
pub enum OpKind {
    Ping,
    Exists,
    GetData,
    GetAcl,
    GetChildren,
    GetAllChildrenNumber,
    GetEphemerals,
    MultiRead,
    Sync,
    AddWatch,
    CheckWatches,
    RemoveWatches,
    SetWatches,
    WhoAmI,
    Auth,
    CreateSession,
    CloseSession,
    Create,
    Delete,
    DeleteContainer,
    SetData,
    SetAcl,
    Check,
    Multi,
    Reconfig,
    Sasl,
    /// A write that can't be read.
    Unreadable,
    /// A read that can't be read, or an unknown opcode.
    Refused,
}

/// One result inside a multi or multiRead.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum OpResult {
    /// create
    Create {
        /// The final path.
        path: Arc<str>,
    },
    /// create2, createTTL, createContainer
    Create2 {
        /// The final path.
        path: Arc<str>,
        /// Its Stat.
        stat: Stat,
    },
    /// setData
    SetData(Stat),
    /// setACL (alone; not allowed in a multi)
    SetAcl(Stat),
    /// delete, deleteContainer
    Delete,
    /// check
    Check,
    /// getData
    Data(Data, Stat),
    /// getChildren
    Children(Vec<Arc<str>>),
    /// What failed, and what failed with it.
    Error(ErrorCode),
}

/// The body of a successful reply.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Response {
    /// Header only: ping, delete, auth, closeSession, setWatches, check/removeWatches.
    Empty,
    /// exists, setData, setACL
    Stat(Stat),
    /// create
    Path(Arc<str>),
    /// create2, createContainer, createTTL
    PathStat(Arc<str>, Stat),
    /// getData; reconfig: the new configuration's text and its znode's Stat
    Data(Data, Stat),
    /// getACL
    Acl(Arc<[Acl]>, Stat),
    /// getChildren; the order of names is free, ours is sorted
    Children(Vec<Arc<str>>),
    /// getChildren2
    ChildrenStat(Vec<Arc<str>>, Stat),
    /// getEphemerals
    Ephemerals(Vec<Arc<str>>),
    /// getAllChildrenNumber
    Count(i32),
    /// sync
    Sync(Arc<str>),
    /// addWatch
    WatchAdded,
    /// whoAmI: (scheme, user)
    WhoAmI(Vec<AuthId>),
    /// sasl: the server's token, if it has one
    Sasl(Data),
    /// multi and multiRead; a failed multi is also here, with header error 0
    Multi(Vec<OpResult>),
}

/// Which kind of watch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum WatchKind {
    /// getData or exists.
    Data,
    /// getChildren.
    Child,
    /// addWatch persistent.
    Persistent,
    /// addWatch persistent recursive.
    Recursive,
}

/// What happened to a watched znode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[repr(i32)]
pub enum WatchEventKind {
    /// It was made.
    NodeCreated = 1,
    /// It went.
    NodeDeleted = 2,
    /// Its data was set.
    NodeDataChanged = 3,
    /// A child came or went.
    NodeChildrenChanged = 4,
}

/// A notification to a client, xid -1.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct WatchEvent {
    /// What happened.
    pub kind: WatchEventKind,
    /// Where.
    pub path: Arc<str>,
    /// By which transaction (3.9); -1 when it catches up after setWatches.
    pub zxid: Zxid,
}

/// The first packet of a connection.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ConnectRequest {
    /// The newest state the client has seen: a server that is behind must refuse (1.4).
    pub last_zxid_seen: Zxid,
    /// The time-out wished for.
    pub timeout_ms: i32,
    /// 0 for a new session.
    pub session: SessionId,
    /// The session's password; zeros for a new one.
    pub password: [u8; 16],
    /// A server without a quorum, which only reads, is good enough (1.13).
    pub read_only: bool,
}

impl ConnectRequest {
    /// Asks for a new session with this time-out, as a client does that has seen nothing yet.
    #[must_use]
    pub const fn new_session(timeout_ms: i32) -> ConnectRequest {
        ConnectRequest {
            last_zxid_seen: Zxid::ZERO,
            timeout_ms,
            session: SessionId::NONE,
            password: [0; 16],
            read_only: false,
        }
    }
}

/// The answer to it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ConnectResponse {
    /// The time-out granted; 0 says that the session is not valid any more.
    pub timeout_ms: i32,
    /// The session; 0 with time-out 0.
    pub session: SessionId,
    /// Its password.
    pub password: [u8; 16],
    /// The server has no quorum and only reads.
    pub read_only: bool,
}

impl ConnectResponse {
    /// "Your session is gone."
    pub const EXPIRED: ConnectResponse = ConnectResponse {
        timeout_ms: 0,
        session: SessionId::NONE,
        password: [0; 16],
        read_only: false,
    };
}

/// A reply: header and, when it went well, a body.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Reply {
    /// The request's xid.
    pub xid: i32,
    /// The last zxid that the answering server had applied (trap 2).
    pub zxid: Zxid,
    /// The body, or the error.
    pub result: Result<Response, ErrorCode>,
}

impl Request {
    /// What it is, without its contents.
    #[must_use]
    pub fn kind(&self) -> OpKind {
        match self {
            Request::Ping => OpKind::Ping,
            Request::Exists { .. } => OpKind::Exists,
            Request::GetData { .. } => OpKind::GetData,
            Request::GetAcl { .. } => OpKind::GetAcl,
            Request::GetChildren { .. } => OpKind::GetChildren,
            Request::GetAllChildrenNumber { .. } => OpKind::GetAllChildrenNumber,
            Request::GetEphemerals { .. } => OpKind::GetEphemerals,
            Request::MultiRead(_) => OpKind::MultiRead,
            Request::Sync { .. } => OpKind::Sync,
            Request::AddWatch { .. } => OpKind::AddWatch,
            Request::CheckWatches { .. } => OpKind::CheckWatches,
            Request::RemoveWatches { .. } => OpKind::RemoveWatches,
            Request::SetWatches(_) => OpKind::SetWatches,
            Request::WhoAmI => OpKind::WhoAmI,
            Request::Auth { .. } => OpKind::Auth,
            Request::Sasl { .. } => OpKind::Sasl,
            Request::CloseSession => OpKind::CloseSession,
            Request::Write(write) => write.kind(),
            Request::Refused { .. } => OpKind::Refused,
        }
    }

    /// The one place that it is about, if there is one.
    #[must_use]
    pub fn path(&self) -> Option<&Arc<str>> {
        match self {
            Request::Exists { path, .. }
            | Request::GetData { path, .. }
            | Request::GetAcl { path }
            | Request::GetChildren { path, .. }
            | Request::GetAllChildrenNumber { path }
            | Request::Sync { path }
            | Request::AddWatch { path, .. }
            | Request::CheckWatches { path, .. }
            | Request::RemoveWatches { path, .. } => Some(path),
            Request::Write(write) => write.path(),
            Request::Ping
            | Request::GetEphemerals { .. }
            | Request::MultiRead(_)
            | Request::SetWatches(_)
            | Request::WhoAmI
            | Request::Auth { .. }
            | Request::Sasl { .. }
            | Request::CloseSession
            | Request::Refused { .. } => None,
        }
    }
}

impl Write {
    /// Whether it makes a znode that goes with its session, alone or in a multi.
    #[must_use]
    pub fn makes_ephemeral(&self) -> bool {
        match self {
            Write::Create(create) => create.mode.is_ephemeral(),
            Write::Multi(all) => all
                .iter()
                .any(|w| matches!(w, Write::Create(c) if c.mode.is_ephemeral())),
            Write::Delete { .. }
            | Write::SetData { .. }
            | Write::SetAcl { .. }
            | Write::Check { .. }
            | Write::Reconfig { .. }
            | Write::DeleteContainer { .. }
            | Write::CreateSession { .. }
            | Write::CloseSession
            | Write::Unreadable { .. } => false,
        }
    }

    /// What it is, without its contents.
    #[must_use]
    pub fn kind(&self) -> OpKind {
        match self {
            Write::Create(_) => OpKind::Create,
            Write::Delete { .. } => OpKind::Delete,
            Write::SetData { .. } => OpKind::SetData,
            Write::SetAcl { .. } => OpKind::SetAcl,
            Write::Check { .. } => OpKind::Check,
            Write::Multi(_) => OpKind::Multi,
            Write::DeleteContainer { .. } => OpKind::DeleteContainer,
            Write::CreateSession { .. } => OpKind::CreateSession,
            Write::CloseSession => OpKind::CloseSession,
            Write::Reconfig { .. } => OpKind::Reconfig,
            Write::Unreadable { .. } => OpKind::Unreadable,
        }
    }

    /// The one place that it is about, if there is one.
    #[must_use]
    pub fn path(&self) -> Option<&Arc<str>> {
        match self {
            Write::Create(create) => Some(&create.path),
            Write::Delete { path, .. }
            | Write::SetData { path, .. }
            | Write::SetAcl { path, .. }
            | Write::Check { path, .. }
            | Write::DeleteContainer { path } => Some(path),
            Write::Multi(_)
            | Write::Reconfig { .. }
            | Write::CreateSession { .. }
            | Write::CloseSession
            | Write::Unreadable { .. } => None,
        }
    }
}

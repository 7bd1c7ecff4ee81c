//! What a client's listener is told.

use std::{fmt, sync::Arc};
use zabscope_core::{id::Zxid, request::WatchEventKind};

/// How a session stands, under Apache's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SessionState {
    /// No connection; one is looked for.
    Connecting,
    /// Connected to a server with a quorum.
    Connected,
    /// Connected to a server that only serves reads.
    ConnectedReadOnly,
    /// SASL has proved who the client is. Only events say so: the session is connected then.
    SaslAuthenticated,
    /// Ended here.
    Closed,
    /// Ended by the ensemble.
    Expired,
    /// A server refused an identity.
    AuthFailed,
}

impl SessionState {
    /// Whether requests can be sent.
    #[must_use]
    pub const fn is_connected(self) -> bool {
        matches!(
            self,
            SessionState::Connected
                | SessionState::ConnectedReadOnly
                | SessionState::SaslAuthenticated
        )
    }

    /// Whether it is over.
    #[must_use]
    pub const fn is_over(self) -> bool {
        matches!(
            self,
            SessionState::Closed | SessionState::Expired | SessionState::AuthFailed
        )
    }

    /// The name in events.
    #[must_use]
    pub const fn event_name(self) -> &'static str {
        match self {
            SessionState::Connecting => "Disconnected",
            SessionState::Connected => "SyncConnected",
            SessionState::ConnectedReadOnly => "ConnectedReadOnly",
            SessionState::SaslAuthenticated => "SaslAuthenticated",
            SessionState::Closed => "Closed",
            SessionState::Expired => "Expired",
            SessionState::AuthFailed => "AuthFailed",
        }
    }

    /// The name in zkCli's prompt.
    #[must_use]
    pub const fn prompt_name(self) -> &'static str {
        match self {
            SessionState::Connecting => "CONNECTING",
            SessionState::Connected | SessionState::SaslAuthenticated => "CONNECTED",
            SessionState::ConnectedReadOnly => "CONNECTEDREADONLY",
            SessionState::Closed | SessionState::Expired => "CLOSED",
            SessionState::AuthFailed => "AUTH_FAILED",
        }
    }
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EventKind {
    /// The session's state changed.
    None,
    /// A watch rang.
    Node(WatchEventKind),
    /// Watches of this client's were removed by it.
    ChildWatchRemoved,
    /// Likewise.
    DataWatchRemoved,
    /// Likewise.
    PersistentWatchRemoved,
}

impl EventKind {
    /// Apache's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            EventKind::None => "None",
            EventKind::Node(WatchEventKind::NodeCreated) => "NodeCreated",
            EventKind::Node(WatchEventKind::NodeDeleted) => "NodeDeleted",
            EventKind::Node(WatchEventKind::NodeDataChanged) => "NodeDataChanged",
            EventKind::Node(WatchEventKind::NodeChildrenChanged) => "NodeChildrenChanged",
            EventKind::ChildWatchRemoved => "ChildWatchRemoved",
            EventKind::DataWatchRemoved => "DataWatchRemoved",
            EventKind::PersistentWatchRemoved => "PersistentWatchRemoved",
        }
    }
}

/// An event, as zkCli of 3.9 prints it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// How the session stands.
    pub state: SessionState,
    /// What happened.
    pub kind: EventKind,
    /// Where, without the chroot.
    pub path: Option<Arc<str>>,
    /// The transaction that did it; -1 if the server does not say or there is none.
    pub zxid: Zxid,
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "WatchedEvent state:{} type:{} path:{} zxid: {}",
            self.state.event_name(),
            self.kind.name(),
            self.path.as_deref().unwrap_or("null"),
            self.zxid.0
        )
    }
}

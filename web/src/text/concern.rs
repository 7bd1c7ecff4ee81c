//! Which facts a selection is about, so that choosing something lights up its story in the event list.

use super::Context;
use crate::state::Selection;
use zabscope_core::{
    id::{ClientId, ServerId, SessionId},
    peer::event::EventKind,
    sim::{ClientNo, Fact, WorldEventKind},
};

/// Who and what a fact names.
#[derive(Default)]
struct Named<'a> {
    servers: [Option<ServerId>; 2],
    no: Option<ClientNo>,
    conn: Option<ClientId>,
    session: Option<SessionId>,
    path: Option<&'a str>,
}

/// Whether `fact` is part of the story of what is selected. A message has its own panel, which tells
/// its story: no line lights up for it.
#[must_use]
pub fn concerns(fact: &Fact, selection: &Selection, context: &dyn Context) -> bool {
    let named = || match fact {
        Fact::Peer(event) => Named {
            servers: [Some(event.id.server), None],
            ..peer(&event.kind)
        },
        Fact::World(event) => world(&event.kind),
    };
    match selection {
        Selection::Nothing | Selection::Message(_) => false,
        Selection::Server(id) => named().servers.contains(&Some(*id)),
        Selection::Client(no) => {
            let named = named();
            named.no == Some(*no)
                || named.conn.and_then(|c| context.client(c)) == Some(*no)
                || named.session.and_then(|s| context.session(s)) == Some(*no)
        }
        Selection::Link(a, b) => match fact {
            Fact::Peer(_) => false,
            Fact::World(_) => {
                let [x, y] = named().servers;
                (x, y) == (Some(*a), Some(*b)) || (x, y) == (Some(*b), Some(*a))
            }
        },
        Selection::Znode(path) => named().path == Some(&**path),
    }
}

fn peer(kind: &EventKind) -> Named<'_> {
    match kind {
        EventKind::ClientArrived { client, session }
        | EventKind::RequestReceived {
            client, session, ..
        }
        | EventKind::SessionAttached {
            client, session, ..
        }
        | EventKind::WriteAnswered {
            client, session, ..
        }
        | EventKind::SyncAnswered {
            client, session, ..
        } => Named {
            conn: Some(*client),
            session: Some(*session),
            ..Named::default()
        },
        EventKind::ClientLeft { client, session } => Named {
            conn: Some(*client),
            session: *session,
            ..Named::default()
        },
        EventKind::ClientRefused { client, .. } | EventKind::Authenticated { client, .. } => {
            Named {
                conn: Some(*client),
                ..Named::default()
            }
        }
        EventKind::RequestForwarded { session, .. }
        | EventKind::RequestRefused { session, .. }
        | EventKind::RequestQueued { session, .. }
        | EventKind::SessionProposed { session, .. }
        | EventKind::LocalSessionBegan { session, .. }
        | EventKind::LocalSessionEnded { session, .. }
        | EventKind::SessionUpgraded { session }
        | EventKind::SessionTouched { session }
        | EventKind::SessionExpired { session, .. }
        | EventKind::SessionValidated { session, .. }
        | EventKind::SessionEnded { session, .. } => Named {
            session: Some(*session),
            ..Named::default()
        },
        EventKind::Proposed { session, path, .. } => Named {
            session: Some(*session),
            path: path.as_deref(),
            ..Named::default()
        },
        EventKind::ReadServed {
            client,
            session,
            path,
            ..
        } => Named {
            conn: Some(*client),
            session: Some(*session),
            path: path.as_deref(),
            ..Named::default()
        },
        EventKind::Applied { path, .. } => Named {
            path: path.as_deref(),
            ..Named::default()
        },
        EventKind::WatchSet { client, path, .. }
        | EventKind::WatchFired { client, path, .. }
        | EventKind::WatchRemoved { client, path } => Named {
            conn: Some(*client),
            path: Some(path),
            ..Named::default()
        },
        EventKind::ContainerFound { path } => Named {
            path: Some(path),
            ..Named::default()
        },
        // What names neither a client nor a znode.
        _ => Named::default(),
    }
}

fn world(kind: &WorldEventKind) -> Named<'_> {
    let servers = |a: &ServerId, b: Option<&ServerId>| [Some(*a), b.copied()];
    match kind {
        WorldEventKind::Crashed { server, .. }
        | WorldEventKind::Restarted { server }
        | WorldEventKind::Paused { server }
        | WorldEventKind::Resumed { server, .. }
        | WorldEventKind::DiskSlowed { server, .. }
        | WorldEventKind::DiskLost { server } => Named {
            servers: servers(server, None),
            ..Named::default()
        },
        WorldEventKind::LinkCut { a, b }
        | WorldEventKind::LinkHealed { a, b }
        | WorldEventKind::LinkSlowed { a, b, .. } => Named {
            servers: servers(a, Some(b)),
            ..Named::default()
        },
        WorldEventKind::DirectionCut { from, to }
        | WorldEventKind::ConnectionBroken { from, to, .. }
        | WorldEventKind::MessageLost { from, to, .. } => Named {
            servers: servers(from, Some(to)),
            ..Named::default()
        },
        WorldEventKind::Partitioned { .. }
        | WorldEventKind::AllHealed
        | WorldEventKind::RulesSet { .. }
        | WorldEventKind::FaultsSet { .. } => Named::default(),
        WorldEventKind::ClientAdded { client }
        | WorldEventKind::ClientPaused { client }
        | WorldEventKind::ClientResumed { client }
        | WorldEventKind::ClientClosed { client, .. } => Named {
            no: Some(*client),
            ..Named::default()
        },
        WorldEventKind::ClientConnecting { client, server, .. }
        | WorldEventKind::ClientConnected { client, server, .. }
        | WorldEventKind::ClientGaveUp { client, server, .. }
        | WorldEventKind::ClientExpired { client, server, .. }
        | WorldEventKind::ReplyReceived { client, server, .. } => Named {
            no: Some(*client),
            servers: servers(server, None),
            ..Named::default()
        },
        WorldEventKind::RequestSent {
            client,
            server,
            path,
            ..
        }
        | WorldEventKind::StaleRead {
            client,
            server,
            path,
            ..
        } => Named {
            no: Some(*client),
            servers: servers(server, None),
            path: path.as_deref(),
            ..Named::default()
        },
        WorldEventKind::WatchReceived {
            client,
            server,
            path,
            ..
        } => Named {
            no: Some(*client),
            servers: servers(server, None),
            path: Some(path),
            ..Named::default()
        },
    }
}

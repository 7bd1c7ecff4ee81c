//! Which watches a client has set, so that they can be set again at another server. Paths are the
//! server's own, chroot included.

use super::event::EventKind;
use std::{collections::BTreeSet, sync::Arc};
use zabscope_core::{
    request::{AddWatchMode, ErrorCode, Request, SetWatches, WatchEventKind, WatcherType},
    tree::path,
};

/// A kind of watch, as setWatches2 lists them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Data,
    Exist,
    Child,
    Persistent,
    Recursive,
}

impl Kind {
    pub fn list(self, packet: &mut SetWatches) -> &mut Vec<Arc<str>> {
        match self {
            Kind::Data => &mut packet.data,
            Kind::Exist => &mut packet.exist,
            Kind::Child => &mut packet.child,
            Kind::Persistent => &mut packet.persistent,
            Kind::Recursive => &mut packet.recursive,
        }
    }
}

/// The watches of a session.
#[derive(Debug, Default)]
pub struct Watches(BTreeSet<(Kind, Arc<str>)>);

impl Watches {
    pub fn iter(&self) -> impl Iterator<Item = (Kind, &Arc<str>)> {
        self.0.iter().map(|(kind, path)| (*kind, path))
    }

    /// Remembers what a request asked for, now that it was answered.
    pub fn answered(&mut self, request: &Request, error: Option<ErrorCode>) {
        let (kind, path) = match (request, error) {
            (Request::GetData { path, watch: true }, None)
            | (Request::Exists { path, watch: true }, None) => (Kind::Data, path),
            (Request::Exists { path, watch: true }, Some(ErrorCode::NoNode)) => (Kind::Exist, path),
            (
                Request::GetChildren {
                    path, watch: true, ..
                },
                None,
            ) => (Kind::Child, path),
            (Request::AddWatch { path, mode }, None) => match mode {
                AddWatchMode::Persistent => (Kind::Persistent, path),
                AddWatchMode::PersistentRecursive => (Kind::Recursive, path),
            },
            _ => return,
        };
        self.0.insert((kind, Arc::clone(path)));
    }

    fn take(&mut self, kind: Kind, path: &Arc<str>) -> bool {
        self.0.remove(&(kind, Arc::clone(path)))
    }

    fn holds(&self, kind: Kind, path: &Arc<str>) -> bool {
        self.0.contains(&(kind, Arc::clone(path)))
    }

    /// A watch rang: forgets those that ring once. False if none was set for it.
    pub fn rang(&mut self, event: WatchEventKind, path: &Arc<str>) -> bool {
        let once: &[Kind] = match event {
            WatchEventKind::NodeCreated | WatchEventKind::NodeDataChanged => {
                &[Kind::Data, Kind::Exist]
            }
            WatchEventKind::NodeDeleted => &[Kind::Data, Kind::Exist, Kind::Child],
            WatchEventKind::NodeChildrenChanged => &[Kind::Child],
        };
        let mut any = false;
        for kind in once {
            any |= self.take(*kind, path);
        }
        any || self.holds(Kind::Persistent, path)
            || (event != WatchEventKind::NodeChildrenChanged
                && self.iter().any(|(kind, of)| {
                    kind == Kind::Recursive && (of == path || path::is_below(path, of))
                }))
    }

    fn kinds(kind: WatcherType) -> &'static [Kind] {
        match kind {
            WatcherType::Children => &[Kind::Child],
            WatcherType::Data => &[Kind::Data, Kind::Exist],
            WatcherType::Persistent => &[Kind::Persistent],
            WatcherType::PersistentRecursive => &[Kind::Recursive],
            WatcherType::Any => &[
                Kind::Child,
                Kind::Data,
                Kind::Exist,
                Kind::Persistent,
                Kind::Recursive,
            ],
        }
    }

    /// Whether there is one to remove.
    pub fn has(&self, path: &Arc<str>, kind: WatcherType) -> bool {
        Watches::kinds(kind).iter().any(|k| self.holds(*k, path))
    }

    /// Removes them: what the listener is told, in Apache's order.
    pub fn remove(&mut self, path: &Arc<str>, kind: WatcherType) -> Vec<EventKind> {
        let mut told: Vec<EventKind> = Vec::new();
        for k in Watches::kinds(kind) {
            if self.take(*k, path) {
                let event = match k {
                    Kind::Child => EventKind::ChildWatchRemoved,
                    Kind::Data | Kind::Exist => EventKind::DataWatchRemoved,
                    Kind::Persistent | Kind::Recursive => EventKind::PersistentWatchRemoved,
                };
                if !told.contains(&event) {
                    told.push(event);
                }
            }
        }
        told
    }
}

//! The watches of one server (ZooKeeper.md 1.11). They live where the client is connected and
//! die with the connection.

use super::{Tree, acl, database::Change, database::ChangeKind, path};
use crate::{
    id::{ClientId, Zxid},
    request::{
        Acl, AuthId, ErrorCode, SetWatches, WatchEvent, WatchEventKind, WatchKind, WatcherType,
        perms,
    },
};
use imbl::{OrdMap, OrdSet};
use std::{collections::BTreeMap, sync::Arc};

/// How a connection watches a path: a set, for the modes live side by side (3.9).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Modes(u8);

impl Modes {
    /// No watch.
    pub const NONE: Modes = Modes(0);
    /// Rings once.
    pub const STANDARD: Modes = Modes(1);
    /// Rings again and again.
    pub const PERSISTENT: Modes = Modes(2);
    /// Rings for all that is below, too.
    pub const RECURSIVE: Modes = Modes(4);
    /// All of them.
    pub const ALL: Modes = Modes(7);

    /// Whether any of `other` is among them.
    #[must_use]
    pub const fn has(self, other: Modes) -> bool {
        self.0 & other.0 != 0
    }

    /// These and `other`.
    #[must_use]
    pub const fn with(self, other: Modes) -> Modes {
        Modes(self.0 | other.0)
    }

    /// These but not `other`.
    #[must_use]
    pub const fn without(self, other: Modes) -> Modes {
        Modes(self.0 & !other.0)
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    const fn count(self) -> usize {
        self.0.count_ones() as usize
    }
}

/// A watch that rang.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Fired {
    /// Whose.
    pub client: ClientId,
    /// What it is told.
    pub event: WatchEvent,
    /// A standard watch rang: it is gone.
    pub consumed: bool,
    /// Not to be delivered, because the client may not read the znode; consumed all the same.
    pub withheld: bool,
}

/// A watch, for display.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Watch<'a> {
    /// Where.
    pub path: &'a Arc<str>,
    /// Whose.
    pub client: ClientId,
    /// In the data table.
    pub data: Modes,
    /// In the child table.
    pub child: Modes,
}

/// One of the two tables, with an index for each direction.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
struct Table {
    by_path: OrdMap<Arc<str>, OrdMap<ClientId, Modes>>,
    by_client: OrdMap<ClientId, OrdSet<Arc<str>>>,
    /// Watches, each mode counted.
    count: usize,
    /// Recursive ones among them: without any, no ancestor need be looked at.
    recursive: usize,
}

impl Table {
    fn modes(&self, path: &str, client: ClientId) -> Modes {
        self.by_path
            .get(path)
            .and_then(|watchers| watchers.get(&client))
            .copied()
            .unwrap_or_default()
    }

    fn add(&mut self, path: &Arc<str>, client: ClientId, modes: Modes) {
        let before = self.modes(path, client);
        self.put(path, client, before, before.with(modes));
    }

    /// Whether any was there.
    fn remove(&mut self, path: &Arc<str>, client: ClientId, modes: Modes) -> bool {
        let before = self.modes(path, client);
        self.put(path, client, before, before.without(modes));
        before.has(modes)
    }

    fn put(&mut self, path: &Arc<str>, client: ClientId, before: Modes, after: Modes) {
        if before == after {
            return;
        }
        self.count = self.count + after.count() - before.count();
        let recursive = |modes: Modes| usize::from(modes.has(Modes::RECURSIVE));
        self.recursive = self.recursive + recursive(after) - recursive(before);
        if after.is_empty() {
            if let Some(watchers) = self.by_path.get_mut(path) {
                watchers.remove(&client);
                if watchers.is_empty() {
                    self.by_path.remove(path);
                }
            }
            if let Some(paths) = self.by_client.get_mut(&client) {
                paths.remove(path);
                if paths.is_empty() {
                    self.by_client.remove(&client);
                }
            }
            return;
        }
        self.by_path
            .entry(path.clone())
            .or_default()
            .insert(client, after);
        if before.is_empty() {
            self.by_client
                .entry(client)
                .or_default()
                .insert(path.clone());
        }
    }

    fn drop_client(&mut self, client: ClientId) {
        for path in self.by_client.get(&client).cloned().unwrap_or_default() {
            self.remove(&path, client, Modes::ALL);
        }
    }

    /// Who hears of `at`, and whether a standard watch went with it. Each connection once.
    fn ring(&mut self, at: &Arc<str>) -> BTreeMap<ClientId, bool> {
        let mut heard = BTreeMap::new();
        if let Some(watchers) = self.by_path.get(at) {
            heard.extend(
                watchers
                    .iter()
                    .map(|(client, modes)| (*client, modes.has(Modes::STANDARD))),
            );
        }
        for (client, consumed) in &heard {
            if *consumed {
                self.remove(at, *client, Modes::STANDARD);
            }
        }
        let mut above: &str = at;
        while self.recursive > 0 && above.len() > 1 {
            let Some(next) = path::parent(above) else {
                break;
            };
            above = next;
            for (client, modes) in self.by_path.get(above).into_iter().flatten() {
                if modes.has(Modes::RECURSIVE) {
                    heard.entry(*client).or_insert(false);
                }
            }
        }
        heard
    }
}

/// The watches of all connections of a server.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct WatchTable {
    data: Table,
    child: Table,
}

impl WatchTable {
    /// None yet.
    #[must_use]
    pub fn new() -> WatchTable {
        WatchTable::default()
    }

    /// Sets a watch; a second time changes nothing.
    pub fn register(&mut self, client: ClientId, path: &Arc<str>, kind: WatchKind) {
        match kind {
            WatchKind::Data => self.data.add(path, client, Modes::STANDARD),
            WatchKind::Child => self.child.add(path, client, Modes::STANDARD),
            WatchKind::Persistent => {
                self.data.add(path, client, Modes::PERSISTENT);
                self.child.add(path, client, Modes::PERSISTENT);
            }
            WatchKind::Recursive => self.data.add(path, client, Modes::RECURSIVE),
        }
    }

    /// What a change rings, in a fixed order: data table, child table, then the parent's children;
    /// within each by connection. `ids` are what a connection has proved.
    pub fn trigger<'a>(
        &mut self,
        change: &Change,
        ids: impl Fn(ClientId) -> &'a [AuthId],
    ) -> Vec<Fired> {
        let mut pass = Pass {
            fired: Vec::new(),
            zxid: change.zxid,
            ids,
        };
        let at = &change.path;
        match &change.kind {
            ChangeKind::Created { parent_acl } => {
                let heard = self.data.ring(at);
                pass.tell(heard, at, WatchEventKind::NodeCreated, &change.acl);
                self.children_changed(&mut pass, at, parent_acl);
            }
            ChangeKind::Deleted { parent_acl } => {
                let heard = self.data.ring(at);
                let mut rest = self.child.ring(at);
                // Told already; its child watch is gone with the znode all the same.
                rest.retain(|client, _| !heard.contains_key(client));
                pass.tell(heard, at, WatchEventKind::NodeDeleted, &change.acl);
                pass.tell(rest, at, WatchEventKind::NodeDeleted, &change.acl);
                self.children_changed(&mut pass, at, parent_acl);
            }
            ChangeKind::DataChanged => {
                let heard = self.data.ring(at);
                pass.tell(heard, at, WatchEventKind::NodeDataChanged, &change.acl);
            }
        }
        pass.fired
    }

    fn children_changed<'a, F: Fn(ClientId) -> &'a [AuthId]>(
        &mut self,
        pass: &mut Pass<F>,
        at: &Arc<str>,
        parent_acl: &Arc<[Acl]>,
    ) {
        let Some(parent) = path::parent(at) else {
            return;
        };
        // Look before making a new string: most parents have no watch.
        let Some((parent, _)) = self.child.by_path.get_key_value(parent) else {
            return;
        };
        let parent = parent.clone();
        let heard = self.child.ring(&parent);
        pass.tell(
            heard,
            &parent,
            WatchEventKind::NodeChildrenChanged,
            parent_acl,
        );
    }

    /// Whether such a watch is set.
    ///
    /// # Errors
    /// [`ErrorCode::NoWatcher`]
    pub fn check(&self, client: ClientId, path: &str, kind: WatcherType) -> Result<(), ErrorCode> {
        let (data, child) = tables(kind);
        let set =
            self.data.modes(path, client).has(data) || self.child.modes(path, client).has(child);
        if set {
            Ok(())
        } else {
            Err(ErrorCode::NoWatcher)
        }
    }

    /// Takes such watches away.
    ///
    /// # Errors
    /// [`ErrorCode::NoWatcher`] when there was none.
    pub fn remove(
        &mut self,
        client: ClientId,
        path: &Arc<str>,
        kind: WatcherType,
    ) -> Result<(), ErrorCode> {
        let (data, child) = tables(kind);
        let data = self.data.remove(path, client, data);
        let child = self.child.remove(path, client, child);
        if data || child {
            Ok(())
        } else {
            Err(ErrorCode::NoWatcher)
        }
    }

    /// The connection is gone and all its watches with it.
    pub fn drop_client(&mut self, client: ClientId) {
        self.data.drop_client(client);
        self.child.drop_client(client);
    }

    /// A client came back: what it missed is told at once (with zxid -1), the rest is registered.
    pub fn set_watches(
        &mut self,
        client: ClientId,
        lists: &SetWatches,
        tree: &Tree,
    ) -> Vec<WatchEvent> {
        let mut missed = Vec::new();
        let mut tell = |path: &Arc<str>, kind| {
            missed.push(WatchEvent {
                kind,
                path: path.clone(),
                zxid: Zxid(-1),
            });
        };
        let since = lists.relative_zxid;
        for path in &lists.data {
            match tree.node(path) {
                None => tell(path, WatchEventKind::NodeDeleted),
                Some(node) if node.persisted().mzxid > since => {
                    tell(path, WatchEventKind::NodeDataChanged);
                }
                Some(_) => self.register(client, path, WatchKind::Data),
            }
        }
        for path in &lists.exist {
            match tree.node(path) {
                None => self.register(client, path, WatchKind::Data),
                Some(_) => tell(path, WatchEventKind::NodeCreated),
            }
        }
        for path in &lists.child {
            match tree.node(path) {
                None => tell(path, WatchEventKind::NodeDeleted),
                Some(node) if node.persisted().pzxid > since => {
                    tell(path, WatchEventKind::NodeChildrenChanged);
                }
                Some(_) => self.register(client, path, WatchKind::Child),
            }
        }
        for path in &lists.persistent {
            self.register(client, path, WatchKind::Persistent);
        }
        for path in &lists.recursive {
            self.register(client, path, WatchKind::Recursive);
        }
        missed
    }

    /// Number of watches, each mode of each table counted.
    #[must_use]
    pub fn len(&self) -> usize {
        self.data.count + self.child.count
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of paths with a watch in the data table (four-letter word `wchs` counts these).
    #[must_use]
    pub fn data_paths(&self) -> usize {
        self.data.by_path.len()
    }

    /// Number of connections with a watch in the data table.
    #[must_use]
    pub fn data_clients(&self) -> usize {
        self.data.by_client.len()
    }

    /// All watches by path, then by connection.
    pub fn iter(&self) -> impl Iterator<Item = Watch<'_>> {
        let only_child = self
            .child
            .by_path
            .keys()
            .filter(|path| !self.data.by_path.contains_key(*path));
        let mut paths: Vec<&Arc<str>> = self.data.by_path.keys().chain(only_child).collect();
        paths.sort_unstable();
        paths.into_iter().flat_map(|path| self.at(path))
    }

    /// The watches on one path, by connection.
    pub fn at(&self, path: &str) -> impl Iterator<Item = Watch<'_>> + use<'_> {
        let mut found: BTreeMap<ClientId, Watch<'_>> = BTreeMap::new();
        for (table, is_data) in [(&self.data, true), (&self.child, false)] {
            let Some((path, watchers)) = table.by_path.get_key_value(path) else {
                continue;
            };
            for (client, modes) in watchers {
                let watch = found.entry(*client).or_insert(Watch {
                    path,
                    client: *client,
                    data: Modes::NONE,
                    child: Modes::NONE,
                });
                if is_data {
                    watch.data = *modes;
                } else {
                    watch.child = *modes;
                }
            }
        }
        found.into_values()
    }

    /// The paths that a connection watches, sorted.
    pub fn paths_of(&self, client: ClientId) -> impl Iterator<Item = &Arc<str>> {
        let data = self.data.by_client.get(&client);
        let child = self.child.by_client.get(&client);
        let only_child = child
            .into_iter()
            .flatten()
            .filter(move |path| !data.is_some_and(|data| data.contains(*path)));
        let mut paths: Vec<&Arc<str>> = data.into_iter().flatten().chain(only_child).collect();
        paths.sort_unstable();
        paths.into_iter()
    }
}

/// What a type of watch means in the data table and in the child table.
fn tables(kind: WatcherType) -> (Modes, Modes) {
    match kind {
        WatcherType::Children => (Modes::NONE, Modes::STANDARD),
        WatcherType::Data => (Modes::STANDARD, Modes::NONE),
        WatcherType::Any => (Modes::ALL, Modes::ALL),
        WatcherType::Persistent => (Modes::PERSISTENT, Modes::PERSISTENT),
        WatcherType::PersistentRecursive => (Modes::RECURSIVE, Modes::NONE),
    }
}

/// Collects what one change rings.
struct Pass<F> {
    fired: Vec<Fired>,
    zxid: Zxid,
    ids: F,
}

impl<'a, F: Fn(ClientId) -> &'a [AuthId]> Pass<F> {
    fn tell(
        &mut self,
        heard: BTreeMap<ClientId, bool>,
        at: &Arc<str>,
        kind: WatchEventKind,
        governing: &[Acl],
    ) {
        self.fired
            .extend(heard.into_iter().map(|(client, consumed)| Fired {
                client,
                event: WatchEvent {
                    kind,
                    path: at.clone(),
                    zxid: self.zxid,
                },
                consumed,
                withheld: !acl::allows(governing, perms::READ, (self.ids)(client)),
            }));
    }
}

//! The watches of one server (ZooKeeper.md 1.11). They live where the client is connected and
//! die with the connection.

use super::{Tree, acl, database::Change, database::ChangeKind, path};
use crate::{
    config::{Release, Rights},
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
    fn ring(&mut self, at: &Arc<str>, kind: WatchEventKind) -> BTreeMap<ClientId, bool> {
        let mut heard = BTreeMap::new();
        // A recursive watch hears of the children themselves, not that there are others.
        let of_children = kind == WatchEventKind::NodeChildrenChanged;
        let here = Modes::STANDARD.with(Modes::PERSISTENT);
        if let Some(watchers) = self.by_path.get(at) {
            heard.extend(
                watchers
                    .iter()
                    .filter(|(_, modes)| !of_children || modes.has(here))
                    .map(|(client, modes)| (*client, modes.has(Modes::STANDARD))),
            );
        }
        for (client, consumed) in &heard {
            if *consumed {
                self.remove(at, *client, Modes::STANDARD);
            }
        }
        let mut above: &str = at;
        while !of_children && self.recursive > 0 && above.len() > 1 {
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
    /// As 3.8 has it: a connection has one mode for a path in each table, the last it registered, and a
    /// recursive watch stands in both tables.
    exclusive: bool,
}

impl WatchTable {
    /// None yet; modes live side by side as in 3.9.
    #[must_use]
    pub fn new() -> WatchTable {
        WatchTable::default()
    }

    /// None yet, in the way of a release.
    #[must_use]
    pub fn of(release: Release) -> WatchTable {
        WatchTable {
            exclusive: release == Release::V38,
            ..WatchTable::default()
        }
    }

    /// Sets a watch; a second time changes nothing.
    pub fn register(&mut self, client: ClientId, path: &Arc<str>, kind: WatchKind) {
        let (data, child) = match kind {
            WatchKind::Data => (Modes::STANDARD, Modes::NONE),
            WatchKind::Child => (Modes::NONE, Modes::STANDARD),
            WatchKind::Persistent => (Modes::PERSISTENT, Modes::PERSISTENT),
            WatchKind::Recursive if self.exclusive => (Modes::RECURSIVE, Modes::RECURSIVE),
            WatchKind::Recursive => (Modes::RECURSIVE, Modes::NONE),
        };
        for (table, modes) in [(&mut self.data, data), (&mut self.child, child)] {
            if self.exclusive && !modes.is_empty() {
                table.remove(path, client, Modes::ALL.without(modes));
            }
            table.add(path, client, modes);
        }
    }

    /// What a change rings, in a fixed order: data table, child table, then the parent's children;
    /// within each by connection. `ids` are what a connection has proved.
    pub fn trigger<'a>(
        &mut self,
        rights: &Rights,
        change: &Change,
        ids: impl Fn(ClientId) -> &'a [AuthId],
    ) -> Vec<Fired> {
        let mut pass = Pass {
            fired: Vec::new(),
            zxid: change.zxid,
            rights,
            ids,
        };
        let at = &change.path;
        match &change.kind {
            ChangeKind::Created { parent_acl } => {
                let heard = self.data.ring(at, WatchEventKind::NodeCreated);
                pass.tell(heard, at, WatchEventKind::NodeCreated, &change.acl);
                self.children_changed(&mut pass, at, parent_acl);
            }
            ChangeKind::Deleted { parent_acl } => {
                let heard = self.data.ring(at, WatchEventKind::NodeDeleted);
                let mut rest = self.child.ring(at, WatchEventKind::NodeDeleted);
                // Told already; its child watch is gone with the znode all the same.
                rest.retain(|client, _| !heard.contains_key(client));
                pass.tell(heard, at, WatchEventKind::NodeDeleted, &change.acl);
                pass.tell(rest, at, WatchEventKind::NodeDeleted, &change.acl);
                self.children_changed(&mut pass, at, parent_acl);
            }
            ChangeKind::DataChanged => {
                let heard = self.data.ring(at, WatchEventKind::NodeDataChanged);
                pass.tell(heard, at, WatchEventKind::NodeDataChanged, &change.acl);
            }
        }
        pass.fired
    }

    fn children_changed<'a, F: Fn(ClientId) -> &'a [AuthId]>(
        &mut self,
        pass: &mut Pass<'_, F>,
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
        let heard = self
            .child
            .ring(&parent, WatchEventKind::NodeChildrenChanged);
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
    /// [`ErrorCode::NoWatcher`], or [`ErrorCode::MarshallingError`] for a type that 3.8 does not have.
    pub fn check(&self, client: ClientId, path: &str, kind: WatcherType) -> Result<(), ErrorCode> {
        let (data, child) = self.meant(kind)?;
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
    /// [`ErrorCode::NoWatcher`] when there was none, and as [`WatchTable::check`].
    pub fn remove(
        &mut self,
        client: ClientId,
        path: &Arc<str>,
        kind: WatcherType,
    ) -> Result<(), ErrorCode> {
        let (data, child) = self.meant(kind)?;
        let data = self.data.remove(path, client, data);
        let child = self.child.remove(path, client, child);
        if data || child {
            Ok(())
        } else {
            Err(ErrorCode::NoWatcher)
        }
    }

    /// What a type of watch means in the data table and in the child table. In 3.8 the types name
    /// tables, whatever the mode.
    fn meant(&self, kind: WatcherType) -> Result<(Modes, Modes), ErrorCode> {
        if !self.exclusive {
            return Ok(tables(kind));
        }
        match kind {
            WatcherType::Children => Ok((Modes::NONE, Modes::ALL)),
            WatcherType::Data => Ok((Modes::ALL, Modes::NONE)),
            WatcherType::Any => Ok((Modes::ALL, Modes::ALL)),
            WatcherType::Persistent | WatcherType::PersistentRecursive => {
                Err(ErrorCode::MarshallingError)
            }
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

    /// Number of watches in the data table, each mode counted (`wchs` counts these).
    #[must_use]
    pub fn data_len(&self) -> usize {
        self.data.count
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
struct Pass<'r, F> {
    fired: Vec<Fired>,
    zxid: Zxid,
    rights: &'r Rights,
    ids: F,
}

impl<'a, F: Fn(ClientId) -> &'a [AuthId]> Pass<'_, F> {
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
                withheld: !acl::allows(self.rights, governing, perms::READ, (self.ids)(client)),
            }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        request::CreateMode,
        request::CreateOp,
        tree::testing::{World, entry, id},
    };

    const A: ClientId = ClientId(1);
    const B: ClientId = ClientId(2);

    fn path(text: &str) -> Arc<str> {
        text.into()
    }

    fn change(kind: ChangeKind, at: &str) -> Change {
        Change {
            path: at.into(),
            kind,
            acl: Arc::from([]),
            zxid: Zxid(7),
        }
    }

    fn created(at: &str) -> Change {
        let parent_acl = Arc::from([]);
        change(ChangeKind::Created { parent_acl }, at)
    }

    fn deleted(at: &str) -> Change {
        let parent_acl = Arc::from([]);
        change(ChangeKind::Deleted { parent_acl }, at)
    }

    fn set(at: &str) -> Change {
        change(ChangeKind::DataChanged, at)
    }

    fn table(watches: &[(ClientId, &str, WatchKind)]) -> WatchTable {
        let mut table = WatchTable::new();
        for (client, at, kind) in watches {
            table.register(*client, &path(at), *kind);
        }
        table
    }

    fn ring(table: &mut WatchTable, change: &Change) -> Vec<(ClientId, WatchEventKind, String)> {
        table
            .trigger(&Rights::default(), change, |_| &[])
            .into_iter()
            .map(|fired| (fired.client, fired.event.kind, fired.event.path.to_string()))
            .collect()
    }

    use WatchEventKind::{NodeChildrenChanged, NodeCreated, NodeDataChanged, NodeDeleted};
    use WatchKind::{Child, Data, Persistent, Recursive};

    fn told(
        client: ClientId,
        kind: WatchEventKind,
        at: &str,
    ) -> (ClientId, WatchEventKind, String) {
        (client, kind, at.to_string())
    }

    #[test]
    fn in_3_8_the_last_mode_of_a_path_is_the_only_one() {
        let mut old = WatchTable::of(Release::V38);
        let mut new = WatchTable::of(Release::V39);
        for table in [&mut old, &mut new] {
            table.register(A, &path("/a"), Persistent);
            table.register(A, &path("/a"), Data);
            assert_eq!(ring(table, &set("/a")), [told(A, NodeDataChanged, "/a")]);
        }
        assert_eq!(ring(&mut old, &set("/a")), [], "it was a standard one");
        assert_eq!(ring(&mut new, &set("/a")), [told(A, NodeDataChanged, "/a")]);
        // The other table kept its mode.
        assert_eq!(
            ring(&mut old, &created("/a/b")),
            [told(A, NodeChildrenChanged, "/a")]
        );
    }

    #[test]
    fn in_3_8_a_recursive_watch_stands_in_both_tables_and_is_told_once() {
        let mut table = WatchTable::of(Release::V38);
        table.register(A, &path("/a"), Recursive);
        assert_eq!(table.len(), 2);
        assert_eq!(
            ring(&mut table, &created("/a/b")),
            [told(A, NodeCreated, "/a/b")],
            "nothing of children"
        );
        assert_eq!(
            ring(&mut table, &deleted("/a/b")),
            [told(A, NodeDeleted, "/a/b")]
        );
        // Replaced in the data table it goes on in the child table.
        table.register(A, &path("/a"), Data);
        assert_eq!(
            ring(&mut table, &deleted("/a/b")),
            [told(A, NodeDeleted, "/a/b")]
        );
    }

    #[test]
    fn in_3_8_types_of_watch_name_tables() {
        let mut table = WatchTable::of(Release::V38);
        table.register(A, &path("/a"), Persistent);
        for kind in [WatcherType::Children, WatcherType::Data, WatcherType::Any] {
            assert_eq!(table.check(A, "/a", kind), Ok(()), "{kind:?}");
        }
        for kind in [WatcherType::Persistent, WatcherType::PersistentRecursive] {
            let unknown = Err(ErrorCode::MarshallingError);
            assert_eq!(table.remove(A, &path("/a"), kind), unknown, "{kind:?}");
        }
        assert_eq!(table.remove(A, &path("/a"), WatcherType::Data), Ok(()));
        assert_eq!(
            table.check(A, "/a", WatcherType::Data),
            Err(ErrorCode::NoWatcher)
        );
        assert_eq!(table.remove(A, &path("/a"), WatcherType::Any), Ok(()));
        assert!(table.is_empty());
    }

    #[test]
    fn a_standard_watch_rings_once() {
        let mut table = table(&[(A, "/a", Data), (A, "/a", Data)]);
        assert_eq!(table.len(), 1, "registering twice is registering once");
        let fired = table.trigger(&Rights::default(), &set("/a"), |_| &[]);
        assert!(fired[0].consumed && !fired[0].withheld);
        assert_eq!(fired[0].event.zxid, Zxid(7));
        assert!(table.is_empty());
        assert_eq!(table, WatchTable::new(), "nothing is left behind");
    }

    #[test]
    fn a_create_rings_the_node_then_the_parents_children() {
        let mut table = table(&[(A, "/p/a", Data), (B, "/p", Child), (A, "/p", Child)]);
        assert_eq!(
            ring(&mut table, &created("/p/a")),
            [
                told(A, NodeCreated, "/p/a"),
                told(A, NodeChildrenChanged, "/p"),
                told(B, NodeChildrenChanged, "/p"),
            ]
        );
    }

    #[test]
    fn the_root_is_the_parent_of_top_level_nodes() {
        let mut table = table(&[(A, "/", Child)]);
        assert_eq!(
            ring(&mut table, &created("/a")),
            [told(A, NodeChildrenChanged, "/")]
        );
    }

    #[test]
    fn a_delete_is_told_once_and_takes_both_watches() {
        let mut table = table(&[(A, "/a", Data), (A, "/a", Child), (B, "/a", Child)]);
        assert_eq!(
            ring(&mut table, &deleted("/a")),
            [told(A, NodeDeleted, "/a"), told(B, NodeDeleted, "/a")]
        );
        assert!(table.is_empty());
    }

    #[test]
    fn set_data_rings_no_child_watch() {
        let mut table = table(&[(A, "/a", Child), (A, "/", Child)]);
        assert_eq!(ring(&mut table, &set("/a")), []);
    }

    #[test]
    fn a_persistent_watch_rings_again_and_survives_deletion() {
        let mut table = table(&[(A, "/a", Persistent)]);
        for (change, kind, at) in [
            (set("/a"), NodeDataChanged, "/a"),
            (created("/a/b"), NodeChildrenChanged, "/a"),
            (deleted("/a"), NodeDeleted, "/a"),
            (created("/a"), NodeCreated, "/a"),
        ] {
            assert_eq!(ring(&mut table, &change), [told(A, kind, at)]);
        }
        assert_eq!(table.len(), 2);
    }

    #[test]
    fn with_both_modes_one_event_and_only_the_standard_one_goes() {
        let mut table = table(&[(A, "/a", Data), (A, "/a", Persistent)]);
        let fired = table.trigger(&Rights::default(), &set("/a"), |_| &[]);
        assert_eq!(fired.len(), 1);
        assert!(fired[0].consumed);
        let fired = table.trigger(&Rights::default(), &set("/a"), |_| &[]);
        assert_eq!(fired.len(), 1);
        assert!(!fired[0].consumed);
    }

    #[test]
    fn a_recursive_watch_hears_of_all_below_but_never_of_children() {
        for at in ["/", "/a"] {
            let mut table = table(&[(A, at, Recursive)]);
            for (change, kind) in [
                (created("/a/b/c"), NodeCreated),
                (set("/a/b/c"), NodeDataChanged),
                (deleted("/a/b/c"), NodeDeleted),
                (set("/a"), NodeDataChanged),
            ] {
                let expected = [told(A, kind, &change.path)];
                assert_eq!(ring(&mut table, &change), expected);
            }
            assert_eq!(table.len(), 1);
        }
        let mut beside = table(&[(A, "/a", Recursive)]);
        assert_eq!(ring(&mut beside, &set("/ab")), []);
    }

    #[test]
    fn several_watches_on_the_way_up_are_one_event() {
        let mut table = table(&[(A, "/", Recursive), (A, "/a", Recursive), (A, "/a/b", Data)]);
        let fired = table.trigger(&Rights::default(), &set("/a/b"), |_| &[]);
        assert_eq!(fired.len(), 1);
        assert!(fired[0].consumed, "its standard watch went");
    }

    #[test]
    fn events_come_in_order_of_connections() {
        let mut table = WatchTable::new();
        for n in [5, 1, 9, 3] {
            table.register(ClientId(n), &path("/a"), Data);
        }
        let order: Vec<u64> = ring(&mut table, &set("/a")).iter().map(|t| t.0.0).collect();
        assert_eq!(order, [1, 3, 5, 9]);
    }

    #[test]
    fn who_may_not_read_is_not_told_and_loses_the_watch_all_the_same() {
        let mut table = table(&[(A, "/a", Data), (B, "/a", Data), (A, "/", Child)]);
        let joe = [id("digest", "joe:h")];
        let private: Arc<[Acl]> = Arc::from([entry(perms::READ, "digest", "joe:h")]);
        let change = Change {
            acl: private,
            ..created("/a")
        };
        let fired = table.trigger(&Rights::default(), &change, |client| {
            if client == B { &joe } else { &[] }
        });
        let withheld: Vec<(ClientId, bool)> =
            fired.iter().map(|f| (f.client, f.withheld)).collect();
        assert_eq!(
            withheld,
            [(A, true), (B, false), (A, false)],
            "the parent's ACL for children"
        );
        assert!(fired[0].consumed);
        assert!(table.is_empty());
    }

    #[test]
    fn withheld_by_the_data_table_is_not_made_good_by_the_child_table() {
        let mut table = table(&[(A, "/a", Data), (A, "/a", Child)]);
        let change = Change {
            acl: Arc::from([entry(perms::ADMIN, "world", "anyone")]),
            ..deleted("/a")
        };
        let fired = table.trigger(&Rights::default(), &change, |_| &[]);
        assert_eq!(fired.len(), 1);
        assert!(fired[0].withheld);
        assert!(table.is_empty());
    }

    #[test]
    fn removal_by_type_takes_that_type_only() {
        let all = [
            (A, "/a", Data),
            (A, "/a", Child),
            (A, "/a", Persistent),
            (A, "/a", Recursive),
        ];
        for (kind, left) in [
            (WatcherType::Children, 4),
            (WatcherType::Data, 4),
            (WatcherType::Persistent, 3),
            (WatcherType::PersistentRecursive, 4),
            (WatcherType::Any, 0),
        ] {
            let mut table = table(&all);
            assert_eq!(table.len(), 5);
            assert_eq!(table.check(A, "/a", kind), Ok(()));
            assert_eq!(table.remove(A, &path("/a"), kind), Ok(()));
            assert_eq!(table.len(), left, "{kind:?}");
            assert_eq!(table.check(A, "/a", kind), Err(ErrorCode::NoWatcher));
            assert_eq!(
                table.remove(A, &path("/a"), kind),
                Err(ErrorCode::NoWatcher)
            );
        }
    }

    #[test]
    fn nobody_removes_the_watches_of_others() {
        let mut table = table(&[(A, "/a", Data)]);
        assert_eq!(
            table.remove(B, &path("/a"), WatcherType::Any),
            Err(ErrorCode::NoWatcher)
        );
        assert_eq!(table.len(), 1);
    }

    #[test]
    fn watches_go_with_their_connection() {
        let mut table = table(&[
            (A, "/a", Data),
            (A, "/b", Child),
            (A, "/c", Persistent),
            (A, "/d", Recursive),
            (B, "/a", Data),
        ]);
        table.drop_client(A);
        assert_eq!(table, self::table(&[(B, "/a", Data)]));
        table.drop_client(A);
        table.drop_client(B);
        assert_eq!(table, WatchTable::new());
    }

    /// `/old` last changed before zxid 5, `/new` after it.
    fn reconnected(lists: SetWatches) -> (Vec<(WatchEventKind, String)>, WatchTable) {
        let mut world = World::new();
        world.create("/old"); // 3
        world.create("/pad"); // 4
        world.create("/pad2"); // 5
        world.create("/new"); // 6
        let mut table = WatchTable::new();
        let lists = SetWatches {
            relative_zxid: Zxid(5),
            ..lists
        };
        let events = table.set_watches(A, &lists, &world.db.tree);
        assert!(events.iter().all(|event| event.zxid == Zxid(-1)));
        let events = events.into_iter().map(|e| (e.kind, e.path.to_string()));
        (events.collect(), table)
    }

    fn both() -> Vec<Arc<str>> {
        vec!["/no".into(), "/old".into(), "/new".into()]
    }

    #[test]
    fn a_returning_client_hears_what_its_data_watches_missed() {
        let (events, left) = reconnected(SetWatches {
            data: both(),
            ..SetWatches::default()
        });
        let expected = [
            (NodeDeleted, "/no".to_string()),
            (NodeDataChanged, "/new".to_string()),
        ];
        assert_eq!(events, expected);
        assert_eq!(left, table(&[(A, "/old", Data)]));
    }

    #[test]
    fn a_returning_client_hears_of_what_exists_now() {
        let (events, left) = reconnected(SetWatches {
            exist: both(),
            ..SetWatches::default()
        });
        let expected = [
            (NodeCreated, "/old".to_string()),
            (NodeCreated, "/new".to_string()),
        ];
        assert_eq!(events, expected);
        assert_eq!(left, table(&[(A, "/no", Data)]));
    }

    #[test]
    fn a_returning_client_hears_what_its_child_watches_missed() {
        let (events, left) = reconnected(SetWatches {
            child: both(),
            ..SetWatches::default()
        });
        let expected = [
            (NodeDeleted, "/no".to_string()),
            (NodeChildrenChanged, "/new".to_string()),
        ];
        assert_eq!(events, expected);
        assert_eq!(left, table(&[(A, "/old", Child)]));
    }

    #[test]
    fn persistent_watches_come_back_without_catching_up() {
        let (events, left) = reconnected(SetWatches {
            persistent: both(),
            recursive: both(),
            ..SetWatches::default()
        });
        assert_eq!(events, []);
        assert_eq!(left.len(), 9);
    }

    #[test]
    fn watches_can_be_listed_by_path_and_by_client() {
        let table = table(&[(B, "/b", Child), (A, "/b", Data), (A, "/a", Persistent)]);
        let all: Vec<(String, ClientId, Modes, Modes)> = table
            .iter()
            .map(|w| (w.path.to_string(), w.client, w.data, w.child))
            .collect();
        assert_eq!(
            all,
            [
                ("/a".to_string(), A, Modes::PERSISTENT, Modes::PERSISTENT),
                ("/b".to_string(), A, Modes::STANDARD, Modes::NONE),
                ("/b".to_string(), B, Modes::NONE, Modes::STANDARD),
            ]
        );
        let paths: Vec<&str> = table.paths_of(A).map(|path| &**path).collect();
        assert_eq!(paths, ["/a", "/b"]);
        assert_eq!((table.data_paths(), table.data_clients()), (2, 1));
    }

    #[test]
    fn closing_a_session_rings_as_deletes_do() {
        let mut world = World::new();
        world.create("/p");
        world.make("/p/e", CreateMode::Ephemeral, CreateOp::Create);
        let mut table = table(&[(B, "/p/e", Data), (B, "/p", Child)]);
        let closed = world.apply(crate::txn::TxnBody::CloseSession { paths: vec![] });
        let rung: Vec<_> = closed
            .changes
            .iter()
            .flat_map(|c| ring(&mut table, c))
            .collect();
        let expected = [
            told(B, NodeDeleted, "/p/e"),
            told(B, NodeChildrenChanged, "/p"),
        ];
        assert_eq!(rung, expected);
    }
}

//! The replicated state: the znode tree, sessions, and the watches that a server keeps beside it.
//!
//! Everything is persistent: a clone costs nothing and shares what has not changed.

pub mod acl;
pub mod database;
pub mod node;
pub mod path;
mod quota;
#[cfg(test)]
pub(crate) mod testing;
pub mod watch;

pub use database::{Applied, Change, ChangeKind, Database};
pub use node::{Node, Owner, StatPersisted, TtlOwners};
pub use quota::{Exceeded, QuotaKind};

use crate::{
    id::{SessionId, Zxid},
    request::{Acl, ErrorCode, Stat, perms},
    txn::Data,
};
use core::{
    fmt,
    hash::{BuildHasherDefault, Hash, Hasher},
};
use imbl::{GenericHashMap, OrdMap, OrdSet, shared_ptr::DefaultSharedPtr};
use std::{collections::BTreeSet, hash::DefaultHasher, sync::Arc};

/// Path to node. A trie over hashes finds a path among a million in a third of the time of an
/// ordered map, which must compare long strings that begin alike at every step. The hasher has a
/// fixed key, and its order is never seen: whoever walks, walks along the children.
type Nodes =
    GenericHashMap<Arc<str>, Arc<Node>, BuildHasherDefault<DefaultHasher>, DefaultSharedPtr>;

/// The znode tree.
///
/// One persistent map from path to node; each node knows its children's names. Everything beside
/// it (digest, sizes, who owns which ephemerals, …) follows and is kept up to date with each
/// change.
#[derive(Clone)]
pub struct Tree {
    nodes: Nodes,
    /// Each distinct list once, with the number of nodes that have it.
    acls: OrdMap<Arc<[Acl]>, usize>,
    ephemerals: OrdMap<SessionId, OrdSet<Arc<str>>>,
    containers: OrdSet<Arc<str>>,
    ttls: OrdSet<Arc<str>>,
    digest: u64,
    data_bytes: u64,
    /// How many znodes hold limits of a quota: without any, no write need look for them.
    limits: usize,
}

/// A znode of a snapshot could not be put into the tree.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    /// No parent above it.
    #[error("znode {0:?} has no parent")]
    NoParent(Arc<str>),
    /// A second time.
    #[error("znode {0:?} is there twice")]
    Twice(Arc<str>),
}

/// What a create made.
pub(crate) struct Made {
    pub stat: Stat,
    pub acl: Arc<[Acl]>,
    pub parent_acl: Arc<[Acl]>,
}

/// What a create needs besides the path.
pub(crate) struct NewNode<'a> {
    pub data: &'a Data,
    pub acl: &'a Arc<[Acl]>,
    pub owner: Owner,
    pub parent_cversion: i32,
    pub zxid: Zxid,
    pub time_ms: i64,
}

impl Default for Tree {
    fn default() -> Self {
        Tree::new()
    }
}

impl Tree {
    /// A fresh tree: `/`, `/zookeeper`, `/zookeeper/quota`, `/zookeeper/config` (1.17).
    #[must_use]
    pub fn new() -> Tree {
        let mut tree = Tree::bare();
        tree.ensure_system_nodes();
        tree
    }

    /// Only the root: where a loader begins, see [`Tree::load`].
    #[must_use]
    pub fn bare() -> Tree {
        let mut tree = Tree {
            nodes: Nodes::default(),
            acls: OrdMap::new(),
            ephemerals: OrdMap::new(),
            containers: OrdSet::new(),
            ttls: OrdSet::new(),
            digest: 0,
            data_bytes: 0,
            limits: 0,
        };
        tree.insert(&Arc::from(path::ROOT), Tree::system_node(path::ROOT));
        tree
    }

    fn system_node(at: &str) -> Node {
        Node::new(
            at,
            Some(Arc::from([])),
            Arc::from([]),
            StatPersisted::default(),
            Owner::Persistent,
        )
    }

    /// Makes what a server needs and a snapshot may lack.
    pub fn ensure_system_nodes(&mut self) {
        for at in [path::ZOOKEEPER, path::QUOTA, path::CONFIG] {
            if self.contains(at) {
                continue;
            }
            let mut node = Tree::system_node(at);
            if at == path::CONFIG {
                node.acl = self.retain_acl(&Arc::from([acl::anyone(perms::READ)]));
                node.stat.aversion = -1;
                node.stat_changed();
            }
            self.link(at);
            self.insert(&Arc::from(at), node);
        }
    }

    /// Tells the parent, if there is one, of its new child.
    fn link(&mut self, at: &str) -> bool {
        path::split(at).is_some_and(|(parent, name)| {
            self.update(parent, |node| node.children.insert(Arc::from(name)))
                .is_some()
        })
    }

    /// Writes the configuration's text locally, not by a transaction (1.17).
    pub fn set_config(&mut self, text: Data, version: Zxid, wall_ms: i64) {
        // Missing it can only be after a broken leader's delete: then it comes again.
        self.ensure_system_nodes();
        let written = self.set_data(path::CONFIG, &text, -1, version, wall_ms);
        debug_assert!(written.is_ok(), "the config node was just ensured");
    }

    /// Puts a znode of a snapshot into the tree, parents first; `""` or `/` replaces the root.
    /// No list (an empty ACL) is the open one.
    ///
    /// # Errors
    /// [`LoadError`] when the snapshot is no tree.
    pub fn load(
        &mut self,
        at: &Arc<str>,
        data: Data,
        acl: &Arc<[Acl]>,
        stat: StatPersisted,
        ttls: TtlOwners,
    ) -> Result<(), LoadError> {
        let owner = Owner::decode(stat.ephemeral_owner, ttls);
        if matches!(&**at, "" | path::ROOT) {
            let mut root = Node::new(path::ROOT, data, self.retain_acl(acl), stat, owner);
            if let Some(old) = self.remove_entry(path::ROOT) {
                root.children = old.children.clone();
            }
            self.insert(&Arc::from(path::ROOT), root);
            return Ok(());
        }
        if self.contains(at) {
            return Err(LoadError::Twice(at.clone()));
        }
        if !self.link(at) {
            return Err(LoadError::NoParent(at.clone()));
        }
        let acl = self.retain_acl(acl);
        self.insert(at, Node::new(at, data, acl, stat, owner));
        Ok(())
    }

    // --- What one can see ---

    /// The znode at a path. The empty path is the root, as in Apache.
    #[must_use]
    pub fn node(&self, at: &str) -> Option<&Node> {
        let at = if at.is_empty() { path::ROOT } else { at };
        self.nodes.get(at).map(|node| &**node)
    }

    /// Whether a znode is there.
    #[must_use]
    pub fn contains(&self, at: &str) -> bool {
        self.node(at).is_some()
    }

    /// The stat as a client sees it.
    #[must_use]
    pub fn stat(&self, at: &str) -> Option<Stat> {
        self.node(at).map(Node::stat)
    }

    /// All znodes: every parent before its children, siblings by name.
    pub fn nodes(&self) -> impl Iterator<Item = (&Arc<str>, &Node)> {
        self.walk(path::ROOT)
    }

    /// The names of a znode's children, sorted; nothing for a znode that is not there.
    pub fn children(&self, at: &str) -> impl Iterator<Item = &Arc<str>> {
        self.node(at).into_iter().flat_map(|node| node.children())
    }

    /// All znodes strictly below a path, in the order of [`Tree::nodes`].
    pub fn below(&self, at: &str) -> impl Iterator<Item = (&Arc<str>, &Node)> + use<'_> {
        self.walk(at).skip(1)
    }

    fn walk(&self, at: &str) -> impl Iterator<Item = (&Arc<str>, &Node)> + use<'_> {
        let at = if at.is_empty() { path::ROOT } else { at };
        let mut open: Vec<_> = self.nodes.get_key_value(at).into_iter().collect();
        core::iter::from_fn(move || {
            let (at, node) = open.pop()?;
            open.extend(
                node.children
                    .iter()
                    .rev()
                    .filter_map(|name| self.nodes.get_key_value(&*path::child(at, name))),
            );
            Some((at, &**node))
        })
    }

    /// The paths at which two trees differ, sorted.
    #[must_use]
    pub fn changed(&self, other: &Tree) -> Vec<Arc<str>> {
        let differs = |tree: &Tree, at: &Arc<str>, node: &Node| tree.node(at) != Some(node);
        let mut paths = BTreeSet::new();
        for (one, two) in [(self, other), (other, self)] {
            for (at, node) in one.nodes() {
                if differs(two, at, node) {
                    paths.insert(at.clone());
                }
            }
        }
        paths.into_iter().collect()
    }

    /// Number of znodes, the root counted once (Apache's figures count its two keys).
    #[must_use]
    pub fn node_count(&self) -> usize {
        self.nodes.len()
    }

    /// Bytes of all paths and data: Apache's approximate data size.
    #[must_use]
    pub fn data_bytes(&self) -> u64 {
        self.data_bytes
    }

    /// The digest of 4.7, version 2.
    #[must_use]
    pub fn digest(&self) -> u64 {
        self.digest
    }

    /// Each distinct ACL that a znode has, in order, and how many have it. An empty list (no list)
    /// is not among them.
    pub fn acls(&self) -> impl Iterator<Item = (&Arc<[Acl]>, usize)> {
        self.acls.iter().map(|(list, nodes)| (list, *nodes))
    }

    /// A session's ephemerals, sorted.
    pub fn ephemerals(&self, session: SessionId) -> impl Iterator<Item = &Arc<str>> {
        self.ephemerals.get(&session).into_iter().flatten()
    }

    /// The sessions that own ephemerals, in order of id.
    pub fn owners(&self) -> impl Iterator<Item = SessionId> + '_ {
        self.ephemerals.keys().copied()
    }

    /// Number of ephemerals.
    #[must_use]
    pub fn ephemeral_count(&self) -> usize {
        self.ephemerals.values().map(OrdSet::len).sum()
    }

    /// The containers, sorted.
    pub fn containers(&self) -> impl Iterator<Item = &Arc<str>> {
        self.containers.iter()
    }

    /// The TTL nodes, sorted.
    pub fn ttl_nodes(&self) -> impl Iterator<Item = &Arc<str>> {
        self.ttls.iter()
    }

    /// What the leader should delete now: empty containers that have been used, or that were not used
    /// for longer than `never_used_ms`, and TTL nodes without children whose time is over (1.14).
    pub fn reapable(
        &self,
        wall_ms: i64,
        never_used_ms: Option<i64>,
    ) -> impl Iterator<Item = &Arc<str>> {
        let node = |at: &Arc<str>| self.node(at).filter(|node| node.children.is_empty());
        let containers = self.containers.iter().filter(move |at| {
            node(at).is_some_and(|node| {
                let age = wall_ms.saturating_sub(node.stat.mtime);
                node.stat.cversion > 0 || never_used_ms.is_some_and(|most| age > most)
            })
        });
        let ttls = self.ttls.iter().filter(move |at| {
            node(at).is_some_and(|node| match node.owner {
                Owner::Ttl(ms) => wall_ms.saturating_sub(node.stat.mtime) > ms,
                Owner::Persistent | Owner::Ephemeral(_) | Owner::Container => false,
            })
        });
        containers.chain(ttls)
    }

    /// The digest added up from scratch; the kept one must always be equal.
    #[must_use]
    pub fn recomputed_digest(&self) -> u64 {
        self.nodes().fold(0, |sum, (at, node)| {
            let fresh = Node::new(
                at,
                node.data.clone(),
                node.acl.clone(),
                node.stat,
                node.owner,
            );
            sum.wrapping_add(weight(at, &fresh))
        })
    }

    // --- What a transaction does; the rules of 4.6 ---

    pub(crate) fn create(&mut self, at: &Arc<str>, new: NewNode<'_>) -> Result<Made, ErrorCode> {
        let (parent, name) = path::split(at).ok_or(ErrorCode::NoNode)?;
        if self.contains(at) {
            // Replay: the ACL that a fuzzy snapshot refers to may be unknown; this repairs it.
            let list = self.retain_acl(new.acl);
            let old = self.update(at, |node| core::mem::replace(&mut node.acl, list));
            if let Some(old) = old {
                self.release_acl(&old);
            }
            return Err(ErrorCode::NodeExists);
        }
        let parent_acl = self
            .update(parent, |node| {
                node.raise_cversion(new.parent_cversion, new.zxid);
                node.children.insert(Arc::from(name));
                node.acl.clone()
            })
            .ok_or(ErrorCode::NoNode)?;
        let acl = self.retain_acl(new.acl);
        let stat = StatPersisted::created(new.zxid, new.time_ms, new.owner);
        let node = Node::new(at, new.data.clone(), acl.clone(), stat, new.owner);
        let stat = node.stat();
        self.insert(at, node);
        self.quota_created(at, new.data);
        Ok(Made {
            stat,
            acl,
            parent_acl,
        })
    }

    /// A create that is replayed on a state ahead of it repairs its parent's counters.
    pub(crate) fn raise_cversion(&mut self, at: &str, cversion: i32, zxid: Zxid) {
        self.update(at, |node| node.raise_cversion(cversion, zxid));
    }

    /// Deletes; returns the node and its parent's ACL. What is below it goes too: a correct leader
    /// never deletes a znode with children, but a replay may pass through such a state.
    pub(crate) fn delete(
        &mut self,
        at: &str,
        zxid: Zxid,
    ) -> Result<(Arc<Node>, Arc<[Acl]>), ErrorCode> {
        let (parent, name) = path::split(at).ok_or(ErrorCode::NoNode)?;
        let parent_acl = self
            .update(parent, |node| {
                node.children.remove(name);
                // Even when the child is gone already: its end belongs to the parent's history.
                if zxid > node.stat.pzxid {
                    node.stat.pzxid = zxid;
                    node.stat_changed();
                }
                node.acl.clone()
            })
            .ok_or(ErrorCode::NoNode)?;
        let node = self.remove_entry(at).ok_or(ErrorCode::NoNode)?;
        for name in &node.children {
            let below: Vec<Arc<str>> = self
                .walk(&path::child(at, name))
                .map(|(at, _)| at.clone())
                .collect();
            for orphan in below {
                self.remove_entry(&orphan);
            }
        }
        self.quota_deleted(at, &node.data);
        Ok((node, parent_acl))
    }

    /// Returns the stat, and the ACL that governs who hears of it.
    pub(crate) fn set_data(
        &mut self,
        at: &str,
        data: &Data,
        version: i32,
        zxid: Zxid,
        time_ms: i64,
    ) -> Result<(Stat, Arc<[Acl]>), ErrorCode> {
        let more = self.bytes_more(at, data);
        let (before, after, stat, acl) = self
            .update(at, |node| {
                let before = node.bytes(at);
                node.data = data.clone();
                node.stat.version = version;
                node.stat.mzxid = zxid;
                node.stat.mtime = time_ms;
                node.content_changed(at);
                (before, node.bytes(at), node.stat(), node.acl.clone())
            })
            .ok_or(ErrorCode::NoNode)?;
        self.data_bytes = self.data_bytes - before + after;
        self.used(at, more, 0);
        Ok((stat, acl))
    }

    pub(crate) fn set_acl(
        &mut self,
        at: &str,
        acl: &Arc<[Acl]>,
        version: i32,
    ) -> Result<Stat, ErrorCode> {
        // Not `contains`: for a write the empty path is no name of the root.
        if !self.nodes.contains_key(at) {
            return Err(ErrorCode::NoNode);
        }
        let list = self.retain_acl(acl);
        let (old, stat) = self
            .update(at, |node| {
                let old = core::mem::replace(&mut node.acl, list);
                node.stat.aversion = version;
                node.stat_changed();
                (old, node.stat())
            })
            .ok_or(ErrorCode::NoNode)?;
        self.release_acl(&old);
        Ok(stat)
    }

    // --- Bookkeeping: every change of `nodes` goes through these three ---

    fn update<R>(&mut self, at: &str, change: impl FnOnce(&mut Node) -> R) -> Option<R> {
        let node = Arc::make_mut(self.nodes.get_mut(at)?);
        self.digest = self.digest.wrapping_sub(weight(at, node));
        let result = change(node);
        self.digest = self.digest.wrapping_add(weight(at, node));
        Some(result)
    }

    /// A node that is not there yet; its ACL is retained and its parent knows it already.
    fn insert(&mut self, at: &Arc<str>, node: Node) {
        self.digest = self.digest.wrapping_add(weight(at, &node));
        self.data_bytes += node.bytes(at);
        self.limits += usize::from(quota::is_limits(at));
        match node.owner {
            Owner::Persistent => {}
            Owner::Ephemeral(session) => {
                self.ephemerals
                    .entry(session)
                    .or_default()
                    .insert(at.clone());
            }
            Owner::Container => {
                self.containers.insert(at.clone());
            }
            Owner::Ttl(_) => {
                self.ttls.insert(at.clone());
            }
        }
        self.nodes.insert(at.clone(), Arc::new(node));
    }

    /// Removes the entry alone: neither the parent's list nor what is below.
    fn remove_entry(&mut self, at: &str) -> Option<Arc<Node>> {
        let node = self.nodes.remove(at)?;
        self.digest = self.digest.wrapping_sub(weight(at, &node));
        self.data_bytes -= node.bytes(at);
        self.limits -= usize::from(quota::is_limits(at));
        match node.owner {
            Owner::Persistent => {}
            Owner::Ephemeral(session) => {
                if let Some(owned) = self.ephemerals.get_mut(&session) {
                    owned.remove(at);
                    if owned.is_empty() {
                        self.ephemerals.remove(&session);
                    }
                }
            }
            Owner::Container => {
                self.containers.remove(at);
            }
            Owner::Ttl(_) => {
                self.ttls.remove(at);
            }
        }
        self.release_acl(&node.acl);
        Some(node)
    }

    fn retain_acl(&mut self, list: &Arc<[Acl]>) -> Arc<[Acl]> {
        if list.is_empty() {
            return list.clone();
        }
        if let Some((kept, nodes)) = self.acls.get_key_value_mut(list) {
            *nodes += 1;
            return kept.clone();
        }
        self.acls.insert(list.clone(), 1);
        list.clone()
    }

    fn release_acl(&mut self, list: &Arc<[Acl]>) {
        if let Some(nodes) = self.acls.get_mut(list) {
            *nodes -= 1;
            if *nodes == 0 {
                self.acls.remove(list);
            }
        }
    }
}

/// What a node adds to the digest.
fn weight(at: &str, node: &Node) -> u64 {
    if path::in_digest(at) {
        u64::from(node.crc())
    } else {
        0
    }
}

/// Two trees are equal when their nodes are; the rest follows.
impl PartialEq for Tree {
    fn eq(&self, other: &Self) -> bool {
        self.digest == other.digest
            && (self.nodes.ptr_eq(&other.nodes) || self.nodes == other.nodes)
    }
}

impl Eq for Tree {}

impl Hash for Tree {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.digest.hash(state);
        self.nodes.len().hash(state);
    }
}

impl fmt::Debug for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} znodes, digest {:#x}", self.nodes.len(), self.digest)
    }
}

#[cfg(test)]
mod tests {
    use super::{testing::World, *};
    use crate::{
        request::{CreateMode, CreateOp},
        tree::testing::{data, entry, set},
    };
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    #[test]
    fn a_fresh_tree_has_the_published_digest() {
        assert_eq!(Tree::new().digest(), 1_371_985_504);
    }

    #[test]
    fn a_fresh_tree_has_four_nodes_as_apache_makes_them() {
        let tree = Tree::new();
        let paths: Vec<&str> = tree.nodes().map(|(at, _)| &**at).collect();
        assert_eq!(
            paths,
            ["/", "/zookeeper", "/zookeeper/config", "/zookeeper/quota"]
        );
        for (at, node) in tree.nodes() {
            let config = at.ends_with("config");
            let aversion = if config { -1 } else { 0 };
            let expected = StatPersisted {
                aversion,
                ..StatPersisted::default()
            };
            assert_eq!(*node.persisted(), expected, "{at}");
            assert_eq!(node.acl().is_empty(), !config);
            assert_eq!(node.data(), &data(""), "empty, not absent");
        }
    }

    #[test]
    fn the_configuration_is_written_without_a_trace_in_the_digest() {
        let mut tree = Tree::new();
        tree.set_config(data("version=100000000"), Zxid(1 << 32), 5);
        let stat = tree.stat(path::CONFIG).expect("there");
        assert_eq!((stat.version, stat.mzxid), (-1, Zxid(1 << 32)));
        assert_eq!(tree.digest(), Tree::new().digest());
        assert_ne!(tree, Tree::new());
    }

    #[test]
    fn what_is_below_zookeeper_is_not_in_the_digest_and_zookeeper_is() {
        let mut world = World::new();
        let before = world.db.digest();
        world.ask(&set("/zookeeper/quota", "x", -1));
        assert_eq!(world.db.digest(), before);
        world.ask(&set("/zookeeper", "x", -1));
        assert_ne!(world.db.digest(), before);
        world.assert_consistent();
    }

    #[test]
    fn identical_lists_are_kept_once_and_go_with_their_last_node() {
        let mut world = World::new();
        world.create("/a");
        world.create("/b");
        let lists = |world: &World| world.db.tree.acls().map(|(_, n)| n).collect::<Vec<_>>();
        assert_eq!(
            lists(&world),
            [1, 2],
            "the configuration's, and the open one of two nodes"
        );
        let acl: Arc<[Acl]> = Arc::from([entry(31, "digest", "joe:h")]);
        world.db.tree.set_acl("/a", &acl, 1).expect("there");
        assert_eq!(lists(&world), [1, 1, 1]);
        world.delete("/a");
        assert_eq!(lists(&world), [1, 1]);
        world.assert_consistent();
    }

    #[test]
    fn a_walk_goes_down_before_it_goes_on() {
        let mut world = World::new();
        for at in ["/b", "/a", "/a/z", "/a-b", "/a/b"] {
            world.create(at);
        }
        let below: Vec<&str> = world.db.tree.below("/").map(|(at, _)| &**at).collect();
        assert_eq!(below[..5], ["/a", "/a/b", "/a/z", "/a-b", "/b"]);
        assert_eq!(world.db.tree.below("/a").count(), 2);
        assert_eq!(world.db.tree.below("/no").count(), 0);
    }

    #[test]
    fn only_used_empty_containers_and_outdated_ttl_nodes_are_reapable() {
        let mut world = World::new();
        world.make("/new", CreateMode::Container, CreateOp::Container);
        world.make("/used", CreateMode::Container, CreateOp::Container);
        world.make("/busy", CreateMode::Container, CreateOp::Container);
        world.make("/ttl", CreateMode::PersistentWithTtl, CreateOp::Ttl(1000));
        let made = world.db.tree.stat("/ttl").expect("made").mtime;
        for at in ["/used/a", "/busy/a"] {
            world.create(at);
        }
        world.delete("/used/a");
        let at = |ms| -> Vec<&str> { world.db.tree.reapable(ms, None).map(|at| &**at).collect() };
        assert_eq!(at(made + 1000), ["/used"], "not before the time is over");
        assert_eq!(at(made + 1001), ["/used", "/ttl"]);
        assert_eq!(at(i64::MIN), ["/used"]);
        let made = world.db.tree.stat("/new").expect("made").mtime;
        let never_used = |ms| -> Vec<&str> {
            let found = world.db.tree.reapable(ms, Some(300));
            found.map(|at| &**at).collect()
        };
        assert_eq!(never_used(made + 300), ["/used"]);
        assert_eq!(never_used(made + 301), ["/new", "/used"]);
    }

    #[test]
    fn a_tree_loads_from_its_own_walk() {
        let mut world = World::new();
        world.make("/e", CreateMode::Ephemeral, CreateOp::Create);
        world.make("/c", CreateMode::Container, CreateOp::Container);
        world.make("/t", CreateMode::PersistentWithTtl, CreateOp::Ttl(5));
        world.create("/c/a");
        let tree = &world.db.tree;
        let mut loaded = Tree::bare();
        for (at, node) in tree.nodes() {
            let at = if &**at == "/" {
                Arc::from("")
            } else {
                at.clone()
            };
            loaded
                .load(
                    &at,
                    node.data().clone(),
                    node.acl(),
                    *node.persisted(),
                    TtlOwners::Extended,
                )
                .expect("a tree");
        }
        assert_eq!(&loaded, tree);
        world.db.tree = loaded;
        world.assert_consistent();
        assert_eq!(world.db.tree.ephemerals(world.session).count(), 1);
        assert_eq!(
            world.db.tree.containers().count() + world.db.tree.ttl_nodes().count(),
            2
        );
    }

    #[test]
    fn a_snapshot_that_is_no_tree_is_refused() {
        let mut tree = Tree::bare();
        let stat = StatPersisted::default();
        let mut load =
            |at: &str| tree.load(&at.into(), None, &Arc::from([]), stat, TtlOwners::Extended);
        assert_eq!(load("/a/b"), Err(LoadError::NoParent("/a/b".into())));
        assert_eq!(load("a"), Err(LoadError::NoParent("a".into())));
        assert_eq!(load("/a"), Ok(()));
        assert_eq!(load("/a"), Err(LoadError::Twice("/a".into())));
    }

    #[test]
    fn differences_between_trees_are_found() {
        let mut world = World::new();
        world.create("/a");
        world.create("/b");
        let before = world.db.tree.clone();
        world.ask(&set("/a", "x", -1));
        world.create("/c");
        world.delete("/b");
        let changed = world.db.tree.changed(&before);
        assert_eq!(changed, ["/", "/a", "/b", "/c"].map(Arc::from));
        assert_eq!(before.changed(&before), Vec::<Arc<str>>::new());
    }

    #[test]
    fn a_clone_keeps_what_it_saw() {
        let mut world = World::new();
        world.create("/a");
        let (kept, digest) = (world.db.clone(), world.db.digest());
        world.ask(&set("/a", "x", -1));
        world.delete("/a");
        assert_eq!(kept.tree.node("/a").map(Node::data), Some(&data("")));
        assert_eq!(kept.digest(), digest);
        assert_eq!(kept.tree.recomputed_digest(), digest);
    }

    proptest! {
           /// imbl lost updates and differences in versions before 7.0.2: the maps that we build on
           /// must agree with a plain map, in all clones taken on the way.
           #[test]
           fn persistent_maps_lose_nothing(ops in prop::collection::vec((0u8..4, 0u16..300, any::<u32>()), 1..400)) {
               let mut nodes: GenericHashMap<
                   Arc<str>,
                   u32,
                   BuildHasherDefault<DefaultHasher>,
                   DefaultSharedPtr,
               > = GenericHashMap::default();
               let mut ordered: OrdMap<Arc<str>, u32> = OrdMap::new();
               let mut model: BTreeMap<Arc<str>, u32> = BTreeMap::new();
               let mut kept = Vec::new();
               for (op, key, value) in ops {
                   let key: Arc<str> = format!("/parent/{key}").into();
                   match op {
                       0 => {
                           prop_assert_eq!(nodes.remove(&*key), model.get(&key).copied());
                           prop_assert_eq!(ordered.remove(&*key), model.remove(&key));
                       }
                       1 => {
                           for slot in [nodes.get_mut(&*key), ordered.get_mut(&*key), model.get_mut(&key)].into_iter().flatten() {
    *slot = value;
    }
                       }
                       2 => kept.push((nodes.clone(), ordered.clone(), model.clone())),
                       _ => {
                           nodes.insert(key.clone(), value);
                           ordered.insert(key.clone(), value);
                           model.insert(key, value);
                       }
                   }
               }
               kept.push((nodes, ordered.clone(), model.clone()));
               for (nodes, old, model_then) in kept {
                   prop_assert_eq!(nodes.len(), model_then.len());
                   prop_assert!(model_then.iter().all(|(k, v)| nodes.get(k) == Some(v)));
                   prop_assert!(old.iter().eq(model_then.iter()));
                   let differ = ordered.diff(&old).count();
                   let expected = model.iter().filter(|(k, v)| model_then.get(*k) != Some(v)).count()
                       + model_then.keys().filter(|k| !model.contains_key(*k)).count();
                   prop_assert_eq!(differ, expected);
               }
           }
       }
}

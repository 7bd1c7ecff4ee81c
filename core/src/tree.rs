//! The replicated state: the znode tree, sessions, and the watches that a server keeps beside it.
//!
//! Everything is persistent: a clone costs nothing and shares what has not changed.

pub mod acl;
pub mod database;
pub mod node;
pub mod path;
pub mod watch;

pub use database::{Applied, Change, ChangeKind, Database};
pub use node::{Node, Owner, StatPersisted};

use crate::{
    id::{SessionId, Zxid},
    request::{Acl, ErrorCode, Stat, perms},
    txn::Data,
};
use core::{
    fmt,
    ops::Bound::{Excluded, Included},
};
use imbl::{OrdMap, OrdSet};
use std::sync::Arc;

/// The znode tree.
///
/// One ordered map from path to node. Everything beside it (digest, sizes, who owns which
/// ephemerals, …) follows from it and is kept up to date with each change.
#[derive(Clone)]
pub struct Tree {
    nodes: OrdMap<Arc<str>, Arc<Node>>,
    /// Each distinct list once, with the number of nodes that have it.
    acls: OrdMap<Arc<[Acl]>, usize>,
    ephemerals: OrdMap<SessionId, OrdSet<Arc<str>>>,
    containers: OrdSet<Arc<str>>,
    ttls: OrdSet<Arc<str>>,
    digest: u64,
    data_bytes: u64,
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

/// What a create needs besides the path.
#[derive(Clone, Debug)]
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
            nodes: OrdMap::new(),
            acls: OrdMap::new(),
            ephemerals: OrdMap::new(),
            containers: OrdSet::new(),
            ttls: OrdSet::new(),
            digest: 0,
            data_bytes: 0,
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
            self.insert(&Arc::from(at), node);
        }
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
        extended_types: bool,
    ) -> Result<(), LoadError> {
        let owner = Owner::decode(stat.ephemeral_owner, extended_types);
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
        if !path::split(at).is_some_and(|(parent, _)| self.contains(parent)) {
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

    /// All znodes in the order of their paths' bytes: every parent before its children.
    pub fn nodes(&self) -> impl DoubleEndedIterator<Item = (&Arc<str>, &Node)> + Clone {
        self.nodes.iter().map(|(at, node)| (at, &**node))
    }

    /// The names of a znode's children, sorted; nothing for a znode that is not there.
    pub fn children(&self, at: &str) -> impl Iterator<Item = &Arc<str>> {
        self.node(at).into_iter().flat_map(|node| node.children())
    }

    /// All znodes strictly below a path, in order.
    pub fn below<'a>(
        &'a self,
        at: &str,
    ) -> impl Iterator<Item = (&'a Arc<str>, &'a Node)> + use<'a> {
        // '0' follows '/' in ASCII: what begins with "/a/" lies between "/a/" and "/a0".
        let (from, to) = if matches!(at, "" | path::ROOT) {
            (String::from("/\u{0}"), String::from("0"))
        } else {
            (format!("{at}/"), format!("{at}0"))
        };
        self.nodes
            .range::<_, str>((Included(from.as_str()), Excluded(to.as_str())))
            .map(|(at, node)| (at, &**node))
    }

    /// The paths that differ between two trees, in order; quick when they share most of their
    /// structure.
    pub fn changed<'a>(&'a self, other: &'a Tree) -> impl Iterator<Item = &'a Arc<str>> {
        self.nodes.diff(&other.nodes).map(|item| match item {
            imbl::ordmap::DiffItem::Add(at, _) | imbl::ordmap::DiffItem::Remove(at, _) => at,
            imbl::ordmap::DiffItem::Update { new: (at, _), .. } => at,
        })
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

    /// What the leader should delete now: empty containers that have been used, and TTL nodes
    /// without children whose time is over (1.14).
    pub fn reapable(&self, wall_ms: i64) -> impl Iterator<Item = &Arc<str>> {
        let node = |at: &Arc<str>| self.node(at).filter(|node| node.children.is_empty());
        let containers = self
            .containers
            .iter()
            .filter(move |at| node(at).is_some_and(|node| node.stat.cversion > 0));
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

    pub(crate) fn create(&mut self, at: &Arc<str>, new: NewNode<'_>) -> Result<Stat, ErrorCode> {
        let (parent, _) = path::split(at).ok_or(ErrorCode::NoNode)?;
        if !self.contains(parent) {
            return Err(ErrorCode::NoNode);
        }
        if self.contains(at) {
            // Replay: the ACL that a fuzzy snapshot refers to may be unknown; this repairs it.
            let list = self.retain_acl(new.acl);
            let old = self.update(at, |node| core::mem::replace(&mut node.acl, list));
            if let Some(old) = old {
                self.release_acl(&old);
            }
            return Err(ErrorCode::NodeExists);
        }
        self.raise_cversion(parent, new.parent_cversion, new.zxid);
        let acl = self.retain_acl(new.acl);
        let stat = StatPersisted::created(new.zxid, new.time_ms, new.owner);
        let node = Node::new(at, new.data.clone(), acl, stat, new.owner);
        let shown = node.stat();
        self.insert(at, node);
        Ok(shown)
    }

    /// The parent's cversion and pzxid become the recorded ones only if that is progress; -1 is
    /// how old logs say "one more".
    pub(crate) fn raise_cversion(&mut self, at: &str, cversion: i32, zxid: Zxid) {
        let Some(node) = self.node(at) else { return };
        let current = node.stat.cversion;
        let recorded = match cversion {
            -1 => current.wrapping_add(1),
            recorded => recorded,
        };
        if recorded > current {
            self.update(at, |node| {
                node.stat.cversion = recorded;
                node.stat.pzxid = zxid;
                node.stat_changed();
            });
        }
    }

    /// Deletes and returns the node. What is below it goes too: a correct leader never deletes a
    /// znode with children, but a replay may pass through such a state.
    pub(crate) fn delete(&mut self, at: &str, zxid: Zxid) -> Result<Arc<Node>, ErrorCode> {
        let (parent, name) = path::split(at).ok_or(ErrorCode::NoNode)?;
        if !self.contains(parent) {
            return Err(ErrorCode::NoNode);
        }
        self.update(parent, |node| {
            node.children.remove(name);
            // Even when the child is gone already: its deletion belongs to the parent's history.
            if zxid > node.stat.pzxid {
                node.stat.pzxid = zxid;
                node.stat_changed();
            }
        });
        let node = self.remove_entry(at).ok_or(ErrorCode::NoNode)?;
        if !node.children.is_empty() {
            let orphans: Vec<Arc<str>> = self.below(at).map(|(at, _)| at.clone()).collect();
            for orphan in orphans {
                self.remove_entry(&orphan);
            }
        }
        Ok(node)
    }

    pub(crate) fn set_data(
        &mut self,
        at: &str,
        data: &Data,
        version: i32,
        zxid: Zxid,
        time_ms: i64,
    ) -> Result<Stat, ErrorCode> {
        let before = self.node(at).ok_or(ErrorCode::NoNode)?.bytes(at);
        let (stat, after) = self
            .update(at, |node| {
                node.data = data.clone();
                node.stat.version = version;
                node.stat.mzxid = zxid;
                node.stat.mtime = time_ms;
                node.content_changed(at);
                (node.stat(), node.bytes(at))
            })
            .ok_or(ErrorCode::NoNode)?;
        self.data_bytes = self.data_bytes - before + after;
        Ok(stat)
    }

    pub(crate) fn set_acl(
        &mut self,
        at: &str,
        acl: &Arc<[Acl]>,
        version: i32,
    ) -> Result<Stat, ErrorCode> {
        if !self.contains(at) {
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

    /// A node that is not there yet; its ACL is retained already.
    fn insert(&mut self, at: &Arc<str>, node: Node) {
        self.digest = self.digest.wrapping_add(weight(at, &node));
        self.data_bytes += node.bytes(at);
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
        if let Some((parent, name)) = path::split(at) {
            self.update(parent, |node| node.children.insert(Arc::from(name)));
        }
        self.nodes.insert(at.clone(), Arc::new(node));
    }

    /// Removes the entry alone: neither the parent's list nor what is below.
    fn remove_entry(&mut self, at: &str) -> Option<Arc<Node>> {
        let node = self.nodes.remove(at)?;
        self.digest = self.digest.wrapping_sub(weight(at, &node));
        self.data_bytes -= node.bytes(at);
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

/// Two trees are equal when their nodes are; the rest follows. Shared structure is not looked at.
impl PartialEq for Tree {
    fn eq(&self, other: &Self) -> bool {
        self.digest == other.digest
            && (self.nodes.ptr_eq(&other.nodes) || self.nodes == other.nodes)
    }
}

impl Eq for Tree {}

impl core::hash::Hash for Tree {
    fn hash<H: core::hash::Hasher>(&self, state: &mut H) {
        self.digest.hash(state);
        self.nodes.len().hash(state);
    }
}

impl fmt::Debug for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} znodes, digest {:#x}", self.nodes.len(), self.digest)
    }
}

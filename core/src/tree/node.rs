//! One znode: data, ACL, persisted stat, children (ZooKeeper.md 1.7).

use super::{acl, path};
use crate::{
    config::Config,
    id::{SessionId, Zxid},
    request::{Acl, Stat},
    txn::{CreateKind, Data},
};
use imbl::OrdSet;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The largest TTL: 40 bits of milliseconds.
pub const MAX_TTL_MS: i64 = (1 << 40) - 1;
const CONTAINER_OWNER: i64 = i64::MIN;
const EXTENDED: i64 = 0xff << 56;

/// What of a stat is stored (60 bytes in a snapshot). `cversion` counts creations only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct StatPersisted {
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
    /// Children ever created; deletions do not change it (trap 4).
    pub cversion: i32,
    /// Number of setACL.
    pub aversion: i32,
    /// An [`Owner`], encoded.
    pub ephemeral_owner: i64,
    /// Children last changed by.
    pub pzxid: Zxid,
}

impl StatPersisted {
    /// The stat of a znode just made.
    #[must_use]
    pub fn created(zxid: Zxid, time_ms: i64, owner: Owner) -> StatPersisted {
        StatPersisted {
            czxid: zxid,
            mzxid: zxid,
            ctime: time_ms,
            mtime: time_ms,
            ephemeral_owner: owner.encode(),
            pzxid: zxid,
            ..StatPersisted::default()
        }
    }

    /// The 60 bytes of the digest: not the order of the record (trap 23).
    fn digest_bytes(&self) -> [u8; 60] {
        let mut out = [0; 60];
        let longs = [
            self.czxid.0,
            self.mzxid.0,
            self.pzxid.0,
            self.ctime,
            self.mtime,
        ];
        for (slot, value) in out.chunks_exact_mut(8).zip(longs) {
            slot.copy_from_slice(&value.to_be_bytes());
        }
        let ints = [self.version, self.cversion, self.aversion];
        for (slot, value) in out[40..52].chunks_exact_mut(4).zip(ints) {
            slot.copy_from_slice(&value.to_be_bytes());
        }
        out[52..].copy_from_slice(&self.ephemeral_owner.to_be_bytes());
        out
    }
}

/// Why a znode stays, or when it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Owner {
    /// Stays until deleted.
    Persistent,
    /// Goes with its session.
    Ephemeral(SessionId),
    /// Goes when its last child has gone.
    Container,
    /// Goes when it has no children and was not changed for so many ms.
    Ttl(i64),
}

/// Which numbers in a znode's owner are TTLs; all others are sessions, and one is the mark of containers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum TtlOwners {
    /// None.
    #[default]
    None,
    /// Those whose highest byte says so (`extendedTypesEnabled`).
    Extended,
    /// All that are negative, as in 3.5.3 (`emulate353TTLNodes`). What is made anew looks as with
    /// `Extended`, and of an old TTL too only 40 bits count: as Apache has it.
    Emulate353,
}

impl TtlOwners {
    /// As configured.
    #[must_use]
    pub fn of(cfg: &Config) -> TtlOwners {
        match (cfg.extended_types, cfg.emulate_353_ttl) {
            (false, _) => TtlOwners::None,
            (true, false) => TtlOwners::Extended,
            (true, true) => TtlOwners::Emulate353,
        }
    }

    fn has(self, raw: i64) -> bool {
        match self {
            TtlOwners::None => false,
            TtlOwners::Extended => raw & !MAX_TTL_MS == EXTENDED,
            TtlOwners::Emulate353 => raw < 0,
        }
    }
}

impl Owner {
    /// What a create transaction of `session` makes.
    #[must_use]
    pub fn of(kind: CreateKind, session: SessionId) -> Owner {
        match kind {
            CreateKind::Persistent { .. } => Owner::Persistent,
            // Session 0 owns nothing, and one id is the mark of containers: as Apache reads them.
            CreateKind::Ephemeral { .. } => Owner::decode(session.0, TtlOwners::None),
            CreateKind::Container => Owner::Container,
            CreateKind::Ttl { ttl_ms } => Owner::Ttl(ttl_ms & MAX_TTL_MS),
        }
    }

    /// From the number in a snapshot.
    #[must_use]
    pub fn decode(raw: i64, ttls: TtlOwners) -> Owner {
        match raw {
            0 => Owner::Persistent,
            CONTAINER_OWNER => Owner::Container,
            ttl if ttls.has(ttl) => Owner::Ttl(ttl & MAX_TTL_MS),
            session => Owner::Ephemeral(SessionId(session)),
        }
    }

    /// As stored in `ephemeralOwner`.
    #[must_use]
    pub fn encode(self) -> i64 {
        match self {
            Owner::Persistent => 0,
            Owner::Ephemeral(session) => session.0,
            Owner::Container => CONTAINER_OWNER,
            Owner::Ttl(ms) => EXTENDED | (ms & MAX_TTL_MS),
        }
    }

    /// The session that a client is shown: only a normal ephemeral has one.
    #[must_use]
    pub fn session(self) -> Option<SessionId> {
        match self {
            Owner::Ephemeral(session) => Some(session),
            Owner::Persistent | Owner::Container | Owner::Ttl(_) => None,
        }
    }
}

/// A znode. It does not know its own path; the [`Tree`](super::Tree) does.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Node {
    pub(super) data: Data,
    /// Empty: made by the server itself, no list (snapshot key -1).
    pub(super) acl: Arc<[Acl]>,
    pub(super) stat: StatPersisted,
    pub(super) owner: Owner,
    pub(super) children: OrdSet<Arc<str>>,
    /// CRC-32 of path and data, from which the digest's goes on: a change of the stat need not
    /// read a megabyte of data again.
    content_crc: u32,
    /// What this node adds to the tree's digest (4.7).
    crc: u32,
}

impl Node {
    pub(super) fn new(
        at: &str,
        data: Data,
        acl: Arc<[Acl]>,
        stat: StatPersisted,
        owner: Owner,
    ) -> Node {
        let mut node = Node {
            data,
            acl,
            stat,
            owner,
            children: OrdSet::new(),
            content_crc: 0,
            crc: 0,
        };
        node.content_changed(at);
        node
    }

    /// The data; absent is not empty.
    #[must_use]
    pub fn data(&self) -> &Data {
        &self.data
    }

    /// The ACL as checks use it: empty means that nothing is checked.
    #[must_use]
    pub fn acl(&self) -> &Arc<[Acl]> {
        &self.acl
    }

    /// The ACL as clients see it: the open one where there is none.
    #[must_use]
    pub fn shown_acl(&self) -> Arc<[Acl]> {
        if self.acl.is_empty() {
            acl::open()
        } else {
            self.acl.clone()
        }
    }

    /// The stat as stored.
    #[must_use]
    pub fn persisted(&self) -> &StatPersisted {
        &self.stat
    }

    /// Why it stays.
    #[must_use]
    pub fn owner(&self) -> Owner {
        self.owner
    }

    /// Names of its children, sorted.
    #[must_use]
    pub fn children(&self) -> &OrdSet<Arc<str>> {
        &self.children
    }

    /// The stat as clients see it: cversion counts creations and deletions.
    #[must_use]
    pub fn stat(&self) -> Stat {
        let num_children = i32::try_from(self.children.len()).unwrap_or(i32::MAX);
        let s = &self.stat;
        Stat {
            czxid: s.czxid,
            mzxid: s.mzxid,
            ctime: s.ctime,
            mtime: s.mtime,
            version: s.version,
            cversion: s.cversion.wrapping_mul(2).wrapping_sub(num_children),
            aversion: s.aversion,
            ephemeral_owner: self.owner.session().map_or(0, |session| session.0),
            data_length: self
                .data
                .as_ref()
                .map_or(0, |d| i32::try_from(d.len()).unwrap_or(i32::MAX)),
            num_children,
            pzxid: s.pzxid,
        }
    }

    /// What it adds to the tree's digest unless it lies below `/zookeeper`.
    #[must_use]
    pub fn crc(&self) -> u32 {
        self.crc
    }

    /// The counters become the recorded ones only if that is progress; -1 is how old logs say
    /// "one more" (4.6).
    pub(super) fn raise_cversion(&mut self, cversion: i32, zxid: Zxid) {
        let recorded = match cversion {
            -1 => self.stat.cversion.wrapping_add(1),
            recorded => recorded,
        };
        if recorded > self.stat.cversion {
            self.stat.cversion = recorded;
            self.stat.pzxid = zxid;
            self.stat_changed();
        }
    }

    pub(super) fn content_changed(&mut self, at: &str) {
        let mut crc = crc32fast::Hasher::new();
        crc.update(path::digest_bytes(at));
        if let Some(data) = &self.data {
            crc.update(data);
        }
        self.content_crc = crc.finalize();
        self.stat_changed();
    }

    pub(super) fn stat_changed(&mut self) {
        let mut crc = crc32fast::Hasher::new_with_initial(self.content_crc);
        crc.update(&self.stat.digest_bytes());
        self.crc = crc.finalize();
    }

    /// Bytes of path and data, what Apache calls the approximate data size.
    pub(super) fn bytes(&self, at: &str) -> u64 {
        (at.len() + self.data.as_ref().map_or(0, |d| d.len())) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owners_are_encoded_as_apache_does() {
        for (owner, raw) in [
            (Owner::Persistent, 0),
            (Owner::Container, i64::MIN),
            (Owner::Ttl(1), 0xff00_0000_0000_0001_u64 as i64),
            (Owner::Ttl(MAX_TTL_MS), 0xff00_00ff_ffff_ffff_u64 as i64),
            (
                Owner::Ephemeral(SessionId(0x100_0000_0000_0001)),
                0x100_0000_0000_0001,
            ),
        ] {
            assert_eq!(owner.encode(), raw);
            assert_eq!(Owner::decode(raw, TtlOwners::Extended), owner);
        }
    }

    #[test]
    fn without_extended_types_a_ttl_is_a_session() {
        let raw = Owner::Ttl(5).encode();
        assert_eq!(
            Owner::decode(raw, TtlOwners::None),
            Owner::Ephemeral(SessionId(raw))
        );
        let with_feature = raw | 1 << 40;
        assert_eq!(
            Owner::decode(with_feature, TtlOwners::Extended),
            Owner::Ephemeral(SessionId(with_feature))
        );
    }

    /// ZOOKEEPER-2901
    #[test]
    fn a_ttl_of_3_5_3_has_only_the_sign_bit() {
        let raw = i64::MIN | 5000;
        assert_eq!(Owner::decode(raw, TtlOwners::Emulate353), Owner::Ttl(5000));
        let session = Owner::Ephemeral(SessionId(raw));
        assert_eq!(Owner::decode(raw, TtlOwners::Extended), session);
        let new = Owner::Ttl(7).encode();
        assert_eq!(Owner::decode(new, TtlOwners::Emulate353), Owner::Ttl(7));
        let container = Owner::decode(i64::MIN, TtlOwners::Emulate353);
        assert_eq!(container, Owner::Container);
        let session = Owner::decode(0x100_0000_0000_0001, TtlOwners::Emulate353);
        assert_eq!(session, Owner::Ephemeral(SessionId(0x100_0000_0000_0001)));
    }

    #[test]
    fn session_0_owns_nothing() {
        let kind = CreateKind::Ephemeral { create2: false };
        assert_eq!(Owner::of(kind, SessionId::NONE), Owner::Persistent);
    }

    #[test]
    fn a_ttl_out_of_range_does_not_touch_the_mark() {
        for ttl_ms in [-1, i64::MAX, i64::MIN, 0] {
            let owner = Owner::of(CreateKind::Ttl { ttl_ms }, SessionId(1));
            assert_eq!(Owner::decode(owner.encode(), TtlOwners::Extended), owner);
        }
    }

    #[test]
    fn clients_see_creations_and_deletions_and_no_special_owner() {
        let stat = StatPersisted {
            cversion: 5,
            ..StatPersisted::created(Zxid(1), 2, Owner::Ttl(9))
        };
        let mut node = Node::new("/a", None, Arc::from([]), stat, Owner::Ttl(9));
        node.children.insert("b".into());
        node.children.insert("c".into());
        let shown = node.stat();
        assert_eq!((shown.cversion, shown.num_children), (8, 2));
        assert_eq!((shown.ephemeral_owner, shown.data_length), (0, 0));
    }

    #[test]
    fn the_fresh_nodes_have_the_published_checksums() {
        let node = |at| {
            Node::new(
                at,
                None,
                Arc::from([]),
                StatPersisted::default(),
                Owner::Persistent,
            )
        };
        assert_eq!(node("/").crc(), 68_323_592);
        assert_eq!(node("/zookeeper").crc(), 1_303_661_912);
    }

    #[test]
    fn the_order_of_the_digest_is_not_that_of_the_record() {
        let stat = StatPersisted {
            czxid: Zxid(1),
            mzxid: Zxid(2),
            ctime: 4,
            mtime: 5,
            version: 6,
            cversion: 7,
            aversion: 8,
            ephemeral_owner: 9,
            pzxid: Zxid(3),
        };
        let longs: Vec<u8> = stat.digest_bytes()[..40]
            .iter()
            .copied()
            .filter(|b| *b > 0)
            .collect();
        let ints: Vec<u8> = stat.digest_bytes()[40..]
            .iter()
            .copied()
            .filter(|b| *b > 0)
            .collect();
        assert_eq!((longs, ints), (vec![1, 2, 3, 4, 5], vec![6, 7, 8, 9]));
    }

    #[test]
    fn a_checksum_goes_on_from_that_of_the_content() {
        let mut node = Node::new(
            "/a",
            Some(Arc::from(*b"data")),
            Arc::from([]),
            StatPersisted::default(),
            Owner::Persistent,
        );
        node.stat.version = 3;
        node.stat_changed();
        let mut whole = crc32fast::Hasher::new();
        whole.update(b"/adata");
        whole.update(&node.stat.digest_bytes());
        assert_eq!(node.crc(), whole.finalize());
    }
}

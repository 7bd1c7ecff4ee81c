//! Quotas: how many znodes and bytes a subtree may have (ZooKeeper.md 1.16).
//!
//! The limits of `/a` are the text of `/zookeeper/quota/a/zookeeper_limits`, what it has is that of
//! `/zookeeper/quota/a/zookeeper_stats`; both were made by some client. The second is kept up to date
//! here, in place: it is no transaction, changes no version and rings no watch, and what is below
//! `/zookeeper` is not in the digest.

use super::{Tree, path};
use crate::request::ErrorCode;
use core::fmt;
use std::{collections::BTreeMap, sync::Arc};

/// The znode with the limits of a subtree.
const LIMITS: &str = "zookeeper_limits";
/// The znode with its usage.
const STATS: &str = "zookeeper_stats";

const COUNT: &str = "count";
const BYTES: &str = "bytes";
const COUNT_HARD: &str = "countHardLimit";
const BYTES_HARD: &str = "byteHardLimit";

/// The text of either: `count=4,bytes=5`, and `=;byteHardLimit=6;countHardLimit=7` after it.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
struct Track(BTreeMap<String, i64>);

impl Track {
    /// What a client wrote; `None` if it is no such text, which in Apache ends the server.
    fn parse(bytes: &[u8]) -> Option<Track> {
        let mut track = Track::default();
        let text = core::str::from_utf8(bytes).ok()?;
        for pair in text.split([',', ';']).filter(|pair| !pair.is_empty()) {
            // The = before a ; is there to mislead the parser of 3.4.
            let mut parts = pair.split('=');
            let (name, value) = (parts.next()?, parts.next()?);
            let value = match value {
                "" => -1,
                number => number.parse().ok()?,
            };
            track.0.insert(name.to_owned(), value);
        }
        Some(track)
    }

    /// -1: none.
    fn get(&self, name: &str) -> i64 {
        self.0.get(name).copied().unwrap_or(-1)
    }

    fn add(&mut self, name: &str, difference: i64) {
        let sum = self.get(name).saturating_add(difference);
        self.0.insert(name.to_owned(), sum);
    }

    /// What of a hard and a soft limit counts, if it is a hard one.
    fn hard(&self, name: &str) -> Option<i64> {
        Some(self.get(name)).filter(|limit| *limit > -1)
    }
}

impl fmt::Display for Track {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{COUNT}={},{BYTES}={}", self.get(COUNT), self.get(BYTES))?;
        let rest = self
            .0
            .iter()
            .filter(|(name, _)| !matches!(name.as_str(), COUNT | BYTES));
        for (n, (name, value)) in rest.enumerate() {
            let before = if n == 0 { "=;" } else { ";" };
            write!(f, "{before}{name}={value}")?;
        }
        Ok(())
    }
}

/// What a quota limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum QuotaKind {
    /// Znodes.
    Count,
    /// Bytes of data.
    Bytes,
}

/// A limit that is exceeded. As text it is what Apache logs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exceeded {
    /// The subtree with the quota.
    pub of: Arc<str>,
    /// What there is too much of.
    pub kind: QuotaKind,
    /// Whether the limit is a hard one.
    pub hard: bool,
    /// What there is.
    pub current: i64,
    /// What there should be at most.
    pub limit: i64,
}

impl fmt::Display for Exceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Exceeded {
            of, current, limit, ..
        } = self;
        let kind = if self.hard { "hard" } else { "soft" };
        let (unit, name) = match self.kind {
            QuotaKind::Count => ("count", "CountLimit"),
            QuotaKind::Bytes => ("bytes", "ByteLimit"),
        };
        write!(
            f,
            "Quota exceeded: {of} [current {unit}={current}, {kind}{name}={limit}]"
        )
    }
}

fn length(data: &crate::txn::Data) -> i64 {
    data.as_ref()
        .map_or(0, |data| i64::try_from(data.len()).unwrap_or(i64::MAX))
}

/// The subtree whose limits (or whose usage) a znode holds.
fn subtree<'a>(at: &'a str, name: &str) -> Option<&'a str> {
    let of = at
        .strip_prefix(path::QUOTA)?
        .strip_suffix(name)?
        .strip_suffix('/')?;
    (of.len() > 1 && of.starts_with('/')).then_some(of)
}

/// Whether a znode holds the limits of a subtree.
pub(super) fn is_limits(at: &str) -> bool {
    subtree(at, LIMITS).is_some()
}

fn znode(of: &str, name: &str) -> String {
    format!("{}{of}/{name}", path::QUOTA)
}

impl Tree {
    /// The deepest place at or above a path that carries limits. The root's are none.
    fn limited(&self, at: &str) -> Option<String> {
        if self.limits == 0 {
            return None;
        }
        let mut of = at;
        while of.len() > 1 {
            if self.contains(&znode(of, LIMITS)) {
                return Some(of.to_owned());
            }
            of = path::parent(of)?;
        }
        None
    }

    fn track(&self, at: &str) -> Option<Track> {
        let data = self.node(at)?.data().as_deref().unwrap_or_default();
        Track::parse(data)
    }

    /// Whether a write may add so much: hard limits only; soft ones never refuse.
    ///
    /// # Errors
    /// [`ErrorCode::QuotaExceeded`]
    pub(crate) fn check_quota(&self, at: &str, bytes: i64, count: i64) -> Result<(), ErrorCode> {
        let Some(of) = self.limited(at) else {
            return Ok(());
        };
        let (Some(limits), Some(usage)) = (
            self.track(&znode(&of, LIMITS)),
            self.track(&znode(&of, STATS)),
        ) else {
            return Ok(());
        };
        for (name, hard, difference) in [(COUNT, COUNT_HARD, count), (BYTES, BYTES_HARD, bytes)] {
            let exceeds = |limit| usage.get(name).saturating_add(difference) > limit;
            if difference != 0 && limits.hard(hard).is_some_and(exceeds) {
                return Err(ErrorCode::QuotaExceeded);
            }
        }
        Ok(())
    }

    /// Whether any znode has a quota.
    #[must_use]
    pub fn has_quotas(&self) -> bool {
        self.limits > 0
    }

    /// What of the quota that counts at a path is exceeded, after a write there: whether a limit is one
    /// that refuses is not asked. A hard limit counts in place of a soft one.
    #[must_use]
    pub fn exceeded_quotas(&self, at: &str) -> Vec<Exceeded> {
        let Some(of) = self.limited(at) else {
            return Vec::new();
        };
        let (Some(limits), Some(usage)) = (
            self.track(&znode(&of, LIMITS)),
            self.track(&znode(&of, STATS)),
        ) else {
            return Vec::new();
        };
        let each = [
            (QuotaKind::Count, COUNT, COUNT_HARD),
            (QuotaKind::Bytes, BYTES, BYTES_HARD),
        ];
        let exceeded = |(kind, name, hard): (QuotaKind, &str, &str)| {
            let (current, hard) = (usage.get(name), limits.hard(hard));
            let limit = hard.unwrap_or_else(|| limits.get(name));
            (limit > -1 && current > limit).then(|| Exceeded {
                of: of.as_str().into(),
                kind,
                hard: hard.is_some(),
                current,
                limit,
            })
        };
        each.into_iter().filter_map(exceeded).collect()
    }

    /// How many bytes more a znode would have with other data.
    pub(crate) fn bytes_more(&self, at: &str, data: &crate::txn::Data) -> i64 {
        length(data) - self.node(at).map_or(0, |node| length(node.data()))
    }

    /// A znode was made.
    pub(super) fn quota_created(&mut self, at: &str, data: &crate::txn::Data) {
        if let Some(of) = subtree(at, STATS) {
            self.recount(of);
        }
        self.used(at, length(data), 1);
    }

    /// A znode has gone.
    pub(super) fn quota_deleted(&mut self, at: &str, data: &crate::txn::Data) {
        self.used(at, -length(data), -1);
    }

    /// Counts what has come or gone at a path.
    pub(super) fn used(&mut self, at: &str, bytes: i64, count: i64) {
        let Some(of) = self.limited(at) else {
            return;
        };
        match self.track(&znode(&of, STATS)) {
            Some(mut usage) => {
                usage.add(COUNT, count);
                usage.add(BYTES, bytes);
                self.put_usage(&of, &usage);
            }
            // Missing, or not to be read: counted anew if it is there.
            None => self.recount(&of),
        }
    }

    fn recount(&mut self, of: &str) {
        let (mut count, mut bytes) = (0, 0i64);
        if self.contains(of) {
            let here = self.node(of).into_iter();
            for node in here.chain(self.below(of).map(|(_, node)| node)) {
                count += 1;
                bytes = bytes.saturating_add(length(node.data()));
            }
        }
        let counted = [(COUNT.to_owned(), count), (BYTES.to_owned(), bytes)];
        self.put_usage(of, &Track(counted.into()));
    }

    fn put_usage(&mut self, of: &str, usage: &Track) {
        let at = znode(of, STATS);
        let text: Arc<[u8]> = usage.to_string().into_bytes().into();
        let changed = self.update(&at, |node| {
            let before = node.bytes(&at);
            node.data = Some(text);
            node.content_changed(&at);
            (before, node.bytes(&at))
        });
        if let Some((before, after)) = changed {
            self.data_bytes = self.data_bytes - before + after;
        }
    }

    /// Counts the usage of every quota anew: what a server does after loading, for a snapshot was taken
    /// while transactions were applied.
    pub fn recount_quotas(&mut self) {
        if self.limits == 0 {
            return;
        }
        let all: Vec<String> = self
            .below(path::QUOTA)
            .filter_map(|(at, _)| subtree(at, LIMITS).map(str::to_owned))
            .collect();
        for of in all {
            self.recount(&of);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        request::{Create, Write},
        tree::testing::{World, create, data, delete, set},
        txn::TxnBody,
    };

    fn make(world: &mut World, at: &str, text: &str) -> Option<ErrorCode> {
        world.error(&Write::Create(Create {
            data: data(text),
            ..create(at)
        }))
    }

    /// `/a` with a quota, as the command line makes it, and `/a/x` with three bytes.
    fn limited(limits: &str) -> World {
        let mut world = World::new();
        world.cfg.enforce_quota = true;
        world.create("/a");
        assert_eq!(make(&mut world, "/a/x", "123"), None);
        quota(&mut world, "/a", limits);
        world
    }

    fn quota(world: &mut World, of: &str, limits: &str) {
        world.create(&format!("/zookeeper/quota{of}"));
        assert_eq!(make(world, &znode(of, LIMITS), limits), None);
        let stats = znode(of, STATS);
        assert_eq!(make(world, &stats, "count=0,bytes=0"), None);
    }

    fn usage(world: &World, of: &str) -> String {
        let node = world.db.tree.node(&znode(of, STATS)).expect("made");
        let data = node.data().as_deref().unwrap_or_default();
        String::from_utf8_lossy(data).into_owned()
    }

    #[test]
    fn the_text_of_both_kinds_of_limits_is_read_and_written() {
        for (text, again) in [
            ("count=4,bytes=5", "count=4,bytes=5"),
            ("", "count=-1,bytes=-1"),
            ("bytes=5,count=", "count=-1,bytes=5"),
            (
                "count=4,bytes=5=;byteHardLimit=6;countHardLimit=7",
                "count=4,bytes=5=;byteHardLimit=6;countHardLimit=7",
            ),
            (
                "countHardLimit=7;;byteHardLimit=6",
                "count=-1,bytes=-1=;byteHardLimit=6;countHardLimit=7",
            ),
        ] {
            let track = Track::parse(text.as_bytes()).expect(text);
            assert_eq!(track.to_string(), again, "{text}");
        }
        for bad in ["count", "count=x", "count=99999999999999999999"] {
            assert_eq!(Track::parse(bad.as_bytes()), None, "{bad}");
        }
        assert_eq!(Track::parse(&[0xff]), None);
    }

    #[test]
    fn usage_is_counted_when_the_quota_is_made_and_with_every_change() {
        let mut world = limited("count=9,bytes=-1");
        assert_eq!(usage(&world, "/a"), "count=2,bytes=3");
        assert_eq!(make(&mut world, "/a/y", "12345"), None);
        assert_eq!(usage(&world, "/a"), "count=3,bytes=8");
        world.ask(&set("/a/x", "1", -1));
        assert_eq!(usage(&world, "/a"), "count=3,bytes=6");
        world.ask(&set("/a", "12", -1));
        assert_eq!(usage(&world, "/a"), "count=3,bytes=8");
        world.delete("/a/y");
        assert_eq!(usage(&world, "/a"), "count=2,bytes=3");
        world.create("/ab");
        world.error(&delete("/no", -1));
        assert_eq!(usage(&world, "/a"), "count=2,bytes=3", "elsewhere");
        world.assert_consistent();
    }

    #[test]
    fn usage_is_no_transaction_changes_no_stat_and_rings_no_watch() {
        let mut world = limited("count=9,bytes=-1");
        let at = znode("/a", STATS);
        let before = world.db.tree.node(&at).map(|node| *node.persisted());
        let digest = world.db.digest();
        let logged = world.log.len();
        let body = TxnBody::SetData {
            path: "/a/x".into(),
            data: data("123456"),
            version: 1,
        };
        let applied = world.apply(body);
        let changed: Vec<&str> = applied.changes.iter().map(|c| &*c.path).collect();
        assert_eq!(changed, ["/a/x"]);
        assert_eq!(world.log.len(), logged);
        assert_eq!(
            world.db.tree.node(&at).map(|node| *node.persisted()),
            before
        );
        assert_ne!(world.db.digest(), digest, "of /a/x");
        world.assert_consistent();
    }

    #[test]
    fn what_exceeds_a_soft_limit_is_told_in_apaches_words() {
        let mut world = limited("count=2,bytes=4");
        assert_eq!(world.db.tree.exceeded_quotas("/a/x"), []);
        assert_eq!(make(&mut world, "/a/y", "12345"), None);
        let told: Vec<String> = world
            .db
            .tree
            .exceeded_quotas("/a/y")
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(
            told,
            [
                "Quota exceeded: /a [current count=3, softCountLimit=2]",
                "Quota exceeded: /a [current bytes=8, softByteLimit=4]",
            ]
        );
        assert_eq!(world.db.tree.exceeded_quotas("/b"), [], "elsewhere");
    }

    #[test]
    fn a_hard_limit_counts_in_place_of_a_soft_one() {
        let mut world = limited("count=1,bytes=-1=;countHardLimit=2");
        world.cfg.enforce_quota = false;
        assert_eq!(world.db.tree.exceeded_quotas("/a"), []);
        assert_eq!(make(&mut world, "/a/y", "12345"), None);
        let exceeded = world.db.tree.exceeded_quotas("/a");
        assert_eq!(
            exceeded.iter().map(ToString::to_string).collect::<Vec<_>>(),
            ["Quota exceeded: /a [current count=3, hardCountLimit=2]"]
        );
    }

    #[test]
    fn a_hard_limit_refuses_what_would_exceed_it() {
        let mut world = limited("count=-1,bytes=-1=;byteHardLimit=10;countHardLimit=3");
        assert_eq!(make(&mut world, "/a/y", "12345"), None);
        let exceeded = Some(ErrorCode::QuotaExceeded);
        assert_eq!(make(&mut world, "/a/z", ""), exceeded, "count");
        assert_eq!(world.error(&set("/a/y", "12345678", -1)), exceeded, "bytes");
        assert_eq!(world.error(&set("/a/y", "1234567", -1)), None);
        world.delete("/a/x");
        assert_eq!(make(&mut world, "/a/z", "1234"), exceeded, "bytes again");
        assert_eq!(make(&mut world, "/a/z", "123"), None);
        assert_eq!(make(&mut world, "/b", "a lot more than ten"), None);
    }

    #[test]
    fn the_quota_is_checked_before_the_version_and_after_existence() {
        let mut world = limited("count=-1,bytes=-1=;byteHardLimit=3;countHardLimit=2");
        let exceeded = Some(ErrorCode::QuotaExceeded);
        assert_eq!(world.error(&set("/a/x", "1234", 7)), exceeded);
        assert_eq!(
            world.error(&set("/a/x", "123", 7)),
            Some(ErrorCode::BadVersion)
        );
        assert_eq!(make(&mut world, "/a/x", ""), Some(ErrorCode::NodeExists));
    }

    #[test]
    fn soft_limits_and_quotas_that_are_not_enforced_refuse_nothing() {
        let mut world = limited("count=1,bytes=1");
        assert_eq!(make(&mut world, "/a/y", "12345"), None);
        let mut world = limited("count=-1,bytes=-1=;countHardLimit=1");
        world.cfg.enforce_quota = false;
        assert_eq!(make(&mut world, "/a/y", "12345"), None);
        assert_eq!(usage(&world, "/a"), "count=3,bytes=8");
    }

    #[test]
    fn each_operation_of_a_multi_counts() {
        let mut world = limited("count=-1,bytes=-1=;countHardLimit=3");
        let both = Write::Multi(vec![
            Write::Create(create("/a/y")),
            Write::Create(create("/a/z")),
        ]);
        assert_eq!(world.error(&both), Some(ErrorCode::QuotaExceeded));
        assert_eq!(usage(&world, "/a"), "count=2,bytes=3");
    }

    #[test]
    fn the_deepest_limits_are_the_ones_that_count() {
        let mut world = limited("count=-1,bytes=-1=;countHardLimit=2");
        quota(&mut world, "/a/x", "count=-1,bytes=-1=;countHardLimit=3");
        assert_eq!(make(&mut world, "/a/x/1", ""), None, "not /a's");
        assert_eq!(usage(&world, "/a/x"), "count=2,bytes=3");
        assert_eq!(usage(&world, "/a"), "count=2,bytes=3");
        assert_eq!(make(&mut world, "/a/y", ""), Some(ErrorCode::QuotaExceeded));
        world.delete(&znode("/a/x", LIMITS));
        assert_eq!(
            make(&mut world, "/a/x/2", ""),
            Some(ErrorCode::QuotaExceeded),
            "/a's again"
        );
    }

    #[test]
    fn usage_is_counted_anew_after_loading() {
        let mut world = limited("count=9,bytes=-1");
        world.ask(&set(&znode("/a", STATS), "count=77,bytes=77", -1));
        assert_eq!(
            usage(&world, "/a"),
            "count=77,bytes=77",
            "as it was written"
        );
        let mut loaded = Tree::bare();
        for (at, node) in world.db.tree.nodes() {
            let (data, stat) = (node.data().clone(), *node.persisted());
            loaded
                .load(at, data, node.acl(), stat, crate::tree::TtlOwners::Extended)
                .expect("a tree");
        }
        loaded.recount_quotas();
        world.db.tree = loaded;
        assert_eq!(usage(&world, "/a"), "count=2,bytes=3");
        world.assert_consistent();
    }

    #[test]
    fn what_is_no_text_of_a_quota_harms_nobody() {
        let mut world = limited("count=some");
        assert_eq!(make(&mut world, "/a/y", "12345"), None, "no limit");
        world.ask(&set(&znode("/a", STATS), "nonsense", -1));
        assert_eq!(make(&mut world, "/a/z", ""), None);
        assert_eq!(usage(&world, "/a"), "count=4,bytes=8", "counted anew");
        world.delete(&znode("/a", STATS));
        assert_eq!(make(&mut world, "/a/w", ""), None, "no usage");
        world.assert_consistent();
    }
}

//! Rules of the protocol that a simulated world may switch off, one by one, to show what each is for.
//!
//! A rule is asked for where it lives, in one place but for [`Rule::CommitEpoch`], as
//! `cfg.rules.has(Rule::…)`: a bit of a small number.
//! Only the simulator can switch one off ([`Config`](crate::config::Config)`::rules` is not for other
//! crates, and no file or message can carry it): a server that serves keeps them all.

use core::{
    fmt,
    hash::{Hash, Hasher},
};
use serde::{Deserialize, Serialize};

/// A rule of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u16)]
pub enum Rule {
    /// An ACK leaves a learner when what it speaks for is on disk. Off: at once.
    DurableAck = 1,
    /// Of two votes the one with the higher peerEpoch is better, whatever its zxid. Off: the zxid is
    /// looked at first.
    VoteEpoch = 1 << 1,
    /// Whoever was elected and hears in discovery of a follower with a more recent history steps down.
    /// Off: it leads all the same.
    NewestHistory = 1 << 2,
    /// A decision needs a quorum. Off: one voter fewer is enough.
    Quorum = 1 << 3,
    /// A learner cuts what its leader does not have. Off: it keeps it.
    Truncate = 1 << 4,
    /// Whoever has accepted an epoch follows no leader of an older one, and accepts each only once.
    /// Off: acceptedEpoch counts for nothing; only currentEpoch does.
    AcceptedEpoch = 1 << 5,
    /// A watch event leaves before the reply that shows the change. Off: after it.
    WatchFirst = 1 << 6,
    /// A read waits for the writes that its session has asked for before. Off: it overtakes them.
    SessionFifo = 1 << 7,
    /// A COMMIT counts in the epoch in which it was sent, for the transaction that it names. A zxid begins
    /// with its epoch; and who leaves a leader hangs up, so that nothing is left to come from there.
    ///
    /// Off: who leaves a leader leaves the line open, and a follower that hears of a COMMIT, over this line
    /// too, whichever zxid it names, takes it for the oldest proposal that waits here. A leader that stood
    /// still, and goes on when there is another, so commits with its COMMIT of the epoch before what a
    /// quorum may not have.
    CommitEpoch = 1 << 8,
}

impl Rule {
    /// All of them, in the order in which one meets them.
    pub const ALL: [Rule; 9] = [
        Rule::VoteEpoch,
        Rule::Quorum,
        Rule::AcceptedEpoch,
        Rule::NewestHistory,
        Rule::Truncate,
        Rule::DurableAck,
        Rule::CommitEpoch,
        Rule::SessionFifo,
        Rule::WatchFirst,
    ];

    /// As it is written on a command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Rule::DurableAck => "durable-ack",
            Rule::VoteEpoch => "vote-epoch",
            Rule::NewestHistory => "newest-history",
            Rule::Quorum => "quorum",
            Rule::Truncate => "truncate",
            Rule::AcceptedEpoch => "accepted-epoch",
            Rule::WatchFirst => "watch-first",
            Rule::SessionFifo => "session-fifo",
            Rule::CommitEpoch => "commit-epoch",
        }
    }

    /// Where it comes from.
    #[must_use]
    pub const fn source(self) -> &'static str {
        match self {
            Rule::DurableAck => "ZooKeeper.md 3.5, 3.6; ZOOKEEPER-3911, 4643, 4646",
            Rule::VoteEpoch => "ZooKeeper.md 2.4; FastLeaderElection.totalOrderPredicate",
            Rule::NewestHistory => "ZooKeeper.md 3.3; Leader.waitForEpochAck",
            Rule::Quorum => "ZooKeeper.md 2.4, 3.6; ZAB paper, section 3",
            Rule::Truncate => "ZooKeeper.md 3.4, 3.5; ZAB paper, phase 2",
            Rule::AcceptedEpoch => "ZooKeeper.md 3.3; ZAB paper, phase 1; ZOOKEEPER-335, 1154",
            Rule::WatchFirst => "ZooKeeper.md 1.11, 3.12",
            Rule::SessionFifo => "ZooKeeper.md 1.5, 3.12",
            Rule::CommitEpoch => {
                "ZooKeeper.md 3.6; FollowerZooKeeperServer.commit; ZAB paper, phase 3"
            }
        }
    }
}

/// Which rules hold. By default all.
///
/// Serialised as the number whose bits are the rules that are switched off; see [`Rule`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "u16", into = "u16")]
pub struct Rules {
    off: u16,
}

impl From<Rules> for u16 {
    fn from(rules: Rules) -> u16 {
        rules.off
    }
}

impl TryFrom<u16> for Rules {
    type Error = NoSuchRule;

    fn try_from(off: u16) -> Result<Rules, NoSuchRule> {
        let known = Rule::ALL.into_iter().fold(0, |all, rule| all | rule as u16);
        match off & !known {
            0 => Ok(Rules { off }),
            other => Err(NoSuchRule {
                found: other.to_string(),
            }),
        }
    }
}

impl Rules {
    /// All hold, as in every server that serves.
    pub const ALL: Rules = Rules { off: 0 };

    /// Whether a rule holds.
    #[must_use]
    pub const fn has(self, rule: Rule) -> bool {
        self.off & rule as u16 == 0
    }

    /// Whether all of them hold.
    #[must_use]
    pub const fn all_hold(&self) -> bool {
        self.off == 0
    }

    /// The same with one rule on or off.
    #[must_use]
    pub const fn with(self, rule: Rule, holds: bool) -> Rules {
        Rules {
            off: match holds {
                true => self.off & !(rule as u16),
                false => self.off | rule as u16,
            },
        }
    }

    /// Without one.
    #[must_use]
    pub const fn without(self, rule: Rule) -> Rules {
        self.with(rule, false)
    }

    /// All but those in a list of [`Rule::name`]s such as `quorum,durable-ack`.
    ///
    /// # Errors
    /// There is no such rule.
    pub fn parse(text: &str) -> Result<Rules, NoSuchRule> {
        let mut rules = Rules::ALL;
        for word in text.split(',').map(str::trim).filter(|w| !w.is_empty()) {
            let found = Rule::ALL.into_iter().find(|rule| rule.name() == word);
            rules = rules.without(found.ok_or_else(|| NoSuchRule {
                found: word.chars().take(40).collect(),
            })?);
        }
        Ok(rules)
    }

    /// The names of all, as a list to read.
    #[must_use]
    pub fn names() -> String {
        Rule::ALL.map(Rule::name).join(", ")
    }

    /// Those that are switched off, in the order of [`Rule::ALL`].
    pub fn off(self) -> impl Iterator<Item = Rule> {
        Rule::ALL.into_iter().filter(move |rule| !self.has(*rule))
    }
}

/// A list that names a rule that is not there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no rule \"{found}\"; there are {}", Rules::names())]
pub struct NoSuchRule {
    /// What stands there.
    pub found: String,
}

/// Those that are switched off, as [`Rules::parse`] reads them.
impl fmt::Display for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, rule) in self.off().enumerate() {
            write!(f, "{}{}", if at > 0 { "," } else { "" }, rule.name())?;
        }
        Ok(())
    }
}

/// A world in which all rules hold is the world that it was before there were any to switch off: its
/// hash is the same. So is that of one in which only rules of the first eight are off.
impl Hash for Rules {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let mut off = self.off;
        while off != 0 {
            state.write_u8((off & 0xff) as u8);
            off >>= 8;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_can_be_switched_off_and_on_by_itself() {
        let mut names = std::collections::BTreeSet::new();
        for rule in Rule::ALL {
            let off = Rules::ALL.without(rule);
            assert_eq!(off.off().collect::<Vec<_>>(), [rule]);
            assert!(off.with(rule, true).all_hold());
            assert!(names.insert(rule.name()) && !rule.source().is_empty());
        }
        assert_eq!(names.len(), Rule::ALL.len());
    }

    #[test]
    fn a_list_of_rules_is_read_as_it_is_written_and_says_what_it_does_not_know() {
        let every = Rule::ALL.into_iter().fold(Rules::ALL, Rules::without);
        assert_eq!(Rules::parse(&every.to_string()), Ok(every));
        assert_eq!(Rules::parse(""), Ok(Rules::ALL));
        let error = Rules::parse("quorum,gravity").expect_err("no such rule");
        for rule in Rule::ALL {
            assert!(error.to_string().contains(rule.name()), "{error}");
        }
        assert!(error.to_string().contains("gravity"));
    }

    #[test]
    fn rules_are_a_number_in_a_link() {
        let off = Rules::ALL.without(Rule::Quorum).without(Rule::DurableAck);
        let text = serde_json::to_string(&off).expect("a number");
        assert_eq!(text, "9");
        assert_eq!(serde_json::from_str::<Rules>(&text).expect("rules"), off);
        assert_eq!(
            serde_json::from_str::<Rules>("255")
                .ok()
                .map(|r| r.off().count()),
            Some(8),
            "as links had it when there were eight"
        );
        let error = serde_json::from_str::<Rules>("513").expect_err("no such rule");
        assert!(error.to_string().contains("\"512\""), "{error}");
        assert!(serde_json::from_str::<Rules>("65536").is_err());
    }
}

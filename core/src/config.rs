//! What a server is told before it starts: zoo.cfg's keys that the protocol depends on, under
//! their own names.

use crate::{
    id::{ServerId, Zxid},
    quorum::{Quorum, QuorumRule},
    rules::{Rule, Rules},
    time::Span,
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, sync::Arc};

/// The members of an ensemble and how they count (ZooKeeper.md 2.5).
///
/// `version` grows with each reconfiguration.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Membership {
    /// The voters and their quorums.
    pub quorum: Quorum,
    /// Who follows without a vote.
    pub observers: BTreeSet<ServerId>,
    /// The zxid of the transaction that brought this membership; 0 for the initial one.
    pub version: Zxid,
}

impl Membership {
    /// Voters 1 to `voters`, observers after them, majority.
    #[must_use]
    pub fn simple(voters: u8, observers: u8) -> Membership {
        let v = i64::from(voters);
        Membership {
            quorum: Quorum::new((1..=v).map(ServerId).collect(), QuorumRule::Majority),
            observers: (v + 1..=v + i64::from(observers)).map(ServerId).collect(),
            version: Zxid::ZERO,
        }
    }

    /// Every member, voters and observers, in order of id.
    pub fn members(&self) -> impl Iterator<Item = ServerId> + '_ {
        let all: BTreeSet<ServerId> = self
            .quorum
            .voters()
            .iter()
            .chain(&self.observers)
            .copied()
            .collect();
        all.into_iter()
    }
}

/// A membership that is proposed and not known to be committed ("last seen", 2.4). Until it is, nothing
/// is decided without a quorum of it too.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Next {
    /// It.
    pub membership: Membership,
    /// Its text.
    pub text: Arc<str>,
}

/// Which Apache release is followed where 3.8 and 3.9 differ (ZooKeeper.md 5).
///
/// 3.8 is the line as it began (3.8.0 is what Linux distributions carry): exists asks for no
/// permission, and a connection has one mode of watch for a path, the last that it registered. One
/// thing is taken from its later patches: no release delivers an event to who may not read the znode
/// (CVE-2024-23944, closed with 3.8.4). A stand-alone check is refused in both: what 3.8 makes of it has
/// no answer that could be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Release {
    /// 3.8.
    V38,
    /// 3.9.
    V39,
}

/// The hash of the scheme digest (`DigestAuthenticationProvider.digestAlg`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum DigestAlgorithm {
    /// SHA-1, as ever.
    #[default]
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
}

/// Who clients may be, and what that is worth (ZooKeeper.md 1.15). The same on all servers.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Rights {
    /// ACLs are not checked (`skipACL`).
    pub skip_acl: bool,
    /// The hash of the scheme digest; `None` if there is no such scheme.
    pub digest: Option<DigestAlgorithm>,
    /// `user:hash` of whoever is also `super` (`DigestAuthenticationProvider.superDigest`).
    pub super_digest: Option<String>,
    /// Whether ACLs may name subjects of certificates.
    pub x509: bool,
    /// Whether ACLs may name SASL identities.
    pub sasl: bool,
    /// The SASL identity whose ACL entries admit every SASL identity (`letAnySaslUserDoX`).
    pub any_sasl: Option<String>,
    /// SASL identities that are also `super` (`superUser`, `superUser.<n>`).
    #[serde(default)]
    pub sasl_super_users: BTreeSet<String>,
    /// A client whose SASL exchange failed goes on without that identity (`allowSaslFailedClients`).
    #[serde(default)]
    pub forgives_failed_sasl: bool,
    /// What a client may call this ensemble in an auth packet of the scheme ensemble
    /// (`ensembleAuthName`), every name if there is none here; `None` if there is no such scheme.
    #[serde(default)]
    pub ensemble: Option<BTreeSet<String>>,
    /// Who has proved nothing of one of these schemes is not served (`enforce.auth.schemes`); `None`
    /// if everybody is.
    pub enforced_schemes: Option<Vec<String>>,
}

impl Default for Rights {
    fn default() -> Self {
        Rights {
            skip_acl: false,
            digest: Some(DigestAlgorithm::Sha1),
            super_digest: None,
            x509: false,
            sasl: false,
            any_sasl: None,
            sasl_super_users: BTreeSet::new(),
            forgives_failed_sasl: false,
            ensemble: None,
            enforced_schemes: None,
        }
    }
}

/// How learners and their leaders come together, and how observers are kept from doing so all at once.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct Joining {
    /// The pause between two attempts to reach the leader (`leaderConnectDelayDuringRetryMs`, 100 ms).
    pub connect_retry: Span,
    /// Ticks in which the leader must be reached (`connectToLearnerMasterLimit`); `None` for initLimit.
    pub connect_limit: Option<u64>,
    /// A new leader gives up when it has waited so long for a quorum to join it and a voter that has
    /// elected it looks for a leader again (`leader.maxTimeToWaitForEpoch`); `None` waits for initLimit.
    pub epoch_patience: Option<Span>,
    /// Learners are sent a snapshot, whatever they have (`forceSnapshotSync`).
    pub force_snapshot: bool,
    /// While so many learners are sent a snapshot an observer is not
    /// (`leader.maxConcurrentSnapSyncs`, 10); followers always are.
    pub snap_syncs: usize,
    /// The same for DIFF and TRUNC (`leader.maxConcurrentDiffSyncs`, 100).
    pub diff_syncs: usize,
    /// An observer waits up to so long before it calls a leader (`observer.reconnectDelayMs`, 0).
    pub observer_reconnect: Span,
    /// An observer that has lost its leader waits up to so long before it looks for one
    /// (`observer.election.DelayMs`). ZooKeeper's default is 200 ms, and so is the server's; here it is 0.
    pub observer_rest: Span,
    /// Whether an observer keeps a log and snapshots (`syncEnabled`).
    pub observer_logs: bool,
}

impl Default for Joining {
    fn default() -> Self {
        Joining {
            connect_retry: Span::millis(100),
            connect_limit: None,
            epoch_patience: None,
            force_snapshot: false,
            snap_syncs: 10,
            diff_syncs: 100,
            observer_reconnect: Span(0),
            observer_rest: Span(0),
            observer_logs: true,
        }
    }
}

/// 4 GiB.
const SNAP_SIZE_LIMIT: u64 = 4 << 30;

const fn snap_size_limit() -> Option<u64> {
    Some(SNAP_SIZE_LIMIT)
}

/// A server's configuration.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Config {
    /// Who this server is.
    pub my_id: ServerId,
    /// The ensemble.
    pub membership: Membership,
    /// The basic unit of time (`tickTime`).
    pub tick: Span,
    /// Ticks that connecting and synchronising to a leader may take (`initLimit`).
    pub init_limit: u64,
    /// Ticks that a learner may be silent or behind (`syncLimit`).
    pub sync_limit: u64,
    /// Smallest session time-out that is granted; 2 ticks by default.
    pub min_session_timeout: Span,
    /// Largest session time-out that is granted; 20 ticks by default.
    pub max_session_timeout: Span,
    /// Whether a leader accepts clients (`leaderServes`).
    pub leader_serves: bool,
    /// How many committed transactions are kept in memory for DIFF (`commitLogCount`, 500).
    pub commit_log_count: usize,
    /// The largest part of the last snapshot's size, in percent, that is sent from the log on disk
    /// instead of a snapshot (`snapshotSizeFactor` 0.33); `None` switches that way off.
    pub snapshot_size_percent: Option<u32>,
    /// A snapshot is taken after about this many logged transactions (`snapCount`).
    pub snap_count: u64,
    /// The same after about so many bytes in the log (`snapSizeLimitInKb`, 4 GiB); `None` for no limit.
    #[serde(default = "snap_size_limit")]
    pub snap_size_limit: Option<u64>,
    /// How learners and leaders come together.
    #[serde(default)]
    pub joining: Joining,
    /// How long a quorum of equal votes must stay unbeaten (`finalizeWait`, 200 ms).
    pub finalize_wait: Span,
    /// First and smallest wait for a notification (200 ms).
    pub min_notification_interval: Span,
    /// Largest wait between two notifications (60 s).
    pub max_notification_interval: Span,
    /// Whether createTTL is allowed (`extendedTypesEnabled`).
    pub extended_types: bool,
    /// Whether znodes with a time to live of 3.5.3 are known as such (`emulate353TTLNodes`).
    pub emulate_353_ttl: bool,
    /// How often a leader looks for containers and TTL nodes to delete
    /// (`znode.container.checkIntervalMs`, 60 s).
    pub container_check_interval: Span,
    /// How many of them it deletes in a minute at most (`znode.container.maxPerMinute`, 10,000).
    pub container_max_per_minute: u64,
    /// When a container that never had a child is deleted (`znode.container.maxNeverUsedIntervalMs`);
    /// `None` for never.
    pub container_max_never_used: Option<Span>,
    /// Which release is followed where two differ.
    pub release: Release,
    /// Who clients may be.
    pub rights: Rights,
    /// Whether hard quotas are enforced (`enforceQuota`).
    pub enforce_quota: bool,
    /// Whether transactions carry a digest and it is compared (`digest.enabled`).
    pub digest: bool,
    /// Whether the end of a session names its ephemerals (`closeSessionTxn.enabled`).
    pub close_session_txn: bool,
    /// The members as text, for `/zookeeper/config` (2.5); `None` leaves that znode alone, as a server
    /// of its own does.
    pub members_text: Option<Arc<str>>,
    /// The members to come, while a reconfiguration is under way.
    pub next: Option<Arc<Next>>,
    /// Whether clients may change the members (`reconfigEnabled`); it needs `members_text`.
    pub reconfig_enabled: bool,
    /// A single voter would serve without an ensemble (`standaloneEnabled`), so none may remain.
    pub standalone_enabled: bool,
    /// The largest znode, and the largest request, in bytes (`jute.maxbuffer`).
    pub max_buffer: usize,
    /// By how much a transaction may be larger (`jute.maxbuffer.extrasize`), at least 1024; `None` for as
    /// much again.
    #[serde(default)]
    pub max_buffer_extra: Option<usize>,
    /// Requests that may wait for an answer in the whole ensemble (`globalOutstandingLimit`, 1000); a
    /// server's part is [`Config::outstanding_limit`].
    pub global_outstanding_limit: usize,
    /// The most bytes of transactions that a server keeps for another server's word: a learner those
    /// that its leader has not committed, a leader those that no quorum has acknowledged. No key of
    /// ZooKeeper's, which has no limit here; far above what a good server needs, so that only a bad one
    /// is cut off.
    pub backlog_limit: usize,
    /// The last counter that a zxid may have; then a new epoch is needed (3.6). ZooKeeper's is
    /// 2^32 - 2; a smaller one lets roll-over be seen.
    pub last_counter: u32,
    /// Sessions begin as local ones, known to one server only (`localSessionsEnabled`).
    pub local_sessions: bool,
    /// A local session becomes a global one when it creates an ephemeral
    /// (`localSessionsUpgradingEnabled`).
    pub local_sessions_upgrading: bool,
    /// While it looks for a leader, the server answers reads of clients that allow it
    /// (`readonlymode.enabled`).
    pub read_only_mode: bool,
    /// No ensemble: the server serves at once, without election, epochs and learners. Made by
    /// [`Config::standalone`].
    pub standalone: bool,
    /// Rules that hold: all, but in a simulated world that says otherwise. Nobody outside of this crate
    /// can name this field, and no text can carry it.
    #[serde(skip)]
    pub(crate) rules: Rules,
}

impl Config {
    /// A server of its own. Session ids are given out as server 1's (1.4).
    #[must_use]
    pub fn standalone(tick: Span) -> Config {
        Config {
            standalone: true,
            ..Config::new(ServerId(1), Membership::simple(1, 0), tick)
        }
    }

    /// How many requests of this server's clients may wait for an answer; beyond it nothing more is
    /// read from them (1.5).
    #[must_use]
    pub fn outstanding_limit(&self) -> usize {
        let others = self.membership.quorum.voters().len().saturating_sub(1);
        match others {
            0 | 1 => self.global_outstanding_limit,
            _ => self.global_outstanding_limit / others,
        }
    }

    /// The largest transaction that is proposed, and the longest string or buffer that is read from a disk
    /// or another member, in bytes: `jute.maxbuffer` and `jute.maxbuffer.extrasize`, for a transaction is
    /// larger than the request that made it. Nobody could read a larger one back, and the ensemble would
    /// stand still (ZOOKEEPER-4306).
    #[must_use]
    pub fn txn_limit(&self) -> usize {
        let extra = self.max_buffer_extra.unwrap_or(self.max_buffer);
        self.max_buffer.saturating_add(extra.max(1024))
    }

    /// How many containers and TTL nodes may be deleted at one look for them; at least one.
    #[must_use]
    pub fn container_limit(&self) -> usize {
        let interval = self.container_check_interval.as_millis();
        let share = u128::from(self.container_max_per_minute) * u128::from(interval) / 60_000;
        usize::try_from(share.max(1)).unwrap_or(usize::MAX)
    }

    /// The defaults of ZooKeeper.md 1.20 with initLimit 10 and syncLimit 5.
    #[must_use]
    pub fn new(my_id: ServerId, membership: Membership, tick: Span) -> Config {
        Config {
            my_id,
            membership,
            tick,
            init_limit: 10,
            sync_limit: 5,
            min_session_timeout: tick.times(2),
            max_session_timeout: tick.times(20),
            leader_serves: true,
            commit_log_count: 500,
            snapshot_size_percent: Some(33),
            snap_count: 100_000,
            snap_size_limit: snap_size_limit(),
            joining: Joining::default(),
            finalize_wait: Span::millis(200),
            min_notification_interval: Span::millis(200),
            max_notification_interval: Span::millis(60_000),
            extended_types: false,
            emulate_353_ttl: false,
            container_check_interval: Span::millis(60_000),
            container_max_per_minute: 10_000,
            container_max_never_used: None,
            release: Release::V39,
            rights: Rights::default(),
            enforce_quota: false,
            digest: true,
            close_session_txn: true,
            members_text: None,
            next: None,
            reconfig_enabled: false,
            standalone_enabled: true,
            max_buffer: 0xf_ffff,
            max_buffer_extra: None,
            global_outstanding_limit: 1000,
            backlog_limit: 1 << 30,
            last_counter: u32::MAX - 1,
            local_sessions: false,
            local_sessions_upgrading: false,
            read_only_mode: false,
            standalone: false,
            rules: Rules::ALL,
        }
    }

    /// Whether this server votes.
    #[must_use]
    pub fn is_voter(&self) -> bool {
        self.counts(self.my_id)
    }

    /// Whether the members can change while it runs.
    #[must_use]
    pub fn reconfigures(&self) -> bool {
        self.reconfig_enabled && self.members_text.is_some() && !self.standalone
    }

    /// Whether this server follows without a vote. One that is no member at all follows as if it had a
    /// vote, but its word does not count: so it can become a voter without coming again (3.9).
    #[must_use]
    pub fn is_observer(&self) -> bool {
        self.membership.observers.contains(&self.my_id)
    }

    /// Whether the word of `id` counts, in the membership or in the one to come.
    #[must_use]
    pub fn counts(&self, id: ServerId) -> bool {
        self.quorums().any(|q| q.is_voter(id))
    }

    /// Whether those for which `has` holds are a quorum; while a reconfiguration is under way, of both
    /// memberships.
    #[must_use]
    pub fn is_quorum(&self, has: impl Fn(ServerId) -> bool) -> bool {
        self.quorums().all(|q| self.enough(q, &has))
    }

    /// Whether those for which `has` holds are a quorum of the members or of those to come.
    #[must_use]
    pub fn is_either_quorum(&self, has: impl Fn(ServerId) -> bool) -> bool {
        self.quorums().any(|q| self.enough(q, &has))
    }

    /// Two quorums have a member in common: so whoever asks one hears of what another has decided (ZAB
    /// paper, section 3). Without [`Rule::Quorum`] one voter may be missing, and they need not.
    fn enough(&self, quorum: &Quorum, has: &impl Fn(ServerId) -> bool) -> bool {
        if self.rules.has(Rule::Quorum) {
            return quorum.contains_where(has);
        }
        let voters = quorum.voters().iter();
        voters
            .filter(|missing| quorum.weight(**missing) > 0)
            .any(|missing| quorum.contains_where(|id| id == *missing || has(id)))
            && quorum.voters().iter().any(|id| has(*id))
    }

    /// A candidate's weight, in the membership or in the one to come.
    #[must_use]
    pub fn weight(&self, id: ServerId) -> u64 {
        self.quorums().map(|q| q.weight(id)).max().unwrap_or(0)
    }

    /// Everybody whose word counts, in order of id.
    #[must_use]
    pub fn voters(&self) -> BTreeSet<ServerId> {
        self.quorums().flat_map(|q| q.voters()).copied().collect()
    }

    fn quorums(&self) -> impl Iterator<Item = &Quorum> {
        let next = self.next.as_ref().map(|n| &n.membership.quorum);
        [&self.membership.quorum].into_iter().chain(next)
    }

    /// Whether new sessions are local ones. A server of its own has nobody to save a transaction for.
    #[must_use]
    pub fn begins_local_sessions(&self) -> bool {
        self.local_sessions && !self.standalone
    }

    /// How long a server has looked for a leader when it begins to serve reads: 2 s or a tick, whichever
    /// is longer (1.13).
    #[must_use]
    pub fn read_only_wait(&self) -> Span {
        self.tick.max(Span::millis(2000))
    }

    /// initLimit as a time.
    #[must_use]
    pub fn init_span(&self) -> Span {
        self.tick.times(self.init_limit)
    }

    /// How long a learner may take to reach its leader.
    #[must_use]
    pub fn connect_span(&self) -> Span {
        let ticks = self.joining.connect_limit.unwrap_or(self.init_limit);
        self.tick.times(ticks)
    }

    /// syncLimit as a time.
    #[must_use]
    pub fn sync_span(&self) -> Span {
        self.tick.times(self.sync_limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn containers_are_deleted_at_the_rate_of_a_minute() {
        let mut cfg = Config::standalone(Span::millis(2000));
        assert_eq!(cfg.container_limit(), 10_000);
        cfg.container_check_interval = Span::millis(30_000);
        assert_eq!(cfg.container_limit(), 5_000);
        cfg.container_max_per_minute = 1;
        assert_eq!(
            cfg.container_limit(),
            1,
            "at least one, or none would ever go"
        );
    }
}

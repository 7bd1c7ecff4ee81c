//! What a simulated world is made of, and everything one can do to it. These types are the format
//! of share links, exported files, lessons and failing seeds: seed + setup + actions = the run.

use crate::{
    id::ServerId,
    quorum::QuorumRule,
    request::Request,
    rules::Rules,
    sim::schedule::{Schedule, ScheduleError},
    time::{Moment, Span},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A world before its first step. Defaults are those of a laptop's ensemble of five.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Setup {
    /// Feeds the one generator.
    pub seed: u64,
    /// Voters 1 to n; 1 to 9.
    pub voters: u8,
    /// Observers n+1 to n+m; 0 to 4.
    pub observers: u8,
    /// Majority, or groups with weights.
    pub rule: QuorumRule,
    /// tickTime.
    pub tick: Span,
    /// initLimit in ticks.
    pub init_limit: u64,
    /// syncLimit in ticks.
    pub sync_limit: u64,
    /// One server without an ensemble; it needs one voter and no observer.
    pub standalone: bool,
    /// leaderServes.
    pub leader_serves: bool,
    /// commitLogCount.
    pub commit_log_count: usize,
    /// snapshotSizeFactor in percent; absent: off.
    pub snapshot_size_percent: Option<u32>,
    /// snapCount.
    pub snap_count: u64,
    /// How many snapshots a disk keeps; older logs are purged (snapRetainCount).
    pub snap_retain: usize,
    /// extendedTypesEnabled.
    pub extended_types: bool,
    /// localSessionsEnabled and localSessionsUpgradingEnabled.
    pub local_sessions: bool,
    /// reconfigEnabled; clients may ask for it without any right.
    pub reconfig: bool,
    /// [`Config::last_counter`](crate::config::Config): a small one lets zxids roll over.
    pub last_counter: u32,
    /// Shortest time a message takes.
    pub latency: Span,
    /// It may take this much longer.
    pub jitter: Span,
    /// How long a disk needs to make a batch durable.
    pub fsync: Span,
    /// Servers start within this time of the beginning, in an order that the seed decides.
    pub start_spread: Span,
    /// Rules of the protocol that hold; absent: all.
    #[serde(skip_serializing_if = "Rules::all_hold")]
    pub rules: Rules,
    /// Faults that the world makes by itself; absent: none.
    #[serde(skip_serializing_if = "Schedule::is_empty")]
    pub faults: Schedule,
}

impl Default for Setup {
    fn default() -> Self {
        Setup {
            seed: 1,
            voters: 5,
            observers: 0,
            rule: QuorumRule::Majority,
            tick: Span::millis(2000),
            init_limit: 10,
            sync_limit: 5,
            standalone: false,
            leader_serves: true,
            commit_log_count: 500,
            snapshot_size_percent: Some(33),
            snap_count: 100_000,
            snap_retain: 3,
            extended_types: true,
            local_sessions: false,
            reconfig: false,
            last_counter: u32::MAX - 1,
            latency: Span::millis(8),
            jitter: Span::millis(6),
            fsync: Span::millis(4),
            start_spread: Span::millis(40),
            rules: Rules::ALL,
            faults: Schedule::default(),
        }
    }
}

/// A simulated client, numbered from 1 in the order of `AddClient`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ClientNo(pub u16);

/// Something a person, a lesson or a fault schedule does to the world.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Action {
    /// Power off. With `lose_unsynced` what was not fsynced is gone; without, the disk cache
    /// happened to reach the platter.
    Crash {
        /// Which.
        server: ServerId,
        /// The unsynced tail of its log is lost.
        lose_unsynced: bool,
    },
    /// Power on.
    Restart {
        /// Which.
        server: ServerId,
    },
    /// The process stops for a while (a GC pause): connections stay, nothing is handled, the disk
    /// goes on.
    Pause {
        /// Which.
        server: ServerId,
    },
    /// It goes on, and handles what piled up.
    Resume {
        /// Which.
        server: ServerId,
    },
    /// Nothing passes in either direction; connections break.
    CutLink {
        /// One end.
        a: ServerId,
        /// The other.
        b: ServerId,
    },
    /// Nothing passes from `from` to `to`; connections stay until somebody gives up.
    CutDirection {
        /// Sender.
        from: ServerId,
        /// Receiver.
        to: ServerId,
    },
    /// Both directions work again.
    HealLink {
        /// One end.
        a: ServerId,
        /// The other.
        b: ServerId,
    },
    /// Only servers of the same group reach each other. Servers that no group names are alone.
    Partition {
        /// The groups.
        groups: Vec<BTreeSet<ServerId>>,
    },
    /// All links work, with normal latency.
    HealAll,
    /// Messages take this much longer on a link, in both directions; zero: normal.
    SlowLink {
        /// One end.
        a: ServerId,
        /// The other.
        b: ServerId,
        /// Added to the latency.
        extra: Span,
    },
    /// The disk needs this much longer for each batch; zero: normal.
    SlowDisk {
        /// Whose.
        server: ServerId,
        /// Added to the time of an fsync.
        extra: Span,
    },
    /// The disk is lost: at the next start it is empty and not initialised.
    LoseDisk {
        /// Whose; the server must be down.
        server: ServerId,
    },
    /// A client appears and connects.
    AddClient {
        /// To whom; absent: it chooses and rotates by itself.
        server: Option<ServerId>,
        /// The session time-out it wishes, in ms.
        timeout_ms: i32,
    },
    /// The client closes its connection and opens one to this server, keeping its session.
    MoveClient {
        /// Which.
        client: ClientNo,
        /// To whom.
        server: ServerId,
    },
    /// The client's connection breaks; it reconnects by itself, to any server.
    DropClient {
        /// Which.
        client: ClientNo,
    },
    /// The client's machine stops for a while: no pings, nothing.
    PauseClient {
        /// Which.
        client: ClientNo,
    },
    /// It goes on.
    ResumeClient {
        /// Which.
        client: ClientNo,
    },
    /// The client asks for something; queued until it is connected.
    Ask {
        /// Which.
        client: ClientNo,
        /// What.
        request: Request,
    },
    /// Clients write by themselves: each as soon as its last write was answered.
    Load {
        /// Which.
        client: ClientNo,
        /// How many writes.
        writes: u32,
    },
    /// From now on these rules of the protocol hold, at every server.
    SetRules {
        /// Which.
        rules: Rules,
    },
    /// From now on the world makes these faults by itself. What an earlier schedule has broken is
    /// mended.
    SetFaults {
        /// Which.
        schedule: Schedule,
    },
}

/// An action and when it was done: before the step with this number. The pair orders a run.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TimedAction {
    /// The number of steps taken before it.
    pub step: u64,
    /// What.
    pub action: Action,
}

/// The virtual time at which a world begins; not zero, so that no deadline is in the past.
pub const BEGINNING: Moment = Moment(0);

/// How many clients a world may have.
pub const MAX_CLIENTS: u16 = 64;
/// How many writes one client's load may have.
pub const MAX_LOAD: u32 = 10_000_000;
/// How much slower a link or a disk may be made.
pub const MAX_EXTRA: Span = Span::millis(60_000);

impl Setup {
    /// Whether a world can be made of it.
    ///
    /// # Errors
    /// The first field that is out of bounds.
    pub fn validate(&self) -> Result<(), SetupError> {
        let within = |what: &'static str, got: u64, min: u64, max: u64| {
            if (min..=max).contains(&got) {
                Ok(())
            } else {
                Err(SetupError::OutOfBounds {
                    what,
                    got,
                    min,
                    max,
                })
            }
        };
        let ms = |n: u64| Span::millis(n).0;
        within("voters", u64::from(self.voters), 1, 9)?;
        within("observers", u64::from(self.observers), 0, 4)?;
        if self.standalone {
            within("voters without an ensemble", u64::from(self.voters), 1, 1)?;
            within(
                "observers without an ensemble",
                u64::from(self.observers),
                0,
                0,
            )?;
        }
        within("tick", self.tick.0, ms(10), ms(60_000))?;
        within("init_limit", self.init_limit, 1, 1000)?;
        within("sync_limit", self.sync_limit, 1, 1000)?;
        within("commit_log_count", self.commit_log_count as u64, 1, 100_000)?;
        let percent = u64::from(self.snapshot_size_percent.unwrap_or(0));
        within("snapshot_size_percent", percent, 0, 10_000)?;
        within("snap_count", self.snap_count, 2, 10_000_000)?;
        within("snap_retain", self.snap_retain as u64, 1, 100)?;
        let most = u64::from(u32::MAX) - 1;
        within("last_counter", u64::from(self.last_counter), 1, most)?;
        within("latency", self.latency.0, 0, ms(10_000))?;
        within("jitter", self.jitter.0, 0, ms(10_000))?;
        within("fsync", self.fsync.0, 0, ms(10_000))?;
        within("start_spread", self.start_spread.0, 0, ms(60_000))?;
        self.faults
            .validate(usize::from(self.voters) + usize::from(self.observers))?;
        match &self.rule {
            QuorumRule::Majority => Ok(()),
            QuorumRule::Groups { group, weight } => {
                let voters = 1..=i64::from(self.voters);
                for id in group.keys().chain(weight.keys()) {
                    if !voters.contains(&id.0) {
                        return Err(SetupError::NoVoter(*id));
                    }
                }
                for w in weight.values() {
                    within("weight", *w, 0, 1_000_000)?;
                }
                let counts = |id: &ServerId| weight.get(id).copied().unwrap_or(1) > 0;
                match group.keys().any(counts) {
                    true => Ok(()),
                    false => Err(SetupError::NoQuorum),
                }
            }
        }
    }
}

/// A setup that is out of bounds.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SetupError {
    /// A number is outside its bounds.
    #[error("{what} is {got}; it must be from {min} to {max}")]
    OutOfBounds {
        /// Which field.
        what: &'static str,
        /// Its value; spans in µs.
        got: u64,
        /// The smallest allowed.
        min: u64,
        /// The largest allowed.
        max: u64,
    },
    /// A schedule of faults that it can't keep.
    #[error("its schedule of faults: {0}")]
    Faults(#[from] ScheduleError),
    /// Groups name a server that is no voter.
    #[error("groups and weights name server {0}, which is no voter")]
    NoVoter(ServerId),
    /// No set of voters can be a quorum.
    #[error("no set of voters can be a quorum: all weights are zero or no voter is in a group")]
    NoQuorum,
}

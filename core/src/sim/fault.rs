//! Seeded schedules of faults, and setups that differ from seed to seed. Every fault ends by itself,
//! so that the ensemble can always make progress again.

use crate::{
    id::ServerId,
    message::ServerState,
    quorum::QuorumRule,
    sim::{
        members,
        queue::Dice,
        setup::{Action, ClientNo, Setup},
        world::{ServerStatus, World},
    },
    time::{Moment, Span},
};
use core::fmt;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A kind of fault. Serialised as [`FaultKind::name`] has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultKind {
    /// A server loses its power, mostly with its unsynced tail, and comes back.
    Crash,
    /// A link, or one direction of it, is cut and healed.
    Cut,
    /// The servers fall into groups and come together again.
    Partition,
    /// A server stands still and goes on.
    Pause,
    /// A disk is slow for a while.
    SlowDisk,
    /// A link is slow for a while.
    SlowLink,
    /// A client is dropped, paused for a while, or moved.
    Client,
    /// A server loses its disk and comes back without. Not part of "all": ZAB promises nothing to
    /// those who forget what they acknowledged; see ZooKeeper.md 4.8.
    LoseDisk,
    /// A client asks for other members. Not part of "all": it is no fault, and needs a world in which
    /// members can change.
    Reconfig,
}

impl FaultKind {
    /// Every kind.
    pub const ALL: [FaultKind; 9] = [
        FaultKind::Crash,
        FaultKind::Cut,
        FaultKind::Partition,
        FaultKind::Pause,
        FaultKind::SlowDisk,
        FaultKind::SlowLink,
        FaultKind::Client,
        FaultKind::LoseDisk,
        FaultKind::Reconfig,
    ];

    /// As it is written in a plan.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            FaultKind::Crash => "crash",
            FaultKind::Cut => "cut",
            FaultKind::Partition => "partition",
            FaultKind::Pause => "pause",
            FaultKind::SlowDisk => "slow-disk",
            FaultKind::SlowLink => "slow-link",
            FaultKind::Client => "client",
            FaultKind::LoseDisk => "lose-disk",
            FaultKind::Reconfig => "reconfig",
        }
    }
}

/// Which faults, and how often in relation to each other.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct FaultPlan {
    rates: BTreeMap<FaultKind, u32>,
}

/// A plan that can't be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FaultPlanError {
    /// No such kind.
    #[error(
        "there is no fault \"{0}\"; there are all, none, crash, cut, partition, pause, slow-disk, \
         slow-link, client, lose-disk, reconfig, each with an optional rate such as crash=3"
    )]
    Unknown(String),
    /// The rate is no number from 1 to 100.
    #[error("the rate of {kind} is \"{rate}\"; it must be a number from 1 to 100")]
    Rate {
        /// Of which fault.
        kind: &'static str,
        /// What stands there.
        rate: String,
    },
}

impl FaultPlan {
    /// No faults.
    #[must_use]
    pub fn none() -> FaultPlan {
        FaultPlan::default()
    }

    /// All that the protocol must survive; crashes twice as often as the others.
    #[must_use]
    pub fn all() -> FaultPlan {
        FaultKind::ALL
            .into_iter()
            .filter(|kind| !matches!(kind, FaultKind::LoseDisk | FaultKind::Reconfig))
            .fold(FaultPlan::none(), |plan, kind| {
                plan.with(kind, 1 + u32::from(kind == FaultKind::Crash))
            })
    }

    /// This kind too, at this rate; 0: not.
    #[must_use]
    pub fn with(mut self, kind: FaultKind, rate: u32) -> FaultPlan {
        if rate == 0 {
            self.rates.remove(&kind);
        } else {
            self.rates.insert(kind, rate.min(100));
        }
        self
    }

    /// Reads a list such as `crash,cut=3,pause`, `all`, `none` or `all,lose-disk`.
    ///
    /// # Errors
    /// A name or a rate that can't be read.
    pub fn parse(text: &str) -> Result<FaultPlan, FaultPlanError> {
        let mut plan = FaultPlan::none();
        for word in text.split(',').map(str::trim).filter(|w| !w.is_empty()) {
            let (name, rate) = match word.split_once('=') {
                Some((name, rate)) => (name.trim(), Some(rate.trim())),
                None => (word, None),
            };
            if rate.is_none() && name == "none" {
                continue;
            }
            if rate.is_none() && name == "all" {
                for (kind, rate) in FaultPlan::all().rates {
                    plan.rates.entry(kind).or_insert(rate);
                }
                continue;
            }
            let kind = FaultKind::ALL
                .into_iter()
                .find(|kind| kind.name() == name)
                .ok_or_else(|| FaultPlanError::Unknown(shorten(word)))?;
            let rate = match rate {
                None => 1,
                Some(text) => text
                    .parse::<u32>()
                    .ok()
                    .filter(|rate| (1..=100).contains(rate))
                    .ok_or_else(|| FaultPlanError::Rate {
                        kind: kind.name(),
                        rate: shorten(text),
                    })?,
            };
            plan.rates.insert(kind, rate);
        }
        Ok(plan)
    }

    /// Whether members are to change.
    #[must_use]
    pub fn reconfigures(&self) -> bool {
        self.rates.contains_key(&FaultKind::Reconfig)
    }

    /// Whether nothing is planned.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rates.is_empty()
    }

    fn draw(&self, dice: &mut Dice) -> Option<FaultKind> {
        let sum: u32 = self.rates.values().sum();
        let mut at = dice.below(u64::from(sum)) as u32;
        for (kind, rate) in &self.rates {
            match at.checked_sub(*rate) {
                Some(rest) => at = rest,
                None => return Some(*kind),
            }
        }
        None
    }
}

fn shorten(text: &str) -> String {
    text.chars().take(40).collect()
}

/// As [`FaultPlan::parse`] reads it.
impl fmt::Display for FaultPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.rates.is_empty() {
            return f.write_str("none");
        }
        if *self == FaultPlan::all() {
            return f.write_str("all");
        }
        for (i, (kind, rate)) in self.rates.iter().enumerate() {
            let comma = if i == 0 { "" } else { "," };
            match rate {
                1 => write!(f, "{comma}{}", kind.name())?,
                n => write!(f, "{comma}{}={n}", kind.name())?,
            }
        }
        Ok(())
    }
}

/// A setup that differs from seed to seed in everything but its size: short and long logs in memory,
/// early and late snapshots, quick and slow links. What hides at one setting shows at another.
#[must_use]
pub fn swarm(seed: u64, voters: u8, observers: u8) -> Setup {
    let mut dice = Dice::new(seed ^ 0x5e70_7a11);
    let rule = match dice.below(5) {
        0 => groups(&mut dice, voters),
        _ => QuorumRule::Majority,
    };
    let mut one = |from: &[u64]| dice.pick(from).copied().unwrap_or_default();
    Setup {
        seed,
        voters,
        observers,
        rule,
        tick: Span::millis(one(&[200, 500, 1000, 2000])),
        init_limit: one(&[5, 10]),
        sync_limit: one(&[2, 5]),
        // Where there is nobody else the leader has to.
        leader_serves: one(&[0, 1, 1, 1]) == 1 || voters + observers == 1,
        commit_log_count: one(&[1, 3, 10, 500]) as usize,
        snapshot_size_percent: match one(&[0, 33, 10_000]) {
            0 => None,
            percent => Some(percent as u32),
        },
        snap_count: one(&[6, 30, 200, 100_000]),
        snap_retain: one(&[1, 3]) as usize,
        latency: Span(one(&[100, 1000, 8000])),
        jitter: Span(one(&[0, 500, 6000, 30_000])),
        fsync: Span(one(&[100, 1000, 4000, 20_000])),
        start_spread: Span::millis(one(&[0, 40, 1000])),
        ..Setup::default()
    }
}

/// Two or three groups; some voters weigh more, and some nothing.
fn groups(dice: &mut Dice, voters: u8) -> QuorumRule {
    let parts = dice.between(1, 3);
    let ids = (1..=i64::from(voters)).map(ServerId);
    let group = ids
        .clone()
        .map(|id| (id, dice.below(parts) as u32))
        .collect();
    let weight = ids
        .skip(1)
        .map(|id| (id, dice.pick(&[0, 1, 1, 1, 1, 2, 3]).copied().unwrap_or(1)))
        .collect();
    QuorumRule::Groups { group, weight }
}

/// How a fault ends.
#[derive(Clone, Debug)]
struct Open {
    ends: Moment,
    by: Action,
}

/// A schedule of faults for one run. It has dice of its own: the world's are not touched, so the
/// actions alone repeat the run.
#[derive(Clone, Debug)]
pub struct Faults {
    plan: FaultPlan,
    dice: Dice,
    next: Moment,
    open: Vec<Open>,
    /// What the time between two faults is measured in; `None`: the world's tick.
    pace: Option<Span>,
}

impl Faults {
    /// A schedule.
    #[must_use]
    pub fn new(plan: FaultPlan, seed: u64) -> Faults {
        Faults {
            plan,
            dice: Dice::new(seed ^ 0x000f_a017),
            next: Moment(0),
            open: Vec::new(),
            pace: None,
        }
    }

    /// A schedule that begins now, with about so much time from one fault to the next.
    #[must_use]
    pub fn at_rate(plan: FaultPlan, seed: u64, now: Moment, every: Span) -> Faults {
        Faults {
            next: now + every,
            pace: Some(every),
            ..Faults::new(plan, seed)
        }
    }

    /// When it wants to be asked again, if ever.
    #[must_use]
    pub fn wakes(&self) -> Option<Moment> {
        let next = (!self.plan.is_empty()).then_some(self.next);
        self.open.iter().map(|o| o.ends).chain(next).min()
    }

    /// What is to be done before the next step; call it until it has nothing more to say.
    pub fn next(&mut self, world: &World) -> Option<Action> {
        let now = world.now();
        while let Some(at) = self.open.iter().position(|o| o.ends <= now) {
            let over = self.open.remove(at).by;
            if world.possible(&over).is_ok() {
                return Some(over);
            }
        }
        if self.plan.is_empty() || now < self.next {
            return None;
        }
        let tick = world.setup().tick;
        let pace = self.pace.unwrap_or(tick);
        let wait = match self.dice.below(4) {
            // A burst: in the middle of what the last fault led to.
            0 => self.dice.between(0, pace.0 / 40),
            1 | 2 => self.dice.between(pace.0 / 40, pace.0),
            _ => self.dice.between(pace.0, pace.0 * 4),
        };
        self.next = now + Span(wait);
        let kind = self.plan.draw(&mut self.dice)?;
        let (action, end) = self.begin(kind, world)?;
        if world.possible(&action).is_err() {
            return None;
        }
        if let Some(by) = end {
            let lasts = match self.dice.below(10) {
                0..5 => self.dice.between(tick.0 / 200, tick.0 / 4),
                5..9 => self.dice.between(tick.0 / 4, tick.0 * 3),
                _ => self.dice.between(tick.0 * 3, tick.0 * 20),
            };
            self.open.push(Open {
                ends: now + Span(lasts),
                by,
            });
        }
        Some(action)
    }

    /// Whether a fault is still on.
    #[must_use]
    pub fn any_open(&self) -> bool {
        !self.open.is_empty()
    }

    /// The faults that are on end now; others come as planned.
    pub(crate) fn end_now(&mut self) {
        for open in &mut self.open {
            open.ends = Moment(0);
        }
    }

    /// What ends the faults that are on.
    pub(crate) fn ends(self) -> impl Iterator<Item = Action> {
        self.open.into_iter().map(|o| o.by)
    }

    /// No more faults begin; those that are on end now.
    pub fn stop(&mut self) {
        self.plan = FaultPlan::none();
        for open in &mut self.open {
            open.ends = Moment(0);
        }
    }

    /// One of those that run; often the leader, whose fall has the most consequences.
    fn victim(&mut self, running: &[ServerId], world: &World) -> Option<ServerId> {
        let leads = |id: &&ServerId| {
            world
                .peer(**id)
                .is_some_and(|p| p.state() == ServerState::Leading)
        };
        match running.iter().find(leads) {
            Some(leader) if self.dice.chance(30) => Some(*leader),
            Some(_) | None => self.dice.pick(running).copied(),
        }
    }

    /// Faults begin again.
    pub(crate) fn resume(&mut self, plan: FaultPlan) {
        self.plan = plan;
    }

    fn begin(&mut self, kind: FaultKind, world: &World) -> Option<(Action, Option<Action>)> {
        let dice = &mut self.dice;
        let all: Vec<ServerId> = world.servers().map(|s| s.id).collect();
        let running: Vec<ServerId> = world
            .servers()
            .filter(|s| s.status == ServerStatus::Up)
            .map(|s| s.id)
            .collect();
        let ill = all.len() - running.len();
        // Mostly a majority stays; sometimes everything falls.
        let may_fall = ill < (all.len() - 1) / 2 || dice.chance(15);
        let mut two = || {
            let mut ids = all.clone();
            dice.shuffle(&mut ids);
            match ids[..] {
                [a, b, ..] => Some((a, b)),
                _ => None,
            }
        };
        match kind {
            FaultKind::Crash => {
                let server = self.victim(&running, world).filter(|_| may_fall)?;
                let lose_unsynced = self.dice.chance(75);
                let crash = Action::Crash {
                    server,
                    lose_unsynced,
                };
                Some((crash, Some(Action::Restart { server })))
            }
            FaultKind::Cut => {
                let (a, b) = two()?;
                let cut = match self.dice.chance(40) {
                    true => Action::CutDirection { from: a, to: b },
                    false => Action::CutLink { a, b },
                };
                Some((cut, Some(Action::HealLink { a, b })))
            }
            FaultKind::Partition => {
                let mut groups = vec![BTreeSet::new(), BTreeSet::new(), BTreeSet::new()];
                let parts = 2 + u64::from(self.dice.chance(20));
                for id in all {
                    groups[self.dice.below(parts) as usize].insert(id);
                }
                groups.retain(|g| !g.is_empty());
                (groups.len() > 1).then_some((Action::Partition { groups }, Some(Action::HealAll)))
            }
            FaultKind::Pause => {
                let server = self.victim(&running, world).filter(|_| may_fall)?;
                Some((Action::Pause { server }, Some(Action::Resume { server })))
            }
            FaultKind::SlowDisk => {
                let server = *self.dice.pick(&all)?;
                let extra = Span(self.dice.between(1000, world.setup().tick.0));
                let normal = Span(0);
                Some((
                    Action::SlowDisk { server, extra },
                    Some(Action::SlowDisk {
                        server,
                        extra: normal,
                    }),
                ))
            }
            FaultKind::SlowLink => {
                let (a, b) = two()?;
                let extra = Span(self.dice.between(1000, world.setup().tick.0));
                let normal = Span(0);
                Some((
                    Action::SlowLink { a, b, extra },
                    Some(Action::SlowLink {
                        a,
                        b,
                        extra: normal,
                    }),
                ))
            }
            FaultKind::Client => {
                let clients: Vec<ClientNo> = world.clients().map(|c| c.no).collect();
                let client = *self.dice.pick(&clients)?;
                let server = *self.dice.pick(&all)?;
                Some(match self.dice.below(3) {
                    0 => (Action::DropClient { client }, None),
                    1 => (Action::MoveClient { client, server }, None),
                    _ => (
                        Action::PauseClient { client },
                        Some(Action::ResumeClient { client }),
                    ),
                })
            }
            FaultKind::LoseDisk => {
                let down: Vec<ServerId> = world
                    .servers()
                    .filter(|s| s.status == ServerStatus::Down)
                    .map(|s| s.id)
                    .collect();
                let server = *self.dice.pick(&down)?;
                Some((Action::LoseDisk { server }, None))
            }
            FaultKind::Reconfig => {
                let clients: Vec<ClientNo> = world.clients().map(|c| c.no).collect();
                let client = *self.dice.pick(&clients)?;
                let request = members::wish(world, &mut self.dice)?;
                Some((Action::Ask { client, request }, None))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_reads_what_it_writes() {
        for text in ["all", "none", "crash,pause", "crash=3,lose-disk"] {
            let plan = FaultPlan::parse(text).expect("a plan");
            assert_eq!(plan.to_string(), text);
        }
        assert_eq!(
            FaultPlan::parse(" cut , all ").expect("a plan").to_string(),
            "all"
        );
    }

    #[test]
    fn a_plan_says_what_it_can_not_read() {
        let unknown = FaultPlan::parse("crash,earthquake").expect_err("no such fault");
        assert!(unknown.to_string().contains("earthquake"));
        assert!(unknown.to_string().contains("slow-disk"));
        let rate = FaultPlan::parse("cut=0").expect_err("no such rate");
        assert!(rate.to_string().contains("from 1 to 100"));
    }

    #[test]
    fn every_setup_of_the_swarm_is_within_bounds() {
        for seed in 0..200 {
            swarm(seed, 5, 2).validate().expect("a setup");
        }
    }
}

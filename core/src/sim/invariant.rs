//! What must hold after every step: one file per property in `invariant/`, each naming its source.
//!
//! A property is told what happened ([`Step`]) and keeps what it needs between steps; it looks at a
//! server only when a fact says that something changed there. What *delivered* means is decided in
//! one place, [`delivery`]: applied while serving, and all that is in a tree when it begins to serve.
//! What a learner applies before UPTODATE, or replays at its start, is history and not delivery.
//!
//! [`Look`] is all that a property may see of the world. The world answers it; a test answers it
//! with lies, to show that they are found out.

pub mod delivery;
pub mod look;

mod acknowledged_writes;
mod commit_quorum;
mod delivered_stays;
mod digests;
mod durable_acks;
mod epochs;
mod global_primary_order;
mod integrity;
mod leader_completeness;
mod leadership;
mod local_primary_order;
mod monotonic_reads;
mod no_gaps;
mod primary_integrity;
mod session_fifo;
mod session_order;
mod synced_prefix;
#[cfg(test)]
mod testing;
mod total_order;
mod vote_order;
mod watch_order;

pub use acknowledged_writes::AcknowledgedWrites;
pub use commit_quorum::CommitQuorum;
pub use delivered_stays::DeliveredStays;
pub use digests::Digests;
pub use durable_acks::DurableAcks;
pub use epochs::Epochs;
pub use global_primary_order::GlobalPrimaryOrder;
pub use integrity::Integrity;
pub use leader_completeness::LeaderCompleteness;
pub use leadership::Leadership;
pub use local_primary_order::LocalPrimaryOrder;
pub use look::Look;
pub use monotonic_reads::MonotonicReads;
pub use no_gaps::NoGaps;
pub use primary_integrity::PrimaryIntegrity;
pub use session_fifo::SessionFifo;
pub use session_order::SessionOrder;
pub use synced_prefix::SyncedPrefix;
pub use total_order::TotalOrder;
pub use vote_order::VoteOrder;
pub use watch_order::WatchOrder;

use crate::{
    id::ServerId,
    peer::event::EventKind,
    sim::{Fact, StepLog, World, WorldEventKind},
    time::Moment,
};
use core::fmt::Display;
use delivery::{Deliveries, Delivery};
use serde::{Deserialize, Serialize};

/// What happened in one step, and the world after it.
#[derive(Clone, Copy)]
pub struct Step<'a> {
    /// The world after the step.
    pub look: &'a dyn Look,
    /// What happened.
    pub log: &'a StepLog,
    /// What was delivered, in order.
    pub deliveries: &'a [Delivery],
}

impl<'a> Step<'a> {
    /// What servers said, in order.
    pub fn events(&self) -> impl Iterator<Item = (ServerId, &'a EventKind)> + use<'a> {
        self.log.records.iter().filter_map(|r| match &r.source {
            Fact::Peer(e) => Some((e.id.server, &e.kind)),
            Fact::World(_) => None,
        })
    }

    /// What the world said, in order.
    pub fn world(&self) -> impl Iterator<Item = &'a WorldEventKind> + use<'a> {
        self.log.records.iter().filter_map(|r| match &r.source {
            Fact::World(e) => Some(&e.kind),
            Fact::Peer(_) => None,
        })
    }
}

/// A property that is checked after every step and every action.
///
/// A checker may remember what it saw: it is called for each step of a run, in order, exactly once,
/// and is [`reset`](Invariant::reset) before another run.
pub trait Invariant: Send {
    /// Its name in kebab-case: `total-order`.
    fn name(&self) -> &'static str;

    /// What it says, for a person.
    fn sentence(&self) -> &'static str;

    /// Where it comes from: a name in Zab.tla, a section of ZooKeeper.md, an issue.
    fn source(&self) -> &'static str;

    /// Looks at what happened in a step.
    ///
    /// # Errors
    /// The property does not hold.
    fn check(&mut self, step: &Step<'_>) -> Result<(), Violation>;

    /// Forgets everything; the next call of `check` is the first of a new run.
    fn reset(&mut self);
}

/// A property that does not hold, with the values that show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Violation {
    /// [`Invariant::name`].
    pub property: String,
    /// [`Invariant::sentence`].
    pub sentence: String,
    /// [`Invariant::source`].
    pub source: String,
    /// After this step.
    pub step: u64,
    /// In virtual time.
    pub at: Moment,
    /// The run's seed.
    pub seed: u64,
    /// What was compared: (name, value), in the order in which one reads it.
    pub values: Vec<(String, String)>,
}

impl Violation {
    /// A violation of `of` in this step.
    #[must_use]
    pub fn new(of: &(impl Invariant + ?Sized), step: &Step<'_>) -> Violation {
        Violation {
            property: of.name().to_owned(),
            sentence: of.sentence().to_owned(),
            source: of.source().to_owned(),
            step: step.log.step,
            at: step.log.at,
            seed: step.look.seed(),
            values: Vec::new(),
        }
    }

    /// Adds a value that shows it.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Display) -> Violation {
        self.values.push((name.to_owned(), value.to_string()));
        self
    }
}

/// `total-order does not hold after step 812 (3.204817s, seed 7): server 2; delivers 0x200000003; …`
impl Display for Violation {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(
            f,
            "{} does not hold after step {} ({:?}, seed {})",
            self.property, self.step, self.at, self.seed
        )?;
        for (i, (name, value)) in self.values.iter().enumerate() {
            write!(f, "{} {name} {value}", if i == 0 { ":" } else { ";" })?;
        }
        Ok(())
    }
}

/// A property as it is shown to people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Property {
    /// [`Invariant::name`].
    pub name: &'static str,
    /// [`Invariant::sentence`].
    pub sentence: &'static str,
    /// [`Invariant::source`].
    pub source: &'static str,
}

/// All invariants of a run.
#[derive(Default)]
pub struct Checker {
    all: Vec<Box<dyn Invariant>>,
    deliveries: Deliveries,
}

impl Checker {
    /// One that checks nothing yet.
    #[must_use]
    pub fn empty() -> Checker {
        Checker::default()
    }

    /// These.
    #[must_use]
    pub fn new(all: Vec<Box<dyn Invariant>>) -> Checker {
        Checker {
            all,
            deliveries: Deliveries::default(),
        }
    }

    /// Everything that is known to be true of ZooKeeper, in the order in which one reads it: what
    /// explains most comes first, because the first that fails is the one that is reported.
    #[must_use]
    pub fn all() -> Checker {
        Checker::new(vec![
            Box::new(VoteOrder),
            Box::new(Leadership::default()),
            Box::new(Epochs::default()),
            Box::new(DurableAcks::default()),
            Box::new(NoGaps::default()),
            Box::new(SyncedPrefix::default()),
            Box::new(CommitQuorum::default()),
            Box::new(LeaderCompleteness::default()),
            Box::new(Integrity::default()),
            Box::new(TotalOrder::default()),
            Box::new(LocalPrimaryOrder::default()),
            Box::new(GlobalPrimaryOrder::default()),
            Box::new(PrimaryIntegrity::default()),
            Box::new(DeliveredStays::default()),
            Box::new(AcknowledgedWrites::default()),
            Box::new(Digests::default()),
            Box::new(SessionFifo::default()),
            Box::new(SessionOrder::default()),
            Box::new(WatchOrder::default()),
            Box::new(MonotonicReads::default()),
        ])
    }

    /// The properties that mean something for a server without an ensemble. Without epochs a zxid that
    /// was never committed, because it was lost in a crash, is given out again: what speaks of the
    /// order of primaries does not apply.
    #[must_use]
    pub fn standalone() -> Checker {
        Checker::new(vec![
            Box::new(DurableAcks::default()),
            Box::new(CommitQuorum::default()),
            Box::new(DeliveredStays::default()),
            Box::new(Digests::default()),
            Box::new(SessionFifo::default()),
            Box::new(SessionOrder::default()),
            Box::new(WatchOrder::default()),
            Box::new(MonotonicReads::default()),
        ])
    }

    /// Everything that must hold in a world of this setup.
    #[must_use]
    pub fn of(setup: &super::Setup) -> Checker {
        if setup.standalone {
            Checker::standalone()
        } else {
            Checker::all()
        }
    }

    /// One more.
    pub fn add(&mut self, invariant: Box<dyn Invariant>) {
        self.all.push(invariant);
    }

    /// Keeps the properties whose names `keep` wants.
    pub fn retain(&mut self, mut keep: impl FnMut(&str) -> bool) {
        self.all.retain(|i| keep(i.name()));
    }

    /// What it checks, in order.
    pub fn properties(&self) -> impl ExactSizeIterator<Item = Property> + '_ {
        self.all.iter().map(|i| Property {
            name: i.name(),
            sentence: i.sentence(),
            source: i.source(),
        })
    }

    /// Checks all of them, in order. Called after every step and every action, from the first on.
    ///
    /// # Errors
    /// The first that does not hold.
    pub fn check(&mut self, world: &World, log: &StepLog) -> Result<(), Violation> {
        self.check_with(world, log)
    }

    /// As [`Checker::check`], with somebody else's view of the world.
    ///
    /// # Errors
    /// The first that does not hold.
    pub fn check_with(&mut self, look: &dyn Look, log: &StepLog) -> Result<(), Violation> {
        let deliveries = self.deliveries.of(look, log);
        let step = Step {
            look,
            log,
            deliveries,
        };
        self.all.iter_mut().try_for_each(|i| i.check(&step))
    }

    /// Before another run.
    pub fn reset(&mut self) {
        self.deliveries = Deliveries::default();
        self.all.iter_mut().for_each(|i| i.reset());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_property_has_a_name_of_its_own_a_sentence_and_a_source() {
        let all = Checker::all();
        let names: BTreeSet<&str> = all.properties().map(|p| p.name).collect();
        assert_eq!(names.len(), all.properties().len());
        for p in all.properties() {
            assert!(p.name.bytes().all(|b| b == b'-' || b.is_ascii_lowercase()));
            assert!(
                p.sentence.ends_with('.') && !p.source.is_empty(),
                "{}",
                p.name
            );
        }
    }
}

//! What must hold after every step: one file per property in `invariant/`, each naming its source.

use crate::{
    sim::{StepLog, World},
    time::Moment,
};
use core::fmt::Display;
use serde::{Deserialize, Serialize};

/// A property that is checked after every step and every action.
///
/// A checker may remember what it saw: it is called for each step of a run, in order, exactly once,
/// and is [`reset`](Invariant::reset) before another run.
pub trait Invariant: Send {
    /// Its name in kebab-case: `total-order`.
    fn name(&self) -> &'static str;

    /// Where it comes from: a section of the ZAB paper, a name in Zab.tla, ZooKeeper.md 3.12.
    fn source(&self) -> &'static str;

    /// Looks at the world after a step, and at what happened in it.
    ///
    /// # Errors
    /// The property does not hold.
    fn check(&mut self, world: &World, log: &StepLog) -> Result<(), Violation>;

    /// Forgets everything; the next call of `check` is the first of a new run.
    fn reset(&mut self);
}

/// A property that does not hold, with the values that show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Violation {
    /// [`Invariant::name`].
    pub property: String,
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
    /// A violation of `of` in this world, after this step.
    #[must_use]
    pub fn new(of: &(impl Invariant + ?Sized), world: &World, log: &StepLog) -> Violation {
        Violation {
            property: of.name().to_owned(),
            source: of.source().to_owned(),
            step: log.step,
            at: log.at,
            seed: world.setup().seed,
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

/// All invariants, in the order in which they are checked.
#[must_use]
pub fn all() -> Vec<Box<dyn Invariant>> {
    Vec::new()
}

/// All invariants of a run.
#[derive(Default)]
pub struct Checker {
    all: Vec<Box<dyn Invariant>>,
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
        Checker { all }
    }

    /// All that there are.
    #[must_use]
    pub fn all() -> Checker {
        Checker::new(all())
    }

    /// One more.
    pub fn add(&mut self, invariant: Box<dyn Invariant>) {
        self.all.push(invariant);
    }

    /// Name and source of each.
    pub fn properties(&self) -> impl Iterator<Item = (&'static str, &'static str)> + '_ {
        self.all.iter().map(|i| (i.name(), i.source()))
    }

    /// Checks all of them, in order.
    ///
    /// # Errors
    /// The first that does not hold.
    pub fn check(&mut self, world: &World, log: &StepLog) -> Result<(), Violation> {
        self.all.iter_mut().try_for_each(|i| i.check(world, log))
    }

    /// Before another run.
    pub fn reset(&mut self) {
        self.all.iter_mut().for_each(|i| i.reset());
    }
}

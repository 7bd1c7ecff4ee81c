//! Seeded schedules of faults. Every fault ends: the ensemble can always make progress again.

/// A kind of fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FaultKind {
    /// A server loses its power and comes back.
    Crash,
    /// A link, or one direction of it, is cut and healed.
    Cut,
    /// The servers fall into groups and come together.
    Partition,
    /// A server stands still and goes on.
    Pause,
    /// A disk is slow for a while.
    SlowDisk,
    /// A link is slow for a while.
    SlowLink,
    /// A server loses its disk and comes back without.
    LoseDisk,
    /// A client is dropped, paused or moved.
    Client,
}

/// Which faults, and how often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultPlan {}
/// A schedule of faults for one run.
#[derive(Clone)]
pub struct Faults {}

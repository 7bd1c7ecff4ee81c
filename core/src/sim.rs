//! The simulator: N servers, their disks, links and clients in virtual time, fed by one seed.
//!
//! * [`setup`]: what a world is made of and what one can do to it; the format of share links.
//! * [`world`]: the priority queue and the only place where a [`Peer`](crate::peer::Peer) is called.
//! * [`bus`], [`disk`], [`client`]: what surrounds a server; each a small machine of its own.
//! * [`fact`]: what happened, as one stream: events of servers and events of the world.
//! * [`history`]: any moment can be reached, left in another direction, exported.
//! * [`fault`], [`workload`]: seeded schedules for tests and `zabscope simulate`.
//! * [`schedule`]: faults that a world makes by itself. * [`search`]: looks for a violation, and shortens it.
//! * [`run`]: a whole run with faults, clients and checks.
//! * [`why_not`]: why something has not happened, what a client may see, what if.
//! * [`invariant`]: what must hold after every step; [`report`]: how a violation is told.
//!
//! Nothing here reads a clock, uses floating point or depends on hash order: the same setup and
//! actions give the same [`World::trace_hash`](world::World::trace_hash) natively and on wasm32.

mod ask;
pub mod bus;
pub mod client;
pub mod disk;
pub mod fact;
pub mod fault;
pub mod hash;
pub mod history;
pub mod invariant;
mod members;
mod queue;
pub mod report;
pub mod run;
pub mod schedule;
pub mod search;
pub mod setup;
pub mod why_not;
pub mod workload;
pub mod world;

pub use crate::rules::{Rule, Rules};
pub use bus::{Dropped, InFlight, LinkState};
pub use client::{
    ClientFlight, ClientPacket, ClientState, ClientView, Observation, Outcome, Seen, WatchLists,
};
pub use disk::{Disk, LogEntry, Removed, RemovedBecause};
pub use fact::{
    Fact, GaveUpBecause, InputSummary, LostBecause, Record, Sent, StepLog, WorldEvent,
    WorldEventKind,
};
pub use fault::{FaultKind, FaultPlan, FaultPlanError, Faults};
pub use history::{
    Branch, BranchNo, Exported, ExportedBranch, History, ImportError, Imported, Importing, Records,
};
pub use invariant::{Checker, Invariant, Look, Property, Violation};
pub use run::{Plan, Run, Tally};
pub use schedule::{Random, Repeat, Schedule, ScheduleError};
pub use search::{Found, Progress, Search, Stage, Wanted};
pub use setup::{Action, ClientNo, Setup, TimedAction};
pub use workload::Workload;
pub use world::{ActError, ServerStatus, ServerView, SetupError, World};

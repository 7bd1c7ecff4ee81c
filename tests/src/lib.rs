//! One language for every test that needs more than one server.
//!
//! A scenario builds a world, does something to it, waits for something, and says what must be so:
//!
//! ```text
//! let mut s = Scenario::voters(5).seed(7).start();
//! let leader = s.until_leader();
//! s.client("A").at(2).create("/a", "x").ok();
//! s.crash(leader);
//! s.until(event!(any, Established));
//! s.settle().agree();
//! ```
//!
//! * [`scenario`]: the setting, and the one loop that steps, checks every invariant and has a bound;
//! * [`act`]: what can be done to servers, disks and links;
//! * [`client`]: what clients do and what they saw;
//! * [`pattern`]: what can be waited for and looked for: [`event!`], [`world!`], [`sent`];
//! * [`driven`]: one server driven by hand, the others played;
//! * [`check`]: logs, trees, roles, and the order of what happened;
//! * [`trace`]: how a failure is told, with the command that repeats it;
//! * [`chaos`]: long seeded runs with faults, whose trace hashes are compared natively and on wasm32.
//!
//! Nothing here reads a clock, starts a thread or opens a file: it runs on wasm32 as it does natively.

pub mod act;
pub mod chaos;
pub mod check;
pub mod client;
pub mod driven;
pub mod pattern;
pub mod question;
pub mod scenario;
pub mod trace;

pub use client::Hand;
pub use pattern::{Pattern, sent};
pub use scenario::{Scenario, Setting, zx};

/// What most scenarios speak of.
pub mod prelude {
    pub use crate::{
        Hand, Pattern, Scenario, Setting, client::write, event, pattern::sent, scenario::zx, world,
    };
    pub use zabscope_core::{
        id::{ClientId, Epoch, ServerId, SessionId, Zxid},
        leader::LeaderPhase,
        learner::LearnerPhase,
        message::{MessageKind, ServerState},
        peer::{
            WaitReason,
            event::{
                DecidedBy, DropReason, ElectionReason, EventKind, IgnoreReason, OpKind, Phase,
                RefuseReason, SyncMode, SyncRule, TxnKind, VoteField,
            },
        },
        quorum::QuorumRule,
        request::{
            AddWatchMode, CreateMode, CreateOp, ErrorCode, OpResult, Request, Response,
            WatchEventKind, WatcherType, Write,
        },
        sim::{
            Action, ClientState, GaveUpBecause, LostBecause, Outcome, RemovedBecause, Seen,
            ServerStatus, WorldEventKind,
        },
        time::Span,
    };
}

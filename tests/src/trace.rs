//! How a failure is told: what was awaited, where the servers stand, what happened last, and how to
//! see it again.

use crate::{pattern::Moment, scenario::Scenario};
use core::fmt::Write;
use zabscope_core::{
    peer::{
        WaitReason,
        event::{EventKind, OpKind, RefuseReason},
    },
    sim::{Exported, Fact, GaveUpBecause, WorldEventKind},
};

/// How many of the last things are told.
const LAST: usize = 60;

/// The whole text.
#[must_use]
pub fn failure(s: &Scenario, awaited: &str) -> String {
    let mut text = String::new();
    let world = s.world();
    // Writing to a String does not fail.
    let _ = writeln!(text, "\nawaited   {awaited}");
    let _ = writeln!(
        text,
        "seed      {}   step {}   time {:?}",
        world.setup().seed,
        world.steps(),
        world.now()
    );
    let _ = writeln!(text, "servers");
    for v in world.servers() {
        let _ = write!(text, "  {:>2} {:?}", v.id.0, v.status);
        match v.peer {
            Some(p) => {
                let _ = writeln!(
                    text,
                    " {:?} {:?} leader {:?} accepted {:?} current {:?} round {} vote {:?} logged {:?} \
                     durable {:?} committed {:?} applied {:?}{}",
                    p.state(),
                    p.phase(),
                    p.leader(),
                    p.accepted_epoch(),
                    p.current_epoch(),
                    p.round(),
                    p.vote(),
                    p.last_logged(),
                    p.last_durable(),
                    p.last_committed(),
                    p.last_applied(),
                    if p.serving() { " serving" } else { "" },
                );
            }
            None => {
                let _ = writeln!(text, " log {:?}", v.disk.last_zxid());
            }
        }
    }
    for c in world.clients() {
        let _ = writeln!(
            text,
            "  client {} {:?} session {:?} seen {:?} open {} queued {}",
            c.no.0, c.state, c.session, c.last_zxid_seen, c.pending, c.queued
        );
    }
    let _ = writeln!(text, "the last of what happened, heartbeats left out");
    let mut last: Vec<&Moment> = s
        .history
        .iter()
        .rev()
        .filter(|m| is_telling(m))
        .take(LAST)
        .collect();
    last.reverse();
    for moment in last {
        line(&mut text, moment);
    }
    let _ = writeln!(text, "repeat    {}", command(s));
    let _ = writeln!(text, "run       {}", exported(s).to_json());
    text
}

/// One aligned line.
fn line(text: &mut String, moment: &Moment) {
    let _ = match moment {
        Moment::Said(r) => match &r.source {
            Fact::Peer(e) => writeln!(
                text,
                "{:>7} {:>12?} server {:<2} {:?}",
                r.step, r.at, e.id.server.0, e.kind
            ),
            Fact::World(e) => writeln!(text, "{:>7} {:>12?} world     {:?}", r.step, r.at, e.kind),
        },
        Moment::Left(step, sent) => writeln!(
            text,
            "{step:>7} {:>12?} server {:<2} -> {} {} {}",
            sent.at,
            sent.from.0,
            sent.to.0,
            sent.kind.name(),
            sent.zxid.map_or(String::new(), |z| format!("{z:?}"))
        ),
    };
}

fn is_telling(moment: &Moment) -> bool {
    match moment {
        Moment::Left(_, sent) => !sent.kind.is_heartbeat(),
        Moment::Said(r) => match &r.source {
            // Clients that find nobody knock again and again.
            Fact::World(e) => !matches!(
                e.kind,
                WorldEventKind::ClientConnecting { .. }
                    | WorldEventKind::ClientGaveUp {
                        because: GaveUpBecause::Refused | GaveUpBecause::ClosedByServer,
                        ..
                    }
                    | WorldEventKind::RequestSent {
                        op: OpKind::Ping,
                        ..
                    }
                    | WorldEventKind::ReplyReceived {
                        op: OpKind::Ping,
                        ..
                    }
            ),
            Fact::Peer(e) => match &e.kind {
                EventKind::ClientRefused { because, .. } => *because != RefuseReason::NotServing,
                EventKind::RequestReceived { op, .. } | EventKind::ReadServed { op, .. } => {
                    *op != OpKind::Ping
                }
                EventKind::ClientArrived { .. }
                | EventKind::Received { .. }
                | EventKind::PingsSent { .. }
                | EventKind::QuorumChecked { .. }
                | EventKind::SessionTouched { .. }
                | EventKind::DiskSynced { .. } => false,
                EventKind::TimerFired { reason } => *reason != WaitReason::HalfTick,
                _ => true,
            },
        },
    }
}

/// The command that runs this test again.
fn command(s: &Scenario) -> String {
    let file = s.at.file();
    let target = file
        .rsplit(['/', '\\'])
        .next()
        .and_then(|f| f.strip_suffix(".rs"))
        .unwrap_or(file);
    let test = test_name().unwrap_or_default();
    format!(
        "cargo test -p zabscope-tests --test {target} -- {test}   # {file}:{}",
        s.at.line()
    )
}

/// libtest names the thread of a test after it.
#[cfg(not(target_arch = "wasm32"))]
fn test_name() -> Option<String> {
    std::thread::current().name().map(str::to_owned)
}

#[cfg(target_arch = "wasm32")]
fn test_name() -> Option<String> {
    None
}

/// The run as the page can open it.
#[must_use]
pub fn exported(s: &Scenario) -> Exported {
    Exported::of(
        s.world().setup().clone(),
        s.actions.clone(),
        s.world().steps(),
        Some(s.world().trace_hash()),
    )
}

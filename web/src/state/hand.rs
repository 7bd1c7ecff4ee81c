//! A fault by hand: what a key or a drop does to what is chosen. The same again takes it back.

use super::Selection;
use std::collections::BTreeSet;
use zabscope_core::{
    id::ServerId,
    sim::{Action, ServerStatus, World},
    time::Span,
};

/// How much slower a disk becomes, and a link.
const SLOW_DISK: Span = Span::millis(400);
const SLOW_LINK: Span = Span::millis(1500);

/// What a hand breaks, or mends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Blow {
    /// Power off, or on.
    Crash,
    /// Power off, and what was not fsynced is lost.
    CrashLosing,
    /// It stands still, or goes on.
    Pause,
    /// A disk or a link gets slow, or normal.
    Slow,
    /// A server is cut off, or let back in; a link is cut, or healed.
    Cut,
}

/// What that is in this world; nothing if it does not fit what is chosen.
#[must_use]
pub fn blow(world: &World, chosen: &Selection, blow: Blow) -> Vec<Action> {
    match chosen {
        Selection::Server(id) => server(world, *id, blow),
        Selection::Link(a, b) => link(world, *a, *b, blow).into_iter().collect(),
        Selection::Client(client) => {
            let client = *client;
            let paused = world.client(client).is_some_and(|c| c.paused);
            match blow {
                Blow::Pause if paused => vec![Action::ResumeClient { client }],
                Blow::Pause => vec![Action::PauseClient { client }],
                Blow::Cut => vec![Action::DropClient { client }],
                Blow::Crash | Blow::CrashLosing | Blow::Slow => Vec::new(),
            }
        }
        Selection::Nothing | Selection::Message(_) | Selection::Znode(_) => Vec::new(),
    }
}

fn server(world: &World, server: ServerId, blow: Blow) -> Vec<Action> {
    let Some(view) = world.server(server) else {
        return Vec::new();
    };
    let down = matches!(view.status, ServerStatus::Down | ServerStatus::NotStarted);
    vec![match blow {
        Blow::Crash | Blow::CrashLosing if down => Action::Restart { server },
        Blow::Crash | Blow::CrashLosing => Action::Crash {
            server,
            lose_unsynced: blow == Blow::CrashLosing,
        },
        Blow::Pause if view.status == ServerStatus::Paused => Action::Resume { server },
        Blow::Pause => Action::Pause { server },
        Blow::Slow => Action::SlowDisk {
            server,
            extra: match view.disk.slower_by() {
                Span(0) => SLOW_DISK,
                _ => Span(0),
            },
        },
        Blow::Cut => {
            let (mine, others): (Vec<_>, BTreeSet<ServerId>) = (
                world
                    .links()
                    .filter(|l| l.a == server || l.b == server)
                    .collect(),
                world
                    .servers()
                    .map(|s| s.id)
                    .filter(|id| *id != server)
                    .collect(),
            );
            let alone = mine.iter().all(|l| l.cut_ab && l.cut_ba);
            return others
                .into_iter()
                .map(|other| match alone {
                    true => Action::HealLink {
                        a: server,
                        b: other,
                    },
                    false => Action::CutLink {
                        a: server,
                        b: other,
                    },
                })
                .collect();
        }
    }]
}

fn link(world: &World, a: ServerId, b: ServerId, blow: Blow) -> Option<Action> {
    let state = world
        .links()
        .find(|l| (l.a, l.b) == (a, b) || (l.a, l.b) == (b, a))?;
    match blow {
        Blow::Cut if state.cut_ab || state.cut_ba => Some(Action::HealLink { a, b }),
        Blow::Cut => Some(Action::CutLink { a, b }),
        Blow::Slow => Some(Action::SlowLink {
            a,
            b,
            extra: match state.extra {
                Span(0) => SLOW_LINK,
                _ => Span(0),
            },
        }),
        Blow::Crash | Blow::CrashLosing | Blow::Pause => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::{Action as Ask, State, run::Run};
    use zabscope_core::sim::Setup;

    fn state() -> State {
        let mut run = Run::new(&Setup {
            voters: 3,
            ..Setup::default()
        })
        .expect("a world");
        for _ in 0..100 {
            run.step();
        }
        State::new(run)
    }

    fn does(state: &mut State, what: Blow) -> Vec<Action> {
        let before = state.run.get().history().actions().len();
        state.apply(Ask::Blow(None, what));
        let done = state.run.get().history().actions();
        done.into_iter().skip(before).map(|t| t.action).collect()
    }

    #[test]
    fn a_key_breaks_what_is_chosen_and_the_same_key_mends_it() {
        let mut state = state();
        let server = ServerId(2);
        state.apply(Ask::Select(Selection::Server(server)));
        for (what, first, second) in [
            (
                Blow::Crash,
                Action::Crash {
                    server,
                    lose_unsynced: false,
                },
                Action::Restart { server },
            ),
            (
                Blow::CrashLosing,
                Action::Crash {
                    server,
                    lose_unsynced: true,
                },
                Action::Restart { server },
            ),
            (
                Blow::Pause,
                Action::Pause { server },
                Action::Resume { server },
            ),
            (
                Blow::Slow,
                Action::SlowDisk {
                    server,
                    extra: SLOW_DISK,
                },
                Action::SlowDisk {
                    server,
                    extra: Span(0),
                },
            ),
        ] {
            assert_eq!(does(&mut state, what), [first], "{what:?}");
            assert_eq!(does(&mut state, what), [second], "{what:?} again");
        }
        assert_eq!(does(&mut state, Blow::Cut).len(), 2, "from both others");
        assert!(!state.run.get().world().links_are_whole());
        does(&mut state, Blow::Cut);
        assert!(state.run.get().world().links_are_whole());
    }

    #[test]
    fn a_link_is_cut_and_slowed_and_nothing_happens_to_nothing() {
        let mut state = state();
        assert_eq!(does(&mut state, Blow::Cut), []);
        let (a, b) = (ServerId(1), ServerId(3));
        state.apply(Ask::Select(Selection::Link(a, b)));
        assert_eq!(does(&mut state, Blow::Cut), [Action::CutLink { a, b }]);
        assert_eq!(does(&mut state, Blow::Cut), [Action::HealLink { a, b }]);
        let slow = does(&mut state, Blow::Slow);
        assert!(matches!(slow[..], [Action::SlowLink { extra, .. }] if extra == SLOW_LINK));
        let normal = does(&mut state, Blow::Slow);
        assert!(matches!(normal[..], [Action::SlowLink { extra, .. }] if extra == Span(0)));
        assert_eq!(does(&mut state, Blow::Crash), []);
    }
}

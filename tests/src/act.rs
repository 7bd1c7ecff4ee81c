//! What can be done to servers, disks and links.

use crate::scenario::Scenario;
use std::collections::BTreeSet;
use zabscope_core::{id::ServerId, sim::Action, time::Span};

impl Scenario {
    /// Power off; what was not fsynced is lost.
    #[track_caller]
    pub fn crash(&mut self, id: i64) -> &mut Scenario {
        self.act(Action::Crash {
            server: ServerId(id),
            lose_unsynced: true,
        })
    }

    /// Power off, but what was written happened to reach the platter.
    #[track_caller]
    pub fn crash_keeping_unsynced(&mut self, id: i64) -> &mut Scenario {
        self.act(Action::Crash {
            server: ServerId(id),
            lose_unsynced: false,
        })
    }

    /// Power on.
    #[track_caller]
    pub fn restart(&mut self, id: i64) -> &mut Scenario {
        self.act(Action::Restart {
            server: ServerId(id),
        })
    }

    /// Off and on.
    #[track_caller]
    pub fn reboot(&mut self, id: i64) -> &mut Scenario {
        self.crash(id).restart(id)
    }

    /// The process stands still; its connections and its disk do not.
    #[track_caller]
    pub fn pause(&mut self, id: i64) -> &mut Scenario {
        self.act(Action::Pause {
            server: ServerId(id),
        })
    }

    /// It goes on.
    #[track_caller]
    pub fn resume(&mut self, id: i64) -> &mut Scenario {
        self.act(Action::Resume {
            server: ServerId(id),
        })
    }

    /// Nothing passes between the two.
    #[track_caller]
    pub fn cut(&mut self, a: i64, b: i64) -> &mut Scenario {
        self.act(Action::CutLink {
            a: ServerId(a),
            b: ServerId(b),
        })
    }

    /// Nothing passes from the first to the second; the other way is open.
    #[track_caller]
    pub fn cut_direction(&mut self, from: i64, to: i64) -> &mut Scenario {
        self.act(Action::CutDirection {
            from: ServerId(from),
            to: ServerId(to),
        })
    }

    /// Both directions work again.
    #[track_caller]
    pub fn heal(&mut self, a: i64, b: i64) -> &mut Scenario {
        self.act(Action::HealLink {
            a: ServerId(a),
            b: ServerId(b),
        })
    }

    /// All links work, at normal speed.
    #[track_caller]
    pub fn heal_all(&mut self) -> &mut Scenario {
        self.act(Action::HealAll)
    }

    /// Only servers of one group reach each other; who is not named is alone.
    #[track_caller]
    pub fn partition(&mut self, groups: &[&[i64]]) -> &mut Scenario {
        let groups = groups
            .iter()
            .map(|g| g.iter().copied().map(ServerId).collect::<BTreeSet<_>>())
            .collect();
        self.act(Action::Partition { groups })
    }

    /// This server alone, all others together.
    #[track_caller]
    pub fn isolate(&mut self, id: i64) -> &mut Scenario {
        let others: Vec<i64> = self
            .world
            .servers()
            .map(|v| v.id.0)
            .filter(|other| *other != id)
            .collect();
        self.partition(&[&others])
    }

    /// Messages between the two take this much longer.
    #[track_caller]
    pub fn slow_link(&mut self, a: i64, b: i64, extra_ms: u64) -> &mut Scenario {
        self.act(Action::SlowLink {
            a: ServerId(a),
            b: ServerId(b),
            extra: Span::millis(extra_ms),
        })
    }

    /// Each batch of the disk takes this much longer.
    #[track_caller]
    pub fn slow_disk(&mut self, id: i64, extra_ms: u64) -> &mut Scenario {
        self.act(Action::SlowDisk {
            server: ServerId(id),
            extra: Span::millis(extra_ms),
        })
    }

    /// The disk of a server that is down is lost.
    #[track_caller]
    pub fn lose_disk(&mut self, id: i64) -> &mut Scenario {
        self.act(Action::LoseDisk {
            server: ServerId(id),
        })
    }
}

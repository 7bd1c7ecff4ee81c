//! A world that runs a little ahead of the one that is shown, to know when the next thing happens and
//! when the next thing that matters does.

use crate::text::{Importance, importance};
use std::collections::VecDeque;
use zabscope_core::{
    sim::{StepLog, World},
    time::Moment,
};

/// How far it looks: more steps without anything that matters are called rest.
const FARTHEST: usize = 600;

#[derive(Clone, Copy, Debug)]
struct Coming {
    at: Moment,
    importance: Importance,
}

/// The scout.
pub struct Scout {
    world: World,
    log: StepLog,
    coming: VecDeque<Coming>,
    over: bool,
}

/// What it saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ahead {
    /// When the next step is taken; `None`: nothing can happen any more.
    pub next: Option<Moment>,
    /// When the next step is taken in which something matters; `None`: not soon.
    pub matters: Option<Moment>,
}

impl Scout {
    /// Starts where the shown world stands.
    #[must_use]
    pub fn new(world: &World) -> Scout {
        Scout {
            world: world.clone(),
            log: StepLog::default(),
            coming: VecDeque::new(),
            over: false,
        }
    }

    /// The shown world took the step that was next.
    pub fn stepped(&mut self) {
        if self.coming.pop_front().is_none() {
            self.advance();
            self.coming.pop_front();
        }
    }

    fn advance(&mut self) -> bool {
        if self.over || !self.world.step(&mut self.log) {
            self.over = true;
            return false;
        }
        let most = self.log.records.iter().map(|r| importance(&r.source)).max();
        self.coming.push_back(Coming {
            at: self.log.at,
            importance: most.unwrap_or(Importance::Heartbeat),
        });
        true
    }

    /// Looks ahead for something that matters at least so much.
    pub fn look(&mut self, least: Importance) -> Ahead {
        if self.coming.is_empty() {
            self.advance();
        }
        let next = self.coming.front().map(|c| c.at);
        let mut seen = 0;
        loop {
            while let Some(coming) = self.coming.get(seen) {
                if coming.importance >= least {
                    return Ahead {
                        next,
                        matters: Some(coming.at),
                    };
                }
                seen += 1;
            }
            if seen >= FARTHEST || !self.advance() {
                return Ahead {
                    next,
                    matters: None,
                };
            }
        }
    }
}

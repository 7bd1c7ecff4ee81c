//! Whoever leads later has all that was committed before.

use super::{
    Invariant, Step, Violation,
    delivery::{Delivered, Has, History, told},
};
use crate::{
    id::{Epoch, ServerId},
    peer::event::EventKind,
    txn::Txn,
};
use std::{collections::BTreeMap, sync::Arc};

/// An established leader: what it began with, and what was committed in its epoch since.
#[derive(Debug)]
struct Reign {
    leader: ServerId,
    began_with: History,
    committed: Vec<Arc<Txn>>,
}

/// All reigns.
#[derive(Debug, Default)]
pub struct LeaderCompleteness {
    reigns: BTreeMap<Epoch, Reign>,
}

impl LeaderCompleteness {
    fn must_have(
        &self,
        step: &Step<'_>,
        (epoch, reign): (Epoch, &Reign),
        txn: &Arc<Txn>,
        committed_in: Epoch,
    ) -> Result<(), Violation> {
        let instead = match reign.began_with.has(txn) {
            Has::It | Has::Covered => return Ok(()),
            Has::Other(other) => told(&other),
            Has::Missing => "nothing".to_owned(),
        };
        Err(Violation::new(self, step)
            .with("committed in epoch", committed_in)
            .with("transaction", told(txn))
            .with("in the history with which server", reign.leader)
            .with("began to lead epoch", epoch)
            .with("there is instead", instead)
            .with("that history ends with", reign.began_with.last))
    }

    fn established(
        &mut self,
        step: &Step<'_>,
        leader: ServerId,
        history: &History,
    ) -> Result<(), Violation> {
        let epoch = history.epoch;
        let reign = Reign {
            leader,
            began_with: history.clone(),
            committed: Vec::new(),
        };
        // Of what was before, the newest reign has all; of what comes later, the next has least. A
        // leader that was paused may be established when the next one already is.
        if let Some((before, earlier)) = self.reigns.range(..epoch).next_back() {
            let all = earlier.began_with.log.iter().chain(&earlier.committed);
            for txn in all {
                self.must_have(step, (epoch, &reign), txn, *before)?;
            }
        }
        if let Some((after, later)) = self.reigns.range(epoch..).find(|(e, _)| **e > epoch) {
            for txn in history.log.iter() {
                self.must_have(step, (*after, later), txn, epoch)?;
            }
        }
        self.reigns.insert(epoch, reign);
        Ok(())
    }
}

impl Invariant for LeaderCompleteness {
    fn name(&self) -> &'static str {
        "leader-completeness"
    }

    fn sentence(&self) -> &'static str {
        "A leader begins with everything that was committed in earlier epochs."
    }

    fn source(&self) -> &'static str {
        "ZooKeeper.md 3.12: in the log of every later established leader"
    }

    fn check(&mut self, step: &Step<'_>) -> Result<(), Violation> {
        for delivery in step.deliveries {
            if let Delivered::History(history) = &delivery.what
                && history.leads
            {
                self.established(step, delivery.server, history)?;
            }
        }
        for (server, event) in step.events() {
            let EventKind::Committed { zxid, .. } = event else {
                continue;
            };
            let Some(txn) = step.look.txn(server, *zxid) else {
                continue;
            };
            let epoch = zxid.epoch();
            if let Some(reign) = self.reigns.get_mut(&epoch) {
                reign.committed.push(Arc::clone(&txn));
            }
            if let Some((after, later)) = self.reigns.range(epoch.next()..).next() {
                self.must_have(step, (*after, later), &txn, epoch)?;
            }
        }
        Ok(())
    }

    fn reset(&mut self) {
        *self = LeaderCompleteness::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::invariant::Look as _;
    use crate::sim::invariant::testing::{Falsehood, altered, caught, clean, event, lie};

    #[test]
    fn a_healthy_run_is_clean() {
        clean(LeaderCompleteness::default());
    }

    fn tamper(how: impl Fn(&mut Vec<Arc<Txn>>)) -> Violation {
        caught(
            LeaderCompleteness::default(),
            lie(|log, look| {
                let established = event(log, |server, e| match e {
                    EventKind::Established { epoch, .. } if epoch.0 > 1 => Some(server),
                    _ => None,
                });
                if let Some(server) = established {
                    let mut log = look.world.log(server);
                    how(&mut log);
                    look.falsehood = Some(Falsehood::Log(server, log));
                }
                established.is_some()
            }),
        )
    }

    #[test]
    fn a_leader_that_lacks_a_committed_transaction_is_found() {
        tamper(|log| {
            log.pop();
        });
    }

    #[test]
    fn a_leader_that_has_another_transaction_in_its_place_is_found() {
        tamper(|log| {
            let middle = log.len() / 2;
            log[middle] = altered(&log[middle]);
        });
    }
}

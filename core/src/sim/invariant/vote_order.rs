//! A vote is given up for a better one only, and for every better one.

use super::{Invariant, Step, Violation};
use crate::peer::event::{EventKind, VoteField};

/// The order of votes.
#[derive(Debug, Default)]
pub struct VoteOrder;

impl Invariant for VoteOrder {
    fn name(&self) -> &'static str {
        "vote-order"
    }

    fn sentence(&self) -> &'static str {
        "A server that looks for a leader takes over a vote when it is better and only then: a higher \
         peerEpoch; the same and a higher zxid; the same and a higher id."
    }

    fn source(&self) -> &'static str {
        "ZooKeeper.md 2.4; ZkV3_7_0.tla: TotalOrderPredicate"
    }

    fn check(&mut self, step: &Step<'_>) -> Result<(), Violation> {
        for (server, event) in step.events() {
            let EventKind::VoteCompared {
                from,
                theirs,
                ours,
                by,
                changes,
            } = event
            else {
                continue;
            };
            let key = |v: &crate::message::Vote| (v.epoch, v.zxid, v.leader);
            // Who has no weight is never better (2.4).
            let better = *by != VoteField::Weight && key(theirs) > key(ours);
            if better != *changes {
                let told = |v: &crate::message::Vote| {
                    format!("epoch {}, {}, server {}", v.epoch, v.zxid, v.leader)
                };
                return Err(Violation::new(self, step)
                    .with("server", server)
                    .with("which votes for", told(ours))
                    .with("hears from server", from)
                    .with("of", told(theirs))
                    .with("and takes it over", if *changes { "yes" } else { "no" }));
            }
        }
        Ok(())
    }

    fn reset(&mut self) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::invariant::testing::{caught, clean, lie};

    #[test]
    fn a_healthy_run_is_clean() {
        clean(VoteOrder);
    }

    #[test]
    fn a_vote_that_is_taken_over_though_it_is_worse_is_found() {
        let violation = caught(
            VoteOrder,
            lie(|log, _| {
                log.change(|_, e| match e {
                    EventKind::VoteCompared {
                        changes,
                        by: VoteField::Epoch | VoteField::Zxid | VoteField::Id,
                        ..
                    } => {
                        *changes = !*changes;
                        true
                    }
                    _ => false,
                })
            }),
        );
        assert_eq!(violation.values[0].0, "server");
    }
}

//! Within an epoch, delivery follows the order in which the leader proposed: all of it.
//!
//! The published formula asks for *some* pair of transactions and so is trivially true. Here the
//! pair is quantified with "for all": whoever delivers b has delivered every a that was proposed
//! before b in the same epoch, before b. By induction it is enough that each b comes right after the
//! proposal before it.

use super::{Invariant, Step, Violation, delivery::Delivered};
use crate::{
    id::{Epoch, ServerId, Zxid},
    peer::event::EventKind,
};
use std::collections::BTreeMap;

/// The order of proposals, and what each server has delivered last.
#[derive(Debug, Default)]
pub struct LocalPrimaryOrder {
    /// What was proposed right before each proposal in its epoch.
    proposed_after: BTreeMap<Zxid, Option<Zxid>>,
    newest: BTreeMap<Epoch, Zxid>,
    /// `None`: a snapshot of which nobody knows what is last.
    delivered: BTreeMap<ServerId, Option<Zxid>>,
}

impl LocalPrimaryOrder {
    fn deliver(&mut self, step: &Step<'_>, server: ServerId, zxid: Zxid) -> Result<(), Violation> {
        let last = self.delivered.insert(server, Some(zxid)).flatten();
        let Some(last) = last else { return Ok(()) };
        let in_order = match self.proposed_after.get(&zxid) {
            Some(Some(before)) => last == *before,
            // The first of its epoch.
            Some(None) => last.epoch() < zxid.epoch(),
            // Nobody proposed it: that is another property's matter.
            None => true,
        };
        if in_order {
            return Ok(());
        }
        let before = self.proposed_after.get(&zxid).copied().flatten();
        Err(Violation::new(self, step)
            .with("server", server)
            .with("delivers", zxid)
            .with("right after", last)
            .with(
                "which its leader proposed right after",
                before.map_or_else(|| "nothing".to_owned(), |z| z.to_string()),
            ))
    }
}

impl Invariant for LocalPrimaryOrder {
    fn name(&self) -> &'static str {
        "local-primary-order"
    }

    fn sentence(&self) -> &'static str {
        "Whoever delivers a transaction has delivered all that its leader proposed before it, in \
         the leader's order."
    }

    fn source(&self) -> &'static str {
        "Zab.tla: LocalPrimaryOrder, quantified with \"for all\" (ZooKeeper.md 3.12)"
    }

    fn check(&mut self, step: &Step<'_>) -> Result<(), Violation> {
        for (_, event) in step.events() {
            if let EventKind::Proposed { zxid, .. } = event {
                let before = self.newest.insert(zxid.epoch(), *zxid);
                self.proposed_after.insert(*zxid, before);
            }
        }
        for delivery in step.deliveries {
            let server = delivery.server;
            match &delivery.what {
                Delivered::History(history) => {
                    self.delivered
                        .insert(server, history.whole.then_some(Zxid::ZERO));
                    for txn in history.log.iter() {
                        self.deliver(step, server, txn.zxid())?;
                    }
                }
                Delivered::One { zxid, .. } => self.deliver(step, server, *zxid)?,
            }
        }
        Ok(())
    }

    fn reset(&mut self) {
        *self = LocalPrimaryOrder::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::invariant::testing::{caught, clean, lie};

    #[test]
    fn a_healthy_run_is_clean() {
        clean(LocalPrimaryOrder::default());
    }

    #[test]
    fn a_proposal_that_is_not_delivered_before_the_next_is_found() {
        caught(
            LocalPrimaryOrder::default(),
            lie(|log, _| {
                log.remove(
                    |_, e| matches!(e, EventKind::Applied { zxid, .. } if zxid.counter() == 5),
                )
            }),
        );
    }

    #[test]
    fn two_proposals_in_the_wrong_order_are_found() {
        // Every pair counts: the leader says that it proposed 6 before 5.
        caught(
            LocalPrimaryOrder::default(),
            lie(|log, _| {
                log.change(|_, e| match e {
                    EventKind::Proposed { zxid, .. } if zxid.counter() == 5 => {
                        zxid.0 += 1;
                        true
                    }
                    _ => false,
                })
            }),
        );
    }
}

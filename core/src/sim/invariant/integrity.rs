//! What is delivered was proposed by a leader.

use super::{
    Invariant, Step, Violation,
    delivery::{Delivered, same, told},
};
use crate::{
    id::{ServerId, Zxid},
    peer::event::EventKind,
    txn::Txn,
};
use std::{collections::BTreeMap, sync::Arc};

/// Everything that was ever proposed.
#[derive(Debug, Default)]
pub struct Integrity {
    proposed: BTreeMap<Zxid, (ServerId, Option<Arc<Txn>>)>,
}

impl Integrity {
    fn was_proposed(
        &self,
        step: &Step<'_>,
        server: ServerId,
        txn: &Arc<Txn>,
    ) -> Result<(), Violation> {
        let instead = match self.proposed.get(&txn.zxid()) {
            Some((_, Some(proposed))) if same(proposed, txn) => return Ok(()),
            Some((_, None)) => return Ok(()),
            Some((leader, Some(proposed))) => format!("by server {leader}: {}", told(proposed)),
            None => "by nobody".to_owned(),
        };
        Err(Violation::new(self, step)
            .with("server", server)
            .with("delivers", told(txn))
            .with("which was proposed", instead))
    }
}

impl Invariant for Integrity {
    fn name(&self) -> &'static str {
        "integrity"
    }

    fn sentence(&self) -> &'static str {
        "Every transaction that a server delivers was proposed by a leader, exactly so and once."
    }

    fn source(&self) -> &'static str {
        "Zab.tla: Integrity"
    }

    fn check(&mut self, step: &Step<'_>) -> Result<(), Violation> {
        for (server, event) in step.events() {
            if let EventKind::Proposed { zxid, .. } = event {
                let txn = step.look.txn(server, *zxid);
                if let Some((first, _)) = self.proposed.insert(*zxid, (server, txn)) {
                    return Err(Violation::new(self, step)
                        .with("proposed twice", zxid)
                        .with("first by server", first)
                        .with("now by server", server));
                }
            }
        }
        for delivery in step.deliveries {
            let server = delivery.server;
            match &delivery.what {
                Delivered::History(history) => {
                    for txn in history.log.iter() {
                        self.was_proposed(step, server, txn)?;
                    }
                }
                Delivered::One { txn: Some(txn), .. } => self.was_proposed(step, server, txn)?,
                Delivered::One {
                    zxid, txn: None, ..
                } => {
                    return Err(Violation::new(self, step)
                        .with("server", server)
                        .with("delivers", zxid)
                        .with("which is in its log", "no"));
                }
            }
        }
        Ok(())
    }

    fn reset(&mut self) {
        *self = Integrity::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::invariant::Look as _;
    use crate::sim::invariant::testing::{Falsehood, altered, caught, clean, event, lie};

    #[test]
    fn a_healthy_run_is_clean() {
        clean(Integrity::default());
    }

    #[test]
    fn a_transaction_that_nobody_proposed_is_found() {
        caught(
            Integrity::default(),
            lie(|log, _| {
                log.remove(
                    |_, e| matches!(e, EventKind::Proposed { zxid, .. } if zxid.counter() == 4),
                )
            }),
        );
    }

    #[test]
    fn a_transaction_that_was_changed_on_its_way_is_found() {
        let violation = caught(
            Integrity::default(),
            lie(|log, look| {
                let applied = event(log, |server, e| match e {
                    EventKind::Applied { zxid, .. } if zxid.counter() == 6 => Some((server, *zxid)),
                    _ => None,
                });
                let txn = applied.and_then(|(server, zxid)| look.world.txn(server, zxid));
                look.falsehood = applied
                    .zip(txn)
                    .map(|((server, _), txn)| Falsehood::Txn(server, altered(&txn)));
                applied.is_some()
            }),
        );
        assert_eq!(violation.values[2].0, "which was proposed");
    }

    #[test]
    fn one_zxid_for_two_proposals_is_found() {
        caught(
            Integrity::default(),
            lie(|log, _| {
                let Some(again) = event(log, |_, e| {
                    matches!(e, EventKind::Proposed { .. }).then(|| e.clone())
                }) else {
                    return false;
                };
                log.lie(ServerId(2), again);
                true
            }),
        );
    }
}

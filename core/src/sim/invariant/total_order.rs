//! All servers deliver the same transactions in the same order.

use super::{
    Invariant, Step, Violation,
    delivery::{Delivered, same, told},
};
use crate::{
    id::{ServerId, Zxid},
    txn::Txn,
};
use std::{collections::BTreeMap, sync::Arc};

/// A transaction's place in the one sequence, as the first server that delivered it says.
#[derive(Debug)]
struct Link {
    txn: Arc<Txn>,
    by: ServerId,
    /// What was delivered right before it; `None` while nobody can say, because a snapshot covers
    /// it. The beginning is 0.
    before: Option<Zxid>,
    /// What was delivered right after it.
    after: Option<(Zxid, ServerId)>,
}

/// The one sequence of deliveries. Each server's sequence is a part of it: wherever two servers are,
/// what both have delivered is the same up to the end of the shorter. So one chain of links is all
/// that has to be kept, and a delivery is checked against two of them.
#[derive(Debug, Default)]
pub struct TotalOrder {
    chain: BTreeMap<Zxid, Link>,
    /// What comes first of all.
    first: Option<(Zxid, ServerId)>,
    /// The last delivery of each server; `None`: a snapshot of which nobody knows what is last.
    at: BTreeMap<ServerId, Option<Zxid>>,
}

impl TotalOrder {
    fn link(
        &mut self,
        step: &Step<'_>,
        server: ServerId,
        before: Option<Zxid>,
        txn: &Arc<Txn>,
    ) -> Result<(), Violation> {
        let zxid = txn.zxid();
        let link = self.chain.entry(zxid).or_insert_with(|| Link {
            txn: Arc::clone(txn),
            by: server,
            before,
            after: None,
        });
        let by = link.by;
        if !same(&link.txn, txn) {
            let first = told(&link.txn);
            return Err(Violation::new(self, step)
                .with("server", server)
                .with("delivers", told(txn))
                .with("where server", by)
                .with("delivered", first));
        }
        let Some(before) = before else { return Ok(()) };
        let expected = *link.before.get_or_insert(before);
        if expected != before {
            return Err(Violation::new(self, step)
                .with("server", server)
                .with("delivers", zxid)
                .with("right after", before)
                .with("where server", by)
                .with("delivered it right after", expected));
        }
        let after = match self.chain.get_mut(&before) {
            Some(link) => &mut link.after,
            None if before == Zxid::ZERO => &mut self.first,
            None => return Ok(()),
        };
        match *after.get_or_insert((zxid, server)) {
            (next, _) if next == zxid => Ok(()),
            (next, other) => Err(Violation::new(self, step)
                .with("after", before)
                .with("server", server)
                .with("delivers", zxid)
                .with("where server", other)
                .with("delivered", next)),
        }
    }
}

impl Invariant for TotalOrder {
    fn name(&self) -> &'static str {
        "total-order"
    }

    fn sentence(&self) -> &'static str {
        "All servers deliver the same transactions in the same order; one that is behind has \
         delivered the beginning of what the others have."
    }

    fn source(&self) -> &'static str {
        "Zab.tla: PrefixConsistency, Agreement, TotalOrder"
    }

    fn check(&mut self, step: &Step<'_>) -> Result<(), Violation> {
        for delivery in step.deliveries {
            let server = delivery.server;
            match &delivery.what {
                Delivered::History(history) => {
                    let mut before = history.whole.then_some(Zxid::ZERO);
                    for txn in history.log.iter() {
                        self.link(step, server, before, txn)?;
                        before = Some(txn.zxid());
                    }
                    self.at.insert(server, before);
                }
                Delivered::One { txn: Some(txn), .. } => {
                    let before = self.at.insert(server, Some(txn.zxid())).flatten();
                    self.link(step, server, before, txn)?;
                }
                Delivered::One { txn: None, .. } => {}
            }
        }
        Ok(())
    }

    fn reset(&mut self) {
        *self = TotalOrder::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::invariant::Look as _;
    use crate::{
        peer::event::EventKind,
        sim::invariant::testing::{Falsehood, altered, caught, clean, event, lie},
    };

    #[test]
    fn a_healthy_run_is_clean() {
        clean(TotalOrder::default());
    }

    #[test]
    fn a_transaction_that_one_server_leaves_out_is_found() {
        caught(
            TotalOrder::default(),
            lie(|log, _| {
                log.remove(|server, e| {
                    matches!(e, EventKind::Applied { zxid, .. } if server == ServerId(2) && zxid.counter() == 5)
                })
            }),
        );
    }

    #[test]
    fn two_transactions_in_one_place_are_found() {
        caught(
            TotalOrder::default(),
            lie(|log, look| {
                let applied = event(log, |server, e| match e {
                    EventKind::Applied { zxid, .. } if zxid.counter() == 7 => Some((server, *zxid)),
                    _ => None,
                });
                let txn = applied.and_then(|(server, zxid)| look.world.txn(server, zxid));
                look.falsehood = applied
                    .zip(txn)
                    .map(|((server, _), txn)| Falsehood::Txn(server, altered(&txn)));
                applied.is_some()
            }),
        );
    }

    #[test]
    fn a_server_that_begins_to_serve_with_another_history_is_found() {
        caught(
            TotalOrder::default(),
            lie(|log, look| {
                let serving = event(log, |server, e| match e {
                    EventKind::Serving { epoch, .. } if epoch.0 > 1 => Some(server),
                    _ => None,
                });
                if let Some(server) = serving {
                    let mut log = look.world.log(server);
                    let middle = log.len() / 2;
                    log.remove(middle);
                    look.falsehood = Some(Falsehood::Log(server, log));
                }
                serving.is_some()
            }),
        );
    }
}

//! What earlier leaders proposed is delivered before what later leaders proposed.

use super::{Invariant, Step, Violation, delivery::Delivered};
use crate::id::{ServerId, Zxid};
use std::collections::BTreeMap;

/// What each server has delivered last.
#[derive(Debug, Default)]
pub struct GlobalPrimaryOrder {
    delivered: BTreeMap<ServerId, Zxid>,
}

impl GlobalPrimaryOrder {
    fn deliver(&mut self, step: &Step<'_>, server: ServerId, zxid: Zxid) -> Result<(), Violation> {
        let last = self.delivered.insert(server, zxid).unwrap_or_default();
        if zxid > last {
            return Ok(());
        }
        Err(Violation::new(self, step)
            .with("server", server)
            .with("delivers", zxid)
            .with("after", last))
    }
}

impl Invariant for GlobalPrimaryOrder {
    fn name(&self) -> &'static str {
        "global-primary-order"
    }

    fn sentence(&self) -> &'static str {
        "What was proposed in an earlier epoch is delivered before what was proposed in a later one."
    }

    fn source(&self) -> &'static str {
        "Zab.tla: GlobalPrimaryOrder"
    }

    fn check(&mut self, step: &Step<'_>) -> Result<(), Violation> {
        for delivery in step.deliveries {
            let server = delivery.server;
            match &delivery.what {
                Delivered::History(history) => {
                    self.delivered.remove(&server);
                    for txn in history.log.iter() {
                        self.deliver(step, server, txn.zxid())?;
                    }
                    self.delivered.insert(server, history.last);
                }
                Delivered::One { zxid, .. } => self.deliver(step, server, *zxid)?,
            }
        }
        Ok(())
    }

    fn reset(&mut self) {
        *self = GlobalPrimaryOrder::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        id::Epoch,
        peer::event::EventKind,
        sim::invariant::testing::{caught, clean, lie},
    };

    #[test]
    fn a_healthy_run_is_clean() {
        clean(GlobalPrimaryOrder::default());
    }

    #[test]
    fn an_earlier_epoch_after_a_later_one_is_found() {
        caught(
            GlobalPrimaryOrder::default(),
            lie(|log, _| {
                log.change(|_, e| match e {
                    EventKind::Applied { zxid, .. } if zxid.epoch().0 > 1 && zxid.counter() > 1 => {
                        *zxid = Zxid::new(Epoch(1), 2);
                        true
                    }
                    _ => false,
                })
            }),
        );
    }
}

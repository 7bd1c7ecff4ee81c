//! A leader has delivered all of earlier epochs before it proposes anything.

use super::{Invariant, Step, Violation, delivery::Delivered};
use crate::{
    id::{Epoch, ServerId, Zxid},
    peer::event::EventKind,
};
use std::collections::BTreeMap;

/// What each leader had delivered when it proposed for the first time, and what was delivered of
/// each epoch anywhere.
#[derive(Debug, Default)]
pub struct PrimaryIntegrity {
    primaries: BTreeMap<Epoch, (ServerId, Zxid)>,
    newest: BTreeMap<Epoch, (Zxid, ServerId)>,
    delivered: BTreeMap<ServerId, Zxid>,
}

impl PrimaryIntegrity {
    fn violation(
        &self,
        step: &Step<'_>,
        (epoch, leader, had): (Epoch, ServerId, Zxid),
        (zxid, by): (Zxid, ServerId),
    ) -> Violation {
        Violation::new(self, step)
            .with("server", by)
            .with("delivers", zxid)
            .with("but the leader of epoch", epoch)
            .with("server", leader)
            .with("had delivered only up to", had)
            .with("when it began to propose", "")
    }

    fn deliver(&mut self, step: &Step<'_>, server: ServerId, zxid: Zxid) -> Result<(), Violation> {
        let newest = self.newest.entry(zxid.epoch()).or_insert((zxid, server));
        if zxid > newest.0 {
            *newest = (zxid, server);
        }
        match self.primaries.range(zxid.epoch().next()..).next() {
            Some((epoch, (leader, had))) if *had < zxid => {
                Err(self.violation(step, (*epoch, *leader, *had), (zxid, server)))
            }
            Some(_) | None => Ok(()),
        }
    }
}

impl Invariant for PrimaryIntegrity {
    fn name(&self) -> &'static str {
        "primary-integrity"
    }

    fn sentence(&self) -> &'static str {
        "Before a leader proposes, it has delivered everything of earlier epochs that anybody ever \
         delivers."
    }

    fn source(&self) -> &'static str {
        "Zab.tla: PrimaryIntegrity"
    }

    fn check(&mut self, step: &Step<'_>) -> Result<(), Violation> {
        for delivery in step.deliveries {
            let server = delivery.server;
            match &delivery.what {
                Delivered::History(history) => {
                    for (at, txn) in history.log.iter().enumerate() {
                        // The last of each epoch speaks for the rest.
                        let next = history.log.get(at + 1).map(|t| t.zxid().epoch());
                        if next != Some(txn.zxid().epoch()) {
                            self.deliver(step, server, txn.zxid())?;
                        }
                    }
                    self.delivered.insert(server, history.last);
                }
                Delivered::One { zxid, .. } => {
                    self.delivered.insert(server, *zxid);
                    self.deliver(step, server, *zxid)?;
                }
            }
        }
        for (server, event) in step.events() {
            let EventKind::Proposed { zxid, .. } = event else {
                continue;
            };
            let epoch = zxid.epoch();
            if self.primaries.contains_key(&epoch) {
                continue;
            }
            let had = self.delivered.get(&server).copied().unwrap_or_default();
            self.primaries.insert(epoch, (server, had));
            if let Some((_, newest)) = self.newest.range(..epoch).next_back()
                && newest.0 > had
            {
                return Err(self.violation(step, (epoch, server, had), *newest));
            }
        }
        Ok(())
    }

    fn reset(&mut self) {
        *self = PrimaryIntegrity::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::invariant::Look as _;
    use crate::sim::invariant::testing::{Falsehood, caught, clean, event, lie};

    #[test]
    fn a_healthy_run_is_clean() {
        clean(PrimaryIntegrity::default());
    }

    #[test]
    fn a_leader_that_proposes_before_it_has_delivered_all_is_found() {
        caught(
            PrimaryIntegrity::default(),
            lie(|log, look| {
                let established = event(log, |server, e| match e {
                    EventKind::Established { epoch, .. } if epoch.0 > 1 => Some(server),
                    _ => None,
                });
                if let Some(server) = established {
                    let mut log = look.world.log(server);
                    log.pop();
                    look.falsehood = Some(Falsehood::Log(server, log));
                }
                established.is_some()
            }),
        );
    }

    #[test]
    fn a_late_delivery_of_an_earlier_epoch_is_found() {
        caught(
            PrimaryIntegrity::default(),
            lie(|log, _| {
                log.change(|_, e| match e {
                    EventKind::Applied { zxid, .. } if zxid.epoch().0 > 1 && zxid.counter() > 1 => {
                        *zxid = Zxid::new(Epoch(zxid.epoch().0 - 1), 100_000);
                        true
                    }
                    _ => false,
                })
            }),
        );
    }
}

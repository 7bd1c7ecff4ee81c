//! A write that a client was told of is never lost.

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

/// Every write that was answered, and what each leader began with.
#[derive(Debug, Default)]
pub struct AcknowledgedWrites {
    answered: BTreeMap<Epoch, Vec<Arc<Txn>>>,
    leaders: BTreeMap<Epoch, (ServerId, History)>,
}

impl AcknowledgedWrites {
    fn must_have(
        &self,
        step: &Step<'_>,
        leader: ServerId,
        history: &History,
        txn: &Arc<Txn>,
    ) -> Result<(), Violation> {
        let instead = match history.has(txn) {
            Has::It | Has::Covered => return Ok(()),
            Has::Other(other) => told(&other),
            Has::Missing => "nothing".to_owned(),
        };
        Err(Violation::new(self, step)
            .with("a client was told of", told(txn))
            .with("the leader of epoch", history.epoch)
            .with("server", leader)
            .with("has instead", instead))
    }
}

impl Invariant for AcknowledgedWrites {
    fn name(&self) -> &'static str {
        "acknowledged-writes"
    }

    fn sentence(&self) -> &'static str {
        "A write that a client was told of is in the history of every later leader; and the client \
         was told of its own write."
    }

    fn source(&self) -> &'static str {
        "ZooKeeper.md 1.5, 3.12; ZooKeeper's guarantee \"reliability\""
    }

    fn check(&mut self, step: &Step<'_>) -> Result<(), Violation> {
        for delivery in step.deliveries {
            if let Delivered::History(history) = &delivery.what
                && history.leads
            {
                for txn in self
                    .answered
                    .range(..history.epoch)
                    .flat_map(|(_, all)| all)
                {
                    self.must_have(step, delivery.server, history, txn)?;
                }
                self.leaders
                    .insert(history.epoch, (delivery.server, history.clone()));
            }
        }
        for (server, event) in step.events() {
            let EventKind::WriteAnswered {
                session, xid, zxid, ..
            } = event
            else {
                continue;
            };
            let Some(txn) = step.look.txn(server, *zxid) else {
                continue;
            };
            if txn.header.session != *session || txn.header.cxid != *xid {
                return Err(Violation::new(self, step)
                    .with("server", server)
                    .with("answers session", session)
                    .with("request", xid)
                    .with("with the result of", told(&txn)));
            }
            let later = self.leaders.range(zxid.epoch().next()..).next();
            if let Some((_, (leader, history))) = later {
                self.must_have(step, *leader, history, &txn)?;
            }
            self.answered.entry(zxid.epoch()).or_default().push(txn);
        }
        Ok(())
    }

    fn reset(&mut self) {
        *self = AcknowledgedWrites::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::invariant::Look as _;
    use crate::sim::invariant::testing::{Falsehood, caught, clean, event, lie};

    #[test]
    fn a_healthy_run_is_clean() {
        clean(AcknowledgedWrites::default());
    }

    #[test]
    fn a_new_leader_without_an_acknowledged_write_is_found() {
        caught(
            AcknowledgedWrites::default(),
            lie(|log, look| {
                let established = event(log, |server, e| match e {
                    EventKind::Established { epoch, .. } if epoch.0 > 1 => Some(server),
                    _ => None,
                });
                if let Some(server) = established {
                    let mut log = look.world.log(server);
                    log.truncate(log.len() / 2);
                    look.falsehood = Some(Falsehood::Log(server, log));
                }
                established.is_some()
            }),
        );
    }

    #[test]
    fn an_answer_with_another_write_s_result_is_found() {
        caught(
            AcknowledgedWrites::default(),
            lie(|log, _| {
                log.change(|_, e| match e {
                    EventKind::WriteAnswered { zxid, .. } if zxid.counter() > 5 => {
                        zxid.0 -= 1;
                        true
                    }
                    _ => false,
                })
            }),
        );
    }
}

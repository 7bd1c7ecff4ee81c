//! What a server has delivered it never un-delivers.

use super::{Invariant, Step, Violation, delivery::Delivered};
use crate::{
    id::{ServerId, Zxid},
    peer::event::EventKind,
    sim::WorldEventKind,
};
use std::collections::BTreeMap;

/// The newest transaction that each server has delivered in all its lives.
#[derive(Debug, Default)]
pub struct DeliveredStays {
    delivered: BTreeMap<ServerId, Zxid>,
}

impl DeliveredStays {
    fn must_reach(
        &self,
        step: &Step<'_>,
        server: ServerId,
        what: &str,
        to: Zxid,
    ) -> Result<(), Violation> {
        let floor = self.delivered.get(&server).copied().unwrap_or_default();
        if to >= floor {
            return Ok(());
        }
        Err(Violation::new(self, step)
            .with("server", server)
            .with("had delivered", floor)
            .with(what, to))
    }
}

impl Invariant for DeliveredStays {
    fn name(&self) -> &'static str {
        "delivered-stays"
    }

    fn sentence(&self) -> &'static str {
        "What a server has delivered it never loses: not by a crash, not by TRUNC, not by SNAP."
    }

    fn source(&self) -> &'static str {
        "ZooKeeper.md 3.12: a server's delivered sequence never shrinks"
    }

    fn check(&mut self, step: &Step<'_>) -> Result<(), Violation> {
        for event in step.world() {
            if let WorldEventKind::DiskLost { server } = event {
                self.delivered.remove(server);
            }
        }
        for (server, event) in step.events() {
            match event {
                EventKind::Started { last_zxid, .. } => {
                    self.must_reach(step, server, "and starts with", *last_zxid)?;
                }
                EventKind::LogTruncated { to, .. } => {
                    self.must_reach(step, server, "and cuts its log after", *to)?;
                }
                EventKind::SnapshotInstalled { zxid, .. } => {
                    self.must_reach(step, server, "and gets a tree that ends with", *zxid)?;
                }
                _ => {}
            }
        }
        for delivery in step.deliveries {
            let server = delivery.server;
            match &delivery.what {
                Delivered::History(history) => {
                    self.must_reach(step, server, "and serves with", history.last)?;
                    // The beginning of an epoch is no transaction, and on no disk.
                    if !history.last.is_new_epoch() {
                        self.delivered.insert(server, history.last);
                    }
                }
                Delivered::One { zxid, .. } => {
                    self.must_reach(step, server, "and delivers", *zxid)?;
                    self.delivered.insert(server, *zxid);
                }
            }
        }
        Ok(())
    }

    fn reset(&mut self) {
        *self = DeliveredStays::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::invariant::testing::{caught, clean, lie};

    #[test]
    fn a_healthy_run_is_clean() {
        clean(DeliveredStays::default());
    }

    #[test]
    fn a_crash_that_takes_what_clients_saw_is_found() {
        caught(
            DeliveredStays::default(),
            lie(|log, _| {
                log.change(|_, e| match e {
                    EventKind::Started { last_zxid, .. } if last_zxid.counter() > 2 => {
                        last_zxid.0 -= 2;
                        true
                    }
                    _ => false,
                })
            }),
        );
    }

    #[test]
    fn a_truncation_of_what_clients_saw_is_found() {
        caught(
            DeliveredStays::default(),
            lie(|log, _| {
                let truncated = EventKind::LogTruncated {
                    to: Zxid(1 << 32 | 2),
                    first: None,
                    last: None,
                    count: 1,
                };
                let late =
                    log.any(|e| matches!(e, EventKind::Applied { zxid, .. } if zxid.counter() > 9));
                if late {
                    log.lie(ServerId(1), truncated.clone());
                    log.lie(ServerId(2), truncated);
                }
                late
            }),
        );
    }
}

//! Two servers with the same zxid have the same tree.

use super::{Invariant, Step, Violation, delivery::Delivered};
use crate::{
    id::{ServerId, Zxid},
    peer::event::EventKind,
};
use std::collections::BTreeMap;

/// The digest after each transaction, as the first server that applied it says.
#[derive(Debug, Default)]
pub struct Digests {
    after: BTreeMap<Zxid, (u64, ServerId)>,
}

impl Digests {
    fn compare(
        &mut self,
        step: &Step<'_>,
        server: ServerId,
        zxid: Zxid,
        digest: u64,
    ) -> Result<(), Violation> {
        let (first, by) = *self.after.entry(zxid).or_insert((digest, server));
        if first == digest {
            return Ok(());
        }
        Err(Violation::new(self, step)
            .with("after", zxid)
            .with("server", server)
            .with("has digest", format_args!("{digest:016x}"))
            .with("where server", by)
            .with("had", format_args!("{first:016x}")))
    }
}

impl Invariant for Digests {
    fn name(&self) -> &'static str {
        "digests"
    }

    fn sentence(&self) -> &'static str {
        "Servers that have applied the same transactions have the same tree, and it is the one that \
         the leader predicted."
    }

    fn source(&self) -> &'static str {
        "ZooKeeper.md 3.12, 4.7"
    }

    fn check(&mut self, step: &Step<'_>) -> Result<(), Violation> {
        for (server, event) in step.events() {
            match event {
                EventKind::Applied { zxid, digest, .. } => {
                    self.compare(step, server, *zxid, *digest)?;
                }
                EventKind::DigestMismatch {
                    zxid,
                    expected,
                    found,
                } => {
                    return Err(Violation::new(self, step)
                        .with("after", zxid)
                        .with("server", server)
                        .with("has digest", format_args!("{found:016x}"))
                        .with(
                            "where the leader predicted",
                            format_args!("{expected:016x}"),
                        ));
                }
                _ => {}
            }
        }
        for delivery in step.deliveries {
            let Delivered::History(history) = &delivery.what else {
                continue;
            };
            let Some(digest) = history.digest else {
                continue;
            };
            let server = delivery.server;
            if history.last > Zxid::ZERO && !history.last.is_new_epoch() {
                self.compare(step, server, history.last, digest)?;
            }
            // Failures carry no digest and change nothing.
            let predicted = history.log.iter().rev().find_map(|t| t.digest);
            if let Some(expected) = predicted.filter(|p| *p != digest) {
                return Err(Violation::new(self, step)
                    .with("with its history up to", history.last)
                    .with("server", server)
                    .with("has digest", format_args!("{digest:016x}"))
                    .with(
                        "where the leader predicted",
                        format_args!("{expected:016x}"),
                    ));
            }
        }
        Ok(())
    }

    fn reset(&mut self) {
        *self = Digests::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::invariant::testing::{Falsehood, caught, clean, event, lie};

    #[test]
    fn a_healthy_run_is_clean() {
        clean(Digests::default());
    }

    #[test]
    fn a_tree_that_differs_after_the_same_transaction_is_found() {
        caught(
            Digests::default(),
            lie(|log, _| {
                log.change(|_, e| match e {
                    EventKind::Applied { zxid, digest, .. } if zxid.counter() == 5 => {
                        *digest ^= 1;
                        true
                    }
                    _ => false,
                })
            }),
        );
    }

    #[test]
    fn a_server_s_own_alarm_is_heard() {
        caught(
            Digests::default(),
            lie(|log, _| {
                let alarm = EventKind::DigestMismatch {
                    zxid: Zxid(1 << 32 | 1),
                    expected: 1,
                    found: 2,
                };
                log.lie(ServerId(1), alarm);
                true
            }),
        );
    }

    #[test]
    fn a_wrong_tree_after_a_restart_is_found() {
        caught(
            Digests::default(),
            lie(|log, look| {
                let serving = event(log, |server, e| match e {
                    EventKind::Serving { epoch, .. } if epoch.0 > 1 => Some(server),
                    _ => None,
                });
                look.falsehood = serving.map(|server| Falsehood::Digest(server, 7));
                serving.is_some()
            }),
        );
    }
}

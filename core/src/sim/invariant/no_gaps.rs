//! A log has no hole: within an epoch each zxid follows the one before.

use super::{Invariant, Step, Violation};
use crate::{
    id::{ServerId, Zxid},
    peer::event::EventKind,
};
use std::collections::BTreeMap;

/// The end of each log.
#[derive(Debug, Default)]
pub struct NoGaps {
    last: BTreeMap<ServerId, Zxid>,
}

/// Whether `next` may stand behind `last`.
fn follows(last: Zxid, next: Zxid) -> bool {
    if next.epoch() == last.epoch() {
        next.0 == last.0 + 1
    } else {
        next > last && next.counter() == 1
    }
}

impl NoGaps {
    fn gap(&self, step: &Step<'_>, server: ServerId, last: Zxid, next: Zxid) -> Violation {
        Violation::new(self, step)
            .with("in the log of server", server)
            .with("after", last)
            .with("comes", next)
    }
}

impl Invariant for NoGaps {
    fn name(&self) -> &'static str {
        "no-gaps"
    }

    fn sentence(&self) -> &'static str {
        "In every log, within an epoch, each zxid is the one before plus one, and an epoch begins \
         with 1."
    }

    fn source(&self) -> &'static str {
        "ZooKeeper.md 3.5 (3.9.4), trap 3"
    }

    fn check(&mut self, step: &Step<'_>) -> Result<(), Violation> {
        // Cut, replaced or loaded: read it as a whole, once.
        let whole = step.events().find_map(|(server, e)| match e {
            EventKind::Started { .. }
            | EventKind::LogTruncated { .. }
            | EventKind::SnapshotInstalled { .. }
            | EventKind::SteppedDown { .. } => Some(server),
            _ => None,
        });
        if let Some(server) = whole {
            let log = step.look.log(server);
            for pair in log.windows(2) {
                if !follows(pair[0].zxid(), pair[1].zxid()) {
                    return Err(self.gap(step, server, pair[0].zxid(), pair[1].zxid()));
                }
            }
            let last = log
                .last()
                .map_or_else(|| step.look.last_logged(server), |t| t.zxid());
            self.last.insert(server, last);
            return Ok(());
        }
        for (server, event) in step.events() {
            if let EventKind::Logged { zxid } = event {
                let last = self.last.insert(server, *zxid).unwrap_or_default();
                if !follows(last, *zxid) {
                    return Err(self.gap(step, server, last, *zxid));
                }
            }
        }
        Ok(())
    }

    fn reset(&mut self) {
        *self = NoGaps::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::invariant::Look as _;
    use crate::sim::invariant::testing::{Falsehood, caught, clean, event, lie};

    #[test]
    fn a_healthy_run_is_clean() {
        clean(NoGaps::default());
    }

    #[test]
    fn a_transaction_that_was_skipped_is_found() {
        caught(
            NoGaps::default(),
            lie(|log, _| {
                log.change(|_, e| match e {
                    EventKind::Logged { zxid } if zxid.counter() > 3 => {
                        zxid.0 += 1;
                        true
                    }
                    _ => false,
                })
            }),
        );
    }

    #[test]
    fn a_hole_that_is_loaded_from_disk_is_found() {
        caught(
            NoGaps::default(),
            lie(|log, look| {
                let started = event(log, |server, e| match e {
                    EventKind::Started { last_zxid, .. } if last_zxid.counter() > 4 => Some(server),
                    _ => None,
                });
                if let Some(server) = started {
                    let mut log = look.world.log(server);
                    log.remove(log.len() - 2);
                    look.falsehood = Some(Falsehood::Log(server, log));
                }
                started.is_some()
            }),
        );
    }
}

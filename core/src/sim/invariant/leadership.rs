//! An epoch has at most one leader, in all of history.

use super::{Invariant, Step, Violation};
use crate::{
    id::{Epoch, ServerId},
    peer::event::EventKind,
};
use std::collections::BTreeMap;

/// Who was established in each epoch.
#[derive(Debug, Default)]
pub struct Leadership {
    leaders: BTreeMap<Epoch, ServerId>,
}

impl Invariant for Leadership {
    fn name(&self) -> &'static str {
        "leadership"
    }

    fn sentence(&self) -> &'static str {
        "An epoch has one leader at most, once and for all."
    }

    fn source(&self) -> &'static str {
        "Zab.tla: Leadership1, Leadership2"
    }

    fn check(&mut self, step: &Step<'_>) -> Result<(), Violation> {
        for (server, event) in step.events() {
            let EventKind::Established { epoch, .. } = event else {
                continue;
            };
            // A second time is wrong for the same server too: a new reign is a new epoch.
            if let Some(first) = self.leaders.insert(*epoch, server) {
                return Err(Violation::new(self, step)
                    .with("epoch", epoch)
                    .with("its leader was server", first)
                    .with("and now server", server));
            }
        }
        Ok(())
    }

    fn reset(&mut self) {
        *self = Leadership::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::invariant::testing::{caught, clean, event, lie};

    #[test]
    fn a_healthy_run_is_clean() {
        clean(Leadership::default());
    }

    #[test]
    fn a_second_leader_of_an_epoch_is_found() {
        let violation = caught(
            Leadership::default(),
            lie(|log, _| {
                let Some((server, epoch)) = event(log, |server, e| match e {
                    EventKind::Established { epoch, .. } => Some((server, *epoch)),
                    _ => None,
                }) else {
                    return false;
                };
                log.lie(
                    ServerId(server.0 % 3 + 1),
                    EventKind::Established { epoch, with: 2 },
                );
                true
            }),
        );
        assert_eq!(violation.values[0].0, "epoch");
    }
}

//! Epochs only grow, in memory and on disk, and currentEpoch never overtakes acceptedEpoch.

use super::{Invariant, Step, Violation, look::EpochFiles};
use crate::{
    id::{Epoch, ServerId},
    peer::event::EventKind,
    sim::WorldEventKind,
};
use std::collections::BTreeMap;

/// What was seen of each server's epochs.
#[derive(Debug, Default)]
pub struct Epochs {
    files: BTreeMap<ServerId, EpochFiles>,
    accepted: BTreeMap<ServerId, Epoch>,
}

impl Epochs {
    fn files(&mut self, step: &Step<'_>, server: ServerId) -> Result<(), Violation> {
        let now = step.look.epochs(server);
        let before = self.files.insert(server, now).unwrap_or_default();
        let told = |e: Option<Epoch>| e.map_or_else(|| "none".to_owned(), |e| e.to_string());
        let wrong = now.current > now.accepted
            || now.accepted < before.accepted
            || now.current < before.current;
        if wrong {
            return Err(Violation::new(self, step)
                .with("server", server)
                .with("acceptedEpoch on disk", told(now.accepted))
                .with("before", told(before.accepted))
                .with("currentEpoch on disk", told(now.current))
                .with("before", told(before.current)));
        }
        Ok(())
    }
}

impl Invariant for Epochs {
    fn name(&self) -> &'static str {
        "epochs"
    }

    fn sentence(&self) -> &'static str {
        "A server's epochs never go back, not even by a crash, and it never claims the history of \
         an epoch that it has not accepted."
    }

    fn source(&self) -> &'static str {
        "ZooKeeper.md 3.8, 3.12"
    }

    fn check(&mut self, step: &Step<'_>) -> Result<(), Violation> {
        for (server, event) in step.events() {
            match event {
                EventKind::AcceptedEpochSet { old, new } => {
                    self.accepted.insert(server, *new);
                    if new <= old {
                        return Err(Violation::new(self, step)
                            .with("server", server)
                            .with("acceptedEpoch was", old)
                            .with("and becomes", new));
                    }
                }
                EventKind::CurrentEpochSet { old, new } => {
                    let accepted = self.accepted.get(&server).copied().unwrap_or_default();
                    if new < old || *new > accepted {
                        return Err(Violation::new(self, step)
                            .with("server", server)
                            .with("currentEpoch was", old)
                            .with("and becomes", new)
                            .with("acceptedEpoch is", accepted));
                    }
                }
                EventKind::Started {
                    current_epoch,
                    accepted_epoch,
                    ..
                } => {
                    self.accepted.insert(server, *accepted_epoch);
                    if current_epoch > accepted_epoch {
                        return Err(Violation::new(self, step)
                            .with("server", server)
                            .with("currentEpoch at its start", current_epoch)
                            .with("acceptedEpoch at its start", accepted_epoch));
                    }
                    self.files(step, server)?;
                }
                EventKind::DiskSynced { .. } => self.files(step, server)?,
                _ => {}
            }
        }
        for event in step.world() {
            match event {
                WorldEventKind::DiskLost { server } => {
                    self.files.remove(server);
                }
                WorldEventKind::Crashed { server, .. } => self.files(step, *server)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn reset(&mut self) {
        *self = Epochs::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::invariant::testing::{Falsehood, caught, clean, event, lie};

    #[test]
    fn a_healthy_run_is_clean() {
        clean(Epochs::default());
    }

    #[test]
    fn an_accepted_epoch_that_goes_back_is_found() {
        caught(
            Epochs::default(),
            lie(|log, _| {
                log.change(|_, e| match e {
                    EventKind::AcceptedEpochSet { old, new } if new.0 > 1 => {
                        *new = Epoch(old.0 - 1);
                        true
                    }
                    _ => false,
                })
            }),
        );
    }

    #[test]
    fn a_history_of_an_epoch_that_was_not_accepted_is_found() {
        caught(
            Epochs::default(),
            lie(|log, _| {
                log.change(|_, e| match e {
                    EventKind::CurrentEpochSet { new, .. } => {
                        *new = Epoch(new.0 + 1);
                        true
                    }
                    _ => false,
                })
            }),
        );
    }

    #[test]
    fn an_epoch_file_that_a_crash_takes_back_is_found() {
        caught(
            Epochs::default(),
            lie(|log, look| {
                let restarted = event(log, |server, e| match e {
                    EventKind::Started { current_epoch, .. } if current_epoch.0 > 0 => Some(server),
                    _ => None,
                });
                if let Some(server) = restarted {
                    look.falsehood = Some(Falsehood::Epochs(
                        server,
                        EpochFiles {
                            accepted: Some(Epoch(1)),
                            current: Some(Epoch(0)),
                        },
                    ));
                }
                restarted.is_some()
            }),
        );
    }
}

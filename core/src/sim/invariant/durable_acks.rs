//! What a server has acknowledged, a crash can't take from it.

use super::{Invariant, Look, Step, Violation};
use crate::{
    id::{ConnId, Epoch, ServerId, Zxid},
    message::MessageKind,
    peer::event::{EventKind, SyncMode},
    sim::{InputSummary, WorldEventKind},
};
use std::collections::BTreeMap;

/// What each server has promised.
#[derive(Debug, Default)]
pub struct DurableAcks {
    /// The history that a learner, or a leader, has declared to be an epoch's: its epoch and end.
    histories: BTreeMap<ServerId, (Epoch, Zxid)>,
    /// The epoch that was accepted on a connection.
    accepted: BTreeMap<(ServerId, ConnId), Epoch>,
    /// The newest transaction that a server has acknowledged and not cut since.
    acked: BTreeMap<ServerId, Zxid>,
}

impl DurableAcks {
    fn leaves(&mut self, step: &Step<'_>) -> Result<(), Violation> {
        // What was lost at once, because its connection is closed, has told nobody anything.
        let left = step.log.sent.iter().filter(|s| s.arrives_at.is_some());
        for sent in left {
            let Some(zxid) = sent.zxid else { continue };
            let (from, look) = (sent.from, step.look);
            match sent.kind {
                MessageKind::Ack if !zxid.is_new_epoch() => {
                    if !look.is_durable(from, zxid) {
                        return Err(self.not_there(step, "ACK", from, zxid));
                    }
                    let acked = self.acked.entry(from).or_default();
                    *acked = zxid.max(*acked);
                }
                MessageKind::Ack => self.history(step, from, zxid.epoch())?,
                MessageKind::LeaderInfo => {
                    let disk = look.epochs(from).accepted;
                    if disk < Some(zxid.epoch()) {
                        return Err(self.no_epoch(step, "LEADERINFO", from, zxid.epoch(), disk));
                    }
                }
                MessageKind::AckEpoch => {
                    let promised = sent
                        .conn
                        .and_then(|conn| self.accepted.remove(&(from, conn)));
                    let disk = look.epochs(from).accepted;
                    if let Some(promised) = promised.filter(|p| disk < Some(*p)) {
                        return Err(self.no_epoch(step, "ACKEPOCH", from, promised, disk));
                    }
                    if zxid > Zxid::ZERO && !zxid.is_new_epoch() && !look.is_durable(from, zxid) {
                        return Err(self.not_there(step, "ACKEPOCH", from, zxid));
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The ACK of NEWLEADER: the whole history, then the epoch.
    fn history(&self, step: &Step<'_>, from: ServerId, epoch: Epoch) -> Result<(), Violation> {
        let disk = step.look.epochs(from).current;
        if disk < Some(epoch) {
            return Err(self.no_epoch(step, "ACK of NEWLEADER", from, epoch, disk));
        }
        match self.histories.get(&from) {
            Some((of, last)) if *of == epoch => {
                if step.look.is_durable(from, *last) {
                    Ok(())
                } else {
                    Err(self.not_there(step, "ACK of NEWLEADER", from, *last))
                }
            }
            Some(_) | None => Err(Violation::new(self, step)
                .with("server", from)
                .with("acknowledges the history of epoch", epoch)
                .with("which it has", "not declared complete")),
        }
    }

    fn not_there(&self, step: &Step<'_>, what: &str, server: ServerId, zxid: Zxid) -> Violation {
        Violation::new(self, step)
            .with("server", server)
            .with("sends or counts its", what)
            .with("which speaks for", zxid)
            .with("that zxid is on its disk", "no")
    }

    fn no_epoch(
        &self,
        step: &Step<'_>,
        what: &str,
        server: ServerId,
        epoch: Epoch,
        disk: Option<Epoch>,
    ) -> Violation {
        Violation::new(self, step)
            .with("server", server)
            .with("sends or counts its", what)
            .with("for epoch", epoch)
            .with(
                "on its disk is epoch",
                disk.map_or_else(|| "none".to_owned(), |e| e.to_string()),
            )
    }
}

/// The last that a server has of what is not after `end`: that may be the beginning of an epoch, which is no
/// transaction.
fn last_up_to(look: &dyn Look, server: ServerId, end: Zxid) -> Zxid {
    if !end.is_new_epoch() {
        return end;
    }
    let log = look.log(server);
    let logged = log.iter().rev().map(|t| t.zxid()).find(|z| *z <= end);
    let covered = look.newest_snapshot(server).filter(|z| *z <= end);
    logged.max(covered).unwrap_or_default()
}

impl Invariant for DurableAcks {
    fn name(&self) -> &'static str {
        "durable-acks"
    }

    fn sentence(&self) -> &'static str {
        "When an acknowledgement leaves a server, everything that it speaks for is on that server's \
         disk, and no crash takes it away."
    }

    fn source(&self) -> &'static str {
        "ZooKeeper.md 3.5, 3.12; ZOOKEEPER-3911, 4643, 4646"
    }

    fn check(&mut self, step: &Step<'_>) -> Result<(), Violation> {
        // Messages that waited for the disk leave before the server does anything.
        self.leaves(step)?;
        for (server, event) in step.events() {
            match event {
                EventKind::HistoryComplete { epoch, last_zxid } => {
                    self.histories.insert(server, (*epoch, *last_zxid));
                }
                EventKind::EpochAcked { epoch, .. } => {
                    if let Some(InputSummary::Message {
                        conn: Some(conn), ..
                    }) = step.log.input
                    {
                        self.accepted.insert((server, conn), *epoch);
                    }
                }
                EventKind::AckCounted { zxid, from, .. } if *from == server => {
                    if !step.look.is_durable(server, *zxid) {
                        return Err(self.not_there(step, "own ACK", server, *zxid));
                    }
                    self.acked.insert(server, *zxid);
                }
                EventKind::NewLeaderAckCounted { from, .. } if *from == server => {
                    // Its history is its log as it was when it took the epoch.
                    let files = step.look.epochs(server);
                    if files.current < files.accepted {
                        return Err(self.no_epoch(
                            step,
                            "own ACK of NEWLEADER",
                            server,
                            files.accepted.unwrap_or_default(),
                            files.current,
                        ));
                    }
                }
                EventKind::SyncStarted {
                    mode: SyncMode::Trunc,
                    zxid: end,
                    ..
                }
                | EventKind::LogTruncated { to: end, .. } => {
                    // The leader decides what is history; it was asked before. From its word on: the
                    // disk may be cut and the power fail before the server hears of it.
                    if let Some(acked) = self.acked.get_mut(&server) {
                        *acked = (*acked).min(last_up_to(step.look, server, *end));
                    }
                }
                EventKind::SnapshotInstalled { zxid: end, .. } => {
                    if let Some(acked) = self.acked.get_mut(&server) {
                        *acked = (*acked).min(*end);
                    }
                }
                EventKind::Started { last_zxid, .. } => {
                    // One that has acknowledged nothing may also start with nothing, not even 0.
                    if let Some(acked) =
                        self.acked.get(&server).filter(|acked| *last_zxid < **acked)
                    {
                        return Err(Violation::new(self, step)
                            .with("server", server)
                            .with("had acknowledged", acked)
                            .with("and starts with", last_zxid));
                    }
                }
                _ => {}
            }
        }
        for event in step.world() {
            if let WorldEventKind::DiskLost { server } = event {
                self.acked.remove(server);
            }
        }
        Ok(())
    }

    fn reset(&mut self) {
        *self = DurableAcks::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::invariant::testing::{Falsehood, caught, clean, lie};

    #[test]
    fn a_healthy_run_is_clean() {
        clean(DurableAcks::default());
    }

    #[test]
    fn an_ack_of_a_proposal_before_the_fsync_is_found() {
        caught(
            DurableAcks::default(),
            lie(|log, look| {
                let ack = log.sent().find_map(|s| match (s.kind, s.zxid) {
                    (MessageKind::Ack, Some(z)) if !z.is_new_epoch() => Some((s.from, z)),
                    _ => None,
                });
                look.falsehood = ack.map(|(server, zxid)| Falsehood::NotDurable(server, zxid));
                ack.is_some()
            }),
        );
    }

    #[test]
    fn an_ack_of_newleader_before_the_epoch_is_on_disk_is_found() {
        let violation = caught(
            DurableAcks::default(),
            lie(|log, look| {
                let ack = log.sent().find_map(|s| match (s.kind, s.zxid) {
                    (MessageKind::Ack, Some(z)) if z.is_new_epoch() => Some((s.from, z.epoch())),
                    _ => None,
                });
                look.falsehood = ack.map(|(server, epoch)| {
                    let mut files = look.world.epochs(server);
                    files.current = Some(Epoch(epoch.0 - 1));
                    Falsehood::Epochs(server, files)
                });
                ack.is_some()
            }),
        );
        assert!(
            violation
                .values
                .iter()
                .any(|(_, v)| v == "ACK of NEWLEADER")
        );
    }

    #[test]
    fn a_crash_that_takes_what_was_acknowledged_is_found() {
        caught(
            DurableAcks::default(),
            lie(|log, _| {
                log.change(|_, e| match e {
                    EventKind::Started { last_zxid, .. } if last_zxid.counter() > 1 => {
                        last_zxid.0 -= 1;
                        true
                    }
                    _ => false,
                })
            }),
        );
    }
}

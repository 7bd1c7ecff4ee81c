//! What of a run is told, and where on the scrubber it stands: an index over the records that grows
//! with them, so that no view has to read the whole run again.

use crate::text::{Importance, importance};
use zabscope_core::{
    id::{Epoch, ServerId},
    peer::event::EventKind,
    sim::{Fact, Record, Records, WorldEventKind},
};

/// A record that is worth telling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Told {
    /// Its index among the records of the branch.
    pub index: usize,
    /// Its step.
    pub step: u64,
    /// How much it matters.
    pub importance: Importance,
}

/// What a mark on the scrubber stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MarkKind {
    /// From here on nobody leads.
    Nobody,
    /// From here on this epoch is established, under this leader.
    Epoch(Epoch, ServerId),
    /// Something was broken.
    Fault,
    /// Something was mended.
    Mended,
}

/// A mark on the scrubber.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The record that it stands for.
    pub index: usize,
    /// Its step.
    pub step: u64,
    /// What.
    pub kind: MarkKind,
}

/// The index.
#[derive(Clone, Debug, Default)]
pub struct Track {
    told: Vec<Told>,
    marks: Vec<Mark>,
}

impl Track {
    /// Takes in the records that are new.
    pub fn extend(&mut self, records: &Records<'_>) {
        let mut start = 0;
        for part in records.parts() {
            let known = self.told.len();
            for (at, record) in part.iter().enumerate().skip(known.saturating_sub(start)) {
                self.take(start + at, record);
            }
            start += part.len();
        }
    }

    fn take(&mut self, index: usize, record: &Record) {
        self.told.push(Told {
            index,
            step: record.step,
            importance: importance(&record.source),
        });
        for kind in self.kinds(&record.source).into_iter().flatten() {
            self.marks.push(Mark {
                index,
                step: record.step,
                kind,
            });
        }
    }

    /// Forgets what comes after the first `len` records.
    pub fn truncate(&mut self, len: usize) {
        self.told.truncate(len);
        self.marks.retain(|m| m.index < len);
    }

    fn leader(&self) -> Option<ServerId> {
        self.marks.iter().rev().find_map(|m| match m.kind {
            MarkKind::Epoch(_, leader) => Some(Some(leader)),
            MarkKind::Nobody => Some(None),
            MarkKind::Fault | MarkKind::Mended => None,
        })?
    }

    fn kinds(&self, fact: &Fact) -> [Option<MarkKind>; 2] {
        let over = |server| (self.leader() == Some(server)).then_some(MarkKind::Nobody);
        match fact {
            Fact::Peer(event) => match &event.kind {
                EventKind::Established { epoch, .. } => {
                    [Some(MarkKind::Epoch(*epoch, event.id.server)), None]
                }
                EventKind::SteppedDown { .. } => [over(event.id.server), None],
                _ => [None, None],
            },
            Fact::World(event) => match &event.kind {
                WorldEventKind::Crashed { server, .. } => [Some(MarkKind::Fault), over(*server)],
                WorldEventKind::Paused { .. }
                | WorldEventKind::DiskLost { .. }
                | WorldEventKind::LinkCut { .. }
                | WorldEventKind::DirectionCut { .. }
                | WorldEventKind::Partitioned { .. } => [Some(MarkKind::Fault), None],
                WorldEventKind::RulesSet { rules } if !rules.all_hold() => {
                    [Some(MarkKind::Fault), None]
                }
                WorldEventKind::Restarted { .. }
                | WorldEventKind::Resumed { .. }
                | WorldEventKind::LinkHealed { .. }
                | WorldEventKind::AllHealed => [Some(MarkKind::Mended), None],
                _ => [None, None],
            },
        }
    }

    /// All that was taken in, with its importance, in order.
    #[must_use]
    pub fn told(&self) -> &[Told] {
        &self.told
    }

    /// The marks, in order of their steps.
    #[must_use]
    pub fn marks(&self) -> &[Mark] {
        &self.marks
    }

    /// The last one before record `index` that matters at least so much.
    #[must_use]
    pub fn before(&self, index: usize, least: Importance) -> Option<Told> {
        let end = index.min(self.told.len());
        self.told[..end]
            .iter()
            .rev()
            .find(|t| t.importance >= least)
            .copied()
    }

    /// The first one from record `index` on, and before record `end`, that matters at least so much.
    #[must_use]
    pub fn after(&self, index: usize, end: usize, least: Importance) -> Option<Told> {
        let end = end.min(self.told.len());
        self.told
            .get(index..end)?
            .iter()
            .find(|t| t.importance >= least)
            .copied()
    }
}

//! Moments that are kept: a run's bookmarks; and what else a run knows of its moments and branches.

use super::run::Run;
use crate::scene::{diagram::Carried, read::client_message, sight::End};
use zabscope_core::{
    sim::{
        ClientPacket,
        history::{
            branches::{Spot, turns},
            sharing::MAX_BOOKMARKS,
        },
    },
    time::Moment,
};

/// So many are kept.
pub const MOST: usize = MAX_BOOKMARKS;
/// A name has at most so many characters.
pub const NAME: usize = 40;

/// A moment with a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bookmark {
    /// Its number in this run.
    pub no: u32,
    /// Where it is.
    pub spot: Spot,
    /// In virtual time.
    pub at: Moment,
    /// What it is called; empty: by its moment.
    pub name: String,
}

fn clean(name: &str) -> String {
    let name = name
        .trim()
        .chars()
        .filter(|c| !c.is_control() && !turns(*c));
    name.take(NAME).collect()
}

impl Run {
    /// The bookmarks, in the order in which they were made.
    #[must_use]
    pub fn bookmarks(&self) -> &[Bookmark] {
        &self.bookmarks
    }

    /// Keeps the moment at the cursor. False: there are too many already. A moment is kept once.
    pub(super) fn add_bookmark(&mut self, name: &str) -> bool {
        self.mark(self.history().here(), name)
    }

    /// Keeps a moment of any branch.
    pub(super) fn mark(&mut self, spot: Spot, name: &str) -> bool {
        let Some(at) = self.history().time_of(spot) else {
            return false;
        };
        let there = self.bookmarks.iter().any(|b| b.spot == spot);
        if there || self.bookmarks.len() >= MOST {
            return there;
        }
        let no = self.bookmarks.last().map_or(1, |b| b.no + 1);
        self.bookmarks.push(Bookmark {
            no,
            spot,
            at,
            name: clean(name),
        });
        true
    }

    pub(super) fn name_bookmark(&mut self, no: u32, name: &str) {
        if let Some(bookmark) = self.bookmarks.iter_mut().find(|b| b.no == no) {
            bookmark.name = clean(name);
        }
    }

    pub(super) fn forget_bookmark(&mut self, no: u32) {
        self.bookmarks.retain(|b| b.no != no);
    }

    pub(super) fn visit_bookmark(&mut self, no: u32) {
        let found = self.bookmarks.iter().find(|b| b.no == no);
        if let Some(spot) = found.map(|b| b.spot) {
            self.with(|history| history.visit_spot(spot));
        }
    }

    /// The last step at or before a moment of virtual time, in µs.
    #[must_use]
    pub fn step_at(&self, at: u64) -> u64 {
        let records = self.history().all_records();
        let mut step = 0;
        for part in records.parts() {
            let before = part.partition_point(|r| r.at.0 <= at);
            if let Some(last) = before.checked_sub(1).and_then(|i| part.get(i)) {
                step = last.step;
            }
        }
        step
    }

    /// The step after which a message of the diagram is under way, as near to a moment as it can be; after
    /// which it is lost, if it is.
    #[must_use]
    pub(super) fn message_moment(&self, arrow: u32, at: u64) -> Option<u64> {
        let index = self.diagram();
        let arrow = index.arrows().get(arrow as usize)?;
        let records = self.history().all_records();
        let ends = arrow
            .done
            .and_then(|r| records.get(r as usize))
            .map(|r| r.step);
        let left = self.step_at(arrow.sent);
        Some(match (arrow.fate, ends) {
            (crate::scene::diagram::Fate::Lost, Some(end)) => end,
            (_, Some(end)) => self
                .step_at(at)
                .clamp(left, end.saturating_sub(1).max(left)),
            (_, None) => self.step_at(at).max(left),
        })
    }

    /// The number by which a message of the diagram is known, if it is under way at the cursor or was
    /// lost a short time ago.
    #[must_use]
    pub fn message_number(&self, arrow: u32) -> Option<u64> {
        let index = self.diagram();
        let arrow = index.arrows().get(arrow as usize)?;
        let end = |lane: u16| index.lanes().get(usize::from(lane)).map(|l| l.end);
        let (from, to) = (end(arrow.from)?, end(arrow.to)?);
        let world = self.world();
        match (from, to, arrow.what) {
            (End::Server(from), End::Server(to), Carried::Packet(kind)) => {
                let flying = world.in_flight().find(|m| {
                    (m.from(), m.to(), m.sent_at.0) == (from, to, arrow.sent)
                        && m.envelope.message.kind() == kind
                        && (m.arrives_at.0 == arrow.arrives || arrow.done.is_none())
                });
                let lost = || {
                    world.dropped().rev().find(|d| {
                        let e = &d.envelope;
                        (e.from, e.to, e.message.kind()) == (from, to, kind)
                            && d.cut_at.0 == arrow.end
                    })
                };
                flying.map(|m| m.number).or_else(|| Some(lost()?.number))
            }
            (End::Client(client), End::Server(server), _)
            | (End::Server(server), End::Client(client), _) => {
                let up = matches!(from, End::Client(_));
                let mut flights = world.client_flights();
                let found = flights.find(|f| {
                    (f.client, f.server, f.sent_at.0) == (client, server, arrow.sent)
                        && f.packet.goes_to_server() == up
                        && matches!(f.packet, ClientPacket::Connect(_))
                            == (arrow.what == Carried::Connect)
                });
                found.map(|f| client_message(&f))
            }
            _ => None,
        }
    }

    /// The message of the diagram that has this number at the cursor.
    #[must_use]
    pub fn message_arrow(&self, number: u64) -> Option<u32> {
        let world = self.world();
        let index = self.diagram();
        if let Some(m) = world.in_flight().find(|m| m.number == number) {
            let what = Carried::Packet(m.envelope.message.kind());
            let ends = (End::Server(m.from()), End::Server(m.to()));
            return index.find(ends.0, ends.1, m.sent_at.0, |a| a.what == what);
        }
        if let Some(d) = world.dropped().find(|d| d.number == number) {
            let what = Carried::Packet(d.envelope.message.kind());
            let ends = (End::Server(d.envelope.from), End::Server(d.envelope.to));
            return index.find(ends.0, ends.1, d.sent_at.0, |a| a.what == what);
        }
        let mut flights = world.client_flights();
        let f = flights.find(|f| client_message(f) == number)?;
        let (client, server) = (End::Client(f.client), End::Server(f.server));
        match f.packet.goes_to_server() {
            true => index.find(client, server, f.sent_at.0, |_| true),
            false => index.find(server, client, f.sent_at.0, |_| true),
        }
    }
}

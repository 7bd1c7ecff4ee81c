//! The one card: which is shown, and what is on it.
//!
//! Calm rules. What is selected decides; with nothing selected, the last thing that happened and is
//! still going on. There is never more than one card, always in the same place, and when there is
//! nothing to compare it explains how to read the stage.
//!
//! A card is a list of [`Item`]s with their places, made in `votes`, `epochs`, `logs`,
//! `proposals`, `reading` and `legend`.

mod epochs;
mod legend;
mod logs;
mod pen;
mod proposals;
mod reading;
mod votes;

pub use pen::{Align, Block, BlockLook, Item, Motion, Slot, Tally, TallyNotch, Text, TextInk};

use crate::scene::{
    Pick,
    geometry::Rect,
    place::Places,
    sight::{self, Role, ServerSight, Sight, SyncStage, Topic},
    words::Lang,
};
use zabscope_core::{id::ServerId, peer::event::Phase};

/// A card.
#[derive(Clone, Debug, PartialEq)]
pub struct Card {
    /// What it is about.
    pub kind: Kind,
    /// Where it is.
    pub boxed: Rect,
    /// Its first line; also its accessible name.
    pub title: String,
    /// To the right of the title.
    pub aside: String,
    /// What is on it.
    pub items: Vec<Item>,
}

/// The kinds of card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Two votes, one above the other, and the tally.
    Votes(ServerId),
    /// Epochs that a leader gathers.
    Epochs,
    /// Two logs, one above the other.
    Logs(ServerId),
    /// Proposals with their ACKs.
    Proposals,
    /// A stale read.
    Reading,
    /// How to read the stage.
    Legend,
}

impl Kind {
    /// For `data-card`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Votes(_) => "votes",
            Kind::Epochs => "epochs",
            Kind::Logs(_) => "logs",
            Kind::Proposals => "proposals",
            Kind::Reading => "reading",
            Kind::Legend => "legend",
        }
    }
}

/// Chooses the kind of card.
#[must_use]
pub fn choose(sight: &Sight, pick: &Pick) -> Kind {
    let of_server = |id: ServerId| {
        let s = sight.servers.iter().find(|s| s.id == id)?;
        for_server(sight, s)
    };
    let picked = match pick {
        Pick::Server(id) => of_server(*id),
        Pick::Client(no) => sight
            .stale
            .as_ref()
            .filter(|r| r.client == *no)
            .map(|_| Kind::Reading),
        Pick::Znode(path) => {
            let read = sight.stale.as_ref().and_then(|r| r.path.as_deref());
            let written = |p: &sight::ProposalSight| p.path.as_deref() == Some(path);
            if read == Some(path) {
                Some(Kind::Reading)
            } else {
                let any = sight.proposals.iter().any(written);
                any.then_some(Kind::Proposals)
            }
        }
        Pick::Nothing | Pick::Link(..) | Pick::Message(_) => None,
    };
    picked.or_else(|| latest(sight)).unwrap_or(Kind::Legend)
}

fn for_server(sight: &Sight, s: &ServerSight) -> Option<Kind> {
    match (s.role, s.phase) {
        (Role::Looking, _) if s.voter => Some(Kind::Votes(s.id)),
        (Role::Down | Role::Looking, _) | (_, Phase::Election) => None,
        (_, Phase::Discovery) => sight.discovery.as_ref().map(|_| Kind::Epochs),
        (_, Phase::Synchronisation) => sight
            .syncs
            .iter()
            .rev()
            .find(|y| y.learner == s.id || y.leader == s.id)
            .map(|y| Kind::Logs(y.learner))
            .or(sight.discovery.as_ref().map(|_| Kind::Epochs)),
        (_, Phase::Broadcast) => {
            (s.role == Role::Leading || s.leader.is_some()).then_some(Kind::Proposals)
        }
    }
    .filter(|k| *k != Kind::Proposals || !sight.proposals.is_empty())
}

fn latest(sight: &Sight) -> Option<Kind> {
    match sight.latest? {
        Topic::Votes(id) => Some(Kind::Votes(id)),
        Topic::Discovery => sight.discovery.as_ref().map(|_| Kind::Epochs),
        Topic::Sync(id) => sight
            .syncs
            .iter()
            .any(|y| y.learner == id)
            .then_some(Kind::Logs(id)),
        Topic::Stale => sight.stale.as_ref().map(|_| Kind::Reading),
        Topic::Proposals => {
            // Whoever is being synchronised goes on being shown: that ends by itself, soon.
            let syncing = sight
                .syncs
                .iter()
                .rev()
                .find(|y| y.stage < SyncStage::Serving);
            match syncing {
                Some(y) => Some(Kind::Logs(y.learner)),
                None => (!sight.proposals.is_empty()).then_some(Kind::Proposals),
            }
        }
    }
}

/// Makes the card.
#[must_use]
pub fn card(sight: &Sight, places: &Places, pick: &Pick, lang: Lang) -> Card {
    let kind = choose(sight, pick);
    let mut pen = pen::Pen::new(places.card, places.compact, lang);
    let made = match kind {
        Kind::Votes(id) => votes::draw(sight, id, &mut pen),
        Kind::Epochs => epochs::draw(sight, &mut pen),
        Kind::Logs(id) => logs::draw(sight, id, &mut pen),
        Kind::Proposals => proposals::draw(sight, pick, &mut pen),
        Kind::Reading => reading::draw(sight, &mut pen),
        Kind::Legend => None,
    };
    match made {
        Some((title, aside)) => pen.card(kind, title, aside),
        None => {
            let mut pen = pen::Pen::new(places.card, places.compact, lang);
            let (title, aside) = legend::draw(&mut pen);
            pen.card(Kind::Legend, title, aside)
        }
    }
}

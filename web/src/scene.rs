//! What stands where on the stage, as plain data: a pure function of one moment of a world, of what is
//! selected, of the language and of the room there is. The components of [`crate::view::stage`] draw
//! it without deciding anything; tests look at it without a browser.
//!
//! * [`sight`]: what is seen of a world; [`read`]: from the simulator. * [`place`]: where servers, clients and the card stand.
//! * [`glyph`]: how a server, a plate, a ballot look. * [`traffic`]: links and messages.
//! * [`diagram`]: the space-time diagram.
//! * [`card`]: which one card is shown, and what is on it. * [`words`]: every text, in each language.
//!
//! Two zones, so that nothing ever covers a server: the ring of servers, and one card beside it (on a
//! phone below it). Both keep their place whatever happens.

pub mod card;
pub mod diagram;
pub mod geometry;
pub mod glyph;
pub mod place;
pub mod read;
pub mod sight;
pub mod traffic;
pub mod words;

use crate::scene::{
    card::Card,
    geometry::{Pt, Rect},
    glyph::{ClientGlyph, ServerGlyph},
    place::{Frame, Places},
    sight::{End, Sight},
    traffic::{LinkLine, MessageGlyph, Tag, Wall},
    words::Lang,
};
use std::{collections::BTreeSet, rc::Rc};
use zabscope_core::{id::ServerId, time::Moment};

pub use crate::state::Selection as Pick;

/// All that is drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct Scene {
    /// The moment: where messages stand when nothing moves them on.
    pub now: Moment,
    /// Width of the viewBox.
    pub width: f64,
    /// Its height; at least the frame's, more when that is too low for all there is.
    pub height: f64,
    /// Everything is smaller and touch targets are larger.
    pub compact: bool,
    /// Links, those at fault last.
    pub links: Vec<LinkLine>,
    /// Walls between the parts of a partition.
    pub walls: Vec<Wall>,
    /// Clients and their tethers.
    pub clients: Vec<ClientGlyph>,
    /// Servers in order of id.
    pub servers: Vec<ServerGlyph>,
    /// Messages, oldest first.
    pub messages: Vec<Rc<MessageGlyph>>,
    /// Slow links and disks.
    pub tags: Vec<Tag>,
    /// The one card.
    pub card: Card,
    /// Servers that a wall keeps from the most voters.
    pub beyond: BTreeSet<ServerId>,
}

/// Makes the scene.
#[must_use]
pub fn scene(sight: &Sight, pick: &Pick, lang: Lang, frame: Frame) -> Scene {
    let places = place::places(sight, frame);
    let (tags, links, walls) = traffic::links(sight, &places, pick, lang);
    Scene {
        now: sight.now,
        width: places.width,
        height: places.height,
        compact: frame.compact,
        links,
        walls,
        clients: glyph::clients(sight, &places, pick, lang),
        servers: glyph::servers(sight, &places, pick, lang),
        messages: traffic::messages(sight, &places, pick, lang),
        tags,
        card: card::card(sight, &places, pick, lang),
        beyond: traffic::beyond(sight),
    }
}

impl Places {
    /// Where one end of a message's way stands.
    #[must_use]
    pub fn end(&self, end: End) -> Option<Pt> {
        match end {
            End::Server(id) => self.servers.get(&id).copied(),
            End::Client(no) => self.clients.get(&no).copied(),
        }
    }

    /// How far from its middle an end's outline is.
    #[must_use]
    pub fn radius(&self, end: End) -> f64 {
        match end {
            End::Server(_) => 46.0 * self.scale,
            End::Client(_) => self.client_half + 2.0,
        }
    }
}

impl Scene {
    /// The boxes that must keep apart, with what they are: for tests.
    #[must_use]
    pub fn boxes(&self) -> Vec<(String, Rect)> {
        let mut all = Vec::new();
        for s in &self.servers {
            for r in &s.boxes {
                all.push((format!("server {}", s.id), *r));
            }
        }
        for c in &self.clients {
            all.push((format!("client {}", c.label), c.boxed));
        }
        all.push(("card".to_owned(), self.card.boxed));
        all
    }
}

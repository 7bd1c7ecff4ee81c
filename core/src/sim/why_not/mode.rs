//! Why a learner was not brought up to date in another way.

use super::{Asked, Because};
use crate::{
    id::ServerId,
    peer::event::{EventKind, SyncMode},
    sim::Fact,
};

impl Asked<'_> {
    pub(super) fn not_this_mode(&mut self, learner: ServerId, wanted: SyncMode) -> Because {
        if self.world.server(learner).is_none() {
            return Because::NoSuchThing;
        }
        let chosen = self
            .last_event(|k| matches!(k, EventKind::SyncChosen { learner: l, .. } if *l == learner));
        self.rests_on(chosen);
        let Some((_, record)) = chosen else {
            return Because::NoModeYet;
        };
        let Fact::Peer(event) = &record.source else {
            return Because::NoModeYet;
        };
        let EventKind::SyncChosen {
            mode,
            because,
            peer,
            min,
            max,
            last_processed,
            ..
        } = &event.kind
        else {
            return Because::NoModeYet;
        };
        if *mode == wanted {
            return Because::ItHas;
        }
        Because::ModeChosen {
            leader: event.id.server,
            learner,
            wanted,
            chosen: *mode,
            rule: *because,
            peer: *peer,
            min: *min,
            max: *max,
            last: *last_processed,
        }
    }
}

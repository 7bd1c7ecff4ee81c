//! Where everything stands. Places depend on who is there and on the room, never on what happens, so
//! that nothing jumps: only a client moves, to the server it is connected to.

use crate::scene::{
    geometry::{Pt, Rect, cosine, sine},
    sight::Sight,
};
use std::{collections::BTreeMap, f64::consts::PI};
use zabscope_core::{id::ServerId, sim::setup::ClientNo};

/// The room there is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Frame {
    /// Width of the viewBox.
    pub width: f64,
    /// Height of the viewBox.
    pub height: f64,
    /// The card stands below the ring and everything is smaller: a phone.
    pub compact: bool,
}

impl Frame {
    /// The frame for an area of the page, in CSS pixels. On a phone the scene may become higher than
    /// the area: the area then scrolls. Elsewhere it is scaled down.
    #[must_use]
    pub fn fit(width: f64, height: f64) -> Frame {
        let compact = width < 600.0;
        if compact {
            Frame {
                width: width.max(360.0),
                height: height.max(508.0),
                compact,
            }
        } else {
            // Very large: letters grow, lines do not become endless.
            let shrink = (width / 1440.0).max(height / 900.0).max(1.0);
            let grow = (960.0 / width).max(480.0 / height).max(1.0);
            Frame {
                width: width * grow / shrink,
                height: height * grow / shrink,
                compact,
            }
        }
    }

    /// A desk: the stage of a window of 1440 x 900.
    pub const WIDE: Frame = Frame {
        width: 1056.0,
        height: 500.0,
        compact: false,
    };

    /// A phone of 390 x 844.
    pub const PHONE: Frame = Frame {
        width: 390.0,
        height: 540.0,
        compact: true,
    };
}

/// How much of a ballot there is room for beside each server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BallotSize {
    /// All three fields at ease.
    Full,
    /// All three fields, narrow.
    Small,
    /// Only for whom.
    Mini,
}

impl BallotSize {
    /// Height and width in the viewBox; the width is that of a usual ballot.
    #[must_use]
    pub fn size(self) -> (f64, f64) {
        match self {
            BallotSize::Full => (112.0, 26.0),
            BallotSize::Small => (84.0, 22.0),
            BallotSize::Mini => (58.0, 20.0),
        }
    }
}

/// Places of all there is.
#[derive(Clone, Debug, PartialEq)]
pub struct Places {
    /// Width of the viewBox.
    pub width: f64,
    /// Its height.
    pub height: f64,
    /// Size of a server; 1 is that of the drawing: a ring of radius 42.
    pub scale: f64,
    /// How large ballots are.
    pub ballot: BallotSize,
    /// Half the side of a client.
    pub client_half: f64,
    /// Middles of the servers.
    pub servers: BTreeMap<ServerId, Pt>,
    /// Middles of the clients.
    pub clients: BTreeMap<ClientNo, Pt>,
    /// Where the voters' ring is.
    pub ring: Rect,
    /// Room for the card.
    pub card: Rect,
    /// The card stands below.
    pub compact: bool,
}

/// The parts of a server, as boxes relative to its middle.
#[derive(Clone, Copy, Debug)]
pub struct ServerShape {
    /// Size.
    pub scale: f64,
    /// Its ballot, if it has a vote.
    pub ballot: Option<BallotSize>,
}

impl ServerShape {
    /// Radius of the phase ring with half its stroke.
    #[must_use]
    pub fn radius(&self) -> f64 {
        45.0 * self.scale
    }

    /// From the middle up to the top of the crown.
    #[must_use]
    pub fn up(&self) -> f64 {
        53.0 * self.scale
    }

    /// Size of the plate: letters do not shrink as much as circles.
    #[must_use]
    pub fn plate(&self) -> (f64, f64) {
        let k = self.scale.max(0.8);
        (60.0 * k, 22.0 * k)
    }

    /// Upper edge of the plate.
    #[must_use]
    pub fn plate_top(&self) -> f64 {
        49.0 * self.scale + 2.0
    }

    /// Upper edge of the ballot.
    #[must_use]
    pub fn ballot_top(&self) -> f64 {
        self.plate_top() + self.plate().1 + 5.0
    }

    /// Base line of the note, below a ballot or where it would be.
    #[must_use]
    pub fn note_base(&self, with_ballot: bool) -> f64 {
        let above = match self.ballot {
            Some(size) if with_ballot => self.ballot_top() + size.size().1,
            _ => self.plate_top() + self.plate().1,
        };
        above + 15.0
    }

    /// From the middle down to the end of the note.
    #[must_use]
    pub fn down(&self) -> f64 {
        self.note_base(true) + 4.0
    }

    /// From the middle to each side.
    #[must_use]
    pub fn half_width(&self) -> f64 {
        let ballot = self.ballot.map_or(0.0, |b| b.size().0 / 2.0);
        self.radius().max(ballot).max(40.0)
    }

    /// The boxes of a server at `at`: the circle with its crown, plate, ballot, note.
    #[must_use]
    pub fn boxes(&self, at: Pt) -> Vec<Rect> {
        let (pw, ph) = self.plate();
        let r = self.radius();
        let mut all = vec![
            Rect::new(at.x - r, at.y - self.up(), 2.0 * r, self.up() + r),
            Rect::new(at.x - pw / 2.0, at.y + self.plate_top(), pw, ph),
            Rect::new(at.x - 40.0, at.y + self.note_base(true) - 11.0, 80.0, 15.0),
        ];
        if let Some(size) = self.ballot {
            let (w, h) = size.size();
            all.push(Rect::new(at.x - w / 2.0, at.y + self.ballot_top(), w, h));
        }
        all
    }
}

/// What is tried, largest first.
const SIZES: [(f64, BallotSize); 9] = [
    (1.0, BallotSize::Full),
    (0.92, BallotSize::Full),
    (0.88, BallotSize::Small),
    (0.8, BallotSize::Small),
    (0.74, BallotSize::Small),
    (0.74, BallotSize::Mini),
    (0.66, BallotSize::Mini),
    (0.6, BallotSize::Mini),
    (0.52, BallotSize::Mini),
];

/// Places everything.
#[must_use]
pub fn places(sight: &Sight, frame: Frame) -> Places {
    let voters: Vec<ServerId> = ids(sight, true);
    let observers: Vec<ServerId> = ids(sight, false);
    let mut frame = frame;
    // Too much for the room: a phone's scene grows and scrolls, the others shrink as a whole.
    for _ in 0..12 {
        for (scale, ballot) in SIZES {
            if frame.compact && scale > 0.8 || !frame.compact && scale < 0.6 {
                continue;
            }
            if let Some(places) = attempt(sight, frame, &voters, &observers, scale, ballot) {
                return places;
            }
        }
        if frame.compact {
            frame.height += 40.0;
        } else {
            frame.width *= 1.06;
            frame.height *= 1.06;
        }
    }
    let (scale, ballot) = SIZES[SIZES.len() - 1];
    arrange(sight, frame, &voters, &observers, scale, ballot)
}

fn ids(sight: &Sight, voter: bool) -> Vec<ServerId> {
    let of = sight.servers.iter().filter(|s| s.voter == voter);
    of.map(|s| s.id).collect()
}

fn attempt(
    sight: &Sight,
    frame: Frame,
    voters: &[ServerId],
    observers: &[ServerId],
    scale: f64,
    ballot: BallotSize,
) -> Option<Places> {
    let places = arrange(sight, frame, voters, observers, scale, ballot);
    let boxes: Vec<Vec<Rect>> = places
        .servers
        .iter()
        .map(|(id, at)| places.shape(voters.contains(id)).boxes(*at))
        .collect();
    let apart = boxes.iter().enumerate().all(|(i, a)| {
        boxes[i + 1..].iter().all(|b| {
            a.iter()
                .all(|x| b.iter().all(|y| !x.inset(-3.0).overlaps(y)))
        })
    });
    (apart && places.clients.len() == sight.clients.len()).then_some(places)
}

impl Places {
    /// The shape of a server here.
    #[must_use]
    pub fn shape(&self, voter: bool) -> ServerShape {
        ServerShape {
            scale: self.scale,
            ballot: voter.then_some(self.ballot),
        }
    }
}

fn arrange(
    sight: &Sight,
    frame: Frame,
    voters: &[ServerId],
    observers: &[ServerId],
    scale: f64,
    ballot: BallotSize,
) -> Places {
    let (w, h) = (frame.width, frame.height);
    let voter = ServerShape {
        scale,
        ballot: Some(ballot),
    };
    let other = ServerShape {
        scale,
        ballot: None,
    };
    let (card, zone) = if frame.compact {
        // The smallest in which a cut with both logs and its tally is whole.
        let card_h = (h * 0.41).clamp(218.0, 240.0);
        (
            Rect::new(8.0, h - card_h - 4.0, w - 16.0, card_h),
            Rect::new(4.0, 6.0, w - 8.0, h - card_h - 14.0),
        )
    } else {
        let card_w = (w * 0.38).clamp(372.0, 440.0);
        (
            Rect::new(w - card_w - 20.0, 20.0, card_w, h - 32.0),
            Rect::new(8.0, 10.0, w - card_w - 44.0, h - 18.0),
        )
    };
    let client_half = if frame.compact { 14.0 } else { 18.0 };
    // Room for clients is kept free from the start: nobody moves when one comes.
    let mut ring = if frame.compact {
        let row = if sight.clients.is_empty() { 0.0 } else { 44.0 };
        Rect::new(zone.x, zone.y, zone.w, zone.h - row)
    } else {
        Rect::new(zone.x + 60.0, zone.y, zone.w - 120.0, zone.h)
    };
    let mut servers = BTreeMap::new();
    if !observers.is_empty() {
        let n = observers.len() as f64;
        if frame.compact {
            let tall = other.up() + other.down();
            ring.h -= tall + 4.0;
            let y = ring.bottom() + 4.0 + other.up();
            for (i, id) in observers.iter().enumerate() {
                let x = ring.x + ring.w * (i as f64 + 0.5) / n;
                servers.insert(*id, Pt::new(x, y));
            }
        } else {
            let wide = 2.0 * other.half_width() + 8.0;
            ring.w -= wide;
            let x = ring.right() + wide / 2.0 + 4.0;
            let free = ring.h - other.up() - other.down();
            for (i, id) in observers.iter().enumerate() {
                let part = if observers.len() == 1 {
                    0.5
                } else {
                    i as f64 / (n - 1.0)
                };
                servers.insert(*id, Pt::new(x, ring.y + other.up() + free * part));
            }
        }
    }
    on_arc(voters, ring, &voter, &mut servers);
    let mut places = Places {
        width: w,
        height: h,
        scale,
        ballot,
        client_half,
        servers,
        clients: BTreeMap::new(),
        ring,
        card,
        compact: frame.compact,
    };
    place_clients(sight, zone, voters, &mut places);
    places
}

/// Voters stand on an ellipse, clockwise from the top in order of id.
fn on_arc(
    voters: &[ServerId],
    ring: Rect,
    shape: &ServerShape,
    servers: &mut BTreeMap<ServerId, Pt>,
) {
    let n = voters.len();
    let start = if n == 2 { -PI } else { -PI / 2.0 };
    let angles: Vec<f64> = (0..n)
        .map(|i| start + 2.0 * PI * i as f64 / n as f64)
        .collect();
    let far = |f: fn(f64) -> f64| angles.iter().map(|a| f(*a).abs()).fold(0.0, f64::max);
    let lowest = angles.iter().map(|a| sine(*a)).fold(-1.0, f64::max);
    let (up, down, half) = (shape.up(), shape.down(), shape.half_width());
    let cx = ring.x + ring.w / 2.0;
    if n <= 2 {
        let y = ring.y + up + (ring.h - up - down) / 2.0;
        let rx = if n == 2 { ring.w / 2.0 - half } else { 0.0 };
        for (id, a) in voters.iter().zip(&angles) {
            servers.insert(*id, Pt::new(cx + rx.min(190.0) * cosine(*a), y));
        }
        return;
    }
    let ry = ((ring.h - up - down) / (1.0 + lowest)).max(0.0);
    let cy = ring.y + up + ry;
    let rx = ((ring.w / 2.0 - half) / far(cosine)).max(0.0);
    let rx = rx.min(ry.max(120.0) * 1.9);
    for (id, a) in voters.iter().zip(&angles) {
        servers.insert(*id, Pt::new(cx + rx * cosine(*a), cy + ry * sine(*a)));
    }
}

/// Each client, in order, takes the free place that is nearest to its server.
fn place_clients(sight: &Sight, zone: Rect, voters: &[ServerId], places: &mut Places) {
    let half = places.client_half + 7.0;
    let step = 2.0 * half + 2.0;
    let mut taken: Vec<Rect> = places
        .servers
        .iter()
        .flat_map(|(id, at)| places.shape(voters.contains(id)).boxes(*at))
        .collect();
    let mut slots = Vec::new();
    let columns = ((zone.w - 2.0 * half) / step).floor().max(1.0);
    let rows = ((zone.h - 2.0 * half) / step).floor().max(1.0);
    for i in 0..=columns as usize {
        let x = zone.x + half + (zone.w - 2.0 * half) * i as f64 / columns;
        slots.push(Pt::new(x, zone.bottom() - half));
        slots.push(Pt::new(x, zone.y + half));
    }
    for i in 1..rows as usize {
        let y = zone.y + half + (zone.h - 2.0 * half) * i as f64 / rows;
        slots.push(Pt::new(zone.x + half, y));
        slots.push(Pt::new(zone.right() - half, y));
    }
    for (i, client) in sight.clients.iter().enumerate() {
        let home = client
            .server
            .and_then(|s| places.servers.get(&s).copied())
            .unwrap_or(Pt::new(
                if i % 2 == 0 { zone.x } else { zone.right() },
                zone.bottom(),
            ));
        let free = |p: &&Pt| {
            let own = Rect::round(**p, half, half);
            !taken.iter().any(|t| t.overlaps(&own))
        };
        let nearest = slots
            .iter()
            .filter(free)
            .min_by(|a, b| a.distance(home).total_cmp(&b.distance(home)));
        if let Some(p) = nearest {
            taken.push(Rect::round(*p, half, half));
            places.clients.insert(client.no, *p);
        }
    }
}

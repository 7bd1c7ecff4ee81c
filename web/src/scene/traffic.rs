//! Links, walls and what moves between servers.
//!
//! A message is where (t - sent) / (arrives - sent) says. The same easing for all keeps the order of a
//! link: a message that left later and arrives later is never ahead.

use crate::scene::{
    Pick,
    geometry::{Pt, Rect, text_width},
    place::Places,
    sight::{End, LinkFault, MessageSight, Role, Sight, What},
    words::{self, Lang},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};
use zabscope_core::{
    id::{Epoch, ServerId},
    message::MessageKind,
    time::Moment,
};

/// A line between two servers.
#[derive(Clone, Debug, PartialEq)]
pub struct LinkLine {
    /// One end; the smaller id.
    pub a: ServerId,
    /// The other.
    pub b: ServerId,
    /// At the outline of `a`.
    pub from: Pt,
    /// At the outline of `b`.
    pub to: Pt,
    /// How it looks.
    pub kind: LinkKind,
    /// It is chosen.
    pub picked: bool,
    /// Accessible name.
    pub name: String,
}

/// What a link is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LinkKind {
    /// Votes could pass.
    Votes,
    /// Learner and leader are connected.
    Quorum,
    /// Messages take longer.
    Slow,
    /// Nothing passes from `a` to `b`.
    CutForth,
    /// Nothing passes from `b` to `a`.
    CutBack,
    /// Nothing passes.
    Cut,
}

/// A wall that separates some servers from the others: a curve that begins and ends outside the ring.
#[derive(Clone, Debug, PartialEq)]
pub struct Wall {
    /// One end.
    pub from: Pt,
    /// It bends towards here.
    pub bend: Pt,
    /// The other end.
    pub to: Pt,
}

/// A remark in amber.
#[derive(Clone, Debug, PartialEq)]
pub struct Tag {
    /// What it says.
    pub text: String,
    /// Where.
    pub boxed: Rect,
    /// What it is about.
    pub about: Pt,
}

/// Links, walls and tags.
#[must_use]
pub fn links(
    sight: &Sight,
    places: &Places,
    pick: &Pick,
    lang: Lang,
) -> (Vec<Tag>, Vec<LinkLine>, Vec<Wall>) {
    let faults: BTreeMap<(ServerId, ServerId), &LinkFault> =
        sight.faults.iter().map(|f| ((f.a, f.b), f)).collect();
    let parts = parts(sight, &faults);
    let part_of = |id: ServerId| parts.iter().position(|p| p.contains(&id));
    let walls = walls(sight, places, &parts);
    let up = |id: ServerId| {
        sight
            .servers
            .iter()
            .any(|s| s.id == id && s.role != Role::Down)
    };
    let looking = sight
        .servers
        .iter()
        .any(|s| s.voter && s.role == Role::Looking);
    let mut kinds: BTreeMap<(ServerId, ServerId), LinkKind> = BTreeMap::new();
    let mut note = |a: ServerId, b: ServerId, kind: LinkKind| {
        let key = (a.min(b), a.max(b));
        let now = kinds.entry(key).or_insert(kind);
        *now = (*now).max(kind);
    };
    let voters: Vec<ServerId> = sight.quorum.voters().iter().copied().collect();
    for (i, a) in voters.iter().enumerate() {
        for b in &voters[i + 1..] {
            if looking && up(*a) && up(*b) {
                note(*a, *b, LinkKind::Votes);
            }
        }
    }
    for (learner, leader) in &sight.connections {
        note(*learner, *leader, LinkKind::Quorum);
    }
    for f in &sight.faults {
        let kind = match (f.cut_ab, f.cut_ba) {
            (true, true) => LinkKind::Cut,
            (true, false) => LinkKind::CutForth,
            (false, true) => LinkKind::CutBack,
            (false, false) if f.extra.0 > 0 => LinkKind::Slow,
            (false, false) => continue,
        };
        note(f.a, f.b, kind);
    }
    // What the wall says already is not said again by a broken line.
    kinds.retain(|(a, b), _| walls.is_empty() || part_of(*a) == part_of(*b));

    let mut lines: Vec<LinkLine> = kinds
        .into_iter()
        .filter_map(|((a, b), kind)| {
            let (pa, pb) = (*places.servers.get(&a)?, *places.servers.get(&b)?);
            let r = 46.0 * places.scale / pa.distance(pb).max(1.0);
            Some(LinkLine {
                a,
                b,
                from: pa.towards(pb, r),
                to: pb.towards(pa, r),
                kind,
                picked: *pick == Pick::Link(a, b),
                name: link_name(a, b, kind, faults.get(&(a, b)).copied(), lang),
            })
        })
        .collect();
    lines.sort_by_key(|l| (l.kind, l.a, l.b));
    let tags = tags(sight, places, &lines, lang);
    (tags, lines, walls)
}

fn link_name(
    a: ServerId,
    b: ServerId,
    kind: LinkKind,
    fault: Option<&LinkFault>,
    lang: Lang,
) -> String {
    let state = match kind {
        LinkKind::Votes | LinkKind::Quorum => String::new(),
        LinkKind::Slow => {
            let extra = words::span(fault.map(|f| f.extra).unwrap_or_default());
            match lang {
                Lang::En => format!(", slow by {extra}"),
                Lang::Zh => format!("，慢 {extra}"),
            }
        }
        LinkKind::CutForth => match lang {
            Lang::En => format!(", cut from {a} to {b}"),
            Lang::Zh => format!("，从 {a} 到 {b} 已切断"),
        },
        LinkKind::CutBack => match lang {
            Lang::En => format!(", cut from {b} to {a}"),
            Lang::Zh => format!("，从 {b} 到 {a} 已切断"),
        },
        LinkKind::Cut => lang.of(", cut", "，已切断").to_owned(),
    };
    match lang {
        Lang::En => format!("Link {a} to {b}{state}"),
        Lang::Zh => format!("链路 {a} 至 {b}{state}"),
    }
}

/// Sets of servers that reach each other, if every link between two sets is cut; else one set.
fn parts(
    sight: &Sight,
    faults: &BTreeMap<(ServerId, ServerId), &LinkFault>,
) -> Vec<BTreeSet<ServerId>> {
    let cut = |a: ServerId, b: ServerId| {
        faults
            .get(&(a.min(b), a.max(b)))
            .is_some_and(|f| f.is_cut())
    };
    let mut left: BTreeSet<ServerId> = sight.servers.iter().map(|s| s.id).collect();
    let mut parts = Vec::new();
    while let Some(first) = left.pop_first() {
        let mut part = BTreeSet::from([first]);
        let mut edge = vec![first];
        while let Some(a) = edge.pop() {
            let near: Vec<ServerId> = left.iter().copied().filter(|b| !cut(a, *b)).collect();
            for b in near {
                left.remove(&b);
                part.insert(b);
                edge.push(b);
            }
        }
        parts.push(part);
    }
    parts
}

/// Servers that are on no side with the most voters.
#[must_use]
pub fn beyond(sight: &Sight) -> BTreeSet<ServerId> {
    let faults = sight.faults.iter().map(|f| ((f.a, f.b), f)).collect();
    let parts = parts(sight, &faults);
    let voters = sight.quorum.voters();
    let size = |p: &BTreeSet<ServerId>| (p.intersection(voters).count(), p.len());
    let most = (0..parts.len()).max_by_key(|i| size(&parts[*i]));
    let others = parts.into_iter().enumerate();
    others
        .filter(|(i, _)| Some(*i) != most)
        .flat_map(|(_, p)| p)
        .collect()
}

/// A wall round each run of neighbours that is cut off; the largest part needs none.
fn walls(sight: &Sight, places: &Places, parts: &[BTreeSet<ServerId>]) -> Vec<Wall> {
    let voters: Vec<ServerId> = sight.quorum.voters().iter().copied().collect();
    let n = voters.len();
    let size = |p: &BTreeSet<ServerId>| voters.iter().filter(|v| p.contains(v)).count();
    let Some(most) = (0..parts.len()).max_by_key(|i| size(&parts[*i])) else {
        return Vec::new();
    };
    if parts.len() < 2 || n < 2 {
        return Vec::new();
    }
    // A server reaches further down than up.
    let shape = places.shape(true);
    let sink = (shape.down() - shape.up()) / 2.0;
    let spots: Vec<Pt> = voters
        .iter()
        .filter_map(|v| Some(places.servers.get(v)?.moved(0.0, sink)))
        .collect();
    if spots.len() != n {
        return Vec::new();
    }
    let centre = Pt::new(
        places.ring.centre().x,
        (spots.iter().map(|p| p.y).fold(f64::MAX, f64::min)
            + spots.iter().map(|p| p.y).fold(f64::MIN, f64::max))
            / 2.0,
    );
    if n == 2 {
        let (a, b) = (centre.moved(0.0, -110.0), centre.moved(0.0, 110.0));
        return vec![Wall {
            from: a,
            bend: centre,
            to: b,
        }];
    }
    let between = |i: usize| {
        let mid = spots[i % n].towards(spots[(i + 1) % n], 0.5);
        let out = centre.towards(mid, 1.3);
        Pt::new(
            out.x.clamp(4.0, places.card_free_right()),
            out.y.clamp(4.0, places.height - 4.0),
        )
    };
    let mut walls = Vec::new();
    for (p, part) in parts.iter().enumerate() {
        if p == most {
            continue;
        }
        for start in 0..n {
            let inside = |i: usize| part.contains(&voters[i % n]);
            if !inside(start) || inside(start + n - 1) {
                continue;
            }
            let run = (0..n).take_while(|k| inside(start + k)).count();
            let middle = (0..run).fold(Pt::default(), |m, k| {
                let s = spots[(start + k) % n];
                m.moved(s.x / run as f64, s.y / run as f64)
            });
            let away = if run == 1 { -0.45 } else { -0.12 };
            walls.push(Wall {
                from: between(start + n - 1),
                bend: centre.towards(middle, away),
                to: between(start + run - 1),
            });
        }
    }
    walls
}

impl Places {
    fn card_free_right(&self) -> f64 {
        if self.compact {
            self.width - 4.0
        } else {
            self.card.x - 8.0
        }
    }
}

fn tags(sight: &Sight, places: &Places, lines: &[LinkLine], lang: Lang) -> Vec<Tag> {
    let mut taken = obstacles(sight, places);
    let mut tags = Vec::new();
    let mut place = |tags: &mut Vec<Tag>,
                     text: String,
                     about: Pt,
                     spots: Vec<Pt>,
                     own_link: Option<&LinkLine>| {
        let half_w = text_width(&text, 12.0, false) / 2.0 + 9.0;
        let free = |p: &&Pt| {
            let own = Rect::round(**p, half_w, 12.0);
            own.x >= 2.0
                && own.right() <= places.card_free_right()
                && !taken.iter().any(|t| t.overlaps(&own))
        };
        let clear = |p: &&Pt| {
            let own = Rect::round(**p, half_w + 8.0, 22.0);
            free(p)
                && !lines
                    .iter()
                    .any(|l| Some(l) != own_link && crosses(l, &own))
        };
        let spot = spots
            .iter()
            .find(clear)
            .or_else(|| spots.iter().find(free))
            .or_else(|| {
                // No room at all: where it covers least.
                let covered = |p: &Pt| {
                    let own = Rect::round(*p, half_w, 12.0);
                    let outside = if own.x < 2.0 || own.y < 2.0 { 1e9 } else { 0.0 };
                    taken.iter().map(|t| t.shared(&own)).sum::<f64>() + outside
                };
                spots
                    .iter()
                    .min_by(|a, b| covered(a).total_cmp(&covered(b)))
            })
            .copied();
        if let Some(p) = spot {
            let boxed = Rect::round(p, half_w, 12.0);
            taken.push(boxed);
            tags.push(Tag { text, about, boxed });
        }
    };
    for line in lines.iter().filter(|l| l.kind == LinkKind::Slow) {
        let Some(f) = sight.faults.iter().find(|f| f.a == line.a && f.b == line.b) else {
            continue;
        };
        let text = match lang {
            Lang::En => format!("slow link, +{}", words::span(f.extra)),
            Lang::Zh => format!("慢链路，+{}", words::span(f.extra)),
        };
        let mid = line.from.towards(line.to, 0.5);
        let mut spots = Vec::new();
        // Beside both lanes of traffic, whichever way the link runs.
        let d = line.from.distance(line.to).max(1.0);
        let (nx, ny) = ((line.to.y - line.from.y) / d, (line.from.x - line.to.x) / d);
        let half_w = text_width(&text, 12.0, false) / 2.0 + 9.0;
        let off = 22.0 + nx.abs() * half_w + ny.abs() * 12.0;
        for part in [0.5, 0.42, 0.58, 0.34, 0.66, 0.26, 0.74, 0.18, 0.82] {
            let on = line.from.towards(line.to, part);
            let up = if ny < 0.0 { off } else { -off };
            spots.push(on.moved(nx * up, ny * up));
            spots.push(on.moved(-nx * up, -ny * up));
        }
        // Where there is no room beside it: on it.
        for part in [0.5, 0.4, 0.6, 0.3, 0.7] {
            spots.push(line.from.towards(line.to, part));
        }
        place(&mut tags, text, mid, spots, Some(line));
    }
    for s in sight.servers.iter().filter(|s| s.slow_disk.0 > 0) {
        let Some(at) = places.servers.get(&s.id) else {
            continue;
        };
        let text = match lang {
            Lang::En => format!("slow disk, +{}", words::span(s.slow_disk)),
            Lang::Zh => format!("慢磁盘，+{}", words::span(s.slow_disk)),
        };
        let w = text_width(&text, 12.0, false) / 2.0 + 14.0;
        let shape = places.shape(s.voter);
        let (r, py) = (shape.radius(), shape.plate_top() + shape.plate().1 / 2.0);
        let beside = shape.plate().0 / 2.0 + w;
        let spots = vec![
            at.moved(beside, py),
            at.moved(-beside, py),
            at.moved(r + w, 0.0),
            at.moved(-r - w, 0.0),
            at.moved(0.0, -shape.up() - 14.0),
        ];
        // It stands beside its server: no line is needed.
        let before = tags.len();
        place(&mut tags, text, *at, spots, None);
        if let Some(tag) = tags.get_mut(before) {
            tag.about = tag.boxed.centre();
        }
    }
    tags
}

/// Whether a link runs through a box.
fn crosses(line: &LinkLine, r: &Rect) -> bool {
    (0..=40).any(|i| {
        let p = line.from.towards(line.to, f64::from(i) / 40.0);
        p.x > r.x && p.x < r.right() && p.y > r.y && p.y < r.bottom()
    })
}

/// How a message looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Rounded, with its label.
    Pill,
    /// A dashed block: proposed, not yet done.
    Block,
    /// A thin line with its label above: COMMIT.
    Pulse,
    /// The whole tree.
    Crate,
    /// So many that only a few letters fit.
    Bead,
    /// A heartbeat, or so many that no letters fit.
    Dot,
}

/// What a message's colour says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ink {
    /// Nothing.
    Plain,
    /// A vote for the best candidate so far.
    Best,
    /// It belongs to this epoch.
    Epoch(Epoch),
    /// It cuts.
    Fault,
}

/// A message.
#[derive(Clone, Debug, PartialEq)]
pub struct MessageGlyph {
    /// Its number.
    pub id: u64,
    /// Where it begins.
    pub from: Pt,
    /// Where it ends.
    pub to: Pt,
    /// When it leaves.
    pub sent: Moment,
    /// When it arrives.
    pub arrives: Moment,
    /// Where it was cut off, 0 to 1.
    pub stopped: Option<f64>,
    /// How far it has come where nothing may move, 0 to 1.
    pub rest: f64,
    /// How it looks.
    pub form: Form,
    /// Its colour.
    pub ink: Ink,
    /// What is written on it.
    pub label: String,
    /// Its width and height.
    pub size: (f64, f64),
    /// Side of its target.
    pub hit: f64,
    /// It is chosen.
    pub picked: bool,
    /// It belongs to what is chosen.
    pub lit: bool,
    /// It only keeps something alive.
    pub heartbeat: bool,
    /// Accessible name.
    pub name: String,
}

impl MessageGlyph {
    /// How far it has come at `now` (in microseconds), 0 to 1.
    #[must_use]
    pub fn part(&self, now: f64) -> f64 {
        if let Some(part) = self.stopped {
            return part;
        }
        part(self.sent, self.arrives, now)
    }

    /// Where it is at `now`.
    #[must_use]
    pub fn at(&self, now: f64) -> Pt {
        self.from.towards(self.to, self.part(now))
    }

    /// Where it rests when nothing may move: near its receiver, if it hides nothing there.
    #[must_use]
    pub fn at_rest(&self) -> Pt {
        self.from.towards(self.to, self.rest)
    }

    /// What it covers `part` of its way along.
    fn covers(&self, part: f64) -> Rect {
        let label = text_width(&self.label, 12.0, true);
        let (w, h) = (self.size.0.max(label), self.size.1.max(18.0));
        Rect::round(
            self.from.towards(self.to, part),
            w / 2.0 + 2.0,
            h / 2.0 + 2.0,
        )
    }

    /// The direction it goes, in degrees, clockwise from the right.
    #[must_use]
    pub fn angle(&self) -> f64 {
        (self.to.y - self.from.y)
            .atan2(self.to.x - self.from.x)
            .to_degrees()
    }
}

fn part(sent: Moment, arrives: Moment, now: f64) -> f64 {
    let (s, a) = (sent.0 as f64, arrives.0 as f64);
    if a <= s {
        return if now < s { 0.0 } else { 1.0 };
    }
    let p = ((now - s) / (a - s)).clamp(0.0, 1.0);
    // A little gentler at both ends than a straight line.
    0.55 * p + 0.45 * p * p * (3.0 - 2.0 * p)
}

/// All messages.
#[must_use]
pub fn messages(sight: &Sight, places: &Places, pick: &Pick, lang: Lang) -> Vec<Rc<MessageGlyph>> {
    let speaking = sight
        .messages
        .iter()
        .filter(|m| !heartbeat(&m.what) && m.stopped.is_none())
        .count();
    let (few, some) = if places.compact { (5, 24) } else { (9, 48) };
    let best = sight
        .servers
        .iter()
        .filter(|s| s.role == Role::Looking)
        .filter_map(|s| s.vote)
        .max();
    let draw = |m: &MessageSight| {
        let (pa, pb) = (places.end(m.from)?, places.end(m.to)?);
        let d = pa.distance(pb).max(1.0);
        // Right-hand traffic: what comes the other way passes by.
        let (nx, ny) = (-(pb.y - pa.y) / d, (pb.x - pa.x) / d);
        let lane = if places.compact { 5.0 } else { 7.0 };
        let from = pa
            .towards(pb, places.radius(m.from) / d)
            .moved(nx * lane, ny * lane);
        let to = pb
            .towards(pa, places.radius(m.to) / d)
            .moved(nx * lane, ny * lane);
        let full = lang.label(&m.what);
        let heartbeat = heartbeat(&m.what);
        let form = form(&m.what, speaking, few, some);
        // A short way has no room for a long label.
        let way = from.distance(to);
        let fits = |t: &str| 1.25 * (text_width(t, 12.0, true) + 16.0) < way;
        let label = if speaking > some || heartbeat {
            String::new()
        } else if form == Form::Bead || (speaking > few && form != Form::Crate) {
            match form {
                Form::Pulse => String::new(),
                _ => short(&m.what),
            }
        } else if fits(&full) {
            full.clone()
        } else {
            let name = kind_name(&m.what);
            let short = short(&m.what);
            match form {
                Form::Block => short,
                Form::Pulse if fits(&short) => short,
                Form::Pulse => String::new(),
                _ => name.filter(|n| fits(n)).map_or(short, str::to_owned),
            }
        };
        let mono = text_width(&label, 12.0, true);
        let size = match form {
            Form::Block if label.is_empty() => (11.0, 8.0),
            Form::Pulse if label.is_empty() => (13.0, 3.0),
            Form::Dot => (8.0, 8.0),
            Form::Bead => (mono.max(9.0) + 11.0, 20.0),
            Form::Block => (mono + 14.0, 22.0),
            Form::Pulse => (26.0, 5.0),
            Form::Crate => (mono + 34.0, 26.0),
            Form::Pill => (mono + 18.0, 22.0),
        };
        // It begins and ends beside the circles, not upon them, as far as the way is long enough.
        let (dx, dy) = ((pb.x - pa.x) / d, (pb.y - pa.y) / d);
        let along = (size.0 / 2.0 / dx.abs().max(1e-6)).min(size.1 / 2.0 / dy.abs().max(1e-6));
        let trim = (along / way.max(1.0)).min(0.36);
        let (from, to) = (from.towards(to, trim), to.towards(from, trim));
        let end = |e: End| match e {
            End::Server(id) => id.to_string(),
            End::Client(no) => words::client_letter(no.0),
        };
        let ink = match &m.what {
            What::Vote { vote, looking, .. } if *looking && Some(*vote) == best => Ink::Best,
            What::Packet {
                kind: MessageKind::Trunc,
                ..
            } => Ink::Fault,
            What::Packet { kind, zxid, .. } if has_hue(*kind) => {
                zxid.map_or(Ink::Plain, |z| Ink::Epoch(z.epoch()))
            }
            _ => Ink::Plain,
        };
        let stopped = m.stopped.map(|at| part(m.sent, m.arrives, at.0 as f64));
        Some(MessageGlyph {
            id: m.id,
            from,
            to,
            sent: m.sent,
            arrives: m.arrives,
            stopped,
            rest: stopped.unwrap_or(PARTS[0]),
            form,
            ink,
            name: lang.message_name(&full, &end(m.from), &end(m.to), m.stopped.is_some()),
            label,
            size,
            hit: if places.compact { 44.0 } else { 24.0 },
            picked: *pick == Pick::Message(m.id),
            lit: m.story.is_of(pick),
            heartbeat,
        })
    };
    let mut all: Vec<MessageGlyph> = sight.messages.iter().filter_map(draw).collect();
    // With more of them there are no words to hide anything.
    if speaking <= few {
        let mut taken = obstacles(sight, places);
        for m in all.iter_mut().filter(|m| !m.heartbeat) {
            if m.stopped.is_none() {
                let hidden = |part: f64| {
                    let own = m.covers(part);
                    taken.iter().map(|t| t.shared(&own)).sum::<f64>()
                };
                let least = PARTS.into_iter().map(|part| (part, hidden(part)));
                let least = least.min_by(|a, b| a.1.total_cmp(&b.1));
                m.rest = least.map_or(PARTS[0], |(part, _)| part);
            }
            taken.push(m.covers(m.rest));
        }
    }
    all.into_iter().map(Rc::new).collect()
}

/// Where a message may rest on its way: the earlier the better.
const PARTS: [f64; 8] = [2.0 / 3.0, 0.75, 0.58, 0.5, 0.42, 0.85, 0.33, 0.25];

/// What nothing should hide: servers with all that is written on them, clients.
fn obstacles(sight: &Sight, places: &Places) -> Vec<Rect> {
    let servers = sight.servers.iter().filter_map(|s| {
        let at = places.servers.get(&s.id)?;
        Some(places.shape(s.voter).boxes(*at))
    });
    let clients = places.clients.values().map(|at| {
        let half = places.client_half + 2.0;
        Rect::round(*at, half, half)
    });
    servers.flatten().chain(clients).collect()
}

fn heartbeat(what: &What) -> bool {
    match what {
        What::Packet { kind, .. } => kind.is_heartbeat(),
        What::ClientPing => true,
        What::Vote { .. } | What::Request(_) | What::Reply(_) | What::Watch(_) => false,
    }
}

fn has_hue(kind: MessageKind) -> bool {
    match kind {
        MessageKind::Proposal
        | MessageKind::Ack
        | MessageKind::Commit
        | MessageKind::Inform
        | MessageKind::CommitAndActivate
        | MessageKind::InformAndActivate
        | MessageKind::Diff
        | MessageKind::Snap
        | MessageKind::NewLeader
        | MessageKind::LeaderInfo => true,
        MessageKind::Notification
        | MessageKind::FollowerInfo
        | MessageKind::ObserverInfo
        | MessageKind::AckEpoch
        | MessageKind::Trunc
        | MessageKind::UpToDate
        | MessageKind::Request
        | MessageKind::Ping
        | MessageKind::Pong
        | MessageKind::Revalidate
        | MessageKind::Revalidated
        | MessageKind::Sync => false,
    }
}

fn form(what: &What, speaking: usize, few: usize, some: usize) -> Form {
    if heartbeat(what) {
        return Form::Dot;
    }
    let kind = match what {
        What::Packet { kind, .. } => *kind,
        What::Vote { .. } => MessageKind::Notification,
        What::Request(_) | What::Reply(_) | What::Watch(_) | What::ClientPing => {
            return match speaking {
                n if n > some => Form::Dot,
                n if n > few => Form::Bead,
                _ => Form::Pill,
            };
        }
    };
    match kind {
        MessageKind::Proposal => Form::Block,
        MessageKind::Commit | MessageKind::CommitAndActivate => Form::Pulse,
        _ if speaking > some => Form::Dot,
        MessageKind::Snap => Form::Crate,
        MessageKind::Notification
        | MessageKind::Ack
        | MessageKind::Inform
        | MessageKind::Request
        | MessageKind::FollowerInfo
        | MessageKind::ObserverInfo
        | MessageKind::AckEpoch
        | MessageKind::LeaderInfo
            if speaking > few =>
        {
            Form::Bead
        }
        _ => Form::Pill,
    }
}

fn kind_name(what: &What) -> Option<&'static str> {
    match what {
        What::Packet { kind, .. } => Some(kind.name()),
        What::Vote { .. }
        | What::Request(_)
        | What::Reply(_)
        | What::Watch(_)
        | What::ClientPing => None,
    }
}

/// A few letters.
fn short(what: &What) -> String {
    match what {
        What::Vote { vote, .. } if vote.leader == ServerId::NOBODY => "?".to_owned(),
        What::Vote { vote, .. } => vote.leader.to_string(),
        What::Packet { kind, zxid, .. } => match (kind, zxid) {
            (MessageKind::Request, _) | (_, None) => "req".to_owned(),
            (MessageKind::FollowerInfo | MessageKind::ObserverInfo, Some(z)) => {
                words::epoch(z.epoch())
            }
            (MessageKind::LeaderInfo, Some(z)) => format!("={}", words::epoch(z.epoch())),
            (MessageKind::NewLeader, Some(z)) => format!("new {}", words::epoch(z.epoch())),
            (MessageKind::Ack, Some(z)) => format!("✓{}", words::zxid(*z)),
            (_, Some(z)) => words::zxid(*z),
        },
        // `set /colour green` becomes `set`.
        What::Request(t) | What::Reply(t) | What::Watch(t) => {
            let word = t.split(' ').next().unwrap_or_default();
            word.chars().take(10).collect()
        }
        What::ClientPing => String::new(),
    }
}

//! How servers, plates, ballots and clients look, as data.

use crate::scene::{
    Pick,
    geometry::{Pt, Rect, text_width},
    place::{BallotSize, Places},
    sight::{ClientSight, Role, ServerSight, Sight},
    words::{self, Lang},
};
use zabscope_core::{
    id::{Epoch, ServerId, Zxid},
    message::Vote,
    peer::event::{Phase, VoteField},
    time::{Moment, Span},
};

/// A zxid in two cells.
#[derive(Clone, Debug, PartialEq)]
pub struct Plate {
    /// Decides hue and pattern.
    pub epoch: Epoch,
    /// Left cell: `e3`.
    pub left: String,
    /// Right cell: `07`.
    pub right: String,
    /// Where it is drawn.
    pub boxed: Rect,
    /// Only a ghost of what is newer.
    pub ghost: bool,
}

impl Plate {
    /// The plate of `z` in this box.
    #[must_use]
    pub fn of(z: Zxid, boxed: Rect) -> Plate {
        let (left, right) = if z.0 < 0 {
            ("–".to_owned(), "–".to_owned())
        } else {
            (words::epoch(z.epoch()), format!("{:02}", z.counter()))
        };
        Plate {
            epoch: z.epoch(),
            left,
            right,
            boxed,
            ghost: false,
        }
    }
}

/// A vote: the three fields that are compared, in the order in which they are compared.
#[derive(Clone, Debug, PartialEq)]
pub struct Ballot {
    /// Epoch, zxid, myid; with [`BallotSize::Mini`] one field: for whom.
    pub fields: Vec<String>,
    /// Widths of the fields.
    pub widths: Vec<f64>,
    /// Which field decides.
    pub lit: Option<usize>,
    /// How it stands.
    pub tone: BallotTone,
    /// Where it is drawn.
    pub boxed: Rect,
    /// Size of its letters.
    pub font: f64,
}

/// How a ballot stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BallotTone {
    /// It is not compared.
    Plain,
    /// It is better.
    Wins,
    /// It is not.
    Loses,
}

impl Ballot {
    /// The ballot of a vote, its upper edge at `top` and its middle at `x`.
    #[must_use]
    pub fn of(vote: &Vote, size: BallotSize, lang: Lang, x: f64, top: f64) -> Ballot {
        let font = match size {
            BallotSize::Full => 12.0,
            BallotSize::Small | BallotSize::Mini => 11.0,
        };
        let (least, h) = size.size();
        let fields = if size == BallotSize::Mini {
            vec![match lang {
                Lang::En => format!("for {}", vote.leader),
                Lang::Zh => format!("投 {}", vote.leader),
            }]
        } else {
            vec![
                words::epoch(vote.epoch),
                words::zxid(vote.zxid),
                vote.leader.to_string(),
            ]
        };
        let mut widths: Vec<f64> = fields
            .iter()
            .map(|f| text_width(f, font, true) + 10.0)
            .collect();
        // The usual ballot has the usual width; longer numbers make it wider.
        let spare = (least - widths.iter().sum::<f64>()).max(0.0) / widths.len() as f64;
        widths.iter_mut().for_each(|w| *w += spare);
        let w: f64 = widths.iter().sum();
        Ballot {
            fields,
            widths,
            lit: None,
            tone: BallotTone::Plain,
            boxed: Rect::new(x - w / 2.0, top, w, h),
            font,
        }
    }

    /// The place of a field among the three.
    #[must_use]
    pub const fn field(by: VoteField) -> Option<usize> {
        match by {
            VoteField::Epoch => Some(0),
            VoteField::Zxid => Some(1),
            VoteField::Id | VoteField::Weight => Some(2),
            VoteField::Same => None,
        }
    }
}

/// The four segments of the ring, from the first to the last.
#[must_use]
pub const fn segment(phase: Phase) -> usize {
    match phase {
        Phase::Election => 0,
        Phase::Discovery => 1,
        Phase::Synchronisation => 2,
        Phase::Broadcast => 3,
    }
}

/// A server.
#[derive(Clone, Debug, PartialEq)]
pub struct ServerGlyph {
    /// Its id.
    pub id: ServerId,
    /// Its middle.
    pub at: Pt,
    /// Size; 1 is a ring of radius 42.
    pub scale: f64,
    /// Its shape.
    pub role: Role,
    /// Whether it votes: an observer that looks is a hollow square.
    pub voter: bool,
    /// Which segment of the ring.
    pub phase: Phase,
    /// Decides hue and pattern.
    pub epoch: Epoch,
    /// Last zxid.
    pub zxid: Zxid,
    /// It, drawn.
    pub plate: Plate,
    /// LOOKING: what it votes for.
    pub ballot: Option<Ballot>,
    /// The line below.
    pub note: String,
    /// Base line of the note.
    pub note_y: f64,
    /// What the note is about.
    pub note_tone: Tone,
    /// It stands still.
    pub paused: bool,
    /// Its disk is slower than it was.
    pub slow_disk: bool,
    /// It is down only because it has not started yet.
    pub starting: bool,
    /// It is chosen.
    pub picked: bool,
    /// Accessible name.
    pub name: String,
    /// All that it covers.
    pub boxes: Vec<Rect>,
}

/// What a text is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Nothing special.
    Quiet,
    /// A fault.
    Fault,
    /// Allowed, but surprising.
    Allowed,
    /// It is about what is chosen.
    Chosen,
}

/// All servers.
#[must_use]
pub fn servers(sight: &Sight, places: &Places, pick: &Pick, lang: Lang) -> Vec<ServerGlyph> {
    let draw = |s: &ServerSight| {
        let at = *places.servers.get(&s.id)?;
        Some(server(s, at, places, pick, lang))
    };
    sight.servers.iter().filter_map(draw).collect()
}

fn server(s: &ServerSight, at: Pt, places: &Places, pick: &Pick, lang: Lang) -> ServerGlyph {
    let shape = places.shape(s.voter);
    let (pw, ph) = shape.plate();
    let plate = Plate::of(
        s.zxid,
        Rect::new(at.x - pw / 2.0, at.y + shape.plate_top(), pw, ph),
    );
    let looking = s.role == Role::Looking;
    let ballot = s
        .vote
        .filter(|v| looking && v.leader != ServerId::NOBODY)
        .map(|v| Ballot::of(&v, places.ballot, lang, at.x, at.y + shape.ballot_top()));
    let short = places.compact || places.scale < 0.8;
    let (note, note_tone) = if s.paused && s.role != Role::Down {
        (lang.of("paused", "已暂停").to_owned(), Tone::Allowed)
    } else if s.starting {
        (lang.of("starts soon", "即将启动").to_owned(), Tone::Quiet)
    } else if s.role == Role::Down {
        (lang.note(s.role, s.phase, s.round, short), Tone::Fault)
    } else if let Some(z) = &s.znode {
        let text = match &z.data {
            Some((data, version)) => format!("{data} v{version}"),
            None => lang.of("not there", "没有").to_owned(),
        };
        let tone = if z.newest {
            Tone::Chosen
        } else {
            Tone::Allowed
        };
        (text, tone)
    } else if s.behind > 0 && s.phase == Phase::Broadcast {
        (lang.behind(s.behind, short), Tone::Allowed)
    } else {
        (lang.note(s.role, s.phase, s.round, short), Tone::Quiet)
    };
    let mut boxes = shape.boxes(at);
    if let Some(b) = &ballot {
        boxes.push(b.boxed);
    }
    ServerGlyph {
        id: s.id,
        at,
        scale: places.scale,
        role: s.role,
        voter: s.voter,
        phase: s.phase,
        epoch: s.epoch,
        zxid: s.zxid,
        plate,
        note_y: at.y + shape.note_base(ballot.is_some()),
        ballot,
        note,
        note_tone,
        paused: s.paused,
        slow_disk: s.slow_disk.0 > 0,
        starting: s.starting,
        picked: *pick == Pick::Server(s.id),
        name: lang.server_name(s.id, s.role, s.epoch, s.zxid, s.paused),
        boxes,
    }
}

/// A client and its tether.
#[derive(Clone, Debug, PartialEq)]
pub struct ClientGlyph {
    /// Its number.
    pub no: u16,
    /// Its letter.
    pub label: String,
    /// Its middle.
    pub at: Pt,
    /// Half its side.
    pub half: f64,
    /// From its outline to the server's; absent when it is connected to nobody.
    pub tether: Option<(Pt, Pt)>,
    /// The connection stands; otherwise the tether is dashed.
    pub connected: bool,
    /// Its session has ended.
    pub over: bool,
    /// Its machine stands still.
    pub paused: bool,
    /// When its server last heard from it: the ring drains from then on.
    pub heard: Moment,
    /// In how long it is empty; zero: there is no session.
    pub timeout: Span,
    /// It is chosen.
    pub picked: bool,
    /// Accessible name.
    pub name: String,
    /// What it covers, with its ring.
    pub boxed: Rect,
}

impl ClientGlyph {
    /// How much of the session's time is left at `now`, 0 to 1.
    #[must_use]
    pub fn left(&self, now: f64) -> f64 {
        if self.timeout.0 == 0 {
            return 0.0;
        }
        (1.0 - (now - self.heard.0 as f64) / self.timeout.0 as f64).clamp(0.0, 1.0)
    }
}

/// All clients.
#[must_use]
pub fn clients(sight: &Sight, places: &Places, pick: &Pick, lang: Lang) -> Vec<ClientGlyph> {
    let draw = |c: &ClientSight| {
        let at = *places.clients.get(&c.no)?;
        let half = places.client_half;
        let tether = c.server.filter(|_| !c.over).and_then(|s| {
            let to = *places.servers.get(&s)?;
            let d = at.distance(to).max(1.0);
            let r = 46.0 * places.scale;
            Some((
                at.towards(to, (half + 6.0) / d),
                at.towards(to, 1.0 - r / d),
            ))
        });
        let label = words::client_letter(c.no.0);
        let state = if c.over {
            lang.of("session over", "会话已结束").to_owned()
        } else {
            match (lang, c.server) {
                (Lang::En, Some(s)) if c.connected => format!("connected to server {s}"),
                (Lang::Zh, Some(s)) if c.connected => format!("已连接到服务器 {s}"),
                (Lang::En, Some(s)) => format!("calls server {s}"),
                (Lang::Zh, Some(s)) => format!("正在连接服务器 {s}"),
                (_, None) => lang.of("not connected", "未连接").to_owned(),
            }
        };
        Some(ClientGlyph {
            no: c.no.0,
            name: match lang {
                Lang::En => format!("Client {label}, {state}"),
                Lang::Zh => format!("客户端 {label}，{state}"),
            },
            label,
            at,
            half,
            tether,
            connected: c.connected,
            over: c.over,
            paused: c.paused,
            heard: c.heard,
            timeout: c.timeout,
            picked: *pick == Pick::Client(c.no),
            boxed: Rect::round(at, half + 7.0, half + 7.0),
        })
    };
    sight.clients.iter().filter_map(draw).collect()
}

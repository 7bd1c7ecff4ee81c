//! What a card is made of, and the pen that places it line by line.

use super::{Card, Kind};
use crate::scene::{
    geometry::{Pt, Rect, text_width},
    glyph::{Ballot, Plate},
    words::{self, Lang},
};
use std::collections::{BTreeMap, BTreeSet};
use zabscope_core::{
    id::{Epoch, ServerId, Zxid},
    quorum::{Quorum, QuorumRule},
};

/// One thing on a card.
#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    /// A line of text.
    Text(Text),
    /// A vote.
    Ballot(Ballot),
    /// A zxid.
    Plate(Plate),
    /// Slots for voters with a notch at quorum.
    Tally(Tally),
    /// A transaction.
    Block(Block),
    /// One voter's slot beside a proposal.
    Slot(Slot),
    /// A thin line; dashed: what belongs together.
    Line {
        /// From.
        from: Pt,
        /// To.
        to: Pt,
        /// Dashed.
        dashed: bool,
    },
    /// Where a log is cut.
    Cut {
        /// Upper end.
        from: Pt,
        /// Lower end.
        to: Pt,
    },
    /// A box round something.
    Frame(Rect),
    /// The whole tree, in one piece.
    Crate {
        /// Where.
        boxed: Rect,
        /// Decides hue and pattern.
        epoch: Epoch,
        /// What is written on it.
        label: String,
        /// Not there yet.
        coming: bool,
    },
    /// A server in small, for the legend.
    Sample {
        /// Its middle.
        at: Pt,
        /// `leading`, `following`, `observing`, `looking`, `down`.
        role: crate::scene::sight::Role,
    },
}

/// A line of text.
#[derive(Clone, Debug, PartialEq)]
pub struct Text {
    /// Base line.
    pub at: Pt,
    /// What.
    pub text: String,
    /// Size of the letters.
    pub size: f64,
    /// The face for numbers.
    pub mono: bool,
    /// Bold.
    pub strong: bool,
    /// Which end `at` is.
    pub align: Align,
    /// Colour.
    pub ink: TextInk,
}

/// Which end of a text its place is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// It begins there.
    Start,
    /// Its middle is there.
    Middle,
    /// It ends there.
    End,
}

/// A text's colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextInk {
    /// To be read.
    Ink,
    /// To be found.
    Quiet,
    /// What is chosen or decides.
    Accent,
    /// A fault.
    Fault,
    /// Allowed, but surprising.
    Allowed,
    /// Of an epoch.
    Epoch(Epoch),
}

/// Slots for voters.
#[derive(Clone, Debug, PartialEq)]
pub struct Tally {
    /// (x, width, label, filled).
    pub slots: Vec<(f64, f64, String, bool)>,
    /// Where a quorum is reached.
    pub notches: Vec<TallyNotch>,
    /// Upper edge.
    pub y: f64,
    /// Side of a slot of weight 1.
    pub side: f64,
    /// Below the notch.
    pub caption: String,
    /// Where it is written.
    pub caption_at: Pt,
}

/// The place where a group's majority is reached.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TallyNotch {
    /// Where.
    pub x: f64,
    /// It is reached.
    pub reached: bool,
}

/// A transaction in a log or in a tray.
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    /// Names it among the blocks of its card, so that it can move.
    pub key: String,
    /// Which.
    pub zxid: Zxid,
    /// Where.
    pub boxed: Rect,
    /// How.
    pub look: BlockLook,
    /// In the log, not on disk: a dashed bar. On disk: a solid one.
    pub disk: Option<bool>,
    /// How it came here.
    pub motion: Motion,
}

/// How a block looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlockLook {
    /// Done.
    Solid,
    /// Proposed.
    Dashed,
    /// Not there, will be.
    Missing,
    /// Cut away.
    Cut,
}

/// How a block came to its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Motion {
    /// It was there.
    Still,
    /// It slid in.
    In,
    /// It fell.
    Fall,
}

/// How far a voter is with a proposal.
#[derive(Clone, Debug, PartialEq)]
pub struct Slot {
    /// Where.
    pub boxed: Rect,
    /// Whose.
    pub label: String,
    /// How far.
    pub mark: crate::scene::sight::Mark,
    /// In words, for a tool tip.
    pub name: String,
}

/// Places items from top to bottom.
pub struct Pen {
    area: Rect,
    /// Left edge of the content.
    pub x: f64,
    /// Width of the content.
    pub w: f64,
    /// Where the next line begins.
    pub y: f64,
    /// Less room: a phone.
    pub compact: bool,
    /// The language.
    pub lang: Lang,
    /// What there is so far.
    pub items: Vec<Item>,
}

impl Pen {
    /// Begins below the title.
    pub fn new(area: Rect, compact: bool, lang: Lang) -> Pen {
        let pad = if compact { 12.0 } else { 16.0 };
        Pen {
            area,
            x: area.x + pad,
            w: area.w - 2.0 * pad,
            y: area.y + if compact { 30.0 } else { 40.0 },
            compact,
            lang,
            items: Vec::new(),
        }
    }

    /// How many rows of this height fit below here and above `foot`.
    pub fn rows(&self, each: f64, foot: f64) -> usize {
        let room = self.area.bottom() - self.y - foot;
        (room / each).floor().max(1.0) as usize
    }

    /// Right edge of the content.
    pub fn right(&self) -> f64 {
        self.x + self.w
    }

    /// More or less, by the room there is.
    pub fn room(&self, wide: f64, compact: f64) -> f64 {
        if self.compact { compact } else { wide }
    }

    /// Ends the card where the pen stands.
    pub fn card(self, kind: Kind, title: String, aside: String) -> Card {
        let h = (self.y - self.area.y + self.room(12.0, 6.0)).min(self.area.h);
        Card {
            kind,
            boxed: Rect::new(self.area.x, self.area.y, self.area.w, h),
            title,
            aside,
            items: self.items,
        }
    }

    /// Writes.
    pub fn text(
        &mut self,
        x: f64,
        base: f64,
        text: impl Into<String>,
        size: f64,
        change: impl FnOnce(&mut Text),
    ) {
        let mut t = Text {
            at: Pt::new(x, base),
            text: text.into(),
            size,
            mono: false,
            strong: false,
            align: Align::Start,
            ink: TextInk::Ink,
        };
        change(&mut t);
        self.items.push(Item::Text(t));
    }

    /// A hairline over the whole width.
    pub fn rule(&mut self) {
        self.items.push(Item::Line {
            from: Pt::new(self.x, self.y),
            to: Pt::new(self.right(), self.y),
            dashed: false,
        });
    }

    /// Width and height of a block.
    pub fn block_size(&self) -> (f64, f64) {
        (46.0, self.room(26.0, 22.0))
    }

    /// A tally with its title above; the pen goes below it.
    pub fn tally(&mut self, title: &str, quorum: &Quorum, filled: &BTreeSet<ServerId>) {
        let size = self.room(12.0, 11.0);
        self.y += self.room(14.0, 12.0);
        self.text(self.x, self.y, title, size, |t| t.ink = TextInk::Quiet);
        self.y += 6.0;
        let item = tally(self.x, self.y, self.w, quorum, filled, self.lang);
        self.y = item.caption_at.y + 4.0;
        self.items.push(Item::Tally(item));
    }
}

/// Makes a tally: who counts stands first, so that the notch tells.
pub fn tally(
    x: f64,
    y: f64,
    width: f64,
    quorum: &Quorum,
    filled: &BTreeSet<ServerId>,
    lang: Lang,
) -> Tally {
    let mut groups: BTreeMap<u32, Vec<ServerId>> = BTreeMap::new();
    let by_group = match quorum.rule() {
        QuorumRule::Majority => {
            groups.insert(0, quorum.voters().iter().copied().collect());
            false
        }
        QuorumRule::Groups { group, .. } => {
            for v in quorum.voters() {
                if let Some(g) = group.get(v) {
                    groups.entry(*g).or_default().push(*v);
                }
            }
            true
        }
    };
    groups.retain(|_, of| of.iter().any(|v| quorum.weight(*v) > 0));
    let weights: u64 = groups.values().flatten().map(|v| quorum.weight(*v)).sum();
    let count = groups.values().map(Vec::len).sum::<usize>() as f64;
    let gaps = 4.0 * count + 10.0 * groups.len() as f64;
    let unit = ((width - gaps) / (weights.max(1) as f64)).clamp(5.0, 18.0);
    let side = unit.max(16.0);
    let mut slots = Vec::new();
    let mut notches = Vec::new();
    let mut at = x;
    for of in groups.values_mut() {
        of.sort_by_key(|v| (!filled.contains(v), *v));
        let all: u64 = of.iter().map(|v| quorum.weight(*v)).sum();
        let mut with = 0;
        let mut notch = None;
        let mut have = 0;
        for v in of.iter() {
            let weight = quorum.weight(*v);
            let w = (unit * weight as f64).max(10.0);
            let has = filled.contains(v);
            slots.push((at, w, v.to_string(), has));
            at += w + 4.0;
            with += weight;
            have += if has { weight } else { 0 };
            if notch.is_none() && with * 2 > all {
                notch = Some(at - 2.0);
            }
        }
        if let Some(x) = notch {
            notches.push(TallyNotch {
                x,
                reached: have * 2 > all,
            });
        }
        at += 10.0;
    }
    let won = notches.iter().filter(|n| n.reached).count();
    let caption = if by_group {
        match lang {
            Lang::En => format!(
                "{won} of {} groups; {} are a quorum",
                notches.len(),
                notches.len() / 2 + 1
            ),
            Lang::Zh => format!(
                "{} 组中的 {won} 组，需要 {} 组",
                notches.len(),
                notches.len() / 2 + 1
            ),
        }
    } else {
        lang.of("quorum", "法定人数").to_owned()
    };
    let half = text_width(&caption, 11.0, false) / 2.0;
    let middle = notches.first().map_or(x, |n| n.x).max(x + half);
    Tally {
        slots,
        caption_at: Pt::new(middle, y + side + 20.0),
        notches,
        y,
        side,
        caption,
    }
}

/// `1·09 > 1·07`.
pub fn relation(a: String, b: String, order: core::cmp::Ordering) -> String {
    let sign = match order {
        core::cmp::Ordering::Less => "<",
        core::cmp::Ordering::Equal => "=",
        core::cmp::Ordering::Greater => ">",
    };
    format!("{a} {sign} {b}")
}

/// Short for [`words::zxid`].
pub fn z(zxid: Zxid) -> String {
    words::zxid(zxid)
}

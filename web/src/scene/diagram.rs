//! The space-time diagram: servers and clients as lanes, virtual time from left to right, messages as
//! slanted arrows. Plain data: a [`View`] and an index over the run give a [`Picture`].
//!
//! * [`index`]: what a run's lanes and arrows are; grows with the run, a step at a time.
//! * Here: what of it is seen between two moments at a given size. Only what is visible is looked at, and
//!   what is below a pixel is drawn as one: a picture has at most so many shapes as its size allows,
//!   however long the run is.

pub mod index;

#[cfg(test)]
mod tests;

pub use index::{Arrow, Band, BandKind, Carried, Fate, Index};

use super::{geometry::length, sight::End};
use std::collections::BTreeSet;
use zabscope_core::id::Epoch;

/// A lane is at least so high, so that its name can be pressed.
pub const LANE: f64 = 24.0;
/// The axis of time, above the lanes.
pub const AXIS: f64 = 26.0;
/// An arrow that is less wide is drawn with its neighbours as one.
const THIN: f64 = 1.5;
/// So many arrows are drawn on their own at most.
pub const ARROWS: usize = 2500;
/// The shortest stretch of time that is shown, in µs.
pub const CLOSEST: f64 = 500.0;

/// What is looked at, and how large.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct View {
    /// From this moment on, in µs; may be before the beginning.
    pub from: f64,
    /// Up to this moment.
    pub to: f64,
    /// Pixels for that.
    pub width: f64,
    /// Pixels from the top of the axis to the bottom of the last lane.
    pub height: f64,
}

impl View {
    /// Where a moment is.
    #[must_use]
    pub fn x(&self, at: u64) -> f64 {
        (at as f64 - self.from) / (self.to - self.from) * self.width
    }

    /// Which moment is there, in µs.
    #[must_use]
    pub fn at(&self, x: f64) -> f64 {
        self.from + x / self.width.max(1.0) * (self.to - self.from)
    }

    /// Moved by so many pixels to later moments.
    #[must_use]
    pub fn panned(self, pixels: f64, end: u64) -> View {
        let by = pixels / self.width.max(1.0) * (self.to - self.from);
        self.shown(self.from + by, self.to + by, end)
    }

    /// Nearer (a factor below 1) or farther; what is at `x` stays there.
    #[must_use]
    pub fn zoomed(self, factor: f64, x: f64, end: u64) -> View {
        let length = (self.to - self.from) * factor;
        let length = length.clamp(CLOSEST, (end as f64 * 1.1).max(CLOSEST * 20.0));
        let (part, at) = (x / self.width.max(1.0), self.at(x));
        self.shown(at - part * length, at + (1.0 - part) * length, end)
    }

    /// So that a moment is in sight, if it is not.
    #[must_use]
    pub fn following(self, at: u64) -> View {
        let (at, length) = (at as f64, self.to - self.from);
        if at > self.to - length * 0.06 {
            let from = at - length * 0.75;
            return View {
                from,
                to: from + length,
                ..self
            };
        }
        if at < self.from {
            let from = at - length * 0.25;
            return View {
                from,
                to: from + length,
                ..self
            };
        }
        self
    }

    /// Between these moments; never so that nothing of the run is in sight.
    fn shown(self, from: f64, to: f64, end: u64) -> View {
        let length = to - from;
        let from = from.clamp(
            -length * 0.5,
            (end as f64 - length * 0.5).max(-length * 0.5),
        );
        View {
            from,
            to: from + length,
            ..self
        }
    }
}

/// A lane.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LaneLine {
    /// Whose.
    pub end: End,
    /// The height of its middle.
    pub y: f64,
}

/// A stretch of a lane in one state.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BandShape {
    /// From here.
    pub x0: f64,
    /// To here.
    pub x1: f64,
    /// The middle of the lane.
    pub y: f64,
    /// What the server or client is.
    pub kind: BandKind,
    /// In which epoch, if it leads or follows.
    pub epoch: Epoch,
    /// Nothing follows: a server goes down here, or a client's connection ends.
    pub falls: bool,
}

/// A message.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Line {
    /// Its number in the index.
    pub arrow: u32,
    /// From here.
    pub from: (f64, f64),
    /// To here: where it arrives, where it was cut, or how far it is known to have come.
    pub to: (f64, f64),
    /// What became of it.
    pub fate: Fate,
    /// It only keeps something alive.
    pub heartbeat: bool,
}

/// Messages that are below a pixel, drawn as one: an upright stroke between two neighbouring lanes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stroke {
    /// Where.
    pub x: f64,
    /// From the middle of this lane.
    pub y0: f64,
    /// To the middle of the next.
    pub y1: f64,
    /// How many pass here; at most 255.
    pub count: u8,
}

/// Something that happened on a lane.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dot {
    /// Where.
    pub x: f64,
    /// Where.
    pub y: f64,
    /// The newest record that it stands for.
    pub record: u32,
    /// A turning point.
    pub headline: bool,
}

/// What is drawn.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Picture {
    /// One for each server and client.
    pub lanes: Vec<LaneLine>,
    /// States.
    pub bands: Vec<BandShape>,
    /// Messages on their own, oldest first.
    pub lines: Vec<Line>,
    /// Messages drawn as one.
    pub strokes: Vec<Stroke>,
    /// What happened on the lanes.
    pub dots: Vec<Dot>,
    /// Round moments: where, and which, in µs.
    pub ticks: Vec<(f64, u64)>,
    /// So many messages are in sight.
    pub messages: usize,
}

impl Picture {
    /// How many shapes have to be drawn.
    #[must_use]
    pub fn shapes(&self) -> usize {
        self.lanes.len()
            + self.bands.len()
            + self.lines.len()
            + self.strokes.len()
            + self.dots.len()
            + self.ticks.len()
    }

    /// The message nearest to a point, if one is near.
    #[must_use]
    pub fn line_at(&self, x: f64, y: f64) -> Option<u32> {
        let near = self.lines.iter().map(|l| (distance(l, x, y), l.arrow));
        near.filter(|(d, _)| *d < 7.0)
            .min_by(|a, b| a.0.total_cmp(&b.0))
            .map(|(_, arrow)| arrow)
    }

    /// The record told by the dot nearest to a point, if one is near.
    #[must_use]
    pub fn dot_at(&self, x: f64, y: f64) -> Option<u32> {
        let near = self
            .dots
            .iter()
            .map(|d| (length(d.x - x, d.y - y), d.record));
        near.filter(|(d, _)| *d < 6.0)
            .min_by(|a, b| a.0.total_cmp(&b.0))
            .map(|(_, record)| record)
    }
}

fn distance(line: &Line, x: f64, y: f64) -> f64 {
    let ((x0, y0), (x1, y1)) = (line.from, line.to);
    let (dx, dy) = (x1 - x0, y1 - y0);
    let part = ((x - x0) * dx + (y - y0) * dy) / (dx * dx + dy * dy).max(1e-6);
    let part = part.clamp(0.0, 1.0);
    length(x - x0 - part * dx, y - y0 - part * dy)
}

/// What is seen. `always` are messages that are drawn on their own however small they are: the chosen
/// one, what led to it and what came of it.
#[must_use]
pub fn picture(index: &Index, view: &View, heartbeats: bool, always: &[u32]) -> Picture {
    let lanes = index.lanes();
    let pitch = (view.height - AXIS) / lanes.len().max(1) as f64;
    let middle = |lane: usize| AXIS + (lane as f64 + 0.5) * pitch;
    let (from, to) = (view.from.max(0.0) as u64, view.to.max(0.0) as u64);
    let mut out = Picture {
        ticks: ticks(view),
        ..Picture::default()
    };
    for (no, lane) in lanes.iter().enumerate() {
        let y = middle(no);
        out.lanes.push(LaneLine { end: lane.end, y });
        bands(&mut out.bands, lane.bands(from, to), view, y, index.end());
        dots(&mut out.dots, lane.facts(from, to), view, y);
    }

    let mut counts = vec![0_u8; 0];
    let gaps = lanes.len().saturating_sub(1);
    let columns = (view.width / 2.0).ceil().max(1.0) as usize;
    let mut drawn: BTreeSet<(u16, u16, i32)> = BTreeSet::new();
    index.visible(from, to, |no, arrow| {
        if arrow.heartbeat && !heartbeats {
            return;
        }
        out.messages += 1;
        let line = line(no, arrow, view, &middle, index.end());
        let (x0, x1) = (line.from.0, line.to.0);
        let must = always.contains(&no);
        // Of messages between the same two in the same pixel one is seen.
        let alone = x1 - x0 >= THIN && drawn.insert((arrow.from, arrow.to, x0 as i32));
        if must || alone {
            out.lines.push(line);
        } else if x1 - x0 < THIN {
            if counts.is_empty() {
                counts = vec![0; columns * gaps];
            }
            let column = (x0.max(0.0) / 2.0) as usize;
            let (a, b) = (arrow.from.min(arrow.to), arrow.from.max(arrow.to));
            for gap in usize::from(a)..usize::from(b) {
                if let Some(count) = counts.get_mut(column.min(columns - 1) * gaps + gap) {
                    *count = count.saturating_add(1);
                }
            }
        }
    });
    thin_out(&mut out.lines, always);
    for (at, count) in counts.iter().enumerate().filter(|(_, c)| **c > 0) {
        out.strokes.push(Stroke {
            x: (at / gaps) as f64 * 2.0 + 1.0,
            y0: middle(at % gaps),
            y1: middle(at % gaps + 1),
            count: *count,
        });
    }
    out
}

/// Of too many lines every second, third, … is drawn.
fn thin_out(lines: &mut Vec<Line>, always: &[u32]) {
    let every = lines.len().div_ceil(ARROWS);
    if every > 1 {
        let mut at = 0;
        lines.retain(|l| {
            at += 1;
            at % every == 0 || always.contains(&l.arrow)
        });
    }
}

fn line(no: u32, arrow: &Arrow, view: &View, middle: &dyn Fn(usize) -> f64, known: u64) -> Line {
    let (y0, y1) = (
        middle(usize::from(arrow.from)),
        middle(usize::from(arrow.to)),
    );
    let from = (view.x(arrow.sent), y0);
    let way = arrow.arrives.saturating_sub(arrow.sent).max(1) as f64;
    let to = match arrow.fate {
        Fate::Arrived => (view.x(arrow.end), y1),
        Fate::Lost | Fate::UnderWay => {
            let until = if arrow.fate == Fate::Lost {
                arrow.end
            } else {
                known.min(arrow.arrives)
            };
            let part = (until.saturating_sub(arrow.sent) as f64 / way).min(1.0);
            // What was cut at once is seen all the same.
            let part = part.max(9.0 / (y1 - y0).abs().max(9.0));
            let x = view.x(until).max(from.0 + 3.0);
            (x, y0 + (y1 - y0) * part)
        }
    };
    Line {
        arrow: no,
        from,
        to,
        fate: arrow.fate,
        heartbeat: arrow.heartbeat,
    }
}

fn bands<'a>(
    out: &mut Vec<BandShape>,
    bands: impl Iterator<Item = &'a Band>,
    view: &View,
    y: f64,
    known: u64,
) {
    let mut last = f64::MIN;
    let mut bands = bands.peekable();
    while let Some(band) = bands.next() {
        let x0 = view.x(band.from).max(-4.0);
        let x1 = view.x(band.to.min(known)).min(view.width + 4.0);
        // What ends in the pixel in which something else has ended already is not seen.
        if x1 - last < 1.0 && x1 - x0 < 1.0 {
            continue;
        }
        last = x1;
        out.push(BandShape {
            x0,
            x1: x1.max(x0 + 1.0),
            y,
            kind: band.kind,
            epoch: band.epoch,
            falls: band.to < known && bands.peek().is_none_or(|next| next.from > band.to),
        });
    }
}

fn dots<'a>(out: &mut Vec<Dot>, facts: impl Iterator<Item = &'a index::Told>, view: &View, y: f64) {
    let first = out.len();
    for fact in facts {
        let dot = Dot {
            x: view.x(fact.at),
            y,
            record: fact.record,
            headline: fact.headline,
        };
        match out[first..].last_mut() {
            // Of several in four pixels one is seen: the last, or the last turning point.
            Some(before) if dot.x - before.x < 4.0 => {
                if dot.headline || !before.headline {
                    let x = before.x;
                    *before = Dot { x, ..dot };
                }
            }
            _ => out.push(dot),
        }
    }
}

/// Round moments, about a hundred pixels apart.
fn ticks(view: &View) -> Vec<(f64, u64)> {
    let wanted = (view.to - view.from) / (view.width / 100.0).max(1.0);
    let mut every = 100_u64;
    for factor in [2, 5, 10].into_iter().cycle() {
        if every as f64 >= wanted || every >= 1 << 50 {
            break;
        }
        // 100, 200, 500, 1000, …
        every = match factor {
            2 => every * 2,
            5 => every / 2 * 5,
            _ => every / 5 * 10,
        };
    }
    let first = (view.from.max(0.0) / every as f64).ceil() as u64;
    (first..)
        .map(|n| n * every)
        .take_while(|at| (*at as f64) <= view.to)
        .take(64)
        .map(|at| (view.x(at), at))
        .collect()
}

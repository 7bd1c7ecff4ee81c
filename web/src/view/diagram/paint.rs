//! The picture on a canvas. Every colour is one of the page's.

use super::super::bits::{epoch, seconds};
use crate::scene::{
    diagram::{AXIS, BandKind, Fate, Line, Picture},
    geometry::length,
};
use js_sys::Array;
use wasm_bindgen::{JsCast as _, JsValue};
use web_sys::{CanvasRenderingContext2d as Pen, HtmlCanvasElement};
use zabscope_core::{id::Epoch, time::Moment};

/// The colours, as the page has them at the moment.
#[derive(Default)]
pub struct Colours {
    ink: String,
    ink2: String,
    ink3: String,
    line: String,
    line2: String,
    accent: String,
    fault: String,
    paper: String,
    sunken: String,
    epochs: Vec<(String, String)>,
    mono: String,
}

impl Colours {
    /// Reads them.
    pub fn read() -> Colours {
        let style = web_sys::window().and_then(|w| {
            let root = w.document()?.document_element()?;
            w.get_computed_style(&root).ok()?
        });
        let get = |name: &str| {
            let value = style.as_ref().and_then(|s| s.get_property_value(name).ok());
            value.unwrap_or_default().trim().to_owned()
        };
        Colours {
            ink: get("--ink"),
            ink2: get("--ink-2"),
            ink3: get("--ink-3"),
            line: get("--line"),
            line2: get("--line-2"),
            accent: get("--accent"),
            fault: get("--fault"),
            paper: get("--paper"),
            sunken: get("--sunken"),
            epochs: (0..6)
                .map(|n| {
                    let name = ["--e", &n.to_string()].concat();
                    (get(&name), get(&[&name, "-soft"].concat()))
                })
                .collect(),
            mono: ["11px ", &get("--mono")].concat(),
        }
    }

    fn epoch(&self, epoch: Epoch) -> (&str, &str) {
        let at = epoch.0.rem_euclid(6) as usize;
        match self.epochs.get(at).filter(|_| epoch.0 >= 0) {
            Some((strong, soft)) => (strong, soft),
            None => (&self.line2, &self.sunken),
        }
    }
}

/// What is marked in a picture.
pub struct Marks<'a> {
    /// Where the cursor is.
    pub cursor: f64,
    /// The message that one looks at.
    pub chosen: Option<u32>,
    /// What led to it and what came of it.
    pub related: &'a [u32],
    /// Messages from or to this lane are lit.
    pub lane: Option<f64>,
    /// Faults: where.
    pub faults: &'a [f64],
    /// Bookmarks: where.
    pub bookmarks: &'a [f64],
    /// Names on messages.
    pub name: &'a dyn Fn(u32) -> String,
}

fn dashes(pen: &Pen, pattern: &[f64]) {
    let array: Array = pattern.iter().map(|d| JsValue::from_f64(*d)).collect();
    let _ = pen.set_line_dash(&array);
}

fn stroke(pen: &Pen, colour: &str, width: f64) {
    pen.set_stroke_style_str(colour);
    pen.set_line_width(width);
    pen.stroke();
}

fn segment(pen: &Pen, from: (f64, f64), to: (f64, f64)) {
    pen.move_to(from.0, from.1);
    pen.line_to(to.0, to.1);
}

fn cross(pen: &Pen, x: f64, y: f64, r: f64) {
    segment(pen, (x - r, y - r), (x + r, y + r));
    segment(pen, (x - r, y + r), (x + r, y - r));
}

fn rect(pen: &Pen, colour: &str, x: f64, y: f64, w: f64, h: f64) {
    pen.set_fill_style_str(colour);
    pen.fill_rect(x, y, w, h);
}

fn letters(pen: &Pen, colour: &str, text: &str, x: f64, y: f64) {
    pen.set_fill_style_str(colour);
    let _ = pen.fill_text(text, x, y);
}

/// Draws all of it.
pub fn paint(
    canvas: &HtmlCanvasElement,
    size: (f64, f64),
    p: &Picture,
    marks: &Marks<'_>,
    c: &Colours,
) {
    let (width, height) = size;
    let ratio = web_sys::window().map_or(1.0, |w| w.device_pixel_ratio());
    let (w, h) = ((width * ratio) as u32, (height * ratio) as u32);
    let resized = (canvas.width(), canvas.height()) != (w, h);
    if resized {
        canvas.set_width(w);
        canvas.set_height(h);
    }
    let Some(pen) = canvas
        .get_context("2d")
        .ok()
        .flatten()
        .and_then(|pen| pen.dyn_into::<Pen>().ok())
    else {
        return;
    };
    let pen = &pen;
    let _ = pen.set_transform(ratio, 0.0, 0.0, ratio, 0.0, 0.0);
    pen.clear_rect(0.0, 0.0, width, height);
    if resized {
        // A canvas forgets its font with its size; to name one is dear.
        pen.set_font(&c.mono);
    }
    axis(pen, height, p, marks, c);
    bands(pen, p, c);
    messages(pen, p, marks, c);
    dots(pen, p, c);
    // What has not happened yet is paler.
    if marks.cursor < width {
        pen.set_global_alpha(0.6);
        let from = marks.cursor.max(0.0);
        rect(pen, &c.paper, from, AXIS, width - from, height - AXIS);
        pen.set_global_alpha(1.0);
    }
    rect(pen, &c.ink, marks.cursor - 1.0, 2.0, 2.0, height - 2.0);
    lit(pen, p, marks, c);
}

fn axis(pen: &Pen, height: f64, p: &Picture, marks: &Marks<'_>, c: &Colours) {
    dashes(pen, &[]);
    pen.begin_path();
    for (x, _) in &p.ticks {
        segment(pen, (*x, AXIS - 5.0), (*x, height));
    }
    stroke(pen, &c.line, 1.0);
    for (x, at) in &p.ticks {
        letters(pen, &c.ink2, &seconds(Moment(*at)), x + 4.0, AXIS - 7.0);
    }
    pen.begin_path();
    dashes(pen, &[2.0, 3.0]);
    for x in marks.faults {
        segment(pen, (*x, AXIS - 6.0), (*x, height));
    }
    stroke(pen, &c.fault, 1.0);
    dashes(pen, &[]);
    pen.begin_path();
    for x in marks.bookmarks {
        segment(pen, (*x - 4.0, 2.0), (*x, 9.0));
        segment(pen, (*x, 9.0), (*x + 4.0, 2.0));
    }
    stroke(pen, &c.accent, 2.0);
}

fn bands(pen: &Pen, p: &Picture, c: &Colours) {
    for band in &p.bands {
        let (x, y, w) = (band.x0, band.y, band.x1 - band.x0);
        let (strong, soft) = c.epoch(band.epoch);
        match band.kind {
            BandKind::Leading => {
                rect(pen, soft, x, y - 6.0, w, 12.0);
                rect(pen, strong, x, y - 6.0, w, 2.0);
                rect(pen, strong, x, y + 4.0, w, 2.0);
            }
            BandKind::Following => rect(pen, strong, x, y - 1.5, w, 3.0),
            BandKind::Observing => {
                rect(pen, strong, x, y - 2.5, w, 1.0);
                rect(pen, strong, x, y + 1.5, w, 1.0);
            }
            BandKind::Joining => rect(pen, &c.ink2, x, y - 1.0, w, 2.0),
            BandKind::Connected => rect(pen, &c.line2, x, y - 1.0, w, 2.0),
            BandKind::Looking | BandKind::Paused => {
                let pause = band.kind == BandKind::Paused;
                if pause {
                    rect(pen, &c.sunken, x, y - 6.0, w, 12.0);
                }
                dashes(pen, if pause { &[2.0, 4.0] } else { &[5.0, 4.0] });
                pen.begin_path();
                segment(pen, (x, y), (x + w, y));
                stroke(pen, &c.ink3, 1.5);
                dashes(pen, &[]);
            }
        }
        // The number says what the colour does; it stays in sight.
        let visible = band.x1 - x.max(0.0);
        if visible > 24.0 && band.kind == BandKind::Leading {
            letters(pen, strong, &epoch(band.epoch), x.max(0.0) + 4.0, y + 4.0);
        } else if visible > 48.0 && band.epoch.0 >= 0 {
            letters(pen, strong, &epoch(band.epoch), x.max(0.0) + 4.0, y - 4.0);
        } else if visible > 24.0 && band.kind == BandKind::Paused {
            letters(pen, &c.ink2, "‖", x.max(0.0) + 4.0, y + 4.0);
        }
        if band.falls {
            pen.begin_path();
            cross(pen, band.x1, y, 4.0);
            let server = band.kind != BandKind::Connected;
            stroke(pen, if server { &c.fault } else { &c.ink3 }, 2.0);
        }
    }
}

fn messages(pen: &Pen, p: &Picture, marks: &Marks<'_>, c: &Colours) {
    for share in [1_u8, 4, 16] {
        // The more pass in a pixel, the darker.
        pen.begin_path();
        let from = share;
        let to = share.saturating_mul(4);
        for s in p
            .strokes
            .iter()
            .filter(|s| s.count >= from && (s.count < to || to > 60))
        {
            segment(pen, (s.x, s.y0), (s.x, s.y1));
        }
        pen.set_global_alpha(0.16 + 0.12 * f64::from(share.ilog2()));
        stroke(pen, &c.ink2, 1.5);
    }
    pen.set_global_alpha(1.0);
    let on_lane = |l: &&Line| {
        marks
            .lane
            .is_some_and(|y| (l.from.1 - y).abs() < 1.0 || (l.to.1 - y).abs() < 1.0)
    };
    let all = p.lines.len();
    let alpha = if marks.chosen.is_some() || marks.lane.is_some() || !marks.related.is_empty() {
        0.35
    } else {
        0.8
    };
    type Which<'a> = &'a dyn Fn(&&Line) -> bool;
    let plain: Which<'_> = &|l| l.fate == Fate::Arrived && !l.heartbeat && !on_lane(l);
    let beats: Which<'_> = &|l| l.fate != Fate::Lost && l.heartbeat && !on_lane(l);
    let flying: Which<'_> = &|l| l.fate == Fate::UnderWay && !l.heartbeat && !on_lane(l);
    let mine: Which<'_> = &|l| l.fate != Fate::Lost && on_lane(l);
    let groups: [(Which<'_>, &str, f64, f64); 4] = [
        (beats, &c.line2, 1.0, alpha * 0.8),
        (plain, &c.ink2, 1.2, alpha),
        (flying, &c.ink2, 1.2, alpha),
        (mine, &c.accent, 1.4, 0.9),
    ];
    for (which, colour, wide, alpha) in groups {
        pen.begin_path();
        for line in p.lines.iter().filter(which) {
            segment(pen, line.from, line.to);
            if all < 600 && line.fate == Fate::Arrived {
                head(pen, line);
            }
        }
        pen.set_global_alpha(alpha);
        stroke(pen, colour, wide);
    }
    pen.set_global_alpha(1.0);
    // What was cut ends in a cross where it was cut.
    pen.begin_path();
    for line in p.lines.iter().filter(|l| l.fate == Fate::Lost) {
        segment(pen, line.from, line.to);
        cross(pen, line.to.0, line.to.1, 3.0);
    }
    stroke(pen, &c.fault, 1.3);
    if all < 90 {
        names(pen, p, marks, c);
    }
}

/// The two strokes of an arrow's head.
fn head(pen: &Pen, line: &Line) {
    let (dx, dy) = (line.to.0 - line.from.0, line.to.1 - line.from.1);
    let length = length(dx, dy).max(1.0);
    let (ux, uy) = (dx / length * 6.0, dy / length * 6.0);
    let (x, y) = line.to;
    segment(pen, (x - ux - uy * 0.5, y - uy + ux * 0.5), (x, y));
    segment(pen, (x - ux + uy * 0.5, y - uy - ux * 0.5), (x, y));
}

/// Names, where there is room for them.
fn names(pen: &Pen, p: &Picture, marks: &Marks<'_>, c: &Colours) {
    let mut taken: Vec<(f64, f64, f64)> = Vec::new();
    for line in p.lines.iter().filter(|l| !l.heartbeat) {
        let name = (marks.name)(line.arrow);
        let wide = name.chars().count() as f64 * 6.8;
        let x = (line.from.0 + line.to.0) / 2.0 + 5.0;
        let y = (line.from.1 + line.to.1) / 2.0 + 3.0;
        let on_lane = p.lanes.iter().any(|l| (l.y - y + 3.0).abs() < 9.0);
        let near = |(tx, ty, tw): &(f64, f64, f64)| {
            (ty - y).abs() < 13.0 && x < tx + tw + 6.0 && *tx < x + wide + 6.0
        };
        if line.to.0 - line.from.0 < 24.0 || on_lane || taken.iter().any(near) {
            continue;
        }
        taken.push((x, y, wide));
        letters(pen, &c.ink2, &name, x, y);
    }
}

fn dots(pen: &Pen, p: &Picture, c: &Colours) {
    for headline in [false, true] {
        pen.begin_path();
        let r = if headline { 3.2 } else { 1.6 };
        for dot in p.dots.iter().filter(|d| d.headline == headline) {
            pen.move_to(dot.x + r, dot.y);
            let _ = pen.arc(dot.x, dot.y, r, 0.0, core::f64::consts::TAU);
        }
        pen.set_fill_style_str(if headline { &c.ink } else { &c.ink3 });
        pen.fill();
    }
}

/// The message one looks at, with its causes and effects, above everything else.
fn lit(pen: &Pen, p: &Picture, marks: &Marks<'_>, c: &Colours) {
    for line in &p.lines {
        let chosen = marks.chosen == Some(line.arrow);
        if !chosen && !marks.related.contains(&line.arrow) {
            continue;
        }
        pen.begin_path();
        segment(pen, line.from, line.to);
        head(pen, line);
        stroke(pen, &c.accent, if chosen { 3.0 } else { 1.8 });
    }
}

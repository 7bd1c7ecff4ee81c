//! Faults by hand. A server is dragged onto the card, which becomes the place for that while something is
//! dragged: to cut it off, crash it, pause it or slow its disk. Dragged onto another server, it loses the
//! link to it. Dragged over the ground, the mouse draws a wall between servers. The same again takes it
//! back. By keyboard all of it is done with keys, in the menus and in the panels.

use super::defs::n;
use crate::{
    scene::{
        Pick, Scene,
        geometry::{Pt, Rect, text_width},
        sight::Role,
        words::Lang,
    },
    state::hand::Blow,
};
use std::collections::BTreeSet;
use web_sys::Element;
use yew::prelude::*;
use zabscope_core::id::ServerId;

/// So many CSS pixels are still a click.
const CLICK: f64 = 8.0;
/// How near to a server it is dropped on it, in units of its scale.
const NEAR: f64 = 44.0;
/// The part of the card, from above, that cuts off.
const UPPER: f64 = 0.62;

/// What is held.
#[derive(Clone, Copy, Debug, PartialEq)]
enum What {
    /// A server.
    Server(ServerId),
    /// The end of a wall that begins here, in units of the viewBox once it has moved.
    Wall(Option<Pt>),
}

/// Something that is held.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Drag {
    what: What,
    /// Which finger or mouse holds it.
    pub pointer: i32,
    /// Where that began, in CSS pixels of the window.
    begun: Pt,
    /// Where it is now, in units of the viewBox; `None`: it may still become a click.
    pub at: Option<Pt>,
}

/// What comes of letting go.
#[derive(Clone, Debug, PartialEq)]
pub enum Dropped {
    /// These, and no others, are beyond a wall.
    Beyond(BTreeSet<ServerId>),
    /// This happens to that.
    Blow(Pick, Blow),
}

impl Drag {
    /// A press on a server, with the main button or a finger; or on the ground, with a mouse: there a
    /// finger scrolls.
    pub fn begin(event: &PointerEvent) -> Option<Drag> {
        if event.button() != 0 || !event.is_primary() {
            return None;
        }
        let target = event.target_dyn_into::<Element>()?;
        let server = target.closest("[data-server]").ok()?;
        let what = match server {
            Some(server) => {
                What::Server(ServerId(server.get_attribute("data-server")?.parse().ok()?))
            }
            None if target.get_attribute("class").as_deref() == Some("ground")
                && event.pointer_type() != "touch" =>
            {
                What::Wall(None)
            }
            None => return None,
        };
        Some(Drag {
            what,
            pointer: event.pointer_id(),
            begun: place(event),
            at: None,
        })
    }

    /// The same, moved; `None`: nothing to be seen of it yet.
    pub fn moved(mut self, event: &PointerEvent, svg: &Element, scene: &Scene) -> Option<Drag> {
        if event.pointer_id() != self.pointer {
            return None;
        }
        let now = place(event);
        if self.at.is_none() && now.distance(self.begun) < CLICK {
            return None;
        }
        if self.what == What::Wall(None) {
            self.what = What::Wall(Some(inside(self.begun, svg, scene)));
        }
        self.at = Some(inside(now, svg, scene));
        Some(self)
    }

    /// What it comes to when it is let go here.
    pub fn dropped(&self, scene: &Scene) -> Option<Dropped> {
        let at = self.at?;
        match self.what {
            What::Wall(from) => {
                let beyond = parted(scene, from?, at);
                (!beyond.is_empty()).then_some(Dropped::Beyond(beyond))
            }
            What::Server(id) => {
                let near = |s: &&crate::scene::glyph::ServerGlyph| {
                    s.id != id && s.at.distance(at) < NEAR * s.scale
                };
                if let Some(other) = scene.servers.iter().find(near) {
                    let (a, b) = (id.min(other.id), id.max(other.id));
                    return Some(Dropped::Blow(Pick::Link(a, b), Blow::Cut));
                }
                match zone(scene.card.boxed, at)? {
                    Blow::Cut => beyond(scene, id).map(Dropped::Beyond),
                    blow => Some(Dropped::Blow(Pick::Server(id), blow)),
                }
            }
        }
    }
}

/// Who is beyond the wall when this server changes sides; `None`: it can't, for nobody would be left.
fn beyond(scene: &Scene, id: ServerId) -> Option<BTreeSet<ServerId>> {
    let mut beyond = scene.beyond.clone();
    if !beyond.remove(&id) {
        beyond.insert(id);
    }
    (beyond.len() < scene.servers.len()).then_some(beyond)
}

/// The servers on the smaller side of a wall; none if all are on one side.
fn parted(scene: &Scene, from: Pt, to: Pt) -> BTreeSet<ServerId> {
    let side = |p: Pt| (to.x - from.x) * (p.y - from.y) - (to.y - from.y) * (p.x - from.x) > 0.0;
    let (one, other): (Vec<_>, Vec<_>) = scene.servers.iter().partition(|s| side(s.at));
    let smaller = if one.len() <= other.len() { one } else { other };
    smaller.into_iter().map(|s| s.id).collect()
}

/// The four places in the lower part of the card, from left to right.
const BELOW: [Blow; 4] = [Blow::Crash, Blow::CrashLosing, Blow::Pause, Blow::Slow];

/// What letting go here means.
fn zone(card: Rect, p: Pt) -> Option<Blow> {
    if p.x < card.x || p.x > card.right() || p.y < card.y || p.y > card.bottom() {
        return None;
    }
    if p.y < card.y + card.h * UPPER {
        return Some(Blow::Cut);
    }
    let at = (p.x - card.x) / card.w * BELOW.len() as f64;
    BELOW.get((at as usize).min(BELOW.len() - 1)).copied()
}

fn place(event: &PointerEvent) -> Pt {
    Pt::new(f64::from(event.client_x()), f64::from(event.client_y()))
}

/// From the window to the viewBox, which is drawn as large as fits, in the middle of the top.
fn inside(p: Pt, svg: &Element, scene: &Scene) -> Pt {
    let room = svg.get_bounding_client_rect();
    let scale = (room.width() / scene.width)
        .min(room.height() / scene.height)
        .max(1e-6);
    let left = (room.width() - scene.width * scale) / 2.0;
    Pt::new(
        (p.x - room.left() - left) / scale,
        (p.y - room.top()) / scale,
    )
}

/// What is held, and the places where it can be let go.
pub fn drag(drag: &Drag, scene: &Scene, lang: Lang) -> Html {
    let Some(at) = drag.at else {
        return Html::default();
    };
    match drag.what {
        What::Server(id) => server(id, at, scene, lang),
        What::Wall(from) => wall(from.unwrap_or(at), at, scene, lang),
    }
}

fn wall(from: Pt, at: Pt, scene: &Scene, lang: Lang) -> Html {
    let beyond = parted(scene, from, at);
    let names: Vec<String> = beyond.iter().map(|id| id.0.to_string()).collect();
    let names = names.join(", ");
    let text = match (beyond.is_empty(), lang) {
        (true, Lang::En) => "Draw it between servers".to_owned(),
        (true, Lang::Zh) => "画在服务器之间".to_owned(),
        (false, Lang::En) => format!("Wall: {names} | the others"),
        (false, Lang::Zh) => format!("隔墙：{names} | 其余"),
    };
    let middle = from.towards(at, 0.5);
    html! {
        <g class="dragging" aria-hidden="true">
            <line class="newwall" x1={n(from.x)} y1={n(from.y)} x2={n(at.x)} y2={n(at.y)} />
            <text class="strong a-middle halo" x={n(middle.x)} y={n(middle.y - 10.0)} font-size="16">{ text }</text>
        </g>
    }
}

fn server(id: ServerId, at: Pt, scene: &Scene, lang: Lang) -> Html {
    let back = scene.beyond.contains(&id);
    let home = scene.servers.iter().find(|s| s.id == id);
    let lines = match (beyond(scene, id).is_some(), back, lang) {
        (false, ..) => [
            lang.of("Somebody must stay.", "总得有人留下。").to_owned(),
            String::new(),
        ],
        (true, false, Lang::En) => [
            format!("Let go here: server {id} is cut off"),
            "On another server: their link is cut".to_owned(),
        ],
        (true, false, Lang::Zh) => [
            format!("在此松开：切断服务器 {id}"),
            "放到另一台服务器上：切断两者的链路".to_owned(),
        ],
        (true, true, Lang::En) => [
            format!("Let go here: server {id} is let back in"),
            "its links work again".to_owned(),
        ],
        (true, true, Lang::Zh) => [
            format!("在此松开：让服务器 {id} 回来"),
            "它的链路恢复畅通".to_owned(),
        ],
    };
    let card = scene.card.boxed;
    let Rect { x, y, w, h } = card;
    let over = zone(card, at);
    let fit = |line: &str, width: f64, most: f64| {
        n(((width - 12.0) / text_width(line, 1.0, false).max(1.0)).min(most))
    };
    let centre = card.centre();
    let upper = h * UPPER;
    let quarter = w / BELOW.len() as f64;
    let paused = home.is_some_and(|s| s.paused);
    let down = home.is_some_and(|s| s.role == Role::Down);
    let slow = home.is_some_and(|s| s.slow_disk);
    let label = |blow: Blow| match blow {
        Blow::Crash | Blow::CrashLosing if down => lang.of("Restart", "重启"),
        Blow::Crash | Blow::Cut => lang.of("Crash", "崩溃"),
        Blow::CrashLosing => lang.of("Lose tail", "丢尾部"),
        Blow::Pause if paused => lang.of("Go on", "继续"),
        Blow::Pause => lang.of("Pause", "暂停"),
        Blow::Slow if slow => lang.of("Fast disk", "恢复磁盘"),
        Blow::Slow => lang.of("Slow disk", "慢磁盘"),
    };
    html! {
        <g class={classes!("dragging", (over == Some(Blow::Cut)).then_some("over"), back.then_some("back"))} aria-hidden="true">
            <rect class="zone" x={n(x)} y={n(y)} width={n(w)} height={n(upper)} rx="8" />
            <text class="strong a-middle" x={n(centre.x)} y={n(y + upper / 2.0 - 4.0)} font-size={fit(&lines[0], w - 20.0, 18.0)}>{ &lines[0] }</text>
            <text class="a-middle t-quiet" x={n(centre.x)} y={n(y + upper / 2.0 + 18.0)} font-size={fit(&lines[1], w, 13.0)}>{ &lines[1] }</text>
            { for BELOW.into_iter().enumerate().map(|(at, blow)| {
                let left = x + quarter * at as f64;
                let text = label(blow);
                html! {
                    <g class={(over == Some(blow)).then_some("over")}>
                        <rect class="zone" x={n(left + 2.0)} y={n(y + upper + 4.0)} width={n(quarter - 4.0)} height={n(h - upper - 4.0)} rx="6" />
                        <text class="strong a-middle" x={n(left + quarter / 2.0)} y={n(y + upper + (h - upper) / 2.0 + 7.0)}
                            font-size={fit(text, quarter, 14.0)}>{ text }</text>
                    </g>
                }
            }) }
            if let Some(home) = home {
                <line class="leash" x1={n(home.at.x)} y1={n(home.at.y)} x2={n(at.x)} y2={n(at.y)} />
            }
            <circle class="held" cx={n(at.x)} cy={n(at.y)} r="26" />
            <text class="strong a-middle" x={n(at.x)} y={n(at.y + 7.0)} font-size="20">{ id.0.to_string() }</text>
        </g>
    }
}

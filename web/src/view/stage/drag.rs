//! Cutting a server off by hand: it is dragged onto the card, which becomes the place for that while
//! something is dragged. By keyboard the same is done in the panel *Act*.

use super::defs::n;
use crate::scene::{
    Scene,
    geometry::{Pt, Rect, text_width},
    words::Lang,
};
use std::collections::BTreeSet;
use web_sys::Element;
use yew::prelude::*;
use zabscope_core::id::ServerId;

/// So many CSS pixels are still a click.
const CLICK: f64 = 8.0;

/// A server that is held.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Drag {
    /// Which.
    pub server: ServerId,
    /// Which finger or mouse holds it.
    pub pointer: i32,
    /// Where that began, in CSS pixels of the window.
    begun: Pt,
    /// Where it is now, in units of the viewBox; `None`: it may still become a click.
    pub at: Option<Pt>,
}

impl Drag {
    /// A press on a server, with the main button or a finger.
    pub fn begin(event: &PointerEvent) -> Option<Drag> {
        if event.button() != 0 || !event.is_primary() {
            return None;
        }
        let target = event.target_dyn_into::<Element>()?;
        let server = target.closest("[data-server]").ok()??;
        let id = server.get_attribute("data-server")?.parse().ok()?;
        Some(Drag {
            server: ServerId(id),
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
        self.at = Some(inside(now, svg, scene));
        Some(self)
    }

    /// Whether it is where it would be cut off, or let back in.
    pub fn over(&self, scene: &Scene) -> bool {
        let card = scene.card.boxed;
        self.at.is_some_and(|p| {
            p.x >= card.x && p.x <= card.right() && p.y >= card.y && p.y <= card.bottom()
        })
    }

    /// Who is beyond the wall when it is let go there; `None`: it can't be, for nobody would be left.
    pub fn beyond(&self, scene: &Scene) -> Option<BTreeSet<ServerId>> {
        let mut beyond = scene.beyond.clone();
        if !beyond.remove(&self.server) {
            beyond.insert(self.server);
        }
        (beyond.len() < scene.servers.len()).then_some(beyond)
    }
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

/// The held server and the place where it can be let go.
pub fn drag(drag: &Drag, scene: &Scene, lang: Lang) -> Html {
    let Some(at) = drag.at else {
        return Html::default();
    };
    let back = scene.beyond.contains(&drag.server);
    let home = scene.servers.iter().find(|s| s.id == drag.server);
    let id = drag.server;
    let lines = match (drag.beyond(scene).is_some(), back, lang) {
        (false, ..) => [
            lang.of("Somebody must stay.", "总得有人留下。").to_owned(),
            String::new(),
        ],
        (true, false, Lang::En) => [
            format!("Let go here: server {id} is cut off"),
            "from all on the other side of the wall".to_owned(),
        ],
        (true, false, Lang::Zh) => [
            format!("在此松开：切断服务器 {id}"),
            "与隔墙另一边的所有链路".to_owned(),
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
    let Rect { x, y, w, h } = scene.card.boxed;
    let size = |line: &str| {
        let fits = (w - 32.0) / text_width(line, 1.0, false).max(1.0);
        n(fits.min(18.0))
    };
    let centre = scene.card.boxed.centre();
    html! {
        <g class={classes!("dragging", drag.over(scene).then_some("over"), back.then_some("back"))} aria-hidden="true">
            <rect class="zone" x={n(x)} y={n(y)} width={n(w)} height={n(h)} rx="8" />
            <text class="strong a-middle" x={n(centre.x)} y={n(centre.y - 4.0)} font-size={size(&lines[0])}>{ &lines[0] }</text>
            <text class="a-middle t-quiet" x={n(centre.x)} y={n(centre.y + 20.0)} font-size="13">{ &lines[1] }</text>
            if let Some(home) = home {
                <line class="leash" x1={n(home.at.x)} y1={n(home.at.y)} x2={n(at.x)} y2={n(at.y)} />
            }
            <circle class="held" cx={n(at.x)} cy={n(at.y)} r="26" />
            <text class="strong a-middle" x={n(at.x)} y={n(at.y + 7.0)} font-size="20">{ id.0.to_string() }</text>
        </g>
    }
}

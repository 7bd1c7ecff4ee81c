//! A client: a rounded square in the ring of its session, on a tether.

use super::{defs::n, on_click, on_key};
use crate::scene::{Pick, glyph::ClientGlyph};
use yew::prelude::*;

/// The line to its server.
pub fn tether(c: &ClientGlyph) -> Html {
    let Some((a, b)) = c.tether else {
        return Html::default();
    };
    html! {
        <line key={c.no.to_string()} class={classes!("tether", c.picked.then_some("picked"))}
            x1={n(a.x)} y1={n(a.y)} x2={n(b.x)} y2={n(b.y)}
            stroke-dasharray={(!c.connected).then_some("3 4")} />
    }
}

/// The client itself. Its ring drains from when it was last heard of.
pub fn client(c: &ClientGlyph, now: f64, pick: &Callback<Pick>) -> Html {
    let no = zabscope_core::sim::setup::ClientNo(c.no);
    let choose = pick.reform(move |()| Pick::Client(no));
    let (x, y, h) = (c.at.x, c.at.y, c.half);
    let r = h + 5.0;
    html! {
        <g key={c.no.to_string()} class={classes!("client", c.picked.then_some("picked"), c.over.then_some("over"))}
            role="button" tabindex="0" aria-label={c.name.clone()} aria-pressed={c.picked.to_string()}
            data-client={c.no.to_string()} onclick={on_click(choose.clone())} onkeydown={on_key(choose)}>
            <rect class="hit" x={n(x - 22.0)} y={n(y - 22.0)} width="44" height="44" />
            <circle class="session-whole" cx={n(x)} cy={n(y)} r={n(r)} />
            <circle class="session" cx={n(x)} cy={n(y)} r={n(r)} pathLength="100"
                transform={format!("rotate(-90 {} {})", n(x), n(y))} stroke-dasharray={dash(c, now)} />
            <rect class="focus" x={n(x - h - 9.0)} y={n(y - h - 9.0)} width={n(2.0 * h + 18.0)} height={n(2.0 * h + 18.0)} rx="12" />
            <rect class="body" x={n(x - h + 2.0)} y={n(y - h + 2.0)} width={n(2.0 * h - 4.0)} height={n(2.0 * h - 4.0)} rx={n(h * 0.5)}
                stroke-dasharray={(!c.connected || c.over).then_some("4 3")} />
            <text class="num strong" x={n(x)} y={n(y + 4.5)} font-size="13">{ &c.label }</text>
            if c.over {
                <path class="cross" d={format!("M{} {}l8 8m0 -8l-8 8", n(x + h - 8.0), n(y - h))} />
            } else if c.paused {
                <g class="pause" transform={format!("translate({} {}) scale(.7)", n(x + h - 2.0), n(y - h + 2.0))}>
                    <circle r="11" /><path d="M-3 -4.5V4.5M3 -4.5V4.5" />
                </g>
            }
        </g>
    }
}

/// How much of the ring is drawn.
pub fn dash(c: &ClientGlyph, now: f64) -> String {
    let left = if c.over { 0.0 } else { c.left(now) * 100.0 };
    format!("{} 200", n(left))
}

//! Links, walls and remarks.

use super::{defs::n, on_click, on_key};
use crate::scene::{
    Pick,
    geometry::Pt,
    traffic::{LinkKind, LinkLine, Tag, Wall},
};
use yew::prelude::*;

/// A line between two servers, with a wide target.
pub fn link(l: &LinkLine, pick: &Callback<Pick>) -> Html {
    let (a, b) = (l.a, l.b);
    let choose = pick.reform(move |()| Pick::Link(a, b));
    let class = match l.kind {
        LinkKind::Votes => "votes",
        LinkKind::Quorum => "quorum",
        LinkKind::Slow => "slow",
        LinkKind::CutForth | LinkKind::CutBack | LinkKind::Cut => "cut",
    };
    let d = format!(
        "M{} {}L{} {}",
        n(l.from.x),
        n(l.from.y),
        n(l.to.x),
        n(l.to.y)
    );
    let mid = l.from.towards(l.to, 0.5);
    // Whole links are reached through their servers; what is at fault is a stop of its own.
    let tabindex = match l.kind {
        LinkKind::Votes | LinkKind::Quorum => "-1",
        LinkKind::Slow | LinkKind::CutForth | LinkKind::CutBack | LinkKind::Cut => "0",
    };
    html! {
        <g key={format!("{}-{}", a.0, b.0)} class={classes!("link", class, l.picked.then_some("picked"))}
            role="button" {tabindex} aria-label={l.name.clone()} aria-pressed={l.picked.to_string()}
            data-link={format!("{}-{}", a.0, b.0)} onclick={on_click(choose.clone())} onkeydown={on_key(choose)}>
            <path class="wide" d={d.clone()} />
            <path class="line" {d} />
            {
                match l.kind {
                    LinkKind::Votes | LinkKind::Quorum | LinkKind::Slow => Html::default(),
                    LinkKind::Cut => cross(mid, 6.0),
                    LinkKind::CutForth => html! { <>{ cross(mid, 6.0) }{ barred(l.from, l.to, mid) }</> },
                    LinkKind::CutBack => html! { <>{ cross(mid, 6.0) }{ barred(l.to, l.from, mid) }</> },
                }
            }
        </g>
    }
}

/// Two strokes: something ends here.
pub fn cross(at: Pt, c: f64) -> Html {
    let d = format!(
        "M{} {}l{c2} {c2}m0 -{c2}l-{c2} {c2}",
        n(at.x - c),
        n(at.y - c),
        c2 = n(2.0 * c)
    );
    html! { <><circle cx={n(at.x)} cy={n(at.y)} r={n(c + 4.0)} fill="var(--paper)" /><path class="cross" {d} /></> }
}

/// An arrow head before the cross: only this direction is cut.
fn barred(from: Pt, to: Pt, mid: Pt) -> Html {
    let angle = (to.y - from.y).atan2(to.x - from.x).to_degrees();
    let at = mid.towards(from, 18.0 / mid.distance(from).max(1.0));
    html! {
        <path class="tip" d="M-5 -5L4 0L-5 5z" transform={format!("translate({} {}) rotate({})", n(at.x), n(at.y), n(angle))} />
    }
}

/// Nothing passes here.
pub fn wall(w: &Wall) -> Html {
    let d = format!(
        "M{} {}Q{} {} {} {}",
        n(w.from.x),
        n(w.from.y),
        n(w.bend.x),
        n(w.bend.y),
        n(w.to.x),
        n(w.to.y)
    );
    html! { <g class="wall"><path class="soft" d={d.clone()} /><path class="hard" {d} /></g> }
}

/// A remark in amber, with a line to what it is about.
pub fn tag(t: &Tag) -> Html {
    let b = t.boxed;
    let c = b.centre();
    html! {
        <g class="tag">
            <line x1={n(c.x)} y1={n(c.y)} x2={n(t.about.x)} y2={n(t.about.y)} />
            <rect x={n(b.x)} y={n(b.y)} width={n(b.w)} height={n(b.h)} rx="6" />
            <text x={n(c.x)} y={n(c.y + 4.5)}>{ &t.text }</text>
        </g>
    }
}

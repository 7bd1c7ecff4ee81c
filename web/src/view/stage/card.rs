//! The card and what is on it.

use super::{
    defs::{fill, hue, n},
    server::{body, plate},
};
use crate::scene::{
    card::{Align, Block, BlockLook, Card, Item, Kind, Motion, Slot, Tally, Text, TextInk},
    glyph::{Ballot, BallotTone},
    sight::{Mark, Role},
};
use yew::prelude::*;
use zabscope_core::{id::Epoch, peer::event::Phase};

/// The card.
pub fn card(c: &Card, compact: bool) -> Html {
    let b = c.boxed;
    let pad = if compact { 12.0 } else { 16.0 };
    let base = n(b.y + if compact { 21.0 } else { 27.0 });
    let about = match c.kind {
        Kind::Votes(id) | Kind::Logs(id) => Some(id.0.to_string()),
        Kind::Epochs | Kind::Proposals | Kind::Reading | Kind::Legend => None,
    };
    html! {
        <g class={classes!("card", c.kind.name())} role="group" aria-label={c.title.clone()}
            data-card={c.kind.name()} data-about={about}>
            <rect class="paper" x={n(b.x)} y={n(b.y)} width={n(b.w)} height={n(b.h)} rx="8" />
            <text class="title" x={n(b.x + pad)} y={base.clone()}>{ &c.title }</text>
            <text class="aside" x={n(b.right() - pad)} y={base}>{ &c.aside }</text>
            // Lines first: what stands between two logs covers them.
            { for c.items.iter().filter(|i| is_line(i)).map(item) }
            { for c.items.iter().filter(|i| !is_line(i)).map(item) }
        </g>
    }
}

fn is_line(i: &Item) -> bool {
    matches!(i, Item::Line { dashed: true, .. })
}

fn item(i: &Item) -> Html {
    match i {
        Item::Text(t) => text(t),
        Item::Ballot(b) => ballot(b),
        Item::Plate(p) => plate(p),
        Item::Tally(t) => tally(t),
        Item::Block(b) => block(b),
        Item::Slot(s) => slot(s),
        Item::Line { from, to, dashed } => html! {
            <line class="hair" x1={n(from.x)} y1={n(from.y)} x2={n(to.x)} y2={n(to.y)}
                stroke-dasharray={dashed.then_some("2 5")} />
        },
        Item::Cut { from, to } => html! {
            <line class="cut-line" x1={n(from.x)} y1={n(from.y)} x2={n(to.x)} y2={n(to.y)} />
        },
        Item::Frame(r) => html! {
            <rect class="frame" x={n(r.x)} y={n(r.y)} width={n(r.w)} height={n(r.h)} rx="6" />
        },
        Item::Crate {
            boxed: b,
            epoch,
            label,
            coming,
        } => html! {
            <g class="snap-crate">
                <rect x={n(b.x)} y={n(b.y)} width={n(b.w)} height={n(b.h)} rx="4" fill="var(--raised)"
                    stroke={hue(*epoch)} stroke-width="1.5" stroke-dasharray={coming.then_some("4 3")} />
                <path d={format!("M{} {}h16v16h-16zm0 5h16m-8 -5v16", n(b.x + 8.0), n(b.centre().y - 8.0))}
                    fill={fill(*epoch)} stroke={hue(*epoch)} />
                <text class="num" x={n(b.x + 32.0)} y={n(b.centre().y + 4.5)} font-size="12" text-anchor="start"
                    style={format!("fill:{};text-anchor:start", hue(*epoch))}>{ label }</text>
            </g>
        },
        Item::Sample { at, role } => {
            let phase = if *role == Role::Looking {
                Phase::Election
            } else {
                Phase::Broadcast
            };
            body(
                *at,
                0.34,
                *role,
                *role != Role::Observing,
                phase,
                Epoch(2),
                "",
                false,
                false,
            )
        }
    }
}

fn text(t: &Text) -> Html {
    let ink = match t.ink {
        TextInk::Ink => None,
        TextInk::Quiet => Some("t-quiet"),
        TextInk::Accent => Some("t-accent"),
        TextInk::Fault => Some("t-fault"),
        TextInk::Allowed => Some("t-allowed"),
        TextInk::Epoch(_) => None,
    };
    let style = match t.ink {
        TextInk::Epoch(e) => Some(format!("fill:{}", hue(e))),
        TextInk::Ink | TextInk::Quiet | TextInk::Accent | TextInk::Fault | TextInk::Allowed => None,
    };
    let align = match t.align {
        Align::Start => "a-start",
        Align::Middle => "a-middle",
        Align::End => "a-end",
    };
    html! {
        <text class={classes!(align, ink, t.mono.then_some("mono"), t.strong.then_some("strong"))} {style}
            x={n(t.at.x)} y={n(t.at.y)} font-size={n(t.size)}>{ &t.text }</text>
    }
}

/// A vote: three cells. The one that decides is filled.
pub fn ballot(b: &Ballot) -> Html {
    let r = b.boxed;
    let class = match b.tone {
        BallotTone::Plain => "plain",
        BallotTone::Wins => "wins",
        BallotTone::Loses => "loses",
    };
    let mut x = r.x;
    let cells = b.fields.iter().zip(&b.widths).enumerate().map(|(i, (field, w))| {
        let left = x;
        x += w;
        let lit = b.lit == Some(i);
        let passed = b.lit.is_some_and(|l| i < l);
        html! {
            <g class={classes!("field", lit.then_some("lit"), passed.then_some("passed"))} data-lit={lit.then_some("true")}>
                if lit {
                    <rect x={n(left + 2.0)} y={n(r.y + 2.0)} width={n(w - 4.0)} height={n(r.h - 4.0)} rx="3" />
                }
                if i > 0 {
                    <line class="hair" x1={n(left)} y1={n(r.y + 4.0)} x2={n(left)} y2={n(r.bottom() - 4.0)} />
                }
                <text class="num" x={n(left + w / 2.0)} y={n(r.y + r.h / 2.0 + 4.3)} font-size={n(b.font)}>{ field }</text>
            </g>
        }
    }).collect::<Vec<_>>();
    html! {
        <g class={classes!("ballot", class)}>
            <rect class="body" x={n(r.x)} y={n(r.y)} width={n(r.w)} height={n(r.h)} rx="5" />
            { for cells }
        </g>
    }
}

fn tally(t: &Tally) -> Html {
    let below = t.y + t.side;
    html! {
        <g class="tally">
            { for t.slots.iter().map(|(x, w, label, filled)| html! {
                <g class={classes!("slot", filled.then_some("filled"))}>
                    <rect x={n(*x)} y={n(t.y)} width={n(*w)} height={n(t.side)} rx="3" />
                    <text class="num" x={n(x + w / 2.0)} y={n(t.y + t.side / 2.0 + 4.0)} font-size="11">{ label }</text>
                </g>
            }) }
            { for t.notches.iter().map(|notch| html! {
                <path class={classes!("notch", notch.reached.then_some("reached"))} d={format!("M{} {}h10l-5 -7z", n(notch.x - 5.0), n(below + 9.0))} />
            }) }
            <text class="t-quiet a-middle" x={n(t.caption_at.x)} y={n(t.caption_at.y)} font-size="11">{ &t.caption }</text>
        </g>
    }
}

/// A transaction.
fn block(b: &Block) -> Html {
    let r = b.boxed;
    let e = b.zxid.epoch();
    let (class, area, line, dash) = match b.look {
        BlockLook::Solid => ("solid", fill(e), hue(e), None),
        BlockLook::Dashed => ("dashed", fill(e), hue(e), Some("4 3")),
        BlockLook::Missing => ("missing", "none".to_owned(), hue(e), Some("2 4")),
        BlockLook::Cut => (
            "cut",
            "none".to_owned(),
            "var(--fault)".to_owned(),
            Some("4 3"),
        ),
    };
    let letters = if b.look == BlockLook::Cut {
        "var(--fault)".to_owned()
    } else {
        hue(e)
    };
    let motion = match b.motion {
        Motion::Still => None,
        Motion::In => Some("slides-in"),
        Motion::Fall => Some("falls"),
    };
    html! {
        <g key={b.key.clone()} class={classes!("entry", class, motion)} data-zxid={b.zxid.to_string()}>
            <rect class="body" x={n(r.x)} y={n(r.y)} width={n(r.w)} height={n(r.h)} rx="3" fill={area} stroke={line}
                stroke-width="1.3" stroke-dasharray={dash} />
            <text class="num strong" x={n(r.x + r.w / 2.0)} y={n(r.y + r.h / 2.0 + 4.3)} font-size="12"
                style={format!("fill:{letters}")}>{ crate::scene::words::zxid(b.zxid) }</text>
            {
                match b.disk {
                    Some(true) => html! { <rect class="on-disk" x={n(r.x)} y={n(r.bottom() + 2.0)} width={n(r.w)} height="3" rx="1.5" /> },
                    Some(false) => html! { <rect class="received" x={n(r.x)} y={n(r.bottom() + 2.0)} width={n(r.w)} height="3" rx="1.5" /> },
                    None => Html::default(),
                }
            }
        </g>
    }
}

/// A voter's slot in a tray: received and on disk are different marks.
fn slot(s: &Slot) -> Html {
    let r = s.boxed;
    let class = match s.mark {
        Mark::None => "none",
        Mark::Received => "received-slot",
        Mark::OnDisk => "disk-slot",
        Mark::Acked => "filled",
    };
    html! {
        <g class={classes!("slot", class)} role="img" aria-label={s.name.clone()}>
            <rect x={n(r.x)} y={n(r.y)} width={n(r.w)} height={n(r.h)} rx="3" />
            {
                match s.mark {
                    Mark::None => Html::default(),
                    Mark::Received => html! { <rect class="received" x={n(r.x)} y={n(r.bottom() + 2.0)} width={n(r.w)} height="3" rx="1.5" /> },
                    Mark::OnDisk | Mark::Acked => html! { <rect class="on-disk" x={n(r.x)} y={n(r.bottom() + 2.0)} width={n(r.w)} height="3" rx="1.5" /> },
                }
            }
            if s.mark == Mark::Acked {
                <text class="num" x={n(r.x + r.w / 2.0)} y={n(r.y + r.h / 2.0 + 4.0)} font-size="11">{ &s.label }</text>
            }
        </g>
    }
}

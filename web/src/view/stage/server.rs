//! A server: shape is the role, hue the epoch, the ring its way through the four phases.

use super::{
    card::ballot,
    defs::{fill, fine, hue, n},
    on_click, on_key,
};
use crate::scene::{
    Pick,
    geometry::{Pt, cosine, sine},
    glyph::{Plate, ServerGlyph, Tone, segment},
    sight::Role,
};
use yew::prelude::*;
use zabscope_core::{id::Epoch, peer::event::Phase};

/// A server.
pub fn server(s: &ServerGlyph, pick: &Callback<Pick>) -> Html {
    let id = s.id;
    let choose = pick.reform(move |()| Pick::Server(id));
    let k = s.scale;
    let state = match s.role {
        Role::Looking => "looking",
        Role::Following => "following",
        Role::Leading => "leading",
        Role::Observing => "observing",
        Role::Down => "down",
    };
    let phase = match s.phase {
        Phase::Election => "election",
        Phase::Discovery => "discovery",
        Phase::Synchronisation => "sync",
        Phase::Broadcast => "broadcast",
    };
    let note_class = match s.note_tone {
        Tone::Quiet => "t-quiet",
        Tone::Fault => "t-fault",
        Tone::Allowed => "t-allowed",
        Tone::Chosen => "t-accent",
    };
    html! {
        <g key={id.0.to_string()} class={classes!("server", s.picked.then_some("picked"), state)}
            role="button" tabindex="0" aria-label={s.name.clone()} aria-pressed={s.picked.to_string()}
            data-server={id.0.to_string()} data-state={state} data-phase={phase}
            data-epoch={s.epoch.0.to_string()} data-zxid={s.zxid.to_string()}
            onclick={on_click(choose.clone())} onkeydown={on_key(choose)}>
            <circle class="hit" cx={n(s.at.x)} cy={n(s.at.y)} r={n(52.0 * k)} />
            <circle class="focus" cx={n(s.at.x)} cy={n(s.at.y)} r={n(51.0 * k)} />
            if s.picked {
                <circle class="chosen" cx={n(s.at.x)} cy={n(s.at.y)} r={n(51.0 * k)} />
            }
            { body(s.at, k, s.role, s.voter, s.phase, s.epoch, &id.0.to_string(), s.paused, s.starting) }
            { plate(&s.plate) }
            if let Some(b) = &s.ballot {
                { ballot(b) }
            }
            <text class={classes!("note", note_class)} x={n(s.at.x)} y={n(s.note_y)}>{ &s.note }</text>
        </g>
    }
}

/// The shape with its ring, crown, cross or pause sign.
#[allow(clippy::too_many_arguments)] // drawn here and, in small, in the legend
pub fn body(
    at: Pt,
    k: f64,
    role: Role,
    voter: bool,
    phase: Phase,
    epoch: Epoch,
    label: &str,
    paused: bool,
    starting: bool,
) -> Html {
    let (x, y) = (at.x, at.y);
    let r = 32.0 * k;
    if starting {
        return html! {
            <g>
                <circle cx={n(x)} cy={n(y)} r={n(r)} fill="none" stroke="var(--line-2)" stroke-width="1.5" stroke-dasharray="1 4" />
                <text class="id t-quiet" x={n(x)} y={n(y + 8.0 * k)} font-size={n(24.0 * k)}>{ label }</text>
            </g>
        };
    }
    if role == Role::Down {
        let c = 12.0 * k;
        return html! {
            <g>
                <circle cx={n(x)} cy={n(y)} r={n(r)} fill="none" stroke="var(--line-2)" stroke-width="1.5" />
                <path class="cross" d={format!("M{} {}L{} {}M{} {}L{} {}",
                    n(x - c), n(y - c), n(x + c), n(y + c), n(x + c), n(y - c), n(x - c), n(y + c))} />
                <text class="down-id" x={n(x)} y={n(y - r - 6.0)}>{ label }</text>
            </g>
        };
    }
    let hollow = role == Role::Looking;
    let now = segment(phase);
    let ring = (0..4).map(|i| {
        let (a, b) = (-86.0 + f64::from(i) * 90.0, -4.0 + f64::from(i) * 90.0);
        let i = i as usize;
        let (stroke, width, opacity) = match i.cmp(&now) {
            std::cmp::Ordering::Less => (hue(epoch), 3.0, ".45"),
            std::cmp::Ordering::Equal => (hue(epoch), 6.0, "1"),
            std::cmp::Ordering::Greater => ("var(--line)".to_owned(), 3.0, "1"),
        };
        html! { <path d={arc(at, 42.0 * k, a, b)} fill="none" {stroke} {opacity} stroke-width={n(width * k)} /> }
    });
    let (area, line, dash) = if hollow {
        (
            "var(--raised)".to_owned(),
            "var(--line-2)".to_owned(),
            Some("5 4"),
        )
    } else {
        (fill(epoch), hue(epoch), None)
    };
    let square = role == Role::Observing || (hollow && !voter);
    let half = 27.0 * k;
    html! {
        <g>
            { for ring }
            if square {
                <rect x={n(x - half)} y={n(y - half)} width={n(2.0 * half)} height={n(2.0 * half)} rx={n(6.0 * k)}
                    fill={area} stroke={line} stroke-width="2" stroke-dasharray={dash} />
            } else {
                <circle cx={n(x)} cy={n(y)} r={n(r)} fill={area} stroke={line} stroke-width="2" stroke-dasharray={dash} />
            }
            if !hollow {
                <circle cx={n(x)} cy={n(y)} r={n(15.0 * k)} fill="var(--raised)" />
            }
            <text class="id" x={n(x)} y={n(y + 8.0 * k)} font-size={n(24.0 * k)}>{ label }</text>
            if role == Role::Leading {
                <path class="crown" fill={hue(epoch)} transform={format!("translate({} {}) scale({})", n(x), n(y), n(k))}
                    d="M-17 -52l3 15h28l3 -15l-9 7l-8 -12l-8 12z" />
            }
            if paused {
                <g class="pause" transform={format!("translate({} {}) scale({})", n(x + 23.0 * k), n(y - 23.0 * k), fine(k))}>
                    <circle r="11" /><path d="M-3 -4.5V4.5M3 -4.5V4.5" />
                </g>
            }
        </g>
    }
}

/// Part of a circle, angles in degrees.
pub fn arc(c: Pt, r: f64, a: f64, b: f64) -> String {
    let p = |t: f64| {
        let t = t.to_radians();
        format!("{} {}", n(c.x + r * cosine(t)), n(c.y + r * sine(t)))
    };
    let large = i32::from(b - a > 180.0);
    format!("M{}A{r} {r} 0 {large} 1 {}", p(a), p(b), r = n(r))
}

/// A zxid: two cells. The left one is the epoch and carries hue and pattern.
pub fn plate(p: &Plate) -> Html {
    let b = p.boxed;
    // A long counter takes the room of its epoch.
    let left = if p.right.len() > 4 { 0.36 } else { 0.5 };
    let mid = b.x + b.w * left;
    let size = n((b.h * 0.59).max(11.0));
    let fits = p.right.len() as f64 * 0.6 * 13.0 < b.w * (1.0 - left);
    let base = n(b.y + b.h * 0.5 + 4.5);
    let dash = p.ghost.then_some("3 3");
    html! {
        <g class={classes!("plate", p.ghost.then_some("ghost"))}>
            <rect x={n(b.x)} y={n(b.y)} width={n(b.w)} height={n(b.h)} rx="4" fill="var(--raised)" />
            <path d={format!("M{} {}H{}V{}H{}a4 4 0 0 1 -4 -4V{}a4 4 0 0 1 4 -4z",
                n(b.x + 4.0), n(b.y), n(mid), n(b.bottom()), n(b.x + 4.0), n(b.y + 4.0))} fill={fill(p.epoch)} />
            <rect x={n(b.x)} y={n(b.y)} width={n(b.w)} height={n(b.h)} rx="4" fill="none"
                stroke={hue(p.epoch)} stroke-width="1.5" stroke-dasharray={dash} />
            <path d={format!("M{} {}V{}", n(mid), n(b.y), n(b.bottom()))} stroke={hue(p.epoch)} />
            <text class="num strong" x={n(b.x + b.w * left / 2.0)} y={base.clone()} font-size={size.clone()}
                style={format!("fill:{}", hue(p.epoch))}>{ &p.left }</text>
            <text class="num" x={n((mid + b.right()) / 2.0)} y={base} font-size={size}
                textLength={(!fits).then(|| n(b.w * (1.0 - left) - 5.0))}
                lengthAdjust={(!fits).then_some("spacingAndGlyphs")}>{ &p.right }</text>
        </g>
    }
}

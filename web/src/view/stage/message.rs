//! A message on its way.

use super::{
    StageHandle,
    defs::{fill, hue, n, soft},
    link::cross,
    on_click, on_key,
};
use crate::scene::{
    Pick,
    geometry::{Pt, cosine, sine},
    traffic::{Form, Ink, MessageGlyph},
};
use std::rc::Rc;
use web_sys::SvgTransformList;
use yew::prelude::*;

/// Where it is drawn at `now`.
fn place(m: &MessageGlyph, now: f64, still: bool) -> Pt {
    if still { m.at_rest() } else { m.at(now) }
}

/// Puts it where it is at `now`. By numbers: hundreds of them move in a frame, and a text for each would
/// be written, copied and read again.
pub fn put(moved: &SvgTransformList, m: &MessageGlyph, now: f64, still: bool) {
    let at = place(m, now, still);
    let tenths = |x: f64| ((x * 10.0).round() / 10.0) as f32;
    // A message is drawn with one transform; an element that is gone has none that could be wrong.
    if let Ok(moved) = moved.get_item(0) {
        let _ = moved.set_translate(tenths(at.x), tenths(at.y));
    }
}

/// What a message is given.
#[derive(Properties, PartialEq)]
pub struct MessageProps {
    /// How it looks and where it goes.
    pub glyph: Rc<MessageGlyph>,
    /// Nothing moves.
    pub still: bool,
    /// Knows the time.
    pub handle: StageHandle,
    /// It was chosen.
    pub pick: Callback<Pick>,
}

/// A message, drawn round the origin and moved there. A component, so that of hundreds under way only
/// the new ones are drawn.
#[component]
pub fn Message(props: &MessageProps) -> Html {
    let MessageProps {
        glyph: m,
        still,
        handle,
        pick,
    } = props;
    let still = *still;
    let at = place(m, handle.now(m.sent), still);
    let id = m.id;
    let choose = pick.reform(move |()| Pick::Message(id));
    let (w, h) = m.size;
    let form = match m.form {
        Form::Pill => "as-pill",
        Form::Block => "as-block",
        Form::Pulse => "as-pulse",
        Form::Crate => "as-crate",
        Form::Bead => "as-bead",
        Form::Dot => "as-dot",
    };
    let (line, paint, letters) = match m.ink {
        Ink::Plain => (
            "var(--ink-2)".to_owned(),
            "var(--raised)".to_owned(),
            "var(--ink)".to_owned(),
        ),
        Ink::Best => (
            "var(--accent)".to_owned(),
            "var(--raised)".to_owned(),
            "var(--ink)".to_owned(),
        ),
        Ink::Epoch(e) => (hue(e), "var(--raised)".to_owned(), hue(e)),
        Ink::Fault => (
            "var(--fault)".to_owned(),
            "var(--fault-soft)".to_owned(),
            "var(--fault)".to_owned(),
        ),
    };
    let hit = (w.max(m.hit), h.max(m.hit));
    let text = |y: f64| {
        html! {
            <text class="num" x={if m.form == Form::Crate { "8" } else { "0" }} y={n(y)} font-size="12"
                style={format!("fill:{letters}")}>{ &m.label }</text>
        }
    };
    let angle = m.angle();
    // From the middle to the outline, the way it goes.
    let (cos, sin) = (
        cosine(angle.to_radians()).abs(),
        sine(angle.to_radians()).abs(),
    );
    let edge = (w / 2.0 / cos.max(1e-6)).min(h / 2.0 / sin.max(1e-6));
    let box_ = |rx: f64, fill: String, dash: Option<&'static str>| {
        html! {
            <rect class="body" x={n(-w / 2.0)} y={n(-h / 2.0)} width={n(w)} height={n(h)} rx={n(rx)}
                {fill} stroke={line.clone()} stroke-dasharray={dash} />
        }
    };
    let drawn = match m.form {
        Form::Pill | Form::Bead => html! { <>{ box_(h / 2.0, paint, None) }{ text(4.5) }</> },
        Form::Block => {
            let area = match m.ink {
                Ink::Epoch(e) => soft(e),
                Ink::Plain | Ink::Best | Ink::Fault => paint,
            };
            html! { <>{ box_(3.0, area, Some("4 3")) }{ text(4.5) }</> }
        }
        Form::Crate => {
            let area = match m.ink {
                Ink::Epoch(e) => fill(e),
                Ink::Plain | Ink::Best | Ink::Fault => paint,
            };
            html! {
                <>
                    { box_(3.0, "var(--raised)".to_owned(), None) }
                    <path d={format!("M{} -8h16v16h-16zm0 5h16m-8 -5v16", n(-w / 2.0 + 6.0))} fill={area} stroke={line.clone()} />
                    { text(4.5) }
                </>
            }
        }
        Form::Pulse => html! {
            <>
                <rect class="body" x={n(-w / 2.0)} y={n(-h / 2.0)} width={n(w)} height={n(h)} rx={n(h / 2.0)}
                    fill={line.clone()} stroke="none" transform={format!("rotate({})", n(angle))} />
                if !m.label.is_empty() {
                    <text class="num halo" x="0" y="-9" font-size="11" style={format!("fill:{letters}")}>{ &m.label }</text>
                }
            </>
        },
        Form::Dot => html! {
            <circle class="body" r={if m.heartbeat { "2.5" } else { "4" }} fill={line.clone()} opacity={if m.heartbeat { ".5" } else { "1" }} />
        },
    };
    html! {
        <g class={classes!("message", form, m.picked.then_some("picked"), m.lit.then_some("lit"), m.stopped.map(|_| "lost"))}
            role="button" tabindex={if m.heartbeat { "-1" } else { "0" }} aria-label={m.name.clone()}
            data-message={id.to_string()} transform={format!("translate({} {})", n(at.x), n(at.y))}
            onclick={on_click(choose.clone())} onkeydown={on_key(choose)}>
            <rect class="hit" x={n(-hit.0 / 2.0)} y={n(-hit.1 / 2.0)} width={n(hit.0)} height={n(hit.1)} />
            <rect class="focus" x={n(-w / 2.0 - 4.0)} y={n(-h / 2.0 - 4.0)} width={n(w + 8.0)} height={n(h + 8.0)} rx={n(h / 2.0 + 4.0)} />
            { drawn }
            if m.stopped.is_some() {
                { cross(Pt::new(w / 2.0 + 8.0, 0.0), 4.0) }
            } else if still {
                <path class="tip" d={format!("M{r} -5L{t} 0L{r} 5z", r = n(edge + 3.0), t = n(edge + 11.0))}
                    transform={format!("rotate({})", n(angle))} fill={line} />
            }
        </g>
    }
}

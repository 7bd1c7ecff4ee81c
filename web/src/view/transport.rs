//! The row of controls and the scrubber. Nothing here ever moves.

use super::{
    bits::{Send, ask, chosen, epoch, hue, seconds},
    branches::branch_name,
    until::unit_name,
};
use crate::{
    state::{
        Action, Dialog,
        pace::Speed,
        run::{Run, RunHandle},
        track::MarkKind,
        until::Unit,
    },
    text::{Key, Lang, t},
};
use yew::prelude::*;
use zabscope_core::{id::Epoch, sim::BranchNo};

/// What the controls need.
#[derive(Properties, PartialEq)]
pub struct TransportProps {
    /// The run.
    pub run: RunHandle,
    /// Virtual time passes until someone stops it.
    pub plays: bool,
    /// How fast.
    pub speed: Speed,
    /// Heartbeats are told too.
    pub heartbeats: bool,
    /// By what *Step* and *Back* move.
    pub unit: Unit,
    /// The language.
    pub lang: Lang,
    /// To ask.
    pub send: Send,
}

/// Back, Step, Play, Next phase, speed.
#[component]
pub fn Transport(props: &TransportProps) -> Html {
    let (lang, send) = (props.lang, &props.send);
    let (play, action) = if props.plays {
        (t(lang, Key::Pause), Action::Pause)
    } else {
        (t(lang, Key::Play), Action::Play)
    };
    let speed = props.speed;
    let on_speed = {
        let send = send.clone();
        Callback::from(move |event: Event| {
            let value = chosen(&event);
            if let Some(speed) = Speed::ALL.into_iter().find(|s| s.name() == value) {
                send.dispatch(Action::Speed(speed));
            }
        })
    };
    let at_start = props.run.get().is_empty();
    let part = ScrubberProps {
        run: props.run.clone(),
        lang,
        send: send.clone(),
    };
    html! {
        <section class="move" aria-label={lang.pick("Controls", "控制")}>
            <button type="button" class="btn" disabled={at_start} onclick={ask(send, Action::Back)}>
                <span class="sign" aria-hidden="true">{ "←" }</span><span>{ t(lang, Key::Back) }</span>
            </button>
            <button type="button" class="btn" onclick={ask(send, Action::Step)}>
                <span>{ t(lang, Key::Step) }</span><span class="sign" aria-hidden="true">{ "→" }</span>
            </button>
            <button type="button" class="btn main" onclick={ask(send, action)}>{ play }</button>
            <button type="button" class="btn" onclick={ask(send, Action::NextPhase)}>
                <span>{ t(lang, Key::NextPhase) }</span><span class="sign" aria-hidden="true">{ "⇥" }</span>
            </button>
            <button type="button" class="btn until-open" onclick={ask(send, Action::Dialog(Some(Dialog::Until)))}>
                { lang.pick("Until…", "直到…") }
                if props.unit != Unit::Event {
                    <span class="soft small">{ unit_name(props.unit, lang) }</span>
                }
            </button>
            <label class="field">
                <span class="name">{ t(lang, Key::Speed) }</span>
                <select class="mono" onchange={on_speed} aria-label={t(lang, Key::Speed)}>
                    { for Speed::ALL.iter().map(|s| html! {
                        <option value={s.name()} selected={*s == speed}>{ s.name() }</option>
                    }) }
                </select>
            </label>
            <label class="check">
                <input type="checkbox" checked={props.heartbeats}
                    onchange={ask(send, Action::Heartbeats(!props.heartbeats))} />
                <span>{ t(lang, Key::ShowHeartbeats) }</span>
            </label>
            { scrubber(&part) }
            { branches(&part) }
        </section>
    }
}

/// What the scrubber and the branch chooser need.
pub struct ScrubberProps {
    /// The run.
    pub run: RunHandle,
    /// The language.
    pub lang: Lang,
    /// To ask.
    pub send: Send,
}

/// A stretch of the run under one epoch, in steps.
struct Band {
    from: u64,
    width: u64,
    epoch: Epoch,
}

/// A part of the run as a percentage, without the code that prints fractions.
fn percent(part: u64, of: u64) -> String {
    let thousandths = part.saturating_mul(100_000) / of.max(1);
    format!("{}.{:03}%", thousandths / 1000, thousandths % 1000)
}

/// Of marks of one kind that stand closer together than a four-hundredth of the run one is shown: so a
/// long run has no more of them than a short one.
fn thinned(marks: impl Iterator<Item = (u64, &'static str)>, end: u64) -> Vec<(u64, &'static str)> {
    let mut last: [Option<u64>; 2] = [None; 2];
    let apart = end / 400;
    marks
        .filter(|(step, class)| {
            let last = &mut last[usize::from(class.ends_with("fault"))];
            let shown = last.is_none_or(|last| step - last > apart);
            if shown {
                *last = Some(*step);
            }
            shown
        })
        .collect()
}

fn bands(run: &Run, end: u64) -> Vec<Band> {
    let mut out: Vec<Band> = Vec::new();
    let mut open: Option<(u64, Epoch)> = None;
    let mut close = |open: &mut Option<(u64, Epoch)>, step: u64| {
        if let Some((from, epoch)) = open.take()
            && step > from
        {
            out.push(Band {
                from,
                width: step - from,
                epoch,
            });
        }
    };
    for mark in run.track().marks() {
        match mark.kind {
            MarkKind::Epoch(epoch, _) => {
                close(&mut open, mark.step);
                open = Some((mark.step, epoch));
            }
            MarkKind::Nobody => close(&mut open, mark.step),
            MarkKind::Fault | MarkKind::Mended => {}
        }
    }
    close(&mut open, end);
    if out.len() > 400 {
        // The short ones can't be seen.
        out.retain(|b| b.width > end / 400);
    }
    out
}

/// Where one stands in the run, and what lies behind: epochs as bands, faults and branches as marks.
pub fn scrubber(props: &ScrubberProps) -> Html {
    let (lang, send) = (props.lang, &props.send);
    let run = props.run.get();
    let history = run.history();
    let (cursor, end) = (history.cursor(), history.end());
    let left = |step: u64| format!("left:{}", percent(step, end));
    let oninput = {
        let send = send.clone();
        Callback::from(move |event: InputEvent| {
            if let Ok(step) = super::bits::typed(&event).parse() {
                send.dispatch(Action::Goto(step));
            }
        })
    };
    let place = |b: &Band| format!("{};width:{}", left(b.from), percent(b.width, end));
    let marks = thinned(
        run.track()
            .marks()
            .iter()
            .filter_map(|mark| match mark.kind {
                MarkKind::Fault => Some((mark.step, "mark fault")),
                MarkKind::Mended => Some((mark.step, "mark mended")),
                MarkKind::Epoch(..) | MarkKind::Nobody => None,
            }),
        end,
    );
    let marks = marks.into_iter().map(|(step, class)| {
        html! { <i {class} style={left(step)}></i> }
    });
    let here = history.branch();
    let forks = history
        .branches()
        .into_iter()
        .filter(|b| b.parent == Some(here) || (b.no == here && b.parent.is_some()))
        .map(|b| {
            html! {
                <i class="mark fork" style={left(b.forked_at)}></i>
            }
        })
        .collect::<Html>();
    let kept = run
        .bookmarks()
        .iter()
        .filter(|b| b.spot.0 == here)
        .map(|b| {
            html! { <i class="mark kept" style={left(b.spot.1)}></i> }
        });
    let now = seconds(run.world().now());
    let spoken = match lang {
        Lang::En => format!("{now}, step {cursor} of {end}"),
        Lang::Zh => format!("{now}，第 {cursor} 步，共 {end} 步"),
    };
    html! {
        <div class="scrub">
            <div class="bands" aria-hidden="true">
                { for bands(&run, end).into_iter().map(|b| html! {
                    <span class={classes!("band", hue(b.epoch))} style={place(&b)}>
                        { if b.width * 25 > end { epoch(b.epoch) } else { String::new() } }
                    </span>
                }) }
                { for marks }
                { forks }
                { for kept }
                <b class="cursor" style={left(cursor)}></b>
            </div>
            <input type="range" min="0" max={end.max(1).to_string()} step="1"
                value={cursor.to_string()} aria-label={t(lang, Key::Scrubber)}
                aria-valuetext={spoken} {oninput} />
            <output class="mono clock" aria-hidden="true">{ now }</output>
        </div>
    }
}

/// Which branch is shown. There is nothing to choose before there is a second one, but its place is kept.
pub fn branches(props: &ScrubberProps) -> Html {
    let (lang, send) = (props.lang, props.send.clone());
    let run = props.run.get();
    let (branches, here) = (run.history().branches(), run.history().branch());
    let onchange = Callback::from(move |event: Event| {
        if let Ok(no) = chosen(&event).parse() {
            send.dispatch(Action::Switch(BranchNo(no)));
        }
    });
    html! {
        <label class={classes!("field", "branches", (branches.len() < 2).then_some("one"))}>
            <span class="name">{ t(lang, Key::Branch) }</span>
            <select {onchange} disabled={branches.len() < 2} aria-label={t(lang, Key::Branch)}>
                { for branches.iter().map(|b| html! {
                    <option value={b.no.0.to_string()} selected={b.no == here}>{ branch_name(b.no, &b.name, lang) }</option>
                }) }
            </select>
        </label>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_run_has_no_more_marks_than_a_short_one() {
        let many = (0..50_000_u64).map(|n| {
            (
                n,
                if n % 2 == 0 {
                    "mark fault"
                } else {
                    "mark mended"
                },
            )
        });
        let shown = thinned(many, 50_000);
        assert!(shown.len() <= 802, "{}", shown.len());
        assert!(shown.iter().any(|m| m.1 == "mark fault"));
        assert!(shown.iter().any(|m| m.1 == "mark mended"));
        let few = [(3, "mark fault"), (4, "mark mended"), (90, "mark fault")];
        assert_eq!(thinned(few.into_iter(), 300), few);
    }
}

//! The invariants: each with its sentence, its source and whether it holds up to this moment.

use super::{
    bits::{Send, ask, seconds},
    why,
};
use crate::{
    state::{
        Action,
        run::{Run, RunHandle},
        watch::{self, Watch},
    },
    text::{Lang, property, violation},
};
use gloo::timers::callback::Timeout;
use yew::prelude::*;
use zabscope_core::sim::{Property, Violation};

/// So many steps are checked before the page is drawn again: a few milliseconds.
const SLICE: u64 = 1500;
/// The wait between two slices, in ms.
const PAUSE_MS: u32 = 16;

/// What the tab needs.
#[derive(Properties, PartialEq)]
pub struct InvariantsProps {
    /// The run.
    pub run: RunHandle,
    /// The language.
    pub lang: Lang,
    /// To ask.
    pub send: Send,
}

/// The tab.
#[component]
pub fn Invariants(props: &InvariantsProps) -> Html {
    let slices = use_state(|| 0_u32);
    {
        let (run, slices) = (props.run.clone(), slices.clone());
        use_effect_with((props.run.clone(), *slices), move |_| {
            let timeout = Timeout::new(PAUSE_MS, move || {
                if watch::check(&run, SLICE) {
                    slices.set(slices.wrapping_add(1));
                }
            });
            move || drop(timeout)
        });
    }
    let run = props.run.get();
    match run.watch() {
        Some(watch) => list(&run, watch, props.lang, &props.send),
        None => html! { <h2>{ lang_title(props.lang) }</h2> },
    }
}

const fn lang_title(lang: Lang) -> &'static str {
    lang.pick("Invariants", "不变式")
}

fn list(run: &Run, watch: &Watch, lang: Lang, send: &Send) -> Html {
    let cursor = run.history().cursor();
    let violation = watch.violation(cursor);
    let checked = watch.checked().min(cursor);
    let n = watch.properties().len();
    let line = match (violation.is_some(), checked < cursor, lang) {
        (true, _, Lang::En) => format!(
            "One of {n} does not hold. Checked up to step {checked}; what comes after it is not checked."
        ),
        (true, _, Lang::Zh) => {
            format!("{n} 条中有一条不成立。已检查到第 {checked} 步，之后不再检查。")
        }
        (false, true, Lang::En) => {
            format!("Checked up to step {checked} of {cursor}; all {n} hold so far.")
        }
        (false, true, Lang::Zh) => {
            format!("已检查到第 {checked} 步，共 {cursor} 步；目前 {n} 条都成立。")
        }
        (false, false, Lang::En) => format!(
            "All {n} hold. Checked up to step {checked}, after every step and every action."
        ),
        (false, false, Lang::Zh) => {
            format!("{n} 条都成立。已检查到第 {checked} 步，每一步、每个操作之后都检查。")
        }
    };
    html! {
        <>
            <h2>{ lang_title(lang) }</h2>
            <p data-checked={checked.to_string()}>{ line }</p>
            if let Some(violation) = violation {
                { broken(run, violation, lang, send) }
            }
            <ul class="rules">
                { for watch.properties().iter().map(|p| rule(p, violation, lang)) }
            </ul>
        </>
    }
}

fn rule(p: &Property, violation: Option<&Violation>, lang: Lang) -> Html {
    let holds = violation.is_none_or(|v| v.property != p.name);
    let word = if holds {
        lang.pick("holds", "成立")
    } else {
        lang.pick("does not hold", "不成立")
    };
    html! {
        <li class={if holds { "holds" } else { "broken" }} data-holds={holds.to_string()}>
            <p><span class="mono name">{ p.name }</span><span class="state">{ word }</span></p>
            <p>{ property(p.name, p.sentence, lang) }</p>
            <p class="soft small">{ violation::source(p.source, lang) }</p>
        </li>
    }
}

/// The step, the values, the two facts that contradict each other, and how it came to it.
fn broken(run: &Run, v: &Violation, lang: Lang, send: &Send) -> Html {
    let records = run.history().records();
    let (shows, before) = watch::facts(&records, v);
    html! {
        <article class="asked card" aria-label={lang.pick("Violation", "违反")}>
            <p class="lead fault">{ match lang {
                Lang::En => format!("{} does not hold after step {}, at {}.", v.property, v.step, seconds(v.at)),
                Lang::Zh => format!("第 {} 步（{}）之后，{} 不成立。", v.step, seconds(v.at), v.property),
            } }</p>
            <dl>
                { for v.values.iter().map(|(name, value)| html! { <><dt>{ violation::name(name, lang).to_owned() }</dt><dd>{ violation::value(name, value, lang) }</dd></> }) }
            </dl>
            if let Some(before) = before {
                <h3>{ lang.pick("First", "先是") }</h3>
                { why::step(run, before, lang, send) }
            }
            if let Some(shows) = shows {
                <h3>{ lang.pick("Then, against it", "之后与它矛盾") }</h3>
                { why::step(run, shows, lang, send) }
                <h3>{ lang.pick("How it came to it", "来龙去脉") }</h3>
                { why::chain(run, shows, lang, send) }
            }
            <div class="row">
                <button type="button" class="btn" onclick={ask(send, Action::Goto(v.step))}>
                    { match lang {
                        Lang::En => format!("Go to step {}", v.step),
                        Lang::Zh => format!("到第 {} 步", v.step),
                    } }
                </button>
                <button type="button" class="btn" onclick={ask(send, Action::Goto(v.step.saturating_sub(1)))}>
                    { lang.pick("Go to the step before", "到前一步") }
                </button>
            </div>
        </article>
    }
}

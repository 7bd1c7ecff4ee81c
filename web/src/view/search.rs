//! The panel of the search: what it is to look for, how far it is, what it has found.

use super::bits::{Send, ask, chosen, letter};
use crate::{
    platform,
    state::{
        Action,
        run::{Run, RunHandle},
        search::{Pace, Searched},
    },
    text::{Lang, property, rules_off, violation},
    worker,
};
use std::rc::Rc;
use yew::prelude::*;
use zabscope_core::sim::{Found, Wanted};

/// How many schedules one may ask for.
const MOST: [u64; 3] = [300, 2000, 20_000];

/// What the panel needs.
#[derive(Properties, PartialEq)]
pub struct SearchProps {
    /// The run whose world is searched.
    pub run: RunHandle,
    /// What is known of the search.
    pub search: Rc<Searched>,
    /// The language.
    pub lang: Lang,
    /// To ask.
    pub send: Send,
}

/// The panel.
#[component]
pub fn SearchPanel(props: &SearchProps) -> Html {
    let (lang, search) = (props.lang, &*props.search);
    let most = use_state(|| MOST[1]);
    let past = use_state(|| false);
    let run = props.run.get();
    let world = run.world();
    let rules = world.rules();
    let begin = {
        let (send, most, consequences) = (props.send.clone(), *most, *past);
        let mut setup = world.setup().clone();
        setup.rules = rules;
        setup.faults = world.schedule();
        Callback::from(move |_: MouseEvent| {
            let wanted = Wanted {
                setup: setup.clone(),
                seed: platform::fresh_seed(),
                schedules: most,
                consequences,
            };
            let begun = Pace {
                most,
                ..Pace::default()
            };
            send.dispatch(Action::Searched(Rc::new(Searched::Runs(begun))));
            let send = send.clone();
            worker::start(&wanted, move |news| {
                if !news.runs() {
                    worker::stop();
                }
                send.dispatch(Action::Searched(Rc::new(news)));
            });
        })
    };
    let cancel = {
        let (send, stopped) = (props.send.clone(), Rc::new(search.stopped()));
        Callback::from(move |_: MouseEvent| {
            worker::stop();
            send.dispatch(Action::Searched(Rc::clone(&stopped)));
        })
    };
    let on_most = {
        let most = most.clone();
        Callback::from(move |event: Event| {
            if let Ok(n) = chosen(&event).parse() {
                most.set(n);
            }
        })
    };
    let on_past = {
        let past = past.clone();
        Callback::from(move |_: Event| past.set(!*past))
    };
    let runs = search.runs();
    html! {
        <section>
            <h3>{ lang.pick("Search", "搜索") }</h3>
            <p class="soft">{ match (rules.all_hold(), lang) {
                (true, Lang::En) => "Tries many schedules of faults and requests in this world, with all rules on.".to_owned(),
                (true, Lang::Zh) => "在所有规则生效的这个世界里，尝试许多故障与请求的组合。".to_owned(),
                (false, Lang::En) => format!("Looks for a shortest run that breaks a property. Off: {}.", rules_off(rules, lang)),
                (false, Lang::Zh) => format!("寻找破坏某条性质的最短运行。已关闭：{}。", rules_off(rules, lang)),
            } }</p>
            <div class="row">
                if runs {
                    <button type="button" class="btn" onclick={cancel}>{ lang.pick("Cancel the search", "取消搜索") }</button>
                } else {
                    <button type="button" class="btn" onclick={begin}>{ lang.pick("Search for a violation", "搜索违例") }</button>
                }
                <label class="field">
                    <span class="name">{ lang.pick("Schedules", "组合数") }</span>
                    <select onchange={on_most} disabled={runs}>
                        { for MOST.into_iter().map(|n| html! {
                            <option value={n.to_string()} selected={n == *most}>{ n.to_string() }</option>
                        }) }
                    </select>
                </label>
            </div>
            if !rules.all_hold() {
                <label class="check">
                    <input type="checkbox" checked={*past} onchange={on_past} disabled={runs} />
                    { lang.pick("Only what follows from it, not the rule itself", "只看由此引起的后果，不看规则本身") }
                </label>
            }
            { told(search, &run, lang) }
            if matches!(search, Searched::Found(..)) {
                <div class="row">
                    <button type="button" class="btn" onclick={ask(&props.send, Action::OpenFound)}>
                        { lang.pick("Open it", "打开") }
                    </button>
                </div>
            }
        </section>
    }
}

fn told(search: &Searched, run: &Run, lang: Lang) -> Html {
    match search {
        Searched::Idle => Html::default(),
        Searched::Runs(pace) => html! {
            <div class="hunt">
                <progress max={pace.most.to_string()} value={pace.schedules.to_string()} aria-label={lang.pick("Search", "搜索")}></progress>
                <p class="soft">{ numbers(pace, lang) }</p>
                if let Some((name, left, steps)) = &pace.shortening {
                    <p>{ match lang {
                        Lang::En => format!("Found a run that breaks {name}. Making it shorter: {}, {steps} steps.", actions(*left)),
                        Lang::Zh => format!("找到一次破坏 {name} 的运行，正在缩短：{left} 个操作，{steps} 步。"),
                    } }</p>
                }
            </div>
        },
        Searched::Found(pace, found) => html! {
            <div class="hunt found" role="note">
                // Whoever has gone on from there is told what it was, and can open it again.
                <p><b>{ match (search.is_at(run), lang) {
                    (true, Lang::En) => format!("Found a run that breaks {}. It opens one step before that.", found.violation.property),
                    (true, Lang::Zh) => format!("找到一次破坏 {} 的运行。打开后停在破坏发生的前一步。", found.violation.property),
                    (false, Lang::En) => format!("The run that was found breaks {}.", found.violation.property),
                    (false, Lang::Zh) => format!("找到的那次运行破坏 {}。", found.violation.property),
                } }</b></p>
                <p>{ property(&found.violation.property, &found.violation.sentence, lang) }{ " " }<cite>{ violation::source(&found.violation.source, lang) }</cite></p>
                { facts(found) }
                <p class="soft">{ numbers(pace, lang) }{ " " }{ match lang {
                    Lang::En => format!("Left of it: {}, {} steps.", actions(found.run.actions.len() as u64), found.run.steps),
                    Lang::Zh => format!("缩短后：{} 个操作，{} 步。", found.run.actions.len(), found.run.steps),
                } }</p>
            </div>
        },
        Searched::Nothing(pace) => html! {
            <div class="hunt" role="note">
                <p><b>{ lang.pick("Nothing found.", "没有找到。") }</b>{ " " }{ match run.world().rules().all_hold() {
                    true => lang.pick("With all rules every property held after every step.", "所有规则生效时，每一步之后每条性质都成立。"),
                    false => lang.pick("Other rules may make up for the one that is off; or more schedules are needed.", "其他规则可能弥补了被关闭的那条；也可能需要更多组合。"),
                } }</p>
                <p class="soft">{ numbers(pace, lang) }</p>
            </div>
        },
        Searched::Stopped(pace) => html! {
            <p class="soft" role="note">{ lang.pick("Cancelled. ", "已取消。") }{ numbers(pace, lang) }</p>
        },
        Searched::Failed(why) => html! {
            <p class="fault" role="alert">{ lang.pick(
                "The search could not run. Load the page again; if that does not help, this browser starts no workers. ",
                "搜索无法运行。请重新加载页面；若仍不行，则此浏览器无法启动 worker。",
            ) }<span class="mono">{ why.clone() }</span></p>
        },
    }
}

fn actions(n: u64) -> String {
    format!("{n} action{}", if n == 1 { "" } else { "s" })
}

/// What was compared, in the core's words.
fn facts(found: &Found) -> Html {
    html! {
        <dl lang="en">
            { for found.violation.values.iter().map(|(name, value)| {
                // Clients have letters here.
                let value = match (name.as_str(), value.parse()) {
                    ("client", Ok(no)) => letter(zabscope_core::sim::ClientNo(no)),
                    _ => value.clone(),
                };
                html! { <><dt>{ name.clone() }</dt><dd class="mono">{ value }</dd></> }
            }) }
        </dl>
    }
}

fn numbers(pace: &Pace, lang: Lang) -> String {
    let Pace {
        schedules,
        steps,
        per_second,
        ..
    } = pace;
    match lang {
        Lang::En => {
            let s = if *schedules == 1 { "" } else { "s" };
            format!("{schedules} schedule{s} tried, {steps} steps, {per_second}/s.")
        }
        Lang::Zh => format!("已尝试 {schedules} 个组合，{steps} 步，每秒 {per_second} 个。"),
    }
}

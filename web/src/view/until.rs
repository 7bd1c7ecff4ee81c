//! Until…: what to go on until, by what *Step* and *Back* move, and what is said of a search.

use super::bits::{Send, ask, chosen, leader, typed};
use crate::{
    state::{
        Action, Selection,
        run::RunHandle,
        until::{Failure, Goal, MOST, Missed, SearchHandle, TimeAct, Unit},
    },
    text::{Key, Lang, t},
};
use std::rc::Rc;
use yew::prelude::*;
use zabscope_core::id::ServerId;

/// What the dialog needs.
#[derive(Properties, PartialEq)]
pub struct UntilProps {
    /// The run.
    pub run: RunHandle,
    /// What *Step* and *Back* move by.
    pub unit: Unit,
    /// What is chosen is offered first.
    pub selection: Selection,
    /// The language.
    pub lang: Lang,
    /// To ask.
    pub send: Send,
}

/// The name of a unit.
pub fn unit_name(unit: Unit, lang: Lang) -> &'static str {
    match unit {
        Unit::Event => lang.pick("event", "事件"),
        Unit::Message => lang.pick("message", "消息"),
        Unit::Phase => lang.pick("phase", "阶段"),
        Unit::Epoch => lang.pick("epoch", "纪元"),
    }
}

/// By what *Step* and *Back* move.
pub fn units(unit: Unit, lang: Lang, send: &Send) -> Html {
    let onchange = {
        let send = send.clone();
        Callback::from(move |event: Event| {
            let value = chosen(&event);
            if let Some(unit) = Unit::ALL.into_iter().find(|u| u.name() == value) {
                send.dispatch(Action::Time(TimeAct::Unit(unit)));
            }
        })
    };
    let name = lang.pick("Step and Back by", "单步与后退按");
    html! {
        <label class="field"><span class="name">{ name }</span>
            <select {onchange} aria-label={name}>
                { for Unit::ALL.into_iter().map(|u| html! {
                    <option value={u.name()} selected={u == unit}>{ unit_name(u, lang) }</option>
                }) }
            </select>
        </label>
    }
}

/// The dialog's contents.
#[component]
pub fn Until(props: &UntilProps) -> Html {
    let (lang, send) = (props.lang, &props.send);
    let kind = use_state(|| 0_u8);
    let server = use_state(|| match props.selection {
        Selection::Server(id) => id.0,
        _ => 0,
    });
    let path = use_state(|| match &props.selection {
        Selection::Znode(path) => path.to_string(),
        _ => String::new(),
    });
    let text = use_state(String::new);
    let goal = match *kind {
        0 => Some(Goal::Role((*server > 0).then_some(ServerId(*server)))),
        1 => path
            .trim()
            .starts_with('/')
            .then(|| Goal::Znode(Rc::from(path.trim()))),
        2 => Some(Goal::Invariant),
        _ => (!text.trim().is_empty()).then(|| Goal::Text(Rc::from(text.as_str()))),
    };
    let able = goal.is_some();
    let onsubmit = {
        let send = send.clone();
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            if let Some(goal) = goal.clone() {
                send.dispatch(Action::Dialog(None));
                send.dispatch(Action::Time(TimeAct::Until(goal)));
            }
        })
    };
    let radio = |no: u8, name: &'static str| {
        let kind = kind.clone();
        let checked = *kind == no;
        let onchange = Callback::from(move |_: Event| kind.set(no));
        html! {
            <label class="check"><input type="radio" name="until" {checked} {onchange} /><span>{ name }</span></label>
        }
    };
    let on_server = {
        let (server, kind) = (server.clone(), kind.clone());
        Callback::from(move |event: Event| {
            server.set(chosen(&event).parse().unwrap_or(0));
            kind.set(0);
        })
    };
    let input = |state: &UseStateHandle<String>, no: u8| {
        let (state, kind) = (state.clone(), kind.clone());
        Callback::from(move |event: InputEvent| {
            state.set(typed(&event));
            kind.set(no);
        })
    };
    let run = props.run.get();
    let world = run.world();
    let paths: Vec<String> = leader(world)
        .or_else(|| world.servers().find(|s| s.peer.is_some()).map(|s| s.id))
        .and_then(|id| world.peer(id))
        .map(|p| {
            let nodes = p.database().tree.nodes();
            nodes.map(|(at, _)| at.to_string()).take(200).collect()
        })
        .unwrap_or_default();
    html! {
        <form class="form until" {onsubmit}>
            <fieldset>
                <legend>{ lang.pick("Let time pass until", "让时间流逝，直到") }</legend>
                <div class="line">
                    { radio(0, lang.pick("a server changes its role:", "有服务器改变角色：")) }
                    <select onchange={on_server} aria-label={t(lang, Key::Server)}>
                        <option value="0" selected={*server == 0}>{ t(lang, Key::AnyServer) }</option>
                        { for world.servers().map(|s| html! {
                            <option value={s.id.0.to_string()} selected={*server == s.id.0}>{ crate::text::server(s.id, lang) }</option>
                        }) }
                    </select>
                </div>
                <div class="line">
                    { radio(1, lang.pick("a znode changes:", "有节点变化：")) }
                    <input class="mono" type="text" list="until-paths" value={(*path).clone()} oninput={input(&path, 1)}
                        placeholder="/lock" maxlength="200" autocomplete="off" aria-label={t(lang, Key::Path)} />
                    <datalist id="until-paths">{ for paths.into_iter().map(|p| html! { <option value={p}></option> }) }</datalist>
                </div>
                <div class="line">{ radio(2, lang.pick("an invariant fails", "有不变式不再成立")) }</div>
                <div class="line">
                    { radio(3, lang.pick("an event's line holds:", "事件行中出现：")) }
                    <input type="text" value={(*text).clone()} oninput={input(&text, 3)}
                        maxlength="80" autocomplete="off" aria-label={t(lang, Key::Filter)} />
                </div>
            </fieldset>
            <p class="soft">{ match lang {
                Lang::En => format!("At most {MOST} steps are looked at. If nothing is found you are back where you were."),
                Lang::Zh => format!("最多查看 {MOST} 步；若没有找到，就回到原处。"),
            } }</p>
            <div class="row">
                <button type="submit" class="btn main" disabled={!able}>{ lang.pick("Go on", "继续") }</button>
                { units(props.unit, lang, send) }
            </div>
        </form>
    }
}

/// What is looked for, after "until" in English.
fn goal(goal: &Goal, lang: Lang) -> String {
    let (en, zh, value) = match goal {
        Goal::Role(Some(id)) => (
            "server {} changes its role",
            "服务器 {} 改变角色",
            id.to_string(),
        ),
        Goal::Role(None) => (
            "a server changes its role",
            "有服务器改变角色",
            String::new(),
        ),
        Goal::Znode(path) => ("{} changes", "{} 变化", path.to_string()),
        Goal::Invariant => ("an invariant fails", "有不变式不再成立", String::new()),
        Goal::Text(text) => ("an event says “{}”", "有事件提到“{}”", text.to_string()),
        Goal::Message => ("a message arrives", "有消息到达", String::new()),
        Goal::Phase => ("a turning point comes", "出现转折点", String::new()),
        Goal::Epoch => ("a new epoch is established", "新纪元建立", String::new()),
    };
    lang.pick(en, zh).replace("{}", &value)
}

/// While something is looked for: what, how far, and a way to stop.
pub fn looking(search: &SearchHandle, lang: Lang, send: &Send) -> Html {
    let search = search.get();
    let (what, taken) = (goal(search.goal(), lang), search.taken());
    html! {
        <div class="notice" role="group" aria-label={lang.pick("Looking", "正在查找")}>
            <p>{ match lang {
                Lang::En => format!("Going on until {what}: "),
                Lang::Zh => format!("继续，直到{what}："),
            } }<span class="mono soft">{ format!("{taken} / {MOST}") }</span></p>
            <progress max={MOST.to_string()} value={taken.to_string()} aria-label={lang.pick("Steps looked at", "已查看的步数")}></progress>
            <button type="button" class="btn" onclick={ask(send, Action::Time(TimeAct::Stop))}>{ lang.pick("Stop", "停止") }</button>
        </div>
    }
}

/// What is said when nothing was found.
pub fn missed(missed: &Missed, lang: Lang) -> (&'static str, String) {
    let (what, steps) = (goal(&missed.goal, lang), missed.steps);
    let holds = missed.goal == Goal::Invariant;
    let title = match holds {
        true => t(lang, Key::AllHold),
        false => lang.pick("Not found.", "没有找到。"),
    };
    let far = match (missed.ended, lang) {
        (false, Lang::En) => format!("{steps} steps were looked at"),
        (false, Lang::Zh) => format!("查看了 {steps} 步"),
        (true, Lang::En) => format!("After {steps} steps nothing can happen any more"),
        (true, Lang::Zh) => format!("{steps} 步之后不会再发生任何事"),
    };
    let told = match (holds, lang) {
        (true, Lang::En) => format!(": {far}, and all that was before. You are where you were."),
        (true, Lang::Zh) => format!("：{far}，之前的也都检查过。你仍在原处。"),
        (false, Lang::En) => {
            format!("{far}, and it did not come to pass that {what}. You are where you were.")
        }
        (false, Lang::Zh) => format!("{far}，没有等到“{what}”。你仍在原处。"),
    };
    (title, told)
}

/// What is said when an invariant fails.
pub fn broken(failure: &Failure, lang: Lang) -> (&'static str, String) {
    let (sentence, values, step) = (&failure.sentence, &failure.values, failure.step);
    let told = match lang {
        Lang::En => format!("{sentence} Step {step}: {values}."),
        Lang::Zh => format!("{sentence} 第 {step} 步：{values}。"),
    };
    (
        lang.pick("An invariant does not hold:", "有不变式不成立："),
        told,
    )
}

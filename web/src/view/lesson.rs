//! The lesson panel: what is told, what is to be done or predicted, and how far one has come.

use super::{
    bits::{Send, ask, button},
    start::{StartProps, start},
};
use crate::{
    platform,
    state::{Action, LessonAct, LessonHandle, run::RunHandle},
    text::{Key, Lang, t},
};
use std::rc::Rc;
use yew::prelude::*;
use zabscope_lessons::{
    Block, Choice, Inline, Instead, Part, Player, Section, Status, Value, catalogue, schema::Task,
};

/// What the tab needs.
pub struct LessonProps {
    /// The run.
    pub run: RunHandle,
    /// The open lesson.
    pub lesson: Option<LessonHandle>,
    /// Virtual time passes.
    pub plays: bool,
    /// The run of an earlier visit.
    pub kept: Option<Rc<str>>,
    /// The language.
    pub lang: Lang,
    /// To ask.
    pub send: Send,
}

const fn of(lang: Lang) -> zabscope_lessons::Lang {
    match lang {
        Lang::En => zabscope_lessons::Lang::En,
        Lang::Zh => zabscope_lessons::Lang::Zh,
    }
}

fn act<E>(send: &Send, act: LessonAct) -> Callback<E> {
    ask(send, Action::Lesson(act))
}

/// The tab: the open lesson, or what there is to see and to learn.
pub fn lesson(props: &LessonProps) -> Html {
    let (lang, send) = (props.lang, props.send.clone());
    match &props.lesson {
        None => {
            html! { <>{ start(&StartProps { run: props.run.clone(), kept: props.kept.clone(), lang, send: send.clone() }) }{ list(lang, &send) }</> }
        }
        Some(lesson) => open(&lesson.get(), props.plays, lang, &send),
    }
}

/// All lessons.
fn list(lang: Lang, send: &Send) -> Html {
    let done = platform::lessons_done();
    html! {
        <section>
            <h3>{ t(lang, Key::Lessons) }</h3>
            <ul class="lessons">
                { for catalogue().map(|entry| {
                    let text = entry.text(of(lang));
                    let name = entry.name;
                    html! {
                        <li>
                            <button type="button" class="card" onclick={act(send, LessonAct::Open(name, 0))}>
                                <b>{ text.title }</b>
                                <span class="soft">{ for text.summary.iter().map(plain) }</span>
                                if done.iter().any(|d| d == name) {
                                    <span class="chosen">{ t(lang, Key::Done) }</span>
                                }
                            </button>
                        </li>
                    }
                }) }
            </ul>
        </section>
    }
}

fn plain(block: &Block) -> String {
    match block {
        Block::Para(inlines) => inlines
            .iter()
            .map(|i| match i {
                Inline::Text(s) | Inline::Strong(s) | Inline::Em(s) | Inline::Code(s) => *s,
                Inline::Value(_) => "",
            })
            .collect(),
        Block::List { .. } => String::new(),
    }
}

fn open(player: &Player, plays: bool, lang: Lang, send: &Send) -> Html {
    let lesson = player.lesson();
    let (done, all) = player.progress();
    let at = player.step();
    let Some(section) = lesson.section(at, of(lang)) else {
        return Html::default();
    };
    let last = at + 1 == all;
    let counted = match lang {
        Lang::En => format!("{} of {all}", at + 1),
        Lang::Zh => format!("{} / {all}", at + 1),
    };
    html! {
        <>
            <div class="progress">
                <progress max={all.to_string()} value={done.to_string()} aria-label={lang.pick("Steps done", "已完成的步骤")}></progress>
                <span class="mono">{ counted }</span>
            </div>
            <p class="soft">{ lesson.text(of(lang)).title }</p>
            <h2>{ section.title }</h2>
            <div class="prose">{ blocks(player, None, section.body) }</div>
            { task(player, section, plays, lang, send) }
            { outcome(player, section, lang) }
            <div class="row end">
                if at > 0 {
                    { button(t(lang, Key::Previous), act(send, LessonAct::Enter(at - 1))) }
                }
                if matches!(player.status(), Status::Done | Status::Reading) && !last {
                    <button type="button" class="btn main" onclick={act(send, LessonAct::Next)}>{ t(lang, Key::Next) }</button>
                }
                if player.finished() {
                    <span class="chosen">{ t(lang, Key::LessonDone) }</span>
                    { next_lesson(lesson.name(), lang, send) }
                }
                <button type="button" class="btn leave" onclick={act(send, LessonAct::Leave)}>{ t(lang, Key::LeaveLesson) }</button>
            </div>
        </>
    }
}

fn next_lesson(name: &str, lang: Lang, send: &Send) -> Html {
    let next = catalogue().skip_while(|e| e.name != name).nth(1);
    match next {
        Some(entry) => html! {
            <button type="button" class="btn main" onclick={act(send, LessonAct::Open(entry.name, 0))}>{ t(lang, Key::NextLesson) }</button>
        },
        None => Html::default(),
    }
}

/// What the step wants now.
fn task(player: &Player, section: &'static Section, plays: bool, lang: Lang, send: &Send) -> Html {
    let run = |key: Key| {
        html! {
            <button type="button" class="btn main" disabled={plays} onclick={act(send, LessonAct::Run)}>{ t(lang, key) }</button>
        }
    };
    match player.status() {
        Status::Reading | Status::Done => Html::default(),
        Status::Watching => html! { <div class="row">{ run(Key::WatchIt) }</div> },
        Status::Showing => html! { <div class="row">{ run(Key::ContinueLesson) }</div> },
        Status::Acting => {
            let shown = player.hints();
            let more = shown < section.parts("hint").count();
            let label = if shown == 0 {
                Key::Hint
            } else {
                Key::AnotherHint
            };
            html! {
                <>
                    <h3>{ t(lang, Key::YourTurn) }</h3>
                    { for section.parts("hint").take(shown).map(|part| html! {
                        <div class="card prose">{ blocks(player, Some(part), part.body) }</div>
                    }) }
                    <div class="row">
                        if more {
                            { button(t(lang, label), act(send, LessonAct::Hint)) }
                        }
                        { button(t(lang, Key::ShowMe), act(send, LessonAct::ShowMe)) }
                    </div>
                </>
            }
        }
        Status::Asking | Status::Running => {
            let labels = choices(player, section, lang);
            html! {
                <>
                    <h3>{ t(lang, Key::Predict) }</h3>
                    <Asked key={player.link()} {labels} chosen={player.chosen()}
                        running={player.status() == Status::Running} {plays} {lang} send={send.clone()} />
                </>
            }
        }
        Status::OffTrack => html! {
            <div class="card">
                <p>{ lang.pick(
                    "The world is not as this step takes for granted, or what it waited for did not come. It can be set again.",
                    "世界已不是这一步所假定的样子，或者所等待的事没有发生。可以重新布置场景。",
                ) }</p>
                <p class="row">{ button(lang.pick("Set the scene again", "重新布置场景"), act(send, LessonAct::Enter(player.step()))) }</p>
            </div>
        },
    }
}

fn choice_text(choice: &Choice, section: &'static Section, lang: Lang) -> String {
    match choice {
        Choice::Value(Value::Server(id)) => format!("{} {id}", t(lang, Key::Server)),
        Choice::Value(value) => value.to_string(),
        Choice::Case(id) => section
            .choice(id)
            .map_or_else(|| id.clone(), |part| part.title.to_owned()),
    }
}

fn choices(player: &Player, section: &'static Section, lang: Lang) -> Vec<String> {
    player.question().map_or(Vec::new(), |q| {
        q.choices
            .iter()
            .map(|c| choice_text(c, section, lang))
            .collect()
    })
}

#[derive(Properties, PartialEq)]
struct AskedProps {
    labels: Vec<String>,
    chosen: Option<usize>,
    running: bool,
    plays: bool,
    lang: Lang,
    send: Send,
}

/// The choices, and *Run it*.
#[component]
fn Asked(props: &AskedProps) -> Html {
    let (lang, send) = (props.lang, &props.send);
    let mine = use_state(|| None::<usize>);
    let chosen = props.chosen.or(*mine);
    let run = if props.running {
        act(send, LessonAct::Run)
    } else {
        let send = send.clone();
        Callback::from(move |_: MouseEvent| {
            if let Some(choice) = chosen {
                send.dispatch(Action::Lesson(LessonAct::Answer(choice)));
            }
        })
    };
    html! {
        <>
            <fieldset class="choices" disabled={props.running}>
                <legend class="unseen">{ t(lang, Key::Predict) }</legend>
                { for props.labels.iter().enumerate().map(|(index, label)| {
                    let mine = mine.clone();
                    let on = chosen == Some(index);
                    html! {
                        <label class={classes!("choice", on.then_some("on"))}>
                            <input type="radio" name="choice" checked={on}
                                onchange={Callback::from(move |_: Event| mine.set(Some(index)))} />
                            <span>{ label.clone() }</span>
                        </label>
                    }
                }) }
            </fieldset>
            <div class="row">
                <button type="button" class="btn main" disabled={chosen.is_none() || props.plays} onclick={run}>
                    { t(lang, if props.running { Key::ContinueLesson } else { Key::RunIt }) }
                </button>
            </div>
        </>
    }
}

/// What is said when the step is done.
fn outcome(player: &Player, section: &'static Section, lang: Lang) -> Html {
    if player.status() != Status::Done {
        return Html::default();
    }
    let parts = |kind: &'static str| {
        section
            .parts(kind)
            .map(
                |part| html! { <div class="prose">{ blocks(player, Some(part), part.body) }</div> },
            )
            .collect::<Html>()
    };
    match (&player.step_data().task, player.answered()) {
        (Task::Predict(_), Some(answer)) => {
            let question = player.question();
            let label = |index: usize| {
                question
                    .and_then(|q| q.choices.get(index))
                    .map(|c| choice_text(c, section, lang))
                    .unwrap_or_default()
            };
            let right = answer.is_right();
            html! {
                <section role="group" aria-label={t(lang, Key::Done)}>
                    <h3 class={if right { "chosen" } else { "allowed" }}>{ t(lang, if right { Key::Right } else { Key::Wrong }) }</h3>
                    <p class="soft">{ format!("{}: {}", t(lang, Key::YouPredicted), label(answer.chosen)) }</p>
                    { parts(if right { "right" } else { "wrong" }) }
                    { answer.instead.as_ref().map_or(Html::default(), |instead| {
                        let of = question.and_then(|q| q.choices.get(answer.chosen));
                        what_would_have(player, section, instead, of, lang)
                    }) }
                </section>
            }
        }
        _ => html! { <section>{ parts("done") }</section> },
    }
}

/// What would have had to be true for a wrong prediction to be right.
fn what_would_have(
    player: &Player,
    section: &'static Section,
    instead: &Instead,
    chosen: Option<&Choice>,
    lang: Lang,
) -> Html {
    let body = match instead {
        Instead::Values => return Html::default(),
        Instead::Case => match chosen {
            Some(Choice::Case(id)) => match section.choice(id) {
                Some(part) if !part.body.is_empty() => {
                    html! { <div class="prose">{ blocks(player, Some(part), part.body) }</div> }
                }
                _ => return Html::default(),
            },
            _ => return Html::default(),
        },
        Instead::Ballots {
            chosen,
            won,
            without,
        } => {
            let row = |b: &zabscope_lessons::Ballot, other: &zabscope_lessons::Ballot| {
                let first = if b.epoch != other.epoch {
                    0
                } else if b.zxid != other.zxid {
                    1
                } else {
                    2
                };
                let cell = |n: usize, text: String| html! { <td class={classes!((n == first).then_some("hit"))}>{ text }</td> };
                html! {
                    <tr>
                        <th scope="row">{ crate::text::server(b.server, lang) }</th>
                        { cell(0, super::bits::epoch(b.epoch)) }
                        { cell(1, super::bits::zxid(b.zxid)) }
                        { cell(2, b.server.to_string()) }
                    </tr>
                }
            };
            let names = without
                .iter()
                .map(|s| s.to_string())
                .collect::<Vec<_>>()
                .join(", ");
            html! {
                <>
                    <table class="votes ballots">
                        <thead><tr>
                            <th scope="col">{ lang.pick("vote for", "投给") }</th><th scope="col">{ lang.pick("epoch", "纪元") }</th>
                            <th scope="col">{ "zxid" }</th><th scope="col">{ "myid" }</th>
                        </tr></thead>
                        <tbody>{ row(chosen, won) }{ row(won, chosen) }</tbody></table>
                    if !without.is_empty() {
                        <p>{ match lang {
                            Lang::En => format!("Without server {names}, server {} would have won.", chosen.server),
                            Lang::Zh => format!("如果没有服务器 {names}，服务器 {} 就会当选。", chosen.server),
                        } }</p>
                    }
                </>
            }
        }
    };
    html! { <><h3>{ t(lang, Key::WhatWouldHave) }</h3>{ body }</> }
}

fn blocks(player: &Player, part: Option<&Part>, blocks: &'static [Block]) -> Html {
    blocks
        .iter()
        .map(|block| match block {
            Block::Para(inlines) => html! { <p>{ line(player, part, inlines) }</p> },
            Block::List { ordered, items } => {
                let items = items
                    .iter()
                    .map(|item| html! { <li>{ line(player, part, item) }</li> })
                    .collect::<Html>();
                if *ordered {
                    html! { <ol>{ items }</ol> }
                } else {
                    html! { <ul>{ items }</ul> }
                }
            }
        })
        .collect()
}

fn line(player: &Player, part: Option<&Part>, inlines: &'static [Inline]) -> Html {
    inlines
        .iter()
        .map(|inline| match inline {
            Inline::Text(s) => html! { { *s } },
            Inline::Strong(s) => html! { <b>{ *s }</b> },
            Inline::Em(s) => html! { <em>{ *s }</em> },
            Inline::Code(s) => html! { <span class="mono">{ *s }</span> },
            Inline::Value(name) => {
                html! { <span class="mono">{ player.value(part, name).to_owned() }</span> }
            }
        })
        .collect()
}

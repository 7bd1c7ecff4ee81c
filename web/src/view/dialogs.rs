//! The dialogs, one at a time. Native modal dialogs, so that focus stays inside and
//! Escape closes them.

use super::bits::{Send, ask, typed};
use crate::{
    platform,
    state::{Action, Dialog, Notice, Selection, run::RunHandle, until::Unit},
    text::{Key, Lang, t},
};
use std::{collections::BTreeSet, rc::Rc};
use yew::prelude::*;
use zabscope_core::{
    id::ServerId,
    quorum::QuorumRule,
    sim::{self, Setup},
    time::Span,
};

/// What a dialog needs.
#[derive(Properties, PartialEq)]
pub struct DialogsProps {
    /// Which.
    pub dialog: Dialog,
    /// What is to be said meanwhile: behind the dialog nobody would see it.
    pub notice: Option<Rc<Notice>>,
    /// The run.
    pub run: RunHandle,
    /// By what *Step* and *Back* move.
    pub unit: Unit,
    /// What is chosen.
    pub selection: Selection,
    /// The language.
    pub lang: Lang,
    /// To ask.
    pub send: Send,
}

/// The open dialog.
#[component]
pub fn Dialogs(props: &DialogsProps) -> Html {
    let (lang, send) = (props.lang, &props.send);
    let node = use_node_ref();
    {
        let node = node.clone();
        use_effect_with(props.dialog, move |_| {
            if let Some(dialog) = node.cast::<web_sys::HtmlDialogElement>() {
                let _ = dialog.show_modal();
            }
        });
    }
    let title = match props.dialog {
        Dialog::Keys => t(lang, Key::KeysTitle),
        Dialog::World => t(lang, Key::NewWorld),
        Dialog::Partition => t(lang, Key::Partition),
        Dialog::Gallery => t(lang, Key::Scenarios),
        Dialog::Export => t(lang, Key::Export),
        Dialog::Menu => t(lang, Key::Menu),
        Dialog::Until => lang.pick("Until…", "直到…"),
    };
    html! {
        <dialog ref={node} class={classes!("dialog", (props.dialog == Dialog::Gallery).then_some("broad"))} aria-labelledby="dialog-title" onclose={ask(send, Action::Dialog(None))}>
            <div class="head">
                <h2 id="dialog-title">{ title }</h2>
                <button type="button" class="btn" onclick={ask(send, Action::Dialog(None))}>{ t(lang, Key::Close) }</button>
            </div>
            if let Some(notice) = &props.notice {
                { super::notice::notice_bar(notice, &props.run, lang, send) }
            }
            { match props.dialog {
                Dialog::Keys => keys(lang),
                Dialog::World => html! { <World setup={props.run.get().world().setup().clone()} {lang} send={send.clone()} /> },
                Dialog::Gallery => html! { <super::gallery::Gallery {lang} send={send.clone()} /> },
                Dialog::Menu => super::header::menu(lang, send),
                Dialog::Export => super::save::save(&props.run, lang, send),
                Dialog::Until => html! {
                    <super::until::Until run={props.run.clone()} unit={props.unit} selection={props.selection.clone()} {lang} send={send.clone()} />
                },
                Dialog::Partition => html! {
                    <Partition servers={props.run.get().world().servers().map(|s| s.id).collect::<Vec<_>>()} chosen={props.selection.clone()} {lang} send={send.clone()} />
                },
            } }
        </dialog>
    }
}

fn keys(lang: Lang) -> Html {
    let rows = [
        ("Space", Key::KeyPlay),
        ("→", Key::KeyStep),
        ("←", Key::KeyBack),
        ("N", Key::KeyPhase),
        ("Home", Key::KeyHome),
        ("End", Key::KeyEnd),
        ("+ −", Key::KeySpeed),
        ("1 … 9", Key::KeyServer),
        ("W", Key::KeyWhy),
        ("Ctrl Z", Key::KeyUndo),
        ("U", Key::KeyUntil),
        ("B", Key::KeyBookmark),
        ("X", Key::KeyCrash),
        ("P", Key::KeyPause),
        ("S", Key::KeySlow),
        ("C", Key::KeyCut),
        ("D", Key::KeyWall),
        ("Shift F10", Key::KeyMenu),
        ("?", Key::KeyHelp),
    ];
    html! {
        <dl class="keys">
            { for rows.into_iter().map(|(key, what)| html! {
                <><dt><kbd>{ key }</kbd></dt><dd>{ t(lang, what) }</dd></>
            }) }
        </dl>
    }
}

#[derive(Properties, PartialEq)]
struct WorldProps {
    setup: Setup,
    lang: Lang,
    send: Send,
}

/// Voters, observers, seed.
#[component]
fn World(props: &WorldProps) -> Html {
    let lang = props.lang;
    let voters = use_state(|| props.setup.voters);
    let observers = use_state(|| props.setup.observers);
    let seed = use_state(|| props.setup.seed.to_string());
    let groups = use_state(|| matches!(props.setup.rule, QuorumRule::Groups { .. }));
    let spans = [
        (Key::Latency, use_state(|| props.setup.latency.0 / 1000)),
        (Key::Jitter, use_state(|| props.setup.jitter.0 / 1000)),
        (Key::Fsync, use_state(|| props.setup.fsync.0 / 1000)),
        (Key::TickTime, use_state(|| props.setup.tick.0 / 1000)),
    ];
    let number = |state: &UseStateHandle<u8>| {
        let state = state.clone();
        Callback::from(move |event: Event| {
            if let Ok(n) = super::bits::chosen(&event).parse() {
                state.set(n);
            }
        })
    };
    let fresh = {
        let seed = seed.clone();
        Callback::from(move |_: MouseEvent| seed.set(platform::fresh_seed().to_string()))
    };
    let on_seed = {
        let seed = seed.clone();
        Callback::from(move |event: InputEvent| seed.set(typed(&event)))
    };
    let flip = {
        let groups = groups.clone();
        Callback::from(move |_: Event| groups.set(!*groups))
    };
    let parsed = seed.trim().parse::<u64>().ok();
    let onsubmit = {
        let (voters, observers, send) = (*voters, *observers, props.send.clone());
        let rule = if *groups && voters >= 3 {
            thirds(voters)
        } else {
            QuorumRule::Majority
        };
        let [latency, jitter, fsync, tick] = spans.clone().map(|(_, ms)| Span::millis(*ms));
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            if let Some(seed) = parsed {
                send.dispatch(Action::NewWorld(Box::new(Setup {
                    seed,
                    voters,
                    observers,
                    rule: rule.clone(),
                    latency,
                    jitter,
                    fsync,
                    tick,
                    ..Setup::default()
                })));
            }
        })
    };
    html! {
        <form class="form" {onsubmit}>
            <label class="field"><span class="name">{ t(lang, Key::Voters) }</span>
                <select onchange={number(&voters)}>
                    { for (1..=9_u8).map(|n| html! { <option value={n.to_string()} selected={n == *voters}>{ n }</option> }) }
                </select>
            </label>
            <label class="field"><span class="name">{ t(lang, Key::Observers) }</span>
                <select onchange={number(&observers)}>
                    { for (0..=4_u8).map(|n| html! { <option value={n.to_string()} selected={n == *observers}>{ n }</option> }) }
                </select>
            </label>
            <label class="field"><span class="name">{ t(lang, Key::Seed) }</span>
                <input class="mono" type="text" inputmode="numeric" value={(*seed).clone()} oninput={on_seed}
                    maxlength="20" autocomplete="off" aria-invalid={parsed.is_none().then_some("true")} />
            </label>
            <p class="soft">{ lang.pick(
                "The seed decides who starts first and how long each message takes. The same seed gives the same run.",
                "种子决定谁先启动、每条消息要多久。同样的种子得到同样的运行。",
            ) }</p>
            <details>
                <summary>{ lang.pick("Network, disk and quorum", "网络、磁盘与法定人数") }</summary>
                <label class="check"><input type="checkbox" checked={*groups} disabled={*voters < 3} onchange={flip} />
                    <span>{ lang.pick("three groups: a majority of groups, with a majority in each", "分三组：多数的组，各组内再取多数") }</span></label>
                { for spans.iter().map(|(key, ms)| {
                    let oninput = {
                        let ms = ms.clone();
                        Callback::from(move |event: InputEvent| {
                            if let Ok(n) = typed(&event).parse() {
                                ms.set(n);
                            }
                        })
                    };
                    // As Setup::validate has it; the form is not sent beyond.
                    let least = if *key == Key::TickTime { "10" } else { "0" };
                    html! {
                        <label class="field"><span class="name">{ t(lang, *key) }</span>
                            <input class="mono" type="number" min={least} max="10000" value={ms.to_string()} {oninput} />
                        </label>
                    }
                }) }
            </details>
            <div class="row">
                <button type="button" class="btn" onclick={fresh}>{ lang.pick("Another seed", "换一个种子") }</button>
                <button type="submit" class="btn main" disabled={parsed.is_none()}>{ lang.pick("Begin", "开始") }</button>
            </div>
        </form>
    }
}

/// Voters dealt out to three groups, each with weight 1.
fn thirds(voters: u8) -> QuorumRule {
    QuorumRule::Groups {
        group: (1..=voters)
            .map(|n| (ServerId(i64::from(n)), u32::from((n - 1) * 3 / voters) + 1))
            .collect(),
        weight: std::collections::BTreeMap::new(),
    }
}

#[derive(Properties, PartialEq)]
struct PartitionProps {
    servers: Vec<ServerId>,
    /// A chosen server stands alone at first.
    chosen: Selection,
    lang: Lang,
    send: Send,
}

/// Who stands on which side of the wall.
#[component]
fn Partition(props: &PartitionProps) -> Html {
    let (lang, servers) = (props.lang, &props.servers);
    let beyond = use_state(|| match props.chosen {
        Selection::Server(id) => BTreeSet::from([id]),
        _ => servers
            .iter()
            .take(servers.len().div_ceil(2) - usize::from(servers.len() > 2))
            .copied()
            .collect(),
    });
    let (one, other): (BTreeSet<_>, BTreeSet<_>) =
        servers.iter().copied().partition(|s| beyond.contains(s));
    let able = !one.is_empty() && !other.is_empty();
    let onsubmit = {
        let groups = vec![one.clone(), other.clone()];
        let send = props.send.clone();
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            send.dispatch(Action::Act(sim::Action::Partition {
                groups: groups.clone(),
            }));
            send.dispatch(Action::Dialog(None));
        })
    };
    let names = |side: &BTreeSet<ServerId>| {
        side.iter()
            .map(ServerId::to_string)
            .collect::<Vec<_>>()
            .join(", ")
    };
    html! {
        <form class="form" {onsubmit}>
            <fieldset>
                <legend>{ t(lang, Key::PartitionHelp) }</legend>
                <div class="row">
                    { for servers.iter().map(|s| {
                        let (beyond, server) = (beyond.clone(), *s);
                        let checked = beyond.contains(s);
                        let onchange = Callback::from(move |_: Event| {
                            let mut next = (*beyond).clone();
                            if !next.remove(&server) {
                                next.insert(server);
                            }
                            beyond.set(next);
                        });
                        html! {
                            <label class="check"><input type="checkbox" {checked} {onchange} />
                                <span>{ crate::text::server(*s, lang) }</span></label>
                        }
                    }) }
                </div>
            </fieldset>
            <p class="mono sides">{ format!("{} | {}", names(&one), names(&other)) }</p>
            <div class="row">
                <button type="submit" class="btn main" disabled={!able}>{ lang.pick("Build the wall", "建起隔墙") }</button>
            </div>
        </form>
    }
}

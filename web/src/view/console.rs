//! The console: zkCli's commands for one client, and what it was answered by whom.

use super::{
    act::TIMEOUT_MS,
    bits::{Send, ask, chosen, letter, typed},
    client::seen,
};
use crate::{
    console::{self, Line},
    state::{Action, Selection, run::RunHandle},
    text::{Key, Lang, t},
};
use std::cell::RefCell;
use yew::prelude::*;
use zabscope_core::{
    id::ServerId,
    sim::{self, ClientNo, ClientState, ClientView},
};

/// The session that a new client wishes, in ms.
/// So many lines are remembered.
const REMEMBERED: usize = 100;

thread_local! {
    /// What was typed, oldest first: it outlives the tab, not the page.
    static TYPED: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// What the console needs.
#[derive(Properties, PartialEq)]
pub struct ConsoleProps {
    /// The run.
    pub run: RunHandle,
    /// What is chosen.
    pub selection: Selection,
    /// The language.
    pub lang: Lang,
    /// To ask.
    pub send: Send,
}

/// Where a client is connected, or about to be.
fn place(view: &ClientView<'_>) -> Option<ServerId> {
    match view.state {
        ClientState::Connected { server, .. } | ClientState::Connecting { server, .. } => {
            Some(server)
        }
        _ => None,
    }
}

/// The console.
#[component]
pub fn Console(props: &ConsoleProps) -> Html {
    let (lang, send) = (props.lang, &props.send);
    let picked = use_state(|| None::<ClientNo>);
    let line = use_state(String::new);
    let said = use_state(Vec::<String>::new);
    let wait = use_state(|| true);
    // How far back in what was typed.
    let back = use_state(|| 0_usize);
    let run = props.run.get();
    let world = run.world();
    let view = match &props.selection {
        Selection::Client(no) => world.client(*no),
        _ => picked.and_then(|no| world.client(no)),
    };
    let Some(view) = view.or_else(|| world.clients().next()) else {
        return nobody(lang, send);
    };
    let client = view.no;
    let tree = || {
        let server = place(&view)?;
        Some(world.peer(server)?.database().tree.clone())
    };
    let onsubmit = {
        let (line, said, back, send) = (line.clone(), said.clone(), back.clone(), send.clone());
        let wait = *wait;
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            let text = line.trim().to_owned();
            let read = console::parse(&text);
            if !text.is_empty() {
                TYPED.with_borrow_mut(|typed| {
                    typed.retain(|t| *t != text);
                    typed.push(text);
                    let more = typed.len().saturating_sub(REMEMBERED);
                    typed.drain(..more);
                });
            }
            back.set(0);
            let action = match read {
                Ok(Line::Empty) => return,
                Ok(Line::Help) => {
                    line.set(String::new());
                    return said.set(console::help().map(str::to_owned).collect());
                }
                Ok(Line::Request(request)) => sim::Action::Ask { client, request },
                Ok(Line::Connect(server)) => sim::Action::MoveClient { client, server },
                Err(wrong) => return said.set(vec![console::wrong(&wrong, lang)]),
            };
            line.set(String::new());
            said.set(Vec::new());
            send.dispatch(Action::Act(action));
            if wait {
                send.dispatch(Action::Await(client));
            }
        })
    };
    let onkeydown = {
        let (line, said, back, tree) = (line.clone(), said.clone(), back.clone(), tree());
        Callback::from(move |event: KeyboardEvent| {
            let earlier = |by: usize| {
                let found = TYPED.with_borrow(|typed| {
                    typed
                        .len()
                        .checked_sub(by)
                        .and_then(|i| typed.get(i).cloned())
                });
                if by == 0 || found.is_some() {
                    event.prevent_default();
                    back.set(by);
                    line.set(found.unwrap_or_default());
                }
            };
            match event.key().as_str() {
                "ArrowUp" => earlier(*back + 1),
                "ArrowDown" if *back > 0 => earlier(*back - 1),
                // With nothing to complete the key does what it does everywhere: it goes on.
                "Tab" if !line.is_empty() && !event.shift_key() => {
                    let all = console::complete(&line, tree.as_ref());
                    let common = console::common(&all);
                    if common.len() > line.len() {
                        event.prevent_default();
                        line.set(common);
                    } else if all.len() > 1 {
                        event.prevent_default();
                        said.set(all);
                    }
                }
                _ => {}
            }
        })
    };
    let onchange = {
        let picked = picked.clone();
        let send = send.clone();
        Callback::from(move |event: Event| {
            if let Ok(no) = chosen(&event).parse() {
                picked.set(Some(ClientNo(no)));
                send.dispatch(Action::Select(Selection::Nothing));
            }
        })
    };
    let oninput = {
        let line = line.clone();
        Callback::from(move |event: InputEvent| line.set(typed(&event)))
    };
    let flip = {
        let wait = wait.clone();
        Callback::from(move |_: Event| wait.set(!*wait))
    };
    let able = !matches!(view.state, ClientState::Expired | ClientState::Closed);
    html! {
        <>
            <h2>{ t(lang, Key::Console) }</h2>
            <label class="field">
                <span class="name">{ lang.pick("as client", "以客户端身份") }</span>
                <select {onchange}>
                    { for world.clients().map(|c| html! {
                        <option value={c.no.0.to_string()} selected={c.no == client}>{ at(&c, lang) }</option>
                    }) }
                </select>
            </label>
            { seen(world, &view, lang) }
            if !said.is_empty() {
                <ul class="console mono" role="status">{ for said.iter().map(|s| html! { <li>{ s }</li> }) }</ul>
            }
            <form class="prompt" {onsubmit}>
                <label>
                    <span class="mono">{ format!("{}>", letter(client)) }</span>
                    <input class="mono" type="text" value={(*line).clone()} {oninput} {onkeydown} maxlength="400"
                        spellcheck="false" autocomplete="off" autocapitalize="off"
                        aria-label={lang.pick("Command", "命令")} placeholder="create /colour blue" disabled={!able} />
                </label>
                <button type="submit" class="btn main" disabled={!able}>{ t(lang, Key::Send) }</button>
            </form>
            <label class="check">
                <input type="checkbox" checked={*wait} onchange={flip} />
                <span>{ lang.pick("let time pass until it is answered", "让时间走到有回答为止") }</span>
            </label>
            <p class="soft">{ lang.pick(
                "Tab completes, ↑ and ↓ bring back what was typed, help lists the commands.",
                "Tab 补全，↑ ↓ 找回输入过的命令，help 列出全部命令。",
            ) }</p>
        </>
    }
}

/// `A, at server 3`.
fn at(view: &ClientView<'_>, lang: Lang) -> String {
    let name = letter(view.no);
    match (place(view), lang) {
        (Some(server), Lang::En) => format!("{name}, at {}", crate::text::server(server, lang)),
        (Some(server), Lang::Zh) => format!("{name}，在{}", crate::text::server(server, lang)),
        (None, Lang::En) => format!("{name}, not connected"),
        (None, Lang::Zh) => format!("{name}，未连接"),
    }
}

fn nobody(lang: Lang, send: &Send) -> Html {
    let add = |server: Option<ServerId>| {
        Action::Act(sim::Action::AddClient {
            server,
            timeout_ms: TIMEOUT_MS,
        })
    };
    html! {
        <>
            <h2>{ t(lang, Key::Console) }</h2>
            <p>{ lang.pick(
                "Commands are asked by a client, and there is none yet.",
                "命令由客户端发出，而现在还没有客户端。",
            ) }</p>
            <div class="row">
                <button type="button" class="btn main" onclick={ask(send, add(None))}>{ lang.pick("Add a client", "添加客户端") }</button>
            </div>
        </>
    }
}

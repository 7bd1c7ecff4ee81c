//! One client: where it stands, what it may ask, what it has seen.

use super::{
    bits::{Send, ask, button, button_if, chosen, letter, plate, seconds, span, term, zxid},
    inspector::client_state,
};
use crate::{
    state::Action,
    text::{Key, Lang, request_text, response_text, t},
};
use std::sync::Arc;
use yew::prelude::*;
use zabscope_core::{
    id::Zxid,
    request::{Create, CreateMode, CreateOp, Request, Write},
    sim::{
        self, ClientNo, ClientState, ClientView, Observation, Outcome, Seen, ServerStatus, World,
    },
    time::Span,
    tree::acl,
};

/// So many lines of what it saw are shown.
const SHOWN: usize = 30;

/// A client's panel.
pub fn client(world: &World, no: ClientNo, lang: Lang, send: &Send) -> Html {
    let Some(view) = world.client(no) else {
        return Html::default();
    };
    html! {
        <>
            <h2>{ format!("{} {}", t(lang, Key::Client), letter(no)) }</h2>
            { standing(world, &view, lang) }
            { moves(world, &view, lang, send) }
            <Asking {no} able={!over(&view)} {lang} send={send.clone()} />
            { seen(world, &view, lang) }
        </>
    }
}

fn over(view: &ClientView<'_>) -> bool {
    matches!(view.state, ClientState::Expired | ClientState::Closed)
}

fn standing(world: &World, view: &ClientView<'_>, lang: Lang) -> Html {
    let silent = world.now() - view.last_heard;
    let timeout = Span::millis(u64::try_from(view.timeout_ms).unwrap_or(0));
    html! {
        <>
            <p class="soft">
                { client_state(view.state, lang) }
                { if view.paused { format!(" · {}", t(lang, Key::Paused)) } else { String::new() } }
            </p>
            <dl>
                { term(lang.pick("session", "会话"), view.session.to_string()) }
                { term(lang.pick("session time-out", "会话超时"), span(timeout)) }
                { term(lang.pick("heard from its server", "上次收到服务器消息"), match lang {
                    Lang::En => format!("{} ago", span(silent)),
                    Lang::Zh => format!("{} 前", span(silent)),
                }) }
                { term(lang.pick("has seen", "已看到"), plate(view.last_zxid_seen)) }
                { term(lang.pick("waiting for an answer", "等待回答"), view.pending.to_string()) }
                { term(lang.pick("not sent yet", "尚未发送"), view.queued.to_string()) }
            </dl>
        </>
    }
}

fn moves(world: &World, view: &ClientView<'_>, lang: Lang, send: &Send) -> Html {
    let client = view.no;
    let at = match view.state {
        ClientState::Connected { server, .. } | ClientState::Connecting { server, .. } => {
            Some(server)
        }
        _ => None,
    };
    let onchange = {
        let send = send.clone();
        Callback::from(move |event: Event| {
            if let Ok(id) = chosen(&event).parse() {
                send.dispatch(Action::Act(sim::Action::MoveClient {
                    client,
                    server: zabscope_core::id::ServerId(id),
                }));
            }
        })
    };
    let able = !over(view);
    let act = |action: sim::Action| ask::<MouseEvent>(send, Action::Act(action));
    html! {
        <div class="row" role="group" aria-label={t(lang, Key::Actions)}>
            <label class="field">
                <span class="name">{ t(lang, Key::ConnectTo) }</span>
                <select {onchange} disabled={!able}>
                    <option value="" selected={at.is_none()}>{ "–" }</option>
                    { for world.servers().map(|s| html! {
                        <option value={s.id.to_string()} selected={at == Some(s.id)}
                            disabled={s.status == ServerStatus::Down}>
                            { crate::text::server(s.id, lang) }
                        </option>
                    }) }
                </select>
            </label>
            { button_if(able && at.is_some(), t(lang, Key::DropConnection), act(sim::Action::DropClient { client })) }
            if view.paused {
                { button(t(lang, Key::Resume), act(sim::Action::ResumeClient { client })) }
            } else {
                { button_if(able, t(lang, Key::PauseClient), act(sim::Action::PauseClient { client })) }
            }
            { button_if(able, t(lang, Key::WriteLoad), act(sim::Action::Load { client, writes: 20 })) }
        </div>
    }
}

/// What a person can let a client ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Read,
    Write,
    Create,
    Delete,
    List,
    Watch,
    Sync,
}

impl What {
    const ALL: [(What, Key); 7] = [
        (What::Read, Key::Read),
        (What::Write, Key::Write),
        (What::Create, Key::Create),
        (What::Delete, Key::Delete),
        (What::List, Key::List),
        (What::Watch, Key::Watch),
        (What::Sync, Key::Sync),
    ];

    const fn has_data(self) -> bool {
        matches!(self, What::Write | What::Create)
    }
}

/// A read of a znode.
pub fn read(path: &str) -> Request {
    Request::GetData {
        path: Arc::from(path),
        watch: false,
    }
}

/// A write to a znode that is there.
pub fn write(path: &str, data: &str) -> Request {
    Request::Write(Write::SetData {
        path: Arc::from(path),
        data: Some(Arc::from(data.as_bytes())),
        version: -1,
    })
}

/// A new znode.
pub fn create(path: &str, data: &str, ephemeral: bool, sequential: bool) -> Request {
    let mode = match (ephemeral, sequential) {
        (false, false) => CreateMode::Persistent,
        (true, false) => CreateMode::Ephemeral,
        (false, true) => CreateMode::PersistentSequential,
        (true, true) => CreateMode::EphemeralSequential,
    };
    Request::Write(Write::Create(Create {
        path: Arc::from(path),
        data: Some(Arc::from(data.as_bytes())),
        acl: acl::open(),
        mode,
        op: CreateOp::Create,
    }))
}

#[derive(Properties, PartialEq)]
struct AskingProps {
    no: ClientNo,
    able: bool,
    lang: Lang,
    send: Send,
}

/// The console: one request of this client.
#[component]
fn Asking(props: &AskingProps) -> Html {
    let (lang, client) = (props.lang, props.no);
    let what = use_state(|| What::Create);
    let path = use_state(|| "/colour".to_owned());
    let data = use_state(|| "blue".to_owned());
    let ephemeral = use_state(|| false);
    let sequential = use_state(|| false);
    let onsubmit = {
        let (what, path, data) = (what.clone(), path.clone(), data.clone());
        let (ephemeral, sequential) = (*ephemeral, *sequential);
        let send = props.send.clone();
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            let at: Arc<str> = Arc::from(path.as_str());
            let request = match *what {
                What::Read => read(&at),
                What::Watch => Request::GetData {
                    path: at,
                    watch: true,
                },
                What::Write => write(&at, &data),
                What::Create => create(&at, &data, ephemeral, sequential),
                What::Delete => Request::Write(Write::Delete {
                    path: at,
                    version: -1,
                }),
                What::List => Request::GetChildren {
                    path: at,
                    watch: false,
                    stat: false,
                },
                What::Sync => Request::Sync { path: at },
            };
            send.dispatch(Action::Act(sim::Action::Ask { client, request }));
        })
    };
    let on_what = {
        let what = what.clone();
        Callback::from(move |event: Event| {
            let value = chosen(&event);
            if let Some((found, _)) = What::ALL
                .into_iter()
                .find(|(w, _)| format!("{w:?}") == value)
            {
                what.set(found);
            }
        })
    };
    let set = |state: &UseStateHandle<String>| {
        let state = state.clone();
        Callback::from(move |event: InputEvent| state.set(super::bits::typed(&event)))
    };
    let flip = |state: &UseStateHandle<bool>| {
        let state = state.clone();
        Callback::from(move |_: Event| state.set(!*state))
    };
    html! {
        <form class="asking" {onsubmit}>
            <label class="field">
                <span class="name">{ lang.pick("Request", "请求") }</span>
                <select onchange={on_what}>
                    { for What::ALL.iter().map(|(w, key)| html! {
                        <option value={format!("{w:?}")} selected={*w == *what}>{ t(lang, *key) }</option>
                    }) }
                </select>
            </label>
            <label class="field">
                <span class="name">{ t(lang, Key::Path) }</span>
                <input class="mono" type="text" value={(*path).clone()} oninput={set(&path)}
                    maxlength="200" spellcheck="false" autocomplete="off" />
            </label>
            <label class={classes!("field", (!what.has_data()).then_some("unused"))}>
                <span class="name">{ t(lang, Key::Data) }</span>
                <input class="mono" type="text" value={(*data).clone()} oninput={set(&data)}
                    maxlength="200" spellcheck="false" autocomplete="off" disabled={!what.has_data()} />
            </label>
            <label class="check">
                <input type="checkbox" checked={*ephemeral} disabled={*what != What::Create} onchange={flip(&ephemeral)} />
                <span>{ t(lang, Key::Ephemeral) }</span>
            </label>
            <label class="check">
                <input type="checkbox" checked={*sequential} disabled={*what != What::Create} onchange={flip(&sequential)} />
                <span>{ t(lang, Key::Sequential) }</span>
            </label>
            <button type="submit" class="btn main" disabled={!props.able}>{ t(lang, Key::Send) }</button>
        </form>
    }
}

/// What it saw, newest last.
pub fn seen(world: &World, view: &ClientView<'_>, lang: Lang) -> Html {
    let mut lines: Vec<_> = view.observations.iter().rev().take(SHOWN).collect();
    lines.reverse();
    html! {
        <section>
            <h3>{ lang.pick("What it saw", "它看到的") }</h3>
            if lines.is_empty() {
                <p class="soft">{ lang.pick("Nothing yet.", "还没有。") }</p>
            } else {
                <ol class="console mono" tabindex="0" aria-label={t(lang, Key::Console)}>
                    { for lines.into_iter().map(|o| observation(world, o, lang)) }
                </ol>
            }
        </section>
    }
}

fn observation(world: &World, o: &Observation, lang: Lang) -> Html {
    let (head, tail, class) = match &o.seen {
        Seen::Answer {
            request, outcome, ..
        } => {
            let head = request_text(request);
            match outcome {
                Outcome::Reply { zxid: z, result } => {
                    let value = match result {
                        Ok(response) => response_text(response),
                        Err(error) => error.name().to_owned(),
                    };
                    // Some answers show no state: their zxid is 0.
                    let read = *z != Zxid(0)
                        && !matches!(request, Request::Write(_) | Request::Sync { .. });
                    let behind = if read { stale(world, o, *z) } else { 0 };
                    let server = crate::text::server(o.server, lang);
                    let at = match lang {
                        Lang::En => format!("{}, served by {server}", zxid(*z)),
                        Lang::Zh => format!("{}，由{server}回答", zxid(*z)),
                    };
                    let note = match (behind, lang) {
                        (0, _) => at,
                        (n, Lang::En) => format!(
                            "{at}, {n} behind now. Allowed: a server answers reads from its own memory"
                        ),
                        (n, Lang::Zh) => {
                            format!(
                                "{at}，现在落后 {n} 个事务。这是允许的：读由服务器用自己的内存回答"
                            )
                        }
                    };
                    let class = match (result.is_ok(), behind) {
                        (false, _) => "fault",
                        (true, 0) => "soft",
                        (true, _) => "allowed",
                    };
                    return html! {
                        <li>
                            <span class="soft">{ format!("{} ", letter(view_no(world, o))) }</span>{ head }
                            <br />{ value }<br />
                            <span class={class}>{ note }</span>
                        </li>
                    };
                }
                Outcome::ConnectionLoss => (
                    head,
                    lang.pick(
                        "connection lost: done or not, it can't know",
                        "连接丢失：是否完成，客户端无法知道",
                    )
                    .to_owned(),
                    "fault",
                ),
                Outcome::SessionExpired => (
                    head,
                    lang.pick("session expired", "会话已过期").to_owned(),
                    "fault",
                ),
            }
        }
        Seen::Watch(event) => (
            format!("{:?} {}", event.kind, event.path),
            lang.pick("a watch rang", "监听触发").to_owned(),
            "chosen",
        ),
        Seen::Connected { session } => (
            lang.pick("connected", "已连接").to_owned(),
            format!("{}, {session}", crate::text::server(o.server, lang)),
            "soft",
        ),
        Seen::Disconnected => (
            lang.pick("disconnected", "连接断开").to_owned(),
            crate::text::server(o.server, lang),
            "soft",
        ),
        Seen::Expired { .. } => (
            lang.pick("session expired", "会话已过期").to_owned(),
            crate::text::server(o.server, lang),
            "fault",
        ),
    };
    html! {
        <li title={seconds(o.at)}>{ head }<br /><span class={class}>{ tail }</span></li>
    }
}

fn view_no(world: &World, o: &Observation) -> ClientNo {
    world
        .clients()
        .find(|c| c.observations.iter().any(|x| core::ptr::eq(&**x, o)))
        .map_or(ClientNo(0), |c| c.no)
}

/// How many committed transactions the answer does not show, as things stand now.
fn stale(world: &World, _: &Observation, shown: Zxid) -> u64 {
    world.behind_by(shown)
}

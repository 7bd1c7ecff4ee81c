//! What one can do to the world: break servers and links, add clients, and the shortest way to a stale
//! read.

use super::{
    bits::{Send, ask, button, button_if, leader, letter, role},
    client::{create, read, write},
    inspector::client_state,
};
use crate::{
    state::{Action, Dialog, Selection, run::RunHandle},
    text::{Key, Lang, t},
};
use std::rc::Rc;
use yew::prelude::*;
use zabscope_core::{
    id::ServerId,
    sim::{self, ClientNo, ClientState, ServerStatus, World},
    time::Span,
};

/// Clients that the page adds want this time-out.
pub const TIMEOUT_MS: i32 = 10_000;
/// How much a follower's link is slowed for the stale read.
const SLOW: Span = Span::millis(1500);

/// What the tab needs.
pub struct ActProps {
    /// The run.
    pub run: RunHandle,
    /// What is known of the last search.
    pub search: Rc<crate::state::search::Searched>,
    /// The language.
    pub lang: Lang,
    /// To ask.
    pub send: Send,
}

/// The tab.
pub fn act(props: &ActProps) -> Html {
    let (lang, send) = (props.lang, &props.send);
    let run = props.run.get();
    let world = run.world();
    html! {
        <>
            <h2>{ lang.pick("Act", "操作") }</h2>
            { servers(world, lang, send) }
            { links(world, lang, send) }
            { clients(world, lang, send) }
            { super::rules::rules(world, lang, send) }
            <super::search::SearchPanel run={props.run.clone()} search={props.search.clone()} {lang} send={send.clone()} />
            <super::faults::Faults run={props.run.clone()} {lang} send={send.clone()} />
            { stale(world, lang, send) }
        </>
    }
}

fn servers(world: &World, lang: Lang, send: &Send) -> Html {
    html! {
        <section>
            <h3>{ lang.pick("Servers", "服务器") }</h3>
            <ul class="things">
                { for world.servers().map(|s| {
                    let server = s.id;
                    let up = matches!(s.status, ServerStatus::Up | ServerStatus::Paused);
                    let name = crate::text::server(server, lang);
                    html! {
                        <li>
                            <button type="button" class="link" onclick={ask(send, Action::Select(Selection::Server(server)))}>
                                { name.clone() }
                            </button>
                            <span class="soft">{ role(&s, lang) }</span>
                            if s.status == ServerStatus::Down {
                                <button type="button" class="btn" aria-label={format!("{} {}", t(lang, Key::Restart), name)}
                                    onclick={ask(send, Action::Act(sim::Action::Restart { server }))}>{ t(lang, Key::Restart) }</button>
                            } else {
                                <button type="button" class="btn" disabled={!up} aria-label={format!("{} {}", t(lang, Key::Crash), name)}
                                    onclick={ask(send, Action::Act(sim::Action::Crash { server, lose_unsynced: false }))}>{ t(lang, Key::Crash) }</button>
                            }
                        </li>
                    }
                }) }
            </ul>
        </section>
    }
}

fn links(world: &World, lang: Lang, send: &Send) -> Html {
    let broken: Vec<_> = world
        .links()
        .filter(|l| l.cut_ab || l.cut_ba || l.extra.0 > 0)
        .collect();
    html! {
        <section>
            <h3>{ lang.pick("Links", "链路") }</h3>
            <div class="row">
                { button(t(lang, Key::Partition), ask(send, Action::Dialog(Some(Dialog::Partition)))) }
                { button_if(!broken.is_empty(), t(lang, Key::HealAll), ask(send, Action::Act(sim::Action::HealAll))) }
                { link_chooser(&LinkChooserProps { servers: world.servers().map(|s| s.id).collect(), lang, send: send.clone() }) }
            </div>
            <p class="soft">{ lang.pick(
                "Or drag a server onto the card on the stage: that cuts it off, or lets it back in.",
                "也可以把一台服务器拖到舞台的卡片上：切断它，或让它回来。",
            ) }</p>
            if !broken.is_empty() {
                <ul class="things">
                    { for broken.iter().map(|l| {
                        let (a, b) = (l.a, l.b);
                        let what = match (l.cut_ab, l.cut_ba) {
                            (true, true) => lang.pick("cut", "已切断").to_owned(),
                            (true, false) => format!("{a} → {b} {}", lang.pick("cut", "已切断")),
                            (false, true) => format!("{b} → {a} {}", lang.pick("cut", "已切断")),
                            (false, false) => format!("+ {}", super::bits::span(l.extra)),
                        };
                        html! {
                            <li>
                                <button type="button" class="link" onclick={ask(send, Action::Select(Selection::Link(a, b)))}>
                                    { format!("{} {a}–{b}", t(lang, Key::Link)) }
                                </button>
                                <span class="fault">{ what }</span>
                                <button type="button" class="btn" aria-label={format!("{} {a}–{b}", lang.pick("Heal link", "恢复链路"))}
                                    onclick={ask(send, Action::ActAll(Rc::from([
                                        sim::Action::HealLink { a, b },
                                        sim::Action::SlowLink { a, b, extra: Span(0) },
                                    ])))}>{ lang.pick("Heal", "恢复") }</button>
                            </li>
                        }
                    }) }
                </ul>
            }
        </section>
    }
}

struct LinkChooserProps {
    servers: Vec<ServerId>,
    lang: Lang,
    send: Send,
}

/// Opens the panel of the link between two servers.
fn link_chooser(props: &LinkChooserProps) -> Html {
    let lang = props.lang;
    let onchange = {
        let send = props.send.clone();
        Callback::from(move |event: Event| {
            let value = super::bits::chosen(&event);
            let ends = value
                .split_once('-')
                .and_then(|(a, b)| Some((ServerId(a.parse().ok()?), ServerId(b.parse().ok()?))));
            if let Some((a, b)) = ends {
                send.dispatch(Action::Select(Selection::Link(a, b)));
            }
        })
    };
    let mut pairs = Vec::new();
    for (i, a) in props.servers.iter().enumerate() {
        for b in &props.servers[i + 1..] {
            pairs.push((*a, *b));
        }
    }
    html! {
        <label class="field">
            <span class="name">{ t(lang, Key::Link) }</span>
            <select {onchange}>
                <option value="" selected=true>{ lang.pick("choose…", "选择…") }</option>
                { for pairs.into_iter().map(|(a, b)| html! {
                    <option value={format!("{a}-{b}")}>{ format!("{a}–{b}") }</option>
                }) }
            </select>
        </label>
    }
}

fn clients(world: &World, lang: Lang, send: &Send) -> Html {
    let room = world.clients().count() < usize::from(sim::setup::MAX_CLIENTS);
    let add = |server: Option<ServerId>| {
        ask::<MouseEvent>(
            send,
            Action::Act(sim::Action::AddClient {
                server,
                timeout_ms: TIMEOUT_MS,
            }),
        )
    };
    html! {
        <section>
            <h3>{ lang.pick("Clients", "客户端") }</h3>
            <div class="row">
                { button_if(room, t(lang, Key::AddClient), add(None)) }
                <span class="soft">{ lang.pick("or at", "或连接到") }</span>
                { for world.servers().map(|s| html! {
                    <button type="button" class="btn small mono" disabled={!room} onclick={add(Some(s.id))}
                        aria-label={match lang {
                            Lang::En => format!("Add a client at server {}", s.id),
                            Lang::Zh => format!("在服务器 {} 添加客户端", s.id),
                        }}>{ s.id.to_string() }</button>
                }) }
            </div>
            <ul class="things">
                { for world.clients().map(|c| html! {
                    <li>
                        <button type="button" class="link" onclick={ask(send, Action::Select(Selection::Client(c.no)))}>
                            { format!("{} {}", t(lang, Key::Client), letter(c.no)) }
                        </button>
                        <span class="soft">{ client_state(c.state, lang) }</span>
                    </li>
                }) }
            </ul>
        </section>
    }
}

/// The shortest way to see an old answer: two clients, one slow link, one write, one read.
fn stale(world: &World, lang: Lang, send: &Send) -> Html {
    let at = |server: ServerId| {
        world.clients().find_map(|c| match c.state {
            ClientState::Connected { server: s, .. }
            | ClientState::Connecting { server: s, .. }
                if s == server =>
            {
                Some(c.no)
            }
            _ => None,
        })
    };
    let Some(lead) = leader(world).filter(|l| world.peer(*l).is_some_and(|p| p.serving())) else {
        return html! {
            <section>
                <h3>{ lang.pick("A stale read, step by step", "一步一步制造陈旧读") }</h3>
                <p class="soft">{ lang.pick("For this a leader is needed: let one be elected first.", "这需要一个领导者：先让它选出来。") }</p>
            </section>
        };
    };
    let follower = world
        .servers()
        .filter(|s| s.id != lead && s.peer.is_some_and(|p| p.serving()))
        .map(|s| s.id)
        .max_by_key(|id| (at(*id).is_some(), -id.0));
    let Some(follower) = follower else {
        return html! {};
    };
    let next = u16::try_from(world.clients().count()).unwrap_or(0) + 1;
    let (writer, reader) = (at(lead), at(follower));
    let mut set_up = Vec::new();
    let mut no = next;
    let mut client_at = |server: ServerId, known: Option<ClientNo>| {
        known.unwrap_or_else(|| {
            set_up.push(sim::Action::AddClient {
                server: Some(server),
                timeout_ms: TIMEOUT_MS,
            });
            no += 1;
            ClientNo(no - 1)
        })
    };
    let first = client_at(lead, writer);
    client_at(follower, reader);
    set_up.push(sim::Action::Ask {
        client: first,
        request: create("/colour", "blue", false, false),
    });
    let ready = writer.is_some() && reader.is_some();
    let ask_of = |client: Option<ClientNo>, request| {
        ask::<MouseEvent>(
            send,
            Action::Act(sim::Action::Ask {
                client: client.unwrap_or(ClientNo(1)),
                request,
            }),
        )
    };
    let lines = match lang {
        Lang::En => [
            format!(
                "One client at {lead}, which leads, one at {follower}. The first makes /colour."
            ),
            format!("The link {lead}–{follower} gets 1.5 s slower."),
            "The first client writes \"green\".".to_owned(),
            format!("The second reads, at {follower}, while COMMIT is still on its way."),
        ],
        Lang::Zh => [
            format!("在领导者 {lead} 放一个客户端，在 {follower} 放一个。前者创建 /colour。"),
            format!("链路 {lead}–{follower} 变慢 1.5 秒。"),
            "前者写入 “green”。".to_owned(),
            format!("COMMIT 还在途中时，后者在 {follower} 读取。"),
        ],
    };
    let slow = sim::Action::SlowLink {
        a: lead,
        b: follower,
        extra: SLOW,
    };
    html! {
        <section>
            <h3>{ lang.pick("A stale read, step by step", "一步一步制造陈旧读") }</h3>
            <ol class="recipe">
                <li><span>{ &lines[0] }</span>{ button_if(!ready, lang.pick("Add two clients", "添加两个客户端"),
                    ask(send, Action::ActAll(set_up.into()))) }</li>
                <li><span>{ &lines[1] }</span>{ button_if(ready, lang.pick("Slow the link", "减慢链路"), ask(send, Action::Act(slow))) }</li>
                <li><span>{ &lines[2] }</span>{ button_if(ready, lang.pick("Write at the leader", "在领导者处写入"),
                    ask_of(writer, write("/colour", "green"))) }</li>
                <li><span>{ &lines[3] }</span>{ button_if(ready, lang.pick("Read at the follower", "在跟随者处读取"),
                    ask_of(reader, read("/colour"))) }</li>
            </ol>
            <p class="soft">{ lang.pick(
                "Press Next phase or Play between them, so that what was asked for happens.",
                "每一步之间按“下一阶段”或“播放”，好让请求得到处理。",
            ) }</p>
        </section>
    }
}

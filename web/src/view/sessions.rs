//! Sessions and watches: who holds what where, what expires when and why.

use super::{
    bits::{Send, Who, ask, letter, said, seconds, span, term},
    tree::znode_link,
};
use crate::{
    state::{Action, Selection, asked::WhyAct, compare::leading, run::RunHandle},
    text::{Context as _, Key, Lang, t, why_not as words},
};
use yew::prelude::*;
use zabscope_core::{
    id::{ClientId, ServerId, SessionId},
    leader::Leader,
    peer::Peer,
    sim::{ClientNo, World, why_not::Question},
    time::Span,
    tree::watch::{Modes, Watch},
};

/// So many ephemeral znodes of a session are named.
const SHOWN: usize = 12;

/// What the tab needs.
pub struct SessionsProps {
    /// The run.
    pub run: RunHandle,
    /// What is chosen.
    pub selection: Selection,
    /// The language.
    pub lang: Lang,
    /// To ask.
    pub send: Send,
}

/// Who counts the time of sessions.
fn counts(world: &World) -> Option<(&Peer, &Leader)> {
    let peer = leading(world)?;
    Some((peer, peer.leading()?))
}

/// The tab.
pub fn sessions(props: &SessionsProps) -> Html {
    let (lang, run) = (props.lang, props.run.get());
    let world = run.world();
    // Sessions are replicated: who has applied most knows them best.
    let newest = world
        .servers()
        .filter_map(|v| v.peer)
        .max_by_key(|p| (p.serving(), p.last_applied()));
    let all: Vec<(SessionId, i32)> = newest
        .map(|p| {
            p.database()
                .sessions
                .iter()
                .map(|(s, t)| (*s, *t))
                .collect()
        })
        .unwrap_or_default();
    html! {
        <>
            <h2>{ lang.pick("Sessions and watches", "会话与监听") }</h2>
            <p class="soft">{ match (counts(world), lang) {
                (Some((leader, _)), Lang::En) => format!("Server {} leads and counts their time, in ticks of {}.", leader.id(), span(leader.config().tick)),
                (Some((leader, _)), Lang::Zh) => format!("服务器 {} 是领导者，由它按 {} 的 tick 计时。", leader.id(), span(leader.config().tick)),
                (None, Lang::En) => "Nobody leads: no session expires until somebody does.".to_owned(),
                (None, Lang::Zh) => "没有领导者：在选出领导者之前没有会话会过期。".to_owned(),
            } }</p>
            if all.is_empty() {
                <p class="soft">{ t(lang, Key::NoSessions) }</p>
            }
            { for all.iter().map(|(id, timeout)| one(world, newest, *id, *timeout, props)) }
            { watches(world, lang, &props.send) }
        </>
    }
}

fn client(no: Option<ClientNo>, other: String, lang: Lang, send: &Send) -> Html {
    match no {
        Some(no) => html! {
            <button type="button" class="link" onclick={ask(send, Action::Select(Selection::Client(no)))}>
                { format!("{} {}", t(lang, Key::Client), letter(no)) }
            </button>
        },
        None => other.into(),
    }
}

fn server(id: ServerId, lang: Lang, send: &Send) -> Html {
    html! {
        <button type="button" class="link" onclick={ask(send, Action::Select(Selection::Server(id)))}>
            { crate::text::server(id, lang) }
        </button>
    }
}

fn one(
    world: &World,
    newest: Option<&Peer>,
    id: SessionId,
    timeout_ms: i32,
    props: &SessionsProps,
) -> Html {
    let (lang, send, who) = (props.lang, &props.send, Who(world));
    let owner = who.session(id);
    let lit = matches!((&props.selection, owner), (Selection::Client(a), Some(b)) if *a == b);
    let connected = world
        .servers()
        .find(|v| v.peer.is_some_and(|p| p.clients().of_session(id).is_some()))
        .map(|v| v.id);
    let timeout = Span::millis(u64::try_from(timeout_ms).unwrap_or(0));
    let ephemerals: Vec<_> = newest
        .map(|p| p.database().tree.ephemerals(id).take(SHOWN + 1).collect())
        .unwrap_or_default();
    let question = Question::NotExpired(id);
    html! {
        <section class={classes!("session", lit.then_some("lit"))} aria-label={format!("{} {id}", lang.pick("session", "会话"))}>
            <h3 class="mono">{ id.to_string() }</h3>
            <dl>
                { term(t(lang, Key::Client), client(owner, "–".to_owned(), lang, send)) }
                { term(lang.pick("connected to", "连接在"), match connected {
                    Some(at) => server(at, lang, send),
                    None => lang.pick("nobody", "无").into(),
                }) }
                { term(lang.pick("session time-out", "会话超时"), span(timeout)) }
                { term(lang.pick("expires if nothing is heard", "若一直沉默则过期于"), expiry(world, id, lang)) }
                { term(t(lang, Key::Ephemeral), html! {
                    <>
                        if ephemerals.is_empty() { { "–" } }
                        { for ephemerals.iter().take(SHOWN).map(|path| znode_link(path, send)) }
                        if ephemerals.len() > SHOWN { { " …" } }
                    </>
                }) }
            </dl>
            <div class="row">
                <button type="button" class="btn" onclick={ask(send, Action::Why(WhyAct::Not(question.clone())))}>
                    <span>{ said(&words::question(&question, lang, &who)) }</span>
                </button>
            </div>
        </section>
    }
}

/// When, and why just then.
fn expiry(world: &World, id: SessionId, lang: Lang) -> String {
    let deadline = counts(world)
        .and_then(|(_, l)| l.sessions().iter().find(|(s, ..)| *s == id))
        .map(|(_, _, at, _)| at);
    match deadline {
        Some(at) => {
            // A number and its unit stay on one line.
            let one = |s: String| s.replace(' ', "\u{a0}");
            let (when, left) = (one(seconds(at)), one(span(at - world.now().min(at))));
            match lang {
                Lang::En => format!("{when}, in\u{a0}{left}"),
                Lang::Zh => format!("{when}，还有 {left}"),
            }
        }
        None => lang.pick("nobody counts", "没有人计时").to_owned(),
    }
}

fn kinds(w: &Watch<'_>, lang: Lang) -> String {
    let mut all: Vec<&str> = Vec::new();
    let (data, child) = (w.data, w.child);
    if data.has(Modes::STANDARD) {
        all.push(lang.pick("data", "数据"));
    }
    if child.has(Modes::STANDARD) {
        all.push(lang.pick("children", "子节点"));
    }
    if data.has(Modes::PERSISTENT) || child.has(Modes::PERSISTENT) {
        all.push(lang.pick("persistent", "持久"));
    }
    if data.has(Modes::RECURSIVE) || child.has(Modes::RECURSIVE) {
        all.push(lang.pick("recursive", "递归"));
    }
    all.join(lang.pick(", ", "、"))
}

/// Watches are not replicated: each server keeps those of its own connections.
fn watches(world: &World, lang: Lang, send: &Send) -> Html {
    let who = Who(world);
    let name = |conn: ClientId| (who.client(conn), format!("{}", conn.0));
    let all: Vec<(ServerId, Watch<'_>)> = world
        .servers()
        .filter_map(|v| v.peer)
        .flat_map(|p| p.clients().watches().iter().map(|w| (p.id(), w)))
        .collect();
    html! {
        <section>
            <h3>{ t(lang, Key::Watches) }</h3>
            if all.is_empty() {
                <p class="soft">{ t(lang, Key::NoWatches) }</p>
            } else {
                <table class="watches">
                    <thead><tr>
                        <th scope="col">{ t(lang, Key::Path) }</th>
                        <th scope="col">{ lang.pick("kept at", "保存在") }</th>
                        <th scope="col">{ t(lang, Key::Client) }</th>
                        <th scope="col">{ lang.pick("waits for", "等待") }</th>
                        <th scope="col"><span class="unseen">{ lang.pick("Ask", "询问") }</span></th>
                    </tr></thead>
                    <tbody>
                        { for all.iter().map(|(id, w)| {
                            let (no, other) = name(w.client);
                            html! {
                                <tr>
                                    <th scope="row">{ znode_link(w.path, send) }</th>
                                    <td>{ server(*id, lang, send) }</td>
                                    <td>{ client(no, other, lang, send) }</td>
                                    <td>{ kinds(w, lang) }</td>
                                    <td>
                                        if let Some(no) = no {
                                            { rung(no, w, lang, &who, send) }
                                        }
                                    </td>
                                </tr>
                            }
                        }) }
                    </tbody>
                </table>
            }
        </section>
    }
}

fn rung(no: ClientNo, w: &Watch<'_>, lang: Lang, who: &Who<'_>, send: &Send) -> Html {
    let question = Question::NotRung(no, w.path.clone());
    let label = words::question(&question, lang, who).text;
    html! {
        <button type="button" class="link" aria-label={label} onclick={ask(send, Action::Why(WhyAct::Not(question)))}>
            { lang.pick("why not?", "为何未触发？") }
        </button>
    }
}

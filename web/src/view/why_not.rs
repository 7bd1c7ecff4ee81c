//! Why not: the questions that make sense of what is chosen at this moment, and the answer.

use super::{
    bits::{Send, Who, ask, said, seconds},
    message::find,
    why::{compared, step},
};
use crate::{
    scene::read::client_message,
    state::{
        Action, Selection,
        asked::{Asked, Value, WhyAct},
        run::Run,
    },
    text::{Lang, Tone, why_not as words, why_not_if},
};
use std::{collections::BTreeSet, sync::Arc};
use yew::prelude::*;
use zabscope_core::{
    bus::Message,
    id::{ServerId, Zxid},
    message::ServerState,
    peer::event::{EventKind, SyncMode},
    sim::{
        ClientNo, ClientPacket, ClientState, Fact, Record, ServerStatus, WatchLists,
        WorldEventKind,
        why_not::{Answer, Question as Q, instead::Differs},
    },
};

/// So many watches of a client are asked about.
const WATCHES: usize = 4;

/// What one can ask about what is chosen.
#[must_use]
pub fn questions(run: &Run, selection: &Selection) -> Vec<Q> {
    match selection {
        Selection::Nothing | Selection::Link(..) => Vec::new(),
        Selection::Server(id) => of_server(run, *id),
        Selection::Client(no) => of_client(run, *no),
        Selection::Message(number) => of_message(run, *number),
        Selection::Znode(path) => of_znode(run, path),
    }
}

fn of_server(run: &Run, id: ServerId) -> Vec<Q> {
    let world = run.world();
    let Some(view) = world.server(id) else {
        return Vec::new();
    };
    let Some(peer) = view.peer.filter(|_| view.status == ServerStatus::Up) else {
        return vec![Q::NotServing(id), Q::NotLeading(id)];
    };
    let mut all = Vec::new();
    if peer.state() == ServerState::Looking {
        all.push(Q::StillLooking(id));
    }
    if !peer.serving() {
        all.push(Q::NotServing(id));
    }
    if peer.state() != ServerState::Leading || !peer.serving() {
        all.push(Q::NotLeading(id));
    }
    if peer.serving() && world.behind_by(peer.last_applied()) > 0 {
        all.push(Q::NotNewest(id));
    }
    let waiting = peer.leading().and_then(|l| l.outstanding().last());
    all.extend(waiting.map(|o| Q::NotCommitted(o.txn().zxid())));
    if peer.learning().is_some()
        && let Some(chosen) = mode_of(run, id)
    {
        let modes = [SyncMode::Diff, SyncMode::Trunc, SyncMode::Snap];
        let others = modes.into_iter().filter(|m| *m != chosen);
        all.extend(others.map(|m| Q::NotThisMode(id, m)));
    }
    all
}

/// How a learner was brought up to date last.
fn mode_of(run: &Run, id: ServerId) -> Option<SyncMode> {
    let records = run.history().records();
    records.iter().rev().find_map(|r| match &r.source {
        Fact::Peer(e) => match &e.kind {
            EventKind::SyncChosen { learner, mode, .. } if *learner == id => Some(*mode),
            _ => None,
        },
        Fact::World(_) => None,
    })
}

fn of_client(run: &Run, no: ClientNo) -> Vec<Q> {
    let world = run.world();
    let Some(view) = world.client(no) else {
        return Vec::new();
    };
    let mut all = Vec::new();
    if view.pending + view.queued > 0 {
        all.push(Q::NotAnswered(no));
    }
    // An answer that was old, if it is among the last that it got.
    let records = run.history().records();
    let stale = records.iter().rev().take(2000).find(|r| {
        matches!(&r.source, Fact::World(e)
            if matches!(&e.kind, WorldEventKind::StaleRead { client, .. } if *client == no))
    });
    all.extend(stale.map(|r| Q::NotFresh(r.id())));
    let over = matches!(view.state, ClientState::Expired | ClientState::Closed);
    if view.session.0 != 0 && !over {
        all.push(Q::NotExpired(view.session));
    }
    let watches = view.watches;
    let paths = lists(watches).into_iter().flatten().take(WATCHES);
    all.extend(paths.map(|path| Q::NotRung(no, path.clone())));
    all
}

/// Where a client watches, in each way.
fn lists(w: &WatchLists) -> [&BTreeSet<Arc<str>>; 5] {
    [&w.data, &w.exist, &w.child, &w.persistent, &w.recursive]
}

fn of_message(run: &Run, number: u64) -> Vec<Q> {
    let world = run.world();
    let zxid = |m: &Message| match m {
        Message::Election(_) => None,
        Message::Quorum(_, packet) => match packet.kind() {
            zabscope_core::message::MessageKind::Proposal
            | zabscope_core::message::MessageKind::Ack => packet.zxid(),
            _ => None,
        },
    };
    let real = |z: &Zxid| !z.is_new_epoch() && z.0 > 0;
    if let Some(m) = world.in_flight().find(|m| m.number == number) {
        let found = zxid(&m.envelope.message).filter(real);
        return found.map(Q::NotCommitted).into_iter().collect();
    }
    if let Some(d) = world.dropped().find(|d| d.number == number) {
        let found = zxid(&d.envelope.message).filter(real);
        return found.map(Q::NotCommitted).into_iter().collect();
    }
    let flight = world.client_flights().find(|f| client_message(f) == number);
    match flight {
        Some(f) if matches!(f.packet, ClientPacket::Request(..)) => {
            vec![Q::NotAnswered(f.client)]
        }
        Some(_) | None => Vec::new(),
    }
}

fn of_znode(run: &Run, path: &str) -> Vec<Q> {
    let world = run.world();
    let mut all = Vec::new();
    for client in world.clients() {
        let w = client.watches;
        let above = |at: &Arc<str>| zabscope_core::tree::path::is_below(path, at);
        if lists(w).into_iter().any(|list| list.contains(path)) || w.recursive.iter().any(above) {
            all.push(Q::NotRung(client.no, path.into()));
        }
    }
    for view in world.servers() {
        let behind =
            |p: &&zabscope_core::peer::Peer| p.serving() && world.behind_by(p.last_applied()) > 0;
        if view.peer.filter(behind).is_some() {
            all.push(Q::NotNewest(view.id));
        }
    }
    all
}

/// What one can ask about what the sentence tells.
fn of_record(run: &Run, record: &Record) -> Vec<Q> {
    match &record.source {
        Fact::World(e) => match &e.kind {
            WorldEventKind::StaleRead { .. } => vec![Q::NotFresh(e.id)],
            _ => Vec::new(),
        },
        Fact::Peer(e) => match &e.kind {
            EventKind::Proposed { zxid, .. }
            | EventKind::Logged { zxid }
            | EventKind::AckSent { zxid, .. }
            | EventKind::AckCounted { zxid, .. }
                if *zxid > run.world().newest_committed() && !zxid.is_new_epoch() =>
            {
                vec![Q::NotCommitted(*zxid)]
            }
            EventKind::SyncChosen { learner, mode, .. } => {
                let modes = [SyncMode::Diff, SyncMode::Trunc, SyncMode::Snap];
                let others = modes.into_iter().filter(|m| m != mode);
                others.map(|m| Q::NotThisMode(*learner, m)).collect()
            }
            _ => Vec::new(),
        },
    }
}

/// The questions about what is chosen, as buttons.
pub fn offers(run: &Run, selection: &Selection, lang: Lang, send: &Send) -> Html {
    buttons(run, questions(run, selection), lang, send)
}

/// The questions about what the sentence tells, as buttons.
pub fn offers_of(run: &Run, record: &Record, lang: Lang, send: &Send) -> Html {
    buttons(run, of_record(run, record), lang, send)
}

fn buttons(run: &Run, all: Vec<Q>, lang: Lang, send: &Send) -> Html {
    if all.is_empty() {
        return Html::default();
    }
    let who = Who(run.world());
    html! {
        <section aria-label={lang.pick("Why not", "为什么不")}>
            <h3>{ lang.pick("Why not…?", "为什么不……？") }</h3>
            <div class="row">
                { for all.into_iter().map(|q| {
                    let text = said(&words::question(&q, lang, &who));
                    html! { <button type="button" class="btn" onclick={ask(send, Action::Why(WhyAct::Not(q)))}><span>{ text }</span></button> }
                }) }
            </div>
        </section>
    }
}

/// A button that leads to the event that set a value.
pub fn value(server: ServerId, value: Value, name: &str, lang: Lang, send: &Send) -> Html {
    let label = match lang {
        Lang::En => ["Why: ", name].concat(),
        Lang::Zh => ["原因：", name].concat(),
    };
    html! {
        <button type="button" class="link whence" aria-label={label} onclick={ask(send, Action::Why(WhyAct::Value(server, value)))}>
            { lang.pick("why", "原因") }
        </button>
    }
}

/// The last answer.
pub fn asked(run: &Run, asked: &Asked, lang: Lang, send: &Send) -> Html {
    let close = html! {
        <button type="button" class="btn" onclick={ask(send, Action::Why(WhyAct::Close))}>{ lang.pick("Close the answer", "关闭回答") }</button>
    };
    match asked {
        Asked::Not(found) => not(run, found, lang, send, close),
        Asked::If(found) => what_if(run, found, lang, send, close),
    }
}

fn class(tone: Tone) -> Classes {
    classes!(
        "lead",
        match tone {
            Tone::Allowed => Some("allowed"),
            Tone::Fault => Some("fault"),
            Tone::Plain | Tone::Chosen => None,
        }
    )
}

fn not(run: &Run, found: &Answer, lang: Lang, send: &Send, close: Html) -> Html {
    let who = Who(run.world());
    let told = words::answer(found, lang, &who);
    let facts: Vec<usize> = found
        .facts
        .iter()
        .filter_map(|id| find(run, *id).map(|(index, _)| index))
        .collect();
    let again = Action::Why(WhyAct::Not(found.question.clone()));
    let moved = run.history().cursor() != found.step;
    html! {
        <article class="asked card" aria-label={lang.pick("Answer", "回答")}>
            <h2>{ said(&words::question(&found.question, lang, &who)) }</h2>
            <p class={class(told.sentence.tone)}>{ said(&told.sentence) }</p>
            if !told.values.is_empty() {
                { compared(&told.values) }
            }
            if !told.missing.is_empty() {
                <ul class="missing">
                    { for told.missing.iter().map(|line| html! { <li>{ said(line) }</li> }) }
                </ul>
            }
            <p class="soft small">{ told.source.text(lang) }</p>
            if !facts.is_empty() {
                <h3>{ lang.pick("It rests on", "依据") }</h3>
                <ol class="chain">
                    { for facts.iter().map(|index| html! { <li>{ step(run, *index, lang, send) }</li> }) }
                </ol>
            }
            <p class="soft small">{ match lang {
                Lang::En => format!("As of step {}, {}.", found.step, seconds(found.at)),
                Lang::Zh => format!("截至第 {} 步，{}。", found.step, seconds(found.at)),
            } }</p>
            <div class="row">
                if moved {
                    <button type="button" class="btn" onclick={ask(send, again)}>{ lang.pick("Ask again now", "现在再问") }</button>
                }
                { close }
            </div>
        </article>
    }
}

fn what_if(run: &Run, d: &Differs, lang: Lang, send: &Send, close: Html) -> Html {
    let who = Who(run.world());
    let branches = run.history().branches();
    let from = branches.iter().find(|b| b.no == d.from);
    let back = from.filter(|b| b.no != run.history().branch());
    html! {
        <article class="asked card" aria-label={lang.pick("Answer", "回答")}>
            <h2>
                { lang.pick("What if ", "如果") }
                { said(&lower(why_not_if::change(&d.what.change, lang, &who))) }
                { lang.pick("?", "？") }
            </h2>
            <p class="lead">{ said(&why_not_if::differs(d, lang, &who)) }</p>
            <p class="soft small">{ match lang {
                Lang::En => format!("Changed at {}. What was done later on the old branch is not repeated.", seconds(d.since)),
                Lang::Zh => format!("在 {} 改变。旧分支上之后的操作没有重复。", seconds(d.since)),
            } }</p>
            <div class="row">
                if let Some(back) = back {
                    <button type="button" class="btn" onclick={ask(send, Action::Switch(back.no))}>
                        <span>{ lang.pick("Back to ", "回到 ") }{ back.name.clone() }</span>
                    </button>
                }
                { close }
            </div>
        </article>
    }
}

/// Inside a sentence.
fn lower(mut s: crate::text::Sentence) -> crate::text::Sentence {
    let quoted = s.values.first().is_some_and(|v| v.0 == 0);
    if !quoted && let Some(first) = s.text.get_mut(..1) {
        first.make_ascii_lowercase();
    }
    s
}

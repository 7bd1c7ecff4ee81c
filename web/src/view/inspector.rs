//! What is chosen: a server, from the inside; a client, a link or a message.

use super::bits::{
    Send, Who, ask, button, button_if, epoch, hue, letter, plate, role, seconds, span, term, zxid,
};
use crate::{
    state::{
        Action, Selection,
        asked::Value,
        run::{Run, RunHandle},
    },
    text::{Key, Lang, phase, t, wait},
};
use yew::prelude::*;
use zabscope_core::{
    id::{ServerId, SessionId},
    message::Vote,
    peer::Peer,
    sim::{self, ClientState, RemovedBecause, ServerStatus, ServerView, World},
    time::{Moment, Span},
};

/// What the tab of the chosen thing needs.
pub struct ChosenProps {
    /// The run.
    pub run: RunHandle,
    /// What is chosen.
    pub selection: Selection,
    /// The language.
    pub lang: Lang,
    /// To ask.
    pub send: Send,
}

/// The chosen thing.
pub fn chosen(props: &ChosenProps) -> Html {
    let ChosenProps {
        run,
        selection,
        lang,
        send,
    } = props;
    let shown = run.get();
    let world = shown.world();
    match selection {
        Selection::Nothing => html! {
            <>
                <p class="soft">{ t(*lang, Key::NothingSelected) }</p>
                <div class="row">
                    { for world.servers().map(|s| html! {
                        <button type="button" class="btn" onclick={ask(send, Action::Select(Selection::Server(s.id)))}>
                            { crate::text::server(s.id, *lang) }
                        </button>
                    }) }
                </div>
            </>
        },
        Selection::Server(id) => match world.server(*id) {
            Some(view) => server(&shown, &view, *lang, send),
            None => Html::default(),
        },
        Selection::Client(no) => html! {
            <>
                { super::client::client(world, *no, *lang, send) }
                { super::why_not::offers(&shown, selection, *lang, send) }
                <super::client_eye::ClientEye run={run.clone()} no={*no} lang={*lang} send={send.clone()} />
            </>
        },
        Selection::Link(a, b) => link(world, *a, *b, *lang, send),
        Selection::Message(number) => html! {
            <>
                { super::message::message(&shown, *number, *lang, send) }
                { super::why_not::offers(&shown, selection, *lang, send) }
            </>
        },
        Selection::Znode(path) => html! {
            <>
                <h2 class="mono">{ path.to_string() }</h2>
                { super::tree::znode(world, path, *lang, send) }
                { super::why_not::offers(&shown, selection, *lang, send) }
            </>
        },
    }
}

fn server(run: &Run, view: &ServerView<'_>, lang: Lang, send: &Send) -> Html {
    let (world, chosen) = (run.world(), Selection::Server(view.id));
    html! {
        <>
            <h2>{ format!("{} {}", t(lang, Key::Server), view.id) }</h2>
            { standing(world, view, lang, send) }
            { faults(world, view, lang, send) }
            { numbers(view, lang, send) }
            { super::why_not::offers(run, &chosen, lang, send) }
            if let Some(peer) = view.peer {
                { votes(world, peer, lang) }
                { leading(peer, lang) }
            }
            { log(world, view, lang) }
            if let Some(peer) = view.peer {
                { sessions(world, peer, lang, send) }
            }
        </>
    }
}

/// State, phase, what it waits for and why.
fn standing(world: &World, view: &ServerView<'_>, lang: Lang, send: &Send) -> Html {
    let now = world.now();
    let Some(peer) = view.peer else {
        return html! { <p class="soft">{ role(view, lang) }</p> };
    };
    let mut line = role(view, lang).to_owned();
    if let Some(leader) = peer.leader().filter(|l| *l != view.id) {
        line = match lang {
            Lang::En => format!("{line} server {leader}"),
            Lang::Zh => format!("{line} 服务器 {leader}"),
        };
    }
    line = format!("{line} · {}", phase(peer.phase(), lang));
    let need = peer.config().membership.quorum.smallest() as u64;
    html! {
        <>
            <p class="soft">{ line }{ super::why_not::value(view.id, Value::Role, lang.pick("role", "角色"), lang, send) }</p>
            if view.waiting > 0 {
                <p class="soft">{ match lang {
                    Lang::En => format!("{} inputs piled up while it stood still.", view.waiting),
                    Lang::Zh => format!("停顿期间积压了 {} 个输入。", view.waiting),
                } }</p>
            }
            if view.held > 0 {
                <p class="soft">{ match lang {
                    Lang::En if view.held == 1 => "1 message waits for its disk.".to_owned(),
                    Lang::En => format!("{} messages wait for its disk.", view.held),
                    Lang::Zh => format!("{} 条消息在等它的磁盘。", view.held),
                } }</p>
            }
            <ul class="waits">
                { for peer.waits().into_iter().map(|w| html! {
                    <li>
                        <span>{ wait(w.reason, need, lang) }</span>
                        <span class="mono">{ left(now, w.at) }</span>
                    </li>
                }) }
            </ul>
        </>
    }
}

fn left(now: Moment, at: Moment) -> String {
    span(at - now)
}

fn faults(world: &World, view: &ServerView<'_>, lang: Lang, send: &Send) -> Html {
    let server = view.id;
    let act = |action: sim::Action| ask::<MouseEvent>(send, Action::Act(action));
    let up = view.status == ServerStatus::Up;
    let paused = view.status == ServerStatus::Paused;
    let down = view.status == ServerStatus::Down;
    let others: Vec<ServerId> = world
        .servers()
        .map(|s| s.id)
        .filter(|s| *s != server)
        .collect();
    let isolate: std::rc::Rc<[sim::Action]> = others
        .iter()
        .map(|other| sim::Action::CutLink {
            a: server,
            b: *other,
        })
        .collect();
    html! {
        <div class="row" role="group" aria-label={t(lang, Key::Actions)}>
            { button_if(up || paused, t(lang, Key::Crash), act(sim::Action::Crash { server, lose_unsynced: false })) }
            { button_if(down, t(lang, Key::Restart), act(sim::Action::Restart { server })) }
            if paused {
                { button(t(lang, Key::Resume), act(sim::Action::Resume { server })) }
            } else {
                { button_if(up, t(lang, Key::PauseServer), act(sim::Action::Pause { server })) }
            }
            { button_if(up || paused, t(lang, Key::CrashLosing), act(sim::Action::Crash { server, lose_unsynced: true })) }
            { button(t(lang, Key::SlowDisk), act(sim::Action::SlowDisk { server, extra: Span::millis(400) })) }
            { button(t(lang, Key::NormalDisk), act(sim::Action::SlowDisk { server, extra: Span(0) })) }
            { button(t(lang, Key::Isolate), ask(send, Action::ActAll(isolate))) }
            if down {
                { button(t(lang, Key::LoseDisk), act(sim::Action::LoseDisk { server })) }
            }
        </div>
    }
}

fn numbers(view: &ServerView<'_>, lang: Lang, send: &Send) -> Html {
    let disk = view.disk;
    let stored = |e: Option<zabscope_core::id::Epoch>| e.map_or("–".to_owned(), epoch).into();
    // Each value with the way to the event that set it.
    let row = |key: Key, what: Value, value: Html| {
        let name = t(lang, key);
        let whence = super::why_not::value(view.id, what, name, lang, send);
        term(name, html! { <>{ value }{ whence }</> })
    };
    let last = view.peer.map_or(disk.last_zxid(), Peer::last_logged);
    let (accepted, current): (Html, Html) = match view.peer {
        Some(p) => (
            epoch(p.accepted_epoch()).into(),
            epoch(p.current_epoch()).into(),
        ),
        None => (stored(disk.accepted_epoch()), stored(disk.current_epoch())),
    };
    html! {
        <dl>
            { row(Key::AcceptedEpoch, Value::AcceptedEpoch, accepted) }
            { row(Key::CurrentEpoch, Value::CurrentEpoch, current) }
            if let Some(peer) = view.peer {
                { row(Key::LogicalClock, Value::Round, peer.round().into()) }
                { row(Key::Vote, Value::Vote, vote_text(&peer.vote()).into()) }
            }
            { row(Key::LastLogged, Value::LastLogged, plate(last)) }
            { row(Key::DurableTo, Value::Durable, plate(disk.durable_zxid())) }
            if let Some(peer) = view.peer {
                { row(Key::CommittedTo, Value::Committed, plate(peer.last_committed())) }
                { row(Key::AppliedTo, Value::Applied, plate(peer.last_applied())) }
            }
        </dl>
    }
}

fn vote_text(vote: &Vote) -> String {
    if vote.leader == ServerId::NOBODY {
        return "–".to_owned();
    }
    format!(
        "({}, {}, {})",
        epoch(vote.epoch),
        zxid(vote.zxid),
        vote.leader
    )
}

/// The votes that it has seen, its own first.
fn votes(world: &World, peer: &Peer, lang: Lang) -> Html {
    let Some(election) = peer.election() else {
        return Html::default();
    };
    let all = election
        .recvset()
        .iter()
        .chain(election.outofelection())
        .map(|(from, ballot)| (*from, *ballot));
    let mine = election.proposal();
    let supporters = election.supporters().len();
    let need = peer.config().membership.quorum.smallest();
    let _ = world;
    html! {
        <section>
            <h3>{ t(lang, Key::VotesSeen) }</h3>
            <table class="votes">
                <thead><tr>
                    <th scope="col">{ t(lang, Key::From) }</th>
                    <th scope="col">{ t(lang, Key::Epoch) }</th>
                    <th scope="col">{ t(lang, Key::Zxid) }</th>
                    <th scope="col">{ t(lang, Key::Myid) }</th>
                    <th scope="col">{ t(lang, Key::Round) }</th>
                </tr></thead>
                <tbody>
                    { for all.map(|(from, ballot)| html! {
                        <tr class={classes!((ballot.vote == mine).then_some("same"))}>
                            <td>{ from.to_string() }</td>
                            <td>{ epoch(ballot.vote.epoch) }</td>
                            <td>{ zxid(ballot.vote.zxid) }</td>
                            <td>{ if ballot.vote.leader == ServerId::NOBODY { "–".to_owned() } else { ballot.vote.leader.to_string() } }</td>
                            <td>{ ballot.round.to_string() }</td>
                        </tr>
                    }) }
                </tbody>
            </table>
            <p class="soft">{ match lang {
                Lang::En => format!("{supporters} of the {need} votes that it needs are for {}.", mine.leader),
                Lang::Zh => format!("需要 {need} 票，目前有 {supporters} 票支持 {}。", mine.leader),
            } }</p>
        </section>
    }
}

/// What a leader keeps: its learners and what is proposed.
fn leading(peer: &Peer, lang: Lang) -> Html {
    let Some(leader) = peer.leading() else {
        return Html::default();
    };
    let need = peer.config().membership.quorum.smallest();
    html! {
        <section>
            <h3>{ lang.pick("Its learners", "它的学习者") }</h3>
            <dl>
                { for leader.learners().map(|(_, l)| {
                    let stage = format!("{:?}", l.stage());
                    html! { <><dt>{ crate::text::server(l.id(), lang) }</dt><dd>{ stage }</dd></> }
                }) }
            </dl>
            <h3>{ t(lang, Key::Proposed) }</h3>
            { for leader.outstanding().map(|o| html! {
                <p class="row">
                    { plate(o.txn().zxid()) }
                    <span class="mono">{ match lang {
                        Lang::En => format!("on disk at {} of {need}", o.acks().len()),
                        Lang::Zh => format!("已写盘 {} / {need}", o.acks().len()),
                    } }</span>
                </p>
            }) }
            if leader.outstanding().next().is_none() {
                <p class="soft">{ lang.pick("Nothing waits for ACKs.", "没有等待 ACK 的提案。") }</p>
            }
        </section>
    }
}

/// The log with what is only received, on disk, committed, and what was taken away.
fn log(world: &World, view: &ServerView<'_>, lang: Lang) -> Html {
    const SHOWN: usize = 24;
    let committed = super::timeline::known_committed(world, view.peer);
    let entries = view.disk.last_entries(SHOWN);
    let total = view.disk.entries().count();
    let mut removed: Vec<_> = view.disk.removed().rev().take(SHOWN).collect();
    removed.reverse();
    let because = |b: RemovedBecause| match b {
        RemovedBecause::Truncated => lang.pick("cut by TRUNC", "被 TRUNC 截断"),
        RemovedBecause::Replaced => lang.pick("replaced by SNAP", "被 SNAP 取代"),
        RemovedBecause::LostInCrash => lang.pick("not on disk when it crashed", "崩溃时尚未写盘"),
        RemovedBecause::DiskLost => lang.pick("lost with the disk", "随磁盘丢失"),
    };
    html! {
        <section>
            <h3>{ t(lang, Key::Log) }</h3>
            if entries.is_empty() {
                <p class="soft">{ t(lang, Key::EmptyLog) }</p>
            } else {
                if total > entries.len() {
                    <p class="soft">{ match lang {
                        Lang::En => format!("{} earlier ones are not shown.", total - entries.len()),
                        Lang::Zh => format!("较早的 {} 条未显示。", total - entries.len()),
                    } }</p>
                }
                <ul class="blocks">
                    { for entries.iter().map(|e| {
                        let z = e.txn.zxid();
                        let (class, word) = if !e.durable {
                            ("received", t(lang, Key::Received))
                        } else if z <= committed {
                            ("durable committed", t(lang, Key::Committed))
                        } else {
                            ("durable", t(lang, Key::OnDisk))
                        };
                        html! {
                            <li class={classes!("block", hue(z.epoch()), class)} title={word}>
                                { zxid(z) }<span class="unseen">{ " " }{ word }</span>
                            </li>
                        }
                    }) }
                </ul>
            }
            if !removed.is_empty() {
                <ul class="gone">
                    { for removed.iter().map(|r| html! {
                        <li>
                            <span class={classes!("block", "removed", hue(r.zxid.epoch()))}>{ zxid(r.zxid) }</span>
                            <span>{ because(r.because) }</span>
                            <span class="mono">{ seconds(r.at) }</span>
                        </li>
                    }) }
                </ul>
            }
        </section>
    }
}

fn sessions(world: &World, peer: &Peer, lang: Lang, send: &Send) -> Html {
    use crate::text::Context as _;
    let who = Who(world);
    let name = |session: SessionId| match who.session(session) {
        Some(no) => html! {
            <button type="button" class="link" onclick={ask(send, Action::Select(Selection::Client(no)))}>
                { format!("{} {}", t(lang, Key::Client), letter(no)) }
            </button>
        },
        None => session.to_string().into(),
    };
    let connected: Vec<_> = peer.clients().connections().collect();
    let db = peer.database();
    let watches: Vec<_> = peer.clients().watches().iter().collect();
    html! {
        <section>
            <h3>{ t(lang, Key::Sessions) }</h3>
            if db.sessions.is_empty() {
                <p class="soft">{ t(lang, Key::NoSessions) }</p>
            } else {
                <dl>
                    { for db.sessions.iter().map(|(session, timeout)| {
                        let here = connected.iter().any(|(_, c)| c.session() == *session);
                        let place = if here { lang.pick("connected here", "连接在此") } else { "" };
                        html! { <>
                            <dt>{ name(*session) }{ " " }<span class="soft">{ place }</span></dt>
                            <dd>{ span(Span::millis(u64::try_from(*timeout).unwrap_or(0))) }</dd>
                        </> }
                    }) }
                </dl>
            }
            <h3>{ t(lang, Key::Watches) }</h3>
            if watches.is_empty() {
                <p class="soft">{ t(lang, Key::NoWatches) }</p>
            } else {
                <ul class="plain">
                    { for watches.iter().map(|w| {
                        let owner = who.client(w.client).map_or(String::new(), letter);
                        html! { <li>{ super::tree::znode_link(w.path, send) }{ " " }{ owner }</li> }
                    }) }
                </ul>
            }
        </section>
    }
}

/// A link: what passes, and what one can do to it.
fn link(world: &World, a: ServerId, b: ServerId, lang: Lang, send: &Send) -> Html {
    let Some(state) = world
        .links()
        .find(|l| (l.a, l.b) == (a, b) || (l.a, l.b) == (b, a))
    else {
        return Html::default();
    };
    let act = |action: sim::Action| ask::<MouseEvent>(send, Action::Act(action));
    let direction = |cut: bool| {
        if cut {
            lang.pick("cut", "已切断")
        } else {
            lang.pick("open", "畅通")
        }
    };
    let cut_ab = sim::Action::CutDirection { from: a, to: b };
    let cut_ba = sim::Action::CutDirection { from: b, to: a };
    html! {
        <>
            <h2>{ format!("{} {a}–{b}", t(lang, Key::Link)) }</h2>
            <dl>
                <dt>{ format!("{a} → {b}") }</dt><dd>{ direction(state.cut_ab) }</dd>
                <dt>{ format!("{b} → {a}") }</dt><dd>{ direction(state.cut_ba) }</dd>
                <dt>{ lang.pick("slower by", "减慢") }</dt><dd>{ span(state.extra) }</dd>
                <dt>{ lang.pick("connections", "连接") }</dt><dd>{ state.conns.len() + usize::from(state.election_up) }</dd>
            </dl>
            <div class="row" role="group" aria-label={t(lang, Key::Actions)}>
                { button(lang.pick("Cut", "切断"), act(sim::Action::CutLink { a, b })) }
                <button type="button" class="btn" onclick={act(cut_ab)}>{ format!("{} {a} → {b}", lang.pick("Cut", "切断")) }</button>
                <button type="button" class="btn" onclick={act(cut_ba)}>{ format!("{} {b} → {a}", lang.pick("Cut", "切断")) }</button>
                { button(lang.pick("Slow", "减慢"), act(sim::Action::SlowLink { a, b, extra: Span::millis(1500) })) }
                { button(lang.pick("Normal speed", "正常速度"), act(sim::Action::SlowLink { a, b, extra: Span(0) })) }
                { button(lang.pick("Heal", "恢复"), act(sim::Action::HealLink { a, b })) }
            </div>
        </>
    }
}

/// Where a client stands, in words.
pub fn client_state(state: ClientState, lang: Lang) -> String {
    match (state, lang) {
        (ClientState::Waiting { .. }, Lang::En) => "not connected".to_owned(),
        (ClientState::Waiting { .. }, Lang::Zh) => "未连接".to_owned(),
        (ClientState::Connecting { server, .. }, Lang::En) => format!("calls server {server}"),
        (ClientState::Connecting { server, .. }, Lang::Zh) => format!("正在连接服务器 {server}"),
        (ClientState::Connected { server, .. }, Lang::En) => {
            format!("connected to server {server}")
        }
        (ClientState::Connected { server, .. }, Lang::Zh) => format!("已连接服务器 {server}"),
        (ClientState::Expired, Lang::En) => "session expired".to_owned(),
        (ClientState::Expired, Lang::Zh) => "会话已过期".to_owned(),
        (ClientState::Closed, Lang::En) => "session closed".to_owned(),
        (ClientState::Closed, Lang::Zh) => "会话已关闭".to_owned(),
    }
}

//! A message, opened.

use super::bits::{Send, Who, ask, epoch, letter, said, seconds, span, term, zxid};
use crate::{
    scene::read::client_message,
    state::{Action, Selection, run::Run},
    text::{Key, Lang, request_text, response_text, short, t},
};
use std::rc::Rc;
use yew::prelude::*;
use zabscope_core::{
    bus::{Envelope, Message},
    id::{EventId, SessionId},
    message::{ForwardedOp, QuorumMessage},
    sim::{ClientFlight, ClientPacket, LostBecause},
    time::{Moment, Span},
};

/// A message's panel.
pub fn message(run: &Run, number: u64, lang: Lang, send: &Send) -> Html {
    let world = run.world();
    if let Some(m) = world.in_flight().find(|m| m.number == number) {
        return open(run, m.envelope, m.sent_at, m.arrives_at, None, lang, send);
    }
    if let Some(d) = world.dropped().find(|d| d.number == number) {
        let lost = Some((d.cut_at, d.because));
        return open(run, &d.envelope, d.sent_at, d.arrives_at, lost, lang, send);
    }
    let mut flights = world.client_flights();
    if let Some(f) = flights.find(|f| client_message(f) == number) {
        return client_flight(&f, lang, send);
    }
    html! {
        <>
            <h2>{ t(lang, Key::Message) }</h2>
            <p class="soft">{ lang.pick(
                "It has arrived. Step back to see it on its way.",
                "它已到达。后退一步可以看到它在途中。",
            ) }</p>
        </>
    }
}

fn open(
    run: &Run,
    envelope: &Envelope,
    sent_at: Moment,
    arrives_at: Moment,
    lost: Option<(Moment, LostBecause)>,
    lang: Lang,
    send: &Send,
) -> Html {
    let because = |b: LostBecause| match b {
        LostBecause::LinkCut => lang.pick("the link was cut", "链路被切断"),
        LostBecause::ReceiverDown => lang.pick("the receiver is down", "接收者已停机"),
        LostBecause::SenderDown => lang.pick("the sender went down", "发送者已停机"),
        LostBecause::ConnectionClosed => lang.pick("its connection was closed", "连接已关闭"),
        LostBecause::ReplacedByNewerVote => {
            lang.pick("a newer vote took its place", "被更新的选票取代")
        }
    };
    html! {
        <>
            <h2 class="mono">{ envelope.message.kind().name() }</h2>
            <dl>
                { term(t(lang, Key::From), crate::text::server(envelope.from, lang)) }
                { term(t(lang, Key::To), crate::text::server(envelope.to, lang)) }
                { term(t(lang, Key::SentAt), seconds(sent_at)) }
                if let Some((at, why)) = lost {
                    { term(t(lang, Key::Lost), format!("{}: {}", seconds(at), because(why))) }
                } else {
                    { term(t(lang, Key::ArrivesAt), seconds(arrives_at)) }
                }
            </dl>
            <h3>{ t(lang, Key::Contents) }</h3>
            <dl>{ contents(&envelope.message, lang) }</dl>
            <h3>{ lang.pick("Sent because", "发送的原因") }</h3>
            { cause(run, envelope.cause, lang, send) }
        </>
    }
}

/// Something between a client and its server, opened.
fn client_flight(f: &ClientFlight<'_>, lang: Lang, send: &Send) -> Html {
    let client = html! {
        <button type="button" class="link" onclick={ask(send, Action::Select(Selection::Client(f.client)))}>
            { format!("{} {}", t(lang, Key::Client), letter(f.client)) }
        </button>
    };
    let server: Html = crate::text::server(f.server, lang).into();
    let (from, to) = if f.packet.goes_to_server() {
        (client, server)
    } else {
        (server, client)
    };
    let word = |en, zh| lang.pick(en, zh).to_owned();
    let (name, rows) = match f.packet {
        ClientPacket::Connect(request) => (
            "ConnectRequest",
            vec![
                (
                    lang.pick("session", "会话"),
                    if request.session == SessionId::NONE {
                        word("a new one, please", "请求新会话")
                    } else {
                        request.session.to_string()
                    },
                ),
                (
                    lang.pick("time-out wished for", "希望的超时"),
                    span(Span::millis(u64::try_from(request.timeout_ms).unwrap_or(0))),
                ),
                (
                    lang.pick("has seen", "已看到"),
                    zxid(request.last_zxid_seen),
                ),
            ],
        ),
        ClientPacket::Request(xid, request) => (
            lang.pick("Request", "请求"),
            vec![
                (lang.pick("asks", "请求"), request_text(request)),
                ("xid", xid.to_string()),
            ],
        ),
        ClientPacket::Gone => (lang.pick("Connection closed", "连接关闭"), Vec::new()),
        ClientPacket::Connected(response) => (
            "ConnectResponse",
            if response.timeout_ms > 0 {
                vec![
                    (lang.pick("session", "会话"), response.session.to_string()),
                    (
                        lang.pick("time-out granted", "给予的超时"),
                        span(Span::millis(
                            u64::try_from(response.timeout_ms).unwrap_or(0),
                        )),
                    ),
                ]
            } else {
                vec![(
                    lang.pick("session", "会话"),
                    word("gone for good", "已彻底失效"),
                )]
            },
        ),
        ClientPacket::Reply(reply) => (
            lang.pick("Reply", "答复"),
            vec![
                (
                    lang.pick("answers", "回答"),
                    match &reply.result {
                        Ok(response) => response_text(response),
                        Err(error) => error.name().to_owned(),
                    },
                ),
                (t(lang, Key::AppliedTo), zxid(reply.zxid)),
                ("xid", reply.xid.to_string()),
            ],
        ),
        ClientPacket::Watch(event) => (
            "WatcherEvent",
            vec![
                (t(lang, Key::Path), event.path.to_string()),
                (
                    lang.pick("what happened", "发生了什么"),
                    format!("{:?}", event.kind),
                ),
            ],
        ),
        ClientPacket::Closed(_) => (lang.pick("Connection closed", "连接关闭"), Vec::new()),
    };
    let path = match f.packet {
        ClientPacket::Request(_, request) => request.path(),
        ClientPacket::Watch(event) => Some(&event.path),
        _ => None,
    };
    html! {
        <>
            <h2 class="mono">{ name }</h2>
            <dl>
                { term(t(lang, Key::From), from) }
                { term(t(lang, Key::To), to) }
                { term(t(lang, Key::SentAt), seconds(f.sent_at)) }
                { term(t(lang, Key::ArrivesAt), seconds(f.arrives_at)) }
            </dl>
            if !rows.is_empty() {
                <h3>{ t(lang, Key::Contents) }</h3>
                <dl>{ for rows.into_iter().map(|(name, value)| term(name, value)) }</dl>
            }
            if let Some(path) = path {
                <div class="row">
                    <button type="button" class="btn" onclick={ask(send, Action::Select(Selection::Znode(Rc::from(&**path))))}>
                        { match lang {
                            Lang::En => format!("Show {path} on every server"),
                            Lang::Zh => format!("查看每台服务器上的 {path}"),
                        } }
                    </button>
                </div>
            }
        </>
    }
}

/// The event behind something, as a button that goes there.
pub fn cause(run: &Run, id: EventId, lang: Lang, send: &Send) -> Html {
    let records = run.history().records();
    let Some((index, record)) = find(run, id) else {
        return html! { <p class="soft">{ "–" }</p> };
    };
    let _ = records;
    let sentence = short(&record, lang, &Who(run.world()));
    html! {
        <button type="button" class="cause" onclick={ask(send, Action::Tell(index))}>{ said(&sentence) }</button>
    }
}

/// The record with this name, newest first.
pub fn find(run: &Run, id: EventId) -> Option<(usize, zabscope_core::sim::Fact)> {
    let records = run.history().records();
    let mut index = records.len();
    for part in records.parts().iter().rev() {
        for record in part.iter().rev() {
            index -= 1;
            if record.id() == id {
                return Some((index, record.source.clone()));
            }
        }
    }
    None
}

fn contents(message: &Message, lang: Lang) -> Html {
    let one = |name: &'static str, value: String| term(name, value);
    match message {
        Message::Election(n) => html! { <>
            { one(lang.pick("the sender is", "发送者状态"), crate::text::role(n.state, lang).to_owned()) }
            { one(t(lang, Key::Epoch), epoch(n.vote.epoch)) }
            { one(t(lang, Key::Zxid), zxid(n.vote.zxid)) }
            { one(lang.pick("votes for", "投给"), n.vote.leader.to_string()) }
            { one(t(lang, Key::Round), n.round.to_string()) }
        </> },
        Message::Quorum(conn, packet) => html! { <>
            { one(lang.pick("connection", "连接"), conn.0.to_string()) }
            { match packet {
                QuorumMessage::LearnerInfo { accepted_epoch, .. } => one(t(lang, Key::AcceptedEpoch), epoch(*accepted_epoch)),
                QuorumMessage::LeaderInfo { epoch: e } => one(lang.pick("new epoch", "新纪元"), epoch(*e)),
                QuorumMessage::AckEpoch { last_zxid, current_epoch } => html! { <>
                    { one(t(lang, Key::LastZxid), zxid(*last_zxid)) }
                    { one(t(lang, Key::CurrentEpoch), current_epoch.map_or("–".to_owned(), epoch)) }
                </> },
                QuorumMessage::Snap { zxid: z, snapshot } => html! { <>
                    { one(t(lang, Key::Zxid), zxid(*z)) }
                    { one(lang.pick("znodes", "节点数"), snapshot.tree.nodes().count().to_string()) }
                </> },
                QuorumMessage::Diff { zxid: z }
                | QuorumMessage::Trunc { zxid: z }
                | QuorumMessage::NewLeader { zxid: z, members: _ }
                | QuorumMessage::Commit { zxid: z }
                | QuorumMessage::CommitAndActivate { zxid: z, designated: _ }
                | QuorumMessage::Ping { zxid: z } => one(t(lang, Key::Zxid), zxid(*z)),
                QuorumMessage::Pong { zxid: z, touched } => html! { <>
                    { one(t(lang, Key::Zxid), zxid(*z)) }
                    { one(lang.pick("sessions heard from", "有心跳的会话"), touched.len().to_string()) }
                </> },
                QuorumMessage::Ack(ack) => one(t(lang, Key::Zxid), zxid(ack.zxid())),
                QuorumMessage::Proposal(txn)
                | QuorumMessage::Inform(txn)
                | QuorumMessage::InformAndActivate { txn, designated: _ } => html! { <>
                    { one(t(lang, Key::Zxid), zxid(txn.zxid())) }
                    { one(lang.pick("session", "会话"), txn.header.session.to_string()) }
                    { one(lang.pick("does", "内容"), body(&txn.body)) }
                </> },
                QuorumMessage::Request(request) => html! { <>
                    { one(lang.pick("session", "会话"), request.session.to_string()) }
                    { one(lang.pick("asks", "请求"), match &request.op {
                        ForwardedOp::Write(write) => request_text(
                            &zabscope_core::request::Request::Write(write.clone())),
                        ForwardedOp::Sync => "sync".to_owned(),
                    }) }
                </> },
                QuorumMessage::Revalidate { session, .. } => one(lang.pick("session", "会话"), session.to_string()),
                QuorumMessage::Revalidated { session, valid } => html! { <>
                    { one(lang.pick("session", "会话"), session.to_string()) }
                    { one(lang.pick("alive", "存活"), valid.to_string()) }
                </> },
                QuorumMessage::UpToDate | QuorumMessage::Sync => html! {
                    <><dt>{ lang.pick("nothing but its name", "除名称外没有内容") }</dt><dd></dd></>
                },
            } }
        </> },
    }
}

fn body(body: &zabscope_core::txn::TxnBody) -> String {
    use zabscope_core::txn::TxnBody;
    match body {
        TxnBody::CreateSession { .. } => "createSession".to_owned(),
        TxnBody::CloseSession { paths } => format!("closeSession, {} ephemerals", paths.len()),
        TxnBody::Create(c) => format!("create {}", c.path),
        TxnBody::Delete { path, .. } => format!("delete {path}"),
        TxnBody::SetData { path, .. } => format!("setData {path}"),
        TxnBody::Reconfig { .. } => "reconfig".to_owned(),
        TxnBody::SetAcl { path, .. } => format!("setACL {path}"),
        TxnBody::Check { path, .. } => format!("check {path}"),
        TxnBody::Multi(all) => format!("multi of {}", all.len()),
        TxnBody::Error(code) => format!("error {}", code.name()),
    }
}

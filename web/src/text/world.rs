//! A sentence for every event of the world around the servers.

use super::{
    Tone, names, reason,
    say::{
        Arg::{Error, Id, Ms, N, Server, T, Time, V, Who, Z},
        Pen,
    },
};
use std::collections::BTreeSet;
use zabscope_core::{
    id::{ServerId, Zxid},
    peer::event::OpKind,
    sim::{GaveUpBecause, WorldEventKind as K},
    time::Span,
};

const fn n(n: u32) -> super::say::Arg<'static> {
    N(n as u64)
}

#[allow(clippy::too_many_lines)] // one arm for each kind
pub(super) fn say(p: &mut Pen<'_>, kind: &K) {
    match kind {
        // ---- servers and disks ---------------------------------------------------------------
        K::Crashed { server, lost } => {
            p.tone(Tone::Fault);
            match (lost.first(), lost.last()) {
                (Some(first), Some(last)) if first != last => p.say(
                    "{0} crashed. {1} to {2} were in its log but not on disk yet: there they are gone.",
                    "{0} 崩溃了。{1} 到 {2} 在它的日志里，但还没写到磁盘：在这里它们丢失了。",
                    &[Server(*server), Z(*first), Z(*last)],
                ),
                (Some(only), _) | (None, Some(only)) => p.say(
                    "{0} crashed. {1} was in its log but not on disk yet: there it is gone.",
                    "{0} 崩溃了。{1} 在它的日志里，但还没写到磁盘：在这里它丢失了。",
                    &[Server(*server), Z(*only)],
                ),
                (None, None) => p.say(
                    "{0} crashed. What is in memory is gone, what is on its disk stays.",
                    "{0} 崩溃了。内存中的都没了，磁盘上的还在。",
                    &[Server(*server)],
                ),
            }
        }
        K::Restarted { server } => p.say(
            "{0} has power again and starts from what is on its disk.",
            "{0} 恢复供电，从磁盘上的内容启动。",
            &[Server(*server)],
        ),
        K::Paused { server } => {
            p.tone(Tone::Fault);
            p.say(
                "{0} stands still, as in a long garbage collection: connections stay open, but it answers nothing.",
                "{0} 停住了，就像长时间的垃圾回收：连接还在，但它什么都不回答。",
                &[Server(*server)],
            );
        }
        K::Resumed { server, waiting } => p.say(
            "{0} goes on, as if no time had passed. {1} {1:input|inputs} piled up meanwhile.",
            "{0} 继续运行，好像时间没有流逝。其间积压了 {1} 个输入。",
            &[Server(*server), n(*waiting)],
        ),
        K::DiskSlowed { server, extra } => {
            if *extra == Span(0) {
                p.say(
                    "The disk of {0} is as fast as before.",
                    "{0} 的磁盘恢复了正常速度。",
                    &[Server(*server)],
                );
            } else {
                p.tone(Tone::Fault);
                p.say(
                    "The disk of {0} needs {1} more for each write from now on. Every ACK of that server waits for it.",
                    "{0} 的磁盘从现在起每次写入多花 {1}。这台服务器的每个 ACK 都要等它。",
                    &[Server(*server), Time(*extra)],
                );
            }
        }
        K::DiskLost { server } => {
            p.tone(Tone::Fault);
            p.say(
                "The disk of {0} is lost: log, tree and epochs. When it starts it knows nothing.",
                "{0} 的磁盘丢失了：日志、树和纪元都没了。启动时它一无所知。",
                &[Server(*server)],
            );
        }

        // ---- links ---------------------------------------------------------------------------
        K::LinkCut { a, b } => {
            p.tone(Tone::Fault);
            p.say(
                "The link between {0} and {1} is cut: nothing passes, and their connections break.",
                "{0} 与{1} 之间的链路被切断：什么都过不去，连接也断开。",
                &[Server(*a), Server(*b)],
            );
        }
        K::DirectionCut { from, to } => {
            p.tone(Tone::Fault);
            p.say(
                "Nothing passes from {0} to {1} any more. The other way still works, and neither of them is told.",
                "从{0} 到{1} 的消息不再通过。反方向仍然正常，双方都不知情。",
                &[Server(*from), Server(*to)],
            );
        }
        K::LinkHealed { a, b } => p.say(
            "The link between {0} and {1} works again, in both directions.",
            "{0} 与{1} 之间的链路双向恢复。",
            &[Server(*a), Server(*b)],
        ),
        K::LinkSlowed { a, b, extra } => {
            if *extra == Span(0) {
                p.say(
                    "The link between {0} and {1} is as fast as before.",
                    "{0} 与{1} 之间的链路恢复了正常速度。",
                    &[Server(*a), Server(*b)],
                );
            } else {
                p.tone(Tone::Fault);
                p.say(
                    "Messages between {0} and {1} take {2} longer from now on.",
                    "{0} 与{1} 之间的消息从现在起多花 {2}。",
                    &[Server(*a), Server(*b), Time(*extra)],
                );
            }
        }
        K::Partitioned { groups } => {
            p.tone(Tone::Fault);
            let text = p.phrase(|p| list(p, groups));
            p.say(
                "The network falls apart into {0}. Only servers of the same part reach each other.",
                "网络被分为 {0}。只有同一部分的服务器能互相通信。",
                &[T(&text)],
            );
        }
        K::RulesSet { rules } if rules.all_hold() => p.say(
            "All rules of the protocol hold again. What was broken meanwhile stays so.",
            "协议的所有规则重新生效。其间造成的破坏仍然存在。",
            &[],
        ),
        K::RulesSet { rules } => {
            p.tone(Tone::Fault);
            let off = super::rules_off(*rules, p.lang);
            p.say(
                "The protocol is broken on purpose from now on. Switched off: {0}. What follows is not what ZooKeeper does.",
                "从现在起协议被故意破坏。已关闭：{0}。之后发生的并不是 ZooKeeper 的行为。",
                &[T(&off)],
            );
        }
        K::FaultsSet {
            repeat: 0,
            random: false,
        } => p.say(
            "No fault comes by itself any more; what a schedule had broken is mended now.",
            "不再自行产生故障；计划造成的故障现在修复。",
            &[],
        ),
        K::FaultsSet { repeat: 0, .. } => {
            p.tone(Tone::Fault);
            p.say(
                "From now on faults come by chance, decided by a seed: the same at every repetition.",
                "从现在起故障随机出现，由种子决定：每次重放都相同。",
                &[],
            );
        }
        K::FaultsSet { repeat, random } => {
            p.tone(Tone::Fault);
            let (en, zh) = match random {
                true => (
                    "From now on {0} {0:fault repeats|faults repeat} on schedule, and others come by chance.",
                    "从现在起 {0} 种故障按计划重复，另有随机故障。",
                ),
                false => (
                    "From now on {0} {0:fault repeats|faults repeat} on schedule.",
                    "从现在起 {0} 种故障按计划重复。",
                ),
            };
            p.say(en, zh, &[n(u32::from(*repeat))]);
        }
        K::AllHealed => p.say(
            "All links work again, with normal latency.",
            "所有链路都恢复了，延迟正常。",
            &[],
        ),
        K::ConnectionBroken {
            conn: _,
            from,
            to,
            because,
            lost,
        } => {
            p.tone(Tone::Fault);
            let why = reason::lost(*because, p.lang);
            p.say(
                "The connection of {0} to {1} breaks: {2}. {3} {3:message|messages} under way on it {3:is|are} lost.",
                "{0} 到{1} 的连接断了：{2}。途中的 {3} 条消息丢失。",
                &[Server(*from), Server(*to), T(why), n(*lost)],
            );
        }
        K::MessageLost {
            from,
            to,
            message,
            zxid,
            because,
        } => {
            p.tone(Tone::Fault);
            let why = reason::lost(*because, p.lang);
            match zxid {
                Some(zxid) if names::about_zxid(*message) => p.say(
                    "{2} {4} from {0} will never reach {1}: {3}.",
                    "{0} 的 {2} {4} 永远到不了{1}：{3}。",
                    &[Server(*from), Server(*to), V(message.name()), T(why), Z(*zxid)],
                ),
                Some(_) | None => p.say(
                    "{2} from {0} will never reach {1}: {3}.",
                    "{0} 的 {2} 永远到不了{1}：{3}。",
                    &[Server(*from), Server(*to), V(message.name()), T(why)],
                ),
            }
        }

        // ---- clients -------------------------------------------------------------------------
        K::ClientAdded { client } => {
            p.say("{0} appears.", "{0} 出现了。", &[Who(*client)]);
        }
        K::ClientPaused { client } => {
            p.tone(Tone::Fault);
            p.say(
                "The machine of {0} stands still: it sends nothing, not even heartbeats. Its session's clock runs.",
                "{0} 的机器停住了：什么都不发送，连心跳也没有。会话的时钟在走。",
                &[Who(*client)],
            );
        }
        K::ClientResumed { client } => p.say(
            "{0} goes on. It does not know yet whether its session still lives.",
            "{0} 继续运行。它还不知道自己的会话是否还在。",
            &[Who(*client)],
        ),
        K::ClientConnecting {
            client,
            server,
            session,
            last_zxid_seen,
        } => match session {
            None => p.say(
                "{0} calls {1} and asks for a session.",
                "{0} 呼叫{1}，请求一个会话。",
                &[Who(*client), Server(*server)],
            ),
            Some(_) => p.say(
                "{0} calls {1} with the session it has. It has seen {2}: a server that is behind that must refuse.",
                "{0} 带着已有的会话呼叫{1}。它已看到 {2}：落后于此的服务器必须拒绝。",
                &[Who(*client), Server(*server), Z(*last_zxid_seen)],
            ),
        },
        K::ClientConnected {
            client,
            server,
            session: _,
            resumed,
            timeout_ms,
        } => {
            if *resumed {
                p.say(
                    "{0} is connected to {1} and keeps its session, with a time-out of {2}.",
                    "{0} 已连上{1}，并保住了会话，超时为 {2}。",
                    &[Who(*client), Server(*server), Ms(*timeout_ms)],
                );
            } else {
                p.say(
                    "{0} is connected to {1} and has a new session, with a time-out of {2}.",
                    "{0} 已连上{1}，得到新会话，超时为 {2}。",
                    &[Who(*client), Server(*server), Ms(*timeout_ms)],
                );
            }
        }
        K::ClientGaveUp {
            client,
            server,
            because,
            unanswered,
        } => {
            if !matches!(because, GaveUpBecause::Moves) {
                p.tone(Tone::Fault);
            }
            let why = p.phrase(|p| reason::gave_up(p, because));
            p.say(
                "{0} has no connection to {1} any more: {2}.",
                "{0} 与{1} 的连接断开了：{2}。",
                &[Who(*client), Server(*server), T(&why)],
            );
            if *unanswered > 0 {
                p.say(
                    " {0} {0:request stays|requests stay} without an answer: done or not, it can't know.",
                    "有 {0} 个请求没有回答：完成与否，它无从知道。",
                    &[n(*unanswered)],
                );
            }
        }
        K::ClientExpired {
            client,
            server,
            session: _,
        } => {
            p.tone(Tone::Fault);
            p.say(
                "{0} learns from {1} that its session is over, and with it all its ephemeral znodes.",
                "{0} 从{1} 得知会话已结束，它的所有临时节点也随之消失。",
                &[Who(*client), Server(*server)],
            );
        }
        K::ClientClosed { client, session: _ } => p.say(
            "{0} has closed its session and is gone.",
            "{0} 关闭了会话，离开了。",
            &[Who(*client)],
        ),
        K::RequestSent {
            client,
            server,
            conn: _,
            xid: _,
            op,
            path,
        } => match op {
            OpKind::Ping => p.say(
                "{0} tells {1} that it is still there.",
                "{0} 告诉{1} 它还在。",
                &[Who(*client), Server(*server)],
            ),
            other => {
                let what = names::at(names::op(*other), path.as_deref());
                p.say(
                    "{0} sends {2} to {1}.",
                    "{0} 向{1} 发送 {2}。",
                    &[Who(*client), Server(*server), V(&what)],
                );
            }
        },
        K::ReplyReceived {
            client,
            server,
            xid: _,
            op,
            zxid,
            error,
        } => match error {
            None => p.say(
                "{0} has the answer of {1} to {2}. That server had applied {3}.",
                "{0} 收到{1} 对 {2} 的回答。那台服务器已应用到 {3}。",
                &[Who(*client), Server(*server), V(names::op(*op)), Z(*zxid)],
            ),
            Some(code) => p.say(
                "{0} learns from {1} that {2} failed: {4}. That server had applied {3}.",
                "{0} 从{1} 得知 {2} 失败：{4}。那台服务器已应用到 {3}。",
                &[
                    Who(*client),
                    Server(*server),
                    V(names::op(*op)),
                    Z(*zxid),
                    Error(*code),
                ],
            ),
        },
        K::WatchReceived {
            client,
            server,
            event,
            path,
            zxid,
        } => {
            let what = names::happened(*event, p.lang);
            if *zxid == Zxid(-1) {
                p.say(
                    "{0} hears its watch from {1}: {2} {3} while it was away.",
                    "{0} 从{1} 听到监听响起：它不在时 {2} {3}。",
                    &[Who(*client), Server(*server), V(path), T(what)],
                );
            } else {
                p.say(
                    "{0} hears its watch from {1}: {2} {3}, by {4}.",
                    "{0} 从{1} 听到监听响起：{2} {3}，由 {4} 引起。",
                    &[Who(*client), Server(*server), V(path), T(what), Z(*zxid)],
                );
            }
        }
        K::StaleRead {
            client,
            server,
            path,
            shown,
            newest,
            behind_by,
        } => {
            p.tone(Tone::Allowed);
            match path {
                Some(path) => p.say(
                    "{0} reads {2} as it was at {3}, although {4} is committed: {1} answers from its own memory, {5} {5:transaction|transactions} behind. Allowed; sync would have waited.",
                    "{0} 读到的 {2} 停在 {3}，而 {4} 已经提交：{1} 用自己的内存回答，落后 {5} 个事务。这是允许的；sync 会等待。",
                    &[
                        Who(*client),
                        Server(*server),
                        V(path),
                        Z(*shown),
                        Z(*newest),
                        N(*behind_by),
                    ],
                ),
                None => p.say(
                    "{0} reads the state of {2}, although {3} is committed: {1} answers from its own memory, {4} {4:transaction|transactions} behind. Allowed; sync would have waited.",
                    "{0} 读到的状态停在 {2}，而 {3} 已经提交：{1} 用自己的内存回答，落后 {4} 个事务。这是允许的；sync 会等待。",
                    &[
                        Who(*client),
                        Server(*server),
                        Z(*shown),
                        Z(*newest),
                        N(*behind_by),
                    ],
                ),
            }
        }
    }
}

/// `1, 2 | 3, 4, 5`.
pub(super) fn list(p: &mut Pen<'_>, groups: &[BTreeSet<ServerId>]) {
    for (i, group) in groups.iter().enumerate() {
        if i > 0 {
            p.say(" | ", " | ", &[]);
        }
        for (j, id) in group.iter().enumerate() {
            if j > 0 {
                p.say(", ", ", ", &[]);
            }
            p.say("{0}", "{0}", &[Id(*id)]);
        }
    }
}

//! What happened in the world, outside the servers, in one line each.

use crate::text::{
    Tone, names, rules_off,
    say::{
        Arg::{Error, Id, N, Server, T, Time, V, Who, Z},
        Pen,
    },
    world,
};
use zabscope_core::{peer::event::OpKind, sim::WorldEventKind as W, time::Span};

#[allow(clippy::too_many_lines)] // one arm for each kind
pub(in crate::text) fn world(p: &mut Pen<'_>, kind: &W) {
    match kind {
        W::Crashed { server, lost } => {
            p.tone(Tone::Fault);
            if lost.is_empty() {
                p.say("{0} crashed", "{0} 崩溃", &[Server(*server)]);
            } else {
                p.say(
                    "{0} crashed and lost {1} {1:transaction|transactions}",
                    "{0} 崩溃，丢失 {1} 个事务",
                    &[Server(*server), N(lost.len() as u64)],
                );
            }
        }
        W::Restarted { server } => p.say("{0} restarts", "{0} 重启", &[Server(*server)]),
        W::Paused { server } => {
            p.tone(Tone::Fault);
            p.say("{0} stands still", "{0} 停住", &[Server(*server)]);
        }
        W::Resumed { server, waiting: _ } => {
            p.say("{0} goes on", "{0} 继续运行", &[Server(*server)]);
        }
        W::DiskSlowed { server, extra } => {
            if *extra == Span(0) {
                p.say(
                    "The disk of {0} is normal again",
                    "{0} 的磁盘恢复正常",
                    &[Server(*server)],
                );
            } else {
                p.tone(Tone::Fault);
                p.say(
                    "The disk of {0} is slower by {1}",
                    "{0} 的磁盘慢了 {1}",
                    &[Server(*server), Time(*extra)],
                );
            }
        }
        W::DiskLost { server } => {
            p.tone(Tone::Fault);
            p.say("{0} lost its disk", "{0} 丢失磁盘", &[Server(*server)]);
        }
        W::LinkCut { a, b } => {
            p.tone(Tone::Fault);
            p.say(
                "Link {0}–{1} is cut",
                "链路 {0}–{1} 被切断",
                &[Id(*a), Id(*b)],
            );
        }
        W::DirectionCut { from, to } => {
            p.tone(Tone::Fault);
            p.say(
                "Nothing passes from {0} to {1}",
                "{0} 到 {1} 不通",
                &[Id(*from), Id(*to)],
            );
        }
        W::LinkHealed { a, b } => p.say(
            "Link {0}–{1} works again",
            "链路 {0}–{1} 恢复",
            &[Id(*a), Id(*b)],
        ),
        W::LinkSlowed { a, b, extra } => {
            if *extra == Span(0) {
                p.say(
                    "Link {0}–{1} is normal again",
                    "链路 {0}–{1} 恢复正常",
                    &[Id(*a), Id(*b)],
                );
            } else {
                p.tone(Tone::Fault);
                p.say(
                    "Link {0}–{1} is slower by {2}",
                    "链路 {0}–{1} 慢了 {2}",
                    &[Id(*a), Id(*b), Time(*extra)],
                );
            }
        }
        W::Partitioned { groups } => {
            p.tone(Tone::Fault);
            let text = p.phrase(|p| world::list(p, groups));
            p.say("Partition: {0}", "网络分区：{0}", &[T(&text)]);
        }
        W::AllHealed => p.say("All links work again", "所有链路恢复", &[]),
        W::RulesSet { rules } if rules.all_hold() => {
            p.say("All rules hold again", "所有规则重新生效", &[]);
        }
        W::RulesSet { rules } => {
            p.tone(Tone::Fault);
            let off = rules_off(*rules, p.lang);
            p.say("Rules off: {0}", "关闭的规则：{0}", &[T(&off)]);
        }
        W::FaultsSet {
            repeat: 0,
            random: false,
        } => p.say("No faults by themselves any more", "不再自行产生故障", &[]),
        W::FaultsSet { .. } => {
            p.tone(Tone::Fault);
            p.say("Faults come by themselves", "开始自行产生故障", &[]);
        }
        W::ConnectionBroken { from, to, .. } => {
            p.tone(Tone::Fault);
            p.say(
                "Connection of {0} to {1} breaks",
                "{0} 到 {1} 的连接断了",
                &[Id(*from), Id(*to)],
            );
        }
        W::MessageLost {
            from, to, message, ..
        } => {
            p.tone(Tone::Fault);
            p.say(
                "{2} from {0} to {1} is lost",
                "{0} 给 {1} 的 {2} 丢失",
                &[Id(*from), Id(*to), V(message.name())],
            );
        }
        W::ClientAdded { client } => p.say("{0} appears", "{0} 出现", &[Who(*client)]),
        W::ClientPaused { client } => {
            p.tone(Tone::Fault);
            p.say("{0} stands still", "{0} 停住", &[Who(*client)]);
        }
        W::ClientResumed { client } => p.say("{0} goes on", "{0} 继续运行", &[Who(*client)]),
        W::ClientConnecting { client, server, .. } => p.say(
            "{0} calls {1}",
            "{0} 呼叫{1}",
            &[Who(*client), Server(*server)],
        ),
        W::ClientConnected { client, server, .. } => p.say(
            "{0} is connected to {1}",
            "{0} 已连上{1}",
            &[Who(*client), Server(*server)],
        ),
        W::ClientGaveUp { client, server, .. } => p.say(
            "{0} is no longer connected to {1}",
            "{0} 与{1} 断开",
            &[Who(*client), Server(*server)],
        ),
        W::ClientExpired { client, .. } => {
            p.tone(Tone::Fault);
            p.say("{0}: session expired", "{0}：会话已过期", &[Who(*client)]);
        }
        W::ClientClosed { client, .. } => {
            p.say("{0} closed its session", "{0} 关闭了会话", &[Who(*client)])
        }
        W::RequestSent {
            client,
            server,
            op,
            path,
            ..
        } => match op {
            OpKind::Ping => p.say(
                "{0} pings {1}",
                "{0} ping {1}",
                &[Who(*client), Server(*server)],
            ),
            other => {
                let what = names::at(names::op(*other), path.as_deref());
                p.say(
                    "{0} sends {2} to {1}",
                    "{0} 向{1} 发送 {2}",
                    &[Who(*client), Server(*server), V(&what)],
                );
            }
        },
        W::ReplyReceived {
            client,
            op,
            zxid,
            error,
            ..
        } => match error {
            None => p.say(
                "{0} has the answer to {1}, as of {2}",
                "{0} 收到 {1} 的回答，状态 {2}",
                &[Who(*client), V(names::op(*op)), Z(*zxid)],
            ),
            Some(code) => p.say(
                "{0}: {1} failed, {2}",
                "{0}：{1} 失败，{2}",
                &[Who(*client), V(names::op(*op)), Error(*code)],
            ),
        },
        W::WatchReceived {
            client,
            event,
            path,
            ..
        } => {
            let what = names::happened(*event, p.lang);
            p.say(
                "{0} hears: {1} {2}",
                "{0} 听到：{1} {2}",
                &[Who(*client), V(path), T(what)],
            );
        }
        W::StaleRead {
            client,
            server,
            behind_by,
            ..
        } => {
            p.tone(Tone::Allowed);
            p.say(
                "{0} reads at {1}: stale by {2}",
                "{0} 在{1} 读到旧值：落后 {2}",
                &[Who(*client), Server(*server), N(*behind_by)],
            );
        }
    }
}

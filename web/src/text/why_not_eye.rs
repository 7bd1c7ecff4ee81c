//! The five guarantees, and what one observation says about each: the rule that allows or forbids it,
//! with the values.

use super::{
    Context, Lang, Sentence, Tone,
    say::{
        Arg::{Error, I, N, Server, Time, Z},
        Pen,
    },
};
use zabscope_core::sim::why_not::guarantees::{Guarantee, Verdict};

/// A guarantee's name and what it promises.
#[must_use]
pub const fn guarantee(g: Guarantee, lang: Lang) -> (&'static str, &'static str) {
    match g {
        Guarantee::SequentialConsistency => (
            lang.pick("Sequential consistency", "顺序一致性"),
            lang.pick(
                "Its requests take effect and are answered in its own order; a watch is heard before any answer that shows the change.",
                "它的请求按它自己的顺序生效并得到回答；先听到监听，再看到体现该变化的回答。",
            ),
        ),
        Guarantee::Atomicity => (
            lang.pick("Atomicity", "原子性"),
            lang.pick(
                "A write is done as a whole or not at all.",
                "一次写入要么全部完成，要么完全没有。",
            ),
        ),
        Guarantee::SingleSystemImage => (
            lang.pick("Single system image", "单一系统映像"),
            lang.pick(
                "It never sees an older state than it has seen, whichever server it goes to.",
                "不管连到哪台服务器，它都不会看到比以前更旧的状态。",
            ),
        ),
        Guarantee::Reliability => (
            lang.pick("Reliability", "可靠性"),
            lang.pick(
                "What was acknowledged stays, because a quorum has it on disk.",
                "已确认的会一直保留，因为法定人数的磁盘上都有它。",
            ),
        ),
        Guarantee::Timeliness => (
            lang.pick("Timeliness", "及时性"),
            lang.pick(
                "What it sees is old only within a bound. The newest is not promised: who needs it asks for sync first.",
                "它看到的旧数据有时间上限。不承诺最新：需要最新就先请求 sync。",
            ),
        ),
    }
}

/// A verdict in a sentence.
#[must_use]
pub fn verdict(v: &Verdict, lang: Lang, ctx: &dyn Context) -> Sentence {
    let mut p = Pen::new(lang, ctx);
    p.tone(if v.is_broken() {
        Tone::Fault
    } else if v.is_surprising() {
        Tone::Allowed
    } else {
        Tone::Plain
    });
    match v {
        Verdict::InTurn { before: 0, xid } => p.say(
            "request {0} is the first on this connection",
            "请求 {0} 是这个连接上的第一个",
            &[I(i64::from(*xid))],
        ),
        Verdict::InTurn { before, xid } => p.say(
            "request {1} is answered after {0}, in its turn",
            "请求 {1} 在 {0} 之后得到回答，次序正确",
            &[I(i64::from(*before)), I(i64::from(*xid))],
        ),
        Verdict::OutOfTurn { before, xid } => p.say(
            "forbidden: request {1} is answered after {0}",
            "不允许：请求 {1} 在 {0} 之后才得到回答",
            &[I(i64::from(*before)), I(i64::from(*xid))],
        ),
        Verdict::HeardFirst { seen, change } => p.say(
            "heard of {1} before any answer showed it: it had seen up to {0}",
            "在任何回答体现 {1} 之前就听到了它：此前看到 {0}",
            &[Z(*seen), Z(*change)],
        ),
        Verdict::HeardLate { seen, change } => p.say(
            "forbidden: it heard of {1} when it had seen {0} already",
            "不允许：已看到 {0} 之后才听到 {1}",
            &[Z(*seen), Z(*change)],
        ),
        Verdict::Done => p.say("all of the write was done", "写入全部完成", &[]),
        Verdict::NotDone(code) => p.say(
            "nothing of it was done: {0}",
            "完全没有执行：{0}",
            &[Error(*code)],
        ),
        Verdict::Unknown => p.say(
            "allowed: the connection was lost, so all of it was done or nothing, and it can't know",
            "允许：连接丢失，要么全部完成，要么完全没有，它无法知道",
            &[],
        ),
        Verdict::Torn => p.say(
            "forbidden: only a part of the write was done",
            "不允许：写入只完成了一部分",
            &[],
        ),
        Verdict::NotBack { seen, shown } => p.say(
            "shows {1}, not older than {0}, which it had seen",
            "体现 {1}，不比它看到过的 {0} 更旧",
            &[Z(*seen), Z(*shown)],
        ),
        Verdict::Back { seen, shown } => p.say(
            "forbidden: shows {1}, but it had seen {0}",
            "不允许：体现 {1}，而它已看到过 {0}",
            &[Z(*seen), Z(*shown)],
        ),
        Verdict::Kept { zxid, on, need } => p.say(
            "{0} is on the disks of {1} voters; a quorum is {2}",
            "{0} 在 {1} 个投票者的磁盘上；法定人数是 {2}",
            &[Z(*zxid), N((*on).into()), N((*need).into())],
        ),
        Verdict::Lost { zxid, on, need } => p.say(
            "forbidden: {0} is on the disks of {1} voters only; a quorum is {2}",
            "不允许：{0} 只在 {1} 个投票者的磁盘上；法定人数是 {2}",
            &[Z(*zxid), N((*on).into()), N((*need).into())],
        ),
        Verdict::Newest { shown } => p.say(
            "shows {0}, and nothing newer was committed",
            "体现 {0}，当时没有更新的提交",
            &[Z(*shown)],
        ),
        Verdict::Older {
            server,
            shown,
            newest,
            by,
            bound,
        } => p.say(
            "allowed: {0} had applied up to {1}, {3} behind; the newest committed was {2}. Cut off, it must stop within syncLimit, {4}",
            "允许：{0} 应用到 {1}，落后 {3} 个；当时已提交的最新是 {2}。若被隔离，它必须在 syncLimit（{4}）内停止服务",
            &[Server(*server), Z(*shown), Z(*newest), N(*by), Time(*bound)],
        ),
    }
    p.finish()
}

//! What if: what could have been otherwise, and what came of it, in words.

use super::{
    Context, Lang, Sentence,
    say::{
        Arg::{E, Server, Session, T, Time, V, Who, Z},
        Pen, moment,
    },
};
use zabscope_core::sim::why_not::instead::{Awaited, Change, Differs};

/// What could have been otherwise: the label of the button, and the name of the branch.
#[must_use]
pub fn change(c: &Change, lang: Lang, ctx: &dyn Context) -> Sentence {
    let mut p = Pen::new(lang, ctx);
    match c {
        Change::Lost { from, to, message } => p.say(
            "{2} from {0} to {1} is lost",
            "从 {0} 到 {1} 的 {2} 丢失",
            &[Server(*from), Server(*to), V(message.name())],
        ),
        Change::SlowLink { from, to } => p.say(
            "the link of {0} and {1} is slow",
            "{0} 与 {1} 之间的链路很慢",
            &[Server(*from), Server(*to)],
        ),
        Change::SlowDisk(id) => p.say("the disk of {0} is slow", "{0} 的磁盘很慢", &[Server(*id)]),
        Change::Crash(id) => p.say(
            "{0} crashes a step earlier",
            "{0} 提前一步崩溃",
            &[Server(*id)],
        ),
    }
    p.finish()
}

/// What differs, in one sentence.
#[must_use]
pub fn differs(d: &Differs, lang: Lang, ctx: &dyn Context) -> Sentence {
    let mut p = Pen::new(lang, ctx);
    let what = awaited(d, lang, ctx);
    match (&d.before, &d.now) {
        (Some(before), Some(now)) => {
            let same = before.server == now.server && before.epoch == now.epoch;
            let (was, is) = (moment(before.at), moment(now.at));
            if same && before.at == now.at {
                p.say(
                    "Nothing differs: {0} by {1} at {2}, as before.",
                    "没有差别：{2} 由 {1} {0}，与之前相同。",
                    &[T(&what), Server(now.server), V(&is)],
                );
            } else if same && now.at > before.at {
                p.say(
                    "The same, {3} later: {0} by {1} at {2}.",
                    "结果相同，晚了 {3}：{2} 由 {1} {0}。",
                    &[
                        T(&what),
                        Server(now.server),
                        V(&is),
                        Time(now.at - before.at),
                    ],
                );
            } else if same {
                p.say(
                    "The same, {3} sooner: {0} by {1} at {2}.",
                    "结果相同，早了 {3}：{2} 由 {1} {0}。",
                    &[
                        T(&what),
                        Server(now.server),
                        V(&is),
                        Time(before.at - now.at),
                    ],
                );
            } else {
                p.say(
                    "Now {0} by {1} at {2}; before, by {3} at {4}.",
                    "现在 {2} 由 {1} {0}；之前是 {4} 由 {3}。",
                    &[
                        T(&what),
                        Server(now.server),
                        V(&is),
                        Server(before.server),
                        V(&was),
                    ],
                );
                if let (Some(now), Some(before)) = (now.epoch, before.epoch)
                    && now != before
                {
                    p.say(
                        " The epoch is {0} instead of {1}.",
                        "纪元是 {0}，而不是 {1}。",
                        &[E(now), E(before)],
                    );
                }
            }
        }
        (Some(before), None) => p.say(
            "It does not happen any more within {3}: {0} by {1} at {2} before.",
            "{3} 内不再发生：之前 {2} 由 {1} {0}。",
            &[
                T(&what),
                Server(before.server),
                V(&moment(before.at)),
                Time(zabscope_core::sim::why_not::instead::PATIENCE),
            ],
        ),
        (None, Some(now)) => p.say(
            "Now it happens: {0} by {1} at {2}; before, it did not.",
            "现在发生了：{2} 由 {1} {0}；之前没有。",
            &[T(&what), Server(now.server), V(&moment(now.at))],
        ),
        (None, None) => p.say(
            "In neither branch within {1}: {0}.",
            "两个分支在 {1} 内都没有发生：{0}。",
            &[
                T(&what),
                Time(zabscope_core::sim::why_not::instead::PATIENCE),
            ],
        ),
    }
    p.finish()
}

/// What was waited for, before "by server 3".
fn awaited(d: &Differs, lang: Lang, ctx: &dyn Context) -> String {
    let mut p = Pen::new(lang, ctx);
    match d.awaited {
        Awaited::Leader => p.say("the lead is taken", "取得领导", &[]),
        Awaited::Serves(_) => p.say("service begins", "开始服务", &[]),
        Awaited::Commit(zxid) => p.say("{0} is committed", "提交 {0}", &[Z(zxid)]),
        Awaited::Answer(no) => p.say("{0} is answered", "回答 {0}", &[Who(no)]),
        Awaited::End(id) => p.say("{0} is ended", "结束{0}", &[Session(id)]),
    }
    p.into_phrase()
}

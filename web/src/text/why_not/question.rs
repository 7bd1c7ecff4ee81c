//! The questions themselves.

use crate::text::{
    Context, Lang, NoContext, Sentence, names,
    say::{
        Arg::{Server, Session, V, Who, Z},
        Pen,
    },
};
use zabscope_core::sim::why_not::Question as Q;

/// The question.
#[must_use]
pub fn question(asked: &Q, lang: Lang, ctx: &dyn Context) -> Sentence {
    let mut p = Pen::new(lang, ctx);
    match asked {
        Q::NotLeading(id) => p.say(
            "why is {0} not the leader?",
            "{0} 为什么不是领导者？",
            &[Server(*id)],
        ),
        Q::StillLooking(id) => p.say(
            "why is {0} still LOOKING?",
            "{0} 为什么还在寻找领导者？",
            &[Server(*id)],
        ),
        Q::NotServing(id) => p.say(
            "why does {0} not serve?",
            "{0} 为什么不提供服务？",
            &[Server(*id)],
        ),
        Q::NotCommitted(zxid) => p.say(
            "why is {0} not committed?",
            "为什么 {0} 没有提交？",
            &[Z(*zxid)],
        ),
        Q::NotAnswered(no) => p.say(
            "why has {0} no answer yet?",
            "{0} 为什么还没有收到回答？",
            &[Who(*no)],
        ),
        Q::NotNewest(id) => p.say(
            "why does {0} not answer with the newest?",
            "{0} 的回答为什么不是最新的？",
            &[Server(*id)],
        ),
        Q::NotFresh(_) => p.say(
            "why did this read not show the newest?",
            "这次读取为什么没有看到最新的？",
            &[],
        ),
        Q::NotExpired(id) => p.say(
            "why has {0} not expired?",
            "{0} 为什么没有过期？",
            &[Session(*id)],
        ),
        Q::NotRung(no, path) => p.say(
            "why has the watch of {0} on {1} not rung?",
            "{0} 在 {1} 上的监听为什么没有触发？",
            &[Who(*no), V(path)],
        ),
        Q::NotThisMode(id, mode) => p.say(
            "why did {0} not get {1}?",
            "{0} 为什么没有用 {1} 同步？",
            &[Server(*id), V(names::mode(*mode))],
        ),
    }
    p.finish()
}

/// Nobody sits behind a session: for tests and labels.
#[must_use]
pub fn plain(asked: &Q, lang: Lang) -> String {
    question(asked, lang, &NoContext).text
}

//! The rules that can be switched off: a name and a sentence for each.

use super::Lang;
use zabscope_core::rules::{Rule, Rules};

/// A rule's name.
#[must_use]
pub fn rule(rule: Rule, lang: Lang) -> &'static str {
    let (en, zh) = match rule {
        Rule::VoteEpoch => ("Higher epoch first", "纪元高者优先"),
        Rule::Quorum => ("A whole quorum", "完整的法定人数"),
        Rule::AcceptedEpoch => ("No older epoch", "不接受更旧的纪元"),
        Rule::NewestHistory => ("Newest history leads", "历史最新者领导"),
        Rule::Truncate => ("TRUNC cuts", "TRUNC 要截断"),
        Rule::DurableAck => ("On disk before ACK", "先写盘再 ACK"),
        Rule::CommitEpoch => ("COMMIT of this epoch", "COMMIT 只在本纪元有效"),
        Rule::SessionFifo => ("Reads wait for own writes", "读要等自己的写"),
        Rule::WatchFirst => ("Watch before reply", "先监听后回答"),
    };
    lang.pick(en, zh)
}

/// What it says, and what happens without it.
#[must_use]
pub fn rule_sentence(rule: Rule, lang: Lang) -> &'static str {
    let (en, zh) = match rule {
        Rule::VoteEpoch => (
            "Of two votes the one with the higher peerEpoch wins, whatever its zxid. Off: the zxid is looked at first, and a longer log from an older epoch can win.",
            "两张选票中 peerEpoch 高的胜出，不论 zxid。关闭后先看 zxid，旧纪元里更长的日志也可能胜出。",
        ),
        Rule::Quorum => (
            "Leaders and commits need a quorum, and two quorums share a server. Off: one server fewer is enough, and they may share none.",
            "选出领导者和提交都需要法定人数，任意两个法定人数必有共同的服务器。关闭后少一台也算数，可能毫无交集。",
        ),
        Rule::AcceptedEpoch => (
            "Who has accepted an epoch follows no leader of an older one, nor of the same one twice: proposals and commits of an old leader find nobody. Off: the promise is forgotten.",
            "接受过某个纪元的服务器不再跟随更旧的，同一纪元也只接受一次：旧领导者的提案和 COMMIT 无人理会。关闭后这个承诺被忘记。",
        ),
        Rule::NewestHistory => (
            "A new leader that hears of a follower with a newer history steps down. Off: it leads all the same, and cuts off what the other has.",
            "新领导者发现跟随者的历史比自己新就退下。关闭后它照样领导，并截掉对方的历史。",
        ),
        Rule::Truncate => (
            "A learner cuts from its log what the leader does not have. Off: it keeps it, and applies what was never committed.",
            "学习者从日志里截掉领导者没有的事务。关闭后它保留下来，并应用从未提交的内容。",
        ),
        Rule::DurableAck => (
            "An ACK leaves a learner when the bytes are on its disk. Off: at once, and a power failure takes back what was promised.",
            "字节写到磁盘后，学习者才发出 ACK。关闭后立刻发出，断电会收回已作的承诺。",
        ),
        Rule::CommitEpoch => (
            "A COMMIT counts in the epoch in which it was sent, for the very zxid that it names; who leaves a leader hangs up. Off: nobody hangs up, and a late COMMIT of a leader that was left commits the oldest proposal that waits, which may have no quorum. Seen when a leader stands still with ACKs on their way, and goes on under the next.",
            "COMMIT 只在发出它的纪元里有效，只对它写明的 zxid 有效；离开领导者时挂断连接。关闭后不挂断，旧领导者迟到的 COMMIT 会提交正在等待的最早提案，而它未必有法定人数。让领导者在 ACK 途中暂停、在下一个领导者任内恢复，就能看到。",
        ),
        Rule::SessionFifo => (
            "A read waits for the writes that its session asked for before. Off: it overtakes them.",
            "读要等本会话之前请求的写。关闭后读会抢先。",
        ),
        Rule::WatchFirst => (
            "A client hears its watch before any reply that shows the change. Off: after it.",
            "客户端先听到监听，再看到体现该变化的回答。关闭后顺序相反。",
        ),
    };
    lang.pick(en, zh)
}

/// The names of the rules that are switched off.
#[must_use]
pub fn rules_off(rules: Rules, lang: Lang) -> String {
    let mut out = String::new();
    for off in rules.off() {
        if !out.is_empty() {
            out.push_str(lang.pick(", ", "、"));
        }
        out.push_str(rule(off, lang));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_has_a_name_and_a_sentence_that_says_what_is_without_it() {
        for r in Rule::ALL {
            assert!(rule_sentence(r, Lang::En).contains("Off: "), "{r:?}");
            assert!(rule_sentence(r, Lang::Zh).contains("关闭后"), "{r:?}");
            assert_ne!(rule(r, Lang::En), rule(r, Lang::Zh));
        }
        let two = Rules::ALL.without(Rule::Quorum).without(Rule::Truncate);
        assert_eq!(rules_off(two, Lang::En), "A whole quorum, TRUNC cuts");
        assert_eq!(rules_off(two, Lang::Zh), "完整的法定人数、TRUNC 要截断");
    }
}

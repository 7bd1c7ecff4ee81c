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

/// What a property says. In English the core says it.
#[must_use]
pub fn property<'a>(name: &str, english: &'a str, lang: Lang) -> &'a str {
    if lang == Lang::En {
        return english;
    }
    match name {
        "vote-order" => {
            "寻找领导者的服务器当且仅当对方的选票更好时才改投：peerEpoch 更高；或相同而 zxid 更高；或都相同而编号更大。"
        }
        "leadership" => "一个纪元至多有一个领导者，永远如此。",
        "epochs" => "服务器的纪元从不后退，崩溃也不例外；它也从不声称拥有未曾接受的纪元的历史。",
        "durable-acks" => "确认离开服务器时，它所确认的一切都已在该服务器的磁盘上，崩溃也夺不走。",
        "no-gaps" => "日志中没有缺口：每个事务都紧跟在它的前一个之后。",
        "synced-prefix" => "完成同步的跟随者拥有领导者的历史，此后其日志与领导者一致地延伸。",
        "commit-quorum" => "已提交的事务从提交那一刻起就在法定人数的磁盘上，永远如此。",
        "leader-completeness" => "领导者开始时拥有之前各纪元提交的一切。",
        "integrity" => "服务器交付的每个事务都由某个领导者原样提议过，并且只交付一次。",
        "total-order" => "所有服务器以相同的顺序交付事务。",
        "local-primary-order" => {
            "交付了某个事务的服务器，已按领导者的顺序交付了它之前提议的全部事务。"
        }
        "global-primary-order" => "较早纪元提议的事务先于较晚纪元提议的事务交付。",
        "primary-integrity" => "领导者开始提议之前，已交付之前各纪元中将被交付的一切。",
        "delivered-stays" => "服务器交付过的内容从不丢失：崩溃、TRUNC、SNAP 都不例外。",
        "acknowledged-writes" => {
            "客户端得到答复的写入存在于之后每个领导者的历史中，而且得到的正是它自己那次写入的答复。"
        }
        "digests" => "应用了相同事务的服务器有相同的树，也就是领导者预测的那棵。",
        "session-fifo" => "会话的回答按请求的顺序到来，一个不多，一个不少。",
        "session-order" => "会话的写入按请求的顺序应用，读取看得到它之前的写入。",
        "watch-order" => "变化会触发等待它的监听，客户端先听到监听，再看到体现该变化的回答。",
        "monotonic-reads" => "客户端从不看到比以前更旧的状态，不论它问哪台服务器。",
        _ => english,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_property_is_told_in_both_languages() {
        for p in zabscope_core::sim::Checker::all().properties() {
            assert_eq!(property(p.name, p.sentence, Lang::En), p.sentence);
            let zh = property(p.name, p.sentence, Lang::Zh);
            assert!(zh.ends_with('。'), "{}: {zh}", p.name);
        }
    }

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

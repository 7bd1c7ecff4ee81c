//! What shows that an invariant does not hold, in Chinese, and where invariants and rules come from. The core
//! says it in English, phrase by phrase. Names of the protocol, documents and issues stay.

use super::{Lang, names};
use zabscope_core::id::Zxid;

/// Whole phrases: names of values, and values that are words.
const PHRASES: &[(&str, &str)] = &[
    ("a client was told of", "客户端得知完成的是"),
    ("a reply", "一个回答"),
    ("a watch event", "一个监听事件"),
    ("ACK", "ACK"),
    ("ACK of NEWLEADER", "对 NEWLEADER 的 ACK"),
    ("ACKEPOCH", "ACKEPOCH"),
    ("LEADERINFO", "LEADERINFO"),
    ("acceptedEpoch at its start", "启动时的 acceptedEpoch"),
    ("acceptedEpoch is", "acceptedEpoch 是"),
    ("acceptedEpoch on disk", "磁盘上的 acceptedEpoch"),
    ("acceptedEpoch was", "acceptedEpoch 原为"),
    ("acknowledges the history of epoch", "确认了历史，纪元"),
    ("after", "在它之后"),
    ("after xid", "之前的 xid"),
    ("and becomes", "变成"),
    ("and cuts its log after", "却把日志截到"),
    ("and delivers", "却交付"),
    ("and gets a tree that ends with", "却得到一棵树，止于"),
    ("and now sees", "现在看到"),
    ("and now server", "现在又是服务器"),
    ("and serves with", "却开始服务，历史止于"),
    ("and starts with", "启动时却只有"),
    ("and takes it over", "改投它"),
    ("answers session", "回答会话"),
    ("answers the write with xid", "回答写操作，xid"),
    ("applies", "应用"),
    ("as follower of epoch", "作为跟随者，纪元"),
    ("as server delivers it", "交付它的服务器"),
    ("at server", "在服务器"),
    ("at zxid", "其 zxid"),
    ("before", "之前"),
    ("before it hears of", "却还没听到"),
    ("began to lead epoch", "它开始领导的纪元"),
    ("but the leader of epoch", "但那个领导者的纪元是"),
    ("by", "起因于"),
    ("by nobody", "无人提出"),
    ("client", "客户端"),
    ("comes", "接着是"),
    ("committed", "已提交"),
    ("committed in epoch", "提交它的纪元"),
    ("currentEpoch at its start", "启动时的 currentEpoch"),
    ("currentEpoch on disk", "磁盘上的 currentEpoch"),
    ("currentEpoch was", "currentEpoch 原为"),
    ("delivered", "交付的是"),
    ("delivered it right after", "紧接在它之后交付"),
    ("delivers", "交付"),
    ("epoch", "纪元"),
    ("first by server", "先是服务器"),
    ("for epoch", "纪元"),
    ("gets from server", "收到回答，来自服务器"),
    ("had", "得到"),
    ("had acknowledged", "曾确认"),
    ("had delivered", "曾交付"),
    ("had delivered only up to", "只交付到"),
    ("had seen", "曾看到"),
    ("has digest", "摘要是"),
    ("has instead", "却有"),
    ("has zxid", "得到 zxid"),
    ("hears from server", "听到消息，来自服务器"),
    ("in", "见于"),
    ("in the history with which server", "查看其历史的服务器"),
    ("in the log of server", "在日志里，服务器"),
    ("is on the disks of servers", "在磁盘上有它的服务器"),
    ("its leader was server", "它的领导者是服务器"),
    ("its leader's history has", "领导者的历史里是"),
    ("logs", "记录"),
    ("no", "否"),
    ("none", "无"),
    ("not", "没有"),
    ("not declared complete", "尚未宣布完整"),
    ("nothing", "什么也没有"),
    ("now by server", "现在是服务器"),
    ("of", "内容"),
    ("of session", "会话"),
    ("on its disk is epoch", "它磁盘上的纪元"),
    ("own ACK", "自己的 ACK"),
    ("own ACK of NEWLEADER", "自己对 NEWLEADER 的 ACK"),
    ("proposed twice", "提出了两次"),
    ("request", "请求"),
    ("right after", "紧接在"),
    ("rings", "触发"),
    ("sends or counts its", "发出或计入它的"),
    ("server", "服务器"),
    ("that history ends with", "那段历史止于"),
    ("that zxid is on its disk", "该 zxid 在它的磁盘上"),
    ("the leader of epoch", "领导者的纪元"),
    ("the leader's history ends with", "领导者的历史止于"),
    ("the reply to", "所回答的是"),
    ("the watch of connection", "监听所属的连接"),
    ("the write with xid", "写操作的 xid"),
    ("there is instead", "那里却是"),
    ("transaction", "事务"),
    ("when it began to propose", "那时它开始提出提案"),
    ("where its leader has", "而领导者那里是"),
    ("where its own log has", "而它自己的日志里是"),
    ("where server", "而服务器"),
    ("where the leader predicted", "而领导者预测的是"),
    ("which changes", "改变了"),
    ("which is a quorum", "它们是法定人数"),
    ("which is in its log", "在它的日志里"),
    ("which it has", "而这段历史它"),
    (
        "which its leader proposed right after",
        "而领导者在它之前提出的是",
    ),
    ("which rang for it next", "是下一个为它触发的"),
    ("which shows", "它体现到"),
    ("which speaks for", "所代表的是"),
    ("which votes for", "投给"),
    ("which was proposed", "它的提出者"),
    ("while the oldest open request is", "而最早未答的请求是"),
    ("whose leader is server", "其领导者是服务器"),
    ("with its history up to", "历史到"),
    ("with the result of", "用的结果来自"),
    ("yes", "是"),
];

/// Words within a value.
const WORDS: [(&str, &str); 4] = [
    ("by", "由"),
    ("epoch", "纪元"),
    ("server", "服务器"),
    ("session", "会话"),
];

/// Parts of a source.
const PARTS: [(&str, &str); 11] = [
    ("ZAB paper, section 3", "ZAB 论文，第 3 节"),
    ("ZAB paper, phase ", "ZAB 论文，阶段 "),
    ("trap ", "陷阱 "),
    ("ZooKeeper's guarantee", "ZooKeeper 的保证："),
    ("reliability", "可靠性"),
    ("sequential consistency", "顺序一致性"),
    ("single system image", "单一系统映像"),
    (", quantified with \"for all\"", "，量词为“对所有”"),
    (
        "a commit needs the ACKs of a quorum, and an ACK means disk",
        "提交需要法定人数的 ACK，而 ACK 意味着已写盘",
    ),
    (
        "a server's delivered sequence never shrinks",
        "服务器交付的序列从不变短",
    ),
    (
        "in the log of every later established leader",
        "在之后每位确立的领导者的日志里",
    ),
];

fn found<'a>(table: &[(&str, &'a str)], english: &str) -> Option<&'a str> {
    let found = table.iter().find(|(en, _)| *en == english);
    found.map(|(_, zh)| *zh)
}

/// The name of a value.
#[must_use]
pub fn name(english: &str, lang: Lang) -> &str {
    match lang {
        Lang::En => english,
        Lang::Zh => found(PHRASES, english).unwrap_or(english),
    }
}

/// A value under this name: with zxids as they are written everywhere on the page.
#[must_use]
pub fn value(of: &str, english: &str, lang: Lang) -> String {
    if let (Lang::Zh, Some(zh)) = (lang, found(PHRASES, english)) {
        return zh.to_owned();
    }
    let mut out = String::new();
    let mut session = of.contains("session");
    for (at, word) in english.split(' ').enumerate() {
        if at > 0 {
            out.push(' ');
        }
        let bare = word.trim_matches(['(', ')', ',', ':']);
        let zxid = bare
            .strip_prefix("0x")
            .filter(|_| !session)
            .and_then(|hex| i64::from_str_radix(hex, 16).ok());
        let said = match zxid {
            Some(zxid) => names::zxid(Zxid(zxid)),
            None if lang == Lang::Zh => found(&WORDS, bare).unwrap_or(bare).to_owned(),
            None => bare.to_owned(),
        };
        out.push_str(&word.replacen(bare, &said, usize::from(!bare.is_empty())));
        session = bare == "session";
    }
    out
}

/// Where an invariant or a rule comes from.
#[must_use]
pub fn source(english: &str, lang: Lang) -> String {
    let mut out = english.to_owned();
    if lang == Lang::Zh {
        for (en, zh) in PARTS {
            out = out.replace(en, zh);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use zabscope_core::{rules::Rule, sim::Checker};

    macro_rules! sources {
        ($($name:literal)*) => {
            [$(($name, include_str!(concat!("../../../core/src/sim/invariant/", $name, ".rs")))),*]
        };
    }

    /// All that tells what was compared.
    const FILES: [(&str, &str); 21] = sources!(
        "delivery" "acknowledged_writes" "commit_quorum" "delivered_stays" "digests" "durable_acks" "epochs"
        "global_primary_order" "integrity" "leader_completeness" "leadership" "local_primary_order"
        "monotonic_reads" "no_gaps" "primary_integrity" "session_fifo" "session_order" "synced_prefix"
        "total_order" "vote_order" "watch_order"
    );

    /// The literals of a file, without its tests, its comments and what it says of itself.
    fn literals(text: &'static str) -> Vec<&'static str> {
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        let own: Vec<_> = ["fn name(", "fn sentence(", "fn source("]
            .into_iter()
            .filter_map(|f| code.find(f))
            .collect();
        let mut all = Vec::new();
        let mut rest = code;
        while let Some(begin) = rest.find('"') {
            let at = code.len() - rest.len() + begin;
            let line = code[..at].rfind('\n').map_or(0, |n| n + 1);
            let comment = code[line..at].contains("//");
            let body = &rest[begin + 1..];
            let mut end = body.find('"').expect("it ends");
            while body[..end].ends_with('\\') {
                end += 1 + body[end + 1..].find('"').expect("it ends");
            }
            let about_itself = own
                .iter()
                .any(|f| *f < at && !code[*f..at].contains("\n    }"));
            if !comment && !about_itself {
                all.push(&body[..end]);
            }
            rest = &body[end + 1..];
        }
        all
    }

    #[test]
    fn every_invariant_s_file_is_read() {
        let modules = include_str!("../../../core/src/sim/invariant.rs");
        let there: BTreeSet<_> = modules
            .lines()
            .filter_map(|l| l.trim_start_matches("pub ").strip_prefix("mod "))
            .filter_map(|l| l.strip_suffix(';'))
            .filter(|m| !["look", "testing"].contains(m))
            .collect();
        assert_eq!(there, FILES.iter().map(|(name, _)| *name).collect());
    }

    #[test]
    fn every_value_that_shows_a_violation_is_there_in_chinese() {
        let mut seen = BTreeSet::new();
        for (file, text) in FILES {
            for literal in literals(text) {
                if !literal.contains('{') {
                    let zh = found(PHRASES, literal);
                    assert!(
                        zh.is_some() || literal.trim().is_empty(),
                        "{file}: \"{literal}\""
                    );
                    seen.insert(literal);
                    continue;
                }
                // What is put together: its own words, one by one.
                let own: String = literal
                    .split('{')
                    .map(|part| part.split_once('}').map_or(part, |(_, own)| own))
                    .collect::<Vec<_>>()
                    .join(" ");
                for word in own.split(|c: char| !c.is_ascii_alphabetic()) {
                    let known = word.is_empty() || word == "xid" || found(&WORDS, word).is_some();
                    assert!(known, "{file}: \"{word}\" in \"{literal}\"");
                }
            }
        }
        assert!(seen.len() > 90, "{}", seen.len());
        for (en, zh) in PHRASES {
            assert!(seen.contains(en), "nobody says \"{en}\" ({zh})");
        }
    }

    #[test]
    fn values_have_zxids_as_the_page_writes_them_and_sessions_as_they_are() {
        let txn = "0x200000003 (session 0x17, xid 7, SetData /a)";
        let en = "2·03 (session 0x17, xid 7, SetData /a)";
        assert_eq!(value("delivers", txn, Lang::En), en);
        let zh = "2·03 (会话 0x17, xid 7, SetData /a)";
        assert_eq!(value("delivers", txn, Lang::Zh), zh);
        let by = format!("by server 2: {txn}");
        let zh = format!("由 服务器 2: {zh}");
        assert_eq!(value("which was proposed", &by, Lang::Zh), zh);
        assert_eq!(value("answers session", "0x17", Lang::Zh), "0x17");
        assert_eq!(value("which is a quorum", "no", Lang::Zh), "否");
        assert_eq!(value("which is a quorum", "no", Lang::En), "no");
        assert_eq!(value("when it began to propose", "", Lang::Zh), "");
    }

    #[test]
    fn a_source_s_own_words_are_there_in_chinese() {
        let mut all: Vec<&str> = Rule::ALL.map(Rule::source).to_vec();
        let (ensemble, alone) = (Checker::all(), Checker::standalone());
        all.extend(
            ensemble
                .properties()
                .chain(alone.properties())
                .map(|p| p.source),
        );
        for english in all {
            assert_eq!(source(english, Lang::En), english);
            let zh = source(english, Lang::Zh);
            let own = zh
                .split(|c: char| !(c.is_ascii_alphanumeric() || "._".contains(c)))
                .find(|word| word.starts_with(|c: char| c.is_ascii_lowercase()));
            assert_eq!(own, None, "{zh}");
        }
    }
}

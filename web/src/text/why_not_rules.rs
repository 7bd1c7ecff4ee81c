//! The invariants in Chinese, by name. Their English stands beside each property in the core.

use super::Lang;

/// What a property says. In English the core says it.
#[must_use]
pub fn property<'a>(name: &str, english: &'a str, lang: Lang) -> &'a str {
    match lang {
        Lang::En => english,
        Lang::Zh => chinese(name).unwrap_or(english),
    }
}

/// A property's name for people: kebab-case in English as tests and seeds name it.
#[must_use]
pub fn chinese(name: &str) -> Option<&'static str> {
    Some(match name {
        "leadership" => "一个纪元最多只有一位领导者，永远如此。",
        "epochs" => "服务器的纪元从不后退，崩溃也不例外；它也从不声称拥有尚未接受的纪元的历史。",
        "durable-acks" => {
            "确认离开服务器时，它所代表的一切都已在该服务器的磁盘上，任何崩溃都带不走。"
        }
        "no-gaps" => "每份日志在一个纪元内，zxid 逐一加一，纪元从 1 开始。",
        "synced-prefix" => "同步完成的跟随者拥有领导者的历史，其日志的延续与领导者一致。",
        "commit-quorum" => "已提交的内容从提交那一刻起永远在法定人数的磁盘上。",
        "leader-completeness" => "领导者开始时拥有之前各纪元提交的一切。",
        "integrity" => "服务器交付的每个事务都由某位领导者提出，内容一致，且只交付一次。",
        "total-order" => {
            "所有服务器以同样的顺序交付同样的事务；落后者交付的是其他服务器的开头部分。"
        }
        "local-primary-order" => {
            "谁交付了一个事务，就已按领导者的顺序交付了该领导者在它之前提出的全部事务。"
        }
        "global-primary-order" => "较早纪元提出的事务先于较晚纪元提出的事务交付。",
        "primary-integrity" => "领导者提出提案之前，已交付较早纪元中任何服务器会交付的一切。",
        "delivered-stays" => "服务器已交付的从不丢失：崩溃、TRUNC、SNAP 都不例外。",
        "acknowledged-writes" => {
            "客户端被告知完成的写入在之后每位领导者的历史中；而且被告知的是它自己的写入。"
        }
        "digests" => "应用了相同事务的服务器拥有相同的树，并且就是领导者预测的那棵。",
        "session-fifo" => "客户端按请求的顺序得到回答。",
        "session-order" => "同一会话的写入按客户端请求的顺序生效，即使它换了服务器。",
        "watch-order" => "变化会触发等待它的监听，客户端先听到它，再收到体现该变化的回答。",
        "monotonic-reads" => "不管问哪台服务器，客户端都不会看到比以前更旧的状态。",
        "vote-order" => {
            "寻找领导者的服务器只在对方的选票更好时改投：peerEpoch 更大；相同则比 zxid；再相同则比编号。"
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use zabscope_core::sim::Checker;

    #[test]
    fn every_invariant_is_there_in_chinese() {
        for p in Checker::all()
            .properties()
            .chain(Checker::standalone().properties())
        {
            let zh = chinese(p.name).unwrap_or_default();
            assert!(zh.ends_with('。'), "{}: {zh}", p.name);
            assert_eq!(property(p.name, p.sentence, Lang::Zh), zh);
            assert_eq!(property(p.name, p.sentence, Lang::En), p.sentence);
        }
        assert_eq!(chinese("nothing"), None);
    }
}

//! Reasons: what an election began with, what is waited for, why somebody was refused.

use super::{
    Lang, NoContext,
    say::{
        Arg::{E, Error, N, Server, T, Time, V, Z},
        Pen,
    },
};
use zabscope_core::{
    peer::{
        WaitReason,
        event::{DropReason, ElectionReason, IgnoreReason, Phase, RefuseReason},
    },
    sim::{GaveUpBecause, LostBecause},
};

/// The name of a phase.
#[must_use]
pub const fn phase(phase: Phase, lang: Lang) -> &'static str {
    match phase {
        Phase::Election => lang.pick("election", "选举"),
        Phase::Discovery => lang.pick("discovery", "发现"),
        Phase::Synchronisation => lang.pick("synchronisation", "同步"),
        Phase::Broadcast => lang.pick("broadcast", "广播"),
    }
}

/// What a server waits for, after `It waits`: "for a better vote, at most 200 ms".
///
/// `need` is what a quorum needs; pass the ensemble's [`Quorum::smallest`].
///
/// [`Quorum::smallest`]: zabscope_core::quorum::Quorum::smallest
#[must_use]
pub fn wait(reason: WaitReason, need: u64, lang: Lang) -> String {
    let mut p = Pen::new(lang, &NoContext);
    match reason {
        WaitReason::RepeatVote => p.say(
            "Waits for votes. If none comes, it sends its own again and waits twice as long.",
            "等待选票。如果没有收到，就重发自己的选票，并把等待时间加倍。",
            &[],
        ),
        WaitReason::FinalizeWait => p.say(
            "Has a quorum of votes, and waits a moment for a better one.",
            "选票已达到法定人数，再等片刻，看有没有更好的选票。",
            &[],
        ),
        WaitReason::RetryConnect => p.say(
            "Could not reach the leader, and waits before it tries again.",
            "没能连上领导者，等一会儿再试。",
            &[],
        ),
        WaitReason::ObserverRest => p.say(
            "Has lost its leader, and waits a moment before it looks for another: not all observers are to come at once.",
            "失去了领导者，稍等片刻再去寻找：观察者不应同时涌来。",
            &[],
        ),
        WaitReason::LearnerInitLimit => p.say(
            "Waits until the leader has brought it up to date, at most initLimit.",
            "等待领导者让它跟上进度，最多 initLimit。",
            &[],
        ),
        WaitReason::LearnerSyncLimit => p.say(
            "Listens to the leader. If it hears nothing for syncLimit, it looks for a new one.",
            "正在等待领导者的消息。如果在 syncLimit 内什么都没听到，就重新寻找领导者。",
            &[],
        ),
        WaitReason::QuorumOfLearnerInfo => p.say(
            "Waits until {0} servers, itself included, have told their acceptedEpoch, at most initLimit.",
            "等待包括自己在内的 {0} 台服务器报告 acceptedEpoch，最多 initLimit。",
            &[N(need)],
        ),
        WaitReason::QuorumOfEpochAcks => p.say(
            "Waits until {0} servers, itself included, have accepted the new epoch, at most initLimit.",
            "等待包括自己在内的 {0} 台服务器接受新纪元，最多 initLimit。",
            &[N(need)],
        ),
        WaitReason::QuorumOfNewLeaderAcks => p.say(
            "Waits until {0} servers, itself included, have its history on disk, at most initLimit.",
            "等待包括自己在内的 {0} 台服务器把它的历史写到磁盘，最多 initLimit。",
            &[N(need)],
        ),
        WaitReason::HalfTick => p.say(
            "Leads. Every half tick it asks its learners whether they are there.",
            "正在领导。每半个 tick 问一次学习者是否还在。",
            &[],
        ),
        WaitReason::SessionExpiry => p.say(
            "Watches the clocks of the sessions: which one was silent for too long?",
            "看着各个会话的时钟：哪一个沉默太久了？",
            &[],
        ),
        WaitReason::ReadOnlyService => p.say(
            "Looks for a leader. If that takes long it will answer reads meanwhile.",
            "正在寻找领导者。如果太久，它会在此期间回答读操作。",
            &[],
        ),
        WaitReason::ContainerCheck => p.say(
            "Waits for the next look at empty containers and outdated TTL znodes.",
            "等待下一次检查空容器和过期的 TTL 节点。",
            &[],
        ),
    }
    p.finish().text
}

/// What a timer was for, in a few words: "to repeat its vote".
pub(super) const fn timer(reason: WaitReason, lang: Lang) -> &'static str {
    match reason {
        WaitReason::RepeatVote => lang.pick("no vote came in time", "没有及时收到选票"),
        WaitReason::FinalizeWait => lang.pick(
            "the last wait for a better vote is over",
            "等待更好选票的时间到了",
        ),
        WaitReason::RetryConnect => {
            lang.pick("time to call the leader again", "该再次呼叫领导者了")
        }
        WaitReason::ObserverRest => {
            lang.pick("time to look for a leader again", "该再次寻找领导者了")
        }
        WaitReason::LearnerInitLimit => lang.pick(
            "the leader did not bring it up to date within initLimit",
            "领导者没有在 initLimit 内让它跟上",
        ),
        WaitReason::LearnerSyncLimit => lang.pick(
            "syncLimit for the leader's silence",
            "领导者沉默的期限 syncLimit",
        ),
        WaitReason::QuorumOfLearnerInfo => lang.pick(
            "initLimit for a quorum of acceptedEpochs",
            "等待法定人数报告 acceptedEpoch 的 initLimit",
        ),
        WaitReason::QuorumOfEpochAcks => lang.pick(
            "initLimit for a quorum that accepts the epoch",
            "等待法定人数接受纪元的 initLimit",
        ),
        WaitReason::QuorumOfNewLeaderAcks => lang.pick(
            "initLimit for a quorum that has the history",
            "等待法定人数拥有历史的 initLimit",
        ),
        WaitReason::HalfTick => lang.pick("half a tick has passed", "过了半个 tick"),
        WaitReason::SessionExpiry => {
            lang.pick("time to look for expired sessions", "该检查过期的会话了")
        }
        WaitReason::ReadOnlyService => lang.pick(
            "no leader for long enough to begin to serve reads",
            "足够久没有领导者，可以开始只读服务",
        ),
        WaitReason::ContainerCheck => lang.pick(
            "time to look for empty containers and outdated TTL znodes",
            "该检查空容器和过期的 TTL 节点了",
        ),
    }
}

/// Why an election began, or why a server stepped down: a clause.
pub(super) fn election(p: &mut Pen<'_>, because: &ElectionReason) {
    match because {
        ElectionReason::Started => p.say("it has just started", "它刚刚启动", &[]),
        ElectionReason::LeaderConnectionLost { leader } => p.say(
            "the connection to its leader, {0}, broke",
            "与领导者{0} 的连接断了",
            &[Server(*leader)],
        ),
        ElectionReason::LeaderSilent { leader, waited } => p.say(
            "it heard nothing from its leader, {0}, for {1}",
            "已有 {1} 没有听到领导者{0} 的消息",
            &[Server(*leader), Time(*waited)],
        ),
        ElectionReason::VoterLooksAgain { voter, waited } => p.say(
            "no quorum has joined it for {1}, and {0}, which elected it, looks for a leader again",
            "{1} 内没有达到法定人数的服务器加入，而选举它的{0} 又在寻找领导者",
            &[Server(*voter), Time(*waited)],
        ),
        ElectionReason::LeaderUnreachable { leader, attempts } => p.say(
            "it could not reach its leader, {0}, in {1} {1:attempt|attempts}",
            "尝试 {1} 次都没能连上领导者{0}",
            &[Server(*leader), N(u64::from(*attempts))],
        ),
        ElectionReason::LeaderStale {
            leader,
            offered,
            accepted,
        } => p.say(
            "{0} offered epoch {1}, older than {2}, which it has accepted",
            "{0} 提出的纪元 {1} 比它已接受的 {2} 旧",
            &[Server(*leader), E(*offered), E(*accepted)],
        ),
        ElectionReason::LeaderBroke { leader, message } => p.say(
            "{0} sent {1}, which has no place here",
            "{0} 发来了不该在此出现的 {1}",
            &[Server(*leader), V(message.name())],
        ),
        ElectionReason::NoQuorumInTime { phase: which } => {
            let name = phase(*which, p.lang);
            p.say(
                "no quorum was there within initLimit (phase: {0})",
                "在 initLimit 内没有凑齐法定人数（阶段：{0}）",
                &[T(name)],
            );
        }
        ElectionReason::QuorumLost { in_time, need } => p.say(
            "only {0} {0:server is|servers are} in time, itself included, and a quorum needs {1}",
            "包括自己只有 {0} 台服务器按时响应，而法定人数是 {1}",
            &[N(u64::from(*in_time)), N(u64::from(*need))],
        ),
        ElectionReason::TruncationFailed { to, last } => p.say(
            "its log was to end at {0} and ends at {1}: what was before is purged, so it has no history",
            "它的日志本应止于 {0}，却止于 {1}：更早的已被清除，因此它没有历史",
            &[Z(*to), Z(*last)],
        ),
        ElectionReason::Restored { zxid } => p.say(
            "a snapshot was restored into it, as its state at {0}",
            "有人把一份快照恢复到了它上面，作为它在 {0} 时的状态",
            &[Z(*zxid)],
        ),
        ElectionReason::Reconfigured { version } => p.say(
            "the members of {0} hold now, and with them its role or its leader is another",
            "现在以 {0} 的成员为准，它的角色或领导者因此改变",
            &[Z(*version)],
        ),
        ElectionReason::FollowerMoreRecent {
            follower,
            epoch,
            zxid,
        } => p.say(
            "{0} has seen more than it has: epoch {1}, last zxid {2}",
            "{0} 见过的比它多：纪元 {1}，最后的 zxid 是 {2}",
            &[Server(*follower), E(*epoch), Z(*zxid)],
        ),
        ElectionReason::ZxidRollOver { zxid } => p.say(
            "the counter is used up at {0}: only a new epoch begins again at zero",
            "计数器到 {0} 已用完：只有新纪元才能从零开始",
            &[Z(*zxid)],
        ),
    }
}

/// Why a vote does not count: a clause.
pub(super) fn ignored(p: &mut Pen<'_>, because: &IgnoreReason) {
    match because {
        IgnoreReason::OlderRound { theirs, ours } => p.say(
            "it belongs to round {0}, and round {1} is on",
            "它属于第 {0} 轮，而现在是第 {1} 轮",
            &[N(*theirs), N(*ours)],
        ),
        IgnoreReason::SenderNoVoter => {
            p.say("the sender has no vote", "发送者没有投票权", &[]);
        }
        IgnoreReason::CandidateNoVoter => {
            p.say("its candidate is no voter", "它的候选者没有投票权", &[]);
        }
        IgnoreReason::Uninitialised => p.say(
            "who has lost its data has no say",
            "丢失了数据的服务器没有发言权",
            &[],
        ),
        IgnoreReason::NobodyLooking => p.say(
            "neither of the two is looking for a leader",
            "双方都不在寻找领导者",
            &[],
        ),
        IgnoreReason::SenderObserves => {
            p.say("an observer's word does not count", "观察者的话不算数", &[])
        }
    }
}

/// Why a client was refused: a clause.
pub(super) fn refused(p: &mut Pen<'_>, because: &RefuseReason) {
    match because {
        RefuseReason::NotServing => p.say(
            "it has no leader, or has not caught up with it yet",
            "它没有领导者，或者还没有跟上领导者",
            &[],
        ),
        RefuseReason::LeaderDoesNotServe => p.say(
            "it leads, and leaderServes is off",
            "它是领导者，而 leaderServes 已关闭",
            &[],
        ),
        RefuseReason::OnlyReads => p.say(
            "it has no quorum and only reads, and the client has not said that this is enough",
            "它没有法定人数，只能读，而客户端没有声明可以接受",
            &[],
        ),
        RefuseReason::SessionNeedsQuorum => p.say(
            "whether this session is alive only a quorum can say",
            "这个会话是否还在，只有法定人数才能确定",
            &[],
        ),
        RefuseReason::ClientAhead { seen, have } => p.say(
            "the client has seen {0}, this server has only {1}; the client would go back in time",
            "客户端已看到 {0}，这台服务器只有 {1}；客户端会回到过去",
            &[Z(*seen), Z(*have)],
        ),
        RefuseReason::WrongPassword => {
            p.say("the session's password is wrong", "会话密码不对", &[]);
        }
        RefuseReason::SessionUnknown => p.say(
            "there is no such session, or none any more",
            "没有这个会话，或者它已经不在了",
            &[],
        ),
        RefuseReason::SessionTakenOver => p.say(
            "another connection took the session over",
            "另一个连接接管了会话",
            &[],
        ),
        RefuseReason::SessionMoved => p.say(
            "the session is at another server now",
            "会话已转到另一台服务器",
            &[],
        ),
        RefuseReason::SessionClosed => {
            p.say("the session is closed or expired", "会话已关闭或过期", &[]);
        }
        RefuseReason::ServerStopsServing => p.say(
            "the server lost its leader or its quorum and serves nobody now",
            "服务器失去了领导者或法定人数，现在不对外提供服务",
            &[],
        ),
        RefuseReason::Protocol(code) => p.say(
            "the request broke the protocol: {0}",
            "请求违反了协议：{0}",
            &[Error(*code)],
        ),
    }
}

/// Why a connection between learner and leader was given up: a clause.
pub(super) fn dropped(p: &mut Pen<'_>, because: &DropReason) {
    match because {
        DropReason::NotLeading => p.say("it does not lead", "它不是领导者", &[]),
        DropReason::Replaced => p.say(
            "a newer connection of the same learner took its place",
            "同一学习者的新连接取代了它",
            &[],
        ),
        DropReason::NewerConfig => p.say(
            "the learner knows a newer membership than the leader",
            "学习者知道的成员配置比领导者新",
            &[],
        ),
        DropReason::Silent { waited } => p.say(
            "nothing was heard for {0}",
            "已有 {0} 没有听到消息",
            &[Time(*waited)],
        ),
        DropReason::ProposalUnacked { zxid } => p.say(
            "proposal {0} was not acknowledged within syncLimit",
            "提案 {0} 没有在 syncLimit 内得到确认",
            &[Z(*zxid)],
        ),
        DropReason::Unexpected(message) => p.say(
            "{0} has no place here",
            "{0} 不该在此出现",
            &[V(message.name())],
        ),
        DropReason::TooMuchWaits => p.say(
            "it asks faster than a quorum answers",
            "它的请求快于法定人数的应答",
            &[],
        ),
        DropReason::TooManySyncs => p.say(
            "the leader brings as many learners up to date as it may at a time",
            "领导者同时同步的学习者已达上限",
            &[],
        ),
        DropReason::SteppingDown => p.say("the leader steps down", "领导者卸任", &[]),
    }
}

/// Why a message never arrived: a clause.
pub(super) const fn lost(because: LostBecause, lang: Lang) -> &'static str {
    match because {
        LostBecause::LinkCut => lang.pick("the link is cut", "链路被切断"),
        LostBecause::ReceiverDown => lang.pick("the receiver is down", "接收者已停机"),
        LostBecause::SenderDown => lang.pick("the sender went down", "发送者已停机"),
        LostBecause::ConnectionClosed => lang.pick("the connection was closed", "连接已关闭"),
        LostBecause::ReplacedByNewerVote => {
            lang.pick("a newer vote took its place", "更新的选票取代了它")
        }
    }
}

/// Why a client's connection ended: a clause.
pub(super) fn gave_up(p: &mut Pen<'_>, because: &GaveUpBecause) {
    match because {
        GaveUpBecause::Refused => p.say("the server is down", "服务器已停机", &[]),
        GaveUpBecause::ConnectTimeout { waited } => p.say(
            "no answer to its connect request within {0}",
            "连接请求在 {0} 内没有得到回答",
            &[Time(*waited)],
        ),
        GaveUpBecause::Silent { waited } => p.say(
            "not a byte came for {0}, two thirds of the session time-out",
            "已有 {0} 没有收到任何字节，超过会话超时的三分之二",
            &[Time(*waited)],
        ),
        GaveUpBecause::ClosedByServer => p.say("the server closed it", "服务器关闭了连接", &[]),
        GaveUpBecause::ServerCrashed => p.say("the server crashed", "服务器崩溃了", &[]),
        GaveUpBecause::Dropped => p.say("you broke it", "你断开了连接", &[]),
        GaveUpBecause::Moves => p.say("it goes to another server", "它要去另一台服务器", &[]),
        GaveUpBecause::ReplyOutOfOrder { xid } => p.say(
            "reply {0} does not answer its oldest open request",
            "回复 {0} 对应的不是最早的未完成请求",
            &[super::say::Arg::I(i64::from(*xid))],
        ),
    }
}

//! A sentence for every event of a server.

use super::{
    Tone, names, reason,
    say::{
        Arg::{Client, E, Error, Id, Ms, N, Server, Session, T, Time, V, Voted, Z},
        Pen,
    },
};
use zabscope_core::{
    id::{ServerId, SessionId, Zxid},
    message::{MessageKind, ServerState, Vote},
    peer::event::{
        DecidedBy, EventKind as K, IgnoreReason, OpKind, SyncMode, SyncRule, TxnKind, VoteField,
    },
};

const fn n(n: u32) -> super::say::Arg<'static> {
    N(n as u64)
}

#[allow(clippy::too_many_lines)] // one arm for each kind, in the order of the protocol
pub(super) fn say(p: &mut Pen<'_>, me: ServerId, kind: &K) {
    let me_ = Server(me);
    match kind {
        // ---- what reached the server ---------------------------------------------------------
        K::Received {
            from,
            message,
            zxid,
        } => received(p, me, *from, *message, *zxid),
        K::TimerFired { reason } => {
            let what = reason::timer(*reason, p.lang);
            p.say("A timer of {0} fires: {1}.", "{0} 的定时器到点：{1}。", &[me_, T(what)]);
        }
        K::LinkUp { with, conn: _ } => p.say(
            "{0} and {1} have a connection for the protocol.",
            "{0} 与{1} 之间建立了协议连接。",
            &[me_, Server(*with)],
        ),
        K::LinkDown { with, conn: _ } => {
            p.tone(Tone::Fault);
            match with {
                Some(with) => p.say(
                    "{0} learns that its connection with {1} is gone; what was under way on it is lost.",
                    "{0} 得知它与{1} 的连接断了；途中的消息都丢失。",
                    &[me_, Server(*with)],
                ),
                None => p.say(
                    "A connection that {0} had given up already is gone.",
                    "{0} 早已放弃的一个连接断了。",
                    &[me_],
                ),
            }
        }
        K::ConnectFailed { to } => {
            p.tone(Tone::Fault);
            p.say(
                "{0} could not reach {1}.",
                "{0} 没能连上{1}。",
                &[me_, Server(*to)],
            );
        }
        K::DiskSynced { durable } => p.say(
            "The disk of {0} has everything up to {1}: a crash can't take it away any more.",
            "{0} 的磁盘已写到 {1}：崩溃也不会再丢失它们。",
            &[me_, Z(*durable)],
        ),
        K::DiskRead { found } => p.say(
            "{0} read its log on disk for a learner and found {1} {1:transaction|transactions}.",
            "{0} 为一个学习者读取磁盘日志，找到 {1} 个事务。",
            &[me_, n(*found)],
        ),
        K::ClientArrived { client, session } => match *session {
            SessionId::NONE => p.say(
                "{1} connects to {0} and wants a new session.",
                "{1} 连接到{0}，想要一个新会话。",
                &[me_, Client(*client)],
            ),
            known => p.say(
                "{1} connects to {0} and brings {2} with it.",
                "{1} 连接到{0}，带着{2}。",
                &[me_, Client(*client), Session(known)],
            ),
        },
        K::RequestReceived {
            client,
            session: _,
            xid: _,
            op,
        } => p.say(
            "{0} gets a request from {1}: {2}.",
            "{0} 收到{1} 的请求：{2}。",
            &[me_, Client(*client), V(names::op(*op))],
        ),
        K::ClientLeft { client, session } => match session {
            Some(_) => p.say(
                "{0} lost the connection to {1}. The session lives on until it expires.",
                "{0} 与{1} 的连接断了。会话继续存在，直到过期。",
                &[me_, Client(*client)],
            ),
            None => p.say(
                "{0} lost the connection to {1}, which had no session here yet.",
                "{0} 与{1} 的连接断了；它在这里还没有会话。",
                &[me_, Client(*client)],
            ),
        },

        // ---- start and election --------------------------------------------------------------
        K::Started {
            last_zxid,
            current_epoch,
            accepted_epoch,
        } => match *last_zxid {
            Zxid::ZERO => p.say(
                "{0} starts. Its disk is empty: no transaction, epoch {1}.",
                "{0} 启动。磁盘是空的：没有事务，纪元 {1}。",
                &[me_, E(*current_epoch)],
            ),
            Zxid::UNINITIALISED => p.say(
                "{0} starts without any data. It has no say in elections until a leader has filled it again.",
                "{0} 启动时没有任何数据。在领导者把它补齐之前，它在选举中没有发言权。",
                &[me_],
            ),
            z => p.say(
                "{0} starts. From its disk it knows: last zxid {1}, currentEpoch {2}, acceptedEpoch {3}.",
                "{0} 启动。它从磁盘得知：最后的 zxid 是 {1}，currentEpoch 为 {2}，acceptedEpoch 为 {3}。",
                &[me_, Z(z), E(*current_epoch), E(*accepted_epoch)],
            ),
        },
        K::ElectionStarted {
            round,
            vote,
            because,
        } => {
            let why = p.phrase(|p| reason::election(p, because));
            if vote.leader == ServerId::NOBODY {
                p.say(
                    "{0} looks for a leader, round {1}: {2}. It is no candidate and asks who leads.",
                    "{0} 开始寻找领导者，第 {1} 轮：{2}。它不是候选者，只是询问谁在领导。",
                    &[me_, N(*round), T(&why)],
                );
            } else {
                p.say(
                    "{0} looks for a leader, round {1}: {2}. It votes for itself first, with epoch {3} and last zxid {4}.",
                    "{0} 开始寻找领导者，第 {1} 轮：{2}。它先投自己一票：纪元 {3}，最后的 zxid 是 {4}。",
                    &[me_, N(*round), T(&why), E(vote.epoch), Z(vote.zxid)],
                );
            }
        }
        K::VoteCompared {
            from,
            theirs,
            ours,
            by,
            changes,
        } => compared(p, me, *from, *theirs, *ours, *by, *changes),
        K::VoteChanged {
            old,
            new,
            from: _,
            by,
        } => changed(p, me, *old, *new, *by),
        K::RoundAdvanced {
            old,
            new,
            from,
            vote,
        } => p.say(
            "{0} hears from {3} that round {2} is on. It leaves round {1}, forgets the votes counted so far, and goes on with a vote for {4}.",
            "{0} 从{3} 得知已是第 {2} 轮。它离开第 {1} 轮，清空已计的选票，接着投票给{4}。",
            &[me_, N(*old), N(*new), Server(*from), Voted(vote.leader, me)],
        ),
        K::VoteIgnored {
            from,
            vote,
            because,
        } => {
            let why = p.phrase(|p| reason::ignored(p, because));
            match because {
                IgnoreReason::SenderNoVoter => p.say(
                    "{0} does not count the word of {1}: {2}.",
                    "{0} 不计{1} 的话：{2}。",
                    &[me_, Server(*from), T(&why)],
                ),
                IgnoreReason::OlderRound { .. }
                | IgnoreReason::CandidateNoVoter
                | IgnoreReason::Uninitialised
                | IgnoreReason::NobodyLooking
                | IgnoreReason::SenderObserves => p.say(
                    "{0} does not count the vote of {1} for {2}: {3}.",
                    "{0} 不计{1} 投给{2} 的选票：{3}。",
                    &[me_, Server(*from), Server(vote.leader), T(&why)],
                ),
            }
        }
        K::VoteRecorded {
            from,
            vote,
            state,
            supporters,
            need,
        } => {
            match state {
                ServerState::Looking if *from == me => p.say(
                    "{0} enters its own vote, for {1}.",
                    "{0} 记下自己的一票，投给{1}。",
                    &[me_, Voted(vote.leader, me)],
                ),
                ServerState::Looking => p.say(
                    "{0} enters the vote of {1} for {2}.",
                    "{0} 记下{1} 的一票，投给{2}。",
                    &[me_, Server(*from), Server(vote.leader)],
                ),
                ServerState::Leading => p.say(
                    "{0} hears that {1} leads already.",
                    "{0} 听说{1} 已经在领导。",
                    &[me_, Server(*from)],
                ),
                ServerState::Following | ServerState::Observing => p.say(
                    "{0} hears that {1} follows {2} already.",
                    "{0} 听说{1} 已经在跟随{2}。",
                    &[me_, Server(*from), Server(vote.leader)],
                ),
            }
            p.say(
                " Votes equal to its own: {0} of the {1} it needs.",
                "与它相同的选票：{0} 张，需要 {1} 张。",
                &[n(*supporters), n(*need)],
            );
        }
        K::QuorumOfVotes {
            vote,
            supporters,
            wait,
        } => {
            p.tone(Tone::Chosen);
            p.say(
                "{0} has a quorum: {1} votes for {2}. It waits {3} more, in case a better vote is under way.",
                "{0} 看到已达到法定人数：{1} 票投给{2}。它再等 {3}，也许还有更好的选票在路上。",
                &[me_, n(*supporters), Server(vote.leader), Time(*wait)],
            );
        }
        K::QuorumOvertaken { by } => p.say(
            "A better vote reached {0} during its last wait: for {1}, epoch {2}, zxid {3}. The election goes on.",
            "{0} 在最后的等待中收到更好的选票：投给{1}，纪元 {2}，zxid {3}。选举继续。",
            &[me_, Server(by.leader), E(by.epoch), Z(by.zxid)],
        ),
        K::VoteAnswered {
            to,
            state,
            vote,
            round,
        } => match state {
            ServerState::Looking => p.say(
                "{0} tells {1}, which is behind: round {3} is on, and my vote is for {2}.",
                "{0} 告诉落后的{1}：现在是第 {3} 轮，我的票投给{2}。",
                &[me_, Server(*to), Server(vote.leader), N(*round)],
            ),
            ServerState::Leading => p.say(
                "{0} tells {1} that it leads, elected in round {2}.",
                "{0} 告诉{1}：我在领导，当选于第 {2} 轮。",
                &[me_, Server(*to), N(*round)],
            ),
            ServerState::Following | ServerState::Observing => p.say(
                "{0} tells {1} that it follows {2}, elected in round {3}.",
                "{0} 告诉{1}：我跟随{2}，当选于第 {3} 轮。",
                &[me_, Server(*to), Server(vote.leader), N(*round)],
            ),
        },
        K::VoteRepeated { next } => p.say(
            "{0} heard nothing new: it sends its vote again, and waits {1} this time.",
            "{0} 没有听到新消息：它重发选票，这次等 {1}。",
            &[me_, Time(*next)],
        ),
        K::Elected {
            leader,
            state,
            round,
            vote,
            by,
        } => elected(p, me, *leader, *state, *round, *vote, *by),

        // ---- discovery -----------------------------------------------------------------------
        K::Connecting { leader, attempt } => match attempt {
            1 => p.say(
                "{0} calls its leader, {1}.",
                "{0} 呼叫领导者{1}。",
                &[me_, Server(*leader)],
            ),
            again => p.say(
                "{0} calls its leader, {1}, again: attempt {2}.",
                "{0} 再次呼叫领导者{1}：第 {2} 次。",
                &[me_, Server(*leader), n(*again)],
            ),
        },
        K::LearnerInfoSent {
            leader,
            accepted_epoch,
        } => p.say(
            "{0} tells {1} the highest epoch it ever accepted: {2}.",
            "{0} 告诉{1} 自己接受过的最高纪元：{2}。",
            &[me_, Server(*leader), E(*accepted_epoch)],
        ),
        K::LearnerInfoCounted {
            from,
            accepted_epoch,
            have,
            need,
        } => {
            if *from == me {
                p.say(
                    "{0} counts itself: it has accepted epoch {1} at most.",
                    "{0} 算上自己：它接受过的最高纪元是 {1}。",
                    &[me_, E(*accepted_epoch)],
                );
            } else {
                p.say(
                    "Leader {0} hears from {1}: the highest epoch it accepted is {2}.",
                    "领导者 {0} 收到{1} 的报告：它接受过的最高纪元是 {2}。",
                    &[Id(me), Server(*from), E(*accepted_epoch)],
                );
            }
            progress(p, *have, *need);
        }
        K::NewEpoch { epoch, highest } => {
            p.tone(Tone::Chosen);
            p.say(
                "Leader {0} opens epoch {1}: the highest that any of its quorum had accepted was {2}, and it takes one more.",
                "领导者 {0} 开启纪元 {1}：法定人数中接受过的最高纪元是 {2}，它取下一个。",
                &[Id(me), E(*epoch), E(*highest)],
            );
        }
        K::AcceptedEpochSet { old, new } => p.say(
            "{0} accepts epoch {2} and writes that to disk; before it was {1}. From now on it refuses every older leader.",
            "{0} 接受纪元 {2} 并写入磁盘；之前是 {1}。从此它拒绝任何更旧的领导者。",
            &[me_, E(*old), E(*new)],
        ),
        K::EpochAcked {
            epoch,
            last_zxid,
            current_epoch,
        } => match current_epoch {
            Some(current) => p.say(
                "{0} agrees to epoch {1} and says what it has: last zxid {2}, from epoch {3}.",
                "{0} 同意纪元 {1}，并说明自己的历史：最后的 zxid 是 {2}，所在纪元 {3}。",
                &[me_, E(*epoch), Z(*last_zxid), E(*current)],
            ),
            None => p.say(
                "{0} had accepted epoch {1} before: it says so, tells its last zxid {2}, and is not counted again.",
                "{0} 之前已接受纪元 {1}：它如实回答，报告最后的 zxid {2}，不再被计数。",
                &[me_, E(*epoch), Z(*last_zxid)],
            ),
        },
        K::EpochAckCounted {
            from,
            last_zxid,
            current_epoch,
            counted,
            have,
            need,
        } => {
            match current_epoch {
                Some(epoch) if *from == me => p.say(
                    "Leader {0} counts itself, with epoch {1} and last zxid {2}.",
                    "领导者 {0} 算上自己：纪元 {1}，最后的 zxid 是 {2}。",
                    &[Id(me), E(*epoch), Z(*last_zxid)],
                ),
                Some(epoch) => p.say(
                    "Leader {0} notes that {1} is in, with epoch {2} and last zxid {3}.",
                    "领导者 {0} 记下{1} 已加入：纪元 {2}，最后的 zxid 是 {3}。",
                    &[Id(me), Server(*from), E(*epoch), Z(*last_zxid)],
                ),
                None => p.say(
                    "Leader {0} notes that {1} is in, with last zxid {2}.",
                    "领导者 {0} 记下{1} 已加入，最后的 zxid 是 {2}。",
                    &[Id(me), Server(*from), Z(*last_zxid)],
                ),
            }
            if !counted {
                p.say(" It does not count.", "它不计数。", &[]);
            }
            progress(p, *have, *need);
        }
        K::CurrentEpochSet { old, new } => p.say(
            "{0} writes to disk that it belongs to epoch {2} now; before it was {1}.",
            "{0} 在磁盘上记下：自己现在属于纪元 {2}，之前是 {1}。",
            &[me_, E(*old), E(*new)],
        ),

        // ---- synchronisation -----------------------------------------------------------------
        K::ReadingDiskLog { learner, from, min } => p.say(
            "{1} is far behind: its log ends at {2}, the leader's memory begins at {3}. Leader {0} looks into its log on disk.",
            "{1} 落后很多：它的日志止于 {2}，领导者内存中的记录始于 {3}。领导者 {0} 去查磁盘日志。",
            &[Id(me), Server(*learner), Z(*from), Z(*min)],
        ),
        K::SyncChosen {
            learner,
            mode,
            zxid,
            because,
            peer,
            min,
            max,
            last_processed,
            queued,
        } => sync_chosen(
            p,
            &Choice {
                leader: me,
                learner: *learner,
                mode: *mode,
                zxid: *zxid,
                rule: *because,
                peer: *peer,
                min: *min,
                max: *max,
                last: *last_processed,
                queued: *queued,
            },
        ),
        K::OutstandingForwarded {
            learner,
            first,
            last,
        } => {
            if first == last {
                p.say(
                    "Leader {0} also hands {1} what is proposed but not committed yet: {2}.",
                    "领导者 {0} 把尚未提交的提案也交给{1}：{2}。",
                    &[Id(me), Server(*learner), Z(*first)],
                );
            } else {
                p.say(
                    "Leader {0} also hands {1} what is proposed but not committed yet: {2} to {3}.",
                    "领导者 {0} 把尚未提交的提案也交给{1}：{2} 到 {3}。",
                    &[Id(me), Server(*learner), Z(*first), Z(*last)],
                );
            }
        }
        K::SyncStarted { mode, zxid, ours } => match mode {
            SyncMode::Diff => p.say(
                "{0} keeps its log, which ends at {1}, and gets what it lacks up to {2}.",
                "{0} 保留自己的日志（止于 {1}），并接收到 {2} 为止所缺的部分。",
                &[me_, Z(*ours), Z(*zxid)],
            ),
            SyncMode::Trunc => {
                p.tone(Tone::Fault);
                p.say(
                    "{0} has to cut its log back to {2}; it reached to {1}.",
                    "{0} 必须把日志截回到 {2}；它原来到 {1}。",
                    &[me_, Z(*ours), Z(*zxid)],
                );
            }
            SyncMode::Snap => p.say(
                "{0} gives up its own state, which ends at {1}, and takes the leader's whole tree, up to {2}.",
                "{0} 放弃自己的状态（止于 {1}），接收领导者的整棵树，到 {2} 为止。",
                &[me_, Z(*ours), Z(*zxid)],
            ),
        },
        K::LogTruncated {
            to,
            first,
            last,
            count,
        } => match (first, last) {
            (Some(first), Some(last)) if first != last => {
                p.tone(Tone::Fault);
                p.say(
                    "{0} forgets {1} to {2}, {3} transactions: its log ends at {4} now.",
                    "{0} 忘掉 {1} 到 {2} 共 {3} 个事务：它的日志现在止于 {4}。",
                    &[me_, Z(*first), Z(*last), n(*count), Z(*to)],
                );
            }
            (Some(gone), _) | (_, Some(gone)) => {
                p.tone(Tone::Fault);
                p.say(
                    "{0} forgets {1}: its log ends at {2} now.",
                    "{0} 忘掉 {1}：它的日志现在止于 {2}。",
                    &[me_, Z(*gone), Z(*to)],
                );
            }
            (None, None) => p.say(
                "{0} was to cut its log after {1}, but there was nothing to cut.",
                "{0} 应在 {1} 之后截断日志，但没有可截的内容。",
                &[me_, Z(*to)],
            ),
        },
        K::SnapshotInstalled { zxid, znodes } => p.say(
            "{0} replaced everything it had by the leader's tree: {2} {2:znode|znodes}, up to {1}.",
            "{0} 用领导者的树替换了自己的一切：{2} 个节点，到 {1} 为止。",
            &[me_, Z(*zxid), n(*znodes)],
        ),
        K::HistoryComplete { epoch, last_zxid } => p.say(
            "{0} has the whole history, up to {2}. First that goes to disk, then epoch {1}, and only then it confirms.",
            "{0} 拥有了到 {2} 为止的全部历史。先写历史，再写纪元 {1}，然后才确认。",
            &[me_, E(*epoch), Z(*last_zxid)],
        ),
        K::NewLeaderAckCounted { from, have, need } => {
            if *from == me {
                p.say(
                    "Leader {0} has its own history and epoch on disk and counts itself.",
                    "领导者 {0} 自己的历史和纪元已在磁盘上，它算上自己。",
                    &[Id(me)],
                );
            } else {
                p.say(
                    "Leader {0} hears that {1} has the leader's history on disk.",
                    "领导者 {0} 得知{1} 已把领导者的历史写到磁盘。",
                    &[Id(me), Server(*from)],
                );
            }
            progress(p, *have, *need);
        }
        K::Established { epoch, with } => {
            p.tone(Tone::Chosen);
            p.say(
                "{0} leads epoch {1}: {2} servers, itself included, have its history on disk, and that is a quorum. Writing is possible now.",
                "{0} 领导纪元 {1}：包括自己在内有 {2} 台服务器把它的历史写到了磁盘，达到法定人数。现在可以写入。",
                &[me_, E(*epoch), n(*with)],
            );
        }
        K::UpToDateSent { learner } => p.say(
            "Leader {0} tells {1} that it is up to date and may serve clients.",
            "领导者 {0} 告诉{1}：你已是最新，可以为客户端提供服务了。",
            &[Id(me), Server(*learner)],
        ),
        K::Serving {
            leader,
            epoch,
            last_zxid,
        } => p.say(
            "{0} serves clients now: it follows {1} in epoch {2} and has applied everything up to {3}.",
            "{0} 现在为客户端提供服务：它在纪元 {2} 中跟随{1}，已应用到 {3}。",
            &[me_, Server(*leader), E(*epoch), Z(*last_zxid)],
        ),
        K::ServingAlone { last_zxid } => p.say(
            "{0} serves clients now: it has no ensemble, and everything on its disk, up to {1}, is committed.",
            "{0} 现在为客户端提供服务：它不属于任何集群，磁盘上直到 {1} 的一切都已提交。",
            &[me_, Z(*last_zxid)],
        ),

        // ---- broadcast -----------------------------------------------------------------------
        K::RequestForwarded {
            leader,
            session,
            xid: _,
            op,
        } => match op {
            OpKind::Sync => p.say(
                "{0} passes sync of {2} on to its leader, {1}: when the answer is back, all that was committed before has arrived.",
                "{0} 把{2} 的 sync 转给领导者{1}：答复回来时，此前提交的都已到达。",
                &[me_, Server(*leader), Session(*session)],
            ),
            other => p.say(
                "{0} hands {3} of {2} to its leader, {1}: only the leader puts writes in order.",
                "{0} 把{2} 的 {3} 交给领导者{1}：只有领导者给写操作排序。",
                &[me_, Server(*leader), Session(*session), V(names::op(*other))],
            ),
        },
        K::Proposed {
            zxid,
            session: _,
            cxid: _,
            txn,
            path,
            error,
        } => match error {
            Some(code) => {
                p.tone(Tone::Allowed);
                p.say(
                    "Leader {0} proposes {1}: the write fails with {2}. The failure takes its place in the order like any other transaction.",
                    "领导者 {0} 提出 {1}：这次写入失败，{2}。失败和其他事务一样占据一个位置。",
                    &[Id(me), Z(*zxid), Error(*code)],
                );
            }
            None => {
                let what = names::at(names::txn(*txn), path.as_deref());
                p.say(
                    "Leader {0} gives {2} the next place in the order, {1}, and proposes it to all voters.",
                    "领导者 {0} 给 {2} 排在下一个位置 {1}，并向所有投票者提出。",
                    &[Id(me), Z(*zxid), V(&what)],
                );
            }
        },
        K::RequestRefused {
            session,
            cxid: _,
            error,
        } => p.say(
            "Leader {0} makes no transaction of a request of {1}: {2}.",
            "领导者 {0} 没有为{1} 的请求生成事务：{2}。",
            &[Id(me), Session(*session), Error(*error)],
        ),
        K::Logged { zxid } => p.say(
            "{0} has received {1} and hands it to its log. It is not on disk yet: a crash could still take it.",
            "{0} 收到 {1} 并交给日志。它还没写到磁盘：此刻崩溃仍会丢失它。",
            &[me_, Z(*zxid)],
        ),
        K::AckSent { zxid, to } => p.say(
            "{0} has {1} on disk, and only now says so to {2}.",
            "{0} 已把 {1} 写到磁盘，这时才告诉{2}。",
            &[me_, Z(*zxid), Server(*to)],
        ),
        K::AckCounted {
            zxid,
            from,
            have,
            need,
        } => {
            if *from == me {
                p.say(
                    "Leader {0} has {1} on its own disk and counts itself.",
                    "领导者 {0} 自己的磁盘上有了 {1}，它算上自己。",
                    &[Id(me), Z(*zxid)],
                );
            } else {
                p.say(
                    "Leader {0} hears that {1} has {2} on disk.",
                    "领导者 {0} 得知{1} 已把 {2} 写到磁盘。",
                    &[Id(me), Server(*from), Z(*zxid)],
                );
            }
            progress(p, *have, *need);
        }
        K::AckIgnored { zxid, from } => p.say(
            "Leader {0} has no use for the ACK of {1} for {2}.",
            "领导者 {0} 用不上{1} 对 {2} 的确认。",
            &[Id(me), Server(*from), Z(*zxid)],
        ),
        K::Committed { zxid, acks, need } => {
            p.tone(Tone::Chosen);
            p.say(
                "{1} is committed: {2} voters have it on disk, a quorum needs {3}, and everything before it is committed. Leader {0} tells all.",
                "{1} 已提交：{2} 个投票者已写到磁盘，法定人数是 {3}，而且它之前的都已提交。领导者 {0} 通知大家。",
                &[Id(me), Z(*zxid), n(*acks), n(*need)],
            );
        }
        K::Applied {
            zxid,
            txn,
            path,
            error,
            digest: _,
        } => match error {
            Some(code) => p.say(
                "{0} has reached {1}, the record of a failure: {2}. Its tree stays as it is.",
                "{0} 走到 {1}，那是一次失败的记录：{2}。它的树不变。",
                &[me_, Z(*zxid), Error(*code)],
            ),
            None => {
                let what = names::at(names::txn(*txn), path.as_deref());
                match txn {
                    TxnKind::CreateSession => p.say(
                        "{0} applies {1}: a new session is known here now.",
                        "{0} 应用 {1}：这里现在知道了一个新会话。",
                        &[me_, Z(*zxid)],
                    ),
                    TxnKind::CloseSession
                    | TxnKind::Create
                    | TxnKind::Delete
                    | TxnKind::SetData
                    | TxnKind::Reconfig
                    | TxnKind::SetAcl
                    | TxnKind::Check
                    | TxnKind::Multi
                    | TxnKind::Error => p.say(
                        "{0} applies {1} to its tree: {2}. From now on reads here show it.",
                        "{0} 把 {1} 应用到自己的树：{2}。从现在起在这里能读到它。",
                        &[me_, Z(*zxid), V(&what)],
                    ),
                }
            }
        },
        K::DigestMismatch {
            zxid,
            expected: _,
            found: _,
        } => {
            p.tone(Tone::Fault);
            p.say(
                "After {1} the tree of {0} is not what the leader predicted: the digests differ.",
                "应用 {1} 之后，{0} 的树与领导者的预测不同：摘要不一致。",
                &[me_, Z(*zxid)],
            );
        }
        K::SnapshotTaken { zxid } => p.say(
            "{0} writes its whole tree to disk, up to {1}, so that a restart need not replay everything.",
            "{0} 把整棵树写到磁盘，到 {1} 为止，这样重启时不必重放全部日志。",
            &[me_, Z(*zxid)],
        ),

        // ---- liveness ------------------------------------------------------------------------
        K::PingsSent { learners } => p.say(
            "Leader {0} asks its {1} {1:learner|learners}: are you there?",
            "领导者 {0} 问它的 {1} 个学习者：你们在吗？",
            &[Id(me), n(*learners)],
        ),
        K::QuorumChecked { in_time, need } => {
            if in_time < need {
                p.tone(Tone::Fault);
                p.say(
                    "Leader {0} counts who is in time: {1} with itself, but a quorum needs {2}.",
                    "领导者 {0} 清点按时响应者：包括自己共 {1} 台，而法定人数是 {2}。",
                    &[Id(me), n(*in_time), n(*need)],
                );
            } else {
                p.say(
                    "Leader {0} counts who is in time: {1} with itself, a quorum needs {2}. It goes on leading.",
                    "领导者 {0} 清点按时响应者：包括自己共 {1} 台，法定人数是 {2}。它继续领导。",
                    &[Id(me), n(*in_time), n(*need)],
                );
            }
        }
        K::LinkDropped { with, because } => {
            p.tone(Tone::Fault);
            let why = p.phrase(|p| reason::dropped(p, because));
            p.say(
                "{0} ends its connection with {1}: {2}.",
                "{0} 断开与{1} 的连接：{2}。",
                &[me_, Server(*with), T(&why)],
            );
        }
        K::SteppedDown { was, because } => {
            p.tone(Tone::Fault);
            let why = p.phrase(|p| reason::election(p, because));
            match was {
                ServerState::Leading => p.say(
                    "{0} stops leading: {1}. It serves nobody until there is a leader again.",
                    "{0} 停止领导：{1}。在重新有领导者之前，它不对外提供服务。",
                    &[me_, T(&why)],
                ),
                ServerState::Looking | ServerState::Following | ServerState::Observing => p.say(
                    "{0} leaves its leader: {1}. It serves nobody until it has found one again.",
                    "{0} 离开领导者：{1}。在重新找到领导者之前，它不对外提供服务。",
                    &[me_, T(&why)],
                ),
            }
        }

        // ---- sessions and clients ------------------------------------------------------------
        K::SessionProposed {
            session,
            timeout_ms,
        } => p.say(
            "{0} asks for a new session, {1}, with a time-out of {2}. It begins when its transaction is applied.",
            "{0} 申请一个新会话：{1}，超时 {2}。它的事务被应用时会话才开始。",
            &[me_, Session(*session), Ms(*timeout_ms)],
        ),
        K::LocalSessionBegan {
            session,
            timeout_ms,
        } => p.say(
            "{0} begins a local session, {1}, with a time-out of {2}. Nobody else knows of it, and it costs no transaction.",
            "{0} 开始一个本地会话：{1}，超时 {2}。别的服务器都不知道它，也不需要事务。",
            &[me_, Session(*session), Ms(*timeout_ms)],
        ),
        K::SessionUpgraded { session } => p.say(
            "{1} wants an ephemeral znode: {0} has it made a global session first.",
            "{1} 要创建临时节点：{0} 先请求把它变成全局会话。",
            &[me_, Session(*session)],
        ),
        K::LocalSessionEnded { session, expired } => match expired {
            true => p.say(
                "{0} has heard nothing of the local session {1} for its time-out: it is over.",
                "{0} 在超时时间内没有听到本地会话 {1} 的消息：它结束了。",
                &[me_, Session(*session)],
            ),
            false => p.say(
                "The local session {1} is closed. Only {0} knew of it.",
                "本地会话 {1} 已关闭。只有{0} 知道它。",
                &[me_, Session(*session)],
            ),
        },
        K::MembersSeen {
            version,
            voters,
            observers,
        } => p.say(
            "{0} knows members to come, {1}: {2} that vote and {3} that observe. Until they hold, a quorum of them is needed as well.",
            "{0} 知道了将来的成员 {1}：{2} 个投票，{3} 个观察。在它们生效之前，也需要它们的法定人数。",
            &[me_, Z(*version), n(*voters), n(*observers)],
        ),
        K::MembersActivated {
            version,
            voters,
            observers,
        } => p.say(
            "For {0} the members of {1} hold from now on: {2} that vote and {3} that observe.",
            "对{0} 来说，从现在起以 {1} 的成员为准：{2} 个投票，{3} 个观察。",
            &[me_, Z(*version), n(*voters), n(*observers)],
        ),
        K::ReadOnlyBegan { last_zxid } => p.say(
            "{0} has looked for a leader for a while: until it finds one it answers reads, from what it has up to {1}, for clients that said that this is enough.",
            "{0} 已经找了一阵领导者：在找到之前，它用自己到 {1} 为止的数据，为声明可以接受的客户端回答读操作。",
            &[me_, Z(*last_zxid)],
        ),
        K::SessionAttached {
            session: _,
            client,
            moved,
            timeout_ms,
        } => {
            if *moved {
                p.say(
                    "{1} has its session back, now at {0}: the same session, the same ephemerals, time-out {2}.",
                    "{1} 恢复了会话，现在在{0}：同一个会话，同样的临时节点，超时 {2}。",
                    &[me_, Client(*client), Ms(*timeout_ms)],
                );
            } else {
                p.say(
                    "{1} has a session at {0}. If it stays silent for {2}, the session expires.",
                    "{1} 在{0} 有了会话。如果它沉默 {2}，会话就会过期。",
                    &[me_, Client(*client), Ms(*timeout_ms)],
                );
            }
        }
        K::SessionTouched { session } => p.say(
            "Leader {0} heard from {1}: its clock starts anew.",
            "领导者 {0} 听到了{1} 的消息：它的计时重新开始。",
            &[Id(me), Session(*session)],
        ),
        K::SessionExpired {
            session,
            timeout_ms,
        } => {
            p.tone(Tone::Fault);
            p.say(
                "Leader {0} heard nothing from {1} for {2}. It ends the session, and does so by a transaction, like every change.",
                "领导者 {0} 已有 {2} 没有听到{1} 的消息。它结束这个会话——和任何改动一样，通过一个事务。",
                &[Id(me), Session(*session), Ms(*timeout_ms)],
            );
        }
        K::SessionValidated { session, at, valid } => {
            if *valid {
                p.say(
                    "Leader {0} confirms to {2} that {1} is alive, and belongs to that server now.",
                    "领导者 {0} 向{2} 确认：{1} 有效，现在归那台服务器。",
                    &[Id(me), Session(*session), Server(*at)],
                );
            } else {
                p.tone(Tone::Fault);
                p.say(
                    "Leader {0} tells {2} that {1} does not exist any more.",
                    "领导者 {0} 告诉{2}：{1} 已不存在。",
                    &[Id(me), Session(*session), Server(*at)],
                );
            }
        }
        K::SessionEnded {
            session,
            ephemerals,
        } if *ephemerals == 0 => p.say(
            "On {0}, {1} is over. It had no ephemeral znodes.",
            "在{0} 上，{1} 已结束。它没有临时节点。",
            &[me_, Session(*session)],
        ),
        K::SessionEnded {
            session,
            ephemerals,
        } => p.say(
            "On {0}, {1} is over, and with it went {2} ephemeral {2:znode|znodes}.",
            "在{0} 上，{1} 已结束，随之消失的临时节点有 {2} 个。",
            &[me_, Session(*session), n(*ephemerals)],
        ),
        K::ClientRefused { client, because } => {
            p.tone(Tone::Fault);
            let why = p.phrase(|p| reason::refused(p, because));
            p.say(
                "{0} closes the connection of {1}: {2}.",
                "{0} 关闭{1} 的连接：{2}。",
                &[me_, Client(*client), T(&why)],
            );
        }
        K::RequestQueued {
            session,
            xid: _,
            op,
        } => p.say(
            "{0} lets {2} of {1} wait: an earlier write of the same session is not applied here yet, and order counts.",
            "{0} 让{1} 的 {2} 等待：同一会话较早的写操作还没在这里应用，顺序不能乱。",
            &[me_, Session(*session), V(names::op(*op))],
        ),
        K::ReadServed {
            client,
            session: _,
            xid: _,
            op,
            path,
            zxid,
            error,
        } => {
            let what = names::at(names::op(*op), path.as_deref());
            p.say(
                "{0} answers {2} of {1} from its own memory, as of {3}, without asking anybody.",
                "{0} 用自己的内存回答{1} 的 {2}，状态停在 {3}，不问任何人。",
                &[me_, Client(*client), V(&what), Z(*zxid)],
            );
            if let Some(code) = error {
                p.say(" The answer: {0}.", "回答是：{0}。", &[Error(*code)]);
            }
            if let Some(newest) = p.ctx.newest_committed()
                && newest > *zxid
                && newest.epoch() == zxid.epoch()
            {
                p.tone(Tone::Allowed);
                p.say(
                    " Committed is {0} already: it is {1} behind. Allowed.",
                    "已提交到 {0}：它落后 {1} 个。这是允许的。",
                    &[Z(newest), N(u64::from(newest.counter() - zxid.counter()))],
                );
            }
        }
        K::WriteAnswered {
            client,
            session: _,
            xid: _,
            op,
            zxid,
            error,
        } => match error {
            None => p.say(
                "{0} tells {1} that its {2} is done: it is {3} in the order, and applied here.",
                "{0} 告诉{1}：它的 {2} 完成了，排在 {3}，并已在这里应用。",
                &[me_, Client(*client), V(names::op(*op)), Z(*zxid)],
            ),
            Some(code) => p.say(
                "{0} tells {1} that its {2} failed: {4}. The failure is {3} in the order.",
                "{0} 告诉{1}：它的 {2} 失败了，{4}。这次失败排在 {3}。",
                &[me_, Client(*client), V(names::op(*op)), Z(*zxid), Error(*code)],
            ),
        },
        K::SyncAnswered {
            client,
            session: _,
            xid: _,
            zxid,
        } => p.say(
            "{0} answers sync of {1}: it has applied {2}, all that the leader had committed when it was asked.",
            "{0} 回答{1} 的 sync：它已应用到 {2}，也就是领导者被问到时已提交的全部。",
            &[me_, Client(*client), Z(*zxid)],
        ),
        K::WatchSet { client, path, kind } => {
            let what = names::watch(*kind, p.lang);
            p.say(
                "{0} keeps a watch on {2} for {1}: {3}.",
                "{0} 为{1} 在 {2} 上设了监听：{3}。",
                &[me_, Client(*client), V(path), T(what)],
            );
        }
        K::WatchFired {
            client,
            path,
            event,
            zxid,
            consumed,
            withheld,
        } => {
            let what = names::happened(*event, p.lang);
            if *withheld {
                p.say(
                    "A watch of {1} at {0} would ring, but the client may not read that znode: it is not told.",
                    "{1} 在{0} 上的监听本应响起，但它无权读取那个节点：不通知它。",
                    &[me_, Client(*client)],
                );
            } else {
                match zxid {
                    Some(zxid) => p.say(
                        "A watch of {1} rings at {0}: {2} {3}, by {4}.",
                        "{1} 在{0} 上的监听响了：{2} {3}，由 {4} 引起。",
                        &[me_, Client(*client), V(path), T(what), Z(*zxid)],
                    ),
                    None => p.say(
                        "A watch of {1} rings at {0} late: {2} {3} while the client was away.",
                        "{1} 在{0} 上的监听补响：它不在时 {2} {3}。",
                        &[me_, Client(*client), V(path), T(what)],
                    ),
                }
            }
            if *consumed {
                p.say(" It rang once and is gone.", "它只响一次，已经用掉。", &[]);
            } else {
                p.say(" It stays.", "它会保留。", &[]);
            }
        }
        K::WatchRemoved { client, path } => p.say(
            "{0} takes away the watch of {1} on {2}, as it asked.",
            "{0} 应{1} 的要求，取消了它在 {2} 上的监听。",
            &[me_, Client(*client), V(path)],
        ),
        K::Authenticated { client, scheme } => p.say(
            "{1} proved to {0} who it is, by the scheme {2}.",
            "{1} 以 {2} 方式向{0} 证明了身份。",
            &[me_, Client(*client), V(scheme)],
        ),
        K::ContainerFound { path } => p.say(
            "Leader {0} found {1} empty or outdated and will delete it by a transaction.",
            "领导者 {0} 发现 {1} 已空或已过期，将通过一个事务删除它。",
            &[Id(me), V(path)],
        ),
    }
}

/// ` That makes 2 of the 3 it needs.`
fn progress(p: &mut Pen<'_>, have: u32, need: u32) {
    if have < need {
        p.say(
            " That makes {0} of the {1} it needs.",
            "现在有 {0} 台，需要 {1} 台。",
            &[n(have), n(need)],
        );
    } else {
        p.say(
            " That makes {0}, and a quorum needs {1}.",
            "现在有 {0} 台，法定人数是 {1} 台。",
            &[n(have), n(need)],
        );
    }
}

fn received(
    p: &mut Pen<'_>,
    me: ServerId,
    from: ServerId,
    message: MessageKind,
    zxid: Option<Zxid>,
) {
    let about = names::message(message, p.lang);
    match zxid {
        Some(z) if names::about_zxid(message) => p.say(
            "{0} gets {2} {3} from {1}: {4}.",
            "{0} 收到{1} 的 {2} {3}：{4}。",
            &[Server(me), Server(from), V(message.name()), Z(z), T(about)],
        ),
        Some(z) if names::about_epoch(message) => p.say(
            "{0} gets {2} for epoch {3} from {1}: {4}.",
            "{0} 收到{1} 的 {2}（纪元 {3}）：{4}。",
            &[
                Server(me),
                Server(from),
                V(message.name()),
                E(z.epoch()),
                T(about),
            ],
        ),
        Some(_) | None if from == me => p.say(
            "{0} gets its own {1}: {2}.",
            "{0} 收到自己的 {1}：{2}。",
            &[Server(me), V(message.name()), T(about)],
        ),
        Some(_) | None => p.say(
            "{0} gets {2} from {1}: {3}.",
            "{0} 收到{1} 的 {2}：{3}。",
            &[Server(me), Server(from), V(message.name()), T(about)],
        ),
    }
}

fn compared(
    p: &mut Pen<'_>,
    me: ServerId,
    from: ServerId,
    theirs: Vote,
    ours: Vote,
    by: VoteField,
    changes: bool,
) {
    let me_ = Server(me);
    match (by, changes) {
        (VoteField::Same, _) if from == me => p.say(
            "{0} reads its own vote, for {1}: nothing to compare.",
            "{0} 读到自己的选票，投给{1}：无需比较。",
            &[me_, Voted(ours.leader, me)],
        ),
        (VoteField::Same, _) => p.say(
            "{0} sees that {1} votes as it does: for {2}.",
            "{0} 看到{1} 和它投得一样：投给{2}。",
            &[me_, Server(from), Voted(ours.leader, me)],
        ),
        (VoteField::Epoch, true) => p.say(
            "{0} reads a vote for {1}: it comes from epoch {2}, newer than {3}. The newer epoch wins, whatever the rest.",
            "{0} 读到投给{1} 的选票：它来自纪元 {2}，比 {3} 新。纪元较新者胜出，其余不论。",
            &[me_, Server(theirs.leader), E(theirs.epoch), E(ours.epoch)],
        ),
        (VoteField::Epoch, false) => p.say(
            "{0} keeps its vote for {1}: epoch {2} is newer than epoch {3}, for which {4} votes.",
            "{0} 保持投给{1}：纪元 {2} 比{4} 所投的纪元 {3} 新。",
            &[
                me_,
                Voted(ours.leader, me),
                E(ours.epoch),
                E(theirs.epoch),
                Server(from),
            ],
        ),
        (VoteField::Zxid, true) => p.say(
            "{0} reads a vote for {1}: same epoch {4}, but its last zxid {2} is above {3}.",
            "{0} 读到投给{1} 的选票：纪元同为 {4}，但最后的 zxid {2} 高于 {3}。",
            &[
                me_,
                Server(theirs.leader),
                Z(theirs.zxid),
                Z(ours.zxid),
                E(ours.epoch),
            ],
        ),
        (VoteField::Zxid, false) => p.say(
            "{0} keeps its vote for {1}: {4} votes for one with last zxid {2}, and that is not above {3}.",
            "{0} 保持投给{1}：{4} 所投者最后的 zxid 是 {2}，不高于 {3}。",
            &[
                me_,
                Voted(ours.leader, me),
                Z(theirs.zxid),
                Z(ours.zxid),
                Server(from),
            ],
        ),
        (VoteField::Id, true) => p.say(
            "{0} reads a vote for {1}: epoch {4} and last zxid {3} are the same, so the higher id wins, {1} over {2}.",
            "{0} 读到投给{1} 的选票：纪元 {4} 和最后的 zxid {3} 都相同，编号大者胜：{1} 胜过{2}。",
            &[
                me_,
                Server(theirs.leader),
                Voted(ours.leader, me),
                Z(ours.zxid),
                E(ours.epoch),
            ],
        ),
        (VoteField::Id, false) => p.say(
            "{0} keeps its vote for {1}: {3} votes for {2}, with the same epoch {5} and zxid {4}, but the lower id.",
            "{0} 保持投给{1}：{3} 投给{2}，纪元 {5} 和 zxid {4} 都相同，但编号较小。",
            &[
                me_,
                Voted(ours.leader, me),
                Server(theirs.leader),
                Server(from),
                Z(ours.zxid),
                E(ours.epoch),
            ],
        ),
        (VoteField::Weight, true) => p.say(
            "{0} reads a vote for {1}. Its own candidate, {2}, has weight 0 and can't win.",
            "{0} 读到投给{1} 的选票。它自己的候选者{2} 权重为 0，不可能当选。",
            &[me_, Server(theirs.leader), Voted(ours.leader, me)],
        ),
        (VoteField::Weight, false) => p.say(
            "{0} keeps its vote for {1}: {3} votes for {2}, which has weight 0 and can't win.",
            "{0} 保持投给{1}：{3} 投给{2}，而它权重为 0，不可能当选。",
            &[
                me_,
                Voted(ours.leader, me),
                Server(theirs.leader),
                Server(from),
            ],
        ),
    }
}

fn changed(p: &mut Pen<'_>, me: ServerId, old: Vote, new: Vote, by: VoteField) {
    p.tone(Tone::Chosen);
    if old.leader == me {
        p.say(
            "{0} gives up its own candidacy and votes for {1}: ",
            "{0} 放弃竞选，改投{1}：",
            &[Server(me), Server(new.leader)],
        );
    } else {
        p.say(
            "{0} changes its vote from {2} to {1}: ",
            "{0} 从{2} 改投{1}：",
            &[Server(me), Server(new.leader), Server(old.leader)],
        );
    }
    match by {
        VoteField::Epoch => p.say(
            "the newer epoch wins. {0} comes from epoch {1}, {2} only from {3}.",
            "纪元较新者胜出。{0} 来自纪元 {1}，{2} 只来自 {3}。",
            &[
                T(&capital(p, new.leader)),
                E(new.epoch),
                Server(old.leader),
                E(old.epoch),
            ],
        ),
        VoteField::Zxid => p.say(
            "same epoch, but {0} has seen more. Its last zxid is {1}, that of {2} only {3}.",
            "纪元相同，但 {0} 见过的更多。它最后的 zxid 是 {1}，{2} 只到 {3}。",
            &[Id(new.leader), Z(new.zxid), Server(old.leader), Z(old.zxid)],
        ),
        VoteField::Id => p.say(
            "same epoch, same last zxid {0}, so the higher id decides. {1} is above {2}.",
            "纪元相同，最后的 zxid 同为 {0}，于是比编号：{1} 大于 {2}。",
            &[Z(new.zxid), Id(new.leader), Id(old.leader)],
        ),
        VoteField::Weight => p.say(
            "a candidate with weight 0 can't win.",
            "权重为 0 的候选者不可能当选。",
            &[],
        ),
        VoteField::Same => p.say("the votes are the same.", "两张选票相同。", &[]),
    }
}

fn capital(p: &Pen<'_>, id: ServerId) -> String {
    let mut name = super::server(id, p.lang);
    if let Some(first) = name.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    name
}

fn elected(
    p: &mut Pen<'_>,
    me: ServerId,
    leader: ServerId,
    state: ServerState,
    round: u64,
    vote: Vote,
    by: DecidedBy,
) {
    p.tone(Tone::Chosen);
    match state {
        ServerState::Leading => p.say(
            "{0} wins the election of round {1}",
            "{0} 在第 {1} 轮选举中胜出",
            &[Server(me), N(round)],
        ),
        ServerState::Following => p.say(
            "{0} follows {1} from now on, round {2}",
            "{0} 从现在起跟随{1}，第 {2} 轮",
            &[Server(me), Server(leader), N(round)],
        ),
        ServerState::Observing => p.say(
            "{0} observes {1} from now on, round {2}",
            "{0} 从现在起观察{1}，第 {2} 轮",
            &[Server(me), Server(leader), N(round)],
        ),
        ServerState::Looking => p.say(
            "{0} goes on looking, round {1}",
            "{0} 继续寻找，第 {1} 轮",
            &[Server(me), N(round)],
        ),
    }
    match by {
        DecidedBy::QuorumThisRound => p.say(
            ": a quorum votes for {0} (epoch {1}, zxid {2}), and no better vote came in the last wait.",
            "：已有法定人数的服务器投给{0}（纪元 {1}，zxid {2}），最后的等待中也没有更好的选票。",
            &[Server(vote.leader), E(vote.epoch), Z(vote.zxid)],
        ),
        DecidedBy::SameRoundDecided => p.say(
            ": the others of this round had decided for {0} already.",
            "：这一轮的其他服务器已经选定{0}。",
            &[Server(leader)],
        ),
        DecidedBy::RunningEnsemble => p.say(
            ": a quorum follows {0} already, and {0} itself says that it leads. Who comes late joins.",
            "：法定人数已在跟随{0}，{0} 自己也说它在领导。迟到者加入即可。",
            &[Server(leader)],
        ),
    }
}

/// The fields of `SyncChosen`.
struct Choice {
    leader: ServerId,
    learner: ServerId,
    mode: SyncMode,
    zxid: Zxid,
    rule: SyncRule,
    peer: Zxid,
    min: Zxid,
    max: Zxid,
    last: Zxid,
    queued: u32,
}

fn sync_chosen(p: &mut Pen<'_>, c: &Choice) {
    let lead = |p: &mut Pen<'_>| match c.mode {
        SyncMode::Diff => p.say(
            "Leader {0} sends DIFF to {1}: ",
            "领导者 {0} 向{1} 发送 DIFF：",
            &[Id(c.leader), Server(c.learner)],
        ),
        SyncMode::Trunc => {
            p.tone(Tone::Fault);
            p.say(
                "Leader {0} sends TRUNC {2} to {1}: ",
                "领导者 {0} 向{1} 发送 TRUNC {2}：",
                &[Id(c.leader), Server(c.learner), Z(c.zxid)],
            );
        }
        SyncMode::Snap => p.say(
            "Leader {0} sends its whole tree to {1} (SNAP): ",
            "领导者 {0} 把整棵树发给{1}（SNAP）：",
            &[Id(c.leader), Server(c.learner)],
        ),
    };
    lead(p);
    match c.rule {
        SyncRule::Equal => p.say(
            "both end at {0}, nothing is missing.",
            "双方都止于 {0}，什么都不缺。",
            &[Z(c.last)],
        ),
        SyncRule::AheadOfLeader => p.say(
            "its log ends at {0}, above {1}, the end of all that the leader has committed. What is too much must go.",
            "它的日志止于 {0}，高于领导者已提交的末尾 {1}。多出来的必须去掉。",
            &[Z(c.peer), Z(c.max)],
        ),
        SyncRule::InCommittedLog => p.say(
            "its log ends at {0}, which the leader still has in memory ({1} to {2}).",
            "它的日志止于 {0}，领导者内存中还有这一段（{1} 到 {2}）。",
            &[Z(c.peer), Z(c.min), Z(c.max)],
        ),
        SyncRule::WrongTail => p.say(
            "its log ends at {0}, inside the leader's {1} to {2}, but the leader has no such transaction.",
            "它的日志止于 {0}，在领导者的 {1} 到 {2} 之间，但领导者没有这个事务。",
            &[Z(c.peer), Z(c.min), Z(c.max)],
        ),
        SyncRule::WrongTailOtherEpoch => p.say(
            "its log ends at {0}, which the leader does not have, and what follows there belongs to another epoch. A cut never crosses epochs.",
            "它的日志止于 {0}，领导者没有这个事务，而接下来的属于另一个纪元。截断不能跨纪元。",
            &[Z(c.peer)],
        ),
        SyncRule::NewEpochOnly => p.say(
            "its last zxid {0} is only the beginning of an epoch, no transaction: nothing to cut.",
            "它最后的 zxid {0} 只是一个纪元的开头，不是事务：没有可截的。",
            &[Z(c.peer)],
        ),
        SyncRule::FromDiskLog => p.say(
            "its log ends at {0}, before the leader's memory begins ({1}), but the leader's log on disk still reaches back that far.",
            "它的日志止于 {0}，早于领导者内存的开头 {1}，但领导者的磁盘日志还够得着。",
            &[Z(c.peer), Z(c.min)],
        ),
        SyncRule::DiskLogPurged => p.say(
            "its log ends at {0}, and the leader's log on disk does not reach back to that.",
            "它的日志止于 {0}，而领导者的磁盘日志够不到那里。",
            &[Z(c.peer)],
        ),
        SyncRule::DiskLogTooLarge => p.say(
            "its log ends at {0}, and to send all that follows from disk takes too many bytes, compared with a snapshot.",
            "它的日志止于 {0}；从磁盘发送其后的全部，与快照相比字节太多。",
            &[Z(c.peer)],
        ),
        SyncRule::DiskLogGap => p.say(
            "its log ends at {0}, and the leader's log on disk ends before its memory begins ({1}): there is a gap.",
            "它的日志止于 {0}，领导者的磁盘日志在内存开头 {1} 之前就结束了：中间有缺口。",
            &[Z(c.peer), Z(c.min)],
        ),
        SyncRule::DiskLogOff => p.say(
            "its log ends at {0}, before the leader's memory begins ({1}), and reading the log on disk is switched off.",
            "它的日志止于 {0}，早于领导者内存的开头 {1}，而读取磁盘日志已关闭。",
            &[Z(c.peer), Z(c.min)],
        ),
        SyncRule::Forced => p.say(
            "the configuration has every learner sent a snapshot, whatever it has; this one ends at {0}.",
            "配置要求总是发送快照，无论学习者有什么；这一个止于 {0}。",
            &[Z(c.peer)],
        ),
        SyncRule::NothingFits => p.say(
            "its last zxid {0} fits nothing that the leader has, which ends at {1}.",
            "它最后的 zxid {0} 与领导者所有的（止于 {1}）都对不上。",
            &[Z(c.peer), Z(c.max)],
        ),
    }
    if c.queued > 0 {
        p.say(
            " {0} {0:transaction follows|transactions follow}.",
            "随后发送 {0} 个事务。",
            &[n(c.queued)],
        );
    }
}

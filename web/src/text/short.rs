//! Every fact in one line: the event list, the space-time diagram, labels.

mod outside;

pub(super) use outside::world;

use super::{
    Tone, names, reason,
    say::{
        Arg::{Client, E, Id, Ms, N, Server, Session, T, Time, V, Z},
        Pen,
    },
};
use zabscope_core::{
    id::{ServerId, SessionId, Zxid},
    message::ServerState,
    peer::event::{EventKind as K, VoteField},
};

const fn n(n: u32) -> super::say::Arg<'static> {
    N(n as u64)
}

#[allow(clippy::too_many_lines)] // one arm for each kind
pub(super) fn peer(p: &mut Pen<'_>, me: ServerId, kind: &K) {
    let s = Server(me);
    match kind {
        K::Received {
            from,
            message,
            zxid,
        } => match zxid {
            Some(z) if names::about_zxid(*message) => p.say(
                "{0} gets {2} {3} from {1}",
                "{0} 收到 {1} 的 {2} {3}",
                &[s, Id(*from), V(message.name()), Z(*z)],
            ),
            Some(_) | None => p.say(
                "{0} gets {2} from {1}",
                "{0} 收到 {1} 的 {2}",
                &[s, Id(*from), V(message.name())],
            ),
        },
        K::TimerFired { reason } => {
            let what = reason::timer(*reason, p.lang);
            p.say("{0}, timer: {1}", "{0} 定时器：{1}", &[s, T(what)]);
        }
        K::LinkUp { with, conn: _ } => p.say(
            "{0} and {1} are connected",
            "{0} 与 {1} 已连接",
            &[s, Id(*with)],
        ),
        K::LinkDown { with, conn: _ } => {
            p.tone(Tone::Fault);
            match with {
                Some(with) => p.say(
                    "{0} lost its connection with {1}",
                    "{0} 与 {1} 的连接断了",
                    &[s, Id(*with)],
                ),
                None => p.say(
                    "{0}: an abandoned connection is gone",
                    "{0}：一个废弃的连接断了",
                    &[s],
                ),
            }
        }
        K::ConnectFailed { to } => {
            p.tone(Tone::Fault);
            p.say("{0} can't reach {1}", "{0} 连不上 {1}", &[s, Id(*to)]);
        }
        K::DiskSynced { durable } => p.say(
            "{0}: on disk up to {1}",
            "{0}：磁盘已到 {1}",
            &[s, Z(*durable)],
        ),
        K::DiskRead { found } => p.say(
            "{0} found {1} {1:transaction|transactions} in its log on disk",
            "{0} 在磁盘日志中找到 {1} 个事务",
            &[s, n(*found)],
        ),
        K::ClientArrived { client, session } => match *session {
            SessionId::NONE => p.say("{1} calls {0}", "{1} 呼叫{0}", &[s, Client(*client)]),
            known => p.say(
                "{1} calls {0} with {2}",
                "{1} 带着{2} 呼叫{0}",
                &[s, Client(*client), Session(known)],
            ),
        },
        K::RequestReceived {
            client,
            session: _,
            xid: _,
            op,
        } => p.say(
            "{0} gets {2} from {1}",
            "{0} 收到{1} 的 {2}",
            &[s, Client(*client), V(names::op(*op))],
        ),
        K::ClientLeft { client, session: _ } => {
            p.say("{0} lost {1}", "{0} 与{1} 断开", &[s, Client(*client)])
        }

        K::Started { last_zxid, .. } => match *last_zxid {
            Zxid::ZERO => p.say("{0} starts, its disk empty", "{0} 启动，磁盘为空", &[s]),
            Zxid::UNINITIALISED => p.say(
                "{0} starts without data: no say",
                "{0} 启动时没有数据：没有发言权",
                &[s],
            ),
            z => p.say(
                "{0} starts, last zxid {1}",
                "{0} 启动，最后的 zxid {1}",
                &[s, Z(z)],
            ),
        },
        K::ElectionStarted { round, vote, .. } => {
            if vote.leader == ServerId::NOBODY {
                p.say(
                    "{0} looks for a leader, round {1}",
                    "{0} 寻找领导者，第 {1} 轮",
                    &[s, N(*round)],
                );
            } else {
                p.say(
                    "{0} looks for a leader, round {1}, and votes for itself ({2})",
                    "{0} 寻找领导者，第 {1} 轮，先投自己（{2}）",
                    &[s, N(*round), Z(vote.zxid)],
                );
            }
        }
        K::VoteCompared {
            from,
            theirs,
            ours,
            by,
            changes,
        } => match (by, changes) {
            (VoteField::Same, _) => p.say(
                "{0}: {1} votes the same",
                "{0}：{1} 投得一样",
                &[s, Id(*from)],
            ),
            (VoteField::Epoch, true) => p.say(
                "{0}: epoch {1} is above {2}",
                "{0}：纪元 {1} 高于 {2}",
                &[s, E(theirs.epoch), E(ours.epoch)],
            ),
            (VoteField::Epoch, false) => p.say(
                "{0} keeps its vote: epoch {1} is not above {2}",
                "{0} 保持选票：纪元 {1} 不高于 {2}",
                &[s, E(theirs.epoch), E(ours.epoch)],
            ),
            (VoteField::Zxid, true) => p.say(
                "{0}: {1} is above {2}",
                "{0}：{1} 高于 {2}",
                &[s, Z(theirs.zxid), Z(ours.zxid)],
            ),
            (VoteField::Zxid, false) => p.say(
                "{0} keeps its vote: {1} is not above {2}",
                "{0} 保持选票：{1} 不高于 {2}",
                &[s, Z(theirs.zxid), Z(ours.zxid)],
            ),
            (VoteField::Id, true) => p.say(
                "{0}: id {1} is above {2}",
                "{0}：编号 {1} 大于 {2}",
                &[s, Id(theirs.leader), Id(ours.leader)],
            ),
            (VoteField::Id, false) => p.say(
                "{0} keeps its vote: id {1} is not above {2}",
                "{0} 保持选票：编号 {1} 不大于 {2}",
                &[s, Id(theirs.leader), Id(ours.leader)],
            ),
            (VoteField::Weight, true) => p.say(
                "{0}: candidate {1} has weight 0",
                "{0}：候选者 {1} 权重为 0",
                &[s, Id(ours.leader)],
            ),
            (VoteField::Weight, false) => p.say(
                "{0} keeps its vote: candidate {1} has weight 0",
                "{0} 保持选票：候选者 {1} 权重为 0",
                &[s, Id(theirs.leader)],
            ),
        },
        K::VoteChanged {
            old: _,
            new,
            from: _,
            by,
        } => {
            p.tone(Tone::Chosen);
            let by = match by {
                VoteField::Epoch => p.lang.pick("newer epoch", "纪元更新"),
                VoteField::Zxid => p.lang.pick("higher zxid", "zxid 更高"),
                VoteField::Id => p.lang.pick("higher id", "编号更大"),
                VoteField::Weight => p.lang.pick("weight", "权重"),
                VoteField::Same => p.lang.pick("the same", "相同"),
            };
            p.say(
                "{0} votes for {1}: {2}",
                "{0} 改投 {1}：{2}",
                &[s, Id(new.leader), T(by)],
            );
        }
        K::RoundAdvanced { old, new, .. } => p.say(
            "{0} moves from round {1} to round {2}",
            "{0} 从第 {1} 轮进入第 {2} 轮",
            &[s, N(*old), N(*new)],
        ),
        K::VoteIgnored {
            from,
            vote: _,
            because,
        } => {
            let why = p.phrase(|p| reason::ignored(p, because));
            p.say(
                "{0} does not count {1}: {2}",
                "{0} 不计 {1}：{2}",
                &[s, Id(*from), T(&why)],
            );
        }
        K::VoteRecorded {
            supporters, need, ..
        } => p.say(
            "{0} counts {1} of the {2} votes it needs",
            "{0} 计得 {1} 票，需要 {2} 票",
            &[s, n(*supporters), n(*need)],
        ),
        K::QuorumOfVotes {
            vote, supporters, ..
        } => {
            p.tone(Tone::Chosen);
            p.say(
                "{0} has a quorum: {1} votes for {2}",
                "{0} 看到法定人数：{1} 票投给 {2}",
                &[s, n(*supporters), Id(vote.leader)],
            );
        }
        K::QuorumOvertaken { by } => p.say(
            "{0}: a better vote came in time, for {1}",
            "{0}：及时收到更好的选票，投给 {1}",
            &[s, Id(by.leader)],
        ),
        K::VoteAnswered {
            to, state, vote, ..
        } => match state {
            ServerState::Looking => p.say(
                "{0} tells {1} its vote: {2}",
                "{0} 告诉 {1} 自己的票：{2}",
                &[s, Id(*to), Id(vote.leader)],
            ),
            ServerState::Leading => p.say(
                "{0} tells {1} that it leads",
                "{0} 告诉 {1} 自己在领导",
                &[s, Id(*to)],
            ),
            ServerState::Following | ServerState::Observing => p.say(
                "{0} tells {1} that {2} leads",
                "{0} 告诉 {1}：{2} 在领导",
                &[s, Id(*to), Id(vote.leader)],
            ),
        },
        K::VoteRepeated { next } => p.say(
            "{0} repeats its vote, waits {1}",
            "{0} 重发选票，等 {1}",
            &[s, Time(*next)],
        ),
        K::Elected { leader, state, .. } => {
            p.tone(Tone::Chosen);
            match state {
                ServerState::Leading => p.say("{0} is elected", "{0} 当选", &[s]),
                ServerState::Following => {
                    p.say("{0} follows {1}", "{0} 跟随 {1}", &[s, Id(*leader)]);
                }
                ServerState::Observing => {
                    p.say("{0} observes {1}", "{0} 观察 {1}", &[s, Id(*leader)]);
                }
                ServerState::Looking => p.say("{0} goes on looking", "{0} 继续寻找", &[s]),
            }
        }

        K::Connecting { leader, attempt } => p.say(
            "{0} calls {1}, attempt {2}",
            "{0} 呼叫 {1}，第 {2} 次",
            &[s, Id(*leader), n(*attempt)],
        ),
        K::LearnerInfoSent {
            leader,
            accepted_epoch,
        } => p.say(
            "{0} tells {1} its acceptedEpoch: {2}",
            "{0} 告诉 {1} 它的 acceptedEpoch：{2}",
            &[s, Id(*leader), E(*accepted_epoch)],
        ),
        K::LearnerInfoCounted {
            from, have, need, ..
        } => {
            p.say(
                "Leader {0} hears from {1}",
                "领导者 {0} 收到 {1} 的报告",
                &[Id(me), Id(*from)],
            );
            count(p, *have, *need);
        }
        K::NewEpoch { epoch, highest } => {
            p.tone(Tone::Chosen);
            p.say(
                "{0} opens epoch {1}: the highest accepted was {2}",
                "{0} 开启纪元 {1}：接受过的最高是 {2}",
                &[s, E(*epoch), E(*highest)],
            );
        }
        K::AcceptedEpochSet { old: _, new } => {
            p.say("{0} accepts epoch {1}", "{0} 接受纪元 {1}", &[s, E(*new)]);
        }
        K::EpochAcked {
            epoch, last_zxid, ..
        } => p.say(
            "{0} agrees to epoch {1}; it last logged {2}",
            "{0} 同意纪元 {1}；日志止于 {2}",
            &[s, E(*epoch), Z(*last_zxid)],
        ),
        K::EpochAckCounted {
            from,
            counted: false,
            have,
            need,
            ..
        } => {
            p.say(
                "Leader {0}: {1} does not count",
                "领导者 {0}：{1} 不计数",
                &[Id(me), Id(*from)],
            );
            count(p, *have, *need);
        }
        K::EpochAckCounted {
            from, have, need, ..
        } => {
            p.say(
                "Leader {0}: {1} agreed",
                "领导者 {0}：{1} 同意",
                &[Id(me), Id(*from)],
            );
            count(p, *have, *need);
        }
        K::CurrentEpochSet { old: _, new } => {
            p.say(
                "{0} belongs to epoch {1}",
                "{0} 属于纪元 {1}",
                &[s, E(*new)],
            );
        }

        K::ReadingDiskLog { learner, .. } => p.say(
            "Leader {0} reads its log on disk for {1}",
            "领导者 {0} 为 {1} 读取磁盘日志",
            &[Id(me), Id(*learner)],
        ),
        K::SyncChosen {
            learner,
            mode,
            zxid,
            queued,
            ..
        } => p.say(
            "{0} sends {2} {3} to {1}, then {4} {4:transaction|transactions}",
            "{0} 向 {1} 发送 {2} {3}，随后 {4} 个事务",
            &[s, Id(*learner), V(names::mode(*mode)), Z(*zxid), n(*queued)],
        ),
        K::OutstandingForwarded {
            learner,
            first,
            last,
        } => p.say(
            "{0} forwards {2} to {3}, not committed yet, to {1}",
            "{0} 向 {1} 转发未提交的 {2} 到 {3}",
            &[s, Id(*learner), Z(*first), Z(*last)],
        ),
        K::SyncStarted { mode, zxid, .. } => p.say(
            "{0} follows {1} {2}",
            "{0} 执行 {1} {2}",
            &[s, V(names::mode(*mode)), Z(*zxid)],
        ),
        K::LogTruncated { to, count, .. } => {
            p.tone(Tone::Fault);
            p.say(
                "{0} cuts {2} {2:transaction|transactions} after {1}",
                "{0} 截掉 {1} 之后的 {2} 个事务",
                &[s, Z(*to), n(*count)],
            );
        }
        K::SnapshotInstalled { zxid, .. } => p.say(
            "{0} has the leader's tree, up to {1}",
            "{0} 得到领导者的树，到 {1}",
            &[s, Z(*zxid)],
        ),
        K::HistoryComplete { last_zxid, .. } => p.say(
            "{0} has the whole history, up to {1}",
            "{0} 拥有全部历史，到 {1}",
            &[s, Z(*last_zxid)],
        ),
        K::NewLeaderAckCounted { from, have, need } => {
            p.say(
                "Leader {0}: {1} has the history on disk",
                "领导者 {0}：{1} 的磁盘上有历史",
                &[Id(me), Id(*from)],
            );
            count(p, *have, *need);
        }
        K::Established { epoch, .. } => {
            p.tone(Tone::Chosen);
            p.say("{0} leads epoch {1}", "{0} 领导纪元 {1}", &[s, E(*epoch)]);
        }
        K::UpToDateSent { learner } => p.say(
            "{0} tells {1} to serve",
            "{0} 让 {1} 开始服务",
            &[s, Id(*learner)],
        ),
        K::Serving { last_zxid, .. } => p.say(
            "{0} serves, as of {1}",
            "{0} 开始服务，状态 {1}",
            &[s, Z(*last_zxid)],
        ),
        K::ServingAlone { last_zxid } => p.say(
            "{0} serves alone, as of {1}",
            "{0} 独自开始服务，状态 {1}",
            &[s, Z(*last_zxid)],
        ),

        K::RequestForwarded { leader, op, .. } => p.say(
            "{0} forwards {2} to {1}",
            "{0} 把 {2} 转给 {1}",
            &[s, Id(*leader), V(names::op(*op))],
        ),
        K::Proposed {
            zxid,
            txn,
            path,
            error,
            ..
        } => match error {
            Some(code) => p.say(
                "{0} proposes {1}: a failure, {2}",
                "{0} 提出 {1}：一次失败，{2}",
                &[s, Z(*zxid), V(code.name())],
            ),
            None => {
                let what = names::at(names::txn(*txn), path.as_deref());
                p.say(
                    "{0} proposes {1}: {2}",
                    "{0} 提出 {1}：{2}",
                    &[s, Z(*zxid), V(&what)],
                );
            }
        },
        K::RequestRefused { error, .. } => p.say(
            "{0} refuses a request: {1}",
            "{0} 拒绝一个请求：{1}",
            &[s, V(error.name())],
        ),
        K::Logged { zxid } => p.say("{0} logs {1}", "{0} 记录 {1}", &[s, Z(*zxid)]),
        K::AckSent { zxid, to } => p.say(
            "{0} has {1} on disk and tells {2}",
            "{0} 的磁盘上有了 {1}，告诉 {2}",
            &[s, Z(*zxid), Id(*to)],
        ),
        K::AckCounted {
            zxid,
            from,
            have,
            need,
        } => {
            p.say(
                "Leader {0}: {1} is on the disk of {2}",
                "领导者 {0}：{1} 在 {2} 的磁盘上",
                &[Id(me), Z(*zxid), Id(*from)],
            );
            count(p, *have, *need);
        }
        K::AckIgnored { zxid, from } => p.say(
            "{0} ignores the ACK of {1} for {2}",
            "{0} 忽略 {1} 对 {2} 的确认",
            &[s, Id(*from), Z(*zxid)],
        ),
        K::Committed { zxid, acks, need } => {
            p.tone(Tone::Chosen);
            p.say(
                "{0} is committed: on {1} disks, {2} needed",
                "{0} 已提交：在 {1} 个磁盘上，需要 {2}",
                &[Z(*zxid), n(*acks), n(*need)],
            );
        }
        K::Applied {
            zxid,
            txn,
            path,
            error,
            ..
        } => {
            let what = match error {
                Some(code) => names::at(code.name(), None),
                None => names::at(names::txn(*txn), path.as_deref()),
            };
            p.say(
                "{0} applies {1}: {2}",
                "{0} 应用 {1}：{2}",
                &[s, Z(*zxid), V(&what)],
            );
        }
        K::DigestMismatch { zxid, .. } => {
            p.tone(Tone::Fault);
            p.say(
                "{0}: another tree than the leader's after {1}",
                "{0}：{1} 之后树与领导者不同",
                &[s, Z(*zxid)],
            );
        }
        K::SnapshotTaken { zxid } => p.say(
            "{0} writes a snapshot, up to {1}",
            "{0} 写快照，到 {1}",
            &[s, Z(*zxid)],
        ),

        K::PingsSent { learners } => p.say(
            "{0} pings {1} {1:learner|learners}",
            "{0} ping {1} 个学习者",
            &[s, n(*learners)],
        ),
        K::QuorumChecked { in_time, need } => p.say(
            "{0}: {1} in time, {2} needed",
            "{0}：{1} 台按时，需要 {2} 台",
            &[s, n(*in_time), n(*need)],
        ),
        K::LinkDropped { with, because } => {
            p.tone(Tone::Fault);
            let why = p.phrase(|p| reason::dropped(p, because));
            p.say(
                "{0} drops {1}: {2}",
                "{0} 断开 {1}：{2}",
                &[s, Id(*with), T(&why)],
            );
        }
        K::SteppedDown { was, because: _ } => {
            p.tone(Tone::Fault);
            match was {
                ServerState::Leading => p.say("{0} stops leading", "{0} 停止领导", &[s]),
                ServerState::Following | ServerState::Observing | ServerState::Looking => {
                    p.say("{0} has lost its leader", "{0} 失去了领导者", &[s]);
                }
            }
        }

        K::SessionProposed { session, .. } => {
            p.say("{0} asks for {1}", "{0} 申请{1}", &[s, Session(*session)])
        }
        K::LocalSessionBegan { session, .. } => p.say(
            "{0} begins {1} as a local session",
            "{0} 开始本地会话{1}",
            &[s, Session(*session)],
        ),
        K::SessionUpgraded { session } => p.say(
            "{0} has {1} made global",
            "{0} 请求把{1} 变成全局会话",
            &[s, Session(*session)],
        ),
        K::LocalSessionEnded { session, .. } => {
            p.say("{1} ends at {0}", "{1} 在{0} 结束", &[s, Session(*session)])
        }
        K::MembersSeen { version: v, .. } => {
            p.say("{0} sees members {1}", "{0} 看到成员 {1}", &[s, Z(*v)])
        }
        K::MembersActivated { version: v, .. } => {
            p.say("{0} takes members {1}", "{0} 启用成员 {1}", &[s, Z(*v)])
        }
        K::ReadOnlyBegan { .. } => p.say("{0} answers reads only", "{0} 只回答读操作", &[s]),
        K::SessionAttached { client, moved, .. } => {
            if *moved {
                p.say(
                    "{1} goes on at {0}",
                    "{1} 在{0} 继续会话",
                    &[s, Client(*client)],
                );
            } else {
                p.say(
                    "{1} has a session at {0}",
                    "{1} 在{0} 有了会话",
                    &[s, Client(*client)],
                );
            }
        }
        K::SessionTouched { session } => {
            p.say("{0} heard from {1}", "{0} 听到{1}", &[s, Session(*session)])
        }
        K::SessionExpired {
            session,
            timeout_ms,
        } => {
            p.tone(Tone::Fault);
            p.say(
                "{0} ends {1}: silent for {2}",
                "{0} 结束{1}：沉默了 {2}",
                &[s, Session(*session), Ms(*timeout_ms)],
            );
        }
        K::SessionValidated { session, valid, .. } => {
            if *valid {
                p.say(
                    "{0}: {1} is alive",
                    "{0}：{1} 有效",
                    &[s, Session(*session)],
                );
            } else {
                p.say(
                    "{0}: {1} is gone",
                    "{0}：{1} 已不存在",
                    &[s, Session(*session)],
                );
            }
        }
        K::SessionEnded {
            session,
            ephemerals,
        } if *ephemerals == 0 => {
            p.say("{0}: {1} is over", "{0}：{1} 结束", &[s, Session(*session)])
        }
        K::SessionEnded {
            session,
            ephemerals,
        } => p.say(
            "{0}: {1} is over, {2} {2:ephemeral|ephemerals} gone",
            "{0}：{1} 结束，{2} 个临时节点消失",
            &[s, Session(*session), n(*ephemerals)],
        ),
        K::ClientRefused { client, because: _ } => {
            p.tone(Tone::Fault);
            p.say(
                "{0} closes the connection of {1}",
                "{0} 关闭{1} 的连接",
                &[s, Client(*client)],
            );
        }
        K::RequestQueued { session, op, .. } => p.say(
            "{0} lets {2} of {1} wait",
            "{0} 让{1} 的 {2} 等待",
            &[s, Session(*session), V(names::op(*op))],
        ),
        K::ReadServed {
            client,
            op,
            path,
            zxid,
            ..
        } => {
            let what = names::at(names::op(*op), path.as_deref());
            p.say(
                "{0} answers {2} of {1} as of {3}",
                "{0} 回答{1} 的 {2}，状态 {3}",
                &[s, Client(*client), V(&what), Z(*zxid)],
            );
        }
        K::WriteAnswered {
            client,
            op,
            zxid,
            error,
            ..
        } => match error {
            None => p.say(
                "{0} tells {1}: {2} is done, {3}",
                "{0} 告诉{1}：{2} 完成，{3}",
                &[s, Client(*client), V(names::op(*op)), Z(*zxid)],
            ),
            Some(code) => p.say(
                "{0} tells {1}: {2} failed, {3}",
                "{0} 告诉{1}：{2} 失败，{3}",
                &[s, Client(*client), V(names::op(*op)), V(code.name())],
            ),
        },
        K::SyncAnswered { client, zxid, .. } => p.say(
            "{0} answers sync of {1}, as of {2}",
            "{0} 回答{1} 的 sync，状态 {2}",
            &[s, Client(*client), Z(*zxid)],
        ),
        K::WatchSet { client, path, .. } => p.say(
            "{1} watches {2} at {0}",
            "{1} 在{0} 监听 {2}",
            &[s, Client(*client), V(path)],
        ),
        K::WatchFired {
            client,
            path,
            event,
            ..
        } => {
            let what = names::happened(*event, p.lang);
            p.say(
                "{0}, watch of {1}: {2} {3}",
                "{0}，{1} 的监听：{2} {3}",
                &[s, Client(*client), V(path), T(what)],
            );
        }
        K::WatchRemoved { client, path } => p.say(
            "{0}: {1} watches {2} no more",
            "{0}：{1} 不再监听 {2}",
            &[s, Client(*client), V(path)],
        ),
        K::Authenticated { client, scheme } => p.say(
            "{0}: {1} proved an identity ({2})",
            "{0}：{1} 证明了身份（{2}）",
            &[s, Client(*client), V(scheme)],
        ),
        K::ContainerFound { path } => p.say(
            "{0} will delete {1}: empty or outdated",
            "{0} 将删除 {1}：已空或过期",
            &[s, V(path)],
        ),
    }
}

/// How many of how many: `2 of 3`; more than are needed are told apart.
fn count(p: &mut Pen<'_>, have: u32, need: u32) {
    if have <= need {
        p.say(": {0} of {1}", "：{0}/{1}", &[n(have), n(need)]);
    } else {
        p.say(": {0}, {1} needed", "：{0}，需要 {1}", &[n(have), n(need)]);
    }
}

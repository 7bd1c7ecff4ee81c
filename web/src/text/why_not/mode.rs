//! DIFF, TRUNC, SNAP: why one of them was not chosen.

use zabscope_core::peer::event::{SyncMode, SyncRule};

/// Why this mode was not chosen, when that rule was. `{0}`: the learner, `{1}`: its last zxid,
/// `{2}` to `{3}`: the committedLog, `{4}`: the leader's last processed zxid.
pub(super) const fn not(wanted: SyncMode, rule: SyncRule) -> (&'static str, &'static str) {
    match (wanted, rule) {
        (_, SyncRule::Equal) => (
            "{0} ends at {1}, exactly where the leader does: nothing is to be cut or sent.",
            "{0} 止于 {1}，与领导者完全相同：没有要截断或发送的。",
        ),
        (SyncMode::Diff, SyncRule::AheadOfLeader) => (
            "{0} ends at {1}, above {3}, the last that the leader has committed: it has too much, not too little.",
            "{0} 止于 {1}，高于领导者最后提交的 {3}：它是多了，不是少了。",
        ),
        (_, SyncRule::AheadOfLeader) => (
            "{0} ends at {1}, above {3}: it only has to be cut, a whole tree is not needed.",
            "{0} 止于 {1}，高于 {3}：只需截断，不需要整棵树。",
        ),
        (SyncMode::Trunc, SyncRule::InCommittedLog | SyncRule::FromDiskLog) => (
            "{0} ends at {1}, which the leader has too: there is no wrong tail to cut.",
            "{0} 止于 {1}，领导者也有它：没有要截断的错误尾部。",
        ),
        (_, SyncRule::InCommittedLog) => (
            "{0} ends at {1}, within the committedLog from {2} to {3}: what is missing costs less than a tree.",
            "{0} 止于 {1}，在 {2} 到 {3} 的 committedLog 之内：缺的部分比整棵树便宜。",
        ),
        (_, SyncRule::FromDiskLog) => (
            "{0} ends at {1}, before {2}, but the log on disk reaches back to it and costs less than a tree.",
            "{0} 止于 {1}，早于 {2}，但磁盘日志够得着它，而且比整棵树便宜。",
        ),
        (SyncMode::Diff, SyncRule::WrongTail) => (
            "{0} ends at {1}, between {2} and {3}, but the leader does not have it: a wrong tail has to go first.",
            "{0} 止于 {1}，在 {2} 与 {3} 之间，但领导者没有它：错误的尾部要先去掉。",
        ),
        (_, SyncRule::WrongTail) => (
            "{0} ends at {1}, a wrong tail of the epoch that the leader has: to cut it is enough.",
            "{0} 止于 {1}，是领导者所在纪元的错误尾部：截断就够了。",
        ),
        (_, SyncRule::WrongTailOtherEpoch) => (
            "{0} ends at {1}, which the leader does not have, and a cut must not cross the border of an epoch.",
            "{0} 止于 {1}，领导者没有它，而截断不得跨越纪元边界。",
        ),
        (SyncMode::Trunc, SyncRule::NewEpochOnly) => (
            "{0} ends at {1}, the beginning of an epoch: that is no transaction, there is nothing to cut.",
            "{0} 止于 {1}，只是纪元的开头：它不是事务，没有可截的。",
        ),
        (_, SyncRule::NewEpochOnly) => (
            "{0} ends at {1}, the beginning of an epoch, and the leader has everything that comes after it.",
            "{0} 止于 {1}，是纪元的开头，其后的领导者都有。",
        ),
        (_, SyncRule::DiskLogPurged) => (
            "{0} ends at {1}, before the committedLog begins at {2}, and the log on disk no longer reaches back to it.",
            "{0} 止于 {1}，早于 committedLog 的开头 {2}，磁盘日志也够不着它了。",
        ),
        (_, SyncRule::DiskLogTooLarge) => (
            "{0} ends at {1}, before {2}; what the log on disk would send is larger than its part of a snapshot.",
            "{0} 止于 {1}，早于 {2}；磁盘日志要发送的超过了快照的允许比例。",
        ),
        (_, SyncRule::DiskLogGap) => (
            "{0} ends at {1}; the log on disk ends before the committedLog begins at {2}, and a gap can't be joined.",
            "{0} 止于 {1}；磁盘日志在 committedLog 的开头 {2} 之前就结束了，有缺口无法衔接。",
        ),
        (_, SyncRule::DiskLogOff) => (
            "{0} ends at {1}, before the committedLog begins at {2}, and the log on disk is not used (snapshotSizeFactor).",
            "{0} 止于 {1}，早于 committedLog 的开头 {2}，而磁盘日志未启用（snapshotSizeFactor）。",
        ),
        (_, SyncRule::Forced) => (
            "{0} ends at {1}, and the configuration has every learner sent a snapshot (forceSnapshotSync).",
            "{0} 止于 {1}，而配置要求总是发送快照（forceSnapshotSync）。",
        ),
        (_, SyncRule::NothingFits) => (
            "{0} ends at {1}, and neither {2} to {3} nor anything else of the leader joins it.",
            "{0} 止于 {1}，领导者的 {2} 到 {3} 以及其他内容都无法与它衔接。",
        ),
    }
}

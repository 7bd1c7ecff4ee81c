//! The words on the stage, in each language. Names of the protocol stay as ZooKeeper writes them.

use crate::scene::sight::{Role, What};
use std::fmt::Write as _;
use zabscope_core::{
    id::{Epoch, ServerId, Zxid},
    message::MessageKind,
    peer::event::{IgnoreReason, Phase, SyncMode, SyncRule, TxnKind, VoteField},
    time::Span,
};

pub use crate::text::Lang;

/// `2·09`: two digits at least, so that zxids line up.
#[must_use]
pub fn zxid(z: Zxid) -> String {
    if z.0 < 0 {
        return "–".to_owned();
    }
    format!("{}·{:02}", z.epoch().0, z.counter())
}

/// `e2`.
#[must_use]
pub fn epoch(e: Epoch) -> String {
    if e.0 < 0 {
        return "–".to_owned();
    }
    format!("e{}", e.0)
}

/// `400 ms`, `1.5 s`.
#[must_use]
pub fn span(s: Span) -> String {
    let ms = s.as_millis();
    if ms < 1000 {
        format!("{ms} ms")
    } else if ms.is_multiple_of(1000) {
        format!("{} s", ms / 1000)
    } else {
        format!("{}.{} s", ms / 1000, ms % 1000 / 100)
    }
}

/// The letter of a client: A to Z, then numbers.
#[must_use]
pub fn client_letter(no: u16) -> String {
    match no {
        1..=26 => char::from(b'A' + (no - 1) as u8).to_string(),
        _ => no.to_string(),
    }
}

impl Lang {
    /// One of two.
    #[must_use]
    pub const fn of(self, en: &'static str, zh: &'static str) -> &'static str {
        match self {
            Lang::En => en,
            Lang::Zh => zh,
        }
    }

    /// What a server does.
    #[must_use]
    pub const fn role(self, role: Role) -> &'static str {
        match role {
            Role::Looking => self.of("looking", "选举中"),
            Role::Following => self.of("following", "跟随"),
            Role::Leading => self.of("leading", "领导"),
            Role::Observing => self.of("observing", "观察"),
            Role::Down => self.of("down", "已停机"),
        }
    }

    /// A phase's name.
    #[must_use]
    pub const fn phase(self, phase: Phase) -> &'static str {
        match phase {
            Phase::Election => self.of("election", "选举"),
            Phase::Discovery => self.of("discovery", "发现"),
            Phase::Synchronisation => self.of("synchronisation", "同步"),
            Phase::Broadcast => self.of("broadcast", "广播"),
        }
    }

    /// The note under a server.
    #[must_use]
    pub fn note(self, role: Role, phase: Phase, round: u64, short: bool) -> String {
        match (role, phase, short) {
            (Role::Down, ..) => self.role(role).to_owned(),
            (Role::Looking, _, false) => match self {
                Lang::En => format!("looking, round {round}"),
                Lang::Zh => format!("选举中，第 {round} 轮"),
            },
            (Role::Looking, _, true) => match self {
                Lang::En => format!("round {round}"),
                Lang::Zh => format!("第 {round} 轮"),
            },
            (_, Phase::Discovery, true) => self.of("discovery", "发现").to_owned(),
            (_, Phase::Synchronisation, true) => self.of("syncing", "同步中").to_owned(),
            (_, Phase::Discovery, false) => match self {
                Lang::En => format!("{}, discovery", self.role(role)),
                Lang::Zh => format!("{}，发现", self.role(role)),
            },
            (_, Phase::Synchronisation, false) => match self {
                Lang::En => format!("{}, syncing", self.role(role)),
                Lang::Zh => format!("{}，同步中", self.role(role)),
            },
            _ => self.role(role).to_owned(),
        }
    }

    /// "applied 2 behind".
    #[must_use]
    pub fn behind(self, n: u64, short: bool) -> String {
        match (self, short) {
            (Lang::En, false) => format!("applied {n} behind"),
            (Lang::En, true) => format!("{n} behind"),
            (Lang::Zh, _) => format!("落后 {n} 个"),
        }
    }

    /// A server's accessible name.
    #[must_use]
    pub fn server_name(self, id: ServerId, role: Role, e: Epoch, z: Zxid, paused: bool) -> String {
        let mut name = match self {
            Lang::En => format!("Server {id}, {}, epoch {e}, last zxid {z}", self.role(role)),
            Lang::Zh => format!(
                "服务器 {id}，{}，纪元 {e}，最后的 zxid {z}",
                self.role(role)
            ),
        };
        if paused {
            name.push_str(self.of(", paused", "，已暂停"));
        }
        name
    }

    /// A message's label: `PROPOSAL 3·09`, `vote 3`.
    #[must_use]
    pub fn label(self, what: &What) -> String {
        match what {
            What::Vote { vote, looking, .. } => {
                if vote.leader == ServerId::NOBODY {
                    return self.of("looks", "寻找").to_owned();
                }
                match (self, looking) {
                    (Lang::En, true) => format!("vote {}", vote.leader),
                    (Lang::Zh, true) => format!("投 {}", vote.leader),
                    (Lang::En, false) => format!("leader {}", vote.leader),
                    (Lang::Zh, false) => format!("领导者 {}", vote.leader),
                }
            }
            What::Packet {
                kind,
                zxid: z,
                epoch: e,
            } => {
                let mut text = kind.name().to_owned();
                match kind {
                    MessageKind::FollowerInfo
                    | MessageKind::ObserverInfo
                    | MessageKind::LeaderInfo
                    | MessageKind::NewLeader => {
                        if let Some(z) = z {
                            let _ = write!(text, " {}", epoch(z.epoch()));
                        }
                    }
                    MessageKind::Ack if z.is_some_and(|z| z.is_new_epoch()) => {
                        if let Some(z) = z {
                            let _ = write!(text, " NEWLEADER {}", epoch(z.epoch()));
                        }
                    }
                    MessageKind::AckEpoch => {
                        if let Some(z) = z {
                            let e = e.map_or("–".to_owned(), epoch);
                            let _ = write!(text, " ({e}, {})", zxid(*z));
                        }
                    }
                    MessageKind::Diff
                    | MessageKind::Trunc
                    | MessageKind::Snap
                    | MessageKind::Proposal
                    | MessageKind::Ack
                    | MessageKind::Commit
                    | MessageKind::CommitAndActivate
                    | MessageKind::InformAndActivate
                    | MessageKind::Inform => {
                        if let Some(z) = z {
                            let _ = write!(text, " {}", zxid(*z));
                        }
                    }
                    MessageKind::Notification
                    | MessageKind::UpToDate
                    | MessageKind::Request
                    | MessageKind::Ping
                    | MessageKind::Pong
                    | MessageKind::Revalidate
                    | MessageKind::Revalidated
                    | MessageKind::Sync => {}
                }
                text
            }
            What::Request(text) | What::Reply(text) | What::Watch(text) => text.clone(),
            What::ClientPing => "ping".to_owned(),
        }
    }

    /// A message's accessible name: "PROPOSAL 3·09 from 3 to 5".
    #[must_use]
    pub fn message_name(self, label: &str, from: &str, to: &str, stopped: bool) -> String {
        let mut name = match self {
            Lang::En => format!("{label} from {from} to {to}"),
            Lang::Zh => format!("{label}，从 {from} 到 {to}"),
        };
        if stopped {
            name.push_str(self.of(", lost on the way", "，途中丢失"));
        }
        name
    }

    /// The field that decides.
    #[must_use]
    pub const fn decided(self, by: VoteField) -> &'static str {
        match by {
            VoteField::Epoch => self.of("decided by epoch", "由纪元决定"),
            VoteField::Zxid => self.of("same epoch, decided by zxid", "纪元相同，由 zxid 决定"),
            VoteField::Id => self.of(
                "equal so far, decided by myid",
                "纪元与 zxid 相同，由 myid 决定",
            ),
            VoteField::Same => self.of("the same vote", "同一张选票"),
            VoteField::Weight => self.of("a server of weight 0 can't win", "权重为 0 者不能当选"),
        }
    }

    /// Why a vote was dropped.
    #[must_use]
    pub fn ignored(self, from: ServerId, because: IgnoreReason) -> String {
        match (self, because) {
            (Lang::En, IgnoreReason::OlderRound { theirs, ours }) => {
                format!("vote of {from} dropped: round {theirs} < {ours}")
            }
            (Lang::Zh, IgnoreReason::OlderRound { theirs, ours }) => {
                format!("丢弃 {from} 的选票：第 {theirs} 轮 < 第 {ours} 轮")
            }
            (Lang::En, IgnoreReason::SenderNoVoter) => {
                format!("vote of {from} dropped: no voter")
            }
            (Lang::Zh, IgnoreReason::SenderNoVoter) => {
                format!("丢弃 {from} 的选票：没有投票权")
            }
            (Lang::En, IgnoreReason::CandidateNoVoter) => {
                format!("vote of {from} dropped: its candidate is no voter")
            }
            (Lang::Zh, IgnoreReason::CandidateNoVoter) => {
                format!("丢弃 {from} 的选票：候选者没有投票权")
            }
            (Lang::En, IgnoreReason::Uninitialised) => {
                format!("vote of {from} has no say: empty disk")
            }
            (Lang::Zh, IgnoreReason::Uninitialised) => {
                format!("{from} 的选票不算：磁盘为空")
            }
            (Lang::En, IgnoreReason::NobodyLooking) => {
                format!("word of {from} not needed: nobody looks")
            }
            (Lang::Zh, IgnoreReason::NobodyLooking) => {
                format!("不需要 {from} 的消息：无人在选举")
            }
            (Lang::En, IgnoreReason::SenderObserves) => {
                format!("word of {from} does not count: observer")
            }
            (Lang::Zh, IgnoreReason::SenderObserves) => {
                format!("{from} 的消息不算：它是观察者")
            }
        }
    }

    /// DIFF, TRUNC or SNAP in words.
    #[must_use]
    pub const fn mode(self, mode: SyncMode) -> &'static str {
        match mode {
            SyncMode::Diff => "DIFF",
            SyncMode::Trunc => "TRUNC",
            SyncMode::Snap => "SNAP",
        }
    }

    /// What a mode does.
    #[must_use]
    pub const fn mode_does(self, mode: SyncMode) -> &'static str {
        match mode {
            SyncMode::Diff => self.of("send what is missing", "补发缺少的事务"),
            SyncMode::Trunc => self.of("cut the tail, then send", "截去尾部，再补发"),
            SyncMode::Snap => self.of("send the whole tree", "发送整棵树"),
        }
    }

    /// The rule that chose the mode, in two short lines at most. `z` are the learner's last zxid,
    /// and the leader's min, max and last processed.
    #[must_use]
    pub fn rule(self, rule: SyncRule, z: [Zxid; 4]) -> Vec<String> {
        let [peer, min, max, last] = z.map(zxid);
        let two = |a: String, b: &str| vec![a, b.to_owned()];
        match (self, rule) {
            (Lang::En, SyncRule::Equal) => two(
                format!("learner's last {peer} = leader's last {last}"),
                "nothing is missing",
            ),
            (Lang::Zh, SyncRule::Equal) => two(
                format!("学习者的末尾 {peer} = 领导者的末尾 {last}"),
                "什么都不缺",
            ),
            (Lang::En, SyncRule::AheadOfLeader) => two(
                format!("learner's last {peer} > leader's max {max}"),
                &format!("and {peer} is not the start of an epoch"),
            ),
            (Lang::Zh, SyncRule::AheadOfLeader) => two(
                format!("学习者的末尾 {peer} > 领导者的 max {max}"),
                &format!("且 {peer} 不是纪元的开头"),
            ),
            (Lang::En, SyncRule::InCommittedLog) => two(
                format!("min {min} ≤ {peer} ≤ max {max}"),
                &format!("and {peer} is in the committedLog"),
            ),
            (Lang::Zh, SyncRule::InCommittedLog) => two(
                format!("min {min} ≤ {peer} ≤ max {max}"),
                &format!("且 {peer} 在 committedLog 中"),
            ),
            (Lang::En, SyncRule::WrongTail) => two(
                format!("min {min} ≤ {peer} ≤ max {max}"),
                &format!("but the leader has no {peer}: a wrong tail"),
            ),
            (Lang::Zh, SyncRule::WrongTail) => two(
                format!("min {min} ≤ {peer} ≤ max {max}"),
                &format!("但领导者没有 {peer}：尾部有误"),
            ),
            (Lang::En, SyncRule::WrongTailOtherEpoch) => two(
                format!("the leader has no {peer}, and what follows"),
                "is of another epoch: no cut across epochs",
            ),
            (Lang::Zh, SyncRule::WrongTailOtherEpoch) => two(
                format!("领导者没有 {peer}，其后属于另一纪元"),
                "不能跨纪元截断",
            ),
            (Lang::En, SyncRule::NewEpochOnly) => two(
                format!("{peer} is only the start of an epoch"),
                "nothing to cut, send what follows",
            ),
            (Lang::Zh, SyncRule::NewEpochOnly) => {
                two(format!("{peer} 只是纪元的开头"), "无需截断，补发其后的事务")
            }
            (Lang::En, SyncRule::FromDiskLog) => two(
                format!("learner's last {peer} < min {min}"),
                "but the log on disk still has it",
            ),
            (Lang::Zh, SyncRule::FromDiskLog) => two(
                format!("学习者的末尾 {peer} < min {min}"),
                "但磁盘日志里还有它",
            ),
            (Lang::En, SyncRule::DiskLogPurged) => two(
                format!("learner's last {peer} < min {min}"),
                "and the log on disk begins after it",
            ),
            (Lang::Zh, SyncRule::DiskLogPurged) => two(
                format!("学习者的末尾 {peer} < min {min}"),
                "且磁盘日志从它之后才开始",
            ),
            (Lang::En, SyncRule::DiskLogTooLarge) => two(
                format!("learner's last {peer} < min {min}"),
                "and the log would be more to send than the tree",
            ),
            (Lang::Zh, SyncRule::DiskLogTooLarge) => two(
                format!("学习者的末尾 {peer} < min {min}"),
                "且发送日志比发送整棵树还多",
            ),
            (Lang::En, SyncRule::DiskLogGap) => two(
                format!("learner's last {peer} < min {min}"),
                "and the log on disk ends before that",
            ),
            (Lang::Zh, SyncRule::DiskLogGap) => two(
                format!("学习者的末尾 {peer} < min {min}"),
                "且磁盘日志在那之前就结束了",
            ),
            (Lang::En, SyncRule::DiskLogOff) => two(
                format!("learner's last {peer} < min {min}"),
                "and the log on disk is not to be used",
            ),
            (Lang::Zh, SyncRule::DiskLogOff) => two(
                format!("学习者的末尾 {peer} < min {min}"),
                "且不允许使用磁盘日志",
            ),
            (Lang::En, SyncRule::Forced) => two(
                format!("learner's last {peer}"),
                "and a snapshot is always to be sent",
            ),
            (Lang::Zh, SyncRule::Forced) => {
                two(format!("学习者的末尾 {peer}"), "且要求总是发送快照")
            }
            (Lang::En, SyncRule::NothingFits) => two(
                format!("{peer} is the start of an epoch"),
                &format!("above the leader's max {max}"),
            ),
            (Lang::Zh, SyncRule::NothingFits) => two(
                format!("{peer} 是纪元的开头"),
                &format!("且高于领导者的 max {max}"),
            ),
        }
    }

    /// What a transaction does: `setData`.
    #[must_use]
    pub const fn txn(self, kind: TxnKind) -> &'static str {
        match kind {
            TxnKind::CreateSession => "createSession",
            TxnKind::CloseSession => "closeSession",
            TxnKind::Create => "create",
            TxnKind::Delete => "delete",
            TxnKind::SetData => "setData",
            TxnKind::Reconfig => "reconfig",
            TxnKind::SetAcl => "setACL",
            TxnKind::Check => "check",
            TxnKind::Multi => "multi",
            TxnKind::Error => "error",
        }
    }
}

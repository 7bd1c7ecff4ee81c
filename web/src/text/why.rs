//! The rule behind a fact, the values that it compared, and where it is written down.

use super::{
    Lang, NoContext, reason,
    say::{
        Arg::{E, Id, N, T, Time, Z},
        Pen,
    },
};
use zabscope_core::{
    id::{Epoch, ServerId, Zxid},
    message::Vote,
    peer::event::{
        DecidedBy, ElectionReason, EventKind as K, IgnoreReason, RefuseReason, SyncRule, VoteField,
    },
    sim::{Fact, WorldEventKind as W},
    time::Span,
};

/// Where a rule is written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source {
    /// The section of ZooKeeper.md.
    pub spec: &'static str,
    /// The part of the ZAB paper (Junqueira, Reed, Serafini, DSN 2011), if it has it.
    pub paper: Option<Paper>,
    /// The action in Apache's TLA+ specification (ZkV3_7_0.tla), if it has it.
    pub tla: Option<&'static str>,
}

/// The phases as the ZAB paper counts them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paper {
    /// Phase 1.
    Discovery,
    /// Phase 2.
    Synchronization,
    /// Phase 3.
    Broadcast,
}

impl Source {
    /// In one line.
    #[must_use]
    pub fn text(&self, lang: Lang) -> String {
        let mut p = Pen::new(lang, &NoContext);
        p.say("ZooKeeper.md {0}", "ZooKeeper.md {0}", &[T(self.spec)]);
        match self.paper {
            Some(Paper::Discovery) => p.say(
                " · ZAB paper, phase 1: discovery",
                " · ZAB 论文，阶段 1：发现",
                &[],
            ),
            Some(Paper::Synchronization) => p.say(
                " · ZAB paper, phase 2: synchronization",
                " · ZAB 论文，阶段 2：同步",
                &[],
            ),
            Some(Paper::Broadcast) => p.say(
                " · ZAB paper, phase 3: broadcast",
                " · ZAB 论文，阶段 3：广播",
                &[],
            ),
            None => {}
        }
        if let Some(tla) = self.tla {
            p.say(" · TLA+ {0}", " · TLA+ {0}", &[T(tla)]);
        }
        p.into_phrase()
    }
}

/// Two values that stand one above the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compared {
    /// What is compared: "epoch", "last zxid".
    pub what: String,
    /// Whose the first value is, and the value.
    pub left: (String, String),
    /// Whose the second value is, and the value.
    pub right: (String, String),
    /// This comparison decided; those before it were equal, those after it did not matter.
    pub decides: bool,
}

/// Why something happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The rule, in general words.
    pub rule: String,
    /// The values that it compared here.
    pub values: Vec<Compared>,
    /// Where it is written down.
    pub source: Source,
}

pub(super) const fn zk(spec: &'static str) -> Source {
    Source {
        spec,
        paper: None,
        tla: None,
    }
}

pub(super) const fn zab(spec: &'static str, paper: Paper, tla: &'static str) -> Source {
    Source {
        spec,
        paper: Some(paper),
        tla: Some(tla),
    }
}

pub(super) const fn tla(spec: &'static str, tla: &'static str) -> Source {
    Source {
        spec,
        paper: None,
        tla: Some(tla),
    }
}

/// Collects the values that are compared.
pub(super) struct Why {
    lang: Lang,
    pub(super) values: Vec<Compared>,
}

impl Why {
    pub(super) fn new(lang: Lang) -> Why {
        Why {
            lang,
            values: Vec::new(),
        }
    }

    pub(super) fn text(&self, write: impl FnOnce(&mut Pen<'_>)) -> String {
        let mut p = Pen::new(self.lang, &NoContext);
        write(&mut p);
        p.finish().text
    }

    pub(super) fn row(
        &mut self,
        what: (&'static str, &'static str),
        left: (String, String),
        right: (String, String),
        decides: bool,
    ) {
        self.values.push(Compared {
            what: self.lang.pick(what.0, what.1).to_owned(),
            left,
            right,
            decides,
        });
    }

    /// A value against the limit that this key of the configuration sets: that decides.
    fn limit(&mut self, what: (&'static str, &'static str), left: (String, String), key: &str) {
        let right = (self.words("limit", "期限"), key.to_owned());
        self.row(what, left, right, true);
    }

    fn time(&self, span: Span) -> String {
        self.text(|p| p.say("{0}", "{0}", &[Time(span)]))
    }

    pub(super) fn zxid(&self, z: Zxid) -> String {
        self.text(|p| p.say("{0}", "{0}", &[Z(z)]))
    }

    fn epoch(&self, e: Epoch) -> String {
        self.text(|p| p.say("{0}", "{0}", &[E(e)]))
    }

    fn number(&self, n: u64) -> String {
        self.text(|p| p.say("{0}", "{0}", &[N(n)]))
    }

    pub(super) fn who(&self, id: ServerId) -> String {
        super::server(id, self.lang)
    }

    fn words(&self, en: &'static str, zh: &'static str) -> String {
        self.lang.pick(en, zh).to_owned()
    }

    pub(super) fn count(&mut self, have: u32, need: u32) {
        let (h, q) = (self.number(u64::from(have)), self.number(u64::from(need)));
        let left = (self.words("there are", "已有"), h);
        let right = (self.words("a quorum needs", "法定人数"), q);
        self.row(("servers", "服务器数"), left, right, true);
    }

    /// The three comparisons of two votes, in their order.
    pub(super) fn votes(&mut self, a: Vote, b: Vote, by: VoteField) {
        let (wa, wb) = (self.who(a.leader), self.who(b.leader));
        let (ea, eb) = (self.epoch(a.epoch), self.epoch(b.epoch));
        self.row(
            ("epoch", "纪元"),
            (wa.clone(), ea),
            (wb.clone(), eb),
            by == VoteField::Epoch,
        );
        let (za, zb) = (self.zxid(a.zxid), self.zxid(b.zxid));
        self.row(
            ("last zxid", "最后的 zxid"),
            (wa.clone(), za),
            (wb.clone(), zb),
            by == VoteField::Zxid,
        );
        let id = |w: &Why, id| w.text(|p| p.say("{0}", "{0}", &[Id(id)]));
        let (ia, ib) = (id(self, a.leader), id(self, b.leader));
        self.row(("id", "编号"), (wa, ia), (wb, ib), by == VoteField::Id);
    }
}

/// Why this happened: the rule, the values, the source.
#[must_use]
pub fn why(fact: &Fact, lang: Lang) -> Explanation {
    let mut w = Why::new(lang);
    let (rule, source) = match fact {
        Fact::Peer(e) => peer(&mut w, e.id.server, &e.kind),
        Fact::World(e) => world(&mut w, &e.kind),
    };
    Explanation {
        rule: lang.pick(rule.0, rule.1).to_owned(),
        values: w.values,
        source,
    }
}

type Rule = ((&'static str, &'static str), Source);

const QUORUM: &str = "FLEHandleNotmsg";

#[allow(clippy::too_many_lines)] // one arm for each kind
fn peer(w: &mut Why, me: ServerId, kind: &K) -> Rule {
    match kind {
        K::Received { .. } => (
            (
                "A server acts only when something reaches it: a message, a timer, its disk, a client. It handles each completely before the next.",
                "服务器只在有东西到来时行动：消息、定时器、磁盘、客户端。它完整处理一个再处理下一个。",
            ),
            zk("3.1"),
        ),
        K::TimerFired { .. } => (
            (
                "Every wait has an end and a name. When the end comes and nothing has happened, the server acts by itself.",
                "每次等待都有期限和名字。期限到了还没有动静，服务器就自己行动。",
            ),
            zk("3.7"),
        ),
        K::LinkUp { .. } | K::Connecting { .. } => (
            (
                "A learner opens one connection to its leader. All they say to each other goes through it, in order. It tries five times, 100 ms apart.",
                "学习者与领导者建立一个连接，双方的消息都按顺序经过它。最多尝试五次，间隔 100 ms。",
            ),
            tla("3.2", "ConnectAndFollowerSendFOLLOWERINFO"),
        ),
        K::ConnectFailed { .. } => (
            (
                "A learner tries five times, 100 ms apart, to reach its leader. Then it looks for another.",
                "学习者最多尝试五次连接领导者，间隔 100 ms，之后去寻找别的领导者。",
            ),
            zk("3.2"),
        ),
        K::LinkDown { .. } => (
            (
                "A connection breaks as a whole: what was under way is lost, order is never changed. Who loses its leader looks for a new one.",
                "连接整体断开：途中的消息丢失，但顺序从不改变。失去领导者的服务器去寻找新的。",
            ),
            zk("3.7"),
        ),
        K::DiskSynced { durable } => {
            let z = w.zxid(*durable);
            let left = (w.who(me), z);
            let right = (
                w.words("lost in a crash", "崩溃时丢失"),
                w.words("what is above", "高于它的"),
            );
            w.row(("on disk up to", "磁盘已到"), left, right, true);
            (
                (
                    "What was only handed to the disk can be lost in a crash. What it has confirmed can't. Nobody is promised anything before that.",
                    "只交给磁盘的内容在崩溃时可能丢失，磁盘确认过的不会。在此之前不对任何人作承诺。",
                ),
                zk("3.6"),
            )
        }
        K::DiskRead { .. } | K::ReadingDiskLog { .. } => (
            (
                "The leader keeps the last committed transactions in memory. For a learner that is further behind it looks into its log on disk, before it sends a whole tree.",
                "领导者在内存中保留最近提交的事务。学习者落后更多时，先查磁盘日志，再考虑发送整棵树。",
            ),
            tla("3.4", "LeaderSyncFollower"),
        ),
        K::ClientArrived { .. } | K::SessionProposed { .. } => (
            (
                "A session is part of the replicated state: it begins with a transaction that every server applies. So any server can take it over.",
                "会话是复制状态的一部分：它由每台服务器都应用的事务开始，所以任何服务器都能接管它。",
            ),
            zk("1.4"),
        ),
        K::LocalSessionBegan { .. } | K::SessionUpgraded { .. } | K::LocalSessionEnded { .. } => (
            (
                "A local session costs no transaction, so very many clients may come and go. It can't be taken over by another server, and owns no ephemeral znodes: for these it first becomes a global one.",
                "本地会话不需要事务，所以大量客户端可以来来去去。它不能被别的服务器接管，也不拥有临时节点：要创建临时节点，先得变成全局会话。",
            ),
            zk("1.4"),
        ),
        K::MembersSeen { .. } | K::MembersActivated { .. } => (
            (
                "While members change, every decision needs a quorum of the old ones and a quorum of the new. So there is no moment at which two halves could each believe that they decide.",
                "成员变化期间，每个决定都需要旧成员的法定人数和新成员的法定人数。因此不会有两半各自以为能做决定的时刻。",
            ),
            zk("3.9"),
        ),
        K::ReadOnlyBegan { .. } => (
            (
                "Without a quorum nobody knows what is committed. What such a server answers may be old, and may even be taken back; who reads from it has agreed to that.",
                "没有法定人数就没人知道什么已提交。这样的服务器的回答可能是旧的，甚至可能被撤回；读它的客户端已同意这一点。",
            ),
            zk("1.13"),
        ),
        K::SessionAttached { .. } => (
            (
                "The session's life does not depend on the connection. A client that reconnects in time, anywhere, keeps its session and its ephemeral znodes.",
                "会话的存续不取决于连接。客户端及时在任何地方重连，就能保住会话和临时节点。",
            ),
            zk("1.4"),
        ),
        K::RequestReceived { .. } => (
            (
                "Reads are answered where the client is connected. Writes and sync go to the leader. Of one session, everything happens in the order of its requests.",
                "读操作由客户端所连的服务器回答，写操作和 sync 交给领导者。同一会话的请求按顺序执行。",
            ),
            zk("1.5"),
        ),
        K::ClientLeft { .. } => (
            (
                "A broken connection does not end a session. Only silence for the whole time-out does, or the client's good-bye.",
                "连接断开并不结束会话。只有整个超时期间的沉默，或客户端的告别，才会结束它。",
            ),
            zk("1.4"),
        ),
        K::Started { last_zxid, .. } => {
            if *last_zxid == Zxid::UNINITIALISED {
                (
                    (
                        "A server that lost its disk must not vote for an empty history: together with others like it, it could outvote those that know more.",
                        "丢了磁盘的服务器不得为空历史投票：否则几台这样的服务器会压倒知道更多的服务器。",
                    ),
                    zk("4.8"),
                )
            } else {
                (
                    (
                        "After a start a server knows only what was on its disk: snapshot, log, and the two epochs.",
                        "启动后，服务器只知道磁盘上的内容：快照、日志和两个纪元。",
                    ),
                    zk("3.8"),
                )
            }
        }
        K::ElectionStarted { because, .. } => election(w, because),
        K::SteppedDown { because, .. } => election(w, because),
        K::VoteCompared {
            theirs, ours, by, ..
        } => {
            w.votes(*theirs, *ours, *by);
            votes_rule(*by)
        }
        K::VoteChanged { old, new, by, .. } => {
            w.votes(*new, *old, *by);
            votes_rule(*by)
        }
        K::RoundAdvanced { old, new, from, .. } => {
            let (a, b) = (w.number(*new), w.number(*old));
            let (l, r) = ((w.who(*from), a), (w.who(me), b));
            w.row(("round", "轮次"), l, r, true);
            (
                (
                    "Votes are counted only within one round (the logical clock). Who hears of a higher round joins it, forgets what it counted, and compares that vote with its own first one.",
                    "选票只在同一轮（逻辑时钟）内计数。听到更高轮次的服务器加入那一轮，清空计数，并把那张选票与自己最初的选票比较。",
                ),
                tla("2.6", QUORUM),
            )
        }
        K::VoteIgnored { because, from, .. } => match because {
            IgnoreReason::OlderRound { theirs, ours } => {
                let (a, b) = (w.number(*theirs), w.number(*ours));
                let (l, r) = ((w.who(*from), a), (w.who(me), b));
                w.row(("round", "轮次"), l, r, true);
                (
                    (
                        "A vote of an older round says nothing about this one. Its sender has been told the present round.",
                        "旧轮次的选票对本轮没有意义。发送者会被告知当前轮次。",
                    ),
                    tla("2.6", QUORUM),
                )
            }
            IgnoreReason::SenderNoVoter
            | IgnoreReason::CandidateNoVoter
            | IgnoreReason::SenderObserves => (
                (
                    "Only votes from voters for voters count. Observers learn who leads, but do not decide it.",
                    "只有投票者投给投票者的票才算数。观察者得知谁在领导，但不参与决定。",
                ),
                zk("2.6"),
            ),
            IgnoreReason::Uninitialised => (
                (
                    "A server that lost its data takes part without a say, so that it can't vote for an empty history.",
                    "丢失数据的服务器参与选举但没有发言权，以免它为空历史投票。",
                ),
                zk("4.8"),
            ),
            IgnoreReason::NobodyLooking => (
                (
                    "Who has a leader does not count votes.",
                    "已有领导者的服务器不计选票。",
                ),
                zk("2.6"),
            ),
        },
        K::VoteRecorded {
            supporters, need, ..
        } => {
            w.count(*supporters, *need);
            (
                (
                    "Each server keeps its own tally: the newest vote of every server in this round. Votes equal to its own count for its candidate.",
                    "每台服务器自己计票：本轮每台服务器的最新选票。与自己相同的选票算作对其候选者的支持。",
                ),
                tla("2.6", QUORUM),
            )
        }
        K::QuorumOfVotes {
            supporters, wait, ..
        } => {
            let have = w.number(u64::from(*supporters));
            let time = w.time(*wait);
            let left = (w.words("equal votes", "相同的选票"), have);
            let right = (w.words("last wait", "最后等待"), time);
            w.row(("quorum", "法定人数"), left, right, true);
            (
                (
                    "Two quorums always share a server, so two leaders can't both have one. A last wait lets a better vote that is under way arrive.",
                    "任意两个法定人数集合必有交集，因此不会有两个领导者同时达到。最后的等待让路上更好的选票有机会到达。",
                ),
                tla("2.6", "FLEWaitNewNotmsg"),
            )
        }
        K::QuorumOvertaken { .. } => (
            (
                "A better vote in the last wait is taken up, and the counting goes on.",
                "最后等待中收到的更好选票会被采纳，计票继续。",
            ),
            tla("2.6", "FLEWaitNewNotmsg"),
        ),
        K::VoteAnswered { .. } => (
            (
                "Who is behind or comes late is told how things stand: that is how a server finds a running ensemble.",
                "落后或迟到的服务器会被告知现状：它就这样找到正在运行的集群。",
            ),
            tla("2.6", "FLEReceiveNotmsg"),
        ),
        K::VoteRepeated { .. } => (
            (
                "When nothing is heard, a server repeats its vote and waits twice as long, from 200 ms up to a minute.",
                "没有消息时，服务器重发选票并把等待加倍，从 200 ms 到一分钟。",
            ),
            tla("2.6", "FLENotmsgTimeout"),
        ),
        K::Elected { by, .. } => match by {
            DecidedBy::QuorumThisRound => (
                (
                    "The election is over for a server when a quorum votes as it does and no better vote comes in the last wait. Each server decides that for itself.",
                    "当法定人数与它投得一样，且最后等待中没有更好的选票，选举对这台服务器就结束了。各自判断。",
                ),
                tla("2.6", "FLEWaitNewNotmsg"),
            ),
            DecidedBy::SameRoundDecided | DecidedBy::RunningEnsemble => (
                (
                    "A latecomer believes a quorum of servers that follow one leader, but only if that leader itself says that it leads.",
                    "迟到者相信法定人数所跟随的领导者，但前提是那位领导者自己也说它在领导。",
                ),
                tla("2.6", QUORUM),
            ),
        },
        K::LearnerInfoSent { .. } => (
            (
                "Being elected is a promise of others, not a licence. First the leader learns which epochs have been accepted, so that it can choose one above all.",
                "当选只是别人的许诺，还不是授权。领导者先了解大家接受过哪些纪元，才能选一个更高的。",
            ),
            zab(
                "3.3",
                Paper::Discovery,
                "ConnectAndFollowerSendFOLLOWERINFO",
            ),
        ),
        K::LearnerInfoCounted { have, need, .. } => {
            w.count(*have, *need);
            (
                (
                    "The leader waits for a quorum, itself included, before it names the new epoch: then no older leader can still get one.",
                    "领导者等到包括自己在内的法定人数，才命名新纪元：这样旧领导者再也凑不齐法定人数。",
                ),
                zab("3.3", Paper::Discovery, "LeaderProcessFOLLOWERINFO"),
            )
        }
        K::NewEpoch { epoch, highest } => {
            let (a, b) = (w.epoch(*epoch), w.epoch(*highest));
            let left = (w.words("new", "新"), a);
            let right = (w.words("highest accepted", "接受过的最高"), b);
            w.row(("epoch", "纪元"), left, right, true);
            (
                (
                    "The new epoch is the highest one that any server of the quorum has accepted, plus one. So each epoch has one leader at most.",
                    "新纪元是法定人数中接受过的最高纪元加一。因此每个纪元最多一位领导者。",
                ),
                zab("3.3", Paper::Discovery, "LeaderProcessFOLLOWERINFO"),
            )
        }
        K::AcceptedEpochSet { old, new } => {
            let (a, b) = (w.epoch(*new), w.epoch(*old));
            let left = (w.words("now", "现在"), a);
            let right = (w.words("before", "之前"), b);
            w.row(("acceptedEpoch", "acceptedEpoch"), left, right, true);
            (
                (
                    "A server that has accepted an epoch never follows a leader of an older one. It writes that down before it answers.",
                    "接受了某个纪元的服务器不再跟随更旧纪元的领导者。它先写下这一点再回答。",
                ),
                zab("3.3", Paper::Discovery, "FollowerProcessLEADERINFO"),
            )
        }
        K::EpochAcked { .. } => (
            (
                "With its agreement a learner says how far its history goes: (currentEpoch, last zxid). The leader needs it to choose how to bring it up to date.",
                "学习者在同意的同时说明自己的历史到哪里：(currentEpoch, 最后的 zxid)。领导者据此选择同步方式。",
            ),
            zab("3.3", Paper::Discovery, "FollowerProcessLEADERINFO"),
        ),
        K::EpochAckCounted { have, need, .. } => {
            w.count(*have, *need);
            (
                (
                    "A quorum has to agree to the epoch. If one of them has a more recent history than the leader, the leader gives up.",
                    "必须有法定人数同意该纪元。如果其中有谁的历史比领导者更新，领导者就放弃。",
                ),
                zab("3.3", Paper::Discovery, "LeaderProcessACKEPOCH"),
            )
        }
        K::CurrentEpochSet { old, new } => {
            let (a, b) = (w.epoch(*new), w.epoch(*old));
            let left = (w.words("now", "现在"), a);
            let right = (w.words("before", "之前"), b);
            w.row(("currentEpoch", "currentEpoch"), left, right, true);
            (
                (
                    "A server claims to belong to an epoch only when the history of that epoch's leader is on its disk. currentEpoch counts first in the next election.",
                    "只有当该纪元领导者的历史已在磁盘上，服务器才声称属于该纪元。下次选举首先比较 currentEpoch。",
                ),
                zab("3.8", Paper::Synchronization, "FollowerProcessNEWLEADER"),
            )
        }
        K::SyncChosen {
            learner,
            because,
            peer,
            min,
            max,
            last_processed,
            ..
        } => sync(
            w,
            me,
            *learner,
            *because,
            *peer,
            *min,
            *max,
            *last_processed,
        ),
        K::OutstandingForwarded { .. } => (
            (
                "From this moment the learner gets every new proposal. What was proposed before and is not committed yet must not be missing.",
                "从此刻起学习者会收到每个新提案。之前提出而尚未提交的也不能缺。",
            ),
            zab("3.4", Paper::Synchronization, "LeaderSyncFollower"),
        ),
        K::SyncStarted { .. } => (
            (
                "The learner does what the leader says: its own history counts no more where the two differ.",
                "学习者照领导者说的做：凡有差异之处，自己的历史不再算数。",
            ),
            zab("3.5", Paper::Synchronization, "FollowerProcessSyncMessage"),
        ),
        K::LogTruncated { .. } => (
            (
                "What only a minority logged was never committed, and no client was told that it is done. If the new leader does not have it, it has to go.",
                "只有少数服务器记录的事务从未提交，也没有客户端被告知完成。新领导者没有它，它就必须去掉。",
            ),
            zab("3.5", Paper::Synchronization, "FollowerProcessSyncMessage"),
        ),
        K::SnapshotInstalled { .. } => (
            (
                "When the histories can't be joined, the learner takes over the leader's whole tree and forgets its own log.",
                "当两边的历史无法衔接，学习者接收领导者的整棵树，忘掉自己的日志。",
            ),
            zab("3.5", Paper::Synchronization, "FollowerProcessSyncMessage"),
        ),
        K::HistoryComplete { .. } => (
            (
                "The order saves data: first the history goes to disk, then the epoch, then the ACK. An ACK before that could vouch for what a crash takes away.",
                "顺序保护数据：先把历史写盘，再写纪元，最后 ACK。提前的 ACK 可能为崩溃会带走的东西担保。",
            ),
            zab("3.5", Paper::Synchronization, "FollowerProcessNEWLEADER"),
        ),
        K::NewLeaderAckCounted { have, need, .. } => {
            w.count(*have, *need);
            (
                (
                    "The leader may serve when a quorum has its history on disk: then it can't be lost, whichever servers crash, as long as fewer than a quorum do.",
                    "法定人数的磁盘上有了它的历史，领导者才可服务：此后只要崩溃的不到法定人数，历史就不会丢。",
                ),
                zab("3.5", Paper::Synchronization, "LeaderProcessACKLD"),
            )
        }
        K::Established { .. } | K::UpToDateSent { .. } => (
            (
                "A leader is established when a quorum has acknowledged NEWLEADER. Only then do servers answer clients, and writing begins.",
                "法定人数确认 NEWLEADER 后，领导者才算确立。此后服务器才回答客户端，开始写入。",
            ),
            zab("3.5", Paper::Synchronization, "LeaderProcessACKLD"),
        ),
        K::Serving { .. } => (
            (
                "A learner serves clients only after UPTODATE: before that it might show what is taken back.",
                "学习者收到 UPTODATE 才为客户端提供服务：在此之前，它可能展示会被收回的内容。",
            ),
            zab("3.5", Paper::Synchronization, "FollowerProcessUPTODATE"),
        ),
        K::ServingAlone { .. } => (
            (
                "A server without an ensemble has nobody to agree with: what is on its own disk is decided. It needs no election and no epoch.",
                "没有集群的服务器无需与谁达成一致：自己磁盘上的内容就是定论。它不需要选举，也不需要纪元。",
            ),
            zk("4.6"),
        ),
        K::RequestForwarded { .. } => (
            (
                "Writes of all clients get one order, and one server makes it: the leader. sync is put into the same queue.",
                "所有客户端的写操作只有一个顺序，由一台服务器决定：领导者。sync 也进入同一队列。",
            ),
            zk("3.6"),
        ),
        K::Proposed { .. } => (
            (
                "The leader turns a request into a transaction that holds outcomes, not conditions, and gives it the next zxid. A failed write uses a zxid as well.",
                "领导者把请求变成只含结果、不含条件的事务，并给它下一个 zxid。失败的写也占用一个 zxid。",
            ),
            zab("3.6", Paper::Broadcast, "LeaderProcessRequest"),
        ),
        K::RequestRefused { .. } => (
            (
                "A write counts only if it comes through the server that owns the session now. So an old connection can't write after the client has moved.",
                "写操作只有经由当前拥有该会话的服务器才有效。这样客户端迁移后，旧连接就不能再写。",
            ),
            zk("1.4"),
        ),
        K::Logged { .. } => (
            (
                "A follower logs proposals strictly in their order. Received is not yet on disk: the ACK waits for the disk.",
                "跟随者严格按顺序记录提案。收到不等于写盘：ACK 要等磁盘。",
            ),
            zab("3.6", Paper::Broadcast, "FollowerProcessPROPOSAL"),
        ),
        K::AckSent { .. } => (
            (
                "An ACK says: it is on my disk, a crash can't take it. It never leaves before that is true.",
                "ACK 的意思是：它已在我的磁盘上，崩溃也带不走。在此之前绝不发出。",
            ),
            zab("3.6", Paper::Broadcast, "FollowerProcessPROPOSAL"),
        ),
        K::AckCounted { have, need, .. } => {
            w.count(*have, *need);
            (
                (
                    "The leader counts who has a transaction on disk; its own disk is one of them. A quorum commits it.",
                    "领导者清点谁的磁盘上有这个事务，自己的磁盘也算一个。达到法定人数就提交。",
                ),
                zab("3.6", Paper::Broadcast, "LeaderProcessACK"),
            )
        }
        K::AckIgnored { .. } => (
            (
                "An ACK for the beginning of an epoch, or for what is committed already, tells the leader nothing new.",
                "对纪元开头或已提交事务的 ACK，不给领导者带来新信息。",
            ),
            zab("3.6", Paper::Broadcast, "LeaderProcessACK"),
        ),
        K::Committed { acks, need, .. } => {
            w.count(*acks, *need);
            (
                (
                    "A transaction is committed when a quorum has it on disk and all before it are committed. Every later leader will have it, since two quorums share a server.",
                    "当法定人数的磁盘上有它，且之前的都已提交，事务就提交了。两个法定人数必有交集，所以今后的领导者都会有它。",
                ),
                zab("3.6", Paper::Broadcast, "LeaderProcessACK"),
            )
        }
        K::Applied { .. } => (
            (
                "Every server applies the same transactions in the same order, each when it hears of the commit. So they may differ in how far they are, never in what they show there.",
                "每台服务器按同样的顺序应用同样的事务，各自在得知提交时应用。它们的进度可以不同，但在同一进度上看到的内容总是相同。",
            ),
            zab("3.6", Paper::Broadcast, "FollowerProcessCOMMIT"),
        ),
        K::DigestMismatch {
            expected, found, ..
        } => {
            let (a, b) = (w.number(*expected), w.number(*found));
            let left = (w.words("the leader's", "领导者"), a);
            let right = (w.who(me), b);
            w.row(("digest", "摘要"), left, right, true);
            (
                (
                    "The leader predicts the digest of the tree after each transaction. A server that finds another has another tree.",
                    "领导者预测每个事务之后树的摘要。得到不同摘要的服务器，树也不同。",
                ),
                zk("4.7"),
            )
        }
        K::SnapshotTaken { .. } => (
            (
                "From time to time the tree is written to disk as a whole, so that a restart replays only what came after.",
                "树会不时整体写到磁盘，这样重启时只需重放其后的部分。",
            ),
            zk("4.5"),
        ),
        K::PingsSent { .. } => (
            (
                "Every half tick the leader asks all learners. Their answers also tell from which sessions they heard.",
                "领导者每半个 tick 询问所有学习者。回答中也包含它们听到了哪些会话。",
            ),
            zk("3.7"),
        ),
        K::QuorumChecked { in_time, need } => {
            w.count(*in_time, *need);
            (
                (
                    "Every tick the leader checks that a quorum has answered within syncLimit. If not, it stops leading: somebody else may lead already.",
                    "领导者每个 tick 检查法定人数是否在 syncLimit 内回应。否则停止领导：别人可能已在领导。",
                ),
                zk("3.7"),
            )
        }
        K::LinkDropped { .. } => (
            (
                "Silence for too long, or a word that has no place, ends a connection. The learner then looks for a leader again.",
                "沉默太久或说了不该说的话，连接就会终止。学习者随后重新寻找领导者。",
            ),
            zk("3.7"),
        ),
        K::SessionTouched { .. } => (
            (
                "Any request counts as a sign of life, a ping too. Learners report to the leader, which keeps the clocks of all sessions.",
                "任何请求都算生命迹象，ping 也是。学习者向领导者报告，由领导者掌管所有会话的时钟。",
            ),
            zk("1.4"),
        ),
        K::SessionExpired { .. } => (
            (
                "Only the leader ends a session, and by a transaction: so all servers remove its ephemeral znodes at the same place in the order.",
                "只有领导者能结束会话，而且通过事务：因此所有服务器在同一位置删除它的临时节点。",
            ),
            zk("1.4"),
        ),
        K::SessionValidated { .. } => (
            (
                "When a client comes with a session, its server asks the leader whether that session lives, and becomes its owner.",
                "客户端带着会话到来时，服务器向领导者询问会话是否有效，并成为它的拥有者。",
            ),
            zk("3.6"),
        ),
        K::SessionEnded { .. } => (
            (
                "The transaction that ends a session lists its ephemeral znodes, and every server removes them as it applies it.",
                "结束会话的事务列出它的临时节点，每台服务器应用时把它们删除。",
            ),
            zk("1.4"),
        ),
        K::ClientRefused { because, .. } => match because {
            RefuseReason::ClientAhead { seen, have } => {
                let (a, b) = (w.zxid(*seen), w.zxid(*have));
                let left = (w.words("the client has seen", "客户端已看到"), a);
                let right = (w.who(me), b);
                w.row(("zxid", "zxid"), left, right, true);
                (
                    (
                        "A client never goes back in time: a server that has applied less than the client has seen must refuse it.",
                        "客户端不会回到过去：应用进度落后于客户端所见的服务器必须拒绝它。",
                    ),
                    zk("1.4"),
                )
            }
            RefuseReason::NotServing
            | RefuseReason::LeaderDoesNotServe
            | RefuseReason::OnlyReads
            | RefuseReason::SessionNeedsQuorum
            | RefuseReason::WrongPassword
            | RefuseReason::SessionUnknown
            | RefuseReason::SessionTakenOver
            | RefuseReason::SessionMoved
            | RefuseReason::SessionClosed
            | RefuseReason::ServerStopsServing => (
                (
                    "A server that can't keep its promises closes the connection. The client tries the next server by itself.",
                    "不能兑现承诺的服务器会关闭连接。客户端会自己去试下一台。",
                ),
                zk("1.4"),
            ),
            RefuseReason::Protocol(_) => (
                (
                    "An operation that a server does not know is answered with an error, and then the connection is closed.",
                    "服务器不认识的操作会得到错误回答，随后连接被关闭。",
                ),
                zk("1.2"),
            ),
        },
        K::RequestQueued { .. } => (
            (
                "Within a session a read that comes after a write is answered after that write was applied here: a client sees its own writes.",
                "同一会话中，写之后的读要等这次写在这里应用后才回答：客户端能看到自己的写入。",
            ),
            zk("1.5"),
        ),
        K::ReadServed { .. } => (
            (
                "Reads are answered from the memory of the connected server. That makes them fast, and allows them to be behind. sync closes the gap.",
                "读由所连服务器的内存回答：因此快，也因此允许落后。sync 可以弥补差距。",
            ),
            zk("1.5"),
        ),
        K::WriteAnswered { .. } => (
            (
                "The client's own server answers a write, after it has applied it itself.",
                "写操作由客户端所连的服务器回答，在它自己应用之后。",
            ),
            zk("3.6"),
        ),
        K::SyncAnswered { .. } => (
            (
                "sync goes to the leader and back through the same queue as commits. When it is answered, all commits before it have arrived. It promises no more than that.",
                "sync 到领导者再沿提交的同一队列返回。得到回答时，之前的提交都已到达。它的承诺仅此而已。",
            ),
            zk("1.5"),
        ),
        K::WatchSet { .. } | K::WatchRemoved { .. } => (
            (
                "A watch lives in the server to which the client is connected. It goes with the connection; the client sets it again elsewhere.",
                "监听存在于客户端所连的服务器上，随连接消失；客户端会在别处重新设置。",
            ),
            zk("1.11"),
        ),
        K::WatchFired { .. } => (
            (
                "The event is sent before any answer that shows the change. It says that something changed, not to what. A standard watch rings once.",
                "事件先于任何体现该变化的回答发出。它只说有变化，不说变成什么。普通监听只响一次。",
            ),
            zk("1.11"),
        ),
        K::Authenticated { .. } => (
            (
                "A client may prove several identities. Each znode's ACL says which of them may do what.",
                "客户端可以证明多个身份。每个节点的 ACL 规定谁可以做什么。",
            ),
            zk("1.15"),
        ),
        K::ContainerFound { .. } => (
            (
                "A container goes after its last child has gone, a TTL znode after it was left alone for too long. The leader looks from time to time.",
                "容器在最后一个子节点消失后删除，TTL 节点在太久无人改动后删除。领导者不时检查。",
            ),
            zk("1.14"),
        ),
    }
}

fn votes_rule(by: VoteField) -> Rule {
    let words = match by {
        VoteField::Epoch => (
            "Three comparisons, in this order: newer epoch, then higher last zxid, then higher id. The first that differs decides; here the epoch.",
            "按顺序比较三项：纪元新者、最后的 zxid 高者、编号大者。第一个不同的项决定；这里是纪元。",
        ),
        VoteField::Zxid => (
            "Three comparisons, in this order: newer epoch, then higher last zxid, then higher id. The first that differs decides; here the zxid. So who has seen most leads.",
            "按顺序比较三项：纪元新者、最后的 zxid 高者、编号大者。第一个不同的项决定；这里是 zxid。于是见过最多的来领导。",
        ),
        VoteField::Id => (
            "Three comparisons, in this order: newer epoch, then higher last zxid, then higher id. Here only the ids differ: any would do, but all must agree on one.",
            "按顺序比较三项：纪元新者、最后的 zxid 高者、编号大者。这里只有编号不同：谁都可以，但大家必须选同一个。",
        ),
        VoteField::Same => (
            "Equal votes support the same candidate.",
            "相同的选票支持同一个候选者。",
        ),
        VoteField::Weight => (
            "In hierarchical quorums a server may have weight 0: it takes part, but can't be elected.",
            "在分层法定人数中，服务器的权重可以是 0：它参与，但不能当选。",
        ),
    };
    (words, tla("2.4", QUORUM))
}

fn election(w: &mut Why, because: &ElectionReason) -> Rule {
    match because {
        ElectionReason::Started => (
            (
                "A server that starts knows of no leader. It begins a round, votes for itself first, and tells all voters.",
                "刚启动的服务器不知道谁是领导者。它开始一轮选举，先投自己，并告诉所有投票者。",
            ),
            tla("2.6", "NodeStart"),
        ),
        ElectionReason::LeaderConnectionLost { .. }
        | ElectionReason::LeaderUnreachable { .. }
        | ElectionReason::LeaderBroke { .. } => (
            (
                "Without its leader a server serves nobody. It looks again, in a new round, with the same three comparisons as at start-up.",
                "没有领导者，服务器就不对外提供服务。它在新一轮中重新寻找，比较规则和启动时完全相同。",
            ),
            zk("2.6"),
        ),
        ElectionReason::LeaderSilent { waited, .. } => {
            let left = (w.words("silent for", "已沉默"), w.time(*waited));
            w.limit(("silence", "沉默"), left, "syncLimit / initLimit");
            (
                (
                    "Silence can't be told from a crash. After syncLimit (initLimit while joining) the leader counts as lost.",
                    "沉默与崩溃无法区分。超过 syncLimit（加入阶段为 initLimit）就视为失去领导者。",
                ),
                zk("3.7"),
            )
        }
        ElectionReason::LeaderStale {
            offered,
            accepted,
            leader,
        } => {
            let (a, b) = (w.epoch(*offered), w.epoch(*accepted));
            let (l, r) = (
                (w.who(*leader), a),
                (w.words("accepted here", "这里已接受"), b),
            );
            w.row(("epoch", "纪元"), l, r, true);
            (
                (
                    "Who has accepted an epoch follows no leader of an older one: a deposed leader can't come back unnoticed.",
                    "接受过某纪元的服务器不跟随更旧纪元的领导者：被废黜的领导者无法悄悄回来。",
                ),
                zab("3.3", Paper::Discovery, "FollowerProcessLEADERINFO"),
            )
        }
        ElectionReason::NoQuorumInTime { phase } => {
            let name = reason::phase(*phase, w.lang).to_owned();
            let left = (w.words("phase", "阶段"), name);
            w.limit(("quorum", "法定人数"), left, "initLimit");
            (
                (
                    "A leader that does not get its quorum within initLimit gives up, so that another may try.",
                    "在 initLimit 内凑不齐法定人数的领导者会放弃，让别人来试。",
                ),
                zk("3.3"),
            )
        }
        ElectionReason::VoterLooksAgain { waited, .. } => {
            let left = (w.words("waited", "已等待"), w.time(*waited));
            w.limit(("quorum", "法定人数"), left, "maxTimeToWaitForEpoch");
            (
                (
                    "Whoever elected it and looks again will not join it. Instead of waiting for the rest of initLimit it gives up, so that another may try.",
                    "选举它却又重新寻找的服务器不会加入它。它不再等完 initLimit，而是放弃，让别人来试。",
                ),
                zk("3.3"),
            )
        }
        ElectionReason::QuorumLost { in_time, need } => {
            w.count(*in_time, *need);
            (
                (
                    "Who does not reach a quorum must not lead: the others may have elected somebody by now.",
                    "够不到法定人数就不得领导：其他服务器可能已经选出了别人。",
                ),
                zk("3.7"),
            )
        }
        ElectionReason::TruncationFailed { .. } => (
            (
                "A log can be cut only where a snapshot or the log itself still reaches. A server without history takes part without a say until a leader has sent it everything.",
                "只有快照或日志仍能到达的位置才可以截断。没有历史的服务器在领导者发来全部数据之前没有发言权。",
            ),
            zk("4.3"),
        ),
        ElectionReason::FollowerMoreRecent { .. } => (
            (
                "A leader must have the most recent history of its quorum, or committed transactions could be lost. If a follower has more, the leader gives up.",
                "领导者必须拥有其法定人数中最新的历史，否则已提交的事务可能丢失。若跟随者更新，领导者就放弃。",
            ),
            zab("3.3", Paper::Discovery, "LeaderProcessACKEPOCH"),
        ),
        ElectionReason::Restored { .. } => (
            (
                "What was promised to clients and other servers was promised of the old tree. So everybody is sent away and comes back to the new one.",
                "对客户端和其他服务器的承诺都基于旧的树。因此断开所有连接，让它们重新连到新的树上。",
            ),
            zk("1.19"),
        ),
        ElectionReason::Reconfigured { .. } => (
            (
                "Who votes, who observes and who leads is fixed when a server joins its leader. When the members change any of that, it joins anew.",
                "谁投票、谁观察、谁领导，在服务器加入领导者时就确定了。成员变化改变了其中任何一项，它就重新加入。",
            ),
            zk("3.9"),
        ),
        ElectionReason::ZxidRollOver { .. } => (
            (
                "The counter has 32 bits. When it is used up, only a new epoch makes higher zxids.",
                "计数器只有 32 位。用完之后，只有新纪元才能产生更大的 zxid。",
            ),
            zk("3.6"),
        ),
    }
}

#[allow(clippy::too_many_arguments)] // the fields of the event
fn sync(
    w: &mut Why,
    leader: ServerId,
    learner: ServerId,
    rule: SyncRule,
    peer: Zxid,
    min: Zxid,
    max: Zxid,
    last: Zxid,
) -> Rule {
    let theirs = (w.who(learner), w.zxid(peer));
    let (lo, hi, end) = (w.zxid(min), w.zxid(max), w.zxid(last));
    let range = w.text(|p| p.say("{0} … {1}", "{0} … {1}", &[Z(min), Z(max)]));
    let whose = w.who(leader);
    let words = match rule {
        SyncRule::Equal => {
            w.row(("last zxid", "最后的 zxid"), theirs, (whose, end), true);
            (
                "Rule 2: the learner is exactly where the leader is. DIFF, nothing to send.",
                "规则 2：学习者与领导者位置完全相同。DIFF，无需发送。",
            )
        }
        SyncRule::AheadOfLeader => {
            w.row(
                ("last zxid and maxZXID", "最后的 zxid 与 maxZXID"),
                theirs,
                (whose, hi),
                true,
            );
            (
                "Rule 3: the learner is ahead of all that was committed, and not at the beginning of an epoch. TRUNC to maxZXID.",
                "规则 3：学习者超前于所有已提交的事务，且不在纪元开头。TRUNC 到 maxZXID。",
            )
        }
        SyncRule::InCommittedLog => {
            w.row(
                ("last zxid and committedLog", "最后的 zxid 与 committedLog"),
                theirs,
                (whose, range),
                true,
            );
            (
                "Rule 4: the learner's last zxid is in the leader's committedLog. DIFF: send what comes after it.",
                "规则 4：学习者最后的 zxid 在领导者的 committedLog 中。DIFF：发送其后的部分。",
            )
        }
        SyncRule::WrongTail => {
            w.row(
                ("last zxid and committedLog", "最后的 zxid 与 committedLog"),
                theirs,
                (whose, range),
                true,
            );
            (
                "Rule 4: within the bounds of the committedLog, but not in it. The learner has a wrong tail of the same epoch: TRUNC to the last common one, then send what comes after.",
                "规则 4：在 committedLog 的范围内，却不在其中。学习者有同一纪元的错误尾部：TRUNC 到最后一个共同的，再发送其后的部分。",
            )
        }
        SyncRule::WrongTailOtherEpoch => {
            w.row(
                ("last zxid and committedLog", "最后的 zxid 与 committedLog"),
                theirs,
                (whose, range),
                true,
            );
            (
                "Rules 4 and 5: a truncation must not cross the border of an epoch. So the whole tree is sent: SNAP.",
                "规则 4 和 5：截断不得跨越纪元边界。因此发送整棵树：SNAP。",
            )
        }
        SyncRule::NewEpochOnly => {
            w.row(
                ("last zxid and committedLog", "最后的 zxid 与 committedLog"),
                theirs,
                (whose, range),
                true,
            );
            (
                "Rules 4 and 5: a zxid with counter 0 is no transaction, only the beginning of an epoch. There is nothing to cut: DIFF.",
                "规则 4 和 5：计数为 0 的 zxid 不是事务，只是纪元的开头。没有可截的：DIFF。",
            )
        }
        SyncRule::FromDiskLog => {
            w.row(
                ("last zxid and minZXID", "最后的 zxid 与 minZXID"),
                theirs,
                (whose, lo),
                true,
            );
            (
                "Rule 5: older than the committedLog, but the log on disk reaches back to it, and to send it costs less than a snapshot.",
                "规则 5：早于 committedLog，但磁盘日志够得着，而且发送它比发送快照便宜。",
            )
        }
        SyncRule::DiskLogPurged => {
            w.row(
                ("last zxid and minZXID", "最后的 zxid 与 minZXID"),
                theirs,
                (whose, lo),
                true,
            );
            (
                "Rule 5 fails: the log on disk begins after the learner's last zxid, the older part was purged. SNAP.",
                "规则 5 不成立：磁盘日志始于学习者最后的 zxid 之后，更早的已被清理。SNAP。",
            )
        }
        SyncRule::DiskLogTooLarge => {
            w.row(
                ("last zxid and minZXID", "最后的 zxid 与 minZXID"),
                theirs,
                (whose, lo),
                true,
            );
            (
                "Rule 5 fails: the log to send is larger than snapshotSizeFactor (0.33) of the last snapshot. SNAP is cheaper.",
                "规则 5 不成立：要发送的日志超过上个快照的 snapshotSizeFactor（0.33）。SNAP 更便宜。",
            )
        }
        SyncRule::DiskLogGap => {
            w.row(
                ("last zxid and minZXID", "最后的 zxid 与 minZXID"),
                theirs,
                (whose, lo),
                true,
            );
            (
                "Rule 5 fails: the log on disk ends before the committedLog begins. With a gap nothing can be joined: SNAP.",
                "规则 5 不成立：磁盘日志在 committedLog 开始之前就结束了。有缺口就无法衔接：SNAP。",
            )
        }
        SyncRule::DiskLogOff => {
            w.row(
                ("last zxid and minZXID", "最后的 zxid 与 minZXID"),
                theirs,
                (whose, lo),
                true,
            );
            (
                "Rule 5 is switched off (snapshotSizeFactor below 0), and the committedLog begins later: SNAP.",
                "规则 5 已关闭（snapshotSizeFactor 小于 0），而 committedLog 开始得更晚：SNAP。",
            )
        }
        SyncRule::Forced => {
            w.row(
                ("last zxid and maxZXID", "最后的 zxid 与 maxZXID"),
                theirs,
                (whose, hi),
                true,
            );
            (
                "No rule was asked: the configuration has every learner sent a snapshot (forceSnapshotSync). SNAP.",
                "没有使用任何规则：配置要求总是发送快照（forceSnapshotSync）。SNAP。",
            )
        }
        SyncRule::NothingFits => {
            w.row(
                ("last zxid and maxZXID", "最后的 zxid 与 maxZXID"),
                theirs,
                (whose, hi),
                true,
            );
            (
                "Rule 6: nothing else fits, for example the beginning of an epoch above all that the leader has. SNAP.",
                "规则 6：其他都不适用，例如比领导者的一切都高的纪元开头。SNAP。",
            )
        }
    };
    (
        words,
        zab("3.4", Paper::Synchronization, "LeaderSyncFollower"),
    )
}

fn world(w: &mut Why, kind: &W) -> Rule {
    match kind {
        W::Crashed { .. } | W::DiskLost { .. } => (
            (
                "A crash takes the memory and what was not on disk. ZooKeeper counts on this: as long as a quorum keeps its disks, nothing committed is lost.",
                "崩溃会带走内存和未写盘的内容。ZooKeeper 考虑到了这一点：只要法定人数的磁盘还在，已提交的就不会丢。",
            ),
            tla("4.6", "NodeCrash"),
        ),
        W::Restarted { .. } => (
            (
                "A server that returns loads its snapshot, replays its log, and looks for the leader like everybody else.",
                "回来的服务器加载快照、重放日志，然后和别人一样寻找领导者。",
            ),
            tla("4.6", "NodeStart"),
        ),
        W::Paused { .. } | W::Resumed { .. } => (
            (
                "A server that stands still can't be told from a crashed one. After syncLimit the others go on without it; when it returns it has to notice.",
                "停住的服务器与崩溃的无法区分。超过 syncLimit，其他服务器不再等它；它回来时必须自己察觉。",
            ),
            zk("3.7"),
        ),
        W::DiskSlowed { .. } => (
            (
                "Every ACK waits for the disk. A quorum's fastest disks set the pace of all writes.",
                "每个 ACK 都要等磁盘。法定人数中最快的那些磁盘决定了写入的节奏。",
            ),
            zk("3.6"),
        ),
        W::LinkCut { .. } | W::Partitioned { .. } => (
            (
                "Only a part that holds a quorum can elect a leader and commit. The others wait: that is the price for never having two truths.",
                "只有包含法定人数的那部分能选举和提交，其余的等待：这是永远只有一个真相的代价。",
            ),
            tla("2.4", "PartitionStart"),
        ),
        W::DirectionCut { .. } => (
            (
                "A link may fail in one direction only. Then one side hears nothing and gives up after its limit, while the other side notices nothing at first.",
                "链路可能只断一个方向。一侧听不到消息，到期限就放弃；另一侧起初毫无察觉。",
            ),
            zk("3.7"),
        ),
        W::LinkHealed { .. } | W::AllHealed => (
            (
                "Who was cut off finds the running ensemble by its votes, accepts its epoch, and is brought up to date.",
                "被隔离的服务器通过选票找到正在运行的集群，接受其纪元，并被同步到最新。",
            ),
            tla("2.6", "PartitionRecover"),
        ),
        W::LinkSlowed { .. } => (
            (
                "A slow link delays; it never changes the order inside a connection.",
                "慢链路只会延迟，从不改变连接内的顺序。",
            ),
            zk("3.1"),
        ),
        W::ConnectionBroken { .. } | W::MessageLost { .. } => (
            (
                "Connections are like TCP: in order, and broken as a whole. A lost message means a lost connection, and the protocol begins anew on the next one.",
                "连接如同 TCP：有序，并且整体断开。丢消息意味着丢连接，协议在下一个连接上重新开始。",
            ),
            zk("3.1"),
        ),
        W::ClientAdded { .. } | W::ClientConnecting { .. } | W::ClientConnected { .. } => (
            (
                "A client connects to any server of the ensemble. It tells what it has seen, so that it never goes back in time.",
                "客户端可以连接集群中的任何服务器。它会说明自己看到过什么，从而不会回到过去。",
            ),
            zk("1.4"),
        ),
        W::ClientPaused { .. } | W::ClientResumed { .. } => (
            (
                "The session's clock runs at the leader. A client that stands still for longer than its time-out has lost its session, and learns it last.",
                "会话的时钟在领导者那里走。停住超过超时的客户端会失去会话，而且它最后才知道。",
            ),
            zk("1.4"),
        ),
        W::RulesSet { .. } => (
            (
                "Each rule is there because without it something goes wrong that can be shown. Search for a violation in the panel Act to see what.",
                "每条规则之所以存在，是因为没有它就会出错，而且可以演示。用“操作”面板里的搜索看看会出什么错。",
            ),
            zk("3.12"),
        ),
        W::FaultsSet { .. } => (
            (
                "A schedule of faults is part of the world. It comes from a setup or an act, never from a clock or real chance, so a link repeats it exactly.",
                "故障计划是世界的一部分。它来自设置或操作，而不是真实的时钟或偶然，所以链接能精确重放。",
            ),
            zk("4.6"),
        ),
        W::ClientGaveUp { .. } => (
            (
                "A client that hears nothing for two thirds of its time-out tries another server, while its session still lives.",
                "客户端在超时的三分之二内什么都没听到，就趁会话还在去试另一台服务器。",
            ),
            zk("1.3"),
        ),
        W::ClientExpired { .. } | W::ClientClosed { .. } => (
            (
                "When a session ends, its ephemeral znodes go with it. A new session is a new beginning.",
                "会话结束，临时节点随之消失。新会话是新的开始。",
            ),
            zk("1.4"),
        ),
        W::RequestSent { .. } | W::ReplyReceived { .. } => (
            (
                "Answers come in the order of the requests. Each carries the zxid up to which the answering server had applied.",
                "回答按请求的顺序到来，每个都带着回答者当时应用到的 zxid。",
            ),
            zk("1.3"),
        ),
        W::WatchReceived { .. } => (
            (
                "A client hears its watch before any answer that shows the change.",
                "客户端先听到监听，再看到体现该变化的回答。",
            ),
            zk("1.11"),
        ),
        W::StaleRead {
            shown,
            newest,
            server,
            ..
        } => {
            let (a, b) = (w.zxid(*shown), w.zxid(*newest));
            let left = (w.who(*server), a);
            let right = (w.words("committed", "已提交"), b);
            w.row(("zxid", "zxid"), left, right, true);
            (
                (
                    "ZooKeeper promises a client its own order and that it never goes back, not that it sees the newest. Who needs that asks for sync first.",
                    "ZooKeeper 向客户端承诺自身的顺序和不倒退，不承诺看到最新。需要最新就先请求 sync。",
                ),
                zk("1.5"),
            )
        }
    }
}

//! Why something has *not* happened: the question, the answer in a sentence, the values that were
//! compared, who is missing, and where the rule is written down.

mod mode;
mod question;

pub use question::{plain, question};

use super::{
    Compared, Context, Lang, Sentence, Source, Tone, names,
    say::{
        Arg::{E, Id, N, Server, T, Time, V, Voted, Who, Z},
        Pen, moment,
    },
    why::{Paper, Why, tla, zab, zk},
};
use zabscope_core::{
    id::{ServerId, Zxid},
    leader::LeaderPhase,
    peer::event::{SyncRule, VoteField},
    sim::{
        ClientState, RemovedBecause, ServerStatus,
        why_not::{Absence, Answer, Awaits, Because as B, Count, Lag, Missing, Question as Q},
    },
    time::{Moment, Span},
};

/// An answer in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explained {
    /// Why not, with the values that decide.
    pub sentence: Sentence,
    /// The values, one above the other.
    pub values: Vec<Compared>,
    /// Who is missing, and why, a line each.
    pub missing: Vec<Sentence>,
    /// Where the rule is written down.
    pub source: Source,
}

/// The answer.
#[must_use]
pub fn answer(answer: &Answer, lang: Lang, ctx: &dyn Context) -> Explained {
    let mut told = Told {
        why: Why::new(lang),
        missing: Vec::new(),
        p: Pen::new(lang, ctx),
        ctx,
        lang,
    };
    let source = told.because(answer);
    Explained {
        sentence: told.p.finish(),
        values: told.why.values,
        missing: told.missing,
        source,
    }
}

struct Told<'a> {
    why: Why,
    missing: Vec<Sentence>,
    p: Pen<'a>,
    ctx: &'a dyn Context,
    lang: Lang,
}

/// What became of a server, as the end of a clause.
const fn status(status: ServerStatus, lang: Lang) -> &'static str {
    match status {
        ServerStatus::NotStarted => lang.pick("has not started yet", "尚未启动"),
        ServerStatus::Paused => lang.pick("is paused", "已暂停"),
        ServerStatus::Down => lang.pick("is down", "已停机"),
        ServerStatus::Up => lang.pick("runs", "在运行"),
    }
}

const fn field(by: VoteField, lang: Lang) -> &'static str {
    match by {
        VoteField::Epoch => lang.pick("the epoch", "纪元"),
        VoteField::Zxid => lang.pick("the last zxid", "最后的 zxid"),
        VoteField::Id => lang.pick("the id", "编号"),
        VoteField::Same => lang.pick("nothing: they are equal", "没有差别"),
        VoteField::Weight => lang.pick("the weight", "权重"),
    }
}

impl Told<'_> {
    /// A line about one server whose part is missing.
    fn absent(&mut self, m: &Missing) {
        let mut p = Pen::new(self.lang, self.ctx);
        let who = Server(m.server);
        match m.because {
            Absence::NotRunning(s) => {
                p.say("{0} {1}", "{0} {1}", &[who, T(status(s, self.lang))]);
            }
            Absence::Cut => p.say("{0}: the link is cut", "{0}：链路被切断", &[who]),
            Absence::ToIt(kind, at) => p.say(
                "{0}: {1} is on its way to it, until {2}",
                "{0}：{1} 正在送往它，{2} 到达",
                &[who, V(kind.name()), V(&moment(at))],
            ),
            Absence::FromIt(kind, at) => p.say(
                "{0}: its {1} is on its way, until {2}",
                "{0}：它的 {1} 在途中，{2} 到达",
                &[who, V(kind.name()), V(&moment(at))],
            ),
            Absence::VotesFor(vote) => p.say(
                "{0} votes for {1} (epoch {2}, zxid {3})",
                "{0} 投给{1}（纪元 {2}，zxid {3}）",
                &[
                    who,
                    Voted(vote.leader, m.server),
                    E(vote.epoch),
                    Z(vote.zxid),
                ],
            ),
            Absence::Follows(ServerId::NOBODY) | Absence::Looks => {
                p.say("{0} has no leader itself", "{0} 自己也没有领导者", &[who])
            }
            Absence::Follows(leader) if leader == m.server => {
                p.say("{0} leads itself", "{0} 自己是领导者", &[who])
            }
            Absence::Follows(leader) => {
                p.say("{0} follows {1}", "{0} 跟随 {1}", &[who, Server(leader)]);
            }
            Absence::OnDisk(Span(0)) => {
                p.say("{0} waits for its disk", "{0} 在等自己的磁盘", &[who])
            }
            Absence::OnDisk(slower) => p.say(
                "{0} waits for its disk, which is slower by {1}",
                "{0} 在等自己的磁盘，它慢了 {1}",
                &[who, Time(slower)],
            ),
            Absence::Silent => p.say(
                "{0}: nothing has come from it yet",
                "{0}：还没有收到它的消息",
                &[who],
            ),
        }
        self.missing.push(p.finish());
    }

    fn count(&mut self, count: &Count) {
        self.why.count(count.have.len() as u32, count.need);
        for m in &count.missing {
            self.absent(m);
        }
    }

    fn zxids(&mut self, left: (String, Zxid), right: (String, Zxid)) {
        let (a, b) = (self.why.zxid(left.1), self.why.zxid(right.1));
        self.why
            .row(("zxid", "zxid"), (left.0, a), (right.0, b), true);
    }

    fn times(&mut self, left: (String, Moment), right: (String, Moment)) {
        self.why.row(
            ("time", "时间"),
            (left.0, moment(left.1)),
            (right.0, moment(right.1)),
            true,
        );
    }

    fn pick(&self, en: &'static str, zh: &'static str) -> String {
        self.lang.pick(en, zh).to_owned()
    }

    /// A sentence about what a server lacks.
    fn lag(&mut self, lag: Lag) {
        let at;
        let (en, zh, args): (&'static str, &'static str, &[super::say::Arg<'_>]) = match lag {
            Lag::NotRunning(s) => (" It {0}.", "它{0}。", &[T(status(s, self.lang))]),
            Lag::NotServing => (
                " It has no leader that it has caught up with.",
                "它没有跟上任何领导者。",
                &[],
            ),
            Lag::Cut(leader) => (
                " Nothing reaches it from {0}: the link is cut.",
                "{0} 发来的什么都到不了：链路被切断。",
                &[Server(leader)],
            ),
            Lag::OnTheWay(kind, from, arrives) => {
                at = moment(arrives);
                (
                    " {0} from {1} is still on its way, until {2}.",
                    "{1} 发来的 {0} 还在途中，{2} 到达。",
                    &[V(kind.name()), Server(from), V(&at)],
                )
            }
            Lag::OnDisk(Span(0)) => (
                " It has it, but its disk does not yet.",
                "它已收到，但磁盘还没写完。",
                &[],
            ),
            Lag::OnDisk(slower) => (
                " It has it, but its disk does not yet (slower by {0}).",
                "它已收到，但磁盘还没写完（慢了 {0}）。",
                &[Time(slower)],
            ),
            Lag::NotSent(leader) => (
                " {0} has not sent it yet.",
                "{0} 还没有发给它。",
                &[Server(leader)],
            ),
        };
        self.p.say(en, zh, args);
    }

    fn phase(&self, phase: LeaderPhase) -> &'static str {
        match phase {
            LeaderPhase::CollectingInfo => self
                .lang
                .pick("tell its acceptedEpoch", "报告 acceptedEpoch"),
            LeaderPhase::CollectingEpochAcks => {
                self.lang.pick("accept the new epoch", "接受新纪元")
            }
            LeaderPhase::CollectingNewLeaderAcks | LeaderPhase::Established => {
                self.lang.pick("have the history on disk", "把历史写到磁盘")
            }
        }
    }

    fn awaits(&self, awaits: Awaits) -> &'static str {
        match awaits {
            Awaits::Connection(_) => self.lang.pick("the connection", "连接建立"),
            Awaits::Epoch => "LEADERINFO",
            Awaits::Sync => self.lang.pick("DIFF, TRUNC or SNAP", "DIFF、TRUNC 或 SNAP"),
            Awaits::Truncation => self
                .lang
                .pick("its own log to be cut", "自己的日志截断完成"),
            Awaits::History(_) => self
                .lang
                .pick("the history and NEWLEADER", "历史和 NEWLEADER"),
            Awaits::UpToDate => "UPTODATE",
        }
    }

    fn it_has(&mut self, asked: &Q) -> Source {
        let (en, zh, source): (&'static str, &'static str, Source) = match asked {
            Q::NotLeading(_) => ("But it leads.", "它就是领导者。", zk("2.6")),
            Q::StillLooking(_) => (
                "It is not LOOKING any more: its election is decided.",
                "它已不在寻找：它的选举已有结果。",
                zk("2.6"),
            ),
            Q::NotServing(_) => ("But it serves.", "它正在提供服务。", zk("3.5")),
            Q::NotCommitted(_) => ("But it is committed.", "它已经提交了。", zk("3.6")),
            Q::NotAnswered(_) => (
                "It waits for nothing: everything that it asked is answered.",
                "它没有在等什么：所有请求都已得到回答。",
                zk("1.5"),
            ),
            Q::NotNewest(_) | Q::NotFresh(_) => (
                "But it has applied everything that is committed.",
                "它已经应用了所有已提交的事务。",
                zk("1.5"),
            ),
            Q::NotExpired(_) => ("But it has ended.", "它已经结束了。", zk("1.4")),
            Q::NotRung(..) => ("But it has rung.", "它已经触发了。", zk("1.11")),
            Q::NotThisMode(..) => ("But this is what was chosen.", "选的就是它。", zk("3.4")),
        };
        self.p.say(en, zh, &[]);
        source
    }

    #[allow(clippy::too_many_lines)] // one arm for each answer
    fn because(&mut self, answer: &Answer) -> Source {
        const VOTES: &str = "FLEHandleNotmsg";
        match &answer.because {
            B::ItHas => self.it_has(&answer.question),
            B::NoSuchThing => {
                self.p.say(
                    "There is nothing of the kind at this moment.",
                    "此刻没有这样的东西。",
                    &[],
                );
                zk("3.1")
            }
            B::NotRunning(id, s) => {
                let s = status(*s, self.lang);
                self.p.say(
                    "{0} {1}: it handles nothing, and the others can't tell it from a dead one.",
                    "{0} {1}：它什么都不处理，其他服务器无法把它与死机区分开。",
                    &[Server(*id), T(s)],
                );
                zk("3.7")
            }
            B::HasNoVote(id) => {
                self.p.say(
                    "{0} has no vote: an observer, or a server of weight 0, can't be elected.",
                    "{0} 没有投票权：观察者或权重为 0 的服务器不能当选。",
                    &[Server(*id)],
                );
                zk("2.4")
            }
            B::LostTheVote {
                own, winner, by, ..
            } => {
                self.why.votes(*own, *winner, *by);
                match by {
                    VoteField::Zxid => self.p.say(
                        "{0} was not elected: its last zxid is {1}, that of {2} is {3}.",
                        "{0} 没有当选：它最后的 zxid 是 {1}，{2} 的是 {3}。",
                        &[Server(own.leader), Z(own.zxid), Server(winner.leader), Z(winner.zxid)],
                    ),
                    VoteField::Epoch => self.p.say(
                        "{0} was not elected: its epoch is {1}, that of {2} is {3}.",
                        "{0} 没有当选：它的纪元是 {1}，{2} 的是 {3}。",
                        &[Server(own.leader), E(own.epoch), Server(winner.leader), E(winner.epoch)],
                    ),
                    VoteField::Id | VoteField::Same | VoteField::Weight => self.p.say(
                        "{0} was not elected: epoch and last zxid are those of {1}, and id {2} < {3}.",
                        "{0} 没有当选：纪元和最后的 zxid 与 {1} 相同，而编号 {2} < {3}。",
                        &[Server(own.leader), Server(winner.leader), Id(own.leader), Id(winner.leader)],
                    ),
                }
                tla("2.4", VOTES)
            }
            B::NotHeardInTime { own, winner, by } => {
                self.why.votes(*own, *winner, *by);
                let by = field(*by, self.lang);
                self.p.say(
                    "The vote of {0} is the better one by {2}, but {1} had a quorum without it.",
                    "按{2}比较，{0} 的选票更好，但没有它 {1} 也凑齐了法定人数。",
                    &[Server(own.leader), Server(winner.leader), T(by)],
                );
                tla("2.6", VOTES)
            }
            B::CameLater {
                leader,
                elected,
                came,
            } => {
                let (a, b) = (self.pick("elected", "当选"), self.pick("looks", "开始寻找"));
                self.times((a, *elected), (b, *came));
                self.p.say(
                    "{0} was elected already when it came. Nobody is voted out: it joins, however good its vote is.",
                    "它来时 {0} 已经当选。没有人会被投票赶下台：不管它的选票多好，它都是加入。",
                    &[Server(*leader)],
                );
                zk("2.6")
            }
            B::Outvoted { own, better, by } => {
                self.why.votes(*own, *better, *by);
                let by = field(*by, self.lang);
                self.p.say(
                    "{0} votes for {1} itself: what decides is {2}.",
                    "{0} 自己也投给 {1}：决定的是{2}。",
                    &[Server(own.leader), Server(better.leader), T(by)],
                );
                tla("2.4", VOTES)
            }
            B::TooFewVotes { vote, round, count } => {
                self.count(count);
                self.p.say(
                    "In round {3} it has {0} of the {1} votes that it needs for {2}.",
                    "第 {3} 轮中，它需要 {1} 票支持 {2}，目前有 {0} 票。",
                    &[
                        N(count.have.len() as u64),
                        N(count.need.into()),
                        Server(vote.leader),
                        N(*round),
                    ],
                );
                tla("2.6", VOTES)
            }
            B::LastWait { vote, count, until } => {
                self.count(count);
                self.p.say(
                    "It has {0} votes for {1}, a quorum; until {2} it waits whether a better one comes.",
                    "支持 {1} 的已有 {0} 票，够法定人数；它等到 {2}，看有没有更好的选票。",
                    &[N(count.have.len() as u64), Server(vote.leader), V(&moment(*until))],
                );
                tla("2.6", "FLEWaitNewNotmsg")
            }
            B::LeaderWaits {
                leader,
                phase,
                count,
                until,
            } => {
                self.count(count);
                let phase = self.phase(*phase);
                self.p.say(
                    "{0} is elected, but leads only when a quorum has done its part: {1}. {2} of {3} have. It gives up at {4}.",
                    "{0} 已当选，但要法定人数都{1}才算领导：需要 {3}，已有 {2}。到 {4} 它会放弃。",
                    &[
                        Server(*leader),
                        T(phase),
                        N(count.have.len() as u64),
                        N(count.need.into()),
                        V(&moment(*until)),
                    ],
                );
                zab("3.3", Paper::Discovery, "LeaderProcessFOLLOWERINFO")
            }
            B::LearnerWaits {
                leader,
                awaits,
                until,
                leader_is,
                count,
            } => {
                self.absent(&Missing {
                    server: *leader,
                    because: *leader_is,
                });
                let what = self.awaits(*awaits);
                self.p.say(
                    "It has chosen {0} and waits for {1}; only after UPTODATE does it serve.",
                    "它选择了 {0}，正在等{1}；收到 UPTODATE 之后才提供服务。",
                    &[Server(*leader), T(what)],
                );
                if let Some(until) = until {
                    self.p.say(
                        " It waits until {0} at most.",
                        "最多等到 {0}。",
                        &[V(&moment(*until))],
                    );
                }
                if let Some((phase, count)) = count {
                    self.count(count);
                    let phase = self.phase(*phase);
                    self.p.say(
                        " The leader itself waits for a quorum to {0}.",
                        "领导者自己也在等法定人数{0}。",
                        &[T(phase)],
                    );
                }
                zab("3.5", Paper::Synchronization, "FollowerProcessNEWLEADER")
            }
            B::StillFollows {
                leader,
                leader_is,
                until,
            } => {
                self.absent(&Missing {
                    server: *leader,
                    because: *leader_is,
                });
                self.p.say(
                    "It follows {0} and has not noticed anything yet.",
                    "它还跟随着 {0}，尚未察觉异常。",
                    &[Server(*leader)],
                );
                if let Some(until) = until {
                    self.p.say(
                        " It looks for another leader at {0} at the latest.",
                        "最迟到 {0} 它会寻找新的领导者。",
                        &[V(&moment(*until))],
                    );
                }
                zk("3.7")
            }
            B::NeverProposed { leader, last } => {
                match leader {
                    Some(leader) => self.p.say(
                        "No leader has given out this zxid: the last that {0} gave out is {1}.",
                        "没有领导者发出过这个 zxid：{0} 最后发出的是 {1}。",
                        &[Server(*leader), Z(*last)],
                    ),
                    None => self.p.say(
                        "No leader has given out this zxid: the last on any disk is {0}.",
                        "没有领导者发出过这个 zxid：各磁盘上最后的是 {0}。",
                        &[Z(*last)],
                    ),
                }
                zk("3.6")
            }
            B::TooFewAcks { zxid, count } => {
                self.count(count);
                self.p.say(
                    "{0} is on the disks of {1} voters as far as the leader knows; it needs {2}.",
                    "据领导者所知，{0} 已写到 {1} 个投票者的磁盘上；需要 {2} 个。",
                    &[Z(*zxid), N(count.have.len() as u64), N(count.need.into())],
                );
                zab("3.6", Paper::Broadcast, "LeaderProcessACK")
            }
            B::AfterAnOlder {
                zxid,
                oldest,
                count,
            } => {
                self.count(count);
                self.zxids(
                    (self.pick("first", "先"), *oldest),
                    (self.pick("then", "后"), *zxid),
                );
                self.p.say(
                    "What is committed is committed in order: {0} comes first, and has {2} of the {3} ACKs that it needs; then {1}.",
                    "提交按顺序进行：先是 {0}，它需要 {3} 个 ACK，已有 {2} 个；然后才是 {1}。",
                    &[
                        Z(*oldest),
                        Z(*zxid),
                        N(count.have.len() as u64),
                        N(count.need.into()),
                    ],
                );
                zab("3.6", Paper::Broadcast, "LeaderProcessACK")
            }
            B::NobodyDecides {
                zxid,
                holders,
                need,
            } => {
                self.why.count(holders.len() as u32, *need);
                self.p.say(
                    "Nobody leads. {0} is on {1} {1:disk|disks}; the next leader decides: if its quorum has it, it stays.",
                    "没有领导者。{0} 在 {1} 块磁盘上；由下一任领导者决定：它的法定人数里有，就保留。",
                    &[Z(*zxid), N(holders.len() as u64)],
                );
                zab("3.3", Paper::Discovery, "LeaderProcessACKEPOCH")
            }
            B::GivenUp {
                zxid,
                leader,
                epoch,
                history,
                holders,
                removed,
            } => {
                let (a, b) = (self.why.who(*leader), self.pick("asked for", "所问的"));
                self.zxids((a, *history), (b, *zxid));
                self.p.say(
                    "It will never be: epoch {0} began without it. {1} was elected with a history up to {2}, and no client was told that it is done.",
                    "它永远不会提交：纪元 {0} 开始时没有它。{1} 当选时历史到 {2} 为止，也没有客户端被告知它已完成。",
                    &[E(*epoch), Server(*leader), Z(*history)],
                );
                for id in holders {
                    let mut p = Pen::new(self.lang, self.ctx);
                    p.say(
                        "{0} still has it on disk, until it joins",
                        "{0} 的磁盘上还有它，直到加入为止",
                        &[Server(*id)],
                    );
                    self.missing.push(p.finish());
                }
                for (id, how) in removed {
                    let how = match how {
                        RemovedBecause::Truncated => "TRUNC",
                        RemovedBecause::Replaced => "SNAP",
                        RemovedBecause::LostInCrash => self.lang.pick("a crash", "崩溃"),
                        RemovedBecause::DiskLost => {
                            self.lang.pick("the loss of its disk", "磁盘丢失")
                        }
                    };
                    let mut p = Pen::new(self.lang, self.ctx);
                    p.say(
                        "{0} had it, and lost it by {1}",
                        "{0} 曾有它，因{1}失去",
                        &[Server(*id), T(how)],
                    );
                    self.missing.push(p.finish());
                }
                zab("3.4", Paper::Synchronization, "LeaderSyncFollower")
            }
            B::NotConnected { client, state } => {
                self.p.say(
                    "{0} has no connection to send it on.",
                    "{0} 没有可用的连接。",
                    &[Who(*client)],
                );
                match state {
                    ClientState::Waiting { until } => self.p.say(
                        " It calls the next server at {0}.",
                        "{0} 时它会呼叫下一台服务器。",
                        &[V(&moment(*until))],
                    ),
                    ClientState::Connecting { server, .. } => self.p.say(
                        " It has called {0} and waits.",
                        "它已呼叫 {0}，正在等待。",
                        &[Server(*server)],
                    ),
                    ClientState::Expired | ClientState::Closed => {
                        self.p.say(" Its session is over.", "它的会话已结束。", &[])
                    }
                    ClientState::Connected { .. } => {}
                }
                zk("1.4")
            }
            B::BetweenClientAndServer {
                client,
                server,
                to_server,
                arrives,
            } => {
                let at = moment(*arrives);
                let args = [Who(*client), Server(*server), V(&at)];
                if *to_server {
                    self.p.say(
                        "It is still on its way from {0} to {1}, until {2}.",
                        "它还在从 {0} 到 {1} 的途中，{2} 到达。",
                        &args,
                    );
                } else {
                    self.p.say(
                        "It is done: word of it is on its way from {1} to {0}, until {2}.",
                        "已经完成：消息正从 {1} 送往 {0}，{2} 到达。",
                        &args,
                    );
                }
                zk("1.3")
            }
            B::AskedTheLeader {
                client,
                server,
                leader,
                arrives,
            } => {
                match (leader, arrives) {
                    (Some(leader), Some(at)) => self.p.say(
                        "{0} asks {1}, which has passed it on: it reaches the leader {2} at {3}. Only there is it given a zxid.",
                        "{0} 问的是 {1}，它已转交：{3} 到达领导者 {2}，在那里才会得到 zxid。",
                        &[Who(*client), Server(*server), Server(*leader), V(&moment(*at))],
                    ),
                    (Some(leader), None) => self.p.say(
                        "{0} asks {1}, which needs its leader {2} for it; nothing was proposed yet.",
                        "{0} 问的是 {1}，这需要领导者 {2}；还没有提出提案。",
                        &[Who(*client), Server(*server), Server(*leader)],
                    ),
                    (None, _) => self.p.say(
                        "{0} asks {1}, which has no leader to pass it on to.",
                        "{0} 问的是 {1}，它没有领导者可以转交。",
                        &[Who(*client), Server(*server)],
                    ),
                }
                zk("1.5")
            }
            B::Behind {
                server,
                applied,
                newest,
                by,
                first,
                lag,
            } => {
                self.p.tone(Tone::Allowed);
                let (a, b) = (self.why.who(*server), self.pick("committed", "已提交"));
                self.zxids((a, *applied), (b, *newest));
                self.p.say(
                    "{0} has applied up to {1}; {2} is committed, so it is {3} behind, first of all {4}.",
                    "{0} 应用到 {1}；已提交的到 {2}，所以落后 {3} 个，首先缺 {4}。",
                    &[Server(*server), Z(*applied), Z(*newest), N(*by), Z(*first)],
                );
                self.lag(*lag);
                zk("1.5")
            }
            B::WasBehind {
                client,
                server,
                shown,
                newest,
                by,
                first,
                committed,
                applied,
                answered,
            } => {
                self.p.tone(Tone::Allowed);
                let (a, b) = (self.why.who(*server), self.pick("committed", "已提交"));
                self.zxids((a, *shown), (b, *newest));
                if let Some(committed) = committed {
                    let (z, who) = (self.why.zxid(*first), self.why.who(*server));
                    let word = self.lang.pick(" committed", " 提交");
                    let a = (z + word, moment(*committed));
                    let b = (
                        who + self.lang.pick(" answered", " 回答"),
                        moment(*answered),
                    );
                    self.why.row(("time", "时间"), a, b, false);
                }
                self.p.say(
                    "{0} read at {1}, which had applied up to {2}, {3} behind {4}. Allowed: reads are answered from the server's own memory.",
                    "{0} 在 {1} 上读，它应用到 {2}，比 {4} 落后 {3} 个。这是允许的：读由服务器用自己的内存回答。",
                    &[Who(*client), Server(*server), Z(*shown), N(*by), Z(*newest)],
                );
                if let Some(applied) = applied {
                    self.p.say(
                        " It applied {0} at {1}.",
                        "{1} 它才应用 {0}。",
                        &[Z(*first), V(&moment(*applied))],
                    );
                }
                zk("1.5")
            }
            B::NobodyCounts => {
                self.p.say(
                    "Only a leader counts the time of sessions, and there is none. The next one gives every session its whole time-out again.",
                    "只有领导者给会话计时，而现在没有领导者。下一任会让每个会话重新获得完整的超时。",
                    &[],
                );
                zk("1.4")
            }
            B::TimeLeft {
                leader,
                timeout,
                heard,
                deadline,
                tick,
            } => {
                let (a, b) = (self.pick("now", "现在"), self.pick("deadline", "期限"));
                self.times((a, answer.at), (b, *deadline));
                if let Some(heard) = heard {
                    self.p.say(
                        "{0} heard of it at {1}; {2} of silence may follow, rounded up to the tick of {3}: {4}.",
                        "{0} 在 {1} 收到过它的消息；之后允许沉默 {2}，向上取整到 {3} 的 tick：{4}。",
                        &[
                            Server(*leader),
                            V(&moment(*heard)),
                            Time(*timeout),
                            Time(*tick),
                            V(&moment(*deadline)),
                        ],
                    );
                } else {
                    self.p.say(
                        "{0} gives it {1} of silence, rounded up to the tick of {2}: {3}.",
                        "{0} 允许它沉默 {1}，向上取整到 {2} 的 tick：{3}。",
                        &[
                            Server(*leader),
                            Time(*timeout),
                            Time(*tick),
                            V(&moment(*deadline)),
                        ],
                    );
                }
                zk("1.4")
            }
            B::EndNotCommitted { zxid, count } => {
                self.count(count);
                self.p.say(
                    "The leader has ended it, but an end is a transaction like any other: {0} has {1} of the {2} ACKs that it needs.",
                    "领导者已让它结束，但结束也是一个事务：{0} 需要 {2} 个 ACK，已有 {1} 个。",
                    &[Z(*zxid), N(count.have.len() as u64), N(count.need.into())],
                );
                zk("1.4")
            }
            B::NoWatch { server } => {
                self.p.say(
                    "{0} keeps no watch there for this client: none was set, or it was removed.",
                    "{0} 那里没有这个客户端的监听：没有设置过，或已移除。",
                    &[Server(*server)],
                );
                zk("1.11")
            }
            B::RangAlready {
                stays,
                event,
                zxid,
                at,
            } => {
                let what = names::happened(*event, self.lang);
                let (en, zh) = match stays {
                    true => (
                        "It rang already at {0}: a znode {1}. Nothing it waits for came after that; it stays, and rings again.",
                        "它在 {0} 已经触发过：节点{1}。此后没有它等待的变化；监听保留着，还会触发。",
                    ),
                    false => (
                        "It rang already at {0}: the znode {1}. A watch rings once; it has to be set again.",
                        "它在 {0} 已经触发过：节点{1}。监听只触发一次，之后要重新设置。",
                    ),
                };
                self.p.say(en, zh, &[V(&moment(*at)), T(what)]);
                if let Some(zxid) = zxid {
                    let (a, b) = (
                        self.pick("rang for", "触发于"),
                        self.pick("since then", "此后"),
                    );
                    let (x, y) = (
                        self.why.zxid(*zxid),
                        match stays {
                            true => self.pick("nothing", "没有变化"),
                            false => self.pick("no watch", "没有监听"),
                        },
                    );
                    self.why.row(("watch", "监听"), (a, x), (b, y), true);
                }
                zk("1.11")
            }
            B::NothingChanged {
                server,
                set,
                changed,
                applied,
            } => {
                let a = self.pick("set at", "设置于");
                let b = self.pick("last change", "最近的变化");
                match changed {
                    Some(changed) => {
                        self.zxids((b, *changed), (a, *set));
                        self.p.say(
                            "Nothing has changed: the last change is {1}, the watch was set at {2}, and {0} has applied up to {3}.",
                            "没有变化：最近的变化是 {1}，监听设置于 {2}，{0} 已应用到 {3}。",
                            &[Server(*server), Z(*changed), Z(*set), Z(*applied)],
                        );
                    }
                    None => self.p.say(
                        "There is no such znode on {0}, which has applied up to {1}: the watch waits until it is made.",
                        "{0} 上没有这个节点，它已应用到 {1}：监听等到它被创建。",
                        &[Server(*server), Z(*applied)],
                    ),
                }
                zk("1.11")
            }
            B::OtherKind { data, changed, set } => {
                let (a, b) = (
                    self.pick("change", "变化"),
                    self.pick("watch set at", "监听设置于"),
                );
                self.zxids((a, *changed), (b, *set));
                if *data {
                    self.p.say(
                        "{0} changed its children; this watch waits for the znode itself.",
                        "{0} 改变的是它的子节点；这个监听等的是节点本身。",
                        &[Z(*changed)],
                    );
                } else {
                    self.p.say(
                        "{0} changed the znode itself; this watch waits for its children.",
                        "{0} 改变的是节点本身；这个监听等的是它的子节点。",
                        &[Z(*changed)],
                    );
                }
                zk("1.11")
            }
            B::ChangeNotHere {
                changed,
                server,
                applied,
                lag,
            } => {
                let (a, b) = (self.why.who(*server), self.pick("change", "变化"));
                self.zxids((a, *applied), (b, *changed));
                self.p.say(
                    "{0} is committed, but a watch rings where it is kept, when that server applies the change: {1} has applied up to {2}.",
                    "{0} 已提交，但监听在保存它的服务器应用该变化时才触发：{1} 只应用到 {2}。",
                    &[Z(*changed), Server(*server), Z(*applied)],
                );
                self.lag(*lag);
                zk("1.11")
            }
            B::ModeChosen {
                leader,
                learner,
                wanted,
                chosen,
                rule,
                peer,
                min,
                max,
                last,
            } => {
                let range = self
                    .why
                    .text(|p| p.say("{0} … {1}", "{0} … {1}", &[Z(*min), Z(*max)]));
                let theirs = (self.why.who(*learner), self.why.zxid(*peer));
                let ours = self.why.who(*leader);
                if *rule == SyncRule::Equal {
                    let z = self.why.zxid(*last);
                    self.why
                        .row(("last zxid", "最后的 zxid"), theirs, (ours, z), true);
                } else {
                    self.why.row(
                        ("last zxid and committedLog", "最后的 zxid 与 committedLog"),
                        theirs,
                        (ours, range),
                        true,
                    );
                }
                let (en, zh) = mode::not(*wanted, *rule);
                self.p.say(
                    en,
                    zh,
                    &[Server(*learner), Z(*peer), Z(*min), Z(*max), Z(*last)],
                );
                self.p.say(
                    " So {0} chose {1}.",
                    "所以 {0} 选择了 {1}。",
                    &[Server(*leader), V(names::mode(*chosen))],
                );
                zab("3.4", Paper::Synchronization, "LeaderSyncFollower")
            }
            B::NoModeYet => {
                self.p.say(
                    "No leader has brought it up to date yet.",
                    "还没有领导者让它同步过。",
                    &[],
                );
                zk("3.4")
            }
        }
    }
}

#[cfg(test)]
mod tests;

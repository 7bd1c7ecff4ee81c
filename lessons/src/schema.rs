//! What `lesson.json` may say. Unknown fields, unknown names and other versions are refused.
//!
//! Wherever a server stands, one may write its number, or who it is: see [`Who`].

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::collections::{BTreeMap, BTreeSet};
use zabscope_core::{request::Request, sim::Setup};

/// The version of the format that this crate reads.
pub const VERSION: u32 = 1;

/// `lesson.json`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Data {
    /// [`VERSION`].
    pub version: u32,
    /// How long it takes, at most 5.
    pub minutes: u8,
    /// The world; what is left out is as in [`Setup::default`].
    pub setup: Setup,
    /// What happens before the first step: it prepares histories, clients, faults.
    #[serde(default)]
    pub prologue: Vec<Move>,
    /// The steps, in order.
    pub steps: Vec<Step>,
}

/// One step.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "RawStep")]
pub struct Step {
    /// Its name: the heading of its text, and its deep link.
    pub id: String,
    /// Stage directions: what happens as the step begins, before the learner sees it.
    pub scene: Vec<Move>,
    /// Names for servers, resolved when the step begins: `{"old": "leader"}`, later `"$old"`.
    pub bind: BTreeMap<String, Who>,
    /// What the text takes for granted when the step begins. If the learner has led the world
    /// elsewhere, the player says so and offers to set the scene again.
    pub needs: Option<Condition>,
    /// What the text says, checked when the step ends. In the page this is not shown; in the check
    /// a claim that does not hold fails the lesson.
    pub claims: Vec<Claim>,
    /// What the page should show: a server, a view.
    pub focus: Option<Focus>,
    /// What is to be done.
    pub task: Task,
}

/// A step as it is written: with one of the five tasks.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawStep {
    id: String,
    #[serde(default)]
    scene: Vec<Move>,
    #[serde(default)]
    bind: BTreeMap<String, Who>,
    #[serde(default)]
    needs: Option<Condition>,
    #[serde(default)]
    claims: Vec<Claim>,
    #[serde(default)]
    focus: Option<Focus>,
    #[serde(default)]
    tell: Option<Nothing>,
    #[serde(default)]
    watch: Option<Watch>,
    #[serde(default, rename = "do")]
    act: Option<Do>,
    #[serde(default)]
    predict: Option<Predict>,
    #[serde(default)]
    explain: Option<Nothing>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

impl TryFrom<RawStep> for Step {
    type Error = String;

    fn try_from(raw: RawStep) -> Result<Step, String> {
        let mut tasks = Vec::new();
        tasks.extend(raw.tell.map(|Nothing {}| Task::Tell));
        tasks.extend(raw.watch.map(Task::Watch));
        tasks.extend(raw.act.map(Task::Do));
        tasks.extend(raw.predict.map(Task::Predict));
        tasks.extend(raw.explain.map(|Nothing {}| Task::Explain));
        match (tasks.pop(), tasks.pop()) {
            (Some(task), None) => Ok(Step {
                id: raw.id,
                scene: raw.scene,
                bind: raw.bind,
                needs: raw.needs,
                claims: raw.claims,
                focus: raw.focus,
                task,
            }),
            (_, more) => Err(format!(
                "step `{}` has {} of tell, watch, do, predict, explain; it must have one",
                raw.id,
                if more.is_some() { "several" } else { "none" }
            )),
        }
    }
}

/// The five kinds of step.
#[derive(Clone, Debug)]
pub enum Task {
    /// Text beside the world, which stands still.
    Tell,
    /// The world runs until something holds.
    Watch(Watch),
    /// The learner acts.
    Do(Do),
    /// A question, answered by running it.
    Predict(Predict),
    /// The why, after a prediction. The world stands still.
    Explain,
}

/// The world runs until something holds.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Watch {
    /// Until this.
    pub until: Condition,
    /// At most so many steps of the simulator.
    pub at_most: u64,
}

/// The learner acts.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Do {
    /// Reached, in whatever way.
    pub goal: Condition,
    /// It can't be reached any more: the player offers to set the scene again.
    #[serde(default)]
    pub lost: Option<Condition>,
    /// One way to reach it.
    pub solution: Vec<Move>,
}

/// A question, answered by running it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Predict {
    /// What is run.
    pub run: Vec<Move>,
    /// What one may choose from.
    pub choices: Choices,
}

/// What one may choose from.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Choices {
    /// A value of the world after the run.
    Value {
        /// Its value after the run is the right answer.
        outcome: Expr,
        /// These, as they are before the run, are offered beside it.
        #[serde(default)]
        also: Vec<Expr>,
        /// All servers of this kind are offered.
        #[serde(default)]
        servers: Option<Group>,
    },
    /// Cases with a text each.
    Cases(Vec<Case>),
}

/// One case.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// Its name: the heading of its text.
    pub id: String,
    /// It is right if this holds after the run.
    pub when: Condition,
    /// What would have had to be done before the run, for this to be right: tried out in the check.
    #[serde(default)]
    pub if_before: Vec<Move>,
}

/// What the text says about the run.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    /// In words, for whom it may fail.
    pub says: String,
    /// What would have to be done when the step begins: then the claim is about a fork that does
    /// this instead ("had server 5 been there, ..."). Empty: about the run itself.
    #[serde(default)]
    pub given: Vec<Move>,
    /// It holds when the step ends.
    pub holds: Condition,
}

/// What the page should show.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Focus {
    /// This server in the inspector.
    Server(Who),
    /// A view by its name.
    View(View),
}

/// The views of the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum View {
    /// The event list.
    Events,
    /// The space-time diagram.
    SpaceTime,
    /// The logs side by side.
    Logs,
    /// The tree.
    Tree,
    /// The console.
    Console,
}

/// Something that happens in a script.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Move {
    /// An action.
    Act(Act),
    /// The world runs until something holds, at most so many steps.
    Run {
        /// Until this.
        until: Condition,
        /// At most.
        at_most: u64,
    },
    /// The world runs for so many steps.
    Steps(u64),
}

/// What one can do, with servers named by [`Who`].
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Act {
    /// Power off.
    Crash {
        /// Which.
        server: Who,
        /// What is not on disk is lost.
        #[serde(default)]
        lose_unsynced: bool,
    },
    /// Power on.
    Restart(Who),
    /// The process stands still.
    Pause(Who),
    /// It goes on.
    Resume(Who),
    /// Both directions.
    CutLink {
        /// One end.
        a: Who,
        /// The other.
        b: Who,
    },
    /// One direction.
    CutDirection {
        /// Sender.
        from: Who,
        /// Receiver.
        to: Who,
    },
    /// Both directions work again.
    HealLink {
        /// One end.
        a: Who,
        /// The other.
        b: Who,
    },
    /// Only servers of one group reach each other.
    Partition(Vec<Vec<Who>>),
    /// All links work.
    HealAll {},
    /// Messages take longer; 0: normal.
    SlowLink {
        /// One end.
        a: Who,
        /// The other.
        b: Who,
        /// How much longer.
        extra_ms: u64,
    },
    /// The disk takes longer; 0: normal.
    SlowDisk {
        /// Whose.
        server: Who,
        /// How much longer.
        extra_ms: u64,
    },
    /// The disk is lost.
    LoseDisk(Who),
    /// A client appears; clients are numbered from 1.
    AddClient {
        /// Where it connects; absent: anywhere.
        #[serde(default)]
        server: Option<Who>,
        /// The session time-out it wishes.
        timeout_ms: i32,
    },
    /// A client moves.
    MoveClient {
        /// Which.
        client: u16,
        /// Where to.
        server: Who,
    },
    /// A client's connection breaks.
    DropClient(u16),
    /// A client's machine stands still.
    PauseClient(u16),
    /// It goes on.
    ResumeClient(u16),
    /// A znode is made, persistent.
    Create {
        /// By whom.
        client: u16,
        /// Where.
        path: String,
        /// What.
        #[serde(default)]
        data: String,
        /// It goes with the session.
        #[serde(default)]
        ephemeral: bool,
        /// It gets a number.
        #[serde(default)]
        sequential: bool,
    },
    /// Data is set, whatever the version.
    Write {
        /// By whom.
        client: u16,
        /// Where.
        path: String,
        /// What.
        data: String,
    },
    /// Data is read.
    Read {
        /// By whom.
        client: u16,
        /// Where.
        path: String,
        /// Set a watch.
        #[serde(default)]
        watch: bool,
    },
    /// Catch up.
    Sync {
        /// By whom.
        client: u16,
    },
    /// Any other request, as the simulator writes it.
    Ask {
        /// By whom.
        client: u16,
        /// What.
        request: Request,
    },
    /// A client writes by itself.
    Load {
        /// Which.
        client: u16,
        /// How many writes.
        writes: u32,
    },
}

/// A server, by number or by what it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Who {
    /// `3`.
    Id(i64),
    /// `"leader"`: in a condition, who leads now; in an event, who led when the step began.
    Leader,
    /// `"any follower"`: in an action the one with the lowest id.
    AnyFollower,
    /// `"any"`: whoever.
    Any,
    /// `"it"`: the one that `each` or `some` looks at.
    It,
    /// `"$name"`: bound by this or an earlier step.
    Named(String),
}

impl Who {
    fn parse(text: &str) -> Option<Who> {
        match text {
            "leader" => Some(Who::Leader),
            "any follower" => Some(Who::AnyFollower),
            "any" => Some(Who::Any),
            "it" => Some(Who::It),
            _ => match text.strip_prefix('$') {
                Some(name) if !name.is_empty() => Some(Who::Named(name.to_owned())),
                Some(_) | None => text.parse().ok().map(Who::Id),
            },
        }
    }
}

impl<'de> Deserialize<'de> for Who {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Who, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Raw {
            Number(i64),
            Text(String),
        }
        match Raw::deserialize(deserializer) {
            Ok(Raw::Number(n)) => Ok(Who::Id(n)),
            Ok(Raw::Text(text)) => Who::parse(&text).ok_or_else(|| {
                de::Error::custom(format!(
                    "`{text}` is no server: a number, \"leader\", \"any follower\", \"any\", \"it\" or \"$name\""
                ))
            }),
            Err(_) => Err(de::Error::custom(
                "a server is a number, \"leader\", \"any follower\", \"any\", \"it\" or \"$name\"",
            )),
        }
    }
}

impl Serialize for Who {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Who::Id(n) => serializer.serialize_i64(*n),
            Who::Leader => serializer.serialize_str("leader"),
            Who::AnyFollower => serializer.serialize_str("any follower"),
            Who::Any => serializer.serialize_str("any"),
            Who::It => serializer.serialize_str("it"),
            Who::Named(name) => serializer.collect_str(&format_args!("${name}")),
        }
    }
}

/// A set of servers.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Group {
    /// All of the ensemble.
    All,
    /// Those that vote.
    Voters,
    /// Those that run.
    Up,
    /// Those without power.
    Down,
    /// Those that follow a leader.
    Followers,
    /// These.
    These(BTreeSet<Who>),
}

/// A value of the world.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Expr {
    /// A server.
    Server(Who),
    /// currentEpoch.
    Epoch(Who),
    /// Last logged zxid.
    Zxid(Who),
    /// The logical clock.
    Round(Who),
    /// How many votes a quorum needs at least.
    Quorum,
    /// The newest committed zxid.
    Committed,
    /// The data that a client read last.
    LastRead(u16),
    /// A number.
    Number(u64),
    /// Words.
    Text(String),
    /// Sum.
    Plus(Box<Expr>, u64),
}

impl Expr {
    /// As it stands in the text: `zxid 3`, `epoch leader`, `leader`, `$old`, `quorum`.
    pub(crate) fn parse(text: &str) -> Option<Expr> {
        let text = text.trim();
        match text {
            "quorum" => return Some(Expr::Quorum),
            "committed" => return Some(Expr::Committed),
            _ => {}
        }
        match text.split_once(' ') {
            Some(("epoch", who)) => Who::parse(who).map(Expr::Epoch),
            Some(("zxid", who)) => Who::parse(who).map(Expr::Zxid),
            Some(("round", who)) => Who::parse(who).map(Expr::Round),
            Some(_) | None => Who::parse(text).map(Expr::Server),
        }
    }
}

/// The field that decided between two votes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum By {
    Epoch,
    Zxid,
    Id,
    Same,
    Weight,
}

/// Why an election began.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Because {
    /// The server had just started.
    Started,
    /// It lost its leader, or its quorum.
    Lost,
}

/// How an election was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decided {
    /// By a quorum of votes.
    Votes,
    /// By joining a running ensemble.
    Joining,
}

/// How a learner was brought up to date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Mode {
    Diff,
    Trunc,
    Snap,
}

/// A fact, described by some of its fields; what is left out may be anything.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[allow(missing_docs)] // the fields are those of the events of the same name
pub enum Pattern {
    /// One of these.
    AnyOf(Vec<Pattern>),
    Started {
        #[serde(default)]
        server: Option<Who>,
    },
    ElectionStarted {
        #[serde(default)]
        server: Option<Who>,
        /// It votes for itself.
        #[serde(default)]
        own_vote: Option<bool>,
        #[serde(default)]
        round: Option<u64>,
        #[serde(default)]
        because: Option<Because>,
    },
    VoteCompared {
        #[serde(default)]
        server: Option<Who>,
        #[serde(default)]
        from: Option<Who>,
        /// For whom the vote that came in is.
        #[serde(default)]
        theirs: Option<Who>,
        /// For whom its own vote was.
        #[serde(default)]
        ours: Option<Who>,
        #[serde(default)]
        by: Option<By>,
        #[serde(default)]
        changes: Option<bool>,
    },
    VoteChanged {
        #[serde(default)]
        server: Option<Who>,
        #[serde(default)]
        to: Option<Who>,
        #[serde(default)]
        by: Option<By>,
    },
    RoundAdvanced {
        #[serde(default)]
        server: Option<Who>,
        #[serde(default)]
        to: Option<u64>,
    },
    VoteIgnored {
        #[serde(default)]
        server: Option<Who>,
        #[serde(default)]
        from: Option<Who>,
        #[serde(default)]
        older_round: Option<bool>,
    },
    VoteAnswered {
        #[serde(default)]
        server: Option<Who>,
        #[serde(default)]
        to: Option<Who>,
    },
    VoteRepeated {
        #[serde(default)]
        server: Option<Who>,
    },
    QuorumOfVotes {
        #[serde(default)]
        server: Option<Who>,
        #[serde(default)]
        vote: Option<Who>,
    },
    /// It won: it leads now.
    Elected {
        #[serde(default)]
        server: Option<Who>,
        #[serde(default)]
        by: Option<Decided>,
    },
    /// It found whom to follow.
    Follows {
        #[serde(default)]
        server: Option<Who>,
        #[serde(default)]
        leader: Option<Who>,
        #[serde(default)]
        by: Option<Decided>,
    },
    NewEpoch {
        #[serde(default)]
        server: Option<Who>,
        #[serde(default)]
        epoch: Option<i64>,
        #[serde(default)]
        highest: Option<i64>,
    },
    AcceptedEpochSet {
        #[serde(default)]
        server: Option<Who>,
        #[serde(default)]
        epoch: Option<i64>,
    },
    CurrentEpochSet {
        #[serde(default)]
        server: Option<Who>,
        #[serde(default)]
        epoch: Option<i64>,
    },
    SyncChosen {
        #[serde(default)]
        leader: Option<Who>,
        #[serde(default)]
        learner: Option<Who>,
        #[serde(default)]
        mode: Option<Mode>,
    },
    LogTruncated {
        #[serde(default)]
        server: Option<Who>,
        #[serde(default)]
        count: Option<u32>,
    },
    SnapshotInstalled {
        #[serde(default)]
        server: Option<Who>,
    },
    Established {
        #[serde(default)]
        server: Option<Who>,
        #[serde(default)]
        epoch: Option<i64>,
    },
    Serving {
        #[serde(default)]
        server: Option<Who>,
        #[serde(default)]
        leader: Option<Who>,
    },
    Proposed {
        #[serde(default)]
        path: Option<String>,
        #[serde(default)]
        failed: Option<bool>,
    },
    Logged {
        #[serde(default)]
        server: Option<Who>,
    },
    AckSent {
        #[serde(default)]
        server: Option<Who>,
    },
    AckCounted {
        #[serde(default)]
        from: Option<Who>,
    },
    Committed {
        #[serde(default)]
        zxid: Option<(i64, u32)>,
    },
    Applied {
        #[serde(default)]
        server: Option<Who>,
        #[serde(default)]
        path: Option<String>,
    },
    SteppedDown {
        #[serde(default)]
        server: Option<Who>,
        /// It led.
        #[serde(default)]
        led: Option<bool>,
    },
    SessionExpired {},
    SessionEnded {
        #[serde(default)]
        server: Option<Who>,
    },
    ClientRefused {
        #[serde(default)]
        server: Option<Who>,
        /// Because the client has seen more than the server has.
        #[serde(default)]
        client_ahead: Option<bool>,
    },
    ReadServed {
        #[serde(default)]
        server: Option<Who>,
        #[serde(default)]
        path: Option<String>,
    },
    WriteAnswered {
        #[serde(default)]
        server: Option<Who>,
        #[serde(default)]
        failed: Option<bool>,
    },
    SyncAnswered {
        #[serde(default)]
        server: Option<Who>,
    },
    WatchFired {
        #[serde(default)]
        server: Option<Who>,
        #[serde(default)]
        path: Option<String>,
    },
    Crashed(Who),
    Restarted(Who),
    Paused(Who),
    Resumed(Who),
    Partitioned {},
    LinkCut {},
    Healed {},
    ClientConnected {
        #[serde(default)]
        client: Option<u16>,
        #[serde(default)]
        server: Option<Who>,
        /// With the session it had.
        #[serde(default)]
        resumed: Option<bool>,
    },
    ClientExpired {
        #[serde(default)]
        client: Option<u16>,
    },
    StaleRead {
        #[serde(default)]
        client: Option<u16>,
        #[serde(default)]
        server: Option<Who>,
    },
    WatchReceived {
        #[serde(default)]
        client: Option<u16>,
        #[serde(default)]
        path: Option<String>,
    },
}

/// What a server is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Is {
    Looking,
    Following,
    Leading,
    Observing,
    Down,
    Paused,
}

/// How two values stand to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Relation {
    Above,
    Below,
    Equal,
    AtLeast,
}

/// Something that holds or not: of the world now, or of what has happened since the step began.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Condition {
    /// All of these.
    All(Vec<Condition>),
    /// One of these at least.
    Any(Vec<Condition>),
    /// Not this.
    Not(Box<Condition>),
    /// Such a fact was seen since the step began.
    Seen(Pattern),
    /// Such a fact was seen since the first step began.
    Ever(Pattern),
    /// Such facts were seen so often since the step began.
    Count {
        /// What.
        of: Pattern,
        /// At least.
        #[serde(default)]
        min: u64,
        /// At most.
        #[serde(default)]
        max: Option<u64>,
    },
    /// These were seen in this order since the step began.
    InOrder(Vec<Pattern>),
    /// It holds for each of them, and there is one.
    Each {
        /// Of whom.
        of: Group,
        /// What; the server is `"it"`.
        holds: Box<Condition>,
    },
    /// It holds for one of them.
    Some {
        /// Of whom.
        of: Group,
        /// What; the server is `"it"`.
        holds: Box<Condition>,
    },
    /// Some leader is established.
    AnyEstablished(bool),
    /// This one is.
    Established(Who),
    /// It is this.
    State {
        /// Who.
        server: Who,
        /// What.
        is: Is,
    },
    /// It serves clients.
    Serving(Who),
    /// It follows this one.
    Follows {
        /// Who.
        server: Who,
        /// Whom.
        leader: Who,
    },
    /// It votes for this one.
    Votes {
        /// Who.
        server: Who,
        /// For whom.
        candidate: Who,
    },
    /// The same server.
    Same(Who, Who),
    /// So many of them.
    Number {
        /// Of whom.
        of: Group,
        /// At least.
        #[serde(default)]
        min: usize,
        /// At most.
        #[serde(default)]
        max: Option<usize>,
    },
    /// Two values.
    Compare(Expr, Relation, Expr),
    /// Its log, as it would be after a crash or is in memory, has this transaction.
    LogHas {
        /// Whose.
        server: Who,
        /// Epoch and counter.
        zxid: (i64, u32),
    },
    /// A znode at a server.
    Znode {
        /// At which.
        server: Who,
        /// Where.
        path: String,
        /// With this data; absent: whatever.
        #[serde(default)]
        data: Option<String>,
    },
    /// A client is connected to this server.
    ClientAt {
        /// Which.
        client: u16,
        /// Where.
        server: Who,
    },
    /// So many faults at most were made by the learner since the first step: for challenges.
    Faults {
        /// At most.
        max: usize,
    },
}

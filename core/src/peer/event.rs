//! Facts about what a server just did, and why. One stream for the page's sentences, the timeline,
//! the invariant checkers, the lessons' goals, the logs and the metrics. Nothing here is a string.
//!
//! Every event carries the values that decided ("reason") and names the event that caused it.

use crate::{
    id::{ClientId, ConnId, Epoch, EventId, ServerId, SessionId, Zxid},
    message::{MessageKind, ServerState, Vote},
    request::{ErrorCode, WatchEventKind, WatchKind},
    time::Span,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

pub use crate::{request::OpKind, txn::TxnKind};

/// One fact.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Event {
    /// Its name; `id.server` is where it happened.
    pub id: EventId,
    /// What led to it, here or elsewhere; `None` for what comes from outside: a user, a clock.
    pub cause: Option<EventId>,
    /// What it is.
    pub kind: EventKind,
}

/// The first field in which two votes differ, and so the one that decides (ZooKeeper.md 2.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum VoteField {
    /// The peer epochs differ.
    Epoch,
    /// The epochs are equal, the zxids differ.
    Zxid,
    /// Epochs and zxids are equal, the ids differ.
    Id,
    /// They are the same vote.
    Same,
    /// The candidate has weight 0 and can't win.
    Weight,
}

/// Why an election began.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ElectionReason {
    /// The server just started.
    Started,
    /// The connection to the leader broke.
    LeaderConnectionLost {
        /// The leader.
        leader: ServerId,
    },
    /// Nothing was heard from the leader for syncLimit or initLimit.
    LeaderSilent {
        /// The leader.
        leader: ServerId,
        /// For how long.
        waited: Span,
    },
    /// The leader could not be reached in all attempts, or within initLimit.
    LeaderUnreachable {
        /// The leader.
        leader: ServerId,
        /// Attempts made.
        attempts: u32,
    },
    /// The leader offered an epoch older than one we accepted: it was deposed before it began.
    LeaderStale {
        /// The leader.
        leader: ServerId,
        /// Its epoch.
        offered: Epoch,
        /// Ours.
        accepted: Epoch,
    },
    /// The leader did not keep to the protocol; the connection was given up.
    LeaderBroke {
        /// The leader.
        leader: ServerId,
        /// What came.
        message: MessageKind,
    },
    /// We led, but no quorum was there within initLimit.
    NoQuorumInTime {
        /// In which phase.
        phase: Phase,
    },
    /// We led, but the learners that are in time are no quorum any more.
    QuorumLost {
        /// Who was in time, with ourselves.
        in_time: u32,
        /// What a quorum needs.
        need: u32,
    },
    /// The leader had our log cut, but what is left on disk does not end where it should: what we
    /// have is no history, and has no say until a leader has sent us one.
    TruncationFailed {
        /// Where it should end.
        to: Zxid,
        /// Where it ends.
        last: Zxid,
    },
    /// We led, but a follower has a more recent history: (currentEpoch, zxid) above ours.
    FollowerMoreRecent {
        /// Who.
        follower: ServerId,
        /// Its epoch.
        epoch: Epoch,
        /// Its last zxid.
        zxid: Zxid,
    },
    /// We led, and the counter of our zxids is used up: a new epoch is needed.
    ZxidRollOver {
        /// The last one.
        zxid: Zxid,
    },
    /// An operator put a snapshot in the place of our tree.
    Restored {
        /// The last transaction that it stands for.
        zxid: Zxid,
    },
    /// The members have changed, and with them our role, or who leads.
    Reconfigured {
        /// The version of the members that hold now.
        version: Zxid,
    },
    /// We were elected, no quorum has joined for longer than is allowed, and one of those who elected us
    /// looks for a leader again.
    VoterLooksAgain {
        /// Who.
        voter: ServerId,
        /// How long we have waited.
        waited: Span,
    },
}

/// The four phases of the ring that is drawn round a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Phase {
    /// Looking for a leader.
    Election,
    /// Agreeing on the new epoch.
    Discovery,
    /// Making histories equal.
    Synchronisation,
    /// Normal work.
    Broadcast,
}

/// Why a vote that came in was not considered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum IgnoreReason {
    /// Its round is over.
    OlderRound {
        /// Its round.
        theirs: u64,
        /// Ours.
        ours: u64,
    },
    /// The sender is no voter.
    SenderNoVoter,
    /// The vote is for somebody who is no voter.
    CandidateNoVoter,
    /// The sender's or our own database is not initialised: no say (4.8).
    Uninitialised,
    /// We are not looking and neither is the sender.
    NobodyLooking,
    /// An observer's word does not count.
    SenderObserves,
}

/// How an election was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum DecidedBy {
    /// A quorum of equal votes in this round, unbeaten for finalizeWait.
    QuorumThisRound,
    /// Followers and leader of this round had decided already.
    SameRoundDecided,
    /// A running ensemble was joined: a quorum follows this leader in another round.
    RunningEnsemble,
}

/// The rule of ZooKeeper.md 3.4 that chose how a learner is brought up to date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum SyncRule {
    /// 2: the learner is exactly where the leader is.
    Equal,
    /// 3: the learner is ahead of all that was committed.
    AheadOfLeader,
    /// 4: the learner's last zxid is in the committedLog.
    InCommittedLog,
    /// 4: inside its bounds but not in it: the learner has a wrong tail of the same epoch.
    WrongTail,
    /// 4 and 5: inside its bounds, not in it, and of another epoch than what follows.
    WrongTailOtherEpoch,
    /// 4 and 5: the learner's last "transaction" is only the beginning of an epoch.
    NewEpochOnly,
    /// 5: older than the committedLog, but the log on disk still has it.
    FromDiskLog,
    /// 5: the log on disk begins after it.
    DiskLogPurged,
    /// 5: the log on disk would be more to send than a part of the snapshot.
    DiskLogTooLarge,
    /// 5: the log on disk ends before the committedLog begins.
    DiskLogGap,
    /// 5 is switched off.
    DiskLogOff,
    /// 6: nothing else fits: a new epoch above all that the leader has.
    NothingFits,
    /// Before all others: the configuration asks for it (`forceSnapshotSync`).
    Forced,
}

/// DIFF, TRUNC or SNAP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum SyncMode {
    /// What is missing is sent.
    Diff,
    /// The tail is cut, then what is missing is sent.
    Trunc,
    /// The whole tree is sent.
    Snap,
}

/// Why a client's connection was refused or ended by the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum RefuseReason {
    /// The server has no leader, or has not caught up with it yet.
    NotServing,
    /// It leads, and leaderServes is off.
    LeaderDoesNotServe,
    /// The client has seen a newer state than this server has: it would travel back in time.
    ClientAhead {
        /// What the client has seen.
        seen: Zxid,
        /// What this server has.
        have: Zxid,
    },
    /// The session's password is wrong.
    WrongPassword,
    /// The session does not exist (any more).
    SessionUnknown,
    /// Another connection took the session over.
    SessionTakenOver,
    /// The session moved to another server; its old connection gets no answer.
    SessionMoved,
    /// The session is closed or expired.
    SessionClosed,
    /// The server stops serving: it lost its leader or its quorum.
    ServerStopsServing,
    /// Unknown operation (-6), or authentication failed (-115).
    Protocol(ErrorCode),
    /// The server has no quorum and only reads, and the client has not said that this is enough.
    OnlyReads,
    /// The server has no quorum, so it can't know whether this session, which it did not begin, is
    /// alive.
    SessionNeedsQuorum,
}

/// Why a standing connection between learner and leader was given up by one side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum DropReason {
    /// The learner connected although we do not lead.
    NotLeading,
    /// A newer connection of the same learner took its place.
    Replaced,
    /// The learner knows a newer membership than the leader.
    NewerConfig,
    /// Nothing heard for initLimit or syncLimit.
    Silent {
        /// How long.
        waited: Span,
    },
    /// A proposal was not acknowledged within syncLimit.
    ProposalUnacked {
        /// Which.
        zxid: Zxid,
    },
    /// It said something that has no place here.
    Unexpected(MessageKind),
    /// It asks faster than a quorum answers: more waits than memory is set aside for.
    TooMuchWaits,
    /// The leader steps down.
    SteppingDown,
    /// It observes, and the leader brings as many learners up to date as it may at a time.
    TooManySyncs,
}

/// All kinds of event. Grouped as the protocol goes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum EventKind {
    // ---- what reached the server: the first event of each `handle` -------------------------
    /// A message came in.
    Received {
        /// From whom.
        from: ServerId,
        /// What.
        message: MessageKind,
        /// What it is about.
        zxid: Option<Zxid>,
    },
    /// A deadline came.
    TimerFired {
        /// What it was for.
        reason: crate::peer::WaitReason,
    },
    /// A quorum connection stands.
    LinkUp {
        /// With whom.
        with: ServerId,
        /// Its number.
        conn: ConnId,
    },
    /// A quorum connection is gone.
    LinkDown {
        /// With whom; `None` if it was not known any more.
        with: Option<ServerId>,
        /// Its number.
        conn: ConnId,
    },
    /// A connection could not be made.
    ConnectFailed {
        /// To whom.
        to: ServerId,
    },
    /// The disk has made everything durable up to a point.
    DiskSynced {
        /// The last logged zxid that is on disk now.
        durable: Zxid,
    },
    /// The log was read from disk for a learner.
    DiskRead {
        /// Transactions found.
        found: u32,
    },
    /// A client wants to connect.
    ClientArrived {
        /// The connection.
        client: ClientId,
        /// The session that it claims; 0 for a new one.
        session: SessionId,
    },
    /// A client asks for something.
    RequestReceived {
        /// The connection.
        client: ClientId,
        /// Its session.
        session: SessionId,
        /// Its number.
        xid: i32,
        /// What.
        op: OpKind,
    },
    /// A client's connection is gone.
    ClientLeft {
        /// The connection.
        client: ClientId,
        /// Its session, which lives on until it expires.
        session: Option<SessionId>,
    },

    // ---- start and election ------------------------------------------------------------------
    /// The server started with what was on its disk.
    Started {
        /// Last zxid of its log.
        last_zxid: Zxid,
        /// File currentEpoch.
        current_epoch: Epoch,
        /// File acceptedEpoch.
        accepted_epoch: Epoch,
    },
    /// It looks for a leader: new round, own vote first.
    ElectionStarted {
        /// The logical clock.
        round: u64,
        /// Its own vote.
        vote: Vote,
        /// Why.
        because: ElectionReason,
    },
    /// A vote came in that counts in this round, and the two were compared.
    VoteCompared {
        /// Whose.
        from: ServerId,
        /// It.
        theirs: Vote,
        /// What we voted for until now.
        ours: Vote,
        /// The field that decides.
        by: VoteField,
        /// Theirs is better, so we change to it.
        changes: bool,
    },
    /// It votes for somebody else now.
    VoteChanged {
        /// Before.
        old: Vote,
        /// Now.
        new: Vote,
        /// Who told.
        from: ServerId,
        /// Why it is better.
        by: VoteField,
    },
    /// A higher round was heard of: votes so far are void.
    RoundAdvanced {
        /// Before.
        old: u64,
        /// Now.
        new: u64,
        /// Who told.
        from: ServerId,
        /// The vote it goes on with.
        vote: Vote,
    },
    /// A vote was not considered.
    VoteIgnored {
        /// Whose.
        from: ServerId,
        /// It.
        vote: Vote,
        /// Why.
        because: IgnoreReason,
    },
    /// A vote was entered; this is the tally for our own vote now.
    VoteRecorded {
        /// Whose.
        from: ServerId,
        /// It.
        vote: Vote,
        /// The sender's state when it said so.
        state: ServerState,
        /// Servers whose votes equal ours, ourselves included.
        supporters: u32,
        /// What a quorum needs at least.
        need: u32,
    },
    /// Our votes are a quorum; a last wait for a better one begins.
    QuorumOfVotes {
        /// For what.
        vote: Vote,
        /// How many.
        supporters: u32,
        /// How long it waits (finalizeWait).
        wait: Span,
    },
    /// A better vote came in the last wait; it goes on.
    QuorumOvertaken {
        /// The better one.
        by: Vote,
    },
    /// A server that is behind, or no voter, was told how things stand.
    VoteAnswered {
        /// Who.
        to: ServerId,
        /// Our state.
        state: ServerState,
        /// Our vote.
        vote: Vote,
        /// Its round.
        round: u64,
    },
    /// Nothing was heard; it repeats its vote and waits longer.
    VoteRepeated {
        /// The next wait.
        next: Span,
    },
    /// The election is over for this server.
    Elected {
        /// Who leads.
        leader: ServerId,
        /// What this server does now.
        state: ServerState,
        /// The round.
        round: u64,
        /// The vote that won.
        vote: Vote,
        /// How.
        by: DecidedBy,
    },

    // ---- discovery ---------------------------------------------------------------------------
    /// A learner calls its leader.
    Connecting {
        /// Whom.
        leader: ServerId,
        /// Which attempt, from 1.
        attempt: u32,
    },
    /// A learner told its acceptedEpoch.
    LearnerInfoSent {
        /// To whom.
        leader: ServerId,
        /// acceptedEpoch.
        accepted_epoch: Epoch,
    },
    /// The leader counts a learner's acceptedEpoch.
    LearnerInfoCounted {
        /// Whose.
        from: ServerId,
        /// acceptedEpoch.
        accepted_epoch: Epoch,
        /// Voters there, with itself.
        have: u32,
        /// What a quorum needs at least.
        need: u32,
    },
    /// A quorum is there: the new epoch is the highest accepted one plus one.
    NewEpoch {
        /// It.
        epoch: Epoch,
        /// The highest that any of them had accepted.
        highest: Epoch,
    },
    /// acceptedEpoch goes to disk.
    AcceptedEpochSet {
        /// Before.
        old: Epoch,
        /// Now.
        new: Epoch,
    },
    /// A learner answered LEADERINFO.
    EpochAcked {
        /// The epoch.
        epoch: Epoch,
        /// Its last zxid.
        last_zxid: Zxid,
        /// Its currentEpoch; `None` when it had accepted this epoch before, and does not count again.
        current_epoch: Option<Epoch>,
    },
    /// The leader counts an ACKEPOCH.
    EpochAckCounted {
        /// Whose.
        from: ServerId,
        /// Its last zxid.
        last_zxid: Zxid,
        /// Its currentEpoch.
        current_epoch: Option<Epoch>,
        /// It counts for the quorum: the sender votes, has a history, and had not accepted this epoch
        /// before.
        counted: bool,
        /// Voters there, with itself.
        have: u32,
        /// What a quorum needs at least.
        need: u32,
    },
    /// currentEpoch goes to disk.
    CurrentEpochSet {
        /// Before.
        old: Epoch,
        /// Now.
        new: Epoch,
    },

    // ---- synchronisation ---------------------------------------------------------------------
    /// The leader reads its log on disk to see whether it reaches back to the learner.
    ReadingDiskLog {
        /// For whom.
        learner: ServerId,
        /// From where.
        from: Zxid,
        /// Where its committedLog begins.
        min: Zxid,
    },
    /// The leader chose how to bring a learner up to date.
    SyncChosen {
        /// Whom.
        learner: ServerId,
        /// How.
        mode: SyncMode,
        /// The zxid in that packet.
        zxid: Zxid,
        /// By which rule.
        because: SyncRule,
        /// The learner's last zxid.
        peer: Zxid,
        /// Beginning of the committedLog.
        min: Zxid,
        /// Its end.
        max: Zxid,
        /// The leader's last processed zxid.
        last_processed: Zxid,
        /// Transactions sent along.
        queued: u32,
    },
    /// Transactions that are proposed but not committed yet go to the joining learner too.
    OutstandingForwarded {
        /// Whom.
        learner: ServerId,
        /// First.
        first: Zxid,
        /// Last.
        last: Zxid,
    },
    /// The learner begins to follow the leader's choice.
    SyncStarted {
        /// How.
        mode: SyncMode,
        /// The zxid in the packet.
        zxid: Zxid,
        /// Its own last zxid.
        ours: Zxid,
    },
    /// A tail of the log was cut: nobody will see these transactions.
    LogTruncated {
        /// What is kept ends here.
        to: Zxid,
        /// First that is gone; `None` when there was nothing to cut.
        first: Option<Zxid>,
        /// Last that is gone.
        last: Option<Zxid>,
        /// How many.
        count: u32,
    },
    /// The leader's tree replaced everything.
    SnapshotInstalled {
        /// Up to where it reaches.
        zxid: Zxid,
        /// Znodes in it.
        znodes: u32,
    },
    /// The learner has the whole history: first it goes to disk, then the epoch, then the ACK.
    HistoryComplete {
        /// The new epoch.
        epoch: Epoch,
        /// Its history ends here.
        last_zxid: Zxid,
    },
    /// The leader counts the ACK of NEWLEADER.
    NewLeaderAckCounted {
        /// Whose.
        from: ServerId,
        /// Voters there, with itself.
        have: u32,
        /// What a quorum needs at least.
        need: u32,
    },
    /// A quorum has the history: the leader is established and serves.
    Established {
        /// Its epoch.
        epoch: Epoch,
        /// Voters that are there, with itself.
        with: u32,
    },
    /// A learner was told to serve.
    UpToDateSent {
        /// Who.
        learner: ServerId,
    },
    /// The learner serves.
    Serving {
        /// Whom it follows.
        leader: ServerId,
        /// The epoch.
        epoch: Epoch,
        /// Applied up to here.
        last_zxid: Zxid,
    },

    /// The server stands alone and serves at once: what is on its disk is committed.
    ServingAlone {
        /// Applied up to here; the next transaction follows it.
        last_zxid: Zxid,
    },

    // ---- broadcast ----------------------------------------------------------------------------
    /// A server hands a client's write to the leader.
    RequestForwarded {
        /// To whom.
        leader: ServerId,
        /// Whose.
        session: SessionId,
        /// Its number.
        xid: i32,
        /// What.
        op: OpKind,
    },
    /// The leader made a transaction of a request and proposes it.
    Proposed {
        /// Its place in the order.
        zxid: Zxid,
        /// Whose request.
        session: SessionId,
        /// Its number.
        cxid: i32,
        /// What it does.
        txn: TxnKind,
        /// Where, if there is one place.
        path: Option<Arc<str>>,
        /// The request fails with this; the zxid is used all the same.
        error: Option<ErrorCode>,
    },
    /// The leader did not even make a transaction: the session is not its owner's any more, or dead.
    RequestRefused {
        /// Whose.
        session: SessionId,
        /// Its number.
        cxid: i32,
        /// Why.
        error: ErrorCode,
    },
    /// A transaction was handed to the log: received, not yet on disk.
    Logged {
        /// Which.
        zxid: Zxid,
    },
    /// It is on disk; the ACK leaves.
    AckSent {
        /// Which; of several, the last.
        zxid: Zxid,
        /// To whom.
        to: ServerId,
    },
    /// The leader counts an ACK, its own disk's included.
    AckCounted {
        /// Which.
        zxid: Zxid,
        /// Whose.
        from: ServerId,
        /// Voters that have it on disk.
        have: u32,
        /// What a quorum needs at least.
        need: u32,
    },
    /// The leader has no use for an ACK.
    AckIgnored {
        /// Which.
        zxid: Zxid,
        /// Whose.
        from: ServerId,
    },
    /// A quorum has it on disk, and all before it are committed: so is it.
    Committed {
        /// Which.
        zxid: Zxid,
        /// Voters that had it on disk.
        acks: u32,
        /// What a quorum needs at least.
        need: u32,
    },
    /// It changed this server's tree.
    Applied {
        /// Which.
        zxid: Zxid,
        /// What it did.
        txn: TxnKind,
        /// Where, if there is one place.
        path: Option<Arc<str>>,
        /// It records a failure: nothing changed.
        error: Option<ErrorCode>,
        /// The tree's digest after it.
        digest: u64,
    },
    /// The tree's digest is not what the leader predicted.
    DigestMismatch {
        /// After which.
        zxid: Zxid,
        /// The leader's.
        expected: u64,
        /// Ours.
        found: u64,
    },
    /// A snapshot of the tree is written to disk.
    SnapshotTaken {
        /// It reaches up to here.
        zxid: Zxid,
    },

    // ---- liveness -----------------------------------------------------------------------------
    /// The leader asks all learners whether they are there.
    PingsSent {
        /// How many.
        learners: u32,
    },
    /// The leader looked at who is in time.
    QuorumChecked {
        /// Voters in time, with itself.
        in_time: u32,
        /// What a quorum needs at least.
        need: u32,
    },
    /// A connection between learner and leader was given up.
    LinkDropped {
        /// With whom.
        with: ServerId,
        /// Why.
        because: DropReason,
    },
    /// The server stops leading or following, and serves nobody until it has found a leader.
    SteppedDown {
        /// What it was.
        was: ServerState,
        /// Why.
        because: ElectionReason,
    },

    // ---- sessions and clients -----------------------------------------------------------------
    /// A new session is wanted; it begins when its transaction is applied.
    SessionProposed {
        /// Its id.
        session: SessionId,
        /// Granted, in ms.
        timeout_ms: i32,
    },
    /// A client has its session at this server.
    SessionAttached {
        /// Which.
        session: SessionId,
        /// The connection.
        client: ClientId,
        /// It existed before: the client reconnected or moved here.
        moved: bool,
        /// Granted, in ms.
        timeout_ms: i32,
    },
    /// The leader heard from a session, directly or through a learner.
    SessionTouched {
        /// Which.
        session: SessionId,
    },
    /// The leader heard nothing from a session for its time-out; a transaction will end it.
    SessionExpired {
        /// Which.
        session: SessionId,
        /// Its time-out in ms.
        timeout_ms: i32,
    },
    /// The leader says whether a session is alive.
    SessionValidated {
        /// Which.
        session: SessionId,
        /// Where its client is now.
        at: ServerId,
        /// Alive.
        valid: bool,
    },
    /// A session ended on this server: its ephemerals are gone here.
    SessionEnded {
        /// Which.
        session: SessionId,
        /// Ephemerals that went.
        ephemerals: u32,
    },
    /// A client was refused or its connection ended.
    ClientRefused {
        /// The connection.
        client: ClientId,
        /// Why.
        because: RefuseReason,
    },
    /// A request waits: an earlier write of the same session has not been applied here.
    RequestQueued {
        /// Whose.
        session: SessionId,
        /// Its number.
        xid: i32,
        /// What.
        op: OpKind,
    },
    /// A read was answered from this server's memory.
    ReadServed {
        /// The connection.
        client: ClientId,
        /// Its session.
        session: SessionId,
        /// Its number.
        xid: i32,
        /// What.
        op: OpKind,
        /// Where, if there is one place.
        path: Option<Arc<str>>,
        /// Applied up to here: what the answer shows.
        zxid: Zxid,
        /// The answer is this error.
        error: Option<ErrorCode>,
    },
    /// A write was answered, after it was applied here.
    WriteAnswered {
        /// The connection.
        client: ClientId,
        /// Its session.
        session: SessionId,
        /// Its number.
        xid: i32,
        /// What.
        op: OpKind,
        /// The transaction.
        zxid: Zxid,
        /// The answer is this error.
        error: Option<ErrorCode>,
    },
    /// A sync was answered: this server has what the leader had committed when it was asked.
    SyncAnswered {
        /// The connection.
        client: ClientId,
        /// Its session.
        session: SessionId,
        /// Its number.
        xid: i32,
        /// Applied up to here.
        zxid: Zxid,
    },
    /// A watch was set.
    WatchSet {
        /// The connection.
        client: ClientId,
        /// Where.
        path: Arc<str>,
        /// In which table and how long.
        kind: WatchKind,
    },
    /// A watch rang.
    WatchFired {
        /// The connection.
        client: ClientId,
        /// Where.
        path: Arc<str>,
        /// What.
        event: WatchEventKind,
        /// By which transaction; `None` when it was caught up after a reconnect.
        zxid: Option<Zxid>,
        /// It is gone now; false for persistent ones.
        consumed: bool,
        /// It was not delivered, because the client may not read that znode.
        withheld: bool,
    },
    /// A watch was taken away by its owner.
    WatchRemoved {
        /// The connection.
        client: ClientId,
        /// Where.
        path: Arc<str>,
    },
    /// A client proved an identity.
    Authenticated {
        /// The connection.
        client: ClientId,
        /// By which scheme.
        scheme: Arc<str>,
    },
    /// The leader found an empty container or an outdated TTL node.
    ContainerFound {
        /// Where.
        path: Arc<str>,
    },

    // ---- added later: at the end, for the numbers of kinds are part of trace hashes ------------
    /// A session begins that only this server knows: no transaction, and no ephemerals.
    LocalSessionBegan {
        /// Its id.
        session: SessionId,
        /// Granted, in ms.
        timeout_ms: i32,
    },
    /// A local session wants an ephemeral: the leader is asked to make it a global one first.
    SessionUpgraded {
        /// Which.
        session: SessionId,
    },
    /// A local session is over; nobody else knew of it.
    LocalSessionEnded {
        /// Which.
        session: SessionId,
        /// Nothing was heard of it for its time-out; otherwise its client has closed it.
        expired: bool,
    },
    /// Other members are proposed, or were found in the log: until they hold or are given up, nothing is
    /// decided without a quorum of them too.
    MembersSeen {
        /// Their version.
        version: Zxid,
        /// How many vote.
        voters: u32,
        /// How many observe.
        observers: u32,
    },
    /// Other members hold from now on.
    MembersActivated {
        /// Their version.
        version: Zxid,
        /// How many vote.
        voters: u32,
        /// How many observe.
        observers: u32,
    },
    /// Looking for a leader takes long: until one is found the server answers reads, of clients that
    /// said that this is enough.
    ReadOnlyBegan {
        /// What they will read reaches up to here, and may never be committed.
        last_zxid: Zxid,
    },
}

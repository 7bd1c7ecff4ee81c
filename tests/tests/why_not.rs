//! Why something has not happened: the answer names the values that stand there. Each situation is
//! made by the protocol itself.

use zabscope_core::sim::{
    ClientNo, Fact, Record, WorldEvent,
    why_not::{Absence, Awaits, Because, Count, Lag, Question},
};
use zabscope_tests::{
    prelude::*,
    question::{ask, history},
};

fn missing(count: &Count) -> Vec<(i64, Absence)> {
    count
        .missing
        .iter()
        .map(|m| (m.server.0, m.because))
        .collect()
}

fn have(count: &Count) -> Vec<i64> {
    count.have.iter().map(|s| s.0).collect()
}

fn vote(epoch: i64, zxid: Zxid, leader: i64) -> zabscope_core::message::Vote {
    zabscope_core::message::Vote {
        epoch: Epoch(epoch),
        zxid,
        leader: ServerId(leader),
    }
}

const A: ClientNo = ClientNo(1);

// ---- who leads ----------------------------------------------------------------------------------

#[test]
fn with_equal_histories_the_lower_id_has_lost() {
    let mut s = Scenario::voters(5).start();
    s.settle();
    let Because::LostTheVote {
        own,
        winner,
        by,
        round,
    } = ask(&s, Question::NotLeading(ServerId(2)))
    else {
        panic!("it lost the vote")
    };
    assert_eq!(
        (own, winner),
        (vote(0, Zxid::ZERO, 2), vote(0, Zxid::ZERO, 5))
    );
    assert_eq!((by, round), (VoteField::Id, 1));
}

#[test]
fn who_has_seen_less_has_lost_by_its_zxid() {
    let mut s = Scenario::of_three();
    s.crash(1);
    s.client("B").set("/a", "1").ok();
    s.crash(3).restart(1);
    s.settle();
    let Because::LostTheVote {
        own, winner, by, ..
    } = ask(&s, Question::NotLeading(ServerId(1)))
    else {
        panic!("it lost the vote")
    };
    assert_eq!(by, VoteField::Zxid);
    assert_eq!((own, winner), (vote(1, zx(1, 3), 1), vote(1, zx(1, 4), 2)));
}

#[test]
fn the_leader_leads() {
    let s = Scenario::of_three();
    assert_eq!(ask(&s, Question::NotLeading(ServerId(3))), Because::ItHas);
}

#[test]
fn who_comes_later_finds_a_leader_that_nobody_votes_out() {
    let mut s = Scenario::voters(3).down(&[3]).start();
    s.settle();
    s.restart(3).settle();
    let Because::CameLater {
        leader,
        elected,
        came,
    } = ask(&s, Question::NotLeading(ServerId(3)))
    else {
        panic!("it came later")
    };
    assert_eq!(leader, ServerId(2));
    assert!(elected < came && came < s.world().now());
}

#[test]
fn who_is_down_does_not_lead() {
    let mut s = Scenario::of_three();
    s.crash(2);
    assert_eq!(
        ask(&s, Question::NotLeading(ServerId(2))),
        Because::NotRunning(ServerId(2), ServerStatus::Down)
    );
}

#[test]
fn an_observer_has_no_vote() {
    let mut s = Scenario::voters(3).observers(1).start();
    s.settle();
    assert_eq!(
        ask(&s, Question::NotLeading(ServerId(4))),
        Because::HasNoVote(ServerId(4))
    );
}

#[test]
fn who_gives_up_its_candidacy_says_for_whom() {
    let mut s = Scenario::voters(5).start();
    s.until(event!(2, VoteChanged));
    let better = s.server(2).vote();
    let Because::Outvoted {
        own,
        better: shown,
        by,
    } = ask(&s, Question::NotLeading(ServerId(2)))
    else {
        panic!("it is outvoted")
    };
    assert_eq!(
        (own, shown, by),
        (vote(0, Zxid::ZERO, 2), better, VoteField::Id)
    );
}

#[test]
fn who_is_elected_leads_only_with_a_quorum_of_learners() {
    let mut s = Scenario::voters(3).start();
    s.until(event!(3, Elected));
    let Because::LeaderWaits {
        leader,
        phase,
        count,
        until,
    } = ask(&s, Question::NotLeading(ServerId(3)))
    else {
        panic!("it waits")
    };
    assert_eq!((leader, phase), (ServerId(3), LeaderPhase::CollectingInfo));
    assert_eq!((have(&count), count.need), (vec![3], 2));
    assert_eq!(count.missing.len(), 2);
    assert!(until > s.world().now());
}

#[test]
fn a_follower_of_a_crashed_leader_has_not_noticed_yet() {
    let mut s = Scenario::of_three();
    s.cut_direction(3, 1).crash(3);
    let Because::StillFollows {
        leader, leader_is, ..
    } = ask(&s, Question::NotLeading(ServerId(1)))
    else {
        panic!("it still follows")
    };
    assert_eq!(leader, ServerId(3));
    assert_eq!(leader_is, Absence::NotRunning(ServerStatus::Down));
}

#[test]
fn a_better_vote_that_nobody_hears_does_not_win() {
    let mut s = Scenario::of_three();
    s.client("B").set("/a", "1").ok();
    s.settle().crash(1).crash(2).crash(3);
    s.restart(1).restart(2).restart(3).isolate(3);
    s.until_leader();
    let Because::NotHeardInTime { own, winner, by } = ask(&s, Question::NotLeading(ServerId(3)))
    else {
        panic!("it was not heard")
    };
    assert_eq!(
        (own.leader, winner.leader, by),
        (ServerId(3), ServerId(2), VoteField::Id)
    );
}

// ---- who looks ------------------------------------------------------------------------------------

#[test]
fn two_of_five_are_no_quorum_however_long_they_look() {
    let mut s = Scenario::voters(5).start();
    s.settle();
    s.partition(&[&[1, 2], &[3, 4, 5]]);
    s.until_that("both look and agree", |s| {
        [1, 2].iter().all(|n| {
            s.server(*n).vote().leader == ServerId(2)
                && s.server(*n).state() == ServerState::Looking
        }) && s
            .server(2)
            .election()
            .is_some_and(|e| e.supporters().len() == 2)
    });
    let Because::TooFewVotes { vote, round, count } = ask(&s, Question::StillLooking(ServerId(2)))
    else {
        panic!("too few votes")
    };
    assert_eq!((vote.leader, round), (ServerId(2), 2));
    assert_eq!((have(&count), count.need), (vec![1, 2], 3));
    assert_eq!(
        missing(&count),
        [(3, Absence::Cut), (4, Absence::Cut), (5, Absence::Cut)]
    );
}

#[test]
fn a_server_that_is_alone_names_who_is_down() {
    let mut s = Scenario::voters(3).down(&[1, 2]).start();
    s.for_ms(1000);
    let Because::TooFewVotes { count, .. } = ask(&s, Question::StillLooking(ServerId(3))) else {
        panic!("too few votes")
    };
    let down = Absence::NotRunning(ServerStatus::Down);
    assert_eq!(
        (have(&count), missing(&count)),
        (vec![3], vec![(1, down), (2, down)])
    );
}

#[test]
fn a_paused_voter_is_not_heard() {
    let mut s = Scenario::of_three();
    s.crash(3).pause(2);
    s.until_that("1 looks", |s| s.server(1).state() == ServerState::Looking);
    let Because::TooFewVotes { count, .. } = ask(&s, Question::StillLooking(ServerId(1))) else {
        panic!("too few votes")
    };
    assert_eq!(
        missing(&count),
        [
            (2, Absence::NotRunning(ServerStatus::Paused)),
            (3, Absence::NotRunning(ServerStatus::Down))
        ]
    );
}

#[test]
fn at_first_the_votes_of_the_others_are_under_way() {
    let mut s = Scenario::of_three();
    s.slow_link(1, 2, 800).crash(3);
    s.until_that("both look", |s| {
        let looks = |n| s.server(n).state() == ServerState::Looking;
        looks(1) && looks(2)
    });
    let Because::TooFewVotes { vote, count, .. } = ask(&s, Question::StillLooking(ServerId(1)))
    else {
        panic!("too few votes")
    };
    assert_eq!(vote, s.server(1).vote());
    assert!(count.missing.iter().any(|m| matches!(
        m.because,
        Absence::FromIt(MessageKind::Notification, at) if at > s.world().now()
    )));
}

#[test]
fn with_a_quorum_of_votes_it_waits_a_last_time() {
    let mut s = Scenario::voters(3).start();
    s.until(event!(2, QuorumOfVotes));
    let Because::LastWait { vote, count, until } = ask(&s, Question::StillLooking(ServerId(2)))
    else {
        panic!("the last wait")
    };
    assert_eq!(vote, s.server(2).vote());
    assert_eq!((count.have.len() >= 2, count.need), (true, 2));
    assert!(until > s.world().now());
}

#[test]
fn who_follows_looks_no_more() {
    assert_eq!(
        ask(&Scenario::of_three(), Question::StillLooking(ServerId(1))),
        Because::ItHas
    );
}

// ---- who serves -------------------------------------------------------------------------------------

#[test]
fn a_paused_server_serves_nobody() {
    let mut s = Scenario::of_three();
    s.pause(1);
    assert_eq!(
        ask(&s, Question::NotServing(ServerId(1))),
        Because::NotRunning(ServerId(1), ServerStatus::Paused)
    );
}

#[test]
fn a_learner_that_can_not_reach_its_leader_says_so() {
    let mut s = Scenario::of_three();
    s.crash(1).restart(1);
    s.until(event!(1, Connecting)).cut_direction(3, 1);
    let Because::LearnerWaits {
        leader,
        awaits,
        leader_is,
        ..
    } = ask(&s, Question::NotServing(ServerId(1)))
    else {
        panic!("it waits")
    };
    assert_eq!((leader, leader_is), (ServerId(3), Absence::Cut));
    assert!(
        matches!(awaits, Awaits::Connection(1) | Awaits::Epoch),
        "{awaits:?}"
    );
}

#[test]
fn a_learner_that_gets_its_history_names_the_mode() {
    let mut s = Scenario::of_three();
    s.crash(1);
    s.client("B").set("/a", "1").ok();
    s.restart(1).until(event!(1, SyncStarted));
    let Because::LearnerWaits { leader, awaits, .. } = ask(&s, Question::NotServing(ServerId(1)))
    else {
        panic!("it waits")
    };
    assert_eq!(
        (leader, awaits),
        (ServerId(3), Awaits::History(SyncMode::Diff))
    );
}

#[test]
fn a_learner_waits_because_its_leader_waits_for_a_slow_disk() {
    let mut s = Scenario::voters(3).down(&[1]).start();
    s.slow_disk(2, 3000);
    s.until(event!(2, AcceptedEpochSet));
    let Because::LearnerWaits {
        leader,
        awaits,
        count,
        leader_is,
        ..
    } = ask(&s, Question::NotServing(ServerId(2)))
    else {
        panic!("it waits")
    };
    // It has accepted the epoch; its ACKEPOCH waits for its own disk.
    assert_eq!((leader, awaits), (ServerId(3), Awaits::Sync));
    assert_eq!(leader_is, Absence::OnDisk(Span::millis(3000)));
    let (phase, count) = count.expect("the leader waits as well");
    assert_eq!(
        (phase, have(&count), count.need),
        (LeaderPhase::CollectingEpochAcks, vec![3], 2)
    );
    assert_eq!(
        missing(&count),
        [
            (1, Absence::NotRunning(ServerStatus::Down)),
            (2, Absence::OnDisk(Span::millis(3000)))
        ]
    );
}

#[test]
fn who_serves_serves() {
    assert_eq!(
        ask(&Scenario::of_three(), Question::NotServing(ServerId(1))),
        Because::ItHas
    );
}

// ---- what is committed --------------------------------------------------------------------------------

#[test]
fn a_write_without_a_quorum_of_disks_is_not_committed() {
    let mut s = Scenario::of_three();
    s.slow_disk(1, 900).slow_disk(2, 700);
    s.client("B").set("/a", "1");
    s.until(event!(3, AckCounted { zxid, .. } if *zxid == zx(1, 4)));
    s.until_that("both have it", |s| {
        s.server(1).last_logged() == zx(1, 4) && s.server(2).last_logged() == zx(1, 4)
    });
    let Because::TooFewAcks { zxid, count } = ask(&s, Question::NotCommitted(zx(1, 4))) else {
        panic!("too few ACKs")
    };
    assert_eq!((zxid, have(&count), count.need), (zx(1, 4), vec![3], 2));
    assert_eq!(
        missing(&count),
        [
            (1, Absence::OnDisk(Span::millis(900))),
            (2, Absence::OnDisk(Span::millis(700)))
        ]
    );
}

#[test]
fn a_proposal_under_way_has_no_ack() {
    let mut s = Scenario::of_three();
    s.slow_link(1, 3, 2000).slow_link(2, 3, 3000);
    s.client("B").set("/a", "1");
    s.until(event!(3, Proposed { zxid, .. } if *zxid == zx(1, 4)));
    let Because::TooFewAcks { count, .. } = ask(&s, Question::NotCommitted(zx(1, 4))) else {
        panic!("too few ACKs")
    };
    assert_eq!(count.have.len() + count.missing.len(), 3);
    for server in [1, 2] {
        assert!(count.missing.iter().any(|m| m.server == ServerId(server)
            && matches!(m.because, Absence::ToIt(MessageKind::Proposal, at) if at > s.world().now())));
    }
}

#[test]
fn of_two_writes_the_older_one_comes_first() {
    let mut s = Scenario::of_three();
    s.slow_disk(1, 900).slow_disk(2, 900);
    s.client("A").set("/a", "1").set("/a", "2");
    s.until(event!(3, Proposed { zxid, .. } if *zxid == zx(1, 5)));
    let Because::AfterAnOlder {
        zxid,
        oldest,
        count,
    } = ask(&s, Question::NotCommitted(zx(1, 5)))
    else {
        panic!("after an older one")
    };
    assert_eq!((zxid, oldest, count.need), (zx(1, 5), zx(1, 4), 2));
}

#[test]
fn a_committed_write_is_committed() {
    let mut s = Scenario::of_three();
    assert_eq!(ask(&s, Question::NotCommitted(zx(1, 3))), Because::ItHas);
    s.client("B").set("/a", "1").ok();
    assert_eq!(ask(&s, Question::NotCommitted(zx(1, 4))), Because::ItHas);
}

#[test]
fn a_zxid_that_was_never_given_out_names_the_last_one() {
    assert_eq!(
        ask(&Scenario::of_three(), Question::NotCommitted(zx(1, 9))),
        Because::NeverProposed {
            leader: Some(ServerId(3)),
            last: zx(1, 3)
        }
    );
}

/// A proposal of leader 3 that reaches server 1 and nobody else, which then both go down.
fn tail_on_server_1(s: &mut Scenario) {
    s.slow_disk(3, 900).cut(2, 3);
    s.client("A").set("/a", "tail");
    s.until_that("it is on server 1's disk", |s| {
        s.disk(1).durable_zxid() == zx(1, 4)
    });
    s.crash(3).crash(1).slow_disk(3, 0).heal(2, 3);
}

#[test]
fn without_a_leader_nobody_has_decided() {
    let mut s = Scenario::of_three();
    tail_on_server_1(&mut s);
    let Because::NobodyDecides {
        zxid,
        holders,
        need,
    } = ask(&s, Question::NotCommitted(zx(1, 4)))
    else {
        panic!("nobody decides")
    };
    assert_eq!((zxid, need), (zx(1, 4), 2));
    assert_eq!(holders.into_iter().collect::<Vec<_>>(), [ServerId(1)]);
}

#[test]
fn a_new_epoch_without_it_has_given_it_up() {
    let mut s = Scenario::of_three();
    tail_on_server_1(&mut s);
    let leader = s.restart(3).until_leader();
    s.restart(1).settle();
    let Because::GivenUp {
        zxid,
        leader: by,
        epoch,
        history,
        holders,
        removed,
    } = ask(&s, Question::NotCommitted(zx(1, 4)))
    else {
        panic!("given up")
    };
    assert_eq!(
        (zxid, by, epoch, history),
        (zx(1, 4), ServerId(leader), Epoch(2), zx(1, 3))
    );
    assert!(holders.is_empty(), "{holders:?}");
    assert!(
        removed.contains(&(ServerId(1), RemovedBecause::Truncated)),
        "{removed:?}"
    );
}

// ---- what is answered -----------------------------------------------------------------------------------

#[test]
fn a_request_without_a_connection_waits_at_its_client() {
    let mut s = Scenario::of_three();
    s.crash(1);
    s.until_that("it has noticed", |s| {
        !matches!(s.see("A").state, ClientState::Connected { .. })
    });
    s.client("A").set("/a", "1");
    let Because::NotConnected { client, state } = ask(&s, Question::NotAnswered(A)) else {
        panic!("not connected")
    };
    assert_eq!((client, state), (A, s.see("A").state));
}

#[test]
fn a_request_is_on_its_way_to_the_server() {
    let mut s = Scenario::of_three();
    s.client("A").set("/a", "1");
    let because = ask(&s, Question::NotAnswered(A));
    let Because::BetweenClientAndServer {
        client,
        server,
        to_server,
        arrives,
    } = because
    else {
        panic!("it is under way: {because:?}")
    };
    assert_eq!((client, server, to_server), (A, ServerId(1), true));
    assert!(arrives > s.world().now());
}

#[test]
fn a_request_is_on_its_way_to_the_leader() {
    let mut s = Scenario::of_three();
    s.slow_link(1, 3, 2000);
    s.client("A").set("/a", "1");
    s.until(event!(1, RequestForwarded));
    let because = ask(&s, Question::NotAnswered(A));
    let Because::AskedTheLeader {
        client,
        server,
        leader,
        arrives,
    } = because
    else {
        panic!("the leader is asked: {because:?}")
    };
    assert_eq!(
        (client, server, leader),
        (A, ServerId(1), Some(ServerId(3)))
    );
    assert!(arrives.is_some_and(|at| at > s.world().now()));
}

#[test]
fn a_write_that_waits_for_acks_is_not_answered() {
    let mut s = Scenario::of_three();
    s.slow_disk(1, 900).slow_disk(2, 900);
    s.client("A").set("/a", "1");
    s.until(event!(3, AckCounted { zxid, .. } if *zxid == zx(1, 4)));
    let because = ask(&s, Question::NotAnswered(A));
    let Because::TooFewAcks { zxid, count } = because else {
        panic!("too few ACKs: {because:?}")
    };
    assert_eq!((zxid, have(&count)), (zx(1, 4), vec![3]));
}

#[test]
fn who_asks_nothing_waits_for_nothing() {
    assert_eq!(
        ask(&Scenario::of_three(), Question::NotAnswered(A)),
        Because::ItHas
    );
}

// ---- what is old ------------------------------------------------------------------------------------------

/// Why server 1 does not show the newest: what it applied, the newest, how many it lacks, the first of them;
/// and what keeps that.
#[track_caller]
fn behind(s: &Scenario) -> ((Zxid, Zxid, u64, Zxid), Lag) {
    match ask(s, Question::NotNewest(ServerId(1))) {
        Because::Behind {
            server: ServerId(1),
            applied,
            newest,
            by,
            first,
            lag,
        } => ((applied, newest, by, first), lag),
        other => panic!("it is behind: {other:?}"),
    }
}

#[test]
fn a_follower_behind_a_slow_link_waits_for_what_is_under_way() {
    let mut s = Scenario::of_three();
    s.slow_link(1, 3, 2000);
    s.client("B").set("/a", "1").ok();
    let (seen, lag) = behind(&s);
    assert_eq!(seen, (zx(1, 3), zx(1, 4), 1, zx(1, 4)));
    assert!(
        matches!(lag, Lag::OnTheWay(MessageKind::Proposal, ServerId(3), at) if at > s.world().now()),
        "{lag:?}"
    );
}

#[test]
fn a_follower_that_is_cut_off_can_not_know() {
    let mut s = Scenario::of_three();
    s.cut_direction(3, 1);
    s.client("B").set("/a", "1").set("/a", "2").ok();
    let (seen, lag) = behind(&s);
    assert_eq!(seen, (zx(1, 3), zx(1, 5), 2, zx(1, 4)));
    assert_eq!(lag, Lag::Cut(ServerId(3)));
}

#[test]
fn a_follower_with_a_slow_disk_does_not_apply_what_is_not_on_it() {
    let mut s = Scenario::of_three();
    s.slow_disk(1, 1500);
    s.client("B").set("/a", "1").ok();
    s.until_that("it has it", |s| s.server(1).last_logged() == zx(1, 4));
    let ((.., first), lag) = behind(&s);
    assert_eq!((first, lag), (zx(1, 4), Lag::OnDisk(Span::millis(1500))));
}

#[test]
fn who_is_not_behind_is_not_behind() {
    assert_eq!(
        ask(&Scenario::of_three(), Question::NotNewest(ServerId(1))),
        Because::ItHas
    );
}

#[test]
fn a_stale_read_names_what_came_too_late() {
    let mut s = Scenario::of_three();
    s.slow_link(1, 3, 2000);
    s.client("B").set("/a", "1").ok();
    let (data, at) = s.client("A").read("/a").data_at();
    assert_eq!((data.as_str(), at), ("0", zx(1, 3)));
    let read = history(&s)
        .records()
        .iter()
        .find_map(|r: &Record| match &r.source {
            Fact::World(WorldEvent {
                id,
                kind: WorldEventKind::StaleRead { .. },
                ..
            }) => Some((*id, r.at)),
            _ => None,
        })
        .expect("it is stale");
    let then = ask(&s, Question::NotFresh(read.0));
    let Because::WasBehind {
        client,
        server,
        shown,
        newest,
        by,
        first,
        committed,
        applied,
        answered,
    } = then
    else {
        panic!("it was behind: {then:?}")
    };
    assert_eq!((client, server, answered), (A, ServerId(1), read.1));
    assert_eq!(
        (shown, newest, by, first),
        (zx(1, 3), zx(1, 4), 1, zx(1, 4))
    );
    assert!(committed.is_some_and(|c| c < answered));
    assert_eq!(applied, None);
    // Later it is known when the server caught up.
    s.settle();
    let later = ask(&s, Question::NotFresh(read.0));
    assert!(matches!(later, Because::WasBehind { applied: Some(at), .. } if at > answered));
}

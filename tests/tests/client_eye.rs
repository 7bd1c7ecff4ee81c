//! What a client has seen, judged; and one thing changed, with what comes of it.

use zabscope_core::{
    request::WatchEvent,
    sim::{
        ClientNo, Fact, History, Observation,
        why_not::{
            guarantees::{Eye, Guarantee, Heard, Judged, Known, Verdict, judge, judge_on},
            instead::{Awaited, Change, WhatIf, changes, what_if},
        },
    },
    time::Moment,
};
use zabscope_tests::{prelude::*, question::history};

fn of(judged: &[Judged], guarantee: Guarantee) -> Vec<Verdict> {
    let all = judged.iter().flat_map(|j| j.verdicts.iter().copied());
    all.filter(|v| v.of() == guarantee).collect()
}

#[test]
fn a_stale_read_is_allowed_and_says_how_far_the_server_was() {
    let mut s = Scenario::of_three();
    s.slow_link(1, 3, 2000);
    s.client("B").set("/a", "1").ok();
    s.client("A").read("/a").ok();
    let judged = judge(&history(&s), ClientNo(1));
    assert_eq!(
        of(&judged, Guarantee::Timeliness),
        [Verdict::Older {
            server: ServerId(1),
            shown: zx(1, 3),
            newest: zx(1, 4),
            by: 1,
            bound: Span::millis(10_000),
        }]
    );
    let all: Vec<Verdict> = judged.iter().flat_map(|j| j.verdicts.clone()).collect();
    assert!(all.iter().all(|v| !v.is_broken()), "{all:?}");
    assert!(all.iter().any(Verdict::is_surprising));
    // The answer leads to the server's event.
    let read = judged.last().and_then(|j| j.event).expect("a read");
    let h = history(&s);
    let event = h.records().iter().find(|r| r.id() == read).cloned();
    assert!(matches!(event.map(|r| r.source), Some(Fact::Peer(e))
        if matches!(e.kind, EventKind::ReadServed { zxid, .. } if zxid == zx(1, 3))));
}

#[test]
fn whoever_watches_a_client_reads_each_record_once_as_long_as_time_goes_on_and_judges_as_anew() {
    let mut s = Scenario::of_three();
    s.slow_link(1, 3, 2000);
    s.client("B").set("/a", "1").ok();
    s.client("A").read("/a").ok();
    let mut h = history(&s);
    let end = h.end();
    h.goto(end / 2);
    let mut heard = Heard::default();
    let mut read = 0;
    while h.cursor() < end {
        read += heard.clone().read(&h);
        let judged = judge_on(&h, ClientNo(1), &mut heard);
        assert_eq!(judged, judge(&h, ClientNo(1)), "step {}", h.cursor());
        h.step();
    }
    read += heard.read(&h);
    assert_eq!(read, h.records().len(), "each record once");
    assert_eq!(heard.read(&h), 0);
    // Back in time, and in another branch, it is read anew.
    for branch in 0..2 {
        h.goto(end - 20);
        assert_eq!(
            judge_on(&h, ClientNo(1), &mut heard),
            judge(&h, ClientNo(1))
        );
        if branch == 0 {
            h.act(Action::HealAll).expect("it is possible");
            for _ in 0..40 {
                h.step();
            }
        }
        assert_eq!(
            judge_on(&h, ClientNo(1), &mut heard),
            judge(&h, ClientNo(1))
        );
    }
    assert_eq!(h.branches().len(), 2);
}

#[test]
fn a_read_after_sync_shows_the_newest() {
    let mut s = Scenario::of_three();
    s.slow_link(1, 3, 2000);
    s.client("B").set("/a", "1").ok();
    s.client("A").sync().read("/a").ok();
    let judged = judge(&history(&s), ClientNo(1));
    assert_eq!(
        of(&judged, Guarantee::Timeliness).last(),
        Some(&Verdict::Newest { shown: zx(1, 4) })
    );
}

#[test]
fn requests_are_answered_in_turn_and_writes_are_kept_by_a_quorum() {
    let mut s = Scenario::of_three();
    s.client("A").set("/a", "1").set("/a", "2").read("/a").ok();
    let judged = judge(&history(&s), ClientNo(1));
    let turns = of(&judged, Guarantee::SequentialConsistency);
    assert_eq!(turns.len(), 4, "{turns:?}");
    assert!(
        turns
            .iter()
            .all(|v| matches!(v, Verdict::InTurn { before, xid } if before < xid))
    );
    let kept = of(&judged, Guarantee::Reliability);
    assert_eq!(kept.len(), 3, "{kept:?}");
    assert!(
        kept.iter()
            .all(|v| matches!(v, Verdict::Kept { on, need: 2, .. } if *on >= 2))
    );
}

#[test]
fn a_failed_multi_is_not_done_and_a_lost_connection_leaves_it_open() {
    let mut s = Scenario::of_three();
    s.client("A")
        .multi(vec![write::set("/a", "1"), write::set("/missing", "1")])
        .answered();
    s.client("A").set("/a", "2");
    s.until(event!(1, RequestForwarded));
    s.crash(1);
    s.client("A").answered();
    let judged = judge(&history(&s), ClientNo(1));
    assert_eq!(
        of(&judged, Guarantee::Atomicity),
        [
            Verdict::Done,
            Verdict::NotDone(ErrorCode::NoNode),
            Verdict::Unknown
        ]
    );
}

#[test]
fn a_client_that_moves_does_not_go_back() {
    let mut s = Scenario::of_three();
    s.slow_link(1, 3, 700);
    s.client("B").set("/a", "1").ok();
    s.client("B").read("/a").ok();
    s.client("B").at(1).connected();
    s.client("B").read("/a").ok();
    let judged = judge(&history(&s), ClientNo(2));
    let image = of(&judged, Guarantee::SingleSystemImage);
    assert_eq!(image.len(), 3, "{image:?}");
    assert!(
        image
            .iter()
            .all(|v| matches!(v, Verdict::NotBack { seen, shown } if seen <= shown))
    );
}

#[test]
fn a_watch_is_heard_before_the_change_is_seen() {
    let mut s = Scenario::of_three();
    s.client("A").watch("/a").ok();
    s.client("B").set("/a", "1").ok();
    s.until_rang("A", 1);
    let judged = judge(&history(&s), ClientNo(1));
    assert_eq!(
        of(&judged, Guarantee::SequentialConsistency).last(),
        Some(&Verdict::HeardFirst {
            seen: zx(1, 3),
            change: zx(1, 4)
        })
    );
}

// ---- lies -----------------------------------------------------------------------------------------

fn observation(seen: Seen) -> Observation {
    Observation {
        at: Moment(0),
        step: 1,
        server: ServerId(1),
        conn: ClientId(7),
        last_zxid_before: Zxid::ZERO,
        seen,
    }
}

fn answer(
    xid: i32,
    request: Request,
    zxid: Zxid,
    result: Result<Response, ErrorCode>,
) -> Observation {
    observation(Seen::Answer {
        xid,
        request,
        sent_at: Moment(0),
        sent_step: 0,
        outcome: Outcome::Reply { zxid, result },
    })
}

fn read(xid: i32, zxid: Zxid) -> Observation {
    let request = Request::GetData {
        path: "/a".into(),
        watch: false,
    };
    answer(xid, request, zxid, Ok(Response::Empty))
}

fn set(xid: i32, zxid: Zxid, response: Response) -> Observation {
    answer(
        xid,
        Request::Write(write::set("/a", "1")),
        zxid,
        Ok(response),
    )
}

#[test]
fn what_a_guarantee_forbids_is_found() {
    let known = Known {
        need: 2,
        on_disk: 1,
        ..Known::default()
    };
    let mut eye = Eye::default();
    eye.see(&read(4, zx(1, 9)), &known);
    let back = eye.see(&read(3, zx(1, 8)), &known);
    assert!(back.contains(&Verdict::OutOfTurn { before: 4, xid: 3 }));
    assert!(back.contains(&Verdict::Back {
        seen: zx(1, 9),
        shown: zx(1, 8)
    }));
    let torn = Response::Multi(vec![OpResult::Check, OpResult::Error(ErrorCode::NoNode)]);
    let write = eye.see(&set(5, zx(1, 10), torn), &known);
    assert!(write.contains(&Verdict::Torn));
    assert!(write.contains(&Verdict::Lost {
        zxid: zx(1, 10),
        on: 1,
        need: 2
    }));
    let late = eye.see(
        &observation(Seen::Watch(WatchEvent {
            kind: WatchEventKind::NodeDataChanged,
            path: "/a".into(),
            zxid: zx(1, 5),
        })),
        &known,
    );
    assert_eq!(
        late,
        [Verdict::HeardLate {
            seen: zx(1, 10),
            change: zx(1, 5)
        }]
    );
    assert!(
        late.iter()
            .chain(&write)
            .chain(&back)
            .filter(|v| v.is_broken())
            .count()
            == 5
    );
}

// ---- what if --------------------------------------------------------------------------------------

/// The newest record of which this holds, as an index.
fn record(h: &History, is: impl Fn(&Fact) -> bool) -> usize {
    let records = h.records();
    (0..records.len())
        .rev()
        .find(|i| records.get(*i).is_some_and(|r| is(&r.source)))
        .expect("it has happened")
}

fn kind(is: impl Fn(i64, &EventKind) -> bool) -> impl Fn(&Fact) -> bool {
    move |f| matches!(f, Fact::Peer(e) if is(e.id.server.0, &e.kind))
}

fn pick(all: &[WhatIf], is: impl Fn(Change) -> bool) -> WhatIf {
    *all.iter()
        .find(|w| is(w.change))
        .unwrap_or_else(|| panic!("offered: {all:?}"))
}

#[test]
fn a_crash_one_step_earlier_gives_another_leader_in_a_branch_of_its_own() {
    let mut s = Scenario::voters(5).start();
    s.settle();
    let mut h = history(&s);
    let index = record(
        &h,
        kind(|id, k| id == 5 && matches!(k, EventKind::Elected { .. })),
    );
    let crash = pick(&changes(&h, index), |c| c == Change::Crash(ServerId(5)));
    let differs = what_if(&mut h, &crash, "server 5 crashes earlier").expect("it is possible");
    assert_eq!(differs.awaited, Awaited::Leader);
    let (before, now) = (
        differs.before.expect("it led"),
        differs.now.expect("one leads"),
    );
    assert_eq!((before.server, now.server), (ServerId(5), ServerId(4)));
    assert!(before.at < now.at && differs.since < before.at);
    let branches = h.branches();
    assert_eq!(branches.len(), 2);
    assert_eq!(branches[1].name, "server 5 crashes earlier");
    assert_eq!((h.branch(), differs.from), (branches[1].no, branches[0].no));
    assert_eq!(
        h.world().now(),
        now.at,
        "the cursor stands at the consequence"
    );
    // The old future is as it was.
    h.switch(differs.from);
    assert_eq!(h.cursor(), s.steps());
    assert_eq!(h.world().trace_hash(), s.world().trace_hash());
}

#[test]
fn a_slow_disk_commits_the_same_later() {
    let mut s = Scenario::of_three();
    s.crash(1);
    s.client("B").set("/a", "1").ok();
    let mut h = history(&s);
    let logged = record(
        &h,
        kind(|id, k| id == 2 && matches!(k, EventKind::Logged { zxid } if *zxid == zx(1, 4))),
    );
    let slow = pick(&changes(&h, logged), |c| c == Change::SlowDisk(ServerId(2)));
    let differs = what_if(&mut h, &slow, "slow disk").expect("it is possible");
    assert_eq!(differs.awaited, Awaited::Commit(zx(1, 4)));
    let (before, now) = (
        differs.before.expect("committed"),
        differs.now.expect("committed"),
    );
    assert_eq!((before.server, now.server), (ServerId(3), ServerId(3)));
    assert!(now.at - before.at >= Span::millis(1000), "{differs:?}");
}

#[test]
fn a_lost_proposal_and_a_slow_link_are_offered_for_what_a_message_led_to() {
    let mut s = Scenario::of_three();
    s.crash(1);
    s.client("B").set("/a", "1").ok();
    let mut h = history(&s);
    let logged = record(
        &h,
        kind(|id, k| id == 2 && matches!(k, EventKind::Logged { zxid } if *zxid == zx(1, 4))),
    );
    let offered = changes(&h, logged);
    let lost = pick(&offered, |c| {
        c == Change::Lost {
            from: ServerId(3),
            to: ServerId(2),
            message: MessageKind::Proposal,
        }
    });
    let slow = pick(&offered, |c| {
        c == Change::SlowLink {
            from: ServerId(3),
            to: ServerId(2),
        }
    });
    assert!(slow.step < lost.step, "the link is slow before it is sent");
    let main = h.branch();
    let differs = what_if(&mut h, &lost, "lost").expect("it is possible");
    // Without its only follower the leader gives up: the same zxid is decided in another way.
    let before = differs.before.expect("committed");
    assert!(
        differs.now.is_none_or(|now| now.at > before.at),
        "{differs:?}"
    );
    h.switch(main);
    let differs = what_if(&mut h, &slow, "slow").expect("it is possible");
    let now = differs.now.expect("committed later");
    assert!(now.at - before.at >= Span::millis(1000), "{differs:?}");
}

#[test]
fn what_nobody_knows_yet_is_found_out_beside() {
    let mut s = Scenario::voters(3).start();
    s.until(event!(2, VoteCompared));
    let mut h = history(&s);
    let steps = h.end();
    let index = record(
        &h,
        kind(|id, k| id == 2 && matches!(k, EventKind::VoteCompared { .. })),
    );
    let crash = pick(&changes(&h, index), |c| c == Change::Crash(ServerId(2)));
    let differs = what_if(&mut h, &crash, "x").expect("it is possible");
    assert!(
        differs.before.is_some() && differs.now.is_some(),
        "{differs:?}"
    );
    // The known future of the first branch is no longer than it was.
    assert_eq!(h.branches()[0].end, steps);
}

#[test]
fn nothing_is_offered_for_what_a_person_did() {
    let mut s = Scenario::of_three();
    s.crash(1);
    let h = history(&s);
    let index = record(&h, |f| {
        matches!(f, Fact::World(e)
        if matches!(e.kind, WorldEventKind::Crashed { .. }))
    });
    assert!(changes(&h, index).is_empty());
    assert!(changes(&h, usize::MAX).is_empty());
}

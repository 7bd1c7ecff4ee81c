use super::*;
use crate::text::{
    NoContext,
    why_not_eye::{guarantee, verdict},
    why_not_if::{change, differs},
};
use std::collections::BTreeSet;
use zabscope_core::{
    id::{ClientId, Epoch, EventId, SessionId},
    message::{MessageKind, Vote},
    peer::event::SyncMode,
    request::{ErrorCode, WatchEventKind},
    sim::{
        BranchNo, ClientNo,
        why_not::{
            guarantees::{Guarantee, Verdict},
            instead::{Awaited, Change, Differs, Outcome, WhatIf},
        },
    },
};

fn z(counter: u32) -> Zxid {
    Zxid::new(Epoch(1), counter)
}

fn s(n: i64) -> ServerId {
    ServerId(n)
}

fn vote(leader: i64, zxid: Zxid) -> Vote {
    Vote {
        epoch: Epoch(1),
        zxid,
        leader: s(leader),
    }
}

const SOON: Moment = Moment(4_812_000);

fn absences() -> Vec<Absence> {
    vec![
        Absence::NotRunning(ServerStatus::NotStarted),
        Absence::NotRunning(ServerStatus::Down),
        Absence::NotRunning(ServerStatus::Paused),
        Absence::Cut,
        Absence::ToIt(MessageKind::Proposal, SOON),
        Absence::FromIt(MessageKind::Ack, SOON),
        Absence::VotesFor(vote(5, z(7))),
        Absence::VotesFor(vote(2, z(7))),
        Absence::Follows(s(4)),
        Absence::Follows(s(2)),
        Absence::Follows(ServerId::NOBODY),
        Absence::Looks,
        Absence::OnDisk(Span(0)),
        Absence::OnDisk(Span::millis(900)),
        Absence::Silent,
    ]
}

fn count() -> Count {
    Count {
        have: BTreeSet::from([s(3)]),
        need: 2,
        missing: absences()
            .into_iter()
            .map(|because| Missing {
                server: s(2),
                because,
            })
            .collect(),
    }
}

fn modes() -> Vec<B> {
    use SyncRule as R;
    let mut all = Vec::new();
    let rules = [
        R::Equal,
        R::AheadOfLeader,
        R::InCommittedLog,
        R::WrongTail,
        R::WrongTailOtherEpoch,
        R::NewEpochOnly,
        R::FromDiskLog,
        R::DiskLogPurged,
        R::DiskLogTooLarge,
        R::DiskLogGap,
        R::DiskLogOff,
        R::NothingFits,
    ];
    for rule in rules {
        for wanted in [SyncMode::Diff, SyncMode::Trunc, SyncMode::Snap] {
            all.push(B::ModeChosen {
                leader: s(3),
                learner: s(1),
                wanted,
                chosen: SyncMode::Snap,
                rule,
                peer: z(9),
                min: z(1),
                max: z(7),
                last: z(8),
            });
        }
    }
    all
}

fn samples() -> Vec<(Q, B)> {
    let (own, winner) = (vote(1, z(7)), vote(3, z(9)));
    let lead = || Q::NotLeading(s(1));
    let commit = || Q::NotCommitted(z(9));
    let client = ClientNo(1);
    let rung = || Q::NotRung(client, "/a".into());
    let old = || Q::NotNewest(s(1));
    let lags = [
        Lag::NotRunning(ServerStatus::Paused),
        Lag::NotServing,
        Lag::Cut(s(3)),
        Lag::OnTheWay(MessageKind::Commit, s(3), SOON),
        Lag::OnDisk(Span(0)),
        Lag::OnDisk(Span::millis(900)),
        Lag::NotSent(s(3)),
    ];
    let mut all = vec![
        (lead(), B::ItHas),
        (Q::StillLooking(s(1)), B::ItHas),
        (Q::NotServing(s(1)), B::ItHas),
        (commit(), B::ItHas),
        (Q::NotAnswered(client), B::ItHas),
        (old(), B::ItHas),
        (Q::NotExpired(SessionId(7)), B::ItHas),
        (rung(), B::ItHas),
        (Q::NotThisMode(s(1), SyncMode::Diff), B::ItHas),
        (lead(), B::NoSuchThing),
        (lead(), B::NotRunning(s(1), ServerStatus::Down)),
        (lead(), B::HasNoVote(s(1))),
        (
            lead(),
            B::CameLater {
                leader: s(3),
                elected: Moment(1),
                came: SOON,
            },
        ),
        (
            Q::StillLooking(s(1)),
            B::TooFewVotes {
                vote: own,
                round: 2,
                count: count(),
            },
        ),
        (
            Q::StillLooking(s(1)),
            B::LastWait {
                vote: own,
                count: count(),
                until: SOON,
            },
        ),
        (
            lead(),
            B::StillFollows {
                leader: s(3),
                leader_is: Absence::Cut,
                until: Some(SOON),
            },
        ),
        (
            commit(),
            B::NeverProposed {
                leader: Some(s(3)),
                last: z(3),
            },
        ),
        (
            commit(),
            B::NeverProposed {
                leader: None,
                last: z(3),
            },
        ),
        (
            commit(),
            B::TooFewAcks {
                zxid: z(9),
                count: count(),
            },
        ),
        (
            commit(),
            B::AfterAnOlder {
                zxid: z(9),
                oldest: z(8),
                count: count(),
            },
        ),
        (
            commit(),
            B::NobodyDecides {
                zxid: z(9),
                holders: BTreeSet::from([s(1)]),
                need: 2,
            },
        ),
        (
            commit(),
            B::GivenUp {
                zxid: z(9),
                leader: s(3),
                epoch: Epoch(2),
                history: z(8),
                holders: BTreeSet::from([s(2)]),
                removed: vec![
                    (s(1), RemovedBecause::Truncated),
                    (s(1), RemovedBecause::Replaced),
                    (s(1), RemovedBecause::LostInCrash),
                    (s(1), RemovedBecause::DiskLost),
                ],
            },
        ),
        (
            Q::NotAnswered(client),
            B::AskedTheLeader {
                client,
                server: s(1),
                leader: Some(s(3)),
                arrives: Some(SOON),
            },
        ),
        (
            Q::NotAnswered(client),
            B::AskedTheLeader {
                client,
                server: s(1),
                leader: Some(s(3)),
                arrives: None,
            },
        ),
        (
            Q::NotAnswered(client),
            B::AskedTheLeader {
                client,
                server: s(1),
                leader: None,
                arrives: None,
            },
        ),
        (
            Q::NotFresh(EventId {
                server: s(0),
                seq: 1,
            }),
            B::WasBehind {
                client,
                server: s(1),
                shown: z(7),
                newest: z(9),
                by: 2,
                first: z(8),
                committed: Some(Moment(1)),
                applied: Some(SOON),
                answered: Moment(2),
            },
        ),
        (Q::NotExpired(SessionId(7)), B::NobodyCounts),
        (
            Q::NotExpired(SessionId(7)),
            B::EndNotCommitted {
                zxid: z(9),
                count: count(),
            },
        ),
        (rung(), B::NoWatch { server: s(1) }),
        (
            rung(),
            B::RangAlready {
                stays: false,
                event: WatchEventKind::NodeDataChanged,
                zxid: Some(z(9)),
                at: SOON,
            },
        ),
        (
            rung(),
            B::RangAlready {
                stays: false,
                event: WatchEventKind::NodeDeleted,
                zxid: None,
                at: SOON,
            },
        ),
        (
            rung(),
            B::RangAlready {
                stays: true,
                event: WatchEventKind::NodeCreated,
                zxid: Some(z(9)),
                at: SOON,
            },
        ),
        (
            rung(),
            B::NothingChanged {
                server: s(1),
                set: z(8),
                changed: Some(z(7)),
                applied: z(9),
            },
        ),
        (
            rung(),
            B::NothingChanged {
                server: s(1),
                set: z(8),
                changed: None,
                applied: z(9),
            },
        ),
        (
            rung(),
            B::OtherKind {
                data: true,
                changed: z(9),
                set: z(8),
            },
        ),
        (
            rung(),
            B::OtherKind {
                data: false,
                changed: z(9),
                set: z(8),
            },
        ),
        (Q::NotThisMode(s(1), SyncMode::Snap), B::NoModeYet),
    ];
    for by in [
        VoteField::Epoch,
        VoteField::Zxid,
        VoteField::Id,
        VoteField::Same,
        VoteField::Weight,
    ] {
        all.push((
            lead(),
            B::LostTheVote {
                own,
                winner,
                by,
                round: 1,
            },
        ));
        all.push((lead(), B::NotHeardInTime { own, winner, by }));
        all.push((
            lead(),
            B::Outvoted {
                own,
                better: winner,
                by,
            },
        ));
    }
    for phase in [
        LeaderPhase::CollectingInfo,
        LeaderPhase::CollectingEpochAcks,
        LeaderPhase::CollectingNewLeaderAcks,
    ] {
        all.push((
            lead(),
            B::LeaderWaits {
                leader: s(1),
                phase,
                count: count(),
                until: SOON,
            },
        ));
    }
    for awaits in [
        Awaits::Connection(2),
        Awaits::Epoch,
        Awaits::Sync,
        Awaits::Truncation,
        Awaits::History(SyncMode::Diff),
        Awaits::UpToDate,
    ] {
        let with = Some((LeaderPhase::CollectingInfo, count()));
        for count in [None, with] {
            all.push((
                Q::NotServing(s(1)),
                B::LearnerWaits {
                    leader: s(3),
                    awaits,
                    until: Some(SOON),
                    leader_is: Absence::Silent,
                    count,
                },
            ));
        }
    }
    for state in [
        ClientState::Waiting { until: SOON },
        ClientState::Connecting {
            server: s(1),
            conn: ClientId(1),
            since: SOON,
        },
        ClientState::Connected {
            server: s(1),
            conn: ClientId(1),
        },
        ClientState::Expired,
        ClientState::Closed,
    ] {
        all.push((Q::NotAnswered(client), B::NotConnected { client, state }));
    }
    for to_server in [true, false] {
        let because = B::BetweenClientAndServer {
            client,
            server: s(1),
            to_server,
            arrives: SOON,
        };
        all.push((rung(), because));
    }
    for lag in lags {
        all.push((
            old(),
            B::Behind {
                server: s(1),
                applied: z(7),
                newest: z(9),
                by: 2,
                first: z(8),
                lag,
            },
        ));
        all.push((
            rung(),
            B::ChangeNotHere {
                changed: z(9),
                server: s(1),
                applied: z(7),
                lag,
            },
        ));
    }
    for heard in [None, Some(Moment(1))] {
        all.push((
            Q::NotExpired(SessionId(7)),
            B::TimeLeft {
                leader: s(3),
                timeout: Span::millis(30_000),
                heard,
                deadline: SOON,
                tick: Span::millis(2000),
            },
        ));
    }
    for because in modes() {
        all.push((Q::NotThisMode(s(1), SyncMode::Diff), because));
    }
    all
}

fn has_han(text: &str) -> bool {
    text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c))
}

#[track_caller]
fn check(en: &str, zh: &str) {
    assert!(!en.is_empty() && !has_han(en), "{en}");
    assert!(has_han(zh), "{zh}");
    for text in [en, zh] {
        assert!(!text.contains(['{', '}']) && !text.contains("  "), "{text}");
    }
}

#[test]
fn every_answer_is_there_in_both_languages_and_short_enough() {
    for (asked, because) in samples() {
        let asked = Answer {
            question: asked,
            step: 7,
            at: Moment(3_000_000),
            because,
            facts: Vec::new(),
        };
        let (en, zh) = (
            answer(&asked, Lang::En, &NoContext),
            answer(&asked, Lang::Zh, &NoContext),
        );
        check(&en.sentence.text, &zh.sentence.text);
        let (e, c) = (&en.sentence.text, &zh.sentence.text);
        assert!(e.ends_with('.') && c.ends_with('。'), "{e} {c}");
        assert!(e.chars().count() <= 260, "{}: {e}", e.chars().count());
        assert!(c.chars().count() <= 150, "{}: {c}", c.chars().count());
        assert_eq!(
            (en.values.len(), en.missing.len()),
            (zh.values.len(), zh.missing.len())
        );
        assert_eq!(en.source, zh.source);
        assert!(en.values.iter().filter(|v| v.decides).count() <= 2, "{e}");
        for (a, b) in en.missing.iter().zip(&zh.missing) {
            check(&a.text, &b.text);
        }
        check(
            &plain(&asked.question, Lang::En),
            &plain(&asked.question, Lang::Zh),
        );
        assert!(plain(&asked.question, Lang::En).ends_with('?'));
    }
}

#[test]
fn an_answer_names_the_values_that_decide() {
    let asked = Answer {
        question: Q::NotLeading(s(2)),
        step: 7,
        at: Moment(0),
        because: B::LostTheVote {
            own: vote(2, z(7)),
            winner: vote(3, z(9)),
            by: VoteField::Zxid,
            round: 1,
        },
        facts: Vec::new(),
    };
    let told = answer(&asked, Lang::En, &NoContext);
    assert_eq!(
        told.sentence.text,
        "Server 2 was not elected: its last zxid is 1·07, that of server 3 is 1·09."
    );
    let decides: Vec<_> = told.values.iter().filter(|v| v.decides).collect();
    assert_eq!(decides.len(), 1);
    assert_eq!(
        (decides[0].left.1.as_str(), decides[0].right.1.as_str()),
        ("1·07", "1·09")
    );
}

#[test]
fn every_verdict_is_there_in_both_languages() {
    let all = [
        Verdict::InTurn { before: 0, xid: 1 },
        Verdict::InTurn { before: 1, xid: 2 },
        Verdict::OutOfTurn { before: 2, xid: 1 },
        Verdict::HeardFirst {
            seen: z(1),
            change: z(2),
        },
        Verdict::HeardLate {
            seen: z(2),
            change: z(1),
        },
        Verdict::Done,
        Verdict::NotDone(ErrorCode::NoNode),
        Verdict::Unknown,
        Verdict::Torn,
        Verdict::NotBack {
            seen: z(1),
            shown: z(2),
        },
        Verdict::Back {
            seen: z(2),
            shown: z(1),
        },
        Verdict::Kept {
            zxid: z(1),
            on: 3,
            need: 2,
        },
        Verdict::Lost {
            zxid: z(1),
            on: 1,
            need: 2,
        },
        Verdict::Newest { shown: z(1) },
        Verdict::Older {
            server: s(1),
            shown: z(1),
            newest: z(3),
            by: 2,
            bound: Span::millis(10_000),
        },
    ];
    for v in all {
        let en = verdict(&v, Lang::En, &NoContext);
        let zh = verdict(&v, Lang::Zh, &NoContext);
        check(&en.text, &zh.text);
        assert_eq!(en.tone == Tone::Fault, v.is_broken());
        assert_eq!(
            en.text.starts_with("Forbidden"),
            v.is_broken(),
            "{}",
            en.text
        );
        assert_eq!(
            en.text.starts_with("Allowed"),
            v.is_surprising(),
            "{}",
            en.text
        );
    }
    for g in Guarantee::ALL {
        let (en, zh) = (guarantee(g, Lang::En), guarantee(g, Lang::Zh));
        check(en.0, zh.0);
        check(en.1, zh.1);
    }
}

#[test]
fn what_differs_is_said_in_one_sentence() {
    let changes = [
        Change::Lost {
            from: s(1),
            to: s(2),
            message: MessageKind::Ack,
        },
        Change::SlowLink {
            from: s(1),
            to: s(2),
        },
        Change::SlowDisk(s(1)),
        Change::Crash(s(1)),
    ];
    let outcome = |server: i64, at: u64, epoch: i64| Outcome {
        at: Moment(at),
        event: EventId {
            server: s(server),
            seq: 1,
        },
        server: s(server),
        epoch: Some(Epoch(epoch)),
    };
    let pairs = [
        (None, None),
        (Some(outcome(5, 1000, 1)), None),
        (None, Some(outcome(5, 1000, 1))),
        (Some(outcome(5, 1000, 1)), Some(outcome(5, 1000, 1))),
        (Some(outcome(5, 1000, 1)), Some(outcome(5, 9000, 1))),
        (Some(outcome(5, 9000, 1)), Some(outcome(5, 1000, 1))),
        (Some(outcome(5, 1000, 1)), Some(outcome(4, 9000, 2))),
    ];
    let awaited = [
        Awaited::Leader,
        Awaited::Serves(s(1)),
        Awaited::Commit(z(3)),
        Awaited::Answer(ClientNo(1)),
        Awaited::End(SessionId(7)),
    ];
    let mut seen = BTreeSet::new();
    for c in changes {
        check(
            &change(&c, Lang::En, &NoContext).text,
            &change(&c, Lang::Zh, &NoContext).text,
        );
        for awaited in awaited {
            for (before, now) in pairs {
                let d = Differs {
                    what: WhatIf {
                        change: c,
                        step: 1,
                        record: 0,
                    },
                    awaited,
                    since: Moment(1),
                    from: BranchNo(0),
                    before,
                    now,
                };
                let en = differs(&d, Lang::En, &NoContext).text;
                check(&en, &differs(&d, Lang::Zh, &NoContext).text);
                assert!(en.ends_with('.'), "{en}");
                seen.insert(en);
            }
        }
    }
    assert_eq!(seen.len(), pairs.len() * awaited.len());
    assert!(
        seen.iter()
            .any(|s| s.starts_with("Now the lead is taken by server 4")),
        "{seen:?}"
    );
}

use super::*;
use crate::{id::ServerId, rules::Rules};

fn wanted(off: &[Rule], seed: u64) -> Wanted {
    Wanted {
        setup: Setup {
            voters: 3,
            rules: off.iter().fold(Rules::ALL, |r, rule| r.without(*rule)),
            ..Setup::default()
        },
        seed,
        schedules: 100,
        consequences: false,
    }
}

/// Runs a search to its end.
fn result(wanted: Wanted, slice: u64) -> (Progress, Option<Found>) {
    let mut search = Search::new(wanted).expect("a setup");
    loop {
        let progress = search.run(slice);
        match progress.stage.clone() {
            Stage::Looking | Stage::Shortening { .. } => {}
            Stage::Found(found) => return (progress, Some(*found)),
            Stage::Nothing => return (progress, None),
        }
    }
}

/// Opens what was found, does what breaks it, and checks all of it.
fn breaks(found: &Found) -> Violation {
    let mut history = found.open().expect("our own run");
    assert_eq!(history.cursor(), found.run.steps, "one before it breaks");
    assert!(
        !history.at_end(),
        "what breaks it is known and not yet done"
    );
    assert!(history.forward());
    let mut world = World::new(&found.run.setup).expect("a world");
    let mut log = StepLog::default();
    let mut checker = Checker::all();
    let mut actions = history.actions().into_iter().peekable();
    while world.trace_hash() != history.world().trace_hash() {
        let checked = match actions.next_if(|a| a.step == world.steps()) {
            Some(timed) => world
                .act(&timed.action, &mut log)
                .map_err(|e| e.to_string()),
            None => world
                .step(&mut log)
                .then_some(())
                .ok_or_else(|| "rest".to_owned()),
        };
        checked.expect("the history did it too");
        if let Err(violation) = checker.check(&world, &log) {
            assert_eq!(
                world.trace_hash(),
                history.world().trace_hash(),
                "nothing breaks before"
            );
            return violation;
        }
    }
    panic!("nothing breaks in {found:?}");
}

/// What is found when a rule is switched off, and in how many actions it can be shown.
fn expect(rule: Rule, seed: u64, property: &str, actions: usize) {
    expect_in(rule, &wanted(&[rule], seed), property, actions);
}

fn expect_in(rule: Rule, wanted: &Wanted, property: &str, actions: usize) {
    let (progress, found) = result(wanted.clone(), 20_000);
    let found = found.unwrap_or_else(|| panic!("{progress:?}"));
    assert_eq!(found.violation.property, property, "{}", found.violation);
    let done = found.run.actions.len() + usize::from(found.by.is_some());
    assert!(done <= actions, "{done} actions: {:?}", found.run.actions);
    assert_eq!(breaks(&found), found.violation);
    assert!(!found.run.setup.rules.has(rule), "the link says so");
    // With all rules the same schedules break nothing.
    let mut same = wanted.clone();
    same.setup.rules = Rules::ALL;
    same.schedules = progress.schedules;
    let (clean, none) = result(same, 20_000);
    assert_eq!(none, None);
    assert_eq!(clean.schedules, progress.schedules);
    assert!(clean.steps > 0);
}

#[test]
fn without_the_epoch_first_a_server_does_not_take_over_the_better_vote() {
    expect(Rule::VoteEpoch, 1, "vote-order", 6);
}

#[test]
fn with_one_voter_fewer_an_epoch_has_two_leaders() {
    expect(Rule::Quorum, 1, "leadership", 2);
}

#[test]
fn when_accepted_epochs_count_for_nothing_one_is_accepted_twice() {
    expect(Rule::AcceptedEpoch, 3, "epochs", 4);
}

#[test]
fn a_leader_with_an_older_history_cuts_off_what_is_committed() {
    let mut wanted = wanted(&[Rule::NewestHistory], 5);
    wanted.schedules = 900;
    expect_in(Rule::NewestHistory, &wanted, "commit-quorum", 10);
}

#[test]
fn a_log_that_is_not_cut_differs_from_the_leaders() {
    expect(Rule::Truncate, 3, "synced-prefix", 6);
}

#[test]
fn an_ack_that_does_not_wait_for_the_disk_says_what_is_not_so() {
    expect(Rule::DurableAck, 1, "durable-acks", 0);
}

/// It needs a leader that stands still and goes on under the next, when a proposal has not gone far.
#[test]
fn a_commit_that_outlives_its_epoch_commits_what_no_quorum_has() {
    let mut wanted = wanted(&[Rule::CommitEpoch], 2);
    wanted.setup.voters = 5;
    wanted.schedules = 200;
    expect_in(Rule::CommitEpoch, &wanted, "commit-quorum", 9);
}

#[test]
fn a_read_that_does_not_wait_overtakes_its_sessions_write() {
    expect(Rule::SessionFifo, 1, "session-fifo", 5);
}

#[test]
fn a_watch_event_behind_the_reply_lets_a_client_see_a_change_before_it_hears_of_it() {
    expect(Rule::WatchFirst, 1, "watch-order", 5);
}

#[test]
fn what_follows_from_a_rule_is_found_when_the_rule_itself_is_not_asked_for() {
    let mut wanted = wanted(&[Rule::DurableAck], 1);
    wanted.consequences = true;
    let (_, found) = result(wanted, 20_000);
    let found = found.expect("a log that is not its leader's");
    assert!(!restates(Rule::DurableAck, &found.violation.property));
    assert_eq!(found.violation.property, "synced-prefix");
    assert!(!found.run.actions.is_empty(), "somebody must have failed");
}

#[test]
fn with_all_rules_it_says_how_many_schedules_it_tried_and_found_nothing() {
    let (progress, found) = result(wanted(&[], 5), 10_000);
    assert_eq!(found, None);
    assert_eq!(progress.schedules, 100);
    assert_eq!(progress.stage, Stage::Nothing);
    assert!(progress.steps > 100 * 100, "{progress:?}");
}

#[test]
fn a_search_is_decided_by_its_setup_and_seed_not_by_its_slices() {
    let of = |slice| result(wanted(&[Rule::Truncate], 2), slice);
    let (progress, found) = of(1);
    assert_eq!(found, of(1_000_000).1);
    assert_eq!(progress.schedules, of(7_777).0.schedules);
    assert_ne!(
        found,
        result(wanted(&[Rule::Truncate], 3), 5000).1,
        "another seed"
    );
}

#[test]
fn a_search_goes_on_in_slices_that_can_be_counted() {
    let mut search = Search::new(wanted(&[], 9)).expect("a setup");
    let longest = *STEPS.last().expect("there are some");
    let mut before = 0;
    for _ in 0..20 {
        let progress = search.run(1000);
        assert!(progress.steps >= before + 1000);
        assert!(progress.steps <= before + 1000 + longest);
        before = progress.steps;
    }
}

#[test]
fn what_was_found_is_a_text_and_back() {
    let (progress, found) = result(wanted(&[Rule::Quorum], 1), 20_000);
    let text = serde_json::to_string(&progress).expect("a text");
    assert_eq!(
        serde_json::from_str::<Progress>(&text).expect("ours"),
        progress
    );
    let run = found.expect("two leaders").run;
    assert_eq!(Exported::from_json(&run.to_json()), Ok(run));
}

#[test]
fn a_world_out_of_bounds_is_not_searched() {
    let mut bad = wanted(&[], 1);
    bad.setup.voters = 0;
    assert!(Search::new(bad).is_err());
}

#[test]
fn a_rule_that_is_switched_off_in_the_middle_of_a_run_is_in_its_export() {
    let mut history = History::new(&Setup::default()).expect("a world");
    let rules = Rules::ALL.without(Rule::Quorum);
    for _ in 0..40 {
        history.step().expect("it goes on");
    }
    history
        .act(Action::SetRules { rules })
        .expect("always possible");
    assert_eq!(history.world().rules(), rules);
    let crash = Action::Crash {
        server: ServerId(1),
        lose_unsynced: true,
    };
    history.act(crash).expect("it runs");
    history
        .act(Action::Restart {
            server: ServerId(1),
        })
        .expect("it is down");
    let restarted = history.world().peer(ServerId(1)).expect("it runs");
    assert_eq!(restarted.config().rules, rules, "whoever starts later, too");
    let imported = History::import(&history.export()).expect("our own");
    assert_eq!(imported.mismatch, None);
    assert_eq!(imported.history.world().rules(), rules);
    // Undone, they hold again.
    let mut back = imported.history;
    while !back.world().rules().all_hold() {
        assert!(back.back());
    }
    assert!(
        back.world()
            .servers()
            .filter_map(|s| s.peer)
            .all(|p| p.config().rules.all_hold())
    );
}

#[test]
fn a_world_with_all_rules_is_written_without_them() {
    let text = serde_json::to_string(&Setup::default()).expect("a text");
    assert!(!text.contains("rules") && !text.contains("faults"));
}

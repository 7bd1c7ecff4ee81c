use super::*;
use crate::state::{
    Action, Selection, State, Tab,
    asked::{Asked, Value, WhyAct, causes, set_by},
    opening,
    run::{Run, RunHandle},
};
use zabscope_core::{
    id::ServerId,
    sim::{
        self, Invariant, WorldEventKind,
        invariant::Step,
        why_not::{Because, Question, instead},
    },
};

fn settled() -> State {
    let mut state = State::new(Run::new(&opening()).expect("the opening world"));
    for _ in 0..6 {
        state.apply(Action::NextPhase);
        state.apply(Action::Frame(100.0));
        state.apply(Action::Step);
    }
    while state
        .run
        .get()
        .world()
        .servers()
        .any(|s| !s.peer.is_some_and(|p| p.serving()))
    {
        state.apply(Action::Step);
        state.apply(Action::Step);
    }
    state
}

fn check_all(run: &RunHandle) -> u64 {
    let mut slices = 0;
    while check(run, 10) {
        slices += 1;
        assert!(slices < 10_000, "it comes to an end");
    }
    slices
}

#[test]
fn the_run_is_checked_in_slices_up_to_the_cursor() {
    let state = settled();
    assert!(state.run.get().watch().is_none());
    assert!(check_all(&state.run) > 2);
    let run = state.run.get();
    let watch = run.watch().expect("it was asked for");
    assert_eq!(watch.checked(), run.history().cursor());
    assert_eq!(
        watch.properties().len(),
        Checker::all().properties().count()
    );
    assert_eq!(watch.violation(u64::MAX), None);
}

#[test]
fn what_was_checked_stays_checked_when_one_goes_back_and_not_in_another_branch() {
    let mut state = settled();
    check_all(&state.run);
    let checked = state.run.get().history().cursor();
    state.apply(Action::Goto(5));
    assert!(!check(&state.run, 10), "nothing new");
    assert_eq!(state.run.get().watch().map(Watch::checked), Some(checked));
    state.apply(Action::Act(sim::Action::Crash {
        server: ServerId(5),
        lose_unsynced: true,
    }));
    check_all(&state.run);
    let run = state.run.get();
    assert_eq!(
        run.watch().map(Watch::checked),
        Some(run.history().cursor())
    );
    assert!(run.history().cursor() < checked);
}

/// Fails when a second server has decided for a leader.
struct OneDecides(u32);

impl Invariant for OneDecides {
    fn name(&self) -> &'static str {
        "one-decides"
    }
    fn sentence(&self) -> &'static str {
        "One server decides."
    }
    fn source(&self) -> &'static str {
        "a lie"
    }
    fn check(&mut self, step: &Step<'_>) -> Result<(), Violation> {
        let elected = |(_, k): &(ServerId, &K)| matches!(k, K::Elected { .. });
        self.0 += step.events().filter(elected).count() as u32;
        match self.0 {
            2.. => Err(Violation::new(self, step).with("decided", self.0)),
            _ => Ok(()),
        }
    }
    fn reset(&mut self) {
        self.0 = 0;
    }
}

#[test]
fn a_violation_names_its_step_and_nothing_after_it_is_checked() {
    let state = settled();
    {
        let mut run = state.run.quietly();
        let (history, watch) = run.watching();
        *watch = Watch::with(history, Checker::new(vec![Box::new(OneDecides(0))]));
    }
    check_all(&state.run);
    let run = state.run.get();
    let watch = run.watch().expect("it is there");
    let violation = watch.violation(u64::MAX).expect("two decide");
    assert_eq!(violation.step, watch.checked());
    assert_eq!(
        watch.violation(violation.step - 1),
        None,
        "it was not so before"
    );
    let records = run.history().records();
    let (shows, before) = facts(&records, violation);
    let shows = records.get(shows.expect("a fact")).expect("a record");
    assert_eq!(shows.step, violation.step);
    let before = before.and_then(|i| records.get(i)).expect("the one before");
    assert!(before.step < violation.step);
    for fact in [shows, before] {
        let elected = matches!(&fact.source, Fact::Peer(e) if matches!(e.kind, K::Elected { .. }));
        assert!(elected, "{fact:?}");
    }
    assert_ne!(shows.id().server, before.id().server);
}

#[test]
fn causes_end_where_nothing_led_to_them() {
    let state = settled();
    let run = state.run.get();
    let records = run.history().records();
    let last = records.len() - 1;
    let (chain, ended) = causes(&records, last, 1000);
    assert!(ended && chain.len() > 3, "{chain:?}");
    assert!(chain.iter().rev().is_sorted() && chain[0] < last);
    for pair in chain.windows(2) {
        let (effect, cause) = (records.get(pair[0]), records.get(pair[1]));
        assert_eq!(effect.and_then(|r| r.cause()), cause.map(|r| r.id()));
    }
    assert_eq!(
        chain
            .last()
            .and_then(|i| records.get(*i))
            .and_then(|r| r.cause()),
        None
    );
    let (some, ended) = causes(&records, last, 2);
    assert_eq!((some.as_slice(), ended), (&chain[..2], false));
}

#[test]
fn every_value_of_a_server_leads_to_the_event_that_set_it() {
    let mut state = settled();
    for value in Value::ALL {
        for id in 1..=5 {
            let found = set_by(state.run.get().history(), ServerId(id), value);
            assert!(found.is_some(), "{value:?} of {id}");
        }
    }
    state.apply(Action::Why(WhyAct::Value(ServerId(5), Value::CurrentEpoch)));
    assert_eq!(
        (state.tab, &state.selection),
        (Tab::Why, &Selection::Server(ServerId(5)))
    );
    let run = state.run.get();
    let records = run.history().records();
    let told = state
        .focus
        .and_then(|i| records.get(i))
        .expect("it is told");
    assert!(
        matches!(&told.source, Fact::Peer(e) if e.id.server == ServerId(5)
        && matches!(e.kind, K::CurrentEpochSet { .. }))
    );
}

#[test]
fn an_answer_stands_while_one_follows_its_events() {
    let mut state = settled();
    let question = Question::NotLeading(ServerId(2));
    state.apply(Action::Why(WhyAct::Not(question)));
    let asked = state.asked.clone().expect("an answer");
    let Asked::Not(answer) = &*asked else {
        panic!("why not")
    };
    assert!(matches!(answer.because, Because::LostTheVote { .. }));
    let cursor = state.run.get().history().cursor();
    state.apply(Action::Why(WhyAct::Event(answer.facts[0])));
    assert!(state.run.get().history().cursor() < cursor);
    assert_eq!(state.asked.as_ref(), Some(&asked));
    state.apply(Action::Why(WhyAct::Close));
    assert_eq!(state.asked, None);
}

#[test]
fn what_if_makes_a_branch_named_after_it() {
    let mut state = settled();
    let (index, what) = {
        let run = state.run.get();
        let index = set_by(run.history(), ServerId(5), Value::Role).expect("elected");
        let all = instead::changes(run.history(), index);
        let crash = instead::Change::Crash(ServerId(5));
        (
            index,
            *all.iter().find(|w| w.change == crash).expect("offered"),
        )
    };
    assert_eq!(what.record, index);
    state.apply(Action::Why(WhyAct::If(what)));
    let Some(Asked::If(differs)) = state.asked.as_deref() else {
        panic!("what if")
    };
    assert!(differs.before.is_some() && differs.now.is_some());
    let run = state.run.get();
    assert_eq!(run.history().branches().len(), 2);
    assert_eq!(
        run.history().branches()[1].name,
        "Server 5 crashes a step earlier"
    );
    let records = run.history().records();
    let crashed = |r: &sim::Record| matches!(&r.source, Fact::World(e) if matches!(e.kind, WorldEventKind::Crashed { .. }));
    assert!(records.iter().any(crashed));
    let told = state.focus.and_then(|i| records.get(i)).map(|r| r.id());
    assert_eq!(told, differs.now.map(|n| n.event));
}

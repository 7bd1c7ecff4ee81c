#![allow(clippy::unwrap_used)]

use super::*;
use crate::state::{Action, Selection, State, opening, run::Run};
use zabscope_core::{
    sim::{self, ClientNo, World},
    time::Moment,
};

fn fresh() -> State {
    let mut state = State::new(Run::new(&opening()).unwrap());
    state.reduced = true;
    state
}

fn act(state: &mut State, act: TimeAct) {
    state.apply(Action::Time(act));
}

/// Until the search is over, as the page's frames would.
fn run_out(state: &mut State) {
    for _ in 0..400 {
        if !state.moves() {
            return;
        }
        state.apply(Action::Frame(16.0));
    }
    panic!("the search has no end");
}

fn until(state: &mut State, goal: Goal) {
    act(state, TimeAct::Until(goal));
    run_out(state);
}

fn step(state: &State) -> u64 {
    state.run.get().history().cursor()
}

fn hash(state: &State) -> u64 {
    state.run.get().world().trace_hash()
}

fn focus(state: &State) -> Record {
    let run = state.run.get();
    let records = run.history().records();
    records.get(state.focus.unwrap()).unwrap().clone()
}

/// A world with a leader and a client with a znode.
fn at_work() -> State {
    let mut state = fresh();
    until(&mut state, Goal::Epoch);
    state.apply(Action::Act(sim::Action::AddClient {
        server: None,
        timeout_ms: 10_000,
    }));
    state.apply(Action::Act(sim::Action::Ask {
        client: ClientNo(1),
        request: crate::view::client::create("/colour", "blue", false, false),
    }));
    state
}

#[test]
fn until_an_epoch_stops_at_the_fact_that_establishes_it() {
    let mut state = fresh();
    until(&mut state, Goal::Epoch);
    assert!(
        matches!(&focus(&state).source, Fact::Peer(e) if matches!(e.kind, EventKind::Established { .. }))
    );
    assert!(state.times.search.is_none() && state.notice.is_none());
}

#[test]
fn until_a_server_changes_its_role_stops_at_the_first_moment_at_which_it_is_another() {
    let mut state = at_work();
    let victim = crate::view::bits::leader(state.run.get().world()).unwrap();
    state.apply(Action::Act(sim::Action::Crash {
        server: victim,
        lose_unsynced: false,
    }));
    let other = ServerId(if victim == ServerId(1) { 2 } else { 1 });
    let before = state.run.get().world().peer(other).unwrap().state();
    until(&mut state, Goal::Role(Some(other)));
    let after = state.run.get().world().peer(other).unwrap().state();
    assert_ne!(before, after);
    assert_eq!(focus(&state).id().server, other);
    // A step earlier it was what it had been.
    let here = step(&state);
    state.apply(Action::Goto(here - 1));
    assert_eq!(state.run.get().world().peer(other).unwrap().state(), before);
}

#[test]
fn until_a_znode_changes_stops_where_the_first_server_applies_it() {
    let mut state = at_work();
    until(&mut state, Goal::Znode("/colour".into()));
    let have = |state: &State| {
        let run = state.run.get();
        let peers = run.world().servers().filter_map(|s| s.peer);
        peers
            .filter(|p| p.database().tree.contains("/colour"))
            .count()
    };
    assert_eq!(have(&state), 1);
    until(&mut state, Goal::Znode("/colour".into()));
    assert_eq!(have(&state), 2);
    // A crash is not a change of the znode.
    let holder = ServerId(1);
    for _ in 0..3 {
        until(&mut state, Goal::Znode("/colour".into()));
    }
    assert_eq!(have(&state), 5);
    state.apply(Action::Act(sim::Action::Crash {
        server: holder,
        lose_unsynced: false,
    }));
    let here = hash(&state);
    until(&mut state, Goal::Znode("/colour".into()));
    assert!(matches!(state.notice.as_deref(), Some(Notice::Missed(_))));
    assert_eq!(hash(&state), here);
}

#[test]
fn until_a_text_finds_the_line_that_one_reads_in_the_list() {
    let mut state = fresh();
    until(&mut state, Goal::Text("  LEADS epoch ".into()));
    let line = short(&focus(&state).source, Lang::En, &NoContext).text;
    assert!(line.contains("leads epoch"), "{line}");
    let first = state.focus;
    until(&mut state, Goal::Text("to serve".into()));
    let second = state.focus;
    assert!(second > first);
    until(&mut state, Goal::Text("to serve".into()));
    assert!(state.focus > second, "what was found is not found again");
}

#[test]
fn what_is_not_found_leaves_one_where_one_stood_and_says_how_far_it_was_looked_for() {
    let mut state = at_work();
    let here = (hash(&state), state.run.get().len(), state.focus);
    until(&mut state, Goal::Text("no line says this".into()));
    assert_eq!(here, (hash(&state), state.run.get().len(), state.focus));
    let Some(Notice::Missed(missed)) = state.notice.as_deref() else {
        panic!("{:?}", state.notice);
    };
    assert_eq!((missed.steps, missed.ended), (MOST, false));
}

#[test]
fn a_search_takes_a_bounded_slice_at_a_time_and_can_be_stopped() {
    let mut state = at_work();
    let here = hash(&state);
    let from = step(&state);
    act(
        &mut state,
        TimeAct::Until(Goal::Text("no line says this".into())),
    );
    for _ in 0..5 {
        let before = step(&state);
        state.apply(Action::Frame(16.0));
        assert!(step(&state) - before <= 400);
    }
    let taken = state.times.search.as_ref().unwrap().get().taken();
    assert_eq!(taken, step(&state) - from);
    act(&mut state, TimeAct::Stop);
    assert_eq!((hash(&state), state.motion), (here, Motion::Still));
    assert!(state.notice.is_none());
    // Whatever else one does ends it, too.
    act(
        &mut state,
        TimeAct::Until(Goal::Text("no line says this".into())),
    );
    state.apply(Action::Frame(16.0));
    state.apply(Action::Select(Selection::Server(ServerId(1))));
    assert_eq!((hash(&state), state.motion), (here, Motion::Still));
}

#[test]
fn until_an_invariant_fails_judges_the_past_too_and_says_that_all_hold() {
    let mut state = at_work();
    let here = hash(&state);
    until(&mut state, Goal::Invariant);
    assert!(
        matches!(state.notice.as_deref(), Some(Notice::Missed(m)) if m.goal == Goal::Invariant && m.steps > 1000),
        "{:?}",
        state.notice
    );
    assert_eq!(hash(&state), here);
}

#[test]
fn step_and_back_by_message_and_by_epoch_visit_the_same_moments() {
    for unit in [Unit::Message, Unit::Epoch, Unit::Phase] {
        let mut state = fresh();
        act(&mut state, TimeAct::Unit(unit));
        let times = if unit == Unit::Message { 40 } else { 1 };
        let mut visited = vec![(None, hash(&state))];
        for _ in 0..times {
            state.apply(Action::Step);
            run_out(&mut state);
            assert!(state.notice.is_none(), "{:?}", state.notice);
            visited.push((state.focus, hash(&state)));
        }
        for (focus, hash_then) in visited.iter().rev().skip(1) {
            state.apply(Action::Back);
            assert_eq!(
                (&state.focus, &hash(&state)),
                (focus, hash_then),
                "{unit:?}"
            );
        }
    }
}

#[test]
fn back_by_phase_goes_to_the_turning_point_before() {
    let mut state = at_work();
    for _ in 0..12 {
        state.apply(Action::NextPhase);
    }
    act(&mut state, TimeAct::Unit(Unit::Phase));
    let mut last = state.focus.unwrap();
    for _ in 0..3 {
        state.apply(Action::Back);
        let here = state.focus.unwrap();
        assert!(here < last);
        let run = state.run.get();
        assert_eq!(run.track().told()[here].importance, Importance::Headline);
        drop(run);
        last = here;
    }
}

#[test]
fn a_bookmark_leads_back_to_its_moment_from_another_branch() {
    let mut state = at_work();
    for _ in 0..4 {
        state.apply(Action::NextPhase);
    }
    act(&mut state, TimeAct::Bookmark("  before it breaks ".into()));
    act(&mut state, TimeAct::Bookmark("again".into()));
    let here = (hash(&state), state.run.get().history().branch());
    state.apply(Action::Step);
    state.apply(Action::Goto(40));
    state.apply(Action::Act(sim::Action::SlowDisk {
        server: ServerId(1),
        extra: zabscope_core::time::Span::millis(1),
    }));
    assert_eq!(state.run.get().history().branches().len(), 2);
    let kept = state.run.get().bookmarks().to_vec();
    assert_eq!(kept.len(), 1, "a moment is kept once");
    assert_eq!(kept[0].name, "before it breaks");
    act(
        &mut state,
        TimeAct::NameBookmark(kept[0].no, "calm\n".into()),
    );
    act(&mut state, TimeAct::Visit(kept[0].no));
    assert_eq!((hash(&state), state.run.get().history().branch()), here);
    assert_eq!(state.run.get().bookmarks()[0].name, "calm");
    act(&mut state, TimeAct::Forget(kept[0].no));
    assert!(state.run.get().bookmarks().is_empty());
    for at in 1..=70 {
        state.apply(Action::Goto(at));
        act(&mut state, TimeAct::Bookmark("".into()));
    }
    assert_eq!(
        state.run.get().bookmarks().len(),
        crate::state::bookmark::MOST
    );
    assert!(matches!(state.notice.as_deref(), Some(Notice::Bookmarks)));
}

#[test]
fn a_bookmark_leads_to_before_what_is_done_at_its_moment() {
    let mut state = at_work();
    act(&mut state, TimeAct::Bookmark("before".into()));
    let before = hash(&state);
    state.apply(Action::Act(sim::Action::HealAll));
    act(&mut state, TimeAct::Bookmark("after".into()));
    let after = hash(&state);
    state.apply(Action::Step);
    let marks: Vec<u32> = state.run.get().bookmarks().iter().map(|b| b.no).collect();
    for (no, there) in marks.into_iter().zip([before, after]) {
        act(&mut state, TimeAct::Visit(no));
        assert_eq!(hash(&state), there);
    }
}

#[test]
fn twenty_branches_are_kept_under_their_names() {
    let mut state = fresh();
    until(&mut state, Goal::Epoch);
    let fork = step(&state);
    for no in 0..21_u16 {
        state.apply(Action::Switch(BranchNo(0)));
        state.apply(Action::Goto(fork - 1));
        state.apply(Action::Act(sim::Action::SlowDisk {
            server: ServerId(1),
            extra: zabscope_core::time::Span::millis(u64::from(no) + 1),
        }));
        state.apply(Action::Step);
        act(
            &mut state,
            TimeAct::NameBranch(BranchNo(no + 1), format!("slow by {no}").into()),
        );
    }
    let run = state.run.get();
    let branches = run.history().branches();
    assert_eq!(branches.len(), 22);
    for (no, branch) in branches.iter().enumerate().skip(1) {
        assert_eq!(branch.name, format!("slow by {}", no - 1));
        assert_eq!(
            (branch.parent, branch.forked_at),
            (Some(BranchNo(0)), fork - 1)
        );
    }
}

#[test]
fn a_message_of_the_diagram_is_shown_where_it_is_under_way() {
    use crate::scene::diagram::Fate;
    let mut state = at_work();
    until(&mut state, Goal::Znode("/colour".into()));
    let arrows: Vec<_> = state.run.get().diagram().arrows().to_vec();
    let mut shown = 0;
    for (no, arrow) in arrows
        .iter()
        .enumerate()
        .filter(|(_, a)| a.fate == Fate::Arrived && !a.heartbeat)
    {
        act(
            &mut state,
            TimeAct::Message(no as u32, (arrow.sent + arrow.end) / 2),
        );
        if let Selection::Message(number) = state.selection {
            let run = state.run.get();
            // Whoever draws the diagram has it in his hands when he asks.
            let drawn = run.diagram();
            assert_eq!(drawn.arrows().len(), arrows.len());
            let back = run.message_arrow(number).unwrap();
            let found = arrows[back as usize];
            assert_eq!(
                (found.from, found.to, found.sent),
                (arrow.from, arrow.to, arrow.sent)
            );
            shown += 1;
        }
        state.selection = Selection::Nothing;
    }
    let all = arrows
        .iter()
        .filter(|a| a.fate == Fate::Arrived && !a.heartbeat)
        .count();
    assert!(shown * 10 >= all * 9, "{shown} of {all}");
}

#[test]
fn two_branches_are_compared_at_their_first_difference_and_at_their_ends() {
    use crate::state::compare::compare;
    let mut state = at_work();
    for _ in 0..8 {
        state.apply(Action::NextPhase);
    }
    let fork = step(&state);
    let victim = crate::view::bits::leader(state.run.get().world()).unwrap();
    state.apply(Action::Act(sim::Action::Ask {
        client: ClientNo(1),
        request: crate::view::client::write("/colour", "green"),
    }));
    until(&mut state, Goal::Text("no line says this".into()));
    state.apply(Action::Goto(fork));
    state.apply(Action::Back);
    state.apply(Action::Act(sim::Action::Crash {
        server: victim,
        lose_unsynced: false,
    }));
    until(&mut state, Goal::Epoch);
    let run = state.run.get();
    let found = compare(&run, BranchNo(0), BranchNo(1)).unwrap();
    let [one, two] = &found.sides;
    assert_eq!(one.leader, Some(victim));
    assert!(two.leader.is_some() && two.leader != Some(victim));
    assert!(two.epoch > one.epoch);
    assert_eq!((one.up, two.up), (5, 4));
    assert_ne!(one.first, two.first);
    assert!(found.shared <= fork);
    let crash = two.first.as_ref().unwrap();
    assert!(
        matches!(&crash.source, Fact::World(e) if matches!(e.kind, sim::WorldEventKind::Crashed { .. })),
        "{crash:?}"
    );
    let colour = found.tree.iter().find(|d| &*d.path == "/colour").unwrap();
    assert_eq!(colour.data[0].as_deref(), Some("green"));
    assert_eq!(colour.data[1].as_deref(), Some("blue"));
    let same = compare(&run, BranchNo(1), BranchNo(1)).unwrap();
    assert_eq!((same.differences, &same.sides[0].first), (0, &None));
    assert!(compare(&run, BranchNo(0), BranchNo(7)).is_none());
}

#[test]
fn a_branch_that_is_not_shown_is_seen_as_it_was_at_the_same_moment() {
    use crate::state::compare::beside;
    let mut state = at_work();
    let fork = step(&state);
    until(&mut state, Goal::Text("no line says this".into()));
    state.apply(Action::Goto(fork));
    state.apply(Action::Act(sim::Action::Crash {
        server: ServerId(1),
        lose_unsynced: false,
    }));
    until(&mut state, Goal::Text("no line says this".into()));
    let end = step(&state);
    let facts = |world: &World| (world.now(), world.steps(), world.trace_hash());
    for there in [fork / 2, fork, fork + 60, end] {
        state.apply(Action::Goto(there));
        let now = state.run.get().world().now();
        let seen = beside(&state.run.get(), BranchNo(0), now, 5).unwrap();
        assert!(seen.world.now() <= now && seen.records.len() <= 5);
        // What one finds who goes there.
        let mut other = State::new(Run::of(state.run.get().history().clone()));
        other.apply(Action::Switch(BranchNo(0)));
        other.apply(Action::Goto(seen.world.steps()));
        assert_eq!(facts(&seen.world), facts(other.run.get().world()));
        // Nothing else happens there until then.
        other.apply(Action::Goto(seen.world.steps() + 1));
        let next = other.run.get().world().clone();
        assert!(next.steps() == seen.world.steps() || next.now() > now);
    }
    assert!(beside(&state.run.get(), BranchNo(7), Moment(0), 5).is_none());
}

//! The page's state without a page.
#![allow(clippy::unwrap_used)]

use super::*;
use zabscope_core::{message::ServerState, sim::ServerStatus};

fn fresh() -> State {
    let mut state = State::new(Run::new(&opening()).unwrap());
    state.reduced = true;
    state
}

fn hash(state: &State) -> u64 {
    state.run.get().world().trace_hash()
}

fn play_for(state: &mut State, ms: f64) {
    let mut left = ms;
    while left > 0.0 {
        state.apply(Action::Frame(16.0));
        left -= 16.0;
    }
}

fn leader(state: &State) -> Option<ServerId> {
    let run = state.run.get();
    run.world()
        .servers()
        .filter_map(|s| s.peer)
        .find(|p| p.state() == ServerState::Leading && p.serving())
        .map(|p| p.id())
}

fn until_led(state: &mut State) -> ServerId {
    for _ in 0..40 {
        state.apply(Action::NextPhase);
        if let Some(leader) = leader(state) {
            return leader;
        }
    }
    panic!("nobody leads after 40 phases");
}

#[test]
fn the_opening_has_nothing_to_tell_yet() {
    let state = fresh();
    assert_eq!(state.focus, None);
    assert!(state.run.get().is_empty());
    assert_eq!(state.motion, Motion::Still);
}

#[test]
fn something_happens_within_two_seconds_of_playing() {
    let mut state = fresh();
    state.apply(Action::Play);
    play_for(&mut state, 2000.0);
    assert!(state.focus.is_some());
}

#[test]
fn the_opening_plays_until_the_world_is_at_rest() {
    let mut state = fresh();
    state.motion = Motion::Opening;
    play_for(&mut state, 60_000.0);
    assert_eq!(state.motion, Motion::Still);
    assert!(leader(&state).is_some());
}

#[test]
fn step_tells_one_thing_after_the_other_and_back_tells_them_in_reverse() {
    let mut state = fresh();
    let mut told = vec![(state.focus, hash(&state))];
    for _ in 0..60 {
        state.apply(Action::Step);
        assert!(
            state.focus > told.last().unwrap().0,
            "every step tells something new"
        );
        told.push((state.focus, hash(&state)));
    }
    for expected in told.iter().rev().skip(1) {
        state.apply(Action::Back);
        assert_eq!((state.focus, hash(&state)), *expected);
    }
    state.apply(Action::Back);
    assert_eq!(state.focus, None);
}

#[test]
fn next_phase_leads_to_a_leader_in_a_few_presses() {
    let mut state = fresh();
    until_led(&mut state);
}

#[test]
fn at_rest_next_phase_stays_near_and_step_shows_a_heartbeat() {
    let mut state = fresh();
    until_led(&mut state);
    for _ in 0..10 {
        state.apply(Action::NextPhase);
    }
    let run = state.run.get();
    assert!(
        run.world().now() < Moment(60_000_000),
        "{:?}",
        run.world().now()
    );
}

#[test]
fn a_step_with_motion_takes_a_moment_and_arrives_where_the_one_without_does() {
    let mut quick = fresh();
    let mut slow = fresh();
    slow.reduced = false;
    for _ in 0..30 {
        quick.apply(Action::Step);
        slow.apply(Action::Step);
        play_for(&mut slow, 1500.0);
        assert_eq!(slow.motion, Motion::Still);
        assert_eq!((slow.focus, hash(&slow)), (quick.focus, hash(&quick)));
    }
}

#[test]
fn pressing_step_again_ends_the_step_under_way_and_tells_it() {
    let mut quick = fresh();
    let mut slow = fresh();
    slow.reduced = false;
    for _ in 0..40 {
        quick.apply(Action::Step);
        slow.apply(Action::Step);
        if slow.moves() {
            slow.apply(Action::Frame(16.0));
            slow.apply(Action::Step);
        }
        assert_eq!(slow.motion, Motion::Still);
        assert_eq!((slow.focus, hash(&slow)), (quick.focus, hash(&quick)));
    }
}

#[test]
fn leaving_a_lesson_brings_back_the_run_that_was_left_for_it() {
    let mut state = fresh();
    until_led(&mut state);
    let own = hash(&state);
    state.apply(Action::Lesson(LessonAct::Open("11-the-leader-dies", 0)));
    assert!(state.lesson.is_some(), "{:?}", state.notice);
    assert_ne!(hash(&state), own);
    state.apply(Action::Lesson(LessonAct::Open("10-electing-a-leader", 0)));
    state.apply(Action::Lesson(LessonAct::Leave));
    assert_eq!((state.lesson.is_none(), hash(&state)), (true, own));
}

#[test]
fn playing_passes_through_the_same_run() {
    let mut played = fresh();
    played.apply(Action::Play);
    play_for(&mut played, 20_000.0);
    played.apply(Action::Pause);
    let steps = played.run.get().history().cursor();
    let mut jumped = fresh();
    while jumped.run.get().history().cursor() < steps {
        jumped.apply(Action::Step);
    }
    jumped.apply(Action::Goto(steps));
    assert_eq!(hash(&jumped), hash(&played));
}

#[test]
fn an_action_is_told_at_once_and_back_undoes_it() {
    let mut state = fresh();
    let server = until_led(&mut state);
    let before = (state.focus, hash(&state));
    state.apply(Action::Act(sim::Action::Crash {
        server,
        lose_unsynced: false,
    }));
    assert_ne!(state.focus, before.0);
    assert_eq!(
        state.run.get().world().server(server).unwrap().status,
        ServerStatus::Down
    );
    state.apply(Action::Back);
    assert_eq!((state.focus, hash(&state)), before);
}

#[test]
fn doing_something_else_in_the_past_keeps_the_old_future() {
    let mut state = fresh();
    let server = until_led(&mut state);
    let there = state.run.get().history().cursor();
    state.apply(Action::Act(sim::Action::Crash {
        server,
        lose_unsynced: false,
    }));
    for _ in 0..5 {
        state.apply(Action::Step);
    }
    let old = (hash(&state), state.run.get().len());
    state.apply(Action::Goto(there));
    state.apply(Action::Back);
    state.apply(Action::Act(sim::Action::Pause { server }));
    for _ in 0..3 {
        state.apply(Action::Step);
    }
    assert_eq!(state.run.get().history().branches().len(), 2);
    state.apply(Action::Switch(BranchNo(0)));
    state.apply(Action::Last);
    assert_eq!((hash(&state), state.run.get().len()), old);
}

#[test]
fn an_impossible_action_changes_nothing_and_says_so() {
    let mut state = fresh();
    until_led(&mut state);
    let before = hash(&state);
    state.apply(Action::Act(sim::Action::Restart {
        server: ServerId(1),
    }));
    assert_eq!(hash(&state), before);
    assert!(matches!(
        state.notice.as_deref(),
        Some(Notice::Impossible(_))
    ));
    state.apply(Action::Dismiss);
    assert_eq!(state.notice, None);
}

#[test]
fn every_line_of_the_list_leads_to_its_moment() {
    let mut state = fresh();
    let server = until_led(&mut state);
    state.apply(Action::Act(sim::Action::Crash {
        server,
        lose_unsynced: true,
    }));
    for _ in 0..30 {
        state.apply(Action::Step);
    }
    let len = state.run.get().len();
    for index in (0..len).step_by(7) {
        state.apply(Action::Last);
        state.apply(Action::Tell(index));
        assert_eq!(state.focus, Some(index));
        let run = state.run.get();
        assert!(run.len() > index, "the record has happened");
    }
}

#[test]
fn a_stale_read_is_made_and_called_allowed() {
    let mut state = fresh();
    let lead = until_led(&mut state);
    for _ in 0..3 {
        state.apply(Action::NextPhase);
    }
    let follower = ServerId(if lead == ServerId(1) { 2 } else { 1 });
    let ask = |client, request| Action::Act(sim::Action::Ask { client, request });
    for server in [lead, follower] {
        state.apply(Action::Act(sim::Action::AddClient {
            server: Some(server),
            timeout_ms: 10_000,
        }));
    }
    state.apply(ask(
        ClientNo(1),
        crate::view::client::create("/colour", "blue", false, false),
    ));
    for _ in 0..6 {
        state.apply(Action::NextPhase);
    }
    state.apply(Action::Act(sim::Action::SlowLink {
        a: lead,
        b: follower,
        extra: zabscope_core::time::Span::millis(1500),
    }));
    state.apply(ask(
        ClientNo(1),
        crate::view::client::write("/colour", "green"),
    ));
    state.apply(Action::NextPhase);
    state.apply(ask(ClientNo(2), crate::view::client::read("/colour")));
    let mut seen = false;
    for _ in 0..20 {
        state.apply(Action::Step);
        let run = state.run.get();
        let records = run.history().records();
        let fact = &records.get(state.focus.unwrap()).unwrap().source;
        if let sim::Fact::World(event) = fact
            && let sim::WorldEventKind::StaleRead { behind_by, .. } = event.kind
        {
            assert_eq!(behind_by, 1);
            let told = crate::text::sentence(fact, Lang::En, &crate::text::NoContext);
            assert_eq!(told.tone, crate::text::Tone::Allowed);
            // The answer is still under way; what it shows is known all the same.
            let sight = crate::scene::read::sight(
                run.world(),
                records.iter(),
                None,
                &crate::scene::Pick::Nothing,
            );
            let stale = sight.stale.unwrap();
            assert_eq!(stale.shown_value.as_deref(), Some("\"blue\""));
            assert_eq!(stale.newest_value.as_deref(), Some("\"green\""));
            seen = true;
            break;
        }
    }
    assert!(seen, "the follower must answer with the past");
}

// ---- lessons -----------------------------------------------------------------------------------------

fn status(state: &State) -> zabscope_lessons::Status {
    state.lesson.as_ref().unwrap().get().status()
}

/// Takes a lesson as a person would who presses every button that is offered.
fn take(name: &'static str, reduced: bool) {
    use zabscope_lessons::Status;
    let mut state = fresh();
    state.reduced = reduced;
    state.apply(Action::Lesson(LessonAct::Open(name, 0)));
    assert!(state.lesson.is_some(), "{:?}", state.notice);
    for _ in 0..2000 {
        let act = match status(&state) {
            Status::Reading | Status::Done => {
                if state.lesson.as_ref().unwrap().get().finished() {
                    return;
                }
                LessonAct::Next
            }
            Status::Watching | Status::Showing | Status::Running => LessonAct::Run,
            Status::Acting => LessonAct::ShowMe,
            Status::Asking => LessonAct::Answer(0),
            Status::OffTrack => panic!("off track: {:?}", state.notice),
        };
        state.apply(Action::Lesson(act));
        for _ in 0..3000 {
            if !state.moves() {
                break;
            }
            state.apply(if reduced {
                Action::Tick
            } else {
                Action::Frame(16.0)
            });
        }
        assert_eq!(state.motion, Motion::Still, "{act:?} must come to an end");
        assert_eq!(state.notice, None);
    }
    panic!("the lesson has no end");
}

#[test]
fn every_lesson_can_be_taken_by_its_buttons() {
    for entry in zabscope_lessons::catalogue() {
        take(entry.name, false);
        take(entry.name, true);
    }
}

#[test]
fn a_lesson_sees_what_the_page_does_itself() {
    use zabscope_lessons::Status;
    let mut state = fresh();
    state.apply(Action::Lesson(LessonAct::Open("11-the-leader-dies", 1)));
    assert_eq!(status(&state), Status::Acting);
    let server = leader(&state).unwrap();
    state.apply(Action::Act(sim::Action::Crash {
        server,
        lose_unsynced: true,
    }));
    assert_eq!(status(&state), Status::Done);
    state.apply(Action::NewWorld(Box::new(opening())));
    assert!(state.lesson.is_none(), "another world is another story");
}

#[test]
fn what_was_done_at_once_and_is_undone_says_nothing_of_what_is_done_after_it() {
    let mut state = fresh();
    let cut = |a, b| sim::Action::CutLink {
        a: ServerId(a),
        b: ServerId(b),
    };
    state.apply(Action::ActAll(Rc::from([cut(5, 1), cut(5, 2), cut(5, 3)])));
    state.apply(Action::Undo);
    for (a, b) in [(1, 2), (1, 3), (2, 3)] {
        state.apply(Action::Act(cut(a, b)));
    }
    state.apply(Action::Undo);
    assert_eq!(state.run.get().history().actions().len(), 2);
}

#[test]
fn a_run_that_is_opened_ends_what_was_looked_for_and_asked_in_the_one_before() {
    let mut state = fresh();
    until_led(&mut state);
    state.apply(Action::Why(WhyAct::Not(sim::why_not::Question::NotNewest(
        ServerId(1),
    ))));
    state.reduced = false;
    state.apply(Action::Time(until::TimeAct::Until(until::Goal::Epoch)));
    assert!(state.times.search.is_some() && state.asked.is_some());
    let other = sim::History::new(&opening()).unwrap();
    state.show(Run::of(other));
    assert!(state.times.search.is_none() && state.asked.is_none());
    // What one does next is done in the run that is there.
    state.apply(Action::Step);
    assert_eq!(state.run.get().history().branches().len(), 1);
}

#[test]
fn each_act_is_undone_and_what_was_done_at_once_is_undone_at_once() {
    let mut state = State::new(Run::new(&opening()).expect("a world"));
    for _ in 0..40 {
        state.run.change().step();
    }
    let begin = state.run.get().world().trace_hash();
    let cut = |a, b| sim::Action::CutLink {
        a: ServerId(a),
        b: ServerId(b),
    };
    state.apply(Action::Act(cut(1, 2)));
    state.apply(Action::Act(cut(1, 3)));
    state.apply(Action::ActAll(Rc::from([cut(4, 1), cut(4, 2), cut(4, 3)])));
    let cuts = |state: &State| {
        let run = state.run.get();
        let whole = run.world().links_are_whole();
        (run.history().actions().len(), whole)
    };
    assert_eq!(cuts(&state), (5, false));
    // Time goes on in between.
    for _ in 0..20 {
        state.run.change().step();
    }
    for left in [2, 1, 0, 0] {
        state.apply(Action::Undo);
        assert_eq!(cuts(&state), (left, left == 0));
    }
    assert_eq!(state.run.get().world().trace_hash(), begin);
}

// ---- what is kept --------------------------------------------------------------------------------------

/// A generator of our own.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % n
    }
}

/// Does this and that, with branches, bookmarks and names.
fn at_random(seed: u64, acts: usize) -> State {
    let mut state = fresh();
    let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    until_led(&mut state);
    for act in 0..acts {
        let server = ServerId(dice.below(5) as i64 + 1);
        let (branches, end) = {
            let run = state.run.get();
            (run.history().branches().len() as u64, run.history().end())
        };
        state.apply(match dice.below(9) {
            0..=1 => Action::Step,
            2 => Action::NextPhase,
            3 => Action::Blow(Some(Selection::Server(server)), hand::Blow::Pause),
            4 => Action::Blow(Some(Selection::Server(server)), hand::Blow::Crash),
            5 => Action::Goto(dice.below(end + 1)),
            6 => Action::Switch(BranchNo(dice.below(branches) as u16)),
            7 => Action::Time(until::TimeAct::NameBranch(
                BranchNo(dice.below(branches) as u16),
                format!("“{act}” 分支").into(),
            )),
            _ => Action::Time(until::TimeAct::Bookmark(format!("at {act}").into())),
        });
    }
    state
}

/// As the page does that was reloaded: of an address and of what is kept.
fn reloaded(address: &str, kept: Option<&str>) -> State {
    let fragment = crate::link::fragment(address);
    let runs = crate::link::wanted(&fragment, kept).unwrap().unwrap();
    let imported = sim::History::import(&runs[0]).unwrap();
    let mut state = fresh();
    state.apply(Action::Load(Loaded::new(imported)));
    assert_eq!(state.notice, None);
    state
}

fn kept(state: &State) -> (String, String) {
    let run = state.run.get();
    let address = format!("#s={}", crate::link::encode(&run.shared()));
    (address, crate::link::to_file(&run.export()))
}

#[test]
fn what_is_kept_survives_a_reload_whole_and_goes_on_as_it_would_have() {
    for seed in 0..12 {
        let mut state = at_random(seed, 90);
        let (address, text) = kept(&state);
        let mut again = reloaded(&address, Some(&text));
        assert_eq!(
            again.run.get().export(),
            state.run.get().export(),
            "seed {seed}"
        );
        let marks = |s: &State| {
            let run = s.run.get();
            let all = run.bookmarks().iter();
            all.map(|b| (b.spot, b.at, b.name.clone()))
                .collect::<Vec<_>>()
        };
        assert_eq!(marks(&again), marks(&state), "seed {seed}");
        let ends = |s: &State| -> Vec<_> {
            let run = s.run.get();
            let all = run.history().branches().into_iter();
            all.map(|b| run.history().world_at_end_of(b.no).unwrap().trace_hash())
                .collect()
        };
        assert_eq!(ends(&again), ends(&state), "seed {seed}");
        for action in [
            Action::Undo,
            Action::Step,
            Action::Back,
            Action::Switch(BranchNo(0)),
            Action::First,
            Action::NextPhase,
        ] {
            again.apply(action.clone());
            state.apply(action);
            assert_eq!(
                (again.focus, hash(&again)),
                (state.focus, hash(&state)),
                "seed {seed}"
            );
        }
        assert_eq!(kept(&again).0, kept(&state).0, "seed {seed}");
    }
}

#[test]
fn a_link_holds_the_shown_branch_and_its_bookmarks_and_leads_to_them() {
    let mut with_bookmarks = 0;
    for seed in 20..32 {
        let state = at_random(seed, 60);
        let (address, _) = kept(&state);
        let mut again = reloaded(&address, None);
        assert_eq!(hash(&again), hash(&state), "seed {seed}");
        assert_eq!(again.run.get().history().branches().len(), 1);
        let marks = again.run.get().bookmarks().to_vec();
        for mark in &marks {
            let then = {
                let run = state.run.get();
                let own = run
                    .bookmarks()
                    .iter()
                    .find(|b| b.name == mark.name)
                    .unwrap();
                run.history().world_of(own.spot).unwrap().trace_hash()
            };
            again.apply(Action::Time(until::TimeAct::Visit(mark.no)));
            assert_eq!(hash(&again), then, "seed {seed}, {mark:?}");
        }
        with_bookmarks += usize::from(!marks.is_empty());
    }
    assert!(with_bookmarks >= 4, "{with_bookmarks}");
}

#[test]
fn another_link_than_that_of_the_kept_run_opens_nothing_but_itself() {
    let (address, text) = kept(&at_random(1, 60));
    let (other, _) = kept(&at_random(2, 60));
    let open = |address: &str| {
        let fragment = crate::link::fragment(address);
        crate::link::wanted(&fragment, Some(&text))
            .unwrap()
            .unwrap()
            .len()
    };
    assert_eq!((open(&address), open(&other)), (2, 1));
    // What is too long for a link is asked for by its own name.
    let whole = crate::link::wanted(&crate::link::fragment("#kept"), Some(&text));
    assert_eq!(crate::link::to_file(&whole.unwrap().unwrap()[0]), text);
    assert!(crate::link::wanted(&crate::link::fragment("#kept"), None).is_none());
    assert!(crate::link::wanted(&crate::link::fragment("#paused"), Some(&text)).is_none());
}

#[test]
fn a_world_has_its_name_until_another_run_is_shown_and_a_lesson_lends_its_own() {
    let mut state = fresh();
    let name = |state: &State| state.title().map(|t| t[0].clone());
    assert_eq!(name(&state), None);
    let world = sim::Imported {
        history: sim::History::new(&opening()).unwrap(),
        mismatch: None,
        bookmarks: Vec::new(),
    };
    state.apply(Action::Load(Loaded::new(world).titled("A wall", "一堵墙")));
    state.apply(Action::NextPhase);
    assert_eq!(name(&state).as_deref(), Some("A wall"));
    state.apply(Action::Lesson(LessonAct::Open("11-the-leader-dies", 0)));
    let lesson = name(&state).unwrap();
    assert!(lesson.contains("leader"), "{lesson}");
    state.apply(Action::Lesson(LessonAct::Leave));
    assert_eq!(name(&state).as_deref(), Some("A wall"));
    state.apply(Action::NewWorld(Box::new(opening())));
    assert_eq!(name(&state), None);
}

#[test]
fn what_is_said_of_a_failure_goes_when_one_goes_on_and_stays_while_one_looks() {
    let failure = || {
        Notice::Broken(until::Failure {
            sentence: "it does not hold".into(),
            values: "a 1".into(),
            step: 3,
        })
    };
    for action in [
        Action::Step,
        Action::Goto(2),
        Action::Act(sim::Action::HealAll),
        Action::First,
    ] {
        let mut state = fresh();
        until_led(&mut state);
        state.apply(Action::Notify(failure()));
        for look in [
            Action::Select(Selection::Server(ServerId(1))),
            Action::Tab(Tab::Invariants),
            Action::Lang(Lang::Zh),
        ] {
            state.apply(look);
            assert!(matches!(state.notice.as_deref(), Some(Notice::Broken(_))));
        }
        state.apply(action.clone());
        assert_eq!(state.notice, None, "{action:?}");
    }
}

#[test]
fn an_answer_stands_while_time_goes_on_and_goes_where_its_events_did_not_happen() {
    let mut state = fresh();
    let lead = until_led(&mut state);
    state.apply(Action::NextPhase);
    let ask = Action::Why(WhyAct::Not(sim::why_not::Question::NotNewest(lead)));
    for (leave, stands) in [
        (
            vec![Action::Step, Action::Back, Action::First, Action::Last],
            true,
        ),
        (
            vec![
                Action::Goto(40),
                Action::Blow(Some(Selection::Server(lead)), hand::Blow::Crash),
            ],
            false,
        ),
        (vec![Action::Switch(BranchNo(0))], false),
    ] {
        state.apply(ask.clone());
        assert!(state.asked.is_some());
        leave.into_iter().for_each(|action| state.apply(action));
        assert_eq!(state.asked.is_some(), stands);
    }
    assert_eq!(state.run.get().history().branches().len(), 2);
}

//! The lessons tell the truth, and a lesson that does not is refused.
#![cfg(not(target_arch = "wasm32"))]

use std::sync::Arc;
use zabscope_core::{
    id::ServerId,
    sim::{Action, History},
};
use zabscope_lessons::{
    Advanced, Block, Choice, ErrorKind, Inline, Instead, Lang, Lesson, LessonError, Player, Report,
    Status, Text, Value, catalogue, check, load, parse_link,
};

const TEN: &str = "10-electing-a-leader";
const ELEVEN: &str = "11-the-leader-dies";
const TEN_JSON: &str = include_str!("../data/10-electing-a-leader/lesson.json");
const ELEVEN_JSON: &str = include_str!("../data/11-the-leader-dies/lesson.json");

fn lesson(name: &str) -> Arc<Lesson> {
    load(name).expect("it is there").expect("it can be read")
}

/// A built-in lesson with other data.
fn changed(name: &str, json: &str) -> Result<Lesson, LessonError> {
    let lesson = lesson(name);
    Lesson::parse(name, json, *lesson.text(Lang::En), *lesson.text(Lang::Zh))
}

/// The same with one place of the data replaced; the place must be there.
fn with(name: &str, json: &str, from: &str, to: &str) -> Result<Lesson, LessonError> {
    assert!(json.contains(from), "the lesson has no `{from}` any more");
    changed(name, &json.replacen(from, to, 1))
}

fn checked(lesson: Result<Lesson, LessonError>) -> Result<Report, LessonError> {
    check(&Arc::new(lesson?))
}

fn run(player: &mut Player, history: &mut History) {
    while player.advance(history).expect("it can be played") == Advanced::Moved {}
}

fn act(player: &mut Player, history: &mut History, action: Action) {
    history.act(action).expect("possible");
    player.observe(history).expect("no question fails");
}

fn restart(player: &mut Player, history: &mut History, server: i64) {
    let server = ServerId(server);
    act(player, history, Action::Restart { server });
}

fn crash(player: &mut Player, history: &mut History, server: i64) {
    let action = Action::Crash {
        server: ServerId(server),
        lose_unsynced: false,
    };
    act(player, history, action);
}

/// Goes to a step by playing the solutions.
fn at(name: &str, step: &str) -> (Player, History) {
    let lesson = lesson(name);
    let step = lesson
        .data
        .steps
        .iter()
        .position(|s| s.id == step)
        .expect("such a step");
    Player::open(lesson, step).expect("it can be played")
}

// ---- the truth ---------------------------------------------------------------------------------

#[test]
fn every_lesson_holds_what_its_text_claims() {
    assert!(catalogue().len() >= 2);
    for entry in catalogue() {
        let report = check(&lesson(entry.name)).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(report.lesson, entry.name);
        assert!(report.claims() >= 10, "{}: too few claims", entry.name);
        assert!(report.forks >= 4);
    }
}

#[test]
fn the_same_lesson_leads_to_the_same_trace() {
    let a = check(&lesson(TEN)).expect("it holds");
    let b = check(&lesson(TEN)).expect("it holds");
    assert_eq!(a, b);
    assert_ne!(a.trace_hash, 0);
    assert_ne!(
        a.trace_hash,
        check(&lesson(ELEVEN)).expect("it holds").trace_hash
    );
}

/// The check looks at every claim: each one, turned into its opposite, fails the lesson.
#[test]
fn a_lesson_whose_claim_is_false_fails_the_check() {
    for (name, json) in [(TEN, TEN_JSON), (ELEVEN, ELEVEN_JSON)] {
        let data: serde_json::Value = serde_json::from_str(json).expect("JSON");
        let steps = data["steps"].as_array().expect("steps").len();
        let mut claims = 0;
        for step in 0..steps {
            let n = data["steps"][step]["claims"].as_array().map_or(0, Vec::len);
            for claim in 0..n {
                let mut data = data.clone();
                let claim = &mut data["steps"][step]["claims"][claim];
                let says = claim["says"].as_str().expect("words").to_owned();
                claim["holds"] = serde_json::json!({ "not": claim["holds"].take() });
                let error = checked(changed(name, &data.to_string()))
                    .expect_err("the opposite of a true claim is false");
                assert_eq!(error.kind, ErrorKind::Claim(says));
                claims += 1;
            }
        }
        assert!(claims >= 10);
    }
}

#[test]
fn a_false_claim_names_its_lesson_and_step() {
    let lesson = with(
        TEN,
        TEN_JSON,
        r#"{ "says": "4 wins", "holds": { "seen": { "elected": { "server": 4 } } } }"#,
        r#"{ "says": "1 wins, it has logged most", "holds": { "seen": { "elected": { "server": 1 } } } }"#,
    );
    assert_eq!(
        checked(lesson).expect_err("1 does not win").to_string(),
        "lessons/data/10-electing-a-leader/lesson.json, step `who-wins`: the text claims what is not so: 1 wins, it has logged most"
    );
}

#[test]
fn a_goal_that_holds_from_the_beginning_is_refused() {
    let lesson = with(
        ELEVEN,
        ELEVEN_JSON,
        r#""goal": { "state": { "server": "$old", "is": "down" } }"#,
        r#""goal": { "state": { "server": "$old", "is": "leading" } }"#,
    );
    assert_eq!(
        checked(lesson).expect_err("nothing is to be done").kind,
        ErrorKind::GoalBefore
    );
}

#[test]
fn a_solution_that_does_not_reach_the_goal_is_refused() {
    let lesson = with(
        ELEVEN,
        ELEVEN_JSON,
        r#"{ "act": { "crash": { "server": "$old" } } }"#,
        r#"{ "act": { "crash": { "server": 1 } } }"#,
    );
    assert_eq!(
        checked(lesson).expect_err("the wrong one").kind,
        ErrorKind::GoalMissed
    );
}

#[test]
fn a_wait_that_has_no_end_is_given_up() {
    let lesson = with(
        ELEVEN,
        ELEVEN_JSON,
        r#""watch": { "until": { "each": { "of": "up", "holds": { "state": { "server": "it", "is": "looking" } } } }, "at_most": 3000 }"#,
        r#""watch": { "until": { "state": { "server": 5, "is": "leading" } }, "at_most": 300 }"#,
    );
    assert_eq!(
        checked(lesson).expect_err("5 is down").kind,
        ErrorKind::NeverCame { steps: 300 }
    );
}

#[test]
fn what_would_have_made_a_case_true_is_tried_out() {
    let lesson = with(
        ELEVEN,
        ELEVEN_JSON,
        r#"[ { "act": { "crash": { "server": "$new" } } } ]"#,
        r#"[ { "act": { "crash": { "server": 1 } } } ]"#,
    );
    let error = checked(lesson).expect_err("without 1 they are kept as well");
    assert_eq!(
        error.kind,
        ErrorKind::Question("`if_before` does not make `lost` come true".to_owned())
    );
}

#[test]
fn cases_that_overlap_are_refused() {
    let lesson = with(
        ELEVEN,
        ELEVEN_JSON,
        r#""id": "differs", "when": { "all": ["#,
        r#""id": "differs", "when": { "any": [ { "any_established": true },"#,
    );
    let error = checked(lesson).expect_err("two cases hold");
    assert!(matches!(error.kind, ErrorKind::Question(_)), "{error}");
}

// ---- the schema --------------------------------------------------------------------------------

fn schema_error(json: &str) -> String {
    changed(TEN, json).expect_err("refused").to_string()
}

#[test]
fn unknown_fields_are_refused_with_their_place() {
    let json = TEN_JSON.replacen(r#""minutes": 5"#, r#""minutes": 5, "colour": "red""#, 1);
    let error = schema_error(&json);
    assert!(
        error.starts_with("lessons/data/10-electing-a-leader/lesson.json, line 3 column "),
        "{error}"
    );
    assert!(error.contains("unknown field `colour`"), "{error}");
    for (from, to) in [
        (r#""tell": {}"#, r#""tell": { "loud": true }"#),
        (r#""id": "on-disk""#, r#""id": "on-disk", "speed": 2"#),
        (
            r#""crash": { "server": 3 }"#,
            r#""crash": { "server": 3, "how": "hard" }"#,
        ),
        (r#"{ "serving": "it" }"#, r#"{ "dancing": "it" }"#),
        (r#""elected": {}"#, r#""elected": { "colour": 1 }"#),
        (r#""seed": 14"#, r#""seed": 14, "servers": 5"#),
    ] {
        let error = with(TEN, TEN_JSON, from, to).expect_err(to).to_string();
        assert!(error.contains("unknown "), "{to}: {error}");
        assert!(error.contains(", line "), "{to}: {error}");
    }
}

#[test]
fn another_version_is_called_that_whatever_else_is_there() {
    assert_eq!(
        schema_error(r#"{ "version": 2, "everything": "different" }"#),
        "lessons/data/10-electing-a-leader/lesson.json: this lesson has format 2; this build reads format 1"
    );
}

#[test]
fn errors_of_shape_are_clear() {
    for (from, to, words) in [
        (
            r#""tell": {}"#,
            r#""tell": {}, "explain": {}"#,
            "it must have one",
        ),
        (
            r#""tell": {}"#,
            r#""needs": null"#,
            "has none of tell, watch",
        ),
        (
            r#""id": "late""#,
            r#""id": "quorum""#,
            "another step has this id",
        ),
        (r#""id": "late""#, r#""id": "tardy""#, "there is no text"),
        (
            r#""id": "follows""#,
            r#""id": "gives-in""#,
            "choice `gives-in` has no text",
        ),
        (
            r#""at_most": 1000"#,
            r#""at_most": 1000000"#,
            "`at_most` is 1 to 20000",
        ),
        (r#""minutes": 5"#, r#""minutes": 30"#, "1 to 5 minutes"),
        (r#""voters": 5"#, r#""voters": 50"#, "the setup: "),
        (
            r#"{ "server": "leader" }"#,
            r#"{ "server": "$boss" }"#,
            "nothing binds `$boss`",
        ),
        (
            r#"{ "server": "leader" }"#,
            r#"{ "server": "boss" }"#,
            "`boss` is no server",
        ),
    ] {
        let error = with(TEN, TEN_JSON, from, to).expect_err(to).to_string();
        assert!(error.contains(words), "{to}: {error}");
        assert!(
            error.starts_with("lessons/data/10-electing-a-leader/"),
            "{error}"
        );
    }
}

#[test]
fn text_and_data_must_fit() {
    let ten = lesson(TEN);
    let other = *lesson(ELEVEN).text(Lang::Zh);
    let error = Lesson::parse(TEN, TEN_JSON, *ten.text(Lang::En), other).expect_err("other text");
    assert_eq!(error.file, "zh.md");
}

// ---- the text ----------------------------------------------------------------------------------

fn inlines(text: &Text) -> Vec<Inline> {
    let mut blocks: Vec<Block> = text.summary.to_vec();
    for section in text.sections {
        blocks.extend(section.body);
        blocks.extend(section.parts.iter().flat_map(|p| p.body));
    }
    blocks
        .iter()
        .flat_map(|b| match b {
            Block::Para(inlines) => inlines.to_vec(),
            Block::List { items, .. } => items.concat(),
        })
        .collect()
}

#[test]
fn texts_have_no_markup_left_and_both_languages_show_the_same_values() {
    for entry in catalogue() {
        let mut values = Vec::new();
        for lang in [Lang::En, Lang::Zh] {
            let text = entry.text(lang);
            let all = inlines(text);
            for inline in &all {
                let words = match inline {
                    Inline::Text(s) | Inline::Strong(s) | Inline::Em(s) | Inline::Code(s) => s,
                    Inline::Value(_) => continue,
                };
                assert!(
                    !words.contains(['*', '`', '{', '<', '\n']),
                    "{}: {words}",
                    entry.name
                );
            }
            let mut shown: Vec<_> = all
                .iter()
                .filter_map(|i| match i {
                    Inline::Value(v) => Some(*v),
                    _ => None,
                })
                .collect();
            shown.sort_unstable();
            values.push(shown);
            let ids: Vec<_> = text.sections.iter().map(|s| s.id).collect();
            let steps: Vec<_> = lesson(entry.name)
                .data
                .steps
                .iter()
                .map(|s| s.id.clone())
                .collect();
            assert_eq!(ids, steps, "the text has the order of the steps");
        }
        assert_eq!(values[0], values[1], "{}", entry.name);
        assert_ne!(entry.text(Lang::En).title, entry.text(Lang::Zh).title);
    }
}

#[test]
fn every_value_of_the_text_is_there_when_it_is_shown() {
    for entry in catalogue() {
        let (mut player, mut history) = Player::start(lesson(entry.name)).expect("it starts");
        loop {
            let section = player
                .lesson()
                .section(player.step(), Lang::En)
                .expect("a text");
            let shown = |blocks: &'static [Block]| {
                let text = Text {
                    title: "",
                    summary: blocks,
                    sections: &[],
                };
                inlines(&text).into_iter().filter_map(|i| match i {
                    Inline::Value(v) => Some(v),
                    _ => None,
                })
            };
            for name in shown(section.body) {
                assert_ne!(player.value(None, name), "–", "{}: {name}", player.link());
            }
            player.play_out(&mut history).expect("it can be played");
            for part in section.parts.iter().filter(|p| p.kind != "hint") {
                for name in shown(part.body) {
                    assert_ne!(
                        player.value(Some(part), name),
                        "–",
                        "{}: {name}",
                        player.link()
                    );
                }
            }
            if !player.next(&mut history).expect("the next step begins") {
                break;
            }
        }
        assert!(player.finished());
        let (done, all) = player.progress();
        assert!(done + 1 >= all);
    }
}

#[test]
fn a_text_keeps_the_values_with_which_it_was_read() {
    let (mut player, mut history) = at(ELEVEN, "fate");
    let section = player
        .lesson()
        .section(player.step(), Lang::En)
        .expect("a text");
    let right = section.parts("right").next().expect("a verdict");
    assert_eq!(player.value(None, "zxid 4"), "1·05");
    player.play_out(&mut history).expect("it can be played");
    assert_eq!(player.value(None, "zxid 4"), "1·05");
    assert_eq!(player.value(Some(right), "zxid leader"), "1·07");
    assert_eq!(player.value(Some(right), "epoch leader"), "2");
}

// ---- the player --------------------------------------------------------------------------------

#[test]
fn a_goal_is_recognised_however_it_is_reached() {
    // In another order than the solution.
    let (mut player, mut history) = at(TEN, "start-four");
    assert_eq!(player.status(), Status::Acting);
    for server in [4, 2, 3] {
        restart(&mut player, &mut history, server);
        assert_eq!(player.status(), Status::Acting);
    }
    restart(&mut player, &mut history, 1);
    assert_eq!(player.status(), Status::Done);
    assert!(player.next(&mut history).expect("on"));
    assert_eq!(player.status(), Status::Asking);
}

#[test]
fn hints_come_on_request_and_end() {
    let (mut player, mut history) = at(TEN, "start-four");
    assert_eq!(player.hints(), 0);
    assert!(player.hint() && player.hint() && !player.hint());
    assert_eq!(player.hints(), 2);
    for server in 1..=4 {
        restart(&mut player, &mut history, server);
    }
    player.next(&mut history).expect("on");
    assert_eq!(player.hints(), 0);
    assert!(!player.hint(), "a question has no hints");
}

#[test]
fn the_solution_is_shown_on_request() {
    let (mut player, mut history) = at(ELEVEN, "crash");
    player.show_me();
    assert_eq!(player.status(), Status::Showing);
    run(&mut player, &mut history);
    assert_eq!(player.status(), Status::Done);
}

#[test]
fn what_can_not_be_reached_any_more_is_said_and_the_scene_is_set_again() {
    let (mut player, mut history) = at(TEN, "start-four");
    restart(&mut player, &mut history, 5);
    assert_eq!(player.status(), Status::OffTrack);
    let mut history = player.enter(player.step()).expect("set again");
    assert_eq!(player.status(), Status::Acting);
    for server in 1..=4 {
        restart(&mut player, &mut history, server);
    }
    assert_eq!(player.status(), Status::Done);
}

#[test]
fn a_scene_that_the_learner_has_changed_is_noticed() {
    let (mut player, mut history) = at(ELEVEN, "crash");
    crash(&mut player, &mut history, 3);
    assert_eq!(player.status(), Status::Acting, "that was not the leader");
    crash(&mut player, &mut history, 5);
    assert_eq!(player.status(), Status::Done);
    player.next(&mut history).expect("on");
    assert_eq!(player.status(), Status::OffTrack, "3 is to be there");
    let mut history = player.enter(player.step()).expect("set again");
    assert_eq!(player.status(), Status::Watching);
    run(&mut player, &mut history);
    assert_eq!(player.status(), Status::Done);
}

#[test]
fn watching_works_with_the_pages_own_steps_too() {
    let (mut player, mut history) = at(ELEVEN, "looking");
    for _ in 0..3000 {
        if player.status() == Status::Done {
            return;
        }
        history.step().expect("something can happen");
        player.observe(&history).expect("no question fails");
    }
    panic!("not noticed");
}

#[test]
fn going_back_and_forth_does_no_harm() {
    let (mut player, mut history) = at(ELEVEN, "looking");
    let here = history.cursor();
    player.advance(&mut history).expect("a step");
    history.goto(here.saturating_sub(20));
    player.observe(&history).expect("no question fails");
    assert_eq!(player.status(), Status::Watching);
    run(&mut player, &mut history);
    assert!(matches!(player.status(), Status::Done | Status::OffTrack));
}

fn choose(player: &mut Player, history: &mut History, server: i64) {
    let wanted = Choice::Value(Value::Server(ServerId(server)));
    let question = player.question().expect("a question");
    let choice = question
        .choices
        .iter()
        .position(|c| *c == wanted)
        .expect("such a choice");
    player.answer(choice, history).expect("answered");
    assert_eq!(player.status(), Status::Running);
    run(player, history);
    assert_eq!(player.status(), Status::Done);
}

#[test]
fn the_choices_are_the_servers_that_run() {
    let (player, _) = at(TEN, "who-wins");
    let servers: Vec<_> = (1..=4)
        .map(|n| Choice::Value(Value::Server(ServerId(n))))
        .collect();
    assert_eq!(player.question().expect("a question").choices, servers);
}

#[test]
fn a_right_prediction_is_right() {
    let (mut player, mut history) = at(TEN, "who-wins");
    choose(&mut player, &mut history, 4);
    let answer = player.answered().expect("an answer");
    assert!(answer.is_right());
    assert_eq!(answer.instead, None);
}

#[test]
fn a_wrong_prediction_shows_what_would_have_had_to_be_true() {
    let (mut player, mut history) = at(TEN, "who-wins");
    choose(&mut player, &mut history, 2);
    let answer = player.answered().expect("an answer");
    assert!(!answer.is_right());
    let Some(Instead::Ballots {
        chosen,
        won,
        without,
    }) = &answer.instead
    else {
        panic!("{answer:?}");
    };
    assert_eq!((chosen.server, won.server), (ServerId(2), ServerId(4)));
    assert_eq!((chosen.epoch, chosen.zxid), (won.epoch, won.zxid));
    assert_eq!(
        without,
        &[ServerId(4)],
        "without 4, server 2 wins: tried out"
    );
    // Server 1 could win only without 2 and 4; then there is no quorum.
    let (mut player, mut history) = at(TEN, "who-wins");
    choose(&mut player, &mut history, 1);
    match &player.answered().expect("an answer").instead {
        Some(Instead::Ballots {
            chosen,
            won,
            without,
        }) => {
            assert!(chosen.zxid > won.zxid && chosen.epoch < won.epoch);
            assert!(without.is_empty());
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_question_is_asked_again_when_the_world_has_moved_on() {
    let (mut player, mut history) = at(TEN, "who-wins");
    // The learner starts server 5 after all: now 5 wins.
    restart(&mut player, &mut history, 5);
    let choice = player.question().expect("a question").choices.len() - 1;
    player.answer(choice, &history).expect("answered");
    let five = Choice::Value(Value::Server(ServerId(5)));
    assert!(
        player
            .question()
            .expect("a question")
            .choices
            .contains(&five)
    );
    run(&mut player, &mut history);
    let answer = player.answered().expect("an answer").clone();
    assert_eq!(
        player.question().expect("a question").choices[answer.right],
        five
    );
}

#[test]
fn any_step_can_be_entered_again_exactly() {
    let (mut player, mut history) = Player::start(lesson(ELEVEN)).expect("it starts");
    let mut hashes = Vec::new();
    loop {
        hashes.push(history.world().trace_hash());
        player.play_out(&mut history).expect("it can be played");
        if !player.next(&mut history).expect("on") {
            break;
        }
    }
    let all = player.progress();
    for step in (0..hashes.len()).rev() {
        let history = player.enter(step).expect("entered");
        assert_eq!(player.step(), step);
        assert_eq!(history.world().trace_hash(), hashes[step]);
        assert_eq!(player.progress().1, all.1);
    }
    // Ahead of what was entered, too.
    let history = player.enter(hashes.len() - 1).expect("entered");
    assert_eq!(history.world().trace_hash(), hashes[hashes.len() - 1]);
}

#[test]
fn a_deep_link_leads_to_a_step() {
    assert_eq!(parse_link("10-electing-a-leader#3"), Some((TEN, 2)));
    assert_eq!(parse_link("10-electing-a-leader"), Some((TEN, 0)));
    for bad in [
        "",
        "#",
        "99-nothing#1",
        "10-electing-a-leader#0",
        "10-electing-a-leader#x",
        "10-electing-a-leader#99999999999999999999",
    ] {
        assert_eq!(parse_link(bad), None, "{bad}");
    }
    let (player, _) = Player::open(lesson(TEN), 2).expect("opened");
    assert_eq!(player.link(), "10-electing-a-leader#3");
    assert_eq!(player.status(), Status::Asking);
    // Beyond the end: the last step.
    let (player, _) = Player::open(lesson(TEN), 29).expect("opened");
    assert!(player.finished());
}

#[test]
fn nothing_moves_while_the_learner_reads_or_thinks() {
    let (mut player, mut history) = at(TEN, "who-wins");
    let hash = history.world().trace_hash();
    assert_eq!(
        player.advance(&mut history).expect("quiet"),
        Advanced::Rests
    );
    assert!(
        !player.next(&mut history).expect("quiet"),
        "the question is open"
    );
    assert_eq!(history.world().trace_hash(), hash);
}

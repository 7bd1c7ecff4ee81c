//! The command line as a person or a script meets it.

use std::process::{Command, Output};

fn zabscope(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_zabscope"))
        .arg("simulate")
        .args(arguments)
        .output()
        .expect("the binary runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

#[test]
fn a_good_seed_is_told_in_a_few_lines_and_exits_with_0() {
    let out = zabscope(&["--seed", "3", "--steps", "1500"]);
    let said = text(&out.stdout);
    assert_eq!(out.status.code(), Some(0), "{said}");
    assert!(said.starts_with("seed 3: ok in "), "{said}");
    assert!(said.lines().count() <= 5, "{said}");
}

#[test]
fn the_same_seed_is_told_with_the_same_trace() {
    let trace = || {
        let out = zabscope(&["--seed", "8", "--steps", "800", "--json"]);
        let json: serde_json::Value = serde_json::from_slice(&out.stdout).expect("JSON");
        assert_eq!(json["violation"], serde_json::Value::Null);
        assert_eq!(json["run"]["version"], 1);
        json["trace_hash"].as_str().expect("a hash").to_owned()
    };
    assert_eq!(trace(), trace());
}

#[test]
fn a_trace_has_one_line_for_each_fact() {
    let out = zabscope(&["--steps", "200", "--trace", "--faults", "none", "--plain"]);
    let said = text(&out.stdout);
    assert!(said.lines().count() > 300, "{said}");
    assert!(said.contains("ElectionStarted round=1"), "{said}");
    assert!(said.contains("Established epoch=e1"), "{said}");
}

#[test]
fn several_seeds_end_with_one_line() {
    let out = zabscope(&["--runs", "3", "--steps", "300"]);
    let said = text(&out.stdout);
    let last = said.lines().last().expect("a line");
    assert!(last.starts_with("3 seeds, 0 with a violation"), "{said}");
}

#[test]
fn a_fault_that_does_not_exist_is_named_with_those_that_do() {
    let out = zabscope(&["--faults", "crash,earthquake"]);
    let said = text(&out.stderr);
    assert_eq!(out.status.code(), Some(2));
    assert!(
        said.contains("earthquake") && said.contains("slow-disk"),
        "{said}"
    );
}

#[test]
fn a_size_out_of_bounds_is_refused() {
    for arguments in [
        ["--servers", "10"],
        ["--servers", "0"],
        ["--observers", "5"],
    ] {
        let out = zabscope(&arguments);
        assert_eq!(out.status.code(), Some(2), "{arguments:?}");
        assert!(text(&out.stderr).contains("is not in"), "{arguments:?}");
    }
}

#[test]
fn without_a_rule_a_search_prints_a_run_that_the_page_opens_and_with_all_it_says_how_many_it_tried()
{
    let small = ["--servers", "3", "--plain", "--json", "--search"];
    let off = [&small[..], &["50", "--without", "quorum"]].concat();
    let out = zabscope(&off);
    let json: serde_json::Value = serde_json::from_slice(&out.stdout).expect("JSON");
    assert_eq!(out.status.code(), Some(1));
    let found = &json["stage"]["Found"];
    assert_eq!(found["violation"]["property"], "leadership", "{json}");
    assert!(found["run"]["setup"]["rules"].is_u64(), "{json}");
    let on = [&small[..], &["5"]].concat();
    let out = zabscope(&on);
    let json: serde_json::Value = serde_json::from_slice(&out.stdout).expect("JSON");
    assert_eq!(out.status.code(), Some(0));
    assert_eq!(
        (&json["stage"], &json["schedules"]),
        (&"Nothing".into(), &5.into())
    );
}

#[test]
fn a_fault_that_repeats_is_part_of_the_run_and_one_that_can_not_be_read_is_explained() {
    let out = zabscope(&[
        "--plain",
        "--faults",
        "none",
        "--steps",
        "1500",
        "--json",
        "--repeat",
        "crash=5000/2000",
        "--random",
        "pause=3000/7",
    ]);
    let json: serde_json::Value = serde_json::from_slice(&out.stdout).expect("JSON");
    assert_eq!(out.status.code(), Some(0), "{json}");
    assert_eq!(
        json["run"]["setup"]["faults"]["repeat"][0]["fault"],
        "crash"
    );
    assert!(
        json["repeat"]
            .as_str()
            .is_some_and(|c| c.contains("--repeat crash=5000/2000"))
    );
    for (bad, says) in [
        ("--repeat", "crash@3=5000/2000"),
        ("--without", "vote-epoch"),
    ] {
        let out = zabscope(&[bad, "gravity"]);
        assert_eq!(out.status.code(), Some(2));
        assert!(text(&out.stderr).contains(says), "{}", text(&out.stderr));
    }
}

#[test]
fn a_search_refuses_what_it_would_not_heed() {
    for option in [
        &["--steps", "5"][..],
        &["--faults", "none"],
        &["--clients", "1"],
        &["--no-invariants"],
        &["--trace"],
    ] {
        let out = zabscope(&[&["--search", "1"], option].concat());
        let said = text(&out.stderr);
        assert_eq!(out.status.code(), Some(2), "{said}");
        assert!(
            said.contains(option[0]) && said.contains("--search"),
            "{said}"
        );
    }
}

#[test]
fn the_help_names_every_rule() {
    let help = text(&zabscope(&["--help"]).stdout);
    let words: String = help.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        words.contains(&zabscope_core::sim::Rules::names()),
        "{help}"
    );
}

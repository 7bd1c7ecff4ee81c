//! The gallery tells the truth.
#![cfg(not(target_arch = "wasm32"))]

use std::collections::BTreeSet;
use zabscope_lessons::worlds::{World, parse};

fn all() -> Vec<World> {
    parse(include_str!("../worlds.json")).expect("the file can be read")
}

#[test]
fn each_world_comes_about_and_is_as_its_sentence_says() {
    let wrong: Vec<String> = all()
        .iter()
        .filter_map(|world| world.play().err())
        .map(|error| error.to_string())
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_gallery_has_at_least_twenty_worlds_each_with_a_name_of_its_own() {
    let all = all();
    let names: BTreeSet<_> = all.iter().map(|w| w.name.as_str()).collect();
    assert_eq!(names.len(), all.len());
    assert!(all.len() >= 20);
    let themes = [
        "election-at-start",
        "leader-crash",
        "sync-diff",
        "sync-trunc",
        "sync-snap",
        "partition",
        "stale-read",
        "sync",
        "session-move",
        "expiry",
        "lock-herd",
        "lock-queue",
        "observers",
        "hierarchy",
        "slow-disk",
        "gc-pause",
        "unsynced-tail",
    ];
    for theme in themes {
        assert!(names.contains(theme), "{theme}");
    }
    for world in &all {
        assert!(
            world
                .name
                .chars()
                .all(|c| c.is_ascii_lowercase() || c == '-'),
            "{}",
            world.name
        );
        assert!(
            world.en.1.len() <= 110 && world.zh.1.chars().count() <= 50,
            "{}",
            world.name
        );
    }
}

#[test]
fn a_file_of_another_format_is_refused_with_its_place() {
    let said = |text: &str| parse(text).expect_err("it is refused").to_string();
    assert!(said("{\"version\": 9, \"worlds\": []}").contains("format 9"));
    assert!(said("{\"version\": 1, \"worlds\": [{}]}").contains("lessons/worlds.json, line 1"));
    assert!(said(&" ".repeat(300 * 1024)).contains("at most"));
}

//! The order of the house (DESIGN.md, "The house"; ARCHITECTURE.md): who may know whom, and what
//! stands nowhere.
#![cfg(not(target_arch = "wasm32"))]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// The modules of core from the bottom up. One knows those below and its neighbours, as long as no
/// circle comes of it.
const CORE: &[&[&str]] = &[
    &["id", "time"],
    &["config", "members", "quorum", "request", "rules", "txn"],
    &["tree", "message", "bus", "vocabulary"],
    &["log", "wire"],
    &["session", "sync", "election"],
    &["pipeline", "replica"],
    &["leader", "learner"],
    &["peer"],
    &["sim"],
];

/// What belongs to the boundary's vocabulary, and may be known by all: events and effects, and the
/// names of deadlines. To know these is not to know `peer`.
const VOCABULARY: &[&str] = &[
    "peer::event",
    "peer::output",
    "peer::Wait",
    "peer::WaitReason",
];

/// The crates, and which of ours each may depend on.
const CRATES: &[(&str, &[&str])] = &[
    ("core", &[]),
    ("lessons", &["zabscope-core"]),
    ("web", &["zabscope-core", "zabscope-lessons"]),
    ("server", &["zabscope-core"]),
    (
        "tests",
        &["zabscope-core", "zabscope-lessons", "zabscope-web"],
    ),
    ("xtask", &[]),
];

/// The longest that a file may be. Tests at its end do not count.
const LINES: usize = 900;

/// Files that are longer, and how long they may be; these numbers only go down, and a file leaves the
/// list when it fits.
const TOO_LONG: &[(&str, usize)] = &[
    ("core/src/election/tests.rs", 1300),
    ("core/src/leader.rs", 1500),
    ("core/src/peer/event.rs", 1000),
    ("core/src/sim/bus.rs", 1200),
    ("core/src/sim/client.rs", 1400),
    ("core/src/sim/world.rs", 1600),
    ("lessons/src/player.rs", 1200),
    ("lessons/src/schema.rs", 1000),
    ("web/src/text/event.rs", 1400),
    ("web/src/text/samples.rs", 1000),
    ("web/src/text/why.rs", 1400),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the workspace")
        .to_path_buf()
}

/// Directories that hold nothing of ours.
fn is_foreign(name: &str) -> bool {
    matches!(name, "target" | "node_modules" | ".git" | "dist" | ".trunk")
        || name.starts_with("dist-")
}

/// All files below, as (path from the workspace with slashes, text). Those that are no text are not
/// among them.
fn files(below: &str) -> Vec<(String, String)> {
    fn walk(root: &Path, dir: &Path, found: &mut Vec<(String, String)>) {
        let mut entries: Vec<PathBuf> = fs::read_dir(dir)
            .expect("a directory that can be read")
            .map(|entry| entry.expect("an entry").path())
            .collect();
        entries.sort();
        for path in entries {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if is_foreign(&name) {
                continue;
            }
            if path.is_dir() {
                walk(root, &path, found);
            } else if let Ok(text) = fs::read_to_string(&path) {
                let relative = path.strip_prefix(root).expect("below the root");
                found.push((relative.to_string_lossy().replace('\\', "/"), text));
            }
        }
    }
    let mut found = Vec::new();
    walk(&root(), &root().join(below), &mut found);
    assert!(!found.is_empty(), "there are files in {below}");
    found
}

fn rust(below: &str) -> impl Iterator<Item = (String, String)> {
    files(below)
        .into_iter()
        .filter(|(path, _)| path.ends_with(".rs"))
}

/// The part of a file before the tests at its end.
fn without_tests(text: &str) -> &str {
    match text.find("\n#[cfg(test)]\nmod tests") {
        Some(at) => &text[..at],
        None => text,
    }
}

/// A file that has nothing but tests.
fn is_test(path: &str) -> bool {
    path.ends_with("/tests.rs") || path.ends_with("/testing.rs")
}

/// Without comments. Strings that hold `//` are cut short, which does no harm here.
fn without_comments(text: &str) -> String {
    text.lines()
        .map(|line| line.split("//").next().unwrap_or_default())
        .collect::<Vec<_>>()
        .join("\n")
}

/// `a::{b, c::{d, e}}` as `a::b`, `a::c::d`, `a::c::e`.
fn expand(prefix: &str, tree: &str, found: &mut BTreeSet<String>) {
    let mut depth = 0;
    let mut part = String::new();
    let mut parts = Vec::new();
    for letter in tree.chars() {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(core::mem::take(&mut part));
                continue;
            }
            _ => {}
        }
        if !letter.is_whitespace() {
            part.push(letter);
        }
    }
    parts.push(part);
    for part in parts.iter().filter(|p| !p.is_empty()) {
        match part.split_once("::{") {
            Some((head, rest)) => {
                expand(&format!("{prefix}{head}::"), &rest[..rest.len() - 1], found)
            }
            None => {
                found.insert(format!("{prefix}{part}"));
            }
        }
    }
}

/// All that a file of core names of its own crate, from the crate's root.
fn known(text: &str) -> BTreeSet<String> {
    let text = without_comments(without_tests(text));
    let mut found = BTreeSet::new();
    for (at, mark) in text.match_indices("crate::") {
        let rest = &text[at + mark.len()..];
        if let Some(tree) = rest.strip_prefix('{') {
            let mut depth = 1;
            let end = tree.find(|letter| {
                match letter {
                    '{' => depth += 1,
                    '}' => depth -= 1,
                    _ => {}
                }
                depth == 0
            });
            expand("", &tree[..end.expect("as many } as {")], &mut found);
        } else {
            let end = rest
                .find(|c: char| !c.is_alphanumeric() && c != '_' && c != ':')
                .unwrap_or(rest.len());
            match rest[end..].strip_prefix('{') {
                // `use crate::a::{b, c}`
                Some(tree) if rest[..end].ends_with("::") => {
                    let close = tree.find('}').unwrap_or(tree.len());
                    expand(&rest[..end], &tree[..close].replace('{', ""), &mut found);
                }
                Some(_) | None => {
                    found.insert(rest[..end].trim_end_matches(':').to_owned());
                }
            }
        }
    }
    found
}

/// The module to which a path belongs.
fn module(path: &str) -> &str {
    let belongs = |word: &str| {
        path.strip_prefix(word)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
    };
    if VOCABULARY.iter().any(|word| belongs(word)) {
        "vocabulary"
    } else {
        path.split("::").next().unwrap_or(path)
    }
}

/// Who knows whom in core: (knower, known) with the file that says so.
fn edges() -> BTreeMap<(String, String), String> {
    let mut edges = BTreeMap::new();
    for (path, text) in rust("core/src").filter(|(path, _)| !is_test(path)) {
        let inside = path.trim_start_matches("core/src/").trim_end_matches(".rs");
        if inside == "lib" {
            continue;
        }
        let knower = module(&inside.replace('/', "::")).to_owned();
        for name in known(&text) {
            let known = module(&name).to_owned();
            if knower != known {
                edges.insert((knower.clone(), known), path.clone());
            }
        }
    }
    edges
}

fn rank(module: &str) -> usize {
    CORE.iter()
        .position(|level| level.contains(&module))
        .unwrap_or_else(|| panic!("core has a module {module}; say in tidy.rs where it stands"))
}

#[test]
fn the_reader_of_imports_understands_them() {
    let text = "use crate::{\n    a::{b, c::{self, d}},\n    e,\n};\nuse crate::f::{g, h};\n\
                // crate::comment\nfn x() -> crate::i::J {}\n\n#[cfg(test)]\nmod tests { use crate::k; }";
    let expected = ["a::b", "a::c::d", "a::c::self", "e", "f::g", "f::h", "i::J"];
    assert_eq!(known(text).into_iter().collect::<Vec<_>>(), expected);
    assert_eq!(module("peer::event::EventKind"), "vocabulary");
    assert_eq!(module("peer::Peer"), "peer");
}

#[test]
fn a_module_of_core_knows_only_those_below_it_and_its_neighbours() {
    let edges = edges();
    assert!(edges.len() > 40, "imports are found: {edges:?}");
    let wrong: Vec<String> = edges
        .iter()
        .filter(|((knower, known), _)| rank(knower) < rank(known))
        // The boundary's vocabulary may be known by all.
        .filter(|((_, known), _)| known != "vocabulary")
        .map(|((knower, known), file)| format!("{knower} knows {known} ({file})"))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn modules_of_core_know_each_other_without_a_circle() {
    let edges = edges();
    let mut open: BTreeSet<&str> = edges
        .keys()
        .flat_map(|(a, b)| [a.as_str(), b.as_str()])
        .collect();
    // Again and again: whoever knows nobody who is still open is done.
    loop {
        let done: Vec<&str> = open
            .iter()
            .copied()
            .filter(|m| {
                !edges
                    .keys()
                    .any(|(a, b)| a == m && open.contains(b.as_str()))
            })
            .collect();
        if done.is_empty() {
            break;
        }
        for module in done {
            open.remove(module);
        }
    }
    let circle: Vec<String> = edges
        .iter()
        .filter(|((a, b), _)| open.contains(a.as_str()) && open.contains(b.as_str()))
        .map(|((a, b), file)| format!("{a} knows {b} ({file})"))
        .collect();
    assert!(
        circle.is_empty(),
        "these know each other in a circle: {circle:#?}"
    );
}

#[test]
fn the_protocol_does_not_know_that_it_is_simulated() {
    for ((knower, known), file) in edges() {
        assert!(known != "sim", "{knower} knows the simulator ({file})");
    }
    // What a feature switches must be the simulator as a whole.
    for (path, text) in rust("core/src") {
        let mentions = without_comments(&text).matches("feature = \"sim\"").count();
        let allowed = usize::from(path == "core/src/lib.rs");
        assert!(mentions <= allowed, "{path} depends on the feature `sim`");
    }
}

#[test]
fn a_crate_depends_only_on_those_that_it_may_know() {
    for (name, may) in CRATES {
        let manifest =
            fs::read_to_string(root().join(name).join("Cargo.toml")).expect("a manifest");
        for line in manifest
            .lines()
            .filter(|line| line.starts_with("zabscope-"))
        {
            let dependency = line
                .split(|c: char| !c.is_alphanumeric() && c != '-')
                .next()
                .unwrap_or_default();
            assert!(may.contains(&dependency), "{name} depends on {dependency}");
        }
    }
}

#[test]
fn the_server_simulates_only_where_it_is_asked_to() {
    for (path, text) in rust("server/src") {
        let simulates = without_comments(&text).contains("zabscope_core::sim");
        assert!(
            !simulates || path.contains("simulate"),
            "{path} knows the simulator"
        );
    }
}

#[test]
fn nothing_is_left_for_later() {
    // Put together here, so that this file does not find itself.
    let marks = [
        ["TO", "DO"].concat(),
        ["FIX", "ME"].concat(),
        ["XX", "X:"].concat(),
        ["unimplemented", "!("].concat(),
        ["todo", "!("].concat(),
    ];
    for (path, text) in files("") {
        for mark in &marks {
            let at = text.lines().position(|line| line.contains(mark.as_str()));
            assert!(at.is_none(), "{path}:{} has {mark}", at.unwrap_or(0) + 1);
        }
    }
}

#[test]
fn no_path_of_a_machine_is_in_the_repository() {
    let paths = [
        ["/wo", "rk/"].concat(),
        ["/ro", "ot/"].concat(),
        ["/ho", "me/"].concat(),
        ["/Use", "rs/"].concat(),
        ["C:", "\\"].concat(),
    ];
    for (path, text) in files("") {
        for machine in &paths {
            let at = text
                .lines()
                .position(|line| line.contains(machine.as_str()));
            assert!(
                at.is_none(),
                "{path}:{} names {machine}",
                at.unwrap_or(0) + 1
            );
        }
    }
}

#[test]
fn packages_come_from_the_public_registries() {
    let allowed = [
        "https://github.com/rust-lang/crates.io-index",
        "https://registry.npmjs.org/",
    ];
    for (path, text) in files("") {
        let lock = path.ends_with("Cargo.lock") || path.ends_with("package-lock.json");
        if !lock {
            continue;
        }
        let places = text
            .lines()
            .filter(|line| line.contains("source = ") || line.contains("\"resolved\": "));
        for line in places {
            assert!(
                allowed.iter().any(|host| line.contains(host)),
                "{path}: {line}"
            );
        }
    }
    // And no configuration turns them to a mirror.
    for (path, text) in files("") {
        let settings = path.contains(".cargo/") || path.ends_with(".npmrc");
        let mirror = ["replace-", "with"].concat();
        assert!(
            !settings || !text.contains(&mirror),
            "{path} names a mirror"
        );
    }
}

#[test]
fn a_file_has_at_most_900_lines() {
    let known: BTreeMap<&str, usize> = TOO_LONG.iter().copied().collect();
    let mut wrong = Vec::new();
    for (path, text) in rust("") {
        let lines = match is_test(&path) {
            true => text.lines().count(),
            false => without_tests(&text).lines().count(),
        };
        match known.get(path.as_str()) {
            Some(limit) if lines > *limit => {
                wrong.push(format!("{path} has grown from {limit} to {lines}"));
            }
            Some(_) if lines <= LINES => wrong.push(format!("{path} fits: take it off the list")),
            None if lines > LINES => wrong.push(format!("{path} has {lines}")),
            Some(_) | None => {}
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_label_of_the_page_is_used() {
    let keys = fs::read_to_string(root().join("web/src/text/keys.rs")).expect("the labels");
    let labels: Vec<&str> = keys
        .lines()
        .filter_map(|line| line.strip_prefix("    ")?.split_once(" = \""))
        .map(|(name, _)| name)
        .filter(|name| name.chars().all(char::is_alphanumeric))
        .collect();
    assert!(labels.len() > 50, "the labels are read: {}", labels.len());
    let mut words = BTreeSet::new();
    for (_, text) in rust("web/src") {
        for part in text.split("Key::").skip(1) {
            let end = part
                .find(|c: char| !c.is_alphanumeric())
                .unwrap_or(part.len());
            words.insert(part[..end].to_owned());
        }
    }
    let unused: Vec<_> = labels.iter().filter(|l| !words.contains(**l)).collect();
    assert!(unused.is_empty(), "no view says these: {unused:?}");
}

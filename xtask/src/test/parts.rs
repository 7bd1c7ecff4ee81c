//! What each part runs.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Result, bail};

use super::outcome::Outcome;
use crate::server::Server;
use crate::tools::{self, WASM_BINDGEN};
use crate::{fingerprint, licences, page, process, size, system, workspace};

/// What `--quick` tests natively.
const QUICK: &[&str] = &[
    "-p",
    "zabscope-core",
    "-p",
    "zabscope-lessons",
    "-p",
    "zabscope-web",
    "-p",
    "zabscope-tests",
];

/// Packages that run in the page, so that they are also linted as wasm.
const WASM: &[&str] = &[
    "-p",
    "zabscope-core",
    "-p",
    "zabscope-lessons",
    "-p",
    "zabscope-web",
    "--features",
    "zabscope-core/sim",
];

/// What Cargo is told to build, whichever part of it then runs: another choice of packages would have other
/// features, and build all dependencies once more.
const WHOLE: &[&str] = &["--workspace", "--features", "zabscope-core/sim"];

/// Tests of zabscope-clients that need servers as processes.
const PROCESSES: &[&str] = &["--features", "zabscope-clients/processes"];

/// As [`WHOLE`], for what is tested as wasm.
const WASM_WHOLE: &[&str] = &[
    "-p",
    "zabscope-tests",
    "-p",
    "zabscope-lessons",
    "-p",
    "zabscope-web",
];

/// Test targets that run as wasm in Node.
const WASM_IN_NODE: &[&str] = &["--test", "wasm", "--test", "traces"];

/// Test targets that run as wasm in Chromium.
const WASM_IN_BROWSER: &[&str] = &["--test", "browser"];

/// The longest that a check may take, a cold build included.
const CHECK_LIMIT: Duration = Duration::from_secs(20 * 60);
/// The longest that the tests of one part may take, a cold build included.
const TEST_LIMIT: Duration = Duration::from_secs(30 * 60);
/// The longest that one wasm test binary may take in the browser, in seconds.
const WASM_TEST_SECONDS: &str = "180";

/// How much of the tests with real servers fits into a check: eight minutes on two cores.
const CLIENTS_BOX: &[(&str, &str)] = &[("ZABSCOPE_SECONDS", "30"), ("ZABSCOPE_ROUNDS", "6")];

/// rustfmt has nothing to change.
pub fn format() -> Result<Outcome> {
    tools::ensure_toolchain()?;
    check(cargo(&["fmt", "--all", "--check"], &[]))
}

/// No warning in anything, tests and benchmarks included.
pub fn clippy() -> Result<Outcome> {
    check(cargo(
        &["clippy", "--locked", "--all-targets"],
        &[WHOLE, PROCESSES, &["--", "-D", "warnings"]].concat(),
    ))
}

/// The server has the core without its simulator.
pub fn clippy_core_alone() -> Result<Outcome> {
    check(cargo(
        &["clippy", "--locked", "-p", "zabscope-core"],
        &["--", "-D", "warnings"],
    ))
}

/// No warning in what runs in the page, as wasm.
pub fn clippy_wasm() -> Result<Outcome> {
    let command = cargo(
        &[
            "clippy",
            "--locked",
            "--lib",
            "--bins",
            "--tests",
            "--target",
            "wasm32-unknown-unknown",
        ],
        WASM,
    );
    check(with(command, &["--", "-D", "warnings"]))
}

/// Every dependency has a licence that we may use.
pub fn licences() -> Result<Outcome> {
    licences::check().map(Outcome::of)
}

/// The documentation has no broken link.
pub fn documentation() -> Result<Outcome> {
    let mut command = cargo(&["doc", "--locked", "--workspace", "--no-deps"], &[]);
    command.env("RUSTDOCFLAGS", "-D warnings");
    check(command)
}

/// All native tests, with all seeds.
pub fn native() -> Result<Outcome> {
    tests(cargo(&["test", "--locked", "--no-fail-fast"], WHOLE))
}

/// The native tests without the long rows of seeds.
pub fn native_quick() -> Result<Outcome> {
    let mut command = cargo(&["test", "--locked", "--no-fail-fast"], QUICK);
    command
        .args(["--features", "zabscope-core/sim"])
        .env("ZABSCOPE_QUICK", "1");
    tests(command)
}

/// Servers as processes, killed under load; needs nothing but the server.
pub fn kills() -> Result<Outcome> {
    clients_tests(&["--test", "kills"])
}

/// Clients that others wrote, and Apache's server beside ours: Java, C and Python are needed.
pub fn clients() -> Result<Outcome> {
    system::zookeeper_clients()?;
    // The Rust client that is tried is an example; named tests do not build it.
    process::must(
        cargo(&["build", "--locked", "--examples"], WHOLE),
        TEST_LIMIT,
    )?;
    clients_tests(&[
        "--test",
        "differential",
        "--test",
        "kazoo",
        "--test",
        "programs",
    ])
}

/// Tests of zabscope-clients, one after the other: each has several processes.
fn clients_tests(which: &[&str]) -> Result<Outcome> {
    process::must(
        cargo(&["build", "--locked", "--bin", "zabscope"], WHOLE),
        TEST_LIMIT,
    )?;
    let what = [WHOLE, PROCESSES, which].concat();
    let mut command = cargo(&["test", "--locked", "--no-fail-fast"], &what);
    command
        .args(["--", "--test-threads", "1"])
        .env("ZABSCOPE_BINARY", workspace::binary("zabscope"))
        .envs(CLIENTS_BOX.iter().copied());
    tests(command)
}

/// wasm-bindgen-test in Node.
pub fn wasm_in_node() -> Result<Outcome> {
    system::node()?;
    tests(wasm_tests(WASM_IN_NODE)?)
}

/// wasm-bindgen-test in Chromium.
pub fn wasm_in_browser() -> Result<Outcome> {
    system::chromium()?;
    let mut command = wasm_tests(WASM_IN_BROWSER)?;
    command.env("CHROMEDRIVER", system::chromedriver()?);
    tests(command)
}

/// The page can be built and is light enough.
pub fn size() -> Result<Outcome> {
    size::check(&page::build()?).map(Outcome::of)
}

/// The page does what it should, in Chromium.
pub fn browser() -> Result<Outcome> {
    let server = Server::bind(&page::build()?, 0)?;
    let command = node_script(&workspace::browser_tests().join("run.mjs"), &server)?;
    serve_beside(server);
    tests(command)
}

/// Serves until this process ends.
pub fn serve_beside(server: Server) {
    std::thread::spawn(move || server.serve());
}

/// A Node script of the browser tests, for the page of that server; installs what it imports.
pub fn node_script(script: &Path, server: &Server) -> Result<Command> {
    let directory = workspace::browser_tests();
    let (node, npm, chromium) = (system::node()?, system::npm()?, system::chromium()?);
    let record = workspace::target().join("node_modules.fingerprint");
    let wanted = fingerprint::of(&directory, &["package-lock.json"])?.to_string();
    let installed = directory.join("node_modules").is_dir()
        && std::fs::read_to_string(&record).is_ok_and(|found| found == wanted);
    if !installed {
        process::say("installing what the browser tests import (seconds)");
        let mut install = workspace::command(npm);
        install
            .current_dir(&directory)
            .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]);
        process::must(install, Duration::from_secs(10 * 60))?;
        std::fs::write(&record, wanted)?;
    }
    let mut command = workspace::command(node);
    command
        .current_dir(&directory)
        .arg(script)
        .env("ZABSCOPE_URL", server.url())
        .env("CHROMIUM", chromium);
    Ok(command)
}

fn cargo(first: &[&str], then: &[&str]) -> Command {
    let mut command = workspace::cargo();
    command.args(first).args(then);
    command
}

fn with(mut command: Command, arguments: &[&str]) -> Command {
    command.args(arguments);
    command
}

/// `cargo test` for wasm; .cargo/config.toml names the runner, which we put on the PATH.
fn wasm_tests(which: &[&str]) -> Result<Command> {
    tools::ensure_toolchain()?;
    let mut command = cargo(
        &[
            "test",
            "--locked",
            "--no-fail-fast",
            "--target",
            "wasm32-unknown-unknown",
        ],
        &[WASM_WHOLE, which].concat(),
    );
    command
        .env("PATH", workspace::path_with(&WASM_BINDGEN.directory()?))
        .env("WASM_BINDGEN_TEST_TIMEOUT", WASM_TEST_SECONDS);
    Ok(command)
}

/// Runs what counts as one test.
fn check(command: Command) -> Result<Outcome> {
    let ended = process::stream(command, CHECK_LIMIT, |_| {})?;
    Ok(Outcome::of(ended.success))
}

/// Runs a test runner and counts its tests.
fn tests(command: Command) -> Result<Outcome> {
    let mut counted = Outcome::default();
    let ended = process::stream(command, TEST_LIMIT, |line| {
        if let Some(outcome) = Outcome::parse(line) {
            counted += outcome;
        }
    })?;
    if ended.timed_out && counted == Outcome::default() {
        bail!("no test ended in time");
    }
    Ok(Outcome::of_run(counted, ended.success))
}

//! `cargo xtask bench`: which commands measure what.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use serde_json::Value;

use crate::process::{self, say};
use crate::server::Server;
use crate::tools::{self, WASM_BINDGEN};
use crate::{page, system, test, workspace};

/// The longest that one benchmark may take, its build included.
const LIMIT: Duration = Duration::from_secs(30 * 60);

/// What can be measured.
#[derive(Clone, Copy, ValueEnum)]
pub enum What {
    /// The simulator's steps per second: native, then as WebAssembly under Node.
    Sim,
    /// The page in Chromium.
    Web,
    /// Going to a random moment of a long run, natively: how long, and in how much memory.
    Seek,
    /// The server: its start, its memory, its throughput; beside Apache's if that is installed.
    Server,
}

/// Runs the benchmark; true if it ran to its end.
pub fn run(what: What) -> Result<bool> {
    match what {
        What::Sim => sim(),
        What::Web => web(),
        What::Seek => seek(),
        What::Server => server(),
    }
}

/// The bench target `sim` of zabscope-tests, and `sim_wasm` if that is there.
fn sim() -> Result<bool> {
    let targets = bench_targets("zabscope-tests")?;
    if !targets.iter().any(|name| name == "sim") {
        bail!("zabscope-tests has no benchmark `sim` (tests/benches/sim.rs)");
    }
    say("native");
    let mut native = workspace::cargo();
    native.args(["bench", "-p", "zabscope-tests", "--bench", "sim"]);
    process::must(native, LIMIT)?;
    if !targets.iter().any(|name| name == "sim_wasm") {
        say("not measured as WebAssembly: zabscope-tests has no benchmark `sim_wasm`");
    } else if system::node_if_present().is_none() {
        say("not measured as WebAssembly: there is no Node.js");
    } else {
        tools::ensure_toolchain()?;
        say("WebAssembly under Node.js");
        let mut wasm = workspace::cargo();
        // `cargo test`: what `cargo bench` hands to the runner makes it look for something else.
        wasm.args(["test", "--release", "-p", "zabscope-tests"])
            .args(["--bench", "sim_wasm"])
            .args(["--target", "wasm32-unknown-unknown"])
            .args(["--", "--nocapture"])
            .env("PATH", workspace::path_with(&WASM_BINDGEN.directory()?));
        process::must(wasm, LIMIT)?;
    }
    Ok(true)
}

/// `tests/browser/bench.mjs`, with the page's address in ZABSCOPE_URL.
fn web() -> Result<bool> {
    let script = workspace::browser_tests().join("bench.mjs");
    if !script.is_file() {
        bail!("the page has no benchmark (tests/browser/bench.mjs)");
    }
    let server = Server::bind(&page::build()?, 0)?;
    let command = test::node_script(&script, &server)?;
    test::serve_beside(server);
    process::must(command, LIMIT)?;
    Ok(true)
}

/// `web/benches/seek.rs`; it fails when the page's promises are broken.
fn seek() -> Result<bool> {
    let mut bench = workspace::cargo();
    bench.args(["bench", "-p", "zabscope-web", "--bench", "seek"]);
    process::must(bench, LIMIT)?;
    Ok(true)
}

/// `tests/clients/benches/server.rs`, with the binary as it is released.
fn server() -> Result<bool> {
    say("the binary, in release mode");
    let mut build = workspace::cargo();
    build.args(["build", "--release", "-p", "zabscope-server"]);
    process::must(build, LIMIT)?;
    let mut bench = workspace::cargo();
    bench.args(["bench", "-p", "zabscope-clients", "--bench", "server"]);
    process::must(bench, LIMIT)?;
    Ok(true)
}

fn bench_targets(package: &str) -> Result<Vec<String>> {
    let mut command: Command = workspace::cargo();
    command.args([
        "metadata",
        "--format-version",
        "1",
        "--no-deps",
        "--offline",
    ]);
    let metadata: Value =
        serde_json::from_str(&process::output(command, Duration::from_secs(120))?)?;
    let packages = metadata["packages"]
        .as_array()
        .context("cargo's packages")?;
    let package = packages
        .iter()
        .find(|one| one["name"] == package)
        .with_context(|| package.to_owned())?;
    let targets = package["targets"]
        .as_array()
        .context("a package's targets")?;
    let is_bench = |target: &&Value| {
        target["kind"]
            .as_array()
            .is_some_and(|k| k.iter().any(|k| k == "bench"))
    };
    Ok(targets
        .iter()
        .filter(is_bench)
        .filter_map(|t| Some(t["name"].as_str()?.to_owned()))
        .collect())
}

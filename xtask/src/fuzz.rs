//! `cargo xtask fuzz`: libFuzzer looks for bytes that something which reads from outside does not bear.
//!
//! cargo-fuzz wants a nightly compiler for its sanitizers. They look for errors of memory, which code
//! without `unsafe` does not have; what guides the search, coverage, the stable compiler has. So the
//! targets in `tests/fuzz`, laid out as cargo-fuzz wants them, are built here with coverage alone.

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::process::{self, human, say};
use crate::workspace;

/// The longest that building may take: everything is built anew, with coverage.
const BUILD: Duration = Duration::from_secs(40 * 60);
/// What a run may take beyond the time that it was given.
const BEYOND: Duration = Duration::from_secs(120);

/// The compiler's passes that tell libFuzzer which code ran and what was compared.
const COVERAGE: [&str; 7] = [
    "--cfg",
    "fuzzing",
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
];

/// Runs the targets of these names, or all, each for so many seconds; true if none found anything.
pub fn run(seconds: u64, only: &[String]) -> Result<bool> {
    let package = workspace::root().join("tests").join("fuzz");
    let output = workspace::target().join("fuzz");
    let mut targets = Vec::new();
    for file in fs::read_dir(package.join("fuzz_targets")).context("the targets")? {
        let path = file?.path();
        targets.extend(path.file_stem().map(|name| name.display().to_string()));
    }
    targets.sort();
    for name in only {
        ensure!(
            targets.contains(name),
            "there is no target {name}; there are {}",
            targets.join(", ")
        );
    }
    if !only.is_empty() {
        targets.retain(|name| only.contains(name));
    }

    let host = host()?;
    let mut build = workspace::cargo();
    build
        .args(["build", "--release", "--locked", "--bins"])
        .arg("--manifest-path")
        .arg(package.join("Cargo.toml"))
        // With a target named, programs that run while building have no coverage.
        .args(["--target", &host, "--target-dir"])
        .arg(&output)
        .env("CARGO_ENCODED_RUSTFLAGS", COVERAGE.join("\x1f"));
    process::must(build, BUILD)?;

    let programs = output.join(&host).join("release");
    let mut found = Vec::new();
    let mut summary = Vec::new();
    for name in &targets {
        // What earlier runs have learned is kept.
        let corpus = output.join("corpus").join(name);
        let artifacts = output.join("found").join(name);
        fs::create_dir_all(&corpus).context("the corpus's directory")?;
        fs::create_dir_all(&artifacts).context("the directory for what is found")?;
        say(format_args!("{name}, {seconds} s"));
        let began = Instant::now();
        let mut fuzz = workspace::command(programs.join(name));
        fuzz.arg(&corpus)
            .arg(format!("-artifact_prefix={}/", artifacts.display()))
            .arg(format!("-max_total_time={seconds}"))
            .args(["-timeout=20", "-rss_limit_mb=1024", "-max_len=32768"])
            .args(["-print_final_stats=1", "-verbosity=0"])
            .env("ZABSCOPE_SEEDS", &corpus);
        let mut runs = String::from("?");
        let mut artifact = None;
        let limit = Duration::from_secs(seconds) + BEYOND;
        let ended = process::stream(fuzz, limit, |line| {
            if let Some((_, count)) = line.split_once("number_of_executed_units:") {
                count.trim().clone_into(&mut runs);
            }
            if let Some((_, path)) = line.split_once("Test unit written to ") {
                artifact = Some(path.trim().to_owned());
            }
        })?;
        if !ended.success {
            found.push(match artifact {
                Some(path) => format!("{name}: {} {path}", programs.join(name).display()),
                None => format!("{name}: it ended without saying why"),
            });
        }
        let took = human(began.elapsed());
        summary.push(format!("{name}: {runs} inputs in {took}"));
    }
    for line in &summary {
        say(line);
    }
    if found.is_empty() {
        say("nothing found");
        return Ok(true);
    }
    for line in &found {
        say(format_args!("found, again with: {line}"));
    }
    say("what is found belongs into tests/fuzz/found/<target>/, where the ordinary tests try it");
    Ok(false)
}

/// The compiler's own platform.
fn host() -> Result<String> {
    let mut rustc = Command::new("rustc");
    rustc.arg("-vV").current_dir(workspace::root());
    let said = process::output(rustc, Duration::from_secs(60))?;
    let host = said.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("rustc -vV names no host")?.trim().to_owned())
}

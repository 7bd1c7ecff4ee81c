//! Existing clients, each doing what applications do, with the leader killed underneath: Java's and
//! C's official ones, Apache Curator's recipes, the crate zookeeper-client, and zkCli.
//!
//! `ZABSCOPE_SERVER=apache` runs them against Apache's servers.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};
use std::{fs, thread};

use anyhow::{Context, Result, ensure};
use zabscope_clients::server::{Ensemble, Kind, Options, Scratch, Server};
use zabscope_clients::{apache, program};

/// The longest that a program may take.
const LIMIT: Duration = Duration::from_secs(120);

/// One after the other: an ensemble and a client in Java are enough for a small machine.
static ALONE: Mutex<()> = Mutex::new(());

fn alone(test: impl FnOnce() -> Result<()>) {
    let _alone = ALONE
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner());
    test().unwrap_or_else(|error| panic!("{error:#}"));
}

fn source(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn java(class: &str) -> Result<()> {
    let classes = Scratch::new("classes")?;
    apache::compile(&[source(&format!("java/{class}.java"))], classes.path())?;
    let mut ensemble = Ensemble::start(Kind::tested()?, 3, &Options::default())?;
    let mut command = Command::new("java");
    command
        .args(["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx128m"])
        .args(["-Dorg.slf4j.simpleLogger.defaultLogLevel=error"])
        .args(["-cp", &apache::client_class_path(classes.path())?, class])
        .arg(ensemble.connect_string());
    program::run(command, &mut ensemble, LIMIT)
}

#[test]
fn javas_client_survives_the_leaders_end() {
    alone(|| java("Basics"));
}

#[test]
fn curators_recipes_survive_the_leaders_end() {
    alone(|| java("Recipes"));
}

#[test]
fn cs_client_survives_the_leaders_end() {
    alone(|| {
        let directory = Scratch::new("c")?;
        let binary = directory.path().join("basics");
        let output = Command::new("cc")
            .args(["-Wall", "-Wextra", "-Werror", "-DTHREADED", "-O1", "-o"])
            .arg(&binary)
            .arg(source("c/basics.c"))
            .args(["-lzookeeper_mt", "-lpthread"])
            .output()
            .context("there is no C compiler: `apt-get install gcc libc6-dev`")?;
        ensure!(
            output.status.success(),
            "the C program can't be built; on Debian: `apt-get install libzookeeper-mt-dev`.\n{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let mut ensemble = Ensemble::start(Kind::tested()?, 3, &Options::default())?;
        let mut command = Command::new(&binary);
        command.arg(ensemble.connect_string());
        program::run(command, &mut ensemble, LIMIT)
    });
}

#[test]
fn rusts_client_survives_the_leaders_end() {
    alone(|| {
        // It stands beside this test, as cargo builds examples there.
        let tests = std::env::current_exe()?;
        let target = tests
            .ancestors()
            .nth(2)
            .context("the directory of builds")?;
        let binary = target.join("examples").join("basics");
        ensure!(binary.is_file(), "{} is not built", binary.display());
        let mut ensemble = Ensemble::start(Kind::tested()?, 3, &Options::default())?;
        let mut command = Command::new(binary);
        command.arg(ensemble.connect_string());
        program::run(command, &mut ensemble, LIMIT)
    });
}

/// What a person types into zkCli, and the lines that must come, in this order. `=` stands for a
/// whole line, `~` for a part of one.
const SESSION: &str = include_str!("../data/zkcli.txt");

#[test]
fn zkcli_shows_what_it_always_shows() {
    alone(|| {
        let server = Server::standalone(Kind::tested()?, &Options::default())?;
        let directory = Scratch::new("zkcli")?;
        let log = directory.path().join("output");
        let mut child = {
            let mut typed: String = SESSION
                .lines()
                .filter_map(|line| line.strip_prefix("> "))
                .flat_map(|line| [line, "\n"])
                .collect();
            typed.push_str("quit\n");
            let script = directory.path().join("input");
            fs::write(&script, typed)?;
            let output = fs::File::create(&log)?;
            Command::new("java")
                .args(["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx128m"])
                .args(["-Dorg.slf4j.simpleLogger.defaultLogLevel=error"])
                .args(["-cp", &apache::client_class_path(directory.path())?])
                .args([
                    "org.apache.zookeeper.ZooKeeperMain",
                    "-waitforconnection",
                    "-server",
                ])
                .arg(server.address().to_string())
                .stdin(fs::File::open(&script)?)
                .stdout(output.try_clone()?)
                .stderr(Stdio::from(output))
                .spawn()
                .context("java does not run")?
        };
        let deadline = Instant::now() + LIMIT;
        while child.try_wait()?.is_none() {
            if Instant::now() > deadline {
                let _ = child.kill();
                let _ = child.wait();
                anyhow::bail!(
                    "zkCli takes longer than {LIMIT:?}:\n{}",
                    fs::read_to_string(&log)?
                );
            }
            thread::sleep(Duration::from_millis(20));
        }
        let text = fs::read_to_string(&log)?;
        let mut said = text.lines();
        for expected in SESSION.lines() {
            let found = match expected.split_at_checked(2) {
                Some(("= ", whole)) => said.any(|line| line == whole),
                Some(("~ ", part)) => said.any(|line| line.contains(part)),
                Some(_) | None => true,
            };
            ensure!(found, "`{expected}` does not come (any more) in\n{text}");
        }
        Ok(())
    });
}

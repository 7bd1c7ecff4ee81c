//! Clients in other languages. Each is a program that gets the servers' addresses as its argument,
//! says on its standard output when it wants the leader killed, waits for an answer on its standard
//! input, checks what it sees itself, and ends with status 0 after the line [`PASSED`].

use std::io::{self, BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::server::Ensemble;

/// The line with which a program asks for the leader's end.
pub const KILL: &str = "KILL THE LEADER";
/// The last line of a program that is content.
pub const PASSED: &str = "PASSED";

/// Runs a program to its end, kills the leader when it asks for it, and starts it again afterwards.
/// An error has all that the program said.
pub fn run(mut command: Command, ensemble: &mut Ensemble, limit: Duration) -> Result<()> {
    let (reader, writer) = io::pipe()?;
    command
        .stdin(Stdio::piped())
        .stdout(writer.try_clone()?)
        .stderr(writer);
    let mut child = command
        .spawn()
        .with_context(|| format!("starting {}", command.get_program().display()))?;
    // It holds the writing ends of the pipe, which must close with the child.
    drop(command);
    let mut answers = child.stdin.take().context("the program's standard input")?;
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(reader).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    let deadline = Instant::now() + limit;
    let mut said: Vec<String> = Vec::new();
    let why = loop {
        match receiver.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(line) => {
                let asks = line == KILL;
                said.push(line);
                if asks {
                    let leader = ensemble.leader(Duration::from_secs(30))?;
                    ensemble.members_mut()[leader].kill();
                    writeln!(answers, "killed").context("the program does not listen")?;
                }
            }
            Err(RecvTimeoutError::Timeout) => break format!("took longer than {limit:?}"),
            Err(RecvTimeoutError::Disconnected) => {
                let status = child.wait()?;
                let passed = said.last().is_some_and(|line| line == PASSED);
                if status.success() && passed {
                    return ensemble.start_all();
                }
                break format!("ended with {status} and without the line {PASSED}");
            }
        }
    };
    let _ = child.kill();
    let _ = child.wait();
    bail!("the program {why}. It said:\n{}", said.join("\n"))
}

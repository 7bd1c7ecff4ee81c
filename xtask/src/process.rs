//! Child processes. Each has a limit; one that exceeds it is ended, with all its descendants, by
//! their process ids.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::io::{self, IsTerminal, Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

/// How long to wait for output that is still under way after a process has ended. A descendant that
/// outlives it may hold the pipe open for ever.
const AFTERMATH: Duration = Duration::from_secs(2);

/// How a process ended.
pub struct Ended {
    /// It exited with status 0, in time.
    pub success: bool,
    /// It was ended by us.
    pub timed_out: bool,
}

/// Seconds as people say them.
pub fn human(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..60 => format!("{seconds}.{} s", time.subsec_millis() / 100),
        seconds => format!("{} min {} s", seconds / 60, seconds % 60),
    }
}

/// Says what is being done.
pub fn say(what: impl Display) {
    println!("xtask: {what}");
    // Nobody is there to read it: nothing to be done about that.
    let _ = io::stdout().flush();
}

/// Runs a command to its end. What it prints goes to the terminal as it comes, both streams through
/// one pipe and therefore in order; each complete line, free of colours, also goes to `each_line`.
pub fn stream(
    mut command: Command,
    limit: Duration,
    mut each_line: impl FnMut(&str),
) -> Result<Ended> {
    let (mut reader, writer) = io::pipe().context("a pipe")?;
    command
        .stdin(Stdio::null())
        .stdout(writer.try_clone().context("a pipe")?)
        .stderr(writer);
    if io::stdout().is_terminal() {
        command.env("CARGO_TERM_COLOR", "always");
    }
    let program = command.get_program().to_owned();
    let mut child = command
        .spawn()
        .with_context(|| format!("could not start {}", program.display()))?;
    // It holds the writing ends of the pipe, which must close with the child.
    drop(command);

    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut buffer = [0; 8192];
        while let Ok(length @ 1..) = reader.read(&mut buffer) {
            if sender.send(buffer[..length].to_vec()).is_err() {
                break;
            }
        }
    });

    let deadline = Instant::now() + limit;
    let mut timed_out = false;
    let mut exited_at = None;
    let mut line = Vec::new();
    loop {
        match receiver.recv_timeout(Duration::from_millis(100)) {
            Ok(bytes) => {
                let mut terminal = io::stdout().lock();
                let _ = terminal.write_all(&bytes).and_then(|()| terminal.flush());
                for byte in bytes {
                    if byte == b'\n' {
                        each_line(&plain(&line));
                        line.clear();
                    } else {
                        line.push(byte);
                    }
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
        if exited_at.is_none() && child.try_wait()?.is_some() {
            exited_at = Some(Instant::now());
        }
        if exited_at.is_some_and(|at| at.elapsed() > AFTERMATH) {
            break;
        }
        if !timed_out && Instant::now() > deadline {
            timed_out = true;
            println!();
            say(format_args!(
                "{} took longer than {}: ended",
                program.display(),
                human(limit)
            ));
            end(&mut child);
        }
    }
    if !line.is_empty() {
        each_line(&plain(&line));
    }
    let success = wait(
        &mut child,
        AFTERMATH.max(deadline.saturating_duration_since(Instant::now())),
    )?;
    Ok(Ended {
        success: success && !timed_out,
        timed_out,
    })
}

/// Runs a command that must succeed; what it prints goes to the terminal.
pub fn must(command: Command, limit: Duration) -> Result<()> {
    let shown = shown(&command);
    let ended = stream(command, limit, |_| {})?;
    ensure!(ended.success, "`{shown}` failed");
    Ok(())
}

/// Runs a command that must succeed, quietly, and returns its standard output.
pub fn output(mut command: Command, limit: Duration) -> Result<String> {
    let shown = shown(&command);
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("could not start `{shown}`"))?;
    let mut pipes: Vec<Box<dyn Read + Send>> = Vec::new();
    pipes.extend(
        child
            .stdout
            .take()
            .map(|pipe| Box::new(pipe) as Box<dyn Read + Send>),
    );
    pipes.extend(
        child
            .stderr
            .take()
            .map(|pipe| Box::new(pipe) as Box<dyn Read + Send>),
    );
    let readers: Vec<_> = pipes
        .into_iter()
        .map(|mut pipe| {
            let (sender, receiver) = mpsc::channel();
            thread::spawn(move || {
                let mut bytes = Vec::new();
                let read = pipe.read_to_end(&mut bytes);
                let _ = sender.send(read.map(|_| String::from_utf8_lossy(&bytes).into_owned()));
            });
            receiver
        })
        .collect();
    let success = wait(&mut child, limit)?;
    let mut texts = Vec::new();
    for reader in readers {
        texts.push(
            reader
                .recv_timeout(AFTERMATH)
                .with_context(|| format!("output of `{shown}`"))??,
        );
    }
    if !success {
        bail!("`{shown}` failed:\n{}", texts.join("\n").trim());
    }
    Ok(texts.swap_remove(0))
}

/// Waits for a process to end by itself, then ends it. True if it succeeded by itself.
fn wait(child: &mut Child, limit: Duration) -> Result<bool> {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status.success());
        }
        if Instant::now() > deadline {
            end(child);
            child.wait()?;
            return Ok(false);
        }
        thread::sleep(Duration::from_millis(20));
    }
}

/// Ends a process and all that descend from it: cargo's test binaries, a test runner's browser.
fn end(child: &mut Child) {
    for id in descendants(child.id(), &parents()) {
        let (program, arguments) = if cfg!(windows) {
            (
                "taskkill",
                vec!["/F".to_owned(), "/PID".to_owned(), id.to_string()],
            )
        } else {
            ("kill", vec!["-KILL".to_owned(), id.to_string()])
        };
        // It may have ended meanwhile: then this fails, as it should.
        let _ = Command::new(program)
            .args(arguments)
            .stderr(Stdio::null())
            .status();
    }
    let _ = child.kill();
}

/// Every process's parent.
fn parents() -> BTreeMap<u32, u32> {
    if let Ok(entries) = std::fs::read_dir("/proc") {
        let parent = |id: u32| {
            // pid (name, which may contain anything) state parent …
            let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
            stat.rsplit_once(')')?
                .1
                .split_whitespace()
                .nth(1)?
                .parse()
                .ok()
        };
        return entries
            .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
            .filter_map(|id| Some((id, parent(id)?)))
            .collect();
    }
    let listing = Command::new("ps").args(["-A", "-o", "pid=,ppid="]).output();
    let text = listing.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    text.unwrap_or_default()
        .lines()
        .filter_map(|line| {
            let mut ids = line.split_whitespace().map(str::parse);
            Some((ids.next()?.ok()?, ids.next()?.ok()?))
        })
        .collect()
}

/// The descendants of a process, children before grandchildren.
fn descendants(ancestor: u32, parents: &BTreeMap<u32, u32>) -> Vec<u32> {
    let mut found = vec![ancestor];
    let mut next = 0;
    while let Some(&parent) = found.get(next) {
        found.extend(
            parents
                .iter()
                .filter(|&(id, p)| *p == parent && *id != ancestor)
                .map(|(id, _)| *id),
        );
        next += 1;
    }
    found.split_off(1)
}

/// A line without the escape sequences that colour it.
fn plain(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(line);
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\u{1b}' => {
                characters
                    .by_ref()
                    .skip(1)
                    .find(|c| c.is_ascii_alphabetic());
            }
            '\r' => {}
            _ => plain.push(character),
        }
    }
    plain
}

/// A command as one would type it.
fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words
        .map(|word| word.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_removed_from_a_line() {
        assert_eq!(
            plain(b"test result: \x1b[32mok\x1b[m. 1 passed\r"),
            "test result: ok. 1 passed"
        );
    }

    #[test]
    fn descendants_are_found_and_others_are_not() {
        let parents = BTreeMap::from([(2, 1), (3, 2), (4, 3), (5, 1), (6, 4)]);
        assert_eq!(descendants(2, &parents), [3, 4, 6]);
        assert!(descendants(5, &parents).is_empty());
    }

    #[cfg(unix)]
    #[test]
    fn a_process_that_takes_too_long_is_ended_with_its_children() {
        let mut command = Command::new("sh");
        command.args(["-c", "sleep 60 & echo $!; wait"]);
        let began = Instant::now();
        let mut lines = Vec::new();
        let ended = stream(command, Duration::from_millis(500), |line| {
            lines.push(line.to_owned())
        });
        assert!(ended.is_ok_and(|ended| ended.timed_out && !ended.success));
        assert!(began.elapsed() < Duration::from_secs(20));
        let grandchild: u32 = lines
            .first()
            .and_then(|line| line.parse().ok())
            .expect("its id");
        // The signal is sent; on a busy machine it takes effect a little later.
        let gone = || !parents().contains_key(&grandchild) || is_defunct(grandchild);
        let patience = Instant::now() + Duration::from_secs(20);
        while !gone() && Instant::now() < patience {
            thread::sleep(Duration::from_millis(20));
        }
        assert!(gone());
    }

    #[cfg(unix)]
    fn is_defunct(id: u32) -> bool {
        let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        stat.rsplit_once(')')
            .is_none_or(|(_, rest)| rest.trim_start().starts_with('Z'))
    }

    #[cfg(unix)]
    #[test]
    fn output_arrives_complete_and_a_failure_says_why() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo out; echo err >&2"]);
        assert_eq!(
            output(command, Duration::from_secs(10)).expect("success"),
            "out\n"
        );
        let mut command = Command::new("sh");
        command.args(["-c", "echo why >&2; exit 3"]);
        let error = output(command, Duration::from_secs(10)).expect_err("failure");
        assert!(error.to_string().contains("why"));
    }
}

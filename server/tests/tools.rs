//! The subcommands for operators, as a person or a script meets them: real processes on 127.0.0.1.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, ChildStderr, ChildStdout, Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

/// The longest that anything may take on a machine that is busy.
const LIMIT: Duration = Duration::from_secs(90);

fn zabscope() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_zabscope"));
    command.stdin(Stdio::null());
    command
}

fn run(arguments: &[&str]) -> Output {
    zabscope()
        .args(arguments)
        .output()
        .expect("the binary runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

fn wait_for(what: &str, mut done: impl FnMut() -> bool) {
    let began = Instant::now();
    while !done() {
        assert!(began.elapsed() < LIMIT, "not in {LIMIT:?}: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

fn listens(address: &str) -> bool {
    TcpStream::connect(address).is_ok()
}

/// A process that does not outlive its test.
struct Running(Child);

impl Running {
    fn start(arguments: &[&str]) -> (Running, BufReader<ChildStdout>, ChildStderr) {
        let mut child = zabscope()
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary runs");
        let out = BufReader::new(child.stdout.take().expect("piped"));
        let err = child.stderr.take().expect("piped");
        (Running(child), out, err)
    }

    fn signal(&self, name: &str) {
        let id = self.0.id().to_string();
        let sent = Command::new("kill").args([name, &id]).status();
        assert!(sent.expect("kill runs").success());
    }

    fn end(&mut self) -> Option<i32> {
        let mut code = None;
        wait_for("the process ends", || {
            let ended = self.0.try_wait().expect("ours");
            code = ended.and_then(|status| status.code());
            ended.is_some()
        });
        code
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn ensemble(extra: &[&str]) -> (Running, Vec<String>, ChildStderr) {
    let mut arguments = vec!["ensemble", "-n", "3", "--no-table", "--wait", "80"];
    arguments.extend(extra);
    let (running, mut out, err) = Running::start(&arguments);
    let mut line = String::new();
    out.read_line(&mut line).expect("a line");
    let servers: Vec<String> = line.trim().split(',').map(str::to_owned).collect();
    (running, servers, err)
}

#[test]
fn an_ensemble_says_where_it_is_once_it_serves_and_leaves_nothing_when_asked_to_end() {
    let (mut running, servers, _err) = ensemble(&[]);
    assert_eq!(servers.len(), 3, "{servers:?}");
    let out = run(&["status", "--json", &servers.join(",")]);
    let said = text(&out.stdout);
    assert_eq!(out.status.code(), Some(0), "{said}");
    let all: serde_json::Value = serde_json::from_str(&said).expect("JSON");
    let modes: Vec<_> = all
        .as_array()
        .expect("an array")
        .iter()
        .map(|s| &s["mode"])
        .collect();
    assert_eq!(
        modes.iter().filter(|m| **m == "leader").count(),
        1,
        "{said}"
    );
    assert_eq!(
        modes.iter().filter(|m| **m == "follower").count(),
        2,
        "{said}"
    );
    assert_eq!(all[0]["state"], "serving");

    running.signal("-TERM");
    assert_eq!(running.end(), Some(0));
    assert!(!servers.iter().any(|at| listens(at)), "one still listens");
}

#[test]
fn no_server_outlives_an_ensemble_that_is_killed() {
    let directory = tempfile::tempdir().expect("a directory");
    let name = directory.path().to_str().expect("UTF-8");
    let (mut running, servers, _err) = ensemble(&["--dir", name]);
    assert!(servers.iter().all(|at| listens(at)));
    running.0.kill().expect("killed");
    running.0.wait().expect("ours");
    wait_for("all of them end", || !servers.iter().any(|at| listens(at)));
    let log = fs::read_to_string(directory.path().join("server.2/log")).expect("a log");
    assert!(log.contains("standard input has ended"), "{log}");

    let out = run(&["ensemble", "-n", "5", "--no-table", "--dir", name]);
    assert_eq!(out.status.code(), Some(3));
    assert!(text(&out.stderr).contains("holds an ensemble of 3"));
}

#[test]
fn an_ensemble_that_cannot_serve_ends_and_says_why() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("bound").port().to_string();
    let out = run(&["ensemble", "-n", "1", "--no-table", "--port", &port]);
    assert_eq!(out.status.code(), Some(1));
    let said = text(&out.stderr);
    assert!(said.contains("server 1 has ended"), "{said}");
    assert!(said.contains(&port), "the log is shown: {said}");
}

#[test]
fn the_table_follows_along_and_tells_when_a_server_ends() {
    let directory = tempfile::tempdir().expect("a directory");
    let name = show(directory.path());
    let (mut running, out, _err) = Running::start(&["ensemble", "-n", "1", "--dir", name]);
    let mut lines = out.lines().map(|line| line.expect("UTF-8"));
    let first = lines.next().expect("a line");
    let server = first
        .strip_prefix("connect string  ")
        .expect("its beginning");
    let row = format!("*  1 {server}  standalone");
    assert!(lines.any(|line| line.starts_with(&row)), "no row {row}");
    // A second server on the same files: refused, and the first is not disturbed.
    let out = run(&["serve", show(&directory.path().join("server.1/zoo.cfg"))]);
    assert_eq!(out.status.code(), Some(3), "{}", text(&out.stderr));
    running.signal("-INT");
    assert_eq!(running.end(), Some(0));
    assert!(!listens(server));
}

#[test]
fn the_exit_code_of_serve_says_why_it_ended() {
    let directory = tempfile::tempdir().expect("a directory");
    let data = format!(
        "admin.enableServer=false\ndataDir={}",
        show(directory.path())
    );
    let file = directory.path().join("zoo.cfg");
    let write = |text: &str| fs::write(&file, text).expect("written");

    write("tickTime=often\n");
    let out = run(&["serve", show(&file)]);
    assert_eq!(out.status.code(), Some(2));
    assert!(
        text(&out.stderr).contains("zoo.cfg:1"),
        "{}",
        text(&out.stderr)
    );

    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("bound").port();
    write(&format!(
        "{data}\nclientPort={port}\nclientPortAddress=127.0.0.1\n"
    ));
    let out = run(&["serve", show(&file)]);
    assert_eq!(out.status.code(), Some(3));
    assert!(
        text(&out.stderr).contains("can't be listened on"),
        "{}",
        text(&out.stderr)
    );

    drop(taken);
    let (mut running, _out, _err) = Running::start(&["serve", show(&file)]);
    wait_for("it listens", || listens(&format!("127.0.0.1:{port}")));
    running.signal("-TERM");
    assert_eq!(running.end(), Some(0));
}

#[test]
fn lines_for_journald_carry_their_priority_and_others_do_not() {
    use std::os::unix::fs::MetadataExt;
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("zoo.cfg");
    fs::write(&file, "tickTime=often\n").expect("written");
    let log = directory.path().join("log");
    let said = |stream: &dyn Fn(&fs::Metadata) -> String| {
        let stderr = fs::File::create(&log).expect("made");
        let stream = stream(&stderr.metadata().expect("ours"));
        let mut serve = zabscope();
        serve
            .arg("serve")
            .arg(&file)
            .env("JOURNAL_STREAM", stream)
            .stderr(stderr);
        assert_eq!(serve.status().expect("it runs").code(), Some(2));
        fs::read_to_string(&log).expect("UTF-8")
    };
    let journal = said(&|stderr| format!("{}:{}", stderr.dev(), stderr.ino()));
    assert!(
        journal
            .lines()
            .all(|line| line.starts_with("<3>") || line.starts_with("<4>")),
        "{journal}"
    );
    assert!(
        journal.starts_with("<3>") && journal.contains("tickTime"),
        "{journal}"
    );
    let elsewhere = said(&|stderr| format!("{}:{}", stderr.dev(), stderr.ino() + 1));
    assert!(
        elsewhere.contains(" ERROR ") && !elsewhere.contains("<3>"),
        "{elsewhere}"
    );
}

#[test]
fn status_tells_who_serves_from_who_does_not() {
    let free = TcpListener::bind("127.0.0.1:0").expect("a port");
    let nobody = free.local_addr().expect("bound").to_string();
    drop(free);
    let out = run(&["status", "--timeout", "5", &nobody]);
    assert_eq!(out.status.code(), Some(3));
    assert!(text(&out.stdout).contains("unreachable"));

    // Something that accepts and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let at = silent.local_addr().expect("bound").to_string();
    let began = Instant::now();
    let out = run(&["status", "--timeout", "1", &at]);
    assert_eq!(out.status.code(), Some(3));
    assert!(
        text(&out.stdout).contains("no answer in time"),
        "{}",
        text(&out.stdout)
    );
    assert!(began.elapsed() < Duration::from_secs(30));

    let zookeeper = zabscope_server::Server::builder().start().expect("started");
    let at = zookeeper.connect_string();
    let out = run(&["status", &at, &nobody]);
    let said = text(&out.stdout);
    assert_eq!(out.status.code(), Some(1), "{said}");
    assert!(
        said.contains("standalone") && said.contains("unreachable"),
        "{said}"
    );
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../core/tests/fixtures/files")
        .join(name)
}

fn show(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

fn json_lines(bytes: &[u8]) -> Vec<serde_json::Value> {
    let lines = text(bytes);
    let all = lines
        .lines()
        .map(|line| serde_json::from_str(line).expect(line));
    all.collect()
}

#[test]
fn apaches_log_is_printed_and_its_damage_told_with_the_byte() {
    let log = fixture("log.1");
    let out = run(&["log", "dump", show(&log)]);
    assert_eq!(out.status.code(), Some(0), "{}", text(&out.stderr));
    let said = text(&out.stdout);
    assert!(said.contains("zxid 0x1 createSession"), "{said}");
    let count = said
        .lines()
        .filter(|line| line.contains(" zxid 0x"))
        .count();
    assert!(
        said.ends_with(&format!("EOF reached after {count} txns.\n")),
        "{said}"
    );

    let out = run(&["log", "dump", "--json", show(&log)]);
    let lines = json_lines(&out.stdout);
    assert_eq!(lines.len(), count + 1);
    assert_eq!(
        (&lines[0]["type"], &lines[0]["at"]),
        (&"createSession".into(), &16.into())
    );
    assert_eq!(lines[count]["end"], "clean");

    let directory = tempfile::tempdir().expect("a directory");
    let bytes = fs::read(&log).expect("read");
    let third = usize::try_from(lines[2]["at"].as_u64().expect("an offset")).expect("small");
    let torn = directory.path().join("log.torn");
    fs::write(&torn, &bytes[..third + 20]).expect("written");
    let out = run(&["log", "dump", show(&torn)]);
    assert_eq!(out.status.code(), Some(1));
    assert_eq!(
        text(&out.stdout)
            .lines()
            .filter(|l| l.contains(" zxid "))
            .count(),
        2
    );
    assert!(
        text(&out.stderr).contains(&format!("torn at byte {third}:")),
        "{}",
        text(&out.stderr)
    );

    let mut flipped = bytes;
    flipped[third + 20] ^= 1;
    let bad = directory.path().join("log.bad");
    fs::write(&bad, flipped).expect("written");
    let out = run(&["log", "dump", show(&log), show(&bad)]);
    assert_eq!(out.status.code(), Some(1), "the worst of them counts");
    let said = text(&out.stderr);
    assert!(said.contains(&format!("record at byte {third} ")), "{said}");

    assert_eq!(
        run(&["log", "dump", show(&fixture("snapshot.1d"))])
            .status
            .code(),
        Some(3)
    );
    let nothing = directory.path().join("log.9");
    assert_eq!(run(&["log", "dump", show(&nothing)]).status.code(), Some(3));
}

#[test]
fn apaches_snapshot_is_printed_and_checked() {
    let snapshot = fixture("snapshot.1d");
    let out = run(&["snapshot", "dump", "--json", "-d", show(&snapshot)]);
    assert_eq!(out.status.code(), Some(0), "{}", text(&out.stderr));
    let lines = json_lines(&out.stdout);
    let paths: Vec<_> = lines
        .iter()
        .filter_map(|line| line["path"].as_str())
        .collect();
    assert!(
        paths.starts_with(&["/"]) && paths.contains(&"/zookeeper/quota"),
        "{paths:?}"
    );
    let plain = text(&run(&["snapshot", "dump", show(&snapshot)]).stdout);
    assert!(
        plain.contains(&format!("{} znodes", paths.len())),
        "{plain}"
    );
    assert!(plain.contains("\n/zookeeper\n  cZxid = 0x0\n"), "{plain}");

    let out = run(&["snapshot", "check", "--load", show(&snapshot)]);
    assert_eq!(out.status.code(), Some(0), "{}", text(&out.stderr));
    assert!(text(&out.stdout).contains("whole"), "{}", text(&out.stdout));

    let directory = tempfile::tempdir().expect("a directory");
    let bytes = fs::read(&snapshot).expect("read");
    for cut in [20, bytes.len() / 2, bytes.len() - 1] {
        let short = directory.path().join("snapshot.1d");
        fs::write(&short, &bytes[..cut]).expect("written");
        let out = run(&["snapshot", "check", show(&short)]);
        assert_eq!(out.status.code(), Some(1), "cut at {cut}");
        assert!(
            text(&out.stderr).contains("at byte"),
            "{}",
            text(&out.stderr)
        );
    }
    let mut flipped = bytes.clone();
    flipped[bytes.len() / 2] ^= 1;
    let bad = directory.path().join("snapshot.2");
    fs::write(&bad, flipped).expect("written");
    assert_eq!(
        run(&["snapshot", "check", show(&bad)]).status.code(),
        Some(1)
    );
    assert_eq!(
        run(&["snapshot", "check", show(&fixture("log.1"))])
            .status
            .code(),
        Some(3)
    );
}

#[test]
fn purge_keeps_what_is_needed_and_leaves_a_running_server_alone() {
    let directory = tempfile::tempdir().expect("a directory");
    let name = show(directory.path()).to_owned();
    let nowhere = directory.path().join("typo");
    let out = run(&["purge", "--data-dir", show(&nowhere)]);
    assert_eq!(out.status.code(), Some(3));
    assert!(!nowhere.exists(), "it made a directory");
    let said = text(&out.stderr);
    let wanted = format!("{} holds no version-2", show(&nowhere));
    assert!(said.contains(&wanted) && said.contains("dataDir"), "{said}");
    assert!(!said.contains("autocreate"), "of a server's start: {said}");

    let files = directory.path().join("version-2");
    fs::create_dir(&files).expect("made");
    for zxid in ["1", "2", "3", "4", "5"] {
        fs::copy(
            fixture("snapshot.0"),
            files.join(format!("snapshot.{zxid}")),
        )
        .expect("copied");
    }
    fs::copy(fixture("log.1"), files.join("log.1")).expect("copied");
    fs::copy(fixture("log.1"), files.join("log.3")).expect("copied");
    // One directory by two names is one.
    let again = directory.path().join("version-2/..");
    let arguments = ["purge", "--data-dir", &name, "-n", "3"];
    let out = run(&[&arguments[..], &["--data-log-dir", show(&again)]].concat());
    assert_eq!(out.status.code(), Some(0), "{}", text(&out.stderr));
    let there = |file: &str| files.join(file).exists();
    assert!(!there("snapshot.1") && !there("snapshot.2") && !there("log.1"));
    assert!(there("snapshot.3") && there("snapshot.4") && there("snapshot.5") && there("log.3"));
    assert!(
        text(&out.stdout).ends_with("3 files removed\n"),
        "{}",
        text(&out.stdout)
    );

    let zookeeper = zabscope_server::Server::builder().start().expect("started");
    let data = zookeeper.directory().join("server.1/data");
    let out = run(&["purge", "--data-dir", show(&data)]);
    assert_eq!(out.status.code(), Some(3));
    assert!(
        text(&out.stderr).contains("is locked"),
        "{}",
        text(&out.stderr)
    );
}

#[test]
fn status_asks_nobody_when_it_is_not_told_whom() {
    for wrong in [
        "::bad:", ",", "/", "a:0", "a:x", "a:65536", "[::1", "[::1]x", "a/b//c",
    ] {
        let out = run(&["status", "--timeout", "1", wrong]);
        let said = text(&out.stderr);
        assert_eq!(out.status.code(), Some(2), "{wrong}: {said}");
        assert!(said.contains(wrong), "{wrong}: {said}");
    }
}

/// A file that is read and has no end yet stands for a large one.
#[test]
fn a_server_that_still_reads_its_files_ends_when_it_is_asked_to() {
    let directory = tempfile::tempdir().expect("a directory");
    fs::create_dir(directory.path().join("version-2")).expect("made");
    let endless = directory.path().join("version-2/acceptedEpoch");
    let made = Command::new("mkfifo").arg(&endless).status();
    assert!(made.expect("mkfifo runs").success());
    let file = directory.path().join("zoo.cfg");
    let lines = format!(
        "admin.enableServer=false\ndataDir={}\nclientPort=0\nclientPortAddress=127.0.0.1\n",
        show(directory.path())
    );
    for signal in ["-TERM", "-INT"] {
        fs::write(&file, &lines).expect("written");
        let (mut running, _out, _err) = Running::start(&["serve", show(&file)]);
        // Opened as soon as the server reads.
        let writer = fs::OpenOptions::new().write(true).open(&endless);
        let writer = writer.expect("opened");
        running.signal(signal);
        assert_eq!(running.end(), Some(0), "{signal}");
        drop(writer);
    }
}

#[test]
fn audit_lines_are_written_at_every_level_and_can_be_told_from_others() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("zoo.cfg");
    let lines = format!(
        "admin.enableServer=false\ndataDir={}\nclientPort=0\nclientPortAddress=127.0.0.1\n\
         audit.enable=true\n",
        show(directory.path())
    );
    fs::write(&file, lines).expect("written");
    for format in ["text", "json"] {
        let arguments = [
            "serve",
            show(&file),
            "--log-level",
            "error",
            "--log-format",
            format,
            "--end-with-stdin",
        ];
        let out = run(&arguments);
        assert_eq!(out.status.code(), Some(0));
        let written = text(&out.stderr);
        let all: Vec<&str> = written.lines().collect();
        assert_eq!(all.len(), 2, "{written}");
        for (line, operation) in all.iter().zip(["serverStart", "serverStop"]) {
            if format == "json" {
                let line: serde_json::Value = serde_json::from_str(line).expect("JSON");
                assert_eq!(line["target"], "audit");
                let said = line["message"].as_str().expect("text");
                assert!(said.starts_with("user="), "{said}");
                assert!(
                    said.contains(&format!("\toperation={operation}\t")),
                    "{said}"
                );
            } else {
                assert!(line.contains(" INFO audit: user="), "{line}");
                assert!(
                    line.contains(&format!("\toperation={operation}\t")),
                    "{line}"
                );
            }
        }
    }
}

#[test]
fn who_restored_what_from_where_stands_in_both_logs() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("zoo.cfg");
    let lines = format!(
        "admin.serverPort=0\ndataDir={}\nclientPort=0\nclientPortAddress=127.0.0.1\n\
         audit.enable=true\n",
        show(directory.path())
    );
    fs::write(&file, lines).expect("written");
    let (mut running, _out, err) = Running::start(&["serve", show(&file)]);
    let mut log = BufReader::new(err).lines().map(|line| line.expect("UTF-8"));
    let admin = log.find_map(|line| {
        let (_, at) = line.split_once("administration on http://")?;
        at.strip_suffix("/commands").map(str::to_owned)
    });
    let admin = admin.expect("it says where");
    let ask = |method: &str, command: &str, body: &[u8]| {
        let mut stream = TcpStream::connect(&admin).expect("it accepts");
        let head = format!(
            "{method} /commands/{command} HTTP/1.1\r\nAuthorization: digest me:secret\r\n\
             Content-Length: {}\r\n\r\n",
            body.len()
        );
        let request = [head.as_bytes(), body].concat();
        stream.write_all(&request).expect("it reads");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("it answers");
        answer
    };
    let mut copy = ask("GET", "snapshot", b"");
    let end = copy.windows(4).position(|w| w == b"\r\n\r\n");
    copy.drain(..end.expect("a head") + 4);
    assert!(ask("POST", "restore", b"#!/bin/sh").starts_with(b"HTTP/1.1 400 "));
    assert!(ask("POST", "restore", &copy).starts_with(b"HTTP/1.1 200 "));
    running.signal("-TERM");
    assert_eq!(running.end(), Some(0));
    let log: Vec<String> = log.collect();
    for wanted in [
        &["ERROR audit: user=me\tip=127.0.0.1\toperation=restore\tresult=failure"][..],
        &[" INFO audit: user=me\tip=127.0.0.1\toperation=restore\tresult=success"],
        &[
            " WARN a snapshot was not restored over HTTP",
            "user=\"me\" from=127.0.0.1",
        ],
        &[
            " WARN a snapshot was restored over HTTP",
            "user=\"me\" from=127.0.0.1",
        ],
    ] {
        let all = |line: &String| wanted.iter().all(|part| line.contains(part));
        assert!(log.iter().any(all), "{wanted:?}: {log:#?}");
    }
}

#[test]
fn completions_and_manual_know_every_subcommand() {
    let help = text(&run(&["--help"]).stdout);
    let commands: Vec<&str> = help
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.strip_prefix("  ")?.split_whitespace().next())
        .collect();
    assert!(commands.contains(&"ensemble"), "{help}");
    let script = text(&run(&["completions", "bash"]).stdout);
    let page = text(&run(&["man"]).stdout);
    assert!(page.contains(".TH zabscope 1"), "{page}");
    for command in commands {
        assert!(script.contains(command), "bash does not know {command}");
        assert!(
            page.contains(&format!("zabscope\\-{command}(1)")),
            "{command}: {page}"
        );
    }
    let directory = tempfile::tempdir().expect("a directory");
    assert!(
        run(&["man", "--dir", show(directory.path())])
            .status
            .success()
    );
    assert!(directory.path().join("zabscope-snapshot-check.1").exists());
}

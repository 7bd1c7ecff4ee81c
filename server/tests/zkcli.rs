//! `zabscope cli` beside Apache's zkCli, at Apache's server: the same commands, the same words.
//!
//! Runs where Debian's libzookeeper-java is installed, or where ZABSCOPE_APACHE_JARS names the
//! directory of zookeeper.jar and slf4j-simple.jar.

use std::{
    env, fs,
    io::Write,
    net::{TcpListener, TcpStream},
    path::PathBuf,
    process::{Child, Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

const COMMANDS: &str = include_str!("cli-commands.txt");

/// The class path of Apache's jars, if they and a Java are here.
fn jars() -> Option<String> {
    let dir = env::var_os("ZABSCOPE_APACHE_JARS").unwrap_or_else(|| "/usr/share/java".into());
    let dir = PathBuf::from(dir);
    let jars = ["zookeeper.jar", "slf4j-simple.jar"].map(|jar| dir.join(jar));
    let java = Command::new("java")
        .arg("-version")
        .stderr(Stdio::null())
        .status();
    let here = jars.iter().all(|jar| jar.is_file()) && java.is_ok_and(|s| s.success());
    here.then(|| jars.map(|jar| jar.display().to_string()).join(":"))
}

/// Apache's server on a free port of this machine; it ends with this.
struct Apache {
    child: Child,
    port: u16,
    dir: PathBuf,
    jars: String,
}

impl Apache {
    /// `None` where there is none to start.
    fn start(name: &str) -> Option<Apache> {
        Apache::start_with(name, "", None)
    }

    /// With these lines in its configuration, and with a JAAS file.
    fn start_with(name: &str, lines: &str, jaas: Option<&str>) -> Option<Apache> {
        let Some(jars) = jars() else {
            eprintln!("skipped: Apache's jars are not here");
            return None;
        };
        let dir = env::temp_dir().join(format!("zabscope-{name}-{}", std::process::id()));
        fs::create_dir_all(&dir).expect("a directory");
        let free = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = free.local_addr().expect("bound").port();
        drop(free);
        let config = format!(
            "tickTime=2000\ndataDir={}\nclientPort={port}\nclientPortAddress=127.0.0.1\nadmin.enableServer=false\n{lines}",
            dir.display()
        );
        let login = jaas.map(|text| {
            let file = dir.join("jaas.conf");
            fs::write(&file, text).expect("a file");
            format!("-Djava.security.auth.login.config={}", file.display())
        });
        let file = dir.join("zoo.cfg");
        fs::write(&file, config).expect("a file");
        let child = Command::new("java")
            .args([
                "-Dzookeeper.extendedTypesEnabled=true",
                "-Dorg.slf4j.simpleLogger.defaultLogLevel=error",
            ])
            .args(login)
            .args([
                "-cp",
                &jars,
                "org.apache.zookeeper.server.quorum.QuorumPeerMain",
            ])
            .arg(&file)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("java starts");
        let apache = Apache {
            child,
            port,
            dir,
            jars,
        };
        let began = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(
                began.elapsed() < Duration::from_secs(30),
                "Apache's server does not start"
            );
            thread::sleep(Duration::from_millis(50));
        }
        // It accepts connections before it serves; our client waits for that.
        let serves = apache.ours(&["ls", "/"], "");
        assert!(serves.status.success(), "{}", text(&serves.stderr));
        Some(apache)
    }

    fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    fn zkcli(&self, lines: &str) -> Output {
        self.zkcli_with(&[], lines)
    }

    fn zkcli_with(&self, flags: &[String], lines: &str) -> Output {
        let mut command = Command::new("java");
        command
            .arg("-Dorg.slf4j.simpleLogger.defaultLogLevel=off")
            .args(flags)
            .args([
                "-cp",
                &self.jars,
                "org.apache.zookeeper.ZooKeeperMain",
                "-server",
            ])
            .arg(self.address());
        talk(command, lines)
    }

    fn ours(&self, arguments: &[&str], lines: &str) -> Output {
        self.ours_with(&[], arguments, lines)
    }

    fn ours_with(&self, flags: &[String], arguments: &[&str], lines: &str) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_zabscope"));
        command
            .env("CLIENT_JVMFLAGS", flags.join(" "))
            .arg("cli")
            .args(["--server", &self.address()])
            .args(arguments);
        talk(command, lines)
    }
}

impl Drop for Apache {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.dir);
    }
}

/// Runs a program with these lines on its stdin.
fn talk(mut command: Command, lines: &str) -> Output {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut stdin = child.stdin.take().expect("piped");
    stdin.write_all(lines.as_bytes()).expect("it reads");
    drop(stdin);
    child.wait_with_output().expect("it ends")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Output without what must differ: zxids and times; events that Java tells in the order of a hash
/// table are sorted; 3.9 adds the zxid to events.
fn comparable(out: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for line in out.lines().filter(|l| !l.starts_with("JLine support")) {
        let line = line.split(" zxid: ").next().unwrap_or_default();
        let changing = ["cZxid = ", "mZxid = ", "pZxid = ", "ctime = ", "mtime = "];
        lines.push(match changing.iter().find(|c| line.starts_with(**c)) {
            Some(name) if name.ends_with("xid = ") => {
                assert!(line[name.len()..].starts_with("0x"), "{line}");
                (*name).to_owned()
            }
            // Of a date, the shape: Aaa Aaa 00 00:00:00 AAA 0000.
            Some(_) => line
                .chars()
                .map(|c| match c {
                    'a'..='z' => 'a',
                    'A'..='Z' => 'A',
                    '0'..='9' => '0',
                    c => c,
                })
                .collect(),
            None => line.to_owned(),
        });
    }
    // What a watch tells stands on another thread: between which lines its two pieces come, and whether a
    // line of a command comes between them, is nobody's promise. They are compared by themselves.
    let mut told = Vec::new();
    while let Some(at) = lines
        .iter()
        .position(|line| line == "WATCHER::" || line.starts_with("WatchedEvent"))
    {
        let begin = at - usize::from(at > 0 && lines[at - 1].is_empty());
        told.extend(lines.drain(begin..=at).filter(|line| line != "WATCHER::"));
    }
    lines.append(&mut told);
    let removed: Vec<usize> = (0..lines.len())
        .filter(|i| lines[*i].contains("WatchRemoved"))
        .collect();
    let mut sorted: Vec<String> = removed.iter().map(|i| lines[*i].clone()).collect();
    sorted.sort();
    for (i, line) in removed.into_iter().zip(sorted) {
        lines[i] = line;
    }
    lines
}

/// What 3.9 says in other words than Debian's 3.8, and what we say better: an error names no Java
/// class, a refused ACL names its path.
fn as_39(line: &str) -> Option<String> {
    if line.starts_with(" -") || line.is_empty() {
        return None;
    }
    let line = line
        .strip_prefix("org.apache.commons.cli.")
        .and_then(|rest| rest.split_once(": "))
        .map_or(line, |(_, message)| message);
    Some(
        line.replace("get [-s] [-w] path", "get [-s] [-w] [-b] [-x] path")
            .replace("set [-s] [-v version] path data", "set path data [-s] [-v version] [-b]")
            .replace("[-c|-d|-a] [-l]", "[-c|-d|-a|-p|-r] [-l]")
            .replace("Acl is not valid : null", "Acl is not valid : /c2")
            .replace(
                "Missing required option: [-n num soft quota, -b bytes soft quota, -N num hard quota, -B bytes hard quota]",
                "setquota -n|-b|-N|-B val path",
            ),
    )
}

#[track_caller]
fn same(ours: &[String], apaches: &[String]) {
    for (i, (o, a)) in ours.iter().zip(apaches).enumerate() {
        assert_eq!(
            o,
            a,
            "line {i}; before it: {:#?}",
            &ours[i.saturating_sub(4)..i]
        );
    }
    assert_eq!(ours.len(), apaches.len());
}

#[test]
fn what_a_watch_tells_is_compared_apart_from_the_lines_that_it_falls_between() {
    let apart = "a\n\nWATCHER::\n\nWatchedEvent state:Closed\nNot connected\nb\n";
    let between = "a\n\nWATCHER::\nNot connected\n\nWatchedEvent state:Closed\nb\n";
    same(&comparable(apart), &comparable(between));
}

#[test]
fn commands_print_what_zkcli_prints() {
    let Some(apache) = Apache::start("zkcli") else {
        return;
    };
    let lines = COMMANDS.replace("ADDRESS", &apache.address());
    let theirs = apache.zkcli(&lines);
    let ours = apache.ours(&[], &lines);
    same(
        &comparable(&text(&ours.stdout)),
        &comparable(&text(&theirs.stdout)),
    );
    let errors = |bytes: &[u8]| -> Vec<String> { text(bytes).lines().filter_map(as_39).collect() };
    same(&errors(&ours.stderr), &errors(&theirs.stderr));
    assert!(
        text(&theirs.stdout).lines().count() > 150,
        "the script was cut short"
    );
    assert_eq!(ours.status.code(), theirs.status.code());
}

#[test]
fn one_command_alone_prints_only_its_own_output_and_says_by_its_code_how_it_went() {
    let Some(apache) = Apache::start("oneshot") else {
        return;
    };
    let run = |arguments: &[&str]| {
        let out = apache.ours(arguments, "");
        (out.status.code(), text(&out.stdout), text(&out.stderr))
    };
    let said = |code, out: &str, err: &str| (Some(code), out.to_owned(), err.to_owned());
    assert_eq!(run(&["create", "/a", "x y"]), said(0, "", "Created /a\n"));
    assert_eq!(run(&["get", "/a"]), said(0, "x y\n", ""));
    assert_eq!(run(&["get", "-b", "/a"]), said(0, "eCB5\n", ""));
    assert_eq!(run(&["set", "-b", "/a", "AAH/"]), said(0, "", ""));
    assert_eq!(
        run(&["get", "/none"]),
        said(1, "", "Node does not exist: /none\n")
    );
    assert_eq!(
        run(&["delete", "-v", "9", "/a"]),
        said(1, "", "version No is not valid : /a\n")
    );
    let (code, out, _) = run(&["--json", "get", "/a"]);
    let json: serde_json::Value = serde_json::from_str(&out).expect("one object");
    assert_eq!(
        (code, &json["data"], &json["dataBase64"]),
        (Some(0), &serde_json::Value::Null, &"AAH/".into())
    );
    assert_eq!(json["stat"]["version"], 1);
    let (code, out, err) = run(&["--json", "ls", "/none"]);
    let json: serde_json::Value = serde_json::from_str(&err).expect("one object");
    assert_eq!(
        (code, out.as_str(), &json["error"], &json["code"]),
        (Some(1), "", &"NoNode".into(), &(-101).into())
    );
}

#[test]
fn cli_proves_who_it_is_to_apaches_server_as_zkcli_does() {
    let module = "org.apache.zookeeper.server.auth.DigestLoginModule required";
    let jaas = format!(
        "Server {{ {module} user_bob=\"secret\"; }};\n\
         Client {{ {module} username=\"bob\" password=\"secret\"; }};\n\
         Liar {{ {module} username=\"bob\" password=\"guess\"; }};\n"
    );
    let provider = "authProvider.1=org.apache.zookeeper.server.auth.SASLAuthenticationProvider\n";
    let Some(apache) = Apache::start_with("sasl", provider, Some(&jaas)) else {
        return;
    };
    let file = apache.dir.join("jaas.conf");
    let bob = vec![format!(
        "-Djava.security.auth.login.config={}",
        file.display()
    )];
    let lines = |path: &str| {
        format!("create {path} data sasl:bob:cdrwa\ngetAcl {path}\nget {path}\nquit\n")
    };
    let theirs = apache.zkcli_with(&bob, &lines("/same"));
    let removed = apache.ours_with(&bob, &["delete", "/same"], "");
    assert_eq!(removed.status.code(), Some(0), "{}", text(&removed.stderr));
    let ours = apache.ours_with(&bob, &[], &lines("/same"));
    let (ours, theirs) = (
        comparable(&text(&ours.stdout)),
        comparable(&text(&theirs.stdout)),
    );
    same(&ours, &theirs);
    let proved = ours
        .iter()
        .filter(|line| line.contains("state:SaslAuthenticated"));
    assert_eq!(proved.count(), 1, "{ours:#?}");
    assert!(ours.iter().any(|line| line == "'sasl,'bob"), "{ours:#?}");

    let nobody = apache.ours(&["get", "/same"], "");
    assert_eq!(text(&nobody.stderr), "Insufficient permission : /same\n");
    let mut liar = bob;
    liar.push("-Dzookeeper.sasl.clientconfig=Liar".to_owned());
    let refused = apache.ours_with(&liar, &["get", "/same"], "");
    let why = text(&refused.stderr);
    assert_eq!(refused.status.code(), Some(1), "{why}");
    assert!(
        why.contains("does not know the user bob with this password"),
        "{why}"
    );
}

#[test]
fn without_a_server_the_exit_code_is_3_in_bounded_time() {
    let free = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = free.local_addr().expect("bound").to_string();
    drop(free);
    let began = Instant::now();
    let out = Command::new(env!("CARGO_BIN_EXE_zabscope"))
        .args(["cli", "--timeout", "500", "--server", &address, "ls", "/"])
        .output()
        .expect("it starts");
    assert_eq!(out.status.code(), Some(3), "{}", text(&out.stderr));
    assert!(
        text(&out.stderr).contains(&address),
        "{}",
        text(&out.stderr)
    );
    assert!(began.elapsed() < Duration::from_secs(10));
}

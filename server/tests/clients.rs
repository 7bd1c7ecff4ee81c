//! `zabscope cli` and `zabscope status` at servers that want to know who asks, or speak TLS: real
//! processes on 127.0.0.1.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};
use tempfile::TempDir;
use zabscope_server::{Server, embedded::Ensemble};

/// The longest that anything may take on a machine that is busy.
const LIMIT: Duration = Duration::from_secs(90);
const PROVIDER: &str = "org.apache.zookeeper.server.auth.SASLAuthenticationProvider";

fn zabscope(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_zabscope"));
    command
        .args(arguments)
        .env_remove("CLIENT_JVMFLAGS")
        .env_remove("SERVER_JVMFLAGS")
        .stdin(Stdio::null());
    command
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

/// Exit code, stdout and stderr.
fn said(mut command: Command) -> (Option<i32>, String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().expect("the binary runs");
    (status.code(), text(&stdout), text(&stderr))
}

fn show(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

/// Files of one test.
struct Files(TempDir);

impl Files {
    fn new() -> Files {
        Files(TempDir::new().expect("a directory"))
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, text).expect("a file");
        path
    }

    /// A JAAS file of a server that knows bob, and of clients.
    fn jaas(&self) -> PathBuf {
        let module = "org.apache.zookeeper.server.auth.DigestLoginModule required";
        let text = format!(
            "Server {{ {module} user_bob=\"secret\"; }};\n\
             Client {{ {module} username=\"bob\" password=\"secret\"; }};\n\
             Liar {{ {module} username=\"bob\" password=\"guess\"; }};\n"
        );
        self.write("jaas.conf", &text)
    }

    /// The file of a client with that JAAS file and these lines.
    fn client(&self, name: &str, lines: &str) -> PathBuf {
        let login = show(&self.jaas()).to_owned();
        let text = format!("java.security.auth.login.config={login}\n{lines}");
        self.write(name, &text)
    }
}

/// A server that knows bob, and serves only who has said who it is.
fn strict(files: &Files) -> Ensemble {
    let server = Server::builder()
        .set("java.security.auth.login.config", show(&files.jaas()))
        .set("authProvider.1", PROVIDER)
        .set("sessionRequireClientSASLAuth", "true")
        .start()
        .expect("started");
    server.wait_until_serving(LIMIT).expect("it serves");
    server
}

#[test]
fn cli_says_who_it_is_by_the_jaas_file_of_its_configuration_or_of_the_environment() {
    let files = Files::new();
    let server = strict(&files);
    let at = server.connect_string();
    let file = files.client("client.cfg", "");
    let cli = |words: &[&str]| {
        let mut command = zabscope(&["cli", "--server", &at]);
        command.args(words);
        command
    };
    let with = ["--client-configuration", show(&file)];
    let create = ["create", "/a", "data", "sasl:bob:cdrwa"];
    let (code, _, err) = said(cli(&[&with[..], &create].concat()));
    assert_eq!((code, err.as_str()), (Some(0), "Created /a\n"));
    let mut by_environment = cli(&["get", "/a"]);
    let login = format!("-Djava.security.auth.login.config={}", show(&files.jaas()));
    by_environment.env("CLIENT_JVMFLAGS", format!("-Xmx64m {login}"));
    let out = said(by_environment);
    assert_eq!(out, (Some(0), "data\n".to_owned(), String::new()));
    let (code, out, err) = said(cli(&["get", "/a"]));
    assert_eq!((code, out.as_str()), (Some(1), ""), "{err}");
    assert!(err.contains("client failed to authenticate"), "{err}");
}

#[test]
fn cli_ends_with_1_and_the_reason_where_sasl_fails_and_with_2_where_its_files_are_wrong() {
    let files = Files::new();
    let server = strict(&files);
    let other = Server::builder().start().expect("started");
    other.wait_until_serving(LIMIT).expect("it serves");
    let (strict, open) = (server.connect_string(), other.connect_string());
    let liar = files.client("liar.cfg", "zookeeper.sasl.clientconfig=Liar\n");
    let bob = files.client("bob.cfg", "");
    let none = files.client("none.cfg", "zookeeper.sasl.clientconfig=None\n");
    let off = files.client("off.cfg", "zookeeper.sasl.client=false\n");
    let run = |at: &str, file: &Path, words: &[&str]| {
        let mut command = zabscope(&["cli", "--server", at, "--client-configuration", show(file)]);
        command.args(words);
        said(command)
    };
    let began = Instant::now();
    for (at, file, code, says) in [
        (
            &strict,
            &liar,
            1,
            format!("{strict}: this server does not know the user bob"),
        ),
        (&open, &bob, 1, format!("{open}: this server has no SASL")),
        (&strict, &none, 2, "there is no section None".to_owned()),
    ] {
        let (ended, out, err) = run(at, file, &["ls", "/"]);
        assert_eq!((ended, out.as_str()), (Some(code), ""), "{err}");
        assert!(err.contains(&says), "{err}");
        assert!(!err.contains("guess") && err.lines().count() == 1, "{err}");
    }
    assert!(
        began.elapsed() < Duration::from_secs(25),
        "it does not wait for a better answer"
    );
    let (ended, out, _) = run(&open, &off, &["ls", "/"]);
    assert_eq!((ended, out.as_str()), (Some(0), "[zookeeper]\n"));
    let (ended, _, err) = run(&strict, &liar, &["--json", "ls", "/"]);
    let json: serde_json::Value = serde_json::from_str(&err).expect("one object");
    assert_eq!((ended, &json["error"]), (Some(1), &"AuthFailed".into()));
    assert_eq!(json["code"], -115);
}

/// A process that does not outlive its test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_shell_says_who_it_is_again_when_its_server_comes_back() {
    let files = Files::new();
    let mut server = strict(&files);
    let at = server.connect_string();
    let file = files.client("client.cfg", "");
    let mut command = zabscope(&[
        "cli",
        "--server",
        &at,
        "--client-configuration",
        show(&file),
    ]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut shell = Running(command.spawn().expect("the binary runs"));
    let mut stdin = shell.0.stdin.take().expect("piped");
    let stdout = BufReader::new(shell.0.stdout.take().expect("piped"));
    let mut lines = stdout.lines().map(|line| line.expect("UTF-8"));
    let mut until = |what: &str| {
        let mut before = Vec::new();
        for line in lines.by_ref() {
            if line.contains(what) {
                return;
            }
            before.push(line);
        }
        panic!("no {what} in {before:#?}");
    };
    let mut say = |line: &str| writeln!(stdin, "{line}").expect("it reads");
    say("create /a data sasl:bob:cdrwa");
    say("get /a");
    until("state:SaslAuthenticated");
    until("data");
    server.stop(1).expect("stopped");
    until("state:Disconnected");
    server.restart(1).expect("started");
    until("state:SaslAuthenticated");
    say("get /a");
    until("data");
    say("quit");
    drop(stdin);
    let code = shell.0.wait().expect("ours").code();
    assert_eq!(code, Some(0));
}

/// An authority's certificate, and a key store in PEM that it has signed for this machine.
fn certificates(files: &Files, name: &str) -> [PathBuf; 2] {
    let key = || KeyPair::generate().expect("a key");
    let mut params = CertificateParams::new(Vec::new()).expect("parameters");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
        .distinguished_name
        .push(DnType::CommonName, format!("{name}'s authority"));
    let issuer = CertifiedIssuer::self_signed(params, key()).expect("a certificate");
    let own = key();
    let params = CertificateParams::new(["127.0.0.1".to_owned()]).expect("names");
    let certificate = params.signed_by(&own, &issuer).expect("a certificate");
    let pem = certificate.pem() + &own.serialize_pem();
    [
        files.write(&format!("{name}.ca.pem"), &issuer.pem()),
        files.write(&format!("{name}.pem"), &pem),
    ]
}

#[test]
fn status_and_cli_reach_a_server_that_has_a_port_for_tls_only() {
    let files = Files::new();
    let [ca, key] = certificates(&files, "ours");
    let [stranger, _] = certificates(&files, "theirs");
    let port = TcpListener::bind("127.0.0.1:0").expect("a port");
    let at = port.local_addr().expect("bound").to_string();
    let number = port.local_addr().expect("bound").port();
    drop(port);
    let stores = |ca: &Path, prefix: &str| {
        format!(
            "{prefix}ssl.keyStore.location={}\n{prefix}ssl.trustStore.location={}\n",
            show(&key),
            show(ca)
        )
    };
    let config = format!(
        "dataDir={}\nsecureClientPort={number}\nsecureClientPortAddress=127.0.0.1\n\
         admin.enableServer=false\nauthProvider.1={PROVIDER}\nsessionRequireClientSASLAuth=true\n\
         java.security.auth.login.config={}\n{}",
        show(files.0.path()),
        show(&files.jaas()),
        stores(&ca, "")
    );
    let config = files.write("zoo.cfg", &config);
    let mut serve = zabscope(&["serve", show(&config)]);
    serve.stdout(Stdio::null()).stderr(Stdio::null());
    let _server = Running(serve.spawn().expect("the binary runs"));

    let secure = "zookeeper.client.secure=true\n";
    let client = files.client(
        "client.cfg",
        &(secure.to_owned() + &stores(&ca, "zookeeper.")),
    );
    let status = |file: &Path| {
        said(zabscope(&[
            "status",
            "--client-configuration",
            show(file),
            &at,
        ]))
    };
    let began = Instant::now();
    loop {
        let (code, out, err) = status(&client);
        if code == Some(0) {
            assert!(out.contains("standalone"), "{out}");
            break;
        }
        assert!(began.elapsed() < LIMIT, "{out}{err}");
        thread::sleep(Duration::from_millis(50));
    }
    // By the environment.
    let flags: Vec<String> = [secure.trim().to_owned()]
        .into_iter()
        .chain(stores(&ca, "zookeeper.").lines().map(str::to_owned))
        .map(|line| format!("-D{line}"))
        .collect();
    let mut by_environment = zabscope(&["status", "--json", &at]);
    by_environment.env("CLIENT_JVMFLAGS", flags.join(" "));
    let (code, out, _) = said(by_environment);
    assert_eq!(code, Some(0), "{out}");
    assert!(out.contains("\"mode\": \"standalone\""), "{out}");

    // Why it is not reached.
    let (code, out, _) = said(zabscope(&["status", &at]));
    assert_eq!(code, Some(3), "{out}");
    assert!(out.contains("--client-configuration"), "{out}");
    let wrong = files.write(
        "wrong.cfg",
        &(secure.to_owned() + &stores(&stranger, "zookeeper.")),
    );
    let (code, out, _) = status(&wrong);
    assert_eq!(code, Some(3), "{out}");
    assert!(
        out.contains("nobody in the trust store has issued its certificate"),
        "{out}"
    );
    let (code, _, err) = status(&files.0.path().join("none.cfg"));
    assert_eq!(code, Some(2), "{err}");
    assert!(err.contains("none.cfg: can't be read"), "{err}");

    // TLS and SASL together.
    let words = [
        "cli",
        "--server",
        &at,
        "--client-configuration",
        show(&client),
    ];
    let mut cli = zabscope(&words);
    cli.args(["ls", "/"]);
    assert_eq!(
        said(cli),
        (Some(0), "[zookeeper]\n".to_owned(), String::new())
    );
}

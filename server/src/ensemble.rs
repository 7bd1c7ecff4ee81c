//! `zabscope ensemble`: several servers on this machine, each a process of its own.
//!
//! No child outlives this process, however that ends: each reads its standard input, a pipe whose other
//! end only this process has, and ends when that is closed.

use crate::probe::{self, Report, State};
use clap::Args;
use std::{
    fs::{self, File},
    io::{self, IsTerminal},
    net::{TcpListener, TcpStream},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, ExitCode, Stdio},
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::{Duration, Instant},
};
use tempfile::TempDir;
use zabscope_core::members::HostPort;
use zabscope_server::layout::{self, Place, listen_anywhere};

/// How it ended. Kept by docs/operating.md.
mod exit {
    /// It was asked to end, and did.
    pub const ASKED: u8 = 0;
    /// It did not come to serve, or all servers ended by themselves.
    pub const FAILED: u8 = 1;
    /// It could not start: the directory, a port.
    pub const START: u8 = 3;
}

/// How often the table is made anew.
const REFRESH: Duration = Duration::from_secs(1);
/// How long one server may take for its line of the table.
const ANSWER: Duration = Duration::from_millis(800);
/// How long the servers are given to end before they are killed.
const FAREWELL: Duration = Duration::from_secs(10);

/// How often ports are chosen anew that something else takes.
const ATTEMPTS: usize = 4;
/// How long the servers are given to listen.
const LISTENING: Duration = Duration::from_secs(10);
/// The exit code of a server that can't have a port, among other things.
const NO_START: i32 = 3;

/// How many, and where.
#[derive(Args)]
pub struct Options {
    /// How many servers.
    #[arg(short = 'n', long = "servers", default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..))]
    servers: u8,
    /// Where they keep their files; without it, in a temporary directory that is removed at the end. An
    /// ensemble that is there already is continued.
    #[arg(long)]
    dir: Option<PathBuf>,
    /// The first server's client port; the others follow. Without it, free ports.
    #[arg(long)]
    port: Option<u16>,
    /// No table: prints the connect string on a line of its own as soon as all of them serve.
    #[arg(long)]
    no_table: bool,
    /// With --no-table: seconds that they may take for it.
    #[arg(long, default_value_t = 60)]
    wait: u64,
    /// A key of zoo.cfg and its value, for all of them. Can be repeated.
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
}

/// One of the processes.
struct Member {
    place: Place,
    child: Child,
    ended: Option<String>,
}

impl Member {
    fn log(&self) -> PathBuf {
        self.place.directory.join("log")
    }

    /// Looks whether it has ended by itself.
    fn look(&mut self) -> Option<&str> {
        if self.ended.is_none()
            && let Ok(Some(status)) = self.child.try_wait()
        {
            self.ended = Some(status.to_string());
        }
        self.ended.as_deref()
    }
}

/// All of them; they end with this.
struct Members(Vec<Member>);

impl Members {
    fn end(&mut self, hurry: &mpsc::Receiver<()>) {
        for member in &mut self.0 {
            // Closing this is what tells it.
            drop(member.child.stdin.take());
        }
        let until = Instant::now() + FAREWELL;
        while self.0.iter_mut().any(|member| member.look().is_none()) {
            let asked_again = hurry.recv_timeout(Duration::from_millis(20)).is_ok();
            if asked_again || Instant::now() >= until {
                break;
            }
        }
    }
}

impl Drop for Members {
    fn drop(&mut self) {
        for member in &mut self.0 {
            if member.look().is_none() {
                let _ = member.child.kill();
                let _ = member.child.wait();
            }
        }
    }
}

/// Runs an ensemble until it is asked to end.
pub fn run(options: &Options) -> ExitCode {
    match start(options) {
        Ok((members, directory)) => {
            let code = follow(options, members, directory.path());
            ExitCode::from(code)
        }
        Err(error) => {
            eprintln!("zabscope ensemble: {error}");
            ExitCode::from(exit::START)
        }
    }
}

/// Where the files are.
enum Directory {
    Given(PathBuf),
    Temporary(TempDir),
}

impl Directory {
    fn path(&self) -> &Path {
        match self {
            Directory::Given(path) => path,
            Directory::Temporary(temporary) => temporary.path(),
        }
    }
}

fn start(options: &Options) -> io::Result<(Members, Directory)> {
    let directory = match &options.dir {
        Some(given) => {
            fs::create_dir_all(given)
                .map_err(|e| io::Error::new(e.kind(), format!("{}: {e}", given.display())))?;
            let given = fs::canonicalize(given)?;
            check_count(&given, options.servers)?;
            Directory::Given(given)
        }
        None => Directory::Temporary(TempDir::with_prefix("zabscope-")?),
    };
    for _ in 1..ATTEMPTS {
        let mut members = spawn(options, directory.path())?;
        if options.port.is_some() || !lost_a_port(&mut members) {
            return Ok((members, directory));
        }
    }
    Ok((spawn(options, directory.path())?, directory))
}

/// Waits until all of them listen. Whether one could not, because something else took its port between
/// the choice and the start.
fn lost_a_port(members: &mut Members) -> bool {
    let until = Instant::now() + LISTENING;
    loop {
        let mut all = true;
        for member in &mut members.0 {
            if let Ok(Some(status)) = member.child.try_wait() {
                return status.code() == Some(NO_START);
            }
            all &= TcpStream::connect(member.place.client_address()).is_ok();
        }
        if all || Instant::now() >= until {
            return false;
        }
        thread::sleep(Duration::from_millis(10));
    }
}

fn spawn(options: &Options, directory: &Path) -> io::Result<Members> {
    let places = places(options, directory)?;
    let settings = [
        ("tickTime", "2000".to_owned()),
        ("initLimit", "10".into()),
        ("syncLimit", "5".into()),
        // They listen on 127.0.0.1 only.
        ("4lw.commands.whitelist", "*".into()),
        ("admin.enableServer", "false".into()),
    ];
    layout::write(&places, &settings)?;
    let program = std::env::current_exe()?;
    let mut members = Members(Vec::new());
    for place in places {
        let log = File::options()
            .create(true)
            .append(true)
            .open(place.directory.join("log"))?;
        let mut command = Command::new(&program);
        command
            .arg("serve")
            .arg(place.file())
            .arg("--end-with-stdin");
        for set in &options.set {
            command.arg("--set").arg(set);
        }
        let child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(log)
            // Ctrl-C is for this process, which ends the others in order.
            .process_group(0)
            .spawn()?;
        members.0.push(Member {
            place,
            child,
            ended: None,
        });
    }
    Ok(members)
}

fn check_count(directory: &Path, servers: u8) -> io::Result<()> {
    let mut there = 0;
    for entry in fs::read_dir(directory)? {
        let name = entry?.file_name();
        let id = name.to_str().and_then(|name| name.strip_prefix("server."));
        if id.is_some_and(|id| id.parse::<u8>().is_ok()) {
            there += 1;
        }
    }
    if there == 0 || there == usize::from(servers) {
        return Ok(());
    }
    Err(io::Error::other(format!(
        "{} holds an ensemble of {there}: say -n {there}, or choose another directory",
        directory.display()
    )))
}

fn places(options: &Options, directory: &Path) -> io::Result<Vec<Place>> {
    // All are held until all are chosen, so that none is chosen twice.
    let mut held: Vec<TcpListener> = Vec::new();
    let mut free = || -> io::Result<u16> {
        let (listener, port) = listen_anywhere()?;
        held.push(listener);
        Ok(port)
    };
    let mut places = Vec::new();
    for id in 1..=options.servers {
        let client_port = match options.port {
            Some(first) => first.checked_add(u16::from(id) - 1).ok_or_else(|| {
                io::Error::other(format!("--port {first}: there are no ports above 65535"))
            })?,
            None => free()?,
        };
        places.push(Place {
            id,
            directory: directory.join(format!("server.{id}")),
            client_port,
            peer_ports: [free()?, free()?],
        });
    }
    Ok(places)
}

fn follow(options: &Options, mut members: Members, directory: &Path) -> u8 {
    let asked = match asked_to_end() {
        Ok(asked) => asked,
        Err(error) => {
            eprintln!("zabscope ensemble: signals can't be waited for: {error}");
            return exit::START;
        }
    };
    let servers: Vec<HostPort> = members.0.iter().map(|m| m.place.client()).collect();
    let names: Vec<String> = members
        .0
        .iter()
        .map(|m| format!("{} {}", m.place.id, m.place.client_address()))
        .collect();
    let mut screen = Screen::new(options.no_table);
    let shown: Vec<String> = servers.iter().map(HostPort::to_string).collect();
    let connect_string = shown.join(",");
    screen.say(&format!(
        "connect string  {connect_string}\nfiles and logs  {}\nCtrl-C ends it\n\n",
        directory.display()
    ));
    let until = Instant::now() + Duration::from_secs(options.wait);
    let mut announced = !options.no_table;
    let mut pause = Duration::from_millis(100);
    loop {
        match asked.recv_timeout(pause) {
            Ok(()) | Err(RecvTimeoutError::Disconnected) => {
                members.end(&asked);
                return exit::ASKED;
            }
            Err(RecvTimeoutError::Timeout) => {}
        }
        let mut notes = Vec::new();
        for member in &mut members.0 {
            let (id, log) = (member.place.id, member.log());
            if let Some(how) = member.look() {
                notes.push(format!(
                    "server {id} has ended ({how}); see {}",
                    log.display()
                ));
            }
        }
        let all_ended = notes.len() == members.0.len();
        if !announced || !options.no_table {
            let reports = probe::ask_all(&servers, None, ANSWER);
            let serving = reports.iter().all(|r| r.state == State::Serving);
            if !announced && serving {
                announced = true;
                crate::output::print(&format!("{connect_string}\n"));
            }
            screen.show(&reports, &names, &notes);
            if serving {
                pause = REFRESH;
            }
        }
        if options.no_table {
            screen.tell(&notes);
        }
        if all_ended || (!announced && (Instant::now() >= until || !notes.is_empty())) {
            let why = match all_ended {
                true => "no server is left",
                false => "they do not all serve",
            };
            eprintln!("zabscope ensemble: {why}; the logs are kept only with --dir");
            for note in &notes {
                eprintln!("{note}");
            }
            show_logs(&mut members);
            members.end(&asked);
            return exit::FAILED;
        }
    }
}

/// The last lines of each log of a server that has ended: its directory may be gone in a moment.
fn show_logs(members: &mut Members) {
    for member in &mut members.0 {
        if member.look().is_none() {
            continue;
        }
        // A server that ends at its start has written little.
        let text = fs::read_to_string(member.log()).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        for line in &lines[lines.len().saturating_sub(5)..] {
            eprintln!("  {}: {line}", member.place.id);
        }
    }
}

/// What has been printed, and how to replace it.
struct Screen {
    silent: bool,
    terminal: bool,
    last: String,
    told: usize,
}

impl Screen {
    fn new(silent: bool) -> Screen {
        Screen {
            silent,
            terminal: io::stdout().is_terminal(),
            last: String::new(),
            told: 0,
        }
    }

    fn say(&self, text: &str) {
        if !self.silent {
            crate::output::print(text);
        }
    }

    /// The table: in a terminal over the one before, elsewhere below it when it has changed.
    fn show(&mut self, reports: &[Report], names: &[String], notes: &[String]) {
        if self.silent {
            return;
        }
        let mut text = probe::table(reports, Some(names));
        for note in notes {
            text.push_str(note);
            text.push('\n');
        }
        if text == self.last {
            return;
        }
        let lines = self.last.lines().count();
        match (self.terminal, lines) {
            (true, 1..) => self.say(&format!("\x1b[{lines}A\x1b[J{text}")),
            _ => self.say(&text),
        }
        self.last = text;
    }

    /// Without a table: each note once.
    fn tell(&mut self, notes: &[String]) {
        if notes.len() > self.told {
            for note in notes {
                eprintln!("{note}");
            }
            self.told = notes.len();
        }
    }
}

/// One message for each SIGINT, SIGTERM or SIGHUP.
fn asked_to_end() -> io::Result<mpsc::Receiver<()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let entered = runtime.enter();
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    drop(entered);
    let (tell, asked) = mpsc::channel();
    thread::Builder::new()
        .name("signals".into())
        .spawn(move || {
            runtime.block_on(async {
                loop {
                    tokio::select! {
                        _ = interrupt.recv() => {}
                        _ = terminate.recv() => {}
                        _ = hangup.recv() => {}
                    }
                    if tell.send(()).is_err() {
                        return;
                    }
                }
            });
        })?;
    Ok(asked)
}

//! Server processes with a zoo.cfg in a directory of their own, on free ports of 127.0.0.1. They end
//! with their handle, by their own process id, and their log is part of every failure.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use crate::{apache, port, word};

/// The longest that a server, or an ensemble, may take from its start to its first answer.
const START_LIMIT: Duration = Duration::from_secs(60);
/// How many lines of a log a failure shows.
const LOG_LINES: usize = 60;

/// Whose server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Apache ZooKeeper 3.8.0 of Debian 12.
    Apache,
    /// `zabscope serve`.
    Ours,
}

impl Kind {
    /// The one that is tested: ours, or Apache's if the variable `ZABSCOPE_SERVER` is `apache`, which
    /// shows that a test asks for nothing that Apache does not do.
    pub fn tested() -> Result<Self> {
        match std::env::var("ZABSCOPE_SERVER").as_deref() {
            Ok("apache") => Ok(Self::Apache),
            Ok("ours") | Err(_) => Ok(Self::Ours),
            Ok(other) => bail!("ZABSCOPE_SERVER is `{other}`; it can be `ours` or `apache`"),
        }
    }
}

/// The binary `zabscope`: what `ZABSCOPE_BINARY` names, or what cargo built beside this program.
pub fn binary() -> Result<PathBuf> {
    if let Some(path) = std::env::var_os("ZABSCOPE_BINARY") {
        return Ok(path.into());
    }
    let program = std::env::current_exe().context("where this program is")?;
    let found = program
        .ancestors()
        .skip(1)
        .map(|directory| directory.join(format!("zabscope{}", std::env::consts::EXE_SUFFIX)))
        .take(2)
        .find(|candidate| candidate.is_file());
    found.context("the binary `zabscope` is not built: `cargo build -p zabscope-server`")
}

/// How servers are configured beyond what every one needs.
#[derive(Clone, Debug, Default)]
pub struct Options {
    lines: Vec<(String, String)>,
    properties: Vec<(String, String)>,
}

impl Options {
    /// A line of zoo.cfg. The last one for a key wins, over the defaults here as well.
    pub fn line(mut self, key: &str, value: &str) -> Self {
        self.lines.push((key.to_owned(), value.to_owned()));
        self
    }

    /// A system property, with its whole name: `-D` for Java, the same in SERVER_JVMFLAGS for ours.
    pub fn property(mut self, name: &str, value: &str) -> Self {
        self.properties.push((name.to_owned(), value.to_owned()));
        self
    }
}

/// A directory that goes with its handle, unless a test is failing.
#[derive(Debug)]
pub struct Scratch(PathBuf);

impl Scratch {
    /// An empty directory.
    pub fn new(what: &str) -> Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("zabscope-{}-{number}-{what}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).with_context(|| format!("creating {}", path.display()))?;
        Ok(Self(path))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if !thread::panicking() {
            // What can't be removed stays in the system's temporary directory.
            let _ = fs::remove_dir_all(&self.0);
        }
    }
}

/// One server; it may be down.
#[derive(Debug)]
pub struct Server {
    kind: Kind,
    id: u8,
    client: SocketAddr,
    properties: Vec<(String, String)>,
    directory: Scratch,
    child: Option<Child>,
}

impl Server {
    /// Starts a standalone server and waits until it answers.
    pub fn standalone(kind: Kind, options: &Options) -> Result<Self> {
        let mut server = Self::down(kind, options)?;
        server.start()?;
        server.wait_until_serving(START_LIMIT)?;
        Ok(server)
    }

    /// A standalone server with an empty disk that was not started yet.
    pub fn down(kind: Kind, options: &Options) -> Result<Self> {
        Self::prepare(kind, 1, port::free()?, options, &[])
    }

    fn prepare(
        kind: Kind,
        id: u8,
        client: u16,
        options: &Options,
        members: &[String],
    ) -> Result<Self> {
        let directory = Scratch::new(match kind {
            Kind::Apache => "apache",
            Kind::Ours => "ours",
        })?;
        let data = directory.path().join("data");
        fs::create_dir(&data)?;
        fs::write(data.join("myid"), format!("{id}\n"))?;
        let mut lines = vec![
            ("tickTime".to_owned(), "1000".to_owned()),
            ("initLimit".to_owned(), "10".to_owned()),
            ("syncLimit".to_owned(), "5".to_owned()),
            ("dataDir".to_owned(), data.display().to_string()),
            ("clientPort".to_owned(), client.to_string()),
            ("clientPortAddress".to_owned(), "127.0.0.1".to_owned()),
            ("maxClientCnxns".to_owned(), "0".to_owned()),
            ("admin.enableServer".to_owned(), "false".to_owned()),
            ("4lw.commands.whitelist".to_owned(), "*".to_owned()),
        ];
        for (key, value) in &options.lines {
            lines.retain(|(present, _)| present != key);
            lines.push((key.clone(), value.clone()));
        }
        let mut text = String::new();
        for (key, value) in &lines {
            writeln!(text, "{key}={value}")?;
        }
        for member in members {
            writeln!(text, "{member}")?;
        }
        fs::write(directory.path().join("zoo.cfg"), text)?;
        Ok(Self {
            kind,
            id,
            client: SocketAddr::from((Ipv4Addr::LOCALHOST, client)),
            properties: options.properties.clone(),
            directory,
            child: None,
        })
    }

    /// Whose server this is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Its id in the ensemble.
    pub fn id(&self) -> u8 {
        self.id
    }

    /// Where its clients connect.
    pub fn address(&self) -> SocketAddr {
        self.client
    }

    /// Its directory, with zoo.cfg, `data` and `log`.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Its process, while it is up.
    pub fn process(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// Starts the process. It may answer only later.
    pub fn start(&mut self) -> Result<()> {
        ensure!(self.child.is_none(), "server {} is up already", self.id);
        let flags: Vec<String> = self
            .properties
            .iter()
            .map(|(name, value)| format!("-D{name}={value}"))
            .collect();
        let mut command = match self.kind {
            Kind::Apache => {
                let mut java = apache::java()?;
                java.args(&flags)
                    .arg("org.apache.zookeeper.server.quorum.QuorumPeerMain");
                java
            }
            Kind::Ours => {
                let mut zabscope = Command::new(binary()?);
                zabscope
                    .env("SERVER_JVMFLAGS", flags.join(" "))
                    .arg("serve");
                zabscope
            }
        };
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.directory.path().join("log"))?;
        let child = command
            .arg(self.directory.path().join("zoo.cfg"))
            .current_dir(self.directory.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .with_context(|| match self.kind {
                Kind::Apache => format!("java does not run. {}", apache::advice()),
                Kind::Ours => "the binary `zabscope` does not run".to_owned(),
            })?;
        self.child = Some(child);
        Ok(())
    }

    /// What it does, as it says itself: `standalone`, `leader`, `follower`, `observer`.
    pub fn mode(&self) -> Result<String> {
        word::mode(self.client)
    }

    /// Waits until it serves clients.
    pub fn wait_until_serving(&mut self, limit: Duration) -> Result<()> {
        let deadline = Instant::now() + limit;
        loop {
            let Err(error) = self.mode() else {
                return Ok(());
            };
            if let Some(child) = &mut self.child
                && let Some(status) = child.try_wait()?
            {
                self.child = None;
                bail!("server {} ended with {status}:\n{}", self.id, self.log());
            }
            if Instant::now() > deadline {
                bail!(
                    "server {} does not answer after {limit:?} ({error:#}):\n{}",
                    self.id,
                    self.log()
                );
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Ends the process as a crash would (SIGKILL), and waits for it.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            // It may have ended by itself: then there is nothing left to do.
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Whether the process is there; one that has ended by itself is not.
    pub fn is_up(&mut self) -> bool {
        let up = self
            .child
            .as_mut()
            .is_some_and(|child| matches!(child.try_wait(), Ok(None)));
        if !up {
            self.child = None;
        }
        up
    }

    /// The last lines of what it said.
    pub fn log(&self) -> String {
        let bytes = fs::read(self.directory.path().join("log")).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        let lines: Vec<&str> = text.lines().collect();
        let from = lines.len().saturating_sub(LOG_LINES);
        format!(
            "--- log of server {} ({:?}, {}), its last {} lines\n{}\n---",
            self.id,
            self.kind,
            self.directory.path().display(),
            lines.len() - from,
            lines[from..].join("\n")
        )
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
        if thread::panicking() {
            eprintln!("{}", self.log());
        }
    }
}

/// Several servers that know each other.
#[derive(Debug)]
pub struct Ensemble {
    members: Vec<Server>,
}

impl Ensemble {
    /// Starts `size` voters and waits until all of them serve.
    pub fn start(kind: Kind, size: u8, options: &Options) -> Result<Self> {
        let mut ensemble = Self::prepare(kind, size, options)?;
        ensemble.start_all()?;
        Ok(ensemble)
    }

    /// The members, not started.
    pub fn prepare(kind: Kind, size: u8, options: &Options) -> Result<Self> {
        let mut lines = Vec::new();
        let mut clients = Vec::new();
        for id in 1..=size {
            lines.push(format!(
                "server.{id}=127.0.0.1:{}:{}",
                port::free()?,
                port::free()?
            ));
            clients.push(port::free()?);
        }
        let members = (1..=size)
            .zip(clients)
            .map(|(id, client)| Server::prepare(kind, id, client, options, &lines))
            .collect::<Result<_>>()?;
        Ok(Self { members })
    }

    /// Starts those that are down and waits until all serve.
    pub fn start_all(&mut self) -> Result<()> {
        for member in &mut self.members {
            if !member.is_up() {
                member.start()?;
            }
        }
        self.wait_until_serving(START_LIMIT)
    }

    /// Waits until everyone who is up serves.
    pub fn wait_until_serving(&mut self, limit: Duration) -> Result<()> {
        let deadline = Instant::now() + limit;
        let mut failure = None;
        for member in self
            .members
            .iter_mut()
            .filter(|member| member.child.is_some())
        {
            let left = deadline.saturating_duration_since(Instant::now());
            if let Err(error) = member.wait_until_serving(left) {
                failure = Some(error);
                break;
            }
        }
        match failure {
            None => Ok(()),
            Some(error) => {
                let logs: Vec<String> = self.members.iter().map(Server::log).collect();
                Err(error.context(format!("the ensemble's logs:\n{}", logs.join("\n"))))
            }
        }
    }

    /// The members, by id.
    pub fn members(&self) -> &[Server] {
        &self.members
    }

    /// The members, by id, to be killed or started.
    pub fn members_mut(&mut self) -> &mut [Server] {
        &mut self.members
    }

    /// Every address, with commas, as clients want it.
    pub fn connect_string(&self) -> String {
        let all: Vec<String> = self
            .members
            .iter()
            .map(|m| m.address().to_string())
            .collect();
        all.join(",")
    }

    /// Every address.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.members.iter().map(Server::address).collect()
    }

    /// The index of the member that leads.
    pub fn leader(&self, limit: Duration) -> Result<usize> {
        let deadline = Instant::now() + limit;
        loop {
            let leads =
                |m: &Server| m.child.is_some() && m.mode().is_ok_and(|mode| mode == "leader");
            if let Some(index) = self.members.iter().position(leads) {
                return Ok(index);
            }
            ensure!(Instant::now() < deadline, "nobody leads after {limit:?}");
            thread::sleep(Duration::from_millis(50));
        }
    }
}

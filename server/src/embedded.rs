//! Real servers inside a program, for its tests: [`Server::builder`].
//!
//! ```
//! use std::time::Duration;
//! use zabscope_server::Server;
//!
//! // One server, in a temporary directory, on a free port of 127.0.0.1.
//! let zookeeper = Server::builder().start()?;
//! assert!(zookeeper.connect_string().starts_with("127.0.0.1:"));
//!
//! // Three, and one of them stops.
//! let mut zookeeper = Server::builder()
//!     .servers(3)
//!     .tick(Duration::from_millis(200))
//!     .set("maxClientCnxns", "0")
//!     .start()?;
//! zookeeper.wait_until_serving(Duration::from_secs(30))?;
//! let leader = zookeeper.leader().expect("it serves");
//! zookeeper.kill(leader)?;
//! zookeeper.wait_until_serving(Duration::from_secs(30))?;
//! zookeeper.restart(leader)?;
//! # Ok::<(), zabscope_server::embedded::EmbeddedError>(())
//! ```
//!
//! Everything ends with the handle, and a temporary directory goes with it. All functions block for
//! milliseconds ([`Ensemble::wait_until_serving`] for longer); they may be called from asynchronous code.

use crate::{
    config::{ConfigError, ServerConfig, Sources},
    layout::{self, MOST, Place, listen_anywhere},
    node::Fatal,
    server::{Listeners, Server, StartError},
};
use std::{
    io,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// How long one look at a server may take.
const LOOK: Duration = Duration::from_secs(1);
/// How long a port is waited for that was in use a moment ago.
const PORT: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(5);

/// Why it is not there.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddedError {
    /// Too many, or none.
    #[error("an ensemble of {0} servers is not possible: 1 to {MOST} are")]
    Count(usize),
    /// The directory can't be made or written.
    #[error("{}: {error}", path.display())]
    Directory {
        /// Which.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// No free port.
    #[error("127.0.0.1 has no free port: {0}")]
    Port(io::Error),
    /// A key that was set is wrong.
    #[error("{0}")]
    Config(ConfigError),
    /// A server did not start.
    #[error("server {id}: {error}")]
    Start {
        /// Which.
        id: u8,
        /// Why.
        error: StartError,
    },
    /// A server had ended by itself.
    #[error("server {id} had ended: {error}")]
    Ended {
        /// Which.
        id: u8,
        /// Why.
        error: Fatal,
    },
    /// There is no such server.
    #[error("there is no server {0}")]
    Unknown(u8),
    /// It is running already.
    #[error("server {0} is running already")]
    Running(u8),
    /// They do not serve in time.
    #[error("after {limit:?} not all running servers serve clients: {state}")]
    NotServing {
        /// The time that was given.
        limit: Duration,
        /// What each of them is.
        state: String,
    },
}

/// How servers are to be; [`Builder::start`] starts them.
#[derive(Clone, Debug)]
pub struct Builder {
    servers: usize,
    tick: Duration,
    directory: Option<PathBuf>,
    sets: Vec<String>,
}

impl Default for Builder {
    fn default() -> Self {
        Builder::new()
    }
}

impl Builder {
    /// One server with a tick of 500 ms in a temporary directory.
    #[must_use]
    pub fn new() -> Builder {
        Builder {
            servers: 1,
            tick: Duration::from_millis(500),
            directory: None,
            sets: Vec::new(),
        }
    }

    /// So many servers, 1 to 255; more than one are an ensemble, with ids from 1.
    #[must_use]
    pub fn servers(mut self, servers: usize) -> Builder {
        self.servers = servers;
        self
    }

    /// `tickTime`. A session's time-out is 2 to 20 of them, and an ensemble notices a dead member after
    /// 5 to 10.
    #[must_use]
    pub fn tick(mut self, tick: Duration) -> Builder {
        self.tick = tick;
        self
    }

    /// Keeps the files here, one directory a server, instead of in a temporary directory. What an earlier
    /// ensemble of as many servers left is continued.
    #[must_use]
    pub fn data_dir(mut self, directory: impl Into<PathBuf>) -> Builder {
        self.directory = Some(directory.into());
        self
    }

    /// Any key of zoo.cfg. It goes before what the builder says; ports and directories are the builder's.
    #[must_use]
    pub fn set(mut self, key: &str, value: &str) -> Builder {
        self.sets.push(format!("{key}={value}"));
        self
    }

    /// Starts them. When it returns clients may connect; an ensemble elects its leader meanwhile, see
    /// [`Ensemble::wait_until_serving`].
    ///
    /// # Errors
    /// [`EmbeddedError`]; nothing is left running.
    pub fn start(self) -> Result<Ensemble, EmbeddedError> {
        if self.servers == 0 || self.servers > MOST {
            return Err(EmbeddedError::Count(self.servers));
        }
        let temporary = match self.directory {
            Some(_) => None,
            None => Some(TempDir::with_prefix("zabscope-").map_err(|error| {
                EmbeddedError::Directory {
                    path: std::env::temp_dir(),
                    error,
                }
            })?),
        };
        let directory = match (&self.directory, &temporary) {
            (Some(given), _) => given.clone(),
            (None, Some(temporary)) => temporary.path().to_owned(),
            (None, None) => return Err(EmbeddedError::Count(0)),
        };
        let mut settings = vec![
            ("tickTime", self.tick.as_millis().max(1).to_string()),
            ("initLimit", "20".into()),
            ("syncLimit", "10".into()),
            ("admin.enableServer", "false".into()),
        ];
        if temporary.is_some() {
            // What goes with the process need not outlive a power failure.
            settings.push(("forceSync", "no".into()));
        }
        let mut places = Vec::new();
        let mut sockets = Vec::new();
        for id in (1..=u8::MAX).take(self.servers) {
            let (client, client_port) = listen_anywhere().map_err(EmbeddedError::Port)?;
            let mut listeners = Listeners {
                client: Some(client),
                ..Listeners::default()
            };
            let mut peer_ports = [0; 2];
            if self.servers > 1 {
                let (quorum, quorum_port) = listen_anywhere().map_err(EmbeddedError::Port)?;
                let (election, election_port) = listen_anywhere().map_err(EmbeddedError::Port)?;
                listeners.quorum = Some(quorum);
                listeners.election = Some(election);
                peer_ports = [quorum_port, election_port];
            }
            places.push(Place {
                id,
                directory: directory.join(format!("server.{id}")),
                client_port,
                peer_ports,
            });
            sockets.push(listeners);
        }
        layout::write(&places, &settings).map_err(|error| EmbeddedError::Directory {
            path: directory.clone(),
            error,
        })?;
        let mut ensemble = Ensemble {
            members: Vec::new(),
            sets: self.sets,
            directory,
            _temporary: temporary,
        };
        for (place, listeners) in places.into_iter().zip(sockets) {
            let server = Some(ensemble.start_member(&place, listeners)?);
            ensemble.members.push(Member { place, server });
        }
        Ok(ensemble)
    }
}

#[derive(Debug)]
struct Member {
    place: Place,
    server: Option<Server>,
}

/// Running servers. They end when this is dropped; so does a temporary directory.
#[derive(Debug)]
pub struct Ensemble {
    // Before the directory: its files are closed first.
    members: Vec<Member>,
    sets: Vec<String>,
    directory: PathBuf,
    _temporary: Option<TempDir>,
}

impl Ensemble {
    fn start_member(&self, place: &Place, listeners: Listeners) -> Result<Server, EmbeddedError> {
        let file = place.file();
        let loaded = ServerConfig::load(&Sources {
            file: Some(&file),
            jvm_flags: None,
            sets: &self.sets,
        })
        .map_err(EmbeddedError::Config)?;
        Server::start_on(&loaded.config, listeners).map_err(|error| EmbeddedError::Start {
            id: place.id,
            error,
        })
    }

    /// What a client is given: `host:port` of all servers, separated by commas.
    #[must_use]
    pub fn connect_string(&self) -> String {
        let all: Vec<_> = self
            .members
            .iter()
            .map(|m| m.place.client_address())
            .collect();
        all.join(",")
    }

    /// Where clients reach one of them; it keeps its address when it is stopped and started again.
    ///
    /// # Errors
    /// [`EmbeddedError::Unknown`]
    pub fn address(&self, id: u8) -> Result<SocketAddr, EmbeddedError> {
        let member = self.member(id)?;
        Ok((Ipv4Addr::LOCALHOST, member.place.client_port).into())
    }

    /// The servers' ids, whether they run or not.
    pub fn ids(&self) -> impl Iterator<Item = u8> + '_ {
        self.members.iter().map(|m| m.place.id)
    }

    /// Where the files are: a directory `server.N` each.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The running server of this id.
    #[must_use]
    pub fn server(&self, id: u8) -> Option<&Server> {
        self.member(id).ok()?.server.as_ref()
    }

    /// Who leads and serves; a server on its own leads.
    #[must_use]
    pub fn leader(&self) -> Option<u8> {
        let mut all = self.members.iter();
        all.find(|member| matches!(member.state(), "leader" | "standalone"))
            .map(|member| member.place.id)
    }

    /// Waits until all servers that run serve clients and one of them leads.
    ///
    /// # Errors
    /// [`EmbeddedError::NotServing`] after `limit`.
    pub fn wait_until_serving(&self, limit: Duration) -> Result<(), EmbeddedError> {
        let began = Instant::now();
        loop {
            let states: Vec<_> = self
                .members
                .iter()
                .map(|m| (m.place.id, m.state()))
                .collect();
            let lead = |s: &str| matches!(s, "leader" | "standalone");
            if states.iter().all(|(_, s)| *s != NOT_SERVING)
                && states.iter().filter(|(_, s)| lead(s)).count() == 1
            {
                return Ok(());
            }
            if began.elapsed() >= limit {
                let all: Vec<_> = states.iter().map(|(id, s)| format!("{id} {s}")).collect();
                return Err(EmbeddedError::NotServing {
                    limit,
                    state: all.join(", "),
                });
            }
            thread::sleep(PAUSE);
        }
    }

    /// Stops one in order; it may be stopped already.
    ///
    /// # Errors
    /// [`EmbeddedError::Unknown`]; [`EmbeddedError::Ended`] if it had ended by itself.
    pub fn stop(&mut self, id: u8) -> Result<(), EmbeddedError> {
        self.end(id, Server::stop)
    }

    /// Ends one as if its process had been killed: connections break, and it tells nobody.
    ///
    /// # Errors
    /// As [`Ensemble::stop`].
    pub fn kill(&mut self, id: u8) -> Result<(), EmbeddedError> {
        self.end(id, Server::kill)
    }

    fn end(
        &mut self,
        id: u8,
        end: impl FnOnce(Server) -> Result<(), Fatal>,
    ) -> Result<(), EmbeddedError> {
        let member = self.members.iter_mut().find(|m| m.place.id == id);
        let server = member.ok_or(EmbeddedError::Unknown(id))?.server.take();
        server
            .map_or(Ok(()), end)
            .map_err(|error| EmbeddedError::Ended { id, error })
    }

    /// Starts one that was stopped, on its ports and its files.
    ///
    /// # Errors
    /// [`EmbeddedError::Running`] if it was not; a port that something else has taken meanwhile.
    pub fn restart(&mut self, id: u8) -> Result<(), EmbeddedError> {
        let member = self.member(id)?;
        if member.server.is_some() {
            return Err(EmbeddedError::Running(id));
        }
        let place = member.place.clone();
        let again = |port| listen_again(port).map_err(EmbeddedError::Port).map(Some);
        let mut listeners = Listeners {
            client: again(place.client_port)?,
            ..Listeners::default()
        };
        if self.members.len() > 1 {
            let [quorum, election] = place.peer_ports;
            listeners.quorum = again(quorum)?;
            listeners.election = again(election)?;
        }
        let server = self.start_member(&place, listeners)?;
        if let Some(member) = self.members.iter_mut().find(|m| m.place.id == id) {
            member.server = Some(server);
        }
        Ok(())
    }

    fn member(&self, id: u8) -> Result<&Member, EmbeddedError> {
        let mut all = self.members.iter();
        all.find(|m| m.place.id == id)
            .ok_or(EmbeddedError::Unknown(id))
    }
}

const NOT_SERVING: &str = "not serving";

impl Member {
    fn state(&self) -> &'static str {
        let Some(server) = &self.server else {
            return "stopped";
        };
        server
            .look(LOOK, |view| match view.peer.serving() {
                true => view.peer.mode().name(),
                false => NOT_SERVING,
            })
            .unwrap_or(NOT_SERVING)
    }
}

/// Takes a port again that was given up a moment ago.
fn listen_again(port: u16) -> io::Result<TcpListener> {
    let began = Instant::now();
    loop {
        match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && began.elapsed() < PORT => {
                thread::sleep(PAUSE);
            }
            other => return other,
        }
    }
}

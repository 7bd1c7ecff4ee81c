//! A small blocking client: what `zabscope cli`, `zabscope status` and tests speak to servers with.
//!
//! One thread connects, reads, pings and reconnects; whoever asks writes, and waits for the answer.
//! Every wait has an end.

mod connection;
mod error;
mod event;
mod sasl;
mod settings;
mod watches;
mod wire;
mod word;

pub use error::ClientError;
pub use event::{Event, EventKind, SessionState};
pub use settings::{settings, tls};
pub use word::word;

use crate::{config::HostPort, net::tls::Context, sasl::Credentials};
use connection::{Pending, Shared};
use std::{
    net::Ipv6Addr,
    sync::{Arc, mpsc},
    thread,
    time::{Duration, Instant},
};
use watches::Watches;
use zabscope_core::{
    id::{SessionId, Zxid},
    request::{
        Acl, AddWatchMode, AuthId, Create, CreateMode, CreateOp, Data, ErrorCode, OpResult,
        Request, Response, SetWatches, Stat, WatcherType, Write,
    },
    tree::path,
    wire::client::xid,
};

/// Where to connect, and how long to wait for what.
#[derive(Clone, Debug)]
pub struct Options {
    /// The servers, tried in order.
    pub servers: Vec<HostPort>,
    /// What is put before every path; empty for none.
    pub chroot: String,
    /// The session time-out that is asked for.
    pub session_timeout: Duration,
    /// How long connecting to one server may take, its answer included.
    pub connect_timeout: Duration,
    /// How long an answer, and being connected before asking, may take.
    pub request_timeout: Duration,
    /// Keys and trust, if the servers speak TLS.
    pub tls: Option<Arc<Context>>,
    /// Who this is by SASL DIGEST-MD5, if it is to be proved after each connect.
    pub sasl: Option<Credentials>,
    /// Whether a server without a quorum is good enough.
    pub read_only: bool,
    /// The longest answer that is read, in bytes.
    pub max_buffer: usize,
}

impl Options {
    /// Reads a connect string as Apache's clients do: `host[:port],…[/chroot]`. The port is 2181 if
    /// it is missing.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Options, ClientError> {
        let (hosts, chroot) = match text.find('/') {
            Some(at) => text.split_at(at),
            None => (text, ""),
        };
        let wrong = |why: &str| ClientError::ConnectString(text.to_owned(), why.to_owned());
        let chroot = if chroot == "/" { "" } else { chroot };
        if !chroot.is_empty() && path::validate(chroot).is_err() {
            return Err(wrong("what follows the servers is not a path"));
        }
        let mut servers = Vec::new();
        for host in hosts.split(',').map(str::trim).filter(|h| !h.is_empty()) {
            servers.push(server(host).ok_or_else(|| wrong("a server is host:port"))?);
        }
        if servers.is_empty() {
            return Err(wrong("it names no server"));
        }
        Ok(Options {
            servers,
            chroot: chroot.to_owned(),
            session_timeout: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(5),
            request_timeout: Duration::from_secs(30),
            tls: None,
            sasl: None,
            read_only: false,
            max_buffer: 64 << 20,
        })
    }
}

/// `host`, `host:port`, `[v6]`, `[v6]:port`, or a bare IPv6 address.
fn server(text: &str) -> Option<HostPort> {
    let is_v6 = |host: &str| {
        // Of an address of one network only: fe80::1%eth0.
        let address = host.split_once('%').map_or(host, |(address, _)| address);
        address.parse::<Ipv6Addr>().is_ok()
    };
    let (host, port) = if let Some(inside) = text.strip_prefix('[') {
        let (host, rest) = inside.split_once(']').filter(|(host, _)| is_v6(host))?;
        match rest {
            "" => (host, None),
            rest => (host, Some(rest.strip_prefix(':')?)),
        }
    } else if text.matches(':').count() > 1 {
        (Some(text).filter(|text| is_v6(text))?, None)
    } else {
        match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        }
    };
    let port = match port {
        Some(port) => port.parse().ok().filter(|p: &u16| *p > 0)?,
        None => 2181,
    };
    (!host.is_empty()).then(|| HostPort {
        host: host.to_owned(),
        port,
    })
}

/// A session with an ensemble. It ends when this is dropped.
#[derive(Debug)]
pub struct Client {
    shared: Arc<Shared>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Client {
    /// Begins to connect; `listener` is told of the session's state and of watches, by the client's
    /// own thread. Requests wait for the connection.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub fn start(
        options: Options,
        listener: impl Fn(&Event) + Send + Sync + 'static,
    ) -> Result<Client, ClientError> {
        let shared = Arc::new(Shared::new(options, Box::new(listener)));
        let of_thread = Arc::clone(&shared);
        let thread = thread::Builder::new()
            .name("zk-client".to_owned())
            .spawn(move || of_thread.run())
            .map_err(|e| ClientError::Thread(e.to_string()))?;
        Ok(Client {
            shared,
            thread: Some(thread),
        })
    }

    /// Begins a session and waits until it is there.
    ///
    /// # Errors
    /// If no server answers within the time for requests.
    pub fn connect(
        options: Options,
        listener: impl Fn(&Event) + Send + Sync + 'static,
    ) -> Result<Client, ClientError> {
        let patience = options.request_timeout;
        let client = Client::start(options, listener)?;
        client.wait_connected(patience)?;
        Ok(client)
    }

    /// Waits until there is a session.
    ///
    /// # Errors
    /// If there is none in time, with what the last attempt failed with.
    pub fn wait_connected(&self, patience: Duration) -> Result<(), ClientError> {
        self.shared.connected(Instant::now() + patience).map(drop)
    }

    /// How the session stands.
    #[must_use]
    pub fn state(&self) -> SessionState {
        self.shared.lock().session_state
    }

    /// Why SASL has ended the session, if it has.
    #[must_use]
    pub fn refusal(&self) -> Option<ClientError> {
        self.shared.lock().refusal()
    }

    /// The session's id; 0 before there is one.
    #[must_use]
    pub fn session(&self) -> SessionId {
        self.shared.lock().session
    }

    /// The newest state that this client has seen.
    #[must_use]
    pub fn last_zxid(&self) -> Zxid {
        self.shared.lock().last_zxid
    }

    /// The path as the server knows it.
    fn full(&self, path: &str) -> Result<Arc<str>, ClientError> {
        match path::validate(path) {
            Ok(()) => Ok(self.shared.with_chroot(path)),
            Err(_) => Err(ClientError::Path(path.to_owned(), bad_path(path))),
        }
    }

    /// Asks, and waits for the answer. Paths are the server's own here: the chroot is not added.
    ///
    /// # Errors
    /// The server's refusal, or that there was no answer.
    pub fn ask(&self, request: Request) -> Result<Response, ClientError> {
        let deadline = Instant::now() + self.shared.options.request_timeout;
        let (sender, answer) = mpsc::channel();
        let mut state = self.shared.connected(deadline)?;
        let xid = match request {
            Request::Auth { .. } => xid::AUTH,
            _ => state.next_xid(),
        };
        self.shared
            .send(&mut state, Pending::new(xid, request, sender))?;
        drop(state);
        let patience = deadline.saturating_duration_since(Instant::now());
        match answer.recv_timeout(patience) {
            Ok(result) => result,
            Err(mpsc::RecvTimeoutError::Timeout) => Err(ClientError::NoAnswer),
            Err(mpsc::RecvTimeoutError::Disconnected) => Err(ClientError::ConnectionLoss),
        }
    }

    /// Adds an identity; it is sent again after each reconnect.
    ///
    /// # Errors
    /// The server's refusal, after which it closes the connection.
    pub fn add_auth(&self, scheme: &str, auth: &[u8]) -> Result<(), ClientError> {
        let scheme: Arc<str> = scheme.into();
        let auth: Arc<[u8]> = auth.into();
        let known = (Arc::clone(&scheme), Arc::clone(&auth));
        self.ask(Request::Auth { scheme, auth })?;
        self.shared.lock().auth.push(known);
        Ok(())
    }

    /// create, create2, createContainer or createTTL, by mode: the path that was made, and its stat
    /// unless the mode is a plain one.
    ///
    /// # Errors
    /// The server's refusal, or that there was no answer.
    pub fn create(
        &self,
        path: &str,
        data: Data,
        acl: Arc<[Acl]>,
        mode: CreateMode,
        ttl_ms: i64,
    ) -> Result<Arc<str>, ClientError> {
        let full = if mode.is_sequential() {
            // The suffix will make it whole.
            let whole = self.full(&format!("{path}1"))?;
            Arc::from(&whole[..whole.len() - 1])
        } else {
            self.full(path)?
        };
        let op = match mode {
            CreateMode::Container => CreateOp::Container,
            m if m.is_ttl() => CreateOp::Ttl(ttl_ms),
            _ => CreateOp::Create,
        };
        let create = Create {
            path: full,
            data,
            acl,
            mode,
            op,
        };
        match self.ask(Request::Write(Write::Create(create)))? {
            Response::Path(p) | Response::PathStat(p, _) => Ok(self.shared.without_chroot(&p)),
            other => Err(unexpected(&other)),
        }
    }

    /// delete
    ///
    /// # Errors
    /// The server's refusal, or that there was no answer.
    pub fn delete(&self, path: &str, version: i32) -> Result<(), ClientError> {
        let path = self.full(path)?;
        self.ask(Request::Write(Write::Delete { path, version }))
            .map(drop)
    }

    /// multi; the paths in it are the server's own.
    ///
    /// # Errors
    /// That there was no answer; a failed multi is among the results.
    pub fn multi(&self, writes: Vec<Write>) -> Result<Vec<OpResult>, ClientError> {
        match self.ask(Request::Write(Write::Multi(writes)))? {
            Response::Multi(results) => Ok(results),
            other => Err(unexpected(&other)),
        }
    }

    /// Deletes nodes together: all or none.
    ///
    /// # Errors
    /// The first refusal, or that there was no answer.
    pub fn delete_all(&self, paths: &[String]) -> Result<(), ClientError> {
        let mut writes = Vec::with_capacity(paths.len());
        for path in paths {
            let path = self.full(path)?;
            writes.push(Write::Delete { path, version: -1 });
        }
        for result in self.multi(writes)? {
            match result {
                OpResult::Error(code)
                    if code != ErrorCode::Ok && code != ErrorCode::RuntimeInconsistency =>
                {
                    return Err(ClientError::Server(code));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// setData
    ///
    /// # Errors
    /// The server's refusal, or that there was no answer.
    pub fn set_data(&self, path: &str, data: Data, version: i32) -> Result<Stat, ClientError> {
        let path = self.full(path)?;
        stat(self.ask(Request::Write(Write::SetData {
            path,
            data,
            version,
        }))?)
    }

    /// setACL
    ///
    /// # Errors
    /// The server's refusal, or that there was no answer.
    pub fn set_acl(&self, path: &str, acl: Arc<[Acl]>, version: i32) -> Result<Stat, ClientError> {
        let path = self.full(path)?;
        stat(self.ask(Request::Write(Write::SetAcl { path, acl, version }))?)
    }

    /// exists; `None` if there is no such node.
    ///
    /// # Errors
    /// The server's refusal, or that there was no answer.
    pub fn exists(&self, path: &str, watch: bool) -> Result<Option<Stat>, ClientError> {
        let path = self.full(path)?;
        match self.ask(Request::Exists { path, watch }) {
            Ok(response) => stat(response).map(Some),
            Err(ClientError::Server(ErrorCode::NoNode)) => Ok(None),
            Err(e) => Err(e),
        }
    }

    /// getData
    ///
    /// # Errors
    /// The server's refusal, or that there was no answer.
    pub fn get_data(&self, path: &str, watch: bool) -> Result<(Data, Stat), ClientError> {
        let path = self.full(path)?;
        match self.ask(Request::GetData { path, watch })? {
            Response::Data(data, stat) => Ok((data, stat)),
            other => Err(unexpected(&other)),
        }
    }

    /// The data of `/zookeeper/config`, whatever the chroot.
    ///
    /// # Errors
    /// The server's refusal, or that there was no answer.
    pub fn get_config(&self, watch: bool) -> Result<(Data, Stat), ClientError> {
        let path = "/zookeeper/config".into();
        match self.ask(Request::GetData { path, watch })? {
            Response::Data(data, stat) => Ok((data, stat)),
            other => Err(unexpected(&other)),
        }
    }

    /// getACL
    ///
    /// # Errors
    /// The server's refusal, or that there was no answer.
    pub fn get_acl(&self, path: &str) -> Result<(Arc<[Acl]>, Stat), ClientError> {
        let path = self.full(path)?;
        match self.ask(Request::GetAcl { path })? {
            Response::Acl(acl, stat) => Ok((acl, stat)),
            other => Err(unexpected(&other)),
        }
    }

    /// getChildren2: the names, sorted.
    ///
    /// # Errors
    /// The server's refusal, or that there was no answer.
    pub fn get_children(
        &self,
        path: &str,
        watch: bool,
    ) -> Result<(Vec<Arc<str>>, Stat), ClientError> {
        let path = self.full(path)?;
        let stat = true;
        match self.ask(Request::GetChildren { path, watch, stat })? {
            Response::ChildrenStat(mut names, stat) => {
                names.sort_unstable();
                Ok((names, stat))
            }
            other => Err(unexpected(&other)),
        }
    }

    /// getAllChildrenNumber
    ///
    /// # Errors
    /// The server's refusal, or that there was no answer.
    pub fn get_all_children_number(&self, path: &str) -> Result<i32, ClientError> {
        let path = self.full(path)?;
        match self.ask(Request::GetAllChildrenNumber { path })? {
            Response::Count(n) => Ok(n),
            other => Err(unexpected(&other)),
        }
    }

    /// getEphemerals
    ///
    /// # Errors
    /// The server's refusal, or that there was no answer.
    pub fn get_ephemerals(&self, prefix: &str) -> Result<Vec<Arc<str>>, ClientError> {
        let prefix = Some(self.full(prefix)?);
        match self.ask(Request::GetEphemerals { prefix })? {
            Response::Ephemerals(paths) => Ok(paths
                .iter()
                .map(|p| self.shared.without_chroot(p))
                .collect()),
            other => Err(unexpected(&other)),
        }
    }

    /// sync
    ///
    /// # Errors
    /// The server's refusal, or that there was no answer.
    pub fn sync(&self, path: &str) -> Result<(), ClientError> {
        let path = self.full(path)?;
        self.ask(Request::Sync { path }).map(drop)
    }

    /// reconfig: the new configuration text and its stat.
    ///
    /// # Errors
    /// The server's refusal, or that there was no answer.
    pub fn reconfig(
        &self,
        joining: Option<Arc<str>>,
        leaving: Option<Arc<str>>,
        new_members: Option<Arc<str>>,
        cur_config_id: i64,
    ) -> Result<(Data, Stat), ClientError> {
        let write = Write::Reconfig {
            joining,
            leaving,
            new_members,
            cur_config_id,
        };
        match self.ask(Request::Write(write))? {
            Response::Data(data, stat) => Ok((data, stat)),
            other => Err(unexpected(&other)),
        }
    }

    /// addWatch
    ///
    /// # Errors
    /// The server's refusal, or that there was no answer.
    pub fn add_watch(&self, path: &str, mode: AddWatchMode) -> Result<(), ClientError> {
        let path = self.full(path)?;
        self.ask(Request::AddWatch { path, mode }).map(drop)
    }

    /// removeWatches; the listener is told which were removed. With `local`, they are forgotten here
    /// even if no server can be asked.
    ///
    /// # Errors
    /// NoWatcher if there is none, the server's refusal, or that there was no answer.
    pub fn remove_watches(
        &self,
        path: &str,
        kind: WatcherType,
        local: bool,
    ) -> Result<(), ClientError> {
        let full = self.full(path)?;
        if !self.shared.lock().watches.has(&full, kind) {
            return Err(ClientError::Server(ErrorCode::NoWatcher));
        }
        let request = Request::RemoveWatches {
            path: Arc::clone(&full),
            kind,
        };
        match self.ask(request) {
            Ok(_) => {}
            Err(ClientError::Server(code)) if !local || code != ErrorCode::ConnectionLoss => {
                return Err(ClientError::Server(code));
            }
            Err(e) if !local => return Err(e),
            Err(_) => {}
        }
        let removed = self.shared.lock().watches.remove(&full, kind);
        for kind in removed {
            self.shared.tell(kind, Some(path.into()), Zxid(-1));
        }
        Ok(())
    }

    /// whoAmI
    ///
    /// # Errors
    /// The server's refusal, or that there was no answer.
    pub fn who_am_i(&self) -> Result<Vec<AuthId>, ClientError> {
        match self.ask(Request::WhoAmI)? {
            Response::WhoAmI(ids) => Ok(ids),
            other => Err(unexpected(&other)),
        }
    }

    /// Ends the session, politely if a server is there to hear it, and waits for the thread.
    pub fn close(&mut self) {
        if self.state().is_connected() {
            let patience = Duration::from_secs(2).min(self.shared.options.request_timeout);
            let (sender, answer) = mpsc::channel();
            let mut state = self.shared.lock();
            let xid = state.next_xid();
            state.closing = true;
            let sent = self
                .shared
                .send(&mut state, Pending::new(xid, Request::CloseSession, sender));
            drop(state);
            if sent.is_ok() {
                // Whether it is answered or not, this is the end.
                let _ = answer.recv_timeout(patience);
            }
        }
        self.shared.end(SessionState::Closed);
        if let Some(thread) = self.thread.take()
            && thread.thread().id() != thread::current().id()
        {
            let _ = thread.join();
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.close();
    }
}

fn stat(response: Response) -> Result<Stat, ClientError> {
    match response {
        Response::Stat(stat) => Ok(stat),
        other => Err(unexpected(&other)),
    }
}

fn unexpected(response: &Response) -> ClientError {
    ClientError::Protocol(format!(
        "an answer of another kind than was asked for: {response:?}"
    ))
}

/// Why a path is none, in the words of Apache's client.
fn bad_path(path: &str) -> String {
    if path.is_empty() {
        return "Path length must be > 0".to_owned();
    }
    if !path.starts_with('/') {
        return "Path must start with / character".to_owned();
    }
    if path.len() > 1 && path.ends_with('/') {
        return "Path must not end with / character".to_owned();
    }
    let mut at = 0;
    for (i, part) in path.split('/').enumerate() {
        let why = match part {
            "" if i > 0 => Some(format!("empty node name specified @{at}")),
            "." | ".." => Some(format!(
                "relative paths not allowed @{}",
                at + part.len() - 1
            )),
            _ => part
                .chars()
                .position(|c| path::validate(&format!("/{c}x")).is_err())
                .map(|p| format!("invalid character @{}", at + p)),
        };
        if let Some(why) = why {
            return format!("Invalid path string \"{path}\" caused by {why}");
        }
        at += part.chars().count() + 1;
    }
    format!("Invalid path string \"{path}\"")
}

/// The packets that restore watches: none is longer than what a Java client sends.
fn set_watches(watches: &Watches, relative_zxid: Zxid) -> Vec<SetWatches> {
    const LONGEST: usize = 128 * 1024;
    let mut out = Vec::new();
    let mut packet = SetWatches::default();
    let mut length = 0;
    for (kind, path) in watches.iter() {
        if length > 0 && length + path.len() + 4 > LONGEST {
            out.push(std::mem::take(&mut packet));
            length = 0;
        }
        length += path.len() + 4;
        packet.relative_zxid = relative_zxid;
        kind.list(&mut packet).push(Arc::clone(path));
    }
    if length > 0 {
        out.push(packet);
    }
    out
}

#[cfg(test)]
mod tests;

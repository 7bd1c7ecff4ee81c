//! The client's thread: connect, read, ping, reconnect.

use super::{
    ClientError, Event, EventKind, Options, SessionState, sasl, set_watches, watches::Watches,
    wire::Wire,
};
use crate::{config::HostPort, sasl::Credentials};
use std::{
    collections::VecDeque,
    fmt,
    io::{self, Read, Write},
    net::ToSocketAddrs,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc},
    time::{Duration, Instant},
};
use zabscope_core::{
    id::{SessionId, Zxid},
    request::{ConnectRequest, ErrorCode, Reply, Request, Response},
    wire::{
        client::{
            Connect, Connected, FromServer, decode_from_server, encode_request, opcode_of, xid,
        },
        frame, opcode,
    },
};

type Answer = Result<Response, ClientError>;

/// Before requests are sent no answer is longer, in bytes.
const LONGEST_BEFORE: usize = 64 << 10;

/// A request that was sent and not answered.
pub(super) struct Pending {
    xid: i32,
    request: Request,
    answer: mpsc::Sender<Answer>,
}

impl Pending {
    pub fn new(xid: i32, request: Request, answer: mpsc::Sender<Answer>) -> Pending {
        Pending {
            xid,
            request,
            answer,
        }
    }

    fn answer(self, result: Answer) {
        // Who asked may have given up.
        let _ = self.answer.send(result);
    }
}

/// What the thread and those who ask share.
pub(super) struct State {
    pub session_state: SessionState,
    pub session: SessionId,
    pub last_zxid: Zxid,
    pub auth: Vec<(Arc<str>, Arc<[u8]>)>,
    pub watches: Watches,
    /// closeSession was sent: the end of the connection is no loss.
    pub closing: bool,
    password: [u8; 16],
    timeout: Duration,
    stream: Option<Wire>,
    pending: VecDeque<Pending>,
    xid: i32,
    sent: Instant,
    /// Why the last attempt to connect failed.
    trouble: String,
    /// Why no further one is made.
    refusal: Option<ClientError>,
}

impl State {
    /// A new xid: positive, so that it is none of the special ones.
    pub fn next_xid(&mut self) -> i32 {
        self.xid = self.xid.checked_add(1).unwrap_or(1);
        self.xid
    }

    /// Why SASL has ended the session, if it has.
    pub fn refusal(&self) -> Option<ClientError> {
        self.refusal.clone()
    }
}

pub(super) struct Shared {
    pub options: Options,
    listener: Box<dyn Fn(&Event) + Send + Sync>,
    state: Mutex<State>,
    changed: Condvar,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

impl Shared {
    pub fn new(options: Options, listener: Box<dyn Fn(&Event) + Send + Sync>) -> Shared {
        Shared {
            state: Mutex::new(State {
                session_state: SessionState::Connecting,
                session: SessionId::NONE,
                last_zxid: Zxid::ZERO,
                auth: Vec::new(),
                watches: Watches::default(),
                closing: false,
                password: [0; 16],
                timeout: options.session_timeout,
                stream: None,
                pending: VecDeque::new(),
                xid: 0,
                sent: Instant::now(),
                trouble: "not tried yet".to_owned(),
                refusal: None,
            }),
            options,
            listener,
            changed: Condvar::new(),
        }
    }

    pub fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing is left half done by a panic in between that would matter to a client.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn with_chroot(&self, path: &str) -> Arc<str> {
        match (self.options.chroot.as_str(), path) {
            ("", path) => path.into(),
            (chroot, "/") => chroot.into(),
            (chroot, path) => format!("{chroot}{path}").into(),
        }
    }

    pub fn without_chroot(&self, path: &str) -> Arc<str> {
        match path.strip_prefix(self.options.chroot.as_str()) {
            Some("") => "/".into(),
            Some(rest) if rest.starts_with('/') => rest.into(),
            _ => path.into(),
        }
    }

    /// Waits until requests can be sent.
    pub fn connected(&self, deadline: Instant) -> Result<MutexGuard<'_, State>, ClientError> {
        let mut state = self.lock();
        loop {
            if state.session_state.is_connected() {
                return Ok(state);
            }
            match state.session_state {
                SessionState::AuthFailed => {
                    let other = ClientError::Server(ErrorCode::AuthFailed);
                    return Err(state.refusal().unwrap_or(other));
                }
                SessionState::Closed | SessionState::Expired => {
                    return Err(ClientError::SessionOver);
                }
                SessionState::Connecting
                | SessionState::Connected
                | SessionState::ConnectedReadOnly
                | SessionState::SaslAuthenticated => {}
            }
            let patience = deadline.saturating_duration_since(Instant::now());
            if patience.is_zero() {
                return Err(ClientError::NotConnected(state.trouble.clone()));
            }
            state = self
                .changed
                .wait_timeout(state, patience)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }

    /// Sends a request. If that fails the connection is over; its thread tells the others.
    pub fn send(&self, state: &mut State, pending: Pending) -> Result<(), ClientError> {
        let mut bytes = Vec::new();
        frame::write(&mut bytes, |out| {
            encode_request(pending.xid, &pending.request, out)
        });
        let stream = state.stream.as_mut().ok_or(ClientError::ConnectionLoss)?;
        let written = stream.write_all(&bytes);
        if written.is_err() {
            stream.shutdown();
            return Err(ClientError::ConnectionLoss);
        }
        state.sent = Instant::now();
        state.pending.push_back(pending);
        Ok(())
    }

    /// Sends what nobody waits for.
    fn send_alone(state: &mut State, xid: i32, request: &Request) -> io::Result<()> {
        let mut bytes = Vec::new();
        frame::write(&mut bytes, |out| encode_request(xid, request, out));
        let stream = state.stream.as_mut().ok_or(io::ErrorKind::NotConnected)?;
        stream.write_all(&bytes)?;
        state.sent = Instant::now();
        Ok(())
    }

    pub fn tell(&self, kind: EventKind, path: Option<Arc<str>>, zxid: Zxid) {
        let state = self.lock().session_state;
        (self.listener)(&Event {
            state,
            kind,
            path,
            zxid,
        });
    }

    fn tell_of_sasl(&self) {
        (self.listener)(&Event {
            state: SessionState::SaslAuthenticated,
            kind: EventKind::None,
            path: None,
            zxid: Zxid(-1),
        });
    }

    /// The session is over.
    pub fn end(&self, how: SessionState) {
        let mut state = self.lock();
        if state.session_state.is_over() {
            return;
        }
        state.session_state = how;
        if let Some(stream) = state.stream.take() {
            stream.shutdown();
        }
        let pending = std::mem::take(&mut state.pending);
        drop(state);
        for p in pending {
            p.answer(Err(ClientError::SessionOver));
        }
        self.changed.notify_all();
        self.tell(EventKind::None, None, Zxid(-1));
    }

    fn is_over(&self) -> bool {
        self.lock().session_state.is_over()
    }

    /// The thread.
    pub fn run(&self) {
        let mut turn = 0;
        let mut failures = 0;
        while !self.is_over() {
            let servers = &self.options.servers;
            let Some(server) = servers.get(turn % servers.len().max(1)) else {
                return;
            };
            turn += 1;
            match self.establish(server) {
                Ok(Some((stream, rest))) => {
                    failures = 0;
                    let why = self.serve(stream, rest);
                    self.disconnected(&format!("{server}: {why}"));
                }
                Ok(None) => return,
                Err(why) => {
                    failures += 1;
                    self.lock().trouble = format!("{server}: {why}");
                }
            }
            // All of them once without a pause, then with one.
            if failures > 0 && turn % servers.len() == 0 {
                self.pause(Duration::from_millis(100 << failures.min(3)));
            }
        }
    }

    /// Waits, unless the session ends meanwhile.
    fn pause(&self, time: Duration) {
        let state = self.lock();
        let _ = self
            .changed
            .wait_timeout_while(state, time, |s| !s.session_state.is_over());
    }

    fn disconnected(&self, why: &str) {
        let mut state = self.lock();
        if state.session_state.is_over() {
            return;
        }
        state.session_state = SessionState::Connecting;
        why.clone_into(&mut state.trouble);
        state.stream = None;
        let closing = state.closing;
        let pending = std::mem::take(&mut state.pending);
        drop(state);
        for p in pending {
            p.answer(Err(ClientError::ConnectionLoss));
        }
        if closing {
            self.end(SessionState::Closed);
        } else {
            self.tell(EventKind::None, None, Zxid(-1));
        }
    }

    /// Connects and begins or resumes the session; `None` if that is over. With the stream comes what
    /// was read of it beyond the answer.
    fn establish(&self, server: &HostPort) -> io::Result<Option<(Wire, Vec<u8>)>> {
        let host = server.host.as_str();
        let deadline = Instant::now() + self.options.connect_timeout;
        let mut failure = io::Error::other("the name has no address");
        for address in (host, server.port).to_socket_addrs()? {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(io::ErrorKind::TimedOut.into());
            }
            match Wire::connect(&address, host, self.options.tls.as_deref(), deadline) {
                Ok(stream) => return self.handshake(server, stream, deadline),
                Err(e) => failure = e,
            }
        }
        Err(failure)
    }

    fn handshake(
        &self,
        server: &HostPort,
        mut stream: Wire,
        deadline: Instant,
    ) -> io::Result<Option<(Wire, Vec<u8>)>> {
        stream.set_write_timeout(Some(
            self.options.connect_timeout.max(Duration::from_millis(1)),
        ))?;
        let request = {
            let state = self.lock();
            let timeout = self.options.session_timeout.as_millis();
            ConnectRequest {
                last_zxid_seen: state.last_zxid,
                timeout_ms: i32::try_from(timeout).unwrap_or(i32::MAX),
                session: state.session,
                password: state.password,
                read_only: self.options.read_only,
            }
        };
        let mut bytes = Vec::new();
        let connect = Connect::new(&request);
        frame::write(&mut bytes, |out| connect.encode(out));
        stream.write_all(&bytes)?;
        let mut buffer = Vec::new();
        let body = next_frame(&mut stream, &mut buffer, 1024, deadline)?.ok_or_else(|| {
            let why = "it closed the connection: it does not serve now, or has older data than this client saw";
            io::Error::other(why)
        })?;
        let answer = Connected::decode(&body, 1024).map_err(io::Error::other)?;
        if answer.response.timeout_ms <= 0 {
            self.end(SessionState::Expired);
            return Ok(None);
        }
        if let Some(own) = &self.options.sasl
            && let Err(why) = self.prove(own, &mut stream, &mut buffer, deadline)?
        {
            stream.shutdown();
            self.lock().refusal = Some(ClientError::Sasl(server.to_string(), why));
            self.end(SessionState::AuthFailed);
            return Ok(None);
        }
        self.begun(&stream, &answer)?;
        Ok(Some((stream, buffer)))
    }

    /// Says who this client is, before identities, watches and requests; the inner error is for good.
    fn prove(
        &self,
        own: &Credentials,
        stream: &mut Wire,
        buffer: &mut Vec<u8>,
        deadline: Instant,
    ) -> io::Result<Result<(), String>> {
        sasl::prove(own, |request| {
            let asked = self.lock().next_xid();
            let mut bytes = Vec::new();
            frame::write(&mut bytes, |out| encode_request(asked, &request, out));
            stream.write_all(&bytes)?;
            loop {
                let body = next_frame(stream, buffer, LONGEST_BEFORE, deadline)?
                    .ok_or_else(|| io::Error::other("it closed the connection during SASL"))?;
                let said = decode_from_server(&body, LONGEST_BEFORE, |xid| {
                    (xid == asked).then_some(opcode::SASL)
                });
                match said.map_err(io::Error::other)? {
                    // No watch is set at this server yet.
                    FromServer::Event(_) => {}
                    FromServer::Reply(reply) => return Ok(reply.result),
                }
            }
        })
    }

    /// There is a session: identities and watches are told to this server too.
    fn begun(&self, stream: &Wire, answer: &Connected) -> io::Result<()> {
        let mut state = self.lock();
        if state.session_state.is_over() {
            return Err(io::ErrorKind::NotConnected.into());
        }
        state.timeout = Duration::from_millis(u64::from(answer.response.timeout_ms.unsigned_abs()));
        state.session = answer.response.session;
        state.password = answer.response.password;
        state.stream = Some(stream.try_clone()?);
        state.sent = Instant::now();
        for (scheme, auth) in state.auth.clone() {
            Shared::send_alone(&mut state, xid::AUTH, &Request::Auth { scheme, auth })?;
        }
        for packet in set_watches(&state.watches, state.last_zxid) {
            let request = Request::SetWatches(Box::new(packet));
            Shared::send_alone(&mut state, xid::SET_WATCHES, &request)?;
        }
        state.session_state = match answer.read_only {
            Some(true) => SessionState::ConnectedReadOnly,
            Some(false) | None => SessionState::Connected,
        };
        drop(state);
        // The listener first: what was asked for is answered after it knows.
        self.tell(EventKind::None, None, Zxid(-1));
        if self.options.sasl.is_some() {
            self.tell_of_sasl();
        }
        self.changed.notify_all();
        Ok(())
    }

    /// Reads until the connection is over: why it is.
    fn serve(&self, mut stream: Wire, mut buffer: Vec<u8>) -> String {
        let timeout = self.lock().timeout;
        // Ping at a third, give up after two thirds of the time-out (1.3).
        let beat = (timeout / 3).max(Duration::from_millis(1));
        if let Err(e) = stream.set_read_timeout(Some((beat / 2).max(Duration::from_millis(1)))) {
            return e.to_string();
        }
        let mut heard = Instant::now();
        if let Err(why) = self.drain(&mut buffer) {
            return why;
        }
        let mut chunk = vec![0; 64 * 1024];
        loop {
            match stream.read(&mut chunk) {
                Ok(0) => return "the server closed the connection".to_owned(),
                Ok(n) => {
                    heard = Instant::now();
                    buffer.extend_from_slice(&chunk[..n]);
                    if let Err(why) = self.drain(&mut buffer) {
                        return why;
                    }
                }
                Err(e)
                    if matches!(
                        e.kind(),
                        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
                    ) => {}
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return e.to_string(),
            }
            if self.is_over() {
                return "closed".to_owned();
            }
            if heard.elapsed() > beat * 2 {
                return "the server has gone silent".to_owned();
            }
            let mut state = self.lock();
            if state.sent.elapsed() >= beat
                && let Err(e) = Shared::send_alone(&mut state, xid::PING, &Request::Ping)
            {
                return e.to_string();
            }
        }
    }

    /// Takes all whole frames out of the buffer.
    fn drain(&self, buffer: &mut Vec<u8>) -> Result<(), String> {
        let mut used = 0;
        while let Some((body, n)) =
            frame::read(&buffer[used..], 0..=self.options.max_buffer).map_err(|e| e.to_string())?
        {
            self.heard(body)?;
            used += n;
        }
        buffer.drain(..used);
        Ok(())
    }

    fn heard(&self, body: &[u8]) -> Result<(), String> {
        let mut state = self.lock();
        let open = state
            .pending
            .front()
            .map(|p| (p.xid, opcode_of(&p.request)));
        let said = decode_from_server(body, self.options.max_buffer, |x| match x {
            xid::PING => Some(opcode::PING),
            xid::AUTH => Some(opcode::AUTH),
            xid::SET_WATCHES => Some(opcode::SET_WATCHES),
            _ => open.filter(|(of, _)| *of == x).map(|(_, opcode)| opcode),
        })
        .map_err(|e| format!("it does not keep to the protocol: {e}"))?;
        match said {
            FromServer::Event(event) => {
                let wanted = state.watches.rang(event.kind, &event.path);
                drop(state);
                if wanted {
                    let path = self.without_chroot(&event.path);
                    self.tell(EventKind::Node(event.kind), Some(path), event.zxid);
                }
                Ok(())
            }
            FromServer::Reply(reply) => {
                state.last_zxid = state.last_zxid.max(reply.zxid);
                self.replied(state, reply)
            }
        }
    }

    fn replied(&self, mut state: MutexGuard<'_, State>, reply: Reply) -> Result<(), String> {
        let asked = state.pending.front().is_some_and(|p| p.xid == reply.xid);
        if reply.xid == xid::AUTH && reply.result.is_err() {
            if let Some(p) = asked.then(|| state.pending.pop_front()).flatten() {
                p.answer(Err(ClientError::Server(ErrorCode::AuthFailed)));
            }
            drop(state);
            self.end(SessionState::AuthFailed);
            return Ok(());
        }
        if !asked || matches!(reply.xid, xid::PING | xid::SET_WATCHES) {
            return Ok(());
        }
        let Some(pending) = state.pending.pop_front() else {
            return Ok(());
        };
        let error = reply.result.as_ref().err().copied();
        state.watches.answered(&pending.request, error);
        drop(state);
        pending.answer(reply.result.map_err(ClientError::Server));
        Ok(())
    }
}

/// The next frame; `None` if the server closes the connection instead.
fn next_frame(
    stream: &mut Wire,
    buffer: &mut Vec<u8>,
    longest: usize,
    deadline: Instant,
) -> io::Result<Option<Vec<u8>>> {
    loop {
        if let Some((body, used)) = frame::read(buffer, 0..=longest).map_err(io::Error::other)? {
            let body = body.to_vec();
            buffer.drain(..used);
            return Ok(Some(body));
        }
        let mut chunk = [0; 4096];
        match stream.read_until(&mut chunk, deadline)? {
            0 => return Ok(None),
            n => buffer.extend_from_slice(&chunk[..n]),
        }
    }
}

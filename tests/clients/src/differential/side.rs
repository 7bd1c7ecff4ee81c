//! One side of a differential test: carries out a round's steps at one address and writes down what
//! comes back, with everything that may rightly differ between two servers put in a common form.
//!
//! * Zxids are relative to the round's start.
//! * Session ids are named after their slot and generation; passwords are only checked.
//! * Times are `now`, if they are, and children are sorted.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, bail, ensure};

use super::op::{Op, Return, Step};
use crate::connection::{Connection, Hello, Received, Welcome, password_of};
use crate::jute::{Reader, Writer};

/// The session time-out that is asked for, in milliseconds.
pub const TIMEOUT: i32 = 40_000;
/// The longest that a reply may take.
const LIMIT: Duration = Duration::from_secs(5);
/// Where relative zxids begin: far from 0 and -1, which have meanings of their own.
const FAR: i64 = 1_000_000;
/// How far a time in a Stat may be from this machine's, in milliseconds.
const CLOCK: i64 = 10 * 60 * 1000;

/// What one step brought: lines, of which each names its slot.
pub type Seen = Vec<String>;

#[derive(Debug)]
struct Session {
    id: i64,
    password: Vec<u8>,
    last_zxid: i64,
    next_xid: i32,
}

#[derive(Debug, Default)]
struct Slot {
    connection: Option<Connection>,
    session: Option<Session>,
    generations: u32,
}

/// One server, in one round.
#[derive(Debug)]
pub struct Side {
    address: SocketAddr,
    root: String,
    slots: Vec<Slot>,
    names: BTreeMap<i64, String>,
    /// (zxid from which on, what to subtract): more than one where the two sides may count on
    /// differently, see [`Side::recount`].
    bases: Vec<(i64, i64)>,
    /// The largest zxid seen of all.
    zxid: i64,
}

impl Side {
    /// Makes the round's directory and takes the zxid to which all others are relative.
    pub fn begin(address: SocketAddr, root: &str, slots: usize) -> Result<Self> {
        let mut side = Self {
            address,
            root: root.to_owned(),
            slots: (0..slots).map(|_| Slot::default()).collect(),
            names: BTreeMap::new(),
            bases: Vec::new(),
            zxid: 0,
        };
        let mut connection = Connection::open(address, LIMIT)?;
        connection
            .hello(&Hello::new(TIMEOUT), LIMIT)?
            .context("the server refuses a session")?;
        let mut create = Writer::new();
        create
            .int(1)
            .int(1)
            .string(Some(root))
            .buffer(Some(b""))
            .count(1);
        create
            .int(31)
            .string(Some("world"))
            .string(Some("anyone"))
            .int(0);
        let mut close = Writer::new();
        close.int(2).int(-11);
        for request in [create, close] {
            ensure!(connection.send(&request.finish()), "the server hangs up");
            let Received::Frame(frame) = connection.receive(LIMIT)? else {
                bail!("the server does not answer");
            };
            let mut reader = Reader::new(&frame);
            let (_, zxid, error) = (reader.int()?, reader.long()?, reader.int()?);
            ensure!(error == 0, "making {root}: error {error}");
            side.zxid = zxid;
        }
        side.bases.push((side.zxid, side.zxid));
        Ok(side)
    }

    /// Closes all sessions, so that the next round finds no ephemeral nodes and no watches.
    pub fn end(mut self) -> Result<()> {
        for index in 0..self.slots.len() {
            if self.slots[index].session.is_some() {
                let mut ignored = Vec::new();
                self.ensure_connected(index, &mut ignored)?;
                self.requests(index, &[Op::CloseSession], &mut ignored)?;
            }
        }
        Ok(())
    }

    /// The zxid that this side is at, relative.
    pub fn relative_zxid(&self) -> i64 {
        self.relative(self.zxid)
    }

    /// Makes sure that the next zxid is the one after the present: Apache may have taken one for a
    /// write that it then could not read.
    pub fn advance(&mut self) -> Result<()> {
        let mut connection = Connection::open(self.address, LIMIT)?;
        connection
            .hello(&Hello::new(TIMEOUT), LIMIT)?
            .context("the server refuses a session")?;
        let mut close = Writer::new();
        close.int(1).int(Op::CloseSession.code());
        ensure!(connection.send(&close.finish()), "the server hangs up");
        let Received::Frame(frame) = connection.receive(LIMIT)? else {
            bail!("the server does not answer");
        };
        let mut reader = Reader::new(&frame);
        reader.int()?;
        self.zxid = self.zxid.max(reader.long()?);
        Ok(())
    }

    /// From now on `relative` is what the present zxid is called.
    pub fn recount(&mut self, relative: i64) {
        if self.relative(self.zxid) != relative {
            self.bases.push((self.zxid, self.zxid - relative + FAR));
        }
    }

    /// Carries out one step; all sessions have then seen all that it caused.
    pub fn step(&mut self, step: &Step) -> Result<Seen> {
        let mut seen = Vec::new();
        let index = step.slot();
        match step {
            Step::Requests { ops, .. } => {
                self.ensure_connected(index, &mut seen)?;
                self.requests(index, ops, &mut seen)?;
            }
            Step::Damaged { op, damage, .. } => {
                self.ensure_connected(index, &mut seen)?;
                let session = self.session(index)?;
                let (xid, last) = (session.take_xid(op), session.last_zxid);
                let mut frame = Writer::new();
                frame.int(xid).int(op.code());
                frame.raw(&damage.apply(op.body(&self.root, last)));
                self.send(index, &frame.finish());
                self.reply(index, xid, op, &mut seen)?;
                if seen.iter().any(|line| line.contains("] auth: error -115 ")) {
                    self.await_close(index, &mut seen)?;
                }
            }
            Step::Bytes { bytes, .. } => {
                self.ensure_connected(index, &mut seen)?;
                if let Some(connection) = &mut self.slots[index].connection {
                    connection.send_raw(bytes);
                }
                self.await_close(index, &mut seen)?;
            }
            Step::Drop { .. } => {
                if let Some(connection) = self.slots[index].connection.take() {
                    connection.cut();
                }
            }
            Step::Return { how, .. } => {
                if self.slots[index].session.is_some() {
                    // A stranger's attempt must come while the owner is away: what happens to an
                    // owner who is there is a documented difference.
                    if *how != Return::Right
                        && let Some(connection) = self.slots[index].connection.take()
                    {
                        connection.cut();
                    }
                    self.come_back(index, *how, &mut seen)?;
                }
            }
            Step::New {
                timeout, read_only, ..
            } => {
                if let Some(connection) = self.slots[index].connection.take() {
                    connection.cut();
                }
                if self.slots[index].session.is_some() {
                    self.ensure_connected(index, &mut seen)?;
                    self.requests(index, &[Op::CloseSession], &mut seen)?;
                }
                let hello = Hello {
                    read_only: *read_only,
                    ..Hello::new(*timeout)
                };
                self.greet(index, &hello, &mut seen)?;
            }
        }
        self.settle(&mut seen)?;
        if ends_a_session(step) {
            // In which order the ephemeral nodes of a session go is nobody's promise.
            seen.sort();
        }
        Ok(seen)
    }

    fn session(&mut self, index: usize) -> Result<&mut Session> {
        self.slots[index].session.as_mut().context("a session")
    }

    fn ensure_connected(&mut self, index: usize, seen: &mut Seen) -> Result<()> {
        if self.slots[index].connection.is_none() && self.slots[index].session.is_some() {
            self.come_back(index, Return::Right, seen)?;
        }
        if self.slots[index].connection.is_none() {
            self.greet(index, &Hello::new(TIMEOUT), seen)?;
        }
        ensure!(
            self.slots[index].connection.is_some(),
            "the server lets nobody in: {}",
            seen.join("; ")
        );
        Ok(())
    }

    fn come_back(&mut self, index: usize, how: Return, seen: &mut Seen) -> Result<()> {
        let session = self.session(index)?;
        let mut hello = Hello {
            last_zxid: session.last_zxid,
            timeout: TIMEOUT,
            session: session.id,
            password: session.password.clone(),
            read_only: Some(false),
        };
        match how {
            Return::Right => {}
            Return::Old => hello.read_only = None,
            Return::WrongPassword => {
                if let Some(byte) = hello.password.first_mut() {
                    *byte ^= 1;
                }
            }
            Return::FromTheFuture => hello.last_zxid += 1 << 40,
        }
        self.greet(index, &hello, seen)
    }

    /// A handshake on a new connection.
    fn greet(&mut self, index: usize, hello: &Hello, seen: &mut Seen) -> Result<()> {
        let mut connection = Connection::open(self.address, LIMIT)?;
        let Some(welcome) = connection.hello(hello, LIMIT)? else {
            seen.push(format!("[{index}] the server closes without a greeting"));
            return Ok(());
        };
        let Welcome {
            version,
            timeout,
            session,
            password,
            read_only,
        } = welcome;
        if timeout <= 0 {
            seen.push(format!(
                "[{index}] no such session: version {version} timeout {timeout} session {session} \
                 password {password:?} read-only {read_only:?}"
            ));
            if connection.receive(LIMIT)? != Received::Closed {
                seen.push(format!("[{index}] and the connection stays open"));
            }
            // With a wrong password it is not gone, but it looks the same to the client.
            let refused_on_purpose = self.slots[index]
                .session
                .as_ref()
                .is_some_and(|session| session.password != hello.password);
            if !refused_on_purpose {
                self.slots[index].session = None;
            }
            return Ok(());
        }
        let slot = &mut self.slots[index];
        if hello.session == 0 {
            slot.generations += 1;
            self.names
                .insert(session, format!("S{index}.{}", slot.generations));
            slot.session = Some(Session {
                id: session,
                password: password.clone(),
                last_zxid: 0,
                next_xid: 1,
            });
        }
        slot.connection = Some(connection);
        let rule = if password == password_of(session) {
            "by the rule"
        } else {
            "odd"
        };
        seen.push(format!(
            "[{index}] session {}: version {version} timeout {timeout} password {rule} read-only \
             {read_only:?}",
            self.name(session)
        ));
        Ok(())
    }

    fn send(&mut self, index: usize, frame: &[u8]) {
        if let Some(connection) = &mut self.slots[index].connection {
            // That the other side is gone is seen when the reply is awaited.
            connection.send(frame);
        }
    }

    fn requests(&mut self, index: usize, ops: &[Op], seen: &mut Seen) -> Result<()> {
        let mut xids = Vec::new();
        for op in ops {
            let session = self.session(index)?;
            let (xid, last) = (session.take_xid(op), session.last_zxid);
            let mut frame = Writer::new();
            frame.int(xid).int(op.code());
            frame.raw(&op.body(&self.root, last));
            self.send(index, &frame.finish());
            xids.push(xid);
        }
        for (op, xid) in ops.iter().zip(xids) {
            if self.slots[index].connection.is_some() {
                self.reply(index, xid, op, seen)?;
            }
        }
        // Where the server closes after its reply, a ping might still come in between.
        let refused = |line: &String| {
            line.contains("] unknown: error -6 ") || line.contains("] auth: error -115 ")
        };
        if ops.contains(&Op::CloseSession) || seen.iter().any(refused) {
            self.await_close(index, seen)?;
        }
        Ok(())
    }

    /// Awaits one reply; watch events before it are written down.
    fn reply(&mut self, index: usize, xid: i32, op: &Op, seen: &mut Seen) -> Result<()> {
        loop {
            let Some(frame) = self.frame(index, seen)? else {
                return Ok(());
            };
            let mut reader = Reader::new(&frame);
            let (got, zxid, error) = (reader.int()?, reader.long()?, reader.int()?);
            self.note_zxid(index, zxid);
            if got == -1 && xid != -1 {
                let event = self.event(zxid, error, &mut reader);
                seen.push(format!("[{index}] {event}"));
                continue;
            }
            let mut name = op.name().to_owned();
            if got != xid {
                write!(name, " (for xid {got})")?;
            }
            let body = match self.body_text(op, error, &mut reader) {
                Ok(text) if reader.rest().is_empty() => text,
                // A multi with a null path: Apache appends what it had made of the results, which no
                // client reads after an error.
                Ok(text) if error == -5 && matches!(op, Op::Multi(_) | Op::MultiRead(_)) => text,
                Ok(text) => format!("{text} and then {}", hex(reader.rest())),
                Err(_) => format!(
                    "a body that is none: {}",
                    hex(&frame[16.min(frame.len())..])
                ),
            };
            let zxid = self.relative(zxid);
            // 3.8 finds the watches of other connections as well; 3.9 does not.
            let error = match op {
                Op::CheckWatches { .. } if matches!(error, 0 | -121) => "0 or -121".to_owned(),
                _ => error.to_string(),
            };
            seen.push(format!(
                "[{index}] {name}: error {error} zxid {zxid} {body}"
            ));
            return Ok(());
        }
    }

    /// The next frame; `None` if there is none, which is written down and ends the connection.
    fn frame(&mut self, index: usize, seen: &mut Seen) -> Result<Option<Vec<u8>>> {
        let Some(connection) = &mut self.slots[index].connection else {
            return Ok(None);
        };
        let why = match connection.receive(LIMIT)? {
            Received::Frame(frame) => {
                ensure!(
                    frame.len() >= 16,
                    "a reply without a header: {}",
                    hex(&frame)
                );
                return Ok(Some(frame));
            }
            Received::Closed => "the server closes",
            Received::Silence => "silence",
        };
        seen.push(format!("[{index}] {why}"));
        self.slots[index].connection = None;
        Ok(None)
    }

    /// The server must close, and say nothing but what it has to say.
    fn await_close(&mut self, index: usize, seen: &mut Seen) -> Result<()> {
        while let Some(frame) = self.frame(index, seen)? {
            let mut reader = Reader::new(&frame);
            let (xid, zxid, error) = (reader.int()?, reader.long()?, reader.int()?);
            self.note_zxid(index, zxid);
            let line = match xid {
                -1 => self.event(zxid, error, &mut reader),
                _ => format!(
                    "reply to xid {xid}: error {error} zxid {}",
                    self.relative(zxid)
                ),
            };
            seen.push(format!("[{index}] {line}"));
        }
        Ok(())
    }

    /// Everyone pings: what comes before the reply was caused by this step or an earlier one.
    fn settle(&mut self, seen: &mut Seen) -> Result<()> {
        let mut ping = Writer::new();
        ping.int(-2).int(Op::Ping.code());
        let ping = ping.finish();
        for index in 0..self.slots.len() {
            self.send(index, &ping);
        }
        for index in 0..self.slots.len() {
            if self.slots[index].connection.is_some() {
                self.reply(index, -2, &Op::Ping, seen)?;
            }
        }
        Ok(())
    }

    fn note_zxid(&mut self, index: usize, zxid: i64) {
        self.zxid = self.zxid.max(zxid);
        if let Some(session) = &mut self.slots[index].session {
            session.last_zxid = session.last_zxid.max(zxid);
        }
    }

    fn relative(&self, zxid: i64) -> i64 {
        // 0 and -1 have meanings of their own.
        if zxid <= 0 {
            return zxid;
        }
        // Of an earlier round, which the two may have counted differently.
        if self.bases.first().is_some_and(|(begin, _)| zxid < *begin) {
            return FAR - 1;
        }
        let base = self
            .bases
            .iter()
            .rev()
            .find(|(from, _)| zxid >= *from)
            .or(self.bases.first());

        zxid - base.map_or(0, |(_, base)| *base) + FAR
    }

    fn name(&self, session: i64) -> String {
        match self.names.get(&session) {
            Some(name) => name.clone(),
            None => format!("{session:#x}"),
        }
    }

    fn event(&self, zxid: i64, error: i32, reader: &mut Reader<'_>) -> String {
        let fields = (|| -> Result<_> { Ok((reader.int()?, reader.int()?, reader.string()?)) })();
        match fields {
            Ok((kind, state, path)) => format!(
                "event {kind} state {state} {path:?} zxid {} error {error}",
                self.relative(zxid)
            ),
            Err(_) => format!("an event that is none: {}", hex(reader.rest())),
        }
    }

    fn body_text(&self, op: &Op, error: i32, reader: &mut Reader<'_>) -> Result<String> {
        if error != 0 {
            return Ok(String::new());
        }
        Ok(match op {
            Op::Create { .. } if op.code() == 1 => format!("{:?}", reader.string()?),
            Op::Create { .. } => format!("{:?} {}", reader.string()?, self.stat(reader)?),
            Op::Exists { .. } | Op::SetData { .. } | Op::SetAcl { .. } => self.stat(reader)?,
            Op::GetData { .. } | Op::Reconfig { .. } => {
                format!("{} {}", data(reader)?, self.stat(reader)?)
            }
            Op::GetAcl { .. } => {
                let count = reader.count()?;
                let mut entries = Vec::new();
                for _ in 0..count {
                    let (perms, scheme, id) = (reader.int()?, reader.string()?, reader.string()?);
                    entries.push(format!("{perms}:{scheme:?}:{id:?}"));
                }
                entries.sort();
                format!("{} {}", entries.join(","), self.stat(reader)?)
            }
            Op::GetChildren { .. } | Op::GetEphemerals { .. } => sorted(reader)?,
            Op::GetChildren2 { .. } => format!("{} {}", sorted(reader)?, self.stat(reader)?),
            Op::Sync { .. } => format!("{:?}", reader.string()?),
            Op::GetAllChildrenNumber { .. } | Op::AddWatch { .. } => format!("{}", reader.int()?),
            Op::WhoAmI => {
                let count = reader.count()?;
                let mut all = Vec::new();
                for _ in 0..count {
                    all.push(format!("{:?}:{:?}", reader.string()?, reader.string()?));
                }
                all.sort();
                all.join(",")
            }
            Op::Multi(_) | Op::MultiRead(_) => self.multi(reader)?,
            Op::Delete { .. }
            | Op::Ping
            | Op::Check { .. }
            | Op::CheckWatches { .. }
            | Op::RemoveWatches { .. }
            | Op::Auth { .. }
            | Op::SetWatches { .. }
            | Op::CloseSession
            | Op::Unknown { .. } => String::new(),
        })
    }

    fn multi(&self, reader: &mut Reader<'_>) -> Result<String> {
        let mut text = String::new();
        loop {
            let (kind, done, error) = (reader.int()?, reader.bool()?, reader.int()?);
            write!(text, "<{kind} {done} {error}")?;
            if done {
                text.push('>');
                return Ok(text);
            }
            match kind {
                -1 => write!(text, " error {}", reader.int()?)?,
                1 => write!(text, " {:?}", reader.string()?)?,
                15 => write!(text, " {:?} {}", reader.string()?, self.stat(reader)?)?,
                5 => write!(text, " {}", self.stat(reader)?)?,
                4 => write!(text, " {} {}", data(reader)?, self.stat(reader)?)?,
                8 => write!(text, " {}", sorted(reader)?)?,
                _ => {}
            }
            text.push('>');
        }
    }

    fn stat(&self, reader: &mut Reader<'_>) -> Result<String> {
        let (czxid, mzxid) = (reader.long()?, reader.long()?);
        let (ctime, mtime) = (reader.long()?, reader.long()?);
        let (version, cversion, aversion) = (reader.int()?, reader.int()?, reader.int()?);
        let owner = reader.long()?;
        let (length, children, pzxid) = (reader.int()?, reader.int()?, reader.long()?);
        let owner = if owner == 0 {
            "0".to_owned()
        } else {
            self.name(owner)
        };
        Ok(format!(
            "{{c {} m {} p {} created {} changed {} versions {version} {cversion} {aversion} owner \
             {owner} length {length} children {children}}}",
            self.relative(czxid),
            self.relative(mzxid),
            self.relative(pzxid),
            time(ctime),
            time(mtime),
        ))
    }
}

impl Session {
    fn take_xid(&mut self, op: &Op) -> i32 {
        op.fixed_xid().unwrap_or_else(|| {
            self.next_xid += 1;
            self.next_xid - 1
        })
    }
}

/// Whether ephemeral nodes go with this step.
fn ends_a_session(step: &Step) -> bool {
    match step {
        Step::Requests { ops, .. } => ops.contains(&Op::CloseSession),
        Step::New { .. } => true,
        Step::Damaged { op, .. } => *op == Op::CloseSession,
        Step::Bytes { .. } | Step::Drop { .. } | Step::Return { .. } => false,
    }
}

fn time(time: i64) -> String {
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .ok()
        .and_then(|since| i64::try_from(since.as_millis()).ok())
        .unwrap_or(0);
    if (now - time).abs() < CLOCK {
        "now".to_owned()
    } else {
        time.to_string()
    }
}

fn data(reader: &mut Reader<'_>) -> Result<String> {
    Ok(match reader.buffer()? {
        None => "null".to_owned(),
        Some(bytes) => format!("\"{}\"", bytes.escape_ascii()),
    })
}

fn sorted(reader: &mut Reader<'_>) -> Result<String> {
    let mut names = reader.strings()?;
    names.sort();
    Ok(format!("{names:?}"))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

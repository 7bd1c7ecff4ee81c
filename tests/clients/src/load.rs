//! Writers that remember what was acknowledged while servers crash under them, and the audit
//! afterwards: nothing acknowledged is lost, time does not run backwards, all members hold the same.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail, ensure};

use crate::connection::{Connection, Hello, Received};
use crate::jute::{Reader, Writer};
use crate::server::Ensemble;
use crate::word;

/// Sessions survive servers that are away for a while.
const SESSION: i32 = 20_000;
/// How long a reply may take before the client tries another server.
const PATIENCE: Duration = Duration::from_secs(3);
/// Between two requests of a client: the tree stays small enough to be read as a whole.
const PAUSE: Duration = Duration::from_millis(2);
/// Where all of it happens.
const ROOT: &str = "/load";

/// A session that goes from server to server.
#[derive(Debug)]
pub struct Client {
    addresses: Vec<SocketAddr>,
    turn: usize,
    connection: Option<Connection>,
    session: i64,
    password: Vec<u8>,
    last_zxid: i64,
    xid: i32,
    sessions: u32,
}

impl Client {
    /// Not connected yet; begins with the server of this number.
    pub fn new(addresses: Vec<SocketAddr>, turn: usize) -> Self {
        Self {
            addresses,
            turn,
            connection: None,
            session: 0,
            password: vec![0; 16],
            last_zxid: 0,
            xid: 1,
            sessions: 0,
        }
    }

    /// Connects to the next server that takes it. False if this one does not.
    fn connect(&mut self) -> Result<bool> {
        self.turn += 1;
        let address = self.addresses[self.turn % self.addresses.len()];
        let Ok(mut connection) = Connection::open(address, PATIENCE) else {
            return Ok(false);
        };
        let hello = Hello {
            last_zxid: self.last_zxid,
            timeout: SESSION,
            session: self.session,
            password: self.password.clone(),
            read_only: Some(false),
        };
        // A server that does not serve may also say nothing.
        let Ok(Some(welcome)) = connection.hello(&hello, PATIENCE) else {
            return Ok(false);
        };
        if welcome.timeout <= 0 {
            self.session = 0;
            self.password = vec![0; 16];
            self.last_zxid = 0;
            return Ok(false);
        }
        if self.session == 0 {
            self.sessions += 1;
        }
        ensure!(
            self.session == 0 || self.session == welcome.session,
            "asked for session {:#x} and got {:#x}",
            self.session,
            welcome.session
        );
        self.session = welcome.session;
        self.password = welcome.password;
        self.connection = Some(connection);
        Ok(true)
    }

    /// Sends a request and awaits its reply: its error and what follows the header. `None` if the
    /// connection is lost on the way, so that nobody knows whether the request was carried out.
    pub fn call(&mut self, code: i32, body: &[u8]) -> Result<Option<(i32, Vec<u8>)>> {
        if self.connection.is_none() && !self.connect()? {
            thread::sleep(Duration::from_millis(20));
            return Ok(None);
        }
        let Some(connection) = &mut self.connection else {
            return Ok(None);
        };
        let xid = self.xid;
        self.xid += 1;
        let mut frame = Writer::new();
        frame.int(xid).int(code).raw(body);
        let frame = match connection.send(&frame.finish()) {
            true => connection.receive(PATIENCE)?,
            false => Received::Closed,
        };
        let Received::Frame(frame) = frame else {
            self.connection = None;
            return Ok(None);
        };
        let mut reader = Reader::new(&frame);
        let (got, zxid, error) = (reader.int()?, reader.long()?, reader.int()?);
        ensure!(got == xid, "the reply to {xid} has xid {got}");
        ensure!(
            zxid >= self.last_zxid,
            "time runs backwards in session {:#x}: {zxid:#x} after {:#x}",
            self.session,
            self.last_zxid
        );
        self.last_zxid = zxid;
        Ok(Some((error, reader.rest().to_vec())))
    }

    /// As [`Client::call`], again and again until there is a reply.
    pub fn insist(&mut self, code: i32, body: &[u8], limit: Duration) -> Result<(i32, Vec<u8>)> {
        let deadline = Instant::now() + limit;
        loop {
            if let Some(reply) = self.call(code, body)? {
                return Ok(reply);
            }
            ensure!(
                Instant::now() < deadline,
                "no reply to request {code} within {limit:?}"
            );
        }
    }
}

/// The body of a create of a persistent node that everyone may do everything with.
fn create(path: &str, data: &str) -> Vec<u8> {
    let mut body = Writer::new();
    body.string(Some(path)).string(Some(data)).count(1);
    body.int(31)
        .string(Some("world"))
        .string(Some("anyone"))
        .int(0);
    body.finish()
}

/// What a writer knows for certain.
#[derive(Debug, Default)]
struct Known {
    /// Nodes whose creation was acknowledged, in this order.
    created: Vec<String>,
    /// Pairs that a transaction was to create; acknowledged or not.
    pairs: Vec<(String, String)>,
    /// The last value of the register that was acknowledged, and the last that was tried.
    acknowledged: u64,
    tried: u64,
    /// How many sessions it took.
    sessions: u32,
}

/// Writers at work.
#[derive(Debug)]
pub struct Load {
    stop: Arc<AtomicBool>,
    acknowledged: Arc<AtomicU64>,
    writers: Vec<JoinHandle<Result<Known>>>,
    known: BTreeMap<usize, Known>,
}

impl Load {
    /// Starts `count` writers. `epoch` makes their nodes different from those of an earlier load.
    pub fn start(ensemble: &Ensemble, count: usize, epoch: u32) -> Result<Self> {
        let addresses = ensemble.addresses();
        let mut first = Client::new(addresses.clone(), 0);
        let (error, _) = first.insist(1, &create(ROOT, ""), Duration::from_secs(30))?;
        ensure!(
            error == 0 || error == -110,
            "creating {ROOT}: error {error}"
        );
        first.insist(-11, &[], Duration::from_secs(30))?;
        let stop = Arc::new(AtomicBool::new(false));
        let acknowledged = Arc::new(AtomicU64::new(0));
        let writers = (0..count)
            .map(|number| {
                let (addresses, stop) = (addresses.clone(), Arc::clone(&stop));
                let acknowledged = Arc::clone(&acknowledged);
                thread::spawn(move || write(addresses, number, epoch, &stop, &acknowledged))
            })
            .collect();
        Ok(Self {
            stop,
            acknowledged,
            writers,
            known: BTreeMap::new(),
        })
    }

    /// How many writes were acknowledged so far.
    pub fn acknowledged(&self) -> u64 {
        self.acknowledged.load(Ordering::Relaxed)
    }

    /// Waits until `more` further writes are acknowledged. A writer that has found something wrong
    /// ends the wait.
    pub fn await_progress(&self, more: u64, limit: Duration) -> Result<()> {
        let (deadline, goal) = (Instant::now() + limit, self.acknowledged() + more);
        while self.acknowledged() < goal {
            ensure!(
                !self.writers.iter().any(JoinHandle::is_finished),
                "a writer gave up: see what it says when the load stops"
            );
            ensure!(
                Instant::now() < deadline,
                "{} of {more} writes acknowledged within {limit:?}",
                self.acknowledged() + more - goal
            );
            thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }

    /// Stops the writers. An error is what one of them saw.
    pub fn stop(&mut self) -> Result<()> {
        self.stop.store(true, Ordering::Relaxed);
        for (number, writer) in self.writers.drain(..).enumerate() {
            let known = writer
                .join()
                .map_err(|_| anyhow!("writer {number} panicked"))?;
            self.known
                .insert(number, known.with_context(|| format!("writer {number}"))?);
        }
        Ok(())
    }

    /// Compares what the members hold with each other and with what was acknowledged; returns how
    /// many nodes there are, and how many digests were reported. All members must serve and nobody else write.
    pub fn audit(&self, ensemble: &Ensemble) -> Result<(usize, u32)> {
        let first = ensemble.addresses().first().copied();
        write_until_a_digest_is_reported(first.context("a member")?)?;
        let trees: Vec<Tree> = ensemble
            .addresses()
            .into_iter()
            .map(|address| tree(address).with_context(|| format!("reading {address}")))
            .collect::<Result<_>>()?;
        let first = trees.first().context("a member")?;
        for (tree, member) in trees.iter().zip(ensemble.members()).skip(1) {
            for (path, node) in first {
                ensure!(
                    tree.get(path) == Some(node),
                    "{path} is {node:?} at the first member and {:?} at {}",
                    tree.get(path),
                    member.id()
                );
            }
            ensure!(
                tree.len() == first.len(),
                "member {} has more nodes",
                member.id()
            );
        }
        for (number, known) in &self.known {
            let mut before = 0;
            for path in &known.created {
                let node = first.get(path);
                let node = node.with_context(|| format!("{path} was acknowledged and is lost"))?;
                ensure!(
                    node.czxid > before,
                    "{path} has a zxid before that of an earlier one"
                );
                before = node.czxid;
            }
            for (one, other) in &known.pairs {
                ensure!(
                    first.contains_key(one) == first.contains_key(other),
                    "half of a transaction: {one}, {other}"
                );
            }
            if known.tried > 0 {
                let register = first.get(&register(*number));
                let text = register.map(|node| String::from_utf8_lossy(&node.data).into_owned());
                let value: u64 = text.as_deref().unwrap_or("").parse().unwrap_or(0);
                ensure!(
                    (known.acknowledged..=known.tried).contains(&value),
                    "the register of {number} is {text:?}; {} was acknowledged, {} tried",
                    known.acknowledged,
                    known.tried
                );
            }
        }
        let digests = digests(ensemble)?;
        ensure!(
            digests as usize >= ensemble.members().len(),
            "{digests} digests of {} members",
            ensemble.members().len()
        );
        Ok((first.len(), digests))
    }

    /// How many sessions all writers needed.
    pub fn sessions(&self) -> u32 {
        self.known.values().map(|known| known.sessions).sum()
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

fn register(number: usize) -> String {
    format!("{ROOT}/register-{number}")
}

/// One writer, until it is told to stop. An error is something that must never be seen.
fn write(
    addresses: Vec<SocketAddr>,
    number: usize,
    epoch: u32,
    stop: &AtomicBool,
    acknowledged: &AtomicU64,
) -> Result<Known> {
    let mut client = Client::new(addresses, number);
    let mut known = Known::default();
    let own = register(number);
    // The register goes on where an earlier load left it.
    client.insist(1, &create(&own, "0"), Duration::from_secs(60))?;
    let mut turn = 0_u64;
    while !stop.load(Ordering::Relaxed) {
        thread::sleep(PAUSE);
        turn += 1;
        let name = format!("{ROOT}/{epoch}-{number}-{turn}");
        let acknowledge = || acknowledged.fetch_add(1, Ordering::Relaxed);
        match turn % 4 {
            0 | 1 => {
                if let Some((error, _)) = client.call(1, &create(&name, "x"))? {
                    ensure!(error == 0, "creating {name}: error {error}");
                    known.created.push(name);
                    acknowledge();
                }
            }
            2 => {
                known.tried = u64::from(epoch) * 1_000_000_000 + turn;
                let mut body = Writer::new();
                body.string(Some(&own))
                    .string(Some(&known.tried.to_string()))
                    .int(-1);
                if let Some((error, _)) = client.call(5, &body.finish())? {
                    ensure!(error == 0, "writing {own}: error {error}");
                    known.acknowledged = known.tried;
                    acknowledge();
                }
                let mut body = Writer::new();
                body.string(Some(&own)).bool(false);
                if let Some((error, reply)) = client.call(4, &body.finish())? {
                    ensure!(error == 0, "reading {own}: error {error}");
                    let text = Reader::new(&reply).string()?.unwrap_or_default();
                    let value: u64 = text.parse().with_context(|| format!("{own} is {text:?}"))?;
                    // A client whose session is over may find an older state behind the new one.
                    if client.sessions <= 1 {
                        ensure!(
                            value >= known.acknowledged && value <= known.tried
                                || value < u64::from(epoch) * 1_000_000_000
                                    && known.acknowledged == 0,
                            "reading {own}: {value}, after {} was acknowledged",
                            known.acknowledged
                        );
                    }
                }
            }
            _ => {
                let pair = (format!("{name}-left"), format!("{name}-right"));
                let mut body = Writer::new();
                for path in [&pair.0, &pair.1] {
                    body.int(1).bool(false).int(-1).raw(&create(path, ""));
                }
                body.int(-1).bool(true).int(-1);
                let reply = client.call(14, &body.finish())?;
                if let Some((error, _)) = reply {
                    ensure!(error == 0, "creating two at once: error {error}");
                    known.created.push(pair.0.clone());
                    acknowledge();
                }
                known.pairs.push(pair);
            }
        }
    }
    client.insist(-11, &[], Duration::from_secs(60))?;
    known.sessions = client.sessions;
    Ok(known)
}

/// A node as one member has it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Node {
    czxid: i64,
    /// Its data, or null as empty.
    data: Vec<u8>,
    /// The whole Stat, as it comes.
    stat: Vec<u8>,
    /// The ACL, as it comes.
    acl: Vec<u8>,
}

type Tree = BTreeMap<String, Node>;

/// Everything that a member holds, read after a sync.
fn tree(address: SocketAddr) -> Result<Tree> {
    const LIMIT: Duration = Duration::from_secs(30);
    let mut client = Client::new(vec![address], 0);
    let path_only = |path: &str| {
        let mut body = Writer::new();
        body.string(Some(path));
        body.finish()
    };
    let (error, _) = client.insist(9, &path_only("/"), LIMIT)?;
    ensure!(error == 0, "sync: error {error}");
    let mut tree = Tree::new();
    let mut open = vec!["/".to_owned()];
    while let Some(path) = open.pop() {
        // Written by each member for itself when it starts (its times differ).
        if path == "/zookeeper/config" {
            continue;
        }
        let mut body = path_only(&path);
        let (error, acl) = client.insist(6, &body, LIMIT)?;
        ensure!(error == 0, "the ACL of {path}: error {error}");
        body.push(0);
        let (error, reply) = client.insist(4, &body, LIMIT)?;
        ensure!(error == 0, "the data of {path}: error {error}");
        let mut reader = Reader::new(&reply);
        let data = reader.buffer()?.unwrap_or_default().to_vec();
        let stat = reader.rest().to_vec();
        let czxid = reader.long()?;
        let (error, reply) = client.insist(8, &body, LIMIT)?;
        ensure!(error == 0, "the children of {path}: error {error}");
        let slash = if path == "/" { "" } else { path.as_str() };
        for name in Reader::new(&reply).strings()? {
            open.push(format!("{slash}/{name}"));
        }
        tree.insert(
            path,
            Node {
                czxid,
                data,
                stat,
                acl,
            },
        );
    }
    client.insist(-11, &[], LIMIT)?;
    Ok(tree)
}

/// Writes to the root, so often that one of the zxids is a 128th: each member remembers the digest there.
fn write_until_a_digest_is_reported(address: SocketAddr) -> Result<()> {
    const LIMIT: Duration = Duration::from_secs(30);
    let mut client = Client::new(vec![address], 0);
    let mut body = Writer::new();
    body.string(Some("/")).buffer(None).int(-1);
    let body = body.finish();
    for _ in 0..128 {
        let (error, _) = client.insist(5, &body, LIMIT)?;
        ensure!(error == 0, "writing to the root: error {error}");
    }
    client.insist(-11, &[], LIMIT)?;
    Ok(())
}

/// The tree digests that members report for the same zxid are the same; how many there are. A server
/// remembers one for every 128th zxid since its start.
fn digests(ensemble: &Ensemble) -> Result<u32> {
    let mut found: BTreeMap<String, (String, u8)> = BTreeMap::new();
    let mut reported = 0_u32;
    for member in ensemble.members() {
        let text = word::ask(member.address(), "hash", Duration::from_secs(5))?;
        for (zxid, digest) in text.lines().filter_map(|line| line.split_once(':')) {
            reported += 1;
            let (other, id) = found
                .entry(zxid.trim().to_owned())
                .or_insert_with(|| (digest.trim().to_owned(), member.id()));
            if other != digest.trim() {
                bail!(
                    "at {zxid} the digest is {other} at {id} and{digest} at {}",
                    member.id()
                );
            }
        }
    }
    Ok(reported)
}

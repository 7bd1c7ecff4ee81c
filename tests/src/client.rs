//! What clients do, and what they saw.

use crate::scenario::Scenario;
use std::sync::Arc;
use zabscope_core::{
    id::{ServerId, SessionId, Zxid},
    request::{
        Acl, AddWatchMode, Create, CreateMode, CreateOp, ErrorCode, OpResult, Request, Response,
        WatchEvent, WatchEventKind, WatcherType, Write, perms,
    },
    sim::{Action, ClientNo, ClientState, ClientView, Observation, Outcome, Seen},
};

/// Time-out of a client's session unless the scenario says otherwise.
const TIMEOUT_MS: i32 = 30_000;

/// A client in the hand of the scenario. What it asks is sent in order and not waited for, until
/// [`Hand::ok`], [`Hand::fails`], [`Hand::answered`] or [`Hand::connected`].
pub struct Hand<'s> {
    s: &'s mut Scenario,
    name: String,
}

/// Writes, as parts of a multi.
pub mod write {
    use super::{Acl, Arc, Create, CreateMode, CreateOp, Write, perms};

    /// A persistent znode.
    #[must_use]
    pub fn create(path: &str, data: &str) -> Write {
        made(path, data, CreateMode::Persistent, CreateOp::Create)
    }

    /// A znode of any kind.
    #[must_use]
    pub fn made(path: &str, data: &str, mode: CreateMode, op: CreateOp) -> Write {
        Write::Create(Create {
            path: Arc::from(path),
            data: Some(Arc::from(data.as_bytes())),
            acl: anyone(perms::ALL),
            mode,
            op,
        })
    }

    /// world:anyone with these permissions.
    #[must_use]
    pub fn anyone(perms: i32) -> Arc<[Acl]> {
        Arc::from([Acl {
            perms,
            scheme: Arc::from("world"),
            id: Arc::from("anyone"),
        }])
    }

    /// New data, whatever the version.
    #[must_use]
    pub fn set(path: &str, data: &str) -> Write {
        set_at(path, data, -1)
    }

    /// New data, if the version is this.
    #[must_use]
    pub fn set_at(path: &str, data: &str, version: i32) -> Write {
        Write::SetData {
            path: Arc::from(path),
            data: Some(Arc::from(data.as_bytes())),
            version,
        }
    }

    /// A znode goes.
    #[must_use]
    pub fn delete(path: &str) -> Write {
        Write::Delete {
            path: Arc::from(path),
            version: -1,
        }
    }

    /// The version must be this.
    #[must_use]
    pub fn check(path: &str, version: i32) -> Write {
        Write::Check {
            path: Arc::from(path),
            version,
        }
    }
}

impl Scenario {
    /// A client by its name; it appears with [`Hand::at`] or [`Hand::anywhere`].
    #[track_caller]
    pub fn client(&mut self, name: &str) -> Hand<'_> {
        Hand {
            s: self,
            name: name.to_owned(),
        }
    }

    /// A client's view.
    #[must_use]
    #[track_caller]
    pub fn see(&self, name: &str) -> ClientView<'_> {
        let view = self.names.get(name).and_then(|no| self.world.client(*no));
        self.sure(view, &format!("a client {name}"))
    }

    /// A client's session.
    #[must_use]
    #[track_caller]
    pub fn session(&self, name: &str) -> SessionId {
        self.see(name).session
    }

    /// The server at which a client has its session.
    #[must_use]
    #[track_caller]
    pub fn server_of(&self, name: &str) -> Option<i64> {
        match self.see(name).state {
            ClientState::Connected { server, .. } => Some(server.0),
            ClientState::Waiting { .. }
            | ClientState::Connecting { .. }
            | ClientState::Expired
            | ClientState::Closed => None,
        }
    }

    /// The `n`-th answer that a client got, from 1; `None` so far.
    #[must_use]
    #[track_caller]
    pub fn answer(&self, name: &str, n: usize) -> Option<&Observation> {
        answers(self.see(name)).nth(n - 1).map(|o| &**o)
    }

    /// The outcome of the `n`-th request of a client, from 1.
    #[must_use]
    #[track_caller]
    pub fn reply(&self, name: &str, n: usize) -> &Outcome {
        match self.answer(name, n).map(|o| &o.seen) {
            Some(Seen::Answer { outcome, .. }) => outcome,
            Some(_) | None => self.fail(&format!("answer {n} of client {name}")),
        }
    }

    /// How many answers a client got.
    #[must_use]
    #[track_caller]
    pub fn answers(&self, name: &str) -> usize {
        answers(self.see(name)).count()
    }

    /// The watch events that a client got, in order.
    #[must_use]
    #[track_caller]
    pub fn watches(&self, name: &str) -> Vec<WatchEvent> {
        self.see(name)
            .observations
            .iter()
            .filter_map(|o| match &o.seen {
                Seen::Watch(event) => Some(event.clone()),
                _ => None,
            })
            .collect()
    }

    /// The watch events that a client got, in short.
    #[must_use]
    #[track_caller]
    pub fn rang(&self, name: &str) -> Vec<(WatchEventKind, String)> {
        self.watches(name)
            .into_iter()
            .map(|e| (e.kind, e.path.to_string()))
            .collect()
    }

    /// Runs until a client has heard of so many watch events in all.
    #[track_caller]
    pub fn until_rang(&mut self, name: &str, n: usize) -> &mut Scenario {
        self.until_that(&format!("client {name} gets {n} watch events"), |s| {
            s.watches(name).len() >= n
        })
    }
}

fn answers(view: ClientView<'_>) -> impl Iterator<Item = &Arc<Observation>> {
    view.observations
        .iter()
        .filter(|o| matches!(o.seen, Seen::Answer { .. }))
}

impl<'s> Hand<'s> {
    // ---- where it is ---------------------------------------------------------------------------

    /// The client appears and calls this server; one that is there already moves to it.
    #[track_caller]
    pub fn at(self, server: i64) -> Self {
        self.at_with(server, TIMEOUT_MS)
    }

    /// The same, wishing for this session time-out in ms.
    #[track_caller]
    pub fn at_with(self, server: i64, timeout_ms: i32) -> Self {
        match self.s.names.get(&self.name) {
            Some(no) => {
                let client = *no;
                self.s.act(Action::MoveClient {
                    client,
                    server: ServerId(server),
                });
            }
            None => self.s.add(&self.name, Some(ServerId(server)), timeout_ms),
        }
        self
    }

    /// The client appears and chooses by itself.
    #[track_caller]
    pub fn anywhere(self) -> Self {
        self.s.add(&self.name, None, TIMEOUT_MS);
        self
    }

    /// Runs until it has its session.
    #[track_caller]
    pub fn connected(self) -> Self {
        let name = self.name.clone();
        self.s
            .until_that(&format!("client {name} has its session"), |s| {
                s.server_of(&name).is_some()
            });
        self
    }

    /// Runs until it gets its session anew: it may not know yet that its connection is gone.
    #[track_caller]
    pub fn reconnected(self) -> Self {
        let no = self.no();
        self.s
            .until(crate::world!(ClientConnected { client, .. } if *client == no));
        self
    }

    /// Its connection breaks; it reconnects by itself.
    #[track_caller]
    pub fn drop_connection(self) -> Self {
        let client = self.no();
        self.s.act(Action::DropClient { client });
        self
    }

    /// Its machine stands still.
    #[track_caller]
    pub fn pause(self) -> Self {
        let client = self.no();
        self.s.act(Action::PauseClient { client });
        self
    }

    /// It goes on.
    #[track_caller]
    pub fn resume(self) -> Self {
        let client = self.no();
        self.s.act(Action::ResumeClient { client });
        self
    }

    #[track_caller]
    fn no(&self) -> ClientNo {
        self.s.see(&self.name).no
    }

    // ---- what it asks --------------------------------------------------------------------------

    /// Any request.
    #[track_caller]
    pub fn ask(self, request: Request) -> Self {
        let client = self.no();
        *self.s.asked.entry(client).or_default() += 1;
        self.s.act(Action::Ask { client, request });
        self
    }

    /// Any write.
    #[track_caller]
    pub fn write(self, write: Write) -> Self {
        self.ask(Request::Write(write))
    }

    /// A persistent znode.
    #[track_caller]
    pub fn create(self, path: &str, data: &str) -> Self {
        self.write(write::create(path, data))
    }

    /// An ephemeral znode.
    #[track_caller]
    pub fn ephemeral(self, path: &str) -> Self {
        self.write(write::made(
            path,
            "",
            CreateMode::Ephemeral,
            CreateOp::Create,
        ))
    }

    /// A numbered znode.
    #[track_caller]
    pub fn sequential(self, path: &str) -> Self {
        let mode = CreateMode::PersistentSequential;
        self.write(write::made(path, "", mode, CreateOp::Create))
    }

    /// New data.
    #[track_caller]
    pub fn set(self, path: &str, data: &str) -> Self {
        self.write(write::set(path, data))
    }

    /// A znode goes.
    #[track_caller]
    pub fn delete(self, path: &str) -> Self {
        self.write(write::delete(path))
    }

    /// All of them or none.
    #[track_caller]
    pub fn multi(self, all: Vec<Write>) -> Self {
        self.write(Write::Multi(all))
    }

    /// So many writes, one after the other, by itself.
    #[track_caller]
    pub fn load(self, writes: u32) -> Self {
        let client = self.no();
        *self.s.asked.entry(client).or_default() += u64::from(writes);
        self.s.act(Action::Load { client, writes });
        self
    }

    /// getData.
    #[track_caller]
    pub fn read(self, path: &str) -> Self {
        self.get(path, false)
    }

    /// getData with a watch.
    #[track_caller]
    pub fn watch(self, path: &str) -> Self {
        self.get(path, true)
    }

    #[track_caller]
    fn get(self, path: &str, watch: bool) -> Self {
        self.ask(Request::GetData {
            path: Arc::from(path),
            watch,
        })
    }

    /// exists with a watch.
    #[track_caller]
    pub fn watch_exists(self, path: &str) -> Self {
        self.ask(Request::Exists {
            path: Arc::from(path),
            watch: true,
        })
    }

    /// getChildren with a watch.
    #[track_caller]
    pub fn watch_children(self, path: &str) -> Self {
        self.ask(Request::GetChildren {
            path: Arc::from(path),
            watch: true,
            stat: false,
        })
    }

    /// getChildren.
    #[track_caller]
    pub fn children(self, path: &str) -> Self {
        self.ask(Request::GetChildren {
            path: Arc::from(path),
            watch: false,
            stat: false,
        })
    }

    /// addWatch.
    #[track_caller]
    pub fn add_watch(self, path: &str, mode: AddWatchMode) -> Self {
        self.ask(Request::AddWatch {
            path: Arc::from(path),
            mode,
        })
    }

    /// removeWatches.
    #[track_caller]
    pub fn remove_watch(self, path: &str, kind: WatcherType) -> Self {
        self.ask(Request::RemoveWatches {
            path: Arc::from(path),
            kind,
        })
    }

    /// sync.
    #[track_caller]
    pub fn sync(self) -> Self {
        self.ask(Request::Sync {
            path: Arc::from("/"),
        })
    }

    /// Good-bye.
    #[track_caller]
    pub fn close(self) -> Self {
        self.ask(Request::CloseSession)
    }

    // ---- what it heard -------------------------------------------------------------------------

    /// Runs until everything that it asked has ended, well or badly.
    #[track_caller]
    pub fn answered(self) -> Self {
        let name = self.name.clone();
        let no = self.no();
        let asked = self.s.asked.get(&no).copied().unwrap_or(0);
        self.s
            .until_that(&format!("all {asked} requests of client {name} end"), |s| {
                answers(s.see(&name)).count() as u64 >= asked
            });
        self
    }

    /// Runs until everything is answered; the last answer must be a success, and is returned.
    #[track_caller]
    pub fn ok(self) -> Response {
        let hand = self.answered();
        match hand.last() {
            Outcome::Reply {
                result: Ok(response),
                ..
            } => response,
            other => hand.s.fail(&format!(
                "the last request of client {} succeeds; it ended in {other:?}",
                hand.name
            )),
        }
    }

    /// Runs until everything is answered; the last answer must be this error.
    #[track_caller]
    pub fn fails(self, code: ErrorCode) {
        let hand = self.answered();
        match hand.last() {
            Outcome::Reply {
                result: Err(found), ..
            } if found == code => {}
            other => hand.s.fail(&format!(
                "the last request of client {} fails with {code:?}; it ended in {other:?}",
                hand.name
            )),
        }
    }

    /// Runs until everything is answered; the last request must have lost its connection.
    #[track_caller]
    pub fn loses_connection(self) {
        let hand = self.answered();
        if hand.last() != Outcome::ConnectionLoss {
            hand.s.fail(&format!(
                "the last request of client {} loses its connection",
                hand.name
            ));
        }
    }

    /// Runs until everything is answered; what the last getData read.
    #[track_caller]
    pub fn data(self) -> String {
        self.data_at().0
    }

    /// The same, with the zxid that the answer shows.
    #[track_caller]
    pub fn data_at(self) -> (String, Zxid) {
        let hand = self.answered();
        match hand.last() {
            Outcome::Reply {
                zxid,
                result: Ok(Response::Data(data, _)),
            } => {
                let bytes = data.unwrap_or_default();
                (String::from_utf8_lossy(&bytes).into_owned(), zxid)
            }
            other => hand.s.fail(&format!(
                "client {} reads data; its last request ended in {other:?}",
                hand.name
            )),
        }
    }

    /// Runs until everything is answered; the path that the last create made.
    #[track_caller]
    pub fn path(self) -> String {
        let hand = self.answered();
        match hand.last() {
            Outcome::Reply {
                result: Ok(Response::Path(path) | Response::PathStat(path, _)),
                ..
            } => path.to_string(),
            other => hand.s.fail(&format!(
                "client {} creates; its last request ended in {other:?}",
                hand.name
            )),
        }
    }

    /// Runs until everything is answered; the results of the last multi.
    #[track_caller]
    pub fn results(self) -> Vec<OpResult> {
        let hand = self.answered();
        match hand.last() {
            Outcome::Reply {
                result: Ok(Response::Multi(all)),
                ..
            } => all,
            other => hand.s.fail(&format!(
                "client {} gets a multi's results; its last request ended in {other:?}",
                hand.name
            )),
        }
    }

    #[track_caller]
    fn last(&self) -> Outcome {
        let last = answers(self.s.see(&self.name)).last().map(|o| &o.seen);
        match last {
            Some(Seen::Answer { outcome, .. }) => outcome.clone(),
            Some(_) | None => self.s.fail(&format!("an answer for client {}", self.name)),
        }
    }
}

impl Scenario {
    #[track_caller]
    fn add(&mut self, name: &str, server: Option<ServerId>, timeout_ms: i32) {
        if self.names.contains_key(name) {
            self.fail(&format!("client {name} is new"));
        }
        self.act(Action::AddClient { server, timeout_ms });
        let no = ClientNo(u16::try_from(self.world.clients().len()).unwrap_or(u16::MAX));
        self.names.insert(name.to_owned(), no);
    }
}

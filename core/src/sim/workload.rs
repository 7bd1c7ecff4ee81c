//! Seeded clients that create, write, read, watch, sync, move and say good-bye.

use crate::{
    id::ServerId,
    request::{AddWatchMode, Create, CreateMode, CreateOp, Request, WatcherType, Write},
    sim::{
        client::{ClientState, open_acl},
        queue::Dice,
        setup::{Action, ClientNo, MAX_CLIENTS},
        world::World,
    },
    time::{Moment, Span},
};
use std::sync::Arc;

/// A schedule of clients' requests for one run, with dice of its own.
#[derive(Clone, Debug)]
pub struct Workload {
    dice: Dice,
    clients: u16,
    next: Moment,
    count: u64,
}

impl Workload {
    /// A schedule for about so many clients at a time.
    #[must_use]
    pub fn new(seed: u64, clients: u16) -> Workload {
        Workload {
            dice: Dice::new(seed ^ 0x03c1_1e47),
            clients: clients.min(MAX_CLIENTS),
            next: Moment(0),
            count: 0,
        }
    }

    /// What is to be done before the next step; call it until it has nothing more to say.
    pub fn next(&mut self, world: &World) -> Option<Action> {
        let now = world.now();
        if self.clients == 0 || now < self.next {
            return None;
        }
        let wait = self.dice.between(0, world.setup().tick.0 / 4);
        self.next = now + Span(wait);
        let alive: Vec<(ClientNo, usize)> = world
            .clients()
            .filter(|c| !matches!(c.state, ClientState::Expired | ClientState::Closed))
            .map(|c| (c.no, c.queued))
            .collect();
        let servers: Vec<ServerId> = world.servers().map(|s| s.id).collect();
        let room = world.clients().len() < usize::from(MAX_CLIENTS);
        let action = if alive.len() < usize::from(self.clients) && room {
            let server = match self.dice.chance(50) {
                true => self.dice.pick(&servers).copied(),
                false => None,
            };
            let ticks = self.dice.between(2, 20);
            Action::AddClient {
                server,
                timeout_ms: world.setup().tick.times(ticks).as_millis() as i32,
            }
        } else {
            let (client, queued) = *self.dice.pick(&alive)?;
            if queued > 20 {
                return None;
            }
            match self.dice.below(100) {
                0..2 => Action::MoveClient {
                    client,
                    server: *self.dice.pick(&servers)?,
                },
                2..5 => Action::Load {
                    client,
                    writes: self.dice.between(1, 40) as u32,
                },
                5 if room => Action::Ask {
                    client,
                    request: Request::CloseSession,
                },
                _ => Action::Ask {
                    client,
                    request: self.request(),
                },
            }
        };
        world.possible(&action).is_ok().then_some(action)
    }

    fn path(&mut self) -> Arc<str> {
        let top = ["/a", "/b", "/c", "/d"];
        let below = ["", "", "/x", "/y", "/x/1"];
        let top = self.dice.pick(&top).copied().unwrap_or("/a");
        let below = self.dice.pick(&below).copied().unwrap_or("");
        Arc::from(format!("{top}{below}"))
    }

    fn data(&mut self) -> Option<Arc<[u8]>> {
        self.count += 1;
        match self.dice.below(10) {
            0 => None,
            _ => Some(Arc::from(self.count.to_string().into_bytes())),
        }
    }

    fn version(&mut self) -> i32 {
        match self.dice.below(5) {
            0 => self.dice.below(4) as i32,
            _ => -1,
        }
    }

    fn create(&mut self) -> Write {
        let mode = match self.dice.below(8) {
            0 => CreateMode::Ephemeral,
            1 => CreateMode::PersistentSequential,
            2 => CreateMode::EphemeralSequential,
            _ => CreateMode::Persistent,
        };
        let op = match self.dice.below(6) {
            0 => CreateOp::Create2,
            1 if mode == CreateMode::Persistent => CreateOp::Container,
            _ => CreateOp::Create,
        };
        Write::Create(Create {
            path: self.path(),
            data: self.data(),
            acl: open_acl(),
            mode: match op {
                CreateOp::Container => CreateMode::Container,
                CreateOp::Create | CreateOp::Create2 | CreateOp::Ttl(_) => mode,
            },
            op,
        })
    }

    fn write(&mut self) -> Write {
        match self.dice.below(10) {
            0..4 => self.create(),
            4..6 => Write::Delete {
                path: self.path(),
                version: self.version(),
            },
            _ => Write::SetData {
                path: self.path(),
                data: self.data(),
                version: self.version(),
            },
        }
    }

    fn request(&mut self) -> Request {
        let watch = self.dice.chance(40);
        match self.dice.below(100) {
            0..40 => Request::Write(self.write()),
            40..44 => Request::Write(Write::Multi(
                (0..self.dice.between(1, 4)).map(|_| self.write()).collect(),
            )),
            44..62 => Request::GetData {
                path: self.path(),
                watch,
            },
            62..72 => Request::Exists {
                path: self.path(),
                watch,
            },
            72..82 => Request::GetChildren {
                path: self.path(),
                watch,
                stat: self.dice.chance(50),
            },
            82..90 => Request::Sync { path: self.path() },
            90..94 => Request::AddWatch {
                path: self.path(),
                mode: match self.dice.chance(50) {
                    true => AddWatchMode::Persistent,
                    false => AddWatchMode::PersistentRecursive,
                },
            },
            94..96 => Request::RemoveWatches {
                path: self.path(),
                kind: WatcherType::Any,
            },
            96..98 => Request::MultiRead(vec![
                Request::GetData {
                    path: self.path(),
                    watch: false,
                },
                Request::GetChildren {
                    path: self.path(),
                    watch: false,
                    stat: false,
                },
            ]),
            98 => Request::GetEphemerals { prefix: None },
            _ => Request::GetAllChildrenNumber { path: self.path() },
        }
    }
}

//! Random steps, the same for the same seed.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

use super::op::{Acl, Creation, Damage, Op, Path, Return, Step};
use super::side::TIMEOUT;

/// How many sessions a round has.
pub const SLOTS: usize = 3;

/// Nodes that rounds are about; few, so that operations meet.
const PLACES: &[&str] = &[
    "$",
    "$/a",
    "$/b",
    "$/a/x",
    "$/a/y",
    "$/a/x/1",
    "$/b/x",
    "$/c",
    "$/e",
    "$/a0000000000",
    "$/a0000000001",
    "$/b/x0000000001",
];
/// Parents in which sequential nodes are made: the suffix comes right after.
const SEQUENCES: &[&str] = &["$/a", "$/b/", "$/a/x", "$/c/s-", "$/e", "$/"];
/// Paths that are none, or that nobody may touch.
const ODD: &[&str] = &[
    "",
    "a",
    "/",
    "//",
    "$/",
    "$/a/",
    "$//a",
    "$/./a",
    "$/a/..",
    "$/.a",
    "$/a\u{1}",
    "$/a\u{0}b",
    "$/\u{e000}",
    "$/\u{fff0}",
    "$/é",
    "$/日本",
    "$/a\u{7f}",
    "/zookeeper",
    "/zookeeper/quota",
    "/zookeeper/config",
    "/zookeeper/nothing",
    "$/none/none",
];
/// Where limits for the quota of a node stand.
const QUOTA: &[&str] = &[
    "/zookeeper/quota$",
    "/zookeeper/quota$/a",
    "/zookeeper/quota$/a/zookeeper_limits",
    "/zookeeper/quota$/a/zookeeper_stats",
    "/zookeeper/quota$/zookeeper_limits",
    "/zookeeper/quota$/zookeeper_stats",
];
/// Nothing that can't be read: every write below it then fails in Apache.
const LIMITS: &[&str] = &[
    "count=3,bytes=-1",
    "count=-1,bytes=20",
    "count=2,bytes=10=;byteHardLimit=12;countHardLimit=4",
    "count=-1,bytes=-1=;byteHardLimit=-1;countHardLimit=3",
];
/// user1:password1, as the server writes it down.
const USER1: &str = "user1:XDkd2dsEuhc9ImU3q8pa8UOdtpI=";

fn open() -> Acl {
    (31, "world".to_owned(), "anyone".to_owned())
}

/// Draws steps.
pub struct Generator {
    random: ChaCha8Rng,
    /// The present operation should have a chance: no odd paths, versions, ACLs and flags.
    hopeful: bool,
    /// The only kind of watch of this round: 0 standard, 1 persistent, 2 recursive. In 3.8 the last
    /// kind that a connection sets on a path replaces the others, in 3.9 they stand side by side.
    watches: u64,
    /// In this round nodes may be unreadable; then there are no watches, and `exists` is not asked:
    /// both tell more in 3.8.0 than since 3.8.4 and 3.9.2.
    private: bool,
}

impl Generator {
    /// The steps of this seed.
    pub fn new(seed: u64) -> Self {
        Self {
            random: ChaCha8Rng::seed_from_u64(seed),
            hopeful: true,
            watches: if seed % 4 == 3 { u64::MAX } else { seed % 3 },
            private: seed % 4 == 3,
        }
    }

    /// Steps with at least so many requests.
    pub fn steps(&mut self, requests: usize) -> Vec<Step> {
        // Something to work on.
        let first = ["$/a", "$/b", "$/a/x", "$/b/x", "$/e"].map(|path| Op::Create {
            how: Creation::Create,
            path: Some(path.to_owned()),
            data: self.data(),
            acl: Some(vec![open()]),
            flags: 0,
        });
        let mut count = first.len();
        let mut steps = vec![Step::Requests {
            slot: 0,
            ops: first.to_vec(),
        }];
        while count < requests {
            let step = self.step();
            count += step.size();
            steps.push(step);
        }
        steps
    }

    fn below(&mut self, limit: usize) -> usize {
        // The remainder prefers small numbers by an amount that does not matter here.
        self.random.next_u32() as usize % limit.max(1)
    }

    fn one_in(&mut self, chances: usize) -> bool {
        self.below(chances) == 0
    }

    fn pick<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())].clone()
    }

    fn step(&mut self) -> Step {
        let slot = self.below(SLOTS);
        match self.below(100) {
            0..=74 => Step::Requests {
                slot,
                ops: vec![self.op()],
            },
            75..=84 => {
                let count = 2 + self.below(6);
                Step::Requests {
                    slot,
                    ops: (0..count).map(|_| self.op_for_a_row()).collect(),
                }
            }
            85..=89 => {
                let (op, mut damage) = (self.op(), self.damage());
                // A turned bit must not set a watch of another kind, or make an entry of a multi one of
                // those on which 3.8 and 3.9 differ.
                let careful = matches!(
                    op,
                    Op::Multi(_)
                        | Op::Exists { .. }
                        | Op::GetData { .. }
                        | Op::GetChildren { .. }
                        | Op::GetChildren2 { .. }
                        | Op::AddWatch { .. }
                        | Op::SetWatches { .. }
                );
                if careful && let Damage::Turn(place, _) = damage {
                    damage = Damage::Cut(place);
                }
                Step::Damaged { slot, op, damage }
            }
            90 => Step::Bytes {
                slot,
                bytes: self.bytes(),
            },
            91..=93 => Step::Drop { slot },
            94..=96 => {
                let how = [
                    Return::Right,
                    Return::Old,
                    Return::WrongPassword,
                    Return::FromTheFuture,
                ];
                Step::Return {
                    slot,
                    how: self.pick(&how),
                }
            }
            97 => Step::New {
                slot,
                timeout: self.pick(&[TIMEOUT, 0, -5, 1, 3_999, 12_345, i32::MAX]),
                read_only: self.pick(&[None, Some(false), Some(true)]),
            },
            _ => Step::Requests {
                slot,
                ops: vec![self.op()],
            },
        }
    }

    /// Operations that neither close the connection nor overtake others.
    fn op_for_a_row(&mut self) -> Op {
        loop {
            let op = self.op();
            match op {
                Op::Auth { .. } | Op::CloseSession | Op::Unknown { .. } | Op::Check { .. } => {}
                Op::Create { .. }
                | Op::Delete { .. }
                | Op::Exists { .. }
                | Op::GetData { .. }
                | Op::SetData { .. }
                | Op::GetAcl { .. }
                | Op::SetAcl { .. }
                | Op::GetChildren { .. }
                | Op::GetChildren2 { .. }
                | Op::Sync { .. }
                | Op::Ping
                | Op::Multi(_)
                | Op::MultiRead(_)
                | Op::Reconfig { .. }
                | Op::CheckWatches { .. }
                | Op::RemoveWatches { .. }
                | Op::SetWatches { .. }
                | Op::GetEphemerals { .. }
                | Op::GetAllChildrenNumber { .. }
                | Op::AddWatch { .. }
                | Op::WhoAmI => return op,
            }
        }
    }

    fn op(&mut self) -> Op {
        let mut op = self.any_op();
        if self.private
            && let Op::Exists { path, watch } = op
        {
            op = Op::GetData { path, watch };
        }
        match &mut op {
            Op::Exists { watch, .. }
            | Op::GetData { watch, .. }
            | Op::GetChildren { watch, .. }
            | Op::GetChildren2 { watch, .. } => *watch &= self.watches == 0,
            Op::AddWatch { mode, .. } if (0..2).contains(mode) => match self.watches {
                0 => *mode = 2,
                1 => *mode = 0,
                2 => *mode = 1,
                _ => *mode = 2,
            },
            Op::SetWatches { lists, .. } => {
                for (at, list) in lists.iter_mut().enumerate() {
                    if at.saturating_sub(2) as u64 != self.watches {
                        list.clear();
                    }
                }
            }
            _ => {}
        }
        op
    }

    fn any_op(&mut self) -> Op {
        self.hopeful = !self.one_in(3);
        match self.below(100) {
            0..=22 => self.create(),
            23..=27 => Op::Delete {
                path: self.any_path(),
                version: self.version(),
            },
            28..=35 => Op::SetData {
                path: self.path(),
                data: self.data(),
                version: self.version(),
            },
            36..=41 => Op::Exists {
                path: self.any_path(),
                watch: self.one_in(2),
            },
            42..=47 => Op::GetData {
                path: self.any_path(),
                watch: self.one_in(2),
            },
            48..=51 => Op::GetChildren {
                path: self.any_path(),
                watch: self.one_in(2),
            },
            52..=55 => Op::GetChildren2 {
                path: self.any_path(),
                watch: self.one_in(2),
            },
            56..=58 => Op::GetAcl { path: self.path() },
            59..=61 => Op::SetAcl {
                path: self.path(),
                acl: self.acl(),
                version: self.version(),
            },
            62..=63 => Op::Sync { path: self.path() },
            64 => Op::Ping,
            65..=73 => self.multi(),
            74..=76 => self.multi_read(),
            77 => Op::CheckWatches {
                path: self.path(),
                kind: self.watcher_kind(),
            },
            78..=79 => Op::RemoveWatches {
                path: self.path(),
                kind: self.watcher_kind(),
            },
            80..=81 => self.auth(),
            82..=83 => self.set_watches(),
            84 => Op::GetEphemerals {
                path: {
                    let other = [
                        None,
                        Some(String::new()),
                        Some("/".to_owned()),
                        Some("$".to_owned()),
                    ];
                    if self.one_in(2) {
                        self.path()
                    } else {
                        self.pick(&other)
                    }
                },
            },
            85..=86 => Op::GetAllChildrenNumber { path: self.path() },
            87..=90 => {
                let mode = if self.one_in(10) {
                    self.pick(&[-1, 2, 77])
                } else {
                    self.pick(&[0, 1])
                };
                Op::AddWatch {
                    path: self.path(),
                    mode,
                }
            }
            91 => Op::WhoAmI,
            92 => Op::CloseSession,
            93 => self.reconfig(),
            94 => Op::Unknown {
                code: self.pick(&[0, 10, 23, 99, 108, -1, -12, 1 << 20]),
                body: vec![0; 4],
            },
            95 => self.quota(),
            _ => self.watched_read(),
        }
    }

    fn watched_read(&mut self) -> Op {
        let path = Some(self.pick(PLACES).to_owned());
        match self.below(3) {
            0 => Op::GetData { path, watch: true },
            1 => Op::GetChildren { path, watch: true },
            _ => Op::Exists { path, watch: true },
        }
    }

    fn path(&mut self) -> Path {
        if self.hopeful {
            return Some(self.pick(PLACES).to_owned());
        }
        match self.below(15) {
            0..=2 => Some(self.pick(ODD).to_owned()),
            3 => Some(self.pick(QUOTA).to_owned()),
            _ => Some(self.pick(PLACES).to_owned()),
        }
    }

    /// Perhaps a null path. Only where Apache refuses it as unreadable, as we do everywhere: what else
    /// it does with one depends on what it looks at first.
    fn any_path(&mut self) -> Path {
        if self.hopeful || !self.one_in(8) {
            self.path()
        } else {
            None
        }
    }

    fn version(&mut self) -> i32 {
        let hopeful = [-1, -1, -1, -1, -1, -1, 0, 1];
        if self.hopeful {
            self.pick(&hopeful)
        } else {
            self.pick(&[-1, 0, 0, 1, 2, 3, i32::MAX, -2])
        }
    }

    fn data(&mut self) -> Option<Vec<u8>> {
        match self.below(10) {
            0 => None,
            1 => Some(Vec::new()),
            2 => Some(vec![b'z'; 5000]),
            _ => {
                let length = self.below(12);
                Some((0..length).map(|at| b'a' + (at % 26) as u8).collect())
            }
        }
    }

    fn acl(&mut self) -> Option<Vec<Acl>> {
        if self.hopeful && !self.one_in(8) || !self.one_in(3) {
            return Some(vec![open()]);
        }
        if self.one_in(12) {
            return None;
        }
        let count = self.below(4);
        let mut entries: Vec<Acl> = (0..count).map(|_| self.acl_entry()).collect();
        if !self.private && !entries.is_empty() {
            entries.push((1, "world".to_owned(), "anyone".to_owned()));
        }
        Some(entries)
    }

    fn acl_entry(&mut self) -> Acl {
        let (scheme, id) = self.pick(&[
            ("world", "anyone"),
            ("world", "anyone"),
            ("world", "somebody"),
            ("auth", ""),
            ("auth", "x"),
            ("digest", USER1),
            ("digest", USER1),
            ("digest", "user2"),
            ("digest", "a:b:c"),
            ("ip", "127.0.0.1"),
            ("ip", "10.0.0.0/8"),
            ("ip", "127.0.0.0/8"),
            ("ip", "1.2.3"),
            ("ip", "1.2.3.4/33"),
            ("ip", "localhost"),
            ("nothing", "x"),
            ("super", ""),
            ("x509", "CN=a"),
            ("sasl", "bob"),
            ("", ""),
        ]);
        let permissions = self.pick(&[31, 31, 1, 2, 4, 8, 16, 15, 0, 32, -1]);
        (permissions, scheme.to_owned(), id.to_owned())
    }

    fn create(&mut self) -> Op {
        let flags = match self.hopeful {
            true => self.pick(&[0, 0, 0, 0, 1, 2, 3]),
            false => self.pick(&[0, 1, 2, 3, 4, 5, 6, 7, -1]),
        };
        let how = match self.below(20) {
            0..=10 => Creation::Create,
            11..=15 => Creation::Create2,
            16..=17 => Creation::Container,
            _ => Creation::Ttl(self.pick(&[1_000_000, 1, 0, -1, (1 << 40) - 1, 1 << 40, i64::MAX])),
        };
        let flags = match how {
            // A negative time to live for a node that has none makes Apache end itself.
            Creation::Ttl(ttl) if ttl < 0 || !self.one_in(4) => self.pick(&[5, 6]),
            Creation::Container if !self.one_in(4) => 4,
            _ => flags,
        };
        let sequential = matches!(flags, 2 | 3 | 6);
        let path = if sequential && !self.one_in(8) {
            Some(self.pick(SEQUENCES).to_owned())
        } else {
            self.path()
        };
        Op::Create {
            how,
            path,
            data: self.data(),
            acl: self.acl(),
            flags,
        }
    }

    /// In a multi 3.8 takes what is created from the flags, 3.9 from the opcode: only where both agree.
    fn create_in_multi(&mut self) -> Op {
        let mut op = self.create();
        if let Op::Create { how, flags, .. } = &mut op {
            // Flags that are none spoil the whole multi in 3.9, and one entry in 3.8; flags that want
            // a time to live, in a request that has none, spoil it by accident.
            *flags = match how {
                Creation::Ttl(_) => (*flags).clamp(0, 6),
                _ => (*flags).clamp(0, 4),
            };
            *how = match (*how, *flags) {
                (Creation::Container, 4) => Creation::Container,
                (Creation::Ttl(ttl), 5 | 6) => Creation::Ttl(ttl),
                _ => Creation::Create,
            };
        }
        op
    }

    fn multi(&mut self) -> Op {
        if self.hopeful && self.one_in(2) {
            return self.hopeful_multi();
        }
        let count = self.below(6);
        Op::Multi(
            (0..count)
                .map(|_| match self.below(20) {
                    0..=8 => self.create_in_multi(),
                    9..=12 => Op::Delete {
                        path: self.path(),
                        version: self.version(),
                    },
                    13..=16 => Op::SetData {
                        path: self.path(),
                        data: self.data(),
                        version: self.version(),
                    },
                    17..=18 => Op::Check {
                        path: self.path(),
                        version: self.version(),
                    },
                    _ => match self.below(8) {
                        0 => Op::GetData {
                            path: self.path(),
                            watch: false,
                        },
                        1 => Op::SetAcl {
                            path: self.path(),
                            acl: self.acl(),
                            version: -1,
                        },
                        _ => Op::Check {
                            path: self.path(),
                            version: -1,
                        },
                    },
                })
                .collect(),
        )
    }

    /// One that has a good chance to succeed as a whole, and whose entries build upon each other.
    fn hopeful_multi(&mut self) -> Op {
        let node = Some(self.pick(&["$/a", "$/b", "$/a/x", "$"]).to_owned());
        let new = format!("{}/m", node.clone().unwrap_or_default());
        let create = |how, flags| Op::Create {
            how,
            path: Some(new.clone()),
            data: None,
            acl: Some(vec![open()]),
            flags,
        };
        let mut entries = vec![Op::Check {
            path: node.clone(),
            version: -1,
        }];
        entries.push(create(Creation::Create, self.pick(&[0, 1])));
        entries.push(create(Creation::Create, self.pick(&[2, 3])));
        entries.push(Op::SetData {
            path: node,
            data: self.data(),
            version: -1,
        });
        entries.push(Op::SetData {
            path: Some(new.clone()),
            data: self.data(),
            version: 0,
        });
        entries.push(Op::Check {
            path: Some(new.clone()),
            version: 1,
        });
        entries.push(Op::Delete {
            path: Some(new.clone()),
            version: 1,
        });
        if self.one_in(3) {
            entries.push(create(Creation::Create, 2));
        }
        let from = self.below(2);
        Op::Multi(entries.split_off(from))
    }

    fn multi_read(&mut self) -> Op {
        let count = self.below(5);
        Op::MultiRead(
            (0..count)
                .map(|_| match self.below(12) {
                    0..=5 => Op::GetData {
                        path: self.path(),
                        watch: self.one_in(4),
                    },
                    6..=10 => Op::GetChildren {
                        path: self.path(),
                        watch: self.one_in(4),
                    },
                    _ => Op::Delete {
                        path: self.path(),
                        version: -1,
                    },
                })
                .collect(),
        )
    }

    // 4 and 5 came with 3.9; 3.8 does not know them.
    fn watcher_kind(&mut self) -> i32 {
        // In 3.8 the types for data and children also remove what addWatch has set.
        if self.watches != 0 {
            return 3;
        }
        if self.hopeful {
            self.pick(&[1, 2, 3])
        } else {
            self.pick(&[0, 6, -1, 3])
        }
    }

    fn auth(&mut self) -> Op {
        let (scheme, auth): (Option<&str>, Option<&[u8]>) = self.pick(&[
            (Some("digest"), Some(&b"user1:password1"[..])),
            (Some("digest"), Some(b"user1:password1")),
            (Some("digest"), Some(b"user2:x")),
            (Some("digest"), Some(b"nocolon")),
            (Some("digest"), Some(b"a:b:c")),
            (Some("digest"), Some(b"")),
            (Some("digest"), Some(b"super:test")),
            (Some("ip"), Some(b"")),
            (Some("world"), Some(b"anyone")),
            (Some("nothing"), Some(b"x")),
            (Some(""), Some(b"")),
        ]);
        Op::Auth {
            scheme: scheme.map(str::to_owned),
            auth: auth.map(<[u8]>::to_vec),
        }
    }

    fn set_watches(&mut self) -> Op {
        let two = self.one_in(2);
        let mut lists = Vec::new();
        for _ in 0..if two { 5 } else { 3 } {
            let count = self.below(3);
            lists.push((0..count).map(|_| self.pick(PLACES).to_owned()).collect());
        }
        Op::SetWatches {
            behind: self.pick(&[0, 0, 1, 2, 5, 10, 1000]),
            lists,
            two,
        }
    }

    fn reconfig(&mut self) -> Op {
        let server = Some("server.2=127.0.0.1:1:2:participant;3".to_owned());
        let choices = [
            (server.clone(), None, None),
            (None, Some("1".to_owned()), None),
            (None, None, server),
            (None, None, None),
            (Some("nonsense".to_owned()), None, None),
        ];
        let (joining, leaving, members) = self.pick(&choices);
        Op::Reconfig {
            joining,
            leaving,
            members,
            version: self.pick(&[-1, 0, 7]),
        }
    }

    fn quota(&mut self) -> Op {
        let path = Some(self.pick(QUOTA).to_owned());
        let data = Some(self.pick(LIMITS).as_bytes().to_vec());
        if self.one_in(4) {
            return Op::SetData {
                path,
                data,
                version: -1,
            };
        }
        Op::Create {
            how: Creation::Create,
            path,
            data,
            acl: Some(vec![open()]),
            flags: 0,
        }
    }

    fn damage(&mut self) -> Damage {
        match self.below(5) {
            0 | 1 => Damage::Cut(self.below(1000)),
            2 | 3 => Damage::Turn(self.below(1000), self.below(8) as u8),
            _ => Damage::Longer(vec![7; 1 + self.below(9)]),
        }
    }

    fn bytes(&mut self) -> Vec<u8> {
        self.pick(&[
            // Lengths that are none.
            (-1_i32).to_be_bytes().to_vec(),
            i32::MIN.to_be_bytes().to_vec(),
            i32::MAX.to_be_bytes().to_vec(),
            0x0010_0000_i32.to_be_bytes().to_vec(),
            // Headers that are cut.
            vec![0, 0, 0, 0],
            vec![0, 0, 0, 4, 0, 0, 0, 1],
            vec![0, 0, 0, 7, 0, 0, 0, 1, 0, 0, 0],
        ])
    }
}

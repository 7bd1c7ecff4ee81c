//! Warnings of quotas that are exceeded, in Apache's words: soft limits refuse nothing, they are only told.
//!
//! The leader tells, so that an ensemble says it once. A quota that stays exceeded is told once a minute.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};
use zabscope_core::{
    id::Zxid,
    peer::{
        Peer,
        event::EventKind,
        output::{Effect, Output, StorageOp},
    },
    time::{Moment, Span},
    tree::{Exceeded, QuotaKind},
    txn::{TxnBody, TxnKind},
};

/// How often one limit of one quota is told at most.
const EVERY: Span = Span::millis(60_000);
/// So many limits are remembered, and so many multis that are not applied.
const REMEMBERED: usize = 1024;

/// What a multi does where.
type Places = Vec<(TxnKind, Arc<str>)>;

/// Lives on the node's thread.
#[derive(Debug, Default)]
pub(crate) struct QuotaWarnings {
    /// When each was told last, and how often it was not told since.
    told: BTreeMap<(Arc<str>, QuotaKind), (Moment, u64)>,
    /// Multis that are logged and not applied, oldest first: of them the event names no place.
    multis: VecDeque<(Zxid, Places)>,
}

impl QuotaWarnings {
    /// Looks at what one input led to.
    pub(crate) fn look(&mut self, now: Moment, peer: &Peer, out: &Output) {
        for line in self.lines(now, peer, out) {
            tracing::warn!("{line}");
        }
    }

    fn lines(&mut self, now: Moment, peer: &Peer, out: &Output) -> Vec<String> {
        let tree = &peer.database().tree;
        if !tree.has_quotas() || peer.leading().is_none() {
            self.multis.clear();
            return Vec::new();
        }
        for effect in &out.effects {
            if let Effect::Store {
                op: StorageOp::Append(txn),
                ..
            } = effect
                && let TxnBody::Multi(all) = &txn.body
                && self.multis.len() < REMEMBERED
            {
                let place = |body: &TxnBody| Some((body.kind(), Arc::clone(body.path()?)));
                let places = all.iter().filter_map(place).collect();
                self.multis.push_back((txn.zxid(), places));
            }
        }
        let mut lines = Vec::new();
        for event in &out.events {
            let EventKind::Applied {
                zxid, txn, path, ..
            } = &event.kind
            else {
                continue;
            };
            if let Some(path) = path {
                self.check(now, tree.exceeded_quotas(path), *txn, &mut lines);
            }
            while self.multis.front().is_some_and(|(first, _)| first <= zxid) {
                let places = self.multis.pop_front().map(|(_, places)| places);
                for (kind, path) in places.unwrap_or_default() {
                    self.check(now, tree.exceeded_quotas(&path), kind, &mut lines);
                }
            }
        }
        lines
    }

    /// Only what adds something exceeds a limit.
    fn check(&mut self, now: Moment, found: Vec<Exceeded>, txn: TxnKind, lines: &mut Vec<String>) {
        for exceeded in found {
            let adds = match exceeded.kind {
                QuotaKind::Count => txn == TxnKind::Create,
                QuotaKind::Bytes => matches!(txn, TxnKind::Create | TxnKind::SetData),
            };
            if adds {
                lines.extend(self.tell(now, &exceeded));
            }
        }
    }

    fn tell(&mut self, now: Moment, exceeded: &Exceeded) -> Option<String> {
        let key = (Arc::clone(&exceeded.of), exceeded.kind);
        if let Some((at, more)) = self.told.get_mut(&key) {
            if now < *at + EVERY {
                *more += 1;
                return None;
            }
            let line = match std::mem::take(more) {
                0 => exceeded.to_string(),
                more => format!("{exceeded} ({more} more since the last warning)"),
            };
            *at = now;
            return Some(line);
        }
        if self.told.len() >= REMEMBERED {
            self.told.retain(|_, (at, _)| now < *at + EVERY);
            if self.told.len() >= REMEMBERED {
                return None;
            }
        }
        self.told.insert(key, (now, 0));
        Some(exceeded.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use zabscope_core::{
        config::Config,
        id::ClientId,
        log::Stored,
        peer::input::{Input, InputKind},
        request::{ConnectRequest, Create, CreateMode, CreateOp, Request, Write},
        time::Now,
        tree::acl,
    };

    /// A server alone with one client, and what it warns of.
    struct Alone {
        peer: Peer,
        out: Output,
        warnings: QuotaWarnings,
        lines: Vec<String>,
        xid: i32,
    }

    const CLIENT: ClientId = ClientId(1);

    impl Alone {
        fn start() -> Alone {
            let mut out = Output::default();
            let config = Arc::new(Config::standalone(Span::millis(2000)));
            let now = Now::default();
            let stored = Stored::fresh();
            let peer = Peer::start(config, &stored, now, 1, Default::default(), &mut out);
            let mut alone = Alone {
                peer,
                out,
                warnings: QuotaWarnings::default(),
                lines: Vec::new(),
                xid: 0,
            };
            alone.tell(InputKind::ClientConnect {
                client: CLIENT,
                request: ConnectRequest::new_session(10_000),
                auth: [].into(),
            });
            alone
        }

        fn tell(&mut self, kind: InputKind) {
            for kind in [kind, InputKind::Durable(self.peer.last_storage())] {
                let kind = match kind {
                    InputKind::Durable(_) => InputKind::Durable(self.peer.last_storage()),
                    other => other,
                };
                let input = Input { kind, cause: None };
                self.peer.handle(Now::default(), input, &mut self.out);
                let lines = self.warnings.lines(Moment(0), &self.peer, &self.out);
                self.lines.extend(lines);
            }
        }

        fn ask(&mut self, write: Write) {
            self.xid += 1;
            self.tell(InputKind::ClientRequest {
                client: CLIENT,
                xid: self.xid,
                request: Request::Write(write),
            });
        }

        fn make(&mut self, path: &str, data: &str) {
            self.ask(create(path, data));
        }
    }

    fn create(path: &str, data: &str) -> Write {
        Write::Create(Create {
            path: path.into(),
            data: Some(data.as_bytes().into()),
            acl: acl::open(),
            mode: CreateMode::Persistent,
            op: CreateOp::Create,
        })
    }

    #[test]
    fn what_a_server_applies_is_warned_of_alone_and_in_a_multi() {
        let mut server = Alone::start();
        for (of, limits) in [("/a", "count=2,bytes=-1"), ("/b", "count=-1,bytes=3")] {
            server.make(of, "");
            server.make(&format!("/zookeeper/quota{of}"), "");
            server.make(&format!("/zookeeper/quota{of}/zookeeper_limits"), limits);
            server.make(&format!("/zookeeper/quota{of}/zookeeper_stats"), "");
        }
        server.make("/a/1", "");
        server.make("/b/1", "123");
        assert!(server.lines.is_empty(), "{:?}", server.lines);
        server.ask(Write::Multi(vec![create("/a/2", ""), create("/b/2", "4")]));
        assert_eq!(
            server.lines,
            [
                "Quota exceeded: /a [current count=3, softCountLimit=2]",
                "Quota exceeded: /b [current bytes=4, softByteLimit=3]",
            ]
        );
        server.make("/a/3", "");
        assert_eq!(server.lines.len(), 2, "not again so soon");
    }

    fn exceeded(of: &str, current: i64) -> Exceeded {
        Exceeded {
            of: of.into(),
            kind: QuotaKind::Count,
            hard: false,
            current,
            limit: 1,
        }
    }

    fn at(second: u64) -> Moment {
        Moment(second * 1_000_000)
    }

    #[test]
    fn a_quota_that_stays_exceeded_is_told_once_a_minute_with_how_often_it_was() {
        let mut warnings = QuotaWarnings::default();
        let mut lines = |second, of, current| {
            let (mut lines, found) = (Vec::new(), vec![exceeded(of, current)]);
            warnings.check(at(second), found, TxnKind::Create, &mut lines);
            lines
        };
        let first = "Quota exceeded: /a [current count=2, softCountLimit=1]";
        assert_eq!(lines(0, "/a", 2), [first]);
        assert!(lines(1, "/a", 3).is_empty() && lines(59, "/a", 4).is_empty());
        assert_eq!(lines(59, "/b", 2).len(), 1, "another one");
        let again = "Quota exceeded: /a [current count=5, softCountLimit=1] \
                     (2 more since the last warning)";
        assert_eq!(lines(60, "/a", 5), [again]);
        assert_eq!(lines(121, "/a", 6).len(), 1);
    }

    #[test]
    fn what_adds_nothing_is_not_told() {
        let mut warnings = QuotaWarnings::default();
        for txn in [TxnKind::Delete, TxnKind::SetData, TxnKind::SetAcl] {
            let mut lines = Vec::new();
            warnings.check(at(0), vec![exceeded("/a", 2)], txn, &mut lines);
            assert!(lines.is_empty(), "{txn:?}");
        }
    }

    #[test]
    fn so_many_quotas_are_remembered_and_no_more() {
        let mut warnings = QuotaWarnings::default();
        for n in 0..2 * REMEMBERED {
            let _ = warnings.tell(at(0), &exceeded(&format!("/{n}"), 2));
        }
        assert_eq!(warnings.told.len(), REMEMBERED);
        assert!(warnings.tell(at(61), &exceeded("/new", 2)).is_some());
        assert_eq!(warnings.told.len(), 1);
    }
}

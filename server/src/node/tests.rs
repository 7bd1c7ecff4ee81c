//! A node driven by hand: nothing is on disk before the test says so.

use super::*;
use crate::net::quorum::Identity;
use zabscope_core::{
    request::{Create, CreateMode, CreateOp, Write},
    time::Span,
    tree::{TtlOwners, acl},
};

/// So many requests may be outstanding.
pub(super) const PERMITS: usize = 500;

/// A server on its own without a disk.
pub(super) struct Hand {
    pub(super) node: Node,
    _log: mpsc::Receiver<Vec<(StorageSeq, StorageOp)>>,
    _port: tokio_mpsc::UnboundedReceiver<HostPort>,
}

impl Hand {
    pub(super) fn start(tick: Span, throttle: RequestThrottle) -> Hand {
        let (inbox, received) = mpsc::channel();
        let (log, written) = mpsc::channel();
        let (client_port, port) = tokio_mpsc::unbounded_channel();
        let identity = Identity {
            me: ServerId(1),
            config_text: String::new(),
            record_limit: 1 << 20,
            ttls: TtlOwners::None,
            open: false,
            connect_timeout: Duration::from_secs(1),
            reachability: None,
            lively: Duration::from_secs(1),
            sasl: None,
        };
        let node = Node::start(Parts {
            config: Arc::new(Config::standalone(tick)),
            stored: Stored::fresh(),
            log_read_in: None,
            inbox: received,
            log,
            gate: Arc::new(Semaphore::new(PERMITS)),
            throttle,
            audit: false,
            election: ElectionNet::none(),
            quorum: QuorumNet::none(identity, inbox),
            members: MembersWatch {
                me: ServerId(1),
                files: None,
                client_port,
            },
            clock: Clock::start(),
            metrics: Arc::new(Metrics::default()),
        });
        Hand {
            node,
            _log: written,
            _port: port,
        }
    }

    pub(super) fn take(&mut self, item: Inbox) {
        assert!(self.node.take(item).expect("no disk fails"));
        self.node.let_in();
    }

    /// Everything that was to be stored is on disk.
    pub(super) fn durable(&mut self) {
        let all = self.node.peer.last_storage();
        self.take(Inbox::Peer(InputKind::Durable(all)));
    }

    /// A client with a session.
    pub(super) fn connect(&mut self, client: u64) -> ClientReceiver {
        let (to, mut mail) = client_channel();
        self.take(Inbox::Connect {
            client: ClientId(client),
            request: ConnectRequest::new_session(10_000),
            auth: [].into(),
            to,
        });
        self.durable();
        assert!(matches!(mail.try_recv(), Some(ToClient::Connected(_))));
        mail
    }

    pub(super) fn ask(&mut self, client: u64, xid: i32, request: Request) {
        let permit = self.node.gate.try_acquire().expect("a permit is free");
        permit.forget();
        let client = ClientId(client);
        self.take(Inbox::Request {
            client,
            xid,
            request,
        });
    }

    pub(super) fn create(&mut self, client: u64, xid: i32, path: &str, mode: CreateMode) {
        let create = Create {
            path: path.into(),
            data: None,
            acl: acl::open(),
            mode,
            op: CreateOp::Create,
        };
        self.ask(client, xid, Request::Write(Write::Create(create)));
    }

    pub(super) fn has(&self, path: &str) -> bool {
        self.node.peer.database().tree.node(path).is_some()
    }

    pub(super) fn sessions(&self) -> usize {
        self.node.peer.database().sessions.len()
    }
}

pub(super) const TICK: Span = Span::millis(2000);

fn unthrottled() -> Hand {
    let throttle = RequestThrottle {
        max_requests: 0,
        stall_time: Duration::from_millis(100),
        drop_stale: true,
        stale_latency_check: false,
        throttled_op_wait: None,
    };
    Hand::start(TICK, throttle)
}

#[test]
fn a_restore_is_answered_when_its_tree_is_on_disk_and_not_before() {
    let mut s = unthrottled();
    let _mail = s.connect(1);
    s.create(1, 1, "/of-before", CreateMode::Persistent);
    s.durable();
    let last = s.node.peer.last_zxid();
    let (answer, mut wait) = oneshot::channel();
    let database = Arc::new(Database::new());
    s.take(Inbox::Restore { database, answer });
    let install = s.node.batch.iter().find_map(|(seq, op)| match op {
        StorageOp::Install(_) => Some(*seq),
        _ => None,
    });
    let install = install.expect("it is to be stored");
    assert!(wait.try_recv().is_err(), "nothing of it is on disk");
    let before = StorageSeq(install.0 - 1);
    s.take(Inbox::Peer(InputKind::Durable(before)));
    assert!(wait.try_recv().is_err(), "what came before it is");
    s.durable();
    assert_eq!(wait.try_recv().expect("an answer"), Ok(last));
    assert!(!s.has("/of-before"));
}

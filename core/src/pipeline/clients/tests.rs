use super::*;
use crate::{
    config::Membership,
    pipeline::prepare::{self, Context},
    request::{Create, CreateMode, CreateOp, perms},
    txn::{TxnBody, TxnHeader},
};

const CLIENT: ClientId = ClientId(1);

/// One server with one client, and the leader that it asks.
struct Town {
    cfg: Config,
    db: Database,
    clients: Clients,
    out: Output,
}

impl Town {
    /// Its client has a session.
    fn new() -> Town {
        let cfg = Config::new(ServerId(1), Membership::simple(1, 0), Span::millis(2000));
        let mut town = Town {
            clients: Clients::new(cfg.my_id, 1_721_000_000_000),
            cfg,
            db: Database::new(),
            out: Output::default(),
        };
        let request = ConnectRequest {
            last_zxid_seen: Zxid::ZERO,
            timeout_ms: 4000,
            session: SessionId::NONE,
            password: [0; 16],
        };
        let here = Here {
            cfg: &town.cfg,
            db: &town.db,
        };
        let asked = town
            .clients
            .connect(here, CLIENT, &request, Arc::from([]), &mut town.out);
        let Connect::Create(create) = asked else {
            panic!("a new session is created: {asked:?}")
        };
        town.decide(&create);
        town.out.clear();
        town
    }

    fn ask(&mut self, xid: i32, request: Request) -> Option<ForwardedRequest> {
        let here = Here {
            cfg: &self.cfg,
            db: &self.db,
        };
        self.clients
            .request(here, CLIENT, xid, request, &mut self.out)
    }

    /// The leader decides and the server applies it.
    fn decide(&mut self, request: &ForwardedRequest) -> Txn {
        let ForwardedOp::Write(write) = &request.op else {
            panic!("a write: {request:?}")
        };
        let header = TxnHeader {
            session: request.session,
            cxid: request.cxid,
            zxid: Zxid(self.db.last_processed.0 + 1),
            time_ms: 0,
        };
        let context = Context {
            header,
            auth: &request.auth,
            extended_types: false,
        };
        let body = prepare::prepare(&self.db, write, &context);
        let txn = prepare::predict(&mut self.db.clone(), header, body);
        let applied = self.db.apply(&txn);
        let here = Here {
            cfg: &self.cfg,
            db: &self.db,
        };
        self.clients.applied(here, &txn, applied, &mut self.out);
        txn
    }

    /// What was said to the client since this was last asked: xid, zxid and error of each reply; `None`
    /// where its connection ends.
    fn heard(&mut self) -> Vec<Option<(i32, i64, Option<ErrorCode>)>> {
        let effects = std::mem::take(&mut self.out.effects);
        effects
            .into_iter()
            .filter_map(|effect| match effect {
                Effect::ClientReply { reply, .. } => {
                    Some(Some((reply.xid, reply.zxid.0, reply.result.err())))
                }
                Effect::ClientClose { .. } => Some(None),
                _ => None,
            })
            .collect()
    }
}

fn refused(code: ErrorCode, close: bool) -> Request {
    Request::Refused {
        opcode: 99,
        body: Arc::from([]),
        code,
        close,
    }
}

fn create(path: &str) -> Request {
    Request::Write(Write::Create(Create {
        path: path.into(),
        data: None,
        acl: Arc::from([crate::request::Acl {
            perms: perms::ALL,
            scheme: "world".into(),
            id: "anyone".into(),
        }]),
        mode: CreateMode::Persistent,
        op: CreateOp::Create,
    }))
}

fn unreadable(code: ErrorCode) -> Request {
    Request::Write(Write::Unreadable {
        opcode: 1,
        body: Arc::from([1, 2, 3]),
        code,
    })
}

#[test]
fn a_read_that_cannot_be_read_is_answered_after_the_write_before_it() {
    let mut town = Town::new();
    let write = town.ask(1, create("/a")).expect("forwarded");
    assert!(
        town.ask(2, refused(ErrorCode::MarshallingError, false))
            .is_none()
    );
    assert!(town.ask(3, Request::Ping).is_none());
    assert_eq!(town.heard(), [], "the write comes first");
    town.decide(&write);
    assert_eq!(
        town.heard(),
        [
            Some((1, 2, None)),
            Some((2, 2, Some(ErrorCode::MarshallingError))),
            Some((3, 2, None)),
        ]
    );
}

#[test]
fn an_unknown_opcode_is_answered_in_its_turn_and_then_the_connection_ends() {
    let mut town = Town::new();
    let write = town.ask(1, create("/a")).expect("forwarded");
    town.ask(2, refused(ErrorCode::Unimplemented, true));
    town.ask(3, Request::Ping);
    town.decide(&write);
    assert_eq!(
        town.heard(),
        [
            Some((1, 2, None)),
            // Like Apache: no zxid for what never entered its pipeline.
            Some((2, -1, Some(ErrorCode::Unimplemented))),
            None,
        ]
    );
    assert!(town.ask(4, Request::Ping).is_none());
    assert_eq!(town.heard(), []);
}

#[test]
fn a_write_that_no_client_may_ask_is_refused_like_an_unknown_opcode() {
    for write in [
        Write::Check {
            path: "/".into(),
            version: -1,
        },
        Write::DeleteContainer { path: "/".into() },
        Write::CreateSession { timeout_ms: 1 },
        Write::CloseSession,
    ] {
        let mut town = Town::new();
        assert!(town.ask(5, Request::Write(write.clone())).is_none());
        assert_eq!(
            town.heard(),
            [Some((5, -1, Some(ErrorCode::Unimplemented))), None],
            "{write:?}"
        );
    }
}

#[test]
fn a_write_that_cannot_be_read_fails_in_its_place_with_a_zxid_of_its_own() {
    for code in [ErrorCode::MarshallingError, ErrorCode::BadArguments] {
        let mut town = Town::new();
        let before = town.ask(1, create("/a")).expect("forwarded");
        let broken = town.ask(2, unreadable(code)).expect("forwarded");
        let after = town.ask(3, create("/b")).expect("forwarded");
        town.decide(&before);
        let txn = town.decide(&broken);
        town.decide(&after);
        assert_eq!((txn.body, txn.header.zxid), (TxnBody::Error(code), Zxid(3)));
        assert_eq!(
            town.heard(),
            [
                Some((1, 2, None)),
                Some((2, 3, Some(code))),
                Some((3, 4, None))
            ]
        );
    }
}

#[test]
fn a_reconfig_is_disabled_and_takes_a_zxid() {
    let mut town = Town::new();
    let reconfig = Request::Write(Write::Reconfig {
        joining: None,
        leaving: Some("3".into()),
        new_members: None,
        cur_config_id: -1,
    });
    let asked = town.ask(1, reconfig).expect("forwarded");
    town.decide(&asked);
    assert_eq!(
        town.heard(),
        [Some((1, 2, Some(ErrorCode::ReconfigDisabled)))]
    );
}

#[test]
fn sasl_without_a_configuration_is_answered_at_once_without_a_token() {
    let mut town = Town::new();
    town.ask(1, create("/a"));
    assert!(town.ask(2, Request::Sasl { token: None }).is_none());
    assert_eq!(town.heard(), [Some((2, 0, None))]);
}

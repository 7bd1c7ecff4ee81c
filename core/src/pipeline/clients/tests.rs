use super::*;
use crate::request::SaslOutcome;
use crate::{
    config::Membership,
    id::ServerId,
    pipeline::prepare::{self, Context},
    request::{Create, CreateMode, CreateOp, perms},
    txn::{Txn, TxnBody, TxnHeader},
};

pub const CLIENT: ClientId = ClientId(1);

/// One server with one client, and the leader that it asks.
pub struct Town {
    pub cfg: Config,
    pub db: Database,
    pub clients: Clients,
    pub out: Output,
}

impl Town {
    /// Its client has a session.
    fn new() -> Town {
        Town::of(Config::new(
            ServerId(1),
            Membership::simple(1, 0),
            Span::millis(2000),
        ))
    }

    pub fn of(cfg: Config) -> Town {
        let mut town = Town {
            clients: Clients::new(&cfg, 1_721_000_000_000),
            cfg,
            db: Database::new(),
            out: Output::default(),
        };
        match town.arrive(CLIENT, SessionId::NONE, false) {
            Connect::Create(create) => {
                town.decide(&create);
            }
            Connect::Answered if town.cfg.local_sessions => {}
            asked => panic!("a new session is created: {asked:?}"),
        }
        town.out.clear();
        town
    }

    /// A client comes with a session.
    pub fn arrive(&mut self, client: ClientId, session: SessionId, read_only: bool) -> Connect {
        let request = ConnectRequest {
            last_zxid_seen: Zxid::ZERO,
            timeout_ms: 4000,
            session,
            password: match session {
                SessionId::NONE => [0; 16],
                session => session::password(session),
            },
            read_only,
        };
        let here = Here {
            cfg: &self.cfg,
            db: &self.db,
        };
        let (now, nobody) = (Moment(0), Arc::from([]));
        self.clients
            .connect(now, here, client, &request, nobody, &mut self.out)
    }

    pub fn ask(&mut self, xid: i32, request: Request) -> Option<ForwardedRequest> {
        let [upgrade, asked] = self.ask_all(xid, request);
        assert!(upgrade.is_none(), "{upgrade:?}");
        asked
    }

    pub fn ask_all(&mut self, xid: i32, request: Request) -> Forward {
        let here = Here {
            cfg: &self.cfg,
            db: &self.db,
        };
        self.clients
            .request(Moment(0), here, CLIENT, xid, request, &mut self.out)
    }

    /// The leader decides and the server applies it.
    pub fn decide(&mut self, request: &ForwardedRequest) -> Txn {
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
            cfg: &self.cfg,
        };
        let body = prepare::prepare(&self.db, write, &context);
        let txn = prepare::predict(&mut self.db.clone(), header, body, true);
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
    pub fn heard(&mut self) -> Vec<Option<(i32, i64, Option<ErrorCode>)>> {
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
    assert!(town.ask(2, sasl(SaslOutcome::NotConfigured)).is_none());
    assert_eq!(town.heard(), [Some((2, 0, None))]);
}

fn sasl(outcome: SaslOutcome) -> Request {
    Request::Sasl {
        token: None,
        outcome,
    }
}

fn proved(id: &str) -> Request {
    let (token, id) = (Arc::from(&b"rspauth"[..]), id.into());
    sasl(SaslOutcome::Proved { token, id })
}

fn alone() -> Config {
    Config::new(ServerId(1), Membership::simple(1, 0), Span::millis(2000))
}

/// The ids of the connection as `scheme:id`.
fn ids(town: &Town) -> Vec<String> {
    let connection = town.clients.connection(CLIENT).expect("it is there");
    let shown = |id: &AuthId| format!("{}:{}", id.scheme, id.id);
    connection.auth().iter().map(shown).collect()
}

#[test]
fn a_complete_sasl_exchange_adds_its_identity_once_and_super_for_a_super_user() {
    let mut cfg = alone();
    cfg.rights.sasl_super_users = ["root".to_owned()].into();
    let mut town = Town::of(cfg);
    town.ask(1, sasl(SaslOutcome::Challenge(Arc::from(&b"nonce"[..]))));
    assert!(ids(&town).is_empty(), "nothing is proved yet");
    town.ask(2, proved("joe"));
    town.ask(3, proved("joe"));
    assert_eq!(ids(&town), ["sasl:joe"]);
    town.ask(4, proved("root"));
    assert_eq!(ids(&town), ["sasl:joe", "sasl:root", "super:"]);
    let answered = [1, 2, 3, 4].map(|xid| Some((xid, 0, None)));
    assert_eq!(town.heard(), answered);
}

#[test]
fn a_failed_sasl_exchange_ends_the_connection_unless_it_is_forgiven() {
    for (forgives, enforced, says) in [
        (false, None, Some(ErrorCode::AuthFailed)),
        (true, None, None),
        (
            true,
            Some("sasl"),
            Some(ErrorCode::SessionClosedRequireSaslAuth),
        ),
        (
            false,
            Some("sasl"),
            Some(ErrorCode::SessionClosedRequireSaslAuth),
        ),
        (false, Some("digest"), Some(ErrorCode::AuthFailed)),
    ] {
        let mut cfg = alone();
        cfg.rights.forgives_failed_sasl = forgives;
        cfg.rights.enforced_schemes = enforced.map(|scheme| vec![scheme.to_owned()]);
        let mut town = Town::of(cfg);
        town.ask(1, sasl(SaslOutcome::Failed));
        let closed = says.map(|_| None);
        let expected: Vec<_> = [Some((1, 0, says))].into_iter().chain(closed).collect();
        assert_eq!(town.heard(), expected, "{forgives} {enforced:?}");
        assert_eq!(town.clients.connection(CLIENT).is_none(), says.is_some());
    }
}

#[test]
fn where_sasl_is_enforced_its_exchange_opens_the_way() {
    let mut cfg = alone();
    cfg.rights.enforced_schemes = Some(vec!["sasl".to_owned()]);
    let mut town = Town::of(cfg);
    town.ask(1, sasl(SaslOutcome::Challenge(Arc::from(&b"nonce"[..]))));
    town.ask(2, proved("joe"));
    town.ask(3, Request::Ping);
    let heard = town.heard();
    assert!(
        matches!(heard.last(), Some(Some((3, _, None)))),
        "{heard:?}"
    );
    assert_eq!(heard.len(), 3);
}

fn auth(text: &str) -> Request {
    Request::Auth {
        scheme: "digest".into(),
        auth: text.as_bytes().into(),
    }
}

#[test]
fn who_proves_the_super_digest_passes_every_list() {
    let mut cfg = Config::new(ServerId(1), Membership::simple(1, 0), Span::millis(2000));
    cfg.rights.super_digest = Some("super:D/InIHSb7yEEbrWz8b9l71RjZJU=".to_owned());
    let mut town = Town::of(cfg);
    let write = Request::Write(Write::SetAcl {
        path: "/".into(),
        acl: Arc::from([crate::request::Acl {
            perms: 0,
            scheme: "world".into(),
            id: "anyone".into(),
        }]),
        version: -1,
    });
    let closed = town.ask(1, write).expect("forwarded");
    town.decide(&closed);
    let before = town.ask(2, create("/a")).expect("forwarded");
    town.decide(&before);
    town.ask(-4, auth("super:test"));
    let after = town.ask(3, create("/a")).expect("forwarded");
    town.decide(&after);
    assert_eq!(
        town.heard(),
        [
            Some((1, 2, None)),
            Some((2, 3, Some(ErrorCode::NoAuth))),
            Some((-4, 0, None)),
            Some((3, 4, None)),
        ]
    );
    let ids = town.clients.connection(CLIENT).map(Connection::auth);
    assert_eq!(ids.map(<[AuthId]>::len), Some(2), "super and the digest");
    town.ask(-4, auth("super:test"));
    let ids = town.clients.connection(CLIENT).map(Connection::auth);
    assert_eq!(ids.map(<[AuthId]>::len), Some(2), "each once");
}

#[test]
fn where_a_scheme_is_enforced_nothing_is_served_before_it_was_used() {
    let mut cfg = Config::new(ServerId(1), Membership::simple(1, 0), Span::millis(2000));
    cfg.rights.enforced_schemes = Some(vec!["digest".to_owned()]);
    for request in [Request::Ping, create("/a"), Request::CloseSession] {
        let mut town = Town::of(cfg.clone());
        assert!(town.ask(1, request).is_none());
        let refused = ErrorCode::SessionClosedRequireSaslAuth;
        assert_eq!(town.heard(), [Some((1, 0, Some(refused))), None]);
    }
    let mut town = Town::of(cfg);
    town.ask(-4, auth("joe:secret"));
    town.ask(1, Request::Ping);
    assert_eq!(town.heard(), [Some((-4, 0, None)), Some((1, 1, None))]);
}

#[test]
fn who_means_another_ensemble_is_disconnected_without_a_word() {
    let heard = |names: Option<&[&str]>, name: &str| {
        let mut cfg = alone();
        cfg.rights.ensemble = names.map(|all| all.iter().map(|n| (*n).to_owned()).collect());
        let mut town = Town::of(cfg);
        let scheme = "ensemble".into();
        let auth = name.as_bytes().into();
        town.ask(-4, Request::Auth { scheme, auth });
        let ids = town.clients.connection(CLIENT).map(|c| c.auth().len());
        assert!(ids.is_none_or(|ids| ids == 0), "it proves nothing");
        town.heard()
    };
    let welcome = [Some((-4, 0, None))];
    assert_eq!(heard(Some(&["east", "west"]), "west"), welcome);
    assert_eq!(heard(Some(&["east", "west"]), ""), welcome, "it means any");
    assert_eq!(heard(Some(&[]), "north"), welcome, "this one has no name");
    assert_eq!(heard(Some(&["east", "west"]), "north"), [None]);
    let failed = ErrorCode::AuthFailed;
    let unknown = [Some((-4, 0, Some(failed))), None];
    assert_eq!(heard(None, "west"), unknown, "there is no such scheme");
}

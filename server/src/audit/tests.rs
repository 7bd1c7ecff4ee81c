use super::*;
use zabscope_core::{
    config::Config,
    log::Stored,
    peer::input::{Input, InputKind},
    request::{ConnectRequest, Create, CreateOp},
    time::{Now, Span},
};

const CLIENT: ClientId = ClientId(1);

fn id(scheme: &str, id: &str) -> AuthId {
    AuthId {
        scheme: scheme.into(),
        id: id.into(),
    }
}

/// A server alone with one client, and what it writes about it.
struct Audited {
    peer: Peer,
    out: Output,
    audit: Audit,
    lines: Vec<String>,
    xid: i32,
    session: String,
}

impl Audited {
    fn start() -> Audited {
        let mut out = Output::default();
        let config = Arc::new(Config::standalone(Span::millis(2000)));
        let (now, stored) = (Now::default(), Stored::fresh());
        let peer = Peer::start(config, &stored, now, 1, Default::default(), &mut out);
        let mut audited = Audited {
            peer,
            out,
            audit: Audit::default(),
            lines: Vec::new(),
            xid: 0,
            session: String::new(),
        };
        audited.connect(CLIENT, &[id("ip", "192.0.2.7"), id("digest", "bob:hash")]);
        audited.step(InputKind::Durable(audited.peer.last_storage()));
        let session = audited.peer.clients().connection(CLIENT);
        audited.session = hex(session.expect("it is connected").session());
        audited
    }

    fn connect(&mut self, client: ClientId, auth: &[AuthId]) {
        self.step(InputKind::ClientConnect {
            client,
            request: ConnectRequest::new_session(10_000),
            auth: auth.into(),
        });
    }

    fn step(&mut self, kind: InputKind) {
        let input = Input { kind, cause: None };
        self.peer.handle(Now::default(), input, &mut self.out);
        for line in self.audit.lines(&self.out) {
            let failed = line.text.ends_with("\tresult=failure");
            assert_eq!(line.failed, failed, "{}", line.text);
            self.lines.push(line.text);
        }
    }

    fn tell(&mut self, kind: InputKind) {
        self.step(kind);
        self.step(InputKind::Durable(self.peer.last_storage()));
    }

    /// The lines that a request leads to, without what all of them begin with.
    fn ask(&mut self, request: Request) -> Vec<String> {
        self.xid += 1;
        let (client, xid) = (CLIENT, self.xid);
        self.audit.asks(&self.peer, client, xid, &request);
        self.tell(InputKind::ClientRequest {
            client,
            xid,
            request,
        });
        let begin = format!(
            "session={}\tuser=192.0.2.7,bob\tip=192.0.2.7\t",
            self.session
        );
        let rest = |line: String| line.strip_prefix(&begin).map(str::to_owned).expect("who");
        std::mem::take(&mut self.lines)
            .into_iter()
            .map(rest)
            .collect()
    }

    fn write(&mut self, write: Write) -> Vec<String> {
        self.ask(Request::Write(write))
    }
}

fn create(path: &str, mode: CreateMode) -> Write {
    Write::Create(Create {
        path: path.into(),
        data: None,
        acl: acl::open(),
        mode,
        op: CreateOp::Create2,
    })
}

fn delete(path: &str) -> Write {
    Write::Delete {
        path: path.into(),
        version: -1,
    }
}

#[test]
fn each_change_is_a_line_with_who_made_it_and_what_became_of_it() {
    let mut s = Audited::start();
    assert_eq!(
        s.write(create("/a", CreateMode::Persistent)),
        ["operation=create\tznode=/a\tznode_type=persistent\tresult=success"]
    );
    assert_eq!(
        s.write(create("/a/n-", CreateMode::EphemeralSequential)),
        [
            "operation=create\tznode=/a/n-0000000000\tznode_type=ephemeral_sequential\tresult=success"
        ]
    );
    assert_eq!(
        s.write(create("/a", CreateMode::Persistent)),
        ["operation=create\tznode=/a\tznode_type=persistent\tresult=failure"]
    );
    let (path, version) = ("/a".into(), -1);
    let data = None;
    assert_eq!(
        s.write(Write::SetData {
            path,
            data,
            version
        }),
        ["operation=setData\tznode=/a\tresult=success"]
    );
    let (path, acl) = ("/a".into(), acl::open());
    assert_eq!(
        s.write(Write::SetAcl { path, acl, version }),
        ["operation=setAcl\tznode=/a\tacl=world:anyone:cdrwa\tresult=success"]
    );
    assert_eq!(
        s.write(delete("/a")),
        ["operation=delete\tznode=/a\tresult=failure"]
    );
    let read = Request::Exists {
        path: "/a".into(),
        watch: false,
    };
    assert!(s.ask(read).is_empty(), "reads change nothing");
}

#[test]
fn a_multi_is_a_line_for_each_of_its_changes_or_one_for_its_failure() {
    let mut s = Audited::start();
    let all = vec![create("/m", CreateMode::Persistent), delete("/m")];
    assert_eq!(
        s.write(Write::Multi(all)),
        [
            "operation=create\tznode=/m\tznode_type=persistent\tresult=success",
            "operation=delete\tznode=/m\tresult=success",
        ]
    );
    let all = vec![create("/m", CreateMode::Persistent), delete("/no")];
    assert_eq!(
        s.write(Write::Multi(all)),
        ["operation=multiOperation\tresult=failure"]
    );
}

#[test]
fn what_goes_with_its_session_is_a_line_of_the_server() {
    let mut s = Audited::start();
    s.write(create("/e", CreateMode::Ephemeral));
    s.xid += 1;
    let (client, xid) = (CLIENT, s.xid);
    let request = Request::CloseSession;
    s.tell(InputKind::ClientRequest {
        client,
        xid,
        request,
    });
    let wanted = format!(
        "session={}\tuser={}\toperation=ephemeralZNodeDeletionOnSessionCloseOrExpire\t\
         znode=/e\tresult=success",
        s.session,
        server_user()
    );
    assert_eq!(s.lines, [wanted]);
}

#[test]
fn however_many_sessions_end_at_a_time_each_of_their_lines_is_there() {
    const MANY: u64 = 4200;
    let mut s = Audited::start();
    for n in 2..2 + MANY {
        s.connect(ClientId(n), &[]);
    }
    s.step(InputKind::Durable(s.peer.last_storage()));
    let ask = |s: &mut Audited, n, xid, request| {
        s.step(InputKind::ClientRequest {
            client: ClientId(n),
            xid,
            request,
        });
    };
    for n in 2..2 + MANY {
        let made = create(&format!("/e-{n}"), CreateMode::Ephemeral);
        ask(&mut s, n, 1, Request::Write(made));
    }
    s.step(InputKind::Durable(s.peer.last_storage()));
    for n in 2..2 + MANY {
        ask(&mut s, n, 2, Request::CloseSession);
    }
    assert!(s.lines.is_empty(), "nothing of it is applied");
    s.step(InputKind::Durable(s.peer.last_storage()));
    assert_eq!(s.lines.len() as u64, MANY);
}

#[test]
fn an_identity_without_a_name_leaves_no_gap_among_users() {
    let all = [
        id("ip", "192.0.2.7"),
        id("super", ""),
        id("digest", "super:hash"),
    ];
    assert_eq!(users(&all), "192.0.2.7,super");
    assert_eq!(
        users(&[id("super", "CN=root"), id("x509", "CN=root")]),
        "CN=root"
    );
}

#[test]
fn the_servers_user_is_as_whom_it_runs() {
    let status = "Name:\tzabscope\nUid:\t0\t1001\t0\t0\nGid:\t0\t0\t0\t0\n";
    let known = "root:x:0:0:root:/:/bin/sh\nzk:x:1001:1001::/srv:/bin/sh\n";
    assert_eq!(user_of(status, known).as_deref(), Some("zk"));
    assert_eq!(
        user_of(status, "root:x:0:0::/:/bin/sh\nno line\n").as_deref(),
        Some("1001")
    );
    assert_eq!(user_of("", known), None);
}

/// An answer is known by its place, not by a number that clients choose.
#[test]
fn the_answer_to_a_read_is_never_taken_for_that_of_a_write() {
    let mut s = Audited::start();
    let read = Request::Exists {
        path: "/a".into(),
        watch: false,
    };
    let write = Request::Write(create("/a", CreateMode::Persistent));
    let refused = Request::Write(delete("/no"));
    for request in [refused, read, write] {
        s.audit.asks(&s.peer, CLIENT, 7, &request);
        s.step(InputKind::ClientRequest {
            client: CLIENT,
            xid: 7,
            request,
        });
    }
    s.step(InputKind::Durable(s.peer.last_storage()));
    let results: Vec<_> = s.lines.iter().map(|l| l.rsplit('\t').next()).collect();
    assert_eq!(results, [Some("result=failure"), Some("result=success")]);
}

#[test]
fn who_says_who_it_is_meanwhile_confuses_nothing() {
    let mut s = Audited::start();
    let write = Request::Write(create("/a", CreateMode::Persistent));
    let auth = Request::Auth {
        scheme: "digest".into(),
        auth: Arc::from(&b"eve:pw"[..]),
    };
    for (xid, request) in [(1, write), (-4, auth)] {
        s.audit.asks(&s.peer, CLIENT, xid, &request);
        s.step(InputKind::ClientRequest {
            client: CLIENT,
            xid,
            request,
        });
    }
    s.step(InputKind::Durable(s.peer.last_storage()));
    assert_eq!(s.lines.len(), 1, "{:?}", s.lines);
    assert!(s.lines[0].contains("user=192.0.2.7,bob\t"), "as it asked");
}

#[test]
fn nobody_writes_a_line_of_its_own_with_a_value() {
    let line = fields(&[
        ("znode", Some("/a\n\tresult=success\u{1b}[2J")),
        ("b", None),
    ]);
    assert_eq!(line, "znode=/aresult=success[2J");
}

#[test]
fn what_was_asked_by_who_has_gone_is_forgotten() {
    let mut s = Audited::start();
    let write = Request::Write(create("/a", CreateMode::Persistent));
    s.audit.asks(&s.peer, CLIENT, 9, &write);
    assert_eq!(s.audit.asked.len(), 1);
    s.audit.gone(CLIENT);
    assert!(s.audit.asked.is_empty());
}

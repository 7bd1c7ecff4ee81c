use super::*;
use crate::{
    Server,
    client::{Client, ClientError, Options, SessionState},
    config::ServerConfig,
    server::StartError,
    testing::{Directory, TestClient, TestServer, config},
};
use digest_md5::Initiator;
use std::fs;
use zabscope_core::request::{Acl, CreateMode, ErrorCode, Request, Response};

const PROVIDER: &str =
    "authProvider.1=org.apache.zookeeper.server.auth.SASLAuthenticationProvider\n";
const JAAS: &str = r#"
Server {
    org.apache.zookeeper.server.auth.DigestLoginModule required
    user_super="adminsecret" user_bob="bobsecret" user_root="rootsecret";
};
QuorumServer { org.apache.zookeeper.server.auth.DigestLoginModule required user_m="s"; };
QuorumLearner { org.apache.zookeeper.server.auth.DigestLoginModule required username="m" password="s"; };
Half { org.apache.zookeeper.server.auth.DigestLoginModule required username="m"; };
Kerberos { com.sun.security.auth.module.Krb5LoginModule required; };
"#;

/// A configuration with that file and these lines.
fn with(directory: &Directory, lines: &str) -> ServerConfig {
    let file = directory.path().join("jaas.conf");
    fs::write(&file, JAAS).expect("a file can be written");
    let login = format!("java.security.auth.login.config={}\n", file.display());
    config(directory, &format!("{login}{lines}"))
}

fn started(lines: &str) -> TestServer {
    let directory = Directory::new();
    let server = Server::start(&with(&directory, lines)).expect("it starts");
    TestServer { server, directory }
}

fn own(name: &str, password: &str) -> Credentials {
    Credentials {
        name: name.to_owned(),
        password: password.to_owned(),
    }
}

/// The whole exchange of a client; the last answer.
fn authenticate(
    client: &mut TestClient,
    name: &str,
    password: &str,
) -> Result<Response, ErrorCode> {
    let mut initiator = Initiator::new(CLIENTS, own(name, password));
    let sasl = |token: Vec<u8>| Request::Sasl {
        token: Some(token.into()),
        outcome: SaslOutcome::NotConfigured,
    };
    let challenge = match client.ask(sasl(Vec::new())).result? {
        Response::Sasl(Some(challenge)) => challenge,
        other => return Ok(other),
    };
    let response = initiator.respond(&challenge).expect("a challenge of ours");
    let answer = client.ask(sasl(response)).result?;
    if let Response::Sasl(Some(proof)) = &answer {
        initiator.verify(proof).expect("it knows the password");
    }
    Ok(answer)
}

fn only(id: &str) -> Acl {
    Acl {
        perms: 31,
        scheme: "sasl".into(),
        id: id.into(),
    }
}

fn get(path: &str) -> Request {
    Request::GetData {
        path: path.into(),
        watch: false,
    }
}

#[test]
fn a_user_of_the_jaas_file_is_whom_acls_name() {
    let server = started(&format!("{PROVIDER}superUser=root\n"));
    let mut bob = server.session();
    bob.create("/a", CreateMode::Persistent);
    authenticate(&mut bob, "bob", "bobsecret").expect("the right password");
    bob.set_acl("/a", only("bob"));
    assert!(bob.ask(get("/a")).result.is_ok());
    let mut stranger = server.session();
    let refused = stranger.ask(get("/a")).result.err();
    assert_eq!(refused, Some(ErrorCode::NoAuth));
    // `super` is a name that every sasl entry admits; `root` is made super by a key.
    for (name, password) in [("super", "adminsecret"), ("root", "rootsecret")] {
        let mut client = server.session();
        authenticate(&mut client, name, password).expect("the right password");
        assert!(client.ask(get("/a")).result.is_ok(), "{name}");
    }
    let Ok(Response::WhoAmI(ids)) = bob.ask(Request::WhoAmI).result else {
        panic!("it says who");
    };
    assert!(
        ids.iter()
            .any(|id| &*id.scheme == "sasl" && &*id.id == "bob")
    );
    bob.set_acl("/a", only("alice"));
    let refused = bob.ask(get("/a")).result.err();
    assert_eq!(refused, Some(ErrorCode::NoAuth));
}

#[test]
fn a_wrong_password_ends_the_connection() {
    let server = started(PROVIDER);
    for (name, password) in [("bob", "wrong"), ("eve", "bobsecret"), ("eve", "")] {
        let mut client = server.session();
        let failed = authenticate(&mut client, name, password).err();
        assert_eq!(failed, Some(ErrorCode::AuthFailed), "{name}");
        // Java's client reads the token before it looks at the error.
        assert_eq!(client.answered_with, 16 + 4, "a header and a null token");
        assert!(client.is_closed());
    }
}

#[test]
fn where_failing_is_allowed_the_client_stays_without_an_identity() {
    let server = started(&format!("{PROVIDER}allowSaslFailedClients=true\n"));
    let mut client = server.session();
    let answer = authenticate(&mut client, "bob", "wrong");
    assert_eq!(answer, Ok(Response::Sasl(None)));
    client.create("/a", CreateMode::Persistent);
    let Ok(Response::WhoAmI(ids)) = client.ask(Request::WhoAmI).result else {
        panic!("it says who");
    };
    assert!(ids.iter().all(|id| &*id.scheme != "sasl"));
}

#[test]
fn where_sasl_is_required_nothing_else_comes_first() {
    let server = started(&format!("{PROVIDER}sessionRequireClientSASLAuth=true\n"));
    let required = Some(ErrorCode::SessionClosedRequireSaslAuth);
    let mut client = server.session();
    assert_eq!(client.ask(get("/")).result.err(), required);
    assert!(client.is_closed());
    let mut client = server.session();
    assert_eq!(authenticate(&mut client, "bob", "wrong").err(), required);
    assert!(client.is_closed());
    let mut client = server.session();
    authenticate(&mut client, "bob", "bobsecret").expect("the right password");
    client.create("/a", CreateMode::Persistent);
}

#[test]
fn without_users_a_token_is_answered_without_one() {
    let server = TestServer::start(PROVIDER);
    let mut client = server.session();
    let answer = authenticate(&mut client, "bob", "bobsecret");
    assert_eq!(answer, Ok(Response::Sasl(None)));
    client.create("/a", CreateMode::Persistent);
}

/// A client of ours.
fn client(server: &TestServer, own: Credentials) -> Client {
    let at = server.server.client_address().expect("it listens");
    let mut options = Options::parse(&at.to_string()).expect("an address");
    options.request_timeout = std::time::Duration::from_secs(20);
    options.sasl = Some(own);
    Client::start(options, |_| {}).expect("a thread")
}

#[test]
fn our_client_proves_itself_and_is_told_why_it_could_not() {
    const REQUIRED: &str = "sessionRequireClientSASLAuth=true\n";
    const LAX: &str = "allowSaslFailedClients=true\n";
    for more in ["", REQUIRED, LAX] {
        let server = started(&format!("{PROVIDER}{more}"));
        let bob = client(&server, own("bob", "bobsecret"));
        let who = bob.who_am_i().expect("it is let in");
        assert!(
            who.iter()
                .any(|id| &*id.scheme == "sasl" && &*id.id == "bob"),
            "{who:?}"
        );
        assert_eq!(bob.refusal(), None);
        // Nor does it stay where it could stay as nobody.
        for (name, password) in [("bob", "wrong"), ("eve", "bobsecret")] {
            let refused = client(&server, own(name, password));
            let error = refused.who_am_i().expect_err("it is not let in");
            assert!(matches!(error, ClientError::Sasl(..)), "{error:?}");
            let says = format!("does not know the user {name} with this password");
            assert!(error.to_string().contains(&says), "{more}{error}");
            assert!(!error.to_string().contains(password), "{error}");
            assert_eq!(refused.state(), SessionState::AuthFailed);
        }
    }
    let without = TestServer::start(PROVIDER);
    let bob = client(&without, own("bob", "bobsecret"));
    let error = bob.who_am_i().expect_err("nobody there can prove anything");
    assert!(
        error.to_string().contains("this server has no SASL"),
        "{error}"
    );
}

#[test]
fn a_client_that_is_to_prove_itself_needs_a_section_that_says_who_it_is() {
    let directory = Directory::new();
    let file = directory.path().join("client.conf");
    fs::write(&file, JAAS).expect("written");
    let login = |section: &str| {
        client_login(&ClientSasl {
            login_config: file.clone(),
            section: section.to_owned(),
        })
    };
    assert_eq!(login("QuorumLearner").ok(), Some(own("m", "s")));
    for (section, says) in [
        (
            "Client",
            "there is no section Client, which zookeeper.sasl.clientconfig",
        ),
        ("Half", "the section Half needs username"),
        ("Kerberos", "Kerberos is not built in"),
    ] {
        let error = login(section).expect_err(section).to_string();
        assert!(error.contains(says), "{error}");
    }
    fs::remove_file(&file).expect("removed");
    let error = login("Client").expect_err("no file").to_string();
    assert!(error.contains("can't be read"), "{error}");
}

#[test]
fn the_property_replaces_the_password_of_super_and_brings_no_user() {
    let directory = Directory::new();
    let lines = "SASLAuthenticationProvider.superPassword=fromkey\n";
    let users = client_users(&with(&directory, lines).auth).expect("right");
    let users = users.expect("there are some");
    assert_eq!(users.password("super"), Some("fromkey"));
    assert_eq!(users.password("bob"), Some("bobsecret"));
    let other = format!("{lines}sasl.serverconfig=QuorumServer\n");
    let users = client_users(&with(&directory, &other).auth).expect("right");
    assert_eq!(users.expect("one").password("super"), None);
}

#[test]
fn a_section_for_clients_is_needed_only_where_it_was_chosen() {
    let directory = Directory::new();
    assert_eq!(client_users(&config(&directory, "").auth).ok(), Some(None));
    let file = directory.path().join("other.conf");
    fs::write(&file, "Client { a.B required; };").expect("written");
    let lines = format!("java.security.auth.login.config={}\n", file.display());
    let auth = config(&directory, &lines).auth;
    assert_eq!(client_users(&auth).ok(), Some(None));
    let chosen = format!("{lines}sasl.serverconfig=Server\n");
    let error = client_users(&config(&directory, &chosen).auth).expect_err("not there");
    assert!(error.to_string().contains("no section Server"), "{error}");
}

#[test]
fn kerberos_and_other_classes_are_refused_with_advice() {
    let directory = Directory::new();
    let config = with(&directory, "sasl.serverconfig=Kerberos\n");
    let Err(StartError::Config(error)) = Server::start(&config).map(drop) else {
        panic!("it does not start");
    };
    assert!(error.contains("jaas.conf:9: "), "{error}");
    assert!(error.contains("Kerberos is not built in"), "{error}");
}

#[test]
fn members_need_both_sections_of_the_file() {
    let directory = Directory::new();
    let all = "quorum.auth.enableSasl=true\nquorum.auth.learnerRequireSasl=true\n\
               quorum.auth.serverRequireSasl=true\n";
    let login = quorum_login(&with(&directory, all).auth).expect("right");
    let login = login.expect("switched on");
    assert!(login.required);
    assert_eq!(login.own, Some(own("m", "s")));
    assert_eq!(login.users.password("m"), Some("s"));
    let lax = "quorum.auth.enableSasl=true\n";
    let login = quorum_login(&with(&directory, lax).auth).expect("right");
    let login = login.expect("switched on");
    assert!(!login.required && login.own.is_none());
    assert!(quorum_login(&with(&directory, "").auth).is_ok_and(|l| l.is_none()));
    for (lines, says) in [
        (
            "quorum.auth.learner.saslLoginContext=Half\n",
            "needs username",
        ),
        (
            "quorum.auth.learner.saslLoginContext=None\n",
            "no section None",
        ),
        (
            "quorum.auth.server.saslLoginContext=Kerberos\n",
            "Kerberos is not built in",
        ),
    ] {
        let auth = with(&directory, &format!("{all}{lines}")).auth;
        let error = quorum_login(&auth).expect_err(lines);
        assert!(error.to_string().contains(says), "{error}");
    }
    let error = quorum_login(&config(&directory, all).auth).expect_err("no file");
    assert!(error.to_string().contains("JAAS file"), "{error}");
}

#[test]
fn passwords_are_not_shown() {
    let users = Users::new([("bob".to_owned(), "geheim".to_owned())]);
    let shown = format!("{users:?} {:?}", own("bob", "geheim"));
    assert!(!shown.contains("geheim"), "{shown}");
}

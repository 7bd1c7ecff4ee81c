use super::super::quorum::QUORUM;
use super::super::{CLIENTS, Users};
use super::*;
use proptest::prelude::*;

/// What Java 17's own client and server said to each other: service, user, password, the nonce of the
/// server, the client's response, the server's proof.
#[rustfmt::skip]
const JAVA: [(Service, &str, &str, &str, &str, &str); 6] = [
    (CLIENTS, "bob", "bobsecret", "+dMgWibsMZRTIM1UAHSdO6rML7s84qQ+47LxSc5q",
     r#"charset=utf-8,username="bob",realm="zk-sasl-md5",nonce="+dMgWibsMZRTIM1UAHSdO6rML7s84qQ+47LxSc5q",nc=00000001,cnonce="O/j3Vnbo0qep/MI4Mk0SGREMrisRiVOUxEASgkBT",digest-uri="zookeeper/zk-sasl-md5",maxbuf=65536,response=5d1c43cfc8f66044a52deaa8eaa0c4c0,qop=auth,authzid="bob""#,
     "rspauth=42fe97b33a23040271c79b69e8f8f7fb"),
    (CLIENTS, "bob", "bobsecret", "pLwBg5Pr/nDOasgj5EIl1ZaVCp4Fbu0p1MkVuit8",
     r#"charset=utf-8,username="bob",realm="zk-sasl-md5",nonce="pLwBg5Pr/nDOasgj5EIl1ZaVCp4Fbu0p1MkVuit8",nc=00000001,cnonce="a/V0Tt6LwruPz+K5VrsjJHaPlTJWpgYVeJDMJjBB",digest-uri="zookeeper/zk-sasl-md5",maxbuf=65536,response=f8e3f7149209973d1d27e77db2eaa4dd,qop=auth"#,
     "rspauth=03c02707b6cca55d0ff3c6f9113fd3a9"),
    (CLIENTS, "böb", "säcret", "Xt1X/4sl30OuNzvaFJ9sp1Hbz0HpCZL4qLP/nDy3",
     r#"charset=utf-8,username="böb",realm="zk-sasl-md5",nonce="Xt1X/4sl30OuNzvaFJ9sp1Hbz0HpCZL4qLP/nDy3",nc=00000001,cnonce="ijKR6HtUjtVGQbfVnh5p+TmXQUhZiZCDHqZCHhld",digest-uri="zookeeper/zk-sasl-md5",maxbuf=65536,response=2feac7ad349eee0ad1705ac4d2cc0fe7,qop=auth,authzid="böb""#,
     "rspauth=c9f1119ef3a050410dd7343c2a2b6853"),
    (CLIENTS, "боб", "с\"ecr\\et", "szgm5ya5IDHUk/t0kyUsoFBINo59GrrjxiPMtGHO",
     r#"charset=utf-8,username="боб",realm="zk-sasl-md5",nonce="szgm5ya5IDHUk/t0kyUsoFBINo59GrrjxiPMtGHO",nc=00000001,cnonce="1cPtNYAaLSTNl2Q8VYm7qXSUfOgMSQ69S0HCyNqi",digest-uri="zookeeper/zk-sasl-md5",maxbuf=65536,response=9d8a7a9c5672da0a720456fad59ffa46,qop=auth,authzid="боб""#,
     "rspauth=0510ce6f8a7ed9e2a3b242a512a8e236"),
    (CLIENTS, "bo\"b,\\x", "p", "MwVe0yjK2+xr1gwyLZYcAWJWFh15h01KlIvpY7Na",
     r#"charset=utf-8,username="bo\"b,\\x",realm="zk-sasl-md5",nonce="MwVe0yjK2+xr1gwyLZYcAWJWFh15h01KlIvpY7Na",nc=00000001,cnonce="dA7+HcBcJX3a+LM6NAyHjvhkiJE93h1+VhYTH/w2",digest-uri="zookeeper/zk-sasl-md5",maxbuf=65536,response=329976dc92c1dbbbf45fd0a52336801f,qop=auth,authzid="bo\"b,\\x""#,
     "rspauth=e0ad8bbdf48a49e47ee2bc93663320aa"),
    (QUORUM, "bob", "bobsecret", "7xS2TMrGaZzTHd4YXUB17TcDPkIiLMtuuOq3zsRK",
     r#"charset=utf-8,username="bob",realm="zk-quorum-sasl-md5",nonce="7xS2TMrGaZzTHd4YXUB17TcDPkIiLMtuuOq3zsRK",nc=00000001,cnonce="ezcZCtn+gxcgpnzroWvFkAfkk0oRPtar0xv8WA4s",digest-uri="zookeeper-quorum/zk-quorum-sasl-md5",maxbuf=65536,response=83fa96bb786ffd33a846ea2a8d7c0461,qop=auth"#,
     "rspauth=eb6c8eb326fa94b24e4018a2557018ff"),
];

fn users(name: &str, password: &str) -> Arc<Users> {
    Arc::new(Users::new([(name.to_owned(), password.to_owned())]))
}

/// An acceptor that has sent this nonce.
fn challenged(service: Service, users: Arc<Users>, nonce: &str) -> Acceptor {
    let mut acceptor = Acceptor::new(service, users);
    acceptor.step = Step::Challenged {
        nonce: nonce.to_owned(),
    };
    acceptor
}

fn own(name: &str, password: &str) -> Credentials {
    Credentials {
        name: name.to_owned(),
        password: password.to_owned(),
    }
}

#[test]
fn what_javas_client_responds_is_answered_as_javas_server_answers() {
    for (service, user, password, nonce, response, proof) in JAVA {
        let mut acceptor = challenged(service, users(user, password), nonce);
        let answer = acceptor.evaluate(response.as_bytes()).expect("accepted");
        let expected = Answer::Complete {
            token: proof.as_bytes().to_vec(),
            user: user.to_owned(),
            authorised: user.to_owned(),
        };
        assert_eq!(answer, expected);
    }
}

#[test]
fn the_challenge_is_javas_with_a_nonce_of_its_own_each_time() {
    let mut seen = Vec::new();
    for first in [&b""[..], b"username=bob"] {
        let mut acceptor = Acceptor::new(CLIENTS, users("bob", "bobsecret"));
        let Ok(Answer::Challenge(token)) = acceptor.evaluate(first) else {
            panic!("the first token is answered with a challenge, whatever it says");
        };
        let text = String::from_utf8(token).expect("text");
        let nonce = text
            .strip_prefix(r#"realm="zk-sasl-md5",nonce=""#)
            .and_then(|rest| rest.strip_suffix(r#"",charset=utf-8,algorithm=md5-sess"#));
        let nonce = nonce.unwrap_or_else(|| panic!("{text}"));
        assert_eq!(nonce.len(), 40);
        seen.push(nonce.to_owned());
    }
    assert_ne!(seen[0], seen[1]);
}

#[test]
fn a_response_that_is_changed_anywhere_is_refused() {
    let (service, user, password, nonce, response, _) = JAVA[0];
    let refused = |response: &str| {
        challenged(service, users(user, password), nonce)
            .evaluate(response.as_bytes())
            .expect_err(response)
    };
    let password_of = |name: &str| Refused::Password(name.to_owned());
    for (from, to, why) in [
        ("\"bob\",realm", "\"eve\",realm", password_of("eve")),
        ("\"bob\",realm", "\"\",realm", Refused::Missing("username")),
        ("username=\"bob\",", "", Refused::Missing("username")),
        (
            "zk-sasl-md5\",nonce",
            "other\",nonce",
            Refused::Other("realm"),
        ),
        ("realm=\"zk-sasl-md5\",", "", Refused::Other("realm")),
        ("nonce=\"+d", "nonce=\"-d", Refused::Other("nonce")),
        ("nc=00000001", "nc=00000002", Refused::Other("nc")),
        ("nc=00000001,", "", Refused::Missing("nc")),
        ("cnonce=\"O/", "cnonce=\"P/", password_of("bob")),
        (
            "uri=\"zookeeper/",
            "uri=\"other/",
            Refused::Other("digest-uri"),
        ),
        ("qop=auth", "qop=auth-int", Refused::Other("qop")),
        ("charset=utf-8", "charset=utf-16", Refused::Other("charset")),
        ("response=5d", "response=5e", password_of("bob")),
        ("response=5d", "response=", password_of("bob")),
        ("authzid=\"bob\"", "authzid=\"super\"", password_of("bob")),
        (
            "qop=auth",
            "qop=auth,nc=00000001",
            Refused::Form("a directive is there twice"),
        ),
        (
            "authzid=\"bob\"",
            "authzid=\"bob",
            Refused::Form("a quote is not closed"),
        ),
        ("qop=auth", "qop", Refused::Form("a directive has no value")),
    ] {
        let changed = response.replacen(from, to, 1);
        assert_ne!(changed, response, "{from}");
        assert_eq!(refused(&changed), why, "{changed}");
    }
    let long = format!("{response},x={}", "y".repeat(LONGEST));
    assert!(matches!(refused(&long), Refused::Form(_)));
}

#[test]
fn an_unknown_user_and_a_wrong_password_look_the_same() {
    let (service, user, password, nonce, response, _) = JAVA[0];
    for users in [
        users(user, "other"),
        users("alice", password),
        Arc::new(Users::default()),
    ] {
        let refused = challenged(service, users, nonce).evaluate(response.as_bytes());
        assert_eq!(refused, Err(Refused::Password(user.to_owned())));
    }
}

#[test]
fn a_user_without_a_password_is_not_everybody() {
    let mut initiator = Initiator::new(CLIENTS, own("nobody", ""));
    let mut acceptor = Acceptor::new(CLIENTS, users("bob", "bobsecret"));
    let Ok(Answer::Challenge(challenge)) = acceptor.evaluate(b"") else {
        panic!("a challenge");
    };
    let response = initiator.respond(&challenge).expect("a challenge of ours");
    let refused = acceptor.evaluate(&response);
    assert_eq!(refused, Err(Refused::Password("nobody".to_owned())));
}

#[test]
fn a_response_is_good_for_one_challenge_and_one_time() {
    let (service, user, password, nonce, response, _) = JAVA[0];
    let mut acceptor = challenged(service, users(user, password), nonce);
    assert!(acceptor.evaluate(response.as_bytes()).is_ok());
    let again = acceptor.evaluate(response.as_bytes());
    assert_eq!(again, Err(Refused::Over), "the same connection");
    let mut acceptor = Acceptor::new(service, users(user, password));
    assert!(acceptor.evaluate(b"").is_ok());
    let replayed = acceptor.evaluate(response.as_bytes());
    assert_eq!(replayed, Err(Refused::Other("nonce")), "another one");
    assert_eq!(acceptor.evaluate(b""), Err(Refused::Over), "no second try");
}

/// Both sides of an exchange.
fn exchange(
    service: Service,
    users: Arc<Users>,
    initiator: &mut Initiator,
) -> Result<String, Refused> {
    let mut acceptor = Acceptor::new(service, users);
    let Answer::Challenge(challenge) = acceptor.evaluate(b"")? else {
        panic!("the first answer is a challenge");
    };
    let response = initiator.respond(&challenge)?;
    match acceptor.evaluate(&response)? {
        Answer::Complete { token, user, .. } => initiator.verify(&token).map(|()| user),
        other @ Answer::Challenge(_) => panic!("{other:?}"),
    }
}

#[test]
fn both_sides_agree_whatever_letters_a_name_has() {
    for (name, password) in [("bob", "x"), ("böb", "ü\""), ("боб", "\\"), ("a,b=c", "")] {
        let mut initiator = Initiator::new(QUORUM, own(name, password));
        let agreed = exchange(QUORUM, users(name, password), &mut initiator);
        assert_eq!(agreed.as_deref(), Ok(name));
    }
}

#[test]
fn who_connects_refuses_a_service_that_does_not_know_the_password() {
    let mut initiator = Initiator::new(QUORUM, own("bob", "secret"));
    assert_eq!(
        initiator.verify(b"rspauth=0"),
        Err(Refused::Over),
        "too early"
    );
    let challenge = challenge(QUORUM, "abc");
    initiator.respond(&challenge).expect("a challenge");
    let guessed = initiator.verify(b"rspauth=00000000000000000000000000000000");
    assert_eq!(guessed, Err(Refused::NotMutual));
    assert_eq!(initiator.verify(b""), Err(Refused::Missing("rspauth")));
    for (other, why) in [
        ("nonce=\"a\"", Refused::Missing("algorithm")),
        ("nonce=\"a\",algorithm=md5", Refused::Other("algorithm")),
        ("algorithm=md5-sess", Refused::Missing("nonce")),
        (
            "nonce=\"a\",algorithm=md5-sess,qop=\"auth-conf\"",
            Refused::Other("qop"),
        ),
    ] {
        assert_eq!(initiator.respond(other.as_bytes()), Err(why), "{other}");
    }
    let several = b"nonce=\"a\",algorithm=md5-sess,qop=\"auth-int, auth\"";
    assert!(initiator.respond(several).is_ok());
}

proptest! {
    #[test]
    fn no_token_harms_either_side(token in token()) {
        let mut acceptor = challenged(CLIENTS, users("bob", "bobsecret"), "abc");
        prop_assert!(acceptor.evaluate(&token).is_err(), "nobody proves anything by chance");
        let mut initiator = Initiator::new(CLIENTS, own("bob", "bobsecret"));
        if initiator.respond(&token).is_ok() {
            prop_assert!(initiator.verify(&token).is_err());
        }
    }
}

/// Bytes, and what looks like directives.
fn token() -> impl Strategy<Value = Vec<u8>> {
    let pieces = prop::collection::vec(
        prop::sample::select(vec![
            "username=",
            "\"bob\"",
            ",",
            "realm=",
            "\"zk-sasl-md5\"",
            "nonce=",
            "abc",
            "\\",
            "\"",
            "nc=",
            "00000001",
            "=",
            " ",
            "cnonce=",
            "digest-uri=",
            "zookeeper/zk-sasl-md5",
            "response=",
            "algorithm=",
            "md5-sess",
            "charset=",
            "utf-8",
            "qop=",
            "auth",
            "authzid=",
            "é",
        ]),
        0..40,
    );
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..200),
        pieces.prop_map(|pieces| pieces.concat().into_bytes()),
    ]
}

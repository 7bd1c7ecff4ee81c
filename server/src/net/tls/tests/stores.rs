//! Files: what is read, and what is said of those that are not.

use super::*;
use crate::{
    config,
    net::tls::{TlsError, context::suite_name, store::Reading, subject, verify},
};
use p12_keystore::{KeyStore, KeyStoreEntry, LocalKeyId, PrivateKey, PrivateKeyChain};
use rustls::{
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject},
};

const SERVER: Sides = Sides {
    server: true,
    client: false,
};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/tls")
        .join(name)
}

fn with_password(location: PathBuf, password: &str) -> Store {
    Store {
        password: Some(password.to_owned()),
        ..store(location)
    }
}

fn key_of(store: &Store) -> Result<usize, TlsError> {
    Reading::new(store, "ssl.keyStore".to_owned())
        .key()
        .map(|found| found.chain.len())
}

fn trusted_of(store: &Store) -> Result<usize, TlsError> {
    Reading::new(store, "ssl.trustStore".to_owned())
        .trusted()
        .map(|found| found.len())
}

#[test]
fn a_subject_is_written_as_java_writes_it() {
    let certificates = CertificateDer::pem_file_iter(fixture("names.pem")).expect("a file");
    let ours: Vec<String> = certificates
        .map(|one| subject::of(&one.expect("a certificate")).expect("a subject"))
        .collect();
    let javas = fs::read_to_string(fixture("names.txt")).expect("a file");
    assert_eq!(ours, javas.lines().collect::<Vec<_>>());
    assert_eq!(
        subject::of(&CertificateDer::from(b"0\x05nothing".to_vec())),
        None
    );
}

#[test]
fn no_damage_to_a_certificate_or_a_store_is_a_panic() {
    let certificates = CertificateDer::pem_file_iter(fixture("names.pem")).expect("a file");
    for one in certificates {
        let whole = one.expect("a certificate").to_vec();
        for at in 0..whole.len() {
            for change in [0x01, 0x80, 0xff] {
                let mut broken = whole.clone();
                broken[at] ^= change;
                let broken = CertificateDer::from(broken);
                let _ = subject::of(&broken);
                let _ = verify::names(&broken, "zk.example.org");
            }
            let torn = CertificateDer::from(whole[..at].to_vec());
            assert_eq!(subject::of(&torn), None, "{at}");
        }
    }
    let directory = Directory::new();
    for name in [
        "keytool.p12",
        "openssl-trust.p12",
        "encrypted.pem",
        "java.jks",
    ] {
        let whole = fs::read(fixture(name)).expect("a file");
        for at in (0..whole.len()).step_by(7) {
            let file = directory.path().join(name);
            fs::write(&file, &whole[..at]).expect("a file");
            let torn = with_password(file, "secret1");
            assert!(key_of(&torn).is_err(), "{name} {at}");
            // What a certificate without its key still is.
            let found = trusted_of(&torn);
            assert!(found.is_err() || name == "encrypted.pem", "{name} {at}");
        }
    }
}

#[test]
fn key_stores_of_openssl_and_keytool_are_read() {
    for name in ["openssl.p12", "legacy.p12", "keytool.p12", "encrypted.pem"] {
        let found = key_of(&with_password(fixture(name), "secret1"));
        assert_eq!(found, Ok(1), "{name}");
    }
}

#[test]
fn trust_stores_of_openssl_and_keytool_are_read() {
    for name in ["openssl-trust.p12", "keytool-trust.p12", "keytool.p12"] {
        let found = trusted_of(&with_password(fixture(name), "secret1"));
        assert_eq!(found, Ok(1), "{name}");
    }
    assert_eq!(trusted_of(&store(fixture("names.pem"))), Ok(4));
}

#[test]
fn a_pkcs12_store_of_our_own_making_goes_all_the_way() {
    let authority = Authority::new();
    let key = key();
    let certificate = params("server", &["localhost"]).signed_by(&key, &authority.issuer);
    let certificate = certificate.expect("a certificate");
    let chain = [certificate.der(), authority.issuer.der()]
        .map(|der| p12_keystore::Certificate::from_der(der).expect("a certificate"));
    let mut keys = KeyStore::new();
    let entry = PrivateKeyChain::new(
        LocalKeyId(b"1".to_vec()),
        PrivateKey::from_der(&key.serialize_der()).expect("a key"),
        chain,
    );
    keys.add_entry("server", KeyStoreEntry::PrivateKeyChain(entry));
    let file = authority.path("server.p12");
    fs::write(&file, keys.writer(PASSWORD).write().expect("a store")).expect("a file");
    let password = authority.path("password");
    fs::write(&password, format!("{PASSWORD}\n")).expect("a file");
    let settings = Tls {
        key_store: Some(Store {
            // It goes before this one.
            password: Some("wrong".to_owned()),
            password_path: Some(password),
            ..store(file)
        }),
        ..settings(None, Some(authority.ca()))
    };
    let context = Context::load(&settings, "ssl.", SERVER).expect("it is right");
    assert!(context.server().is_some() && context.client().is_none());
}

#[test]
fn a_wrong_password_is_said_to_be_one() {
    for name in ["openssl.p12", "legacy.p12", "keytool.p12", "encrypted.pem"] {
        let wrong = key_of(&with_password(fixture(name), "secret2")).expect_err(name);
        assert!(
            wrong
                .what
                .ends_with(&format!("{name}: its password is another one")),
            "{wrong}"
        );
        assert_eq!(
            (&*wrong.key, &*wrong.todo),
            ("ssl.keyStore.location", "correct ssl.keyStore.password")
        );
        let none = key_of(&store(fixture(name))).expect_err(name);
        assert_eq!(
            none.todo,
            "set ssl.keyStore.password or ssl.keyStore.passwordPath"
        );
    }
    let wrong =
        trusted_of(&with_password(fixture("keytool-trust.p12"), "")).expect_err("no password");
    assert_eq!(
        wrong.todo,
        "set ssl.trustStore.password or ssl.trustStore.passwordPath"
    );
}

#[test]
fn a_jks_file_is_refused_with_the_command_that_converts_it() {
    let file = fixture("java.jks");
    let wrong = trusted_of(&with_password(file.clone(), "secret1")).expect_err("JKS");
    let command = format!(
        "ssl.trustStore.location: {0}: this is a store of Java's own (JKS); convert it: keytool \
         -importkeystore -srckeystore {0} -destkeystore {1} -deststoretype PKCS12",
        file.display(),
        fixture("java.p12").display()
    );
    assert_eq!(wrong.to_string(), command);
}

#[test]
fn what_is_wrong_with_a_store_is_said_with_what_to_do() {
    let authority = Authority::new();
    let write = |name: &str, bytes: &[u8]| {
        let file = authority.path(name);
        fs::write(&file, bytes).expect("a file");
        store(file)
    };
    let text = |result: Result<usize, TlsError>| result.expect_err("it is wrong").to_string();
    let missing = text(key_of(&store(authority.path("nothing.pem"))));
    assert!(
        missing.contains("nothing.pem: No such file") && missing.contains("check the path"),
        "{missing}"
    );
    let empty = text(key_of(&write("empty.pem", b"")));
    assert!(empty.contains("neither PEM nor PKCS12"), "{empty}");
    let only = text(key_of(&store(authority.ca())));
    assert!(
        only.contains("it holds no private key that can be read"),
        "{only}"
    );
    let only = text(key_of(&write("key.pem", key().serialize_pem().as_bytes())));
    assert!(only.contains("it holds no certificate"), "{only}");
    let old = text(key_of(&with_password(fixture("old.pem"), "secret1")));
    assert!(
        old.contains("encrypted in an old form; openssl pkcs8 -topk8 -in "),
        "{old}"
    );
    let torn = text(key_of(&with_password(
        write("torn.p12", b"\x30\x03\x02\x01").location,
        "x",
    )));
    assert!(torn.contains("can't be read as PKCS12"), "{torn}");
    let other = Store {
        format: Some(StoreFormat::Pkcs12),
        ..store(authority.issue("a", &[]))
    };
    let other = text(key_of(&other));
    assert!(
        other.ends_with("this is a file of the type PEM; set ssl.keyStore.type=PEM"),
        "{other}"
    );
    let lost = Store {
        password_path: Some(authority.path("lost")),
        ..store(fixture("openssl.p12"))
    };
    assert!(text(key_of(&lost)).starts_with("ssl.keyStore.passwordPath: "));
}

#[test]
fn a_key_that_does_not_belong_to_its_certificate_is_refused() {
    let authority = Authority::new();
    let certificate = params("server", &[])
        .signed_by(&key(), &authority.issuer)
        .expect("it");
    let file = authority.path("mixed.pem");
    fs::write(&file, certificate.pem() + &key().serialize_pem()).expect("a file");
    let settings = settings(Some(file), Some(authority.ca()));
    let wrong = Context::load(&settings, "ssl.quorum.", SERVER).expect_err("they do not fit");
    assert_eq!(wrong.key, "ssl.quorum.keyStore.location");
    assert_eq!(
        wrong.what,
        "the private key does not belong to the first certificate"
    );
}

#[test]
fn what_is_not_set_is_asked_for() {
    let authority = Authority::new();
    let no_key = Context::load(&settings(None, Some(authority.ca())), "ssl.", SERVER);
    assert_eq!(no_key.expect_err("no key").key, "ssl.keyStore.location");
    let key = authority.issue("server", &[]);
    let no_trust = Context::load(&settings(Some(key.clone()), None), "ssl.", SERVER);
    let wrong = no_trust.expect_err("no trust store");
    assert_eq!(wrong.key, "ssl.trustStore.location");
    assert!(
        wrong.todo.ends_with("or set ssl.clientAuth=none"),
        "{wrong}"
    );
    let open = Tls {
        client_auth: ClientAuth::None,
        ..settings(Some(key), None)
    };
    assert!(
        Context::load(&open, "ssl.", SERVER).is_ok(),
        "who asks for none needs none"
    );
}

#[test]
fn the_configuration_knows_exactly_the_cipher_suites_that_there_are() {
    let provider = ring::default_provider();
    let mut there: Vec<String> = provider.cipher_suites.iter().map(suite_name).collect();
    let mut known = config::SUITES.map(str::to_owned).to_vec();
    there.sort();
    known.sort();
    assert_eq!(there, known);
}

#[test]
fn a_name_is_an_alternative_name_and_without_those_the_common_name() {
    let authority = Authority::new();
    let made = |name: &str, others: &[&str]| {
        let made = params(name, others).signed_by(&key(), &authority.issuer);
        made.expect("a certificate").der().clone()
    };
    let with = made("zk1", &["zk2.example.org", "*.zk.example.org", "10.0.0.1"]);
    for (name, is_one) in [
        ("zk2.example.org", true),
        ("a.zk.example.org", true),
        ("10.0.0.1", true),
        ("zk1", false),
        ("10.0.0.2", false),
        ("zk.example.org", false),
        ("", false),
    ] {
        assert_eq!(verify::names(&with, name), is_one, "{name}");
    }
    let without = made("zk1", &[]);
    assert!(verify::names(&without, "ZK1") && !verify::names(&without, "zk2"));
}

#[tokio::test]
async fn stores_are_read_again_when_their_files_change() {
    let authority = Authority::new();
    let file = authority.issue("server", &["localhost"]);
    let settings = settings(Some(file.clone()), Some(authority.ca()));
    let context = Context::load(&settings, "ssl.", SERVER).expect("it is right");
    let before = context.server().expect("for a server");
    let pause = Duration::from_millis(10);
    tokio::spawn(super::super::reload::follow(
        Arc::downgrade(&context),
        pause,
    ));
    tokio::time::sleep(pause).await;

    fs::write(&file, "broken").expect("a file");
    tokio::time::sleep(pause * 10).await;
    let kept = context.server().expect("for a server");
    assert!(
        Arc::ptr_eq(&before, &kept),
        "what can't be read changes nothing"
    );

    authority.issue("server", &["localhost", "new.example.org"]);
    let end = tokio::time::Instant::now() + LONG;
    while Arc::ptr_eq(&before, &context.server().expect("for a server")) {
        assert!(tokio::time::Instant::now() < end, "it is never read again");
        tokio::time::sleep(pause).await;
    }
}

#[test]
fn a_certificate_of_version_1_is_refused_with_what_to_do() {
    use rustls::{client::danger::ServerCertVerifier, pki_types::UnixTime};
    let advice = |text: &str| text.contains("of X.509 version 1") && text.contains("-extfile");
    let file = fixture("version-1.pem");
    let own = Context::load(&settings(Some(file.clone()), None), "ssl.", SERVER);
    let text = own.expect_err("of its own").to_string();
    assert!(
        text.starts_with("ssl.keyStore.location: ") && advice(&text),
        "{text}"
    );

    // That of another, even one that the trust store holds.
    let shown = CertificateDer::from_pem_file(&file).expect("a certificate");
    let trust = verify::Trust::new(vec![shown.clone()], &ring::default_provider());
    let servers = verify::OfServers(Arc::new(trust.expect("a root")));
    let name = super::super::server_name("localhost");
    let refused = servers.verify_server_cert(&shown, &[], &name, &[], UnixTime::now());
    let refused = std::io::Error::other(refused.expect_err("of another"));
    let text = super::super::explain(&refused);
    assert!(advice(&text), "{text}");
}

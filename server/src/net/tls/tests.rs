//! Real certificates, real connections.

mod ensemble;
mod ports;
mod stores;

use super::{Context, Sides};
use crate::{
    client::{Client, ClientError, Options},
    config::{ClientAuth, HostPort, Store, StoreFormat, Tls},
    testing::Directory,
};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, IsCa, KeyPair,
};
use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

const PASSWORD: &str = "not so secret";

/// Who issues certificates, into a directory.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    pub directory: Directory,
}

impl Authority {
    pub fn new() -> Authority {
        let mut params = CertificateParams::new(Vec::new()).expect("parameters");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params
            .distinguished_name
            .push(DnType::CommonName, "an authority");
        let issuer = CertifiedIssuer::self_signed(params, key()).expect("a certificate");
        let directory = Directory::new();
        fs::write(directory.path().join("ca.pem"), issuer.pem()).expect("a file");
        Authority { issuer, directory }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub fn ca(&self) -> PathBuf {
        self.path("ca.pem")
    }

    /// A key store in PEM for a common name and other names.
    pub fn issue(&self, name: &str, others: &[&str]) -> PathBuf {
        let (key, params) = (key(), params(name, others));
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        let file = self.path(&format!("{name}.pem"));
        fs::write(&file, certificate.pem() + &key.serialize_pem()).expect("a file");
        file
    }

    /// Lines of zoo.cfg for a server with its own certificate, valid for 127.0.0.1.
    pub fn lines(&self, prefix: &str) -> String {
        let key = self.issue("server", &["127.0.0.1", "localhost"]);
        format!(
            "{prefix}keyStore.location={}\n{prefix}trustStore.location={}\n",
            key.display(),
            self.ca().display()
        )
    }

    /// What a client with this key store knows.
    pub fn client(&self, key_store: Option<PathBuf>) -> Arc<Context> {
        let sides = Sides {
            server: false,
            client: true,
        };
        let settings = settings(key_store, Some(self.ca()));
        Context::load(&settings, "ssl.", sides).expect("the stores are right")
    }
}

fn key() -> KeyPair {
    KeyPair::generate().expect("a key")
}

fn params(name: &str, others: &[&str]) -> CertificateParams {
    let others: Vec<String> = others.iter().map(|o| (*o).to_owned()).collect();
    let mut params = CertificateParams::new(others).expect("names");
    params.distinguished_name = DistinguishedName::new();
    params
        .distinguished_name
        .push(DnType::OrganizationName, "Example");
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

/// A store whose format is known from its contents.
fn store(location: PathBuf) -> Store {
    Store {
        location,
        password: None,
        password_path: None,
        format: None,
    }
}

/// As without any key but the stores'.
fn settings(key_store: Option<PathBuf>, trust_store: Option<PathBuf>) -> Tls {
    Tls {
        key_store: key_store.map(store),
        trust_store: trust_store.map(store),
        client_auth: ClientAuth::Need,
        versions: [true, true],
        cipher_suites: None,
        hostname_verification: true,
        client_hostname_verification: false,
        reverse_dns: false,
        crl: false,
        ocsp: false,
        handshake_detection: Duration::from_secs(5),
        reload: false,
    }
}

/// A client of ours; `patience` bounds the wait for a session.
fn connect(
    at: SocketAddr,
    tls: Option<Arc<Context>>,
    patience: Duration,
) -> Result<Client, ClientError> {
    let mut options = Options::parse("127.0.0.1")?;
    options.servers = vec![HostPort {
        host: "127.0.0.1".to_owned(),
        port: at.port(),
    }];
    options.request_timeout = patience;
    options.session_timeout = Duration::from_secs(10);
    options.tls = tls;
    Client::connect(options, |_| {})
}

const LONG: Duration = Duration::from_secs(20);
/// Long enough for an answer, short for a test that waits for none.
const SHORT: Duration = Duration::from_secs(2);

//! From settings to what rustls needs: keys, trust, versions, cipher suites.

use super::{
    TlsError,
    store::{KeyAndChain, Reading},
    verify::{OfClients, OfServers, Trust, check_version},
};
use crate::config::{ClientAuth, Tls};
use rustls::{
    ClientConfig, Error, InconsistentKeys, ServerConfig, SupportedProtocolVersion,
    client::Resumption,
    crypto::{CryptoProvider, ring},
    server::{NoServerSessionStorage, WebPkiClientVerifier, danger::ClientCertVerifier},
    sign::{CertifiedKey, SingleCertAndKey},
    version::{TLS12, TLS13},
};
use std::sync::{Arc, PoisonError, RwLock};

/// What it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sides {
    /// Accepts connections.
    pub server: bool,
    /// Makes connections.
    pub client: bool,
}

/// Keys and trust for one kind of connection. They may be read again while it is used.
#[derive(Debug)]
pub struct Context {
    pub(super) settings: Tls,
    prefix: &'static str,
    sides: Sides,
    now: RwLock<Loaded>,
}

#[derive(Clone, Debug)]
struct Loaded {
    server: Option<Arc<ServerConfig>>,
    client: Option<Arc<ClientConfig>>,
}

impl Context {
    /// Reads the stores. `prefix` is that of the settings' keys: `ssl.` or `ssl.quorum.`.
    ///
    /// # Errors
    /// What is missing, can't be read, or does not fit together.
    pub fn load(
        settings: &Tls,
        prefix: &'static str,
        sides: Sides,
    ) -> Result<Arc<Context>, TlsError> {
        let loaded = load(settings, prefix, sides)?;
        Ok(Arc::new(Context {
            settings: settings.clone(),
            prefix,
            sides,
            now: RwLock::new(loaded),
        }))
    }

    /// Reads the stores again. Connections that are there stay as they are; if a store can't be read,
    /// everything does.
    ///
    /// # Errors
    /// As [`Context::load`].
    pub fn load_again(&self) -> Result<(), TlsError> {
        let loaded = load(&self.settings, self.prefix, self.sides)?;
        *self.now.write().unwrap_or_else(PoisonError::into_inner) = loaded;
        Ok(())
    }

    /// For who accepts; `None` if it was not loaded for that.
    #[must_use]
    pub fn server(&self) -> Option<Arc<ServerConfig>> {
        let now = self.now.read().unwrap_or_else(PoisonError::into_inner);
        now.server.clone()
    }

    /// For who connects; `None` if it was not loaded for that.
    #[must_use]
    pub fn client(&self) -> Option<Arc<ClientConfig>> {
        let now = self.now.read().unwrap_or_else(PoisonError::into_inner);
        now.client.clone()
    }

    /// The settings.
    #[must_use]
    pub fn settings(&self) -> &Tls {
        &self.settings
    }
}

fn load(settings: &Tls, prefix: &'static str, sides: Sides) -> Result<Loaded, TlsError> {
    let provider = Arc::new(provider(settings, prefix)?);
    let key = match &settings.key_store {
        Some(store) => {
            let reading = Reading::new(store, format!("{prefix}keyStore"));
            Some(certified(reading.key()?, &provider, prefix)?)
        }
        None if sides.server => {
            return Err(TlsError {
                key: format!("{prefix}keyStore.location"),
                what: "is not set, and a port with TLS needs a certificate and its key".to_owned(),
                todo: "name a PEM or PKCS12 file; docs/operating.md shows how to make one"
                    .to_owned(),
            });
        }
        None => None,
    };
    let trust = match &settings.trust_store {
        Some(store) => {
            let reading = Reading::new(store, format!("{prefix}trustStore"));
            let trust = Trust::new(reading.trusted()?, &provider);
            Some(Arc::new(trust.map_err(|error| TlsError {
                key: format!("{prefix}trustStore.location"),
                what: format!(
                    "{}: a certificate is refused: {error}",
                    store.location.display()
                ),
                todo: "take it out, or issue it again".to_owned(),
            })?))
        }
        None if sides.client => {
            return Err(TlsError {
                key: format!("{prefix}trustStore.location"),
                what: "is not set, so no server's certificate can be trusted".to_owned(),
                todo: "name a PEM or PKCS12 file with the certificates of those who issue them"
                    .to_owned(),
            });
        }
        None => None,
    };
    let versions: Vec<&SupportedProtocolVersion> = [&TLS12, &TLS13]
        .into_iter()
        .zip(settings.versions)
        .filter_map(|(version, is_on)| is_on.then_some(version))
        .collect();
    let unusable = |error: Error| TlsError {
        key: format!("{prefix}enabledProtocols"),
        what: format!("does not go together with {prefix}ciphersuites: {error}"),
        todo: "remove both".to_owned(),
    };
    let server = match (&key, sides.server) {
        (Some(key), true) => {
            let verifier = verifier(settings, prefix, trust.as_ref(), &provider)?;
            let mut config = ServerConfig::builder_with_provider(Arc::clone(&provider))
                .with_protocol_versions(&versions)
                .map_err(unusable)?
                .with_client_cert_verifier(verifier)
                .with_cert_resolver(Arc::new(SingleCertAndKey::from(Arc::clone(key))));
            // Connections live long: to look at each certificate anew costs little, and a trust store
            // that is read again then counts for everybody.
            config.session_storage = Arc::new(NoServerSessionStorage {});
            config.send_tls13_tickets = 0;
            Some(Arc::new(config))
        }
        _ => None,
    };
    let client = match (trust, sides.client) {
        (Some(trust), true) => {
            let config = ClientConfig::builder_with_provider(Arc::clone(&provider))
                .with_protocol_versions(&versions)
                .map_err(unusable)?
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(OfServers(trust)));
            let mut config = match key {
                Some(key) => {
                    config.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(key)))
                }
                None => config.with_no_client_auth(),
            };
            config.resumption = Resumption::disabled();
            Some(Arc::new(config))
        }
        _ => None,
    };
    Ok(Loaded { server, client })
}

/// ring with the chosen cipher suites, in their order. Which exist the configuration has checked.
fn provider(settings: &Tls, prefix: &str) -> Result<CryptoProvider, TlsError> {
    let mut provider = ring::default_provider();
    if let Some(chosen) = &settings.cipher_suites {
        let suites = chosen.iter().filter_map(|name| {
            let mut all = provider.cipher_suites.iter();
            all.find(|suite| suite_name(suite) == *name).copied()
        });
        let suites: Vec<_> = suites.collect();
        if suites.is_empty() {
            return Err(TlsError {
                key: format!("{prefix}ciphersuites"),
                what: "names no cipher suite that there is".to_owned(),
                todo: "remove it: the suites that are offered without it are all safe".to_owned(),
            });
        }
        provider.cipher_suites = suites;
    }
    Ok(provider)
}

/// The IANA name.
pub(super) fn suite_name(suite: &rustls::SupportedCipherSuite) -> String {
    let name = format!("{:?}", suite.suite());
    match name.strip_prefix("TLS13_") {
        Some(rest) => format!("TLS_{rest}"),
        None => name,
    }
}

fn certified(
    found: KeyAndChain,
    provider: &CryptoProvider,
    prefix: &str,
) -> Result<Arc<CertifiedKey>, TlsError> {
    let wrong = |what: String, todo: &str| TlsError {
        key: format!("{prefix}keyStore.location"),
        what,
        todo: todo.to_owned(),
    };
    if let Some(Err(old)) = found.chain.first().map(check_version) {
        return Err(wrong(
            "the first certificate is not of X.509 version 3".to_owned(),
            &old.to_string(),
        ));
    }
    match CertifiedKey::from_der(found.chain, found.key, provider) {
        Ok(key) => Ok(Arc::new(key)),
        Err(Error::InconsistentKeys(InconsistentKeys::KeyMismatch)) => Err(wrong(
            "the private key does not belong to the first certificate".to_owned(),
            "put the certificate that was made for this key first, then those of its issuers",
        )),
        Err(error) => Err(wrong(
            format!("the key can't be used: {error}"),
            "RSA keys of at least 2048 bits, ECDSA (P-256, P-384) and Ed25519 can",
        )),
    }
}

fn verifier(
    settings: &Tls,
    prefix: &str,
    trust: Option<&Arc<Trust>>,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
    let is_needed = match settings.client_auth {
        ClientAuth::None => return Ok(WebPkiClientVerifier::no_client_auth()),
        ClientAuth::Want => false,
        ClientAuth::Need => true,
    };
    let missing = |what: String| TlsError {
        key: format!("{prefix}trustStore.location"),
        what,
        todo: format!("name the file with trusted certificates, or set {prefix}clientAuth=none"),
    };
    let trust = trust.ok_or_else(|| {
        missing("is not set, so nobody's certificate could be accepted".to_owned())
    })?;
    let made = OfClients::new(Arc::clone(trust), is_needed, provider);
    Ok(Arc::new(made.map_err(|error| missing(error.to_string()))?))
}

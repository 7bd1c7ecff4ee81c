//! Whose certificate is accepted: as in Java, a chain to a trusted one, or a certificate that is itself
//! in the trust store, which a self-signed one is; and whether it names who shows it.

use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, OtherError, RootCertStore,
    SignatureScheme,
    client::{
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        verify_server_cert_signed_by_trust_anchor, verify_server_name,
    },
    crypto::{
        CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
    },
    pki_types::{CertificateDer, ServerName, UnixTime},
    server::{
        ParsedCertificate, VerifierBuilderError, WebPkiClientVerifier,
        danger::{ClientCertVerified, ClientCertVerifier},
    },
};
use std::{io, net::IpAddr, sync::Arc, time::Duration};
use x509_parser::prelude::{FromDer, X509Certificate};

/// How long the name of an address may take to be found.
const LOOKUP: Duration = Duration::from_secs(5);

/// The certificates of a trust store.
#[derive(Debug)]
pub struct Trust {
    roots: Arc<RootCertStore>,
    each: Vec<CertificateDer<'static>>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl Trust {
    /// # Errors
    /// A certificate that can't be a root.
    pub fn new(
        each: Vec<CertificateDer<'static>>,
        provider: &CryptoProvider,
    ) -> Result<Trust, Error> {
        let mut roots = RootCertStore::empty();
        for one in &each {
            roots.add(one.clone())?;
        }
        Ok(Trust {
            roots: Arc::new(roots),
            each,
            algorithms: provider.signature_verification_algorithms,
        })
    }

    /// Whether it is itself in the store. That it has expired counts even then.
    fn holds(&self, certificate: &CertificateDer<'_>, now: UnixTime) -> Result<bool, Error> {
        if !self.each.contains(certificate) {
            return Ok(false);
        }
        let bad = |error| Err(Error::InvalidCertificate(error));
        let Ok((_, parsed)) = X509Certificate::from_der(certificate) else {
            return bad(CertificateError::BadEncoding);
        };
        let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
        let valid = parsed.validity();
        if now < valid.not_before.timestamp() {
            return bad(CertificateError::NotValidYet);
        }
        if now > valid.not_after.timestamp() {
            return bad(CertificateError::Expired);
        }
        Ok(true)
    }
}

/// A certificate of X.509 version 1 or 2, of which nobody can tell what it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "it is of X.509 version {0}, which is not accepted: issue it again as version 3 (`openssl x509 -req` \
     makes version 1 unless -extfile names extensions; keytool makes version 3)"
)]
pub struct OldVersion(pub u32);

/// Whether a certificate is of version 3. One that can't be read is left to who reads it next.
///
/// # Errors
/// It is older.
pub fn check_version(certificate: &CertificateDer<'_>) -> Result<(), OldVersion> {
    match X509Certificate::from_der(certificate) {
        // 0 stands for version 1.
        Ok((_, parsed)) if parsed.version().0 < 2 => Err(OldVersion(parsed.version().0 + 1)),
        Ok(_) | Err(_) => Ok(()),
    }
}

fn version_3(certificate: &CertificateDer<'_>) -> Result<(), Error> {
    check_version(certificate).map_err(|old| {
        let old = OtherError(Arc::new(old));
        Error::InvalidCertificate(CertificateError::Other(old))
    })
}

/// Looks at the certificates of servers; not at their names, see [`names_server`].
#[derive(Debug)]
pub struct OfServers(pub Arc<Trust>);

impl ServerCertVerifier for OfServers {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        version_3(certificate)?;
        let Trust {
            roots, algorithms, ..
        } = &*self.0;
        if !self.0.holds(certificate, now)? {
            verify_server_cert_signed_by_trust_anchor(
                &ParsedCertificate::try_from(certificate)?,
                roots,
                intermediates,
                now,
                algorithms.all,
            )?;
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.0.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.0.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.algorithms.supported_schemes()
    }
}

/// Looks at the certificates of clients.
#[derive(Debug)]
pub struct OfClients {
    trust: Arc<Trust>,
    chains: Arc<dyn ClientCertVerifier>,
}

impl OfClients {
    /// # Errors
    /// An empty trust store.
    pub fn new(
        trust: Arc<Trust>,
        is_needed: bool,
        provider: &Arc<CryptoProvider>,
    ) -> Result<OfClients, VerifierBuilderError> {
        let roots = Arc::clone(&trust.roots);
        let builder = WebPkiClientVerifier::builder_with_provider(roots, Arc::clone(provider));
        let chains = if is_needed {
            builder.build()?
        } else {
            builder.allow_unauthenticated().build()?
        };
        Ok(OfClients { trust, chains })
    }
}

impl ClientCertVerifier for OfClients {
    fn client_auth_mandatory(&self) -> bool {
        self.chains.client_auth_mandatory()
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.chains.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        version_3(certificate)?;
        if self.trust.holds(certificate, now)? {
            return Ok(ClientCertVerified::assertion());
        }
        self.chains
            .verify_client_cert(certificate, intermediates, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.chains
            .verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.chains
            .verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.chains.supported_verify_schemes()
    }
}

/// Whether a certificate names who connects from `address`: by that, or, if `may_look_up`, by the name
/// that the address has.
pub async fn names_client(
    certificate: &CertificateDer<'_>,
    address: IpAddr,
    may_look_up: bool,
) -> bool {
    let address = address.to_canonical();
    if names(certificate, &address.to_string()) {
        return true;
    }
    if !may_look_up {
        return false;
    }
    let look_up = tokio::task::spawn_blocking(move || dns_lookup::lookup_addr(&address).ok());
    match tokio::time::timeout(LOOKUP, look_up).await {
        Ok(Ok(Some(name))) => names(certificate, &name),
        Ok(_) | Err(_) => false,
    }
}

/// Whether the certificate that a server has shown is its own: it names the host under which it was
/// reached, or its address.
///
/// # Errors
/// What to do if it is not.
pub fn names_server(
    shown: Option<&CertificateDer<'_>>,
    address: IpAddr,
    host: &str,
) -> io::Result<()> {
    let address = address.to_canonical();
    let is_named = |shown| names(shown, host) || names(shown, &address.to_string());
    if shown.is_some_and(is_named) {
        return Ok(());
    }
    Err(io::Error::other(format!(
        "the server's certificate names neither {host} nor {address}: issue one that does, as a \
         subject alternative name (or set hostnameVerification=false, and everybody with a trusted \
         certificate can pass for it)"
    )))
}

pub(super) fn names(certificate: &CertificateDer<'_>, name: &str) -> bool {
    let Ok(parsed) = ParsedCertificate::try_from(certificate) else {
        return false;
    };
    if let Ok(wanted) = ServerName::try_from(name)
        && verify_server_name(&parsed, &wanted).is_ok()
    {
        return true;
    }
    // As Apache: a certificate without alternative names has only its common name.
    let Ok((_, parsed)) = X509Certificate::from_der(certificate) else {
        return false;
    };
    if !matches!(parsed.subject_alternative_name(), Ok(None)) {
        return false;
    }
    let mut common = parsed.subject().iter_common_name();
    common.any(|cn| cn.as_str().is_ok_and(|cn| cn.eq_ignore_ascii_case(name)))
}

//! Key stores and trust stores: PEM and PKCS12 read, Java's own refused with the command that converts
//! them.

use super::TlsError;
use crate::config::{Store, StoreFormat};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use p12_keystore::{KeyStore, KeyStoreEntry, Pkcs12ImportPolicy};
use pkcs8::EncryptedPrivateKeyInfoRef;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, pem::PemObject};
use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

/// No store is larger.
const LARGEST: u64 = 16 << 20;
const ENCRYPTED: (&str, &str) = (
    "-----BEGIN ENCRYPTED PRIVATE KEY-----",
    "-----END ENCRYPTED PRIVATE KEY-----",
);

/// What a key store holds.
pub struct KeyAndChain {
    /// The owner's certificate first, then those that lead to one that others trust.
    pub chain: Vec<CertificateDer<'static>>,
    /// The key of the first.
    pub key: PrivateKeyDer<'static>,
}

/// A store that is read, and how it is named in messages.
pub struct Reading<'a> {
    store: &'a Store,
    /// `ssl.keyStore` for one.
    name: String,
}

impl<'a> Reading<'a> {
    /// `name` is that of the setting without `.location`.
    pub fn new(store: &'a Store, name: String) -> Reading<'a> {
        Reading { store, name }
    }

    fn wrong(&self, what: impl Into<String>, todo: impl Into<String>) -> TlsError {
        TlsError {
            key: format!("{}.location", self.name),
            what: format!("{}: {}", self.store.location.display(), what.into()),
            todo: todo.into(),
        }
    }

    /// A private key and its certificates.
    ///
    /// # Errors
    /// What is wrong with the file, its password or its contents.
    pub fn key(&self) -> Result<KeyAndChain, TlsError> {
        let (bytes, password) = (self.bytes()?, self.password()?);
        let found = match self.format(&bytes)? {
            StoreFormat::Pem => self.pem_key(&bytes, &password)?,
            StoreFormat::Pkcs12 => self.pkcs12_key(&bytes, &password)?,
        };
        if found.chain.is_empty() {
            let todo = "put the certificate beside its key, then those of its issuers";
            return Err(self.wrong("it holds no certificate", todo));
        }
        Ok(found)
    }

    /// Certificates that are trusted.
    ///
    /// # Errors
    /// What is wrong with the file, its password or its contents.
    pub fn trusted(&self) -> Result<Vec<CertificateDer<'static>>, TlsError> {
        let (bytes, password) = (self.bytes()?, self.password()?);
        let found = match self.format(&bytes)? {
            StoreFormat::Pem => self.pem_certificates(&bytes)?,
            StoreFormat::Pkcs12 => self.pkcs12_trusted(&bytes, &password)?,
        };
        if found.is_empty() {
            let todo = "put the certificates that are trusted into it";
            return Err(self.wrong("it holds no certificate", todo));
        }
        Ok(found)
    }

    fn bytes(&self) -> Result<Vec<u8>, TlsError> {
        read(&self.store.location)
            .map_err(|error| self.wrong(error.to_string(), "check the path and its rights"))
    }

    fn password(&self) -> Result<String, TlsError> {
        let Some(path) = &self.store.password_path else {
            return Ok(self.store.password.clone().unwrap_or_default());
        };
        let bytes = read(path).map_err(|error| TlsError {
            key: format!("{}.passwordPath", self.name),
            what: format!("{}: {error}", path.display()),
            todo: "check the path and its rights".to_owned(),
        })?;
        // As Apache: what an editor puts at the end does not belong to it.
        let text = String::from_utf8_lossy(&bytes);
        Ok(text.trim_end_matches(['\n', '\r']).to_owned())
    }

    /// What it is, whatever it is called; what it is said to be must be true.
    fn format(&self, bytes: &[u8]) -> Result<StoreFormat, TlsError> {
        let file = self.store.location.display();
        let is = match bytes {
            [0xfe, 0xed, 0xfe, 0xed, ..] | [0xce, 0xce, 0xce, 0xce, ..] => {
                let todo = format!(
                    "convert it: keytool -importkeystore -srckeystore {file} -destkeystore {} \
                     -deststoretype PKCS12",
                    self.store.location.with_extension("p12").display()
                );
                return Err(self.wrong("this is a store of Java's own (JKS)", todo));
            }
            [0x30, ..] => StoreFormat::Pkcs12,
            _ if find(bytes, b"-----BEGIN ").is_some() => StoreFormat::Pem,
            _ => {
                let todo = "give a PEM file (-----BEGIN …) or a PKCS12 file (.p12)";
                return Err(self.wrong("this is neither PEM nor PKCS12", todo));
            }
        };
        match self.store.format {
            Some(said) if said != is => {
                let name = match is {
                    StoreFormat::Pem => "PEM",
                    StoreFormat::Pkcs12 => "PKCS12",
                };
                let todo = format!("set {}.type={name}", self.name);
                Err(self.wrong(format!("this is a file of the type {name}"), todo))
            }
            _ => Ok(is),
        }
    }

    fn pem_certificates(&self, bytes: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsError> {
        CertificateDer::pem_slice_iter(bytes)
            .collect::<Result<_, _>>()
            .map_err(|error| {
                let what = format!("a certificate can't be read: {error}");
                self.wrong(what, "write the file again; parts of it may be missing")
            })
    }

    fn pem_key(&self, bytes: &[u8], password: &str) -> Result<KeyAndChain, TlsError> {
        if find(bytes, b"Proc-Type: 4,ENCRYPTED").is_some() {
            let todo = format!(
                "openssl pkcs8 -topk8 -in {0} -out key.pem writes it in a form that is read; put its \
                 certificates behind it",
                self.store.location.display()
            );
            return Err(self.wrong("its key is encrypted in an old form", todo));
        }
        let chain = self.pem_certificates(bytes)?;
        let key = match self.encrypted_key(bytes, password)? {
            Some(key) => key,
            None => PrivateKeyDer::from_pem_slice(bytes).map_err(|_| {
                let todo =
                    "put the key (-----BEGIN PRIVATE KEY-----) and its certificates into one file";
                self.wrong("it holds no private key that can be read", todo)
            })?,
        };
        Ok(KeyAndChain { chain, key })
    }

    /// PKCS8 with a password.
    fn encrypted_key(
        &self,
        bytes: &[u8],
        password: &str,
    ) -> Result<Option<PrivateKeyDer<'static>>, TlsError> {
        let Some(begin) = find(bytes, ENCRYPTED.0.as_bytes()) else {
            return Ok(None);
        };
        let body = &bytes[begin + ENCRYPTED.0.len()..];
        let broken = || self.wrong("its private key can't be read", "write the file again");
        let end = find(body, ENCRYPTED.1.as_bytes()).ok_or_else(broken)?;
        let text: Vec<u8> = body[..end]
            .iter()
            .copied()
            .filter(|b| !b.is_ascii_whitespace())
            .collect();
        let der = STANDARD.decode(text).map_err(|_| broken())?;
        let info = EncryptedPrivateKeyInfoRef::try_from(&*der).map_err(|_| broken())?;
        let key = info
            .decrypt(password)
            .map_err(|_| self.password_is_wrong(password))?;
        Ok(Some(
            PrivatePkcs8KeyDer::from(key.as_bytes().to_vec()).into(),
        ))
    }

    fn password_is_wrong(&self, password: &str) -> TlsError {
        let name = &self.name;
        let todo = if password.is_empty() {
            format!("set {name}.password or {name}.passwordPath")
        } else if self.store.password_path.is_some() {
            format!("look at the file that {name}.passwordPath names")
        } else {
            format!("correct {name}.password")
        };
        let what = match password.is_empty() {
            true => "it has a password",
            false => "its password is another one",
        };
        self.wrong(what, todo)
    }

    fn pkcs12(
        &self,
        bytes: &[u8],
        password: &str,
        policy: Pkcs12ImportPolicy,
    ) -> Result<KeyStore, TlsError> {
        use p12_keystore::error::Error;
        KeyStore::from_pkcs12(bytes, password, policy).map_err(|error| match error {
            Error::MacError(_) | Error::UnpadError | Error::Pkcs5Error(_) => {
                self.password_is_wrong(password)
            }
            error => {
                let what = format!("it can't be read as PKCS12: {error}");
                self.wrong(what, "write it again with keytool or openssl pkcs12")
            }
        })
    }

    fn pkcs12_key(&self, bytes: &[u8], password: &str) -> Result<KeyAndChain, TlsError> {
        let store = self.pkcs12(bytes, password, Pkcs12ImportPolicy::Strict)?;
        let Some((_, found)) = store.private_key_chain() else {
            let todo = "import the key together with its certificate";
            return Err(self.wrong("it holds no private key with a certificate", todo));
        };
        Ok(KeyAndChain {
            chain: found.certs().iter().map(owned).collect(),
            key: PrivatePkcs8KeyDer::from(found.key().as_der().to_vec()).into(),
        })
    }

    /// As Java: entries that are trusted, and the certificates of keys. openssl marks none as trusted;
    /// in a file of its all count.
    fn pkcs12_trusted(
        &self,
        bytes: &[u8],
        password: &str,
    ) -> Result<Vec<CertificateDer<'static>>, TlsError> {
        let certificates = |store: &KeyStore| -> Vec<_> {
            let each = store.entries().filter_map(|(_, entry)| match entry {
                KeyStoreEntry::Certificate(certificate) => Some(owned(certificate)),
                KeyStoreEntry::PrivateKeyChain(chain) => chain.certs().first().map(owned),
                KeyStoreEntry::Secret(_) => None,
            });
            each.collect()
        };
        let marked = certificates(&self.pkcs12(bytes, password, Pkcs12ImportPolicy::Strict)?);
        if !marked.is_empty() {
            return Ok(marked);
        }
        Ok(certificates(&self.pkcs12(
            bytes,
            password,
            Pkcs12ImportPolicy::Raw,
        )?))
    }
}

fn owned(certificate: &p12_keystore::Certificate) -> CertificateDer<'static> {
    CertificateDer::from(certificate.as_der().to_vec())
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|w| w == what)
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?
        .take(LARGEST + 1)
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST {
        return Err(io::Error::other(
            "it is larger than 16 MiB, which no store is",
        ));
    }
    Ok(bytes)
}

//! SASL with the mechanism DIGEST-MD5: who clients and members are, by users in a JAAS file
//! (ZooKeeper.md 1.15, 2.2). GSSAPI (Kerberos) is not here.
//!
//! DIGEST-MD5 (RFC 2831) is an old mechanism and nothing of what follows the exchange is protected by
//! it: without TLS, who can change packets on their way can use a connection that somebody else has
//! opened.

pub mod digest_md5;
pub mod jaas;
pub mod quorum;

use crate::config::{Auth, ClientSasl};
use digest_md5::{Acceptor, Answer, Refused, Service};
use jaas::{Jaas, JaasError, Module};
use std::{collections::BTreeMap, fmt, path::Path, sync::Arc};
use zabscope_core::{members::shown, request::SaslOutcome};

/// What a client speaks to.
pub const CLIENTS: Service = Service {
    protocol: "zookeeper",
    name: "zk-sasl-md5",
};

/// The one whose password may be a system property.
const SUPER: &str = "super";

/// Users and their passwords. They are never shown.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Users(BTreeMap<String, String>);

impl fmt::Debug for Users {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} users", self.0.len())
    }
}

impl Users {
    /// Of names and passwords.
    #[must_use]
    pub fn new(users: impl IntoIterator<Item = (String, String)>) -> Users {
        Users(users.into_iter().collect())
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nobody can come in.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The password of a user; `None` for one that is unknown.
    #[must_use]
    pub fn password(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

/// A user of ours, to show elsewhere.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// Who.
    pub name: String,
    /// The proof; never shown.
    pub password: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} with a password", self.name)
    }
}

/// Why a configuration of SASL is of no use.
#[derive(Debug, thiserror::Error)]
pub enum SaslError {
    /// The file.
    #[error("{0}")]
    Jaas(#[from] JaasError),
    /// SASL is switched on without a file.
    #[error(
        "{needs} needs a JAAS file with the passwords: set java.security.auth.login.config to its path"
    )]
    NoFile {
        /// The key that switches it on.
        needs: &'static str,
    },
    /// The file lacks a section.
    #[error("{file}: there is no section {section}, which {needs} names")]
    NoSection {
        /// Its path.
        file: String,
        /// The section.
        section: String,
        /// The key whose value it is.
        needs: &'static str,
    },
    /// A section is not for this mechanism.
    #[error("{file}:{line}: {class} can't be used in the section {section}: {advice}")]
    Module {
        /// Its path.
        file: String,
        /// Where.
        line: usize,
        /// The Java class.
        class: String,
        /// The section.
        section: String,
        /// What to do.
        advice: &'static str,
    },
    /// The section of who connects says nothing of who that is.
    #[error(
        "{file}: the section {section} needs username=\"...\" and password=\"...\": they say who \
         connects from here"
    )]
    NoCredentials {
        /// Its path.
        file: String,
        /// The section.
        section: String,
    },
}

/// The JAAS file of a configuration, read.
struct File {
    path: String,
    jaas: Jaas,
}

impl File {
    fn of(auth: &Auth) -> Result<Option<File>, JaasError> {
        auth.login_config.as_deref().map(File::read).transpose()
    }

    fn read(path: &Path) -> Result<File, JaasError> {
        Ok(File {
            path: path.display().to_string(),
            jaas: Jaas::read(path)?,
        })
    }

    /// The modules of a section, if it is there and made for DIGEST-MD5.
    fn section(&self, name: &str) -> Result<Option<&[Module]>, SaslError> {
        let Some(modules) = self.jaas.section(name) else {
            return Ok(None);
        };
        if let Some(module) = modules.iter().find(|module| !module.is_digest()) {
            return Err(SaslError::Module {
                file: self.path.clone(),
                line: module.line,
                class: module.class.clone(),
                section: name.to_owned(),
                advice: if module.class.contains("Krb5") {
                    "Kerberos is not built in; use org.apache.zookeeper.server.auth.DigestLoginModule"
                } else {
                    "a Java class can't be loaded; use \
                     org.apache.zookeeper.server.auth.DigestLoginModule"
                },
            });
        }
        Ok(Some(modules))
    }

    fn needed(&self, name: &str, needs: &'static str) -> Result<&[Module], SaslError> {
        self.section(name)?.ok_or_else(|| SaslError::NoSection {
            file: self.path.clone(),
            section: name.to_owned(),
            needs,
        })
    }
}

/// The users that clients may be; `None` if the configuration has no SASL for clients, which is the
/// case without a JAAS file, or when the file has no section for them.
///
/// # Errors
/// The file can't be read or its section is for another mechanism.
pub fn client_users(auth: &Auth) -> Result<Option<Arc<Users>>, SaslError> {
    let Some(file) = File::of(auth)? else {
        return Ok(None);
    };
    let modules = if auth.server_section_is_set {
        Some(file.needed(&auth.server_section, "zookeeper.sasl.serverconfig")?)
    } else {
        file.section(&auth.server_section)?
    };
    let Some(modules) = modules else {
        return Ok(None);
    };
    let mut users = jaas::users(modules);
    // As in Apache: the property replaces a password, it brings no user.
    if let Some(password) = &auth.sasl_super_password
        && let Some(of_super) = users.0.get_mut(SUPER)
    {
        password.clone_into(of_super);
    }
    Ok(Some(Arc::new(users)))
}

/// How members prove themselves to each other; `None` without `quorum.auth.enableSasl`.
///
/// # Errors
/// There is no file, or it lacks what is needed.
pub fn quorum_login(auth: &Auth) -> Result<Option<Arc<quorum::Login>>, SaslError> {
    let Some(settings) = &auth.quorum_sasl else {
        return Ok(None);
    };
    let needs = "quorum.auth.enableSasl";
    let file = File::of(auth)?.ok_or(SaslError::NoFile { needs })?;
    let accepting = file.needed(
        &settings.server_section,
        "quorum.auth.server.saslLoginContext",
    )?;
    let connecting = file.needed(
        &settings.learner_section,
        "quorum.auth.learner.saslLoginContext",
    )?;
    let own = match (settings.learner_requires, jaas::credentials(connecting)) {
        (true, None) => {
            return Err(SaslError::NoCredentials {
                file: file.path,
                section: settings.learner_section.clone(),
            });
        }
        (true, own) => own,
        // Its word is not asked for.
        (false, _) => None,
    };
    Ok(Some(Arc::new(quorum::Login {
        users: Arc::new(jaas::users(accepting)),
        required: settings.server_requires,
        own,
    })))
}

/// Who a client of ours is to servers.
///
/// # Errors
/// The file can't be read, or its section is not there, is for another mechanism or says nobody.
pub fn client_login(settings: &ClientSasl) -> Result<Credentials, SaslError> {
    let file = File::read(&settings.login_config)?;
    let needs = "zookeeper.sasl.clientconfig, or its default,";
    let modules = file.needed(&settings.section, needs)?;
    jaas::credentials(modules).ok_or_else(|| SaslError::NoCredentials {
        section: settings.section.clone(),
        file: file.path,
    })
}

/// One client's exchange.
#[derive(Debug)]
pub struct ClientExchange(Option<Acceptor>);

impl ClientExchange {
    /// Nothing was said yet. Without users there is no SASL.
    #[must_use]
    pub fn new(users: Option<Arc<Users>>) -> ClientExchange {
        ClientExchange(users.map(|users| Acceptor::new(CLIENTS, users)))
    }

    /// What comes of a token.
    pub fn evaluate(&mut self, token: &[u8]) -> SaslOutcome {
        let Some(acceptor) = &mut self.0 else {
            return SaslOutcome::NotConfigured;
        };
        match acceptor.evaluate(token) {
            Ok(Answer::Challenge(token)) => SaslOutcome::Challenge(token.into()),
            // Who else the client wants to be is not asked, as in Apache: it is who it has proved to be.
            Ok(Answer::Complete { token, user, .. }) => {
                tracing::info!(user = %shown(&user), "a client has authenticated by SASL");
                SaslOutcome::Proved {
                    token: token.into(),
                    id: user.into(),
                }
            }
            Err(why) => {
                tracing::warn!(%why, "a client's SASL exchange failed");
                SaslOutcome::Failed
            }
        }
    }
}

impl From<Refused> for std::io::Error {
    fn from(why: Refused) -> Self {
        std::io::Error::new(std::io::ErrorKind::PermissionDenied, why)
    }
}

#[cfg(test)]
mod tests;

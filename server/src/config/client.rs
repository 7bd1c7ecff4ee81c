//! What a client of Apache's is told, by the file of `-client-configuration` and by `-D` in the
//! environment variable CLIENT_JVMFLAGS: TLS and SASL.

use super::{
    ConfigError, Origin, ReadFile, Tls, build, properties, read_bounded, settings::Settings,
};
use std::path::{Path, PathBuf};

/// The section of the JAAS file, unless another is named.
const SECTION: &str = "Client";

/// How a client is to speak to servers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientSettings {
    /// TLS (`zookeeper.ssl.…`), if `zookeeper.client.secure` asks for it.
    pub tls: Option<Tls>,
    /// SASL, if there is a JAAS file and `zookeeper.sasl.client` does not switch it off.
    pub sasl: Option<ClientSasl>,
}

/// Where a client's own name and password stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientSasl {
    /// The JAAS file (`java.security.auth.login.config`).
    pub login_config: PathBuf,
    /// Its section (`zookeeper.sasl.clientconfig`).
    pub section: String,
}

/// Reads what there is of both; the file goes before the flags, as in Apache. Keys that are for neither
/// TLS nor SASL have no effect.
///
/// # Errors
/// Everything that is wrong with it.
pub fn client_settings(
    file: Option<&Path>,
    jvm_flags: Option<&str>,
) -> Result<ClientSettings, ConfigError> {
    read_with(file, jvm_flags, &read_bounded)
}

pub(super) fn read_with(
    file: Option<&Path>,
    jvm_flags: Option<&str>,
    read: ReadFile<'_>,
) -> Result<ClientSettings, ConfigError> {
    let mut s = Settings::default();
    // Also of keys that are a client's alone, which the table does not know; the last one counts.
    let mut said: Vec<(String, String)> = Vec::new();
    if let Some(flags) = jvm_flags {
        s.add_jvm_flags(flags);
        let words = properties::words(flags);
        let set = words.iter().filter_map(|w| w.strip_prefix("-D"));
        said.extend(set.map(|d| {
            let (key, value) = d.split_once('=').unwrap_or((d, ""));
            (key.to_owned(), value.to_owned())
        }));
    }
    if let Some(path) = file {
        let bytes = match read(path) {
            Ok(bytes) => bytes,
            Err(error) => {
                let (what, todo) = (
                    format!("can't be read: {error}"),
                    "check the path and its rights",
                );
                s.error(Origin::File(path.to_owned()), "", what, todo);
                return Err(ConfigError { problems: s.errors });
            }
        };
        let (entries, _) = properties::parse(&bytes);
        said.extend(entries.into_iter().map(|e| (e.key, e.value)));
        s.add_file(path, &bytes);
    }
    s.check();
    let tls = build::tls_of_clients(&mut s);
    if !s.errors.is_empty() {
        for problem in &mut s.errors {
            if problem.origin == Origin::JvmFlags {
                problem.origin = Origin::ClientJvmFlags;
            }
        }
        return Err(ConfigError { problems: s.errors });
    }
    let value = |key: &str| {
        let found = said.iter().rev().find(|(name, _)| name == key);
        found.map(|(_, value)| value.trim())
    };
    // Java's Boolean.parseBoolean.
    let flag = |key, default| value(key).map_or(default, |v| v.eq_ignore_ascii_case("true"));
    let section = value("zookeeper.sasl.clientconfig").filter(|section| !section.is_empty());
    let sasl = s
        .text("java.security.auth.login.config")
        .filter(|_| flag("zookeeper.sasl.client", true))
        .map(|file| ClientSasl {
            login_config: file.into(),
            section: section.unwrap_or(SECTION).to_owned(),
        });
    Ok(ClientSettings {
        tls: flag("zookeeper.client.secure", false).then_some(tls),
        sasl,
    })
}

#[cfg(test)]
mod tests;

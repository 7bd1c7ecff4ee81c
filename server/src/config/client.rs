//! The file of `-client-configuration`: what a client of Apache's is told about TLS.

use super::{
    ConfigError, Origin, ReadFile, Tls, build, properties, read_bounded, settings::Settings,
};
use std::path::Path;

/// TLS as such a file says it with Apache's keys (`zookeeper.client.secure`, `zookeeper.ssl.…`); `None`
/// if it does not ask for TLS. What it says besides is not looked at.
///
/// # Errors
/// Everything that is wrong with it.
pub fn client_tls(path: &Path) -> Result<Option<Tls>, ConfigError> {
    read_with(path, &read_bounded)
}

pub(super) fn read_with(path: &Path, read: ReadFile<'_>) -> Result<Option<Tls>, ConfigError> {
    let mut s = Settings::default();
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
    let said = entries
        .iter()
        .rev()
        .find(|e| e.key == "zookeeper.client.secure");
    s.add_file(path, &bytes);
    s.check();
    let tls = build::tls_of_clients(&mut s);
    match said.map(|e| e.value.to_lowercase()).as_deref() {
        _ if !s.errors.is_empty() => Err(ConfigError { problems: s.errors }),
        Some("true") => Ok(Some(tls)),
        Some(_) | None => Ok(None),
    }
}

//! What a command is told of how to speak to servers: `--client-configuration` and CLIENT_JVMFLAGS.

use crate::{
    config::{ClientSettings, ConfigError, client_settings},
    net::tls::{Context, Sides, TlsError},
};
use std::{env, path::Path, sync::Arc};

/// What the file and the environment say; the file goes before.
///
/// # Errors
/// Everything that is wrong with it.
pub fn settings(file: Option<&Path>) -> Result<ClientSettings, ConfigError> {
    let flags = env::var("CLIENT_JVMFLAGS").ok();
    client_settings(file, flags.as_deref())
}

/// Keys and trust, if there is to be TLS.
///
/// # Errors
/// What is wrong with the stores.
pub fn tls(settings: &ClientSettings) -> Result<Option<Arc<Context>>, TlsError> {
    let sides = Sides {
        server: false,
        client: true,
    };
    let tls = settings.tls.as_ref();
    tls.map(|tls| Context::load(tls, "ssl.", sides)).transpose()
}

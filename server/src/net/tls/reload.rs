//! Stores that change while the server runs (`client.certReload`, `sslQuorumReloadCertFiles`).

use super::Context;
use crate::config::Store;
use std::{
    fs,
    path::PathBuf,
    sync::{Arc, Weak},
    time::{Duration, SystemTime},
};

/// How often their files are looked at.
const LOOK: Duration = Duration::from_secs(5);

impl Context {
    /// Reads the stores again when their files have changed, as long as somebody uses them, if the
    /// settings want that. Called on the runtime.
    pub fn keep_up(self: &Arc<Self>) {
        if self.settings.reload {
            tokio::spawn(follow(Arc::downgrade(self), LOOK));
        }
    }
}

/// What is compared: when each file was changed, and its size.
type Seen = Vec<Option<(SystemTime, u64)>>;

pub(super) async fn follow(context: Weak<Context>, pause: Duration) {
    let Some(files) = context.upgrade().map(|context| files(&context)) else {
        return;
    };
    let mut known = look(&files);
    loop {
        tokio::time::sleep(pause).await;
        let Some(context) = context.upgrade() else {
            return;
        };
        let seen = look(&files);
        // Half written or just away: next time.
        if seen == known || seen.contains(&None) {
            continue;
        }
        match context.load_again() {
            Ok(()) => tracing::info!("certificates were read again: their files have changed"),
            Err(error) => tracing::warn!("the certificates stay as they were: {error}"),
        }
        known = seen;
    }
}

fn files(context: &Context) -> Vec<PathBuf> {
    let settings = context.settings();
    let stores = [&settings.key_store, &settings.trust_store];
    let of = |store: &Store| [Some(store.location.clone()), store.password_path.clone()];
    stores
        .into_iter()
        .flatten()
        .flat_map(of)
        .flatten()
        .collect()
}

fn look(files: &[PathBuf]) -> Seen {
    let one = |path: &PathBuf| {
        let about = fs::metadata(path).ok()?;
        Some((about.modified().ok()?, about.len()))
    };
    files.iter().map(one).collect()
}

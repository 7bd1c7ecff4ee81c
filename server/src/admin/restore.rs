//! `POST /commands/restore`: an operator's snapshot takes the place of this server's tree.
//!
//! The upload is decoded as it comes, on a thread of its own, into a tree beside the living one; only a
//! tree that came whole, with right seals and the digest that it says it has, is handed to the node.

use super::{Admin, Caller, Command, answer};
use crate::{
    audit,
    disk::{self, StorageError},
    http::{Cut, Request, Response, Upload},
    inspect::Restored,
};
use serde_json::Map;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{sync::mpsc, time::timeout};
use zabscope_core::{
    id::Zxid,
    peer::CannotRestore,
    tree::{Database, TtlOwners},
    wire::snapshot::{Form, Loader, Options, SnapshotError},
};

/// The largest upload: a tree takes a few times as much memory as its snapshot. Who has a larger one puts
/// it into the data directory.
const LARGEST: u64 = 4 << 30;
/// So many pieces may wait for the decoder.
const PIECES: usize = 4;
/// How fast an upload comes at least: only one is taken at a time.
const PACE: Pace = Pace {
    grace: Duration::from_secs(60),
    bytes_per_second: 64 << 10,
};
/// The only type that is taken: a page in somebody's browser can't send it unasked.
const TYPE: &str = "application/octet-stream";

/// How long an upload may take: so long, and a second more for so many bytes. The time that this server
/// needs for them does not count.
#[derive(Clone, Copy, Debug)]
struct Pace {
    grace: Duration,
    bytes_per_second: u64,
}

impl Pace {
    fn allows(self, taken: u64) -> Duration {
        self.grace + Duration::from_secs(taken / self.bytes_per_second)
    }
}

/// Why nothing was restored.
#[derive(Debug, thiserror::Error)]
enum Failed {
    #[error("{0}; nothing was changed")]
    Cut(#[from] Cut),
    #[error("an upload may have {LARGEST} bytes at most; nothing was changed")]
    TooLarge,
    #[error(
        "the upload was too slow: {taken} bytes in {}s, and others wait; nothing was changed",
        after.as_secs()
    )]
    Slow { taken: u64, after: Duration },
    #[error("the upload can't be restored: {0}; nothing was changed")]
    Bad(#[from] SnapshotError),
    #[error(
        "the upload can't be restored: it does not say its last zxid, as snapshots of ZooKeeper 3.9 do \
         (serializeLastProcessedZxid.enabled); nothing was changed"
    )]
    NoZxid,
    #[error(
        "the upload can't be restored: {0} znodes in it have no access control list, which only its \
         log could give them; nothing was changed"
    )]
    WithoutAcl(usize),
    #[error(
        "the upload can't be restored: its digest is {said:#x} and that of its znodes is \
         {found:#x}; nothing was changed"
    )]
    Digest { said: u64, found: u64 },
    #[error("the upload could not be decoded: the thread that did it ended; nothing was changed")]
    Thread,
    #[error("{0}; nothing was changed")]
    Refused(#[from] CannotRestore),
    #[error("there is no room for the tree: {0}; nothing was changed")]
    Room(#[from] StorageError),
    #[error("this server does not answer: whether the snapshot was restored its log says")]
    Silent,
}

impl Failed {
    const fn status(&self) -> u16 {
        match self {
            Failed::Cut(_)
            | Failed::Bad(_)
            | Failed::NoZxid
            | Failed::WithoutAcl(_)
            | Failed::Digest { .. } => 400,
            Failed::Slow { .. } => 408,
            Failed::TooLarge => 413,
            Failed::Refused(CannotRestore::NotServing) => 503,
            Failed::Refused(_) => 409,
            Failed::Room(_) => 507,
            Failed::Thread | Failed::Silent => 500,
        }
    }
}

impl Admin {
    pub(super) async fn restore(
        &self,
        request: &Request,
        body: &mut Upload<'_>,
        caller: &Caller,
    ) -> Response {
        let name = Command::Restore.name();
        let no = |status, why: &str| answer(status, name, Some(why), Map::new());
        if !self.settings.restore {
            return no(503, "restore is switched off (admin.restore.enabled)");
        }
        if !self.inspector.config.storage.serialize_last_processed_zxid {
            return no(500, super::NEEDS_ZXID);
        }
        let given = request.content_type.as_deref().unwrap_or(TYPE);
        let plain = given.split(';').next().unwrap_or_default().trim();
        if !plain.eq_ignore_ascii_case(TYPE) {
            let why = format!("send the snapshot as it is, with Content-Type: {TYPE}");
            return no(415, &why);
        }
        let metrics = &self.inspector.metrics;
        // Held to the end: two at a time would only take twice the memory.
        let Ok(mut last) = self.last_restore.try_lock() else {
            metrics.restore_rate_limited_count.one();
            return no(429, "a snapshot is being restored already");
        };
        let wait = self.settings.rate_limit;
        if last.is_some_and(|at: Instant| at.elapsed() < wait) {
            metrics.restore_rate_limited_count.one();
            let why = format!(
                "a snapshot was restored less than {} s ago (admin.rateLimiterIntervalInMS)",
                wait.as_secs_f64()
            );
            return no(429, &why);
        }
        let (began, from) = (Instant::now(), caller.address);
        let user = audit::users(&caller.ids);
        let result = self.take_and_restore(body).await;
        if self.inspector.config.service.audit {
            audit::of_restore(&user, from, result.is_ok());
        }
        match result {
            Ok(zxid) => {
                // What failed has changed nothing and need not be waited for.
                *last = Some(Instant::now());
                let took = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
                metrics.restore_time.add(took);
                tracing::warn!(
                    user,
                    %from,
                    "a snapshot was restored over HTTP; this server goes on at {zxid}"
                );
                let mut members = Map::new();
                members.insert("last_zxid".into(), zxid.0.into());
                answer(200, name, None, members)
            }
            Err(failed) => {
                metrics.restore_error_count.one();
                tracing::warn!(
                    user,
                    %from,
                    "a snapshot was not restored over HTTP: {failed}"
                );
                no(failed.status(), &failed.to_string())
            }
        }
    }

    async fn take_and_restore(&self, body: &mut Upload<'_>) -> Result<Zxid, Failed> {
        if body.announced().is_some_and(|n| n > LARGEST) {
            return Err(Failed::TooLarge);
        }
        self.may_restore().await?;
        let config = &self.inspector.config.core;
        let options = Options {
            limit: config.txn_limit(),
            ttls: TtlOwners::of(config),
        };
        let (pieces, received) = mpsc::channel(PIECES);
        let decoder = tokio::task::spawn_blocking(move || decode(received, options));
        let sent = send(body, pieces, LARGEST, PACE).await;
        // The decoder's complaint comes first: because of it nothing more was taken.
        let decoded = decoder.await.map_err(|_| Failed::Thread)?;
        let database = match (sent, decoded) {
            (Ok(()), decoded) => decoded?,
            (Err(cut), Ok(_) | Err(Failed::Bad(SnapshotError::Short { .. }))) => return Err(cut),
            (Err(_), Err(bad)) => return Err(bad),
        };
        let database = Arc::new(database);
        let of_node = Arc::clone(&database);
        let refused = self.inspector.ask(move |v| v.peer.restored_as(&of_node));
        refused.await.unwrap_or(Err(CannotRestore::NotServing))?;
        // The node gives its tree up before the new one is on disk: a disk that is full is found out now.
        let (config, tree) = (Arc::clone(&self.inspector.config), Arc::clone(&database));
        let room = tokio::task::spawn_blocking(move || disk::make_room(&config, &tree)).await;
        let room = room.map_err(|_| Failed::Thread)??;
        let restored = self.inspector.restore(database).await;
        drop(room);
        match restored {
            Restored::At(zxid) => Ok(zxid),
            Restored::Not(why) => Err(why.into()),
            Restored::Unknown => Err(Failed::Silent),
        }
    }
}

impl Admin {
    /// What would be refused whatever comes is refused before it comes.
    async fn may_restore(&self) -> Result<(), Failed> {
        let refused = self.inspector.ask(|view| {
            let changes = view.peer.config().next.is_some();
            let busy = changes.then_some(CannotRestore::Reconfiguring);
            match view.peer.serving() {
                true => busy,
                false => Some(CannotRestore::NotServing),
            }
        });
        match refused.await {
            Some(None) => Ok(()),
            Some(Some(why)) => Err(why.into()),
            None => Err(CannotRestore::NotServing.into()),
        }
    }
}

/// Hands the upload over, until it ends or the decoder wants no more.
async fn send(
    body: &mut Upload<'_>,
    pieces: mpsc::Sender<Vec<u8>>,
    most: u64,
    pace: Pace,
) -> Result<(), Failed> {
    let (mut taken, mut waited) = (0, Duration::ZERO);
    loop {
        let began = Instant::now();
        let left = pace.allows(taken).saturating_sub(waited);
        let Ok(piece) = timeout(left, body.piece()).await else {
            let after = waited + began.elapsed();
            return Err(Failed::Slow { taken, after });
        };
        waited += began.elapsed();
        let Some(piece) = piece? else {
            return Ok(());
        };
        taken += piece.len() as u64;
        if taken > most {
            return Err(Failed::TooLarge);
        }
        if pieces.send(piece).await.is_err() {
            return Ok(());
        }
    }
}

fn decode(mut pieces: mpsc::Receiver<Vec<u8>>, options: Options) -> Result<Database, Failed> {
    let mut loader = Loader::new(Form::FILE, options);
    while let Some(piece) = pieces.blocking_recv() {
        loader.feed(&piece)?;
    }
    let mut loaded = loader.finish(Zxid::ZERO)?;
    let zxid = loaded.last_zxid.ok_or(Failed::NoZxid)?;
    if loaded.without_acl > 0 {
        return Err(Failed::WithoutAcl(loaded.without_acl));
    }
    let found = loaded.database.digest();
    // One of a later zxid is of a tree that went on while it was written.
    if let Some((at, said)) = loaded.digest
        && at == zxid
        && said != found
    {
        return Err(Failed::Digest { said, found });
    }
    loaded.database.last_processed = zxid;
    Ok(loaded.database)
}

#[cfg(test)]
mod tests;

//! What is on disk, what is in the log, and the witnesses that an ACK needs.

use crate::{id::Epoch, tree::Database, txn::Txn};
use std::sync::Arc;

/// What a driver found on disk when a server starts, or after a truncation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// The newest valid snapshot; a fresh database if there is none.
    pub snapshot: Arc<Database>,
    /// Every transaction of the log that is still there, in order, those before the snapshot too.
    pub log: Vec<Arc<Txn>>,
    /// File acceptedEpoch.
    pub accepted_epoch: Option<Epoch>,
    /// File currentEpoch.
    pub current_epoch: Option<Epoch>,
    /// False for a disk that was lost: the server takes part in elections without a say (4.8).
    pub initialised: bool,
}

impl Stored {
    /// The disk of a server that starts for the first time.
    #[must_use]
    pub fn fresh() -> Stored {
        Stored {
            snapshot: Arc::new(Database::new()),
            log: Vec::new(),
            accepted_epoch: None,
            current_epoch: None,
            initialised: true,
        }
    }
}

/// What a driver found in the log for a learner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogRead {
    /// Transactions in order to the end of the log, beginning with the last one at or before the
    /// zxid asked for; if the log begins later, with its first.
    pub entries: Vec<Arc<Txn>>,
    /// Size of the newest snapshot in bytes (for `snapshotSizeFactor`).
    pub snapshot_bytes: u64,
}

//! Which old files may go (ZooKeeper.md 4.9).

use super::{error::StorageError, recover::Place, recover::start, snapshots};
use std::path::PathBuf;

/// Fewer are never kept.
const LEAST: usize = 3;

/// Snapshots first: then what is left of the logs reaches back at least to the oldest snapshot,
/// wherever it is interrupted.
pub(super) fn purge(place: Place<'_>, retain: usize) -> Result<Vec<PathBuf>, StorageError> {
    let all = place.dirs.list_snapshots(place.files)?;
    let kept = all
        .iter()
        .rev()
        .filter(|named| snapshots::is_whole(place.files, named))
        .nth(retain.max(LEAST) - 1);
    let Some(oldest) = kept.map(|named| named.zxid) else {
        return Ok(Vec::new());
    };
    let mut removed = Vec::new();
    for old in all.iter().filter(|named| named.zxid < oldest) {
        place.remove(&old.path)?;
        removed.push(old.path.clone());
    }
    place.sync(&place.dirs.snapshots())?;
    let logs = place.dirs.list_logs(place.files)?;
    for old in &logs[..start(&logs, oldest).min(logs.len())] {
        place.remove(&old.path)?;
        removed.push(old.path.clone());
    }
    place.sync(&place.dirs.logs())?;
    Ok(removed)
}

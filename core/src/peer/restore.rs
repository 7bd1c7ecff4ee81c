//! An operator's tree takes the place of a server's own.

use super::{Output, Peer, event::ElectionReason};
use crate::{
    id::{Epoch, Zxid},
    tree::Database,
};

/// Why a snapshot can't take the place of a server's tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CannotRestore {
    /// There is nothing to be replaced while it is being replaced already.
    #[error("this server serves nobody: wait until it has a leader")]
    NotServing,
    /// Nothing could follow it.
    #[error("the snapshot's last zxid is {0}, after which no server can go on")]
    NoZxidFollows(Zxid),
    /// Which members hold is open.
    #[error("the members of the ensemble are being changed: wait until that is done")]
    Reconfiguring,
    /// It goes further than the ensemble.
    #[error(
        "the snapshot ends at {snapshot} and this ensemble is at {here}: zxids would run backwards. \
         Stop all servers, put the snapshot into dataDir/version-2 of each in place of what is there, \
         and start them"
    )]
    Ahead {
        /// Where the snapshot ends.
        snapshot: Zxid,
        /// Where this server is.
        here: Zxid,
    },
}

impl Peer {
    /// An operator's tree replaces ours, sessions included; the log goes on behind it. The role ends: who
    /// was connected comes back and sees the new tree from its beginning, and no proposal that was checked
    /// against the old one is applied to it.
    pub(super) fn restore(
        &mut self,
        database: &Database,
        out: &mut Output,
    ) -> Result<(), ElectionReason> {
        let Ok(zxid) = self.restored_as(database) else {
            return Ok(());
        };
        self.me.stop_serving(out);
        self.me.restore(database, zxid, out);
        Err(ElectionReason::Restored { zxid })
    }

    /// The zxid at which this tree would take the place of ours
    /// ([`InputKind::Restore`](super::input::InputKind::Restore)): zxids never run backwards, so it is not
    /// before the last transaction here, whose place it takes too. Only a server of its own takes over a
    /// later one: in an ensemble the leader numbers transactions, not a snapshot.
    ///
    /// # Errors
    /// [`CannotRestore`]; nothing would change.
    pub fn restored_as(&self, database: &Database) -> Result<Zxid, CannotRestore> {
        if !self.me.serving {
            return Err(CannotRestore::NotServing);
        }
        if self.me.cfg.next.is_some() {
            return Err(CannotRestore::Reconfiguring);
        }
        let (snapshot, here) = (database.last_processed, self.me.log.last_logged());
        if !(Epoch(0)..Epoch(i64::from(i32::MAX))).contains(&snapshot.epoch()) {
            return Err(CannotRestore::NoZxidFollows(snapshot));
        }
        if self.me.cfg.standalone {
            return Ok(snapshot.max(here));
        }
        if snapshot > self.me.last_zxid() {
            let here = self.me.last_zxid();
            return Err(CannotRestore::Ahead { snapshot, here });
        }
        // The beginning of an epoch is no transaction, and no leader finds it in its log.
        Ok(here)
    }
}

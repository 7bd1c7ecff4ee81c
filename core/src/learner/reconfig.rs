//! A learner and the members that change (ZooKeeper.md 3.5, 3.9): it takes them from NEWLEADER and from
//! COMMITANDACTIVATE, and goes to look for its leader again when its role or the leader is another.

use super::{Learner, Verdict};
use crate::{
    config::Next,
    id::{ServerId, Zxid},
    peer::{event::ElectionReason, output::Output},
    pipeline::reconfig,
    replica::Replica,
    txn::TxnBody,
};
use std::sync::Arc;

impl Learner {
    /// NEWLEADER: these members are the last that the leader has seen.
    pub(super) fn see_offered(
        &mut self,
        me: &mut Replica,
        members: Option<Arc<str>>,
        out: &mut Output,
    ) {
        let text = members.filter(|_| me.cfg.reconfigures());
        self.offered = text.and_then(|text| reconfig::read(text.as_bytes()));
        if let Some(offered) = &self.offered {
            me.see_members(offered.clone(), out);
        }
    }

    /// UPTODATE: a quorum knows them, so they hold.
    ///
    /// # Errors
    /// This server is something else in them, or its leader does not lead them.
    pub(super) fn activate_offered(&mut self, me: &mut Replica, out: &mut Output) -> Verdict {
        match self.offered.take() {
            Some(offered) => {
                let newer = offered.membership.version > me.cfg.membership.version;
                let verdict = self.change(me, &offered, None, out);
                if newer {
                    me.write_members();
                }
                verdict
            }
            None => Ok(()),
        }
    }

    /// A reconfiguration was committed while we synchronise; it waits among what is not logged yet.
    ///
    /// # Errors
    /// As [`Learner::activate_offered`].
    pub(super) fn activate_held(
        &mut self,
        me: &mut Replica,
        designated: ServerId,
        out: &mut Output,
    ) -> Verdict {
        let held = self.pending_committed.checked_sub(1);
        let txn = held.and_then(|at| self.pending.get(at));
        let text = txn.and_then(|txn| match &txn.body {
            TxnBody::Reconfig { data, .. } => data.clone(),
            _ => None,
        });
        let next = text.filter(|_| me.cfg.reconfigures());
        match next.and_then(|text| reconfig::read(&text)) {
            Some(next) => self.change(me, &next, Some(designated), out),
            None => Ok(()),
        }
    }

    /// COMMITANDACTIVATE, INFORMANDACTIVATE: what was logged as members to come holds.
    ///
    /// # Errors
    /// As [`Learner::activate_offered`].
    pub(super) fn activate(
        &mut self,
        me: &mut Replica,
        zxid: Zxid,
        designated: ServerId,
        out: &mut Output,
    ) -> Verdict {
        // None where reconfigEnabled is off, which takes it for an ordinary commit.
        let next = me.cfg.next.clone();
        match next.filter(|n| n.membership.version == zxid) {
            Some(next) => self.change(me, &next, Some(designated), out),
            None => Ok(()),
        }
    }

    fn change(
        &mut self,
        me: &mut Replica,
        next: &Next,
        designated: Option<ServerId>,
        out: &mut Output,
    ) -> Verdict {
        me.activate_members(next, out);
        let leads = match designated {
            Some(designated) => designated == self.leader,
            None => me.cfg.counts(self.leader),
        };
        if leads && self.observer == me.cfg.is_observer() {
            return Ok(());
        }
        let version = me.cfg.membership.version;
        Err(ElectionReason::Reconfigured { version })
    }
}

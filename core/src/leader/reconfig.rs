//! A leader and the members that change (ZooKeeper.md 1.13, 3.5, 3.9).
//!
//! From its proposal to its commit a reconfiguration is [`crate::config::Next`]: it, and what is proposed
//! after it, needs a quorum of the old members and one of the new. With its commit the new members hold,
//! and what is still open needs a quorum of them alone: whoever could lead without knowing of it would
//! need a quorum of the old, and finds one that has the reconfiguration in its log.

use super::{Leader, LeaderPhase, LearnerLink, LearnerStage, Outstanding, Verdict};
use crate::{
    config::Next,
    id::{ServerId, Zxid},
    message::QuorumMessage,
    peer::{event::ElectionReason, output::Output},
    pipeline::{prepare, reconfig},
    replica::Replica,
    request::Write,
    txn::{Txn, TxnBody},
};
use std::{collections::BTreeSet, sync::Arc};

impl Leader {
    /// What a write becomes. Of a reconfiguration only the leader knows whether it can be committed.
    pub(super) fn decide(
        &self,
        me: &Replica,
        write: &Write,
        context: &prepare::Context<'_>,
    ) -> TxnBody {
        let Write::Reconfig {
            joining,
            leaving,
            new_members,
            cur_config_id,
        } = write
        else {
            return prepare::prepare(&self.predicted, write, context);
        };
        let wish = reconfig::Wish {
            joining: joining.as_deref(),
            leaving: leaving.as_deref(),
            new_members: new_members.as_deref(),
            cur_config_id: *cur_config_id,
        };
        let synced = self.synced_ids(me);
        let decided = reconfig::decide(&self.predicted, wish, &synced, context);
        match decided {
            Ok(next) => TxnBody::Reconfig {
                data: Some(Arc::from(next.text.as_bytes())),
                version: -1,
            },
            Err(code) => TxnBody::Error(code),
        }
    }

    /// Who has the history and follows with its log: those whose ACK can be had.
    fn synced_ids(&self, me: &Replica) -> BTreeSet<ServerId> {
        let here = |l: &&LearnerLink| {
            !l.observer && matches!(l.stage, LearnerStage::Synced | LearnerStage::Serving)
        };
        let learners = self.learners.values().filter(here).map(|l| l.id);
        learners.chain([me.id()]).collect()
    }

    /// Before it offers its history: a configuration that no reconfiguration has made gets a version of its
    /// own, so that it is newer than what a server that wants to join was told at its start.
    pub(super) fn number_members(&self, me: &mut Replica, start: Zxid, out: &mut Output) {
        let unnumbered = me.cfg.membership.version == Zxid::ZERO && me.cfg.next.is_none();
        if me.cfg.reconfigures()
            && unnumbered
            && let Some(next) = reconfig::renumbered(&me.cfg, start)
        {
            me.see_members(next, out);
        }
    }

    /// What NEWLEADER says of the members. Before it is established the leader completes what it has found
    /// in its log; later a learner hears of what is under way by its proposal.
    pub(super) fn offered_members(&self, me: &Replica) -> Option<Arc<str>> {
        let next = me
            .cfg
            .next
            .as_ref()
            .filter(|_| self.phase != LeaderPhase::Established);
        let next = next.map(|n| Arc::clone(&n.text));
        next.or_else(|| crate::election::told_members(&me.cfg))
    }

    /// A quorum of all that count has the whole history: the members in it hold.
    ///
    /// # Errors
    /// This server may not lead them. Who was told to serve knows them, and elects another.
    pub(super) fn complete_members(&mut self, me: &mut Replica, out: &mut Output) -> Verdict {
        let Some(next) = me.cfg.next.clone() else {
            return Ok(());
        };
        let stays = stays(me, &next);
        let version = next.membership.version;
        me.activate_members(&next, out);
        me.write_members();
        match stays {
            true => Ok(()),
            false => Err(ElectionReason::Reconfigured { version }),
        }
    }

    /// Whether the front of the queue has its quorums.
    pub(super) fn is_ready(&self, me: &Replica, open: &Outstanding) -> bool {
        let has = |id| open.acks.contains(&id);
        let members = &me.cfg.membership.quorum;
        let next = me.cfg.next.as_ref().map(|n| &n.membership);
        // What was proposed before the reconfiguration is the old members' affair.
        let next = next.filter(|n| open.txn.zxid() >= n.version);
        members.contains_where(has) && next.is_none_or(|n| n.quorum.contains_where(has))
    }

    /// A reconfiguration is committed: the new members hold. Tells who is to lead them.
    pub(super) fn commit_members(
        &mut self,
        me: &mut Replica,
        txn: &Arc<Txn>,
        acks: &BTreeSet<ServerId>,
        out: &mut Output,
    ) -> Option<ServerId> {
        let next = me.cfg.next.clone()?;
        if next.membership.version != txn.zxid() {
            return None;
        }
        let designated = match stays(me, &next) {
            true => me.id(),
            false => self.most_recent(me.id(), &next, acks),
        };
        me.activate_members(&next, out);
        self.retired = designated != me.id();
        Some(designated)
    }

    /// Of the new voters that have it on disk, one with most of what is still open.
    fn most_recent(&self, me: ServerId, next: &Next, acks: &BTreeSet<ServerId>) -> ServerId {
        let voters = &next.membership.quorum;
        let mut candidates: Vec<ServerId> = acks.iter().copied().collect();
        candidates.retain(|id| *id != me && voters.weight(*id) > 0);
        let mut best = candidates.first().copied().unwrap_or(me);
        for open in &self.outstanding {
            candidates.retain(|id| open.acks.contains(id));
            match candidates.first() {
                Some(candidate) => best = *candidate,
                None => break,
            }
        }
        best
    }

    /// The packet that a learner gets for a committed transaction.
    pub(super) fn commit_packet(
        link: &LearnerLink,
        txn: &Arc<Txn>,
        designated: Option<ServerId>,
    ) -> QuorumMessage {
        let zxid = txn.zxid();
        match (link.observer, designated) {
            (false, None) => QuorumMessage::Commit { zxid },
            (true, None) => QuorumMessage::Inform(Arc::clone(txn)),
            (false, Some(designated)) => QuorumMessage::CommitAndActivate { zxid, designated },
            (true, Some(designated)) => QuorumMessage::InformAndActivate {
                txn: Arc::clone(txn),
                designated,
            },
        }
    }

    /// A leader that has handed over waits until its learners have left, so that a quorum of them has
    /// heard of the new members: then it looks for the one that leads now.
    ///
    /// # Errors
    /// They have left.
    pub(super) fn after_handing_over(&self, me: &Replica) -> Verdict {
        if !self.retired {
            return Ok(());
        }
        let with_us: BTreeSet<ServerId> = self.learners.values().map(|l| l.id).collect();
        match me.cfg.is_quorum(|id| with_us.contains(&id)) {
            true => Ok(()),
            false => Err(ElectionReason::Reconfigured {
                version: me.cfg.membership.version,
            }),
        }
    }
}

/// Whether this server leads the members to come: it votes there too, and is found where it was.
fn stays(me: &Replica, next: &Next) -> bool {
    let old = me.cfg.members_text.as_deref().unwrap_or_default();
    next.membership.quorum.weight(me.id()) > 0 && reconfig::same_place(old, &next.text, me.id())
}

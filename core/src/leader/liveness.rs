//! Who is alive: sessions, learners, the quorum itself; and what the leader does when time passes
//! (ZooKeeper.md 1.4, 1.14, 3.7).

use super::{Leader, LeaderPhase, LearnerLink, LearnerStage, Verdict, tally};
use crate::{
    id::{ConnId, SessionId},
    message::QuorumMessage,
    peer::event::{DropReason, ElectionReason, EventKind, Phase},
    peer::output::Output,
    replica::Replica,
    request::Write,
    time::{Moment, Now},
};
use std::{collections::BTreeSet, sync::Arc};

impl Leader {
    /// A session of this server's own client is alive: true if it may attach here.
    pub(crate) fn revalidate_here(
        &mut self,
        now: Now,
        me: &Replica,
        session: SessionId,
        timeout_ms: i32,
        out: &mut Output,
    ) -> bool {
        let valid = self
            .sessions
            .revalidate(now.at, session, timeout_ms, me.id());
        out.emit(EventKind::SessionValidated {
            session,
            at: me.id(),
            valid,
        });
        valid
    }

    /// A client of this server was heard.
    pub(crate) fn touch_here(&mut self, now: Now, me: &mut Replica) {
        me.clients.drain_touched(|session, timeout_ms| {
            self.sessions.touch(now.at, session, Some(timeout_ms));
        });
    }

    /// A deadline has come.
    pub(crate) fn on_timer(&mut self, now: Now, me: &mut Replica, out: &mut Output) -> Verdict {
        if self.phase != LeaderPhase::Established {
            return if now.at >= self.phase_deadline {
                let phase = match self.phase {
                    LeaderPhase::CollectingInfo | LeaderPhase::CollectingEpochAcks => {
                        Phase::Discovery
                    }
                    LeaderPhase::CollectingNewLeaderAcks | LeaderPhase::Established => {
                        Phase::Synchronisation
                    }
                };
                Err(ElectionReason::NoQuorumInTime { phase })
            } else {
                Ok(())
            };
        }
        if self.next_half_tick.is_some_and(|at| now.at >= at) {
            out.scoped(|out| self.half_tick(now, me, out))?;
        }
        while let Some((session, timeout_ms)) = self.sessions.expire(now.at) {
            out.scoped(|out| {
                out.because(EventKind::SessionExpired {
                    session,
                    timeout_ms,
                });
                self.propose_write(now, me, session, 0, &Write::CloseSession, &[], out)
            })?;
        }
        if now.at >= self.next_container_check {
            self.next_container_check = now.at + me.cfg.container_check_interval;
            let never_used = me.cfg.container_max_never_used;
            let never_used = never_used.map(|t| i64::try_from(t.as_millis()).unwrap_or(i64::MAX));
            let found = me.db.tree.reapable(now.wall_ms, never_used);
            let found: Vec<Arc<str>> = found.take(me.cfg.container_limit()).cloned().collect();
            for path in found {
                out.scoped(|out| {
                    out.because(EventKind::ContainerFound {
                        path: Arc::clone(&path),
                    });
                    let write = Write::DeleteContainer { path };
                    self.propose_write(now, me, SessionId::NONE, 0, &write, &[], out)
                })?;
            }
        }
        Ok(())
    }

    fn half_tick(&mut self, now: Now, me: &mut Replica, out: &mut Output) -> Verdict {
        // A paused leader does not make up for the ticks it missed: it was not there to listen.
        self.next_half_tick = Some(Moment(now.at.0 + me.cfg.tick.0 / 2));
        self.half_ticks += 1;
        self.after_handing_over(me)?;
        if self.half_ticks.is_multiple_of(2) {
            self.tick += 1;
            self.check_learners(now, me, out);
            self.check_quorum(me, out)?;
        }
        let learners = u32::try_from(self.learners.values().filter(|l| l.is_forwarded()).count())
            .unwrap_or(u32::MAX);
        out.because(EventKind::PingsSent { learners });
        for (conn, link) in &self.learners {
            if link.is_forwarded() {
                out.send(
                    link.id,
                    *conn,
                    QuorumMessage::Ping {
                        zxid: self.last_proposed,
                    },
                );
            }
        }
        Ok(())
    }

    /// Gives up learners that are silent, or that do not acknowledge.
    fn check_learners(&mut self, now: Now, me: &Replica, out: &mut Output) {
        let verdict = |link: &LearnerLink| {
            let limit = if matches!(link.stage, LearnerStage::Synced | LearnerStage::Serving) {
                me.cfg.sync_span()
            } else {
                me.cfg.init_span()
            };
            let waited = now.at - link.last_heard;
            if waited > limit {
                return Some(DropReason::Silent { waited });
            }
            // Acknowledgements are due only from one that has the history.
            match link.unacked[0] {
                Some((zxid, sent))
                    if link.stage == LearnerStage::Serving
                        && now.at - sent > me.cfg.sync_span() =>
                {
                    Some(DropReason::ProposalUnacked { zxid })
                }
                Some(_) | None => None,
            }
        };
        let late: Vec<(ConnId, DropReason)> = self
            .learners
            .iter()
            .filter_map(|(c, l)| verdict(l).map(|why| (*c, why)))
            .collect();
        for (conn, because) in late {
            self.drop_learner(conn, because, out);
        }
    }

    fn check_quorum(&mut self, me: &Replica, out: &mut Output) -> Verdict {
        let mut in_time = BTreeSet::from([me.id()]);
        in_time.extend(
            self.learners
                .values()
                .filter(|l| self.tick <= l.tick_deadline)
                .map(|l| l.id),
        );
        let (in_time_count, need) = tally(&me.cfg, &in_time);
        out.emit(EventKind::QuorumChecked {
            in_time: in_time_count,
            need,
        });
        if me.cfg.is_quorum(|id| in_time.contains(&id)) {
            Ok(())
        } else {
            Err(ElectionReason::QuorumLost {
                in_time: in_time_count,
                need,
            })
        }
    }
}

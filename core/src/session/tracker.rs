//! Who is alive: the leader's table of sessions, their deadlines and their owners
//! (ZooKeeper.md 1.4). Only a leader expires sessions, and it does so by a transaction.

use crate::{
    id::{ServerId, SessionId},
    request::ErrorCode,
    time::{Moment, Span},
};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone, Debug)]
struct Tracked {
    timeout_ms: i32,
    /// The end of its bucket.
    deadline: Moment,
    /// The server that last created or revalidated it; `None` until the first request.
    owner: Option<ServerId>,
    /// Its closeSession is under way.
    closing: bool,
}

/// All sessions that a leader keeps alive or lets expire.
#[derive(Clone, Debug)]
pub struct SessionTracker {
    tick: Span,
    sessions: BTreeMap<SessionId, Tracked>,
    deadlines: BTreeSet<(Moment, SessionId)>,
}

impl SessionTracker {
    /// Every session gets its whole time-out again: while there was no leader nobody could be
    /// heard.
    #[must_use]
    pub fn new(
        tick: Span,
        now: Moment,
        sessions: impl Iterator<Item = (SessionId, i32)>,
    ) -> SessionTracker {
        let mut tracker = SessionTracker {
            tick: Span(tick.0.max(1)),
            sessions: BTreeMap::new(),
            deadlines: BTreeSet::new(),
        };
        for (id, timeout_ms) in sessions {
            tracker.track(now, id, timeout_ms, None);
        }
        tracker
    }

    /// Deadlines are rounded up to the next tick, so that sessions expire in batches.
    fn bucket(&self, now: Moment, timeout_ms: i32) -> Moment {
        let end = now + Span::millis(u64::try_from(timeout_ms).unwrap_or(0));
        Moment((end.0 / self.tick.0 + 1).saturating_mul(self.tick.0))
    }

    /// Begins to track a session, or gives it a new time-out.
    pub fn track(&mut self, now: Moment, id: SessionId, timeout_ms: i32, owner: Option<ServerId>) {
        let deadline = self.bucket(now, timeout_ms);
        if let Some(old) = self.sessions.insert(
            id,
            Tracked {
                timeout_ms,
                deadline,
                owner,
                closing: false,
            },
        ) {
            self.deadlines.remove(&(old.deadline, id));
        }
        self.deadlines.insert((deadline, id));
    }

    /// Somebody heard from it; `timeout_ms` as its server has granted it, if it said so. False if it is
    /// not alive.
    pub fn touch(&mut self, now: Moment, id: SessionId, timeout_ms: Option<i32>) -> bool {
        let Some(tracked) = self.sessions.get_mut(&id).filter(|s| !s.closing) else {
            return false;
        };
        tracked.timeout_ms = timeout_ms.unwrap_or(tracked.timeout_ms);
        let timeout_ms = tracked.timeout_ms;
        let deadline = self.bucket(now, timeout_ms);
        if let Some(s) = self.sessions.get_mut(&id) {
            // A touch never shortens a life.
            if deadline > s.deadline {
                self.deadlines.remove(&(s.deadline, id));
                s.deadline = deadline;
                self.deadlines.insert((deadline, id));
            }
        }
        true
    }

    /// Whether it is in the table, alive or about to end.
    #[must_use]
    pub fn contains(&self, id: SessionId) -> bool {
        self.sessions.contains_key(&id)
    }

    /// Whether a write may come from this session through this server; takes the ownership if
    /// nobody has it yet.
    ///
    /// # Errors
    /// `SessionExpired` if it is not alive, `SessionMoved` if another server owns it.
    pub fn check(&mut self, id: SessionId, through: ServerId) -> Result<(), ErrorCode> {
        match self.sessions.get_mut(&id) {
            None => Err(ErrorCode::SessionExpired),
            Some(s) if s.closing => Err(ErrorCode::SessionExpired),
            Some(s) => match s.owner {
                None => {
                    s.owner = Some(through);
                    Ok(())
                }
                Some(owner) if owner == through => Ok(()),
                Some(_) => Err(ErrorCode::SessionMoved),
            },
        }
    }

    /// A client came with this session to `server`: if it is alive, that server owns it now.
    pub fn revalidate(
        &mut self,
        now: Moment,
        id: SessionId,
        timeout_ms: i32,
        server: ServerId,
    ) -> bool {
        let alive = self.touch(now, id, Some(timeout_ms));
        if let Some(s) = self.sessions.get_mut(&id).filter(|_| alive) {
            s.owner = Some(server);
        }
        alive
    }

    /// Its closeSession was proposed: it can't be touched or used any more.
    pub fn closing(&mut self, id: SessionId) {
        if let Some(s) = self.sessions.get_mut(&id) {
            s.closing = true;
            self.deadlines.remove(&(s.deadline, id));
        }
    }

    /// It is gone.
    pub fn remove(&mut self, id: SessionId) {
        if let Some(s) = self.sessions.remove(&id) {
            self.deadlines.remove(&(s.deadline, id));
        }
    }

    /// When the next session expires if nothing is heard.
    #[must_use]
    pub fn deadline(&self) -> Option<Moment> {
        self.deadlines.first().map(|(at, _)| *at)
    }

    /// Takes one session whose time has come.
    pub fn expire(&mut self, now: Moment) -> Option<(SessionId, i32)> {
        let (at, id) = *self.deadlines.first()?;
        if at > now {
            return None;
        }
        let timeout_ms = self.sessions.get(&id)?.timeout_ms;
        self.closing(id);
        Some((id, timeout_ms))
    }

    /// Forgets all of them.
    pub fn clear(&mut self) {
        self.sessions.clear();
        self.deadlines.clear();
    }

    /// How many it tracks.
    #[must_use]
    pub fn len(&self) -> usize {
        self.sessions.len()
    }

    /// Whether it tracks none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sessions.is_empty()
    }

    /// (session, time-out in ms, deadline, owner) for display, in order of id.
    pub fn iter(&self) -> impl Iterator<Item = (SessionId, i32, Moment, Option<ServerId>)> + '_ {
        self.sessions
            .iter()
            .map(|(id, s)| (*id, s.timeout_ms, s.deadline, s.owner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tracker() -> SessionTracker {
        SessionTracker::new(
            Span::millis(2000),
            Moment(0),
            [(SessionId(7), 4000)].into_iter(),
        )
    }

    #[test]
    fn a_deadline_is_rounded_up_to_the_next_tick() {
        assert_eq!(tracker().deadline(), Some(Moment(6_000_000)));
    }

    #[test]
    fn a_touch_postpones_the_deadline() {
        let mut t = tracker();
        assert!(t.touch(Moment(3_000_000), SessionId(7), None));
        assert_eq!(t.expire(Moment(6_000_000)), None);
        assert_eq!(t.expire(Moment(8_000_000)), Some((SessionId(7), 4000)));
    }

    #[test]
    fn the_time_out_granted_at_a_re_attach_is_the_one_that_counts() {
        let mut t = tracker();
        assert!(t.revalidate(Moment(0), SessionId(7), 40_000, ServerId(2)));
        assert_eq!(t.expire(Moment(40_000_000)), None);
        assert_eq!(t.expire(Moment(42_000_000)), Some((SessionId(7), 40_000)));
    }

    #[test]
    fn a_closing_session_cannot_be_touched_or_used() {
        let mut t = tracker();
        t.closing(SessionId(7));
        assert!(!t.touch(Moment(1), SessionId(7), None));
        assert_eq!(
            t.check(SessionId(7), ServerId(1)),
            Err(ErrorCode::SessionExpired)
        );
        assert_eq!(t.deadline(), None);
    }

    #[test]
    fn a_write_through_the_server_a_session_has_left_is_session_moved() {
        let mut t = tracker();
        assert_eq!(t.check(SessionId(7), ServerId(1)), Ok(()));
        assert!(t.revalidate(Moment(1), SessionId(7), 4000, ServerId(2)));
        assert_eq!(
            t.check(SessionId(7), ServerId(1)),
            Err(ErrorCode::SessionMoved)
        );
        assert_eq!(t.check(SessionId(7), ServerId(2)), Ok(()));
    }

    #[test]
    fn an_unknown_session_is_expired() {
        assert_eq!(
            tracker().check(SessionId(8), ServerId(1)),
            Err(ErrorCode::SessionExpired)
        );
    }
}

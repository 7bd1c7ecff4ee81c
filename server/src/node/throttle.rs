//! How many requests of clients may be under way in the peer: those beyond wait here, in their order
//! (Apache's RequestThrottler). All of them hold a permit of the gate, and go with their connection, which
//! gives it back: so the queue is bounded.

use super::Node;
use crate::config::RequestThrottle;
use std::{collections::VecDeque, time::Duration};
use zabscope_core::{
    id::ClientId,
    peer::input::InputKind,
    request::{ErrorCode, Request},
    time::Moment,
};

/// A request that may not begin yet.
#[derive(Debug)]
struct Waiting {
    client: ClientId,
    xid: i32,
    request: Request,
    since: Moment,
}

/// Who waits, and how many are under way.
#[derive(Debug)]
pub(super) struct Throttle {
    settings: RequestThrottle,
    waiting: VecDeque<Waiting>,
    under_way: usize,
}

impl Throttle {
    pub(super) fn new(settings: RequestThrottle) -> Throttle {
        Throttle {
            settings,
            waiting: VecDeque::new(),
            under_way: 0,
        }
    }

    fn most(&self) -> usize {
        usize::try_from(self.settings.max_requests).unwrap_or(usize::MAX)
    }

    /// Whether a request need not wait for those before it: without a limit, and for who says who it is,
    /// which is answered before what was asked earlier.
    pub(super) fn lets_pass(&self, request: &Request) -> bool {
        self.settings.max_requests == 0
            || matches!(request, Request::Auth { .. } | Request::Sasl { .. })
    }

    pub(super) fn wait(&mut self, client: ClientId, xid: i32, request: Request, since: Moment) {
        self.waiting.push_back(Waiting {
            client,
            xid,
            request,
            since,
        });
    }

    /// Nobody waits for what this client asked; how many requests that were.
    pub(super) fn forget(&mut self, client: ClientId) -> u64 {
        let before = self.waiting.len();
        self.waiting.retain(|waiting| waiting.client != client);
        (before - self.waiting.len()) as u64
    }

    /// Takes the end of this client's session out of the queue, if it waits there: its number.
    fn take_end_of(&mut self, client: ClientId) -> Option<i32> {
        let ends = |w: &Waiting| w.client == client && w.request == Request::CloseSession;
        let at = self.waiting.iter().position(ends)?;
        self.waiting.remove(at).map(|waiting| waiting.xid)
    }

    pub(super) fn begun(&mut self) {
        self.under_way += 1;
    }

    /// So many were answered, or nobody waits for them any more.
    pub(super) fn ended(&mut self, requests: usize) {
        self.under_way = self.under_way.saturating_sub(requests);
    }

    /// Whether anybody waits.
    pub(super) fn is_waited_at(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// When to look again whether somebody has waited for too long.
    pub(super) fn look_after(&self) -> Option<Duration> {
        (!self.waiting.is_empty()).then_some(self.settings.stall_time)
    }
}

impl Node {
    /// A client's connection is lost or given up. What of it waits is not carried out any more, but for the
    /// end of its session, which would else live on, with its ephemerals, until its time-out.
    pub(super) fn lose(&mut self, client: ClientId) {
        if let Some(xid) = self.throttle.take_end_of(client) {
            if let Some(known) = self.clients.get_mut(&client) {
                known.waiting -= 1;
            }
            self.begin(client, xid, Request::CloseSession);
        }
        if self.forget(client) {
            self.handle(InputKind::ClientGone { client });
        }
    }

    /// Whether nobody waits for the first in the queue any more.
    fn is_stale(&self, first: &Waiting, now: Moment) -> bool {
        let settings = &self.throttle.settings;
        if first.request == Request::CloseSession {
            return false;
        }
        let connection = self.peer.clients().connection(first.client);
        let limit = connection.and_then(|c| u64::try_from(c.timeout_ms()).ok());
        let waited = now.0.saturating_sub(first.since.0) / 1000;
        settings.stale_latency_check && limit.is_some_and(|limit| waited > limit)
    }

    /// As many as may begin do so.
    pub(super) fn let_in(&mut self) {
        while let Some(first) = self.throttle.waiting.front() {
            let now = self.clock.now().at;
            let stale = self.is_stale(first, now);
            let drop = stale && self.throttle.settings.drop_stale;
            if !drop && self.throttle.under_way >= self.throttle.most() {
                return;
            }
            let Some(first) = self.throttle.waiting.pop_front() else {
                return;
            };
            if drop {
                self.metrics.stale_requests_dropped.one();
                tracing::warn!(
                    client = first.client.0,
                    "closed: its request waited for longer than its session may be silent"
                );
                // Nothing that it asked later may be carried out either.
                self.lose(first.client);
                continue;
            }
            let Some(known) = self.clients.get_mut(&first.client) else {
                continue;
            };
            known.waiting -= 1;
            if stale {
                self.metrics.stale_requests.one();
            }
            let waited = Duration::from_micros(now.0.saturating_sub(first.since.0));
            let ms = u64::try_from(waited.as_millis()).unwrap_or(u64::MAX);
            self.metrics.request_throttle_queue_time_ms.add(ms);
            let too_long = self.throttle.settings.throttled_op_wait;
            let throttled = too_long.is_some_and(|limit| waited > limit)
                && !matches!(first.request, Request::Ping | Request::CloseSession);
            let request = if throttled {
                self.metrics.throttled_ops.one();
                // Answered in its turn like any other, and not carried out.
                Request::Refused {
                    opcode: 0,
                    body: [].into(),
                    code: ErrorCode::ThrottledOp,
                    close: false,
                }
            } else {
                first.request
            };
            self.begin(first.client, first.xid, request);
        }
    }
}

#[cfg(test)]
mod tests;

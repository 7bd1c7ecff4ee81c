//! A client's requests are answered in the order in which it sent them.

use super::{Invariant, Step, Violation};
use crate::{
    id::ClientId,
    peer::event::OpKind,
    sim::{ClientNo, WorldEventKind},
};
use std::collections::{BTreeMap, VecDeque};

#[derive(Debug)]
struct Open {
    conn: ClientId,
    requests: VecDeque<(i32, OpKind)>,
}

/// What each client waits for, in order.
#[derive(Debug, Default)]
pub struct SessionFifo {
    open: BTreeMap<ClientNo, Open>,
}

impl Invariant for SessionFifo {
    fn name(&self) -> &'static str {
        "session-fifo"
    }

    fn sentence(&self) -> &'static str {
        "A client gets its replies in the order of its requests."
    }

    fn source(&self) -> &'static str {
        "ZooKeeper.md 1.3, 1.5"
    }

    fn check(&mut self, step: &Step<'_>) -> Result<(), Violation> {
        for event in step.world() {
            match event {
                WorldEventKind::RequestSent {
                    client,
                    conn,
                    xid,
                    op,
                    ..
                } => {
                    let open = self.open.entry(*client).or_insert_with(|| Open {
                        conn: *conn,
                        requests: VecDeque::new(),
                    });
                    if open.conn != *conn {
                        open.conn = *conn;
                        open.requests.clear();
                    }
                    open.requests.push_back((*xid, *op));
                }
                WorldEventKind::ReplyReceived {
                    client,
                    server,
                    xid,
                    op,
                    ..
                } => {
                    let Some(open) = self.open.get_mut(client) else {
                        continue;
                    };
                    // Authentication does not queue (trap 10).
                    let auth = |op: &OpKind| *op == OpKind::Auth;
                    let at = match auth(op) {
                        true => open.requests.iter().position(|(_, op)| auth(op)),
                        false => open.requests.iter().position(|(_, op)| !auth(op)),
                    };
                    let answered = at.and_then(|at| open.requests.remove(at));
                    if answered != Some((*xid, *op)) {
                        return Err(Violation::new(self, step)
                            .with("client", client.0)
                            .with("gets from server", server)
                            .with("the reply to", format_args!("xid {xid} {op:?}"))
                            .with(
                                "while the oldest open request is",
                                answered.map_or_else(
                                    || "none".to_owned(),
                                    |(xid, op)| format!("xid {xid} {op:?}"),
                                ),
                            ));
                    }
                }
                WorldEventKind::ClientGaveUp { client, .. }
                | WorldEventKind::ClientExpired { client, .. }
                | WorldEventKind::ClientClosed { client, .. } => {
                    self.open.remove(client);
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn reset(&mut self) {
        *self = SessionFifo::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::invariant::testing::{caught, clean, lie};

    #[test]
    fn a_healthy_run_is_clean() {
        clean(SessionFifo::default());
    }

    #[test]
    fn a_reply_that_overtakes_another_is_found() {
        caught(
            SessionFifo::default(),
            lie(|log, _| {
                log.change_world(|e| match e {
                    WorldEventKind::ReplyReceived { xid, .. } if *xid > 2 => {
                        *xid += 1;
                        true
                    }
                    _ => false,
                })
            }),
        );
    }
}

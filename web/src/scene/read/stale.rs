//! What a read showed that was behind, and what it would show where everything is applied.

use super::text;
use crate::scene::sight::StaleRead;
use zabscope_core::{
    id::{ServerId, Zxid},
    request::{ErrorCode, Response},
    sim::{ClientNo, ClientPacket, Outcome, Seen, World},
    time::Moment,
    tree::Node,
    txn::Data,
};

/// A stale read, as the record of it says.
pub struct Stale {
    /// Who read.
    pub client: ClientNo,
    /// Where.
    pub server: ServerId,
    /// What.
    pub path: String,
    /// The last transaction that the server had applied.
    pub shown: Zxid,
    /// The last one that was committed.
    pub newest: Zxid,
    /// Transactions between.
    pub behind: u64,
}

type Answer = Result<Response, ErrorCode>;

impl Stale {
    /// With the values. `at` is when the server answered: the answer may still be under way.
    pub fn sight(&self, at: Moment, world: &World) -> StaleRead {
        let answer = self.under_way(world).or_else(|| self.arrived(at, world));
        let newest = world
            .servers()
            .filter_map(|v| v.peer)
            .max_by_key(|p| p.last_applied())
            .and_then(|p| p.database().tree.node(&self.path));
        let (shown_value, newest_value) = match answer {
            Some(answer) => (
                answer.as_ref().ok().and_then(shown),
                newest.and_then(|node| as_shown(node, answer)),
            ),
            None => (None, newest.and_then(|node| quoted(node.data()))),
        };
        StaleRead {
            client: self.client,
            server: self.server,
            path: Some(self.path.clone()),
            shown_value,
            shown: self.shown,
            newest_value,
            newest: self.newest,
            behind: self.behind,
        }
    }

    fn under_way<'a>(&self, world: &'a World) -> Option<&'a Answer> {
        world
            .client_flights()
            .filter(|f| f.client == self.client && f.server == self.server)
            .find_map(|f| match f.packet {
                ClientPacket::Reply(reply) if reply.zxid == self.shown => Some(&reply.result),
                _ => None,
            })
    }

    fn arrived<'a>(&self, at: Moment, world: &'a World) -> Option<&'a Answer> {
        let client = world.client(self.client)?;
        let since = client.observations.iter().rev();
        since
            .take_while(|o| o.at >= at)
            .filter_map(|o| match &o.seen {
                Seen::Answer {
                    request,
                    outcome: Outcome::Reply { result, .. },
                    ..
                } if request.path().map(|p| &**p) == Some(&*self.path) => Some(result),
                _ => None,
            })
            .last()
    }
}

/// What an answer shows of a znode, in a few characters.
fn shown(response: &Response) -> Option<String> {
    match response {
        Response::Data(data, _) => quoted(data),
        Response::Children(names) | Response::ChildrenStat(names, _) => {
            Some(listed(names.iter().map(|name| &**name)))
        }
        Response::Stat(stat) => Some(version(stat.version)),
        _ => None,
    }
}

/// What the same request would show of this node.
fn as_shown(node: &Node, answer: &Answer) -> Option<String> {
    match answer {
        Ok(Response::Children(_) | Response::ChildrenStat(..)) => {
            Some(listed(node.children().iter().map(|name| &**name)))
        }
        Ok(Response::Stat(_)) => Some(version(node.stat().version)),
        Ok(_) | Err(_) => quoted(node.data()),
    }
}

fn quoted(data: &Data) -> Option<String> {
    text(data).map(|text| format!("\"{text}\""))
}

fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    format!("[{}]", names.collect::<Vec<_>>().join(", "))
}

/// As ZooKeeper's own field is called.
fn version(version: i32) -> String {
    format!("dataVersion = {version}")
}

//! Two branches side by side: what they share, where they part, and what each led to.

use super::run::Run;
use std::sync::Arc;
use zabscope_core::{
    id::{Epoch, ServerId, Zxid},
    message::ServerState,
    peer::Peer,
    sim::{BranchNo, Record, World},
    time::Moment,
};

/// So many differences between the trees are named.
pub const DIFFERENCES: usize = 12;

/// What a branch led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Which.
    pub branch: BranchNo,
    /// The first fact that the other does not have, if there is one.
    pub first: Option<Record>,
    /// Its last step.
    pub end: u64,
    /// In virtual time.
    pub at: Moment,
    /// Who leads and serves at its end.
    pub leader: Option<ServerId>,
    /// Its epoch.
    pub epoch: Epoch,
    /// The newest transaction that is committed anywhere.
    pub committed: Zxid,
    /// Servers that run.
    pub up: usize,
    /// Of so many.
    pub servers: usize,
}

/// A znode that is not the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Where.
    pub path: Arc<str>,
    /// Its data on each side; `None`: it is not there.
    pub data: [Option<String>; 2],
}

/// Two branches side by side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// They share so many steps.
    pub shared: u64,
    /// Each.
    pub sides: [Outcome; 2],
    /// The first differences between the trees.
    pub tree: Vec<Difference>,
    /// How many there are in all.
    pub differences: usize,
}

/// Compares two branches at their ends. `None`: one of them is not there.
#[must_use]
pub fn compare(run: &Run, a: BranchNo, b: BranchNo) -> Option<Comparison> {
    let history = run.history();
    let records = [history.records_of(a)?, history.records_of(b)?];
    let worlds = [history.world_at_end_of(a)?, history.world_at_end_of(b)?];
    let same = records[0]
        .iter()
        .zip(records[1].iter())
        .take_while(|(x, y)| x == y)
        .count();
    let firsts = [0, 1].map(|side| records[side].get(same).cloned());
    let shared = match &firsts {
        // The one goes on where the other ends.
        [Some(x), Some(y)] => x.step.min(y.step),
        [Some(x), None] | [None, Some(x)] => x.step,
        [None, None] => worlds[0].steps(),
    };
    let trees = worlds
        .each_ref()
        .map(best)
        .map(|p| p.map(|p| p.database().tree.clone()));
    let (tree, differences) = match &trees {
        [Some(x), Some(y)] => {
            let changed = x.changed(y);
            let data = |tree: &zabscope_core::tree::Tree, at: &str| {
                let node = tree.node(at)?;
                let data = node.data().as_ref().map_or(&[][..], |d| &d[..]);
                Some(String::from_utf8_lossy(&data[..data.len().min(48)]).into_owned())
            };
            let named = changed.iter().take(DIFFERENCES).map(|path| Difference {
                path: Arc::clone(path),
                data: [data(x, path), data(y, path)],
            });
            (named.collect(), changed.len())
        }
        _ => (Vec::new(), 0),
    };
    let [first_a, first_b] = firsts;
    Some(Comparison {
        shared: shared.saturating_sub(1),
        sides: [
            outcome(a, first_a, &worlds[0]),
            outcome(b, first_b, &worlds[1]),
        ],
        tree,
        differences,
    })
}

/// A branch as it was at a moment of virtual time, or at its end if that came before.
pub struct Beside {
    /// The world there.
    pub world: World,
    /// Its newest facts until then, oldest first; at most as many as were asked for.
    pub records: Vec<Record>,
}

/// A branch at a moment; `newest` facts of it. `None`: there is no such branch.
#[must_use]
pub fn beside(run: &Run, branch: BranchNo, at: Moment, newest: usize) -> Option<Beside> {
    let history = run.history();
    let all = history.records_of(branch)?;
    let parts = all.parts().iter();
    let until: usize = parts.map(|part| part.partition_point(|r| r.at <= at)).sum();
    let records: Vec<Record> = (until.saturating_sub(newest)..until)
        .filter_map(|index| all.get(index).cloned())
        .collect();
    let step = records.last().map_or(0, |r| r.step);
    let world = history.world_at(branch, step)?;
    Some(Beside { world, records })
}

/// Who leads, if anybody does: of several one that serves, of the newest epoch.
#[must_use]
pub fn leads(world: &World) -> Option<&Peer> {
    world
        .servers()
        .filter_map(|s| s.peer)
        .filter(|p| p.state() == ServerState::Leading)
        .max_by_key(|p| (p.serving(), p.accepted_epoch()))
}

/// Who leads and serves.
#[must_use]
pub fn leading(world: &World) -> Option<&Peer> {
    leads(world).filter(|p| p.serving())
}

/// The server whose tree is compared: who leads, else who has applied most.
fn best(world: &World) -> Option<&Peer> {
    leading(world).or_else(|| {
        world
            .servers()
            .filter_map(|s| s.peer)
            .max_by_key(|p| p.last_applied())
    })
}

fn outcome(branch: BranchNo, first: Option<Record>, world: &World) -> Outcome {
    let leader = leading(world);
    Outcome {
        branch,
        first,
        end: world.steps(),
        at: world.now(),
        leader: leader.map(|p| p.id()),
        epoch: leader.map_or(Epoch(-1), |p| p.current_epoch()),
        committed: world.newest_committed(),
        up: world.servers().filter(|s| s.peer.is_some()).count(),
        servers: world.servers().count(),
    }
}

//! The members of a world as text, and reconfigurations of them that are worth asking for.

use crate::{
    config::Membership,
    id::ServerId,
    members::{Address, Ensemble, HostPort, Member, Role},
    request::{Request, Write},
    sim::{queue::Dice, world::World},
};
use std::sync::Arc;

/// A server of the simulated network: nobody dials these addresses, but they have to differ.
fn member(id: ServerId, role: Role) -> Member {
    let host = format!("server{id}");
    Member {
        addresses: vec![Address {
            host: host.clone(),
            quorum_port: 2888,
            election_port: 3888,
        }],
        role,
        client: Some(HostPort { host, port: 2181 }),
    }
}

/// The text of a membership, as `/zookeeper/config` has it.
pub(crate) fn text(membership: &Membership) -> Arc<str> {
    let role = |id| match membership.observers.contains(&id) {
        true => Role::Observer,
        false => Role::Participant,
    };
    let all = membership.members().map(|id| (id, member(id, role(id))));
    let ensemble = Ensemble {
        members: all.collect(),
        rule: membership.quorum.rule().clone(),
        version: membership.version,
    };
    ensemble.quorum_text().into()
}

/// A request to change the members: one or two servers leave, join, or get another role; mostly one that
/// can be carried out.
pub(crate) fn wish(world: &World, dice: &mut Dice) -> Option<Request> {
    let members = world.members();
    let all: Vec<ServerId> = world.servers().map(|s| s.id).collect();
    let (mut joining, mut leaving) = (Vec::new(), Vec::new());
    for _ in 0..dice.between(1, 2) {
        let id = *dice.pick(&all)?;
        let votes = members.quorum.is_voter(id);
        let is_member = votes || members.observers.contains(&id);
        let role = match dice.below(4) {
            0 => Role::Observer,
            _ => Role::Participant,
        };
        if is_member && (votes == (role == Role::Participant) || dice.chance(30)) {
            leaving.push(id.to_string());
        } else {
            joining.push(format!("server.{id}={}", member(id, role)));
        }
    }
    let list = |words: Vec<String>| (!words.is_empty()).then(|| Arc::from(words.join(",")));
    let (joining, leaving) = (list(joining), list(leaving));
    let new_members = dice.chance(10).then(|| {
        let mut ids = all.clone();
        dice.shuffle(&mut ids);
        ids.truncate(dice.between(2, 5) as usize);
        let lines = ids
            .iter()
            .map(|id| format!("server.{id}={}", member(*id, Role::Participant)));
        Arc::from(lines.collect::<Vec<_>>().join("\n"))
    });
    Some(Request::Write(Write::Reconfig {
        joining,
        leaving,
        new_members,
        cur_config_id: match dice.chance(10) {
            true => members.version.0,
            false => -1,
        },
    }))
}

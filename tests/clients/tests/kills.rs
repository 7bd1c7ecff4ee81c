//! kill -9 of one or all servers of an ensemble under write load.
//!
//! `ZABSCOPE_ROUNDS` says how often (6), `ZABSCOPE_SEED` who and when, `ZABSCOPE_SERVER` whose servers.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use zabscope_clients::load::Load;
use zabscope_clients::number;
use zabscope_clients::server::{Ensemble, Kind, Options};

/// Rounds between two audits.
const ROUNDS_PER_AUDIT: u64 = 10;
/// Writes that must be acknowledged before a round and after it.
const WRITES: u64 = 40;
const LIMIT: Duration = Duration::from_secs(60);

/// One round: writes, the end of some members, their return, writes.
fn round(ensemble: &mut Ensemble, load: &Load, random: &mut ChaCha8Rng) -> Result<&'static str> {
    load.await_progress(WRITES, LIMIT)
        .context("before the crash")?;
    thread::sleep(Duration::from_millis(u64::from(random.next_u32() % 50)));
    let leader = ensemble.leader(LIMIT)?;
    let size = ensemble.members().len();
    let follower = (leader + 1 + random.next_u32() as usize % (size - 1)) % size;
    let (who, victims) = match random.next_u32() % 4 {
        0 => ("a follower", vec![follower]),
        1 => ("the leader", vec![leader]),
        2 => ("the leader and a follower", vec![leader, follower]),
        _ => ("everyone", (0..size).collect()),
    };
    for victim in &victims {
        ensemble.members_mut()[*victim].kill();
    }
    if victims.len() == 1 {
        load.await_progress(WRITES, LIMIT)
            .context("while a majority is there")?;
    } else {
        thread::sleep(Duration::from_millis(u64::from(random.next_u32() % 200)));
    }
    ensemble.start_all()?;
    load.await_progress(WRITES, LIMIT)
        .context("after the return")?;
    Ok(who)
}

fn rounds(count: u64) -> Result<()> {
    let seed = number("ZABSCOPE_SEED", 1)?;
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut ensemble = Ensemble::start(Kind::tested()?, 3, &Options::default())?;
    let mut done = 0;
    let mut epoch = 0;
    while done < count {
        epoch += 1;
        let mut load = Load::start(&ensemble, 4, epoch)?;
        let outcome = (|| -> Result<()> {
            for _ in 0..ROUNDS_PER_AUDIT.min(count - done) {
                let began = Instant::now();
                let who = round(&mut ensemble, &load, &mut random)
                    .with_context(|| format!("round {done}, seed {seed}"))?;
                println!(
                    "round {done}: {who}, {:.1} s",
                    began.elapsed().as_secs_f32()
                );
                done += 1;
            }
            Ok(())
        })();
        // What a writer has seen says more than that the round did not go on.
        load.stop()?;
        outcome?;
        let (nodes, digests) = load
            .audit(&ensemble)
            .with_context(|| format!("after round {done}"))?;
        println!(
            "{done} rounds: {} writes acknowledged, {} sessions, {nodes} nodes and {digests} digests, all the same",
            load.acknowledged(),
            load.sessions()
        );
    }
    Ok(())
}

#[test]
fn no_acknowledged_write_is_lost_and_time_does_not_run_backwards_when_servers_are_killed() {
    let count = number("ZABSCOPE_ROUNDS", 6).expect("a number");
    rounds(count).unwrap_or_else(|error| panic!("{error:#}"));
}

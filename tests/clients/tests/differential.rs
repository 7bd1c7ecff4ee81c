//! Two servers that get the same operations answer the same.
//!
//! `ZABSCOPE_LEFT` and `ZABSCOPE_RIGHT` say whose servers (`apache`, `ours`; by default Apache's and
//! ours), `ZABSCOPE_OPERATIONS` how many operations, `ZABSCOPE_SEED` which ones, and
//! `ZABSCOPE_SECONDS` when to stop.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use zabscope_clients::differential::{Generator, Pair, Tally, compare, shortest};
use zabscope_clients::number;
use zabscope_clients::server::{Kind, Options, Server};

/// How long it may take to find the shortest row of steps.
const SHRINKING: Duration = Duration::from_secs(180);
/// Requests in a round.
const ROUND: usize = 250;

struct Servers {
    kinds: (Kind, Kind),
    options: (Options, Options),
    running: Option<(Server, Server)>,
}

impl Pair for Servers {
    fn addresses(&self) -> (SocketAddr, SocketAddr) {
        let (left, right) = self.running.as_ref().expect("they were started");
        (left.address(), right.address())
    }

    fn renew(&mut self) -> Result<()> {
        // The old ones end first: they hold memory that the new ones may need.
        self.running = None;
        let left = Server::standalone(self.kinds.0, &self.options.0)?;
        let right = Server::standalone(self.kinds.1, &self.options.1)?;
        self.running = Some((left, right));
        Ok(())
    }
}

fn kind(variable: &str, otherwise: Kind) -> Result<Kind> {
    Ok(match std::env::var(variable).as_deref() {
        Ok("apache") => Kind::Apache,
        Ok("ours") => Kind::Ours,
        Ok(other) => bail!("{variable} is `{other}`; it can be `ours` or `apache`"),
        Err(_) => otherwise,
    })
}

/// What both servers are told.
fn options(extended: bool) -> Options {
    let switch = |on: bool| if on { "true" } else { "false" };
    Options::default()
        .line("forceSync", "no")
        .line("tickTime", "2000")
        // No session may end by itself, however short a time it asks for.
        .line("minSessionTimeout", "20000")
        .line("maxSessionTimeout", "60000")
        // Apache takes an unknown key for a property that nobody reads.
        .line("zabscope.compatibility", "3.8")
        // Nothing may happen by itself.
        .property("znode.container.checkIntervalMs", "3600000")
        .property("zookeeper.extendedTypesEnabled", switch(extended))
        .property("zookeeper.enforceQuota", switch(extended))
        .property(
            "zookeeper.DigestAuthenticationProvider.superDigest",
            "super:D/InIHSb7yEEbrWz8b9l71RjZJU=",
        )
}

fn run(extended: bool) -> Result<()> {
    let mut servers = Servers {
        kinds: (
            kind("ZABSCOPE_LEFT", Kind::Apache)?,
            kind("ZABSCOPE_RIGHT", Kind::Ours)?,
        ),
        options: (options(extended), options(extended)),
        running: None,
    };
    let operations = number("ZABSCOPE_OPERATIONS", 10_000)?;
    let first_seed = number("ZABSCOPE_SEED", 1)?;
    let deadline = Instant::now() + Duration::from_secs(number("ZABSCOPE_SECONDS", 600)?);
    servers.renew()?;
    let began = Instant::now();
    let mut tally = Tally::new();
    let mut done = 0;
    let mut seed = first_seed;
    while done < operations && Instant::now() < deadline {
        let steps = Generator::new(seed).steps(ROUND);
        let found = compare(
            servers.addresses(),
            &format!("/d{seed:06}"),
            &steps,
            &mut tally,
        )
        .with_context(|| format!("seed {seed}"))?;
        if let Some(difference) = found {
            println!("seed {seed}, as found:\n{difference}");
            let shortest = shortest(&mut servers, difference, SHRINKING)?;
            bail!(
                "{:?} and {:?} differ (ZABSCOPE_SEED={seed} shows it); shortest:\n{shortest}",
                servers.kinds.0,
                servers.kinds.1
            );
        }
        done += steps.iter().map(|step| step.size() as u64).sum::<u64>();
        seed += 1;
    }
    println!("{tally:?}");
    println!(
        "{done} operations, seeds {first_seed} to {}, in {:.1} s: no difference",
        seed - 1,
        began.elapsed().as_secs_f32()
    );
    Ok(())
}

#[test]
fn two_servers_answer_the_same() -> Result<()> {
    run(false)
}

#[test]
fn two_servers_with_extended_types_and_enforced_quotas_answer_the_same() -> Result<()> {
    run(true)
}

/// The tester itself: two servers of the same kind that are told different things.
#[test]
fn a_difference_is_found_and_shown_by_few_steps() {
    let found = || -> Result<_> {
        let kind = Kind::tested()?;
        let mut servers = Servers {
            kinds: (kind, kind),
            options: (options(false), options(true)),
            running: None,
        };
        servers.renew()?;
        let steps = Generator::new(2).steps(ROUND);
        let found = compare(servers.addresses(), "/planted", &steps, &mut Tally::new())?;
        let found = found.context("servers with and without nodes that have a time to live")?;
        shortest(&mut servers, found, SHRINKING)
    };
    let found = found().unwrap_or_else(|error| panic!("{error:#}"));
    assert!(found.steps.len() <= 3, "{found}");
    assert_ne!(found.left, found.right);
}

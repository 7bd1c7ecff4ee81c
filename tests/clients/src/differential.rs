//! The same random operations to two servers, and what they answer differently.
//!
//! A round is a row of steps of a few sessions below a directory of its own. Both servers are just
//! addresses. Steps are carried out one after the other, and after each one every session is asked
//! whether anything came of it: so all that a client can see has one order, and must be the same.

// The variants and fields of operations are named as in the protocol.
#[allow(missing_docs)]
pub mod op;

mod generate;
mod shrink;
mod side;

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::thread;

use anyhow::{Context, Result, anyhow};

use generate::SLOTS;
use op::Step;
use side::{Seen, Side};

pub use generate::Generator;
pub use shrink::shortest;

/// Two servers. They must have been asked the same since they were empty.
pub trait Pair {
    /// Where they are now.
    fn addresses(&self) -> (SocketAddr, SocketAddr);
    /// Replaces both by empty ones: after a difference they no longer hold the same.
    fn renew(&mut self) -> Result<()>;
}

/// The first step that two servers answered differently.
#[derive(Clone, Debug)]
pub struct Difference {
    /// The steps up to it.
    pub steps: Vec<Step>,
    /// What the first server answered to the last one.
    pub left: Vec<String>,
    /// What the second server answered to it.
    pub right: Vec<String>,
}

impl fmt::Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let from = self.steps.len().saturating_sub(40);
        if from > 0 {
            writeln!(formatter, "  … {from} steps before")?;
        }
        for (number, step) in self.steps.iter().enumerate().skip(from) {
            writeln!(formatter, "  {number}: {step:?}")?;
        }
        writeln!(formatter, "differ at the last step:")?;
        let rows = self.left.len().max(self.right.len());
        for row in 0..rows {
            let (left, right) = (self.left.get(row), self.right.get(row));
            if left == right {
                writeln!(formatter, "    both   {}", left.map_or("", String::as_str))?;
            } else {
                let none = "(nothing)".to_owned();
                writeln!(formatter, "    first  {}", left.unwrap_or(&none))?;
                writeln!(formatter, "    second {}", right.unwrap_or(&none))?;
            }
        }
        Ok(())
    }
}

/// How often each kind of answer came: `create error 0`, `event 3`, …
pub type Tally = BTreeMap<String, u32>;

fn count(tally: &mut Tally, seen: &Seen) {
    for line in seen {
        let words: Vec<&str> = line.split([' ', ':']).filter(|word| !word.is_empty()).collect();
        let key = match words.as_slice() {
            [_, op, "error", code, ..] => format!("{op} error {code}"),
            [_, "event", kind, ..] => format!("event {kind}"),
            [_, rest @ ..] => rest.iter().take(3).copied().collect::<Vec<_>>().join(" "),
            [] => continue,
        };
        *tally.entry(key).or_default() += 1;
    }
}

/// Carries out the steps at both servers, below the directory `root`, which must not be there. Stops
/// at the first difference.
pub fn compare(
    addresses: (SocketAddr, SocketAddr),
    root: &str,
    steps: &[Step],
    tally: &mut Tally,
) -> Result<Option<Difference>> {
    let mut left = Side::begin(addresses.0, root, SLOTS).context("the first server")?;
    let mut right = Side::begin(addresses.1, root, SLOTS).context("the second server")?;
    for (index, step) in steps.iter().enumerate() {
        let (seen_left, seen_right) = both(&mut left, &mut right, step)?;
        if seen_left != seen_right {
            return Ok(Some(Difference {
                steps: steps[..=index].to_vec(),
                left: seen_left,
                right: seen_right,
            }));
        }
        count(tally, &seen_left);
    }
    left.end().context("the first server, at the end")?;
    right.end().context("the second server, at the end")?;
    Ok(None)
}

fn both(left: &mut Side, right: &mut Side, step: &Step) -> Result<(Seen, Seen)> {
    let (one, other) = thread::scope(|scope| {
        let other = scope.spawn(|| right.step(step));
        (left.step(step), other.join())
    });
    // A server that can't be talked to any more has answered differently as well.
    let text = |result: Result<Seen>| result.unwrap_or_else(|error| vec![format!("{error:#}")]);
    Ok((text(one), text(other.map_err(|_| anyhow!("the test itself panicked"))?)))
}

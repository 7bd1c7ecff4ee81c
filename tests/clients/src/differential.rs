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
            writeln!(formatter, "  {number}: {}", brief(&format!("{step:?}")))?;
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
        let words: Vec<&str> = line
            .split([' ', ':'])
            .filter(|word| !word.is_empty())
            .collect();
        let key = match words.as_slice() {
            [_, op, "error", code, ..] => format!("{op} error {code}"),
            [_, "event", kind, ..] => format!("event {kind}"),
            [_, rest @ ..] => rest.iter().take(3).copied().collect::<Vec<_>>().join(" "),
            [] => continue,
        };
        *tally.entry(key).or_default() += 1;
    }
}

/// Without the long rows of one byte that big data is made of.
fn brief(text: &str) -> String {
    let row = "122, ".repeat(10);
    let mut text = text.to_owned();
    while text.contains(&row) {
        text = text.replace(&row, "… ");
    }
    while text.contains("… … ") {
        text = text.replace("… … ", "… ");
    }
    text
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
            if only_counted_differently(&seen_left, &seen_right) {
                left.advance()?;
                right.advance()?;
                let relative = left.relative_zxid().max(right.relative_zxid());
                left.recount(relative);
                right.recount(relative);
                count(tally, &seen_left);
                continue;
            }
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

/// A write that can't be read is logged as a failure under the zxid before it by Apache, and under
/// one of its own by us: after an error -5 the two may count on differently.
fn only_counted_differently(left: &Seen, right: &Seen) -> bool {
    let unreadable = left.iter().any(|line| line.contains(": error -5 "));
    unreadable && without_zxids(left) == without_zxids(right)
}

/// The lines without the zxids of headers and Stats.
fn without_zxids(seen: &Seen) -> Vec<String> {
    let strip = |line: &String| {
        let mut words: Vec<&str> = line.split(' ').collect();
        for at in 1..words.len() {
            if matches!(words[at - 1], "zxid" | "{c" | "m" | "p") {
                words[at] = "?";
            }
        }
        words.join(" ")
    };
    seen.iter().map(strip).collect()
}

fn both(left: &mut Side, right: &mut Side, step: &Step) -> Result<(Seen, Seen)> {
    let (one, other) = thread::scope(|scope| {
        let other = scope.spawn(|| right.step(step));
        (left.step(step), other.join())
    });
    // A server that can't be talked to any more has answered differently as well.
    let text = |result: Result<Seen>| result.unwrap_or_else(|error| vec![format!("{error:#}")]);
    Ok((
        text(one),
        text(other.map_err(|_| anyhow!("the test itself panicked"))?),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(lines: &[&str]) -> Seen {
        lines.iter().map(|line| (*line).to_owned()).collect()
    }

    #[test]
    fn only_after_an_unreadable_write_may_zxids_differ() {
        let left = seen(&["[0] create: error -5 zxid 7 ", "[0] ping: error 0 zxid 7 "]);
        let right = seen(&["[0] create: error -5 zxid 8 ", "[0] ping: error 0 zxid 8 "]);
        assert!(only_counted_differently(&left, &right));
        let right = seen(&["[0] create: error -8 zxid 8 ", "[0] ping: error 0 zxid 8 "]);
        assert!(!only_counted_differently(&left, &right));
        let left = seen(&["[0] ping: error 0 zxid 7 "]);
        let right = seen(&["[0] ping: error 0 zxid 8 "]);
        assert!(!only_counted_differently(&left, &right));
    }
}

//! From a row of steps that shows a difference to a short one.

use std::time::{Duration, Instant};

use anyhow::Result;

use super::op::Step;
use super::{Difference, Pair, Tally, compare};

/// The shortest difference found within the limit, starting from `found`, which `pair` has shown. The
/// servers are empty afterwards.
pub fn shortest(pair: &mut dyn Pair, found: Difference, limit: Duration) -> Result<Difference> {
    let deadline = Instant::now() + limit;
    let mut best = found;
    let mut number = 0;
    pair.renew()?;
    let mut differs = |steps: &[Step]| -> Result<Option<Difference>> {
        number += 1;
        let outcome = compare(
            pair.addresses(),
            &format!("/s{number:06}"),
            steps,
            &mut Tally::new(),
        )?;
        if outcome.is_some() {
            pair.renew()?;
        }
        Ok(outcome)
    };
    // Ever smaller parts are left out; the last step is what differs.
    let mut part = best.steps.len() / 2;
    while part > 0 && Instant::now() < deadline {
        let mut start = 0;
        while start + part < best.steps.len() && Instant::now() < deadline {
            let mut steps = best.steps.clone();
            steps.drain(start..start + part);
            match differs(&steps)? {
                Some(shorter) => best = shorter,
                None => start += part,
            }
        }
        part /= 2;
    }
    // And then parts of steps.
    let mut at = 0;
    while at < best.steps.len() && Instant::now() < deadline {
        let mut simplified = false;
        for simpler in best.steps[at].simpler() {
            let mut steps = best.steps.clone();
            steps[at] = simpler;
            if let Some(shorter) = differs(&steps)? {
                best = shorter;
                simplified = true;
                break;
            }
        }
        if !simplified {
            at += 1;
        }
    }
    Ok(best)
}

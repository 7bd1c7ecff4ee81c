//! Numbers of which mean, extremes and percentiles are shown: ZooKeeper's summaries.

use crate::clock::millis;
use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

/// Up to here every value has a place of its own.
const EXACT: u64 = 32;
/// Places in each power of two above that: percentiles are off by a sixteenth at most.
const PER_POWER: usize = 16;
/// Larger values (12 days, as milliseconds) share the last place.
const LARGEST: u64 = (1 << 30) - 1;
const PLACES: usize = place(LARGEST) + 1;

const fn place(value: u64) -> usize {
    if value < EXACT {
        return value as usize;
    }
    let power = value.ilog2() as usize;
    let part = (value >> (power - 4)) as usize & (PER_POWER - 1);
    EXACT as usize + (power - 5) * PER_POWER + part
}

/// The largest value that has this place.
const fn largest_at(place: usize) -> u64 {
    if place < EXACT as usize {
        return place as u64;
    }
    let above = place - EXACT as usize;
    let (power, part) = (above / PER_POWER + 5, above % PER_POWER);
    let width = 1 << (power - 4);
    (1 << power) + (part as u64 + 1) * width - 1
}

/// How much of a summary is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// Mean, extremes, count and sum; Prometheus also gets the median.
    Basic,
    /// Percentiles as well.
    Advanced,
}

/// Collects values from all threads without a lock. Percentiles are since the start or the last reset.
#[derive(Debug)]
pub struct Summary {
    count: AtomicU64,
    sum: AtomicU64,
    min: AtomicU64,
    max: AtomicU64,
    places: Box<[AtomicU64]>,
}

impl Default for Summary {
    fn default() -> Self {
        Summary {
            count: AtomicU64::new(0),
            sum: AtomicU64::new(0),
            min: AtomicU64::new(u64::MAX),
            max: AtomicU64::new(0),
            places: (0..PLACES).map(|_| AtomicU64::new(0)).collect(),
        }
    }
}

/// A summary at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Numbers {
    /// Mean, to four places; 0 without values.
    pub mean: f64,
    /// Smallest; 0 without values.
    pub min: u64,
    /// Largest; 0 without values.
    pub max: u64,
    /// How many.
    pub count: u64,
    /// All together.
    pub sum: u64,
    places: Vec<u64>,
}

impl Summary {
    /// One more value.
    pub fn add(&self, value: u64) {
        self.count.fetch_add(1, Relaxed);
        self.sum.fetch_add(value, Relaxed);
        self.min.fetch_min(value, Relaxed);
        self.max.fetch_max(value, Relaxed);
        self.places[place(value.min(LARGEST))].fetch_add(1, Relaxed);
    }

    /// One more length of time, in whole milliseconds.
    pub fn add_time(&self, time: Duration) {
        self.add(millis(time));
    }

    /// Forgets all values.
    pub fn reset(&self) {
        self.count.store(0, Relaxed);
        self.sum.store(0, Relaxed);
        self.min.store(u64::MAX, Relaxed);
        self.max.store(0, Relaxed);
        for place in &self.places {
            place.store(0, Relaxed);
        }
    }

    /// What was collected. Values that come meanwhile may be in one number and not yet in another.
    #[must_use]
    pub fn numbers(&self) -> Numbers {
        let (count, sum) = (self.count.load(Relaxed), self.sum.load(Relaxed));
        let min = self.min.load(Relaxed);
        Numbers {
            mean: mean(sum, count),
            min: if min == u64::MAX { 0 } else { min },
            max: self.max.load(Relaxed),
            count,
            sum,
            places: self.places.iter().map(|p| p.load(Relaxed)).collect(),
        }
    }
}

impl Numbers {
    /// The value that `part` (0 to 1) of all values do not exceed, a sixteenth too large at most; 0
    /// without values.
    #[must_use]
    pub fn percentile(&self, part: f64) -> u64 {
        let all: u64 = self.places.iter().sum();
        let wanted = ((all as f64 * part).ceil() as u64).max(1);
        let mut seen = 0;
        for (at, n) in self.places.iter().enumerate() {
            seen += n;
            if seen >= wanted {
                return largest_at(at).clamp(self.min, self.max);
            }
        }
        0
    }
}

/// The mean as ZooKeeper shows it, to four places; 0 of nothing.
#[must_use]
pub fn mean(sum: u64, count: u64) -> f64 {
    if count == 0 {
        return 0.0;
    }
    (sum as f64 / count as f64 * 1e4).round() / 1e4
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_summary_of_nothing_is_zero() {
        let n = Summary::default().numbers();
        assert_eq!((n.mean, n.min, n.max, n.count, n.sum), (0.0, 0, 0, 0, 0));
        assert_eq!(n.percentile(0.99), 0);
    }

    #[test]
    fn means_have_four_places() {
        assert_eq!(mean(59, 51), 1.1569);
    }

    #[test]
    fn small_values_have_exact_percentiles() {
        let s = Summary::default();
        for v in 1..=20 {
            s.add(v);
        }
        let n = s.numbers();
        assert_eq!(
            (n.percentile(0.5), n.percentile(0.95), n.percentile(0.999)),
            (10, 19, 20)
        );
        s.reset();
        assert_eq!(s.numbers(), Summary::default().numbers());
    }

    proptest! {
        #[test]
        fn a_place_holds_its_values_and_is_narrow(value in 0..LARGEST) {
            let top = largest_at(place(value));
            prop_assert!(top >= value && top - value <= value / 16);
            prop_assert!(top + 1 > LARGEST || place(top + 1) == place(value) + 1);
        }

        #[test]
        fn no_value_is_too_large(value: u64) {
            let s = Summary::default();
            s.add(value);
            prop_assert_eq!(s.numbers().max, value);
            prop_assert!(s.numbers().percentile(0.5) <= value);
        }
    }
}

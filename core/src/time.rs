//! Time as an argument. The core has no clock.

use core::{fmt, ops};
use serde::{Deserialize, Serialize};

/// A moment of the monotonic clock, in microseconds from an arbitrary start.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Moment(pub u64);

/// A length of time in microseconds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Span(pub u64);

impl Span {
    /// `n` milliseconds.
    #[must_use]
    pub const fn millis(n: u64) -> Span {
        Span(n.saturating_mul(1000))
    }

    /// Whole milliseconds.
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.0 / 1000
    }

    /// `n` times this long.
    #[must_use]
    pub const fn times(self, n: u64) -> Span {
        Span(self.0.saturating_mul(n))
    }
}

impl ops::Add<Span> for Moment {
    type Output = Moment;
    fn add(self, rhs: Span) -> Moment {
        Moment(self.0.saturating_add(rhs.0))
    }
}

impl ops::Sub for Moment {
    type Output = Span;
    /// Zero when `rhs` is later.
    fn sub(self, rhs: Moment) -> Span {
        Span(self.0.saturating_sub(rhs.0))
    }
}

impl fmt::Debug for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:06}s", self.0 / 1_000_000, self.0 % 1_000_000)
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:03}ms", self.0 / 1000, self.0 % 1000)
    }
}

/// What a server's clocks show when an input arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Now {
    /// The monotonic clock: for every deadline.
    pub at: Moment,
    /// The wall clock in milliseconds since 1970: only for ctime, mtime and session ids. Two
    /// servers' wall clocks may disagree; nothing that has an order depends on them.
    pub wall_ms: i64,
}

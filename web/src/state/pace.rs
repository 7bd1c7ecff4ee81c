//! How fast virtual time passes.
//!
//! A message needs about ten milliseconds of virtual time, a time-out ten seconds. While something that
//! matters is close, time passes in slow motion, so that one sees messages move; towards something far
//! away it passes quickly and slows down before it arrives.

/// How fast the page plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Speed {
    /// 0.1×
    Tenth,
    /// 0.25×
    Quarter,
    /// 0.5×
    Half,
    /// 1×
    #[default]
    One,
    /// 2×
    Two,
    /// 5×
    Five,
    /// 10×
    Ten,
}

impl Speed {
    /// All, slowest first.
    pub const ALL: [Speed; 7] = [
        Speed::Tenth,
        Speed::Quarter,
        Speed::Half,
        Speed::One,
        Speed::Two,
        Speed::Five,
        Speed::Ten,
    ];

    /// The factor.
    #[must_use]
    pub const fn factor(self) -> f64 {
        match self {
            Speed::Tenth => 0.1,
            Speed::Quarter => 0.25,
            Speed::Half => 0.5,
            Speed::One => 1.0,
            Speed::Two => 2.0,
            Speed::Five => 5.0,
            Speed::Ten => 10.0,
        }
    }

    /// As it is shown.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Speed::Tenth => "0.1×",
            Speed::Quarter => "0.25×",
            Speed::Half => "0.5×",
            Speed::One => "1×",
            Speed::Two => "2×",
            Speed::Five => "5×",
            Speed::Ten => "10×",
        }
    }
}

/// *Step* takes so long on the wall.
pub const STEP_MS: f64 = 420.0;
/// *Next phase* takes so long on the wall.
pub const PHASE_MS: f64 = 1100.0;

/// Slow motion at 1×: virtual µs in a ms on the wall. A message takes about a second.
const SLOW: f64 = 11.0;
/// A distance shrinks to a third in so many ms on the wall.
const APPROACH_MS: f64 = 150.0;
/// The fastest at 1×: two seconds in a second.
const FAST: f64 = 2000.0;

/// Virtual µs in a ms on the wall, when the next thing that matters is so many µs away.
#[must_use]
pub fn velocity(speed: Speed, gap_us: Option<f64>) -> f64 {
    let factor = speed.factor();
    match gap_us {
        Some(gap) => (gap / APPROACH_MS).clamp(SLOW, FAST) * factor,
        None => FAST * factor,
    }
}

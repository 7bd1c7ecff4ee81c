//! The two clocks of a server: one that only goes forward, one that people read.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use zabscope_core::time::{Moment, Now};

/// Turns the machine's clocks into the core's arguments.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start: Instant,
}

impl Clock {
    /// Begins to count.
    #[must_use]
    pub fn start() -> Clock {
        Clock {
            start: Instant::now(),
        }
    }

    /// Both clocks.
    #[must_use]
    pub fn now(&self) -> Now {
        Now {
            at: Moment(micros(self.start.elapsed())),
            wall_ms: wall_ms(),
        }
    }

    /// How long it is until `at`; zero when it has passed.
    #[must_use]
    pub fn until(&self, at: Moment) -> Duration {
        Duration::from_micros(at.0.saturating_sub(micros(self.start.elapsed())))
    }

    /// How long the server has been up.
    #[must_use]
    pub fn uptime(&self) -> Duration {
        self.start.elapsed()
    }
}

/// Milliseconds since 1970; 0 on a machine whose clock stands before that.
#[must_use]
pub fn wall_ms() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| {
            i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
        })
}

/// A length of time in whole milliseconds.
#[must_use]
pub fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

//! How many clients come in at a time, and how many bytes large requests have together: Apache's
//! BlueThrottle and its limit of large requests.

use crate::config::ConnectionThrottle;
use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

/// What clients cost, in tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Costs {
    /// A session that the ensemble knows.
    pub global: u64,
    /// One that only this server knows.
    pub local: u64,
    /// A return to a session.
    pub renew: u64,
}

/// A bucket of tokens that fills with time. Whoever comes takes some; without enough of them nobody comes
/// in. When it is often empty, some are turned away by chance before it is looked at, so that it is not
/// always those who come late.
#[derive(Debug)]
pub struct Bucket {
    /// What clients cost.
    pub costs: Costs,
    /// Its size; 0 for no limit.
    size: u64,
    fill_time: Duration,
    fill_count: u64,
    freeze: Option<Duration>,
    increase: f64,
    decrease: f64,
    /// So few missing tokens make dropping less likely.
    full_enough: u64,
    level: Mutex<Level>,
    random: fn() -> f64,
}

#[derive(Debug)]
struct Level {
    tokens: u64,
    filled: Instant,
    frozen: Instant,
    drop: f64,
}

/// From 0 to below 1. Without the system's random numbers nobody is dropped by chance.
fn random() -> f64 {
    let mut bytes = [0; 4];
    match getrandom::fill(&mut bytes) {
        Ok(()) => f64::from(u32::from_ne_bytes(bytes)) / (f64::from(u32::MAX) + 1.0),
        Err(_) => 1.0,
    }
}

impl Bucket {
    /// A full one.
    #[must_use]
    pub fn new(settings: &ConnectionThrottle, now: Instant) -> Bucket {
        let [global, local, renew] = settings.weights.unwrap_or([1; 3]);
        // The configuration counts global sessions.
        let of = |n: u64| match settings.weights {
            Some([global, ..]) => n.saturating_mul(global),
            None => n,
        };
        let size = of(settings.tokens);
        Bucket {
            costs: Costs {
                global,
                local,
                renew,
            },
            size,
            fill_time: settings.fill_time.max(Duration::from_millis(1)),
            fill_count: of(settings.fill_count),
            freeze: settings.freeze_time,
            increase: settings.drop_increase,
            decrease: settings.drop_decrease,
            // Both far below what such a number holds exactly.
            full_enough: (size as f64 * settings.decrease_ratio).round() as u64,
            level: Mutex::new(Level {
                tokens: size,
                filled: now,
                frozen: now,
                drop: 0.0,
            }),
            random,
        }
    }

    fn level(&self) -> MutexGuard<'_, Level> {
        self.level.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes tokens; false when there are not enough, or by chance.
    pub fn take(&self, now: Instant, cost: u64) -> bool {
        if self.size == 0 {
            return true;
        }
        let mut level = self.level();
        let since = now.saturating_duration_since(level.filled);
        if since > self.fill_time {
            let parts = since
                .as_millis()
                .saturating_mul(u128::from(self.fill_count))
                / self.fill_time.as_millis().max(1);
            let more = u64::try_from(parts).unwrap_or(u64::MAX);
            level.tokens = level.tokens.saturating_add(more).min(self.size);
            level.filled = now;
        }
        if let Some(freeze) = self.freeze {
            if now.saturating_duration_since(level.frozen) > freeze {
                let missing = self.size - level.tokens;
                if missing == self.size {
                    level.drop = (level.drop + self.increase).min(1.0);
                } else if missing <= self.full_enough {
                    level.drop = (level.drop - self.decrease).max(0.0);
                }
                level.frozen = now;
            }
            if (self.random)() < level.drop {
                return false;
            }
        }
        if level.tokens < cost {
            return false;
        }
        level.tokens -= cost;
        true
    }

    /// How many tokens are missing.
    #[must_use]
    pub fn deficit(&self) -> u64 {
        self.size - self.level().tokens
    }

    /// How likely whoever comes is turned away by chance.
    #[must_use]
    pub fn drop_probability(&self) -> f64 {
        self.level().drop
    }
}

/// Requests larger than a threshold, which together may have so many bytes.
#[derive(Debug)]
pub struct LargeRequests {
    /// `None`: no request is large.
    threshold: Option<u64>,
    most: u64,
    held: Arc<AtomicU64>,
}

/// A large request is under way.
#[derive(Debug)]
pub struct Hold {
    bytes: u64,
    held: Arc<AtomicU64>,
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.held.fetch_sub(self.bytes, Relaxed);
    }
}

/// There is no room for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoRoom;

impl LargeRequests {
    /// None is under way.
    #[must_use]
    pub fn new(threshold: Option<u64>, most: u64) -> LargeRequests {
        LargeRequests {
            threshold,
            most,
            held: Arc::new(AtomicU64::new(0)),
        }
    }

    fn is_large(&self, bytes: u64) -> bool {
        self.threshold.is_some_and(|threshold| bytes > threshold)
    }

    /// Whether there is room for a request that has only begun.
    #[must_use]
    pub fn fits(&self, bytes: usize) -> bool {
        let bytes = bytes as u64;
        !self.is_large(bytes) || self.held.load(Relaxed).saturating_add(bytes) <= self.most
    }

    /// Counts a request until what is returned goes; `None` for one that is not large.
    ///
    /// # Errors
    /// There is no room for it.
    pub fn hold(&self, bytes: usize) -> Result<Option<Hold>, NoRoom> {
        let bytes = bytes as u64;
        if !self.is_large(bytes) {
            return Ok(None);
        }
        let before = self.held.fetch_add(bytes, Relaxed);
        // Taken back if there was none.
        let hold = Hold {
            bytes,
            held: Arc::clone(&self.held),
        };
        match before.saturating_add(bytes) <= self.most {
            true => Ok(Some(hold)),
            false => Err(NoRoom),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> ConnectionThrottle {
        ConnectionThrottle {
            tokens: 3,
            fill_time: Duration::from_millis(100),
            fill_count: 1,
            freeze_time: None,
            drop_increase: 0.5,
            drop_decrease: 0.25,
            decrease_ratio: 0.5,
            weights: None,
        }
    }

    fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    #[test]
    fn so_many_come_in_at_once_and_then_as_fast_as_the_bucket_fills() {
        let now = Instant::now();
        let bucket = Bucket::new(&settings(), now);
        let came = (0..5).filter(|_| bucket.take(now, 1)).count();
        assert_eq!((came, bucket.deficit()), (3, 3));
        assert!(!bucket.take(now + ms(100), 1), "not longer than fill time");
        assert!(bucket.take(now + ms(101), 1) && !bucket.take(now + ms(101), 1));
        let later = now + Duration::from_secs(3600);
        let came = (0..5).filter(|_| bucket.take(later, 1)).count();
        assert_eq!(came, 3, "never more than its size");
    }

    #[test]
    fn without_a_size_everybody_comes_in() {
        let now = Instant::now();
        let bucket = Bucket::new(
            &ConnectionThrottle {
                tokens: 0,
                ..settings()
            },
            now,
        );
        assert!((0..1000).all(|_| bucket.take(now, 1)));
        assert_eq!(bucket.deficit(), 0);
    }

    #[test]
    fn with_weights_the_size_counts_global_sessions() {
        let now = Instant::now();
        let weights = Some([3, 1, 2]);
        let bucket = Bucket::new(
            &ConnectionThrottle {
                weights,
                ..settings()
            },
            now,
        );
        let Costs {
            global,
            local,
            renew,
        } = bucket.costs;
        assert_eq!((global, local, renew), (3, 1, 2));
        assert!(bucket.take(now, global) && bucket.take(now, renew) && bucket.take(now, global));
        assert_eq!(bucket.deficit(), 8);
        assert!(!bucket.take(now, renew) && bucket.take(now, local));
    }

    #[test]
    fn an_empty_bucket_makes_dropping_likely_and_a_full_one_unlikely() {
        let now = Instant::now();
        let mut bucket = Bucket::new(
            &ConnectionThrottle {
                freeze_time: Some(ms(10)),
                fill_time: Duration::from_secs(1000),
                ..settings()
            },
            now,
        );
        bucket.random = || 0.4;
        assert!((0..3).all(|_| bucket.take(now, 1)));
        assert!(!bucket.take(now + ms(11), 1));
        assert_eq!(bucket.drop_probability(), 0.5);
        assert!(!bucket.take(now + ms(20), 1), "frozen");
        assert_eq!(bucket.drop_probability(), 0.5);
        bucket.take(now + ms(22), 1);
        bucket.take(now + ms(33), 1);
        assert_eq!(bucket.drop_probability(), 1.0);
        let full = now + Duration::from_secs(1_000_000);
        assert!(!bucket.take(full, 1), "by chance, though it is full");
        assert_eq!(bucket.drop_probability(), 0.75);
        for n in 1..=2 {
            bucket.take(full + ms(11 * n), 1);
        }
        assert_eq!(bucket.drop_probability(), 0.25);
        assert!(bucket.take(full + ms(33), 1), "0.4 is not dropped any more");
    }

    #[test]
    fn large_requests_have_so_many_bytes_together() {
        let large = LargeRequests::new(Some(10), 100);
        assert!(large.hold(10).is_ok_and(|hold| hold.is_none()), "small");
        let first = large.hold(60).expect("there is room");
        assert!(large.fits(40) && !large.fits(41) && large.fits(10));
        assert_eq!(large.hold(41).err(), Some(NoRoom));
        assert!(large.hold(40).is_ok_and(|hold| hold.is_some()), "and gone");
        drop(first);
        assert!(large.hold(100).is_ok_and(|hold| hold.is_some()));
        assert_eq!(large.held.load(Relaxed), 0);
        let off = LargeRequests::new(None, 1);
        assert!(off.fits(usize::MAX) && off.hold(1 << 30).is_ok_and(|hold| hold.is_none()));
    }
}

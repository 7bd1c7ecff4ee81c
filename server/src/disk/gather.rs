//! Group commit: which transactions share one fsync (ZooKeeper.md 4.3).
//!
//! Without a delay all that has come is written at once. With one, an fsync follows the last by that
//! much at least, unless so many transactions wait or nothing has come for a while. Only transactions are
//! put off: an epoch or the cutting of a log is waited for by an election.

use super::Work;
use crate::config::Storage;
use std::{
    collections::VecDeque,
    sync::mpsc::{self, RecvTimeoutError, TryRecvError},
    time::{Duration, Instant},
};
use zabscope_core::{id::StorageSeq, peer::output::StorageOp};

/// When what waits is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sharing {
    /// So many transactions share an fsync at most (`maxBatchSize`); `None` for no limit.
    pub most: Option<usize>,
    /// How long after the last fsync the next may be put off (`flushDelay`).
    pub delay: Duration,
    /// It is not put off any longer when nothing came for this long (`maxWriteQueuePollTime`).
    pub silence: Duration,
}

impl Sharing {
    /// That of a configuration.
    #[must_use]
    pub fn of(kept: &Storage) -> Sharing {
        Sharing {
            most: kept
                .max_batch_size
                .map(|most| usize::try_from(most).unwrap_or(usize::MAX)),
            delay: kept.flush_delay,
            silence: kept.max_write_queue_poll,
        }
    }
}

/// What was handed over and not yet written, oldest first.
#[derive(Debug)]
pub struct Gathered {
    sharing: Sharing,
    waiting: VecDeque<(StorageSeq, StorageOp)>,
    transactions: usize,
    /// When something was written last.
    wrote: Instant,
}

impl Gathered {
    /// Nothing waits; the delay counts from now.
    #[must_use]
    pub fn new(sharing: Sharing) -> Gathered {
        Gathered {
            sharing,
            waiting: VecDeque::new(),
            transactions: 0,
            wrote: Instant::now(),
        }
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// More has come.
    pub fn add(&mut self, work: Work) {
        let is_append = |op: &StorageOp| matches!(op, StorageOp::Append(_));
        self.transactions += work.iter().filter(|(_, op)| is_append(op)).count();
        self.waiting.extend(work);
    }

    /// Waits for what may share the next fsync.
    pub fn wait(&mut self, work: &mpsc::Receiver<Work>) {
        while let Some(patience) = self.patience() {
            let more = match patience.is_zero() {
                true => work.try_recv().map_err(|error| match error {
                    TryRecvError::Empty => RecvTimeoutError::Timeout,
                    TryRecvError::Disconnected => RecvTimeoutError::Disconnected,
                }),
                false => work.recv_timeout(patience),
            };
            match more {
                Ok(more) => self.add(more),
                // Nobody else comes, or nobody is left who could.
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// How long to wait for more; `None` if it is time to write.
    fn patience(&self) -> Option<Duration> {
        let Sharing {
            most,
            delay,
            silence,
        } = self.sharing;
        if most.is_some_and(|most| self.transactions >= most) {
            return None;
        }
        if delay.is_zero() || self.transactions < self.waiting.len() {
            // What has come already is taken along, but nothing is waited for.
            return Some(Duration::ZERO);
        }
        let left = delay.saturating_sub(self.wrote.elapsed());
        (!left.is_zero()).then(|| left.min(silence))
    }

    /// What is written next, with one fsync.
    pub fn take(&mut self) -> Work {
        let most = self.sharing.most.unwrap_or(usize::MAX);
        let mut taken = 0;
        let mut batch = Vec::with_capacity(self.waiting.len().min(most));
        while let Some((_, op)) = self.waiting.front() {
            if matches!(op, StorageOp::Append(_)) {
                if taken == most {
                    break;
                }
                taken += 1;
            }
            batch.extend(self.waiting.pop_front());
        }
        self.transactions -= taken;
        batch
    }

    /// The batch is on disk.
    pub fn written(&mut self) {
        self.wrote = Instant::now();
    }
}

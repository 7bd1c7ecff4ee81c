use super::*;
use crate::testing::Directory;
use std::sync::mpsc::Receiver;
use zabscope_core::{
    id::{Epoch, SessionId, Zxid},
    txn::{Txn, TxnBody, TxnHeader},
};

/// Nobody waits for so long.
const HOUR: Duration = Duration::from_secs(3600);
/// So long nothing happens.
const QUIET: Duration = Duration::from_millis(150);

struct Log {
    thread: LogThread,
    told: Receiver<Inbox>,
    directory: Directory,
}

fn options() -> Options {
    Options {
        pre_alloc_size: 0,
        ..Options::default()
    }
}

fn start(sharing: Sharing) -> Log {
    let directory = Directory::new();
    let (storage, _) = storage::open(&Dirs::new(directory.path(), None), &options()).expect("new");
    let habits = Habits {
        slow: HOUR,
        purge: None,
        sharing,
    };
    let (inbox, told) = mpsc::channel();
    let metrics = Arc::new(Metrics::default());
    let thread = LogThread::start(storage, habits, None, metrics, inbox).expect("a thread");
    Log {
        thread,
        told,
        directory,
    }
}

fn append(n: u32) -> (StorageSeq, StorageOp) {
    let txn = Txn {
        header: TxnHeader {
            session: SessionId(1),
            cxid: 1,
            zxid: Zxid::new(Epoch(1), n),
            time_ms: 5,
        },
        body: TxnBody::CreateSession { timeout_ms: 1000 },
        digest: None,
    };
    (StorageSeq(u64::from(n)), StorageOp::Append(Arc::new(txn)))
}

impl Log {
    fn send(&self, work: impl IntoIterator<Item = (StorageSeq, StorageOp)>) {
        let work = work.into_iter().collect();
        self.thread.sender().send(work).expect("it runs");
    }

    /// What is on disk with the next fsync; `None` if nothing is in time.
    fn durable(&self, wait: Duration) -> Option<u64> {
        match self.told.recv_timeout(wait) {
            Ok(Inbox::Peer(InputKind::Durable(seq))) => Some(seq.0),
            Ok(_) => panic!("it tells of nothing else"),
            Err(_) => None,
        }
    }
}

#[test]
fn no_more_transactions_share_an_fsync_than_max_batch_size_allows() {
    let log = start(Sharing {
        most: Some(2),
        delay: Duration::ZERO,
        silence: Duration::ZERO,
    });
    log.send((1..=5).map(append));
    let durable: Vec<_> = (0..3).map(|_| log.durable(HOUR)).collect();
    assert_eq!(durable, [Some(2), Some(4), Some(5)]);
    let log = start(Sharing {
        most: None,
        delay: Duration::ZERO,
        silence: Duration::ZERO,
    });
    log.send((1..=5).map(append));
    assert_eq!(log.durable(HOUR), Some(5));
}

#[test]
fn flush_delay_puts_an_fsync_off_until_so_many_transactions_share_it() {
    let log = start(Sharing {
        most: Some(3),
        delay: HOUR,
        silence: HOUR,
    });
    log.send([append(1)]);
    assert_eq!(log.durable(QUIET), None);
    log.send([append(2)]);
    assert_eq!(log.durable(QUIET), None);
    log.send([append(3)]);
    assert_eq!(log.durable(HOUR), Some(3));
}

#[test]
fn flush_delay_puts_an_fsync_off_until_it_is_over() {
    let delay = Duration::from_millis(300);
    let began = Instant::now();
    let log = start(Sharing {
        most: None,
        delay,
        silence: HOUR,
    });
    log.send([append(1)]);
    assert_eq!(log.durable(HOUR), Some(1));
    assert!(began.elapsed() >= delay);
}

#[test]
fn max_write_queue_poll_time_ends_the_delay_when_nothing_comes() {
    let log = start(Sharing {
        most: None,
        delay: HOUR,
        silence: Duration::from_millis(20),
    });
    log.send([append(1)]);
    assert_eq!(log.durable(HOUR / 60), Some(1));
}

#[test]
fn what_an_election_waits_for_is_not_put_off() {
    let log = start(Sharing {
        most: None,
        delay: HOUR,
        silence: HOUR,
    });
    log.send([append(1)]);
    log.send([(StorageSeq(2), StorageOp::CurrentEpoch(Epoch(1)))]);
    assert_eq!(log.durable(HOUR / 60), Some(2));
}

#[test]
fn the_end_waits_for_no_delay_and_loses_nothing() {
    let log = start(Sharing {
        most: None,
        delay: HOUR,
        silence: HOUR,
    });
    log.send([append(1)]);
    log.thread.join().expect("the disk is good");
    let dirs = Dirs::new(log.directory.path(), None);
    let (_, stored) = storage::open(&dirs, &options()).expect("good");
    assert_eq!(stored.log.len(), 1);
}

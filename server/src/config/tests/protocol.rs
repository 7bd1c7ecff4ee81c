//! What reaches the protocol and the disk of keys about learners, observers and sizes.

use super::*;
use zabscope_core::config::Joining;

#[test]
fn what_learners_and_observers_do_reaches_the_protocol() {
    let as_apache = Joining {
        observer_rest: Span::millis(200),
        ..Joining::default()
    };
    assert_eq!(good(MINIMAL).core.joining, as_apache);
    let given = good(&format!(
        "{MINIMAL}leaderConnectDelayDuringRetryMs=7\nconnectToLearnerMasterLimit=3\n\
         leader.maxTimeToWaitForEpoch=900\nforceSnapshotSync=true\n\
         leader.maxConcurrentSnapSyncs=1\nleader.maxConcurrentDiffSyncs=2\n\
         observer.reconnectDelayMs=8\nobserver.election.DelayMs=9\nsyncEnabled=false\n"
    ));
    let expected = Joining {
        connect_retry: Span::millis(7),
        connect_limit: Some(3),
        epoch_patience: Some(Span::millis(900)),
        force_snapshot: true,
        snap_syncs: 1,
        diff_syncs: 2,
        observer_reconnect: Span::millis(8),
        observer_rest: Span::millis(9),
        observer_logs: false,
    };
    assert_eq!(given.core.joining, expected);
}

#[test]
fn sizes_reach_the_protocol_and_the_disk() {
    let c = good(MINIMAL);
    assert_eq!(c.core.txn_limit(), 2 * 0xf_ffff);
    assert_eq!(c.core.snap_size_limit, Some(4 << 30));
    assert_eq!(c.storage.max_batch_size, Some(1000));
    assert!(c.storage.flush_delay.is_zero() && c.storage.max_write_queue_poll.is_zero());
    let c = good(&format!(
        "{MINIMAL}jute.maxbuffer=3000\njute.maxbuffer.extrasize=5000\nsnapSizeLimitInKb=-1\n\
         maxBatchSize=0\nflushDelay=9\n"
    ));
    assert_eq!(c.core.txn_limit(), 8000);
    assert_eq!(c.core.snap_size_limit, None);
    assert_eq!(c.storage.max_batch_size, None);
    assert_eq!(c.storage.max_write_queue_poll, Duration::from_millis(3));
    let c = good(&format!(
        "{MINIMAL}jute.maxbuffer.extrasize=0\nsnapSizeLimitInKb=2\nflushDelay=9\n\
         maxWriteQueuePollTime=5\n"
    ));
    assert_eq!(c.core.txn_limit(), 0xf_ffff + 1024);
    assert_eq!(c.core.snap_size_limit, Some(2048));
    assert_eq!(c.storage.max_write_queue_poll, Duration::from_millis(5));
}

#[test]
fn a_name_of_the_ensemble_needs_the_scheme_that_compares_it() {
    let loaded = load(&format!("{MINIMAL}ensembleAuthName=east\n")).expect("good");
    assert_eq!(loaded.config.core.rights.ensemble, None);
    let warned = |w: &Problem| w.to_string().contains("EnsembleAuthenticationProvider");
    assert!(loaded.warnings.iter().any(warned), "{:?}", loaded.warnings);
}

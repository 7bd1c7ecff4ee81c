//! ZooKeeper's metrics that are not shown here, each with the reason: a number that means nothing, or
//! that nobody measured, is worse than none.

/// A reason and the names that it holds for.
pub struct Absent {
    /// Why they are not shown.
    pub because: &'static str,
    /// What ZooKeeper calls them.
    pub names: &'static [&'static str],
}

/// All of them. Together with what is shown they are what ZooKeeper 3.9.5 shows.
pub const ABSENT: &[Absent] = &[
    Absent {
        because: "one thread does what ZooKeeper's chain of request processors does: between its \
                  parts there are no queues",
        names: &[
            "prep_processor_queue_time_ms",
            "prep_processor_queue_size",
            "prep_processor_request_queued",
            "prep_process_time",
            "proposal_process_time",
            "close_session_prep_time",
            "outstanding_changes_queued",
            "outstanding_changes_removed",
            "sync_processor_queue_size",
            "sync_processor_queue_time_ms",
            "sync_process_time",
            "requests_in_session_queue",
            "pending_session_queue_size",
            "reads_after_write_in_session_queue",
            "reads_issued_from_session_queue",
            "session_queues_drained",
            "time_waiting_empty_pool_in_commit_processor_read_ms",
            "write_batch_time_in_commit_processor",
            "concurrent_request_processing_in_commit_processor",
            "read_commit_proc_req_queued",
            "write_commit_proc_req_queued",
            "commit_commit_proc_req_queued",
            "request_commit_queued",
            "read_commit_proc_issued",
            "write_commit_proc_issued",
            "read_commitproc_time_ms",
            "write_commitproc_time_ms",
            "local_write_committed_time_ms",
            "server_write_committed_time_ms",
            "commit_process_time",
            "read_final_proc_time_ms",
            "write_final_proc_time_ms",
            "learner_request_processor_queue_size",
            "requests_not_forwarded_to_commit_processor",
            "skip_learner_request_to_next_processor_count",
            "learner_handler_qp_size",
            "learner_handler_qp_time_ms",
        ],
    },
    Absent {
        because: "they compare the clocks of two machines, and say as much about the clocks as about \
                  the ensemble",
        names: &[
            "propagation_latency",
            "proposal_latency",
            "proposal_ack_creation_latency",
            "commit_propagation_latency",
        ],
    },
    Absent {
        because: "acknowledgements are not timed one by one; quorum_ack_latency is there",
        names: &["ack_latency"],
    },
    Absent {
        because: "replies are not cached",
        names: &[
            "response_packet_cache_hits",
            "response_packet_cache_misses",
            "response_packet_get_children_cache_hits",
            "response_packet_get_children_cache_misses",
        ],
    },
    Absent {
        because: "dead watches are removed at once",
        names: &[
            "add_dead_watcher_stall_time",
            "dead_watchers_queued",
            "dead_watchers_cleared",
            "dead_watchers_cleaner_latency",
        ],
    },
    Absent {
        because: "how many learners are synchronised at a time is not limited",
        names: &["inflight_snap_count", "inflight_diff_count"],
    },
    Absent {
        because: "a client that has gone gets no reply",
        names: &["stale_replies"],
    },
    Absent {
        because: "of TLS only handshakes that fail are counted, and nothing of who proves what",
        names: &[
            "tls_handshake_exceeded",
            "outstanding_tls_handshake",
            "insecure_admin_count",
            "auth_failed_count",
            "non_mtls_remote_conn_count",
            "non_mtls_local_conn_count",
            "ensemble_auth_success",
            "ensemble_auth_fail",
            "ensemble_auth_skip",
        ],
    },
    Absent {
        because: "there is no Java virtual machine and no Netty, and a thread that fails ends the \
                  server",
        names: &[
            "jvm_pause_time_ms",
            "netty_queued_buffer_capacity",
            "socket_closing_time",
            "unrecoverable_error_count",
        ],
    },
    Absent {
        because: "this server is no observer master",
        names: &["om_proposal_process_time_ms", "om_commit_process_time_ms"],
    },
    Absent {
        because: "a new leader waits initLimit for a quorum, whatever voters do meanwhile",
        names: &["quit_leading_due_to_disloyal_voter"],
    },
    Absent {
        because: "clients choose the labels, so that their number has no bound",
        names: &[
            "write_per_namespace",
            "read_per_namespace",
            "quota_count_limit_per_namespace",
            "quota_bytes_limit_per_namespace",
            "quota_count_usage_per_namespace",
            "quota_bytes_usage_per_namespace",
            "quota_exceeded_error_per_namespace",
        ],
    },
];

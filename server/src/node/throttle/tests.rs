use super::*;
use crate::{
    node::{
        Inbox,
        tests::{Hand, PERMITS, TICK},
    },
    testing::TestServer,
};
use std::{net::TcpStream, thread, time::Duration};
use zabscope_core::{
    request::{CreateMode, ErrorCode, Request, Write},
    time::{Moment, Span},
};

fn settings(max_requests: u64) -> RequestThrottle {
    RequestThrottle {
        max_requests,
        stall_time: Duration::from_millis(100),
        drop_stale: true,
        stale_latency_check: false,
        throttled_op_wait: None,
    }
}

#[test]
fn without_a_limit_nobody_waits_and_who_says_who_it_is_never_does() {
    let off = Throttle::new(settings(0));
    assert!(off.lets_pass(&Request::Ping) && off.look_after().is_none());
    let mut on = Throttle::new(settings(1));
    assert!(!on.lets_pass(&Request::Ping));
    assert!(on.lets_pass(&Request::Auth {
        scheme: "digest".into(),
        auth: [].into(),
    }));
    on.wait(ClientId(1), 1, Request::Ping, Moment(0));
    assert_eq!(on.look_after(), Some(Duration::from_millis(100)));
}

const ONE: &str = "request_throttle_max_requests=1\n4lw.commands.whitelist=mntr\n";

#[test]
fn requests_that_wait_are_answered_in_their_order() {
    let s = TestServer::start(ONE);
    let mut clients: Vec<_> = (0..8).map(|_| s.session()).collect();
    for round in 0..20 {
        // All at once: one is under way, the others wait for it.
        for (n, client) in clients.iter_mut().enumerate() {
            client.send_create(&format!("/{n}-{round}"), CreateMode::Persistent);
            client.send(Request::Exists {
                path: format!("/{n}-{round}").into(),
                watch: false,
            });
        }
        for client in &mut clients {
            let made = client.receive();
            assert!(made.result.is_ok(), "{made:?}");
            let read = client.receive();
            assert!(read.result.is_ok() && read.xid == made.xid + 1, "{read:?}");
        }
    }
    let mntr = s.word("mntr");
    let waited = |name: &str| {
        let line = mntr.lines().find_map(|l| l.strip_prefix(name));
        line.and_then(|n| n.trim().parse::<u64>().ok()).expect(name)
    };
    assert!(waited("zk_request_throttle_wait_count") > 0);
    assert!(waited("zk_cnt_request_throttle_queue_time_ms") >= 320);
    assert_eq!(waited("zk_stale_requests_dropped"), 0);
    assert_eq!(waited("zk_outstanding_requests"), 0);
}

#[test]
fn a_request_that_waited_too_long_is_refused_in_its_turn_and_the_session_lives() {
    let s = TestServer::start(&format!("{ONE}throttled_op_wait_time=1\n"));
    let mut clients: Vec<_> = (0..16).map(|_| s.session()).collect();
    let mut throttled = 0;
    // How long one takes depends on the disk: until some have waited.
    for round in 0..200 {
        for (n, client) in clients.iter_mut().enumerate() {
            client.send_create(&format!("/{n}-{round}"), CreateMode::Persistent);
        }
        for (n, client) in clients.iter_mut().enumerate() {
            match client.receive().result {
                Ok(_) => {}
                Err(ErrorCode::ThrottledOp) => {
                    throttled += 1;
                    // Alone it does not wait; and nothing was carried out.
                    client.create(&format!("/{n}-{round}"), CreateMode::Persistent);
                }
                Err(other) => panic!("{other:?}"),
            }
        }
        if throttled > 0 {
            break;
        }
    }
    assert!(throttled > 0, "nobody waited for a millisecond");
    let mntr = s.word("mntr");
    assert!(
        mntr.contains(&format!("\nzk_throttled_ops\t{throttled}\n")),
        "{mntr}"
    );
}

#[test]
fn who_has_gone_is_not_waited_for() {
    let s = TestServer::start(ONE);
    let mut stays = s.session();
    for round in 0..50 {
        let mut goes = s.session();
        for n in 0..10 {
            stays.send_create(&format!("/s{round}-{n}"), CreateMode::Persistent);
            goes.send_create(&format!("/g{round}-{n}"), CreateMode::Persistent);
        }
        drop(goes);
        for _ in 0..10 {
            assert!(stays.receive().result.is_ok());
        }
    }
    // All permits came back: nothing hangs.
    stays.create("/end", CreateMode::Persistent);
    let mntr = s.word("mntr");
    assert!(mntr.contains("\nzk_outstanding_requests\t0\n"), "{mntr}");
}

/// Whatever is dropped otherwise: nobody can be answered who is not there.
#[test]
fn what_waits_goes_with_its_connection_and_is_counted_as_dropped() {
    for drop_stale in [true, false] {
        let mut s = Hand::start(
            TICK,
            RequestThrottle {
                drop_stale,
                ..settings(1)
            },
        );
        let all: Vec<_> = (1..=100).map(|n| s.connect(n)).collect();
        // Under way for as long as the disk says nothing.
        s.create(1, 1, "/a", CreateMode::Persistent);
        for client in 2..=100 {
            for xid in 1..=5 {
                s.create(client, xid, "/never", CreateMode::Persistent);
            }
            assert_eq!(s.node.throttle.waiting.len(), 5);
            s.take(Inbox::Gone(ClientId(client)));
            assert!(s.node.throttle.waiting.is_empty(), "{client}");
            assert_eq!(s.node.gate.available_permits(), PERMITS - 1);
        }
        let metrics = &s.node.metrics;
        assert_eq!(metrics.stale_requests_dropped.get(), 99 * 5);
        assert_eq!(metrics.stale_requests.get(), 0);
        s.durable();
        assert!(s.has("/a") && !s.has("/never"));
        assert_eq!(s.node.throttle.under_way, 0);
        assert_eq!(s.node.gate.available_permits(), PERMITS);
        drop(all);
    }
}

#[test]
fn the_end_of_a_session_that_waits_outlives_its_connection() {
    let mut s = Hand::start(TICK, settings(1));
    let _mail = s.connect(1);
    s.create(1, 1, "/e", CreateMode::Ephemeral);
    s.create(1, 2, "/never", CreateMode::Persistent);
    s.ask(1, 3, Request::CloseSession);
    assert_eq!(s.node.throttle.waiting.len(), 2);
    s.take(Inbox::Gone(ClientId(1)));
    s.durable();
    assert_eq!(s.sessions(), 0, "it would live until its time-out");
    assert!(!s.has("/e") && !s.has("/never"));
    assert_eq!(s.node.metrics.stale_requests_dropped.get(), 1);
    assert_eq!(s.node.throttle.under_way, 0);
    assert_eq!(s.node.gate.available_permits(), PERMITS);
}

#[test]
fn who_waited_for_longer_than_its_session_may_be_silent_is_dropped_if_that_is_checked() {
    for (drop_stale, checked) in [(true, true), (false, true), (true, false)] {
        let throttle = RequestThrottle {
            drop_stale,
            stale_latency_check: checked,
            ..settings(1)
        };
        // Sessions of twenty milliseconds.
        let mut s = Hand::start(Span::millis(1), throttle);
        let (_first, mut mail) = (s.connect(1), s.connect(2));
        s.create(1, 1, "/a", CreateMode::Persistent);
        s.create(2, 1, "/b", CreateMode::Persistent);
        s.create(2, 2, "/c", CreateMode::Persistent);
        thread::sleep(Duration::from_millis(60));
        s.node.let_in();
        let dropped = drop_stale && checked;
        let metrics = &s.node.metrics;
        assert_eq!(metrics.stale_requests_dropped.get(), 2 * u64::from(dropped));
        assert_eq!(s.node.throttle.waiting.is_empty(), dropped);
        assert_eq!(s.node.clients.contains_key(&ClientId(2)), !dropped);
        for _ in 0..3 {
            s.durable();
        }
        assert_eq!(s.has("/b"), !dropped);
        assert_eq!(s.has("/c"), !dropped);
        assert_eq!(mail.try_recv().is_some(), !dropped);
        let stale = s.node.metrics.stale_requests.get();
        assert_eq!(stale, 2 * u64::from(checked && !drop_stale));
        assert_eq!(s.node.gate.available_permits(), PERMITS);
    }
}

#[test]
fn clients_come_in_no_faster_than_the_bucket_fills() {
    let lines = "connection_throttle_tokens=2\nconnection_throttle_fill_time=600000\n\
                 4lw.commands.whitelist=mntr\n";
    let s = TestServer::start(lines);
    let _both = (s.session(), s.session());
    assert!(s.try_session().is_none(), "turned away");
    let mntr = s.word("mntr");
    assert!(mntr.contains("\nzk_connection_rejected\t1\n"), "{mntr}");
    assert!(
        mntr.contains("\nzk_max_connection_token_deficit\t2\n"),
        "{mntr}"
    );
    assert!(
        mntr.contains("\nzk_connection_drop_probability\t0.0\n"),
        "{mntr}"
    );
}

#[test]
fn a_large_request_without_room_ends_its_connection_before_it_is_kept() {
    use std::io::{Read, Write};
    let lines = "largeRequestThreshold=1000\nlargeRequestMaxBytes=5000\n\
                 4lw.commands.whitelist=mntr\n";
    let s = TestServer::start(lines);
    let mut client = s.session();
    client.create_with("/fits", vec![7; 3000]);
    client.create_with("/again", vec![7; 3000]);
    // Only its length has come.
    let mut stream: TcpStream = client.into_stream();
    stream.write_all(&6000_i32.to_be_bytes()).expect("it reads");
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).expect("it closes");
    assert!(rest.is_empty());
    let mntr = s.word("mntr");
    assert!(mntr.contains("\nzk_large_requests_rejected\t1\n"), "{mntr}");
}

/// -4 is the number of who says who it is; others may choose it too.
#[test]
fn a_large_request_counts_until_it_is_answered_whatever_its_number() {
    let lines = "largeRequestThreshold=1000\nlargeRequestMaxBytes=5000\n\
                 4lw.commands.whitelist=mntr\n";
    let s = TestServer::start(lines);
    let mut client = s.session();
    client.create("/a", CreateMode::Persistent);
    for _ in 0..3 {
        let set = Write::SetData {
            path: "/a".into(),
            data: Some([7; 3000].into()),
            version: -1,
        };
        let reply = client.ask_as(-4, Request::Write(set));
        assert!(reply.result.is_ok(), "{reply:?}");
    }
    // And it counts as what it is.
    let mntr = s.word("mntr");
    assert!(mntr.contains("\nzk_cnt_updatelatency\t4\n"), "{mntr}");
}

#[test]
fn who_says_nothing_is_sent_away_when_the_configuration_says() {
    use std::io::Read;
    let s = TestServer::start("nio.sessionlessCnxnTimeout=100\n");
    let at = s.server.client_address().expect("it listens");
    let mut stream = TcpStream::connect(at).expect("it accepts");
    let began = std::time::Instant::now();
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).expect("it closes");
    let took = began.elapsed();
    assert!(took >= Duration::from_millis(100) && took < Duration::from_secs(8));
}

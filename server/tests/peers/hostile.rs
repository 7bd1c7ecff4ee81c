//! Who comes to the peer ports and is no member.

use super::*;
use zabscope_server::Server;

fn three() -> Ensemble {
    let ensemble = Server::builder().servers(3).start().expect("started");
    ensemble.wait_until_serving(LIMIT).expect("serves");
    ensemble
}

/// How many strangers stand at a member's door at most (`DOOR` in the server's net).
const DOOR: usize = 128;
/// How long one may be silent (`GREETING`, `INTRODUCTION`).
const SILENCE: Duration = Duration::from_secs(5);

#[test]
fn who_says_nothing_is_sent_away_and_only_so_many_wait_at_a_time() {
    let mut ensemble = three();
    let id = ensemble.leader().expect("it serves");
    let more = DOOR + 40;
    let closers: Vec<_> = BOTH
        .into_iter()
        .flat_map(|port| {
            let one = |_| {
                let since = Instant::now();
                (knock(&ensemble, id, port), since)
            };
            let streams: Vec<_> = (0..more).map(one).collect();
            streams.into_iter().enumerate()
        })
        .map(|(n, (mut stream, since))| {
            // Some say nothing at all, some the beginning of a version or of a packet.
            say(&mut stream, &[0xff; 7][..n % 8]);
            thread::spawn(move || (until_closed(&mut stream).0, since.elapsed()))
        })
        .collect();
    // Who has a place keeps it: the ensemble takes no notice.
    let began = Instant::now();
    while began.elapsed() < SILENCE / 2 {
        assert!([1, 2, 3].iter().all(|id| serves(&ensemble, *id)));
        thread::sleep(Duration::from_millis(20));
    }
    let closed: Vec<_> = closers
        .into_iter()
        .map(|closer| closer.join().expect("it is closed"))
        .collect();
    assert!(closed.iter().all(|(said, _)| said.is_empty()));
    let mut took: Vec<_> = closed.into_iter().map(|(_, took)| took).collect();
    took.sort();
    let early = SILENCE - Duration::from_secs(1);
    assert!(took[0] > early, "nobody is cut off at once: {:?}", took[0]);
    // The others came in when the first had gone, and had their time too.
    let second = took.iter().filter(|t| **t > 2 * early).count();
    assert!(second >= 2 * (more - DOOR), "only {second} had to wait");
    let last = took.last().expect("some");
    assert!(*last < LIMIT / 2, "{last:?}");
    // And a member comes in again.
    let follower = [1, 2, 3].into_iter().find(|other| *other != id);
    let follower = follower.expect("two of them");
    ensemble.kill(follower).expect("killed");
    ensemble.restart(follower).expect("started");
    ensemble.wait_until_serving(LIMIT).expect("all serve");
}

#[test]
fn garbage_closes_the_connection_and_harms_nothing() {
    let ensemble = three();
    let before = State::of(&ensemble);
    let frame = |head: &[u8], rest: &[u8]| [head, rest].concat();
    let quorum: Vec<Vec<u8>> = vec![
        b"GET / HTTP/1.1\r\nHost: a\r\n\r\n".to_vec(),
        vec![0xff; 4096],
        vec![0x7f; 4096],
        // A packet that is a PING, before any introduction; one of no kind; one with endless data.
        frame(&[0, 0, 0, 5], &[0; 16]),
        frame(&[0, 0, 0, 99], &[0; 16]),
        frame(&[0, 0, 0, 11], &frame(&[0; 8], &[0x7f, 0xff, 0xff, 0xff])),
        // Nobody's id, the member's own, one that is negative, and an anonymous learner.
        introduction(77),
        introduction(1),
        introduction(-1),
        introduction(i64::MAX),
        frame(&[0, 0, 0, 11], &frame(&[0; 8], &[0xff; 8])),
    ];
    let election: Vec<Vec<u8>> = vec![
        b"GET / HTTP/1.1\r\nHost: a\r\n\r\n".to_vec(),
        vec![0xff; 4096],
        // An unknown version; an address that is endless, negative, no address.
        frame(&(-7_i64).to_be_bytes(), &[0; 16]),
        frame(
            &(-65536_i64).to_be_bytes(),
            &frame(&[0; 8], &[0x7f, 0xff, 0xff, 0xff]),
        ),
        frame(&(-65536_i64).to_be_bytes(), &frame(&[0; 8], &[0xff; 4])),
        frame(
            &(-65536_i64).to_be_bytes(),
            &frame(&frame(&[0; 8], &[0, 0, 0, 3]), b"\xff\xff\xff"),
        ),
        greeting(77),
        greeting(1),
        greeting(i64::MIN),
        greeting(i64::MAX),
    ];
    for (port, all) in [(Port::Quorum, quorum), (Port::Election, election)] {
        for bytes in all {
            let mut stream = knock(&ensemble, 1, port);
            say(&mut stream, &bytes);
            let _ = stream.shutdown(std::net::Shutdown::Write);
            let (said, took) = until_closed(&mut stream);
            assert_eq!(said, b"", "to {bytes:02x?}");
            assert!(took < SILENCE, "at once: {bytes:02x?} {took:?}");
        }
    }
    assert_eq!(State::of(&ensemble), before);
    ensemble.wait_until_serving(LIMIT).expect("it still serves");
}

#[test]
fn nobody_takes_the_place_of_a_learner_that_is_there() {
    // Who was heard from within a tick is there: a busy machine must not take longer.
    let tick = Duration::from_secs(1);
    let ensemble = Server::builder().servers(3).tick(tick).start();
    let ensemble = ensemble.expect("started");
    ensemble.wait_until_serving(LIMIT).expect("serves");
    let leader = ensemble.leader().expect("it serves");
    let before = State::of(&ensemble);
    for follower in [1, 2, 3].into_iter().filter(|id| *id != leader) {
        let mut liar = knock(&ensemble, leader, Port::Quorum);
        say(&mut liar, &introduction(i64::from(follower)));
        let closer = thread::spawn(move || until_closed(&mut liar));
        while !closer.is_finished() {
            assert!(serves(&ensemble, follower), "it was unseated");
            assert!(serves(&ensemble, leader), "its leader was");
            thread::sleep(Duration::from_millis(5));
        }
        let (said, _) = closer.join().expect("it is closed");
        assert_eq!(said, b"", "no LEADERINFO for who only says to be one");
    }
    assert_eq!(State::of(&ensemble), before, "nobody has voted again");
}

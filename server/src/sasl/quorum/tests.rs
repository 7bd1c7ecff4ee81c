use super::*;
use proptest::prelude::*;
use tokio::io::duplex;

fn users(password: &str) -> Arc<Users> {
    Arc::new(Users::new([("member".to_owned(), password.to_owned())]))
}

fn login(accepts: &str, required: bool, own: Option<&str>) -> Login {
    Login {
        users: users(accepts),
        required,
        own: own.map(|password| Credentials {
            name: "member".to_owned(),
            password: password.to_owned(),
        }),
    }
}

fn run<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.expect("a runtime").block_on(future)
}

/// What comes of both sides, and what each has read beyond the exchange.
fn meet(
    accepting: &Login,
    connecting: &Login,
    then: &[u8],
) -> ((io::Result<()>, Vec<u8>), io::Result<()>) {
    run(async {
        let (mut here, mut there) = duplex(1 << 16);
        let accepts = async {
            let mut early = Vec::new();
            let accepted = accept(accepting, &mut here, &mut early).await;
            drop(here);
            (accepted, early)
        };
        let connects = async {
            let mut early = Vec::new();
            connect(connecting, &mut there, &mut early).await?;
            there.write_all(then).await
        };
        tokio::join!(accepts, connects)
    })
}

#[test]
fn a_packet_is_apaches_byte_for_byte() {
    let packet = Packet {
        status: Status::InProgress,
        token: vec![1, 2],
    };
    let mut bytes = Vec::new();
    packet.encode(&mut bytes);
    // As Apache 3.8.0's QuorumAuthPacket writes it.
    let apache = [
        0x5f, 0x24, 0x35, 0x01, 0x35, 0x01, 0xed, 0xcc, 0, 0, 0, 0, 0, 0, 0, 2, 1, 2,
    ];
    assert_eq!(bytes, apache);
    bytes.push(9);
    assert_eq!(Packet::decode(&bytes), Ok(Some((packet, 18))));
    for cut in 0..18 {
        assert_eq!(Packet::decode(&bytes[..cut]), Ok(None), "{cut}");
    }
}

#[test]
fn a_token_longer_than_any_is_refused_before_it_is_waited_for() {
    let mut bytes = Vec::new();
    bytes.put_i64(MAGIC);
    bytes.put_i32(0);
    for length in [LONGEST as i32 + 1, i32::MAX, -2, i32::MIN] {
        bytes.truncate(12);
        bytes.put_i32(length);
        assert!(Packet::decode(&bytes).is_err(), "{length}");
    }
    bytes.truncate(12);
    bytes.put_i32(-1);
    let null = Packet {
        status: Status::InProgress,
        token: Vec::new(),
    };
    assert_eq!(Packet::decode(&bytes), Ok(Some((null, 16))));
}

#[test]
fn members_that_know_the_secret_find_each_other() {
    let member = login("secret", true, Some("secret"));
    let ((accepted, _), connected) = meet(&member, &member, b"");
    accepted.expect("the secret is right");
    connected.expect("the secret is right");
}

#[test]
fn what_follows_the_exchange_is_kept() {
    run(async {
        let (mut here, mut there) = duplex(1 << 16);
        let member = login("secret", true, Some("secret"));
        let accepts = async {
            let mut early = Vec::new();
            accept(&member, &mut here, &mut early).await.expect("right");
            while early.len() < 5 {
                more(&mut here, &mut early).await.expect("it is sent");
            }
            early
        };
        let connects = async {
            let mut early = Vec::new();
            connect(&member, &mut there, &mut early)
                .await
                .expect("right");
            there.write_all(b"hello").await.expect("sent");
            there
        };
        let (early, _open) = tokio::join!(accepts, connects);
        assert_eq!(early, b"hello");
    });
}

#[test]
fn a_stranger_without_the_secret_is_refused_where_it_is_required() {
    let member = login("secret", true, Some("secret"));
    let stranger = login("guess", true, Some("guess"));
    let ((accepted, _), connected) = meet(&member, &stranger, b"");
    let error = accepted.expect_err("the secret is wrong");
    assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
    let error = connected.expect_err("the secret is wrong");
    assert!(error.to_string().contains("saslLoginContext"), "{error}");

    let silent = login("secret", true, None);
    let ((accepted, _), _) = meet(&member, &silent, b"\0\0\0\x0b\0\0\0\0");
    let error = accepted.expect_err("it does not even try");
    assert!(error.to_string().contains("serverRequireSasl"), "{error}");
}

#[test]
fn where_it_is_not_required_who_does_not_authenticate_goes_on_with_all_it_said() {
    let member = login("secret", false, Some("secret"));
    let silent = login("secret", false, None);
    let said = b"\0\0\0\x0b\0\0\0\0\0";
    let ((accepted, early), connected) = meet(&member, &silent, said);
    accepted.expect("not required");
    connected.expect("nothing to do");
    assert_eq!(early, said);
    let wrong = login("guess", false, Some("guess"));
    let ((accepted, _), connected) = meet(&member, &wrong, b"");
    accepted.expect("not required");
    connected.expect_err("who does authenticate is told that it failed");
}

#[test]
fn who_says_nothing_goes_on_only_where_nothing_is_required() {
    run(async {
        let (mut here, _silent) = duplex(64);
        let lax = login("secret", false, None);
        let accepted = accept(&lax, &mut here, &mut Vec::new()).await;
        accepted.expect("not required");
        let strict = login("secret", true, None);
        let mut early = Vec::new();
        let waits = timeout(
            QUIET + Duration::from_millis(200),
            accept(&strict, &mut here, &mut early),
        );
        waits.await.expect_err("the caller's deadline ends it");
    });
}

#[test]
fn a_service_that_does_not_know_the_secret_is_not_believed() {
    run(async {
        let (mut here, mut there) = duplex(1 << 16);
        let member = login("secret", true, Some("secret"));
        let liar = async {
            let mut early = Vec::new();
            receive(&mut here, &mut early).await.expect("a beginning");
            let status = Status::Success;
            let token = b"rspauth=00000000000000000000000000000000".to_vec();
            send(&mut here, &Packet { status, token })
                .await
                .expect("sent");
        };
        let mut early = Vec::new();
        let (connected, ()) = tokio::join!(connect(&member, &mut there, &mut early), liar);
        connected.expect_err("it has proved nothing");
    });
}

#[test]
fn challenges_without_end_are_not_answered_without_end() {
    run(async {
        let (mut here, mut there) = duplex(1 << 16);
        let member = login("secret", true, Some("secret"));
        let endless = async {
            let mut early = Vec::new();
            let mut times = 0;
            while receive(&mut here, &mut early).await.is_ok() {
                times += 1;
                let status = Status::InProgress;
                let token = b"nonce=\"x\",algorithm=md5-sess".to_vec();
                if send(&mut here, &Packet { status, token }).await.is_err() {
                    break;
                }
            }
            times
        };
        let connects = async {
            let connected = connect(&member, &mut there, &mut Vec::new()).await;
            drop(there);
            connected
        };
        let (times, connected) = tokio::join!(endless, connects);
        connected.expect_err("there is one challenge");
        assert_eq!(times, MOST);
    });
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(
        magic in any::<bool>(),
        rest in prop::collection::vec(any::<u8>(), 0..64),
    ) {
        let mut bytes = if magic { MAGIC.to_be_bytes().to_vec() } else { Vec::new() };
        bytes.extend(rest);
        if let Ok(Some((_, used))) = Packet::decode(&bytes) {
            prop_assert!(used <= bytes.len());
        }
    }

    #[test]
    fn no_stranger_gets_in_by_saying_something(
        chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..6),
    ) {
        let strict = login("secret", true, None);
        let accepted = run(async {
            let (mut here, mut there) = duplex(1 << 16);
            for chunk in &chunks {
                let status = Status::InProgress;
                send(&mut there, &Packet { status, token: chunk.clone() }).await.expect("there is room");
            }
            there.shutdown().await.expect("it ends");
            accept(&strict, &mut here, &mut Vec::new()).await
        });
        prop_assert!(accepted.is_err());
    }
}

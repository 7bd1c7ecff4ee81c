use super::*;
use crate::{
    request::{Acl, ErrorCode},
    txn::Data,
};
use proptest::prelude::*;

const LIMIT: usize = 1 << 20;

/// What Apache 3.8.0 proposed when observer 4 was removed.
const RECONFIG: &str = "0300003c4cf90000000000010000000300000003000001a1fcf8daeb00000010\
    000000112f7a6f6f6b65657065722f636f6e66696700000003610a62ffffffff00000002000002f2c8bb9b4e";

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits
        .chunks_exact(2)
        .map(|pair| {
            let pair = std::str::from_utf8(pair).expect("digits");
            u8::from_str_radix(pair, 16).expect("two digits")
        })
        .collect()
}

/// Payloads of the records of two logs of Apache 3.8.0.
fn apache() -> Vec<Vec<u8>> {
    let logs = [
        include_str!("../../../tests/fixtures/files-log.1.jsonl"),
        include_str!("../../../tests/fixtures/files-log.1e.jsonl"),
    ];
    logs.iter()
        .flat_map(|log| log.lines())
        .map(|line| {
            let record: serde_json::Value = serde_json::from_str(line).expect("JSON");
            let bytes = hex(record["hex"].as_str().expect("hex"));
            bytes[12..bytes.len() - 1].to_vec()
        })
        .collect()
}

fn encoded(txn: &Txn) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode(txn, &mut bytes);
    bytes
}

fn txn(body: TxnBody) -> Txn {
    Txn {
        header: TxnHeader {
            session: SessionId(0x1_0000_0000),
            cxid: 7,
            zxid: Zxid(0x5_0000_0001),
            time_ms: 1_234,
        },
        body,
        digest: None,
    }
}

#[test]
fn transactions_of_apache_come_back_byte_for_byte() {
    let all = apache();
    assert_eq!(all.len(), 31);
    for bytes in all {
        let txn = decode(&bytes, LIMIT).expect("Apache wrote it");
        assert_eq!(encoded(&txn), bytes, "{txn:?}");
    }
}

#[test]
fn a_reconfig_of_apache_comes_back_byte_for_byte() {
    let bytes = hex(RECONFIG);
    let txn = decode(&bytes, LIMIT).expect("Apache wrote it");
    assert_eq!(
        txn.body,
        TxnBody::Reconfig {
            data: Some(Arc::from(*b"a\nb")),
            version: -1
        }
    );
    assert_eq!(encoded(&txn), bytes);
}

#[test]
fn a_reconfig_of_another_znode_is_refused() {
    let mut bytes = hex(RECONFIG);
    bytes[40] = b'y';
    assert!(matches!(
        decode(&bytes, LIMIT),
        Err(DecodeError::Malformed { at: 32, .. })
    ));
}

#[test]
fn a_create_without_parent_cversion_is_one_more_than_the_parent_has() {
    let full = encoded(&txn(TxnBody::Create(CreateTxn {
        path: "/a".into(),
        data: None,
        acl: Arc::from([]),
        parent_cversion: 9,
        kind: CreateKind::Ephemeral { create2: false },
    })));
    let old = decode(&full[..full.len() - 4], LIMIT).expect("CreateTxnV0");
    assert!(matches!(
        old.body,
        TxnBody::Create(CreateTxn {
            parent_cversion: -1,
            kind: CreateKind::Ephemeral { create2: false },
            ..
        })
    ));
}

#[test]
fn a_close_session_without_paths_is_read_with_and_without_digest() {
    let full = encoded(&txn(TxnBody::CloseSession { paths: Vec::new() }));
    let bare = &full[..HEADER_BYTES];
    let read = decode(bare, LIMIT).expect("before 3.6");
    assert_eq!(read, txn(TxnBody::CloseSession { paths: Vec::new() }));
    let mut with_digest = bare.to_vec();
    with_digest.put_i32(2);
    with_digest.put_i64(77);
    let read = decode(&with_digest, LIMIT).expect("closeSessionTxn.enabled=false");
    assert_eq!(read.body, TxnBody::CloseSession { paths: Vec::new() });
    assert_eq!(read.digest, Some(77));
}

#[test]
fn twelve_bytes_of_paths_are_paths() {
    let one = txn(TxnBody::CloseSession {
        paths: vec!["/abc".into()],
    });
    let bytes = encoded(&one);
    assert_eq!(bytes.len(), HEADER_BYTES + 12);
    assert_eq!(decode(&bytes, LIMIT), Ok(one));
}

#[test]
fn a_digest_of_another_version_is_read_over() {
    let mut bytes = encoded(&txn(TxnBody::Error(ErrorCode::NoNode)));
    bytes.put_i32(3);
    bytes.put_i64(77);
    assert_eq!(decode(&bytes, LIMIT).map(|txn| txn.digest), Ok(None));
}

#[test]
fn unknown_types_are_refused_with_their_offset() {
    let good = encoded(&txn(TxnBody::Error(ErrorCode::NoNode)));
    for kind in [0, 3, 6, 8, 9, 10, 11, 12, 17, 18, 22, 100, -12, i32::MIN] {
        let mut bytes = good.clone();
        bytes[28..32].copy_from_slice(&kind.to_be_bytes());
        assert_eq!(
            decode(&bytes, LIMIT),
            Err(DecodeError::Unknown {
                what: "type of transaction",
                at: 28,
                value: kind.into()
            })
        );
    }
}

#[test]
fn a_multi_holds_no_multi_session_acl_or_reconfig() {
    for inner in [
        TxnBody::Multi(Vec::new()),
        TxnBody::CreateSession { timeout_ms: 1 },
        TxnBody::CloseSession { paths: Vec::new() },
        TxnBody::SetAcl {
            path: "/a".into(),
            acl: Arc::from([]),
            version: 1,
        },
        TxnBody::Reconfig {
            data: None,
            version: 1,
        },
    ] {
        let bytes = encoded(&txn(TxnBody::Multi(vec![inner])));
        assert!(matches!(
            decode(&bytes, LIMIT),
            Err(DecodeError::Unknown { at: 36, .. })
        ));
    }
}

#[test]
fn a_record_in_a_multi_fills_its_buffer() {
    let bytes = encoded(&txn(TxnBody::Multi(vec![TxnBody::Delete {
        path: "/a".into(),
        container: false,
    }])));
    for (length, expected_end) in [(7i32, false), (5, true)] {
        let mut bytes = bytes.clone();
        bytes.push(0);
        bytes[40..44].copy_from_slice(&length.to_be_bytes());
        let read = decode(&bytes, LIMIT);
        assert_eq!(matches!(read, Err(DecodeError::End { .. })), expected_end);
        assert_eq!(
            matches!(read, Err(DecodeError::Trailing { .. })),
            !expected_end
        );
    }
}

#[test]
fn data_above_the_limit_is_refused() {
    let bytes = encoded(&txn(TxnBody::SetData {
        path: "/a".into(),
        data: Some(Arc::from([0; 101])),
        version: 1,
    }));
    assert!(decode(&bytes, 101).is_ok());
    assert!(matches!(
        decode(&bytes, 100),
        Err(DecodeError::Length { limit: 100, .. })
    ));
}

#[test]
fn the_header_alone_can_be_read() {
    for bytes in apache() {
        let whole = decode(&bytes, LIMIT).expect("Apache wrote it");
        assert_eq!(decode_header(&bytes), Ok(whole.header));
        assert!(decode_header(&bytes[..HEADER_BYTES - 1]).is_err());
    }
}

#[test]
fn no_prefix_of_a_transaction_is_taken_for_another() {
    for bytes in apache() {
        let whole = decode(&bytes, LIMIT).expect("Apache wrote it");
        for end in 0..bytes.len() {
            // Without its digest it is a transaction of a leader that sends none, and some records
            // are legal without their end; but never with other contents.
            if let Ok(part) = decode(&bytes[..end], LIMIT) {
                assert_eq!(part.header, whole.header);
                assert_eq!(part.digest, None);
                let old_form = match &part.body {
                    TxnBody::Create(create) => create.parent_cversion == -1,
                    TxnBody::CloseSession { paths } => paths.is_empty(),
                    _ => false,
                };
                assert!(old_form || part.body == whole.body, "{part:?}");
            }
        }
    }
}

fn path() -> impl Strategy<Value = Arc<str>> {
    "(/[a-cé]{1,3}){1,3}".prop_map(Arc::from)
}

fn data() -> impl Strategy<Value = Data> {
    prop::option::of(prop::collection::vec(any::<u8>(), 0..9).prop_map(Arc::from))
}

fn acls() -> impl Strategy<Value = Arc<[Acl]>> {
    let entry = (any::<i32>(), "[a-z]{0,5}", "[a-z:]{0,5}").prop_map(|(perms, scheme, id)| Acl {
        perms,
        scheme: scheme.into(),
        id: id.into(),
    });
    prop::collection::vec(entry, 0..3).prop_map(Arc::from)
}

fn single() -> impl Strategy<Value = TxnBody> {
    let kind = prop_oneof![
        any::<bool>().prop_map(|create2| CreateKind::Persistent { create2 }),
        any::<bool>().prop_map(|create2| CreateKind::Ephemeral { create2 }),
        Just(CreateKind::Container),
        any::<i64>().prop_map(|ttl_ms| CreateKind::Ttl { ttl_ms }),
    ];
    prop_oneof![
        (path(), data(), acls(), any::<i32>(), kind).prop_map(
            |(path, data, acl, parent_cversion, kind)| TxnBody::Create(CreateTxn {
                path,
                data,
                acl,
                parent_cversion,
                kind
            })
        ),
        (path(), any::<bool>()).prop_map(|(path, container)| TxnBody::Delete { path, container }),
        (path(), data(), any::<i32>()).prop_map(|(path, data, version)| TxnBody::SetData {
            path,
            data,
            version
        }),
        (path(), any::<i32>()).prop_map(|(path, version)| TxnBody::Check { path, version }),
        (-127..=0i32)
            .prop_filter_map("a known code", ErrorCode::from_code)
            .prop_map(TxnBody::Error),
    ]
}

fn any_txn() -> impl Strategy<Value = Txn> {
    let body = prop_oneof![
        4 => single(),
        1 => prop::collection::vec(single(), 0..4).prop_map(TxnBody::Multi),
        1 => any::<i32>().prop_map(|timeout_ms| TxnBody::CreateSession { timeout_ms }),
        1 => prop::collection::vec(path(), 0..3).prop_map(|paths| TxnBody::CloseSession { paths }),
        1 => (path(), acls(), any::<i32>())
            .prop_map(|(path, acl, version)| TxnBody::SetAcl { path, acl, version }),
        1 => (data(), any::<i32>())
            .prop_map(|(data, version)| TxnBody::Reconfig { data, version }),
    ];
    let header = (any::<i64>(), any::<i32>(), any::<i64>(), any::<i64>());
    (header, body, prop::option::of(any::<u64>())).prop_map(
        |((session, cxid, zxid, time_ms), body, digest)| Txn {
            header: TxnHeader {
                session: SessionId(session),
                cxid,
                zxid: Zxid(zxid),
                time_ms,
            },
            body,
            digest,
        },
    )
}

proptest! {
    #[test]
    fn every_transaction_comes_back(txn in any_txn()) {
        let bytes = encoded(&txn);
        prop_assert_eq!(decode(&bytes, LIMIT), Ok(txn));
    }

    #[test]
    fn damaged_transactions_never_panic(
        txn in any_txn(),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut bytes = encoded(&txn);
        let at = at.index(bytes.len());
        bytes[at] = byte;
        bytes.truncate(cut.index(bytes.len() + 1));
        if let Ok(read) = decode(&bytes, LIMIT) {
            prop_assert_eq!(decode(&encoded(&read), LIMIT), Ok(read));
        }
    }

    #[test]
    fn random_bytes_never_panic(
        kind in prop::sample::select(&[-11, -10, -1, 1, 2, 5, 7, 13, 14, 15, 16, 19, 20, 21][..]),
        mut bytes in prop::collection::vec(any::<u8>(), 32..120),
    ) {
        bytes[28..32].copy_from_slice(&i32::to_be_bytes(kind));
        if let Ok(read) = decode(&bytes, LIMIT) {
            prop_assert_eq!(decode(&encoded(&read), LIMIT), Ok(read));
        }
    }
}

use super::*;
use crate::{
    id::{Epoch, SessionId},
    request::ErrorCode,
    txn::{TxnBody, TxnHeader},
};
use proptest::prelude::*;

const LIMIT: usize = 1 << 20;
const FIRST: &[u8] = include_bytes!("../../../tests/fixtures/files/log.1");
const SECOND: &[u8] = include_bytes!("../../../tests/fixtures/files/log.1e");

fn txn(zxid: Zxid) -> Txn {
    Txn {
        header: TxnHeader {
            session: SessionId(1),
            cxid: 2,
            zxid,
            time_ms: 3,
        },
        body: TxnBody::Error(ErrorCode::NoNode),
        digest: None,
    }
}

fn log(zxids: &[Zxid]) -> Vec<u8> {
    let mut bytes = Vec::new();
    FileHeader::LOG.encode(&mut bytes);
    for zxid in zxids {
        encode_record(&txn(*zxid), &mut bytes);
    }
    bytes
}

/// All records, how it ended, and the error.
fn read(bytes: &[u8]) -> (Vec<Record>, Option<LogEnd>, Option<LogError>) {
    let mut records = Vec::new();
    let mut reader = match LogReader::open(bytes, LIMIT, None) {
        Ok(reader) => reader,
        Err(error) => return (records, None, Some(error)),
    };
    let mut failed = None;
    for record in &mut reader {
        match record {
            Ok(record) => records.push(record),
            Err(error) => failed = Some(error),
        }
    }
    assert!(reader.next().is_none(), "it has ended");
    (records, reader.end(), failed)
}

fn z(counter: u32) -> Zxid {
    Zxid::new(Epoch(1), counter)
}

#[test]
fn logs_of_apache_come_back_byte_for_byte() {
    for (bytes, count) in [(FIRST, 29), (SECOND, 2)] {
        let (records, end, error) = read(bytes);
        assert!(error.is_none(), "{error:?}");
        assert_eq!(records.len(), count);
        let mut written = Vec::new();
        FileHeader::LOG.encode(&mut written);
        for record in &records {
            assert_eq!(written.len() as u64, record.at);
            let size = encode_record(&record.txn, &mut written);
            assert_eq!(record.at + size as u64, record.end);
        }
        assert_eq!(
            end,
            Some(LogEnd::Clean {
                at: written.len() as u64
            })
        );
        assert_eq!(written, bytes[..written.len()]);
        assert!(bytes[written.len()..].iter().all(|byte| *byte == 0));
    }
}

#[test]
fn a_log_cut_anywhere_gives_its_whole_records_and_a_torn_tail() {
    let (all, _, _) = read(FIRST);
    for cut in 0..FIRST.len() {
        let (records, end, error) = read(&FIRST[..cut]);
        if cut < FILE_HEADER_BYTES {
            assert!(matches!(error, Some(LogError::NoHeader)));
            continue;
        }
        assert!(error.is_none(), "cut at {cut}: {error:?}");
        let whole = all.iter().filter(|r| r.end <= cut as u64).count();
        assert_eq!(records, all[..whole], "cut at {cut}");
        let at = all[..whole]
            .last()
            .map_or(FILE_HEADER_BYTES as u64, |r| r.end);
        match end {
            Some(LogEnd::Clean { at: clean }) => {
                assert_eq!(clean, at);
                assert!(FIRST[clean as usize..cut].iter().all(|byte| *byte == 0));
            }
            Some(LogEnd::Torn { at: torn, why }) => assert_eq!((torn, why), (at, Torn::Short)),
            None => panic!("cut at {cut}: no end"),
        }
    }
}

#[test]
fn a_record_followed_by_zeros_is_torn_too() {
    let good = log(&[z(1), z(2)]);
    let (all, _, _) = read(&good);
    let first = usize::try_from(all[0].end).expect("small");
    for cut in first + 12..good.len() {
        let mut bytes = good[..cut].to_vec();
        bytes.resize(good.len() + 4096, 0);
        let (records, end, error) = read(&bytes);
        assert!(error.is_none(), "cut at {cut}: {error:?}");
        assert_eq!(records, all[..1]);
        let why = Torn::NoEnd;
        assert_eq!(
            end,
            Some(LogEnd::Torn {
                at: all[0].end,
                why
            }),
            "cut at {cut}"
        );
    }
}

#[test]
fn zeros_with_something_behind_them_are_a_hole() {
    let mut bytes = log(&[z(1)]);
    let at = bytes.len() as u64;
    bytes.resize(bytes.len() + 200_000, 0);
    assert_eq!(read(&bytes).1, Some(LogEnd::Clean { at }));
    bytes.push(1);
    let why = Torn::Hole;
    assert_eq!(read(&bytes).1, Some(LogEnd::Torn { at, why }));
}

#[test]
fn a_wrong_checksum_is_an_error_with_its_offset() {
    let mut bytes = log(&[z(1), z(2), z(3)]);
    let (all, _, _) = read(&bytes);
    let at = all[1].at;
    bytes[usize::try_from(at).expect("small") + 20] ^= 1;
    let (records, end, error) = read(&bytes);
    assert_eq!((records.len(), end), (1, None));
    assert!(matches!(error, Some(LogError::Checksum { at: found, .. }) if found == at));
}

#[test]
fn a_hole_in_an_epoch_is_an_error_with_its_offset() {
    let later = |counter| Zxid::new(Epoch(3), counter);
    for (zxids, good) in [
        (vec![z(1), z(3)], 1),
        (vec![z(2), z(1)], 1),
        (vec![z(1), later(2)], 1),
        (vec![later(1), z(9)], 1),
        (vec![z(u32::MAX), Zxid::new(Epoch(2), 0)], 1),
        (vec![z(1), z(1), z(2)], 3),
        (vec![z(1), z(2), later(1), later(2)], 4),
    ] {
        let bytes = log(&zxids);
        let (records, _, error) = read(&bytes);
        assert_eq!(records.len(), good, "{zxids:?}");
        assert_eq!(
            good < zxids.len(),
            matches!(error, Some(LogError::Order { at, .. }) if at == records[good - 1].end)
        );
    }
}

#[test]
fn the_first_record_follows_what_the_reader_was_told() {
    let bytes = log(&[z(5)]);
    for (previous, fits) in [(None, true), (Some(z(4)), true), (Some(z(3)), false)] {
        let mut reader = LogReader::open(&bytes[..], LIMIT, previous).expect("a log");
        assert_eq!(matches!(reader.next(), Some(Ok(_))), fits, "{previous:?}");
    }
}

#[test]
fn what_is_no_log_is_refused() {
    let snapshot = include_bytes!("../../../tests/fixtures/files/snapshot.0");
    assert!(matches!(
        read(snapshot).2,
        Some(LogError::Magic { found: 0x5a4b_534e })
    ));
    assert!(matches!(read(&[0; 4096]).2, Some(LogError::NoHeader)));
}

#[test]
fn a_length_that_lies_costs_nothing() {
    for length in [-1, i32::MIN, i32::MAX] {
        let mut bytes = log(&[]);
        bytes.put_i64(1);
        bytes.put_i32(length);
        bytes.extend_from_slice(&[1; 64]);
        assert!(matches!(
            read(&bytes).2,
            Some(LogError::Length { at: 16, .. })
        ));
    }
    let mut bytes = log(&[]);
    bytes.put_i64(1);
    bytes.put_i32(1 << 20);
    bytes.extend_from_slice(&[1; 64]);
    let why = Torn::Short;
    assert_eq!(read(&bytes).1, Some(LogEnd::Torn { at: 16, why }));
}

#[test]
fn a_payload_that_is_no_transaction_is_an_error_with_its_offset() {
    let mut bytes = log(&[]);
    let payload = [7u8; 40];
    bytes.put_i64(adler2::adler32_slice(&payload).into());
    bytes.put_len(payload.len());
    bytes.extend_from_slice(&payload);
    bytes.push(END_OF_RECORD);
    assert!(matches!(read(&bytes).2, Some(LogError::Txn { at: 16, .. })));
}

/// Gives one byte at a time, and is interrupted before each.
struct Drops<'a>(&'a [u8], bool);

impl Read for Drops<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.1 = !self.1;
        if self.1 {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let n = self.0.len().min(buffer.len()).min(1);
        buffer[..n].copy_from_slice(&self.0[..n]);
        self.0 = &self.0[n..];
        Ok(n)
    }
}

#[test]
fn it_does_not_matter_in_which_pieces_a_log_comes() {
    let reader = LogReader::open(Drops(FIRST, false), LIMIT, None).expect("a log");
    let records: Result<Vec<_>, _> = reader.collect();
    assert_eq!(records.expect("Apache wrote it"), read(FIRST).0);
}

struct Broken;

impl Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::Error::other("a bad sector"))
    }
}

#[test]
fn an_unreadable_input_is_an_error_and_no_end() {
    let input = (&FIRST[..100]).chain(Broken);
    let mut reader = LogReader::open(input, LIMIT, None).expect("the header is readable");
    let failed = reader.find_map(Result::err);
    assert!(
        matches!(failed, Some(LogError::Io { at: 100, .. })),
        "{failed:?}"
    );
    assert_eq!(reader.end(), None);
}

proptest! {
    #[test]
    fn damaged_logs_never_panic_and_never_lie(
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
        cut in any::<prop::sample::Index>(),
    ) {
        let (all, _, _) = read(FIRST);
        let mut bytes = FIRST.to_vec();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        bytes.truncate(cut.index(bytes.len() + 1));
        let (records, _, _) = read(&bytes);
        prop_assert_eq!(&records[..], &all[..records.len()]);
    }

    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut log = log(&[]);
        log.extend_from_slice(&bytes);
        let _ = read(&log);
        let _ = read(&bytes);
    }
}

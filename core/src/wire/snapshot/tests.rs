use super::*;
use crate::{
    request::{CreateMode, CreateOp},
    tree::{Database, path, testing::World},
    wire::{
        jute::Writer,
        txnlog::{LogReader, encode_record},
    },
};
use proptest::prelude::*;

const LIMIT: usize = 1 << 20;
const OPTIONS: Options = Options {
    limit: LIMIT,
    ttls: crate::tree::TtlOwners::Extended,
};
const EMPTY: &[u8] = include_bytes!("../../../tests/fixtures/files/snapshot.0");
const FULL: &[u8] = include_bytes!("../../../tests/fixtures/files/snapshot.1d");
const LOG: &[u8] = include_bytes!("../../../tests/fixtures/files/log.1");
const LOG_AFTER: &[u8] = include_bytes!("../../../tests/fixtures/files/log.1e");

fn items(form: Form, bytes: &[u8]) -> Result<Vec<Item>, SnapshotError> {
    let mut parser = Parser::new(form, LIMIT);
    let mut items = Vec::new();
    parser.feed(bytes, |item| {
        items.push(item);
        Ok(())
    })?;
    parser.finish(|item| {
        items.push(item);
        Ok(())
    })?;
    Ok(items)
}

fn written(items: &[Item]) -> Vec<u8> {
    let mut writer = ItemWriter::new();
    let mut bytes = Vec::new();
    for item in items {
        writer.put(item, &mut bytes);
    }
    bytes
}

fn load(form: Form, bytes: &[u8], zxid: Zxid) -> Result<Loaded, SnapshotError> {
    let mut loader = Loader::new(form, OPTIONS);
    loader.feed(bytes)?;
    loader.finish(zxid)
}

fn encoded(db: &Database, form: Form) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(db, form);
    while encoder.next_chunk(&mut bytes) {}
    bytes
}

fn replay(db: &mut Database, log: &[u8]) {
    for record in LogReader::open(log, LIMIT, None).expect("a log") {
        db.apply(&record.expect("a record").txn);
    }
}

/// Every kind of znode, a session and three lists.
fn world() -> World {
    let mut world = World::new();
    world.create("/a");
    world.create("/a/b");
    world.make("/a/e", CreateMode::Ephemeral, CreateOp::Create);
    world.make("/c", CreateMode::Container, CreateOp::Container);
    world.make("/t", CreateMode::PersistentWithTtl, CreateOp::Ttl(77));
    world
}

#[test]
fn snapshots_of_apache_come_back_byte_for_byte() {
    for bytes in [EMPTY, FULL] {
        let items = items(Form::FILE, bytes).expect("Apache wrote it");
        assert_eq!(written(&items), bytes);
    }
}

#[test]
fn a_log_of_apache_gives_the_tree_and_digest_of_its_snapshot() {
    let loaded = load(Form::FILE, FULL, Zxid(0x1d)).expect("Apache wrote it");
    let mut db = Database::new();
    replay(&mut db, LOG);
    assert_eq!(loaded.database.digest(), 0x6_8b85_3d00);
    assert_eq!(loaded.digest, Some((Zxid(0x1d), db.digest())));
    assert_eq!(loaded.database.sessions, db.sessions);
    assert_eq!(
        loaded.database.tree.changed(&db.tree),
        Vec::<Arc<str>>::new()
    );
    assert_eq!(loaded.database, db);
    assert_eq!((loaded.last_zxid, loaded.without_acl), (None, 0));
}

#[test]
fn the_log_behind_a_snapshot_goes_on_from_it() {
    let loaded = load(Form::FILE, FULL, Zxid(0x1d)).expect("Apache wrote it");
    let mut db = loaded.database;
    replay(&mut db, LOG_AFTER);
    assert_eq!(db.digest(), 0x7_c2ab_08ab);
    assert_eq!(db.last_processed, Zxid(0x1f));
}

#[test]
fn an_empty_snapshot_of_apache_is_a_fresh_database() {
    let loaded = load(Form::FILE, EMPTY, Zxid::ZERO).expect("Apache wrote it");
    assert_eq!(loaded.database, Database::new());
    assert_eq!(loaded.digest, None);
}

#[test]
fn an_older_snapshot_is_loaded_and_the_log_of_before_replayed_on_it() {
    let mut db = load(Form::FILE, FULL, Zxid(0x1d))
        .expect("Apache wrote it")
        .database;
    let before = db.clone();
    replay(&mut db, LOG);
    assert_eq!(db, before, "what is in the snapshot already does no harm");
}

#[test]
fn a_database_comes_back_in_every_form() {
    let db = world().db;
    for form in [
        Form::FILE,
        Form::Wire,
        Form::File {
            digest: true,
            last_zxid: false,
        },
        Form::File {
            digest: false,
            last_zxid: true,
        },
        Form::File {
            digest: false,
            last_zxid: false,
        },
    ] {
        let bytes = encoded(&db, form);
        let loaded = load(form, &bytes, db.last_processed).expect("ours");
        assert_eq!(loaded.database, db, "{form:?}");
        let (digest, last_zxid) = match form {
            Form::File { digest, last_zxid } => (digest, last_zxid),
            Form::Wire => (false, false),
        };
        assert_eq!(loaded.digest.is_some(), digest, "{form:?}");
        assert_eq!(loaded.last_zxid.is_some(), last_zxid, "{form:?}");
        assert_eq!(encoded(&loaded.database, form), bytes, "{form:?}");
        if matches!(form, Form::File { .. }) {
            assert!(bytes.ends_with(&LAST_BYTES), "Apache's quick test");
        }
    }
}

#[test]
fn a_file_begins_with_the_root_under_the_empty_path() {
    let items = items(Form::FILE, &encoded(&world().db, Form::FILE)).expect("ours");
    let paths: Vec<&str> = items
        .iter()
        .filter_map(|item| match item {
            Item::Node(node) => Some(&*node.path),
            _ => None,
        })
        .collect();
    assert_eq!(paths[..2], ["", "/a"]);
    for needed in [path::ZOOKEEPER, path::QUOTA, path::CONFIG] {
        assert!(paths.contains(&needed), "{needed}");
    }
}

#[test]
fn identical_lists_share_a_key_and_no_list_has_none() {
    let items = items(Form::FILE, &encoded(&world().db, Form::FILE)).expect("ours");
    let keys: Vec<i64> = items
        .iter()
        .filter_map(|item| match item {
            Item::Acl(key, _) => Some(*key),
            _ => None,
        })
        .collect();
    assert_eq!(keys, [1, 2], "the config node's and the open one");
    let key = |path: &str| {
        items.iter().find_map(|item| match item {
            Item::Node(node) if &*node.path == path => Some(node.acl),
            _ => None,
        })
    };
    assert_eq!(key(""), Some(NO_ACL));
    assert_eq!(key(path::ZOOKEEPER), Some(NO_ACL));
    assert_eq!(key("/a"), key("/a/b"));
    assert_ne!(key("/a"), key(path::CONFIG));
}

#[test]
fn a_snapshot_may_come_in_any_pieces() {
    for form in [Form::FILE, Form::Wire] {
        let db = world().db;
        let bytes = encoded(&db, form);
        for size in [1, 2, 3, 7, 64, 1000] {
            let mut loader = Loader::new(form, OPTIONS);
            for piece in bytes.chunks(size) {
                assert_eq!(loader.feed(piece), Ok(piece.len()));
            }
            assert_eq!(loader.is_done(), form == Form::Wire);
            let loaded = loader.finish(db.last_processed).expect("ours");
            assert_eq!(loaded.database, db);
        }
    }
}

#[test]
fn what_follows_a_snapshot_on_the_wire_is_left_alone() {
    let mut bytes = encoded(&world().db, Form::Wire);
    let end = bytes.len();
    bytes.extend_from_slice(b"the next packet");
    let mut loader = Loader::new(Form::Wire, OPTIONS);
    assert_eq!(loader.feed(&bytes[..10]), Ok(10));
    assert_eq!(loader.feed(&bytes[10..]), Ok(end - 10));
    assert!(loader.is_done());
    assert_eq!(loader.feed(b"more"), Ok(0));
    assert!(loader.finish(Zxid(1)).is_ok());
}

#[test]
fn a_big_snapshot_is_written_in_pieces() {
    let mut world = World::new();
    for n in 0..2000 {
        world.create(&format!("/node-with-a-long-name-{n}"));
    }
    let mut encoder = Encoder::new(&world.db, Form::FILE);
    let (mut pieces, mut longest, mut piece) = (0, 0, Vec::new());
    while encoder.next_chunk(&mut piece) {
        pieces += 1;
        longest = longest.max(piece.len());
        piece.clear();
    }
    assert!(pieces > 2 && longest < 70_000, "{pieces} of {longest}");
}

#[test]
fn every_truncation_of_a_file_is_an_error_or_lacks_a_trailer() {
    for bytes in [FULL.to_vec(), encoded(&world().db, Form::FILE)] {
        let mut whole = Vec::new();
        for cut in 0..bytes.len() {
            if load(Form::FILE, &bytes[..cut], Zxid(0x1d)).is_ok() {
                whole.push(bytes.len() - cut);
            }
        }
        // Ends after the first seal, and after the digest's.
        assert!(
            whole.iter().all(|missing| [21, 33, 54].contains(missing)),
            "{whole:?}"
        );
        assert!(!whole.is_empty());
    }
}

#[test]
fn every_truncation_on_the_wire_is_an_error() {
    let bytes = encoded(&world().db, Form::Wire);
    for cut in 0..bytes.len() {
        assert!(matches!(
            load(Form::Wire, &bytes[..cut], Zxid(1)),
            Err(SnapshotError::Short { .. })
        ));
    }
}

#[test]
fn every_changed_byte_of_a_file_is_seen() {
    for at in 0..FULL.len() {
        let mut bytes = FULL.to_vec();
        bytes[at] ^= 0x10;
        let loaded = load(Form::FILE, &bytes, Zxid(0x1d));
        assert!(loaded.is_err(), "byte {at}");
    }
}

fn file(nodes: &[(&str, i64)], acls: &[(i64, &[Acl])]) -> Result<Loaded, SnapshotError> {
    let mut all = vec![Item::Header, Item::Sessions(0), Item::Acls(acls.len())];
    all.extend(
        acls.iter()
            .map(|(key, list)| Item::Acl(*key, Arc::from(*list))),
    );
    all.extend(nodes.iter().map(|(path, acl)| {
        Item::Node(NodeItem {
            path: Arc::from(*path),
            data: None,
            acl: *acl,
            stat: StatPersisted::default(),
        })
    }));
    all.extend([Item::EndOfNodes, Item::Seal]);
    load(Form::FILE, &written(&all), Zxid(1))
}

#[test]
fn what_is_no_tree_is_refused() {
    for (nodes, error) in [
        (vec![], SnapshotError::NoRoot("/".into())),
        (vec!["/a"], SnapshotError::NoRoot("/a".into())),
        (vec!["", ""], LoadError::Twice("".into()).into()),
        (vec!["", "/a", "/a"], LoadError::Twice("/a".into()).into()),
        (
            vec!["", "/a/b", "/a"],
            LoadError::NoParent("/a/b".into()).into(),
        ),
        (vec!["", "/a/"], LoadError::NoParent("/a/".into()).into()),
        (vec!["", "//a"], LoadError::NoParent("//a".into()).into()),
        (vec!["", "a"], LoadError::NoParent("a".into()).into()),
    ] {
        let nodes: Vec<_> = nodes.into_iter().map(|path| (path, NO_ACL)).collect();
        assert_eq!(file(&nodes, &[]), Err(error), "{nodes:?}");
    }
}

#[test]
fn a_missing_list_lets_nobody_in() {
    let loaded = file(&[("", NO_ACL), ("/a", 9)], &[]).expect("4.6 allows it");
    assert_eq!(loaded.without_acl, 1);
    let node = loaded.database.tree.node("/a").expect("there");
    assert!(node.acl().iter().all(|entry| entry.perms == 0));
    assert!(!node.acl().is_empty(), "an empty list would be open");
}

#[test]
fn two_lists_under_one_key_are_refused() {
    assert_eq!(
        file(&[("", NO_ACL)], &[(3, &[]), (3, &[])]),
        Err(SnapshotError::TwoAcls(3))
    );
}

#[test]
fn unused_lists_are_dropped() {
    let entry = Acl {
        perms: 1,
        scheme: "ip".into(),
        id: "::1".into(),
    };
    let loaded = file(&[("", NO_ACL)], &[(3, &[entry])]).expect("a tree");
    assert_eq!(loaded.database.tree.acls().count(), 1, "the config node's");
}

#[test]
fn a_digest_of_an_older_version_is_read_over() {
    let db = world().db;
    let form = Form::File {
        digest: false,
        last_zxid: false,
    };
    let mut bytes = encoded(&db, form);
    bytes.put_i64(db.last_processed.0);
    bytes.put_i32(1);
    bytes.put_str("12ab");
    bytes.put_i64(adler2::adler32_slice(&bytes).into());
    bytes.put_str("/");
    let loaded = load(form, &bytes, db.last_processed).expect("3.6.0 wrote such");
    assert_eq!((loaded.digest, loaded.database), (None, db));
}

#[test]
fn something_behind_the_last_seal_is_refused() {
    let mut bytes = encoded(&world().db, Form::FILE);
    bytes.push(0);
    assert!(load(Form::FILE, &bytes, Zxid(1)).is_err());
    bytes.resize(bytes.len() + 1000, 0);
    let at = bytes.len() as u64 - 1001 - 54;
    assert_eq!(
        load(Form::FILE, &bytes, Zxid(1)),
        Err(SnapshotError::Trailing { at })
    );
}

#[test]
fn a_log_is_no_snapshot() {
    assert_eq!(
        load(Form::FILE, LOG, Zxid(1)),
        Err(SnapshotError::Magic { found: 0x5a4b_4c47 })
    );
}

#[test]
fn counts_and_lengths_that_lie_cost_nothing() {
    for count in [-1, i32::MIN] {
        let mut bytes = Vec::new();
        bytes.put_i32(count);
        assert!(matches!(
            load(Form::Wire, &bytes, Zxid(1)),
            Err(SnapshotError::Decode { at: 0, .. })
        ));
    }
    let mut bytes = Vec::new();
    bytes.put_i32(i32::MAX);
    assert_eq!(
        load(Form::Wire, &bytes, Zxid(1)),
        Err(SnapshotError::Short { at: 4 })
    );
    let mut bytes = Vec::new();
    bytes.put_i32(0);
    bytes.put_i32(0);
    bytes.put_i32(i32::MAX);
    assert!(matches!(
        load(Form::Wire, &bytes, Zxid(1)),
        Err(SnapshotError::Decode { at: 8, .. })
    ));
}

proptest! {
    #[test]
    fn random_trees_come_back(
        writes in prop::collection::vec((0usize..4, "[a-c]", any::<bool>(), 0usize..40), 0..60),
    ) {
        let mut world = World::new();
        let mut paths = vec![String::new()];
        for (kind, name, below, data) in writes {
            let parent = if below { paths[data % paths.len()].clone() } else { String::new() };
            let at = format!("{parent}/{name}");
            match kind {
                0 => world.make(&at, CreateMode::Persistent, CreateOp::Create),
                1 => world.make(&at, CreateMode::Container, CreateOp::Container),
                2 => world.make(&at, CreateMode::PersistentWithTtl, CreateOp::Ttl(5)),
                _ => world.make(&at, CreateMode::Ephemeral, CreateOp::Create2),
            };
            if world.db.tree.contains(&at) {
                paths.push(at);
            }
        }
        let bytes = encoded(&world.db, Form::FILE);
        let loaded = load(Form::FILE, &bytes, world.db.last_processed);
        let loaded = loaded.expect("ours");
        prop_assert_eq!(loaded.digest.map(|(_, digest)| digest), Some(world.db.digest()));
        prop_assert_eq!(loaded.database.tree.recomputed_digest(), world.db.digest());
        prop_assert_eq!(loaded.database, world.db);
    }

    #[test]
    fn random_bytes_never_panic(
        from in 0usize..1412,
        bytes in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let mut all = FULL[..from.min(FULL.len())].to_vec();
        all.extend_from_slice(&bytes);
        let _ = load(Form::FILE, &all, Zxid(1));
        let _ = load(Form::FILE, &bytes, Zxid(1));
        let _ = load(Form::Wire, &all[all.len().min(16)..], Zxid(1));
    }
}

#[test]
fn a_transaction_log_and_a_snapshot_tell_the_same_story() {
    let world = world();
    let mut log = Vec::new();
    crate::wire::txnlog::FileHeader::LOG.encode(&mut log);
    for txn in &world.log {
        encode_record(txn, &mut log);
    }
    let mut db = Database::new();
    replay(&mut db, &log);
    let loaded = load(
        Form::FILE,
        &encoded(&world.db, Form::FILE),
        db.last_processed,
    );
    assert_eq!(loaded.map(|loaded| loaded.database), Ok(db));
}

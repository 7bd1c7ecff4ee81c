use super::*;
use crate::{
    config::Membership,
    id::{Epoch, SessionId},
    request::AuthId,
    time::Span,
    txn::TxnHeader,
};

const THREE: &str = "server.1=a:2888:3888:participant;a:2181\n\
                     server.2=b:2888:3888:participant;b:2181\n\
                     server.3=c:2888:3888:participant;c:2181\nversion=100000000";

fn config() -> Config {
    let mut cfg = Config::new(ServerId(1), Membership::simple(3, 0), Span::millis(2000));
    cfg.reconfig_enabled = true;
    cfg.rights.skip_acl = true;
    cfg.membership.version = Zxid(1 << 32);
    cfg.members_text = Some(THREE.into());
    cfg
}

const NOTHING: Wish<'_> = Wish {
    joining: None,
    leaving: None,
    new_members: None,
    cur_config_id: -1,
};

/// All of these follow; the text that comes of it, or the error.
fn ask(cfg: &Config, wish: Wish<'_>, synced: &[i64]) -> Result<String, ErrorCode> {
    let header = TxnHeader {
        session: SessionId(1),
        cxid: 1,
        zxid: Zxid::new(Epoch(1), 9),
        time_ms: 0,
    };
    let auth: &[AuthId] = &[];
    let context = Context { header, auth, cfg };
    let synced = synced.iter().copied().map(ServerId).collect();
    let next = decide(&Database::new(), wish, &synced, &context)?;
    assert_eq!(next.membership.version, header.zxid);
    assert_eq!(read(next.text.as_bytes()), Some(next.clone()));
    Ok(next.text.to_string())
}

fn joining(list: &str) -> Wish<'_> {
    Wish {
        joining: Some(list),
        ..NOTHING
    }
}

fn leaving(list: &str) -> Wish<'_> {
    Wish {
        leaving: Some(list),
        ..NOTHING
    }
}

#[test]
fn who_leaves_goes_first_and_who_joins_is_added_or_replaced() {
    let wish = Wish {
        leaving: Some("1, 77"),
        ..joining("server.4=d:2888:3888;d:2181,server.3=c:2888:3888:observer;c:2181")
    };
    let text = ask(&config(), wish, &[2, 4]).expect("new members");
    assert_eq!(
        text,
        "server.2=b:2888:3888:participant;b:2181\n\
         server.3=c:2888:3888:observer;c:2181\n\
         server.4=d:2888:3888:participant;d:2181\nversion=100000009"
    );
}

#[test]
fn a_whole_list_takes_the_place_of_all_and_the_rest_of_the_wish_does_not_count() {
    let wish = Wish {
        new_members: Some("server.2=b:2888:3888;2181,server.5=e:1:2;0.0.0.0:2181"),
        ..leaving("nonsense")
    };
    let text = ask(&config(), wish, &[2, 5]).expect("new members");
    assert_eq!(
        text,
        "server.2=b:2888:3888:participant;0.0.0.0:2181\n\
         server.5=e:1:2:participant;0.0.0.0:2181\nversion=100000009"
    );
}

#[test]
fn each_refusal_has_its_code() {
    let bad = Err(ErrorCode::BadArguments);
    for wish in [
        joining("some thing"),
        joining("server.4=d:2888:3888"),
        joining("server.4=d:2888:3888;d:x"),
        joining("server.900=d:2888:3888;d:2181"),
        // Where server 2 is.
        joining("server.4=b:2888:3889;d:2181"),
        leaving("x"),
        // One voter would be left.
        leaving("1,2"),
        Wish {
            new_members: Some("server.1=a:1:2:observer;3"),
            ..NOTHING
        },
        Wish {
            new_members: Some("nothing=at all"),
            ..NOTHING
        },
    ] {
        assert_eq!(ask(&config(), wish, &[1, 2, 3]), bad, "{wish:?}");
    }
    let no_quorum = Err(ErrorCode::NewConfigNoQuorum);
    let alone = joining("server.4=d:2888:3888;d:2181");
    assert_eq!(ask(&config(), alone, &[1, 2]), no_quorum);
    assert!(ask(&config(), alone, &[1, 2, 4]).is_ok());
    let old = |cur_config_id| Wish {
        cur_config_id,
        ..leaving("3")
    };
    let version = Err(ErrorCode::BadVersion);
    assert_eq!(ask(&config(), old(7), &[1, 2, 3]), version);
    assert!(ask(&config(), old(1 << 32), &[1, 2, 3]).is_ok());
}

#[test]
fn where_and_when_members_cannot_change_nothing_else_is_looked_at() {
    let nonsense = joining("some thing");
    let mut cfg = config();
    cfg.next = renumbered(&cfg, Zxid(1 << 33)).map(Arc::new);
    assert_eq!(
        ask(&cfg, nonsense, &[1]),
        Err(ErrorCode::ReconfigInProgress)
    );
    cfg.standalone = true;
    assert_eq!(ask(&cfg, nonsense, &[1]), Err(ErrorCode::Unimplemented));
    cfg.reconfig_enabled = false;
    assert_eq!(ask(&cfg, nonsense, &[1]), Err(ErrorCode::ReconfigDisabled));
}

#[test]
fn without_the_right_to_write_the_configuration_it_is_refused_last() {
    let mut cfg = config();
    cfg.rights.skip_acl = false;
    assert_eq!(ask(&cfg, leaving("3"), &[1, 2]), Err(ErrorCode::NoAuth));
    assert_eq!(
        ask(&cfg, leaving("x"), &[1, 2]),
        Err(ErrorCode::BadArguments)
    );
    // An id that has no place in session ids is no bad list for who may not ask.
    let large = joining("server.999=d:2888:3888:observer;d:2181");
    assert_eq!(ask(&cfg, large, &[1, 2]), Err(ErrorCode::NoAuth));
}

#[test]
fn addresses_that_every_machine_has_conflict_with_nobody() {
    let local = "server.1=127.0.0.1:1:2;0.0.0.0:2181\nserver.2=127.0.0.1:3:4;0.0.0.0:2182";
    let mut cfg = config();
    cfg.members_text = Some(local.into());
    let same = joining("server.4=127.0.0.1:1:2;0.0.0.0:2181");
    assert!(ask(&cfg, same, &[1, 2]).is_ok());
}

#[test]
fn a_leader_stays_only_where_it_is_found() {
    let moved = THREE.replace("b:2888", "b:2889");
    assert!(same_place(THREE, &moved, ServerId(1)));
    assert!(!same_place(THREE, &moved, ServerId(2)));
    assert!(!same_place(THREE, &moved, ServerId(9)));
}

#[test]
fn a_text_without_a_voter_is_no_configuration() {
    assert_eq!(read(b"version=5"), None);
    assert_eq!(read(b"server.1=a:1:2:observer;3\nversion=5"), None);
    assert_eq!(read(b"\xff"), None);
}

use super::{
    Compared, Context, Importance, Key, Lang, NoContext, Tone, importance, phase,
    samples::{self, ERRORS, MESSAGES, WAITS, peer, vote, zxid},
    sentence, short, t, wait, why,
};
use std::collections::{BTreeMap, BTreeSet};
use zabscope_core::{
    id::{ClientId, ServerId, SessionId, Zxid},
    peer::event::{EventKind, OpKind, Phase, SyncMode, SyncRule, VoteField},
    sim::{ClientNo, Fact, WorldEventKind},
};

/// The variants of an enum, read from its source: so that a kind without a sample is noticed.
fn variants(source: &str, name: &str) -> BTreeSet<String> {
    let start = source
        .find(&format!("pub enum {name} {{"))
        .expect("the enum is there");
    let body = &source[start..];
    let body = &body[..body.find("\n}").expect("it ends")];
    body.lines()
        .skip(1)
        .filter_map(|line| line.strip_prefix("    "))
        .filter(|line| line.starts_with(|c: char| c.is_ascii_uppercase()))
        .map(|line| {
            line.chars()
                .take_while(char::is_ascii_alphanumeric)
                .collect()
        })
        .collect()
}

fn name(fact: &Fact) -> String {
    let debug = match fact {
        Fact::Peer(e) => format!("{:?}", e.kind),
        Fact::World(e) => format!("{:?}", e.kind),
    };
    debug
        .chars()
        .take_while(char::is_ascii_alphanumeric)
        .collect()
}

fn is_peer(fact: &Fact) -> bool {
    matches!(fact, Fact::Peer(_))
}

#[test]
fn every_kind_of_event_has_a_sample() {
    let facts = samples::all();
    let peer: BTreeSet<_> = facts.iter().filter(|f| is_peer(f)).map(name).collect();
    let world: BTreeSet<_> = facts.iter().filter(|f| !is_peer(f)).map(name).collect();
    assert_eq!(
        peer,
        variants(include_str!("../../../core/src/peer/event.rs"), "EventKind")
    );
    assert_eq!(
        world,
        variants(
            include_str!("../../../core/src/sim/fact.rs"),
            "WorldEventKind"
        )
    );
}

/// Chinese letters and punctuation.
fn has_han(text: &str) -> bool {
    text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c))
}

fn check_texts(what: &str, en: &str, zh: &str) {
    assert!(!en.is_empty() && !zh.is_empty(), "{what}: empty");
    assert_ne!(en, zh, "{what}: not translated");
    assert!(!has_han(en), "{what}: Chinese in the English text: {en}");
    assert!(has_han(zh), "{what}: no Chinese in the Chinese text: {zh}");
    for text in [en, zh] {
        assert!(
            !text.contains(['{', '}']),
            "{what}: an argument was not filled: {text}"
        );
        assert!(!text.contains("  "), "{what}: two spaces: {text}");
    }
}

#[test]
fn every_sentence_is_there_in_both_languages_and_short_enough() {
    for fact in samples::all() {
        let what = name(&fact);
        let en = sentence(&fact, Lang::En, &NoContext);
        let zh = sentence(&fact, Lang::Zh, &NoContext);
        check_texts(&what, &en.text, &zh.text);
        assert_eq!(en.tone, zh.tone, "{what}");
        let len = en.text.chars().count();
        assert!(len <= 240, "{what}: {len} characters: {}", en.text);
        let len = zh.text.chars().count();
        assert!(len <= 140, "{what}: {len} characters: {}", zh.text);
        assert!(en.text.ends_with(['.', '?']), "{what}: {}", en.text);
        assert!(zh.text.ends_with(['。', '？']), "{what}: {}", zh.text);
        assert!(
            !en.text.starts_with(|c: char| c.is_ascii_lowercase())
                || en.values.first().is_some_and(|v| v.0 == 0),
            "{what}: no capital: {}",
            en.text
        );
    }
}

#[test]
fn every_line_of_the_event_list_is_one_line() {
    for fact in samples::all() {
        let what = name(&fact);
        let en = short(&fact, Lang::En, &Known);
        let zh = short(&fact, Lang::Zh, &Known);
        check_texts(&what, &en.text, &zh.text);
        let len = en.text.chars().count();
        assert!(len <= 96, "{what}: {len} characters: {}", en.text);
        assert!(
            !en.text.ends_with('.') && !zh.text.ends_with('。'),
            "{what}"
        );
    }
}

#[test]
fn every_fact_has_a_why() {
    for fact in samples::all() {
        let what = name(&fact);
        let (en, zh) = (why(&fact, Lang::En), why(&fact, Lang::Zh));
        check_texts(&what, &en.rule, &zh.rule);
        assert!(en.rule.chars().count() <= 240, "{what}: {}", en.rule);
        assert_eq!(en.values.len(), zh.values.len(), "{what}");
        assert_eq!(en.source, zh.source, "{what}");
        assert!(
            en.values.is_empty() || en.values.iter().filter(|v| v.decides).count() <= 1,
            "{what}: one comparison decides"
        );
    }
}

#[test]
fn sources_name_sections_that_exist() {
    let sections = include_str!("../../../core/src/peer/event.rs"); // cites some of them
    assert!(sections.contains("ZooKeeper.md"));
    for fact in samples::all() {
        let spec = why(&fact, Lang::En).source.spec;
        let (chapter, section) = spec.split_once('.').expect("chapter.section");
        let last = match chapter {
            "1" => 20,
            "2" => 6,
            "3" => 12,
            "4" => 10,
            other => panic!("no chapter {other}"),
        };
        let section: u32 = section.parse().expect("a number");
        assert!((1..=last).contains(&section), "{spec}");
    }
}

#[test]
fn no_two_kinds_say_the_same() {
    let mut seen: BTreeMap<String, String> = BTreeMap::new();
    for fact in samples::all() {
        let text = sentence(&fact, Lang::En, &NoContext).text;
        if let Some(other) = seen.insert(text.clone(), name(&fact)) {
            assert_eq!(other, name(&fact), "{text}");
        }
    }
}

#[test]
fn values_are_marked_in_order_and_on_character_borders() {
    for fact in samples::all() {
        for lang in Lang::ALL {
            let s = sentence(&fact, lang, &NoContext);
            let joined: String = s.pieces().map(|(piece, _)| piece).collect();
            assert_eq!(joined, s.text);
            let mut end = 0;
            for (from, to) in &s.values {
                assert!(*from >= end && to > from, "{}", s.text);
                end = *to;
            }
        }
    }
}

#[test]
fn every_label_is_there_in_both_languages() {
    // Names that are the same everywhere, and a sign.
    let same = [
        Key::AppName,
        Key::Zxid,
        Key::Myid,
        Key::AcceptedEpoch,
        Key::CurrentEpoch,
    ];
    for key in Key::ALL {
        let (en, zh) = (t(Lang::En, *key), t(Lang::Zh, *key));
        assert!(!en.is_empty() && !zh.is_empty(), "{key:?}");
        assert_eq!(en == zh, same.contains(key), "{key:?}: {en} / {zh}");
        assert!(!has_han(en), "{key:?}");
        assert!(en == zh || has_han(zh) || zh == "/", "{key:?}: {zh}");
    }
    let names: BTreeSet<_> = Key::ALL.iter().collect();
    assert_eq!(names.len(), Key::ALL.len());
}

#[test]
fn buttons_have_the_names_that_tests_rely_on() {
    for (key, name) in [
        (Key::Play, "Play"),
        (Key::Pause, "Pause"),
        (Key::Step, "Step"),
        (Key::Back, "Back"),
        (Key::NextPhase, "Next phase"),
        (Key::Crash, "Crash"),
        (Key::Restart, "Restart"),
        (Key::Share, "Share"),
    ] {
        assert_eq!(t(Lang::En, key), name);
    }
}

#[test]
fn waits_and_phases_and_names_are_translated() {
    for reason in WAITS {
        check_texts(
            "wait",
            &wait(reason, 3, Lang::En),
            &wait(reason, 3, Lang::Zh),
        );
    }
    for p in [
        Phase::Election,
        Phase::Discovery,
        Phase::Synchronisation,
        Phase::Broadcast,
    ] {
        check_texts("phase", phase(p, Lang::En), phase(p, Lang::Zh));
    }
    for code in ERRORS {
        check_texts(
            code.name(),
            super::names::error(code, Lang::En),
            super::names::error(code, Lang::Zh),
        );
    }
    for m in MESSAGES {
        check_texts(
            m.name(),
            super::names::message(m, Lang::En),
            super::names::message(m, Lang::Zh),
        );
    }
}

fn changed(by: VoteField) -> Fact {
    peer(
        ServerId(2),
        EventKind::VoteChanged {
            old: vote(1, 7, 2),
            new: vote(1, 9, 3),
            from: ServerId(3),
            by,
        },
    )
}

#[test]
fn a_changed_vote_names_both_values_as_the_drawing_does() {
    let s = sentence(&changed(VoteField::Zxid), Lang::En, &NoContext);
    assert_eq!(
        s.text,
        "Server 2 gives up its own candidacy and votes for server 3: same epoch, but 3 has seen more. Its last zxid is 1·09, that of server 2 only 1·07."
    );
    assert_eq!(s.tone, Tone::Chosen);
    let values: Vec<_> = s.pieces().filter(|p| p.1).map(|p| p.0).collect();
    assert_eq!(values, ["1·09", "1·07"]);
}

#[test]
fn the_deciding_field_is_lit_in_the_explanation() {
    let e = why(&changed(VoteField::Zxid), Lang::En);
    let decides: Vec<_> = e.values.iter().map(|v| v.decides).collect();
    assert_eq!(decides, [false, true, false]);
    let Compared { left, right, .. } = &e.values[1];
    assert_eq!(left, &("server 3".to_owned(), "1·09".to_owned()));
    assert_eq!(right, &("server 2".to_owned(), "1·07".to_owned()));
    assert_eq!(
        e.source.text(Lang::En),
        "ZooKeeper.md 2.4 · TLA+ FLEHandleNotmsg"
    );
}

#[test]
fn a_zxid_has_at_least_two_digits_for_its_counter() {
    for (z, text) in [
        (zxid(1, 9), "1·09"),
        (zxid(2, 10), "2·10"),
        (zxid(3, 0), "3·00"),
        (zxid(0, 0), "0·00"),
        (zxid(12, 1234), "12·1234"),
        (Zxid::UNINITIALISED, ""),
    ] {
        assert_eq!(super::zxid(z), text);
    }
}

struct Known;

impl Context for Known {
    fn client(&self, _: ClientId) -> Option<ClientNo> {
        Some(ClientNo(2))
    }
    fn session(&self, _: SessionId) -> Option<ClientNo> {
        Some(ClientNo(2))
    }
    fn newest_committed(&self) -> Option<Zxid> {
        Some(zxid(3, 8))
    }
}

fn read(at: Zxid) -> Fact {
    peer(
        ServerId(5),
        EventKind::ReadServed {
            client: ClientId(7),
            session: SessionId(9),
            xid: 1,
            op: OpKind::GetData,
            path: Some("/config".into()),
            zxid: at,
            error: None,
        },
    )
}

#[test]
fn a_read_that_is_behind_says_by_how_much_and_only_then() {
    let stale = sentence(&read(zxid(3, 6)), Lang::En, &Known);
    assert_eq!(
        stale.text,
        "Server 5 answers getData /config of client B from its own memory, as of 3·06, without asking anybody. Committed is 3·08 already: it is 2 behind. Allowed."
    );
    assert_eq!(stale.tone, Tone::Allowed);
    let fresh = sentence(&read(zxid(3, 8)), Lang::En, &Known);
    assert_eq!(fresh.tone, Tone::Plain);
    assert!(!fresh.text.contains("behind"));
    // Between epochs the difference of counters means nothing.
    let other = sentence(&read(zxid(2, 9)), Lang::En, &Known);
    assert!(!other.text.contains("behind"));
}

#[test]
fn who_is_not_known_is_named_by_the_connection() {
    let s = sentence(&read(zxid(3, 6)), Lang::En, &NoContext);
    assert!(s.text.contains("the client on connection 7"), "{}", s.text);
}

#[test]
fn one_is_singular() {
    let crash = |lost: &[Zxid]| {
        short(
            &samples::world(WorldEventKind::Crashed {
                server: ServerId(4),
                lost: lost.into(),
            }),
            Lang::En,
            &NoContext,
        )
        .text
    };
    assert_eq!(crash(&[]), "Server 4 crashed");
    assert_eq!(
        crash(&[zxid(1, 8)]),
        "Server 4 crashed and lost 1 transaction"
    );
    assert_eq!(
        crash(&[zxid(1, 8), zxid(1, 9)]),
        "Server 4 crashed and lost 2 transactions"
    );
}

#[test]
fn truncation_says_what_is_cut_and_why() {
    let fact = peer(
        ServerId(3),
        EventKind::SyncChosen {
            learner: ServerId(1),
            mode: SyncMode::Trunc,
            zxid: zxid(2, 10),
            because: SyncRule::AheadOfLeader,
            peer: zxid(2, 12),
            min: zxid(2, 1),
            max: zxid(2, 10),
            last_processed: zxid(2, 10),
            queued: 0,
        },
    );
    assert_eq!(
        sentence(&fact, Lang::En, &NoContext).text,
        "Leader 3 sends TRUNC 2·10 to server 1: its log ends at 2·12, above 2·10, the end of all that the leader has committed. What is too much must go."
    );
    assert_eq!(importance(&fact), Importance::Headline);
}

#[test]
fn heartbeats_and_disk_ticks_are_folded_and_turning_points_are_not() {
    for fact in samples::all() {
        match (name(&fact).as_str(), importance(&fact)) {
            ("PingsSent" | "DiskSynced" | "SessionTouched", level) => {
                assert_eq!(level, Importance::Heartbeat);
            }
            (
                "NewEpoch" | "Established" | "Committed" | "Crashed" | "Restarted" | "StaleRead",
                level,
            ) => {
                assert_eq!(level, Importance::Headline);
            }
            ("VoteChanged" | "ElectionStarted" | "Proposed" | "AckSent", level) => {
                assert_eq!(level, Importance::Step);
            }
            _ => {}
        }
    }
    // Each level is in use.
    let used: BTreeSet<_> = samples::all().iter().map(importance).collect();
    assert_eq!(used.len(), 4);
}

#[test]
fn languages_are_found_by_their_tags() {
    assert_eq!(Lang::from_tag("zh-CN"), Lang::Zh);
    assert_eq!(Lang::from_tag("zh"), Lang::Zh);
    assert_eq!(Lang::from_tag("en-GB"), Lang::En);
    assert_eq!(Lang::from_tag("de"), Lang::En);
    assert_eq!(Lang::from_tag(""), Lang::En);
    assert_eq!(Lang::from_tag("é"), Lang::En);
    for lang in Lang::ALL {
        assert_eq!(Lang::from_tag(lang.tag()), lang);
    }
}

/// What the fields of a real run hold, not only those of the samples: both lessons, each played to its
/// end, with crashes, late joiners, truncation and synchronisation.
#[test]
fn sentences_of_real_runs_are_whole() {
    let mut kinds = BTreeSet::new();
    for entry in zabscope_lessons::catalogue() {
        let lesson = zabscope_lessons::load(entry.name)
            .expect("there")
            .expect("readable");
        let steps = lesson.data.steps.len();
        let (_, history) = zabscope_lessons::Player::open(lesson, steps).expect("played");
        for record in history.records().iter() {
            let fact = &record.source;
            kinds.insert(name(fact));
            let en = sentence(fact, Lang::En, &NoContext).text;
            let zh = sentence(fact, Lang::Zh, &NoContext).text;
            check_texts(&name(fact), &en, &zh);
            assert!(en.chars().count() <= 240, "{en}");
            check_texts(
                &name(fact),
                &short(fact, Lang::En, &NoContext).text,
                &short(fact, Lang::Zh, &NoContext).text,
            );
            let e = why(fact, Lang::En);
            assert!(
                e.values
                    .iter()
                    .all(|v| !v.left.1.is_empty() && !v.right.1.is_empty())
            );
        }
    }
    assert!(kinds.len() > 50, "{} kinds of event were seen", kinds.len());
}

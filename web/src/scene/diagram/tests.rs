//! What the diagram promises: messages stand where they were, a picture is never larger than its size
//! allows, and the index is the same however it came to be.
#![allow(clippy::unwrap_used)]

use super::*;
use std::collections::BTreeMap;
use zabscope_core::{
    id::{EventId, ServerId},
    message::MessageKind,
    sim::{Action, ClientNo, Fact, History, Setup, WorldEventKind},
    time::Span,
};

fn steps(history: &mut History, n: usize) {
    for _ in 0..n {
        history.step().unwrap();
    }
}

/// An election, two clients that write, a leader that crashes, a partition, a pause.
fn eventful() -> History {
    let mut h = History::new(&Setup::default()).unwrap();
    steps(&mut h, 400);
    for client in 1..=2 {
        h.act(Action::AddClient {
            server: None,
            timeout_ms: 8000,
        })
        .unwrap();
        h.act(Action::Load {
            client: ClientNo(client),
            writes: 500,
        })
        .unwrap();
    }
    steps(&mut h, 500);
    let leader = h
        .world()
        .servers()
        .find(|s| s.peer.is_some_and(|p| p.leading().is_some()))
        .unwrap()
        .id;
    h.act(Action::Crash {
        server: leader,
        lose_unsynced: true,
    })
    .unwrap();
    steps(&mut h, 900);
    h.act(Action::Restart { server: leader }).unwrap();
    steps(&mut h, 400);
    h.act(Action::CutLink {
        a: ServerId(1),
        b: ServerId(2),
    })
    .unwrap();
    h.act(Action::Pause {
        server: ServerId(3),
    })
    .unwrap();
    steps(&mut h, 300);
    h.act(Action::Resume {
        server: ServerId(3),
    })
    .unwrap();
    steps(&mut h, 300);
    h
}

fn index(history: &History) -> Index {
    let mut index = Index::default();
    index.extend(history);
    index
}

fn whole(index: &Index, width: f64) -> View {
    View {
        from: 0.0,
        to: index.end() as f64 * 1.02,
        width,
        height: AXIS + LANE * index.lanes().len() as f64,
    }
}

#[test]
fn an_arrow_leaves_when_the_message_left_and_arrives_when_it_was_received() {
    let h = eventful();
    let index = index(&h);
    let records = h.all_records();
    let ids: BTreeMap<EventId, usize> = records
        .iter()
        .enumerate()
        .map(|(i, r)| (r.id(), i))
        .collect();
    let mut arrived = 0;
    for arrow in index.arrows().iter().filter(|a| a.fate == Fate::Arrived) {
        let done = records.get(arrow.done.unwrap() as usize).unwrap();
        assert_eq!(arrow.end, done.at.0);
        assert!(arrow.sent < arrow.end, "{arrow:?}");
        // It does not leave before that which made its sender send it.
        if let Some(cause) = done.cause().and_then(|id| ids.get(&id)) {
            let cause = records.get(*cause).unwrap();
            assert!(cause.at.0 <= arrow.sent, "{arrow:?} before {cause:?}");
        }
        arrived += 1;
    }
    let received = records
        .iter()
        .filter(|r| matches!(&r.source, Fact::Peer(e) if matches!(e.kind, zabscope_core::peer::event::EventKind::Received { .. })))
        .count();
    let packets = |a: &&Arrow| matches!(a.what, Carried::Packet(_));
    let drawn = index
        .arrows()
        .iter()
        .filter(packets)
        .filter(|a| a.fate == Fate::Arrived)
        .count();
    assert_eq!(drawn, received, "every arrival ends one arrow");
    assert!(arrived > received, "clients' messages arrive too");
}

#[test]
fn messages_between_two_do_not_overtake_each_other() {
    let index = index(&eventful());
    let mut last: BTreeMap<(u16, u16, bool), u64> = BTreeMap::new();
    let packets = index.arrows().iter().filter(|a| a.fate == Fate::Arrived);
    for arrow in packets {
        let Carried::Packet(kind) = arrow.what else {
            continue;
        };
        let votes = kind == MessageKind::Notification;
        let before = last.entry((arrow.from, arrow.to, votes)).or_default();
        assert!(*before <= arrow.end, "{arrow:?} arrives before {before}");
        *before = arrow.end;
    }
}

#[test]
fn what_was_cut_ends_where_it_was_cut() {
    let h = eventful();
    let index = index(&h);
    let lost = h
        .all_records()
        .iter()
        .filter(|r| matches!(&r.source, Fact::World(e) if matches!(e.kind, WorldEventKind::MessageLost { .. })))
        .count();
    let packets = |a: &&Arrow| matches!(a.what, Carried::Packet(_));
    let arrows: Vec<&Arrow> = index
        .arrows()
        .iter()
        .filter(packets)
        .filter(|a| a.fate == Fate::Lost)
        .collect();
    assert_eq!(arrows.len(), lost);
    let on_the_way: Vec<&&Arrow> = arrows
        .iter()
        .filter(|a| a.sent < a.end && a.end < a.arrives)
        .collect();
    assert!(!on_the_way.is_empty(), "a crash cuts what is under way");
    for arrow in on_the_way {
        let no = index.arrows().iter().position(|a| *a == **arrow).unwrap() as u32;
        let view = View {
            from: arrow.sent as f64 - 100.0,
            to: arrow.arrives as f64 + 100.0,
            width: 1000.0,
            height: 300.0,
        };
        let picture = picture(&index, &view, true, &[no]);
        let line = picture.lines.iter().find(|l| l.arrow == no).unwrap();
        let (y0, y1) = (
            picture.lanes[usize::from(arrow.from)].y,
            picture.lanes[usize::from(arrow.to)].y,
        );
        let part = (line.to.1 - y0) / (y1 - y0);
        let wanted = (arrow.end - arrow.sent) as f64 / (arrow.arrives - arrow.sent) as f64;
        let least = 9.0 / (y1 - y0).abs();
        assert!(
            (part - wanted.max(least)).abs() < 0.01,
            "{part} for {wanted}"
        );
    }
}

#[test]
fn the_index_is_the_same_however_it_grew() {
    let mut h = eventful();
    let end = h.end();
    let at_once = index(&h);
    let mut grown = Index::default();
    let setup = h.world().setup().clone();
    let actions = h.actions();
    let mut again = History::new(&setup).unwrap();
    let mut next = actions.into_iter().peekable();
    while again.cursor() < end {
        while let Some(timed) = next.next_if(|t| t.step == again.cursor()) {
            again.act(timed.action).unwrap();
            grown.extend(&again);
        }
        again.step().unwrap();
        grown.extend(&again);
    }
    assert_eq!(grown.arrows(), at_once.arrows());
    let view = whole(&at_once, 700.0);
    assert_eq!(
        picture(&grown, &view, true, &[]),
        picture(&at_once, &view, true, &[])
    );
    // The past is looked at with its future; another branch is another picture.
    h.goto(600);
    grown.extend(&h);
    let mut back = at_once.clone();
    back.extend(&h);
    assert_eq!(back.arrows(), at_once.arrows());
    h.back();
    h.act(Action::Crash {
        server: ServerId(2),
        lose_unsynced: false,
    })
    .unwrap();
    back.extend(&h);
    assert!(back.arrows().len() < at_once.arrows().len());
}

#[test]
fn a_crash_is_a_gap_and_leadership_a_band_with_its_epoch() {
    let h = eventful();
    let index = index(&h);
    let lead = |lane: &&index::Lane| {
        lane.bands(0, u64::MAX - 1)
            .any(|b| b.kind == BandKind::Leading && b.epoch == Epoch(1))
    };
    let lane = index.lanes().iter().find(lead).unwrap();
    let bands: Vec<&Band> = lane.bands(0, u64::MAX - 1).collect();
    let gap = bands.windows(2).find(|w| w[0].to < w[1].from).unwrap();
    assert_eq!(gap[0].kind, BandKind::Leading, "the leader crashed");
    let crashed = h
        .all_records()
        .iter()
        .find(|r| matches!(&r.source, Fact::World(e) if matches!(e.kind, WorldEventKind::Crashed { .. })))
        .unwrap()
        .at;
    assert_eq!(gap[0].to, crashed.0);
    for lane in index.lanes() {
        for two in lane.bands(0, u64::MAX - 1).collect::<Vec<_>>().windows(2) {
            assert!(two[0].to <= two[1].from, "{two:?} overlap");
        }
    }
    let paused = index.lanes()[2]
        .bands(0, u64::MAX - 1)
        .filter(|b| b.kind == BandKind::Paused)
        .count();
    assert_eq!(paused, 1);
}

#[test]
fn an_acknowledgement_comes_of_its_proposal_and_leads_to_the_commit() {
    let index = index(&eventful());
    let kind = |no: u32| index.arrows()[no as usize].what;
    let mut seen = 0;
    for (no, arrow) in index.arrows().iter().enumerate() {
        if arrow.what != Carried::Packet(MessageKind::Commit) || arrow.fate != Fate::Arrived {
            continue;
        }
        let Some(parent) = arrow.parent else { continue };
        let causes = index.related(no as u32);
        assert_eq!(causes[0], parent);
        if kind(parent) == Carried::Packet(MessageKind::Ack)
            && let Some(proposal) = index.arrows()[parent as usize].parent
        {
            assert_eq!(kind(proposal), Carried::Packet(MessageKind::Proposal));
            assert!(index.related(parent).contains(&(no as u32)));
            seen += 1;
        }
    }
    assert!(seen > 50, "{seen} commits are explained");
}

/// A long run: eight clients write without a break over slow and quick links.
fn long() -> History {
    let mut h = History::new(&Setup::default()).unwrap();
    steps(&mut h, 400);
    for client in 1..=8 {
        h.act(Action::AddClient {
            server: None,
            timeout_ms: 20_000,
        })
        .unwrap();
        h.act(Action::Load {
            client: ClientNo(client),
            writes: 100_000,
        })
        .unwrap();
    }
    h.act(Action::SlowLink {
        a: ServerId(1),
        b: ServerId(5),
        extra: Span::millis(300),
    })
    .unwrap();
    while h.all_records().len() < 50_000 {
        h.step().unwrap();
    }
    h
}

#[test]
fn fifty_thousand_events_are_a_bounded_number_of_shapes_at_every_zoom() {
    let h = long();
    let index = index(&h);
    assert!(index.arrows().len() > 10_000, "{}", index.arrows().len());
    let lanes = index.lanes().len();
    assert_eq!(lanes, 13);
    for width in [340.0, 1000.0, 2400.0] {
        // Arrows; strokes in each column of two pixels; bands, dots, lanes, ticks.
        let columns = (width / 2.0_f64).ceil() as usize;
        let most = ARROWS + columns * (lanes - 1) + lanes * (2 * columns + 3) + 64;
        let mut view = whole(&index, width);
        let mut looked = 0;
        while view.to - view.from > CLOSEST * 2.0 {
            let picture = picture(&index, &view, true, &[]);
            assert!(picture.shapes() <= most, "{} of {most}", picture.shapes());
            assert!(picture.lines.len() <= ARROWS);
            looked += 1;
            view = view.zoomed(0.5, width * 0.6, index.end());
        }
        assert!(looked > 8);
    }
    // All of it in one picture is far less than one shape for each message.
    let all = picture(&index, &whole(&index, 1000.0), true, &[]);
    assert!(all.messages > 10_000);
    assert!(all.lines.len() + all.strokes.len() < all.messages);
}

#[test]
fn only_what_is_visible_is_looked_at() {
    let h = long();
    let index = index(&h);
    let middle = index.arrows()[index.arrows().len() / 2].sent;
    let mut seen = 0;
    index.visible(middle, middle + 2000, |_, arrow| {
        assert!(arrow.sent <= middle + 2000 && arrow.end >= middle);
        seen += 1;
    });
    let by_hand = index
        .arrows()
        .iter()
        .filter(|a| a.sent <= middle + 2000 && a.end >= middle)
        .count();
    assert_eq!(seen, by_hand);
    assert!(seen > 0 && seen < 1000, "{seen}");
}

#[test]
fn what_is_under_the_pointer_stays_there_when_one_zooms() {
    let view = View {
        from: 1_000_000.0,
        to: 2_000_000.0,
        width: 800.0,
        height: 200.0,
    };
    for factor in [0.5, 0.8, 1.25] {
        let zoomed = view.zoomed(factor, 300.0, 10_000_000);
        assert!((zoomed.at(300.0) - view.at(300.0)).abs() < 1.0);
        assert!(((zoomed.to - zoomed.from) / 1_000_000.0 - factor).abs() < 1e-9);
    }
    // Neither nearer than a message nor farther than the run.
    let mut near = view;
    let mut far = view;
    for _ in 0..60 {
        near = near.zoomed(0.5, 400.0, 10_000_000);
        far = far.zoomed(2.0, 400.0, 10_000_000);
    }
    assert!(near.to - near.from >= CLOSEST);
    assert!(far.to - far.from <= 11_000_001.0);
    // However far one pans, something of the run is in sight.
    let lost = view.panned(1e9, 10_000_000);
    assert!(lost.from < 10_000_000.0);
    let lost = view.panned(-1e9, 10_000_000);
    assert!(lost.to > 0.0);
}

#[test]
fn the_message_under_the_pointer_is_found_on_its_line_and_nowhere_else() {
    let index = index(&eventful());
    let arrow = index
        .arrows()
        .iter()
        .position(|a| a.what == Carried::Packet(MessageKind::Proposal) && a.fate == Fate::Arrived)
        .unwrap();
    let about = index.arrows()[arrow];
    let view = View {
        from: about.sent as f64 - 2000.0,
        to: about.end as f64 + 2000.0,
        width: 900.0,
        height: 300.0,
    };
    let picture = picture(&index, &view, false, &[]);
    let line = picture
        .lines
        .iter()
        .find(|l| l.arrow == arrow as u32)
        .unwrap();
    let near_end = (
        line.from.0 + (line.to.0 - line.from.0) * 0.97,
        line.from.1 + (line.to.1 - line.from.1) * 0.97,
    );
    assert_eq!(picture.line_at(near_end.0, near_end.1), Some(arrow as u32));
    assert_eq!(picture.line_at(-500.0, -500.0), None);
    assert!(picture.ticks.len() >= 2 && picture.ticks.is_sorted_by_key(|t| t.1));
}

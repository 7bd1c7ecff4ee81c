//! What a scene promises: nothing covers anything, everything is inside, the field that decides is lit.
//!
//! With `STAGE_PICTURES=dir` the test `pictures` writes a page for each sample, in both themes, to
//! look at.
#![allow(missing_docs, clippy::unwrap_used)]

mod samples;
mod worlds;

use zabscope_web::{
    scene::{
        Pick, Scene,
        card::{Align, BlockLook, Item, Kind, Text},
        geometry::Rect,
        glyph::BallotTone,
        place::Frame,
        scene,
        sight::Sight,
        words::Lang,
    },
    view::stage::{Stage, StageHandle, StageProps},
};

/// With the smallest in which a scene is drawn as it is: the stage of a small phone.
fn frames() -> [Frame; 3] {
    [Frame::WIDE, Frame::PHONE, Frame::fit(360.0, 360.0)]
}

fn everything() -> Vec<(String, Sight)> {
    let mut all = samples::all();
    all.extend(worlds::all());
    all
}

fn scenes() -> Vec<(String, Scene)> {
    let mut all = Vec::new();
    for (name, sight) in everything() {
        for frame in frames() {
            for lang in [Lang::En, Lang::Zh] {
                let pick = sight
                    .servers
                    .get(1)
                    .map_or(Pick::Nothing, |s| Pick::Server(s.id));
                for pick in [Pick::Nothing, pick] {
                    let (w, h) = (frame.width, frame.height);
                    let name = format!("{name} {w:.0}x{h:.0} {lang:?} {pick:?}");
                    all.push((name, scene(&sight, &pick, lang, frame)));
                }
            }
        }
    }
    all
}

#[test]
fn servers_clients_and_card_keep_apart() {
    for (name, scene) in scenes() {
        let boxes = scene.boxes();
        for (i, (a, ra)) in boxes.iter().enumerate() {
            for (b, rb) in &boxes[i + 1..] {
                assert!(
                    a == b || !ra.overlaps(rb),
                    "{name}: {a} {ra:?} overlaps {b} {rb:?}"
                );
            }
        }
    }
}

#[test]
fn everything_is_inside() {
    for (name, scene) in scenes() {
        let whole = Rect::new(0.0, 0.0, scene.width, scene.height);
        for (what, r) in scene.boxes() {
            assert!(whole.holds(&r), "{name}: {what} {r:?} leaves {whole:?}");
        }
        for t in &scene.tags {
            assert!(whole.holds(&t.boxed), "{name}: tag {t:?} leaves {whole:?}");
        }
    }
}

#[test]
fn a_slow_links_tag_leaves_clients_to_be_seen() {
    for (name, scene) in scenes() {
        for tag in &scene.tags {
            for client in &scene.clients {
                let covered = tag.boxed.shared(&client.boxed) / (client.boxed.w * client.boxed.h);
                assert!(
                    covered < 0.3,
                    "{name}: {tag:?} covers client {}",
                    client.label
                );
            }
        }
    }
}

/// Where the letters of a text are.
fn letters(t: &Text) -> Rect {
    let w = zabscope_web::scene::geometry::text_width(&t.text, t.size, t.mono);
    let x = match t.align {
        Align::Start => t.at.x,
        Align::Middle => t.at.x - w / 2.0,
        Align::End => t.at.x - w,
    };
    Rect::new(x, t.at.y - t.size * 0.7, w, t.size * 0.8)
}

#[test]
fn what_is_written_on_a_card_hides_no_transaction() {
    for (name, scene) in scenes() {
        let items = &scene.card.items;
        let texts = items.iter().filter_map(|item| match item {
            Item::Text(t) => Some(t),
            _ => None,
        });
        for t in texts {
            for item in items {
                if let Item::Block(b) = item {
                    // Widths are estimated, and rather too large than too small.
                    let mut sure = letters(t);
                    if t.align == Align::End {
                        sure.x += 0.15 * sure.w;
                    }
                    sure.w *= 0.85;
                    // With the line below it that says it is on disk.
                    let mut block = b.boxed;
                    block.h += 4.0;
                    let hidden = sure.shared(&block);
                    assert!(hidden < 1.0, "{name}: {t:?} stands on {b:?}");
                }
            }
        }
    }
}

#[test]
fn a_message_that_rests_hides_as_little_as_it_can() {
    let (mut now, mut near) = (0.0, 0.0);
    for (name, scene) in scenes() {
        let servers: Vec<Rect> = scene.servers.iter().map(|s| s.plate.boxed).collect();
        for m in scene
            .messages
            .iter()
            .filter(|m| m.stopped.is_none() && !m.label.is_empty())
        {
            assert!((0.2..=0.9).contains(&m.rest), "{name}: {m:?}");
            let hides = |part: f64| {
                let own = Rect::round(m.from.towards(m.to, part), m.size.0 / 2.0, m.size.1 / 2.0);
                servers.iter().map(|s| s.shared(&own)).sum::<f64>()
            };
            now += hides(m.rest);
            near += hides(2.0 / 3.0);
        }
    }
    assert!(now < near * 0.75, "{now} of {near}");
}

#[test]
fn what_stands_on_a_card_stays_on_it() {
    for (name, scene) in scenes() {
        let card = scene.card.boxed;
        for item in &scene.card.items {
            let r = match item {
                Item::Ballot(b) => b.boxed,
                Item::Plate(p) => p.boxed,
                Item::Block(b) => b.boxed,
                Item::Slot(s) => s.boxed,
                Item::Frame(r) => *r,
                Item::Crate { boxed, .. } => *boxed,
                Item::Tally(t) => {
                    let right = t.slots.last().map_or(0.0, |s| s.0 + s.1);
                    let left = t.slots.first().map_or(0.0, |s| s.0);
                    Rect::new(left, t.y, right - left, t.caption_at.y - t.y + 3.0)
                }
                Item::Text(t) => letters(t),
                Item::Line { .. } | Item::Cut { .. } | Item::Sample { .. } => continue,
            };
            assert!(card.holds(&r), "{name}: {item:?} leaves the card {card:?}");
        }
    }
}

#[test]
fn the_deciding_field_is_lit_in_both_ballots() {
    let scene = scene(&samples::election(5), &Pick::Nothing, Lang::En, Frame::WIDE);
    assert_eq!(scene.card.kind, Kind::Votes(zabscope_core::id::ServerId(2)));
    let ballots: Vec<_> = scene
        .card
        .items
        .iter()
        .filter_map(|i| match i {
            Item::Ballot(b) => Some(b),
            _ => None,
        })
        .collect();
    assert_eq!(ballots.len(), 2);
    assert_eq!(ballots[0].fields, ["e1", "1·07", "2"]);
    assert_eq!(ballots[1].fields, ["e1", "1·09", "3"]);
    assert!(ballots.iter().all(|b| b.lit == Some(1)), "zxid decides");
    assert_eq!(ballots[0].tone, BallotTone::Loses);
    assert_eq!(ballots[1].tone, BallotTone::Wins);
    assert_eq!(
        ballots[0].boxed.x, ballots[1].boxed.x,
        "fields stand above each other"
    );
    assert_eq!(ballots[0].widths, ballots[1].widths);
}

fn world(name: &str) -> Scene {
    let found = worlds::all().into_iter().find(|(n, _)| n == name);
    let sight = found.expect("such a world").1;
    scene(&sight, &Pick::Nothing, Lang::En, Frame::WIDE)
}

fn blocks(scene: &Scene, look: BlockLook) -> Vec<String> {
    let all = scene.card.items.iter();
    all.filter_map(|i| match i {
        Item::Block(b) if b.look == look => Some(format!("{:?}", b.zxid)),
        _ => None,
    })
    .collect()
}

#[test]
fn a_cut_tail_falls_and_stays_visible() {
    let cut = world("w-back-cut");
    assert!(
        matches!(cut.card.kind, Kind::Logs(_)),
        "{:?}",
        cut.card.kind
    );
    assert!(cut.card.title.contains("TRUNC"), "{}", cut.card.title);
    assert_eq!(blocks(&cut, BlockLook::Cut), ["1·10"]);
}

#[test]
fn what_a_diff_sends_is_missing_first_and_there_later() {
    let chosen = blocks(&world("w-diff-chosen"), BlockLook::Missing);
    assert!(chosen.len() >= 4, "{chosen:?}");
    assert!(blocks(&world("w-diff-complete"), BlockLook::Missing).is_empty());
}

#[test]
fn a_stale_read_shows_both_values_and_is_allowed() {
    let stale = world("w-stale");
    assert_eq!(stale.card.kind, Kind::Reading);
    assert_eq!(stale.card.title, "A reads /config at server 1");
    let plates: Vec<bool> = stale
        .card
        .items
        .iter()
        .filter_map(|i| match i {
            Item::Plate(p) => Some(p.ghost),
            _ => None,
        })
        .collect();
    assert_eq!(plates, [false, true], "the newest is a ghost");
}

#[test]
fn a_server_that_is_cut_off_stands_behind_a_wall() {
    assert_eq!(world("w-partition").walls.len(), 1);
    assert!(world("w-write").walls.is_empty());
}

#[test]
fn names_are_those_of_the_specification() {
    let scene = scene(&samples::broadcast(), &Pick::Nothing, Lang::En, Frame::WIDE);
    assert_eq!(
        scene.servers[2].name,
        "Server 3, leading, epoch 3, last zxid 0x300000008"
    );
    assert_eq!(scene.messages[0].name, "PROPOSAL 3·09 from 3 to 2");
}

#[test]
fn who_left_later_is_never_ahead() {
    let scene = scene(&samples::load(), &Pick::Nothing, Lang::En, Frame::WIDE);
    let mut first = (*scene.messages[0]).clone();
    let mut second = first.clone();
    first.sent.0 = 1000;
    first.arrives.0 = 9000;
    second.sent.0 = 3000;
    second.arrives.0 = 9001;
    for t in 0..10_000 {
        let t = f64::from(t);
        assert!(first.part(t) >= second.part(t), "at {t}");
    }
}

#[test]
fn targets_are_large_enough() {
    for (name, scene) in scenes() {
        let least = if scene.compact { 44.0 } else { 24.0 };
        for m in &scene.messages {
            assert!(m.hit >= least, "{name}: {m:?}");
        }
    }
}

/// Not a promise: something to look at.
#[test]
fn pictures() {
    let Ok(dir) = std::env::var("STAGE_PICTURES") else {
        return;
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let css = ["tokens.css", "stage.css"].map(|f| {
        std::fs::read_to_string(format!("{}/../static/css/{f}", env!("CARGO_MANIFEST_DIR")))
            .unwrap()
    });
    for (name, sight) in everything() {
        for (size, frame) in [("wide", Frame::WIDE), ("phone", Frame::PHONE)] {
            for (theme, lang) in [("light", Lang::En), ("dark", Lang::Zh)] {
                let pick = match name.as_str() {
                    "election" => Pick::Server(zabscope_core::id::ServerId(2)),
                    "trunc" | "diff" | "snap" => Pick::Server(zabscope_core::id::ServerId(1)),
                    _ => Pick::Nothing,
                };
                let scene = scene(&sight, &pick, lang, frame);
                let (w, h) = (scene.width, scene.height);
                let handle = StageHandle::default();
                handle.advance(scene.now.0 as f64);
                let props = StageProps {
                    scene: scene.into(),
                    lang,
                    still: name == "discovery" && size == "phone",
                    handle,
                    pick: Default::default(),
                    cut: Default::default(),
                    blow: Default::default(),
                };
                let local = tokio::task::LocalSet::new();
                let svg = local.block_on(
                    &runtime,
                    yew::LocalServerRenderer::<Stage>::with_props(props)
                        .hydratable(false)
                        .render(),
                );
                let page = format!(
                    "<!doctype html><html data-theme={theme}><meta charset=utf-8><style>{}{}\
                     body{{margin:0;background:var(--paper);width:{w}px;height:{h}px}}</style>{svg}",
                    css[0], css[1]
                );
                std::fs::write(format!("{dir}/{name}-{size}-{theme}.html"), page).unwrap();
            }
        }
    }
}

#[test]
fn what_is_under_way_between_clients_and_servers_is_drawn_each_with_a_number_of_its_own() {
    let run = worlds::busy();
    let world = run.history.world();
    let flights = world.client_flights().count();
    assert!(flights > 5, "{flights} under way");
    let sight = run.sight();
    let numbers: std::collections::BTreeSet<u64> = sight.messages.iter().map(|m| m.id).collect();
    let all = flights + world.in_flight().count();
    assert_eq!(numbers.len(), all, "each has its own number");
    let scene = scene(&sight, &Pick::Nothing, Lang::En, Frame::WIDE);
    assert!(scene.messages.len() >= all);
}

#[test]
fn a_chosen_client_lights_its_messages_and_no_others() {
    let sight = worlds::busy().sight();
    let no = zabscope_core::sim::ClientNo(1);
    let scene = scene(&sight, &Pick::Client(no), Lang::En, Frame::WIDE);
    let lit = scene.messages.iter().filter(|m| m.lit).count();
    let its = sight.messages.iter().filter(|m| m.story.client == Some(no));
    assert_eq!(lit, its.count());
    assert!(lit > 0 && lit < scene.messages.len(), "{lit} are lit");
}

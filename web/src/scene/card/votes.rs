//! Two votes, one above the other, the deciding field lit; then the tally.

use super::pen::{Align, Item, Pen, TextInk, relation};
use crate::scene::{
    geometry::text_width,
    glyph::{Ballot, BallotTone},
    place::BallotSize,
    sight::{Aside, Compared, Sight},
    words::{self, Lang},
};
use zabscope_core::{id::ServerId, peer::event::VoteField};

pub fn draw(sight: &Sight, id: ServerId, pen: &mut Pen) -> Option<(String, String)> {
    let server = sight.servers.iter().find(|s| s.id == id)?;
    let lang = pen.lang;
    let clock = match lang {
        Lang::En => format!("logical clock {}", server.round),
        Lang::Zh => format!("逻辑时钟 {}", server.round),
    };
    let compared = sight.compared.iter().rev().find(|c| c.server == id);
    let title = match (compared, lang) {
        (Some(_), Lang::En) => format!("Server {id} compares two votes"),
        (Some(_), Lang::Zh) => format!("服务器 {id} 比较两张选票"),
        (None, Lang::En) => format!("Server {id} votes"),
        (None, Lang::Zh) => format!("服务器 {id} 投票"),
    };
    match (compared, server.vote) {
        (Some(c), _) => comparison(c, pen),
        (None, Some(vote)) => {
            let tab = pen.x + pen.room(150.0, 142.0);
            let mut ballot = Ballot::of(&vote, BallotSize::Full, lang, 0.0, pen.y + 16.0);
            ballot.boxed.x = tab;
            let label = if vote.leader == id {
                lang.of("votes for itself", "投给自己")
            } else {
                lang.of("its vote", "它的选票")
            };
            heads(pen, &ballot);
            let base = ballot.boxed.centre().y + 4.5;
            pen.text(pen.x, base, label, 13.0, |t| t.ink = TextInk::Quiet);
            pen.y = ballot.boxed.bottom() + 6.0;
            pen.items.push(Item::Ballot(ballot));
        }
        (None, None) => return None,
    }
    let aside = compared.and_then(|c| c.aside).map(|a| match (a, lang) {
        (Aside::Ignored { from, because }, _) => lang.ignored(from, because),
        (Aside::RoundAdvanced { old, new }, Lang::En) => {
            format!("round {new} > {old}: the tally is cleared")
        }
        (Aside::RoundAdvanced { old, new }, Lang::Zh) => {
            format!("第 {new} 轮 > 第 {old} 轮：计票清零")
        }
    });
    if let Some(text) = aside {
        pen.y += pen.room(18.0, 15.0);
        pen.text(pen.x, pen.y, text, pen.room(13.0, 12.0), |t| {
            t.ink = TextInk::Allowed;
        });
    }
    pen.y += pen.room(12.0, 6.0);
    pen.rule();
    pen.y += pen.room(4.0, 1.0);
    if let Some(vote) = server.vote {
        let n = server.supporters.len();
        let text = match lang {
            Lang::En => format!("votes for {}, seen by {id}: {n}", vote.leader),
            Lang::Zh => format!("{id} 看到的投给 {} 的选票：{n}", vote.leader),
        };
        let text = match lang {
            // No room for a line of its own.
            Lang::En if pen.compact && server.finalizing => {
                format!("{text}, waits for a better one")
            }
            Lang::Zh if pen.compact && server.finalizing => format!("{text}，再等更好的"),
            Lang::En | Lang::Zh => text,
        };
        pen.tally(&text, &sight.quorum, &server.supporters);
        if server.finalizing && !pen.compact {
            pen.y += pen.room(18.0, 14.0);
            let text = lang.of(
                "a quorum: it waits whether a better vote comes",
                "已达法定人数：再等等有没有更好的选票",
            );
            pen.text(pen.x, pen.y, text, pen.room(13.0, 12.0), |t| {
                t.ink = TextInk::Accent;
            });
        }
    }
    Some((title, clock))
}

fn heads(pen: &mut Pen, ballot: &Ballot) {
    let mut x = ballot.boxed.x;
    let names = [
        pen.lang.of("epoch", "纪元"),
        "zxid",
        pen.lang.of("myid", "myid"),
    ];
    for (name, w) in names.into_iter().zip(&ballot.widths) {
        pen.text(x + w / 2.0, ballot.boxed.y - 5.0, name, 11.0, |t| {
            t.align = Align::Middle;
            t.ink = TextInk::Quiet;
        });
        x += w;
    }
}

fn comparison(c: &Compared, pen: &mut Pen) {
    let lang = pen.lang;
    let tab = pen.x + pen.room(150.0, 142.0);
    let step = pen.room(34.0, 30.0);
    let top = pen.y + pen.room(18.0, 13.0);
    let mut ballots = [c.ours, c.theirs].map(|vote| {
        let mut b = Ballot::of(&vote, BallotSize::Full, lang, 0.0, top);
        b.boxed.x = tab;
        b.lit = Ballot::field(c.by);
        b
    });
    // Both as wide as the wider one, so that fields stand above each other.
    for i in 0..3 {
        let w = ballots[0].widths[i].max(ballots[1].widths[i]) + 6.0;
        ballots.iter_mut().for_each(|b| b.widths[i] = w);
    }
    for (i, b) in ballots.iter_mut().enumerate() {
        b.boxed.w = b.widths.iter().sum();
        b.boxed.y = top + step * i as f64;
    }
    let better = if c.changes { 1 } else { 0 };
    if c.by != VoteField::Same {
        ballots[better].tone = BallotTone::Wins;
        ballots[1 - better].tone = BallotTone::Loses;
    }
    heads(pen, &ballots[0]);
    let labels = match lang {
        Lang::En => [
            "voted for until now".to_owned(),
            format!("from server {}", c.from),
        ],
        Lang::Zh => ["至今所投".to_owned(), format!("来自服务器 {}", c.from)],
    };
    for (b, label) in ballots.iter().zip(labels) {
        let base = b.boxed.centre().y + 4.5;
        pen.text(pen.x, base, label, pen.room(13.0, 12.0), |t| {
            t.ink = TextInk::Quiet;
        });
    }
    let (a, b) = (c.theirs, c.ours);
    let verdict = match c.by {
        VoteField::Epoch => relation(
            words::epoch(a.epoch),
            words::epoch(b.epoch),
            a.epoch.cmp(&b.epoch),
        ),
        VoteField::Zxid => relation(
            words::zxid(a.zxid),
            words::zxid(b.zxid),
            a.zxid.cmp(&b.zxid),
        ),
        VoteField::Id => relation(
            a.leader.to_string(),
            b.leader.to_string(),
            a.leader.cmp(&b.leader),
        ),
        VoteField::Same | VoteField::Weight => String::new(),
    };
    pen.y = ballots[1].boxed.bottom();
    for b in ballots {
        pen.items.push(Item::Ballot(b));
    }
    pen.y += pen.room(24.0, 19.0);
    let size = pen.room(14.0, 13.0);
    pen.text(tab, pen.y, verdict, size, |t| {
        t.mono = true;
        t.strong = true;
    });
    let outcome = match (c.changes, lang) {
        (true, Lang::En) => format!("votes for {} now", a.leader),
        (true, Lang::Zh) => format!("改投 {}", a.leader),
        (false, Lang::En) => "keeps its vote".to_owned(),
        (false, Lang::Zh) => "保持原票".to_owned(),
    };
    pen.text(pen.x, pen.y, outcome, size, |t| t.strong = true);
    // Without a verdict the reason stands in its place.
    if !matches!(c.by, VoteField::Same | VoteField::Weight) {
        pen.y += pen.room(18.0, 15.0);
    }
    let why = lang.decided(c.by);
    let left = tab.min(pen.right() - text_width(why, 12.0, false) - 2.0);
    pen.text(left, pen.y, why, 12.0, |t| {
        t.ink = TextInk::Quiet;
    });
}

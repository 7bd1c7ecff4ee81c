//! Discovery: the leader gathers acceptedEpochs, adds one, and counts who accepts.

use super::pen::{Align, Pen, TextInk, z};
use crate::scene::{
    sight::Sight,
    words::{self, Lang},
};
use std::collections::BTreeSet;
use zabscope_core::id::Epoch;

pub fn draw(sight: &Sight, pen: &mut Pen) -> Option<(String, String)> {
    let d = sight.discovery.as_ref()?;
    let lang = pen.lang;
    let title = match lang {
        Lang::En => format!("Leader {} opens an epoch", d.leader),
        Lang::Zh => format!("领导者 {} 开启新纪元", d.leader),
    };
    let small = pen.room(12.0, 11.0);
    let (tab1, tab2) = (pen.x + pen.room(92.0, 84.0), pen.x + pen.room(196.0, 180.0));
    pen.y += pen.room(10.0, 6.0);
    let heads = [
        (pen.x, lang.of("server", "服务器")),
        (tab1, "acceptedEpoch"),
        (
            tab2,
            lang.of("currentEpoch, last zxid", "currentEpoch、末尾 zxid"),
        ),
    ];
    for (x, name) in heads {
        pen.text(x, pen.y, name, small, |t| t.ink = TextInk::Quiet);
    }
    let mut rows: Vec<_> = d.infos.iter().map(|i| i.0).collect();
    for a in &d.acks {
        if !rows.contains(&a.0) {
            rows.push(a.0);
        }
    }
    let most = if pen.compact { 4 } else { 9 };
    let highest = d.infos.iter().map(|i| i.1).max();
    for id in rows.iter().take(most) {
        pen.y += pen.room(20.0, 15.0);
        pen.text(pen.x, pen.y, id.to_string(), 13.0, |t| {
            t.mono = true;
            t.strong = true;
        });
        if let Some((_, e)) = d.infos.iter().find(|i| i.0 == *id) {
            let top = Some(*e) == highest;
            pen.text(tab1, pen.y, words::epoch(*e), 13.0, |t| {
                t.mono = true;
                t.strong = top;
            });
        }
        if let Some((_, zxid, e)) = d.acks.iter().find(|a| a.0 == *id) {
            let e = e.map_or_else(
                || lang.of("accepted before", "此前已接受").to_owned(),
                words::epoch,
            );
            let text = format!("({e}, {})", z(*zxid));
            pen.text(tab2, pen.y, text, 13.0, |t| t.mono = true);
        }
    }
    if rows.len() > most {
        let more = format!("+{}", rows.len() - most);
        pen.text(pen.right(), pen.y, more, small, |t| {
            t.align = Align::End;
            t.ink = TextInk::Quiet;
        });
    }
    pen.y += pen.room(12.0, 6.0);
    pen.rule();
    pen.y += pen.room(20.0, 16.0);
    let high = highest.unwrap_or(Epoch(0));
    let sum = match d.epoch {
        Some(e) => format!(
            "max {} + 1 = {}",
            words::epoch(Epoch(e.0 - 1)),
            words::epoch(e)
        ),
        None => format!("max {} + 1 = ?", words::epoch(high)),
    };
    pen.text(pen.x, pen.y, sum, pen.room(15.0, 14.0), |t| {
        t.mono = true;
        t.strong = true;
        t.ink = d.epoch.map_or(TextInk::Ink, TextInk::Epoch);
    });
    pen.y += pen.room(8.0, 2.0);
    let (who, what): (BTreeSet<_>, _) = if d.epoch.is_some() {
        (
            d.acks
                .iter()
                .filter(|a| a.2.is_some())
                .map(|a| a.0)
                .collect(),
            lang.of("accept it: ACKEPOCH counted", "已接受：计入的 ACKEPOCH"),
        )
    } else {
        (
            d.infos.iter().map(|i| i.0).collect(),
            lang.of(
                "are there: FOLLOWERINFO counted",
                "已到场：计入的 FOLLOWERINFO",
            ),
        )
    };
    pen.tally(what, &sight.quorum, &who);
    let aside = match d.epoch {
        Some(e) => words::epoch(e),
        None => lang.of("discovery", "发现").to_owned(),
    };
    Some((title, aside))
}

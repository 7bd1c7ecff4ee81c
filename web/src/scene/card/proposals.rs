//! Broadcast: each proposal with a slot for every voter.

use super::pen::{Align, Block, BlockLook, Item, Motion, Pen, Slot, TextInk};
use crate::scene::{
    Pick,
    geometry::{Rect, text_width},
    sight::{Mark, ProposalSight, Role, Sight},
    words::Lang,
};
use zabscope_core::id::ServerId;

pub fn draw(sight: &Sight, pick: &Pick, pen: &mut Pen) -> Option<(String, String)> {
    let lang = pen.lang;
    let leader = sight
        .servers
        .iter()
        .find(|s| s.role == Role::Leading)
        .map(|s| s.id);
    let title = match (leader, lang) {
        (Some(id), Lang::En) => format!("Leader {id}: proposals and their ACKs"),
        (Some(id), Lang::Zh) => format!("领导者 {id}：提议与 ACK"),
        (None, _) => lang.of("The last proposals", "最后的提议").to_owned(),
    };
    let need = sight.quorum.smallest();
    let voters: Vec<ServerId> = sight.quorum.voters().iter().copied().collect();
    let (bw, bh) = pen.block_size();
    let left = pen.x + bw + 14.0;
    let stamp_w = 84.0;
    let step = ((pen.right() - stamp_w - left) / voters.len() as f64).clamp(17.0, 26.0);
    let side = (step - 3.0).min(pen.room(18.0, 17.0));
    let column = |i: usize| left + step * i as f64;
    // As many as there is room for above the legend; on a phone always as many as there.
    let rows = if pen.compact {
        3
    } else {
        pen.rows(bh + 28.0, 66.0).min(7)
    };
    let shown = &sight.proposals[sight.proposals.len().saturating_sub(rows)..];
    pen.y += pen.room(14.0, 6.0);
    for (i, v) in voters.iter().enumerate() {
        let chosen = *pick == Pick::Server(*v);
        pen.text(column(i) + side / 2.0, pen.y, v.to_string(), 12.0, |t| {
            t.align = Align::Middle;
            t.mono = true;
            t.strong = chosen || Some(*v) == leader;
            t.ink = if chosen {
                TextInk::Accent
            } else {
                TextInk::Quiet
            };
        });
    }
    pen.text(
        pen.right(),
        pen.y,
        lang.of("on disk", "已落盘"),
        11.0,
        |t| {
            t.align = Align::End;
            t.ink = TextInk::Quiet;
        },
    );
    pen.y += 8.0;
    for p in shown {
        let y = pen.y;
        pen.items.push(Item::Block(Block {
            key: format!("p{}", p.zxid.0),
            zxid: p.zxid,
            boxed: Rect::new(pen.x, y, bw, bh),
            look: if p.committed {
                BlockLook::Solid
            } else {
                BlockLook::Dashed
            },
            disk: leader.map(|l| mark(p, l) >= Mark::OnDisk),
            motion: Motion::Still,
        }));
        for (i, v) in voters.iter().enumerate() {
            let m = mark(p, *v);
            pen.items.push(Item::Slot(Slot {
                boxed: Rect::new(column(i), y + (bh - side) / 2.0, side, side),
                label: v.to_string(),
                mark: m,
                name: slot_name(lang, *v, m),
            }));
        }
        let have = p.marks.iter().filter(|(_, m)| *m == Mark::Acked).count();
        let (stamp, ink) = if p.committed {
            (lang.of("committed", "已提交").to_owned(), TextInk::Accent)
        } else {
            match lang {
                Lang::En => (format!("{have} of {need}"), TextInk::Ink),
                Lang::Zh => (format!("{have} / {need}"), TextInk::Ink),
            }
        };
        let base = y + bh / 2.0 + 4.5;
        let w = text_width(&stamp, 12.0, false) * 1.06 + 14.0;
        let x = pen.right() - if p.committed { w / 2.0 } else { w / 2.0 - 7.0 };
        if p.committed {
            let stamped = Rect::new(pen.right() - w, y + bh / 2.0 - 10.0, w, 20.0);
            pen.items.push(Item::Frame(stamped));
        }
        pen.text(x, base, stamp, 12.0, |t| {
            t.align = Align::Middle;
            t.strong = true;
            t.ink = ink;
        });
        let mut what = lang.txn(p.txn).to_owned();
        if let Some(path) = &p.path {
            what.push(' ');
            what.push_str(path);
        }
        if p.failed {
            what.push_str(lang.of(": fails, changes nothing", "：失败，不改变任何东西"));
        }
        let what: String = what.chars().take(44).collect();
        let lit = p.story.is_of(pick);
        pen.y = y + bh + pen.room(18.0, 15.0);
        pen.text(pen.x, pen.y, what, pen.room(12.0, 11.0), |t| {
            t.strong = lit;
            t.ink = if lit { TextInk::Accent } else { TextInk::Quiet };
        });
        pen.y += pen.room(10.0, 6.0);
    }
    pen.y += pen.room(2.0, 0.0);
    pen.rule();
    pen.y += pen.room(20.0, 15.0);
    let marks = [
        (Mark::Received, lang.of("received", "已收到")),
        (Mark::OnDisk, lang.of("on disk", "已落盘")),
        (Mark::Acked, lang.of("ACK counted", "ACK 已计入")),
    ];
    let mut x = pen.x;
    for (m, text) in marks {
        pen.items.push(Item::Slot(Slot {
            boxed: Rect::new(x, pen.y - 11.0, 14.0, 14.0),
            label: String::new(),
            mark: m,
            name: text.to_owned(),
        }));
        pen.text(x + 20.0, pen.y, text, pen.room(12.0, 11.0), |t| {
            t.ink = TextInk::Quiet;
        });
        x += 20.0 + text_width(text, 12.0, false) + pen.room(22.0, 16.0);
    }
    pen.y += 6.0;
    let aside = match lang {
        Lang::En => format!("{need} are a quorum"),
        Lang::Zh => format!("法定人数 {need}"),
    };
    Some((title, aside))
}

fn mark(p: &ProposalSight, id: ServerId) -> Mark {
    p.marks
        .iter()
        .find(|(v, _)| *v == id)
        .map_or(Mark::None, |(_, m)| *m)
}

fn slot_name(lang: Lang, id: ServerId, mark: Mark) -> String {
    let state = match mark {
        Mark::None => lang.of("not there yet", "尚未到达"),
        Mark::Received => lang.of("received, not on disk", "已收到，未落盘"),
        Mark::OnDisk => lang.of("on disk, ACK on its way", "已落盘，ACK 在途"),
        Mark::Acked => lang.of("ACK counted", "ACK 已计入"),
    };
    match lang {
        Lang::En => format!("Server {id}: {state}"),
        Lang::Zh => format!("服务器 {id}：{state}"),
    }
}

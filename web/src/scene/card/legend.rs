//! How to read the stage, when there is nothing to compare.

use super::pen::{Block, BlockLook, Item, Motion, Pen, TextInk};
use crate::scene::{
    geometry::{Pt, Rect},
    glyph::Plate,
    sight::Role,
};
use zabscope_core::id::{Epoch, Zxid};

pub fn draw(pen: &mut Pen) -> (String, String) {
    let lang = pen.lang;
    let size = pen.room(13.0, 12.0);
    let step = pen.room(34.0, 26.0);
    let half = pen.x + pen.w / 2.0;
    let roles = [
        (Role::Leading, lang.of("leads", "领导")),
        (Role::Following, lang.of("follows", "跟随")),
        (Role::Looking, lang.of("looks for a leader", "正在选举")),
        (
            Role::Observing,
            lang.of("observes, no vote", "观察，无投票权"),
        ),
    ];
    let mut y = pen.y + pen.room(18.0, 12.0);
    for (i, (role, text)) in roles.into_iter().enumerate() {
        let x = if i % 2 == 0 { pen.x } else { half };
        pen.items.push(Item::Sample {
            at: Pt::new(x + 14.0, y),
            role,
        });
        pen.text(x + 36.0, y + 4.5, text, size, |t| t.ink = TextInk::Quiet);
        if i % 2 == 1 {
            y += step;
        }
    }
    let plate = Plate::of(
        Zxid::new(Epoch(2), 7),
        Rect::new(pen.x, y - 11.0, 60.0, 22.0),
    );
    pen.items.push(Item::Plate(plate));
    let text = lang.of(
        "last logged zxid: epoch and number",
        "最后写入日志的 zxid：纪元与序号",
    );
    pen.text(pen.x + 72.0, y + 4.5, text, size, |t| {
        t.ink = TextInk::Quiet;
    });
    y += step;
    let (w, h) = pen.block_size();
    let blocks = [
        (
            BlockLook::Dashed,
            Some(false),
            lang.of("proposed, received", "已提议，已收到"),
        ),
        (
            BlockLook::Solid,
            Some(true),
            lang.of("committed, on disk", "已提交，已落盘"),
        ),
    ];
    for (i, (look, disk, text)) in blocks.into_iter().enumerate() {
        let x = if i == 0 { pen.x } else { half };
        pen.items.push(Item::Block(Block {
            key: format!("legend{i}"),
            zxid: Zxid::new(Epoch(2), 8 - i as u32),
            boxed: Rect::new(x, y - h / 2.0, w, h),
            look,
            disk,
            motion: Motion::Still,
        }));
        pen.text(x + w + pen.room(10.0, 5.0), y + 4.5, text, size, |t| {
            t.ink = TextInk::Quiet
        });
    }
    y += step * 0.9;
    let text = lang.of(
        "The ring: election, discovery, sync, broadcast",
        "圆环：选举、发现、同步、广播",
    );
    pen.text(pen.x, y + 4.5, text, size, |t| t.ink = TextInk::Quiet);
    pen.y = y + 10.0;
    (
        lang.of("How to read this", "如何看图").to_owned(),
        String::new(),
    )
}

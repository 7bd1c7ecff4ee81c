//! A stale read: the value shown, and the ghost of the newest. Allowed.

use super::pen::{Item, Pen, TextInk, z};
use crate::scene::{
    geometry::Rect,
    glyph::Plate,
    sight::Sight,
    words::{self, Lang},
};

pub fn draw(sight: &Sight, pen: &mut Pen) -> Option<(String, String)> {
    let r = sight.stale.as_ref()?;
    let lang = pen.lang;
    let who = words::client_letter(r.client.0);
    let path = r.path.as_deref().unwrap_or("");
    let title = match lang {
        Lang::En => format!("{who} reads {path} at server {}", r.server),
        Lang::Zh => format!("{who} 在服务器 {} 读取 {path}", r.server),
    };
    let none = lang.of("no such value", "没有这个值");
    let value = |v: &Option<String>| v.clone().unwrap_or(none.to_owned());
    let plate_x = pen.right() - 64.0;
    let rows = [
        (
            lang.of("shown", "所见"),
            value(&r.shown_value),
            r.shown,
            false,
        ),
        (
            lang.of("newest", "最新"),
            value(&r.newest_value),
            r.newest,
            true,
        ),
    ];
    for (label, text, zxid, ghost) in rows {
        pen.y += pen.room(30.0, 25.0);
        pen.text(pen.x, pen.y, label, 12.0, |t| t.ink = TextInk::Quiet);
        let text: String = text.chars().take(pen.room(22.0, 20.0) as usize).collect();
        pen.text(pen.x + 64.0, pen.y, text, 14.0, |t| {
            t.mono = true;
            t.ink = if ghost { TextInk::Quiet } else { TextInk::Ink };
        });
        let mut plate = Plate::of(zxid, Rect::new(plate_x, pen.y - 16.0, 60.0, 22.0));
        plate.ghost = ghost;
        pen.items.push(Item::Plate(plate));
    }
    pen.y += pen.room(18.0, 12.0);
    pen.rule();
    let size = pen.room(13.0, 12.0);
    let lines = match lang {
        Lang::En => [
            match r.behind {
                1 => format!(
                    "Allowed: server {} has not applied the newest one.",
                    r.server
                ),
                n => format!("Allowed: server {} has not applied the last {n}.", r.server),
            },
            "It answers from its own memory.".to_owned(),
            format!("sync would wait until it has {}.", z(r.newest)),
        ],
        Lang::Zh => [
            format!(
                "允许：服务器 {} 还没有应用最后 {} 个事务。",
                r.server, r.behind
            ),
            "它用自己的内存作答。".to_owned(),
            format!("sync 会等到它拥有 {}。", z(r.newest)),
        ],
    };
    for (i, line) in lines.into_iter().enumerate() {
        pen.y += pen.room(20.0, 17.0);
        pen.text(pen.x, pen.y, line, size, |t| {
            t.ink = if i == 0 {
                TextInk::Allowed
            } else {
                TextInk::Quiet
            };
            t.strong = i == 0;
        });
    }
    let aside = match lang {
        Lang::En => format!("{} behind", r.behind),
        Lang::Zh => format!("落后 {} 个", r.behind),
    };
    Some((title, aside))
}

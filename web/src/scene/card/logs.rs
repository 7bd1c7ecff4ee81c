//! Synchronisation: the leader's log and the learner's, aligned by zxid, with the rule that chose
//! DIFF, TRUNC or SNAP between them.

use super::pen::{Align, Block, BlockLook, Item, Motion, Pen, TextInk, z};
use crate::scene::{
    geometry::{Pt, Rect, text_width},
    sight::{Role, Sight, SyncSight, SyncStage},
    words::Lang,
};
use std::collections::BTreeSet;
use zabscope_core::{
    id::{ServerId, Zxid},
    peer::event::{Phase, SyncMode},
};

pub fn draw(sight: &Sight, learner: ServerId, pen: &mut Pen) -> Option<(String, String)> {
    let sync = sight.syncs.iter().rev().find(|s| s.learner == learner)?;
    let lang = pen.lang;
    let title = match lang {
        Lang::En => format!(
            "Leader {} sends {} to {learner}",
            sync.leader,
            lang.mode(sync.mode)
        ),
        Lang::Zh => format!(
            "领导者 {} 向 {learner} 发送 {}",
            sync.leader,
            lang.mode(sync.mode)
        ),
    };
    let columns = Columns::of(sync, pen);
    let small = pen.room(12.0, 11.0);
    let (_, bh) = pen.block_size();

    let leader_label = match lang {
        Lang::En => format!("log of {}, leader", sync.leader),
        Lang::Zh => format!("领导者 {} 的日志", sync.leader),
    };
    pen.y += pen.room(16.0, 10.0);
    pen.text(pen.x, pen.y, leader_label, small, |t| t.strong = true);
    pen.y += pen.room(8.0, 5.0);
    let leader_y = pen.y;
    pen.y += bh + pen.room(16.0, 10.0);

    // The rule, in the gap between the logs.
    let rule_y = pen.y;
    let lines = lang.rule(
        sync.because,
        [sync.peer, sync.min, sync.max, sync.last_processed],
    );
    let line_h = pen.room(19.0, 15.0);
    let box_h = line_h * (lines.len() as f64 + 1.0) + pen.room(14.0, 8.0);
    let learner_y = rule_y + box_h + pen.room(34.0, 25.0);

    // What belongs together, drawn first and hidden by the rule's box.
    for zxid in &columns.shown {
        if columns.leader.contains(zxid) && columns.learner.contains(zxid) {
            let x = columns.x(*zxid, pen) + 23.0;
            for (from, to) in [
                (leader_y + bh + 6.0, rule_y),
                (rule_y + box_h, learner_y - 3.0),
            ] {
                pen.items.push(Item::Line {
                    from: Pt::new(x, from),
                    to: Pt::new(x, to),
                    dashed: true,
                });
            }
        }
    }
    pen.items
        .push(Item::Frame(Rect::new(pen.x, rule_y, pen.w, box_h)));
    let why = match lang {
        Lang::En => format!(
            "Why {}: {}",
            lang.mode(sync.mode),
            lang.mode_does(sync.mode)
        ),
        Lang::Zh => format!(
            "为何 {}：{}",
            lang.mode(sync.mode),
            lang.mode_does(sync.mode)
        ),
    };
    let mut base = rule_y + line_h;
    pen.text(pen.x + 12.0, base, why, pen.room(13.0, 12.0), |t| {
        t.strong = true;
    });
    for line in lines {
        base += line_h;
        let size = pen.room(13.0, 11.5);
        // The face for numbers is wide: long rules are set in the other.
        let mono = text_width(&line, size, true) < pen.w - 24.0;
        pen.text(pen.x + 12.0, base, line, size, |t| t.mono = mono);
    }

    row(sync, &columns, true, leader_y, pen);
    pen.text(
        pen.x,
        learner_y - pen.room(9.0, 6.0),
        match lang {
            Lang::En => format!("log of {learner}"),
            Lang::Zh => format!("{learner} 的日志"),
        },
        small,
        |t| t.strong = true,
    );
    row(sync, &columns, false, learner_y, pen);
    pen.y = learner_y + bh + pen.room(10.0, 6.0);
    match sync.mode {
        SyncMode::Snap => snap(sync, &columns, learner_y, pen),
        SyncMode::Trunc => cut(sync, &columns, learner_y, pen),
        SyncMode::Diff => {}
    }
    pen.y += pen.room(4.0, 0.0);
    let server = sight.servers.iter().find(|s| s.id == learner);
    let serves = sync.stage == SyncStage::Serving
        || server.is_some_and(|s| s.phase == Phase::Broadcast && s.role != Role::Looking);
    let state = match (sync.stage, serves) {
        (_, true) => lang.of("UPTODATE: it serves", "UPTODATE：开始服务"),
        (SyncStage::Complete, _) => lang.of("history to disk, then epoch", "先写历史，再写纪元"),
        (SyncStage::Started, _) => lang.of("it follows", "正在执行"),
        _ => lang.of("on its way", "在途"),
    };
    let title_tally = match lang {
        Lang::En => format!("NEWLEADER confirmed · {learner}: {state}"),
        Lang::Zh => format!("已确认 NEWLEADER · {learner}：{state}"),
    };
    if pen.compact {
        let (have, need) = (sight.new_leader_acks.len(), sight.quorum.smallest());
        pen.y += 11.0;
        pen.text(
            pen.x,
            pen.y,
            format!("{title_tally} · {have}/{need}"),
            11.0,
            |t| {
                t.ink = TextInk::Quiet;
            },
        );
    } else {
        pen.tally(&title_tally, &sight.quorum, &sight.new_leader_acks);
    }
    let aside = lang.of("synchronisation", "同步").to_owned();
    Some((title, aside))
}

/// What the learner has no more. While its disk still cuts, its last transaction is known to go.
fn gone(sync: &SyncSight) -> BTreeSet<Zxid> {
    let mut gone: BTreeSet<Zxid> = sync.removed.iter().copied().collect();
    let still = sync.learner_log.iter().any(|e| e.zxid == sync.peer);
    if sync.mode == SyncMode::Trunc && sync.peer > sync.zxid && !still {
        gone.insert(sync.peer);
    }
    gone
}

/// Which zxids have a column. The end of the logs is what matters; before it stands an ellipsis.
struct Columns {
    shown: Vec<Zxid>,
    leader: BTreeSet<Zxid>,
    learner: BTreeSet<Zxid>,
    more: bool,
    step: f64,
}

impl Columns {
    fn of(sync: &SyncSight, pen: &Pen) -> Columns {
        let leader: BTreeSet<Zxid> = sync.leader_log.iter().map(|e| e.zxid).collect();
        let learner: BTreeSet<Zxid> = sync.learner_log.iter().map(|e| e.zxid).collect();
        let removed = gone(sync);
        let all: Vec<Zxid> = leader
            .union(&learner)
            .copied()
            .collect::<BTreeSet<_>>()
            .union(&removed)
            .copied()
            .collect();
        let step = 51.0;
        let fit = (((pen.w - 46.0) / step) as usize + 1).max(2);
        let more = all.len() > fit;
        // Two columns before the place where the logs part, if there is so much.
        let part = all
            .iter()
            .position(|z| *z > sync.peer.min(sync.zxid))
            .unwrap_or(all.len());
        let first = part.saturating_sub(2).min(all.len().saturating_sub(fit));
        let shown: Vec<Zxid> = all[first..].iter().copied().take(fit).collect();
        Columns {
            shown,
            leader,
            learner,
            more,
            step,
        }
    }

    fn x(&self, zxid: Zxid, pen: &Pen) -> f64 {
        let i = self.shown.iter().position(|s| *s == zxid).unwrap_or(0);
        pen.x + self.step * i as f64
    }

    /// Where the first column after `zxid` begins, less half the gap.
    fn after(&self, zxid: Zxid, pen: &Pen) -> f64 {
        let i = self.shown.iter().filter(|s| **s <= zxid).count();
        pen.x + self.step * i as f64 - (self.step - 46.0) / 2.0
    }
}

fn row(sync: &SyncSight, columns: &Columns, leader: bool, y: f64, pen: &mut Pen) {
    let (w, h) = pen.block_size();
    let log = if leader {
        &sync.leader_log
    } else {
        &sync.learner_log
    };
    let truncated = |z: Zxid| sync.mode == SyncMode::Trunc && z > sync.zxid && z <= sync.peer;
    if log.is_empty() && (leader || sync.mode == SyncMode::Diff) {
        let text = pen.lang.of("empty", "空");
        pen.text(pen.x, y + h / 2.0 + 4.0, text, 12.0, |t| {
            t.ink = TextInk::Quiet;
        });
    }
    for zxid in &columns.shown {
        let entry = log.iter().find(|e| e.zxid == *zxid);
        let boxed = Rect::new(columns.x(*zxid, pen), y, w, h);
        let came = !leader && *zxid > sync.peer;
        let (look, disk) = match entry {
            // Still in the log, but the packet that cuts it is under way.
            Some(e) if !leader && truncated(*zxid) => (BlockLook::Cut, Some(e.durable)),
            Some(e) => (BlockLook::Solid, Some(e.durable)),
            None if !leader && columns.leader.contains(zxid) && sync.mode != SyncMode::Snap => {
                (BlockLook::Missing, None)
            }
            None => continue,
        };
        pen.items.push(Item::Block(Block {
            key: format!("{}{}", if leader { 'a' } else { 'b' }, zxid.0),
            zxid: *zxid,
            boxed,
            look,
            disk,
            motion: if came && entry.is_some() {
                Motion::In
            } else {
                Motion::Still
            },
        }));
    }
    if columns.more
        && columns
            .shown
            .first()
            .is_some_and(|f| log.iter().any(|e| e.zxid < *f))
    {
        pen.text(pen.x - 1.0, y + h / 2.0 + 4.0, "…", 10.0, |t| {
            t.align = Align::End;
            t.ink = TextInk::Quiet;
        });
    }
}

/// The tail that was cut falls, greys and stays.
fn cut(sync: &SyncSight, columns: &Columns, y: f64, pen: &mut Pen) {
    let (w, h) = pen.block_size();
    let x = columns.after(sync.zxid, pen);
    pen.items.push(Item::Cut {
        from: Pt::new(x, y - pen.room(24.0, 18.0)),
        to: Pt::new(x, y + h + pen.room(44.0, 28.0)),
    });
    let label = pen.lang.of("cut here", "在此截断");
    let room = pen.right() - x > text_width(label, 12.0, false) * 1.1 + 6.0;
    let at = if room { x + 6.0 } else { x - 6.0 };
    pen.text(at, y - pen.room(12.0, 8.0), label, 12.0, |t| {
        t.ink = TextInk::Fault;
        t.strong = true;
        t.align = if room { Align::Start } else { Align::End };
    });
    let fallen: Vec<Zxid> = gone(sync)
        .into_iter()
        .filter(|r| columns.shown.contains(r))
        .collect();
    let fall = pen.room(40.0, 24.0);
    for zxid in &fallen {
        let bx = columns.x(*zxid, pen);
        pen.items.push(Item::Block(Block {
            key: format!("c{}", zxid.0),
            zxid: *zxid,
            boxed: Rect::new(bx + 4.0, y + fall, w, h),
            look: BlockLook::Cut,
            disk: None,
            motion: Motion::Fall,
        }));
    }
    let note = pen.lang.of("logged here alone,", "仅此处写过，");
    let note2 = pen.lang.of("never committed", "从未提交");
    let size = pen.room(12.0, 11.0);
    let wide = text_width(note, size, false).max(text_width(note2, size, false));
    // Behind what fell; where there is no room for it, on the left of the cut.
    let behind = fallen.last().map_or(x, |last| columns.x(*last, pen) + w) + 16.0;
    let left = behind + wide > pen.right() && x - 8.0 - wide >= pen.x;
    for (i, line) in [note, note2].into_iter().enumerate() {
        // Below the log and the line under it.
        let base = y + fall + pen.room(10.0, 12.0) + 14.0 * i as f64;
        pen.text(if left { x - 8.0 } else { behind }, base, line, size, |t| {
            t.align = if left { Align::End } else { Align::Start };
            t.ink = TextInk::Quiet;
        });
    }
    pen.y = y + h + pen.room(52.0, 30.0);
}

/// The whole tree comes as one crate; the old log gives way.
fn snap(sync: &SyncSight, columns: &Columns, y: f64, pen: &mut Pen) {
    let (w, h) = pen.block_size();
    let lang = pen.lang;
    let label = match (sync.installed, lang) {
        (Some(n), Lang::En) => format!("tree to {} · {n} znodes", z(sync.zxid)),
        (Some(n), Lang::Zh) => format!("整棵树到 {} · {n} 个 znode", z(sync.zxid)),
        (None, Lang::En) => format!("the whole tree to {}", z(sync.zxid)),
        (None, Lang::Zh) => format!("整棵树到 {}", z(sync.zxid)),
    };
    let crate_w = text_width(&label, 12.0, true) + 40.0;
    let right = columns
        .shown
        .iter()
        .rev()
        .find(|s| columns.learner.contains(s) && **s <= sync.peer)
        .map_or(pen.x, |s| columns.x(*s, pen) + w + 8.0);
    let old = sync.installed.is_some() || right + crate_w > pen.right();
    let (x, cy) = if old {
        (pen.x, y + h + pen.room(16.0, 8.0))
    } else {
        (right, y - 2.0)
    };
    pen.items.push(Item::Crate {
        boxed: Rect::new(x, cy, crate_w.min(pen.right() - x), h + 4.0),
        epoch: sync.zxid.epoch(),
        label,
        coming: sync.installed.is_none(),
    });
    for zxid in sync.removed.iter().filter(|r| columns.shown.contains(r)) {
        pen.items.push(Item::Block(Block {
            key: format!("c{}", zxid.0),
            zxid: *zxid,
            boxed: Rect::new(columns.x(*zxid, pen), y, w, h),
            look: BlockLook::Cut,
            disk: None,
            motion: Motion::Fall,
        }));
    }
    if old {
        pen.y = cy + h + 6.0;
    }
}

//! The timeline: what happened as a list of real text, and the logs of all servers side by side.

use super::bits::{Send, Who, ask, hue, said, seconds, zxid};
use crate::{
    state::{Action, Selection, run::RunHandle},
    text::{Importance, Key, Lang, Tone, concerns, short, t},
};
use gloo::timers::callback::Timeout;
use std::collections::BTreeSet;
use yew::prelude::*;
use zabscope_core::{
    id::{EventId, Zxid},
    peer::Peer,
    sim::{BranchNo, RemovedBecause, World},
    time::Moment,
};

/// So many lines are kept in the document.
const LINES: usize = 120;
/// So many transactions are shown side by side.
const COLUMNS: usize = 12;

/// What the timeline needs.
#[derive(Properties, PartialEq)]
pub struct TimelineProps {
    /// The run.
    pub run: RunHandle,
    /// The record that the sentence is about.
    pub focus: Option<usize>,
    /// What is chosen: the lines of its story are lit.
    pub selection: Selection,
    /// What is told at least.
    pub least: Importance,
    /// The language.
    pub lang: Lang,
    /// To ask.
    pub send: Send,
}

/// The event list.
#[component]
pub fn Events(props: &TimelineProps) -> Html {
    let (lang, run) = (props.lang, props.run.get());
    let list = use_node_ref();
    let newest = run.last(props.least).map(|t| t.index);
    {
        let list = list.clone();
        let focus = props.focus;
        use_effect_with((newest, focus), move |_| {
            // After the frame: to measure within it would make the browser lay it all out twice.
            let after = Timeout::new(0, move || {
                if let Some(list) = list.cast::<web_sys::Element>() {
                    show_current(&list);
                }
            });
            move || drop(after)
        });
    }
    let len = run.len();
    let mut lines: Vec<usize> = run.track().told()[..len.min(run.track().told().len())]
        .iter()
        .rev()
        .filter(|t| t.importance >= props.least)
        .take(LINES + 1)
        .map(|t| t.index)
        .collect();
    let more = lines.len() > LINES;
    lines.truncate(LINES);
    lines.reverse();
    let records = run.history().records();
    let who = Who(run.world());
    let lit = |index: usize| {
        let record = records.get(index);
        record.is_some_and(|r| concerns(&r.source, &props.selection, &who))
    };
    html! {
        <div class="log" role="log" aria-label={t(lang, Key::Events)} tabindex="0" ref={list}>
            if more {
                <p class="empty">{ lang.pick("Go back in time to see what was before.", "回到过去，可查看更早的事件。") }</p>
            }
            <ol>
                { for lines.into_iter().map(|index| html! {
                    <Line key={index} run={ByMoment::new(&props.run, index)}
                        now={props.focus == Some(index)} lit={lit(index)} {lang} send={props.send.clone()} />
                }) }
            </ol>
            if newest.is_none() {
                <p class="empty">{ lang.pick("Nothing has happened yet.", "还没有发生任何事。") }</p>
            }
        </div>
    }
}

/// Scrolls the list, never the page, to the line that the sentence is about; else to its end.
fn show_current(list: &web_sys::Element) {
    let Ok(Some(now)) = list.query_selector("[aria-current]") else {
        list.set_scroll_top(list.scroll_height());
        return;
    };
    let (outer, inner) = (
        list.get_bounding_client_rect(),
        now.get_bounding_client_rect(),
    );
    let below = inner.bottom() - outer.bottom();
    let above = inner.top() - outer.top();
    if below > 0.0 {
        list.set_scroll_top(list.scroll_top() + below as i32 + 4);
    } else if above < 0.0 {
        list.set_scroll_top(list.scroll_top() + above as i32 - 4);
    }
}

/// A record of a run that does not change any more. What it was is kept beside the run: through the run
/// an older one would see what stands in its place now.
#[derive(Clone)]
struct ByMoment {
    run: RunHandle,
    index: usize,
    branch: BranchNo,
    record: Option<(EventId, Moment)>,
}

impl ByMoment {
    fn new(run: &RunHandle, index: usize) -> ByMoment {
        let (branch, record) = {
            let run = run.get();
            let record = run.history().records().get(index).map(|r| (r.id(), r.at));
            (run.history().branch(), record)
        };
        ByMoment {
            run: run.clone(),
            index,
            branch,
            record,
        }
    }
}

impl PartialEq for ByMoment {
    fn eq(&self, other: &ByMoment) -> bool {
        // The facts before the cursor stay what they are, unless another branch or run is shown.
        self.run.is_of(&other.run)
            && (self.index, self.branch, self.record) == (other.index, other.branch, other.record)
    }
}

/// What a line needs.
#[derive(Properties, PartialEq)]
pub struct LineProps {
    run: ByMoment,
    now: bool,
    lit: bool,
    lang: Lang,
    send: Send,
}

#[component]
fn Line(props: &LineProps) -> Html {
    let run = props.run.run.get();
    let records = run.history().records();
    let Some(record) = records.get(props.run.index) else {
        return Html::default();
    };
    let sentence = short(&record.source, props.lang, &Who(run.world()));
    let tone = match sentence.tone {
        Tone::Plain => "",
        Tone::Chosen => "chosen",
        Tone::Fault => "fault",
        Tone::Allowed => "allowed",
    };
    html! {
        <li class={classes!(props.now.then_some("now"), props.lit.then_some("lit"))}>
            <button type="button" aria-current={props.now.then_some("step")}
                onclick={ask(&props.send, Action::Tell(props.run.index))}>
                <span class="mono at">{ seconds(record.at) }</span>
                <span class={tone}>{ said(&sentence) }</span>
            </button>
        </li>
    }
}

/// What the logs need.
#[derive(Properties, PartialEq)]
pub struct LogsProps {
    /// The run.
    pub run: RunHandle,
    /// What is chosen.
    pub selection: Selection,
    /// The language.
    pub lang: Lang,
    /// To ask.
    pub send: Send,
}

/// What one log has of one transaction.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cell {
    Nothing,
    Removed(RemovedBecause),
    Received,
    OnDisk,
    Committed,
}

/// Up to where a server knows its log to be committed. A new leader takes its whole log for good; that
/// becomes true when its followers have it.
pub fn known_committed(world: &World, peer: Option<&Peer>) -> Zxid {
    peer.map_or(Zxid::ZERO, |p| {
        p.last_committed().min(world.newest_committed())
    })
}

/// The logs of all servers, aligned by zxid.
#[component]
pub fn Logs(props: &LogsProps) -> Html {
    let (lang, run) = (props.lang, props.run.get());
    let world = run.world();
    let mut columns: BTreeSet<Zxid> = BTreeSet::new();
    for server in world.servers() {
        let entries = server.disk.last_entries(COLUMNS);
        columns.extend(entries.iter().map(|e| e.txn.zxid()));
        columns.extend(server.disk.removed().rev().take(COLUMNS).map(|r| r.zxid));
    }
    while columns.len() > COLUMNS {
        columns.pop_first();
    }
    let word = |cell: Cell| match cell {
        Cell::Nothing => lang.pick("not there", "没有"),
        Cell::Removed(RemovedBecause::Truncated) => lang.pick("cut", "已截断"),
        Cell::Removed(RemovedBecause::Replaced) => {
            lang.pick("replaced by a snapshot", "被快照取代")
        }
        Cell::Removed(RemovedBecause::LostInCrash) => lang.pick("lost in a crash", "崩溃时丢失"),
        Cell::Removed(RemovedBecause::DiskLost) => lang.pick("lost with the disk", "随磁盘丢失"),
        Cell::Received => t(lang, Key::Received),
        Cell::OnDisk => t(lang, Key::OnDisk),
        Cell::Committed => t(lang, Key::Committed),
    };
    let class = |cell: Cell| match cell {
        Cell::Nothing => "nothing",
        Cell::Removed(_) => "removed",
        Cell::Received => "received",
        Cell::OnDisk => "durable",
        Cell::Committed => "durable committed",
    };
    html! {
        <div class="logs" tabindex="0" role="region" aria-label={t(lang, Key::LogsSideBySide)}>
            if columns.is_empty() {
                <p class="empty">
                    { lang.pick("The logs are empty: no transaction has been proposed yet.", "日志为空：还没有提出任何事务。") }
                </p>
            } else {
                <table>
                    <caption class="unseen">{ t(lang, Key::LogsSideBySide) }</caption>
                    <tbody>
                    { for world.servers().map(|server| {
                        let committed = known_committed(world, server.peer);
                        let entries = server.disk.last_entries(2 * COLUMNS);
                        let mine = props.selection == Selection::Server(server.id);
                        let cells: Vec<Cell> = columns.iter().map(|z| {
                            match entries.iter().rev().find(|e| e.txn.zxid() == *z) {
                                Some(e) if !e.durable => Cell::Received,
                                Some(_) if *z <= committed => Cell::Committed,
                                Some(_) => Cell::OnDisk,
                                None => server.disk.removed().rev().find(|r| r.zxid == *z)
                                    .map_or(Cell::Nothing, |r| Cell::Removed(r.because)),
                            }
                        }).collect();
                        // So far behind that nothing of it stands in these columns: where it is, then.
                        let elsewhere = cells.iter().all(|cell| *cell == Cell::Nothing).then(|| {
                            match entries.last() {
                                Some(last) => format!("{} {}", lang.pick("ends at", "止于"), zxid(last.txn.zxid())),
                                None => lang.pick("empty", "为空").to_owned(),
                            }
                        });
                        html! {
                            <tr class={classes!(mine.then_some("chosen"))}>
                                <th scope="row">
                                    <button type="button" aria-label={crate::text::server(server.id, lang)}
                                        onclick={ask(&props.send, Action::Select(Selection::Server(server.id)))}>
                                        { server.id.0 }
                                    </button>
                                </th>
                                if let Some(elsewhere) = elsewhere {
                                    <td class="elsewhere" colspan={columns.len().to_string()}>{ elsewhere }</td>
                                } else {
                                    { for columns.iter().zip(cells).map(|(z, cell)| {
                                        let shown = if cell == Cell::Nothing { String::new() } else { zxid(*z) };
                                        html! {
                                            <td><span class={classes!("block", hue(z.epoch()), class(cell))} title={word(cell)}>
                                                { shown }<span class="unseen">{ " " }{ word(cell) }</span>
                                            </span></td>
                                        }
                                    }) }
                                }
                            </tr>
                        }
                    }) }
                    </tbody>
                </table>
                <p class="legend" aria-hidden="true">
                    <span class="block received hue-none"></span>{ t(lang, Key::Received) }
                    <span class="block durable hue-none"></span>{ t(lang, Key::OnDisk) }
                    <span class="block durable committed hue-1"></span>{ t(lang, Key::Committed) }
                    <span class="block removed hue-none"></span>{ lang.pick("gone", "已去除") }
                </p>
            }
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::{State, opening, run::Run};
    use zabscope_core::{id::ServerId, sim};

    #[test]
    fn a_line_is_drawn_again_when_another_branch_or_run_has_something_else_there() {
        let begin = || State::new(Run::new(&opening()).expect("it is possible"));
        let mut state = begin();
        for _ in 0..4 {
            state.apply(Action::NextPhase);
        }
        while state.moves() {
            state.apply(Action::Frame(100.0));
        }
        let index = state.run.get().len() - 1;
        let before = ByMoment::new(&state.run, index);
        assert!(before == ByMoment::new(&state.run, index));

        // Another future.
        for _ in 0..8 {
            state.apply(Action::Back);
        }
        state.apply(Action::Act(sim::Action::Crash {
            server: ServerId(5),
            lose_unsynced: false,
        }));
        while state.run.get().len() <= index {
            state.apply(Action::Step);
            state.apply(Action::Frame(100.0));
        }
        assert!(before != ByMoment::new(&state.run, index));

        assert!(before != ByMoment::new(&begin().run, index));
    }
}

//! The logs of all servers side by side, aligned by zxid: what each has received, has on disk, knows to be
//! committed and has applied; and what it had and has no more.

use super::super::bits::{Send, ask, epoch, hue, zxid};
use crate::{
    state::{Action, Selection, run::RunHandle},
    text::{Key, Lang, t},
};
use std::collections::BTreeSet;
use yew::prelude::*;
use zabscope_core::{
    id::{Epoch, Zxid},
    peer::Peer,
    sim::{RemovedBecause, ServerView, World},
};

/// So many transactions are shown side by side.
const COLUMNS: usize = 16;
/// One can go back so many.
const FARTHEST: usize = 4000;

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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cell {
    Nothing,
    Removed(RemovedBecause),
    Received,
    OnDisk,
    Committed,
    Applied,
}

/// Up to where a server knows its log to be committed. A new leader takes its whole log for good; that
/// becomes true when its followers have it.
pub fn known_committed(world: &World, peer: Option<&Peer>) -> Zxid {
    peer.map_or(Zxid::ZERO, |p| {
        p.last_committed().min(world.newest_committed())
    })
}

/// The transactions of any log that changed this znode.
pub fn changes(world: &World, at: &str) -> BTreeSet<Zxid> {
    let mut all = BTreeSet::new();
    for server in world.servers() {
        let entries = server.disk.last_entries(FARTHEST);
        let changing = entries.iter().filter(|e| e.txn.body.changes(at));
        all.extend(changing.map(|e| e.txn.zxid()));
    }
    all
}

/// The transactions that stand side by side, oldest first, and whether there are older ones; `back` of the
/// newest are passed over.
fn columns(world: &World, back: usize) -> (Vec<Zxid>, bool) {
    let wanted = COLUMNS + back + 1;
    let mut all: BTreeSet<Zxid> = BTreeSet::new();
    for server in world.servers() {
        let entries = server.disk.last_entries(wanted);
        all.extend(entries.iter().map(|e| e.txn.zxid()));
        all.extend(server.disk.removed().rev().take(wanted).map(|r| r.zxid));
    }
    let mut shown: Vec<Zxid> = all.iter().rev().skip(back).take(COLUMNS).copied().collect();
    shown.reverse();
    (shown, all.len() > back + COLUMNS)
}

fn cells(world: &World, server: &ServerView<'_>, columns: &[Zxid], back: usize) -> Vec<Cell> {
    let committed = known_committed(world, server.peer);
    let applied = server.peer.map_or(Zxid::ZERO, |p| p.last_applied());
    // What is not in the columns of one log may lie between those of another.
    let entries = server.disk.last_entries(2 * COLUMNS + back);
    let cell = |z: &Zxid| {
        let at = entries.binary_search_by(|e| e.txn.zxid().cmp(z));
        match at.ok().and_then(|at| entries.get(at)) {
            Some(e) if !e.durable => Cell::Received,
            Some(_) if *z <= committed.min(applied) => Cell::Applied,
            Some(_) if *z <= committed => Cell::Committed,
            Some(_) => Cell::OnDisk,
            None => {
                let removed = server.disk.removed().rev().find(|r| r.zxid == *z);
                removed.map_or(Cell::Nothing, |r| Cell::Removed(r.because))
            }
        }
    };
    columns.iter().map(cell).collect()
}

fn word(cell: Cell, lang: Lang) -> &'static str {
    match cell {
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
        Cell::Applied => lang.pick("committed and applied", "已提交并应用"),
    }
}

const fn class(cell: Cell) -> &'static str {
    match cell {
        Cell::Nothing => "nothing",
        Cell::Removed(_) => "removed",
        Cell::Received => "received",
        Cell::OnDisk => "durable",
        Cell::Committed => "durable committed",
        Cell::Applied => "durable committed applied",
    }
}

/// Epochs and how many columns each has.
fn epochs(columns: &[Zxid]) -> Vec<(Epoch, usize)> {
    let mut out: Vec<(Epoch, usize)> = Vec::new();
    for z in columns {
        match out.last_mut() {
            Some((epoch, count)) if *epoch == z.epoch() => *count += 1,
            _ => out.push((z.epoch(), 1)),
        }
    }
    out
}

/// The logs of all servers.
#[component]
pub fn Logs(props: &LogsProps) -> Html {
    let (lang, run) = (props.lang, props.run.get());
    let world = run.world();
    let back = use_state(|| 0_usize);
    let (columns, older) = columns(world, *back);
    let page = |to: usize| {
        let back = back.clone();
        Callback::from(move |_: MouseEvent| back.set(to.min(FARTHEST)))
    };
    let lit = match &props.selection {
        Selection::Znode(at) => changes(world, at),
        _ => BTreeSet::new(),
    };
    let legend = |class: &'static str, name: &'static str| {
        html! { <><span class={classes!("block", class)}></span>{ name }</> }
    };
    html! {
        <div class="logs" tabindex="0" role="region" aria-label={t(lang, Key::LogsSideBySide)}>
            if columns.is_empty() && *back == 0 {
                <p class="empty">
                    { lang.pick("The logs are empty: no transaction has been proposed yet.", "日志为空：还没有提出任何事务。") }
                </p>
            } else {
                <table>
                    <caption class="unseen">{ t(lang, Key::LogsSideBySide) }</caption>
                    <thead><tr>
                        <td></td>
                        { for epochs(&columns).into_iter().map(|(e, count)| html! {
                            <th scope="colgroup" class={classes!("epoch", hue(e))} colspan={count.to_string()}>{ epoch(e) }</th>
                        }) }
                    </tr></thead>
                    <tbody>
                    { for world.servers().map(|server| {
                        let mine = props.selection == Selection::Server(server.id);
                        let cells = cells(world, &server, &columns, *back);
                        // So far behind that nothing of it stands in these columns: where it is, then.
                        let elsewhere = cells.iter().all(|cell| *cell == Cell::Nothing).then(|| {
                            match server.disk.last_entries(1).first() {
                                Some(last) => [lang.pick("ends at", "止于"), " ", &zxid(last.txn.zxid())].concat(),
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
                                        let lit = lit.contains(z);
                                        html! {
                                            <td><span class={classes!("block", hue(z.epoch()), class(cell), lit.then_some("lit"))} title={word(cell, lang)}>
                                                { shown }<span class="unseen">{ " " }{ word(cell, lang) }
                                                    if lit { { lang.pick(", changes the chosen znode", "，修改所选 znode") } }
                                                </span>
                                            </span></td>
                                        }
                                    }) }
                                }
                            </tr>
                        }
                    }) }
                    </tbody>
                </table>
                <p class="legend">
                    if older || *back > 0 {
                        <button type="button" class="btn small" disabled={!older} onclick={page(*back + COLUMNS / 2)}>{ lang.pick("Older", "更早") }</button>
                        <button type="button" class="btn small" disabled={*back == 0} onclick={page(back.saturating_sub(COLUMNS / 2))}>{ lang.pick("Newer", "更新") }</button>
                    }
                    { legend("received hue-none", t(lang, Key::Received)) }
                    { legend("durable hue-none", t(lang, Key::OnDisk)) }
                    { legend("durable committed hue-1", t(lang, Key::Committed)) }
                    { legend("durable committed applied hue-1", t(lang, Key::Applied)) }
                    { legend("removed hue-none", lang.pick("it had, and has no more", "曾有，现已去除")) }
                </p>
            }
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::{State, opening, run::Run, until::Goal};
    use zabscope_core::{
        id::ServerId,
        sim::{Action as Act, ClientNo},
    };

    fn act(state: &mut State, act: Act) {
        state.apply(Action::Act(act));
    }

    /// A leader writes alone, and comes back when the others have gone on without it.
    fn cut_tail() -> State {
        let mut state = State::new(Run::new(&opening()).expect("it is possible"));
        state.reduced = true;
        let until = |state: &mut State, goal: Goal| {
            state.apply(Action::Time(crate::state::until::TimeAct::Until(goal)));
            for _ in 0..400 {
                state.apply(Action::Frame(16.0));
            }
        };
        until(&mut state, Goal::Epoch);
        let leader = crate::view::bits::leader(state.run.get().world()).expect("there is one");
        act(
            &mut state,
            Act::AddClient {
                server: Some(leader),
                timeout_ms: 10_000,
            },
        );
        let write = |path: &str| Act::Ask {
            client: ClientNo(1),
            request: crate::view::client::create(path, "x", false, false),
        };
        act(&mut state, write("/a"));
        until(&mut state, Goal::Znode("/a".into()));
        let rest = (1..=5).map(ServerId).filter(|s| *s != leader).collect();
        act(
            &mut state,
            Act::Partition {
                groups: vec![[leader].into(), rest],
            },
        );
        act(&mut state, write("/b"));
        until(&mut state, Goal::Epoch);
        act(&mut state, Act::HealAll);
        until(&mut state, Goal::Text("cut".into()));
        for _ in 0..30 {
            state.apply(Action::NextPhase);
        }
        state
    }

    #[test]
    fn what_was_cut_stays_in_the_log_as_history_and_what_is_applied_is_marked() {
        let state = cut_tail();
        let run = state.run.get();
        let world = run.world();
        let (columns, _) = columns(world, 0);
        assert!(columns.is_sorted());
        let rows: Vec<Vec<Cell>> = world
            .servers()
            .map(|s| cells(world, &s, &columns, 0))
            .collect();
        let cut = rows
            .iter()
            .flatten()
            .filter(|c| **c == Cell::Removed(RemovedBecause::Truncated));
        assert_eq!(cut.count(), 1, "{columns:?} {rows:#?}");
        for (at, z) in columns.iter().enumerate() {
            for (server, row) in world.servers().zip(&rows) {
                let peer = server.peer.expect("all run");
                assert_eq!(
                    row[at] == Cell::Applied,
                    server
                        .disk
                        .entries()
                        .any(|e| e.txn.zxid() == *z && e.durable)
                        && *z <= peer.last_applied().min(known_committed(world, Some(peer))),
                    "{z} on {}",
                    server.id
                );
            }
        }
    }

    #[test]
    fn the_changes_of_a_znode_are_those_that_made_it() {
        let state = cut_tail();
        let run = state.run.get();
        assert_eq!(changes(run.world(), "/a").len(), 1);
        assert!(changes(run.world(), "/nowhere").is_empty());
        let made = run
            .world()
            .servers()
            .find_map(|s| s.peer?.database().tree.stat("/a").map(|stat| stat.czxid));
        assert_eq!(changes(run.world(), "/a").first().copied(), made);
    }

    #[test]
    fn an_epoch_stands_over_its_own_columns() {
        let columns = [
            Zxid::new(Epoch(1), 6),
            Zxid::new(Epoch(1), 7),
            Zxid::new(Epoch(3), 1),
        ];
        assert_eq!(epochs(&columns), [(Epoch(1), 2), (Epoch(3), 1)]);
        assert!(epochs(&[]).is_empty());
    }
}

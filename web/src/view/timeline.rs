//! The lower part of the page, in tabs: what happened as a list of real text, the space-time diagram, the
//! logs of all servers side by side, branches and bookmarks.

pub mod logs;

pub use logs::{changes, known_committed};

use super::{
    bits::{Send, Who, ask, next_tab, said, seconds},
    rest,
};
use crate::{
    state::{
        Action, Selection, Theme,
        run::RunHandle,
        until::{TimeAct, TimeTab},
    },
    text::{Importance, Key, Lang, Tone, concerns, short, t},
};
use gloo::timers::callback::Timeout;
use logs::Logs;
use yew::prelude::*;
use zabscope_core::{id::EventId, sim::BranchNo, time::Moment};

/// So many lines are kept in the document.
const LINES: usize = 120;

/// What the timeline needs.
#[derive(Properties, PartialEq)]
pub struct TimelineProps {
    /// All of the page is here.
    pub here: bool,
    /// The run.
    pub run: RunHandle,
    /// The record that the sentence is about.
    pub focus: Option<usize>,
    /// What is chosen: the lines of its story are lit.
    pub selection: Selection,
    /// What is told at least.
    pub least: Importance,
    /// The open tab.
    pub tab: TimeTab,
    /// Virtual time passes.
    pub moves: bool,
    /// The theme.
    pub theme: Theme,
    /// The language.
    pub lang: Lang,
    /// To ask.
    pub send: Send,
}

/// The tabs, and what the open one shows.
#[component]
pub fn Timeline(props: &TimelineProps) -> Html {
    let (lang, send, run) = (props.lang, props.send.clone(), props.run.clone());
    let key = run.key();
    let name = |tab: TimeTab| match tab {
        TimeTab::Events => t(lang, Key::Events),
        TimeTab::Diagram => lang.pick("Diagram", "时空图"),
        TimeTab::Logs => lang.pick("Logs", "日志"),
        TimeTab::Branches => lang.pick("Branches", "分支"),
    };
    let onkeydown = {
        let (send, tab) = (send.clone(), props.tab);
        Callback::from(move |event: KeyboardEvent| {
            if let Some(to) = next_tab(&event, &TimeTab::ALL, tab) {
                send.dispatch(Action::Time(TimeAct::Tab(to)));
            }
        })
    };
    let selection = props.selection.clone();
    html! {
        <section class="time" aria-label={lang.pick("Timeline", "时间线")}>
            <div class="ttabs" role="tablist" aria-label={lang.pick("Timeline", "时间线")} {onkeydown}>
                { for TimeTab::ALL.into_iter().map(|tab| {
                    let on = tab == props.tab;
                    html! {
                        <button type="button" role="tab" id={format!("time-{tab:?}")} class={classes!("tab", on.then_some("on"))}
                            aria-selected={if on { "true" } else { "false" }} aria-controls="time-panel"
                            tabindex={if on { "0" } else { "-1" }}
                            onclick={ask(&send, Action::Time(TimeAct::Tab(tab)))}>{ name(tab) }</button>
                    }
                }) }
            </div>
            <div class={classes!("tpane", (props.tab == TimeTab::Events).then_some("two"))} role="tabpanel" id="time-panel"
                aria-labelledby={format!("time-{:?}", props.tab)}>
                { match props.tab {
                    TimeTab::Events => html! { <>
                        { events_of(props) }
                        <div class="beside-events"><Logs key={key} {run} {selection} {lang} {send} /></div>
                    </> },
                    TimeTab::Logs => html! { <Logs key={key} {run} {selection} {lang} {send} /> },
                    TimeTab::Diagram | TimeTab::Branches => match rest::get() {
                        Some(rest) => (rest.time)(props),
                        None => rest::on_its_way(lang),
                    },
                } }
            </div>
        </section>
    }
}

fn events_of(props: &TimelineProps) -> Html {
    html! {
        <Events run={props.run.clone()} focus={props.focus} selection={props.selection.clone()} least={props.least}
            lang={props.lang} send={props.send.clone()} />
    }
}

/// What the event list needs.
#[derive(Properties, PartialEq)]
pub struct EventsProps {
    run: RunHandle,
    focus: Option<usize>,
    selection: Selection,
    least: Importance,
    lang: Lang,
    send: Send,
}

/// The event list.
#[component]
fn Events(props: &EventsProps) -> Html {
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

//! The run in the address and in the browser's storage: how it gets there, and how it is opened again.

use super::{bits::Send, gallery};
use crate::{
    link::{self, Fragment},
    platform,
    state::{Action, LessonAct, Loaded, Notice, State, run::RunHandle},
};
use std::cell::Cell;
use zabscope_core::sim::{Exported, ImportError, Importing};

/// A link with so many steps is opened at once; a longer one while the page is alive already.
const AT_ONCE: u64 = 4000;

thread_local! {
    /// How many runs were begun to be opened: of several at a time the last one counts.
    static OPENING: Cell<u32> = const { Cell::new(0) };
    /// The link that was opened with the page.
    static BEGUN: Cell<bool> = const { Cell::new(false) };
}

/// What the page begins with instead of an election, if its address names something.
pub fn begin(state: &mut State, fragment: &Fragment) {
    BEGUN.set(fragment.lesson.is_some());
    match fragment.lesson.as_deref().map(zabscope_lessons::parse_link) {
        Some(Some((name, step))) => {
            return state.apply(Action::Lesson(LessonAct::Open(name, step)));
        }
        Some(None) => state.apply(Action::Notify(Notice::NoLesson)),
        None => {}
    }
    let action = match link::wanted(fragment, platform::kept_here().as_deref()) {
        None => return,
        // `read` opens it.
        Some(Ok(runs)) if !at_once(&runs) => return,
        Some(Ok(runs)) => match open_first(&runs) {
            Some(Ok(loaded)) => Action::Load(loaded),
            Some(Err(error)) => Action::Notify(Notice::Import(error)),
            None => return,
        },
        Some(Err(error)) => Action::Notify(Notice::Unreadable(error)),
    };
    BEGUN.set(true);
    state.apply(action);
}

fn at_once(runs: &[Exported]) -> bool {
    // Where a branch begins some steps are repeated, too.
    let work = |run: &Exported| run.work() + 100 * run.branches.len() as u64;
    runs.iter().all(|run| work(run) <= AT_ONCE)
}

/// Opens the first that can be repeated.
fn open_first(runs: &[Exported]) -> Option<Result<Loaded, ImportError>> {
    let mut opened = None;
    for run in runs {
        let now = open(run);
        let done = now.is_ok();
        opened = Some(now);
        if done {
            break;
        }
    }
    opened
}

fn open(exported: &Exported) -> Result<Loaded, ImportError> {
    let mut importing = Importing::new(exported)?;
    while importing.run(AT_ONCE)? {}
    Ok(Loaded::new(importing.finish()))
}

/// Opens what the address names, unless the page began with it.
pub fn read(fragment: Fragment, send: Send) {
    if BEGUN.replace(false) {
        return;
    }
    if let Some(lesson) = &fragment.lesson {
        return send.dispatch(match zabscope_lessons::parse_link(lesson) {
            Some((name, step)) => Action::Lesson(LessonAct::Open(name, step)),
            None => Action::Notify(Notice::NoLesson),
        });
    }
    if let Some(name) = fragment.world {
        return yew::platform::spawn_local(gallery::open(name, send));
    }
    match link::wanted(&fragment, platform::kept_here().as_deref()) {
        None => {}
        Some(Ok(runs)) => yew::platform::spawn_local(load(runs, send)),
        Some(Err(error)) => send.dispatch(Action::Notify(Notice::Unreadable(error))),
    }
}

/// Opens a run that was kept.
pub fn go_on(text: &str, send: &Send) {
    match link::from_kept(text) {
        Ok(exported) => yew::platform::spawn_local(load(vec![exported], send.clone())),
        Err(error) => send.dispatch(Action::Notify(Notice::Unreadable(error))),
    }
}

/// Opens the first of these runs that can be repeated, however long it is, a piece at a time.
pub async fn load(runs: Vec<Exported>, send: Send) {
    let opening = OPENING.get().wrapping_add(1);
    OPENING.set(opening);
    let mut action = None;
    for run in runs {
        match repeat(&run, opening).await {
            Ok(Some(loaded)) => {
                action = Some(Action::Load(loaded));
                break;
            }
            Ok(None) => return,
            Err(error) => action = Some(Action::Notify(Notice::Import(error))),
        }
    }
    if let Some(action) = action {
        send.dispatch(action);
    }
}

/// `None`: meanwhile another run is to be opened.
async fn repeat(run: &Exported, opening: u32) -> Result<Option<Loaded>, ImportError> {
    let mut importing = Importing::new(run)?;
    while importing.run(1000)? {
        gloo::timers::future::TimeoutFuture::new(0).await;
        if opening != OPENING.get() {
            return Ok(None);
        }
    }
    Ok(Some(Loaded::new(importing.finish())))
}

/// Puts the shown branch, or the lesson by its link, into the address, and keeps all of the run for the next
/// visit.
pub fn keep(run: &RunHandle, lesson: Option<&str>, embed: bool) {
    if let Some(lesson) = lesson {
        return platform::set_fragment(&format!("lesson={lesson}"));
    }
    let run = run.get();
    // An article's reader leaves nothing behind, and the opening is no work.
    let is_work = |whole: &Exported| link::is_work(whole) || whole.steps > link::MAX_STEPS;
    let whole = Some(run.export()).filter(|whole| !embed && is_work(whole));
    if whole.is_none() && run.is_empty() {
        return;
    }
    let shared = run.shared();
    if shared.steps <= link::MAX_STEPS {
        let before = if embed { "embed&" } else { "" };
        let text = link::encode(&shared);
        platform::set_fragment(&format!("{before}s={text}"));
    } else if whole.is_some() {
        platform::set_fragment("kept");
    }
    if let Some(whole) = whole {
        platform::keep_run(&link::to_file(&whole));
    }
}

/// Opens the run in a page of its own.
pub fn open_beside(run: &RunHandle) {
    let shared = run.get().shared();
    platform::open_beside(&format!("s={}", link::encode(&shared)));
}

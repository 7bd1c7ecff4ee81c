//! The run in the address and in the browser's storage: how it gets there, and how it is opened again.

use super::{bits::Send, gallery};
use crate::{
    link::{self, Fragment},
    platform,
    state::{Action, LessonAct, Loaded, Notice, State, run::RunHandle},
};
use std::cell::Cell;
use zabscope_core::sim::{Exported, history::Importing};

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
    let Some(text) = &fragment.state else { return };
    let exported = link::decode(text).map_err(Notice::Unreadable);
    let opened = match exported {
        // `read` opens it.
        Ok(exported) if exported.steps > AT_ONCE => return,
        Ok(exported) => open(&exported),
        Err(notice) => Err(notice),
    };
    BEGUN.set(true);
    state.apply(match opened {
        Ok(loaded) => Action::Load(loaded),
        Err(notice) => Action::Notify(notice),
    });
}

fn open(exported: &Exported) -> Result<Loaded, Notice> {
    let mut importing = Importing::new(exported).map_err(Notice::Import)?;
    while importing.run(AT_ONCE).map_err(Notice::Import)? {}
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
    if let Some(text) = fragment.state {
        go_on(&text, &send);
    }
}

/// Opens a run that a link holds.
pub fn go_on(text: &str, send: &Send) {
    match link::decode(text) {
        Ok(exported) => yew::platform::spawn_local(load(exported, send.clone())),
        Err(error) => send.dispatch(Action::Notify(Notice::Unreadable(error))),
    }
}

/// Opens a run, however long it is, a piece at a time.
pub async fn load(exported: Exported, send: Send) {
    let opening = OPENING.get().wrapping_add(1);
    OPENING.set(opening);
    let mut importing = match Importing::new(&exported) {
        Ok(importing) => importing,
        Err(error) => return send.dispatch(Action::Notify(Notice::Import(error))),
    };
    loop {
        match importing.run(1000) {
            Ok(true) => gloo::timers::future::TimeoutFuture::new(0).await,
            Ok(false) => break,
            Err(error) => return send.dispatch(Action::Notify(Notice::Import(error))),
        }
    }
    if opening == OPENING.get() {
        send.dispatch(Action::Load(Loaded::new(importing.finish())));
    }
}

/// Puts the run, or the lesson by its link, into the address, and keeps it for the next visit.
pub fn keep(run: &RunHandle, lesson: Option<&str>, embed: bool) {
    if let Some(lesson) = lesson {
        return platform::set_fragment(&format!("lesson={lesson}"));
    }
    let exported = run.get().history().export();
    if exported.steps <= link::MAX_STEPS {
        let text = link::encode(&exported);
        let before = if embed { "embed&" } else { "" };
        platform::set_fragment(&format!("{before}s={text}"));
        // An article's reader leaves nothing behind, and the opening is no work.
        if !embed && !exported.actions.is_empty() {
            platform::keep_run(Some(&text));
        }
    }
}

/// Opens the run in a page of its own.
pub fn open_beside(run: &RunHandle) {
    let exported = run.get().history().export();
    platform::open_beside(&format!("s={}", link::encode(&exported)));
}

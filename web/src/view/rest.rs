//! The views and acts that the first picture does not need; see [`crate::later`].

use super::{
    act::{ActProps, act},
    address,
    bits::{Send, ask},
    branches::Branches,
    console::Console,
    diagram::Diagram,
    dialogs::{Dialogs, DialogsProps},
    header,
    inspector::{ChosenProps, chosen},
    invariants::Invariants,
    lesson::{LessonProps, lesson},
    menu, notice,
    sessions::{SessionsProps, sessions},
    side::SideProps,
    timeline::TimelineProps,
    tree::TreeTab,
    until,
    why::{WhyProps, why_panel},
};
use crate::{
    later::{self, Later},
    link::{self, Fragment},
    state::{
        Action, Notice, State, Tab,
        run::RunHandle,
        until::{SearchHandle, TimeTab},
    },
    text::{Importance, Key, Lang, t},
    worker,
};
use std::{cell::RefCell, rc::Rc};
use yew::prelude::*;
use zabscope_core::sim::{Exported, World};

/// The functions.
pub struct Rest {
    /// What the address asks for, in the very first picture.
    pub begin: fn(&mut State, &Fragment),
    /// What the address asks for by now.
    pub read: fn(Fragment, Send),
    /// Puts the run, or the lesson by its link, into the address, and keeps it for the next visit.
    pub keep: fn(&RunHandle, Option<&str>, bool),
    /// Opens the run in a page of its own.
    pub open_beside: fn(&RunHandle),
    /// Copies a link.
    pub share: fn(&RunHandle, &Send),
    /// Opens the chosen file.
    pub import: fn(&Event, &Send),
    /// Opens the run that was kept.
    pub go_on: fn(&str, &Send),
    /// A run as a link holds it.
    pub encode: fn(&Exported) -> String,
    /// In a worker: a search.
    pub search: fn(&str),
    /// What is to be said.
    pub notice: fn(&Rc<Notice>, &RunHandle, Lang, &Send) -> Html,
    /// How far something is looked for.
    pub looking: fn(&SearchHandle, Lang, &Send) -> Html,
    /// The open tab of the side panel.
    pub pane: fn(&SideProps) -> Html,
    /// The open tab below, of those that are not there at first.
    pub time: fn(&TimelineProps) -> Html,
    /// The open dialog.
    pub dialog: fn(DialogsProps) -> Html,
    /// The menu of what an event is about.
    pub opened: fn(&MouseEvent, &World) -> Option<menu::Open>,
    /// That menu.
    pub menu: fn(Option<&menu::Open>, &World, Lang, &Callback<()>, &Send) -> Html,
}

/// All of them.
pub static REST: Rest = Rest {
    begin: address::begin,
    read: address::read,
    keep: address::keep,
    open_beside: address::open_beside,
    share: header::share,
    import: header::import,
    go_on: address::go_on,
    encode: link::encode,
    search: worker::search_here,
    notice: notice::notice_bar,
    looking: until::looking,
    pane,
    time,
    dialog: |props| html! { <Dialogs ..props /> },
    opened: menu::open,
    menu: menu::menu,
};

thread_local! {
    pub(crate) static LATER: Later<Rest> = const { Later::new(&REST) };
}

/// The functions, if they are here.
#[must_use]
pub fn get() -> Option<&'static Rest> {
    LATER.with(Later::get)
}

// ---- in the first file: until the rest is here ---------------------------------------------------------

/// What is to be done when the functions are here.
type Call = Box<dyn FnOnce(&'static Rest, &Send)>;

thread_local! {
    /// What was asked for meanwhile, in order. It is kept until it can be done.
    static WAITING: RefCell<Vec<Call>> = const { RefCell::new(Vec::new()) };
}

fn wait_with(call: Call) {
    WAITING.with(|waiting| waiting.borrow_mut().push(call));
}

/// Does it as soon as all of the page is here.
pub fn wait(action: Action) {
    wait_with(Box::new(|_, send| send.dispatch(action)));
}

/// Fetches what is not here yet, and then does what was asked for meanwhile.
pub async fn arrive(send: Send) {
    let fetched = later::fetch().await;
    let (Ok(()), Some(rest)) = (fetched, get()) else {
        return send.dispatch(Action::Notify(Notice::Incomplete));
    };
    send.dispatch(Action::Here);
    let waiting = WAITING.with(RefCell::take);
    waiting.into_iter().for_each(|call| call(rest, &send));
}

/// Calls one of the functions, when they are here.
pub fn with(call: impl FnOnce(&'static Rest) + 'static) {
    match get() {
        Some(rest) => call(rest),
        None => wait_with(Box::new(|rest, _| call(rest))),
    }
}

/// In place of what is not here yet.
pub fn on_its_way(lang: Lang) -> Html {
    html! { <p class="empty" role="status">{ lang.pick("On its way…", "正在加载……") }</p> }
}

/// The same where nothing else can be seen of it; it can be called off.
pub fn awaited(lang: Lang, send: &Send) -> Html {
    html! {
        <div class="notice" role="note">
            { on_its_way(lang) }
            <button type="button" class="btn" onclick={ask(send, Action::Dialog(None))}>{ t(lang, Key::Close) }</button>
        </div>
    }
}

/// What is said when it can't be fetched.
pub fn incomplete(lang: Lang, send: &Send) -> Html {
    let again = {
        let send = send.clone();
        Callback::from(move |_: MouseEvent| yew::platform::spawn_local(arrive(send.clone())))
    };
    html! {
        <div class="notice bad" role="alert">
            <p>{ lang.pick("A part of the page could not be fetched.", "页面有一部分无法加载。") }{ " " }
                <span class="soft">{ lang.pick(
                    "The network is gone, or there is a newer zabscope: then load the page again.",
                    "网络中断，或者 zabscope 有了新版本：若是后者，请重新加载页面。",
                ) }</span></p>
            <button type="button" class="btn" onclick={again}>{ lang.pick("Try again", "重试") }</button>
        </div>
    }
}

// ---- the second file -----------------------------------------------------------------------------------

fn pane(props: &SideProps) -> Html {
    let (run, selection) = (props.run.clone(), props.selection.clone());
    let (lang, send) = (props.lang, props.send.clone());
    match props.tab {
        Tab::Lesson => lesson(&LessonProps {
            run,
            lesson: props.lesson.clone(),
            plays: props.plays,
            kept: props.kept.clone(),
            lang,
            send,
        }),
        Tab::Chosen => chosen(&ChosenProps {
            run,
            selection,
            lang,
            send,
        }),
        Tab::Tree => html! { <TreeTab {run} {selection} {lang} {send} /> },
        Tab::Console => html! { <Console {run} {selection} {lang} {send} /> },
        Tab::Act => act(&ActProps {
            run,
            search: props.search.clone(),
            lang,
            send,
        }),
        Tab::Why => why_panel(&WhyProps {
            run,
            focus: props.focus,
            asked: props.asked.clone(),
            lang,
            send,
        }),
        Tab::Sessions => sessions(&SessionsProps {
            run,
            selection,
            lang,
            send,
        }),
        Tab::Invariants => html! { <Invariants {run} {lang} {send} /> },
    }
}

fn time(props: &TimelineProps) -> Html {
    let (run, selection) = (props.run.clone(), props.selection.clone());
    let (lang, send, key) = (props.lang, props.send.clone(), run.key());
    match props.tab {
        TimeTab::Diagram => html! {
            <Diagram {run} {selection} heartbeats={props.least == Importance::Heartbeat} moves={props.moves}
                theme={props.theme} {lang} {send} />
        },
        TimeTab::Branches => {
            html! { <Branches key={key} {run} {selection} moves={props.moves} {lang} {send} /> }
        }
        TimeTab::Events | TimeTab::Logs => Html::default(),
    }
}

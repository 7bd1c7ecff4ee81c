//! Components. Each is a pure function of (history, cursor, selection) and of what the visitor chose.

pub mod act;
pub mod address;
pub mod bits;
pub mod both;
pub mod branches;
pub mod client;
pub mod client_eye;
pub mod console;
pub mod diagram;
pub mod dialogs;
pub mod faults;
pub mod gallery;
pub mod header;
pub mod inspector;
pub mod invariants;
pub mod lesson;
pub mod menu;
pub mod message;
pub mod notice;
pub mod rest;
pub mod room;
pub mod rules;
pub mod save;
pub mod say;
pub mod search;
pub mod sessions;
pub mod side;
pub mod stage;
pub mod start;
pub mod timeline;
pub mod transport;
pub mod tree;
pub mod until;
pub mod why;
pub mod why_not;

use crate::{
    link, platform,
    state::{
        Action, Motion, Notice, Selection, State, Tab, Theme,
        hand::{self, Blow},
        opening,
        pace::Speed,
        run::Run,
        until::TimeAct,
    },
};
use bits::Send;
use gloo::{
    events::{EventListener, EventListenerOptions},
    render::{AnimationFrame, request_animation_frame},
    timers::callback::{Interval, Timeout},
};
use stage::StageHandle;
use std::{cell::RefCell, rc::Rc};
use wasm_bindgen::JsCast as _;
use yew::prelude::*;
use zabscope_core::{id::ServerId, sim::Setup};

/// The page.
#[component]
pub fn App() -> Html {
    let state = use_reducer(first);
    let send = state.dispatcher();
    use_theme_and_language(&state);
    use_frames(&state);
    use_keys(&state);
    use_address(&state);
    {
        let send = send.clone();
        use_effect_with((), |()| yew::platform::spawn_local(rest::arrive(send)));
    }
    let s = &*state;
    let (run, lang) = (s.run.clone(), s.lang);
    // Messages move by attributes; the stage is drawn anew only when a step was taken.
    let handle = (*use_memo((), |()| StageHandle::default())).clone();
    handle.advance(s.time.0 as f64);
    let motion = if s.moves() { "on" } else { "off" };
    if s.embed {
        return embedded(s, motion, handle, &send);
    }
    html! {
        <div class="app" data-motion={motion}>
            <header::Header run={run.clone()} title={s.title()} theme={s.theme} {lang} send={send.clone()} />
            <main class="stage" aria-label={crate::text::t(lang, crate::text::Key::Stage)}>
                <room::Room run={run.clone()} focus={s.focus} selection={s.selection.clone()} {lang} still={s.reduced}
                    handle={handle} send={send.clone()} />
                { said(s, &send) }
            </main>
            <say::Say run={run.clone()} focus={s.focus} {lang} send={send.clone()} />
            <transport::Transport run={run.clone()} plays={s.plays()} speed={s.speed}
                heartbeats={s.heartbeats} unit={s.times.unit} {lang} send={send.clone()} />
            <div class="lower">
                <side::Side here={s.here} run={run.clone()} search={s.search.clone()} asked={s.asked.clone()} lesson={s.lesson.clone()} plays={s.plays()} kept={s.kept.clone()} tab={s.tab} selection={s.selection.clone()} focus={s.focus} {lang} send={send.clone()} />
                <timeline::Timeline here={s.here} run={run.clone()} focus={s.focus} selection={s.selection.clone()} least={s.least()} tab={s.times.tab}
                    moves={s.moves()} theme={s.theme} {lang} send={send.clone()} />
            </div>
            if let (Some(dialog), Some(rest)) = (s.dialog, rest::get()) {
                { (rest.dialog)(dialogs::DialogsProps { dialog, notice: s.notice.clone(), run, unit: s.times.unit, selection: s.selection.clone(), lang, send: send.clone() }) }
            }
        </div>
    }
}

/// What is to be said over the stage, and how far something is looked for.
fn said(s: &State, send: &Send) -> Html {
    let Some(rest) = rest::get() else {
        return match &s.notice {
            Some(notice) if **notice == Notice::Incomplete => rest::incomplete(s.lang, send),
            _ if s.dialog.is_some() => rest::awaited(s.lang, send),
            _ if link::fragment(&platform::fragment()).asks() => rest::on_its_way(s.lang),
            _ => Html::default(),
        };
    };
    // Behind a dialog nobody would see it.
    if s.dialog.is_some() {
        return Html::default();
    }
    let notice = s.notice.as_ref();
    let notice = notice.map(|notice| (rest.notice)(notice, &s.run, s.lang, send));
    let search = s.times.search.as_ref();
    html! { <>
        { notice.unwrap_or_default() }
        { search.map(|search| (rest.looking)(search, s.lang, send)).unwrap_or_default() }
    </> }
}

/// What is shown inside an article.
fn embedded(s: &State, motion: &'static str, handle: StageHandle, send: &Send) -> Html {
    let (run, lang) = (s.run.clone(), s.lang);
    let out = {
        let run = run.clone();
        Callback::from(move |_: MouseEvent| {
            let run = run.clone();
            rest::with(move |rest| (rest.open_beside)(&run));
        })
    };
    html! {
        <div class="app" data-motion={motion} data-embed="">
            <main class="stage" aria-label={crate::text::t(lang, crate::text::Key::Stage)}>
                <room::Room run={run.clone()} focus={s.focus} selection={s.selection.clone()} {lang} still={s.reduced}
                    handle={handle} send={send.clone()} />
                { said(s, send) }
            </main>
            <say::Say run={run.clone()} focus={s.focus} {lang} send={send.clone()} />
            <button type="button" class="btn out" onclick={out}>{ lang.pick("Open in zabscope", "在 zabscope 中打开") }</button>
            <transport::Transport run={run.clone()} plays={s.plays()} speed={s.speed}
                heartbeats={s.heartbeats} unit={s.times.unit} {lang} send={send.clone()} />
        </div>
    }
}

/// For Yew: [`State::apply`] as a reducer.
impl Reducible for State {
    type Action = Action;

    fn reduce(self: Rc<Self>, action: Action) -> Rc<Self> {
        if action.needs_rest() && !crate::later::is_here() {
            // It is done to what is chosen now, at this moment.
            let action = match action {
                Action::Blow(None, blow) => Action::Blow(Some(self.selection.clone()), blow),
                other => other,
            };
            rest::wait(action);
            let mut next = (*self).clone();
            next.apply(Action::Pause);
            return Rc::new(next);
        }
        platform::remember_cursor(self.run.get().history().cursor());
        match &action {
            // Should this be what breaks us, the link that is shown then must hold it.
            Action::Act(action) => platform::remember_action(action),
            Action::ActAll(actions) => actions.iter().for_each(platform::remember_action),
            Action::Blow(to, blow) => {
                let to = to.as_ref().unwrap_or(&self.selection);
                let actions = hand::blow(self.run.get().world(), to, *blow);
                actions.iter().for_each(platform::remember_action);
            }
            _ => {}
        }
        let mut next = (*self).clone();
        next.apply(action);
        Rc::new(next)
    }
}

// ---- how the page begins --------------------------------------------------------------------------

fn default_run() -> Run {
    match Run::new(&opening()).or_else(|_| Run::new(&Setup::default())) {
        Ok(run) => run,
        Err(error) => panic!("the opening world must be possible, but {error}"),
    }
}

fn first() -> State {
    let mut state = State::new(default_run());
    state.theme = platform::theme();
    state.lang = platform::lang();
    state.reduced = platform::reduced_motion();
    let fragment = link::fragment(&platform::fragment());
    state.embed = fragment.embed;
    state.kept = platform::kept_run().map(Rc::from);
    match fragment.theme.as_deref() {
        Some("light") => state.theme = Theme::Light,
        Some("dark") => state.theme = Theme::Dark,
        Some(_) | None => {}
    }
    if let Some(tag) = &fragment.lang {
        state.lang = crate::text::Lang::from_tag(tag);
    }
    if fragment.asks()
        && let Some(rest) = rest::get()
    {
        (rest.begin)(&mut state, &fragment);
    }
    let run = fragment.state.is_some() || fragment.kept || fragment.world.is_some();
    let election = !run && state.lesson.is_none();
    if election && !(fragment.paused || fragment.embed || state.reduced) {
        state.motion = Motion::Opening;
    }
    state
}

// ---- effects --------------------------------------------------------------------------------------

#[hook]
fn use_theme_and_language(state: &UseReducerHandle<State>) {
    use_effect_with(state.theme, |theme| platform::show_theme(*theme));
    use_effect_with(state.lang, |lang| platform::show_lang(*lang));
    // Only what was chosen here is kept; the system's choice stays the system's.
    let first = use_mut_ref(|| (state.theme, state.lang));
    let (theme, lang) = (state.theme, state.lang);
    use_effect_with((theme, lang), move |_| {
        let mut kept = first.borrow_mut();
        if kept.0 != theme {
            platform::keep_theme(theme);
        }
        if kept.1 != lang {
            platform::keep_lang(lang);
        }
        *kept = (theme, lang);
    });
}

/// While something moves, time passes: frame by frame, or in discrete steps where motion is unwanted.
#[hook]
fn use_frames(state: &UseReducerHandle<State>) {
    let send = state.dispatcher();
    let speed = state.speed;
    use_effect_with(
        // A search moves nothing that one would see.
        (
            state.moves(),
            state.reduced && state.motion != Motion::Searching,
            speed,
        ),
        move |(moves, reduced, speed)| {
            let mut frames = None;
            let mut ticks = None;
            if *moves && *reduced {
                let every = (900.0 / speed.factor()).clamp(200.0, 6000.0);
                ticks = Some(Interval::new(every as u32, move || {
                    send.dispatch(Action::Tick);
                }));
            } else if *moves {
                let frame: Rc<RefCell<Option<AnimationFrame>>> = Rc::default();
                run_frames(&frame, None, send);
                frames = Some(frame);
            }
            move || {
                drop(ticks);
                if let Some(frame) = frames {
                    // Dropping the handle cancels it.
                    frame.borrow_mut().take();
                }
            }
        },
    );
}

fn run_frames(handle: &Rc<RefCell<Option<AnimationFrame>>>, before: Option<f64>, send: Send) {
    let again = Rc::downgrade(handle);
    let next = request_animation_frame(move |now| {
        let Some(handle) = again.upgrade() else {
            return;
        };
        // Armed first: when nothing moves any more, the effect's end takes it away.
        run_frames(&handle, Some(now), send.clone());
        if let Some(before) = before {
            send.dispatch(Action::Frame(now - before));
        }
    });
    *handle.borrow_mut() = Some(next);
}

/// The keys, wherever the focus is; except where a key already means something.
#[hook]
fn use_keys(state: &UseReducerHandle<State>) {
    let send = state.dispatcher();
    let speed = use_mut_ref(|| state.speed);
    *speed.borrow_mut() = state.speed;
    use_effect_with((), move |()| {
        let listener = web_sys::window()
            .and_then(|w| w.document())
            .map(|document| {
                let options = EventListenerOptions::enable_prevent_default();
                EventListener::new_with_options(&document, "keydown", options, move |event| {
                    if let Some(event) = event.dyn_ref::<KeyboardEvent>()
                        && let Some(action) = key(event, *speed.borrow())
                    {
                        event.prevent_default();
                        send.dispatch(action);
                    }
                })
            });
        move || drop(listener)
    });
}

fn key(event: &KeyboardEvent, speed: Speed) -> Option<Action> {
    let key = event.key();
    let undo = (event.ctrl_key() || event.meta_key()) && key == "z" && !event.shift_key();
    if event.alt_key() || event.default_prevented() {
        return None;
    }
    if (event.ctrl_key() || event.meta_key()) && !undo {
        return None;
    }
    let target = event.target_dyn_into::<web_sys::Element>();
    let within = |selector: &str| {
        target
            .as_ref()
            .is_some_and(|t| t.closest(selector).is_ok_and(|found| found.is_some()))
    };
    // Where one types or chooses, every key belongs to that place; in a dialog too.
    if within("input:not([type=checkbox]), select, textarea, dialog, [role=alertdialog]") {
        return None;
    }
    let button = within("button, a, summary, label, input, [role=button]");
    let tab = within("[role=tab]");
    let step = |by: i32| {
        let at = Speed::ALL.iter().position(|s| *s == speed).unwrap_or(3) as i32 + by;
        let at = at.clamp(0, Speed::ALL.len() as i32 - 1) as usize;
        Action::Speed(Speed::ALL[at])
    };
    Some(match key.as_str() {
        " " if !button => Action::Toggle,
        "ArrowRight" if !tab => Action::Step,
        "ArrowLeft" if !tab => Action::Back,
        "Home" if !tab => Action::First,
        "End" if !tab => Action::Last,
        "z" if undo => Action::Undo,
        "n" | "N" => Action::NextPhase,
        "w" | "W" => Action::Tab(Tab::Why),
        "u" | "U" => Action::Dialog(Some(crate::state::Dialog::Until)),
        "b" | "B" => Action::Time(TimeAct::Bookmark("".into())),
        "x" => Action::Blow(None, Blow::Crash),
        "X" => Action::Blow(None, Blow::CrashLosing),
        "p" | "P" => Action::Blow(None, Blow::Pause),
        "s" | "S" => Action::Blow(None, Blow::Slow),
        "c" | "C" => Action::Blow(None, Blow::Cut),
        "d" | "D" => Action::Dialog(Some(crate::state::Dialog::Partition)),
        "+" | "=" => step(1),
        "-" | "−" => step(-1),
        "?" => Action::Dialog(Some(crate::state::Dialog::Keys)),
        "Escape" => Action::Select(Selection::Nothing),
        digit => {
            let id = digit.parse::<i64>().ok().filter(|n| (1..=9).contains(n))?;
            Action::Select(Selection::Server(ServerId(id)))
        }
    })
}

/// The address bar holds the state whenever the page stands still, and a link that is pasted there is
/// opened.
#[hook]
fn use_address(state: &UseReducerHandle<State>) {
    let moves = state.moves();
    let run = state.run.clone();
    let untouched = use_mut_ref(|| true);
    let lesson = state.lesson.as_ref().map(|l| l.get().link());
    let embed = state.embed;
    use_effect_with((moves, run, lesson), move |(moves, run, lesson)| {
        let mut timeout = None;
        if !moves {
            platform::remember(run);
            let lesson = lesson.clone();
            // A page that was only opened keeps the address that it was opened with.
            let first = untouched.replace(false);
            if !first {
                let run = run.clone();
                timeout = Some(Timeout::new(400, move || {
                    if let Some(rest) = rest::get() {
                        (rest.keep)(&run, lesson.as_deref(), embed);
                    }
                }));
            }
        }
        move || drop(timeout)
    });
    let finished = state.lesson.as_ref().and_then(|lesson| {
        let player = lesson.get();
        player.finished().then(|| player.lesson().name().to_owned())
    });
    use_effect_with(finished, |finished| {
        if let Some(name) = finished {
            platform::keep_lesson_done(name);
        }
    });
    let send = state.dispatcher();
    use_effect_with((), move |()| {
        let read = move |send: Send| {
            let fragment = link::fragment(&platform::fragment());
            if fragment.asks() {
                rest::with(move |rest| (rest.read)(fragment, send));
            }
        };
        read(send.clone());
        let newer = send.clone();
        let listeners = web_sys::window().map(|w| {
            [
                EventListener::new(&w, "hashchange", move |_| read(send.clone())),
                EventListener::new(&w, "zabscope-newer", move |_| {
                    newer.dispatch(Action::Notify(Notice::Newer));
                }),
            ]
        });
        move || drop(listeners)
    });
}

//! The space-time diagram: a canvas to look at, the same as text to listen to, one way of moving in both.
//!
//! The wheel and two fingers zoom, dragging pans, a click goes there; arrow keys pan and choose, + and −
//! zoom, Enter goes there. Nothing is decided here: [`crate::scene::diagram`] says what stands where.

mod paint;

use super::bits::{Send, Who, ask, letter, seconds, zxid};
use crate::{
    platform,
    scene::{
        diagram::{AXIS, Carried, Fate, Index, LANE, Picture, View, picture},
        sight::End,
    },
    state::{
        Action, Selection, Theme,
        run::{Run, RunHandle},
        track::MarkKind,
        until::TimeAct,
    },
    text::{Key, Lang, short, t},
};
use gloo::events::{EventListener, EventListenerOptions};
use paint::{Colours, Marks, paint};
use std::{cell::RefCell, rc::Rc};
use wasm_bindgen::{JsCast as _, closure::Closure};
use yew::prelude::*;
use zabscope_core::time::Moment;

/// What is shown when the diagram is opened, in µs before and after the cursor.
const BEFORE: f64 = 300_000.0;
const AFTER: f64 = 60_000.0;
/// So many messages stand in the list beside the picture.
const LISTED: usize = 20;
/// So many CSS pixels are still a click.
const CLICK: f64 = 5.0;

/// What the diagram needs.
#[derive(Properties, PartialEq)]
pub struct DiagramProps {
    /// The run.
    pub run: RunHandle,
    /// What is chosen.
    pub selection: Selection,
    /// Heartbeats are shown too.
    pub heartbeats: bool,
    /// Virtual time passes.
    pub moves: bool,
    /// The theme: the picture has its colours.
    pub theme: Theme,
    /// The language.
    pub lang: Lang,
    /// To ask.
    pub send: Send,
}

/// How one looks at it.
struct Look {
    view: View,
    /// The cursor that was shown last.
    cursor: Option<u64>,
    /// The message under the pointer, or chosen by key.
    at: Option<u32>,
    /// Chosen by key: said aloud.
    by_key: bool,
    /// The message that is chosen in all views: by its number, and in the index.
    chosen: Option<(u64, u32)>,
    /// Fingers and mouse: which, and where they were last.
    pointers: Vec<(i32, f64, f64)>,
    /// How far they have gone since they were put down.
    gone: f64,
    picture: Rc<Picture>,
    end: u64,
    run: Option<RunHandle>,
}

impl Look {
    fn new() -> Look {
        Look {
            view: View {
                from: 0.0,
                to: 1.0,
                width: 600.0,
                height: 160.0,
            },
            cursor: None,
            at: None,
            by_key: false,
            chosen: None,
            pointers: Vec::new(),
            gone: 0.0,
            picture: Rc::default(),
            end: 0,
            run: None,
        }
    }

    /// The cursor has moved: it stays in sight if it was, and comes into sight if somebody went there.
    fn follow(&mut self, run: &RunHandle, index: &Index, moves: bool) {
        let now = run.get().world().now().0;
        self.end = index.end().max(now);
        let other = self.run.as_ref().is_none_or(|known| !known.is_of(run));
        if other {
            self.at = None;
            self.chosen = None;
            self.view.from = now as f64 - BEFORE;
            self.view.to = now as f64 + AFTER;
            if now as f64 <= BEFORE {
                self.view.from = -AFTER / 4.0;
                self.view.to = BEFORE + AFTER;
            }
        } else if let Some(before) = self.cursor.filter(|before| *before != now) {
            let seen = (self.view.from..=self.view.to).contains(&(before as f64));
            if seen || !moves {
                self.view = self.view.following(now);
            }
        }
        self.run = Some(run.clone());
        self.cursor = Some(now);
    }
}

type Shared = Rc<RefCell<Look>>;

/// A lane's name.
fn whose(end: End, lang: Lang) -> String {
    match end {
        End::Server(id) => [t(lang, Key::Server), " ", &id.to_string()].concat(),
        End::Client(no) => [t(lang, Key::Client), " ", &letter(no)].concat(),
    }
}

fn select(end: End) -> Selection {
    match end {
        End::Server(id) => Selection::Server(id),
        End::Client(no) => Selection::Client(no),
    }
}

/// What a message is, in a word or two.
fn name(index: &Index, no: u32, lang: Lang) -> String {
    let Some(arrow) = index.arrows().get(no as usize) else {
        return String::new();
    };
    let what = match arrow.what {
        Carried::Packet(kind) => kind.name(),
        Carried::Connect => lang.pick("connect", "连接"),
        Carried::Request(_) => lang.pick("request", "请求"),
        Carried::Session => lang.pick("session", "会话"),
        Carried::Reply(_) => lang.pick("reply", "回复"),
        Carried::Watch => lang.pick("watch event", "监听事件"),
    };
    match arrow.zxid.filter(|z| z.0 > 0) {
        Some(about) => [what, " ", &zxid(about)].concat(),
        None => what.to_owned(),
    }
}

/// A message in a line: what, from whom to whom, when, and what became of it.
fn told(run: &Run, index: &Index, no: u32, lang: Lang) -> String {
    let Some(arrow) = index.arrows().get(no as usize) else {
        return String::new();
    };
    let end = |lane: u16| {
        let lane = index.lanes().get(usize::from(lane));
        lane.map_or(String::new(), |l| whose(l.end, lang))
    };
    let at = |us: u64| seconds(Moment(us));
    let became = match arrow.fate {
        Fate::Arrived => lang.pick("arrived", "到达"),
        Fate::Lost => lang.pick("lost", "丢失"),
        Fate::UnderWay => lang.pick("under way", "在途"),
    };
    let comma = lang.pick(", ", "，");
    let mut out = [
        &name(index, no, lang),
        comma,
        &end(arrow.from),
        " → ",
        &end(arrow.to),
        comma,
        &at(arrow.sent),
        " – ",
        became,
    ]
    .concat();
    if arrow.fate != Fate::UnderWay {
        out.push(' ');
        out.push_str(&at(arrow.end));
    }
    // Of what clients ask the line in the list says more.
    if !matches!(arrow.what, Carried::Packet(_))
        && let Some(record) = arrow.cause.or(arrow.done)
        && let Some(record) = run.history().all_records().get(record as usize)
    {
        out.push_str(lang.pick(": ", "："));
        out.push_str(&short(&record.source, lang, &Who(run.world())).text);
    }
    out
}

/// The messages in sight that are nearest to the cursor, in order of their times.
fn nearest(index: &Index, view: &View, heartbeats: bool, cursor: u64) -> Vec<u32> {
    let mut near: Vec<(u64, u64, u32)> = Vec::new();
    let (from, to) = (view.from.max(0.0) as u64, view.to.max(0.0) as u64);
    index.visible(from, to, |no, arrow| {
        if heartbeats || !arrow.heartbeat {
            near.push((arrow.end.abs_diff(cursor), arrow.sent, no));
        }
    });
    if near.len() > LISTED {
        near.select_nth_unstable(LISTED);
        near.truncate(LISTED);
    }
    near.sort_unstable_by_key(|(_, sent, no)| (*sent, *no));
    near.into_iter().map(|(_, _, no)| no).collect()
}

/// The diagram.
#[component]
pub fn Diagram(props: &DiagramProps) -> Html {
    let (lang, send) = (props.lang, &props.send);
    let look: Shared = use_mut_ref(Look::new);
    let again = use_force_update();
    let (plot, canvas) = (use_node_ref(), use_node_ref());
    use_size(&plot, &look, &again);
    use_wheel(&plot, &look, &again);
    let colours = use_memo(props.theme, |theme| {
        // The theme is shown by an effect of the page that may come later.
        platform::show_theme(*theme);
        Colours::read()
    });

    let run = props.run.get();
    let index = run.diagram();
    let mut now = look.borrow_mut();
    now.follow(&props.run, &index, props.moves);
    now.chosen = match props.selection {
        Selection::Message(number) => match run.message_arrow(number) {
            Some(arrow) => Some((number, arrow)),
            // It has arrived in the meantime, and is chosen all the same.
            None => now.chosen.filter(|(known, _)| *known == number),
        },
        _ => None,
    };
    let chosen = now.at.or(now.chosen.map(|(_, arrow)| arrow));
    let related = chosen.map_or(Vec::new(), |no| index.related(no));
    let mut always = related.clone();
    always.extend(chosen);
    let lanes = index.lanes().len();
    let height = now.view.height.max(AXIS + LANE * lanes as f64);
    let view = View { height, ..now.view };
    let shown = Rc::new(picture(&index, &view, props.heartbeats, &always));
    now.picture = Rc::clone(&shown);
    let cursor = run.world().now().0;
    let listed = if props.moves {
        Vec::new()
    } else {
        nearest(&index, &view, props.heartbeats, cursor)
    };
    let lane = match &props.selection {
        Selection::Server(id) => Some(End::Server(*id)),
        Selection::Client(no) => Some(End::Client(*no)),
        _ => None,
    };
    let lit = lane.and_then(|end| shown.lanes.iter().find(|l| l.end == end));
    {
        let places = |at: u64| {
            let x = view.x(at);
            (x >= -2.0 && x <= view.width + 2.0).then_some(x)
        };
        let records = run.history().all_records();
        let mut faults: Vec<f64> = Vec::new();
        for mark in run
            .track()
            .marks()
            .iter()
            .filter(|m| m.kind == MarkKind::Fault)
        {
            let x = records.get(mark.index).and_then(|r| places(r.at.0));
            // One in a pixel is enough.
            if let Some(x) = x.filter(|x| faults.last().is_none_or(|last| x - last > 1.0)) {
                faults.push(x);
            }
        }
        let branch = run.history().branch();
        let bookmarks: Vec<f64> = run
            .bookmarks()
            .iter()
            .filter(|b| b.branch == branch)
            .filter_map(|b| places(b.at.0))
            .collect();
        if let Some(canvas) = canvas.cast::<web_sys::HtmlCanvasElement>() {
            let marks = Marks {
                cursor: view.x(cursor),
                chosen,
                related: &related,
                lane: lit.map(|l| l.y),
                faults: &faults,
                bookmarks: &bookmarks,
                name: &|no| name(&index, no, lang),
            };
            paint(&canvas, (view.width, height), &shown, &marks, &colours);
        }
    }
    {
        // There was no canvas yet when it was drawn first.
        let again = again.clone();
        use_effect_with((), move |()| again.force_update());
    }
    let tip = chosen.map(|no| told(&run, &index, no, lang));
    let by_key = now.by_key;
    let spoken = {
        let (from, to) = (
            seconds(Moment(view.from.max(0.0) as u64)),
            seconds(Moment(view.to.max(0.0) as u64)),
        );
        let n = shown.messages;
        match lang {
            Lang::En => format!(
                "Space-time diagram, {from} to {to}, {n} messages. Left and right pan, plus and minus zoom, up and down choose a message, Enter goes there."
            ),
            Lang::Zh => format!(
                "时空图，{from} 至 {to}，{n} 条消息。左右键平移，加减号缩放，上下键选择消息，回车前往。"
            ),
        }
    };
    drop(now);

    let act = |act: fn(&mut Look)| {
        let (look, again) = (look.clone(), again.clone());
        Callback::from(move |_: MouseEvent| {
            act(&mut look.borrow_mut());
            again.force_update();
        })
    };
    let tool = |sign: &'static str, name: &'static str, onclick: Callback<MouseEvent>| {
        html! { <button type="button" class="tool" aria-label={name} title={name} {onclick}>{ sign }</button> }
    };
    let lines: Vec<(u32, String, TimeAct)> = listed
        .iter()
        .map(|no| {
            let middle = index
                .arrows()
                .get(*no as usize)
                .map_or(0, |a| (a.sent + a.end) / 2);
            (
                *no,
                told(&run, &index, *no, lang),
                TimeAct::Message(*no, middle),
            )
        })
        .collect();
    html! {
        <div class="diagram">
            <div class="dlanes" style={format!("height:{height}px")}>
                <div class="dtools" role="group" aria-label={lang.pick("What is shown", "显示范围")}>
                    { tool("−", lang.pick("Farther", "缩小"), act(|l| zoom(l, 1.6))) }
                    { tool("+", lang.pick("Nearer", "放大"), act(|l| zoom(l, 0.625))) }
                    { tool("⇔", lang.pick("The whole run", "整个运行"), act(whole)) }
                </div>
                { for shown.lanes.iter().map(|l| html! {
                    <button type="button" class={classes!("dlane", (lane == Some(l.end)).then_some("on"))}
                        style={format!("top:{}px", l.y - 12.0)} aria-pressed={(lane == Some(l.end)).to_string()}
                        onclick={ask(send, Action::Select(select(l.end)))}>{ whose(l.end, lang) }</button>
                }) }
            </div>
            <div class="dplot" ref={plot} tabindex="0" role="group" aria-label={spoken}
                onkeydown={on_key(&look, &again, &props.run, props.heartbeats, send)}
                onpointerdown={on_down(&look)} onpointermove={on_move(&look, &again)}
                onpointerup={on_up(&look, &again, &props.run, send)} onpointercancel={on_cancel(&look, &again)}
                onpointerleave={on_cancel(&look, &again)}>
                <canvas ref={canvas} aria-hidden="true" style={format!("width:100%;height:{height}px")}></canvas>
            </div>
            <p class="dtip" role={by_key.then_some("status")} aria-hidden={(!by_key).then_some("true")}>{ tip.unwrap_or_default() }</p>
            <ol class="dlist" aria-label={lang.pick("Messages in sight", "可见的消息")}>
                { for lines.into_iter().map(|(no, line, act)| html! {
                    <li key={no}><button type="button" onclick={ask(send, Action::Time(act))}>{ line }</button></li>
                }) }
            </ol>
        </div>
    }
}

/// Nearer or farther; the cursor stays where it is, if it is in sight.
fn zoom(look: &mut Look, factor: f64) {
    let view = look.view;
    let x = look.cursor.map(|at| view.x(at));
    let x = x.filter(|x| (0.0..=view.width).contains(x));
    look.view = view.zoomed(factor, x.unwrap_or(view.width / 2.0), look.end);
}

/// From the beginning to as far as the run is known.
fn whole(look: &mut Look) {
    let end = (look.end as f64).max(20_000.0);
    look.view.from = -end * 0.02;
    look.view.to = end * 1.05;
}

/// The room there is.
#[hook]
fn use_size(plot: &NodeRef, look: &Shared, again: &UseForceUpdateHandle) {
    let (plot, look, again) = (plot.clone(), look.clone(), again.clone());
    use_effect_with((), move |()| {
        let element = plot.cast::<web_sys::Element>();
        let measure = {
            let element = element.clone();
            move || {
                let Some(element) = &element else { return };
                let outer = element.parent_element();
                let height = outer.map_or(0, |e| e.client_height());
                let (w, h) = (f64::from(element.client_width()), f64::from(height) - 2.0);
                let mut look = look.borrow_mut();
                if w > 0.0 && h > 0.0 && (look.view.width, look.view.height) != (w, h) {
                    (look.view.width, look.view.height) = (w, h);
                    drop(look);
                    again.force_update();
                }
            }
        };
        measure();
        let callback = Closure::<dyn FnMut()>::new(measure);
        let observer = web_sys::ResizeObserver::new(callback.as_ref().unchecked_ref()).ok();
        if let (Some(observer), Some(element)) = (&observer, &element) {
            observer.observe(element);
        }
        move || {
            if let Some(observer) = observer {
                observer.disconnect();
            }
            drop(callback);
        }
    });
}

/// The wheel zooms; sideways, or with Shift, it pans. The page does not scroll meanwhile.
#[hook]
fn use_wheel(plot: &NodeRef, look: &Shared, again: &UseForceUpdateHandle) {
    let (plot, look, again) = (plot.clone(), look.clone(), again.clone());
    use_effect_with((), move |()| {
        let listener = plot.cast::<web_sys::Element>().map(|element| {
            let options = EventListenerOptions::enable_prevent_default();
            let within = element.clone();
            EventListener::new_with_options(&element, "wheel", options, move |event| {
                let Some(event) = event.dyn_ref::<WheelEvent>() else {
                    return;
                };
                event.prevent_default();
                let mut look = look.borrow_mut();
                // Lines, not pixels, in some browsers.
                let unit = if event.delta_mode() == 0 { 1.0 } else { 24.0 };
                let (dx, dy) = (event.delta_x() * unit, event.delta_y() * unit);
                let end = look.end;
                look.view = if event.shift_key() || dx.abs() > dy.abs() {
                    look.view.panned(if dx == 0.0 { dy } else { dx }, end)
                } else {
                    let x = f64::from(event.client_x()) - within.get_bounding_client_rect().left();
                    let factor = (dy.clamp(-240.0, 240.0) / 400.0).exp2();
                    look.view.zoomed(factor, x, end)
                };
                drop(look);
                again.force_update();
            })
        });
        move || drop(listener)
    });
}

/// Where in the plot a pointer is.
fn place(event: &PointerEvent) -> Option<(f64, f64)> {
    let target = event.target_dyn_into::<web_sys::Element>()?;
    let room = target.get_bounding_client_rect();
    Some((
        f64::from(event.client_x()) - room.left(),
        f64::from(event.client_y()) - room.top(),
    ))
}

fn on_down(look: &Shared) -> Callback<PointerEvent> {
    let look = look.clone();
    Callback::from(move |event: PointerEvent| {
        let Some((x, y)) = place(&event).filter(|_| event.button() == 0) else {
            return;
        };
        if let Some(target) = event.target_dyn_into::<web_sys::Element>() {
            let _ = target.set_pointer_capture(event.pointer_id());
        }
        let mut look = look.borrow_mut();
        look.pointers.retain(|p| p.0 != event.pointer_id());
        if look.pointers.is_empty() {
            look.gone = 0.0;
        }
        if look.pointers.len() < 2 {
            look.pointers.push((event.pointer_id(), x, y));
        }
    })
}

fn on_move(look: &Shared, again: &UseForceUpdateHandle) -> Callback<PointerEvent> {
    let (look, again) = (look.clone(), again.clone());
    Callback::from(move |event: PointerEvent| {
        let Some((x, y)) = place(&event) else { return };
        let mut look = look.borrow_mut();
        let held = look.pointers.iter().position(|p| p.0 == event.pointer_id());
        let Some(held) = held else {
            let at = look.picture.line_at(x, y);
            if at != look.at {
                look.at = at;
                look.by_key = false;
                drop(look);
                again.force_update();
            }
            return;
        };
        let before = look.pointers[held];
        let (end, other) = (look.end, look.pointers.get(1 - held).copied());
        look.gone += (x - before.1).hypot(y - before.2);
        look.pointers[held] = (before.0, x, y);
        if let Some(other) = other.filter(|_| look.pointers.len() == 2) {
            // Two fingers: what is between them stays between them.
            let (was, is) = (
                (before.1 - other.1).abs().max(8.0),
                (x - other.1).abs().max(8.0),
            );
            let middle = (x + other.1) / 2.0;
            look.view = look.view.panned((before.1 - x) / 2.0, end);
            look.view = look.view.zoomed(was / is, middle, end);
        } else if look.gone > CLICK {
            look.view = look.view.panned(before.1 - x, end);
        }
        drop(look);
        again.force_update();
    })
}

fn on_cancel(look: &Shared, again: &UseForceUpdateHandle) -> Callback<PointerEvent> {
    let (look, again) = (look.clone(), again.clone());
    Callback::from(move |event: PointerEvent| {
        let mut look = look.borrow_mut();
        look.pointers.retain(|p| p.0 != event.pointer_id());
        if look.at.is_some() && !look.by_key {
            look.at = None;
            drop(look);
            again.force_update();
        }
    })
}

fn on_up(
    look: &Shared,
    again: &UseForceUpdateHandle,
    run: &RunHandle,
    send: &Send,
) -> Callback<PointerEvent> {
    let (look, again, run, send) = (look.clone(), again.clone(), run.clone(), send.clone());
    Callback::from(move |event: PointerEvent| {
        let mut now = look.borrow_mut();
        let held = now.pointers.iter().any(|p| p.0 == event.pointer_id());
        now.pointers.retain(|p| p.0 != event.pointer_id());
        let clicked = held && now.pointers.is_empty() && now.gone <= CLICK;
        let Some((x, y)) = place(&event).filter(|_| clicked) else {
            return;
        };
        let at = now.view.at(x).max(0.0) as u64;
        let (line, dot) = (now.picture.line_at(x, y), now.picture.dot_at(x, y));
        now.at = None;
        drop(now);
        again.force_update();
        match (dot, line) {
            (Some(record), _) if run.get().track().told().len() > record as usize => {
                send.dispatch(Action::Tell(record as usize));
            }
            (_, Some(line)) => send.dispatch(Action::Time(TimeAct::Message(line, at))),
            _ => send.dispatch(Action::Time(TimeAct::Moment(at))),
        }
    })
}

fn on_key(
    look: &Shared,
    again: &UseForceUpdateHandle,
    run: &RunHandle,
    heartbeats: bool,
    send: &Send,
) -> Callback<KeyboardEvent> {
    let (look, again, run, send) = (look.clone(), again.clone(), run.clone(), send.clone());
    Callback::from(move |event: KeyboardEvent| {
        if event.ctrl_key() || event.meta_key() || event.alt_key() {
            return;
        }
        let mut now = look.borrow_mut();
        let (view, end) = (now.view, now.end);
        let far = view.width / 6.0;
        match event.key().as_str() {
            "ArrowLeft" => now.view = view.panned(-far, end),
            "ArrowRight" => now.view = view.panned(far, end),
            "+" | "=" => zoom(&mut now, 0.625),
            "-" | "−" => zoom(&mut now, 1.6),
            "0" => whole(&mut now),
            key @ ("ArrowUp" | "ArrowDown") => {
                let run = run.get();
                let index = run.diagram();
                let cursor = run.world().now().0;
                now.at = next(&index, &now, heartbeats, cursor, key == "ArrowDown");
                now.by_key = true;
                if let Some(arrow) = now.at.and_then(|no| index.arrows().get(no as usize)) {
                    now.view = view.following(arrow.sent);
                }
            }
            "Enter" => {
                let Some(no) = now.at else {
                    let at = view.at(view.width / 2.0).max(0.0) as u64;
                    drop(now);
                    event.prevent_default();
                    send.dispatch(Action::Time(TimeAct::Moment(at)));
                    return;
                };
                let middle = {
                    let run = run.get();
                    let index = run.diagram();
                    let arrow = index.arrows().get(no as usize);
                    arrow.map_or(0, |a| (a.sent + a.end) / 2)
                };
                now.at = None;
                now.by_key = false;
                drop(now);
                event.prevent_default();
                send.dispatch(Action::Time(TimeAct::Message(no, middle)));
                return;
            }
            "Escape" if now.at.is_some() => {
                now.at = None;
                now.by_key = false;
            }
            _ => return,
        }
        drop(now);
        event.prevent_default();
        again.force_update();
    })
}

/// The message after the one that one looks at, or before it; the first is the one nearest to the cursor.
fn next(index: &Index, look: &Look, heartbeats: bool, cursor: u64, onward: bool) -> Option<u32> {
    let arrows = index.arrows();
    let fits = |no: &usize| heartbeats || !arrows[*no].heartbeat;
    let Some(here) = look.at else {
        let near = (0..arrows.len()).filter(fits);
        let nearest = near.min_by_key(|no| arrows[*no].end.abs_diff(cursor));
        return nearest.map(|no| no as u32);
    };
    let found = if onward {
        (here as usize + 1..arrows.len()).find(fits)
    } else {
        (0..here as usize).rev().find(fits)
    };
    found.map(|no| no as u32).or(Some(here))
}

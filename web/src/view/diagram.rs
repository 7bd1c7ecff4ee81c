//! The space-time diagram: a canvas to look at, the same as text to listen to, one way of moving in both.
//!
//! The wheel and two fingers zoom, dragging pans, a click goes there; arrow keys pan and choose, + and −
//! zoom, Enter goes there. Nothing is decided here: [`crate::scene::diagram`] says what stands where.

mod hands;
mod paint;

use super::{
    bits::{Send, Who, ask, letter, seconds, zxid},
    timeline::changes,
};
use crate::{
    platform,
    scene::{
        diagram::{AXIS, Arrow, Carried, Fate, Index, LANE, Picture, View, picture},
        sight::End,
    },
    state::{
        Action, Selection, Theme,
        run::{Run, RunHandle},
        track::MarkKind,
        until::TimeAct,
    },
    text::{Key, Lang, short, t},
    view::stage::n,
};
use hands::{on_cancel, on_down, on_key, on_move, on_up, use_size, use_wheel, whole, zoom};
use paint::{Colours, Marks, paint};
use std::{cell::RefCell, rc::Rc};
use yew::prelude::*;
use zabscope_core::time::Moment;

/// The messages in sight that are about what is chosen: those of a link, or of the changes of a znode.
fn about(chosen: &Selection, run: &Run, index: &Index, shown: &Picture) -> Vec<u32> {
    let is: Box<dyn Fn(&Arrow) -> bool> = match chosen {
        Selection::Link(a, b) => {
            let end = |lane: u16| index.lanes().get(usize::from(lane)).map(|l| l.end);
            let ends = [Some(End::Server(*a)), Some(End::Server(*b))];
            Box::new(move |arrow| {
                let of = [end(arrow.from), end(arrow.to)];
                of == ends || of == [ends[1], ends[0]]
            })
        }
        Selection::Znode(at) => {
            let changes = changes(run.world(), at);
            Box::new(move |arrow| arrow.zxid.is_some_and(|z| changes.contains(&z)))
        }
        Selection::Nothing
        | Selection::Server(_)
        | Selection::Client(_)
        | Selection::Message(_) => return Vec::new(),
    };
    let arrows = index.arrows();
    let in_sight = shown.lines.iter().map(|l| l.arrow);
    in_sight
        .filter(|no| arrows.get(*no as usize).is_some_and(&is))
        .collect()
}

/// What is shown when the diagram is opened, in µs before and after the cursor.
const BEFORE: f64 = 300_000.0;
const AFTER: f64 = 60_000.0;
/// So many messages stand in the list beside the picture.
const LISTED: usize = 20;

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
    let mut related = chosen.map_or(Vec::new(), |no| index.related(no));
    let mut always = related.clone();
    always.extend(chosen);
    let lanes = index.lanes().len();
    let height = now.view.height.max(AXIS + LANE * lanes as f64);
    let view = View { height, ..now.view };
    let shown = Rc::new(picture(&index, &view, props.heartbeats, &always));
    now.picture = Rc::clone(&shown);
    if chosen.is_none() {
        related = about(&props.selection, &run, &index, &shown);
    }
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
            .filter(|b| b.spot.0 == branch)
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
            <div class="dlanes" style={format!("height:{}px", n(height))}>
                <div class="dtools" role="group" aria-label={lang.pick("What is shown", "显示范围")}>
                    { tool("−", lang.pick("Farther", "缩小"), act(|l| zoom(l, 1.6))) }
                    { tool("+", lang.pick("Nearer", "放大"), act(|l| zoom(l, 0.625))) }
                    { tool("⇔", lang.pick("The whole run", "整个运行"), act(whole)) }
                </div>
                { for shown.lanes.iter().map(|l| html! {
                    <button type="button" class={classes!("dlane", (lane == Some(l.end)).then_some("on"))}
                        style={format!("top:{}px", n(l.y - 12.0))} aria-pressed={(lane == Some(l.end)).to_string()}
                        onclick={ask(send, Action::Select(select(l.end)))}>{ whose(l.end, lang) }</button>
                }) }
            </div>
            <div class="dplot" ref={plot} tabindex="0" role="group" aria-label={spoken}
                onkeydown={on_key(&look, &again, &props.run, props.heartbeats, send)}
                onpointerdown={on_down(&look)} onpointermove={on_move(&look, &again)}
                onpointerup={on_up(&look, &again, &props.run, send)} onpointercancel={on_cancel(&look, &again)}
                onpointerleave={on_cancel(&look, &again)}>
                <canvas ref={canvas} aria-hidden="true" style={format!("width:100%;height:{}px", n(height))}></canvas>
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

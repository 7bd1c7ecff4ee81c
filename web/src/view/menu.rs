//! The faults of one thing on the stage, as a menu where it stands: by the other mouse button, a long press,
//! or the menu key. The same faults as by key, each with its key beside it.

use super::bits::Send;
use crate::{
    state::{
        Action, Dialog, Selection,
        hand::{Blow, blow},
    },
    text::{Key, Lang, t},
};
use wasm_bindgen::JsCast as _;
use web_sys::{Element, HtmlElement};
use yew::prelude::*;
use zabscope_core::{
    id::ServerId,
    sim::{self, ClientNo, World},
    time::Span,
};

/// The menu's width and one line's height; on a narrow or low window it stands farther in.
const WIDTH: f64 = 288.0;
const LINE: f64 = 44.0;

/// An open menu: of what, and where on the window it begins.
#[derive(Clone, Debug, PartialEq)]
pub struct Open {
    /// Of what.
    pub what: Selection,
    left: f64,
    top: f64,
}

/// What stands under the pointer, or has the focus.
fn under(target: &Element) -> Option<(Selection, Element)> {
    let found = target
        .closest("[data-server], [data-client], [data-link]")
        .ok()??;
    let number = |text: &str| text.parse::<i64>().ok().map(ServerId);
    let what = if let Some(id) = found.get_attribute("data-server") {
        Selection::Server(number(&id)?)
    } else if let Some(no) = found.get_attribute("data-client") {
        Selection::Client(ClientNo(no.parse().ok()?))
    } else {
        let link = found.get_attribute("data-link")?;
        let (a, b) = link.split_once('-')?;
        Selection::Link(number(a)?, number(b)?)
    };
    Some((what, found))
}

/// The menu of what this event is about, if faults fit it.
pub fn open(event: &MouseEvent, world: &World) -> Option<Open> {
    let (what, element) = under(&event.target_dyn_into::<Element>()?)?;
    let lines = faults(world, &what).len();
    if lines == 0 {
        return None;
    }
    let window = web_sys::window()?;
    let size = |length: Result<wasm_bindgen::JsValue, _>| length.ok()?.as_f64();
    let (width, height) = (size(window.inner_width())?, size(window.inner_height())?);
    // By the keyboard it stands where the thing is.
    let (x, y) = match (event.client_x(), event.client_y()) {
        (0, 0) => {
            let place = element.get_bounding_client_rect();
            (
                place.x() + place.width() / 2.0,
                place.y() + place.height() / 2.0,
            )
        }
        (x, y) => (f64::from(x), f64::from(y)),
    };
    Some(Open {
        what,
        left: x.min(width - WIDTH - 8.0).max(8.0),
        // A wall is one line more.
        top: y.min(height - LINE * (lines + 1) as f64 - 24.0).max(8.0),
    })
}

/// Each fault that fits, with the first thing that it does.
fn faults(world: &World, what: &Selection) -> Vec<(Blow, sim::Action)> {
    [
        Blow::Crash,
        Blow::CrashLosing,
        Blow::Pause,
        Blow::Slow,
        Blow::Cut,
    ]
    .into_iter()
    .filter_map(|fault| Some((fault, blow(world, what, fault).into_iter().next()?)))
    .fold(Vec::new(), |mut all, (fault, does)| {
        // Both ways to crash are one to come back.
        if all.iter().all(|(_, known)| *known != does) {
            all.push((fault, does));
        }
        all
    })
}

fn named(what: &Selection, does: &sim::Action, lang: Lang) -> &'static str {
    use sim::Action as A;
    let whole = matches!(what, Selection::Server(_));
    match does {
        A::Crash {
            lose_unsynced: false,
            ..
        } => t(lang, Key::Crash),
        A::Crash { .. } => t(lang, Key::CrashLosing),
        A::Restart { .. } => t(lang, Key::Restart),
        A::Pause { .. } => t(lang, Key::PauseServer),
        A::PauseClient { .. } => t(lang, Key::PauseClient),
        A::Resume { .. } | A::ResumeClient { .. } => t(lang, Key::Resume),
        A::SlowDisk { extra: Span(0), .. } => lang.pick("Disk as before", "磁盘恢复正常"),
        A::SlowDisk { .. } => lang.pick("Slow disk", "慢磁盘"),
        A::SlowLink { extra: Span(0), .. } => lang.pick("Link as before", "链路恢复正常"),
        A::SlowLink { .. } => lang.pick("Slow link", "慢链路"),
        A::HealLink { .. } if whole => lang.pick("Let back in", "恢复它的全部链路"),
        A::HealLink { .. } => lang.pick("Heal the link", "恢复链路"),
        A::CutLink { .. } if whole => lang.pick("Cut off from all", "切断它的全部链路"),
        A::CutLink { .. } => lang.pick("Cut the link", "切断链路"),
        A::DropClient { .. } => lang.pick("Cut its connection", "切断它的连接"),
        _ => "",
    }
}

const fn key(fault: Blow) -> &'static str {
    match fault {
        Blow::Crash => "X",
        Blow::CrashLosing => "Shift X",
        Blow::Pause => "P",
        Blow::Slow => "S",
        Blow::Cut => "C",
    }
}

/// What the menu needs.
#[derive(Properties, PartialEq)]
pub struct MenuProps {
    /// Which.
    pub open: Open,
    /// The faults that fit, with what each does first.
    pub faults: Vec<(Blow, sim::Action)>,
    /// The language.
    pub lang: Lang,
    /// Nobody wants it any more.
    pub close: Callback<()>,
    /// To ask.
    pub send: Send,
}

/// The menu, if there is one.
pub fn menu(
    open: Option<&Open>,
    world: &World,
    lang: Lang,
    close: &Callback<()>,
    send: &Send,
) -> Html {
    let Some(open) = open else {
        return Html::default();
    };
    let faults = faults(world, &open.what);
    if faults.is_empty() {
        return Html::default();
    }
    html! { <Menu open={open.clone()} {faults} {lang} close={close.clone()} send={send.clone()} /> }
}

#[component]
fn Menu(props: &MenuProps) -> Html {
    let (lang, open) = (props.lang, &props.open);
    let node = use_node_ref();
    {
        let node = node.clone();
        use_effect_with(open.clone(), move |_| {
            let first = node
                .cast::<Element>()
                .and_then(|menu| menu.first_element_child());
            focus(first);
        });
    }
    let onkeydown = {
        let (node, close, what) = (node.clone(), props.close.clone(), open.what.clone());
        Callback::from(move |event: KeyboardEvent| {
            // The page's own keys do nothing here.
            event.stop_propagation();
            let here = event.target_dyn_into::<Element>();
            let menu = node.cast::<Element>();
            let to = match event.key().as_str() {
                "ArrowDown" => here.and_then(|e| e.next_element_sibling()),
                "ArrowUp" => here.and_then(|e| e.previous_element_sibling()),
                "Home" => menu.and_then(|m| m.first_element_child()),
                "End" => menu.and_then(|m| m.last_element_child()),
                "Escape" | "Tab" => {
                    event.prevent_default();
                    close.emit(());
                    back_to(&what);
                    return;
                }
                _ => return,
            };
            event.prevent_default();
            focus(to);
        })
    };
    let onfocusout = {
        let (node, close) = (node.clone(), props.close.clone());
        Callback::from(move |event: FocusEvent| {
            let to = event.related_target().and_then(|t| t.dyn_into().ok());
            let inside = node
                .cast::<Element>()
                .is_some_and(|m| m.contains(to.as_ref()));
            if !inside {
                close.emit(());
            }
        })
    };
    let wall = {
        let (close, send, what) = (props.close.clone(), props.send.clone(), open.what.clone());
        Callback::from(move |_: MouseEvent| {
            close.emit(());
            back_to(&what);
            send.dispatch(Action::Select(what.clone()));
            send.dispatch(Action::Dialog(Some(Dialog::Partition)));
        })
    };
    html! {
        <div class="menu" role="menu" ref={node} style={format!("left:{}px;top:{}px", open.left as i32, open.top as i32)}
            aria-label={lang.pick("Faults", "故障")} {onkeydown} {onfocusout}>
            { for props.faults.iter().map(|(fault, does)| {
                let fault = *fault;
                let onclick = {
                    let (close, send, what) = (props.close.clone(), props.send.clone(), open.what.clone());
                    Callback::from(move |_: MouseEvent| {
                        close.emit(());
                        send.dispatch(Action::Blow(Some(what.clone()), fault));
                        back_to(&what);
                    })
                };
                html! {
                    <button type="button" role="menuitem" tabindex="-1" {onclick}>
                        <span>{ named(&open.what, does, lang) }</span><kbd aria-hidden="true">{ key(fault) }</kbd>
                    </button>
                }
            }) }
            if matches!(open.what, Selection::Server(_)) {
                <button type="button" role="menuitem" tabindex="-1" onclick={wall}>
                    <span>{ lang.pick("A wall between servers…", "服务器之间的隔墙…") }</span><kbd aria-hidden="true">{ "D" }</kbd>
                </button>
            }
        </div>
    }
}

fn focus(element: Option<Element>) {
    if let Some(element) = element.and_then(|e| e.dyn_into::<HtmlElement>().ok()) {
        let _ = element.focus();
    }
}

/// The focus goes back to what the menu was about.
fn back_to(what: &Selection) {
    let selector = match what {
        Selection::Server(id) => format!("[data-server=\"{id}\"]"),
        Selection::Client(no) => format!("[data-client=\"{}\"]", no.0),
        Selection::Link(a, b) => format!("[data-link=\"{a}-{b}\"]"),
        Selection::Nothing | Selection::Message(_) | Selection::Znode(_) => return,
    };
    let document = web_sys::window().and_then(|w| w.document());
    let found = document.and_then(|d| d.query_selector(&selector).ok().flatten());
    if let Some(element) = found.and_then(|e| e.dyn_into::<web_sys::SvgElement>().ok()) {
        let _ = element.focus();
    }
}

//! The stage: draws a [`Scene`]. Nothing is decided here.
//!
//! The shell gives [`Stage`] a new scene when the world, the selection, the language or the room
//! changed, and calls [`StageHandle::advance`] whenever time has passed. That moves messages and
//! drains session rings without a render.

mod card;
mod client;
mod defs;
mod drag;
mod link;
mod message;
mod server;

pub use defs::{Patterns, fill, hue, n, soft};

use crate::scene::{Pick, Scene, glyph::ClientGlyph, traffic::MessageGlyph, words::Lang};
use crate::state::hand::Blow;
use drag::{Drag, Dropped};
use message::Message;
use std::{cell::RefCell, collections::BTreeSet, rc::Rc};
use wasm_bindgen::JsCast;
use web_sys::{Element, SvgGraphicsElement, SvgTransformList};
use yew::prelude::*;
use zabscope_core::{id::ServerId, time::Moment};

/// Moves what moves in virtual time. Keep one as long as the stage stands, and give it to
/// [`Stage`]; `advance` costs nothing when nothing moves.
#[derive(Clone, Default)]
pub struct StageHandle(Rc<RefCell<Moving>>);

impl PartialEq for StageHandle {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

#[derive(Default)]
struct Moving {
    now: Option<f64>,
    shown: f64,
    still: bool,
    messages: Vec<(SvgTransformList, Rc<MessageGlyph>)>,
    clients: Vec<(Element, ClientGlyph)>,
}

impl StageHandle {
    /// Puts everything where it is at `now`, in microseconds of virtual time.
    pub fn advance(&self, now: f64) {
        let mut moving = self.0.borrow_mut();
        moving.now = Some(now);
        moving.write();
    }

    /// The moment that is shown; until the clock is known, `else_at`.
    fn now(&self, else_at: Moment) -> f64 {
        self.0.borrow().now.unwrap_or(else_at.0 as f64)
    }
}

impl Moving {
    fn write(&self) {
        let now = self.now.unwrap_or(self.shown);
        for (moved, message) in &self.messages {
            message::put(moved, message, now, self.still);
        }
        for (element, client) in &self.clients {
            // An element that is gone takes no attribute: nothing to be done about it.
            let _ = element.set_attribute("stroke-dasharray", &client::dash(client, now));
        }
    }
}

/// What the stage is given.
#[derive(Properties, PartialEq, Clone)]
pub struct StageProps {
    /// What stands where.
    pub scene: Rc<Scene>,
    /// The language, for the stage's own name.
    pub lang: Lang,
    /// Nothing may move: messages rest near their receivers, with their direction.
    #[prop_or_default]
    pub still: bool,
    /// Moves what moves.
    #[prop_or_default]
    pub handle: StageHandle,
    /// Something was chosen.
    pub pick: Callback<Pick>,
    /// These servers, and no others, are to be beyond a wall.
    #[prop_or_default]
    pub cut: Callback<BTreeSet<ServerId>>,
    /// Something is to be broken, or mended.
    #[prop_or_default]
    pub blow: Callback<(Pick, Blow)>,
}

/// The component.
pub struct Stage {
    svg: NodeRef,
    held: Option<Drag>,
}

/// What a hand does on the stage.
pub enum Hand {
    /// It presses.
    Down(PointerEvent),
    /// It moves.
    Move(PointerEvent),
    /// It lets go.
    Up,
    /// It does something else, such as scrolling.
    Away,
}

impl Component for Stage {
    type Message = Hand;
    type Properties = StageProps;

    fn create(_: &Context<Self>) -> Self {
        Stage {
            svg: NodeRef::default(),
            held: None,
        }
    }

    fn update(&mut self, ctx: &Context<Self>, hand: Hand) -> bool {
        let before = self.held;
        match hand {
            Hand::Down(event) => self.held = Drag::begin(&event),
            Hand::Move(event) => {
                let (Some(drag), Some(svg)) = (self.held, self.svg.cast::<Element>()) else {
                    return false;
                };
                if let Some(moved) = drag.moved(&event, &svg, &ctx.props().scene) {
                    if drag.at.is_none() {
                        // From now on it is no click, and nothing else hears of it.
                        let _ = svg.set_pointer_capture(drag.pointer);
                    }
                    self.held = Some(moved);
                }
            }
            Hand::Up => {
                let scene = &ctx.props().scene;
                match self.held.take().and_then(|d| d.dropped(scene)) {
                    Some(Dropped::Beyond(beyond)) => ctx.props().cut.emit(beyond),
                    Some(Dropped::Blow(to, blow)) => ctx.props().blow.emit((to, blow)),
                    None => {}
                }
            }
            Hand::Away => self.held = None,
        }
        // A press alone changes which listeners there are, and nothing that is seen.
        before != self.held
    }

    fn view(&self, ctx: &Context<Self>) -> Html {
        let StageProps {
            scene,
            lang,
            still,
            handle,
            pick,
            cut: _,
            blow: _,
        } = ctx.props();
        let now = handle.now(scene.now);
        let name = lang.of(
            "Stage: servers, clients and messages",
            "舞台：服务器、客户端与消息",
        );
        let class = classes!("stage-svg", scene.compact.then_some("compact"));
        let clear = pick.reform(|_: MouseEvent| Pick::Nothing);
        let hand = ctx.link();
        let held = self.held.is_some();
        html! {
            <svg ref={&self.svg} {class} role="group" aria-label={name}
                viewBox={format!("0 0 {} {}", n(scene.width), n(scene.height))}
                preserveAspectRatio="xMidYMin meet" xmlns="http://www.w3.org/2000/svg"
                onpointerdown={hand.callback(Hand::Down)}
                onpointermove={held.then(|| hand.callback(Hand::Move))}
                onpointerup={held.then(|| hand.callback(|_: PointerEvent| Hand::Up))}
                onpointercancel={held.then(|| hand.callback(|_: PointerEvent| Hand::Away))}>
                <Patterns />
                <rect class="ground" width="100%" height="100%" fill="none" pointer-events="all" onclick={clear} />
                <g class="links">{ for scene.links.iter().map(|l| link::link(l, pick)) }</g>
                <g class="tethers">{ for scene.clients.iter().map(client::tether) }</g>
                <g class="walls">{ for scene.walls.iter().map(link::wall) }</g>
                <g class="servers">{ for scene.servers.iter().map(|s| server::server(s, pick)) }</g>
                <g class="clients">{ for scene.clients.iter().map(|c| client::client(c, now, pick)) }</g>
                <g class="tags">{ for scene.tags.iter().map(link::tag) }</g>
                <g class="messages">{ for scene.messages.iter().map(|m| html! {
                    <Message key={m.id} glyph={Rc::clone(m)} still={*still} handle={handle.clone()} pick={pick.clone()} />
                }) }</g>
                { card::card(&scene.card, scene.compact) }
                if let Some(held) = &self.held {
                    { drag::drag(held, scene, *lang) }
                }
            </svg>
        }
    }

    fn rendered(&mut self, ctx: &Context<Self>, _first: bool) {
        let props = ctx.props();
        let Some(svg) = self.svg.cast::<Element>() else {
            return;
        };
        let mut moving = props.handle.0.borrow_mut();
        moving.shown = props.scene.now.0 as f64;
        moving.still = props.still;
        // Keyed children stand in the order of the scene.
        moving.messages = all::<SvgGraphicsElement>(&svg, "[data-message]")
            .map(|element| element.transform().base_val())
            .zip(props.scene.messages.iter().cloned())
            .collect();
        moving.clients = all::<Element>(&svg, ".session")
            .zip(props.scene.clients.iter().cloned())
            .collect();
        moving.write();
    }
}

/// All elements below `svg` that `selector` names, in document order.
fn all<T: JsCast>(svg: &Element, selector: &str) -> impl Iterator<Item = T> {
    let found = svg.query_selector_all(selector).ok();
    (0..found.as_ref().map_or(0, web_sys::NodeList::length))
        .filter_map(move |i| found.as_ref()?.item(i))
        .filter_map(|node| node.dyn_into().ok())
}

/// Enter and Space choose, as on a button.
fn on_key(choose: Callback<()>) -> Callback<KeyboardEvent> {
    Callback::from(move |e: KeyboardEvent| {
        if e.key() == "Enter" || e.key() == " " {
            e.prevent_default();
            e.stop_propagation();
            choose.emit(());
        }
    })
}

/// A click chooses, and does not reach the ground below.
fn on_click(choose: Callback<()>) -> Callback<MouseEvent> {
    Callback::from(move |e: MouseEvent| {
        e.stop_propagation();
        choose.emit(());
    })
}

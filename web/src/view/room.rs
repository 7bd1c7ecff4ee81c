//! The stage's place on the page: measures the room there is and lets the stage draw in it. On a phone
//! the stage may need more than that room and is then higher; so not the stage itself is measured.

use super::{
    bits::Send,
    menu, rest,
    stage::{Stage, StageHandle},
};
use crate::{
    scene::{place::Frame, read, scene},
    state::{Action, Selection, run::RunHandle},
    text::Lang,
};
use std::{collections::BTreeSet, rc::Rc};
use wasm_bindgen::{JsCast as _, closure::Closure};
use yew::prelude::*;
use zabscope_core::sim;

/// What the stage needs.
#[derive(Properties, PartialEq)]
pub struct RoomProps {
    /// The run.
    pub run: RunHandle,
    /// The record that the sentence is about: the card is about nothing later.
    pub focus: Option<usize>,
    /// What is chosen.
    pub selection: Selection,
    /// The language.
    pub lang: Lang,
    /// Discrete frames instead of motion.
    pub still: bool,
    /// Moves what moves.
    pub handle: StageHandle,
    /// To ask.
    pub send: Send,
}

/// The stage in its room.
#[component]
pub fn Room(props: &RoomProps) -> Html {
    let area = use_node_ref();
    let frame = use_state_eq(|| Frame::fit(1056.0, 476.0));
    {
        let (area, frame) = (area.clone(), frame.clone());
        use_effect_with((), move |()| {
            let element = area.cast::<web_sys::Element>();
            let measure = {
                let element = element.clone();
                move || {
                    if let Some(element) = &element {
                        let (width, height) = (element.client_width(), element.client_height());
                        if width > 0 && height > 0 {
                            frame.set(Frame::fit(f64::from(width), f64::from(height)));
                        }
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
    let drawn = use_memo(
        (
            props.run.clone(),
            props.focus,
            props.selection.clone(),
            props.lang,
            *frame,
        ),
        |(run, focus, selection, lang, frame)| {
            let run = run.get();
            let records = run.history().records();
            let told = focus.and_then(|i| records.get(i)).map(|r| r.id());
            let sight = read::sight(run.world(), records.last(read::RECORDS), told, selection);
            scene(&sight, selection, *lang, *frame)
        },
    );
    let pick = {
        let send = props.send.clone();
        use_callback((), move |selection, ()| {
            send.dispatch(Action::Select(selection));
        })
    };
    let cut = {
        let send = props.send.clone();
        let all: BTreeSet<_> = props.run.get().world().servers().map(|s| s.id).collect();
        use_callback(all, move |beyond: BTreeSet<_>, all| {
            send.dispatch(Action::Act(if beyond.is_empty() {
                sim::Action::HealAll
            } else {
                let rest = all.difference(&beyond).copied().collect();
                sim::Action::Partition {
                    groups: vec![beyond, rest],
                }
            }));
        })
    };
    let blow = {
        let send = props.send.clone();
        use_callback((), move |(to, blow), ()| {
            send.dispatch(Action::Blow(Some(to), blow));
        })
    };
    let opened = use_state(|| None::<menu::Open>);
    let close = {
        let opened = opened.clone();
        Callback::from(move |()| opened.set(None))
    };
    let oncontextmenu = {
        let (opened, run, send) = (opened.clone(), props.run.clone(), props.send.clone());
        Callback::from(move |event: MouseEvent| {
            // Where no fault fits, the browser's own menu opens.
            let open = rest::get().and_then(|rest| (rest.opened)(&event, run.get().world()));
            if let Some(open) = open {
                event.prevent_default();
                send.dispatch(Action::Select(open.what.clone()));
                opened.set(Some(open));
            }
        })
    };
    html! {
        <>
            { super::rules::banner(props.run.get().world(), props.lang) }
            if let Some(rest) = rest::get() {
                { (rest.menu)(opened.as_ref(), props.run.get().world(), props.lang, &close, &props.send) }
            }
            <div class="room" ref={area}></div>
            <div class="area" {oncontextmenu}>
                <Stage scene={Rc::clone(&drawn)} lang={props.lang} still={props.still}
                    handle={props.handle.clone()} {pick} {cut} {blow} />
            </div>
        </>
    }
}

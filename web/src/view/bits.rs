//! Small things that many views draw.

use crate::{
    state::{Action, State, bookmark::Bookmark, compare},
    text::{Context, Key, Lang, Sentence, t},
};
use yew::prelude::*;
use zabscope_core::{
    id::{ClientId, Epoch, ServerId, SessionId, Zxid},
    peer::Peer,
    sim::{ClientNo, ServerStatus, ServerView, World},
    time::Span,
};

/// How a component asks for something.
pub type Send = UseReducerDispatcher<State>;

/// A handler that asks for `action`.
pub fn ask<E>(send: &Send, action: Action) -> Callback<E> {
    let send = send.clone();
    Callback::from(move |_| send.dispatch(action.clone()))
}

/// What sentences need to know of the world.
pub struct Who<'a>(pub &'a World);

impl Context for Who<'_> {
    fn client(&self, id: ClientId) -> Option<ClientNo> {
        self.0.client_connection(id).map(|(no, _)| no)
    }

    fn session(&self, id: SessionId) -> Option<ClientNo> {
        self.0
            .clients()
            .find(|c| id != SessionId::NONE && c.session == id)
            .map(|c| c.no)
    }

    fn newest_committed(&self) -> Option<Zxid> {
        Some(self.0.newest_committed())
    }
}

/// A sentence with its values in the face for numbers.
pub fn said(sentence: &Sentence) -> Html {
    sentence
        .pieces()
        .map(|(piece, value)| {
            if value {
                html! { <span class="mono">{ piece.to_owned() }</span> }
            } else {
                html! { { piece.to_owned() } }
            }
        })
        .collect()
}

/// The class that gives an epoch's hue and pattern.
pub fn hue(epoch: Epoch) -> &'static str {
    if epoch.0 < 0 {
        return "hue-none";
    }
    ["hue-0", "hue-1", "hue-2", "hue-3", "hue-4", "hue-5"][(epoch.0 % 6) as usize]
}

/// `e3`.
pub fn epoch(epoch: Epoch) -> String {
    if epoch.0 < 0 {
        "–".to_owned()
    } else {
        format!("e{}", epoch.0)
    }
}

/// `3·07`, or a dash.
pub fn zxid(zxid: Zxid) -> String {
    let text = crate::text::zxid(zxid);
    if text.is_empty() {
        "–".to_owned()
    } else {
        text
    }
}

/// A zxid as a plate of two cells.
pub fn plate(z: Zxid) -> Html {
    if z.0 < 0 {
        return html! { <span class="mono">{ "–" }</span> };
    }
    html! {
        <span class={classes!("plate", hue(z.epoch()))} title={z.to_string()}>
            <b>{ epoch(z.epoch()) }</b><i>{ format!("{:02}", z.counter()) }</i>
        </span>
    }
}

pub use crate::text::moment as seconds;

/// What a bookmark is called: by its moment if it was given no name.
pub fn called(bookmark: &Bookmark) -> String {
    match bookmark.name.as_str() {
        "" => seconds(bookmark.at),
        name => name.to_owned(),
    }
}

/// A length of virtual time: `12 ms`, `1.5 s`.
pub fn span(span: Span) -> String {
    let ms = span.as_millis();
    if ms < 1000 {
        format!("{ms} ms")
    } else {
        format!("{}.{} s", ms / 1000, ms % 1000 / 100)
    }
}

/// What a server is at the moment, in a word.
pub fn role(view: &ServerView<'_>, lang: Lang) -> &'static str {
    match (view.status, view.peer) {
        (ServerStatus::NotStarted, _) => t(lang, Key::NotStarted),
        (ServerStatus::Paused, _) => t(lang, Key::Paused),
        (ServerStatus::Down, _) | (ServerStatus::Up, None) => t(lang, Key::Down),
        (ServerStatus::Up, Some(peer)) => crate::text::role(peer.state(), lang),
    }
}

/// The server that leads an established epoch, if there is one: of several the newest.
pub fn leader(world: &World) -> Option<ServerId> {
    compare::leads(world).map(Peer::id)
}

/// What a key does to a list of tabs: the focus goes with the choice of one.
pub fn next_tab<T: Copy + PartialEq>(event: &KeyboardEvent, all: &[T], now: T) -> Option<T> {
    use wasm_bindgen::JsCast as _;
    let at = all.iter().position(|x| *x == now).unwrap_or(0);
    let to = match event.key().as_str() {
        "ArrowRight" | "ArrowDown" => (at + 1) % all.len(),
        "ArrowLeft" | "ArrowUp" => (at + all.len() - 1) % all.len(),
        "Home" => 0,
        "End" => all.len() - 1,
        _ => return None,
    };
    event.prevent_default();
    event.stop_propagation();
    let tabs = event
        .target_dyn_into::<web_sys::Element>()
        .and_then(|e| e.parent_element());
    let next = tabs.and_then(|list| list.children().item(to as u32));
    if let Some(next) = next.and_then(|e| e.dyn_into::<web_sys::HtmlElement>().ok()) {
        let _ = next.focus();
    }
    all.get(to).copied()
}

/// A row of a list of terms.
pub fn term(name: &'static str, value: impl Into<Html>) -> Html {
    html! { <><dt>{ name }</dt><dd>{ value.into() }</dd></> }
}

/// A button.
pub fn button(label: &'static str, onclick: Callback<MouseEvent>) -> Html {
    html! { <button type="button" class="btn" {onclick}>{ label }</button> }
}

/// A button that can't be used at the moment keeps its place.
pub fn button_if(able: bool, label: &'static str, onclick: Callback<MouseEvent>) -> Html {
    html! { <button type="button" class="btn" disabled={!able} {onclick}>{ label }</button> }
}

/// The letter of a client.
pub fn letter(no: ClientNo) -> String {
    match no.0 {
        1..=26 => char::from(b'A' + (no.0 - 1) as u8).to_string(),
        n => n.to_string(),
    }
}

/// What a select element holds.
pub fn chosen(event: &Event) -> String {
    event
        .target_dyn_into::<web_sys::HtmlSelectElement>()
        .map(|s| s.value())
        .unwrap_or_default()
}

/// What an input element holds.
pub fn typed(event: &InputEvent) -> String {
    event
        .target_dyn_into::<web_sys::HtmlInputElement>()
        .map(|i| i.value())
        .unwrap_or_default()
}

//! What only a browser can show: the page comes up, links go there and back, a panic can be reported.
#![cfg(target_arch = "wasm32")]
#![allow(missing_docs, clippy::unwrap_used)]

use gloo::timers::future::TimeoutFuture;
use wasm_bindgen::JsCast as _;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};
use web_sys::{Document, Element, HtmlElement};
use zabscope_core::sim::History;
use zabscope_web::{
    link, platform,
    state::{Action, State, opening, run::Run},
    view::App,
};

wasm_bindgen_test_configure!(run_in_browser);

fn document() -> Document {
    web_sys::window().unwrap().document().unwrap()
}

/// The page in an element of its own.
fn page(fragment: &str) -> Element {
    platform::set_fragment(fragment);
    let place = document().create_element("div").unwrap();
    document().body().unwrap().append_child(&place).unwrap();
    yew::Renderer::<App>::with_root(place.clone()).render();
    place
}

fn text(place: &Element, selector: &str) -> String {
    let found = place.query_selector(selector).unwrap();
    found.map_or(String::new(), |e| e.text_content().unwrap_or_default())
}

fn press(place: &Element, name: &str) {
    let buttons = place.query_selector_all("button").unwrap();
    let button = (0..buttons.length())
        .filter_map(|i| buttons.item(i)?.dyn_into::<HtmlElement>().ok())
        .find(|b| {
            b.text_content()
                .is_some_and(|t| t.trim_matches(['←', '→', '⇥']) == name)
        })
        .unwrap_or_else(|| panic!("no button {name}"));
    button.click();
}

#[wasm_bindgen_test]
async fn the_page_comes_up_with_five_servers_and_its_controls() {
    let place = page("paused&lang=en");
    TimeoutFuture::new(100).await;
    assert_eq!(
        place.query_selector_all("[data-server]").unwrap().length(),
        5
    );
    for name in ["Back", "Step", "Play", "Next phase", "Share", "Why?"] {
        assert!(text(&place, ".app").contains(name), "{name}");
    }
    assert!(text(&place, "[role=status]").contains("5 servers"));
    place.remove();
}

#[wasm_bindgen_test]
async fn pressing_step_tells_what_happened() {
    let place = page("paused&lang=en");
    TimeoutFuture::new(100).await;
    let before = text(&place, "[role=status]");
    press(&place, "Step");
    TimeoutFuture::new(900).await;
    assert_ne!(text(&place, "[role=status]"), before);
    assert!(!text(&place, "[role=log] ol").is_empty());
    place.remove();
}

#[wasm_bindgen_test]
fn the_same_run_has_the_same_link_here_as_natively() {
    let mut history = History::new(&opening()).unwrap();
    for _ in 0..300 {
        history.step();
    }
    let exported = history.export();
    let read = link::decode(&link::encode(&exported)).unwrap();
    assert_eq!(read, exported);
    let again = History::import(&read).unwrap();
    assert_eq!(again.mismatch, None);
}

#[wasm_bindgen_test]
async fn a_hostile_link_shows_the_default_world_and_says_why() {
    let place = page("s=1.AAAA&lang=en");
    TimeoutFuture::new(100).await;
    assert_eq!(
        place.query_selector_all("[data-server]").unwrap().length(),
        5
    );
    assert!(text(&place, "[role=alert]").contains("Ask for the link again"));
    place.remove();
}

#[wasm_bindgen_test]
fn the_reducer_runs_without_a_page() {
    let mut state = State::new(Run::new(&opening()).unwrap());
    state.reduced = true;
    for _ in 0..5 {
        state.apply(Action::NextPhase);
    }
    assert!(state.focus.is_some());
}

#[wasm_bindgen_test]
fn a_panic_is_reported_with_a_link_that_repeats_the_run() {
    platform::show_panic("planned", Some("1.abc")).unwrap();
    let dialog = document()
        .query_selector("#panic [role=alertdialog]")
        .unwrap()
        .unwrap();
    assert_eq!(dialog.get_attribute("aria-modal").as_deref(), Some("true"));
    let link = dialog.query_selector("a").unwrap().unwrap();
    assert!(link.get_attribute("href").unwrap().ends_with("#s=1.abc"));
    document().get_element_by_id("panic").unwrap().remove();
}

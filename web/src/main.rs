//! Starts the page; in a worker only what a search needs.

use gloo::timers::future::TimeoutFuture;
use std::{cell::Cell, rc::Rc};
use yew::platform::spawn_local;
use zabscope_web::{later, link, platform, view::App, worker};

/// So long what the address names is waited for, in ms: it is the first picture, unless it takes long.
const PATIENCE_MS: u32 = 4000;

fn main() {
    if worker::is_worker() {
        return worker::set_panic_hook();
    }
    platform::set_panic_hook();
    let begun = Rc::new(Cell::new(false));
    let begin = move || {
        if !begun.replace(true) {
            yew::Renderer::<App>::new().render();
        }
    };
    if !link::fragment(&platform::fragment()).asks() {
        return begin();
    }
    let at_last = begin.clone();
    spawn_local(async move {
        // The page says it if that can't be had, and can try again.
        let _ = later::fetch().await;
        begin();
    });
    spawn_local(async move {
        TimeoutFuture::new(PATIENCE_MS).await;
        at_last();
    });
}

//! Starts the page; in a worker only what a search needs.

use zabscope_web::{later, link, platform, view::App, worker};

fn main() {
    if worker::is_worker() {
        return worker::set_panic_hook();
    }
    platform::set_panic_hook();
    let begin = || drop(yew::Renderer::<App>::new().render());
    if !link::fragment(&platform::fragment()).asks() {
        return begin();
    }
    // What the address names needs all of the page. The page says so if a part of it is missing.
    yew::platform::spawn_local(async move {
        let _ = later::fetch().await;
        begin();
    });
}

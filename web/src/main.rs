//! Starts the page; in a worker only what a search needs.

fn main() {
    if zabscope_web::worker::is_worker() {
        return zabscope_web::worker::set_panic_hook();
    }
    zabscope_web::platform::set_panic_hook();
    yew::Renderer::<zabscope_web::view::App>::new().render();
}

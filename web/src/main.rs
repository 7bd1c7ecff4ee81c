//! Starts the page.

fn main() {
    zabscope_web::platform::set_panic_hook();
    yew::Renderer::<zabscope_web::view::App>::new().render();
}

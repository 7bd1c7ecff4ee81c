//! Everything that is asked of the browser: storage, address bar, clipboard, files, preferences, and
//! what is shown when the code has panicked.

use crate::{
    link,
    state::{Theme, run::RunHandle},
    text::Lang,
};
use gloo::{
    storage::{LocalStorage, Storage},
    timers::callback::Timeout,
};
use std::cell::RefCell;
use wasm_bindgen::{JsCast, JsValue};
use zabscope_core::sim::Exported;

const THEME: &str = "zabscope.theme";
const LESSONS: &str = "zabscope.lessons";
const LANG: &str = "zabscope.lang";

fn window() -> Option<web_sys::Window> {
    web_sys::window()
}

fn media(query: &str) -> bool {
    window()
        .and_then(|w| w.match_media(query).ok().flatten())
        .is_some_and(|m| m.matches())
}

/// Whether the visitor asked for less motion.
#[must_use]
pub fn reduced_motion() -> bool {
    media("(prefers-reduced-motion: reduce)")
}

/// Whether the page is one column that scrolls: a phone.
#[must_use]
pub fn is_narrow() -> bool {
    media("(max-width: 720px)")
}

/// Scrolls until the first element that the selector names is at the top, once it has been drawn.
pub fn bring_into_sight(selector: &'static str) {
    Timeout::new(0, move || {
        let found = window()
            .and_then(|w| w.document())
            .and_then(|d| d.query_selector(selector).ok().flatten());
        if let Some(element) = found {
            element.scroll_into_view();
        }
    })
    .forget();
}

/// The theme that was chosen here, or the system's.
#[must_use]
pub fn theme() -> Theme {
    match LocalStorage::get::<String>(THEME).as_deref() {
        Ok("dark") => Theme::Dark,
        Ok("light") => Theme::Light,
        _ if media("(prefers-color-scheme: dark)") => Theme::Dark,
        _ => Theme::Light,
    }
}

/// The lessons that were finished here.
#[must_use]
pub fn lessons_done() -> Vec<String> {
    LocalStorage::get(LESSONS).unwrap_or_default()
}

/// Keeps that a lesson was finished.
pub fn keep_lesson_done(name: &str) {
    let mut done = lessons_done();
    if !done.iter().any(|d| d == name) {
        done.push(name.to_owned());
        let _ = LocalStorage::set(LESSONS, done);
    }
}

/// Shows a theme.
pub fn show_theme(theme: Theme) {
    let name = match theme {
        Theme::Light => "light",
        Theme::Dark => "dark",
    };
    if let Some(root) = root() {
        let _ = root.set_attribute("data-theme", name);
    }
}

/// Keeps a choice of theme. A browser that keeps nothing is no trouble.
pub fn keep_theme(theme: Theme) {
    let _ = LocalStorage::set(
        THEME,
        match theme {
            Theme::Light => "light",
            Theme::Dark => "dark",
        },
    );
}

/// The language that was chosen here, or the browser's.
#[must_use]
pub fn lang() -> Lang {
    let kept = LocalStorage::get::<String>(LANG).ok();
    let browser = || window().and_then(|w| w.navigator().language());
    kept.or_else(browser)
        .map_or(Lang::En, |tag| Lang::from_tag(&tag))
}

/// Keeps a choice of language.
pub fn keep_lang(lang: Lang) {
    let _ = LocalStorage::set(LANG, lang.tag());
}

/// Tells the browser in which language the page is.
pub fn show_lang(lang: Lang) {
    if let Some(root) = root() {
        let _ = root.set_attribute("lang", lang.tag());
    }
}

fn root() -> Option<web_sys::Element> {
    window()?.document()?.document_element()
}

/// The address bar's fragment.
#[must_use]
pub fn fragment() -> String {
    window()
        .and_then(|w| w.location().hash().ok())
        .unwrap_or_default()
}

/// The address of this page without its fragment.
#[must_use]
pub fn address() -> String {
    let href = window().and_then(|w| w.location().href().ok());
    let href = href.unwrap_or_default();
    href.split('#').next().unwrap_or_default().to_owned()
}

/// Puts a fragment into the address bar. Nothing is loaded, and *back* of the browser does not grow.
pub fn set_fragment(fragment: &str) {
    if let Some(history) = window().and_then(|w| w.history().ok()) {
        let _ = history.replace_state_with_url(&JsValue::NULL, "", Some(&format!("#{fragment}")));
    }
}

/// A number that nobody can guess and JavaScript can show.
#[must_use]
pub fn fresh_seed() -> u64 {
    let mut bytes = [0; 4];
    // Without entropy every world is the first one, which is a world too.
    if getrandom::fill(&mut bytes).is_err() {
        return 1;
    }
    u64::from(u32::from_le_bytes(bytes)) % 1_000_000
}

/// Copies a text; tells whether it worked.
pub async fn copy(text: &str) -> bool {
    let Some(window) = window() else { return false };
    let clipboard = window.navigator().clipboard();
    // Absent where the page did not come over HTTPS or from this machine.
    if clipboard.is_undefined() {
        return false;
    }
    wasm_bindgen_futures::JsFuture::from(clipboard.write_text(text))
        .await
        .is_ok()
}

/// Saves a text as a file.
///
/// # Errors
/// The browser refuses.
pub fn save(name: &str, text: &str) -> Result<(), JsValue> {
    let window = window().ok_or(JsValue::NULL)?;
    let document = window.document().ok_or(JsValue::NULL)?;
    let parts = js_sys::Array::of1(&JsValue::from_str(text));
    let options = web_sys::BlobPropertyBag::new();
    options.set_type("application/json");
    let blob = web_sys::Blob::new_with_str_sequence_and_options(&parts, &options)?;
    let url = web_sys::Url::create_object_url_with_blob(&blob)?;
    let anchor: web_sys::HtmlAnchorElement = document.create_element("a")?.dyn_into()?;
    anchor.set_href(&url);
    anchor.set_download(name);
    anchor.click();
    web_sys::Url::revoke_object_url(&url)
}

// ---- the run as it was before a panic --------------------------------------------------------------

thread_local! {
    /// Setup, actions and steps, kept apart from the run: while it changes, nobody can look at it.
    static TRAIL: RefCell<Option<Exported>> = const { RefCell::new(None) };
}

/// Remembers what would have to be repeated.
pub fn remember(run: &RunHandle) {
    let run = run.get();
    let history = run.history();
    let mut exported = history.export();
    exported.trace = None;
    TRAIL.with(|trail| {
        if let Ok(mut trail) = trail.try_borrow_mut() {
            *trail = Some(exported);
        }
    });
}

/// Remembers what is about to be done.
pub fn remember_action(action: &zabscope_core::sim::Action) {
    TRAIL.with(|trail| {
        if let Ok(mut trail) = trail.try_borrow_mut()
            && let Some(run) = trail.as_mut()
        {
            run.actions.push(zabscope_core::sim::TimedAction {
                step: run.steps,
                action: action.clone(),
            });
        }
    });
}

/// Shows a dialog when the code panics: no component can do it any more, so it is plain DOM.
pub fn set_panic_hook() {
    std::panic::set_hook(Box::new(|info| {
        let what = info.to_string();
        let fragment = TRAIL.with(|trail| {
            let trail = trail.try_borrow().ok()?;
            trail.as_ref().map(link::encode)
        });
        let _ = show_panic(&what, fragment.as_deref());
    }));
}

/// The dialog: what happened, and a link that repeats it.
///
/// # Errors
/// There is no document.
pub fn show_panic(what: &str, fragment: Option<&str>) -> Result<(), JsValue> {
    let document = window().and_then(|w| w.document()).ok_or(JsValue::NULL)?;
    let body = document.body().ok_or(JsValue::NULL)?;
    if document.get_element_by_id("panic").is_some() {
        return Ok(());
    }
    let zh = root().is_some_and(|r| r.get_attribute("lang").is_some_and(|l| l.starts_with("zh")));
    let pick = |en: &'static str, zh_text: &'static str| if zh { zh_text } else { en };
    let make = |name: &str, text: &str| -> Result<web_sys::Element, JsValue> {
        let element = document.create_element(name)?;
        element.set_text_content(Some(text));
        Ok(element)
    };
    let veil = document.create_element("div")?;
    veil.set_id("panic");
    veil.set_class_name("veil");
    let dialog = document.create_element("div")?;
    dialog.set_class_name("dialog");
    for (name, value) in [
        ("role", "alertdialog"),
        ("aria-modal", "true"),
        ("aria-labelledby", "panic-title"),
        ("aria-describedby", "panic-text"),
        ("tabindex", "-1"),
    ] {
        dialog.set_attribute(name, value)?;
    }
    let title = make("h2", pick("zabscope stopped", "zabscope 停止了"))?;
    title.set_id("panic-title");
    let text = make(
        "p",
        pick(
            "Something that must never happen has happened: a mistake of ours. The link below repeats the run up to here; please send it with a report.",
            "发生了绝不该发生的事：这是我们的错误。下面的链接可以重放到这里为止的运行；请在报告时附上它。",
        ),
    )?;
    text.set_id("panic-text");
    dialog.append_child(&title)?;
    dialog.append_child(&text)?;
    let detail = make("pre", what)?;
    detail.set_attribute("tabindex", "0")?;
    dialog.append_child(&detail)?;
    let row = document.create_element("p")?;
    row.set_class_name("row");
    if let Some(fragment) = fragment {
        let link = make("a", pick("Repeat this run", "重放这次运行"))?;
        link.set_class_name("btn");
        link.set_attribute("href", &format!("{}#s={fragment}", address()))?;
        // The same page with another fragment would not be loaded again.
        link.set_attribute("target", "_blank")?;
        link.set_attribute("rel", "noopener")?;
        row.append_child(&link)?;
    }
    let again = make("a", pick("Start anew", "重新开始"))?;
    again.set_class_name("btn");
    again.set_attribute("href", &address())?;
    row.append_child(&again)?;
    dialog.append_child(&row)?;
    veil.append_child(&dialog)?;
    body.append_child(&veil)?;
    if let Ok(dialog) = dialog.dyn_into::<web_sys::HtmlElement>() {
        let _ = dialog.focus();
    }
    Ok(())
}

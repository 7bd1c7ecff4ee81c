//! Everything that is asked of the browser: storage, address bar, clipboard, files, preferences, and
//! what is shown when the code has panicked.

use crate::{
    later,
    state::{Theme, run::RunHandle},
    text::Lang,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use gloo::{
    storage::{LocalStorage, SessionStorage, Storage},
    timers::callback::Timeout,
};
use std::{cell::RefCell, rc::Rc};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use zabscope_core::sim::Exported;

const THEME: &str = "zabscope.theme";
const LESSONS: &str = "zabscope.lessons";
const RUN: &str = "zabscope.run";
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

/// Gives the focus to the first such element, once what was changed is drawn.
pub fn focus(selector: String) {
    Timeout::new(0, move || {
        let found = window()
            .and_then(|w| w.document())
            .and_then(|d| d.query_selector(&selector).ok().flatten());
        if let Some(element) = found.and_then(|e| e.dyn_into::<web_sys::HtmlElement>().ok()) {
            let _ = element.focus();
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

/// Names in the browser's own title what is open.
pub fn show_title(title: Option<&str>) {
    if let Some(document) = window().and_then(|w| w.document()) {
        let name = title.map(|title| [title, " – zabscope"].concat());
        document.set_title(name.as_deref().unwrap_or("zabscope"));
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

/// Puts a run into the address, unless that names a lesson: then this is what one comes back to.
pub fn keep_in_address(text: &str) {
    let hash = window().and_then(|w| w.location().hash().ok());
    if !hash.is_some_and(|hash| hash.starts_with("#lesson=")) {
        set_fragment(&format!("s={text}"));
    }
}

/// Loads the page again, with the fragment that it has.
pub fn reload() {
    if let Some(window) = window() {
        let _ = window.location().reload();
    }
}

/// Opens an address of this page beside the article that it is shown in.
pub fn open_beside(fragment: &str) {
    if let Some(window) = window() {
        let url = format!("{}#{fragment}", address());
        let _ = window.open_with_url_and_target_and_features(&url, "_blank", "noopener");
    }
}

/// The run of the last visit, as it was kept.
#[must_use]
pub fn kept_run() -> Option<String> {
    LocalStorage::get(RUN).ok()
}

/// The run that this tab kept before it was loaded again, whatever others have kept since; or the last one.
#[must_use]
pub fn kept_here() -> Option<String> {
    SessionStorage::get(RUN).ok().or_else(kept_run)
}

/// Keeps a run for the next visit. A browser that has no room keeps the one before.
pub fn keep_run(state: &str) {
    drop(SessionStorage::set(RUN, state));
    drop(LocalStorage::set(RUN, state));
}

/// Forgets this run, and no other that was kept since.
pub fn forget_run(state: &str) {
    if SessionStorage::get::<String>(RUN).is_ok_and(|kept| kept == state) {
        SessionStorage::delete(RUN);
    }
    if kept_run().is_some_and(|kept| kept == state) {
        LocalStorage::delete(RUN);
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
    JsFuture::from(clipboard.write_text(text)).await.is_ok()
}

/// Fetches a text that lies beside the page, of at most `limit` bytes.
///
/// # Errors
/// In words, for people.
pub async fn fetch_text(name: &str, limit: usize) -> Result<String, Rc<str>> {
    let window = window().ok_or("there is no window")?;
    let response = JsFuture::from(window.fetch_with_str(name)).await;
    let response: web_sys::Response = response.map_err(|e| words(&e))?.unchecked_into();
    if !response.ok() {
        return Err(format!("the host answered {}", response.status()).into());
    }
    let text = JsFuture::from(response.text().map_err(|e| words(&e))?).await;
    let text = text.map_err(|e| words(&e))?.as_string().unwrap_or_default();
    if text.len() > limit {
        return Err(format!("it has {} bytes; at most {limit} are read", text.len()).into());
    }
    Ok(text)
}

/// Saves bytes as a file.
///
/// # Errors
/// The browser refuses.
pub fn save(name: &str, kind: &str, bytes: &[u8]) -> Result<(), JsValue> {
    let document = window().and_then(|w| w.document()).ok_or(JsValue::NULL)?;
    let url = blob_url(kind, bytes)?;
    let anchor: web_sys::HtmlAnchorElement = document.create_element("a")?.dyn_into()?;
    anchor.set_href(&url);
    anchor.set_download(name);
    anchor.click();
    web_sys::Url::revoke_object_url(&url)
}

fn blob_url(kind: &str, bytes: &[u8]) -> Result<String, JsValue> {
    let parts = js_sys::Array::of1(&js_sys::Uint8Array::from(bytes));
    let options = web_sys::BlobPropertyBag::new();
    options.set_type(kind);
    let blob = web_sys::Blob::new_with_u8_array_sequence_and_options(&parts, &options)?;
    web_sys::Url::create_object_url_with_blob(&blob)
}

/// What a browser says of an error.
#[must_use]
pub fn words(error: &JsValue) -> Rc<str> {
    error
        .dyn_ref::<js_sys::Error>()
        .map(|e| String::from(e.message()))
        .or_else(|| error.as_string())
        .unwrap_or_else(|| format!("{error:?}"))
        .into()
}

/// The stage as a picture that needs nothing else.
pub struct Picture {
    /// The text of the file.
    pub svg: String,
    size: (f64, f64),
}

/// The style sheets that the stage needs, by the beginnings of their names.
const STAGE_STYLES: [&str; 3] = ["tokens", "base", "stage"];

impl Picture {
    /// Takes it. `mark` is what the file carries along.
    ///
    /// # Errors
    /// The stage is not there, or a style sheet can't be read again.
    pub async fn of_stage(mark: Option<&str>) -> Result<Picture, JsValue> {
        let missing = || JsValue::from(js_sys::Error::new("there is no stage"));
        let window = window().ok_or_else(missing)?;
        let document = window.document().ok_or_else(missing)?;
        let stage = document.query_selector(".area svg")?.ok_or_else(missing)?;
        let seen = stage.get_bounding_client_rect();
        let size = (seen.width().max(1.0), seen.height().max(1.0));
        let copy: web_sys::Element = stage.clone_node_with_deep(true)?.unchecked_into();
        copy.set_attribute("xmlns", "http://www.w3.org/2000/svg")?;
        copy.set_attribute("width", &(size.0.round() as u32).to_string())?;
        copy.set_attribute("height", &(size.1.round() as u32).to_string())?;
        for (name, value) in [("data-theme", "data-theme"), ("lang", "lang")] {
            let value = root().and_then(|r| r.get_attribute(value));
            copy.set_attribute(name, &value.unwrap_or_default())?;
        }
        // Nothing is chosen or reached in a picture.
        let reached = copy.query_selector_all("[tabindex]")?;
        for i in 0..reached.length() {
            if let Some(element) = reached.get(i) {
                element
                    .unchecked_into::<web_sys::Element>()
                    .remove_attribute("tabindex")?;
            }
        }
        let mut css = String::new();
        let sheets = document.query_selector_all("link[rel=stylesheet]")?;
        for i in 0..sheets.length() {
            let Some(sheet) = sheets.get(i) else { continue };
            let href = sheet
                .unchecked_into::<web_sys::Element>()
                .get_attribute("href")
                .unwrap_or_default();
            let name = href.rsplit('/').next().unwrap_or_default();
            if STAGE_STYLES.iter().any(|s| name.starts_with(s)) {
                let text = fetch_text(&href, 256 * 1024).await;
                css.push_str(&text.map_err(|why| JsValue::from(js_sys::Error::new(&why)))?);
            }
        }
        css.push_str(":root{background:var(--paper)}");
        let svg = "http://www.w3.org/2000/svg";
        let style = document.create_element_ns(Some(svg), "style")?;
        style.set_text_content(Some(&css));
        copy.prepend_with_node_1(&style)?;
        if let Some(mark) = mark {
            let data = document.create_element_ns(Some(svg), "metadata")?;
            data.set_text_content(Some(mark));
            copy.prepend_with_node_1(&data)?;
        }
        let text = web_sys::XmlSerializer::new()?.serialize_to_string(&copy)?;
        Ok(Picture { svg: text, size })
    }

    /// The picture in dots, two for each of the page's.
    ///
    /// # Errors
    /// The browser can't draw it.
    pub async fn png(&self) -> Result<Vec<u8>, JsValue> {
        let missing = || JsValue::from(js_sys::Error::new("this browser draws no pictures"));
        let document = window().and_then(|w| w.document()).ok_or_else(missing)?;
        let image = web_sys::HtmlImageElement::new()?;
        let url = blob_url("image/svg+xml", self.svg.as_bytes())?;
        image.set_src(&url);
        let decoded = JsFuture::from(image.decode()).await;
        web_sys::Url::revoke_object_url(&url)?;
        decoded?;
        let canvas: web_sys::HtmlCanvasElement = document.create_element("canvas")?.dyn_into()?;
        let (width, height) = (2.0 * self.size.0, 2.0 * self.size.1);
        canvas.set_width(width as u32);
        canvas.set_height(height as u32);
        let context: web_sys::CanvasRenderingContext2d = canvas
            .get_context("2d")?
            .ok_or_else(missing)?
            .unchecked_into();
        context
            .draw_image_with_html_image_element_and_dw_and_dh(&image, 0.0, 0.0, width, height)?;
        let url = canvas.to_data_url()?;
        let data = url
            .split_once(',')
            .map(|(_, data)| data)
            .unwrap_or_default();
        STANDARD.decode(data).map_err(|_| missing())
    }
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

/// Remembers how far the run has come.
pub fn remember_cursor(step: u64) {
    TRAIL.with(|trail| {
        if let Ok(mut trail) = trail.try_borrow_mut()
            && let Some(run) = trail.as_mut()
        {
            // Behind it stand actions that were done later: they go when the page stands still.
            run.steps = run.steps.max(step);
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
            trail.as_ref().and_then(later::encode)
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

//! A search runs in a worker, so that nothing waits for it. Both ends are here: the page's, which begins
//! and ends it and hears of it, and the worker's, which is the same code in another thread.

use crate::{platform::words, state::search::Searched};
use js_sys::{Array, Function, Reflect};
use std::cell::RefCell;
use wasm_bindgen::{closure::Closure, prelude::*};
use zabscope_core::sim::{Progress, Search, Stage, Wanted};

#[wasm_bindgen]
extern "C" {
    type Worker;
    #[wasm_bindgen(constructor, catch)]
    fn new(url: &str) -> Result<Worker, JsValue>;
    #[wasm_bindgen(method, catch, js_name = postMessage)]
    fn post_message(this: &Worker, message: &JsValue) -> Result<(), JsValue>;
    #[wasm_bindgen(method, setter)]
    fn set_onmessage(this: &Worker, heard: &Function);
    #[wasm_bindgen(method, setter)]
    fn set_onerror(this: &Worker, failed: &Function);
    #[wasm_bindgen(method)]
    fn terminate(this: &Worker);
    #[wasm_bindgen(js_name = postMessage)]
    fn tell_page(text: &str);
}

/// The worker's script; a file of its own, so that the content security policy can name its origin.
const SCRIPT: &str = "./search.js";
/// So many steps are taken before the clock is looked at: a few milliseconds.
const SLICE: u64 = 2000;
/// The page hears of a search so often, in ms.
const EVERY_MS: f64 = 100.0;

struct Running {
    worker: Worker,
    _heard: Closure<dyn FnMut(JsValue)>,
    _failed: Closure<dyn FnMut(JsValue)>,
}

thread_local! {
    /// The search that runs.
    static RUNNING: RefCell<Option<Running>> = const { RefCell::new(None) };
}

/// Ends the search that runs, if one does.
pub fn stop() {
    // Taken out first: what ends it must not find it borrowed.
    let running = RUNNING.with(|running| running.borrow_mut().take());
    if let Some(running) = running {
        running.worker.terminate();
    }
}

/// Begins a search; `tell` hears of it until it is done.
pub fn start(wanted: &Wanted, tell: impl Fn(Searched) + Clone + 'static) {
    stop();
    let failed = {
        let tell = tell.clone();
        move |why: String| tell(Searched::Failed(why))
    };
    if let Err(error) = try_start(wanted, tell) {
        stop();
        failed(words(&error).to_string());
    }
}

fn try_start(wanted: &Wanted, tell: impl Fn(Searched) + Clone + 'static) -> Result<(), JsValue> {
    let job = serde_json::to_string(wanted).map_err(|e| JsValue::from_str(&e.to_string()))?;
    let document = web_sys::window()
        .and_then(|w| w.document())
        .ok_or_else(|| JsValue::from_str("this browser starts no worker"))?;
    let base = document.base_uri()?.unwrap_or_default();
    let code = document
        .query_selector("meta[name=zabscope-code]")?
        .and_then(|meta| meta.get_attribute("content"))
        .ok_or_else(|| JsValue::from_str("the page does not say where its code is"))?;
    let absolute = |path: &str| web_sys::Url::new_with_base(path, &base).map(|url| url.href());
    let worker = Worker::new(&absolute(SCRIPT)?)?;
    let began = js_sys::Date::now();
    let most = wanted.schedules;
    let heard = {
        let tell = tell.clone();
        Closure::<dyn FnMut(JsValue)>::new(move |event: JsValue| {
            let text = Reflect::get(&event, &"data".into())
                .ok()
                .and_then(|data| data.as_string())
                .unwrap_or_default();
            tell(match text.strip_prefix('!') {
                Some(why) => Searched::Failed(why.to_owned()),
                None => match zabscope_lessons::from_json::<Progress>(&text) {
                    Ok(progress) => Searched::of(progress, js_sys::Date::now() - began, most),
                    Err(error) => Searched::Failed(error.to_string()),
                },
            });
        })
    };
    let failed = Closure::<dyn FnMut(JsValue)>::new(move |event: JsValue| {
        let said = Reflect::get(&event, &"message".into()).ok();
        let said = said.and_then(|m| m.as_string()).filter(|m| !m.is_empty());
        tell(Searched::Failed(said.unwrap_or_else(|| {
            format!("{SCRIPT} could not be loaded or run")
        })));
    });
    worker.set_onmessage(heard.as_ref().unchecked_ref());
    worker.set_onerror(failed.as_ref().unchecked_ref());
    let message = Array::of3(
        &absolute(&code)?.into(),
        &wasm_bindgen::module(),
        &job.into(),
    );
    let sent = worker.post_message(&message);
    RUNNING.with(|running| {
        *running.borrow_mut() = Some(Running {
            worker,
            _heard: heard,
            _failed: failed,
        });
    });
    sent
}

/// Whether this code was started in a worker and not in a page.
#[must_use]
pub fn is_worker() -> bool {
    web_sys::window().is_none()
}

/// In a worker: what panics is told to the page.
pub fn set_panic_hook() {
    std::panic::set_hook(Box::new(|info| tell_page(&format!("!{info}"))));
}

/// In a worker: searches to the end, and tells the page how far it is.
#[wasm_bindgen]
pub async fn search(job: String) {
    if crate::later::search(&job).await.is_err() {
        tell_page("!a part of the page could not be fetched");
    }
}

/// The same, when all that it needs is here.
pub fn search_here(job: &str) {
    let wanted = match zabscope_lessons::from_json::<Wanted>(job) {
        Ok(wanted) => wanted,
        Err(error) => return tell_page(&format!("!{error}")),
    };
    let mut search = match Search::new(wanted) {
        Ok(search) => search,
        Err(error) => return tell_page(&format!("!{error}")),
    };
    let mut told = js_sys::Date::now();
    loop {
        let progress = search.run(SLICE);
        let done = !matches!(progress.stage, Stage::Looking | Stage::Shortening { .. });
        let now = js_sys::Date::now();
        if done || now - told >= EVERY_MS {
            told = now;
            tell_page(&serde_json::to_string(&progress).unwrap_or_default());
        }
        if done {
            return;
        }
    }
}

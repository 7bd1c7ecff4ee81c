//! The line at the top: what this is, which world it shows, and how to take it elsewhere.

use super::{
    address,
    bits::{Send, ask},
    rest,
};
use crate::{
    export, link, platform,
    state::{Action, Dialog, Notice, Tab, Theme, Title, run::RunHandle, title_in},
    text::{Key, Lang, t},
};
use yew::prelude::*;

/// What the header needs.
#[derive(Properties, PartialEq)]
pub struct HeaderProps {
    /// The run.
    pub run: RunHandle,
    /// What it is called, if it has a name.
    pub title: Option<Title>,
    /// The theme.
    pub theme: Theme,
    /// The language.
    pub lang: Lang,
    /// To ask.
    pub send: Send,
}

/// The header.
#[component]
pub fn Header(props: &HeaderProps) -> Html {
    let (lang, send) = (props.lang, &props.send);
    let setup = props.run.get().world().setup().clone();
    let ensemble = match (lang, setup.observers) {
        (Lang::En, 0) => format!("Ensemble of {}", setup.voters),
        (Lang::En, n) => format!("Ensemble of {} + {n}", setup.voters),
        (Lang::Zh, 0) => format!("{} 台服务器的集群", setup.voters),
        (Lang::Zh, n) => format!("{} + {n} 台服务器的集群", setup.voters),
    };
    let title = props.title.as_ref();
    let named = title.map(|title| title_in(title, lang).to_owned());
    let title = named
        .clone()
        .unwrap_or_else(|| lang.pick("Your run", "你的运行").to_owned());
    use_effect_with(named, |named| platform::show_title(named.as_deref()));
    let share = {
        let (run, send) = (props.run.clone(), send.clone());
        Callback::from(move |_: MouseEvent| {
            let (run, to) = (run.clone(), send.clone());
            rest::with(move |rest| (rest.share)(&run, &to));
        })
    };
    let theme = match props.theme {
        Theme::Light => Theme::Dark,
        Theme::Dark => Theme::Light,
    };
    let (other, tag) = match lang {
        Lang::En => ("中文", "zh-Hans"),
        Lang::Zh => ("English", "en"),
    };
    let other_lang = match lang {
        Lang::En => Lang::Zh,
        Lang::Zh => Lang::En,
    };
    html! {
        <header class="top">
            <h1 class="mark">{ "zab" }<span>{ "scope" }</span></h1>
            <nav aria-label={lang.pick("World", "世界")}>
                <button type="button" class="quiet strong" aria-haspopup="dialog"
                    onclick={ask(send, Action::Dialog(Some(Dialog::World)))}>{ ensemble }</button>
                <button type="button" class="quiet" aria-haspopup="dialog"
                    onclick={ask(send, Action::Dialog(Some(Dialog::Gallery)))}>{ t(lang, Key::Scenarios) }</button>
                <button type="button" class="quiet" onclick={ask(send, Action::Tab(Tab::Lesson))}>{ t(lang, Key::Lessons) }</button>
            </nav>
            <p class="title">{ title }</p>
            <div class="right">
                <button type="button" class="quiet" onclick={share}>{ t(lang, Key::Share) }</button>
                <button type="button" class="quiet wide" aria-haspopup="dialog"
                    onclick={ask(send, Action::Dialog(Some(Dialog::Export)))}>{ t(lang, Key::Export) }</button>
                { import_label(lang, send, "quiet wide file") }
                <button type="button" class="quiet wide" aria-haspopup="dialog"
                    onclick={ask(send, Action::Dialog(Some(Dialog::Keys)))}>{ t(lang, Key::Keys) }</button>
                <button type="button" class="quiet narrow" aria-haspopup="dialog"
                    onclick={ask(send, Action::Dialog(Some(Dialog::Menu)))}>{ t(lang, Key::Menu) }</button>
                <button type="button" class="quiet" aria-pressed={if props.theme == Theme::Dark { "true" } else { "false" }}
                    onclick={ask(send, Action::Theme(theme))}>{ t(lang, Key::ThemeDark) }</button>
                <button type="button" class="quiet" lang={tag}
                    onclick={ask(send, Action::Lang(other_lang))}>{ other }</button>
            </div>
        </header>
    }
}

/// What opens a file.
fn import_label(lang: Lang, send: &Send, class: &'static str) -> Html {
    let onchange = {
        let send = send.clone();
        Callback::from(move |event: Event| {
            let to = send.clone();
            rest::with(move |rest| (rest.import)(&event, &to));
        })
    };
    html! {
        <label {class}>
            <input type="file" accept=".json,.svg,.png,.mmd,.txt" {onchange} />
            <span>{ t(lang, Key::Import) }</span>
        </label>
    }
}

/// What stands in the header where there is room for it.
pub fn menu(lang: Lang, send: &Send) -> Html {
    let item = |key: Key, action: Action| {
        html! { <li><button type="button" class="btn" onclick={ask(send, action)}>{ t(lang, key) }</button></li> }
    };
    let lessons = {
        let send = send.clone();
        Callback::from(move |_: MouseEvent| {
            send.dispatch(Action::Dialog(None));
            send.dispatch(Action::Tab(Tab::Lesson));
            platform::bring_into_sight(".side");
        })
    };
    html! {
        <ul class="menu">
            { item(Key::Scenarios, Action::Dialog(Some(Dialog::Gallery))) }
            <li><button type="button" class="btn" onclick={lessons}>{ t(lang, Key::Lessons) }</button></li>
            { item(Key::Export, Action::Dialog(Some(Dialog::Export))) }
            <li>{ import_label(lang, send, "btn file") }</li>
            { item(Key::Keys, Action::Dialog(Some(Dialog::Keys))) }
        </ul>
    }
}

/// Copies the link, and puts it into the address bar.
pub fn share(run: &RunHandle, send: &Send) {
    let exported = run.get().shared();
    if exported.steps > link::MAX_STEPS {
        send.dispatch(Action::Notify(Notice::TooLong));
        return;
    }
    let fragment = format!("s={}", link::encode(&exported));
    platform::set_fragment(&fragment);
    let url = format!("{}#{fragment}", platform::address());
    let send = send.clone();
    yew::platform::spawn_local(async move {
        let notice = if platform::copy(&url).await {
            Notice::Copied(url.len())
        } else {
            Notice::NotCopied
        };
        send.dispatch(Action::Notify(notice));
    });
}

/// Reads the chosen file.
pub fn import(event: &Event, send: &Send) {
    let Some(input) = event.target_dyn_into::<web_sys::HtmlInputElement>() else {
        return;
    };
    let file = input.files().and_then(|files| files.item(0));
    let Some(file) = file else { return };
    let send = send.clone();
    yew::platform::spawn_local(async move {
        if file.size() > link::MAX_FILE as f64 {
            let size = file.size() as usize;
            send.dispatch(Action::Notify(Notice::Unreadable(
                link::LinkError::FileTooLarge(size),
            )));
            return;
        }
        let blob = gloo::file::Blob::from(file);
        let read = gloo::file::futures::read_as_bytes(&blob).await;
        let exported = match read {
            Ok(bytes) => export::read(&bytes),
            Err(error) => Err(link::LinkError::no_run(error)),
        };
        match exported {
            Ok(exported) => address::load(vec![exported], send).await,
            Err(error) => send.dispatch(Action::Notify(Notice::Unreadable(error))),
        }
    });
    // The same file can be chosen again.
    input.set_value("");
}

//! The gallery: worlds to begin with, each with a picture that is the world itself, played to the
//! moment that its sentence tells of.

use super::{
    bits::Send,
    stage::{Stage, StageHandle},
};
use crate::{
    platform,
    scene::{Pick, Scene, place::Frame, read, scene},
    state::{Action, Loaded, Notice, Selection, State, run::Run},
    text::Lang,
};
use gloo::timers::future::TimeoutFuture;
use std::rc::Rc;
use yew::prelude::*;
use zabscope_core::sim::{History, Imported};
use zabscope_lessons::worlds::{self, Group, World};

/// Where the worlds are, beside the page.
const FILE: &str = "worlds.json";

/// What the gallery needs.
#[derive(Properties, PartialEq)]
pub struct GalleryProps {
    /// The language.
    pub lang: Lang,
    /// To ask.
    pub send: Send,
}

/// A world with its picture.
struct Shown {
    world: World,
    history: History,
    scene: Rc<Scene>,
    /// Made once: what is equal is not drawn again.
    handle: StageHandle,
    nothing: Callback<Pick>,
}

/// The worlds that were drawn so far, or why there are none.
type Drawn = Result<Vec<Rc<Shown>>, Rc<str>>;

/// Fetches the worlds.
///
/// # Errors
/// In words: the file can't be fetched, or is not as it must be.
async fn fetched() -> Result<Vec<World>, Rc<str>> {
    let text = platform::fetch_text(FILE, worlds::MAX_FILE).await?;
    worlds::parse(&text).map_err(|e| e.to_string().into())
}

/// Opens a world by its name: what a link asks for.
pub async fn open(name: String, send: Send) {
    let action = match fetched().await {
        Ok(all) => match all.iter().find(|w| w.name == name) {
            Some(world) => match world.play() {
                Ok(history) => Action::Load(loaded(world, history)),
                Err(error) => Action::Notify(Notice::Lesson(error.to_string().into())),
            },
            None => Action::Notify(Notice::NoWorld),
        },
        Err(why) => Action::Notify(Notice::Unfetched(FILE, why)),
    };
    send.dispatch(action);
}

fn loaded(world: &World, history: History) -> Loaded {
    let imported = Imported {
        history,
        mismatch: None,
        bookmarks: Vec::new(),
    };
    Loaded::new(imported).titled(&world.en.0, &world.zh.0)
}

/// The stage as a visitor finds it who opens the world.
fn picture(history: &History, lang: Lang) -> Rc<Scene> {
    let state = State::new(Run::of(history.clone()));
    let run = state.run.get();
    let records = run.history().records();
    let told = state
        .focus
        .and_then(|i| records.get(i))
        .map(zabscope_core::sim::Record::id);
    let sight = read::sight(
        run.world(),
        records.last(read::RECORDS),
        told,
        &Selection::Nothing,
    );
    Rc::new(scene(
        &sight,
        &Selection::Nothing,
        lang,
        Frame::fit(960.0, 480.0),
    ))
}

/// The gallery.
#[component]
pub fn Gallery(props: &GalleryProps) -> Html {
    let lang = props.lang;
    let drawn = use_state(|| Drawn::Ok(Vec::new()));
    {
        let drawn = drawn.setter();
        use_effect_with(lang, move |lang| {
            let (lang, here) = (*lang, Rc::new(()));
            let open = Rc::downgrade(&here);
            yew::platform::spawn_local(async move {
                let all = match fetched().await {
                    Ok(all) => all,
                    Err(why) => return drawn.set(Err(why)),
                };
                let mut shown = Vec::new();
                // One after the other, so that the page goes on meanwhile.
                for world in all {
                    // The gallery was closed.
                    if open.upgrade().is_none() {
                        return;
                    }
                    match world.play() {
                        Ok(history) => shown.push(Rc::new(Shown {
                            handle: StageHandle::default(),
                            nothing: Callback::noop(),
                            scene: picture(&history, lang),
                            world,
                            history,
                        })),
                        Err(error) => return drawn.set(Err(error.to_string().into())),
                    }
                    drawn.set(Ok(shown.clone()));
                    TimeoutFuture::new(0).await;
                }
            });
            move || drop(here)
        });
    }
    let shown = match &*drawn {
        Ok(shown) => shown,
        Err(why) => {
            return html! { <p role="alert">{ unfetched(lang) }{ " " }<span class="soft">{ &**why }</span></p> };
        }
    };
    let part = |(group, title): (Group, &'static str)| {
        let cards = shown.iter().filter(|s| s.world.group == group);
        let cards: Vec<Html> = cards.map(|s| card(s, lang, &props.send)).collect();
        if cards.is_empty() {
            return Html::default();
        }
        html! { <section><h3>{ title }</h3><ul>{ for cards }</ul></section> }
    };
    let parts = [
        (
            Group::Election,
            lang.pick("Electing a leader", "选举领导者"),
        ),
        (Group::Sync, lang.pick("Catching up", "追赶")),
        (Group::Broadcast, lang.pick("Writing", "写入")),
        (Group::Fault, lang.pick("When things break", "出故障时")),
        (
            Group::Client,
            lang.pick("What a client sees", "客户端看到什么"),
        ),
        (Group::Recipe, lang.pick("Built on top", "在它之上")),
    ];
    html! { <div class="gallery">{ for parts.into_iter().map(part) }</div> }
}

fn card(shown: &Rc<Shown>, lang: Lang, send: &Send) -> Html {
    let (title, sentence) = match lang {
        Lang::En => &shown.world.en,
        Lang::Zh => &shown.world.zh,
    };
    let onclick = {
        let (shown, send) = (Rc::clone(shown), send.clone());
        Callback::from(move |_: MouseEvent| {
            send.dispatch(Action::Load(loaded(&shown.world, shown.history.clone())));
        })
    };
    html! {
        <li key={shown.world.name.clone()}>
            <button type="button" class="world" {onclick}>
                // A picture: what is in it can be used once the world is open.
                <div class="thumb" aria-hidden="true" inert={true}>
                    <Stage scene={Rc::clone(&shown.scene)} {lang} still={true} handle={shown.handle.clone()} pick={shown.nothing.clone()} />
                </div>
                <b>{ title }</b>
                <span>{ sentence }</span>
            </button>
        </li>
    }
}

/// What is said when a file of the page does not come.
pub fn unfetched(lang: Lang) -> &'static str {
    lang.pick(
        "The gallery can't be shown: its file did not come. Please load the page again.",
        "无法显示场景库：文件没有取到。请重新加载页面。",
    )
}

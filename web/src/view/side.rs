//! The side panel: tabs, and one panel at a time.

use super::{
    bits::{Send, ask, letter, next_tab},
    rest,
    start::{StartProps, start},
};
use crate::{
    platform,
    state::{Action, LessonHandle, Selection, Tab, asked::Asked, run::RunHandle},
    text::{Key, Lang, t},
};
use std::rc::Rc;
use yew::prelude::*;

/// What the side panel needs.
#[derive(Properties, PartialEq)]
pub struct SideProps {
    /// All of the page is here.
    pub here: bool,
    /// The run.
    pub run: RunHandle,
    /// What is known of the last search.
    pub search: Rc<crate::state::search::Searched>,
    /// The open tab.
    pub tab: Tab,
    /// The open lesson.
    pub lesson: Option<LessonHandle>,
    /// Virtual time passes.
    pub plays: bool,
    /// The run of an earlier visit.
    pub kept: Option<Rc<str>>,
    /// What is chosen.
    pub selection: Selection,
    /// What was asked beside the sentence.
    pub asked: Option<Rc<Asked>>,
    /// The record that the sentence is about.
    pub focus: Option<usize>,
    /// The language.
    pub lang: Lang,
    /// To ask.
    pub send: Send,
}

const TABS: [Tab; 8] = [
    Tab::Lesson,
    Tab::Chosen,
    Tab::Tree,
    Tab::Console,
    Tab::Act,
    Tab::Why,
    Tab::Sessions,
    Tab::Invariants,
];

/// The side panel.
#[component]
pub fn Side(props: &SideProps) -> Html {
    let (lang, send) = (props.lang, &props.send);
    let name = |tab: Tab| match tab {
        Tab::Lesson => t(lang, Key::Lesson).to_owned(),
        Tab::Chosen => match &props.selection {
            Selection::Nothing => t(lang, Key::Inspector).to_owned(),
            Selection::Server(id) => format!("{} {id}", t(lang, Key::Server)),
            Selection::Client(no) => format!("{} {}", t(lang, Key::Client), letter(*no)),
            Selection::Link(a, b) => format!("{} {a}–{b}", t(lang, Key::Link)),
            Selection::Message(_) => t(lang, Key::Message).to_owned(),
            Selection::Znode(_) => t(lang, Key::Inspector).to_owned(),
        },
        Tab::Tree => t(lang, Key::Tree).to_owned(),
        Tab::Console => t(lang, Key::Console).to_owned(),
        Tab::Act => lang.pick("Act", "操作").to_owned(),
        Tab::Why => t(lang, Key::Why).to_owned(),
        Tab::Sessions => lang.pick("Sessions", "会话").to_owned(),
        Tab::Invariants => lang.pick("Invariants", "不变式").to_owned(),
    };
    let onkeydown = {
        let (send, tab) = (send.clone(), props.tab);
        Callback::from(move |event: KeyboardEvent| {
            if let Some(to) = next_tab(&event, &TABS, tab) {
                send.dispatch(Action::Tab(to));
            }
        })
    };
    {
        // On a phone the panel is below the stage: what one asked for is brought into sight.
        let opened = (props.tab, props.selection.clone());
        let first = use_mut_ref(|| true);
        use_effect_with(opened, move |_| {
            if !first.replace(false) && platform::is_narrow() {
                platform::bring_into_sight(".side");
            }
        });
    }
    // Another tab, or another step of a lesson, is read from its top.
    let key = match (&props.tab, &props.lesson) {
        (Tab::Lesson, Some(lesson)) => lesson.get().link(),
        (tab, _) => format!("{tab:?}"),
    };
    html! {
        <aside class="side" aria-label={lang.pick("Details", "详情")}>
            <div class="tabs" role="tablist" aria-label={lang.pick("Details", "详情")} {onkeydown}>
                { for TABS.iter().map(|tab| {
                    let on = *tab == props.tab;
                    html! {
                        <button type="button" role="tab" id={format!("tab-{tab:?}")} class={classes!("tab", on.then_some("on"))}
                            aria-selected={if on { "true" } else { "false" }} aria-controls="panel"
                            tabindex={if on { "0" } else { "-1" }}
                            onclick={ask(send, Action::Tab(*tab))}>{ name(*tab) }</button>
                    }
                }) }
            </div>
            <div {key} class="pane" role="tabpanel" id="panel" tabindex="0" aria-labelledby={format!("tab-{:?}", props.tab)}>
                { pane(props) }
            </div>
        </aside>
    }
}

/// The open tab.
fn pane(props: &SideProps) -> Html {
    match (rest::get(), props.tab) {
        (Some(rest), _) => (rest.pane)(props),
        (None, Tab::Lesson) => start(&StartProps {
            run: props.run.clone(),
            kept: props.kept.clone(),
            lang: props.lang,
            send: props.send.clone(),
        }),
        (None, _) => rest::on_its_way(props.lang),
    }
}

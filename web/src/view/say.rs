//! The sentence: what happened last, and why.

use super::bits::{Send, Who, ask, said};
use crate::{
    state::{Action, Tab, run::RunHandle},
    text::{Key, Lang, Tone, sentence, t},
};
use yew::prelude::*;

/// What the sentence needs.
#[derive(Properties, PartialEq)]
pub struct SayProps {
    /// The run.
    pub run: RunHandle,
    /// The record it is about.
    pub focus: Option<usize>,
    /// Virtual time stands and nothing has happened yet.
    pub lang: Lang,
    /// To ask.
    pub send: Send,
}

/// The sentence and *Why?*.
#[component]
pub fn Say(props: &SayProps) -> Html {
    let SayProps {
        run,
        focus,
        lang,
        send,
    } = props;
    let run = run.get();
    let records = run.history().records();
    let record = focus.and_then(|index| records.get(index));
    let (text, tone) = match record {
        Some(record) => {
            let sentence = sentence(&record.source, *lang, &Who(run.world()));
            (said(&sentence), sentence.tone)
        }
        None => (opening(&run, *lang), Tone::Plain),
    };
    let class = match tone {
        Tone::Plain => "plain",
        Tone::Chosen => "chosen",
        Tone::Fault => "fault",
        Tone::Allowed => "allowed",
    };
    html! {
        <section class="say" aria-label={lang.pick("What happened", "发生了什么")}>
            <p role="status" {class}>{ super::rules::warning(run.world(), *lang) }{ text }</p>
            <button type="button" class="btn why" disabled={record.is_none()}
                onclick={ask(send, Action::Tab(Tab::Why))}>
                { t(*lang, Key::Why) }
            </button>
        </section>
    }
}

fn opening(run: &crate::state::run::Run, lang: Lang) -> Html {
    let n = run.world().setup().voters;
    match lang {
        Lang::En if n == 1 => html! { "One server, about to start: it needs no vote but its own." },
        Lang::En => html! {
            { format!("{n} servers, about to start, and none of them leads. Each will vote for itself first, then for the best it hears of.") }
        },
        Lang::Zh => html! {
            { format!("{n} 台服务器即将启动，还没有领导者。每台先投自己一票，再改投它听说的最好的那台。") }
        },
    }
}

//! Why: the rule, the values compared, where it is written, and the chain of causes back to a person.

use super::{
    bits::{Send, Who, ask, said, seconds},
    message::find,
};
use crate::{
    state::{Action, run::RunHandle},
    text::{Key, Lang, sentence, short, t, why},
};
use yew::prelude::*;

/// The chain is followed so far.
const LINKS: usize = 14;

/// What the panel needs.
pub struct WhyProps {
    /// The run.
    pub run: RunHandle,
    /// The record that is explained.
    pub focus: Option<usize>,
    /// The language.
    pub lang: Lang,
    /// To ask.
    pub send: Send,
}

/// The panel.
pub fn why_panel(props: &WhyProps) -> Html {
    let (lang, run) = (props.lang, props.run.get());
    let records = run.history().records();
    let Some(record) = props.focus.and_then(|index| records.get(index)) else {
        return html! { <p class="soft">{ lang.pick("Nothing has happened yet.", "还没有发生任何事。") }</p> };
    };
    let who = Who(run.world());
    let told = sentence(&record.source, lang, &who);
    let explained = why(&record.source, lang);
    let mut chain = Vec::new();
    let mut next = record.cause();
    while let Some(id) = next
        && chain.len() < LINKS
    {
        let Some((index, fact)) = find(&run, id) else {
            break;
        };
        let Some(cause) = records.get(index) else {
            break;
        };
        next = cause.cause();
        chain.push((index, fact, cause.at));
    }
    let ended = next.is_none();
    html! {
        <>
            <h2>{ t(lang, Key::Why) }</h2>
            <p>{ said(&told) }</p>
            <h3>{ t(lang, Key::Rule) }</h3>
            <p>{ explained.rule.clone() }</p>
            <p class="soft small">{ explained.source.text(lang) }</p>
            if !explained.values.is_empty() {
                <h3>{ t(lang, Key::Values) }</h3>
                <table class="compared"><tbody>
                    { for explained.values.iter().map(|c| html! { <>
                        <tr class={classes!(c.decides.then_some("decides"))}>
                            <th scope="row" rowspan="2">{ c.what.clone() }</th>
                            <td>{ c.left.0.clone() }</td><td class="mono">{ c.left.1.clone() }</td>
                        </tr>
                        <tr class={classes!(c.decides.then_some("decides"))}>
                            <td>{ c.right.0.clone() }</td><td class="mono">{ c.right.1.clone() }</td>
                        </tr>
                    </> }) }
                </tbody></table>
            }
            <h3>{ t(lang, Key::Causes) }</h3>
            <ol class="chain">
                { for chain.iter().map(|(index, fact, at)| {
                    let line = short(fact, lang, &who);
                    html! {
                        <li>
                            <button type="button" class="cause" onclick={ask(&props.send, Action::Tell(*index))}>
                                <span class="mono at">{ seconds(*at) }</span>
                                <span>{ said(&line) }</span>
                            </button>
                        </li>
                    }
                }) }
                if ended {
                    <li class="soft">{ lang.pick("It comes from outside: a clock, a person, or the beginning.", "原因在外部：时钟、用户的操作，或初始状态。") }</li>
                }
            </ol>
        </>
    }
}

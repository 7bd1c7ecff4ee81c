//! Why: the rule, the values compared, where it is written, and the chain of causes back to a person, a
//! fault or a timer. Above it the answer to the last *why not* or *what if*.

use super::{
    bits::{Send, Who, ask, said, seconds},
    why_not,
};
use crate::{
    state::{
        Action,
        asked::{Asked, WhyAct, causes},
        run::{Run, RunHandle},
    },
    text::{Compared, Context, Key, Lang, sentence, short, t, why, why_not_if},
};
use std::rc::Rc;
use yew::prelude::*;
use zabscope_core::{
    peer::event::EventKind,
    sim::{Fact, WorldEventKind, why_not::instead},
};

/// The chain is followed so far.
const LINKS: usize = 60;

/// What the panel needs.
pub struct WhyProps {
    /// The run.
    pub run: RunHandle,
    /// The record that is explained.
    pub focus: Option<usize>,
    /// What was asked beside it.
    pub asked: Option<Rc<Asked>>,
    /// The language.
    pub lang: Lang,
    /// To ask.
    pub send: Send,
}

/// The panel.
pub fn why_panel(props: &WhyProps) -> Html {
    let (lang, run) = (props.lang, props.run.get());
    html! {
        <>
            if let Some(asked) = &props.asked {
                { why_not::asked(&run, asked, lang, &props.send) }
            }
            { explained(&run, props.focus, lang, &props.send) }
        </>
    }
}

fn explained(run: &Run, focus: Option<usize>, lang: Lang, send: &Send) -> Html {
    let records = run.history().records();
    let told = focus.and_then(|index| Some((index, records.get(index)?)));
    let Some((index, record)) = told else {
        return html! { <p class="soft">{ lang.pick("Nothing has happened yet.", "还没有发生任何事。") }</p> };
    };
    let who = Who(run.world());
    let told = sentence(&record.source, lang, &who);
    let explained = why(&record.source, lang);
    html! {
        <>
            <h2>{ t(lang, Key::Why) }</h2>
            <p>{ said(&told) }</p>
            <h3>{ t(lang, Key::Rule) }</h3>
            <p>{ explained.rule.clone() }</p>
            <p class="soft small">{ explained.source.text(lang) }</p>
            if !explained.values.is_empty() {
                <h3>{ t(lang, Key::Values) }</h3>
                { compared(&explained.values) }
            }
            <h3>{ t(lang, Key::Causes) }</h3>
            { chain(run, index, lang, send) }
            { why_not::offers_of(run, record, lang, send) }
            { what_if(run, index, lang, &who, send) }
        </>
    }
}

/// Values one above the other.
pub fn compared(values: &[Compared]) -> Html {
    html! {
        <table class="compared"><tbody>
            { for values.iter().map(|c| html! { <>
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
}

/// A record as a button that goes there and chooses where it happened.
pub fn step(run: &Run, index: usize, lang: Lang, send: &Send) -> Html {
    let records = run.history().records();
    let Some(record) = records.get(index) else {
        return Html::default();
    };
    let line = short(&record.source, lang, &Who(run.world()));
    html! {
        <button type="button" class="cause" onclick={ask(send, Action::Why(WhyAct::Record(index)))}>
            <span class="mono at">{ seconds(record.at) }</span>
            <span>{ said(&line) }</span>
        </button>
    }
}

/// The causes of a record, and what the last of them is.
pub fn chain(run: &Run, index: usize, lang: Lang, send: &Send) -> Html {
    let records = run.history().records();
    let (found, ended) = causes(&records, index, LINKS);
    let last = found.last().copied().unwrap_or(index);
    let end = match records.get(last).map(|r| &r.source) {
        Some(fact) if ended => ending(fact, lang),
        Some(_) | None => lang.pick(
            "There are more causes: open the last one to follow them.",
            "原因还有更多：打开最后一个继续追溯。",
        ),
    };
    html! {
        <ol class="chain">
            { for found.iter().map(|index| html! { <li>{ step(run, *index, lang, send) }</li> }) }
            <li class="soft">{ end }</li>
        </ol>
    }
}

/// What stands at the end of a chain.
const fn ending(fact: &Fact, lang: Lang) -> &'static str {
    match fact {
        Fact::Peer(e) => match &e.kind {
            EventKind::TimerFired { .. } => lang.pick(
                "It ends at a timer: nothing else led to it.",
                "到此为止：这是一个定时器，没有别的原因。",
            ),
            EventKind::Started { .. } => lang.pick(
                "It ends at the beginning: the server was started.",
                "到此为止：这是开始，服务器启动了。",
            ),
            _ => lang.pick(
                "It ends at what came from outside this server.",
                "到此为止：原因在服务器之外。",
            ),
        },
        Fact::World(e) => match &e.kind {
            WorldEventKind::RequestSent { .. }
            | WorldEventKind::ClientConnecting { .. }
            | WorldEventKind::ClientGaveUp { .. } => lang.pick(
                "It ends at a client that acted by itself, or was told to.",
                "到此为止：客户端自己行动，或受命行动。",
            ),
            _ => lang.pick(
                "It ends at what a person or a schedule did.",
                "到此为止：这是用户或计划的操作。",
            ),
        },
    }
}

/// What could have been otherwise about a record.
fn what_if(run: &Run, index: usize, lang: Lang, who: &dyn Context, send: &Send) -> Html {
    let all = instead::changes(run.history(), index);
    if all.is_empty() {
        return Html::default();
    }
    html! {
        <section aria-label={lang.pick("What if", "如果")}>
            <h3>{ lang.pick("What if…?", "如果……？") }</h3>
            <p class="soft small">{ lang.pick(
                "One thing is changed in a branch of its own, which runs until one sees what comes of it.",
                "在单独的分支里只改变一件事，运行到能看出结果为止。",
            ) }</p>
            <div class="row">
                { for all.into_iter().map(|what| html! {
                    <button type="button" class="btn" onclick={ask(send, Action::Why(WhyAct::If(what)))}>
                        <span>{ said(&why_not_if::change(&what.change, lang, who)) }</span>
                    </button>
                }) }
            </div>
        </section>
    }
}

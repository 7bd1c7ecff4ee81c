//! What one client has seen, in its order, judged against ZooKeeper's five guarantees.

use super::bits::{Send, Who, ask, said, seconds};
use crate::{
    state::{Action, asked::WhyAct, run::RunHandle},
    text::{Lang, Tone, request_text, why_not_eye},
};
use yew::prelude::*;
use zabscope_core::sim::{
    ClientNo, Outcome, Seen,
    why_not::guarantees::{Guarantee, Heard, Judged, judge_on},
};

/// So many observations are shown, the newest.
const SHOWN: usize = 40;

/// What the section needs.
#[derive(Properties, PartialEq)]
pub struct ClientEyeProps {
    /// The run.
    pub run: RunHandle,
    /// Whose eyes.
    pub no: ClientNo,
    /// The language.
    pub lang: Lang,
    /// To ask.
    pub send: Send,
}

/// The section. It is judged only while it is open: that reads the run as far as it was not read before.
#[component]
pub fn ClientEye(props: &ClientEyeProps) -> Html {
    let open = use_state(|| false);
    let heard = use_mut_ref(|| (None, Heard::default()));
    let lang = props.lang;
    let toggle = {
        let open = open.clone();
        Callback::from(move |_: MouseEvent| open.set(!*open))
    };
    html! {
        <section aria-label={lang.pick("Through its eyes", "客户端视角")}>
            <button type="button" class="btn" aria-expanded={open.to_string()} onclick={toggle}>
                { lang.pick("Judge it by the five guarantees", "按五项保证评判") }
            </button>
            if *open {
                { judged(props, &mut heard.borrow_mut()) }
            }
        </section>
    }
}

/// `heard` is of one run: at each step only what is new in it is read.
fn judged(props: &ClientEyeProps, heard: &mut (Option<RunHandle>, Heard)) -> Html {
    let (lang, run) = (props.lang, props.run.get());
    if !heard
        .0
        .as_ref()
        .is_some_and(|known| known.is_of(&props.run))
    {
        *heard = (Some(props.run.clone()), Heard::default());
    }
    let all = judge_on(run.history(), props.no, &mut heard.1);
    let who = Who(run.world());
    let skip = all.len().saturating_sub(SHOWN);
    html! {
        <>
            <ul class="rules">
                { for Guarantee::ALL.iter().map(|g| guarantee(*g, &all, lang)) }
            </ul>
            if skip > 0 {
                <p class="soft small">{ match lang {
                    Lang::En => format!("{skip} earlier observations are judged, but not shown."),
                    Lang::Zh => format!("较早的 {skip} 条也已评判，但未显示。"),
                } }</p>
            }
            <ol class="eye">
                { for all.iter().skip(skip).map(|j| observation(j, lang, &who, &props.send)) }
            </ol>
        </>
    }
}

fn guarantee(g: Guarantee, all: &[Judged], lang: Lang) -> Html {
    let (name, promise) = why_not_eye::guarantee(g, lang);
    let of: Vec<_> = all
        .iter()
        .flat_map(|j| &j.verdicts)
        .filter(|v| v.of() == g)
        .collect();
    let broken = of.iter().filter(|v| v.is_broken()).count();
    let allowed = of.iter().filter(|v| v.is_surprising()).count();
    let n = of.len();
    let word = match (broken, allowed, lang) {
        (0, 0, _) if n == 0 => lang.pick("not put to the test", "尚未检验").to_owned(),
        (0, 0, Lang::En) => format!("holds, {n} times"),
        (0, 0, Lang::Zh) => format!("成立，{n} 次"),
        (0, a, Lang::En) => format!("holds; {a} of {n} surprising, but allowed"),
        (0, a, Lang::Zh) => format!("成立；{n} 次中 {a} 次出人意料，但允许"),
        (b, _, Lang::En) => format!("broken {b} times"),
        (b, _, Lang::Zh) => format!("违反 {b} 次"),
    };
    html! {
        <li class={match (broken, n) { (0, 0) => "untested", (0, _) => "holds", _ => "broken" }} data-guarantee={name}>
            <p><span class="name">{ name }</span><span class="state">{ word }</span></p>
            <p class="soft small">{ promise }</p>
        </li>
    }
}

fn observation(j: &Judged, lang: Lang, who: &Who<'_>, send: &Send) -> Html {
    let o = &j.seen;
    let what = match &o.seen {
        Seen::Answer {
            request, outcome, ..
        } => match outcome {
            Outcome::Reply { zxid, .. } => [
                request_text(request),
                " → ".to_owned(),
                super::bits::zxid(*zxid),
            ]
            .concat(),
            Outcome::ConnectionLoss | Outcome::SessionExpired => request_text(request),
        },
        Seen::Watch(event) => [
            lang.pick("watch ", "监听 ").to_owned(),
            event.path.to_string(),
            " → ".to_owned(),
            super::bits::zxid(event.zxid),
        ]
        .concat(),
        Seen::Connected { .. } => lang.pick("connected", "已连接").to_owned(),
        Seen::Disconnected => lang.pick("disconnected", "连接断开").to_owned(),
        Seen::Expired { .. } => lang.pick("session expired", "会话已过期").to_owned(),
    };
    let at = [
        seconds(o.at),
        " · ".to_owned(),
        crate::text::server(o.server, lang),
    ]
    .concat();
    html! {
        <li>
            <p class="row">
                <span class="mono">{ what }</span>
                <span class="soft small">{ at }</span>
                if let Some(event) = j.event {
                    <button type="button" class="link whence" onclick={ask(send, Action::Why(WhyAct::Event(event)))}>{ lang.pick("why", "原因") }</button>
                }
            </p>
            <ul class="verdicts">
                { for j.verdicts.iter().map(|v| {
                    let told = why_not_eye::verdict(v, lang, who);
                    let class = match told.tone {
                        Tone::Fault => "fault",
                        Tone::Allowed => "allowed",
                        Tone::Plain | Tone::Chosen => "soft",
                    };
                    let (name, _) = why_not_eye::guarantee(v.of(), lang);
                    html! { <li {class}><span class="name">{ name }</span>{ lang.pick(": ", "：") }{ said(&told) }</li> }
                }) }
            </ul>
        </li>
    }
}

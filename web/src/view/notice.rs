//! What could not be done, or was done otherwise: one line that can be dismissed.

use super::bits::{Send, ask};
use crate::{
    state::{Action, Notice},
    text::{Key, Lang, act_error, import_error, link_error, setup_error, t},
};
use std::rc::Rc;
use yew::prelude::*;

/// What the notice needs.
pub struct NoticeProps {
    /// It.
    pub notice: Rc<Notice>,
    /// The language.
    pub lang: Lang,
    /// To ask.
    pub send: Send,
}

/// The notice.
pub fn notice_bar(props: &NoticeProps) -> Html {
    let lang = props.lang;
    let (text, detail, bad) = match &*props.notice {
        Notice::Impossible(error) => (t(lang, Key::Impossible), act_error(error, lang), true),
        Notice::Setup(error) => (
            lang.pick("Such a world can't be.", "不可能有这样的世界。"),
            setup_error(error, lang),
            true,
        ),
        Notice::Unreadable(error) => (t(lang, Key::BadLink), link_error(error, lang), true),
        Notice::Import(error) => (t(lang, Key::BadLink), import_error(error, lang), true),
        Notice::NoLesson => (
            lang.pick("There is no such lesson.", "没有这节课。"),
            lang.pick(
                "The link names one that this page does not have. Lessons, above, lists all.",
                "链接里的课程不在这个页面里。上方的“课程”列出全部。",
            )
            .to_owned(),
            true,
        ),
        Notice::NoWorld => (
            lang.pick("There is no such scenario.", "没有这个场景。"),
            lang.pick(
                "The link names one that this page does not have. Scenarios, above, shows all.",
                "链接里的场景不在这个页面里。上方的“场景”列出全部。",
            )
            .to_owned(),
            true,
        ),
        Notice::Unfetched(file, why) => (
            super::gallery::unfetched(lang),
            format!("{file}: {why}"),
            true,
        ),
        Notice::Lesson(error) => (
            lang.pick("This lesson can't go on here.", "这节课无法在这里继续。"),
            error.to_string(),
            true,
        ),
        Notice::OtherVersion => (t(lang, Key::OldLink), String::new(), true),
        Notice::Copied(length) => (
            t(lang, Key::Copied),
            match lang {
                Lang::En => format!("{length} characters; it holds the branch that is shown."),
                Lang::Zh => format!("{length} 个字符；其中是当前显示的分支。"),
            },
            false,
        ),
        Notice::TextCopied => (
            lang.pick("The diagram is in the clipboard.", "时序图已复制。"),
            String::new(),
            false,
        ),
        Notice::NotSaved(why) => (
            lang.pick("The browser did not make the file.", "浏览器没有生成文件。"),
            why.to_string(),
            true,
        ),
        Notice::NotCopied => (
            lang.pick("The link is in the address bar.", "链接在地址栏里。"),
            String::new(),
            false,
        ),
        Notice::TooLong => (
            lang.pick(
                "This run is too long for a link: export it as a file.",
                "这次运行太长，无法做成链接：请导出为文件。",
            ),
            String::new(),
            true,
        ),
        Notice::Newer => (
            lang.pick("There is a newer zabscope.", "zabscope 有新版本。"),
            lang.pick(
                "Your run comes along when the page is loaded again.",
                "重新加载页面时，你的运行会一起带过去。",
            )
            .to_owned(),
            false,
        ),
        Notice::End => (t(lang, Key::AtRest), String::new(), false),
    };
    html! {
        <div class={classes!("notice", bad.then_some("bad"))} role={if bad { "alert" } else { "note" }}>
            <p>{ text }{ " " }<span class="soft">{ detail }</span></p>
            if *props.notice == Notice::Newer {
                <button type="button" class="btn" onclick={|_| crate::platform::reload()}>{ lang.pick("Load it", "加载新版本") }</button>
            }
            <button type="button" class="btn" onclick={ask(&props.send, Action::Dismiss)}>{ t(lang, Key::Close) }</button>
        </div>
    }
}

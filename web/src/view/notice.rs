//! What could not be done, or was done otherwise: one line that can be dismissed.

use super::bits::{Send, ask};
use crate::{
    link, platform,
    state::{Action, Notice, run::RunHandle},
    text::{Key, Lang, act_error, import_error, link_error, setup_error, t},
};
use std::rc::Rc;
use yew::prelude::*;

/// The notice.
pub fn notice_bar(notice: &Rc<Notice>, run: &RunHandle, lang: Lang, send: &Send) -> Html {
    let (text, detail, bad) = match &**notice {
        Notice::Incomplete => return super::rest::incomplete(lang, send),
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
            if run.get().history().cursor() <= link::MAX_STEPS {
                lang.pick(
                    "Your run comes along when the page is loaded again.",
                    "重新加载页面时，你的运行会一起带过去。",
                )
            } else {
                lang.pick(
                    "Your run is too long for a link, but this browser keeps it; export it to be sure.",
                    "你的运行太长，放不进链接，但这个浏览器会保存它；想更稳妥请先导出。",
                )
            }
            .to_owned(),
            false,
        ),
        Notice::End => (t(lang, Key::AtRest), String::new(), false),
        Notice::Missed(missed) => {
            let (title, told) = super::until::missed(missed, lang);
            (title, told, false)
        }
        Notice::Broken(failure) => {
            let (title, told) = super::until::broken(failure, lang);
            (title, told, true)
        }
        Notice::Bookmarks => (
            lang.pick("There are too many bookmarks.", "书签太多了。"),
            lang.pick("Delete one first.", "请先删除一个。").to_owned(),
            true,
        ),
    };
    html! {
        <div class={classes!("notice", bad.then_some("bad"))} role={if bad { "alert" } else { "note" }}>
            <p>{ text }{ " " }<span class="soft">{ detail }</span></p>
            if **notice == Notice::Newer {
                <button type="button" class="btn" onclick={newer(run)}>{ lang.pick("Load it", "加载新版本") }</button>
            }
            <button type="button" class="btn" onclick={ask(send, Action::Dismiss)}>{ t(lang, Key::Close) }</button>
        </div>
    }
}

/// Loads the newer page, with the run as it stands now.
fn newer(run: &RunHandle) -> Callback<MouseEvent> {
    let run = run.clone();
    Callback::from(move |_| {
        let exported = run.get().shared();
        let whole = run.get().export();
        if link::is_work(&whole) {
            platform::keep_run(&link::to_file(&whole));
        }
        if exported.steps <= link::MAX_STEPS {
            platform::keep_in_address(&link::encode(&exported));
        }
        platform::reload();
    })
}

//! The run as a file: to be opened again, to be looked at, to be put into a text.

use super::bits::{Send, Who};
use crate::{
    export, link,
    platform::{self, Picture},
    state::{Action, Notice, run::RunHandle},
    text::Lang,
};
use yew::prelude::*;

/// What can be made of a run.
#[derive(Clone, Copy)]
enum Kind {
    Json,
    Svg,
    Png,
    Diagram,
    Copy,
}

/// The dialog's content.
pub fn save(run: &RunHandle, lang: Lang, send: &Send) -> Html {
    let row = |kind: Kind, name: &'static str, what: &'static str| {
        let (run, send) = (run.clone(), send.clone());
        let onclick = Callback::from(move |_: MouseEvent| make(kind, &run, lang, &send));
        html! {
            <li><button type="button" class="btn" {onclick}>{ name }</button><span>{ what }</span></li>
        }
    };
    html! {
        <>
            <p>{ lang.pick(
                "Each of these holds the run itself: Import opens it again, exactly as it is. Pictures and diagrams hold the branch that is shown, the first file holds all.",
                "下面每一种都带着这次运行本身：用“导入”可以原样打开。图片和时序图包含当前显示的分支，第一种文件包含全部。",
            ) }</p>
            <ul class="saves">
                { row(Kind::Json, lang.pick("Run (JSON)", "运行（JSON）"),
                    lang.pick("all branches with their names, and the bookmarks", "所有分支及其名称，以及书签")) }
                { row(Kind::Svg, lang.pick("Picture (SVG)", "图片（SVG）"),
                    lang.pick("the stage as it stands, sharp at any size", "此刻的舞台，任意放大都清晰")) }
                { row(Kind::Png, lang.pick("Picture (PNG)", "图片（PNG）"),
                    lang.pick("the same, for slides and chats", "同一画面，适合幻灯片和聊天")) }
                { row(Kind::Diagram, lang.pick("Sequence diagram", "时序图"),
                    lang.pick("text in mermaid\u{2019}s language, up to this moment", "mermaid 文本，直到此刻")) }
                { row(Kind::Copy, lang.pick("Copy the diagram", "复制时序图"),
                    lang.pick("for a README or an issue", "用于 README 或 issue")) }
            </ul>
        </>
    }
}

fn make(kind: Kind, run: &RunHandle, lang: Lang, send: &Send) {
    let exported = run.get().shared();
    let diagram = || {
        let run = run.get();
        let records = run.history().records();
        let newest = records.last(export::MAX_LINES * 8);
        let mark = export::mark(&exported);
        export::mermaid(&newest, mark.as_deref(), lang, &Who(run.world()))
    };
    let saved = |saved: Result<(), wasm_bindgen::JsValue>, send: &Send| {
        if let Err(error) = saved {
            let why = platform::words(&error);
            send.dispatch(Action::Notify(Notice::NotSaved(why)));
        }
    };
    match kind {
        Kind::Json => {
            let text = link::to_file(&run.get().export());
            saved(
                platform::save("zabscope-run.json", "application/json", text.as_bytes()),
                send,
            );
        }
        Kind::Diagram => {
            let text = diagram();
            saved(
                platform::save("zabscope-run.mmd", "text/plain", text.as_bytes()),
                send,
            );
        }
        Kind::Copy => {
            let (text, send) = (diagram(), send.clone());
            yew::platform::spawn_local(async move {
                let done = platform::copy(&text).await;
                send.dispatch(Action::Dialog(None));
                send.dispatch(Action::Notify(if done {
                    Notice::TextCopied
                } else {
                    Notice::NotSaved("the clipboard is not open to this page".into())
                }));
            });
        }
        Kind::Svg | Kind::Png => {
            let (mark, send) = (export::mark(&exported), send.clone());
            yew::platform::spawn_local(async move {
                let done = async {
                    let picture = Picture::of_stage(mark.as_deref()).await?;
                    if matches!(kind, Kind::Svg) {
                        return platform::save(
                            "zabscope.svg",
                            "image/svg+xml",
                            picture.svg.as_bytes(),
                        );
                    }
                    let png = picture.png().await?;
                    let png = match &mark {
                        Some(mark) => export::png_with(png, export::state(mark)),
                        None => png,
                    };
                    platform::save("zabscope.png", "image/png", &png)
                };
                saved(done.await, &send);
            });
        }
    }
}

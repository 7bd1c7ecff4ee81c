//! What one sees, and what one can try: the first tab while no lesson is open.

use super::{
    bits::{Send, ask, leader},
    rest,
};
use crate::{
    platform,
    state::{Action, Tab, run::RunHandle, title_in},
    text::{Key, Lang, t},
};
use std::rc::Rc;
use yew::prelude::*;
use zabscope_core::sim;

/// What the tab needs.
pub struct StartProps {
    /// The run.
    pub run: RunHandle,
    /// The run of an earlier visit.
    pub kept: Option<Rc<str>>,
    /// The language.
    pub lang: Lang,
    /// To ask.
    pub send: Send,
}

/// The tab.
pub fn start(props: &StartProps) -> Html {
    let (lang, send) = (props.lang, &props.send);
    let run = props.run.get();
    let lead = leader(run.world());
    let to_recipe = {
        let send = send.clone();
        Callback::from(move |_: MouseEvent| {
            send.dispatch(Action::Tab(Tab::Act));
            // It stands at the end of what one can do.
            platform::bring_into_sight(".recipe");
        })
    };
    html! {
        <>
            <h2>{ lang.pick("See ZooKeeper work", "看 ZooKeeper 如何工作") }</h2>
            <p>{ lang.pick(
                "This is an ensemble of ZooKeeper servers, running in your page: the real protocol, in virtual time. Nothing here is a film. You can stop it, go back, break it, and ask why.",
                "这是一个在网页里运行的 ZooKeeper 集群：真实的协议，虚拟的时间。这不是影片：你可以停下它、倒回去、弄坏它，并追问为什么。",
            ) }</p>
            if let Some(title) = &run.title {
                <p>{ lang.pick("Open now: ", "现在打开的是：") }<b>{ title_in(title, lang) }</b></p>
            }
            if let Some(kept) = &props.kept {
                <section>
                    <p>{ lang.pick("The run of your last visit is kept in this browser.", "你上次的运行保存在这个浏览器里。") }</p>
                    <div class="row">
                        <button type="button" class="btn" onclick={go_on(kept, send)}>{ lang.pick("Go on with it", "接着上次") }</button>
                        <button type="button" class="btn" onclick={forget(kept, send)}>{ lang.pick("Delete it", "删除") }</button>
                    </div>
                </section>
            }
            <h3>{ lang.pick("What you see", "你看到的是") }</h3>
            <ul class="legend-list">
                <li><span class="glyph looking" aria-hidden="true"></span>{ lang.pick("looking for a leader", "正在寻找领导者") }</li>
                <li><span class="glyph leading" aria-hidden="true"></span>{ lang.pick("leads: the one with the crown", "领导者：戴王冠的那台") }</li>
                <li><span class="glyph following" aria-hidden="true"></span>{ lang.pick("follows; its colour is its epoch", "跟随者；颜色表示纪元") }</li>
                <li><span class="glyph down" aria-hidden="true"></span>{ lang.pick("down", "已停机") }</li>
                <li><span class="plate hue-3" aria-hidden="true"><b>{ "e3" }</b><i>{ "07" }</i></span>{ lang.pick("a zxid: epoch 3, transaction 7", "zxid：纪元 3，第 7 个事务") }</li>
            </ul>
            <h3>{ lang.pick("Try", "试一试") }</h3>
            <ol class="tries">
                <li>{ lang.pick("Let a leader be elected: Play, or Step through it vote by vote.", "让它们选出领导者：播放，或单步查看每一张选票。") }</li>
                <li>
                    <span>{ lang.pick("Crash the leader, and watch the others recover.", "让领导者崩溃，看其他服务器如何恢复。") }</span>
                    <button type="button" class="btn" disabled={lead.is_none()}
                        onclick={lead.map(|server| ask(send, Action::Act(sim::Action::Crash { server, lose_unsynced: false })))}>
                        { lang.pick("Crash the leader", "让领导者崩溃") }
                    </button>
                </li>
                <li>
                    <span>{ lang.pick("Make a follower answer with the past.", "让跟随者用过去的数据作答。") }</span>
                    <button type="button" class="btn" onclick={to_recipe}>
                        { lang.pick("A stale read", "陈旧读") }
                    </button>
                </li>
                <li>{ lang.pick("Go back and do something else: the old future is kept as a branch.", "倒回去，换一种做法：原来的未来会作为分支保留。") }</li>
                <li>
                    <span>{ lang.pick("Whatever happens, ask", "无论发生什么，都可以问") }</span>
                    <button type="button" class="btn" onclick={ask(send, Action::Tab(Tab::Why))}>{ t(lang, Key::Why) }</button>
                </li>
            </ol>
        </>
    }
}

fn go_on(kept: &Rc<str>, send: &Send) -> Callback<MouseEvent> {
    let (kept, send) = (Rc::clone(kept), send.clone());
    Callback::from(move |_| {
        send.dispatch(Action::Forget);
        let (kept, to) = (Rc::clone(&kept), send.clone());
        rest::with(move |rest| (rest.go_on)(&kept, &to));
    })
}

fn forget(kept: &Rc<str>, send: &Send) -> Callback<MouseEvent> {
    let (kept, send) = (Rc::clone(kept), send.clone());
    Callback::from(move |_| {
        // What one does now may be kept in its place by now.
        platform::forget_run(&kept);
        send.dispatch(Action::Forget);
    })
}

//! The rules of the protocol, each with a switch; and how a world shows that some are off.

use super::bits::{Send, ask};
use crate::{
    state::Action,
    text::{Lang, rule, rule_sentence, rules_off, violation},
};
use yew::prelude::*;
use zabscope_core::{
    rules::{Rule, Rules},
    sim::{self, World},
};

fn set(rules: Rules) -> Action {
    Action::Act(sim::Action::SetRules { rules })
}

/// The switches.
pub fn rules(world: &World, lang: Lang, send: &Send) -> Html {
    let now = world.rules();
    html! {
        <section>
            <h3>{ lang.pick("Rules", "规则") }</h3>
            <p class="soft">{ lang.pick(
                "Switch one off from this moment on, and see what it is for. The links and files of this run say so.",
                "从此刻起关闭一条，看看它有什么用。这次运行的链接和文件都会注明。",
            ) }</p>
            <ul class="rules">
                { for Rule::ALL.into_iter().map(|r| {
                    let holds = now.has(r);
                    html! {
                        <li class={(!holds).then_some("off")}>
                            <label>
                                <input type="checkbox" role="switch" checked={holds} aria-describedby={format!("rule-{}", r.name())}
                                    onchange={ask(send, set(now.with(r, !holds)))} />
                                <b>{ rule(r, lang) }</b>
                                if !holds { <span class="fault">{ lang.pick("off", "已关闭") }</span> }
                            </label>
                            <p class="soft" id={format!("rule-{}", r.name())}>
                                { rule_sentence(r, lang) }{ " " }<cite>{ violation::source(r.source(), lang) }</cite>
                            </p>
                        </li>
                    }
                }) }
            </ul>
            if !now.all_hold() {
                <div class="row">
                    <button type="button" class="btn" onclick={ask(send, set(Rules::ALL))}>{ lang.pick("All rules on", "启用所有规则") }</button>
                </div>
            }
        </section>
    }
}

/// Over the stage: that this is not ZooKeeper.
pub fn banner(world: &World, lang: Lang) -> Html {
    let rules = world.rules();
    if rules.all_hold() {
        return Html::default();
    }
    html! {
        <p class="broken" role="note">
            <b>{ lang.pick("Broken on purpose", "故意破坏") }</b>
            <span>{ lang.pick("Not what ZooKeeper does. Off: ", "这不是 ZooKeeper 的行为。已关闭：") }{ rules_off(rules, lang) }</span>
        </p>
    }
}

/// Before the sentence.
pub fn warning(world: &World, lang: Lang) -> Html {
    if world.rules().all_hold() {
        return Html::default();
    }
    html! { <span class="broken-word">{ lang.pick("Rules are off: ", "规则已关闭：") }</span> }
}

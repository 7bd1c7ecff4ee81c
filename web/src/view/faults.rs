//! Faults that come by themselves: one that repeats, and random ones from a seed.

use super::bits::{Send, ask, chosen, span, typed};
use crate::{
    platform,
    state::{Action, run::RunHandle},
    text::Lang,
};
use yew::prelude::*;
use zabscope_core::{
    id::ServerId,
    sim::{
        self, FaultKind, Random, Repeat, Schedule,
        schedule::{MAX_EVERY, MAX_REPEATS, MIN_EVERY},
    },
    time::Span,
};

/// What the section needs.
#[derive(Properties, PartialEq)]
pub struct FaultsProps {
    /// The run.
    pub run: RunHandle,
    /// The language.
    pub lang: Lang,
    /// To ask.
    pub send: Send,
}

/// What is being put together, as it stands in the fields.
#[derive(Clone, PartialEq)]
struct Draft {
    kind: usize,
    server: i64,
    every: String,
    lasts: String,
    random_every: String,
    seed: String,
    crashes: bool,
}

/// Faults that repeat.
const KINDS: [FaultKind; 4] = [
    FaultKind::Crash,
    FaultKind::Cut,
    FaultKind::Pause,
    FaultKind::SlowDisk,
];
/// All that the protocol must survive: the first seven of [`FaultKind::ALL`].
const ALL: u16 = 0b111_1111;

fn name(kind: FaultKind, lang: Lang) -> &'static str {
    let (en, zh) = match kind {
        FaultKind::Cut => ("Cut off", "隔离"),
        FaultKind::Pause => ("Pause", "暂停"),
        FaultKind::SlowDisk => ("Slow disk", "慢磁盘"),
        FaultKind::Crash
        | FaultKind::Partition
        | FaultKind::SlowLink
        | FaultKind::Client
        | FaultKind::LoseDisk
        | FaultKind::Reconfig => ("Crash", "崩溃"),
    };
    lang.pick(en, zh)
}

/// Milliseconds, as somebody typed them.
fn millis(text: &str) -> Option<Span> {
    let ms = text.trim().parse::<u64>().ok()?;
    (ms <= MAX_EVERY.as_millis()).then(|| Span::millis(ms))
}

fn told(repeat: &Repeat, lang: Lang) -> String {
    let what = name(repeat.fault, lang);
    let (every, lasts) = (span(repeat.every), span(repeat.lasts));
    match (repeat.server, lang) {
        (None, Lang::En) => format!("{what}: the leader, every {every} for {lasts}"),
        (Some(id), Lang::En) => format!("{what}: server {id}, every {every} for {lasts}"),
        (None, Lang::Zh) => format!("{what}：领导者，每 {every} 一次，持续 {lasts}"),
        (Some(id), Lang::Zh) => format!("{what}：服务器 {id}，每 {every} 一次，持续 {lasts}"),
    }
}

/// The section.
#[component]
pub fn Faults(props: &FaultsProps) -> Html {
    let (lang, send) = (props.lang, &props.send);
    let draft = use_state(|| Draft {
        kind: 0,
        server: 0,
        every: "5000".to_owned(),
        lasts: "2000".to_owned(),
        random_every: "3000".to_owned(),
        seed: platform::fresh_seed().to_string(),
        crashes: false,
    });
    let run = props.run.get();
    let schedule = run.world().schedule();
    let set = |schedule: Schedule| {
        ask::<MouseEvent>(send, Action::Act(sim::Action::SetFaults { schedule }))
    };
    // One handler for all fields: what is in a field, and where it goes.
    let field = |text: fn(&mut Draft) -> &mut String| {
        let draft = draft.clone();
        Callback::from(move |event: InputEvent| {
            let mut next = (*draft).clone();
            *text(&mut next) = typed(&event);
            draft.set(next);
        })
    };
    let choice = |put: fn(&mut Draft, i64)| {
        let draft = draft.clone();
        Callback::from(move |event: Event| {
            let mut next = (*draft).clone();
            put(&mut next, chosen(&event).parse().unwrap_or(0));
            draft.set(next);
        })
    };
    let repeat = millis(&draft.every)
        .zip(millis(&draft.lasts))
        .filter(|(every, lasts)| *every >= MIN_EVERY && lasts < every)
        .map(|(every, lasts)| Repeat {
            fault: KINDS[draft.kind % KINDS.len()],
            server: (draft.server > 0).then_some(ServerId(draft.server)),
            every,
            lasts,
        });
    let random = millis(&draft.random_every)
        .filter(|every| *every >= MIN_EVERY)
        .zip(draft.seed.trim().parse().ok())
        .map(|(every, seed)| Random {
            kinds: if draft.crashes { 1 } else { ALL },
            every,
            seed,
        });
    let room = schedule.repeat.len() < MAX_REPEATS;
    let with_repeat = repeat.filter(|_| room).map(|repeat| {
        let mut next = schedule.clone();
        next.repeat.push(repeat);
        set(next)
    });
    let with_random = random.map(|random| {
        set(Schedule {
            random: Some(random),
            ..schedule.clone()
        })
    });
    let number = |label: &'static str, value: &str, oninput: Callback<InputEvent>| {
        html! {
            <label class="field">
                <span class="name">{ label }</span>
                <input class="millis mono" inputmode="numeric" value={value.to_owned()} {oninput} />
            </label>
        }
    };
    html! {
        <section>
            <h3>{ lang.pick("Faults by themselves", "自行产生的故障") }</h3>
            if !schedule.is_empty() {
                <ul class="things">
                    { for schedule.repeat.iter().enumerate().map(|(at, repeat)| {
                        let mut without = schedule.clone();
                        without.repeat.remove(at);
                        let what = told(repeat, lang);
                        html! {
                            <li>
                                <span class="fault">{ what.clone() }</span>
                                <button type="button" class="btn" aria-label={format!("{} {what}", lang.pick("Stop", "停止"))}
                                    onclick={set(without)}>{ lang.pick("Stop", "停止") }</button>
                            </li>
                        }
                    }) }
                    if let Some(random) = &schedule.random {
                        <li>
                            <span class="fault">{ match lang {
                                Lang::En => format!("Random faults, about every {}, seed {}", span(random.every), random.seed),
                                Lang::Zh => format!("随机故障，大约每 {} 一次，种子 {}", span(random.every), random.seed),
                            } }</span>
                            <button type="button" class="btn" aria-label={lang.pick("Stop random faults", "停止随机故障")}
                                onclick={set(Schedule { random: None, ..schedule.clone() })}>{ lang.pick("Stop", "停止") }</button>
                        </li>
                    }
                </ul>
            }
            <div class="row" role="group" aria-label={lang.pick("A fault that repeats", "重复的故障")}>
                <label class="field">
                    <span class="name">{ lang.pick("Fault", "故障") }</span>
                    <select onchange={choice(|d, n| d.kind = usize::try_from(n).unwrap_or(0))}>
                        { for KINDS.into_iter().enumerate().map(|(at, kind)| html! {
                            <option value={at.to_string()} selected={at == draft.kind}>{ name(kind, lang) }</option>
                        }) }
                    </select>
                </label>
                <label class="field">
                    <span class="name">{ lang.pick("Whom", "对象") }</span>
                    <select onchange={choice(|d, n| d.server = n)}>
                        <option value="0" selected={draft.server == 0}>{ lang.pick("the leader", "领导者") }</option>
                        { for run.world().servers().map(|s| html! {
                            <option value={s.id.to_string()} selected={draft.server == s.id.0}>{ crate::text::server(s.id, lang) }</option>
                        }) }
                    </select>
                </label>
                { number(lang.pick("Every, ms", "每隔（毫秒）"), &draft.every, field(|d| &mut d.every)) }
                { number(lang.pick("For, ms", "持续（毫秒）"), &draft.lasts, field(|d| &mut d.lasts)) }
                <button type="button" class="btn" disabled={with_repeat.is_none()} onclick={with_repeat}>{ lang.pick("Repeat it", "重复它") }</button>
            </div>
            <div class="row" role="group" aria-label={lang.pick("Random faults", "随机故障")}>
                { number(lang.pick("About every, ms", "大约每隔（毫秒）"), &draft.random_every, field(|d| &mut d.random_every)) }
                { number(lang.pick("Seed", "种子"), &draft.seed, field(|d| &mut d.seed)) }
                <label class="field">
                    <span class="name">{ lang.pick("Which", "种类") }</span>
                    <select onchange={choice(|d, n| d.crashes = n == 1)}>
                        <option value="0" selected={!draft.crashes}>{ lang.pick("all kinds", "所有种类") }</option>
                        <option value="1" selected={draft.crashes}>{ lang.pick("crashes only", "只有崩溃") }</option>
                    </select>
                </label>
                <button type="button" class="btn" disabled={with_random.is_none()} onclick={with_random}>{ lang.pick("Random faults on", "开启随机故障") }</button>
            </div>
            if is_wrong(&draft, room) {
                <p class="soft">{ lang.pick(
                    "A fault must end before it comes again: from 50 to 600000 ms, at most eight of them.",
                    "故障必须在再次出现之前结束：50 到 600000 毫秒，最多八个。",
                ) }</p>
            }
        </section>
    }
}

/// Whether what stands in the fields can't be kept.
fn is_wrong(draft: &Draft, room: bool) -> bool {
    match millis(&draft.every).zip(millis(&draft.lasts)) {
        Some((every, lasts)) => every < MIN_EVERY || lasts >= every || !room,
        None => true,
    }
}

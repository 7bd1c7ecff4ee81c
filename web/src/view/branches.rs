//! Branches as a small tree, bookmarks, and two branches side by side.

use super::{
    bits::{Send, Who, ask, called, chosen, epoch, said, seconds, typed, zxid},
    both::Both,
};
use crate::{
    platform,
    state::{
        Action, Dialog, Selection,
        bookmark::NAME,
        compare::{Comparison, compare},
        run::RunHandle,
        until::TimeAct,
    },
    text::{Key, Lang, server, short, t},
};
use std::rc::Rc;
use yew::prelude::*;
use zabscope_core::sim::{Branch, BranchNo};

/// What the panel needs.
#[derive(Properties, PartialEq)]
pub struct BranchesProps {
    /// The run.
    pub run: RunHandle,
    /// What is chosen.
    pub selection: Selection,
    /// Whether time passes.
    pub moves: bool,
    /// The language.
    pub lang: Lang,
    /// To ask.
    pub send: Send,
}

/// What is being renamed.
#[derive(Clone, Copy, PartialEq)]
enum Naming {
    Nothing,
    Branch(BranchNo),
    Bookmark(u32),
}

impl Naming {
    /// What begins it.
    fn button(self) -> String {
        match self {
            Naming::Nothing => String::new(),
            Naming::Branch(no) => format!("[data-rename=\"branch {}\"]", no.0),
            Naming::Bookmark(no) => format!("[data-rename=\"bookmark {no}\"]"),
        }
    }
}

/// A branch's name: its own, or what it is called as long as nobody has given it one.
pub fn branch_name(no: BranchNo, name: &str, lang: Lang) -> String {
    let number = (no.0 + 1).to_string();
    let own = match no.0 {
        0 => name != "main",
        _ => name.strip_prefix("branch ") != Some(&number),
    };
    match (own, lang, no.0) {
        (true, ..) | (_, Lang::En, _) => name.to_owned(),
        (false, Lang::Zh, 0) => t(lang, Key::MainBranch).to_owned(),
        (false, Lang::Zh, _) => [t(lang, Key::Branch), " ", &number].concat(),
    }
}

/// The branches with their depth, each below the one that it left, in the order in which they began.
fn tree(branches: &[Branch]) -> Vec<(usize, &Branch)> {
    let mut out = Vec::new();
    let mut open: Vec<(usize, &Branch)> = branches
        .iter()
        .filter(|b| b.parent.is_none())
        .map(|b| (0, b))
        .collect();
    while let Some((depth, branch)) = open.pop() {
        out.push((depth, branch));
        let below = branches
            .iter()
            .rev()
            .filter(|b| b.parent == Some(branch.no));
        open.extend(below.map(|b| (depth + 1, b)));
    }
    out
}

/// What a field for a name needs.
#[derive(Properties, PartialEq)]
struct NameProps {
    label: &'static str,
    draft: UseStateHandle<String>,
    done: Callback<SubmitEvent>,
    /// The name stays what it is.
    leave: Callback<()>,
    lang: Lang,
}

/// A field for a name, with its button.
#[component]
fn NameField(props: &NameProps) -> Html {
    let field = use_node_ref();
    {
        let field = field.clone();
        use_effect_with((), move |()| {
            if let Some(field) = field.cast::<web_sys::HtmlInputElement>() {
                let _ = field.focus();
                field.select();
            }
        });
    }
    let oninput = {
        let draft = props.draft.clone();
        Callback::from(move |event: InputEvent| draft.set(typed(&event)))
    };
    let leave = props.leave.clone();
    let onkeydown = Callback::from(move |event: KeyboardEvent| {
        if event.key() == "Escape" {
            event.prevent_default();
            leave.emit(());
        }
    });
    html! {
        <form class="row" onsubmit={props.done.clone()}>
            <input type="text" ref={field} value={(*props.draft).clone()} {oninput} {onkeydown} maxlength={NAME.to_string()} autocomplete="off" aria-label={props.label} />
            <button type="submit" class="btn small">{ t(props.lang, Key::Apply) }</button>
        </form>
    }
}

/// The panel.
#[component]
pub fn Branches(props: &BranchesProps) -> Html {
    let (lang, send) = (props.lang, &props.send);
    let naming = use_state(|| Naming::Nothing);
    let draft = use_state(String::new);
    let pair = use_state(|| None::<(BranchNo, BranchNo)>);
    let run = props.run.get();
    let (branches, here) = (run.history().branches(), run.history().branch());
    let begin = |what: Naming, name: String| {
        let (naming, draft) = (naming.clone(), draft.clone());
        Callback::from(move |_: MouseEvent| {
            naming.set(what);
            draft.set(name.clone());
        })
    };
    let done = {
        let (naming, draft, send) = (naming.clone(), draft.clone(), send.clone());
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            let name: Rc<str> = Rc::from(draft.as_str());
            match *naming {
                Naming::Nothing => {}
                Naming::Branch(no) => send.dispatch(Action::Time(TimeAct::NameBranch(no, name))),
                Naming::Bookmark(no) => {
                    send.dispatch(Action::Time(TimeAct::NameBookmark(no, name)));
                }
            }
            // Back to where one came from.
            platform::focus(naming.button());
            naming.set(Naming::Nothing);
        })
    };
    let leave = {
        let naming = naming.clone();
        Callback::from(move |()| {
            platform::focus(naming.button());
            naming.set(Naming::Nothing);
        })
    };
    let forget = |no: u32| {
        let send = send.clone();
        Callback::from(move |_: MouseEvent| {
            send.dispatch(Action::Time(TimeAct::Forget(no)));
            platform::focus(".keep-moment".to_owned());
        })
    };
    let rename = lang.pick("Rename", "改名");
    let label = |what: &str, name: &str| [what, lang.pick(" ", ""), name].concat();
    let name_of = |no: BranchNo| {
        let branch = branches.iter().find(|b| b.no == no);
        branch.map_or(String::new(), |b| branch_name(b.no, &b.name, lang))
    };
    let choose = |first: bool| {
        let (pair, other) = (pair.clone(), pair.unwrap_or((BranchNo(0), here)));
        Callback::from(move |event: Event| {
            if let Ok(no) = chosen(&event).parse() {
                let no = BranchNo(no);
                pair.set(Some(if first { (no, other.1) } else { (other.0, no) }));
            }
        })
    };
    let options = |now: BranchNo| -> Html {
        branches
            .iter()
            .map(|b| html! {
                <option value={b.no.0.to_string()} selected={b.no == now}>{ branch_name(b.no, &b.name, lang) }</option>
            })
            .collect()
    };
    let (one, two) = pair.unwrap_or((
        if here.0 == 0 {
            BranchNo(branches.len().saturating_sub(1) as u16)
        } else {
            BranchNo(0)
        },
        here,
    ));
    let open = {
        let pair = pair.clone();
        Callback::from(move |_: MouseEvent| pair.set(Some((one, two))))
    };
    // Both branches are played to their ends for it: not at each step while time passes.
    let known = use_mut_ref(|| (None, None, None));
    let found = {
        let length = |no| run.history().records_of(no).map_or(0, |all| all.len());
        let lengths = pair.map(|(a, b)| [length(a), length(b)]);
        let mut known = known.borrow_mut();
        if known.0 != *pair || (known.1 != lengths && !props.moves) {
            let found = pair.and_then(|(a, b)| compare(&run, a, b));
            *known = (*pair, lengths, found);
        }
        known.2.clone()
    };
    html! {
        <div class="moments" tabindex="0" role="region" aria-label={lang.pick("Branches and bookmarks", "分支与书签")}>
            <section>
                <h3>{ t(lang, Key::Branches) }</h3>
                <ul class="branch-tree">
                    { for tree(&branches).into_iter().map(|(depth, b)| {
                        let name = branch_name(b.no, &b.name, lang);
                        html! {
                            <li key={b.no.0} style={format!("--depth:{depth}")}>
                                if *naming == Naming::Branch(b.no) {
                                    <NameField label={t(lang, Key::Branch)} draft={draft.clone()} done={done.clone()} leave={leave.clone()} {lang} />
                                } else {
                                    <button type="button" class={classes!("entry", (b.no == here).then_some("on"))}
                                        aria-current={(b.no == here).then_some("true")}
                                        onclick={ask(send, Action::Switch(b.no))}>{ &name }</button>
                                    <span class="mono soft small">{ [b.forked_at.to_string(), " – ".to_owned(), b.end.to_string()].concat() }</span>
                                    <button type="button" class="link small" data-rename={format!("branch {}", b.no.0)} aria-label={label(rename, &name)}
                                        onclick={begin(Naming::Branch(b.no), name.clone())}>{ rename }</button>
                                }
                            </li>
                        }
                    }) }
                </ul>
                if branches.len() < 2 {
                    <p class="soft small">{ lang.pick("Go back in time and do something else there: the old future is kept, and a branch begins.", "回到过去并做别的事：原来的未来会保留，并开始一条分支。") }</p>
                } else {
                    <div class="row compare-row">
                        <select onchange={choose(true)} aria-label={lang.pick("Compare", "比较")}>{ options(one) }</select>
                        <select onchange={choose(false)} aria-label={lang.pick("with", "与")}>{ options(two) }</select>
                        <button type="button" class="btn small" disabled={one == two} onclick={open}>{ lang.pick("Compare", "比较") }</button>
                    </div>
                }
            </section>
            <section>
                <h3>{ lang.pick("Bookmarks", "书签") }</h3>
                <ul class="bookmarks">
                    { for run.bookmarks().iter().map(|b| {
                        let at = seconds(b.at);
                        let name = called(b);
                        html! {
                            <li key={b.no}>
                                if *naming == Naming::Bookmark(b.no) {
                                    <NameField label={lang.pick("Bookmark", "书签")} draft={draft.clone()} done={done.clone()} leave={leave.clone()} {lang} />
                                } else {
                                    <button type="button" class="entry" onclick={ask(send, Action::Time(TimeAct::Visit(b.no)))}>{ &name }</button>
                                    <span class="mono soft small">{ at }{ if b.spot.0 == here { String::new() } else { [" · ", &name_of(b.spot.0)].concat() } }</span>
                                    <button type="button" class="link small" data-rename={format!("bookmark {}", b.no)} aria-label={label(rename, &name)}
                                        onclick={begin(Naming::Bookmark(b.no), b.name.clone())}>{ rename }</button>
                                    <button type="button" class="link small" aria-label={label(t(lang, Key::Delete), &name)}
                                        onclick={forget(b.no)}>{ t(lang, Key::Delete) }</button>
                                }
                            </li>
                        }
                    }) }
                </ul>
                <div class="row">
                    <button type="button" class="btn small keep-moment" onclick={ask(send, Action::Time(TimeAct::Bookmark("".into())))}>{ t(lang, Key::KeyBookmark) }</button>
                    <button type="button" class="btn small" onclick={ask(send, Action::Dialog(Some(Dialog::Until)))}>{ lang.pick("Until…", "直到…") }</button>
                </div>
            </section>
            if let (Some((a, b)), Some(found)) = (*pair, &found) {
                { compared(found, [name_of(a), name_of(b)], props) }
            }
        </div>
    }
}

/// Two branches side by side.
fn compared(found: &Comparison, names: [String; 2], props: &BranchesProps) -> Html {
    let (lang, send) = (props.lang, &props.send);
    let run = props.run.get();
    let who = Who(run.world());
    let row = |name: &'static str, values: [String; 2]| {
        let differs = values[0] != values[1];
        html! {
            <tr class={classes!(differs.then_some("differs"))}>
                <th scope="row">{ name }</th>
                { for values.into_iter().map(|v| html! { <td class="mono">{ v }</td> }) }
            </tr>
        }
    };
    let sides = found.sides.each_ref();
    let shared = found.shared;
    html! {
        <section class="side-by-side" aria-label={lang.pick("Side by side", "并排比较")}>
            <h3>{ lang.pick("Side by side", "并排比较") }</h3>
            <p class="soft small">{ match lang {
                Lang::En => format!("The same up to step {shared}."),
                Lang::Zh => format!("到第 {shared} 步为止相同。"),
            } }</p>
            <table class="beside">
                <thead><tr><td></td>{ for sides.iter().zip(names).map(|(s, n)| html! {
                    <th scope="col"><button type="button" class="link" onclick={ask(send, Action::Switch(s.branch))}>{ n }</button></th>
                }) }</tr></thead>
                <tbody>
                    <tr>
                        <th scope="row">{ lang.pick("at this moment", "在这一刻") }</th>
                        <Both run={props.run.clone()} pair={(found.sides[0].branch, found.sides[1].branch)}
                            selection={props.selection.clone()} moves={props.moves} {lang} />
                    </tr>
                    <tr class="differs">
                        <th scope="row">{ lang.pick("first difference", "首个不同") }</th>
                        { for sides.iter().map(|s| html! {
                            <td>{ match &s.first {
                                Some(record) => html! { <>
                                    <span class="mono soft small">{ seconds(record.at) }{ " " }</span>
                                    { said(&short(&record.source, lang, &who)) }
                                </> },
                                None => lang.pick("it ends here", "到此为止").into(),
                            } }</td>
                        }) }
                    </tr>
                    { row(lang.pick("leader", "领导者"), sides.map(|s| s.leader.map_or("–".to_owned(), |id| server(id, lang)))) }
                    { row(t(lang, Key::Epoch), sides.map(|s| epoch(s.epoch))) }
                    { row(lang.pick("last committed", "最后提交"), sides.map(|s| zxid(s.committed))) }
                    { row(lang.pick("servers up", "运行中的服务器"), sides.map(|s| [s.up.to_string(), " / ".to_owned(), s.servers.to_string()].concat())) }
                    { row(lang.pick("ends", "结束于"), sides.map(|s| [seconds(s.at), " · ".to_owned(), s.end.to_string()].concat())) }
                    { for found.tree.iter().map(|d| html! {
                        <tr class="differs">
                            <th scope="row" class="mono">{ d.path.to_string() }</th>
                            { for d.data.iter().map(|data| match data {
                                Some(data) => html! { <td class="mono">{ format!("“{data}”") }</td> },
                                None => html! { <td class="soft">{ lang.pick("not there", "没有") }</td> },
                            }) }
                        </tr>
                    }) }
                </tbody>
            </table>
            <p class="soft small">{ match (found.differences, found.differences - found.tree.len(), lang) {
                (0, _, _) => lang.pick("The trees are the same.", "两棵树相同。").to_owned(),
                (_, 0, _) => String::new(),
                (_, more, Lang::En) => format!("{more} more znodes differ."),
                (_, more, Lang::Zh) => format!("另有 {more} 个节点不同。"),
            } }</p>
        </section>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn branch(no: u16, parent: Option<u16>) -> Branch {
        Branch {
            no: BranchNo(no),
            name: format!("branch {}", no + 1),
            parent: parent.map(BranchNo),
            forked_at: 0,
            end: 0,
        }
    }

    #[test]
    fn a_branch_stands_below_the_one_that_it_left() {
        let all = [
            branch(0, None),
            branch(1, Some(0)),
            branch(2, Some(0)),
            branch(3, Some(1)),
            branch(4, Some(3)),
        ];
        let shown: Vec<(usize, u16)> = tree(&all).iter().map(|(d, b)| (*d, b.no.0)).collect();
        assert_eq!(shown, [(0, 0), (1, 1), (2, 3), (3, 4), (1, 2)]);
    }

    #[test]
    fn a_name_that_nobody_chose_is_translated_and_one_that_somebody_chose_is_not() {
        assert_eq!(branch_name(BranchNo(0), "main", Lang::Zh), "主线");
        assert_eq!(branch_name(BranchNo(2), "branch 3", Lang::Zh), "分支 3");
        assert_eq!(branch_name(BranchNo(2), "branch 4", Lang::Zh), "branch 4");
        assert_eq!(branch_name(BranchNo(2), "slow disk", Lang::Zh), "slow disk");
        assert_eq!(branch_name(BranchNo(2), "branch 3", Lang::En), "branch 3");
    }
}

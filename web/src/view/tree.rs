//! The tree as one server has it.

use super::bits::{Send, Who, ask, called, chosen, leader, letter, plate};
use crate::{
    state::{Action, Selection, run::RunHandle},
    text::{Context as _, Key, Lang, t},
};
use std::{cmp::Ordering, collections::BTreeMap, rc::Rc, sync::Arc};
use yew::prelude::*;
use zabscope_core::{
    id::ServerId,
    sim::World,
    tree::{Node, Owner, Tree, path},
};

/// What the tab needs.
#[derive(Properties, PartialEq)]
pub struct TreeProps {
    /// The run.
    pub run: RunHandle,
    /// What is chosen.
    pub selection: Selection,
    /// The language.
    pub lang: Lang,
    /// To ask.
    pub send: Send,
}

/// So many znodes are shown.
const SHOWN: usize = 300;

/// What the shown tree is compared with.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Against {
    Nothing,
    /// Another server's, now.
    Server(ServerId),
    /// The same server's, at this bookmark.
    Bookmark(u32),
}

impl Against {
    /// From an option's value.
    fn read(value: &str) -> Against {
        let bookmark = value.strip_prefix('b').and_then(|no| no.parse().ok());
        match (bookmark, value.parse()) {
            (Some(no), _) => Against::Bookmark(no),
            (None, Ok(id)) => Against::Server(ServerId(id)),
            (None, Err(_)) => Against::Nothing,
        }
    }
}

/// The tree of the chosen server, or of the leader.
#[component(TreeTab)]
pub fn tree(props: &TreeProps) -> Html {
    let (lang, run) = (props.lang, props.run.get());
    let world = run.world();
    let up = |id: ServerId| world.peer(id).is_some();
    let shown = match &props.selection {
        Selection::Server(id) if up(*id) => Some(*id),
        _ => leader(world).or_else(|| world.servers().map(|s| s.id).find(|id| up(*id))),
    };
    let onchange = {
        let send = props.send.clone();
        Callback::from(move |event: Event| {
            if let Ok(id) = chosen(&event).parse() {
                send.dispatch(Action::Select(Selection::Server(ServerId(id))));
                send.dispatch(Action::Tab(crate::state::Tab::Tree));
            }
        })
    };
    let who = Who(world);
    let peer = shown.and_then(|id| world.peer(id));
    let against = use_state(|| Against::Nothing);
    let onagainst = {
        let against = against.clone();
        Callback::from(move |event: Event| against.set(Against::read(&chosen(&event))))
    };
    let then = {
        let moment = match *against {
            Against::Bookmark(no) => run.bookmarks().iter().find(|b| b.no == no),
            Against::Nothing | Against::Server(_) => None,
        };
        let moment = moment.map(|b| b.spot);
        // A branch's past does not change: it is played once.
        use_memo((props.run.key(), moment, shown), |(_, moment, shown)| {
            let world = run.history().world_of((*moment)?)?;
            Some(world.peer((*shown)?)?.database().tree.clone())
        })
    };
    let other = match *against {
        Against::Server(id) if Some(id) != shown => world.peer(id).map(|p| &p.database().tree),
        Against::Server(_) | Against::Nothing => None,
        Against::Bookmark(_) => (*then).as_ref(),
    };
    html! {
        <>
            <h2>{ t(lang, Key::Tree) }</h2>
            <label class="field">
                <span class="name">{ lang.pick("as it is on", "所在服务器") }</span>
                <select {onchange}>
                    { for world.servers().map(|s| html! {
                        <option value={s.id.to_string()} selected={shown == Some(s.id)} disabled={s.peer.is_none()}>
                            { crate::text::server(s.id, lang) }
                        </option>
                    }) }
                </select>
            </label>
            <label class="field">
                <span class="name">{ lang.pick("compared with", "对比") }</span>
                <select onchange={onagainst}>
                    <option value="" selected={other.is_none()}>{ lang.pick("nothing", "不对比") }</option>
                    { for world.servers().filter(|s| Some(s.id) != shown).map(|s| html! {
                        <option value={s.id.to_string()} selected={*against == Against::Server(s.id)} disabled={s.peer.is_none()}>
                            { crate::text::server(s.id, lang) }
                        </option>
                    }) }
                    { for run.bookmarks().iter().map(|b| html! {
                        <option value={format!("b{}", b.no)} selected={*against == Against::Bookmark(b.no)}>
                            { match lang {
                                Lang::En => format!("itself at bookmark {}", called(b)),
                                Lang::Zh => format!("自己在书签“{}”时", called(b)),
                            } }
                        </option>
                    }) }
                </select>
            </label>
            if run.bookmarks().is_empty() {
                <p class="soft small">{ lang.pick("B keeps a moment: the tree can be compared with what it was then.", "按 B 保存此刻：之后可与当时的树对比。") }</p>
            }
            if let (Some(peer), Some(other)) = (peer, other) {
                { differences(&peer.database().tree, other, lang, &props.send) }
            }
            if let Some(peer) = peer {
                <p class="row">
                    <span class="soft">{ t(lang, Key::AppliedTo) }</span>
                    { plate(peer.last_applied()) }
                    { match (world.behind_by(peer.last_applied()), lang) {
                        (0, _) => Html::default(),
                        (n, Lang::En) => html! { <span class="allowed">{ format!("{n} behind") }</span> },
                        (n, Lang::Zh) => html! { <span class="allowed">{ format!("落后 {n}") }</span> },
                    } }
                </p>
                <ul class="tree">
                    { for peer.database().tree.nodes().take(SHOWN).map(|(at, node)| {
                        let (_, name) = path::split(at).unwrap_or(("", "/"));
                        let depth = if at.len() <= 1 { 0 } else { at.matches('/').count() };
                        let system = path::is_special(at) || at.starts_with("/zookeeper");
                        let data = node.data().as_ref().map_or(String::new(), |d| {
                            String::from_utf8_lossy(&d[..d.len().min(48)]).into_owned()
                        });
                        let kind = match node.owner() {
                            Owner::Persistent => None,
                            Owner::Ephemeral(session) => Some(format!("{} {}",
                                t(lang, Key::Ephemeral),
                                who.session(session).map_or(session.to_string(), letter))),
                            Owner::Container => Some("container".to_owned()),
                            Owner::Ttl(ms) => Some(format!("TTL {ms} ms")),
                        };
                        let bells: Vec<String> = peer.clients().watches().at(at)
                            .map(|w| who.client(w.client).map_or("?".to_owned(), letter)).collect();
                        let mine = match &props.selection {
                            Selection::Znode(path) => **path == **at,
                            Selection::Client(no) => match node.owner() {
                                Owner::Ephemeral(session) => who.session(session) == Some(*no),
                                _ => false,
                            },
                            _ => false,
                        };
                        let pressed = matches!(&props.selection, Selection::Znode(path) if **path == **at);
                        let choose = ask(&props.send, Action::Select(Selection::Znode(Rc::from(&**at))));
                        html! {
                            <li class={classes!(system.then_some("soft"), mine.then_some("lit"))} style={format!("--depth:{depth}")}>
                                <button type="button" class="mono node" aria-pressed={pressed.to_string()} onclick={choose}>
                                    { if depth == 0 { "/".to_owned() } else { name.to_owned() } }
                                </button>
                                if !data.is_empty() && !system {
                                    <span class="mono data">{ data }</span>
                                }
                                if let Some(kind) = kind {
                                    <span class="soft">{ kind }</span>
                                }
                                if !bells.is_empty() {
                                    <span class="chosen">{ format!("{}: {}", t(lang, Key::Watch), bells.join(", ")) }</span>
                                }
                                <span class="mono soft version">{ format!("v{}", node.stat().version) }</span>
                            </li>
                        }
                    }) }
                </ul>
            } else {
                <p class="soft">{ lang.pick("No server runs.", "没有正在运行的服务器。") }</p>
            }
            if let Selection::Znode(path) = &props.selection {
                <section>
                    <h3><span class="mono">{ path.to_string() }</span>{ lang.pick(", as each server has it", "，每台服务器上的样子") }</h3>
                    { znode(world, path, lang, &props.send) }
                </section>
                { super::why_not::offers(&run, &props.selection, lang, &props.send) }
            }
            <p class="row">
                <button type="button" class="btn" onclick={ask(&props.send, Action::Tab(crate::state::Tab::Act))}>
                    { lang.pick("Change it with a client", "用客户端修改") }
                </button>
            </p>
        </>
    }
}

/// How two trees differ, told of the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Differs {
    /// Only the first has it.
    Added,
    /// Only the second has it.
    Removed,
    /// Both have it, the first with a newer change.
    Newer,
    /// Both have it, the first with an older change.
    Behind,
    /// Both have it from the same change, and not the same: a rule of the protocol is off.
    Unlike,
}

/// Which of two znodes at one place has seen more changes of its data and its ACL, and whether they are the
/// same; what is below them is not looked at.
fn against(one: &Node, other: &Node) -> Option<Differs> {
    let changes = |node: &Node| (node.stat().mzxid, node.stat().aversion);
    match changes(one).cmp(&changes(other)) {
        Ordering::Greater => Some(Differs::Newer),
        Ordering::Less => Some(Differs::Behind),
        Ordering::Equal if (one.data(), one.acl()) != (other.data(), other.acl()) => {
            Some(Differs::Unlike)
        }
        Ordering::Equal => None,
    }
}

/// The paths in which two trees differ, in order.
#[must_use]
pub fn differing(one: &Tree, other: &Tree) -> Vec<(Arc<str>, Differs)> {
    let mut all = BTreeMap::new();
    for (at, node) in one.nodes() {
        let how = match other.node(at) {
            None => Differs::Added,
            Some(theirs) => match against(node, theirs) {
                None => continue,
                Some(how) => how,
            },
        };
        all.insert(Arc::clone(at), how);
    }
    for (at, _) in other.nodes() {
        if !one.contains(at) {
            all.insert(Arc::clone(at), Differs::Removed);
        }
    }
    all.into_iter().collect()
}

fn differences(one: &Tree, other: &Tree, lang: Lang, send: &Send) -> Html {
    let all = differing(one, other);
    if all.is_empty() {
        return html! { <p class="soft">{ lang.pick("Both trees are the same.", "两棵树相同。") }</p> };
    }
    html! {
        <ul class="differing">
            { for all.into_iter().take(SHOWN).map(|(at, how)| {
                let (sign, word) = match how {
                    Differs::Added => ("+", lang.pick("only here", "仅此处有")),
                    Differs::Removed => ("−", lang.pick("not here", "此处没有")),
                    Differs::Newer => ("≠", lang.pick("newer here", "此处较新")),
                    Differs::Behind => ("≠", lang.pick("behind here", "此处落后")),
                    Differs::Unlike => ("≠", lang.pick("not the same", "不相同")),
                };
                html! { <li class="row"><span class="mono" aria-hidden="true">{ sign }</span>{ znode_link(&at, send) }<span class="allowed">{ word }</span></li> }
            }) }
        </ul>
    }
}

/// A znode's path, as a button that chooses it.
pub fn znode_link(path: &str, send: &Send) -> Html {
    html! {
        <button type="button" class="link mono" onclick={ask(send, Action::Select(Selection::Znode(Rc::from(path))))}>
            { path.to_owned() }
        </button>
    }
}

/// One znode as every server has it: side by side one sees who is behind.
pub fn znode(world: &World, at: &str, lang: Lang, send: &Send) -> Html {
    let node = |id: ServerId| {
        let peer = world.peer(id).filter(|p| p.serving());
        peer.map(|p| (p.last_applied(), p.database().tree.node(at).cloned()))
    };
    let newest = world
        .servers()
        .filter_map(|s| node(s.id))
        .max_by_key(|(applied, _)| *applied)
        .map(|(_, n)| n);
    let as_newest = |here: Option<&Node>| match (&newest, here) {
        (Some(Some(newest)), Some(here)) => against(here, newest).is_none(),
        (Some(newest), here) => newest.is_some() == here.is_some(),
        (None, _) => true,
    };
    html! {
        <table class="znode">
            <thead><tr>
                <th scope="col">{ t(lang, Key::Server) }</th>
                <th scope="col">{ t(lang, Key::Data) }</th>
                <th scope="col">{ lang.pick("version", "版本") }</th>
                <th scope="col">{ lang.pick("changed by", "由谁修改") }</th>
            </tr></thead>
            <tbody>
                { for world.servers().map(|s| {
                    let (class, data, version, zxid) = match node(s.id) {
                        None => ("soft", lang.pick("does not serve", "未在服务").to_owned(), String::new(), Html::default()),
                        Some((_, None)) => {
                            let same = as_newest(None);
                            (if same { "" } else { "allowed" }, lang.pick("not there", "没有").to_owned(), String::new(), Html::default())
                        }
                        Some((_, Some(n))) => {
                            let same = as_newest(Some(&n));
                            let data = n.data().as_ref().map_or("–".to_owned(), |d| {
                                String::from_utf8_lossy(&d[..d.len().min(48)]).into_owned()
                            });
                            (if same { "" } else { "allowed" }, data, n.stat().version.to_string(), plate(n.stat().mzxid))
                        }
                    };
                    html! {
                        <tr {class}>
                            <th scope="row">
                                <button type="button" class="link" onclick={ask(send, Action::Select(Selection::Server(s.id)))}>{ s.id.to_string() }</button>
                            </th>
                            <td class="mono">{ data }</td>
                            <td class="mono">{ version }</td>
                            <td>{ zxid }</td>
                        </tr>
                    }
                }) }
            </tbody>
        </table>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use zabscope_core::sim::{Action, ClientNo, History, Setup};

    #[test]
    fn a_server_that_has_not_applied_a_write_lacks_its_znode() {
        let mut history = History::new(&Setup {
            voters: 3,
            ..Setup::default()
        })
        .expect("a world");
        let leads = |h: &History| h.world().peer(ServerId(3)).is_some_and(|p| p.serving());
        while !(leads(&history)
            && history
                .world()
                .servers()
                .all(|s| s.peer.is_some_and(|p| p.serving())))
        {
            history.step();
        }
        let server = Some(ServerId(3));
        history
            .act(Action::AddClient {
                server,
                timeout_ms: 30_000,
            })
            .expect("room");
        let request = crate::view::client::create("/a", "one", false, false);
        history
            .act(Action::Ask {
                client: ClientNo(1),
                request,
            })
            .expect("it is there");
        let tree = |h: &History, id: i64| {
            h.world()
                .peer(ServerId(id))
                .map(|p| p.database().tree.clone())
                .expect("it runs")
        };
        while !tree(&history, 3).contains("/a") {
            history.step();
        }
        let (one, three) = (tree(&history, 1), tree(&history, 3));
        assert_eq!(differing(&three, &one), [(Arc::from("/a"), Differs::Added)]);
        assert_eq!(
            differing(&one, &three),
            [(Arc::from("/a"), Differs::Removed)]
        );
        assert_eq!(differing(&one, &one), []);
    }
}

//! Why something that a visitor asked for could not be done, and what to do about it, in both
//! languages. What a decoder says of a damaged text is technical: in Chinese, where and of what it says it.

use super::Lang;
use crate::link::{LinkError, MAX_FILE, MAX_FRAGMENT, MAX_JSON, MAX_STEPS};
use zabscope_core::sim::{
    ActError, ImportError, ScheduleError, SetupError,
    history::{MAX_ALL_STEPS, sharing::MAX_BOOKMARKS},
    schedule::{MAX_EVERY, MAX_REPEATS, MIN_EVERY},
};

const COPY_AGAIN: (&str, &str) = (
    "Ask for the link again and copy it as a whole.",
    "请再要一次链接，并完整复制。",
);
const OTHER_BUILD: (&str, &str) = (
    "Open it with the version of zabscope that wrote it, or let its author share it again.",
    "请用写出它的 zabscope 版本打开，或请作者重新分享。",
);
const SHORTER: (&str, &str) = (
    "Share an earlier moment, or begin a new world.",
    "请分享更早的时刻，或从新的世界开始。",
);
const REPAIR_FILE: (&str, &str) = (
    "If you edited the file by hand, undo that; otherwise export it again.",
    "如果手工改过文件，请撤销改动；否则请重新导出。",
);

const WHAT: [(&str, &str); 23] = [
    ("voters", "投票者"),
    ("observers", "观察者"),
    ("voters without an ensemble", "单机时的投票者"),
    ("observers without an ensemble", "单机时的观察者"),
    ("weight", "权重"),
    ("actions", "操作"),
    ("branches", "分支"),
    ("clients", "客户端"),
    ("writes", "写入"),
    ("extra disk time in µs", "磁盘增加的时间（微秒）"),
    ("extra latency in µs", "链路增加的延迟（微秒）"),
    ("a session time-out must be positive", "会话超时必须大于零"),
    ("it pings by itself", "它会自己发 ping"),
    (
        "it sets its watches again by itself",
        "它会自己重新设置监听",
    ),
    (
        "a multiRead holds getData and getChildren only",
        "multiRead 只能包含 getData 和 getChildren",
    ),
    (
        "a multi holds create, delete, setData and check only",
        "multi 只能包含 create、delete、setData 和 check",
    ),
    ("check stands in a multi only", "check 只能在 multi 里"),
    ("only the server itself does that", "只有服务器自己会这样做"),
    ("it writes what can be read", "它只写可以读懂的内容"),
    ("groups", "分组"),
    ("waiting requests", "等待的请求"),
    ("bytes in a request", "一个请求的字节"),
    ("session time-out in ms", "会话超时（毫秒）"),
];

fn told(lang: Lang, en: String, zh: String, (do_en, do_zh): (&str, &str)) -> String {
    match lang {
        Lang::En => format!("{en} {do_en}"),
        Lang::Zh => format!("{zh}{do_zh}"),
    }
}

/// What a decoder says, in Chinese: of which name, and where.
fn place(detail: &str) -> String {
    let mut said = Vec::new();
    if let Some(name) = detail.split('`').nth(1) {
        said.push(format!("`{name}`"));
    }
    let at = detail.rsplit_once(" at line ").map(|(_, at)| at);
    if let Some((line, column)) = at.and_then(|at| at.split_once(" column ")) {
        said.push(format!("第 {line} 行第 {column} 列"));
    }
    match said.is_empty() {
        true => String::new(),
        false => format!("（{}）", said.join("，")),
    }
}

/// A schedule of faults that can't be kept, in Chinese.
fn schedule_error(error: &ScheduleError) -> String {
    match error {
        ScheduleError::Repeats(n) => format!("有 {n} 个重复的故障，最多 {MAX_REPEATS} 个"),
        ScheduleError::Times { every, lasts } => format!(
            "每 {every} 毫秒一次，持续 {lasts} 毫秒；允许 {} 到 {} 毫秒，而且必须在再次出现之前结束",
            MIN_EVERY.as_millis(),
            MAX_EVERY.as_millis()
        ),
        ScheduleError::Kind(kind) => {
            format!("只有 crash、cut、pause 和 slow-disk 能重复，{kind} 不能")
        }
        ScheduleError::NoServer(id) => format!("没有服务器 {id}"),
        ScheduleError::Kinds(kinds) => format!("不认识这些随机故障的种类：{kinds}"),
    }
}

/// What is too much, or out of bounds, or can't be asked for, as the core names it. The keys of a setup stay.
fn chinese(what: &str) -> &str {
    let found = WHAT.iter().find(|(en, _)| *en == what);
    found.map_or(what, |(_, zh)| zh)
}

/// A link or a file that can't be read.
#[must_use]
pub fn link_error(error: &LinkError, lang: Lang) -> String {
    match error {
        LinkError::TooLong(n) => told(
            lang,
            format!("It has {n} characters; a link has at most {MAX_FRAGMENT}."),
            format!("它有 {n} 个字符；链接最多 {MAX_FRAGMENT} 个。"),
            (
                "Use Export and Import instead: a file may be longer.",
                "请改用“导出”和“导入”：文件可以更长。",
            ),
        ),
        LinkError::Version(v) => told(
            lang,
            format!("It has format {v}, which this page does not read."),
            format!("它的格式是 {v}，本页面不支持。"),
            OTHER_BUILD,
        ),
        LinkError::Damaged => told(
            lang,
            "It was cut or changed on its way.".to_owned(),
            "它在途中被截断或改动了。".to_owned(),
            COPY_AGAIN,
        ),
        LinkError::TooLarge => told(
            lang,
            format!("It unpacks to more than {MAX_JSON} bytes; no run needs so much."),
            format!("它解压后超过 {MAX_JSON} 字节；没有任何运行需要这么多。"),
            COPY_AGAIN,
        ),
        LinkError::NoRun(detail) => told(
            lang,
            format!("What it holds is not a run ({detail})."),
            format!("其中的内容不是一次运行{}。", place(detail)),
            REPAIR_FILE,
        ),
        LinkError::TooManySteps(n) => told(
            lang,
            format!("It has {n} steps; a link has at most {MAX_STEPS}."),
            format!("它有 {n} 步；链接最多 {MAX_STEPS} 步。"),
            SHORTER,
        ),
        LinkError::FileTooLarge(n) => told(
            lang,
            format!("The file has {n} bytes; at most {MAX_FILE} are read."),
            format!("文件有 {n} 字节；最多读取 {MAX_FILE} 字节。"),
            (
                "Choose a file that zabscope exported.",
                "请选择由 zabscope 导出的文件。",
            ),
        ),
    }
}

/// A run that can't be repeated.
#[must_use]
pub fn import_error(error: &ImportError, lang: Lang) -> String {
    match error {
        ImportError::Version { found } => told(
            lang,
            format!("It has format {found}, which this page does not read."),
            format!("它的格式是 {found}，本页面不支持。"),
            OTHER_BUILD,
        ),
        ImportError::Setup(error) => setup_error(error, lang),
        ImportError::Actions(n) => told(
            lang,
            format!("It has {n} actions, which is too many."),
            format!("它有 {n} 个操作，太多了。"),
            SHORTER,
        ),
        ImportError::Steps(n) => told(
            lang,
            format!("It has {n} steps, which is too many."),
            format!("它有 {n} 步，太多了。"),
            SHORTER,
        ),
        ImportError::AllSteps(n) => told(
            lang,
            format!("Its branches have {n} steps in all; at most {MAX_ALL_STEPS} are repeated."),
            format!("它的分支共有 {n} 步；最多重放 {MAX_ALL_STEPS} 步。"),
            SHORTER,
        ),
        ImportError::Branches(n) => told(
            lang,
            format!("It has {n} branches, which is too many."),
            format!("它有 {n} 条分支，太多了。"),
            SHORTER,
        ),
        ImportError::In { index, error } => {
            let (n, error) = (index + 1, import_error(error, lang));
            match lang {
                Lang::En => format!("Branch {n}: {error}"),
                Lang::Zh => format!("分支 {n}：{error}"),
            }
        }
        ImportError::Left => told(
            lang,
            "It leaves no moment of an earlier branch.".to_owned(),
            "它不是从更早分支的某个时刻离开的。".to_owned(),
            REPAIR_FILE,
        ),
        ImportError::Shown => told(
            lang,
            "The moment that is to be shown is on none of its branches.".to_owned(),
            "要显示的时刻不在它的任何分支上。".to_owned(),
            REPAIR_FILE,
        ),
        ImportError::Bookmarks(n) => told(
            lang,
            format!("It has {n} bookmarks; at most {MAX_BOOKMARKS} are kept."),
            format!("它有 {n} 个书签；最多保存 {MAX_BOOKMARKS} 个。"),
            ("Take some out of it.", "请从中去掉一些。"),
        ),
        ImportError::Bookmark { index } => told(
            lang,
            format!("Bookmark {} is on none of its branches.", index + 1),
            format!("第 {} 个书签不在它的任何分支上。", index + 1),
            REPAIR_FILE,
        ),
        ImportError::Order { index } => told(
            lang,
            format!("Action {} is out of order.", index + 1),
            format!("第 {} 个操作的顺序不对。", index + 1),
            (
                "Actions must stand in the order of their steps, none after the last step: sort them.",
                "操作必须按步数排列，且不能晚于最后一步：请排序。",
            ),
        ),
        ImportError::Act { index, error } => told(
            lang,
            format!(
                "Action {} is impossible at its moment: {}",
                index + 1,
                act_error(error, lang)
            ),
            format!(
                "第 {} 个操作在那一刻不可能：{}",
                index + 1,
                act_error(error, lang)
            ),
            OTHER_BUILD,
        ),
        ImportError::Ended { at, steps } => told(
            lang,
            format!("Nothing can happen after step {at}, but it says {steps} steps."),
            format!("第 {at} 步之后不会再发生任何事，但它声称有 {steps} 步。"),
            OTHER_BUILD,
        ),
        ImportError::Json(detail) => told(
            lang,
            format!("It is not a run of zabscope ({detail})."),
            format!("它不是 zabscope 的运行{}。", place(detail)),
            REPAIR_FILE,
        ),
        ImportError::Bytes(n) => told(
            lang,
            format!("It has {n} bytes, which is too many."),
            format!("它有 {n} 字节，太多了。"),
            SHORTER,
        ),
        ImportError::Trace => told(
            lang,
            "Its trace hash can't be read.".to_owned(),
            "无法读取它的轨迹哈希。".to_owned(),
            (
                "Take the line `trace` out of the file: then the run is not compared with the recorded one.",
                "请从文件中去掉 `trace` 一行：这样就不再与记录的运行比较。",
            ),
        ),
    }
}

/// A world that can't be.
#[must_use]
pub fn setup_error(error: &SetupError, lang: Lang) -> String {
    match error {
        SetupError::OutOfBounds {
            what,
            got,
            min,
            max,
        } => match lang {
            Lang::En => {
                format!("{what} is {got}. Choose a value from {min} to {max} and try again.")
            }
            Lang::Zh => format!(
                "{} 为 {got}。请选择 {min} 到 {max} 之间的值再试。",
                chinese(what)
            ),
        },
        SetupError::Faults(error) => told(
            lang,
            format!("Its schedule of faults can't be kept: {error}."),
            format!("它的故障计划无法执行：{}。", schedule_error(error)),
            (
                "Change the schedule, or leave it out.",
                "请修改计划，或去掉它。",
            ),
        ),
        SetupError::NoVoter(id) => told(
            lang,
            format!("Groups and weights name server {id}, which is no voter."),
            format!("分组或权重提到了服务器 {id}，但它没有投票权。"),
            ("Leave it out, or add voters.", "请去掉它，或增加投票者。"),
        ),
        SetupError::NoQuorum => told(
            lang,
            "No set of voters can be a quorum.".to_owned(),
            "任何一组投票者都不能构成法定人数。".to_owned(),
            (
                "Give a weight above zero to at least one voter that is in a group.",
                "请给至少一个已分组的投票者大于零的权重。",
            ),
        ),
    }
}

/// An action that is impossible now.
#[must_use]
pub fn act_error(error: &ActError, lang: Lang) -> String {
    let both = |en: String, zh: String| match lang {
        Lang::En => en,
        Lang::Zh => zh,
    };
    let letter = |no: &zabscope_core::sim::ClientNo| crate::scene::words::client_letter(no.0);
    match error {
        ActError::NoServer(id) => both(
            format!("There is no server {id}. Choose one of those on the stage."),
            format!("没有服务器 {id}。请选择舞台上的一台。"),
        ),
        ActError::NoClient(no) => both(
            format!("There is no client {}. Add one first.", letter(no)),
            format!("没有客户端 {}。请先添加一个。", letter(no)),
        ),
        ActError::NotRunning(id) => both(
            format!("Server {id} is not running. Restart it first, or let it start."),
            format!("服务器 {id} 没有运行。请先重启它，或等它启动。"),
        ),
        ActError::Running(id) => both(
            format!("Server {id} is running already. There is nothing to do."),
            format!("服务器 {id} 已在运行。无需操作。"),
        ),
        ActError::Paused(id) => both(
            format!("Server {id} is paused. Resume it first."),
            format!("服务器 {id} 已暂停。请先恢复它。"),
        ),
        ActError::NotPaused(id) => both(
            format!("Server {id} is not paused. There is nothing to resume."),
            format!("服务器 {id} 没有暂停。无需恢复。"),
        ),
        ActError::SameServer(id) => both(
            format!("Server {id} has no link to itself. Choose two servers."),
            format!("服务器 {id} 与自己没有链路。请选择两台服务器。"),
        ),
        ActError::InTwoGroups(id) => both(
            format!("Server {id} is on both sides. Put it on one."),
            format!("服务器 {id} 同时在两边。请只放在一边。"),
        ),
        ActError::ClientOver(no) => both(
            format!(
                "The session of client {} is over for good. Add another client.",
                letter(no)
            ),
            format!(
                "客户端 {} 的会话已彻底结束。请添加另一个客户端。",
                letter(no)
            ),
        ),
        ActError::ClientPaused(no) => both(
            format!("Client {} is paused. Resume it first.", letter(no)),
            format!("客户端 {} 已暂停。请先恢复它。", letter(no)),
        ),
        ActError::ClientNotPaused(no) => both(
            format!(
                "Client {} is not paused. There is nothing to resume.",
                letter(no)
            ),
            format!("客户端 {} 没有暂停。无需恢复。", letter(no)),
        ),
        ActError::ClientNotConnected(no) => both(
            format!(
                "Client {} has no connection. Let it connect first: press Play.",
                letter(no)
            ),
            format!("客户端 {} 没有连接。请先让它连接：按“播放”。", letter(no)),
        ),
        ActError::TooMuch { what, got, limit } => both(
            format!("{what}: {got}; at most {limit} are possible. Ask for less."),
            format!("{}：{got}；最多 {limit}。请减少数量。", chinese(what)),
        ),
        ActError::Faults(error) => both(
            format!("This schedule can't be kept: {error}. Choose other times."),
            format!(
                "这个计划无法执行：{}。请选择其他时间。",
                schedule_error(error)
            ),
        ),
        ActError::NotAskable(what) => both(
            format!("A client can't ask for that ({what}). Choose another request."),
            format!("客户端不能这样请求（{}）。请换一个请求。", chinese(what)),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use zabscope_core::{
        id::ServerId,
        sim::{ClientNo, ScheduleError},
    };

    fn everything(lang: Lang) -> Vec<String> {
        let acts = || {
            let (id, no) = (ServerId(3), ClientNo(2));
            vec![
                ActError::NoServer(id),
                ActError::NoClient(no),
                ActError::NotRunning(id),
                ActError::Running(id),
                ActError::Paused(id),
                ActError::NotPaused(id),
                ActError::SameServer(id),
                ActError::InTwoGroups(id),
                ActError::ClientOver(no),
                ActError::ClientPaused(no),
                ActError::ClientNotPaused(no),
                ActError::ClientNotConnected(no),
                ActError::TooMuch {
                    what: "writes",
                    got: 9,
                    limit: 8,
                },
                ActError::NotAskable("ping"),
                ActError::Faults(ScheduleError::Repeats(9)),
                ActError::Faults(ScheduleError::Kind("client")),
                ActError::Faults(ScheduleError::NoServer(id)),
                ActError::Faults(ScheduleError::Kinds(512)),
            ]
        };
        let setups = || {
            vec![
                SetupError::OutOfBounds {
                    what: "voters",
                    got: 10,
                    min: 1,
                    max: 9,
                },
                SetupError::NoVoter(ServerId(6)),
                SetupError::NoQuorum,
                SetupError::Faults(ScheduleError::Times {
                    every: 1000,
                    lasts: 2000,
                }),
            ]
        };
        let imports = vec![
            ImportError::Version { found: 9 },
            ImportError::Actions(1),
            ImportError::Steps(1),
            ImportError::AllSteps(1),
            ImportError::Branches(1),
            ImportError::Left,
            ImportError::In {
                index: 1,
                error: Box::new(ImportError::Left),
            },
            ImportError::Shown,
            ImportError::Bookmarks(1),
            ImportError::Bookmark { index: 0 },
            ImportError::Order { index: 0 },
            ImportError::Ended { at: 1, steps: 2 },
            ImportError::Json("x".to_owned()),
            ImportError::Bytes(1),
            ImportError::Trace,
        ];
        let acting = acts()
            .into_iter()
            .map(|error| ImportError::Act { index: 4, error });
        let links = [
            LinkError::TooLong(1),
            LinkError::Version("9".to_owned()),
            LinkError::Damaged,
            LinkError::TooLarge,
            LinkError::NoRun("x".to_owned()),
            LinkError::TooManySteps(1),
            LinkError::FileTooLarge(1),
        ];
        let mut all: Vec<String> = acts().iter().map(|e| act_error(e, lang)).collect();
        all.extend(setups().iter().map(|e| setup_error(e, lang)));
        all.extend(
            imports
                .into_iter()
                .chain(acting)
                .chain(setups().into_iter().map(ImportError::Setup))
                .map(|e| import_error(&e, lang)),
        );
        all.extend(links.iter().map(|e| link_error(e, lang)));
        all
    }

    /// The literals right behind a call or a field.
    fn behind(text: &'static str, call: &str) -> Vec<&'static str> {
        let rest = text.split(call).skip(1);
        rest.filter_map(|rest| rest.trim_start().strip_prefix('"')?.split('"').next())
            .collect()
    }

    #[test]
    fn what_the_core_refuses_is_named_in_chinese_or_is_a_key_of_a_setup() {
        let setup = include_str!("../../../core/src/sim/setup.rs");
        let world = include_str!("../../../core/src/sim/world.rs");
        let mut all = behind(setup, "within(");
        all.extend(behind(world, "at_most("));
        all.extend(behind(world, "NotAskable("));
        all.extend(behind(include_str!("../../../core/src/sim/ask.rs"), "no("));
        all.extend(behind(
            include_str!("../../../core/src/sim/history.rs"),
            "what: ",
        ));
        assert!(all.len() > 30, "{all:?}");
        let keys = serde_json::to_string(&zabscope_core::sim::Setup::default()).expect("a text");
        let mut named = 0;
        for what in all {
            named += usize::from(chinese(what) != what);
            let key = keys.contains(&format!("\"{what}\":"));
            assert!(key || !chinese(what).is_ascii(), "{what}");
        }
        assert!(named >= WHAT.len(), "{named}");
    }

    #[test]
    fn what_a_decoder_says_is_in_chinese_a_name_and_a_place() {
        let error = LinkError::NoRun("missing field `setup` at line 3 column 14".to_owned());
        let zh = link_error(&error, Lang::Zh);
        assert!(
            zh.starts_with("其中的内容不是一次运行（`setup`，第 3 行第 14 列）。"),
            "{zh}"
        );
        assert!(link_error(&error, Lang::En).contains("missing field `setup` at line 3"));
        assert_eq!(place("expected value"), "");
    }

    #[test]
    fn every_refusal_says_what_and_then_what_to_do_in_both_languages() {
        for text in everything(Lang::En) {
            assert!(text.is_ascii(), "{text}");
            assert!(text.matches(['.', ':', ';']).count() >= 2, "{text}");
            assert!(text.ends_with('.'), "{text}");
        }
        for text in everything(Lang::Zh) {
            let chinese = text.chars().filter(|c| *c >= '\u{2e80}').count();
            assert!(chinese >= 10, "{text}");
            assert!(text.ends_with('。'), "{text}");
            assert!(
                text.matches(['。', '：', '；', '，']).count() >= 2,
                "{text}"
            );
        }
    }
}

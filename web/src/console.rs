//! The console: zkCli's commands as requests of a client, and what a line may go on with.

use crate::text::Lang;
use std::sync::Arc;
use zabscope_core::{
    id::ServerId,
    request::{AddWatchMode, Create, CreateMode, CreateOp, Request, WatcherType, Write},
    tree::{Tree, acl},
};

/// What a line asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// Of the server.
    Request(Request),
    /// Of the client: to go to another server.
    Connect(ServerId),
    /// Of the console: its commands.
    Help,
    /// Nothing.
    Empty,
}

/// Why a line asks for nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// No such command.
    Unknown(String),
    /// The command is used in another way.
    Usage(&'static str),
    /// A path must begin with a slash.
    Path(String),
}

/// A command with its usage, as zkCli prints it.
struct Command {
    name: &'static str,
    usage: &'static str,
    /// Options that stand alone, and those that take a value.
    flags: &'static str,
    valued: &'static str,
}

const fn command(
    name: &'static str,
    usage: &'static str,
    flags: &'static str,
    valued: &'static str,
) -> Command {
    Command {
        name,
        usage,
        flags,
        valued,
    }
}

const COMMANDS: &[Command] = &[
    command("addWatch", "addWatch [-m mode] path", "", "m"),
    command("addauth", "addauth scheme auth", "", ""),
    command("close", "close", "", ""),
    command("connect", "connect server", "", ""),
    command(
        "create",
        "create [-s] [-e] [-c] [-t ttl] path [data]",
        "sec",
        "t",
    ),
    command("delete", "delete [-v version] path", "", "v"),
    command("exists", "exists [-w] path", "w", ""),
    command("get", "get [-w] path", "w", ""),
    command("getAcl", "getAcl path", "", ""),
    command("getAllChildrenNumber", "getAllChildrenNumber path", "", ""),
    command("getEphemerals", "getEphemerals [path]", "", ""),
    command("help", "help", "", ""),
    command("ls", "ls [-s] [-w] path", "sw", ""),
    command(
        "reconfig",
        "reconfig [-add id=host:port:port;port] [-remove ids] [-members list] [-v version]",
        "",
        "admrv",
    ),
    command("removewatches", "removewatches path [-c|-d|-a]", "cda", ""),
    command("set", "set [-v version] path data", "", "v"),
    command("stat", "stat [-w] path", "w", ""),
    command("sync", "sync path", "", ""),
    command("whoami", "whoami", "", ""),
];

/// All usages, one a line.
pub fn help() -> impl Iterator<Item = &'static str> {
    COMMANDS.iter().map(|c| c.usage)
}

/// A line taken apart: options by their first letter, and the rest in order.
struct Words<'a> {
    options: Vec<(char, &'a str)>,
    rest: Vec<&'a str>,
    usage: &'static str,
}

impl<'a> Words<'a> {
    fn read(command: &Command, words: &[&'a str]) -> Result<Words<'a>, Wrong> {
        let usage = Wrong::Usage(command.usage);
        let mut out = Words {
            options: Vec::new(),
            rest: Vec::new(),
            usage: command.usage,
        };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let letter = word.strip_prefix('-').and_then(|w| w.chars().next());
            match letter {
                // Data may begin with a minus sign; an option stands before the path.
                Some(c) if out.rest.is_empty() || command.name == "removewatches" => {
                    if command.valued.contains(c) {
                        let Some(value) = words.next() else {
                            return Err(usage);
                        };
                        out.options.push((c, value));
                    } else if command.flags.contains(c) {
                        out.options.push((c, ""));
                    } else {
                        return Err(usage);
                    }
                }
                _ => out.rest.push(word),
            }
        }
        Ok(out)
    }

    fn has(&self, option: char) -> bool {
        self.value(option).is_some()
    }

    fn value(&self, option: char) -> Option<&'a str> {
        self.options
            .iter()
            .find(|(c, _)| *c == option)
            .map(|(_, v)| *v)
    }

    fn wrong(&self) -> Wrong {
        Wrong::Usage(self.usage)
    }

    /// -1 when it is not given: whatever the version.
    fn version<T: core::str::FromStr + From<i8>>(&self) -> Result<T, Wrong> {
        match self.value('v') {
            Some(text) => text.parse().map_err(|_| self.wrong()),
            None => Ok(T::from(-1)),
        }
    }

    fn path(&self) -> Result<Arc<str>, Wrong> {
        let path = self.rest.first().ok_or(self.wrong())?;
        if path.starts_with('/') {
            Ok(Arc::from(*path))
        } else {
            Err(Wrong::Path((*path).to_owned()))
        }
    }

    /// What stands behind the path: words with single spaces between them.
    fn data(&self) -> Option<Arc<[u8]>> {
        let words = self.rest.get(1..).filter(|w| !w.is_empty())?;
        Some(Arc::from(words.join(" ").as_bytes()))
    }

    fn text(&self, option: char) -> Option<Arc<str>> {
        self.value(option).map(Arc::from)
    }
}

/// Reads a line.
///
/// # Errors
/// No such command, or it is used in another way.
pub fn parse(line: &str) -> Result<Line, Wrong> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let Some((name, rest)) = words.split_first() else {
        return Ok(Line::Empty);
    };
    let command = COMMANDS
        .iter()
        .find(|c| c.name.eq_ignore_ascii_case(name))
        .ok_or_else(|| Wrong::Unknown((*name).to_owned()))?;
    let words = Words::read(command, rest)?;
    let watch = words.has('w');
    Ok(Line::Request(match command.name {
        "help" => return Ok(Line::Help),
        "connect" => {
            let id = words.rest.first().and_then(|id| id.parse().ok());
            return id
                .map(|id| Line::Connect(ServerId(id)))
                .ok_or(words.wrong());
        }
        "get" => Request::GetData {
            path: words.path()?,
            watch,
        },
        "exists" | "stat" => Request::Exists {
            path: words.path()?,
            watch,
        },
        "ls" => Request::GetChildren {
            path: words.path()?,
            watch,
            stat: words.has('s'),
        },
        "getAcl" => Request::GetAcl {
            path: words.path()?,
        },
        "getAllChildrenNumber" => Request::GetAllChildrenNumber {
            path: words.path()?,
        },
        "getEphemerals" => Request::GetEphemerals {
            prefix: words.rest.first().map(|p| Arc::from(*p)),
        },
        "sync" => Request::Sync {
            path: words.path()?,
        },
        "whoami" => Request::WhoAmI,
        "close" => Request::CloseSession,
        "addauth" => match words.rest.as_slice() {
            [scheme, auth] => Request::Auth {
                scheme: Arc::from(*scheme),
                auth: Arc::from(auth.as_bytes()),
            },
            _ => return Err(words.wrong()),
        },
        "addWatch" => Request::AddWatch {
            path: words.path()?,
            mode: match words.value('m') {
                None | Some("PERSISTENT_RECURSIVE") => AddWatchMode::PersistentRecursive,
                Some("PERSISTENT") => AddWatchMode::Persistent,
                Some(_) => return Err(words.wrong()),
            },
        },
        "removewatches" => Request::RemoveWatches {
            path: words.path()?,
            kind: match (words.has('c'), words.has('d')) {
                (true, _) => WatcherType::Children,
                (_, true) => WatcherType::Data,
                _ => WatcherType::Any,
            },
        },
        "set" => Request::Write(Write::SetData {
            path: words.path()?,
            data: Some(words.data().ok_or(words.wrong())?),
            version: words.version()?,
        }),
        "delete" => Request::Write(Write::Delete {
            path: words.path()?,
            version: words.version()?,
        }),
        "reconfig" => Request::Write(Write::Reconfig {
            joining: words.text('a').map(|list| members(&list)),
            leaving: words.text('r'),
            new_members: words.text('m').map(|list| members(&list)),
            cur_config_id: words.version()?,
        }),
        _ => create(&words)?,
    }))
}

/// Each member with `server.` before it, as the request wants it.
fn members(list: &str) -> Arc<str> {
    let all: Vec<String> = list
        .split(',')
        .map(|member| match member.strip_prefix("server.") {
            Some(rest) => format!("server.{rest}"),
            None => format!("server.{member}"),
        })
        .collect();
    Arc::from(all.join(","))
}

fn create(words: &Words<'_>) -> Result<Request, Wrong> {
    let (sequential, ephemeral) = (words.has('s'), words.has('e'));
    let ttl = match words.value('t') {
        Some(text) => Some(text.parse::<i64>().map_err(|_| words.wrong())?),
        None => None,
    };
    let (mode, op) = match (words.has('c'), ttl, ephemeral, sequential) {
        (true, None, false, false) => (CreateMode::Container, CreateOp::Container),
        (false, Some(ms), false, false) => (CreateMode::PersistentWithTtl, CreateOp::Ttl(ms)),
        (false, Some(ms), false, true) => {
            (CreateMode::PersistentSequentialWithTtl, CreateOp::Ttl(ms))
        }
        (false, None, false, false) => (CreateMode::Persistent, CreateOp::Create),
        (false, None, true, false) => (CreateMode::Ephemeral, CreateOp::Create),
        (false, None, false, true) => (CreateMode::PersistentSequential, CreateOp::Create),
        (false, None, true, true) => (CreateMode::EphemeralSequential, CreateOp::Create),
        _ => return Err(words.wrong()),
    };
    Ok(Request::Write(Write::Create(Create {
        path: words.path()?,
        data: words.data(),
        acl: acl::open(),
        mode,
        op,
    })))
}

/// What the last word of a line may become: commands first, then paths of this tree. Whole lines.
#[must_use]
pub fn complete(line: &str, tree: Option<&Tree>) -> Vec<String> {
    let (before, word) = match line.rfind(char::is_whitespace) {
        Some(at) => line.split_at(at + 1),
        None => ("", line),
    };
    if before.trim().is_empty() {
        return COMMANDS
            .iter()
            .filter(|c| c.name.starts_with(word))
            .map(|c| format!("{} ", c.name))
            .collect();
    }
    let (Some(tree), Some(slash)) = (tree, word.rfind('/')) else {
        return Vec::new();
    };
    let (parent, begun) = (&word[..slash], &word[slash + 1..]);
    tree.children(parent)
        .filter(|name| name.starts_with(begun))
        .take(50)
        .map(|name| format!("{before}{parent}/{name}"))
        .collect()
}

/// As far as all candidates agree.
#[must_use]
pub fn common(all: &[String]) -> String {
    let Some(first) = all.first() else {
        return String::new();
    };
    let mut end = first.len();
    for other in &all[1..] {
        let same = first
            .char_indices()
            .zip(other.chars())
            .find(|((_, a), b)| a != b)
            .map_or(first.len().min(other.len()), |((at, _), _)| at);
        end = end.min(same);
    }
    first[..end].to_owned()
}

/// What is wrong, in words.
#[must_use]
pub fn wrong(wrong: &Wrong, lang: Lang) -> String {
    match (wrong, lang) {
        (Wrong::Unknown(name), Lang::En) => {
            format!("There is no command {name}; help lists those that there are.")
        }
        (Wrong::Unknown(name), Lang::Zh) => format!("没有 {name} 这个命令；输入 help 查看全部。"),
        (Wrong::Usage(usage), Lang::En) => format!("It is used like this: {usage}"),
        (Wrong::Usage(usage), Lang::Zh) => format!("用法：{usage}"),
        (Wrong::Path(path), Lang::En) => format!("{path} is no path: a path begins with /"),
        (Wrong::Path(path), Lang::Zh) => format!("{path} 不是路径：路径以 / 开头"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::request_text;

    fn asked(line: &str) -> Request {
        match parse(line) {
            Ok(Line::Request(request)) => request,
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn a_line_says_what_the_request_says() {
        for line in [
            "get /a",
            "get -w /a",
            "ls /",
            "create /a one",
            "create -s -e /a/n- two words",
            "set /a three",
            "delete /a",
            "sync /",
            "exists /a",
        ] {
            assert_eq!(request_text(&asked(line)), line);
        }
        assert_eq!(asked("GET /a"), asked("get /a"));
        let Request::Write(Write::SetData { version, .. }) = asked("set -v 4 /a b") else {
            panic!("a write");
        };
        assert_eq!(version, 4);
        let Request::Write(Write::Create(made)) = asked("create -t 500 /a") else {
            panic!("a create");
        };
        assert_eq!((made.op, made.data), (CreateOp::Ttl(500), None));
        assert_eq!(parse("connect 3"), Ok(Line::Connect(ServerId(3))));
        assert_eq!(parse("   "), Ok(Line::Empty));
    }

    #[test]
    fn a_line_that_says_nothing_is_told_how_it_is_used() {
        assert_eq!(parse("frob /a"), Err(Wrong::Unknown("frob".to_owned())));
        assert_eq!(parse("get a"), Err(Wrong::Path("a".to_owned())));
        for line in [
            "get",
            "get -x /a",
            "set /a",
            "delete -v x /a",
            "create -c -e /a",
            "create -t /a",
            "connect me",
            "addauth digest",
        ] {
            assert!(matches!(parse(line), Err(Wrong::Usage(_))), "{line}");
        }
    }

    #[test]
    fn every_command_that_help_lists_is_read() {
        for command in COMMANDS {
            assert!(!matches!(parse(command.name), Err(Wrong::Unknown(_))));
        }
        assert_eq!(help().count(), COMMANDS.len());
    }

    #[test]
    fn a_line_is_completed_by_commands_and_by_the_paths_of_the_server() {
        assert_eq!(complete("getA", None), ["getAcl ", "getAllChildrenNumber "]);
        assert_eq!(common(&complete("getA", None)), "getA");
        let tree = Tree::new();
        assert_eq!(
            complete("get /zookeeper/q", Some(&tree)),
            ["get /zookeeper/quota"]
        );
        assert_eq!(complete("get nothing", Some(&tree)), Vec::<String>::new());
        assert_eq!(common(&["ab".to_owned(), "ac".to_owned()]), "a");
        assert_eq!(common(&["é".to_owned(), "è".to_owned()]), "");
    }
}

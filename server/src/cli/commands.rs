//! zkCli's commands: their options, their texts, what they do.

use super::{
    args::{self, Opt, Parsed, switch, value},
    outcome::{Failure, Outcome},
    print, quota,
};
use crate::{
    client::{Client, ClientError},
    config::Ensemble,
};
use base64::Engine;
use serde_json::{Value, json};
use std::{cell::RefCell, collections::VecDeque, fs, sync::Arc};
use zabscope_core::{
    request::{Acl, AddWatchMode, CreateMode, Data, ErrorCode, Stat, WatcherType, perms},
    tree::path,
};

type Done = Result<Outcome, Failure>;

/// A command that asks a server.
pub struct Command {
    name: &'static str,
    synopsis: &'static str,
    options: &'static [Opt],
    /// Whether the usage text explains the options, as only those of `get` and `set` does.
    explained: bool,
    /// The least number of words, the name included.
    words: usize,
    run: fn(&Ask<'_>) -> Done,
}

/// A command that was called.
struct Ask<'a> {
    client: &'a Client,
    args: Parsed,
    /// What is said on stderr whether it succeeds or not.
    notes: RefCell<String>,
}

impl Ask<'_> {
    fn path(&self) -> &str {
        self.args.words.get(1).map_or("", String::as_str)
    }

    fn word(&self, index: usize) -> Option<&str> {
        self.args.words.get(index).map(String::as_str)
    }

    fn has(&self, option: &str) -> bool {
        self.args.has(option)
    }

    /// Of the path that the command is about.
    fn failed(&self, error: ClientError) -> Failure {
        Failure::client(error, self.path())
    }

    fn note(&self, text: &str) {
        self.notes.borrow_mut().push_str(text);
    }

    fn version(&self) -> Result<i32, Failure> {
        self.args.number("v", -1)
    }
}

const S: Opt = switch("s", "stats");
const W: Opt = switch("w", "watch");

#[rustfmt::skip]
const COMMANDS: &[Command] = &[
    Command { name: "addWatch", synopsis: "[-m mode] path # optional mode is one of [PERSISTENT, PERSISTENT_RECURSIVE] - default is PERSISTENT_RECURSIVE",
        options: &[value("m", "")], explained: false, words: 2, run: add_watch },
    Command { name: "addauth", synopsis: "scheme auth", options: &[], explained: false, words: 2, run: add_auth },
    Command { name: "config", synopsis: "[-c] [-w] [-s]",
        options: &[S, W, switch("c", "client connection string")], explained: false, words: 1, run: config },
    Command { name: "create", synopsis: "[-s] [-e] [-c] [-t ttl] path [data] [acl]",
        options: &[switch("e", "ephemeral"), switch("s", "sequential"), switch("c", "container"), value("t", "ttl")],
        explained: false, words: 2, run: create },
    Command { name: "delete", synopsis: "[-v version] path", options: &[value("v", "version")],
        explained: false, words: 2, run: delete },
    Command { name: "deleteall", synopsis: "path [-b batch size]", options: &[value("b", "batch size")],
        explained: false, words: 2, run: delete_all },
    Command { name: "delquota", synopsis: "[-n|-b|-N|-B] path",
        options: &[switch("n", "num soft quota"), switch("b", "bytes soft quota"), switch("N", "num hard quota"), switch("B", "bytes hard quota")],
        explained: false, words: 2, run: del_quota },
    Command { name: "get", synopsis: "[-s] [-w] [-b] [-x] path",
        options: &[switch("s", "Print znode stats additionally"), switch("w", "Watch for changes on the znode"),
            switch("b", "Output data in base64 format"), switch("x", "Output data in hexdump format")],
        explained: true, words: 2, run: get },
    Command { name: "getAcl", synopsis: "[-s] path", options: &[S], explained: false, words: 2, run: get_acl },
    Command { name: "getAllChildrenNumber", synopsis: "path", options: &[], explained: false, words: 2, run: count },
    Command { name: "getEphemerals", synopsis: "path", options: &[], explained: false, words: 1, run: ephemerals },
    Command { name: "listquota", synopsis: "path", options: &[], explained: false, words: 2, run: list_quota },
    Command { name: "ls", synopsis: "[-s] [-w] [-R] path",
        options: &[switch("?", "help"), switch("s", "stat"), W, switch("R", "recurse")], explained: false, words: 2, run: ls },
    Command { name: "reconfig", synopsis: "[-s] [-v version] [[-file path] | [-members serverID=host:port1:port2;port3[,...]*]] | [-add serverId=host:port1:port2;port3[,...]]* [-remove serverId[,...]*]",
        options: &[S, value("v", "required current config version"), value("file", "path of config file to parse for membership"),
            value("members", "comma-separated list of config strings for non-incremental reconfig"),
            value("add", "comma-separated list of config strings for new servers"),
            value("remove", "comma-separated list of server IDs to remove")],
        explained: false, words: 1, run: reconfig },
    Command { name: "removewatches", synopsis: "path [-c|-d|-a|-p|-r] [-l]",
        options: &[switch("c", "child watcher type"), switch("d", "data watcher type"), switch("a", "any watcher type"),
            switch("p", "persistent watcher type"), switch("r", "persistent recursive watcher type"),
            switch("l", "remove locally when there is no server connection")],
        explained: false, words: 2, run: remove_watches },
    Command { name: "set", synopsis: "path data [-s] [-v version] [-b]",
        options: &[switch("s", "Print znode stats additionally"), value("v", "Set with an expected version"),
            switch("b", "Supply data in base64 format")],
        explained: true, words: 3, run: set },
    Command { name: "setAcl", synopsis: "[-s] [-v version] [-R] path acl",
        options: &[S, value("v", "version"), switch("R", "recursive")], explained: false, words: 3, run: set_acl },
    Command { name: "setquota", synopsis: "-n|-b|-N|-B val path",
        options: &[value("n", "num soft quota"), value("b", "bytes soft quota"), value("N", "num hard quota"), value("B", "bytes hard quota")],
        explained: false, words: 2, run: set_quota },
    Command { name: "stat", synopsis: "[-w] path", options: &[W], explained: false, words: 2, run: stat },
    Command { name: "sync", synopsis: "path", options: &[], explained: false, words: 2, run: sync },
    Command { name: "version", synopsis: "", options: &[], explained: false, words: 1, run: version },
    Command { name: "whoami", synopsis: "", options: &[], explained: false, words: 1, run: who_am_i },
];

/// The commands of the shell itself.
const OF_SHELL: &[(&str, &str)] = &[
    ("close", ""),
    ("connect", "host:port"),
    ("history", ""),
    ("printwatches", "on|off"),
    ("quit", ""),
    ("redo", "cmdno"),
];

/// Every command's name, `help` included, which zkCli does not have.
pub fn names() -> impl Iterator<Item = &'static str> {
    let of_shell = OF_SHELL.iter().map(|(name, _)| *name);
    COMMANDS
        .iter()
        .map(|c| c.name)
        .chain(of_shell)
        .chain(["help"])
}

/// Whether a word is a command's name.
pub fn is_command(word: &str) -> bool {
    names().any(|name| name == word)
}

/// What zkCli prints about its commands.
#[must_use]
pub fn usage() -> String {
    let mut lines: Vec<(&str, &str)> = COMMANDS.iter().map(|c| (c.name, c.synopsis)).collect();
    lines.extend(OF_SHELL);
    lines.sort_unstable();
    let head = "ZooKeeper -server host:port -client-configuration properties-file cmd args\n";
    let lines = lines
        .iter()
        .map(|(name, synopsis)| format!("\t{name} {synopsis}\n"));
    head.to_owned() + &lines.collect::<String>()
}

impl Command {
    pub fn find(name: &str) -> Option<&'static Command> {
        COMMANDS.iter().find(|c| c.name == name)
    }

    fn usage(&self) -> Failure {
        let mut text = format!("{} {}", self.name, self.synopsis);
        if self.explained {
            text += "\n";
            text += &args::list(self.options);
        }
        Failure::Wrong(text)
    }

    /// Runs it; the first word is its name.
    pub fn run(&self, client: &Client, words: &[String]) -> Done {
        let mut parsed = args::parse(self.options, words)?;
        let mut notes = String::new();
        // What old versions of zkCli took for "watch".
        if matches!(self.name, "ls" | "get" | "stat") && parsed.words.len() > 2 {
            let (old, new) = match self.name {
                "get" => ("get path [watch]", "get [-s] [-w] path"),
                "ls" => ("ls path [watch]", "ls [-w] path"),
                _ => ("stat path [watch]", "stat [-w] path"),
            };
            notes = format!("'{old}' has been deprecated. Please use '{new}' instead.\n");
            let mut words = words.to_vec();
            if let Some(word) = words.get_mut(2) {
                "-w".clone_into(word);
            }
            parsed = args::parse(self.options, &words)?;
        }
        if parsed.words.len() < self.words || (self.name == "addWatch" && parsed.words.len() != 2) {
            return Err(self.usage());
        }
        let ask = Ask {
            client,
            args: parsed,
            notes: RefCell::new(notes),
        };
        let result = (self.run)(&ask);
        let notes = ask.notes.into_inner();
        match result {
            Ok(mut outcome) => {
                outcome.err.insert_str(0, &notes);
                Ok(outcome)
            }
            Err(failure) if notes.is_empty() => Err(failure),
            Err(failure) => Err(Failure::Noted(notes, Box::new(failure))),
        }
    }
}

fn usage_of(name: &str) -> Failure {
    Command::find(name).map_or_else(|| Failure::wrong(name), Command::usage)
}

fn with_stat(mut out: Outcome, stat: &Stat, wanted: bool) -> Outcome {
    if wanted {
        out.out += &print::stat(stat);
    }
    if let Value::Object(fields) = &mut out.json {
        fields.insert("stat".to_owned(), print::stat_json(stat));
    }
    out
}

fn ls(ask: &Ask<'_>) -> Done {
    let watch = ask.has("w");
    let mut help = String::new();
    if ask.has("?") {
        let options = Command::find("ls").map_or(&[][..], |c| c.options);
        help = format!("usage: ls [options] path\n{}", args::list(options));
    }
    if ask.has("R") {
        let paths = subtree(ask, watch)?;
        let text: String = paths.iter().map(|p| format!("{p}\n")).collect();
        return Ok(Outcome::both(
            help + &text,
            json!({ "path": ask.path(), "paths": paths }),
        ));
    }
    let (names, stat) = ask
        .client
        .get_children(ask.path(), watch)
        .map_err(|e| ask.failed(e))?;
    let names: Vec<&str> = names.iter().map(|n| &**n).collect();
    let text = format!("{help}[{}]\n", names.join(", "));
    let json = json!({ "path": ask.path(), "children": names });
    Ok(with_stat(Outcome::both(text, json), &stat, ask.has("s")))
}

/// A node and all below it; each node's children together, in order, before what is below them.
fn subtree(ask: &Ask<'_>, watch: bool) -> Result<Vec<String>, Failure> {
    let root = ask.path().to_owned();
    ask.client
        .get_data(&root, watch)
        .map_err(|e| ask.failed(e))?;
    let mut out = vec![root.clone()];
    let mut open = vec![root];
    while let Some(at) = open.pop() {
        let names = match ask.client.get_children(&at, watch) {
            Ok((names, _)) => names,
            // It went meanwhile.
            Err(ClientError::Server(ErrorCode::NoNode)) => continue,
            Err(e) => return Err(Failure::client(e, &at)),
        };
        let children: Vec<String> = names.iter().map(|n| path::child(&at, n)).collect();
        open.extend(children.iter().rev().cloned());
        out.extend(children);
    }
    Ok(out)
}

fn get(ask: &Ask<'_>) -> Done {
    let (data, stat) = ask
        .client
        .get_data(ask.path(), ask.has("w"))
        .map_err(|e| ask.failed(e))?;
    let text = if ask.has("x") {
        print::hex_dump(&data)
    } else if ask.has("b") {
        print::base64(&data)
    } else {
        print::text(&data)
    };
    let (plain, encoded) = print::data_json(&data);
    let json = json!({ "path": ask.path(), "data": plain, "dataBase64": encoded });
    Ok(with_stat(
        Outcome::both(text + "\n", json),
        &stat,
        ask.has("s"),
    ))
}

fn bytes(text: &str) -> Data {
    Some(Arc::from(text.as_bytes()))
}

fn create(ask: &Ask<'_>) -> Done {
    let [e, s, c, t] = ["e", "s", "c", "t"].map(|o| ask.has(o));
    if c && (e || s) {
        let why =
            "-c cannot be combined with -s or -e. Containers cannot be ephemeral or sequential.";
        return Err(Failure::wrong(why));
    }
    let ttl: i64 = ask
        .args
        .number("t", 0)
        .map_err(|_| Failure::wrong("-t argument must be a long value"))?;
    if t && e {
        return Err(Failure::wrong("TTLs cannot be used with Ephemeral znodes"));
    }
    if t && c {
        return Err(Failure::wrong("TTLs cannot be used with Container znodes"));
    }
    if t && !(1..1 << 40).contains(&ttl) {
        let why = format!(
            "ttl must be positive and cannot be larger than: {}",
            (1_i64 << 40) - 1
        );
        return Err(Failure::Wrong(why));
    }
    let mode = match (e, s, c, t) {
        (true, true, ..) => CreateMode::EphemeralSequential,
        (true, false, ..) => CreateMode::Ephemeral,
        (_, true, _, true) => CreateMode::PersistentSequentialWithTtl,
        (_, true, _, false) => CreateMode::PersistentSequential,
        (_, _, true, _) => CreateMode::Container,
        (_, _, _, true) => CreateMode::PersistentWithTtl,
        _ => CreateMode::Persistent,
    };
    let acl = match ask.word(3) {
        Some(text) => parse_acl(text, ask),
        None => open_acl(),
    };
    let made = ask
        .client
        .create(ask.path(), ask.word(2).and_then(bytes), acl, mode, ttl);
    let made = made.map_err(|e| ask.failed(e))?;
    let mut outcome = Outcome::note(format!("Created {made}\n"));
    outcome.json = json!({ "path": &*made });
    Ok(outcome)
}

/// Everybody may do everything.
pub(super) fn open_acl() -> Arc<[Acl]> {
    Arc::from([Acl {
        perms: perms::ALL,
        scheme: "world".into(),
        id: "anyone".into(),
    }])
}

/// `scheme:id:perms,…`; what can't be read is said and left out, as zkCli does.
fn parse_acl(text: &str, ask: &Ask<'_>) -> Arc<[Acl]> {
    let mut list = Vec::new();
    for one in text.split(',') {
        let parts = one.split_once(':').and_then(|(scheme, rest)| {
            let (id, letters) = rest.rsplit_once(':')?;
            Some((scheme, id, letters))
        });
        let Some((scheme, id, letters)) = parts else {
            ask.note(&format!("{one} does not have the form scheme:id:perm\n"));
            continue;
        };
        let mut bits = 0;
        for letter in letters.chars() {
            bits |= match letter {
                'r' => perms::READ,
                'w' => perms::WRITE,
                'c' => perms::CREATE,
                'd' => perms::DELETE,
                'a' => perms::ADMIN,
                _ => {
                    ask.note(&format!("Unknown perm type: {letter}\n"));
                    0
                }
            };
        }
        list.push(Acl {
            perms: bits,
            scheme: scheme.into(),
            id: id.into(),
        });
    }
    list.into()
}

fn delete(ask: &Ask<'_>) -> Done {
    let version = ask.version()?;
    ask.client
        .delete(ask.path(), version)
        .map_err(|e| ask.failed(e))?;
    let mut outcome = Outcome::default();
    if ask.args.words.len() > 2 {
        outcome.err = "'delete path [version]' has been deprecated. Please use 'delete [-v version] path' instead.\n".to_owned();
    }
    Ok(outcome)
}

fn delete_all(ask: &Ask<'_>) -> Done {
    let batch: usize = ask
        .args
        .number::<i32>("b", 1000)
        .map(|n| usize::try_from(n).unwrap_or(0))
        .map_err(|_| Failure::wrong("-b argument must be an int value"))?;
    // Parents before children; the other way round when deleting.
    let mut tree = vec![ask.path().to_owned()];
    let mut open = VecDeque::from(tree.clone());
    while let Some(at) = open.pop_front() {
        let (names, _) = ask
            .client
            .get_children(&at, false)
            .map_err(|e| Failure::client(e, &at))?;
        for name in &names {
            let child = path::child(&at, name);
            tree.push(child.clone());
            open.push_back(child);
        }
    }
    tree.reverse();
    let mut failed = false;
    if batch == 0 {
        for at in &tree {
            ask.client
                .delete(at, -1)
                .map_err(|e| Failure::client(e, at))?;
        }
    } else {
        for some in tree.chunks(batch) {
            match ask.client.delete_all(some) {
                Ok(()) => {}
                Err(ClientError::Server(_)) => failed = true,
                Err(e) => return Err(ask.failed(e)),
            }
        }
    }
    let mut outcome = Outcome::both(String::new(), json!({ "ok": !failed, "deleted": tree }));
    if failed {
        outcome.err = "Failed to delete some node(s) in the subtree!\n".to_owned();
        outcome.json = json!({ "ok": false });
    }
    Ok(outcome)
}

fn set(ask: &Ask<'_>) -> Done {
    let text = ask.word(2).unwrap_or_default();
    let data = if ask.has("b") {
        let decoded = base64::engine::general_purpose::STANDARD.decode(text);
        Some(
            decoded
                .map_err(|e| Failure::Wrong(format!("the data is not base64: {e}")))?
                .into(),
        )
    } else {
        bytes(text)
    };
    let stat = ask
        .client
        .set_data(ask.path(), data, ask.version()?)
        .map_err(|e| ask.failed(e))?;
    let json = json!({ "path": ask.path() });
    Ok(with_stat(
        Outcome::both(String::new(), json),
        &stat,
        ask.has("s"),
    ))
}

fn stat(ask: &Ask<'_>) -> Done {
    let found = ask
        .client
        .exists(ask.path(), ask.has("w"))
        .map_err(|e| ask.failed(e))?;
    let stat = found.ok_or_else(|| ask.failed(ClientError::Server(ErrorCode::NoNode)))?;
    let json = json!({ "path": ask.path() });
    Ok(with_stat(Outcome::both(String::new(), json), &stat, true))
}

fn get_acl(ask: &Ask<'_>) -> Done {
    let (acl, stat) = ask.client.get_acl(ask.path()).map_err(|e| ask.failed(e))?;
    let json = json!({ "path": ask.path(), "acl": print::acls_json(&acl) });
    Ok(with_stat(
        Outcome::both(print::acls(&acl), json),
        &stat,
        ask.has("s"),
    ))
}

fn set_acl(ask: &Ask<'_>) -> Done {
    let acl = parse_acl(ask.word(2).unwrap_or_default(), ask);
    let version = ask.version()?;
    let json = json!({ "path": ask.path() });
    let mut outcome = Outcome::both(String::new(), json);
    if ask.has("R") {
        for at in subtree(ask, false)? {
            if let Err(e) = ask.client.set_acl(&at, Arc::clone(&acl), version) {
                outcome.out += &format!("{e} for {at}");
            }
        }
    } else {
        let stat = ask
            .client
            .set_acl(ask.path(), acl, version)
            .map_err(|e| ask.failed(e))?;
        outcome = with_stat(outcome, &stat, ask.has("s"));
    }
    Ok(outcome)
}

fn count(ask: &Ask<'_>) -> Done {
    let n = ask
        .client
        .get_all_children_number(ask.path())
        .map_err(|e| ask.failed(e))?;
    Ok(Outcome::both(
        format!("{n}\n"),
        json!({ "path": ask.path(), "count": n }),
    ))
}

fn ephemerals(ask: &Ask<'_>) -> Done {
    let prefix = ask.word(1).unwrap_or("/");
    let paths = ask
        .client
        .get_ephemerals(prefix)
        .map_err(|e| ask.failed(e))?;
    let mut paths: Vec<&str> = paths.iter().map(|p| &**p).collect();
    paths.sort_unstable();
    let text = format!("[{}]\n", paths.join(", "));
    Ok(Outcome::both(text, json!({ "ephemerals": paths })))
}

fn sync(ask: &Ask<'_>) -> Done {
    match ask.client.sync(ask.path()) {
        Ok(()) => Ok(Outcome::both(
            "Sync is OK\n".to_owned(),
            json!({ "ok": true }),
        )),
        Err(ClientError::Server(code)) => Ok(Outcome::text(format!(
            "Sync has failed. rc={}\n",
            code.code()
        ))),
        Err(e) => Err(ask.failed(e)),
    }
}

fn version(ask: &Ask<'_>) -> Done {
    if ask.args.words.len() > 1 {
        return Err(usage_of("version"));
    }
    let version = concat!("zabscope ", env!("CARGO_PKG_VERSION"));
    let text = format!("ZooKeeper CLI version: {version}\n");
    Ok(Outcome::both(text, json!({ "version": version })))
}

fn who_am_i(ask: &Ask<'_>) -> Done {
    let ids = ask.client.who_am_i().map_err(|e| ask.failed(e))?;
    let mut text = "Auth scheme: User\n".to_owned();
    for id in &ids {
        text += &format!("{}: {}\n", id.scheme, id.id);
    }
    let json: Vec<Value> = ids
        .iter()
        .map(|id| json!({ "scheme": &*id.scheme, "user": &*id.id }))
        .collect();
    Ok(Outcome::both(text, json!({ "ids": json })))
}

fn add_auth(ask: &Ask<'_>) -> Done {
    let scheme = ask.word(1).unwrap_or_default();
    let auth = ask.word(2).unwrap_or_default();
    let added = ask.client.add_auth(scheme, auth.as_bytes());
    added.map_err(|e| Failure::client(e, ""))?;
    Ok(Outcome::default())
}

fn add_watch(ask: &Ask<'_>) -> Done {
    let mode = match ask.args.value("m").map(str::to_uppercase).as_deref() {
        None | Some("PERSISTENT_RECURSIVE") => AddWatchMode::PersistentRecursive,
        Some("PERSISTENT") => AddWatchMode::Persistent,
        Some(_) => return Err(usage_of("addWatch")),
    };
    ask.client
        .add_watch(ask.path(), mode)
        .map_err(|e| ask.failed(e))?;
    Ok(Outcome::default())
}

fn remove_watches(ask: &Ask<'_>) -> Done {
    let kinds = [
        ("c", WatcherType::Children),
        ("d", WatcherType::Data),
        ("p", WatcherType::Persistent),
        ("r", WatcherType::PersistentRecursive),
    ];
    let kind = kinds.iter().find(|(option, _)| ask.has(option));
    let kind = kind.map_or(WatcherType::Any, |(_, kind)| *kind);
    let removed = ask.client.remove_watches(ask.path(), kind, ask.has("l"));
    removed.map_err(|e| ask.failed(e))?;
    Ok(Outcome::default())
}

fn config(ask: &Ask<'_>) -> Done {
    let got = ask.client.get_config(ask.has("w"));
    let (data, stat) = got.map_err(|e| Failure::client(e, "/zookeeper/config"))?;
    let text = print::text(&data);
    let shown = if ask.has("c") {
        // What can't be read has no addresses, as in zkCli.
        let ensemble = Ensemble::parse_text(&text).unwrap_or_else(|_| Ensemble::empty());
        let clients: Vec<String> = ensemble
            .members
            .values()
            .map(|m| {
                m.client
                    .as_ref()
                    .map(ToString::to_string)
                    .unwrap_or_default()
            })
            .collect();
        let version = text.lines().find_map(|l| l.strip_prefix("version="));
        format!("{} {}", version.unwrap_or_default(), clients.join(","))
    } else {
        text
    };
    let json = json!({ "config": shown });
    Ok(with_stat(
        Outcome::both(shown + "\n", json),
        &stat,
        ask.has("s"),
    ))
}

fn reconfig(ask: &Ask<'_>) -> Done {
    let [file, members, add, remove] =
        ["file", "members", "add", "remove"].map(|o| ask.args.value(o));
    if file.or(members).or(add).or(remove).is_none() {
        return Err(usage_of("reconfig"));
    }
    let version = match ask.args.value("v") {
        None => -1,
        Some(hex) => i64::from_str_radix(hex, 16)
            .map_err(|_| Failure::wrong("-v must be followed by a long (configuration version)"))?,
    };
    if file.or(members).is_some() && add.or(remove).is_some() {
        return Err(Failure::wrong(
            "Can't use -file or -members together with -add or -remove (mixing incremental and \
             non-incremental modes is not allowed)",
        ));
    }
    if file.is_some() && members.is_some() {
        return Err(Failure::wrong(
            "Can't use -file and -members together (conflicting non-incremental modes)",
        ));
    }
    let members = match (file, members) {
        (Some(file), _) => {
            let wrong = |why: String| Failure::Wrong(format!("Error processing {file}: {why}"));
            let text = fs::read_to_string(file).map_err(|e| wrong(e.to_string()))?;
            let ensemble = Ensemble::parse_text(&text).map_err(|e| wrong(e.to_string()))?;
            Some(ensemble.quorum_text().into())
        }
        (None, members) => members.map(|m| m.to_lowercase().into()),
    };
    let lower = |text: Option<&str>| text.map(|t| t.to_lowercase().into());
    let done = ask
        .client
        .reconfig(lower(add), lower(remove), members, version);
    let (data, stat) = done.map_err(|e| Failure::client(e, ""))?;
    let text = print::text(&data);
    let json = json!({ "config": text });
    let shown = format!("Committed new configuration:\n{text}\n");
    Ok(with_stat(Outcome::both(shown, json), &stat, ask.has("s")))
}

fn set_quota(ask: &Ask<'_>) -> Done {
    if ask.path().starts_with(quota::ROOT) {
        let text = format!("cannot set a quota under the path: {}\n", quota::ROOT);
        return Ok(Outcome::note(text));
    }
    let mut track = quota::Track::default();
    for (option, key, least, what) in [
        (
            "n",
            quota::COUNT,
            1,
            "the num quota must be greater than zero",
        ),
        (
            "b",
            quota::BYTES,
            0,
            "the bytes quota must be greater than or equal to zero",
        ),
        (
            "N",
            quota::COUNT_HARD,
            1,
            "the num quota must be greater than zero",
        ),
        (
            "B",
            quota::BYTES_HARD,
            0,
            "the bytes quota must be greater than or equal to zero",
        ),
    ] {
        let Some(text) = ask.args.value(option) else {
            continue;
        };
        match text.parse::<i64>() {
            Ok(n) if n >= least => track.set(key, n),
            Ok(_) => return Ok(Outcome::note(format!("{what}\n"))),
            Err(_) => {
                let text = "NumberFormatException happens when parsing the option value\n";
                return Ok(Outcome::note(text.to_owned()));
            }
        }
    }
    if track.is_empty() {
        return Ok(Outcome::note(format!("{}\n", usage_of("setquota"))));
    }
    quota::set(ask.client, ask.path(), &track)
}

fn list_quota(ask: &Ask<'_>) -> Done {
    quota::list(ask.client, ask.path())
}

fn del_quota(ask: &Ask<'_>) -> Done {
    let all = [
        ("n", quota::COUNT),
        ("b", quota::BYTES),
        ("N", quota::COUNT_HARD),
        ("B", quota::BYTES_HARD),
    ];
    let given: Vec<_> = all.iter().filter(|(option, _)| ask.has(option)).collect();
    if let [(first, _), (second, _), ..] = given.as_slice() {
        return Err(Failure::Wrong(format!(
            "The option '{second}' was specified but an option from this group has already been selected: '{first}'"
        )));
    }
    quota::delete(ask.client, ask.path(), given.first().map(|(_, key)| *key))
}

//! docs/configuration.md, from the table of keys.

use super::keys::{Key, Kind, SECTIONS, Use};
use std::fmt::Write;

const HEAD: &str = "\
# Configuration

<!-- Made from server/src/config/keys.rs; to make it again:
     ZABSCOPE_WRITE_DOCS=1 cargo test -p zabscope-server --lib configuration_md -->

`zabscope serve zoo.cfg` reads Apache ZooKeeper's own configuration: the same file, the same names, units and
defaults. Without a file, a server on its own listens on 127.0.0.1:2181.

## How it is read

* The file is in Java's .properties format: `#` and `!` begin comments, `=`, `:` or a blank ends a key, `\\` at the
  end of a line continues it. It is read as UTF-8, or as Latin-1 if it is not valid UTF-8.
* A setting can come from four places; each goes before those above it:
  1. the default in the tables below,
  2. `-Dname=value` in the environment variable `SERVER_JVMFLAGS`, for keys with a system property,
  3. the file,
  4. `--set key=value` on the command line.

  The file goes before system properties because Apache's server turns its lines into properties when it reads them.
* A key may also be written with `zookeeper.` before it, or by its system property's name. `jute.maxbuffer`,
  `readonlymode.enabled` and the `znode.container.` keys count in the file too, where Apache's server does not look.
* Everything that is wrong is told at once, each with file, line and key. An unknown key is a warning.
* With `dynamicConfigFile`, the members (`server.`, `group.`, `weight.`) stand in that file, whose name ends with the
  version in hexadecimal; `<zoo.cfg>.dynamic.next`, if it is there, holds a reconfiguration that was under way.
* An ensemble's server finds its own number in the file `myid` in dataDir.

## What the column \"Effect\" says

* **yes**: it does what the table says.
* **ignored**: accepted, without effect, for the reason given; a warning says so.
* **refused**: the server does not start with it, for the reason given.
";

/// The text of docs/configuration.md.
#[must_use]
pub fn markdown() -> String {
    let mut out = HEAD.to_owned();
    for section in SECTIONS {
        // Writing to a String can't fail.
        let _ = write!(
            out,
            "\n## {}\n\n| Key | System property | Values | Default | Effect | What it does |\n|---|---|---|---|---|---|\n",
            section.title
        );
        for key in section.keys {
            row(&mut out, key);
        }
    }
    out
}

fn row(out: &mut String, key: &Key) {
    let property = match key.property_name() {
        Some(name) => format!("`{name}`"),
        None => "–".to_owned(),
    };
    let also: Vec<String> = key.also.iter().map(|n| format!(" or `{n}`")).collect();
    let default = match key.default.strip_prefix('=') {
        Some(said) => said.to_owned(),
        None if key.default.is_empty() => "–".to_owned(),
        None => format!("`{}`", key.default),
    };
    let (effect, why) = match key.used {
        Use::Effective => ("yes", String::new()),
        Use::Ignored(why) => ("ignored", format!(" Ignored: {why}.")),
        Use::Refused(why) => ("refused", format!(" Refused: {why}.")),
    };
    let about = format!("{}{why}", key.about);
    let cells = [
        format!("`{}`{}", key.name, also.concat()),
        property,
        values(key),
        default,
        effect.to_owned(),
        about,
    ];
    let _ = writeln!(
        out,
        "| {} |",
        cells.map(|c| c.replace('|', "\\|")).join(" | ")
    );
}

fn values(key: &Key) -> String {
    let words = match key.kind {
        Kind::Bool => "true, false".to_owned(),
        Kind::YesNo => "yes, no".to_owned(),
        Kind::Int(3, 3) => "3".to_owned(),
        Kind::Int(..) if key.unit.is_empty() => "number".to_owned(),
        Kind::Int(..) | Kind::Hours => key.unit.to_owned(),
        Kind::Real(..) => "number".to_owned(),
        Kind::Text => "text".to_owned(),
        Kind::Path => "path".to_owned(),
        Kind::List => "list".to_owned(),
        Kind::OneOf(words) => words
            .iter()
            .map(|w| if w.is_empty() { "empty" } else { w })
            .collect::<Vec<_>>()
            .join(", "),
        Kind::Member => "member".to_owned(),
        Kind::Ids => "server ids".to_owned(),
    };
    if matches!(key.used, Use::Ignored(_) | Use::Refused(_)) {
        "–".to_owned()
    } else {
        words
    }
}

//! Settings from all sources, each with where it was written; not yet a configuration.
//!
//! Precedence, weakest first: the default, `-D` in SERVER_JVMFLAGS, the file, `--set`. The file goes
//! before the system properties because Apache turns its lines into system properties when it reads
//! them.

use super::{
    keys::{self, Key, Kind, Property, Use},
    problem::{Origin, Problem},
    properties, values,
};
use std::{collections::BTreeMap, path::Path, time::Duration};
use zabscope_core::members::shown;

/// A setting and where it was written.
#[derive(Clone, Debug)]
pub struct Given {
    /// The key in the table.
    pub key: &'static Key,
    /// The value as text.
    pub text: String,
    /// Where.
    pub origin: Origin,
}

/// What was set, and what is wrong or odd about it so far.
#[derive(Debug, Default)]
pub struct Settings {
    /// By name: the table's, or the full one of a member of a family (`server.1`).
    given: BTreeMap<String, Given>,
    pub errors: Vec<Problem>,
    pub warnings: Vec<Problem>,
}

impl Settings {
    /// Sets what goes before the table's default but after all that people write.
    pub fn add_default(&mut self, name: &str, value: &str) {
        self.add(name, value, Origin::Nowhere);
    }

    /// Adds the `-D` of SERVER_JVMFLAGS.
    pub fn add_jvm_flags(&mut self, flags: &str) {
        let mut java = Vec::new();
        for word in properties::words(flags) {
            let Some((name, value)) = word
                .strip_prefix("-D")
                .map(|d| d.split_once('=').unwrap_or((d, "")))
            else {
                java.push(word);
                continue;
            };
            let known = keys::find(name);
            match known {
                Some(key) if key.property == Property::FileOnly => {
                    let what = "is no system property of Apache's server and is ignored";
                    self.warn(
                        Origin::JvmFlags,
                        name,
                        what,
                        "set it in the file or with --set",
                    );
                }
                Some(key)
                    if name.starts_with("zookeeper.")
                        || key.property == Property::Named(key.name) =>
                {
                    self.set(key, name, value.to_owned(), Origin::JvmFlags);
                }
                None if name.starts_with("zookeeper.") => self.unknown(Origin::JvmFlags, name),
                Some(_) | None => java.push(word),
            }
        }
        if !java.is_empty() {
            let what = format!("ignored, as they are for a JVM: {}", shown(&java.join(" ")));
            self.warn(Origin::JvmFlags, "", what, "");
        }
    }

    /// Adds the lines of a file.
    pub fn add_file(&mut self, path: &Path, bytes: &[u8]) {
        let (entries, bad) = properties::parse(bytes);
        for line in bad {
            let origin = Origin::Line(path.to_owned(), line.line);
            let todo = "write four hexadecimal digits after \\u, or \\\\ for a backslash";
            self.error(origin, "", "a broken escape \\u", todo);
        }
        let mut lines: BTreeMap<&str, usize> = BTreeMap::new();
        for e in &entries {
            let origin = Origin::Line(path.to_owned(), e.line);
            if let Some(before) = lines.insert(&e.key, e.line) {
                let what = format!("is also on line {before}; this line counts");
                self.warn(origin.clone(), &e.key, what, "remove one of them");
            }
            self.add(&e.key, &e.value, origin);
        }
    }

    /// Adds a `--set key=value`.
    pub fn add_set(&mut self, text: &str) {
        match text.split_once('=') {
            Some((key, value)) => self.add(key.trim(), value.trim(), Origin::Set),
            None => self.error(Origin::Set, text, "has no =", "write --set key=value"),
        }
    }

    fn add(&mut self, name: &str, value: &str, origin: Origin) {
        match keys::find(name) {
            Some(key) => self.set(key, name, value.to_owned(), origin),
            None => self.unknown(origin, name),
        }
    }

    fn set(&mut self, key: &'static Key, name: &str, text: String, origin: Origin) {
        let name = match key.family() {
            Some(_) => name.strip_prefix("zookeeper.").unwrap_or(name),
            None => key.name,
        };
        self.given
            .insert(name.to_owned(), Given { key, text, origin });
    }

    fn unknown(&mut self, origin: Origin, name: &str) {
        if self.warnings.iter().any(|w| w.key == name) {
            return;
        }
        let todo = match keys::nearest(name) {
            Some(meant) => format!("did you mean {meant}?"),
            None => "docs/configuration.md lists all keys".to_owned(),
        };
        self.warn(origin, name, "is not a key and is ignored", todo);
    }

    pub fn warn(
        &mut self,
        origin: Origin,
        key: &str,
        what: impl Into<String>,
        todo: impl Into<String>,
    ) {
        self.warnings.push(Problem::new(origin, key, what, todo));
    }

    pub fn error(
        &mut self,
        origin: Origin,
        key: &str,
        what: impl Into<String>,
        todo: impl Into<String>,
    ) {
        self.errors.push(Problem::new(origin, key, what, todo));
    }

    /// Compares every value with the kind of its key, and says what has no effect.
    pub fn check(&mut self) {
        for (name, g) in self.given.clone() {
            let empty = g.text.is_empty();
            match g.key.used {
                Use::Refused(_) | Use::Ignored(_) if empty => {}
                Use::Refused(why) => self.error(g.origin, &name, why, "remove it"),
                Use::Ignored(why) => {
                    self.warn(g.origin, &name, format!("is ignored: {why}"), "");
                }
                Use::Effective if values::read(g.key.kind, &g.text).is_none() => {
                    let what = format!("\"{}\" is not accepted", shown(&g.text));
                    let todo = format!("write {}", values::wanted(g.key.kind));
                    self.error(g.origin, &name, what, todo);
                }
                Use::Effective => {}
            }
        }
    }

    /// Where a key was set.
    pub fn origin(&self, name: &str) -> Origin {
        self.given
            .get(name)
            .map_or(Origin::Nowhere, |g| g.origin.clone())
    }

    /// Everything given of a family, in order of name: `server.`, `group.` …
    pub fn family(&self, stem: &str) -> Vec<(String, Given)> {
        let all = self.given.iter();
        all.filter(|(name, g)| g.key.family().is_some() && name.starts_with(stem))
            .map(|(name, g)| (name.clone(), g.clone()))
            .collect()
    }

    /// The value of a key, or its default; `None` if there is neither. A value that was not accepted
    /// is told about by `check` and counts as the default here.
    ///
    /// # Panics
    /// If the table has no such key, or its default is not of its kind.
    fn value(&self, name: &str) -> Option<values::Value> {
        let key = keys::find(name).filter(|k| k.name == name);
        let key = key.unwrap_or_else(|| panic!("the table of keys has no {name}"));
        let given = self
            .given
            .get(name)
            .and_then(|g| match (key.kind, g.text.as_str()) {
                (Kind::Text | Kind::Path, "") => None,
                (kind, text) => values::read(kind, text),
            });
        given.or_else(|| {
            let default = key.default_value()?;
            let read = values::read(key.kind, default);
            Some(read.unwrap_or_else(|| panic!("the default of {name} is not of its kind")))
        })
    }

    pub fn flag(&self, name: &str) -> bool {
        match self.value(name) {
            Some(values::Value::Bool(b)) => b,
            other => panic!("{name} is not a flag with a default: {other:?}"),
        }
    }

    /// A whole number, if it is set or has a default.
    pub fn int(&self, name: &str) -> Option<i64> {
        match self.value(name) {
            None => None,
            Some(values::Value::Int(n)) => Some(n),
            other => panic!("{name} is not a whole number: {other:?}"),
        }
    }

    /// A whole number that can't be negative and has a default.
    pub fn count(&self, name: &str) -> u64 {
        let n = self.int(name);
        n.and_then(|n| u64::try_from(n).ok())
            .unwrap_or_else(|| panic!("{name} is not a count with a default: {n:?}"))
    }

    /// A whole number, where a negative one stands for none.
    pub fn positive(&self, name: &str) -> Option<u64> {
        self.int(name).and_then(|n| u64::try_from(n).ok())
    }

    pub fn port(&self, name: &str) -> Option<u16> {
        self.int(name).and_then(|n| u16::try_from(n).ok())
    }

    /// Milliseconds with a default.
    pub fn ms(&self, name: &str) -> Duration {
        Duration::from_millis(self.count(name))
    }

    pub fn real(&self, name: &str) -> f64 {
        match self.value(name) {
            Some(values::Value::Real(x)) => x,
            other => panic!("{name} is not a number with a default: {other:?}"),
        }
    }

    pub fn time(&self, name: &str) -> Duration {
        match self.value(name) {
            Some(values::Value::Time(t)) => t,
            other => panic!("{name} is not a time with a default: {other:?}"),
        }
    }

    pub fn list(&self, name: &str) -> Option<Vec<String>> {
        match self.value(name) {
            None => None,
            Some(values::Value::List(words)) => Some(words),
            other => panic!("{name} is not a list: {other:?}"),
        }
    }

    pub fn text(&self, name: &str) -> Option<String> {
        match self.value(name) {
            None => None,
            Some(values::Value::Text(text)) => Some(text),
            other => panic!("{name} is not text: {other:?}"),
        }
    }

    /// Whether a key was set at all.
    pub fn is_set(&self, name: &str) -> bool {
        self.given.get(name).is_some_and(|g| !g.text.is_empty())
    }
}

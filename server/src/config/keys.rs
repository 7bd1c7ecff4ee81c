//! Every key of zoo.cfg in one table: what it is called, what it may be, what it does, and whether
//! this server obeys it. The parser, the messages and docs/configuration.md are made from it.

mod clients;
mod ensemble;
mod files;
mod security;
mod service;

use std::sync::LazyLock;

/// What the value of a key may be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// `true` or `false`, in any case.
    Bool,
    /// `yes` or `no`, in any case. Apache reads every other word as the default, so `false` does not
    /// switch off; here it is an error.
    YesNo,
    /// A whole number within these bounds, both included.
    Int(i64, i64),
    /// A number within these bounds, both included.
    Real(f64, f64),
    /// Any text; empty is the same as absent.
    Text,
    /// A file or directory; empty is the same as absent.
    Path,
    /// Words with commas or blanks between them.
    List,
    /// A time: a number of hours, or a number with a unit (ms, s, m, h, d).
    Hours,
    /// One of these words, in any case.
    OneOf(&'static [&'static str]),
    /// A member of the ensemble, see [`crate::config::Member`].
    Member,
    /// Server ids with colons between them.
    Ids,
}

/// How a key is named as a Java system property.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Property {
    /// It can be set in the file only.
    FileOnly,
    /// `zookeeper.` and the name.
    Prefixed,
    /// This name.
    Named(&'static str),
}

/// Whether a key has an effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// It does what the table says.
    Effective,
    /// Accepted and without effect, because of this.
    Ignored(&'static str),
    /// An error, because of this.
    Refused(&'static str),
}

/// One key.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// The name in zoo.cfg. A name with `<` stands for all that begin with what comes before it.
    pub name: &'static str,
    /// Further names: those that Apache's documentation uses and its code does not.
    pub also: &'static [&'static str],
    /// The name of the system property.
    pub property: Property,
    /// What is accepted.
    pub kind: Kind,
    /// The unit of the value; empty if it has none.
    pub unit: &'static str,
    /// The default as it would be written; one that begins with `=` is said in words and computed.
    pub default: &'static str,
    /// What it does.
    pub about: &'static str,
    /// Whether it does it.
    pub used: Use,
}

impl Key {
    const fn also(mut self, names: &'static [&'static str]) -> Key {
        self.also = names;
        self
    }

    /// The name of the system property, if there is one.
    #[must_use]
    pub fn property_name(&self) -> Option<String> {
        match self.property {
            Property::FileOnly => None,
            Property::Prefixed => Some(format!("zookeeper.{}", self.name)),
            Property::Named(name) => Some(name.to_owned()),
        }
    }

    /// What all names of this family begin with; `None` for a single key.
    #[must_use]
    pub fn family(&self) -> Option<&'static str> {
        self.name.find('<').map(|at| &self.name[..at])
    }

    /// The default as text, if it is not computed and not absent.
    #[must_use]
    pub fn default_value(&self) -> Option<&'static str> {
        (!self.default.is_empty() && !self.default.starts_with('=')).then_some(self.default)
    }

    fn is_called(&self, name: &str) -> bool {
        match self.family() {
            Some(stem) => name.len() > stem.len() && name.starts_with(stem),
            None => {
                let short = match self.property {
                    Property::Named(p) => name == p || Some(name) == p.strip_prefix("zookeeper."),
                    Property::FileOnly | Property::Prefixed => false,
                };
                self.name == name || self.also.contains(&name) || short
            }
        }
    }
}

/// Some keys that belong together.
#[derive(Clone, Copy, Debug)]
pub struct Section {
    /// The heading in docs/configuration.md.
    pub title: &'static str,
    /// The keys.
    pub keys: &'static [Key],
}

/// The whole table, in the order of the documentation.
pub const SECTIONS: &[Section] = &[
    service::BASIC,
    files::FILES,
    clients::CLIENTS,
    clients::THROTTLE,
    ensemble::ENSEMBLE,
    ensemble::TRANSPORT,
    security::AUTHENTICATION,
    security::TLS,
    security::QUORUM_TLS,
    security::METRICS_TLS,
    service::OBSERVE,
    service::OTHER,
];

static KEYS: LazyLock<Vec<&'static Key>> =
    LazyLock::new(|| SECTIONS.iter().flat_map(|s| s.keys).collect());

/// Every key.
pub fn all() -> impl Iterator<Item = &'static Key> {
    KEYS.iter().copied()
}

/// The key that is called `name`, with or without a leading `zookeeper.`.
#[must_use]
pub fn find(name: &str) -> Option<&'static Key> {
    let by = |name: &str| {
        all()
            .find(|k| k.family().is_none() && k.is_called(name))
            .or_else(|| all().find(|k| k.family().is_some() && k.is_called(name)))
    };
    by(name).or_else(|| by(name.strip_prefix("zookeeper.")?))
}

/// The key whose name is nearest to `name`, if one is near enough to be meant.
#[must_use]
pub fn nearest(name: &str) -> Option<&'static str> {
    let name = name.strip_prefix("zookeeper.").unwrap_or(name);
    if name.len() > 64 {
        return None;
    }
    let lower = name.to_lowercase();
    all()
        .filter(|k| k.family().is_none())
        .map(|k| (distance(&lower, &k.name.to_lowercase()), k.name))
        .min()
        .filter(|(d, found)| *d <= 1 + found.len() / 5)
        .map(|(_, found)| found)
}

/// How many characters must change to turn one word into the other (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

// The vocabulary of the tables beside this file.

const B: Kind = Kind::Bool;
const YN: Kind = Kind::YesNo;
const T: Kind = Kind::Text;
const PORT: Kind = Kind::Int(0, 65_535);
/// From 0, 1 or -1 to what a Java int holds.
const N0: Kind = Kind::Int(0, i32::MAX as i64);
const N1: Kind = Kind::Int(1, i32::MAX as i64);
const NM1: Kind = Kind::Int(-1, i32::MAX as i64);
const F: Property = Property::FileOnly;
const Z: Property = Property::Prefixed;
const YES: Use = Use::Effective;

const fn key(
    name: &'static str,
    property: Property,
    kind: Kind,
    unit: &'static str,
    default: &'static str,
    used: Use,
    about: &'static str,
) -> Key {
    Key {
        name,
        also: &[],
        property,
        kind,
        unit,
        default,
        about,
        used,
    }
}

const fn named(name: &'static str) -> Property {
    Property::Named(name)
}

const fn ignored(
    name: &'static str,
    property: Property,
    why: &'static str,
    about: &'static str,
) -> Key {
    key(name, property, T, "", "", Use::Ignored(why), about)
}

const fn refused(
    name: &'static str,
    property: Property,
    why: &'static str,
    about: &'static str,
) -> Key {
    key(name, property, T, "", "", Use::Refused(why), about)
}

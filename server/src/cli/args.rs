//! Words and options, as zkCli and the library that it uses (Commons CLI) take them apart.

use super::outcome::Failure;
use std::collections::BTreeMap;

/// Splits a line: words with blanks between them; one that begins with a quotation mark goes to the
/// next such mark.
#[must_use]
pub fn split(line: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut rest = line.trim_start();
    while let Some(first) = rest.chars().next() {
        let quoted = matches!(first, '"' | '\'')
            .then(|| rest[1..].find(first))
            .flatten();
        let (word, after) = match quoted {
            Some(end) => (&rest[1..=end], &rest[end + 2..]),
            // An open mark counts as none, and is skipped.
            None if matches!(first, '"' | '\'') => {
                rest = rest[1..].trim_start();
                continue;
            }
            None => rest.split_at(rest.find(char::is_whitespace).unwrap_or(rest.len())),
        };
        out.push(word.to_owned());
        rest = after.trim_start();
    }
    out
}

/// An option of a command: its name without the hyphen, what `-h` says, whether it takes a value.
#[derive(Clone, Copy, Debug)]
pub struct Opt {
    pub name: &'static str,
    pub about: &'static str,
    pub value: bool,
}

/// A switch.
pub const fn switch(name: &'static str, about: &'static str) -> Opt {
    Opt {
        name,
        about,
        value: false,
    }
}

/// An option with a value.
pub const fn value(name: &'static str, about: &'static str) -> Opt {
    Opt {
        name,
        about,
        value: true,
    }
}

/// A command line taken apart.
#[derive(Debug, Default)]
pub struct Parsed {
    options: BTreeMap<&'static str, String>,
    /// The other words, the command's name first.
    pub words: Vec<String>,
}

impl Parsed {
    pub fn has(&self, name: &str) -> bool {
        self.options.contains_key(name)
    }

    pub fn value(&self, name: &str) -> Option<&str> {
        self.options.get(name).map(String::as_str)
    }

    /// A number, or the default without the option.
    pub fn number<T: std::str::FromStr>(&self, name: &str, otherwise: T) -> Result<T, Failure> {
        match self.value(name) {
            None => Ok(otherwise),
            Some(text) => text.parse().map_err(|_| {
                Failure::Wrong(format!(
                    "-{name} must be followed by a number, not \"{text}\""
                ))
            }),
        }
    }
}

/// Takes a command line apart.
pub fn parse(options: &[Opt], words: &[String]) -> Result<Parsed, Failure> {
    let find = |name: &str| options.iter().find(|o| o.name == name);
    let is_option = |word: &str| {
        word.strip_prefix('-').is_some_and(|name| {
            let name = name.split('=').next().unwrap_or_default();
            find(name).is_some() || name.get(..1).is_some_and(|first| find(first).is_some())
        })
    };
    let mut parsed = Parsed::default();
    let mut open: Option<&Opt> = None;
    let mut only_words = false;
    for word in words {
        if only_words {
            parsed.words.push(word.clone());
            continue;
        }
        let negative = word.starts_with('-') && word.parse::<f64>().is_ok();
        if let Some(option) = open.take() {
            if negative || !is_option(word) {
                parsed.options.entry(option.name).or_insert(word.clone());
                continue;
            }
            return Err(missing(option));
        }
        let Some(name) = word.strip_prefix('-').filter(|n| !n.is_empty()) else {
            parsed.words.push(word.clone());
            continue;
        };
        if name == "-" {
            only_words = true;
            continue;
        }
        if let Some(option) = find(name) {
            if option.value {
                open = Some(option);
            } else {
                parsed.options.entry(option.name).or_default();
            }
            continue;
        }
        if let Some((name, text)) = name.split_once('=')
            && let Some(option) = find(name).filter(|o| o.value)
        {
            parsed.options.entry(option.name).or_insert(text.to_owned());
            continue;
        }
        together(name, word, &find, &mut parsed, &mut open)?;
    }
    match open {
        Some(option) => Err(missing(option)),
        None => Ok(parsed),
    }
}

/// Several options behind one hyphen, the last perhaps with its value.
fn together<'a>(
    name: &str,
    word: &str,
    find: &impl Fn(&str) -> Option<&'a Opt>,
    parsed: &mut Parsed,
    open: &mut Option<&'a Opt>,
) -> Result<(), Failure> {
    let mut seen = Vec::new();
    for (at, c) in name.char_indices() {
        let rest = &name[at + c.len_utf8()..];
        let Some(option) = find(&name[at..at + c.len_utf8()]) else {
            return Err(Failure::Wrong(format!("Unrecognized option: {word}")));
        };
        if option.value {
            if rest.is_empty() {
                *open = Some(option);
            } else {
                parsed.options.entry(option.name).or_insert(rest.to_owned());
            }
            break;
        }
        seen.push(option.name);
    }
    for name in seen {
        parsed.options.entry(name).or_default();
    }
    Ok(())
}

fn missing(option: &Opt) -> Failure {
    Failure::Wrong(format!("Missing argument for option: {}", option.name))
}

/// The options as Commons CLI lists them below a usage line.
pub fn list(options: &[Opt]) -> String {
    let mut sorted: Vec<&Opt> = options.iter().collect();
    sorted.sort_by_key(|o| o.name.to_lowercase());
    let head = |o: &Opt| format!(" -{}{}", o.name, if o.value { " <arg>" } else { "" });
    let width = sorted.iter().map(|o| head(o).len()).max().unwrap_or(0);
    let lines = sorted
        .iter()
        .map(|o| format!("{:width$}   {}\n", head(o), o.about));
    lines.collect()
}

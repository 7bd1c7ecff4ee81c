//! Values of settings: text against the kind of its key.

use super::keys::Kind;
use std::time::Duration;

/// A value that its key accepts.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Of [`Kind::Bool`] and [`Kind::YesNo`].
    Bool(bool),
    /// Of [`Kind::Int`].
    Int(i64),
    /// Of [`Kind::Real`].
    Real(f64),
    /// Of [`Kind::Hours`].
    Time(Duration),
    /// Of [`Kind::List`].
    List(Vec<String>),
    /// Of all others, as it stands; of [`Kind::OneOf`] in the spelling of the table.
    Text(String),
}

/// The value, or `None` if the kind does not accept it.
pub fn read(kind: Kind, text: &str) -> Option<Value> {
    match kind {
        Kind::Bool => word(text, "true", "false"),
        Kind::YesNo => word(text, "yes", "no"),
        Kind::Int(min, max) => {
            let n: i64 = text.parse().ok()?;
            (min..=max).contains(&n).then_some(Value::Int(n))
        }
        Kind::Real(min, max) => {
            let x: f64 = text.parse().ok()?;
            (min..=max).contains(&x).then_some(Value::Real(x))
        }
        Kind::Hours => hours(text).map(Value::Time),
        Kind::List => {
            let words = text.split([',', ' ', '\t']).filter(|w| !w.is_empty());
            Some(Value::List(words.map(str::to_owned).collect()))
        }
        Kind::OneOf(words) => {
            let found = words.iter().find(|w| w.eq_ignore_ascii_case(text))?;
            Some(Value::Text((*found).to_owned()))
        }
        Kind::Path if text.contains('\0') => None,
        Kind::Text | Kind::Path | Kind::Member | Kind::Ids => Some(Value::Text(text.to_owned())),
    }
}

fn word(text: &str, yes: &str, no: &str) -> Option<Value> {
    let is = |w: &str| text.eq_ignore_ascii_case(w);
    (is(yes) || is(no)).then(|| Value::Bool(is(yes)))
}

fn hours(text: &str) -> Option<Duration> {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().ok().filter(|n| *n <= u64::from(u32::MAX))?;
    let ms = match unit.trim() {
        "" | "h" => 3_600_000,
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        "d" => 86_400_000,
        _ => return None,
    };
    Some(Duration::from_millis(number * ms))
}

/// What to write instead, as the end of "write …".
pub fn wanted(kind: Kind) -> String {
    match kind {
        Kind::Bool => "true or false".to_owned(),
        Kind::YesNo => "yes or no".to_owned(),
        Kind::Int(min, max) if min == max => format!("{min}"),
        Kind::Int(min, max) => format!("a whole number from {min} to {max}"),
        Kind::Real(min, max) => format!("a number from {min} to {max}"),
        Kind::Hours => "a number of hours, or a number with ms, s, m, h or d".to_owned(),
        Kind::OneOf(words) => {
            let words = words
                .iter()
                .map(|w| if w.is_empty() { "nothing" } else { w });
            format!("one of: {}", words.collect::<Vec<_>>().join(", "))
        }
        Kind::Path => "a path without a zero character".to_owned(),
        Kind::List => "words with commas between them".to_owned(),
        Kind::Text => "text".to_owned(),
        Kind::Member => "host:quorumPort:electionPort[:role][;[host:]clientPort]".to_owned(),
        Kind::Ids => "server ids with colons between them".to_owned(),
    }
}

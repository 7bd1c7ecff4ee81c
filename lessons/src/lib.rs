//! Lessons as data, their schema, their player, and the check that they tell the truth.
//!
//! A lesson lives in `data/<nn-name>/`: [`lesson.json`](schema) beside `en.md` and `zh.md`. The data
//! is embedded and read with serde; the text is turned into [typed blocks](Block) when the crate is
//! built. [`Player`] plays a lesson beside the page's run; [`check`] plays it headless, with its
//! solutions, and verifies every claim that the text makes about what happens.
//!
//! How to write one: `README.md` in this crate.

mod check;
mod error;
mod eval;
mod json;
mod lesson;
mod player;
pub mod schema;
mod text;
pub mod worlds;

pub use check::{Report, check, labels};
pub use error::{ErrorKind, LessonError};
pub use eval::{Names, Value};
pub use json::from_json;
pub use lesson::{Lang, Lesson, MAX_RUN, MAX_STEPS};
pub use player::{Advanced, Answer, Ballot, Choice, Instead, Player, Question, Status};
pub use text::{Block, Inline, Part, Section, Text};

use std::sync::Arc;

/// A lesson as it was built in.
struct Embedded {
    name: &'static str,
    json: &'static str,
    en: Text,
    zh: Text,
}

include!(concat!(env!("OUT_DIR"), "/embedded.rs"));

/// A lesson for a list: what can be said without reading its data.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// `10-electing-a-leader`.
    pub name: &'static str,
    en: &'static Text,
    zh: &'static Text,
}

impl Entry {
    /// Title and summary.
    #[must_use]
    pub fn text(&self, lang: Lang) -> &'static Text {
        match lang {
            Lang::En => self.en,
            Lang::Zh => self.zh,
        }
    }

    /// Its number in the curriculum.
    #[must_use]
    pub fn number(&self) -> Option<u32> {
        self.name.split('-').next()?.parse().ok()
    }
}

/// All lessons, in the order of the curriculum.
pub fn catalogue() -> impl ExactSizeIterator<Item = Entry> {
    EMBEDDED.iter().map(|e| Entry {
        name: e.name,
        en: &e.en,
        zh: &e.zh,
    })
}

/// Reads a built-in lesson. `None`: there is no such lesson.
#[must_use]
pub fn load(name: &str) -> Option<Result<Arc<Lesson>, LessonError>> {
    let e = EMBEDDED.iter().find(|e| e.name == name)?;
    Some(Lesson::parse(e.name, e.json, e.en, e.zh).map(Arc::new))
}

/// Reads a deep link, `10-electing-a-leader#3` or `10-electing-a-leader`: the lesson's name and its
/// step from 0. `None`: it is no link to a lesson that there is.
#[must_use]
pub fn parse_link(link: &str) -> Option<(&'static str, usize)> {
    let (name, step) = link.split_once('#').unwrap_or((link, "1"));
    let name = EMBEDDED.iter().find(|e| e.name == name)?.name;
    let step = step.parse::<usize>().ok()?.checked_sub(1)?;
    (step < MAX_STEPS).then_some((name, step))
}

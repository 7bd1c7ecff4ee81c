//! All words that the page says, in English and Simplified Chinese.
//!
//! * [`sentence`]: one fact in a sentence or two: who did what, and why, with the values compared.
//! * [`short`]: the same fact as one line of the event list.
//! * [`why`]: the rule behind it, the values it compared, and where the rule is written down.
//! * [`importance`]: what *Step* stops at, and what is folded away.
//! * [`why_not`]: why something has not happened; [`why_not_eye`]: what a client saw, judged;
//!   [`why_not_if`]: what if; [`why_not_rules`]: the invariants; [`violation`]: what shows that one does
//!   not hold.
//! * [`wait`], [`t`]: what a server waits for; the labels of the page's shell.
//! * [`choice`], [`instead`]: what is computed in a lesson.
//!
//! Both languages of a sentence stand side by side in one place (`say`), so that a sentence which
//! exists in one language only does not compile. A sentence says what the event's fields say, and
//! nothing more; what only the page knows (who sits behind a connection) comes in through
//! [`Context`]. No `_` arm anywhere: a new kind of event breaks the build here.

mod ask;
mod concern;
mod event;
mod importance;
mod keys;
mod lesson;
mod names;
mod reason;
mod refusal;
mod rules;
mod say;
mod short;
pub mod violation;
mod why;
pub mod why_not;
pub mod why_not_eye;
pub mod why_not_if;
pub mod why_not_rules;
mod world;

#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;

pub use ask::{request_text, response_text};
pub use concern::concerns;
pub use importance::{Importance, importance};
pub use keys::{Key, t};
pub use lesson::{choice, instead};
pub use names::{role, zxid};
pub use reason::{phase, wait};
pub use refusal::{act_error, import_error, link_error, setup_error};
pub use rules::{rule, rule_sentence, rules_off};
pub use say::moment;
pub use why::{Compared, Explanation, Source, why};
pub use why_not_rules::property;

use say::Pen;
use zabscope_core::{
    id::{ClientId, ServerId, SessionId, Zxid},
    sim::{ClientNo, Fact},
};

/// A language of the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Lang {
    /// English.
    #[default]
    En,
    /// Simplified Chinese.
    Zh,
}

impl Lang {
    /// Both.
    pub const ALL: [Lang; 2] = [Lang::En, Lang::Zh];

    /// As in `<html lang>` and in the URL.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Lang::En => "en",
            Lang::Zh => "zh-Hans",
        }
    }

    /// The language that fits a browser's tag best.
    #[must_use]
    pub fn from_tag(tag: &str) -> Lang {
        match tag.get(..2) {
            Some("zh" | "ZH" | "Zh") => Lang::Zh,
            Some(_) | None => Lang::En,
        }
    }

    pub(crate) const fn pick(self, en: &'static str, zh: &'static str) -> &'static str {
        match self {
            Lang::En => en,
            Lang::Zh => zh,
        }
    }
}

/// What the colour of a sentence says. Never the only sign: the words say it as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Tone {
    /// Ink.
    #[default]
    Plain,
    /// Accent: this was chosen, this is decided.
    Chosen,
    /// Red: a fault, a cut.
    Fault,
    /// Amber: allowed, but surprising.
    Allowed,
}

/// A fact in words.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Sentence {
    /// Plain text.
    pub text: String,
    /// Byte ranges of `text`, in order, that hold protocol values (zxids, epochs, paths): set in the
    /// monospaced face, so that they can be compared by eye.
    pub values: Vec<(usize, usize)>,
    /// What it is.
    pub tone: Tone,
}

impl Sentence {
    /// The text in pieces; `true` for those that hold a value.
    pub fn pieces(&self) -> impl Iterator<Item = (&str, bool)> {
        let mut at = 0;
        let mut out = Vec::with_capacity(2 * self.values.len() + 1);
        for &(from, to) in &self.values {
            out.push((&self.text[at..from], false));
            out.push((&self.text[from..to], true));
            at = to;
        }
        out.push((&self.text[at..], false));
        out.into_iter().filter(|(piece, _)| !piece.is_empty())
    }
}

/// What the page knows and an event does not say. Every answer may be `None`: then the sentence
/// names the connection or the session by its number.
pub trait Context {
    /// Whose connection it is.
    fn client(&self, _: ClientId) -> Option<ClientNo> {
        None
    }
    /// Whose session it is.
    fn session(&self, _: SessionId) -> Option<ClientNo> {
        None
    }
    /// The newest transaction that is committed anywhere at that moment.
    fn newest_committed(&self) -> Option<Zxid> {
        None
    }
}

/// Nothing is known beyond the event.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoContext;

impl Context for NoContext {}

/// A fact in a sentence or two: who did what and why, with the values compared.
#[must_use]
pub fn sentence(fact: &Fact, lang: Lang, ctx: &dyn Context) -> Sentence {
    let mut pen = Pen::new(lang, ctx);
    match fact {
        Fact::Peer(e) => event::say(&mut pen, e.id.server, &e.kind),
        Fact::World(e) => world::say(&mut pen, &e.kind),
    }
    pen.finish()
}

/// A fact in one line, for the event list and for labels.
#[must_use]
pub fn short(fact: &Fact, lang: Lang, ctx: &dyn Context) -> Sentence {
    let mut pen = Pen::new(lang, ctx);
    match fact {
        Fact::Peer(e) => short::peer(&mut pen, e.id.server, &e.kind),
        Fact::World(e) => short::world(&mut pen, &e.kind),
    }
    pen.finish()
}

/// `server 3`, as it stands inside a sentence.
#[must_use]
pub fn server(id: ServerId, lang: Lang) -> String {
    let mut pen = Pen::new(lang, &NoContext);
    pen.say("{0}", "{0}", &[say::Arg::Server(id)]);
    pen.into_phrase()
}

/// `client A`, as it stands inside a sentence.
#[must_use]
pub fn client(no: ClientNo, lang: Lang) -> String {
    let mut pen = Pen::new(lang, &NoContext);
    pen.say("{0}", "{0}", &[say::Arg::Who(no)]);
    pen.into_phrase()
}

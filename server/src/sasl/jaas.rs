//! The JAAS file: Java's configuration of logins, of which only names and passwords matter here.
//!
//! ```text
//! Server {
//!     org.apache.zookeeper.server.auth.DigestLoginModule required
//!     user_super="adminsecret"
//!     user_bob="bobsecret";
//! };
//! ```
//!
//! Read as Java reads it (`sun.security.provider.ConfigFile`), except that `${property}` is not
//! expanded but refused: a password that means something else than it says lets nobody in.

use super::{Credentials, Users};
use std::{
    collections::BTreeMap,
    fs, io,
    io::Read as _,
    path::{Path, PathBuf},
};

/// A file with passwords is small; one that is larger is some other file.
pub const LARGEST: u64 = 1 << 20;

const DIGEST_MODULE: &str = "org.apache.zookeeper.server.auth.DigestLoginModule";
const USER: &str = "user_";

/// Why a JAAS file is of no use.
#[derive(Debug, thiserror::Error)]
pub enum JaasError {
    /// It can't be read.
    #[error(
        "the JAAS file {path} can't be read: {error}. Correct java.security.auth.login.config, or \
         let who runs this read the file"
    )]
    Io {
        /// Where.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// It is too large.
    #[error("the JAAS file {path} is larger than {LARGEST} bytes: is it another file?")]
    Large {
        /// Where.
        path: PathBuf,
    },
    /// Something in it is wrong.
    #[error("{path}:{problem}")]
    Text {
        /// Where.
        path: PathBuf,
        /// What.
        problem: Problem,
    },
}

/// What is wrong in a text, and in which line. No word of it is repeated: it may be a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{line}: {what}")]
pub struct Problem {
    /// From 1.
    pub line: usize,
    /// What is wrong, and what was expected.
    pub what: String,
}

/// A whole file.
#[derive(Clone, PartialEq, Eq)]
pub struct Jaas(BTreeMap<String, Vec<Module>>);

/// One login module of a section.
#[derive(Clone, PartialEq, Eq)]
pub struct Module {
    /// The Java class.
    pub class: String,
    /// Where it stands.
    pub line: usize,
    options: BTreeMap<String, String>,
}

impl Module {
    /// Whether it is the one of DIGEST-MD5.
    #[must_use]
    pub fn is_digest(&self) -> bool {
        self.class == DIGEST_MODULE
    }
}

/// The users that modules of a section let in: the options `user_<name>`.
#[must_use]
pub fn users(modules: &[Module]) -> Users {
    let options = modules.iter().flat_map(|module| &module.options);
    Users::new(options.filter_map(|(key, password)| {
        let name = key.strip_prefix(USER).filter(|name| !name.is_empty())?;
        Some((name.to_owned(), password.clone()))
    }))
}

/// Who a connecting side is: the options `username` and `password`.
#[must_use]
pub fn credentials(modules: &[Module]) -> Option<Credentials> {
    let find = |key| modules.iter().find_map(|module| module.options.get(key));
    Some(Credentials {
        name: find("username")?.clone(),
        password: find("password")?.clone(),
    })
}

impl Jaas {
    /// Reads a file.
    ///
    /// # Errors
    /// [`JaasError`]
    pub fn read(path: &Path) -> Result<Jaas, JaasError> {
        let failed = |error| JaasError::Io {
            path: path.to_owned(),
            error,
        };
        let mut text = String::new();
        let file = fs::File::open(path).map_err(failed)?;
        file.take(LARGEST + 1)
            .read_to_string(&mut text)
            .map_err(failed)?;
        if text.len() as u64 > LARGEST {
            return Err(JaasError::Large {
                path: path.to_owned(),
            });
        }
        Jaas::parse(&text).map_err(|problem| JaasError::Text {
            path: path.to_owned(),
            problem,
        })
    }

    /// Reads a text.
    ///
    /// # Errors
    /// [`Problem`]
    pub fn parse(text: &str) -> Result<Jaas, Problem> {
        let mut words = Words::of(text);
        let mut sections = BTreeMap::new();
        while let Some(name) = words.next()? {
            let name = words.word_of(name, "the name of a section")?;
            words.expect('{')?;
            let mut modules = Vec::new();
            loop {
                match words.next()? {
                    Some(Word::Sign('}')) => break,
                    Some(class) => {
                        let line = words.line;
                        let class = words.word_of(class, "the class of a login module, or }")?;
                        modules.push(module(&mut words, class, line)?);
                    }
                    None => {
                        return Err(words.problem("the file ends inside a section: } is missing"));
                    }
                }
            }
            words.expect(';')?;
            if modules.is_empty() {
                return Err(words.problem("a section without a login module"));
            }
            if sections.insert(name, modules).is_some() {
                return Err(words.problem("a section of this name was there before"));
            }
        }
        Ok(Jaas(sections))
    }

    /// The modules of a section.
    #[must_use]
    pub fn section(&self, name: &str) -> Option<&[Module]> {
        self.0.get(name).map(Vec::as_slice)
    }
}

fn module(words: &mut Words<'_>, class: String, line: usize) -> Result<Module, Problem> {
    let flag = words.need("required, requisite, sufficient or optional")?;
    let known = ["required", "requisite", "sufficient", "optional"];
    if !known.iter().any(|known| flag.eq_ignore_ascii_case(known)) {
        return Err(words.problem("required, requisite, sufficient or optional is expected here"));
    }
    let mut options = BTreeMap::new();
    loop {
        match words.next()? {
            Some(Word::Sign(';')) => {
                return Ok(Module {
                    class,
                    line,
                    options,
                });
            }
            Some(key) => {
                let key = words.word_of(key, "an option, or ; at the end of a login module")?;
                words.expect('=')?;
                let value = words.need("an option's value")?;
                if value.contains("${") {
                    return Err(words.problem(
                        "properties (${...}) are not expanded here: write the value itself",
                    ));
                }
                options.insert(key, value);
            }
            None => return Err(words.problem("the file ends inside a login module: ; is missing")),
        }
    }
}

enum Word {
    /// A word, or what was between quotes.
    Text(String),
    /// One of `{ } ; =`, or a sign that has no meaning.
    Sign(char),
}

/// The words of a file, without comments.
struct Words<'a> {
    rest: std::iter::Peekable<std::str::Chars<'a>>,
    line: usize,
}

impl<'a> Words<'a> {
    fn of(text: &'a str) -> Words<'a> {
        Words {
            rest: text.chars().peekable(),
            line: 1,
        }
    }

    fn problem(&self, what: &str) -> Problem {
        Problem {
            line: self.line,
            what: what.to_owned(),
        }
    }

    fn take(&mut self) -> Option<char> {
        let next = self.rest.next();
        self.line += usize::from(next == Some('\n'));
        next
    }

    fn next(&mut self) -> Result<Option<Word>, Problem> {
        loop {
            let Some(c) = self.take() else {
                return Ok(None);
            };
            match c {
                c if c <= ' ' => {}
                '/' => self.comment()?,
                '"' | '\'' => return Ok(Some(Word::Text(self.quoted(c)?))),
                c if is_word(c) => {
                    let mut word = String::from(c);
                    while let Some(c) = self.rest.next_if(|c| is_word(*c)) {
                        word.push(c);
                    }
                    return Ok(Some(Word::Text(word)));
                }
                sign => return Ok(Some(Word::Sign(sign))),
            }
        }
    }

    /// After a slash.
    fn comment(&mut self) -> Result<(), Problem> {
        match self.rest.peek() {
            Some('*') => {
                self.take();
                let mut before = ' ';
                while let Some(c) = self.take() {
                    if before == '*' && c == '/' {
                        return Ok(());
                    }
                    before = c;
                }
                Err(self.problem("a comment (/*) is not closed"))
            }
            // Java takes a single slash for such a comment too.
            _ => {
                while self.rest.peek().is_some_and(|c| *c != '\n') {
                    self.take();
                }
                Ok(())
            }
        }
    }

    fn quoted(&mut self, quote: char) -> Result<String, Problem> {
        let mut text = String::new();
        loop {
            match self.take() {
                Some(c) if c == quote => return Ok(text),
                Some('\\') => match self.take() {
                    Some('n') => text.push('\n'),
                    Some('t') => text.push('\t'),
                    Some('r') => text.push('\r'),
                    Some(digit @ '0'..='7') => text.push(self.octal(digit)),
                    Some(c) if c != '\n' => text.push(c),
                    _ => return Err(self.problem("a quote is not closed in its line")),
                },
                Some('\n') | None => {
                    return Err(self.problem("a quote is not closed in its line"));
                }
                Some(c) => text.push(c),
            }
        }
    }

    /// `\ooo`: up to three digits, at most 377.
    fn octal(&mut self, first: char) -> char {
        let mut value = first.to_digit(8).unwrap_or_default();
        let more = if first <= '3' { 2 } else { 1 };
        for _ in 0..more {
            let Some(digit) = self.rest.next_if(|c| c.is_digit(8)) else {
                break;
            };
            value = value * 8 + digit.to_digit(8).unwrap_or_default();
        }
        char::from_u32(value).unwrap_or(char::REPLACEMENT_CHARACTER)
    }

    fn word_of(&self, word: Word, what: &str) -> Result<String, Problem> {
        match word {
            Word::Text(text) => Ok(text),
            Word::Sign(_) => Err(self.problem(&format!(
                "a sign stands where {what} is expected; what has signs is written between quotes"
            ))),
        }
    }

    fn need(&mut self, what: &str) -> Result<String, Problem> {
        match self.next()? {
            Some(word) => self.word_of(word, what),
            None => Err(self.problem(&format!("the file ends where {what} is expected"))),
        }
    }

    fn expect(&mut self, sign: char) -> Result<(), Problem> {
        match self.next()? {
            Some(Word::Sign(found)) if found == sign => Ok(()),
            _ => Err(self.problem(&format!("{sign} is expected here"))),
        }
    }
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '$' | '_' | '-' | '*' | '.') || c >= '\u{a0}'
}

#[cfg(test)]
mod tests;

//! What is wrong with a configuration, told to people.

use std::{fmt, path::PathBuf};
use zabscope_core::members::shown;

/// Where a setting was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A line of a file, from 1.
    Line(PathBuf, usize),
    /// A file as a whole.
    File(PathBuf),
    /// `-D` in the environment variable SERVER_JVMFLAGS.
    JvmFlags,
    /// `-D` in the environment variable CLIENT_JVMFLAGS.
    ClientJvmFlags,
    /// `--set` on the command line.
    Set,
    /// Nowhere: what is missing, or a default.
    Nowhere,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Line(path, line) => write!(f, "{}:{line}", path.display()),
            Origin::File(path) => write!(f, "{}", path.display()),
            Origin::JvmFlags => f.write_str("SERVER_JVMFLAGS"),
            Origin::ClientJvmFlags => f.write_str("CLIENT_JVMFLAGS"),
            Origin::Set => f.write_str("--set"),
            Origin::Nowhere => f.write_str("configuration"),
        }
    }
}

/// One thing that is wrong, or worth a warning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where.
    pub origin: Origin,
    /// Which key; empty if it is not about one.
    pub key: String,
    /// What is wrong.
    pub what: String,
    /// What to do about it.
    pub todo: String,
}

impl Problem {
    pub(super) fn new(
        origin: Origin,
        key: impl Into<String>,
        what: impl Into<String>,
        todo: impl Into<String>,
    ) -> Problem {
        Problem {
            origin,
            key: key.into(),
            what: what.into(),
            todo: todo.into(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.origin)?;
        if !self.key.is_empty() {
            write!(f, "{}: ", shown(&self.key))?;
        }
        f.write_str(&self.what)?;
        if !self.todo.is_empty() {
            write!(f, "; {}", self.todo)?;
        }
        Ok(())
    }
}

/// Everything that is wrong with a configuration; one line each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// At least one.
    pub problems: Vec<Problem>,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, problem) in self.problems.iter().enumerate() {
            if i > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}

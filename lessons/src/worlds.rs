//! The worlds of the page's gallery: `worlds.json` says how each comes about, in the language of the
//! lessons' scripts, and what holds there. The page fetches the file when somebody opens the gallery.

use crate::{
    error::{ErrorKind, LessonError},
    from_json,
    player::play_alone,
    schema::{Condition, Move},
};
use serde::Deserialize;
use zabscope_core::sim::{History, Setup};

/// The version of the format that this crate reads.
pub const VERSION: u32 = 1;
const FILE: &str = "worlds.json";
/// A longer file is not read, in bytes.
pub const MAX_FILE: usize = 256 * 1024;

/// One world.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct World {
    /// Its name, for links.
    pub name: String,
    /// The part of the gallery in which it stands.
    pub group: Group,
    /// Title and one sentence, in English.
    pub en: (String, String),
    /// The same in Chinese.
    pub zh: (String, String),
    /// The world before its first step.
    pub setup: Setup,
    /// What happens in it.
    pub script: Vec<Move>,
    /// What the sentence says: it holds at the end.
    pub holds: Condition,
}

/// A part of the gallery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Group {
    /// Elections and epochs.
    Election,
    /// How a server catches up.
    Sync,
    /// How a write is decided.
    Broadcast,
    /// Walls and pauses.
    Fault,
    /// Sessions, reads, watches.
    Client,
    /// What is built on top.
    Recipe,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: u32,
    worlds: Vec<World>,
}

fn error(place: String, kind: ErrorKind) -> LessonError {
    LessonError {
        lesson: String::new(),
        file: FILE,
        place,
        kind,
    }
}

/// All worlds of `worlds.json`, in the order of the gallery.
///
/// # Errors
/// The file is not as it must be.
pub fn parse(text: &str) -> Result<Vec<World>, LessonError> {
    if text.len() > MAX_FILE {
        let what = format!("it has {} bytes; at most {MAX_FILE} are read", text.len());
        return Err(error(String::new(), ErrorKind::Shape(what)));
    }
    let file: File = from_json(text).map_err(|e| {
        let place = format!(", line {} column {}", e.line(), e.column());
        error(place, ErrorKind::Schema(e.to_string()))
    })?;
    if file.version != VERSION {
        let found = file.version;
        return Err(error(String::new(), ErrorKind::Version { found }));
    }
    Ok(file.worlds)
}

impl World {
    /// Lets it happen.
    ///
    /// # Errors
    /// The script can't be played, or what the sentence says does not hold at its end.
    pub fn play(&self) -> Result<History, LessonError> {
        let fail = |kind| error(format!(", world `{}`", self.name), kind);
        let mut history = History::new(&self.setup).map_err(|e| fail(ErrorKind::Setup(e)))?;
        if play_alone(&self.script, &self.holds, &mut history).map_err(fail)? {
            Ok(history)
        } else {
            Err(fail(ErrorKind::Claim(self.en.1.clone())))
        }
    }
}

//! Why a lesson can't be taken, or does not tell the truth.

use zabscope_core::sim::{ActError, ImportError, SetupError};

/// What is wrong with a lesson, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("lessons/{}{file}{place}: {kind}", self.directory())]
pub struct LessonError {
    /// The lesson's directory; empty: the gallery's worlds.
    pub lesson: String,
    /// The file.
    pub file: &'static str,
    /// `, line 12 column 5` or `, step \`crash\``; may be empty.
    pub place: String,
    /// What.
    pub kind: ErrorKind,
}

impl LessonError {
    /// Below `lessons/`, with a slash at its end.
    fn directory(&self) -> String {
        if self.lesson.is_empty() {
            String::new()
        } else {
            format!("data/{}/", self.lesson)
        }
    }
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ErrorKind {
    /// The file is not as the schema says.
    #[error("{0}")]
    Schema(String),
    /// Another version of the format.
    #[error("this lesson has format {found}; this build reads format {max}", max = crate::schema::VERSION)]
    Version {
        /// Its number.
        found: u32,
    },
    /// Something is missing, or there twice.
    #[error("{0}")]
    Shape(String),
    /// The world is out of bounds.
    #[error("the setup: {0}")]
    Setup(SetupError),
    /// An action of the script was impossible.
    #[error("an action is impossible: {0}")]
    Act(ActError),
    /// A server that a script names is not there.
    #[error("nobody is `{0}` at this moment")]
    Nobody(String),
    /// What was waited for did not come.
    #[error("what is waited for did not come within {steps} steps")]
    NeverCame {
        /// How long it was waited.
        steps: u64,
    },
    /// The scene is not as the text takes for granted.
    #[error("the scene is not as the text takes for granted (`needs`)")]
    Scene,
    /// A claim of the text does not hold.
    #[error("the text claims what is not so: {0}")]
    Claim(String),
    /// The goal of a `do` holds before anything was done, so that it shows nothing.
    #[error("the goal holds before anything was done")]
    GoalBefore,
    /// The reference solution does not reach the goal.
    #[error("the solution does not reach the goal")]
    GoalMissed,
    /// A question without a choice, or with no or several right answers.
    #[error("the question: {0}")]
    Question(String),
    /// The run can't be repeated.
    #[error("the run can't be repeated: {0}")]
    Replay(ImportError),
}

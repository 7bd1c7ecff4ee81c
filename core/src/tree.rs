//! The replicated state (placeholder until the branch `data` lands).

/// Znodes and sessions.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct Database {}

impl Database {
    /// A fresh one.
    #[must_use]
    pub fn new() -> Database {
        Database::default()
    }
}

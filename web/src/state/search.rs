//! A search for a violation, as it is shown; where it runs is nobody's business here.

use zabscope_core::sim::{Found, Progress, Stage};

/// What is known of a search.
#[derive(Clone, Debug, PartialEq, Default)]
pub enum Searched {
    /// None was begun.
    #[default]
    Idle,
    /// It runs.
    Runs(Pace),
    /// It has found this; the run was opened.
    Found(Pace, Box<Found>),
    /// It has found nothing.
    Nothing(Pace),
    /// Somebody has stopped it.
    Stopped(Pace),
    /// It could not be done: why, in the browser's words.
    Failed(String),
}

/// How far a search is.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Pace {
    /// Schedules tried.
    pub schedules: u64,
    /// Steps taken.
    pub steps: u64,
    /// Schedules in a second.
    pub per_second: u64,
    /// So many schedules are to be tried.
    pub most: u64,
    /// Something was found and is made shorter: the property, the actions and steps that are left.
    pub shortening: Option<(String, u64, u64)>,
}

impl Searched {
    /// What a search says of itself after so many ms.
    #[must_use]
    pub fn of(progress: Progress, ms: f64, most: u64) -> Searched {
        let mut pace = Pace {
            schedules: progress.schedules,
            steps: progress.steps,
            per_second: (progress.schedules as f64 * 1000.0 / ms.max(1.0)) as u64,
            most,
            shortening: None,
        };
        match progress.stage {
            Stage::Looking => Searched::Runs(pace),
            Stage::Shortening {
                property,
                actions,
                steps,
            } => {
                pace.shortening = Some((property, actions, steps));
                Searched::Runs(pace)
            }
            Stage::Found(found) => Searched::Found(pace, found),
            Stage::Nothing => Searched::Nothing(pace),
        }
    }

    /// Whether it runs.
    #[must_use]
    pub fn runs(&self) -> bool {
        matches!(self, Searched::Runs(_))
    }

    /// The same, stopped.
    #[must_use]
    pub fn stopped(&self) -> Searched {
        match self {
            Searched::Runs(pace) => Searched::Stopped(pace.clone()),
            other => other.clone(),
        }
    }
}

//! A search for a violation, as it is shown; where it runs is nobody's business here.

use super::run::Run;
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

    /// Whether what was found is shown, as it was opened.
    #[must_use]
    pub fn is_at(&self, run: &Run) -> bool {
        let Searched::Found(_, found) = self else {
            return false;
        };
        let (history, there) = (run.history(), &found.run);
        history.cursor() == there.steps
            && history.world().setup() == &there.setup
            && history.actions() == there.actions
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::{Action, State, Tab, run::Run};
    use std::rc::Rc;
    use zabscope_core::{
        rules::{Rule, Rules},
        sim::{Search, Setup, Wanted},
    };

    fn done(rules: Rules, schedules: u64) -> Progress {
        let mut search = Search::new(Wanted {
            setup: Setup {
                voters: 3,
                rules,
                ..Setup::default()
            },
            seed: 1,
            schedules,
            consequences: false,
        })
        .expect("a world");
        loop {
            let progress = search.run(100_000);
            if matches!(progress.stage, Stage::Found(_) | Stage::Nothing) {
                return progress;
            }
        }
    }

    #[test]
    fn what_is_found_is_opened_at_the_step_before_it_breaks() {
        let progress = done(Rules::ALL.without(Rule::Quorum), 50);
        let mut state = State::new(Run::new(&Setup::default()).expect("a world"));
        let news = Searched::of(progress, 500.0, 50);
        let Searched::Found(pace, found) = news.clone() else {
            panic!("{news:?}");
        };
        assert_eq!(pace.per_second, pace.schedules * 2);
        state.apply(Action::Searched(Rc::new(news)));
        assert_eq!(state.tab, Tab::Act);
        let run = state.run.get();
        assert_eq!(run.history().cursor(), found.run.steps);
        assert!(!run.history().at_end(), "what breaks it is known");
        assert!(!run.world().rules().has(Rule::Quorum));
    }

    #[test]
    fn what_was_found_is_said_only_where_it_is_shown() {
        let progress = done(Rules::ALL.without(Rule::Quorum), 50);
        let mut state = State::new(Run::new(&Setup::default()).expect("a world"));
        state.reduced = true;
        assert!(!state.search.is_at(&state.run.get()));
        state.apply(Action::Searched(Rc::new(Searched::of(progress, 1.0, 50))));
        let is_there = |state: &State| state.search.is_at(&state.run.get());
        assert!(is_there(&state));
        state.apply(Action::Step);
        assert!(!is_there(&state), "a step on");
        state.apply(Action::OpenFound);
        assert!(is_there(&state));
        let act = zabscope_core::sim::Action::HealAll;
        state.apply(Action::Act(act));
        assert!(!is_there(&state), "something was done");
        state.apply(Action::NewWorld(Box::default()));
        assert!(!is_there(&state), "another world");
    }

    #[test]
    fn a_search_that_finds_nothing_or_is_stopped_changes_no_run() {
        let mut state = State::new(Run::new(&Setup::default()).expect("a world"));
        let before = state.run.clone();
        let nothing = Searched::of(done(Rules::ALL, 3), 0.0, 3);
        assert!(matches!(&nothing, Searched::Nothing(pace) if pace.schedules == 3));
        state.apply(Action::Searched(Rc::new(nothing.clone())));
        assert!(state.run == before && *state.search == nothing);
        let runs = Searched::Runs(Pace::default());
        assert!(runs.runs() && !runs.stopped().runs());
        assert_eq!(nothing.stopped(), nothing);
    }
}

//! Questions that a person asks of a run, and the runs that are asked.

use zabscope_core::sim::{
    History,
    why_not::{Answer, Because, Question, why_not},
};

use crate::{Scenario, trace::exported};

/// What the page has of this run: it is played anew, event by event.
#[must_use]
pub fn history(s: &Scenario) -> History {
    let imported = History::import(&exported(s)).expect("the run can be repeated");
    assert_eq!(imported.mismatch, None, "the same run");
    imported.history
}

/// Why something has not happened by now; all that the answer rests on has happened.
#[track_caller]
#[must_use]
pub fn ask(s: &Scenario, question: Question) -> Because {
    let history = history(s);
    let answer: Answer = why_not(&history, &question);
    assert_eq!((answer.step, answer.at), (s.steps(), s.world().now()));
    for fact in &answer.facts {
        assert!(
            history.records().iter().any(|r| r.id() == *fact),
            "{fact:?} of {answer:?}"
        );
    }
    answer.because
}

//! Plays a lesson without a page and finds out whether it tells the truth.

use crate::{
    error::{ErrorKind, LessonError},
    lesson::Lesson,
    player::{Advanced, Choice, Player, Status},
    schema::{Choices, Task},
};
use std::sync::Arc;

/// What a lesson that holds was found to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Its name.
    pub lesson: String,
    /// Each step: its id, steps of the simulator in it, claims that hold.
    pub steps: Vec<(String, u64, usize)>,
    /// Forks that were run.
    pub forks: usize,
    /// [`World::trace_hash`](zabscope_core::sim::World::trace_hash) at the end: the same natively
    /// and on wasm32.
    pub trace_hash: u64,
}

impl Report {
    /// All claims that hold.
    #[must_use]
    pub fn claims(&self) -> usize {
        self.steps.iter().map(|s| s.2).sum()
    }
}

/// Plays a lesson with its solutions. Every scene is set, every watched thing comes, every goal is
/// reached and was not reached before, every question has one right answer, which comes true in the
/// world as it did in the fork, every wrong answer is told from it, every claim holds.
///
/// # Errors
/// The first thing that is not so, with its place.
pub fn check(lesson: &Arc<Lesson>) -> Result<Report, LessonError> {
    let (mut player, mut history) = Player::start(lesson.clone())?;
    let mut report = Report {
        lesson: lesson.name().to_owned(),
        steps: Vec::new(),
        forks: 0,
        trace_hash: 0,
    };
    loop {
        let at = player.step();
        let step = &lesson.data.steps[at];
        let fail = |kind| Err(lesson.error(Some(at), kind));
        let began = history.cursor();
        if player.status() == Status::OffTrack {
            return fail(ErrorKind::Scene);
        }
        match &step.task {
            Task::Do(task) => {
                if player.holds(&task.goal, &history) {
                    return fail(ErrorKind::GoalBefore);
                }
            }
            Task::Predict(predict) => {
                report.forks += 1;
                let right = player.right();
                if let Choices::Cases(cases) = &predict.choices {
                    for (i, case) in cases.iter().enumerate() {
                        if case.if_before.is_empty() {
                            continue;
                        }
                        // What the text of a wrong case says would make it right does so.
                        report.forks += 1;
                        let fork = player.fork(&history, &case.if_before, predict)?;
                        if Some(i) == right || player.case_in(&fork, cases) != Some(i) {
                            return fail(ErrorKind::Question(format!(
                                "`if_before` does not make `{}` come true",
                                case.id
                            )));
                        }
                    }
                }
                // Each wrong answer is played as well.
                let choices = player.question().map_or(0, |q| q.choices.len());
                for choice in (0..choices).filter(|c| Some(*c) != right) {
                    report.forks += 1;
                    let (mut other, mut fork) = (player.clone(), history.clone());
                    other.answer(choice, &fork)?;
                    while other.advance(&mut fork)? == Advanced::Moved {}
                    let told = other.answered().is_some_and(|a| {
                        !a.is_right() && Some(a.right) == right && a.instead.is_some()
                    });
                    if !told {
                        return fail(ErrorKind::Question("a wrong answer passes".to_owned()));
                    }
                }
            }
            Task::Watch(watch) => {
                if player.holds(&watch.until, &history) {
                    return fail(ErrorKind::GoalBefore);
                }
            }
            Task::Tell | Task::Explain => {}
        }
        player.play_out(&mut history)?;
        if let Some(answer) = player.answered()
            && matches!(step.task, Task::Predict(_))
            && !answer.is_right()
        {
            return fail(ErrorKind::Question(
                "the fork and the world do not agree".to_owned(),
            ));
        }
        for claim in &step.claims {
            let holds = if claim.given.is_empty() {
                player.holds(&claim.holds, &history)
            } else {
                report.forks += 1;
                player.holds_given(&claim.given, &claim.holds)?
            };
            if !holds {
                return fail(ErrorKind::Claim(claim.says.clone()));
            }
        }
        report
            .steps
            .push((step.id.clone(), history.cursor() - began, step.claims.len()));
        if !player.next(&mut history)? {
            break;
        }
    }
    report.trace_hash = history.world().trace_hash();
    Ok(report)
}

/// The labels of a question's choices, for those who look at a lesson without a page.
#[must_use]
pub fn labels(player: &Player) -> Vec<String> {
    player
        .question()
        .map(|q| {
            q.choices
                .iter()
                .map(|c| match c {
                    Choice::Value(value) => value.to_string(),
                    Choice::Case(id) => id.clone(),
                })
                .collect()
        })
        .unwrap_or_default()
}

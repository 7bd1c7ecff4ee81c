//! Plays a lesson beside a [`History`] that belongs to the page.
//!
//! The page does what it always does: it steps, acts, goes back. After each change it calls
//! [`Player::observe`], and the player recognises what was reached, however it was reached. What a
//! step itself wants to happen (a run that is watched, a prediction that is tried out, a solution
//! that is shown) the page lets happen with [`Player::advance`], one move at a time, at its own pace.

use crate::text::Part;
use crate::{
    error::{ErrorKind, LessonError},
    eval::{self, Names, Scene, Value, Window},
    lesson::Lesson,
    schema::{Act, Case, Choices, Expr, Group, Move, Predict, Step, Task, Who},
};
use std::{collections::BTreeMap, sync::Arc};
use zabscope_core::{
    id::{Epoch, ServerId, Zxid},
    request::{Create, CreateMode, CreateOp, Request, Write},
    sim::{Action, ClientNo, Exported, History, World},
    time::Span,
    tree::acl,
};

/// What the page should offer now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// There is something to read; then on.
    Reading,
    /// The world wants to run: [`Player::advance`].
    Watching,
    /// The learner's turn.
    Acting,
    /// The reference solution is being shown: [`Player::advance`].
    Showing,
    /// A question is open: [`Player::question`], [`Player::answer`].
    Asking,
    /// The prediction is tried out: [`Player::advance`].
    Running,
    /// The step is done; then on.
    Done,
    /// The world is not as the text of this step takes for granted, or what was waited for did not
    /// come: [`Player::enter`] sets the scene again.
    OffTrack,
}

/// What a call of [`Player::advance`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Advanced {
    /// A step or an action.
    Moved,
    /// Nothing: the step does not want anything to happen, or no longer.
    Rests,
}

/// One thing that one may choose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    /// A value; [`Value`] says how it is shown.
    Value(Value),
    /// A case; its label is the title of the text's part `choice` with this id.
    Case(String),
}

/// A question, with the answer that a fork of the world gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// What one may choose.
    pub choices: Vec<Choice>,
    /// The right one: an index.
    right: usize,
    /// Of which world it was computed.
    of: (u64, u64),
}

/// A server's vote for itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ballot {
    /// currentEpoch.
    pub epoch: Epoch,
    /// Last zxid.
    pub zxid: Zxid,
    /// Who.
    pub server: ServerId,
}

/// What would have had to be true for a wrong prediction to be right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Instead {
    /// Two candidates: their first different field decides.
    Ballots {
        /// The one that was chosen.
        chosen: Ballot,
        /// The one that won.
        won: Ballot,
        /// Without these, the chosen one wins: a fork was run to see it. Empty when there would
        /// be no quorum, or when it would not help.
        without: Vec<ServerId>,
    },
    /// The text of the choice says it; the check has tried it out if there is something to try.
    Case,
    /// Only the values can be compared.
    Values,
}

/// A prediction that was tried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// What was chosen: an index into [`Question::choices`].
    pub chosen: usize,
    /// What happened: an index as well.
    pub right: usize,
    /// For a wrong one.
    pub instead: Option<Instead>,
}

impl Answer {
    /// Whether the prediction was right.
    #[must_use]
    pub fn is_right(&self) -> bool {
        self.chosen == self.right
    }
}

/// Where the run stood when a step began.
#[derive(Clone, Debug)]
struct Entered {
    /// To come back to it.
    run: Arc<Exported>,
    records: usize,
    names: Arc<Names>,
    led: Option<ServerId>,
}

/// A script under way.
#[derive(Clone, Debug)]
struct Script {
    moves: Arc<[Move]>,
    next: usize,
    /// Steps taken in the present move.
    taken: u64,
}

impl Script {
    fn new(moves: &[Move]) -> Script {
        Script {
            moves: moves.into(),
            next: 0,
            taken: 0,
        }
    }
}

/// Plays one lesson. Cheap to clone: a state of the page may hold one.
#[derive(Clone, Debug)]
pub struct Player {
    lesson: Arc<Lesson>,
    /// The present step.
    at: usize,
    /// The furthest step that was reached.
    furthest: usize,
    /// One for each step up to the present one.
    entered: Vec<Entered>,
    /// Where the lesson begins: records and actions of the prologue.
    begin: (usize, usize),
    status: Status,
    script: Option<Script>,
    question: Option<Arc<Question>>,
    /// By step.
    answers: BTreeMap<usize, Arc<Answer>>,
    chosen: Option<usize>,
    hints: usize,
    /// The `{{values}}` of the text: as they were when the step began, and when it was done.
    values: [Arc<BTreeMap<&'static str, String>>; 2],
}

impl Player {
    /// A lesson at its first step, with the run that belongs to it.
    ///
    /// # Errors
    /// The prologue can't be played.
    pub fn start(lesson: Arc<Lesson>) -> Result<(Player, History), LessonError> {
        let mut history = History::new(&lesson.data.setup)
            .map_err(|e| lesson.error(None, ErrorKind::Setup(e)))?;
        let names = Names::new();
        let place = Place {
            names: &names,
            led: None,
            from: (0, 0, 0),
        };
        play(&lesson.data.prologue, &mut history, &place)
            .map_err(|kind| lesson.error(None, kind))?;
        let mut player = Player {
            begin: (history.records().len(), history.actions().len()),
            lesson,
            at: 0,
            furthest: 0,
            entered: Vec::new(),
            status: Status::Reading,
            script: None,
            question: None,
            answers: BTreeMap::new(),
            chosen: None,
            hints: 0,
            values: Default::default(),
        };
        player.begin_step(&mut history, true)?;
        Ok((player, history))
    }

    /// A lesson at one of its steps (from 0): the steps before are played with their solutions.
    ///
    /// # Errors
    /// The lesson can't be played so far.
    pub fn open(lesson: Arc<Lesson>, step: usize) -> Result<(Player, History), LessonError> {
        let (mut player, mut history) = Player::start(lesson)?;
        let last = player.lesson.data.steps.len() - 1;
        while player.at < step.min(last) {
            player.play_out(&mut history)?;
            player.next(&mut history)?;
        }
        Ok((player, history))
    }

    /// The lesson.
    #[must_use]
    pub fn lesson(&self) -> &Arc<Lesson> {
        &self.lesson
    }

    /// The present step, from 0.
    #[must_use]
    pub fn step(&self) -> usize {
        self.at
    }

    /// The present step's data.
    #[must_use]
    pub fn step_data(&self) -> &Step {
        &self.lesson.data.steps[self.at]
    }

    /// What the page should offer now.
    #[must_use]
    pub fn status(&self) -> Status {
        self.status
    }

    /// Steps done, and all steps.
    #[must_use]
    pub fn progress(&self) -> (usize, usize) {
        let here = usize::from(self.status == Status::Done && self.at == self.furthest);
        (self.furthest + here, self.lesson.data.steps.len())
    }

    /// Whether the last step is done.
    #[must_use]
    pub fn finished(&self) -> bool {
        self.at + 1 == self.lesson.data.steps.len()
            && matches!(self.status, Status::Done | Status::Reading)
    }

    /// `10-electing-a-leader#3`.
    #[must_use]
    pub fn link(&self) -> String {
        self.lesson.link(self.at)
    }

    /// The open question, or the one that was answered in this step.
    #[must_use]
    pub fn question(&self) -> Option<&Question> {
        self.question.as_deref()
    }

    /// What was chosen, also while it is tried out.
    #[must_use]
    pub fn chosen(&self) -> Option<usize> {
        self.chosen
    }

    /// The answer in this step, once it was tried out.
    #[must_use]
    pub fn answered(&self) -> Option<&Answer> {
        self.answers.get(&self.at).map(|a| &**a)
    }

    /// How many hints are shown.
    #[must_use]
    pub fn hints(&self) -> usize {
        self.hints
    }

    /// Shows one more hint. False: there is none, or none is wanted.
    pub fn hint(&mut self) -> bool {
        let more = self.status == Status::Acting && self.hints < self.lesson.hints(self.at);
        self.hints += usize::from(more);
        more
    }

    /// A `{{value}}` of the text. In the step's own text and its hints it is as it was when the step
    /// began, in what is said afterwards as it was then: pass the part, `None` for the step's text.
    #[must_use]
    pub fn value(&self, part: Option<&Part>, name: &str) -> &str {
        let after = part.is_some_and(|p| p.kind != "hint");
        self.values[usize::from(after)]
            .get(name)
            .map_or("–", String::as_str)
    }

    /// A server that the present step names: for the page's focus.
    #[must_use]
    pub fn who(&self, who: &Who, history: &History) -> Option<ServerId> {
        let records = history.records();
        self.place()?.scene(history, records.parts()).one(who)
    }

    /// The world has changed: looks what was reached. True if the status changed.
    ///
    /// # Errors
    /// A question can't be asked.
    pub fn observe(&mut self, history: &History) -> Result<bool, LessonError> {
        let before = self.status;
        match (&self.step_data().task, self.status) {
            (Task::Do(task), Status::Acting | Status::Showing) => {
                let reached = self.holds(&task.goal, history);
                let lost = task.lost.as_ref().is_some_and(|c| self.holds(c, history));
                if reached {
                    self.finish(history);
                } else if lost {
                    self.script = None;
                    self.status = Status::OffTrack;
                }
            }
            (Task::Watch(_), Status::Watching) => {
                if self.script_is_over(history) {
                    self.finish(history);
                }
            }
            (Task::Predict(_), Status::Running) => {
                if self.script_is_over(history) {
                    self.judge(history);
                }
            }
            (Task::Tell | Task::Explain | Task::Watch(_) | Task::Do(_) | Task::Predict(_), _) => {}
        }
        Ok(self.status != before)
    }

    /// Lets the next thing happen that the step wants: one step or one action.
    ///
    /// # Errors
    /// An action of the lesson is impossible. What did not come in time is no error here: the
    /// status is [`Status::OffTrack`] then.
    pub fn advance(&mut self, history: &mut History) -> Result<Advanced, LessonError> {
        if !matches!(
            self.status,
            Status::Watching | Status::Running | Status::Showing
        ) {
            return Ok(Advanced::Rests);
        }
        let (Some(mut script), Some(place)) = (self.script.take(), self.place()) else {
            return Ok(Advanced::Rests);
        };
        let done = advance(&mut script, history, &place);
        self.script = Some(script);
        match done {
            Ok(advanced) => {
                self.observe(history)?;
                Ok(advanced)
            }
            Err(ErrorKind::NeverCame { .. }) => {
                self.status = Status::OffTrack;
                Ok(Advanced::Rests)
            }
            Err(kind) => Err(self.lesson.error(Some(self.at), kind)),
        }
    }

    /// Chooses an answer; [`Player::advance`] then tries it out.
    ///
    /// # Errors
    /// The question can't be asked of the world as it is now.
    pub fn answer(&mut self, choice: usize, history: &History) -> Result<(), LessonError> {
        let Task::Predict(predict) = &self.step_data().task else {
            return Ok(());
        };
        if self.status != Status::Asking {
            return Ok(());
        }
        let moves = Script::new(&predict.run);
        let moved = self
            .question
            .as_ref()
            .is_some_and(|q| q.of != identity(history));
        if moved {
            // The learner has led the world on since the question was asked: ask it again.
            self.question = Some(Arc::new(self.ask(history)?));
        }
        if self
            .question
            .as_ref()
            .is_some_and(|q| choice < q.choices.len())
        {
            self.chosen = Some(choice);
            self.script = Some(moves);
            if let Some(entered) = self.entered.last_mut() {
                // What is seen from now on counts.
                entered.records = history.records().len();
            }
            self.status = Status::Running;
            self.observe(history)?;
        }
        Ok(())
    }

    /// Shows the reference solution, move by move, with [`Player::advance`].
    pub fn show_me(&mut self) {
        if let (Task::Do(task), Status::Acting) = (&self.step_data().task, self.status) {
            self.script = Some(Script::new(&task.solution));
            self.status = Status::Showing;
        }
    }

    /// Goes to the next step, when this one is done or only to be read. False at the end, or when
    /// something is still to be done.
    ///
    /// # Errors
    /// The next step's question can't be asked.
    pub fn next(&mut self, history: &mut History) -> Result<bool, LessonError> {
        let ready = matches!(self.status, Status::Done | Status::Reading);
        if !ready || self.at + 1 >= self.lesson.data.steps.len() {
            return Ok(false);
        }
        self.at += 1;
        self.furthest = self.furthest.max(self.at);
        self.begin_step(history, true)?;
        Ok(true)
    }

    /// Does what is left of this step with the reference solution, at once. A question is answered
    /// rightly.
    ///
    /// # Errors
    /// The solution does not lead there.
    pub fn play_out(&mut self, history: &mut History) -> Result<(), LessonError> {
        match self.status {
            Status::Acting => self.show_me(),
            Status::Asking => {
                let right = self.question.as_ref().map_or(0, |q| q.right);
                self.answer(right, history)?;
            }
            Status::Reading
            | Status::Watching
            | Status::Showing
            | Status::Running
            | Status::Done
            | Status::OffTrack => {}
        }
        while self.advance(history)? == Advanced::Moved {}
        let kind = match self.status {
            Status::Done | Status::Reading => return Ok(()),
            Status::OffTrack if self.script.is_none() => ErrorKind::Scene,
            Status::OffTrack | Status::Watching | Status::Running => ErrorKind::NeverCame {
                steps: self.script.as_ref().map_or(0, |s| s.taken),
            },
            Status::Acting | Status::Showing | Status::Asking => ErrorKind::GoalMissed,
        };
        Err(self.lesson.error(Some(self.at), kind))
    }

    /// Enters a step (from 0) anew: one that was entered before as it was then, one that lies ahead
    /// with the steps before it played out. Gives the run that belongs to it.
    ///
    /// # Errors
    /// The lesson can't be played so far.
    pub fn enter(&mut self, step: usize) -> Result<History, LessonError> {
        // A step whose scene is not set is set anew from the beginning.
        let again = step == self.at && self.status == Status::OffTrack && self.script.is_none();
        if step < self.entered.len() && !again {
            let run = self.entered[step].run.clone();
            let mut history = History::import(&run)
                .map_err(|e| self.lesson.error(Some(step), ErrorKind::Replay(e)))?
                .history;
            self.entered.truncate(step);
            self.at = step;
            // The run stands where the scene was set already.
            self.begin_step(&mut history, false)?;
            return Ok(history);
        }
        let furthest = self.furthest;
        let answers = std::mem::take(&mut self.answers);
        let (player, history) = Player::open(self.lesson.clone(), step)?;
        *self = player;
        self.furthest = self.furthest.max(furthest);
        self.answers = answers;
        self.answers.remove(&self.at);
        Ok(history)
    }

    fn begin_step(&mut self, history: &mut History, set: bool) -> Result<(), LessonError> {
        let step = &self.lesson.data.steps[self.at];
        if set && !step.scene.is_empty() {
            let names = self.entered.last().map(|e| e.names.clone());
            let place = Place {
                names: &names.unwrap_or_default(),
                led: eval::leader(history.world()),
                from: (self.begin.0, history.records().len(), self.begin.1),
            };
            play(&step.scene, history, &place)
                .map_err(|kind| self.lesson.error(Some(self.at), kind))?;
        }
        let history = &*history;
        let records = history.records();
        let mut names = match self.entered.last() {
            Some(before) => before.names.clone(),
            None => Arc::default(),
        };
        let led = eval::leader(history.world());
        for (name, who) in &step.bind {
            let from = (self.begin.0, records.len(), self.begin.1);
            let place = Place {
                names: &names,
                led,
                from,
            };
            let Some(id) = place.scene(history, records.parts()).one(who) else {
                let kind = ErrorKind::Nobody(name.clone());
                return Err(self.lesson.error(Some(self.at), kind));
            };
            Arc::make_mut(&mut names).insert(name.clone(), id);
        }
        self.entered.push(Entered {
            run: Arc::new(history.export()),
            records: records.len(),
            names,
            led,
        });
        self.script = None;
        self.question = None;
        self.chosen = None;
        self.hints = 0;
        self.answers.remove(&self.at);
        self.values = Default::default();
        self.take_values(0, history);
        let step = &self.lesson.data.steps[self.at];
        let set = step.needs.as_ref().is_none_or(|needs| {
            self.place()
                .is_some_and(|p| p.scene(history, records.parts()).holds(needs))
        });
        if !set {
            self.status = Status::OffTrack;
            return Ok(());
        }
        self.status = match &step.task {
            Task::Tell | Task::Explain => Status::Reading,
            Task::Watch(watch) => {
                self.script = Some(Script::new(&[Move::Run {
                    until: watch.until.clone(),
                    at_most: watch.at_most,
                }]));
                Status::Watching
            }
            Task::Do(_) => Status::Acting,
            Task::Predict(_) => {
                self.question = Some(Arc::new(self.ask(history)?));
                Status::Asking
            }
        };
        Ok(())
    }

    fn finish(&mut self, history: &History) {
        self.status = Status::Done;
        self.take_values(1, history);
    }

    fn take_values(&mut self, when: usize, history: &History) {
        let Some(section) = self.lesson.section(self.at, crate::Lang::En) else {
            return;
        };
        let records = history.records();
        let Some(place) = self.place() else { return };
        let scene = place.scene(history, records.parts());
        let text = crate::Text {
            title: "",
            summary: &[],
            sections: std::slice::from_ref(section),
        };
        let values = text
            .values()
            .filter_map(|name| {
                let value = scene.value(&Expr::parse(name)?)?;
                Some((name, value.to_string()))
            })
            .collect();
        self.values[when] = Arc::new(values);
    }

    fn place(&self) -> Option<Place<'_>> {
        let entered = self.entered.last()?;
        Some(Place {
            names: &entered.names,
            led: entered.led,
            from: (self.begin.0, entered.records, self.begin.1),
        })
    }

    /// Whether a condition holds in a fork that does this instead, from where the step began.
    pub(crate) fn holds_given(
        &self,
        given: &[Move],
        condition: &crate::schema::Condition,
    ) -> Result<bool, LessonError> {
        let fail = |kind| self.lesson.error(Some(self.at), kind);
        let Some(entered) = self.entered.last() else {
            return Ok(false);
        };
        let mut fork = History::import(&entered.run)
            .map_err(|e| fail(ErrorKind::Replay(e)))?
            .history;
        let place = Place {
            names: &entered.names,
            led: entered.led,
            from: (self.begin.0, fork.records().len(), self.begin.1),
        };
        play(given, &mut fork, &place).map_err(fail)?;
        let records = fork.records();
        Ok(place.scene(&fork, records.parts()).holds(condition))
    }

    /// Whether a condition holds now, for the check.
    pub(crate) fn holds(&self, condition: &crate::schema::Condition, history: &History) -> bool {
        let records = history.records();
        self.place()
            .is_some_and(|p| p.scene(history, records.parts()).holds(condition))
    }

    /// The script has nothing more to do; waits that are over are passed.
    fn script_is_over(&mut self, history: &History) -> bool {
        let (Some(mut script), Some(place)) = (self.script.take(), self.place()) else {
            return false;
        };
        let records = history.records();
        let scene = place.scene(history, records.parts());
        while let Some(Move::Run { until, .. }) = script.moves.get(script.next) {
            if !scene.holds(until) {
                break;
            }
            script.next += 1;
            script.taken = 0;
        }
        let over = script.next >= script.moves.len();
        self.script = Some(script);
        over
    }

    fn predict(&self) -> Option<&Predict> {
        match &self.step_data().task {
            Task::Predict(predict) => Some(predict),
            Task::Tell | Task::Watch(_) | Task::Do(_) | Task::Explain => None,
        }
    }

    /// Runs a fork of the world to know the answer.
    fn ask(&self, history: &History) -> Result<Question, LessonError> {
        let wrong = |what: &str| {
            let kind = ErrorKind::Question(what.to_owned());
            Err(self.lesson.error(Some(self.at), kind))
        };
        let Some(predict) = self.predict() else {
            return wrong("there is none");
        };
        let fork = self.fork(history, &[], predict)?;
        let of = identity(history);
        match &predict.choices {
            Choices::Value {
                outcome,
                also,
                servers,
            } => {
                let Some(right) = self.value_in(&fork, outcome) else {
                    return wrong("the run leads to no value");
                };
                let mut values: Vec<Value> = also
                    .iter()
                    .filter_map(|e| self.value_in(history, e))
                    .collect();
                if let Some(of) = servers {
                    values.extend(self.group_in(history, of).into_iter().map(Value::Server));
                }
                values.push(right.clone());
                values.sort();
                values.dedup();
                if values.len() < 2 {
                    return wrong("there is only one choice");
                }
                let right = values.iter().position(|v| *v == right).unwrap_or(0);
                Ok(Question {
                    choices: values.into_iter().map(Choice::Value).collect(),
                    right,
                    of,
                })
            }
            Choices::Cases(cases) => {
                let Some(right) = self.case_in(&fork, cases) else {
                    return wrong("not exactly one case holds after the run");
                };
                if cases.len() < 2 {
                    return wrong("there is only one choice");
                }
                Ok(Question {
                    choices: cases.iter().map(|c| Choice::Case(c.id.clone())).collect(),
                    right,
                    of,
                })
            }
        }
    }

    /// The run was tried out in the world itself.
    fn judge(&mut self, history: &History) {
        let (Some(question), Some(chosen), Some(predict)) =
            (self.question.clone(), self.chosen, self.predict())
        else {
            return;
        };
        let right = match &predict.choices {
            Choices::Value { outcome, .. } => self.value_in(history, outcome).and_then(|value| {
                let value = Choice::Value(value);
                question.choices.iter().position(|c| *c == value)
            }),
            Choices::Cases(cases) => self.case_in(history, cases),
        };
        // What happened counts, not what the fork said: the learner may have acted meanwhile.
        let right = right.unwrap_or(question.right);
        let instead = (chosen != right).then(|| self.instead(&question, chosen, right));
        self.answers.insert(
            self.at,
            Arc::new(Answer {
                chosen,
                right,
                instead,
            }),
        );
        self.finish(history);
    }

    fn instead(&self, question: &Question, chosen: usize, right: usize) -> Instead {
        match (&question.choices[chosen], &question.choices[right]) {
            (Choice::Value(Value::Server(a)), Choice::Value(Value::Server(b))) => {
                // As it was when the question was asked.
                let Some(history) = self
                    .entered
                    .last()
                    .and_then(|e| History::import(&e.run).ok())
                    .map(|i| i.history)
                else {
                    return Instead::Values;
                };
                let world = history.world();
                match (self_ballot(world, *a), self_ballot(world, *b)) {
                    (Some(chosen), Some(won)) => Instead::Ballots {
                        chosen,
                        won,
                        without: self.without(&history, chosen),
                    },
                    (Some(_) | None, Some(_) | None) => Instead::Values,
                }
            }
            (Choice::Case(_), _) => Instead::Case,
            (Choice::Value(_), _) => Instead::Values,
        }
    }

    /// Which servers must be down for this one to be the outcome: tried out.
    fn without(&self, history: &History, chosen: Ballot) -> Vec<ServerId> {
        let world = history.world();
        let better: Vec<ServerId> = self
            .group_in(history, &Group::Up)
            .into_iter()
            .filter(|id| self_ballot(world, *id).is_some_and(|b| b > chosen))
            .collect();
        let crashes: Vec<Move> = better
            .iter()
            .map(|id| {
                Move::Act(Act::Crash {
                    server: Who::Id(id.0),
                    lose_unsynced: false,
                })
            })
            .collect();
        let Some(Predict {
            choices: Choices::Value { outcome, .. },
            ..
        }) = self.predict()
        else {
            return Vec::new();
        };
        let wins = self
            .predict()
            .and_then(|predict| self.fork(history, &crashes, predict).ok())
            .and_then(|fork| self.value_in(&fork, outcome))
            == Some(Value::Server(chosen.server));
        if wins { better } else { Vec::new() }
    }

    /// A fork of the world after these moves and the run of a prediction.
    pub(crate) fn fork(
        &self,
        history: &History,
        before: &[Move],
        predict: &Predict,
    ) -> Result<History, LessonError> {
        let mut fork = history.clone();
        let Some(entered) = self.entered.last() else {
            return Ok(fork);
        };
        let place = Place {
            names: &entered.names,
            led: entered.led,
            from: (self.begin.0, history.records().len(), self.begin.1),
        };
        for moves in [before, &predict.run] {
            play(moves, &mut fork, &place)
                .map_err(|kind| self.lesson.error(Some(self.at), kind))?;
        }
        Ok(fork)
    }

    fn value_in(&self, history: &History, expr: &Expr) -> Option<Value> {
        let records = history.records();
        self.place()?.scene(history, records.parts()).value(expr)
    }

    fn group_in(&self, history: &History, of: &Group) -> Vec<ServerId> {
        let records = history.records();
        let scene = self.place().map(|p| p.scene(history, records.parts()));
        eval::group(history.world(), of, scene.as_ref())
    }

    /// The one case that holds.
    pub(crate) fn case_in(&self, history: &History, cases: &[Case]) -> Option<usize> {
        let records = history.records();
        let scene = self.place()?.scene(history, records.parts());
        let mut holding = cases
            .iter()
            .enumerate()
            .filter(|(_, c)| scene.holds(&c.when))
            .map(|(i, _)| i);
        match (holding.next(), holding.next()) {
            (Some(only), None) => Some(only),
            (None | Some(_), _) => None,
        }
    }

    pub(crate) fn right(&self) -> Option<usize> {
        self.question.as_ref().map(|q| q.right)
    }
}

/// A run's present moment: enough to notice that it is another.
fn identity(history: &History) -> (u64, u64) {
    (history.world().trace_hash(), history.actions().len() as u64)
}

fn self_ballot(world: &World, server: ServerId) -> Option<Ballot> {
    let (epoch, zxid) = eval::ballot(world, server)?;
    Some(Ballot {
        epoch,
        zxid,
        server,
    })
}

/// What a condition may refer to, apart from the run itself.
#[derive(Clone, Copy)]
struct Place<'a> {
    names: &'a Names,
    led: Option<ServerId>,
    /// Records before the lesson, before the step; actions before the lesson.
    from: (usize, usize, usize),
}

impl<'a> Place<'a> {
    fn scene<'s>(
        &self,
        history: &'s History,
        parts: &'s [&'s [zabscope_core::sim::Record]],
    ) -> Scene<'s>
    where
        'a: 's,
    {
        Scene {
            world: history.world(),
            lesson: Window::new(parts, self.from.0),
            step: Window::new(parts, self.from.1),
            names: self.names,
            led: self.led,
            it: None,
            faults: eval::faults(history, self.from.2),
        }
    }
}

/// Plays a script in a world that nothing has happened in, and tells whether a condition holds then.
pub(crate) fn play_alone(
    moves: &[Move],
    then: &crate::schema::Condition,
    history: &mut History,
) -> Result<bool, ErrorKind> {
    let names = Names::new();
    let place = Place {
        names: &names,
        led: None,
        from: (0, 0, 0),
    };
    play(moves, history, &place)?;
    let records = history.records();
    Ok(place.scene(history, records.parts()).holds(then))
}

/// All of a script at once.
fn play(moves: &[Move], history: &mut History, place: &Place<'_>) -> Result<(), ErrorKind> {
    let mut script = Script::new(moves);
    while advance(&mut script, history, place)? == Advanced::Moved {}
    Ok(())
}

/// One move of a script.
fn advance(
    script: &mut Script,
    history: &mut History,
    place: &Place<'_>,
) -> Result<Advanced, ErrorKind> {
    loop {
        let Some(now) = script.moves.get(script.next) else {
            return Ok(Advanced::Rests);
        };
        match now {
            Move::Act(act) => {
                let action = {
                    let records = history.records();
                    action(act, &place.scene(history, records.parts()))?
                };
                history.act(action).map_err(ErrorKind::Act)?;
                script.next += 1;
                script.taken = 0;
                return Ok(Advanced::Moved);
            }
            Move::Run { until, at_most } => {
                let over = {
                    let records = history.records();
                    place.scene(history, records.parts()).holds(until)
                };
                if over {
                    script.next += 1;
                    script.taken = 0;
                    continue;
                }
                if script.taken >= *at_most || history.step().is_none() {
                    return Err(ErrorKind::NeverCame {
                        steps: script.taken,
                    });
                }
                script.taken += 1;
                return Ok(Advanced::Moved);
            }
            Move::Steps(n) => {
                if script.taken >= *n {
                    script.next += 1;
                    script.taken = 0;
                    continue;
                }
                if history.step().is_none() {
                    return Err(ErrorKind::NeverCame {
                        steps: script.taken,
                    });
                }
                script.taken += 1;
                return Ok(Advanced::Moved);
            }
        }
    }
}

/// The simulator's action, with servers resolved.
fn action(act: &Act, scene: &Scene<'_>) -> Result<Action, ErrorKind> {
    let one = |who: &Who| {
        scene.one(who).ok_or_else(|| {
            let name = serde_json::to_string(who).unwrap_or_default();
            ErrorKind::Nobody(name.trim_matches('"').to_owned())
        })
    };
    let ask = |client: &u16, request: Request| Action::Ask {
        client: ClientNo(*client),
        request,
    };
    Ok(match act {
        Act::Crash {
            server,
            lose_unsynced,
        } => Action::Crash {
            server: one(server)?,
            lose_unsynced: *lose_unsynced,
        },
        Act::Restart(server) => Action::Restart {
            server: one(server)?,
        },
        Act::Pause(server) => Action::Pause {
            server: one(server)?,
        },
        Act::Resume(server) => Action::Resume {
            server: one(server)?,
        },
        Act::CutLink { a, b } => Action::CutLink {
            a: one(a)?,
            b: one(b)?,
        },
        Act::CutDirection { from, to } => Action::CutDirection {
            from: one(from)?,
            to: one(to)?,
        },
        Act::HealLink { a, b } => Action::HealLink {
            a: one(a)?,
            b: one(b)?,
        },
        Act::Partition(groups) => Action::Partition {
            groups: groups
                .iter()
                .map(|g| g.iter().map(one).collect())
                .collect::<Result<_, _>>()?,
        },
        Act::HealAll {} => Action::HealAll,
        Act::SlowLink { a, b, extra_ms } => Action::SlowLink {
            a: one(a)?,
            b: one(b)?,
            extra: Span::millis(*extra_ms),
        },
        Act::SlowDisk { server, extra_ms } => Action::SlowDisk {
            server: one(server)?,
            extra: Span::millis(*extra_ms),
        },
        Act::LoseDisk(server) => Action::LoseDisk {
            server: one(server)?,
        },
        Act::AddClient { server, timeout_ms } => Action::AddClient {
            server: server.as_ref().map(one).transpose()?,
            timeout_ms: *timeout_ms,
        },
        Act::MoveClient { client, server } => Action::MoveClient {
            client: ClientNo(*client),
            server: one(server)?,
        },
        Act::DropClient(client) => Action::DropClient {
            client: ClientNo(*client),
        },
        Act::PauseClient(client) => Action::PauseClient {
            client: ClientNo(*client),
        },
        Act::ResumeClient(client) => Action::ResumeClient {
            client: ClientNo(*client),
        },
        Act::Create {
            client,
            path,
            data,
            ephemeral,
            sequential,
        } => ask(
            client,
            Request::Write(Write::Create(Create {
                path: path.as_str().into(),
                data: Some(data.as_bytes().into()),
                acl: acl::open(),
                mode: match (ephemeral, sequential) {
                    (false, false) => CreateMode::Persistent,
                    (true, false) => CreateMode::Ephemeral,
                    (false, true) => CreateMode::PersistentSequential,
                    (true, true) => CreateMode::EphemeralSequential,
                },
                op: CreateOp::Create,
            })),
        ),
        Act::Write { client, path, data } => ask(
            client,
            Request::Write(Write::SetData {
                path: path.as_str().into(),
                data: Some(data.as_bytes().into()),
                version: -1,
            }),
        ),
        Act::Read {
            client,
            path,
            watch,
        } => ask(
            client,
            Request::GetData {
                path: path.as_str().into(),
                watch: *watch,
            },
        ),
        Act::Sync { client } => ask(client, Request::Sync { path: "/".into() }),
        Act::Ask { client, request } => ask(client, request.clone()),
        Act::Load { client, writes } => Action::Load {
            client: ClientNo(*client),
            writes: *writes,
        },
    })
}

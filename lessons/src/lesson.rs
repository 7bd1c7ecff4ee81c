//! A lesson: data and text, read and checked for shape.

use crate::from_json;
use crate::{
    error::{ErrorKind, LessonError},
    schema::{Choices, Data, Expr, Step, Task, VERSION},
    text::{Part, Section, Text},
};
use serde::Deserialize;
use std::collections::BTreeSet;

/// A language of the texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lang {
    /// English.
    En,
    /// Simplified Chinese.
    Zh,
}

/// More steps no lesson has.
pub const MAX_STEPS: usize = 30;
/// No wait in a lesson is longer, in steps of the simulator.
pub const MAX_RUN: u64 = 20_000;

/// A lesson.
#[derive(Clone, Debug)]
pub struct Lesson {
    name: String,
    /// Its data.
    pub data: Data,
    en: Text,
    zh: Text,
}

impl Lesson {
    /// Reads a lesson and checks its shape: everything that can be said without running it.
    ///
    /// # Errors
    /// It is not as the schema says, or text and data do not fit.
    pub fn parse(name: &str, json: &str, en: Text, zh: Text) -> Result<Lesson, LessonError> {
        #[derive(Deserialize)]
        struct OnlyVersion {
            version: u32,
        }
        let place = |e: &serde_json::Error| format!(", line {} column {}", e.line(), e.column());
        let schema = |e: serde_json::Error| {
            let text = e.to_string();
            let end = text.rfind(" at line ").unwrap_or(text.len());
            LessonError {
                lesson: name.to_owned(),
                file: "lesson.json",
                place: place(&e),
                kind: ErrorKind::Schema(text[..end].to_owned()),
            }
        };
        let OnlyVersion { version } = from_json(json).map_err(schema)?;
        if version != VERSION {
            return Err(LessonError {
                lesson: name.to_owned(),
                file: "lesson.json",
                place: String::new(),
                kind: ErrorKind::Version { found: version },
            });
        }
        let data: Data = from_json(json).map_err(schema)?;
        let lesson = Lesson {
            name: name.to_owned(),
            data,
            en,
            zh,
        };
        lesson.shape(json)?;
        Ok(lesson)
    }

    /// Its name: the number in the curriculum and a few words, `10-electing-a-leader`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its text.
    #[must_use]
    pub fn text(&self, lang: Lang) -> &Text {
        match lang {
            Lang::En => &self.en,
            Lang::Zh => &self.zh,
        }
    }

    /// The text of a step.
    #[must_use]
    pub fn section(&self, step: usize, lang: Lang) -> Option<&'static Section> {
        self.text(lang).section(&self.data.steps.get(step)?.id)
    }

    /// `10-electing-a-leader#3`: the steps are counted from 1.
    #[must_use]
    pub fn link(&self, step: usize) -> String {
        format!("{}#{}", self.name, step + 1)
    }

    /// The number of hints of a step.
    #[must_use]
    pub fn hints(&self, step: usize) -> usize {
        self.section(step, Lang::En)
            .map_or(0, |s| s.parts("hint").count())
    }

    pub(crate) fn error(&self, step: Option<usize>, kind: ErrorKind) -> LessonError {
        let place = match step.and_then(|i| self.data.steps.get(i)) {
            Some(step) => format!(", step `{}`", step.id),
            None => String::new(),
        };
        LessonError {
            lesson: self.name.clone(),
            file: "lesson.json",
            place,
            kind,
        }
    }

    fn shape(&self, json: &str) -> Result<(), LessonError> {
        let bad = |step: Option<usize>, what: String| Err(self.error(step, ErrorKind::Shape(what)));
        self.data
            .setup
            .validate()
            .map_err(|e| self.error(None, ErrorKind::Setup(e)))?;
        if !(1..=5).contains(&self.data.minutes) {
            return bad(None, "a lesson takes 1 to 5 minutes".to_owned());
        }
        let steps = &self.data.steps;
        if !(1..=MAX_STEPS).contains(&steps.len()) {
            return bad(None, format!("a lesson has 1 to {MAX_STEPS} steps"));
        }
        if !steps.iter().any(|s| matches!(s.task, Task::Do(_))) {
            return bad(None, "there is nothing to do: no `do`".to_owned());
        }
        if !steps.iter().any(|s| matches!(s.task, Task::Predict(_))) {
            return bad(None, "there is nothing to predict: no `predict`".to_owned());
        }
        self.names_are_bound(json)?;
        let mut ids = BTreeSet::new();
        for (i, step) in steps.iter().enumerate() {
            if !ids.insert(step.id.as_str()) {
                return bad(Some(i), "another step has this id".to_owned());
            }
            if let Task::Watch(watch) = &step.task
                && !(1..=MAX_RUN).contains(&watch.at_most)
            {
                return bad(Some(i), format!("`at_most` is 1 to {MAX_RUN}"));
            }
            for lang in [Lang::En, Lang::Zh] {
                self.step_text(i, step, lang)?;
            }
        }
        for lang in [Lang::En, Lang::Zh] {
            let text = self.text(lang);
            if let Some(lost) = text.sections.iter().find(|s| !ids.contains(s.id)) {
                return Err(self.text_error(lang, format!("there is no step `{}`", lost.id)));
            }
            if let Some(value) = text.values().find(|v| Expr::parse(v).is_none()) {
                return Err(self.text_error(lang, format!("`{{{{{value}}}}}` is no value")));
            }
        }
        Ok(())
    }

    fn text_error(&self, lang: Lang, what: String) -> LessonError {
        LessonError {
            lesson: self.name.clone(),
            file: match lang {
                Lang::En => "en.md",
                Lang::Zh => "zh.md",
            },
            place: String::new(),
            kind: ErrorKind::Shape(what),
        }
    }

    fn step_text(&self, i: usize, step: &Step, lang: Lang) -> Result<(), LessonError> {
        let bad = |what: String| Err(self.text_error(lang, format!("step `{}`: {what}", step.id)));
        let Some(section) = self.section(i, lang) else {
            return bad("there is no text".to_owned());
        };
        if section.title.is_empty() || section.body.is_empty() {
            return bad("title or text is empty".to_owned());
        }
        let has = |kind| section.parts(kind).next().is_some();
        let kinds: &[&str] = match &step.task {
            Task::Tell | Task::Explain => &[],
            Task::Watch(_) => &["done"],
            Task::Do(_) => &["hint", "done"],
            Task::Predict(_) => &["right", "wrong", "choice"],
        };
        if let Some(part) = section.parts.iter().find(|p| !kinds.contains(&p.kind)) {
            return bad(format!("such a step has no part `{}`", part.kind));
        }
        match &step.task {
            Task::Do(_) if !has("hint") => return bad("there is no hint".to_owned()),
            Task::Do(_) if section.parts("hint").count() != self.hints(i) => {
                return bad("another number of hints than in English".to_owned());
            }
            Task::Predict(predict) => {
                if !has("right") || !has("wrong") {
                    return bad("`right` and `wrong` are missing".to_owned());
                }
                let cases: Vec<&str> = match &predict.choices {
                    Choices::Value { .. } => Vec::new(),
                    Choices::Cases(cases) => cases.iter().map(|c| c.id.as_str()).collect(),
                };
                let once: BTreeSet<_> = cases.iter().collect();
                if once.len() != cases.len() {
                    return bad("two choices have one name".to_owned());
                }
                if let Some(case) = cases.iter().find(|id| section.choice(id).is_none()) {
                    return bad(format!("choice `{case}` has no text"));
                }
                let lost = section
                    .parts("choice")
                    .find(|p: &&Part| !cases.contains(&p.id));
                if let Some(lost) = lost {
                    return bad(format!("there is no choice `{}`", lost.id));
                }
            }
            Task::Tell | Task::Watch(_) | Task::Do(_) | Task::Explain => {}
        }
        Ok(())
    }

    /// Every `"$name"` is bound by its step or an earlier one.
    fn names_are_bound(&self, json: &str) -> Result<(), LessonError> {
        fn walk<'v>(value: &'v serde_json::Value, out: &mut Vec<&'v str>) {
            match value {
                serde_json::Value::String(s) => out.extend(s.strip_prefix('$')),
                serde_json::Value::Array(list) => list.iter().for_each(|v| walk(v, out)),
                serde_json::Value::Object(map) => map.values().for_each(|v| walk(v, out)),
                serde_json::Value::Null
                | serde_json::Value::Bool(_)
                | serde_json::Value::Number(_) => {}
            }
        }
        let raw: serde_json::Value = serde_json::from_str(json).unwrap_or_default();
        let mut bound = BTreeSet::new();
        let steps = raw["steps"].as_array().map_or(&[][..], Vec::as_slice);
        for (i, (step, raw)) in self.data.steps.iter().zip(steps).enumerate() {
            let mut used = Vec::new();
            walk(raw, &mut used);
            // What is bound here may be derived from what was bound before.
            bound.extend(step.bind.keys().map(String::as_str));
            if let Some(name) = used.iter().find(|name| !bound.contains(**name)) {
                return Err(self.error(
                    Some(i),
                    ErrorKind::Shape(format!("nothing binds `${name}` here or before")),
                ));
            }
        }
        Ok(())
    }
}

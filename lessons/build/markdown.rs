//! The little Markdown that lessons may use, and nothing else: an element that is not in the list
//! is an error with its line, so that no text is lost silently.
//!
//! ```text
//! # Title of the lesson
//! A summary.
//! ## step-id | Title of the step
//! Text, **strong**, *emphasis*, `code`, lists, and {{values}} that are computed from the run.
//! ### hint                     (also: done, right, wrong)
//! ### choice some-id | Label   (text: what would have had to be true)
//! ```

use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd};

#[derive(Debug, PartialEq, Eq)]
pub enum Inline {
    Text(String),
    Strong(String),
    Em(String),
    Code(String),
    Value(String),
}

#[derive(Debug, PartialEq, Eq)]
pub enum Block {
    Para(Vec<Inline>),
    List(bool, Vec<Vec<Inline>>),
}

#[derive(Debug, Default, PartialEq, Eq)]
pub struct Part {
    pub kind: String,
    pub id: String,
    pub title: String,
    pub body: Vec<Block>,
}

#[derive(Debug, Default, PartialEq, Eq)]
pub struct Section {
    pub id: String,
    pub title: String,
    pub body: Vec<Block>,
    pub parts: Vec<Part>,
}

#[derive(Debug, Default, PartialEq, Eq)]
pub struct Text {
    pub title: String,
    pub summary: Vec<Block>,
    pub sections: Vec<Section>,
}

fn line(source: &str, at: usize) -> usize {
    source[..at].matches('\n').count() + 1
}

pub fn parse(source: &str) -> Result<Text, String> {
    let mut text = Text::default();
    let mut style: Option<fn(String) -> Inline> = None;
    let mut inlines: Vec<Inline> = Vec::new();
    let mut list: Option<(bool, Vec<Vec<Inline>>)> = None;
    let mut heading: Option<HeadingLevel> = None;
    for (event, range) in Parser::new_ext(source, Options::empty()).into_offset_iter() {
        let fail = |what: &str| Err(format!("line {}: {what}", line(source, range.start)));
        match event {
            Event::Start(Tag::Heading { level, .. }) => heading = Some(level),
            Event::End(TagEnd::Heading(level)) => {
                heading = None;
                let title = plain(&inlines);
                inlines.clear();
                match level {
                    HeadingLevel::H1 if text.title.is_empty() => text.title = title,
                    HeadingLevel::H1 => return fail("a second title"),
                    HeadingLevel::H2 => {
                        let Some((id, title)) = title.split_once(" | ") else {
                            return fail("a step's heading is `## id | title`");
                        };
                        if text.sections.iter().any(|s| s.id == id.trim()) {
                            return fail("this step has a text already");
                        }
                        text.sections.push(Section {
                            id: id.trim().to_owned(),
                            title: title.trim().to_owned(),
                            ..Section::default()
                        });
                    }
                    HeadingLevel::H3 => {
                        let (left, title) = title.split_once(" | ").unwrap_or((&title, ""));
                        let (kind, id) = left.trim().split_once(' ').unwrap_or((left.trim(), ""));
                        if !["hint", "done", "right", "wrong", "choice"].contains(&kind) {
                            return fail("a part is hint, done, right, wrong or choice");
                        }
                        if (kind == "choice") == (id.is_empty() || title.is_empty()) {
                            return fail(
                                "a choice is `### choice id | label`, other parts have neither",
                            );
                        }
                        let Some(section) = text.sections.last_mut() else {
                            return fail("a part without a step");
                        };
                        section.parts.push(Part {
                            kind: kind.to_owned(),
                            id: id.to_owned(),
                            title: title.trim().to_owned(),
                            body: Vec::new(),
                        });
                    }
                    HeadingLevel::H4 | HeadingLevel::H5 | HeadingLevel::H6 => {
                        return fail("headings have three levels at most");
                    }
                }
            }
            Event::Start(Tag::Paragraph | Tag::Item) => {}
            Event::End(TagEnd::Paragraph) => {
                if list.is_none() {
                    body(&mut text).push(Block::Para(std::mem::take(&mut inlines)));
                }
            }
            Event::Start(Tag::List(first)) => {
                if list.is_some() {
                    return fail("a list inside a list");
                }
                list = Some((first.is_some(), Vec::new()));
            }
            Event::End(TagEnd::Item) => {
                if let Some((_, items)) = &mut list {
                    items.push(std::mem::take(&mut inlines));
                }
            }
            Event::End(TagEnd::List(_)) => {
                if let Some((ordered, items)) = list.take() {
                    body(&mut text).push(Block::List(ordered, items));
                }
            }
            Event::Start(Tag::Strong) => style = Some(Inline::Strong),
            Event::Start(Tag::Emphasis) => style = Some(Inline::Em),
            Event::End(TagEnd::Strong | TagEnd::Emphasis) => style = None,
            Event::Code(code) => inlines.push(Inline::Code(code.into_string())),
            Event::Text(words) => {
                if heading.is_some() {
                    inlines.push(Inline::Text(words.into_string()));
                } else if let Err(what) = values(&words, style, &mut inlines) {
                    return fail(&what);
                }
            }
            Event::SoftBreak | Event::HardBreak => inlines.push(Inline::Text("\n".to_owned())),
            other => return fail(&format!("lessons do not use this: {other:?}")),
        }
    }
    if text.title.is_empty() {
        return Err("line 1: no title".to_owned());
    }
    merge(&mut text);
    Ok(text)
}

fn body(text: &mut Text) -> &mut Vec<Block> {
    match text.sections.last_mut() {
        None => &mut text.summary,
        Some(section) => match section.parts.last_mut() {
            None => &mut section.body,
            Some(part) => &mut part.body,
        },
    }
}

fn plain(inlines: &[Inline]) -> String {
    inlines
        .iter()
        .map(|i| match i {
            Inline::Text(s)
            | Inline::Strong(s)
            | Inline::Em(s)
            | Inline::Code(s)
            | Inline::Value(s) => s.as_str(),
        })
        .collect()
}

/// Splits `a {{b}} c`.
fn values(
    words: &str,
    style: Option<fn(String) -> Inline>,
    out: &mut Vec<Inline>,
) -> Result<(), String> {
    let wrap = style.unwrap_or(Inline::Text);
    let mut rest = words;
    while let Some((before, after)) = rest.split_once("{{") {
        let Some((value, after)) = after.split_once("}}") else {
            return Err("`{{` without `}}`".to_owned());
        };
        if !before.is_empty() {
            out.push(wrap(before.to_owned()));
        }
        out.push(Inline::Value(value.trim().to_owned()));
        rest = after;
    }
    if !rest.is_empty() {
        out.push(wrap(rest.to_owned()));
    }
    Ok(())
}

/// Whether a text is Chinese at this end, punctuation included.
fn chinese(inline: Option<&Inline>, first: bool) -> bool {
    let end = |s: &String| {
        if first {
            s.chars().next()
        } else {
            s.chars().last()
        }
    };
    inline
        .and_then(|i| match i {
            Inline::Text(s) | Inline::Strong(s) | Inline::Em(s) | Inline::Code(s) => end(s),
            Inline::Value(_) => None,
        })
        .is_some_and(|c| c >= '\u{2e80}')
}

/// Joins neighbouring pieces of plain text, which the parser splits, and lines: with a space, but
/// not between two Chinese characters.
fn merge(text: &mut Text) {
    let join = |inlines: &mut Vec<Inline>| {
        let mut out: Vec<Inline> = Vec::new();
        let mut rest = inlines.drain(..).peekable();
        while let Some(mut next) = rest.next() {
            if next == Inline::Text("\n".to_owned()) {
                if chinese(out.last(), false) && chinese(rest.peek(), true) {
                    continue;
                }
                next = Inline::Text(" ".to_owned());
            }
            match (out.last_mut(), next) {
                (Some(Inline::Text(last)), Inline::Text(more)) => last.push_str(&more),
                (_, next) => out.push(next),
            }
        }
        drop(rest);
        *inlines = out;
    };
    let bodies = text
        .sections
        .iter_mut()
        .flat_map(|s| std::iter::once(&mut s.body).chain(s.parts.iter_mut().map(|p| &mut p.body)));
    for block in std::iter::once(&mut text.summary).chain(bodies).flatten() {
        match block {
            Block::Para(inlines) => join(inlines),
            Block::List(_, items) => items.iter_mut().for_each(join),
        }
    }
}

fn rust_inlines(inlines: &[Inline]) -> String {
    let items: Vec<String> = inlines
        .iter()
        .map(|i| match i {
            Inline::Text(s) => format!("Inline::Text({s:?})"),
            Inline::Strong(s) => format!("Inline::Strong({s:?})"),
            Inline::Em(s) => format!("Inline::Em({s:?})"),
            Inline::Code(s) => format!("Inline::Code({s:?})"),
            Inline::Value(s) => format!("Inline::Value({s:?})"),
        })
        .collect();
    format!("&[{}]", items.join(", "))
}

fn rust_blocks(blocks: &[Block]) -> String {
    let items: Vec<String> = blocks
        .iter()
        .map(|b| match b {
            Block::Para(inlines) => format!("Block::Para({})", rust_inlines(inlines)),
            Block::List(ordered, items) => {
                let items: Vec<_> = items.iter().map(|i| rust_inlines(i)).collect();
                format!(
                    "Block::List {{ ordered: {ordered}, items: &[{}] }}",
                    items.join(", ")
                )
            }
        })
        .collect();
    format!("&[{}]", items.join(", "))
}

/// The text as a Rust constant.
pub fn rust(text: &Text) -> String {
    let sections: Vec<String> = text
        .sections
        .iter()
        .map(|s| {
            let parts: Vec<String> = s
                .parts
                .iter()
                .map(|p| {
                    format!(
                        "Part {{ kind: {:?}, id: {:?}, title: {:?}, body: {} }}",
                        p.kind,
                        p.id,
                        p.title,
                        rust_blocks(&p.body)
                    )
                })
                .collect();
            format!(
                "Section {{ id: {:?}, title: {:?}, body: {}, parts: &[{}] }}",
                s.id,
                s.title,
                rust_blocks(&s.body),
                parts.join(", ")
            )
        })
        .collect();
    format!(
        "Text {{ title: {:?}, summary: {}, sections: &[{}] }}",
        text.title,
        rust_blocks(&text.summary),
        sections.join(", ")
    )
}

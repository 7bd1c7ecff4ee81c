//! The words of a lesson: rendered from Markdown when the crate is built, as typed blocks. No HTML
//! anywhere, so nothing can be injected.

/// A lesson's text in one language.
#[derive(Clone, Copy, Debug)]
pub struct Text {
    /// Its title.
    pub title: &'static str,
    /// What it is about, for the list of lessons.
    pub summary: &'static [Block],
    /// One for each step, found by its id.
    pub sections: &'static [Section],
}

/// The text of a step.
#[derive(Clone, Copy, Debug)]
pub struct Section {
    /// The step's id.
    pub id: &'static str,
    /// Its title.
    pub title: &'static str,
    /// What is said when the step begins.
    pub body: &'static [Block],
    /// What is said later: hints, choices, verdicts.
    pub parts: &'static [Part],
}

/// A part of a step's text.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    /// `hint`, `done`, `right`, `wrong` or `choice`.
    pub kind: &'static str,
    /// The choice's id.
    pub id: &'static str,
    /// The choice's label.
    pub title: &'static str,
    /// The words. For a choice: what would have had to be true.
    pub body: &'static [Block],
}

/// A paragraph or a list.
#[derive(Clone, Copy, Debug)]
pub enum Block {
    /// A paragraph.
    Para(&'static [Inline]),
    /// A list.
    List {
        /// With numbers.
        ordered: bool,
        /// Its items.
        items: &'static [&'static [Inline]],
    },
}

/// A piece of a line.
#[derive(Clone, Copy, Debug)]
pub enum Inline {
    /// As it is.
    Text(&'static str),
    /// Bold.
    Strong(&'static str),
    /// Italic.
    Em(&'static str),
    /// Monospaced.
    Code(&'static str),
    /// Computed from the run: [`Player::value`](crate::Player::value). Monospaced.
    Value(&'static str),
}

impl Text {
    /// The text of a step.
    #[must_use]
    pub fn section(&self, step: &str) -> Option<&'static Section> {
        self.sections.iter().find(|s| s.id == step)
    }

    /// Every `{{value}}` in it.
    pub(crate) fn values(&self) -> impl Iterator<Item = &'static str> + use<> {
        let bodies = self
            .sections
            .iter()
            .flat_map(|s| std::iter::once(s.body).chain(s.parts.iter().map(|p| p.body)));
        std::iter::once(self.summary)
            .chain(bodies)
            .flatten()
            .flat_map(|block| match block {
                Block::Para(inlines) => std::slice::from_ref(inlines),
                Block::List { items, .. } => items,
            })
            .copied()
            .flatten()
            .filter_map(|inline| match inline {
                Inline::Value(value) => Some(*value),
                Inline::Text(_) | Inline::Strong(_) | Inline::Em(_) | Inline::Code(_) => None,
            })
    }
}

impl Section {
    /// Parts of this kind, in order.
    pub fn parts(&self, kind: &'static str) -> impl Iterator<Item = &'static Part> + use<> {
        self.parts.iter().filter(move |p| p.kind == kind)
    }

    /// The text of a choice.
    #[must_use]
    pub fn choice(&self, id: &str) -> Option<&'static Part> {
        self.parts.iter().find(|p| p.kind == "choice" && p.id == id)
    }
}

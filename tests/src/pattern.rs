//! What can be waited for and looked for in the history of a run.

use core::fmt;
use zabscope_core::{
    id::{ServerId, Zxid},
    message::MessageKind,
    peer::event::EventKind,
    sim::{Fact, Record, Sent, WorldEventKind},
};

/// One thing that happened: a fact, or a message that left a server.
#[derive(Clone, Debug)]
pub enum Moment {
    /// A server or the world said so.
    Said(Record),
    /// A message left. In a step, messages stand after facts.
    Left(u64, Sent),
}

impl Moment {
    /// The step in which it happened.
    #[must_use]
    pub fn step(&self) -> u64 {
        match self {
            Moment::Said(record) => record.step,
            Moment::Left(step, _) => *step,
        }
    }
}

type Test = dyn Fn(&Moment) -> bool;

/// A description of something that happens, with the words in which it was written.
pub struct Pattern {
    text: String,
    test: Box<Test>,
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Pattern {
    /// An event of one server, or of any.
    #[must_use]
    pub fn event(
        server: Option<i64>,
        text: &str,
        test: impl Fn(&EventKind) -> bool + 'static,
    ) -> Pattern {
        let text = match server {
            Some(id) => format!("server {id}: {text}"),
            None => format!("any server: {text}"),
        };
        Pattern {
            text,
            test: Box::new(move |moment| match moment {
                Moment::Said(Record {
                    source: Fact::Peer(e),
                    ..
                }) => server.is_none_or(|id| e.id.server == ServerId(id)) && test(&e.kind),
                Moment::Said(_) | Moment::Left(..) => false,
            }),
        }
    }

    /// An event of the world.
    #[must_use]
    pub fn world(text: &str, test: impl Fn(&WorldEventKind) -> bool + 'static) -> Pattern {
        Pattern {
            text: format!("the world: {text}"),
            test: Box::new(move |moment| match moment {
                Moment::Said(Record {
                    source: Fact::World(e),
                    ..
                }) => test(&e.kind),
                Moment::Said(_) | Moment::Left(..) => false,
            }),
        }
    }

    /// Whether this is it.
    #[must_use]
    pub fn is(&self, moment: &Moment) -> bool {
        (self.test)(moment)
    }

    /// The same, only about this zxid; for [`sent`].
    #[must_use]
    pub fn about(self, zxid: Zxid) -> Pattern {
        let Pattern { text, test } = self;
        Pattern {
            text: format!("{text} {zxid:?}"),
            test: Box::new(move |moment| {
                matches!(moment, Moment::Left(_, s) if s.zxid == Some(zxid)) && test(moment)
            }),
        }
    }
}

/// A message that leaves a server; `None` stands for any server.
#[must_use]
pub fn sent(
    from: impl Into<Option<i64>>,
    to: impl Into<Option<i64>>,
    kind: MessageKind,
) -> Pattern {
    let (from, to) = (from.into(), to.into());
    let who = |id: Option<i64>| id.map_or("any".to_owned(), |id| id.to_string());
    Pattern {
        text: format!("{} leaves {} for {}", kind.name(), who(from), who(to)),
        test: Box::new(move |moment| match moment {
            Moment::Left(_, s) => {
                s.kind == kind
                    && from.is_none_or(|id| s.from == ServerId(id))
                    && to.is_none_or(|id| s.to == ServerId(id))
            }
            Moment::Said(_) => false,
        }),
    }
}

/// An event of a server: `event!(2, Serving)`, `event!(any, Committed { zxid, .. } if *zxid == z)`.
#[macro_export]
macro_rules! event {
    (any, $kind:ident) => {
        $crate::Pattern::event(None, stringify!($kind), move |e| {
            matches!(e, ::zabscope_core::peer::event::EventKind::$kind { .. })
        })
    };
    (any, $kind:ident { $($field:tt)* } $(if $condition:expr)?) => {
        $crate::Pattern::event(
            None,
            stringify!($kind { $($field)* } $(if $condition)?),
            move |e| matches!(
                e,
                ::zabscope_core::peer::event::EventKind::$kind { $($field)* } $(if $condition)?
            ),
        )
    };
    ($server:expr, $kind:ident) => {
        $crate::Pattern::event(Some($server), stringify!($kind), move |e| {
            matches!(e, ::zabscope_core::peer::event::EventKind::$kind { .. })
        })
    };
    ($server:expr, $kind:ident { $($field:tt)* } $(if $condition:expr)?) => {
        $crate::Pattern::event(
            Some($server),
            stringify!($kind { $($field)* } $(if $condition)?),
            move |e| matches!(
                e,
                ::zabscope_core::peer::event::EventKind::$kind { $($field)* } $(if $condition)?
            ),
        )
    };
}

/// An event of the world: `world!(StaleRead { behind_by: 1, .. })`.
#[macro_export]
macro_rules! world {
    ($kind:ident) => {
        $crate::Pattern::world(stringify!($kind), move |e| {
            matches!(e, ::zabscope_core::sim::WorldEventKind::$kind { .. })
        })
    };
    ($kind:ident { $($field:tt)* } $(if $condition:expr)?) => {
        $crate::Pattern::world(
            stringify!($kind { $($field)* } $(if $condition)?),
            move |e| matches!(
                e,
                ::zabscope_core::sim::WorldEventKind::$kind { $($field)* } $(if $condition)?
            ),
        )
    };
}

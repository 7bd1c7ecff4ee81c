//! The four-letter words on the client port (ZooKeeper.md 1.18): four ASCII letters where the length
//! of the first packet would stand, a text back, and the connection closes.

#[cfg(test)]
mod tests;
pub(crate) mod text;

use crate::{
    inspect::{self, Inspector, Job},
    net::tls::Stream,
    node::View,
};
use std::{io, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::timeout,
};

/// What a server says that has no quorum.
pub const NOT_SERVING: &str = "This ZooKeeper instance is not currently serving requests";
/// How long a short answer may take to leave, and the mask of `stmk` to come.
const PATIENCE: Duration = Duration::from_secs(10);

macro_rules! words {
    ($($(#[$about:meta])* $word:ident = $name:literal,)*) => {
        /// The words that exist.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Word {
            $($(#[$about])* $word,)*
        }

        impl Word {
            /// All of them.
            pub const ALL: &[Word] = &[$(Word::$word,)*];

            /// Its four letters.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Word::$word => $name,)*
                }
            }
        }
    };
}

words! {
    /// The configuration.
    Conf = "conf",
    /// Connections in full.
    Cons = "cons",
    /// Connections' statistics begin anew.
    Crst = "crst",
    /// The sizes of the directories.
    Dirs = "dirs",
    /// Sessions, their ephemerals, connections.
    Dump = "dump",
    /// The surroundings.
    Envi = "envi",
    /// The trace mask.
    Gtmk = "gtmk",
    /// The tree's digests.
    Hash = "hash",
    /// Whether it is read-only.
    Isro = "isro",
    /// All metrics.
    Mntr = "mntr",
    /// Whether it is there.
    Ruok = "ruok",
    /// The server in short.
    Srvr = "srvr",
    /// The server's statistics begin anew.
    Srst = "srst",
    /// The server in short, and its connections.
    Stat = "stat",
    /// Sets the trace mask.
    Stmk = "stmk",
    /// Watches by session.
    Wchc = "wchc",
    /// Watches by path.
    Wchp = "wchp",
    /// Watches counted.
    Wchs = "wchs",
}

impl Word {
    /// The word that these four bytes are; `None` if they are a length.
    #[must_use]
    pub fn of(first: i32) -> Option<Word> {
        let letters = first.to_be_bytes();
        let mut all = Word::ALL.iter().copied();
        all.find(|word| word.name().as_bytes() == letters)
    }
}

/// What is said.
enum Answer {
    Text(String),
    /// Perhaps more than one wants to have in memory.
    Long(Job),
}

/// Answers words.
#[derive(Clone)]
pub struct Words {
    allowed: Arc<[Word]>,
    inspector: Arc<Inspector>,
}

impl Words {
    /// Those of `4lw.commands.whitelist` are answered: words, or `*` for all.
    #[must_use]
    pub fn new(inspector: Arc<Inspector>) -> Words {
        let wanted = &inspector.config.clients.four_letter_words;
        let all = wanted.contains("*");
        let allowed = Word::ALL.iter().copied();
        Words {
            allowed: allowed
                .filter(|word| all || wanted.contains(word.name()))
                .collect(),
            inspector,
        }
    }

    /// Answers on this connection and ends it.
    ///
    /// # Errors
    /// The reader is gone or does not read.
    pub async fn answer(&self, word: Word, stream: &mut Stream) -> io::Result<()> {
        let answer = if !self.allowed.contains(&word) {
            Answer::Text(format!(
                "{} is not executed because it is not in the whitelist.\n",
                word.name()
            ))
        } else if word == Word::Stmk {
            let mask = timeout(PATIENCE, stream.read_i64()).await??;
            self.inspector.set_trace_mask(mask);
            Answer::Text(mask.to_string())
        } else {
            self.look(word).await
        };
        match answer {
            Answer::Text(text) => timeout(PATIENCE, stream.write_all(text.as_bytes())).await??,
            Answer::Long(job) => self.inspector.write_long(job, stream).await?,
        }
        timeout(PATIENCE, stream.shutdown()).await?
    }

    async fn look(&self, word: Word) -> Answer {
        let of = &self.inspector;
        let answer = match word {
            Word::Ruok => Some("imok".into()),
            Word::Envi => {
                let all = tokio::task::spawn_blocking(inspect::environment).await;
                Some(text::envi(&all.unwrap_or_default()))
            }
            Word::Gtmk | Word::Stmk => Some(of.trace_mask().to_string()),
            Word::Isro => {
                let serving = of.ask(|view| view.peer.serving()).await;
                let state = if serving == Some(true) { "rw" } else { "null" };
                Some(state.into())
            }
            Word::Mntr => of
                .report()
                .await
                .filter(|report| report.peer.serving)
                .map(|report| text::mntr(&report)),
            Word::Srvr | Word::Stat => {
                let server = self.if_serving(text::Server::of).await;
                let connections = (word == Word::Stat).then(|| of.roster.all());
                server.map(|s| s.text(&of.stats, of.roster.len(), connections.as_deref()))
            }
            Word::Cons => self
                .if_serving(|_| ())
                .await
                .map(|()| text::cons(&of.roster.all())),
            Word::Conf => match self.if_serving(|_| ()).await {
                Some(()) => Some(text::conf(of, of.directory_sizes().await)),
                None => None,
            },
            Word::Dirs => match self.if_serving(|_| ()).await {
                Some(()) => Some(text::dirs(of.directory_sizes().await)),
                None => None,
            },
            Word::Crst => self.if_serving(|_| ()).await.map(|()| {
                of.reset_connections();
                "Connection stats reset.\n".into()
            }),
            Word::Srst => self.if_serving(|_| ()).await.map(|()| {
                of.reset();
                "Server stats reset.\n".into()
            }),
            Word::Hash => self
                .if_serving(|_| ())
                .await
                .map(|()| text::hash(&of.metrics.digests())),
            Word::Wchs => {
                self.if_serving(|view| text::wchs(view.peer.clients().watches()))
                    .await
            }
            Word::Wchc | Word::Wchp => {
                if let Some(watches) = self.if_serving(text::Watches::of).await {
                    return Answer::Long(match word {
                        Word::Wchc => Box::new(move |out| watches.by_session(out)),
                        _ => Box::new(move |out| watches.by_path(out)),
                    });
                }
                None
            }
            Word::Dump => {
                let connections = of.roster.all();
                if let Some(dump) = self.if_serving(text::Dump::of).await {
                    return Answer::Long(Box::new(move |out| dump.write(&connections, out)));
                }
                None
            }
        };
        Answer::Text(answer.unwrap_or_else(|| match word {
            // Apache ends only this one without a line.
            Word::Hash => NOT_SERVING.into(),
            _ => format!("{NOT_SERVING}\n"),
        }))
    }

    async fn if_serving<T: Send + 'static>(
        &self,
        look: impl FnOnce(&View<'_>) -> T + Send + 'static,
    ) -> Option<T> {
        let look = |view: &View<'_>| view.peer.serving().then(|| look(view));
        self.inspector.ask(look).await.flatten()
    }
}

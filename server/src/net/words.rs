//! The four-letter words on the client port (ZooKeeper.md 1.18): four ASCII letters where the length
//! of the first packet would stand, a text back, and the connection closes.

use crate::{
    node::{Inbox, View},
    stats::{Roster, ServerStats},
};
use std::{
    fmt::Write as _,
    sync::{Arc, mpsc as std_mpsc},
    time::Duration,
};
use tokio::{sync::oneshot, time::timeout};

/// How long the node may take to answer a question.
const ANSWER: Duration = Duration::from_secs(5);
/// What a server says that has no quorum.
const NOT_SERVING: &str = "This ZooKeeper instance is not currently serving requests\n";

/// The words that exist here.
const KNOWN: [&str; 3] = ["isro", "ruok", "srvr"];

/// Answers words.
#[derive(Clone)]
pub struct Words {
    allowed: Arc<[String]>,
    inbox: std_mpsc::Sender<Inbox>,
    stats: Arc<ServerStats>,
    roster: Arc<Roster>,
}

impl Words {
    /// `allowed` is `4lw.commands.whitelist`: words, or `*` for all.
    #[must_use]
    pub fn new(
        allowed: &[String],
        inbox: std_mpsc::Sender<Inbox>,
        stats: Arc<ServerStats>,
        roster: Arc<Roster>,
    ) -> Words {
        Words {
            allowed: allowed.into(),
            inbox,
            stats,
            roster,
        }
    }

    /// The text for the word that these four bytes are; `None` if they are a length.
    pub async fn answer(&self, first: i32) -> Option<String> {
        let letters = first.to_be_bytes();
        let word = std::str::from_utf8(&letters)
            .ok()
            .and_then(|text| KNOWN.into_iter().find(|known| *known == text))?;
        if !self.allowed.iter().any(|a| a == "*" || a == word) {
            return Some(format!(
                "{word} is not executed because it is not in the whitelist.\n"
            ));
        }
        if word == "ruok" {
            return Some("imok".into());
        }
        let stats = Arc::clone(&self.stats);
        let roster = Arc::clone(&self.roster);
        let text = self
            .ask(move |view| match word {
                "isro" => if view.peer.serving() { "rw" } else { "null" }.into(),
                _ if !view.peer.serving() => NOT_SERVING.into(),
                _ => srvr(view, &stats, &roster),
            })
            .await;
        Some(text.unwrap_or_else(|| NOT_SERVING.into()))
    }

    /// Looks at the node; `None` if it does not answer in time.
    async fn ask<T: Send + 'static>(
        &self,
        look: impl FnOnce(&View<'_>) -> T + Send + 'static,
    ) -> Option<T> {
        let (answer, wait) = oneshot::channel();
        let question = Inbox::Ask(Box::new(move |view| {
            let _ = answer.send(look(view));
        }));
        self.inbox.send(question).ok()?;
        timeout(ANSWER, wait).await.ok()?.ok()
    }
}

fn srvr(view: &View<'_>, stats: &ServerStats, roster: &Roster) -> String {
    let mut text = format!("Zookeeper version: {}\n", crate::VERSION);
    let _ = write!(
        text,
        "Latency min/avg/max: {}/{}/{}\nReceived: {}\nSent: {}\nConnections: {}\n\
         Outstanding: {}\nZxid: {}\nMode: {}\nNode count: {}\n",
        stats.latency.min(),
        stats.latency.mean(),
        stats.latency.max(),
        stats.packets_received(),
        stats.packets_sent(),
        roster.len(),
        view.peer.outstanding(),
        view.peer.last_applied(),
        view.peer.mode().name(),
        view.peer.database().tree.node_count(),
    );
    text
}

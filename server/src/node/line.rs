//! The way from the node to a client's connection.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};
use tokio::sync::{Notify, mpsc as tokio_mpsc};
use zabscope_core::request::{ConnectResponse, Reply, WatchEvent};

/// How many packets may wait for one client. Replies are bounded by the requests outstanding; what
/// can pile up are watch events for a client that does not read.
const CLIENT_QUEUE: usize = 65_536;

/// What goes to a client's connection.
#[derive(Debug)]
pub enum ToClient {
    /// The answer to its first packet.
    Connected(ConnectResponse),
    /// An answer.
    Reply {
        /// It.
        reply: Reply,
        /// Whether it is one to who said who it is: those come at once, whatever was asked before. Its
        /// number does not tell, which the client chooses.
        introduces: bool,
    },
    /// A watch fired.
    Watch(WatchEvent),
    /// Send what came before, then close.
    Close,
}

/// The way to a client's connection. Dropped when the node lets go of it.
#[derive(Debug)]
pub struct ClientSender {
    queue: tokio_mpsc::UnboundedSender<ToClient>,
    line: Arc<ClientLine>,
}

/// The connection's end of it.
#[derive(Debug)]
pub struct ClientReceiver {
    queue: tokio_mpsc::UnboundedReceiver<ToClient>,
    line: Arc<ClientLine>,
}

#[derive(Debug, Default)]
struct ClientLine {
    waiting: AtomicUsize,
    ended: Notify,
}

impl Drop for ClientSender {
    fn drop(&mut self) {
        // Kept until somebody waits for it.
        self.line.ended.notify_one();
    }
}

/// A way to a new connection.
#[must_use]
pub fn client_channel() -> (ClientSender, ClientReceiver) {
    let (sender, receiver) = tokio_mpsc::unbounded_channel();
    let line = Arc::new(ClientLine::default());
    (
        ClientSender {
            queue: sender,
            line: Arc::clone(&line),
        },
        ClientReceiver {
            queue: receiver,
            line,
        },
    )
}

impl ClientSender {
    /// False when the client does not read and too much waits for it.
    pub(super) fn send(&self, packet: ToClient) -> bool {
        if self.line.waiting.fetch_add(1, Ordering::Relaxed) >= CLIENT_QUEUE {
            return false;
        }
        // A closed queue: the connection is gone and says so itself.
        let _ = self.queue.send(packet);
        true
    }
}

impl ClientReceiver {
    /// The next packet; `None` when the node has let go of this connection.
    pub async fn recv(&mut self) -> Option<ToClient> {
        let packet = self.queue.recv().await?;
        self.line.waiting.fetch_sub(1, Ordering::Relaxed);
        Some(packet)
    }

    /// The next packet if there is one already.
    pub fn try_recv(&mut self) -> Option<ToClient> {
        let packet = self.queue.try_recv().ok()?;
        self.line.waiting.fetch_sub(1, Ordering::Relaxed);
        Some(packet)
    }

    /// Waits until the node has let go of this connection; packets may still be in the queue.
    pub async fn let_go(&self) {
        self.line.ended.notified().await;
    }
}

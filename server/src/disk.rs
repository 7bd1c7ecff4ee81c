//! TEMPORARY.
use crate::{config::ServerConfig, node::{Fatal, Inbox}};
use std::{io, sync::mpsc, thread::{self, JoinHandle}};
use zabscope_core::{id::StorageSeq, log::{LogRead, Stored}, peer::{input::InputKind, output::StorageOp}};
#[derive(Debug, thiserror::Error)]
pub enum StorageError { #[error("x")] X }
pub struct Storage;
pub fn open(_c: &ServerConfig) -> Result<(Storage, Stored), StorageError> { Ok((Storage, Stored::fresh())) }
#[derive(Debug)]
pub struct LogThread { s: Option<mpsc::Sender<Vec<(StorageSeq, StorageOp)>>>, t: JoinHandle<()> }
impl LogThread {
  pub fn start(_s: Storage, inbox: mpsc::Sender<Inbox>) -> io::Result<LogThread> {
    let (s, r) = mpsc::channel::<Vec<(StorageSeq, StorageOp)>>();
    let t = thread::Builder::new().spawn(move || { while let Ok(b) = r.recv() { for (_q, op) in &b { if let StorageOp::ReadLog{conn,..} = op { let _ = inbox.send(Inbox::Peer(InputKind::LogRead{conn:*conn, read: LogRead{entries: vec![], snapshot_bytes: 0}})); } } if let Some((q, _)) = b.last() { let _ = inbox.send(Inbox::Peer(InputKind::Durable(*q))); } } })?;
    Ok(LogThread { s: Some(s), t })
  }
  pub fn sender(&self) -> mpsc::Sender<Vec<(StorageSeq, StorageOp)>> { self.s.clone().unwrap() }
  pub fn join(self) -> Result<(), Fatal> { drop(self.s); let _ = self.t.join(); Ok(()) }
}

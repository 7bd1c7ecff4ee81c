//! From a database to the bytes of a snapshot.

use super::{DBID, DIGEST_VERSION, END_OF_NODES, Form, Item, MAGIC, NO_ACL, NodeItem, VERSION};
use crate::{
    request::Acl,
    tree::{Database, Node, path},
    wire::{
        jute::Writer,
        record::{write_acls, write_stat_persisted},
        txnlog::FileHeader,
    },
};
use adler2::Adler32;
use std::{collections::BTreeMap, fmt, sync::Arc};

/// When a piece has so many bytes it is given out.
const CHUNK: usize = 64 * 1024;

/// Writes items and keeps the checksum over all of them.
#[derive(Debug, Default)]
pub struct ItemWriter {
    sum: Adler32,
}

impl ItemWriter {
    /// Before the first item.
    #[must_use]
    pub fn new() -> ItemWriter {
        ItemWriter::default()
    }

    /// Appends an item to `out`.
    pub fn put(&mut self, item: &Item, out: &mut Vec<u8>) {
        let from = out.len();
        match item {
            Item::Header => FileHeader {
                magic: MAGIC,
                version: VERSION,
                dbid: DBID,
            }
            .encode(out),
            Item::Sessions(count) | Item::Acls(count) => out.put_len(*count),
            Item::Session(session, timeout_ms) => {
                out.put_i64(session.0);
                out.put_i32(*timeout_ms);
            }
            Item::Acl(key, list) => {
                out.put_i64(*key);
                write_acls(list, out);
            }
            Item::Node(node) => {
                out.put_str(&node.path);
                out.put_buffer(node.data.as_deref());
                out.put_i64(node.acl);
                write_stat_persisted(&node.stat, out);
            }
            Item::EndOfNodes => out.put_str(END_OF_NODES),
            Item::Seal => {
                out.put_i64(self.sum.checksum().into());
                out.put_str("/");
            }
            Item::Digest(zxid, digest) => {
                out.put_i64(zxid.0);
                out.put_i32(DIGEST_VERSION);
                out.put_i64(*digest as i64);
            }
            Item::LastZxid(zxid) => out.put_i64(zxid.0),
            Item::Signature => out.put_str(super::SIGNATURE),
        }
        self.sum.write_slice(&out[from..]);
    }
}

/// The items of a database, in order, as bytes: call [`Encoder::next_chunk`] until it says that there
/// are no more.
pub struct Encoder<'a> {
    items: Box<dyn Iterator<Item = Item> + Send + 'a>,
    writer: ItemWriter,
}

impl fmt::Debug for Encoder<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Encoder")
            .field("writer", &self.writer)
            .finish_non_exhaustive()
    }
}

impl<'a> Encoder<'a> {
    /// Of this database, in this form.
    #[must_use]
    pub fn new(db: &'a Database, form: Form) -> Encoder<'a> {
        Encoder {
            items: Box::new(items(db, form)),
            writer: ItemWriter::new(),
        }
    }

    /// Appends about 64 KiB to `out`, or one item if that is longer; false at the end, when nothing
    /// was appended.
    pub fn next_chunk(&mut self, out: &mut Vec<u8>) -> bool {
        let from = out.len();
        for item in self.items.by_ref() {
            self.writer.put(&item, out);
            if out.len() - from >= CHUNK {
                break;
            }
        }
        out.len() > from
    }
}

/// Keys from 1 in the order of the lists: they mean nothing outside this file.
fn keys(db: &Database) -> BTreeMap<&Arc<[Acl]>, i64> {
    db.tree.acls().map(|(list, _)| list).zip(1..).collect()
}

fn items(db: &Database, form: Form) -> impl Iterator<Item = Item> + Send + '_ {
    let keys = keys(db);
    let acls: Vec<Item> = keys
        .iter()
        .map(|(list, key)| Item::Acl(*key, (*list).clone()))
        .collect();
    let header = matches!(form, Form::File { .. }).then_some(Item::Header);
    let sessions = db
        .sessions
        .iter()
        .map(|(session, timeout)| Item::Session(*session, *timeout));
    let nodes = db
        .tree
        .nodes()
        .map(move |(at, node)| Item::Node(node_item(at, node, &keys)));
    let end = match form {
        Form::Wire => vec![Item::EndOfNodes, Item::Signature],
        Form::File { digest, last_zxid } => {
            let mut end = vec![Item::EndOfNodes, Item::Seal];
            if digest {
                end.push(Item::Digest(db.last_processed, db.digest()));
                end.push(Item::Seal);
            }
            if last_zxid {
                end.push(Item::LastZxid(db.last_processed));
                end.push(Item::Seal);
            }
            end
        }
    };
    header
        .into_iter()
        .chain([Item::Sessions(db.sessions.len())])
        .chain(sessions)
        .chain([Item::Acls(acls.len())])
        .chain(acls)
        .chain(nodes)
        .chain(end)
}

fn node_item(at: &Arc<str>, node: &Node, keys: &BTreeMap<&Arc<[Acl]>, i64>) -> NodeItem {
    NodeItem {
        path: if &**at == path::ROOT {
            Arc::from("")
        } else {
            at.clone()
        },
        data: node.data().clone(),
        acl: keys.get(node.acl()).copied().unwrap_or(NO_ACL),
        stat: *node.persisted(),
    }
}

//! Snapshots.

use super::{Check, Dump, Files, Verdict, complain, text};
use serde_json::json;
use std::{
    io::{self, Read, Write},
    path::Path,
};
use zabscope_core::{
    id::Zxid,
    wire::snapshot::{Form, Item, Loader, NodeItem, Options, Parser, SnapshotError},
};
use zabscope_server::storage::open_snapshot;

const CHUNK: usize = 64 * 1024;

/// Why reading ended before the end.
enum Stop {
    Read(io::Error),
    Write(io::Error),
    Bytes(SnapshotError),
}

/// What a snapshot has.
#[derive(Default)]
struct Counts {
    sessions: u64,
    acls: u64,
    znodes: u64,
    data_bytes: u64,
    digest: Option<(Zxid, u64)>,
    last_zxid: Option<Zxid>,
}

impl Counts {
    fn take(&mut self, item: &Item) {
        match item {
            Item::Session(..) => self.sessions += 1,
            Item::Acl(..) => self.acls += 1,
            Item::Node(node) => {
                self.znodes += 1;
                self.data_bytes += node.data.as_ref().map_or(0, |data| data.len() as u64);
            }
            Item::Digest(zxid, digest) => self.digest = Some((*zxid, *digest)),
            Item::LastZxid(zxid) => self.last_zxid = Some(*zxid),
            Item::Header
            | Item::Sessions(_)
            | Item::Acls(_)
            | Item::EndOfNodes
            | Item::Seal
            | Item::Signature => {}
        }
    }
}

/// Gives all items of a file to `each`, whose first error ends it.
fn read(
    files: &Files,
    file: &Path,
    mut each: impl FnMut(Item) -> io::Result<()>,
) -> Result<(), Stop> {
    let mut input = open_snapshot(file).map_err(Stop::Read)?;
    let mut parser = Parser::new(Form::FILE, files.limit());
    let mut failed = None;
    let mut chunk = vec![0; CHUNK];
    let mut give = |item, failed: &mut Option<io::Error>| {
        if failed.is_none() {
            *failed = each(item).err();
        }
        Ok(())
    };
    loop {
        let n = match input.read(&mut chunk) {
            Ok(0) => break,
            Ok(n) => n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(Stop::Read(error)),
        };
        let fed = parser.feed(&chunk[..n], |item| give(item, &mut failed));
        if let Some(error) = failed {
            return Err(Stop::Write(error));
        }
        fed.map_err(Stop::Bytes)?;
    }
    let finished = parser.finish(|item| give(item, &mut failed));
    match failed {
        Some(error) => Err(Stop::Write(error)),
        None => finished.map_err(Stop::Bytes),
    }
}

fn stopped(files: &Files, file: &Path, out: &mut dyn Write, why: Stop) -> io::Result<Verdict> {
    match why {
        Stop::Write(error) => Err(error),
        Stop::Bytes(error @ SnapshotError::Magic { .. }) => {
            complain(files, file, out, &error, Verdict::Unreadable)
        }
        Stop::Bytes(error) => complain(files, file, out, &error, Verdict::Damaged),
        // A compressed stream that ends too early or is wrong.
        Stop::Read(error)
            if matches!(
                error.kind(),
                io::ErrorKind::UnexpectedEof
                    | io::ErrorKind::InvalidData
                    | io::ErrorKind::InvalidInput
            ) =>
        {
            let why = format!("can't be decompressed: {error}");
            complain(files, file, out, &why, Verdict::Damaged)
        }
        Stop::Read(error) => complain(files, file, out, &error, Verdict::Unreadable),
    }
}

pub fn dump(options: &Dump, file: &Path, out: &mut dyn Write) -> io::Result<Verdict> {
    let files = &options.files;
    let mut counts = Counts::default();
    let result = read(files, file, |item| {
        counts.take(&item);
        match files.json {
            true => json_item(options.data, &item, out),
            false => text_item(options.data, &item, out),
        }
    });
    match result {
        Ok(()) => {
            if !files.json {
                writeln!(out, "----\n{}", summary(&counts))?;
            }
            Ok(Verdict::Whole)
        }
        Err(why) => stopped(files, file, out, why),
    }
}

fn summary(counts: &Counts) -> String {
    let mut text = format!(
        "{} znodes with {} bytes of data, {} sessions, {} ACLs",
        counts.znodes, counts.data_bytes, counts.sessions, counts.acls
    );
    if let Some((zxid, digest)) = counts.digest {
        text.push_str(&format!(", digest {digest:#x} at {zxid}"));
    }
    if let Some(zxid) = counts.last_zxid {
        text.push_str(&format!(", last zxid {zxid}"));
    }
    text
}

fn node_path(node: &NodeItem) -> &str {
    match &*node.path {
        "" => "/",
        path => path,
    }
}

fn text_item(with_data: bool, item: &Item, out: &mut dyn Write) -> io::Result<()> {
    match item {
        Item::Sessions(count) => writeln!(out, "Session Details (sid, timeout, count={count}):"),
        Item::Session(id, timeout) => writeln!(out, "{:#x}, {timeout}", id.0),
        Item::Acls(count) => writeln!(out, "----\nACL Details (key, list, count={count}):"),
        Item::Acl(key, list) => writeln!(out, "{key}, {}", text::acls(list)),
        Item::Node(node) => {
            let stat = &node.stat;
            writeln!(out, "----\n{}", text::plain(node_path(node)))?;
            writeln!(out, "  cZxid = {}", stat.czxid)?;
            writeln!(out, "  ctime = {}", text::time(stat.ctime))?;
            writeln!(out, "  mZxid = {}", stat.mzxid)?;
            writeln!(out, "  mtime = {}", text::time(stat.mtime))?;
            writeln!(out, "  pZxid = {}", stat.pzxid)?;
            writeln!(out, "  cversion = {}", stat.cversion)?;
            writeln!(out, "  dataVersion = {}", stat.version)?;
            writeln!(out, "  aclVersion = {}", stat.aversion)?;
            writeln!(out, "  ephemeralOwner = {:#x}", stat.ephemeral_owner)?;
            writeln!(out, "  acl = {}", node.acl)?;
            match with_data {
                true => writeln!(out, "  data = {}", text::data(&node.data)),
                false => {
                    let length = node.data.as_ref().map_or(0, |data| data.len());
                    writeln!(out, "  dataLength = {length}")
                }
            }
        }
        // In the last line.
        Item::Digest(..)
        | Item::LastZxid(_)
        | Item::Header
        | Item::EndOfNodes
        | Item::Seal
        | Item::Signature => Ok(()),
    }
}

fn json_item(with_data: bool, item: &Item, out: &mut dyn Write) -> io::Result<()> {
    let line = match item {
        Item::Session(id, timeout) => {
            json!({ "session": format!("{:#x}", id.0), "timeout_ms": timeout })
        }
        Item::Acl(key, list) => {
            let list: Vec<String> = list.iter().map(text::acl).collect();
            json!({ "acl": key, "list": list })
        }
        Item::Node(node) => {
            let stat = &node.stat;
            let mut line = json!({
                "path": node_path(node),
                "acl": node.acl,
                "czxid": stat.czxid.to_string(),
                "mzxid": stat.mzxid.to_string(),
                "pzxid": stat.pzxid.to_string(),
                "ctime_ms": stat.ctime,
                "mtime_ms": stat.mtime,
                "version": stat.version,
                "cversion": stat.cversion,
                "aversion": stat.aversion,
                "ephemeral_owner": format!("{:#x}", stat.ephemeral_owner),
                "data_length": node.data.as_ref().map_or(0, |data| data.len()),
            });
            if let Some(line) = line.as_object_mut().filter(|_| with_data) {
                line.insert("data".into(), text::base64(&node.data).into());
            }
            line
        }
        Item::Digest(zxid, digest) => {
            json!({ "digest": format!("{digest:#x}"), "digest_zxid": zxid.to_string() })
        }
        Item::LastZxid(zxid) => json!({ "last_zxid": zxid.to_string() }),
        Item::Header
        | Item::Sessions(_)
        | Item::Acls(_)
        | Item::EndOfNodes
        | Item::Seal
        | Item::Signature => return Ok(()),
    };
    writeln!(out, "{line}")
}

pub fn check(options: &Check, file: &Path, out: &mut dyn Write) -> io::Result<Verdict> {
    let files = &options.files;
    let mut counts = Counts::default();
    let read = read(files, file, |item| {
        counts.take(&item);
        Ok(())
    });
    if let Err(why) = read {
        return stopped(files, file, out, why);
    }
    let mut loaded = None;
    if options.load {
        match load(files, file) {
            Ok(what) => loaded = Some(what),
            Err(why) => return stopped(files, file, out, why),
        }
    }
    if let Some(Digest::Differs { file: says, tree }) = loaded {
        let why = format!(
            "its tree has the digest {tree:#x}, but the file says {says:#x}: a znode is not the one that was \
             written"
        );
        return complain(files, file, out, &why, Verdict::Damaged);
    }
    let told = loaded.map(|digest| match digest {
        Digest::Equal => "equal",
        Digest::Differs { .. } => "different",
        Digest::Unknown => "unknown",
    });
    if files.json {
        let line = json!({
            "file": file.display().to_string(),
            "whole": true,
            "znodes": counts.znodes,
            "data_bytes": counts.data_bytes,
            "sessions": counts.sessions,
            "acls": counts.acls,
            "digest": counts.digest.map(|(_, digest)| format!("{digest:#x}")),
            "digest_zxid": counts.digest.map(|(zxid, _)| zxid.to_string()),
            "last_zxid": counts.last_zxid.map(|zxid| zxid.to_string()),
            "loaded_digest": told,
        });
        writeln!(out, "{line}")?;
    } else {
        let told = match loaded {
            None => "",
            Some(Digest::Unknown) => {
                "; it can be loaded; its digest is of a later transaction or missing, so it was not compared"
            }
            Some(_) => "; it can be loaded, and its tree has this digest",
        };
        writeln!(out, "{}: whole: {}{told}", file.display(), summary(&counts))?;
    }
    Ok(Verdict::Whole)
}

/// Of the tree in a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Digest {
    Equal,
    Differs {
        file: u64,
        tree: u64,
    },
    /// The file has none, or that of a later transaction than its name: then only the log can tell (4.6).
    Unknown,
}

fn load(files: &Files, file: &Path) -> Result<Digest, Stop> {
    let mut input = open_snapshot(file).map_err(Stop::Read)?;
    let mut loader = Loader::new(
        Form::FILE,
        Options {
            limit: files.limit(),
            ttls: zabscope_core::tree::TtlOwners::Extended,
        },
    );
    let mut chunk = vec![0; CHUNK];
    loop {
        match input.read(&mut chunk) {
            Ok(0) => break,
            Ok(n) => {
                loader.feed(&chunk[..n]).map_err(Stop::Bytes)?;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Stop::Read(error)),
        }
    }
    let named = zxid_in_name(file);
    let loaded = loader
        .finish(named.unwrap_or(Zxid::ZERO))
        .map_err(Stop::Bytes)?;
    let tree = loaded.database.digest();
    Ok(match loaded.digest {
        Some((_, digest)) if digest == tree => Digest::Equal,
        Some((zxid, digest)) if Some(zxid) == named => Digest::Differs { file: digest, tree },
        _ => Digest::Unknown,
    })
}

/// The zxid in `snapshot.1d`, `snapshot.1d.gz`.
fn zxid_in_name(file: &Path) -> Option<Zxid> {
    let name = file.file_name()?.to_str()?;
    let hex = name.strip_prefix("snapshot.")?.split('.').next()?;
    i64::from_str_radix(hex, 16).ok().map(Zxid)
}

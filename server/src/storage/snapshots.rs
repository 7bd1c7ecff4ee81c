//! Snapshot files: written beside and renamed, loaded piece by piece.

use super::{
    Options,
    compress::{Sink, looks_whole, reader},
    dirs::{Compression, Dirs, Named},
    error::{BadSnapshot, StorageError},
    files::{Files, Output, Stream},
};
use std::{
    io::{self, Read},
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
};
use zabscope_core::{
    tree::Database,
    wire::snapshot::{Encoder, Form, Loaded, Loader, Options as LoadOptions},
};

const CHUNK: usize = 64 * 1024;

/// Writes a snapshot under a temporary name and syncs it; how many bytes the file has.
pub(super) fn write(
    files: &dyn Files,
    path: &Path,
    database: &Database,
    kind: (Form, Compression),
    cancel: &AtomicBool,
) -> io::Result<u64> {
    let mut stream = encode(files.create(path, false)?, database, kind, cancel)?;
    stream.file.sync()?;
    Ok(stream.at)
}

/// Writes a snapshot over a file's contents, whose room on the disk it keeps, and syncs it; how many bytes
/// the file has then.
pub(super) fn write_over(
    file: Box<dyn Output>,
    database: &Database,
    kind: (Form, Compression),
) -> io::Result<u64> {
    let never = AtomicBool::new(false);
    let mut stream = encode(file, database, kind, &never)?;
    stream.file.set_len(stream.at)?;
    stream.file.sync()?;
    Ok(stream.at)
}

fn encode(
    file: Box<dyn Output>,
    database: &Database,
    (form, compression): (Form, Compression),
    cancel: &AtomicBool,
) -> io::Result<Stream> {
    let mut sink = Sink::new(Stream { file, at: 0 }, compression)?;
    let mut encoder = Encoder::new(database, form);
    let mut chunk = Vec::with_capacity(2 * CHUNK);
    while encoder.next_chunk(&mut chunk) {
        if cancel.load(Ordering::Relaxed) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        sink.write_all(&chunk)?;
        chunk.clear();
    }
    sink.finish()
}

/// Puts a snapshot that was written and synced in its place.
pub(super) fn publish(files: &dyn Files, dirs: &Dirs, from: &Path, to: &Path) -> io::Result<()> {
    files.rename(from, to)?;
    files.sync_dir(&dirs.snapshots())
}

/// Loads a snapshot, after the quick test.
pub(super) fn load(
    files: &dyn Files,
    named: &Named,
    options: &Options,
) -> Result<Loaded, BadSnapshot> {
    let mut input = files.read(&named.path)?;
    if !looks_whole(&mut *input, named.compression)? {
        return Err(BadSnapshot::Unfinished);
    }
    let mut input = reader(input, named.compression)?;
    let mut loader = Loader::new(
        Form::FILE,
        LoadOptions {
            limit: options.record_limit,
            ttls: options.ttls,
        },
    );
    let mut chunk = vec![0; CHUNK];
    loop {
        match input.read(&mut chunk) {
            Ok(0) => break,
            Ok(n) => {
                loader.feed(&chunk[..n])?;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(loader.finish(named.zxid)?)
}

/// How long a snapshot's file is.
pub(super) fn size(files: &dyn Files, path: &Path) -> Result<u64, StorageError> {
    files
        .read(path)
        .and_then(|mut input| input.seek(io::SeekFrom::End(0)))
        .map_err(StorageError::io("read", path))
}

/// Whether a snapshot looks whole; what can't be read does not.
pub(super) fn is_whole(files: &dyn Files, named: &Named) -> bool {
    files
        .read(&named.path)
        .and_then(|mut input| looks_whole(&mut *input, named.compression))
        .unwrap_or(false)
}

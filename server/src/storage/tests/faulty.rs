//! A file system in memory that fails when it is told to, and forgets what was not synced.

use crate::storage::files::{Files, Input, Lock, Output};
use std::{
    collections::BTreeMap,
    io::{self, Cursor},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard},
};

/// One change of a file that is not synced.
#[derive(Clone, Debug)]
enum Change {
    Write(u64, Vec<u8>),
    SetLen(u64),
}

#[derive(Clone, Debug, Default)]
struct Inode {
    now: Vec<u8>,
    synced: Vec<u8>,
    unsynced: Vec<Change>,
    /// So far it was written: what lies behind is a hole.
    written: u64,
}

/// One change of a directory that is not synced.
#[derive(Clone, Debug)]
enum Entry {
    Add(PathBuf, usize),
    Remove(PathBuf),
}

#[derive(Clone, Debug, Default)]
struct Disk {
    inodes: Vec<Inode>,
    now: BTreeMap<PathBuf, usize>,
    synced: BTreeMap<PathBuf, usize>,
    unsynced: Vec<Entry>,
    /// Operations that change something, so far.
    operations: usize,
    /// The machine stops before this one.
    stop_at: Option<usize>,
    /// Bytes that may still be written.
    room: Option<u64>,
    /// How much a single write takes at most.
    piece: Option<usize>,
    /// The next sync of a file fails.
    sync_fails: bool,
    /// Files that can't be read.
    unreadable: Vec<PathBuf>,
    /// Syncs of files.
    syncs: usize,
}

/// How much of what was not synced is there after a crash.
#[derive(Clone, Copy, Debug)]
pub enum Left {
    /// Nothing.
    Nothing,
    /// All of the directories' changes and half of the last write.
    Half,
    /// Everything.
    Everything,
}

#[derive(Clone, Debug, Default)]
pub struct FaultyFiles(Arc<Mutex<Disk>>);

fn apply(bytes: &mut Vec<u8>, change: &Change) {
    match change {
        Change::Write(at, new) => {
            let at = usize::try_from(*at).expect("small");
            let end = at + new.len();
            if bytes.len() < end {
                bytes.resize(end, 0);
            }
            bytes[at..end].copy_from_slice(new);
        }
        Change::SetLen(len) => bytes.resize(usize::try_from(*len).expect("small"), 0),
    }
}

fn apply_entry(names: &mut BTreeMap<PathBuf, usize>, entry: &Entry) {
    match entry {
        Entry::Add(path, inode) => {
            names.insert(path.clone(), *inode);
        }
        Entry::Remove(path) => {
            names.remove(path);
        }
    }
}

impl FaultyFiles {
    fn disk(&self) -> MutexGuard<'_, Disk> {
        self.0.lock().expect("no test panics while it has it")
    }

    /// A disk with these files on it.
    pub fn with(contents: &[(PathBuf, Vec<u8>)]) -> FaultyFiles {
        let files = FaultyFiles::default();
        for (path, bytes) in contents {
            files.put(path, bytes);
        }
        files
    }

    /// Puts a file on the disk, synced.
    pub fn put(&self, path: &Path, bytes: &[u8]) {
        let mut disk = self.disk();
        disk.inodes.push(Inode {
            now: bytes.to_vec(),
            synced: bytes.to_vec(),
            unsynced: Vec::new(),
            written: bytes.len() as u64,
        });
        let inode = disk.inodes.len() - 1;
        disk.now.insert(path.to_owned(), inode);
        disk.synced.insert(path.to_owned(), inode);
    }

    pub fn bytes(&self, path: &Path) -> Option<Vec<u8>> {
        let disk = self.disk();
        disk.now
            .get(path)
            .map(|inode| disk.inodes[*inode].now.clone())
    }

    /// All paths.
    pub fn paths(&self) -> Vec<PathBuf> {
        self.disk().now.keys().cloned().collect()
    }

    pub fn operations(&self) -> usize {
        self.disk().operations
    }

    pub fn syncs(&self) -> usize {
        self.disk().syncs
    }

    pub fn stop_at(&self, operation: usize) {
        self.disk().stop_at = Some(operation);
    }

    pub fn leave_room(&self, bytes: u64) {
        self.disk().room = Some(bytes);
    }

    pub fn write_in_pieces(&self, bytes: usize) {
        self.disk().piece = Some(bytes);
    }

    pub fn fail_next_sync(&self) {
        self.disk().sync_fails = true;
    }

    pub fn make_unreadable(&self, path: &Path) {
        self.disk().unreadable.push(path.to_owned());
    }

    /// The disk after a power failure now.
    pub fn after_crash(&self, left: Left) -> FaultyFiles {
        let disk = self.disk();
        let mut names = disk.synced.clone();
        if !matches!(left, Left::Nothing) {
            for entry in &disk.unsynced {
                apply_entry(&mut names, entry);
            }
        }
        let contents: Vec<(PathBuf, Vec<u8>)> = names
            .into_iter()
            .map(|(path, inode)| {
                let inode = &disk.inodes[inode];
                let bytes = match left {
                    Left::Nothing => inode.synced.clone(),
                    Left::Everything => inode.now.clone(),
                    Left::Half => {
                        let mut bytes = inode.synced.clone();
                        for (n, change) in inode.unsynced.iter().enumerate() {
                            match change {
                                Change::Write(at, new) if n + 1 == inode.unsynced.len() => {
                                    let half = new[..new.len() / 2].to_vec();
                                    apply(&mut bytes, &Change::Write(*at, half));
                                }
                                change => apply(&mut bytes, change),
                            }
                        }
                        bytes
                    }
                };
                (path, bytes)
            })
            .collect();
        FaultyFiles::with(&contents)
    }

    /// Counts an operation, or stops the machine.
    fn operate(&self) -> io::Result<MutexGuard<'_, Disk>> {
        let mut disk = self.disk();
        if disk.stop_at.is_some_and(|at| disk.operations >= at) {
            return Err(io::Error::other("the machine has stopped"));
        }
        disk.operations += 1;
        Ok(disk)
    }

    fn inode(&self, path: &Path) -> io::Result<usize> {
        let inode = self.disk().now.get(path).copied();
        inode.ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

#[derive(Debug)]
struct FaultyOutput {
    files: FaultyFiles,
    inode: usize,
}

impl FaultyOutput {
    fn change(&self, disk: &mut Disk, change: Change) {
        let inode = &mut disk.inodes[self.inode];
        apply(&mut inode.now, &change);
        inode.unsynced.push(change);
    }
}

impl Output for FaultyOutput {
    fn write_at(&mut self, at: u64, bytes: &[u8]) -> io::Result<usize> {
        let mut disk = self.files.operate()?;
        let mut n = bytes.len();
        if let Some(piece) = disk.piece {
            n = n.min(piece);
        }
        if let Some(room) = disk.room {
            // What is there already has its room.
            let has = disk.inodes[self.inode].written.saturating_sub(at);
            n = n.min(usize::try_from(has + room).expect("small"));
            if n == 0 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            disk.room = Some(room - (n as u64).saturating_sub(has));
        }
        let written = &mut disk.inodes[self.inode].written;
        *written = (*written).max(at + n as u64);
        self.change(&mut disk, Change::Write(at, bytes[..n].to_vec()));
        Ok(n)
    }

    fn set_len(&mut self, len: u64) -> io::Result<()> {
        let mut disk = self.files.operate()?;
        self.change(&mut disk, Change::SetLen(len));
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        let mut disk = self.files.operate()?;
        disk.syncs += 1;
        let inode = self.inode;
        if core::mem::take(&mut disk.sync_fails) {
            // As Linux does: what could not be written is forgotten, and the next sync says all is well.
            disk.inodes[inode].unsynced.clear();
            return Err(io::Error::other("I/O error"));
        }
        let inode = &mut disk.inodes[inode];
        inode.synced = inode.now.clone();
        inode.unsynced.clear();
        Ok(())
    }
}

impl Files for FaultyFiles {
    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        let disk = self.disk();
        Ok(disk
            .now
            .keys()
            .filter(|path| path.parent() == Some(dir))
            .filter_map(|path| Some(path.file_name()?.to_string_lossy().into_owned()))
            .collect())
    }

    fn make_dirs(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        Ok(self.disk().now.contains_key(path))
    }

    fn read(&self, path: &Path) -> io::Result<Box<dyn Input>> {
        let inode = self.inode(path)?;
        let disk = self.disk();
        if disk.unreadable.iter().any(|bad| bad == path) {
            return Err(io::Error::other("a bad sector"));
        }
        Ok(Box::new(Cursor::new(disk.inodes[inode].now.clone())))
    }

    fn create(&self, path: &Path, new: bool) -> io::Result<Box<dyn Output>> {
        if new && self.inode(path).is_ok() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let mut disk = self.operate()?;
        disk.inodes.push(Inode::default());
        let inode = disk.inodes.len() - 1;
        let entry = Entry::Add(path.to_owned(), inode);
        apply_entry(&mut disk.now, &entry);
        disk.unsynced.push(entry);
        Ok(Box::new(FaultyOutput {
            files: self.clone(),
            inode,
        }))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn Output>> {
        let inode = self.inode(path)?;
        Ok(Box::new(FaultyOutput {
            files: self.clone(),
            inode,
        }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let inode = self.inode(from)?;
        let mut disk = self.operate()?;
        for entry in [
            Entry::Remove(from.to_owned()),
            Entry::Add(to.to_owned(), inode),
        ] {
            apply_entry(&mut disk.now, &entry);
            disk.unsynced.push(entry);
        }
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.inode(path)?;
        let mut disk = self.operate()?;
        let entry = Entry::Remove(path.to_owned());
        apply_entry(&mut disk.now, &entry);
        disk.unsynced.push(entry);
        Ok(())
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        let mut disk = self.operate()?;
        let disk = &mut *disk;
        let here = |entry: &Entry| {
            let (Entry::Add(path, _) | Entry::Remove(path)) = entry;
            path.parent() == Some(dir)
        };
        for entry in disk.unsynced.iter().filter(|entry| here(entry)) {
            apply_entry(&mut disk.synced, entry);
        }
        disk.unsynced.retain(|entry| !here(entry));
        Ok(())
    }

    fn lock(&self, _: &Path) -> io::Result<Option<Lock>> {
        Ok(Some(Box::new(())))
    }
}

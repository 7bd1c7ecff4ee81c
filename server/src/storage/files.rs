//! All that this crate asks of a file system, in one place, so that tests can put a faulty one below
//! the log.

use std::{
    fmt,
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Read, Seek, SeekFrom, Write},
    path::Path,
};

/// A file that is read.
pub trait Input: Read + Seek + Send {}

impl<T: Read + Seek + Send> Input for T {}

/// A file that is written.
pub trait Output: Send + fmt::Debug {
    /// Writes at an offset; may write less than asked.
    ///
    /// # Errors
    /// The system's.
    fn write_at(&mut self, at: u64, bytes: &[u8]) -> io::Result<usize>;

    /// Makes the file so long, with zeros if it grows.
    ///
    /// # Errors
    /// The system's.
    fn set_len(&mut self, len: u64) -> io::Result<()>;

    /// fdatasync: contents and length are on disk afterwards.
    ///
    /// # Errors
    /// The system's. After one nobody knows what is on disk, and a second call may lie.
    fn sync(&mut self) -> io::Result<()>;
}

/// Held as long as the directory is ours.
pub type Lock = Box<dyn Send + Sync>;

/// A file system.
pub trait Files: Send + Sync + fmt::Debug {
    /// The names in a directory, in no order.
    ///
    /// # Errors
    /// The system's.
    fn list(&self, dir: &Path) -> io::Result<Vec<String>>;

    /// Makes a directory and those above it; on disk afterwards.
    ///
    /// # Errors
    /// The system's.
    fn make_dirs(&self, dir: &Path) -> io::Result<()>;

    /// Whether something has this name.
    ///
    /// # Errors
    /// The system's.
    fn exists(&self, path: &Path) -> io::Result<bool>;

    /// Opens for reading.
    ///
    /// # Errors
    /// The system's.
    fn read(&self, path: &Path) -> io::Result<Box<dyn Input>>;

    /// Makes an empty file; with `new` there must be none.
    ///
    /// # Errors
    /// The system's.
    fn create(&self, path: &Path, new: bool) -> io::Result<Box<dyn Output>>;

    /// Opens a file that is there for writing.
    ///
    /// # Errors
    /// The system's.
    fn open(&self, path: &Path) -> io::Result<Box<dyn Output>>;

    /// Gives a file another name, instead of what had it.
    ///
    /// # Errors
    /// The system's.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file.
    ///
    /// # Errors
    /// The system's.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// fsync of a directory: what was made, renamed and removed in it is on disk afterwards.
    ///
    /// # Errors
    /// The system's.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;

    /// Locks a file, which is made if need be; `None` if another process has it locked.
    ///
    /// # Errors
    /// The system's.
    fn lock(&self, path: &Path) -> io::Result<Option<Lock>>;
}

/// The real one.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealFiles;

/// Remembers where it stands, so that writes one behind the other need no seek.
#[derive(Debug)]
struct RealOutput {
    file: File,
    at: u64,
}

impl Output for RealOutput {
    fn write_at(&mut self, at: u64, bytes: &[u8]) -> io::Result<usize> {
        if self.at != at {
            self.at = self.file.seek(SeekFrom::Start(at))?;
        }
        let n = self.file.write(bytes)?;
        self.at += n as u64;
        Ok(n)
    }

    fn set_len(&mut self, len: u64) -> io::Result<()> {
        self.file.set_len(len)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.file.sync_data()
    }
}

impl Files for RealFiles {
    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(dir)? {
            // A name that is not UTF-8 is none of ours.
            if let Ok(name) = entry?.file_name().into_string() {
                names.push(name);
            }
        }
        Ok(names)
    }

    fn make_dirs(&self, dir: &Path) -> io::Result<()> {
        if dir.is_dir() {
            return Ok(());
        }
        let parent = dir.parent().filter(|parent| !parent.as_os_str().is_empty());
        if let Some(parent) = parent {
            self.make_dirs(parent)?;
        }
        fs::create_dir(dir)?;
        parent.map_or(Ok(()), |parent| self.sync_dir(parent))
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        path.try_exists()
    }

    fn read(&self, path: &Path) -> io::Result<Box<dyn Input>> {
        Ok(Box::new(File::open(path)?))
    }

    fn create(&self, path: &Path, new: bool) -> io::Result<Box<dyn Output>> {
        let mut options = OpenOptions::new();
        options.write(true);
        if new {
            options.create_new(true);
        } else {
            options.create(true).truncate(true);
        }
        let file = options.open(path)?;
        Ok(Box::new(RealOutput { file, at: 0 }))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn Output>> {
        let file = OpenOptions::new().write(true).open(path)?;
        Ok(Box::new(RealOutput { file, at: 0 }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        // Elsewhere a directory can't be opened, and the system orders such changes itself.
        if cfg!(unix) {
            File::open(dir)?.sync_all()?;
        }
        Ok(())
    }

    fn lock(&self, path: &Path) -> io::Result<Option<Lock>> {
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Box::new(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

/// Writes all of it, however little the system takes at a time.
pub(super) fn write_all_at(file: &mut dyn Output, mut at: u64, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match file.write_at(at, bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(n) => {
                at += n as u64;
                bytes = &bytes[n..];
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// An output as a stream, for what compresses.
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) file: Box<dyn Output>,
    pub(super) at: u64,
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = self.file.write_at(self.at, bytes)?;
        self.at += n as u64;
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

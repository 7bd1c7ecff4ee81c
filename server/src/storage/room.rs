//! Room on the disk for a tree that is to be installed, made before anything else happens: a server that
//! finds out too late that its disk is full has given up its tree already, and can only end.
//!
//! The room is a file of the tree as it came, and a little more. [`Storage`](super::Storage) writes what
//! it installs over its contents. It is written under another name first, so that nobody takes it while
//! it grows. What a stopped server leaves of it goes at the next start, like everything that begins with
//! `tmp.`.

use super::{
    dirs::{Compression, Dirs},
    error::StorageError,
    files::{Files, RealFiles, write_all_at},
    snapshots,
};
use std::{
    io,
    path::{Path, PathBuf},
    sync::{Arc, atomic::AtomicBool},
};
use zabscope_core::{tree::Database, wire::snapshot::Form};

/// So much more is kept: the tree that is installed has this server's members, and so may be larger or be
/// compressed less.
const MORE: usize = 1 << 20;

/// Room that is kept for a tree as long as this lives, or until it is installed.
#[derive(Debug)]
pub struct Room {
    files: Arc<dyn Files>,
    path: PathBuf,
}

impl Drop for Room {
    fn drop(&mut self) {
        // Not there any more if it was used; what can't be removed goes at the next start.
        let _ = self.files.remove(&self.path);
    }
}

impl Room {
    /// Makes room for this tree in the data directory of a server that runs. It is on disk when this
    /// returns.
    ///
    /// # Errors
    /// [`StorageError::Io`]: there is not so much. Nothing of it is left.
    pub fn make(
        dirs: &Dirs,
        compression: Compression,
        database: &Database,
    ) -> Result<Room, StorageError> {
        Room::make_with(Arc::new(RealFiles), dirs, compression, database)
    }

    pub(super) fn make_with(
        files: Arc<dyn Files>,
        dirs: &Dirs,
        compression: Compression,
        database: &Database,
    ) -> Result<Room, StorageError> {
        let (unfinished, path) = (dirs.unfinished_room_path(), dirs.room_path());
        let made = write(&*files, &unfinished, compression, database)
            .and_then(|()| files.rename(&unfinished, &path));
        match made {
            Ok(()) => Ok(Room { files, path }),
            Err(error) => {
                // Before anybody else needs the room.
                let _ = files.remove(&unfinished);
                Err(StorageError::io("write", unfinished)(error))
            }
        }
    }
}

fn write(
    files: &dyn Files,
    path: &Path,
    compression: Compression,
    database: &Database,
) -> io::Result<()> {
    let never = AtomicBool::new(false);
    let kind = (Form::FILE, compression);
    let end = snapshots::write(files, path, database, kind, &never)?;
    let mut file = files.open(path)?;
    write_all_at(&mut *file, end, &vec![0; MORE])?;
    file.sync()
}

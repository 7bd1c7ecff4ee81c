//! Has anything changed? A hash over names and contents of files; times don't matter, since git and
//! copies change them at will. Hashing a few megabytes takes milliseconds.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// All files below a directory, or the file itself, in a fixed order; names that begin with a dot are
/// left out below it. What does not exist has no files.
pub fn files(path: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut open = vec![path.to_path_buf()];
    while let Some(path) = open.pop() {
        if path.is_dir() {
            let entries = fs::read_dir(&path).with_context(|| path.display().to_string())?;
            for entry in entries {
                let entry = entry?;
                if !entry.file_name().to_string_lossy().starts_with('.') {
                    open.push(entry.path());
                }
            }
        } else if path.is_file() {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// The fingerprint of files and directories, by their paths below `root`.
pub fn of(root: &Path, paths: &[&str]) -> Result<u64> {
    let mut hasher = DefaultHasher::new();
    for path in paths {
        for file in files(&root.join(path))? {
            file.strip_prefix(root).unwrap_or(&file).hash(&mut hasher);
            fs::read(&file)
                .with_context(|| file.display().to_string())?
                .hash(&mut hasher);
        }
    }
    Ok(hasher.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_name_and_number_of_files_count_and_nothing_else() {
        let root = crate::workspace::target().join("fingerprint-test");
        let _ = fs::remove_dir_all(&root);
        fs::create_dir_all(root.join("a/b")).expect("directory");
        let write = |name: &str, text: &str| fs::write(root.join(name), text).expect("written");
        let now = || of(&root, &["a", "absent"]).expect("fingerprint");
        write("a/one", "1");
        let first = now();
        write("a/one", "1");
        write("a/.hidden", "x");
        write("elsewhere", "x");
        assert_eq!(now(), first);
        write("a/b/two", "");
        let second = now();
        assert_ne!(second, first);
        write("a/one", "2");
        assert_ne!(now(), second);
        fs::rename(root.join("a/b/two"), root.join("a/two")).expect("renamed");
        write("a/one", "1");
        assert_ne!(now(), second);
        fs::remove_dir_all(&root).expect("removed");
    }
}

//! The files of an ensemble whose members change, as Apache keeps them (ZooKeeper.md 2.5): the members that
//! hold in `zoo.cfg.dynamic.<version>`, to which zoo.cfg points with `dynamicConfigFile`, and those to come
//! in `zoo.cfg.dynamic.next`.
//!
//! What a server needs for its safety is in its log; these files spare it to ask the others who they are.
//! So a file that can't be written is told, and the server goes on.

use crate::config::{Ensemble, properties};
use std::{
    ffi::OsString,
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
};
use zabscope_core::id::ServerId;

/// The files beside a server's zoo.cfg.
#[derive(Clone, Debug)]
pub struct MembersFiles {
    zoo_cfg: PathBuf,
    me: ServerId,
}

impl MembersFiles {
    /// Those of the server `me` that was started with this file.
    #[must_use]
    pub fn new(zoo_cfg: &Path, me: ServerId) -> MembersFiles {
        // A later change of the working directory must not matter.
        let zoo_cfg = std::path::absolute(zoo_cfg).unwrap_or_else(|_| zoo_cfg.to_owned());
        MembersFiles { zoo_cfg, me }
    }

    fn beside(&self, end: &str) -> PathBuf {
        let mut name = OsString::from(&self.zoo_cfg);
        name.push(end);
        PathBuf::from(name)
    }

    /// These members hold from now on.
    pub fn hold(&self, text: &str) {
        if let Err(error) = self.write(text) {
            tracing::error!(
                file = %self.zoo_cfg.display(),
                "the members that hold now could not be written beside it: {error}. Make the file and its \
                 directory writable, or the next start begins with the members before and has to ask"
            );
        }
    }

    fn write(&self, text: &str) -> io::Result<()> {
        let ensemble = Ensemble::parse_text(text).map_err(io::Error::other)?;
        let dynamic = self.beside(&format!(".dynamic.{:x}", ensemble.version.0));
        let lines = text.lines().filter(|line| !line.starts_with("version="));
        let lines: Vec<&str> = lines.collect();
        replace(&dynamic, (lines.join("\n") + "\n").as_bytes())?;
        let old = fs::read(&self.zoo_cfg)?;
        let member = ensemble.members.get(&self.me);
        let new = pointing(&old, &dynamic, member.is_some_and(|m| m.client.is_some()))?;
        if new != old {
            let backup = self.beside(".bak");
            if !backup.exists() {
                replace(&backup, &old)?;
            }
            replace(&self.zoo_cfg, &new)?;
        }
        self.forget_next()
    }

    /// These members are to come, or no others are.
    pub fn await_next(&self, text: Option<&str>) {
        let written = match text {
            Some(text) => replace(&self.beside(".dynamic.next"), text.as_bytes()),
            None => self.forget_next(),
        };
        if let Err(error) = written {
            tracing::warn!(file = %self.zoo_cfg.display(), "the members to come were not noted beside it: {error}");
        }
    }

    fn forget_next(&self) -> io::Result<()> {
        match fs::remove_file(self.beside(".dynamic.next")) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

/// zoo.cfg with the pointer to the members' file instead of what that file says; the rest, comments
/// too, as it is. Apache drops the comments.
fn pointing(old: &[u8], dynamic: &Path, erase_client_port: bool) -> io::Result<Vec<u8>> {
    let goes = |key: &str| {
        ["server.", "group.", "weight."]
            .iter()
            .any(|k| key.starts_with(k))
            || matches!(key, "dynamicConfigFile" | "peerType")
            || (erase_client_port && matches!(key, "clientPort" | "clientPortAddress"))
    };
    let text = std::str::from_utf8(old).map_err(io::Error::other)?;
    let mut out = String::new();
    for line in text.lines() {
        let (entries, _) = properties::parse(line.as_bytes());
        if !entries.first().is_some_and(|e| goes(&e.key)) {
            out.push_str(line);
            out.push('\n');
        }
    }
    let dynamic = dynamic
        .to_str()
        .ok_or_else(|| io::Error::other("its path is not UTF-8"))?;
    out.push_str("dynamicConfigFile=");
    out.push_str(dynamic);
    out.push('\n');
    Ok(out.into_bytes())
}

/// The whole file or the old one, whatever happens meanwhile.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut name = OsString::from(path);
    name.push(".tmp");
    let temporary = PathBuf::from(name);
    let mut file = File::create(&temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&temporary, path)?;
    match path.parent() {
        Some(directory) => File::open(directory)?.sync_all(),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str =
        "server.1=a:1:2:participant;0.0.0.0:2181\nserver.2=b:1:2:participant\nversion=1a";

    fn files(old: &str) -> (tempfile::TempDir, MembersFiles) {
        let dir = tempfile::tempdir().expect("a directory");
        let zoo_cfg = dir.path().join("zoo.cfg");
        fs::write(&zoo_cfg, old).expect("a file");
        let files = MembersFiles::new(&zoo_cfg, ServerId(1));
        (dir, files)
    }

    #[test]
    fn members_that_hold_get_a_file_of_their_version_to_which_zoo_cfg_points() {
        let old = "# ours\ntickTime=2000\nclientPort=2181\nserver.1=a:1:2\nserver.2=b:1:2\npeerType=participant\n";
        let (dir, files) = files(old);
        let read = |name: &str| fs::read_to_string(dir.path().join(name)).ok();
        files.await_next(Some(TEXT));
        assert_eq!(read("zoo.cfg.dynamic.next").as_deref(), Some(TEXT));
        files.hold(TEXT);
        assert_eq!(read("zoo.cfg.dynamic.next"), None);
        assert_eq!(read("zoo.cfg.bak").as_deref(), Some(old));
        let dynamic = dir.path().join("zoo.cfg.dynamic.1a");
        assert_eq!(
            read("zoo.cfg.dynamic.1a").as_deref(),
            Some("server.1=a:1:2:participant;0.0.0.0:2181\nserver.2=b:1:2:participant\n")
        );
        let expected = format!(
            "# ours\ntickTime=2000\ndynamicConfigFile={}\n",
            dynamic.display()
        );
        assert_eq!(read("zoo.cfg"), Some(expected));
        // Again: the pointer moves, the first copy stays.
        files.hold(&TEXT.replace("1a", "1b"));
        assert!(read("zoo.cfg").is_some_and(|text| text.ends_with("zoo.cfg.dynamic.1b\n")));
        assert_eq!(read("zoo.cfg.bak").as_deref(), Some(old));
    }

    #[test]
    fn a_client_port_that_the_members_do_not_name_stays() {
        let (dir, files) = files("clientPort=2181\n");
        files.hold("server.1=a:1:2:participant\nserver.2=b:1:2:participant\nversion=5");
        let text = fs::read_to_string(dir.path().join("zoo.cfg")).expect("a file");
        assert!(
            text.starts_with("clientPort=2181\ndynamicConfigFile="),
            "{text}"
        );
    }

    #[test]
    fn a_file_that_can_not_be_written_does_not_end_the_server() {
        let files = MembersFiles::new(Path::new("/nowhere/at/all/zoo.cfg"), ServerId(1));
        files.await_next(Some(TEXT));
        files.hold(TEXT);
        files.await_next(None);
    }
}

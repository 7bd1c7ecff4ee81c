//! What comes from the operating system: Node and Chromium, and the clients of Apache ZooKeeper. On
//! Debian, as root, they are installed; elsewhere we say how to get them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Result, bail};

use crate::process::{self, say};
use crate::workspace;

/// A program of the operating system.
struct Program {
    /// Names under which it may be found.
    names: &'static [&'static str],
    /// Files that must be there as well.
    files: &'static [&'static str],
    /// Debian's packages that have it.
    packages: &'static [&'static str],
    /// How to get it elsewhere.
    advice: &'static str,
}

const NODE: Program = Program {
    names: &["node"],
    files: &[],
    packages: &["nodejs", "npm"],
    advice: "install Node.js 18 or newer from https://nodejs.org",
};

const NPM: Program = Program {
    names: &["npm"],
    files: &[],
    packages: &["npm"],
    advice: "npm comes with Node.js: https://nodejs.org",
};

const CHROMIUM: Program = Program {
    names: &[
        "chromium",
        "chromium-browser",
        "google-chrome",
        "google-chrome-stable",
    ],
    files: &[],
    packages: &["chromium"],
    advice: "install Chromium or Chrome and put `chromium` or `google-chrome` on the PATH",
};

const CHROMEDRIVER: Program = Program {
    names: &["chromedriver"],
    files: &[],
    packages: &["chromium-driver"],
    advice: "install the ChromeDriver of your Chrome's version: \
             https://googlechromelabs.github.io/chrome-for-testing",
};

/// Apache's server and its Java client, and Curator.
const JAVA: Program = Program {
    names: &["javac"],
    files: &[
        "/usr/share/java/zookeeper.jar",
        "/usr/share/java/curator-recipes.jar",
        "/usr/share/java/netty-codec.jar",
    ],
    packages: &[
        "default-jdk-headless",
        "libzookeeper-java",
        "libcurator-recipes-java",
        "libnetty-java",
    ],
    advice: "put a JDK's `java` and `javac` on the PATH, and the jars of ZooKeeper 3.8 and Curator 5 \
             into /usr/share/java under Debian's names",
};

/// Apache's C client.
const C: Program = Program {
    names: &["cc"],
    files: &["/usr/include/zookeeper/zookeeper.h"],
    packages: &["gcc", "libc6-dev", "libzookeeper-mt-dev"],
    advice: "install a C compiler and ZooKeeper's C client with its headers in /usr/include/zookeeper",
};

/// For kazoo.
const PYTHON: Program = Program {
    names: &["python3"],
    files: &[],
    packages: &["python3", "python3-venv"],
    advice: "install Python 3.9 to 3.12 from https://www.python.org",
};

/// What existing clients of ZooKeeper need to be tried against our servers.
pub fn zookeeper_clients() -> Result<()> {
    JAVA.path()?;
    C.path()?;
    let python = PYTHON.path()?;
    let mut venv = workspace::command(&python);
    venv.args(["-c", "import venv, ensurepip"]);
    if process::output(venv, Duration::from_secs(60)).is_err() {
        // Debian has Python without what makes environments of it.
        PYTHON.get()?;
    }
    Ok(())
}

/// Node.js.
pub fn node() -> Result<PathBuf> {
    NODE.path()
}

/// Node's package manager.
pub fn npm() -> Result<PathBuf> {
    NPM.path()
}

/// Chromium or Chrome.
pub fn chromium() -> Result<PathBuf> {
    match std::env::var_os("CHROMIUM") {
        Some(path) => Ok(path.into()),
        None => CHROMIUM.path(),
    }
}

/// Chromium's remote control.
pub fn chromedriver() -> Result<PathBuf> {
    match std::env::var_os("CHROMEDRIVER") {
        Some(path) => Ok(path.into()),
        None => CHROMEDRIVER.path(),
    }
}

/// Node, if it is there; it is not installed for this.
pub fn node_if_present() -> Option<PathBuf> {
    NODE.find()
}

impl Program {
    fn find(&self) -> Option<PathBuf> {
        let complete = self.files.iter().all(|file| Path::new(file).is_file());
        self.names
            .iter()
            .find_map(|name| workspace::find_program(name))
            .filter(|_| complete)
    }

    fn path(&self) -> Result<PathBuf> {
        match self.find() {
            Some(path) => Ok(path),
            None => self.get(),
        }
    }

    /// Installs it, if that is ours to do.
    fn get(&self) -> Result<PathBuf> {
        let packages = self.packages.join(" ");
        if workspace::find_program("apt-get").is_some() && is_root() {
            say(format_args!(
                "installing {packages} with apt-get (one to three minutes)"
            ));
            if self.install().is_err() {
                // A fresh image has no lists of packages, an old one has lists that lead nowhere.
                let mut update = apt_get();
                update.arg("update");
                process::must(update, Duration::from_secs(5 * 60))?;
                self.install()?;
            }
            if let Some(path) = self.find() {
                return Ok(path);
            }
        }
        bail!(
            "{} is needed, complete, and was not found. On Debian or Ubuntu: \
             `sudo apt-get install {packages}`. Elsewhere: {}.",
            self.names[0],
            self.advice
        )
    }

    fn install(&self) -> Result<()> {
        let mut install = apt_get();
        install
            .args(["install", "--yes", "--no-install-recommends"])
            .args(self.packages);
        process::must(install, Duration::from_secs(15 * 60))
    }
}

fn apt_get() -> std::process::Command {
    let mut command = workspace::command("apt-get");
    command.env("DEBIAN_FRONTEND", "noninteractive");
    command
}

fn is_root() -> bool {
    let mut id = workspace::command("id");
    id.arg("-u");
    process::output(id, Duration::from_secs(10)).is_ok_and(|text| text.trim() == "0")
}

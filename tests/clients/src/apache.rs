//! Apache ZooKeeper as Debian packages it.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

/// Where Debian puts jars; `ZABSCOPE_JARS` names another directory with files of the same names.
fn jars() -> PathBuf {
    std::env::var_os("ZABSCOPE_JARS")
        .map_or_else(|| PathBuf::from("/usr/share/java"), PathBuf::from)
}

/// The server and its client library.
const ZOOKEEPER: &[&str] = &["zookeeper", "zookeeper-jute", "slf4j-api", "slf4j-simple"];
/// What the server needs besides; the manifest of zookeeper.jar does not name all.
const BESIDES: &[&str] = &[
    "metrics-core",
    "snappy-java",
    "commons-cli",
    "netty-buffer",
    "netty-codec",
    "netty-common",
    "netty-handler",
    "netty-resolver",
    "netty-transport",
];
/// Apache Curator and what it needs.
const CURATOR: &[&str] = &[
    "curator-client",
    "curator-framework",
    "curator-recipes",
    "guava",
];

/// What to say when something is not there.
const ADVICE: &str = "On Debian 12: `apt-get install libzookeeper-java libcurator-recipes-java \
    default-jdk-headless`. Elsewhere put the jars of ZooKeeper 3.8 under Debian's names into a \
    directory, name it in ZABSCOPE_JARS, and put a JDK's `java` and `javac` on the PATH.";

fn class_path(names: &[&[&str]]) -> Result<String> {
    let mut entries = Vec::new();
    for name in names.iter().copied().flatten() {
        let jar = jars().join(format!("{name}.jar"));
        ensure!(jar.is_file(), "{} is not there. {ADVICE}", jar.display());
        entries.push(jar.display().to_string());
    }
    Ok(entries.join(":"))
}

/// Java with the server's and the client's classes, tuned for a quick start.
pub fn java() -> Result<Command> {
    let mut java = Command::new("java");
    java.args(["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx256m"])
        .args(["-Dorg.slf4j.simpleLogger.logFile=System.err"])
        .args(["-Dorg.slf4j.simpleLogger.showDateTime=true"])
        .args(["-cp", &server_class_path()?]);
    Ok(java)
}

/// The class path of the server.
pub fn server_class_path() -> Result<String> {
    class_path(&[ZOOKEEPER, BESIDES])
}

/// The class path for Java's clients, with Curator, and `classes`.
pub fn client_class_path(classes: &Path) -> Result<String> {
    Ok(format!(
        "{}:{}",
        classes.display(),
        class_path(&[ZOOKEEPER, BESIDES, CURATOR])?
    ))
}

/// Compiles Java sources into `classes`.
pub fn compile(sources: &[PathBuf], classes: &Path) -> Result<()> {
    std::fs::create_dir_all(classes)?;
    let output = Command::new("javac")
        .args([
            "-nowarn",
            "-proc:none",
            "-Xlint:-options",
            "--release",
            "11",
        ])
        .args(["-cp", &client_class_path(classes)?])
        .arg("-d")
        .arg(classes)
        .args(sources)
        .output()
        .with_context(|| format!("javac does not run. {ADVICE}"))?;
    ensure!(
        output.status.success(),
        "javac failed:\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}

/// What to say when Java does not run.
pub fn advice() -> &'static str {
    ADVICE
}

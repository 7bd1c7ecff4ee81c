//! Builds the page, when something that it is made of has changed.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::process::{self, human, say};
use crate::tools::{self, TRUNK, WASM_BINDGEN};
use crate::{fingerprint, split, workspace};

/// All that the page is made of, and this file, which says how.
const INPUTS: &[&str] = &[
    "core",
    "lessons",
    "web",
    "static",
    "Cargo.toml",
    "Cargo.lock",
    "Trunk.toml",
    "rust-toolchain.toml",
    ".cargo/config.toml",
    "xtask/src/page.rs",
    "xtask/src/split.rs",
    "xtask/src/tools.rs",
];

/// Makes sure that `dist` holds the page in release mode, built from what is there now.
pub fn build() -> Result<PathBuf> {
    let root = workspace::root();
    let dist = workspace::dist();
    let record = workspace::target().join("page.fingerprint");
    let inputs = fingerprint::of(&root, INPUTS)?;
    let fingerprints = || -> Result<String> {
        // The page too: somebody may have changed or removed it.
        Ok(format!(
            "{inputs:016x} {:016x}\n",
            fingerprint::of(&root, &["dist"])?
        ))
    };
    if fs::read_to_string(&record).is_ok_and(|old| fingerprints().is_ok_and(|new| old == new)) {
        say("nothing changed since the page was built");
        return Ok(dist);
    }

    tools::ensure_toolchain()?;
    let wasm_bindgen = WASM_BINDGEN.directory()?;
    let trunk = TRUNK.directory()?.join("trunk");
    say("building the page in release mode (1 to 3 minutes; much less when little changed)");
    let began = Instant::now();
    let mut command = workspace::command(trunk);
    command
        .args(["build", "--release", "--locked", "--features", "split", "--dist"])
        .arg(&dist)
        .env("PATH", workspace::path_with(&wasm_bindgen))
        .env("TRUNK_SKIP_VERSION_CHECK", "true")
        // Trunk takes "1", which NO_COLOR's users write, for an error.
        .env_remove("NO_COLOR");
    process::must(command, Duration::from_secs(30 * 60))?;
    ensure!(
        dist.join("index.html").is_file(),
        "Trunk built no index.html"
    );
    split::split(&dist).context("the page's code could not be cut in two")?;
    fs::write(&record, fingerprints()?).with_context(|| record.display().to_string())?;
    say(format_args!("page built in {}", human(began.elapsed())));
    Ok(dist)
}

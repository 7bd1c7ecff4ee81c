//! Where things stand. All paths are absolute, so that commands work from any directory.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The directory with the workspace's Cargo.toml.
pub fn root() -> PathBuf {
    // `cargo run` says where we are; what the compiler saw is of yesterday when a checkout, with its
    // target folder, was moved or copied.
    let xtask = env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    xtask.parent().unwrap_or(&xtask).to_path_buf()
}

/// Cargo's target directory.
pub fn target() -> PathBuf {
    match env::var_os("CARGO_TARGET_DIR") {
        Some(directory) => root().join(directory),
        None => root().join("target"),
    }
}

/// A program of ours as cargo builds it for tests.
pub fn binary(name: &str) -> PathBuf {
    target()
        .join("debug")
        .join(format!("{name}{}", env::consts::EXE_SUFFIX))
}

/// The published page: what Trunk made of it.
pub fn dist() -> PathBuf {
    root().join("dist")
}

/// The browser tests, a Node package.
pub fn browser_tests() -> PathBuf {
    root().join("tests").join("browser")
}

/// Cargo, the one that runs us, at the workspace's root.
pub fn cargo() -> Command {
    command(env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")))
}

/// Any program, at the workspace's root.
pub fn command(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(root());
    command
}

/// The first program of that name on the PATH.
pub fn find_program(name: &str) -> Option<PathBuf> {
    let file = format!("{name}{}", env::consts::EXE_SUFFIX);
    env::split_paths(&env::var_os("PATH")?)
        .map(|directory| directory.join(&file))
        .find(|p| p.is_file())
}

/// The PATH with one directory before all others.
pub fn path_with(first: &Path) -> OsString {
    let old = env::var_os("PATH").unwrap_or_default();
    let all = std::iter::once(first.to_path_buf()).chain(env::split_paths(&old));
    env::join_paths(all).unwrap_or(old)
}

//! The page's tools: Trunk and wasm-bindgen. Those on the PATH are used if their version fits;
//! otherwise they are built, once, into `target/tools`.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use crate::process::{self, human, say};
use crate::workspace;

/// A program that `cargo install` can build.
pub struct Tool {
    /// The package that has it.
    package: &'static str,
    version: &'static str,
    /// The programs that we use of it; the first one is asked for its version.
    programs: &'static [&'static str],
    /// How long a build takes on two cores.
    expected: &'static str,
}

/// Builds the page.
pub const TRUNK: Tool = Tool {
    package: "trunk",
    version: "0.21.14",
    programs: &["trunk"],
    expected: "4 minutes",
};

/// Joins wasm and JavaScript, and runs the tests that are wasm. Its version must be that of the crate
/// `wasm-bindgen`, to the last digit.
pub const WASM_BINDGEN: Tool = Tool {
    package: "wasm-bindgen-cli",
    version: "0.2.129",
    programs: &["wasm-bindgen", "wasm-bindgen-test-runner"],
    expected: "2 minutes",
};

impl Tool {
    /// The directory in which the tool stands; builds it if there is none.
    pub fn directory(&self) -> Result<PathBuf> {
        let root = workspace::target().join("tools");
        let ours = root.join("bin");
        let on_path = workspace::find_program(self.programs[0]);
        let candidates = on_path
            .as_ref()
            .and_then(|path| path.parent())
            .into_iter()
            .chain([&*ours]);
        for directory in candidates {
            if self.fits(directory) {
                return Ok(directory.to_path_buf());
            }
        }
        say(format_args!(
            "building {} {} (once; about {} on two cores)",
            self.package, self.version, self.expected
        ));
        let began = Instant::now();
        let build = root.join("build");
        let mut command = workspace::cargo();
        // A debug build is quick enough for what these do, and takes minutes less to make. Without its
        // default features Trunk can't download tools, which it should not do anyway.
        command
            .args(["install", self.package, "--version", self.version])
            .args([
                "--locked",
                "--debug",
                "--no-default-features",
                "--force",
                "--root",
            ])
            .arg(&root)
            .arg("--target-dir")
            .arg(&build)
            .env("CARGO_PROFILE_DEV_DEBUG", "0");
        process::must(command, Duration::from_secs(40 * 60))?;
        // Hundreds of megabytes that nobody needs again.
        let _ = fs::remove_dir_all(&build);
        ensure!(
            self.fits(&ours),
            "{} was installed but does not run",
            self.package
        );
        say(format_args!(
            "{} {} built in {}",
            self.package,
            self.version,
            human(began.elapsed())
        ));
        Ok(ours)
    }

    fn fits(&self, directory: &std::path::Path) -> bool {
        let file = |name: &str| directory.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
        let mut command = Command::new(file(self.programs[0]));
        command.arg("--version");
        self.programs.iter().all(|name| file(name).is_file())
            && process::output(command, Duration::from_secs(10))
                .is_ok_and(|text| text.split_whitespace().any(|word| word == self.version))
    }
}

/// Installs what rust-toolchain.toml names, if any of it is missing. Without rustup this is left to
/// whoever installed Rust.
pub fn ensure_toolchain() -> Result<()> {
    let mut rustc = workspace::command("rustc");
    rustc.args(["--print", "sysroot"]);
    let sysroot = PathBuf::from(process::output(rustc, Duration::from_secs(60))?.trim());
    let program = |name: &str| {
        sysroot
            .join("bin")
            .join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
            .is_file()
    };
    let wasm = sysroot
        .join("lib")
        .join("rustlib")
        .join("wasm32-unknown-unknown");
    if wasm.is_dir() && program("cargo-clippy") && program("cargo-fmt") {
        return Ok(());
    }
    ensure!(
        workspace::find_program("rustup").is_some(),
        "Rust's wasm32-unknown-unknown target, clippy and rustfmt are needed, and there is no rustup \
         to install them: see https://rustup.rs"
    );
    say("installing what rust-toolchain.toml names (half a minute)");
    let began = Instant::now();
    let mut rustup = workspace::command("rustup");
    // rustup sets this for its children, and then no longer reads the file.
    rustup
        .args(["toolchain", "install", "--no-self-update"])
        .env_remove("RUSTUP_TOOLCHAIN");
    process::must(rustup, Duration::from_secs(15 * 60))?;
    say(format_args!(
        "toolchain complete in {}",
        human(began.elapsed())
    ));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_crate_wasm_bindgen_has_the_version_of_its_tool() {
        let manifest = fs::read_to_string(workspace::root().join("Cargo.toml")).expect("manifest");
        assert!(manifest.contains(&format!("wasm-bindgen = \"={}\"", WASM_BINDGEN.version)));
    }
}

//! `zabscope purge`.

use clap::Args;
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};
use zabscope_server::storage::{Dirs, purge_stopped};

/// It could not be done.
const FAILED: u8 = 3;

/// Whose files, and how many stay.
#[derive(Args)]
pub struct Options {
    /// dataDir of a server that does not run.
    #[arg(long)]
    data_dir: PathBuf,
    /// Its dataLogDir, if that is another directory.
    #[arg(long)]
    data_log_dir: Option<PathBuf>,
    /// How many whole snapshots stay, with the logs that they need.
    #[arg(short = 'n', long = "retain", default_value_t = 3, value_parser = clap::value_parser!(u32).range(3..))]
    retain: u32,
}

/// Removes old files and says which.
pub fn run(options: &Options) -> ExitCode {
    // One directory may be written in several ways; what is not there is named as it was given.
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let log = options.data_log_dir.clone();
    let dirs = Dirs::new(
        &options.data_dir,
        log.filter(|log| real(log) != real(&options.data_dir)),
    );
    let retain = usize::try_from(options.retain).unwrap_or(usize::MAX);
    match purge_stopped(&dirs, retain) {
        Ok(removed) => {
            let mut text = String::new();
            for path in &removed {
                text.push_str(&format!("{}: removed\n", path.display()));
            }
            text.push_str(&format!("{} files removed\n", removed.len()));
            crate::output::print(&text);
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("zabscope purge: {error}");
            ExitCode::from(FAILED)
        }
    }
}

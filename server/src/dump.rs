//! `zabscope log dump`, `zabscope snapshot dump` and `check`: what is in files of Apache's servers and of
//! ours. Files are read piece by piece: how long they are does not matter.

mod log;
mod snapshot;
mod text;

use clap::{Args, Subcommand};
use std::{
    fmt::Display,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};
use zabscope_core::wire::jute::record_limit;

/// How it ended; of several files, the worst. Kept by docs/operating.md.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
    /// Whole.
    Whole = 0,
    /// Damaged, or not written to its end.
    Damaged = 1,
    /// Can't be read, or is no such file.
    Unreadable = 3,
}

/// Transaction logs.
#[derive(Subcommand)]
pub enum Log {
    /// Prints the transactions of logs, Apache's and ours. Exit code 0 if the files are whole, 1 if one is
    /// damaged or torn (it is told at which byte), 3 if one can't be read.
    Dump(Files),
}

/// Snapshots.
#[derive(Subcommand)]
pub enum Snapshot {
    /// Prints the znodes and sessions of snapshots, Apache's and ours, compressed ones too. Exit codes as
    /// of `check`.
    Dump(Dump),
    /// Reads snapshots to the end and compares their checksums. Exit code 0 if they are whole, 1 if one is
    /// damaged (it is told at which byte), 3 if one can't be read.
    Check(Check),
}

/// Which files, and how.
#[derive(Args, Clone)]
pub struct Files {
    /// The files.
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// A JSON object a line; data in base64.
    #[arg(long)]
    json: bool,
    /// The servers' jute.maxbuffer in bytes: what is much longer counts as damage.
    #[arg(long, default_value_t = 64 << 20, value_parser = clap::value_parser!(u32).range(1024..=0x3fff_ffff))]
    max_buffer: u32,
}

impl Files {
    fn limit(&self) -> usize {
        record_limit(usize::try_from(self.max_buffer).unwrap_or(usize::MAX))
    }
}

/// What of a snapshot.
#[derive(Args)]
pub struct Dump {
    #[command(flatten)]
    files: Files,
    /// Also the znodes' data: as text where it is text, otherwise in hexadecimal.
    #[arg(short = 'd', long)]
    data: bool,
}

/// How thoroughly.
#[derive(Args)]
pub struct Check {
    #[command(flatten)]
    files: Files,
    /// Also loads them as a server would, with as much memory, and compares the digest of the tree.
    #[arg(long)]
    load: bool,
}

/// `zabscope log`.
pub fn run_log(command: &Log) -> ExitCode {
    match command {
        Log::Dump(files) => each(files, |file, out| log::dump(files, file, out)),
    }
}

/// `zabscope snapshot`.
pub fn run_snapshot(command: &Snapshot) -> ExitCode {
    match command {
        Snapshot::Dump(options) => each(&options.files, |file, out| {
            snapshot::dump(options, file, out)
        }),
        Snapshot::Check(options) => each(&options.files, |file, out| {
            snapshot::check(options, file, out)
        }),
    }
}

fn each(
    files: &Files,
    mut one: impl FnMut(&Path, &mut dyn Write) -> io::Result<Verdict>,
) -> ExitCode {
    let mut out = BufWriter::new(io::stdout().lock());
    let mut worst = Verdict::Whole;
    for file in &files.files {
        match one(file, &mut out).and_then(|verdict| out.flush().map(|()| verdict)) {
            Ok(verdict) => worst = worst.max(verdict),
            // Nobody reads any more (`| head`).
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => break,
            Err(error) => {
                eprintln!("zabscope: the output can't be written: {error}");
                return ExitCode::from(Verdict::Unreadable as u8);
            }
        }
    }
    ExitCode::from(worst as u8)
}

/// Tells on stderr, and with `--json` in the stream as well, what is wrong with a file.
fn complain(
    files: &Files,
    file: &Path,
    out: &mut dyn Write,
    why: &dyn Display,
    verdict: Verdict,
) -> io::Result<Verdict> {
    // In order with what was printed before.
    out.flush()?;
    eprintln!("{}: {why}", file.display());
    if files.json {
        let line =
            serde_json::json!({ "file": file.display().to_string(), "error": why.to_string() });
        writeln!(out, "{line}")?;
    }
    Ok(verdict)
}

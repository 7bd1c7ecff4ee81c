//! Everything around the code: set up, run, test, benchmark, measure. `cargo xtask help` lists it.
//!
//! | Module | What it knows |
//! |---|---|
//! | [`workspace`] | where things stand |
//! | [`process`] | child processes: streamed, limited in time, ended by their own id |
//! | [`tools`] | Trunk and wasm-bindgen: found or built |
//! | [`system`] | browsers and Node: found or installed through apt-get |
//! | [`page`], [`fingerprint`] | building the page, and knowing when that is not needed |
//! | [`server`] | serving it |
//! | [`size`] | what it weighs |
//! | [`licences`] | what the dependencies' licences allow |
//! | [`mod@run`], [`mod@test`], [`mod@bench`], [`fuzz`] | the commands |

mod bench;
mod fingerprint;
mod fuzz;
mod licences;
mod page;
mod process;
mod run;
mod server;
mod size;
mod split;
mod system;
mod test;
mod tools;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// zabscope's own build commands.
#[derive(Parser)]
#[command(bin_name = "cargo xtask", version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Builds the page if anything changed, serves it on 127.0.0.1 and opens the browser.
    Run {
        /// Do not open the browser.
        #[arg(long)]
        no_open: bool,
        /// The first port to try; if it is taken, the next free one is used.
        #[arg(long, default_value_t = 8080)]
        port: u16,
    },
    /// Runs all tests and checks; ends with one line: N passed, N failed, N skipped.
    Test {
        /// Only what a developer runs every few minutes: formatting, clippy, native tests.
        #[arg(long)]
        quick: bool,
        /// Also clients that others wrote: Java's, C's, kazoo, and the comparison with Apache's server.
        #[arg(long)]
        clients: bool,
    },
    /// Runs a benchmark.
    Bench {
        /// What to measure.
        #[arg(value_enum)]
        what: bench::What,
    },
    /// Looks for bytes from outside that harm: libFuzzer on every codec and file reader (tests/fuzz).
    Fuzz {
        /// The targets; all if none is named.
        targets: Vec<String>,
        /// How long each target runs.
        #[arg(long, default_value_t = 10)]
        seconds: u64,
    },
    /// Weighs the page, compressed with brotli, and fails above the limits.
    Size,
}

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Run { no_open, port } => run::run(port, !no_open).map(|()| true),
        Command::Test { quick, clients } => test::run(quick, clients),
        Command::Bench { what } => bench::run(what),
        Command::Fuzz { targets, seconds } => fuzz::run(seconds, &targets),
        Command::Size => page::build().and_then(|dist| size::check(&dist)),
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

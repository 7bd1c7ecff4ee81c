//! The command line of zabscope.

#[cfg(feature = "simulate")]
mod simulate;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// ZooKeeper, rebuilt so that one can see it work.
#[derive(Parser)]
#[command(name = "zabscope", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs an ensemble in virtual time with faults and clients, and checks it after every step.
    #[cfg(feature = "simulate")]
    Simulate(simulate::Options),
}

fn main() -> ExitCode {
    match Arguments::parse().command {
        #[cfg(feature = "simulate")]
        Command::Simulate(options) => simulate::run(&options),
    }
}

//! The command line of zabscope.

#[cfg(feature = "simulate")]
mod simulate;

use clap::{Parser, Subcommand};
use std::process::ExitCode;
use zabscope_server::cli;

/// ZooKeeper, rebuilt so that one can see it work.
#[derive(Parser)]
#[command(name = "zabscope", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Talks to servers: zkCli's commands, interactive or one at a time.
    Cli(cli::Options),
    /// Runs an ensemble in virtual time with faults and clients, and checks it after every step.
    #[cfg(feature = "simulate")]
    Simulate(simulate::Options),
}

fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Cli(options) => cli::run(&options),
        #[cfg(feature = "simulate")]
        Command::Simulate(options) => simulate::run(&options),
    }
}

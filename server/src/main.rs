//! The command line of zabscope.

mod serve;
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
    /// Runs a server: on its own on 127.0.0.1, or what a zoo.cfg says.
    Serve(serve::Options),
    /// Talks to servers: zkCli's commands, interactive or one at a time.
    Cli(cli::Options),
    /// Runs an ensemble in virtual time with faults and clients, and checks it after every step.
    #[cfg(feature = "simulate")]
    Simulate(simulate::Options),
}

fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Serve(options) => serve::run(&options),
        Command::Cli(options) => cli::run(&options),
        #[cfg(feature = "simulate")]
        Command::Simulate(options) => simulate::run(&options),
    }
}

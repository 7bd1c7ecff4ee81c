//! The command line of zabscope.

mod describe;
mod dump;
mod ensemble;
mod journal;
mod output;
mod probe;
mod purge;
mod serve;
#[cfg(feature = "simulate")]
mod simulate;
mod status;

use clap::{CommandFactory, Parser, Subcommand};
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
    /// Runs several servers on this machine, with a table that follows along; Ctrl-C ends them.
    Ensemble(ensemble::Options),
    /// Asks servers how they are: who leads, epochs, zxids, lag, clients. Exit code 0 if all serve, 1 if
    /// some do, 3 if none does.
    Status(status::Options),
    /// Looks into transaction logs.
    #[command(subcommand)]
    Log(dump::Log),
    /// Looks into snapshots.
    #[command(subcommand)]
    Snapshot(dump::Snapshot),
    /// Removes old snapshots and logs of a server that does not run.
    Purge(purge::Options),
    /// Prints a script that completes this command's words in a shell.
    Completions(describe::Completions),
    /// Prints the manual page, or writes one for each subcommand into a directory.
    Man(describe::Man),
    /// Runs an ensemble in virtual time with faults and clients, and checks it after every step.
    #[cfg(feature = "simulate")]
    Simulate(simulate::Options),
}

fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Serve(options) => serve::run(&options),
        Command::Cli(options) => cli::run(&options),
        Command::Ensemble(options) => ensemble::run(&options),
        Command::Status(options) => status::run(&options),
        Command::Log(command) => dump::run_log(&command),
        Command::Snapshot(command) => dump::run_snapshot(&command),
        Command::Purge(options) => purge::run(&options),
        Command::Completions(options) => describe::completions(Arguments::command(), &options),
        Command::Man(options) => describe::man(Arguments::command(), &options),
        #[cfg(feature = "simulate")]
        Command::Simulate(options) => simulate::run(&options),
    }
}

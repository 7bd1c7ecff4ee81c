//! `zabscope completions` and `zabscope man`: both are made from the command line's own description.

use clap::{Args, Command};
use clap_complete::Shell;
use std::{fs, io, path::PathBuf, process::ExitCode};

/// For which shell.
#[derive(Args)]
pub struct Completions {
    /// The shell.
    shell: Shell,
}

/// Where the pages go.
#[derive(Args)]
pub struct Man {
    /// A directory for zabscope.1 and the pages of the subcommands; without it, the page of zabscope goes to
    /// standard output.
    #[arg(long)]
    dir: Option<PathBuf>,
}

/// Prints the script.
pub fn completions(mut command: Command, options: &Completions) -> ExitCode {
    let mut script = Vec::new();
    clap_complete::generate(options.shell, &mut command, "zabscope", &mut script);
    crate::output::print(&String::from_utf8_lossy(&script));
    ExitCode::SUCCESS
}

/// Prints or writes the manual.
pub fn man(command: Command, options: &Man) -> ExitCode {
    let written = match &options.dir {
        Some(dir) => fs::create_dir_all(dir)
            .and_then(|()| clap_mangen::generate_to(command, dir))
            .map_err(|error| format!("{}: {error}", dir.display())),
        None => page(command).map_err(|error| error.to_string()),
    };
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("zabscope man: {error}");
            ExitCode::FAILURE
        }
    }
}

fn page(command: Command) -> io::Result<()> {
    let mut page = Vec::new();
    clap_mangen::Man::new(command).render(&mut page)?;
    crate::output::print(&String::from_utf8_lossy(&page));
    Ok(())
}

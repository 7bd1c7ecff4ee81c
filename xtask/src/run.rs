//! `cargo xtask run`: the page, built and served.

use anyhow::Result;

use crate::process::say;
use crate::server::Server;
use crate::{page, workspace};

/// Builds the page if needed, serves it until it is interrupted, and opens the browser.
pub fn run(port: u16, open: bool) -> Result<()> {
    let dist = page::build()?;
    let server = Server::bind(&dist, port)?;
    say("serving the page; end with Ctrl-C");
    println!("{}", server.url());
    if open && let Err(error) = open_browser(&server.url()) {
        say(format_args!(
            "no browser was opened ({error:#}): open the address above yourself"
        ));
    }
    server.serve()
}

fn open_browser(url: &str) -> Result<()> {
    let (program, arguments): (&str, &[&str]) = if cfg!(target_os = "macos") {
        ("open", &[])
    } else if cfg!(windows) {
        ("cmd", &["/C", "start", ""])
    } else {
        ("xdg-open", &[])
    };
    let mut command = workspace::command(program);
    command.args(arguments).arg(url);
    // Some openers are the browser itself and stay: they are not waited for.
    let mut child = command
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()?;
    std::thread::spawn(move || child.wait());
    Ok(())
}

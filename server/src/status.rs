//! `zabscope status`.

use crate::probe::{self, State};
use clap::Args;
use std::{path::PathBuf, process::ExitCode, sync::Arc, time::Duration};
use zabscope_core::members::HostPort;
use zabscope_server::{client, net::tls::Context};

/// How it ended. Kept by docs/operating.md.
mod exit {
    /// All that were asked serve.
    pub const ALL: u8 = 0;
    /// Some don't.
    pub const SOME: u8 = 1;
    /// The client configuration is wrong.
    pub const WRONG: u8 = 2;
    /// None does.
    pub const NONE: u8 = 3;
}

/// The servers of one connect string.
#[derive(Clone)]
struct Servers(Vec<HostPort>);

/// Whom to ask, and how to say it.
#[derive(Args)]
pub struct Options {
    /// The servers; a connect string with commas is fine.
    #[arg(value_name = "HOST:PORT", default_value = "127.0.0.1:2181", value_parser = servers)]
    servers: Vec<Servers>,
    /// An array of objects instead of a table.
    #[arg(long)]
    json: bool,
    /// Seconds that a server has for its answer.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=600))]
    timeout: u64,
    /// A file with Apache's keys for clients: zookeeper.client.secure=true and zookeeper.ssl.… for TLS,
    /// which may stand as -D… in the environment variable CLIENT_JVMFLAGS too. SASL is not needed here.
    #[arg(long, value_name = "FILE")]
    client_configuration: Option<PathBuf>,
}

/// Asks, prints, and says by its exit code whether all is well.
pub fn run(options: &Options) -> ExitCode {
    let all = options.servers.iter();
    let all: Vec<HostPort> = all.flat_map(|servers| servers.0.clone()).collect();
    let tls = match tls(options) {
        Ok(tls) => tls,
        Err(wrong) => {
            eprintln!("{wrong}");
            return ExitCode::from(exit::WRONG);
        }
    };
    let limit = Duration::from_secs(options.timeout);
    let reports = probe::ask_all(&all, tls.as_deref(), limit);
    let text = match options.json {
        true => match serde_json::to_string_pretty(&reports) {
            Ok(text) => text + "\n",
            Err(error) => {
                eprintln!("zabscope status: {error}");
                return ExitCode::from(exit::NONE);
            }
        },
        false => probe::table(&reports, None),
    };
    crate::output::print(&text);
    let serving = reports.iter().filter(|r| r.state == State::Serving).count();
    ExitCode::from(match serving {
        0 => exit::NONE,
        n if n == reports.len() => exit::ALL,
        _ => exit::SOME,
    })
}

/// Keys and trust, if there is to be TLS; the text says what is wrong.
fn tls(options: &Options) -> Result<Option<Arc<Context>>, String> {
    let file = options.client_configuration.as_deref();
    let settings = client::settings(file).map_err(|wrong| wrong.to_string())?;
    client::tls(&settings).map_err(|wrong| wrong.to_string())
}

/// A connect string's servers; a chroot at its end is none.
fn servers(text: &str) -> Result<Servers, String> {
    let read = client::Options::parse(text).map_err(|error| error.to_string())?;
    Ok(Servers(read.servers))
}

#[cfg(test)]
mod tests {
    use super::servers;

    #[test]
    fn a_connect_string_names_servers_with_and_without_ports() {
        let all = servers("a:1, b,[::1]:3,[::2]/chroot/x:1").map(|all| all.0);
        let all = all.expect("it is one");
        let shown: Vec<String> = all.iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["a:1", "b:2181", "[::1]:3", "[::2]:2181"]);
    }
}

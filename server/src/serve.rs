//! `zabscope serve`.

use crate::journal::{self, Journal};
use clap::{Args, ValueEnum};
use std::{
    env,
    io::{self, IsTerminal},
    path::{Path, PathBuf},
    process::{self, ExitCode},
    sync::{Arc, Mutex, PoisonError},
    thread,
};
use tokio::signal::unix::{SignalKind, signal};
use tracing::{Level, level_filters::LevelFilter};
use tracing_subscriber::{
    Layer as _, Registry, filter::Targets, fmt, layer::SubscriberExt as _,
    util::SubscriberInitExt as _,
};
use zabscope_server::{
    Server, audit,
    config::{self, Loaded, Mode, ServerConfig, Sources},
    server::{StartError, Stopper},
};

/// How it ended, for whoever started it. Kept by docs/operating.md.
mod exit {
    /// It was asked to end (SIGTERM, SIGINT), and did.
    pub const ASKED: u8 = 0;
    /// It ran and had to end: the disk failed.
    pub const FAILED: u8 = 1;
    /// The configuration is wrong.
    pub const CONFIGURATION: u8 = 2;
    /// It could not start: the data directory, a port.
    pub const START: u8 = 3;
}

/// How it is run.
#[derive(Args)]
pub struct Options {
    /// The configuration; without one a server on its own listens on 127.0.0.1:2181 and keeps its
    /// data in the user's data directory.
    #[arg(value_name = "zoo.cfg")]
    file: Option<PathBuf>,
    /// A key and its value; goes before what the file says. Can be repeated.
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// How the log on stderr is written.
    #[arg(long, value_enum, default_value_t = LogFormat::Text)]
    log_format: LogFormat,
    /// The least that is logged.
    #[arg(long, default_value = "info", value_parser = ["error", "warn", "info", "debug", "trace"])]
    log_level: String,
    /// Ends when standard input does: whoever started it holds the other end of a pipe, and can't die
    /// without it.
    #[arg(long, hide = true)]
    end_with_stdin: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum LogFormat {
    /// A line for a person; where it goes to journald, with the priority instead of the time.
    Text,
    /// A JSON object a line.
    Json,
}

/// Runs a server until it ends.
pub fn run(options: &Options) -> ExitCode {
    start_log(options);
    let jvm_flags = env::var("SERVER_JVMFLAGS").ok();
    let sources = Sources {
        file: options.file.as_deref(),
        jvm_flags: jvm_flags.as_deref(),
        sets: &options.set,
    };
    let loaded = match &options.file {
        Some(_) => ServerConfig::load(&sources),
        None => match data_directory() {
            Some(directory) => ServerConfig::default_standalone(&directory, &sources),
            None => {
                tracing::error!(
                    "there is no place for the data: neither XDG_DATA_HOME nor HOME is set. \
                     Set one, or give a zoo.cfg with a dataDir"
                );
                return ExitCode::from(exit::CONFIGURATION);
            }
        },
    };
    let Loaded { config, warnings } = match loaded {
        Ok(loaded) => loaded,
        Err(wrong) => {
            for problem in wrong.problems {
                tracing::error!("{problem}");
            }
            return ExitCode::from(exit::CONFIGURATION);
        }
    };
    for warning in warnings {
        tracing::warn!("{warning}");
    }
    // Before anything listens: who sees the port may already ask the server to end.
    let signals = match Signals::listen() {
        Ok(signals) => signals,
        Err(error) => {
            tracing::error!("signals can't be waited for: {error}");
            return ExitCode::from(exit::START);
        }
    };
    let server = match Server::start(&config) {
        Ok(server) => server,
        Err(error) => {
            tracing::error!("{error}");
            return ExitCode::from(match error {
                StartError::Tls(_) => exit::CONFIGURATION,
                _ => exit::START,
            });
        }
    };
    let stopper = server.stopper();
    signals.end(stopper.clone());
    announce(&config, &server);
    if options.end_with_stdin
        && let Err(error) = end_with_stdin(stopper)
    {
        tracing::error!("a thread could not be started: {error}");
        return ExitCode::from(exit::START);
    }
    match server.wait() {
        Ok(()) => {
            tracing::info!("ended");
            ExitCode::from(exit::ASKED)
        }
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::from(exit::FAILED)
        }
    }
}

fn data_directory() -> Option<PathBuf> {
    let path = |name| env::var_os(name).map(PathBuf::from);
    let (data, home) = (path("XDG_DATA_HOME"), path("HOME"));
    config::user_data_dir(data.as_deref(), home.as_deref())
}

fn start_log(options: &Options) {
    let level = match options.log_level.as_str() {
        "error" => Level::ERROR,
        "warn" => Level::WARN,
        "debug" => Level::DEBUG,
        "trace" => Level::TRACE,
        _ => Level::INFO,
    };
    // Whoever switches the audit log on wants all of it, and tells it from the rest by its target.
    let (rest, audited) = (
        Targets::new()
            .with_default(level)
            .with_target(audit::TARGET, LevelFilter::OFF),
        Targets::new().with_target(audit::TARGET, LevelFilter::INFO),
    );
    let layer = |shown, only| {
        let layer = fmt::layer::<Registry>()
            .with_writer(io::stderr)
            .with_target(shown);
        let layer = match options.log_format {
            LogFormat::Json => layer.json().flatten_event(true).boxed(),
            LogFormat::Text if journal::is_there() => {
                layer.with_ansi(false).event_format(Journal).boxed()
            }
            LogFormat::Text => layer.with_ansi(io::stderr().is_terminal()).boxed(),
        };
        layer.with_filter(only)
    };
    tracing_subscriber::registry()
        .with(vec![layer(false, rest), layer(true, audited)])
        .init();
}

fn announce(config: &ServerConfig, server: &Server) {
    let at = server
        .client_address()
        .map_or_else(|| "no port".to_owned(), |address| address.to_string());
    let data: &Path = &config.storage.data_dir;
    match config.mode {
        Mode::Standalone => {
            tracing::info!(
                "serving clients on {at}, on its own; data in {}",
                data.display()
            );
        }
        Mode::Quorum => tracing::info!(
            "server {} of {} members; clients on {at}; data in {}",
            config.core.my_id,
            config.ensemble.members.len(),
            data.display()
        ),
    }
    if let Some(at) = server.secure_address() {
        tracing::info!("clients with TLS on {at}");
    }
    if let Some(at) = server.admin_address() {
        let admin = config.admin.as_ref();
        let url = admin.map_or("", |admin| &admin.command_url);
        let scheme = match admin.is_some_and(|admin| admin.force_https) {
            true => "https",
            false => "http",
        };
        tracing::info!("administration on {scheme}://{at}{url}");
    }
    if let Some(at) = server.metrics_address() {
        tracing::info!("metrics for Prometheus on http://{at}/metrics");
    }
    if let Some(at) = server.metrics_https_address() {
        tracing::info!("metrics for Prometheus on https://{at}/metrics");
    }
    if config
        .clients
        .listen
        .as_ref()
        .is_some_and(|l| l.host.is_none())
    {
        tracing::info!(
            "the client port is open to all addresses of this machine; clientPortAddress narrows that"
        );
    }
}

/// Reads standard input to its end, on a thread of its own that nobody waits for.
fn end_with_stdin(stopper: Stopper) -> io::Result<()> {
    let wait = move || {
        let _ = io::copy(&mut io::stdin(), &mut io::sink());
        tracing::info!("standard input has ended: ending");
        stopper.stop();
    };
    thread::Builder::new().name("stdin".into()).spawn(wait)?;
    Ok(())
}

/// SIGTERM and SIGINT, from now on: whom they end. Nobody while the server still reads its files, which takes
/// as long as it takes and changes nothing that a start does not put right: then the process just ends.
struct Signals(Arc<Mutex<Option<Stopper>>>);

impl Signals {
    fn listen() -> io::Result<Signals> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .build()?;
        let entered = runtime.enter();
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        drop(entered);
        let server: Arc<Mutex<Option<Stopper>>> = Arc::default();
        let of_thread = Arc::clone(&server);
        let wait = move || {
            runtime.block_on(async {
                tokio::select! {
                    _ = terminate.recv() => tracing::info!("SIGTERM: ending"),
                    _ = interrupt.recv() => tracing::info!("SIGINT: ending"),
                }
            });
            match &*of_thread.lock().unwrap_or_else(PoisonError::into_inner) {
                Some(server) => server.stop(),
                None => process::exit(exit::ASKED.into()),
            }
        };
        thread::Builder::new().name("signals".into()).spawn(wait)?;
        Ok(Signals(server))
    }

    /// The server runs: it ends in order when the first of them comes.
    fn end(&self, server: Stopper) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(server);
    }
}

//! `zabscope cli`: Apache's zkCli, interactive or for one command, with its commands, options and
//! texts as of 3.9. What differs: one command alone prints nothing but its own output, `help` exists,
//! a wrong number is a message and not the end of the program.

mod args;
mod commands;
mod outcome;
mod print;
mod quota;
mod shell;

pub use commands::usage;

use crate::{
    client::{self, Client, ClientError, Event, EventKind, Options as ClientOptions, SessionState},
    net::tls::Context,
    sasl::{self, Credentials},
};
use clap::Args;
use commands::Command;
use outcome::{Failure, Outcome};
use std::{
    fmt,
    io::{self, IsTerminal, Write},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// What `zabscope cli` is told.
#[derive(Args, Debug)]
#[command(
    override_usage = "zabscope cli [OPTIONS] [HOST:PORT,…[/CHROOT]] [COMMAND [ARGUMENTS]…]",
    after_help = "Exit codes: 0 done; 1 the command is wrong or was refused, or SASL failed; 2 wrong options; 3 no server answered.\n\
                  Without a command: an interactive shell, `help` lists the commands."
)]
pub struct Options {
    /// The servers, as `-server` of zkCli; otherwise the first word if it is no command, otherwise
    /// 127.0.0.1:2181.
    #[arg(long, value_name = "HOST:PORT,…")]
    server: Option<String>,
    /// The session time-out to ask for, in milliseconds.
    #[arg(long, default_value_t = 30_000, value_parser = clap::value_parser!(u32).range(1..))]
    timeout: u32,
    /// A file with Apache's keys for clients: zookeeper.client.secure=true and zookeeper.ssl.… for TLS;
    /// java.security.auth.login.config=… for SASL DIGEST-MD5, a JAAS file whose section Client (or the one
    /// that zookeeper.sasl.clientconfig names) says who this is. All of them may stand as -D… in the
    /// environment variable CLIENT_JVMFLAGS too; the file goes before.
    #[arg(long, value_name = "FILE")]
    client_configuration: Option<PathBuf>,
    /// Be content with a server that only reads (`-r` of zkCli).
    #[arg(short, long)]
    readonly: bool,
    /// One JSON object for each command.
    #[arg(long)]
    json: bool,
    /// Servers and command.
    #[arg(
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "WORDS"
    )]
    words: Vec<String>,
}

/// Where output goes: of commands, and of events at any time.
pub struct Printer {
    out: Mutex<Box<dyn Write + Send>>,
    err: Mutex<Box<dyn Write + Send>>,
    /// While a line is being edited: prints above it.
    above: Mutex<Option<Box<dyn rustyline::ExternalPrinter + Send>>>,
    watches: AtomicBool,
    json: bool,
}

impl fmt::Debug for Printer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Printer")
            .field("json", &self.json)
            .finish_non_exhaustive()
    }
}

impl Printer {
    /// Prints to these two.
    #[must_use]
    pub fn new(out: Box<dyn Write + Send>, err: Box<dyn Write + Send>, json: bool) -> Printer {
        Printer {
            out: Mutex::new(out),
            err: Mutex::new(err),
            above: Mutex::new(None),
            watches: AtomicBool::new(true),
            json,
        }
    }

    fn write(to: &Mutex<Box<dyn Write + Send>>, text: &str) {
        let mut to = to.lock().unwrap_or_else(PoisonError::into_inner);
        // Nobody reads on: not our failure.
        let _ = to.write_all(text.as_bytes()).and_then(|()| to.flush());
    }

    fn out(&self, text: &str) {
        Printer::write(&self.out, text);
    }

    fn err(&self, text: &str) {
        Printer::write(&self.err, text);
    }

    fn event(&self, event: &Event) {
        if !self.watches.load(Ordering::Relaxed) {
            return;
        }
        let text = if self.json {
            format!("{}\n", print::event_json(event))
        } else {
            format!("\nWATCHER::\n\n{event}\n")
        };
        let mut above = self.above.lock().unwrap_or_else(PoisonError::into_inner);
        match above.as_mut() {
            Some(above) => {
                let _ = above.print(text);
            }
            None => self.out(&text),
        }
    }
}

/// The state of a shell between two commands.
#[derive(Debug)]
pub struct Cli {
    servers: String,
    session_timeout: Duration,
    read_only: bool,
    tls: Option<Arc<Context>>,
    sasl: Option<Credentials>,
    client: Option<Arc<Client>>,
    printer: Arc<Printer>,
    /// Lines entered so far.
    history: Vec<String>,
    /// One command alone: events of the session are nobody's business.
    one_shot: bool,
    finished: bool,
    /// Of the last command.
    exit: u8,
}

impl Cli {
    /// A shell that is not connected yet.
    #[must_use]
    pub fn new(servers: &str, printer: Arc<Printer>) -> Cli {
        Cli {
            servers: servers.to_owned(),
            session_timeout: Duration::from_secs(30),
            read_only: false,
            tls: None,
            sasl: None,
            client: None,
            printer,
            history: Vec::new(),
            one_shot: false,
            finished: false,
            exit: 0,
        }
    }

    /// Begins to connect; commands wait for it.
    ///
    /// # Errors
    /// If the servers are not host:port,…
    pub fn connect(&mut self, servers: &str) -> Result<(), ClientError> {
        self.disconnect();
        servers.clone_into(&mut self.servers);
        let mut options = ClientOptions::parse(servers)?;
        options.session_timeout = self.session_timeout;
        options.request_timeout = self.session_timeout;
        options.read_only = self.read_only;
        options.tls = self.tls.clone();
        options.sasl = self.sasl.clone();
        let printer = Arc::clone(&self.printer);
        let one_shot = self.one_shot;
        let client = Client::start(options, move |event| {
            if !(one_shot && event.kind == EventKind::None) {
                printer.event(event);
            }
        })?;
        self.client = Some(Arc::new(client));
        Ok(())
    }

    fn disconnect(&mut self) {
        // The shell holds the only one while no line is being edited; otherwise it ends when that is
        // done.
        if let Some(client) = self.client.take().and_then(Arc::into_inner) {
            drop(client);
        }
    }

    fn client(&self) -> Option<&Arc<Client>> {
        self.client.as_ref().filter(|c| !c.state().is_over())
    }

    /// zkCli's prompt.
    #[must_use]
    pub fn prompt(&self) -> String {
        let state = self
            .client
            .as_ref()
            .map_or(SessionState::Closed, |c| c.state());
        let count = self.history.len();
        format!("[zk: {}({}) {count}] ", self.servers, state.prompt_name())
    }

    /// Whether `quit` was said.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.finished
    }

    /// Runs one line as if it was typed; true if it did what it should.
    pub fn line(&mut self, line: &str) -> bool {
        let words = args::split(line);
        if line.is_empty() {
            return true;
        }
        self.history.push(line.to_owned());
        self.words(&words)
    }

    /// Runs one command.
    pub fn words(&mut self, words: &[String]) -> bool {
        match self.run(words) {
            Ok(outcome) => {
                self.exit = 0;
                if self.printer.json {
                    self.printer.err(&outcome.err);
                    self.printer.out(&format!("{}\n", outcome.json));
                } else {
                    self.printer.err(&outcome.err);
                    self.printer.out(&outcome.out);
                }
                true
            }
            Err(failure) => {
                if self.printer.json {
                    self.printer.err(&format!("{}\n", failure.json()));
                } else {
                    self.printer.err(&format!("{failure}\n"));
                }
                self.exit = failure.exit_code();
                false
            }
        }
    }

    fn run(&mut self, words: &[String]) -> Result<Outcome, Failure> {
        let Some(name) = words.first() else {
            return Err(Failure::unknown("No command entered"));
        };
        match name.as_str() {
            "quit" => {
                self.disconnect();
                self.finished = true;
                return Ok(Outcome::default());
            }
            "close" => {
                self.disconnect();
                return Ok(Outcome::default());
            }
            "help" => return Ok(Outcome::text(usage())),
            "redo" if words.len() > 1 => return self.redo(&words[1]),
            "redo" => {}
            "history" => return Ok(self.show_history()),
            "printwatches" => return Ok(self.print_watches(words.get(1))),
            "connect" => {
                let servers = words.get(1).unwrap_or(&self.servers).clone();
                self.connect(&servers).map_err(|e| Failure::client(e, ""))?;
                return Ok(Outcome::default());
            }
            _ => {}
        }
        let Some(command) = Command::find(name) else {
            if name == "redo" {
                return Ok(Outcome::default());
            }
            return Err(Failure::unknown(&format!(
                "Command not found: Command not found {name}"
            )));
        };
        let Some(client) = self.client().map(Arc::clone) else {
            if let Some(why) = self.client.as_ref().and_then(|client| client.refusal()) {
                return Err(Failure::client(why, ""));
            }
            return Ok(Outcome::text("Not connected\n"));
        };
        command.run(&client, words)
    }

    fn redo(&mut self, number: &str) -> Result<Outcome, Failure> {
        let index = number.parse::<usize>().ok();
        // The line that says redo is in the history already.
        let last = self.history.len().saturating_sub(1);
        let Some(line) = index.filter(|i| *i < last).map(|i| self.history[i].clone()) else {
            return Err(Failure::wrong("Command index out of range"));
        };
        let words = args::split(&line);
        if words.first().is_some_and(|w| w == "redo") {
            return Err(Failure::wrong("No redoing redos"));
        }
        if let Some(this) = self.history.last_mut() {
            *this = line;
        }
        self.run(&words)
    }

    fn show_history(&self) -> Outcome {
        let from = self.history.len().saturating_sub(11);
        let lines = self.history.iter().enumerate().skip(from);
        let mut out = String::new();
        for (i, line) in lines.clone() {
            out += &format!("{i} - {line}\n");
        }
        let json: Vec<_> = lines
            .map(|(i, l)| serde_json::json!({"number": i, "line": l}))
            .collect();
        Outcome::both(out, serde_json::json!({ "history": json }))
    }

    fn print_watches(&self, to: Option<&String>) -> Outcome {
        match to {
            Some(word) => {
                self.printer.watches.store(word == "on", Ordering::Relaxed);
                Outcome::default()
            }
            None => {
                let on = self.printer.watches.load(Ordering::Relaxed);
                let word = if on { "on" } else { "off" };
                let text = format!("printwatches is {word}\n");
                Outcome::both(text, serde_json::json!({ "printwatches": on }))
            }
        }
    }
}

/// What the file and the environment say about TLS and SASL; the text says what is wrong.
fn secure(cli: &mut Cli, file: Option<&Path>) -> Result<(), String> {
    let settings = client::settings(file).map_err(|wrong| wrong.to_string())?;
    cli.tls = client::tls(&settings).map_err(|wrong| wrong.to_string())?;
    let login = settings.sasl.as_ref().map(sasl::client_login).transpose();
    cli.sasl = login.map_err(|wrong| wrong.to_string())?;
    Ok(())
}

/// Runs `zabscope cli`.
pub fn run(options: &Options) -> ExitCode {
    let printer = Printer::new(Box::new(io::stdout()), Box::new(io::stderr()), options.json);
    let printer = Arc::new(printer);
    let mut words = options.words.clone();
    let servers = match &options.server {
        Some(servers) => servers.clone(),
        // The first word names servers unless it names a command.
        None if words
            .first()
            .is_some_and(|w| !commands::is_command(w) && looks_like_servers(w)) =>
        {
            words.remove(0)
        }
        None => "127.0.0.1:2181".to_owned(),
    };
    let mut cli = Cli::new(&servers, Arc::clone(&printer));
    cli.session_timeout = Duration::from_millis(u64::from(options.timeout));
    cli.read_only = options.readonly;
    if let Err(wrong) = secure(&mut cli, options.client_configuration.as_deref()) {
        printer.err(&format!("{wrong}\n"));
        return ExitCode::from(2);
    }
    cli.one_shot = !words.is_empty();
    if !cli.one_shot && !options.json {
        printer.out(&format!("Connecting to {servers}\n"));
    }
    if let Err(e) = cli.connect(&servers) {
        printer.err(&format!("{}\n", Failure::client(e, "")));
        return ExitCode::from(2);
    }
    if cli.one_shot {
        cli.words(&words);
        cli.disconnect();
        return ExitCode::from(cli.exit);
    }
    if !options.json {
        printer.out("Welcome to ZooKeeper!\n");
    }
    if io::stdin().is_terminal() && io::stdout().is_terminal() {
        shell::edit(&mut cli);
    } else {
        for line in io::stdin().lines().map_while(Result::ok) {
            cli.line(&line);
            if cli.finished {
                break;
            }
        }
    }
    cli.disconnect();
    ExitCode::from(cli.exit)
}

/// A connect string rather than a mistyped command.
fn looks_like_servers(word: &str) -> bool {
    !word.starts_with('-')
        && (word.contains([':', '.', ',']) || word == "localhost")
        && ClientOptions::parse(word).is_ok()
}

#[cfg(test)]
mod tests;

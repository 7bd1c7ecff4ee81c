//! The interactive shell: a line editor with history, and completion of commands and paths.

use super::{Cli, commands};
use crate::client::Client;
use rustyline::{
    CompletionType, Config, Context, Editor, Helper,
    completion::{Completer, Pair},
    error::ReadlineError,
    highlight::Highlighter,
    hint::Hinter,
    history::FileHistory,
    validate::Validator,
};
use std::{
    env, fs,
    path::PathBuf,
    sync::{Arc, PoisonError, Weak},
};

/// How many names are offered at most.
const OFFERED: usize = 200;

/// Completes the first word to a command, and every later one that begins with `/` to a path.
pub(super) struct Words {
    /// Not its owner: `connect` may end it.
    pub client: Weak<Client>,
}

impl Words {
    /// What the word that ends at `pos` may become, and where it begins.
    pub fn offer(&self, line: &str, pos: usize) -> (usize, Vec<String>) {
        let before = line.get(..pos).unwrap_or(line);
        let start = before.rfind(char::is_whitespace).map_or(0, |at| at + 1);
        let word = &before[start..];
        if before[..start].trim().is_empty() {
            let fit = commands::names().filter(|name| name.starts_with(word));
            return (start, fit.map(str::to_owned).collect());
        }
        let Some((parent, stem)) = word.rsplit_once('/').filter(|_| word.starts_with('/')) else {
            return (start, Vec::new());
        };
        let of = if parent.is_empty() { "/" } else { parent };
        let client = self.client.upgrade().filter(|c| c.state().is_connected());
        let children = client.and_then(|c| c.get_children(of, false).ok());
        let names = children.map(|(names, _)| names).unwrap_or_default();
        let fit = names.iter().filter(|name| name.starts_with(stem));
        (
            start,
            fit.take(OFFERED)
                .map(|name| format!("{parent}/{name}"))
                .collect(),
        )
    }
}

impl Completer for Words {
    type Candidate = Pair;

    fn complete(
        &self,
        line: &str,
        pos: usize,
        _: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<Pair>)> {
        let (start, words) = self.offer(line, pos);
        let pair = |word: String| Pair {
            display: word.clone(),
            replacement: word,
        };
        Ok((start, words.into_iter().map(pair).collect()))
    }
}

impl Helper for Words {}

impl Hinter for Words {
    type Hint = String;
}

impl Highlighter for Words {}

impl Validator for Words {}

/// Where lines are remembered: `zabscope` in XDG_STATE_HOME or in `.local/state` of HOME.
fn history_file() -> Option<PathBuf> {
    let state = env::var_os("XDG_STATE_HOME").map(PathBuf::from);
    let home = || env::var_os("HOME").map(|h| PathBuf::from(h).join(".local/state"));
    let base = state.filter(|p| p.is_absolute()).or_else(home)?;
    Some(base.join("zabscope/cli-history"))
}

type Above = Box<dyn rustyline::ExternalPrinter + Send>;

/// Events are printed above the line while one is edited.
fn set_above(cli: &Cli, above: Option<Above>) {
    *cli.printer
        .above
        .lock()
        .unwrap_or_else(PoisonError::into_inner) = above;
}

/// Reads lines and runs them until `quit` or the end of input.
pub(super) fn edit(cli: &mut Cli) {
    let config = Config::builder()
        .completion_type(CompletionType::List)
        .auto_add_history(false)
        .build();
    let editor = Editor::<Words, FileHistory>::with_config(config);
    let mut editor = match editor {
        Ok(editor) => editor,
        Err(e) => {
            cli.printer
                .err(&format!("no line editor on this terminal: {e}\n"));
            return;
        }
    };
    let file = history_file();
    if let Some(file) = &file {
        // The first time there is none.
        let _ = editor.load_history(file);
    }
    while !cli.is_finished() {
        let client = cli.client().map(Arc::downgrade).unwrap_or_default();
        editor.set_helper(Some(Words { client }));
        let above = editor.create_external_printer().ok();
        set_above(cli, above.map(|a| Box::new(a) as Above));
        let line = editor.readline(&cli.prompt());
        set_above(cli, None);
        match line {
            Ok(line) => {
                // Passwords do not belong in a file.
                if !line.trim_start().starts_with("addauth") {
                    // A line that can't be remembered can still be run.
                    let _ = editor.add_history_entry(&line);
                }
                cli.line(&line);
            }
            Err(ReadlineError::Interrupted) => {}
            Err(ReadlineError::Eof) => break,
            Err(e) => {
                cli.printer.err(&format!("the terminal is gone: {e}\n"));
                break;
            }
        }
    }
    if let Some(file) = &file {
        let made = file.parent().map(fs::create_dir_all).unwrap_or(Ok(()));
        if let Err(e) = made
            .map_err(ReadlineError::from)
            .and_then(|()| editor.save_history(file))
        {
            cli.printer.err(&format!(
                "{}: the history can't be kept: {e}\n",
                file.display()
            ));
        }
    }
}

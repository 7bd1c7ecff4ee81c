//! `cargo xtask test`: the parts, in the order in which they find mistakes soonest. A part that fails
//! does not stop the others.

mod outcome;
mod parts;

use std::time::Instant;

use anyhow::Result;

use crate::process::{human, say};
pub use parts::{node_script, serve_beside};

use outcome::Outcome;

/// Something that is tested.
struct Part {
    name: &'static str,
    /// It belongs to what a developer runs every few minutes.
    quick: bool,
    run: fn() -> Result<Outcome>,
}

const fn quick(name: &'static str, run: fn() -> Result<Outcome>) -> Part {
    Part {
        name,
        quick: true,
        run,
    }
}

const fn full(name: &'static str, run: fn() -> Result<Outcome>) -> Part {
    Part {
        name,
        quick: false,
        run,
    }
}

const PARTS: &[Part] = &[
    quick("format", parts::format),
    quick("clippy", parts::clippy),
    full("clippy, core without simulator", parts::clippy_core_alone),
    full("clippy, wasm32", parts::clippy_wasm),
    full("licences", parts::licences),
    full("documentation", parts::documentation),
    full("native tests", parts::native),
    full("servers killed under load", parts::kills),
    full("wasm tests in Node", parts::wasm_in_node),
    full("wasm tests in the browser", parts::wasm_in_browser),
    full("page: build and size", parts::size),
    full("page: browser tests", parts::browser),
];

/// What also needs Java, a C compiler and Python packages.
const CLIENTS: Part = full("existing clients", parts::clients);

/// In place of the long native tests.
const QUICK_NATIVE: Part = quick("native tests, quick", parts::native_quick);

/// Runs all parts, or the quick ones, and with `clients` those of other people's clients; true if nothing
/// failed.
pub fn run(only_quick: bool, clients: bool) -> Result<bool> {
    let began = Instant::now();
    let parts: Vec<&Part> = if only_quick {
        PARTS
            .iter()
            .filter(|part| part.quick)
            .chain([&QUICK_NATIVE])
            .collect()
    } else {
        PARTS.iter().collect()
    };
    let parts = parts.into_iter().chain(clients.then_some(&CLIENTS));
    let mut rows = Vec::new();
    let mut total = Outcome::default();
    for part in parts {
        say(format_args!("=== {}", part.name));
        let part_began = Instant::now();
        let outcome = (part.run)().unwrap_or_else(|error| {
            println!("error: {error:#}");
            Outcome::FAILURE
        });
        total += outcome;
        rows.push((part.name, outcome, part_began.elapsed()));
    }
    println!(
        "\n{:32} {:>7} {:>7} {:>7} {:>9}",
        "part", "passed", "failed", "skipped", "seconds"
    );
    for (
        name,
        Outcome {
            passed,
            failed,
            skipped,
        },
        took,
    ) in rows
    {
        let mark = if failed > 0 { "  FAILED" } else { "" };
        println!(
            "{name:32} {passed:>7} {failed:>7} {skipped:>7} {:>9.1}{mark}",
            took.as_secs_f32()
        );
    }
    println!("in {}\n", human(began.elapsed()));
    println!("{total}");
    Ok(total.failed == 0)
}

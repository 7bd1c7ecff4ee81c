//! Plays every lesson headless and says what it found; `-v` prints every fact, `--bless` writes the
//! traces that `tests/traces.rs` compares with, natively and on wasm32.
#![allow(clippy::disallowed_methods)] // a tool at the shell

use std::process::ExitCode;
use zabscope_lessons::{Lang, Player, catalogue, check, labels, load};

fn main() -> ExitCode {
    let mut code = ExitCode::SUCCESS;
    let mut traces = String::new();
    for entry in catalogue() {
        let Some(lesson) = load(entry.name) else {
            continue;
        };
        match lesson.and_then(|l| check(&l)) {
            Ok(report) => {
                traces.push_str(&format!("{} {:016x}\n", entry.name, report.trace_hash));
                println!(
                    "{}: {} claims hold, {} forks, trace {:016x}, steps {:?}",
                    entry.text(Lang::En).title,
                    report.claims(),
                    report.forks,
                    report.trace_hash,
                    report.steps
                );
            }
            Err(e) => {
                println!("{e}");
                code = ExitCode::FAILURE;
            }
        }
        if std::env::args().any(|a| a == "-v") {
            print(entry.name);
        }
    }
    if code == ExitCode::SUCCESS && std::env::args().any(|a| a == "--bless") {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/traces.txt");
        if let Err(e) = std::fs::write(path, traces) {
            println!("{path}: {e}");
            code = ExitCode::FAILURE;
        }
    }
    code
}

fn print(name: &str) {
    let Some(Ok(lesson)) = load(name) else { return };
    let Ok((mut player, mut history)) = Player::start(lesson) else {
        return;
    };
    loop {
        println!(
            "-- {} {:?} {:?}",
            player.link(),
            player.status(),
            labels(&player)
        );
        for s in history.world().servers() {
            let p = s
                .peer
                .map(|p| (p.state(), p.round(), p.last_logged(), p.current_epoch()));
            println!(
                "   server {} {:?} {:?} disk {:?} {:?}",
                s.id,
                s.status,
                p,
                s.disk.last_zxid(),
                s.disk.current_epoch()
            );
        }
        let from = history.records().len();
        let done = player.play_out(&mut history);
        for r in history.records().iter().skip(from) {
            let text = format!("{:?}", r.source);
            if !["Received", "VoteRecorded", "DiskSynced", "Ping", "Touched"]
                .iter()
                .any(|w| text.contains(w))
            {
                println!("{:5} {:?} {text}", r.step, r.at);
            }
        }
        if done.is_err() || !matches!(player.next(&mut history), Ok(true)) {
            println!("   {done:?}");
            break;
        }
    }
}

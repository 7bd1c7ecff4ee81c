//! `zabscope simulate`: a seed, faults, clients, and every property checked after every step.

use clap::Args;
use serde::Serialize;
use std::{
    io::{self, BufWriter, Write},
    process::ExitCode,
    time::Instant,
};
use zabscope_core::sim::{
    Checker, Exported, FaultPlan, Plan, Random, Repeat, Rules, Run, Schedule, Search, Stage, Tally,
    Violation, Wanted,
    report::{self, Standing},
};

/// What to simulate.
#[derive(Args)]
pub struct Options {
    /// Decides everything: timings, faults, what clients do.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many seeds to run, one after the other.
    #[arg(long, default_value_t = 1)]
    runs: u64,
    /// Steps of each run; a step is one input to one server.
    #[arg(long, default_value_t = 10_000, conflicts_with = "search")]
    steps: u64,
    /// Which faults: all, none, or a list of crash, cut, partition, pause, slow-disk, slow-link,
    /// client, lose-disk, reconfig, each with an optional rate such as crash=3. With reconfig clients
    /// change the members.
    #[arg(long, default_value = "all", value_parser = FaultPlan::parse, conflicts_with = "search")]
    faults: FaultPlan,
    /// Voters.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u8).range(1..=9))]
    servers: u8,
    /// Observers.
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=4))]
    observers: u8,
    /// Clients at a time.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(0..=64), conflicts_with = "search")]
    clients: u16,
    #[arg(long, default_value = "", value_parser = Rules::parse, help = format!(
        "Switch rules of the protocol off, to see what each is for: a list of {}", Rules::names()
    ))]
    without: Rules,
    /// A fault that repeats: crash=5000/2000 crashes the leader every 5000 ms and restarts it 2000 ms
    /// later, pause@3=4000/500 pauses server 3; also cut and slow-disk. May be given more than once.
    #[arg(long)]
    repeat: Vec<Repeat>,
    /// Random faults that are part of the world: crash,pause=1500/7 is about every 1500 ms, by seed 7.
    #[arg(long)]
    random: Option<Random>,
    /// Search so many schedules for a violation instead, and shorten the first that is found. What clients
    /// and faults do there, and how long a schedule is, the search chooses.
    #[arg(long, value_name = "SCHEDULES")]
    search: Option<u64>,
    /// With --search: do not stop at what only says in other words that a rule is off.
    #[arg(long, requires = "search")]
    consequences: bool,
    /// The default timings; otherwise the seed draws them too.
    #[arg(long)]
    plain: bool,
    /// Do not check the properties.
    #[arg(long, conflicts_with = "search")]
    no_invariants: bool,
    /// Print the result as JSON, with the run as the page reads it.
    #[arg(long)]
    json: bool,
    /// Print every fact, one line each.
    #[arg(long, conflicts_with = "search")]
    trace: bool,
}

/// The result of one run.
#[derive(Serialize)]
struct Outcome {
    seed: u64,
    trace_hash: String,
    tally: Tally,
    /// How many properties were checked after every step.
    properties: usize,
    steps_per_second: u64,
    violation: Option<Violation>,
    repeat: String,
    /// Only of a run that is shown alone or that failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    run: Option<Exported>,
}

/// Runs it; exit code 1 when a property does not hold, 2 when the plan is impossible.
pub fn run(options: &Options) -> ExitCode {
    match print(options) {
        Ok(code) => code,
        // Nobody reads on: not our failure.
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("zabscope: {e}");
            ExitCode::from(2)
        }
    }
}

fn print(options: &Options) -> io::Result<ExitCode> {
    let mut out = BufWriter::new(io::stdout().lock());
    let mut violations = 0;
    let last = options.seed.saturating_add(options.runs.max(1) - 1);
    let began = Instant::now();
    for seed in options.seed..=last {
        let plan = Plan {
            seed,
            steps: options.steps,
            servers: options.servers,
            observers: options.observers,
            clients: options.clients,
            faults: options.faults.clone(),
            plain: options.plain,
            rules: options.without,
            schedule: Schedule {
                repeat: options.repeat.clone(),
                random: options.random,
            },
        };
        if let Some(schedules) = options.search {
            let found = search(options, &plan, schedules, &mut out)?;
            violations += u64::from(found);
            out.flush()?;
            continue;
        }
        let outcome = one(options, plan, &mut out)?;
        violations += u64::from(outcome.violation.is_some());
        if options.json {
            serde_json::to_writer(&mut out, &outcome)?;
            writeln!(out)?;
        } else {
            summary(&outcome, &mut out)?;
        }
        out.flush()?;
    }
    if options.runs > 1 && !options.json {
        writeln!(
            out,
            "{} seeds, {violations} with a violation, in {:.1} s",
            options.runs,
            began.elapsed().as_secs_f64()
        )?;
    }
    out.flush()?;
    Ok(ExitCode::from(u8::from(violations > 0)))
}

/// Searches; whether something was found.
fn search(
    options: &Options,
    plan: &Plan,
    schedules: u64,
    out: &mut impl Write,
) -> io::Result<bool> {
    let wanted = Wanted {
        setup: plan.setup(),
        seed: plan.seed,
        schedules,
        consequences: options.consequences,
    };
    let mut search = Search::new(wanted).map_err(io::Error::other)?;
    let progress = loop {
        let progress = search.run(1_000_000);
        if !matches!(progress.stage, Stage::Looking | Stage::Shortening { .. }) {
            break progress;
        }
    };
    if options.json {
        serde_json::to_writer(&mut *out, &progress)?;
        writeln!(out)?;
        return Ok(matches!(progress.stage, Stage::Found(_)));
    }
    let (tried, steps) = (progress.schedules, progress.steps);
    match progress.stage {
        Stage::Found(found) => {
            writeln!(
                out,
                "seed {}: {} after {tried} schedules, {steps} steps\n  {} actions, step {}\n{}",
                plan.seed,
                found.violation.property,
                found.run.actions.len(),
                found.run.steps,
                found.violation,
            )?;
            writeln!(out, "{}", found.run.to_json())?;
            Ok(true)
        }
        Stage::Looking | Stage::Shortening { .. } | Stage::Nothing => {
            let seed = plan.seed;
            writeln!(
                out,
                "seed {seed}: nothing found in {tried} schedules, {steps} steps"
            )?;
            Ok(false)
        }
    }
}

fn one(options: &Options, plan: Plan, out: &mut impl Write) -> io::Result<Outcome> {
    let checker = if options.no_invariants {
        Checker::empty()
    } else {
        Checker::all()
    };
    let properties = checker.properties().len();
    let repeat = plan.command();
    let seed = plan.seed;
    let mut run = Run::new(plan, checker).map_err(io::Error::other)?;
    let mut written = Ok(());
    let began = Instant::now();
    let result = run.run(&mut |world, log| {
        if options.trace && written.is_ok() {
            written = log.records.iter().try_for_each(|record| {
                let standing = Standing::of(world, record.id().server);
                writeln!(out, "{}", report::line(record, standing))
            });
        }
    });
    let seconds = began.elapsed().as_secs_f64().max(1e-9);
    written?;
    let tally = run.tally();
    let violation = result.err().map(|v| *v);
    if let (Some(violation), false) = (&violation, options.json) {
        write!(out, "{}", run.report(violation))?;
    }
    Ok(Outcome {
        seed,
        trace_hash: format!("{:016x}", run.world().trace_hash()),
        tally,
        properties,
        steps_per_second: (tally.steps as f64 / seconds) as u64,
        run: (violation.is_some() || options.runs == 1).then(|| run.export()),
        violation,
        repeat,
    })
}

fn summary(outcome: &Outcome, out: &mut impl Write) -> io::Result<()> {
    let Outcome {
        seed,
        trace_hash,
        tally: t,
        properties,
        steps_per_second,
        violation,
        ..
    } = outcome;
    writeln!(
        out,
        "seed {seed}: {} in {} steps, {}.{:03} s of virtual time, trace {trace_hash}; \
         {properties} properties after each step, {steps_per_second} steps/s",
        if violation.is_some() {
            "VIOLATION"
        } else {
            "ok"
        },
        t.steps,
        t.virtual_us / 1_000_000,
        t.virtual_us / 1000 % 1000,
    )?;
    writeln!(
        out,
        "  {} leaders in {} elections, {} committed, {} crashes, {} other faults, {} messages lost, \
         {} logs cut, {} trees replaced",
        t.leaders,
        t.elections,
        t.committed,
        t.crashes,
        t.other_faults,
        t.lost,
        t.truncated,
        t.snapshots_installed,
    )?;
    writeln!(
        out,
        "  {} requests answered, {} stale reads, {} watch events, {} sessions expired",
        t.answered, t.stale_reads, t.watch_events, t.expired,
    )
}

//! A run with faults and clients, checked after every step: what `zabscope simulate` and the seed
//! tests do.

use crate::{
    peer::event::EventKind,
    quorum::QuorumRule,
    rules::Rules,
    sim::{
        client::{ClientState, ClientView},
        fact::{Fact, StepLog, WorldEventKind},
        fault::{FaultPlan, Faults, swarm},
        history::Exported,
        invariant::{Checker, Invariant, Step, Violation},
        report::{self, Trace},
        schedule::Schedule,
        setup::{Action, Setup, TimedAction},
        workload::Workload,
        world::{ServerStatus, SetupError, World},
    },
    time::{Moment, Span},
};
use serde::Serialize;

/// What to run. Two runs of the same plan are the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Feeds the world, the faults and the clients.
    pub seed: u64,
    /// Steps with faults.
    pub steps: u64,
    /// Voters.
    pub servers: u8,
    /// Observers.
    pub observers: u8,
    /// Clients at a time.
    pub clients: u16,
    /// Which faults.
    pub faults: FaultPlan,
    /// The default timings instead of [`swarm`]'s.
    pub plain: bool,
    /// Rules of the protocol that hold.
    pub rules: Rules,
    /// Faults that the world makes by itself, besides `faults`.
    pub schedule: Schedule,
}

impl Plan {
    /// A run of this seed with all faults: five servers, three clients.
    #[must_use]
    pub fn of_seed(seed: u64, steps: u64) -> Plan {
        Plan {
            seed,
            steps,
            servers: 5,
            observers: 0,
            clients: 3,
            faults: FaultPlan::all(),
            plain: false,
            rules: Rules::ALL,
            schedule: Schedule::default(),
        }
    }

    /// The world that it begins with.
    #[must_use]
    pub fn setup(&self) -> Setup {
        let mut setup = match self.plain {
            true => Setup {
                seed: self.seed,
                voters: self.servers,
                observers: self.observers,
                ..Setup::default()
            },
            false => swarm(self.seed, self.servers, self.observers),
        };
        if self.faults.reconfigures() {
            // Who can't lead must not be left to lead: any of them may be the last.
            setup.leader_serves = true;
            setup.reconfig = true;
            // Only a majority system changes by members that join and leave.
            setup.rule = QuorumRule::Majority;
        }
        setup.rules = self.rules;
        setup.faults = self.schedule.clone();
        setup
    }

    /// The command that repeats it.
    #[must_use]
    pub fn command(&self) -> String {
        let mut command = format!(
            "zabscope simulate --seed {} --steps {} --faults {} --servers {} --observers {} --clients {}",
            self.seed, self.steps, self.faults, self.servers, self.observers, self.clients
        );
        if self.plain {
            command.push_str(" --plain");
        }
        if !self.rules.all_hold() {
            command.push_str(&format!(" --without {}", self.rules));
        }
        for repeat in &self.schedule.repeat {
            command.push_str(&format!(" --repeat {repeat}"));
        }
        if let Some(random) = &self.schedule.random {
            command.push_str(&format!(" --random {random}"));
        }
        command
    }
}

/// What happened, in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Steps taken.
    pub steps: u64,
    /// Virtual time at the end, in µs.
    pub virtual_us: u64,
    /// Facts.
    pub facts: u64,
    /// Times a server began to look for a leader.
    pub elections: u64,
    /// Leaders established.
    pub leaders: u64,
    /// Transactions committed.
    pub committed: u64,
    /// Servers crashed.
    pub crashes: u64,
    /// Links cut, partitions, pauses, slow disks and links.
    pub other_faults: u64,
    /// Messages lost.
    pub lost: u64,
    /// Logs cut by TRUNC.
    pub truncated: u64,
    /// Trees replaced by SNAP.
    pub snapshots_installed: u64,
    /// Requests answered.
    pub answered: u64,
    /// Reads that showed less than was committed.
    pub stale_reads: u64,
    /// Watch events received.
    pub watch_events: u64,
    /// Sessions expired.
    pub expired: u64,
}

impl Tally {
    fn note(&mut self, log: &StepLog) {
        self.facts += log.records.len() as u64;
        for record in &log.records {
            match &record.source {
                Fact::Peer(event) => match &event.kind {
                    EventKind::ElectionStarted { .. } => self.elections += 1,
                    EventKind::Established { .. } => self.leaders += 1,
                    EventKind::Committed { .. } => self.committed += 1,
                    EventKind::LogTruncated { count, .. } if *count > 0 => self.truncated += 1,
                    EventKind::SnapshotInstalled { .. } => self.snapshots_installed += 1,
                    EventKind::SessionExpired { .. } => self.expired += 1,
                    _ => {}
                },
                Fact::World(event) => match &event.kind {
                    WorldEventKind::Crashed { .. } => self.crashes += 1,
                    WorldEventKind::LinkCut { .. }
                    | WorldEventKind::DirectionCut { .. }
                    | WorldEventKind::Partitioned { .. }
                    | WorldEventKind::Paused { .. }
                    | WorldEventKind::DiskLost { .. } => self.other_faults += 1,
                    WorldEventKind::LinkSlowed { extra, .. }
                    | WorldEventKind::DiskSlowed { extra, .. }
                        if *extra > Span(0) =>
                    {
                        self.other_faults += 1;
                    }
                    WorldEventKind::MessageLost { .. } => self.lost += 1,
                    WorldEventKind::ReplyReceived { .. } => self.answered += 1,
                    WorldEventKind::StaleRead { .. } => self.stale_reads += 1,
                    WorldEventKind::WatchReceived { .. } => self.watch_events += 1,
                    _ => {}
                },
            }
        }
    }
}

/// A run under way.
pub struct Run {
    plan: Plan,
    world: World,
    log: StepLog,
    faults: Faults,
    workload: Workload,
    actions: Vec<TimedAction>,
    checker: Checker,
    trace: Trace,
    tally: Tally,
}

/// Facts that a violation shows.
const TRACE: usize = 60;

impl Run {
    /// A run before its first step, checked by these.
    ///
    /// # Errors
    /// The plan's setup is out of bounds.
    pub fn new(plan: Plan, checker: Checker) -> Result<Run, SetupError> {
        let setup = plan.setup();
        Run::of_setup(plan, &setup, checker)
    }

    /// The same in another world than the plan's own.
    ///
    /// # Errors
    /// The setup is out of bounds.
    pub fn of_setup(plan: Plan, setup: &Setup, mut checker: Checker) -> Result<Run, SetupError> {
        checker.reset();
        Ok(Run {
            world: World::new(setup)?,
            log: StepLog::default(),
            faults: Faults::new(plan.faults.clone(), plan.seed),
            workload: Workload::new(plan.seed, plan.clients),
            actions: Vec::new(),
            checker,
            trace: Trace::new(TRACE),
            tally: Tally::default(),
            plan,
        })
    }

    /// The world now.
    #[must_use]
    pub fn world(&self) -> &World {
        &self.world
    }

    /// What happened, in numbers.
    #[must_use]
    pub fn tally(&self) -> Tally {
        Tally {
            steps: self.world.steps(),
            virtual_us: self.world.now().0,
            ..self.tally
        }
    }

    /// The run so far, to be opened in the page.
    #[must_use]
    pub fn export(&self) -> Exported {
        Exported::of(
            self.world.setup().clone(),
            self.actions.clone(),
            self.world.steps(),
            Some(self.world.trace_hash()),
        )
    }

    /// A violation as text.
    #[must_use]
    pub fn report(&self, violation: &Violation) -> String {
        report::violation(violation, &self.trace, &self.plan.command())
    }

    /// Runs all planned steps, then ends all faults and waits until every server serves again.
    /// `each` sees every step and every action.
    ///
    /// # Errors
    /// A property that does not hold.
    pub fn run(&mut self, each: &mut dyn FnMut(&World, &StepLog)) -> Result<(), Box<Violation>> {
        while self.world.steps() < self.plan.steps {
            while let Some(action) = self.faults.next(&self.world) {
                self.act(action, each)?;
            }
            while let Some(action) = self.workload.next(&self.world) {
                self.act(action, each)?;
            }
            if !self.step(each)? {
                // Everything is down: time goes on only for the faults to end.
                self.end_faults(each)?;
            }
        }
        self.recover(each)
    }

    fn end_faults(&mut self, each: &mut dyn FnMut(&World, &StepLog)) -> Result<(), Box<Violation>> {
        let plan = self.plan.faults.clone();
        self.faults.stop();
        while let Some(action) = self.faults.next(&self.world) {
            self.act(action, each)?;
        }
        self.faults.resume(plan);
        Ok(())
    }

    /// All faults end; then every server must serve again within [`PATIENCE`].
    fn recover(&mut self, each: &mut dyn FnMut(&World, &StepLog)) -> Result<(), Box<Violation>> {
        self.faults.stop();
        while let Some(action) = self.faults.next(&self.world) {
            self.act(action, each)?;
        }
        let mut heal = vec![Action::HealAll];
        if !self.world.schedule().is_empty() {
            let schedule = Schedule::default();
            heal.insert(0, Action::SetFaults { schedule });
        }
        for server in self.world.servers() {
            let id = server.id;
            match server.status {
                ServerStatus::Down => heal.push(Action::Restart { server: id }),
                ServerStatus::Paused => heal.push(Action::Resume { server: id }),
                ServerStatus::Up | ServerStatus::NotStarted => {}
            }
        }
        for action in heal {
            self.act(action, each)?;
        }
        let until = self.world.now() + PATIENCE;
        while !self.all_serve() {
            if self.world.now() > until || !self.step(each)? {
                return Err(Box::new(self.stuck()));
            }
        }
        self.write_once(until, each)
    }

    /// A client writes, and is answered.
    fn write_once(
        &mut self,
        until: Moment,
        each: &mut dyn FnMut(&World, &StepLog),
    ) -> Result<(), Box<Violation>> {
        let timeout_ms = self.world.setup().tick.times(20).as_millis() as i32;
        self.act(
            Action::AddClient {
                server: None,
                timeout_ms,
            },
            each,
        )?;
        // As many clients as there may be, have been: one of them, if any is left.
        let over =
            |c: &ClientView<'_>| matches!(c.state, ClientState::Expired | ClientState::Closed);
        let Some(client) = self
            .world
            .clients()
            .filter(|c| !over(c))
            .last()
            .map(|c| c.no)
        else {
            return Ok(());
        };
        let before = self.tally.committed;
        self.act(Action::Load { client, writes: 1 }, each)?;
        while self.tally.committed == before
            || self
                .world
                .client(client)
                .is_some_and(|c| !over(&c) && c.load > 0)
        {
            if self.world.now() > until || !self.step(each)? {
                return Err(Box::new(self.stuck()));
            }
        }
        Ok(())
    }

    fn stuck(&self) -> Violation {
        let step = Step {
            look: &self.world,
            log: &self.log,
            deliveries: &[],
        };
        let mut violation = Violation::new(&Recovers, &step);
        for server in self.world.servers() {
            if let Some(peer) = server.peer {
                violation = violation.with(
                    &format!("server {}", server.id),
                    format!(
                        "{:?}, {:?}, leader {:?}, serving {}, last {:?}",
                        peer.state(),
                        peer.phase(),
                        peer.leader(),
                        peer.serving(),
                        peer.last_logged()
                    ),
                );
            }
        }
        violation
    }

    fn all_serve(&self) -> bool {
        self.world
            .servers()
            .all(|s| s.peer.is_some_and(crate::peer::Peer::serving))
    }

    fn act(
        &mut self,
        action: Action,
        each: &mut dyn FnMut(&World, &StepLog),
    ) -> Result<(), Box<Violation>> {
        let step = self.world.steps();
        if self.world.act(&action, &mut self.log).is_ok() {
            self.actions.push(TimedAction { step, action });
            self.after(each)?;
        }
        Ok(())
    }

    fn step(&mut self, each: &mut dyn FnMut(&World, &StepLog)) -> Result<bool, Box<Violation>> {
        let happened = self.world.step(&mut self.log);
        if happened {
            self.after(each)?;
        }
        Ok(happened)
    }

    fn after(&mut self, each: &mut dyn FnMut(&World, &StepLog)) -> Result<(), Box<Violation>> {
        self.trace.note(&self.world, &self.log);
        self.tally.note(&self.log);
        each(&self.world, &self.log);
        self.checker.check(&self.world, &self.log).map_err(Box::new)
    }
}

/// How long an ensemble without faults may take until all servers serve, in virtual time: the
/// longest pause between notifications (60 s) and a few rounds of initLimit.
const PATIENCE: Span = Span::millis(300_000);

/// Liveness: when all faults have ended, all servers serve again.
struct Recovers;

impl Invariant for Recovers {
    fn name(&self) -> &'static str {
        "recovers"
    }
    fn sentence(&self) -> &'static str {
        "When all faults have ended, every server serves again and a client's write is committed, \
         within 300 s."
    }
    fn source(&self) -> &'static str {
        "liveness; ZooKeeper.md 2.6, 3.7"
    }
    fn check(&mut self, _: &Step<'_>) -> Result<(), Violation> {
        Ok(())
    }
    fn reset(&mut self) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::History;

    /// Holds until the first commit: a planted fault.
    #[derive(Default)]
    struct NothingIsCommitted;

    impl Invariant for NothingIsCommitted {
        fn name(&self) -> &'static str {
            "nothing-is-committed"
        }
        fn sentence(&self) -> &'static str {
            "Nothing is ever committed."
        }
        fn source(&self) -> &'static str {
            "planted"
        }
        fn check(&mut self, step: &Step<'_>) -> Result<(), Violation> {
            let committed = step.events().find_map(|(server, kind)| match kind {
                EventKind::Committed { zxid, .. } => Some((server, *zxid)),
                _ => None,
            });
            match committed {
                None => Ok(()),
                Some((server, zxid)) => Err(Violation::new(self, step)
                    .with("server", server)
                    .with("zxid", zxid)),
            }
        }
        fn reset(&mut self) {}
    }

    fn planted(seed: u64) -> (Run, Violation) {
        let checker = Checker::new(vec![Box::new(NothingIsCommitted)]);
        let mut run = Run::new(Plan::of_seed(seed, 3000), checker).expect("a plan");
        let violation = run.run(&mut |_, _| ()).expect_err("it is committed");
        (run, *violation)
    }

    #[test]
    fn a_violation_is_told_with_seed_step_property_values_trace_and_command() {
        let (run, violation) = planted(4);
        let text = run.report(&violation);
        let step = violation.step;
        for part in [
            "VIOLATION of nothing-is-committed (planted)".to_owned(),
            format!("seed 4, step {step}, at "),
            format!("zxid: {}", violation.values[1].1),
            "Committed zxid=".to_owned(),
            "repeat: zabscope simulate --seed 4 --steps 3000 --faults all --servers 5 \
             --observers 0 --clients 3"
                .to_owned(),
        ] {
            assert!(text.contains(&part), "{part}\nis not in\n{text}");
        }
    }

    #[test]
    fn the_command_says_which_rules_are_off_and_what_repeats() {
        let plan = Plan {
            rules: Rules::parse("quorum, durable-ack").expect("rules"),
            schedule: Schedule {
                repeat: vec!["crash=5000/2000".parse().expect("a repeating fault")],
                random: Some("crash,pause=1500/7".parse().expect("random faults")),
            },
            ..Plan::of_seed(3, 100)
        };
        let command = plan.command();
        for part in [
            " --without quorum,durable-ack",
            " --repeat crash=5000/2000",
            " --random crash,pause=1500/7",
        ] {
            assert!(command.contains(part), "{part} is not in {command}");
        }
        assert_eq!(plan.setup().rules, plan.rules);
        assert_eq!(plan.setup().faults, plan.schedule);
    }

    #[test]
    fn with_a_rule_off_a_run_is_a_violation_and_with_a_schedule_it_recovers() {
        let off = Plan {
            rules: Rules::parse("durable-ack").expect("a rule"),
            plain: true,
            ..Plan::of_seed(1, 500)
        };
        let mut run = Run::new(off, Checker::all()).expect("a plan");
        let violation = run.run(&mut |_, _| ()).expect_err("an ACK too early");
        assert_eq!(violation.property, "durable-acks");
        assert!(run.report(&violation).contains("--without durable-ack"));
        let kept = Plan {
            faults: FaultPlan::none(),
            schedule: Schedule {
                repeat: vec!["crash@2=700/300".parse().expect("a repeating fault")],
                random: None,
            },
            ..Plan::of_seed(2, 2000)
        };
        let mut run = Run::new(kept, Checker::all()).expect("a plan");
        if let Err(violation) = run.run(&mut |_, _| ()) {
            panic!("{}", run.report(&violation));
        }
        assert!(run.tally().crashes > 1, "{:?}", run.tally());
    }

    #[test]
    fn a_violation_repeats() {
        assert_eq!(planted(5).1, planted(5).1);
    }

    #[test]
    fn a_run_that_failed_opens_in_the_page_at_the_moment_of_the_failure() {
        let (run, violation) = planted(6);
        let imported = History::import(&run.export()).expect("our own run");
        assert_eq!(imported.mismatch, None);
        assert_eq!(imported.history.cursor(), violation.step);
        let last = imported.history.log();
        assert!(
            last.peer_events()
                .any(|e| matches!(e.kind, EventKind::Committed { .. }))
        );
    }

    #[test]
    fn ensembles_with_faults_keep_every_property_and_recover() {
        for seed in 0..40 {
            let plan = Plan {
                servers: 3 + (seed % 3) as u8,
                observers: (seed % 2) as u8,
                ..Plan::of_seed(seed, 2500)
            };
            let mut run = Run::new(plan, Checker::all()).expect("a plan");
            if let Err(violation) = run.run(&mut |_, _| ()) {
                panic!("{}", run.report(&violation));
            }
            let tally = run.tally();
            assert!(tally.leaders > 0 && tally.committed > 0, "{tally:?}");
        }
    }
}

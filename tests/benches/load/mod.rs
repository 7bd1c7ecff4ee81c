//! The load that both benchmarks measure.

use zabscope_core::sim::{Action, Checker, ClientNo, Setup, StepLog, World};

/// Steps in one measurement.
pub const STEPS: u64 = 20_000;
/// Steps before it: elected, established, connected.
const WARM_UP: u64 = 2_000;

/// An ensemble at work.
pub struct Load {
    world: World,
    log: StepLog,
    checker: Option<Checker>,
}

impl Load {
    /// Five servers with two clients that write without a break, after the warm-up; with every
    /// invariant checked or none. A checker judges whole runs, so it sees the warm-up too.
    pub fn new(checked: bool) -> Load {
        let mut world = World::new(&Setup::default()).expect("the default setup");
        let mut log = StepLog::default();
        for client in 1..=2 {
            let act = [
                Action::AddClient {
                    server: None,
                    timeout_ms: 30_000,
                },
                Action::Load {
                    client: ClientNo(client),
                    writes: 1_000_000,
                },
            ];
            for action in act {
                world.act(&action, &mut log).expect("this can be done");
            }
        }
        let mut load = Load {
            world,
            log,
            checker: checked.then(Checker::all),
        };
        load.steps(WARM_UP);
        load
    }

    /// [`STEPS`] steps.
    pub fn go(&mut self) -> u64 {
        self.steps(STEPS);
        self.world.trace_hash()
    }

    fn steps(&mut self, count: u64) {
        for _ in 0..count {
            assert!(self.world.step(&mut self.log), "there is always more to do");
            if let Some(checker) = &mut self.checker
                && let Err(violation) = checker.check(&self.world, &self.log)
            {
                panic!("{violation:?}");
            }
        }
    }
}

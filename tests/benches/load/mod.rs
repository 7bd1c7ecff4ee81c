//! The load that both benchmarks measure.

use zabscope_core::sim::{Action, Checker, ClientNo, Setup, StepLog, World};

/// Steps in one measurement.
pub const STEPS: u64 = 20_000;
/// Steps before it: elected, established, connected.
const WARM_UP: u64 = 2_000;

/// An ensemble at work.
pub struct Load {
    world: World,
}

/// One measurement.
pub struct Measured {
    world: World,
    log: StepLog,
    checker: Option<Checker>,
}

impl Load {
    /// Five servers with two clients that write without a break.
    pub fn new() -> Load {
        let setup = Setup::default();
        let mut world = World::new(&setup).expect("the default setup");
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
        for _ in 0..WARM_UP {
            world.step(&mut log);
        }
        Load { world }
    }

    /// A measurement from here, checked or not.
    pub fn begin(&self, checked: bool) -> Measured {
        Measured {
            world: self.world.clone(),
            log: StepLog::default(),
            checker: checked.then(Checker::all),
        }
    }
}

impl Measured {
    /// [`STEPS`] steps.
    pub fn go(&mut self) -> u64 {
        for _ in 0..STEPS {
            assert!(self.world.step(&mut self.log), "there is always more to do");
            if let Some(checker) = &mut self.checker
                && let Err(violation) = checker.check(&self.world, &self.log)
            {
                panic!("{violation:?}");
            }
        }
        self.world.trace_hash()
    }
}

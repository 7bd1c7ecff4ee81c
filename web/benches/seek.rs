//! How long it takes to be at a random moment of a run with fifty thousand events, and how much memory the
//! run takes: `cargo xtask bench seek`. VISUAL.md's goals are 50 ms at p95 and 150 MB in all; beyond them
//! this fails.
//!
//! What is measured is what the page does besides drawing: the world at that moment, what is told there,
//! the stage's scene, the diagram's picture.
// An allocator can only be watched from inside, and only unsafe code can be one.
#![allow(unsafe_code)]

#[cfg(not(target_arch = "wasm32"))]
fn main() -> std::process::ExitCode {
    native::main()
}

/// A page is not measured without a browser: see tests/browser/bench.mjs.
#[cfg(target_arch = "wasm32")]
fn main() {}

#[cfg(not(target_arch = "wasm32"))]
mod native {
    use std::{
        alloc::{GlobalAlloc, Layout, System},
        process::ExitCode,
        sync::atomic::{AtomicUsize, Ordering},
        time::Instant,
    };
    use zabscope_core::sim::{self, ClientNo, History, Setup};
    use zabscope_web::{
        scene::{
            diagram::{AXIS, LANE, View, picture},
            place::Frame,
            read, scene,
        },
        state::{Action, State, run::Run},
        text::Lang,
    };

    /// So many events the run has.
    const EVENTS: usize = 50_000;
    /// So many moments are visited.
    const MOMENTS: usize = 1000;
    /// What the page promises.
    const P95_MS: f64 = 50.0;
    const MEGABYTES: f64 = 150.0;

    struct Counting;

    static HELD: AtomicUsize = AtomicUsize::new(0);
    static MOST: AtomicUsize = AtomicUsize::new(0);

    // SAFETY: all is handed on to the system's allocator as it comes; the counters need no memory.
    unsafe impl GlobalAlloc for Counting {
        unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
            let held = HELD.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
            MOST.fetch_max(held, Ordering::Relaxed);
            // SAFETY: as our caller promises.
            unsafe { System.alloc(layout) }
        }

        unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
            HELD.fetch_sub(layout.size(), Ordering::Relaxed);
            // SAFETY: as our caller promises.
            unsafe { System.dealloc(at, layout) }
        }
    }

    #[global_allocator]
    static ALLOCATOR: Counting = Counting;

    fn megabytes(bytes: &AtomicUsize) -> f64 {
        bytes.load(Ordering::Relaxed) as f64 / 1_000_000.0
    }

    /// Eight clients write without a break; every few thousand steps the leader crashes and comes back.
    fn long_run() -> State {
        let mut history = History::new(&Setup::default()).expect("the default world");
        let go = |history: &mut History, steps: u64| {
            for _ in 0..steps {
                history.step().expect("there is always more to do");
            }
        };
        let act = |history: &mut History, action| {
            history.act(action).expect("it is possible");
        };
        go(&mut history, 400);
        for client in 1..=8 {
            let add = sim::Action::AddClient {
                server: None,
                timeout_ms: 30_000,
            };
            act(&mut history, add);
            let load = sim::Action::Load {
                client: ClientNo(client),
                writes: 1_000_000,
            };
            act(&mut history, load);
        }
        while history.records().len() < EVENTS {
            go(&mut history, 4000);
            let leads = history
                .world()
                .servers()
                .find(|s| s.peer.is_some_and(|p| p.leading().is_some() && p.serving()));
            if let Some(server) = leads.map(|s| s.id) {
                let lose_unsynced = true;
                act(
                    &mut history,
                    sim::Action::Crash {
                        server,
                        lose_unsynced,
                    },
                );
                go(&mut history, 600);
                act(&mut history, sim::Action::Restart { server });
            }
        }
        State::new(Run::of(history))
    }

    /// Everything that is computed for a picture of the page.
    fn look(state: &State) -> usize {
        let run = state.run.get();
        let records = run.history().records();
        let told = state.focus.and_then(|i| records.get(i)).map(|r| r.id());
        let sight = read::sight(
            run.world(),
            records.last(read::RECORDS),
            told,
            &state.selection,
        );
        let stage = scene(&sight, &state.selection, Lang::En, Frame::WIDE);
        let index = run.diagram();
        let now = run.world().now().0 as f64;
        let view = View {
            from: now - 300_000.0,
            to: now + 60_000.0,
            width: 1000.0,
            height: AXIS + LANE * index.lanes().len() as f64,
        };
        let whole = View {
            from: 0.0,
            to: index.end() as f64,
            ..view
        };
        stage.servers.len()
            + picture(&index, &view, false, &[]).shapes()
            + picture(&index, &whole, false, &[]).shapes()
    }

    fn percentile(sorted: &[f64], part: f64) -> f64 {
        sorted[((sorted.len() - 1) as f64 * part) as usize]
    }

    pub fn main() -> ExitCode {
        let began = Instant::now();
        let mut state = long_run();
        let (events, steps, shapes) = {
            let run = state.run.get();
            (run.len(), run.history().end(), look(&state))
        };
        println!(
            "{events} events in {steps} steps, made in {:.1} s; {shapes} shapes",
            began.elapsed().as_secs_f64()
        );
        println!("memory of the run: {:.1} MB", megabytes(&HELD));
        let mut random = 0x2545_f491_4f6c_dd1d_u64;
        let (mut went, mut looked) = (Vec::new(), Vec::new());
        for _ in 0..MOMENTS {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            let step = random % (steps + 1);
            let began = Instant::now();
            state.apply(Action::Goto(step));
            let there = began.elapsed().as_secs_f64() * 1000.0;
            let shapes = look(&state);
            assert!(shapes > 0, "there is something to be seen");
            assert_eq!(state.run.get().history().cursor(), step);
            went.push(there);
            looked.push(began.elapsed().as_secs_f64() * 1000.0);
        }
        let (mut p95, most) = (0.0, megabytes(&MOST));
        for (name, times) in [("to be there", &mut went), ("and to look", &mut looked)] {
            times.sort_by(f64::total_cmp);
            p95 = percentile(times, 0.95);
            println!(
                "{name}: p50 {:.2} ms, p95 {p95:.2} ms, most {:.2} ms",
                percentile(times, 0.5),
                percentile(times, 1.0)
            );
        }
        println!("most memory at any time: {most:.1} MB");
        if p95 > P95_MS || most > MEGABYTES {
            eprintln!("more than {P95_MS} ms at p95 or {MEGABYTES} MB");
            return ExitCode::FAILURE;
        }
        ExitCode::SUCCESS
    }
}

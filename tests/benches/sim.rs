//! How many steps per second the simulator takes, natively: five servers, two clients that write
//! without a break, no faults; without invariants and with all of them.

#[cfg(not(target_arch = "wasm32"))]
#[path = "load/mod.rs"]
mod load;

#[cfg(not(target_arch = "wasm32"))]
fn main() {
    use criterion::{BatchSize, Criterion, Throughput};
    use load::{Load, STEPS};

    let mut criterion = Criterion::default().configure_from_args().sample_size(20);
    let mut group = criterion.benchmark_group("5 servers, write load, steps");
    group.throughput(Throughput::Elements(STEPS));
    for (name, checked) in [("without invariants", false), ("with all invariants", true)] {
        group.bench_function(name, |b| {
            b.iter_batched(
                || Load::new(checked),
                |mut load| load.go(),
                BatchSize::LargeInput,
            );
        });
    }
    group.finish();
    criterion.final_summary();
}

/// criterion is native; see sim_wasm.rs.
#[cfg(target_arch = "wasm32")]
fn main() {}

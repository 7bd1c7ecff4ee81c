//! The same load as benches/sim.rs, as WebAssembly under Node.js: `cargo xtask bench sim`.

#[cfg(target_arch = "wasm32")]
#[path = "load/mod.rs"]
mod load;

#[cfg(target_arch = "wasm32")]
mod measure {
    use crate::load::{Load, STEPS};
    use wasm_bindgen_test::{console_log, wasm_bindgen_test};

    /// Rounds; the median counts.
    const ROUNDS: usize = 7;

    /// The best clock that Node.js has, in ms.
    fn now() -> f64 {
        let global = js_sys::global();
        let performance = js_sys::Reflect::get(&global, &"performance".into());
        let now =
            performance.and_then(|p| js_sys::Reflect::get(&p, &"now".into()).map(|now| (p, now)));
        match now {
            Ok((performance, now)) => js_sys::Function::from(now)
                .call0(&performance)
                .ok()
                .and_then(|ms| ms.as_f64())
                .unwrap_or_else(js_sys::Date::now),
            Err(_) => js_sys::Date::now(),
        }
    }

    /// Prints steps per second, without invariants and with all of them.
    #[wasm_bindgen_test]
    fn steps_per_second() {
        for (name, checked) in [("without invariants", false), ("with all invariants", true)] {
            let mut rates: Vec<f64> = (0..ROUNDS)
                .map(|_| {
                    let mut load = Load::new(checked);
                    let began = now();
                    load.go();
                    STEPS as f64 * 1000.0 / (now() - began)
                })
                .collect();
            rates.sort_by(f64::total_cmp);
            console_log!(
                "wasm, 5 servers, write load, {name}: {:.0} steps/s (median of {ROUNDS})",
                rates[ROUNDS / 2]
            );
        }
    }
}

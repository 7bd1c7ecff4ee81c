//! The same lesson leads to the same trace natively and on wasm32: both are compared with one file.
//! After a change of the protocol or the simulator: `cargo run -p zabscope-lessons --example check --
//! --bless`.

use zabscope_lessons::{catalogue, check, load};

#[cfg_attr(not(target_arch = "wasm32"), test)]
#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
fn lessons_leave_the_traces_that_were_recorded() {
    let mut found = String::new();
    for entry in catalogue() {
        let lesson = load(entry.name)
            .expect("it is there")
            .expect("it can be read");
        let report = check(&lesson).unwrap_or_else(|e| panic!("{e}"));
        found.push_str(&format!("{} {:016x}\n", entry.name, report.trace_hash));
    }
    assert_eq!(
        found,
        include_str!("traces.txt"),
        "if the protocol or the simulator was changed on purpose: cargo run -p zabscope-lessons --example check -- --bless"
    );
}

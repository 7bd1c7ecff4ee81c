#![no_main]

libfuzzer_sys::fuzz_target!(
    init: zabscope_fuzz::sow("snapshot"),
    |bytes: &[u8]| zabscope_fuzz::run("snapshot", bytes)
);

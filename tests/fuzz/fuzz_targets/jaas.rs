#![no_main]

libfuzzer_sys::fuzz_target!(
    init: zabscope_fuzz::sow("jaas"),
    |bytes: &[u8]| zabscope_fuzz::run("jaas", bytes)
);

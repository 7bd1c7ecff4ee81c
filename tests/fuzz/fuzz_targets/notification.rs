#![no_main]

libfuzzer_sys::fuzz_target!(
    init: zabscope_fuzz::sow("notification"),
    |bytes: &[u8]| zabscope_fuzz::run("notification", bytes)
);

#![no_main]

libfuzzer_sys::fuzz_target!(
    init: zabscope_fuzz::sow("members"),
    |bytes: &[u8]| zabscope_fuzz::run("members", bytes)
);

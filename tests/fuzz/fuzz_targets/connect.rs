#![no_main]

libfuzzer_sys::fuzz_target!(
    init: zabscope_fuzz::sow("connect"),
    |bytes: &[u8]| zabscope_fuzz::run("connect", bytes)
);

#![no_main]

libfuzzer_sys::fuzz_target!(
    init: zabscope_fuzz::sow("sasl"),
    |bytes: &[u8]| zabscope_fuzz::run("sasl", bytes)
);

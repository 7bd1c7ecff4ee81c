#![no_main]

libfuzzer_sys::fuzz_target!(
    init: zabscope_fuzz::sow("txn"),
    |bytes: &[u8]| zabscope_fuzz::run("txn", bytes)
);

#![no_main]

libfuzzer_sys::fuzz_target!(
    init: zabscope_fuzz::sow("txn_log"),
    |bytes: &[u8]| zabscope_fuzz::run("txn_log", bytes)
);

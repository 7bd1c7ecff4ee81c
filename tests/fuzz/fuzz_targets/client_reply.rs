#![no_main]

libfuzzer_sys::fuzz_target!(
    init: zabscope_fuzz::sow("client_reply"),
    |bytes: &[u8]| zabscope_fuzz::run("client_reply", bytes)
);

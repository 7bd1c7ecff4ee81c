#![no_main]

libfuzzer_sys::fuzz_target!(
    init: zabscope_fuzz::sow("http_head"),
    |bytes: &[u8]| zabscope_fuzz::run("http_head", bytes)
);

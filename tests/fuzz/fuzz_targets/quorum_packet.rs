#![no_main]

libfuzzer_sys::fuzz_target!(
    init: zabscope_fuzz::sow("quorum_packet"),
    |bytes: &[u8]| zabscope_fuzz::run("quorum_packet", bytes)
);

#![no_main]

libfuzzer_sys::fuzz_target!(
    init: zabscope_fuzz::sow("zoo_cfg"),
    |bytes: &[u8]| zabscope_fuzz::run("zoo_cfg", bytes)
);

//! Any bytes into the entry `frame`.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| picket_tests::entry::frame::run(bytes));

//! Any bytes into the entry `config`.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| picket_tests::entry::config::run(bytes));

//! Any bytes into the entry `snapshot`.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| picket_tests::entry::snapshot::run(bytes));

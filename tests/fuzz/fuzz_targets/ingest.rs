//! Any bytes into the entry `ingest`.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| picket_tests::entry::ingest::run(bytes));

//! Any bytes into the entry `spool`.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| picket_tests::entry::spool::run(bytes));

//! Any bytes into the entry `rpc`.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| picket_tests::entry::rpc::run(bytes));

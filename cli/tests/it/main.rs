//! The `picket` binary as people and programs run it: one test program, so that it is linked once.

#![expect(
    clippy::unwrap_used,
    reason = "a test's helper that can't go on fails at that place, like the test itself"
)]

mod collector;
mod ground;
mod offline;
mod up;

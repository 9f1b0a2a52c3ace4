//! The programs under test in one binary, for the tests beside it: `__collector`, `__agent`, `__listen`.

use std::process::ExitCode;

fn main() -> ExitCode {
    picket_tests::rig::role().unwrap_or_else(|| {
        eprintln!("error: this binary is for the tests. Say __collector, __agent or __listen.");
        ExitCode::from(64)
    })
}

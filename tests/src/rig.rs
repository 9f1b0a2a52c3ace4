//! Real processes for tests and benches: collector, agent, a small server to watch, an operator, a scripted agent.
//!
//! The test binaries carry the programs' library mains and re-execute themselves as them ([`role`]), so that a test
//! needs no other build and runs exactly the code under test. Every wait has a deadline and waits for a line, a
//! connection or an answer, never for time to pass. A started process is ended when its handle is dropped.

pub mod account;
pub mod client;
pub mod clock;
pub mod ends;
pub mod files;
pub mod listen;
pub mod private_systemd;
pub mod process;
pub mod relay;
pub mod scripted;
pub mod stack;
pub mod way;

use std::ffi::OsString;
use std::hash::{BuildHasher as _, RandomState};
use std::process::ExitCode;

/// Runs this process as one of the programs, if its first argument names one: `__collector`, `__agent`, `__listen`.
pub fn role() -> Option<ExitCode> {
    let mut args = std::env::args_os();
    let program = args.next().unwrap_or_default();
    let role = args.next()?;
    let rest: Vec<OsString> = std::iter::once(program).chain(args).collect();
    match role.to_str()? {
        "__collector" => Some(picket_collector::cli::main(rest)),
        "__agent" => Some(picket_agent::cli::main(rest.into_iter())),
        "__listen" => Some(listen::main(&rest)),
        _ => None,
    }
}

/// The seed that `PICKET_SEED` gives, or one of chance; whoever asks prints it.
pub fn seed() -> u64 {
    let given = std::env::var("PICKET_SEED").ok().and_then(|seed| seed.parse().ok());
    given.unwrap_or_else(|| RandomState::new().hash_one(std::process::id()))
}

/// Says by name that a test can't run here, in the form that CI counts.
pub fn cannot_run_here(name: &str, reason: &str) {
    println!("cannot run here: {name}: {reason}");
}

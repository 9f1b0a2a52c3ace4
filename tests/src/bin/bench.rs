//! `bench NAME|all`: prints figures as JSON lines. Names: respawn, watch, ingest, restart, idle, size.
//!
//! `--quick` takes a short span for the figures at rest and a small journal for `restart` (a share for CI), `--gib N`
//! a journal of that size, `--agent PATH` measures that binary at
//! rest, as `cross/size.sh` builds it. Build with `--release`: other builds print figures of no meaning.

use picket_tests::bench::{idle, ingest, respawn, restart, watch};
use std::process::{Command, ExitCode};
use std::time::Duration;

const NAMES: [&str; 6] = ["respawn", "watch", "ingest", "restart", "idle", "size"];

fn main() -> ExitCode {
    if let Some(code) = picket_tests::rig::role() {
        return code;
    }
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let (mut name, mut span, mut agent, mut journal) = (None, Duration::from_secs(60), None, 2_u64 << 30);
    let mut rest = words.as_slice();
    while let [word, after @ ..] = rest {
        rest = after;
        match (*word, after) {
            ("--quick", _) => (span, journal) = (Duration::from_secs(6), 64 << 20),
            ("--gib", [count, after @ ..]) => {
                let Some(bytes) = count.parse::<u64>().ok().filter(|count| (1..=100).contains(count)) else {
                    return usage(count);
                };
                journal = bytes << 30;
                rest = after;
            }
            ("--agent", [path, after @ ..]) => {
                agent = Some(std::ffi::OsString::from(path));
                rest = after;
            }
            (word, _) if NAMES.contains(&word) || word == "all" => name = Some(word),
            (word, _) => return usage(word),
        }
    }
    let Some(name) = name else { return usage("nothing") };
    let Ok(program) = std::env::current_exe() else { return ExitCode::FAILURE };
    for one in NAMES.into_iter().filter(|known| name == "all" || name == *known) {
        match one {
            "respawn" => respawn::run(program.as_os_str()),
            "watch" => watch::run(program.as_os_str()),
            "ingest" => ingest::run(program.as_os_str()),
            "restart" => restart::run(program.as_os_str(), journal),
            "idle" => idle::run(program.as_os_str(), agent.as_deref(), span),
            _ => return size(),
        }
    }
    ExitCode::SUCCESS
}

/// The static agent's size, as the script builds and prints it.
fn size() -> ExitCode {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../cross/size.sh");
    match Command::new(script).status() {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(_) | Err(_) => ExitCode::FAILURE,
    }
}

fn usage(word: &str) -> ExitCode {
    eprintln!(
        "error: {word} is no bench. Say one of {} or all, and --quick, --gib N (1 to 100) or --agent PATH.",
        NAMES.join(", ")
    );
    ExitCode::from(64)
}

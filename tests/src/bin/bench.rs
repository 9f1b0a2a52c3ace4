//! `bench NAME|all`: prints figures as JSON lines. Names: respawn, units, watch, ingest, restart, idle,
//! storm, metered, size.
//!
//! `--quick` takes a short span for the figures at rest and a small journal for `restart` (a share for CI), `--gib N`
//! a journal of that size, `--agent PATH` measures that binary at
//! rest, as `cross/size.sh` builds it, `--minutes N` has `metered` also watch for so long with nothing scaled. Build with `--release`: other builds print figures of no meaning.

use picket_tests::bench::{idle, ingest, metered, respawn, restart, storm, units, watch};
use std::ffi::{OsStr, OsString};
use std::process::{Command, ExitCode};
use std::time::Duration;

const NAMES: [&str; 9] =
    ["respawn", "units", "watch", "ingest", "restart", "idle", "storm", "metered", "size"];

/// What was asked for.
struct Asked {
    span: Duration,
    agent: Option<OsString>,
    journal: u64,
    quick: bool,
    /// Within the namespaces that `metered` makes.
    inside: bool,
    minutes: u64,
}

fn main() -> ExitCode {
    if let Some(code) = picket_tests::rig::role() {
        return code;
    }
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let (name, asked) = match parse(&words) {
        Ok(parsed) => parsed,
        Err(word) => return usage(word),
    };
    let Ok(program) = std::env::current_exe() else { return ExitCode::FAILURE };
    for one in NAMES.into_iter().filter(|known| name == "all" || name == *known) {
        let code = measure(one, program.as_os_str(), &asked);
        if code != ExitCode::SUCCESS {
            return code;
        }
    }
    ExitCode::SUCCESS
}

/// The bench and its options, or the word that is none.
fn parse<'w>(words: &[&'w str]) -> Result<(&'w str, Asked), &'w str> {
    let mut asked = Asked {
        span: Duration::from_secs(60),
        agent: None,
        journal: 2 << 30,
        quick: false,
        inside: false,
        minutes: 0,
    };
    let within = |count: &str, most| count.parse::<u64>().ok().filter(|count| (1..=most).contains(count));
    let (mut name, mut rest) = (None, words);
    while let [word, after @ ..] = rest {
        rest = after;
        match (*word, after) {
            ("--quick", _) => {
                (asked.quick, asked.span, asked.journal) = (true, Duration::from_secs(6), 64 << 20);
            }
            ("--inside", _) => asked.inside = true,
            ("--minutes", [count, after @ ..]) => {
                (asked.minutes, rest) = (within(count, 10_000).ok_or(*count)?, after);
            }
            ("--gib", [count, after @ ..]) => {
                (asked.journal, rest) = (within(count, 100).ok_or(*count)? << 30, after);
            }
            ("--agent", [path, after @ ..]) => (asked.agent, rest) = (Some(OsString::from(path)), after),
            (word, _) if NAMES.contains(&word) || word == "all" => name = Some(word),
            (word, _) => return Err(word),
        }
    }
    Ok((name.ok_or("nothing")?, asked))
}

fn measure(name: &str, program: &OsStr, asked: &Asked) -> ExitCode {
    match name {
        "respawn" => respawn::run(program),
        "units" => units::run(program),
        "watch" => watch::run(program),
        "ingest" => ingest::run(program),
        "restart" => restart::run(program, asked.journal),
        "idle" => idle::run(program, asked.agent.as_deref(), asked.span),
        "storm" => {
            let span = if asked.minutes > 0 { Duration::from_secs(asked.minutes * 60) } else { asked.span };
            storm::run(program, asked.agent.as_deref(), span);
        }
        "metered" if asked.inside => metered::inside(program, asked.minutes, asked.quick),
        "metered" => return metered::run(program, asked.minutes, asked.quick),
        _ => return size(),
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
        "error: {word} is no bench. Say one of {} or all, and --quick, --gib N (1 to 100), --minutes N or --agent PATH.",
        NAMES.join(", ")
    );
    ExitCode::from(64)
}

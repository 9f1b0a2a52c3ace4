//! `foreign --target NAME --agent FILE [-- EMULATOR ARGUMENT ...]`: an agent built for another processor, in a session with a
//! collector of this machine; one JSON line. See `picket_tests::foreign`; `cross/session.sh` calls it.
//!
//! The exit status is 1 if the incident did not end well, 64 for a wrong word, and that of a panic if something did not come.

use picket_tests::foreign;
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    if let Some(code) = picket_tests::rig::role() {
        return code;
    }
    let words: Vec<String> = std::env::args().skip(1).collect();
    let (words, through) = match words.iter().position(|word| word == "--") {
        Some(at) => (&words[..at], &words[at + 1..]),
        None => (&words[..], &[][..]),
    };
    let [first, target, second, agent] = words else { return usage() };
    if first != "--target" || second != "--agent" {
        return usage();
    }
    let Ok(program) = std::env::current_exe() else { return ExitCode::FAILURE };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let seen = runtime.expect("the kernel gives a runtime").block_on(foreign::run(
        program.as_os_str(),
        through,
        Some(Path::new(agent)),
    ));
    let ms = |span: std::time::Duration| u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
    let well = seen.outcome.contains("recovered, verified");
    let seconds = (seen.all.as_secs_f64() * 10.0).round() / 10.0;
    println!(
        "{}",
        serde_json::json!({
            "target": target, "session": seen.outcome, "well": well, "seconds": seconds, "ready_ms": ms(seen.ready),
            "healed_ms": ms(seen.healed), "timeline": seen.timeline,
        })
    );
    if well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn usage() -> ExitCode {
    eprintln!("error: say foreign --target NAME --agent FILE [-- EMULATOR ARGUMENT ...]");
    ExitCode::from(64)
}

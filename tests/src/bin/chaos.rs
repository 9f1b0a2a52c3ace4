//! `chaos [--runs N] [--seed S] [--jobs J]`: N runs from seed S on; prints one JSON line. See `picket_tests::chaos`.
//!
//! The exit status is 1 if anything did not hold; every violation names its seed, and `--runs 1 --seed S` does its
//! faults again.

use picket_tests::chaos::{self, Plan, Report};
use std::process::ExitCode;
use std::thread;

fn main() -> ExitCode {
    if let Some(code) = picket_tests::rig::role() {
        return code;
    }
    let args: Vec<String> = std::env::args().skip(1).collect();
    let Some([runs, seed, jobs]) = numbers(&args) else {
        eprintln!("error: say chaos [--runs N] [--seed S] [--jobs J], with whole numbers");
        return ExitCode::from(64);
    };
    let Ok(program) = std::env::current_exe() else { return ExitCode::FAILURE };
    println!("chaos: seeds {seed} to {}", seed + runs.saturating_sub(1));
    let workers = (0..jobs.clamp(1, 16)).map(|job| {
        let program = program.clone();
        thread::spawn(move || {
            (seed + job..seed + runs).step_by(step(jobs)).map(|seed| one(&program, seed)).collect::<Vec<_>>()
        })
    });
    let workers: Vec<_> = workers.collect();
    let (mut all, mut broken) = (Report::default(), 0);
    for worker in workers {
        match worker.join() {
            Ok(reports) => reports.into_iter().for_each(|report| add(&mut all, report)),
            Err(_it_has_said_why) => broken += 1,
        }
    }
    for violation in &all.violations {
        println!("violation: {violation}");
    }
    let faults: serde_json::Map<_, _> =
        Plan::KINDS.iter().zip(all.faults).map(|(kind, count)| ((*kind).to_owned(), count.into())).collect();
    println!(
        "{}",
        serde_json::json!({
            "chaos": "runs", "seed": seed, "runs": runs, "faults": faults, "frames_told": all.told,
            "frames_late": all.late, "numbers_in_gaps": all.lost, "violations": all.violations.len(),
            "runs_broken_off": broken,
        })
    );
    if all.violations.is_empty() && broken == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn step(jobs: u64) -> usize {
    usize::try_from(jobs.clamp(1, 16)).unwrap_or(1)
}

fn one(program: &std::path::Path, seed: u64) -> Report {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("the kernel gives a runtime").block_on(chaos::run(program.as_os_str(), seed))
}

fn add(all: &mut Report, report: Report) {
    for (sum, count) in all.faults.iter_mut().zip(report.faults) {
        *sum += count;
    }
    all.told += report.told;
    all.late += report.late;
    all.lost += report.lost;
    all.violations.extend(report.violations);
}

/// Runs, seed, jobs; `None` if a word is not one of them.
fn numbers(args: &[String]) -> Option<[u64; 3]> {
    let mut numbers = [10, 1, 1];
    for pair in args.chunks(2) {
        let [word, number] = pair else { return None };
        let at = ["--runs", "--seed", "--jobs"].iter().position(|known| known == word)?;
        numbers[at] = number.parse().ok()?;
    }
    Some(numbers)
}

//! `entries [--seconds N] [--seed S] [--jobs J] [NAME..|all]`: runs entries with made inputs, see `picket_tests::entry`;
//! `entries --input FILE NAME` or `entries --hex BYTES NAME` runs one on that input, `entries --seed S --case N NAME` on
//! that of one case.
//!
//! Prints the seed first and a JSON line per entry at the end. The exit status is 1 where something did not hold; the
//! input that shows it is printed as hex, as small as it got.

use picket_tests::entry::cases::Cases;
use picket_tests::entry::runner::{self, Plan, Report};
use picket_tests::entry::{self, Entry};
use std::hash::{BuildHasher as _, RandomState};
use std::process::ExitCode;
use std::time::Duration;

/// The command line.
struct Asked {
    plan: Plan,
    input: Option<Vec<u8>>,
    case: Option<u64>,
    entries: Vec<Entry>,
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let asked = match read(&args) {
        Ok(asked) => asked,
        Err(wrong) => {
            eprintln!("error: {wrong}; say entries [--seconds N] [--seed S] [--jobs J] [NAME..|all]");
            eprintln!("or entries --input FILE|--hex BYTES NAME; names: {}", names());
            return ExitCode::from(64);
        }
    };
    if asked.input.is_some() || asked.case.is_some() {
        asked.entries.iter().for_each(|entry| once(*entry, &asked));
        println!("holds");
        return ExitCode::SUCCESS;
    }
    println!("seed {}", asked.plan.seed);
    let reports = runner::run(&asked.entries, asked.plan);
    reports.iter().for_each(|report| tell(report, asked.plan.seed));
    let holds = reports.iter().all(|report| report.failure.is_none());
    if holds { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// A failure's panic says itself what did not hold, and ends with status 101.
fn once(entry: Entry, asked: &Asked) {
    let made = asked.case.map(|case| Cases::new(entry, asked.plan.seed).input(case));
    let input = made.or_else(|| asked.input.clone()).unwrap_or_default();
    println!("{}", hex(&input));
    (entry.run)(&input);
}

fn names() -> String {
    entry::ALL.map(|entry| entry.name).join(", ")
}

fn tell(report: &Report, seed: u64) {
    let name = report.entry.name;
    if let Some(failure) = &report.failure {
        let hex = hex(&failure.input);
        println!("{name}: {}\n{name}: again with: entries --hex {hex} {name}", failure.why);
    }
    let line = serde_json::json!({
        "entry": name, "cases": report.cases, "seconds": report.took.as_secs(), "seed": seed,
        "failures": u8::from(report.failure.is_some()),
    });
    println!("{line}");
}

fn read(args: &[String]) -> Result<Asked, String> {
    let seed = RandomState::new().hash_one("entries");
    let jobs = std::thread::available_parallelism().map_or(1, usize::from);
    let plan = Plan { seed, time: Duration::from_secs(60), jobs };
    let mut asked = Asked { plan, input: None, case: None, entries: Vec::new() };
    let mut words = args.iter().map(String::as_str);
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
        match word {
            "--seconds" => asked.plan.time = Duration::from_secs(number(value()?)?),
            "--seed" => asked.plan.seed = number(value()?)?,
            "--case" => asked.case = Some(number(value()?)?),
            "--jobs" => asked.plan.jobs = number(value()?)? as usize,
            "--input" => {
                let file = value()?;
                asked.input = Some(std::fs::read(file).map_err(|error| format!("{file}: {error}"))?);
            }
            "--hex" => asked.input = Some(bytes(value()?).ok_or("that is no hex")?),
            "all" => asked.entries.extend(entry::ALL),
            name => asked.entries.push(entry::find(name).ok_or_else(|| format!("no entry {name}"))?),
        }
    }
    if asked.entries.is_empty() {
        asked.entries.extend(entry::ALL);
    }
    Ok(asked)
}

fn number(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("{text} is no whole number"))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    let pair = |at: usize| u8::from_str_radix(hex.get(at..at + 2)?, 16).ok();
    (0..hex.len()).step_by(2).map(pair).collect()
}

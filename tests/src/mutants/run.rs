//! One run of a built simulator over some seeds, with an end to its time: a planted bug may let a core spin for ever.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;
use std::{fs, thread};

/// What 4,000 seeds take on a slow and busy machine, three times.
const LIMIT: Duration = Duration::from_secs(15 * 60);

/// A simulator and the file for what it complains of.
#[derive(Debug)]
pub struct Run {
    sim: PathBuf,
    complaints: PathBuf,
}

/// What came of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ran {
    /// Nothing was violated.
    Passed,
    /// The lowest seed that failed.
    Failed {
        /// Which.
        seed: u64,
        /// In which scenario.
        scenario: String,
        /// What did not hold.
        violation: String,
    },
    /// It panicked or did not end, with one of the seeds: what it said last.
    Broke(String),
}

impl Run {
    /// Of this program.
    pub fn of(sim: PathBuf) -> Self {
        let complaints = sim.with_extension("complaints");
        Self { sim, complaints }
    }

    /// Runs `count` seeds from `first` on.
    ///
    /// # Errors
    /// When the program can't be run.
    pub fn seeds(&self, first: u64, count: u64) -> io::Result<Ran> {
        let mut sim = Command::new(&self.sim);
        sim.args(["--quick", "--seed", &first.to_string(), "--seeds", &count.to_string()]);
        sim.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(fs::File::create(&self.complaints)?);
        let mut child = sim.spawn()?;
        let Some(said) = said(&mut child) else {
            child.kill()?;
            child.wait()?;
            return Ok(Ran::Broke(format!("it did not end within {} s", LIMIT.as_secs())));
        };
        let ended = child.wait()?.code();
        Ok(match (failure(&said), ended) {
            (Some(failed), _) => failed,
            (None, Some(0)) => Ran::Passed,
            // A scenario that never did what it is about, for want of seeds.
            (None, Some(1)) => Ran::Passed,
            (None, _) => Ran::Broke(panic_of(&self.complaints)),
        })
    }
}

/// All that it says, or nothing where it says it for too long.
fn said(child: &mut Child) -> Option<String> {
    let mut out = child.stdout.take()?;
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        let mut text = String::new();
        let _what_is_not_text_is_no_report = out.read_to_string(&mut text);
        let _nobody_waits_any_more = tell.send(text);
    });
    told.recv_timeout(LIMIT).ok()
}

/// `violation: SCENARIO, seed N: WHAT`.
pub(super) fn failure(said: &str) -> Option<Ran> {
    said.lines().find_map(|line| {
        let (scenario, rest) = line.strip_prefix("violation: ")?.split_once(", seed ")?;
        let (seed, violation) = rest.split_once(": ")?;
        let (scenario, violation) = (scenario.to_owned(), violation.to_owned());
        Some(Ran::Failed { seed: seed.parse().ok()?, scenario, violation })
    })
}

fn panic_of(complaints: &Path) -> String {
    let text = fs::read_to_string(complaints).unwrap_or_default();
    let mut lines = text.lines().skip_while(|line| !line.contains("panicked"));
    let (place, words) = (lines.next().unwrap_or("it broke off"), lines.next().unwrap_or_default());
    format!("{place} {words}").trim().to_owned()
}

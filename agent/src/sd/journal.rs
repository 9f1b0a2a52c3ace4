//! The last words of a unit, from the journal: what its dead life printed, or else what systemd said of it.
//!
//! journalctl is run where systemd's log is (a library for it would double the agent's size), at most four at once, 2 s
//! and 16 KiB each. A life is found by its InvocationID, so that no other life is quoted; what its main process
//! printed goes before what its others did. Where no life began, systemd's own warnings about the unit of the last
//! minute tell why. journald takes lines in some milliseconds after they were printed, so a life that has said nothing is
//! asked for once more before systemd is quoted. Without journalctl, or without the right to read, there are no words, which is told once per run.
//!
//! An order of an operator's gets 40 lines of the same, without waiting for journald; an entry of several lines comes last line first.
//!
//! The newest life counts: where a unit ends again before its words came, those are not waited for any more.

use super::Told;
use crate::child::{Bounds, Places};
use crate::words;
use picket_agent_core::unit::{Collect, UnitIx};
use std::fmt::Write;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinSet};

/// journalctl's that run at once: a host on which many units end together has better things to do.
const PLACES: usize = 4;
/// Newest lines asked for: the last few tell, and some may be empty.
const LINES: usize = 8;
const BOUNDS: Bounds = Bounds { time: Duration::from_secs(2), bytes: 16 * 1024 };
/// How long journald is given to take in what was printed last.
const AGAIN: Duration = Duration::from_millis(100);

/// Whose journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Manager {
    System,
    /// A user's own: its units are named by other fields.
    User,
}

/// Reads the journal for units.
pub(super) struct Journal {
    manager: Manager,
    places: Places,
    readings: JoinSet<()>,
    /// The reading that is out, by unit.
    out: Vec<Option<AbortHandle>>,
    told: Arc<AtomicBool>,
}

impl Journal {
    pub(super) fn new(manager: Manager, units: usize) -> Self {
        let out = std::iter::repeat_with(|| None).take(units).collect();
        Self { manager, places: Places::new(PLACES), readings: JoinSet::new(), out, told: Arc::default() }
    }

    /// So many places for units from now on.
    pub(super) fn anew(&mut self, units: usize) {
        self.out.resize_with(units, || None);
    }

    /// Reads the last words of one life of a unit; they come over `facts`, empty where there are none.
    pub(super) fn collect(&mut self, (unit, name): (UnitIx, String), of: Collect, facts: mpsc::Sender<Told>) {
        while self.readings.try_join_next().is_some() {}
        let asked = Asked { manager: self.manager, name, of };
        let (places, told) = (self.places.clone(), Arc::clone(&self.told));
        let reading = self.readings.spawn(async move {
            let words = asked.words(&places).await;
            if words.is_none() && !told.swap(true, Ordering::Relaxed) {
                tracing::warn!(
                    unit = asked.name,
                    "the journal can't be read, so there are no last words of units"
                );
            }
            let words = Told::Words { unit, pid: asked.of.pid, text: words.unwrap_or_default() };
            let _loop_is_ending_when_nobody_listens = facts.send(words).await;
        });
        let before = self.out.get_mut(usize::from(unit)).and_then(|out| out.replace(reading));
        if let Some(before) = before {
            before.abort();
        }
    }
}

/// For orders: read beside what the core itself waits for, which it does not replace.
impl Journal {
    /// Reads what one life of a unit printed last; it comes over `facts`.
    pub(super) fn read(
        &mut self,
        (unit, name): (UnitIx, String),
        of: Collect,
        (token, facts): (u64, mpsc::Sender<Told>),
    ) {
        while self.readings.try_join_next().is_some() {}
        let asked = Asked { manager: self.manager, name, of };
        let places = self.places.clone();
        self.readings.spawn(async move {
            let text = asked.lines(&places).await;
            let _loop_is_ending_when_nobody_listens = facts.send(Told::Printed { unit, token, text }).await;
        });
    }
}

struct Asked {
    manager: Manager,
    name: String,
    of: Collect,
}

impl Asked {
    /// What is found first, most telling first; `None` if the journal can't be read.
    async fn words(&self, places: &Places) -> Option<String> {
        let mut found = String::new();
        let all = self.matches();
        // systemd's words are there at once and tell least: a life's own may come a moment later.
        let own = all.len().saturating_sub(1).max(1);
        for (wait, asked) in [(Duration::ZERO, own), (AGAIN, all.len())] {
            tokio::time::sleep(wait).await;
            for matches in all.iter().take(asked) {
                let printed = places.run(command(matches, LINES), BOUNDS).await?;
                found = words::last(&printed);
                if !found.is_empty() {
                    return Some(found);
                }
            }
        }
        Some(found)
    }

    /// All lines of what is found first, as many as are given to whoever asks; `None` if the journal can't be read.
    async fn lines(&self, places: &Places) -> Option<String> {
        for matches in self.matches() {
            let printed = places.run(command(&matches, words::ASKED_LINES), BOUNDS).await?;
            let found = words::lines(String::from_utf8_lossy(&printed).lines());
            if !found.is_empty() {
                return Some(found);
            }
        }
        Some(String::new())
    }

    /// What to ask for, in this order.
    fn matches(&self) -> Vec<Vec<String>> {
        let (by, unit) = match self.manager {
            Manager::System => ("_PID=1", "UNIT"),
            Manager::User => ("_COMM=systemd", "USER_UNIT"),
        };
        let name = &self.name;
        let warnings = ["--since=-1min", "--priority=warning", by].map(str::to_owned);
        let systemds: Vec<_> = warnings.into_iter().chain([format!("{unit}={name}")]).collect();
        if self.of.invocation == [0; 16] {
            return vec![systemds];
        }
        let life = format!("_SYSTEMD_INVOCATION_ID={}", hex(self.of.invocation));
        let main = (self.of.pid > 0).then(|| vec![life.clone(), format!("_PID={}", self.of.pid)]);
        main.into_iter().chain([vec![life], systemds]).collect()
    }
}

fn command(matches: &[String], lines: usize) -> Command {
    let mut command = Command::new("journalctl");
    command.args(["--quiet", "--no-pager", "--output=cat", "--reverse"]);
    command.arg(format!("--lines={lines}")).args(matches);
    command
}

fn hex(bytes: [u8; 16]) -> String {
    bytes.iter().fold(String::with_capacity(32), |mut hex, byte| {
        let _text_takes_everything = write!(hex, "{byte:02x}");
        hex
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(invocation: [u8; 16]) -> Vec<Vec<String>> {
        let of = Collect { pid: 7, invocation };
        Asked { manager: Manager::System, name: "web.service".to_owned(), of }.matches()
    }

    #[test]
    fn a_life_is_asked_for_by_its_number_and_its_main_process_first() {
        let asked = asked([0xab; 16]);
        let life = format!("_SYSTEMD_INVOCATION_ID={}", "ab".repeat(16));
        assert_eq!(asked[0], [life.clone(), "_PID=7".to_owned()]);
        assert_eq!(asked[1], [life]);
        assert!(asked[2].contains(&"UNIT=web.service".to_owned()), "then what systemd says");
    }

    #[test]
    fn where_no_life_began_only_systemd_is_quoted() {
        let asked = asked([0; 16]);
        assert_eq!(asked.len(), 1);
        assert!(asked[0].contains(&"_PID=1".to_owned()));
    }
}

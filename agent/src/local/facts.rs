//! What a person is told beside the core's state: how the link fared, and what the agent itself costs.
//!
//! Only noted for telling; nothing is decided by it. Costs are read from `/proc/self` when someone asks, and once at
//! the turn of a day (UTC), from which on its written bytes count.

use picket_proto::{Mono, Now, Span, Wall};

/// How the link fared in this run.
#[derive(Debug, Default)]
pub(crate) struct LinkFacts {
    /// The address that took the last session; empty before the first.
    pub(crate) address: String,
    /// Sessions that the collector took.
    pub(crate) sessions: u32,
    /// Streams that were lost or did not come to be.
    pub(crate) lost: u32,
    /// The latest of them: when, its code, its detail.
    pub(crate) trouble: Option<(Mono, &'static str, String)>,
}

impl LinkFacts {
    /// The collector took a session.
    pub(crate) fn opened(&mut self, address: &str) {
        address.clone_into(&mut self.address);
        self.sessions = self.sessions.saturating_add(1);
    }

    /// A stream was lost, or did not come to be.
    pub(crate) fn lost(&mut self, now: Mono, code: &'static str, detail: &str) {
        self.lost = self.lost.saturating_add(1);
        self.trouble = Some((now, code, detail.to_owned()));
    }
}

/// The configuration in force.
#[derive(Debug, Default)]
pub(crate) struct ConfigFacts {
    /// Its file.
    pub(crate) file: String,
    /// Since when it is in force.
    pub(crate) since: Wall,
    /// What is wrong with the file as it stands now.
    pub(crate) mistakes: Vec<String>,
    /// What it has that is not for this host.
    pub(crate) skipped: Vec<String>,
    /// Why it is not watched, if so.
    pub(crate) blind: Option<String>,
}

/// Bytes that this process gave to disks.
#[derive(Debug, Default)]
pub(super) struct Written {
    /// The day (UTC, since 1970) and what had been written when it began or the agent started.
    day: Option<(i64, u64)>,
    /// What threads beside the loop's wrote: the spool's and the state file's.
    beside: u64,
}

impl Written {
    /// Once per turn of the loop: notes where a day begins.
    pub(super) fn turn(&mut self, now: Now) {
        let day = now.wall.micros().div_euclid(86_400_000_000);
        if self.day.is_none_or(|(noted, _)| noted != day) {
            let before = if self.day.is_none() { 0 } else { self.total() };
            self.day = Some((day, before));
        }
    }

    /// Another thread of the agent wrote so much.
    pub(super) const fn add(&mut self, bytes: u64) {
        self.beside = self.beside.saturating_add(bytes);
    }

    /// Since the agent's start; to be asked on the loop's thread.
    pub(super) fn total(&self) -> u64 {
        written_here().saturating_add(self.beside)
    }

    /// Since the day began, or since the agent's start if that was later.
    pub(super) fn today(&self) -> u64 {
        self.total().saturating_sub(self.day.map_or(0, |(_, before)| before))
    }
}

/// Bytes that this thread gave to disks, as the kernel counts them; 0 where it does not. The sum of the whole process
/// is of no use: it takes over that of every service that is reaped.
pub(crate) fn written_here() -> u64 {
    field("/proc/thread-self/io", "write_bytes:")
}

/// What the process costs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Costs {
    /// Resident bytes.
    pub(crate) resident: u64,
    /// CPU time of the loop's thread, which does nearly all.
    pub(crate) cpu: Span,
}

impl Costs {
    /// Reads it; what can't be read is 0.
    pub(crate) fn now() -> Self {
        let stat = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
        let nanos = stat.split_ascii_whitespace().next().and_then(|nanos| nanos.parse::<u64>().ok());
        let resident = field("/proc/self/status", "VmRSS:") * 1024;
        Self { resident, cpu: Span::from_micros(nanos.unwrap_or(0) / 1000) }
    }
}

fn field(file: &str, name: &str) -> u64 {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
    line.split_ascii_whitespace().next().and_then(|number| number.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use picket_proto::{Raw, Wall};

    fn at(wall: i64) -> Now {
        Now { mono: Mono::from_micros(1), raw: Raw::from_micros(1), wall: Wall::from_micros(wall) }
    }

    #[test]
    fn what_the_process_costs_is_read_from_the_kernel() {
        let costs = Costs::now();
        assert!(costs.resident > 500_000 && costs.cpu > Span::ZERO, "{costs:?}");
    }

    #[test]
    fn the_first_day_counts_from_the_start_and_the_next_from_midnight() {
        let mut written = Written::default();
        written.turn(at(5));
        assert_eq!(written.day, Some((0, 0)));
        written.turn(at(86_400_000_000 - 1));
        assert_eq!(written.day, Some((0, 0)));
        written.turn(at(86_400_000_000));
        assert_eq!(written.day.map(|(day, _)| day), Some(1));
        written.add(7);
        assert!(written.today() >= 7 && written.today() <= written.total());
    }
}

//! Levels of the whole host, read with sysinfo: CPU and memory in per mille, load in hundredths per core.
//!
//! CPU is what was in use since the reading before (the first: since the agent's start); memory counts what the
//! kernel can't free for others (1 - MemAvailable/MemTotal). Three short reads of `/proc`; nothing is kept but
//! sysinfo's last CPU counters.

use picket_agent_core::check::Reading;
use picket_proto::event::Cause;
use std::io;
use sysinfo::{MemoryRefreshKind, System};

/// The last counters.
pub(crate) struct Host {
    system: System,
}

impl Host {
    /// Takes the first counters.
    ///
    /// # Errors
    /// The system can't be read.
    pub(crate) fn new() -> io::Result<Self> {
        let mut system = System::new().map_err(|error| io::Error::other(error.to_string()))?;
        system.refresh_cpu_usage();
        Ok(Self { system })
    }

    /// CPU in use since the reading before.
    pub(crate) fn cpu(&mut self) -> Reading {
        self.system.refresh_cpu_usage();
        Reading::Level(whole(f64::from(self.system.global_cpu_usage()) * 10.0))
    }

    /// Memory in use.
    pub(crate) fn memory(&mut self) -> Reading {
        self.system.refresh_memory_specifics(MemoryRefreshKind::nothing().with_ram());
        let (total, available) = (self.system.total_memory(), self.system.available_memory());
        let used = total.saturating_sub(available).saturating_mul(1000).checked_div(total);
        match used.map(i64::try_from) {
            Some(Ok(level)) => Reading::Level(level),
            Some(Err(_)) | None => Reading::Bad(Cause::Local(libc::ENODATA)),
        }
    }

    /// Swap in use; 0 where there is none.
    pub(crate) fn swap(&mut self) -> Reading {
        self.system.refresh_memory_specifics(MemoryRefreshKind::nothing().with_swap());
        let (total, used) = (self.system.total_swap(), self.system.used_swap());
        let level = used.saturating_mul(1000).checked_div(total).unwrap_or(0);
        Reading::Level(i64::try_from(level).unwrap_or(1000))
    }

    /// One-minute load per core.
    pub(crate) fn load(&self) -> Reading {
        let cores = u32::try_from(self.system.cpus().len()).unwrap_or(1).max(1);
        System::load_average().map_or(Reading::Bad(Cause::Local(libc::ENODATA)), |load| {
            Reading::Level(whole(load.one * 100.0 / f64::from(cores)))
        })
    }
}

/// Resident memory of this process, KiB: one short read, for the heartbeat.
pub(crate) fn own_rss_kib() -> Option<u32> {
    let text = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = text.split_whitespace().nth(1)?.parse().ok()?;
    u32::try_from(pages.saturating_mul(rustix::param::page_size() as u64) / 1024).ok()
}

/// Rounded to a whole number; what is no number or below zero is 0.
#[expect(clippy::cast_possible_truncation, reason = "the cast saturates, which is meant")]
fn whole(level: f64) -> i64 {
    level.max(0.0).round() as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_of_a_real_host_lie_in_their_range() {
        let mut host = Host::new().unwrap();
        for reading in [host.cpu(), host.memory(), host.swap()] {
            assert!(matches!(reading, Reading::Level(0..=1000)), "{reading:?}");
        }
        assert!(matches!(host.load(), Reading::Level(0..1_000_000)));
        assert!(matches!(host.memory(), Reading::Level(1..)), "something is always in use");
        assert!(own_rss_kib().unwrap() > 100, "this process has some memory");
    }
}

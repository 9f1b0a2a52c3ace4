//! The only file of the tests that reads a clock: deadlines for waits, and durations for benches.

use std::time::Duration;

/// A point in time to measure from.
#[derive(Debug, Clone, Copy)]
pub struct Since(std::time::Instant);

impl Since {
    /// Now.
    #[expect(clippy::disallowed_methods, reason = "this is the tests' clock.rs")]
    pub fn now() -> Self {
        Self(std::time::Instant::now())
    }

    /// How long ago that was.
    pub fn elapsed(self) -> Duration {
        self.0.elapsed()
    }

    /// What is left of `limit`; zero when it is over.
    pub fn left(self, limit: Duration) -> Duration {
        limit.saturating_sub(self.elapsed())
    }
}

/// CPU time that this process has used, user and system.
pub fn cpu_of_self() -> Duration {
    let used = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(u64::try_from(used.tv_sec).unwrap_or(0), u32::try_from(used.tv_nsec).unwrap_or(0))
}

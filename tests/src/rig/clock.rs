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

/// This machine's wall clock in seconds since 1970: to set another's by, or to judge a time that was told.
pub fn wall() -> i64 {
    rustix::time::clock_gettime(rustix::time::ClockId::Realtime).tv_sec
}

/// Lets time pass before a fault strikes at its random moment. Never to wait for a result: wait for that itself.
pub fn pass(span: Duration) {
    let limit = rustix::time::Timespec {
        tv_sec: i64::try_from(span.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: span.subsec_nanos().into(),
    };
    let _over_or_interrupted = rustix::event::poll(&mut [], Some(&limit));
}

/// CPU time that this process has used, user and system.
pub fn cpu_of_self() -> Duration {
    let used = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(u64::try_from(used.tv_sec).unwrap_or(0), u32::try_from(used.tv_nsec).unwrap_or(0))
}

//! The only file that reads clocks and entropy, and the one timer of the loop.
//!
//! Mono is CLOCK_BOOTTIME, since a deadline that passes while the machine sleeps is due when it wakes. tokio's timers
//! stand still in suspend, so the loop's timer is a timerfd on BOOTTIME, armed with the absolute deadline and only
//! when that has changed (one system call). tokio's timers bound single port calls (a probe, a connect), where a
//! suspend only makes the call end later.

use picket_proto::{BootId, Mono, Now, Raw, Run, Wall};
use rustix::fd::OwnedFd;
use rustix::rand::{GetRandomFlags, getrandom};
use rustix::time::{ClockId, Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec};
use std::io;
use tokio::io::unix::AsyncFd;

/// The three clocks, now.
pub(crate) fn now() -> Now {
    Now {
        mono: Mono::from_micros(micros(ClockId::Boottime).unsigned_abs()),
        raw: Raw::from_micros(micros(ClockId::MonotonicRaw).unsigned_abs()),
        wall: Wall::from_micros(micros(ClockId::Realtime)),
    }
}

/// CLOCK_MONOTONIC in microseconds, as the init system wants it.
pub(crate) fn monotonic() -> u64 {
    micros(ClockId::Monotonic).unsigned_abs()
}

fn micros(clock: ClockId) -> i64 {
    let time = rustix::time::clock_gettime(clock);
    #[expect(clippy::useless_conversion, reason = "32 bits wide on some targets")]
    let nanos = i64::from(time.tv_nsec);
    time.tv_sec.saturating_mul(1_000_000).saturating_add(nanos / 1000)
}

/// Whether the kernel says that the wall clock is synchronised.
pub(crate) fn synced() -> bool {
    crate::sys::clock_is_synced()
}

/// 64 bits of entropy, never 0.
///
/// # Errors
/// The kernel has no entropy to give; nothing was made.
pub(crate) fn entropy() -> io::Result<u64> {
    let mut bytes = [0u8; 8];
    let got = getrandom(&mut bytes[..], GetRandomFlags::empty())?;
    if got < bytes.len() {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(u64::from_le_bytes(bytes).max(1))
}

/// A new run's number.
///
/// # Errors
/// As [`entropy`].
pub(crate) fn new_run() -> io::Result<Run> {
    entropy().map(Run)
}

/// The machine's boot.
///
/// # Errors
/// `/proc` can't be read, or holds no boot id.
pub(crate) fn boot() -> io::Result<BootId> {
    let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id")?;
    let hex: String = text.trim().chars().filter(|c| *c != '-').collect();
    u128::from_str_radix(&hex, 16).map(BootId).map_err(|_| io::ErrorKind::InvalidData.into())
}

/// The loop's timer.
pub(crate) struct Timer {
    fd: AsyncFd<OwnedFd>,
    armed: Option<Mono>,
}

impl Timer {
    /// A timer that is not armed.
    ///
    /// # Errors
    /// The kernel gives no timer.
    pub(crate) fn new() -> io::Result<Self> {
        let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
        let fd = rustix::time::timerfd_create(TimerfdClockId::Boottime, flags)?;
        Ok(Self { fd: crate::sys::readable(fd)?, armed: None })
    }

    /// Arms it for `deadline`, or disarms it.
    ///
    /// # Errors
    /// The kernel refuses; the timer is as it was.
    pub(crate) fn arm(&mut self, deadline: Option<Mono>) -> io::Result<()> {
        if self.armed == deadline {
            return Ok(());
        }
        // A timerfd takes zero as "disarm", so the first microsecond after boot stands for zero itself.
        let us = deadline.map_or(0, |deadline| deadline.micros().clamp(1, i64::MAX.unsigned_abs() / 1000));
        let zero = Timespec { tv_sec: 0, tv_nsec: 0 };
        let value = Timespec {
            tv_sec: i64::try_from(us / 1_000_000).unwrap_or(i64::MAX),
            tv_nsec: i32::try_from(us % 1_000_000 * 1000).unwrap_or(0).into(),
        };
        let when = Itimerspec { it_interval: zero, it_value: value };
        rustix::time::timerfd_settime(self.fd.get_ref(), TimerfdTimerFlags::ABSTIME, &when)?;
        self.armed = deadline;
        Ok(())
    }

    /// Ends when the armed deadline has come; never, if none is armed. May be dropped and called again.
    pub(crate) async fn fired(&mut self) {
        loop {
            // A timerfd that can't be polled is a broken kernel: the loop then lives on its other inputs.
            let Ok(mut ready) = self.fd.readable().await else { return std::future::pending().await };
            let mut count = [0u8; 8];
            let read = ready.try_io(|fd| Ok(rustix::io::read(fd.get_ref(), &mut count)?));
            if let Ok(Ok(_)) = read {
                // It holds one count, which was just taken: asking again, to be told so, is a system call for nothing.
                ready.clear_ready();
                self.armed = None;
                return;
            }
        }
    }
}

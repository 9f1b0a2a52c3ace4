//! The only file that reads clocks and entropy, and the timer that the core's deadline arms.
//!
//! The core's Mono never goes backwards, over restarts and reboots: it is CLOCK_BOOTTIME plus an offset that belongs
//! to the machine's boot and is kept in the journal's folder. In the same boot the offset is found again, so the time
//! between two processes counts in full. In another boot it is chosen so that Mono goes on 1 us behind the last
//! journaled one: how long the machine was down is not known to any monotonic clock, and `Record::Resumed` marks the
//! seam. A clock that would still read earlier than the journal (a lost offset) is held at the journal's last time.
//!
//! The timer is a timerfd on CLOCK_BOOTTIME, since the runtime's own timers stand still while a machine is suspended.

use crate::error::Failure;
use picket_proto::{BootId, Mono, Now, Raw, Wall};
use rustix::fd::OwnedFd;
use rustix::rand::{GetRandomFlags, getrandom};
use rustix::time::{
    ClockId, Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, clock_gettime,
    timerfd_create, timerfd_settime,
};
use std::io;
use std::time::Duration;
use tokio::io::unix::AsyncFd;

/// The machine's clocks, bent so that Mono continues the journal's.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    offset: i64,
    floor: u64,
}

impl Clock {
    /// Continues behind `last`, the journal's last Mono. `kept` is the offset stored for this boot, if there is one.
    pub(crate) fn resume(last: Mono, kept: Option<i64>) -> Self {
        let offset = kept.unwrap_or_else(|| match last.micros() {
            0 => 0,
            last => signed(last.saturating_add(1)).saturating_sub(signed(micros(ClockId::Boottime))),
        });
        Self { offset, floor: last.micros() }
    }

    /// What to keep for this boot.
    pub(crate) const fn offset(&self) -> i64 {
        self.offset
    }

    /// The time; read once per input.
    pub(crate) fn now(&self) -> Now {
        let mono = micros(ClockId::Boottime).saturating_add_signed(self.offset).max(self.floor);
        Now {
            mono: Mono::from_micros(mono),
            raw: Raw::from_micros(micros(ClockId::MonotonicRaw)),
            wall: wall(),
        }
    }
}

/// A moment, for how long something takes; suspended time counts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Since(u64);

impl Since {
    /// Now.
    pub(crate) fn now() -> Self {
        Self(micros(ClockId::Boottime))
    }

    /// The time since then.
    pub(crate) fn elapsed(self) -> Duration {
        Duration::from_micros(micros(ClockId::Boottime).saturating_sub(self.0))
    }
}

/// The wall clock, for dates in certificates and for people.
pub(crate) fn wall() -> Wall {
    let time = clock_gettime(ClockId::Realtime);
    Wall::from_micros(time.tv_sec.saturating_mul(1_000_000).saturating_add(time.tv_nsec / 1_000))
}

/// This boot, from `/proc/sys/kernel/random/boot_id`.
pub(crate) fn boot() -> Result<BootId, Failure> {
    const PATH: &str = "/proc/sys/kernel/random/boot_id";
    let doing = "read the boot id";
    let text = std::fs::read_to_string(PATH).map_err(|source| Failure::System { doing, source })?;
    let digits: String = text.chars().filter(char::is_ascii_hexdigit).collect();
    let id = u128::from_str_radix(&digits, 16)
        .map_err(|bad| Failure::System { doing, source: io::Error::new(io::ErrorKind::InvalidData, bad) })?;
    Ok(BootId(id))
}

/// Fresh random bytes from the kernel.
pub(crate) fn entropy<const N: usize>() -> Result<[u8; N], Failure> {
    let mut bytes = [0; N];
    let mut filled = 0;
    while filled < N {
        filled += getrandom(&mut bytes[filled..], GetRandomFlags::empty())
            .map_err(|errno| Failure::System { doing: "get random bytes", source: errno.into() })?;
    }
    Ok(bytes)
}

fn micros(clock: ClockId) -> u64 {
    let time = clock_gettime(clock);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    seconds.saturating_mul(1_000_000).saturating_add(u64::try_from(time.tv_nsec).unwrap_or(0) / 1_000)
}

fn signed(us: u64) -> i64 {
    i64::try_from(us).unwrap_or(i64::MAX)
}

/// One timer on CLOCK_BOOTTIME.
pub(crate) struct Alarm {
    timer: AsyncFd<OwnedFd>,
    armed: Option<Mono>,
}

impl Alarm {
    /// A timer that is not armed.
    pub(crate) fn new() -> Result<Self, Failure> {
        let failed = |source| Failure::System { doing: "make a timer", source };
        let timer = timerfd_create(TimerfdClockId::Boottime, TimerfdFlags::CLOEXEC | TimerfdFlags::NONBLOCK)
            .map_err(|errno| failed(errno.into()))?;
        #[expect(
            deprecated,
            reason = "the successor is unsafe code; an OwnedFd keeps its descriptor open by itself"
        )]
        let timer = AsyncFd::new(timer).map_err(failed)?;
        Ok(Self { timer, armed: None })
    }

    /// Arms it for `deadline`, or disarms it. A deadline that has passed fires at once.
    pub(crate) fn set(&mut self, clock: &Clock, deadline: Option<Mono>) -> io::Result<()> {
        if self.armed == deadline {
            return Ok(());
        }
        let zero = Timespec { tv_sec: 0, tv_nsec: 0 };
        let it_value = deadline.map_or(zero, |at| {
            // All zero would disarm the timer, so the earliest time is 1 us after boot.
            let us = at.micros().saturating_add_signed(clock.offset.saturating_neg()).max(1);
            let seconds = i64::try_from(us / 1_000_000).unwrap_or(i64::MAX);
            Timespec { tv_sec: seconds, tv_nsec: i64::try_from(us % 1_000_000).unwrap_or(0) * 1_000 }
        });
        timerfd_settime(
            self.timer.get_ref(),
            TimerfdTimerFlags::ABSTIME,
            &Itimerspec { it_interval: zero, it_value },
        )?;
        self.armed = deadline;
        Ok(())
    }

    /// Waits until it fires; for ever while it is not armed. Safe to drop half-way.
    pub(crate) async fn due(&mut self) -> io::Result<()> {
        loop {
            let mut ready = self.timer.readable().await?;
            let read = ready.try_io(|timer| {
                let mut expirations = [0; 8];
                rustix::io::read(timer, &mut expirations).map_err(io::Error::from)
            });
            if let Ok(read) = read {
                self.armed = None;
                return read.map(|_expirations| ());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mono_goes_on_behind_the_journal_after_a_reboot_and_keeps_its_offset_within_one_boot() {
        let last = Mono::from_micros(90 * 86_400 * 1_000_000);
        let reborn = Clock::resume(last, None);
        let first = reborn.now().mono;
        assert!(first > last);
        assert!(first.since(last) < picket_proto::Span::from_secs(5));
        let again = Clock::resume(first, Some(reborn.offset()));
        assert!(again.now().mono >= first);
        assert_eq!(again.offset(), reborn.offset());
    }

    #[test]
    fn a_lost_offset_holds_mono_at_the_journals_last_time() {
        let last = Mono::from_micros(90 * 86_400 * 1_000_000);
        assert_eq!(Clock::resume(last, Some(-1_000_000)).now().mono, last);
    }

    #[tokio::test]
    async fn the_timer_fires_at_its_deadline_and_at_once_when_that_has_passed() {
        let clock = Clock::resume(Mono::from_micros(0), None);
        let mut alarm = Alarm::new().unwrap();
        let deadline = clock.now().mono.plus(picket_proto::Span::from_millis(20));
        alarm.set(&clock, Some(deadline)).unwrap();
        alarm.due().await.unwrap();
        assert!(clock.now().mono >= deadline);
        alarm.set(&clock, Some(Mono::from_micros(0))).unwrap();
        alarm.due().await.unwrap();
    }
}

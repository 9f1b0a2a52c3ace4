//! A machine's clocks over true time: they drift, stand still, jump, and begin anew with a boot.
//!
//! True time is microseconds since the world began; nobody inside the world can read it. Mono runs at its own rate
//! (parts per million off) and may stand while the machine is frozen, as BOOTTIME does on a host that is paused by its
//! hypervisor. The wall clock is Mono with a distance that a jump changes.

use picket_proto::{BootId, Mono, Now, Raw, Wall};

/// 2023-11-14T22:13:20Z: a wall clock that looks like one.
const EPOCH: i64 = 1_700_000_000_000_000;

/// One machine's clocks.
#[derive(Debug, Clone)]
pub(super) struct Clock {
    pub(super) boot: BootId,
    /// At this true time Mono showed `mono`.
    since: u64,
    mono: u64,
    ppm: i64,
    stands: bool,
    wall_ahead: i64,
}

impl Clock {
    /// A machine that was booted `up` microseconds before `at`.
    pub(super) const fn new(boot: BootId, at: u64, up: u64) -> Self {
        Self { boot, since: at, mono: up, ppm: 0, stands: false, wall_ahead: EPOCH }
    }

    /// What its clocks show at true time `at`.
    pub(super) fn now(&self, at: u64) -> Now {
        let mono = self.mono_at(at);
        let wall = self.wall_ahead + i64::try_from(mono).unwrap_or(i64::MAX);
        Now { mono: Mono::from_micros(mono), raw: Raw::from_micros(mono), wall: Wall::from_micros(wall) }
    }

    /// The first true time at which Mono shows `mono` or more; never, while it stands.
    pub(super) fn when(&self, mono: Mono) -> u64 {
        let ahead = mono.micros().saturating_sub(self.mono);
        if mono == Mono::NEVER || (self.stands && ahead > 0) {
            return u64::MAX;
        }
        let rate = u128::from(1_000_000_u64.saturating_add_signed(self.ppm));
        let wait = (u128::from(ahead) * 1_000_000).div_ceil(rate);
        self.since.saturating_add(u64::try_from(wait).unwrap_or(u64::MAX))
    }

    /// From now on it runs this many parts per million fast, or slow.
    pub(super) fn skew(&mut self, at: u64, ppm: i64) {
        self.settle(at);
        self.ppm = ppm.clamp(-500_000, 500_000);
    }

    /// The wall clock jumps.
    pub(super) const fn jump_wall(&mut self, micros: i64) {
        self.wall_ahead = self.wall_ahead.saturating_add(micros);
    }

    /// Mono stands still, or runs again.
    pub(super) fn stand(&mut self, at: u64, stands: bool) {
        self.settle(at);
        self.stands = stands;
    }

    /// The machine boots: Mono begins anew, the wall clock goes on.
    pub(super) fn boot(&mut self, at: u64, boot: BootId) {
        let wall = self.now(at).wall.micros();
        *self = Self { wall_ahead: wall - 1_000_000, ppm: self.ppm, ..Self::new(boot, at, 1_000_000) };
    }

    /// Mono is what it was when a snapshot was taken; the wall clock is set anew, as by a time service.
    pub(super) fn resume(&mut self, at: u64, mono: Mono) {
        let wall = self.now(at).wall.micros();
        (self.since, self.mono, self.stands) = (at, mono.micros(), false);
        self.wall_ahead = wall - i64::try_from(self.mono).unwrap_or(i64::MAX);
    }

    fn settle(&mut self, at: u64) {
        (self.mono, self.since) = (self.mono_at(at), at);
    }

    fn mono_at(&self, at: u64) -> u64 {
        if self.stands {
            return self.mono;
        }
        let gone = i128::from(at.saturating_sub(self.since));
        let gone = gone * (1_000_000 + i128::from(self.ppm)) / 1_000_000;
        self.mono + u64::try_from(gone).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn when_is_the_first_time_that_now_has_come_so_far() {
        let mut clock = Clock::new(BootId(1), 1_000, 5_000_000);
        for ppm in [0, 300, -300, 200_000, -200_000] {
            clock.skew(2_000, ppm);
            for mono in [5_000_000, 5_000_999, 7_777_777, 99_999_999] {
                let when = clock.when(Mono::from_micros(mono));
                assert!(clock.now(when).mono.micros() >= mono, "{ppm} ppm, {mono}");
                let before = clock.now(when.saturating_sub(2)).mono.micros();
                assert!(when <= 2_000 || before < mono, "{ppm} ppm, {mono}: {before} came before");
            }
        }
    }

    #[test]
    fn a_clock_that_stands_never_comes_anywhere_and_goes_on_from_where_it_stood() {
        let mut clock = Clock::new(BootId(1), 0, 0);
        clock.stand(10, true);
        assert_eq!(clock.now(5_000).mono, Mono::from_micros(10));
        assert_eq!(clock.when(Mono::from_micros(11)), u64::MAX);
        clock.stand(5_000, false);
        assert_eq!(clock.when(Mono::from_micros(11)), 5_001);
    }
}

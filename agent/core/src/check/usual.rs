//! Whether a level is far from what this hour of the day usually has on this host.
//!
//! A limit says where a level is bad whatever the hour; this says that it is not as it always is: a CPU at 50 % at four in
//! the morning where 2 % is usual, a queue that nobody fills at noon. It is degraded and never down, since nothing is known to be
//! wrong, and so never the reason of a remedy. Only what a check's `unusual` asks for is judged.
//!
//! Readings are put together to points of a sixth of that time, ten minutes at most, each the mean of its readings: a reading
//! alone says little of a CPU. Of each hour the highest and the lowest mean of six points are remembered for a week ([`week`]): over
//! the simulated weeks single points hid twice as much of what lasted behind what was over sooner. A new point is held against
//! them ([`bounds`]). It is told when all points of the time that was asked for lay beyond the same bound, and taken back when for
//! half of that time none lay beyond half of the way to it. A time without readings begins anew.
//!
//! What is unusual is remembered as well: what goes on beyond two days is usual from then on, like a habit of a mount. An hour
//! of which less than half was read is not known. Nothing is compared before the kernel has called the wall clock
//! synchronised, and after a step of it not until it does so again ([`clock`]); the hour is UTC's, counted from 1970, so that no
//! calendar is needed, and daylight saving moves habits by one hour, which the neighbours of an hour forgive.
//!
//! One takes 800 bytes; there are 32 ([`USUALS`]). The weeks outlive the run ([`keep`]); what was told does not, and is told
//! again after the same time.

mod bounds;
mod clock;
mod keep;
mod view;
mod week;

use super::{CheckIx, Fact, Reading, Side, Spec};
use bounds::Bounds;
pub(crate) use clock::Clock;
pub(super) use keep::Due;
pub use keep::Mark;
use picket_proto::event::{Cause, CheckKind, Verdict};
use picket_proto::{Mono, Now, Span};
pub use view::Usually;
use week::{Seen, Week, coded};

/// Checks whose levels can be held against their past: 25 KiB of memory, and a file of 23 KiB that is written once an hour,
/// 0.6 MB of a flash's day. A host has seven of its own; the others are for what its services measure.
pub const USUALS: usize = 32;

/// Points of the time that is asked for, where they are not longer than [`POINT_MAX`].
const POINTS: u64 = 6;
/// The longest point: an hour is known by six.
const POINT_MAX: Span = Span::from_secs(600);
/// Of an hour so much must have been read.
const KNOWN: u64 = Span::from_secs(1800).micros();
/// Points that may be missing between two, such as when a page does not answer.
const MISSING: u64 = 2;
/// Levels beyond 2^50 count as that, and readings of a point beyond the 8,192nd not, so that their sum fits 63 bits.
const LEVEL_MAX: i64 = 1 << 50;
const COUNT_MAX: i64 = 1 << 13;

/// What is remembered of one check.
#[derive(Debug, Clone)]
pub struct Usual {
    /// Whose it is.
    check: Option<CheckIx>,
    /// How long a point takes, microseconds.
    step: u64,
    point: Point,
    /// The last points, the newest first, and how many follow each other.
    recent: [i16; POINTS as usize],
    follow: u8,
    hour: Hour,
    week: Week,
    /// Points in a row beyond a bound, and on which side; of what is told, points in a row that are not.
    row: u16,
    side: Side,
    told: bool,
    since: Mono,
    /// The mean of the last point, and the end of what is usual for it.
    level: i64,
    usual: i64,
}

/// The point that is under way.
#[derive(Debug, Clone, Copy)]
struct Point {
    number: u64,
    sum: i64,
    count: i64,
    /// The hour of its last reading; nothing where the clock could not be trusted.
    hour: Option<u32>,
}

/// The hour that is under way: its number, and of how much the points are that were seen of it.
#[derive(Debug, Clone, Copy)]
struct Hour {
    number: u32,
    seen: Option<Seen>,
    span: u64,
}

impl Usual {
    /// Nobody's yet.
    pub const FREE: Self = Self {
        check: None,
        step: 0,
        point: Point { number: 0, sum: 0, count: 0, hour: None },
        recent: [0; POINTS as usize],
        follow: 0,
        hour: Hour { number: 0, seen: None, span: 0 },
        week: Week::EMPTY,
        row: 0,
        side: Side::Above,
        told: false,
        since: Mono::NEVER,
        level: 0,
        usual: 0,
    };

    /// Whether it is this check's.
    pub(super) fn is_of(&self, check: CheckIx) -> bool {
        self.check == Some(check)
    }

    /// The wall clock is another one now: what is under way has no hour.
    fn stepped(&mut self) {
        (self.point.count, self.follow, self.hour.seen, self.hour.span) = (0, 0, None, 0);
        self.row = if self.told { self.row } else { 0 };
    }

    /// Takes a level; whether an hour is over by it. `hour` is not known while the clock can't be trusted.
    fn look(&mut self, now: Mono, hour: Option<u32>, level: i64, spec: &Spec) -> bool {
        let number = now.micros() / self.step;
        let mut is_over = false;
        if number != self.point.number {
            is_over = self.point(spec);
            let missed = number.saturating_sub(self.point.number);
            let is_gap = missed > 1 + MISSING;
            // Of what was not read for as long as it takes to tell it nobody can say that it goes on.
            self.told &= !is_gap || Span::from_micros(missed.saturating_mul(self.step)) < spec.unusual;
            self.row = if is_gap && !self.told { 0 } else { self.row };
            self.follow = if is_gap { 0 } else { self.follow };
            self.point = Point { number, sum: 0, count: 0, hour };
        }
        self.point.hour = hour;
        if self.point.count < COUNT_MAX {
            self.point.sum += level.clamp(-LEVEL_MAX, LEVEL_MAX);
            self.point.count += 1;
        }
        is_over
    }

    /// A point is over; whether an hour is.
    fn point(&mut self, spec: &Spec) -> bool {
        let Point { sum, count, hour, .. } = self.point;
        let Some(level) = sum.checked_div(count) else { return false };
        self.level = level;
        let bounds = hour.and_then(|hour| Bounds::at(&self.week, hour, spec));
        self.judge(bounds, spec.unusual);
        let Some(hour) = hour else { return false };
        let is_other = hour != self.hour.number;
        let is_over = is_other && self.hour.number > 0;
        if is_over {
            let whole = Some(self.hour.seen).filter(|_| self.hour.span >= KNOWN).flatten();
            self.week.put(self.hour.number, whole);
        }
        if is_other {
            self.hour = Hour { number: hour, seen: None, span: 0 };
        }
        self.remember(level);
        is_over
    }

    /// What is remembered is the mean of six points: what is over sooner is not told, and must not hide what lasts.
    fn remember(&mut self, level: i64) {
        self.recent.rotate_right(1);
        self.recent[0] = coded(level);
        self.follow = (self.follow + 1).min(POINTS as u8);
        if u64::from(self.follow) < POINTS {
            return;
        }
        let sum: i64 = self.recent.iter().map(|point| week::level(*point)).sum();
        let mean = coded(sum / POINTS as i64);
        let seen = Seen { low: mean, high: mean };
        self.hour.seen = Some(self.hour.seen.map_or(seen, |before| before.with(seen)));
        self.hour.span += self.step;
    }

    /// Counts a point. Where nothing can be compared nothing is unusual.
    fn judge(&mut self, bounds: Option<Bounds>, lasts: Span) {
        let points = u16::try_from((lasts.micros() / self.step).max(1)).unwrap_or(u16::MAX);
        if self.told {
            let stays = bounds.filter(|bounds| bounds.keeps(self.side, self.level));
            self.usual = bounds.map_or(self.usual, |bounds| bounds.usual(self.side));
            self.row = if stays.is_some() { 0 } else { self.row + 1 };
            self.told = self.row < points.div_ceil(2);
            self.row = if self.told { self.row } else { 0 };
            return;
        }
        let Some((side, usual)) = bounds.and_then(|bounds| bounds.beyond(self.level)) else {
            self.row = 0;
            return;
        };
        if self.row == 0 || side != self.side {
            (self.row, self.side) = (0, side);
            self.since = Mono::from_micros(self.point.number * self.step);
        }
        (self.row, self.usual) = (self.row.saturating_add(1), usual);
        self.told = self.row >= points;
        self.row = if self.told { 0 } else { self.row };
    }

    fn says(&self, now: Mono) -> Option<(Verdict, Cause)> {
        let minutes = u16::try_from(now.since(self.since).secs() / 60).unwrap_or(u16::MAX);
        let cause = Cause::Unusual { level: self.level, usual: self.usual, lasts: minutes };
        self.told.then_some((Verdict::Degraded, cause))
    }
}

/// Whether levels of this kind have hours: what other kinds read are dates, ages and counts since the last look.
pub const fn has_hours(kind: CheckKind) -> bool {
    match kind {
        CheckKind::Cpu
        | CheckKind::Memory
        | CheckKind::Load
        | CheckKind::Swap
        | CheckKind::Pressure
        | CheckKind::Metric => true,
        CheckKind::Process
        | CheckKind::Tcp
        | CheckKind::Http
        | CheckKind::Space
        | CheckKind::Exec
        | CheckKind::Tls
        | CheckKind::Expires
        | CheckKind::File
        | CheckKind::Log
        | CheckKind::Inodes
        | CheckKind::Mount
        | CheckKind::Net
        | CheckKind::Temperature
        | CheckKind::Job
        | CheckKind::Backup
        | CheckKind::Container => false,
    }
}

/// How long a point takes for such a check.
fn step_of(spec: &Spec) -> u64 {
    let part = Span::from_micros(spec.unusual.micros() / POINTS).min(POINT_MAX);
    part.max(spec.interval).micros().max(1)
}

/// All of them, with what they have in common.
#[derive(Debug, Default)]
pub(super) struct Usuals<'s> {
    pub(super) all: &'s mut [Usual],
    pub(super) clock: Clock,
    pub(super) due: Due,
}

impl<'s> Usuals<'s> {
    /// With this memory.
    pub(super) fn new(all: &'s mut [Usual]) -> Self {
        Self { all, ..Self::default() }
    }

    /// The clocks at an input.
    pub(super) fn turn(&mut self, now: Now) {
        if self.clock.turn(now) {
            self.all.iter_mut().for_each(Usual::stepped);
        }
    }

    /// Takes what a check read; what is unusual of it, where that is asked for.
    pub(super) fn look(&mut self, now: Mono, fact: &Fact<'_>, spec: &Spec) -> Option<(Verdict, Cause)> {
        let (Reading::Level(level), 1..) = (fact.reading, spec.unusual.micros()) else { return None };
        let (hour, step) = (self.clock.hour(), step_of(spec));
        let place = place(self.all, fact.check)?;
        let usual = &mut self.all[place];
        if usual.check.is_none() {
            *usual = Usual { check: Some(fact.check), ..Usual::FREE };
        }
        if usual.step != step {
            (usual.step, usual.point.count, usual.follow, usual.row, usual.told) = (step, 0, 0, 0, false);
        }
        if usual.look(now, hour, level, spec) {
            self.due.changed(now);
        }
        usual.says(now)
    }

    /// The check looks at something else from now on, or is gone.
    pub(super) fn forget(&mut self, check: CheckIx) {
        for usual in self.all.iter_mut().filter(|usual| usual.is_of(check)) {
            *usual = Usual::FREE;
        }
    }
}

/// The place of this check, or a free one.
fn place(all: &[Usual], check: CheckIx) -> Option<usize> {
    all.iter()
        .position(|usual| usual.is_of(check))
        .or_else(|| all.iter().position(|usual| usual.check.is_none()))
}

const _: () = assert!(size_of::<Usual>() <= 800);

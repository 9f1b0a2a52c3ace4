//! What hosts make of their disks: shapes, made by chance out of a seed. Most are over by themselves; those that run away
//! fill the disk.

use std::vec::Vec as List;

/// Minutes from one reading to the next.
pub(super) const EVERY: usize = 2;
const HOUR: usize = 60;
const DAY: usize = 24 * HOUR;
pub(super) const WEEK: usize = 7 * DAY;
/// What a disk has, KiB.
pub(super) const SIZE: i64 = 1000 << 20;

/// SplitMix64 (G. L. Steele and others, Fast splittable pseudorandom number generators, OOPSLA 2014).
pub(in crate::check) struct Luck(pub(in crate::check) u64);

impl Luck {
    pub(in crate::check) fn of(&mut self, least: i64, most: i64) -> i64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let it = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let it = (it ^ (it >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        least + ((it ^ (it >> 31)) % (most - least + 1).unsigned_abs()).cast_signed()
    }
    /// Minutes.
    pub(in crate::check) fn time(&mut self, least: usize, most: usize) -> usize {
        usize::try_from(self.of(least as i64, most as i64)).unwrap()
    }
    /// Of a thousandth of the disk so many.
    fn part(&mut self, least: i64, most: i64) -> i64 {
        self.of(least, most) * SIZE / 1000
    }
}

/// What is in use, reading by reading. All times are minutes.
pub(super) struct Life(pub(super) List<i64>);

impl Life {
    /// In use from the start, per mille, with a little noise as logs and temporary files make it.
    fn new(luck: &mut Luck, minutes: usize, (least, most): (i64, i64)) -> Self {
        let used = luck.part(least, most);
        Self((0..minutes / EVERY).map(|_| used + luck.of(0, SIZE / 20_000)).collect())
    }
    fn minutes(&self) -> usize {
        self.0.len() * EVERY
    }
    fn add(&mut self, from: usize, takes: usize, by: impl Fn(i64) -> i64) {
        let later = self.0.iter_mut().skip(from / EVERY).take(takes / EVERY);
        for (at, used) in (0..).step_by(EVERY).zip(later) {
            *used += by(at);
        }
    }
    /// Grows to `height` in so many minutes and stays there for `stays`, then it is gone.
    fn hill(&mut self, from: usize, (takes, stays): (usize, usize), height: i64) {
        self.add(from, takes + stays, |at| (height * at / (takes as i64).max(1)).min(height));
    }
    fn free_at(&self, minute: usize) -> i64 {
        (SIZE - self.0[(minute / EVERY).min(self.0.len() - 1)]).max(0)
    }
}

/// Its name, how many hosts have it, for how many weeks each.
pub(super) type Shape = (&'static str, u64, usize, fn(&mut Luck, usize) -> Life);

pub(super) const SHAPES: [Shape; 13] = [
    ("nightly log rotation", 6, 4, rotation),
    ("package installations", 6, 4, packages),
    ("builds", 6, 4, builds),
    ("nightly dumps", 6, 4, dumps),
    ("weekly dumps", 6, 4, weekly),
    ("cache with a mark", 6, 4, cache),
    ("database, slow growth", 6, 4, database),
    ("office files", 6, 4, office),
    ("one large copy that fits", 24, 1, copy),
    ("runs away, steadily", 24, 1, runaway),
    ("runs away, faster and faster", 24, 1, faster),
    ("runs away in batches", 24, 1, batches),
    ("runs away beside builds", 24, 1, hidden),
];

/// Logs grow all day and are rotated at night: compressed first, which needs room for a while.
fn rotation(luck: &mut Luck, minutes: usize) -> Life {
    let mut life = Life::new(luck, minutes, (300, 850));
    let (height, clock) = (luck.part(5, 60), luck.time(0, 6 * HOUR));
    for night in (clock..minutes).step_by(DAY) {
        life.hill(night, (DAY, 0), height);
        life.hill(night, (luck.time(5, 40), 5), height / 5);
    }
    life
}

/// Packages are installed: a step in minutes, which stays.
fn packages(luck: &mut Luck, minutes: usize) -> Life {
    let mut life = Life::new(luck, minutes, (300, 700));
    for _ in 0..luck.of(5, 20) {
        let (from, takes, height) = (luck.time(0, minutes), luck.of(1, 8), luck.part(1, 15));
        life.add(from, minutes, |at| (height * at / takes).min(height));
    }
    life
}

/// Builds fill a part of what is free, and free it again: five a day, of up to an hour and a quarter.
fn builds(luck: &mut Luck, minutes: usize) -> Life {
    let mut life = Life::new(luck, minutes, (200, 700));
    for _ in 0..minutes / DAY * 5 {
        let from = luck.time(0, minutes - 1);
        let height = life.free_at(from) * luck.of(5, 60) / 100;
        life.hill(from, (luck.time(4, 75), luck.time(0, 30)), height);
    }
    life
}

/// A dump is made every night, taken away and removed.
fn dumps(luck: &mut Luck, minutes: usize) -> Life {
    let mut life = Life::new(luck, minutes, (300, 700));
    let (clock, share) = (luck.time(0, 20 * HOUR), luck.of(30, 85));
    for night in (clock..minutes).step_by(DAY) {
        let from = night + luck.time(0, 20);
        let height = life.free_at(from) * (share + luck.of(-2, 2)) / 100;
        life.hill(from, (luck.time(HOUR, 3 * HOUR), luck.time(5, HOUR)), height);
    }
    life
}

/// The same, larger, once a week.
fn weekly(luck: &mut Luck, minutes: usize) -> Life {
    let mut life = Life::new(luck, minutes, (300, 700));
    let (clock, share) = (luck.time(0, 6 * DAY), luck.of(30, 85));
    for from in (clock..minutes).step_by(WEEK) {
        let height = life.free_at(from) * (share + luck.of(-2, 2)) / 100;
        life.hill(from, (luck.time(HOUR, 6 * HOUR), luck.time(5, HOUR)), height);
    }
    life
}

/// A cache fills to its mark and is cut back.
fn cache(luck: &mut Luck, minutes: usize) -> Life {
    let mut life = Life::new(luck, minutes, (300, 500));
    let (height, every) = (luck.part(150, 400), luck.time(3 * HOUR, 30 * HOUR));
    let mut at = 0;
    while at < minutes {
        let takes = every + luck.time(0, every / 4);
        life.hill(at, (takes, 0), height);
        at += takes;
    }
    life
}

/// A database grows slowly, with a log of its own that is cut every half hour or so.
fn database(luck: &mut Luck, minutes: usize) -> Life {
    let mut life = Life::new(luck, minutes, (300, 750));
    let height = luck.part(5, 100);
    life.add(0, minutes, |at| height * at / minutes as i64);
    let (height, every) = (luck.part(2, 30), luck.time(10, 50));
    for from in (0..minutes).step_by(every) {
        life.hill(from, (every, 0), height);
    }
    life
}

/// People save and delete by day.
fn office(luck: &mut Luck, minutes: usize) -> Life {
    let mut life = Life::new(luck, minutes, (400, 800));
    let mut level = 0;
    for (at, used) in (0..).step_by(EVERY).zip(&mut life.0) {
        if (8..18).contains(&(at / HOUR % 24)) {
            level = (level + luck.of(-9, 9) * SIZE / 50_000).clamp(0, SIZE / 8);
        }
        *used += level;
    }
    life
}

/// A large copy, which fits.
fn copy(luck: &mut Luck, minutes: usize) -> Life {
    let mut life = Life::new(luck, minutes, (200, 600));
    let from = luck.time(HOUR, minutes - DAY);
    let (takes, height) = (luck.of(60, 600), life.free_at(from) * luck.of(20, 80) / 100);
    life.add(from, minutes, |at| (height * at / takes).min(height));
    life
}

/// When something runs away, how long that takes, and what it has.
fn away(luck: &mut Luck, life: &Life, hours: (i64, i64)) -> (usize, i64, i64) {
    let from = luck.time(HOUR, life.minutes() - 60 * HOUR);
    (from, luck.of(hours.0 * 60, hours.1 * 60), life.free_at(from))
}

/// At one rate.
fn runaway(luck: &mut Luck, minutes: usize) -> Life {
    let mut life = rotation(luck, minutes);
    let (from, takes, free) = away(luck, &life, (2, 48));
    life.add(from, minutes, |at| free * at / takes);
    life
}

/// With the square of the time.
fn faster(luck: &mut Luck, minutes: usize) -> Life {
    let mut life = rotation(luck, minutes);
    let (from, takes, free) = away(luck, &life, (4, 48));
    life.add(from, minutes, |at| free / 1000 * (1000 * at / takes * at / takes));
    life
}

/// A batch now and then.
fn batches(luck: &mut Luck, minutes: usize) -> Life {
    let mut life = Life::new(luck, minutes, (300, 800));
    let ((from, takes, free), every) = (away(luck, &life, (10, 48)), luck.of(10, 60));
    life.add(from, minutes, |at| free * (at / every * every) / takes);
    life
}

/// On a host that builds.
fn hidden(luck: &mut Luck, minutes: usize) -> Life {
    let mut life = Life::new(luck, minutes, (200, 600));
    let (from, takes, free) = away(luck, &life, (8, 48));
    life.add(from, minutes, |at| free * at / takes);
    for _ in 0..minutes / DAY * 5 {
        let (from, height) = (luck.time(0, minutes - 1), luck.part(5, 60));
        life.hill(from, (luck.time(4, 40), luck.time(0, 10)), height);
    }
    life
}

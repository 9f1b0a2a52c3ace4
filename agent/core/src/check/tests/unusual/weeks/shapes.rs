//! What levels do over weeks: shapes, made by chance out of a seed. In most nothing is planted; in the others something odd
//! begins after ten days or more.

use crate::check::CheckKind;
use crate::check::tests::weeks::shapes::Luck;
use core::ops::Range;
use std::vec;
use std::vec::Vec as List;

const HOUR: usize = 60;
const DAY: usize = 24 * HOUR;
const WEEK: usize = 7 * DAY;

/// A level, minute by minute, and when something odd goes on.
pub(super) struct Life {
    pub(super) kind: CheckKind,
    pub(super) levels: List<Option<i64>>,
    pub(super) odd: Option<Range<u64>>,
    /// As in a host.
    pub(super) clock: List<(u64, i64, bool)>,
}

/// Its name, how many hosts have it, for how many weeks each.
pub(super) type Shape = (&'static str, u64, usize, fn(&mut Luck, usize) -> Life);

pub(super) const SHAPES: [Shape; 18] = [
    ("idle, a short job now and then", 12, 4, idle),
    ("office hours, idle at weekends", 12, 4, office),
    ("day and night, weekends lower", 12, 4, web),
    ("a backup every night", 12, 4, backup),
    ("a job every Sunday", 12, 4, sunday),
    ("builds by day", 12, 4, builds),
    ("memory: grows, is freed", 12, 4, memory),
    ("daylight saving begins", 12, 4, saving),
    ("off at nights and weekends", 12, 4, off),
    ("a holiday", 12, 4, holiday),
    ("a clock that is set wrong for a while", 12, 4, set),
    ("one long batch", 24, 4, batch),
    ("odd: no users for a day", 24, 4, outage),
    ("odd: a process runs away, idle host", 24, 4, runaway_idle),
    ("odd: the same at an office, at night", 24, 4, runaway_office),
    ("odd: the same, day and night", 24, 4, runaway_web),
    ("odd: memory leaks within a day", 24, 4, leak),
    ("odd: the users are gone", 24, 4, gone),
];

impl Life {
    /// At this level, with noise.
    fn new(luck: &mut Luck, minutes: usize, (base, noise): (i64, i64)) -> Self {
        let levels = (0..minutes).map(|_| Some(base + luck.of(0, noise))).collect();
        Self { kind: CheckKind::Cpu, levels, odd: None, clock: vec![(0, 0, true)] }
    }
    fn add(&mut self, from: usize, takes: usize, by: impl Fn(usize) -> i64) {
        for (at, level) in self.levels.iter_mut().enumerate().skip(from).take(takes) {
            *level = level.map(|level| (level + by(at)).clamp(0, 1000));
        }
    }
    /// A job that takes so long, with what it takes of a thousandth.
    fn job(&mut self, luck: &mut Luck, from: usize, takes: usize, height: i64) {
        let wave = luck.time(2, 9);
        self.add(from, takes, |at| if at % wave == 0 { height / 2 } else { height });
    }
    /// Spikes of a few minutes, some a day.
    fn spikes(&mut self, luck: &mut Luck, a_day: i64) {
        for day in (0..self.levels.len()).step_by(DAY) {
            for _ in 0..luck.of(0, a_day * 2) {
                let (from, takes, height) = (day + luck.time(0, DAY), luck.time(1, 20), luck.of(100, 900));
                self.job(luck, from, takes, height);
            }
        }
    }
    fn plant(mut self, from: usize, takes: usize, by: impl Fn(usize) -> i64) -> Self {
        self.add(from, takes, |at| by(at - from));
        self.odd = Some(from as u64..(from + takes) as u64);
        self
    }
    /// Nothing goes on for so long.
    fn quiet(mut self, from: usize, takes: usize) -> Self {
        self.levels[from..from + takes].fill(Some(20));
        Self { odd: Some(from as u64..(from + takes) as u64), ..self }
    }
}

fn is_weekend(minute: usize) -> bool {
    minute / DAY % 7 >= 5
}

/// From 0 at 4 in the morning to 1000 at 16 o'clock and back.
fn day_wave(minute: usize) -> i64 {
    let at = ((minute + DAY - 4 * HOUR) % DAY) as i64;
    let half = DAY as i64 / 2;
    let way = (half - (at - half).abs()) * 1000 / half;
    way * way / 1000 * (3000 - 2 * way) / 1000
}

fn idle(luck: &mut Luck, minutes: usize) -> Life {
    let base = luck.of(5, 60);
    let mut life = Life::new(luck, minutes, (base, 30));
    life.spikes(luck, 4);
    life
}

fn office(luck: &mut Luck, minutes: usize) -> Life {
    let mut life = idle(luck, minutes);
    let height = luck.of(200, 600);
    for day in (0..minutes).step_by(DAY).filter(|day| !is_weekend(*day)) {
        let from = day + luck.time(7 * HOUR + 30, 8 * HOUR + 30);
        let (to, noise) = (day + luck.time(17 * HOUR, 18 * HOUR + 30), luck.of(70, 130));
        life.add(from, to - from, |at| height * noise / 100 + (at % 7) as i64 * 10);
    }
    life
}

fn web(luck: &mut Luck, minutes: usize) -> Life {
    let mut life = Life::new(luck, minutes, (30, 60));
    let (height, weekend) = (luck.of(300, 700), luck.of(40, 90));
    for day in (0..minutes).step_by(DAY) {
        let share = luck.of(85, 115) * if is_weekend(day) { weekend } else { 100 };
        life.add(day, DAY, |at| day_wave(at) * height / 1000 * share / 10_000);
    }
    life.spikes(luck, 3);
    life
}

fn backup(luck: &mut Luck, minutes: usize) -> Life {
    let mut life = idle(luck, minutes);
    let (clock, takes, height) = (luck.time(0, 5 * HOUR), luck.time(40, 3 * HOUR), luck.of(300, 900));
    for day in (0..minutes).step_by(DAY) {
        let (late, longer) = (luck.time(0, 25), luck.time(85, 120));
        life.job(luck, day + clock + late, takes * longer / 100, height);
    }
    life
}

fn sunday(luck: &mut Luck, minutes: usize) -> Life {
    let mut life = idle(luck, minutes);
    let (clock, takes, height) = (luck.time(0, 20 * HOUR), luck.time(40, 4 * HOUR), luck.of(300, 900));
    for week in (6 * DAY..minutes).step_by(WEEK) {
        let late = luck.time(0, 25);
        life.job(luck, week + clock + late, takes, height);
    }
    life
}

fn builds(luck: &mut Luck, minutes: usize) -> Life {
    let mut life = idle(luck, minutes);
    for day in (0..minutes).step_by(DAY).filter(|day| !is_weekend(*day)) {
        for _ in 0..luck.of(2, 12) {
            let (from, takes) = (day + luck.time(8 * HOUR, 18 * HOUR), luck.time(5, 75));
            let height = luck.of(500, 1000);
            life.job(luck, from, takes, height);
        }
    }
    life
}

fn memory(luck: &mut Luck, minutes: usize) -> Life {
    let base = luck.of(150, 600);
    let mut life = Life { kind: CheckKind::Memory, ..Life::new(luck, minutes, (base, 10)) };
    let (height, every) = (luck.of(20, 150), luck.time(3 * HOUR, 60 * HOUR));
    life.add(0, minutes, |at| height * (at % every) as i64 / every as i64);
    life
}

/// Everything is an hour earlier from the third Sunday on.
fn saving(luck: &mut Luck, minutes: usize) -> Life {
    let shape = if luck.of(0, 1) == 0 { office } else { backup };
    let mut life = shape(luck, minutes + HOUR);
    life.levels.drain(20 * DAY..20 * DAY + HOUR);
    life
}

/// A workstation; sometimes it stays on over the night.
fn off(luck: &mut Luck, minutes: usize) -> Life {
    let mut life = builds(luck, minutes);
    for day in (0..minutes).step_by(DAY) {
        let stays = luck.of(0, 9) == 0;
        let (from, to) = (luck.time(7 * HOUR, 9 * HOUR), luck.time(16 * HOUR, 20 * HOUR));
        for (at, level) in life.levels.iter_mut().enumerate().skip(day).take(DAY) {
            if is_weekend(day) || !(stays || (from..to).contains(&(at - day))) {
                *level = None;
            }
        }
    }
    life
}

/// A weekday like a Sunday, in the third week.
fn holiday(luck: &mut Luck, minutes: usize) -> Life {
    let (mut life, quiet) = (office(luck, minutes), idle(luck, minutes));
    let day = luck.time(14, 18) * DAY;
    life.levels[day..day + DAY].copy_from_slice(&quiet.levels[day..day + DAY]);
    life
}

/// By hours or days, for hours or days, which the kernel does not call synchronised.
fn set(luck: &mut Luck, minutes: usize) -> Life {
    let (from, lasts) = (luck.time(4 * DAY, minutes - 8 * DAY), luck.time(HOUR, 4 * DAY));
    let wrong = luck.of(-30, 30) * if luck.of(0, 1) == 0 { 60 } else { 1440 };
    let clock = vec![(0, 0, true), (from as u64, wrong, false), ((from + lasts) as u64, 0, true)];
    Life { clock, ..office(luck, minutes) }
}

/// Once, of which nobody was told.
fn batch(luck: &mut Luck, minutes: usize) -> Life {
    let mut life = office(luck, minutes);
    let (from, takes) = (luck.time(10 * DAY, minutes - DAY), luck.time(HOUR, 10 * HOUR));
    let height = luck.of(300, 900);
    life.job(luck, from, takes, height);
    life
}

/// What matters most is that all other days are as always.
fn outage(luck: &mut Luck, minutes: usize) -> Life {
    let day = luck.time(8, 19);
    web(luck, minutes).quiet(day * DAY, DAY)
}

/// When and for how long.
fn later(luck: &mut Luck, minutes: usize) -> (usize, usize) {
    (luck.time(10 * DAY, minutes - DAY), luck.time(3 * HOUR, 12 * HOUR))
}

fn runaway_idle(luck: &mut Luck, minutes: usize) -> Life {
    let ((from, takes), height) = (later(luck, minutes), luck.of(250, 900));
    idle(luck, minutes).plant(from, takes, |_| height)
}

fn runaway_office(luck: &mut Luck, minutes: usize) -> Life {
    let ((from, takes), height) = (later(luck, minutes), luck.of(250, 600));
    let from = from / DAY * DAY + luck.time(19 * HOUR, 22 * HOUR);
    office(luck, minutes).plant(from, takes, |_| height)
}

fn runaway_web(luck: &mut Luck, minutes: usize) -> Life {
    let ((from, takes), height) = (later(luck, minutes), luck.of(250, 600));
    web(luck, minutes).plant(from, takes, |_| height)
}

fn leak(luck: &mut Luck, minutes: usize) -> Life {
    let ((from, _), height, takes) = (later(luck, minutes), luck.of(250, 400), luck.of(4, 24) * 60);
    memory(luck, minutes).plant(from, DAY, |at| (height * at as i64 / takes).min(height))
}

/// On a weekday, from between 10 and 14 o'clock on.
fn gone(luck: &mut Luck, minutes: usize) -> Life {
    let day = luck.time(2, 3) * WEEK + luck.time(0, 4) * DAY;
    let (from, takes) = (day + luck.time(10 * HOUR, 14 * HOUR), luck.time(2 * HOUR, 6 * HOUR));
    web(luck, minutes).quiet(from, takes)
}

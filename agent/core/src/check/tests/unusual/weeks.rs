//! How often it is wrong, how late it comes: weeks of simulated levels.
//!
//! A level's life begins with its agent's first start, on a Monday, and is read once a minute. Wrong is what is told while
//! nothing was planted, or more than an hour after that was over. Seeds are fixed and printed; the figures stand in
//! docs/operating.md.

mod shapes;

use super::*;
use crate::check::tests::weeks::shapes::Luck;
use shapes::{Life, SHAPES};

/// What came of some lives.
#[derive(Debug, Default)]
struct Sum {
    weeks: u64,
    /// Told and wrong; of these in the first week.
    wrong: usize,
    first: usize,
    /// What was planted, and what of it was not told.
    real: usize,
    missed: usize,
    /// Minutes from when it began until it was told, and from its end until it was taken back.
    delays: List<u64>,
    backs: List<u64>,
}

impl Sum {
    fn add(&mut self, other: Self) {
        self.weeks += other.weeks;
        self.wrong += other.wrong;
        self.first += other.first;
        self.real += other.real;
        self.missed += other.missed;
        self.delays.extend(other.delays);
        self.backs.extend(other.backs);
    }

    fn live(&mut self, life: &Life) {
        let minutes = life.levels.len() as u64;
        let host = Host { clock: life.clock.clone(), ..Host::new(life.kind) };
        let host = host.live(minutes, |at| life.levels[at as usize]);
        let (mut is_told, mut is_over) = (false, false);
        for (at, says) in &host.told {
            match (&life.odd, says) {
                (Some(odd), Some(_)) if odd.contains(at) => {
                    self.delays.extend((!is_told).then(|| at - odd.start));
                    is_told = true;
                }
                (Some(odd), Some(_)) if (odd.end..odd.end + HOUR).contains(at) => {}
                (Some(odd), None) if is_told && *at >= odd.end => {
                    self.backs.extend((!is_over).then(|| at - odd.end));
                    is_over = true;
                }
                (_, Some(_)) => {
                    self.wrong += 1;
                    self.first += usize::from(*at < WEEK);
                }
                (_, None) => {}
            }
        }
        self.weeks += minutes / WEEK;
        self.real += usize::from(life.odd.is_some());
        self.missed += usize::from(life.odd.is_some() && !is_told);
    }

    fn tell(&mut self, name: &str) {
        let Self { weeks, wrong, first, real, missed, .. } = *self;
        let [delays, backs] = [&mut self.delays, &mut self.backs].map(|all| {
            all.sort_unstable();
            [10, 50, 90].map(|share| all.get(all.len() * share / 100).copied().unwrap_or_default())
        });
        std::println!(
            "{name}: {weeks} weeks, wrong {wrong} ({first} in first weeks), real {real}, missed {missed}; minutes until told \
             (p10 p50 p90) {delays:?}, until taken back {backs:?}"
        );
    }
}

#[test]
fn what_is_told_of_simulated_weeks_is_seldom_wrong_and_comes_in_time() {
    let (mut calm, mut real) = (Sum::default(), Sum::default());
    for (seeds, (name, hosts, weeks, shape)) in (0..).step_by(1000).zip(SHAPES) {
        let mut sum = Sum::default();
        for seed in seeds..seeds + hosts {
            sum.live(&shape(&mut Luck(seed), weeks * WEEK as usize));
        }
        sum.tell(&std::format!("{name} (seeds from {seeds})"));
        (if sum.real == 0 { &mut calm } else { &mut real }).add(sum);
    }
    calm.tell("all in which nothing was planted");
    real.tell("all in which something was");
    assert!(calm.weeks + real.weeks > 1000);
    // Once in 20 weeks, beside the batches of which nobody was told.
    assert!(calm.wrong <= 50 && calm.first <= 2, "{calm:?}");
    assert!(real.wrong <= 12 && real.missed <= 12, "{real:?}");
}

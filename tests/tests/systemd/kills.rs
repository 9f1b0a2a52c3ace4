//! Many kills at random: each is followed by exactly one start.
//!
//! `PICKET_KILLS` says how many (default 30), `PICKET_SEED` which; a failing run prints both.

use super::host::{Host, Restart};
use rustix::process::Signal;

/// splitmix64: the same seed gives the same kills.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % limit
    }
}

fn number(key: &str, default: u64) -> u64 {
    std::env::var(key).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Purpose: over any order of ends, units and bus restarts, no end is answered twice and none is missed.
#[test]
fn every_random_kill_is_followed_by_exactly_one_start() {
    let (kills, seed) = (number("PICKET_KILLS", 30), number("PICKET_SEED", u64::from(std::process::id())));
    println!("PICKET_KILLS={kills} PICKET_SEED={seed}");
    let units = [Restart::No, Restart::Always, Restart::No];
    let Some(mut host) = Host::begin("every_random_kill_is_followed_by_exactly_one_start", &units) else {
        return;
    };
    let (mut dice, mut starts) = (Dice(seed), [1; 3]);
    for kill in 0..kills {
        let nth = usize::try_from(dice.below(3)).unwrap();
        let signal = [Signal::KILL, Signal::TERM, Signal::USR1][usize::try_from(dice.below(3)).unwrap()];
        let mut blind = match dice.below(10) {
            0 => {
                host.systemd.ctl(&["daemon-reload"]);
                None
            }
            1 => Some(host.restart_bus()),
            _ => None,
        };
        // Nobody could tell a stray SIGTERM from a stop while the bus is away: that is told, and left alone.
        if signal == Signal::TERM {
            blind.take().into_iter().for_each(|before| host.sees_again(before));
        }
        let before = host.pid(nth);
        host.signal(nth, signal);
        starts[nth] += 1;
        host.starts_are(nth, starts[nth]);
        host.alive_again(nth, before);
        // The next one may be a SIGTERM.
        blind.into_iter().for_each(|before| host.sees_again(before));
        println!("kill {kill}: web-{nth} by {signal:?}");
    }
    // A second start for one death would have come by the time a later death is healed.
    for (nth, wanted) in starts.iter_mut().enumerate() {
        host.signal(nth, Signal::KILL);
        *wanted += 1;
        host.starts_are(nth, *wanted);
    }
    assert_eq!([host.starts(0), host.starts(1), host.starts(2)], starts);
    let doubled = starts.iter().sum::<usize>() - (3 + usize::try_from(kills).unwrap() + 3);
    println!("{{\"figure\":\"double_restarts\",\"value\":{doubled},\"kills\":{kills},\"seed\":{seed}}}");
}

//! Round after round of random faults that overlap, then quiet; at the end nothing may be missing, doubled, down or open.
//!
//! The seed decides what goes wrong where and for how long. Moments are real time, so a seed gives the same faults but not the same
//! interleaving; what failed is told whole.

use super::super::agents::service;
use super::super::faults::Fault;
use super::super::world::{SILENCE, SOON, World};
use super::{Play, Scenario};
use crate::dice::Dice;
use crate::rig::account::Account;
use crate::rig::clock::Since;
use crate::rig::private_systemd::look_again;
use crate::rig::seed;
use picket_rpc::v1;
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Duration;

/// How many rounds.
const ROUNDS: usize = 50;
/// A round's faults last for less than this.
const LASTS: Duration = Duration::from_secs(6);
/// Remedies are never used up, and an open breaker rests for seconds: what is tried here is not patience.
const TUNED: &str = "budget = 32\nbudget_window = \"1m\"\nretry_after = \"5s\"\n";
/// How long coming to rest may take: an open breaker's rest doubles a few times, then the proof; and what is late is told.
const REST: Duration = Duration::from_secs(300);

/// See the module.
pub(super) const RANDOM: Scenario = Scenario {
    name: "rounds",
    says: "50 rounds of random faults on services, agents, links, machines and the collector, then quiet: every event exactly once or in \
           a gap, all services serve, and no incident is open",
    smoke: false,
    needs: &[],
    play: Play::Inside(|world| {
        let seed = seed();
        println!("{}", json!({ "fleet": "rounds", "seed": seed, "rounds": ROUNDS }));
        let mut dice = Dice::new(seed);
        for number in world.agents() {
            world.tell_to_file(number)?;
            world.tune(number, TUNED)?;
        }
        let mut done = BTreeMap::<&str, usize>::new();
        for round in 0..ROUNDS {
            let faults = Fault::some(&mut dice, world.agents());
            faults.iter().for_each(|fault| *done.entry(fault.name()).or_default() += 1);
            play_round(world, &faults, dice.span(LASTS))
                .map_err(|why| format!("seed {seed}, round {round}: {why}"))?;
        }
        let mut account = Account::default();
        let rest = at_rest(world, &mut account);
        let (told, late, lost) = account.figures();
        println!(
            "{}",
            json!({ "fleet": "rounds", "seed": seed, "faults": done, "told": told, "late": late, "named_lost": lost })
        );
        let violations = account.violations();
        rest.map_err(|why| format!("seed {seed}: {why}; {violations:?}"))
    }),
};

fn play_round(world: &mut World, faults: &[Fault], lasts: Duration) -> Result<(), String> {
    faults.iter().try_for_each(|fault| fault.begin(world))?;
    let since = Since::now();
    while !since.left(lasts).is_zero() {
        look_again();
    }
    faults.iter().try_for_each(|fault| fault.end(world))
}

/// Waits until all is well and every frame accounted for.
fn at_rest(world: &mut World, account: &mut Account) -> Result<(), String> {
    world.wait("the collector answers again", SILENCE, |world| world.reconnect().map(|()| true))?;
    let agents = world.agents();
    agents.clone().try_for_each(|number| start_what_was_left(world, number))?;
    agents.clone().try_for_each(|number| world.connected(number, REST))?;
    world.all_resolved(REST)?;
    for number in agents.clone() {
        let lines = world.told_lines(number)?;
        lines.lines().for_each(|line| account.line(line));
    }
    world.wait("every event is there or in a gap", SOON * 3, |world| {
        let events = world.all_events()?;
        account.events(&events);
        Ok(account.violations().is_empty())
    })?;
    agents.into_iter().try_for_each(|number| world.active(number, service(number)))?;
    world.all_resolved(SOON)
}

/// A unit that ended while no agent looked may have been stopped: its agent says so and leaves it to an operator.
fn start_what_was_left(world: &mut World, number: usize) -> Result<(), String> {
    let unit = service(number);
    world.wait(&format!("{unit} of h{number} is active, or said to be left"), REST, |world| {
        let is_left =
            |found: v1::Service| matches!(found.intent(), v1::Intent::Stopped | v1::Intent::Unknown);
        let is_left = world.service(number, unit)?.is_some_and(is_left);
        if is_left {
            world.host(number).does(&["systemctl", "start", unit])?;
        }
        Ok(world.active(number, unit).is_ok())
    })
}

//! Reboots: told before they are done, counted over the boot, and never above their budget.

use super::recovery::outcomes;
use super::sim::{kept, ms};
use super::world::{World, spec};
use crate::Input;
use crate::hold;
use crate::service::{self, Act, Away, Fact, Phase, Reboots};
use picket_proto::event::{self, Outcome, Remedy};
use picket_proto::{Mono, Ranges, Seq, SeqRange, Span};
use std::vec;
use std::vec::Vec;

const DAY: Span = Span::from_secs(86_400);

fn last_resort() -> service::Spec {
    let ladder = [Remedy::Restart, Remedy::Reboot].into_iter().collect();
    service::Spec {
        ladder,
        reboots: Some(Reboots { most: 1, per: DAY }),
        same_deaths: 100,
        budget_window: ms(60_000),
        ..spec("web")
    }
}

fn reboots(world: &World) -> Vec<u64> {
    let acts = world.acts.iter().filter(|(_, act)| *act == Act::Reboot { service: 0 });
    acts.map(|(at, _)| *at).collect()
}

fn begun(world: &World, wanted: Remedy) -> Vec<u64> {
    let begun = world.told.iter().filter_map(|(at, fact)| match fact {
        event::Fact::Remedy(begun) if begun.remedy == wanted => Some(*at),
        _ => None,
    });
    begun.collect()
}

/// A service that answers no more, whatever is done: up to the reboot being told.
fn told(seed: u64) -> World {
    told_of(seed, last_resort())
}

fn told_of(seed: u64, spec: service::Spec) -> World {
    let mut world = World::running(seed, vec![spec]);
    world.sims[0].sick = true;
    while begun(&world, Remedy::Reboot).is_empty() {
        let until = world.at + 60_000_000;
        assert!(world.step(until), "a reboot comes: {:#?}", world.story(0));
    }
    world
}

/// The next run, `gone` ms after the end of the old one; after a boot nothing lives.
fn next(old: &World, seed: u64, away: Away) -> World {
    let mut new = World::new(seed, vec![last_resort()]);
    new.at = if away == Away::OtherBoot { 1_000_000 } else { old.at };
    new.next_pid = old.next_pid;
    assert!(!new.agent.restore(Mono::from_micros(new.at), away, &kept(&old.agent)).damaged);
    new
}

#[test]
fn without_a_collector_it_is_told_for_ten_seconds_and_kept_before_it_is_done() {
    let mut world = told(1);
    let (at, from) = (world.at, begun(&world, Remedy::Reboot)[0]);
    assert!(world.kept.as_ref().is_some_and(|(kept, _)| *kept >= from), "the budget is written first");
    world.run(9_900);
    assert_eq!(reboots(&world), [0_u64; 0]);
    world.run(200);
    assert_eq!(reboots(&world), [at + 10_000_000]);
    world.run(290_000);
    assert_eq!(reboots(&world).len(), 1);
    world.run(20_000);
    let why = "the host did not go down within 5 min";
    let not_done = |it: &Outcome| matches!(it, Outcome::NotDone { why: told } if told.as_str() == why);
    assert!(outcomes(&world).iter().any(not_done), "{:#?}", world.story(0));
}

#[test]
fn a_collector_that_has_heard_it_is_waited_for_no_longer() {
    let mut world = told(2);
    world.opened();
    world.run(1_000);
    assert_eq!(reboots(&world), [0_u64; 0], "sent is not heard");
    let last = world.agent.spool_view().last;
    let mut all = Ranges::new();
    all.insert(SeqRange::new(Seq(1), last).unwrap()).unwrap();
    world.acked(&all);
    assert_eq!(world.agent.spool_view().frames, 0);
    assert_eq!(reboots(&world), [world.at]);
}

#[test]
fn what_it_came_to_is_proved_after_the_boot_and_the_budget_outlives_it() {
    let mut old = told(3);
    old.run(20_000);
    let mut new = next(&old, 30, Away::OtherBoot);
    new.input(Input::Service(Fact::Absent { service: 0 }));
    new.run(20_000);
    assert!(matches!(outcomes(&new)[..], [Outcome::Held { .. }]), "{:#?}", new.story(0));
    let remedy = new.told.iter().find_map(|(_, fact)| match fact {
        event::Fact::Outcome(ended) => Some(ended.remedy),
        _ => None,
    });
    assert_eq!((remedy, new.agent.service_at(0).unwrap().phase()), (Some(Remedy::Reboot), Phase::Running));
    for boot in 0..3 {
        new.sims[0].sick = true;
        new.run(60_000);
        assert_eq!(reboots(&new), [0_u64; 0], "boot {boot}");
        if boot == 0 {
            let why = "the host was rebooted as often as it may be";
            let not_done =
                |it: &Outcome| matches!(it, Outcome::NotDone { why: told } if told.as_str() == why);
            assert!(outcomes(&new).iter().any(not_done), "{:#?}", new.story(0));
            assert!(begun(&new, Remedy::Restart).len() > 1, "what is left goes on: {:#?}", new.story(0));
        }
        new = next(&new, 31 + boot, Away::OtherBoot);
        new.input(Input::Service(Fact::Absent { service: 0 }));
        new.run(20_000);
    }
    (0..24).for_each(|_| new.run(3_600_000));
    assert_eq!((new.agent.service_at(0).unwrap().phase(), reboots(&new).len()), (Phase::Running, 0));
    new.sims[0].sick = true;
    new.run(120_000);
    assert_eq!(reboots(&new).len(), 1, "a day of uptime later: {:#?}", new.story(86_400_000_000));
}

#[test]
fn a_unit_that_the_boot_itself_started_proves_it_too() {
    let mut old = told(4);
    old.run(20_000);
    let mut new = next(&old, 40, Away::OtherBoot);
    new.sims[0].alive = Some(77);
    new.input(Input::Service(Fact::Started { service: 0, pid: 77, adopted: true }));
    new.run(20_000);
    assert!(matches!(outcomes(&new)[..], [Outcome::Held { .. }]), "{:#?}", new.story(0));
}

#[test]
fn a_command_that_fails_is_told_and_the_rest_of_the_ladder_follows() {
    let mut world = told(5);
    world.run(11_000);
    world.input(Input::Service(Fact::NotRebooted { service: 0, why: "no such file" }));
    world.sims[0].sick = false;
    world.run(30_000);
    let outcomes = outcomes(&world);
    let not_done = |it: &Outcome| matches!(it, Outcome::NotDone { why } if why.as_str() == "no such file");
    assert!(outcomes.iter().any(not_done), "{outcomes:?}");
    assert_eq!((reboots(&world).len(), world.agent.service_at(0).unwrap().phase()), (1, Phase::Running));
}

#[test]
fn what_a_version_without_reboots_kept_is_read() {
    let mut bytes = kept(&told(6).agent);
    let old = {
        let mut world = World::running(7, vec![spec("web")]);
        world.kill(0);
        world.run(100);
        kept(&world.agent)
    };
    // Version 1 goes on with the services where this one has the reboots: none, and for nobody.
    assert_eq!(old[..4], [2, 0, 0, 0]);
    let older = [&[1, 0][..], &old[4..]].concat();
    let mut world = World::new(8, vec![spec("web")]);
    let restored = world.agent.restore(Mono::from_micros(1), Away::SameBoot(Span::ZERO), &older);
    assert_eq!((restored.services, restored.damaged), (1, false));
    bytes[0] = 4;
    let mut world = World::new(9, vec![spec("web")]);
    assert!(world.agent.restore(Mono::from_micros(1), Away::OtherBoot, &bytes).damaged);
}

/// With isolation behind the reboot, and little time between the rungs.
fn isolated_in_the_end() -> service::Spec {
    let ladder = [Remedy::Restart, Remedy::Reboot, Remedy::Isolate].into_iter().collect();
    service::Spec { ladder, backoff_first: ms(200), backoff_max: ms(200), ..last_resort() }
}

#[test]
fn what_heals_while_the_collector_is_told_is_left_alone_and_costs_no_reboot() {
    let mut world = told_of(10, isolated_in_the_end());
    let pid = world.sims[0].alive;
    world.run(1_000);
    world.sims[0].sick = false;
    world.run(60_000);
    assert_eq!(reboots(&world), [0_u64; 0], "{:#?}", world.story(0));
    let view = world.agent.service_at(0).unwrap();
    assert_eq!((view.phase(), world.sims[0].alive), (Phase::Running, pid), "{:#?}", world.story(0));
    let why = "it healed before the host went down";
    assert!(
        matches!(&outcomes(&world)[..], [.., Outcome::NotDone { why: told }, Outcome::Held { .. }] if told.as_str() == why),
        "{:#?}",
        outcomes(&world)
    );
    world.run(3_600_000);
    world.sims[0].sick = true;
    world.run(120_000);
    assert_eq!(reboots(&world).len(), 1, "the one that was called off was none: {:#?}", world.story(0));
}

#[test]
fn what_is_paused_while_the_collector_is_told_is_rebooted_when_the_pause_ends() {
    for budget in [1, 5] {
        let mut world = told_of(11, service::Spec { budget: budget + 1, ..isolated_in_the_end() });
        let pid = world.sims[0].alive;
        let fact = hold::Fact { service: None, lasts: Some(Span::from_secs(3_600)), by: "root" };
        world.input(Input::Asked(crate::Asked::Hold(fact)));
        world.run(3_590_000);
        assert_eq!((reboots(&world), world.sims[0].alive), (Vec::new(), pid), "{:#?}", world.story(0));
        world.run(60_000);
        assert_eq!(reboots(&world).len(), 1, "{budget}: {:#?}", world.story(0));
    }
}

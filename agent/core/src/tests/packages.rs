//! The versions of a service's packages: when one counts as good, when it is put back, and what its scripts do meanwhile.

use super::files::{begun, remedies};
use super::recovery::{opened, outcomes};
use super::sim::{Files, kept};
use super::world::{World, spec};
use crate::service::files::{Good, Order};
use crate::service::{self, Act, Away, Fact, Kept, Phase, Reboots};
use crate::{Asked, Input, hold};
use picket_proto::event::{Exit, Outcome, Remedy, Trigger};
use picket_proto::{Mono, Span};
use std::vec;

const AFTER: Span = Span::from_secs(10);
const BOTH: [Remedy; 2] = [Remedy::Restart, Remedy::Package];

fn with(ladder: &[Remedy]) -> service::Spec {
    let packages = Some(Good { after: AFTER, precheck: false });
    service::Spec { ladder: ladder.iter().copied().collect(), packages, ..spec("web") }
}

/// A service that is up with version 0, which is known to be good.
fn running(seed: u64) -> World {
    let world = World::running(seed, vec![with(&BOTH)]);
    assert_eq!(packages(&world).good, Some(0), "it was well with it for as long");
    world
}

/// Somebody upgrades to a version with which it dies.
fn upgraded(world: &mut World) {
    let packages = &mut world.sims[0].packages;
    (packages.now, packages.broken) = (1, vec![1]);
    world.kill(0);
}

fn packages(world: &World) -> &Files {
    &world.sims[0].packages
}

fn names_the_change(trigger: &Trigger) -> bool {
    matches!(trigger, Trigger::Changed(name) if name.as_str() == "/etc/it-1")
}

#[test]
fn what_died_of_an_upgrade_gets_its_good_version_and_is_proved() {
    let mut world = running(1);
    upgraded(&mut world);
    world.run(30_000);
    let begun = begun(&world);
    assert!(begun.len() == 2 && begun[1].0 == Remedy::Package && names_the_change(&begun[1].1), "{begun:?}");
    assert!(
        matches!(outcomes(&world)[..], [Outcome::Died(_), Outcome::Held { .. }]),
        "{:#?}",
        world.story(0)
    );
    assert_eq!((packages(&world).now, packages(&world).aside), (0, None), "it has held: it is closed");
    let view = world.agent.service_at(0).unwrap();
    assert_eq!((view.phase(), view.packages(), view.files()), (Phase::Running, Some(Kept::RolledBack), None));
}

#[test]
fn where_the_good_version_does_not_help_the_newer_one_is_installed_again_before_anything_else() {
    let mut world = running(2);
    world.sims[0].packages.broken = vec![0, 1];
    upgraded(&mut world);
    world.sims[0].packages.broken = vec![0, 1];
    world.run(60_000);
    assert_eq!((packages(&world).now, packages(&world).aside), (1, None), "{:#?}", world.story(0));
    let view = world.agent.service_at(0).unwrap();
    assert!(matches!(view.packages(), Some(Kept::Changed(_))), "{:?}", view.packages());
    assert_eq!(remedies(&world), [Remedy::Restart, Remedy::Package, Remedy::Restart]);
    let rolls = packages(&world).orders.iter().filter(|order| **order == Order::RollBack).count();
    assert_eq!((rolls, opened(&world).len()), (1, 1), "{:#?}", world.story(0));
}

/// What kept the good version away is mended: a person's try begins with a restart, and goes on where they say so.
#[test]
fn a_persons_try_goes_on_up_the_ladder_only_where_they_say_so() {
    let mut world = running(11);
    world.sims[0].packages.busy = true;
    upgraded(&mut world);
    while opened(&world).is_empty() {
        let until = world.at + 60_000_000;
        assert!(world.step(until), "it opens: {:#?}", world.story(0));
    }
    world.sims[0].packages.busy = false;
    let mut tried = |goes_on| {
        let before = remedies(&world).len();
        world.input(Input::Asked(Asked::Try { service: 0, goes_on }));
        world.run(20_000);
        (remedies(&world)[before..].to_vec(), packages(&world).now)
    };
    assert_eq!(tried(false), (vec![Remedy::Restart], 1));
    assert_eq!(tried(false), (vec![Remedy::Restart], 1));
    assert_eq!(tried(true), (vec![Remedy::Package], 0));
    assert_eq!(world.agent.service_at(0).unwrap().phase(), Phase::Running);
}

#[test]
fn what_can_not_be_undone_is_seen_as_rolled_back() {
    let mut world = running(10);
    upgraded(&mut world);
    (world.sims[0].packages.broken, world.sims[0].packages.stuck) = (vec![0, 1], true);
    world.run(60_000);
    assert!(packages(&world).orders.contains(&Order::Undo), "{:#?}", world.story(0));
    assert_eq!((packages(&world).now, packages(&world).aside), (0, None));
    assert_eq!(world.agent.service_at(0).unwrap().packages(), Some(Kept::RolledBack));
}

#[test]
fn a_version_that_did_not_change_is_passed_over() {
    let mut world = running(3);
    world.sims[0].dies = Some((20, Exit::Code(1), "no".into()));
    world.kill(0);
    world.run(60_000);
    assert!(remedies(&world).iter().all(|remedy| *remedy == Remedy::Restart), "{:#?}", world.story(0));
    assert!(!packages(&world).orders.contains(&Order::RollBack));
}

#[test]
fn while_others_are_at_work_nothing_is_tried_and_later_it_is() {
    let mut world = running(4);
    world.sims[0].packages.busy = true;
    upgraded(&mut world);
    world.run(1_000);
    while outcomes(&world).len() < 2 {
        let until = world.at + 60_000_000;
        assert!(world.step(until), "{:#?}", world.story(0));
    }
    let is_told = |outcome: &Outcome| matches!(outcome, Outcome::NotDone { why } if why.as_str() == "the package manager is at work: not tried");
    assert!(outcomes(&world).iter().any(is_told), "{:#?}", world.story(0));
    assert_eq!(packages(&world).now, 1);
    world.sims[0].packages.busy = false;
    world.run(200_000);
    assert_eq!(packages(&world).now, 0, "{:#?}", world.story(0));
    assert_eq!(world.agent.service_at(0).unwrap().phase(), Phase::Running);
}

#[test]
fn a_hold_keeps_packages_as_they_are() {
    let mut world = running(5);
    let hold = hold::Fact { service: None, lasts: Some(Span::from_secs(600)), by: "root" };
    world.input(Input::Asked(Asked::Hold(hold)));
    upgraded(&mut world);
    world.run(500_000);
    assert!(remedies(&world).is_empty() && !packages(&world).orders.contains(&Order::RollBack));
}

/// Nobody knows which version a process that was found running began with; if it is wrong, there is nothing to put back.
#[test]
fn the_first_version_that_was_there_for_long_enough_is_good_and_a_later_one_only_after_a_start() {
    let mut world = World::new(6, vec![with(&BOTH)]);
    (world.sims[0].alive, world.sims[0].listens_at) = (Some(7), 0);
    world.input(Input::Service(Fact::Started { service: 0, pid: 7, adopted: true }));
    world.run(9_000);
    assert_eq!(packages(&world).good, None);
    world.run(15_000);
    assert_eq!(packages(&world).good, Some(0), "{:?}", packages(&world).orders);
    world.sims[0].packages.now = 1;
    world.run(120_000);
    assert_eq!(packages(&world).good, Some(0), "two minutes beside a process that began with another");
    world.kill(0);
    world.run(15_000);
    assert_eq!(packages(&world).good, Some(1));
}

/// A host is upgraded and rebooted: its services began before the agent looked, and run with the newer version.
#[test]
fn what_runs_with_a_newer_version_since_before_this_run_has_that_as_its_good_one() {
    let mut world = running(9);
    let bytes = kept(&world.agent);
    let mut new = World::new(10, vec![with(&BOTH)]);
    (new.at, new.next_pid) = (world.at + 100_000, world.next_pid);
    new.sims = core::mem::take(&mut world.sims);
    new.sims[0].packages.now = 1;
    (new.sims[0].alive, new.sims[0].listens_at) = (Some(7), 0);
    assert!(!new.agent.restore(Mono::from_micros(new.at), Away::OtherBoot, &bytes).damaged);
    new.input(Input::Service(Fact::Started { service: 0, pid: 7, adopted: true }));
    new.run(9_000);
    assert_eq!(packages(&new).good, Some(0));
    new.run(25_000);
    assert_eq!(packages(&new).good, Some(1), "{:?}", packages(&new).orders);
    new.sims[0].packages.now = 2;
    new.run(120_000);
    assert_eq!(packages(&new).good, Some(1), "what is installed beside it proves nothing");
}

/// The agent was killed while the packages were put back: the version that is there is the one that begins next.
#[test]
fn the_next_run_of_the_agent_finds_what_was_installed_and_brings_it_to_its_end() {
    for helps in [true, false] {
        let mut world = running(7);
        upgraded(&mut world);
        while packages(&world).aside.is_none() {
            let until = world.at + 10_000_000;
            assert!(world.step(until), "it comes: {:#?}", world.story(0));
        }
        let bytes = kept(&world.agent);
        let mut new = World::new(8, vec![with(&BOTH)]);
        (new.at, new.next_pid) = (world.at + 100_000, world.next_pid);
        new.sims = core::mem::take(&mut world.sims);
        if !helps {
            new.sims[0].packages.broken = vec![0, 1];
        }
        let away = Away::SameBoot(Span::from_millis(100));
        assert!(!new.agent.restore(Mono::from_micros(new.at), away, &bytes).damaged);
        new.input(Input::Service(Fact::Absent { service: 0 }));
        new.run(if helps { 20_000 } else { 8_000 });
        assert_eq!(packages(&new).aside, None, "helps: {helps}: {:#?}", new.story(0));
        assert_eq!(packages(&new).now, if helps { 0 } else { 1 }, "helps: {helps}: {:#?}", new.story(0));
    }
}

/// One service asks for a reboot while the packages of another are being put back.
#[test]
fn a_reboot_waits_for_what_is_being_installed() {
    let reboots = Some(Reboots { most: 1, per: Span::from_secs(86_400) });
    let ladder = [Remedy::Restart, Remedy::Reboot].into_iter().collect();
    let last_resort = service::Spec { ladder, reboots, same_deaths: 100, ..spec("db") };
    for slow in [60_000, 3_600_000] {
        let mut world = World::running(9, vec![with(&BOTH), last_resort.clone()]);
        world.sims[1].sick = true;
        while !remedies(&world).contains(&Remedy::Reboot) {
            let until = world.at + 60_000_000;
            assert!(world.step(until), "a reboot comes: {:#?}", world.story(0));
        }
        world.sims[0].packages.slow = slow;
        upgraded(&mut world);
        world.run(50_000);
        let is_ordered = |world: &World| world.acts.iter().any(|(_, act)| *act == Act::Reboot { service: 1 });
        assert!(
            packages(&world).orders.contains(&Order::RollBack) && !is_ordered(&world),
            "{:#?}",
            world.story(0)
        );
        world.run(if slow == 60_000 { 30_000 } else { 1_880_000 });
        assert!(is_ordered(&world), "after {slow} ms: {:#?}", world.story(0));
    }
}

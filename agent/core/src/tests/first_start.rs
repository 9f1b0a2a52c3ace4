//! The first start of a run: what counts as having been up, and what follows when it fails.

use super::recovery::{opened, outcomes, starts};
use super::world::{Sim, World, check_spec, spec};
use crate::Input;
use crate::service::{self, Act};
use picket_proto::event::{Because, CheckKind, Exit, Fact, Outcome, Verdict};
use std::string::String;
use std::vec;
use std::vec::Vec;

#[test]
fn failures_while_a_service_starts_are_no_verdict() {
    let mut world = World::new(9, vec![spec("slow")]);
    world.sims[0].boots = Some(4_000);
    world.input(Input::Service(service::Fact::Absent { service: 0 }));
    world.run(20_000);
    assert!(world.told.iter().all(|(_, fact)| !matches!(fact, Fact::Verdict(it) if it.to == Verdict::Down)));
    assert_eq!(starts(&world, 0).len(), 1);
}

#[test]
fn a_first_start_that_fails_waits_before_the_second() {
    let mut world = World::new(12, vec![spec("web")]);
    world.sims[0].dies = Some((20, Exit::Code(1), String::new()));
    world.input(Input::Service(service::Fact::Absent { service: 0 }));
    world.run(60_000);
    let starts = starts(&world, 0);
    assert!(starts[1] - starts[0] >= 750_000, "{starts:?}");
    assert_eq!(opened(&world)[0].1, Because::SameDeath(3));
}

#[test]
fn a_first_start_that_had_passed_is_restarted_with_its_exit() {
    let mut world = World::new(17, vec![spec("web")]);
    world.input(Input::Service(service::Fact::Absent { service: 0 }));
    world.run(1_200);
    let killed = world.at;
    world.kill(0);
    assert_eq!(
        starts(&world, killed),
        [killed],
        "it was up before its hold had passed: {:#?}",
        world.story(0)
    );
    world.run(100);
    let again = world.at;
    world.kill(0);
    world.run(20_000);
    assert!(starts(&world, again)[0] - again >= 750_000, "a remedy that did not hold is no first restart");
    assert!(matches!(outcomes(&world)[..], [Outcome::Died(Exit::Signal(9)), Outcome::Held { .. }]));
}

#[test]
fn a_first_start_whose_check_fails_again_within_the_hold_is_stopped_at_once() {
    let mut world = World::new(18, vec![spec("web")]);
    world.input(Input::Service(service::Fact::Absent { service: 0 }));
    world.run(100);
    world.sims[0].sick = true;
    let from = world.at;
    world.run(3_000);
    let failed = world.probes.iter().filter(|(at, check)| *at >= from && *check == 1).nth(1).unwrap().0;
    let acts: Vec<_> = world.acts.iter().filter(|(at, _)| *at >= from).collect();
    assert_eq!(*acts[0], (failed, Act::Stop { service: 0 }), "with the second bad reading in a row");
}

#[test]
fn a_first_start_that_only_lived_briefly_has_not_passed() {
    let checks = vec![check_spec("web.process", CheckKind::Process, 0)];
    let mut world = World::with(19, checks, vec![spec("web")], 65_536);
    world.sims = vec![Sim::healthy()];
    world.input(Input::Service(service::Fact::Absent { service: 0 }));
    world.run(200);
    let killed = world.at;
    world.kill(0);
    world.run(20_000);
    assert!(starts(&world, killed)[0] - killed >= 750_000, "nothing looks into it, and it lived for 200 ms");
}

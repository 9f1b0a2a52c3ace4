//! Checks of a service that tell of what has happened: no reason for a remedy, and nothing that a remedy has to prove.

use super::recovery::starts;
use super::world::{Sim, World, check_spec, spec};
use crate::Input;
use crate::check::{self, Limits, Side};
use crate::service::{self, Phase};
use picket_proto::event::{CheckKind, Fact, Verdict};
use std::string::ToString;
use std::vec;

/// A service with a check of its log, in which there is always a line.
fn noisy(seed: u64) -> World {
    let limits = Some(Limits { degraded: 1, down: 1, bad: Side::Above });
    let checks = vec![
        check_spec("web.process", CheckKind::Process, 0),
        check_spec("web.tcp", CheckKind::Tcp, 0),
        check::Spec { limits, fall: 1, ..check_spec("web.log", CheckKind::Log, 0) },
    ];
    let mut world = World::with(seed, checks, vec![spec("web")], 64 * 1024);
    world.sims.push(Sim::healthy());
    world.level = Some(3);
    world.input(Input::Service(service::Fact::Absent { service: 0 }));
    world.run(20_000);
    world
}

#[test]
fn a_line_in_its_log_is_told_and_restarts_nothing() {
    let mut world = noisy(1);
    world.run(60_000);
    let told = world.told.iter().any(|(_, fact)| {
        matches!(fact, Fact::Verdict(it) if it.check.as_str() == "web.log" && it.to == Verdict::Down)
    });
    assert!(told, "{:#?}", world.told);
    assert_eq!((starts(&world, 0).len(), world.agent.service_at(0).unwrap().phase()), (1, Phase::Running));
}

#[test]
fn a_restart_is_proved_although_its_log_complains() {
    let mut world = noisy(2);
    world.kill(0);
    world.run(10_000);
    let held = world.told.iter().any(|(_, fact)| fact.to_string().contains("recovered, verified"));
    assert!(held, "{:#?}", world.story(0));
    assert_eq!(starts(&world, 0).len(), 2);
}

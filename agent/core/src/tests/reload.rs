//! A new configuration in the middle of life: what did not change is not touched, and no answer reaches another check.

mod places;

use super::replay::cases;
use super::sameness::{Owned, hand_in, input};
use super::sim::check_spec;
use super::world::{World, spec};
use crate::check::{self, Reading};
use crate::reload::{Fact, Full, Seated};
use crate::service::{self, Act, Phase};
use crate::session::Order;
use crate::{Ending, Input};
use picket_proto::event::{self, Cause, CheckKind, Verdict};
use picket_proto::{Name, Span};
use proptest::prelude::*;
use std::format;
use std::string::{String, ToString};
use std::vec::Vec;

/// A configuration in the order of a file.
#[derive(Debug, Clone)]
struct File {
    services: Vec<service::Spec>,
    checks: Vec<check::Spec>,
}

/// Services with a process and a tcp check each.
fn file(names: &[&str]) -> File {
    let mut checks = Vec::new();
    for (at, name) in (0..).zip(names) {
        checks.push(check_spec(&format!("{name}.process"), CheckKind::Process, at));
        checks.push(check_spec(&format!("{name}.tcp"), CheckKind::Tcp, at));
    }
    File { services: names.iter().map(|name| spec(name)).collect(), checks }
}

/// A world with this file and room for more.
fn world(seed: u64, file: &File, free: usize) -> World {
    let (checks, services) = (file.checks.clone(), file.services.clone());
    let mut world = World::roomy(seed, checks, services, (64 * 1024, free));
    world.sims = (0..file.services.len() + free).map(|_| super::sim::Sim::healthy()).collect();
    world
}

/// The same, up and proved.
fn running(seed: u64, file: &File, free: usize) -> World {
    let mut world = world(seed, file, free);
    for service in 0..file.services.len() {
        world.input(Input::Service(service::Fact::Absent { service: service as u16 }));
    }
    world.run(20_000);
    world
}

/// Does what the shell does: asks for places, then hands the whole in. `other`: checks that look elsewhere now.
fn reload(world: &mut World, file: &File, other: &[&str]) -> Result<(), Full> {
    let names: Vec<Name> = file.services.iter().map(|spec| spec.name.clone()).collect();
    let mut places = std::vec![0; names.len()];
    world.agent.seat_services(&names, &mut places)?;
    let names: Vec<Name> = file.checks.iter().map(|spec| spec.name.clone()).collect();
    let mut seats = std::vec![0; names.len()];
    world.agent.seat_checks(&names, &mut seats)?;
    let services: Vec<_> = (places.iter().zip(&file.services))
        .map(|(ix, spec)| Seated { ix: *ix, spec: spec.clone(), is_same: true })
        .collect();
    let checks: Vec<_> = (seats.iter().zip(&file.checks))
        .map(|(ix, spec)| {
            let service = spec.service.map(|service| places[usize::from(service)]);
            let is_same = !other.contains(&spec.name.as_str());
            Seated { ix: *ix, spec: check::Spec { service, ..spec.clone() }, is_same }
        })
        .collect();
    world.input(Input::Reload(Fact { services: &services, checks: &checks }));
    Ok(())
}

fn read(world: &mut World, check: u16, reading: Reading) {
    world.input(Input::Check(check::Fact::new(check, reading)));
}

fn names(world: &World) -> Vec<String> {
    let checks = (0..world.agent.checks_end()).filter_map(|ix| world.agent.check_at(ix));
    checks.map(|slot| format!("{}", slot.spec().name)).collect()
}

fn opened(world: &mut World) {
    world.opened();
    world.all_sent();
}

proptest! {
    #![proptest_config(cases(64))]
    #[test]
    fn a_reload_of_the_same_is_as_if_only_time_had_been_looked_at(
        seed in any::<u64>(),
        script in proptest::collection::vec((input(), any::<bool>()), 1..60),
    ) {
        let file = file(&["a", "b", "c"]);
        let lived = |reloads: bool| {
            let mut world = world(seed, &file, 3);
            for (input, looks) in &script {
                hand_in(&mut world, input);
                match (looks, reloads) {
                    (true, true) => reload(&mut world, &file, &[]).unwrap(),
                    (true, false) => hand_in(&mut world, &Owned::Time),
                    (false, _) => {}
                }
            }
            world.log
        };
        prop_assert!(lived(true) == lived(false), "seed {}", seed);
    }

    /// Services and checks come and go at random. Every answer is about a check that was asked for it: an agent that
    /// gave an answer to another check would see a reading without a probe, or a probe without an end.
    #[test]
    fn names_keep_their_places_and_answers_find_no_other_check(
        seed in any::<u64>(),
        steps in proptest::collection::vec((0_u8..32, 0_u64..3_000), 1..25),
    ) {
        let every = ["a", "b", "c", "d", "e"];
        let mut world = world(seed, &file(&every[..1]), 9);
        world.input(Input::Service(service::Fact::Absent { service: 0 }));
        let mut bound: Vec<Option<String>> = std::vec![None; 16];
        for (mask, wait) in steps {
            let have: Vec<&str> =
                every.iter().enumerate().filter(|(at, _)| mask >> at & 1 == 1).map(|(_, name)| *name).collect();
            let before = world.agent.services_end();
            reload(&mut world, &file(&have), &[]).unwrap();
            for ix in 0..world.agent.services_end() {
                let fresh = world.agent.service_at(ix).is_some_and(|view| view.phase() == Phase::Unknown);
                if fresh || ix >= before {
                    world.input(Input::Service(service::Fact::Absent { service: ix }));
                }
            }
            let mut seen: Vec<String> = names(&world);
            seen.sort();
            let mut wanted: Vec<String> =
                have.iter().flat_map(|name| [format!("{name}.process"), format!("{name}.tcp")]).collect();
            wanted.sort();
            prop_assert_eq!(seen, wanted);
            for ix in 0..world.agent.checks_end() {
                let Some(slot) = world.agent.check_at(ix) else { continue };
                let name = format!("{}", slot.spec().name);
                let place = &mut bound[usize::from(ix)];
                prop_assert!(place.as_ref().is_none_or(|old| *old == name), "{} was {:?}", name, place);
                *place = Some(name);
            }
            let refused = world.agent.refused();
            world.run(wait);
            let late = world.agent.refused() - refused;
            prop_assert!(late <= 10, "only what is told of services that are gone is refused: {}", late);
        }
        world.stop(Ending::LeaveServices);
        world.run(10_000);
        prop_assert!(world.ended);
    }
}

#[test]
fn what_is_new_is_started_and_watched_and_what_stays_is_not_touched() {
    let mut world = running(1, &file(&["web"]), 4);
    opened(&mut world);
    let (told, acts) = (world.told.len(), world.acts.len());
    reload(&mut world, &file(&["db", "web"]), &[]).unwrap();
    assert_eq!(world.acts.len(), acts, "whether the new one lives is not known yet");
    assert!(world.orders.iter().any(|(_, order)| *order == Order::Close), "the collector must hear of it");
    world.input(Input::Service(service::Fact::Absent { service: 1 }));
    assert_eq!(world.acts.last().map(|(_, act)| *act), Some(Act::Start { service: 1 }));
    world.run(20_000);
    let new: Vec<String> = world.told[told..].iter().map(|(_, fact)| fact.to_string()).collect();
    assert!(new.iter().all(|fact| fact.contains("db")), "{new:?}");
    let verdict = |ix| world.agent.check_at(ix).map(check::Slot::verdict);
    assert_eq!([0, 1, 2, 3].map(verdict), [Some(Verdict::Up); 4]);
}

#[test]
fn what_is_gone_is_neither_probed_nor_healed_nor_told() {
    let mut world = running(2, &file(&["web", "db"]), 4);
    reload(&mut world, &file(&["web"]), &[]).unwrap();
    let (acts, probes, told) = (world.acts.len(), world.probes.len(), world.told.len());
    world.kill(1);
    world.run(120_000);
    assert_eq!((world.acts.len(), world.told.len()), (acts, told));
    assert!(world.probes[probes..].iter().all(|(_, check)| *check < 2));
    assert!(world.agent.check_at(2).is_none() && world.agent.service_at(1).is_none());
    world.stop(Ending::StopServices);
    assert!(!world.acts.iter().any(|(_, act)| *act == Act::Stop { service: 1 }), "it is let alone");
    world.run(10_000);
    assert!(world.ended);
}

#[test]
fn a_service_that_comes_back_is_taken_over_where_it_lives() {
    let mut world = running(3, &file(&["web", "db"]), 0);
    reload(&mut world, &file(&["web"]), &[]).unwrap();
    world.run(5_000);
    reload(&mut world, &file(&["db", "web"]), &[]).unwrap();
    let (pid, acts) = (world.sims[1].alive.unwrap(), world.acts.len());
    world.input(Input::Service(service::Fact::Started { service: 1, pid, adopted: true }));
    world.run(20_000);
    assert_eq!(world.acts.len(), acts);
    assert_eq!(world.agent.service_at(1).unwrap().phase(), Phase::Running);
}

#[test]
fn other_limits_count_from_the_next_reading_on_without_an_event() {
    let limits = |degraded, down| Some(check::Limits { degraded, down, bad: check::Side::Above });
    let level =
        |limits| check::Spec { service: None, limits, fall: 1, ..check_spec("host:cpu", CheckKind::Cpu, 0) };
    let with = |limits| File { services: Vec::new(), checks: std::vec![level(limits)] };
    let mut world = world(4, &with(limits(900, 980)), 0);
    let look = |world: &mut World| {
        world.input(Input::Asked(crate::Asked::Look(0)));
        read(world, 0, Reading::Level(800));
    };
    world.input(Input::Time);
    look(&mut world);
    let told = world.told.len();
    reload(&mut world, &with(limits(700, 780)), &[]).unwrap();
    assert_eq!((world.told.len(), world.agent.check_at(0).unwrap().verdict()), (told, Verdict::Up));
    // A level that decides by itself is looked at twice, for words.
    look(&mut world);
    look(&mut world);
    assert_eq!(world.agent.check_at(0).unwrap().verdict(), Verdict::Down);
    assert_eq!(world.told.len(), told + 1);
}

#[test]
fn an_answer_that_was_out_when_the_target_changed_tells_nothing() {
    let file = file(&["web"]);
    let mut world = running(5, &file, 0);
    world.order_what_is_due();
    world.input(Input::Asked(crate::Asked::Look(1)));
    let told = world.told.len();
    reload(&mut world, &file, &["web.tcp"]).unwrap();
    for _ in 0..3 {
        read(&mut world, 1, Reading::Bad(Cause::Refused));
        assert_eq!(world.agent.check_at(1).unwrap().verdict(), Verdict::Up);
        reload(&mut world, &file, &["web.tcp"]).unwrap();
        world.input(Input::Asked(crate::Asked::Look(1)));
    }
    world.run(5_000);
    assert_eq!(world.told.len(), told, "what it looks at now answers");
}

#[test]
fn a_check_that_comes_while_a_remedy_is_proved_does_not_unprove_it() {
    let mut world = running(6, &file(&["web"]), 2);
    world.kill(0);
    world.run(1_000);
    assert_eq!(world.agent.service_at(0).unwrap().phase(), Phase::Holding);
    world.sims[1].alive = Some(1);
    let mut more = file(&["web"]);
    more.checks
        .push(check::Spec { interval: Span::from_secs(60), ..check_spec("web.http", CheckKind::Http, 0) });
    reload(&mut world, &more, &[]).unwrap();
    world.run(3_000);
    let outcomes: Vec<_> =
        world.told.iter().filter(|(_, fact)| matches!(fact, event::Fact::Outcome(_))).collect();
    assert!(matches!(
        outcomes[..],
        [(_, event::Fact::Outcome(event::RemedyEnded { outcome: event::Outcome::Held { .. }, .. }))]
    ));
}

#[test]
fn breakers_and_budgets_outlive_a_reload() {
    let mut file = file(&["web"]);
    let mut world = running(7, &file, 0);
    world.sims[0].dies = Some((1, event::Exit::Code(1), String::from("no")));
    world.kill(0);
    world.run(30_000);
    assert_eq!(world.agent.service_at(0).unwrap().phase(), Phase::Broken);
    let budget = world.agent.service_at(0).unwrap().budget(world.now().mono);
    file.services[0].budget = 20;
    reload(&mut world, &file, &[]).unwrap();
    let view = world.agent.service_at(0).unwrap();
    assert_eq!((view.phase(), view.is_closed()), (Phase::Broken, false));
    assert_eq!(view.budget(world.now().mono), (budget.0, 20, budget.2));
}

//! Remedies rest because a person asked, and go on when the hold ends.

use super::recovery::{opened, starts};
use super::world::{World, ms, spec};
use crate::hold::{Fact, LEAST, MOST};
use crate::service::{self, NextTry, Phase};
use crate::{Input, Reason};
use picket_proto::event;
use picket_proto::{Mono, Span};
use std::string::{String, ToString};
use std::vec;
use std::vec::Vec;

fn hold(world: &mut World, service: Option<u16>, lasts: Option<Span>) {
    world.input(Input::Asked(crate::Asked::Hold(Fact { service, lasts, by: "root" })));
}

fn holds(world: &World) -> Vec<String> {
    let told = world.told.iter().filter(|(_, fact)| matches!(fact, event::Fact::Hold(_)));
    told.map(|(_, fact)| fact.to_string()).collect()
}

#[test]
fn a_held_service_stays_down_and_is_healed_when_the_hold_ends_by_itself() {
    let mut world = World::running(1, vec![spec("web")]);
    let begun = world.at;
    hold(&mut world, None, Some(LEAST));
    world.run(1_000);
    world.kill(0);
    world.run(58_000);
    assert!(starts(&world, begun).is_empty(), "{:?}", world.story(begun));
    let rests: Vec<_> = world
        .story(begun)
        .into_iter()
        .filter(|told| told.contains("a person has its remedies rest"))
        .collect();
    assert_eq!(rests, ["web is not healed for 59 s: a person has its remedies rest"]);
    assert_eq!(world.agent.service_at(0).unwrap().phase(), Phase::Waiting);
    world.run(1_000);
    assert_eq!(starts(&world, begun), [begun + 60_000_000], "{:?}", world.story(begun));
    world.run(10_000);
    let story = world.story(begun);
    assert!(story.iter().any(|told| told.contains("recovered, verified")), "{story:?}");
    assert_eq!(
        holds(&world),
        ["nothing is healed for 1 min, by root", "remedies are allowed again, by its time being over"]
    );
}

#[test]
fn a_hold_that_is_lifted_lets_the_remedy_begin_at_once() {
    let mut world = World::running(2, vec![spec("web"), spec("db")]);
    hold(&mut world, Some(1), Some(Span::from_secs(3600)));
    world.kill(1);
    let died = world.at;
    world.kill(0);
    world.run(20_000);
    assert_eq!(starts(&world, died), [died], "only web is restarted");
    let lifted = world.at;
    hold(&mut world, Some(1), None);
    world.run(100);
    assert_eq!(starts(&world, lifted), [lifted]);
    assert!(world.agent.service_at(1).unwrap().held().is_none());
    hold(&mut world, Some(1), None);
    assert_eq!(holds(&world).len(), 2, "ending what is not there is no event");
}

#[test]
fn the_end_of_all_holds_ends_those_of_single_services_too() {
    let mut world = World::running(9, vec![spec("web"), spec("db")]);
    hold(&mut world, Some(0), Some(Span::from_secs(3600)));
    hold(&mut world, None, Some(Span::from_secs(600)));
    world.kill(0);
    world.kill(1);
    world.run(20_000);
    let lifted = world.at;
    hold(&mut world, None, None);
    world.run(100);
    assert_eq!(starts(&world, lifted), [lifted, lifted], "{:?}", world.story(lifted));
    assert!(world.agent.held().is_none() && world.agent.service_at(0).unwrap().held().is_none());
    assert_eq!(holds(&world).len(), 4, "two holds and the end of each: {:?}", holds(&world));
    hold(&mut world, Some(1), Some(Span::from_secs(3600)));
    hold(&mut world, None, None);
    assert!(world.agent.service_at(1).unwrap().held().is_none(), "also where all are not held");
}

#[test]
fn what_heals_by_itself_during_a_hold_is_left_alone() {
    let mut world = World::running(3, vec![spec("web")]);
    hold(&mut world, None, Some(Span::from_secs(600)));
    world.sims[0].sick = true;
    world.run(10_000);
    world.sims[0].sick = false;
    let from = world.at;
    world.run(30_000);
    assert_eq!(world.agent.service_at(0).unwrap().phase(), Phase::Running, "{:?}", world.story(from));
    world.run(600_000);
    assert!(starts(&world, from).is_empty());
}

#[test]
fn a_remedy_that_has_begun_is_brought_to_its_end() {
    let mut world = World::running(4, vec![spec("web")]);
    let died = world.at;
    world.kill(0);
    hold(&mut world, None, Some(Span::from_secs(600)));
    world.run(10_000);
    assert!(world.story(died).iter().any(|told| told.contains("recovered, verified")));
}

#[test]
fn an_open_breaker_rests_for_the_whole_hold() {
    let mut world = World::running(5, vec![spec("web")]);
    world.sims[0].dies = Some((20, event::Exit::Code(1), "bad config".to_string()));
    world.kill(0);
    world.run(30_000);
    assert_eq!(opened(&world).len(), 1, "{:?}", world.story(0));
    let from = world.at;
    hold(&mut world, Some(0), Some(Span::from_secs(7_200)));
    world.run(7_200_000 - 1_000);
    assert!(starts(&world, from).is_empty());
    world.run(2_000);
    assert!(!starts(&world, from).is_empty());
}

#[test]
fn a_first_start_waits_for_the_end_of_a_hold() {
    let mut world = World::new(6, vec![spec("web")]);
    hold(&mut world, None, Some(LEAST));
    world.input(Input::Service(service::Fact::Absent { service: 0 }));
    world.run(59_000);
    assert!(world.acts.is_empty());
    let (at, reason) = world.agent.service_at(0).unwrap().deadline().unwrap();
    assert_eq!((at.micros(), reason), (61_000_000, Reason::Restart));
    world.run(10_000);
    assert_eq!(world.agent.service_at(0).unwrap().phase(), Phase::Running);
    assert!(!world.story(0).iter().any(|told| told.contains("restarted")), "{:?}", world.story(0));
}

#[test]
fn holds_out_of_range_or_of_nothing_are_refused() {
    let mut world = World::running(7, vec![spec("web")]);
    let before = world.agent.refused();
    let just = Span::from_micros(1);
    hold(&mut world, None, Some(Span::from_micros(LEAST.micros() - 1)));
    assert_eq!(MOST, Span::from_secs(7 * 24 * 3_600));
    hold(&mut world, None, Some(MOST.plus(just)));
    hold(&mut world, Some(1), Some(LEAST));
    assert_eq!(world.agent.refused(), before + 3);
    assert!(holds(&world).is_empty() && world.agent.held().is_none());
}

#[test]
fn a_hold_of_all_ends_also_where_there_is_no_service() {
    let mut world = World::new(8, vec![]);
    hold(&mut world, None, Some(LEAST));
    world.run(LEAST.millis() + ms(10).millis());
    assert_eq!(holds(&world).len(), 2);
    assert!(world.agent.held().is_none());
}

fn next(world: &World) -> NextTry<'_> {
    world.agent.service_at(0).unwrap().next_try(Mono::from_micros(world.at))
}

#[test]
fn what_was_not_healed_is_tried_when_a_person_says_so_and_nothing_else_is() {
    let mut world = World::running(7, vec![service::Spec { budget: 1, ..spec("web") }]);
    let ask = |world: &mut World| world.input(Input::Asked(crate::Asked::Try { service: 0, goes_on: false }));
    let began = world.at;
    ask(&mut world);
    assert_eq!((starts(&world, began).len(), world.agent.refused()), (0, 1), "it runs");
    world.kill(0);
    world.run(500);
    world.kill(0);
    world.run(2_000);
    assert!(!world.agent.service_at(0).unwrap().is_closed());
    hold(&mut world, None, Some(LEAST));
    assert_eq!(next(&world), NextTry::Held);
    let asked = world.at;
    ask(&mut world);
    world.run(1_000);
    assert_eq!(starts(&world, asked).len(), 0, "held");
    hold(&mut world, None, None);
    assert!(matches!(next(&world), NextTry::At(at) if at.micros() > world.at));
    let asked = world.at;
    ask(&mut world);
    world.run(20_000);
    assert_eq!(starts(&world, asked), [asked]);
    let view = world.agent.service_at(0).unwrap();
    assert_eq!((view.phase(), view.is_closed()), (Phase::Running, true), "{:?}", world.story(began));
    let now = Mono::from_micros(world.at);
    assert_eq!(view.budget(now).0, 0, "what a person has mended begins anew");
    let died = world.at;
    world.kill(0);
    world.run(100);
    assert_eq!(starts(&world, died), [died], "the next failure is healed as any other");
}

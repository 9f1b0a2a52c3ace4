//! Services that are units of systemd: found, healed, left alone and waited for, as the bus tells it.

mod bus;
mod observed;
mod others;

use super::recovery::{opened, outcomes};
use super::world::{Sim, World, check_spec, spec};
use crate::Input;
use crate::service::{self, Act, Driver, Phase};
use crate::unit::tests::{KILLED, TERMINATED};
use crate::unit::{self, Active, Answer, Done, Dones, Fact, JobEnd, Seen, Sub, Verb, Wake};
use picket_proto::Span;
use picket_proto::event::{self, CheckKind, Intent, Outcome, Verdict};
use std::string::String;
use std::vec;
use std::vec::Vec;

fn running(life: u8, pid: u32) -> Seen {
    Seen { changed: u64::from(life), ..unit::tests::running([life; 16], pid) }
}

fn dead(life: u8, active: Active, (code, status): (i32, i32)) -> Seen {
    Seen { active, code, status, changed: 100 + u64::from(life), ..running(life, 0) }
}

fn done(id: u32, end: JobEnd) -> Dones {
    [Some(Done { id, end }), None, None, None]
}

fn unit_spec() -> service::Spec {
    service::Spec { driver: Driver::Systemd, ..spec("web") }
}

/// An agent with one unit, of which nothing is known yet; its process would pass its checks.
fn unit(seed: u64, spec: service::Spec) -> World {
    let checks =
        vec![check_spec("web.process", CheckKind::Process, 0), check_spec("web.tcp", CheckKind::Tcp, 0)];
    let mut world = World::with(seed, checks, vec![spec], 65_536);
    world.sims = vec![Sim { alive: Some(7), ..Sim::healthy() }];
    world
}

/// A unit that was found running as pid 7 in its first life.
fn watched(seed: u64) -> World {
    let mut world = unit(seed, unit_spec());
    world.input(Input::Unit(Fact::Opened));
    look(&mut world, running(1, 7));
    world.run(20_000);
    assert_eq!(phase(&world), Phase::Running);
    world
}

fn told_by(world: &mut World, wake: Wake, seen: Seen, done: Dones) {
    world.sims[0].alive = Some(seen.pid).filter(|pid| *pid > 0);
    world.input(Input::Unit(Fact::Read { unit: 0, wake, seen, done }));
}

fn read(world: &mut World, seen: Seen, done: Dones) {
    told_by(world, Wake::Signal, seen, done);
}

fn look(world: &mut World, seen: Seen) {
    told_by(world, Wake::Look, seen, Dones::default());
}

fn answer(world: &mut World, answer: Answer) {
    world.input(Input::Unit(Fact::Answered { unit: 0, answer }));
}

fn phase(world: &World) -> Phase {
    world.agent.service_at(0).unwrap().phase()
}

/// The calls to systemd from a time on.
fn calls(world: &World, from: u64) -> Vec<(u64, Verb)> {
    let acts = world.acts.iter().filter(|(at, _)| *at >= from);
    let verb = |(at, act): &(u64, Act)| match act {
        Act::Unit { service: 0, verb } => Some((*at, *verb)),
        Act::Collect { .. } | Act::Reboot { .. } | Act::Files { .. } => None,
        other => panic!("{other:?} of a unit"),
    };
    acts.filter_map(verb).collect()
}

#[test]
fn a_unit_that_runs_is_adopted_and_left_alone() {
    let world = watched(1);
    assert_eq!(world.story(1_000_001), Vec::<String>::new());
    assert_eq!(world.story(0)[1..], ["web found running and adopted (pid 7)"]);
    assert_eq!(world.agent.service_at(0).unwrap().process().map(|(pid, _)| pid), Some(7));
    assert_eq!(calls(&world, 0), []);
}

#[test]
fn a_unit_that_died_is_started_with_the_news_and_believed_after_the_hold() {
    let mut world = watched(2);
    let died = world.at;
    read(&mut world, dead(1, Active::Failed, KILLED), Dones::default());
    assert_eq!(calls(&world, died), [(died, Verb::Start)]);
    answer(&mut world, Answer::Job(5));
    assert_eq!(phase(&world), Phase::Starting);
    world.run(1_000);
    read(&mut world, running(2, 8), done(5, JobEnd::Done));
    assert_eq!(phase(&world), Phase::Rising);
    world.run(10_000);
    assert_eq!((phase(&world), calls(&world, died).len()), (Phase::Running, 1));
    assert!(matches!(outcomes(&world)[..], [Outcome::Held { .. }]), "{:#?}", world.story(died));
    let story = world.story(died);
    assert_eq!(story[0], "web (pid 7) was killed by SIGKILL");
    assert!(story.contains(&String::from("web started (pid 8)")), "{story:#?}");
}

#[test]
fn starts_that_fail_open_the_breaker_and_its_single_try_resets_the_start_limit() {
    let mut world = watched(3);
    read(&mut world, dead(1, Active::Failed, KILLED), Dones::default());
    let mut life = 1;
    while opened(&world).is_empty() {
        life += 1;
        assert!(life < 9, "{:#?}", world.story(0));
        answer(&mut world, Answer::Job(life.into()));
        read(&mut world, dead(life, Active::Failed, (1, 1)), done(life.into(), JobEnd::Other));
        let calls_before = calls(&world, 0).len();
        for _ in 0..1_000 {
            world.run(10);
            if calls(&world, 0).len() > calls_before || !opened(&world).is_empty() {
                break;
            }
        }
    }
    assert_eq!(phase(&world), Phase::Broken);
    assert!(calls(&world, 0).iter().all(|(_, verb)| *verb == Verb::Start));
    let broken = world.at;
    world.run(100_000);
    let tries: Vec<_> = calls(&world, broken).into_iter().map(|(_, verb)| verb).collect();
    assert_eq!(tries, [Verb::ResetAndStart]);
    assert!(outcomes(&world).iter().all(|outcome| matches!(outcome, Outcome::Died(_))));
}

#[test]
fn a_unit_whose_check_fails_is_restarted_by_one_call_and_never_killed() {
    let mut world = watched(4);
    world.sims[0].sick = true;
    let sick = world.at;
    world.run(60_000);
    let [(called, Verb::Restart)] = calls(&world, sick)[..] else { panic!("{:?}", calls(&world, sick)) };
    assert_eq!(phase(&world), Phase::Stopping);
    world.sims[0].sick = false;
    answer(&mut world, Answer::Job(5));
    read(&mut world, running(2, 8), done(5, JobEnd::Done));
    world.run(10_000);
    assert!(matches!(outcomes(&world)[..], [Outcome::Held { .. }]), "{:#?}", world.story(called));
    let ended = world.told.iter().filter_map(|(_, fact)| match fact {
        event::Fact::Exited(exited) => Some((exited.pid, exited.asked)),
        _ => None,
    });
    assert_eq!(ended.collect::<Vec<_>>(), [(7, true)]);
}

#[test]
fn a_unit_that_dies_while_it_is_restarted_ended_as_asked_and_its_remedy_did_not_hold() {
    let mut world = watched(5);
    world.sims[0].sick = true;
    world.run(20_000);
    assert_eq!(phase(&world), Phase::Stopping);
    answer(&mut world, Answer::Job(5));
    read(&mut world, dead(2, Active::Failed, (1, 1)), done(5, JobEnd::Other));
    let story = world.story(world.at);
    assert_eq!(story[0], "web (pid 7) exited with status 1, as asked", "it was found: nobody saw it begin");
    assert!(matches!(outcomes(&world)[..], [Outcome::Died(_)]), "{story:#?}");
    assert_eq!(phase(&world), Phase::Waiting);
}

#[test]
fn what_somebody_stopped_is_told_not_probed_and_left_alone_until_somebody_starts_it() {
    let mut world = watched(6);
    let stopped = world.at;
    read(&mut world, dead(1, Active::Inactive, TERMINATED), done(3, JobEnd::Done));
    assert_eq!(
        world.story(stopped),
        ["web (pid 7) was killed by SIGTERM, as asked", "web was stopped by an operator: it is left alone"]
    );
    let view = world.agent.service_at(0).unwrap();
    assert_eq!((view.phase(), view.intent(), view.process()), (Phase::Left, Intent::Stopped, None));
    assert_eq!(world.agent.check_at(0).unwrap().verdict(), Verdict::Unknown);
    assert_eq!(world.agent.check_at(0).unwrap().since().micros(), stopped);
    world.run(600_000);
    assert!(world.probes.iter().all(|(at, _)| *at <= stopped), "nothing is probed");
    let started = world.at;
    read(&mut world, running(2, 8), done(4, JobEnd::Done));
    assert_eq!(world.story(started), ["web was started: it is kept up again", "web started (pid 8)"]);
    assert_eq!(phase(&world), Phase::Rising);
    world.run(10_000);
    assert_eq!((phase(&world), outcomes(&world).len(), calls(&world, 0).len()), (Phase::Running, 0, 0));
    assert!(world.probes.iter().any(|(at, _)| *at > started), "it is probed again");
}

#[test]
fn a_failure_after_a_stop_is_the_first_of_its_streak() {
    let mut world = watched(7);
    read(&mut world, dead(1, Active::Failed, KILLED), Dones::default());
    answer(&mut world, Answer::Job(5));
    read(&mut world, dead(2, Active::Failed, KILLED), done(5, JobEnd::Other));
    assert_eq!(phase(&world), Phase::Waiting, "the second remedy of a streak waits");
    read(&mut world, dead(2, Active::Inactive, TERMINATED), done(6, JobEnd::Done));
    assert_eq!(phase(&world), Phase::Left);
    read(&mut world, running(3, 9), done(7, JobEnd::Done));
    world.run(200);
    let died = world.at;
    read(&mut world, dead(3, Active::Failed, KILLED), Dones::default());
    assert_eq!(calls(&world, died), [(died, Verb::Start)]);
}

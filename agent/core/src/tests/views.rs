//! What a person may see between two inputs, and what is refused.

use super::session::{lost, ranges};
use super::world::{World, check_spec, ms, spec};
use crate::check::{self, Reading};
use crate::hold::{self, LEAST};
use crate::service::{self, Ended, Phase};
use crate::session::{Fact, Order, Trouble};
use crate::{Agent, Effect, Identity, Input, Storage, spool};
use picket_proto::event::{self, Cause, CheckKind, Exit, Verdict};
use picket_proto::frame::{self, Content};
use picket_proto::{BootId, Mono, Now, Ranges, Run, Seq, Span, Text};
use std::string::String;
use std::vec;
use std::vec::Vec;

#[test]
fn the_first_words_of_a_run_say_how_many_checks_and_services_it_knows() {
    let world = World::running(1, vec![spec("web"), spec("db"), spec("mq")]);
    assert_eq!(world.story(0)[0], "agent test began: 6 checks, 3 services");
}

#[test]
fn a_verdict_names_its_service_and_a_check_shows_since_when_and_why() {
    let mut world = World::running(2, vec![spec("web")]);
    world.sims[0].sick = true;
    let sick = world.at;
    world.run(1_900);
    let told = world.told.iter().find_map(|(at, fact)| match fact {
        event::Fact::Verdict(it) if *at > sick && it.to == Verdict::Down => Some((*at, it.clone())),
        _ => None,
    });
    let (down, verdict) = told.expect("two readings were bad");
    assert_eq!((verdict.check.as_str(), verdict.service.unwrap().as_str()), ("web.tcp", "web"));
    let check = world.agent.check_at(1).unwrap();
    assert_eq!(check.spec().name.as_str(), "web.tcp");
    assert_eq!((check.since().micros(), check.cause()), (down, Some(Cause::Refused)));
    let (at, reading) = check.last().unwrap();
    assert!(at.micros() >= down && reading == Reading::Bad(Cause::Refused));
    assert!(world.agent.check_at(2).is_none());
}

#[test]
fn a_service_shows_its_process_its_latest_four_remedies_its_budget_and_its_breaker() {
    let mut world = World::running(3, vec![service::Spec { budget: 5, ..spec("web") }]);
    let mut began = Vec::new();
    for _ in 0..5 {
        began.push(world.at);
        world.kill(0);
        world.run(10_000);
    }
    let pid = world.sims[0].alive;
    let view = world.agent.service_at(0).unwrap();
    assert_eq!((view.process().map(|(pid, _)| pid), view.is_closed()), (pid, true));
    let shown: Vec<_> = view.remedies().map(|past| (past.attempt, past.began.micros())).collect();
    assert_eq!(shown, began[1..].iter().map(|at| (1, *at)).collect::<Vec<_>>());
    assert!(view.remedies().all(|past| matches!(past.ended, Some((_, Ended::Held)))));
    let now = Mono::from_micros(world.at);
    assert_eq!(view.budget(now), (5, 5, Span::from_secs(600)));
    assert_eq!(view.budget(now.plus(Span::from_secs(600))), (0, 5, Span::from_secs(600)));
    world.sims[0].dies = Some((20, Exit::Code(1), String::new()));
    world.kill(0);
    world.run(1_000);
    let view = world.agent.service_at(0).unwrap();
    assert_eq!((view.phase(), view.is_closed(), view.process()), (Phase::Broken, false, None));
    assert!(view.deadline().is_some() && world.agent.service_at(1).is_none());
}

#[test]
fn a_hold_of_all_is_shown_while_it_stands() {
    let mut world = World::running(4, vec![spec("web")]);
    assert!(world.agent.held().is_none());
    let until = world.at + LEAST.micros();
    world.input(Input::Asked(crate::Asked::Hold(hold::Fact {
        service: None,
        lasts: Some(LEAST),
        by: "root",
    })));
    let held = world.agent.held().unwrap();
    assert_eq!((held.until.micros(), held.by.as_str()), (until, "root"));
    world.run(60_000);
    assert!(world.agent.held().is_none());
}

#[test]
fn the_collectors_clock_is_known_while_a_session_has_measured_it() {
    let mut world = World::running(5, vec![spec("web")]);
    world.opened();
    let now = Mono::from_micros(world.at);
    assert_eq!(world.agent.offset(now), None);
    let received = now.plus(Span::from_secs(90));
    world.input(Input::Session(Fact::Beat { echo: now, received, answered: received }));
    assert_eq!(world.agent.offset(now).map(|offset| offset.ahead), Some(90_000_000));
    lost(&mut world, Trouble::Closed);
    assert_eq!(world.agent.offset(now), None);
}

#[test]
fn a_run_before_is_missed_until_the_collector_has_it() {
    let identity = |previous| Identity { run: Run(7), boot: BootId(1), previous, version: Text::new("t") };
    for (previous, misses) in [(None, false), (Some((Run(6), Seq(3))), true)] {
        let mut agent = Agent::new(1, identity(previous), storage(1 << 16));
        agent.handle(Now::default(), Input::Time);
        while agent.poll().is_some() {}
        assert_eq!(agent.misses(Run(6)), misses);
        agent.handle(Now::default(), Input::Session(Fact::Opened));
        let (heartbeat, known) = (Span::from_secs(10), &Ranges::new());
        agent.handle(Now::default(), Input::Session(Fact::Welcomed { heartbeat, known, watched: None }));
        while agent.poll().is_some() {}
        let all = ranges(&[(1, 3)]);
        for run in [Run(6), Run(7)] {
            agent.handle(Now::default(), Input::Session(Fact::Acked { run, ranges: &all }));
        }
        assert!(!agent.misses(Run(6)));
    }
}

/// Storage without checks and services, and with so much memory for frames.
fn storage(ring: usize) -> Storage<'static> {
    let runs = vec![spool::Past::default(); 4].leak();
    Storage {
        checks: &mut [],
        trends: &mut [],
        usuals: &mut [],
        services: &mut [],
        ring: vec![0; ring].leak(),
        index: vec![spool::Entry::default(); ring / 64].leak(),
        baseline: Default::default(),
        disk: spool::Lent { runs, ..spool::Lent::none() },
    }
}

#[test]
fn stamps_say_whether_the_wall_clock_is_synchronised() {
    for synced in [false, true] {
        let identity = Identity { run: Run(7), boot: BootId(1), previous: None, version: Text::new("t") };
        let mut agent = Agent::new(1, identity, storage(1 << 16));
        agent.clock_synced(synced);
        agent.handle(Now::default(), Input::Time);
        let mut stamps = Vec::new();
        while let Some(effect) = agent.poll() {
            if let Effect::Told(bytes) = effect {
                let (frame, _) = frame::split(agent.bytes(bytes)).unwrap();
                let Ok(Content::Known(event)) = frame.content() else { panic!("an unknown frame") };
                stamps.push(event.stamp.synced);
            }
        }
        assert_eq!(stamps, [synced]);
    }
}

#[test]
fn a_look_for_asking_takes_nothing_away_from_what_counts_news() {
    for (kind, is_probed) in
        [(CheckKind::Log, false), (CheckKind::Net, false), (CheckKind::Tcp, true), (CheckKind::Cpu, true)]
    {
        let interval = Span::from_secs(3_600);
        let check = check::Spec { service: None, interval, ..check_spec("it", kind, 0) };
        let mut world = World::with(6, vec![check], Vec::new(), 64 * 1024);
        world.input(Input::Time);
        world.input(Input::Asked(crate::Asked::Look(0)));
        // A second answer to one probe is refused, and so is one that nobody asked for.
        world.input(Input::Check(check::Fact::new(0, Reading::Level(1))));
        assert_eq!(world.agent.refused(), u32::from(!is_probed), "{kind}");
        assert_eq!(world.agent.check_at(0).unwrap().last().is_some(), is_probed, "{kind}");
    }
}

#[test]
fn a_heartbeat_carries_what_the_hosts_checks_read_last_and_what_was_lost() {
    let (name, interval) = ("cpu", Span::from_secs(3_600));
    let check = check::Spec { service: None, interval, ..check_spec(name, CheckKind::Cpu, 0) };
    // No frame has room in so little memory.
    let mut world = World::with(6, vec![check], Vec::new(), 100);
    world.input(Input::Time);
    world.input(Input::Asked(crate::Asked::Look(0)));
    world.input(Input::Check(check::Fact::new(0, Reading::Level(321))));
    world.opened();
    world.all_sent();
    world.run(2_000);
    let sample = world.orders.iter().find_map(|(_, order)| match order {
        Order::Heartbeat { sample, .. } => Some(*sample),
        _ => None,
    });
    let sample = sample.expect("the first beat comes early");
    assert_eq!((sample.cpu, sample.memory, sample.waiting), (Some(321), None, 0));
    assert!(sample.lost >= 2, "the beginning and the verdict: {sample:?}");
}

#[test]
fn facts_that_a_service_cannot_take_are_refused_and_change_nothing() {
    use service::Fact;
    let mut world = World::new(7, vec![spec("web")]);
    world.input(Input::Service(Fact::Started { service: 0, pid: 5, adopted: false }));
    assert_eq!((world.agent.refused(), world.story(0).len()), (1, 1), "no start was ordered");
    world.input(Input::Service(Fact::Absent { service: 0 }));
    world.run(20_000);
    assert_eq!(world.agent.refused(), 1);
    let (told, pid) = (world.told.len(), world.sims[0].alive.unwrap());
    let exit = Exit::Signal(9);
    for fact in [
        Fact::Exited { service: 0, pid: pid + 1, exit },
        Fact::Exited { service: 1, pid, exit },
        Fact::Absent { service: 0 },
        Fact::Lost { service: 0, pid },
        Fact::Started { service: 0, pid, adopted: true },
    ] {
        world.input(Input::Service(fact));
    }
    assert_eq!((world.agent.refused(), world.told.len()), (6, told));
    assert_eq!(world.agent.service_at(0).unwrap().phase(), Phase::Running);
}

#[test]
fn last_words_are_told_and_only_those_of_the_dead_end_the_wait_for_them() {
    let mut world = World::running(8, vec![service::Spec { backoff_first: ms(9_000), ..spec("web") }]);
    world.kill(0);
    world.run(100);
    let pid = world.sims[0].alive.take().unwrap();
    world.input(Input::Service(service::Fact::Exited { service: 0, pid, exit: Exit::Code(1) }));
    let (told, died) = (world.told.len(), world.at);
    let due = |world: &World| world.agent.service_at(0).unwrap().deadline().unwrap().0.micros() - died;
    world.input(Input::Service(service::Fact::Evidence { service: 0, pid: 1, last_line: "" }));
    assert_eq!((world.told.len(), due(&world)), (told, 500_000), "another's, and nothing was said");
    world.input(Input::Service(service::Fact::Evidence { service: 0, pid, last_line: "no port" }));
    assert!(due(&world) >= 6_750_000, "it waits for its backoff");
    let said = std::format!("web (pid {pid}) last printed: no port");
    assert_eq!(world.story(died).last(), Some(&said));
}

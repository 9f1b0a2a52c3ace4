//! What the journal lost: closed, counted, and no reason to shut an agent out.

use super::ingest::{acks, send};
use super::*;
use crate::record::Record;

#[test]
fn damaged_entries_are_closed_and_counted_and_the_agent_goes_on() {
    let mut world = World::new();
    let mut agent = Agent::new("web-1", 1);
    agent.connect(&mut world);
    for first in (1..=40).step_by(2) {
        send(&agent, &mut world, first..=first + 1);
    }
    let host = agent.host.clone();
    for (_, entry) in world.journal.iter_mut().enumerate().filter(|(nth, _)| nth % 2 == 0) {
        if let Record::Frames { host, run, span, .. } = &entry.record {
            entry.record = Record::Damaged { host: host.clone(), run: *run, range: *span };
        }
    }
    let lost = world.journal.iter().filter(|entry| matches!(entry.record, Record::Damaged { .. })).count();
    assert!(lost > 9, "more than the ranges could hold apart");
    world.core = Collector::new(9);
    for entry in world.journal.clone() {
        world.core.replay(entry.index, entry.now, entry.record);
    }
    world.core.begin(world.now, BOOT);
    world.drain();
    assert_eq!(world.host(&host).lost, 2 * lost as u64);
    agent.session = SessionId(2);
    agent.connect(&mut world);
    world.take_effects();
    send(&agent, &mut world, 41..=42);
    assert_eq!(acks(&mut world), [(agent.run, ranges(&[(1, 42)]))]);
    world.restart();
    assert_eq!(world.host(&host).lost, 2 * lost as u64, "named once");
}

#[test]
fn entries_that_are_gone_without_a_name_do_not_shut_the_agent_out() {
    let mut world = World::new();
    let mut agent = Agent::new("web-1", 1);
    agent.connect(&mut world);
    for seq in 1..=40 {
        send(&agent, &mut world, seq..=seq);
    }
    let host = agent.host.clone();
    world.core = Collector::new(9);
    for entry in world.journal.clone() {
        if let Record::Frames { span, .. } = &entry.record
            && span.first().0 % 2 == 0
            && span.first().0 < 40
        {
            continue;
        }
        world.core.replay(entry.index, entry.now, entry.record);
    }
    world.core.begin(world.now, BOOT);
    world.drain();
    assert_eq!(world.host(&host).lost, 12, "19 holes, of which 7 can stay open");
    agent.session = SessionId(2);
    agent.connect(&mut world);
    world.take_effects();
    send(&agent, &mut world, 40..=41);
    assert_eq!(acks(&mut world).len(), 1);
}

#[test]
fn damage_makes_no_host_and_no_run() {
    let mut core = Collector::new(1);
    let range = SeqRange::new(Seq(1), Seq(9)).unwrap();
    let now = World::new().now;
    core.replay(1, now, Record::Damaged { host: host_id("nobody"), run: Run(4), range });
    let mut plain = Collector::new(1);
    plain.replay(1, now, Record::Closed { host: host_id("nobody"), how: Close::Broken });
    assert_eq!(core.snapshot(), plain.snapshot());
}

#[test]
fn damage_is_closed_in_the_run_that_it_names_however_old_and_in_no_other() {
    let mut world = World::new();
    let mut agent = Agent::new("web-1", 1);
    for run in 1..=12 {
        (agent.run, agent.session) = (Run(run), SessionId(run));
        agent.connect(&mut world);
        send(&agent, &mut world, 1..=2);
        agent.close(&mut world);
    }
    let known = |world: &World, run: u64| {
        let slot = world.core.state.hosts.find(agent.host.as_str()).unwrap();
        world.core.state.hosts.get(slot).unwrap().runs.ranges(Run(run))
    };
    let range = SeqRange::new(Seq(3), Seq(4)).unwrap();
    for run in [1, 8, 12, 99] {
        let index = world.journal.len() as u64 + run;
        let record = Record::Damaged { host: agent.host.clone(), run: Run(run), range };
        world.core.replay(index, world.now, record);
    }
    for (run, left) in [(1, &[(1, 4)][..]), (8, &[(1, 4)]), (12, &[(1, 4)]), (2, &[(1, 2)]), (99, &[])] {
        assert_eq!(known(&world, run), ranges(left), "run {run}");
    }
}

#[test]
fn a_wait_that_no_service_knows_of_is_dropped() {
    let mut world = World::new();
    let agent = Agent::new("web-1", 1);
    agent.connect(&mut world);
    for (slot, service) in [(0, 0), (0, 9), (9, 0)] {
        world.core.state.calms.insert((world.now.mono, slot, service));
    }
    world.pass(Span::from_secs(10));
    assert!(world.core.state.calms.is_empty());
}

/// That it came again in between is among what the journal lost.
#[test]
fn a_silence_of_a_host_that_is_stopped_or_quarantined_by_what_is_left_is_passed_over() {
    let mut world = World::new();
    let agents = [Agent::new("web-1", 1), Agent::new("web-2", 2)];
    agents.iter().for_each(|agent| agent.connect(&mut world));
    let hosts = agents.each_ref().map(|agent| agent.host.clone());
    let index = world.core.index();
    for (at, record) in [
        (1, Record::Goodbye { host: hosts[0].clone() }),
        (2, Record::Duplicate { host: hosts[1].clone() }),
        (3, Record::Silent { hosts: hosts.to_vec() }),
    ] {
        world.core.replay(index + at, world.now, record);
    }
    let states = hosts.each_ref().map(|host| world.host(host).state);
    assert_eq!(states, [view::HostState::Stopped, view::HostState::Quarantined]);
    assert_eq!(world.the_incident().incident.severity_rule, "sev-duplicate-identity");
}

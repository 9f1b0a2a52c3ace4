//! Hosts whose links cost money: heard seldom, silent later, and what they watch is not said twice.

use super::ingest::refusals;
use super::*;
use crate::incident::{Severity, State};
use crate::ingest::sessions::HEARTBEAT;
use crate::record::Record;
use crate::view::HostState;

const QUARTER: Span = Span::from_secs(15 * 60);

/// Opens a session that is to be heard as often as this.
fn open(agent: &mut Agent, world: &mut World, report: Span, watched: Option<u32>) {
    agent.terms = Terms { report, watched, ..Terms::default() };
    agent.open(world);
}

/// The interval that was granted, and the list that is known.
fn welcomed(world: &mut World) -> (Span, u32) {
    let orders = world.session_orders();
    let welcome = orders.iter().find_map(|order| match order {
        Order::Welcome { heartbeat, watched, .. } => Some((*heartbeat, *watched)),
        Order::Ack { .. } | Order::Ask { .. } | Order::Challenge { .. } | Order::Refuse { .. } => None,
    });
    welcome.unwrap_or_else(|| panic!("{orders:?}"))
}

/// An agent that was welcomed and has said that all is up.
fn metered(world: &mut World, host: &str, number: u64) -> Agent {
    let mut agent = Agent::new(host, number);
    open(&mut agent, world, QUARTER, None);
    agent.stands(world, &[]);
    agent
}

#[test]
fn a_host_is_silent_after_two_and_a_half_of_its_own_intervals_and_not_sooner() {
    let mut world = World::new();
    let usual = Agent::new("web-1", 1);
    usual.connect(&mut world);
    world.take_effects();
    let metered = metered(&mut world, "buoy-1", 2);
    assert_eq!(welcomed(&mut world).0, QUARTER);
    world.pass(Span::from_secs(2_249));
    assert_eq!(world.host(&metered.host).state, HostState::Connected);
    assert_eq!(world.the_incident().incident.hosts, [usual.host]);
    world.input(Input::Heard(vec![heard(&metered)]));
    world.pass(Span::from_secs(2_249));
    assert_eq!(world.host(&metered.host).state, HostState::Connected, "any word gives it its full time");
    world.pass(Span::from_secs(1));
    let host = world.host(&metered.host);
    assert_eq!((host.state, host.report), (HostState::Silent, QUARTER));
    let incidents = world.incidents();
    let cause = &incidents.iter().find(|one| one.hosts == [metered.host.clone()]).unwrap().cause;
    assert!(cause.ends_with("for 37 min 30 s"), "{cause}");
}

#[test]
fn what_is_granted_lies_between_the_usual_interval_and_an_hour() {
    for (number, asked, granted) in
        [(1, 0, 10), (2, 1, 10), (3, 60, 60), (4, 3_600, 3_600), (5, 86_400, 3_600)]
    {
        let mut world = World::new();
        let mut agent = Agent::new("buoy-1", number);
        open(&mut agent, &mut world, Span::from_secs(asked), None);
        assert_eq!(welcomed(&mut world).0, Span::from_secs(granted), "{asked} s");
    }
}

#[test]
fn the_interval_outlives_the_collector_and_the_next_hello_may_change_it() {
    let mut world = World::new();
    let mut agent = metered(&mut world, "buoy-1", 1);
    world.restart();
    world.pass(Span::from_secs(2_249));
    assert!(world.incidents().is_empty(), "it need not have noticed the restart yet");
    world.pass(Span::from_secs(2));
    assert_eq!(world.host(&agent.host).state, HostState::Silent);
    agent.session = SessionId(2);
    open(&mut agent, &mut world, Span::ZERO, None);
    agent.stands(&mut world, &[]);
    world.pass(Span::from_secs(26));
    assert_eq!(world.host(&agent.host).state, HostState::Silent, "the usual 25 s count again");
    let paced = |entry: &&Entry| matches!(entry.record, Record::Paced { .. });
    assert_eq!(world.journal.iter().filter(paced).count(), 2, "only changes are records");
}

#[test]
fn the_interval_outlives_a_snapshot_and_one_without_intervals_is_as_it_was() {
    let mut world = World::new();
    Agent::new("web-1", 1).connect(&mut world);
    let before = world.core.snapshot();
    metered(&mut world, "buoy-1", 2);
    let bytes = world.core.snapshot();
    let mut back = Collector::restore(9, &bytes).expect("a snapshot can be read back");
    assert_eq!(back.snapshot(), bytes);
    assert_eq!(
        back.state.hosts.iter().map(|(_, host)| host.report).collect::<Vec<_>>(),
        [HEARTBEAT, QUARTER]
    );
    // Of one host behind the state: how many, its slot, and 900,000,000 us.
    let tail = [1, 1, 0x80, 0xd2, 0x93, 0xad, 3];
    assert_eq!(bytes[bytes.len() - tail.len()..], tail);
    for cut in 1..tail.len() {
        assert!(Collector::restore(9, &bytes[..bytes.len() - cut]).is_err(), "{cut} bytes are missing");
    }
    let unknown_slot = [&before[..], &tail[..]].concat();
    assert!(Collector::restore(9, &unknown_slot).is_err());
    // A version that knew of no intervals wrote the same bytes without that end.
    let older = Collector::restore(9, &bytes[..bytes.len() - tail.len()]).expect("it is whole");
    back.state.hosts.get_mut(1).unwrap().report = HEARTBEAT;
    assert_eq!(older.snapshot(), back.snapshot());
}

#[test]
fn a_list_that_is_known_need_not_be_said_again() {
    let mut world = World::new();
    let mut agent = metered(&mut world, "buoy-1", 1);
    let (_, known) = welcomed(&mut world);
    let before = world.services(&agent.host);
    agent.close(&mut world);
    world.restart();
    agent.session = SessionId(2);
    open(&mut agent, &mut world, QUARTER, Some(known));
    assert_eq!(welcomed(&mut world).1, known);
    agent.stands(&mut world, &[]);
    let host = world.host(&agent.host);
    assert_eq!((host.checks, host.not_up, host.differences), (4, 0, 0));
    assert_eq!(world.services(&agent.host), before);
    // The journal holds the whole list all the same: it replays without the one before.
    let listed = world.journal.iter().filter_map(|entry| match &entry.record {
        Record::Opened { hello, .. } => Some(hello.watched.len()),
        _ => None,
    });
    assert_eq!(listed.collect::<Vec<_>>(), [4, 4]);
}

#[test]
fn a_list_that_is_not_known_is_asked_for_and_nothing_is_forgotten_meanwhile() {
    let mut world = World::new();
    let mut agent = metered(&mut world, "buoy-1", 1);
    let (_, known) = welcomed(&mut world);
    agent.close(&mut world);
    agent.session = SessionId(2);
    open(&mut agent, &mut world, QUARTER, Some(known ^ 1));
    assert_eq!(refusals(&mut world), ["hello-unknown"]);
    assert_eq!(world.host(&agent.host).checks, 4);
    let mut stranger = Agent::new("buoy-2", 3);
    open(&mut stranger, &mut world, QUARTER, Some(known));
    assert_eq!(refusals(&mut world), ["hello-unknown"], "another host's list is not its own");
    agent.session = SessionId(4);
    open(&mut agent, &mut world, QUARTER, None);
    assert_eq!(welcomed(&mut world), (QUARTER, known));
}

#[test]
fn one_that_waits_for_another_session_is_paced_when_it_takes_over() {
    let mut world = World::new();
    let old = Agent::new("buoy-1", 1);
    old.connect(&mut world);
    world.take_effects();
    let mut new = Agent { session: SessionId(2), ..Agent::new("buoy-1", 1) };
    open(&mut new, &mut world, QUARTER, None);
    world.pass(Span::from_secs(3));
    assert_eq!(welcomed(&mut world).0, QUARTER);
    world.pass(Span::from_secs(600));
    assert_eq!(world.host(&new.host).state, HostState::Connected);
}

#[test]
fn a_crash_on_such_a_host_is_told_at_once() {
    let mut world = World::new();
    let mut agent = metered(&mut world, "buoy-1", 1);
    world.pass(Span::from_secs(600));
    agent.say(&mut world, space(Verdict::Down));
    assert_eq!(world.the_incident().incident.severity_rule, "sev-check-down");
}

#[test]
fn metered_hosts_that_lose_their_link_together_are_one_incident_though_they_are_missed_one_after_another() {
    let mut world = World::new();
    for number in 1..=6 {
        metered(&mut world, &alloc::format!("buoy-{number}"), number);
        world.pass(Span::from_secs(140));
    }
    world.pass(Span::from_secs(2_250));
    let open: Vec<_> = world.incidents().into_iter().filter(|one| one.state != State::Resolved).collect();
    assert_eq!(open.len(), 1, "{open:#?}");
    assert_eq!((open[0].severity, open[0].firing, open[0].hosts.len()), (Severity::P0, 6, 6));
}

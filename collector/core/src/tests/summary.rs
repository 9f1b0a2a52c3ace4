//! The collector in numbers, and how much waits for its journal: what metrics and limits go by.

use super::*;
use crate::incident::{Severity, State, Verb};
use crate::record::Record;
use crate::store::outbox::Outbox;
use crate::view::{HostState, Summary, Watch, WatcherId};

fn summary(world: &mut World) -> Summary {
    match world.ask(Question::Summary) {
        Answer::Summary(summary) => *summary,
        other => panic!("{other:?}"),
    }
}

fn watch(world: &mut World, watcher: u64) {
    world.input(Input::Watch(Watch::Come { watcher: WatcherId(watcher), after: None }));
}

#[test]
fn the_summary_counts_sessions_watchers_frames_and_what_fires() {
    let mut world = World::new();
    let nothing = summary(&mut world);
    assert_eq!((nothing.sessions, nothing.watchers, nothing.firing, nothing.frames), (0, 0, 0, 0));
    let mut agent = Agent::new("web-1", 1);
    for other in [&agent, &Agent::new("web-2", 2), &Agent::new("web-3", 3)] {
        other.connect(&mut world);
    }
    for watcher in 0..2 {
        watch(&mut world, watcher);
    }
    for said in [tcp(Verdict::Down), space(Verdict::Down), started(4)] {
        agent.say(&mut world, said);
    }
    agent.seq += 2;
    let range = SeqRange::new(Seq(4), Seq(5)).unwrap();
    agent.say(&mut world, Said::Gap(Gap { run: agent.run, range, reason: GapReason::SpoolFull }));
    let counted = summary(&mut world);
    assert_eq!((counted.sessions, counted.watchers, counted.firing), (3, 2, 2));
    assert_eq!((counted.frames, counted.lost, counted.unknown, counted.overflow), (4, 2, 0, 0));
    assert_eq!(counted.index, world.journal.len() as u64);
    agent.close(&mut world);
    world.input(Input::Watch(Watch::Gone { watcher: WatcherId(0) }));
    let fewer = summary(&mut world);
    assert_eq!((fewer.sessions, fewer.watchers), (2, 1));
}

#[test]
fn the_summary_counts_every_host_and_every_incident_once_where_it_stands() {
    let mut world = World::new();
    let mut agents: Vec<Agent> = (1..=4).map(|at| Agent::new(&alloc::format!("h-{at}"), at)).collect();
    for agent in &agents {
        agent.connect(&mut world);
    }
    world.input(Input::Session(Fact::Goodbye { session: agents[0].session }));
    let (_silent, away) = (agents.remove(1), agents.remove(2));
    world.pass_heard(Span::from_secs(30), &[&agents[1], &away]);
    away.close(&mut world);
    agents[1].say(&mut world, space(Verdict::Degraded));
    let id = world.incidents()[0].id;
    world.command(id, None, Verb::Acknowledge).unwrap();
    let counted = summary(&mut world);
    let hosts: Vec<(HostState, u32)> = counted.hosts().filter(|(_, count)| *count > 0).collect();
    let one_each = [HostState::Connected, HostState::Away, HostState::Silent, HostState::Stopped];
    assert_eq!(hosts, one_each.map(|state| (state, 1)));
    let incidents: Vec<(Severity, State, u32)> =
        counted.incidents().filter(|(.., count)| *count > 0).collect();
    assert_eq!(incidents, [(Severity::P2, State::Open, 1), (Severity::P3, State::Acknowledged, 1)]);
}

/// Records of every size that a story can make.
fn records(world: &World) -> Vec<Record> {
    let agent = Agent::new("web-1", 1);
    let host = agent.host.clone();
    let mut hello = agent.hello(world);
    hello.watched.resize(400, hello.watched[0].clone());
    let standing = Standing {
        check: name("nginx:http"),
        kind: CheckKind::Http,
        service: Some(name(SERVICE)),
        verdict: Verdict::Down,
        since: agent.stamp(world),
    };
    let hosts: Vec<HostId> = (0..300).map(|at| host_id(&alloc::format!("{}-{at}", "h".repeat(50)))).collect();
    let span = SeqRange::new(Seq(1), Seq(9)).unwrap();
    let (operator, incident) = (name("ann"), incident::IncidentId(1));
    vec![
        Record::Frames { host: host.clone(), run: agent.run, lane: Lane::Live, span, frames: vec![7; 5_000] },
        Record::Opened { host: host.clone(), hello },
        Record::Standing { host: host.clone(), checks: vec![standing.clone(); 400] },
        Record::Stands {
            host: host.clone(),
            checks: vec![Stands { cause: Some(Cause::Refused), ..standing.into() }; 400],
        },
        Record::Silent { hosts: hosts.clone() },
        Record::Back { hosts },
        Record::Commanded { operator, incident, verb: Verb::Note("n".repeat(1_000)) },
        Record::Goodbye { host: host.clone() },
        Record::Retired { host },
        Record::Tick,
    ]
}

#[test]
fn what_waits_for_the_journal_is_about_what_it_takes_there_and_nothing_once_it_is_durable() {
    let world = World::new();
    let mut all = Outbox::new();
    let mut sum = 0;
    for (index, record) in (1..).zip(records(&world)) {
        let written = postcard::to_allocvec(&record).unwrap().len() as u64;
        let entry = Entry { index, now: world.now, record };
        let mut alone = Outbox::new();
        alone.append(Box::new(entry.clone()));
        let (entries, bytes) = alone.waiting();
        assert_eq!(entries, 1);
        assert!(written <= bytes && bytes <= 8 * written + 300, "{bytes} for {written}: {:?}", entry.record);
        all.append(Box::new(entry));
        sum += bytes;
        assert_eq!(all.waiting(), (u32::try_from(index).unwrap(), sum));
    }
    let last = 10;
    all.on(world.now.mono, store::Fact::Journaled { upto: 3 }, last);
    let (entries, bytes) = all.waiting();
    assert!(entries == 7 && 0 < bytes && bytes < sum / 2, "{entries} of {bytes} bytes");
    all.on(world.now.mono, store::Fact::Journaled { upto: last }, last);
    assert_eq!(all.waiting(), (0, 0));
}

#[test]
fn what_waits_for_the_journal_is_bounded_by_its_bytes_too() {
    let mut world = World::new();
    world.disk = Disk::Held;
    let taken = (1..100).take_while(|at| {
        let agent = Agent::new(&alloc::format!("h-{at}"), *at);
        let mut hello = agent.hello(&world);
        hello.watched.resize(4_096, hello.watched[0].clone());
        let hello = Box::new(hello);
        world.take_effects();
        world.input(Input::Session(Fact::Opened {
            session: agent.session,
            host: agent.host,
            hello,
            terms: Terms::default(),
        }));
        !matches!(world.session_orders()[..], [Order::Refuse { code: "too-many", .. }])
    });
    assert_eq!(taken.count(), 32, "of half a MiB each");
}

#[test]
fn the_summary_shows_what_waits_while_the_journal_can_not_be_written() {
    let mut world = World::new();
    let mut agent = Agent::new("web-1", 1);
    agent.connect(&mut world);
    world.disk = Disk::Held;
    for _ in 0..3 {
        agent.say(&mut world, evidence(&"e".repeat(160)));
    }
    world.input(Input::Store(store::Fact::Failed { full: false }));
    let counted = summary(&mut world);
    assert_eq!(counted.waiting_entries, 3);
    assert!((480..3_000).contains(&counted.waiting_bytes), "{}", counted.waiting_bytes);
}

#[test]
fn a_condition_that_finds_no_room_is_counted_and_shows_its_verdict_and_joins_no_incident() {
    let mut world = World::new();
    let mut agent = Agent::new("web-1", 1);
    agent.connect(&mut world);
    world.core.state.firing = crate::signal::SIGNALS_MAX - 1;
    agent.say(&mut world, tcp(Verdict::Down));
    let full = summary(&mut world);
    assert_eq!((full.firing, full.overflow), (crate::signal::SIGNALS_MAX, 0));
    agent.say(&mut world, space(Verdict::Down));
    let over = summary(&mut world);
    assert_eq!((over.firing, over.overflow), (crate::signal::SIGNALS_MAX, 1));
    assert_eq!(world.the_incident().incident.firing, 1);
    assert_eq!(world.host(&agent.host).not_up, 2);
}

#[test]
fn sixteen_mib_are_the_most_that_waits_for_the_journal() {
    let world = World::new();
    let most = store::outbox::WAITING_BYTES_MAX;
    for (bytes, refusal) in [(most - 1, None), (most, Some("too-many"))] {
        let mut outbox = Outbox::new();
        let span = SeqRange::new(Seq(1), Seq(1)).unwrap();
        let (host, frames) = (host_id("web-1"), vec![0; bytes - 128]);
        let record = Record::Frames { host, run: Run(1), lane: Lane::Live, span, frames };
        outbox.append(Box::new(Entry { index: 1, now: world.now, record }));
        assert_eq!((outbox.waiting().1, outbox.refusal()), (bytes as u64, refusal));
    }
}

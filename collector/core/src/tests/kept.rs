//! What is kept for sessions that wait and for a journal that lags: to the last byte that fits, and what is replayed.

use super::contest::second_session;
use super::ingest::{acks, refusals};
use super::*;

/// So many hosts, each with a session and a second one that waits.
fn waiting(world: &mut World, hosts: u64) -> Vec<Agent> {
    let waits = |at: u64| {
        let host = alloc::format!("h-{at}");
        Agent::new(&host, at).connect(world);
        let second = Agent { session: SessionId(10_000 + at), ..Agent::new(&host, at) };
        second.open(world);
        second
    };
    let all = (1..=hosts).map(waits).collect();
    world.take_effects();
    all
}

#[test]
fn who_waits_may_say_16_things_and_no_more() {
    let mut world = World::new();
    let (_, (second, _)) = second_session(&mut world);
    for _ in 0..16 {
        second.stands(&mut world, &[]);
    }
    assert!(world.session_orders().is_empty());
    second.stands(&mut world, &[]);
    assert_eq!(refusals(&mut world), ["too-many"]);
}

#[test]
fn all_that_wait_may_send_16_mib_together_and_more_once_one_of_them_is_gone() {
    let mut world = World::new();
    let all = waiting(&mut world, 34);
    let batch = || vec![0; 64 * 1024];
    for agent in &all[..32] {
        for _ in 0..8 {
            agent.batch(&mut world, Lane::Live, batch());
        }
    }
    assert!(world.session_orders().is_empty(), "256 batches of 64 KiB");
    all[32].batch(&mut world, Lane::Live, batch());
    assert_eq!(refusals(&mut world), ["too-many"]);
    all[0].close(&mut world);
    for _ in 0..8 {
        all[33].batch(&mut world, Lane::Live, batch());
    }
    assert!(world.session_orders().is_empty(), "as many as the one that is gone had sent");
}

#[test]
fn what_stands_counts_among_what_those_who_wait_may_send() {
    let mut world = World::new();
    let all = waiting(&mut world, 40);
    let standing = |agent: &Agent, world: &World| Standing {
        check: name("nginx:http"),
        kind: CheckKind::Http,
        service: Some(name(SERVICE)),
        verdict: Verdict::Down,
        since: agent.stamp(world),
    };
    let says = all.iter().flat_map(|agent| core::iter::repeat_n(agent, 16));
    let taken = says.take_while(|agent| {
        let checks = vec![standing(agent, &world).into(); 500];
        world.input(Input::Session(Fact::Standing { session: agent.session, checks }));
        world.session_orders().is_empty()
    });
    let taken = taken.count();
    let bytes = taken * 500 * size_of::<Stands>();
    assert!((15 << 20) < bytes && bytes <= 16 << 20, "{taken} messages of {bytes} bytes");
}

/// A batch of frames of so many bytes.
fn batch_of(agent: &mut Agent, world: &World, bytes: usize) -> Vec<u8> {
    let line = |bytes: usize| evidence(&"e".repeat(bytes));
    let (least, most) = (agent.frame_at(world, 1, line(1)).len(), agent.frame_at(world, 1, line(100)).len());
    let mut batch = Vec::new();
    while bytes - batch.len() > 2 * most {
        batch.extend(agent.frame(world, line(100)));
    }
    let last = (bytes - batch.len()) / 2;
    batch.extend(agent.frame(world, line(1 + last - least)));
    let last = bytes - batch.len();
    batch.extend(agent.frame(world, line(1 + last - least)));
    assert_eq!(batch.len(), bytes);
    batch
}

#[test]
fn a_batch_of_64_kib_is_taken_and_one_byte_more_is_not() {
    for (bytes, taken) in [(64 * 1024, true), (64 * 1024 + 1, false)] {
        let mut world = World::new();
        let mut agent = Agent::new("web-1", 1);
        agent.connect(&mut world);
        world.take_effects();
        let batch = batch_of(&mut agent, &world, bytes);
        agent.batch(&mut world, Lane::Live, batch);
        if taken {
            assert_eq!(acks(&mut world), [(agent.run, ranges(&[(1, agent.seq)]))]);
        } else {
            assert_eq!(refusals(&mut world), ["too-large"]);
        }
    }
}

#[test]
fn as_many_entries_as_may_wait_for_the_journal_are_taken_and_no_more() {
    let mut world = World::new();
    let mut agent = Agent::new("web-1", 1);
    agent.connect(&mut world);
    world.disk = Disk::Held;
    world.take_effects();
    while world.session_orders().is_empty() {
        agent.say(&mut world, started(1));
    }
    let frames = world.host_now(&agent.host).frames;
    assert_eq!((frames, agent.seq), (4_096, 4_097));
    agent.session = SessionId(2);
    agent.connect(&mut world);
    assert_eq!(world.host(&agent.host).state, view::HostState::Connected, "once they are durable");
}

#[test]
fn what_was_replayed_is_durable_and_shown_at_once() {
    let mut world = World::new();
    Agent::new("web-1", 1).connect(&mut world);
    let mut core = Collector::new(3);
    for entry in &world.journal {
        core.replay(entry.index, entry.now, entry.record.clone());
    }
    let query = view::Query { reply: Token(1), question: Question::Hosts { after: None, limit: 9 } };
    core.handle(world.now, Input::Query(query));
    assert!(matches!(core.poll(), Some(Effect::Reply(_))));
}

#[test]
fn a_journal_that_lost_its_end_goes_on_behind_what_it_passes() {
    let mut core = Collector::new(3);
    let now = World::new().now;
    core.pass(40);
    core.pass(7);
    core.begin(now, BOOT);
    let Some(Effect::Store(store::Order::Append(entry))) = core.poll() else { panic!("it begins") };
    assert_eq!((entry.index, core.index()), (41, 41));
    let query = view::Query { reply: Token(1), question: Question::Summary };
    core.handle(now, Input::Store(store::Fact::Journaled { upto: 41 }));
    core.handle(now, Input::Query(query));
    assert!(matches!(core.poll(), Some(Effect::Reply(_))));
}

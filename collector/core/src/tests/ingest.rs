//! Frames: every event exactly once, whatever is sent twice, cut, or claimed.

use super::*;
use crate::record::Record;

pub(super) fn acks(world: &mut World) -> Vec<(Run, Ranges)> {
    let ack = |order| match order {
        Order::Ack { run, ranges, .. } => Some((run, *ranges)),
        Order::Welcome { .. } | Order::Ask { .. } | Order::Challenge { .. } => None,
        Order::Refuse { code, .. } => panic!("refused: {code}"),
    };
    world.session_orders().into_iter().filter_map(ack).collect()
}

fn journaled_seqs(world: &World) -> Vec<u64> {
    let mut seqs = Vec::new();
    for entry in &world.journal {
        if let Record::Frames { frames, .. } = &entry.record {
            let mut rest = frames.as_slice();
            while !rest.is_empty() {
                let (frame, after) = frame::split(rest).unwrap();
                seqs.push(frame.header.seq.0);
                rest = after;
            }
        }
    }
    seqs
}

pub(super) fn refusals(world: &mut World) -> Vec<&'static str> {
    let code = |order| match order {
        Order::Refuse { code, .. } => Some(code),
        Order::Welcome { .. } | Order::Ack { .. } | Order::Ask { .. } | Order::Challenge { .. } => None,
    };
    world.session_orders().into_iter().filter_map(code).collect()
}

fn frames(agent: &Agent, world: &World, seqs: impl Iterator<Item = u64>) -> Vec<u8> {
    seqs.flat_map(|seq| agent.frame_at(world, seq, restart(u16::try_from(seq).unwrap()))).collect()
}

pub(super) fn send(agent: &Agent, world: &mut World, seqs: impl Iterator<Item = u64>) {
    let batch = frames(agent, world, seqs);
    agent.batch(world, Lane::Live, batch);
}

#[test]
fn every_event_is_journaled_once_over_resends_overlaps_and_reorder() {
    let mut world = World::new();
    let agent = Agent::new("web-1", 1);
    agent.connect(&mut world);
    let all: Vec<Vec<u8>> = (1..=12).map(|seq| frames(&agent, &world, seq..=seq)).collect();
    for span in [(5, 8), (1, 3), (1, 6), (4, 4), (9, 12), (1, 12), (2, 2)] {
        agent.batch(&mut world, Lane::Live, all[span.0 - 1..span.1].concat());
    }
    let mut seqs = journaled_seqs(&world);
    seqs.sort_unstable();
    assert_eq!(seqs, (1..=12).collect::<Vec<u64>>());
    assert_eq!(acks(&mut world).last(), Some(&(agent.run, ranges(&[(1, 12)]))));
    assert_eq!(world.host(&agent.host).frames, 12);
    let remedies =
        world.services(&agent.host).into_iter().find(|found| found.service.is_some()).unwrap().remedies;
    assert_eq!(remedies, 12, "each counted once");
}

#[test]
fn the_same_number_with_other_content_is_a_gap_and_never_a_repeat() {
    let mut world = World::new();
    let agent = Agent::new("web-1", 1);
    agent.connect(&mut world);
    let first = frames(&agent, &world, 1..=4);
    agent.batch(&mut world, Lane::Live, first.clone());
    let other: Vec<u8> = (1..=5)
        .flat_map(|seq| {
            agent.frame_at(
                &world,
                seq,
                if seq < 3 { restart(u16::try_from(seq).unwrap()) } else { killed(7) },
            )
        })
        .collect();
    agent.batch(&mut world, Lane::Live, other);
    let conflicts: Vec<SeqRange> = world
        .journal
        .iter()
        .filter_map(|entry| match &entry.record {
            Record::Conflict { range, .. } => Some(*range),
            _ => None,
        })
        .collect();
    assert_eq!(conflicts, [SeqRange::new(Seq(3), Seq(4)).unwrap()]);
    assert_eq!(journaled_seqs(&world), [1, 2, 3, 4, 5], "what stood stays, what is new is taken");
    assert_eq!((world.host(&agent.host).lost, world.host(&agent.host).frames), (2, 5));
}

#[test]
fn a_gap_frame_closes_the_range_it_names() {
    let mut world = World::new();
    let agent = Agent::new("web-1", 1);
    agent.connect(&mut world);
    send(&agent, &mut world, 1..=3);
    let range = SeqRange::new(Seq(4), Seq(9)).unwrap();
    let gap = Said::Gap(Gap { run: agent.run, range, reason: GapReason::SpoolFull });
    let frame = agent.frame_at(&world, 10, gap);
    world.take_effects();
    agent.batch(&mut world, Lane::Live, frame);
    assert_eq!(acks(&mut world), [(agent.run, ranges(&[(1, 10)]))]);
    assert_eq!(world.host(&agent.host).lost, 6);
}

/// A run of three frames ends, and the next one says that it came to 8: the world, the new agent, the old one's words.
fn second_run() -> (World, Agent, Agent) {
    let mut world = World::new();
    let mut agent = Agent::new("web-1", 1);
    agent.connect(&mut world);
    send(&agent, &mut world, 1..=3);
    agent.close(&mut world);
    let old = agent.run;
    (agent.run, agent.session) = (Run(77), SessionId(2));
    agent.connect(&mut world);
    world.take_effects();
    let previous = Some((old, Seq(8)));
    let began = Began { boot: BOOT, previous, version: Text::new("1"), checks: 1, services: 1 };
    agent.say_late(&mut world, Said::Began(began));
    let old =
        Agent { host: agent.host.clone(), run: old, seq: 0, terms: agent.terms, session: agent.session };
    (world, agent, old)
}

#[test]
fn a_new_run_is_told_what_came_of_the_one_before_and_names_the_rest() {
    let (mut world, agent, old) = second_run();
    assert_eq!(acks(&mut world), [(old.run, ranges(&[(1, 3)])), (agent.run, ranges(&[(1, 1)]))]);
    assert_eq!(world.host(&agent.host).lost, 0, "it may still be on the agent's disk");
    let late = frames(&old, &world, 4..=6);
    agent.batch(&mut world, Lane::Backlog, late);
    let range = SeqRange::new(Seq(7), Seq(8)).unwrap();
    let gap = Said::Gap(Gap { run: old.run, range, reason: GapReason::AgentEnded });
    let frame = agent.frame_at(&world, 2, gap);
    agent.batch(&mut world, Lane::Live, frame);
    assert_eq!((world.host(&agent.host).lost, world.host(&agent.host).frames), (2, 8));
}

#[test]
fn frames_of_many_runs_before_are_each_taken_once_however_old_the_run_is() {
    let (mut world, agent, _) = second_run();
    for back in 0..2 {
        for run in 1..=40 {
            let old = Agent {
                host: agent.host.clone(),
                run: Run(2000 + run),
                seq: 0,
                terms: agent.terms,
                session: agent.session,
            };
            let late = frames(&old, &world, 1..=2 + back);
            world.take_effects();
            agent.batch(&mut world, Lane::Backlog, late);
            assert_eq!(acks(&mut world), [(old.run, ranges(&[(1, 2 + back)]))]);
        }
    }
    assert_eq!((world.host(&agent.host).lost, world.host(&agent.host).frames), (0, 4 + 40 * 3));
    send(&agent, &mut world, 2..=3);
    assert_eq!(world.host(&agent.host).frames, 4 + 40 * 3 + 2, "the present run was not forgotten over them");
}

#[test]
fn a_batch_of_an_earlier_run_that_does_not_fit_is_answered_with_what_is_there() {
    let (mut world, agent, old) = second_run();
    for seq in 1..=7 {
        let island = frames(&old, &world, 10 * seq..=10 * seq);
        agent.batch(&mut world, Lane::Backlog, island);
    }
    world.take_effects();
    let ninth = frames(&old, &world, 100..=100);
    agent.batch(&mut world, Lane::Backlog, ninth);
    let there = [(1, 3), (10, 10), (20, 20), (30, 30), (40, 40), (50, 50), (60, 60), (70, 70)];
    assert_eq!(acks(&mut world), [(old.run, ranges(&there))]);
}

#[test]
fn nothing_is_acknowledged_before_it_is_journaled() {
    let mut world = World::new();
    let agent = Agent::new("web-1", 1);
    agent.connect(&mut world);
    world.disk = Disk::Held;
    world.take_effects();
    send(&agent, &mut world, 1..=2);
    send(&agent, &mut world, 1..=2);
    send(&agent, &mut world, 3..=4);
    assert!(world.take_effects().is_empty(), "a repeat of what is not durable is not acknowledged either");
    let upto = world.journal.len() as u64 - 1;
    world.input(Input::Store(store::Fact::Journaled { upto }));
    assert_eq!(acks(&mut world), [(agent.run, ranges(&[(1, 2)])), (agent.run, ranges(&[(1, 2)]))]);
    world.journaled();
    assert_eq!(acks(&mut world), [(agent.run, ranges(&[(1, 4)]))]);
}

#[test]
fn an_unsound_frame_ends_the_session_and_nothing_of_its_batch_is_taken() {
    for spoil in 0..4 {
        let mut world = World::new();
        let agent = Agent::new("web-1", 1);
        agent.connect(&mut world);
        let mut batch = frames(&agent, &world, 1..=3);
        match spoil {
            0 => *batch.last_mut().unwrap() ^= 1,
            1 => batch.truncate(batch.len() - 1),
            2 => batch.extend(frames(&Agent::new("web-1", 9), &world, 4..=4)),
            _ => batch.extend(frames(&agent, &world, 3..=3)),
        }
        world.take_effects();
        agent.batch(&mut world, Lane::Live, batch);
        assert_eq!(refusals(&mut world), ["bad-frame"], "spoiled {spoil}");
        assert!(journaled_seqs(&world).is_empty());
        send(&agent, &mut world, 1..=1);
        assert!(world.take_effects().is_empty(), "the session is over");
    }
}

#[test]
fn a_ninth_range_is_refused_with_nothing_taken() {
    let mut world = World::new();
    let agent = Agent::new("web-1", 1);
    agent.connect(&mut world);
    for seq in [2, 4, 6, 8, 10, 12, 14, 16] {
        send(&agent, &mut world, seq..=seq);
    }
    world.take_effects();
    send(&agent, &mut world, [3, 18].into_iter());
    assert_eq!(world.host(&agent.host).frames, 10, "filling one hole makes room for the new range");
    send(&agent, &mut world, 20..=20);
    assert_eq!(refusals(&mut world), ["ranges-full"]);
    assert_eq!(world.host(&agent.host).frames, 10);
}

#[test]
fn a_welcome_says_what_is_known_of_the_run() {
    let mut world = World::new();
    let mut agent = Agent::new("web-1", 1);
    agent.connect(&mut world);
    send(&agent, &mut world, 1..=4);
    agent.close(&mut world);
    agent.session = SessionId(2);
    world.take_effects();
    agent.open(&mut world);
    let orders = world.session_orders();
    let [Order::Welcome { heartbeat, known, .. }] = &orders[..] else { panic!("{orders:?}") };
    assert_eq!((*heartbeat, &**known), (Span::from_secs(10), &ranges(&[(1, 4)])));
}

#[test]
fn what_an_agent_holds_for_up_is_compared_and_differences_are_counted() {
    let mut world = World::new();
    let agent = Agent::new("web-1", 1);
    agent.open(&mut world);
    agent.stands(&mut world, &[("redis:tcp", CheckKind::Tcp, Some("redis"))]);
    assert_eq!(world.host(&agent.host).differences, 0);
    for (up, digest) in [(4, 1), (3, 2)] {
        world.input(Input::Session(Fact::StandingEnd { session: agent.session, up, digest }));
    }
    assert_eq!(world.host(&agent.host).differences, 2);
    world.restart();
    assert_eq!(world.host(&agent.host).differences, 2);
}

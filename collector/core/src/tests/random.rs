//! Random stories: delayed, batched, repeated journaling changes nothing; no input panics; every code is explained.
//! A failing case prints its seed and its smallest story.

#![expect(clippy::disallowed_types, reason = "the macros of proptest name Arc; the core does not")]

use super::*;
use crate::incident::{IncidentId, Verb};
use crate::view::{Watch, WatcherId};
use alloc::collections::BTreeSet;
use proptest::prelude::*;

/// One step of a story with three agents.
#[derive(Debug, Clone)]
pub(super) enum Step {
    Say { agent: usize, what: usize, lane: Lane },
    Resend { agent: usize, back: u64, what: usize },
    Skip { agent: usize },
    Open { agent: usize },
    Second { agent: usize },
    Close { agent: usize },
    Goodbye { agent: usize },
    Stands { agent: usize, checks: usize },
    Answer { agent: usize },
    NewRun { agent: usize },
    Garbage { agent: usize, bytes: Vec<u8> },
    Heard { agent: usize },
    Beat { agent: usize, ahead: i64, bound: u64 },
    Pass { ms: u64 },
    Command { incident: u64, verb: usize },
    Order { agent: usize },
    Part { agent: usize, part: u8, of: u8 },
    Watch { watcher: u64, what: u64 },
}

pub(super) fn step() -> impl Strategy<Value = Step> {
    let agent = || 0_usize..3;
    let lane = prop_oneof![3 => Just(Lane::Live), 1 => Just(Lane::Backlog)];
    prop_oneof![
        12 => (agent(), 0_usize..18, lane).prop_map(|(agent, what, lane)| Step::Say { agent, what, lane }),
        2 => (agent(), 0_u64..6, 0_usize..18).prop_map(|(agent, back, what)| Step::Resend { agent, back, what }),
        1 => agent().prop_map(|agent| Step::Skip { agent }),
        3 => agent().prop_map(|agent| Step::Open { agent }),
        1 => agent().prop_map(|agent| Step::Second { agent }),
        2 => agent().prop_map(|agent| Step::Close { agent }),
        1 => agent().prop_map(|agent| Step::Goodbye { agent }),
        3 => (agent(), 0_usize..8).prop_map(|(agent, checks)| Step::Stands { agent, checks }),
        1 => agent().prop_map(|agent| Step::Answer { agent }),
        1 => agent().prop_map(|agent| Step::NewRun { agent }),
        1 => (agent(), proptest::collection::vec(any::<u8>(), 0..80)).prop_map(|(agent, bytes)| Step::Garbage { agent, bytes }),
        4 => agent().prop_map(|agent| Step::Heard { agent }),
        2 => (agent(), prop_oneof![-9_000_i64..9_000, any::<i64>()], 0_u64..9_000)
            .prop_map(|(agent, ahead, bound)| Step::Beat { agent, ahead, bound }),
        6 => prop_oneof![0_u64..3_000, 3_000_u64..100_000, 100_000_u64..2_000_000].prop_map(|ms| Step::Pass { ms }),
        2 => (0_u64..60, 0_usize..3).prop_map(|(incident, verb)| Step::Command { incident, verb }),
        2 => agent().prop_map(|agent| Step::Order { agent }),
        2 => (agent(), 0_u8..4, 0_u8..4).prop_map(|(agent, part, of)| Step::Part { agent, part, of }),
        1 => (0_u64..3, 0_u64..40).prop_map(|(watcher, what)| Step::Watch { watcher, what }),
    ]
}

fn said(what: usize, agent: &Agent) -> Said {
    let range = SeqRange::new(Seq(agent.seq + 1), Seq(agent.seq + 3)).unwrap();
    match what {
        0 => process(Verdict::Down),
        1 => process(Verdict::Up),
        2 => http(Verdict::Down),
        3 => http(Verdict::Up),
        4 => tcp(Verdict::Down),
        5 => tcp(Verdict::Up),
        6 => space(Verdict::Degraded),
        7 => space(Verdict::Flapping),
        8 => space(Verdict::Up),
        9 => killed(3),
        10 => started(4),
        11 => restart(1),
        12 => held(),
        13 => not_held(1),
        14 => breaker_open(),
        15 => Said::Breaker(BreakerMoved { service: name(SERVICE), to: Breaker::Closed }),
        16 => evidence("a last line"),
        _ => Said::Gap(Gap { run: agent.run, range, reason: GapReason::SpoolFull }),
    }
}

/// How the journal answers in a story: after how many appends, and whether it repeats itself.
#[derive(Debug, Clone, Copy)]
pub(super) enum Journal {
    AtOnce,
    Every(usize),
    Never,
}

pub(super) fn tell(steps: &[Step], answers: Journal) -> World {
    let mut world = World::new();
    world.disk = Disk::Held;
    let mut agents: Vec<Agent> = (0..3).map(|at| Agent::new(&alloc::format!("h-{at}"), at)).collect();
    let mut sessions = 10;
    let mut nonces: Vec<(SessionId, u64)> = Vec::new();
    for (at, step) in steps.iter().enumerate() {
        take(&mut world, &mut agents, &mut sessions, (step, &nonces));
        for effect in &world.effects {
            if let Effect::Session(Order::Challenge { session, nonce }) = effect {
                nonces.push((*session, *nonce));
            }
        }
        let upto = world.journal.len() as u64;
        match answers {
            Journal::AtOnce => world.journaled(),
            Journal::Every(steps) if at % steps == 0 => {
                // Late, again, out of order, and for more than there is.
                for upto in [upto / 2, upto, upto / 3, upto + 9] {
                    world.input(Input::Store(store::Fact::Journaled { upto }));
                }
            }
            Journal::Every(_) | Journal::Never => {}
        }
    }
    world
}

fn take(
    world: &mut World,
    agents: &mut [Agent],
    sessions: &mut u64,
    (step, nonces): (&Step, &[(SessionId, u64)]),
) {
    match step.clone() {
        Step::Say { agent, what, lane } => {
            let said = said(what, &agents[agent]);
            let frame = agents[agent].frame(world, said);
            agents[agent].batch(world, lane, frame);
        }
        Step::Resend { agent, back, what } => {
            let agent = &agents[agent];
            let frame = agent.frame_at(world, agent.seq.saturating_sub(back).max(1), said(what, agent));
            agent.batch(world, Lane::Live, frame);
        }
        Step::Skip { agent } => agents[agent].seq += 2,
        Step::Open { agent } | Step::Second { agent } => {
            if matches!(step, Step::Open { .. }) {
                agents[agent].close(world);
            }
            *sessions += 1;
            agents[agent].session = SessionId(*sessions);
            agents[agent].terms = terms(world, &agents[agent], *sessions);
            agents[agent].open(world);
        }
        Step::Close { agent } => agents[agent].close(world),
        Step::Goodbye { agent } => {
            world.input(Input::Session(Fact::Goodbye { session: agents[agent].session }));
        }
        Step::Stands { agent, checks } => {
            let all = [
                ("nginx:process", CheckKind::Process, Some(SERVICE)),
                ("redis:tcp", CheckKind::Tcp, Some("redis")),
                ("space:/", CheckKind::Space, None),
            ];
            let listed: Vec<_> = (0..3).filter(|bit| checks >> bit & 1 == 1).map(|bit| all[bit]).collect();
            agents[agent].stands(world, &listed);
        }
        Step::Answer { agent } => {
            let session = agents[agent].session;
            if let Some((session, nonce)) = nonces.last().copied() {
                world.input(Input::Session(Fact::Answered { session, nonce }));
            }
            world.input(Input::Session(Fact::Answered { session, nonce: 1 }));
        }
        Step::NewRun { agent } => {
            let agent = &mut agents[agent];
            let previous = Some((agent.run, Seq(agent.seq + 1)));
            (agent.run, agent.seq) = (Run(agent.run.0 + 10_000), 0);
            let began = Began { boot: BOOT, previous, version: Text::new("1"), checks: 4, services: 2 };
            agent.say_late(world, Said::Began(began));
        }
        Step::Garbage { agent, bytes } => agents[agent].batch(world, Lane::Live, bytes),
        Step::Heard { agent } => world.input(Input::Heard(vec![heard(&agents[agent])])),
        Step::Beat { agent, ahead, bound } => {
            let input = beat(world, &agents[agent], Some((ahead, bound)));
            world.input(input);
        }
        Step::Pass { ms } => world.pass(Span::from_millis(ms)),
        Step::Command { incident, verb } => {
            let verb = match verb {
                0 => Verb::Acknowledge,
                1 => Verb::Note("seen".to_string()),
                _ => Verb::Resolve(String::new()),
            };
            let (operator, incident) = (Box::new(name("ann")), IncidentId(incident));
            let command = incident::Command { reply: Token(0), operator, incident, revision: None, verb };
            world.input(Input::Command(command));
        }
        Step::Order { agent } => {
            let (operator, host) = (Box::new(name("ann")), Box::new(agents[agent].host.clone()));
            let service = Box::new(name(SERVICE));
            world.input(Input::Order(crate::order::Ask { reply: Token(0), operator, host, service }));
        }
        Step::Part { agent, part, of } => {
            let said = part_of_the_last(world, part, of);
            agents[agent].say(world, said);
        }
        Step::Watch { watcher, what } => {
            let watcher = WatcherId(watcher);
            world.input(Input::Watch(match what {
                0..10 => Watch::Come { watcher, after: None },
                10..20 => Watch::Come { watcher, after: Some(what) },
                20..30 => Watch::Read { watcher, changes: 3 },
                _ => Watch::Gone { watcher },
            }));
        }
    }
}

/// A part of what the last order of all asked for, or a refusal.
fn part_of_the_last(world: &World, part: u8, of: u8) -> Said {
    let order = |entry: &Entry| match &entry.record {
        crate::Record::Ordered { token, .. } => Some(*token),
        _ => None,
    };
    let token = world.journal.iter().rev().find_map(order).unwrap_or_default();
    let said = match of {
        0 => OrderSaid::Refused(Refusal::Busy),
        of => OrderSaid::Part { part, of, text: picket_proto::Lines::new("a line") },
    };
    Said::Ordered(Ordered { token, service: name(SERVICE), said })
}

/// Of one host of three the link costs money every other time, and another names the list that is known.
fn terms(world: &World, agent: &Agent, nth: u64) -> Terms {
    let hosts = &world.core.state.hosts;
    let known = hosts.find(agent.host.as_str()).and_then(|slot| hosts.get(slot));
    match agent.host.as_str() {
        "h-1" => Terms {
            report: Span::from_secs(nth % 2 * 60),
            orders: crate::order::EVIDENCE,
            machine: nth % 3,
            ..Terms::default()
        },
        "h-2" => Terms {
            watched: known.map(crate::host::Host::watched_digest),
            machine: nth % 2,
            ..Terms::default()
        },
        _ => Terms::default(),
    }
}

fn check_codes(world: &mut World) {
    world.disk = Disk::Quick;
    world.journaled();
    let mut codes = BTreeSet::new();
    for effect in world.take_effects() {
        match effect {
            Effect::Session(Order::Refuse { code, .. }) => codes.insert(code),
            Effect::Command(incident::Answer { result: Err(code), .. }) => codes.insert(code),
            Effect::Order(crate::order::Answer { result: Err(code), .. }) => codes.insert(code),
            Effect::Watch(view::Push::Cut { code, .. }) => codes.insert(code),
            Effect::Told(change) => codes.insert(change.code) | codes.insert(change.incident.severity_rule),
            Effect::Session(_) | Effect::Command(_) | Effect::Order(_) | Effect::Watch(_) => true,
            Effect::Identity(_) | Effect::Reply(_) | Effect::Store(_) => true,
        };
    }
    for incident in world.incidents() {
        let detail = world.detail(incident.id);
        codes.extend(detail.timeline.iter().map(|entry| entry.code));
        codes.extend(detail.reasons.iter().map(|(code, _)| *code));
    }
    for code in codes {
        assert!(picket_proto::code::find(code).is_some(), "{code} is not in the table of codes");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_the_journal_does_the_state_is_the_same_as_that_of_a_straight_replay(
        steps in proptest::collection::vec(step(), 1..120),
        every in 2_usize..30,
    ) {
        let mut straight = tell(&steps, Journal::AtOnce);
        let snapshot = straight.core.snapshot();
        for answers in [Journal::Every(every), Journal::Never] {
            let other = tell(&steps, answers);
            prop_assert_eq!(&other.journal, &straight.journal);
            prop_assert!(other.core.snapshot() == snapshot, "{:?} changed the state", answers);
        }
        let mut replayed = Collector::new(4);
        for entry in straight.journal.clone() {
            replayed.replay(entry.index, entry.now, entry.record);
        }
        prop_assert!(replayed.snapshot() == snapshot, "the replay differs");
        check_codes(&mut straight);
    }
}

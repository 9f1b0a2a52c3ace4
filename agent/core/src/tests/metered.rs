//! Links that cost money: what is asked of the collector, how seldom it is told, and what goes above the cap.

use super::session::{lane, lost, made, ranges};
use super::sim::kept;
use super::world::{World, spec};
use crate::Input;
use crate::service::Away;
use crate::session::{Fact, Lane, Order, Terms, Trouble};
use picket_proto::frame::{Class, class_of};
use picket_proto::{Mono, Ranges, Span};
use std::vec::Vec;

const QUARTER: Span = Span::from_secs(900);
const CAP: u64 = 1_000_000;

fn metered(seed: u64, cap: Option<u64>) -> World {
    let mut world = World::new(seed, std::vec![spec("web")]);
    let now = world.now().mono;
    world.agent.use_link(now, Terms { report: QUARTER, cap });
    world.input(Input::Service(crate::service::Fact::Absent { service: 0 }));
    world.run(20_000);
    world
}

fn welcomed(world: &mut World, known: &Ranges, watched: Option<u32>) {
    world.input(Input::Session(Fact::Opened));
    world.input(Input::Session(Fact::Welcomed { heartbeat: QUARTER, known, watched }));
}

fn carried(world: &mut World, bytes: u64) {
    world.input(Input::Session(Fact::Carried { bytes }));
}

/// Everything that was sent arrives, until nothing more comes.
fn deliver(world: &mut World, known: &mut Ranges) {
    loop {
        let before = world.sent.len();
        for (_, seq) in &world.sent {
            known.insert(picket_proto::SeqRange::one(picket_proto::Seq(*seq)).unwrap()).unwrap();
        }
        let all = known.clone();
        world.acked(&all);
        world.all_sent();
        if world.sent.len() == before {
            return;
        }
    }
}

fn hellos(world: &World) -> Vec<Order> {
    world.orders.iter().map(|(_, order)| *order).filter(|it| matches!(it, Order::Hello { .. })).collect()
}

#[test]
fn the_interval_is_asked_for_and_the_collectors_word_is_obeyed() {
    let mut world = metered(1, None);
    welcomed(&mut world, &Ranges::new(), None);
    assert_eq!(hellos(&world), [Order::Hello { report: QUARTER, known: None }]);
    let from = world.orders.len();
    world.run(4 * 900_000);
    let beats: Vec<u64> = world.orders[from..]
        .iter()
        .filter(|(_, order)| matches!(order, Order::Heartbeat { .. }))
        .map(|(at, _)| *at / 1_000_000)
        .collect();
    assert!((4..=6).contains(&beats.len()), "one a second after the welcome, and one a quarter: {beats:?}");
    assert!(beats.windows(2).skip(1).all(|pair| (810..=990).contains(&(pair[1] - pair[0]))), "{beats:?}");
}

#[test]
fn a_list_that_the_collector_knows_is_named_once_and_after_a_refusal_said_whole() {
    let mut world = metered(2, None);
    welcomed(&mut world, &Ranges::new(), Some(77));
    lost(&mut world, Trouble::Closed);
    world.run(400);
    world.input(Input::Session(Fact::Opened));
    lost(&mut world, Trouble::Closed);
    world.run(60_000);
    world.input(Input::Session(Fact::Opened));
    let known: Vec<Option<u32>> = hellos(&world)
        .iter()
        .map(|hello| if let Order::Hello { known, .. } = hello { *known } else { None })
        .collect();
    assert_eq!(known, [None, Some(77), None], "refused or lost before the welcome: the whole list");
}

#[test]
fn above_the_cap_only_critical_events_go_and_the_rest_follows_in_the_next_period() {
    let mut world = metered(3, Some(CAP));
    near_the_end(&mut world);
    let mut known = Ranges::new();
    welcomed(&mut world, &known, None);
    deliver(&mut world, &mut known);
    let (sent, told) = (world.sent.len(), world.told.len());
    carried(&mut world, CAP - 1);
    assert_eq!(world.agent.link_usage(world.now().mono).2.map(|it| it.is_over()), Some(false));
    carried(&mut world, 1);
    world.kill(0);
    world.run(20_000);
    deliver(&mut world, &mut known);
    let critical = |(nth, (_, fact)): (usize, &(u64, picket_proto::Fact))| {
        (class_of(fact) == Class::Critical).then_some(nth as u64 + 1)
    };
    let due: Vec<u64> = world.told.iter().enumerate().skip(told).filter_map(critical).collect();
    let went: Vec<u64> = world.sent[sent..].iter().map(|(_, seq)| *seq).collect();
    assert!(!due.is_empty() && due.len() < world.told.len() - told, "{:?}", world.told);
    assert_eq!(went, due);
    let from = world.orders.len();
    world.run(900_000);
    let stated = |order: &(u64, Order)| matches!(order.1, Order::StandingEnd { up: 2, .. });
    assert_eq!(world.orders[from..].iter().filter(|order| stated(order)).count(), 1, "that all is up again");
    world.run(3_600_000);
    assert_eq!(
        world.orders[from..].iter().filter(|order| stated(order)).count(),
        1,
        "nothing new, nothing told"
    );
    world.run(3_600_000);
    deliver(&mut world, &mut known);
    assert_eq!(known, ranges(&[(1, made(&world))]), "a new period: what waited went");
    let late = lane(&world, sent, Lane::Backlog);
    assert!(
        !late.is_empty() && late.iter().all(|seq| !due.contains(seq)),
        "what was passed is late: {late:?}"
    );
}

/// Its period has two hours left, of 30 days.
fn near_the_end(world: &mut World) {
    let kept = kept(&world.agent);
    let mut next = World::new(3, std::vec![spec("web")]);
    let now = next.now().mono;
    next.agent.use_link(now, Terms { report: QUARTER, cap: Some(CAP) });
    next.agent.restore(now, Away::SameBoot(Span::from_secs(30 * 86_400 - 7_200)), &kept);
    next.input(Input::Service(crate::service::Fact::Absent { service: 0 }));
    next.run(20_000);
    *world = next;
}

#[test]
fn above_the_cap_critical_events_find_a_range_however_many_holes_there_are() {
    let mut world = metered(4, Some(CAP));
    let mut known = Ranges::new();
    welcomed(&mut world, &known, None);
    deliver(&mut world, &mut known);
    carried(&mut world, CAP);
    for _ in 0..12 {
        // Its breaker may rest.
        while world.sims[0].alive.is_none() {
            world.run(60_000);
        }
        world.kill(0);
        world.run(40_000);
        deliver(&mut world, &mut known);
        let last = world.told.iter().rposition(|(_, fact)| class_of(fact) == Class::Critical).unwrap();
        assert!(known.contains(picket_proto::Seq(last as u64 + 1)), "{known} of {}", made(&world));
    }
    assert!(known.count() < made(&world), "what is not critical waits: {known}");
}

#[test]
fn what_was_carried_outlives_the_agent_and_an_older_file_is_read() {
    let mut world = metered(5, Some(CAP));
    welcomed(&mut world, &Ranges::new(), None);
    world.kept = None;
    carried(&mut world, CAP / 64);
    assert_eq!(world.kept, None);
    carried(&mut world, 1);
    assert!(world.kept.is_some(), "a 64th more is kept");
    world.kill(0);
    world.run(100);
    let bytes = kept(&world.agent);
    assert_eq!(bytes[0], 3);
    let now = Mono::from_micros(1_000_000);
    let (mut next, mut fresh) =
        (World::new(6, std::vec![spec("web")]), World::new(7, std::vec![spec("web")]));
    fresh.agent.use_link(now, Terms { report: QUARTER, cap: Some(CAP) });
    let restored = fresh.agent.restore(now, Away::SameBoot(Span::from_secs(86_400)), &bytes);
    assert_eq!((restored.services, restored.damaged), (1, false), "{restored:?}");
    let (_, _, usage, left) = fresh.agent.link_usage(now);
    assert_eq!(usage.map(|it| it.bytes), Some(CAP / 64 + 1));
    assert!(left < Span::from_secs(29 * 86_400) && left > Span::from_secs(28 * 86_400), "{left}");
    let restored = next.agent.restore(now, Away::OtherBoot, &bytes);
    assert_eq!((restored.services, restored.damaged), (1, false), "a cap that was taken away");
    let older = kept(&next.agent);
    assert_eq!(older[0], 2, "a link without a cap keeps what an older agent can read");
    fresh = World::new(8, std::vec![spec("web")]);
    fresh.agent.use_link(now, Terms { report: QUARTER, cap: Some(CAP) });
    let restored = fresh.agent.restore(now, Away::OtherBoot, &older);
    assert_eq!((restored.services, restored.damaged), (1, false), "{restored:?}");
    assert_eq!(fresh.agent.link_usage(now).2.map(|it| it.bytes), Some(0));
}

/// What a death tells over the link, and in how many bytes of frames.
fn told_of_a_death(report: Span) -> (usize, bool) {
    let mut world = World::new(8, std::vec![spec("web")]);
    let now = world.now().mono;
    world.agent.use_link(now, Terms { report, cap: None });
    world.input(Input::Service(crate::service::Fact::Absent { service: 0 }));
    world.run(20_000);
    let from = world.told.len();
    world.kill(0);
    let last_line = &"e".repeat(160);
    world.input(Input::Service(crate::service::Fact::Evidence { service: 0, pid: 100, last_line }));
    world.run(20_000);
    let told = world.told[from..].iter().map(|(_, fact)| fact);
    let mut bytes = 0;
    let mut has_words = false;
    for fact in told {
        has_words |= matches!(fact, picket_proto::Fact::Evidence(_));
        let stamp = picket_proto::Stamp {
            run: picket_proto::Run(u64::MAX),
            boot: picket_proto::BootId(u128::MAX),
            mono: Mono::from_micros(1 << 40),
            wall: picket_proto::Wall::from_micros(1 << 50),
            synced: true,
        };
        let event = picket_proto::Event { stamp, fact: fact.clone() };
        bytes += picket_proto::frame::encode(picket_proto::Seq(1), &event, &mut [0; 1_024]).unwrap();
    }
    (bytes, has_words)
}

#[test]
fn over_a_link_that_costs_money_last_words_stay_on_the_host() {
    let (usual, words) = told_of_a_death(Terms::USUAL.report);
    let (metered, no_words) = told_of_a_death(QUARTER);
    assert!(words && !no_words);
    assert_eq!((usual, metered), (800, 557), "bytes of frames, as docs/operating.md says");
}

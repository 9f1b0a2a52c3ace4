//! The spool over many runs: a disk that loses what was not synced, a link that breaks, a collector that keeps at most
//! 8 ranges of a run. In the end every number of every run has arrived or is named.
//!
//! 120 random stories; `tests/replay.rs` says how to run a failing one again.
#![expect(clippy::disallowed_types, reason = "prop_oneof! names Arc in what it expands to")]

mod collector;
mod drive;
mod world;

use super::replay::cases;
use crate::check::Checks;
use crate::session::{self, Session};
use crate::spool::{self, Bytes, Fact, Identity, Lent, Order, Part, Past, SegmentId, Shape, Spool, Trouble};
use crate::timer::Dice;
use picket_proto::event::{self, Breaker, BreakerMoved, Evidence, GapReason, Started};
use picket_proto::frame::{self, Class, Content};
use picket_proto::{BootId, Mono, Now, Ranges, Run, Seq, SeqRange, Span, Text};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::vec::Vec;

/// Runs that the spool remembers at once.
const RUNS: usize = 16;

/// A frame: its number, its bytes, and what it names.
type Flying = (Seq, Option<event::Gap>);

/// What is on the disk.
#[derive(Debug, Default, Clone)]
struct Drive {
    segments: BTreeMap<SegmentId, (Class, Vec<Vec<u8>>)>,
    kept: Option<Vec<u8>>,
    /// What the next order fails with.
    trouble: Option<Trouble>,
}

/// What the collector has.
#[derive(Debug, Default)]
struct Collector {
    known: BTreeMap<u64, Ranges>,
    arrived: BTreeMap<u64, BTreeSet<u64>>,
    named: BTreeMap<u64, BTreeMap<u64, GapReason>>,
}

#[derive(Debug, Clone)]
enum Step {
    Make(Class, usize),
    /// Milliseconds go by.
    Wait(u64),
    Connect,
    Deliver(usize),
    Cut {
        arrived: usize,
    },
    /// The agent ends: killed, or with the power. Of an order that is out so many frames reached the disk.
    Restart {
        power: Power,
        reached: usize,
    },
    Fail(Trouble),
    /// The link has reached its cap, or a new period begins.
    Cap(bool),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Power {
    Stays,
    Goes,
}

/// One start of the agent, with memory of its own.
struct Life {
    spool: Spool<'static>,
    session: Session,
    checks: Checks<'static>,
    run: Run,
    is_connected: bool,
    asked: Option<(Order, Vec<u8>)>,
    flying: VecDeque<(Run, Vec<Flying>)>,
}

struct World {
    life: Life,
    drive: Drive,
    collector: Collector,
    at: u64,
    runs: u64,
    segments: u32,
    /// How far each run that ended must be accounted for.
    owed: BTreeMap<u64, u64>,
    /// What `STATE/run` says of them, the oldest first: of which runs something is missing.
    claims: Vec<(Run, Seq)>,
    is_capped: bool,
    /// What was said to be durable.
    durable: BTreeMap<u64, BTreeSet<u64>>,
}

fn leak<T: Clone>(one: T, count: usize) -> &'static mut [T] {
    std::vec![one; count].leak()
}

fn fact_of(class: Class) -> event::Fact {
    let service = "svc".parse().unwrap();
    match class {
        Class::Routine => {
            event::Fact::Evidence(Evidence { service, pid: 1, last_line: Text::new(&"w".repeat(90)) })
        }
        Class::Notable => event::Fact::Started(Started { service, pid: 1, adopted: false }),
        Class::Critical => event::Fact::Breaker(BreakerMoved { service, to: Breaker::Closed }),
    }
}

fn split(mut bytes: &[u8]) -> Vec<(frame::Header, Vec<u8>, Option<event::Fact>)> {
    let mut all = Vec::new();
    while !bytes.is_empty() {
        let (frame, rest) = frame::split(bytes).expect("whole frames");
        let Ok(Content::Known(event)) = frame.content() else { panic!("an unknown frame") };
        all.push((frame.header, frame.bytes.to_vec(), Some(event.fact)));
        bytes = rest;
    }
    all
}

impl Life {
    /// `claims`: what earlier runs than the previous one left, the oldest first.
    fn new(run: Run, previous: Option<(Run, Seq)>, claims: &[(Run, Seq)], segments: u32, now: Now) -> Self {
        let runs = leak(Past::default(), RUNS);
        for (place, (run, made)) in runs.iter_mut().zip(claims) {
            *place = Past::claimed(*run, *made);
        }
        let identity = Identity { run, boot: BootId(1), previous, version: Text::new("t") };
        let lent = Lent {
            parts: leak(Part::default(), segments as usize * 4),
            runs,
            pages: leak(0, 2 * spool::PAGE),
            segments,
            budget: u64::MAX,
        };
        let ring = (leak(0, spool::RING_MIN), leak(spool::Entry::default(), 128));
        let mut spool = Spool::new(ring, lent, identity);
        spool.begin(now, 0, 0);
        Self {
            spool,
            session: Session::new(Dice::new(7)),
            checks: Checks::new(&mut []),
            run,
            is_connected: false,
            asked: None,
            flying: VecDeque::new(),
        }
    }
}

fn batch(bytes: &[u8]) -> (Run, Vec<Flying>) {
    let frames = split(bytes);
    let run = frames[0].0.run;
    let one = |(header, _, fact): (frame::Header, Vec<u8>, Option<event::Fact>)| {
        assert_eq!(header.run, run, "one run in a batch");
        let gap = match fact {
            Some(event::Fact::Gap(gap)) => Some(gap),
            _ => None,
        };
        (header.seq, gap)
    };
    (run, frames.into_iter().map(one).collect())
}

fn while_so(mut turns: impl Iterator<Item = bool>) {
    while turns.next() == Some(true) {}
}

fn step() -> impl Strategy<Value = Step> {
    let class = prop_oneof![3 => Just(Class::Routine), 2 => Just(Class::Notable), 2 => Just(Class::Critical)];
    let power = prop_oneof![Just(Power::Stays), Just(Power::Goes)];
    prop_oneof![
        8 => (class, 1_usize..60).prop_map(|(class, count)| Step::Make(class, count)),
        5 => (1_u64..400).prop_map(Step::Wait),
        2 => (20_000_u64..90_000).prop_map(Step::Wait),
        2 => Just(Step::Connect),
        3 => (0_usize..8).prop_map(Step::Deliver),
        1 => (0_usize..4).prop_map(|arrived| Step::Cut { arrived }),
        2 => (power, 0_usize..20).prop_map(|(power, reached)| Step::Restart { power, reached }),
    ]
}

fn capped() -> impl Strategy<Value = Step> {
    prop_oneof![9 => step(), 1 => any::<bool>().prop_map(Step::Cap)]
}

fn failures() -> impl Strategy<Value = Step> {
    let trouble = prop_oneof![Just(Trouble::Broken), Just(Trouble::Full), Just(Trouble::ReadOnly)];
    prop_oneof![9 => step(), 1 => trouble.prop_map(Step::Fail)]
}

#[test]
fn frames_that_are_acknowledged_in_time_write_nothing_at_all() {
    let mut world = World::new(64);
    // What is made before there is a link is written, and that it was acknowledged is kept, once.
    world.step(&Step::Make(Class::Notable, 3));
    world.wait(1_000);
    world.connect();
    while world.deliver() {}
    world.wait(10_000);
    let before = (world.drive.kept.clone(), world.durable.clone());
    assert!(before.0.is_some());
    for _ in 0..100 {
        world.step(&Step::Make(Class::Critical, 1));
        while world.deliver() {}
        world.wait(60_000);
    }
    assert_eq!((world.drive.kept, world.durable), before);
}

proptest! {
    #![proptest_config(cases(120))]

    #[test]
    fn over_restarts_and_power_cuts_what_was_durable_arrives_and_the_rest_is_named(
        script in proptest::collection::vec(step(), 1..80),
    ) {
        let mut world = World::new(64);
        for one in &script {
            world.step(one);
        }
        world.come_to_rest();
        prop_assert!(world.missing().is_empty(), "neither here nor named: {:?}", world.missing());
        prop_assert!(world.durable_but_lost().is_empty(), "durable but lost: {:?}", world.durable_but_lost());
    }

    #[test]
    fn above_the_cap_what_is_critical_and_durable_arrives_and_below_it_all_the_rest(
        script in proptest::collection::vec(capped(), 1..80),
    ) {
        let mut world = World::new(64);
        for one in &script {
            world.step(one);
        }
        world.cap(true);
        world.come_to_rest_above_the_cap();
        let late = world.critical_but_late();
        prop_assert!(late.is_empty(), "critical, durable, and not said: {late:?}");
        world.cap(false);
        world.come_to_rest();
        prop_assert!(world.missing().is_empty(), "neither here nor named: {:?}", world.missing());
        prop_assert!(world.durable_but_lost().is_empty(), "durable but lost: {:?}", world.durable_but_lost());
    }

    #[test]
    fn on_a_small_disk_that_fails_every_number_arrives_or_is_named(
        script in proptest::collection::vec(failures(), 1..80),
    ) {
        let mut world = World::new(4);
        for one in &script {
            world.step(one);
        }
        world.come_to_rest();
        prop_assert!(world.missing().is_empty(), "neither here nor named: {:?}", world.missing());
    }
}

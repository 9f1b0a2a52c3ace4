//! Spool and session against a collector that keeps at most 8 ranges, through floods and lost links.
//!
//! 200 random scripts; `tests/replay.rs` says how to run a failing one again.
#![expect(clippy::disallowed_types, reason = "prop_oneof! names Arc in what it expands to")]

use super::*;
use crate::spool::{self, Identity};
use crate::tests::replay::cases;
use picket_proto::event::{self, Breaker, BreakerMoved, Evidence, Started};
use picket_proto::frame::{self, Content};
use picket_proto::{BootId, Ranges, Run, SeqRange, Text};
use proptest::prelude::*;
use std::collections::{BTreeSet, VecDeque};
use std::vec::Vec as List;

const RUN: Run = Run(9);

/// A frame on its way: its number and what it closes.
type Flying = (Seq, Option<SeqRange>);

#[derive(Debug, Clone, Copy)]
enum Kind {
    Routine,
    Notable,
    Critical,
}

#[derive(Debug, Clone)]
enum Step {
    /// So many frames are made.
    Make(Kind, usize),
    /// So many batches reach the collector, which acks them.
    Deliver(usize),
    /// The stream ends: what is on its way is gone, or has arrived but its acks are gone.
    Lose {
        arrived: usize,
    },
    Connect,
}

/// Both ends of the link.
struct Pair<'s> {
    spool: Spool<'s>,
    session: Session,
    checks: Checks<'s>,
    at: u64,
    flying: VecDeque<List<Flying>>,
    known: Ranges,
    /// Numbers that arrived as frames.
    arrived: BTreeSet<u64>,
}

fn fact_of(kind: Kind) -> event::Fact {
    let service = "svc".parse().unwrap();
    match kind {
        Kind::Routine => {
            event::Fact::Evidence(Evidence { service, pid: 1, last_line: Text::new(&"w".repeat(90)) })
        }
        Kind::Notable => event::Fact::Started(Started { service, pid: 1, adopted: false }),
        Kind::Critical => event::Fact::Breaker(BreakerMoved { service, to: Breaker::Closed }),
    }
}

/// As the collector takes a batch: of every stretch of numbers in a row first what its gap frames close, then itself.
fn take(known: &Ranges, batch: &[Flying]) -> Result<Ranges, picket_proto::ranges::Full> {
    let mut tried = known.clone();
    let new: List<Flying> = batch.iter().filter(|(seq, _)| !known.contains(*seq)).copied().collect();
    for stretch in new.chunk_by(|one, other| one.0.next() == other.0) {
        for (_, closed) in stretch {
            if let Some(closed) = closed {
                tried.insert(*closed)?;
            }
        }
        tried.insert(SeqRange::new(stretch[0].0, stretch[stretch.len() - 1].0).unwrap())?;
    }
    Ok(tried)
}

impl<'s> Pair<'s> {
    fn new(ring: &'s mut [u8], index: &'s mut [spool::Entry]) -> Self {
        let identity = Identity { run: RUN, boot: BootId(1), previous: None, version: Text::new("t") };
        Self {
            spool: Spool::new((ring, index), spool::Lent::none(), identity),
            session: Session::new(Dice::new(7)),
            checks: Checks::new(&mut []),
            at: 0,
            flying: VecDeque::new(),
            known: Ranges::new(),
            arrived: BTreeSet::new(),
        }
    }

    fn now(&self) -> Now {
        Now { mono: Mono::from_micros(self.at), ..Now::default() }
    }

    fn fact(&mut self, fact: Fact<'_>) {
        self.session.on(self.now(), fact, &mut self.spool);
        self.settle();
    }

    fn settle(&mut self) {
        self.at += 1_000;
        self.session.settle(self.now(), &mut self.spool);
        while let Some(order) = self.session.next_order(self.now().mono, &mut self.spool, &self.checks) {
            if let Order::Send { bytes, .. } = order {
                let mut bytes = self.spool.bytes(bytes);
                let mut batch = List::new();
                while !bytes.is_empty() {
                    let (frame, rest) = frame::split(bytes).expect("whole frames");
                    let closed = match frame.content() {
                        Ok(Content::Known(event::Event { fact: event::Fact::Gap(gap), .. })) => {
                            Some(gap.range)
                        }
                        _ => None,
                    };
                    batch.push((frame.header.seq, closed));
                    bytes = rest;
                }
                self.flying.push_back(batch);
            }
            self.session.on(self.now(), Fact::Sent { messages: 1 }, &mut self.spool);
        }
    }

    /// The next batch arrives; false where there is none.
    fn arrive(&mut self) -> bool {
        let Some(batch) = self.flying.pop_front() else { return false };
        self.known = take(&self.known, &batch).unwrap_or_else(|_| {
            panic!("{batch:?} is refused: {} is known", self.known);
        });
        self.arrived.extend(batch.iter().map(|(seq, _)| seq.0));
        true
    }

    fn deliver(&mut self) -> bool {
        let arrived = self.arrive();
        if arrived {
            let known = self.known.clone();
            self.fact(Fact::Acked { run: RUN, ranges: &known });
        }
        arrived
    }

    fn connect(&mut self) {
        if matches!(self.session.link, Link::Talking(_)) {
            return;
        }
        self.at += 600_000_000;
        self.settle();
        self.fact(Fact::Opened);
        let known = self.known.clone();
        self.fact(Fact::Welcomed { heartbeat: Span::from_secs(10), known: &known, watched: None });
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Make(kind, count) => {
                for _ in 0..*count {
                    self.spool.append(self.now(), fact_of(*kind));
                }
                self.settle();
            }
            Step::Deliver(count) => while_so((0..*count).map(|_| self.deliver())),
            Step::Lose { arrived } => {
                while_so((0..*arrived).map(|_| self.arrive()));
                self.flying.clear();
                if matches!(self.session.link, Link::Talking(_)) {
                    self.fact(Fact::Lost { trouble: Trouble::Closed });
                }
            }
            Step::Connect => self.connect(),
        }
    }

    /// The link stays up and nothing new is made, until all is acknowledged.
    fn come_to_rest(&mut self) {
        self.connect();
        for _ in 0..5_000 {
            self.settle();
            if !self.deliver() && self.rests() {
                return;
            }
        }
        panic!("{} is known of {}", self.known, self.spool.last());
    }

    fn rests(&self) -> bool {
        let all = self.spool.last().0 == 0 || self.known.count() == self.spool.last().0;
        all && !self.spool.holds_any(Seq::FIRST, self.spool.last())
    }
}

fn while_so(mut turns: impl Iterator<Item = bool>) {
    while turns.next() == Some(true) {}
}

fn step() -> impl Strategy<Value = Step> {
    let kind = prop_oneof![
        3 => Just(Kind::Routine),
        2 => Just(Kind::Notable),
        2 => Just(Kind::Critical),
    ];
    prop_oneof![
        8 => (kind, 1_usize..40).prop_map(|(kind, count)| Step::Make(kind, count)),
        3 => (0_usize..6).prop_map(Step::Deliver),
        1 => (0_usize..4).prop_map(|arrived| Step::Lose { arrived }),
        2 => Just(Step::Connect),
    ]
}

proptest! {
    #![proptest_config(cases(200))]
    #[test]
    fn nothing_sent_is_ever_refused_and_in_the_end_every_number_has_arrived_or_is_named(
        script in proptest::collection::vec(step(), 1..200),
        frames in 16_usize..160,
    ) {
        let (mut ring, mut index) =
            (std::vec![0; spool::RING_MIN], std::vec![spool::Entry::default(); frames]);
        let mut pair = Pair::new(&mut ring, &mut index);
        for one in &script {
            pair.step(one);
        }
        pair.come_to_rest();
    }
}

/// Critical frames with floods between: every flood loses what lies between two critical ones.
fn overflow(pair: &mut Pair<'_>) {
    for _ in 0..12 {
        pair.step(&Step::Make(Kind::Critical, 1));
        pair.step(&Step::Make(Kind::Routine, 60));
    }
}

#[test]
fn a_second_overflow_with_the_first_still_unacked_is_delivered() {
    let (mut ring, mut index) = (std::vec![0; spool::RING_MIN], std::vec![spool::Entry::default(); 128]);
    let mut pair = Pair::new(&mut ring, &mut index);
    pair.connect();
    pair.step(&Step::Make(Kind::Critical, 3));
    pair.step(&Step::Deliver(9));
    pair.step(&Step::Lose { arrived: 0 });
    for _ in 0..3 {
        overflow(&mut pair);
        pair.connect();
        pair.step(&Step::Make(Kind::Critical, 1));
        pair.step(&Step::Lose { arrived: 1 });
    }
    pair.come_to_rest();
}

#[test]
fn a_link_that_flaps_after_one_overflow_costs_no_further_frame() {
    let (mut ring, mut index) = (std::vec![0; spool::RING_MIN], std::vec![spool::Entry::default(); 128]);
    let mut pair = Pair::new(&mut ring, &mut index);
    overflow(&mut pair);
    pair.connect();
    let made = [(); 12].map(|()| {
        pair.step(&Step::Lose { arrived: 0 });
        pair.step(&Step::Make(Kind::Critical, 1));
        pair.connect();
        pair.spool.last().0
    });
    pair.come_to_rest();
    assert!(made.iter().all(|seq| pair.arrived.contains(seq)), "{made:?}");
}

#[test]
fn a_collector_that_knows_eight_ranges_is_sent_what_joins_them_first() {
    let (mut ring, mut index) = (std::vec![0; 32 * 1024], std::vec![spool::Entry::default(); 512]);
    let mut pair = Pair::new(&mut ring, &mut index);
    pair.step(&Step::Make(Kind::Critical, 60));
    for at in 1..=8 {
        pair.known.insert(SeqRange::one(Seq(at * 5)).unwrap()).unwrap();
    }
    pair.connect();
    pair.step(&Step::Make(Kind::Critical, 5));
    pair.come_to_rest();
    assert_eq!(pair.spool.last(), Seq(65), "nothing had to be given up");
}

#[test]
fn where_nothing_fits_the_nearest_ranges_are_joined_and_what_was_between_is_named() {
    let (mut ring, mut index) = (std::vec![0; 128 * 1024], std::vec![spool::Entry::default(); 1_024]);
    let mut pair = Pair::new(&mut ring, &mut index);
    pair.step(&Step::Make(Kind::Critical, 700));
    pair.step(&Step::Make(Kind::Routine, 2_000));
    pair.step(&Step::Make(Kind::Critical, 100));
    pair.connect();
    pair.step(&Step::Lose { arrived: 0 });
    // As after a restore: the first range is further away than one batch reaches.
    for at in 0..8 {
        pair.known.insert(SeqRange::one(Seq(300 + at * 50)).unwrap()).unwrap();
    }
    pair.come_to_rest();
    let mut rest = (1..300).chain(651..=700).chain(2_701..=2_800);
    assert!(rest.all(|seq| pair.arrived.contains(&seq)), "only what had to go was given up");
}

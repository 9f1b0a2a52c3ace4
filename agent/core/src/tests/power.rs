//! The spool over many runs: a disk that loses what was not synced, a link that breaks, a collector that keeps at most
//! 8 ranges of a run. In the end every number of every run has arrived or is named.
//!
//! 120 random stories; `tests/replay.rs` says how to run a failing one again.
#![expect(clippy::disallowed_types, reason = "prop_oneof! names Arc in what it expands to")]

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
    fn new(run: Run, previous: Option<(Run, Seq)>, segments: u32, now: Now) -> Self {
        let identity = Identity { run, boot: BootId(1), previous, version: Text::new("t") };
        let lent = Lent {
            parts: leak(Part::default(), segments as usize * 4),
            runs: leak(Past::default(), 16),
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

impl Drive {
    /// Does an order, of a write only so many frames, and says what is answered.
    fn obey(&mut self, (order, bytes): &(Order, Vec<u8>), frames: usize, tell: &mut dyn FnMut(Fact<'_>)) {
        if let Some(trouble) =
            self.trouble.take_if(|_| !matches!(order, Order::Read { .. } | Order::Drop { .. }))
        {
            return tell(Fact::Failed { trouble });
        }
        match order {
            Order::Open => self.open(tell),
            Order::Begin { segment, class } => {
                let new = self.segments.insert(*segment, (*class, Vec::new()));
                assert!(new.is_none(), "a segment's number is used once");
                tell(Fact::Done { flash: 4096 });
            }
            Order::Write { segment, .. } => {
                let (class, held) = self.segments.get_mut(segment).expect("it was begun");
                for (header, bytes, _) in split(bytes).into_iter().take(frames) {
                    assert_eq!(header.class, *class);
                    held.push(bytes);
                }
                let used: usize = held.iter().map(Vec::len).sum();
                assert!(used <= spool::SEGMENT_FRAMES as usize);
                tell(Fact::Done { flash: 4096 });
            }
            Order::Read { run, from } => tell(Fact::Page { bytes: &self.page(*run, *from), damaged: 0 }),
            Order::Drop { segment } => {
                self.segments.remove(segment).expect("it was there");
                tell(Fact::Done { flash: 0 });
            }
            Order::Keep { .. } => {
                self.kept = Some(bytes.clone());
                tell(Fact::Done { flash: 4096 });
            }
        }
    }

    fn open(&mut self, tell: &mut dyn FnMut(Fact<'_>)) {
        if let Some(bytes) = &self.kept {
            tell(Fact::Kept { bytes });
        }
        self.segments.retain(|_, (_, held)| !held.is_empty());
        for (id, (class, held)) in &self.segments {
            let newest = self.segments.iter().rev().find(|(_, (other, _))| other == class).map(|(id, _)| id);
            let used = held.iter().map(Vec::len).sum::<usize>() as u32;
            let shape = if newest == Some(id) { Shape::Open(used) } else { Shape::Closed };
            let mut runs: BTreeMap<u64, (Seq, Seq, u32)> = BTreeMap::new();
            for (header, _, _) in held.iter().flat_map(|bytes| split(bytes)) {
                let seq = header.seq;
                let one = runs.entry(header.run.0).or_insert((seq, seq, 0));
                *one = (one.0.min(seq), one.1.max(seq), one.2 + 1);
            }
            for (run, (first, last, frames)) in runs {
                let run = Run(run);
                tell(Fact::Found { segment: *id, class: *class, shape, run, first, last, frames });
            }
        }
        tell(Fact::Opened { damaged: 0 });
    }

    fn page(&self, run: Run, from: Seq) -> Vec<u8> {
        let mut found: BTreeMap<u64, &[u8]> = BTreeMap::new();
        for bytes in self.segments.values().flat_map(|(_, held)| held) {
            let (frame, _) = frame::split(bytes).unwrap();
            if frame.header.run == run && frame.header.seq >= from {
                found.insert(frame.header.seq.0, bytes);
            }
        }
        let mut page = Vec::new();
        for bytes in found.values() {
            if page.len() + bytes.len() > spool::PAGE {
                break;
            }
            page.extend_from_slice(bytes);
        }
        page
    }
}

impl Collector {
    /// Takes a batch as the real one does, and says which acks follow.
    fn take(&mut self, present: Run, run: Run, batch: &[Flying], claims: Option<Run>) -> Vec<(Run, Ranges)> {
        let ranges = |known: &BTreeMap<u64, Ranges>, run: Run| known.get(&run.0).cloned().unwrap_or_default();
        let mut tried = self.known.clone();
        let has = ranges(&self.known, run);
        let new: Vec<&Flying> = batch.iter().filter(|(seq, _)| !has.contains(*seq)).collect();
        let mut fits = true;
        for stretch in new.chunk_by(|one, other| one.0.next() == other.0) {
            for gap in stretch.iter().filter_map(|(_, gap)| gap.as_ref()) {
                fits &= tried.entry(gap.run.0).or_default().insert(gap.range).is_ok();
            }
            let range = SeqRange::new(stretch[0].0, stretch[stretch.len() - 1].0).unwrap();
            fits &= tried.entry(run.0).or_default().insert(range).is_ok();
        }
        assert!(fits || run != present, "{batch:?} is refused: {has} is known of {run}");
        if fits {
            self.known = tried;
            for (seq, gap) in new {
                self.arrived.entry(run.0).or_default().insert(seq.0);
                if let Some(gap) = gap {
                    let named = self.named.entry(gap.run.0).or_default();
                    named.extend((gap.range.first().0..=gap.range.last().0).map(|seq| (seq, gap.reason)));
                }
            }
        }
        let acked = claims.into_iter().chain([run]);
        acked.map(|run| (run, ranges(&self.known, run))).collect()
    }
}

impl World {
    fn new(segments: u32) -> Self {
        let run = Run(1000);
        Self {
            life: Life::new(run, None, segments, Now::default()),
            drive: Drive::default(),
            collector: Collector::default(),
            at: 0,
            runs: 1000,
            segments,
            owed: BTreeMap::new(),
            durable: BTreeMap::new(),
        }
    }

    fn now(&self) -> Now {
        Now { mono: Mono::from_micros(self.at), ..Now::default() }
    }

    /// Everything that follows at once, but for the disk's answer.
    fn settle(&mut self) {
        let now = self.now();
        let life = &mut self.life;
        life.session.settle(now, &mut life.spool);
        loop {
            if let Some(order) = life.session.next_order(now.mono, &mut life.spool, &life.checks) {
                if let session::Order::Send { bytes, .. } = order {
                    life.flying.push_back(batch(life.spool.bytes(bytes)));
                }
                life.session.on(now, session::Fact::Sent { messages: 1 }, &mut life.spool);
                continue;
            }
            if let Some(order) = life.spool.next_disk(now.mono) {
                let bytes = match order {
                    Order::Write { bytes, .. } | Order::Keep { bytes } => bytes,
                    Order::Open | Order::Begin { .. } | Order::Read { .. } | Order::Drop { .. } => {
                        Bytes { start: 0, len: 0 }
                    }
                };
                assert!(life.asked.is_none(), "one order at a time");
                life.asked = Some((order, life.spool.bytes(bytes).to_vec()));
                continue;
            }
            return;
        }
    }

    /// The disk does what it was asked; false if that is nothing.
    fn drive(&mut self) -> bool {
        let Some(asked) = self.life.asked.take() else { return false };
        let (now, life) = (self.now(), &mut self.life);
        let mut done = false;
        self.drive.obey(&asked, usize::MAX, &mut |fact| {
            done |= matches!(fact, Fact::Done { .. });
            life.spool.on_disk(now, fact);
        });
        if done && matches!(asked.0, Order::Write { .. }) {
            let durable = self.durable.entry(life.run.0).or_default();
            durable.extend(split(&asked.1).iter().map(|(header, _, _)| header.seq.0));
        }
        self.settle();
        true
    }

    fn wait(&mut self, millis: u64) {
        let until = self.at + millis * 1000;
        for _ in 0..20_000 {
            while self.drive() {}
            let due = self.life.spool.deadline().micros().max(self.at);
            if due > until {
                self.at = until;
                return self.settle();
            }
            self.at = due;
            self.settle();
            assert!(self.life.asked.is_some() || self.life.spool.deadline().micros() > self.at, "it spins");
        }
        panic!("the disk never rests");
    }

    fn connect(&mut self) {
        if self.life.is_connected {
            return;
        }
        self.at += 600_000_000;
        self.settle();
        let known = self.collector.known.get(&self.life.run.0).cloned().unwrap_or_default();
        self.life.is_connected = true;
        for fact in [
            session::Fact::Opened,
            session::Fact::Welcomed { heartbeat: Span::from_secs(1_000_000), known: &known },
        ] {
            let now = self.now();
            self.life.session.on(now, fact, &mut self.life.spool);
            self.settle();
        }
    }

    fn arrive(&mut self) -> Vec<(Run, Ranges)> {
        let Some((run, batch)) = self.life.flying.pop_front() else { return Vec::new() };
        let claims = (run == self.life.run && batch[0].0 == Seq::FIRST)
            .then(|| self.life.spool.identity().previous.map(|(run, _)| run))
            .flatten();
        self.collector.take(self.life.run, run, &batch, claims)
    }

    fn deliver(&mut self) -> bool {
        let acks = self.arrive();
        let any = !acks.is_empty();
        for (run, ranges) in acks {
            let fact = session::Fact::Acked { run, ranges: &ranges };
            let now = self.now();
            self.life.session.on(now, fact, &mut self.life.spool);
            self.settle();
        }
        any
    }

    fn cut(&mut self, arrived: usize) {
        for _ in 0..arrived {
            self.arrive();
        }
        self.life.flying.clear();
        if std::mem::take(&mut self.life.is_connected) {
            let fact = session::Fact::Lost { trouble: session::Trouble::Closed };
            let now = self.now();
            self.life.session.on(now, fact, &mut self.life.spool);
            self.settle();
        }
    }

    fn restart(&mut self, power: Power, reached: usize) {
        self.cut(0);
        if let Some(asked) = self.life.asked.take() {
            let reached = if power == Power::Stays { usize::MAX } else { reached };
            self.drive.obey(&asked, reached, &mut |_| {});
        }
        let (run, made) = (self.life.run, self.life.spool.last());
        let on_disk = self.drive.segments.values().flat_map(|(_, held)| held).flat_map(|bytes| split(bytes));
        let highest = on_disk.filter(|(header, ..)| header.run == run).map(|(header, ..)| header.seq.0).max();
        // After a power cut the note of how far the run came may be gone.
        let previous = (power == Power::Stays).then_some((run, made));
        self.owed.insert(run.0, if previous.is_some() { made.0 } else { highest.unwrap_or(0) });
        // Of two runs that ended one after the other, the first is remembered if the second came to keep it.
        if let Some((before, _)) = self.life.spool.identity().previous {
            let id = before.0.to_le_bytes();
            let kept = self.drive.kept.as_deref().unwrap_or_default();
            let at = kept.windows(8).position(|at| at == id).and_then(|at| kept[at + 8..].first_chunk());
            let kept = at.map_or(0, |made| u64::from_le_bytes(*made));
            let durable =
                self.durable.get(&before.0).and_then(|durable| durable.last()).copied().unwrap_or(0);
            let owed = self.owed.entry(before.0).or_insert(0);
            *owed = kept.max(durable).min(*owed);
        }
        self.runs += 1;
        self.life = Life::new(Run(self.runs), previous, self.segments, self.now());
        self.settle();
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Make(class, count) => {
                for _ in 0..*count {
                    self.life.spool.append(self.now(), fact_of(*class));
                }
                self.settle();
            }
            Step::Wait(millis) => self.wait(*millis),
            Step::Connect => self.connect(),
            Step::Deliver(count) => while_so((0..*count).map(|_| self.deliver())),
            Step::Cut { arrived } => self.cut(*arrived),
            Step::Restart { power, reached } => self.restart(*power, *reached),
            Step::Fail(trouble) => self.drive.trouble = Some(*trouble),
        }
    }

    /// The link stays up, the disk works and nothing new is made, until all is said.
    fn come_to_rest(&mut self) {
        self.drive.trouble = None;
        self.cut(0);
        self.connect();
        for _ in 0..20_000 {
            let moved = self.drive() | self.deliver();
            let view = self.life.spool.view(self.now().mono);
            if !moved && view.frames == 0 && view.runs == 0 && view.lost == 0 {
                self.wait(10_000);
                if !self.drive() && !self.deliver() {
                    return;
                }
            }
            if !moved {
                self.wait(61_000);
            }
        }
        panic!("it never rests: {:?}", self.life.spool.view(self.now().mono));
    }

    /// What is owed of each run and is neither here nor named.
    fn missing(&self) -> BTreeMap<u64, Vec<u64>> {
        let mut owed = self.owed.clone();
        owed.insert(self.life.run.0, self.life.spool.last().0);
        let none = BTreeSet::new();
        let missing = |(run, made): (u64, u64)| {
            let arrived = self.collector.arrived.get(&run).unwrap_or(&none);
            let named = self.collector.named.get(&run);
            let gone = (1..=made)
                .filter(|seq| !arrived.contains(seq) && named.is_none_or(|named| !named.contains_key(seq)));
            (run, gone.collect::<Vec<u64>>())
        };
        owed.into_iter().map(missing).filter(|(_, gone)| !gone.is_empty()).collect()
    }

    /// What was durable and did not arrive.
    fn durable_but_lost(&self) -> BTreeMap<u64, Vec<u64>> {
        let none = BTreeSet::new();
        // Where the ring itself was too small, what lies between two losses can be given up with them.
        let flooded = |run: &u64| {
            let named = self.collector.named.get(run).into_iter().flatten();
            named.into_iter().any(|(_, reason)| *reason == GapReason::SpoolFull)
        };
        let lost = self.durable.iter().filter(|(run, _)| !flooded(run)).map(|(run, durable)| {
            let arrived = self.collector.arrived.get(run).unwrap_or(&none);
            (*run, durable.difference(arrived).copied().collect::<Vec<u64>>())
        });
        lost.filter(|(_, lost)| !lost.is_empty()).collect()
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

fn failures() -> impl Strategy<Value = Step> {
    let trouble = prop_oneof![Just(Trouble::Broken), Just(Trouble::Full), Just(Trouble::ReadOnly)];
    prop_oneof![9 => step(), 1 => trouble.prop_map(Step::Fail)]
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

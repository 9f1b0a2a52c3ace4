//! One agent after the other on one disk, and what becomes of its frames.

use super::*;

impl World {
    pub(super) fn new(segments: u32) -> Self {
        let run = Run(1000);
        Self {
            life: Life::new(run, None, &[], segments, Now::default()),
            drive: Drive::default(),
            collector: Collector::default(),
            at: 0,
            runs: 1000,
            segments,
            owed: BTreeMap::new(),
            claims: Vec::new(),
            is_capped: false,
            durable: BTreeMap::new(),
        }
    }

    pub(super) fn now(&self) -> Now {
        Now { mono: Mono::from_micros(self.at), ..Now::default() }
    }

    /// Everything that follows at once, but for the disk's answer.
    pub(super) fn settle(&mut self) {
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
    pub(super) fn drive(&mut self) -> bool {
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

    pub(super) fn wait(&mut self, millis: u64) {
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

    pub(super) fn connect(&mut self) {
        if self.life.is_connected {
            return;
        }
        self.at += 600_000_000;
        self.settle();
        let known = self.collector.known.get(&self.life.run.0).cloned().unwrap_or_default();
        self.life.is_connected = true;
        for fact in [
            session::Fact::Opened,
            session::Fact::Welcomed { heartbeat: Span::from_secs(1_000_000), known: &known, watched: None },
        ] {
            let now = self.now();
            self.life.session.on(now, fact, &mut self.life.spool);
            self.settle();
        }
    }

    pub(super) fn arrive(&mut self) -> Vec<(Run, Ranges)> {
        let Some((run, batch)) = self.life.flying.pop_front() else { return Vec::new() };
        let claims = (run == self.life.run && batch[0].0 == Seq::FIRST)
            .then(|| self.life.spool.identity().previous.map(|(run, _)| run))
            .flatten();
        self.collector.take(self.life.run, run, &batch, claims)
    }

    pub(super) fn deliver(&mut self) -> bool {
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

    pub(super) fn cut(&mut self, arrived: usize) {
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

    pub(super) fn restart(&mut self, power: Power, reached: usize) {
        self.cut(0);
        if let Some(asked) = self.life.asked.take() {
            let reached = if power == Power::Stays { usize::MAX } else { reached };
            self.drive.obey(&asked, reached, &mut |_| {});
        }
        let (run, made) = (self.life.run, self.life.spool.last());
        let on_disk = self.drive.segments.values().flat_map(|(_, held)| held).flat_map(|bytes| split(bytes));
        let highest = on_disk.filter(|(header, ..)| header.run == run).map(|(header, ..)| header.seq.0).max();
        // After a power cut the note of how far each run came may be gone.
        let previous = (power == Power::Stays).then_some((run, made));
        self.owed.insert(run.0, if previous.is_some() { made.0 } else { highest.unwrap_or(0) });
        self.claims.retain(|(run, _)| self.life.spool.misses(*run));
        let kept = match power {
            // Two places stay free: for the last run, and for one that only its segments tell of.
            Power::Stays => self.claims.len().saturating_sub(RUNS - 2),
            Power::Goes => self.claims.len(),
        };
        for (forgotten, _) in self.claims.drain(..kept).collect::<Vec<_>>() {
            self.forget(forgotten);
        }
        self.runs += 1;
        self.life = Life::new(Run(self.runs), previous, &self.claims, self.segments, self.now());
        self.claims.extend(previous);
        self.cap(self.is_capped);
    }

    /// Nothing but the disk tells of this run any more: its segments, and what is kept of it.
    fn forget(&mut self, run: Run) {
        let id = run.0.to_le_bytes();
        let kept = self.drive.kept.as_deref().unwrap_or_default();
        let at = kept.windows(8).position(|at| at == id).and_then(|at| kept[at + 8..].first_chunk());
        let kept = at.map_or(0, |made| u64::from_le_bytes(*made));
        let on_disk = self.drive.segments.values().flat_map(|(_, held)| held).flat_map(|bytes| split(bytes));
        let highest = on_disk.filter(|(header, ..)| header.run == run).map(|(header, ..)| header.seq.0).max();
        let owed = self.owed.entry(run.0).or_insert(0);
        *owed = kept.max(highest.unwrap_or(0)).min(*owed);
    }

    pub(super) fn step(&mut self, step: &Step) {
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
            Step::Cap(is_reached) => self.cap(*is_reached),
        }
    }

    /// From now on the link is above its cap, or far below it.
    pub(super) fn cap(&mut self, is_reached: bool) {
        self.is_capped = is_reached;
        let now = self.now();
        let terms = session::Terms { report: Span::from_secs(900), cap: is_reached.then_some(1) };
        self.life.session.use_on(now.mono, terms);
        self.life.session.on(now, session::Fact::Carried { bytes: 1 }, &mut self.life.spool);
        self.settle();
    }

    /// The link stays up above its cap, the disk works and nothing new is made, until nothing more is said.
    pub(super) fn come_to_rest_above_the_cap(&mut self) {
        self.drive.trouble = None;
        self.cut(0);
        self.connect();
        let mut quiet = 0;
        for _ in 0..20_000 {
            quiet = if self.drive() | self.deliver() { 0 } else { quiet + 1 };
            if quiet == 3 {
                return;
            }
            if quiet > 0 {
                self.wait(61_000);
            }
        }
        panic!("it never rests: {:?}", self.life.spool.view(self.now().mono));
    }

    /// What is critical, stands on the disk, and is not with the collector.
    pub(super) fn critical_but_late(&self) -> BTreeMap<u64, Vec<u64>> {
        let mut late: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
        let on_disk = self.drive.segments.values().flat_map(|(_, held)| held).flat_map(|bytes| split(bytes));
        for (header, ..) in on_disk.filter(|(header, ..)| header.class == Class::Critical) {
            let known = self.collector.known.get(&header.run.0);
            if !known.is_some_and(|known| known.contains(header.seq)) {
                late.entry(header.run.0).or_default().push(header.seq.0);
            }
        }
        late
    }

    /// The link stays up, the disk works and nothing new is made, until all is said.
    pub(super) fn come_to_rest(&mut self) {
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
    pub(super) fn missing(&self) -> BTreeMap<u64, Vec<u64>> {
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
    pub(super) fn durable_but_lost(&self) -> BTreeMap<u64, Vec<u64>> {
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

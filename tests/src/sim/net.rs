//! The network: a link per host, each way for itself, and streams over it as TCP with TLS would carry them.
//!
//! A stream keeps its order and loses nothing while it lives: a lost packet is sent again and holds up what follows, a
//! link that is cut holds everything back until it is healed or until an end's pings go unanswered (every 10 s, 20 s
//! of patience, as both programs have them). What is torn off with a stream is lost. Two streams know no order among
//! each other: what an old one still carries may come after a new one has begun. `duplicate` lets a message come
//! twice, which no TCP does; the cores must bear it, since acks and batches are said to be idempotent.

use crate::dice::Dice;
use picket_collector_core::ingest::{Hello, Lane, Stands, Terms};
use picket_proto::{Mono, Name, Offset, Ranges, Run, Sample, Span, Stamp};
use std::collections::{BTreeMap, VecDeque};

/// A stream's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct StreamId(pub(super) u64);

/// From an agent.
#[derive(Debug, Clone)]
pub(super) enum Up {
    Hello(Box<Hello>, Terms),
    Batch(Lane, Vec<u8>),
    Standing(Vec<Stands>),
    StandingEnd {
        up: u32,
        digest: u32,
    },
    Heartbeat {
        stamp: Stamp,
        sample: Sample,
        offset: Option<Offset>,
    },
    Answer(u64),
    Goodbye,
    /// The end: in order, or torn off.
    Fin {
        in_order: bool,
    },
}

/// To an agent.
#[derive(Debug, Clone)]
pub(super) enum Down {
    /// The connection stands.
    Open,
    Welcome {
        heartbeat: Span,
        known: Box<Ranges>,
        watched: u32,
        beat: (Mono, Mono, Mono),
    },
    Ack {
        run: Run,
        ranges: Box<Ranges>,
    },
    Beat(Mono, Mono, Mono),
    Challenge(u64),
    Order(u64, Box<Name>),
    Refuse(&'static str),
    Fin,
}

/// One way of a link. Times in microseconds, chances in thousandths.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line {
    pub(super) cut: bool,
    pub(super) delay: u64,
    pub(super) jitter: u64,
    pub(super) loss: u64,
    pub(super) twice: u64,
}

impl Default for Line {
    fn default() -> Self {
        Self { cut: false, delay: 200, jitter: 100, loss: 0, twice: 0 }
    }
}

impl Line {
    /// How long one message takes: the way, and a wait of TCP's for each time that it is lost.
    fn takes(&self, dice: &mut Dice) -> u64 {
        let mut wait = self.delay + dice.below(self.jitter + 1);
        let mut again = 200_000;
        while again < 10_000_000 && dice.below(1_000) < self.loss {
            wait += again;
            again *= 2;
        }
        wait
    }
}

/// A host's two ways: to its collector and back.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Link {
    pub(super) up: Line,
    pub(super) down: Line,
}

impl Link {
    pub(super) const fn is_whole(&self) -> bool {
        !self.up.cut && !self.down.cut
    }
}

impl Link {
    /// Whether what is sent arrives within a second.
    pub(super) const fn is_good(&self) -> bool {
        let (up, down) = (self.up, self.down);
        self.is_whole()
            && up.loss + down.loss == 0
            && up.delay + up.jitter + down.delay + down.jitter < 1_000_000
    }
}

/// One way of a stream.
#[derive(Debug)]
pub(super) struct Pipe<T> {
    /// Nothing that is sent later comes before this.
    pub(super) last: u64,
    /// Nothing arrives before: TCP has not tried again yet.
    pub(super) again: u64,
    /// What arrived at a cut.
    pub(super) held: VecDeque<T>,
    /// Whether the end that hears still listens.
    pub(super) open: bool,
}

impl<T> Pipe<T> {
    const fn new() -> Self {
        Self { last: 0, again: 0, held: VecDeque::new(), open: true }
    }
}

/// One try to talk, and the stream if it came to be.
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) host: usize,
    /// The agent's process and its try.
    pub(super) agent: (u64, u64),
    pub(super) collector: usize,
    /// The collector's process, once it has accepted.
    pub(super) accepted: Option<u64>,
    /// When the agent said Hello, by its clock, and when that came, by the collector's.
    pub(super) hello: Option<(Mono, Mono)>,
    /// When the pings of both ends began to go unanswered.
    pub(super) silent: Option<u64>,
    pub(super) up: Pipe<Up>,
    pub(super) down: Pipe<Down>,
}

/// All links and streams.
#[derive(Debug, Default)]
pub(super) struct Net {
    pub(super) links: Vec<Link>,
    pub(super) streams: BTreeMap<StreamId, Stream>,
    next: u64,
}

impl Net {
    pub(super) fn new(hosts: usize) -> Self {
        Self { links: vec![Link::default(); hosts], ..Self::default() }
    }

    /// An agent's process begins a try.
    pub(super) fn dial(&mut self, host: usize, agent: (u64, u64), collector: usize) -> StreamId {
        self.next += 1;
        let stream = Stream {
            host,
            agent,
            collector,
            accepted: None,
            hello: None,
            silent: None,
            up: Pipe::new(),
            down: Pipe::new(),
        };
        self.streams.insert(StreamId(self.next), stream);
        StreamId(self.next)
    }

    /// When something that leaves now arrives, and whether a second time; nothing if the stream is gone.
    pub(super) fn up(&mut self, now: u64, id: StreamId, dice: &mut Dice) -> Option<(u64, Option<u64>)> {
        let stream = self.streams.get_mut(&id)?;
        Some(arrival(&self.links[stream.host].up, now, &mut stream.up.last, dice))
    }

    /// The same, the other way.
    pub(super) fn down(&mut self, now: u64, id: StreamId, dice: &mut Dice) -> Option<(u64, Option<u64>)> {
        let stream = self.streams.get_mut(&id)?;
        Some(arrival(&self.links[stream.host].down, now, &mut stream.down.last, dice))
    }

    /// The streams over a host's link.
    pub(super) fn of_host(&self, host: usize) -> Vec<StreamId> {
        self.streams.iter().filter(|(_, stream)| stream.host == host).map(|(id, _)| *id).collect()
    }

    /// Forgets a stream that neither end hears any more.
    pub(super) fn sweep(&mut self, id: StreamId) {
        if self.streams.get(&id).is_some_and(|stream| !stream.up.open && !stream.down.open) {
            self.streams.remove(&id);
        }
    }
}

fn arrival(line: &Line, now: u64, last: &mut u64, dice: &mut Dice) -> (u64, Option<u64>) {
    *last = (now + line.takes(dice)).max(*last);
    let first = *last;
    let twice = line.twice > 0 && dice.below(1_000) < line.twice;
    if twice {
        *last += 1 + dice.below(5_000);
    }
    (first, twice.then_some(*last))
}

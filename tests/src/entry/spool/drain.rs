//! An agent's core on what was found, until all of it is at a collector that keeps at most 8 ranges of a run.

use crate::entry::host::{Watches, with_agent};
use crate::entry::numbers::Numbers;
use picket_agent::entry::Spool;
use picket_agent_core::session::{Fact, Order};
use picket_agent_core::spool::{self, Bytes};
use picket_agent_core::{Agent, Effect, Input};
use picket_proto::frame::{self, Content, HEADER_LEN};
use picket_proto::{Fact as Said, Mono, Now, Ranges, Run, Seq, SeqRange, Span};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// The run that drains; no file is of it.
const RUN: Run = Run(u64::MAX / 3);
/// It rests after so many turns, or never.
const TURNS: usize = 20_000;

/// Starts an agent on the folder and lets it come to rest.
pub(super) fn to_rest(state: &Path) {
    let claims = picket_agent::entry::claims(state).expect("nobody else has the folder");
    let stands = stands(&state.join("spool"));
    with_agent((RUN, Watches::Nothing), &claims, |agent| {
        let mut drain = Drain {
            agent,
            spool: Spool::new(state),
            now: Now { mono: Mono::from_micros(1), ..Now::default() },
            known: BTreeMap::new(),
            accounted: BTreeMap::new(),
            stands,
        };
        drain.run();
        for (run, made) in &claims {
            let all = SeqRange::new(Seq::FIRST, *made).expect("a claim names a number");
            let accounted = drain.accounted.remove(run).unwrap_or_default();
            assert!(accounted.covers(all), "{run}: {all} is claimed, {accounted:?} arrived or is named");
        }
    });
}

/// Every frame that stands anywhere in the files.
fn stands(folder: &Path) -> BTreeSet<Vec<u8>> {
    let mut all = BTreeSet::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let bytes = fs::read(entry.path()).unwrap_or_default();
        // The last place is that of a frame without a body.
        for at in 0..(bytes.len() + 1).saturating_sub(HEADER_LEN) {
            if bytes[at] == b'P'
                && let Ok((frame, _)) = frame::split(&bytes[at..])
            {
                all.insert(frame.bytes.to_vec());
            }
        }
    }
    all
}

/// Something that follows from an effect, done when all effects are taken.
enum Next {
    Disk(spool::Order, Vec<u8>),
    Opened,
    Welcome,
    Sent,
    Ack(Run),
}

struct Drain<'a, 's> {
    agent: &'a mut Agent<'s>,
    spool: Spool,
    now: Now,
    known: BTreeMap<Run, Ranges>,
    accounted: BTreeMap<Run, Numbers>,
    stands: BTreeSet<Vec<u8>>,
}

impl Drain<'_, '_> {
    fn run(&mut self) {
        self.agent.handle(self.now, Input::Time);
        for _ in 0..TURNS {
            let next = self.effects();
            let moved = !next.is_empty();
            next.into_iter().for_each(|next| self.follow(next));
            let view = self.agent.spool_view();
            if !moved && view.frames == 0 && view.runs == 0 && view.lost == 0 {
                return;
            }
            if !moved {
                let due = self.agent.deadline().map_or(self.now.mono, |(due, _)| due);
                self.now.mono = due.max(self.now.mono.plus(Span::from_millis(1)));
                self.agent.handle(self.now, Input::Time);
            }
        }
        panic!("it never rests: {:?}", self.agent.spool_view());
    }

    fn effects(&mut self) -> Vec<Next> {
        let mut next = Vec::new();
        while let Some(effect) = self.agent.poll() {
            match effect {
                Effect::Disk(order) => {
                    let bytes = match order {
                        spool::Order::Write { bytes, .. } | spool::Order::Keep { bytes } => bytes,
                        _ => Bytes { start: 0, len: 0 },
                    };
                    next.push(Next::Disk(order, self.agent.bytes(bytes).to_vec()));
                }
                Effect::Link(Order::Connect) => next.push(Next::Opened),
                Effect::Link(Order::Hello { .. }) => next.extend([Next::Sent, Next::Welcome]),
                Effect::Link(Order::Send { bytes, .. }) => {
                    let bytes = self.agent.bytes(bytes).to_vec();
                    next.push(Next::Sent);
                    next.extend(self.take(&bytes).into_iter().map(Next::Ack));
                }
                Effect::Link(Order::Close) => {}
                Effect::Link(_) => next.push(Next::Sent),
                Effect::Probe(_)
                | Effect::Act(_)
                | Effect::Unit(_)
                | Effect::Baseline(_)
                | Effect::Keep(_) => {}
                Effect::Told(_) | Effect::Ended => {}
            }
        }
        next
    }

    fn follow(&mut self, next: Next) {
        let (now, agent) = (self.now, &mut *self.agent);
        let nothing = Ranges::new();
        match next {
            Next::Disk(order, bytes) => {
                self.spool.obey(order, &bytes, &mut |fact| agent.handle(now, Input::Disk(fact)));
            }
            Next::Opened => agent.handle(now, Input::Session(Fact::Opened)),
            Next::Welcome => {
                let known = self.known.get(&RUN).unwrap_or(&nothing);
                let heartbeat = Span::from_secs(1_000_000);
                agent.handle(now, Input::Session(Fact::Welcomed { heartbeat, known, watched: None }));
            }
            Next::Sent => agent.handle(now, Input::Session(Fact::Sent { messages: 1 })),
            Next::Ack(run) => {
                let ranges = self.known.get(&run).unwrap_or(&nothing);
                agent.handle(now, Input::Session(Fact::Acked { run, ranges }));
            }
        }
    }

    /// Takes a batch as the collector does; the runs that it acknowledges.
    fn take(&mut self, bytes: &[u8]) -> Vec<Run> {
        let (mut tried, mut acked, mut last) = (self.known.clone(), Vec::new(), None);
        let (mut rest, mut gaps, mut fits) = (bytes, Vec::new(), true);
        while !rest.is_empty() {
            let (frame, after) = frame::split(rest).expect("whole frames");
            let (run, seq) = (frame.header.run, frame.header.seq);
            assert!(last.is_none_or(|(other, before)| other == run && before < seq), "of one run, ascending");
            assert!(run == RUN || self.stands.contains(frame.bytes), "it stands in no file: {run} {seq}");
            let has = self.known.get(&run).is_some_and(|known| known.contains(seq));
            if let (RUN, Ok(Content::Known(event))) = (run, frame.content()) {
                match event.fact {
                    Said::Gap(gap) if !has => {
                        fits &= tried.entry(gap.run).or_default().insert(gap.range).is_ok();
                        gaps.push((gap.run, gap.range));
                    }
                    Said::Began(began) => acked.extend(began.previous.map(|(run, _)| run)),
                    _ => {}
                }
            }
            let one = SeqRange::one(seq).expect("no frame has number 0");
            fits &= tried.entry(run).or_default().insert(one).is_ok();
            gaps.push((run, one));
            (last, rest) = (Some((run, seq)), after);
        }
        let (run, _) = last.expect("no batch is empty");
        assert!(fits || run != RUN, "what is known of the present run does not fit");
        if fits {
            self.known = tried;
            gaps.into_iter().for_each(|(run, range)| self.accounted.entry(run).or_default().add(range));
        }
        acked.push(run);
        acked
    }
}

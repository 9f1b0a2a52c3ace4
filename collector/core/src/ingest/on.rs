//! What happens on sessions, turned into records: the room's `on`.

use super::batch::{fits, plan};
use super::dedupe::Novelty;
use super::phase::{Life, Phase};
use super::taken::{bytes_of, span, take_apart};
use super::terms::{Granted, whole};
use super::{Close, Fact, Hello, Lane, Order, SessionId, Stands, Terms};
use crate::host::{CHECKS_MAX, Trust};
use crate::record::Record;
use crate::{Collector, Effect};
use alloc::boxed::Box;
use alloc::vec::Vec;
use picket_proto::text::TEXT_MAX;
use picket_proto::{HostId, Now, Ranges, Run};

/// Most checks in one message that says what stands.
const STANDING_MAX: usize = 500;

impl Collector {
    pub(crate) fn on_session(&mut self, now: Now, fact: Fact) {
        match fact {
            Fact::Opened { session, host, hello, terms } => {
                self.on_opened(now, session, host, (*hello, terms));
            }
            Fact::Closed { session, how } => self.on_closed(now, session, how),
            Fact::Answered { session, nonce } => self.on_answered(now, session, nonce),
            Fact::Batch { session, .. }
            | Fact::Standing { session, .. }
            | Fact::StandingEnd { session, .. }
            | Fact::Goodbye { session }
            | Fact::Removed { session } => self.on_word(now, session, fact),
        }
    }

    fn on_opened(&mut self, now: Now, session: SessionId, host: HostId, (mut hello, terms): (Hello, Terms)) {
        if hello.watched.len() > CHECKS_MAX || hello.version.len() > TEXT_MAX {
            return self.say(Order::Refuse { session, code: "bad-message" });
        }
        if self.live.sessions.get(session).is_some() {
            return self.refuse(now, session, "bad-message");
        }
        let known = self.state.hosts.find(host.as_str());
        let is_full = !self.live.sessions.has_room() || (known.is_none() && !self.state.has_room());
        if let Some(code) = self.live.out.refusal().or_else(|| is_full.then_some("too-many")) {
            return self.say(Order::Refuse { session, code });
        }
        if !whole(known.and_then(|slot| self.state.hosts.get(slot)), &mut hello, terms) {
            return self.say(Order::Refuse { session, code: "hello-unknown" });
        }
        let said = (hello, terms.granted());
        let Some(slot) = known else { return self.welcome(now, (session, Life::default()), host, said) };
        let trust = self.state.hosts.get(slot).map(|host| host.trust);
        let seat = self.live.sessions.seat(slot);
        match (trust, seat.live, seat.waiting) {
            (Some(Trust::Quarantined), _, _) => self.say(Order::Refuse { session, code: "quarantined" }),
            (Some(Trust::Full) | None, None, _) => {
                self.welcome(now, (session, Life::default()), host, said);
            }
            // One that waits already has up to 30 s; its place is free soon.
            (Some(Trust::Full) | None, Some(_), Some(_)) => {
                self.say(Order::Refuse { session, code: "no-answer" });
            }
            (Some(Trust::Full) | None, Some(old), None) => {
                self.contest(now, (old, slot), session, (host, said.0, said.1));
            }
        }
    }

    /// Takes a session that now speaks for its host.
    pub(super) fn welcome(
        &mut self,
        now: Now,
        (session, life): (SessionId, Life),
        host: HostId,
        (hello, granted): (Hello, Granted),
    ) {
        let run = hello.stamp.run;
        self.commit(now, Record::Opened { host: host.clone(), hello }, &[]);
        let Some(slot) = self.state.hosts.find(host.as_str()) else { return };
        self.pace(now, (&host, slot), granted.report);
        self.live.sessions.sit((session, life), host, slot);
        self.live.sessions.expect_every(slot, granted.report);
        self.live.sessions.seat_mut(slot).orders = granted.orders;
        self.live.sessions.machines.says(slot, granted.machine);
        self.live.sessions.heard(slot, now);
        self.cut_orders(now.mono, slot);
        let Some(host) = self.state.hosts.get(slot) else { return };
        let (known, watched) = (Box::new(host.runs.ranges(run)), host.watched_digest());
        self.say_when_durable(Order::Welcome { session, heartbeat: granted.report, known, watched });
    }

    fn on_closed(&mut self, now: Now, id: SessionId, how: Close) {
        let Some(session) = self.live.sessions.remove(id) else { return };
        match session.phase {
            Phase::Live(_) => {
                self.commit(now, Record::Closed { host: session.host, how }, &[]);
                self.vacated(now, session.slot);
                self.cut_orders(now.mono, session.slot);
            }
            Phase::Waiting(_) => self.unchallenge(session.slot),
            Phase::Replaced(_) => {}
        }
    }

    fn on_word(&mut self, now: Now, id: SessionId, fact: Fact) {
        let Some(session) = self.live.sessions.get(id) else { return };
        let slot = session.slot;
        match &session.phase {
            Phase::Replaced(_) => return,
            Phase::Waiting(_) => {
                if !self.live.sessions.keep(id, fact) {
                    self.refuse(now, id, "too-many");
                }
                return;
            }
            Phase::Live(_) => {}
        }
        if let Some(code) = self.live.out.refusal() {
            return self.refuse(now, id, code);
        }
        self.live.sessions.heard(slot, now);
        let host = session_host(&self.live.sessions, id);
        match (fact, host) {
            (Fact::Batch { lane, frames, .. }, Some(host)) => {
                self.on_batch(now, (id, slot), host, (lane, frames));
            }
            (Fact::Standing { checks, .. }, Some(host)) => self.on_standing(now, id, host, checks),
            (Fact::StandingEnd { up, digest, .. }, Some(host)) => {
                self.commit(now, Record::StandingEnd { host, up, digest }, &[]);
            }
            (Fact::Goodbye { .. }, Some(host)) => self.on_farewell(now, slot, Record::Goodbye { host }),
            (Fact::Removed { .. }, Some(host)) => self.on_farewell(now, slot, Record::Retired { host }),
            // These have their own ways, and a session that was found above has a host.
            (Fact::Opened { .. } | Fact::Closed { .. } | Fact::Answered { .. }, _) | (_, None) => {}
        }
    }

    /// From now on its silence is no failure.
    fn on_farewell(&mut self, now: Now, slot: u32, record: Record) {
        self.commit(now, record, &[]);
        self.live.sessions.seat_mut(slot).due = picket_proto::Mono::NEVER;
    }

    fn on_standing(&mut self, now: Now, id: SessionId, host: HostId, checks: Vec<Stands>) {
        if checks.len() > STANDING_MAX {
            return self.refuse(now, id, "bad-message");
        }
        self.commit(now, Record::Stands { host, checks }, &[]);
    }

    fn on_batch(&mut self, now: Now, (id, slot): (SessionId, u32), host: HostId, batch: (Lane, Vec<u8>)) {
        // The scratch leaves its place while the batch is worked on, so that its memory is used again.
        let mut taken = core::mem::take(&mut self.live.scratch);
        let result = self.take_batch(now, slot, host, batch, &mut taken);
        let previous = taken.iter().find_map(previous_run);
        self.live.scratch = taken;
        match result {
            Ok((run, ranges)) => {
                if let Some(run) = previous {
                    let known =
                        self.state.hosts.get(slot).map_or_else(Ranges::new, |host| host.runs.ranges(run));
                    self.say_when_durable(Order::Ack { session: id, run, ranges: Box::new(known) });
                }
                self.say_when_durable(Order::Ack { session: id, run, ranges: Box::new(ranges) });
            }
            Err(code) => self.refuse(now, id, code),
        }
    }

    fn take_batch(
        &mut self,
        now: Now,
        slot: u32,
        host: HostId,
        (lane, frames): (Lane, Vec<u8>),
        taken: &mut Vec<super::taken::Taken>,
    ) -> Result<(Run, Ranges), &'static str> {
        let run = take_apart(&frames, taken)?;
        let runs = &self.state.hosts.get(slot).ok_or("not-found")?.runs;
        let plan = plan(&runs.seen(run), taken);
        if fits(runs, run, &plan, taken).is_err() {
            // The agent knows what its present run has here, and never sends what does not fit. Of an earlier one it
            // learns that from this ack, of which the batch is not a part.
            let is_present = self.state.hosts.get(slot).and_then(|host| host.run) == Some(run);
            return if is_present { Err("ranges-full") } else { Ok((run, runs.ranges(run))) };
        }
        let mut frames = frames;
        let mut is_spoiled = false;
        for (novelty, range) in &plan.stretches {
            let Some(span) = span(&taken[range.clone()]) else { continue };
            let record = match novelty {
                Novelty::New => {
                    is_spoiled |= taken[range.clone()].iter().any(|taken| taken.spoiled);
                    let bytes = bytes_of(taken, range);
                    let whole = bytes.start == 0 && bytes.end == frames.len();
                    let frames = if whole { core::mem::take(&mut frames) } else { frames[bytes].to_vec() };
                    Record::Frames { host: host.clone(), run, lane, span, frames }
                }
                Novelty::Conflict => Record::Conflict { host: host.clone(), run, range: span },
                Novelty::Repeat => continue,
            };
            self.commit(now, record, &taken[range.clone()]);
            if *novelty == Novelty::New {
                self.answer_orders(now.mono, slot, &taken[range.clone()]);
            }
        }
        if is_spoiled {
            // Taken, once; what it said is made good by what stands at the next Hello.
            return Err("frame-spoiled");
        }
        let ranges = self.state.hosts.get(slot).map_or_else(Ranges::new, |host| host.runs.ranges(run));
        Ok((run, ranges))
    }

    /// Ends a session.
    pub(super) fn refuse(&mut self, now: Now, id: SessionId, code: &'static str) {
        let session = self.live.sessions.remove(id);
        self.say(Order::Refuse { session: id, code });
        match session.map(|session| (session.slot, session.phase)) {
            Some((slot, Phase::Live(_))) => self.vacated(now, slot),
            Some((slot, Phase::Waiting(_))) => self.unchallenge(slot),
            Some((_, Phase::Replaced(_))) | None => {}
        }
    }

    pub(super) fn say(&mut self, order: Order) {
        self.live.out.now(Effect::Session(order));
    }

    fn say_when_durable(&mut self, order: Order) {
        self.live.out.when_durable(self.state.index, Effect::Session(order));
    }
}

fn session_host(sessions: &super::sessions::Sessions, id: SessionId) -> Option<HostId> {
    sessions.get(id).map(|session| session.host.clone())
}

/// The run before, where a frame names it: the agent is told what came of that one, so that it can name the rest.
fn previous_run(taken: &super::taken::Taken) -> Option<Run> {
    match taken.event.as_ref().map(|event| &event.fact) {
        Some(picket_proto::Fact::Began(began)) => began.previous.map(|(run, _)| run),
        Some(_) | None => None,
    }
}

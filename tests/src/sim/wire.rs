//! What crosses the network, at both ends: connections, messages, ends, and the pings that find a peer gone.

use super::happening::{AgentIn, CollectorIn, Happening, Word};
use super::host::Power;
use super::net::{Down, StreamId, Up};
use super::world::World;
use picket_agent_core::session::Trouble;
use picket_collector_core::ingest::{Close, Fact, Hello, Report, SessionId, Terms};
use picket_proto::{Ranges, Span};

/// Both ends ping so often, and wait so long for the answer.
const PING_EVERY: u64 = 10_000_000;
const PING_LIMIT: u64 = 20_000_000;

impl World<'_> {
    /// A connection comes to the collector's machine, or does not.
    pub(super) fn dialled(&mut self, id: StreamId) {
        let Some(stream) = self.net.streams.get(&id) else { return };
        let keeper = &self.keepers[stream.collector];
        let is_reached = self.net.links[stream.host].is_whole() && keeper.power == Power::On;
        let is_served = keeper.process.as_ref().map(|process| (process.life, process.stopped));
        match is_served {
            // Nobody answers; the agent's patience ends the try.
            _ if !is_reached => {}
            Some((_, true)) => {}
            Some((life, false)) => {
                if let Some(stream) = self.net.streams.get_mut(&id) {
                    stream.accepted = Some(life);
                }
                self.send_down(id, Down::Open);
                self.queue.put(self.now + PING_EVERY, Happening::Ping(id));
            }
            None => self.send_down(id, Down::Fin),
        }
    }

    /// Something leaves an agent.
    pub(super) fn send_up(&mut self, id: StreamId, up: Up) {
        if let Some((first, again)) = self.net.up(self.now, id, &mut self.dice) {
            let once = matches!(up, Up::Hello(..) | Up::Fin { .. } | Up::Goodbye);
            if let Some(at) = again.filter(|_| !once) {
                self.truth.counts.repeated += 1;
                self.queue.put(at, Happening::Up(id, up.clone()));
            }
            self.queue.put(first, Happening::Up(id, up));
        }
    }

    /// Something leaves a collector.
    pub(super) fn send_down(&mut self, id: StreamId, down: Down) {
        if let Some((first, again)) = self.net.down(self.now, id, &mut self.dice) {
            if let Some(at) = again.filter(|_| matches!(down, Down::Ack { .. } | Down::Beat(..))) {
                self.truth.counts.repeated += 1;
                self.queue.put(at, Happening::Down(id, down.clone()));
            }
            self.queue.put(first, Happening::Down(id, down));
        }
    }

    /// An agent's end of a stream is closed.
    pub(super) fn hang_up(&mut self, id: StreamId, in_order: bool) {
        self.send_up(id, Up::Fin { in_order });
        if let Some(stream) = self.net.streams.get_mut(&id) {
            stream.down.open &= in_order;
        }
        self.net.sweep(id);
    }

    /// Something comes to a collector, if the way is whole and anybody listens.
    pub(super) fn up_arrives(&mut self, id: StreamId, up: Up) {
        let Some(stream) = self.net.streams.get_mut(&id) else { return };
        // Asked first: under a cut that came since, this must not be held before what the last healing let through.
        if self.now < stream.up.again {
            return self.queue.put(stream.up.again, Happening::Up(id, up));
        }
        if self.net.links[stream.host].up.cut {
            return stream.up.held.push_back(up);
        }
        let (at, host) = (stream.collector, stream.host);
        let is_heard = stream.up.open && stream.accepted.is_some();
        let life = self.keepers[at].process.as_ref().map(|process| process.life);
        if !is_heard || life != stream.accepted {
            // The machine's kernel says that there is nobody.
            stream.up.open = false;
            return self.send_down(id, Down::Fin);
        }
        self.message(at, host, id, up);
    }

    fn message(&mut self, at: usize, host: usize, id: StreamId, up: Up) {
        let session = SessionId(id.0);
        self.truth.vigil.heard.insert(host, self.now);
        let fact = match up {
            Up::Hello(hello, terms) => return self.hello(at, host, id, (hello, terms)),
            Up::Heartbeat { stamp, sample, offset } => {
                let now = self.keepers[at].clock.now(self.now);
                self.send_down(id, Down::Beat(stamp.mono, now.mono, now.mono));
                let report = Report {
                    stamp,
                    received: now.mono,
                    received_wall: now.wall,
                    sample: Some(sample),
                    offset,
                };
                return self.heard(at, self.hosts[host].id.clone(), Some(report));
            }
            Up::Fin { in_order } => {
                let how = if in_order { Close::Ended } else { Close::Broken };
                return self.closed(at, id, how);
            }
            Up::Batch(lane, frames) => Fact::Batch { session, lane, frames },
            Up::Standing(checks) => Fact::Standing { session, checks },
            Up::StandingEnd { up, digest } => Fact::StandingEnd { session, up, digest },
            Up::Answer(nonce) => Fact::Answered { session, nonce },
            Up::Goodbye => Fact::Goodbye { session },
        };
        self.session_says(at, fact);
        self.heard(at, self.hosts[host].id.clone(), None);
    }

    fn hello(&mut self, at: usize, host: usize, id: StreamId, (hello, terms): (Box<Hello>, Terms)) {
        let session = SessionId(id.0);
        let came = self.collector_mono(at);
        if let Some(stream) = self.net.streams.get_mut(&id) {
            stream.hello = Some((hello.stamp.mono, came));
        }
        if let Some(process) = &mut self.keepers[at].process {
            process.sessions.insert(session, id);
        }
        let host = self.hosts[host].id.clone();
        self.session_says(at, Fact::Opened { session, host, hello, terms });
    }

    pub(super) fn welcome(&mut self, id: StreamId, heartbeat: Span, (known, watched): (Box<Ranges>, u32)) {
        let Some(stream) = self.net.streams.get(&id) else { return };
        let Some((echo, came)) = stream.hello else { return };
        let beat = (echo, came, self.collector_mono(stream.collector));
        self.send_down(id, Down::Welcome { heartbeat, known, watched, beat });
    }

    /// The collector learns that a session is over.
    fn closed(&mut self, at: usize, id: StreamId, how: Close) {
        let session = SessionId(id.0);
        if let Some(stream) = self.net.streams.get_mut(&id) {
            stream.up.open = false;
        }
        let had = self.keepers[at].process.as_mut().and_then(|process| process.sessions.remove(&session));
        if had.is_some() {
            self.session_says(at, Fact::Closed { session, how });
        }
        self.send_down(id, Down::Fin);
        self.net.sweep(id);
    }

    /// Something comes to an agent.
    pub(super) fn down_arrives(&mut self, id: StreamId, down: Down) {
        let Some(stream) = self.net.streams.get_mut(&id) else { return };
        // Asked first: under a cut that came since, this must not be held before what the last healing let through.
        if self.now < stream.down.again {
            return self.queue.put(stream.down.again, Happening::Down(id, down));
        }
        if self.net.links[stream.host].down.cut {
            return stream.down.held.push_back(down);
        }
        if !stream.down.open {
            return self.net.sweep(id);
        }
        let (host, (life, attempt), accepted) = (stream.host, stream.agent, stream.accepted.is_some());
        let mut second = None;
        let word = match down {
            Down::Open => Word::Opened,
            Down::Welcome { heartbeat, known, watched, beat } => {
                second = Some(beat);
                Word::Welcomed { heartbeat, known: *known, watched }
            }
            Down::Ack { run, ranges } => Word::Acked { run, ranges: *ranges },
            Down::Beat(echo, received, answered) => Word::Beat { echo, received, answered },
            Down::Challenge(nonce) => Word::Challenged { nonce },
            Down::Order(token, service) => Word::Ordered { token, service },
            Down::Refuse(code) => {
                // A person has to act first where the certificate is refused; all else mends itself.
                let denied =
                    matches!(code, "quarantined" | "too-many" | "store-full" | "ranges-full" | "bad-frame");
                Word::Lost(if denied { Trouble::Denied } else { Trouble::Closed })
            }
            Down::Fin if accepted => Word::Lost(Trouble::Closed),
            Down::Fin => Word::Lost(Trouble::Refused),
        };
        if matches!(word, Word::Lost(_)) {
            self.agent_lost(id);
        }
        self.agent_hears(host, life, AgentIn::Word(attempt, word));
        if let Some((echo, received, answered)) = second {
            let beat = Word::Beat { echo, received, answered };
            self.agent_hears(host, life, AgentIn::Word(attempt, beat));
        }
    }

    /// The agent hears no more of a stream, and its kernel tells the other end.
    fn agent_lost(&mut self, id: StreamId) {
        let Some(stream) = self.net.streams.get_mut(&id) else { return };
        stream.down.open = false;
        if stream.up.open {
            self.send_up(id, Up::Fin { in_order: false });
        }
        self.net.sweep(id);
    }

    /// Both ends look whether the other one is there.
    pub(super) fn ping(&mut self, id: StreamId) {
        let Some(stream) = self.net.streams.get(&id) else { return };
        let (host, at) = (&self.hosts[stream.host], &self.keepers[stream.collector]);
        let (life, attempt) = stream.agent;
        let agent = host.agent.as_ref().filter(|shell| shell.life == life);
        let agent_is_there = host.power == Power::On && agent.is_some_and(|shell| !shell.stopped);
        let process = at.process.as_ref().filter(|process| Some(process.life) == stream.accepted);
        let collector_is_there = at.power == Power::On && process.is_some_and(|process| !process.stopped);
        if self.net.links[stream.host].is_whole() && agent_is_there && collector_is_there {
            let stream = self.net.streams.get_mut(&id);
            stream.into_iter().for_each(|stream| stream.silent = None);
            return self.queue.put(self.now + PING_EVERY, Happening::Ping(id));
        }
        let (now, host, collector, accepted) = (self.now, stream.host, stream.collector, stream.accepted);
        let Some(stream) = self.net.streams.get_mut(&id) else { return };
        let since = *stream.silent.get_or_insert(now);
        if now < since + PING_LIMIT {
            return self.queue.put(now + PING_LIMIT / 4, Happening::Ping(id));
        }
        // What was held goes with the stream; an end that lives hears that it is over.
        let (up, down) = (std::mem::take(&mut stream.up.open), std::mem::take(&mut stream.down.open));
        self.net.streams.remove(&id);
        if down {
            let lost = AgentIn::Word(attempt, Word::Lost(Trouble::Closed));
            self.queue.put(now, Happening::Agent(host, life, lost));
        }
        if let Some(life) = accepted.filter(|_| up) {
            let gone = CollectorIn::Gone(SessionId(id.0));
            self.queue.put(now, Happening::Collector(collector, life, gone));
        }
    }

    pub(super) fn session_is_gone(&mut self, at: usize, session: SessionId) {
        let process = self.keepers[at].process.as_mut();
        if process.and_then(|process| process.sessions.remove(&session)).is_some() {
            self.session_says(at, Fact::Closed { session, how: Close::Broken });
        }
    }

    /// A link is whole again: what was held goes on, once TCP tries again.
    pub(super) fn flush_link(&mut self, host: usize) {
        for id in self.net.of_host(host) {
            let wait = self.now + 1_000 + self.dice.below(400_000);
            let Some(stream) = self.net.streams.get_mut(&id) else { continue };
            // A second healing must not let what comes now overtake what the first one lets through.
            if !self.net.links[host].up.cut && !stream.up.held.is_empty() {
                (stream.up.last, stream.up.again) = (stream.up.last.max(wait), wait);
                for up in std::mem::take(&mut stream.up.held) {
                    self.queue.put(wait, Happening::Up(id, up));
                }
            }
            if !self.net.links[host].down.cut && !stream.down.held.is_empty() {
                (stream.down.last, stream.down.again) = (stream.down.last.max(wait), wait);
                for down in std::mem::take(&mut stream.down.held) {
                    self.queue.put(wait, Happening::Down(id, down));
                }
            }
        }
    }
}

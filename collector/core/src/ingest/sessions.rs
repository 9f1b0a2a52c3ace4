//! Who is really there: one live session per host, challenges, silence. Live state only: not journaled, not hashed.
//!
//! A second session of a certificate waits while both are challenged, see [`super::contest`]. What a waiting session
//! sends is kept
//! (8 batches, 16 messages, 16 MiB over all). A host is silent after 25 s (2.5 heartbeats) without a word; after the
//! collector's own restart every host gets 60 s, twice the agents' longest pause between two attempts. One that is heard
//! less often, over a link that costs money, gets 2.5 times its own interval, in both cases.

use super::machines::Machines;
use super::phase::{Life, Phase, Session, Waiting};
use super::{Fact, Report, SessionId};
use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use picket_proto::{HostId, Mono, Now, Span, Wall};

/// How often an agent reports.
pub(crate) const HEARTBEAT: Span = Span::from_secs(10);
/// After this a host is silent: 2.5 heartbeats.
pub(crate) const SILENCE: Span = Span::from_secs(25);
/// What every host gets after the collector's restart.
pub(crate) const AMNESTY: Span = Span::from_secs(60);
/// How long a challenged session may take to answer.
pub(crate) const CHALLENGE: Span = Span::from_secs(2);
/// Most sessions: as many as hosts, and some that are being replaced.
pub(crate) const SESSIONS_MAX: usize = 24_000;
/// How long a session may wait that alone has not answered: as long as its agent waits for a Welcome.
pub(crate) const PATIENCE: Span = Span::from_secs(30);
const KEPT_BATCHES: usize = 8;
const KEPT_MAX: usize = 16;
const KEPT_BYTES_MAX: usize = 16 * 1024 * 1024;

/// After this a host is silent that is heard as often as this.
pub(crate) fn silence(report: Span) -> Span {
    if report <= HEARTBEAT { SILENCE } else { Span::from_micros(report.micros().saturating_mul(5) / 2) }
}

/// The sessions of one host, and until when it must be heard.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seat {
    pub(crate) live: Option<SessionId>,
    pub(crate) waiting: Option<SessionId>,
    pub(crate) replaced: Option<SessionId>,
    pub(crate) due: Mono,
    /// Sorts of orders that its live session takes, a bit each.
    pub(crate) orders: u32,
    /// After this it is silent.
    patience: Span,
    /// When it was last heard by this process.
    pub(crate) heard: Option<Wall>,
}

const EMPTY: Seat = Seat {
    live: None,
    waiting: None,
    replaced: None,
    due: Mono::NEVER,
    orders: 0,
    patience: SILENCE,
    heard: None,
};

/// See the module.
#[derive(Debug)]
pub(crate) struct Sessions {
    by_id: BTreeMap<SessionId, Session>,
    seats: Vec<Seat>,
    challenges: BTreeSet<(Mono, SessionId)>,
    kept_bytes: usize,
    /// The last heartbeat of each host, as it came to this process.
    reports: BTreeMap<u32, Report>,
    /// What the live sessions say of the machines below them.
    pub(crate) machines: Machines,
    /// No seat is due before this: hearing a host moves only its seat, and a look at all seats moves this.
    silence_at: Mono,
}

impl Sessions {
    /// Nobody is there.
    pub(crate) const fn new() -> Self {
        Self {
            by_id: BTreeMap::new(),
            seats: Vec::new(),
            challenges: BTreeSet::new(),
            kept_bytes: 0,
            reports: BTreeMap::new(),
            machines: Machines::new(),
            silence_at: Mono::NEVER,
        }
    }

    /// A session.
    pub(crate) fn get(&self, id: SessionId) -> Option<&Session> {
        self.by_id.get(&id)
    }

    /// A session, to change it.
    pub(crate) fn get_mut(&mut self, id: SessionId) -> Option<&mut Session> {
        self.by_id.get_mut(&id)
    }

    /// Whether a waiting session answered what it was asked.
    pub(crate) fn has_answered(&self, id: SessionId) -> bool {
        matches!(self.get(id), Some(Session { phase: Phase::Waiting(waiting), .. }) if waiting.asked.answered)
    }

    /// Lets a session wait up to its last moment; false if that has come.
    pub(crate) fn wait_on(&mut self, id: SessionId) -> bool {
        let Some(Session { phase: Phase::Waiting(waiting), .. }) = self.by_id.get_mut(&id) else {
            return false;
        };
        self.challenges.remove(&(waiting.until, id));
        let has_time = waiting.until < waiting.last;
        waiting.until = waiting.last;
        self.challenges.insert((waiting.until, id));
        has_time
    }

    /// How many there are.
    pub(crate) fn count(&self) -> u32 {
        u32::try_from(self.by_id.len()).unwrap_or(u32::MAX)
    }

    /// Whether one more fits.
    pub(crate) fn has_room(&self) -> bool {
        self.by_id.len() < SESSIONS_MAX
    }

    /// The seat of a host.
    pub(crate) fn seat(&self, slot: u32) -> Seat {
        self.seats.get(slot as usize).copied().unwrap_or(EMPTY)
    }

    /// The seat of a host, to change it.
    pub(crate) fn seat_mut(&mut self, slot: u32) -> &mut Seat {
        let at = slot as usize;
        if self.seats.len() <= at {
            self.seats.resize(at + 1, EMPTY);
        }
        &mut self.seats[at]
    }

    /// A host was heard: it has its full time again.
    pub(crate) fn heard(&mut self, slot: u32, now: Now) {
        self.seat_mut(slot).heard = Some(now.wall);
        let patience = self.seat(slot).patience;
        self.expect(slot, now.mono.plus(patience));
    }

    /// A host is to be heard as often as this.
    pub(crate) fn expect_every(&mut self, slot: u32, report: Span) {
        self.seat_mut(slot).patience = silence(report);
    }

    /// A heartbeat said this.
    pub(crate) fn report(&mut self, slot: u32, report: Report) {
        self.reports.insert(slot, report);
    }

    /// What the last heartbeat of a host said.
    pub(crate) fn reported(&self, slot: u32) -> Option<&Report> {
        self.reports.get(&slot)
    }

    /// A host must be heard by then.
    pub(crate) fn expect(&mut self, slot: u32, due: Mono) {
        self.seat_mut(slot).due = due;
        self.silence_at = self.silence_at.min(due);
    }

    /// Hosts that were not heard by now; they are not expected any more.
    pub(crate) fn overdue(&mut self, now: Mono) -> Vec<u32> {
        let mut overdue = Vec::new();
        if now < self.silence_at {
            return overdue;
        }
        self.silence_at = Mono::NEVER;
        for (slot, seat) in (0..).zip(&mut self.seats) {
            if seat.due <= now {
                seat.due = Mono::NEVER;
                overdue.push(slot);
            }
            self.silence_at = self.silence_at.min(seat.due);
        }
        overdue
    }

    /// Not before this is a host overdue.
    pub(crate) fn silence_at(&self) -> Option<Mono> {
        (self.silence_at != Mono::NEVER).then_some(self.silence_at)
    }

    /// Seats a session that speaks for its host.
    pub(crate) fn sit(&mut self, (id, life): (SessionId, Life), host: HostId, slot: u32) {
        self.by_id.insert(id, Session { host, slot, phase: Phase::Live(life) });
        self.seat_mut(slot).live = Some(id);
    }

    /// Lets a session wait until `until` for the one that speaks for its host.
    pub(crate) fn wait(&mut self, id: SessionId, host: HostId, slot: u32, waiting: Waiting) {
        self.challenges.insert((waiting.until, id));
        self.by_id.insert(id, Session { host, slot, phase: Phase::Waiting(Box::new(waiting)) });
        self.seat_mut(slot).waiting = Some(id);
    }

    /// Keeps what a waiting session says; false if it says too much.
    pub(crate) fn keep(&mut self, id: SessionId, fact: Fact) -> bool {
        let Some(Session { phase: Phase::Waiting(waiting), .. }) = self.by_id.get_mut(&id) else {
            return false;
        };
        let batches = waiting.kept.iter().filter(|fact| matches!(fact, Fact::Batch { .. })).count();
        let is_batch = matches!(fact, Fact::Batch { .. });
        let bytes = bytes_of(&fact);
        let fits = waiting.kept.len() < KEPT_MAX
            && !(is_batch && batches == KEPT_BATCHES)
            && self.kept_bytes + bytes <= KEPT_BYTES_MAX;
        if fits {
            self.kept_bytes += bytes;
            waiting.kept.push(fact);
        }
        fits
    }

    /// Takes a session away, wherever it stands.
    pub(crate) fn remove(&mut self, id: SessionId) -> Option<Session> {
        let session = self.by_id.remove(&id)?;
        if let Phase::Waiting(waiting) = &session.phase {
            self.challenges.remove(&(waiting.until, id));
            let bytes: usize = waiting.kept.iter().map(bytes_of).sum();
            self.kept_bytes = self.kept_bytes.saturating_sub(bytes);
        }
        let seat = self.seat_mut(session.slot);
        for place in [&mut seat.live, &mut seat.waiting, &mut seat.replaced] {
            if *place == Some(id) {
                *place = None;
            }
        }
        if matches!(session.phase, Phase::Live(_)) {
            self.machines.says(session.slot, 0);
        }
        Some(session)
    }

    /// When the first challenge is over.
    pub(crate) fn challenge_at(&self) -> Option<Mono> {
        self.challenges.first().map(|(at, _)| *at)
    }

    /// A waiting session whose challenge is over.
    pub(crate) fn unanswered(&self, now: Mono) -> Option<SessionId> {
        self.challenges.first().filter(|(at, _)| *at <= now).map(|(_, id)| *id)
    }
}

fn bytes_of(fact: &Fact) -> usize {
    match fact {
        Fact::Batch { frames, .. } => frames.len(),
        Fact::Standing { checks, .. } => checks.len() * size_of::<super::Stands>(),
        Fact::Opened { .. }
        | Fact::StandingEnd { .. }
        | Fact::Answered { .. }
        | Fact::Goodbye { .. }
        | Fact::Removed { .. }
        | Fact::Closed { .. } => size_of::<Fact>(),
    }
}

//! An open session: what stands is told first, then frames, live before backlog, within the window of acks. Where frames
//! of the session itself were lost, what stands is told once more.
//!
//! Above the link's cap only critical frames go, from the ring and from the disk, past others that were made before them.
//! From then on those others are the backlog's: coming behind what is newer, they explain and undo nothing. What they would
//! have said of checks is told with the next heartbeat by what stands. Each stretch that was passed is a hole among the
//! collector's ranges: where they leave no place for another, what was passed goes as if there were no cap, lowest first,
//! until two ranges have become one.
//!
//! At most 8 batches and 256 KiB wait for their ack. When to say it, and whether there is a place for it with the
//! shell, is the link's.

use super::offset::Offsets;
use super::words::{Lane, Order};
use crate::check::{CheckIx, Checks};
use crate::spool::{BATCH_BYTES, Batch, Spool};
use heapless::Vec;
use picket_proto::event::Verdict;
use picket_proto::frame::Crc32c;
use picket_proto::{Mono, Now, Ranges, Seq, Span};

/// Most batches that wait for their ack: two journal commits of the collector are always in the making.
const BATCHES_MAX: usize = 8;
/// Most bytes that wait for their ack.
const UNACKED_MAX: u32 = 256 * 1024;

/// The first heartbeat comes early: it brings the offset that the welcome measured, and the first look at the host.
const FIRST_BEAT: Span = Span::from_secs(1);
/// Shortest heartbeat that is obeyed.
const BEAT_MIN: Span = Span::from_millis(100);

/// No run gives a higher number: at a thousand frames a second it would take 9,000 years. A collector that knows of one
/// is broken, and its word would leave no numbers to go on with.
pub(super) const SEQ_MAX: Seq = Seq(1 << 48);

impl super::Session {
    /// What it was welcomed with can't be: the stream is closed, and a person has to act first.
    pub(super) fn disbelieve(&mut self, now: Mono) {
        self.rest(now, super::Trouble::Denied);
        self.order(Order::Close);
    }
}

/// An open session.
#[derive(Debug)]
pub(super) struct Talk {
    pub(super) welcomed: Mono,
    pub(super) beat: Span,
    pub(super) next_beat: Mono,
    /// The last frame from before the stream opened, or that was passed above the cap: up to here all is backlog.
    pub(super) boundary: Seq,
    /// The last frame that what stands was told behind, above the cap.
    restated: Seq,
    restated_at: Mono,
    /// What the collector knows of this run once all that was sent has arrived.
    pub(super) sent: Ranges,
    pub(super) standing: Standing,
    /// What was made in this session was lost, so what the collector holds to stand may not: it is told again.
    pub(super) owes_standing: bool,
    pub(super) unacked: Vec<Batch, BATCHES_MAX>,
    pub(super) offsets: Offsets,
}

#[derive(Debug)]
pub(super) enum Standing {
    /// Up to which check was told, and what stands up so far.
    Telling {
        next: CheckIx,
        up: u16,
        digest: Crc32c,
    },
    Told,
}

impl Standing {
    fn new() -> Self {
        Self::Telling { next: 0, up: 0, digest: Crc32c::new() }
    }
}

impl Talk {
    /// A session that was just welcomed by a collector that knows `known` of this run.
    pub(super) fn new(now: Mono, heartbeat: Span, boundary: Seq, known: &Ranges) -> Self {
        let beat = heartbeat.max(BEAT_MIN);
        Self {
            welcomed: now,
            beat,
            next_beat: now.plus(FIRST_BEAT.min(beat)),
            boundary,
            restated: boundary,
            restated_at: now,
            sent: known.clone(),
            standing: Standing::new(),
            owes_standing: false,
            unacked: Vec::new(),
            offsets: Offsets::default(),
        }
    }

    /// Does what the acks have made possible.
    ///
    /// What stands is told again only behind the last frame of the session: an older one, coming later, would undo it.
    pub(super) fn settle(&mut self, now: Now, spool: &mut Spool<'_>, is_over: bool) {
        self.unacked.retain(|batch| spool.holds_any(batch.first, batch.last));
        if self.has_window() {
            self.owes_standing |= spool.name_losses(now, &self.sent, self.boundary);
        }
        if !is_over && self.restated < self.boundary {
            // A new period began before the heartbeat that would have told what the passed frames say.
            (self.owes_standing, self.restated) = (true, self.boundary);
        }
        if !matches!(self.standing, Standing::Told) {
            return;
        }
        if self.holds_back(spool, is_over) {
            return spool.bring_critical(now, &self.sent);
        }
        spool.bring(now, &self.sent);
        if self.owes_standing && spool.has_told_since(self.boundary, &self.sent) {
            (self.owes_standing, self.standing) = (false, Standing::new());
        }
    }

    /// A heartbeat above the cap: what stands is told behind what did not go, where that is more than the last time. Not
    /// oftener than such a host is heard, whatever the collector grants: it may be many checks.
    pub(super) fn restate(&mut self, now: Mono, (last, report): (Seq, Span)) {
        let is_time = now.since(self.restated_at) >= Span::from_micros(report.micros() / 2);
        if matches!(self.standing, Standing::Told) && self.restated < last && is_time {
            (self.boundary, self.restated, self.restated_at) = (self.boundary.max(last), last, now);
            self.standing = Standing::new();
        }
    }

    /// The next check that is not up, then the end. The digest is taken check by check as they are judged: what
    /// changes behind the cursor follows as a live frame.
    pub(super) fn stand(&mut self, checks: &Checks<'_>) -> Option<Order> {
        let Standing::Telling { next, up, digest } = &mut self.standing else { return None };
        while let Some((check, slot)) = checks.from(*next) {
            *next = check + 1;
            if slot.verdict() != Verdict::Up {
                let (verdict, since, cause) = (slot.verdict(), slot.since(), slot.why());
                return Some(Order::Standing { check, verdict, since, cause });
            }
            *up += 1;
            digest.add(slot.spec().name.as_str().as_bytes());
            digest.add(&[0]);
        }
        let end = Order::StandingEnd { up: *up, digest: digest.value() };
        self.standing = Standing::Told;
        Some(end)
    }

    /// Whether one more batch may wait for its ack.
    pub(super) fn has_window(&self) -> bool {
        let waiting: u32 = self.unacked.iter().map(|batch| batch.bytes.len).sum();
        !self.unacked.is_full() && waiting <= UNACKED_MAX - BATCH_BYTES
    }

    /// Whether above the cap what is not critical stays: unless something critical has no place before it goes.
    fn holds_back(&self, spool: &Spool<'_>, is_over: bool) -> bool {
        is_over && (spool.has_place(&self.sent) || !spool.owes_critical(&self.sent))
    }

    /// The next batch; above the cap only what is critical.
    pub(super) fn send(&mut self, spool: &mut Spool<'_>, is_over: bool) -> Option<Order> {
        if !self.has_window() {
            return None;
        }
        let names_losses = spool.unsent_gap(&self.sent).is_some();
        let next = match (is_over, self.holds_back(spool, is_over)) {
            (_, true) => spool.next_critical(&self.sent, self.boundary),
            (true, false) => spool.next_lowest(&self.sent, self.boundary),
            (false, false) => spool.next_batch(&self.sent, self.boundary),
        };
        let order = match next {
            Some((batch, sent)) => self.sends(batch, sent),
            None => self.send_late(spool)?,
        };
        // What was passed is backlog; but gap frames go before others that are as new.
        if is_over && !names_losses {
            self.boundary = self.boundary.max(self.sent.last().unwrap_or(self.boundary));
        }
        Some(order)
    }

    fn sends(&mut self, batch: Batch, sent: Ranges) -> Order {
        self.sent = sent;
        let _there_is_a_place = self.unacked.push(batch);
        let lane = if batch.first > self.boundary { Lane::Live } else { Lane::Backlog };
        Order::Send { lane, bytes: batch.bytes }
    }

    /// What the disk brings back: one batch at a time, when the ring has nothing to send.
    fn send_late(&mut self, spool: &mut Spool<'_>) -> Option<Order> {
        let (bytes, is_live, sent) = spool.late_batch(&self.sent, self.boundary)?;
        if let Some(sent) = sent {
            self.sent = sent;
        }
        Some(Order::Send { lane: if is_live { Lane::Live } else { Lane::Backlog }, bytes })
    }
}

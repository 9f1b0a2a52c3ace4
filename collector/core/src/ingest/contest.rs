//! Two sessions of one certificate: which of them is there, or are both.
//!
//! Both are asked, the one that speaks for the host and the newcomer: a Hello may have been overtaken by that of its
//! agent's next process, so the one that came later need not be the one that lives. Only where both answer is there a
//! second machine. After [`CHALLENGE`] without that, the newcomer takes over, unless it alone was silent: then it is
//! sent away, and comes again if it lives. An answer of the replaced one that comes later proves as much.

use super::sessions::{Asked, CHALLENGE, Phase, Session, Waiting};
use super::{Hello, Order, SessionId};
use crate::Collector;
use crate::record::Record;
use alloc::vec::Vec;
use picket_proto::{HostId, Mono, Now};

impl Collector {
    /// A session comes while another one, `old`, speaks for its host: both are asked whether they are there.
    pub(super) fn contest(
        &mut self,
        now: Now,
        (old, slot): (SessionId, u32),
        new: SessionId,
        (host, hello): (HostId, Hello),
    ) {
        let asked = Asked::new(self.live.nonce());
        self.say(Order::Challenge { session: new, nonce: asked.nonce });
        let until = now.mono.plus(CHALLENGE);
        let waiting = Waiting { hello, until, kept: Vec::new(), asked };
        self.live.sessions.wait(new, host, slot, waiting);
        let asked = Asked::new(self.live.nonce());
        self.say(Order::Challenge { session: old, nonce: asked.nonce });
        if let Some(Session { phase: Phase::Live(live), .. }) = self.live.sessions.get_mut(old) {
            *live = Some(asked);
        }
    }

    /// The session that asked for a challenge is gone; an answer to it means nothing.
    pub(super) fn unchallenge(&mut self, slot: u32) {
        let live = self.live.sessions.seat(slot).live;
        let live = live.and_then(|live| self.live.sessions.get_mut(live));
        if let Some(Session { phase: Phase::Live(asked), .. }) = live {
            *asked = None;
        }
    }

    pub(super) fn on_answered(&mut self, now: Now, id: SessionId, nonce: u64) {
        let Some(session) = self.live.sessions.get_mut(id) else { return };
        let Some(asked) = session.asked_mut().filter(|asked| asked.nonce == nonce) else { return };
        asked.answered = true;
        let slot = session.slot;
        let seat = self.live.sessions.seat(slot);
        let is_there = |id: Option<SessionId>| id.is_some_and(|id| self.live.sessions.has_answered(id));
        if is_there(seat.live) && (is_there(seat.waiting) || is_there(seat.replaced)) {
            self.both_live(now, slot);
        }
    }

    /// Two sessions of one certificate are alive: nothing of either is believed.
    fn both_live(&mut self, now: Now, slot: u32) {
        let seat = self.live.sessions.seat(slot);
        for session in [seat.live, seat.waiting, seat.replaced].into_iter().flatten() {
            self.refuse(session, "quarantined");
        }
        self.live.sessions.seat_mut(slot).due = Mono::NEVER;
        if let Some(host) = self.state.hosts.get(slot).map(|host| host.id.clone()) {
            self.commit(now, Record::Duplicate { host }, &[]);
        }
    }

    /// The time to answer is over.
    pub(super) fn unanswered(&mut self, now: Now, new: SessionId) {
        let Some(slot) = self.live.sessions.get(new).map(|session| session.slot) else { return };
        let old = self.live.sessions.seat(slot).live;
        let is_old_there = old.is_some_and(|old| self.live.sessions.has_answered(old));
        if is_old_there && !self.live.sessions.has_answered(new) {
            self.refuse(new, "no-answer");
            self.unchallenge(slot);
        } else {
            self.take_over(now, new);
        }
    }

    /// A session that waited speaks for its host from now on.
    pub(super) fn take_over(&mut self, now: Now, id: SessionId) {
        let Some(session) = self.live.sessions.remove(id) else { return };
        let Phase::Waiting(waiting) = session.phase else { return };
        let seat = self.live.sessions.seat(session.slot);
        if let Some(older) = seat.replaced {
            self.refuse(older, "too-many");
        }
        if let Some(old) = seat.live {
            if let Some(old) = self.live.sessions.get_mut(old)
                && let Phase::Live(asked) = old.phase
            {
                old.phase = Phase::Replaced(asked);
            }
            self.live.sessions.seat_mut(session.slot).replaced = Some(old);
        }
        self.welcome(now, (id, Some(waiting.asked)), session.host, waiting.hello);
        for fact in waiting.kept {
            self.on_session(now, fact);
        }
    }
}

//! Two sessions of one certificate: which of them is there, or are both.
//!
//! Both are asked, the one that speaks for the host and the newcomer: a Hello may have been overtaken by that of its
//! agent's next process, so the one that came later need not be the one that lives. An answer proves that its agent
//! lived after both Hellos had come; where both answer, however late, there is a second machine.
//!
//! After 2 s without both answers the newcomer takes over, unless the other one has answered and it has not: then it
//! waits on, up to 30 s, as a copy behind a slow link may, and is sent away. The one that is replaced is believed in
//! nothing, but its answer still counts. A session is never left behind one that is gone: it is sent away, to come again, or
//! what is known of its rival waits for its answer.

use super::phase::{Asked, Life, Phase, Rival, Session, Waiting};
use super::sessions::{CHALLENGE, PATIENCE};
use super::terms::Granted;
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
        (host, hello, granted): (HostId, Hello, Granted),
    ) {
        let asked = self.ask(new);
        let (until, last) = (now.mono.plus(CHALLENGE), now.mono.plus(PATIENCE));
        let waiting = Waiting { hello, granted, until, last, kept: Vec::new(), asked };
        self.live.sessions.wait(new, host, slot, waiting);
        let asked = self.ask(old);
        if let Some(life) = self.life(Some(old)) {
            life.asked = Some(asked);
        }
    }

    /// Asks a session whether it is there.
    fn ask(&mut self, session: SessionId) -> Asked {
        let asked = Asked::new(self.live.nonce());
        self.say(Order::Challenge { session, nonce: asked.nonce });
        asked
    }

    /// The session that asked for a challenge is gone; an answer to it means nothing.
    pub(super) fn unchallenge(&mut self, slot: u32) {
        let live = self.live.sessions.seat(slot).live;
        if let Some(life) = self.life(live) {
            life.asked = None;
        }
    }

    fn life(&mut self, live: Option<SessionId>) -> Option<&mut Life> {
        match self.live.sessions.get_mut(live?) {
            Some(Session { phase: Phase::Live(life), .. }) => Some(life),
            Some(_) | None => None,
        }
    }

    fn rival(&mut self, replaced: Option<SessionId>) -> Option<&mut Rival> {
        match self.live.sessions.get_mut(replaced?) {
            Some(Session { phase: Phase::Replaced(rival), .. }) => Some(rival),
            Some(_) | None => None,
        }
    }

    pub(super) fn on_answered(&mut self, now: Now, id: SessionId, nonce: u64) {
        let Some(session) = self.live.sessions.get_mut(id) else { return };
        session.answered(nonce);
        let slot = session.slot;
        let seat = self.live.sessions.seat(slot);
        let is_live_there = self.life(seat.live).is_some_and(|life| Asked::is_answered(life.asked));
        let has_lived = self.life(seat.live).is_some_and(|life| life.lived);
        let is_waiting_there = seat.waiting.is_some_and(|waiting| self.live.sessions.has_answered(waiting));
        let is_other_there = self.rival(seat.replaced).is_some_and(|rival| {
            rival.successor_lived |= has_lived;
            rival.successor_lived && Asked::is_answered(rival.asked)
        });
        if (is_live_there && is_waiting_there) || is_other_there {
            self.both_live(now, slot);
        }
    }

    /// Two sessions of one certificate are alive: nothing of either is believed.
    fn both_live(&mut self, now: Now, slot: u32) {
        let seat = self.live.sessions.seat(slot);
        // The live one last: nobody is there then who could take its place.
        for session in [seat.replaced, seat.waiting, seat.live].into_iter().flatten() {
            self.refuse(now, session, "quarantined");
        }
        self.live.sessions.seat_mut(slot).due = Mono::NEVER;
        if let Some(host) = self.state.hosts.get(slot).map(|host| host.id.clone()) {
            self.commit(now, Record::Duplicate { host }, &[]);
        }
    }

    /// The time to answer is over.
    pub(super) fn unanswered(&mut self, now: Now, new: SessionId) {
        let Some(slot) = self.live.sessions.get(new).map(|session| session.slot) else { return };
        let live = self.live.sessions.seat(slot).live;
        let is_old_there = self.life(live).is_some_and(|life| Asked::is_answered(life.asked));
        if !is_old_there || self.live.sessions.has_answered(new) {
            self.take_over(now, new);
        } else if !self.live.sessions.wait_on(new) {
            self.refuse(now, new, "no-answer");
        }
    }

    /// Nobody speaks for a host any more: who waits does; who was replaced can't be left behind nobody.
    pub(super) fn vacated(&mut self, now: Now, slot: u32) {
        let seat = self.live.sessions.seat(slot);
        if let Some(replaced) = seat.replaced
            && self.rival(Some(replaced)).is_some_and(|rival| !rival.successor_lived)
        {
            self.refuse(now, replaced, "no-answer");
        }
        match (seat.waiting, self.live.out.refusal()) {
            (Some(waiting), None) => self.take_over(now, waiting),
            (Some(waiting), Some(code)) => self.refuse(now, waiting, code),
            (None, _) => {}
        }
    }

    /// A session that waited speaks for its host from now on.
    fn take_over(&mut self, now: Now, id: SessionId) {
        let Some(session) = self.live.sessions.remove(id) else { return };
        let Phase::Waiting(waiting) = session.phase else { return };
        let seat = self.live.sessions.seat(session.slot);
        let lived = waiting.asked.answered;
        if let (Some(old), Some(life)) = (seat.live, self.life(seat.live)) {
            let rival = Rival { asked: life.asked, successor_lived: lived };
            if let Some(older) = seat.replaced {
                self.refuse(now, older, "no-answer");
            }
            if let Some(old) = self.live.sessions.get_mut(old) {
                old.phase = Phase::Replaced(rival);
            }
            let seat = self.live.sessions.seat_mut(session.slot);
            (seat.live, seat.replaced) = (None, Some(old));
        }
        let life = Life { asked: None, came: Some(waiting.asked.nonce), lived };
        self.welcome(now, (id, life), session.host, (waiting.hello, waiting.granted));
        for fact in waiting.kept {
            self.on_session(now, fact);
        }
    }
}

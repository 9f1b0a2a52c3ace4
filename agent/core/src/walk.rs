//! Inputs that walk through more than one room. It decides nothing: each room is asked in its turn.

use crate::facts::Facts;
use crate::life::{Ending, Life, Turn};
use crate::service::{Around, Services};
use crate::timer::Reason;
use crate::{Agent, baseline, check, session};
use picket_proto::{Mono, Now};

impl Agent<'_> {
    /// When to hand in [`crate::Input::Time`], and why.
    pub fn deadline(&self) -> Option<(Mono, Reason)> {
        let first = (self.checks.deadline(), Reason::Probe)
            .min(self.services.deadline())
            .min(self.baseline.deadline())
            .min(self.session.deadline())
            .min((self.spool.deadline(), Reason::Disk));
        (first.0 != Mono::NEVER && self.life != Life::Over).then_some(first)
    }

    /// Whether the kernel calls the wall clock synchronised; goes into every later stamp, and before it was, no level is held
    /// against its past.
    pub fn clock_synced(&mut self, synced: bool) {
        self.spool.set_synced(synced);
        self.checks.synced(synced);
    }

    /// A probe's answer walks from its check to the service that it belongs to.
    pub(crate) fn check(&mut self, now: Now, fact: check::Fact<'_>) {
        self.checks.turn(now);
        let mut out = Facts::new();
        let service = self.checks.get(fact.check).and_then(|slot| slot.spec().service);
        let owner = service.and_then(|service| self.services.name(service));
        let is_ahead = self.services.is_ahead_of_systemd(service, fact.reading);
        let withheld = if is_ahead { self.checks.withhold(now.mono, fact) } else { None };
        let voice = check::Voice { owner, said: fact.said, out: &mut out };
        let seen = withheld.or_else(|| self.checks.on(now.mono, fact, voice));
        self.spool.append_all(now, out);
        if let Some(seen) = seen {
            self.tell(now, |services, around| services.see(seen, around));
        }
    }

    /// What the collector knows walks to the spool. Where another life of this run has told it more, services say
    /// which of them may be healed: it can have heard otherwise, and a breaker that is closed does not move. What is missing
    /// on the host is told in every session, since what the backlog says of it pages nobody.
    ///
    /// An order walks to the service that it names.
    pub(crate) fn session(&mut self, now: Now, fact: session::Fact<'_>) {
        if let session::Fact::Ordered { token, service } = fact
            && matches!(self.session.phase(), session::Phase::Open { .. })
        {
            let link = self.session.thrift();
            return self.tell(now, |services, around| services.ordered((token, service), link, around));
        }
        let welcomed = matches!(fact, session::Fact::Welcomed { .. });
        if self.session.on(now, fact, &mut self.spool) {
            for service in 0..self.services.end() {
                self.tell(now, |services, around| services.tell_closed(service, around.out));
            }
        }
        if welcomed {
            self.services.is_greeted();
            let mut out = Facts::new();
            self.baseline.tell_again(now.mono, &mut out);
            self.spool.append_all(now, out);
        }
    }

    /// What was seen of what should be here.
    pub(crate) fn seen(&mut self, now: Now, fact: baseline::Fact<'_>) {
        let mut out = Facts::new();
        self.baseline.on(now, fact, &mut out);
        self.spool.append_all(now, out);
    }

    /// Takes leave of the collector, and makes durable what waits.
    pub(crate) fn leave(&mut self, now: Mono) {
        self.session.leave(now);
        self.spool.leave(now);
    }

    /// Neither is waited for.
    fn abandon(&mut self) {
        self.session.abandon();
        self.spool.abandon();
    }

    /// It is asked to end: what that means for the services and the link.
    pub(crate) fn stop(&mut self, now: Now, ending: Ending) {
        self.services.keep_in_time();
        self.baseline.keep_in_time(now.mono);
        self.checks.keep_in_time();
        match self.life.asked(ending) {
            Turn::Leave => self.leave(now.mono),
            Turn::StopServices => self.services.stop_all(now.mono),
            Turn::Abandon => self.abandon(),
            Turn::KillServices => {
                self.services.kill_all();
                self.abandon();
            }
            Turn::Nothing => {}
        }
    }
}

impl<'s> Agent<'s> {
    /// Lets the services room move and spools what it tells.
    pub(crate) fn tell<T>(
        &mut self,
        now: Now,
        step: impl FnOnce(&mut Services<'s>, Around<'_, 's>) -> T,
    ) -> T {
        let mut out = Facts::new();
        let around = Around { now: now.mono, checks: &mut self.checks, out: &mut out };
        let answer = step(&mut self.services, around);
        self.spool.append_all(now, out);
        answer
    }
}

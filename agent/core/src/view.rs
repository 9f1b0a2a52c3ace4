//! What may be seen of an agent between two inputs, for a person on its host. Only looks, changes nothing.
//!
//! A look at one check or service costs nothing that grows; whoever asks for many asks page by page.

use crate::baseline::{Loss, Thing};
use crate::check::{self, CheckIx};
use crate::hold::Held;
use crate::service::{self, ServiceIx};
use crate::{Agent, session, spool};
use picket_proto::{Carried, Mono, Offset, Run, Seq, Span};

impl Agent<'_> {
    /// The place behind the last check. Places before it may be gone.
    pub fn checks_end(&self) -> CheckIx {
        self.checks.end()
    }

    /// The place behind the last service. Places before it may be gone.
    pub fn services_end(&self) -> ServiceIx {
        self.services.end()
    }

    /// One check.
    pub fn check_at(&self, check: CheckIx) -> Option<&check::Slot> {
        self.checks.get(check)
    }

    /// What a check's level usually is at this hour; nothing where it is not held against its past.
    pub fn usual_at(&self, check: CheckIx) -> Option<check::Usually> {
        self.checks.usual(check)
    }

    /// One service.
    pub fn service_at(&self, service: ServiceIx) -> Option<service::View<'_>> {
        self.services.view(service)
    }

    /// The hold of all services, if one stands.
    pub fn held(&self) -> Option<&Held> {
        self.services.held()
    }

    /// Whether a frame of this run still waits for the collector.
    pub fn waits(&self, frame: Seq) -> bool {
        self.spool.holds_any(frame, frame)
    }

    /// What should be on this host, and what is known of it so far.
    pub fn things(&self) -> impl Iterator<Item = &Thing> {
        self.baseline.things()
    }

    /// What vanished and is not back.
    pub fn losses(&self) -> &[Loss] {
        self.baseline.losses()
    }

    /// How many things found no place in the baseline.
    pub fn things_left_out(&self) -> u16 {
        self.baseline.left_out()
    }

    /// The spool, as it stood at the last input.
    pub fn spool_view(&self) -> spool::View {
        self.spool.view(self.now)
    }

    /// Whether the host is still to be rebooted for this service.
    pub fn reboot_is_ordered(&self, service: ServiceIx) -> bool {
        self.services.reboot_is_ordered(service)
    }

    /// Whether every unit was read, or there is no bus to read them from.
    pub fn units_settled(&self) -> bool {
        self.services.units_settled()
    }

    /// Where the link stands.
    pub fn link(&self) -> session::Phase {
        self.session.phase()
    }

    /// How the link is used: its terms, how often the collector hears of this host while a session stands, what it carried
    /// where it has a cap, and how much of the 30 days is left.
    pub fn link_usage(&self, now: Mono) -> (session::Terms, Option<Span>, Option<Carried>, Span) {
        self.session.usage(now)
    }

    /// Whether the collector may still lack something of this earlier run.
    pub fn misses(&self, run: Run) -> bool {
        self.spool.misses(run)
    }

    /// How far the collector's Mono is ahead of this host's, while a session stands that has measured it.
    pub fn offset(&self, now: Mono) -> Option<Offset> {
        self.session.offset(now)
    }

    /// The frames at `range`; empty if it is not from this agent's last effects.
    pub fn bytes(&self, range: spool::Bytes) -> &[u8] {
        self.spool.bytes(range)
    }

    /// How many inputs were refused since the start: about what there is not, or what the state can't take.
    pub fn refused(&self) -> u32 {
        let rooms = self.checks.refused().saturating_add(self.services.refused());
        rooms.saturating_add(self.session.refused())
    }
}

//! A new configuration while the agent runs: who keeps its place, what is new, what is gone, and what that means.
//!
//! The shell asks for places first ([`Agent::seat_services`], [`Agent::seat_checks`]), which changes nothing and refuses
//! what does not fit, then hands the whole in at once. What did not change is not touched: its process, its verdict, its
//! streak, budget and breaker, the pace of its probes. So a reload of the same is no event and has no effect.
//!
//! | what | how |
//! |---|---|
//! | a check or service of the same name | keeps its place and its history; new limits count from the next reading on |
//! | a check that looks elsewhere now | keeps its verdict; an answer that is out is thrown away, and it is looked at now |
//! | a new check | begins unknown; at a service that is up already it counts as passing until it was read |
//! | a check or service that is gone | is not probed, judged, healed or told any more; its place stays bound to its name |
//! | another set of checks | the session begins anew: only a Hello says what is watched |

use crate::check::{self, CheckIx};
use crate::service::{self, ServiceIx};
pub use crate::shelf::{Full, Seated};
use crate::{Agent, Input};
use picket_proto::{Name, Now};

/// All that the new configuration has. What it does not name is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fact<'a> {
    /// The services.
    pub services: &'a [Seated<service::Spec>],
    /// The checks.
    pub checks: &'a [Seated<check::Spec>],
}

const _: () = assert!(size_of::<Input<'_>>() <= 128);

impl Agent<'_> {
    /// The place of each of these services, in their order.
    ///
    /// # Errors
    /// They do not fit; nothing was changed.
    pub fn seat_services(&self, names: &[Name], out: &mut [ServiceIx]) -> Result<(), Full> {
        self.services.seat(names, out)
    }

    /// The place of each of these checks, in their order.
    ///
    /// # Errors
    /// They do not fit; nothing was changed.
    pub fn seat_checks(&self, names: &[Name], out: &mut [CheckIx]) -> Result<(), Full> {
        self.checks.seat(names, out)
    }

    /// Takes the new configuration.
    pub(crate) fn reload(&mut self, now: Now, fact: Fact<'_>) {
        if !self.life.serves() {
            return;
        }
        self.services.anew(now.mono, fact.services);
        let services = &self.services;
        let stance = |service| services.stance(service);
        if self.checks.anew(now.mono, fact.checks, (&mut self.dice, &stance)) {
            self.session.greet_anew(now.mono);
        }
    }
}

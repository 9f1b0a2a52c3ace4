//! Which conditions of a host belong together.

use super::{Host, NEEDS_DEPTH};
use crate::signal::What;

impl Host {
    /// Whether two conditions are about the same service, or the same check.
    pub(crate) fn same_subject(&self, one: What, other: What) -> bool {
        let (service, others) = (self.service_of(one), self.service_of(other));
        if service.is_some() || others.is_some() {
            return service == others;
        }
        one == other || (one.check().is_some() && one.check() == other.check())
    }

    /// Whether a condition is about a service that needs the other's, directly or by others.
    pub(crate) fn needs(&self, one: What, other: What) -> bool {
        let (Some(from), Some(to)) = (self.service_of(one), self.service_of(other)) else { return false };
        let next = |at: &u32| self.services.get(*at).and_then(|service| service.needs);
        // What an agent says may go in a circle; then each is as near as the other.
        let on_the_way = |one: u32, other: u32| {
            core::iter::successors(next(&one), next).take(NEEDS_DEPTH).any(|at| at == other)
        };
        on_the_way(from, to) && !on_the_way(to, from)
    }
}

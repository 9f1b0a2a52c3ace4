//! What may be done to services, what may be said of them, and of whom people may be told.

use super::Truth;
use crate::sim::host::Host;
use crate::sim::net::Net;
use crate::sim::service::Service;
use picket_agent_core::service::Driver;
use picket_collector_core::incident::Change;
use picket_proto::event::Outcome;
use picket_proto::{Fact, Run};

/// How long after it was ill a remedy may still come: a check's two readings, a start's patience, the longest backoff,
/// an open breaker's longest rest, and what a pause of the agent adds.
const ILL: u64 = 20 * 60 * 1_000_000;
/// How long after it was ill an incident of it may still open: what a link or a journal held up for a while.
const TOLD: u64 = 120_000_000;
/// A host that could be heard for so long can't be silent: 25 s by a clock that may run 5 % fast, after the longest
/// wait for the next try to connect and the try itself.
const SILENT: u64 = (23 + 30 + 10) * 1_000_000;

impl Truth {
    /// An agent starts a service, itself or by systemd.
    pub(in crate::sim) fn started(&mut self, now: u64, (at, host): (usize, &Host<'_>), number: usize) {
        let (service, spec) = (&host.services[number], &host.shape.services[number]);
        let who = format!("{} of {}", spec.name, host.id);
        self.expect(now, service.process.is_none(), || format!("{who} is started while it runs"));
        // A call that is on its way while an operator stops it can't be called back, and an agent that was paused meanwhile
        // may act before it has read what waits.
        let awake = self.trouble_of(at);
        let knows = service.stopped_at.is_some_and(|stopped| stopped.max(awake) + 100_000 < now);
        self.expect(now, !knows || spec.driver == Driver::Spawn, || {
            format!("{who} is started although an operator stopped it")
        });
        let window = spec.budget_window.micros();
        let recent = service.starts.iter().filter(|at| **at + window > now).count();
        // Remedies of the budget, the first start of a run, and the single tries of an open breaker.
        let allowed =
            usize::from(spec.budget) + 2 + usize::try_from(window / spec.retry_after.micros()).unwrap_or(0);
        let tries = service.tries.iter().filter(|at| **at + window > now).count();
        self.expect(now, recent <= allowed * (1 + tries), || {
            format!("{who} is started {recent} times in its budget's window")
        });
        self.waits_for_systemd(now, service, &who);
        self.rests(now, service, spec, &who);
    }

    /// An agent ends a service's process: something must have been wrong with it.
    pub(in crate::sim) fn ended(&mut self, now: u64, host: &Host<'_>, number: usize) {
        let service = &host.services[number];
        let was_ill = service.ill.is_some_and(|ill| now < ill + ILL) || !service.is_well(now);
        self.expect(now, was_ill, || {
            format!("{} of {} is ended although it is well", host.shape.services[number].name, host.id)
        });
    }

    /// An agent says something of its services.
    pub(super) fn claimed(&mut self, now: u64, (at, host): (usize, &Host<'_>), run: Run, fact: &Fact) {
        self.given_up(now, run, fact);
        if let Fact::Outcome(ended) = fact
            && let Outcome::Held { held_for, .. } = &ended.outcome
        {
            let number = host.shape.services.iter().position(|spec| spec.name == ended.service);
            let Some(service) = number.and_then(|number| host.services.get(number)) else { return };
            let spec = number.and_then(|number| host.shape.services.get(number));
            spec.into_iter().for_each(|spec| self.held(now, spec, *held_for, ended));
            let lived = service.process.map(|process| now.saturating_sub(process.born.max(process.listens)));
            // Its clock may run fast, and it may have been told late of what just began.
            let held = held_for.micros() * 7 / 10;
            let holds = lived.is_some_and(|lived| lived >= held) || died_just_now(service, now);
            self.expect(now, holds, || {
                format!("agent {at} calls {} recovered, which it is not", ended.service)
            });
        }
    }

    /// Something of an incident is told to people.
    pub(in crate::sim) fn changed(&mut self, now: u64, hosts: &[Host<'_>], net: &Net, change: &Change) {
        *self.counts.changes.entry(change.code).or_default() += 1;
        self.promised(now, hosts, change);
        if !matches!(change.code, "incident-opened" | "incident-reopened") {
            return;
        }
        for id in &change.incident.hosts {
            let Some(at) = hosts.iter().position(|host| host.id == *id) else { continue };
            if self.doubled.contains(&at) {
                continue;
            }
            if change.incident.severity_rule == "sev-host-silent" {
                let heard = self.could_be_heard(hosts, net, at, now.saturating_sub(SILENT));
                self.expect(now, !heard, || format!("{id} is called silent although it could be heard"));
            } else {
                let host = &hosts[at];
                let since = now.saturating_sub(ILL);
                let is_ill = |ill: u64| ill + TOLD > now;
                let was = |service: &Service| service.ill.is_some_and(is_ill) || !service.is_well(now);
                let was = host.services.iter().any(was);
                self.expect(now, was || self.trouble_of(at) > since, || {
                    format!("an incident opens on {id}, where nothing was wrong: {}", change.text)
                });
            }
        }
    }
}

/// Whether it failed so lately that its agent can't know: of its own child it hears at once, of a unit while the bus is
/// away, and of one that is frozen or sick, by a check that may be half a hold old.
fn died_just_now(service: &Service, now: u64) -> bool {
    let is_own_child_gone = !service.is_unit() && service.process.is_none();
    service.ill.is_some_and(|ill| now < ill + if is_own_child_gone { 10_000 } else { 1_600_000 })
}

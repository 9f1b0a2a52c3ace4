//! Probes: run a check's probe once and bring its reading back. No thresholds, no memory of the last reading.
//!
//! Limits: at most 64 probes of services' checks and 32 of the rest in flight, since each may hold a descriptor and,
//! for names, a resolver thread. What is beyond waits in its own queue, so checks of other hosts that hang never
//! delay the check that decides whether a service is killed. The channel back has 96 places, one for each in flight:
//! it can't be full. What needs no waiting (`/proc`, a port of this host) is answered at once, without a task or the
//! channel. The resolver's few threads are common to all; addresses and `localhost` need none.

pub(crate) mod apart;
mod backup;
mod container;
mod crowd;
mod culprits;
mod exec;
mod expires;
mod file;
mod hands;
pub(crate) mod host;
pub(crate) mod http;
pub(crate) mod inodes;
mod job;
mod lane;
mod launch;
mod log;
mod memory;
mod metric;
pub(crate) mod mount;
pub(crate) mod mounts;
pub(crate) mod net;
pub(crate) mod packages;
mod parts;
pub(crate) mod ports;
pub(crate) mod pressure;
pub(crate) mod process;
mod seen;
pub(crate) mod space;
pub(crate) mod tcp;
pub(crate) mod temperature;
mod tls;

use crate::child::Places;
use crate::config::{BusAddress, Check, Target};
pub(crate) use host::own_rss_kib;
use lane::Lane;
use launch::Look;
use memory::Memory;
use picket_agent_core::check::{CheckIx, Probe, Reading};
pub(crate) use seen::{Answer, Figure, Seen, cause_of};
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::timeout;

/// Probes of services' checks in flight.
const OF_SERVICES: usize = 64;
/// Probes of all other checks in flight.
const OF_OTHERS: usize = 32;

/// Where this agent is: its state folder, and the bus of its systemd.
pub(crate) type Place = (Arc<Path>, BusAddress);

/// The probes of all checks.
pub(crate) struct Probes {
    checks: Arc<[Check]>,
    /// By check.
    memory: Vec<Memory>,
    place: Place,
    host: host::Host,
    parts: parts::Parts,
    crowd: Arc<crowd::Crowd>,
    culprits: culprits::Culprits,
    /// Checks whose next look is to be explained, and the level where it was read already.
    explained: BTreeMap<CheckIx, Option<Reading>>,
    http: reqwest::Client,
    tls: tls::Believed,
    journals: Places,
    answers: mpsc::Sender<Answer>,
    of_services: Lane,
    of_others: Lane,
    /// Answers that needed no waiting; one per check at most.
    ready: VecDeque<Answer>,
}

impl Probes {
    /// Probes for `checks`, where their answers come out, and where checks do that are to be looked at now. `place` keeps
    /// how far logs were read.
    ///
    /// # Errors
    /// The HTTP client can't be made, or the system can't be read.
    pub(crate) fn new(
        checks: Arc<[Check]>,
        place: Place,
    ) -> io::Result<(Self, mpsc::Receiver<Answer>, mpsc::Receiver<CheckIx>)> {
        let (answers, out) = mpsc::channel(OF_SERVICES + OF_OTHERS);
        let http = http::client(urls(&checks)).map_err(io::Error::other)?;
        let (crowd, ends) = crowd::Crowd::new(&checks);
        let tls = tls::Believed::of(&checks);
        let memory = memory::anew((&[], &[]), &checks, &place.0);
        let probes = Self {
            checks,
            memory,
            place,
            host: host::Host::new()?,
            parts: parts::Parts::default(),
            crowd,
            culprits: culprits::Culprits::default(),
            explained: BTreeMap::new(),
            http,
            tls,
            journals: Places::new(log::journal::PLACES),
            answers,
            of_services: Lane::new(OF_SERVICES),
            of_others: Lane::new(OF_OTHERS),
            ready: VecDeque::new(),
        };
        Ok((probes, out, ends))
    }

    /// Takes the checks by their places. What is out goes on with what it was asked for; what is kept from look to look
    /// stays where a check looks at the same as before.
    ///
    /// # Errors
    /// The HTTP client can't be made; nothing was changed.
    pub(crate) fn anew(&mut self, checks: Arc<[Check]>) -> io::Result<()> {
        let is_tls = |checks: &[Check]| urls(checks).any(|url| url.scheme() == "https");
        if is_tls(&checks) && !is_tls(&self.checks) {
            self.http = http::client(urls(&checks)).map_err(io::Error::other)?;
        }
        if tls::Believed::is_needed(&checks) && !tls::Believed::is_needed(&self.checks) {
            self.tls = tls::Believed::of(&checks);
        }
        self.memory = memory::anew((&self.checks, &self.memory), &checks, &self.place.0);
        for (at, (check, old)) in (0..).zip(checks.iter().zip(self.checks.iter())) {
            if check.target != old.target {
                self.parts.forget(at);
                self.crowd.forget(at);
            }
        }
        self.crowd.anew(&checks);
        self.checks = checks;
        Ok(())
    }

    /// A person asks for the next look at this check.
    pub(crate) fn asked(&self, check: CheckIx) {
        if let Some(memory) = self.memory.get(usize::from(check)) {
            memory.asked.store(true, Ordering::Relaxed);
        }
    }

    /// Begins one probe; its answer is ready now or comes out of the channel. `process` reads a service's process within
    /// that time; where it has to wait it answers by itself.
    pub(crate) fn begin(&mut self, probe: Probe, process: impl Fn(u16, Duration) -> Option<Seen>) {
        let check = probe.check;
        let Some(asked) = self.checks.get(usize::from(check)) else { return };
        let seen: Seen = match &asked.target {
            Target::Process(service) => match process(*service, asked.spec.timeout.to_duration()) {
                Some(seen) => seen,
                None => return,
            },
            Target::Cpu => self.host.cpu().into(),
            Target::Memory => self.host.memory().into(),
            Target::Load => self.host.load().into(),
            Target::Host(part) if parts::is_quick(part) => {
                self.parts.read(check, part, &mut self.host).into()
            }
            Target::Tcp { .. }
            | Target::Http { .. }
            | Target::Space { .. }
            | Target::Host(_)
            | Target::Processes(_)
            | Target::Tls(_)
            | Target::Expires(_)
            | Target::File(_)
            | Target::Metric(_)
            | Target::Log(_)
            | Target::Exec(_)
            | Target::Job(_)
            | Target::Backup(_)
            | Target::Container(_) => {
                if probe.explain {
                    self.explained.insert(check, None);
                }
                self.lane(check).ask(check);
                return self.fill();
            }
        };
        if probe.explain {
            self.explained.insert(check, Some(seen.reading));
            self.lane(check).ask(check);
            return self.fill();
        }
        self.ready.push_back(Answer { check, seen });
    }

    /// The next answer that needed no waiting.
    pub(crate) fn ready(&mut self) -> Option<Answer> {
        self.ready.pop_front()
    }

    /// The answer of this check came out of the channel.
    pub(crate) fn ended(&mut self, check: CheckIx) {
        self.lane(check).leave();
        self.fill();
    }

    fn lane(&mut self, check: CheckIx) -> &mut Lane {
        let service = self.checks.get(usize::from(check)).and_then(|check| check.spec.service);
        if service.is_some() { &mut self.of_services } else { &mut self.of_others }
    }

    fn fill(&mut self) {
        while let Some(check) = self.of_services.next().or_else(|| self.of_others.next()) {
            match self.launch(check) {
                Ok(reading) => {
                    self.lane(check).leave();
                    self.ready.push_back(Answer { check, seen: reading.into() });
                }
                Err(look) => self.wait(check, look),
            }
        }
    }

    fn wait(&mut self, check: CheckIx, Look { mut seen, late, spare }: Look) {
        let Check { spec, target, .. } = &self.checks[usize::from(check)];
        let (answers, bound) = (self.answers.clone(), spec.timeout);
        if self.explained.remove(&check).is_some()
            && let Some(want) = culprits::want(target)
        {
            seen = Box::pin(self.culprits.clone().explain(seen, want, bound.to_duration()));
        }
        tokio::spawn(async move {
            let seen = timeout(bound.to_duration() + spare, seen).await;
            let seen = seen.unwrap_or_else(|_| Reading::Bad(late).into());
            let _loop_is_ending_when_nobody_listens = answers.send(Answer { check, seen }).await;
        });
    }
}

/// Pages that are asked for.
fn urls(checks: &[Check]) -> impl Iterator<Item = &reqwest::Url> {
    checks.iter().filter_map(|check| match &check.target {
        Target::Http { url, .. } => Some(url),
        Target::Metric(metric) => Some(&metric.url),
        _ => None,
    })
}

#[cfg(test)]
mod tests;

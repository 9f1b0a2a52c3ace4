//! Probes: run a check's probe once and bring its reading back. No thresholds, no memory of the last reading.
//!
//! Limits: at most 64 probes of services' checks and 32 of the rest in flight, since each may hold a descriptor and,
//! for names, a resolver thread. What is beyond waits in its own queue, so checks of other hosts that hang never
//! delay the check that decides whether a service is killed. The channel back has 96 places, one for each in flight:
//! it can't be full. What needs no waiting (`/proc`, a port of this host) is answered at once, without a task or the
//! channel. The resolver's few threads are common to all; addresses and `localhost` need none.

mod apart;
mod backup;
mod container;
mod crowd;
mod culprits;
mod exec;
mod expires;
mod file;
pub(crate) mod host;
pub(crate) mod http;
mod inodes;
mod job;
mod lane;
mod log;
mod metric;
pub(crate) mod mount;
pub(crate) mod net;
mod parts;
mod pressure;
pub(crate) mod process;
pub(crate) mod space;
pub(crate) mod tcp;
pub(crate) mod temperature;
mod tls;

use crate::child::Places;
use crate::config::{BusAddress, Check, Exec, JobSource, Log, LogSource, Program, Target};
use crate::program::Seat;
use apart::Apart;
pub(crate) use host::own_rss_kib;
use lane::Lane;
use picket_agent_core::check::{CheckIx, Fact, Probe, Reading};
use picket_proto::Span;
use picket_proto::event::Cause;
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, mpsc};
use tokio::time::timeout;

/// Probes of services' checks in flight.
const OF_SERVICES: usize = 64;
/// Probes of all other checks in flight.
const OF_OTHERS: usize = 32;

/// What one look saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) reading: Reading,
    /// In words; mostly empty.
    pub(crate) said: String,
    /// What a plugin measured; mostly empty.
    pub(crate) figures: Vec<Figure>,
}

/// One thing that a plugin measured, in its own words: only shown, judged by nobody here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Figure {
    pub(crate) label: String,
    /// A decimal number.
    pub(crate) value: String,
    pub(crate) unit: String,
    /// Ranges as the plugin protocol writes them; empty where it says none.
    pub(crate) warn: String,
    pub(crate) crit: String,
    pub(crate) min: String,
    pub(crate) max: String,
}

impl Seen {
    fn new(reading: Reading, said: impl Into<String>) -> Self {
        Self { said: said.into(), ..reading.into() }
    }
}

impl From<Reading> for Seen {
    fn from(reading: Reading) -> Self {
        Self { reading, said: String::new(), figures: Vec::new() }
    }
}

/// A check's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) check: CheckIx,
    pub(crate) seen: Seen,
}

impl Answer {
    /// As the core takes it.
    pub(crate) fn as_fact(&self) -> Fact<'_> {
        Fact { check: self.check, reading: self.seen.reading, said: &self.seen.said }
    }
}

/// A look that has to wait, and what it means when it waits too long.
struct Look {
    seen: Pin<Box<dyn Future<Output = Seen> + Send>>,
    late: Cause,
    /// How long it may take beyond its check's time to say itself that this was not enough.
    spare: Duration,
}

impl Look {
    /// A look at something that answers by itself.
    fn new(seen: impl Future<Output = Seen> + Send + 'static) -> Self {
        Self { seen: Box::pin(seen), late: Cause::TimedOut, spare: Duration::ZERO }
    }

    /// A look in a thread of its own.
    fn apart(apart: &Apart, look: impl FnOnce() -> Seen + Send + 'static) -> Self {
        Self { late: Cause::Stuck, ..Self::new(apart.clone().look(look)) }
    }

    /// A look by a program.
    fn program(seat: &Seat, program: Program, time: Duration) -> Self {
        let ran = seat.clone().run(program, time);
        let look = Self::new(async move { exec::seen(ran.await, time) });
        Self { spare: 2 * crate::program::SPARE, ..look }
    }
}

/// Where this agent is: its state folder, and the bus of its systemd.
pub(crate) type Place = (Arc<Path>, BusAddress);

/// The probes of all checks.
pub(crate) struct Probes {
    checks: Arc<[Check]>,
    /// One per check, for those whose looks may hang in the kernel.
    apart: Vec<Apart>,
    /// One per check, for those that run a program.
    seats: Vec<Seat>,
    place: Place,
    host: host::Host,
    parts: parts::Parts,
    crowd: Arc<crowd::Crowd>,
    culprits: culprits::Culprits,
    /// Checks whose next look is to be explained, and the level where it was read already.
    explained: BTreeMap<CheckIx, Option<Reading>>,
    http: reqwest::Client,
    tls: tls::Believed,
    /// By check: the counters of the look before.
    counters: Vec<Arc<Mutex<metric::Last>>>,
    /// By check: how far a log was read.
    logs: Vec<Option<Arc<Mutex<log::Place>>>>,
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
        let urls = checks.iter().filter_map(|check| match &check.target {
            Target::Http { url, .. } => Some(url),
            Target::Metric(metric) => Some(&metric.url),
            _ => None,
        });
        let http = http::client(urls).map_err(io::Error::other)?;
        let (crowd, ends) = crowd::Crowd::new(&checks);
        let tls = tls::Believed::of(&checks);
        let apart = checks.iter().map(|_| Apart::default()).collect();
        let logs = log::places(&checks, &place.0);
        let counters = checks.iter().map(|_| Arc::default()).collect();
        let seats = checks.iter().map(|_| Seat::default()).collect();
        let probes = Self {
            checks,
            apart,
            seats,
            place,
            host: host::Host::new()?,
            parts: parts::Parts::default(),
            crowd,
            culprits: culprits::Culprits::default(),
            explained: BTreeMap::new(),
            http,
            tls,
            counters,
            logs,
            journals: Places::new(log::journal::PLACES),
            answers,
            of_services: Lane::new(OF_SERVICES),
            of_others: Lane::new(OF_OTHERS),
            ready: VecDeque::new(),
        };
        Ok((probes, out, ends))
    }

    /// Begins one probe; its answer is ready now or comes out of the channel. `process` finds a service's process.
    pub(crate) fn begin(&mut self, probe: Probe, process: impl Fn(u16) -> Reading) {
        let check = probe.check;
        let Some(target) = self.checks.get(usize::from(check)).map(|check| &check.target) else { return };
        let reading = match target {
            Target::Process(service) => process(*service),
            Target::Cpu => self.host.cpu(),
            Target::Memory => self.host.memory(),
            Target::Load => self.host.load(),
            Target::Host(part) if parts::is_quick(part) => self.parts.read(check, part, &mut self.host),
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
            self.explained.insert(check, Some(reading));
            self.lane(check).ask(check);
            return self.fill();
        }
        self.ready.push_back(Answer { check, seen: reading.into() });
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

    /// Begins a look: its reading, if nothing has to be waited for.
    fn launch(&self, ix: CheckIx) -> Result<Reading, Look> {
        let check = &self.checks[usize::from(ix)];
        if let Some(Some(reading)) = self.explained.get(&ix) {
            return Err(Look::new(std::future::ready((*reading).into())));
        }
        let apart = &self.apart[usize::from(ix)];
        match check.target.clone() {
            Target::Tcp { address, send, expect } => {
                let begun = match tcp::begin(&address, &send, &expect) {
                    Ok(reading) => return Ok(reading),
                    Err(begun) => begun,
                };
                Err(Look::new(async move { tcp::finish(begun, &address, &send, &expect).await.into() }))
            }
            Target::Http { url, status } => {
                let client = self.http.clone();
                Err(Look::new(async move { http::read(&client, url, status).await.into() }))
            }
            Target::Space { mount } => Err(Look::apart(apart, move || space::read(&mount))),
            Target::Host(part) => Err(Look::apart(apart, move || parts::read(&part))),
            Target::Processes(wanted) => {
                Err(Look::new(Arc::clone(&self.crowd).look(ix, wanted, apart.clone())))
            }
            Target::Tls(server) => Err(Look::new(tls::read(server, self.tls.clone()))),
            Target::Expires(what) => Err(Look::apart(apart, move || expires::read(&what))),
            Target::File(watched) => Err(Look::apart(apart, move || file::read(&watched))),
            Target::Metric(metric) => {
                let last = Arc::clone(&self.counters[usize::from(ix)]);
                Err(Look::new(metric::read(self.http.clone(), metric, last)))
            }
            Target::Log(log) => match &self.logs[usize::from(ix)] {
                Some(place) => Err(self.look_at_log(apart, *log, Arc::clone(place), check.spec.timeout)),
                None => unreachable!("every log has its place"),
            },
            Target::Exec(Exec(program)) => {
                Err(Look::program(&self.seats[usize::from(ix)], program, check.spec.timeout.to_duration()))
            }
            Target::Job(job) => {
                let (state, bus) = self.place.clone();
                Err(match job.source.clone() {
                    JobSource::Unit(unit) => Look::new(job::ask(job, bus, unit)),
                    JobSource::Stamp(_) | JobSource::Run(_) => {
                        Look::apart(apart, move || job::read(&job, &state))
                    }
                })
            }
            Target::Backup(backup) => {
                let (seat, state) = (self.seats[usize::from(ix)].clone(), Arc::clone(&self.place.0));
                let name = check.name().clone();
                Err(Look::apart(apart, move || backup::read(&backup, name.as_str(), &state, &seat)))
            }
            Target::Container(container) => Err(Look::new(container::read(container))),
            Target::Process(_) | Target::Cpu | Target::Memory | Target::Load => {
                unreachable!("begin() answers these itself")
            }
        }
    }

    fn look_at_log(&self, apart: &Apart, log: Log, place: Arc<Mutex<log::Place>>, time: Span) -> Look {
        match log.source.clone() {
            LogSource::File(_) => Look::apart(apart, move || log::read(&log, &place, time)),
            LogSource::Unit(unit) => {
                let places = self.journals.clone();
                Look::new(async move { log::journal::read(&log, &unit, &place, (places, time)).await })
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

/// What an error of a socket means to whoever watches.
pub(crate) fn cause_of(error: &io::Error) -> Cause {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => Cause::Refused,
        io::ErrorKind::TimedOut => Cause::TimedOut,
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => Cause::Unreachable,
        io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::BrokenPipe
        | io::ErrorKind::UnexpectedEof => Cause::Closed,
        _ => error.raw_os_error().map_or(Cause::Closed, Cause::Local),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    /// A file with one service's check and far more checks of another host than may be out at once.
    fn file_with_130_others(service: u16, other: u16) -> String {
        let other = |n: u32| {
            format!(
                "[[check]]\nname = \"other-{n}\"\nkind = \"tcp\"\naddress = \"127.0.0.1:{other}\"\nexpect = \"never said\"\n\
                 timeout = \"30s\"\ninterval = \"60s\"\n"
            )
        };
        let others: String = (0..130).map(other).collect();
        format!(
            "[host]\nenabled = false\n[[service]]\nname = \"it\"\ncommand = [\"/bin/true\"]\n\
             [[service.check]]\nkind = \"tcp\"\naddress = \"127.0.0.1:{service}\"\n{others}"
        )
    }

    #[tokio::test]
    async fn checks_of_others_that_hang_do_not_delay_a_services_check() {
        // Nobody accepts: the kernel takes the first connections and no probe of them ever hears a word.
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let healthy = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = |listener: &TcpListener| listener.local_addr().unwrap().port();
        let text = file_with_130_others(port(&healthy), port(&silent));
        let config = crate::config::parse(Path::new("picket.toml"), &text).unwrap();
        let checks: Arc<[Check]> = config.checks().into();
        let nowhere = (Path::new("/nonexistent").into(), BusAddress::System);
        let (mut probes, mut answers, _ends) = Probes::new(Arc::clone(&checks), nowhere).unwrap();
        let (of_service, of_others): (Vec<CheckIx>, Vec<CheckIx>) =
            (0..).take(checks.len()).partition(|ix| checks[usize::from(*ix)].spec.service.is_some());
        for check in of_others.iter().chain(&of_service) {
            probes.begin(Probe { check: *check, explain: false }, |_| Reading::Good);
        }
        let tcp =
            of_service.into_iter().find(|ix| matches!(checks[usize::from(*ix)].target, Target::Tcp { .. }));
        let ready: Vec<Answer> = std::iter::from_fn(|| probes.ready()).collect();
        assert!(ready.contains(&Answer { check: tcp.unwrap(), seen: Reading::Good.into() }), "{ready:?}");
        assert!(answers.try_recv().is_err(), "the others hang");
    }
}

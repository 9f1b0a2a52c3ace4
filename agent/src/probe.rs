//! Probes: run a check's probe once and bring its reading back. No thresholds, no memory of the last reading.
//!
//! Limits: at most 64 probes of services' checks and 32 of the rest in flight, since each may hold a descriptor and,
//! for names, a resolver thread. What is beyond waits in its own queue, so checks of other hosts that hang never
//! delay the check that decides whether a service is killed. The channel back has 96 places, one for each in flight:
//! it can't be full. What needs no waiting (`/proc`, a port of this host) is answered at once, without a task or the
//! channel. The resolver's few threads are common to all; addresses and `localhost` need none.

mod apart;
pub(crate) mod host;
pub(crate) mod http;
mod lane;
pub(crate) mod mounts;
pub(crate) mod packages;
pub(crate) mod ports;
pub(crate) mod process;
pub(crate) mod space;
pub(crate) mod tcp;

use crate::config::{Check, Target};
use apart::Apart;
pub(crate) use host::own_rss_kib;
use lane::Lane;
use picket_agent_core::check::{CheckIx, Fact, Reading};
use picket_proto::event::Cause;
use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
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
}

impl From<Reading> for Seen {
    fn from(reading: Reading) -> Self {
        Self { reading, said: String::new() }
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
}

impl Look {
    /// A look at something that answers by itself.
    fn new(seen: impl Future<Output = Seen> + Send + 'static) -> Self {
        Self { seen: Box::pin(seen), late: Cause::TimedOut }
    }

    /// A look in a thread of its own.
    fn apart(apart: &Apart, look: impl FnOnce() -> Seen + Send + 'static) -> Self {
        Self { late: Cause::Stuck, ..Self::new(apart.clone().look(look)) }
    }
}

/// The probes of all checks.
pub(crate) struct Probes {
    checks: Arc<[Check]>,
    /// One per check, for those whose looks may hang in the kernel.
    apart: Vec<Apart>,
    host: host::Host,
    http: reqwest::Client,
    answers: mpsc::Sender<Answer>,
    of_services: Lane,
    of_others: Lane,
    /// Answers that needed no waiting; one per check at most.
    ready: VecDeque<Answer>,
}

impl Probes {
    /// Probes for `checks`, and where their answers come out.
    ///
    /// # Errors
    /// The HTTP client can't be made, or the system can't be read.
    pub(crate) fn new(checks: Arc<[Check]>) -> io::Result<(Self, mpsc::Receiver<Answer>)> {
        let (answers, out) = mpsc::channel(OF_SERVICES + OF_OTHERS);
        let urls = checks.iter().filter_map(|check| match &check.target {
            Target::Http { url, .. } => Some(url),
            _ => None,
        });
        let http = http::client(urls).map_err(io::Error::other)?;
        let apart = checks.iter().map(|_| Apart::default()).collect();
        let probes = Self {
            checks,
            apart,
            host: host::Host::new()?,
            http,
            answers,
            of_services: Lane::new(OF_SERVICES),
            of_others: Lane::new(OF_OTHERS),
            ready: VecDeque::new(),
        };
        Ok((probes, out))
    }

    /// Takes the checks by their places. What is out goes on with what it was asked for.
    ///
    /// # Errors
    /// The HTTP client can't be made; nothing was changed.
    pub(crate) fn anew(&mut self, checks: Arc<[Check]>) -> io::Result<()> {
        let is_tls =
            |check: &Check| matches!(&check.target, Target::Http { url, .. } if url.scheme() == "https");
        if checks.iter().any(is_tls) && !self.checks.iter().any(is_tls) {
            let urls = checks.iter().filter_map(|check| match &check.target {
                Target::Http { url, .. } => Some(url),
                _ => None,
            });
            self.http = http::client(urls).map_err(io::Error::other)?;
        }
        let apart = checks.iter().enumerate().map(|(at, check)| {
            let same = self.checks.get(at).is_some_and(|old| old.target == check.target);
            if same { self.apart[at].clone() } else { Apart::default() }
        });
        self.apart = apart.collect();
        self.checks = checks;
        Ok(())
    }

    /// Begins one probe; its answer is ready now or comes out of the channel. `process` reads a service's process within
    /// that time; where it has to wait it answers by itself.
    pub(crate) fn begin(&mut self, check: CheckIx, process: impl Fn(u16, Duration) -> Option<Reading>) {
        let Some(asked) = self.checks.get(usize::from(check)) else { return };
        let reading = match &asked.target {
            Target::Process(service) => match process(*service, asked.spec.timeout.to_duration()) {
                Some(reading) => reading,
                None => return,
            },
            Target::Cpu => self.host.cpu(),
            Target::Memory => self.host.memory(),
            Target::Load => self.host.load(),
            Target::Tcp { .. } | Target::Http { .. } | Target::Space { .. } => {
                self.lane(check).ask(check);
                return self.fill();
            }
        };
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
            Target::Process(_) | Target::Cpu | Target::Memory | Target::Load => {
                unreachable!("begin() answers these itself")
            }
        }
    }

    fn wait(&self, check: CheckIx, Look { seen, late }: Look) {
        let (answers, bound) = (self.answers.clone(), self.checks[usize::from(check)].spec.timeout);
        tokio::spawn(async move {
            let seen = timeout(bound.to_duration(), seen).await;
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
    use std::path::Path;

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
        let (mut probes, mut answers) = Probes::new(Arc::clone(&checks)).unwrap();
        let (of_service, of_others): (Vec<CheckIx>, Vec<CheckIx>) =
            (0..).take(checks.len()).partition(|ix| checks[usize::from(*ix)].spec.service.is_some());
        for check in of_others.iter().chain(&of_service) {
            probes.begin(*check, |_, _| Some(Reading::Good));
        }
        let tcp =
            of_service.into_iter().find(|ix| matches!(checks[usize::from(*ix)].target, Target::Tcp { .. }));
        let ready: Vec<Answer> = std::iter::from_fn(|| probes.ready()).collect();
        assert!(ready.contains(&Answer { check: tcp.unwrap(), seen: Reading::Good.into() }), "{ready:?}");
        assert!(answers.try_recv().is_err(), "the others hang");
    }
}

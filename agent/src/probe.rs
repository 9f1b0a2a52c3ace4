//! Probes: run a check's probe once and bring its reading back. No thresholds, no memory of the last reading.
//!
//! Limits: at most 64 probes of services' checks and 32 of the rest in flight, since each may hold a descriptor and,
//! for names, a resolver thread. What is beyond waits in its own queue, so checks of other hosts that hang never
//! delay the check that decides whether a service is killed. The channel back has 96 places, one for each in flight:
//! it can't be full. What needs no waiting (`/proc`, a port of this host) is answered at once, without a task or the
//! channel. The resolver's few threads are common to all; addresses and `localhost` need none.

pub(crate) mod host;
pub(crate) mod http;
mod lane;
pub(crate) mod process;
pub(crate) mod space;
pub(crate) mod tcp;

use crate::config::{Check, Target};
pub(crate) use host::own_rss_kib;
use lane::Lane;
use picket_agent_core::check::{CheckIx, Fact, Reading};
use picket_proto::event::Cause;
use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::timeout;

/// Probes of services' checks in flight.
const OF_SERVICES: usize = 64;
/// Probes of all other checks in flight.
const OF_OTHERS: usize = 32;

/// The probes of all checks.
pub(crate) struct Probes {
    checks: Arc<[Check]>,
    mounts: Vec<Option<space::Mount>>,
    host: host::Host,
    http: reqwest::Client,
    answers: mpsc::Sender<Fact>,
    of_services: Lane,
    of_others: Lane,
    /// Answers that needed no waiting; one per check at most.
    ready: VecDeque<Fact>,
}

impl Probes {
    /// Probes for `checks`, and where their answers come out.
    ///
    /// # Errors
    /// The HTTP client can't be made, or the system can't be read.
    pub(crate) fn new(checks: Arc<[Check]>) -> io::Result<(Self, mpsc::Receiver<Fact>)> {
        let (answers, out) = mpsc::channel(OF_SERVICES + OF_OTHERS);
        let urls = checks.iter().filter_map(|check| match &check.target {
            Target::Http { url, .. } => Some(url),
            Target::Process(_)
            | Target::Tcp { .. }
            | Target::Cpu
            | Target::Memory
            | Target::Load
            | Target::Space { .. } => None,
        });
        let http = http::client(urls).map_err(io::Error::other)?;
        let mounts = checks.iter().map(|check| match &check.target {
            Target::Space { mount } => Some(space::Mount::new(mount)),
            Target::Process(_)
            | Target::Tcp { .. }
            | Target::Http { .. }
            | Target::Cpu
            | Target::Memory
            | Target::Load => None,
        });
        let mounts = mounts.collect();
        let probes = Self {
            checks,
            mounts,
            host: host::Host::new()?,
            http,
            answers,
            of_services: Lane::new(OF_SERVICES),
            of_others: Lane::new(OF_OTHERS),
            ready: VecDeque::new(),
        };
        Ok((probes, out))
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
        self.ready.push_back(Fact { check, reading });
    }

    /// The next answer that needed no waiting.
    pub(crate) fn ready(&mut self) -> Option<Fact> {
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
            if let Some(reading) = self.launch(check) {
                self.lane(check).leave();
                self.ready.push_back(Fact { check, reading });
            }
        }
    }

    fn launch(&self, ix: CheckIx) -> Option<Reading> {
        let way = match &self.checks[usize::from(ix)].target {
            Target::Tcp { address, send, expect } => match tcp::begin(address, send, expect) {
                Ok(reading) => return Some(reading),
                Err(begun) => Way::Tcp(begun),
            },
            Target::Http { .. } => Way::Http(self.http.clone()),
            Target::Space { .. } => Way::Space(self.mounts[usize::from(ix)].clone()),
            Target::Process(_) | Target::Cpu | Target::Memory | Target::Load => {
                unreachable!("begin() answers these itself")
            }
        };
        let (checks, answers) = (Arc::clone(&self.checks), self.answers.clone());
        tokio::spawn(async move {
            let reading = wait(&checks[usize::from(ix)], way).await;
            let _loop_is_ending_when_nobody_listens = answers.send(Fact { check: ix, reading }).await;
        });
        None
    }
}

/// What a probe that has to wait goes on with.
enum Way {
    Tcp(tcp::Begun),
    Http(reqwest::Client),
    Space(Option<space::Mount>),
}

async fn wait(check: &Check, way: Way) -> Reading {
    let late = if matches!(way, Way::Space(_)) { Cause::Stuck } else { Cause::TimedOut };
    let reading = async {
        match (&check.target, way) {
            (Target::Tcp { address, send, expect }, Way::Tcp(begun)) => {
                tcp::finish(begun, address, send, expect).await
            }
            (Target::Http { url, status }, Way::Http(http)) => http::read(&http, url.clone(), *status).await,
            (Target::Space { .. }, Way::Space(Some(mount))) => mount.read().await,
            (
                Target::Tcp { .. }
                | Target::Http { .. }
                | Target::Space { .. }
                | Target::Process(_)
                | Target::Cpu
                | Target::Memory
                | Target::Load,
                Way::Tcp(_) | Way::Http(_) | Way::Space(_),
            ) => unreachable!("launch() gives each target its own way"),
        }
    };
    timeout(check.spec.timeout.to_duration(), reading).await.unwrap_or(Reading::Bad(late))
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
        let ready: Vec<Fact> = std::iter::from_fn(|| probes.ready()).collect();
        assert!(ready.contains(&Fact { check: tcp.unwrap(), reading: Reading::Good }), "{ready:?}");
        assert!(answers.try_recv().is_err(), "the others hang");
    }
}

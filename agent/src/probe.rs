//! Probes: run a check's probe once and bring its reading back. No thresholds, no memory of the last reading.
//!
//! Limits: at most 64 probes in flight, since each may hold a descriptor and, for names, a resolver thread; what is
//! beyond waits in a queue that can't be longer than the list of checks, because the core never asks twice for one.
//! The channel back has 64 places, one for each in flight: it can't be full. What only reads `/proc` is answered at
//! once, without a task.

pub(crate) mod host;
pub(crate) mod http;
pub(crate) mod process;
pub(crate) mod space;
pub(crate) mod tcp;

use crate::config::{Check, Target};
use picket_agent_core::check::{CheckIx, Fact, Reading};
use picket_proto::event::Cause;
use rustix::process::Pid;
use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::timeout;

const IN_FLIGHT_MAX: usize = 64;

/// The probes of all checks.
pub(crate) struct Probes {
    checks: Arc<[Check]>,
    mounts: Vec<Option<space::Mount>>,
    host: host::Host,
    http: reqwest::Client,
    answers: mpsc::Sender<Fact>,
    in_flight: usize,
    waiting: VecDeque<CheckIx>,
}

impl Probes {
    /// Probes for `checks`, and where their answers come out.
    ///
    /// # Errors
    /// The HTTP client can't be made, or the system can't be read.
    pub(crate) fn new(checks: Arc<[Check]>) -> io::Result<(Self, mpsc::Receiver<Fact>)> {
        let (answers, out) = mpsc::channel(IN_FLIGHT_MAX);
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
            in_flight: 0,
            waiting: VecDeque::new(),
        };
        Ok((probes, out))
    }

    /// Begins one probe; the answer is here at once or comes out of the channel. `process` finds a service's process.
    pub(crate) fn begin(
        &mut self,
        check: CheckIx,
        process: impl Fn(u16) -> Option<(Pid, Option<u64>)>,
    ) -> Option<Fact> {
        let reading = match &self.checks.get(usize::from(check))?.target {
            Target::Process(service) => process::read(process(*service)),
            Target::Cpu => self.host.cpu(),
            Target::Memory => self.host.memory(),
            Target::Load => self.host.load(),
            Target::Tcp { .. } | Target::Http { .. } | Target::Space { .. } => {
                self.waiting.push_back(check);
                self.fill();
                return None;
            }
        };
        Some(Fact { check, reading })
    }

    /// One answer came out of the channel.
    pub(crate) fn ended(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
        self.fill();
    }

    fn fill(&mut self) {
        while self.in_flight < IN_FLIGHT_MAX {
            let Some(check) = self.waiting.pop_front() else { return };
            self.in_flight += 1;
            self.launch(check);
        }
    }

    fn launch(&self, ix: CheckIx) {
        let (checks, http) = (Arc::clone(&self.checks), self.http.clone());
        let mount = self.mounts[usize::from(ix)].clone();
        let answers = self.answers.clone();
        tokio::spawn(async move {
            let check = &checks[usize::from(ix)];
            let limit = check.spec.timeout.to_duration();
            let reading = probe(&check.target, http, mount, limit).await;
            let _loop_is_ending_when_nobody_listens = answers.send(Fact { check: ix, reading }).await;
        });
    }
}

async fn probe(
    target: &Target,
    http: reqwest::Client,
    mount: Option<space::Mount>,
    limit: Duration,
) -> Reading {
    let late = match target {
        Target::Space { .. } => Cause::Stuck,
        Target::Process(_)
        | Target::Tcp { .. }
        | Target::Http { .. }
        | Target::Cpu
        | Target::Memory
        | Target::Load => Cause::TimedOut,
    };
    let reading = async {
        match (target, mount) {
            (Target::Tcp { address, send, expect }, _) => tcp::read(address, send, expect).await,
            (Target::Http { url, status }, _) => http::read(&http, url.clone(), *status).await,
            (Target::Space { .. }, Some(mount)) => mount.read().await,
            (Target::Space { .. } | Target::Process(_) | Target::Cpu | Target::Memory | Target::Load, _) => {
                unreachable!("only begin() launches, and only what waits for others")
            }
        }
    };
    timeout(limit, reading).await.unwrap_or(Reading::Bad(late))
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

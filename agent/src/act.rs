//! Driver `spawn`: starts, stops and watches the processes of services.
//!
//! - A child gets its own process group, and its output goes to a file, so that it outlives the agent. Its identity
//!   (pid, start time, session, boot) stands in a small file; the next run adopts it ([`adopt`]).
//! - `std::process::Command` stays on its posix_spawn path: only group, environment, folder and files are set, and the
//!   program is a path. pidfd_open follows at once; the child can't be reaped by anyone else, so the pid is still its.
//! - On an exit the leader is reaped, then the group is killed: a killed nginx master leaves workers on the port. In
//!   the common case there are none, and that costs one system call (ESRCH). Otherwise [`remnants`] waits for them,
//!   at most 2 s, and a start that is asked for meanwhile waits too. A child that has left the group (setsid) is not
//!   seen by a restart, since finding it costs a walk over /proc: it lives on beside the new life. It is found by the
//!   log that it writes to when services are stopped for good, and at the agent's next start if its service is down.
//! - The hot path (exit to exec) is: epoll, waitid, fstat of the log, kill, dup x2, setrlimit x2, posix_spawn,
//!   pidfd_open. Nothing is written before the spawn, but for a log that is turned over; the identity file and evidence
//!   come in [`Services::afterwards`]. Threads do the writing, so that a disk that hangs stops none of it: it is waited for
//!   for 50 ms, once ([`papers`], [`evidence`]).
//!
//! Limits: a log is at most 1 MiB when its service starts, else it becomes `NAME.log.1` (one generation): a start is
//! the only moment when nobody holds the file open. None of its troubles stops a start ([`evidence`]). A service that
//! prints much and never ends still fills its disk; the space check tells that. 2 descriptors per service, and
//! without pidfds (before Linux 5.4) a thread ([`crate::follow`]).

mod adopt;
mod anew;
mod evidence;
mod files;
mod item;
mod limit;
mod orders;
mod orphans;
mod packages;
mod papers;
mod printed;
mod program;
mod remnants;
mod script;
mod watch;
mod words;

use crate::config::{SERVICES_MAX, Service};
use crate::scribe::Scribe;
use crate::sd::Newcomer;
pub(crate) use files::lacks;
use item::{Life, Process};
pub(crate) use orphans::living;
pub(crate) use packages::lacks as packages_lack;
use papers::Identities;
use picket_agent_core::service::{Act, ServiceIx};
use picket_proto::event::Exit;
use picket_proto::{Mono, Span};
use rustix::process::{Pid, Signal};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use watch::{Parent, exit_of, watch};
pub(crate) use words::{Notice, Outcome};

/// All services of this agent.
pub(crate) struct Services {
    items: Vec<Item>,
    notices: mpsc::Sender<Notice>,
    papers: Scribe<Identities>,
    session: i32,
    boot: u128,
    descriptors: limit::Descriptors,
    /// The place of the one thread that reads a log because somebody asked.
    reader: Arc<()>,
}

struct Item {
    name: String,
    /// systemd starts it: nothing of what follows is used.
    is_unit: bool,
    /// What starts and stops it, where that is not the agent.
    script: Option<script::Script>,
    /// Who keeps its files, where it names some.
    kept: Option<Arc<files::Keeper>>,
    /// Who keeps its packages, where it names some.
    packages: Option<Arc<packages::Keeper>>,
    /// The process that the core was told of, where a script started it, and how many such have ended.
    told: u32,
    ended: u32,
    /// What its start printed last, where that failed.
    last_line: String,
    command: Command,
    identity: PathBuf,
    log: evidence::Log,
    life: Life,
    /// What is to be done when the loop has nothing more urgent.
    owed: Owed,
}

#[derive(Default)]
struct Owed {
    identity: bool,
    /// A scope for its process.
    scope: bool,
    /// Whose last line.
    evidence: Option<u32>,
}

impl Services {
    /// Prepares folders, logs and commands below `state`; starts nothing. A channel for four notices per service that can be
    /// can't be full: each has at most one process, one clearing, and one order each about its files and packages.
    ///
    /// # Errors
    /// `/dev/null` can't be opened, `/proc` tells no session, or there can be no more threads: what can't be made below
    /// `state` is only told.
    pub(crate) fn new(
        services: &[Service],
        state: &Path,
        boot: u128,
    ) -> io::Result<(Self, mpsc::Receiver<Notice>)> {
        // A place for every service that a configuration can have: more may come later.
        let (notices, out) = mpsc::channel(SERVICES_MAX * 4 + 1);
        let descriptors = limit::Descriptors::raise();
        let files = descriptors.inherited();
        let items = services
            .iter()
            .map(|service| Item::new(service, state, files))
            .collect::<io::Result<Vec<_>>>()?;
        orphans::tell(&state.join("services"), services, boot);
        let session = adopt::own_session()?;
        let papers = papers::begin()?;
        let reader = Arc::default();
        Ok((Self { items, notices, papers, session, boot, descriptors, reader }, out))
    }

    /// The process of a service and its start time, where known.
    pub(crate) fn process(&self, service: ServiceIx) -> Option<(Pid, Option<u64>)> {
        match &self.items.get(usize::from(service))?.life {
            Life::Lives(process) => Some((process.pid, process.started)),
            Life::None | Life::Clearing { .. } | Life::Unseen => None,
        }
    }

    /// Does it; what is known at once comes back, the rest by a notice.
    pub(crate) fn obey(&mut self, act: Act) -> Option<Outcome> {
        match act {
            Act::Start { service } => self.start(service),
            Act::Stop { service } => {
                if let Some(script) = self.item(service).script.clone() {
                    self.stop_script(service, script);
                    return None;
                }
                self.item(service).signal(Signal::TERM);
                None
            }
            Act::Kill { service } => {
                self.item(service).signal(Signal::KILL);
                None
            }
            Act::Reload { service } => {
                match self.item(service).script.clone() {
                    Some(script) => self.reload_script(script),
                    None => self.item(service).reload(),
                }
                None
            }
            Act::Files { service, kind, order } => self.files(service, kind, order),
            // The loop hands these to systemd, and begins a reboot.
            Act::Read { service, token, lives, .. } => self.read(service, token, lives),
            Act::Unit { .. } | Act::Collect { .. } | Act::Reboot { .. } => None,
        }
    }

    fn item(&mut self, service: ServiceIx) -> &mut Item {
        &mut self.items[usize::from(service)]
    }

    fn start(&mut self, service: ServiceIx) -> Option<Outcome> {
        let notices = self.notices.clone();
        if let Some(script) = self.item(service).script.clone() {
            self.start_script(service, script);
            return None;
        }
        let item = &mut self.items[usize::from(service)];
        match &mut item.life {
            Life::Clearing { start_waits } => {
                *start_waits = true;
                return None;
            }
            // The core starts only what it was told is gone; a second process of a service must never be.
            Life::Unseen => return None,
            Life::Lives(process) => {
                tracing::error!(service = item.name, pid = %process.pid, "asked to start a service that lives; not done");
                return None;
            }
            Life::None => {}
        }
        match item.spawn(&self.descriptors) {
            Ok(process) => {
                let pid = process.pid.as_raw_nonzero().get().unsigned_abs();
                watch(service, Arc::clone(&process.pidfd), Parent::Agent, notices);
                item.life = Life::Lives(process);
                (item.owed.identity, item.owed.scope) = (true, true);
                Some(Outcome::Started { service, pid, adopted: false })
            }
            Err(error) => {
                item.log.life_ended();
                item.owed.evidence = Some(0);
                let exit = Exit::NotStarted(error.raw_os_error().unwrap_or(libc::EINVAL));
                Some(Outcome::Exited { service, pid: 0, exit })
            }
        }
    }

    /// Takes a watcher's notice.
    pub(crate) fn noticed(&mut self, notice: Notice) -> Option<Outcome> {
        match notice {
            Notice::Gone { service } => self.gone(service),
            Notice::NotRebooted { service, why } => Some(Outcome::NotRebooted { service, why }),
            Notice::Printed { service, token, text } => Some(Outcome::Printed { service, token, text }),
            Notice::Files { service, kind, answer } => Some(Outcome::Files { service, kind, answer }),
            Notice::Said { service, said } => self.said(service, said),
            Notice::Cleared { service, in_time } => {
                let item = self.item(service);
                if !in_time {
                    tracing::warn!(
                        service = item.name,
                        "what was left of the service did not end within 2 s of SIGKILL"
                    );
                }
                match std::mem::replace(&mut item.life, Life::None) {
                    Life::Clearing { start_waits: true } => self.start(service),
                    Life::Clearing { start_waits: false } | Life::None => None,
                    lives @ (Life::Lives(_) | Life::Unseen) => {
                        item.life = lives;
                        None
                    }
                }
            }
        }
    }

    fn gone(&mut self, service: ServiceIx) -> Option<Outcome> {
        let notices = self.notices.clone();
        let item = self.item(service);
        let Life::Lives(process) = std::mem::replace(&mut item.life, Life::None) else { return None };
        let exit = exit_of(process.pidfd.get_ref());
        if item.script.is_some() {
            item.ended = item.ended.wrapping_add(1);
            item.owed = Owed { evidence: Some(item.told), ..Owed::default() };
            return Some(Outcome::Exited { service, pid: item.told, exit });
        }
        item.log.life_ended();
        let pid = process.pid.as_raw_nonzero().get().unsigned_abs();
        item.owed = Owed { identity: true, evidence: Some(pid), ..Owed::default() };
        // The leader is reaped by now; its number can't be another group's within these microseconds.
        if rustix::process::kill_process_group(process.pid, Signal::KILL).is_ok() {
            item.life = Life::Clearing { start_waits: false };
            let name = item.name.clone();
            tokio::spawn(async move {
                let in_time = remnants::clear(process.pid, &name).await;
                let _loop_is_ending_when_nobody_listens =
                    notices.send(Notice::Cleared { service, in_time }).await;
            });
        }
        Some(Outcome::Exited { service, pid, exit })
    }

    /// Work that nothing urgent waits for: identity files and evidence. Call until it gives nothing more.
    pub(crate) fn afterwards(&mut self) -> Option<Outcome> {
        let (session, boot) = (self.session, self.boot);
        let owing = self.items.iter_mut().filter(|item| item.owed.identity);
        let identities: Identities =
            owing.map(|item| (item.identity.clone(), item.identity(session, boot))).collect();
        if !identities.is_empty() {
            self.papers.write(identities);
        }
        let (item, service) =
            self.items.iter_mut().zip(0..).find(|(item, _)| item.owed.evidence.is_some())?;
        let pid = item.owed.evidence.take()?;
        let last_line = match item.script {
            Some(_) => std::mem::take(&mut item.last_line),
            None => item.log.last_line(),
        };
        Some(Outcome::Evidence { service, pid, last_line })
    }

    /// Services whose process has yet to get its scope, each once per life.
    pub(crate) fn newcomers(&mut self) -> impl Iterator<Item = (ServiceIx, Newcomer)> {
        (0..).zip(&mut self.items).filter_map(|(service, item)| Some((service, item.newcomer()?)))
    }

    /// At the end of every turn: hands on what waits for the disk. For how long that has not answered.
    pub(crate) fn settle(&mut self, now: Mono) -> Span {
        self.papers.turn(now)
    }

    /// The agent ends: waits for what is not written yet.
    pub(crate) fn finish(self, limit: Duration) {
        self.papers.finish(limit);
    }
}

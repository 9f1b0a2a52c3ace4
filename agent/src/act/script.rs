//! Driver `command`: services that other programs start and stop (OpenRC, runit, SysV, BusyBox).
//!
//! One program of a service runs at a time ([`program`](super::program)); what comes meanwhile waits for it. A start may
//! take `start_timeout`, a stop `stop_timeout`, a status the process check's timeout. Where a `pidfile` is named its
//! process is watched by pidfd, so its death is seen at once; a file that is late is read again with each status. What is
//! left of that process after its stop program is killed. Without a pidfile a death is seen by `status` alone, and a
//! process id of 0 stands for the process that nobody knows.

use super::program::{Ended, Program};
use super::{Item, Life, Notice, Outcome, Owed, Process, Services, item};
use crate::config::{Commands, Service};
use crate::probe::Answer;
use crate::probe::process::stat;
use picket_agent_core::check::{CheckIx, Reading};
use picket_agent_core::service::ServiceIx;
use picket_proto::event::{Cause, Exit};
use rustix::process::{Pid, Rlimit, Signal};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, mpsc};

/// How long what was killed after a stop program is waited for.
const GONE: Duration = Duration::from_secs(2);
/// A pidfile holds one number.
const PIDFILE_MAX: usize = 64;

/// The programs of one service, and which of them runs.
#[derive(Debug, Clone)]
pub(super) struct Script {
    commands: Arc<Commands>,
    output: PathBuf,
    start: Duration,
    stop: Duration,
    files: Rlimit,
    alone: Arc<Mutex<()>>,
}

/// What came of a program.
#[derive(Debug)]
pub(crate) enum Said {
    /// At the agent's start: whether it runs.
    Looked { runs: bool, pid: Option<Pid> },
    /// A start has ended.
    Started { ended: Ended, pid: Option<Pid> },
    /// A stop has ended, well or not, and what was left is killed.
    Stopped,
    /// A status has ended; where it runs, with the process that its file names. It began after so many ends.
    Status { check: CheckIx, reading: Reading, pid: Option<Pid>, ended: u32 },
}

impl Script {
    pub(super) fn new(service: &Service, folder: &Path, files: Rlimit) -> Option<Self> {
        let commands = Arc::new(service.commands.clone()?);
        Some(Self {
            commands,
            output: folder.join(format!("{}.out", service.spec.name)),
            start: service.spec.start_timeout.to_duration(),
            stop: service.spec.stop_timeout.to_duration(),
            files,
            alone: Arc::default(),
        })
    }

    /// Where what its programs print is found.
    pub(super) fn output(&self) -> PathBuf {
        self.output.clone()
    }

    fn program(&self, parts: &[String], output: Option<PathBuf>, limit: Duration) -> Program {
        Program { parts: parts.to_vec(), output, limit, files: self.files }
    }

    async fn started(self) -> Said {
        let _alone = self.alone.lock().await;
        let ended = self.program(&self.commands.start, Some(self.output.clone()), self.start).run().await;
        Said::Started { ended, pid: self.pid() }
    }

    async fn stopped(self, process: Option<Arc<tokio::io::unix::AsyncFd<crate::follow::Followed>>>) -> Said {
        let _alone = self.alone.lock().await;
        self.program(&self.commands.stop, Some(self.output.clone()), self.stop).run().await;
        if let Some(process) = process {
            let _it_ended_as_asked = process.get_ref().signal(Signal::KILL);
            let _it_hangs_in_the_kernel = tokio::time::timeout(GONE, process.readable()).await;
        }
        Said::Stopped
    }

    /// The reading of its status; one that can't be had in time tells nothing of the service.
    async fn reading(&self, limit: Duration) -> Reading {
        let Ok(_alone) = tokio::time::timeout(limit, self.alone.lock()).await else {
            return Reading::Bad(Cause::Local(libc::EBUSY));
        };
        match self.program(&self.commands.status, None, limit).run().await.exit {
            Exit::Code(0) => Reading::Good,
            Exit::NotStarted(libc::ETIMEDOUT) => Reading::Bad(Cause::TimedOut),
            Exit::NotStarted(errno) => Reading::Bad(Cause::Local(errno)),
            Exit::Code(_) | Exit::Signal(_) | Exit::Unknown | Exit::Ruled(_) => {
                Reading::Bad(Cause::NoProcess)
            }
        }
    }

    /// The living process that the pidfile names.
    fn pid(&self) -> Option<Pid> {
        let bytes = std::fs::read(self.commands.pidfile.as_ref()?).ok()?;
        let text = std::str::from_utf8(bytes.get(..bytes.len().min(PIDFILE_MAX))?).ok()?;
        let pid = Pid::from_raw(text.split_ascii_whitespace().next()?.parse().ok()?)?;
        stat(pid).filter(|stat| !stat.is_dead()).map(|_| pid)
    }
}

impl Services {
    /// Has a service of this driver looked at for its process check; false if it is none. The answer is a notice.
    pub(crate) fn ask(&self, service: ServiceIx, check: CheckIx, limit: Duration) -> bool {
        let Some(item) = self.items.get(usize::from(service)) else { return false };
        let (Some(script), ended) = (item.script.clone(), item.ended) else { return false };
        self.say(service, async move {
            let reading = script.reading(limit).await;
            let pid = if reading == Reading::Good { script.pid() } else { None };
            Said::Status { check, reading, pid, ended }
        });
        true
    }

    /// At the agent's start: whether it runs comes as a notice.
    pub(super) fn look_at_scripts(&self) {
        (0..).zip(&self.items).for_each(|(service, _)| self.look_at_script(service));
    }

    /// Whether it runs comes as a notice; nothing, if no script starts it.
    pub(super) fn look_at_script(&self, service: ServiceIx) {
        let Some(script) = self.items[usize::from(service)].script.clone() else { return };
        self.say(service, async move {
            let runs = script.reading(script.start).await == Reading::Good;
            Said::Looked { runs, pid: script.pid() }
        });
    }

    pub(super) fn start_script(&self, service: ServiceIx, script: Script) {
        self.say(service, script.started());
    }

    pub(super) fn stop_script(&self, service: ServiceIx, script: Script) {
        let process = match &self.items[usize::from(service)].life {
            Life::Lives(process) => Some(Arc::clone(&process.pidfd)),
            Life::None | Life::Clearing { .. } | Life::Unseen => None,
        };
        self.say(service, script.stopped(process));
    }

    /// What comes of a reload shows by the checks.
    pub(super) fn reload_script(&self, script: Script) {
        tokio::spawn(async move {
            let _alone = script.alone.lock().await;
            let Some(reload) = &script.commands.reload else { return };
            let ended = script.program(reload, Some(script.output.clone()), script.stop).run().await;
            if ended.exit != Exit::Code(0) {
                tracing::warn!(program = ?reload, last_line = ended.last_line, "the reload failed");
            }
        });
    }

    fn say(&self, service: ServiceIx, said: impl Future<Output = Said> + Send + 'static) {
        let notices: mpsc::Sender<Notice> = self.notices.clone();
        tokio::spawn(async move {
            let said = said.await;
            let _loop_is_ending_when_nobody_listens = notices.send(Notice::Said { service, said }).await;
        });
    }

    /// What came of a program, for the core.
    pub(super) fn said(&mut self, service: ServiceIx, said: Said) -> Option<Outcome> {
        let notices = self.notices.clone();
        let item = self.item(service);
        match said {
            Said::Looked { runs: false, .. } => Some(Outcome::Absent { service }),
            Said::Looked { runs: true, pid } => Some(item.begins(service, pid, true, notices)),
            Said::Started { ended: Ended { exit: Exit::Code(0), .. }, pid } => {
                Some(item.begins(service, pid, false, notices))
            }
            Said::Started { ended, .. } => {
                item.owed = Owed { evidence: Some(0), ..Owed::default() };
                item.last_line = ended.last_line;
                Some(Outcome::Exited { service, pid: 0, exit: ended.exit })
            }
            Said::Stopped => {
                item.ended = item.ended.wrapping_add(1);
                let (pid, exit) = match std::mem::replace(&mut item.life, Life::None) {
                    Life::Lives(process) => (item.told, super::watch::exit_of(process.pidfd.get_ref())),
                    Life::Unseen => (item.told, Exit::Unknown),
                    Life::None | Life::Clearing { .. } => return None,
                };
                item.owed = Owed { evidence: Some(pid), ..Owed::default() };
                Some(Outcome::Exited { service, pid, exit })
            }
            Said::Status { reading: Reading::Good, pid, ended, .. } if ended == item.ended => {
                item.runs(service, pid, notices)
            }
            Said::Status { .. } => None,
        }
    }

    /// What a notice says of a service's status. A death that came while its program ran is the later word.
    pub(crate) fn reading(&self, notice: &Notice) -> Option<Answer> {
        let Notice::Said { service, said: Said::Status { check, reading, ended, .. } } = notice else {
            return None;
        };
        let is_older = self.items.get(usize::from(*service)).is_some_and(|item| item.ended != *ended);
        let reading =
            if is_older && *reading == Reading::Good { Reading::Bad(Cause::NoProcess) } else { *reading };
        Some(Answer { check: *check, seen: reading.into() })
    }
}

impl Item {
    /// It runs.
    fn begins(
        &mut self,
        service: ServiceIx,
        pid: Option<Pid>,
        adopted: bool,
        notices: mpsc::Sender<Notice>,
    ) -> Outcome {
        self.life = Life::Unseen;
        self.told = pid.map_or(0, |pid| pid.as_raw_nonzero().get().unsigned_abs());
        if let Some(pid) = pid {
            self.follow(service, pid, notices);
        }
        Outcome::Started { service, pid: self.told, adopted }
    }

    /// Its status says so. Where no life of it is known somebody else has started it; one that had no name may have one now.
    fn runs(
        &mut self,
        service: ServiceIx,
        pid: Option<Pid>,
        notices: mpsc::Sender<Notice>,
    ) -> Option<Outcome> {
        match (&self.life, pid) {
            (Life::None, pid) => Some(self.begins(service, pid, true, notices)),
            (Life::Unseen, Some(pid)) if self.told == 0 => {
                Some(self.begins(service, Some(pid), true, notices))
            }
            (Life::Unseen, Some(pid)) => {
                self.follow(service, pid, notices);
                None
            }
            (Life::Unseen, None) | (Life::Lives(_) | Life::Clearing { .. }, _) => None,
        }
    }

    /// Watches the process that its pidfile names; without a pidfd it is seen by its status.
    fn follow(&mut self, service: ServiceIx, pid: Pid, notices: mpsc::Sender<Notice>) {
        let Ok((pid, pidfd)) = item::follow(pid.as_raw_nonzero().get().unsigned_abs()) else { return };
        let process = Process { pid, pidfd: Arc::new(pidfd), started: None };
        super::watch::watch(service, Arc::clone(&process.pidfd), super::watch::Parent::Other, notices);
        self.life = Life::Lives(process);
        self.owed.scope = true;
    }
}

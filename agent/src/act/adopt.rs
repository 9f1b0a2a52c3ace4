//! At the agent's start: finds the processes of the run before, adopts what lives and clears what is left of what
//! does not.
//!
//! A process is the saved one if boot, pid and start time are equal, looked at after its pidfd was opened. An agent
//! that was killed between a spawn and the write of the identity file leaves a process that no file names: it is
//! found by its output, which goes to the service's log, and cleared, since a second server beside it is worse than a
//! restart. Costs one walk over /proc per service without a living process, at the start only.

use super::watch::{Parent, watch};
use super::{Item, Life, Notice, Outcome, Owed, Process, Services, remnants};
use crate::follow::Followed;
use crate::probe::process::stat;
use picket_agent_core::service::ServiceIx;
use rustix::process::Pid;
use std::io;
use std::path::Path;
use std::sync::Arc;

/// What the file says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Saved {
    pub(super) pid: Pid,
    pub(super) started: u64,
    pub(super) session: i32,
    pub(super) boot: u128,
}

impl Saved {
    /// Whether this very process lives, if the boot is the same.
    pub(super) fn lives(&self) -> bool {
        stat(self.pid).is_some_and(|stat| !stat.is_dead() && stat.started == self.started)
    }
}

/// Writes the file whole or not at all. No fsync: after a power cut the boot is another and the file means nothing.
pub(super) fn save(path: &Path, saved: &Saved) -> io::Result<()> {
    let new = path.with_extension("process.new");
    let Saved { pid, started, session, boot } = saved;
    std::fs::write(&new, format!("1 {pid} {started} {session} {boot:032x}\n"))?;
    std::fs::rename(new, path)
}

/// Reads the file; `None` if there is none, or not a whole one.
pub(super) fn load(path: &Path) -> Option<Saved> {
    let text = std::fs::read_to_string(path).ok()?;
    let mut words = text.split_ascii_whitespace();
    if words.next() != Some("1") {
        return None;
    }
    Some(Saved {
        pid: Pid::from_raw(words.next()?.parse().ok()?)?,
        started: words.next()?.parse().ok()?,
        session: words.next()?.parse().ok()?,
        boot: u128::from_str_radix(words.next()?, 16).ok()?,
    })
}

impl Services {
    /// Finds out, for every service, whether it lives. To be called once, before anything is started.
    pub(crate) fn look(&mut self) -> Vec<Outcome> {
        self.look_at_scripts();
        let boot = self.boot;
        let notices = self.notices.clone();
        let items = self.items.iter_mut().zip(0..).filter(|(item, _)| item.is_own());
        items.map(|(item, service)| item.look(service, boot, &notices)).collect()
    }
}

impl Item {
    /// Finds out whether it lives; before it is started.
    pub(super) fn look(
        &mut self,
        service: ServiceIx,
        boot: u128,
        notices: &tokio::sync::mpsc::Sender<Notice>,
    ) -> Outcome {
        let saved = load(&self.identity).filter(|saved| saved.boot == boot);
        if let Some(process) = saved.and_then(|saved| adopt(&saved)) {
            let pid = process.pid.as_raw_nonzero().get().unsigned_abs();
            watch(service, Arc::clone(&process.pidfd), Parent::Other, notices.clone());
            self.life = Life::Lives(process);
            self.owed.scope = true;
            return Outcome::Started { service, pid, adopted: true };
        }
        self.clear_strays(service, saved, notices);
        self.left_by(saved).map_or(Outcome::Absent { service }, |pid| Outcome::Lost { service, pid })
    }

    /// The process that the file names, now that it is known to be gone. The file goes too, once the death is told:
    /// a death is told once. What it printed last is not looked for, since nobody knows where its output begins.
    fn left_by(&mut self, saved: Option<Saved>) -> Option<u32> {
        let pid = saved?.pid.as_raw_nonzero().get().unsigned_abs();
        self.owed = Owed { identity: true, evidence: Some(pid), ..Owed::default() };
        Some(pid)
    }

    fn clear_strays(
        &mut self,
        service: ServiceIx,
        saved: Option<Saved>,
        notices: &tokio::sync::mpsc::Sender<Notice>,
    ) {
        let log = self.log.path();
        let strays = remnants::find(|pid, stat| {
            let of_the_group = saved.is_some_and(|saved| {
                stat.group == saved.pid.as_raw_nonzero().get()
                    && stat.session == saved.session
                    && stat.started >= saved.started
            });
            of_the_group || remnants::writes_to(pid, &log)
        });
        if strays.is_empty() {
            return;
        }
        tracing::info!(
            service = self.name,
            processes = strays.len(),
            "what an earlier run left behind is killed"
        );
        self.life = Life::Clearing { start_waits: false };
        let notices = notices.clone();
        tokio::spawn(async move {
            let in_time = remnants::clear_these(strays).await;
            let _loop_is_ending_when_nobody_listens =
                notices.send(Notice::Cleared { service, in_time }).await;
        });
    }
}

/// The session that the children will be of. Read from `/proc`, since it is 0 in a container whose session began
/// outside of it, which getsid's wrapper takes for impossible.
pub(super) fn own_session() -> io::Result<i32> {
    let own = stat(rustix::process::getpid());
    own.map(|stat| stat.session)
        .ok_or_else(|| io::Error::other("/proc/PID/stat of the agent itself can't be read"))
}

/// Follows it and then looks whether it is the saved process and lives.
fn adopt(saved: &Saved) -> Option<Process> {
    let pidfd = Followed::open(saved.pid).ok()?;
    let pidfd = saved.lives().then(|| crate::sys::readable(pidfd))?.ok()?;
    Some(Process { pid: saved.pid, pidfd: Arc::new(pidfd), started: Some(saved.started) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_saved_is_loaded_and_what_is_torn_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("nginx.process");
        let saved =
            Saved { pid: Pid::from_raw(4711).unwrap(), started: 98765, session: 7, boot: u128::MAX - 1 };
        save(&path, &saved).unwrap();
        assert_eq!(load(&path), Some(saved));
        let whole = std::fs::read(&path).unwrap();
        for cut in 0..whole.len() - 34 {
            std::fs::write(&path, &whole[..cut]).unwrap();
            assert_eq!(load(&path), None, "cut at {cut}");
        }
        crate::whole::remove(&path).unwrap();
        crate::whole::remove(&path).unwrap();
        assert_eq!(load(&path), None);
    }

    #[tokio::test]
    async fn a_process_is_adopted_only_with_its_start_time() {
        let pid = Pid::from_raw(i32::try_from(std::process::id()).unwrap()).unwrap();
        let started = stat(pid).unwrap().started;
        let saved = Saved { pid, started, session: 0, boot: 0 };
        assert!(adopt(&saved).is_some());
        assert!(adopt(&Saved { started: started + 1, ..saved }).is_none());
    }
}

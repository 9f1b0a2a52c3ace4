//! One service's process: its command, its start, its signals, its identity file.

use super::script::Script;
use super::{Item, Owed, adopt, evidence, files as kept, limit};
use crate::config::Service;
use crate::follow::Followed;
use crate::sd::Newcomer;
use rustix::process::{Pid, Rlimit, Signal};
use std::fs::File;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use tokio::io::unix::AsyncFd;

/// What is known of a service's process.
pub(super) enum Life {
    None,
    /// The group of the last life is being killed; whether a start waits for that.
    Clearing {
        start_waits: bool,
    },
    Lives(Process),
    /// A script started it, and no file names its process.
    Unseen,
}

pub(super) struct Process {
    pub(super) pid: Pid,
    pub(super) pidfd: Arc<AsyncFd<Followed>>,
    pub(super) started: Option<u64>,
}

impl Item {
    pub(super) fn new(service: &Service, state: &Path, files: Rlimit) -> io::Result<Self> {
        let name = service.spec.name.to_string();
        let folder = state.join("services");
        let own = folder.join(&name);
        let script = Script::new(service, &folder, files);
        let kept = kept::Keeper::new(service, state, files);
        let packages = super::packages::Keeper::new(service, state, files);
        let is_unit = service.unit.is_some();
        let has_none = is_unit || script.is_some();
        let made = if is_unit { Ok(()) } else { crate::identity::make_private_folder(&own) };
        if let Err(error) = made {
            tracing::warn!(folder = %own.display(), %error, "the service's folder can't be made");
        }
        let command = command(service, state);
        let log = folder.join(format!("{name}.log"));
        let log = if has_none { evidence::Log::unused(log)? } else { evidence::Log::new(log)? };
        let identity = folder.join(format!("{name}.process"));
        Ok(Self {
            name,
            is_unit,
            script,
            kept,
            packages,
            told: 0,
            ended: 0,
            last_line: String::new(),
            command,
            identity,
            log,
            life: Life::None,
            owed: Owed::default(),
        })
    }

    /// Whether its process is a child of an agent.
    pub(super) const fn is_own(&self) -> bool {
        !self.is_unit && self.script.is_none()
    }

    pub(super) fn spawn(&mut self, descriptors: &limit::Descriptors) -> io::Result<Process> {
        let (out, errors) = self.log.outputs();
        // Opened here, since the limit is lower while the child is made.
        self.command.stdin(File::open("/dev/null")?).stdout(out).stderr(errors);
        let child = descriptors.around(|| self.command.spawn());
        // The command must not keep the copies: they are descriptors that nobody needs until the next start.
        self.command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = child?;
        match follow(child.id()) {
            Ok((pid, pidfd)) => Ok(Process { pid, pidfd: Arc::new(pidfd), started: None }),
            Err(error) => {
                // Not followed, its end would never be seen, so it must not live.
                child.kill()?;
                child.wait()?;
                Err(error)
            }
        }
    }

    /// Signals the whole group; a frozen member can only end once it continues.
    pub(super) fn signal(&self, signal: Signal) {
        let Life::Lives(process) = &self.life else { return };
        // That this one takes it proves that the leader is there, and with it that the group's number is its own.
        if process.pidfd.get_ref().signal(Signal::CONT).is_ok() {
            let sent = rustix::process::kill_process_group(process.pid, signal);
            if let Err(error) =
                sent.and_then(|()| rustix::process::kill_process_group(process.pid, Signal::CONT))
            {
                tracing::warn!(service = self.name, %error, "the service can't be signalled");
            }
        }
    }

    /// Has its process alone read its configuration anew: its children are its own to tell.
    pub(super) fn reload(&self) {
        if let Life::Lives(process) = &self.life
            && let Err(error) = process.pidfd.get_ref().signal(Signal::HUP)
        {
            tracing::warn!(service = self.name, %error, "the service can't be signalled");
        }
    }

    /// Its process, where that has yet to get a scope of its own; once per life.
    pub(super) fn newcomer(&mut self) -> Option<Newcomer> {
        let is_owed = std::mem::take(&mut self.owed.scope);
        let Life::Lives(process) = &self.life else { return None };
        if !is_owed {
            return None;
        }
        Some(Newcomer { service: self.name.clone(), pid: process.pid, life: Arc::downgrade(&process.pidfd) })
    }

    /// Who its process is, for the next run; none if it has none.
    pub(super) fn identity(&mut self, session: i32, boot: u128) -> Option<adopt::Saved> {
        self.owed.identity = false;
        let Life::Lives(process) = &mut self.life else { return None };
        process.started = crate::probe::process::stat(process.pid).map(|stat| stat.started);
        let started = process.started.unwrap_or_default();
        Some(adopt::Saved { pid: process.pid, started, session, boot })
    }
}

/// Puts a service's own folder in the place of `{state}`.
pub(super) fn filled(service: &Service, state: &Path) -> impl Fn(&str) -> String {
    let own = state.join("services").join(service.spec.name.as_str());
    let own = own.to_string_lossy().into_owned();
    move |text| text.replace("{state}", &own)
}

/// How its process is started.
pub(super) fn command(service: &Service, state: &Path) -> Command {
    let fill = filled(service, state);
    let mut parts = service.command.iter().map(|part| fill(part));
    let mut command = Command::new(parts.next().unwrap_or_default());
    command.args(parts).current_dir(fill(&service.cwd)).process_group(0);
    command.envs(service.env.iter().map(|(key, value)| (key, fill(value))));
    command
}

/// Follows a child that nobody has reaped.
pub(super) fn follow(pid: u32) -> io::Result<(Pid, AsyncFd<Followed>)> {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw).ok_or(io::ErrorKind::InvalidData)?;
    Ok((pid, crate::sys::readable(Followed::open(pid)?)?))
}

//! One program that is run to its end: in a session of its own, with a hard limit of time, its output in a file.
//!
//! A thread starts it and sees it end, since both may hang where the disk of the program does; the loop never waits. The
//! output goes to a file and not to a pipe: what a script leaves running keeps it, and a pipe that nobody reads would end
//! that. At the time limit the whole group is killed. The thread lives as long as the program; a service has one at a
//! time. Limits: the file is emptied at each run, and whenever it is above 1 MiB; of it the last 4 KiB are looked at for the last line.

use super::evidence;
use crate::child::{Bounds, read};
use crate::clock;
use picket_proto::event::Exit;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Resource, Rlimit, Signal};
use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tokio::sync::oneshot;

/// What is in the file of its output at most, but for what it prints within a second.
const OUTPUT_MAX: u64 = 1024 * 1024;
const LOOK: Duration = Duration::from_secs(1);

/// What is run.
#[derive(Debug, Clone)]
pub(super) struct Program {
    pub(super) parts: Vec<String>,
    /// Where its output goes; dropped where there is none.
    pub(super) output: Option<PathBuf>,
    pub(super) limit: Duration,
    /// The limit of open files that it inherits, since the agent's own is higher.
    pub(super) files: Rlimit,
}

/// How it ended, and the last line that it printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ended {
    pub(super) exit: Exit,
    pub(super) last_line: String,
}

impl Program {
    /// Runs it to its end, in a thread.
    pub(super) async fn run(self) -> Ended {
        let (tell, ended) = oneshot::channel();
        let thread = std::thread::Builder::new().name("command".to_owned()).stack_size(crate::scribe::STACK);
        let begun = thread.spawn(move || {
            let _nobody_may_listen_any_more = tell.send(self.run_here());
        });
        match begun {
            Ok(_) => ended.await.unwrap_or(Ended { exit: Exit::Unknown, last_line: String::new() }),
            Err(error) => not_started(&error),
        }
    }

    /// Runs it to its end in the thread that calls.
    pub(super) fn run_here(&self) -> Ended {
        let exit = self.spawn().and_then(|child| self.watch(child));
        match exit {
            Ok(exit) => Ended { exit, last_line: self.output.as_deref().map(last_line).unwrap_or_default() },
            Err(error) => not_started(&error),
        }
    }

    /// Runs it to its end in the thread that calls, and reads what it prints in place of a file: with more than `most` bytes,
    /// or where something keeps the pipe open for as long as it may run, it is killed with its group.
    pub(super) fn run_bounded(&self, most: usize) -> Ended {
        let run = || -> io::Result<Ended> {
            let (out, into) = io::pipe()?;
            let child = self.command().stdout(into.try_clone()?).stderr(into).spawn()?;
            let _it_may_have_ended = rustix::process::prlimit(pid_of(&child), Resource::Nofile, self.files);
            let bytes = read(out, Bounds { time: self.limit, bytes: most });
            let is_whole = bytes.as_ref().is_some_and(|bytes| bytes.len() < most);
            if let Some(pid) = pid_of(&child).filter(|_| !is_whole) {
                let _it_has_ended_meanwhile = rustix::process::kill_process_group(pid, Signal::KILL);
            }
            let exit = self.watch(child)?;
            let exit = if bytes.is_none() { Exit::NotStarted(libc::ETIMEDOUT) } else { exit };
            Ok(Ended { exit, last_line: evidence::last_of(&bytes.unwrap_or_default()) })
        };
        run().unwrap_or_else(|error| not_started(&error))
    }

    fn command(&self) -> Command {
        let mut command = Command::new(self.parts.first().map_or("", String::as_str));
        command.args(self.parts.iter().skip(1)).stdin(Stdio::null()).current_dir("/");
        crate::sys::set_apart(&mut command);
        command
    }

    fn spawn(&self) -> io::Result<Child> {
        let mut command = self.command();
        match &self.output {
            Some(path) => {
                drop(OpenOptions::new().create(true).write(true).truncate(true).open(path)?);
                let out = OpenOptions::new().append(true).open(path)?;
                command.stdout(out.try_clone()?).stderr(out);
            }
            None => {
                command.stdout(Stdio::null()).stderr(Stdio::null());
            }
        }
        let child = command.spawn()?;
        // A program that hangs on the higher limit for a moment is no harm: what it starts comes later.
        let _it_may_have_ended = rustix::process::prlimit(pid_of(&child), Resource::Nofile, self.files);
        Ok(child)
    }

    /// Empties its output where that has become too large; it is written at its end, so it goes on there.
    fn cut(&self) {
        let file = self.output.as_ref().and_then(|path| OpenOptions::new().write(true).open(path).ok());
        let large = file.filter(|file| file.metadata().is_ok_and(|file| file.len() > OUTPUT_MAX));
        let _it_is_cut_a_second_later = large.map(|file| file.set_len(0));
    }

    fn watch(&self, mut child: Child) -> io::Result<Exit> {
        let pid = pid_of(&child).ok_or(io::ErrorKind::InvalidData)?;
        let pidfd = crate::follow::Followed::open(pid)?;
        let begun = clock::now().mono;
        let in_time = loop {
            let passed = Duration::from_micros(clock::now().mono.since(begun).micros());
            let left = self.limit.saturating_sub(passed);
            let step = Timespec::try_from(left.min(LOOK)).map_err(|_| io::ErrorKind::InvalidInput)?;
            match poll(&mut [PollFd::new(&pidfd, PollFlags::IN)], Some(&step)) {
                Ok(0) if left > LOOK => self.cut(),
                Ok(ready) => break ready > 0,
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        };
        if !in_time {
            let _it_has_ended_meanwhile = rustix::process::kill_process_group(pid, Signal::KILL);
        }
        let status = child.wait()?;
        Ok(match (in_time, status.code()) {
            (false, _) => Exit::NotStarted(libc::ETIMEDOUT),
            (true, Some(code)) => Exit::Code(code),
            (true, None) => {
                std::os::unix::process::ExitStatusExt::signal(&status).map_or(Exit::Unknown, Exit::Signal)
            }
        })
    }
}

fn pid_of(child: &Child) -> Option<Pid> {
    i32::try_from(child.id()).ok().and_then(Pid::from_raw)
}

fn not_started(error: &io::Error) -> Ended {
    let exit = Exit::NotStarted(error.raw_os_error().unwrap_or(libc::EINVAL));
    Ended { exit, last_line: String::new() }
}

fn last_line(path: &Path) -> String {
    let whole = || -> io::Result<(File, u64)> {
        let file = File::open(path)?;
        let end = file.metadata()?.len();
        Ok((file, end))
    };
    whole().map(|(file, end)| evidence::last_line(&file, 0..end)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::process::getrlimit;

    fn shell(script: &str, folder: &Path, limit: Duration) -> Program {
        let parts = ["/bin/sh", "-c", script].map(str::to_owned).to_vec();
        Program { parts, output: Some(folder.join("out")), limit, files: getrlimit(Resource::Nofile) }
    }

    #[tokio::test]
    async fn its_end_and_its_last_line_come_back_although_what_it_left_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let script = "sleep 600 & echo $! > pid; echo first; echo it is up >&2";
        let script = format!("cd {}; {script}", folder.path().display());
        let ended = shell(&script, folder.path(), Duration::from_secs(20)).run().await;
        assert_eq!(ended, Ended { exit: Exit::Code(0), last_line: "it is up".to_owned() });
        let pid = std::fs::read_to_string(folder.path().join("pid")).unwrap();
        let pid = Pid::from_raw(pid.trim().parse().unwrap()).unwrap();
        rustix::process::kill_process(pid, Signal::KILL).expect("what it started lives");
    }

    #[tokio::test]
    async fn one_that_hangs_is_killed_with_what_it_started() {
        let folder = tempfile::tempdir().unwrap();
        let script = format!("sleep 600 & echo $! > {}/pid; trap '' TERM; wait", folder.path().display());
        let ended = shell(&script, folder.path(), Duration::from_secs(2)).run().await;
        assert_eq!(ended.exit, Exit::NotStarted(libc::ETIMEDOUT));
        let pid = std::fs::read_to_string(folder.path().join("pid")).unwrap();
        let pid = Pid::from_raw(pid.trim().parse().unwrap()).unwrap();
        // The signal is out to all of the group; only the first one's end was waited for.
        let ended = crate::follow::Followed::open(pid).map_or(1, |pidfd| {
            let most = Timespec::try_from(Duration::from_secs(60)).unwrap();
            poll(&mut [PollFd::new(&pidfd, PollFlags::IN)], Some(&most)).unwrap()
        });
        assert_eq!(ended, 1, "its whole group is gone");
    }

    #[tokio::test]
    async fn it_has_a_session_of_its_own_and_no_terminal() {
        let folder = tempfile::tempdir().unwrap();
        let script =
            "read -r _ _ _ _ group session _ < /proc/$$/stat; echo $((group == $$)) $((session == $$))";
        let ended = shell(script, folder.path(), Duration::from_secs(20)).run().await;
        assert_eq!(ended, Ended { exit: Exit::Code(0), last_line: "1 1".to_owned() });
    }

    #[tokio::test]
    async fn a_failure_and_a_missing_program_are_told() {
        let folder = tempfile::tempdir().unwrap();
        let ended = shell("echo no disk >&2; exit 7", folder.path(), Duration::from_secs(20)).run().await;
        assert_eq!(ended, Ended { exit: Exit::Code(7), last_line: "no disk".to_owned() });
        let missing = Program {
            parts: vec!["/does/not/exist".to_owned()],
            ..shell("", folder.path(), Duration::from_secs(1))
        };
        assert_eq!(missing.run().await.exit, Exit::NotStarted(libc::ENOENT));
    }
}

//! `job run NAME -- COMMAND`: runs a command, as cron would, and records when it began and how it ended.
//!
//! Its input, output and status are the command's own (128 + N where signal N killed it, 127 where it can't be
//! started). SIGTERM and SIGHUP are handed on; SIGINT comes from a terminal, which sends it to the command too. What
//! can't be recorded is told on stderr and keeps no job from running.

use super::socket::{Failure, Place};
use super::{USAGE, say, show};
use crate::config::is_job_name;
use crate::record::{self, Record};
use clap::Subcommand;
use picket_agent_core::past::NOT_STARTED;
use rustix::process::{Pid, Signal, kill_process};
use std::ffi::OsString;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, ExitCode, ExitStatus};
use tokio::signal::unix::{SignalKind, signal};

/// What of jobs is asked for.
#[derive(Subcommand)]
pub(super) enum What {
    /// Run a command and record in the agent's state folder when it began and how it ended; its output and status are
    /// passed on
    Run {
        /// The job's name, as `run` of its check has it
        name: String,
        #[command(flatten)]
        place: Place,
        /// The command and its arguments, behind `--`
        #[arg(last = true, required = true)]
        command: Vec<OsString>,
    },
}

impl What {
    /// Does it; the status of the program.
    pub(super) fn carry_out(self) -> ExitCode {
        let Self::Run { name, place, command } = self;
        match run(&name, &place, &command) {
            Ok(Some(status)) => ExitCode::from(status),
            Ok(None) => {
                let better = "use 1 to 48 of A-Z a-z 0-9 . _ -, not starting with .";
                say(&mut io::stderr(), &format!("error: `{name}` can be no job's name; {better}"));
                ExitCode::from(USAGE)
            }
            Err(failure) => show(Err(failure)),
        }
    }
}

/// Runs it; its status.
///
/// # Errors
/// [`Failure::Unnamed`] or [`Failure::Config`]: it is not known where to record; nothing was run. `None` where the name can be no
/// job's.
fn run(name: &str, place: &Place, command: &[OsString]) -> Result<Option<u8>, Failure> {
    if !is_job_name(name) {
        return Ok(None);
    }
    let file = record::file(&place.folder()?, name);
    let before = Record::read(&file).unwrap_or_else(|error| {
        complain(&file, &error);
        None
    });
    let record = before.unwrap_or_default().begin();
    // A run that hangs must not be hidden by those that come after it.
    let is_older = before.and_then(Record::running).is_some();
    let is_told = !is_older && record.write(&file).inspect_err(|error| complain(&file, error)).is_err();
    let status = match carry_out(command) {
        Ok(status) => status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(1),
        Err(error) => {
            let program = command.first().map(|program| program.to_string_lossy()).unwrap_or_default();
            say(&mut io::stderr(), &format!("error: {program} can't be started: {error}"));
            NOT_STARTED
        }
    };
    let last = record.end(status).over(Record::read(&file).ok().flatten());
    if let Err(error) = last.write(&file)
        && !is_told
    {
        complain(&file, &error);
    }
    Ok(Some(u8::try_from(status).unwrap_or(u8::MAX)))
}

fn complain(file: &Path, error: &io::Error) {
    let state = file.parent().and_then(Path::parent).filter(|state| !state.exists());
    let words = match state {
        Some(state) => format!("no agent keeps its state in {}: the job is not recorded", state.display()),
        None => format!("the job's record {} fails: {error}", file.display()),
    };
    say(&mut io::stderr(), &format!("picket-agent: {words}"));
}

fn carry_out(command: &[OsString]) -> io::Result<ExitStatus> {
    let (program, arguments) = command.split_first().ok_or(io::ErrorKind::InvalidInput)?;
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(1).build()?;
    runtime.block_on(async {
        let mut terminated = signal(SignalKind::terminate())?;
        let mut hung_up = signal(SignalKind::hangup())?;
        let _its_terminal_tells_it_too = signal(SignalKind::interrupt())?;
        let mut child = Command::new(program).args(arguments).spawn()?;
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        let mut ended = tokio::task::spawn_blocking(move || child.wait());
        loop {
            let signal = tokio::select! {
                status = &mut ended => return status.map_err(io::Error::other)?,
                _ = terminated.recv() => Signal::TERM,
                _ = hung_up.recv() => Signal::HUP,
            };
            if let Some(pid) = pid {
                let _it_may_have_ended = kill_process(pid, signal);
            }
        }
    })
}

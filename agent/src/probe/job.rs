//! When something that runs on a schedule last ran, and how that ended: by a file that it touches, by systemd, or by
//! the record of `picket-agent job run`. What that means is weighed by the core.

use super::{Reading, Seen};
use crate::clock;
use crate::config::{BusAddress, Job, JobSource};
use crate::record::{self, Record};
use picket_agent_core::past::Runs;
use picket_proto::event::Cause;
use picket_proto::{Span, Text};
use std::path::Path;

/// Looks at a file: for a thread of its own, since its disk may hang.
pub(super) fn read(job: &Job, state: &Path) -> Seen {
    let found = match &job.source {
        JobSource::Stamp(file) => stamp(file),
        JobSource::Run(name) => recorded(&record::file(state, name)),
        JobSource::Unit(_) => unreachable!("a unit is asked for over the bus"),
    };
    seen(found, job)
}

/// Asks systemd.
pub(super) async fn ask(job: Job, bus: BusAddress, unit: String) -> Seen {
    match crate::sd::runs(&bus, &unit, clock::now().wall).await {
        Ok(found) => seen(Ok(found), &job),
        Err(error) => Seen {
            said: Text::new(&format!("systemd does not say: {error}")).as_str().to_owned(),
            ..Reading::Bad(Cause::Local(libc::EHOSTDOWN)).into()
        },
    }
}

fn seen(found: std::io::Result<(Runs, String)>, job: &Job) -> Seen {
    match found {
        Ok((runs, said)) => {
            let max_runtime = i64::try_from(job.max_runtime.secs()).unwrap_or(i64::MAX);
            let reading = runs.weigh(max_runtime);
            let said = match (reading, runs.running) {
                (Reading::Bad(Cause::Overdue), Some(running)) => {
                    let running = Span::from_secs(running.unsigned_abs());
                    format!("it has been running for {running}, longer than {}", job.max_runtime)
                }
                (Reading::Bad(Cause::Absent), _) if said.is_empty() => {
                    format!("it never ran, by {}", sought(&job.source))
                }
                _ => said,
            };
            Seen { said: Text::new(&said).as_str().to_owned(), ..reading.into() }
        }
        Err(error) => {
            let errno = error.raw_os_error().unwrap_or(libc::EBADMSG);
            Seen { said: error.to_string(), ..Reading::Bad(Cause::Local(errno)).into() }
        }
    }
}

/// What was looked for.
fn sought(source: &JobSource) -> String {
    match source {
        JobSource::Stamp(file) => format!("its file {}", file.display()),
        JobSource::Unit(unit) => format!("what systemd knows of {unit}"),
        JobSource::Run(name) => format!("the records of `picket-agent job run {name}`"),
    }
}

fn stamp(file: &Path) -> std::io::Result<(Runs, String)> {
    let found = match std::fs::metadata(file) {
        Ok(found) => found,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Ok((Runs::default(), String::new()));
        }
        Err(error) => return Err(error),
    };
    let touched = std::os::unix::fs::MetadataExt::mtime(&found);
    let age = clock::now().wall.micros().div_euclid(1_000_000) - touched;
    Ok((Runs { well: Some(age), ..Runs::default() }, String::new()))
}

fn recorded(file: &Path) -> std::io::Result<(Runs, String)> {
    let Some(record) = Record::read(file)? else { return Ok((Runs::default(), String::new())) };
    let (runs, said) = record.runs(clock::now().wall);
    Ok((runs, said.to_owned()))
}

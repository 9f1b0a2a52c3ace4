//! `kind = "job"`: something that runs on a schedule ran, and ended well.

use super::{Read, Target};
use crate::config::read::{Keys, Sheet};
use picket_agent_core::check::{Limits, Side};
use picket_proto::Span;
use std::fmt;
use std::ops::RangeInclusive;
use std::path::PathBuf;

/// From a second to ten years.
pub(super) const AGES: RangeInclusive<Span> = Span::from_secs(1)..=Span::from_secs(10 * 366 * 86_400);
const NAME_MAX: usize = 48;

/// A job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// By what it is known that it ran.
    pub source: JobSource,
    /// How long one run may take.
    pub max_runtime: Span,
}

/// By what a job is known to have run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobSource {
    /// A file that it touches when it has ended well.
    Stamp(PathBuf),
    /// A timer or a service of systemd.
    Unit(String),
    /// What `picket-agent job run NAME` recorded.
    Run(String),
}

impl fmt::Display for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source {
            JobSource::Stamp(file) => write!(f, "the job that touches {}", file.display()),
            JobSource::Unit(unit) => write!(f, "runs of {unit}"),
            JobSource::Run(name) => write!(f, "runs of the job {name}"),
        }
    }
}

pub(super) fn read(keys: &mut Keys<'_>, sheet: &mut Sheet<'_>) -> Option<Read> {
    let stamp = keys.text(sheet, "stamp").map(|(file, _)| JobSource::Stamp(sheet.beside(file)));
    let unit = unit(keys, sheet);
    let run = run(keys, sheet);
    let limits = ages(keys, sheet, "max_age");
    if let (Some(_), Some((_, place))) = (&stamp, keys.take("max_runtime")) {
        let better = "take it away: a file says when a job ended, not for how long it has run".to_owned();
        sheet.wrong(&place, "is not for `stamp`", Some(better));
    }
    let max_runtime = keys.span(sheet, "max_runtime", &AGES, *AGES.end());
    let mut sources = [stamp, unit, run].into_iter().flatten();
    let (Some(source), None) = (sources.next(), sources.next()) else {
        let better = "give one of stamp = \"FILE\", unit = \"NAME.timer\", run = \"NAME\"".to_owned();
        sheet.wrong(&keys.place(), "needs one source, and no more", Some(better));
        return None;
    };
    let name = match &source {
        JobSource::Stamp(file) => format!("job:{}", file.file_name().unwrap_or_default().to_string_lossy()),
        JobSource::Unit(name) | JobSource::Run(name) => format!("job:{name}"),
    };
    Some(Read { target: Target::Job(Job { source, max_runtime }), limits: Some(limits?), name })
}

fn unit(keys: &mut Keys<'_>, sheet: &mut Sheet<'_>) -> Option<JobSource> {
    let (unit, place) = keys.text(sheet, "unit")?;
    if !unit.ends_with(".timer") && !unit.ends_with(".service") {
        sheet.wrong(&place, "is no name of a timer or service", Some("write \"NAME.timer\"".to_owned()));
    }
    Some(JobSource::Unit(unit.to_owned()))
}

fn run(keys: &mut Keys<'_>, sheet: &mut Sheet<'_>) -> Option<JobSource> {
    let (name, place) = keys.text(sheet, "run")?;
    if !is_job_name(name) {
        sheet.wrong(
            &place,
            format!("must be 1 to {NAME_MAX} of A-Z a-z 0-9 . _ -, not starting with ."),
            None,
        );
    }
    Some(JobSource::Run(name.to_owned()))
}

/// Whether a job may be called so: it is a file's name too.
pub(crate) fn is_job_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    (1..=NAME_MAX).contains(&name.len()) && name.bytes().all(allowed) && !name.starts_with('.')
}

/// Ages from which on it is degraded and down: one for both, or a table of two. They must be there.
pub(super) fn ages(keys: &mut Keys<'_>, sheet: &mut Sheet<'_>, key: &'static str) -> Option<Limits> {
    let seconds = |span: Span| i64::try_from(span.secs()).unwrap_or(i64::MAX);
    let limits = |degraded: Span, down: Span| Limits {
        degraded: seconds(degraded),
        down: seconds(down),
        bad: Side::Above,
    };
    let Some((value, _)) = keys.take(key) else {
        let better = format!("add {key} = \"26h\", or {key} = {{ degraded = \"26h\", down = \"50h\" }}");
        keys.missing(sheet, key, better);
        return None;
    };
    if value.as_str().is_some() {
        let down = keys.span(sheet, key, &AGES, Span::from_secs(86_400));
        return Some(limits(down, down));
    }
    let mut table = keys.table(sheet, key)?;
    let down = table.span(sheet, "down", &AGES, *AGES.end());
    let degraded = table.span(sheet, "degraded", &AGES, down);
    if degraded > down {
        sheet.wrong(&table.place(), "degraded is longer than down", None);
    }
    table.finish(sheet);
    Some(limits(degraded, down))
}

//! `kind = "backup"`: copies of data that are young, large and many enough, and that give the data back.

use super::exec::program;
use super::job::{AGES, ages};
use super::{Program, Read, Target};
use crate::config::read::{Keys, Sheet};
use picket_agent_core::check::Limits;
use picket_agent_core::past::Wanted;
use picket_proto::Span;
use std::fmt;
use std::path::PathBuf;

/// Copies of data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backup {
    /// The folder that they are in.
    pub folder: PathBuf,
    /// Their name, in which `*` stands for anything and `?` for one character. Of a name without either that is a folder
    /// when it is looked at, the copies are what is in it.
    pub pattern: String,
    /// What should be.
    pub wanted: Wanted,
    /// From which age of the newest on it is degraded and down: as much as can be lost.
    pub limits: Limits,
    /// What proves that a copy gives the data back.
    pub drill: Option<Drill>,
}

/// A drill: it restores a copy somewhere, and looks at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drill {
    /// What does it; `PICKET_COPY` in its environment is the newest copy.
    pub program: Program,
    /// From one to the next.
    pub every: Span,
    /// How long one may take.
    pub timeout: Span,
}

impl fmt::Display for Backup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "copies {}; at most {} can be lost",
            self.folder.join(&self.pattern).display(),
            span(&self.limits)
        )
    }
}

fn span(limits: &Limits) -> Span {
    Span::from_secs(limits.down.unsigned_abs())
}

pub(super) fn read(keys: &mut Keys<'_>, sheet: &mut Sheet<'_>) -> Option<Read> {
    let path = keys.needed(sheet, "path").map(|(path, _)| sheet.beside(path));
    let limits = ages(keys, sheet, "max_age");
    let wanted = Wanted {
        copies: keys.number(sheet, "copies", 1..=100_000, 1),
        // An empty copy is none.
        min_size: (u64::from(keys.number(sheet, "min_size", 0..=u32::MAX, 0)) * 1024).max(1),
        least_percent: u8::try_from(keys.number(sheet, "shrink", 0..=100, 50)).expect("at most 100"),
    };
    let drill = drill(keys, sheet);
    let path = path?;
    let is_folder = path.as_os_str().to_string_lossy().ends_with('/');
    let name = path.file_name()?.to_string_lossy().into_owned();
    let (folder, pattern) = match is_folder {
        true => (path.clone(), "*".to_owned()),
        false => (path.parent()?.to_path_buf(), name.clone()),
    };
    let limits = limits?;
    let backup = Backup { folder, pattern, wanted, limits, drill };
    Some(Read { target: Target::Backup(backup), limits: Some(limits), name: format!("backup:{name}") })
}

fn drill(keys: &mut Keys<'_>, sheet: &mut Sheet<'_>) -> Option<Drill> {
    let every = keys.span(sheet, "verify_every", &AGES, Span::from_secs(7 * 86_400));
    let day = Span::from_secs(86_400);
    let timeout = keys.span(sheet, "verify_timeout", &(Span::from_secs(1)..=day), Span::from_secs(3600));
    let program = program(keys, sheet, "verify")?;
    Some(Drill { program, every, timeout })
}

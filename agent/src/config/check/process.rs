//! `kind = "process"`: processes that the agent did not start, by what is known of them.

use super::{Read, Target};
use crate::config::read::{Keys, Sheet};
use std::fmt;
use std::path::{Path, PathBuf};

/// Most processes that a count may ask for: more are not kept of one look.
pub(crate) const COUNT_MAX: u32 = 4096;
const TEXT_MAX: usize = 1024;

/// What is known of the processes, and how many there should be. Empty is not asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The file that holds the number of the one process.
    pub pidfile: PathBuf,
    /// The program's path.
    pub executable: PathBuf,
    /// Whose it is: a name or a number.
    pub user: String,
    /// The unit or control group that it is in: a name, or a path from the root.
    pub group: String,
    /// A part of its command line, arguments joined by blanks.
    pub args: String,
    /// At least so many.
    pub min: u32,
    /// At most so many.
    pub max: u32,
}

impl Wanted {
    /// Whether more is known than a number in a file.
    pub(crate) fn is_described(&self) -> bool {
        let texts = [&self.user, &self.group, &self.args];
        !self.executable.as_os_str().is_empty() || texts.iter().any(|text| !text.is_empty())
    }
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = |path: &Path| path.display().to_string();
        let parts = [
            ("named by ", path(&self.pidfile)),
            ("running ", path(&self.executable)),
            ("of user ", self.user.clone()),
            ("in ", self.group.clone()),
            ("called with ", self.args.clone()),
        ];
        let said = parts.iter().filter(|(_, what)| !what.is_empty());
        let said: Vec<String> = said.map(|(word, what)| format!("{word}{what}")).collect();
        write!(f, "a process {}", said.join(", "))
    }
}

pub(super) fn read(keys: &mut Keys<'_>, sheet: &mut Sheet<'_>) -> Option<Read> {
    let pidfile = path(keys, sheet, "pidfile");
    let executable = path(keys, sheet, "executable");
    let [user, unit, cgroup, args] = ["user", "unit", "cgroup", "args"].map(|key| text(keys, sheet, key));
    if !unit.is_empty() && !cgroup.is_empty() {
        sheet.wrong(
            &keys.place(),
            "unit and cgroup both say where it is",
            Some("give one of them".to_owned()),
        );
    }
    let group = if unit.is_empty() { cgroup } else { unit };
    let (min, max) = count(keys, sheet, !pidfile.as_os_str().is_empty());
    let wanted = Wanted { pidfile, executable, user, group, args, min, max };
    if wanted.pidfile.as_os_str().is_empty() && !wanted.is_described() {
        let better = "add pidfile, executable, user, unit, cgroup or args".to_owned();
        sheet.wrong(&keys.place(), "nothing says which process", Some(better));
        return None;
    }
    let name = usual_name(&wanted);
    Some(Read { target: Target::Processes(wanted), limits: None, name })
}

fn path(keys: &mut Keys<'_>, sheet: &mut Sheet<'_>, key: &'static str) -> PathBuf {
    let Some((path, place)) = keys.text(sheet, key) else { return PathBuf::new() };
    if !path.starts_with('/') {
        sheet.wrong(&place, "must be a path from the root", None);
    }
    PathBuf::from(path)
}

fn text(keys: &mut Keys<'_>, sheet: &mut Sheet<'_>, key: &'static str) -> String {
    let Some((text, place)) = keys.text(sheet, key) else { return String::new() };
    if text.is_empty() || text.len() > TEXT_MAX {
        sheet.wrong(&place, format!("must have 1 to {TEXT_MAX} bytes"), None);
    }
    text.to_owned()
}

fn count(keys: &mut Keys<'_>, sheet: &mut Sheet<'_>, is_named: bool) -> (u32, u32) {
    let Some(mut table) = keys.table(sheet, "count") else { return (1, COUNT_MAX) };
    let min = table.number(sheet, "min", 0..=COUNT_MAX, 1);
    let max = table.number(sheet, "max", 0..=COUNT_MAX, COUNT_MAX);
    if min > max {
        sheet.wrong(&table.place(), format!("min ({min}) must not be above max ({max})"), None);
    }
    if is_named {
        sheet.wrong(
            &table.place(),
            "a pidfile names one process",
            Some("leave out count or pidfile".to_owned()),
        );
    }
    table.finish(sheet);
    (min, max)
}

/// By what says most: the last part of a path, the unit, the user.
fn usual_name(wanted: &Wanted) -> String {
    let of =
        |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let names = [of(&wanted.executable), of(&wanted.pidfile), of(Path::new(&wanted.group))];
    let best =
        names.into_iter().chain([wanted.args.clone(), wanted.user.clone()]).find(|name| !name.is_empty());
    let best: String = best.unwrap_or_default().replace(|c: char| !c.is_ascii_graphic(), "_");
    format!("process:{}", best.chars().take(48).collect::<String>())
}

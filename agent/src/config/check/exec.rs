//! `kind = "exec"`: a program in the Nagios plugin protocol, and what every program of the operator's own has.

use super::{Read, Target};
use crate::config::read::{Keys, Sheet};
use std::fmt;
use std::path::Path;

/// Where a program without a slash is looked for: what the program itself gets as `PATH`, then where packages of
/// plugins put them.
const FOLDERS: [&str; 9] = [
    "/usr/local/sbin",
    "/usr/local/bin",
    "/usr/sbin",
    "/usr/bin",
    "/sbin",
    "/bin",
    "/usr/lib/nagios/plugins",
    "/usr/lib64/nagios/plugins",
    "/usr/lib/monitoring-plugins",
];

/// So many bytes of a command are shown to people.
const SHOWN: usize = 200;

/// A program of the operator's own, and as whom it runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// The program, with a slash where it was found, and its arguments.
    pub command: Vec<String>,
    /// Added to the few variables that it gets.
    pub env: Vec<(String, String)>,
    /// The user's name or number in `/etc/passwd`; without one `nobody` where the agent is root, else the agent's own.
    pub user: Option<String>,
}

/// A plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exec(pub Program);

impl fmt::Display for Exec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = self.0.command.join(" ");
        let end = whole.floor_char_boundary(SHOWN);
        write!(f, "{}{}", &whole[..end], if end < whole.len() { " .." } else { "" })
    }
}

pub(super) fn read(keys: &mut Keys<'_>, sheet: &mut Sheet<'_>) -> Option<Read> {
    let program = program(keys, sheet, "command");
    if program.is_none() && keys.take("command").is_none() {
        let better = "add command = [\"program\", \"argument\"]".to_owned();
        keys.missing(sheet, "command", better);
    }
    let program = program?;
    let name = Path::new(program.command.first()?).file_name()?.to_string_lossy().into_owned();
    Some(Read { target: Target::Exec(Exec(program)), limits: None, name: format!("exec:{name}") })
}

/// The program under `key` with `env` and `user` beside it; none where the key is not there or is wrong.
pub(super) fn program(keys: &mut Keys<'_>, sheet: &mut Sheet<'_>, key: &'static str) -> Option<Program> {
    let here = sheet.here.clone();
    let fill = |text: &str| text.replace("{here}", &here.to_string_lossy());
    let env = env(keys, sheet, &fill);
    let user = keys.text(sheet, "user").map(|(user, _)| user.to_owned());
    let (command, place) = keys.texts(sheet, key)?;
    let mut command: Vec<String> = command.iter().map(|part| fill(part)).collect();
    let Some(program) = command.first_mut().filter(|program| !program.is_empty()) else {
        let better = format!("write {key} = [\"program\", \"argument\"]");
        sheet.wrong(&place, "names no program", Some(better));
        return None;
    };
    *program = find(program, &here);
    if command.iter().any(|part| part.contains('\0')) {
        sheet.wrong(&place, "has a zero character", None);
        return None;
    }
    Some(Program { command, env, user })
}

fn env(keys: &mut Keys<'_>, sheet: &mut Sheet<'_>, fill: &dyn Fn(&str) -> String) -> Vec<(String, String)> {
    let Some(table) = keys.table(sheet, "env") else { return Vec::new() };
    let pairs = table.pairs(sheet);
    for (key, value) in &pairs {
        if key.is_empty() || key.contains(['=', '\0']) || value.contains('\0') {
            sheet.wrong(&table.place(), format!("`{key}` can't be an environment variable"), None);
        }
    }
    pairs.into_iter().map(|(key, value)| (key, fill(&value))).collect()
}

/// The program with a slash; as it is where it is not found, since it may come later.
fn find(program: &str, here: &Path) -> String {
    if program.contains('/') {
        return here.join(program).to_string_lossy().into_owned();
    }
    let found = FOLDERS.iter().map(|folder| Path::new(folder).join(program)).find(|full| full.is_file());
    found.map_or_else(|| program.to_owned(), |full| full.to_string_lossy().into_owned())
}

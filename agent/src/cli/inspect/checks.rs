//! What a check would lack once it is looked at: a program, a user or a group, a folder.
//!
//! Users and groups are those of `/etc/passwd` and `/etc/group`, as at the look. Of units and containers nobody is asked.

use super::program_fault;
use crate::config::{Check, JobSource, Program, Target};
use crate::names;
use crate::program::Guest;
use std::path::Path;

/// What this one lacks, with what to do.
pub(super) fn of_check(check: &Check) -> Vec<String> {
    match &check.target {
        Target::Exec(exec) => of_program(&exec.0, "its verdict will be unknown until then"),
        Target::Backup(backup) => {
            let drill = backup.drill.iter();
            let drill = drill.flat_map(|drill| of_program(&drill.program, "no drill can run until then"));
            drill.chain(no_folder(&backup.folder, "it holds no copy: its verdict will be down")).collect()
        }
        Target::Job(job) => match &job.source {
            JobSource::Stamp(file) => {
                let folder = file.parent();
                folder
                    .and_then(|folder| no_folder(folder, "nobody can touch the stamp there"))
                    .into_iter()
                    .collect()
            }
            JobSource::Unit(_) | JobSource::Run(_) => Vec::new(),
        },
        Target::Processes(wanted) => {
            let program = (!wanted.executable.as_os_str().is_empty() && !wanted.executable.is_file())
                .then(|| format!("there is no program {}: no process will fit", wanted.executable.display()));
            named("user", Some(&wanted.user), names::USERS, "no process will fit")
                .into_iter()
                .chain(program)
                .collect()
        }
        Target::File(file) => {
            let owner = named("owner", file.owner.as_deref(), names::USERS, "its verdict will be down");
            let group = named("group", file.group.as_deref(), names::GROUPS, "its verdict will be down");
            owner.into_iter().chain(group).collect()
        }
        Target::Space { mount } => {
            no_folder(Path::new(mount), "its verdict will be down").into_iter().collect()
        }
        Target::Process(_)
        | Target::Tcp { .. }
        | Target::Http { .. }
        | Target::Cpu
        | Target::Memory
        | Target::Load
        | Target::Host(_)
        | Target::Tls(_)
        | Target::Expires(_)
        | Target::Metric(_)
        | Target::Log(_)
        | Target::Container(_) => Vec::new(),
    }
}

fn of_program(program: &Program, then: &str) -> Vec<String> {
    let mut found = Vec::new();
    if let Err(why) = Guest::find(program.user.as_deref()) {
        found.push(format!("{why}; correct `user`, or run the agent so that it can: {then}"));
    }
    let fault = program.command.first().and_then(|program| program_fault(program));
    found.extend(fault.map(|fault| format!("{fault}; {then}")));
    found
}

fn no_folder(folder: &Path, then: &str) -> Option<String> {
    (!folder.is_dir()).then(|| format!("there is no folder {}; {then}", folder.display()))
}

/// A name that its table lacks; empty is not asked for.
fn named(key: &str, name: Option<&str>, table: &str, then: &str) -> Option<String> {
    let name = name.filter(|name| !name.is_empty())?;
    let is_known = names::number(name, table).map_or(true, |found| found.is_some());
    (!is_known).then(|| format!("there is no `{name}` in {table}; correct `{key}`: {then}"))
}

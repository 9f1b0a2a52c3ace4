//! `seal`: prepares an image of which many hosts are made. What makes this host itself is removed from the state folder, each thing
//! told; the configuration stays, and what in it would make copies one host is told too. Status 1 where something of that is left.

use super::socket::{Failure, PACKAGE_FILE, PACKAGE_STATE};
use super::status::Page;
use crate::config::{self, Config};
use crate::state::State;
use crate::{act, clock, seal};
use clap::Args;
use std::fmt::Write;
use std::io;
use std::path::{Path, PathBuf};

#[derive(Args)]
pub(super) struct Seal {
    /// Remove nothing: say whether it is sealed; status 1 where it is not
    #[arg(long)]
    check: bool,
    /// The configuration file that the image has; without it this host's, /etc/picket/agent.toml
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Folder for state, instead of the file's; without either the file's and /var/lib/picket-agent, which a package's unit names
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
}

/// Seals, or looks.
///
/// # Errors
/// As in [`Failure`].
pub(super) fn seal(given: &Seal) -> Result<Page, Failure> {
    for path in [&given.config, &given.state].into_iter().flatten() {
        if !path.exists() {
            return Err(Failure::Usage(format!(
                "there is no {}: name what the image has; nothing was removed",
                path.display()
            )));
        }
    }
    let file = given.config.clone().unwrap_or_else(|| PathBuf::from(PACKAGE_FILE));
    let mut out = String::new();
    let mut well = true;
    for state in folders(given, config::state_of(&file))? {
        well &= clear(&state, given.check, &mut out)?;
    }
    well &= judge(&file, &mut out);
    out.push_str(match well {
        true => "sealed: each copy enrols as a host of its own, with a token of its own\n",
        false => "NOT sealed: copies would be one host to the collector\n",
    });
    Ok(Page { text: out, well })
}

/// The folders that are meant, where the file names one. This host's agent may keep its state in either of two, since a unit's `--state`
/// wins over the file. Of another file, which an image may have, this host's folder is never meant by itself.
fn folders(given: &Seal, named: Option<PathBuf>) -> Result<Vec<PathBuf>, Failure> {
    let package = PathBuf::from(PACKAGE_STATE);
    if let Some(state) = &given.state {
        return Ok(vec![state.clone()]);
    }
    let other = given.config.as_ref().filter(|file| *file != Path::new(PACKAGE_FILE));
    match (other, named) {
        (None, Some(named)) if named != package => Ok(vec![named, package]),
        (None, _) => Ok(vec![package]),
        (Some(_), Some(named)) if named != package => Ok(vec![named]),
        (Some(file), _) => Err(Failure::Usage(format!(
            "{} does not say which state folder is meant, of an image or of this host: add --state DIR; nothing was removed",
            file.display()
        ))),
    }
}

/// Clears one of them, or looks; whether nothing is left.
fn clear(state: &Path, only_look: bool, out: &mut String) -> Result<bool, Failure> {
    let failed = |error: io::Error| Failure::Refused(format!("{}: {error}", state.display()));
    let left = seal::left(state).map_err(failed)?;
    let mut well = true;
    let taken = if only_look || left.own.is_empty() { None } else { Some(take(state)?) };
    for (path, what) in &left.own {
        let word = if taken.is_some() { "removed" } else { "LEFT" };
        if taken.is_some() {
            seal::remove(path).map_err(|error| {
                Failure::Refused(format!(
                    "{out}{} can't be removed: {error}; it is not sealed",
                    path.display()
                ))
            })?;
        }
        well &= taken.is_some();
        let _text_takes_all = writeln!(out, "{word:<8} {}: {what}", path.display());
    }
    for (path, what) in &left.links {
        well = false;
        let to = std::fs::read_link(path).unwrap_or_default();
        let _text_takes_all =
            writeln!(out, "LEFT     {}: {what}, by a link to {}: remove both", path.display(), to.display());
    }
    for path in &left.others {
        let _text_takes_all = writeln!(out, "note     {} is not an agent's: it stays", path.display());
    }
    Ok(well)
}

/// Takes the folder, in which nothing may run any more.
fn take(state: &Path) -> Result<State, Failure> {
    let taken = State::take(state).map_err(|error| match error.kind() {
        io::ErrorKind::ResourceBusy => Failure::Refused(format!(
            "{error}: end it first (`systemctl stop picket-agent`); nothing was removed"
        )),
        _ => Failure::Refused(format!("{error}; nothing was removed")),
    })?;
    let boot = clock::boot().map_or(0, |boot| boot.0);
    let living = act::living(state, boot);
    if living.is_empty() {
        return Ok(taken);
    }
    Err(Failure::Refused(format!(
        "what an agent started here still runs, and no agent would know it any more: {}; end it first, nothing was removed",
        living.join(", ")
    )))
}

/// What the configuration has that would make copies one host.
fn judge(file: &Path, out: &mut String) -> bool {
    let mut say = |word: &str, text: String| {
        let _text_takes_all = writeln!(out, "{word:<8} {text}");
    };
    let mut well = true;
    let shown = file.display();
    if std::fs::symlink_metadata(file).is_ok() {
        match config::load(file) {
            Ok(config) => {
                for (table, key, why) in [
                    (
                        "agent",
                        "host",
                        "every copy would ask to be that host: take it out, the kernel's host name counts then",
                    ),
                    (
                        "collector",
                        "token",
                        "a token is good for one host: let each copy's first boot write a token_file",
                    ),
                ] {
                    if let Some((file, line)) = config.texts().place_of(table, key) {
                        say("LEFT", format!("{}:{line}: `{key}`: {why}", file.display()));
                        well = false;
                    }
                }
                say("kept", format!("{shown}"));
                token(&config, &mut say);
            }
            Err(mistakes) => {
                say("LEFT", format!("{shown} has mistakes: {mistakes}"));
                well = false;
            }
        }
    }
    let machine = std::fs::read_to_string("/etc/machine-id").unwrap_or_default();
    if !matches!(machine.trim(), "" | "uninitialized") {
        say("note", "/etc/machine-id is this machine's; it is not an agent's, but copies should not share it: `truncate --size 0 /etc/machine-id`".to_owned());
    }
    well
}

fn token(config: &Config, say: &mut dyn FnMut(&str, String)) {
    let collector = config.collector.as_ref();
    match (config.texts().place_of("collector", "token_file"), collector.is_some_and(|it| it.token.is_some())) {
        (None, _) => say(
            "note",
            "no `token_file` in [collector]: a copy would not know where its token is".to_owned(),
        ),
        (Some(_), true) => say(
            "note",
            "the image has a token: it is good for one host, so the first boot of each copy must write another in its place".to_owned(),
        ),
        (Some(_), false) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meant(
        config: Option<&str>,
        state: Option<&str>,
        named: Option<&str>,
    ) -> Result<Vec<PathBuf>, Failure> {
        let given = Seal { check: true, config: config.map(PathBuf::from), state: state.map(PathBuf::from) };
        folders(&given, named.map(PathBuf::from))
    }

    #[test]
    fn a_hosts_own_state_is_in_both_places_and_never_meant_by_another_file() {
        let is = |found: Result<Vec<PathBuf>, Failure>, wanted: &[&str]| {
            assert!(found.is_ok_and(|found| {
                found.iter().map(|path| path.to_str().unwrap()).eq(wanted.iter().copied())
            }));
        };
        is(meant(None, None, None), &[PACKAGE_STATE]);
        is(meant(None, None, Some(PACKAGE_STATE)), &[PACKAGE_STATE]);
        is(meant(None, None, Some("/data/p")), &["/data/p", PACKAGE_STATE]);
        is(meant(Some(PACKAGE_FILE), None, Some("/data/p")), &["/data/p", PACKAGE_STATE]);
        is(meant(Some("/img/agent.toml"), None, Some("/img/state")), &["/img/state"]);
        is(meant(Some("/img/agent.toml"), Some("/img/other"), Some("/img/state")), &["/img/other"]);
        for named in [None, Some(PACKAGE_STATE)] {
            assert!(matches!(meant(Some("/img/agent.toml"), None, named), Err(Failure::Usage(_))));
        }
    }
}

//! `seal`: prepares an image of which many hosts are made. What makes this host itself is removed from the state folder, each thing
//! told; the configuration stays, and what in it would make copies one host is told too. Status 1 where something of that is left.
//!
//! Which folder is meant is never guessed where the guess may be another machine's: a file that is not the package's is an image's, or
//! a trial's. With the package's file it is all that an agent of this host may have: the file's, the package's, and that of the unit,
//! whose `--state` wins over the file.

use super::socket::{Failure, PACKAGE_FILE, PACKAGE_STATE};
use super::status::Page;
use super::unit;
use crate::config::{self, Config};
use crate::state::State;
use crate::{act, clock, seal};
use clap::Args;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{fs, io};

#[derive(Args)]
pub(super) struct Seal {
    /// Remove nothing: say whether it is sealed; status 1 where it is not
    #[arg(long)]
    check: bool,
    /// The configuration file that the image has, instead of a package's [/etc/picket/agent.toml]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Folder for state. Without it: the file's, and with a package's file the package's and its unit's too
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
}

/// A state folder, and what is in it.
struct Place {
    state: PathBuf,
    left: seal::Left,
}

/// Seals, or looks.
///
/// # Errors
/// As in [`Failure`].
pub(super) fn seal(given: &Seal) -> Result<Page, Failure> {
    let places: Vec<Place> = meant(given)?.into_iter().map(look).collect::<Result<_, _>>()?;
    // All of them before the first thing is removed, and until the last one is.
    let taken: Vec<State> = match given.check {
        true => Vec::new(),
        false => places.iter().filter(|it| !it.left.own.is_empty()).map(take).collect::<Result<_, _>>()?,
    };
    let mut out = String::new();
    let mut well = true;
    for place in &places {
        well &= clear(place, given.check, &mut out)?;
    }
    drop(taken);
    well &= judge(given.config.as_deref().unwrap_or_else(|| Path::new(PACKAGE_FILE)), &mut out);
    out.push_str(match well {
        true => "sealed: each copy enrols as a host of its own, with a token of its own\n",
        false => "NOT sealed: copies would be one host to the collector\n",
    });
    Ok(Page { text: out, well })
}

/// The state folders that are meant.
fn meant(given: &Seal) -> Result<Vec<PathBuf>, Failure> {
    for path in [&given.config, &given.state].into_iter().flatten() {
        fs::metadata(path).map_err(|error| {
            let path = path.display();
            Failure::Usage(format!(
                "{path} can't be looked at: {error}; name the image's file with --config and its folder with --state. Nothing was looked at, nothing removed"
            ))
        })?;
    }
    if let Some(state) = &given.state {
        return Ok(vec![state.clone()]);
    }
    let (file, package) = (Path::new(PACKAGE_FILE), PathBuf::from(PACKAGE_STATE));
    let config = given.config.as_deref().unwrap_or(file);
    let named = config::state_of(config);
    if is_same(config, file) {
        let by_unit = unit::found(Path::new("/")).and_then(|unit| unit.state);
        let mut all: Vec<PathBuf> = Vec::new();
        for state in [named, Some(package), by_unit].into_iter().flatten() {
            if !all.iter().any(|other| is_same(other, &state)) {
                all.push(state);
            }
        }
        return Ok(all);
    }
    match named {
        Some(state) if !is_same(&state, &package) => Ok(vec![state]),
        _ => Err(Failure::Usage(format!(
            "{} does not say which folder is meant: {PACKAGE_STATE} is this host's own; give the image's with --state DIR. Nothing was looked at, nothing removed",
            config.display()
        ))),
    }
}

fn is_same(one: &Path, other: &Path) -> bool {
    let real = |path: &Path| fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    real(one) == real(other)
}

fn look(state: PathBuf) -> Result<Place, Failure> {
    let failed = |error: io::Error| Failure::Refused(format!("{}: {error}", state.display()));
    let left = seal::left(&state).map_err(failed)?;
    Ok(Place { state, left })
}

/// Removes what is an agent's, or says that it is there; whether nothing of it is left.
fn clear(place: &Place, is_check: bool, out: &mut String) -> Result<bool, Failure> {
    let mut say = |word: &str, text: String| {
        let _text_takes_all = writeln!(out, "{word:<8} {text}");
    };
    let word = if is_check { "LEFT" } else { "removed" };
    for (path, what) in &place.left.own {
        if let Err(error) = if is_check { Ok(()) } else { seal::remove(path) } {
            return Err(Failure::Refused(format!(
                "{out}{} can't be removed: {error}; it is not sealed",
                path.display()
            )));
        }
        say(word, format!("{}: {what}", path.display()));
    }
    for (path, to) in &place.left.links {
        let (path, to) = (path.display(), to.display());
        say(
            "LEFT",
            format!(
                "{path} is a link to {to}, and links are not followed: remove both, or name that folder with --state"
            ),
        );
    }
    for path in &place.left.others {
        say("note", format!("{} is not an agent's: it stays", path.display()));
    }
    let well = place.left.links.is_empty() && (place.left.own.is_empty() || !is_check);
    if well {
        say("clear", format!("{} has nothing of an agent", place.state.display()));
    }
    Ok(well)
}

/// Takes a folder, in which nothing may run any more.
fn take(place: &Place) -> Result<State, Failure> {
    let state = &place.state;
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
    if fs::symlink_metadata(file).is_ok() {
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
    let machine = fs::read_to_string("/etc/machine-id").unwrap_or_default();
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

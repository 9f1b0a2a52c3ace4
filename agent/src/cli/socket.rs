//! The other end of the local socket: finds it, asks, reads answers. Blocking, with limits, and without a runtime.
//!
//! Where: `--socket`, or `agent.sock` in the state folder of `--state`, of `--config`, or of the file and folders that
//! a package uses. An answer takes 10 s at most (an agent's own limit is 5 s), a probe 70 s.

use crate::config;
use crate::local;
use crate::state::is_taken;
use clap::Args;
use serde_json::{Value, json};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The configuration file of a package.
pub(super) const PACKAGE_FILE: &str = "/etc/picket/agent.toml";
/// The state folder of a package.
pub(super) const PACKAGE_STATE: &str = "/var/lib/picket-agent";
const PATIENCE: Duration = Duration::from_secs(10);
/// For a probe, which the agent itself gives up after 60 s.
pub(super) const LOOK_PATIENCE: Duration = Duration::from_secs(70);
/// Longest line that is taken from an agent: its own limit and some more.
const LINE_MAX: u64 = 128 * 1024;

/// Which agent is asked.
#[derive(Args)]
pub(super) struct Place {
    /// The agent's socket, instead of agent.sock in its state folder
    #[arg(long, value_name = "FILE")]
    pub(super) socket: Option<PathBuf>,
    /// The agent's state folder
    #[arg(long, value_name = "DIR")]
    pub(super) state: Option<PathBuf>,
    /// The agent's configuration file, which names its state folder
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
}

/// Why nothing was answered.
pub(super) enum Failure {
    /// No agent answers: what was tried.
    Nobody(String),
    /// It may not be asked by this user: what was tried.
    Denied(String),
    /// Nothing says where it is.
    Unnamed(String),
    /// It answered that it can't.
    Refused(String),
    /// It can't be found, since the configuration has mistakes.
    Config(config::Mistakes),
    /// The command line is wrong: what to write.
    Usage(String),
}

/// A connection to an agent.
pub(super) struct Socket {
    stream: BufReader<UnixStream>,
}

impl Place {
    /// Connects to the agent.
    ///
    /// # Errors
    /// [`Failure::Nobody`] or [`Failure::Denied`] with the paths that were tried, [`Failure::Unnamed`] or
    /// [`Failure::Config`].
    pub(super) fn connect(&self) -> Result<Socket, Failure> {
        let mut tried = Vec::new();
        for place in self.places()? {
            match dial(&place) {
                Ok(stream) => return Ok(Socket { stream: BufReader::new(stream) }),
                Err(error) => tried.push((place, error.kind())),
            }
        }
        Err(silent(&tried))
    }

    /// The agent's state folder, whether an agent runs or not.
    ///
    /// # Errors
    /// [`Failure::Unnamed`] or [`Failure::Config`].
    pub(super) fn folder(&self) -> Result<PathBuf, Failure> {
        let of_socket = self.socket.as_ref().and_then(|socket| socket.parent().map(Path::to_path_buf));
        if let Some(folder) = self.state.clone().or(of_socket) {
            return Ok(folder);
        }
        let package = Path::new(PACKAGE_FILE);
        match &self.config {
            Some(file) => state_of(file),
            None if package.exists() => state_of(package).or_else(|_| Ok(PathBuf::from(PACKAGE_STATE))),
            None => Ok(PathBuf::from(PACKAGE_STATE)),
        }
    }

    fn places(&self) -> Result<Vec<PathBuf>, Failure> {
        if let Some(socket) = &self.socket {
            return Ok(vec![socket.clone()]);
        }
        if let Some(state) = &self.state {
            return Ok(vec![state.join(local::NAME)]);
        }
        if let Some(file) = &self.config {
            return Ok(vec![state_of(file)?.join(local::NAME)]);
        }
        let file = Path::new(PACKAGE_FILE);
        let named = if file.exists() { state_of(file).ok() } else { None };
        let known = [Some(PathBuf::from(PACKAGE_STATE)), named];
        Ok(known.into_iter().rev().flatten().map(|folder| folder.join(local::NAME)).collect())
    }
}

fn state_of(file: &Path) -> Result<PathBuf, Failure> {
    let config = config::load(file).map_err(Failure::Config)?;
    config.state.ok_or_else(|| Failure::Unnamed(format!("{} names no state folder", file.display())))
}

/// Connects by the folder's descriptor, so that a long path does not matter; a socket of another name by its path.
fn dial(socket: &Path) -> io::Result<UnixStream> {
    let stream = match (socket.parent(), socket.file_name()) {
        (Some(folder), Some(name)) if name == local::NAME && folder.is_dir() => {
            local::at(folder, |short| UnixStream::connect(short))?
        }
        _ => UnixStream::connect(socket)?,
    };
    stream.set_write_timeout(Some(PATIENCE))?;
    Ok(stream)
}

/// Nobody answered at these places. An agent may well be where this user may not look.
fn silent(tried: &[(PathBuf, io::ErrorKind)]) -> Failure {
    let told = tried.iter().map(|(place, kind)| {
        let folder = place.parent().unwrap_or(place);
        let is_mute = *kind == io::ErrorKind::NotFound && is_taken(folder);
        let why = if is_mute { MUTE } else { words(*kind) };
        format!("{}: {why}", place.display())
    });
    let told: Vec<_> = told.collect();
    let told = told.join("; ");
    match tried.iter().any(|(_, kind)| *kind == io::ErrorKind::PermissionDenied) {
        true => Failure::Denied(told),
        false => Failure::Nobody(told),
    }
}

/// An agent's folder without a socket.
const MUTE: &str = "an agent runs without a socket, since it could not make one there: its log says why";

const fn words(kind: io::ErrorKind) -> &'static str {
    match kind {
        io::ErrorKind::NotFound => "there is no socket",
        io::ErrorKind::ConnectionRefused => "nobody listens (left by an agent that was killed)",
        io::ErrorKind::PermissionDenied => "permission denied",
        _ => "can't be connected to",
    }
}

impl Socket {
    /// Asks; `patience` bounds the wait for each part of the answer, `None` waits as long as it takes.
    ///
    /// # Errors
    /// As in [`Failure`].
    pub(super) fn ask(&mut self, request: &Value, patience: Option<Duration>) -> Result<Value, Failure> {
        let lost = |error: io::Error| Failure::Nobody(format!("the agent did not answer: {error}"));
        self.stream.get_ref().set_read_timeout(patience).map_err(lost)?;
        self.stream.get_mut().write_all(format!("{request}\n").as_bytes()).map_err(lost)?;
        self.next()?.ok_or_else(|| Failure::Nobody("the agent ended".to_owned()))
    }

    /// A short question without more words.
    ///
    /// # Errors
    /// As in [`Failure`].
    pub(super) fn simple(&mut self, ask: &str) -> Result<Value, Failure> {
        self.ask(&json!({ "v": local::VERSION, "ask": ask }), Some(PATIENCE))
    }

    /// Every page of a list.
    ///
    /// # Errors
    /// As in [`Failure`].
    pub(super) fn pages(&mut self, list: &str) -> Result<Vec<Value>, Failure> {
        let (mut all, mut from) = (Vec::new(), Some(0));
        while let Some(start) = from {
            let request = json!({ "v": local::VERSION, "ask": list, "from": start });
            let mut page = self.ask(&request, Some(PATIENCE))?;
            if let Some(Value::Array(items)) = page.get_mut(list).map(Value::take) {
                all.extend(items);
            }
            from = page.get("next").and_then(Value::as_u64).filter(|next| *next > start);
        }
        Ok(all)
    }

    /// The next document; `None` when there is none any more.
    ///
    /// # Errors
    /// As in [`Failure`].
    pub(super) fn next(&mut self) -> Result<Option<Value>, Failure> {
        let lost =
            |error: &dyn std::fmt::Display| Failure::Nobody(format!("the agent did not answer: {error}"));
        let mut line = String::new();
        let read = (&mut self.stream).take(LINE_MAX).read_line(&mut line).map_err(|error| lost(&error))?;
        if read == 0 {
            return Ok(None);
        }
        let document: Value = serde_json::from_str(&line).map_err(|error| lost(&error))?;
        match document.get("error").and_then(Value::as_str) {
            Some(refusal) => Err(Failure::Refused(refusal.to_owned())),
            None => Ok(Some(document)),
        }
    }

    /// Waits as long as it takes, from now on.
    pub(super) fn be_patient(&self) {
        let _a_socket_takes_it = self.stream.get_ref().set_read_timeout(None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_that_this_user_may_not_look_at_is_not_an_agent_that_is_not_there() {
        let at = |folder: &str| Path::new(folder).join(local::NAME);
        let denied = [(at("/a"), io::ErrorKind::NotFound), (at("/b"), io::ErrorKind::PermissionDenied)];
        assert!(
            matches!(silent(&denied), Failure::Denied(told) if told.contains("/b/agent.sock: permission denied"))
        );
        assert!(matches!(silent(&denied[..1]), Failure::Nobody(told) if told.contains("there is no socket")));
    }

    #[test]
    fn the_unit_keeps_its_state_where_the_commands_look_for_it() {
        let unit = include_str!("../../../systemd/picket-agent.service");
        let run =
            format!("ExecStart=/usr/bin/picket-agent run --config {PACKAGE_FILE} --state {PACKAGE_STATE}");
        assert!(unit.lines().any(|line| line == run), "{run}");
        let folder = PACKAGE_STATE.strip_prefix("/var/lib/").unwrap();
        assert!(unit.lines().any(|line| line == format!("StateDirectory={folder}")), "{folder}");
    }
}

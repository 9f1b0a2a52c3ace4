//! `kind = "container"`: a container of Docker or Podman runs, and is healthy where it says so.

use super::{Read, Target};
use crate::config::read::{Keys, Sheet};
use std::fmt;
use std::path::PathBuf;

/// Docker's socket, which Podman's package for Docker's command offers too.
const SOCKET: &str = "/run/docker.sock";
const NAME_MAX: usize = 128;

/// A container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Container {
    /// Its name or id.
    pub container: String,
    /// Where its engine answers.
    pub socket: PathBuf,
}

impl fmt::Display for Container {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "container {} of {}", self.container, self.socket.display())
    }
}

pub(super) fn read(keys: &mut Keys<'_>, sheet: &mut Sheet<'_>) -> Option<Read> {
    let socket = keys.text(sheet, "socket").map_or(SOCKET, |(socket, _)| socket);
    let socket = sheet.beside(socket);
    let (container, place) = keys.needed(sheet, "container")?;
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    if !(1..=NAME_MAX).contains(&container.len()) || !container.bytes().all(allowed) {
        sheet.wrong(&place, format!("must be 1 to {NAME_MAX} of A-Z a-z 0-9 . _ -"), None);
        return None;
    }
    let name = format!("container:{container}");
    Some(Read {
        target: Target::Container(Container { container: container.to_owned(), socket }),
        limits: None,
        name,
    })
}

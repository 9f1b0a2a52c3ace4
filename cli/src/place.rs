//! Where the collector is and who asks: its address and the folder with the operator's credentials.
//!
//! Each of the two comes from its option, else from its environment variable, else from the running `picket up` of
//! this user: a folder in $XDG_RUNTIME_DIR or /tmp that belongs to this user and that nobody else can enter. A folder
//! that fails this is refused, for whoever owns it could have planted a collector of their own.

use crate::args::Globals;
use crate::failure::Failure;
use crate::link;
use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The file in the folder that holds `HOST:PORT`.
pub(crate) const ADDRESS: &str = "collector.addr";
/// The folder in the folder that holds cert.pem, key.pem and ca.pem.
pub(crate) const CREDENTIALS: &str = "operator";

/// The file that a running `picket up` holds locked; it stays in a folder that was named.
pub(crate) const LOCK: &str = "up.lock";

/// A collector and the credentials to ask it with.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// `HOST:PORT`.
    pub(crate) address: String,
    /// The folder with cert.pem, key.pem and ca.pem.
    pub(crate) credentials: PathBuf,
}

impl Place {
    /// Whether the credentials are those of a `picket up` that does not run any more, or that runs anew.
    pub(crate) fn up_has_ended(&self) -> bool {
        let Some(home) = self.credentials.parent() else { return false };
        let of_an_up = home == folder() || home.join(LOCK).exists();
        let port = |address: &str| address.trim().rsplit(':').next().map(str::to_owned);
        let runs = fs::read_to_string(home.join(ADDRESS)).is_ok_and(|now| port(&now) == port(&self.address));
        of_an_up && !(runs && self.credentials.join("ca.pem").exists())
    }
}

/// Finds the collector to ask.
pub(crate) fn find(globals: &Globals) -> Result<Place, Failure> {
    let address =
        globals.collector.clone().or_else(|| set("PICKET_COLLECTOR").map(|text| text.display().to_string()));
    if let Some(address) = &address {
        link::name(address)?; // before anything else is looked for: no credentials mend it
    }
    let credentials = globals.credentials.clone().or_else(|| set("PICKET_CREDENTIALS"));
    match (address, credentials) {
        (Some(address), Some(credentials)) => Ok(Place { address, credentials }),
        (Some(address), None) => {
            let credentials = running("no credentials are given")?.credentials;
            Ok(Place { address, credentials })
        }
        (None, Some(credentials)) => {
            let address = running("no collector is given")?.address;
            Ok(Place { address, credentials })
        }
        (None, None) => running("no collector is given"),
    }
}

fn set(variable: &str) -> Option<PathBuf> {
    std::env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// The folder that `picket up` uses for this user unless told otherwise.
pub(crate) fn folder() -> PathBuf {
    match set("XDG_RUNTIME_DIR").filter(|path| path.is_dir()) {
        Some(runtime) => runtime.join("picket-up"),
        None => PathBuf::from(format!("/tmp/picket-up-{}", rustix::process::getuid().as_raw())),
    }
}

/// What the running `picket up` of this user left for us to find.
fn running(missing: &str) -> Result<Place, Failure> {
    let folder = folder();
    let nobody = || {
        Failure::unreachable(
            format!("{missing}, and no `picket up` of this user runs in its default folder"),
            "Start one with `picket up`; for one that runs with --data DIR use --credentials DIR/operator \
             --collector $(cat DIR/collector.addr); for any other give --collector HOST:PORT and --credentials DIR \
             (or PICKET_COLLECTOR and PICKET_CREDENTIALS).",
        )
    };
    match fs::symlink_metadata(&folder) {
        Ok(_) => private(&folder)?,
        Err(absent) if absent.kind() == ErrorKind::NotFound => return Err(nobody()),
        Err(error) => return Err(unreadable(&folder, &error)),
    }
    match fs::read_to_string(folder.join(ADDRESS)) {
        Ok(address) => {
            Ok(Place { address: address.trim().to_owned(), credentials: folder.join(CREDENTIALS) })
        }
        Err(absent) if absent.kind() == ErrorKind::NotFound => Err(nobody()),
        Err(error) => Err(unreadable(&folder.join(ADDRESS), &error)),
    }
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::failed(format!("cannot read {}: {error}", path.display()), "Look at its owner and rights.")
}

/// Refuses a folder that is a link, belongs to another user, or can be entered by others.
pub(crate) fn private(folder: &Path) -> Result<(), Failure> {
    let found = fs::symlink_metadata(folder).map_err(|error| unreadable(folder, &error))?;
    let ours = found.uid() == rustix::process::getuid().as_raw();
    if found.is_dir() && ours && found.mode() & 0o077 == 0 {
        return Ok(());
    }
    Err(Failure::refused(
        format!("{} is not a folder that only you can enter", folder.display()),
        "Look at who made it; remove it, or name another folder.",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    #[test]
    fn an_up_with_a_named_folder_has_ended_when_its_address_is_gone_or_another() {
        let home = tempfile::tempdir().unwrap();
        let credentials = home.path().join(CREDENTIALS);
        fs::create_dir(&credentials).unwrap();
        fs::write(credentials.join("ca.pem"), "").unwrap();
        fs::write(home.path().join(ADDRESS), "127.0.0.1:7440\n").unwrap();
        let place = Place { address: "localhost:7440".to_owned(), credentials };
        fs::write(home.path().join(LOCK), "").unwrap();
        assert!(!place.up_has_ended(), "it runs, by whatever name it was called");
        fs::write(home.path().join(ADDRESS), "127.0.0.1:7441").unwrap();
        assert!(place.up_has_ended(), "another runs there now");
        fs::remove_file(home.path().join(ADDRESS)).unwrap();
        assert!(place.up_has_ended());
        fs::remove_file(home.path().join(LOCK)).unwrap();
        assert!(!place.up_has_ended(), "a collector's own folder is none of an up's");
    }

    #[test]
    fn a_folder_that_others_can_enter_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).unwrap();
        assert!(private(folder.path()).is_ok());
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o750)).unwrap();
        assert!(private(folder.path()).is_err());
    }

    #[test]
    fn a_link_in_the_folders_place_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("target");
        fs::create_dir(&target).unwrap();
        fs::set_permissions(&target, fs::Permissions::from_mode(0o700)).unwrap();
        symlink(&target, folder.path().join("link")).unwrap();
        assert!(private(&target).is_ok());
        assert!(private(&folder.path().join("link")).is_err());
    }
}

//! The ground for the cases of `ends`: a private systemd.

use super::*;
use picket_tests::rig::ends::{Ground, Paths};
use std::path::Path;
use std::process::Command;

impl Files {
    /// With its unit's own file.
    pub(crate) fn with_unit(self, folder: &Path, nth: usize) -> Paths {
        let unit = folder.join(format!("units/web-{nth}.service")).to_str().unwrap().to_owned();
        Paths { unit, starts: self.starts, broken: self.broken }
    }
}

impl Ground for Host {
    fn ctl(&self, words: &[&str]) -> Result<String, String> {
        self.systemd.try_ctl(words)
    }

    fn kill(&self, pid: &str, signal: &str) -> Result<(), String> {
        let output = Command::new("kill").args(["-s", signal, pid]).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        if output.status.success() { Ok(()) } else { Err(said) }
    }

    fn path(&self, path: &str) -> PathBuf {
        path.into()
    }

    fn paths(&self, nth: usize) -> Paths {
        Files::of(&self.folder, nth).with_unit(self.systemd.folder(), nth)
    }

    fn said(&mut self) -> String {
        self.agent.said()
    }

    fn is_whole(&self) -> bool {
        false
    }
}

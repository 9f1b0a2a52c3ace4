//! dpkg and apt-get as programs: in a process group of their own, with a limit of time, their output in a file.

use super::super::program::Program;
use super::{BUSY, Keeper, Version, dpkg};
use picket_proto::event::Exit;
use std::path::PathBuf;
use std::time::Duration;

/// It only reads and reckons.
const SIMULATE: Duration = Duration::from_secs(30);
/// Unpacks, and runs scripts that start and stop services. It is long since a dpkg that is killed in the midst leaves a
/// package half installed. The core gives thrice that and the simulation.
const INSTALL: Duration = Duration::from_secs(600);
/// What scripts need to run at all, and nothing of the agent's own; nobody answers questions.
const CLEAN: [&str; 6] = [
    "/usr/bin/env",
    "-i",
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME=/root",
    "LC_ALL=C",
    "DEBIAN_FRONTEND=noninteractive",
];

impl Keeper {
    /// Whether it, and nothing else, would be changed.
    pub(super) fn simulate(&self, versions: &[Version], debs: &[PathBuf]) -> Result<(), String> {
        // Without --no-remove, which would refuse without saying what would go.
        let options = ["--simulate", "--no-download", "--allow-downgrades", "--assume-yes"];
        // What the host's apt may be told to do beside it, dpkg will not do.
        let quiet = ["--no-install-recommends", "-o", "APT::Get::AutomaticRemove=false"];
        let options = options.into_iter().chain(quiet).chain(["-o", "APT::Sandbox::User=root", "install"]);
        let exit = self.run(&self.places.apt, options, debs, SIMULATE);
        let printed = self.printed();
        dpkg::agrees(versions, exit == Exit::Code(0), &printed)
            .map_err(|why| format!("apt-get refuses it, and nothing was changed: {why}"))
    }

    pub(super) fn install(&self, debs: &[PathBuf]) -> Result<(), String> {
        let exit = self.run(&self.places.dpkg, ["--force-confold", "--install"].into_iter(), debs, INSTALL);
        match exit {
            Exit::Code(0) => Ok(()),
            Exit::NotStarted(libc::ETIMEDOUT) => {
                Err(format!("dpkg took longer than {} s", INSTALL.as_secs()))
            }
            exit => match dpkg::reason(&self.printed()) {
                why if why.contains("was locked by another process") => Err(BUSY.to_owned()),
                why => Err(format!("dpkg {exit}: {why}")),
            },
        }
    }

    fn run<'o>(
        &self,
        program: &'o str,
        options: impl Iterator<Item = &'o str>,
        debs: &[PathBuf],
        limit: Duration,
    ) -> Exit {
        let words = CLEAN.into_iter().chain([program]).chain(options).map(str::to_owned);
        let parts = words.chain(debs.iter().map(|deb| deb.display().to_string())).collect();
        Program { parts, output: Some(self.folder.join("out")), limit, files: self.files }.run_here().exit
    }

    fn printed(&self) -> String {
        std::fs::read(self.folder.join("out"))
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .unwrap_or_default()
    }
}

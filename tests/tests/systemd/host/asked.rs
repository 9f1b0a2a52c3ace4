//! What is asked of a host's agent, and what it keeps.

use super::*;

impl Host {
    /// Asks the agent on its socket; what it said, and whether all is well.
    pub(crate) fn ask(&self, words: &[&str]) -> (String, bool) {
        let state = self.folder.path().join("state");
        let mut command = std::process::Command::new(program());
        let output = command.arg("__agent").args(words).arg("--state").arg(state).output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        (String::from_utf8_lossy(&said).into_owned(), output.status.success())
    }

    /// Waits until the agent has learned these things.
    pub(crate) fn learned(&self, names: &[&str]) -> String {
        let since = Since::now();
        loop {
            let (said, _) = self.ask(&["baseline", "show"]);
            let is_learned = |name: &&str| {
                said.lines().any(|line| line.split(' ').any(|word| word == *name) && !line.ends_with("new"))
            };
            if names.iter().all(is_learned) {
                return said;
            }
            assert!(!since.left(PATIENCE).is_zero(), "not {names:?}:\n{said}");
            look_again();
        }
    }

    /// Waits until what the agent keeps of the baseline is so.
    pub(crate) fn kept_baseline(&self, is_so: impl Fn(&[u8]) -> bool) -> Vec<u8> {
        let (file, since) = (self.folder.path().join("state/baseline"), Since::now());
        loop {
            let kept = fs::read(&file).unwrap_or_default();
            if is_so(&kept) {
                return kept;
            }
            assert!(!since.left(PATIENCE).is_zero(), "{} is not written", file.display());
            look_again();
        }
    }
}

//! The unit that a package brings: with which file and folder it starts the agent. Read from its files, not asked of systemd: an image
//! is made where it does not run. Quotes and specifiers are not understood; a path that has them is not found, and says nothing.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

const NAME: &str = "picket-agent.service";
/// What stands in an earlier one wins.
const FOLDERS: [&str; 4] =
    ["etc/systemd/system", "run/systemd/system", "usr/lib/systemd/system", "lib/systemd/system"];

/// What its command line names.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Unit {
    pub(super) config: Option<PathBuf>,
    pub(super) state: Option<PathBuf>,
}

/// The unit below this root with its drop-ins; `None` where there is none.
pub(super) fn found(root: &Path) -> Option<Unit> {
    let whole = FOLDERS.iter().find_map(|folder| fs::read_to_string(root.join(folder).join(NAME)).ok())?;
    let mut drop_ins = BTreeMap::new();
    for folder in FOLDERS.iter().rev() {
        let entries = fs::read_dir(root.join(folder).join(format!("{NAME}.d")));
        for entry in entries.into_iter().flatten().flatten() {
            drop_ins.insert(entry.file_name(), entry.path());
        }
    }
    let conf = |path: &PathBuf| path.extension().is_some_and(|ending| ending == "conf");
    let texts = drop_ins.into_values().filter(conf).filter_map(|path| fs::read_to_string(path).ok());
    let all = [whole].into_iter().chain(texts).collect::<Vec<_>>().join("\n").replace("\\\n", " ");
    let start = all.lines().filter_map(|line| line.trim().strip_prefix("ExecStart=")).next_back()?;
    let words: Vec<&str> = start.split_ascii_whitespace().collect();
    Some(Unit { config: option(&words, "--config"), state: option(&words, "--state") })
}

/// The value of an option, in either of its forms.
fn option(words: &[&str], name: &str) -> Option<PathBuf> {
    words.iter().enumerate().find_map(|(at, word)| match word.strip_prefix(name)? {
        "" => words.get(at + 1).map(PathBuf::from),
        rest => rest.strip_prefix('=').map(PathBuf::from),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_command_line_counts_and_an_administrators_file_wins() {
        let root = tempfile::tempdir().unwrap();
        assert_eq!(found(root.path()), None);
        let write = |name: &str, text: &str| {
            let path = root.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        let unit = include_str!("../../../systemd/picket-agent.service");
        write("usr/lib/systemd/system/picket-agent.service", unit);
        let of =
            |config: &str, state: &str| Some(Unit { config: Some(config.into()), state: Some(state.into()) });
        assert_eq!(found(root.path()), of("/etc/picket/agent.toml", "/var/lib/picket-agent"));
        let drop_in =
            "[Service]\nExecStart=\nExecStart=/usr/bin/picket-agent run \\\n  --config /a --state=/b\n";
        write("usr/lib/systemd/system/picket-agent.service.d/10.conf", drop_in);
        assert_eq!(found(root.path()), of("/a", "/b"));
        write("etc/systemd/system/picket-agent.service.d/10.conf", "[Service]\nNice=1\n");
        assert_eq!(found(root.path()), of("/etc/picket/agent.toml", "/var/lib/picket-agent"));
        write("etc/systemd/system/picket-agent.service", "[Service]\nExecStart=/opt/picket-agent run\n");
        assert_eq!(found(root.path()), Some(Unit::default()));
    }
}

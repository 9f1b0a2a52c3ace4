//! What only `run` would notice of a sound file: a state folder that can't be, no collector, programs, folders and
//! mounts that are not there, a `{..}` that means nothing. Looks, starts nothing and changes nothing.
//!
//! These are warnings, not mistakes: a program may come later, and the command line may name a state folder.

use crate::config::{Config, Service, Target};
use crate::plan::{self, Given};
use rustix::fs::Access;
use std::path::{Path, PathBuf};

/// Everything about `config` that `run` would stumble over, each with what to do.
pub(super) fn warnings(config: &Config) -> Vec<String> {
    let mut found = Vec::new();
    if let Err(mistakes) = plan::settle(config.clone(), &Given::default()) {
        found.extend(mistakes.0.iter().map(|mistake| {
            let better = mistake.suggestion.as_deref().unwrap_or("see `run --help`");
            format!("`run` would refuse: {}; {better}", mistake.problem)
        }));
    }
    found.extend(config.state.as_deref().and_then(folder));
    for service in config.services() {
        let name = &service.spec.name;
        found.extend(of_service(service).into_iter().map(|what| format!("service {name}: {what}")));
    }
    for check in config.checks() {
        if let Target::Space { mount } = &check.target
            && !Path::new(mount).is_dir()
        {
            found.push(format!(
                "check {}: there is no folder {mount}; its verdict will be down",
                check.name()
            ));
        }
    }
    found
}

/// A state folder that can't be made or written.
fn folder(state: &Path) -> Option<String> {
    let there = state.ancestors().find(|folder| folder.exists())?;
    let writable = rustix::fs::access(there, Access::WRITE_OK | Access::EXEC_OK).is_ok() && there.is_dir();
    (!writable).then(|| {
        format!(
            "agent.state: {} can't be made or written, because of {}; run as another user or name another folder",
            state.display(),
            there.display()
        )
    })
}

fn of_service(service: &Service) -> Vec<String> {
    let mut found = Vec::new();
    let Some(program) = service.command.first() else { return found };
    let texts = service.command.iter().chain(service.env.iter().map(|(_, value)| value));
    for word in texts.chain([&service.cwd]).flat_map(|text| unknown(text)) {
        found.push(format!("`{{{word}}}` means nothing here; there are {{here}} and {{state}}"));
    }
    if !program.contains("{state}") {
        let path = PathBuf::from(program);
        if !path.is_file() {
            found.push(format!("there is no program {program}; its start will fail until it is there"));
        } else if rustix::fs::access(&path, Access::EXEC_OK).is_err() {
            found.push(format!(
                "{program} can't be executed by this user; `chmod +x`, or run as another user"
            ));
        }
    }
    if !service.cwd.contains("{state}") && !Path::new(&service.cwd).is_dir() {
        found
            .push(format!("there is no folder {} (cwd); its start will fail until it is there", service.cwd));
    }
    found
}

/// Words in braces that look like ours and are not. `${..}` is a shell's.
fn unknown(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut before = ' ';
    for (at, c) in text.char_indices() {
        if c == '{'
            && before != '$'
            && let Some((word, _)) = text[at + 1..].split_once('}')
            && !word.is_empty()
            && word.bytes().all(|byte| byte.is_ascii_lowercase())
            && word != "state"
        {
            words.push(word);
        }
        before = c;
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_run_would_stumble_over_is_told_by_name() {
        let there = tempfile::NamedTempFile::new().unwrap();
        let state = there.path().join("state");
        let head = format!("[agent]\nstate = \"{}\"\n", state.display());
        let text = "[[service]]\nname = \"web\"\n\
                    command = [\"/nonexistent/server\", \"{hear}/x\", \"${home}\", \"awk {print $1}\"]\n\
                    cwd = \"/nonexistent\"\n[host]\nspace = [{ mount = \"/nonexistent/mount\" }]\n";
        let config = crate::config::parse(Path::new("/tmp/agent.toml"), &(head + text)).unwrap();
        let told = warnings(&config).join("\n");
        for part in [
            "`run` would refuse: no collector",
            "state can't be made or written",
            "service web: `{hear}` means nothing",
            "service web: there is no program /nonexistent/server",
            "service web: there is no folder /nonexistent (cwd)",
            "there is no folder /nonexistent/mount",
        ] {
            assert!(told.contains(part), "{part} in\n{told}");
        }
        assert!(!told.contains("{home}") && !told.contains("{print"), "{told}");
    }

    #[test]
    fn a_folder_that_can_be_made_is_fine() {
        let folder_there = tempfile::tempdir().unwrap();
        assert_eq!(folder(&folder_there.path().join("a/b")), None);
    }
}

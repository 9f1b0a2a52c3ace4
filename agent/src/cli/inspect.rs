//! What only `run` would notice of a sound file: a state folder that can't be, no collector, programs, folders and
//! mounts that are not there, a `{..}` that means nothing. Looks, starts nothing and changes nothing.
//!
//! These are warnings, not mistakes: a program may come later, and the command line may name a state folder.

mod checks;

use super::{refuse, say};
use crate::config::{Config, Service};
use crate::plan::{self, Given};
use picket_proto::Span;
use rustix::fs::Access;
use std::path::Path;
use std::process::ExitCode;

/// Reads a file and says what it watches, and what of that is not sound.
pub(super) fn check(file: &Path) -> ExitCode {
    match crate::config::load(file) {
        Ok(config) => {
            let mut out = std::io::stdout();
            for service in config.services() {
                let own = || match &service.commands {
                    Some(commands) => format!("started by {}", commands.start.join(" ")),
                    None => service.command.join(" "),
                };
                let what = service.unit.clone().unwrap_or_else(own);
                let done = if service.spec.observes { "only observed" } else { "healed" };
                say(&mut out, &format!("service {}: {what} ({done})", service.spec.name));
            }
            for check in config.checks() {
                say(
                    &mut out,
                    &format!("check   {}: {}, every {}", check.name(), check.target(), check.spec.interval),
                );
            }
            for note in &config.notes {
                say(&mut out, &format!("note    {note}"));
            }
            for skipped in config.skipped() {
                say(&mut out, &format!("skipped {}: {}", skipped.what, skipped.why));
            }
            for warning in warnings(&config) {
                say(&mut std::io::stderr(), &format!("warning: {warning}"));
            }
            ExitCode::SUCCESS
        }
        Err(mistakes) => refuse(&mistakes),
    }
}

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
    if !crate::clock::synced() && config.checks().iter().any(|check| check.spec.unusual > Span::ZERO) {
        let why =
            "what is `unusual` is not told until the kernel calls the clock synchronised (see `timedatectl`)";
        found.push(why.to_owned());
    }
    for service in config.services() {
        let name = &service.spec.name;
        found.extend(of_service(service).into_iter().map(|what| format!("service {name}: {what}")));
    }
    for check in config.checks() {
        found.extend(
            checks::of_check(check).into_iter().map(|what| format!("check {}: {what}", check.name())),
        );
    }
    found
}

/// A state folder that can't be made or written.
fn folder(state: &Path) -> Option<String> {
    unwritable(state).map(|there| {
        format!(
            "agent.state: {} can't be made or written, because of {}; run as another user or name another folder",
            state.display(),
            there.display()
        )
    })
}

/// What is in the way of writing at `path`: itself, or what there is of the folders above it.
pub(super) fn unwritable(path: &Path) -> Option<&Path> {
    let there = path.ancestors().find(|folder| folder.exists())?;
    let writable = rustix::fs::access(there, Access::WRITE_OK | Access::EXEC_OK).is_ok() && there.is_dir();
    (!writable).then_some(there)
}

fn of_service(service: &Service) -> Vec<String> {
    let mut found = Vec::new();
    for command in service
        .commands
        .iter()
        .flat_map(|all| [&all.start, &all.stop, &all.status].into_iter().chain(&all.reload))
    {
        let fault = command.first().and_then(|program| program_fault(program));
        found.extend(fault.map(|fault| format!("{fault}; what it does will fail until then")));
    }
    if let Some(kept) = &service.kept {
        found.extend(crate::act::lacks(kept));
        let fault = kept.precheck.iter().flatten().next().and_then(|program| program_fault(program));
        found.extend(fault.map(|fault| format!("{fault}; no rollback can be done until then")));
    }
    found.extend(service.packages.iter().flat_map(|names| crate::act::packages_lack(names)));
    let Some(program) = service.command.first() else { return found };
    let texts = service.command.iter().chain(service.env.iter().map(|(_, value)| value));
    for word in texts.chain([&service.cwd]).flat_map(|text| unknown(text)) {
        found.push(format!("`{{{word}}}` means nothing here; there are {{here}} and {{state}}"));
    }
    if !program.contains("{state}") {
        let fault = program_fault(program);
        found.extend(fault.map(|fault| format!("{fault}; its start will fail until then")));
    }
    if !service.cwd.contains("{state}") && !Path::new(&service.cwd).is_dir() {
        found
            .push(format!("there is no folder {} (cwd); its start will fail until it is there", service.cwd));
    }
    found
}

/// Why a program can't be started, with what to do; nothing where it can.
fn program_fault(program: &str) -> Option<String> {
    let path = Path::new(program);
    if !program.contains('/') {
        return Some(format!("there is no program {program} in PATH; install it, or name it by its path"));
    }
    if !path.is_file() {
        return Some(format!("there is no program {program}; install it, or correct its path"));
    }
    let is_refused = rustix::fs::access(path, Access::EXEC_OK).is_err();
    is_refused
        .then(|| format!("{program} can't be executed by this user; `chmod +x`, or run as another user"))
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
            ": there is no folder /nonexistent/mount",
        ] {
            assert!(told.contains(part), "{part} in\n{told}");
        }
        assert!(!told.contains("{home}") && !told.contains("{print"), "{told}");
    }

    #[test]
    fn what_a_check_would_lack_is_told_with_what_to_do() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let text = format!(
            "[[check]]\nkind = \"exec\"\nname = \"ghost\"\ncommand = [\"/bin/true\"]\nuser = \"no-such-user\"\n\
             [[check]]\nkind = \"exec\"\nname = \"gone\"\ncommand = [\"check_no_such_thing\"]\n\
             [[check]]\nkind = \"exec\"\nname = \"plain\"\ncommand = [\"{}\"]\n\
             [[check]]\nkind = \"backup\"\nname = \"dumps\"\npath = \"/nonexistent/db-*\"\nmax_age = {{ degraded = \"1d\", down = \"2d\" }}\n\
             verify = [\"/nonexistent/drill\"]\n\
             [[check]]\nkind = \"job\"\nname = \"nightly\"\nstamp = \"/nonexistent/stamp\"\nmax_age = {{ degraded = \"1d\", down = \"2d\" }}\n\
             [[check]]\nkind = \"process\"\nname = \"cron\"\nexecutable = \"/nonexistent/cron\"\nuser = \"no-such-user\"\n\
             [[check]]\nkind = \"file\"\nname = \"key\"\npath = \"/etc/passwd\"\nowner = \"no-such-user\"\n\
             group = \"no-such-group\"\n\
             [[service]]\nname = \"web\"\nstart = [\"/nonexistent/start\"]\nstop = [\"/bin/true\"]\nstatus = [\"/bin/true\"]\n",
            file.path().display()
        );
        let config = crate::config::parse(Path::new("/tmp/agent.toml"), &text).unwrap();
        let all = warnings(&config);
        let told = all.join("\n");
        for part in [
            "check ghost: there is no user `no-such-user` in /etc/passwd; correct `user`",
            "check gone: there is no program check_no_such_thing in PATH; install it, or name it by its path",
            "can't be executed by this user; `chmod +x`",
            "check dumps: there is no program /nonexistent/drill; install it, or correct its path; no drill can run",
            "check dumps: there is no folder /nonexistent; it holds no copy",
            "check nightly: there is no folder /nonexistent; nobody can touch the stamp there",
            "check cron: there is no `no-such-user` in /etc/passwd; correct `user`: no process will fit",
            "check cron: there is no program /nonexistent/cron: no process will fit",
            "check key: there is no `no-such-user` in /etc/passwd; correct `owner`",
            "check key: there is no `no-such-group` in /etc/group; correct `group`",
            "service web: there is no program /nonexistent/start; install it",
        ] {
            assert!(told.contains(part), "{part} in\n{told}");
        }
        assert_eq!(all.iter().filter(|line| line.starts_with("service web")).count(), 1, "{told}");
    }

    #[test]
    fn a_folder_that_can_be_made_is_fine() {
        let folder_there = tempfile::tempdir().unwrap();
        assert_eq!(folder(&folder_there.path().join("a/b")), None);
    }
}

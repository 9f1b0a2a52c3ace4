//! At the agent's start: tells the processes of services that the configuration has no more, or has under another name.
//!
//! Such a process keeps its port, and nobody watches it. It is told at every start and never ended: the agent can't
//! know whether the service was given up or is only looked after by someone else now. One folder is read, no more.

use super::adopt;
use crate::config::Service;
use std::path::Path;

/// A process that no service of the configuration owns.
#[derive(Debug, PartialEq, Eq)]
struct Orphan {
    service: String,
    pid: i32,
}

/// Tells every process that an identity file in `folder` names and that lives, but that is of none of `services`.
pub(super) fn tell(folder: &Path, services: &[Service], boot: u128) {
    for Orphan { service, pid } in find(folder, services, boot) {
        tracing::warn!(
            service,
            pid,
            "the service is not in the configuration any more, but its process lives and is not watched; \
             `kill {pid}` ends it"
        );
    }
}

/// Every process that an agent started and that lives, as `NAME (pid N)`.
pub(crate) fn living(state: &Path, boot: u128) -> Vec<String> {
    let all = find(&state.join("services"), &[], boot).into_iter();
    all.map(|Orphan { service, pid }| format!("{service} (pid {pid})")).collect()
}

fn find(folder: &Path, services: &[Service], boot: u128) -> Vec<Orphan> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let orphan = |path: &Path| {
        let service = path.file_name()?.to_str()?.strip_suffix(".process")?;
        let owned = services.iter().any(|owner| owner.spec.name.as_str() == service);
        let saved = adopt::load(path).filter(|saved| !owned && saved.boot == boot && saved.lives())?;
        Some(Orphan { service: service.to_owned(), pid: saved.pid.as_raw_nonzero().get() })
    };
    entries.filter_map(|entry| orphan(&entry.ok()?.path())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::process::Pid;

    #[test]
    fn a_living_process_of_a_removed_service_is_told_and_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let pid = Pid::from_raw(i32::try_from(std::process::id()).unwrap()).unwrap();
        let started = crate::probe::process::stat(pid).unwrap().started;
        let own = adopt::Saved { pid, started, session: 0, boot: 1 };
        let text = "[host]\nenabled = false\n[[service]]\nname = \"kept\"\ncommand = [\"/bin/true\"]\n";
        let config = crate::config::parse(Path::new("picket.toml"), text).unwrap();
        for (name, saved) in [
            ("kept", own),
            ("removed", own),
            ("ended", adopt::Saved { started: started + 1, ..own }),
            ("before-the-boot", adopt::Saved { boot: 2, ..own }),
        ] {
            adopt::save(&folder.path().join(format!("{name}.process")), &saved).unwrap();
        }
        let removed = Orphan { service: "removed".to_owned(), pid: pid.as_raw_nonzero().get() };
        assert_eq!(find(folder.path(), config.services(), 1), [removed]);
    }
}

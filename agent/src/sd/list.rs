//! Which units there are: services, timers and sockets, loaded or only with a file, with what they do and what their
//! file says. Two calls, and one per running instance of a template, whose own file no list has (64 at most).
//!
//! Names longer than 64 bytes are left out: no event could name them.

use super::bus::{MANAGER, ROOT};
use super::call::{ask, property};
use picket_agent_core::baseline::{File, Runs, Sight, Sighting};
use picket_proto::Name;
use picket_proto::event::ThingKind;
use std::collections::BTreeMap;
use std::path::PathBuf;
use zbus::{Connection, OwnedObjectPath, OwnedVariant};

/// Most instances whose file is asked for.
const INSTANCES_MAX: usize = 64;
const KINDS: [(&str, ThingKind); 3] =
    [(".service", ThingKind::Service), (".timer", ThingKind::Timer), (".socket", ThingKind::Socket)];

/// A unit as ListUnits has it: name, description, load, active and sub state, and five more.
type Listed = (String, String, String, String, String, String, OwnedObjectPath, u32, String, OwnedObjectPath);

/// What there is.
#[derive(Debug, Default)]
pub(crate) struct Units {
    /// All units.
    pub(crate) things: Vec<Sighting>,
    /// Those that failed.
    pub(crate) failed: Vec<String>,
    /// Where their files are.
    pub(crate) paths: BTreeMap<String, PathBuf>,
    /// The folders that systemd reads units from.
    pub(crate) folders: Vec<PathBuf>,
    /// The control group that its units are below.
    pub(crate) root: String,
}

/// What kind of unit this is, if it is one that can be part of a baseline.
fn kind_of(name: &str) -> Option<ThingKind> {
    KINDS.into_iter().find(|(end, _)| name.ends_with(end)).map(|(_, kind)| kind)
}

/// Whether a unit's name is of a kind that is listed, so that its jobs may change the list.
pub(super) fn is_listed(name: &str) -> bool {
    kind_of(name).is_some()
}

/// Lists them; `services` says which are in the agent's configuration.
///
/// # Errors
/// systemd does not answer.
pub(crate) async fn units(connection: &Connection, services: &BTreeMap<String, Name>) -> zbus::Result<Units> {
    let patterns: Vec<String> = KINDS.iter().map(|(end, _)| format!("*{end}")).collect();
    let asked = (Vec::<String>::new(), patterns);
    let loaded = ask(connection, "ListUnitsByPatterns", &asked).await?;
    let loaded: Vec<Listed> = loaded.body().deserialize()?;
    let files = ask(connection, "ListUnitFilesByPatterns", &asked).await?;
    let files: Vec<(String, String)> = files.body().deserialize()?;
    let mut states: BTreeMap<String, String> = BTreeMap::new();
    let mut paths = BTreeMap::new();
    for (path, state) in files {
        let path = PathBuf::from(path);
        let Some(name) = path.file_name().and_then(|name| name.to_str()).map(str::to_owned) else { continue };
        states.insert(name.clone(), state);
        paths.insert(name, path);
    }
    instances(connection, &loaded, &mut states).await?;
    let mut things = Vec::new();
    let mut add = |name: &str, runs: Runs, file: File| {
        if let (Some(kind), Ok(name)) = (kind_of(name), name.parse::<Name>()) {
            let of = services.get(name.as_str()).cloned();
            things.push(Sighting { kind, name, of, sight: Sight::Unit { runs, file } });
        }
    };
    let mut failed = Vec::new();
    for (name, _, load, active, sub, ..) in &loaded {
        if active == "failed" {
            failed.push(name.clone());
        }
        let state = states.remove(name);
        add(name, runs(active, sub), file(load, state.as_deref().unwrap_or_default()));
    }
    for (name, state) in &states {
        add(name, Runs::No, file("", state));
    }
    let folders: Vec<String> = said_of_itself(connection, "UnitPath").await?.try_into().unwrap_or_default();
    let root: String = said_of_itself(connection, "ControlGroup").await?.try_into().unwrap_or_default();
    Ok(Units { things, failed, paths, folders: folders.into_iter().map(PathBuf::from).collect(), root })
}

/// What the files say of running instances of templates, such as `postgresql@15-main.service`.
async fn instances(
    connection: &Connection,
    loaded: &[Listed],
    states: &mut BTreeMap<String, String>,
) -> zbus::Result<()> {
    let is_instance = |unit: &&Listed| unit.0.contains('@') && unit.3 == "active";
    let unknown: Vec<&str> = loaded.iter().filter(is_instance).map(|unit| unit.0.as_str()).collect();
    for name in unknown.into_iter().take(INSTANCES_MAX) {
        if states.contains_key(name) {
            continue;
        }
        match ask(connection, "GetUnitFileState", &name).await {
            Ok(answer) => drop(states.insert(name.to_owned(), answer.body().deserialize()?)),
            Err(zbus::Error::MethodError(..) | zbus::Error::FDO(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

pub(super) async fn said_of_itself(connection: &Connection, name: &str) -> zbus::Result<OwnedVariant> {
    property(connection, ROOT, (MANAGER, name)).await?.body().deserialize()
}

/// A oneshot that is done is active and exited; a daemon runs, a timer waits, a socket listens.
fn runs(active: &str, sub: &str) -> Runs {
    match (active, sub) {
        ("active", "exited") => Runs::No,
        ("active" | "reloading" | "refreshing", _) => Runs::Yes,
        ("activating" | "deactivating" | "maintenance", _) => Runs::Changing,
        _ => Runs::No,
    }
}

fn file(load: &str, state: &str) -> File {
    match (load, state) {
        ("masked", _) | (_, "masked" | "masked-runtime") => File::Masked,
        ("not-found" | "bad-setting" | "error", _) | (_, "bad") => File::Missing,
        (_, "enabled" | "enabled-runtime") => File::Enabled,
        (_, "generated") => File::Generated,
        _ => File::Disabled,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_systemd_are_what_the_core_knows() {
        assert_eq!(runs("active", "running"), Runs::Yes);
        assert_eq!(runs("active", "exited"), Runs::No, "a oneshot");
        assert_eq!(runs("active", "elapsed"), Runs::Yes, "a timer without a next time");
        assert_eq!(runs("activating", "auto-restart"), Runs::Changing);
        assert_eq!(runs("failed", "failed"), Runs::No);
        assert_eq!(file("not-found", ""), File::Missing);
        assert_eq!(file("loaded", "masked-runtime"), File::Masked);
        assert_eq!(file("loaded", "enabled-runtime"), File::Enabled);
        assert_eq!(file("loaded", "static"), File::Disabled);
        assert_eq!(kind_of("a.timer"), Some(ThingKind::Timer));
        assert!(!is_listed("session-3.scope") && is_listed("web.socket"));
    }
}

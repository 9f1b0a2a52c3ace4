//! The units that are shipped: systemd's own check finds nothing to say about them, and what their comments promise holds.

use picket_tests::rig::cannot_run_here;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const ANALYZE: &str = "/usr/bin/systemd-analyze";
/// Each with a drop-in that is shipped as an example for it, if there is one, and how exposed it may be by systemd's own
/// measure, in tenths. The agent's alone is what it starts needs of a host; the others' may not creep up.
const UNITS: [(&str, Option<&str>, u32); 3] =
    [("picket-agent", None, 91), ("picket-agent", Some("units-only"), 50), ("picket-collector", None, 12)];

fn shipped(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../systemd").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Whether there is a systemd-analyze to ask.
fn can_ask(test: &str) -> bool {
    let can = Path::new(ANALYZE).exists();
    if !can {
        cannot_run_here(test, "systemd-analyze is not installed");
    }
    can
}

/// The unit with its drop-in in a folder, with a program that is there where it is built.
fn laid(folder: &Path, name: &str, drop_in: Option<&str>) -> PathBuf {
    let text = shipped(&format!("{name}.service"));
    let program = format!("/usr/bin/{name}");
    assert!(text.contains(&program), "{name}");
    let more = drop_in.map(|drop_in| shipped(&format!("examples/{drop_in}.conf"))).unwrap_or_default();
    let unit = folder.join(format!("{name}.service"));
    std::fs::write(&unit, format!("{}\n{more}", text.replace(&program, "/bin/true"))).unwrap();
    unit
}

fn asked(words: &[&str], unit: &Path) -> (String, Output) {
    let output = Command::new(ANALYZE).args(words).arg(unit).output().unwrap();
    (String::from_utf8_lossy(&output.stderr).into_owned(), output)
}

/// Purpose: a typing error in a unit is a warning in a log that nobody reads, so it is a finding here.
#[test]
fn the_shipped_units_are_sound() {
    if !can_ask("the_shipped_units_are_sound") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for (name, drop_in, _) in UNITS {
        let unit = laid(folder.path(), name, drop_in);
        let (said, output) = asked(&["--man=no", "verify"], &unit);
        assert!(output.status.success() && !said.contains(name), "{name} {drop_in:?}: {said}");
    }
}

/// Purpose: a right that is given back by the way is a finding, not a habit.
#[test]
fn the_shipped_units_are_as_closed_as_they_were() {
    if !can_ask("the_shipped_units_are_as_closed_as_they_were") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for (name, drop_in, most) in UNITS {
        let unit = laid(folder.path(), name, drop_in);
        let threshold = format!("--threshold={most}");
        let (said, output) = asked(&["security", "--offline=true", "--no-pager", &threshold], &unit);
        if said.contains("unrecognized option") {
            return cannot_run_here(
                "the_shipped_units_are_as_closed_as_they_were",
                "systemd is older than 250",
            );
        }
        let told = String::from_utf8_lossy(&output.stdout);
        let last = told.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default();
        println!("{name} {drop_in:?}: {last}");
        assert!(output.status.success(), "{name} {drop_in:?}, {most} tenths at most: {last}{said}");
    }
}

/// Purpose: what a person may easily add to harden the agent's unit, and what would then go wrong in silence.
#[test]
fn the_agents_unit_takes_nothing_from_what_it_starts_and_sees() {
    let (unit, only) = (shipped("picket-agent.service"), shipped("examples/units-only.conf"));
    let keys = |text: &str| -> Vec<String> {
        let keys = text.lines().filter(|line| !line.starts_with('#'));
        keys.filter_map(|line| Some(line.split_once('=')?.0.to_owned())).collect()
    };
    // Mounts of its own: checks would see a host that is read-only, and a package's scripts no modules.
    let own_mounts = ["Protect", "Private", "ReadOnly", "Inaccessible", "Temporary", "Bind", "RootDirectory"];
    let is_mount = |key: &String| own_mounts.iter().any(|own| key.starts_with(own)) && key != "ProtectClock";
    for text in [&unit, &only] {
        let found: Vec<_> = keys(text).into_iter().filter(is_mount).collect();
        assert!(found.is_empty(), "{found:?}");
    }
    // Services that it started live in its control group and inherit its filters.
    let shared =
        ["MemoryMax", "MemoryHigh", "ProtectClock", "DevicePolicy", "SystemCallFilter", "NoNewPrivileges"];
    let found: Vec<_> = keys(&unit).into_iter().filter(|key| shared.contains(&key.as_str())).collect();
    assert!(found.is_empty(), "{found:?}");
    for line in
        ["KillMode=process", "OOMPolicy=continue", "Restart=always", "StartLimitIntervalSec=0", "Type=notify"]
    {
        assert!(unit.lines().any(|one| one == line), "{line}");
    }
}

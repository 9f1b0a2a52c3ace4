//! The units that are shipped: systemd's own check finds nothing to say about them.

use picket_tests::rig::cannot_run_here;
use std::path::Path;
use std::process::Command;

const NAMES: [&str; 2] = ["picket-agent", "picket-collector"];

/// Purpose: a typing error in a unit is a warning in a log that nobody reads, so it is a finding here.
#[test]
fn the_shipped_units_are_sound() {
    let analyze = Path::new("/usr/bin/systemd-analyze");
    if !analyze.exists() {
        return cannot_run_here("the_shipped_units_are_sound", "systemd-analyze is not installed");
    }
    let folder = tempfile::tempdir().unwrap();
    for name in NAMES {
        let shipped =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../systemd").join(format!("{name}.service"));
        let text = std::fs::read_to_string(shipped).unwrap();
        // The program is not installed where this is built; that is the only thing put in its place.
        let program = format!("/usr/bin/{name}");
        assert!(text.contains(&program), "{name}");
        let unit = folder.path().join(format!("{name}.service"));
        std::fs::write(&unit, text.replace(&program, "/bin/true")).unwrap();
        let output = Command::new(analyze).arg("verify").arg(&unit).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success() && !said.contains(name), "{name}: {said}");
    }
}

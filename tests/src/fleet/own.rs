//! The agent's own package: of the maintainer scripts and units that are shipped, with the agent that the host has. Or the real file,
//! as packaging/build.sh makes it, where the environment names a folder that has it.
//!
//! A version is that one with another number and a line behind the program, by which the versions can be told apart.

use super::host::Host;
use std::fs;
use std::path::{Path, PathBuf};

/// Names a folder with the packages as they are shipped, tried in place of one that is put together here.
const VARIABLE: &str = "PICKET_FLEET_PACKAGES";
/// Where they are, in the anchor's sight.
const PACKAGES: &str = "/mnt/packages";
const ALL: [&str; 3] = ["picket-collector", "picket", "picket-agent"];

const CONTROL: &str = "Package: picket-agent\nVersion: VERSION\nArchitecture: all\nMaintainer: rig <rig@localhost>\n\
                       Description: the agent\n";
const SCRIPTS: [(&str, &str); 4] = [
    ("preinst", include_str!("../../../packaging/agent/preinst")),
    ("postinst", include_str!("../../../packaging/agent/postinst")),
    ("prerm", include_str!("../../../packaging/agent/prerm")),
    ("postrm", include_str!("../../../packaging/agent/postrm")),
];
const FILES: [(&str, &str); 2] = [
    ("usr/lib/systemd/system/picket-agent.service", include_str!("../../../systemd/picket-agent.service")),
    ("usr/lib/tmpfiles.d/picket-agent.conf", include_str!("../../../systemd/picket-agent.tmpfiles")),
];
const EXAMPLE: &str = "etc/picket/agent.toml.example";
/// What a version that does not come up has for a program: it dies again and again, or says that the configuration has mistakes. It
/// may fill the disk before.
const BROKEN: &str = "#!/bin/sh\n[ ! -e /root/picket/fills ] || head -c 1000000000000 /dev/zero >/root/picket/fill\n[ ! -e /root/picket/mistakes ] || exit 64\nexit 1\n";
/// Where versions are put together, and the agent that the host had.
pub(super) const BENCH: &str = "/root/picket";

/// Takes what the rig put into a host away, but the agent's configuration and state: a package brings the rest.
pub(super) fn clear(host: &Host) -> Result<(), String> {
    host.does(&["systemctl", "disable", "--now", "picket-agent"])?;
    host.does(&["mkdir", "-p", BENCH])?;
    host.does(&["mv", "/usr/bin/picket-agent", &format!("{BENCH}/agent")])?;
    // The machine forbids packages to start anything; that is not the host's word.
    host.does(&["rm", "-f", "/etc/systemd/system/picket-agent.service", "/usr/sbin/policy-rc.d"])?;
    host.does(&["systemctl", "daemon-reload"]).map(drop)
}

/// Makes a version; where its file is.
pub(super) fn make(host: &Host, version: &str, is_broken: bool) -> Result<String, String> {
    let tree = format!("{BENCH}/{version}");
    if given("picket-agent").is_ok() {
        let copy = bring(host, "picket-agent", BENCH)?;
        host.does(&["dpkg-deb", "--raw-extract", &copy, &tree])?;
        host.does(&[
            "sed",
            "-i",
            &format!("s/^Version: .*/Version: {version}/"),
            &format!("{tree}/DEBIAN/control"),
        ])?;
    } else {
        put_together(host, &tree, version)?;
    }
    let program = format!("{tree}/usr/bin/picket-agent");
    if is_broken {
        host.write(&program, BROKEN)?;
    }
    host.does(&["sh", "-c", &format!("printf '# %s\\n' {version} >>{program}; chmod 755 {program}")])?;
    let file = format!("{tree}.deb");
    host.does(&["dpkg-deb", "--root-owner-group", "-Znone", "--build", &tree, &file])?;
    host.does(&["rm", "-rf", &tree])?;
    Ok(file)
}

fn put_together(host: &Host, tree: &str, version: &str) -> Result<(), String> {
    host.write(&format!("{tree}/DEBIAN/control"), &CONTROL.replace("VERSION", version))?;
    host.write(&format!("{tree}/DEBIAN/conffiles"), &format!("/{EXAMPLE}\n"))?;
    for (name, text) in SCRIPTS {
        let path = format!("{tree}/DEBIAN/{name}");
        host.write(&path, text)?;
        host.does(&["chmod", "755", &path])?;
    }
    for (name, text) in FILES {
        host.write(&format!("{tree}/{name}"), text)?;
    }
    host.write(&format!("{tree}/{EXAMPLE}"), &picket_agent::config::example())?;
    host.does(&["mkdir", "-p", &format!("{tree}/usr/bin")])?;
    host.does(&["cp", &format!("{BENCH}/agent"), &format!("{tree}/usr/bin/picket-agent")]).map(drop)
}

/// Has the anchor take the packages along that the environment names.
pub(super) fn take_along() -> std::io::Result<()> {
    let Some(folder) = std::env::var_os(VARIABLE) else { return Ok(()) };
    let named = |error| std::io::Error::other(format!("{}: {error}", folder.display()));
    fs::create_dir_all(PACKAGES)?;
    for entry in fs::read_dir(&folder).map_err(named)?.flatten() {
        if entry.path().extension().is_some_and(|ending| ending == "deb") {
            fs::copy(entry.path(), Path::new(PACKAGES).join(entry.file_name())).map_err(named)?;
        }
    }
    Ok(())
}

/// The one file of a package in `folder`.
fn file_of(folder: &Path, package: &str) -> Option<PathBuf> {
    let entries = fs::read_dir(folder).ok()?.flatten();
    let named = |entry: &fs::DirEntry| {
        let name = entry.file_name();
        name.to_str().is_some_and(|name| name.starts_with(&format!("{package}_")) && name.ends_with(".deb"))
    };
    let mut found = entries.filter(named).map(|entry| entry.path());
    found.next().filter(|_| found.next().is_none())
}

fn given(package: &str) -> Result<PathBuf, String> {
    file_of(Path::new(PACKAGES), package)
        .ok_or_else(|| format!("{VARIABLE} names no folder with one {package}_*.deb"))
}

/// Copies a package that the environment names into a folder of a host; where it is.
///
/// # Errors
/// None is named, or the disk's word.
pub(super) fn bring(host: &Host, package: &str, folder: &str) -> Result<String, String> {
    let file = given(package)?;
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let copy = format!("{folder}/{name}");
    fs::copy(&file, host.path(&copy)).map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(copy)
}

/// Why a scenario that needs all packages as they are shipped can't run.
pub(super) fn lacks() -> Option<String> {
    let folder = std::env::var_os(VARIABLE).unwrap_or_default();
    let package = ALL.iter().find(|package| file_of(folder.as_ref(), package).is_none())?;
    Some(format!("{VARIABLE} names no folder with one {package}_*.deb (packaging/build.sh)"))
}

/// The state of the package in dpkg's words, and the version whose program is there.
pub(super) fn installed(host: &Host) -> (String, String) {
    let (state, _) = host.run(&["dpkg-query", "-W", "-f", "${db:Status-Abbrev}${Version}", "picket-agent"]);
    let (end, _) = host.run(&["sh", "-c", "tail -n 1 /usr/bin/picket-agent | tr -d '\\0'"]);
    let version = end.rsplit("# ").next().unwrap_or_default().to_owned();
    (state, version)
}

/// All that has the packages' name below the folders where packages put things, but what the rig has beside.
pub(super) fn left(host: &Host, of_the_rig: &[&str]) -> Vec<String> {
    let find = "find /etc /usr /var /run -xdev -iname '*picket*' ! -path '/root/*'";
    let (found, _) = host.run(&["sh", "-c", find]);
    found.lines().filter(|path| !of_the_rig.contains(path)).map(str::to_owned).collect()
}

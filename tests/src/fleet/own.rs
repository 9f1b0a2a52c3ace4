//! The agent's own package: of the maintainer scripts and units that are shipped, with the agent that the host has. Or the real file,
//! as packaging/build.sh makes it, where the environment names one.
//!
//! A version is that one with another number and a line behind the program, by which the versions can be told apart.

use super::host::Host;
use std::fs;

/// Names the file of a package that is tried in place of one that is put together here.
pub(super) const PACKAGE_VARIABLE: &str = "PICKET_FLEET_PACKAGE";
/// Where it is, in the anchor's sight.
pub(super) const PACKAGE: &str = "/mnt/picket-agent.deb";

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
/// What a version that does not come up has for a program: it dies again and again, or says that the configuration has mistakes.
const BROKEN: &str = "#!/bin/sh\n[ ! -e /root/picket/mistakes ] || exit 64\nexit 1\n";
/// Where versions are put together, and the agent that the host had.
const BENCH: &str = "/root/picket";

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
    if fs::exists(PACKAGE).unwrap_or(false) {
        let copy = format!("{BENCH}/given.deb");
        fs::copy(PACKAGE, host.path(&copy)).map_err(|error| format!("{PACKAGE}: {error}"))?;
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

/// Has the anchor take the file along that the environment names.
pub(super) fn take_along() -> std::io::Result<()> {
    let Some(file) = std::env::var_os(PACKAGE_VARIABLE) else { return Ok(()) };
    let named = |error| std::io::Error::other(format!("{}: {error}", file.display()));
    fs::copy(&file, PACKAGE).map(drop).map_err(named)
}

/// The state of the package in dpkg's words, and the version whose program is there.
pub(super) fn installed(host: &Host) -> (String, String) {
    let (state, _) = host.run(&["dpkg-query", "-W", "-f", "${db:Status-Abbrev}${Version}", "picket-agent"]);
    let (end, _) = host.run(&["sh", "-c", "tail -n 1 /usr/bin/picket-agent | tr -d '\\0'"]);
    let version = end.rsplit("# ").next().unwrap_or_default().to_owned();
    (state, version)
}

/// All that has the package's name below the folders where packages put things, but what the rig has beside.
pub(super) fn left(host: &Host) -> Vec<String> {
    let find = "find /etc /usr /var /run -xdev -iname '*picket*' ! -path '/root/*'";
    let (found, _) = host.run(&["sh", "-c", find]);
    let of_the_rig = ["/usr/bin/picket-fleet", "/usr/bin/picket-collector"];
    found.lines().filter(|path| !of_the_rig.contains(path)).map(str::to_owned).collect()
}

//! A Debian package with a service, built and installed in a host by its own dpkg, with the maintainer scripts that debhelper
//! writes for a unit: enabled at its installation, started again at an upgrade, stopped before its removal.

use super::host::Host;

const CONTROL: &str = "Package: NAME\nVersion: VERSION\nArchitecture: all\nMaintainer: rig <rig@localhost>\nDescription: a demo\n";
const UNIT: &str = "[Unit]\nDescription=A demo\n\n[Service]\nExecStart=/usr/bin/python3 -m http.server 8080 --directory /usr/share/NAME\n\
                    \n[Install]\nWantedBy=multi-user.target\n";
const POSTINST: &str = "#!/bin/sh\nset -e\nif [ \"$1\" = configure ]; then\n    deb-systemd-helper enable NAME.service >/dev/null\n    \
    systemctl --system daemon-reload\n    if [ -n \"$2\" ]; then verb=restart; else verb=start; fi\n    \
    deb-systemd-invoke $verb NAME.service >/dev/null\nfi\n";
const PRERM: &str =
    "#!/bin/sh\nset -e\nif [ \"$1\" = remove ]; then deb-systemd-invoke stop NAME.service >/dev/null; fi\n";
const POSTRM: &str = "#!/bin/sh\nset -e\nif [ \"$1\" = remove ]; then systemctl --system daemon-reload; fi\n";

/// See the module.
pub(super) struct Package {
    name: &'static str,
}

impl Package {
    pub(super) const fn new(name: &'static str) -> Self {
        Self { name }
    }

    /// Builds a version and installs it, above an older one where there is one.
    ///
    /// # Errors
    /// What dpkg said.
    pub(super) fn install(&self, host: &Host, version: &str) -> Result<(), String> {
        let name = self.name;
        let tree = format!("/root/{name}-{version}");
        let fill = |text: &str| text.replace("NAME", name).replace("VERSION", version);
        host.write(&format!("{tree}/DEBIAN/control"), &fill(CONTROL))?;
        for (script, text) in [("postinst", POSTINST), ("prerm", PRERM), ("postrm", POSTRM)] {
            let path = format!("{tree}/DEBIAN/{script}");
            host.write(&path, &fill(text))?;
            host.does(&["chmod", "755", &path])?;
        }
        host.write(&format!("{tree}/lib/systemd/system/{name}.service"), &fill(UNIT))?;
        host.write(&format!("{tree}/usr/share/{name}/index.html"), version)?;
        // The machine forbids packages to start anything; that is not the host's word.
        host.does(&["rm", "-f", "/usr/sbin/policy-rc.d"])?;
        host.does(&["dpkg-deb", "--root-owner-group", "--build", &tree, &format!("{tree}.deb")])?;
        host.does(&["dpkg", "--install", &format!("{tree}.deb")]).map(drop)
    }

    /// Removes it, as `apt-get remove` does.
    ///
    /// # Errors
    /// What dpkg said.
    pub(super) fn remove(&self, host: &Host) -> Result<(), String> {
        host.does(&["dpkg", "--remove", self.name]).map(drop)
    }

    /// The agent's configuration that watches it.
    pub(super) fn check(&self) -> String {
        format!(
            "\n[[service]]\nname = \"{0}\"\nunit = \"{0}.service\"\nhold = \"3s\"\n\n[[service.check]]\nkind = \"http\"\n\
             url = \"http://127.0.0.1:8080/\"\nstatus = 200\ninterval = \"1s\"\ntimeout = \"500ms\"\n",
            self.name
        )
    }
}

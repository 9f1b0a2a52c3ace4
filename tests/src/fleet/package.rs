//! A Debian package with a service, built and installed in a host by its own dpkg, with the maintainer scripts that debhelper
//! writes for a unit: enabled at its installation, started again at an upgrade, stopped before its removal.

use super::host::Host;

const CONTROL: &str = "Package: NAME\nVersion: VERSION\nArchitecture: all\nMaintainer: rig <rig@localhost>\nDescription: a demo\n";
const UNIT: &str = "[Unit]\nDescription=A demo\n\n[Service]\nExecStart=/usr/lib/NAME/serve\n\
                    \n[Install]\nWantedBy=multi-user.target\n";
/// It fails where a test wants that of all versions.
const SERVE: &str = "#!/bin/sh\n[ ! -e /root/NAME-broken ] || exit 3\nexec /usr/bin/python3 -m http.server 8080 --directory /usr/share/NAME\n";
const BROKEN: &str = "#!/bin/sh\necho 'no such option: --listen' >&2\nexit 1\n";
/// Waits for as long as a test wants, as a script does that has much to do.
const POSTINST: &str = "#!/bin/sh\nset -e\nwhile [ -e /root/NAME-VERSION-waits ]; do sleep 0.1; done\nif [ \"$1\" = configure ]; then\n    deb-systemd-helper enable NAME.service >/dev/null\n    \
    systemctl --system daemon-reload\n    if [ -n \"$2\" ]; then verb=restart; else verb=start; fi\n    \
    deb-systemd-invoke $verb NAME.service >/dev/null\nfi\n";
const PRERM: &str =
    "#!/bin/sh\nset -e\nif [ \"$1\" = remove ]; then deb-systemd-invoke stop NAME.service >/dev/null; fi\n";
const POSTRM: &str = "#!/bin/sh\nset -e\nif [ \"$1\" = remove ]; then systemctl --system daemon-reload; fi\n";

/// Where apt keeps what it fetched.
pub(super) const CACHE: &str = "/var/cache/apt/archives";

/// See the module.
pub(super) struct Package {
    name: &'static str,
    broken: &'static str,
}

impl Package {
    pub(super) const fn new(name: &'static str) -> Self {
        Self { name, broken: "" }
    }

    /// The same, of which one version does not start.
    pub(super) const fn broken(self, version: &'static str) -> Self {
        Self { broken: version, ..self }
    }

    /// Builds a version and installs it, above an older one where there is one; its file stays in apt's cache.
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
        let serve = format!("{tree}/usr/lib/{name}/serve");
        host.write(&serve, &fill(if version == self.broken { BROKEN } else { SERVE }))?;
        host.does(&["chmod", "755", &serve])?;
        host.write(&format!("{tree}/usr/share/{name}/index.html"), version)?;
        // The machine forbids packages to start anything; that is not the host's word.
        host.does(&["rm", "-f", "/usr/sbin/policy-rc.d"])?;
        let deb = format!("{CACHE}/{name}_{version}_all.deb");
        host.does(&["mkdir", "-p", &format!("{CACHE}/partial"), "/var/lib/apt/lists/partial"])?;
        host.does(&["dpkg-deb", "--root-owner-group", "--build", &tree, &deb])?;
        host.does(&["dpkg", "--install", &deb]).map(drop)
    }

    /// Removes it, as `apt-get remove` does.
    ///
    /// # Errors
    /// What dpkg said.
    pub(super) fn remove(&self, host: &Host) -> Result<(), String> {
        host.does(&["dpkg", "--remove", self.name]).map(drop)
    }

    /// The version that is installed, and how it is.
    pub(super) fn version(&self, host: &Host) -> String {
        host.run(&["dpkg-query", "-W", "-f", "${db:Status-Abbrev}${Version}", self.name]).0
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

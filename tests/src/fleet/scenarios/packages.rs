//! An upgrade that brings a version which does not start: the rung `package` of the ladder, with real packages and dpkg.

use super::super::package::{CACHE, Package};
use super::super::world::{SOON, World};
use super::{Play, Scenario};

const NEEDS: &[(&str, &str)] = &[
    ("/usr/bin/python3", "python3-minimal"),
    ("/usr/bin/apt-get", "apt"),
    ("/usr/bin/deb-systemd-helper", "init-system-helpers"),
];
const HOST: usize = 5;
const DEMO: Package = Package::new("rig-demo").broken("1.1");

/// The whole story.
pub(super) const UPGRADE: Scenario = Scenario {
    name: "package-upgrade",
    says: "an upgrade brings a version that exits at once: the one before is installed from apt's cache and verified, in one incident \
           whose timeline names both versions; where the old one fails as well, the newer one is installed again and a person is paged",
    smoke: true,
    needs: NEEDS,
    play: Play::Inside(|world| {
        begin(world)?;
        DEMO.install(world.host(HOST), "1.1")?;
        healed(world, 1)?;
        is_told(world, "is put back to its last good package and restarted")?;
        is_told(world, "package rig-demo (1.0 to 1.1) changed")?;
        // From here on no version starts.
        world.host(HOST).write("/root/rig-demo-broken", "")?;
        DEMO.install(world.host(HOST), "1.2")?;
        world.not_healed(HOST, "rig-demo")?;
        is_told(world, "the package that was there before is being installed again")?;
        world.wait("the newer version is there again", SOON, |world| {
            Ok(DEMO.version(world.host(HOST)) == "ii 1.2")
        })
    }),
};

/// What apt-get or the cache does not allow is not begun.
pub(super) const REFUSED: Scenario = Scenario {
    name: "package-refused",
    says: "an older version that would break another package, or is not in the cache: said so, and nothing is touched",
    smoke: true,
    needs: NEEDS,
    play: Play::Inside(|world| {
        begin(world)?;
        world.host(HOST).does(&["mv", &format!("{CACHE}/rig-demo_1.0_all.deb"), "/root/"])?;
        DEMO.install(world.host(HOST), "1.1")?;
        world.not_healed(HOST, "rig-demo")?;
        is_told(world, "(1.0 to 1.1; no .deb of 1.0 in the cache)")?;
        is_told(world, &format!("there is no {CACHE}/rig-demo_1.0_all.deb"))?;
        world.host(HOST).does(&["mv", "/root/rig-demo_1.0_all.deb", CACHE])?;
        needs_the_newer(world)?;
        let refused = "apt-get refuses it, and nothing was changed: more would change: Remv rig-needs [1]";
        // Each try of a person's is one rung of the ladder.
        world.wait("it is refused", SOON, |world| {
            world.host(HOST).run(&[
                "picket-agent",
                "try",
                "rig-demo",
                "--next",
                "--state",
                "/var/lib/picket-agent",
            ]);
            says(world, refused)
        })?;
        match DEMO.version(world.host(HOST)).as_str() {
            "ii 1.1" => Ok(()),
            other => Err(format!("rig-demo is {other}")),
        }
    }),
};

/// The agent dies while dpkg is at it.
pub(super) const KILLED: Scenario = Scenario {
    name: "package-killed",
    says: "kill -9 of the agent while it has dpkg install the version before: dpkg goes on, the next run finds out and verifies",
    smoke: false,
    needs: NEEDS,
    play: Play::Inside(|world| {
        begin(world)?;
        world.host(HOST).write("/root/rig-demo-1.0-waits", "")?;
        DEMO.install(world.host(HOST), "1.1")?;
        world.wait("dpkg is at it for the agent", SOON * 2, |world| {
            let open = world.host(HOST).run(&["cat", "/var/lib/picket-agent/packages/rig-demo/open"]);
            let version = DEMO.version(world.host(HOST));
            Ok(open.1 && version.ends_with("1.0") && version != "ii 1.0")
        })?;
        let agent = world.host(HOST).property("picket-agent", "MainPID");
        world.host(HOST).kill("picket-agent", "KILL")?;
        world.wait("another agent is ready", SOON, |world| {
            let now = world.host(HOST).property("picket-agent", "MainPID");
            Ok(now != "0" && now != agent && world.active(HOST, "picket-agent").is_ok())
        })?;
        world.host(HOST).does(&["rm", "/root/rig-demo-1.0-waits"])?;
        healed(world, 1)?;
        world.wait("nothing is open any more", SOON, |world| {
            Ok(!world.host(HOST).run(&["cat", "/var/lib/picket-agent/packages/rig-demo/open"]).1)
        })
    }),
};

/// 1.0 runs, is watched, and is known to be good.
fn begin(world: &mut World) -> Result<(), String> {
    DEMO.install(world.host(HOST), "1.0")?;
    let more = "ladder = [\"restart\", \"package\"]\npackage = { names = [\"rig-demo\"], after = \"1s\" }\n";
    let check = DEMO.check().replacen("hold = \"3s\"\n", &format!("hold = \"3s\"\n{more}"), 1);
    world.watch_too(HOST, &check)?;
    world.wait("1.0 is known to be good", SOON, |world| {
        let (status, _) =
            world.host(HOST).run(&["picket-agent", "status", "--json", "--state", "/var/lib/picket-agent"]);
        Ok(status.contains("\"packages\":\"good\"") || status.contains("\"packages\": \"good\""))
    })
}

/// Another package that needs what is installed now.
fn needs_the_newer(world: &World) -> Result<(), String> {
    let host = world.host(HOST);
    let control = "Package: rig-needs\nVersion: 1\nArchitecture: all\nMaintainer: rig <rig@localhost>\n\
                   Depends: rig-demo (>= 1.1)\nDescription: needs the demo\n";
    host.write("/root/rig-needs/DEBIAN/control", control)?;
    host.does(&["dpkg-deb", "--root-owner-group", "--build", "/root/rig-needs"])?;
    host.does(&["dpkg", "--install", "/root/rig-needs.deb"]).map(drop)
}

/// 1.0 runs again, and one incident says so.
fn healed(world: &mut World, episode: u32) -> Result<(), String> {
    world.recovered(HOST, "rig-demo", episode)?;
    let version = DEMO.version(world.host(HOST));
    let (page, _) = world.host(HOST).run(&[
        "python3",
        "-c",
        "import urllib.request as u; print(u.urlopen('http://127.0.0.1:8080/').read().decode())",
    ]);
    if version == "ii 1.0" && page.trim() == "1.0" {
        Ok(())
    } else {
        Err(format!("{version} is installed, {page} served"))
    }
}

/// The timeline of an incident of the host has these words.
fn is_told(world: &mut World, words: &str) -> Result<(), String> {
    world.wait(&format!("a timeline says {words:?}"), SOON * 6, |world| says(world, words))
}

fn says(world: &mut World, words: &str) -> Result<bool, String> {
    for found in world.incidents_of(HOST)? {
        if world.timeline(found.id)?.iter().any(|text| text.contains(words)) {
            return Ok(true);
        }
    }
    Ok(false)
}

//! Upgrades of the agent's own package that are cut off between two of dpkg's steps, fail twice, or fail on a full disk; and a removal
//! where somebody was quicker.

use super::super::own::{BENCH, installed, make};
use super::super::world::{SOON, World};
use super::own::{arrives, is_well, same};
use super::{Play, Scenario};

const HOST: usize = 5;

/// See the module.
pub(super) const HALFWAY: Scenario = Scenario {
    name: "package-halfway",
    says: "an upgrade of the agent's package is cut off and begun again, twice to one that does not come up, then fails with a full disk: \
           each time the version that ran last is put back by its own name; an archive's host is refused, a missing unit removed",
    smoke: true,
    needs: &[
        ("/usr/bin/dpkg-deb", "dpkg"),
        ("/usr/bin/deb-systemd-helper", "init-system-helpers"),
        ("/usr/bin/pidof", "sysvinit-utils"),
    ],
    play: Play::Inside(|world| {
        let services = arrives(world)?;
        // What does not come up says at once that its configuration has mistakes.
        world.host(HOST).write(&format!("{BENCH}/mistakes"), "")?;
        cut_off(world, &services)?;
        twice(world, &services)?;
        full(world, &services)?;
        rests(world, &services)?;
        beside(world, &services)?;
        without_unit(world, &services)
    }),
};

/// The power goes after the new files are in their places and before they are tried; whoever comes to it begins again.
fn cut_off(world: &mut World, services: &str) -> Result<(), String> {
    let file = make(world.host(HOST), "1.1", true)?;
    world.host(HOST).does(&["dpkg", "--unpack", &file])?;
    put_back(world, &["dpkg", "--install", &file], services)
}

/// What a person stopped while an upgrade was cut off is not started by its end.
fn rests(world: &mut World, services: &str) -> Result<(), String> {
    let file = make(world.host(HOST), "1.4", false)?;
    world.host(HOST).does(&["dpkg", "--unpack", &file])?;
    world.host(HOST).does(&["systemctl", "stop", "picket-agent"])?;
    world.host(HOST).does(&["dpkg", "--configure", "picket-agent"])?;
    match world.host(HOST).property("picket-agent", "ActiveState").as_str() {
        "inactive" => world.host(HOST).does(&["systemctl", "start", "picket-agent"])?,
        other => return Err(format!("stopped by a person before it was configured it is {other}")),
    };
    is_well(world, "1.4", services)
}

/// Another that does not come up: what is put back is still the one that ran, and not the one that failed before.
fn twice(world: &mut World, services: &str) -> Result<(), String> {
    let file = make(world.host(HOST), "1.2", true)?;
    put_back(world, &["dpkg", "--install", &file], services)?;
    put_back(world, &["dpkg", "--configure", "picket-agent"], services)
}

/// It fills the disk before it fails.
fn full(world: &mut World, services: &str) -> Result<(), String> {
    let file = make(world.host(HOST), "1.3", true)?;
    world.host(HOST).write(&format!("{BENCH}/fills"), "")?;
    put_back(world, &["dpkg", "--install", &file], services)?;
    let host = world.host(HOST);
    let (said, had_room) = host.run(&["sh", "-c", &format!("head -c 65536 /dev/zero >{BENCH}/more")]);
    if had_room {
        return Err(format!("the disk was not full: {said}"));
    }
    host.does(&["rm", "-f", &format!("{BENCH}/fill"), &format!("{BENCH}/fills"), &format!("{BENCH}/more")])
        .map(drop)
}

/// A host that has the agent from an archive keeps that.
fn beside(world: &mut World, services: &str) -> Result<(), String> {
    let file = make(world.host(HOST), "1.5", false)?;
    world.host(HOST).write("/usr/lib/picket-agent/installed", "version 1.4\n")?;
    let (said, is_good) = world.host(HOST).run(&["dpkg", "--install", &file]);
    if is_good || !said.contains("install.sh --uninstall") {
        return Err(format!("over an archive: {said}"));
    }
    world.host(HOST).does(&["rm", "-r", "/usr/lib/picket-agent"])?;
    is_well(world, "1.4", services)
}

fn without_unit(world: &World, services: &str) -> Result<(), String> {
    let host = world.host(HOST);
    host.does(&["systemctl", "stop", "picket-agent"])?;
    host.does(&["rm", "/usr/lib/systemd/system/picket-agent.service"])?;
    host.does(&["systemctl", "daemon-reload"])?;
    host.does(&["dpkg", "--remove", "picket-agent"])?;
    same(world, HOST, services)
}

/// Whatever dpkg does, it fails, the first version runs in the new one's place under its own name, and the services run on.
fn put_back(world: &mut World, command: &[&str], services: &str) -> Result<(), String> {
    let (said, is_good) = world.host(HOST).run(command);
    if is_good || !said.contains("; 1.0 is put back, and runs") {
        return Err(format!("{command:?}: {said}"));
    }
    match installed(world.host(HOST)) {
        (_, runs) if runs == "1.0" => {}
        other => return Err(format!("put back, it is {other:?}")),
    }
    world.connected(HOST, SOON)?;
    same(world, HOST, services)
}

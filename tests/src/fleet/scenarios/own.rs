//! The life of the agent's own package on a host whose services run: they never notice.

use super::super::own::{clear, installed, left, make};
use super::super::world::{SOON, World};
use super::{Play, Scenario};
use crate::rig::clock::Since;
use picket_rpc::v1;
use std::time::Duration;

const HOST: usize = 5;
/// A service that the agent itself starts, beside the host's unit.
pub(super) const SPAWNED: &str = "\n[[service]]\nname = \"second\"\ncommand = [\"/usr/bin/redis-server\", \"--port\", \"6380\", \"--save\", \"\", \
                       \"--dir\", \"{state}\"]\n\n[[service.check]]\nkind = \"tcp\"\naddress = \"127.0.0.1:6380\"\ninterval = \"1s\"\n";
const CONFIG: &str = "/etc/picket/agent.toml";
const DROP_IN: &str = "/etc/systemd/system/picket-agent.service.d/mine.conf";
/// A new version has two minutes; what is known earlier takes some seconds.
const PATIENCE: Duration = Duration::from_secs(60);
const BEFORE: &str = "/usr/lib/picket-agent.before";

/// From the first installation to the purge.
pub(super) const LIFE: Scenario = Scenario {
    name: "agent-package",
    says: "the agent's package is installed, upgraded, upgraded to one that does not come up and is put back, downgraded, removed, installed \
           again and purged: what it watches runs on through all of it, and nothing of it is left",
    smoke: true,
    needs: &[
        ("/usr/bin/dpkg-deb", "dpkg"),
        ("/usr/bin/deb-systemd-helper", "init-system-helpers"),
        ("/usr/bin/pidof", "sysvinit-utils"),
        ("/usr/bin/pkill", "procps"),
    ],
    play: Play::Inside(|world| {
        let services = arrives(world)?;
        changes(world, &services)?;
        fails(world, &services)?;
        rests(world)?;
        goes(world, &services)
    }),
};

/// Without a configuration it waits; with one it takes over what runs. Which processes these are, and since when.
pub(super) fn arrives(world: &mut World) -> Result<String, String> {
    let host = world.host(HOST);
    clear(host)?;
    host.does(&["mv", CONFIG, "/root/"])?;
    let said = install(world, "1.0")?;
    let states = ["ActiveState", "UnitFileState"].map(|name| world.host(HOST).property("picket-agent", name));
    if !said.contains("it waits for its configuration") || states != ["inactive", "enabled"] {
        return Err(format!("without a configuration it is {states:?}: {said}"));
    }
    let host = world.host(HOST);
    host.does(&[
        "sh",
        "-c",
        &format!("mv /root/agent.toml /etc/picket/ && printf '%s' '{SPAWNED}' >>{CONFIG}"),
    ])?;
    host.write(DROP_IN, "[Service]\nCPUWeight=400\n")?;
    host.does(&["systemctl", "daemon-reload"])?;
    host.does(&["systemctl", "start", "picket-agent"])?;
    world.wait("both services run", SOON, |world| Ok(lives(world, HOST).lines().count() == 2))?;
    let services = lives(world, HOST);
    is_well(world, "1.0", &services)?;
    Ok(services)
}

/// An upgrade and a downgrade.
fn changes(world: &mut World, services: &str) -> Result<(), String> {
    for version in ["1.1", "1.0", "1.1"] {
        install(world, version)?;
        is_well(world, version, services)?;
    }
    match world.host(HOST).property("picket-agent", "CPUWeight").as_str() {
        "400" => Ok(()),
        other => Err(format!("the host's own drop-in does not count any more: {other}")),
    }
}

/// One that does not come up: the one before runs in its place, dpkg says so, and a better one mends it.
fn fails(world: &mut World, services: &str) -> Result<(), String> {
    let file = make(world.host(HOST), "1.2", true)?;
    let first = ["env", "PICKET_AGENT_PATIENCE=10", "dpkg", "--install", &file];
    let again = ["dpkg", "--configure", "picket-agent"];
    for command in [&first[..], &again] {
        let since = Since::now();
        let (said, is_good) = world.host(HOST).run(command);
        // The second one says that its configuration has mistakes: nothing is tried again, so there is nothing to wait for.
        if since.left(PATIENCE).is_zero() {
            return Err(format!("{command:?} took too long: {said}"));
        }
        world.host(HOST).write("/root/picket/mistakes", "")?;
        if is_good || !said.contains("1.1 is put back, and runs") {
            return Err(format!("{command:?}: {said}"));
        }
        match installed(world.host(HOST)) {
            (state, runs) if state == "iF 1.2" && runs == "1.1" => {}
            other => return Err(format!("put back, it is {other:?}")),
        }
        world.connected(HOST, SOON)?;
        same(world, HOST, services)?;
    }
    install(world, "1.3")?;
    is_well(world, "1.3", services)
}

/// What a person stopped stays stopped over an upgrade.
fn rests(world: &mut World) -> Result<(), String> {
    world.host(HOST).does(&["systemctl", "stop", "picket-agent"])?;
    install(world, "1.4")?;
    match world.host(HOST).property("picket-agent", "ActiveState").as_str() {
        "inactive" => world.host(HOST).does(&["systemctl", "start", "picket-agent"]).map(drop),
        other => Err(format!("stopped by a person and upgraded it is {other}")),
    }
}

/// Removed, installed again, purged.
fn goes(world: &mut World, services: &str) -> Result<(), String> {
    world.host(HOST).does(&["dpkg", "--remove", "picket-agent"])?;
    is_retired(world, HOST)?;
    same(world, HOST, services)?;
    world.host(HOST).does(&["test", "-s", CONFIG, "-a", "-d", "/var/lib/picket-agent/spool"])?;
    install(world, "1.4")?;
    is_well(world, "1.4", services)?;
    let (said, is_good) = world.host(HOST).run(&["dpkg", "--purge", "picket-agent"]);
    if !is_good || !said.contains("services that it started run on") {
        return Err(format!("purged: {said}"));
    }
    same(world, HOST, services)?;
    // What the agent started is still in its scope; with that the last of its units goes.
    world.host(HOST).does(&["pkill", "-f", "redis-server .*:6380"])?;
    world.wait("the unit is gone", SOON, |world| {
        let list = ["systemctl", "list-units", "--all", "--plain", "--no-legend", "picket*"];
        Ok(world.host(HOST).run(&list).0.is_empty())
    })?;
    let left = left(world.host(HOST), &["/usr/bin/picket-fleet", "/usr/bin/picket-collector"]);
    if left.is_empty() { Ok(()) } else { Err(format!("left: {left:?}")) }
}

fn install(world: &World, version: &str) -> Result<String, String> {
    let file = make(world.host(HOST), version, false)?;
    world.host(HOST).does(&["dpkg", "--install", &file])
}

/// This version is installed and runs, the collector hears it, the services run on, and nothing is kept of an upgrade.
pub(super) fn is_well(world: &mut World, version: &str, services: &str) -> Result<(), String> {
    world.connected(HOST, SOON)?;
    let (state, runs) = installed(world.host(HOST));
    if state != format!("ii {version}") || runs != version || world.host(HOST).run(&["ls", BEFORE]).1 {
        return Err(format!("{version} should be installed, and it is {state}; the program is of {runs}"));
    }
    same(world, HOST, services)
}

pub(super) fn same(world: &World, host: usize, services: &str) -> Result<(), String> {
    let now = lives(world, host);
    if now == services { Ok(()) } else { Err(format!("services were {services:?} and are {now:?}")) }
}

/// The collector awaits nothing of it any more.
pub(super) fn is_retired(world: &mut World, host: usize) -> Result<(), String> {
    let name = format!("h{host}");
    world.wait("it is retired", SOON, |world| {
        Ok(world.states()?.iter().any(|known| known.host == name && known.state() == v1::HostState::Retired))
    })
}

/// Which processes the services have, and when the kernel started each, in ticks.
pub(super) fn lives(world: &World, host: usize) -> String {
    let each = "for p in $(pidof redis-server | tr ' ' '\\n' | sort -n); do echo $p $(cut -d' ' -f22 /proc/$p/stat); done";
    world.host(host).run(&["sh", "-c", each]).0
}

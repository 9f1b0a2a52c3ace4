//! The life of the agent's archive on a host with systemd, by install.sh as packaging/tarball.sh puts it together: what runs never
//! notices. Its signatures, and hosts without systemd, are `tests/tests/archive`.

use super::super::own::{BENCH, clear, left};
use super::super::world::{SOON, World};
use super::own::{SPAWNED, is_retired, lives, same};
use super::{Play, Scenario};
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

const HOST: usize = 5;
const CONFIG: &str = "/etc/picket/agent.toml";
const STATE: &str = "/var/lib/picket-agent";
const PACK: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../packaging/tarball.sh");
/// What a program says of itself, in a word each: `agent-package` has the real ones.
const PAPERS: &str = "#!/bin/sh\nset -e\nof=$1/picket-agent\nmkdir -p $of/man $of/bash $of/zsh $of/fish\n\
                      for one in agent.toml.example man/picket-agent.1 bash/picket-agent.bash zsh/_picket-agent fish/picket-agent.fish; do\n\
                      echo $one >$of/$one\ndone\n";
const BROKEN: &str = "#!/bin/sh\nexit 1\n";

/// From the first installation to the purge.
pub(super) const LIFE: Scenario = Scenario {
    name: "agent-archive",
    says: "the agent's archive is installed, upgraded, upgraded to one that does not come up and is put back, cut off in the midst of an \
           upgrade, removed, installed again and purged: what it watches runs on through all of it, and nothing of it is left",
    smoke: true,
    needs: &[
        ("/usr/bin/sha256sum", "coreutils"),
        ("/usr/bin/pidof", "sysvinit-utils"),
        ("/usr/bin/pkill", "procps"),
    ],
    play: Play::Inside(|world| {
        let services = arrives(world)?;
        changes(world, &services)?;
        fails(world, &services)?;
        is_cut_off(world, &services)?;
        goes(world, &services)
    }),
};

/// Makes the archive of a version there; how its install.sh is called.
fn archive(world: &World, version: &str, is_broken: bool) -> Result<String, String> {
    let host = world.host(HOST);
    let program = format!("{BENCH}/program");
    match is_broken {
        true => host.write(&program, BROKEN)?,
        false => host.does(&["cp", &format!("{BENCH}/agent"), &program]).map(drop)?,
    }
    host.does(&["sh", "-c", &format!("printf '# %s\\n' {version} >>{program}; chmod 755 {program}")])?;
    host.write(&format!("{BENCH}/papers"), PAPERS)?;
    let papers = host.path(&format!("{BENCH}/papers"));
    let may = std::fs::set_permissions(&papers, std::fs::Permissions::from_mode(0o755));
    may.map_err(|error| error.to_string())?;
    let target = format!("{}-unknown-linux-musl", std::env::consts::ARCH);
    let mut command = Command::new(PACK);
    command.args(["--target", &target, "--version", version]).arg("--papers").arg(papers);
    command.arg("--program").arg(host.path(&program)).arg("--out").arg(host.path(BENCH));
    let output = command.output().map_err(|error| format!("{PACK}: {error}"))?;
    if !output.status.success() {
        return Err(format!("{PACK}: {}", String::from_utf8_lossy(&output.stderr)));
    }
    let name = format!("{BENCH}/picket-agent-{version}-{}", std::env::consts::ARCH);
    host.does(&["tar", "-xzf", &format!("{name}.tar.gz"), "-C", BENCH])?;
    Ok(format!("sh {name}/install.sh"))
}

fn installs(world: &World, version: &str) -> Result<String, String> {
    let install = archive(world, version, false)?;
    world.host(HOST).does(&["sh", "-c", &format!("{install} --checksums-only 2>&1")])
}

/// Without a configuration it waits; with one it takes over what runs. Which processes these are, and since when.
fn arrives(world: &mut World) -> Result<String, String> {
    let host = world.host(HOST);
    clear(host)?;
    host.does(&["mv", CONFIG, "/root/"])?;
    let said = installs(world, "1.0")?;
    let host = world.host(HOST);
    let states = ["ActiveState", "UnitFileState"].map(|name| host.property("picket-agent", name));
    if !said.contains("it waits for its configuration") || states != ["inactive", "enabled"] {
        return Err(format!("without a configuration it is {states:?}: {said}"));
    }
    let put = format!("mv /root/agent.toml /etc/picket/ && printf '%s' '{SPAWNED}' >>{CONFIG}");
    host.does(&["sh", "-c", &put])?;
    host.does(&["systemctl", "start", "picket-agent"])?;
    world.wait("both services run", SOON, |world| Ok(lives(world, HOST).lines().count() == 2))?;
    let services = lives(world, HOST);
    is_well(world, "1.0", &services)?;
    Ok(services)
}

fn changes(world: &mut World, services: &str) -> Result<(), String> {
    for (version, before) in [("1.1", "1.0"), ("1.0", "1.1")] {
        let said = installs(world, version)?;
        if !said.contains(&format!("{version} runs in the place of {before}")) {
            return Err(said);
        }
        is_well(world, version, services)?;
    }
    Ok(())
}

/// One that does not come up: the one before runs in its place, and the status says so.
fn fails(world: &mut World, services: &str) -> Result<(), String> {
    let install = archive(world, "1.2", true)?;
    let words = format!("PICKET_AGENT_PATIENCE=10 {install} --checksums-only 2>&1");
    let (said, is_good) = world.host(HOST).run(&["sh", "-c", &words]);
    if is_good || !said.contains("1.0 is put back, and runs") {
        return Err(format!("one that does not come up: {said}"));
    }
    is_well(world, "1.0", services)
}

/// Killed while the new one is tried, which does not come up: the next one has the way free.
fn is_cut_off(world: &mut World, services: &str) -> Result<(), String> {
    let install = archive(world, "1.3", true)?;
    let words = format!("{install} --checksums-only >/root/picket/said 2>&1 & echo $!");
    let pid = world.host(HOST).does(&["sh", "-c", &words])?;
    world.wait("the new one is in its place", SOON, |world| Ok(version(world) == "1.3"))?;
    world.host(HOST).does(&["kill", "-9", pid.trim()])?;
    let said = installs(world, "1.1")?;
    let words = ["an installation that was interrupted is undone first", "1.1 runs in the place of 1.0"];
    if let Some(lacking) = words.iter().find(|words| !said.contains(**words)) {
        return Err(format!("after one that was killed, {lacking:?} is not in: {said}"));
    }
    is_well(world, "1.1", services)
}

/// Removed, installed again, purged.
fn goes(world: &mut World, services: &str) -> Result<(), String> {
    let copy = "/usr/lib/picket-agent/install.sh";
    world.host(HOST).does(&["sh", copy, "--uninstall"])?;
    is_retired(world, HOST)?;
    same(world, HOST, services)?;
    world.host(HOST).does(&["test", "-s", CONFIG, "-a", "-d", &format!("{STATE}/spool")])?;
    installs(world, "1.1")?;
    is_well(world, "1.1", services)?;
    let said = world.host(HOST).does(&["sh", "-c", &format!("sh {copy} --purge 2>&1")])?;
    if !said.contains("services that it started run on") || !said.contains("nothing of the agent is left") {
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

/// This version is installed and runs, the collector hears it, the services run on, and nothing is kept of an upgrade.
fn is_well(world: &mut World, expected: &str, services: &str) -> Result<(), String> {
    world.connected(HOST, SOON)?;
    let beside = "find /usr /etc /var/lib -xdev -name '.*.picket-*' -o -name 'picket-agent.before' -o -name 'picket-agent.install' \
                  -o -name 'picket-agent.lock'";
    let (beside, _) = world.host(HOST).run(&["sh", "-c", beside]);
    let is = version(world);
    if is != expected || !beside.is_empty() {
        return Err(format!("{expected} should be installed, and it is {is}; beside it: {beside}"));
    }
    same(world, HOST, services)
}

fn version(world: &World) -> String {
    let last = "tail -n 1 /usr/bin/picket-agent | tr -d '\\0'";
    world.host(HOST).run(&["sh", "-c", last]).0.rsplit("# ").next().unwrap_or_default().to_owned()
}

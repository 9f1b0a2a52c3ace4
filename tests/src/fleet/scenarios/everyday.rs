//! A day on which nothing goes wrong: what administrators, packages and timers do all the time is nobody's incident.

use super::super::agents::service;
use super::super::package::Package;
use super::super::world::{SOON, World};
use super::{Play, Scenario};
use picket_rpc::v1;

/// A quiet day.
pub(super) const QUIET_DAY: Scenario = Scenario {
    name: "quiet-day",
    says: "a package upgrade, restarts as needrestart makes them, logrotate, logins, timers, a configuration run, a daemon-reexec: no \
           incident, and no remedy",
    smoke: true,
    needs: &[("/usr/sbin/logrotate", "logrotate"), ("/usr/bin/python3", "python3-minimal")],
    play: Play::Inside(|world| {
        let package = Package::new("rig-demo");
        package.install(world.host(2), "1.0")?;
        world.watch_too(2, &package.check())?;
        world.connected(2, SOON)?;
        let before = world.life(2, "rig-demo");
        package.install(world.host(2), "1.1")?;
        if world.life(2, "rig-demo") == before {
            return Err("an upgrade did not restart its service".to_owned());
        }
        for number in world.agents() {
            restarts(world, number)?;
            logs(world, number)?;
            logins(world, number)?;
            timers(world, number)?;
            configuration(world, number)?;
        }
        world.agents().try_for_each(|host| world.connected(host, SOON * 2))?;
        nothing_was_wrong(world)
    }),
};

/// What needrestart does after libraries were upgraded, and an administrator who reloads.
fn restarts(world: &World, number: usize) -> Result<(), String> {
    let (host, unit) = (world.host(number), service(number));
    host.does(&["systemctl", "restart", unit, "dbus.socket"])?;
    host.does(&["systemctl", "try-restart", unit])?;
    host.does(&["systemctl", "daemon-reexec"]).map(drop)
}

fn logs(world: &World, number: usize) -> Result<(), String> {
    let name = if number.is_multiple_of(2) { "nginx" } else { "redis-server" };
    world.host(number).does(&["logrotate", "--force", &format!("/etc/logrotate.d/{name}")]).map(drop)
}

fn logins(world: &World, number: usize) -> Result<(), String> {
    let host = world.host(number);
    host.does(&["su", "-s", "/bin/sh", "nobody", "-c", "true"])?;
    host.does(&["systemd-run", "--quiet", "--scope", "--unit=session-1", "true"]).map(drop)
}

fn timers(world: &World, number: usize) -> Result<(), String> {
    let host = world.host(number);
    host.does(&["systemd-run", "--quiet", "--on-active=0", "--unit=nightly", "true"])?;
    host.does(&["systemctl", "start", "systemd-tmpfiles-clean.service"]).map(drop)
}

/// As a configuration tool does it: files written again, checked, units enabled, reloaded and restarted.
fn configuration(world: &World, number: usize) -> Result<(), String> {
    let (host, unit) = (world.host(number), service(number));
    host.write(
        &format!("/etc/systemd/system/{unit}.service.d/limits.conf"),
        "[Service]\nLimitNOFILE=8192\n",
    )?;
    host.does(&["systemctl", "daemon-reload"])?;
    host.does(&["systemctl", "enable", unit])?;
    if number.is_multiple_of(2) {
        host.write("/etc/nginx/conf.d/headers.conf", "server_tokens off;\n")?;
        host.does(&["nginx", "-t"])?;
        host.does(&["systemctl", "reload", unit])?;
    }
    host.does(&["systemctl", "restart", unit]).map(drop)
}

/// Nobody was told of an incident, and no agent did anything about anything.
fn nothing_was_wrong(world: &mut World) -> Result<(), String> {
    if let Some(found) = world.incidents()?.first() {
        return Err(format!("an incident that is none: {} ({})", found.title, found.severity_rule));
    }
    for number in world.agents() {
        let events = world.events(&format!("h{number}"))?;
        if let Some(done) = events.iter().find(|event| event.code.starts_with("remedy-")) {
            return Err(format!("a remedy that nothing called for on h{number}: {}", done.text));
        }
    }
    let services = world.services()?;
    match services.iter().find(|found| found.verdict() != v1::Verdict::Up) {
        None => Ok(()),
        Some(found) => {
            Err(format!("{} of {} is {}", found.service, found.host, found.verdict().as_str_name()))
        }
    }
}

//! What somebody takes away, or breaks for the next start: each is one incident that names the change.

use super::super::package::Package;
use super::super::world::{SOON, World};
use super::{Play, Scenario};
use crate::rig::clock::Since;
use serde_json::json;
use std::time::Duration;

/// From the settled state to the incident.
const LIMIT: Duration = Duration::from_secs(5);
/// The state is judged once it did not change for so long.
const SETTLE: Duration = Duration::from_secs(3);
/// The same after the package manager was at work.
const AFTER_PACKAGES: Duration = Duration::from_secs(60);

const DEMO: Package = Package::new("rig-demo");

/// All four.
pub(super) const REMOVALS: Scenario = Scenario {
    name: "removals",
    says: "a package removed, a unit disabled and stopped, a unit's file deleted, a configuration broken before a restart: one incident \
           each that names the change, within 5 s of the settled state",
    smoke: false,
    needs: &[("/usr/bin/python3", "python3-minimal"), ("/usr/bin/deb-systemd-helper", "init-system-helpers")],
    play: Play::Inside(|world| {
        DEMO.install(world.host(5), "1.0")?;
        world.watch_too(5, &DEMO.check())?;
        world.tune(
            2,
            "good = { files = [\"/etc/nginx\"], precheck = [\"nginx\", \"-t\"], after = \"1s\" }\n",
        )?;
        for host in world.agents() {
            learns_soon(world, host)?;
        }
        for (host, unit) in [(3, "redis-server"), (4, "nginx"), (5, "rig-demo")] {
            learned(world, host, unit)?;
        }
        world.wait("nginx' files are known to be good", SOON, |world| {
            Ok(asks(world, 2, &["status", "--json"]).replace(' ', "").contains("\"files\":\"good\""))
        })?;

        world.host(4).does(&["systemctl", "disable", "--now", "nginx"])?;
        told(
            world,
            4,
            "disable",
            SETTLE,
            &["nginx.service (disabled and stopped)", "multi-user.target.wants/nginx.service"],
        )?;

        // Without the script, systemd would make a unit of that.
        world.host(3).does(&[
            "rm",
            "/lib/systemd/system/redis-server.service",
            "/etc/init.d/redis-server",
        ])?;
        world.host(3).does(&["systemctl", "daemon-reload"])?;
        told(
            world,
            3,
            "unit-file",
            SETTLE,
            &["redis-server.service (its unit has no file any more)", "system/redis-server.service changed"],
        )?;

        world.host(2).does(&["sh", "-c", "echo 'oops' >> /etc/nginx/nginx.conf"])?;
        let (_, is_started) = world.host(2).run(&["systemctl", "restart", "nginx"]);
        if is_started {
            return Err("nginx starts with a broken configuration".to_owned());
        }
        told(world, 2, "config", Duration::ZERO, &["/etc/nginx/nginx.conf"])?;
        world.wait("its outcome names the file that changed", SOON, |world| {
            let outcome = "it fails since /etc/nginx/nginx.conf changed";
            Ok(world.incidents_of(2)?.iter().any(|found| found.outcome.contains(outcome)))
        })?;

        DEMO.remove(world.host(5))?;
        told(
            world,
            5,
            "package",
            AFTER_PACKAGES,
            &["rig-demo.service (its unit has no file any more)", "package rig-demo 1.0 was removed"],
        )
    }),
};

/// Learning takes a minute by default, which proves nothing here; what settles, and when, is as ever.
fn learns_soon(world: &mut World, host: usize) -> Result<(), String> {
    world.watch_too(host, "\n[baseline]\nlearn = \"5s\"\n")
}

fn asks(world: &World, host: usize, words: &[&str]) -> String {
    let words: Vec<&str> =
        ["picket-agent"].iter().chain(words).chain(&["--state", "/var/lib/picket-agent"]).copied().collect();
    world.host(host).run(&words).0
}

fn learned(world: &mut World, host: usize, unit: &str) -> Result<(), String> {
    world.wait(&format!("{unit} of h{host} should be there"), SOON * 6, |world| {
        let shown = asks(world, host, &["baseline", "show"]);
        Ok(shown.lines().any(|line| line.contains(&format!("{unit}.service")) && !line.ends_with("new")))
    })
}

/// One incident of the host says all of this, soon enough after the state has settled.
fn told(world: &mut World, host: usize, deed: &str, settles: Duration, words: &[&str]) -> Result<(), String> {
    let since = Since::now();
    let (mut said, mut at) = (String::new(), None);
    let told = world.wait(&format!("an incident of h{host} says {words:?}"), settles + SOON, |world| {
        let own = world.incidents_of(host)?;
        said = own
            .iter()
            .map(|found| {
                format!("[{}] {}: {}; {}", found.severity_rule, found.title, found.cause, found.outcome)
            })
            .collect::<Vec<_>>()
            .join("; ");
        let is_told = own.iter().any(|found| words.iter().all(|words| found.cause.contains(words)));
        at = is_told.then(|| since.elapsed());
        Ok(is_told)
    });
    told.map_err(|why| format!("{why}; there is: {said}"))?;
    let after = at.unwrap_or_default().saturating_sub(settles);
    println!(
        "{}",
        json!({ "removal": deed, "settles_s": settles.as_secs(), "seconds": (after.as_secs_f64() * 100.0).round() / 100.0, "said": said })
    );
    let count = world.incidents_of(host)?.len();
    match count {
        1 if after <= LIMIT => Ok(()),
        1 => Err(format!("{deed}: {} s after the settled state", after.as_secs_f64())),
        more => Err(format!("{deed}: {more} incidents: {said}")),
    }
}

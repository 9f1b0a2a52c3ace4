//! Outages that everybody has had: a web front without its backend, a pool that is used up, services that are simply gone.

use super::super::package::Package;
use super::super::world::{SOON, World};
use super::{Play, Scenario};
use picket_rpc::v1;
use std::time::Duration;

/// A server that takes its time to start, so that its outage is seen from afar.
const BACKEND: &str = "[Unit]\nDescription=Backend\n\n[Service]\nExecStartPre=/bin/sleep 5\n\
    ExecStart=/usr/bin/python3 -m http.server 8000 --bind 0.0.0.0 --directory /srv\nTimeoutStopSec=2\n";
const BACKEND_CHECK: &str = "\n[[service]]\nname = \"backend\"\nunit = \"backend.service\"\nhold = \"3s\"\n\n\
    [[service.check]]\nkind = \"http\"\nurl = \"http://127.0.0.1:8000/\"\nstatus = 200\ninterval = \"1s\"\ntimeout = \"500ms\"\n";
const FRONT: &str = "server { listen 80 default_server; listen [::]:80;\n\
    location / { proxy_pass http://h5:8000; proxy_connect_timeout 1s; } }\n";

/// Takes more connections than a pool has, and gives them back, over and over.
const GREEDY: &str = r#"
import socket, time
while True:
    held = []
    for _ in range(12):
        try:
            held.append(socket.create_connection(("h3", 6379), 1))
        except OSError:
            pass
    time.sleep(3.5)
    for one in held:
        one.close()
    time.sleep(1.2)
"#;

/// The front says 502, and its host is well.
pub(super) const BAD_GATEWAY: Scenario = Scenario {
    name: "bad-gateway",
    says: "a web front answers 502 since its backend on another host died: both told, the front's cause says 502; the backend is \
           healed, and all is resolved",
    smoke: true,
    needs: &[("/usr/bin/python3", "python3-minimal")],
    play: Play::Inside(|world| {
        world.host(5).write("/etc/systemd/system/backend.service", BACKEND)?;
        world.host(5).does(&["systemctl", "daemon-reload"])?;
        world.host(5).does(&["systemctl", "start", "backend"])?;
        world.watch_too(5, BACKEND_CHECK)?;
        world.host(4).write("/etc/nginx/sites-enabled/rig", FRONT)?;
        world.host(4).does(&["systemctl", "reload", "nginx"])?;
        [4, 5].into_iter().try_for_each(|host| world.connected(host, SOON * 2))?;
        world.host(5).kill("backend", "KILL")?;
        world.wait("the front's incident says 502", SOON, |world| {
            Ok(world.incidents_of(4)?.iter().any(|found| found.cause.contains("502")))
        })?;
        world.wait("the backend's incident says how it died", SOON, |world| {
            Ok(world.incidents_of(5)?.iter().any(|found| found.cause.contains("SIGKILL")))
        })?;
        world.all_resolved(SOON * 3)?;
        [4, 5].into_iter().try_for_each(|host| world.connected(host, SOON))?;
        world.active(4, "nginx").and_then(|()| world.active(5, "backend"))
    }),
};

/// Nothing is down, and a share of the requests fails.
pub(super) const POOL: Scenario = Scenario {
    name: "pool-exhausted",
    says: "a greedy client uses redis' connections up, again and again, so that a share of requests fails: told by its answers, \
           a restart that doesn't help ends at the breaker with a page; without the client all is resolved",
    smoke: false,
    needs: &[("/usr/bin/python3", "python3-minimal")],
    play: Play::Inside(|world| {
        world.host(3).does(&["sh", "-c", "echo 'maxclients 10' >> /etc/redis/redis.conf"])?;
        world.host(3).does(&["systemctl", "restart", "redis-server"])?;
        world.tune(3, "budget = 3\nretry_after = \"10s\"\n")?;
        world.host(5).write("/root/greedy.py", GREEDY)?;
        world.host(5).does(&["systemd-run", "-q", "--unit=greedy", "/usr/bin/python3", "/root/greedy.py"])?;
        world.wait("the incident says that redis' answer is wrong", SOON * 2, |world| {
            Ok(world.incidents_of(3)?.iter().any(|found| found.cause.contains("answer")))
        })?;
        world.not_healed(3, "redis-server")?;
        world.host(5).does(&["systemctl", "stop", "greedy"])?;
        world.all_resolved(Duration::from_secs(120))?;
        world.connected(3, SOON)?;
        world.active(3, "redis-server")
    }),
};

/// Nobody said that they went.
pub(super) const VANISHED: Scenario = Scenario {
    name: "vanished",
    says: "services vanish: a configuration that breaks at a restart and a deleted unit are paged as not healed, with the words of nginx and \
           of systemd; a disabled unit and a \
           removed package are told as stopped on purpose; none of them is shown as up",
    smoke: true,
    needs: &[("/usr/bin/python3", "python3-minimal")],
    play: Play::Inside(|world| {
        let package = Package::new("rig-demo");
        package.install(world.host(5), "1.0")?;
        world.watch_too(5, &package.check())?;
        world.connected(5, SOON)?;
        world.host(2).write("/etc/nginx/conf.d/broken.conf", "oops\n")?;
        let (_, is_started) = world.host(2).run(&["systemctl", "restart", "nginx"]);
        if is_started {
            return Err("nginx starts with a broken configuration".to_owned());
        }
        // Without the script, systemd would make a unit of that.
        world.host(3).does(&[
            "rm",
            "/lib/systemd/system/redis-server.service",
            "/etc/init.d/redis-server",
        ])?;
        world.host(3).does(&["systemctl", "daemon-reload"])?;
        world.host(3).kill("redis-server", "KILL")?;
        world.host(4).does(&["systemctl", "disable", "--now", "nginx"])?;
        package.remove(world.host(5))?;
        world.not_healed(2, "nginx")?;
        world.not_healed(3, "redis-server")?;
        for (host, words) in [(2, "conf.d/broken.conf"), (3, "Unit redis-server.service not found")] {
            world.wait("an incident quotes why", SOON, |world| {
                Ok(world.incidents_of(host)?.iter().any(|found| found.cause.contains(words)))
            })?;
        }
        world.intent(4, "nginx", v1::Intent::Stopped)?;
        world.intent(5, "rig-demo", v1::Intent::Stopped)?;
        for (host, name) in [(2, "nginx"), (3, "redis-server"), (4, "nginx"), (5, "rig-demo")] {
            not_up(world, host, name)?;
        }
        Ok(())
    }),
};

fn not_up(world: &mut World, number: usize, name: &str) -> Result<(), String> {
    match world.service(number, name)? {
        Some(found) if found.verdict() != v1::Verdict::Up => Ok(()),
        found => Err(format!("{name} of h{number} is gone, and is shown as {found:?}")),
    }
}

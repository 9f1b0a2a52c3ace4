//! The way between hosts is gone, goes one way, or loses.

use super::super::net;
use super::super::wire::{self, Wire};
use super::super::world::SOON;
use super::{Play, Scenario};
use picket_rpc::v1;

/// A cable is out while a service dies.
pub(super) const LINK_DOWN: Scenario = Scenario {
    name: "link-down",
    says: "a host's link is down while its service dies: healed on the host, silent meanwhile, told once it is back",
    smoke: true,
    needs: &[],
    play: Play::Inside(|world| {
        net::set("h2", false);
        world.host(2).kill("nginx", "KILL")?;
        world.silent(2)?;
        net::set("h2", true);
        world.back(2)?;
        world.told(2, "remedy-held")
    }),
};

/// Nothing comes back from the collector.
pub(super) const ONE_WAY: Scenario = Scenario {
    name: "one-way",
    says: "what the collector says no longer reaches a host: silent, then back; every event once",
    smoke: false,
    needs: &[],
    play: Play::Inside(|world| {
        net::cut("h1", "h2");
        world.silent(2)?;
        net::heal();
        world.back(2)?;
        world.each_once(2)
    }),
};

/// A bad cable.
pub(super) const LOSS: Scenario = Scenario {
    name: "loss",
    says: "a fifth of all frames to the collector and to a host is lost: its service that dies is healed and told",
    smoke: false,
    needs: &[],
    play: Play::Inside(|world| {
        net::lose("h1", 200);
        net::lose("h2", 200);
        world.host(2).kill("nginx", "KILL")?;
        let told = world.recovered(2, "nginx", 1);
        net::heal();
        told
    }),
};

/// The fleet falls apart.
pub(super) const SPLIT: Scenario = Scenario {
    name: "split",
    says: "two hosts are split from the rest: both silent, nobody else; a service that dies there is told later",
    smoke: false,
    needs: &[],
    play: Play::Inside(|world| {
        net::split(&["h2", "h3"], &["h1", "h4", "h5"]);
        world.host(3).kill("redis-server", "KILL")?;
        [2, 3].into_iter().try_for_each(|host| world.silent(host))?;
        [4, 5].into_iter().try_for_each(|host| world.quiet_about(host))?;
        net::heal();
        world.back(2)?;
        world.back(3)?;
        world.told(3, "service-died")
    }),
};

/// A host at the other end of the world, or behind a satellite.
pub(super) const FAR: Scenario = Scenario {
    name: "far-host",
    says: "what goes to a host and back takes 300 ms each way: connected, its service that dies is healed as fast as ever and told",
    smoke: false,
    needs: wire::NEEDS,
    play: Play::Inside(|world| {
        let wire = Wire::slow("h2", 300)?;
        world.host(2).does(&["systemctl", "restart", "picket-agent"])?;
        world.connected(2, SOON)?;
        world.host(2).kill("nginx", "KILL")?;
        world.recovered(2, "nginx", 1)?;
        let trip = world.events("h2")?.iter().filter(|event| event.code == "service-died").find_map(late);
        drop(wire);
        world.never_silent()?;
        world.connected(2, SOON)?;
        match trip {
            Some(millis) if millis >= 200 => Ok(()),
            trip => Err(format!("the wire is not slow: an event took {trip:?} ms")),
        }
    }),
};

/// Milliseconds from when it happened to when it was received.
fn late(event: &v1::Event) -> Option<i64> {
    let (at, received) = (event.at.as_ref()?, event.received.as_ref()?);
    Some((received.seconds - at.seconds) * 1_000 + i64::from(received.nanos - at.nanos) / 1_000_000)
}

/// A link as a gateway in the field has it.
pub(super) const NARROW: Scenario = Scenario {
    name: "narrow-link",
    says: "a host's link and the collector's take 64 kbit/s: its service that dies is healed and told",
    smoke: false,
    needs: &[],
    play: Play::Inside(|world| {
        for host in ["h1", "h2"] {
            net::narrow(host, 64);
        }
        world.host(2).kill("nginx", "KILL")?;
        let told = world.recovered(2, "nginx", 1);
        for host in ["h1", "h2"] {
            net::widen(host);
        }
        told
    }),
};

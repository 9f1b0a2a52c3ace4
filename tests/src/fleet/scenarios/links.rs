//! The way between hosts is gone, goes one way, or loses.

use super::super::net;
use super::super::world::SOON;
use super::Scenario;
use super::machines::{back, silent};
use super::services::{quiet_about, recovered};

/// A cable is out while a service dies.
pub(super) const LINK_DOWN: Scenario = Scenario {
    name: "link-down",
    says: "a host's link is down while its service dies: healed on the host, silent meanwhile, told once it is back",
    smoke: true,
    play: |world| {
        net::set("h2", false);
        world.host(2).does(&["systemctl", "kill", "--kill-whom=main", "-s", "KILL", "nginx"])?;
        silent(world, "h2")?;
        net::set("h2", true);
        back(world, "h2")?;
        world.wait("what happened meanwhile is told", SOON, |world| {
            let events = world.events("h2")?;
            Ok(events.iter().any(|event| event.code == "remedy-held"))
        })
    },
};

/// Nothing comes back from the collector.
pub(super) const ONE_WAY: Scenario = Scenario {
    name: "one-way",
    says: "what the collector says no longer reaches a host: silent, then back; every event once",
    smoke: false,
    play: |world| {
        net::cut("h1", "h2");
        silent(world, "h2")?;
        net::heal();
        back(world, "h2")?;
        let mut numbers: Vec<_> = world.events("h2")?.iter().map(|event| (event.run, event.seq)).collect();
        let count = numbers.len();
        numbers.sort_unstable();
        numbers.dedup();
        if numbers.len() == count { Ok(()) } else { Err("an event is there twice".to_owned()) }
    },
};

/// A bad cable.
pub(super) const LOSS: Scenario = Scenario {
    name: "loss",
    says: "a fifth of all frames to the collector and to a host is lost: its service that dies is healed and told",
    smoke: false,
    play: |world| {
        net::lose("h1", 200);
        net::lose("h2", 200);
        world.host(2).does(&["systemctl", "kill", "--kill-whom=main", "-s", "KILL", "nginx"])?;
        let told = recovered(world, 2, "nginx", 1);
        net::heal();
        told
    },
};

/// The fleet falls apart.
pub(super) const SPLIT: Scenario = Scenario {
    name: "split",
    says: "two hosts are split from the rest: both silent, nobody else; a service that dies there is told later",
    smoke: false,
    play: |world| {
        net::split(&["h2", "h3"], &["h1", "h4", "h5"]);
        world.host(3).does(&["systemctl", "kill", "--kill-whom=main", "-s", "KILL", "redis-server"])?;
        for host in ["h2", "h3"] {
            silent(world, host)?;
        }
        quiet_about(world, "h4").and_then(|()| quiet_about(world, "h5"))?;
        net::heal();
        back(world, "h2")?;
        back(world, "h3")?;
        world.wait("what happened meanwhile is told", SOON, |world| {
            let events = world.events("h3")?;
            Ok(events.iter().any(|event| event.code == "service-died"))
        })
    },
};

/// A link as a gateway in the field has it.
pub(super) const NARROW: Scenario = Scenario {
    name: "narrow-link",
    says: "a host's link and the collector's take 64 kbit/s: its service that dies is healed and told",
    smoke: false,
    play: |world| {
        for host in ["h1", "h2"] {
            net::narrow(host, 64);
        }
        world.host(2).does(&["systemctl", "kill", "--kill-whom=main", "-s", "KILL", "nginx"])?;
        let told = recovered(world, 2, "nginx", 1);
        for host in ["h1", "h2"] {
            net::widen(host);
        }
        told
    },
};

//! The way between hosts is gone, goes one way, or loses.

use super::super::net;
use super::{Play, Scenario};

/// A cable is out while a service dies.
pub(super) const LINK_DOWN: Scenario = Scenario {
    name: "link-down",
    says: "a host's link is down while its service dies: healed on the host, silent meanwhile, told once it is back",
    smoke: true,
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

/// A link as a gateway in the field has it.
pub(super) const NARROW: Scenario = Scenario {
    name: "narrow-link",
    says: "a host's link and the collector's take 64 kbit/s: its service that dies is healed and told",
    smoke: false,
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

//! The configuration that `enroll` writes: a few lines that count, and as comments what comes next.
//!
//! Services that listen are proposed, [`PROPOSED_MAX`] at most, and never written as ones that count: whom the agent may restart
//! is a person's to say.

use crate::config::Address;
use crate::first::{Look, is_unit};
use picket_proto::HostId;
use std::fmt::Write;
use std::path::PathBuf;

const PROPOSED_MAX: usize = 4;

/// What counts.
pub(super) struct Draft {
    pub(super) state: PathBuf,
    pub(super) addresses: Vec<Address>,
    /// Nothing: the kernel's host name, also where that changes.
    pub(super) name: Option<HostId>,
    pub(super) observe: bool,
}

impl Draft {
    /// The file, with services proposed that were seen.
    pub(super) fn with(&self, seen: &Look) -> String {
        let mut services = String::new();
        let mut proposed: Vec<&str> = seen.would.iter().map(|life| life.unit.as_str()).collect();
        for (_, unit) in &seen.ports {
            let unit = unit.as_deref().filter(|unit| is_unit(unit) && !proposed.contains(unit));
            proposed.extend(unit);
        }
        for unit in proposed.into_iter().take(PROPOSED_MAX) {
            let name = unit.trim_end_matches(".service");
            let _text_takes_all =
                write!(services, "\n#[[service]]\n#name = \"{name}\"\n#unit = \"{unit}\"\n");
            let tcp = |(port, of): &(String, Option<String>)| {
                port.strip_prefix("tcp/").filter(|_| of.as_deref() == Some(unit)).map(str::to_owned)
            };
            if let Some(port) = seen.ports.iter().find_map(tcp) {
                let _text_takes_all = write!(
                    services,
                    "#[[service.check]]\n#kind = \"tcp\"\n#address = \"127.0.0.1:{port}\"\n"
                );
            }
        }
        self.text(&services)
    }

    /// The file.
    pub(super) fn text(&self, services: &str) -> String {
        let addresses: Vec<String> = self.addresses.iter().map(|it| format!("\"{it}\"")).collect();
        let address = match addresses.as_slice() {
            [one] => one.clone(),
            all => format!("[{}]", all.join(", ")),
        };
        let name = self.name.as_ref().map_or_else(String::new, |name| format!("host = \"{name}\"\n"));
        let observe = if self.observe { OBSERVE } else { "" };
        let state = format!("{:?}", self.state);
        format!(
            "{HEAD}\n[agent]\nstate = {state}\n{name}{observe}\n[collector]\naddress = {address}\n{TOKEN}\n{SERVICES}{services}"
        )
    }
}

const HEAD: &str = "\
# The configuration of picket-agent, written by `picket-agent enroll`. It is yours from now on: nothing writes it again.
# `picket-agent check --config FILE` tells its mistakes, `picket-agent reload` has the running agent take it up. The host itself
# (CPU, memory, load, disks, network) and what should be on it are watched without being named.
";
const OBSERVE: &str = "observe = true        # nothing is done about services: what would be is told. Without this line they are healed\n";
const TOKEN: &str =
    "#token_file = \"token\"  # where a copy of this host finds a token of its own (`picket-agent seal`)\n";
const SERVICES: &str = "\
# A service is judged, and healed, once it stands here with a check that proves that it works.
";

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn what_is_written_is_sound_and_says_what_was_asked_for() {
        let mut draft = Draft {
            state: "/var/lib/p \"q\"".into(),
            addresses: vec!["c.example:7440".parse().unwrap(), "[2001:db8::1]:7440".parse().unwrap()],
            name: Some("web-1".parse().unwrap()),
            observe: true,
        };
        let file = Path::new("/etc/picket/agent.toml");
        let seen = Look {
            ports: vec![("tcp/80".to_owned(), Some("nginx.service".to_owned())), ("udp/53".to_owned(), None)],
            ..Look::default()
        };
        let text = draft.with(&seen);
        assert!(
            text.contains(
                "#unit = \"nginx.service\"\n#[[service.check]]\n#kind = \"tcp\"\n#address = \"127.0.0.1:80\""
            ),
            "{text}"
        );
        let config = crate::config::parse(file, &text).unwrap();
        assert_eq!(
            (config.host.as_str(), config.state.as_deref()),
            ("web-1", Some(Path::new("/var/lib/p \"q\"")))
        );
        assert_eq!(config.collector.unwrap().addresses, draft.addresses);
        // What is proposed is sound once somebody takes the `#` away.
        let (before, proposed) = text.split_once(SERVICES).unwrap();
        let taken = crate::config::parse(file, &(before.to_owned() + &proposed.replace('#', ""))).unwrap();
        assert_eq!(taken.services()[0].unit.as_deref(), Some("nginx.service"));
        draft.observe = false;
        assert!(!draft.text("").contains("observe"));
    }
}

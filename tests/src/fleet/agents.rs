//! Agents of the fleet: installed as units, enrolled with a token, and what a scenario has them watch beside the usual.

use super::world::{SOON, World};
use crate::rig::{files, scripted};
use std::fs;

/// The unit as it is shipped.
const UNIT: &str = include_str!("../../../systemd/picket-agent.service");
const CONFIG: &str = "/etc/picket/agent.toml";
/// Where a scenario adds to the unit.
pub(super) const DROP_INS: &str = "/etc/systemd/system/picket-agent.service.d";
/// Where an agent's own account of its frames goes: on the disk, which outlives a power cut.
const TOLD: &str = "/var/log/picket-told";

impl World {
    /// Installs, enrols and starts the agent of a host, with its one service.
    pub(super) fn agent(&mut self, number: usize) -> Result<(), String> {
        let mut operator = self.operator();
        let token = self.block_on(scripted::mint(&mut operator, &format!("h{number}")));
        let host = self.host(number);
        host.write("/etc/systemd/system/picket-agent.service", UNIT)?;
        fs::create_dir_all(host.path("/etc/picket")).map_err(|error| error.to_string())?;
        files::write_secret(&host.path("/etc/picket/token"), &token);
        files::write_secret(&host.path(CONFIG), &config(number));
        host.does(&["systemctl", "daemon-reload"])?;
        host.does(&["systemctl", "enable", "--now", service(number), "picket-agent"]).map(drop)
    }

    /// Has an agent watch something more.
    pub(super) fn watch_too(&mut self, number: usize, more: &str) -> Result<(), String> {
        self.configure(number, |text| text + more)?;
        self.connected(number, SOON)
    }

    /// Changes how the usual service of a host is healed.
    pub(super) fn tune(&mut self, number: usize, lines: &str) -> Result<(), String> {
        self.configure(number, |text| {
            text.replacen("hold = \"3s\"\n", &format!("hold = \"3s\"\n{lines}"), 1)
        })?;
        self.connected(number, SOON)
    }

    /// Has an agent watch its host's levels, every second. Those of CPU and load are the machine's, and may be as they like.
    pub(super) fn watch_levels(&mut self, number: usize) -> Result<(), String> {
        self.configure(number, |text| {
            text.replacen("enabled = false\n", "interval = \"1s\"\nspace = []\n", 1)
        })
    }

    /// Changes the configuration of an agent, which starts again.
    pub(super) fn configure(
        &mut self,
        number: usize,
        change: impl FnOnce(String) -> String,
    ) -> Result<(), String> {
        let host = self.host(number);
        let path = host.path(CONFIG);
        let text = fs::read_to_string(&path).map_err(|error| error.to_string())?;
        files::write_secret(&path, &change(text));
        host.does(&["systemctl", "restart", "picket-agent"]).map(drop)
    }

    /// From now on an agent writes its account of frames into a file of its host.
    pub(super) fn tell_to_file(&mut self, number: usize) -> Result<(), String> {
        let start = UNIT.lines().find(|line| line.starts_with("ExecStart=")).unwrap_or_default();
        let text =
            format!("[Service]\nExecStart=\n{start} --log-format json\nStandardOutput=append:{TOLD}\n");
        let host = self.host(number);
        host.write(&format!("{DROP_INS}/told.conf"), &text)?;
        host.does(&["systemctl", "daemon-reload"]).map(drop)
    }

    /// What an agent wrote there.
    pub(super) fn told_lines(&self, number: usize) -> Result<String, String> {
        fs::read_to_string(self.host(number).path(TOLD))
            .map_err(|error| format!("{TOLD} of h{number}: {error}"))
    }
}

/// The unit on a host that its agent watches in any case.
pub(super) fn service(number: usize) -> &'static str {
    if number.is_multiple_of(2) { "nginx" } else { "redis-server" }
}

fn config(number: usize) -> String {
    let check = if number.is_multiple_of(2) {
        "kind = \"http\"\nurl = \"http://127.0.0.1/\"\nstatus = 200\n"
    } else {
        "kind = \"tcp\"\naddress = \"127.0.0.1:6379\"\nsend = \"PING\\r\\n\"\nexpect = \"+PONG\"\n"
    };
    let name = service(number);
    format!(
        "[collector]\naddress = \"h1:7440\"\ntoken_file = \"/etc/picket/token\"\n\n[host]\nenabled = false\n\n\
         [[service]]\nname = \"{name}\"\nunit = \"{name}.service\"\nhold = \"3s\"\n\n\
         [[service.check]]\n{check}interval = \"1s\"\ntimeout = \"500ms\"\n"
    )
}

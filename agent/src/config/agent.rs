//! `[agent]`: this host, its state folder, the limits of its spool.

use super::Spool;
use super::bus::{self, BusAddress};
use super::command;
use super::read::{Keys, Sheet};
use super::service::find;
use picket_agent_core::service::Reboots;
use picket_proto::{HostId, Span};
use std::path::{Path, PathBuf};

/// `[agent]`.
pub(super) struct AgentTable {
    pub(super) state: Option<PathBuf>,
    pub(super) host: HostId,
    pub(super) spool: Spool,
    pub(super) bus: BusAddress,
    /// The command that reboots the host, and how often it may.
    pub(super) reboot: Option<(Vec<String>, Reboots)>,
    /// Whether services are only observed where they do not say otherwise.
    pub(super) observe: bool,
}

/// Reads the table, or takes the defaults where there is none.
pub(super) fn read(keys: &mut Keys<'_>, sheet: &mut Sheet<'_>, here: &Path) -> AgentTable {
    const SPOOL: u32 = 16;
    const BUDGET: u32 = 10;
    let mib = |count: u32| u64::from(count) * 1024 * 1024;
    let Some(mut keys) = keys.table(sheet, "agent") else {
        let spool = Spool { bytes: mib(SPOOL), flash_budget: mib(BUDGET) };
        let (host, bus) = (kernel_host(), BusAddress::System);
        return AgentTable { state: None, host, spool, bus, reboot: None, observe: false };
    };
    let state = keys.text(sheet, "state").map(|(state, _)| here.join(state));
    let host = keys.text(sheet, "host").map(|(host, place)| (host.parse::<HostId>(), place));
    let host = match host {
        None => kernel_host(),
        Some((Ok(host), _)) => host,
        Some((Err(bad), place)) => {
            sheet.wrong(&place, bad.to_string(), Some("use 1 to 63 of a-z 0-9 . _ -".to_owned()));
            kernel_host()
        }
    };
    let spool = Spool {
        bytes: mib(keys.number(sheet, "spool", 1..=1024, SPOOL)),
        flash_budget: mib(keys.number(sheet, "flash_budget", 1..=1024, BUDGET)),
    };
    let bus = bus::read(&mut keys, sheet);
    let reboot = reboot(&mut keys, sheet, here);
    let observe = keys.flag(sheet, "observe", false);
    keys.finish(sheet);
    AgentTable { state, host, spool, bus, reboot, observe }
}

/// How the host is rebooted, where services may ask for that.
fn reboot(keys: &mut Keys<'_>, sheet: &mut Sheet<'_>, here: &Path) -> Option<(Vec<String>, Reboots)> {
    const HOUR: Span = Span::from_secs(3600);
    let mut keys = keys.table(sheet, "reboot")?;
    let usual = || vec![find("systemctl", here), "reboot".to_owned()];
    let command = command::found(&mut keys, sheet, "command", here).unwrap_or_else(usual);
    let most = u16::try_from(keys.number(sheet, "max", 1..=32, 1)).unwrap_or(1);
    let per = keys.span(sheet, "per", &(HOUR..=HOUR.times(7 * 24)), HOUR.times(24));
    keys.finish(sheet);
    Some((command, Reboots { most, per }))
}

/// The kernel's host name as a [`HostId`]; `localhost` where it can't be one.
fn kernel_host() -> HostId {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let lower =
        name.trim().to_ascii_lowercase().replace(|c: char| !c.is_ascii_alphanumeric() && c != '.', "-");
    let kept: String = lower.chars().take(picket_proto::id::HOST_MAX).collect();
    kept.parse().unwrap_or_else(|_| "localhost".parse().expect("a constant of allowed characters"))
}

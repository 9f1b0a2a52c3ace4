//! The last run of a timer or service, asked for once over a connection of its own.
//!
//! A timer's runs are those of the unit that it starts, which it keeps loaded. Where that has not run since the boot, a
//! persistent timer still knows when it last started it. A service without timer is forgotten by systemd once it has
//! ended well and nothing refers to it: name its timer.

use super::bus::connect;
use super::call::timely;
use super::read::{Properties, get_all, path_of, text, value};
use crate::config::BusAddress;
use picket_agent_core::past::Runs;
use picket_proto::Wall;
use zbus::Connection;

/// A process that was killed, in the `si_code` of its end.
const EXITED: i32 = 1;

/// What systemd knows of the runs of this unit, and its word for how the last one ended where it is not its status.
///
/// # Errors
/// The bus or systemd does not answer.
pub(crate) async fn runs(bus: &BusAddress, unit: &str, now: Wall) -> zbus::Result<(Runs, String)> {
    let connection = connect(bus).await?;
    timely(ask(&connection, unit, now)).await?
}

async fn ask(connection: &Connection, unit: &str, now: Wall) -> zbus::Result<(Runs, String)> {
    let ago = |at: u64| (now.micros() - i64::try_from(at).unwrap_or(i64::MAX)).div_euclid(1_000_000);
    if !unit.ends_with(".timer") {
        let service = get_all(connection, &path_of(unit), "org.freedesktop.systemd1.Service").await?;
        return Ok(of_service(&service, ago));
    }
    let timer = get_all(connection, &path_of(unit), "org.freedesktop.systemd1.Timer").await?;
    let triggered: u64 = value(&timer, "LastTriggerUSec").unwrap_or_default();
    let starts = text(&timer, "Unit");
    if starts.is_empty() {
        return Ok((Runs::default(), "systemd has no such timer".to_owned()));
    }
    let service = get_all(connection, &path_of(&starts), "org.freedesktop.systemd1.Service").await?;
    let (mut runs, said) = of_service(&service, ago);
    if runs == Runs::default() && triggered > 0 {
        runs.well = Some(ago(triggered));
    }
    Ok((runs, said))
}

fn of_service(service: &Properties, ago: impl Fn(u64) -> i64) -> (Runs, String) {
    let number = |key: &str| value::<u64>(service, key).unwrap_or_default();
    let pid: u32 = value(service, "MainPID").unwrap_or_default();
    let (began, ended) = (number("ExecMainStartTimestamp"), number("ExecMainExitTimestamp"));
    if pid != 0 {
        return (Runs { running: Some(ago(began)), ..Runs::default() }, String::new());
    }
    if ended == 0 {
        return (Runs::default(), String::new());
    }
    let result = text(service, "Result");
    if result == "success" {
        return (Runs { well: Some(ago(ended)), ..Runs::default() }, String::new());
    }
    let status: i32 = value(service, "ExecMainStatus").unwrap_or_default();
    let exited = value(service, "ExecMainCode") == Some(EXITED);
    // As a shell tells a death by a signal.
    let status = if exited { status } else { status.saturating_add(128) };
    (Runs { failed: Some(status), ..Runs::default() }, format!("systemd calls it {result}"))
}

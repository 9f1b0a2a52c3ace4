//! The last run of a timer or service, asked for once over a connection of its own.
//!
//! A timer's runs are those of the unit that it starts, which it keeps loaded. Where that has not run since the boot, a
//! persistent timer still knows when it last started it; of any other the age begins at the boot. A service without timer is forgotten by systemd once it has
//! ended well and nothing refers to it: name its timer.

use super::bus::connect;
use super::call::timely;
use super::read::{Properties, get_all, path_of, text, value};
use crate::clock;
use crate::config::BusAddress;
use picket_agent_core::past::{Runs, Service, Timer};
use picket_proto::Wall;
use zbus::{Connection, OwnedObjectPath};

const UNIT: &str = "org.freedesktop.systemd1.Unit";
/// A process that ended by itself, in the `si_code` of its end.
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
        return Ok((service_of(&service, ago).runs(None), said_of(&service)));
    }
    let timer = get_all(connection, &path_of(unit), "org.freedesktop.systemd1.Timer").await?;
    let triggered: u64 = value(&timer, "LastTriggerUSec").unwrap_or_default();
    let starts = text(&timer, "Unit");
    if starts.is_empty() {
        return Ok((Runs::default(), "systemd has no such timer".to_owned()));
    }
    let of_timer = get_all(connection, &path_of(unit), UNIT).await?;
    let up = i64::try_from(clock::now().mono.micros() / 1_000_000).unwrap_or(i64::MAX);
    let triggered = (triggered > 0).then(|| ago(triggered));
    let timer = Timer { triggered, is_active: text(&of_timer, "ActiveState") == "active", up };
    let path = path_of(&starts);
    let (service, of_service) = (
        get_all(connection, &path, "org.freedesktop.systemd1.Service").await?,
        get_all(connection, &path, UNIT).await?,
    );
    let waits = value::<(u32, OwnedObjectPath)>(&of_service, "Job").is_some_and(|(id, _)| id > 0);
    let starting = waits || text(&of_service, "ActiveState") == "activating";
    let runs = Service { starts: starting, ..service_of(&service, ago) }.runs(Some(timer));
    let said = match said_of(&service) {
        said if said.is_empty() && runs.failed.is_some() => {
            format!("the timer triggered, but {starts} did not run")
        }
        said if said.is_empty() && runs == Runs::default() => "the timer is not active".to_owned(),
        said => said,
    };
    Ok((runs, said))
}

fn service_of(service: &Properties, ago: impl Fn(u64) -> i64) -> Service {
    let number = |key: &str| value::<u64>(service, key).unwrap_or_default();
    let pid: u32 = value(service, "MainPID").unwrap_or_default();
    let (began, ended) = (number("ExecMainStartTimestamp"), number("ExecMainExitTimestamp"));
    let status: i32 = value(service, "ExecMainStatus").unwrap_or_default();
    // As a shell tells a death by a signal.
    let status = match value(service, "ExecMainCode").unwrap_or_default() {
        0 => None,
        EXITED => Some(status),
        _ => Some(status.saturating_add(128)),
    };
    Service {
        running: (pid != 0).then(|| ago(began)),
        ended: (ended > 0).then(|| ago(ended)),
        is_well: is_well(service),
        status,
        starts: false,
    }
}

/// A unit that is not loaded has no result.
fn is_well(service: &Properties) -> bool {
    matches!(text(service, "Result").as_str(), "success" | "")
}

fn said_of(service: &Properties) -> String {
    if is_well(service) { String::new() } else { format!("systemd calls it {}", text(service, "Result")) }
}

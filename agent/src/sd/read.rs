//! One reading of a unit: two GetAll calls, and a third one where a job is queued.
//!
//! Both are asked for before either is waited for, so that they come from one turn of systemd's loop. Words that no
//! systemd has yet read as their catch-all; a property that is missing reads as nothing. A unit that can't be loaded
//! is read like any other: LoadState says so.

use super::bus::SYSTEMD;
use super::call::property;
use picket_agent_core::unit::{Active, File, Job, JobKind, Kind, Load, Seen, Sub};
use picket_proto::Span;
use picket_proto::event::Ruling;
use std::collections::BTreeMap;
use std::fmt::Write;
use zbus::Connection;
use zbus::{OwnedObjectPath, OwnedVariant};

pub(super) type Properties = BTreeMap<String, OwnedVariant>;

/// The object of a unit: its name with everything but letters and digits as `_xx`.
pub(super) fn path_of(name: &str) -> String {
    let mut path = "/org/freedesktop/systemd1/unit/".to_owned();
    for (at, byte) in name.bytes().enumerate() {
        if byte.is_ascii_alphabetic() || (byte.is_ascii_digit() && at > 0) {
            path.push(char::from(byte));
        } else {
            let _text_takes_everything = write!(path, "_{byte:02x}");
        }
    }
    path
}

/// Reads a unit: its state, and its own name, which an alias does not have.
pub(super) async fn unit(connection: &Connection, path: &str) -> zbus::Result<(Seen, String)> {
    let (unit, service) = tokio::try_join!(
        get_all(connection, path, "org.freedesktop.systemd1.Unit"),
        get_all(connection, path, "org.freedesktop.systemd1.Service")
    )?;
    let job = match value::<(u32, OwnedObjectPath)>(&unit, "Job") {
        Some((id, path)) if id > 0 => Some(Job { id, kind: job_kind(connection, &path).await? }),
        Some(_) | None => None,
    };
    Ok((seen(&unit, &service, job), text(&unit, "Id")))
}

pub(super) async fn get_all(
    connection: &Connection,
    path: &str,
    interface: &str,
) -> zbus::Result<Properties> {
    let properties = Some("org.freedesktop.DBus.Properties");
    let answer = connection.call_method(Some(SYSTEMD), path, properties, "GetAll", &interface).await?;
    answer.body().deserialize()
}

/// A job that has ended meanwhile has no type any more.
async fn job_kind(connection: &Connection, path: &OwnedObjectPath) -> zbus::Result<JobKind> {
    let asked = ("org.freedesktop.systemd1.Job", "JobType");
    let answer = match property(connection, path.as_str(), asked).await {
        Ok(answer) => answer,
        Err(zbus::Error::MethodError(..) | zbus::Error::FDO(_)) => return Ok(JobKind::Unread),
        Err(error) => return Err(error),
    };
    let kind: OwnedVariant = answer.body().deserialize()?;
    Ok(match String::try_from(kind) {
        Ok(kind) if kind == "stop" => JobKind::Stop,
        Ok(_) => JobKind::Other,
        Err(_) => JobKind::Unread,
    })
}

fn seen(unit: &Properties, service: &Properties, job: Option<Job>) -> Seen {
    let state = text(unit, "ActiveState");
    let file = text(unit, "UnitFileState");
    Seen {
        active: active(&state),
        sub: sub(&text(unit, "SubState")),
        load: load(&text(unit, "LoadState"), &file),
        file: if file == "disabled" { File::Disabled } else { File::Wanted },
        kind: if text(service, "Type") == "oneshot" { Kind::Oneshot } else { Kind::Daemon },
        job,
        invocation: invocation(unit),
        pid: value(service, "MainPID").unwrap_or_default(),
        code: value(service, "ExecMainCode").unwrap_or_default(),
        status: value(service, "ExecMainStatus").unwrap_or_default(),
        ruling: ruling(&text(service, "Result"), value(service, "ExecMainCode").unwrap_or_default()),
        unmet: ["Condition", "Assert"].into_iter().any(|which| is_unmet(unit, which)),
        restarts: value(service, "NRestarts").unwrap_or_default(),
        changed: value(unit, "StateChangeTimestampMonotonic").unwrap_or_default(),
        patience: patience(service),
    }
}

fn active(word: &str) -> Active {
    match word {
        "active" | "reloading" | "refreshing" => Active::Active,
        "activating" => Active::Activating,
        "deactivating" => Active::Deactivating,
        "inactive" => Active::Inactive,
        "failed" => Active::Failed,
        _ => Active::Other,
    }
}

fn sub(word: &str) -> Sub {
    match word {
        "auto-restart"
        | "auto-restart-queued"
        | "dead-before-auto-restart"
        | "failed-before-auto-restart" => Sub::AutoRestart,
        _ => Sub::Other,
    }
}

fn load(word: &str, file: &str) -> Load {
    match word {
        "masked" => Load::Masked,
        _ if matches!(file, "masked" | "masked-runtime") => Load::Masked,
        "loaded" | "merged" | "stub" => Load::Loaded,
        _ => Load::Missing,
    }
}

/// What a status or a signal does not tell. `exit-code`, `signal` and `core-dump` are told by those.
fn ruling(result: &str, main_code: i32) -> Option<Ruling> {
    Some(match result {
        // Of a life whose main process never was.
        "exit-code" | "signal" | "core-dump" if main_code == 0 => Ruling::Step,
        "oom-kill" => Ruling::OutOfMemory,
        "watchdog" => Ruling::Watchdog,
        "timeout" => Ruling::Timeout,
        "protocol" => Ruling::Protocol,
        "resources" => Ruling::Resources,
        "start-limit-hit" => Ruling::StartLimit,
        "exec-condition" => Ruling::Condition,
        _ => return None,
    })
}

/// Whether its conditions were looked at and not met.
pub(super) fn is_unmet(unit: &Properties, which: &str) -> bool {
    let looked = value::<u64>(unit, &format!("{which}TimestampMonotonic")).unwrap_or_default();
    looked > 0 && value::<bool>(unit, &format!("{which}Result")) == Some(false)
}

fn invocation(unit: &Properties) -> [u8; 16] {
    let bytes: Option<Vec<u8>> = value(unit, "InvocationID");
    bytes.and_then(|bytes| bytes.try_into().ok()).unwrap_or_default()
}

/// `infinity` is all ones.
fn patience(service: &Properties) -> Span {
    let span = |key| Span::from_micros(value::<u64>(service, key).unwrap_or_default());
    let next = value::<u64>(service, "RestartUSecNext").filter(|next| *next > 0 && *next < u64::MAX);
    next.map_or_else(|| span("RestartUSec"), Span::from_micros).plus(span("TimeoutStartUSec"))
}

pub(super) fn text(properties: &Properties, key: &str) -> String {
    value(properties, key).unwrap_or_default()
}

pub(super) fn value<T: TryFrom<OwnedVariant>>(properties: &Properties, key: &str) -> Option<T> {
    let copy = properties.get(key)?.try_clone().ok()?;
    T::try_from(copy).ok()
}

#[cfg(test)]
mod tests {
    use super::path_of;

    #[test]
    fn names_are_escaped_as_systemd_does() {
        assert_eq!(path_of("nginx.service"), "/org/freedesktop/systemd1/unit/nginx_2eservice");
        assert_eq!(path_of("a-b@1.service"), "/org/freedesktop/systemd1/unit/a_2db_401_2eservice");
        assert_eq!(path_of("9.service"), "/org/freedesktop/systemd1/unit/_39_2eservice");
    }
}

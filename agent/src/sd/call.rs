//! What is asked of systemd: a start or a restart of one unit, in mode `fail`, so that whatever somebody else has
//! queued wins.

use super::CALL;
use super::bus::{MANAGER, ROOT, SYSTEMD};
use picket_agent_core::unit::{Answer, Verb};
use tokio::time::timeout;
use zbus::OwnedObjectPath;
use zbus::{Connection, DBusError};

/// Calls, and says what was answered, and of a refusal systemd's words. Takes at most 3 s per call.
pub(super) async fn call(connection: &Connection, name: &str, verb: Verb) -> (Answer, String) {
    let method = match verb {
        Verb::Start => "StartUnit",
        Verb::Restart => "TryRestartUnit",
        Verb::Reload => "ReloadUnit",
        Verb::Stop => "StopUnit",
        Verb::ResetAndStart => {
            // It also takes the evidence of the failure away, which was told before.
            if let Err(error) = ask(connection, "ResetFailedUnit", &(name,)).await {
                tracing::warn!(unit = name, %error, "its start limit can't be reset");
            }
            "StartUnit"
        }
    };
    let answer = ask(connection, method, &(name, "fail")).await;
    let path = answer.and_then(|answer| answer.body().deserialize::<OwnedObjectPath>());
    match path {
        Ok(path) => (job(path.as_str()).map_or(Answer::Unheard, Answer::Job), String::new()),
        Err(error) => {
            tracing::warn!(unit = name, method, %error, "systemd does not do it");
            (refusal(&error), words(&error))
        }
    }
}

/// Asks the manager.
pub(super) async fn ask(
    connection: &Connection,
    method: &str,
    body: &(impl serde::Serialize + zbus::DynamicType),
) -> zbus::Result<zbus::Message> {
    connection.call_method(Some(SYSTEMD), ROOT, Some(MANAGER), method, body).await
}

/// One property of an object.
pub(super) async fn property(
    connection: &Connection,
    path: &str,
    asked: (&str, &str),
) -> zbus::Result<zbus::Message> {
    connection.call_method(Some(SYSTEMD), path, Some("org.freedesktop.DBus.Properties"), "Get", &asked).await
}

/// The number at the end of a job's object path.
fn job(path: &str) -> Option<u32> {
    path.rsplit('/').next()?.parse().ok()
}

/// Such as "Unit web.service not found."
fn words(error: &zbus::Error) -> String {
    let said = match error {
        zbus::Error::MethodError(_, said, _) => said.clone(),
        other => Some(other.to_string()),
    };
    said.map(|said| format!("systemd: {said}")).unwrap_or_default()
}

fn refusal(error: &zbus::Error) -> Answer {
    let name = match error {
        zbus::Error::MethodError(name, _, _) => name.as_str().to_owned(),
        zbus::Error::FDO(error) => error.name().as_str().to_owned(),
        _ => return Answer::Unheard,
    };
    match name.rsplit('.').next().unwrap_or_default() {
        "TransactionIsDestructive" | "TransactionJobsConflicting" => Answer::Busy,
        "NoSuchUnit" | "FileNotFound" | "LoadFailed" => Answer::Refused(libc::ENOENT),
        "UnitMasked" => Answer::Refused(libc::EPERM),
        "AccessDenied" | "InteractiveAuthorizationRequired" => Answer::Refused(libc::EACCES),
        "NoReply" | "TimedOut" | "Timeout" | "Disconnected" => Answer::Unheard,
        _ => Answer::Refused(libc::EINVAL),
    }
}

/// Work on the bus that takes no longer than a call may.
///
/// # Errors
/// It took longer.
pub(super) async fn timely<T>(work: impl Future<Output = T>) -> zbus::Result<T> {
    timeout(CALL, work).await.map_err(|_| gone("no answer within 3 s"))
}

/// The bus is not there any more.
pub(super) fn gone(why: &str) -> zbus::Error {
    zbus::Error::Failure(why.to_owned())
}

#[cfg(test)]
mod tests {
    use super::job;

    #[test]
    fn a_job_is_known_by_the_end_of_its_path() {
        assert_eq!(job("/org/freedesktop/systemd1/job/4711"), Some(4711));
        assert_eq!(job("/"), None);
    }
}

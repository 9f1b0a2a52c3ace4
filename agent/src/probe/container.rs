//! A container, as its engine (Docker, or Podman by the same words) describes it: `GET /containers/NAME/json` on the
//! engine's Unix socket.
//!
//! | state | reading |
//! |---|---|
//! | running, healthy or without a health check | good |
//! | running, its health check has not passed yet | good, said so |
//! | running, unhealthy | bad: it says so itself |
//! | restarting, exited, dead | bad: it ended with this status; killed for want of memory said so |
//! | paused | bad: frozen |
//! | created, being removed, or no such container | bad: it is not there |
//!
//! Whoever may talk to that socket is root, in effect: the agent only ever reads. An engine that does not answer says
//! nothing about the container: unknown.

mod http;

use super::{Reading, Seen};
use crate::config::Container;
use picket_proto::Text;
use picket_proto::event::Cause;
use serde::Deserialize;
use std::io;
use tokio::net::UnixStream;

/// What of the answer counts.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Document {
    state: State,
    #[serde(default)]
    restart_count: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct State {
    status: String,
    #[serde(default, rename = "OOMKilled")]
    oom_killed: bool,
    #[serde(default)]
    exit_code: i32,
    #[serde(default)]
    error: String,
    health: Option<Health>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Health {
    #[serde(default)]
    status: String,
    log: Option<Vec<Trial>>,
}

/// One run of a health check.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Trial {
    #[serde(default)]
    output: String,
}

/// Looks at it once.
pub(super) async fn read(what: Container) -> Seen {
    match ask(&what).await {
        Ok((200, body)) => describe(&body),
        Ok((404, _)) => Reading::Bad(Cause::Absent).into(),
        Ok((status, _)) => with(
            Reading::Bad(Cause::Local(libc::EPROTO)),
            &format!("the engine answers with status {status}"),
        ),
        Err(error) => {
            let errno = error.raw_os_error().unwrap_or(libc::EPROTO);
            with(Reading::Bad(Cause::Local(errno)), &format!("the engine does not answer: {error}"))
        }
    }
}

async fn ask(what: &Container) -> io::Result<(u16, Vec<u8>)> {
    let stream = UnixStream::connect(&what.socket).await?;
    http::get(stream, &format!("/containers/{}/json", what.container)).await
}

fn with(reading: Reading, said: &str) -> Seen {
    Seen { said: Text::new(said.trim()).as_str().to_owned(), ..reading.into() }
}

fn describe(body: &[u8]) -> Seen {
    let Ok(Document { state, restart_count }) = serde_json::from_slice(body) else {
        return with(Reading::Bad(Cause::Local(libc::EPROTO)), "the engine's answer is not understood");
    };
    let restarts = match restart_count {
        0 => String::new(),
        count => format!(", restarted {count} times by its engine"),
    };
    match state.status.as_str() {
        "running" => running(&state, &restarts),
        "paused" => with(Reading::Bad(Cause::Frozen), "paused"),
        "restarting" | "exited" | "dead" | "stopped" | "stopping" => {
            let memory = if state.oom_killed { ", killed for want of memory" } else { "" };
            let error = if state.error.is_empty() { String::new() } else { format!(": {}", state.error) };
            let said = format!("{}{memory}{restarts}{error}", state.status);
            with(Reading::Bad(Cause::Ended(state.exit_code)), &said)
        }
        other => with(Reading::Bad(Cause::Absent), other),
    }
}

fn running(state: &State, restarts: &str) -> Seen {
    let health = state.health.as_ref();
    match health.map_or("", |health| health.status.as_str()) {
        "unhealthy" => {
            let trials = health.and_then(|health| health.log.as_ref());
            let last = trials.and_then(|trials| trials.last()).map_or("", |trial| trial.output.trim());
            let line = last.lines().next_back().unwrap_or_default();
            let said = format!("unhealthy{restarts}{}{line}", if line.is_empty() { "" } else { ": " });
            with(Reading::Bad(Cause::Unhealthy), &said)
        }
        "" | "none" => with(Reading::Good, &format!("running{restarts}")),
        health => with(Reading::Good, &format!("running, {health}{restarts}")),
    }
}

#[cfg(test)]
mod tests;

//! `picket watch`: every change of every incident, a line each, until Ctrl-C.
//!
//! The stream is resumed with its last token when the link breaks or the collector cuts a slow reader: nothing is
//! missed as long as the collector still has the changes since. After [`PATIENCE`] without a collector the command
//! ends with status 69 and names the token to go on with. A first connection that fails ends it at once.

use crate::failure::{Exit, Failure};
use crate::json;
use crate::link::{self, Link, answer};
use crate::place::Place;
use crate::screen::{self, Ink, Reader, Screen};
use crate::words::{self, plain};
use picket_rpc::v1;
use std::time::Duration;
use tokio::time::{sleep, timeout};
use tonic::{Code, Streaming};

/// How long a lost collector is looked for: a restart or an upgrade of it takes less.
const PATIENCE: Duration = Duration::from_secs(120);
/// The pause between two looks.
const PAUSE: Duration = Duration::from_secs(1);

/// Prints changes until told to stop.
pub(crate) async fn watch(place: &Place, resume: Option<&str>, screen: &Screen) -> Result<(), Failure> {
    let mut token = resume.unwrap_or_default().to_owned();
    let mut stream = open(place, &token).await?;
    let mut screen = screen.clone();
    note("watching all incidents; Ctrl-C ends it");
    loop {
        let failure = follow(&mut stream, &mut token, &mut screen).await?;
        if failure.exit != Exit::Unreachable && !failure.names("watch-cut") {
            return Err(failure);
        }
        note(&format!("{}; looking for it for up to {} s", why(&failure), PATIENCE.as_secs()));
        stream = again(place, &token).await?;
        note(resumed(&token));
    }
}

fn note(text: &str) {
    screen::aside(&format!("picket watch: {text}\n"));
}

/// Why the stream ended, as the first half of a sentence.
fn why(failure: &Failure) -> &str {
    if failure.names("shutting-down") {
        return "the collector is ending";
    }
    failure.what().trim_end_matches('.')
}

/// What is certain after a break: without a token there is nothing to go on from.
const fn resumed(token: &str) -> &'static str {
    if token.is_empty() {
        "connected again; what changed in between is not shown, `picket incidents --all` has it"
    } else {
        "connected again; nothing was missed"
    }
}

/// Opens the stream.
pub(crate) async fn open(place: &Place, token: &str) -> Result<Streaming<v1::IncidentChange>, Failure> {
    let mut link: Link = link::open(place).await?;
    answer(link.watch_incidents(v1::WatchIncidentsRequest { resume_token: token.to_owned() })).await
}

/// Prints until the stream ends; the answer is why it did.
async fn follow(
    stream: &mut Streaming<v1::IncidentChange>,
    token: &mut String,
    screen: &mut Screen,
) -> Result<Failure, Failure> {
    loop {
        match stream.message().await {
            Ok(Some(change)) => {
                screen::write(&told(&change, screen.refreshed()))?;
                token.clone_from(&change.resume_token);
            }
            Ok(None) => return Ok(Failure::unreachable("the collector ended the stream", "")),
            Err(status) if status.code() == Code::OutOfRange => return Err(too_old()),
            Err(status) => return Ok(Failure::from_status(&status)),
        }
    }
}

fn too_old() -> Failure {
    Failure::refused(
        "resume-too-old: the collector no longer has the changes since that token",
        "Look at `picket incidents`, then watch from now on: `picket watch`.",
    )
}

/// Looks for the collector until it is back, it refuses, or patience ends.
async fn again(place: &Place, token: &str) -> Result<Streaming<v1::IncidentChange>, Failure> {
    let found = timeout(PATIENCE, async {
        loop {
            match open(place, token).await {
                Err(_) if place.up_has_ended() => return Err(up_ended()),
                Err(failure) if failure.exit == Exit::Unreachable => sleep(PAUSE).await,
                ended => return ended,
            }
        }
    });
    found.await.unwrap_or_else(|_| Err(lost(token)))
}

fn up_ended() -> Failure {
    Failure::unreachable(
        "the `picket up` that was asked has ended",
        "Start `picket up` again, then watch that one: `picket watch`.",
    )
}

fn lost(token: &str) -> Failure {
    let next = match token {
        "" => "Watch again when it is back: `picket watch`.".to_owned(),
        token => format!("Go on when it is back: `picket watch --resume {token}`."),
    };
    Failure::unreachable(format!("the collector was not there again within {} s", PATIENCE.as_secs()), next)
}

/// A change as a line.
fn told(change: &v1::IncidentChange, screen: &Screen) -> String {
    match screen.reader {
        Reader::Program => json::line(&json::change(change)),
        Reader::Person => format!("{}\n", line(change, screen)),
    }
}

/// Time, severity, number, state and words of a change.
pub(crate) fn line(change: &v1::IncidentChange, screen: &Screen) -> String {
    let incident = change.incident.clone().unwrap_or_default();
    let at = words::time(incident.changed.as_ref()).unwrap_or_else(|| screen.now());
    let time = match screen.times {
        screen::Times::Ago => screen.of_day(at),
        screen::Times::Exact => screen.exact(at),
    };
    let (severity, severity_ink) = words::severity(incident.severity);
    let (state, state_ink) = words::incident_state(incident.state);
    let said = plain(&words_of(change, &incident));
    let id = format!("#{}", incident.id);
    let used = time.chars().count() + severity.len() + id.len() + 12 + 8;
    let said = screen
        .width()
        .map_or_else(|| said.clone(), |width| screen.cut(&said, width.saturating_sub(used).max(20)));
    format!(
        "{time}  {}  {}  {}  {said}",
        screen.paint(Ink::Strong, &id),
        screen.paint(severity_ink, &severity.to_ascii_uppercase()),
        screen.paint(state_ink, &format!("{state:<12}")),
    )
}

/// What changed: the title when it opens, the outcome when it ends, else the change's own words.
fn words_of(change: &v1::IncidentChange, incident: &v1::Incident) -> String {
    match change.code.as_str() {
        "incident-opened" | "incident-late" => incident.title.clone(),
        "incident-reopened" => format!("again: {}", incident.title),
        "incident-resolved" if !incident.outcome.is_empty() => {
            format!("{}: {}", incident.title, incident.outcome)
        }
        "incident-verifying" => words::VERIFYING.to_owned(),
        _ if change.text.is_empty() => format!("{}: {}", change.code, incident.title),
        _ => change.text.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_collector_that_ends_in_order_is_not_told_as_a_broken_link() {
        let ending = tonic::Status::unavailable("shutting-down: The collector is ending. Try again.");
        assert_eq!(why(&Failure::from_status(&ending)), "the collector is ending");
        let broken = Failure::unreachable("the collector ended the stream.", "Look.");
        assert_eq!(why(&broken), "the collector ended the stream");
    }

    #[test]
    fn nothing_missed_is_claimed_only_where_a_token_proves_it() {
        assert_eq!(resumed("17"), "connected again; nothing was missed");
        assert!(resumed("").starts_with("connected again; what changed in between is not shown"));
    }

    #[test]
    fn a_restart_is_not_told_as_a_recovery() {
        let change = v1::IncidentChange {
            code: "incident-verifying".to_owned(),
            text: "everything is back".to_owned(),
            incident: Some(v1::Incident { id: 3, ..v1::Incident::default() }),
            ..v1::IncidentChange::default()
        };
        let told = line(&change, &Screen::still(120, "2026-03-01T12:00:00Z"));
        assert!(told.ends_with("restarted or back; it must prove that it holds"), "{told}");
    }
}

//! What may be asked on the local socket, and how a request is read.
//!
//! A request is one JSON object: `v` (1), `ask`, and what the question takes: `from` (where a page begins), `n` (how
//! many events), `name` (a check or a service), `seconds` (of a hold; 0 ends it), `next` (a try goes on up the ladder). What is unknown is refused with the
//! list of what there is.

use super::VERSION;
use serde::Deserialize;
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};

/// A question with the way back.
pub(crate) struct Ask {
    pub(crate) question: Question,
    /// Who asks.
    pub(crate) by: String,
    pub(crate) reply: oneshot::Sender<Answer>,
}

/// What is asked.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Question {
    Status,
    Checks {
        from: u16,
    },
    Services {
        from: u16,
    },
    /// The newest `n` events.
    Events {
        n: usize,
    },
    /// The page of `/metrics`; not for the socket.
    Figures,
    /// Every event from now on.
    Follow,
    /// Remedies rest for so many seconds, of one service or of all; 0 ends that.
    Hold {
        service: Option<String>,
        seconds: u64,
    },
    /// The next remedy of a service begins now: the first of its ladder, or the one that is next on it.
    Try {
        service: String,
        goes_on: bool,
    },
    /// Read the configuration again.
    Reload,
    /// What should be on this host.
    Baseline {
        from: u16,
    },
    /// Take the host as it is for what should be.
    Accept,
    /// Probe this check now.
    Look {
        check: String,
    },
}

/// What is answered.
pub(crate) enum Answer {
    /// One document.
    Whole(String),
    /// A document, then lines until the client goes or is too slow.
    Lines(String, mpsc::Receiver<Arc<str>>),
}

#[derive(Deserialize)]
struct Request {
    v: u32,
    ask: String,
    #[serde(default)]
    from: u16,
    #[serde(default)]
    n: u16,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    seconds: u64,
    #[serde(default)]
    next: bool,
}

/// Reads a request.
///
/// # Errors
/// What is wrong with it, in words.
pub(super) fn read(line: &str) -> Result<Question, String> {
    let request: Request = serde_json::from_str(line).map_err(|error| format!("no request: {error}"))?;
    if request.v != VERSION {
        return Err(format!(
            "this agent speaks version {VERSION}, you speak {}: use its own program",
            request.v
        ));
    }
    let named = || request.name.clone().ok_or_else(|| "`name` is missing".to_owned());
    Ok(match request.ask.as_str() {
        "status" => Question::Status,
        "checks" => Question::Checks { from: request.from },
        "services" => Question::Services { from: request.from },
        "events" => Question::Events { n: usize::from(request.n) },
        "follow" => Question::Follow,
        "hold" => Question::Hold { service: request.name, seconds: request.seconds },
        "try" => Question::Try { service: named()?, goes_on: request.next },
        "reload" => Question::Reload,
        "baseline" => Question::Baseline { from: request.from },
        "accept" => Question::Accept,
        "look" => Question::Look { check: named()? },
        other => {
            return Err(format!(
                "`{other}` can't be asked; there are status, checks, services, events, follow, hold, try, reload, look, baseline, accept"
            ));
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_read_and_what_is_wrong_is_said() {
        assert_eq!(read(r#"{"v":1,"ask":"checks","from":64}"#), Ok(Question::Checks { from: 64 }));
        let look = Question::Look { check: "web.tcp".to_owned() };
        assert_eq!(read(r#"{"v":1,"ask":"look","name":"web.tcp"}"#), Ok(look));
        for (bad, said) in [
            ("", "no request"),
            (r#"{"v":2,"ask":"status"}"#, "version 1"),
            (r#"{"v":1,"ask":"reboot"}"#, "can't be asked"),
            (r#"{"v":1,"ask":"look"}"#, "`name` is missing"),
            (r#"{"v":1,"ask":"checks","from":-1}"#, "no request"),
        ] {
            let refused = read(bad).unwrap_err();
            assert!(refused.contains(said), "{bad}: {refused}");
        }
    }
}

//! One client of the local socket: requests in, answers out, until it goes or is too slow.
//!
//! A request must come whole within 5 s (also the next one: a client that only waits gives its place free), and an
//! answer must be taken within 5 s. Following is the exception: its lines come when something happens.

use super::ask::{self, Answer, Ask, Question};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

/// Longest request in bytes.
const REQUEST_MAX: u64 = 4 * 1024;
/// Longest answer in bytes; a page is made to be smaller.
const ANSWER_MAX: usize = 64 * 1024;
/// For a request to come, and for an answer to be taken.
const PATIENCE: Duration = Duration::from_secs(5);
/// For a probe that a person asked for: its own limit may be longer than anyone waits at a terminal.
const LOOK_PATIENCE: Duration = Duration::from_secs(60);

/// Says why nothing is answered, and ends.
pub(super) async fn refuse(stream: UnixStream, why: &str) {
    let (_, mut out) = stream.into_split();
    let _client_is_gone = write(&mut out, &error(why)).await;
}

/// Serves one client until it goes.
pub(super) async fn serve(stream: UnixStream, by: String, asks: mpsc::Sender<Ask>) {
    let (read, mut out) = stream.into_split();
    let mut lines = BufReader::new(read);
    while let Some(line) = next(&mut lines).await {
        let answer = match line.and_then(|line| ask::read(&line)) {
            Ok(question) => put(question, &by, &asks).await,
            Err(why) => Answer::Whole(error(&why)),
        };
        let gone = match answer {
            Answer::Whole(text) => write(&mut out, &text).await.is_err(),
            Answer::Lines(first, rest) => {
                follow(&mut lines, &mut out, first, rest).await;
                true
            }
        };
        if gone {
            return;
        }
    }
}

/// The next request; `None` when the client is gone or silent for too long.
async fn next(lines: &mut BufReader<OwnedReadHalf>) -> Option<Result<String, String>> {
    let mut line = Vec::new();
    let mut limited = lines.take(REQUEST_MAX);
    let read = timeout(PATIENCE, limited.read_until(b'\n', &mut line)).await.ok()?.ok()?;
    if read == 0 {
        return None;
    }
    if line.last() != Some(&b'\n') {
        return Some(Err(format!("a request is one line of at most {REQUEST_MAX} bytes")));
    }
    Some(String::from_utf8(line).map_err(|_| "a request is UTF-8".to_owned()))
}

async fn put(question: Question, by: &str, asks: &mpsc::Sender<Ask>) -> Answer {
    let patience =
        if matches!(question, Question::Look { .. } | Question::Reload) { LOOK_PATIENCE } else { PATIENCE };
    let (reply, answer) = oneshot::channel();
    let ask = Ask { question, by: by.to_owned(), reply };
    if asks.send(ask).await.is_err() {
        return Answer::Whole(error("the agent is ending"));
    }
    match timeout(patience, answer).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(_)) => Answer::Whole(error("the agent is ending")),
        Err(_) => Answer::Whole(error(&format!("no answer within {} s", patience.as_secs()))),
    }
}

async fn follow(
    lines: &mut BufReader<OwnedReadHalf>,
    out: &mut OwnedWriteHalf,
    first: String,
    mut rest: mpsc::Receiver<Arc<str>>,
) {
    if write(out, &first).await.is_err() {
        return;
    }
    let mut said = [0; 1];
    loop {
        let line = tokio::select! {
            line = rest.recv() => line,
            // A client that follows says nothing more: whatever comes, most often the end, ends it.
            _ = lines.read(&mut said) => return,
        };
        let Some(line) = line else {
            let _client_is_gone =
                write(out, &error("you read too slowly and were cut; ask for the events again")).await;
            return;
        };
        if write(out, &line).await.is_err() {
            return;
        }
    }
}

/// Writes a document as one line.
async fn write(out: &mut OwnedWriteHalf, text: &str) -> std::io::Result<()> {
    let line =
        if text.len() < ANSWER_MAX { format!("{text}\n") } else { error("the answer is too long") + "\n" };
    timeout(PATIENCE, out.write_all(line.as_bytes())).await.map_err(|_| std::io::ErrorKind::TimedOut)?
}

/// A refusal.
pub(super) fn error(why: &str) -> String {
    json!({ "v": super::VERSION, "error": why }).to_string()
}

//! Who reads the configuration, and who is answered by which reading.
//!
//! One reading at a time, in a thread of the pool. Whoever asks is answered by a reading that began after it asked: one
//! that is out may have read the file before it was saved. All that ask meanwhile share the next one, so that at most
//! two are owed. Bound: who waits is bounded by the local socket's clients.

use crate::config::{self, Mistake, Mistakes, Seen, Texts};
use crate::local::Reply;
use crate::plan::{self, Given, Plan};
use std::path::PathBuf;
use std::sync::Arc;
use tokio::task::JoinHandle;

/// Why it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::run) enum Why {
    /// A folder changed: where the texts are as before there is nothing to do.
    Watch,
    /// Somebody wants it: what the host is looked at for may be otherwise.
    Asked,
}

/// A configuration that was read, and the texts as they stood.
pub(super) type Read = (Result<Box<Plan>, Mistakes>, Texts);

/// Reads it, and remembers what was read last.
pub(in crate::run) struct Reloader {
    file: PathBuf,
    given: Arc<Given>,
    /// What was read last, sound or not.
    pub(super) texts: Arc<Texts>,
    /// What the configuration in force watches of the host.
    pub(super) seen: Seen,
    reading: Option<(Why, JoinHandle<Read>)>,
    /// Another reading is wanted behind the one that is out.
    owed: Option<Why>,
    /// Who is answered by the reading that is out: they asked before it began.
    answers: Vec<Reply>,
    /// Who asked since.
    waiting: Vec<Reply>,
}

impl Reloader {
    pub(in crate::run) fn new(plan: &Plan, given: Given) -> Self {
        let texts = plan.kept.as_ref().map_or(&plan.texts, |kept| &kept.texts).clone();
        Self {
            file: plan.file.clone(),
            given: Arc::new(given),
            texts,
            seen: plan.seen.clone(),
            reading: None,
            owed: None,
            answers: Vec::new(),
            waiting: Vec::new(),
        }
    }

    /// Somebody wants it read, and may wait for what comes of it.
    pub(super) fn ask(&mut self, reply: Option<Reply>) {
        self.waiting.extend(reply);
        self.read(Why::Asked);
    }

    /// Begins to read, or does so again behind the reading that is out.
    pub(super) fn read(&mut self, why: Why) {
        if self.reading.is_some() {
            self.owed = Some(if self.owed == Some(Why::Asked) { Why::Asked } else { why });
            return;
        }
        self.answers.append(&mut self.waiting);
        let (file, given, seen) = (self.file.clone(), Arc::clone(&self.given), self.seen.clone());
        let read = move || {
            let (loaded, texts) = config::load_with_texts(&file, &seen);
            (loaded.and_then(|config| plan::settle(config, &given)).map(Box::new), texts)
        };
        self.reading = Some((why, tokio::task::spawn_blocking(read)));
    }

    /// Waits for the reading that is out; for ever, where there is none.
    pub(in crate::run) async fn done(&mut self) -> (Why, Read) {
        let Some((why, reading)) = &mut self.reading else { return std::future::pending().await };
        let why = *why;
        let read = reading.await.unwrap_or_else(|_| {
            let (problem, file) = ("could not be read: its reader ended early".to_owned(), self.file.clone());
            let mistake = Mistake { file, line: 0, key: String::new(), problem, suggestion: None };
            (Err(Mistakes(vec![mistake])), Texts::new([]))
        });
        self.reading = None;
        (why, read)
    }

    /// Whom the reading answers that was done last.
    pub(super) fn answers(&mut self) -> Vec<Reply> {
        std::mem::take(&mut self.answers)
    }

    /// Reads once more where that is owed.
    pub(super) fn go_on(&mut self) {
        if let Some(why) = self.owed.take() {
            self.read(why);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str =
        "[agent]\nstate = \"state\"\n[collector]\naddress = \"127.0.0.1:1\"\ntoken_file = \"token\"\n";

    #[tokio::test]
    async fn who_asks_while_it_is_read_is_answered_by_the_reading_after_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("picket.toml");
        std::fs::write(&file, FILE).unwrap();
        let token = folder.path().join("token");
        std::fs::write(&token, format!("pkt1.{}.{}", "ab".repeat(32), "cd".repeat(32))).unwrap();
        std::fs::set_permissions(&token, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        let plan = config::load(&file).and_then(|config| plan::settle(config, &Given::default())).unwrap();
        let mut reloader = Reloader::new(&plan, Given::default());
        reloader.read(Why::Watch);
        reloader.ask(Some(Reply::to_nobody()));
        reloader.ask(Some(Reply::to_nobody()));
        let (why, (read, _)) = reloader.done().await;
        assert!(why == Why::Watch && read.is_ok());
        assert!(reloader.answers().is_empty(), "the file may have been read before they asked");
        reloader.go_on();
        let (why, (read, _)) = reloader.done().await;
        assert!(why == Why::Asked && read.is_ok());
        assert_eq!(reloader.answers().len(), 2);
        reloader.go_on();
        assert!(reloader.reading.is_none() && reloader.answers().is_empty(), "one reading answers both");
    }
}

//! Reading the configuration again while the agent runs: by a signal, by a person, or because it was changed.
//!
//! It is read in a thread of the pool, one reading at a time; what asks meanwhile is answered by the reading after it. A
//! configuration with mistakes changes nothing: the one in force stays, all mistakes are told, `status` says so until it
//! is mended. What only a start can change ([`fixed`]) is a mistake like the others. What is in force is kept on disk
//! for a start that finds mistakes (`good`). What a changed command or folder means comes with the next start of its service; the process of a service that is gone is
//! left alone and told, as at a start.

mod fixed;

use super::Shell;
use super::roster::Seating;
use crate::config::{self, Mistake, Mistakes, Texts, counted};
use crate::local::{ConfigFacts, Reply};
use crate::plan::{self, Given, Plan};
use crate::{clock, good, watch};
use fixed::mistake;
use picket_agent_core::Input;
use picket_agent_core::reload::Fact;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::task::JoinHandle;

/// Why it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    /// A folder changed: where the texts are as before there is nothing to do.
    Watch,
    /// Somebody wants it: what the host is looked at for may be otherwise.
    Asked,
}

/// A configuration that was read, and the texts as they stood.
type Read = (Result<Box<Plan>, Mistakes>, Texts);

/// Reads it, and remembers what was read last.
pub(super) struct Reloader {
    file: PathBuf,
    given: Arc<Given>,
    /// What was read last, sound or not.
    texts: Arc<Texts>,
    reading: Option<(Why, JoinHandle<Read>)>,
    /// Another reading is wanted behind the one that is out.
    owed: Option<Why>,
    replies: Vec<Reply>,
}

impl Reloader {
    pub(super) fn new(plan: &Plan, given: Given) -> Self {
        let texts = plan.kept.as_ref().map_or(&plan.texts, |kept| &kept.texts).clone();
        Self {
            file: plan.file.clone(),
            given: Arc::new(given),
            texts,
            reading: None,
            owed: None,
            replies: Vec::new(),
        }
    }

    /// Begins to read, or does so again behind the reading that is out.
    pub(super) fn read(&mut self, why: Why) {
        if self.reading.is_some() {
            self.owed = Some(if self.owed == Some(Why::Asked) { Why::Asked } else { why });
            return;
        }
        let (file, given) = (self.file.clone(), Arc::clone(&self.given));
        let read = move || {
            let (loaded, texts) = config::load_with_texts(&file);
            (loaded.and_then(|config| plan::settle(config, &given)).map(Box::new), texts)
        };
        self.reading = Some((why, tokio::task::spawn_blocking(read)));
    }

    /// Waits for the reading that is out; for ever, where there is none.
    pub(super) async fn done(&mut self) -> (Why, Read) {
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
}

impl Shell<'_> {
    /// The configuration of the start is in force; one that is not the file's own is told loudly.
    pub(super) fn begin(&mut self) {
        let plan = Arc::clone(&self.plan);
        plan.notes.iter().for_each(|note| self.log.link(clock::now().wall, "not-watched", note));
        self.in_force(&plan);
        let Some(kept) = &plan.kept else { return };
        let (since, wall) = (crate::log::rfc3339(kept.since), clock::now().wall);
        let count = counted(kept.mistakes.0.len());
        let text = format!("the file has {count}: the agent runs on the configuration of {since}");
        self.log.link(wall, "config-kept", &text);
        kept.mistakes.0.iter().for_each(|mistake| self.log.link(wall, "config-kept", &mistake.to_string()));
    }

    /// SIGHUP, or a person: answers where the outcome is wanted.
    pub(super) fn reload(&mut self, reply: Option<Reply>) {
        self.reloader.replies.extend(reply);
        self.notify.reloading(clock::monotonic());
        self.reloader.read(Why::Asked);
    }

    pub(super) fn watched(&mut self, told: watch::Told) {
        match told {
            watch::Told::Changed => self.reloader.read(Why::Watch),
            watch::Told::Blind(why) => {
                tracing::warn!(%why, "the configuration is not watched: after a change send SIGHUP, or run `picket-agent reload`");
                self.answerer.config.blind = Some(why);
            }
        }
    }

    /// The configuration was read.
    pub(super) fn reread(&mut self, why: Why, (plan, texts): Read) {
        let is_known = *self.reloader.texts == texts;
        self.reloader.texts = Arc::new(texts);
        if !(is_known && why == Why::Watch && self.reloader.replies.is_empty()) {
            let outcome = plan.and_then(|plan| self.take(*plan));
            self.tell_reload(outcome);
        }
        self.notify.reloaded();
        if let Some(why) = self.reloader.owed.take() {
            self.reloader.read(why);
        }
    }

    fn tell_reload(&mut self, outcome: Result<String, Mistakes>) {
        let wall = clock::now().wall;
        let (code, text) = match &outcome {
            Ok(text) => ("config-reloaded", text.clone()),
            Err(mistakes) => {
                let count = counted(mistakes.0.len());
                ("config-kept", format!("the file has {count}; the configuration in force stays"))
            }
        };
        self.log.link(wall, code, &text);
        let mistakes = outcome.as_ref().err().map(|mistakes| mistakes.0.as_slice()).unwrap_or_default();
        mistakes.iter().for_each(|mistake| self.log.link(wall, "config-kept", &mistake.to_string()));
        self.answerer.config.mistakes = mistakes.iter().map(ToString::to_string).collect();
        for reply in self.reloader.replies.drain(..) {
            reply.reloaded(&outcome);
        }
    }

    /// Takes a sound configuration.
    ///
    /// # Errors
    /// It asks for what only a start can do, or for more places than there are.
    fn take(&mut self, plan: Plan) -> Result<String, Mistakes> {
        let wrong = fixed::differences(&self.plan, &self.roster, &plan);
        if !wrong.is_empty() {
            return Err(Mistakes(wrong));
        }
        let seating = self.roster.seat(&self.agent, &plan).map_err(|(what, full)| {
            let problem = format!(
                "there is no place for so many {what}: this run has {}, of which {} are bound to names that it had before",
                full.places, full.gone
            );
            Mistakes(vec![mistake(&plan.file, None, String::new(), problem)])
        })?;
        let text = seating.describe(&self.roster);
        self.put(&seating)?;
        let news = plan.notes.iter().filter(|note| !self.plan.notes.contains(note));
        news.for_each(|note| self.log.link(clock::now().wall, "not-watched", note));
        self.in_force(&plan);
        self.plan = Arc::new(plan);
        Ok(text)
    }

    /// Hands it to all who look services and checks up, then to the core.
    fn put(&mut self, seating: &Seating) -> Result<(), Mistakes> {
        let roster = &seating.roster;
        let failed = |error: std::io::Error| {
            Mistakes(vec![mistake(
                &self.plan.file,
                None,
                String::new(),
                format!("can't be put in force: {error}"),
            )])
        };
        self.probes.anew(Arc::clone(&roster.checks)).map_err(failed)?;
        self.services.anew(&roster.services, &self.plan.state, &seating.other).map_err(failed)?;
        self.systemd.anew(&roster.services, &roster.serves);
        self.baseline.anew(&roster.services);
        let names = roster.services.iter().map(|service| service.spec.name.clone()).collect();
        self.link.anew(Arc::clone(&roster.checks), Arc::clone(&roster.watches), names);
        self.answerer.about.checks = Arc::clone(&roster.checks);
        for service in &seating.gone {
            self.services.tell_left_alone(*service);
        }
        self.roster = roster.clone();
        self.hand(Input::Reload(Fact { services: &seating.services, checks: &seating.checks }));
        for service in
            seating.new.iter().filter(|service| roster.services[usize::from(**service)].unit.is_none())
        {
            let found = self.services.look_at(*service);
            self.queue.extend(found.map(super::Known::Outcome));
        }
        Ok(())
    }

    /// It is in force: kept for the next start, and told to who asks.
    pub(super) fn in_force(&mut self, plan: &Plan) {
        let wall = clock::now().wall;
        let blind = self.answerer.config.blind.take();
        let skipped = plan.skipped.iter().map(|it| format!("{}: {}", it.what, it.why)).collect();
        let file = plan.file.display().to_string();
        let since = plan.kept.as_ref().map_or(wall, |kept| kept.since);
        let mistakes = plan.kept.iter().flat_map(|kept| &kept.mistakes.0).map(ToString::to_string).collect();
        self.answerer.config = ConfigFacts { file, since, mistakes, skipped, blind };
        let (state, file, texts) = (plan.state.clone(), plan.file.clone(), Arc::clone(&plan.texts));
        // Nobody waits for it: the loop heals also where the disk hangs.
        drop(tokio::task::spawn_blocking(move || {
            if let Err(error) = good::keep(&state, &file, wall, &texts) {
                tracing::warn!(%error, "the configuration in force can't be kept for a start that finds mistakes");
            }
        }));
    }

    /// Whether the core still has this check's service; facts of others are of nobody's concern.
    pub(super) fn serves(&self, service: u16) -> bool {
        self.agent.service_at(service).is_some()
    }
}

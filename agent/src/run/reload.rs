//! Reading the configuration again while the agent runs: by a signal, by a person, or because it was changed.
//!
//! It is read in a thread of the pool, one reading at a time; what asks meanwhile is answered by the reading after it. A
//! configuration with mistakes changes nothing: the one in force stays, all mistakes are told, `status` says so until it
//! is mended. What only a start can change ([`FIXED`]) is a mistake like the others. What is in force is kept on disk
//! for a start that finds mistakes (`good`). What a changed command or folder means comes with the next start of its service; the process of a service that is gone is
//! left alone and told, as at a start.

use super::Shell;
use super::roster::Seating;
use crate::config::{self, Mistake, Mistakes, Texts};
use crate::local::{ConfigFacts, Reply};
use crate::plan::{self, Given, Plan};
use crate::{clock, good, watch};
use picket_agent_core::reload::Fact;
use picket_agent_core::{Input, check};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::task::JoinHandle;

/// What only a start can change: who this host is, where it keeps what it keeps, and its way to the collector.
const FIXED: [(&str, &str); 7] = [
    ("agent", "state"),
    ("agent", "host"),
    ("agent", "spool"),
    ("agent", "flash_budget"),
    ("agent", "bus"),
    ("collector", "address"),
    ("metrics", "listen"),
];

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
        self.in_force(&plan);
        let Some(kept) = &plan.kept else { return };
        let (count, since, wall) =
            (kept.mistakes.0.len(), crate::log::rfc3339(kept.since), clock::now().wall);
        let text = format!("the file has {count} mistakes: the agent runs on the configuration of {since}");
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
                let count = mistakes.0.len();
                let plural = if count == 1 { "mistake" } else { "mistakes" };
                ("config-kept", format!("the file has {count} {plural}; the configuration in force stays"))
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
        let wrong = self.fixed(&plan);
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
        let text = self.describe(&seating);
        self.put(&seating)?;
        self.in_force(&plan);
        self.plan = Arc::new(plan);
        Ok(text)
    }

    /// What differs of that which only a start can change, and services that would be another thing.
    fn fixed(&self, new: &Plan) -> Vec<Mistake> {
        let old = &self.plan;
        let ways = |plan: &Plan| {
            let it = &plan.collector;
            (it.addresses.clone(), it.server_name.clone(), it.ca.clone(), it.proxy.clone())
        };
        let differ = [
            old.state != new.state,
            old.host != new.host,
            old.spool.bytes != new.spool.bytes,
            old.spool.flash_budget != new.spool.flash_budget,
            old.bus != new.bus,
            ways(old) != ways(new),
            old.metrics != new.metrics,
        ];
        let keys = FIXED.iter().zip(differ).filter(|(_, differs)| *differs);
        let wrong = keys.map(|((table, key), _)| {
            let key = if *table == "collector" { table.to_string() } else { format!("{table}.{key}") };
            let place = new.texts.place_of(table, key.rsplit('.').next().unwrap_or_default());
            mistake(&new.file, place, key, "can't change while the agent runs".to_owned())
        });
        let services = new.services.iter().filter_map(|service| {
            let known = (0..).zip(self.roster.services.iter());
            let was = known.into_iter().find(|(_, was)| was.spec.name == service.spec.name);
            let (_, was) = was.filter(|(_, was)| was.unit != service.unit)?;
            let is = |unit: &Option<String>| unit.clone().unwrap_or_else(|| "a command".to_owned());
            let problem =
                format!("was {} and would be {}: that is another service", is(&was.unit), is(&service.unit));
            let place = new.texts.place(service.place());
            Some(mistake(&new.file, place, format!("service {}", service.spec.name), problem))
        });
        wrong.chain(services).collect()
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
            self.queue.push_back(super::Known::Outcome(found));
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

    fn describe(&self, seating: &Seating) -> String {
        let names = |places: &[u16]| {
            let all: Vec<_> = places
                .iter()
                .map(|at| seating.roster.services[usize::from(*at)].spec.name.as_str())
                .collect();
            all.join(", ")
        };
        let mut said = Vec::new();
        for (what, places) in [
            ("new", &seating.new),
            ("gone", &seating.gone),
            ("with another command from its next start on", &seating.other),
        ] {
            if !places.is_empty() {
                said.push(format!("services {what}: {}", names(places)));
            }
        }
        if !seating.moved.is_empty() {
            said.push(format!("checks new, changed or gone: {}", seating.moved.join(", ")));
        }
        let specs = (seating.services.iter())
            .filter(|it| !seating.new.contains(&it.ix))
            .filter(|it| self.roster.services.get(usize::from(it.ix)).is_some_and(|was| was.spec != it.spec));
        let specs: Vec<_> = specs.map(|it| it.spec.name.to_string()).collect();
        if !specs.is_empty() {
            said.push(format!("services with other limits: {}", specs.join(", ")));
        }
        let (services, checks) = (seating.services.len(), seating.checks.len());
        let what = if said.is_empty() { "nothing changed".to_owned() } else { said.join("; ") };
        format!("the configuration is read: {services} services, {checks} checks; {what}")
    }

    /// Whether the core still has this check's service; facts of others are of nobody's concern.
    pub(super) fn serves(&self, service: u16) -> bool {
        self.agent.service_at(service).is_some()
    }
}

fn mistake(file: &Path, place: Option<(PathBuf, usize)>, key: String, problem: String) -> Mistake {
    let (file, line) = place.unwrap_or_else(|| (file.to_path_buf(), 0));
    let suggestion = Some("restart the agent: its services stay as they are".to_owned());
    Mistake { file, line, key, problem, suggestion }
}

const _: () = assert!(config::CHECKS_MAX <= check::CheckIx::MAX as usize);

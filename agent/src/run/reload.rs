//! Reading the configuration again while the agent runs: by a signal, by a person, or because it was changed.
//!
//! [`reader`] reads it beside the loop. A configuration with mistakes changes nothing: the one in force stays, all
//! mistakes are told, `status` says so until it is mended. What only a start can change ([`fixed`]) is a mistake like
//! the others. What is in force is kept on disk for a start that finds mistakes (`good`). What a changed command or
//! folder means comes with the next start of its service; the process of a service that is gone is left alone and told,
//! as at a start.

mod fixed;
mod reader;

use super::Shell;
use super::roster::Seating;
use crate::config::{Mistakes, counted};
use crate::local::{ConfigFacts, Reply};
use crate::plan::Plan;
use crate::{clock, good, watch};
use fixed::mistake;
use picket_agent_core::Input;
use picket_agent_core::reload::Fact;
use reader::Read;
pub(super) use reader::{Reloader, Why};
use std::sync::Arc;

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
        self.notify.reloading(clock::monotonic());
        self.reloader.ask(reply);
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
        if !(is_known && why == Why::Watch) {
            let outcome = plan.and_then(|plan| self.take(*plan));
            self.tell_reload(outcome);
        }
        self.notify.reloaded();
        self.reloader.go_on();
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
        for reply in self.reloader.answers() {
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
        let text = seating.describe(&self.roster, self.answerer.config.since);
        self.put(&seating)?;
        let news = plan.notes.iter().filter(|note| !self.plan.notes.contains(note));
        news.for_each(|note| self.log.link(clock::now().wall, "not-watched", note));
        self.in_force(&plan);
        self.reloader.seen = plan.seen.clone();
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

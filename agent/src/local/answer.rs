//! Answers, made by the loop between two inputs from what the core shows: nothing is kept twice but the tail.
//!
//! A page is 64 checks, 32 services or 64 events, below 40 KiB and well below 1 ms. Times are ages in milliseconds
//! (`.._ms`) beside the one absolute `now`, so that a reader needs no clock. Who asked for a probe gets its reading
//! when it comes; at most four wait, one per client.

use super::ask::{Answer, Ask, Question};
use super::baseline::{self, Accepting};
use super::client::error;
use super::facts::{ConfigFacts, LinkFacts, Written};
use super::page::{self, Look};
use super::remedies::{Holding, Trying, holding, next_try};
use super::spoken::Spoken;
use super::{Tail, VERSION};
use crate::config::{Check, Mistakes};
use crate::metrics::Figures;
use picket_agent_core::Agent;
use picket_agent_core::check::CheckIx;
use picket_proto::frame::{self, Content};
use picket_proto::{Event, HostId, Mono, Now, Run, Seq, Span, code};
use serde_json::json;
use std::sync::Arc;
use tokio::sync::oneshot;

/// Checks of one page.
const CHECKS: u16 = 64;
/// No further check on a page of so many bytes: one with all its figures has 8 KiB at most, and the page must end below
/// 64 KiB.
const CHECKS_BYTES: usize = 40 * 1024;
/// Services of one page.
const SERVICES: u16 = 32;
/// Events of one page.
const EVENTS: usize = 64;

/// What the answers name, for the life of the process.
pub(crate) struct About {
    pub(crate) host: HostId,
    pub(crate) run: Run,
    pub(crate) started: Mono,
    pub(crate) collector: String,
    pub(crate) checks: Arc<[Check]>,
}

impl About {
    /// This run, from now on: of this host, with this collector.
    pub(crate) fn new(run: Run, (host, collector): (HostId, String), checks: Arc<[Check]>) -> Self {
        Self { host, run, started: crate::clock::now().mono, collector, checks }
    }
}

/// What the loop has to do for an answer.
pub(crate) enum Wish {
    /// Probe this check; its reading is the answer.
    Look(CheckIx),
    /// Take the host as it is, then say what came of it.
    Accept(Accepting),
    /// Let remedies rest, then say what stands.
    Hold(Holding),
    /// Begin a service's next remedy now, then say which.
    Try(Trying),
    /// Read the configuration again, then say what came of it.
    Reload(Reply),
}

/// Somebody who waits for what comes of a reload.
pub(crate) struct Reply(oneshot::Sender<Answer>);

impl Reply {
    /// For tests: who asked went away.
    #[cfg(test)]
    pub(crate) fn to_nobody() -> Self {
        Self(oneshot::channel().0)
    }

    /// Says it.
    pub(crate) fn reloaded(self, outcome: &Result<String, Mistakes>) {
        let document = match outcome {
            Ok(text) => json!({ "v": VERSION, "reload": { "text": text, "mistakes": [] } }),
            Err(mistakes) => {
                let mistakes: Vec<_> = mistakes.0.iter().map(ToString::to_string).collect();
                json!({ "v": VERSION, "reload": { "text": null, "mistakes": mistakes } })
            }
        };
        let _asker_is_gone = self.0.send(Answer::Whole(document.to_string()));
    }
}

/// Who answers.
pub(crate) struct Answerer {
    pub(crate) about: About,
    tail: Tail,
    pub(crate) link: LinkFacts,
    pub(crate) config: ConfigFacts,
    pub(crate) figures: Figures,
    pub(super) written: Written,
    looks: Vec<Waiting>,
    spoken: Spoken,
    /// For how long the disk of the state folder has not answered.
    pub(crate) stuck: Span,
    /// Why systemd is not heard, though services are units of it.
    pub(crate) unheard: Option<String>,
}

/// A client that waits for a reading.
struct Waiting {
    check: CheckIx,
    since: Mono,
    reply: oneshot::Sender<Answer>,
}

impl Answerer {
    pub(crate) fn new(about: About) -> Self {
        let (tail, link) = (Tail::default(), LinkFacts::default());
        Self {
            about,
            tail,
            link,
            config: ConfigFacts::default(),
            figures: Figures::default(),
            written: Written::default(),
            looks: Vec::new(),
            spoken: Spoken::default(),
            stuck: Span::ZERO,
            unheard: None,
        }
    }

    /// These frames were made.
    pub(crate) fn made(&mut self, mut frames: &[u8]) {
        while let Ok((frame, rest)) = frame::split(frames) {
            frames = rest;
            if let Ok(Content::Known(event)) = frame.content() {
                self.figures.event(code::of(&event.fact));
                self.tail.made(frame.header.run, frame.header.seq, &event);
            }
        }
    }

    /// An event that is not sent: it has no number.
    pub(crate) fn kept(&mut self, event: &Event) {
        self.figures.event(code::of(&event.fact));
        self.tail.made(event.stamp.run, Seq(0), event);
    }

    /// What the last probe of a check said.
    pub(crate) fn said(&self, check: CheckIx) -> &str {
        self.spoken.said(check)
    }

    /// Another thread of the agent wrote so many bytes to a disk.
    pub(crate) const fn wrote(&mut self, bytes: u64) {
        self.written.add(bytes);
    }

    /// Once per turn of the loop.
    pub(crate) fn turn(&mut self, now: Now) {
        self.written.turn(now);
    }

    /// Answers, or says what is to be done for the answer.
    pub(crate) fn answer(&mut self, agent: &Agent<'_>, now: Now, ask: Ask) -> Option<Wish> {
        tracing::debug!(by = ask.by, question = ?ask.question, "asked");
        let answer = match ask.question {
            Question::Status => Answer::Whole(page::status(self, agent, now)),
            Question::Checks { from } => Answer::Whole(self.checks(agent, now.mono, from)),
            Question::Services { from } => Answer::Whole(services(agent, now.mono, from)),
            Question::Figures => Answer::Whole(self.figures.page(
                agent,
                (&self.about, &self.spoken),
                (&self.link, self.written.total()),
                now,
            )),
            Question::Events { n } => Answer::Whole(self.events(agent, n)),
            Question::Follow => {
                let first = json!({ "v": VERSION, "follows": true }).to_string();
                Answer::Lines(first, self.tail.follow())
            }
            Question::Hold { service, seconds } => match holding(agent, service, seconds) {
                Ok(wanted) => return Some(Wish::Hold(Holding::new(wanted, ask.by, ask.reply))),
                Err(why) => Answer::Whole(error(&why)),
            },
            Question::Try { service, goes_on } => match next_try(agent, now.mono, &service) {
                Ok(number) => {
                    tracing::info!(by = ask.by, service, "its next try is asked for now");
                    return Some(Wish::Try(Trying { service: number, goes_on, reply: ask.reply }));
                }
                Err(why) => Answer::Whole(error(&why)),
            },
            Question::Baseline { from } => Answer::Whole(baseline::page(agent, now, from)),
            Question::Accept => return Some(Wish::Accept(Accepting::new(ask.by, ask.reply))),
            Question::Reload => return Some(Wish::Reload(Reply(ask.reply))),
            Question::Look { check } => match self.number(agent, &check) {
                Some(number) if agent.check_at(number).is_some_and(|slot| slot.spec().counts_news()) => {
                    Answer::Whole(self.look(agent, now.mono, (number, false)))
                }
                Some(number) => {
                    self.looks.retain(|one| !one.reply.is_closed());
                    self.looks.push(Waiting { check: number, since: now.mono, reply: ask.reply });
                    return Some(Wish::Look(number));
                }
                None => Answer::Whole(error(&format!("there is no check `{check}`; `status` lists them"))),
            },
        };
        let _asker_is_gone = ask.reply.send(answer);
        None
    }

    /// A reading came: whoever waits for it gets it. One about a process that is gone counts for nothing.
    pub(crate) fn read(&mut self, agent: &Agent<'_>, now: Mono, seen: &crate::probe::Answer) {
        let Some(slot) = agent.check_at(seen.check) else { return };
        self.spoken.keep(seen.check, &seen.seen, slot.words_stand());
        let is_read =
            |one: &mut Waiting| one.check == seen.check && slot.last().is_some_and(|(at, _)| at >= one.since);
        let waiting: Vec<Waiting> = self.looks.extract_if(.., is_read).collect();
        for waiting in waiting {
            let answer = self.look(agent, now, (seen.check, true));
            let _asker_is_gone = waiting.reply.send(Answer::Whole(answer));
        }
    }

    /// A check as whoever asked for a look is told: `looked` at for asking, or as it was read last.
    fn look(&self, agent: &Agent<'_>, now: Mono, (check, looked): (CheckIx, bool)) -> String {
        let look = Look { about: &self.about, spoken: &self.spoken, now };
        let slot = agent.check_at(check).map(|slot| look.check((check, slot), agent.usual_at(check)));
        let check = serde_json::to_value(slot).unwrap_or_default();
        json!({ "v": VERSION, "check": check, "looked": looked }).to_string()
    }

    fn number(&self, agent: &Agent<'_>, name: &str) -> Option<CheckIx> {
        let named =
            |number: &CheckIx| agent.check_at(*number).is_some_and(|slot| slot.spec().name.as_str() == name);
        (0..agent.checks_end()).find(named)
    }

    fn checks(&self, agent: &Agent<'_>, now: Mono, from: u16) -> String {
        let look = Look { about: &self.about, spoken: &self.spoken, now };
        let (end, mut next, mut bytes, mut checks) = (agent.checks_end(), from, 0, Vec::new());
        while next < end && checks.len() < usize::from(CHECKS) && bytes < CHECKS_BYTES {
            if let Some(slot) = agent.check_at(next) {
                let check = serde_json::to_string(&look.check((next, slot), agent.usual_at(next)))
                    .unwrap_or_default();
                bytes += check.len();
                checks.push(check);
            }
            next = next.saturating_add(1);
        }
        let next = if next < end { next.to_string() } else { "null".to_owned() };
        format!("{{\"v\":{VERSION},\"checks\":[{}],\"next\":{next}}}", checks.join(","))
    }

    fn events(&self, agent: &Agent<'_>, n: usize) -> String {
        let run = self.about.run;
        // A line is a document already; it only gets a word more, whether it still waits for the collector.
        let lines = self.tail.newest(n.min(EVENTS)).map(|(of, seq, line)| {
            let waits = *of == run && agent.waits(*seq);
            format!("{},\"waits\":{waits}}}", line.strip_suffix('}').unwrap_or(line))
        });
        let lines: Vec<_> = lines.collect();
        format!("{{\"v\":{VERSION},\"events\":[{}]}}", lines.join(","))
    }
}

fn services(agent: &Agent<'_>, now: Mono, from: u16) -> String {
    let to = from.saturating_add(SERVICES);
    let services: Vec<_> =
        (from..to).filter_map(|number| Some(page::service(agent.service_at(number)?, now))).collect();
    let next = (to < agent.services_end()).then_some(to);
    json!({ "v": VERSION, "services": services, "next": next }).to_string()
}

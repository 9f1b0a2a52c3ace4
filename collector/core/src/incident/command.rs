//! What operators may do to an incident, checked before it becomes a record.

use super::{Answer, Command, Verb};
use crate::incident::life::Phase;
use crate::record::Record;
use crate::signal::What;
use crate::view::finding::of_incident;
use crate::{Collector, Effect};
use alloc::boxed::Box;
use picket_proto::Now;

/// Longest text of an operator in bytes.
const TEXT_MAX: usize = 1_000;

impl Collector {
    pub(crate) fn on_command(&mut self, now: Now, command: Command) {
        let Command { reply, operator, incident, .. } = &command;
        let (reply, incident) = (*reply, *incident);
        if let Err(code) = self.may(&command) {
            let refusal = Effect::Command(Answer { reply, result: Err(code) });
            // Refused for what stands, which others may only see once it is durable; for want of the journal, at once.
            if self.live.out.is_good() {
                self.live.out.when_durable(self.state.index, refusal);
            } else {
                self.live.out.now(refusal);
            }
            return;
        }
        let operator = (**operator).clone();
        let lifts = matches!(command.verb, Verb::Resolve(_));
        self.commit(now, Record::Commanded { operator, incident, verb: command.verb }, &[]);
        if lifts {
            self.expect_all(now);
        }
        let result =
            self.state.incidents.get(incident).map(|found| Box::new(of_incident(&self.state, found)));
        let answer = Answer { reply, result: result.ok_or("not-found") };
        self.live.out.when_durable(self.state.index, Effect::Command(answer));
    }

    fn may(&self, command: &Command) -> Result<(), &'static str> {
        if !self.live.out.is_good() {
            return Err("store-full");
        }
        if let Some(code) = self.live.out.refusal() {
            return Err(code);
        }
        let incident = self.state.incidents.get(command.incident).ok_or("not-found")?;
        if command.revision.is_some_and(|revision| revision != incident.revision) {
            return Err("stale-revision");
        }
        let is_over = matches!(incident.phase, Phase::Resolved { .. });
        match &command.verb {
            Verb::Note(text) if text.is_empty() || text.len() > TEXT_MAX => Err("bad-input"),
            Verb::Resolve(text) if text.len() > TEXT_MAX => Err("bad-input"),
            Verb::Note(_) => Ok(()),
            Verb::Acknowledge | Verb::Resolve(_) if is_over => Err("already-resolved"),
            Verb::Acknowledge => Ok(()),
            Verb::Resolve(_) => {
                // Who names the revision means what it shows; who names none means whatever stands.
                let ends_by_itself = |what: What| match what {
                    What::DuplicateIdentity | What::AgentOverstay | What::StopOverstay(_) => false,
                    What::HostSilent
                    | What::Down(_)
                    | What::Degraded(_)
                    | What::Flapping(_)
                    | What::Died(_)
                    | What::NotHealed(_)
                    | What::Vanished(_)
                    | What::Blind(_) => true,
                };
                let fires = incident.firing.iter().any(|key| ends_by_itself(key.what));
                if fires && command.revision.is_some() { Err("still-firing") } else { Ok(()) }
            }
        }
    }
}

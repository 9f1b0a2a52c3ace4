//! One sentence for each kind of fact.

use super::Why;
use crate::Span;
use crate::event::{
    Because, BlindSource, Breaker, BreakerMoved, Fact, HoldChanged, Intent, IntentChanged, OrderSaid,
    Ordered, Outcome, Remedy, RemedyEnded, Shadow, ShadowStep, Trigger, Verdict, VerdictChanged, Witness,
};
use core::fmt::{Display, Formatter, Result};

impl Display for Fact {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Began(it) => {
                write!(f, "agent {} began: {} checks, {} services", it.version, it.checks, it.services)
            }
            Self::Gap(it) => write!(f, "frames {} of run {} are lost: {}", it.range, it.run, it.reason),
            Self::Verdict(it) => verdict(it, f),
            Self::Started(it) if it.adopted && it.pid == 0 => write!(f, "{} found running", it.service),
            Self::Started(it) if it.adopted => {
                write!(f, "{} found running and adopted (pid {})", it.service, it.pid)
            }
            Self::Started(it) if it.pid == 0 => write!(f, "{} started", it.service),
            Self::Started(it) => write!(f, "{} started (pid {})", it.service, it.pid),
            Self::Exited(it) if it.pid == 0 => write!(f, "{} {}", it.service, it.exit),
            Self::Exited(it) => {
                write!(f, "{} (pid {}) {}", it.service, it.pid, it.exit)?;
                if it.ran != Span::ZERO {
                    write!(f, " after {}", it.ran)?;
                }
                f.write_str(if it.asked { ", as asked" } else { "" })
            }
            Self::Remedy(it) => {
                write!(f, "{} {} (attempt {}): {}", it.service, it.remedy, it.attempt, it.trigger)?;
                if it.delay.millis() > 0 {
                    write!(f, ", {} after the failure", it.delay)?;
                }
                match (it.remedy, &it.trigger) {
                    (Remedy::Rollback, Trigger::Changed(_)) => {
                        f.write_str("; what changed is kept in the agent's state")
                    }
                    _ => Ok(()),
                }
            }
            Self::Outcome(it) => outcome(it, f),
            Self::Breaker(it) => breaker(it, f),
            Self::Evidence(it) if it.pid == 0 => write!(f, "{} did not start: {}", it.service, it.last_line),
            Self::Evidence(it) => write!(f, "{} (pid {}) last printed: {}", it.service, it.pid, it.last_line),
            Self::Intent(it) => intent(it, f),
            Self::Blind(it) => match it.source {
                BlindSource::Systemd => {
                    write!(f, "systemd was not heard for {}; {} differences found", it.lasted, it.differences)
                }
            },
            Self::Hold(it) => hold(it, f),
            Self::Vanished(it) => it.fmt(f),
            Self::Returned(it) => it.fmt(f),
            Self::Shadow(it) => shadow(it, f),
            Self::Ordered(it) => ordered(it, f),
        }
    }
}

/// What was printed is left out: it is long, and for whoever asked.
fn ordered(it: &Ordered, f: &mut Formatter<'_>) -> Result {
    match &it.said {
        OrderSaid::Part { part, of, .. } => {
            write!(f, "{} last printed, as asked: part {part} of {of}", it.service)
        }
        OrderSaid::Refused(why) => write!(f, "evidence of {} was asked for: {why}", it.service),
    }
}

fn outcome(it: &RemedyEnded, f: &mut Formatter<'_>) -> Result {
    match &it.outcome {
        Outcome::Held { check, back_after, held_for } => write!(
            f,
            "{} recovered, verified: {check} passed {back_after} after the failure and held for {held_for}",
            it.service
        ),
        Outcome::Died(exit) => {
            write!(f, "{} not healed by attempt {}: it {exit}", it.service, it.attempt)
        }
        Outcome::StillFailing { check, cause } => {
            write!(f, "{} not healed by attempt {}: {check} {cause}", it.service, it.attempt)
        }
        Outcome::Worse { before, after, check } => write!(
            f,
            "{} made worse by attempt {}: {after} of its checks fail, {before} did before; {check} does now",
            it.service, it.attempt
        ),
        Outcome::NotDone { why } => write!(f, "{} not healed by attempt {}: {why}", it.service, it.attempt),
    }?;
    match (it.remedy, &it.outcome) {
        (Remedy::Rollback, Outcome::Died(_) | Outcome::StillFailing { .. } | Outcome::Worse { .. }) => {
            f.write_str("; the files that were there before are being put back")
        }
        (Remedy::Rollback, Outcome::Held { .. }) => write!(
            f,
            "; it runs with its last good files, and what they replaced is in the newest good/{}/aside-N of the agent's state",
            it.service
        ),
        (Remedy::Package, Outcome::Died(_) | Outcome::StillFailing { .. } | Outcome::Worse { .. }) => f
            .write_str(
                "; the package that was there before is being installed again, if its .deb is in apt's cache",
            ),
        (Remedy::Package, Outcome::Held { .. }) => {
            f.write_str("; its last good package is installed, until the next upgrade: see `apt-mark hold`")
        }
        (Remedy::Rollback | Remedy::Package, Outcome::NotDone { .. })
        | (Remedy::Restart | Remedy::Reload | Remedy::Dependents | Remedy::Isolate | Remedy::Reboot, _) => {
            Ok(())
        }
    }
}

fn breaker(it: &BreakerMoved, f: &mut Formatter<'_>) -> Result {
    match &it.to {
        Breaker::Open { because, last, retry_in, .. } => write!(
            f,
            "{} not healed, because {because}; last: {last}; one more try in {retry_in}",
            it.service
        ),
        Breaker::HalfOpen => write!(f, "{} gets one more try", it.service),
        Breaker::Closed => write!(f, "{} may be healed again: its breaker closed", it.service),
        Breaker::Waits { root } => {
            write!(f, "{} waits for {root}: nothing is done until that is well", it.service)
        }
        Breaker::Starved { check, longest } => write!(
            f,
            "{} is not restarted while the host is starved ({check}), for {longest} at most",
            it.service
        ),
    }
}

fn hold(it: &HoldChanged, f: &mut Formatter<'_>) -> Result {
    match it.lasts {
        Some(lasts) => write!(f, "nothing is healed for {lasts}")?,
        None => f.write_str("remedies are allowed again")?,
    }
    if let Some(service) = &it.service {
        write!(f, " on {service}")?;
    }
    write!(f, ", by {}", it.by)
}

fn shadow(it: &Shadow, f: &mut Formatter<'_>) -> Result {
    if let ShadowStep::Rests { left } = it.step {
        return write!(f, "{} is not healed for {left}: a person has its remedies rest", it.service);
    }
    let so = if matches!(it.step, ShadowStep::Back { .. }) { "" } else { ", so nothing is done" };
    write!(f, "{} is only observed{so}: ", it.service)?;
    match &it.step {
        ShadowStep::Rests { .. } => Ok(()),
        ShadowStep::Would { remedy, trigger } => {
            let remedy = match remedy {
                Remedy::Restart => "restarted",
                Remedy::Reload => "reloaded",
                Remedy::Dependents => "restarted, with those that need it stopped meanwhile",
                Remedy::Rollback => "rolled back to its last good files and restarted",
                Remedy::Isolate => "stopped and left to a person",
                Remedy::Reboot => "given a reboot of its host",
                Remedy::Package => "put back to its last good package and restarted",
            };
            write!(f, "it would be {remedy}; {trigger}")
        }
        ShadowStep::WouldRest { because: Because::Budget { allowed, window }, last } => {
            write!(f, "its budget of {allowed} remedies in {window} would be used up; {last}")
        }
        ShadowStep::WouldRest { because, last } => {
            write!(f, "it would not be healed any more, because {because}; {last}")
        }
        ShadowStep::Back { after, held_for } => write!(
            f,
            "it came back without the agent, passed {after} after the failure and held for {held_for}"
        ),
    }
}

fn intent(it: &IntentChanged, f: &mut Formatter<'_>) -> Result {
    match (it.to, it.witness) {
        (Intent::Run, Witness::Job) => write!(f, "{} was started: it is kept up again", it.service),
        (Intent::Run, Witness::State) => write!(f, "{} runs: it is kept up", it.service),
        (Intent::Stopped, Witness::Job) => {
            write!(f, "{} was stopped by an operator: it is left alone", it.service)
        }
        (Intent::Stopped, Witness::State) => write!(f, "{} is stopped: it is left alone", it.service),
        (Intent::Masked, Witness::Job | Witness::State) => {
            write!(f, "{} is masked: it is left alone", it.service)
        }
        (Intent::Unknown, Witness::Job | Witness::State) => {
            write!(f, "{} does not run, and how it ended was not seen: it is left alone", it.service)
        }
    }
}

fn verdict(it: &VerdictChanged, f: &mut Formatter<'_>) -> Result {
    match (it.to, it.cause) {
        (Verdict::Unknown, Some(_)) => write!(f, "{} can't be looked at", it.check),
        (to, _) => write!(f, "{} is {to}", it.check),
    }?;
    match it.cause {
        Some(cause) => write!(f, ": {}", Why(it.kind, cause, it.said.as_str())),
        None => {
            write!(f, " (was {})", it.from)?;
            if it.said.is_empty() { Ok(()) } else { write!(f, ": {}", it.said) }
        }
    }
}

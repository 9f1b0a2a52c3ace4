//! What the world does when it is asked: it answers probes, and starts and ends processes.

use super::*;
use crate::service::files::{Kind, Open, Order, Said};

/// What came of an order about files.
#[derive(Debug, Clone)]
pub(super) enum Answer {
    Looked { digest: u64, changed: Option<String>, has_good: bool, open: Open },
    Busy,
    Taken(bool),
    RolledBack,
    NotDone(&'static str),
    Settled,
}

impl Answer {
    pub(super) fn said(&self) -> Said<'_> {
        match self {
            Self::Looked { digest, changed, has_good, open } => Said::Looked {
                digest: *digest,
                changed: changed.as_deref(),
                has_good: *has_good,
                open: *open,
                is_away: false,
            },
            Self::Busy => Said::Busy,
            Self::Taken(taken) => Said::Taken(*taken),
            Self::RolledBack => Said::RolledBack,
            Self::NotDone(why) => Said::NotDone { why },
            Self::Settled => Said::Settled,
        }
    }
}

impl World {
    /// A reload by which the services are these and the checks the same.
    pub(in crate::tests) fn respecified(&mut self, specs: &[service::Spec]) {
        let services: Vec<_> = (0..)
            .zip(specs)
            .map(|(ix, spec)| crate::shelf::Seated { ix, spec: spec.clone(), is_same: true })
            .collect();
        let check = |ix| {
            Some(crate::shelf::Seated { ix, spec: self.agent.check_at(ix)?.spec().clone(), is_same: true })
        };
        let checks: Vec<_> = (0..self.agent.checks_end()).filter_map(check).collect();
        self.input(Input::Reload(crate::reload::Fact { services: &services, checks: &checks }));
    }

    pub(super) fn answer(&mut self, check: u16) {
        let Some(sim) = self.sims.get(usize::from(check / 2)) else {
            let level =
                self.level.map(|level| Coming::Answer(check::Fact::new(check, Reading::Level(level))));
            return self.pending.extend(level.map(|coming| (self.at, coming)));
        };
        let (delay, reading) = match (check % 2, sim.alive) {
            (_, None) if check.is_multiple_of(2) => (0, Reading::Bad(Cause::NoProcess)),
            (0, _) if sim.frozen => (0, Reading::Bad(Cause::Frozen)),
            (0, _) => (0, Reading::Good),
            (_, Some(_)) if sim.frozen => (500, Reading::Bad(Cause::TimedOut)),
            (_, Some(_)) if self.at >= sim.listens_at && !sim.sick => (0, Reading::Good),
            (_, _) => (0, Reading::Bad(Cause::Refused)),
        };
        self.pending.push((self.at + delay * 1_000, Coming::Answer(check::Fact::new(check, reading))));
    }

    pub(super) fn act(&mut self, act: Act) {
        match act {
            Act::Unit { .. } | Act::Collect { .. } | Act::Read { .. } | Act::Reboot { .. } => {}
            Act::Files { service, kind, order } => self.files(service, kind, order),
            Act::Reload { service } => {
                let sim = &mut self.sims[usize::from(service)];
                sim.sick &= !sim.heals_by_reload;
            }
            Act::Start { service } => {
                let pid = self.next_pid;
                self.next_pid += 1;
                let at = self.at;
                let sim = &mut self.sims[usize::from(service)];
                sim.alive = Some(pid);
                sim.frozen = false;
                sim.listens_at = sim.boots.map_or(u64::MAX, |boots| at + boots * 1_000);
                let broken = [&sim.files, &sim.packages].into_iter().any(|it| it.broken.contains(&it.now));
                let dies = broken.then(|| (20, Exit::Code(1), String::from("no such directive")));
                let dies = dies.or_else(|| sim.dies.clone());
                self.pending.push((at, Coming::Started(service, pid)));
                if let Some((after, exit, words)) = dies {
                    self.pending.push((at + after * 1_000, Coming::Exit(service, pid, exit, words)));
                }
            }
            Act::Stop { service } => {
                let sim = &self.sims[usize::from(service)];
                if let Some(pid) = sim.alive.filter(|_| !sim.ignores_stop) {
                    self.pending
                        .push((self.at + 1_000, Coming::Exit(service, pid, Exit::Code(0), String::new())));
                }
            }
            Act::Kill { service } => {
                if let Some(pid) = self.sims[usize::from(service)].alive {
                    self.pending.push((self.at, Coming::Exit(service, pid, Exit::Signal(9), String::new())));
                }
            }
        }
    }

    /// A millisecond later, as a disk answers.
    fn files(&mut self, service: u16, kind: Kind, order: Order) {
        let sim = &mut self.sims[usize::from(service)];
        let files = if kind == Kind::Files { &mut sim.files } else { &mut sim.packages };
        files.orders.push(order);
        if files.hang {
            return;
        }
        // A new one begins with undoing what is open.
        if order == Order::RollBack {
            files.undone();
        }
        let slow = if matches!(order, Order::RollBack | Order::Undo) { files.slow * 1_000 } else { 0 };
        let name = |it: &u64| format!("/etc/it-{it}");
        let answer = match order {
            Order::Look => Answer::Looked {
                digest: files.now,
                changed: files.good.filter(|good| *good != files.now).map(|_| name(&files.now)),
                has_good: files.good.is_some(),
                open: match (files.aside, files.is_half) {
                    (None, _) => Open::No,
                    (Some(_), true) => Open::Begun,
                    (Some(_), false) => Open::Whole,
                },
            },
            Order::Take { digest, precheck } => {
                let takes = digest == files.now && !(precheck && files.refused.contains(&digest));
                if takes {
                    files.good = Some(digest);
                }
                Answer::Taken(takes)
            }
            Order::RollBack if files.busy => Answer::Busy,
            Order::RollBack => match files.good {
                Some(good) if good == files.now => Answer::NotDone("they did not change"),
                Some(good) if files.refused.contains(&good) => Answer::NotDone("the precheck failed"),
                Some(good) => {
                    files.aside = Some(core::mem::replace(&mut files.now, good));
                    Answer::RolledBack
                }
                None => Answer::NotDone("there are none"),
            },
            Order::Undo if files.stuck => {
                files.aside = None;
                Answer::NotDone("there is no file of it")
            }
            Order::Undo => {
                files.undone();
                Answer::Settled
            }
            Order::Close => {
                files.aside = None;
                Answer::Settled
            }
        };
        self.pending.push((self.at + 1_000 + slow, Coming::Files(service, kind, answer)));
    }
}

//! What the world does when it is asked: it answers probes, and starts and ends processes.

use super::*;

impl World {
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
            Act::Unit { .. } | Act::Collect { .. } => {}
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
                let dies = sim.dies.clone();
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
}

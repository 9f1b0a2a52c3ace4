//! Machines and our processes on them: killed, stopped, frozen, without power, skewed, upgraded.

use crate::sim::happening::{AgentIn, Happening, Place};
use crate::sim::host::Power;
use crate::sim::net::Up;
use crate::sim::truth::End;
use crate::sim::world::World;
use picket_agent_core::Ending;

impl World<'_> {
    pub(super) fn crash(&mut self, place: Place) {
        self.trouble(place);
        match place {
            Place::Host(at) => self.kill_agent(at, End::Killed),
            Place::Collector(at) => self.kill_collector(at),
        }
        let again = self.within(200_000, 3_000_000);
        self.queue.put(again, Happening::Start(place));
        self.trouble(place);
    }

    pub(super) fn halt(&mut self, place: Place) {
        self.crash(place);
        *self.halted(place) = true;
    }

    pub(in crate::sim) fn restart(&mut self, place: Place) {
        self.trouble(place);
        *self.halted(place) = false;
        self.queue.put(self.now, Happening::Start(place));
    }

    fn halted(&mut self, place: Place) -> &mut bool {
        match place {
            Place::Host(at) => &mut self.hosts[at].halted,
            Place::Collector(at) => &mut self.keepers[at].halted,
        }
    }

    /// The agent's process is gone; of an order that its disk was at, so much was done as happened to be.
    pub(in crate::sim) fn kill_agent(&mut self, at: usize, end: End) {
        let Some(mut shell) = self.hosts[at].agent.take() else { return };
        self.hosts[at].services.iter_mut().for_each(|service| service.unseen |= service.process.is_none());
        if let Some((order, bytes)) = shell.asked.take() {
            let reached = usize::try_from(self.dice.below(24)).unwrap_or(0);
            let whole = end == End::Killed && self.dice.below(2) == 0;
            let reached = if whole { usize::MAX } else { reached };
            self.truth.dropped(&self.hosts[at].disk.goes_with(order));
            let (_nobody_hears, _nobody_counts_on) = self.hosts[at].disk.obey(order, &bytes, reached);
        }
        if self.dice.below(2) == 0 {
            self.write_state(at, &mut shell);
        }
        if let Some(stream) = shell.stream.take() {
            if end == End::Killed {
                self.send_up(stream, Up::Fin { in_order: false });
            }
            if let Some(stream) = self.net.streams.get_mut(&stream) {
                stream.down.open = false;
            }
        }
        if end == End::Power {
            self.hosts[at].disk.lose_power();
        }
        self.truth.ends(at, &self.hosts[at], shell.run);
        if end == End::Power {
            self.truth.owe_less(&self.hosts[at], at);
        }
    }

    pub(super) fn power_cut(&mut self, place: Place, seconds: u64) {
        if self.power(place) == Power::Off {
            return;
        }
        self.trouble(place);
        let on = self.now + seconds.max(1) * 1_000_000;
        match place {
            Place::Host(at) => {
                if self.hosts[at].power == Power::Frozen {
                    self.thaw(place);
                }
                self.truth.counts.power_cuts += 1;
                let ran = self.hosts[at].agent.is_some();
                self.kill_agent(at, End::Power);
                if !ran {
                    self.hosts[at].disk.lose_power();
                    self.truth.owe_less(&self.hosts[at], at);
                }
                let now = self.now;
                let host = &mut self.hosts[at];
                for service in &mut host.services {
                    (service.process, service.saved, service.ill) = (None, None, Some(now));
                    service.unit.boot();
                }
                host.bus_away = false;
            }
            Place::Collector(at) => {
                if self.keepers[at].power == Power::Frozen {
                    self.thaw(place);
                }
                self.kill_collector(at);
            }
        }
        self.queue.put(on, Happening::Boot(place));
        self.set_power(place, Power::Off);
    }

    /// The machine is on again.
    pub(in crate::sim) fn booted(&mut self, place: Place) {
        self.trouble(place);
        self.set_power(place, Power::On);
        let (boot, now) = (self.new_boot(), self.now);
        self.clock(place).boot(now, boot);
        if let Place::Host(at) = place {
            self.start_units(at);
        }
        let soon = self.within(100_000, 4_000_000);
        self.queue.put(soon, Happening::Start(place));
    }

    fn set_power(&mut self, place: Place, power: Power) {
        match place {
            Place::Host(at) => self.hosts[at].power = power,
            Place::Collector(at) => self.keepers[at].power = power,
        }
    }

    fn power(&self, place: Place) -> Power {
        match place {
            Place::Host(at) => self.hosts[at].power,
            Place::Collector(at) => self.keepers[at].power,
        }
    }

    /// Stops our process, or lets it go on.
    pub(in crate::sim) fn pause(&mut self, place: Place, stop: bool) {
        self.trouble(place);
        let inbox = match place {
            Place::Host(at) => self.hosts[at].agent.as_mut().map(|shell| {
                shell.stopped = stop;
                std::mem::take(&mut shell.inbox)
            }),
            Place::Collector(at) => self.keepers[at].process.as_mut().map(|process| {
                process.stopped = stop;
                std::mem::take(&mut process.inbox)
            }),
        };
        self.release(inbox.unwrap_or_default());
    }

    pub(super) fn freeze(&mut self, place: Place, clock_runs: bool) {
        if self.power(place) != Power::On {
            return;
        }
        self.trouble(place);
        self.set_power(place, Power::Frozen);
        let now = self.now;
        // By a clock that runs on, what lives meanwhile lives long enough to be no early death.
        if let Place::Host(at) = place {
            self.hosts[at].services.iter_mut().for_each(|service| service.loops_since = None);
        }
        self.clock(place).stand(now, !clock_runs);
    }

    pub(in crate::sim) fn thaw(&mut self, place: Place) {
        if self.power(place) != Power::Frozen {
            return;
        }
        self.trouble(place);
        self.set_power(place, Power::On);
        let now = self.now;
        self.clock(place).stand(now, false);
        let waiting = match place {
            Place::Host(at) => std::mem::take(&mut self.hosts[at].waiting),
            Place::Collector(at) => std::mem::take(&mut self.keepers[at].waiting),
        };
        self.release(waiting);
        self.rearm(place);
    }

    pub(in crate::sim) fn skew(&mut self, place: Place, ppm: i64) {
        let now = self.now;
        self.clock(place).skew(now, ppm);
        self.rearm(place);
    }

    pub(super) fn jump_wall(&mut self, place: Place, seconds: i64) {
        self.clock(place).jump_wall(seconds.saturating_mul(1_000_000));
    }

    fn clock(&mut self, place: Place) -> &mut crate::sim::clock::Clock {
        match place {
            Place::Host(at) => &mut self.hosts[at].clock,
            Place::Collector(at) => &mut self.keepers[at].clock,
        }
    }

    fn rearm(&mut self, place: Place) {
        match place {
            Place::Host(at) => self.rearm_agent(at),
            Place::Collector(at) => self.rearm_collector(at),
        }
    }

    pub(super) fn upgrade(&mut self, place: Place) {
        self.trouble(place);
        match place {
            Place::Host(at) => {
                self.hosts[at].version += 1;
                let life = self.hosts[at].agent.as_ref().map(|shell| shell.life);
                if let Some(life) = life.filter(|_| self.hosts[at].power == Power::On) {
                    let stop = AgentIn::Stop(Ending::LeaveServices);
                    self.queue.put(self.now, Happening::Agent(at, life, stop));
                }
            }
            Place::Collector(at) => {
                self.snapshot(at);
                self.kill_collector(at);
                let again = self.within(200_000, 3_000_000);
                self.queue.put(again, Happening::Start(place));
            }
        }
    }
}

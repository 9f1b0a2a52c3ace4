//! What was seen of this host on its way to the core, and a person who takes it as it is.

use super::Shell;
use crate::baseline::{Told, World};
use crate::clock;
use crate::local::Accepting;
use picket_agent_core::Input;
use picket_agent_core::baseline::{Fact, Sighting, Source, Standing};

impl Shell<'_> {
    pub(super) fn world(&mut self, told: Told) {
        match told {
            Told::Stirred => self.hand(Input::Baseline(Fact::Stirred)),
            Told::Looked(world) => self.looked(*world),
            Told::Traced(traces) => self.hand(Input::Baseline(Fact::Traced(&traces))),
            Told::Kept(bytes) => self.answerer.wrote(bytes),
        }
    }

    /// Units before ports: a port is worth what its unit is.
    fn looked(&mut self, mut world: World) {
        self.baseline.looked(&mut world);
        let World { units, ports, mounts, packages, .. } = world;
        let mut seen = |source, things: Option<Vec<Sighting>>| {
            if let Some(things) = things {
                self.hand(Input::Baseline(Fact::Seen { source, things: &things }));
            }
        };
        seen(Source::Units, units);
        seen(Source::Ports, ports);
        seen(Source::Mounts, mounts);
        self.hand(Input::Baseline(Fact::Looked { packages }));
    }

    /// The state file was written, so many bytes; whether it is to be written again.
    pub(super) fn written(&mut self, owed: bool, bytes: u64) {
        self.answerer.wrote(bytes);
        if owed {
            self.keeper.keep(&self.agent, clock::now());
        }
        self.reboot_once_kept();
    }

    pub(super) fn accept(&mut self, accepting: Accepting) {
        let is_gone = |standing| matches!(standing, Standing::Gone { .. });
        let missing = self.agent.things().filter(|thing| is_gone(thing.standing())).count();
        self.hand(Input::Baseline(accepting.as_fact()));
        accepting.done(&self.agent, missing);
    }
}

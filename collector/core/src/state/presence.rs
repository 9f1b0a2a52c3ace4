//! Whether hosts are there: back, stopped on purpose and for how long, silent, or two of one name.

use super::firing::{Said, clear, fire};
use super::fleet;
use super::{At, State};
use crate::host::{HOSTS_MAX, Host, Presence, Trust};
use crate::incident::timeline::Entry;
use crate::live::{note, note_fired};
use crate::signal::{Key, What};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use picket_proto::{BootId, HostId, Mono, Span};

/// How long a planned stop may last before somebody is told.
const OVERSTAY: Span = Span::from_secs(15 * 60);

impl State {
    /// Hosts that can be added.
    pub(crate) fn has_room(&self) -> bool {
        self.hosts.len() < HOSTS_MAX
    }

    /// A collector process began.
    pub(super) fn resumed(&mut self, at: At, boot: BootId) {
        if self.boot.replace(boot) != Some(boot) {
            // How long the machine was down is not known, so nothing that was measured before holds.
            self.hosts.iter_mut().for_each(|(_, host)| host.offset = None);
        }
        self.resumed = Some(at.now.wall);
    }

    /// The host is there again, whatever it was before.
    pub(super) fn back(&mut self, at: At, slot: u32) {
        let Some(host) = self.hosts.get_mut(slot) else { return };
        host.last_heard = Some(at.now.wall);
        let was = core::mem::replace(&mut host.presence, Presence::Present);
        let what = match was {
            Presence::Expected | Presence::Present | Presence::Retired => return,
            Presence::Silent => What::HostSilent,
            Presence::Stopped { .. } => What::AgentOverstay,
        };
        let Some(signal) = host.signals.get(&what).copied() else { return };
        let mut entry = Entry::said(at.now.wall, "host-back", format!("{} is heard again", host.id));
        entry.host = Some(slot);
        note(self, at, signal.incident, entry);
        clear(self, at, Key { host: slot, what });
    }

    /// It is to be heard as often as this.
    pub(super) fn paced(&mut self, id: &HostId, report: Span) {
        if let Some(host) = self.host(id).and_then(|slot| self.hosts.get_mut(slot)) {
            host.report = report;
        }
    }

    pub(super) fn goodbye(&mut self, at: At, id: &HostId) {
        let said = ("agent-stopped", format!("the agent of {id} said goodbye"));
        let Some(slot) = self.leaves(at, id, Presence::Stopped { at: at.now.mono }, said) else { return };
        self.overstays.insert((at.now.mono.plus(OVERSTAY), slot));
    }

    /// Nothing of it is awaited any more. What is open on it stays open, since nobody knows whether it is over.
    pub(super) fn retired(&mut self, at: At, id: &HostId) {
        let text = format!("the agent of {id} was removed: nothing of the host is watched any more");
        self.leaves(at, id, Presence::Retired, ("agent-removed", text));
    }

    /// It goes on purpose, which stands in all that is open on it.
    fn leaves(
        &mut self,
        at: At,
        id: &HostId,
        presence: Presence,
        said: (&'static str, String),
    ) -> Option<u32> {
        let slot = self.host(id)?;
        self.back(at, slot);
        let host = self.hosts.get_mut(slot)?;
        (host.presence, host.gone) = (presence, Some(at.now.wall));
        let mut entry = Entry::said(at.now.wall, said.0, said.1);
        entry.host = Some(slot);
        let active = host.active.clone();
        for id in active {
            note(self, at, Some(id), entry.clone());
        }
        Some(slot)
    }

    pub(super) fn silent(&mut self, at: At, hosts: &[HostId]) {
        let mut slots = Vec::new();
        for id in hosts {
            let Some(slot) = self.hosts.find(id.as_str()) else { continue };
            let Some(host) = self.hosts.get_mut(slot) else { continue };
            if host.presence == Presence::Present && host.trust == Trust::Full {
                (host.presence, host.gone) = (Presence::Silent, Some(at.now.wall));
                slots.push(slot);
            }
        }
        fleet::silent(self, at, &slots);
    }

    pub(super) fn duplicate(&mut self, at: At, id: &HostId) {
        let Some(slot) = self.host(id) else { return };
        let Some(host) = self.hosts.get_mut(slot) else { return };
        (host.trust, host.gone) = (Trust::Quarantined, Some(at.now.wall));
        let key = Key { host: slot, what: What::DuplicateIdentity };
        let fired = fire(self, at, key, |host| two_machines(host, at));
        let text = "two live sessions showed one certificate; both are quarantined".to_string();
        let mut entry = Entry::said(at.now.wall, "duplicate-identity", text);
        entry.host = Some(slot);
        note_fired(self, at, fired, entry);
    }

    pub(super) fn overstays_now(&mut self, at: At, slot: u32, due: Mono) {
        let Some(host) = self.hosts.get(slot) else { return };
        let Presence::Stopped { at: stopped } = host.presence else { return };
        if stopped.plus(OVERSTAY) != due {
            return;
        }
        fire(self, at, Key { host: slot, what: What::AgentOverstay }, |host| overstays(host, at));
    }
}

/// Two machines of one name, in words.
pub(super) fn two_machines(host: &Host, at: At) -> Said {
    Said {
        title: format!("{}: two machines use its certificate", host.id),
        cause: format!("two live sessions showed the certificate of {}; it is quarantined", host.id),
        at: at.now.wall,
    }
}

/// A stop that lasts too long, in words.
pub(super) fn overstays(host: &Host, at: At) -> Said {
    Said {
        title: format!("{}: its agent is still stopped", host.id),
        cause: format!("the agent of {} was stopped on purpose and is still away after 15 min", host.id),
        at: at.now.wall,
    }
}

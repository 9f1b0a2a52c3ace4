//! What stands when a session begins, and again where events of the session were lost: the agent names every check that
//! is not up, and the state is brought to it.

use super::ending::settle;
use super::firing::{clear, fire};
use super::{At, State};
use crate::host::{self, Healing, Watched};
use crate::incident::timeline::Entry;
use crate::ingest::{Standing, Stands};
use crate::live::calm::calm;
use crate::live::healing::still_not_healed;
use crate::live::{check_said, check_words, clear_others, note, note_fired};
use crate::signal::{Key, What};
use alloc::collections::BTreeSet;
use alloc::format;
use alloc::vec::Vec;
use picket_proto::event::Verdict;
use picket_proto::{HostId, Name};

impl State {
    /// As older journals have it.
    pub(super) fn stood(&mut self, at: At, id: &HostId, checks: &[Standing]) {
        self.standing(at, id, checks.iter().cloned().map(Stands::from));
    }

    pub(super) fn standing(&mut self, at: At, id: &HostId, checks: impl Iterator<Item = Stands>) {
        let Some(slot) = self.host(id) else { return };
        for stands in checks {
            self.stands(at, slot, stands);
        }
    }

    fn stands(&mut self, at: At, slot: u32, Stands { standing, cause, said }: Stands) {
        let Some(host) = self.hosts.get_mut(slot) else { return };
        let Some(check) = host.check(&standing.check, standing.kind, standing.service.as_ref()) else {
            return;
        };
        if standing.verdict != Verdict::Up {
            host.listed.insert(check);
        }
        let Some(known) = host.checks.get_mut(check) else { return };
        // What was told before of the same verdict stays where nothing newer is said.
        if known.verdict != standing.verdict || cause.is_some() {
            (known.cause, known.said) = (cause, said);
        }
        known.verdict = standing.verdict;
        known.since = Some(standing.since.wall);
        let service = known.service;
        let when = host.standing.told_when();
        let Some(what) = What::from_verdict(check, standing.kind, (standing.verdict, cause)) else { return };
        let is_new = !host.signals.contains_key(&what);
        let fired =
            fire(self, at, Key { host: slot, what }, |host| check_said(host, check, standing.since.wall));
        if !what.is_blind() {
            clear_others(self, at, slot, check, Some(what));
        }
        if is_new {
            let words = self.hosts.get(slot).and_then(|host| host.checks.get(check)).map(check_words);
            let text = format!("{} (it stood so when {when})", words.unwrap_or_default());
            let mut entry = Entry::said(standing.since.wall, what.code(), text);
            entry.host = Some(slot);
            note_fired(self, at, fired, entry);
            crate::backlog::joined(self, slot, service, check, fired.incident);
        }
        if let (Verdict::Down, Some(service)) = (standing.verdict, service) {
            still_not_healed(self, at, slot, service);
        }
    }

    pub(super) fn standing_end(&mut self, at: At, id: &HostId) {
        let Some(slot) = self.host(id) else { return };
        let Some(host) = self.hosts.get_mut(slot) else { return };
        let listed = core::mem::take(&mut host.listed);
        let when = core::mem::replace(&mut host.standing, host::Standing::Told).told_when();
        let mut troubled = BTreeSet::new();
        for check in &listed {
            troubled.extend(host.checks.get(*check).and_then(|check| check.service));
        }
        for (check, known) in host.checks.iter_mut() {
            if known.watched == Watched::Yes && !listed.contains(&check) && known.verdict != Verdict::Up {
                (known.verdict, known.since, known.cause) = (Verdict::Up, Some(at.now.wall), None);
            }
        }
        for (service, known) in host.services.iter_mut() {
            if !troubled.contains(&service) {
                known.healing = Healing::No;
                known.not_healed.clear();
            }
        }
        let firing: Vec<What> = host.signals.keys().copied().collect();
        for what in firing {
            let over = match what {
                What::Down(check) | What::Degraded(check) | What::Flapping(check) | What::Blind(check) => {
                    !listed.contains(&check)
                }
                What::Died(service) | What::NotHealed(service) => !troubled.contains(&service),
                What::HostSilent | What::AgentOverstay | What::DuplicateIdentity => false,
                // These are told anew in every session, or end by a word of their own.
                What::Vanished(_) | What::StopOverstay(_) => false,
            };
            if over {
                self.stands_no_more(at, Key { host: slot, what }, when);
            } else if let What::Died(service) = what {
                // Another check of it stands; its process may live, and nobody would say so again.
                calm(self, at, slot, Some(service));
            }
        }
        let active = self.hosts.get(slot).map(|host| host.active.clone()).unwrap_or_default();
        for id in active {
            settle(self, at, id);
        }
        crate::backlog::unseen_ends(self, at, slot, |_, subject| match subject {
            crate::incident::late::Subject::Service(service) => !troubled.contains(&service),
            crate::incident::late::Subject::Check(check) => !listed.contains(&check),
        });
    }

    /// What the agent holds for up and what is held here must be the same now; a difference is counted, since the
    /// next session tells all again.
    pub(super) fn compare(&mut self, id: &HostId, theirs: (u32, u32)) {
        let Some(host) = self.host(id).and_then(|slot| self.hosts.get_mut(slot)) else { return };
        if host.up() != theirs {
            host.differences = host.differences.saturating_add(1);
        }
    }

    fn stands_no_more(&mut self, at: At, key: Key, when: &str) {
        let Some(host) = self.hosts.get(key.host) else { return };
        let Some(signal) = host.signals.get(&key.what).copied() else { return };
        let check = key.what.check().and_then(|check| host.checks.get(check)).map(|check| &check.name);
        let service = host.service_of(key.what).and_then(|service| host.services.get(service));
        let name = check.or_else(|| service.map(|service| &service.name));
        let text = format!("{} is up (told when {when})", name.map_or("it", Name::as_str));
        let mut entry = Entry::said(at.now.wall, "check-up", text);
        entry.host = Some(key.host);
        note(self, at, signal.incident, entry);
        clear(self, at, key);
    }
}

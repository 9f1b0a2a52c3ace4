//! Services under a new configuration: new ones are prepared, others get their new command, and none is started or ended.

use super::script::Script;
use super::{Item, Life, Outcome, Services};
use crate::config::Service;
use picket_agent_core::service::ServiceIx;
use std::io;
use std::path::Path;

impl Services {
    /// Takes the services by their places; `other` are those whose next start is another one.
    ///
    /// # Errors
    /// As [`Services::new`]; nothing was changed.
    pub(crate) fn anew(&mut self, all: &[Service], state: &Path, other: &[ServiceIx]) -> io::Result<()> {
        let files = self.descriptors.inherited();
        let new = all.iter().skip(self.items.len()).map(|service| Item::new(service, state, files));
        let new = new.collect::<io::Result<Vec<_>>>()?;
        self.items.extend(new);
        for (item, service) in self.items.iter_mut().zip(all) {
            item.kept = super::files::Keeper::new(service, state, files);
            item.packages = super::packages::Keeper::new(service, state, files);
        }
        for at in other.iter().map(|ix| usize::from(*ix)) {
            if let (Some(item), Some(service)) = (self.items.get_mut(at), all.get(at)) {
                item.command = super::item::command(service, state);
                item.script = Script::new(service, &state.join("services"), files);
            }
        }
        Ok(())
    }

    /// Whether a service that came lives: from before it was gone, or from an earlier run. Of one that others start it
    /// comes as a notice.
    pub(crate) fn look_at(&mut self, service: ServiceIx) -> Option<Outcome> {
        if self.item(service).script.is_some() {
            self.look_at_script(service);
            return None;
        }
        let (boot, notices) = (self.boot, self.notices.clone());
        let item = self.item(service);
        Some(match &item.life {
            Life::Lives(process) => {
                let pid = process.pid.as_raw_nonzero().get().unsigned_abs();
                Outcome::Started { service, pid, adopted: true }
            }
            Life::Clearing { .. } | Life::Unseen => Outcome::Absent { service },
            Life::None => item.look(service, boot, &notices),
        })
    }

    /// Tells that the process of a service that is gone lives on.
    pub(crate) fn tell_left_alone(&self, service: ServiceIx) {
        if let Some((pid, _)) = self.process(service) {
            let name = &self.items[usize::from(service)].name;
            tracing::warn!(
                service = name,
                %pid,
                "the service is not in the configuration any more, but its process lives and is not watched; \
                 `kill {pid}` ends it"
            );
        }
    }
}

//! Orders that have a thread or a program of their own: what comes of them is a notice.

use super::{Notice, Outcome, Services, files, program};
use picket_agent_core::service::ServiceIx;
use picket_agent_core::service::files::{Kind, Order};
use picket_proto::event::Exit;
use std::time::Duration;

/// How long the command that reboots the host may take.
const REBOOT: Duration = Duration::from_secs(60);

impl Services {
    /// Runs the command that reboots the host. That it fails is a notice; else the host goes down.
    pub(crate) fn reboot(&self, service: ServiceIx, parts: Vec<String>) {
        let notices = self.notices.clone();
        let program =
            program::Program { parts, output: None, limit: REBOOT, files: self.descriptors.inherited() };
        tokio::spawn(async move {
            let exit = program.run().await.exit;
            if exit != Exit::Code(0) {
                let why = format!("the command that reboots the host {exit}");
                let _loop_is_ending_when_nobody_listens =
                    notices.send(Notice::NotRebooted { service, why }).await;
            }
        });
    }

    /// Begins an order about a service's files or packages; what comes of it is a notice.
    pub(super) fn files(&mut self, service: ServiceIx, kind: Kind, order: Order) -> Option<Outcome> {
        let notices = self.notices.clone();
        let tell = move |answer| {
            let _loop_is_ending_when_nobody_listens =
                notices.blocking_send(Notice::Files { service, kind, answer });
        };
        let item = self.item(service);
        let begun = match kind {
            Kind::Files => item.kept.clone().map(|kept| kept.begin(order, tell)),
            Kind::Packages => item.packages.clone().map(|kept| kept.begin(order, tell)),
        };
        let is_begun = matches!(begun, Some(Ok(())));
        let why = || "they can't be looked at".to_owned();
        (!is_begun).then(|| Outcome::Files { service, kind, answer: files::Answer::NotDone(why()) })
    }
}

//! What watchers and programs tell the loop of services, and what the core is told of it.

use super::{files, script};
use picket_agent_core::service::files::Kind;
use picket_agent_core::service::{Fact, ServiceIx};
use picket_proto::event::Exit;

/// Something that a watcher saw.
#[derive(Debug)]
pub(crate) enum Notice {
    /// The process of this service ended.
    Gone { service: ServiceIx },
    /// What was left of its group is gone, or did not go in time.
    Cleared { service: ServiceIx, in_time: bool },
    /// Something came of an order about its files or packages.
    Files { service: ServiceIx, kind: Kind, answer: files::Answer },
    /// What it printed last was read for an order, or could not be.
    Printed { service: ServiceIx, token: u64, text: Option<String> },
    /// The command that reboots the host has failed.
    NotRebooted { service: ServiceIx, why: String },
    /// A program of this service has ended.
    Said { service: ServiceIx, said: script::Said },
}

/// What came of an act, for the core.
#[derive(Debug)]
pub(crate) enum Outcome {
    Absent { service: ServiceIx },
    Lost { service: ServiceIx, pid: u32 },
    Started { service: ServiceIx, pid: u32, adopted: bool },
    Exited { service: ServiceIx, pid: u32, exit: Exit },
    Evidence { service: ServiceIx, pid: u32, last_line: String },
    Files { service: ServiceIx, kind: Kind, answer: files::Answer },
    NotRebooted { service: ServiceIx, why: String },
    Printed { service: ServiceIx, token: u64, text: Option<String> },
}

impl Outcome {
    /// Of which service.
    pub(crate) const fn service(&self) -> ServiceIx {
        let (Self::Absent { service }
        | Self::Lost { service, .. }
        | Self::Started { service, .. }
        | Self::Exited { service, .. }
        | Self::Evidence { service, .. }
        | Self::NotRebooted { service, .. }
        | Self::Printed { service, .. }
        | Self::Files { service, .. }) = self;
        *service
    }

    /// The fact that the core takes.
    pub(crate) fn as_fact(&self) -> Fact<'_> {
        match self {
            Self::Absent { service } => Fact::Absent { service: *service },
            Self::Lost { service, pid } => Fact::Lost { service: *service, pid: *pid },
            Self::Started { service, pid, adopted } => {
                Fact::Started { service: *service, pid: *pid, adopted: *adopted }
            }
            Self::Exited { service, pid, exit } => Fact::Exited { service: *service, pid: *pid, exit: *exit },
            Self::Evidence { service, pid, last_line } => {
                Fact::Evidence { service: *service, pid: *pid, last_line }
            }
            Self::NotRebooted { service, why } => Fact::NotRebooted { service: *service, why },
            Self::Printed { service, token, text } => {
                Fact::Printed { service: *service, token: *token, text: text.as_deref() }
            }
            Self::Files { service, kind, answer } => {
                Fact::Files { service: *service, kind: *kind, said: answer.said() }
            }
        }
    }
}

//! The facts that the stories tell.

use super::*;
use crate::ingest::{Heard, Report};
use picket_proto::{Offset, Sample};

/// It said something, but no heartbeat.
pub(crate) fn heard(agent: &Agent) -> Heard {
    Heard { host: agent.host.clone(), report: None }
}

/// Its heartbeat came now, with what it measured.
pub(crate) fn beat(world: &World, agent: &Agent, offset: Option<(i64, u64)>) -> Input {
    let report = Report {
        stamp: agent.stamp(world),
        received: world.now.mono,
        received_wall: world.now.wall,
        sample: Some(Sample { cpu: Some(125), waiting: 3, ..Sample::default() }),
        offset: offset.map(|(ahead, bound)| Offset { ahead, bound: Span::from_micros(bound) }),
    };
    Input::Heard(vec![Heard { host: agent.host.clone(), report: Some(report) }])
}

pub(crate) fn verdict(check: &str, kind: CheckKind, service: Option<&str>, to: Verdict) -> Said {
    let cause = match (to, kind) {
        (Verdict::Up | Verdict::Unknown | Verdict::Flapping, _) => None,
        (Verdict::Down | Verdict::Degraded, CheckKind::Process) => Some(Cause::NoProcess),
        (Verdict::Down | Verdict::Degraded, CheckKind::Space) => {
            Some(Cause::Above { level: 973, limit: 950 })
        }
        (Verdict::Down | Verdict::Degraded, _) => Some(Cause::Refused),
    };
    let service = service.map(name);
    Said::Verdict(VerdictChanged {
        said: Text::default(),
        check: name(check),
        kind,
        service,
        from: Verdict::Unknown,
        to,
        cause,
        after: Span::ZERO,
    })
}

pub(crate) fn process(to: Verdict) -> Said {
    verdict("nginx:process", CheckKind::Process, Some(SERVICE), to)
}

pub(crate) fn http(to: Verdict) -> Said {
    verdict("nginx:http", CheckKind::Http, Some(SERVICE), to)
}

pub(crate) fn tcp(to: Verdict) -> Said {
    verdict("redis:tcp", CheckKind::Tcp, Some("redis"), to)
}

pub(crate) fn space(to: Verdict) -> Said {
    verdict("space:/", CheckKind::Space, None, to)
}

pub(crate) fn killed(pid: u32) -> Said {
    let (exit, ran) = (Exit::Signal(9), Span::from_secs(3 * 3600 + 120));
    Said::Exited(Exited { service: name(SERVICE), pid, exit, ran, asked: false })
}

pub(crate) fn started(pid: u32) -> Said {
    Said::Started(Started { service: name(SERVICE), pid, adopted: false })
}

pub(crate) fn restart(attempt: u16) -> Said {
    let trigger = Trigger::Exit(Exit::Signal(9));
    Said::Remedy(RemedyBegun {
        service: name(SERVICE),
        remedy: Remedy::Restart,
        attempt,
        trigger,
        delay: Span::ZERO,
    })
}

pub(crate) fn held() -> Said {
    let outcome = Outcome::Held {
        check: name("nginx:process"),
        back_after: Span::from_millis(12),
        held_for: Span::from_secs(5),
    };
    Said::Outcome(RemedyEnded {
        service: name(SERVICE),
        remedy: Remedy::Restart,
        attempt: 1,
        outcome,
        took: Span::from_secs(5),
    })
}

pub(crate) fn not_held(attempt: u16) -> Said {
    let outcome = Outcome::Died(Exit::Code(1));
    Said::Outcome(RemedyEnded {
        service: name(SERVICE),
        remedy: Remedy::Restart,
        attempt,
        outcome,
        took: Span::from_secs(1),
    })
}

pub(crate) fn breaker_open() -> Said {
    let to = Breaker::Open {
        because: Because::SameDeath(3),
        attempts: 3,
        last: Trigger::Exit(Exit::Code(1)),
        retry_in: Span::from_secs(60),
    };
    Said::Breaker(BreakerMoved { service: name(SERVICE), to })
}

pub(crate) fn evidence(line: &str) -> Said {
    Said::Evidence(Evidence { service: name(SERVICE), pid: 4711, last_line: Text::new(line) })
}

/// Another service than [`SERVICE`], or the same, ended by itself.
pub(crate) fn died(service: &str) -> Said {
    let (exit, ran) = (Exit::Code(1), Span::from_secs(3));
    Said::Exited(Exited { service: name(service), pid: 7, exit, ran, asked: false })
}

pub(crate) fn printed(service: &str, line: &str) -> Said {
    Said::Evidence(Evidence { service: name(service), pid: 7, last_line: Text::new(line) })
}

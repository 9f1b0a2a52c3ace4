//! How a look begins, kind by kind: at once, by itself, in a thread, or by a program.

use super::apart::Apart;
use super::{
    Probes, Seen, backup, container, exec, expires, file, http, job, log, metric, parts, space, tcp, tls,
};
use crate::config::{Exec, Job, JobSource, Log, LogSource, Program, Target};
use crate::program::Seat;
use picket_agent_core::check::{CheckIx, Reading};
use picket_proto::Span;
use picket_proto::event::Cause;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::Mutex;

/// A look that has to wait, and what it means when it waits too long.
pub(super) struct Look {
    pub(super) seen: Pin<Box<dyn Future<Output = Seen> + Send>>,
    pub(super) late: Cause,
    /// How long it may take beyond its check's time to say itself that this was not enough.
    pub(super) spare: Duration,
}

impl Look {
    /// A look at something that answers by itself.
    fn new(seen: impl Future<Output = Seen> + Send + 'static) -> Self {
        Self { seen: Box::pin(seen), late: Cause::TimedOut, spare: Duration::ZERO }
    }

    /// A look in a thread of its own.
    fn apart(apart: &Apart, look: impl FnOnce() -> Seen + Send + 'static) -> Self {
        Self { late: Cause::Stuck, ..Self::new(apart.clone().look(look)) }
    }

    /// A look by a program.
    fn program(seat: &Seat, program: Program, time: Duration) -> Self {
        let ran = seat.clone().run(program, time);
        let look = Self::new(async move { exec::seen(ran.await, time) });
        Self { spare: 2 * crate::program::SPARE, ..look }
    }
}

impl Probes {
    /// Begins a look: its reading, if nothing has to be waited for.
    pub(super) fn launch(&self, ix: CheckIx) -> Result<Reading, Look> {
        let check = &self.checks[usize::from(ix)];
        if let Some(Some(reading)) = self.explained.get(&ix) {
            return Err(Look::new(std::future::ready((*reading).into())));
        }
        let (memory, timeout) = (&self.memory[usize::from(ix)], check.spec.timeout);
        let apart = &memory.apart;
        match check.target.clone() {
            Target::Tcp { address, send, expect } => {
                let begun = match tcp::begin(&address, &send, &expect) {
                    Ok(reading) => return Ok(reading),
                    Err(begun) => begun,
                };
                Err(Look::new(async move { tcp::finish(begun, &address, &send, &expect).await }))
            }
            Target::Http { url, status } => {
                let client = self.http.clone();
                Err(Look::new(async move { http::read(&client, url, status).await.into() }))
            }
            Target::Space { mount } => Err(Look::apart(apart, move || space::read(&mount))),
            Target::Host(part) => Err(Look::apart(apart, move || parts::read(&part))),
            Target::Processes(wanted) => {
                Err(Look::new(Arc::clone(&self.crowd).look(ix, wanted, apart.clone())))
            }
            Target::Tls(server) => Err(Look::new(tls::read(server, self.tls.clone()))),
            Target::Expires(what) => Err(Look::apart(apart, move || expires::read(&what))),
            Target::File(watched) => Err(Look::apart(apart, move || file::read(&watched))),
            Target::Metric(metric) => {
                let last = Arc::clone(&memory.counters);
                Err(Look::new(metric::read(self.http.clone(), metric, (last, check.spec.interval))))
            }
            Target::Log(log) => match &memory.log {
                Some(place) => Err(self.look_at_log(apart, *log, Arc::clone(place), timeout)),
                None => unreachable!("every log has its place"),
            },
            Target::Exec(Exec(program)) => Err(Look::program(&memory.seat, program, timeout.to_duration())),
            Target::Job(job) => Err(self.look_at_job(apart, job)),
            Target::Backup(backup) => {
                let (seat, state) = (memory.seat.clone(), Arc::clone(&self.place.0));
                let (name, asked) = (check.name().clone(), memory.asked.swap(false, Ordering::Relaxed));
                let look = move || backup::read(&backup, name.as_str(), &state, (&seat, asked));
                Err(Look::apart(apart, look))
            }
            Target::Container(container) => Err(Look::new(container::read(container))),
            // begin() answers these itself; one that was queued as another kind before a reload counts for nothing.
            Target::Process(_) | Target::Cpu | Target::Memory | Target::Load => {
                Ok(Reading::Bad(Cause::Local(libc::ESTALE)))
            }
        }
    }

    fn look_at_job(&self, apart: &Apart, job: Job) -> Look {
        let (state, bus) = self.place.clone();
        match job.source.clone() {
            JobSource::Unit(unit) => Look::new(job::ask(job, bus, unit)),
            JobSource::Stamp(_) | JobSource::Run(_) => Look::apart(apart, move || job::read(&job, &state)),
        }
    }

    fn look_at_log(&self, apart: &Apart, log: Log, place: Arc<Mutex<log::Place>>, time: Span) -> Look {
        match log.source.clone() {
            LogSource::File(_) => Look::apart(apart, move || log::read(&log, &place, time)),
            LogSource::Unit(unit) => {
                let places = self.journals.clone();
                Look::new(async move { log::journal::read(&log, &unit, &place, (places, time)).await })
            }
        }
    }
}

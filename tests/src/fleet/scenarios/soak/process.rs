//! One process through all its lives: what `/proc` says of it each minute, and how fast that grows.

use super::super::super::world::World;
use super::slope::{self, Point};
use crate::rig::files::number;
use serde_json::{Value, json};
use std::fs;

/// What is read of it at one moment.
#[derive(Debug, Clone, Copy, Default)]
struct Reading {
    rss_kib: u64,
    /// What is backed by no file: pages of its program lie on a tmpfs here, and count as dirty.
    anon_kib: u64,
    dirty_kib: u64,
    fds: u64,
    threads: u64,
    cpu_s: f64,
    /// Given to `write`, sockets' and pipes' bytes included.
    written: u64,
}

/// From one start to the next.
#[derive(Debug)]
struct Life {
    id: String,
    began_h: f64,
    rss: Vec<Point>,
    anon: Vec<Point>,
    dirty: Vec<Point>,
    fds: Vec<Point>,
    last: Reading,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Process {
    host: usize,
    unit: &'static str,
    lives: Vec<Life>,
}

impl Process {
    /// The main process of a unit.
    pub(super) fn of(host: usize, unit: &'static str) -> Self {
        Self { host, unit, lives: Vec::new() }
    }

    pub(super) fn name(&self) -> String {
        format!("h{} {}", self.host, self.unit)
    }

    /// Looks at it now, `now_h` hours after the begin; what is to be printed. Nothing where it has no process at the moment.
    pub(super) fn look(&mut self, world: &World, now_h: f64) -> Value {
        let host = world.host(self.host);
        let said = host.run(&["systemctl", "show", self.unit, "-p", "MainPID,InvocationID"]).0;
        let property = |name: &str| said.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
        let (pid, id) = (property("MainPID="), property("InvocationID="));
        let Some(reading) = Reading::of(&host.path(&format!("/proc/{pid}"))) else {
            return json!({ "name": self.name(), "away": true });
        };
        if self.lives.last().is_none_or(|life| life.id != id) {
            self.lives.push(Life::new(id, now_h));
        }
        let count = self.lives.len();
        let life = self.lives.last_mut().expect("there is one by now");
        life.add(now_h, reading);
        json!({
            "name": self.name(), "life": count, "rss_kib": reading.rss_kib, "anon_kib": reading.anon_kib, "private_dirty_kib": reading.dirty_kib, "fds": reading.fds,
            "threads": reading.threads, "cpu_s": reading.cpu_s, "written": reading.written,
        })
    }

    /// How fast it grows, what a life's start until `warm_h` hours is left out of, and where it stands.
    pub(super) fn figures(&self, warm_h: f64) -> Value {
        let slope = |points: fn(&Life) -> &[Point]| {
            slope::per_hour(self.lives.iter().map(points), warm_h)
                .map(|slope| (slope * 100.0).round() / 100.0)
        };
        let last = self.lives.last().map(|life| life.last).unwrap_or_default();
        let sum = |part: fn(&Reading) -> f64| self.lives.iter().map(|life| part(&life.last)).sum::<f64>();
        json!({
            "name": self.name(), "lives": self.lives.len(), "rss_kib_per_hour": slope(|life| &life.rss),
            "anon_kib_per_hour": slope(|life| &life.anon), "private_dirty_kib_per_hour": slope(|life| &life.dirty), "fds_per_hour": slope(|life| &life.fds),
            "rss_kib": last.rss_kib, "anon_kib": last.anon_kib, "fds": last.fds, "threads": last.threads,
            "cpu_s": sum(|last| last.cpu_s).round(), "written": sum(|last| last.written as f64),
        })
    }
}

impl Life {
    fn new(id: &str, began_h: f64) -> Self {
        let (rss, anon, dirty, fds) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Self { id: id.to_owned(), began_h, rss, anon, dirty, fds, last: Reading::default() }
    }

    fn add(&mut self, now_h: f64, reading: Reading) {
        let at = now_h - self.began_h;
        self.rss.push((at, reading.rss_kib as f64));
        self.anon.push((at, reading.anon_kib as f64));
        self.dirty.push((at, reading.dirty_kib as f64));
        self.fds.push((at, reading.fds as f64));
        self.last = reading;
    }
}

impl Reading {
    /// Of a process that has this folder; none where it is gone.
    fn of(folder: &std::path::Path) -> Option<Self> {
        let text = |name: &str| fs::read_to_string(folder.join(name)).ok();
        let (status, smaps, io) = (text("status")?, text("smaps_rollup")?, text("io")?);
        Some(Self {
            rss_kib: number(&status, "VmRSS:")?,
            anon_kib: number(&status, "RssAnon:")?,
            dirty_kib: number(&smaps, "Private_Dirty:")?,
            fds: fs::read_dir(folder.join("fd")).ok()?.count() as u64,
            threads: number(&status, "Threads:")?,
            cpu_s: cpu(&text("stat")?)?,
            written: number(&io, "wchar:")?,
        })
    }
}

/// User and system time of `stat`, whose second field may have spaces; a tick is 10 ms wherever Linux runs.
fn cpu(stat: &str) -> Option<f64> {
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<u32>().ok();
    Some(f64::from(ticks()? + ticks()?) / 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_read_as_the_kernel_shows_it() {
        let own = Reading::of("/proc/self".as_ref()).expect("it is there");
        assert!(
            own.rss_kib > 100 && own.anon_kib > 10 && own.dirty_kib > 10 && own.fds > 2 && own.threads > 0,
            "{own:?}"
        );
        assert!(Reading::of("/proc/0".as_ref()).is_none());
        let stat = "7 (a) b) S 1 1 1 0 -1 4194560 1 0 0 0 150 50 0 0 20 0";
        assert_eq!(cpu(stat), Some(2.0));
    }
}

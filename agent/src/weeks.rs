//! The file `STATE/weeks`: what the levels of checks were at each hour of the last week, for those that `unusual` holds against it.
//!
//! The core says when, once an hour at most; a thread of the runtime's pool writes it, 0.8 KB a check. A level's past is known by
//! its check's name and by what that looks at, in the words that `status` has for it: what was given another page begins
//! anew. A file that can't be read or written costs what was learned, and is no reason not to start.

use crate::config::Check;
use crate::keep::fitted;
use crate::local::written_here;
use crate::sealed;
use picket_agent_core::Agent;
use picket_agent_core::check::CheckIx;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

const MAGIC: &[u8; 8] = b"PKTWEEK1";

/// Who keeps it.
pub(crate) struct Weeks {
    path: PathBuf,
    /// Bytes that the disk got and nobody counted yet; shared with the write that is under way.
    written: Arc<AtomicU64>,
}

impl Weeks {
    /// Gives the agent back what an earlier run kept; before its first input.
    pub(crate) fn open(folder: &Path, checks: &[Check], agent: &mut Agent<'_>) -> Self {
        let path = folder.join("weeks");
        match sealed::read(&path, MAGIC)
            .map(|kept| (agent.restore_weeks(&|at| mark(checks, at), &kept), kept))
        {
            Ok((Some(checks), _)) => tracing::info!(checks, "what is usual is known"),
            Ok((None, kept)) if kept.is_empty() => {}
            Ok((None, _)) => tracing::warn!(path = %path.display(), "another version's: learned anew"),
            Err(error) => tracing::warn!(path = %path.display(), %error, "damaged: learned anew"),
        }
        Self { path, written: Arc::default() }
    }

    /// Keeps what is known now, unless the write of an hour ago still waits for the disk.
    pub(crate) fn keep(&self, checks: &[Check], agent: &Agent<'_>) {
        if Arc::strong_count(&self.written) > 1 {
            return;
        }
        let (bytes, _) = fitted(|out| (agent.keep_weeks(&|at| mark(checks, at), out), 0));
        let (path, written) = (self.path.clone(), Arc::clone(&self.written));
        drop(tokio::task::spawn_blocking(move || {
            let before = written_here();
            if let Err(error) = sealed::write(&path, MAGIC, &bytes) {
                tracing::warn!(path = %path.display(), %error, "what is usual will not outlive this run");
            }
            written.fetch_add(written_here().saturating_sub(before), Ordering::Relaxed);
        }));
    }

    /// Bytes that the disk got since the last call.
    pub(crate) fn written(&self) -> u64 {
        self.written.swap(0, Ordering::Relaxed)
    }
}

/// What a check looks at, as a number.
fn mark(checks: &[Check], at: CheckIx) -> u32 {
    checks.get(usize::from(at)).map_or(0, |check| sealed::sum(check.target().as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;
    use picket_agent_core::{Identity, Input, KEEP_MAX, Storage, check, spool};
    use picket_proto::{BootId, Mono, Now, Raw, Run, Text, Wall};

    const FILE: &str = "[host]\ninterval = \"1m\"\ncpu = { unusual = \"30m\" }\n";

    /// A minute's readings of every check, for so many minutes of 2026, with what is in the folder; the bytes to keep.
    fn live(folder: &Path, file: &str, minutes: u64) -> Vec<u8> {
        let config = config::parse(Path::new("/etc/picket/agent.toml"), file).unwrap();
        let mut slots: Vec<_> = config.checks().iter().map(|it| check::Slot::new(it.spec.clone())).collect();
        let (mut usuals, mut ring) = (vec![check::Usual::FREE; check::USUALS], vec![0; 64 * 1024]);
        let mut index = vec![spool::Entry::default(); 1024];
        let storage = Storage {
            checks: &mut slots,
            trends: &mut [],
            usuals: &mut usuals,
            services: &mut [],
            ring: &mut ring,
            index: &mut index,
            baseline: Default::default(),
            disk: spool::Lent::none(),
        };
        let identity = Identity { run: Run(1), boot: BootId(1), previous: None, version: Text::new("test") };
        let mut agent = Agent::new(1, identity, storage);
        let _kept = Weeks::open(folder, config.checks(), &mut agent);
        agent.clock_synced(true);
        for minute in 0..minutes {
            let mono = 60_000_000 * (minute + 1);
            let wall = Wall::from_micros(1_772_409_600_000_000 + mono.cast_signed());
            let now = Now { mono: Mono::from_micros(mono), raw: Raw::from_micros(mono), wall };
            agent.handle(now, Input::Time);
            let effects: Vec<_> = std::iter::from_fn(|| agent.poll()).collect();
            for effect in effects {
                if let picket_agent_core::Effect::Probe(probe) = effect {
                    let fact = check::Fact::new(probe.check, check::Reading::Level(7));
                    agent.handle(now, Input::Check(fact));
                }
            }
        }
        let mut bytes = vec![0; KEEP_MAX];
        let used = agent.keep_weeks(&|at| mark(config.checks(), at), &mut bytes);
        bytes.truncate(used);
        bytes
    }

    #[test]
    fn what_was_kept_is_known_to_the_next_run_unless_it_is_damaged_or_of_something_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("weeks");
        let kept = live(folder.path(), FILE, 200);
        assert!((690..760).contains(&kept.len()), "{} bytes", kept.len());
        sealed::write(&path, MAGIC, &kept).unwrap();
        assert_eq!(live(folder.path(), FILE, 0), kept);
        let none = "[host]\ncpu = { degraded = 80 }\nload = { unusual = \"30m\" }\n";
        assert_eq!(live(folder.path(), none, 0).len(), 1, "a version and no check");
        let cut = &std::fs::read(&path).unwrap()[..kept.len() - 1];
        std::fs::write(&path, cut).unwrap();
        assert_eq!(live(folder.path(), FILE, 0).len(), 1);
    }
}

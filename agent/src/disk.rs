//! The spool's disk: one thread that does what the core orders, an order at a time, and says what came of it.
//!
//! A file system can hang for ever, so no file of the spool is touched on the loop. The thread is bounded by its
//! orders: the core has one out at most, so both channels never fill (8 answers may belong to one Open; the thread
//! waits for the loop). It has 128 KiB of stack and at most 100 KiB of buffers while it reads.
//!
//! `STATE/spool` holds `NNNNNNNN.seg` (segments, see `segment.rs`), `runs.0` and `runs.1` (what is known of runs, see
//! `slots.rs`) and at most 4 `.bad` files (see `store.rs`). What is written to the disk is measured as the kernel
//! counts it for this thread; the process' own sum is of no use, since it takes over that of every reaped service.

mod files;
mod segment;
mod slots;
pub(crate) mod store;

pub(crate) use files::Folder;

use crate::config;
use picket_agent_core::spool::{self, Fact, Order, SegmentId, Shape, Trouble};
use picket_proto::frame::Class;
use picket_proto::{Run, Seq};
use std::io;
use std::sync::mpsc as threads;
use store::Store;
use tokio::sync::mpsc;

const STACK: usize = 128 * 1024;
/// Answers on their way.
const ANSWERS: usize = 8;

/// Runs that are kept: after so many starts without a collector the one that said least is given up.
const RUNS: usize = 64;

/// The memory that the core is lent for the disk. Of its pages only those in use are ever touched.
pub(crate) struct Memory {
    parts: Vec<spool::Part>,
    runs: Vec<spool::Past>,
    pages: Vec<u8>,
    limits: config::Spool,
}

impl Memory {
    /// For a disk of these limits; these runs before the last one have left something, newest first.
    pub(crate) fn new(limits: config::Spool, claims: &[(Run, Seq)]) -> Self {
        let segments = usize::try_from(limits.bytes / segment::LEN).unwrap_or(usize::MAX);
        // Two places stay free: for the last run, and for one that only its segments tell of.
        let claimed = claims.iter().take(RUNS - 2).rev();
        let mut runs: Vec<_> = claimed.map(|(run, made)| spool::Past::claimed(*run, *made)).collect();
        runs.resize(RUNS, spool::Past::default());
        Self {
            parts: vec![spool::Part::default(); (4 * segments).min(segments + 4 * RUNS)],
            runs,
            pages: vec![0; 2 * spool::PAGE],
            limits,
        }
    }

    pub(crate) fn lend(&mut self) -> spool::Lent<'_> {
        spool::Lent {
            parts: &mut self.parts,
            runs: &mut self.runs,
            pages: &mut self.pages,
            segments: u32::try_from(self.limits.bytes / segment::LEN).unwrap_or(u32::MAX),
            budget: self.limits.flash_budget,
        }
    }
}

/// What came from the disk.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Told {
    Kept { bytes: Vec<u8> },
    Found { segment: SegmentId, class: Class, shape: Shape, run: Run, first: Seq, last: Seq, frames: u32 },
    Opened { damaged: u32 },
    Done { flash: u64 },
    Page { bytes: Vec<u8>, damaged: u32 },
    Failed { trouble: Trouble },
}

impl Told {
    /// The fact that the core takes.
    pub(crate) fn as_fact(&self) -> Fact<'_> {
        match self {
            Self::Kept { bytes } => Fact::Kept { bytes },
            Self::Found { segment, class, shape, run, first, last, frames } => Fact::Found {
                segment: *segment,
                class: *class,
                shape: *shape,
                run: *run,
                first: *first,
                last: *last,
                frames: *frames,
            },
            Self::Opened { damaged } => Fact::Opened { damaged: *damaged },
            Self::Done { flash } => Fact::Done { flash: *flash },
            Self::Page { bytes, damaged } => Fact::Page { bytes, damaged: *damaged },
            Self::Failed { trouble } => Fact::Failed { trouble: *trouble },
        }
    }
}

/// The thread's end of the loop.
pub(crate) struct Disk {
    orders: threads::SyncSender<(Order, Vec<u8>)>,
}

impl Disk {
    /// Starts the thread, which touches nothing before its first order.
    ///
    /// # Errors
    /// The kernel gives no thread.
    pub(crate) fn new(folder: Folder) -> io::Result<(Self, mpsc::Receiver<Told>)> {
        let (orders, ordered) = threads::sync_channel::<(Order, Vec<u8>)>(1);
        let (tell, told) = mpsc::channel(ANSWERS);
        std::thread::Builder::new().name("spool".to_owned()).stack_size(STACK).spawn(move || {
            let mut store = Store::new(folder);
            while let Ok((order, bytes)) = ordered.recv() {
                store.obey(order, &bytes, &mut |answer| {
                    let _loop_is_ending_when_nobody_listens = tell.blocking_send(answer);
                });
            }
        })?;
        Ok((Self { orders }, told))
    }

    /// Takes one order; `bytes` are those of a Write or Keep.
    pub(crate) fn obey(&self, order: Order, bytes: &[u8]) {
        // The core has one order out, so there is a place. Without the thread it waits for an answer and says so.
        let _thread_is_gone = self.orders.try_send((order, bytes.to_vec()));
    }
}

/// Why it failed, in the core's words.
fn trouble_of(error: &io::Error) -> Trouble {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Trouble::Full,
        io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => Trouble::ReadOnly,
        _ => Trouble::Broken,
    }
}

/// The code and what to say when the spool changes between disk and memory.
pub(crate) const fn words(mode: spool::Mode) -> Option<(&'static str, &'static str)> {
    match mode {
        spool::Mode::Opening => None,
        spool::Mode::Disk => Some(("spool-disk", "events that wait for the collector are kept on disk")),
        spool::Mode::Ram(trouble) => Some(match trouble {
            Trouble::Absent => ("spool-ram", "events are kept in memory only: there is no disk for them"),
            Trouble::Full => {
                ("spool-full", "events are kept in memory: the file system of the state folder is full")
            }
            Trouble::ReadOnly => {
                ("spool-ram", "events are kept in memory only: the state folder can't be written")
            }
            Trouble::Broken => {
                ("spool-ram", "events are kept in memory only: the disk of the state folder fails")
            }
            Trouble::Silent => ("spool-ram", "events are kept in memory only: the disk does not answer"),
        }),
    }
}

//! A file system in memory that forgets what was not synced when its power is cut, and fails when it is told to.

use super::Dice;
use crate::disk::files::Files;
use crate::disk::segment::HEAD;
use picket_agent_core::spool::SegmentId;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io;
use std::rc::Rc;

/// What a disk writes at once.
const SECTOR: usize = 512;

/// What goes wrong while it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    Nothing,
    /// From the so-manieth new file on there is no room.
    Full(usize),
    /// The so-manieth sync fails, and what it should have written is gone.
    Sync(usize),
    /// After so many writes nothing works any more: the power is about to go.
    Dead(usize),
    ReadOnly,
}

impl Fault {
    pub(super) fn by(story: usize, dice: &mut Dice) -> Self {
        match story % 5 {
            0 => Self::Nothing,
            1 => Self::Full(dice.below(4)),
            2 => Self::Sync(dice.below(12)),
            3 => Self::Dead(dice.below(16)),
            _ if dice.below(8) == 0 => Self::ReadOnly,
            _ => Self::Nothing,
        }
    }
}

/// What was done to the files while the power was off.
#[derive(Debug, Clone, Copy)]
pub(super) enum Spoiled {
    Nothing,
    Segment(SegmentId),
}

impl Spoiled {
    pub(super) fn touches(self, segment: SegmentId) -> bool {
        matches!(self, Self::Segment(spoiled) if spoiled == segment)
    }
}

#[derive(Default, Clone)]
struct Inode {
    durable: Vec<u8>,
    cached: Vec<u8>,
    pending: Vec<(usize, Vec<u8>)>,
}

#[derive(Default, Clone)]
struct Disk {
    inodes: Vec<Inode>,
    names: BTreeMap<String, usize>,
    durable_names: BTreeMap<String, usize>,
    fault: Option<Fault>,
    written: usize,
    counts: [usize; 3],
}

/// The file system; clones are the same one.
#[derive(Clone)]
pub(super) struct Platter(Rc<RefCell<Disk>>);

impl Platter {
    pub(super) fn new() -> Self {
        Self(Rc::default())
    }

    pub(super) fn fail(&self, fault: Fault, _dice: &mut Dice) {
        let mut disk = self.0.borrow_mut();
        (disk.fault, disk.counts) = (Some(fault), [0; 3]);
    }

    /// What was not synced is there by sectors, or not; what was created or removed as well.
    pub(super) fn cut_power(&self, dice: &mut Dice) {
        let mut disk = self.0.borrow_mut();
        disk.fault = None;
        for inode in &mut disk.inodes {
            for (at, bytes) in std::mem::take(&mut inode.pending) {
                for (start, sector) in (at..).step_by(SECTOR).zip(bytes.chunks(SECTOR)) {
                    if dice.below(3) > 0 {
                        put(&mut inode.durable, start, sector);
                    }
                }
            }
            inode.cached.clone_from(&inode.durable);
        }
        if dice.below(2) == 0 {
            disk.names = disk.durable_names.clone();
        }
        disk.durable_names = disk.names.clone();
    }

    /// Spoils one file by the story's way.
    pub(super) fn spoil(&self, story: usize, dice: &mut Dice) -> Spoiled {
        let mut disk = self.0.borrow_mut();
        let names: Vec<String> = disk.names.keys().filter(|name| name.ends_with(".seg")).cloned().collect();
        if names.is_empty() {
            return Spoiled::Nothing;
        }
        let name = &names[dice.below(names.len())];
        let segment = SegmentId::from_str_radix(&name[..8], 16).expect("the store names them");
        let inode = disk.names[name];
        let bytes = &mut disk.inodes[inode].cached;
        let used = bytes.iter().rposition(|byte| *byte != 0).unwrap_or(HEAD);
        match story % 7 {
            0 | 1 => return Spoiled::Nothing,
            2 => bytes.truncate(dice.below(used + 1)),
            3 => {
                let at = dice.below(used.max(1));
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << dice.below(8);
                }
            }
            4 => {
                let page = dice.below(used / 4096 + 1) * 4096;
                let end = (page + 4096).min(bytes.len());
                bytes[page.min(end)..end].fill(0);
            }
            5 => {
                disk.names.remove(name);
            }
            _ => bytes.fill_with(|| dice.below(256) as u8),
        }
        Spoiled::Segment(segment)
    }

    /// A copy in which one file ends early.
    pub(super) fn cut_off(&self, name: &str, len: usize) -> Self {
        self.changed(name, |bytes| bytes.truncate(len))
    }

    /// A copy in which one bit of a file is another.
    pub(super) fn flipped(&self, name: &str, at: usize) -> Self {
        self.changed(name, |bytes| bytes[at] ^= 4)
    }

    fn changed(&self, name: &str, change: impl FnOnce(&mut Vec<u8>)) -> Self {
        let mut disk = self.0.borrow().clone();
        let inode = disk.names[name];
        change(&mut disk.inodes[inode].cached);
        Self(Rc::new(RefCell::new(disk)))
    }

    pub(super) fn bad(&self) -> usize {
        self.0.borrow().names.keys().filter(|name| name.ends_with(".bad")).count()
    }

    pub(super) fn written_bytes(&self) -> usize {
        self.0.borrow().written
    }
}

impl Disk {
    /// Counts an attempt of a kind and fails it if its time has come.
    fn may(&mut self, kind: usize) -> io::Result<()> {
        let nth = self.counts[kind];
        self.counts[kind] += 1;
        match (self.fault, kind) {
            (Some(Fault::ReadOnly), _) => Err(io::ErrorKind::ReadOnlyFilesystem.into()),
            (Some(Fault::Full(from)), CREATE) if nth >= from => Err(io::ErrorKind::StorageFull.into()),
            (Some(Fault::Sync(at)), SYNC) if nth == at => Err(io::Error::from_raw_os_error(libc::EIO)),
            (Some(Fault::Dead(from)), WRITE | SYNC) if nth >= from => {
                Err(io::Error::from_raw_os_error(libc::EIO))
            }
            _ => Ok(()),
        }
    }
}

const CREATE: usize = 0;
const WRITE: usize = 1;
const SYNC: usize = 2;

fn put(bytes: &mut Vec<u8>, at: usize, new: &[u8]) {
    if bytes.len() < at + new.len() {
        bytes.resize(at + new.len(), 0);
    }
    bytes[at..at + new.len()].copy_from_slice(new);
}

impl Files for Platter {
    type File = usize;

    fn list(&mut self) -> io::Result<Vec<String>> {
        Ok(self.0.borrow().names.keys().cloned().collect())
    }

    fn create(&mut self, name: &str) -> io::Result<usize> {
        let mut disk = self.0.borrow_mut();
        disk.may(CREATE)?;
        if disk.names.contains_key(name) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        disk.inodes.push(Inode::default());
        let inode = disk.inodes.len() - 1;
        disk.names.insert(name.to_owned(), inode);
        Ok(inode)
    }

    fn open(&mut self, name: &str) -> io::Result<usize> {
        self.0.borrow().names.get(name).copied().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn reserve(&mut self, file: &usize, keep: u64, len: u64) -> io::Result<()> {
        let mut disk = self.0.borrow_mut();
        disk.may(WRITE)?;
        let inode = &mut disk.inodes[*file];
        inode.pending.retain(|(at, _)| *at < keep as usize);
        for bytes in [&mut inode.durable, &mut inode.cached] {
            bytes.truncate(keep as usize);
            bytes.resize(len as usize, 0);
        }
        Ok(())
    }

    fn read(&mut self, file: &usize, at: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let disk = self.0.borrow();
        let rest = disk.inodes[*file].cached.get(at as usize..).unwrap_or_default();
        let len = rest.len().min(buffer.len());
        buffer[..len].copy_from_slice(&rest[..len]);
        Ok(len)
    }

    fn write(&mut self, file: &usize, at: u64, bytes: &[u8]) -> io::Result<()> {
        let mut disk = self.0.borrow_mut();
        disk.may(WRITE)?;
        disk.written += bytes.len();
        let inode = &mut disk.inodes[*file];
        put(&mut inode.cached, at as usize, bytes);
        inode.pending.push((at as usize, bytes.to_vec()));
        Ok(())
    }

    fn sync(&mut self, file: &usize) -> io::Result<()> {
        let mut disk = self.0.borrow_mut();
        let failed = disk.may(SYNC);
        let inode = &mut disk.inodes[*file];
        let pending = std::mem::take(&mut inode.pending);
        // As on Linux: after a failed sync the pages count as clean, and what they held is gone.
        if failed.is_ok() {
            for (at, bytes) in pending {
                put(&mut inode.durable, at, &bytes);
            }
        }
        failed
    }

    fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        let mut disk = self.0.borrow_mut();
        let inode = disk.names.remove(from).ok_or(io::ErrorKind::NotFound)?;
        disk.names.insert(to.to_owned(), inode);
        Ok(())
    }

    fn remove(&mut self, name: &str) -> io::Result<()> {
        let removed = self.0.borrow_mut().names.remove(name);
        removed.map(|_| ()).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn sync_folder(&mut self) -> io::Result<()> {
        let mut disk = self.0.borrow_mut();
        disk.durable_names = disk.names.clone();
        Ok(())
    }

    fn written(&mut self) -> Option<u64> {
        None
    }
}

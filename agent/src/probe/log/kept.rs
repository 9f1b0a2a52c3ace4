//! What outlives a restart: how far a log was read, one line in a file of its own, `STATE/logs/HASH`.
//!
//! Written in place, 512 bytes with their checksum, and never synced: the page cache outlives a killed agent, and the
//! kernel writes the one page at its own pace. It is written when lines were counted, when another file is read, or 4
//! MiB after the last time: what is read again after a kill then holds no line that was counted. After a power cut it
//! may be older, and lines count again. One that is torn counts as none.

use picket_proto::frame::Crc32c;
use std::fs::{self, OpenOptions};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// A journal's cursor has some 180 bytes.
const LENGTH: usize = 512;

/// The folder of all of them.
#[derive(Debug)]
pub(in crate::probe) struct Folder(PathBuf);

impl Folder {
    pub(super) fn below(state: &Path) -> Self {
        Self(state.join("logs"))
    }

    /// For one key: a check's name with its source, so that another source is a first start.
    pub(super) fn of(&self, key: &str) -> Kept {
        Kept(self.0.join(file_name(key)))
    }

    /// Removes what checks left that are no more.
    pub(super) fn forget_all_but(&self, keys: &[String]) {
        let known: Vec<String> = keys.iter().map(|key| file_name(key)).collect();
        for entry in fs::read_dir(&self.0).into_iter().flatten().flatten() {
            if !known.iter().any(|name| entry.file_name() == name.as_str()) {
                let _it_is_in_nobodys_way = fs::remove_file(entry.path());
            }
        }
    }
}

/// Keys may have any characters: FNV-1a of it.
fn file_name(key: &str) -> String {
    let hash = key.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("{hash:016x}")
}

/// One line.
#[derive(Debug, Clone)]
pub(in crate::probe) struct Kept(PathBuf);

impl Kept {
    pub(super) fn load(&self) -> Option<String> {
        let text = fs::read_to_string(&self.0).ok()?;
        let (line, crc) = text.trim_end().rsplit_once(' ')?;
        (crc == checksum(line)).then(|| line.to_owned())
    }

    /// Where it can't be written, the next start begins as a first one does.
    pub(super) fn save(&self, line: &str) {
        let whole = format!("{line} {}", checksum(line));
        let bytes = format!("{whole:<width$}\n", width = LENGTH - 1);
        let open = || OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&self.0);
        let file = open().or_else(|_| {
            crate::identity::make_private_folder(self.0.parent().unwrap_or(&self.0))?;
            open()
        });
        let _told_as_a_first_start = file.and_then(|file| file.write_all_at(bytes.as_bytes(), 0));
    }
}

fn checksum(line: &str) -> String {
    let mut crc = Crc32c::new();
    crc.add(line.as_bytes());
    format!("{:08x}", crc.value())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_found_and_what_is_torn_is_not_and_of_others_nothing_stays() {
        let state = tempfile::tempdir().unwrap();
        let folder = Folder::below(state.path());
        let keys = ["app /var/log/a b".to_owned(), "other".to_owned()];
        let (one, other) = (folder.of(&keys[0]), folder.of(&keys[1]));
        assert_eq!(one.load(), None);
        for line in ["7 8 9", "a much longer one; s=1;t=2", "7"] {
            one.save(line);
            other.save(line);
            assert_eq!(one.load().as_deref(), Some(line));
        }
        folder.forget_all_but(&keys[..1]);
        assert_eq!((one.load().as_deref(), other.load()), (Some("7"), None));
        let mut bytes = fs::read(&one.0).unwrap();
        bytes[0] ^= 1;
        fs::write(&one.0, bytes).unwrap();
        assert_eq!(one.load(), None);
    }
}

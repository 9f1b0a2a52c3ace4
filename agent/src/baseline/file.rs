//! The file `STATE/baseline`: what the core learned of this host. Written beside and put in its place, so that a power
//! cut leaves the old one or the new one; a checksum tells whether it is whole. A damaged one is told, and the host is
//! learned anew.

use picket_proto::frame::Crc32c;
use std::io;
use std::path::Path;

const MAGIC: &[u8; 8] = b"PKTBASE1";
const NAME: &str = "baseline";
const HEAD: usize = 12;

/// What was kept; an empty one where there is none.
///
/// # Errors
/// It can't be read, or is damaged.
pub(super) fn read(folder: &Path) -> io::Result<Vec<u8>> {
    let bytes = match std::fs::read(folder.join(NAME)) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let (head, body) = bytes.split_at_checked(HEAD).ok_or(io::ErrorKind::InvalidData)?;
    let mut crc = Crc32c::new();
    crc.add(body);
    let is_whole = head[..8] == *MAGIC && head[8..] == crc.value().to_le_bytes();
    if is_whole { Ok(body.to_vec()) } else { Err(io::ErrorKind::InvalidData.into()) }
}

/// Puts it in the place of the old one.
///
/// # Errors
/// The disk does not take it; the old one stays.
pub(super) fn write(folder: &Path, body: &[u8]) -> io::Result<()> {
    let mut crc = Crc32c::new();
    crc.add(body);
    let bytes = [&MAGIC[..], &crc.value().to_le_bytes(), body].concat();
    crate::whole::replace(&folder.join(NAME), &bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_kept_is_read_and_any_flipped_bit_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(read(folder.path()).unwrap(), b"");
        write(folder.path(), b"first, and longer").unwrap();
        write(folder.path(), b"second").unwrap();
        assert_eq!(read(folder.path()).unwrap(), b"second");
        let whole = std::fs::read(folder.path().join(NAME)).unwrap();
        for bit in 0..whole.len() * 8 {
            let mut bytes = whole.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            std::fs::write(folder.path().join(NAME), bytes).unwrap();
            assert!(read(folder.path()).is_err(), "bit {bit}");
        }
    }
}

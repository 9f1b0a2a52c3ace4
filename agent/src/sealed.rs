//! Small files of the state folder with a checksum: what the core learned of this host. Written beside and put in their place, so
//! that a power cut leaves the old one or the new one; the checksum tells whether it is whole. A damaged one is told by who
//! reads it, and learned anew.

use picket_proto::frame::Crc32c;
use std::io;
use std::path::Path;

const HEAD: usize = 12;

/// What was kept; an empty one where there is none.
///
/// # Errors
/// It can't be read, or is damaged.
pub(crate) fn read(path: &Path, magic: &[u8; 8]) -> io::Result<Vec<u8>> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let (head, body) = bytes.split_at_checked(HEAD).ok_or(io::ErrorKind::InvalidData)?;
    let is_whole = head[..8] == *magic && head[8..] == sum(body).to_le_bytes();
    if is_whole { Ok(body.to_vec()) } else { Err(io::ErrorKind::InvalidData.into()) }
}

/// Puts it in the place of the old one.
///
/// # Errors
/// The disk does not take it; the old one stays.
pub(crate) fn write(path: &Path, magic: &[u8; 8], body: &[u8]) -> io::Result<()> {
    crate::whole::replace(path, &[&magic[..], &sum(body).to_le_bytes(), body].concat())
}

/// The checksum of some bytes.
pub(crate) fn sum(body: &[u8]) -> u32 {
    let mut crc = Crc32c::new();
    crc.add(body);
    crc.value()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_kept_is_read_and_any_flipped_bit_is_noticed() {
        let (folder, magic) = (tempfile::tempdir().unwrap(), b"PKTTEST1");
        let path = folder.path().join("it");
        assert_eq!(read(&path, magic).unwrap(), b"");
        write(&path, magic, b"first, and longer").unwrap();
        write(&path, magic, b"second").unwrap();
        assert_eq!(read(&path, magic).unwrap(), b"second");
        assert!(read(&path, b"PKTTEST2").is_err());
        let whole = std::fs::read(&path).unwrap();
        for bit in 0..whole.len() * 8 {
            let mut bytes = whole.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            std::fs::write(&path, bytes).unwrap();
            assert!(read(&path, magic).is_err(), "bit {bit}");
        }
    }
}

//! What is known of runs, in two files that are written in turn: one of them is always whole.
//!
//! Layout, little endian: `PKRUNS01`, u64 turn, u32 length, the core's bytes, crc32c over all before. The whole one of
//! the higher turn counts. Losing both costs resending, nothing else.

use super::files::Files;
use super::segment::{is_sealed, long, seal, short};
use std::io;

const MAGIC: &[u8; 8] = b"PKRUNS01";
const HEAD: usize = 20;
/// Longest file: a page of the core, and what stands around it.
const MOST: usize = picket_agent_core::spool::PAGE + HEAD + 4;
const NAMES: [&str; 2] = ["runs.0", "runs.1"];

/// The turn that was written last.
#[derive(Debug, Default)]
pub(super) struct Slots {
    turn: u64,
}

impl Slots {
    /// What was kept last, if anything is whole.
    pub(super) fn read<F: Files>(&mut self, files: &mut F) -> Option<Vec<u8>> {
        let newest = NAMES.iter().filter_map(|name| slot(files, name)).max_by_key(|(turn, _)| *turn);
        let (turn, bytes) = newest?;
        self.turn = turn;
        Some(bytes)
    }

    /// Writes the other one.
    ///
    /// # Errors
    /// It can't be written; the one before is whole.
    pub(super) fn write<F: Files>(&mut self, files: &mut F, bytes: &[u8]) -> io::Result<()> {
        let turn = self.turn + 1;
        let name = NAMES[usize::from(turn.is_multiple_of(2))];
        let (file, is_new) = match files.open(name) {
            Ok(file) => (file, false),
            Err(_) => (files.create(name)?, true),
        };
        let mut whole = MAGIC.to_vec();
        whole.extend_from_slice(&turn.to_le_bytes());
        whole.extend_from_slice(&u32::try_from(bytes.len()).unwrap_or(0).to_le_bytes());
        whole.extend_from_slice(bytes);
        whole.extend_from_slice(&[0; 4]);
        seal(&mut whole);
        files.write(&file, 0, &whole)?;
        files.sync(&file)?;
        if is_new {
            files.sync_folder()?;
        }
        self.turn = turn;
        Ok(())
    }
}

fn slot<F: Files>(files: &mut F, name: &str) -> Option<(u64, Vec<u8>)> {
    let file = files.open(name).ok()?;
    let mut bytes = vec![0; MOST];
    let len = files.read(&file, 0, &mut bytes).ok()?;
    let inner = short(&bytes, 16) as usize;
    let whole = bytes.get(..(HEAD + inner + 4).min(len))?;
    (whole.len() == HEAD + inner + 4 && is_sealed(whole, MAGIC))
        .then(|| (long(whole, 8), whole[HEAD..HEAD + inner].to_vec()))
}

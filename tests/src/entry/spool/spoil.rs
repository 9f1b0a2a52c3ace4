//! Files of a spool that were spoiled, and files that no agent wrote.

use super::files::name_of;
use crate::entry::cursor::Cursor;
use crate::entry::said;
use picket_proto::frame::Crc32c;
use picket_proto::{Run, Seq};
use std::fs;
use std::path::Path;

/// Spoils files of the spool; the names of those that it changed.
pub(super) fn spoil(state: &Path, cursor: &mut Cursor<'_>) -> Vec<String> {
    let mut touched = Vec::new();
    let folder = state.join("spool");
    for name in names(&folder) {
        if cursor.below(3) > 0 {
            continue;
        }
        let path = folder.join(&name);
        let mut bytes = fs::read(&path).expect("it is there");
        match cursor.below(8) {
            0 => fs::remove_file(&path).expect("it is there"),
            1 => fs::write(&path, &bytes[..cursor.number() as usize % (bytes.len() + 1)]).expect("room"),
            _ => {
                // Most of a segment is zeros behind its frames: the places of most changes lie before those.
                let zeros = bytes.iter().rev().skip(512).take_while(|byte| **byte == 0).count();
                let tail = bytes.split_off(bytes.len().saturating_sub(zeros + 512));
                cursor.spoil(&mut bytes);
                if cursor.below(4) > 0 {
                    bytes.extend(tail);
                }
                fs::write(&path, &bytes).expect("room");
            }
        }
        touched.push(name);
    }
    touched
}

fn names(folder: &Path) -> Vec<String> {
    let found = fs::read_dir(folder).into_iter().flatten();
    let mut names: Vec<String> =
        found.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    names.sort();
    names
}

/// A segment with nothing but these bytes, under the name of the first.
pub(super) fn alone(state: &Path, bytes: &[u8]) {
    let folder = state.join("spool");
    fs::create_dir_all(&folder).expect("room");
    fs::write(folder.join(name_of(1)), bytes).expect("room");
}

/// A file that no agent wrote: any bytes under any name, or a segment whose header and summary have right checksums
/// and say anything.
pub(super) fn alien(state: &Path, cursor: &mut Cursor<'_>) {
    let folder = state.join("spool");
    fs::create_dir_all(&folder).expect("room");
    let name = match cursor.below(4) {
        0 => "runs.0".to_owned(),
        1 => "runs.1".to_owned(),
        _ => name_of(cursor.half()),
    };
    let bytes = if cursor.flag() { cursor.some(16).to_vec() } else { segment(cursor) };
    fs::write(folder.join(name), bytes).expect("room");
}

fn segment(cursor: &mut Cursor<'_>) -> Vec<u8> {
    let mut head = b"PKSEG001".to_vec();
    head.extend(cursor.half().to_le_bytes());
    head.push(cursor.below(4) as u8);
    head.resize(60, 0);
    let mut bytes = sealed(head);
    for seq in 0..cursor.below(20) as u64 {
        let run = Run(cursor.number() % 16);
        let seq = if cursor.flag() { Seq(seq + 1) } else { Seq(cursor.number().max(1)) };
        bytes.extend(said::frame(cursor, run, seq));
        bytes.extend(cursor.below(8).checked_sub(6).map_or(&[][..], |_| cursor.some(1)));
    }
    if cursor.flag() {
        bytes.resize(256 * 1024 - 512, 0);
        let mut summary = b"PKSUM001".to_vec();
        let count = cursor.below(10);
        summary.extend(cursor.half().to_le_bytes());
        summary.extend((count as u32).to_le_bytes());
        for _ in 0..count.min(8) {
            summary.extend((cursor.number() % 16).to_le_bytes());
            for _ in 0..2 {
                summary.extend(cursor.number().to_le_bytes());
            }
            for _ in 0..2 {
                summary.extend(cursor.half().to_le_bytes());
            }
        }
        summary.resize(508, 0);
        bytes.extend(sealed(summary));
    }
    bytes
}

fn sealed(mut bytes: Vec<u8>) -> Vec<u8> {
    let mut crc = Crc32c::new();
    crc.add(&bytes);
    bytes.extend(crc.value().to_le_bytes());
    bytes
}

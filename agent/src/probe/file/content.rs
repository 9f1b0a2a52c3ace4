//! What is in a file: a text, or a sum. Read in parts, so that the thread needs little memory.

use crate::config::Watched;
use crate::open;
use sha2::{Digest, Sha256};
use std::io::{self, Read};
use std::path::Path;

/// More is not read for a look every few seconds.
const MOST: u64 = 16 * 1024 * 1024;
const PART: usize = 64 * 1024;

/// What is wrong with it, in words.
pub(super) fn wrong(watched: &Watched, path: &Path) -> io::Result<Option<String>> {
    if watched.contains.is_empty() && watched.sha256.is_none() {
        return Ok(None);
    }
    let mut file = open::regular(path)?.0.take(MOST + 1);
    let (mut sum, mut is_in, mut all) = (Sha256::new(), false, 0);
    // What was read last stays before the next part: a text may lie across.
    let (mut part, mut kept) = (vec![0; watched.contains.len() + PART], 0);
    loop {
        let read = file.read(&mut part[kept..])?;
        if read == 0 {
            break;
        }
        all += read as u64;
        sum.update(&part[kept..kept + read]);
        let filled = kept + read;
        is_in |= has(&part[..filled], &watched.contains);
        kept = filled.min(watched.contains.len().saturating_sub(1));
        part.copy_within(filled - kept..filled, 0);
    }
    if all > MOST {
        return Ok(Some(format!("has more than {MOST} bytes, so it was not looked into")));
    }
    if !watched.contains.is_empty() && !is_in {
        return Ok(Some(format!("does not contain \"{}\"", watched.contains.escape_ascii())));
    }
    let sum: [u8; 32] = sum.finalize().into();
    let is_other = watched.sha256.is_some_and(|wanted| wanted != sum);
    Ok(is_other.then(|| {
        format!("has another SHA-256: it begins {:02x}{:02x}{:02x}{:02x}", sum[0], sum[1], sum[2], sum[3])
    }))
}

fn has(bytes: &[u8], text: &[u8]) -> bool {
    let Some((first, rest)) = text.split_first() else { return false };
    let mut left = bytes;
    while let Some(at) = left.iter().position(|byte| byte == first) {
        left = &left[at + 1..];
        if left.starts_with(rest) {
            return true;
        }
    }
    false
}

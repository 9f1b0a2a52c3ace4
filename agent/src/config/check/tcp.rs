//! `kind = "tcp"`: a port that accepts connections, or answers what is expected.

use super::super::Address;
use super::{Read, Target};
use crate::config::read::{Keys, Sheet};

const TEXT_MAX: usize = 1024;

pub(super) fn read(keys: &mut Keys<'_>, sheet: &mut Sheet<'_>) -> Option<Read> {
    let send = bytes(keys, sheet, "send");
    let expect = bytes(keys, sheet, "expect");
    let (address, place) = keys.needed(sheet, "address")?;
    if address.parse::<Address>().is_err() {
        sheet.wrong(&place, "is not host:port", Some("write e.g. \"127.0.0.1:6379\"".to_owned()));
        return None;
    }
    let target = Target::Tcp { address: address.to_owned(), send, expect };
    Some(Read { target, limits: None, name: format!("tcp:{address}") })
}

fn bytes(keys: &mut Keys<'_>, sheet: &mut Sheet<'_>, key: &'static str) -> Vec<u8> {
    let Some((text, place)) = keys.text(sheet, key) else { return Vec::new() };
    if text.len() > TEXT_MAX {
        sheet.wrong(&place, format!("has {} bytes, more than {TEXT_MAX}", text.len()), None);
    }
    text.as_bytes().to_vec()
}

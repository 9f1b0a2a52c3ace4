//! What an agent watches, as one number, so that a list that the collector has already need not be said again.
//!
//! Both ends take it over the list in its order. crc32c notices every change of up to 32 bits in a row, and one in four
//! thousand million of others; a collector that is mistaken lists what the host watched before, until the next Hello.

use crate::event::CheckKind;
use crate::frame::Crc32c;

/// The number of a list of names, kinds and services; a check of no service has an empty one.
pub fn digest<'a>(list: impl Iterator<Item = (&'a str, CheckKind, &'a str)>) -> u32 {
    let mut crc = Crc32c::new();
    for (check, kind, service) in list {
        crc.add(check.as_bytes());
        // No name holds a zero byte.
        crc.add(&[0, kind as u8]);
        crc.add(service.as_bytes());
        crc.add(&[0]);
    }
    crc.value()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_kinds_services_and_order_all_count() {
        let one = ("web:http", CheckKind::Http, "web");
        let two = ("space:/", CheckKind::Space, "");
        let of = |list: &[(&'static str, CheckKind, &'static str)]| digest(list.iter().copied());
        let all = [
            of(&[]),
            of(&[one]),
            of(&[two]),
            of(&[one, two]),
            of(&[two, one]),
            of(&[("web:http", CheckKind::Tcp, "web"), two]),
            of(&[("web:http", CheckKind::Http, ""), two]),
            of(&[("web:htt", CheckKind::Http, "web"), two]),
        ];
        for (at, digest) in all.iter().enumerate() {
            assert!(!all[..at].contains(digest), "{at}: {all:x?}");
        }
        assert_eq!(of(&[one, two]), 3_507_452_301, "golden: both ends of two versions must agree");
    }
}

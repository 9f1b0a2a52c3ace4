//! The few fields of a certificate that the agent itself looks at: from when to when it holds, and the common names of
//! its issuer and subject. Whether it is to be believed is webpki's word, never decided here.
//!
//! DER as RFC 5280 lays it out, read in place and forwards: a tag of one byte, a length below 2^24 and in bounds, and
//! no recursion, so that bytes of a stranger cost one walk over them at most. Left out: extensions, keys, other
//! attributes of names, and text that is not UTF-8 (a name in it counts as none). A parser for all of X.509 costs the
//! static agent 0.1 MB.

use jiff::civil;
use jiff::tz::TimeZone;

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const OID: u8 = 0x06;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
/// The version, which certificates of version 1 leave out.
const VERSION: u8 = 0xa0;
/// Texts that are UTF-8 as they stand: UTF8String, PrintableString, IA5String.
const TEXTS: [u8; 3] = [0x0c, 0x13, 0x16];
/// 2.5.4.3
const COMMON_NAME: [u8; 3] = [0x55, 0x04, 0x03];

/// What a certificate says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Said<'c> {
    /// It holds from then on, seconds after 1970.
    pub(crate) from: i64,
    /// It holds until then, seconds after 1970.
    pub(crate) to: i64,
    /// The issuer's common name.
    pub(crate) issuer: Option<&'c str>,
    /// The subject's common name.
    pub(crate) subject: Option<&'c str>,
}

/// Reads a certificate; `None` if these bytes are none.
pub(crate) fn read(certificate: &[u8]) -> Option<Said<'_>> {
    let mut whole = Der(certificate).enter(SEQUENCE)?;
    let mut body = whole.enter(SEQUENCE)?;
    if body.0.first() == Some(&VERSION) {
        body.next()?;
    }
    let (_serial, _algorithm) = (body.next()?, body.next()?);
    let issuer = body.enter(SEQUENCE)?;
    let mut validity = body.enter(SEQUENCE)?;
    let subject = body.enter(SEQUENCE)?;
    Some(Said {
        from: moment(validity.next()?)?,
        to: moment(validity.next()?)?,
        issuer: common_name(issuer),
        subject: common_name(subject),
    })
}

/// Values one after the other.
#[derive(Clone, Copy)]
struct Der<'c>(&'c [u8]);

impl<'c> Der<'c> {
    /// The next value: its tag and content.
    fn next(&mut self) -> Option<(u8, &'c [u8])> {
        let (&[tag, short], rest) = self.0.split_first_chunk()?;
        let (long, rest) = match short {
            0..=0x7f => ([].as_slice(), rest),
            0x81..=0x83 => rest.split_at_checked(usize::from(short & 0x7f))?,
            _ => return None,
        };
        let first = if long.is_empty() { usize::from(short) } else { 0 };
        let length = long.iter().fold(first, |sum, byte| sum << 8 | usize::from(*byte));
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((tag, content))
    }

    /// What lies in the next value, which must have this tag.
    fn enter(&mut self, tag: u8) -> Option<Self> {
        self.next().filter(|(found, _)| *found == tag).map(|(_, content)| Self(content))
    }
}

/// The first common name of a distinguished name.
fn common_name(mut name: Der<'_>) -> Option<&str> {
    while let Some(mut set) = name.enter(SET) {
        while let Some(mut attribute) = set.enter(SEQUENCE) {
            if attribute.enter(OID)?.0 == COMMON_NAME {
                let (tag, text) = attribute.next()?;
                return TEXTS.contains(&tag).then(|| str::from_utf8(text).ok()).flatten();
            }
        }
    }
    None
}

/// `YYMMDDhhmmssZ` or `YYYYMMDDhhmmssZ` as seconds after 1970; two digits mean 1950 to 2049.
fn moment((tag, text): (u8, &[u8])) -> Option<i64> {
    let (digits, b"Z") = text.split_at_checked(text.len().checked_sub(1)?)? else { return None };
    let (year, rest) = digits.split_at_checked(if tag == GENERALIZED_TIME { 4 } else { 2 })?;
    let year = match (tag, number(year)?) {
        (GENERALIZED_TIME, year) => year,
        (UTC_TIME, year @ 0..50) => 2000 + year,
        (UTC_TIME, year) => 1900 + year,
        _ => return None,
    };
    let [month, day, hour, minute, second] = pairs(rest)?;
    let at = civil::DateTime::new(year, month, day, hour, minute, second, 0).ok()?;
    TimeZone::UTC.to_timestamp(at).ok().map(jiff::Timestamp::as_second)
}

fn pairs(digits: &[u8]) -> Option<[i8; 5]> {
    let (all, []) = digits.as_chunks::<2>() else { return None };
    let mut pairs = [0; 5];
    for (pair, digits) in pairs.iter_mut().zip(all) {
        *pair = i8::try_from(number(digits)?).ok()?;
    }
    (all.len() == pairs.len()).then_some(pairs)
}

/// At most four digits.
fn number(digits: &[u8]) -> Option<i16> {
    digits.iter().try_fold(0, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + i16::from(byte - b'0')))
}

#[cfg(test)]
mod tests;

//! Pressure (PSI): the share of the last ten seconds in which something waited for CPU, memory or disk.
//!
//! One short read of `/proc/pressure`; the kernel keeps the average. `some` is taken: one that waits is enough.

use crate::config::Resource;
use picket_agent_core::check::Reading;
use picket_proto::event::Cause;

/// Per mille.
pub(crate) fn read(resource: Resource) -> Reading {
    match std::fs::read_to_string(format!("/proc/pressure/{}", resource.word())) {
        Ok(text) => parse(&text).map_or(Reading::Bad(Cause::Local(libc::EBADMSG)), Reading::Level),
        Err(error) => Reading::Bad(Cause::Local(error.raw_os_error().unwrap_or(libc::EIO))),
    }
}

/// `some avg10=12.34 avg60=..`, rounded up, so that a trace of it is not nothing.
fn parse(text: &str) -> Option<i64> {
    let line = text.lines().find_map(|line| line.strip_prefix("some "))?;
    let value = line.split(' ').find_map(|field| field.strip_prefix("avg10="))?;
    let (whole, part) = value.split_once('.')?;
    let hundredths = match part.len() {
        2 => whole.parse::<i64>().ok()?.checked_mul(100)?.checked_add(part.parse().ok()?)?,
        _ => return None,
    };
    Some(hundredths.checked_add(9)? / 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_average_of_ten_seconds_is_taken_per_mille() {
        let line = |avg10: &str| {
            format!("some avg10={avg10} avg60=30.00 avg300=4.17 total=65\nfull avg10=9.99 avg60=0\n")
        };
        for (avg10, level) in [("0.00", 0), ("0.01", 1), ("21.06", 211), ("100.00", 1000), ("3.50", 35)] {
            assert_eq!(parse(&line(avg10)), Some(level), "{avg10}");
        }
        for bad in ["", "1", "1.5", "x.yz", "99999999999999999999.00"] {
            assert_eq!(parse(&line(bad)), None, "{bad}");
        }
        assert_eq!(parse("full avg10=1.00\n"), None);
    }
}

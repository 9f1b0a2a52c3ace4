//! The only file of this crate that reads a clock: one label for people per page, and the spans that `up` waits are
//! tokio's timers. Nothing here orders or decides.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// The time of day as this machine believes.
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}

/// The zone of this user: TZ, else the system's, else UTC.
pub(crate) fn zone() -> TimeZone {
    TimeZone::system()
}

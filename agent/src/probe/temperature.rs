//! Temperatures of one chip (`/sys/class/hwmon`) or zone (`/sys/class/thermal`): the hottest of its sensors.
//!
//! In a thread of its own, since a sensor may sit on a slow bus. Inputs that nothing is wired to read as something
//! that no sensor can measure, and do not count: 127 to 129 °C, where the eight bits of most chips end, and beyond -40
//! and 150 °C, where limits do.

use picket_agent_core::check::Reading;
use picket_proto::event::Cause;
use std::fs;
use std::path::Path;

/// What a sensor can measure, thousandths of a degree.
const RANGE: std::ops::RangeInclusive<i64> = -40_000..=150_000;
/// What an open input reads as, thousandths of a degree.
const OPEN: std::ops::RangeInclusive<i64> = 127_000..=129_000;
/// What a limit can be, thousandths of a degree: boards are shipped with 0 and with 255.
const LIMITS: std::ops::RangeInclusive<i64> = 40_000..=150_000;

/// What the sensor says of itself, °C.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct OwnLimits {
    pub(crate) degraded: Option<u32>,
    pub(crate) down: Option<u32>,
}

/// Looks at one.
pub(super) fn read(folder: &Path) -> Reading {
    if !folder.is_dir() {
        return Reading::Bad(Cause::Absent);
    }
    hottest(folder).map_or_else(|errno| Reading::Bad(Cause::Local(errno)), Reading::Level)
}

/// The hottest of its sensors, tenths of a degree.
///
/// # Errors
/// The errno of the last one, where none can be read.
pub(crate) fn hottest(folder: &Path) -> Result<i64, i32> {
    let mut hottest = Err(libc::ENODATA);
    for file in files(folder, "_input").chain(["temp".to_owned()]) {
        let is_faulty = number(&folder.join(file.replace("_input", "_fault"))) == Ok(1) && file != "temp";
        match number(&folder.join(&file)) {
            Ok(level) if RANGE.contains(&level) && !OPEN.contains(&level) && !is_faulty => {
                hottest = Ok(hottest.map_or(level / 100, |hot: i64| hot.max(level / 100)));
            }
            Err(errno) if errno != libc::ENOENT && hottest.is_err() => hottest = Err(errno),
            Ok(_) | Err(_) => {}
        }
    }
    hottest
}

/// The lowest limits of its sensors.
pub(crate) fn own_limits(folder: &Path) -> OwnLimits {
    let lowest = |suffix: &'static str| {
        let all = files(folder, suffix).filter_map(|file| number(&folder.join(file)).ok());
        let lowest = all.filter(|limit| LIMITS.contains(limit)).min();
        lowest.and_then(|limit| u32::try_from(limit / 1000).ok())
    };
    OwnLimits { degraded: lowest("_max"), down: lowest("_crit").or_else(|| trip(folder)) }
}

/// The critical point of a zone.
fn trip(folder: &Path) -> Option<u32> {
    let is_critical = |at: &u32| {
        fs::read_to_string(folder.join(format!("trip_point_{at}_type")))
            .is_ok_and(|text| text.trim() == "critical")
    };
    let at = (0..16).find(is_critical)?;
    let limit =
        number(&folder.join(format!("trip_point_{at}_temp"))).ok().filter(|it| LIMITS.contains(it))?;
    u32::try_from(limit / 1000).ok()
}

/// `temp*SUFFIX` of a chip.
fn files(folder: &Path, suffix: &'static str) -> impl Iterator<Item = String> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    names.filter(move |name| name.starts_with("temp") && name.ends_with(suffix))
}

fn number(file: &Path) -> Result<i64, i32> {
    let text = fs::read_to_string(file).map_err(|error| error.raw_os_error().unwrap_or(libc::EIO))?;
    text.trim().parse().map_err(|_| libc::EBADMSG)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hottest_sensor_counts_and_what_is_wired_to_nothing_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let put = |file: &str, text: &str| fs::write(folder.path().join(file), text).unwrap();
        assert_eq!(hottest(folder.path()), Err(libc::ENODATA));
        for (file, text) in [
            ("temp1_input", "45250\n"),
            ("temp2_input", "61900\n"),
            ("temp3_input", "127000\n"),
            ("temp4_input", "-128000\n"),
            ("temp5_input", "99000\n"),
            ("temp5_fault", "1\n"),
            ("temp1_crit", "105000\n"),
            ("temp2_crit", "100000\n"),
            ("temp1_max", "0\n"),
            ("temp2_max", "90000\n"),
            ("fan1_input", "3000\n"),
        ] {
            put(file, text);
        }
        assert_eq!(read(folder.path()), Reading::Level(619));
        assert_eq!(own_limits(folder.path()), OwnLimits { degraded: Some(90), down: Some(100) });
        put("temp3_input", "130500\n");
        assert_eq!(read(folder.path()), Reading::Level(1305), "a limit can be as high");
        assert_eq!(read(&folder.path().join("gone")), Reading::Bad(Cause::Absent));
    }

    #[test]
    fn a_zone_has_one_sensor_and_a_critical_point() {
        let folder = tempfile::tempdir().unwrap();
        let put = |file: &str, text: &str| fs::write(folder.path().join(file), text).unwrap();
        put("temp", "48700\n");
        put("trip_point_0_type", "passive\n");
        put("trip_point_1_type", "critical\n");
        put("trip_point_1_temp", "110000\n");
        assert_eq!(read(folder.path()), Reading::Level(487));
        assert_eq!(own_limits(folder.path()), OwnLimits { degraded: None, down: Some(110) });
    }
}

//! The keys that all checks have, and the tables of checks.

use super::Shape::{Decimal, Flag, Number, OneOf, Span, Table as At, Text};
use super::kinds::*;
use super::programs::*;
use super::{Key, Table};

/// The kinds of a service's checks.
const OF_SERVICES: &[&str] =
    &["tcp", "http", "tls", "expires", "file", "metric", "log", "exec", "job", "backup", "container"];
/// All kinds: what the agent did not start is no service's.
const KINDS: &[&str] = &[
    "tcp",
    "http",
    "tls",
    "expires",
    "file",
    "metric",
    "log",
    "exec",
    "job",
    "backup",
    "container",
    "process",
];
/// Kinds that look often, and those that cost more or can wait.
const QUICK: &[&str] = &["tcp", "http", "tls", "expires", "file", "metric", "log", "container", "process"];
const SLOW: &[&str] = &["exec", "job", "backup"];
/// Kinds of which one bad reading may be chance, and those of which none is.
const CHANCE: &[&str] =
    &["tcp", "http", "tls", "expires", "file", "metric", "exec", "job", "backup", "container"];
const SURE: &[&str] = &["log", "process"];
const READINGS: super::Shape = Number { least: 1, most: 10 };

pub(super) const ENABLED: Key =
    Key::new("enabled", Flag, "false takes it away; `status` and `explain` say so").usual("true");
pub(super) const WHEN: Key =
    Key::new("when", At("when"), "only on hosts that have this; looked at when the file is read")
        .else_("on every host")
        .example("{ file = \"/proc\" }");
const NAME: Key = Key::new("name", Text, "what it is called; drop-ins change it by this name")
    .range("1 to 64 printable characters without spaces")
    .example("\"redis-port\"");
const INTERVAL: Key = Key::new("interval", Span, "from one probe to the next")
    .range("100 ms to 24 h")
    .usual("\"5s\"")
    .of(QUICK);
const INTERVAL_SLOW: Key = INTERVAL.usual("\"60s\"").of(SLOW);
const TIMEOUT: Key = Key::new("timeout", Span, "how long one probe may take")
    .range("10 ms to the interval")
    .else_("2 s, or the interval where that is shorter")
    .example("\"1s\"")
    .of(QUICK);
const TIMEOUT_SLOW: Key = TIMEOUT.else_("10 s, or the interval where that is shorter").of(SLOW);
const FALL: Key =
    Key::new("fall", READINGS, "readings in a row that make it down").range("1 to 10").usual("2").of(CHANCE);
const FALL_SURE: Key = FALL.usual("1").of(SURE);
const FOR: Key = Key::new("for", Span, "in place of `fall`: for so long it must have been bad")
    .range("100 ms to 254 intervals")
    .else_("`fall` counts")
    .example("\"5m\"");
const RISE: Key = Key::new("rise", READINGS, "readings in a row that make it up").range("1 to 10").usual("1");

const fn kind(kinds: &'static [&'static str]) -> Key {
    Key::new("kind", OneOf(kinds), "what is probed").needed().example("\"tcp\"")
}

/// The keys of a table of checks: its kinds, how it is called, and what only it has.
macro_rules! keys {
    ($kinds:expr, $usual:literal $(, $more:expr)*) => {
        &[
            kind($kinds), NAME.else_($usual), ENABLED, WHEN, ADDRESS, SEND, EXPECT, URL, STATUS, SERVER_NAME, CA,
            STARTTLS, EXPIRES_FILE, DATE, WHAT, LEFT_DEGRADED, LEFT_DOWN, PATH, STATE, AGE, OF, MIN_SIZE, MAX_SIZE,
            MODE, OWNER, GROUP, CONTAINS, SHA256, METRIC, PER, RATE, COMBINE, ABOVE_KEY, BELOW_KEY, UNUSUAL, LOG_FILE, LOG_UNIT,
            MATCH, IGNORE, LINES_DEGRADED, LINES_DOWN, COMMAND, STAMP, JOB_UNIT, RUN, COPIES_PATH, COPIES,
            COPIES_MIN_SIZE, SHRINK, MAX_AGE_KEY, MAX_RUNTIME, VERIFY, VERIFY_EVERY, VERIFY_TIMEOUT, ENV, USER,
            CONTAINER, SOCKET, $($more,)* INTERVAL, INTERVAL_SLOW, TIMEOUT, TIMEOUT_SLOW, FALL, FALL_SURE, FOR, RISE,
        ]
    };
}

pub(super) const OF_SERVICE: Table = Table {
    path: "service.check",
    head: "[[service.check]]",
    about: "Belongs to the service above it and heals it. Every service has a check `SERVICE:process` without being \
            asked: its exit is seen at once, and every 5 s whether it is frozen.",
    keys: keys!(OF_SERVICES, "`SERVICE:KIND`"),
};

pub(super) const ALONE: Table = Table {
    path: "check",
    head: "[[check]]",
    about: "Watched and told, never healed.",
    keys: keys!(KINDS, "the target", PIDFILE, EXECUTABLE, WHOSE, PROCESS_UNIT, CGROUP, ARGS, COUNT_KEY),
};

pub(super) const ABOVE: Table = Table {
    path: "above",
    head: "above",
    about: "On a check of kind `metric`: what is at a limit has reached it. At least one of them.",
    keys: &[
        Key::new("degraded", Decimal, "from here on it is degraded").range(PLACES).example("0.01"),
        Key::new("down", Decimal, "from here on it is down").range(PLACES).example("0.05"),
    ],
};

pub(super) const BELOW: Table = Table {
    path: "below",
    head: "below",
    keys: &[
        Key::new("degraded", Decimal, "from here down it is degraded").range(PLACES).example("20"),
        Key::new("down", Decimal, "from here down it is down").range(PLACES).example("5.5"),
    ],
    ..ABOVE
};

const PLACES: &str = "a decimal with up to three places";

pub(super) const COUNT: Table = Table {
    path: "count",
    head: "count",
    about: "On a check of kind `process`: how many there should be. Not with `pidfile`.",
    keys: &[
        Key::new("min", Number { least: 0, most: 4096 }, "at least so many").range("0 to 4096").usual("1"),
        Key::new("max", Number { least: 0, most: 4096 }, "at most so many").range("0 to 4096").usual("4096"),
    ],
};

pub(super) const MAX_AGE: Table = Table {
    path: "max_age",
    head: "max_age",
    about: "On a check of kind `job` or `backup`, in place of one length of time.",
    keys: &[
        Key::new("degraded", Span, "from here on it is degraded")
            .range("1 s to 3660 d, at most `down`")
            .else_("as `down`")
            .example("\"26h\""),
        Key::new("down", Span, "from here on it is down")
            .range("1 s to 3660 d")
            .else_("3660 d")
            .example("\"50h\""),
    ],
};

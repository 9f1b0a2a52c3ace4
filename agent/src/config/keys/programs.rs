//! The keys of kinds of checks that run or follow programs: `exec`, `job`, `backup`, `container`, `process`.

use super::Key;
use super::Shape::{Number, Pairs, Span, SpanOrTable, Table as At, Text, Texts};

const JOB: &[&str] = &["job"];
const BACKUP: &[&str] = &["backup"];
const PROGRAMS: &[&str] = &["exec", "backup"];
const PROCESS: &[&str] = &["process"];

pub(super) const COMMAND: Key = Key::new(
    "command",
    Texts,
    "program in the Nagios plugin protocol and its arguments; `{here}` is the file's folder",
)
.needed()
.example("[\"check_disk\", \"-w\", \"10%\"]")
.of(&["exec"]);
pub(super) const STAMP: Key = Key::new("stamp", Text, "file that the job touches when it has ended well")
    .else_("one of `stamp`, `unit`, `run`")
    .example("\"/var/lib/nightly.done\"")
    .of(JOB);
pub(super) const JOB_UNIT: Key = Key::new("unit", Text, "the job's timer, or a service that stays loaded")
    .range("`NAME.timer` or `NAME.service`")
    .else_("one of `stamp`, `unit`, `run`")
    .example("\"nightly.timer\"")
    .of(JOB);
pub(super) const RUN: Key = Key::new("run", Text, "name under which `picket-agent job run NAME` records it")
    .range("1 to 48 of `A-Z a-z 0-9 . _ -`")
    .else_("one of `stamp`, `unit`, `run`")
    .example("\"nightly\"")
    .of(JOB);
pub(super) const MAX_AGE_KEY: Key = Key::new(
    "max_age",
    SpanOrTable("max_age"),
    "since it last ended well, since the newest copy was made: from there on it is down",
)
.range("1 s to 3660 d")
.needed()
.example("\"26h\"")
.of(&["job", "backup"]);
pub(super) const MAX_RUNTIME: Key =
    Key::new("max_runtime", Span, "how long one run may take before it is down; not with `stamp`")
        .range("1 s to 3660 d")
        .else_("no limit")
        .example("\"3h\"")
        .of(JOB);
pub(super) const COPIES_PATH: Key =
    Key::new("path", Text, "folder of the copies, or files in it by `*` and `?` in the last part")
        .range("path")
        .needed()
        .example("\"/srv/backup/db-*.dump\"")
        .of(BACKUP);
pub(super) const COPIES: Key = Key::new("copies", Number { least: 1, most: 100_000 }, "so many at least")
    .range("1 to 100000")
    .usual("1")
    .of(BACKUP);
pub(super) const COPIES_MIN_SIZE: Key =
    Key::new("min_size", Number { least: 0, most: u32::MAX }, "KiB of the newest; 0: it is not empty")
        .range("KiB")
        .usual("0")
        .of(BACKUP);
pub(super) const SHRINK: Key = Key::new(
    "shrink",
    Number { least: 0, most: 100 },
    "per cent of the middle one of up to 7 copies before it, below which the newest is degraded; 0: off",
)
.range("0 to 100")
.usual("50")
.of(BACKUP);
pub(super) const VERIFY: Key =
    Key::new("verify", Texts, "program that restores `$PICKET_COPY` somewhere and looks at it")
        .else_("no drill")
        .example("[\"/usr/local/bin/restore-drill\"]")
        .of(BACKUP);
pub(super) const VERIFY_EVERY: Key = Key::new("verify_every", Span, "from one drill to the next")
    .range("1 s to 3660 d")
    .usual("\"7d\"")
    .of(BACKUP);
pub(super) const VERIFY_TIMEOUT: Key = Key::new("verify_timeout", Span, "how long one drill may take")
    .range("1 s to 24 h")
    .usual("\"1h\"")
    .of(BACKUP);
pub(super) const ENV: Key = Key::new("env", Pairs, "added to the few variables that the program gets")
    .else_("nothing")
    .example("{ LANG = \"C\" }")
    .of(PROGRAMS)
    .secret();
pub(super) const USER: Key = Key::new("user", Text, "as whom the program runs")
    .range("name or number in `/etc/passwd`")
    .else_("`nobody` where the agent is root, else the agent's own")
    .example("\"nobody\"")
    .of(PROGRAMS);
pub(super) const CONTAINER: Key =
    Key::new("container", Text, "name or id of a container of Docker or Podman")
        .range("1 to 128 of `A-Z a-z 0-9 . _ -`")
        .needed()
        .example("\"web\"")
        .of(&["container"]);
pub(super) const SOCKET: Key = Key::new("socket", Text, "where its engine answers")
    .range("path")
    .usual("\"/run/docker.sock\"")
    .of(&["container"]);
pub(super) const PIDFILE: Key =
    Key::new("pidfile", Text, "file with the number of the one process; not with `count`")
        .range("path from the root")
        .else_("any")
        .example("\"/run/app.pid\"")
        .of(PROCESS);
pub(super) const EXECUTABLE: Key = Key::new("executable", Text, "the program that it runs")
    .range("path from the root")
    .else_("any")
    .example("\"/usr/sbin/app\"")
    .of(PROCESS);
pub(super) const WHOSE: Key = Key::new("user", Text, "whose it is")
    .range("name or number")
    .else_("any")
    .example("\"www-data\"")
    .of(PROCESS);
pub(super) const PROCESS_UNIT: Key = Key::new("unit", Text, "the unit that it is in; not with `cgroup`")
    .range("a unit's name")
    .else_("any")
    .example("\"app.service\"")
    .of(PROCESS);
pub(super) const CGROUP: Key = Key::new("cgroup", Text, "the control group that it is in; not with `unit`")
    .range("a path or a name")
    .else_("any")
    .example("\"/system.slice\"")
    .of(PROCESS);
pub(super) const ARGS: Key = Key::new("args", Text, "a part of its command line, arguments joined by blanks")
    .range("1 to 1,024 bytes")
    .else_("any")
    .example("\"--port 80\"")
    .of(PROCESS);
pub(super) const COUNT_KEY: Key = Key::new("count", At("count"), "how many there should be")
    .else_("1 or more")
    .example("{ min = 1, max = 4 }")
    .of(PROCESS);

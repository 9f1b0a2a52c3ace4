//! The keys themselves, table by table.

use super::Shape::{
    Flag, Number, OneOf, Pairs, Size, Span, Table as At, Tables as List, Text, TextOrTexts, Texts,
};
use super::{Key, Table, checks, host};
use crate::config::collector::PROFILES;

/// Init systems beside systemd.
const INITS: &[&str] = &["openrc", "runit", "sysv", "busybox"];

const MIB: super::Shape = Number { least: 1, most: 1024 };

/// All tables, in the order in which people read them.
pub(crate) const TABLES: &[Table] = &[
    Table {
        path: "agent",
        head: "[agent]",
        about: "This host and what the agent keeps on it. Only `observe`, and how often it may be rebooted, change while the agent runs.",
        keys: &[
            Key::new("state", Text, "folder for what the agent keeps, made with mode 0700")
                .range("folder")
                .else_("none: this or `--state`")
                .example("\"/var/lib/picket-agent\""),
            Key::new("host", Text, "this host's id").range("1 to 63 of `a-z 0-9 . _ -`")
                .else_("the kernel's host name, lower case")
                .example("\"web-1\""),
            Key::new("spool", MIB, "MiB of disk for events that wait for the collector: 16 are some 100,000 events")
                .range("1 to 1024")
                .usual("16"),
            Key::new("flash_budget", MIB, "MiB written to it in 24 h; above, routine events wait in memory")
                .range("1 to 1024")
                .usual("10"),
            Key::new("bus", Text, "where systemd is heard")
                .range("`system`, `user`, or a D-Bus address such as `unix:path=/run/bus`")
                .usual("\"system\""),
            Key::new("observe", Flag, "services are only observed: nothing is done about them, and what would be done is told. A service's own `observe` counts more")
                .usual("false"),
            Key::new("reboot", At("reboot"), "how the host is rebooted where a service's ladder has `reboot`")
                .else_("none: no ladder may have it")
                .example("{ max = 1, per = \"24h\" }"),
        ],
    },
    Table {
        path: "reboot",
        head: "reboot",
        about: "In `[agent]`: the last that services may ask for. All of them share what is allowed, and uptime is counted: time that the \
                host was off is not.",
        keys: &[
            Key::new("command", Texts, "program and arguments; `{here}` is the file's folder")
                .else_("`[\"systemctl\", \"reboot\"]`")
                .example("[\"systemctl\", \"reboot\"]"),
            Key::new("max", Number { least: 1, most: 32 }, "reboots within `per`").range("1 to 32").usual("1"),
            Key::new("per", Span, "the time in which so many are allowed").range("1 h to 7 d").usual("\"24h\""),
        ],
    },
    Table {
        path: "collector",
        head: "[collector]",
        about: "The way to the collector. Nothing of it changes while the agent runs.",
        keys: &[
            Key::new("address", TextOrTexts, "where it listens; several are several ways to the same one")
                .range("`host:port`, or a list of up to 8; `https://` may stand before it")
                .needed()
                .example("\"collector.example:7440\""),
            Key::new("server_name", Text, "the name that its certificate is for, where the address is another one")
                .else_("the address' own name")
                .example("\"collector.example\""),
            Key::new("ca", Text, "PEM file of the collector's CA").else_("what the token pins").example("\"ca.pem\""),
            Key::new("token_file", Text, "file with a one-time token")
                .range("file that only its owner can read")
                .example("\"token\""),
            Key::new("token", Text, "the token itself")
                .range("only in a file that no one but its owner can read")
                .example("\"pkt1.abababababababababababababababababababababababababababababababab.cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd\"")
                .secret(),
            Key::new("proxy", Text, "HTTP proxy for every address")
                .range("`http://USER@HOST:PORT`")
                .else_("the environment's")
                .example("\"http://me@proxy.example:3128\"")
                .secret(),
            Key::new("proxy_password_file", Text, "file with its password")
                .range("file that only its owner can read")
                .example("\"password\""),
            Key::new("profile", OneOf(PROFILES), "`metered` where the link costs by the byte: seldom heard, no pings, TLS sessions resumed")
                .usual("\"normal\""),
            Key::new("report", Span, "how often the collector hears of this host while all is well; events go at once. It is called silent after 2.5 times as long")
                .range("10 s to 1 h; over a metered link 1 min to 1 h")
                .else_("10 s; 15 min over a metered link")
                .example("\"15m\""),
            Key::new("cap", Size, "what the link may carry in 30 days, both ways with all headers; above, only critical events go")
                .range("bytes, or a number with `KiB`, `MiB` or `GiB`; 64KiB to 1024GiB")
                .example("\"5MiB\""),
            Key::new("evidence", Flag, "whether an operator who asks gets the last lines that a service printed, which may hold secrets")
                .usual("true"),
        ],
    },
    Table {
        path: "metrics",
        head: "[metrics]",
        about: "Where the agent's own figures can be read in Prometheus' text format.",
        keys: &[Key::new("listen", Text, "where `/metrics` is served; does not change while the agent runs")
            .range("a loopback `address:port`")
            .needed()
            .example("\"127.0.0.1:9441\"")],
    },
    Table {
        path: "baseline",
        head: "[baseline]",
        about: "What should be on this host is learned, and told when it vanishes. Does not change while the agent runs.",
        keys: &[
            Key::new("enabled", Flag, "whether it is learned; true also without the table").usual("true"),
            Key::new("learn", Span, "how long a thing must have been there before it should be")
                .range("1 s to 24 h")
                .usual("\"60s\""),
            Key::new("settle", Span, "how long nothing may change before a loss is told")
                .range("300 ms to 10 min")
                .usual("\"3s\""),
            Key::new("after_packages", Span, "how long after the package manager's work nothing is told")
                .range("0 s to 1 h")
                .usual("\"60s\""),
        ],
    },
    host::HOST,
    host::CPU,
    host::MEMORY,
    host::LOAD,
    host::PRESSURE,
    host::PRESSURE_CPU,
    host::PRESSURE_MEMORY,
    host::PRESSURE_IO,
    host::SWAP,
    host::SPACE,
    host::INODES,
    host::MOUNT,
    host::NET,
    host::TEMPERATURE,
    Table {
        path: "service",
        head: "[[service]]",
        about: "What the agent keeps alive: a command that it starts, or a unit of systemd. A drop-in changes the service of \
                the same name. The environment is set without `PATH` changes reaching the lookup of the program. A program \
                that is not there is no mistake: it may come, and its absence is told as a failed start.",
        keys: &[
            Key::new("name", Text, "what it is called").range("1 to 48 of `A-Z a-z 0-9 . _ -`").needed().example("\"redis\""),
            checks::ENABLED,
            checks::WHEN,
            Key::new("command", Texts, "program and arguments; it must stay in the foreground. `{here}` is the file's folder, `{state}` the service's own")
                .else_("this, `unit` or `init`")
                .example("[\"/usr/bin/redis-server\", \"--dir\", \"{state}\"]"),
            Key::new("unit", Text, "the unit of systemd that it is; takes the place of `command`, `env`, `cwd`, `stop_timeout`")
                .range("`NAME.service`")
                .else_("this, `command` or `init`")
                .example("\"redis.service\""),
            Key::new("init", OneOf(INITS), "another init system: fills the four below from the service's name; takes the place of `command` and `unit`")
                .else_("this, or `start`, `stop` and `status` written out")
                .example("\"sysv\""),
            Key::new("start", Texts, "program and arguments that start it; status 0 when it is done. `{here}` is the file's folder, here and in the next three").else_("by `init`").example("[\"/etc/init.d/redis\", \"start\"]"),
            Key::new("stop", Texts, "program and arguments that stop it").else_("by `init`").example("[\"/etc/init.d/redis\", \"stop\"]"),
            Key::new("status", Texts, "program and arguments; status 0 means that it runs").else_("by `init`").example("[\"/etc/init.d/redis\", \"status\"]"),
            Key::new("reload", Texts, "program and arguments that have it read its configuration anew").else_("by `init`").example("[\"/etc/init.d/redis\", \"reload\"]"),
            Key::new("pidfile", Text, "the file with its process id: its death is then seen at once").else_("none: `status` tells").example("\"/run/redis.pid\""),
            Key::new("needs", Texts, "services of this file without which it can't be well: while one is not, this one is left as it is")
                .range("up to 8 names")
                .usual("[]"),
            Key::new("observe", Flag, "nothing is done about it, and what would be done is told; not of one with `command`")
                .else_("`observe` of [agent]")
                .example("false"),
            Key::new("ladder", Texts, "what is tried, one after the other, of `reload`, `restart`, `dependents`, `rollback`, `package`, `reboot`, `isolate`").usual("[\"restart\"]"),
            Key::new("good", At("good"), "its files, kept while they are good: for naming the one that changed before it failed, and for `rollback`").else_("none are kept").example("{ files = [\"/etc/redis\"] }"),
            Key::new("package", At("package"), "its packages, whose versions are noted while they are good: for naming an upgrade before it failed, and for `package`").else_("none are noted").example("{ names = [\"redis-server\"] }"),
            Key::new("env", Pairs, "added to the agent's environment").else_("nothing").example("{ LANG = \"C\" }").secret(),
            Key::new("cwd", Text, "working folder").range("folder").usual("\"{state}\""),
            Key::new("stop_timeout", Span, "from SIGTERM to SIGKILL").range("10 ms to 10 min").usual("\"10s\""),
            Key::new("start_timeout", Span, "within it all checks must have passed").range("100 ms to 1 h").usual("\"10s\""),
            Key::new("hold", Span, "how long all must pass before a recovery is believed").range("100 ms to 1 h").usual("\"5s\""),
            Key::new("backoff_first", Span, "before the second restart of a streak; doubles").range("10 ms to 1 h").usual("\"200ms\""),
            Key::new("backoff_max", Span, "where the doubling ends").range("10 ms to 1 h").usual("\"30s\""),
            Key::new("budget", Number { least: 1, most: 32 }, "remedies within the window").range("1 to 32").usual("5"),
            Key::new("budget_window", Span, "the window of the budget").range("1 s to 24 h").usual("\"10m\""),
            Key::new("same_deaths", Number { least: 2, most: 100 }, "identical failures in a row that open the breaker").range("2 to 100").usual("3"),
            Key::new("retry_after", Span, "how long an open breaker rests before a single try; doubles").range("1 s to 1 h").usual("\"5m\""),
            Key::new("check", List("service.check"), "what proves that it works").else_("its process is always checked").example(
                "[{ kind = \"tcp\", address = \"127.0.0.1:6379\" }]",
            ),
        ],
    },
    checks::OF_SERVICE,
    checks::ALONE,
    checks::ABOVE,
    checks::BELOW,
    checks::COUNT,
    checks::MAX_AGE,
    Table {
        path: "good",
        head: "good",
        about: "On a service: the files that it can't be well without. Links in them are kept as links; at most 256 files, 1 MiB in all and \
                8 folders deep. What anyone may write is not kept.",
        keys: &[
            Key::new("files", Texts, "files and folders; `{here}` is the file's folder, `{state}` the service's own")
                .range("1 to 16 paths, none within another")
                .needed()
                .example("[\"/etc/nginx\"]"),
            Key::new("precheck", Texts, "program and arguments that end with status 0 where the files are sound; 20 s, then it is killed")
                .example("[\"nginx\", \"-t\"]"),
            Key::new("after", Span, "for how long the service must have been well with them").range("1 s to 24 h").usual("\"5m\""),
        ],
    },
    Table {
        path: "package",
        head: "package",
        about: "On a service: the packages of dpkg that it is made of. A version that did no good is put back to the last good one from \
                apt's cache, /var/cache/apt/archives; nothing is fetched.",
        keys: &[
            Key::new("names", Texts, "packages, as `NAME` or `NAME:ARCH`: those that only go together, such as `nginx` and `nginx-common`")
                .range("1 to 8 names")
                .needed()
                .example("[\"redis-server\"]"),
            Key::new("after", Span, "for how long the service must have been well with them").range("1 s to 24 h").usual("\"5m\""),
        ],
    },
    Table {
        path: "when",
        head: "when",
        about: "On a service or a check: only on hosts that have all that it names. At least one of them.",
        keys: &[
            Key::new("unit", Text, "a unit of systemd that has a file, enabled or not").example("\"nginx.service\""),
            Key::new("file", Text, "a file or folder").range("path from the root").example("\"/proc\""),
        ],
    },
];

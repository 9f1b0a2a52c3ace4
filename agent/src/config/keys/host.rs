//! The keys of `[host]`.

use super::Shape::{Flag, Number, Span, Table as At, TableOrOff, Tables as List, Text};
use super::{Key, Table};

pub(super) const HOST: Table = Table {
    path: "host",
    head: "[host]",
    about: "What is watched of the whole host. Three readings in a row decide; for space, inodes and mounts one. Of what \
            nobody names only that is watched which is well when the file is read; an empty list watches none.",
    keys: &[
        Key::new("enabled", Flag, "whether the host is watched; true also without the table").usual("true"),
        Key::new("interval", Span, "from one reading to the next").range("1 s to 24 h").usual("\"10s\""),
        Key::new("cpu", At("host.cpu"), "CPU in use").usual("{ degraded = 90, down = 98 }"),
        Key::new("memory", At("host.memory"), "memory in use").usual("{ degraded = 90, down = 98 }"),
        Key::new("load", At("host.load"), "load per core").usual("{ degraded = 400, down = 1000 }"),
        Key::new("pressure", TableOrOff("host.pressure"), "what waits for CPU, memory and disks").usual(
            "{ cpu = { degraded = 80, down = 95 }, memory = { degraded = 20, down = 50 }, io = { degraded = 60, down = 90 } }",
        ),
        Key::new("swap", At("host.swap"), "swap in use")
            .else_("not watched: a full small swap is usual, and pressure tells when it hurts")
            .example("{ degraded = 80, down = 95 }"),
        Key::new("space", List("host.space"), "space in use on each mount; at most 32")
            .else_("`/` at 90, 97")
            .example("[{ mount = \"/\", degraded = 90, down = 97 }]"),
        Key::new("inodes", List("host.inodes"), "inodes in use on each mount; at most 32")
            .else_("`/` at 90, 97")
            .example("[{ mount = \"/\", degraded = 90, down = 97 }]"),
        Key::new("mount", List("host.mount"), "mounts that must be there and answer; at most 32")
            .else_("`/`, and what `/etc/fstab` names and is mounted")
            .example("[{ mount = \"/\", writable = true }]"),
        Key::new("net", List("host.net"), "interfaces that must have a link; at most 32")
            .else_("physical interfaces with a link")
            .example("[{ interface = \"eth0\" }]"),
        Key::new("temperature", List("host.temperature"), "sensors; at most 32")
            .else_("every chip, and every zone where there is no chip")
            .example("[{ sensor = \"coretemp\" }]"),
    ],
};

pub(super) const CPU: Table = percent("host.cpu", "[host.cpu]", &[degraded("90"), down("98"), UNUSUAL]);
pub(super) const MEMORY: Table =
    percent("host.memory", "[host.memory]", &[degraded("90"), down("98"), UNUSUAL]);
pub(super) const SWAP: Table = percent("host.swap", "[host.swap]", &[degraded("80"), down("95"), UNUSUAL]);

pub(super) const LOAD: Table = Table {
    path: "host.load",
    head: "[host.load]",
    about: "Hundredths per core: 400 is four waiting per core.",
    keys: &[
        Key::new("degraded", Number { least: 1, most: 100_000 }, "from here on it is degraded")
            .range("1 to 100000")
            .usual("400"),
        Key::new("down", Number { least: 1, most: 100_000 }, "from here on it is down")
            .range("above degraded")
            .usual("1000"),
        UNUSUAL,
    ],
};

pub(super) const PRESSURE: Table = Table {
    path: "host.pressure",
    head: "[host.pressure]",
    about: "Percent of the last ten seconds in which something waited; `pressure = false` watches none.",
    keys: &[
        Key::new("cpu", At("host.pressure.cpu"), "for CPU").usual("{ degraded = 80, down = 95 }"),
        Key::new("memory", At("host.pressure.memory"), "for memory").usual("{ degraded = 20, down = 50 }"),
        Key::new("io", At("host.pressure.io"), "for disks").usual("{ degraded = 60, down = 90 }"),
    ],
};

pub(super) const PRESSURE_CPU: Table =
    waited("host.pressure.cpu", "[host.pressure.cpu]", &[degraded("80"), down("95"), UNUSUAL]);
pub(super) const PRESSURE_MEMORY: Table =
    waited("host.pressure.memory", "[host.pressure.memory]", &[degraded("20"), down("50"), UNUSUAL]);
pub(super) const PRESSURE_IO: Table =
    waited("host.pressure.io", "[host.pressure.io]", &[degraded("60"), down("90"), UNUSUAL]);

pub(super) const SPACE: Table = Table {
    path: "host.space",
    head: "[[host.space]]",
    about: "Percent in use below one mount point. Growth that was seen for a third of `full_within` is told as well.",
    keys: &[MOUNTED, degraded("90"), down("97"), FULL_WITHIN],
};

pub(super) const INODES: Table = Table {
    path: "host.inodes",
    head: "[[host.inodes]]",
    about: "Percent of the inodes in use below one mount point. Growth is told as for space.",
    keys: &[MOUNTED, degraded("90"), down("97"), FULL_WITHIN],
};

pub(super) const MOUNT: Table = Table {
    path: "host.mount",
    head: "[[host.mount]]",
    about: "A filesystem is mounted there, answers, and can be written to.",
    keys: &[
        MOUNTED,
        Key::new("writable", Flag, "whether it must be writable")
            .else_("what `/etc/fstab` says, else as it is when the file is read")
            .example("true"),
    ],
};

pub(super) const NET: Table = Table {
    path: "host.net",
    head: "[[host.net]]",
    about: "An interface has a link. Limits are errors and drops from one look to the next.",
    keys: &[
        Key::new("interface", Text, "which").range("as `ip link` shows it").needed().example("\"eth0\""),
        Key::new("degraded", Number { least: 1, most: 1_000_000 }, "from here on it is degraded")
            .range("1 to 1000000")
            .usual("1000"),
        Key::new("down", Number { least: 1, most: 1_000_000 }, "from here on it is down")
            .range("above degraded")
            .else_("never")
            .example("100000"),
    ],
};

pub(super) const TEMPERATURE: Table = Table {
    path: "host.temperature",
    head: "[[host.temperature]]",
    about: "A chip's name in `/sys/class/hwmon`, or a zone's type in `/sys/class/thermal`. Limits are °C.",
    keys: &[
        Key::new("sensor", Text, "which").range("a name without spaces").needed().example("\"coretemp\""),
        Key::new("degraded", Number { least: 1, most: 150 }, "from here on it is degraded")
            .range("1 to 150")
            .else_("the sensor's own `max`, else 85")
            .example("80"),
        Key::new("down", Number { least: 1, most: 150 }, "from here on it is down")
            .range("above degraded")
            .else_("the sensor's own `crit`, else 95")
            .example("95"),
    ],
};

pub(super) const UNUSUAL: Key = Key::new(
    "unusual",
    Span,
    "for so long it must be far from what its hour usually has until it is degraded",
)
.range("10 min to 24 h, at least 6 intervals of at most 10 min; `0s`: never")
.else_("never")
.example("\"30m\"");
const FULL_WITHIN: Key = Key::new(
    "full_within",
    Span,
    "so long before it will be full it is degraded, and within a quarter of that down",
)
.range("1 min to 30 d, at least 30 intervals; `0s`: no forecast")
.usual("\"4h\"");
const MOUNTED: Key = Key::new("mount", Text, "which")
    .range("path from the root, without spaces; with its kind at most 64 characters")
    .needed()
    .example("\"/srv\"");

const fn percent(path: &'static str, head: &'static str, keys: &'static [Key]) -> Table {
    Table { path, head, about: "Percent in use.", keys }
}

const fn waited(path: &'static str, head: &'static str, keys: &'static [Key]) -> Table {
    Table { path, head, about: "Percent of the last ten seconds.", keys }
}

const fn degraded(usual: &'static str) -> Key {
    Key::new("degraded", Number { least: 1, most: 100 }, "from here on it is degraded")
        .range("1 to 100")
        .usual(usual)
}

const fn down(usual: &'static str) -> Key {
    Key::new("down", Number { least: 1, most: 100 }, "from here on it is down")
        .range("above degraded")
        .usual(usual)
}

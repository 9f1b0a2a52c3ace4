//! Every table and limit of the house in one place: a change of direction or size is a change of this file.
//!
//! Folders are relative to the workspace root. A crate that a table does not name is a finding, so that a new crate
//! states its arrows on the day it is added.

/// A crate of the workspace and which of our own crates it may depend on, for building as for its tests.
#[derive(Debug, Clone, Copy)]
pub struct Crate {
    /// The package's name.
    pub name: &'static str,
    /// Our packages that it may name.
    pub may_import: &'static [&'static str],
    /// The foreign packages that it may build with; `None` leaves the choice to review.
    pub foreign: Option<&'static [&'static str]>,
}

/// Small, `no_std`, without a build script that reads the machine: values and their encoding, nothing else.
const PURE: Option<&[&str]> = Some(&["crc", "heapless", "postcard", "serde"]);

/// The arrows between crates. Nobody imports `picket-tests`, since no row names it.
pub const CRATES: &[Crate] = &[
    Crate { name: "picket-proto", may_import: &[], foreign: PURE },
    Crate { name: "picket-lease", may_import: &["picket-proto"], foreign: PURE },
    Crate { name: "picket-rpc", may_import: &["picket-proto"], foreign: None },
    Crate { name: "picket-agent-core", may_import: &["picket-proto", "picket-lease"], foreign: PURE },
    Crate { name: "picket-collector-core", may_import: &["picket-proto", "picket-lease"], foreign: PURE },
    Crate {
        name: "picket-agent",
        may_import: &["picket-agent-core", "picket-proto", "picket-lease", "picket-rpc"],
        foreign: None,
    },
    Crate {
        name: "picket-collector",
        may_import: &["picket-collector-core", "picket-proto", "picket-lease", "picket-rpc"],
        foreign: None,
    },
    Crate {
        name: "picket",
        may_import: &["picket-proto", "picket-rpc", "picket-agent", "picket-collector"],
        foreign: None,
    },
    Crate {
        name: "picket-tests",
        may_import: &[
            "picket-proto",
            "picket-lease",
            "picket-rpc",
            "picket-agent-core",
            "picket-collector-core",
            "picket-agent",
            "picket-collector",
            "picket",
        ],
        foreign: None,
    },
];

/// A core and the order of its rooms.
#[derive(Debug, Clone, Copy)]
pub struct Core {
    /// The core's folder.
    pub folder: &'static str,
    /// Rooms that hold values only. Every room may name them; they name each other from left to right.
    pub leaves: &'static [&'static str],
    /// Rooms in the order in which a fact walks. A room may name the types of a room to its left.
    pub pipeline: &'static [&'static str],
    /// Rooms that stand above the pipeline, beside `lib.rs`: they route or hold together, so they may name and call
    /// every room. No room of the pipeline may name one.
    pub above: &'static [&'static str],
    /// What the core's `lib.rs` declares and no room may name: its words and the machine itself.
    pub roof: &'static [&'static str],
    /// Arrows that stand although they lead the wrong way. One that nothing needs any more is a finding.
    pub admitted: &'static [Admitted],
}

/// An arrow against the pipeline, admitted for a reason.
#[derive(Debug, Clone, Copy)]
pub struct Admitted {
    /// The room that names.
    pub from: &'static str,
    /// The room, or the name of the roof, that is named.
    pub to: &'static str,
    /// Why it is better than the other ways.
    pub why: &'static str,
}

/// The rooms of each core. A room that is in neither list is a finding.
pub const CORES: &[Core] = &[
    Core {
        folder: "agent/core",
        // Deadlines are values that every room arms and facts are what every room tells; neither knows a room.
        leaves: &["timer", "facts", "shelf"],
        // `life` is the last word: the agent is over when the session is.
        pipeline: &[
            "check", "past", "policy", "hold", "unit", "baseline", "service", "spool", "session", "life",
        ],
        // The memory that the rooms are lent, what may be seen and kept of them, and what walks through several.
        above: &["asked", "storage", "view", "keep", "walk", "reload"],
        roof: &["Input", "Effect", "Agent"],
        admitted: &[],
    },
    Core {
        folder: "collector/core",
        leaves: &["table"],
        // `host` and `record` gather what the rooms before them know: of one host, and for the journal.
        pipeline: &[
            "identity",
            "ingest",
            "signal",
            "topology",
            "correlate",
            "incident",
            "failover",
            "notify",
            "host",
            "record",
            "store",
        ],
        // The durable state as a whole, how a fact of each lane walks through it, what is read from it, and what goes to hosts.
        above: &["state", "live", "backlog", "view", "order"],
        roof: &["Input", "Effect", "Collector"],
        admitted: COLLECTOR_DEBTS,
    },
];

/// Arrows that the collector's core should lose; only the outbox's is there to stay.
const COLLECTOR_DEBTS: &[Admitted] = &[
    Admitted {
        from: "identity",
        to: "Collector",
        why: "its handler is a method of the machine; with its own state and an `out` it would need neither",
    },
    Admitted {
        from: "identity",
        to: "Effect",
        why: "its handler is a method of the machine; with its own state and an `out` it would need neither",
    },
    Admitted {
        from: "identity",
        to: "record",
        why: "its handler writes the journal's words itself; it would return its own, and lib.rs wrap them",
    },
    Admitted {
        from: "ingest",
        to: "Collector",
        why: "its handler is a method of the machine; with its own state and an `out` it would need neither",
    },
    Admitted {
        from: "ingest",
        to: "Effect",
        why: "its handler is a method of the machine; with its own state and an `out` it would need neither",
    },
    Admitted {
        from: "ingest",
        to: "record",
        why: "its handler writes the journal's words itself; it would return its own, and lib.rs wrap them",
    },
    Admitted {
        from: "ingest",
        to: "host",
        why: "it asks for a host's limits and trust; lib.rs would hand them in",
    },
    Admitted {
        from: "signal",
        to: "incident",
        why: "a signal names the incident that owns it by number, and a severity: both are plain values",
    },
    Admitted {
        from: "incident",
        to: "Collector",
        why: "its handler is a method of the machine; with its own state and an `out` it would need neither",
    },
    Admitted {
        from: "incident",
        to: "Effect",
        why: "its handler is a method of the machine; with its own state and an `out` it would need neither",
    },
    Admitted {
        from: "incident",
        to: "record",
        why: "its handler writes the journal's words itself; it would return its own, and lib.rs wrap them",
    },
    Admitted {
        from: "incident",
        to: "view",
        why: "an answer and a change carry the incident as operators get it; lib.rs would draw it",
    },
    Admitted {
        from: "store",
        to: "Effect",
        why: "the outbox holds effects of every kind back until their record is durable",
    },
];

/// Crates that must stay pure: `no_std`, without unsafe code. The cores and the language.
pub const PURE_FOLDERS: &[&str] = &["proto", "proto/lease", "agent/core", "collector/core"];

/// Crates that must do without an allocator, since a microcontroller runs them.
pub const WITHOUT_ALLOC: &[&str] = &["proto", "proto/lease", "agent/core"];

/// The only file that may hold unsafe code: what the kernel offers and no safe crate wraps.
pub const UNSAFE_FILE: &str = "agent/src/sys.rs";

/// Most variants of `Input` and of `Effect`: one per room, and no core has room for more rooms than this.
pub const MAX_VARIANTS: usize = 10;

/// Most bytes of one `Input` or `Effect`: two cache lines. Larger things cross as a range of a ring.
pub const MAX_WORD_BYTES: usize = 128;

/// Most lines of a core's `lib.rs`: it routes, one line per variant, and holds no engine.
pub const MAX_LIB_LINES: usize = 200;

/// Lines of a file's body above which the ratchet lists it. The target is 200; up to here nobody has to argue.
pub const LISTED_FILE_LINES: usize = 300;

/// Most lines of a file's body, listed or not.
pub const MAX_FILE_LINES: usize = 600;

/// Lines of a function above which the ratchet lists it. The target is about 10.
pub const LISTED_FN_LINES: usize = 50;

/// Most lines of a function, listed or not.
pub const MAX_FN_LINES: usize = 70;

/// Where the ratchet is kept.
pub const RATCHET: &str = "tests/tidy-ratchet.txt";

//! The cases, each with a unit of its own.

use Program::{Eats, Hangs, Limited, Runs};
use Restart::{Always, No, OnFailure};
use Step::{Break, Ctl, KillBus, Mask, RemoveFile, Signal, Told};

/// What systemd itself does when the unit ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Restart {
    /// Nothing.
    No,
    /// Starts it again unless it ended well, a SIGTERM included.
    OnFailure,
    /// Starts it again.
    Always,
}

impl Restart {
    /// As a unit's file has it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::No => "no",
            Self::OnFailure => "on-failure",
            Self::Always => "always",
        }
    }
}

/// What a unit runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Program {
    /// Ends with 0 on SIGUSR2 and with 1 on SIGUSR1.
    Runs { restart_after: &'static str },
    /// The same, and fails at its start once it is broken; three starts are its limit.
    Limited,
    /// Tells its watchdog that it is well until it is broken.
    Hangs,
    /// Takes all the memory it gets once it is broken, and mends that, so that it does so once.
    Eats,
}

/// What is done, one after the other. `UNIT` stands for the unit's name.
#[derive(Debug, Clone, Copy)]
pub(super) enum Step {
    Signal(&'static str),
    Ctl(&'static [&'static str]),
    Break,
    RemoveFile,
    Mask,
    KillBus,
    /// Waits until the agent tells this.
    Told(&'static str),
}

/// A case, and what must come of it.
#[derive(Debug)]
pub struct Case {
    /// What is done.
    pub name: &'static str,
    /// What the unit says of restarts.
    pub restart: Restart,
    pub(super) program: Program,
    pub(super) steps: &'static [Step],
    /// Words of each reason that the agent tells, in their order.
    pub(super) causes: &'static [&'static str],
    /// How often systemd starts it again.
    pub(super) by_systemd: usize,
    /// How often Picket does, or asks for it.
    pub(super) by_picket: usize,
    /// Of the latter those that systemd refuses.
    pub(super) refused: usize,
}

/// Where a unit has its files.
#[derive(Debug)]
pub struct Paths {
    /// The unit's own.
    pub unit: String,
    /// Gets a line per start.
    pub starts: String,
    /// Is there once it is broken.
    pub broken: String,
}

/// Long enough that an agent on a busy machine sees how it ended before systemd forgets that with the next start.
const SOON: Program = Runs { restart_after: "2s" };
/// In the time until systemd's own restart something else is done.
const LATER: Program = Runs { restart_after: "10min" };
/// Somebody who was blind for a moment still sees how it ended, before systemd forgets that with the next start.
const SOMEWHAT: Program = Runs { restart_after: "5s" };
const STOP: Step = Ctl(&["stop", "UNIT"]);
const RELOAD: Step = Ctl(&["daemon-reload"]);
/// Forgets how often it was started: a reload does so before systemd 254, and keeps it since.
const FORGET: Step = Ctl(&["reset-failed", "UNIT"]);
const REEXEC: Step = Ctl(&["daemon-reexec"]);
const DIED: Step = Told("service-died");
const SEES: Step = Told("blind-systemd");

/// One that is healed: by systemd or by Picket, once.
const fn healed(
    name: &'static str,
    (restart, program): (Restart, Program),
    steps: &'static [Step],
    causes: &'static [&'static str],
    by_systemd: usize,
) -> Case {
    Case { name, restart, program, steps, causes, by_systemd, by_picket: 1 - by_systemd, refused: 0 }
}

/// One that nobody starts again.
const fn left(
    name: &'static str,
    (restart, program): (Restart, Program),
    steps: &'static [Step],
    causes: &'static [&'static str],
) -> Case {
    Case { name, restart, program, steps, causes, by_systemd: 0, by_picket: 0, refused: 0 }
}

/// Systemd tries as often as it may, counted anew; then Picket once.
const fn limited(restart: Restart) -> Case {
    Case {
        name: "start limit (3 starts)",
        restart,
        program: Limited,
        steps: &[FORGET, Break, Signal("KILL")],
        causes: &["SIGKILL", "status 3", "status 3", "status 3", "its start limit is hit"],
        by_systemd: 3,
        by_picket: 1,
        refused: 1,
    }
}

/// Systemd has nothing to start any more; Picket asks once and hears why.
const fn without_file(restart: Restart) -> Case {
    Case {
        name: "file deleted, reload, SIGKILL",
        restart,
        program: SOON,
        steps: &[RemoveFile, RELOAD, Signal("KILL")],
        causes: &["SIGKILL", "no such file"],
        by_systemd: 0,
        by_picket: 1,
        refused: 1,
    }
}

const KILL: &[Step] = &[Signal("KILL")];
const TERM: &[Step] = &[Signal("TERM")];
const EXIT_0: &[Step] = &[Signal("USR2")];
const EXIT_1: &[Step] = &[Signal("USR1")];
const STOPPED_AGAIN: &[Step] = &[Signal("KILL"), DIED, STOP];
const REEXEC_AGAIN: &[Step] = &[Signal("KILL"), DIED, REEXEC];
const REEXEC_KILL: &[Step] = &[REEXEC, Signal("KILL")];
const BLIND_KILL: &[Step] = &[KillBus, Signal("KILL"), SEES];
const WATCHDOG: &[Step] = &[Break];
const MEMORY: &[Step] = &[Break];

/// All of them. The last one is healed behind all others, whose late starts would be seen by then.
pub const CASES: &[Case] = &[
    healed("SIGKILL", (No, SOON), KILL, &["SIGKILL"], 0),
    healed("SIGKILL", (OnFailure, SOON), KILL, &["SIGKILL"], 1),
    healed("SIGKILL", (Always, SOON), KILL, &["SIGKILL"], 1),
    healed("SIGTERM by a stranger", (No, SOON), TERM, &["SIGTERM"], 0),
    healed("SIGTERM by a stranger", (OnFailure, SOON), TERM, &["SIGTERM"], 0),
    healed("SIGTERM by a stranger", (Always, SOON), TERM, &["SIGTERM"], 1),
    healed("exit 0", (No, SOON), EXIT_0, &["status 0"], 0),
    healed("exit 0", (OnFailure, SOON), EXIT_0, &["status 0"], 0),
    healed("exit 0", (Always, SOON), EXIT_0, &["status 0"], 1),
    healed("exit 1", (No, SOON), EXIT_1, &["status 1"], 0),
    healed("exit 1", (OnFailure, SOON), EXIT_1, &["status 1"], 1),
    healed("exit 1", (Always, SOON), EXIT_1, &["status 1"], 1),
    left("operator stop", (No, SOON), &[STOP], &["stopped"]),
    left("operator stop", (OnFailure, SOON), &[STOP], &["stopped"]),
    left("operator stop", (Always, SOON), &[STOP], &["stopped"]),
    left("stop during auto-restart", (OnFailure, LATER), STOPPED_AGAIN, &["SIGKILL", "stopped"]),
    left("stop during auto-restart", (Always, LATER), STOPPED_AGAIN, &["SIGKILL", "stopped"]),
    limited(OnFailure),
    limited(Always),
    without_file(No),
    without_file(Always),
    left("masked while running, SIGKILL", (No, SOON), &[Mask, RELOAD, Signal("KILL")], &["masked"]),
    left("masked while running, SIGKILL", (Always, SOON), &[Mask, RELOAD, Signal("KILL")], &["masked"]),
    left("daemon-reload", (Always, SOON), &[RELOAD], &[]),
    left("daemon-reexec", (Always, SOON), &[REEXEC], &[]),
    healed("daemon-reexec, SIGKILL at once", (No, SOON), REEXEC_KILL, &["SIGKILL"], 0),
    healed("daemon-reexec, SIGKILL at once", (Always, SOMEWHAT), REEXEC_KILL, &["SIGKILL"], 1),
    healed("daemon-reexec during auto-restart", (OnFailure, SOMEWHAT), REEXEC_AGAIN, &["SIGKILL"], 1),
    healed("daemon-reexec during auto-restart", (Always, SOMEWHAT), REEXEC_AGAIN, &["SIGKILL"], 1),
    left("bus killed", (Always, SOON), &[KillBus, SEES], &[]),
    healed("bus killed, SIGKILL while away", (No, SOON), BLIND_KILL, &["SIGKILL"], 0),
    healed("bus killed, SIGKILL while away", (OnFailure, SOMEWHAT), BLIND_KILL, &["SIGKILL"], 1),
    healed("bus killed, SIGKILL while away", (Always, SOMEWHAT), BLIND_KILL, &["SIGKILL"], 1),
    healed("WatchdogSec runs out", (No, Hangs), WATCHDOG, &["watchdog"], 0),
    healed("WatchdogSec runs out", (OnFailure, Hangs), WATCHDOG, &["watchdog"], 1),
    healed("WatchdogSec runs out", (Always, Hangs), WATCHDOG, &["watchdog"], 1),
    healed("out of its memory", (No, Eats), MEMORY, &["SIGKILL"], 0),
    healed("out of its memory", (OnFailure, Eats), MEMORY, &["SIGKILL"], 1),
    healed("out of its memory", (Always, Eats), MEMORY, &["SIGKILL"], 1),
    healed("SIGKILL, behind all these", (No, SOON), KILL, &["SIGKILL"], 0),
];

impl Case {
    /// How often its unit starts in all, the first time included.
    pub(super) const fn starts(&self) -> usize {
        1 + self.by_systemd + self.by_picket - self.refused
    }

    /// What the agent says when it is well again.
    pub(super) const fn proof(&self) -> &'static str {
        if self.by_picket > 0 { "remedy-held" } else { "service-started" }
    }

    /// ActiveState at the end.
    pub(super) fn ends(&self) -> &'static str {
        match (self.starts(), self.causes.last()) {
            (_, None) => "active",
            (_, Some(_)) if self.refused > 0 => "failed",
            (1, Some(&"stopped")) => "inactive",
            (1, Some(_)) => "failed",
            (_, Some(_)) => "active",
        }
    }

    /// Whether it needs a PID 1 of its own.
    pub(super) fn needs_whole(&self) -> bool {
        self.program == Eats || self.steps.iter().any(|step| matches!(step, KillBus))
    }

    /// Its unit's file.
    pub fn unit(&self, paths: &Paths) -> String {
        let (starts, broken, restart) = (&paths.starts, &paths.broken, self.restart.word());
        let traps = "trap \"exit 1\" USR1; trap \"exit 0\" USR2; while :; do sleep 60 & wait; done";
        let (limit, more, after, run) = match self.program {
            Runs { restart_after } => ("StartLimitIntervalSec=0", "", restart_after, traps.to_owned()),
            Limited => (
                "StartLimitIntervalSec=1h\nStartLimitBurst=3",
                "",
                "2s",
                format!("[ ! -e {broken} ] || exit 3; {traps}"),
            ),
            Hangs => (
                "StartLimitIntervalSec=0",
                "Type=notify\nNotifyAccess=all\nWatchdogSec=5\n",
                "2s",
                format!(
                    "systemd-notify --ready; while [ ! -e {broken} ]; do systemd-notify WATCHDOG=1; sleep 0.1; done; rm {broken}; exec sleep 600"
                ),
            ),
            Eats => (
                "StartLimitIntervalSec=0",
                "MemoryMax=32M\n",
                "2s",
                format!("while [ ! -e {broken} ]; do sleep 0.1; done; rm {broken}; exec tail /dev/zero"),
            ),
        };
        format!(
            "[Unit]\n{limit}\n[Service]\nRestart={restart}\nRestartSec={after}\nTimeoutStopSec=5\n{more}\
             ExecStart=/bin/sh -c 'echo start >> {starts}; {run}'\n"
        )
    }

    /// More keys of its service: one remedy is enough where none helps.
    pub fn keys(&self) -> &'static str {
        if self.refused > 0 {
            "budget = 1\nbudget_window = \"24h\"\nretry_after = \"1h\"\nsame_deaths = 100\n"
        } else {
            ""
        }
    }
}

/// The agent's configuration of the service `web-nth`, with `keys` of its own: remedies rest for no longer than a test likes, and are
/// not used up where nothing is said of a budget.
pub fn service(nth: usize, keys: &str) -> String {
    let budget = if keys.contains("budget =") {
        ""
    } else {
        "budget = 32\nbudget_window = \"1s\"\nsame_deaths = 100\n"
    };
    format!(
        "[[service]]\nname = \"web-{nth}\"\nunit = \"web-{nth}.service\"\nhold = \"100ms\"\nbackoff_first = \"10ms\"\n\
         backoff_max = \"50ms\"\n{budget}{keys}"
    )
}

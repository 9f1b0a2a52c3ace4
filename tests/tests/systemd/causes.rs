//! Why a unit ended or did not start, where its exit status does not tell: systemd's own word for it reaches a person.
//!
//! Its watchdog and the memory that it may have are in `table`.

use super::host::{Files, Host};
use rustix::process::Signal;

/// A unit that runs until it is broken, and the words for what becomes of its next start.
struct Row {
    unit: &'static str,
    service: &'static str,
    words: &'static str,
}

const RUN: &str = "ExecStart=/bin/sh -c 'echo start >> {starts}; exec sleep 600'\n";

const ROWS: [Row; 6] = [
    Row {
        unit: "StartLimitIntervalSec=600\nStartLimitBurst=3\n",
        service: "Restart=always\nRestartSec=10ms\nExecStart=/bin/sh -c 'echo start >> {starts}; [ ! -e {broken} ] || \
                  exit 3; exec sleep 600'\n",
        words: "its start limit is hit",
    },
    Row {
        unit: "Requires=need-{nth}.service\nAfter=need-{nth}.service\n",
        service: "{run}",
        words: "something that it needs did not start",
    },
    Row {
        unit: "ConditionPathExists=!{broken}\n",
        service: "{run}",
        words: "a condition of its unit is not met",
    },
    Row {
        unit: "",
        service: "Type=notify\nNotifyAccess=all\nTimeoutStartSec=500ms\nExecStart=/bin/sh -c 'echo start >> {starts}; \
                  [ -e {broken} ] || systemd-notify --ready; exec sleep 600'\n",
        words: "it did not start or stop in time",
    },
    Row {
        unit: "",
        service: "Type=notify\nNotifyAccess=all\nExecStart=/bin/sh -c 'echo start >> {starts}; [ ! -e {broken} ] || \
                  exit 0; systemd-notify --ready; exec sleep 600'\n",
        words: "did not start in the way that its unit's type promises",
    },
    Row {
        unit: "",
        service: "EnvironmentFile={needed}\n{run}",
        words: "something that it is started with is missing",
    },
];

fn texts(nth: usize, row: &Row, files: &Files) -> Vec<(String, String)> {
    std::fs::write(&files.needed, "A=1\n").unwrap();
    let text = format!("[Unit]\n{}[Service]\nTimeoutStopSec=5\n{}", row.unit, row.service);
    let text =
        text.replace("{run}", RUN).replace("{nth}", &nth.to_string()).replace("{starts}", &files.starts);
    let text = text.replace("{broken}", &files.broken).replace("{needed}", &files.needed);
    let need = format!("[Service]\nType=oneshot\nExecStart=/bin/sh -c '[ ! -e {} ]'\n", files.broken);
    vec![(format!("web-{nth}.service"), text), (format!("need-{nth}.service"), need)]
}

/// Purpose: "ended, how is not known" is no answer where systemd knows.
#[test]
fn what_systemd_knows_of_a_start_that_failed_is_told() {
    let Some(mut host) = Host::with("what_systemd_knows_of_a_start_that_failed", &ROWS, texts) else {
        return;
    };
    for (nth, row) in ROWS.iter().enumerate() {
        host.break_it(nth);
        host.signal(nth, Signal::KILL);
        let line = host.told_words(nth, row.words);
        println!("{line}");
    }
    let said = host.agent.said();
    assert!(!said.contains("how is not known"), "{said}");
}

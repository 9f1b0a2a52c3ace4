//! The agent's whole life under BusyBox init, with a service that it started itself.

use super::host::{AGENT, CONFIG, Host, until};
use super::made::{Made, SIGNER, done, tree};
use std::process::Command;

/// One that never answers.
const SLOW: &str = "#!/bin/sh\n# 3.1\nexec sleep 100000\n";
/// One that will not start, as with a configuration that it can't read: that is known at once.
const REFUSES: &str = "#!/bin/sh\nexit 64\n";

const LINE: &str = "::respawn:/usr/lib/picket-agent/keep --syslog";

#[test]
fn an_agent_lives_its_whole_life_under_busybox_init() {
    const NAME: &str = "an_agent_lives_its_whole_life_under_busybox_init";
    let Some(made) = Made::begin(NAME) else { return };
    let Some(host) = Host::begin(NAME, &made, "") else { return };
    let [first, second, third, slow] = [
        ("1.0", AGENT.replace("VERSION", "1.0")),
        ("2.0", AGENT.replace("VERSION", "2.0")),
        ("3.0", REFUSES.to_owned()),
        ("3.1", SLOW.to_owned()),
    ]
    .map(|(version, program)| host.brings(&made.archive(version, &program)));
    done(Command::new("cp").arg(made.key(SIGNER)).arg(host.seen.join("root/key.asc")));
    let before = tree(&host.root);
    installed(&host, &first);
    let service = host.read("var/lib/picket-agent/services/one.process");
    let service = service.split_whitespace().nth(1).unwrap().to_owned();
    upgraded(&host, &second, &third, &slow);
    tried_once(&host);
    removed(&host, &service, &second);
    let after = tree(&host.root);
    let new: Vec<_> =
        after.iter().filter(|path| !before.contains(path) && !path.starts_with("var/log")).collect();
    assert!(new.iter().all(|path| path.starts_with("dev/") || path.starts_with("run/")), "{new:?}");
    assert_eq!(host.does(&format!("kill -0 {service}")).code, 0, "the service never noticed");
}

/// Nothing is believed without a tool to check it; the table is the host's own unless that is asked for.
fn installed(host: &Host, install: &str) {
    let refused = host.does(&format!("{install} --key /root/key.asc"));
    refused.is(2, "neither gpgv nor gpg nor sqv is here");
    assert!(!host.seen.join("usr/bin/picket-agent").exists());
    host.does(&format!("{install} --checksums-only")).is(0, LINE);
    assert!(!host.read("etc/inittab").contains("picket"));
    host.does(&format!("{install} --checksums-only --inittab")).is(0, "1.0 is installed in the place of 1.0");
    assert!(host.read("etc/inittab").ends_with(&format!("\n{LINE}\n")));
    host.configured();
}

/// The new one must answer and go on for five seconds; one that does not is put back.
fn upgraded(host: &Host, better: &str, broken: &str, slow: &str) {
    host.does(&format!("{better} --checksums-only")).is(0, "2.0 runs in the place of 1.0");
    assert!(host.read("usr/bin/picket-agent").contains("# 2.0"));
    host.answers();
    host.does(&format!("PICKET_AGENT_PATIENCE=60 {broken} --checksums-only"))
        .is(1, "3.0 does not come up (it has 60 s); 2.0 is put back, and runs");
    assert!(host.read("usr/bin/picket-agent").contains("# 2.0"));
    assert!(host.read("usr/lib/picket-agent/installed").contains("version 2.0"));
    assert!(!host.seen.join("var/lib/picket-agent.before").exists());
    host.answers();
    // An upgrade that a person ends while it waits: the older one is there again, and is what runs.
    let ended = "(while ! grep -q '# 3.1' /usr/bin/picket-agent; do :; done; kill -TERM $$) & exec";
    host.does(&format!("{ended} {slow} --checksums-only"))
        .is(130, "it was not finished, so all is as it was before");
    assert!(host.read("usr/bin/picket-agent").contains("# 2.0"));
    host.answers();
    // Killed, and what keeps it killed as well: there is one again, and never two.
    for whose in ["picket-agent.pid", "picket-agent-keep.pid"] {
        let old = host.does(&format!("cat /run/{whose}")).text;
        host.does(&format!("kill -9 {old}"));
        until("another is there", || {
            let new = host.does("cat /run/picket-agent.pid").text;
            new != old && host.does(&format!("kill -0 {new}")).code == 0
        });
        host.answers();
    }
}

/// One that refuses its configuration is tried again when that changes and not before, also where the clock is behind every file.
fn tried_once(host: &Host) {
    let program = host.seen.join("usr/bin/picket-agent");
    let whole = std::fs::read(&program).unwrap();
    std::fs::write(&program, "#!/bin/sh\necho >>/run/tries\nexit 64\n").unwrap();
    let tries = || host.does("cat /run/tries").text.lines().count();
    host.does("touch -d '2040-01-01 00:00' /etc/picket/* /etc/picket; kill $(cat /run/picket-agent.pid)")
        .is(0, "");
    until("it is refused", || host.does("cat /run/picket-agent.pid").text.trim() == "failed");
    let mut naps = std::collections::BTreeSet::new();
    until("its keeper has looked twice", || {
        naps.insert(host.does("pidof sleep").text);
        naps.len() > 3
    });
    assert_eq!(tries(), 1, "nothing has changed");
    host.does("touch /etc/picket").is(0, "");
    until("it is tried again", || tries() > 1);
    std::fs::write(&program, whole).unwrap();
    host.does("touch /etc/picket/token").is(0, "");
    host.answers();
}

fn removed(host: &Host, service: &str, install: &str) {
    let told = format!("services that it started run on, and nobody watches them: process {service}");
    host.does("sh /usr/lib/picket-agent/install.sh --uninstall").is(0, &told);
    assert!(!host.read("etc/inittab").contains("picket"));
    assert_eq!(host.read("etc/picket/agent.toml"), CONFIG);
    assert!(host.seen.join("var/lib/picket-agent").exists());
    // The first process buries them in its own time.
    until("none of them is left", || host.does("pidof rig keep").text.trim().is_empty());
    host.does(&format!("{install} --purge")).is(0, "nothing of the agent is left");
}

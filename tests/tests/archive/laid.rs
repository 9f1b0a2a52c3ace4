//! Installation into a folder: what lies where for each init system, what an upgrade changes, and that nothing is left.

use super::made::{Made, SHELLS, SIGNER, done, script, tree};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

const PROGRAM: &str = "#!/bin/sh\necho one\n";

/// Each init system with what it alone has, and what starts the agent at boot.
const KINDS: [(&str, &[&str]); 6] = [
    (
        "systemd",
        &[
            "usr/lib/systemd/system/picket-agent.service",
            "usr/lib/tmpfiles.d/picket-agent.conf",
            "etc/systemd/system/multi-user.target.wants/picket-agent.service",
        ],
    ),
    (
        "openrc",
        &["etc/init.d/picket-agent", "etc/runlevels/default/picket-agent", "usr/lib/picket-agent/keep"],
    ),
    (
        "runit",
        &[
            "etc/sv/picket-agent/run",
            "etc/sv/picket-agent/log/run",
            "etc/service/picket-agent",
            "usr/lib/picket-agent/keep",
        ],
    ),
    ("sysv", &["etc/init.d/picket-agent", "etc/rc2.d/S90picket-agent", "etc/rc0.d/K10picket-agent"]),
    ("busybox", &["usr/lib/picket-agent/keep"]),
    ("none", &[]),
];

/// Of every one.
const ALL: [&str; 8] = [
    "usr/bin/picket-agent",
    "usr/share/man/man1/picket-agent.1",
    "usr/share/bash-completion/completions/picket-agent",
    "usr/share/doc/picket-agent/copyright",
    "etc/picket/agent.toml.example",
    "etc/picket/agent.toml.d",
    "usr/lib/picket-agent/install.sh",
    "usr/lib/picket-agent/installed",
];

fn inittab(root: &Path) -> String {
    std::fs::read_to_string(root.join("etc/inittab")).unwrap()
}

#[test]
fn every_init_system_gets_its_own_and_nothing_is_left() {
    let Some(made) = Made::begin("every_init_system_gets_its_own_and_nothing_is_left") else { return };
    let archive = made.archive("1.0", PROGRAM);
    let install = archive.join("install.sh");
    let key = made.key(SIGNER);
    for (at, (kind, own)) in KINDS.iter().enumerate() {
        let shell = SHELLS[at % 2];
        let root = made.root(kind);
        let to = root.to_str().unwrap();
        let before = tree(&root);
        let args = ["--key", key.to_str().unwrap(), "--root", to, "--init", kind, "--inittab"];
        made.run(shell, &install, &args).is(0, "1.0 is installed; it waits for its configuration");
        let there = tree(&root);
        for path in ALL.iter().chain(*own) {
            assert!(there.iter().any(|one| one == path), "{kind}: no {path} in {there:?}");
        }
        let mode = |path: &str| root.join(path).metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!((mode("usr/bin/picket-agent"), mode("etc/picket")), (0o755, 0o700), "{kind}");
        let told = inittab(&root).lines().any(|line| line == "::respawn:/usr/lib/picket-agent/keep --syslog");
        assert_eq!(told, *kind == "busybox");

        std::fs::write(root.join("etc/picket/agent.toml"), "mine").unwrap();
        std::fs::create_dir_all(root.join("var/lib/picket-agent")).unwrap();
        let copy = root.join("usr/lib/picket-agent/install.sh");
        made.run(shell, &copy, &["--uninstall", "--root", to]).is(0, "the agent is removed");
        let left: Vec<_> = tree(&root).into_iter().filter(|path| !before.contains(path)).collect();
        assert_eq!(left, ["etc/picket", "etc/picket/agent.toml", "var/lib/picket-agent"], "{kind}");
        assert_eq!(inittab(&root).trim_end(), "::sysinit:/etc/init.d/rcS");

        made.run(shell, &install, &["--purge", "--root", to]).is(0, "nothing of the agent is left");
        assert_eq!(tree(&root), before, "{kind}");
    }
}

#[test]
fn an_upgrade_takes_the_place_of_the_older_and_keeps_what_is_yours() {
    let Some(made) = Made::begin("an_upgrade_takes_the_place_of_the_older_and_keeps_what_is_yours") else {
        return;
    };
    let old = made.archive("1.0", PROGRAM);
    // The newer one has no completions for fish any more, and an example of its own.
    let papers = std::fs::read_to_string(made.path("papers")).unwrap();
    script(&made.path("papers"), &papers.replace("echo $one", "echo newer $one"));
    let new = made.archive("2.0", "#!/bin/sh\necho two\n");
    for (at, shell) in SHELLS.iter().enumerate() {
        let root = made.root(&format!("root-{at}"));
        let to = root.to_str().unwrap();
        let read = |path: &str| std::fs::read_to_string(root.join(path)).unwrap();
        let key = made.key(SIGNER).with_extension("gpg");
        let args = ["--key", key.to_str().unwrap(), "--root", to, "--init", "openrc"];
        std::fs::create_dir_all(root.join("etc/picket/agent.toml.d")).unwrap();
        std::fs::write(root.join("etc/picket/agent.toml"), "mine").unwrap();
        made.run(shell, &old.join("install.sh"), &args).is(0, "1.0 is installed");
        // Somebody does not want it at boot.
        std::fs::remove_file(root.join("etc/runlevels/default/picket-agent")).unwrap();
        let was = tree(&root);

        // Where one file can't be laid none is: a folder stands in its way.
        let page = root.join("usr/share/man/man1/.picket-agent.1.picket-new");
        std::fs::create_dir_all(page.join("picket-agent.1/in the way")).unwrap();
        made.run(shell, &new.join("install.sh"), &args).is(1, "all is as it was");
        std::fs::remove_dir_all(&page).unwrap();
        assert_eq!((read("usr/bin/picket-agent").as_str(), tree(&root)), (PROGRAM, was.clone()));

        made.run(shell, &new.join("install.sh"), &args).is(0, "2.0 is installed in the place of 1.0");
        assert_eq!(read("usr/bin/picket-agent"), "#!/bin/sh\necho two\n");
        assert_eq!(read("etc/picket/agent.toml"), "mine");
        assert_eq!(read("etc/picket/agent.toml.example"), "newer agent.toml.example\n");
        assert_eq!(tree(&root), was, "nothing beside what was there, and still not started at boot");
        made.run(shell, &old.join("install.sh"), &args).is(0, "1.0 is installed in the place of 2.0");
        made.run(shell, &old.join("install.sh"), &["--purge", "--root", to])
            .is(0, "nothing of the agent is left");
    }
}

#[test]
fn what_only_the_older_one_had_goes() {
    let Some(made) = Made::begin("what_only_the_older_one_had_goes") else { return };
    let (old, root) = (made.archive("1.0", PROGRAM), made.root("root"));
    let papers = std::fs::read_to_string(made.path("papers")).unwrap();
    script(&made.path("papers"), &papers.replace("man/picket-agent.1", "man/picket-agent-new.1"));
    let new = made.archive("2.0", PROGRAM);
    let key = made.key(SIGNER);
    let args = ["--key", key.to_str().unwrap(), "--root", root.to_str().unwrap(), "--init"];
    let with = |kind: &'static str| [&args[..], &[kind]].concat();
    made.run(SHELLS[0], &old.join("install.sh"), &with("sysv")).is(0, "");
    // The host has another init system since.
    made.run(SHELLS[1], &new.join("install.sh"), &with("systemd")).is(0, "");
    let there = tree(&root);
    let has = |path: &str| there.iter().any(|one| one == path);
    assert!(has("usr/share/man/man1/picket-agent-new.1") && !has("usr/share/man/man1/picket-agent.1"));
    assert!(has("usr/lib/systemd/system/picket-agent.service") && !has("etc/init.d/picket-agent"));
    assert!(!has("etc/rc2.d/S90picket-agent") && !has("usr/lib/picket-agent/keep"), "{there:?}");
}

#[test]
fn an_archive_is_the_same_byte_for_byte() {
    let Some(made) = Made::begin("an_archive_is_the_same_byte_for_byte") else { return };
    let bytes = |out: &str| std::fs::read(made.packed("1.0", PROGRAM, None, out)).unwrap();
    assert!(bytes("first") == bytes("second"));
    let packed = made.packed("1.0", PROGRAM, Some(SIGNER), "third");
    done(
        Command::new("sha256sum")
            .args(["--check", "--status"])
            .arg(format!("{}.sha256", packed.display()))
            .current_dir(made.path("third")),
    );
    let key = made.key(SIGNER).with_extension("gpg");
    done(
        Command::new("gpgv").arg("--keyring").arg(key).arg(format!("{}.sig", packed.display())).arg(&packed),
    );
}

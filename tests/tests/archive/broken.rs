//! Installations that break in the midst: killed, unheard, on a disk that is full or read-only, beside another one, or with what an
//! earlier one left.

use super::host::{AGENT, Host, SMALL, until};
use super::made::{Made, SHELLS, SIGNER, Said, done, script, tree};
use std::ops::RangeInclusive;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const OLD: &str = "#!/bin/sh\necho one\n";
const NEW: &str = "#!/bin/sh\necho two\n";

/// How many files an installation for SysV init puts in their places, with the list before and after them.
const LAST: usize = 14;

/// Two versions, of which the older is installed in a folder.
struct Ground {
    made: Made,
    old: PathBuf,
    new: PathBuf,
    root: PathBuf,
}

impl Ground {
    fn begin(test: &str) -> Option<Self> {
        let made = Made::begin(test)?;
        let [old, new] =
            [("1.0", OLD), ("2.0", NEW)].map(|(version, program)| made.archive(version, program));
        let root = made.root("root");
        Some(Self { made, old: old.join("install.sh"), new: new.join("install.sh"), root })
    }

    fn words(&self) -> [String; 6] {
        let key = self.made.key(SIGNER);
        let words = ["--key", key.to_str().unwrap(), "--root", self.root.to_str().unwrap(), "--init", "sysv"];
        words.map(str::to_owned)
    }

    fn installs(&self, shell: &[&str], script: &Path) -> Said {
        self.made.run(shell, script, &self.words().each_ref().map(String::as_str))
    }

    fn purges(&self, shell: &[&str]) {
        let words = ["--purge", "--root", self.root.to_str().unwrap()];
        self.made.run(shell, &self.new, &words).is(0, "nothing of the agent is left");
    }

    fn program(&self) -> String {
        std::fs::read_to_string(self.root.join("usr/bin/picket-agent")).unwrap_or_default()
    }

    /// Installs the newer with another mv before the real one: from one call on, to another, it does something else.
    fn installs_with(&self, calls: RangeInclusive<usize>, does: &str) -> Said {
        let tools = self.made.path("tools");
        let _none_the_first_time = std::fs::remove_dir_all(&tools);
        std::fs::create_dir(&tools).unwrap();
        let count = tools.join("count").display().to_string();
        let text = format!(
            "#!/bin/sh\necho >>{count}\nat=$(wc -l <{count})\n\
             [ $at -lt {} ] || [ $at -gt {} ] || {does}\nexec /bin/mv \"$@\"\n",
            calls.start(),
            calls.end()
        );
        script(&tools.join("mv"), &text);
        let path = format!("{}:{}", tools.display(), std::env::var("PATH").unwrap());
        Said::of(&Command::new("dash").arg(&self.new).args(self.words()).env("PATH", path).output().unwrap())
    }
}

/// Wherever it is killed: what is there can be removed whole, and installed again.
#[test]
fn one_that_was_killed_is_undone_by_the_next() {
    let Some(ground) = Ground::begin("one_that_was_killed_is_undone_by_the_next") else { return };
    let empty = tree(&ground.root);
    // Each file takes its place by mv: the list of them first, then the files by name, then the list that has held.
    for (at, call) in [1, 2, 9, LAST].into_iter().enumerate() {
        ground.installs(SHELLS[at % 2], &ground.old).is(0, "1.0 is installed");
        let whole = tree(&ground.root);
        ground.installs_with(call..=call, "kill -9 $PPID").is(-1, "");
        // By the same one again, by the older, or by its removal.
        match at {
            0 | 3 => {
                ground.installs(SHELLS[0], &ground.new).is(0, "2.0 is installed in the place of");
                assert_eq!((ground.program().as_str(), tree(&ground.root)), (NEW, whole), "{call}");
            }
            1 => {
                let said = ground.installs(SHELLS[1], &ground.old);
                said.is(0, "an installation that was interrupted is undone first");
                said.is(0, "1.0 is installed in the place of 1.0");
                assert_eq!((ground.program().as_str(), tree(&ground.root)), (OLD, whole), "{call}");
            }
            _ => (),
        }
        ground.purges(SHELLS[at % 2]);
        assert_eq!(tree(&ground.root), empty, "{call}");
    }
}

/// The same for one that ends because something fails: then nothing is left to do.
#[test]
fn one_that_fails_in_the_midst_puts_everything_back() {
    let Some(ground) = Ground::begin("one_that_fails_in_the_midst_puts_everything_back") else { return };
    ground.installs(SHELLS[0], &ground.old).is(0, "1.0 is installed");
    let whole = tree(&ground.root);
    for call in [1, 2, 5, 9] {
        ground.installs_with(call..=call, "exit 1").is(1, "it was not finished, so all is as it was before");
        assert_eq!((ground.program().as_str(), tree(&ground.root)), (OLD, whole.clone()), "{call}");
    }
    // Where even that fails it is said, and kept for the next.
    let said = ground.installs_with(3..=9999, "exit 1");
    said.is(1, "these are not as they were before: /etc/init.d/picket-agent");
    assert!(!said.text.contains("all is as it was"), "{said:?}");
    ground.installs(SHELLS[1], &ground.old).is(0, "1.0 is installed in the place of 1.0");
    assert_eq!((ground.program().as_str(), tree(&ground.root)), (OLD, whole));
}

/// Nobody hears it, as with a pipe to what has ended: it goes on.
#[test]
fn one_that_nobody_hears_is_finished() {
    let Some(ground) = Ground::begin("one_that_nobody_hears_is_finished") else { return };
    for (shell, script) in SHELLS.iter().zip([&ground.old, &ground.new]) {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = Command::new(shell[0]);
        command.args(&shell[1..]).arg(script).args(ground.words());
        let status = command
            .stdout(Stdio::from(writer.try_clone().unwrap()))
            .stderr(Stdio::from(writer))
            .status()
            .unwrap();
        assert!(status.success(), "{shell:?} {status}");
    }
    assert_eq!(ground.program(), NEW);
    let left: Vec<_> = tree(&ground.root).into_iter().filter(|path| path.contains(".picket-")).collect();
    assert!(left.is_empty() && !ground.root.join("var/lib/picket-agent.before").exists(), "{left:?}");
}

/// One at a time, by who holds the lock and not by a number that another has by now.
#[test]
fn a_lock_of_one_that_lives_is_heeded_and_of_one_that_was_killed_is_not() {
    let Some(ground) = Ground::begin("a_lock_of_one_that_lives_is_heeded_and_of_one_that_was_killed_is_not")
    else {
        return;
    };
    let lock = ground.root.join("var/lib/picket-agent.lock");
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let began = stat.rsplit_once(") ").unwrap().1.split(' ').nth(19).unwrap();
    let me = std::process::id();
    for shell in SHELLS {
        symlink(format!("{me}.{began}"), &lock).unwrap();
        ground.installs(shell, &ground.old).is(1, &format!("another installation is at work (process {me})"));
        assert!(lock.symlink_metadata().is_ok());
        std::fs::remove_file(&lock).unwrap();
        symlink(format!("{me}.1"), &lock).unwrap();
        ground.installs(shell, &ground.old).is(0, "1.0 is installed");
        assert!(lock.symlink_metadata().is_err());
        ground.purges(shell);
    }
}

/// How the archive lies on its disk says nothing about how its files are installed.
#[test]
fn modes_are_those_of_the_place() {
    let Some(ground) = Ground::begin("modes_are_those_of_the_place") else { return };
    let folder = ground.old.parent().unwrap();
    done(Command::new("chmod").args(["-R", "a-x+X"]).arg(folder));
    done(Command::new("find").arg(folder).args(["-type", "f", "-exec", "chmod", "600", "{}", "+"]));
    ground.installs(SHELLS[1], &ground.old).is(0, "1.0 is installed");
    let mode = |path: &str| ground.root.join(path).metadata().unwrap().permissions().mode() & 0o777;
    let programs = ["usr/bin/picket-agent", "usr/lib/picket-agent/keep", "etc/init.d/picket-agent"];
    assert_eq!(programs.map(mode), [0o755; 3]);
    assert_eq!(mode("usr/share/man/man1/picket-agent.1"), 0o644);
}

/// The new version fills both disks and does not come up: the old one is put back, by names that are there already.
#[test]
fn a_full_disk_keeps_nobody_from_putting_the_old_one_back() {
    const NAME: &str = "a_full_disk_keeps_nobody_from_putting_the_old_one_back";
    let Some(made) = Made::begin(NAME) else { return };
    let Some(host) = Host::begin(NAME, &made, SMALL) else { return };
    let full = "#!/bin/sh\ndd if=/dev/zero of=/usr/fill bs=64k\ndd if=/dev/zero of=/var/fill bs=64k\n\
                for each in 1 2 3 4; do cat /bin/busybox >>/usr/fill; cat /bin/busybox >>/var/fill; done\nexit 64\n";
    let [old, new] = [("1.0", AGENT), ("2.0", full)]
        .map(|(version, program)| host.brings(&made.archive(version, program)));
    host.does(&format!("{old} --checksums-only --inittab")).is(0, "1.0 is installed");
    host.configured();
    let before = host.does("find /usr /etc | sort").text;
    host.does(&format!("PICKET_AGENT_PATIENCE=60 {new} --checksums-only"))
        .is(1, "2.0 does not come up (it has 60 s); 1.0 is put back, and runs");
    host.does("cat /bin/busybox >/usr/more").is(1, "No space left");
    host.does("rm -f /usr/fill /usr/more /var/fill").is(0, "");
    assert_eq!(host.does("find /usr /etc | sort").text, before);
    assert_eq!(host.read("usr/bin/picket-agent"), AGENT);
    host.answers();
    readonly(&host);
    unharmed(&host, &old);
}

/// What can't be removed is not stopped either.
fn readonly(host: &Host) {
    let agent = host.does("cat /run/picket-agent.pid").text;
    host.does("mount -o remount,ro /usr").is(0, "");
    host.does("sh /usr/lib/picket-agent/install.sh --purge").is(1, "can't be removed: mount it writable");
    host.does("mount -o remount,rw /usr").is(0, "");
    host.answers();
    assert_eq!(host.does("cat /run/picket-agent.pid").text, agent);
    assert!(host.read("etc/inittab").contains("picket"));
}

/// The numbers in the files of one that was killed have come to another process: that one lives on, and is not taken for the agent.
fn unharmed(host: &Host, install: &str) {
    host.does("sh /usr/lib/picket-agent/install.sh --uninstall").is(0, "the agent is removed");
    until("none of it runs", || host.does("pidof rig keep").text.trim().is_empty());
    let other = host.does("sleep 100001 >/dev/null 2>&1 & echo $!").text;
    let note = format!("echo {0} >/run/picket-agent-keep.pid; echo {0} >/run/picket-agent.pid", other.trim());
    host.does(&format!("{install} --checksums-only")).is(0, "1.0 is installed");
    host.does(&note).is(0, "");
    host.does(&format!("{install} --checksums-only")).is(0, "it did not run, and was not started");
    host.does(&note).is(0, "");
    host.does("sh /usr/lib/picket-agent/install.sh --purge").is(0, "nothing of the agent is left");
    host.does(&format!("kill -0 {other}")).is(0, "");
}

/// What the agent says goes on being heard when what hands it to the syslog is killed.
#[test]
fn a_logger_that_is_killed_ends_nothing() {
    const NAME: &str = "a_logger_that_is_killed_ends_nothing";
    let Some(made) = Made::begin(NAME) else { return };
    let Some(host) = Host::begin(NAME, &made, "") else { return };
    let install = host.brings(&made.archive("1.0", AGENT));
    host.does(&format!("{install} --checksums-only --inittab")).is(0, "1.0 is installed");
    host.configured();
    let [keeper, agent] =
        ["picket-agent-keep.pid", "picket-agent.pid"].map(|file| host.does(&format!("cat /run/{file}")).text);
    let logger = host.does("pidof logger").text;
    host.does(&format!("kill -9 {logger}")).is(0, "");
    until("there is another", || {
        let now = host.does("pidof logger").text;
        !now.trim().is_empty() && now != logger
    });
    let lines = host.read("var/log/messages").lines().count();
    host.does("picket-agent reload --state /var/lib/picket-agent");
    until("the agent is heard", || {
        host.read("var/log/messages").lines().skip(lines).any(|line| line.contains("picket-agent"))
    });
    assert_eq!(host.does("cat /run/picket-agent-keep.pid /run/picket-agent.pid").text, keeper + &agent);
    host.does("sh /usr/lib/picket-agent/install.sh --purge").is(0, "nothing of the agent is left");
    until("none of it runs", || host.does("pidof rig keep logger").text.trim().is_empty());
}

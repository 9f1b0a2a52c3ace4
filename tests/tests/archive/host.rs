//! A host whose first process is BusyBox init and that has nothing but BusyBox, made of namespaces.

use super::made::{Made, Said, done, is_here, script};
use picket_tests::rig::cannot_run_here;
use picket_tests::rig::clock::Since;
use picket_tests::rig::files::write_secret;
use picket_tests::rig::process::{PATIENCE, Process};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The agent under test is in this test's own binary, so a version of it is a line of shell.
pub(super) const AGENT: &str = "#!/bin/sh\n# VERSION\nexec /root/rig __agent \"$@\"\n";

const INIT: &str = "#!/bin/sh\nmount -t proc proc /proc\nMOUNT\nmount -t tmpfs none /run\n";
/// Programs, and what changes, on small disks of their own, which can be full or read-only.
pub(super) const SMALL: &str =
    "mount -t tmpfs -o size=2m none /usr\nmount -t tmpfs -o size=2m none /var\nmkdir -p /var/lib /var/log";
pub(super) const CONFIG: &str = "[collector]\naddress = \"127.0.0.1:1\"\ntoken_file = \"/etc/picket/token\"\n\n[host]\nenabled = false\n\n\
                      [[service]]\nname = \"one\"\ncommand = [\"sleep\", \"100000\"]\n";

/// The host. It ends with all of its processes when this is dropped.
pub(super) struct Host {
    /// Where it was laid out, and how it looks with what it has mounted.
    pub(super) root: PathBuf,
    pub(super) seen: PathBuf,
    first: Process,
    init: u32,
}

impl Drop for Host {
    fn drop(&mut self) {
        self.first.kill();
    }
}

/// Libraries of the test's binary, which is not static.
fn libraries(program: &str) -> Vec<PathBuf> {
    let said = Said::of(&done(Command::new("ldd").arg(program))).text;
    said.split_whitespace().filter(|word| word.starts_with('/')).map(PathBuf::from).collect()
}

fn lay_out(root: &Path, mounts: &str) {
    for folder in
        ["bin", "sbin", "etc/init.d", "proc", "sys", "dev", "run", "tmp", "usr", "var/lib", "var/log", "root"]
    {
        std::fs::create_dir_all(root.join(folder)).unwrap();
    }
    let busybox = done(Command::new("sh").args(["-c", "command -v busybox"])).stdout;
    std::fs::copy(String::from_utf8(busybox).unwrap().trim(), root.join("bin/busybox")).unwrap();
    done(Command::new("chroot").arg(root).args(["/bin/busybox", "--install", "-s", "/bin"]));
    std::os::unix::fs::symlink("/bin/busybox", root.join("sbin/init")).unwrap();
    std::fs::write(root.join("etc/inittab"), "::sysinit:/etc/init.d/rcS\n::respawn:/bin/syslogd -n").unwrap();
    std::fs::write(root.join("etc/passwd"), "root:x:0:0::/root:/bin/sh\n").unwrap();
    script(&root.join("etc/init.d/rcS"), &INIT.replace("MOUNT", mounts));
    std::fs::write(root.join("dev/console"), "").unwrap();
    for (name, minor) in [("null", "3"), ("urandom", "9")] {
        done(Command::new("mknod").arg(root.join("dev").join(name)).args(["c", "1", minor]));
    }
    let rig = env!("CARGO_BIN_EXE_picket-rig");
    std::fs::write(root.join("root/rig"), "").unwrap();
    for library in libraries(rig) {
        let to = root.join(library.strip_prefix("/").unwrap());
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::copy(&library, to).unwrap();
    }
}

impl Host {
    /// Nothing where this machine can't have one, which is said. What it mounts besides is a line of shell.
    pub(super) fn begin(test: &str, made: &Made, mounts: &str) -> Option<Self> {
        if let Some(reason) = cannot() {
            cannot_run_here(test, reason);
            return None;
        }
        let root = made.path("host");
        lay_out(&root, mounts);
        let mut command = Command::new("unshare");
        command.args(["--fork", "--kill-child", "--pid", "--mount", "--net", "sh", "-c"]);
        command.arg("mount --bind \"$1\" \"$2/root/rig\" && exec chroot \"$2\" /sbin/init").arg("sh");
        command.arg(env!("CARGO_BIN_EXE_picket-rig")).arg(&root);
        let first = Process::spawn("host", &mut command);
        let mut host = Self { root, seen: PathBuf::new(), first, init: 0 };
        let children = format!("/proc/{0}/task/{0}/children", host.first.pid());
        until("the first process runs", || {
            let init = std::fs::read_to_string(&children).unwrap_or_default();
            host.init = init.trim().parse().unwrap_or(0);
            let name = std::fs::read_to_string(format!("/proc/{}/comm", host.init)).unwrap_or_default();
            name.trim() == "init"
        });
        until("its /run is there", || host.does("grep -q ' /run ' /proc/mounts").code == 0);
        host.seen = PathBuf::from(format!("/proc/{}/root", host.init));
        Some(host)
    }

    /// Has the host's own shell do something.
    pub(super) fn does(&self, words: &str) -> Said {
        let mut command = Command::new("nsenter");
        command.args(["-t", &self.init.to_string(), "-p", "-m", "-n", "-r", "-w", "--"]);
        Said::of(&command.args(["/bin/sh", "-c", words]).output().unwrap())
    }

    /// Brings an archive there, and says how its install.sh is called.
    pub(super) fn brings(&self, archive: &Path) -> String {
        done(Command::new("cp").arg("-R").arg(archive).arg(self.seen.join("root")));
        format!("sh /root/{}/install.sh", archive.file_name().unwrap().to_str().unwrap())
    }

    pub(super) fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.seen.join(path)).unwrap_or_default()
    }

    /// Gives it a configuration, with which the agent starts a service of its own, and waits until that is noted.
    pub(super) fn configured(&self) {
        let token = format!("pkt1.{0}.{0}", "ab".repeat(32));
        write_secret(&self.seen.join("etc/picket/token"), &token);
        write_secret(&self.seen.join("etc/picket/agent.toml"), CONFIG);
        self.answers();
        until("the service is noted", || {
            self.read("var/lib/picket-agent/services/one.process").ends_with('\n')
        });
    }

    /// Waits until the agent answers; 1 is one that has no collector at the moment.
    pub(super) fn answers(&self) {
        until("the agent answers", || {
            self.does("picket-agent status --state /var/lib/picket-agent").code == 1
        });
    }
}

/// Asks again and again: each look starts a program, which is pace enough.
pub(super) fn until(what: &str, mut is: impl FnMut() -> bool) {
    let began = Since::now();
    while !is() {
        assert!(began.elapsed() < PATIENCE, "waited too long until {what}");
        std::thread::yield_now();
    }
}

fn cannot() -> Option<&'static str> {
    if !rustix::process::getuid().is_root() {
        return Some("it makes a host of namespaces: run it as root");
    }
    let tools =
        [("nsenter", "util-linux"), ("chroot", "coreutils"), ("mknod", "coreutils"), ("ldd", "libc-bin")];
    if tools.iter().any(|(tool, _)| !is_here(tool)) {
        return Some(
            "nsenter, chroot, mknod or ldd is not installed (apt-get install util-linux coreutils libc-bin)",
        );
    }
    let alone = ["--fork", "--kill-child", "--pid", "--mount", "--net", "true"];
    let may = Command::new("unshare").args(alone).output().is_ok_and(|output| output.status.success());
    (!may).then_some("unshare may not make namespaces of processes and mounts")
}

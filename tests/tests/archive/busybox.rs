//! A host whose first process is BusyBox init and that has nothing but BusyBox: the agent's whole life there, with a service that
//! it started itself.

use super::made::{Made, SIGNER, Said, done, is_here, script, tree};
use picket_tests::rig::cannot_run_here;
use picket_tests::rig::clock::Since;
use picket_tests::rig::process::{PATIENCE, Process};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The agent under test is in this test's own binary, so a version of it is a line of shell.
const AGENT: &str = "#!/bin/sh\n# VERSION\nexec /root/rig __agent \"$@\"\n";
/// One that never answers.
const SLOW: &str = "#!/bin/sh\n# 3.1\nexec sleep 100000\n";
/// One that will not start, as with a configuration that it can't read: that is known at once.
const REFUSES: &str = "#!/bin/sh\nexit 64\n";

const INIT: &str = "#!/bin/sh\nmount -t proc proc /proc\nmount -t tmpfs none /run\n";
const LINE: &str = "::respawn:/usr/lib/picket-agent/keep --syslog";
const CONFIG: &str = "[collector]\naddress = \"127.0.0.1:1\"\ntoken_file = \"/etc/picket/token\"\n\n[host]\nenabled = false\n\n\
                      [[service]]\nname = \"one\"\ncommand = [\"sleep\", \"100000\"]\n";

/// The host. It ends with all of its processes when this is dropped.
struct Host {
    root: PathBuf,
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

fn lay_out(root: &Path) {
    for folder in
        ["bin", "sbin", "etc/init.d", "proc", "sys", "dev", "run", "tmp", "var/lib", "var/log", "root"]
    {
        std::fs::create_dir_all(root.join(folder)).unwrap();
    }
    let busybox = done(Command::new("sh").args(["-c", "command -v busybox"])).stdout;
    std::fs::copy(String::from_utf8(busybox).unwrap().trim(), root.join("bin/busybox")).unwrap();
    done(Command::new("chroot").arg(root).args(["/bin/busybox", "--install", "-s", "/bin"]));
    std::os::unix::fs::symlink("/bin/busybox", root.join("sbin/init")).unwrap();
    std::fs::write(root.join("etc/inittab"), "::sysinit:/etc/init.d/rcS\n::respawn:/bin/syslogd -n").unwrap();
    std::fs::write(root.join("etc/passwd"), "root:x:0:0::/root:/bin/sh\n").unwrap();
    script(&root.join("etc/init.d/rcS"), INIT);
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
    fn begin(made: &Made) -> Self {
        let root = made.path("host");
        lay_out(&root);
        let mut command = Command::new("unshare");
        command.args(["--fork", "--kill-child", "--pid", "--mount", "--net", "sh", "-c"]);
        command.arg("mount --bind \"$1\" \"$2/root/rig\" && exec chroot \"$2\" /sbin/init").arg("sh");
        command.arg(env!("CARGO_BIN_EXE_picket-rig")).arg(&root);
        let first = Process::spawn("host", &mut command);
        let mut host = Self { root, first, init: 0 };
        let children = format!("/proc/{0}/task/{0}/children", host.first.pid());
        until("the first process runs", || {
            let init = std::fs::read_to_string(&children).unwrap_or_default();
            host.init = init.trim().parse().unwrap_or(0);
            let name = std::fs::read_to_string(format!("/proc/{}/comm", host.init)).unwrap_or_default();
            name.trim() == "init"
        });
        until("its /run is there", || host.does("grep -q ' /run ' /proc/mounts").code == 0);
        host
    }

    /// Has the host's own shell do something.
    fn does(&self, words: &str) -> Said {
        let mut command = Command::new("nsenter");
        command.args(["-t", &self.init.to_string(), "-p", "-m", "-n", "-r", "-w", "--"]);
        Said::of(&command.args(["/bin/sh", "-c", words]).output().unwrap())
    }

    /// Brings an archive there, and says how its install.sh is called.
    fn brings(&self, archive: &Path) -> String {
        done(Command::new("cp").arg("-R").arg(archive).arg(self.root.join("root")));
        format!("sh /root/{}/install.sh", archive.file_name().unwrap().to_str().unwrap())
    }

    fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.root.join(path)).unwrap_or_default()
    }

    /// Waits until the agent answers; 1 is one that has no collector at the moment.
    fn answers(&self) {
        until("the agent answers", || {
            self.does("picket-agent status --state /var/lib/picket-agent").code == 1
        });
    }
}

/// Asks again and again: each look starts a program, which is pace enough.
fn until(what: &str, mut is: impl FnMut() -> bool) {
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

#[test]
fn an_agent_lives_its_whole_life_under_busybox_init() {
    const NAME: &str = "an_agent_lives_its_whole_life_under_busybox_init";
    let Some(made) = Made::begin(NAME) else { return };
    if let Some(reason) = cannot() {
        return cannot_run_here(NAME, reason);
    }
    let host = Host::begin(&made);
    let [first, second, third, slow] = [
        ("1.0", AGENT.replace("VERSION", "1.0")),
        ("2.0", AGENT.replace("VERSION", "2.0")),
        ("3.0", REFUSES.to_owned()),
        ("3.1", SLOW.to_owned()),
    ]
    .map(|(version, program)| host.brings(&made.archive(version, &program)));
    done(Command::new("cp").arg(made.key(SIGNER)).arg(host.root.join("root/key.asc")));
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
    assert!(!host.root.join("usr/bin/picket-agent").exists());
    host.does(&format!("{install} --checksums-only")).is(0, LINE);
    assert!(!host.read("etc/inittab").contains("picket"));
    host.does(&format!("{install} --checksums-only --inittab")).is(0, "1.0 is installed in the place of 1.0");
    assert!(host.read("etc/inittab").ends_with(&format!("\n{LINE}\n")));
    let token = format!("pkt1.{0}.{0}", "ab".repeat(32));
    picket_tests::rig::files::write_secret(&host.root.join("etc/picket/token"), &token);
    picket_tests::rig::files::write_secret(&host.root.join("etc/picket/agent.toml"), CONFIG);
    host.answers();
    until("the service is noted", || host.read("var/lib/picket-agent/services/one.process").ends_with('\n'));
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
    assert!(!host.root.join("var/lib/picket-agent.before").exists());
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
    let program = host.root.join("usr/bin/picket-agent");
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
    assert!(host.root.join("var/lib/picket-agent").exists());
    // The first process buries them in its own time.
    until("none of them is left", || host.does("pidof rig keep").text.trim().is_empty());
    host.does(&format!("{install} --purge")).is(0, "nothing of the agent is left");
}

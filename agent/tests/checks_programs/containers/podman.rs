//! A real Podman: an engine with a store of its own and containers from an image of one file, busybox. No network, nothing
//! is pulled.
//!
//! Everything of it runs below one shell in a mount namespace without the unified control groups, since crun refuses the
//! hybrid ones of older hosts; containers are in no control group, so that none of the host's is touched.

use crate::host::{Host, cannot_run_here, soon};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// The engine; it ends with its value.
struct Podman {
    shell: Child,
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    log: String,
}

/// `podman` with its own folders; `$1` is where.
const PODMAN: &str = r#"
mount --make-rprivate /
umount /sys/fs/cgroup/unified 2>/dev/null
own="--root $HERE/store --runroot $HERE/run --storage-driver vfs --cgroup-manager cgroupfs --runtime crun"
engine() { podman $own "$@"; }
serve() { exec podman $own system service --time 0 "unix://$HERE/engine"; }
begin() { engine run -d --name "$1" --network none --cgroups=disabled --ulimit nofile=1024:1024 --ulimit nproc=1000:1000 \
    --health-interval disable --health-retries 1 --health-cmd 'test -e /well' box:1 /bin/sleep 9999; }
mkdir -p "$HERE/image/bin"
cp /bin/busybox "$HERE/image/bin/"
for name in sh sleep test touch; do ln -s busybox "$HERE/image/bin/$name"; done
"#;

impl Podman {
    fn start(folder: &Path) -> Result<Self, String> {
        for program in ["/usr/bin/podman", "/usr/bin/crun", "/bin/busybox"] {
            if !Path::new(program).exists() {
                return Err(format!("{program} is not installed"));
            }
        }
        let mut shell = Command::new("/usr/bin/unshare");
        shell.args(["-m", "sh"]).env("HERE", folder).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut shell = shell.spawn().map_err(|error| format!("unshare does not start: {error}"))?;
        let (orders, answers) = (shell.stdin.take(), BufReader::new(shell.stdout.take().unwrap()));
        let log = folder.join("podman.log").to_str().unwrap().to_owned();
        let mut podman = Self { shell, orders, answers, log };
        podman.tries(PODMAN)?;
        podman.tries("tar -C \"$HERE/image\" -c . | engine import - box:1")?;
        podman.tries("begin web")?;
        podman.does("serve & service=$!");
        Ok(podman)
    }

    /// Has the shell run a line; what it said where that fails.
    fn tries(&mut self, line: &str) -> Result<(), String> {
        let log = &self.log;
        let order = format!("{{\n{line}\n}} >\"{log}\" 2>&1 </dev/null; echo $?\n");
        let sent = self.orders.as_mut().unwrap().write_all(order.as_bytes());
        let mut status = String::new();
        let heard = self.answers.read_line(&mut status);
        if sent.is_ok() && heard.is_ok() && status == "0\n" {
            return Ok(());
        }
        let said = std::fs::read_to_string(log).unwrap_or_default();
        Err(said.trim().replace('\n', "; "))
    }

    fn does(&mut self, line: &str) {
        self.tries(line).unwrap_or_else(|said| panic!("{line}: {said}"));
    }
}

impl Drop for Podman {
    fn drop(&mut self) {
        let _told_by_what_is_left = self.tries("engine rm -fa -t 0; kill $service; wait $service");
        self.orders = None;
        let _reaped = self.shell.wait();
    }
}

#[test]
fn a_real_container_is_well_ill_killed_back_and_gone() {
    let test = "a_real_container_is_well_ill_killed_back_and_gone";
    let check =
        "[[check]]\nkind = \"container\"\ncontainer = \"web\"\nsocket = \"engine\"\nfall = 1\nrise = 1\n";
    let mut begun = None;
    let host = Host::with(check, |folder| begun = Some(Podman::start(folder.path())));
    let mut podman = match begun.unwrap() {
        Ok(podman) => podman,
        Err(reason) => return cannot_run_here(test, &reason),
    };
    // By its readings: six changes within so short a time are flapping, and told as that.
    let is = |reading: &str, said: &str| {
        soon(&format!("{reading}: {said}"), || {
            let (read, words, _) = host.look("container:web");
            (read == reading && words == said).then_some(())
        });
    };
    is("good", "running, starting");
    let _it_says_so_by_its_status = podman.tries("engine healthcheck run web");
    is("it says that it is not well", "unhealthy");
    host.becomes("container:web", "down");
    podman.does("engine exec web touch /well && engine healthcheck run web");
    is("good", "running, healthy");
    podman.does("engine kill web && engine wait web");
    is("it ended with status 137", "exited");
    podman.does("engine start web");
    is("good", "running, starting");
    podman.does("engine rm -f -t 0 web");
    is("it is not there", "");
}

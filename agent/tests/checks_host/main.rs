//! `[host]` checks against the real thing: mounts that fill, turn read-only, vanish or never answer, an interface that
//! loses its link, real load. The agent's binary watches, and its own `status` is read.

#![expect(clippy::unwrap_used, reason = "helpers of tests, where a panic is the report")]

mod filling;
mod processes;
mod watch;

use std::collections::BTreeSet;
use std::fs::File;
use std::path::PathBuf;
use std::process::{Child, Command};
use watch::{Watch, cannot_run_here, hindrance};

/// `[host]` with nothing but these keys.
fn only(keys: &str) -> String {
    let usual = ["pressure", "space", "inodes", "mount", "net", "temperature"];
    let off = usual.iter().filter(|key| !keys.contains(&format!("{key} =")));
    let off: String =
        off.map(|key| format!("{key} = {}\n", if *key == "pressure" { "false" } else { "[]" })).collect();
    format!("[host]\ninterval = \"1s\"\n{off}{keys}\n")
}

#[test]
fn a_mount_without_free_inodes_is_down_while_it_has_space() {
    if let Some(why) = hindrance() {
        return cannot_run_here("inodes of a mount", &why);
    }
    let watch = Watch::begin("mount -t tmpfs -o nr_inodes=200,size=64m none \"$1/mnt\"", |folder| {
        let mount = folder.join("mnt").display().to_string();
        only(&format!(
            "inodes = [{{ mount = \"{mount}\", degraded = 50 }}]\nspace = [{{ mount = \"{mount}\" }}]"
        ))
    });
    let (inodes, space) =
        ["inodes", "space"].map(|kind| format!("{kind}:{}", watch.path("mnt").display())).into();
    watch.until(&inodes, "up");
    watch.does("for n in $(seq 120); do : > \"$1/mnt/$n\"; done");
    assert!(watch.until(&inodes, "degraded").reading.ends_with(" %"));
    watch.does("for n in $(seq 121 300); do touch \"$1/mnt/$n\" 2> /dev/null || break; done");
    assert_eq!(watch.until(&inodes, "down").reading, "100.0 %");
    assert_eq!(watch.until(&space, "up").verdict, "up");
}

#[test]
fn a_mount_that_turns_read_only_or_vanishes_is_down() {
    if let Some(why) = hindrance() {
        return cannot_run_here("a read-only mount", &why);
    }
    let setup = "truncate -s 8M \"$1/disk\"\nmkfs.ext4 -q \"$1/disk\"\nmount -o loop \"$1/disk\" \"$1/mnt\"";
    let watch = Watch::begin(setup, |folder| {
        let mount = folder.join("mnt").display().to_string();
        only(&format!("mount = [{{ mount = \"{mount}\" }}]"))
    });
    let mount = format!("mount:{}", watch.path("mnt").display());
    assert_eq!(watch.until(&mount, "up").reading, "good");
    watch.does("mount -o remount,ro \"$1/mnt\"");
    assert_eq!(watch.until(&mount, "down").reading, "it can't be written to");
    watch.does("mount -o remount,rw \"$1/mnt\"");
    watch.until(&mount, "up");
    watch.does("umount \"$1/mnt\"");
    assert_eq!(watch.until(&mount, "down").reading, "it is not there");
}

#[test]
fn a_mount_that_never_answers_is_stuck_and_holds_up_nothing_else() {
    if let Some(why) =
        hindrance().or_else(|| File::open("/dev/fuse").err().map(|error| format!("/dev/fuse: {error}")))
    {
        return cannot_run_here("a mount that never answers", &why);
    }
    // A FUSE filesystem whose server holds the descriptor and never reads from it.
    let setup =
        "exec 9<>/dev/fuse\nmount -i -t fuse -o fd=9,rootmode=40000,user_id=0,group_id=0 none \"$1/mnt\"";
    let watch = Watch::begin(setup, |folder| {
        let mount = folder.join("mnt").display().to_string();
        let list = format!("[{{ mount = \"{mount}\" }}]");
        only(&format!("mount = {list}\ninodes = {list}\nspace = {list}"))
    });
    for kind in ["mount", "inodes", "space"] {
        let said = watch.until(&format!("{kind}:{}", watch.path("mnt").display()), "down");
        assert_eq!(said.reading, "the mount does not answer");
    }
    watch.until("host:memory", "up");
    let before = at_work(watch.pid());
    watch.until("host:memory", "up");
    let hang = before.intersection(&at_work(watch.pid())).count();
    assert_eq!(hang, 3, "one for each check, however often it looks");
}

/// The agent's threads that are in the midst of a look: one that is free waits for its next deed.
fn at_work(agent: u32) -> BTreeSet<PathBuf> {
    let is_at_work = |task: &PathBuf| {
        let read = |name| std::fs::read_to_string(task.join(name)).unwrap_or_default();
        read("comm").trim() == "look" && !read("syscall").starts_with(&format!("{} ", libc::SYS_futex))
    };
    let tasks = std::fs::read_dir(format!("/proc/{agent}/task")).unwrap();
    tasks.map(|task| task.unwrap().path()).filter(is_at_work).collect()
}

#[test]
fn a_mount_whose_server_is_dead_is_down_and_odd_bytes_of_others_hide_nothing() {
    if let Some(why) =
        hindrance().or_else(|| File::open("/dev/fuse").err().map(|error| format!("/dev/fuse: {error}")))
    {
        return cannot_run_here("a mount whose server is dead", &why);
    }
    let setup = "odd=$(printf '%s/\\377' \"$1\")\nmkdir \"$odd\"\nmount -t tmpfs none \"$odd\"\n\
                 (cat /etc/passwd; printf 'k\\366nig:x:7:7::/:/bin/sh\\n') > \"$1/passwd\"\n\
                 mount --bind \"$1/passwd\" /etc/passwd\nexec 9<>/dev/fuse\n\
                 mount -i -t fuse -o fd=9,rootmode=40000,user_id=0,group_id=0 none \"$1/mnt\"\nexec 9>&-";
    let watch = Watch::begin(setup, |folder| {
        let mount = folder.join("mnt").display().to_string();
        let list = format!("[{{ mount = \"{mount}\" }}]");
        let exec = "[[check]]\nkind = \"exec\"\nname = \"x\"\ncommand = [\"/bin/true\"]\ninterval = \"1s\"\ntimeout = \"900ms\"";
        only(&format!("mount = {list}\ninodes = {list}\nspace = {list}\n{exec}"))
    });
    for kind in ["mount", "inodes", "space"] {
        let said = watch.until(&format!("{kind}:{}", watch.path("mnt").display()), "down");
        assert!(said.words.starts_with("Transport endpoint is not connected"), "{said:?}");
    }
    watch.until("x", "up");
}

#[test]
fn an_interface_that_loses_its_link_or_drops_frames_is_told() {
    if let Some(why) = hindrance() {
        return cannot_run_here("an interface", &why);
    }
    let setup = "mount -t sysfs none /sys\nip link add va type veth peer name vb\nip link set va up\nip link set vb up";
    let watch = Watch::begin(setup, |_| only("net = [{ interface = \"va\", degraded = 100 }]"));
    watch.until("net:va", "up");
    let send = "import socket\ns = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)\ns.bind(('vb', 0))\n\
                frame = b'\\xff' * 6 + b'\\x02' * 6 + b'\\x12\\x34' + b'x' * 50\nimport time\nend = time.time() + 8\n\
                while time.time() < end:\n [s.send(frame) for n in range(500)]\n time.sleep(0.02)";
    if Command::new("python3").arg("--version").output().is_ok() {
        // Frames of a protocol that nobody speaks are dropped. Each of three looks has to see some.
        watch.does(&format!("python3 -c \"{send}\" > /dev/null 2>&1 &"));
        assert!(watch.until("net:va", "degraded").reading.ends_with(" errors"));
    } else {
        cannot_run_here("dropped frames", "there is no python3 to send them");
    }
    watch.does("ip link set vb down");
    assert_eq!(watch.until("net:va", "down").reading, "the interface has no link");
    watch.does("ip link set vb up");
    watch.until("net:va", "up");
    watch.does("ip link del va");
    assert_eq!(watch.until("net:va", "down").reading, "it is not there");
}

#[test]
fn a_sensor_that_is_named_and_not_there_is_down() {
    if let Some(why) = hindrance() {
        return cannot_run_here("a sensor", &why);
    }
    let watch = Watch::begin("", |_| only("temperature = [{ sensor = \"no-such-chip\" }]"));
    assert_eq!(watch.until("temperature:no-such-chip", "down").reading, "it is not there");
    if std::fs::read_dir("/sys/class/hwmon").map_or(0, Iterator::count) == 0 {
        cannot_run_here(
            "a real sensor",
            "this machine has none; trees of sysfs stand for it in the unit tests",
        );
    }
}

/// Busy loops. They end with their value.
struct Load(Vec<Child>);

impl Load {
    fn of(count: usize) -> Self {
        let one = || Command::new("/bin/sh").args(["-c", "while :; do :; done"]).spawn().unwrap();
        Self((0..count).map(|_| one()).collect())
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        for child in &mut self.0 {
            let _ended_already = child.kill();
            let _reaped_already = child.wait();
        }
    }
}

#[test]
fn real_load_is_pressure() {
    if let Some(why) = hindrance() {
        return cannot_run_here("pressure", &why);
    }
    if let Err(error) = std::fs::read_to_string("/proc/pressure/cpu") {
        return cannot_run_here("pressure", &format!("/proc/pressure/cpu: {error}"));
    }
    let watch = Watch::begin("", |_| only("pressure = { cpu = { degraded = 20, down = 100 } }"));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let load = Load::of(cores * 3);
    let said = watch.until("pressure:cpu", "degraded");
    assert!(said.reading.ends_with(" %"), "{said:?}");
    drop(load);
    watch.until("pressure:memory", "up");
}

#[test]
fn a_level_that_is_bad_names_who_makes_it_so() {
    if let Some(why) = hindrance() {
        return cannot_run_here("culprits", &why);
    }
    let setup = "mount -t tmpfs -o size=32m none \"$1/mnt\"";
    let watch = Watch::begin(setup, |folder| {
        let mount = folder.join("mnt").display().to_string();
        only(&format!(
            "space = [{{ mount = \"{mount}\", degraded = 50 }}]\ncpu = {{ degraded = 1, down = 2 }}\n\
             memory = {{ degraded = 1, down = 100 }}"
        ))
    });
    let space = format!("space:{}", watch.path("mnt").display());
    watch.until(&space, "up");
    watch.does("exec 8> \"$1/mnt/log\"; head -c 20M /dev/zero >&8; rm \"$1/mnt/log\"; exec sleep 60 > /dev/null 2>&1 &");
    let words = watch.until(&space, "degraded").words;
    assert!(words.starts_with("deleted but open: sleep 20.0 MiB"), "{words}");
    let load = Load::of(std::thread::available_parallelism().map_or(1, usize::from));
    let words = watch.until("host:cpu", "down").words;
    assert!(words.contains(" %"), "{words}");
    let words = watch.until("host:memory", "degraded").words;
    assert!(words.contains(" MiB") || words.contains(" GiB"), "{words}");
    drop(load);
}

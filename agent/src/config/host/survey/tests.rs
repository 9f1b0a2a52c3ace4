//! The host as it may be found: trees that look like one, and this host itself.

use super::*;
use crate::config::{Config, parse};
use std::fs;

/// A tree with these files; what ends in `/` is a folder.
fn tree(files: &[(&str, &str)]) -> (tempfile::TempDir, Ground) {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = folder.path().join(path);
        if text.is_empty() && path.to_string_lossy().ends_with('/') {
            fs::create_dir_all(path).unwrap();
        } else {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
    }
    let ground = Ground(folder.path().to_path_buf());
    (folder, ground)
}

/// What is watched beside the levels, and what is said of the rest.
fn watched(table: &str, files: &[(&str, &str)]) -> (Vec<String>, String, Config) {
    let (_kept, ground) = tree(files);
    let mut config = parse(Path::new("picket.toml"), &format!("[host]\n{table}\n")).unwrap();
    let notes = settle(&config.wish, &mut config.checks, &ground, &Seen::default()).0.join("\n");
    let levels = ["host:cpu", "host:memory", "host:load"];
    let names = config.checks.iter().map(|check| check.name().to_string());
    (names.filter(|name| !levels.contains(&name.as_str())).collect(), notes, config)
}

const ROOT: &str = "27 1 254:0 / / rw - ext4 /dev/vda rw\n";

#[test]
fn a_bare_container_is_watched_by_what_it_has_and_nothing_alarms() {
    let overlay =
        "27 1 0:9 / / rw - overlay overlay rw,lowerdir=/x\n30 27 7:1 / /snap/a ro - squashfs /dev/loop1 ro\n";
    let files = [
        ("proc/self/mountinfo", overlay),
        ("etc/fstab", "# UNCONFIGURED FSTAB\n"),
        ("sys/class/net/eth0/operstate", "up\n"),
        ("sys/class/net/lo/operstate", "unknown\n"),
    ];
    let (names, notes, _) = watched("", &files);
    assert_eq!(names, ["space:/", "inodes:/", "mount:/"], "veth of a container is no physical interface");
    assert!(notes.contains("pressure is not watched: not offered by this kernel"), "{notes}");
}

#[test]
fn of_a_machine_only_what_is_well_at_the_start_is_watched_unasked() {
    let table = format!(
        "{ROOT}40 27 8:1 / /srv rw - ext4 /dev/sdb ro\n41 27 11:0 / /media/cd ro - iso9660 /dev/sr0 ro\n"
    );
    let fstab = "/dev/vda / ext4 errors=remount-ro 0 1\n/dev/sdb /srv ext4 defaults 0 2\nUUID=x none swap sw 0 0\n\
                 /dev/sr0 /media/cd udf,iso9660 user,noauto 0 0\n/dev/sdc /backup xfs defaults,nofail 0 0\n\
                 nfs:/x /net nfs x-systemd.automount 0 0\n";
    let files = [
        ("proc/self/mountinfo", table.as_str()),
        ("proc/pressure/cpu", "some avg10=0.00\n"),
        ("etc/fstab", fstab),
        ("sys/class/net/eno1/device/", ""),
        ("sys/class/net/eno1/operstate", "up\n"),
        ("sys/class/net/eno2/device/", ""),
        ("sys/class/net/eno2/operstate", "down\n"),
        ("sys/class/net/docker0/operstate", "down\n"),
        ("sys/class/hwmon/hwmon0/name", "coretemp\n"),
        ("sys/class/hwmon/hwmon0/temp1_input", "45000\n"),
        ("sys/class/hwmon/hwmon0/temp1_crit", "100000\n"),
        ("sys/class/hwmon/hwmon1/name", "nvme\n"),
        ("sys/class/hwmon/hwmon1/temp1_input", "35000\n"),
        ("sys/class/hwmon/hwmon2/name", "nvme\n"),
        ("sys/class/hwmon/hwmon2/temp1_input", "36000\n"),
        ("sys/class/hwmon/hwmon3/name", "BAT0\n"),
        ("sys/class/thermal/thermal_zone0/type", "x86_pkg_temp\n"),
        ("sys/class/thermal/thermal_zone0/temp", "46000\n"),
    ];
    let (names, notes, config) = watched("", &files);
    let pressures = ["pressure:cpu", "pressure:memory", "pressure:io"];
    assert_eq!(names[..3], pressures);
    assert_eq!(
        names[3..],
        [
            "space:/",
            "inodes:/",
            "mount:/",
            "mount:/srv",
            "net:eno1",
            "temperature:coretemp",
            "temperature:nvme",
            "temperature:nvme:hwmon2"
        ]
    );
    assert!(notes.contains("/backup is in /etc/fstab") && notes.contains("eno2 had no link"), "{notes}");
    let of = |name: &str| config.checks.iter().find(|check| check.name().as_str() == name).unwrap();
    let srv = Part::Mount { mount: "/srv".to_owned(), writable: true };
    assert_eq!(
        of("mount:/srv").target,
        Target::Host(srv),
        "fstab says so, whatever became of it before the start"
    );
    let limits = |name: &str| of(name).spec.limits.map(|it| (it.degraded, it.down));
    assert_eq!(limits("temperature:coretemp"), Some((900, 1000)), "the chip's own");
    assert_eq!(limits("temperature:nvme"), Some((850, 950)));
    assert_eq!(limits("net:eno1"), Some((1000, i64::MAX)));
}

#[test]
fn what_is_named_is_watched_whether_it_is_there_or_not() {
    let table = "mount = [{ mount = \"/data\", writable = true }, { mount = \"/cd\", writable = false }]\n\
                 net = [{ interface = \"bond0\", degraded = 5, down = 50 }]\ntemperature = [{ sensor = \"zen\", down = 70 }]\n\
                 space = []\ninodes = [{ mount = \"/data\", degraded = 50 }]\npressure = false\nswap = {}\n";
    let (names, notes, config) = watched(table, &[("proc/self/mountinfo", ROOT)]);
    assert_eq!(
        names,
        ["host:swap", "inodes:/data", "mount:/data", "mount:/cd", "net:bond0", "temperature:zen"]
    );
    assert_eq!(notes, "");
    let zen = config.checks.iter().find(|check| check.kind() == CheckKind::Temperature).unwrap();
    let limits = zen.spec.limits.unwrap();
    assert_eq!((limits.degraded, limits.down), (690, 700), "below what is down");
}

#[test]
fn a_root_that_is_an_image_is_not_called_full() {
    let image = [("proc/self/mountinfo", "27 1 7:0 / / ro - squashfs /dev/loop0 ro\n")];
    let (names, _, _) = watched("pressure = false", &image);
    assert_eq!(names, ["mount:/"]);
    let (names, _, _) = watched("pressure = false\nspace = [{ mount = \"/\" }]", &image);
    assert_eq!(names, ["space:/", "mount:/"], "whoever names it gets it");
}

#[test]
fn mistakes_in_the_hosts_lists_say_what_to_write() {
    let text = "[host]\nmount = [{ mount = \"data\" }]\nnet = [{ interface = \"a/b\" }]\n\
                temperature = [{ sensor = \"x\", degraded = 90, down = 80 }]\ninodes = 3\nswap = { degraded = 0 }\n\
                pressure = { disk = {} }\n";
    let wrong = parse(Path::new("picket.toml"), text).unwrap_err().to_string();
    for part in [
        ":2: host.mount.mount: must be a path from the root",
        ":3: host.net.interface: is no name of an interface; `ip link` shows them",
        ":4: host.temperature: degraded (90) must be below down (80)",
        ":5: host.inodes: must be a list of tables; write inodes = [",
        ":6: host.swap.degraded: must be a whole number from 1 to 100",
        ":7: host.pressure.disk: is not a known key",
    ] {
        assert!(wrong.contains(part), "{part} in\n{wrong}");
    }
}

#[test]
fn this_host_itself_can_be_looked_at() {
    let mut config = parse(Path::new("picket.toml"), "").unwrap();
    let _notes_differ_from_host_to_host =
        settle(&config.wish, &mut config.checks, &Ground("/".into()), &Seen::default());
    let is_there = |name: &str| config.checks.iter().any(|check| check.name().as_str() == name);
    assert!(is_there("mount:/") && is_there("host:cpu"));
}

#[test]
fn what_went_bad_since_the_start_is_watched_on_when_the_file_is_read_again() {
    let fstab = "/dev/vda / ext4 defaults 0 1\n/dev/sdb /srv ext4 defaults 0 2\n";
    let well =
        format!("{ROOT}40 27 8:1 / /srv rw - ext4 /dev/sdb rw\n41 27 8:2 / /data rw - ext4 /dev/sdc rw\n");
    let bad = "27 1 254:0 / / rw - ext4 /dev/vda ro\n41 27 8:2 / /data ro - ext4 /dev/sdc ro\n";
    let (_kept, ground) = tree(&[
        ("proc/self/mountinfo", well.as_str()),
        ("etc/fstab", fstab),
        ("sys/class/net/eno1/device/", ""),
        ("sys/class/net/eno1/operstate", "up\n"),
        ("sys/class/net/usb0/device/", ""),
        ("sys/class/net/usb0/operstate", "up\n"),
        ("sys/class/hwmon/hwmon0/name", "chip\n"),
        ("sys/class/hwmon/hwmon0/temp1_input", "45000\n"),
        ("sys/class/hwmon/hwmon0/temp1_crit", "100000\n"),
    ]);
    let read = |table: &str, before: &Seen| {
        let mut config = parse(Path::new("picket.toml"), &format!("[host]\n{table}\n")).unwrap();
        let (notes, seen) = settle(&config.wish, &mut config.checks, &ground, before);
        let of = |check: &Check| {
            matches!(check.kind(), CheckKind::Mount | CheckKind::Net | CheckKind::Temperature)
        };
        (config.checks.into_iter().filter(of).collect::<Vec<_>>(), notes, seen)
    };
    let (first, _, seen) = read("", &Seen::default());
    let names: Vec<String> = first.iter().map(|check| check.name().to_string()).collect();
    assert_eq!(names, ["mount:/", "mount:/srv", "net:eno1", "net:usb0", "temperature:chip"]);
    fs::write(ground.0.join("proc/self/mountinfo"), bad).unwrap();
    fs::write(ground.0.join("sys/class/net/eno1/operstate"), "down\n").unwrap();
    fs::remove_dir_all(ground.0.join("sys/class/net/usb0")).unwrap();
    fs::remove_file(ground.0.join("sys/class/hwmon/hwmon0/temp1_input")).unwrap();
    let (again, notes, seen) = read("", &seen);
    assert_eq!(again, first, "with the limits that it had");
    assert!(!notes.join("\n").contains("eno1"), "{notes:?}");
    let (third, _, _) = read("", &seen);
    assert_eq!(third, first, "at every later reading");
    let named = "mount = [{ mount = \"/data\" }]";
    let (_, _, seen) = read(named, &Seen::default());
    let (later, _, _) = read("", &seen);
    assert!(later.iter().all(|check| check.name().as_str() != "mount:/data"), "it is named no more");
    let (fresh, notes, _) = read("", &Seen::default());
    assert_eq!(fresh.len(), 1, "a start begins with what is well: {fresh:?}");
    assert!(notes.join("\n").contains("eno1 had no link"), "{notes:?}");
}

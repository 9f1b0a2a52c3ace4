//! `backup`: real files that are young, large and many enough or not, and a drill that unpacks the newest one.

use crate::host::{Host, soon};
use std::fs::FileTimes;
use std::process::Command;
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3600);

fn copy(host: &Host, name: &str, size: usize, age: Duration) {
    std::fs::write(host.path("copies").join(name), vec![b'x'; size]).unwrap();
    set_age(host, name, age);
}

fn set_age(host: &Host, name: &str, age: Duration) {
    let file = std::fs::File::options().append(true).open(host.path("copies").join(name)).unwrap();
    let now = file.metadata().unwrap().modified().unwrap();
    file.set_times(FileTimes::new().set_modified(now - age)).unwrap();
}

#[test]
fn copies_must_be_there_many_large_and_young() {
    let tables = "[[check]]\nkind = \"backup\"\nname = \"db\"\npath = \"copies/db-*.gz\"\ncopies = 3\nmin_size = 4\n\
                  max_age = { degraded = \"25h\", down = \"49h\" }\nfall = 1\n";
    let host = Host::with(tables, |folder| std::fs::create_dir(folder.path().join("copies")).unwrap());
    assert_eq!(host.becomes("db", "down")["cause"], "it is not there");
    copy(&host, "db-1.gz", 20_000, 50 * HOUR);
    copy(&host, "db-3.gz.part", 1, HOUR);
    copy(&host, ".db-4.gz", 1, HOUR);
    assert_eq!(host.look("db").0, "1 found, at least 3 should be there");
    copy(&host, "db-2.gz", 22_000, 30 * HOUR);
    copy(&host, "db-3.gz", 4_095, 26 * HOUR);
    assert_eq!(host.look("db").0, "4095 bytes, fewer than 4096");
    copy(&host, "db-3.gz", 21_000, 26 * HOUR);
    let late = host.becomes("db", "degraded");
    assert_eq!(
        (&late["reading"], &late["said"]),
        (&"1 d 2 h".into(), &"3 copies, the newest db-3.gz, 21000 bytes".into())
    );
    copy(&host, "db-4.gz", 9_000, HOUR);
    let shrunk = host.becomes("db", "degraded");
    assert_eq!(host.look("db").0, "9000 bytes, fewer than 10500", "{shrunk}");
    copy(&host, "db-4.gz", 19_000, HOUR);
    host.becomes("db", "up");
    for name in ["db-4.gz", "db-3.gz", "db-2.gz", "db-1.gz"] {
        set_age(&host, name, 60 * HOUR);
    }
    host.becomes("db", "down");
    std::fs::remove_dir_all(host.path("copies")).unwrap();
    assert!(host.becomes("db", "down")["said"].as_str().unwrap().contains("No such file"));
}

#[test]
fn a_drill_restores_the_newest_copy_and_its_last_result_stands() {
    let tables = "[[check]]\nkind = \"backup\"\nname = \"tar\"\npath = \"copies/\"\nmax_age = \"25h\"\nfall = 1\n\
                  verify = [\"/bin/sh\", \"-c\", \"tar -xzOf $PICKET_COPY hello 2>&1 | grep . ; tar -tzf $PICKET_COPY\"]\n\
                  verify_every = \"1s\"\nshrink = 0\n";
    let host = Host::with(tables, |folder| {
        std::fs::create_dir(folder.path().join("copies")).unwrap();
        std::fs::write(folder.path().join("hello"), "hello").unwrap();
    });
    let mut tar = Command::new("tar");
    tar.arg("-C").arg(host.path("")).arg("-czf").arg(host.path("copies/a.tgz")).arg("hello");
    let packed = tar.status().unwrap();
    assert!(packed.success());
    host.becomes("tar", "up");
    let said = soon("a drill", || {
        host.look("tar");
        std::fs::read_to_string(host.path("state/drills/tar.said")).ok().filter(|said| !said.is_empty())
    });
    assert_eq!(said, "hello");
    host.becomes("tar", "up");
    copy(&host, "b.tgz", 500, Duration::ZERO);
    let failed = host.becomes("tar", "down");
    assert_eq!(failed["cause"], "it ended with status 2");
    assert!(failed["said"].as_str().unwrap().starts_with("the drill failed with status 2: "), "{failed}");
    std::fs::remove_file(host.path("copies/b.tgz")).unwrap();
    host.becomes("tar", "up");
}

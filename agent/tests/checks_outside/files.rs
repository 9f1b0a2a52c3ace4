//! Files: there, gone, too old, and changed by somebody.

use super::host::{Host, text};
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

#[test]
fn files_are_told_as_they_come_go_age_and_change() {
    let host = Host::new();
    let file = |name: &str| host.path(name);
    std::fs::write(file("dump-1.gz"), "1234").unwrap();
    std::fs::write(file("secret"), "key").unwrap();
    std::fs::set_permissions(file("secret"), Permissions::from_mode(0o600)).unwrap();
    let checks: String = [
        ("fresh", "path = \"dump-*.gz\"\nmax_age = \"2h\"\nmin_size = 4"),
        ("lock", "path = \"lock\"\nstate = \"absent\""),
        ("secret", "path = \"secret\"\nmode = \"0600\"\ncontains = \"key\""),
    ]
    .iter()
    .map(|(name, keys)| {
        format!("[[check]]\nkind = \"file\"\nname = \"{name}\"\ninterval = \"100ms\"\n{keys}\n")
    })
    .collect();
    let agent = host.start(&checks);
    for name in ["fresh", "lock", "secret"] {
        agent.awaits(name, "up");
    }
    let old = std::fs::metadata(file("dump-1.gz")).unwrap().modified().unwrap() - Duration::from_secs(7300);
    std::fs::File::options().write(true).open(file("dump-1.gz")).unwrap().set_modified(old).unwrap();
    let stale = agent.awaits("fresh", "down");
    assert!(text(&stale, "said").ends_with("dump-1.gz, 4 bytes"), "{stale}");
    assert!(text(&stale, "reading").starts_with("2 h 1 min"), "{stale}");
    std::fs::write(file("lock"), "").unwrap();
    let lock = agent.awaits("lock", "down");
    assert_eq!(text(&lock, "reading"), "it is there, and should not be");
    std::fs::remove_file(file("lock")).unwrap();
    agent.awaits("lock", "up");
    std::fs::set_permissions(file("secret"), Permissions::from_mode(0o644)).unwrap();
    let open = agent.awaits("secret", "down");
    assert!(text(&open, "said").ends_with("secret has mode 0644, should have 0600"), "{open}");
    std::fs::remove_file(file("secret")).unwrap();
    agent.awaits_that("secret", |check| text(check, "reading") == "it is not there");
}

//! A log: a line that counts, a rotation, and the next run of the agent.

use super::host::{Host, text};
use std::io::Write;

#[test]
fn a_line_is_down_for_an_interval_and_counts_once_over_rotation_and_restart() {
    let host = Host::new();
    let write = |name: &str, line: &str| {
        let file = std::fs::OpenOptions::new().create(true).append(true).open(host.path(name));
        writeln!(file.unwrap(), "{line}").unwrap();
    };
    write("app.log", "ERROR from before");
    let check = "[[check]]\nkind = \"log\"\nname = \"app\"\nfile = \"app.log\"\nmatch = 'ERROR|panic'\n\
                 ignore = [\"harmless\"]\ninterval = \"1s\"\n";
    let agent = host.start(check);
    assert_eq!(text(&agent.awaits("app", "up"), "reading"), "0 lines");
    write("app.log", "all is well");
    write("app.log", "ERROR that is harmless");
    write("app.log", "ERROR: disk full");
    let down = agent.awaits("app", "down");
    assert_eq!((text(&down, "reading"), text(&down, "said")), ("1 lines", "ERROR: disk full"));
    assert_eq!(text(&agent.awaits("app", "up"), "reading"), "0 lines", "it counts once");
    agent.ends();
    write("app.log", "ERROR while nobody looked");
    std::fs::rename(host.path("app.log"), host.path("app.log.1")).unwrap();
    write("app.log", "a panic in the new one");
    let agent = host.start(check);
    let down = agent.awaits("app", "down");
    assert_eq!((text(&down, "reading"), text(&down, "said")), ("2 lines", "a panic in the new one"));
    agent.awaits("app", "up");
    for name in ["app.log", "app.log.1"] {
        std::fs::remove_file(host.path(name)).unwrap();
    }
    let gone = agent.awaits("app", "down");
    assert_eq!(text(&gone, "reading"), "it is not there");
}

//! `kind = "process"` against real processes: found by what is known of them, seen end at once, never mistaken.

use crate::watch::{Watch, cannot_run_here, hindrance};
use rustix::process::{Pid, Signal, kill_process};
use std::process::{Child, Command};

/// A process that sleeps under a name of its own. It ends with its value.
struct Sleeper(Child);

impl Sleeper {
    fn begin(mark: &str) -> Self {
        Self(Command::new("/bin/sh").args(["-c", "read -r never < /dev/zero; exit 0", mark]).spawn().unwrap())
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.0)
    }

    fn ends(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Sleeper {
    fn drop(&mut self) {
        let _ended_already = self.0.kill();
        let _reaped_already = self.0.wait();
    }
}

/// A file with one check, looked at every `interval`.
fn one(interval: &str, keys: &str) -> String {
    let timeout = "timeout = \"900ms\"";
    format!(
        "[host]\nenabled = false\n[[check]]\nkind = \"process\"\nname = \"p\"\ninterval = \"{interval}\"\n{timeout}\n{keys}\n"
    )
}

#[test]
fn the_end_of_a_process_is_seen_long_before_the_next_look() {
    if let Some(why) = hindrance() {
        return cannot_run_here("processes", &why);
    }
    let mark = format!("first-{}", std::process::id());
    let mut sleeper = Sleeper::begin(&mark);
    let watch = Watch::begin("", |_| one("1h", &format!("args = \"{mark}\"")));
    watch.until("p", "up");
    sleeper.ends();
    // No look is asked for: only its end can have made one.
    let said = watch.until_by_itself("p", "down");
    assert_eq!(said.reading, "no process");
}

#[test]
fn what_is_stopped_or_waits_to_be_reaped_is_not_alive() {
    if let Some(why) = hindrance() {
        return cannot_run_here("processes", &why);
    }
    let mark = format!("second-{}", std::process::id());
    let mut sleeper = Sleeper::begin(&mark);
    let watch = Watch::begin("", |_| one("1s", &format!("args = \"{mark}\"\nuser = \"root\"")));
    watch.until("p", "up");
    kill_process(sleeper.pid(), Signal::STOP).unwrap();
    assert!(watch.until("p", "down").reading.contains("frozen"));
    kill_process(sleeper.pid(), Signal::CONT).unwrap();
    watch.until("p", "up");
    sleeper.0.kill().unwrap();
    watch.until("p", "down");
    sleeper.0.wait().unwrap();
}

#[test]
fn a_count_has_two_ends() {
    if let Some(why) = hindrance() {
        return cannot_run_here("processes", &why);
    }
    let mark = format!("third-{}", std::process::id());
    let mut sleepers = [Sleeper::begin(&mark), Sleeper::begin(&mark)];
    let watch =
        Watch::begin("", |_| one("1s", &format!("args = \"{mark}\"\ncount = {{ min = 2, max = 2 }}")));
    watch.until("p", "up");
    let third = Sleeper::begin(&mark);
    assert_eq!(watch.until("p", "down").reading, "3 found, at most 2 should run");
    drop(third);
    watch.until("p", "up");
    sleepers[0].ends();
    assert_eq!(watch.until("p", "down").reading, "1 found, at least 2 should run");
}

#[test]
fn a_stale_pidfile_does_not_pass() {
    if let Some(why) = hindrance() {
        return cannot_run_here("processes", &why);
    }
    let mark = format!("fourth-{}", std::process::id());
    let mut sleeper = Sleeper::begin(&mark);
    let watch =
        Watch::begin("", |folder| one("1s", &format!("pidfile = \"{}\"", folder.join("pid").display())));
    assert!(watch.until("p", "down").words.contains("No such file"));
    let file = watch.path("pid");
    std::fs::write(&file, format!("{}\n", sleeper.pid())).unwrap();
    watch.until("p", "up");
    sleeper.ends();
    let said = watch.until("p", "down");
    assert!(said.words.contains("which is no process"), "{said:?}");
    // As if the number had been given to another program since the file was written.
    let other = Sleeper::begin(&mark);
    std::fs::write(&file, format!("{}\n", other.pid())).unwrap();
    let hour_ago =
        std::fs::metadata(&file).unwrap().modified().unwrap() - std::time::Duration::from_secs(3600);
    std::fs::File::options().write(true).open(&file).unwrap().set_modified(hour_ago).unwrap();
    let said = watch.look("p").unwrap();
    assert!(said.verdict == "down" && said.words.contains("is stale"), "{said:?}");
}

#[test]
fn a_program_is_found_by_its_path_and_unit() {
    if let Some(why) = hindrance() {
        return cannot_run_here("processes", &why);
    }
    let own = std::env::current_exe().unwrap();
    let keys = format!("executable = \"{}\"\ncgroup = \"/\"", own.display());
    let watch = Watch::begin("", |_| one("1s", &keys));
    watch.until("p", "up");
    let watch = Watch::begin("", |_| {
        one("1s", &format!("executable = \"{}\"\nunit = \"no-such.service\"", own.display()))
    });
    assert_eq!(watch.until("p", "down").reading, "no process");
}

//! Files kept, compared, rolled back and undone, with links, owners and damage.

mod cut;
mod kept;
mod undo;

use super::tree::Entry;
use super::*;
use rustix::process::{Resource, getrlimit};
use std::fs;
use std::fs::Permissions;
use std::os::unix::fs::{PermissionsExt, symlink};
use tempfile::TempDir;

/// What makes files that can't be kept.
type Spoils<'s> = &'s dyn Fn(&Path);

/// A folder `etc` with a configuration of three parts, and who keeps it.
fn begin(precheck: Option<&str>) -> (TempDir, Keeper) {
    let folder = tempfile::tempdir().unwrap();
    let etc = folder.path().join("etc");
    fs::create_dir_all(etc.join("conf.d")).unwrap();
    fs::write(etc.join("main.conf"), "good\n").unwrap();
    fs::set_permissions(etc.join("main.conf"), Permissions::from_mode(0o640)).unwrap();
    fs::write(etc.join("conf.d/a.conf"), "a\n").unwrap();
    symlink("../main.conf", etc.join("conf.d/link")).unwrap();
    let own = folder.path().join("state/good/it");
    let precheck = precheck.map(|script| Program {
        parts: ["/bin/sh", "-c", script, "sh"].map(str::to_owned).into_iter().chain([text(&etc)]).collect(),
        output: None,
        limit: Duration::from_secs(20),
        files: getrlimit(Resource::Nofile),
    });
    let (name, told) = ("it".to_owned(), AtomicBool::new(false));
    let keeper = Keeper { name, folder: own, roots: vec![etc], precheck, told };
    (folder, keeper)
}

fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

fn look(keeper: &Keeper) -> (u64, Option<String>, bool, Open) {
    match keeper.obey(Order::Look) {
        Answer::Looked { digest, changed, has_good, open, .. } => (digest, changed, has_good, open),
        other => panic!("{other:?}"),
    }
}

/// Keeps what is there now.
fn taken(keeper: &Keeper) {
    let (digest, ..) = look(keeper);
    assert_eq!(keeper.obey(Order::Take { digest, precheck: false }), Answer::Taken(true));
}

/// All of it: path, kind, permissions, content.
fn all(keeper: &Keeper) -> Tree {
    tree::read(&keeper.roots).unwrap()
}

/// Changes, adds and removes some of each kind.
fn spoil(etc: &Path) {
    fs::write(etc.join("main.conf"), "spoiled\n").unwrap();
    fs::set_permissions(etc.join("main.conf"), Permissions::from_mode(0o600)).unwrap();
    fs::remove_dir_all(etc.join("conf.d")).unwrap();
    fs::write(etc.join("conf.d"), "a file where a folder was\n").unwrap();
    fs::create_dir_all(etc.join("new/deep")).unwrap();
    fs::write(etc.join("new/deep/b.conf"), "b\n").unwrap();
    symlink("/dev/null", etc.join("new/link")).unwrap();
}

#[test]
fn all_that_changed_is_put_back_with_its_permissions_and_undone_again() {
    let (_folder, keeper) = begin(None);
    taken(&keeper);
    let good = all(&keeper);
    assert_eq!((look(&keeper).1, look(&keeper).2), (None, true));
    spoil(&keeper.roots[0]);
    let spoiled = all(&keeper);
    assert_ne!(good, spoiled);
    let first = text(&keeper.roots[0].join("conf.d"));
    assert_eq!(look(&keeper).1, Some(format!("{first} (and 7 more)")), "the first that differs");
    assert_eq!(keeper.obey(Order::RollBack), Answer::RolledBack);
    assert_eq!(all(&keeper), good);
    assert_eq!(look(&keeper).3, Open::Whole);
    let (digest, ..) = look(&keeper);
    assert_eq!(keeper.obey(Order::Take { digest, precheck: false }), Answer::Taken(false), "it is open");
    assert_eq!(keeper.obey(Order::Undo), Answer::Settled);
    assert_eq!(all(&keeper), spoiled);
    assert_eq!(look(&keeper).3, Open::No);
    assert_eq!(keeper.obey(Order::RollBack), Answer::RolledBack);
    assert_eq!(keeper.obey(Order::Close), Answer::Settled);
    assert_eq!((all(&keeper), look(&keeper).3), (good, Open::No));
    let aside = keeper.place("aside-", 2).join("files").join(keeper.roots[0].strip_prefix("/").unwrap());
    assert_eq!(fs::read_to_string(aside.join("new/deep/b.conf")).unwrap(), "b\n", "a person can look at it");
}

#[test]
fn nothing_is_done_without_good_ones_or_without_a_change() {
    let (_folder, keeper) = begin(None);
    assert!(matches!(keeper.obey(Order::RollBack), Answer::NotDone(why) if why.contains("known to be good")));
    let (digest, _, has_good, _) = look(&keeper);
    assert!(!has_good);
    fs::write(keeper.roots[0].join("main.conf"), "other\n").unwrap();
    assert_eq!(keeper.obey(Order::Take { digest, precheck: false }), Answer::Taken(false), "it is another");
    taken(&keeper);
    assert!(matches!(keeper.obey(Order::RollBack), Answer::NotDone(why) if why.contains("last good")));
    assert_eq!(store::numbers(&keeper.folder, "aside-"), [0_u32; 0]);
}

#[test]
fn a_precheck_that_fails_leaves_all_as_it_was_and_says_why() {
    let (folder, keeper) =
        begin(Some("echo looking at $1; test -e $1/../sound || { echo unsound >&2; exit 1; }"));
    let (digest, ..) = look(&keeper);
    assert_eq!(keeper.obey(Order::Take { digest, precheck: true }), Answer::Taken(false));
    taken(&keeper);
    fs::write(keeper.roots[0].join("main.conf"), "spoiled\n").unwrap();
    let spoiled = all(&keeper);
    assert!(matches!(keeper.obey(Order::RollBack), Answer::NotDone(why) if why.ends_with("failed: unsound")));
    assert_eq!((all(&keeper), look(&keeper).3), (spoiled, Open::No));
    fs::write(folder.path().join("sound"), "").unwrap();
    assert_eq!(keeper.obey(Order::RollBack), Answer::RolledBack);
    assert_eq!(look(&keeper).1, None);
}

#[test]
fn a_precheck_can_neither_print_without_end_nor_stay() {
    let (folder, mut keeper) = begin(Some("sleep 600 & echo $! > $1/../pid; yes"));
    assert_eq!(keeper.precheck().unwrap_err(), "y");
    let pid = fs::read_to_string(folder.path().join("pid")).unwrap();
    let pid = rustix::process::Pid::from_raw(pid.trim().parse().unwrap()).unwrap();
    let gone = rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()).map_or(1, |pidfd| {
        let most = rustix::event::Timespec::try_from(Duration::from_secs(60)).unwrap();
        let mut ends = [rustix::event::PollFd::new(&pidfd, rustix::event::PollFlags::IN)];
        rustix::event::poll(&mut ends, Some(&most)).unwrap()
    });
    assert_eq!(gone, 1, "what it started is gone with it");
    let hangs = Program { limit: Duration::from_secs(1), ..keeper.precheck.take().unwrap() };
    let parts = ["/bin/sh", "-c", "exec sleep 600"].map(str::to_owned).to_vec();
    keeper.precheck = Some(Program { parts, ..hangs });
    assert!(keeper.precheck().unwrap_err().contains("no end within"));
}

#[test]
fn no_link_leads_out_of_what_is_named() {
    let (folder, keeper) = begin(None);
    let etc = keeper.roots[0].clone();
    taken(&keeper);
    // Whoever may write there puts a link to a folder of others in the place of one of the service's own.
    let others = folder.path().join("others");
    fs::create_dir(&others).unwrap();
    fs::write(others.join("a.conf"), "theirs\n").unwrap();
    fs::remove_dir_all(etc.join("conf.d")).unwrap();
    symlink(&others, etc.join("conf.d")).unwrap();
    assert!(all(&keeper).iter().all(|entry| !entry.path.starts_with(&others)), "it is not followed");
    assert_eq!(keeper.obey(Order::RollBack), Answer::RolledBack);
    assert_eq!(fs::read_to_string(others.join("a.conf")).unwrap(), "theirs\n");
    assert!(fs::symlink_metadata(etc.join("conf.d")).unwrap().is_dir());
    let named = Keeper { roots: vec![etc.join("conf.d/link")], ..begin(None).1 };
    assert_eq!(named.obey(Order::Look), Answer::Unread(Open::No), "one that is named itself is refused");
    let entry = Entry { path: etc.join("conf.d/../../others/a.conf"), ..all(&keeper)[0].clone() };
    assert!(settle::settle(keeper.at(false), [(None, Some(&entry))].into_iter()).is_err());
}

#[test]
fn of_rollbacks_the_newest_five_stay() {
    let (_folder, keeper) = begin(None);
    taken(&keeper);
    for round in 0..7 {
        fs::write(keeper.roots[0].join("main.conf"), format!("spoiled {round}\n")).unwrap();
        assert_eq!(keeper.obey(Order::RollBack), Answer::RolledBack);
        assert_eq!(keeper.obey(Order::Close), Answer::Settled);
    }
    assert_eq!(store::numbers(&keeper.folder, "aside-"), [3, 4, 5, 6, 7]);
}

#[test]
fn two_services_with_files_in_one_folder_are_put_back_beside_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let etc = folder.path().join("etc");
    fs::create_dir(&etc).unwrap();
    let of = |name: &str| {
        let file = etc.join(format!("{name}.conf"));
        fs::write(&file, format!("good {name}\n")).unwrap();
        let own = folder.path().join("state/good").join(name);
        let told = AtomicBool::new(false);
        let keeper = Keeper { name: name.to_owned(), folder: own, roots: vec![file], precheck: None, told };
        taken(&keeper);
        keeper
    };
    let both = ["a", "b"].map(of);
    let at_once = std::sync::Barrier::new(2);
    for round in 0..50 {
        std::thread::scope(|scope| {
            for keeper in &both {
                scope.spawn(|| {
                    fs::write(&keeper.roots[0], "spoiled\n").unwrap();
                    at_once.wait();
                    assert_eq!(keeper.obey(Order::RollBack), Answer::RolledBack, "round {round}");
                    keeper.obey(Order::Close);
                });
            }
        });
        for keeper in &both {
            let good = format!("good {}\n", keeper.name);
            assert_eq!(fs::read_to_string(&keeper.roots[0]).unwrap(), good, "round {round}");
        }
    }
    assert_eq!(fs::read_dir(&etc).unwrap().count(), 2, "nothing else is left");
}

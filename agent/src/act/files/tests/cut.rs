//! The agent is killed at every call by which it puts files in their places: what was begun can be undone, and nothing is
//! taken for done that is not.
//!
//! Real kills: this test runs itself once more below strace, which sends SIGKILL at the nth call of a kind.

use super::*;
use std::process::Command;

/// The folder for the one that is killed, and what it is to do; without it the test is the one that kills.
const FOLDER: &str = "PICKET_TEST_CUT_FOLDER";
const ORDER: &str = "PICKET_TEST_CUT_ORDER";
const CALLS: [&str; 10] = [
    "mkdirat",
    "mkdir",
    "unlinkat",
    "unlink",
    "renameat",
    "renameat2",
    "rename",
    "fchmod",
    "fsync",
    "symlinkat",
];

fn keeper_in(folder: &Path) -> Keeper {
    Keeper {
        name: "it".to_owned(),
        folder: folder.join("state/good/it"),
        roots: vec![folder.join("etc")],
        precheck: None,
        told: AtomicBool::new(false),
    }
}

fn open_to_all(folders: &[&Path]) {
    for folder in folders {
        fs::set_permissions(folder, Permissions::from_mode(0o755)).unwrap();
    }
}

/// Files that were good, and what came after.
fn spoiled(folder: &Path, how: &str) -> (Keeper, Tree) {
    let etc = folder.join("etc");
    fs::create_dir_all(etc.join("conf.d")).unwrap();
    for (file, text) in [("main.conf", "good\n"), ("conf.d/a.conf", "a\n")] {
        fs::write(etc.join(file), text).unwrap();
    }
    symlink("../main.conf", etc.join("conf.d/link")).unwrap();
    open_to_all(&[&etc, &etc.join("conf.d")]);
    let keeper = keeper_in(folder);
    taken(&keeper);
    fs::write(etc.join("main.conf"), "spoiled\n").unwrap();
    if how == "files" {
        fs::write(etc.join("conf.d/a.conf"), "spoiled\n").unwrap();
        fs::write(etc.join("conf.d/n.conf"), "n\n").unwrap();
    } else {
        fs::remove_dir_all(etc.join("conf.d")).unwrap();
        fs::create_dir_all(etc.join("new/deep")).unwrap();
        fs::write(etc.join("new/deep/b.conf"), "b\n").unwrap();
        open_to_all(&[&etc.join("new"), &etc.join("new/deep")]);
    }
    if how == "kinds" {
        symlink("elsewhere", etc.join("conf.d")).unwrap();
    }
    let spoiled = all(&keeper);
    (keeper, spoiled)
}

/// Names of what is beside its place, below a folder.
fn beside(folder: &Path) -> usize {
    let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
    let of = |entry: fs::DirEntry| {
        let is_one = entry.file_name().to_str().unwrap().starts_with(tree::NEW);
        usize::from(is_one) + if entry.file_type().unwrap().is_dir() { beside(&entry.path()) } else { 0 }
    };
    entries.map(of).sum()
}

/// Whether it was killed at the nth of these calls; then all that must be so afterwards.
fn is_cut_at(call: &str, nth: u32, (how, order): (&str, &str)) -> bool {
    let folder = tempfile::tempdir().unwrap();
    let (keeper, spoiled) = spoiled(folder.path(), how);
    if order == "undo" {
        assert_eq!(keeper.obey(Order::RollBack), Answer::RolledBack);
    }
    let good = keeper.good().unwrap();
    let inject = format!("inject={call}:signal=KILL:when={nth}");
    let victim = Command::new("strace")
        .args(["-f", "-qq", "-o", "/dev/null", "-e", &format!("trace={call}"), "-e", &inject])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "act::files::tests::cut::killed_at_any_call_it_can_be_undone", "--nocapture"])
        .env(FOLDER, folder.path())
        .env(ORDER, order)
        .output()
        .unwrap();
    if victim.status.success() {
        return false;
    }
    let (at, now) = (format!("{how}, {order}, {call} {nth}"), all(&keeper));
    match keeper.open() {
        Open::No => assert_eq!(now, spoiled, "{at}: nothing is left to be done"),
        Open::Whole => assert_eq!(now, good, "{at}: it counts as done"),
        Open::Begun => {}
    }
    if keeper.open() != Open::No {
        assert_eq!(keeper.obey(Order::Undo), Answer::Settled, "{at}");
        assert_eq!((all(&keeper), beside(&keeper.roots[0])), (spoiled, 0), "{at}");
    }
    true
}

#[test]
fn killed_at_any_call_it_can_be_undone() {
    if let Some(folder) = std::env::var_os(FOLDER) {
        let order = if std::env::var_os(ORDER).unwrap() == "undo" { Order::Undo } else { Order::RollBack };
        let done = keeper_in(Path::new(&folder)).obey(order);
        assert!(matches!(done, Answer::RolledBack | Answer::Settled), "{done:?}");
        return;
    }
    if Command::new("strace").arg("-V").output().is_err() {
        println!("cannot run here: killed_at_any_call_it_can_be_undone: strace is not installed");
        return;
    }
    let mut kills = 0;
    for how in ["files", "folders", "kinds"] {
        for order in ["rollback", "undo"] {
            for call in CALLS {
                kills += (1..100).take_while(|nth| is_cut_at(call, *nth, (how, order))).count();
            }
        }
    }
    println!("killed at {kills} calls");
    assert!(kills > 60, "{kills}: the calls have other names");
}

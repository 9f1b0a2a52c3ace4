//! Versions in dpkg's files, marks, and what is done by programs that stand for dpkg and apt-get, since those of this
//! machine would change it; hosts with a dpkg of their own have the real ones (`fleet package-rollback`).

use super::*;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use tempfile::TempDir;

fn stanza(name: &str, version: &str, status: &str) -> String {
    format!(
        "Package: {name}\nStatus: install ok {status}\nArchitecture: all\nVersion: {version}\nDescription: a demo\n \
         Package: other\n\n"
    )
}

/// Writes the version that the file's name tells, as dpkg does; fails where `broken` is there.
const DPKG: &str = "#!/bin/sh\necho \"dpkg $*\" >> DIR/calls\n[ -e DIR/broken ] && { cat DIR/broken; exit 1; }\nfor deb do :; done\n\
                    version=${deb##*/}; version=${version#*_}; version=${version%_*}\n\
                    printf 'Package: web\\nStatus: install ok installed\\nArchitecture: all\\nVersion: %s\\n' $version > DIR/admin/status\n";
const APT: &str = "#!/bin/sh\necho \"apt $*\" >> DIR/calls\ncat DIR/says\n[ ! -e DIR/refuses ]\n";

/// A host of its own with web 1.0 good and 1.1 installed, both in the cache.
fn host() -> (TempDir, Keeper) {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    for folder in ["admin/updates", "cache", "state"] {
        fs::create_dir_all(at(folder)).unwrap();
    }
    for (name, text) in [("dpkg", DPKG), ("apt", APT)] {
        fs::write(at(name), text.replace("DIR", &dir.path().display().to_string())).unwrap();
        fs::set_permissions(at(name), fs::Permissions::from_mode(0o755)).unwrap();
    }
    for file in ["cache/web_1.0_all.deb", "cache/web_1.1_all.deb"] {
        fs::write(at(file), "").unwrap();
        fs::set_permissions(at(file), fs::Permissions::from_mode(0o644)).unwrap();
    }
    fs::set_permissions(at("cache"), fs::Permissions::from_mode(0o755)).unwrap();
    fs::write(
        at("says"),
        "NOTE: a simulation\nInst web [1.1] (1.0 local-deb [all])\nConf web (1.0 local-deb [all])\n",
    )
    .unwrap();
    let places = Places {
        admin: at("admin"),
        cache: at("cache"),
        dpkg: at("dpkg").display().to_string(),
        apt: at("apt").display().to_string(),
        is_locked: || false,
        owner: rustix::process::geteuid().as_raw(),
    };
    let keeper = Keeper {
        service: "web".to_owned(),
        folder: at("state"),
        names: vec!["web".to_owned()],
        files: rustix::process::getrlimit(rustix::process::Resource::Nofile),
        places,
        told: AtomicBool::new(false),
    };
    fs::write(at("admin/status"), stanza("web", "1.0", "installed")).unwrap();
    let Answer::Looked { digest, has_good: false, .. } = keeper.look() else { panic!("it is installed") };
    assert!(keeper.take(digest));
    fs::write(at("admin/status"), stanza("other", "7", "installed") + &stanza("web", "1.1", "installed"))
        .unwrap();
    (dir, keeper)
}

fn calls(dir: &TempDir) -> String {
    fs::read_to_string(dir.path().join("calls")).unwrap_or_default()
}

fn version(keeper: &Keeper) -> String {
    keeper.installed().unwrap()[0].version.clone()
}

#[test]
fn the_good_version_is_installed_from_the_cache_and_undone_from_there() {
    let (dir, keeper) = host();
    let Answer::Looked { changed, has_good: true, open: Open::No, is_away: false, .. } = keeper.look() else {
        panic!("{:?}", keeper.look())
    };
    assert_eq!(changed.as_deref(), Some("package web (1.0 to 1.1)"));
    assert_eq!(keeper.obey(Order::RollBack), Answer::RolledBack);
    assert_eq!(version(&keeper), "1.0");
    let said = calls(&dir);
    let asked = "apt --simulate --no-download --allow-downgrades --assume-yes --no-install-recommends \
                 -o APT::Get::AutomaticRemove=false -o APT::Sandbox::User=root install ";
    assert!(said.contains(asked), "{said}");
    assert!(
        said.contains("dpkg --force-confold --install") && said.contains("cache/web_1.0_all.deb\n"),
        "{said}"
    );
    assert!(matches!(keeper.look(), Answer::Looked { open: Open::Whole, changed: None, .. }));
    assert_eq!(keeper.obey(Order::Undo), Answer::Settled);
    assert_eq!(version(&keeper), "1.1");
    assert!(matches!(keeper.look(), Answer::Looked { open: Open::No, .. }));
    assert_eq!(keeper.obey(Order::RollBack), Answer::RolledBack);
    assert_eq!(keeper.obey(Order::Close), Answer::Settled);
    assert_eq!(keeper.obey(Order::Undo), Answer::Settled, "there is nothing to undo");
    assert_eq!(version(&keeper), "1.0");
    let again = keeper.obey(Order::RollBack);
    assert_eq!(again, Answer::NotDone("its packages are those with which it was last good".to_owned()));
}

/// dpkg's notes are in a new database by the time that they are read, and in the one that was read they were not yet.
#[test]
fn a_database_that_is_put_in_place_while_it_is_read_hides_no_version() {
    let (dir, _keeper) = host();
    let (admin, names) = (dir.path().join("admin"), ["web".to_owned()]);
    fs::create_dir_all(admin.join("updates")).unwrap();
    fs::write(admin.join("updates/0001"), stanza("web", "1.2", "installed")).unwrap();
    let mut is_done = false;
    let found = dpkg::installed_with(&admin, &names, || {
        if !std::mem::replace(&mut is_done, true) {
            fs::write(admin.join("status-new"), stanza("web", "1.2", "installed")).unwrap();
            fs::rename(admin.join("status-new"), admin.join("status")).unwrap();
            fs::remove_file(admin.join("updates/0001")).unwrap();
        }
    });
    assert_eq!(found.unwrap()[0].version, "1.2");
    let mut number = 0;
    let _whatever_was_read_last = dpkg::installed_with(&admin, &names, || {
        number += 1;
        fs::write(admin.join("status-new"), stanza("web", "1.3", "installed")).unwrap();
        fs::rename(admin.join("status-new"), admin.join("status")).unwrap();
    });
    assert_eq!(number, 5, "not for ever");
}

#[test]
fn what_would_change_more_or_break_something_is_refused_before_anything_is_touched() {
    let (dir, keeper) = host();
    for (says, refuses, why) in [
        (
            "Inst web [1.1] (1.0 local-deb [all])\nRemv other [7]\n",
            false,
            "more would change: Remv other [7]",
        ),
        (
            "Purg other [7]\nInst web [1.1] (1.0 local-deb [all])\n",
            false,
            "more would change: Purg other [7]",
        ),
        ("Inst web [1.1] (1.0 l [all])\nInst lib (2 stable [all])\n", false, "more would change: Inst lib"),
        ("Inst web [1.1] (1.2 local-deb [all])\n", false, "more would change: Inst web [1.1] (1.2"),
        ("nothing to do\n", false, "it would not change them"),
        (
            " other : Depends: web (>= 1.1) but 1.0 is to be installed\nE: Unmet dependencies.\n",
            true,
            "nothing was changed: other : Depends: web (>= 1.1) but 1.0 is to be installed",
        ),
    ] {
        fs::write(dir.path().join("says"), says).unwrap();
        if refuses {
            fs::write(dir.path().join("refuses"), "").unwrap();
        }
        let Answer::NotDone(said) = keeper.obey(Order::RollBack) else { panic!("{says}") };
        assert!(said.contains(why), "{said}");
    }
    assert!(!calls(&dir).contains("dpkg "), "{}", calls(&dir));
    assert!(keeper.noted("open").is_none());
}

#[test]
fn an_empty_cache_and_files_of_others_are_told_before_they_are_needed() {
    let (dir, keeper) = host();
    let deb = dir.path().join("cache/web_1.0_all.deb");
    fs::set_permissions(&deb, fs::Permissions::from_mode(0o666)).unwrap();
    let Answer::NotDone(why) = keeper.obey(Order::RollBack) else { panic!("anybody may have written it") };
    assert!(why.ends_with("web_1.0_all.deb may have been written by others than root"), "{why}");
    fs::remove_file(&deb).unwrap();
    let Answer::Looked { changed, is_away, .. } = keeper.look() else { panic!("it is installed") };
    assert_eq!(
        (changed.as_deref(), is_away),
        (Some("package web (1.0 to 1.1; no .deb of 1.0 in the cache)"), true)
    );
    let Answer::NotDone(why) = keeper.obey(Order::RollBack) else { panic!("it is not there") };
    assert!(why.starts_with("there is no ") && why.ends_with("cache/web_1.0_all.deb"), "{why}");
    assert_eq!(calls(&dir), "");
}

#[test]
fn others_at_work_keep_it_from_being_tried_and_what_they_installed_is_theirs() {
    let (dir, mut keeper) = host();
    keeper.places.is_locked = || true;
    assert_eq!(keeper.obey(Order::RollBack), Answer::Busy);
    assert_eq!(calls(&dir), "");
    keeper.places.is_locked = || false;
    assert_eq!(keeper.obey(Order::RollBack), Answer::RolledBack);
    fs::write(dir.path().join("admin/status"), stanza("web", "1.2", "installed")).unwrap();
    assert_eq!(keeper.obey(Order::Undo), Answer::Settled);
    assert_eq!(version(&keeper), "1.2");
}

#[test]
fn what_dpkg_does_not_bring_to_its_end_is_undone_once() {
    let (dir, keeper) = host();
    let lock = "dpkg: error: dpkg frontend lock was locked by another process with pid 7\nNote: removing it is wrong\n";
    fs::write(dir.path().join("broken"), lock).unwrap();
    assert_eq!((keeper.obey(Order::RollBack), keeper.noted("open")), (Answer::Busy, None));
    fs::write(dir.path().join("broken"), "it broke\nErrors were encountered while processing:\n web\n")
        .unwrap();
    let Answer::NotDone(why) = keeper.obey(Order::RollBack) else { panic!("dpkg fails") };
    assert_eq!(why, "dpkg exited with status 1: it broke", "1.1 is there: nothing had to be undone");
    assert!(keeper.noted("open").is_none());
    // The agent was killed, and dpkg in the midst of it.
    keeper.note("open", &keeper.installed().unwrap()).unwrap();
    fs::remove_file(dir.path().join("broken")).unwrap();
    fs::write(dir.path().join("admin/status"), stanza("web", "1.0", "half-configured")).unwrap();
    assert!(matches!(keeper.look(), Answer::Looked { open: Open::Begun, .. }));
    assert_eq!(keeper.obey(Order::Undo), Answer::Settled);
    assert_eq!((version(&keeper).as_str(), keeper.noted("open")), ("1.1", None));
    // The newer one is not there any more: said, and over.
    keeper.note("open", &keeper.installed().unwrap()).unwrap();
    fs::write(dir.path().join("admin/status"), stanza("web", "1.0", "installed")).unwrap();
    fs::remove_file(dir.path().join("cache/web_1.1_all.deb")).unwrap();
    let Answer::NotDone(why) = keeper.obey(Order::Undo) else { panic!("it can't be") };
    assert!(why.contains("can't be installed again: there is no "), "{why}");
    assert!(keeper.noted("open").is_none());
}

/// It was killed, or the power went: dpkg's database names the version that was there, and neither is whole.
#[test]
fn what_was_cut_off_in_mid_unpack_is_installed_again() {
    let (dir, keeper) = host();
    let is_cut = stanza("web", "1.1", "half-installed").replace(" ok ", " reinstreq ");
    for left in ["1.1", "1.0"] {
        keeper.note("open", &keeper.installed().unwrap()).unwrap();
        fs::write(dir.path().join("admin/status"), &is_cut).unwrap();
        assert!(matches!(keeper.look(), Answer::Looked { open: Open::Begun, .. }), "{:?}", keeper.look());
        assert_eq!(keeper.obey(Order::Undo), Answer::Settled);
        let now = keeper.installed().unwrap();
        assert_eq!((now[0].version.as_str(), now[0].is_whole), (left, true));
        assert!(keeper.noted("open").is_none());
        // Without a file of what was there before, the good one is better than a half.
        let _gone_at_the_second_time = fs::remove_file(dir.path().join("cache/web_1.1_all.deb"));
    }
    keeper.note("open", &keeper.installed().unwrap()).unwrap();
    fs::write(dir.path().join("admin/status"), stanza("web", "1.1", "config-files")).unwrap();
    assert_eq!(keeper.look(), Answer::Unread(Open::Begun));
    assert!(matches!(keeper.obey(Order::Undo), Answer::NotDone(_)));
    assert!(keeper.noted("open").is_none(), "what somebody removed stays so, and is said once");
}

#[test]
fn the_reason_is_what_dpkg_names_as_its_first_error() {
    for (printed, why) in [
        (
            "Unpacking\ndpkg: error processing package web (--install):\n it exited with 1\nErrors were\n web\n",
            "it exited with 1",
        ),
        ("dpkg: error: no space\nMore\n", "no space"),
        ("a script says\n\nErrors were encountered while processing:\n web\n", "a script says"),
        ("", ""),
    ] {
        assert_eq!(dpkg::reason(printed), why);
    }
}

#[test]
fn one_of_another_architecture_that_is_gone_and_triggers_that_wait_change_nothing() {
    let (dir, keeper) = host();
    let gone = stanza("web", "0.9", "config-files").replace("all", "i386");
    let there = stanza("web", "1.1", "triggers-pending");
    for stanzas in [there.clone() + &gone, gone + &there] {
        fs::write(dir.path().join("admin/status"), stanzas).unwrap();
        let now = keeper.installed().unwrap();
        assert_eq!((now[0].version.as_str(), now[0].is_whole), ("1.1", true));
    }
}

#[test]
fn a_dpkg_that_is_at_work_has_the_last_word_and_what_is_not_installed_is_told() {
    let (dir, keeper) = host();
    let update = stanza("web", "1:1.2", "half-configured");
    fs::write(dir.path().join("admin/updates/0001"), update.trim_end()).unwrap();
    let now = keeper.installed().unwrap();
    assert_eq!((now[0].version.as_str(), now[0].is_whole), ("1:1.2", false));
    assert!(deb(Path::new("/c"), &now[0], 0).unwrap_err().ends_with("/c/web_1%3a1.2_all.deb"));
    fs::write(dir.path().join("admin/updates/0002"), stanza("web", "1:1.2", "config-files")).unwrap();
    assert_eq!(keeper.installed().unwrap_err(), "package web is not installed");
    assert_eq!(keeper.look(), Answer::Unread(Open::No));
    assert_eq!(of_text("2\nweb all 1.0\n"), None, "another form is nothing");
    let told = lacks(&["no-such-package-anywhere".to_owned()]).join("\n");
    assert!(told.contains("no-such-package-anywhere") || told.contains("there is no dpkg"), "{told}");
}

//! A rollback that did not help is undone: wherever it was cut off, and whatever somebody else did meanwhile.

use super::*;

#[test]
fn what_somebody_edited_since_the_rollback_is_not_undone() {
    let (_folder, keeper) = begin(None);
    taken(&keeper);
    let etc = &keeper.roots[0];
    fs::write(etc.join("main.conf"), "spoiled\n").unwrap();
    fs::write(etc.join("conf.d/a.conf"), "spoiled\n").unwrap();
    keeper.obey(Order::RollBack);
    fs::write(etc.join("main.conf"), "mended\n").unwrap();
    keeper.obey(Order::Undo);
    assert_eq!(fs::read_to_string(etc.join("main.conf")).unwrap(), "mended\n");
    assert_eq!(fs::read_to_string(etc.join("conf.d/a.conf")).unwrap(), "spoiled\n");
}

#[test]
fn a_rollback_that_was_cut_off_anywhere_can_be_undone() {
    let (_folder, keeper) = begin(None);
    taken(&keeper);
    spoil(&keeper.roots[0]);
    let (good, spoiled) = (keeper.good().unwrap(), all(&keeper));
    let changes = tree::changes(&good, &spoiled);
    for done in 0..=changes.len() {
        keeper.put_aside(&changes).unwrap();
        // The steps are whole files each: what a killed agent has done is some of them.
        let some = changes.iter().rev().take(done).rev().map(|change| (change.now, change.good));
        let _it_may_need_more_than_was_done = settle::settle(keeper.at(false), some);
        assert_eq!(look(&keeper).3, Open::Begun);
        keeper.obey(Order::Undo);
        assert_eq!(all(&keeper), spoiled, "after {done} of {}", changes.len());
    }
}

/// A file that can't be kept came after the rollback: it is nobody's business.
#[test]
fn an_unrelated_file_that_can_not_be_kept_does_not_stop_the_undoing() {
    let (_folder, keeper) = begin(None);
    taken(&keeper);
    let etc = &keeper.roots[0];
    fs::write(etc.join("main.conf"), "spoiled\n").unwrap();
    assert_eq!(keeper.obey(Order::RollBack), Answer::RolledBack);
    fs::write(etc.join("huge"), vec![0; 2 * 1024 * 1024]).unwrap();
    fs::write(etc.join("anyones"), "").unwrap();
    fs::set_permissions(etc.join("anyones"), Permissions::from_mode(0o666)).unwrap();
    assert_eq!(keeper.obey(Order::Undo), Answer::Settled);
    assert_eq!(fs::read_to_string(etc.join("main.conf")).unwrap(), "spoiled\n");
}

/// What can't be undone stays open, and is undone once it can.
#[test]
fn an_undoing_that_fails_is_told_and_can_be_tried_again() {
    let (_folder, keeper) = begin(None);
    taken(&keeper);
    let file = keeper.roots[0].join("main.conf");
    fs::write(&file, "spoiled\n").unwrap();
    assert_eq!(keeper.obey(Order::RollBack), Answer::RolledBack);
    fs::set_permissions(&file, Permissions::from_mode(0o666)).unwrap();
    let told = keeper.obey(Order::Undo);
    assert!(
        matches!(&told, Answer::NotDone(why) if why.contains("may be written by anyone") && why.contains("/aside-1")),
        "{told:?}"
    );
    assert!(matches!(keeper.obey(Order::RollBack), Answer::NotDone(_)), "not on top of it");
    fs::set_permissions(&file, Permissions::from_mode(0o640)).unwrap();
    assert_eq!(keeper.obey(Order::Undo), Answer::Settled);
    assert_eq!((fs::read_to_string(&file).unwrap().as_str(), look(&keeper).3), ("spoiled\n", Open::No));
}

/// All is written beside its place before the first file goes.
#[test]
fn a_disk_that_is_full_in_the_midst_changes_nothing() {
    let (_folder, keeper) = begin(None);
    fs::write(keeper.roots[0].join("z.conf"), "z\n").unwrap();
    taken(&keeper);
    fs::write(keeper.roots[0].join("main.conf"), "spoiled\n").unwrap();
    fs::write(keeper.roots[0].join("z.conf"), "spoiled\n").unwrap();
    fs::write(keeper.roots[0].join("new.conf"), "new\n").unwrap();
    // What comes is a folder where a link is.
    fs::remove_dir_all(keeper.roots[0].join("conf.d")).unwrap();
    symlink("elsewhere", keeper.roots[0].join("conf.d")).unwrap();
    let (good, spoiled) = (keeper.good().unwrap(), all(&keeper));
    let mut refused = good.iter().find(|entry| entry.path.ends_with("z.conf")).unwrap().clone();
    // As an error of the disk would: no link is that long.
    (refused.kind, refused.bytes) = (tree::Kind::Link, vec![b'x'; 5000]);
    let changes = tree::changes(&good, &spoiled);
    let steps = changes.iter().map(|change| match change.good {
        Some(good) if good.path == refused.path => (change.now, Some(&refused)),
        good => (change.now, good),
    });
    assert!(settle::settle(keeper.at(false), steps).is_err());
    assert_eq!(all(&keeper), spoiled);
    let names = fs::read_dir(&keeper.roots[0]).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(names.into_iter().all(|name| !name.to_str().unwrap().contains("picket-new")));
}

/// A folder where a file comes: the undoing was cut off when the folder was gone already.
#[test]
fn an_undoing_that_was_cut_off_between_a_folder_and_its_file_goes_on() {
    let (_folder, keeper) = begin(None);
    taken(&keeper);
    spoil(&keeper.roots[0]);
    let spoiled = all(&keeper);
    assert_eq!(keeper.obey(Order::RollBack), Answer::RolledBack);
    fs::remove_dir_all(keeper.roots[0].join("conf.d")).unwrap();
    assert_eq!(keeper.obey(Order::Undo), Answer::Settled);
    assert_eq!(all(&keeper), spoiled);
}

/// The folder that it brought back has something in it by now, and another is gone: the rest is undone.
#[test]
fn what_somebody_put_in_the_way_is_left_and_the_rest_is_undone() {
    let (_folder, keeper) = begin(None);
    let etc = keeper.roots[0].clone();
    fs::create_dir(etc.join("more.d")).unwrap();
    taken(&keeper);
    fs::remove_dir_all(etc.join("conf.d")).unwrap();
    for file in ["main.conf", "more.d/m.conf", "z.conf"] {
        fs::write(etc.join(file), "newer\n").unwrap();
    }
    assert_eq!(keeper.obey(Order::RollBack), Answer::RolledBack);
    fs::write(etc.join("conf.d/a.conf~"), "an editor's\n").unwrap();
    fs::rename(etc.join("more.d"), etc.join("more.d.off")).unwrap();
    assert_eq!(keeper.obey(Order::Undo), Answer::Settled);
    assert_eq!(look(&keeper).3, Open::No);
    for file in ["main.conf", "z.conf"] {
        assert_eq!(fs::read_to_string(etc.join(file)).unwrap(), "newer\n", "{file}");
    }
    assert!(etc.join("conf.d/a.conf~").exists() && !etc.join("conf.d/a.conf").exists());
}

/// A folder can't be removed since something is in it that is none of the files.
#[test]
fn a_rollback_that_fails_in_the_midst_leaves_all_as_it_was() {
    let (_folder, keeper) = begin(None);
    let etc = keeper.roots[0].clone();
    taken(&keeper);
    fs::remove_dir_all(etc.join("conf.d")).unwrap();
    fs::create_dir(etc.join("run")).unwrap();
    fs::write(etc.join("run/x"), "x\n").unwrap();
    crate::open::fifo(&etc.join("run/fifo"));
    let before = all(&keeper);
    assert!(matches!(keeper.obey(Order::RollBack), Answer::NotDone(why) if why.contains("not empty")));
    assert_eq!((all(&keeper), look(&keeper).3), (before, Open::No));
}

/// The agent was killed in the midst of it, and a core dump came: that it is open is seen all the same.
#[test]
fn what_is_open_is_seen_where_the_files_can_not_be_looked_at() {
    let (_folder, keeper) = begin(None);
    let etc = keeper.roots[0].clone();
    taken(&keeper);
    fs::write(etc.join("main.conf"), "newer\n").unwrap();
    let (good, now) = (keeper.good().unwrap(), all(&keeper));
    keeper.put_aside(&tree::changes(&good, &now)).unwrap();
    fs::write(etc.join("core"), vec![0; 2 * 1024 * 1024]).unwrap();
    assert_eq!(keeper.obey(Order::Look), Answer::Unread(Open::Begun));
}

/// What a killed agent left beside the files is removed, and another service's is not.
#[test]
fn what_was_left_half_done_is_removed_by_the_next_time() {
    let (_folder, keeper) = begin(None);
    let etc = keeper.roots[0].clone();
    taken(&keeper);
    fs::write(etc.join("main.conf"), "newer\n").unwrap();
    fs::create_dir_all(etc.join(".picket-new-0-it/deep/er")).unwrap();
    fs::write(etc.join(".picket-new-0-it/deep/er/a"), "a\n").unwrap();
    for name in [".picket-new-7-it", ".picket-new-0-its", ".picket-new-it"] {
        fs::write(etc.join(name), "").unwrap();
    }
    assert_eq!(keeper.obey(Order::RollBack), Answer::RolledBack);
    let names = fs::read_dir(&etc).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut left: Vec<_> = names.filter(|name| name.starts_with(".picket")).collect();
    left.sort();
    assert_eq!(left, [".picket-new-0-its", ".picket-new-it"]);
}

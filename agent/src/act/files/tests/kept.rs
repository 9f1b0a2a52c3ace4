//! What is kept at all, and what a copy is worth.

use super::*;

#[test]
fn what_is_too_large_too_deep_too_many_or_anyones_is_not_kept() {
    let deep = |etc: &Path| fs::create_dir_all(etc.join("1/2/3/4/5/6/7/8/9")).unwrap();
    let many = |etc: &Path| (0..300).for_each(|at| fs::write(etc.join(at.to_string()), "").unwrap());
    let large = |etc: &Path| fs::write(etc.join("data"), vec![b'x'; 1024 * 1024]).unwrap();
    let open = |etc: &Path| {
        fs::set_permissions(etc.join("conf.d/a.conf"), Permissions::from_mode(0o666)).unwrap();
    };
    let cases: [(Spoils<'_>, &str); 4] = [
        (&deep, "folders deep"),
        (&many, "more than 256 files"),
        (&large, "larger than 1024 KiB"),
        (&open, "a.conf may be written by anyone"),
    ];
    for (spoils, words) in cases {
        let (_folder, keeper) = begin(None);
        taken(&keeper);
        spoils(&keeper.roots[0]);
        assert!(tree::read(&keeper.roots).unwrap_err().contains(words), "{words}");
        assert_eq!(keeper.obey(Order::Look), Answer::Unread(Open::No));
        assert!(matches!(keeper.obey(Order::RollBack), Answer::NotDone(_)));
        assert!(keeper.good().is_some(), "the good ones stay");
    }
}

#[test]
fn a_fifo_holds_nobody_and_is_passed_over() {
    let (_folder, keeper) = begin(None);
    let before = all(&keeper);
    crate::open::fifo(&keeper.roots[0].join("fifo"));
    assert_eq!(all(&keeper), before);
}

#[test]
fn a_copy_that_was_damaged_or_is_of_other_paths_is_none_and_all_but_two_go() {
    let (_folder, keeper) = begin(None);
    taken(&keeper);
    for newer in ["newer\n", "newest\n"] {
        fs::write(keeper.roots[0].join("main.conf"), newer).unwrap();
        taken(&keeper);
    }
    assert_eq!(store::numbers(&keeper.folder, "good-"), [2, 3]);
    let place = keeper.place("good-", 3);
    let own = keeper.roots[0].strip_prefix("/").unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(
        (mode(&keeper.folder), mode(&place.join("files").join(own).join("main.conf"))),
        (0o700, 0o600)
    );
    assert!(store::load(&place, &[keeper.roots[0].join("conf.d")]).is_none());
    let whole = fs::read(place.join("index")).unwrap();
    for cut in 0..whole.len() - 1 {
        fs::write(place.join("index"), &whole[..cut]).unwrap();
        assert!(keeper.good().is_none(), "cut at {cut}");
    }
    fs::write(place.join("index"), &whole).unwrap();
    assert!(keeper.good().is_some());
    fs::write(place.join("files").join(own).join("conf.d/a.conf"), "flipped\n").unwrap();
    assert!(keeper.good().is_none());
    assert!(matches!(keeper.obey(Order::RollBack), Answer::NotDone(_)));
}

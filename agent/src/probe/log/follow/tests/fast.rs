//! A writer of 50,000 lines a second, over rotations.

use super::*;
use std::sync::atomic::{AtomicBool, Ordering};

/// How a log is rotated while it is written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Rename,
    CopyTruncate,
}

/// Writes 150,000 lines in 3 s, every hundredth an error, and rotates them; answers how many errors there were.
fn write_fast(path: &Path, way: Way) -> i64 {
    let append = || fs::OpenOptions::new().create(true).append(true).open(path).unwrap();
    let (mut file, begun, mut errors) = (append(), clock::now().mono, 0);
    for batch in 0..300_u64 {
        let mut text = String::new();
        for line in 0..500 {
            let number = batch * 500 + line;
            let what = if number % 100 == 7 { "ERROR" } else { "INFO" };
            errors += i64::from(what == "ERROR");
            text += &format!(
                "2026-11-29T19:00:00 host app[4711]: {what} {number} request took 12 ms, status 200, all is well\n"
            );
        }
        file.write_all(text.as_bytes()).unwrap();
        if batch % 40 == 39 {
            let old = |n: u64| path.with_file_name(format!("app.log.{n}"));
            match way {
                Way::Rename => {
                    (1..9).rev().for_each(|n| drop(fs::rename(old(n), old(n + 1))));
                    fs::rename(path, old(1)).unwrap();
                    file = append();
                }
                // Its writer waits, as truncation loses what is written between.
                Way::CopyTruncate => {
                    (1..9).rev().for_each(|n| drop(fs::rename(old(n), old(n + 1))));
                    fs::copy(path, old(1)).unwrap();
                    file.set_len(0).unwrap();
                }
            }
        }
        let due = begun.plus(Span::from_millis((batch + 1) * 10));
        while clock::now().mono < due {
            std::thread::yield_now();
        }
    }
    errors
}

#[test]
fn of_50_000_lines_a_second_every_match_counts_once_over_rotations() {
    for way in [Way::Rename, Way::CopyTruncate] {
        let mut rig = Rig::new();
        rig.write("app.log", "start\n");
        rig.counts();
        let (path, ended) = (rig.path("app.log"), AtomicBool::new(false));
        let mut found = 0;
        let (mut looks, mut due) = (0, clock::now().mono);
        let written = std::thread::scope(|scope| {
            let writer = scope.spawn(|| {
                let errors = write_fast(&path, way);
                ended.store(true, Ordering::Release);
                errors
            });
            while !ended.load(Ordering::Acquire) {
                if clock::now().mono >= due {
                    found += rig.counts();
                    (looks, due) = (looks + 1, due.plus(Span::from_millis(150)));
                }
                if looks == 10 {
                    rig.restart();
                    looks += 1;
                }
                std::thread::yield_now();
            }
            writer.join().unwrap()
        });
        found += rig.counts();
        assert_eq!((found, written), (1500, 1500), "{way:?}");
    }
}

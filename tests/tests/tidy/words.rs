//! Words bite: silent modules, unsafe code, clocks, sleeping and hidden tests, phrases.

use crate::plant;
use picket_tests::tidy::{tree, words};

#[test]
fn a_module_without_its_opening_words_is_found() {
    let planted = plant::tree(&[
        ("agent/src/run.rs", "//! The loop that owns the core.\n"),
        ("agent/build.rs", "fn main() {}\n"),
        ("agent/src/link.rs", "// A plain comment.\n//! too late\n"),
        ("cli/src/lib.rs", "//! x\n"),
    ]);
    let wanted = [
        ("agent/build.rs", 1, "open with `//!`"),
        ("agent/src/link.rs", 1, "open with `//!`"),
        ("cli/src/lib.rs", 1, "open with `//!`"),
    ];
    plant::expect(&words::module_docs(&planted), &wanted);
}

#[test]
fn unsafe_code_is_found_outside_sys_and_a_mention_is_not() {
    let code = "//! It says unsafe.\n#![deny(unsafe_code)]\nconst A: &str = \"unsafe\";\nfn f() { unsafe { g() } }\n";
    let planted = plant::tree(&[("agent/src/sys.rs", code), ("agent/src/act.rs", code)]);
    plant::expect(&words::unsafe_in_one_file(&planted), &[("agent/src/act.rs", 4, "agent/src/sys.rs")]);
}

#[test]
fn clocks_are_found_outside_clock_rs_and_in_a_core_even_there() {
    let code = "//! Time.\nfn f() { let t = tokio::time::Instant::now(); }\n";
    let planted = plant::tree(&[
        ("agent/src/clock.rs", code),
        ("agent/src/run.rs", code),
        ("agent/core/src/clock.rs", code),
        ("tests/src/bin/bench.rs", code),
    ]);
    let wanted = [("agent/core/src/clock.rs", 2, "as arguments"), ("agent/src/run.rs", 2, "only clock.rs")];
    plant::expect(&words::clocks_in_one_file(&planted), &wanted);
}

#[test]
fn every_way_to_a_clock_or_to_chance_is_found() {
    let code = "//! Time.\nuse std::time::{Duration, Instant};\nuse std::time::SystemTime;\nuse rustix::time::clock_gettime;\nfn f() { jiff::Zoned::now(); }\nfn g() { select!(getrandom()) }\nfn h() { rand::rng() }\nuse std::time::Duration;\n";
    let found = words::clocks_in_one_file(&plant::tree(&[("cli/src/table.rs", code)]));
    let lines: Vec<usize> = found.iter().map(|finding| finding.line).collect();
    assert_eq!(lines, [2, 3, 4, 5, 6, 7], "{found:#?}");
}

#[test]
fn a_sleeping_test_and_a_hidden_test_are_found() {
    let test = "//! Room.\n#[cfg(test)]\nmod tests {\n    use tokio::time::{sleep, timeout};\n    #[test]\n    #[ignore = \"slow\"]\n    fn f() { std::thread::sleep(D) }\n}\n";
    let shell = "//! Room.\nasync fn f() { tokio::time::sleep(D).await }\n";
    let planted = plant::tree(&[
        ("agent/src/link.rs", test),
        ("agent/src/run.rs", shell),
        ("tests/tests/e2e.rs", shell),
    ]);
    let wanted = [
        ("agent/src/link.rs", 6, "run it or delete it"),
        ("agent/src/link.rs", 7, "wait for the event"),
        ("agent/src/link.rs", 4, "wait for the event"),
        ("tests/tests/e2e.rs", 2, "wait for the event"),
    ];
    plant::expect(&words::tests_neither_sleep_nor_hide(&planted), &wanted);
}

#[test]
fn phrases_are_found_and_their_neighbours_are_not() {
    let later = concat!("// TO", "DO: later\n");
    let machine = concat!("see /wo", "rk/main\n");
    let registry = concat!("from crates", ".io\n");
    let tracker = concat!("as issue", " #12 says\n");
    let near = concat!("AUTO", "TO", "DOS, MTO", "DO_LIST, issue", " # and mktemp XX", "XX_XX\n");
    let planted = plant::tree(&[
        ("agent/src/a.rs", later),
        ("deny.toml", registry),
        ("docs/a.md", machine),
        ("docs/b.md", registry),
        ("docs/c.md", tracker),
        ("docs/near.md", near),
        (".ci/run", later),
        ("target/x.md", later),
    ]);
    let wanted = [
        (".ci/run", 1, "do it"),
        ("agent/src/a.rs", 1, "do it"),
        ("docs/a.md", 1, "no machine's own paths"),
        ("docs/b.md", 1, "name the crate"),
        ("docs/c.md", 1, "say the reason"),
    ];
    plant::expect(&words::text(&planted), &wanted);
}

#[test]
fn a_file_that_is_not_rust_is_found() {
    let planted = plant::tree(&[("agent/src/a.rs", "//! Room.\nfn f( {\n")]);
    plant::expect(&tree::parses(&planted), &[("agent/src/a.rs", 2, "fix it")]);
}

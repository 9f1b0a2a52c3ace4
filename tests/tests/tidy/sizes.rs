//! Sizes bite: hard limits, and a list that only tightens.

use crate::plant;
use picket_tests::tidy::{house, sizes};

const FILE: &str = "agent/src/run.rs";

/// A file of so many lines.
fn file(lines: usize) -> String {
    format!("//! Room.\n{}", "const _: u8 = 0;\n".repeat(lines - 1))
}

/// A function of so many lines, on line 3 of its file.
fn function(lines: usize) -> String {
    format!("//! Room.\nimpl Run {{\n    fn turn() {{\n{}    }}\n}}\n", "        step();\n".repeat(lines - 2))
}

#[test]
fn a_file_over_the_hard_size_is_found_even_when_listed() {
    let planted = plant::tree(&[(FILE, &file(601))]);
    plant::expect(
        &sizes::ratchet(&planted, &format!("601 {FILE}\n")),
        &[(FILE, 1, "601 lines, at most 600")],
    );
}

#[test]
fn a_function_over_the_hard_size_is_found_even_when_listed() {
    let planted = plant::tree(&[(FILE, &function(71))]);
    let list = format!("71 {FILE} fn Run::turn\n");
    plant::expect(&sizes::ratchet(&planted, &list), &[(FILE, 3, "71 lines, at most 70")]);
}

#[test]
fn a_new_exception_is_found_until_it_is_listed() {
    let planted = plant::tree(&[(FILE, &file(301)), ("agent/src/act.rs", &function(51))]);
    let wanted =
        [("agent/src/act.rs", 3, "51 lines, 50 are allowed"), (FILE, 1, "301 lines, 300 are allowed")];
    plant::expect(&sizes::ratchet(&planted, ""), &wanted);
    let list = format!("# two exceptions\n51 agent/src/act.rs fn Run::turn\n301 {FILE}\n");
    plant::expect(&sizes::ratchet(&planted, &list), &[]);
    assert!(
        sizes::write(&planted).ends_with(list.strip_prefix("# two exceptions\n").expect("its first line"))
    );
}

#[test]
fn a_listed_file_that_grew_is_found() {
    let planted = plant::tree(&[(FILE, &file(311))]);
    plant::expect(&sizes::ratchet(&planted, &format!("310 {FILE}\n")), &[(FILE, 1, "310 are allowed")]);
}

#[test]
fn a_listed_file_that_shrank_asks_for_its_new_number() {
    let planted = plant::tree(&[(FILE, &file(305))]);
    let found = sizes::ratchet(&planted, &format!("# head\n310 {FILE}\n"));
    plant::expect(&found, &[(house::RATCHET, 2, "lower 310 to 305")]);
}

#[test]
fn a_line_without_its_reason_asks_to_be_removed() {
    let planted = plant::tree(&[(FILE, &file(300))]);
    let found = sizes::ratchet(&planted, &format!("301 {FILE}\n400 agent/src/gone.rs\nnonsense\n"));
    let list = house::RATCHET;
    plant::expect(&found, &[(list, 3, "write `NUMBER PATH`"), (list, 2, "gone.rs"), (list, 1, "run.rs")]);
}

#[test]
fn lines_and_functions_of_test_modules_do_not_count() {
    let text =
        format!("{}#[cfg(test)]\nmod tests {{\n{}}}\n", file(290), &function(75)["//! Room.\n".len()..]);
    let planted = plant::tree(&[(FILE, &text), ("agent/src/run/tests.rs", &function(75))]);
    plant::expect(&sizes::ratchet(&planted, ""), &[]);
}

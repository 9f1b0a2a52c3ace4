//! The shape of a core bites: attributes, variants, the size of a word (by the compiler too), an engine in `lib.rs`.

use crate::plant;
use picket_tests::tidy::{cores, house};
use std::fmt::Write as _;
use std::process::{Command, Output};

const LIB: &str = "agent/core/src/lib.rs";

/// A core with an `Input` of so many variants and these lines behind it.
fn core(variants: usize, more: &str) -> String {
    let names: Vec<String> = (0..variants).map(|n| format!("Room{n}")).collect();
    format!(
        "//! Core.\n#![no_std]\n#![forbid(unsafe_code)]\npub enum Input {{ {} }}\npub enum Effect {{ Act }}\n{more}\n",
        names.join(", ")
    )
}

fn assertions() -> String {
    format!("{}\n{}", cores::size_assertion("Input"), cores::size_assertion("Effect"))
}

#[test]
fn ten_variants_are_silent_and_an_eleventh_is_found() {
    let ten = core(10, "");
    plant::expect(&cores::variants(&plant::tree(&[(LIB, &ten)])), &[]);
    let eleven = core(11, "");
    let found = cores::variants(&plant::tree(&[(LIB, &eleven)]));
    plant::expect(&found, &[(LIB, 4, "Input has 11 variants, at most 10")]);
}

#[test]
fn a_core_that_hides_its_words_elsewhere_is_found() {
    let found = cores::variants(&plant::tree(&[(LIB, "//! Core.\npub enum Effect { Act }\n")]));
    plant::expect(&found, &[(LIB, 1, "declare `pub enum Input`")]);
}

#[test]
fn a_word_without_a_size_assertion_is_found() {
    let asserted = core(1, &assertions());
    plant::expect(&cores::word_size_is_asserted(&plant::tree(&[(LIB, &asserted)])), &[]);
    let forgotten = core(1, &cores::size_assertion("Input"));
    let found = cores::word_size_is_asserted(&plant::tree(&[(LIB, &forgotten)]));
    plant::expect(&found, &[(LIB, 5, "size_of::<Effect>() <= 128")]);
}

#[test]
fn an_assertion_that_is_too_wide_or_only_tested_does_not_count() {
    let wide = core(1, "const _: () = assert!(size_of::<Input>() <= 129 && size_of::<Effect>() <= 128);");
    plant::expect(&cores::word_size_is_asserted(&plant::tree(&[(LIB, &wide)])), &[(LIB, 4, "Input")]);
    let tested = core(1, &format!("#[cfg(test)]\nmod tests {{\n{}\n}}", assertions()));
    let found = cores::word_size_is_asserted(&plant::tree(&[(LIB, &tested)]));
    plant::expect(&found, &[(LIB, 4, "Input"), (LIB, 5, "Effect")]);
}

/// Compiles a crate whose `Input` has so many bytes and states the assertion that the rule asks for.
fn compile(bytes: usize) -> Output {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let source = folder.path().join("lib.rs");
    let text = format!("pub struct Input(pub [u8; {bytes}]);\n{}\n", cores::size_assertion("Input"));
    std::fs::write(&source, text).expect("a new file");
    Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()))
        .args(["--edition", "2024", "--crate-type", "lib", "--emit", "metadata", "--out-dir"])
        .arg(folder.path())
        .arg(source)
        .output()
        .expect("rustc runs")
}

#[test]
fn an_input_of_128_bytes_compiles_and_one_of_129_does_not() {
    let fits = compile(128);
    assert!(fits.status.success(), "{}", String::from_utf8_lossy(&fits.stderr));
    let tight = compile(129);
    let said = String::from_utf8_lossy(&tight.stderr);
    assert!(
        !tight.status.success() && said.contains("E0080"),
        "129 bytes must fail in the assertion: {said}"
    );
}

#[test]
fn a_core_without_its_attributes_is_found() {
    let found = cores::attributes(&plant::tree(&[("collector/core/src/lib.rs", "//! Core.\n")]));
    let lib = "collector/core/src/lib.rs";
    plant::expect(&found, &[(lib, 1, "#![no_std]"), (lib, 1, "#![forbid(unsafe_code)]")]);
}

#[test]
fn an_allocator_in_the_agents_core_is_found_and_in_the_collectors_is_not() {
    let agent = core(1, "extern crate alloc;");
    let planted = plant::tree(&[(LIB, &agent), ("collector/core/src/lib.rs", &agent)]);
    plant::expect(&cores::attributes(&planted), &[(LIB, 6, "without an allocator")]);
}

#[test]
fn an_engine_in_lib_is_found_and_its_tests_do_not_count() {
    let mut engine = String::new();
    for n in 0..house::MAX_LIB_LINES {
        writeln!(engine, "const C{n}: u8 = 0;").expect("a String takes any text");
    }
    let long = core(1, &engine);
    let found = cores::lib_only_routes(&plant::tree(&[(LIB, &long)]));
    plant::expect(&found, &[(LIB, 1, "move all but routing to rooms")]);
    let tested = core(1, &format!("#[cfg(test)]\nmod tests {{\n{engine}}}\n"));
    plant::expect(&cores::lib_only_routes(&plant::tree(&[(LIB, &tested)])), &[]);
}
